"""A file under another name: links are followed, what would be cut off is refused with a reason."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sync.port import WorkbookError, WorkbookRefused, WorkbookUnavailable, WorkbookWrite
from sync.workbook import atomic_replace
from sync.workbook.adapter import WorkbookFile
from tests.sync.books import TABS, made
from tests.sync.folder import Files, cells, outcome


def _write(book: WorkbookFile, text: str = "新") -> str:
    return book.write(book.read(TABS), TABS, WorkbookWrite(2, {"open": {(2, "hint"): text}}))


@pytest.fixture
def linked(tmp_path: Path) -> tuple[WorkbookFile, Path]:
    """Our name, which is a link to the file in the department's folder."""
    theirs, ours = tmp_path / "销售部", tmp_path / "sheets"
    theirs.mkdir()
    ours.mkdir()
    made(theirs / "投诉.xlsx", lines=3)
    (ours / "销售部.xlsx").symlink_to(theirs / "投诉.xlsx")
    return WorkbookFile(ours / "销售部.xlsx"), theirs / "投诉.xlsx"


def test_the_file_is_replaced_and_not_the_link_to_it(linked: tuple[WorkbookFile, Path]) -> None:
    book, theirs = linked
    assert _write(book) == book.fingerprint() == WorkbookFile(theirs).fingerprint()
    assert book.path.is_symlink()
    assert os.listdir(theirs.parent) == [theirs.name]
    (row, *_) = WorkbookFile(theirs).read(TABS).tabs["open"].rows
    assert row.cells["hint"] == "新"


@pytest.mark.parametrize("beside_the_link", [True, False])
def test_a_lock_is_looked_for_at_both_names(
    linked: tuple[WorkbookFile, Path], beside_the_link: bool
) -> None:
    book, theirs = linked
    opened = book.path if beside_the_link else theirs
    opened.with_name(f"~${opened.name}").write_bytes(b"\x03abc")
    assert book.holder() is not None
    with pytest.raises(WorkbookUnavailable) as refused:
        _write(book)
    assert refused.value.code == "held"


def test_a_link_whose_file_is_gone_is_a_missing_file(linked: tuple[WorkbookFile, Path]) -> None:
    book, theirs = linked
    theirs.unlink()
    assert book.fingerprint() is None
    book.make(TABS)
    assert theirs.exists()


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    one.symlink_to(other)
    other.symlink_to(one)
    with pytest.raises(WorkbookRefused):
        WorkbookFile(one).fingerprint()


def test_a_second_name_of_the_file_is_refused_before_it_is_cut_off(tmp_path: Path) -> None:
    book = made(tmp_path / "ours.xlsx", lines=3)
    os.link(book.path, tmp_path / "theirs.xlsx")
    with pytest.raises(WorkbookRefused) as refused:
        _write(book)
    assert refused.value.code == "hard_linked"
    assert book.path.samefile(tmp_path / "theirs.xlsx")


@pytest.mark.parametrize(("path", "code"), [("/proc", "mounted_alone"), ("/proc/self", "busy")])
def test_a_place_that_is_mounted_by_itself_is_told_from_a_busy_one(path: str, code: str) -> None:
    with pytest.raises(WorkbookError) as refused, atomic_replace._writing(Path(path)):
        raise OSError(errno.EBUSY, "it cannot be replaced")
    assert refused.value.code == code


MOUNTING = ["unshare", "-rm", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh"]
"""What runs a command with a file mounted over another, where a machine lets anybody mount."""
WRITING = """
import sys
from pathlib import Path
from sync.port import WorkbookError
from tests.sync.workbook.test_links import _write
from sync.workbook.adapter import WorkbookFile
try:
    _write(WorkbookFile(Path(sys.argv[1])))
except WorkbookError as error:
    print(error.code)
"""


def _may_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*MOUNTING, folder, folder, "true"], capture_output=True, check=False)
    return done.returncode == 0


if _may_mount():  # elsewhere the test above says the same of a place that is mounted already

    def test_a_file_that_is_mounted_by_itself_stays_as_it_is(tmp_path: Path) -> None:
        source, place = tmp_path / "theirs.xlsx", tmp_path / "投诉 表.xlsx"
        made(source, lines=3)
        place.touch()
        names = str(source), str(place)
        command = [*MOUNTING, *names, sys.executable, "-c", WRITING, str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.split() == ["mounted_alone"], done.stderr
        assert sorted(os.listdir(tmp_path)) == [source.name, place.name]


def test_a_department_that_reaches_its_file_by_a_link_is_read_and_written(
    files: Files, tmp_path: Path
) -> None:
    with files.office() as office:
        number = office.dispatched().number
    files.settle()
    theirs = tmp_path / "department" / "our file.xlsx"
    theirs.parent.mkdir()
    files.path().rename(theirs)
    files.path().symlink_to(theirs)
    files.settle()
    hands = files.hands()
    hands.type(number, handler="2005", outcome=outcome("solved"), answer="换了轴承")
    hands.save(to=theirs)
    files.settle()
    assert files.path().is_symlink()
    assert cells(files.rows()[number], "outcome") == ("已解决",)
    assert files.problems() == []
