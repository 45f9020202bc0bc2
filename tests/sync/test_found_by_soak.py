"""What random days showed (tests/sync/test_soak.py), each as the few steps it takes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from database import reading
from enums import CellDeed, ProblemKind, Resolution
from models import Journal
from policy.vocabulary.status import ReplyOutcome
from services.cases import handling, journal
from services.workbooks import resolutions
from sync.mirror.look import LookOutcome
from tests.sync.folder import AFTER_SALES, Files, Hands, cells, outcome
from tests.sync.soak_desk import Desk


def begun(files: Files) -> str:
    """A case that stands in the file; its number."""
    with files.office() as office:
        number = office.dispatched().number
    files.settle()
    return number


def typed(files: Files, number: str, **said: object) -> None:
    """Somebody opens the file, types and saves."""
    hands = files.hands()
    hands.type(number, **said)
    files.tick()
    hands.save()


def choose(files: Files, choice: Resolution) -> None:
    """Somebody settles the one open problem."""
    (problem,) = files.problems()
    with files.office() as office:
        mine = office.session.merge(problem)
        resolutions.choose(office.session, mine, choice, user_id=None, now=files.now)


@pytest.mark.parametrize(
    ("choice", "stands", "open_"),
    [(Resolution.record, "", 0), (Resolution.seen, "王小二", 0), (Resolution.sheet, "王小二", 1)],
)
def test_a_choice_about_what_nobody_can_read_is_carried_out(
    files: Files, choice: Resolution, stands: str, open_: int
) -> None:
    number = begun(files)
    typed(files, number, handler="王小二")
    files.settle()
    choose(files, choice)
    assert files.settle()[-1] is LookOutcome.quiet
    assert cells(files.rows(AFTER_SALES)[number], "handler") == (stands,)
    assert [p.choice for p in files.problems()] == [None] * open_


def test_a_formula_over_an_answer_is_refused_and_said(files: Files) -> None:
    number = begun(files)
    typed(files, number, progress="已联系")
    files.settle()
    typed(files, number, progress="=A1&B1")
    files.settle()
    (problem,) = files.problems()
    assert (problem.kind, problem.code) == (ProblemKind.refused, "formula")


def test_no_case_is_put_beside_what_was_written_beside_another(files: Files) -> None:
    number = begun(files)
    hands = files.hands()
    own = hands.tab().max_column + 1
    hands.tab().cell(1, own).value = "备注"
    hands.tab().cell(hands.line(number), own).value = f"先找{number}的钥匙"
    hands.save()
    with files.office() as office:
        complaint = journal.lock_case(office.session, number)
        by = office.by("director")
        handling.return_order(office.session, complaint, reason="销售", actor=by, now=files.now)
        office.dispatch(complaint, files.now, department="sales")
        other = office.dispatched().number
    files.settle()
    hands = files.hands()
    assert hands.tab().cell(hands.line(other), own).value is None


def test_what_was_typed_into_grey_cells_of_a_case_that_left_is_noted(files: Files) -> None:
    number = begun(files)
    hands = files.hands()
    hands.type(number, body="车主说是左前轮")
    with files.office() as office:
        complaint = journal.lock_case(office.session, number)
        by = office.by("director")
        handling.return_order(office.session, complaint, reason="销售", actor=by, now=files.now)
        office.dispatch(complaint, files.now, department="sales")
    files.tick()
    hands.save()
    files.settle()
    assert number not in files.rows()
    assert [c.before for c in files.changes() if c.what is CellDeed.put_back] == ["车主说是左前轮"]


def test_a_name_that_is_nobodys_any_more_is_refused_and_the_file_goes_on(files: Files) -> None:
    number = begun(files)
    typed(files, number, handler="2005")
    files.settle()
    lock = files.path().with_name(f"~${files.path().name}")
    lock.write_bytes(b"")  # somebody has it open: what is taken in cannot be written back
    typed(files, number, handler="2006")
    for _ in range(2):
        files.look()
    typed(files, number, handler="mechanic (2005)")
    files.look()
    lock.unlink()
    with files.office() as office:
        office.employee("mechanic").name = "smith"
    choose(files, Resolution.sheet)
    assert files.settle()[-1] is LookOutcome.quiet
    (problem,) = files.problems()
    assert (problem.code, problem.theirs) == ("name_contradicts", "mechanic (2005)")


def copied(files: Files, number: str) -> Hands:
    """Somebody who has copied a case's row below the others and goes on typing."""
    hands = files.hands()
    tab, row = hands.tab(), hands.line(number)
    place = tab.max_row + 1
    for column in range(1, tab.max_column + 1):
        tab.cell(place, column).value = tab.cell(row, column).value
    return hands


def type_below(hands: Hands, **said: str) -> None:
    """Type into the lowest row."""
    row = hands.tab().max_row
    for name, text in said.items():
        hands.tab().cell(row, hands.column(name)).value = text


def leave(files: Files, number: str) -> None:
    """The department gives a case back and another one gets it."""
    with files.office() as office:
        complaint = journal.lock_case(office.session, number)
        by = office.by("director")
        handling.return_order(office.session, complaint, reason="销售", actor=by, now=files.now)
        office.dispatch(complaint, files.now, department="sales")


def told(files: Files) -> list[tuple[ProblemKind, str | None, str | None]]:
    """What the administrator still has to read: kind, field, and what was typed."""
    return [(p.kind, p.field, p.theirs) for p in files.problems()]


def test_what_was_typed_into_the_copy_of_a_row_is_told_when_its_case_left(files: Files) -> None:
    number = begun(files)
    hands = copied(files, number)
    type_below(hands, progress="已到店", channel="车主本人")
    leave(files, number)
    files.tick()
    hands.save()
    files.settle()
    assert number not in files.rows()
    assert told(files) == [(ProblemKind.not_ours, "progress", "已到店")]
    assert [c.before for c in files.changes() if c.what is CellDeed.put_back] == ["车主本人"]


def test_what_was_told_of_a_copy_is_not_told_again_when_its_case_leaves(files: Files) -> None:
    number = begun(files)
    hands = copied(files, number)
    type_below(hands, progress="已到店")
    files.tick()
    hands.save()
    files.settle()
    hands = files.hands()
    type_below(hands, progress="已到店", channel="车主本人", answer="修好了")
    files.tick()
    hands.save()
    files.settle()
    leave(files, number)
    files.settle()
    assert number not in files.rows()
    assert told(files) == [
        (ProblemKind.repeated, "progress", "已到店"),
        (ProblemKind.not_ours, "answer", "修好了"),
    ]
    assert [c.before for c in files.changes() if c.what is CellDeed.put_back] == ["车主本人"]


def test_what_was_typed_into_several_copies_is_told_of_each(files: Files) -> None:
    number = begun(files)
    for text in ("已到店", "等配件"):
        hands = copied(files, number)
        type_below(hands, progress=text)
        files.tick()
        hands.save()
    files.settle()
    assert told(files) == [
        (ProblemKind.repeated, "progress", "已到店"),
        (ProblemKind.repeated, "progress", "等配件"),
    ]


def test_an_answer_is_not_sent_with_another_text_than_its_cell_shows(files: Files) -> None:
    number = begun(files)
    typed(files, number, handler="2005")
    files.settle()
    hands = files.hands()
    hands.type(number, outcome=outcome("solved"), answer="换了轴承")
    with files.office() as office:
        complaint = journal.lock_case(office.session, number)
        by = office.by("mechanic")
        said: dict[str, Any] = {"outcome": ReplyOutcome.solved, "text": "紧了螺丝"}
        handling.reply(office.session, complaint, actor=by, now=files.now, **said)
    files.tick()
    hands.save()
    files.settle()
    with files.office() as office:
        complaint = journal.lock_case(office.session, number)
        by = office.by("director")
        handling.decline(office.session, complaint, reason="再查", actor=by, now=files.now)
    files.settle()
    typed(files, number, outcome=outcome("solved"))
    files.settle()
    assert replies(files) == ["紧了螺丝"]
    assert cells(files.rows()[number], "outcome", "answer") == (outcome("solved"), "换了轴承")
    choose(files, Resolution.sheet)
    files.settle()
    assert replies(files) == ["紧了螺丝", "换了轴承"]


def replies(files: Files) -> list[str]:
    """What the answers in the journal say, in order."""
    with reading(files.engine) as session:
        told = sa.select(Journal.data).where(Journal.event == "replied").order_by(Journal.id)
        return [data["text"] for data in session.scalars(told)]


def test_a_choice_about_a_typed_row_holds_when_its_columns_were_moved(files: Files) -> None:
    begun(files)
    hands = files.hands()
    hands.add_row(customer="顾客", phone="abc", body="异响")
    hands.save()
    files.settle()
    desk = Desk(files.path(), lambda number, broken: "", lambda marks, broken: None)
    columns = range(1, desk.sheet.max_column + 1)
    body = desk.columns()["body"]
    desk._columns_anew([columns[0], body, *(at for at in columns[1:] if at != body)])
    files.tick()
    desk.save(files.now, Random(1))
    files.settle()
    choose(files, Resolution.record)
    assert files.settle()[-1] is LookOutcome.quiet
    assert files.problems() == []
