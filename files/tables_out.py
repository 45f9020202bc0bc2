"""Tables out: writes CSV and XLSX for Excel, WPS or LibreOffice.

A text that begins with =, +, -, @, a tab or a line end is taken for a formula when a CSV is opened,
so a customer could put a link or a command into a case and have it run on the machine of a
colleague who exports the list. In CSV only a leading apostrophe keeps such a text a text. XLSX
stores the type of a cell, so there a text is stored as it is.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO
from uuid import uuid4

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

Value = str | int | float | Decimal | date | datetime | bool | None
ColumnFormat = Literal["text", "date", "datetime", "money", "int"]

BOM = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Chinese and Japanese settings read the four full-width characters as their narrow equals."""

_CHUNK_ROWS = 200

_XLSX_ROWS = 1_048_576
_XLSX_COLUMNS = 16_384
_XLSX_TEXT_UNITS = 32_767  # of UTF-16
_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number
_FIRST_SURE_YEAR = 1901  # spreadsheets count days from 1900 and disagree on its February
_A4 = 9
_FONT = "Microsoft YaHei"  # with Excel and WPS on Windows; others substitute a Chinese font
_NUMBER_FORMATS = {
    "text": "@",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
    "money": "#,##0.00",
    "int": "0",
    "general": "General",
}
_WIDTHS = {"text": 16.0, "date": 12.0, "datetime": 17.0, "money": 13.0, "int": 9.0}
_TITLE_CHARS = 31
_FORBIDDEN_IN_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


class TabTooLarge(ValueError):
    """A tab beyond the 1,048,576 rows and 16,384 columns of XLSX; `title` names it."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title


@dataclass(frozen=True)
class OutputTab:
    """A tab to write: rows are iterated once, and each has as many values as the header.

    `formats` and `widths` (in characters) belong to the columns by position; a column without one
    is text of a usual width. A value that does not fit its column's format keeps its own type: a
    date in a text column is still a date.
    """

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Value]]
    formats: Sequence[ColumnFormat] = ()
    widths: Sequence[float] = ()


# --- CSV ----------------------------------------------------------------------------------------


def csv_chunks(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """Yield a CSV in pieces, for a response that streams; encode each piece as UTF-8.

    It begins with a byte order mark, without which Excel shows Chinese as nonsense; separated by
    commas, lines ended by CR LF (RFC 4180). Days are YYYY-MM-DD, instants YYYY-MM-DD HH:MM:SS in
    the zone they come in, numbers without exponent or grouping. Raises TypeError for a value that
    is none of Value, ValueError for a datetime with a zone: convert it to the company's first.
    """
    yield BOM + _csv_text([[str(name) for name in header]])
    remaining = iter(rows)
    while batch := list(islice(remaining, _CHUNK_ROWS)):
        yield _csv_text(batch)


def write_csv(
    stream_or_path: TextIO | str | Path,
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
) -> None:
    """Write what csv_chunks yields into a text stream or a file.

    A stream must be opened with encoding="utf-8" and newline="". A file appears whole or not at
    all. Errors as of csv_chunks.
    """
    if not isinstance(stream_or_path, str | Path):
        stream_or_path.writelines(csv_chunks(header, rows))
        return
    with (
        _appearing_whole(Path(stream_or_path)) as part,
        part.open("w", encoding="utf-8", newline="") as stream,
    ):
        stream.writelines(csv_chunks(header, rows))


def _csv_text(rows: Iterable[Sequence[Value]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(map(_csv_value, row) for row in rows)
    return buffer.getvalue()


def _csv_value(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return _zoneless(value).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return format(Decimal(str(value)), "f")
    raise TypeError(f"no cell of a table can hold {type(value).__name__}")


def _zoneless(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise ValueError("a table shows the company's time: convert the instant, drop its zone")
    return value


# --- XLSX ---------------------------------------------------------------------------------------


def write_xlsx(path: str | Path, sheets: Sequence[OutputTab]) -> None:
    """Write a workbook with one row in memory at a time; the file appears whole or not at all.

    Every text is stored as text, never as formula or link; a text longer than a cell can hold is
    cut and ends in an ellipsis; a number beyond 15 digits is stored as text, because a spreadsheet
    would round it. The header is frozen, filtered and repeated on paper (A4 landscape, one page
    wide). Titles lose what Excel forbids and are made different from each other. Raises TypeError
    and ValueError as csv_chunks does, TabTooLarge, and ValueError without a tab.
    """
    if not sheets:
        raise ValueError("a workbook needs a sheet")
    with _appearing_whole(Path(path)) as part, _workbook(part) as book:
        formats = _formats(book)
        taken: set[str] = set()
        for sheet in sheets:
            page = book.add_worksheet(_unique_title(sheet.title, taken))
            _write_sheet(page, sheet, formats)


@contextmanager
def _workbook(part: Path) -> Iterator[Workbook]:
    with tempfile.TemporaryDirectory(dir=part.parent, prefix=".rows-") as rows_until_close:
        book = xlsxwriter.Workbook(str(part), {"constant_memory": True, "tmpdir": rows_until_close})
        try:
            yield book
        except BaseException:
            # Only closing ends its open files; the half file is then removed by _whole.
            with suppress(Exception):
                book.close()
            raise
        book.close()


def _formats(book: Workbook) -> dict[str, Format]:
    body = {"font_name": _FONT, "font_size": 10, "valign": "top"}
    made = {
        name: book.add_format(body | {"num_format": shown})
        for name, shown in _NUMBER_FORMATS.items()
    }
    made["text"].set_text_wrap()
    head = body | {"bold": True, "text_wrap": True, "valign": "vcenter", "num_format": "@"}
    made["header"] = book.add_format(head | {"bg_color": "#E8EEF4", "bottom": 1})
    return made


def _write_sheet(page: Worksheet, sheet: OutputTab, formats: dict[str, Format]) -> None:
    _lay_out(page, sheet, formats)
    for column, name in enumerate(sheet.header):
        _write_text(page, 0, column, text=str(name), style=formats["header"])
    last_row = 0
    for last_row, values in enumerate(sheet.rows, start=1):
        if last_row >= _XLSX_ROWS or len(values) > _XLSX_COLUMNS:
            raise TabTooLarge(sheet.title)
        for column, value in enumerate(values):
            _write_value(
                page,
                last_row,
                column,
                value=value,
                kind=_column_format(sheet, column),
                formats=formats,
            )
    if sheet.header:
        page.autofilter(0, 0, last_row, len(sheet.header) - 1)


def _lay_out(page: Worksheet, sheet: OutputTab, formats: dict[str, Format]) -> None:
    if len(sheet.header) > _XLSX_COLUMNS:
        raise TabTooLarge(sheet.title)
    for column in range(len(sheet.header)):
        kind = _column_format(sheet, column)
        width = sheet.widths[column] if column < len(sheet.widths) else _WIDTHS[kind]
        page.set_column(column, column, width, formats[kind])
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    page.set_landscape()
    page.set_paper(_A4)
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    page.set_footer("&L&A&R&P / &N")


def _column_format(sheet: OutputTab, column: int) -> ColumnFormat:
    return sheet.formats[column] if column < len(sheet.formats) else "text"


def _write_value(
    page: Worksheet,
    row: int,
    column: int,
    *,
    value: Value,
    kind: ColumnFormat,
    formats: dict[str, Format],
) -> None:
    if value is None or value == "":
        return
    if isinstance(value, str):
        _write_text(page, row, column, text=value, style=formats["text"])
    elif isinstance(value, bool):
        page.write_boolean(row, column, value, formats["general"])
    elif isinstance(value, date) and value.year < _FIRST_SURE_YEAR:
        _write_text(page, row, column, text=_csv_value(value), style=formats["text"])
    elif isinstance(value, datetime):
        shown = "date" if kind == "date" else "datetime"
        page.write_datetime(row, column, _zoneless(value), formats[shown])
    elif isinstance(value, date):
        page.write_datetime(row, column, value, formats["date"])  # type: ignore[call-overload]  # a date is taken too
    elif isinstance(value, int | float | Decimal):
        shown = kind if kind in ("money", "int") else "general"
        _write_number(page, row, column, value=value, style=formats[shown], text=formats["text"])
    else:
        raise TypeError(f"no cell of a table can hold {type(value).__name__}")


def _write_text(page: Worksheet, row: int, column: int, *, text: str, style: Format) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) > _XLSX_TEXT_UNITS * 2:
        text = units[: (_XLSX_TEXT_UNITS - 1) * 2].decode("utf-16-le", "ignore") + "…"
    page.write_string(row, column, text, style)


def _write_number(
    page: Worksheet,
    row: int,
    column: int,
    *,
    value: int | float | Decimal,
    style: Format,
    text: Format,
) -> None:
    number = Decimal(str(value))
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > _EXACT_DIGITS:
        page.write_string(row, column, str(value), text)
    else:
        page.write_number(row, column, value, style)  # type: ignore[arg-type]  # writes its digits


def _unique_title(wanted: str, taken: set[str]) -> str:
    """Return a title Excel accepts, unlike any in `taken` whatever the case, and take it."""
    clean = _FORBIDDEN_IN_TITLE.sub(" ", wanted).strip(" '")[:_TITLE_CHARS].strip(" '")
    base = clean if clean and clean.lower() != "history" else f"{clean}_".lstrip()
    title, number = base, 1
    while title.lower() in taken:
        number += 1
        ending = f" ({number})"
        title = base[: _TITLE_CHARS - len(ending)] + ending
    taken.add(title.lower())
    return title


@contextmanager
def _appearing_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside the final one, to which it is renamed if nothing goes wrong."""
    part = path.with_name(f".{uuid4().hex}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
