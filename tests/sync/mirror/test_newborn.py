"""Rows people type below the others become cases: once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest
import sqlalchemy as sa

from database import reading
from enums import ProblemKind
from models import Complaint, Department
from policy.vocabulary.status import Status
from sync.mirror.look import LookOutcome
from sync.mirror.merge.matching import uid_of
from sync.port import TabLayout, WorkbookPicture, WorkbookUnavailable, WorkbookWrite
from sync.workbook.adapter import WorkbookFile
from tests.sync.folder import Files, Hands, _text, header

TYPED = {"customer": "客户甲", "phone": "13800000001", "body": "空调漏水", "demand": "修好"}


@pytest.fixture
def begun(files: Files) -> Files:
    """A file in which a case stands already."""
    with files.office() as office:
        office.dispatched(body="旧的一件")
    files.settle()
    return files


def save(files: Files, hands: Hands) -> None:
    files.tick(60)
    hands.save()


def born(files: Files) -> list[Complaint]:
    """The cases that came from the file."""
    with reading(files.engine) as session:
        rows = sa.select(Complaint).where(Complaint.channel == "department")
        return list(session.scalars(rows.order_by(Complaint.id)))


def lines(files: Files, text: str) -> list[dict[str, str]]:
    """The lines of the tab that say this as their contents."""
    hands = files.hands()
    column, tab = hands.column("body"), hands.tab()
    heads = [str(cell.value) for cell in tab[1]]
    return [
        {head: _text(cell.value) for head, cell in zip(heads, row, strict=False) if cell.value}
        for row in tab.iter_rows(min_row=2)
        if row[column - 1].value == text
    ]


def test_a_typed_row_becomes_a_case_and_says_so(begun: Files) -> None:
    hands = begun.hands()
    row = hands.add_row(**TYPED)
    save(begun, hands)
    assert begun.settle()[:2] == [LookOutcome.read, LookOutcome.wrote]
    (case,) = born(begun)
    assert (case.body, case.demand, case.status) == ("空调漏水", "修好", Status.registered)
    said = begun.rows()[case.number]
    assert case.number in said[header("hint")]
    assert said[header("customer")] == "客户甲"
    assert begun.hands().line(case.number) == row
    assert begun.look() is LookOutcome.quiet


def test_an_answer_typed_in_the_same_row_waits_for_its_turn(begun: Files) -> None:
    hands = begun.hands()
    hands.add_row(**TYPED, progress="已联系")
    save(begun, hands)
    begun.settle()
    (case,) = born(begun)
    assert begun.rows()[case.number][header("progress")] == "已联系"


@pytest.mark.parametrize("lacking", ["customer", "body"])
def test_a_row_typed_in_two_sittings_is_one_case(begun: Files, lacking: str) -> None:
    hands = begun.hands()
    row = hands.add_row(**{name: text for name, text in TYPED.items() if name != lacking})
    save(begun, hands)
    begun.settle()
    assert born(begun) == []
    hands = begun.hands()
    said = hands.tab().cell(row, hands.column("hint")).value
    assert said == f"尚未提交，还缺：{header(lacking)}"
    hands.tab().cell(row, hands.column(lacking)).value = TYPED[lacking]
    save(begun, hands)
    begun.settle()
    assert len(born(begun)) == 1
    assert len(lines(begun, TYPED["body"])) == 1


def test_two_rows_that_say_the_same_are_two_cases(begun: Files) -> None:
    hands = begun.hands()
    hands.add_row(**TYPED)
    hands.add_row(**TYPED)
    save(begun, hands)
    begun.settle()
    numbers = [case.number for case in born(begun)]
    assert len(numbers) == 2
    assert sorted(line[header("number")] for line in lines(begun, "空调漏水")) == numbers
    begun.tick(4000)
    begun.settle()
    assert len(born(begun)) == 2


class Failing(WorkbookFile):
    """A share that goes away the moment something is to be written."""

    def write(
        self, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
    ) -> str:
        raise WorkbookUnavailable("busy")


@contextmanager
def _held(files: Files) -> Iterator[None]:
    """Somebody has the file open in LibreOffice."""
    lock = files.path().with_name(f".~lock.{files.path().name}#")
    lock.write_text(",客户经理,pc,28.09.2026 10:00,file:///x;", encoding="utf-8")
    yield
    lock.unlink()


@contextmanager
def _gone(files: Files) -> Iterator[None]:
    """The share goes away before the new id is written."""
    whole = files.mirror

    def mirror(name: str = "after_sales") -> object:
        found = whole(name)
        found.port = Failing(files.path(name))
        return found

    files.mirror = mirror  # type: ignore[method-assign,assignment]  # put back below
    yield
    files.mirror = whole  # type: ignore[method-assign]  # put back below


@pytest.mark.parametrize("without_id", [_held, _gone])
def test_a_case_whose_id_is_not_in_the_file_yet_is_not_registered_again(
    begun: Files, without_id: Callable[[Files], AbstractContextManager[None]]
) -> None:
    hands = begun.hands()
    row = hands.add_row(**TYPED)
    hands.add_row(**TYPED | {"body": "另一件"})
    save(begun, hands)
    with without_id(begun):
        for _ in range(4):
            begun.look()
        assert len(born(begun)) == 2
        again = begun.hands()
        assert again.tab().cell(row, again.column("number")).value is None
        again.tab().cell(row, again.column("answer")).value = "先登记"
        save(begun, again)
        begun.look()
        begun.look()
    begun.settle()
    assert len(born(begun)) == 2
    (line,) = lines(begun, "空调漏水")
    assert line[header("number")] == born(begun)[0].number
    assert line[header("answer")] == "先登记"


def test_an_old_copy_without_the_id_is_the_same_case(begun: Files) -> None:
    old = begun.hands()
    old.add_row(**TYPED)
    save(begun, old)
    begun.settle()
    (case,) = born(begun)
    save(begun, old)  # still open since then, without number and id
    begun.settle()
    assert [one.number for one in born(begun)] == [case.number]
    assert begun.rows()[case.number][header("body")] == "空调漏水"


def test_a_copied_row_is_no_second_case(begun: Files) -> None:
    hands = begun.hands()
    number = next(iter(hands.rows()))
    source, target = hands.line(number), hands.tab().max_row + 1
    for column in range(1, hands.tab().max_column + 1):
        hands.tab().cell(target, column).value = hands.tab().cell(source, column).value
    save(begun, hands)
    begun.settle()
    assert born(begun) == []
    said = begun.hands()
    assert number in str(said.tab().cell(target, said.column("hint")).value)


def test_what_is_refused_stays_and_is_not_tried_again_until_it_is_changed(begun: Files) -> None:
    hands = begun.hands()
    row = hands.add_row(**TYPED | {"phone": "没有"})
    save(begun, hands)
    begun.settle()
    assert born(begun) == []
    (problem,) = begun.problems()
    assert problem.kind is ProblemKind.refused
    assert "空调漏水" in str(problem.theirs)
    hands = begun.hands()
    assert "未采用" in str(hands.tab().cell(row, hands.column("hint")).value)
    assert hands.tab().cell(row, hands.column("phone")).value == "没有"
    before = len(begun.changes())
    begun.tick(4000)
    begun.settle()
    assert len(begun.changes()) == before
    assert len(begun.problems()) == 1
    hands = begun.hands()
    hands.tab().cell(row, hands.column("phone")).value = TYPED["phone"]
    save(begun, hands)
    begun.settle()
    (case,) = born(begun)
    assert case.number in begun.rows()[case.number][header("hint")]
    assert begun.problems() == []


def test_a_row_with_nothing_but_a_note_beside_it_is_left_alone(begun: Files) -> None:
    hands = begun.hands()
    tab = hands.tab()
    tab.cell(tab.max_row + 1, tab.max_column + 2).value = "我的合计"
    save(begun, hands)
    assert LookOutcome.wrote not in begun.settle()
    assert born(begun) == []
    assert begun.problems() == []


# ---------------------------------------------------------------- rows that are no new complaint


def pasted(files: Files, uid: str | None = None, **said: str) -> str:
    """Paste a row below the others, its hidden id too; what its hint says afterwards."""
    hands = files.hands()
    line = hands.add_row(**{**TYPED, **said})
    hands.tab().cell(line, 1).value = uid
    save(files, hands)
    files.settle()
    hands = files.hands()
    return str(hands.tab().cell(line, hands.column("hint")).value or "")


@pytest.mark.parametrize("with_id", [True, False])
def test_the_row_of_another_department_is_refused_by_name(begun: Files, *, with_id: bool) -> None:
    with begun.office() as office:
        other = office.dispatched(body="车间的一件")
        other.department = office.session.scalars(
            sa.select(Department).filter_by(key="workshop")
        ).one()
        number, place, uid = other.number, other.department.name, uid_of(other.id)
    said = pasted(begun, uid if with_id else None, number=number)
    assert number in said
    assert place in said
    assert born(begun) == []
    (problem,) = begun.problems()
    assert problem.code == "row_of_department"
    assert "空调漏水" in str(problem.theirs)


@pytest.mark.parametrize("with_id", [True, False])
def test_the_row_of_a_finished_case_is_refused(begun: Files, *, with_id: bool) -> None:
    with begun.office() as office:
        case = office.dispatched(body="办完的一件")
        case.status = Status.closed
        number, uid = case.number, uid_of(case.id)
    said = pasted(begun, uid if with_id else None, number=number)
    assert number in said
    assert born(begun) == []


def test_with_an_empty_case_number_it_is_a_new_complaint(begun: Files) -> None:
    with begun.office() as office:
        case = office.dispatched(body="车间的一件")
        case.status = Status.closed
        uid = uid_of(case.id)
    pasted(begun, uid)
    assert [case.body for case in born(begun)] == ["空调漏水"]


@pytest.mark.parametrize(
    "said",
    [
        {"body": "此行为填写示例，请勿删除"},
        {"customer": "示例"},
        {"body": "【示例】空调不制冷"},
        {"number": "样例"},
        {"body": "Example: air conditioning leaks"},
    ],
)
def test_an_example_is_no_complaint(begun: Files, said: dict[str, str]) -> None:
    assert "示例" in pasted(begun, **said)
    assert born(begun) == []


@pytest.mark.parametrize(
    "body", ["销售举例说明与实车不符", "按示例操作仍无法启动", "示例车与交付车不同"]
)
def test_a_complaint_may_speak_of_examples(begun: Files, body: str) -> None:
    pasted(begun, body=body)
    assert [case.body for case in born(begun)] == [body]
