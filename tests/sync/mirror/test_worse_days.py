"""Files that cannot be taken in, and files that cannot be written: nothing is lost or invented.

Half sorted, pasted one place off, without its ids; an old copy, a second person, a file held
open for hours, read-only, gone, on a full disk. LibreOffice does what people do.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

import wording
from enums import ProblemKind, Resolution
from sync.mirror.look import LookOutcome
from sync.workbook import locks_and_copies
from tests.sync.bad_day import FIFTH, FIRST, OPEN, SECOND, THIRD, Day, on
from tests.sync.calc import Step, step
from tests.sync.folder import outcome

REPLIED = ["assigned", "replied"]


# ---------------------------------------------------------------- what makes a pass stop


def _half_sorted(day: Day) -> list[Step]:
    """Only the customers and what is right of them are sorted, by their names."""
    range_ = f"{day.letter('customer')}2:{day.letter('body')}7"
    return [on("sort", range=range_, by_field="customer")]


def _slipped(day: Day) -> list[Step]:
    letters = day.letter("customer")
    return [on("copy_paste", range=f"{letters}2:{letters}6", to=f"{letters}3")]


def _vanished(day: Day) -> list[Step]:
    return [on("delete_rows", row=2, count=5)]


def _without_ids(day: Day) -> list[Step]:
    return [step("delete_column", OPEN, column="A")]


def _without_tab(day: Day) -> list[Step]:
    return [step("delete_tab", OPEN)]


def _without_mark(day: Day) -> list[Step]:
    return [step("overwrite", OPEN, cell="A1", value="编号")]


STOPS: dict[str, Callable[[Day], list[Step]]] = {
    "half_sorted": _half_sorted,
    "shifted_paste": _slipped,
    "rows_vanished": _vanished,
    "mark_gone": _without_mark,
    "tab_gone": _without_tab,
}


def stop(day: Day, code: str) -> bytes:
    """Break the file that way with an answer in it, let it be looked at; the broken file."""
    day.edit(*day.answer(place_of_last(day), "写在坏文件里"), *STOPS[code](day))
    broken = day.path.read_bytes()
    assert day.look() is LookOutcome.stopped
    return broken


def place_of_last(day: Day) -> int:
    """The case in the last row, which every way of breaking leaves there."""
    return max(range(6), key=day.line)


@pytest.mark.parametrize("code", STOPS)
def test_a_broken_file_is_left_alone_until_somebody_undoes_it(day: Day, code: str) -> None:
    good, last = day.path.read_bytes(), place_of_last(day)
    broken = stop(day, code)
    assert [day.look(), day.look()] == [LookOutcome.quiet, LookOutcome.quiet]
    assert day.path.read_bytes() == broken
    assert all(day.events(place) == [] for place in range(6))
    (problem,) = day.problems()
    assert (problem.kind, problem.code) == (ProblemKind.structure, code)
    with wording.speaking("zh_Hans_CN", ZoneInfo("UTC")):
        assert "—" not in wording.workbook_problem(problem.code, problem.facts)
    assert len(day.notices("file_problem")) == 1
    day.choose(Resolution.undo, code)
    day.rest()
    assert day.path.read_bytes() == good
    kept = [one for one in day.kept() if one.name != "last.xlsx"]
    assert [one.read_bytes() for one in kept] == [broken]
    assert day.problems() == []
    day.ends_right()
    day.edit(*day.answer(last))
    day.rest()
    assert day.events(last) == REPLIED
    day.ends_right()


@pytest.mark.parametrize("code", ["half_sorted", "shifted_paste", "rows_vanished", "mark_gone"])
def test_a_broken_file_that_is_accepted_is_mended_and_its_answer_taken(day: Day, code: str) -> None:
    last = place_of_last(day)
    stop(day, code)
    day.choose(Resolution.accept, code)
    day.rest()
    assert day.events(last) == REPLIED
    assert all(day.events(place) == [] for place in range(6) if place != last)
    assert day.said(last, "answer") == ("写在坏文件里",)
    assert day.problems() == []
    gone = [place for place in range(6) if place != last] if code == "rows_vanished" else []
    day.ends_right(without_note=gone)


@pytest.mark.parametrize("code", ["tab_gone", "id_gone"])
def test_what_cannot_be_accepted_can_still_be_undone(day: Day, code: str) -> None:
    good = day.path.read_bytes()
    day.edit(*(_without_ids(day) if code == "id_gone" else _without_tab(day)))
    broken = day.path.read_bytes()
    assert day.look() is LookOutcome.stopped
    while day.problems()[0].code != code:
        day.choose(Resolution.accept, day.problems()[0].code)
        day.look()
    day.choose(Resolution.accept, code)
    assert [day.look() for _ in range(3)][-1] is LookOutcome.quiet
    assert day.path.read_bytes() == broken
    (problem,) = day.problems()
    assert (problem.code, problem.choice) == (code, None)
    day.choose(Resolution.undo, code)
    day.rest()
    assert day.path.read_bytes() == good
    day.ends_right()


def test_what_was_accepted_and_refused_does_not_stop_the_next_pass(day: Day) -> None:
    """Confirmed answers were sorted alone: nobody may change them, so they wait for a decision."""
    *places, other = sorted(range(6), key=day.line)[:4]
    for place, text in zip(places, ("乙", "丙", "甲"), strict=True):
        day.edit(*day.answer(place, text))
    day.rest()
    for place in places:
        day.confirm(place)
    day.rest()
    column = day.letter("answer")
    day.edit(on("sort", range=f"{column}2:{column}4", by_field="answer"))
    assert day.look() is LookOutcome.stopped
    day.choose(Resolution.accept, "half_sorted")
    day.rest()
    refused = [one.theirs for one in day.problems(ProblemKind.refused)]
    assert sorted(map(str, refused)) == sorted("甲乙丙")
    day.edit(on("type", row=day.numbers[other], field="progress", text="在查"))
    day.rest()
    assert day.problems(ProblemKind.structure) == []
    assert day.events(other) == ["progressed"]
    assert [day.events(place) for place in places] == [[*REPLIED, "confirmed"]] * 3
    day.ends_right(untouched=[(place, "answer") for place in places])


def test_a_half_sorting_taken_back_in_the_program_ends_the_stop(day: Day) -> None:
    last = place_of_last(day)
    with day.open() as book:
        book.do(*day.answer(last), *_half_sorted(day))
        book.save()
        day.saved()
        assert day.look() is LookOutcome.stopped
        book.do(step("undo", OPEN))
        book.save()
        day.saved()
    day.rest()
    assert day.problems() == []
    assert day.events(last) == REPLIED
    day.ends_right()


# ---------------------------------------------------------------- old copies, other people


def test_a_copy_of_this_morning_saved_in_the_evening_reverts_nothing(
    day: Day, tmp_path: Path
) -> None:
    morning = shutil.copyfile(day.path, tmp_path / "morning.xlsx")
    day.edit(*day.answer(FIRST, "上午的回复"), *day.answer(SECOND))
    day.rest()
    day.confirm(FIRST)
    day.rest()
    day.files.tick(6 * 3600)
    os.replace(morning, day.path)
    day.edit(*day.answer(FIFTH, "傍晚的回复"))
    day.rest()
    assert day.events(FIRST) == [*REPLIED, "confirmed"]
    assert day.events(SECOND) == day.events(FIFTH) == REPLIED
    assert day.said(FIRST, "answer") == ("上午的回复",)
    assert day.problems() == []
    day.ends_right()


def test_an_older_file_put_in_place_is_brought_up_to_date(day: Day, tmp_path: Path) -> None:
    older = shutil.copyfile(day.path, tmp_path / "older.xlsx")
    day.edit(*day.answer(FIRST, "甲"))
    day.rest()
    day.edit(on("type", row=day.numbers[FIRST], field="answer", text="乙"))
    day.rest()
    os.replace(older, day.path)
    day.rest()
    assert day.events(FIRST) == [*REPLIED, "corrected"]
    assert day.said(FIRST, "answer") == ("乙",)
    assert day.problems() == []
    day.ends_right()


def test_two_people_save_in_the_same_second(day: Day) -> None:
    """The second one has had the file open all the time, in a program that minds no lock."""
    second = day.files.hands()
    day.edit(*day.answer(FIRST, "第一个人"))
    saved = day.files.now
    assert [day.look(), day.look()] == [LookOutcome.read, LookOutcome.wrote]
    second.type(day.numbers[THIRD], progress="第二个人")
    second.save(at=saved)
    day.rest()
    assert day.events(FIRST) == REPLIED
    assert day.events(THIRD) == ["progressed"]
    assert day.said(FIRST, "answer") == ("第一个人",)
    assert day.problems() == []
    day.ends_right()


def test_a_second_person_changes_the_same_cell_and_somebody_decides(day: Day) -> None:
    second = day.files.hands()
    day.edit(*day.answer(FIRST, "第一个人"))
    day.rest()
    second.type(day.numbers[FIRST], handler="2005", outcome=outcome("solved"), answer="第二个人")
    second.save()
    day.rest()
    said = day.said(FIRST, "answer")[0], [one.theirs for one in day.problems()]
    assert "第二个人" in str(said), "what somebody typed is gone"
    assert day.events(FIRST)[:2] == REPLIED
    day.stays()


# ---------------------------------------------------------------- open for hours


def test_a_file_open_for_hours_is_read_and_written_when_it_is_closed(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(time=lambda: day.files.now.timestamp())
    monkeypatch.setattr(locks_and_copies, "time", clock)
    with day.open() as book:
        book.do(*day.answer(FIRST))
        book.save()
        saved = day.saved()
        content = day.path.read_bytes()
        assert [day.look(), day.look()] == [LookOutcome.read, LookOutcome.held]
        assert day.events(FIRST) == REPLIED
        assert day.case(FIRST).replied_at == saved
        day.confirm(FIRST)
        assert day.look() is LookOutcome.held
        assert day.notices("file_held") == []
        for _ in range(4):
            day.files.tick(3600)
            assert day.look() is LookOutcome.held
        (notice,) = day.notices("file_held")
        assert (notice.facts["who"], notice.facts["minutes"]) == ("SALES", 60)
        assert day.path.read_bytes() == content
        book.do(*day.answer(SECOND))
        book.save()
        day.saved()
        day.look()
        day.look()
        assert day.events(SECOND) == REPLIED
    assert day.rest()[0] is LookOutcome.wrote
    assert day.events(FIRST) == [*REPLIED, "confirmed"]
    assert "已采用" in day.hint(SECOND)
    assert len(day.notices("file_held")) == 1
    assert day.problems() == []
    day.ends_right()


# ---------------------------------------------------------------- gone


def test_a_deleted_file_comes_back_as_it_was_last_seen(day: Day) -> None:
    day.edit(*day.answer(FIRST), on("colour", row=day.numbers[FIRST], field="answer", rgb="FFCC00"))
    day.rest()
    content = day.path.read_bytes()
    day.path.unlink()
    with day.files.office() as office:
        complaint = office.dispatched(subject="新来的", body="新来的")
        office.session.flush()
        number = complaint.number
    assert day.look() is LookOutcome.read
    assert not day.path.exists(), "a program that is saving may have taken it away for a moment"
    assert day.rest() == [LookOutcome.wrote, LookOutcome.quiet]
    assert number in day.column("number")
    assert day.events(FIRST) == REPLIED
    coloured = day.sheet()[f"{day.letter('answer')}{day.line(FIRST)}"]
    assert coloured.fill.fgColor.rgb == "FFFFCC00"
    assert content != day.path.read_bytes()
    day.ends_right()


def test_a_program_that_takes_the_file_away_to_save_it_is_not_disturbed(day: Day) -> None:
    away = day.path.with_name("~saving.tmp")
    day.calc.edit(day.path, day.answer(SECOND))
    os.rename(day.path, away)
    assert day.look() is LookOutcome.read
    assert not day.path.exists()
    os.rename(away, day.path)
    day.saved()
    day.rest()
    assert day.events(SECOND) == REPLIED
    day.ends_right()


# ---------------------------------------------------------------- not to be written


def test_a_read_only_file_is_taken_in_and_written_when_it_may_be(day: Day) -> None:
    day.edit(*day.answer(FIRST))
    day.path.chmod(0o444)
    content = day.path.read_bytes()
    assert [day.look() for _ in range(4)] == [LookOutcome.read, *[LookOutcome.failed] * 3]
    refused_meanwhile(day, "not_writable")
    assert day.path.read_bytes() == content
    day.path.chmod(0o644)
    written_afterwards(day)


def test_a_read_only_folder_is_taken_in_and_written_when_it_may_be(day: Day) -> None:
    day.edit(*day.answer(FIRST))
    content = day.path.read_bytes()
    with read_only(day.path.parent):
        assert [day.look() for _ in range(4)] == [LookOutcome.read, *[LookOutcome.failed] * 3]
        refused_meanwhile(day, "not_writable")
        assert day.path.read_bytes() == content
    written_afterwards(day)


@pytest.mark.parametrize("why", ["disk", "limit"])
def test_without_room_it_is_told_once_and_written_when_there_is_some(day: Day, why: str) -> None:
    with small_disk(day) if why == "disk" else small_limit(day) as full:
        day.edit(*day.answer(FIRST))
        with full():
            content = day.path.read_bytes()
            assert [day.look() for _ in range(4)][1:] == [LookOutcome.failed] * 3
            refused_meanwhile(day, "disk_full")
            assert day.path.read_bytes() == content
            there = {one.name for one in day.path.parent.iterdir()} - {"holiday.mp4"}
            assert there == {"after_sales.xlsx"}
        written_afterwards(day)


def refused_meanwhile(day: Day, code: str) -> None:
    """The answer was taken all the same, once, and the administrator was told once."""
    assert day.events(FIRST) == REPLIED
    (problem,) = day.problems()
    assert (problem.kind, problem.code) == (ProblemKind.file, code)
    assert len(day.notices("file_problem")) == 1


def written_afterwards(day: Day) -> None:
    assert day.rest() == [LookOutcome.wrote, LookOutcome.quiet]
    assert day.problems() == []
    assert day.events(FIRST) == REPLIED
    assert "已采用" in day.hint(FIRST)
    day.ends_right()


CAP_DAC_OVERRIDE = 1 << 1  # what lets root write where it may not


class _Capabilities(ctypes.Structure):
    """Of the calling thread, as capget(2) has them in version 3."""

    _fields_ = [(name, ctypes.c_uint32 * 3) for name in ("low", "high")]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write in a folder, root no more than anybody else."""
    folder.chmod(0o555)
    with as_anybody():
        with pytest.raises(PermissionError):
            (folder / "x").touch()
        yield
    folder.chmod(0o755)


@contextmanager
def as_anybody() -> Iterator[None]:
    """Without the right of root to pass over permissions."""
    libc = ctypes.CDLL(None, use_errno=True)
    header_ = (ctypes.c_uint32 * 2)(0x20080522, 0)
    mine = _Capabilities()
    assert libc.capget(header_, ctypes.byref(mine)) == 0
    all_ = mine.low[0]
    mine.low[0] &= ~CAP_DAC_OVERRIDE
    assert libc.capset(header_, ctypes.byref(mine)) == 0
    yield
    mine.low[0] = all_
    assert libc.capset(header_, ctypes.byref(mine)) == 0


@contextmanager
def small_disk(day: Day) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """The file on a small disk of its own; what is yielded leaves no room on it for a while.

    Where nothing may be mounted, the process may write no file as large as this one instead.
    """
    folder, content = day.path.parent, day.path.read_bytes()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode != 0:
        with small_limit(day) as full:
            yield full
        return
    try:
        day.path.write_bytes(content)
        day.rest()
        yield lambda: filled(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def small_limit(day: Day) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """What is yielded lets this process write no file as large as the workbook for a while."""
    yield lambda: limited(day.path)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """A folder's disk without room for another byte."""
    filler = folder / "holiday.mp4"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)
    yield
    filler.unlink()


@contextmanager
def limited(path: Path) -> Iterator[None]:
    """A large picture in the file, and a process that may not write so much."""
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("xl/media/photo.jpeg", os.urandom(16 << 20))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
