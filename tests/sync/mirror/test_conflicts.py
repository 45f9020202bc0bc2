"""Changed on both sides, and old copies of a file: nothing is lost, and a person decides."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
import sqlalchemy as sa

from database import reading
from enums import CellDeed, ProblemKind, Resolution
from models import Complaint, Journal, Workbook
from services.cases import handling
from services.workbooks import resolutions
from sync.mirror.look import LookOutcome
from sync.mirror.state import KEPT_LOOKS
from tests.sync.folder import Files, Hands, cells, header


@pytest.fixture
def number(files: Files) -> str:
    """A case that stands in the file."""
    with files.office() as office:
        found = office.dispatched().number
    files.settle()
    return found


def assign(files: Files, number: str, handler: str) -> None:
    """The director says on the page who handles it."""
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        by = office.by("director")
        handling.assign(office.session, case, handler=handler, actor=by, now=files.now)


def save(files: Files, hands: Hands, number: str, **said: str) -> None:
    hands.type(number, **said)
    files.tick(60)
    hands.save()


def choose(files: Files, choice: Resolution) -> None:
    """An administrator decides about the one problem there is."""
    (problem,) = files.problems()
    with files.office() as office:
        found = office.session.merge(problem, load=True)
        resolutions.choose(office.session, found, choice, user_id=None, now=files.now)


def events(files: Files, number: str, event: str) -> list[str]:
    """Who was named, or what was told, by the events of a sort."""
    with reading(files.engine) as session:
        rows = session.scalars(
            sa.select(Journal)
            .join(Complaint, Complaint.id == Journal.complaint_id)
            .where(Complaint.number == number, Journal.event == event)
            .order_by(Journal.seq)
        )
        return [str(row.data.get("handler") or row.data.get("text")) for row in rows]


def shown(files: Files, number: str, name: str) -> str:
    return cells(files.rows()[number], name)[0]


def disputed(files: Files, number: str) -> None:
    """The page says one handler and the file another, each without knowing of the other."""
    hands = files.hands()
    assign(files, number, "2006")
    save(files, hands, number, handler="2005")
    files.settle()


def test_what_changed_on_both_sides_is_frozen_and_told(files: Files, number: str) -> None:
    disputed(files, number)
    assert shown(files, number, "handler") == "2005"
    assert events(files, number, "assigned") == ["2006"]
    (problem,) = files.problems()
    assert (problem.kind, problem.field) == (ProblemKind.conflict, "handler")
    assert (problem.base, problem.ours, problem.theirs) == (
        None,
        "colleague (2006)",
        "mechanic (2005)",
    )
    assert header("handler") in shown(files, number, "hint")
    assert "两边" in shown(files, number, "hint")
    assert files.look() is LookOutcome.quiet


def test_a_frozen_cell_stays_frozen_while_both_sides_go_on(files: Files, number: str) -> None:
    disputed(files, number)
    assign(files, number, "2002")
    files.settle()
    assert shown(files, number, "handler") == "2005"
    (problem,) = files.problems()
    assert problem.ours == "manager (2002)"
    hands = files.hands()
    save(files, hands, number, handler="director", progress="已联系")
    files.settle()
    assert shown(files, number, "handler") == "director"
    assert events(files, number, "progressed") == ["已联系"], "the rest of the row goes on"
    (problem,) = files.problems()
    assert problem.theirs == "director (2001)"


@pytest.mark.parametrize(
    ("choice", "handler", "assigned"),
    [
        (Resolution.record, "colleague (2006)", ["2006"]),
        (Resolution.sheet, "mechanic (2005)", ["2006", "2005"]),
        (Resolution.seen, "2005", ["2006"]),
    ],
)
def test_a_person_decides(
    files: Files, number: str, choice: Resolution, handler: str, assigned: list[str]
) -> None:
    disputed(files, number)
    choose(files, choice)
    files.settle()
    assert shown(files, number, "handler") == handler
    assert events(files, number, "assigned") == assigned
    assert files.problems() == []
    files.tick(4000)
    files.settle()
    assert files.problems() == []
    assert events(files, number, "assigned") == assigned


@pytest.mark.parametrize("choice", [Resolution.record, Resolution.sheet, Resolution.seen])
def test_a_person_decides_about_what_was_refused(
    files: Files, number: str, choice: Resolution
) -> None:
    save(files, files.hands(), number, handler="没有这个人")
    files.settle()
    (problem,) = files.problems()
    assert problem.kind is ProblemKind.refused
    choose(files, choice)
    files.settle()
    left = [problem.field for problem in files.problems()]
    if choice is Resolution.sheet:
        assert left == ["handler"], "a name that nobody has cannot be forced"
    else:
        assert left == []
    assert shown(files, number, "handler") == ("" if choice is Resolution.record else "没有这个人")
    assert events(files, number, "assigned") == []


def test_a_conflict_that_goes_away_by_itself_is_over(files: Files, number: str) -> None:
    disputed(files, number)
    assign(files, number, "2005")
    files.settle()
    assert shown(files, number, "handler") in ("2005", "mechanic (2005)")
    assert files.problems() == []


# ---------------------------------------------------------------- old copies


def test_a_copy_from_before_reverts_nothing_and_its_new_words_are_taken(
    files: Files, number: str
) -> None:
    old = files.hands()
    save(files, files.hands(), number, progress="已联系")
    files.settle()
    save(files, old, number, answer="换了轴承", outcome="已解决", handler="2005")
    files.settle()
    assert cells(files.rows()[number], "progress", "answer") == ("已联系", "换了轴承")
    assert events(files, number, "progressed") == ["已联系"]
    assert events(files, number, "replied") == ["换了轴承"]
    assert files.problems() == []


def test_a_copy_from_in_between_does_not_bring_its_words_back(files: Files, number: str) -> None:
    save(files, files.hands(), number, progress="第一步")
    files.settle()
    hands = files.hands()
    old = files.hands()
    save(files, hands, number, progress="第二步")
    files.settle()
    save(files, files.hands(), number, progress="第三步")
    files.settle()
    files.tick(60)
    old.save()
    files.settle()
    assert shown(files, number, "progress") == "第三步"
    assert events(files, number, "progressed") == ["第一步", "第二步", "第三步"]


def test_a_copy_that_was_held_and_says_what_was_taken_long_ago_is_outdated(
    files: Files, number: str
) -> None:
    first = files.hands()
    save(files, first, number, progress="第一步")
    files.settle()
    save(files, files.hands(), number, progress="第二步")
    files.settle()
    first.save()  # the window of the first is still open, its file from before the first pass
    files.settle()
    assert shown(files, number, "progress") == "第二步"
    assert events(files, number, "progressed") == ["第一步", "第二步"]
    assert CellDeed.outdated in {change.what for change in files.changes()}
    assert "旧" in shown(files, number, "hint")
    assert files.problems() == []


def test_who_goes_back_to_his_first_words_while_holding_the_file_is_asked(
    files: Files, number: str
) -> None:
    lock = files.path().with_name(f".~lock.{files.path().name}#")
    lock.write_text(",客户经理,pc,28.09.2026 10:00,file:///x;", encoding="utf-8")
    hands = files.hands()
    for text in ("第一步", "第二步", "第一步"):
        save(files, hands, number, progress=text)
        for _ in range(3):
            files.look()
    assert events(files, number, "progressed") == ["第一步", "第二步"]
    lock.unlink()
    with suppress(FileNotFoundError):
        files.settle()
    (problem,) = files.problems()
    assert (problem.kind, problem.theirs, problem.ours) == (
        ProblemKind.conflict,
        "第一步",
        "第二步",
    )
    assert shown(files, number, "progress") == "第一步", "nothing typed is lost"


@pytest.mark.parametrize(("behind", "stopped"), [(KEPT_LOOKS, False), (KEPT_LOOKS + 1, True)])
def test_a_copy_older_than_the_passes_kept_stops_the_file(
    files: Files, number: str, behind: int, stopped: bool
) -> None:
    old = files.hands()
    with files.office() as office:
        workbook = office.session.get_one(Workbook, files.ids["after_sales"])
        workbook.pass_number += behind
    save(files, old, number, progress="很久以前")
    bytes_before = files.path().read_bytes()
    outcomes = files.settle()
    assert (LookOutcome.stopped in outcomes) is stopped
    if not stopped:
        assert events(files, number, "progressed") == ["很久以前"]
        return
    (problem,) = files.problems()
    assert (problem.kind, problem.code) == (ProblemKind.structure, "too_old")
    assert files.path().read_bytes() == bytes_before
    assert events(files, number, "progressed") == []


def test_a_morning_copy_is_understood_in_the_evening(files: Files, number: str) -> None:
    """So many cases came and moved meanwhile that the passes kept would not reach back."""
    old = files.hands()
    for hour in range(KEPT_LOOKS + 3):
        with files.office() as office:
            office.dispatched(body=f"第{hour}件")
        files.now += dt.timedelta(minutes=10)
        files.look()
    with reading(files.engine) as session:
        passes = session.get_one(Workbook, files.ids["after_sales"]).pass_number
    assert passes > KEPT_LOOKS
    save(files, old, number, progress="早上打的字")
    assert LookOutcome.stopped not in files.settle()
    assert events(files, number, "progressed") == ["早上打的字"]
    assert len(files.rows()) == KEPT_LOOKS + 4
    assert not files.problems()


# ---------------------------------------------------------------- copies beside the file


def copied(files: Files, number: str) -> None:
    """A sync folder leaves somebody's version beside the file; it was typed into."""
    place = files.path().with_name("after_sales (冲突副本 2026-09-28).xlsx")
    hands = files.hands()
    hands.type(number, progress="副本里写的")
    files.tick(60)
    hands.save(to=place)
    files.look()


def test_a_copy_beside_the_file_is_told_and_nothing_is_taken(files: Files, number: str) -> None:
    copied(files, number)
    (problem,) = files.problems()
    assert (problem.kind, problem.code) == (ProblemKind.copy, "copy_found")
    assert "冲突副本" in problem.facts["name"]
    files.settle()
    assert len(files.problems()) == 1
    assert events(files, number, "progressed") == []


@pytest.mark.parametrize(
    ("choice", "taken"),
    [(Resolution.sheet, ["副本里写的"]), (Resolution.record, []), (Resolution.seen, [])],
)
def test_what_stands_in_a_copy_is_taken_where_a_person_says_so(
    files: Files, number: str, choice: Resolution, taken: list[str]
) -> None:
    copied(files, number)
    choose(files, choice)
    files.settle()
    assert events(files, number, "progressed") == taken
    assert shown(files, number, "progress") == "".join(taken)
    files.settle()
    assert events(files, number, "progressed") == taken
    assert [one for one in files.problems() if one.choice is None] == []
