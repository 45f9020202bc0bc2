"""Tables in and out: real files, read back by readers that did not write them."""

from __future__ import annotations

import csv
import io
import shutil
import struct
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font
from python_calamine import CalamineWorkbook

from files.tables_in import FOUND, REASONS, TableRefused, TableRow, read_table
from files.tables_out import (
    BOM,
    FORMULA_STARTS,
    ColumnFormat,
    OutputTab,
    TabTooLarge,
    Value,
    csv_chunks,
    write_csv,
    write_xlsx,
)

CHINESE = "编号,客户,内容\r\n1,王女士,空调异响\r\n2,李先生,漏油\r\n"


def refusal(path: Path, **limits: object) -> TableRefused:
    with pytest.raises(TableRefused) as caught:
        read_table(path, **limits)  # type: ignore[arg-type]  # limits by name
    refused = caught.value
    assert set(refused.facts) == set(REASONS[refused.code])
    assert refused.facts["file"] == path.name
    assert refused.facts.get("found", "damaged") in FOUND
    return refused


def text_file(folder: Path, content: str | bytes, *, name: str = "表.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def workbook_file(folder: Path, rows: list[list[object]], *, name: str = "表.xlsx") -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(folder / name)
    return folder / name


def rewritten(source: Path, target: Path, part: str, content: bytes) -> Path:
    """A copy of a zip package in which one part has other content."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info, content if info.filename == part else old.read(info))
    return target


def compound_file(stream: str) -> bytes:
    """The smallest OLE container with one stream, as Excel wraps a workbook under a password."""
    none, end = 0xFFFFFFFF, 0xFFFFFFFE

    def entry(name: str, kind: int, child: int) -> bytes:
        links = struct.pack("<HBBIII", len(name) * 2 + 2, kind, 1, none, none, child)
        return (name.encode("utf-16-le").ljust(64, b"\0") + links).ljust(116, b"\0") + struct.pack(
            "<IQ", end, 0
        )

    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0)
    head += struct.pack("<I", none) * 108
    table = struct.pack("<II", 0xFFFFFFFD, end) + struct.pack("<I", none) * 126
    return head + table + entry("Root Entry", 5, 1) + entry(stream, 2, none) + bytes(256)


class TestTextIn:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_every_encoding_a_chinese_office_saves_is_read(
        self, tmp_path: Path, encoding: str
    ) -> None:
        table = read_table(text_file(tmp_path, CHINESE.encode(encoding)))
        assert table.header == ("编号", "客户", "内容")
        assert table.count == 2
        assert list(table.rows) == [
            TableRow(2, {"编号": "1", "客户": "王女士", "内容": "空调异响"}),
            TableRow(3, {"编号": "2", "客户": "李先生", "内容": "漏油"}),
        ]

    def test_characters_that_only_gb18030_has_survive(self, tmp_path: Path) -> None:
        table = read_table(text_file(tmp_path, "姓名\n㛃𠮷\n".encode("gb18030")))
        assert next(table.rows).cells == {"姓名": "㛃𠮷"}

    @pytest.mark.parametrize("delimiter", [",", "\t", ";"])
    def test_the_separator_is_found_outside_quotes(self, tmp_path: Path, delimiter: str) -> None:
        content = delimiter.join(['"甲,;\t,;\t乙"', "丙", "丁"]) + "\n" + delimiter.join("123")
        table = read_table(text_file(tmp_path, content))
        assert table.header == ("甲,;\t,;\t乙", "丙", "丁")
        assert list(next(table.rows).cells.values()) == ["1", "2", "3"]

    def test_a_row_is_numbered_by_the_line_it_begins_on(self, tmp_path: Path) -> None:
        content = '\n编号,内容\n1,"一\n二"\n\n2,三\n'
        rows = list(read_table(text_file(tmp_path, content)).rows)
        assert [(row.number, row.cells["内容"]) for row in rows] == [(3, "一\n二"), (6, "三")]

    def test_a_short_row_is_filled_up_and_a_long_one_keeps_its_surplus(
        self, tmp_path: Path
    ) -> None:
        rows = list(read_table(text_file(tmp_path, "a,b,,c\n1\n1,2,x,3,4,,5\n")).rows)
        assert rows[0] == TableRow(2, {"a": "1", "b": None, "c": None})
        assert rows[1] == TableRow(3, {"a": "1", "b": "2", "c": "3"}, ("x", "4", "5"))

    def test_text_is_composed_and_trimmed_and_otherwise_kept(self, tmp_path: Path) -> None:
        decomposed = unicodedata.normalize("NFD", "Škoda")
        table = read_table(text_file(tmp_path, f"车\n\u3000 {decomposed}  Ａ１ \u3000\n"))
        assert next(table.rows).cells == {"车": "Škoda  Ａ１"}

    def test_a_title_line_above_the_header_can_be_passed_over(self, tmp_path: Path) -> None:
        table = read_table(text_file(tmp_path, "投诉登记表,,\n编号,内容\n1,漏油\n"), header_row=2)
        assert (table.header, table.count) == (("编号", "内容"), 1)

    def test_tabbed_text_that_a_program_saved_as_xls_is_read(self, tmp_path: Path) -> None:
        table = read_table(text_file(tmp_path, "编号\t内容\n1\t漏油\n", name="导出.xls"))
        assert table.header == ("编号", "内容")

    def test_a_header_without_rows_is_an_empty_table(self, tmp_path: Path) -> None:
        table = read_table(text_file(tmp_path, "编号,内容\n"))
        assert (table.count, list(table.rows)) == (0, [])

    def test_a_large_text_is_never_held_in_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "大.csv"
        write_csv(path, ["编号", "内容"], ([n, "空调异响" * 50] for n in range(10_000)))
        assert path.stat().st_size > 5_000_000
        tracemalloc.start()
        assert sum(1 for _ in read_table(path).rows) == 10_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2_000_000


class TestWorkbookIn:
    def test_every_kind_of_cell_keeps_its_type(self, tmp_path: Path) -> None:
        moment = datetime(2026, 9, 28, 16, 20)
        values = [date(2026, 9, 28), moment, 0.1, 13800138000, True, " 空调 ", None]
        values += [time(9, 5), timedelta(hours=30), -3, 1e-7]
        path = workbook_file(tmp_path, [[f"c{n}" for n in range(len(values))], values])
        table = read_table(path)
        row = next(table.rows)
        cells = list(row.cells.values())
        assert cells[:2] == [date(2026, 9, 28), moment]
        assert cells[2:5] == [Decimal("0.1"), Decimal("13800138000"), True]
        assert [type(cell) for cell in cells[2:5]] == [Decimal, Decimal, bool]
        assert cells[5:9] == ["空调", None, "9:05:00", "30:00:00"]
        assert [str(cell) for cell in (cells[3], cells[9])] == ["13800138000", "-3"]
        assert cells[10] == Decimal("0.0000001")
        assert (table.sheet, table.count, row.number) == ("Sheet", 1, 2)

    def test_rows_are_numbered_as_the_sheet_numbers_them(self, tmp_path: Path) -> None:
        rows: list[list[object]] = [[], [], [None, "编号"], [], [None, 1], [], [None, 2]]
        table = read_table(workbook_file(tmp_path, rows))
        assert table.header == ("编号",)
        assert [row.number for row in table.rows] == [5, 7]

    def test_the_first_visible_sheet_is_read_unless_one_is_named(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for title in ("隐藏", "投诉", "抱怨"):
            book.create_sheet(title).append([title])
        del book["Sheet"]
        book["隐藏"].sheet_state = "hidden"
        book.active = 1
        book.save(tmp_path / "表.xlsx")
        assert read_table(tmp_path / "表.xlsx").header == ("投诉",)
        assert read_table(tmp_path / "表.xlsx", sheet="抱怨").header == ("抱怨",)
        assert read_table(tmp_path / "表.xlsx", sheet="隐藏").sheet == "隐藏"

    def test_a_workbook_with_a_wrong_suffix_is_read(self, tmp_path: Path) -> None:
        path = workbook_file(tmp_path, [["编号"], [1]])
        for name in ("表.csv", "表.xls", "表.ods"):
            shutil.copy(path, tmp_path / name)
            assert read_table(tmp_path / name).header == ("编号",)

    def test_a_sheet_painted_to_its_last_corner_is_read(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        page = book.worksheets[0]
        page["A1"], page["A2"] = "编号", 1
        page["XFD1048576"].font = Font(bold=True)
        book.save(tmp_path / "表.xlsx")
        assert read_table(tmp_path / "表.xlsx").count == 1


class TestRefusals:
    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert refusal(tmp_path / "无.xlsx").code == "missing_file"

    def test_a_directory(self, tmp_path: Path) -> None:
        (tmp_path / "夹.csv").mkdir()
        assert refusal(tmp_path / "夹.csv").code == "not_a_file"

    @pytest.mark.parametrize("name", ["空.csv", "空.xlsx", "空.xls", "空.ods"])
    def test_an_empty_file(self, tmp_path: Path, name: str) -> None:
        assert refusal(text_file(tmp_path, "", name=name)).code == "empty"

    @pytest.mark.parametrize("content", ["\n\n", " , ,\n", BOM])
    def test_a_text_of_blanks(self, tmp_path: Path, content: str) -> None:
        assert refusal(text_file(tmp_path, content)).code == "empty"

    def test_an_empty_sheet(self, tmp_path: Path) -> None:
        assert refusal(workbook_file(tmp_path, [])).code == "empty"

    @pytest.mark.parametrize("name", ["图.xlsx", "图.csv", "图.xls"])
    def test_a_picture_under_the_name_of_a_table(self, tmp_path: Path, name: str) -> None:
        picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))
        refused = refusal(text_file(tmp_path, picture, name=name))
        assert (refused.code, refused.facts["found"]) == ("not_a_table", "picture")

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            (b"%PDF-1.7\n", "pdf"),
            (b"{\\rtf1}", "document"),
            (b"<html><table><tr><td>1", "web_page"),
            (b"a,b\n1,\0\0", "binary"),
            (b"a,b\n" + b"x,y\n" * 500 + b"\0", "binary"),
        ],
    )
    def test_something_else_under_the_name_of_a_text(
        self, tmp_path: Path, content: bytes, found: str
    ) -> None:
        refused = refusal(text_file(tmp_path, content))
        assert (refused.code, refused.facts["found"]) == ("not_a_table", found)

    def test_a_name_that_no_table_has(self, tmp_path: Path) -> None:
        refused = refusal(text_file(tmp_path, "a,b\n", name="说明.docx"))
        assert (refused.code, refused.facts["found"]) == ("not_a_table", "unknown")

    def test_a_text_document_in_a_package_like_a_workbook(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "文.xlsx", "w") as package:
            package.writestr("word/document.xml", "<document/>")
        assert refusal(tmp_path / "文.xlsx").facts["found"] == "document"

    @pytest.mark.parametrize("name", ["断.xlsx", "断.ods"])
    def test_a_truncated_workbook(self, tmp_path: Path, name: str) -> None:
        rows: list[list[Any]] = [["编号"], *([n] for n in range(99))]
        whole = workbook_file(tmp_path, rows).read_bytes()
        for kept in (4, 10, 600, len(whole) // 2, len(whole) - 10):
            refused = refusal(text_file(tmp_path, whole[:kept], name=name))
            assert (refused.code, refused.facts["found"]) == ("not_a_table", "damaged")

    def test_a_package_that_is_no_workbook(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "包.xlsx", "w") as package:
            package.writestr("a.txt", "x")
        assert refusal(tmp_path / "包.xlsx").facts["found"] == "damaged"

    def test_a_workbook_whose_sheet_breaks_off(self, tmp_path: Path) -> None:
        whole = workbook_file(tmp_path, [["编号"], [1]])
        broken = b'<worksheet><sheetData><row r="1"><c r="A1"></row>'
        path = rewritten(whole, tmp_path / "坏.xlsx", "xl/worksheets/sheet1.xml", broken)
        assert refusal(path).facts["found"] == "damaged"

    @pytest.mark.parametrize("name", ["密.xlsx", "密.xls"])
    def test_a_workbook_under_a_password(self, tmp_path: Path, name: str) -> None:
        path = text_file(tmp_path, compound_file("EncryptedPackage"), name=name)
        assert refusal(path).code == "encrypted"

    def test_an_open_document_under_a_password(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "密.ods", "w") as package:
            package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            package.writestr("content.xml", bytes(range(256)))
            package.writestr("META-INF/manifest.xml", "<m:manifest><m:encryption-data/>")
        assert refusal(tmp_path / "密.ods").code == "encrypted"

    def test_a_sheet_that_is_not_there_lists_those_that_are(self, tmp_path: Path) -> None:
        path = workbook_file(tmp_path, [["编号"]])
        refused = refusal(path, sheet="投诉")
        assert refused.code == "missing_sheet"
        assert (refused.facts["sheet"], refused.facts["sheets"]) == ("投诉", ("Sheet",))
        assert refusal(text_file(tmp_path, CHINESE), sheet="投诉").code == "missing_sheet"

    def test_a_first_row_without_a_word_is_no_header(self, tmp_path: Path) -> None:
        refused = refusal(workbook_file(tmp_path, [[], [1, 2.5], [3, 4]]))
        assert (refused.code, refused.facts["row"]) == ("no_header", 2)

    @pytest.mark.parametrize("row", [2, 9])
    def test_a_stated_header_row_that_is_empty_or_beyond_the_end(
        self, tmp_path: Path, row: int
    ) -> None:
        refused = refusal(text_file(tmp_path, "标题\n\n编号\n"), header_row=row)
        assert (refused.code, refused.facts["row"]) == ("no_header", row)

    def test_a_name_twice_in_the_header(self, tmp_path: Path) -> None:
        refused = refusal(text_file(tmp_path, "编号,内容, 编号\n"))
        assert refused.code == "duplicate_header"
        assert (refused.facts["name"], refused.facts["columns"]) == ("编号", (1, 3))

    def test_damaged_utf8_is_not_taken_for_gb18030(self, tmp_path: Path) -> None:
        content = (CHINESE * 9).encode() + b"3,\xe7\xa9" + b",x\r\n"
        refused = refusal(text_file(tmp_path, content))
        assert (refused.code, refused.facts["line"]) == ("unreadable_encoding", 28)

    def test_bytes_that_are_no_text_in_any_encoding(self, tmp_path: Path) -> None:
        assert refusal(text_file(tmp_path, b"a,b\n1,\xff\xff\n")).code == "unreadable_encoding"

    def test_a_quote_never_closed_does_not_swallow_the_rows_after_it(self, tmp_path: Path) -> None:
        refused = refusal(text_file(tmp_path, '编号,内容\n1,好\n2,"坏\n3,好\n'))
        assert (refused.code, refused.facts["line"]) == ("broken_quotes", 3)

    def test_more_rows_than_wanted(self, tmp_path: Path) -> None:
        refused = refusal(text_file(tmp_path, CHINESE), max_rows=1)
        assert (refused.code, refused.facts["limit"]) == ("too_many_rows", 1)

    def test_a_cell_longer_than_wanted_names_its_place(self, tmp_path: Path) -> None:
        refused = refusal(text_file(tmp_path, CHINESE), max_cell_chars=3)
        assert refused.code == "cell_too_long"
        assert (refused.facts["row"], refused.facts["column"]) == (2, "内容")

    def test_a_cell_of_five_megabytes(self, tmp_path: Path) -> None:
        path = text_file(tmp_path, "编号,内容\n1," + "长" * 1_700_000)
        assert (refusal(path).code, refusal(path).facts["row"]) == ("cell_too_long", 2)

    def test_a_stray_cell_in_the_last_corner_does_not_take_the_process_down(
        self, tmp_path: Path
    ) -> None:
        book = openpyxl.Workbook()
        book.worksheets[0]["A1"], book.worksheets[0]["XFD1048576"] = "编号", "x"
        book.save(tmp_path / "角.xlsx")
        assert refusal(tmp_path / "角.xlsx").code == "too_many_cells"

    def test_cells_that_do_not_say_where_they_stand_are_counted_too(self, tmp_path: Path) -> None:
        sheet = (
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            b'<sheetData><row r="1"><c r="XFD1"><v>1</v></c></row>'
            b'<row r="1048576"><c><v>1</v></c></row></sheetData></worksheet>'
        )
        whole = workbook_file(tmp_path, [["编号"]])
        path = rewritten(whole, tmp_path / "角.xlsx", "xl/worksheets/sheet1.xml", sheet)
        assert refusal(path).code == "too_many_cells"

    def test_a_package_that_unpacks_to_gigabytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("files.tables_in.MAX_UNPACKED_BYTES", 1000)
        assert refusal(workbook_file(tmp_path, [["编号"]])).code == "too_large"

    def test_no_random_damage_lets_a_foreign_exception_out(self, tmp_path: Path) -> None:
        sheet = "xl/worksheets/sheet1.xml"
        whole = workbook_file(tmp_path, [["编号", "日"], [1, date(2026, 1, 1)], ["x", 0.5]])
        content = zipfile.ZipFile(whole).read(sheet)
        for place in range(0, len(content), 9):
            damaged = content[:place] + b"\x00<9&" + content[place + 4 :]
            path = rewritten(whole, tmp_path / "坏.xlsx", sheet, damaged)
            assert refusal(path).code in REASONS


SCALARS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40
)


class TestCsvOut:
    def test_it_begins_with_a_byte_order_mark_and_ends_lines_as_the_standard_does(
        self, tmp_path: Path
    ) -> None:
        write_csv(tmp_path / "表.csv", ["编号", "内容"], [[1, '他说"好",\n就走']])
        content = (tmp_path / "表.csv").read_bytes()
        expected = '编号,内容\r\n1,"他说""好"",\n就走"\r\n'
        assert content == b"\xef\xbb\xbf" + expected.encode()

    @pytest.mark.parametrize("start", FORMULA_STARTS)
    def test_no_text_is_a_formula_when_the_file_is_opened(self, start: str) -> None:
        text = f"{start}HYPERLINK(1)"
        content = "".join(csv_chunks([text], [[text]])).removeprefix(BOM)
        assert list(csv.reader(io.StringIO(content, newline=""))) == [[f"'{text}"], [f"'{text}"]]

    def test_a_negative_number_is_a_number_and_no_formula(self) -> None:
        values: list[Value] = [-5, Decimal("-0.10"), Decimal("1E+3"), 0.1, 1e-7]
        content = "".join(csv_chunks(["数"], ([value] for value in values)))
        assert content == f"{BOM}数\r\n-5\r\n-0.10\r\n1000\r\n0.1\r\n0.0000001\r\n"

    def test_days_instants_flags_and_nothing(self) -> None:
        row: list[Value] = [date(2026, 9, 28), datetime(2026, 9, 28, 16, 20), True, False, None]
        content = "".join(csv_chunks("abcde", [row]))
        assert content.splitlines()[1] == "2026-09-28,2026-09-28 16:20:00,TRUE,FALSE,"

    def test_an_instant_with_a_zone_and_a_thing_that_is_no_value_are_errors(self) -> None:
        aware = datetime.fromisoformat("2026-09-28T16:20:00+08:00")
        with pytest.raises(ValueError, match="zone"):
            list(csv_chunks(["a"], [[aware]]))
        with pytest.raises(TypeError, match="object"):
            list(csv_chunks(["a"], [[object()]]))  # type: ignore[list-item]  # no cell holds it

    def test_rows_are_taken_as_they_are_sent(self) -> None:
        taken = []

        def rows() -> Iterator[list[int]]:
            for number in range(10_000):
                taken.append(number)
                yield [number]

        chunks = csv_chunks(["数"], rows())
        assert next(chunks) == f"{BOM}数\r\n"
        assert taken == []
        next(chunks)
        assert 0 < len(taken) < 1000
        assert "".join(chunks).endswith("9999\r\n")

    def test_a_stream_gets_the_same_as_a_file(self, tmp_path: Path) -> None:
        stream = io.StringIO(newline="")
        write_csv(stream, ["编号"], [["一"]])
        write_csv(tmp_path / "表.csv", ["编号"], [["一"]])
        assert stream.getvalue().encode() == (tmp_path / "表.csv").read_bytes()

    def test_a_file_that_breaks_off_leaves_the_old_one_and_nothing_else(
        self, tmp_path: Path
    ) -> None:
        path = text_file(tmp_path, "旧")
        with pytest.raises(ZeroDivisionError):
            write_csv(path, ["数"], ([1 / (500 - number)] for number in range(1000)))
        assert [(p.name, p.read_text("utf-8")) for p in tmp_path.iterdir()] == [("表.csv", "旧")]

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(st.tuples(SCALARS, SCALARS), max_size=5))
    def test_any_text_comes_back_as_it_went(
        self, tmp_path: Path, pairs: list[tuple[str, str]]
    ) -> None:
        write_csv(tmp_path / "回.csv", ["甲", "乙"], pairs)

        def kept(text: str) -> str | None:
            guarded = f"'{text}" if text.startswith(FORMULA_STARTS) else text
            composed = unicodedata.normalize("NFC", guarded)
            return composed.strip().strip(BOM).strip() or None

        expected = [(kept(one), kept(other)) for one, other in pairs]
        rows = [tuple(row.cells.values()) for row in read_table(tmp_path / "回.csv").rows]
        assert rows == [pair for pair in expected if pair != (None, None)]


def month_sheet() -> OutputTab:
    rows: list[list[Value]] = [
        ["0017", date(2026, 9, 28), datetime(2026, 9, 28, 16, 20), Decimal("0.10"), 3],
        ["=1+1", date(2026, 9, 29), None, Decimal("0.20"), -1],
        ["http://x.example", date(2026, 9, 30), None, Decimal("1234567.89"), 0],
    ]
    formats: tuple[ColumnFormat, ...] = ("text", "date", "datetime", "money", "int")
    return OutputTab(
        "九月", ["工号", "日", "时", "金额", "次"], rows, formats=formats, widths=(30,)
    )


class TestXlsxOut:
    def test_every_value_comes_back_with_its_type_and_format(self, tmp_path: Path) -> None:
        write_xlsx(tmp_path / "表.xlsx", [month_sheet()])
        page = openpyxl.load_workbook(tmp_path / "表.xlsx")["九月"]
        first = page[2]
        assert [cell.value for cell in first[:3]] == [
            "0017",
            datetime(2026, 9, 28),
            datetime(2026, 9, 28, 16, 20),
        ]
        assert [cell.number_format for cell in first] == [
            "@",
            "yyyy-mm-dd",
            "yyyy-mm-dd hh:mm",
            "#,##0.00",
            "0",
        ]
        assert first[4].value == 3
        assert {cell.font.name for cell in (*page[1], *first)} == {"Microsoft YaHei"}
        assert page.column_dimensions["A"].width == pytest.approx(30, abs=1)

    def test_what_was_written_is_read_and_its_money_adds_up_to_the_fen(
        self, tmp_path: Path
    ) -> None:
        write_xlsx(tmp_path / "表.xlsx", [month_sheet()])
        rows = list(read_table(tmp_path / "表.xlsx").rows)
        assert [row.cells["工号"] for row in rows] == ["0017", "=1+1", "http://x.example"]
        assert rows[0].cells["日"] == date(2026, 9, 28)
        total = sum((Decimal(str(row.cells["金额"])) for row in rows), Decimal(0))
        assert total == Decimal("1234568.19")

    def test_a_text_is_never_a_formula_or_a_link(self, tmp_path: Path) -> None:
        texts = [f"{start}cmd|1" for start in FORMULA_STARTS]
        texts += ["http://x.example", "mailto:a@x.example", "{=1+1}", "<b>好</b>"]
        write_xlsx(tmp_path / "表.xlsx", [OutputTab("表", ["=1+1"], [[text] for text in texts])])
        with zipfile.ZipFile(tmp_path / "表.xlsx") as package:
            parts = {name: package.read(name) for name in package.namelist()}
        assert b"<f>" not in parts["xl/worksheets/sheet1.xml"]
        assert b"hyperlink" not in parts["xl/worksheets/sheet1.xml"]
        back = CalamineWorkbook.from_path(tmp_path / "表.xlsx").get_sheet_by_index(0).to_python()
        # XML makes one line end of both kinds.
        assert [str(row[0]).replace("\r", "\n") for row in back] == [
            text.replace("\r", "\n") for text in ["=1+1", *texts]
        ]

    def test_it_is_ready_for_the_screen_and_for_paper(self, tmp_path: Path) -> None:
        write_xlsx(tmp_path / "表.xlsx", [month_sheet()])
        page = openpyxl.load_workbook(tmp_path / "表.xlsx")["九月"]
        assert page.freeze_panes == "A2"
        assert page.auto_filter.ref == "A1:E4"
        assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
        assert page.print_title_rows == "$1:$1"
        pages = page.sheet_properties.pageSetUpPr
        assert pages is not None
        assert pages.fitToPage
        assert (page.page_setup.fitToWidth or 1, page.page_setup.fitToHeight) == (1, 0)

    def test_long_chinese_text_is_whole_up_to_what_a_cell_holds(self, tmp_path: Path) -> None:
        fits, too_long, paired = "长" * 32_767, "长" * 40_000, "𠮷" * 20_000
        write_xlsx(tmp_path / "表.xlsx", [OutputTab("表", ["文"], [[fits], [too_long], [paired]])])
        back = [row.cells["文"] for row in read_table(tmp_path / "表.xlsx").rows]
        assert back == [fits, "长" * 32_766 + "…", "𠮷" * 16_383 + "…"]

    def test_a_number_a_spreadsheet_would_round_is_written_as_text(self, tmp_path: Path) -> None:
        numbers: list[Value] = [
            110101199003071234,
            Decimal("12345678901234.567"),
            Decimal("9999999999999.99"),
        ]
        write_xlsx(tmp_path / "表.xlsx", [OutputTab("表", ["数"], [[n] for n in numbers])])
        back = [row.cells["数"] for row in read_table(tmp_path / "表.xlsx").rows]
        assert back == ["110101199003071234", "12345678901234.567", Decimal("9999999999999.99")]

    def test_a_day_before_spreadsheets_count_days_is_written_as_text(self, tmp_path: Path) -> None:
        write_xlsx(tmp_path / "表.xlsx", [OutputTab("表", ["日"], [[date(1899, 1, 1)]])])
        assert next(read_table(tmp_path / "表.xlsx").rows).cells == {"日": "1899-01-01"}

    def test_titles_are_made_lawful_and_different(self, tmp_path: Path) -> None:
        titles = ["罚单/9月", "罚单:9月", "History", "", "'", "长" * 40, "长" * 50, "a", "A"]
        write_xlsx(tmp_path / "表.xlsx", [OutputTab(title, ["x"], []) for title in titles])
        names = openpyxl.load_workbook(tmp_path / "表.xlsx").sheetnames
        assert names[:5] == ["罚单 9月", "罚单 9月 (2)", "History_", "_", "_ (2)"]
        assert names[5:] == ["长" * 31, "长" * 27 + " (2)", "a", "A (2)"]

    def test_a_sheet_longer_than_excel_allows_is_refused_and_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("files.tables_out._XLSX_ROWS", 100)
        with pytest.raises(TabTooLarge, match="表"):
            write_xlsx(tmp_path / "表.xlsx", [OutputTab("表", ["数"], ([n] for n in range(100)))])
        write_xlsx(tmp_path / "好.xlsx", [OutputTab("表", ["数"], ([n] for n in range(99)))])
        assert [path.name for path in tmp_path.iterdir()] == ["好.xlsx"]

    def test_a_source_that_fails_leaves_the_old_file(self, tmp_path: Path) -> None:
        path = text_file(tmp_path, "旧", name="表.xlsx")
        with pytest.raises(ZeroDivisionError):
            write_xlsx(path, [OutputTab("表", ["数"], ([1 / (5 - n)] for n in range(9)))])
        assert [(p.name, p.read_text("utf-8")) for p in tmp_path.iterdir()] == [("表.xlsx", "旧")]

    def test_ten_thousand_rows_are_not_held(self, tmp_path: Path) -> None:
        write_xlsx(tmp_path / "暖.xlsx", [month_sheet()])
        tracemalloc.start()
        rows: Iterator[list[Value]] = ([n, "空调异响" * 20] for n in range(10_000))
        write_xlsx(tmp_path / "大.xlsx", [OutputTab("表", ["编号", "内容"], rows)])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3_000_000

    def test_a_workbook_without_a_sheet_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="sheet"):
            write_xlsx(tmp_path / "表.xlsx", [])
