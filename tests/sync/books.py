"""Workbooks for the tests: one as Redress makes it, and one full of what people add to theirs.

`rich` is written by XlsxWriter and then by hand: a chart, a picture, a text box, rich text,
comments, formulas with their values, a table, sparklines and data bars in extensions, names, a
calculation chain and a part nobody knows.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import xlsxwriter

from sync.port import ColumnLayout, TabLayout, WorkbookWrite
from sync.workbook.adapter import WorkbookFile
from sync.workbook.locating import mark, name_of_column

OPEN = TabLayout(
    key="open",
    title="在办",
    columns=(
        ColumnLayout("uid", "uid", hidden=True),
        ColumnLayout("number", "案号", 16, "link"),
        ColumnLayout("next", "下一步", 24),
        ColumnLayout("due", "期限", 17, "datetime"),
        ColumnLayout("hint", "同步提示", 30, note="系统写给您的话"),
        ColumnLayout("handler", "处理人", 18, open_=True, choices_from="people", note="从列表里选"),
        ColumnLayout(
            "contacted", "首次联系时间", 17, "datetime", True, note="例如 2026-09-28 14:05"
        ),
        ColumnLayout("result", "处理结果", 14, open_=True, choices=("已解决", "无法解决")),
        ColumnLayout("text", "结果说明", 36, open_=True),
        ColumnLayout("amount", "金额", 12, "money", True),
        ColumnLayout("phone", "电话", 15),
    ),
    due="due",
    done="result",
)
TODAY = TabLayout("today", "今日", (OPEN.columns[0], *OPEN.columns[1:5]), locked=True, due="due")
PEOPLE = TabLayout(
    "people", "人员", (OPEN.columns[0], ColumnLayout("name", "姓名", 20)), hidden=True
)
TABS = (TODAY, OPEN, PEOPLE)
DUE = dt.datetime(2026, 9, 28, 14, 5)
LINES = 20


def uid(row: int) -> str:
    """The id of a row in these books."""
    return f"CMP-{row:06d}-k"


def made(path: Path, lines: int = 0) -> WorkbookFile:
    """A book as Redress makes it, with some lines written by a first pass."""
    book = WorkbookFile(path)
    book.make(TABS)
    if lines:
        cells: dict[tuple[int, str], Any] = {}
        for row in range(2, lines + 2):
            cells |= {(row, "uid"): uid(row), (row, "number"): f"SKD-{row}", (row, "due"): DUE}
        book.write(book.read(TABS), TABS, WorkbookWrite(1, {"open": cells}))
    return book


# ---------------------------------------------------------------- zip surgery


def parts(path: Path) -> dict[str, bytes]:
    """Every part of a book and its content, in the order of the file."""
    with zipfile.ZipFile(path) as package:
        return {entry.filename: package.read(entry) for entry in package.infolist()}


def rezip(path: Path, new: dict[str, bytes]) -> None:
    """Write a book of these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in new.items():
            package.writestr(
                zipfile.ZipInfo(name, (2026, 9, 28, 14, 4, 2)), content, zipfile.ZIP_DEFLATED
            )


def operate(path: Path, part: str, old: str, new: str) -> None:
    """Replace the first place of a text in a part; it must be there."""
    content = parts(path)
    before = content[part].decode()
    assert old in before, f"{part} has no {old}"
    content[part] = before.replace(old, new, 1).encode()
    rezip(path, content)


def add_relation(content: dict[str, bytes], rels: str, relation: str) -> None:
    """Add a relation to a list of relations."""
    content[rels] = content[rels].replace(
        b"</Relationships>", relation.encode() + b"</Relationships>"
    )


def sheet_part(path: Path, title: str) -> str:
    """The name of a tab's part."""
    content = parts(path)
    ids = dict(
        re.findall(
            r'<sheet [^>]*name="([^"]+)"[^>]*r:id="([^"]+)"', content["xl/workbook.xml"].decode()
        )
    )
    for tag in re.findall(r"<Relationship [^>]+>", content["xl/_rels/workbook.xml.rels"].decode()):
        if f'Id="{ids[title]}"' in tag:
            found = re.search(r'Target="/?(?:xl/)?([^"]+)"', tag)
            assert found is not None
            return f"xl/{found[1]}"
    raise AssertionError(f"no tab {title}")


def picture() -> io.BytesIO:
    """A picture of one red point."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">2I5B", 1, 1, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0\xff\0\0")
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


# ---------------------------------------------------------------- a book full of people's things


def rich(path: Path, *, date_1904: bool = False) -> WorkbookFile:
    """A department's book after a year: our tab and theirs, with everything that is easily lost."""
    book = xlsxwriter.Workbook(str(path), {"date_1904": date_1904})
    sheet = book.add_worksheet("在办")
    own = book.add_worksheet("我们的统计")
    _our_tab(book, sheet)
    _their_columns(book, sheet)
    _their_tab(book, own)
    for position, column in enumerate(OPEN.columns):
        letter = chr(65 + position)
        book.define_name(name_of_column("open", position, column.field), f"=在办!${letter}$1")
    book.define_name("税率", "=我们的统计!$B$1")
    book.close()
    _by_hand(path)
    found = WorkbookFile(path)
    assert found.read(TABS).stamp == 3
    return found


def _our_tab(book: Any, sheet: Any) -> None:
    head = book.add_format({"bold": True, "bg_color": "#1F4E5F", "font_color": "white"})
    date = book.add_format({"num_format": 'yyyy"年"m"月"d"日" hh:mm'})
    sheet.write_string(0, 0, mark("open", 3), head)
    for position, column in enumerate(OPEN.columns[1:], start=1):
        sheet.write_string(0, position, column.header, head)
    sheet.set_column(0, 0, 10, None, {"hidden": True})
    sheet.set_column(3, 3, 17, date)
    sheet.set_column(6, 6, 17, date)
    for row in range(2, LINES + 2):
        sheet.write_string(row - 1, 0, uid(row))
        sheet.write_string(row - 1, 1, f"SKD-2026-{row:04d}")
        sheet.write_datetime(row - 1, 3, DUE + dt.timedelta(hours=row), date)
        sheet.write_string(row - 1, 8, f"说明 {row}")
        sheet.write_number(row - 1, 9, row * 10.5)
    sheet.freeze_panes(1, 3)
    sheet.autofilter(0, 0, LINES, 10)
    sheet.set_row(4, 40, book.add_format({"bg_color": "#FFFF00"}))


def _their_columns(book: Any, sheet: Any) -> None:
    bold, red = book.add_format({"bold": True}), book.add_format({"font_color": "red"})
    sheet.write_string(0, 12, "我们的备注")
    sheet.write_rich_string(1, 12, bold, "重要", " 请先", red, "回电", " 客户")
    for row in range(2, LINES + 1):
        sheet.write_formula(row - 1, 13, f"=J{row}*税率", None, row * 10.5 * 1.13)
    sheet.write_array_formula(1, 14, 3, 14, "{=J2:J4*2}", None, 42.0)
    sheet.write_comment(1, 8, "客户要求书面答复", {"author": "部门"})
    sheet.write_url(2, 12, "https://example.com/看", string="链接")
    sheet.insert_textbox(24, 2, "打印前请先筛选", {"width": 200})
    sheet.conditional_format(1, 9, LINES, 9, {"type": "data_bar", "data_bar_2010": True})
    sheet.add_sparkline(1, 15, {"range": "在办!J2:J9"})
    sheet.data_validation(1, 7, LINES, 7, {"validate": "list", "source": ["已解决", "无法解决"]})


def _their_tab(book: Any, own: Any) -> None:
    own.write(0, 0, "税率")
    own.write(0, 1, 1.13)
    own.write_formula(1, 1, "=SUM(在办!J2:J21)", None, 2541.0)
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=在办!$J$2:$J$21"})
    own.insert_chart("D2", chart)
    own.insert_image("D20", "point.png", {"image_data": picture()})
    own.add_table("A5:B8", {"columns": [{"header": "人"}, {"header": "件数"}]})


def _by_hand(path: Path) -> None:
    """What XlsxWriter does not write: a chain, unknown attributes, a part nobody knows."""
    content = parts(path)
    cells = "".join(f'<c r="N{row}" i="1"/>' for row in range(2, LINES + 1))
    content["xl/calcChain.xml"] = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<c r="B2" i="2"/>{cells}<c r="O2" a="1"/></calcChain>'
    ).encode()
    content["customXml/item1.xml"] = '<部门 xmlns="urn:own">保留</部门>'.encode()
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    add_relation(
        content,
        "xl/_rels/workbook.xml.rels",
        f'<Relationship Id="rId99" Type="{base}/calcChain" Target="calcChain.xml"/>'
        f'<Relationship Id="rId98" Type="{base}/customXml" Target="../customXml/item1.xml"/>',
    )
    types = content["[Content_Types].xml"]
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
    override = f'<Override PartName="/xl/calcChain.xml" ContentType="{kind}"/></Types>'.encode()
    content["[Content_Types].xml"] = types.replace(b"</Types>", override)
    sheet = content["xl/worksheets/sheet1.xml"].decode()
    sheet = sheet.replace('<row r="3"', '<row r="3" own:seen="yes"', 1)
    sheet = sheet.replace('mc:Ignorable="x14ac"', 'xmlns:own="urn:own" mc:Ignorable="x14ac own"', 1)
    assert "xmlns:own" in sheet
    content["xl/worksheets/sheet1.xml"] = sheet.encode()
    rezip(path, content)
