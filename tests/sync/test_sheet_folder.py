"""The folder says whose it is: what is not ours is neither read nor written nor believed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy import Engine

from cli.workbooks import sync
from config import Settings
from database import make_engine, reading, writing
from enums import WorkbookState
from models import Installation, Workbook, WorkbookProblem
from services.workbooks import states
from sync.mirror.look import LookOutcome
from sync.workbook.folder_marker import MARKER
from tests import company
from tests.sync.books import parts
from worker.workbooks import Mirrors

FAILED = {LookOutcome.failed}


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """A folder outside the home, as a mounted share is."""
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(settings: Settings, share: Path) -> Settings:
    return settings.model_copy(update={"sheet_folder": share})


@pytest.fixture
def mirrors(engine: Engine, settings: Settings) -> Mirrors:
    """The company's files, made and at rest."""
    found = Mirrors(engine, settings, "host:1")
    _rest(found)
    return found


def _rest(mirrors: Mirrors) -> None:
    for _ in range(5):
        if set(mirrors.look().values()) == {LookOutcome.quiet}:
            return
    raise AssertionError("the files never came to rest")


def _codes(mirrors: Mirrors) -> set[str]:
    with reading(mirrors.engine) as session:
        query = sa.select(WorkbookProblem.code).where(WorkbookProblem.settled_at.is_(None))
        return set(session.scalars(query))


def _complete(mirrors: Mirrors) -> list[dt.datetime | None]:
    with reading(mirrors.engine) as session:
        return list(session.scalars(sa.select(Workbook.complete_at).order_by(Workbook.id)))


def _refused(mirrors: Mirrors, code: str) -> None:
    """Every file stops with that reason, nothing is made, and no look counts."""
    folder = mirrors.settings.sheets
    before, complete = sorted(folder.iterdir()), _complete(mirrors)
    for _ in range(3):
        assert set(mirrors.look().values()) == FAILED
    assert _codes(mirrors) == {code}
    assert sorted(folder.iterdir()) == before
    assert _complete(mirrors) == complete, "who could not work in the file is not late"
    with reading(mirrors.engine) as session:
        assert {one.word for one in states.states(session)} == {WorkbookState.unreachable}


def test_the_folder_and_every_workbook_say_whose_they_are(mirrors: Mirrors, share: Path) -> None:
    with reading(mirrors.engine) as session:
        identity = session.scalars(sa.select(Installation.identity)).one()
        ids = dict(session.execute(sa.select(Workbook.name, Workbook.id)).all())
    assert json.loads((share / MARKER).read_text("utf-8"))["installation"] == identity
    for name, workbook_id in ids.items():
        said = "".join(
            part.decode("utf-8", "replace") for part in parts(share / f"{name}.xlsx").values()
        )
        assert f"/{identity}.{workbook_id}" in said


def test_an_empty_mount_point_is_not_taken_for_the_folder(mirrors: Mirrors, share: Path) -> None:
    share.rename(share.with_name("away"))
    share.mkdir()
    _refused(mirrors, "folder_unmarked")
    share.rmdir()
    share.with_name("away").rename(share)
    _rest(mirrors)
    assert _codes(mirrors) == set()


def test_the_folder_of_another_installation_is_left_alone(
    mirrors: Mirrors, settings: Settings, tmp_path: Path
) -> None:
    other = Settings(home=tmp_path / "other", demo=False, sheet_folder=settings.sheets)
    company.build(other)
    stranger = Mirrors(make_engine(other), other, "host:2")
    stranger._find()
    _refused(stranger, "folder_of_other")
    assert set(mirrors.look().values()) == {LookOutcome.quiet}


def test_a_copy_of_the_installation_does_not_work_in_the_original_s_folder(
    mirrors: Mirrors, settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(settings.home, tmp_path / "restored")
    copy = Settings(home=tmp_path / "restored", demo=False, sheet_folder=settings.sheets)
    restored = Mirrors(make_engine(copy), copy, "host:2")
    _refused(restored, "folder_of_copy")
    assert set(mirrors.look().values()) == {LookOutcome.quiet}
    restored.take_folder()
    assert FAILED.isdisjoint(restored.look().values())
    _refused(mirrors, "folder_of_copy")


def test_all_files_gone_at_once_are_not_made_anew_unasked(mirrors: Mirrors, share: Path) -> None:
    files = sorted(share.glob("*.xlsx"))
    for file in files:
        file.unlink()
    _refused(mirrors, "all_gone")
    said = CliRunner().invoke(sync(mirrors.settings))
    assert said.exit_code == 1
    assert "--take-folder" in said.output
    said = CliRunner().invoke(sync(mirrors.settings), ["--take-folder"])
    assert (said.exit_code, sorted(share.glob("*.xlsx"))) == (0, files)
    _rest(mirrors)
    assert _codes(mirrors) == set()


def test_one_file_that_is_gone_is_made_anew(mirrors: Mirrors, share: Path) -> None:
    file = sorted(share.glob("*.xlsx"))[0]
    file.unlink()
    _rest(mirrors)
    assert file.exists()


def _forget_marker(mirrors: Mirrors, share: Path) -> None:
    """An installation of the time before markers."""
    (share / MARKER).unlink()
    with writing(mirrors.engine) as session:
        session.execute(sa.delete(Installation))
    mirrors.__dict__.pop("folder")


def test_an_older_installation_marks_its_folder_once(mirrors: Mirrors, share: Path) -> None:
    _forget_marker(mirrors, share)
    mirrors.look()
    assert (share / MARKER).exists()
    (share / MARKER).unlink()
    _refused(mirrors, "folder_unmarked")


def test_an_older_installation_does_not_mark_an_empty_mount(mirrors: Mirrors, share: Path) -> None:
    _forget_marker(mirrors, share)
    for file in share.glob("*.xlsx"):
        file.unlink()
    _refused(mirrors, "folder_unmarked")


def test_the_file_of_another_department_stops_only_that_file(mirrors: Mirrors, share: Path) -> None:
    with reading(mirrors.engine) as session:
        query = sa.select(Workbook.name).where(Workbook.department_id.is_not(None))
        one, other = session.scalars(query.order_by(Workbook.id)).all()[:2]
    shutil.copyfile(share / f"{one}.xlsx", share / f"{other}.xlsx")
    before = (share / f"{other}.xlsx").read_bytes()
    outcomes = mirrors.look()
    assert outcomes.pop(other) is LookOutcome.stopped
    assert LookOutcome.stopped not in outcomes.values()
    assert _codes(mirrors) == {"other_workbook"}
    assert (share / f"{other}.xlsx").read_bytes() == before
