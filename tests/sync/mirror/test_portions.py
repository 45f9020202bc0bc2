"""A big paste is taken in portions: nobody waits long for the record, and nothing is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from database import reading, writing
from enums import CellDeed, ProblemKind, Resolution
from models import Complaint, WorkbookLook, WorkbookProblem
from services.workbooks import resolutions
from sync.mirror.look import LookOutcome
from sync.mirror.merge import portion
from sync.mirror.merge.portion import LEAST_DEEDS, MOST_DEEDS, MOST_ROWS
from tests.sync.folder import AFTER_SALES, Files, outcome

PASTED = 600


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine so fast that only the number of deeds counts."""
    monkeypatch.setattr(portion, "LONGEST_S", 3600.0)


def _paste(files: Files, count: int) -> list[str]:
    """Somebody pastes an old list below the table."""
    stories = [f"旧表第{number}件：空调不制冷" for number in range(count)]
    hands = files.hands()
    for number, story in enumerate(stories):
        hands.add_row(customer=f"客户{number}", body=story)
    hands.save()
    return stories


def _taken(files: Files) -> list[int]:
    """How many deeds each look did."""
    with reading(files.engine) as session:
        looks = session.scalars(sa.select(WorkbookLook).order_by(WorkbookLook.number))
        return [look.counts.get("taken", 0) for look in looks]


def _stories(files: Files) -> Counter[str]:
    with reading(files.engine) as session:
        return Counter(session.scalars(sa.select(Complaint.body)))


def test_600_typed_rows_become_600_cases_50_at_a_time(
    files: Files, unhurried: None, record_property: Callable[[str, object], None]
) -> None:
    files.settle()
    stories = _paste(files, PASTED)
    seen = files.settle(most=PASTED // MOST_DEEDS + 4)
    assert seen[0] is LookOutcome.read, "they stand for a look first"
    assert max(_taken(files)) == MOST_DEEDS
    assert sum(_taken(files)) == PASTED
    assert _stories(files) == Counter(stories), "nothing lost, nothing twice"
    numbers = files.rows()
    assert len(numbers) == PASTED
    assert files.problems() == []
    record_property("told", f"{PASTED} pasted rows in {len(seen)} looks of at most {MOST_DEEDS}")


def test_no_transaction_of_a_paste_holds_the_record_for_long(
    files: Files, record_property: Callable[[str, object], None]
) -> None:
    files.settle()
    stories = _paste(files, 60)
    held: list[float] = []

    @contextmanager
    def timed() -> Iterator[Session]:
        with writing(files.engine) as session:
            began = time.monotonic()
            yield session
        held.append(time.monotonic() - began)

    for _ in range(40):
        files.tick()
        mirror = files.mirror()
        mirror.writing = timed
        if mirror.look() is LookOutcome.quiet:
            break
    assert _stories(files) == Counter(stories)
    record_property("told", f"60 pasted rows: the record was held {max(held):.2f} s at most")


def test_a_slow_machine_takes_fewer_at_a_time_and_gets_on(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portion, "LONGEST_S", -1.0)
    files.settle()
    stories = _paste(files, 3 * LEAST_DEEDS)
    files.settle(most=12)
    assert [count for count in _taken(files) if count] == [LEAST_DEEDS] * 3
    assert _stories(files) == Counter(stories)


def test_answers_to_many_cases_are_taken_in_portions(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portion, "LONGEST_S", -1.0)
    with files.office() as office:
        numbers = [office.dispatched().number for _ in range(8)]
    files.settle()
    hands = files.hands()
    for place, number in enumerate(numbers):
        hands.type(number, handler="2005", outcome=outcome("solved"), answer=f"第{place}个轴承")
    hands.save()
    files.settle(most=12)
    with reading(files.engine) as session:
        cases = session.scalars(sa.select(Complaint)).all()
    assert {case.status.value for case in cases} == {"replied"}
    deeds = Counter(one.pass_number for one in files.changes() if one.field == "answer")
    assert max(deeds.values()) <= LEAST_DEEDS
    assert files.problems() == []


def test_a_file_that_is_held_open_takes_in_a_paste_too(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portion, "LONGEST_S", -1.0)
    files.settle()
    stories = _paste(files, 3 * LEAST_DEEDS)
    lock = files.path().with_name(f"~${files.path().name}")
    lock.write_bytes(b"")
    for _ in range(8):
        files.look()
    assert _stories(files) == Counter(stories)
    lock.unlink()
    files.settle()
    assert _stories(files) == Counter(stories)
    assert len(files.rows()) == len(stories)


def test_a_copy_with_many_rows_is_taken_in_wholly(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portion, "LONGEST_S", -1.0)
    files.settle()
    copy = files.path().with_name(f"{files.path().stem} - 副本.xlsx")
    hands = files.hands()
    stories = [f"写在副本里的第{number}件" for number in range(3 * LEAST_DEEDS)]
    for number, story in enumerate(stories):
        hands.add_row(customer=f"客户{number}", body=story)
    hands.save(to=copy)
    files.look()
    with writing(files.engine) as session:
        problem = session.scalars(
            sa.select(WorkbookProblem).where(WorkbookProblem.kind == ProblemKind.copy)
        ).one()
        resolutions.choose(session, problem, Resolution.sheet, user_id=None, now=files.now)
    files.settle(most=12)
    assert _stories(files) == Counter(stories)
    assert files.problems() == []


def test_many_new_cases_reach_the_file_in_portions(files: Files, unhurried: None) -> None:
    with files.office() as office:
        number = office.dispatched().number
        for _ in range(MOST_ROWS + 20):
            office.dispatched()
    files.settle()
    appended = Counter(
        one.pass_number for one in files.changes(AFTER_SALES) if one.what is CellDeed.appended
    )
    assert max(appended.values()) == MOST_ROWS
    assert len(files.rows()) == MOST_ROWS + 21
    assert number in files.rows()
