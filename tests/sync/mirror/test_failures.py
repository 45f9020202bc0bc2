"""Whatever goes wrong in a look is seen after a minute, and one file never stops another."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from config import Settings
from database import reading, writing
from enums import ProblemKind, Resolution, WorkbookState
from models import Notice, Workbook, WorkbookProblem
from services.workbooks import resolutions, states
from sync.mirror.look import LookOutcome, Mirror
from sync.port import (
    TabLayout,
    WorkbookPicture,
    WorkbookRefused,
    WorkbookUnavailable,
    WorkbookWrite,
)
from sync.workbook.adapter import WorkbookFile
from tests.sync.folder import AFTER_SALES, Files
from worker.workbooks import Mirrors


class Falling(WorkbookFile):
    """A file at which the code falls, as over a value that nobody thought of."""

    def read(self, tabs: Sequence[TabLayout]) -> WorkbookPicture:
        raise ZeroDivisionError("the customer is 王先生")


class Full(WorkbookFile):
    """A file on a disk without room, neither for a new file nor for our copy of it."""

    def write(
        self, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
    ) -> str:
        raise WorkbookRefused("disk_full")

    def keep(self, folder: Path, name: str) -> None:
        raise WorkbookRefused("disk_full")


class Bound(WorkbookFile):
    """A file that can be read and never be replaced."""

    def write(
        self, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
    ) -> str:
        raise WorkbookUnavailable("busy")


def _look(files: Files, port: type[WorkbookFile]) -> LookOutcome:
    files.tick()
    mirror: Mirror = files.mirror()
    mirror.port = port(files.path())
    return mirror.look()


def _word(files: Files) -> WorkbookState:
    with reading(files.engine) as session:
        return states.state_of(session, files.ids[AFTER_SALES]).word


def _notices(files: Files) -> int:
    with reading(files.engine) as session:
        query = sa.select(sa.func.count()).select_from(Notice).where(Notice.kind == "file_problem")
        return session.scalar(query) or 0


def _touch(files: Files) -> None:
    stamp = files.now.timestamp()
    os.utime(files.path(), (stamp, stamp))


def test_an_exception_that_nobody_foresaw_is_seen_after_a_minute(files: Files) -> None:
    files.settle()
    _touch(files)
    began = files.now
    while not files.problems():
        assert _look(files, Falling) is LookOutcome.failed
        assert (files.now - began).total_seconds() <= 60
    (problem,) = files.problems()
    assert (problem.kind, problem.code) == (ProblemKind.file, "look_failed")
    assert problem.facts["error"] == "ZeroDivisionError"
    assert "王先生" not in str(problem.facts), "customers do not belong into what everybody sees"
    for _ in range(3):
        _look(files, Falling)
    assert (len(files.problems()), _notices(files)) == (1, 1)
    assert _word(files) is WorkbookState.unreachable
    files.settle()
    assert files.problems() == []


def test_a_file_that_cannot_be_written_is_said_although_it_can_be_read(files: Files) -> None:
    files.settle()
    with files.office() as office:
        office.dispatched()
    for _ in range(12):
        assert _look(files, Bound) is LookOutcome.failed
    (problem,) = files.problems()
    assert (problem.code, _notices(files)) == ("busy", 1)
    files.settle()
    assert files.problems() == []


def test_a_full_disk_is_told_once_whichever_file_found_it_full(files: Files) -> None:
    with files.office() as office:
        number = office.dispatched().number
    files.settle()
    hands = files.hands()
    hands.type(number, progress="已联系")
    files.tick()
    hands.save()
    for _ in range(6):  # the first ones only read, and fail at the copy that we keep
        assert _look(files, Full) is LookOutcome.failed
    (problem,) = files.problems()
    assert (problem.code, _notices(files)) == ("disk_full", 1)
    files.settle()
    assert files.problems() == []


def test_a_file_that_stays_broken_is_damaged_and_can_be_restored(files: Files) -> None:
    with files.office() as office:
        number = office.dispatched().number
    files.settle()
    whole = files.path().read_bytes()
    files.path().write_bytes(whole[: len(whole) // 2])
    _touch(files)
    for _ in range(7):
        files.look()
        assert [one.code for one in files.problems()] in ([], ["half_written"])
    for _ in range(4):
        files.look()
    assert [(one.kind, one.code) for one in files.problems()] == [
        (ProblemKind.structure, "damaged")
    ]
    with writing(files.engine) as session:
        problem = session.scalars(
            sa.select(WorkbookProblem).where(WorkbookProblem.settled_at.is_(None))
        ).one()
        resolutions.choose(session, problem, Resolution.undo, user_id=None, now=files.now)
    files.settle()
    assert number in files.rows()
    assert files.problems() == []


def test_a_sync_program_that_goes_on_writing_is_not_called_damage(files: Files) -> None:
    files.settle()
    whole = files.path().read_bytes()
    for part in range(1, 20):
        files.path().write_bytes(whole[: len(whole) * part // 20])
        _touch(files)
        files.look()
    assert {one.code for one in files.problems()} == {"half_written"}
    files.path().write_bytes(whole)
    files.settle()
    assert files.problems() == []


def test_a_pipe_under_the_name_of_the_file_keeps_nobody_waiting(files: Files) -> None:
    files.settle()
    files.path().unlink()
    os.mkfifo(files.path())
    assert files.look() is LookOutcome.failed
    assert [one.code for one in files.problems()] == ["not_readable"]


# ---------------------------------------------------------------- several files


@pytest.fixture
def mirrors(engine: Engine, settings: Settings) -> Mirrors:
    """All files of the company, as the worker looks at them."""
    return Mirrors(engine, settings, "host:1")


def test_one_file_never_stops_another(mirrors: Mirrors, settings: Settings) -> None:
    names = list(mirrors.look())
    assert len(names) > 1
    with reading(mirrors.engine) as session:
        broken = session.scalars(sa.select(Workbook).where(Workbook.name == names[0])).one()
    kept = settings.home / "kept" / str(broken.id)
    for one in kept.iterdir():
        one.unlink()
    kept.rmdir()
    kept.touch()  # where the folder for copies belongs
    with writing(mirrors.engine) as session:
        session.execute(sa.update(Workbook).values(complete_at=None))
    outcomes = mirrors.look()
    assert outcomes.pop(names[0]) is LookOutcome.failed
    assert set(outcomes.values()) <= {LookOutcome.read, LookOutcome.wrote, LookOutcome.quiet}
    with reading(mirrors.engine) as session:
        problem = session.scalars(sa.select(WorkbookProblem)).one()
        assert (problem.sheet_id, problem.code) == (broken.id, "look_failed")


class OneIsSlow(Mirrors):
    """Files of which one takes as long as the test likes."""

    def _look_at(self, workbook_id: int, name: str) -> LookOutcome | None:
        if name == SLOW:
            GO_ON.wait(30)
        return super()._look_at(workbook_id, name)


SLOW = "慢"
GO_ON = threading.Event()


def test_a_slow_file_keeps_the_others_not_waiting(engine: Engine, settings: Settings) -> None:
    GO_ON.clear()
    slow = OneIsSlow(engine, settings, "host:1")
    slow._find()
    with writing(engine) as session:
        first = session.scalars(sa.select(Workbook).order_by(Workbook.id)).first()
        assert first is not None
        first.name = SLOW
    with reading(engine) as session:
        names = set(session.scalars(sa.select(Workbook.name)))
    seen: dict[str, LookOutcome] = {}
    while set(seen) != names - {SLOW}:
        seen |= slow.look(patience_s=0.5)
        assert SLOW not in seen
    slow.running[SLOW] = type(slow.running[SLOW])(
        slow.running[SLOW].workbook_id, slow.running[SLOW].ended, -100.0
    )
    slow.look(patience_s=0.1)
    with reading(engine) as session:
        assert session.scalars(sa.select(WorkbookProblem.code)).all() == ["look_endless"]
    GO_ON.set()
    assert SLOW in slow.look()


def test_two_departments_that_are_called_alike_have_two_files(
    engine: Engine, settings: Settings, mirrors: Mirrors
) -> None:
    mirrors._find()
    with writing(engine) as session:
        found = session.scalars(sa.select(Workbook).where(Workbook.department_id.is_not(None)))
        one, other = found.all()[:2]
        assert one.department is not None
        assert other.department is not None
        one.department.name, other.department.name = "维修/一部", "维修:一部"
        session.delete(one)
        session.delete(other)
    mirrors.found_at = None
    mirrors.look()
    with reading(engine) as session:
        names = session.scalars(sa.select(Workbook.name)).all()
    assert len([name for name in names if "维修 一部" in name]) == 2
