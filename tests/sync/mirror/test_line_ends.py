"""Lines end alike everywhere, so that a text of several lines is no edit after a save elsewhere."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from admin.kit.fields import trimmed
from database import reading
from models import Complaint, WorkbookBase
from policy.vocabulary.line_ends import one_line_end
from services.cases import handling
from sync.mirror.look import LookOutcome
from tests.sync.folder import Files, cells
from tests.sync.mirror.test_conflicts import events, save


@pytest.mark.parametrize("text", ["甲\r\n乙\r\n", "甲\r乙", "甲\n乙", "\r\n甲\r\n乙"])
def test_what_a_browser_sends_has_one_line_end(text: str) -> None:
    assert trimmed(text) == "甲\n乙"
    assert "\r" not in one_line_end(text)


def test_a_text_of_several_lines_is_no_edit_after_a_save(files: Files) -> None:
    """Spreadsheet programs make LF of CR LF in every cell of a file that they save."""
    with files.office() as office:
        case = office.dispatched(body="第一行\r\n第二行")
        number = case.number
        handling.progress(
            office.session, case, text="已电话\r\n联系", actor=office.by("director"), now=files.now
        )
    files.settle()
    assert events(files, number, "progressed") == ["已电话\n联系"]
    assert cells(files.rows()[number], "progress", "body") == ("已电话\n联系", "第一行\n第二行")
    save(files, files.hands(), number)
    assert files.settle() == [LookOutcome.read, LookOutcome.quiet]
    assert not files.problems()
    assert {change.what.value for change in files.changes()} == {"appended"}


def test_texts_of_old_cases_and_old_files_are_taken_for_the_same(files: Files) -> None:
    with files.office() as office:
        number = office.dispatched(body="第一行\n第二行").number
    files.settle()
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        case.body = "第一行\r\n第二行"
        for base in office.session.scalars(sa.select(WorkbookBase)):
            base.cells = {**base.cells, "body": "第一行\r\n第二行"}
    hands = files.hands()
    hands.type(number, body="第一行\r\n第二行")
    files.tick(60)
    hands.save()
    files.settle()
    save(files, files.hands(), number)
    files.settle()
    assert {change.what.value for change in files.changes()} <= {"appended", "written"}
    assert cells(files.rows()[number], "body") == ("第一行\n第二行",)
    with reading(files.engine) as session:
        assert session.scalars(sa.select(Complaint.body)).one() == "第一行\r\n第二行"
