"""What is typed and not decided yet: an older copy saved over it loses nothing and settles nothing.

An older copy is the file as it was some time before, put over the present one as a sync client, a
messenger or "save as" does.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from database import reading
from enums import ProblemKind, Resolution
from models import Complaint, Workbook, WorkbookProblem
from sync.mirror.merge.undecided import goes_on
from tests.sync.folder import Files, cells, header, outcome
from tests.sync.mirror.test_conflicts import choose, disputed, events, save, shown

TEXT = "一整段处理说明甲，已上门检查并更换密封条"
ROW = {"customer": "客户乙", "phone": "13800000002"}
BODY = {**ROW, "body": "车门异响"}


@pytest.fixture
def number(files: Files) -> str:
    """A case that stands in the file."""
    with files.office() as office:
        found = office.dispatched().number
    files.settle()
    return found


class Copy:
    """A copy of the file as it is now, to be put over it later."""

    def __init__(self, files: Files) -> None:
        self.files, self.content = files, files.path().read_bytes()

    def back(self) -> None:
        """Save the copy over the file."""
        self.files.tick(60)
        path: Path = self.files.path()
        path.write_bytes(self.content)
        os.utime(path, (self.files.now.timestamp(),) * 2)


def overwrite(files: Files, number: str) -> None:
    """Type a text that waits, and put an older copy of the file over it."""
    older = Copy(files)
    save(files, files.hands(), number, answer=TEXT)
    files.settle()
    older.back()
    files.settle()


def vanished(files: Files) -> list[WorkbookProblem]:
    return [one for one in files.problems() if one.kind is ProblemKind.vanished]


def row(files: Files, number: str) -> dict[str, str]:
    return files.rows()[number]


def typed_rows(files: Files) -> list[str]:
    with reading(files.engine) as session:
        rows = sa.select(Complaint.body).where(Complaint.channel == "department")
        return list(session.scalars(rows.order_by(Complaint.id)))


# ---------------------------------------------------------------- a row of a case


def test_an_incomplete_answer_comes_back(files: Files, number: str) -> None:
    overwrite(files, number)
    (problem,) = vanished(files)
    assert TEXT in str(problem.theirs)
    assert header("answer") in row(files, number)[header("hint")]
    assert shown(files, number, "answer") == ""
    choose(files, Resolution.sheet)
    files.settle()
    assert shown(files, number, "answer") == TEXT
    assert not files.problems()
    hands = files.hands()
    save(files, hands, number, handler="2005", outcome=outcome("solved"))
    files.settle()
    assert events(files, number, "replied") == [TEXT]


def test_an_answer_seen_once_comes_back_and_is_taken(files: Files, number: str) -> None:
    older = Copy(files)
    save(files, files.hands(), number, handler="2005", outcome=outcome("solved"), answer=TEXT)
    files.look()
    older.back()
    files.settle()
    assert events(files, number, "replied") == []
    assert TEXT in str(vanished(files)[0].theirs)
    choose(files, Resolution.sheet)
    files.settle()
    assert events(files, number, "replied") == [TEXT]
    assert not files.problems()


def test_it_comes_back_even_where_the_copy_has_other_words(files: Files, number: str) -> None:
    older = files.hands()
    save(files, files.hands(), number, answer=TEXT)
    files.settle()
    save(files, older, number, answer="客户不在家，改日再去")
    files.settle()
    (problem,) = vanished(files)
    assert TEXT in str(problem.theirs)
    choose(files, Resolution.sheet)
    files.settle()
    assert shown(files, number, "answer") == f"客户不在家，改日再去\n{TEXT}"


def test_a_refused_text_comes_back(files: Files, number: str) -> None:
    older = Copy(files)
    save(files, files.hands(), number, contacted_at="三个半月以前某天")
    files.settle()
    assert [one.kind for one in files.problems()] == [ProblemKind.refused]
    older.back()
    files.settle()
    (problem,) = files.problems()
    assert problem.kind is ProblemKind.vanished
    assert "三个半月以前某天" in str(problem.theirs)


def test_what_people_take_out_themselves_is_no_problem(files: Files, number: str) -> None:
    save(files, files.hands(), number, answer=TEXT)
    files.settle()
    save(files, files.hands(), number, answer="")
    files.settle()
    assert not files.problems()


def test_typing_on_is_no_problem(files: Files, number: str) -> None:
    hands = files.hands()
    for end in (3, 9, len(TEXT)):
        save(files, hands, number, answer=TEXT[:end])
        files.look()
    files.settle()
    assert not files.problems()


def test_a_copy_without_the_row_at_all_loses_nothing(files: Files, number: str) -> None:
    older = Copy(files)
    with files.office() as office:
        second = office.dispatched(body="第二件").number
    files.settle()
    save(files, files.hands(), second, answer=TEXT)
    files.settle()
    older.back()
    files.settle()
    assert TEXT in str(vanished(files)[0].theirs)
    choose(files, Resolution.sheet)
    files.settle()
    assert shown(files, second, "answer") == TEXT


def test_texts_of_a_case_that_left_are_handed_back(files: Files, number: str) -> None:
    older = Copy(files)
    save(files, files.hands(), number, answer=TEXT)
    files.settle()
    older.back()
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        case.department_id = None
        case.version += 1
    files.settle()
    (problem,) = files.problems()
    assert (problem.kind, problem.theirs) == (ProblemKind.not_ours, TEXT)


def test_it_is_over_when_the_newer_file_comes_back(files: Files, number: str) -> None:
    older = Copy(files)
    save(files, files.hands(), number, answer=TEXT)
    files.settle()
    newer = Copy(files)
    older.back()
    files.settle()
    assert vanished(files)
    newer.back()
    files.settle()
    assert not files.problems()
    assert shown(files, number, "answer") == TEXT


def test_a_text_not_needed_is_gone_for_good(files: Files, number: str) -> None:
    overwrite(files, number)
    choose(files, Resolution.seen)
    files.settle()
    assert not files.problems()
    assert shown(files, number, "answer") == ""
    assert row(files, number).get(header("hint"), "") == ""


# ---------------------------------------------------------------- conflicts


def test_an_older_copy_settles_no_conflict(files: Files, number: str) -> None:
    older = Copy(files)
    disputed(files, number)
    older.back()
    files.settle()
    (problem,) = files.problems()
    assert problem.kind is ProblemKind.conflict
    assert "2005" in str(problem.theirs)
    files.settle()
    choose(files, Resolution.sheet)
    files.settle()
    assert events(files, number, "assigned") == ["2006", "2005"]
    assert not files.problems()


@pytest.mark.parametrize("choice", [Resolution.record, Resolution.seen])
def test_a_conflict_decided_otherwise_leaves_the_record(
    files: Files, number: str, choice: Resolution
) -> None:
    older = Copy(files)
    disputed(files, number)
    older.back()
    files.settle()
    choose(files, choice)
    files.settle()
    assert events(files, number, "assigned") == ["2006"]
    assert not files.problems()


def test_a_new_text_after_a_lost_conflict_keeps_both(files: Files, number: str) -> None:
    older = Copy(files)
    disputed(files, number)
    older.back()
    files.settle()
    save(files, files.hands(), number, handler="2001")
    files.settle()
    assert [one.kind for one in files.problems()] == [ProblemKind.vanished]
    assert "2005" in str(files.problems()[0].theirs)


# ---------------------------------------------------------------- typed rows


@pytest.mark.parametrize(("said", "looks"), [(ROW, "one"), (ROW, "all"), (BODY, "one")])
def test_a_typed_row_comes_back(
    files: Files, number: str, said: dict[str, str], looks: str
) -> None:
    older = Copy(files)
    hands = files.hands()
    hands.add_row(**said)
    files.tick(60)
    hands.save()
    files.look() if looks == "one" else files.settle()
    older.back()
    files.settle()
    (problem,) = vanished(files)
    assert "客户乙" in str(problem.theirs)
    choose(files, Resolution.sheet)
    files.settle()
    assert not files.problems()
    if said is BODY:
        assert typed_rows(files) == ["车门异响"]
        return
    hands = files.hands()
    line = hands.tab().max_row
    assert hands.tab().cell(line, hands.column("customer")).value == "客户乙"
    hands.tab().cell(line, hands.column("body")).value = "车门异响"
    files.tick(60)
    hands.save()
    files.settle()
    assert typed_rows(files) == ["车门异响"]


def test_a_row_of_the_same_line_in_the_copy_takes_nothing_away(files: Files, number: str) -> None:
    older = files.hands()
    hands = files.hands()
    hands.add_row(**ROW)
    files.tick(60)
    hands.save()
    files.settle()
    older.add_row(customer="客户丙", phone="13900000003", body="刹车异响")
    files.tick(60)
    older.save()
    files.settle()
    assert typed_rows(files) == ["刹车异响"]
    assert "客户乙" in str(vanished(files)[0].theirs)


def test_a_row_that_people_delete_is_no_problem(files: Files, number: str) -> None:
    hands = files.hands()
    line = hands.add_row(**ROW)
    files.tick(60)
    hands.save()
    files.settle()
    hands = files.hands()
    hands.tab().delete_rows(line)
    files.tick(60)
    hands.save()
    files.settle()
    assert not files.problems()


def test_nothing_is_reported_while_a_row_is_typed(files: Files, number: str) -> None:
    hands = files.hands()
    line = hands.add_row(customer="客")
    for name, text in (
        ("customer", "客户乙"),
        ("phone", "138"),
        ("body", "车门"),
        ("body", "车门响"),
    ):
        hands.tab().cell(line, hands.column(name)).value = text
        files.tick(60)
        hands.save()
        files.look()
    files.settle()
    assert not files.problems()
    assert typed_rows(files) == ["车门响"]


# ---------------------------------------------------------------- copies that are taken in


def test_what_a_copy_could_not_give_is_kept(files: Files, number: str) -> None:
    hands = files.hands()
    hands.type(number, answer=TEXT, contacted_at="三个半月以前某天")
    hands.add_row(**ROW)
    files.tick(60)
    hands.save(to=files.path().with_name("after_sales (conflicted copy 2026-09-28).xlsx"))
    files.settle()
    (found,) = files.problems()
    assert found.kind is ProblemKind.copy
    choose(files, Resolution.sheet)
    files.settle()
    texts = " ".join(str(one.theirs) for one in vanished(files))
    assert all(one in texts for one in (TEXT, "三个半月以前某天", "客户乙"))


def test_a_copy_that_is_taken_in_forgets_nothing_of_the_file(files: Files, number: str) -> None:
    copy = files.hands()
    save(files, files.hands(), number, answer=TEXT, contacted_at="三个半月以前某天")
    files.settle()
    files.tick(60)
    copy.type(number, handler="2005")
    copy.save(to=files.path().with_name("after_sales (conflicted copy 2026-09-28).xlsx"))
    files.settle()
    (found,) = [one for one in files.problems() if one.kind is ProblemKind.copy]
    with files.office() as office:
        office.session.merge(found).choice = Resolution.sheet
    files.settle()
    assert [one.kind for one in files.problems()] == [ProblemKind.refused]
    assert cells(row(files, number), "answer", "contacted_at") == (TEXT, "三个半月以前某天")
    assert events(files, number, "assigned") == ["2005"]


# ---------------------------------------------------------------- the record itself


def test_the_first_look_remembers_every_text(files: Files, number: str) -> None:
    hands = files.hands()
    hands.add_row(**ROW)
    save(files, hands, number, answer=TEXT)
    files.look()
    with reading(files.engine) as session:
        book = session.get_one(Workbook, files.ids["after_sales"])
        assert [entry["cells"] for entry in book.newborn] == [ROW]
        waits = session.scalars(sa.text("select waiting from sheet_row")).all()
    assert [one["undecided"]["answer"]["text"] for one in map(json.loads, waits)] == [TEXT]


@pytest.mark.parametrize(
    ("before", "now", "on"),
    [
        ("已联系", "已联系客户", True),
        ("已联系客户，等配件", "已联系用户，等配件", True),
        ("已联系客户", None, False),
        ("已联系客户，等配件", "刹车片已更换", False),
        ("张先生", "李先生", False),
    ],
)
def test_typing_on(before: str, now: str | None, *, on: bool) -> None:
    assert goes_on(before, now) is on
