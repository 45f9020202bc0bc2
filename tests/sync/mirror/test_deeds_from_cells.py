"""What people type into a case's row becomes deeds: which, when, and what is said back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from database import reading
from enums import CellDeed, ProblemKind
from models import Complaint, Journal
from policy.vocabulary.status import ActorKind, Status
from services.cases import sweep
from services.company import people
from sync.mirror.look import LookOutcome
from tests.company import at
from tests.sync.folder import Files, cells, header, outcome

SOLVED: dict[str, Any] = {"handler": "2005", "outcome": outcome("solved"), "answer": "换了轴承"}
WISH: dict[str, Any] = {
    "handler": "2005",
    "outcome": outcome("extension"),
    "until_reason": "等配件",
}


def begun(files: Files, **said: Any) -> str:
    """A case that stands in the file of after-sales."""
    with files.office() as office:
        number = office.dispatched(**said).number
    files.settle()
    return number


def type_in(files: Files, number: str, *, after: float = 60, **said: Any) -> list[LookOutcome]:
    """Type into a row, save after so many seconds, and let the mirror look until it rests."""
    hands = files.hands()
    hands.type(number, **said)
    files.tick(after)
    hands.save()
    return files.settle()


def hint(files: Files, number: str) -> str:
    return files.rows()[number].get(header("hint"), "")


@contextmanager
def record(files: Files, number: str) -> Iterator[Complaint]:
    """The case as the record has it."""
    with reading(files.engine) as session:
        yield session.scalars(sa.select(Complaint).filter_by(number=number)).one()


def journal(files: Files, number: str, *events: str) -> list[Journal]:
    """What the department's sheet did about a case; only these events, where some are named."""
    with reading(files.engine) as session:
        rows = (
            sa.select(Journal)
            .join(Complaint, Complaint.id == Journal.complaint_id)
            .where(Complaint.number == number, Journal.actor == ActorKind.sheet)
            .order_by(Journal.seq)
        )
        return [row for row in session.scalars(rows) if not events or row.event in events]


def names(files: Files, number: str) -> list[str]:
    return [row.event for row in journal(files, number)]


# ---------------------------------------------------------------- complete answers

ANSWERS: list[tuple[dict[str, str], list[str], Status, dict[str, str]]] = [
    (SOLVED, ["assigned", "replied"], Status.replied, {"outcome": "solved", "text": "换了轴承"}),
    (
        {**SOLVED, "outcome": outcome("raise_to_gm")},
        ["assigned", "replied"],
        Status.replied,
        {"outcome": "raise_to_gm", "text": "换了轴承"},
    ),
    (
        {**WISH, "until": "2026-10-12 17:00"},
        ["assigned", "replied"],
        Status.replied,
        {"outcome": "extension", "text": "等配件"},
    ),
    (
        {"outcome": outcome("returned"), "answer": "属销售部"},
        ["returned"],
        Status.returned,
        {"reason": "属销售部"},
    ),
]


@pytest.mark.parametrize(
    ("said", "events", "status", "facts"),
    ANSWERS,
    ids=["solved", "raised to the general manager", "more time", "returned"],
)
def test_a_complete_answer_is_done_once(
    files: Files,
    said: dict[str, Any],
    events: list[str],
    status: Status,
    facts: dict[str, Any],
) -> None:
    number = begun(files)
    looks = type_in(files, number, **said)
    assert looks[:2] == [LookOutcome.read, LookOutcome.wrote]
    assert names(files, number) == events
    last = journal(files, number)[-1]
    assert {name: last.data[name] for name in facts} == facts
    with record(files, number) as case:
        assert case.status is status
    if status is Status.replied:
        assert "已采用" in hint(files, number)
        assert cells(files.rows()[number], "next_step") == ("总监确认（点案号）",)


MISSING = [
    (SOLVED, ("handler", "answer")),
    ({**SOLVED, "outcome": outcome("raise_to_gm")}, ("handler", "answer")),
    ({**WISH, "until": "2026-10-12 17:00"}, ("handler", "until", "until_reason")),
    ({"outcome": outcome("returned"), "answer": "属销售部"}, ("answer",)),
]


def test_an_incomplete_answer_waits_and_says_what_it_waits_for(files: Files) -> None:
    with files.office() as office:
        numbers = [office.dispatched().number for _ in MISSING]
    files.settle()
    hands = files.hands()
    for number, (said, _needed) in zip(numbers, MISSING, strict=True):
        hands.type(number, outcome=said["outcome"])
    files.tick(60)
    hands.save()
    files.settle()
    for number, (said, needed) in zip(numbers, MISSING, strict=True):
        assert hint(files, number) == "尚未提交，还缺：" + "、".join(map(header, needed))
        assert names(files, number) == []
        assert cells(files.rows()[number], "outcome") == (said["outcome"],)
    hands = files.hands()
    for number, (said, needed) in zip(numbers, MISSING, strict=True):
        hands.type(number, **{name: said[name] for name in needed})
    files.tick(60)
    hands.save()
    files.settle()
    assert [names(files, number)[-1] for number in numbers] == [
        "replied",
        "replied",
        "replied",
        "returned",
    ]


def test_an_explanation_without_a_result_waits_for_the_result(files: Files) -> None:
    number = begun(files)
    type_in(files, number, handler="2005", answer="换了轴承")
    assert names(files, number) == ["assigned"]
    assert header("outcome") in hint(files, number)


def test_what_is_still_being_typed_is_left_alone_for_a_look(files: Files) -> None:
    number = begun(files)
    for text in ("换", "换了轴", "换了轴承"):
        hands = files.hands()
        hands.type(number, **{**SOLVED, "answer": text})
        files.tick(8)
        hands.save()
        # Who handles it stands unchanged from the second look on, the answer does not.
        assert files.look() in (LookOutcome.read, LookOutcome.wrote)
        assert journal(files, number, "replied") == []
    files.settle()
    assert [row.data["text"] for row in journal(files, number, "replied")] == ["换了轴承"]


# ---------------------------------------------------------------- corrections


def test_an_answer_changed_before_the_next_step_is_corrected(files: Files) -> None:
    number = begun(files)
    type_in(files, number, **SOLVED)
    type_in(files, number, answer="换了轴承并试车")
    assert names(files, number) == ["assigned", "replied", "corrected"]
    assert "已更正" in hint(files, number)
    with record(files, number) as case:
        assert case.status is Status.replied
    assert cells(files.rows()[number], "answer", "outcome") == ("换了轴承并试车", "已解决")


def test_an_answer_changed_after_the_next_step_is_refused_and_stays_in_its_cell(
    files: Files,
) -> None:
    number = begun(files)
    type_in(files, number, **SOLVED)
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        files.tick(60)
        office.confirm(case, files.now)
    files.settle()
    type_in(files, number, answer="其实没有换")
    assert names(files, number) == ["assigned", "replied"]
    assert "未采用" in hint(files, number)
    assert cells(files.rows()[number], "answer") == ("其实没有换",)
    (problem,) = files.problems()
    assert (problem.kind, problem.field, problem.theirs) == (
        ProblemKind.refused,
        "answer",
        "其实没有换",
    )
    before = len(files.changes())
    files.tick(4000)  # also the look that compares every row
    files.settle()
    assert len(files.changes()) == before
    assert len(files.problems()) == 1


def test_every_change_of_the_progress_is_kept(files: Files) -> None:
    number = begun(files)
    for text in ("已联系", "已到店", "已换件"):
        type_in(files, number, progress=text)
    assert [row.data["text"] for row in journal(files, number, "progressed")] == [
        "已联系",
        "已到店",
        "已换件",
    ]


@pytest.mark.parametrize("name", ["progress", "handler", "contacted_at"])
def test_what_was_taken_cannot_be_emptied(files: Files, name: str) -> None:
    number = begun(files)
    said = {"progress": "已联系", "handler": "2005", "contacted_at": "2026-09-28 10:05"}
    cell: dict[str, Any] = {name: said[name]}
    type_in(files, number, **cell)
    before, done = cells(files.rows()[number], name), names(files, number)
    assert before != ("",)
    cell[name] = None
    type_in(files, number, **cell)
    assert cells(files.rows()[number], name) == before
    assert names(files, number) == done
    assert "已还原" in hint(files, number)
    assert header(name) in hint(files, number)


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    "spelled",
    [dt.datetime(2026, 10, 12, 17), "2026-10-12 17:00", "10月12日", "２０２６／１０／１２"],
)
def test_more_time_is_understood_however_it_is_spelled(files: Files, spelled: Any) -> None:
    number = begun(files)
    type_in(files, number, **WISH, until=spelled)
    (reply,) = journal(files, number, "replied")
    assert dt.datetime.fromisoformat(reply.data["until"]) == at(10, 12, 17)
    assert cells(files.rows()[number], "until") == ("2026-10-12 17:00",)


def test_a_time_typed_since_the_last_look_counts(files: Files) -> None:
    number = begun(files)
    files.tick(1800)
    stated = files.now - dt.timedelta(minutes=10)
    stated = stated.replace(second=0)
    type_in(files, number, contacted_at=stated.replace(tzinfo=None), after=0)
    (contact,) = journal(files, number, "contacted")
    assert contact.happened_at == stated
    assert "text" not in contact.data


@pytest.mark.parametrize("stated", ["2026-09-28 10:01", "昨天 10:00"])
def test_a_time_from_before_the_last_look_is_kept_and_does_not_count(
    files: Files, stated: str
) -> None:
    number = begun(files)
    files.tick(1800)
    saved = files.now + dt.timedelta(seconds=60)
    type_in(files, number, contacted_at=stated)
    (contact,) = journal(files, number, "contacted")
    assert contact.happened_at == saved
    assert "10:0" in contact.data["text"]
    assert "已采用" in hint(files, number)


@pytest.mark.parametrize(
    ("saved", "happened"),
    [
        (at(9, 28, 8), "since"),  # a clock of another machine that is slow
        (at(9, 28, 10, 20), "saved"),
        (at(9, 28, 23), "now"),  # and one that is fast
    ],
)
def test_a_deed_happened_when_the_file_was_saved_between_two_looks(
    files: Files, saved: dt.datetime, happened: str
) -> None:
    number = begun(files)
    since = files.now
    files.now = at(9, 28, 10, 30)
    hands = files.hands()
    hands.type(number, progress="已联系")
    hands.save(at=saved)
    seen = files.now + dt.timedelta(seconds=8)
    files.settle()
    (progress,) = journal(files, number, "progressed")
    assert progress.happened_at == {"since": since, "saved": saved, "now": seen}[happened]
    assert progress.recorded_at == seen + dt.timedelta(seconds=8)


# ---------------------------------------------------------------- a clock the sheet can meet

DUE = at(9, 28, 9, 30)
"""When the first contact with the customer of `hurried` must have been."""


def hurried(files: Files) -> str:
    """A CSC case in the file at six past nine."""
    files.now = at(9, 28, 9, 6)
    with files.office() as office:
        case = office.registered(channel="csc", now=at(9, 28, 9, 2))
        office.dispatch(case, at(9, 28, 9, 5))
        number = case.number
    files.settle()
    return number


def swept(files: Files, number: str) -> list[Any]:
    """The breaches of the first contact after a sweep now."""
    with files.office() as office:
        sweep.pass_time(office.session, number, now=files.now)
    with record(files, number) as case:
        (clock,) = [one for one in case.deadlines if one.key == "csc_contact"]
        return list(clock.breaches)


def test_an_outage_of_ours_makes_nobody_late(files: Files) -> None:
    number = hurried(files)
    hands = files.hands()
    hands.type(number, contacted_at="2026-09-28 09:18")
    files.now = at(9, 28, 9, 20)
    hands.save()
    files.now = at(9, 28, 11, 20)
    assert swept(files, number) == []
    files.settle()
    with record(files, number) as case:
        assert case.contacted_at == at(9, 28, 9, 18)
    assert swept(files, number) == []


def test_an_earlier_time_typed_afterwards_is_not_in_time(files: Files) -> None:
    number = hurried(files)
    for minute in (20, 40):
        files.now = at(9, 28, 9, minute)
        files.settle()
    type_in(files, number, contacted_at="2026-09-28 09:10")
    with record(files, number) as case:
        assert case.contacted_at is not None
        assert case.contacted_at > DUE
    assert len(swept(files, number)) == 1


def test_a_clock_a_sheet_can_meet_waits_for_a_look_after_its_end(files: Files) -> None:
    number = hurried(files)
    files.now = at(9, 28, 9, 29)
    files.settle()
    files.now = at(9, 28, 9, 35)
    assert swept(files, number) == []
    files.look()
    (breach,) = swept(files, number)
    assert breach.breached_at == DUE


def test_what_was_typed_in_time_counts_although_a_sweep_came_first(files: Files) -> None:
    number = hurried(files)
    files.now = at(9, 28, 9, 28)
    files.settle()
    hands = files.hands()
    hands.type(number, contacted_at="2026-09-28 09:29")
    files.now = at(9, 28, 9, 29)
    hands.save()
    files.now = at(9, 28, 9, 31)
    assert swept(files, number) == []
    files.look()
    assert names(files, number) == []
    files.tick(30)
    assert swept(files, number) == [], "the contact waits in the file for a second look"
    files.settle()
    assert swept(files, number) == []


# ---------------------------------------------------------------- people


@pytest.mark.parametrize("said", ["3002", "salesman", "salesman (3002)", "没有这个人"])
def test_only_somebody_of_the_department_handles_its_case(files: Files, said: str) -> None:
    number = begun(files)
    type_in(files, number, handler=said)
    assert names(files, number) == []
    assert "未采用" in hint(files, number)
    assert cells(files.rows()[number], "handler") == (said,)


def test_a_name_that_two_people_share_asks_for_the_number(files: Files) -> None:
    with files.office() as office:
        people.add_employee(
            office.session,
            number="2007",
            name="mechanic",
            department=office.department("after_sales"),
        )
    number = begun(files)
    type_in(files, number, handler="mechanic")
    assert names(files, number) == []
    assert "工号" in hint(files, number)
    type_in(files, number, handler="mechanic 2007")
    assert names(files, number) == ["assigned"]
    assert cells(files.rows()[number], "handler") == ("mechanic (2007)",)
    assert files.problems() == []


# ---------------------------------------------------------------- every input is answered

INPUTS: list[tuple[str, Any, str]] = [
    ("handler", "2005", "已采用"),
    ("contacted_at", "2026-09-28 10:06", "已采用"),
    ("progress", "已联系", "已采用"),
    ("outcome", outcome("solved"), "还缺"),
    ("answer", "换了轴承", "还缺"),
    ("until", "2026-10-12 17:00", "还缺"),
    ("until_reason", "等配件", "还缺"),
    ("customer", "别的客户", "已还原"),
    ("body", "别的内容", "已还原"),
    ("due_at", "2026-12-31 17:00", "已还原"),
    ("next_step", "完成", "已还原"),
    ("handler", "没有这个人", "未采用"),
    ("contacted_at", "刚才", "未采用"),
    ("contacted_at", "2027-01-01 10:00", "未采用"),
    ("outcome", "大概好了", "未采用"),
    ("until", "03/04/2026", "未采用"),
    ("progress", "=1+1", "未采用"),
    ("progress", "长" * 25_000, "未采用"),
]


def test_every_input_is_answered_in_its_row(files: Files) -> None:
    with files.office() as office:
        numbers = [office.dispatched().number for _ in INPUTS]
    files.settle()
    hands = files.hands()
    for number, (name, said, _answer) in zip(numbers, INPUTS, strict=True):
        hands.type(number, **{name: said})
    files.tick(60)
    hands.save()
    files.settle()
    silent = {}
    for number, (name, said, answer) in zip(numbers, INPUTS, strict=True):
        if answer not in hint(files, number):
            silent[name, str(said)[:20]] = hint(files, number)
    assert silent == {}
    done = {change.what for change in files.changes()}
    assert {CellDeed.taken, CellDeed.put_back, CellDeed.refused} <= done
    assert files.look() is LookOutcome.quiet


def test_a_word_over_the_answer_of_the_system_is_put_back_without_a_word(files: Files) -> None:
    number = begun(files)
    type_in(files, number, progress="已联系")
    said = hint(files, number)
    type_in(files, number, hint="改掉")
    assert hint(files, number) == said


def test_a_second_look_does_nothing_again(files: Files) -> None:
    number = begun(files)
    type_in(files, number, **SOLVED, progress="已联系", contacted_at="2026-09-28 10:06")
    done, written = names(files, number), files.path().read_bytes()
    assert sorted(done) == ["assigned", "contacted", "progressed", "replied"]
    for seconds in (8, 600, 4000):
        files.tick(seconds)
        assert files.look() is not LookOutcome.wrote
    assert names(files, number) == done
    assert files.path().read_bytes() == written


def test_both_texts_of_an_answer_change_together(files: Files) -> None:
    number = begun(files)
    type_in(files, number, **SOLVED)
    type_in(files, number, outcome=outcome("raise_to_gm"), answer="客户要求退车")
    corrected = journal(files, number, "corrected")
    assert [row.data["changes"]["outcome"] for row in corrected] == ["raise_to_gm"]
    assert cells(files.rows()[number], "outcome", "answer") == (
        outcome("raise_to_gm"),
        "客户要求退车",
    )


def test_the_department_names_another_handler_until_it_has_answered(files: Files) -> None:
    number = begun(files)
    type_in(files, number, handler="2005")
    type_in(files, number, handler="2006")
    assert cells(files.rows()[number], "handler") == ("colleague (2006)",)
    type_in(files, number, outcome=outcome("solved"), answer="换了轴承")
    type_in(files, number, handler="2005")
    assert names(files, number) == ["assigned", "assigned", "replied"]
    assert "未采用" in hint(files, number)
    with record(files, number) as case:
        assert case.handler is not None
        assert case.handler.number == "2006"
