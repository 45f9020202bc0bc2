"""Ten thousand things people add to a workbook stay as they are while ours are written into it."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.table import Table

from sync.port import ColumnLayout, Computed, Link, WorkbookChanged, WorkbookWrite, Written
from sync.workbook import adapter
from sync.workbook.adapter import WorkbookFile
from sync.workbook.package import repacked
from tests.sync.books import DUE, LINES, OPEN, TABS, made, parts, rezip, rich, sheet_part, uid

pytestmark = pytest.mark.filterwarnings(
    # The second opinion cannot keep what we do: that is why we do not write with it.
    "ignore:.*xtension is not supported and will be removed:UserWarning"
)
SHEET = "xl/worksheets/sheet1.xml"


def write(book: WorkbookFile, cells: dict[tuple[int, str], Written], stamp: int = 4) -> str:
    return book.write(book.read(TABS), TABS, WorkbookWrite(stamp, {"open": cells}))


def cells_of(book: WorkbookFile, row: int) -> dict[str, Any]:
    lines = {line.number: line for line in book.read(TABS).tabs["open"].rows}
    return dict(lines[row].cells) if row in lines else {}


def in_openpyxl(book: WorkbookFile, place: str, *, values: bool = False) -> Any:
    """A second opinion on what a cell says."""
    return openpyxl.load_workbook(book.path, data_only=values)["在办"][place]


def split(sheet: bytes) -> dict[str, str]:
    """The elements of every cell of a sheet by reference, and what is left without them."""
    text = sheet.decode()
    pattern = r'<c r="([A-Z]+\d+)"(?:[^>]*/>|.*?</c>)'
    found = {match[1]: match[0] for match in re.finditer(pattern, text, re.DOTALL)}
    return {**found, "": re.sub(pattern, "", text, flags=re.DOTALL)}


# ---------------------------------------------------------------- everything else stays


def test_ten_writes_leave_every_other_part_and_cell_byte_for_byte(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    before, listed = parts(book.path), zipfile.ZipFile(book.path).infolist()
    assert {"xl/charts/chart1.xml", "xl/media/image1.png", "customXml/item1.xml"} <= set(before)
    for turn in range(10):
        write(
            book, {(2 + turn, "hint"): f"第 {turn} 次", (3, "handler"): f"张伟 ({turn})"}, 4 + turn
        )
    after = parts(book.path)
    assert list(after) == list(before)
    # The table of strings forgets what only our cells said, so nobody finds it there later.
    changed = [name for name in before if before[name] != after[name]]
    assert changed == [SHEET, "xl/sharedStrings.xml"]
    old, new = split(before[SHEET]), split(after[SHEET])
    ours = {"A1", "F3", *(f"E{2 + turn}" for turn in range(10))}
    assert {place for place in new if new[place] != old.get(place)} == ours
    for was, now in zip(listed, zipfile.ZipFile(book.path).infolist(), strict=True):
        assert (was.filename, was.date_time, was.compress_type) == (
            now.filename,
            now.date_time,
            now.compress_type,
        )
    assert book.read(TABS).stamp == 13


def test_what_people_added_is_read_by_other_programs_as_before(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    write(book, {(2, "hint"): "新", (40, "text"): "新行"})
    theirs = openpyxl.load_workbook(book.path, data_only=True)
    assert theirs["我们的统计"]["B2"].value == 2541.0
    assert theirs["在办"]["N2"].value == pytest.approx(2 * 10.5 * 1.13)
    assert theirs["在办"]["I2"].comment.text == "客户要求书面答复"
    assert theirs["在办"]["M2"].value == "重要 请先回电 客户"
    assert theirs["在办"].dimensions == "A1:O40"
    assert theirs["在办"]["I40"].value == "新行"


def test_a_pass_that_says_nothing_new_writes_only_the_stamp(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=3)
    before = parts(book.path)
    write(book, {})
    changed = [name for name, part in parts(book.path).items() if before[name] != part]
    assert changed == [sheet_part(book.path, "在办")]
    assert book.read(TABS).stamp == 4


def test_every_written_tab_gets_the_stamp(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx")
    book.write(book.read(TABS), TABS, WorkbookWrite(9, {"people": {(2, "name"): "张伟 (1023)"}}))
    theirs = openpyxl.load_workbook(book.path)
    assert [theirs[title]["A1"].value for title in ("今日", "在办", "人员")] == [
        "redress/today/0",
        "redress/open/9",
        "redress/people/9",
    ]


# ---------------------------------------------------------------- what a cell may say


VALUES: list[tuple[str, Written, Any]] = [
    ("text", '=HYPERLINK("http://x")', '=HYPERLINK("http://x")'),
    ("text", " 前后 空格\n两行\t<&>\"'", " 前后 空格\n两行\t<&>\"'"),
    ("text", "回车\r\n与\x07铃 _x0041_", "回车\r\n与\x07铃 _x0041_"),
    ("text", "表情 😀", "表情 😀"),
    ("text", "  ", None),
    ("text", None, None),
    ("phone", "013800138000", "013800138000"),
    ("amount", 1234.5, 1234.5),
    ("amount", -7, -7.0),
    ("amount", 0.1 + 0.2, 0.1 + 0.2),
    ("due", DUE, DUE),
    (
        "due",
        dt.datetime(2026, 9, 28, 23, 59, 59, 999_000),
        dt.datetime(2026, 9, 28, 23, 59, 59, 999_000),
    ),
    ("due", dt.date(2026, 10, 8), dt.datetime(2026, 10, 8)),
    ("hint", DUE, "2026-09-28 14:05"),
    ("hint", dt.date(2026, 10, 8), "2026-10-08"),
    ("due", dt.datetime(1890, 1, 1, 8), "1890-01-01 08:00"),
    ("number", Link('SKD-"1"', "https://example.com/a?b=1&c=2"), Computed('SKD-"1"')),
    ("number", Link("SKD-1", "https://example.com/" + "a" * 250), "SKD-1"),
]


@pytest.mark.parametrize("date_1904", [False, True])
def test_what_is_written_is_read_again(tmp_path: Path, date_1904: bool) -> None:
    book = rich(tmp_path / "a.xlsx", date_1904=date_1904)
    for field, value, read in VALUES:
        if date_1904 and isinstance(value, dt.datetime) and value.year < 1904:
            continue
        for row in (5, 60):  # a row that is there, and a new one
            write(book, {(row, field): value})
            assert cells_of(book, row).get(field) == read
    for row in (5, 60):
        write(book, {(row, "due"): DUE})
        assert in_openpyxl(book, f"D{row}").value == DUE


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(st.characters(), max_size=60).filter(str.strip),
    row=st.integers(2, 1_000_000),
    column=st.integers(1, len(OPEN.columns) - 1),
)
def test_any_text_anywhere_is_read_again(tmp_path: Path, text: str, row: int, column: int) -> None:
    book = WorkbookFile(tmp_path / "a.xlsx")
    if not book.path.exists():
        rich(book.path)
    field = OPEN.columns[column].field
    write(book, {(row, field): text})
    assert cells_of(book, row)[field] == text


def test_a_text_longer_than_programs_allow_is_cut(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=1)
    for letter, kept in (("字", 32_700), ("😀", 16_350)):
        write(book, {(2, "text"): letter * 60_000})
        assert cells_of(book, 2)["text"] == letter * kept + "…"
    write(book, {(2, "text"): "字" * 32_767})
    assert cells_of(book, 2)["text"] == "字" * 32_767


def test_a_link_is_a_formula_with_its_value(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=1)
    write(book, {(2, "number"): Link('a"b', "https://example.com/?x=1&y=2")})
    assert in_openpyxl(book, "B2").value == '=HYPERLINK("https://example.com/?x=1&y=2","a""b")'
    assert in_openpyxl(book, "B2", values=True).value == 'a"b'


def test_mistakes_of_the_pass_are_said_and_nothing_is_written(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=1)
    old = book.path.read_bytes()
    impossible: list[dict[tuple[int, str], Any]] = [
        {(2, "no such"): "x"},
        {(2, "amount"): float("inf")},
    ]
    for cells in impossible:
        with pytest.raises(RuntimeError):
            write(book, cells)
    assert book.path.read_bytes() == old


# ---------------------------------------------------------------- where cells come


def test_styles_are_kept_and_new_cells_take_their_neighbours(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(book.path)["在办"]
    write(book, {(3, "due"): None, (30, "due"): DUE, (5, "hint"): "黄", (25, "contacted"): DUE})
    after = openpyxl.load_workbook(book.path)["在办"]
    assert after["D3"].value is None
    assert after["D3"].number_format == sheet["D3"].number_format
    assert after["D30"].number_format == sheet["D21"].number_format
    assert after["E5"].fill.fgColor.rgb == "FFFFFF00"
    write(book, {(6, "due"): None, (22, "due"): DUE, (6, "contacted"): DUE})
    after = openpyxl.load_workbook(book.path)["在办"]
    assert after["G6"].fill.fill_type is None
    assert after["G25"].number_format == sheet["D2"].number_format


def test_rows_come_in_their_order_also_into_an_empty_tab(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx")
    part = sheet_part(book.path, "在办")
    rows: list[int] = []
    for row in (9, 4, 12, 2, 7):
        write(book, {(row, "text"): f"行 {row}"})
        rows = [int(it) for it in re.findall(r'<row r="(\d+)"', parts(book.path)[part].decode())]
        assert rows == sorted(rows)
    assert rows == [1, 2, 4, 7, 9, 12]
    assert in_openpyxl(book, "I12").parent.dimensions == "A1:K12"


def test_an_empty_sheet_data_is_opened(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx")
    part = sheet_part(book.path, "在办")
    content = parts(book.path)
    content[part] = re.sub(
        rb"<sheetData>.*</sheetData>", b"<sheetData/>", content[part], flags=re.DOTALL
    )
    rezip(book.path, content)
    write(book, {(1, "hint"): "同步提示", (3, "hint"): "新"})
    assert in_openpyxl(book, "E3").value == "新"
    assert in_openpyxl(book, "A1").value == "redress/open/4"


def test_rows_and_cells_without_numbers_count_as_before(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=3)
    part = sheet_part(book.path, "在办")
    content = parts(book.path)
    bare = re.sub(rb'<row r="\d+"', b"<row", content[part])
    content[part] = re.sub(rb'<c r="([ABC]\d+)"', rb"<c", bare)
    rezip(book.path, content)
    before = {line.number: dict(line.cells) for line in book.read(TABS).tabs["open"].rows}
    write(book, {(3, "hint"): "新", (9, "hint"): "末"})
    after = {line.number: dict(line.cells) for line in book.read(TABS).tabs["open"].rows}
    assert after == {**before, 3: {**before[3], "hint": "新"}, 9: {"hint": "末"}}


def test_a_prefix_of_the_main_namespace_is_kept(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=2)
    part = sheet_part(book.path, "在办")
    content = parts(book.path)
    named = re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", content[part])
    content[part] = named.replace(b"<x:worksheet xmlns=", b"<x:worksheet xmlns:x=")
    rezip(book.path, content)
    write(book, {(2, "hint"): "新", (9, "number"): Link("a", "https://b")})
    assert cells_of(book, 2)["hint"] == "新"
    assert in_openpyxl(book, "E2").value == "新"
    assert in_openpyxl(book, "B9", values=True).value == "a"


def test_a_part_in_another_encoding_is_written(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=2)
    part = sheet_part(book.path, "在办")
    content = parts(book.path)
    text = '<?xml version="1.0" encoding="UTF-16"?>' + content[part].decode()
    content[part] = text.encode("utf-16")
    rezip(book.path, content)
    write(book, {(2, "hint"): "新"})
    assert in_openpyxl(book, "E2").value == "新"


def test_a_book_packed_as_no_office_program_does_is_refused_and_stays(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=3)
    content = parts(book.path)
    with zipfile.ZipFile(book.path, "w", zipfile.ZIP_BZIP2) as package:
        for name, part in content.items():
            package.writestr(name, part)
    before = book.path.read_bytes()
    with pytest.raises(WorkbookChanged, match="no_workbook"):
        write(book, {(2, "hint"): "新"})
    assert book.path.read_bytes() == before


def test_new_columns_come_behind_everything(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    seen = book.read(TABS)
    assert seen.tabs["open"].last_column == 15
    added = ColumnLayout("visit", "回访意见", open_=True)
    book.write(seen, TABS, WorkbookWrite(4, {"open": {(2, "visit"): "满意"}}, {"open": [added]}))
    assert in_openpyxl(book, "P1").value == "回访意见"
    assert in_openpyxl(book, "P1").font.b
    assert in_openpyxl(book, "P2").value == "满意"


# ---------------------------------------------------------------- formulas


def chain(book: WorkbookFile) -> list[tuple[str, str]]:
    """The cells of the calculation chain with their sheets, as a program understands them."""
    sheet, cells = "", []
    for tag in re.findall(r"<c [^>]+>", parts(book.path)["xl/calcChain.xml"].decode()):
        sheet = match[1] if (match := re.search(r' i="(\d+)"', tag)) else sheet
        cells.append((re.search(r' r="(\w+)"', tag)[1], sheet))  # type: ignore[index]  # every tag has one
    return cells


def with_formulas(path: Path, *formulas: str) -> WorkbookFile:
    """A full book whose cells I2 and below are formulas, which the chain knows."""
    book = rich(path)
    content = parts(path)
    sheet = content[SHEET].decode()
    for row, formula in enumerate(formulas, start=2):
        new = f'<c r="I{row}" t="str">{formula}<v>旧 {row}</v></c>'
        sheet = re.sub(rf'<c r="I{row}".*?</c>', new, sheet, count=1)
    content[SHEET] = sheet.encode()
    there = "".join(f'<c r="I{row}"/>' for row in range(2, 2 + len(formulas)))
    content["xl/calcChain.xml"] = content["xl/calcChain.xml"].replace(
        b'<c r="N2" i="1"/>', f'<c r="I2" i="1"/>{there[14:]}<c r="N2"/>'.encode()
    )
    rezip(path, content)
    return book


def test_a_formula_we_write_over_leaves_the_chain(tmp_path: Path) -> None:
    book = with_formulas(tmp_path / "a.xlsx", "<f>M2</f>", "<f>M3</f>", "<f>M4</f>")
    before = chain(book)
    assert ("I2", "1") in before
    write(book, {(2, "text"): "我们的", (4, "text"): None, (3, "hint"): "新"})
    assert chain(book) == [it for it in before if it not in {("I2", "1"), ("I4", "1")}]
    assert in_openpyxl(book, "I3").value == "=M3"


def test_a_chain_that_names_nothing_any_more_goes(tmp_path: Path) -> None:
    book = with_formulas(tmp_path / "a.xlsx", "<f>M2</f>")
    content = parts(book.path)
    alone = re.sub(
        rb"<calcChain ([^>]+)>.*",
        rb'<calcChain \1><c r="I2" i="1"/></calcChain>',
        content["xl/calcChain.xml"],
    )
    content["xl/calcChain.xml"] = alone
    rezip(book.path, content)
    write(book, {(2, "text"): "我们的"})
    after = parts(book.path)
    assert "xl/calcChain.xml" not in after
    assert b"calcChain" not in after["[Content_Types].xml"] + after["xl/_rels/workbook.xml.rels"]
    assert b"customXml" in after["xl/_rels/workbook.xml.rels"]
    assert in_openpyxl(book, "I2").value == "我们的"


def test_cells_that_shared_a_formula_keep_it_when_its_text_goes(tmp_path: Path) -> None:
    shared = '<f t="shared" si="0"/>'
    first = '<f t="shared" ref="I2:I5" si="0">M2&amp;$N$1&amp;"I2"</f>'
    book = with_formulas(tmp_path / "a.xlsx", first, shared, shared, shared)
    write(book, {(2, "text"): "我们的", (4, "text"): "也是"})
    assert in_openpyxl(book, "I3").value == '=M3&$N$1&"I2"'
    assert in_openpyxl(book, "I5").value == '=M5&$N$1&"I2"'
    assert cells_of(book, 5)["text"] == Computed("旧 5")
    assert [cells_of(book, row)["text"] for row in (2, 4)] == ["我们的", "也是"]


# ---------------------------------------------------------------- tables


def test_a_table_over_our_tab_says_the_headers_we_write(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", lines=2)
    theirs = openpyxl.load_workbook(book.path)
    sheet = theirs["在办"]
    sheet.auto_filter.ref = None
    sheet["E1"] = "改名"
    sheet.add_table(Table(displayName="表1", ref="A1:K3"))
    theirs.save(book.path)
    write(book, {(1, "hint"): "同步提示"})
    after = openpyxl.load_workbook(book.path)["在办"]
    names = [column.name for column in after.tables["表1"].tableColumns]
    assert names == [after.cell(1, column).value for column in range(1, 12)]
    assert names[0] == "redress/open/4"
    assert names[4] == "同步提示"


# ---------------------------------------------------------------- verified before it counts


def test_a_wrong_patch_never_becomes_the_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = rich(tmp_path / "a.xlsx")
    old = book.path.read_bytes()
    packed = repacked

    def spoilt(package: Any, new: dict[str, bytes | None]) -> bytes:
        return packed(
            package, {**new, SHEET: (new[SHEET] or b"").replace("新".encode(), "坏".encode())}
        )

    monkeypatch.setattr(adapter, "repacked", spoilt)
    with pytest.raises(RuntimeError):
        write(book, {(2, "hint"): "新"})
    monkeypatch.setattr(
        adapter,
        "repacked",
        lambda package, new: packed(package, {**new, "customXml/item1.xml": b""}),
    )
    with pytest.raises(RuntimeError):
        write(book, {(2, "hint"): "新"})
    assert book.path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def as_csv(path: Path, folder: Path) -> list[str]:
    """The lines of a book's first tab as LibreOffice shows them."""
    options = "44,34,76,1,,0,false,true,false,false,false,1"
    command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    command += ["--convert-to", f"csv:Text - txt - csv (StarCalc):{options}"]
    command += ["--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.csv")).read_text(encoding="utf-8").splitlines()


@pytest.mark.calc
def test_libreoffice_opens_a_book_after_ten_writes(tmp_path: Path) -> None:
    book = rich(tmp_path / "a.xlsx")
    for turn in range(10):
        write(
            book,
            {(2 + turn, "hint"): f"第 {turn} 次", (30 + turn, "text"): f"=新 {turn}"},
            4 + turn,
        )
    write(book, {(2, "number"): Link("SKD-链接", "https://example.com")}, 20)
    said = as_csv(book.path, tmp_path)
    assert "SKD-链接" in said[1]
    assert "第 0 次" in said[1]
    assert uid(LINES) in said[LINES - 1]
    assert "=新 9" in said[38]
