"""Our tabs and columns are found again, and cells read as people see them, whatever was done."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sync.port import (
    Broken,
    Computed,
    WorkbookChanged,
    WorkbookPicture,
    WorkbookUnavailable,
    WorkbookWrite,
)
from sync.workbook.adapter import WorkbookFile
from sync.workbook.cells import area, column_letters, column_number, moment_of, serial_of
from sync.workbook.package import LARGEST, is_date_format
from tests.sync.books import DUE, OPEN, TABS, made, operate, parts, rezip, rich, sheet_part, uid

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def book(tmp_path: Path) -> WorkbookFile:
    return made(tmp_path / "a.xlsx", lines=3)


def edited(book: WorkbookFile, deed: Any) -> WorkbookPicture:
    """The book after a person did something to its open tab in another program."""
    theirs = openpyxl.load_workbook(book.path)
    deed(theirs["在办"])
    theirs.save(book.path)
    return book.read(TABS)


def with_cell(tmp_path: Path, xml: str, place: str = "I3", *, date_1904: bool = False) -> Any:
    """What is read from a cell of this XML in the column of texts."""
    book = rich(tmp_path / "a.xlsx", date_1904=date_1904)
    content = parts(book.path)
    sheet = content[SHEET].decode()
    content[SHEET] = re.sub(rf'<c r="{place}".*?</c>', lambda _: xml, sheet, count=1).encode()
    rezip(book.path, content)
    row = int(place[1:])
    line = next(it for it in book.read(TABS).tabs["open"].rows if it.number == row)
    return line.cells.get({"I": "text", "D": "due", "J": "amount"}[place[0]])


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ('<c r="I3"><v>12.5</v></c>', 12.5),
        ('<c r="I3" t="b"><v>1</v></c>', True),
        ('<c r="I3" t="e"><v>#REF!</v></c>', Broken("#REF!")),
        ('<c r="I3" t="e"><f>M9</f><v>#N/A</v></c>', Broken("#N/A")),
        ('<c r="I3" t="str"><f>M3</f><v>甲</v></c>', Computed("甲")),
        ('<c r="I3"><f t="shared" si="0"/><v>3</v></c>', Computed(3.0)),
        ('<c r="I3"><f t="array" ref="I3:I4">M3</f><v>3</v></c>', Computed(3.0)),
        ('<c r="I3"><f>NOW()</f></c>', Computed(None)),
        ('<c r="I3" s="1"><f>NOW()</f><v>46293.5</v></c>', Computed(dt.datetime(2026, 9, 28, 12))),
        ('<c r="I3" t="inlineStr"><is><t>内</t></is></c>', "内"),
        (
            '<c r="I3" t="inlineStr"><is><r><t>一</t></r><r><rPr><b/></rPr><t>二</t></r>'
            '<rPh sb="0" eb="1"><t>yi</t></rPh><phoneticPr fontId="1"/></is></c>',
            "一二",
        ),
        ('<c r="I3" t="inlineStr"><is><t>a_x000D_b_x005F_x0041_</t></is></c>', "a\rb_x0041_"),
        ('<c r="I3" t="inlineStr"><is><t xml:space="preserve"> \n　</t></is></c>', None),
        ('<c r="I3" t="inlineStr"><is><t><![CDATA[<row r="1">]]></t></is></c>', '<row r="1">'),
        ('<c r="I3" t="d"><v>2026-09-28T14:05:00</v></c>', DUE),
        ('<c r="I3"><v>NaN</v></c>', Broken("NaN")),
        ('<c r="I3" s="1"><v>46293.5</v></c>', dt.datetime(2026, 9, 28, 12)),
        ('<c r="I3" s="1"><v>0.5</v></c>', dt.datetime(1899, 12, 31, 12)),
        ('<c r="I3" s="1"><v>-1</v></c>', -1.0),
        ('<c r="I3" s="1"><v>1e300</v></c>', 1e300),
        ('<c r="I3"/>', None),
    ],
)
def test_a_cell_says_what_people_see(tmp_path: Path, xml: str, value: Any) -> None:
    found = with_cell(tmp_path, xml)
    assert (found, type(found)) == (value, type(value))


def test_rich_texts_and_foreign_cells_are_seen(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    picture = book.read(
        (
            replace(
                OPEN,
                columns=(*OPEN.columns, replace(OPEN.columns[8], field="own", header="我们的备注")),
            ),
        )
    )
    line = picture.tabs["open"].rows[0]
    assert line.cells["own"] == "重要 请先回电 客户"
    assert line.cells["due"] == DUE + dt.timedelta(hours=2)
    assert line.foreign
    assert not book.read(TABS).tabs["open"].rows[-1].foreign
    assert picture.tabs["open"].last_column == 15


def test_books_that_count_from_1904_have_the_same_times(tmp_path: Path) -> None:
    lines = rich(tmp_path / "a.xlsx", date_1904=True).read(TABS).tabs["open"].rows
    assert [line.cells["due"] for line in lines][:2] == [
        DUE + dt.timedelta(hours=it) for it in (2, 3)
    ]


@pytest.mark.parametrize(
    ("code", "dated"),
    [
        ('yyyy"年"m"月"d"日"', True),
        ("[$-804]yyyy\\-mm\\-dd;@", True),
        ('上午/下午h"时"mm"分"', True),
        ("[h]:mm", False),
        ("General", False),
        ("0.00E+00", False),
        ('[Red]#,##0.00;"days "0', False),
        ("@", False),
        ("_-* #,##0_-", False),
    ],
)
def test_formats_of_dates_are_told_from_those_of_numbers(code: str, dated: bool) -> None:
    assert is_date_format(code) is dated


@pytest.mark.parametrize("from_1904", [False, True])
def test_serial_numbers_go_both_ways(from_1904: bool) -> None:
    for moment in (dt.datetime(1904, 3, 1), DUE, dt.datetime(9999, 12, 31, 23, 59, 59, 999_000)):
        assert moment_of(serial_of(moment, from_1904=from_1904), from_1904=from_1904) == moment
    assert moment_of(1.0, from_1904=False) == dt.datetime(1900, 1, 1)
    assert serial_of(dt.date(1900, 1, 1), from_1904=False) == 1
    assert serial_of(dt.date(1900, 3, 1), from_1904=False) == 61


def test_references_go_both_ways() -> None:
    for number, letters in ((1, "A"), (26, "Z"), (27, "AA"), (16_384, "XFD")):
        assert (column_number(letters), column_letters(number)) == (number, letters)
    assert area("$D$9:B2") == (2, 2, 9, 4)
    with pytest.raises(ValueError, match="no column"):
        column_number("XFE")


def test_merged_areas_are_reported(book: WorkbookFile) -> None:
    picture = edited(book, lambda sheet: sheet.merge_cells("E2:F3"))
    assert list(picture.tabs["open"].merged) == [(2, 5, 3, 6)]


# ---------------------------------------------------------------- tabs


def test_a_tab_is_found_by_its_mark_and_else_by_its_title(book: WorkbookFile) -> None:
    def rename(sheet: Any) -> None:
        sheet.title = "我的投诉"

    picture = edited(book, rename)
    assert (picture.stamp, picture.tabs["open"].title) == (1, "我的投诉")
    theirs = openpyxl.load_workbook(book.path)
    theirs["我的投诉"]["A1"] = "编号"
    theirs["我的投诉"].title = " 在办"
    theirs.save(book.path)
    picture = book.read(TABS)
    assert picture.stamp is None
    assert picture.tabs["open"].columns["uid"] == 1
    assert [line.cells["uid"] for line in picture.tabs["open"].rows] == [uid(2), uid(3), uid(4)]


def test_a_copied_tab_does_not_take_the_place_of_ours(book: WorkbookFile) -> None:
    theirs = openpyxl.load_workbook(book.path)
    copy = theirs.copy_worksheet(theirs["在办"])
    copy.title = "在办 (2)"
    theirs.move_sheet(copy, -3)
    theirs.save(book.path)
    assert book.read(TABS).tabs["open"].title == "在办"


def test_a_tab_that_is_gone_is_not_there(book: WorkbookFile) -> None:
    theirs = openpyxl.load_workbook(book.path)
    del theirs["在办"]
    theirs.save(book.path)
    picture = book.read(TABS)
    assert set(picture.tabs) == {"today", "people"}
    assert picture.stamp is None
    theirs = openpyxl.Workbook()
    theirs.save(book.path)
    with pytest.raises(WorkbookChanged):
        book.read(TABS)


# ---------------------------------------------------------------- columns


def test_columns_follow_their_headers(book: WorkbookFile) -> None:
    def move(sheet: Any) -> None:
        sheet.move_range("E1:E4", cols=10)
        sheet["B1"] = "  案号 "

    columns = edited(book, move).tabs["open"].columns
    assert (columns["hint"], columns["number"]) == (15, 2)


def test_a_renamed_header_is_found_by_its_name(book: WorkbookFile) -> None:
    def rename(sheet: Any) -> None:
        sheet["E1"] = "系统提示"

    grid = edited(book, rename).tabs["open"]
    assert (grid.columns["hint"], grid.headers["hint"]) == (5, "系统提示")
    book.write(book.read(TABS), TABS, WorkbookWrite(2, {"open": {(1, "hint"): "同步提示"}}))
    assert book.read(TABS).tabs["open"].headers["hint"] == "同步提示"


def test_of_two_headers_of_one_text_the_name_decides(book: WorkbookFile) -> None:
    def copy(sheet: Any) -> None:
        sheet["C1"], sheet["L1"] = "同步提示", "同步提示"

    assert edited(book, copy).tabs["open"].columns["hint"] == 5
    assert "next" not in {
        field for field, at in book.read(TABS).tabs["open"].columns.items() if at == 5
    }

    def forget(sheet: Any) -> None:
        for name in [name for name in sheet.parent.defined_names if name.endswith("_hint")]:
            del sheet.parent.defined_names[name]

    assert edited(book, forget).tabs["open"].columns["hint"] == 3


def test_a_name_does_not_take_a_column_that_another_header_claims(book: WorkbookFile) -> None:
    def swap(sheet: Any) -> None:
        sheet["E1"], sheet["F1"] = "处理人", "不知道"

    columns = edited(book, swap).tabs["open"].columns
    assert columns["handler"] == 5
    assert "hint" not in columns


def test_the_ids_are_found_when_columns_come_before_them(book: WorkbookFile) -> None:
    columns = edited(book, lambda sheet: sheet.insert_cols(1)).tabs["open"].columns
    assert (columns["uid"], columns["number"]) == (2, 3)


def test_the_ids_are_missing_when_their_column_was_deleted(book: WorkbookFile) -> None:
    def delete(sheet: Any) -> None:
        sheet.delete_cols(1)
        for name, defined in sheet.parent.defined_names.items():
            if name.endswith("_uid"):
                defined.value = "#REF!"

    columns = edited(book, delete).tabs["open"].columns
    assert "uid" not in columns
    assert columns["number"] == 1


# ---------------------------------------------------------------- files that want to harm


def test_documents_with_entities_are_refused_unread(book: WorkbookFile) -> None:
    secret = book.path.with_name("secret.txt")
    secret.write_text("geheim", encoding="utf-8")
    part = sheet_part(book.path, "在办")
    for kind in (f'SYSTEM "{secret.as_uri()}"', '"bomb"'):
        content = parts(book.path)
        content[part] = f"<!DOCTYPE x [<!ENTITY e {kind}>]>".encode() + content[part]
        rezip(book.path, content)
        with pytest.raises(WorkbookChanged):
            book.read(TABS)


def test_a_file_that_unpacks_to_too_much_is_refused(book: WorkbookFile) -> None:
    with (
        zipfile.ZipFile(book.path, "a", zipfile.ZIP_DEFLATED) as package,
        package.open("xl/media/bomb.bin", "w", force_zip64=True) as bomb,
    ):
        for _ in range(LARGEST // (1 << 24) + 1):
            bomb.write(bytes(1 << 24))
    assert book.path.stat().st_size < 1 << 20
    with pytest.raises(WorkbookChanged) as refused:
        book.read(TABS)
    assert refused.value.code == "no_workbook"


def test_other_packages_are_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rezip(path, {"word/document.xml": b"<document/>"})
    with pytest.raises(WorkbookChanged):
        WorkbookFile(path).read(TABS)


def test_xml_that_is_cut_off_is_half_written(book: WorkbookFile) -> None:
    part = sheet_part(book.path, "在办")
    content = parts(book.path)
    content[part] = content[part][: len(content[part]) // 2]
    rezip(book.path, content)
    with pytest.raises(WorkbookUnavailable) as refused:
        book.read(TABS)
    assert refused.value.code == "half_written"


def test_a_text_that_is_not_there_is_half_written(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    operate(book.path, SHEET, '<c r="B2" t="s"><v>12</v>', '<c r="B2" t="s"><v>9999</v>')
    with pytest.raises(WorkbookUnavailable):
        book.read(TABS)
