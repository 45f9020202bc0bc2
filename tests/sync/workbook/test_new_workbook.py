"""A new book helps whoever fills it, in any spreadsheet program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sync.port import ColumnLayout, TabLayout
from sync.workbook.adapter import WorkbookFile
from sync.workbook.new_workbook import LAST_LINE
from tests.sync.books import OPEN, TABS, made


@pytest.fixture
def theirs(tmp_path: Path) -> Any:
    return openpyxl.load_workbook(made(tmp_path / "a.xlsx").path)


def test_a_new_book_is_read_as_it_was_meant(tmp_path: Path) -> None:
    picture = made(tmp_path / "a.xlsx").read(TABS)
    assert picture.stamp == 0
    assert set(picture.tabs) == {"today", "open", "people"}
    for tab in TABS:
        grid = picture.tabs[tab.key]
        assert list(grid.columns.values()) == list(range(1, len(tab.columns) + 1))
        assert [grid.headers[it.field] for it in tab.columns[1:]] == [
            it.header for it in tab.columns[1:]
        ]
        assert not grid.rows


def test_headers_stay_and_ids_hide(theirs: Any) -> None:
    sheet = theirs["在办"]
    assert sheet.freeze_panes == "D2"
    assert sheet.column_dimensions["A"].hidden
    assert sheet["B1"].font.b
    assert sheet.auto_filter.ref == f"A1:W{LAST_LINE}"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"
    assert theirs["人员"].sheet_state == "hidden"
    assert all(name.hidden for name in theirs.defined_names.values())
    assert theirs.defined_names["_redress_open_4_hint"].attr_text == "'在办'!$E$1"


def test_columns_give_new_cells_their_format(theirs: Any) -> None:
    columns = theirs["在办"].column_dimensions
    formats = {letter: columns[letter].number_format for letter in "BDGIJK"}
    assert formats == {
        "B": "General",
        "D": "yyyy-mm-dd hh:mm",
        "G": "yyyy-mm-dd hh:mm",
        "I": "@",
        "J": "#,##0.00",
        "K": "@",
    }
    assert columns["I"].alignment.wrap_text
    assert not columns["B"].alignment.wrap_text
    assert columns["E"].fill.fgColor.rgb != columns["F"].fill.fgColor.rgb


def test_lists_advise_and_do_not_stop(theirs: Any) -> None:
    by_place = {str(it.sqref): it for it in theirs["在办"].data_validations.dataValidation}
    people, result, hint = (by_place[f"{letter}2:{letter}{LAST_LINE}"] for letter in "FHE")
    assert "人员" in people.formula1
    assert "$B$2" in people.formula1
    assert result.formula1 == '"已解决,无法解决"'
    assert {people.errorStyle, result.errorStyle} == {"warning"}
    assert (hint.type, hint.promptTitle, hint.prompt) == (None, "同步提示", "系统写给您的话")


def test_due_rows_are_coloured_in_their_order(theirs: Any) -> None:
    (rules,) = theirs["在办"].conditional_formatting
    assert str(rules.sqref) == f"A2:K{LAST_LINE}"
    formulas = [rule.formula[0] for rule in rules.rules]
    assert formulas == [
        "AND(ISNUMBER($D2),LEN($H2)=0,$D2<NOW())",
        "AND(ISNUMBER($D2),LEN($H2)=0,$D2<NOW()+4/24)",
        "AND(ISNUMBER($D2),LEN($H2)=0,INT($D2)=TODAY())",
    ]
    assert [rule.priority for rule in rules.rules] == [1, 2, 3]


def test_only_generated_tabs_are_locked_and_those_can_be_filtered(theirs: Any) -> None:
    lock = theirs["今日"].protection
    assert lock.sheet
    assert [lock.autoFilter, lock.sort, lock.formatColumns] == [False, False, False]
    assert not lock.password
    assert not theirs["在办"].protection.sheet


def test_texts_that_look_like_formulas_stay_texts(tmp_path: Path) -> None:
    odd = TabLayout(
        "open", "a'b !", (OPEN.columns[0], ColumnLayout("sum", "=1+1", choices=('5"', "6")))
    )
    book = WorkbookFile(tmp_path / "a.xlsx")
    book.make([odd])
    grid = book.read([odd]).tabs["open"]
    assert (grid.columns, grid.headers["sum"]) == ({"uid": 1, "sum": 2}, "=1+1")
    sheet = openpyxl.load_workbook(book.path)["a'b !"]
    assert sheet["B1"].data_type == "s"
    assert sheet.data_validations.dataValidation[0].formula1 == '"5"",6"'
