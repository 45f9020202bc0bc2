"""Tables in: reads CSV as Excel and WPS save it, XLSX, XLS and ODS.

The content decides the kind of a file, because people rename files: a workbook saved as .csv is
read, and so is the tab-separated text that many programs export as .xls. A file is checked
completely before its first row is handed out, so a refusal comes before anything is stored.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol
from xml.parsers import expat

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from files.workbook_extent import bytes_unpacked, cells_spanned, hidden_rows

Cell = str | date | datetime | Decimal | bool | None

REASONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "missing_file": ("file",),
        "not_a_file": ("file",),
        "not_permitted": ("file",),
        "empty": ("file",),
        "not_a_table": ("file", "found"),
        "encrypted": ("file",),
        "unreadable_encoding": ("file", "line"),
        "broken_quotes": ("file", "line"),
        "missing_sheet": ("file", "sheet", "sheets"),
        "no_header": ("file", "row"),
        "duplicate_header": ("file", "row", "name", "columns"),
        "too_many_rows": ("file", "limit"),
        "cell_too_long": ("file", "row", "column", "limit"),
        "too_large": ("file", "limit"),
        "too_many_cells": ("file", "limit"),
    }
)
"""Every reason a table can be refused for, with the names of its facts, for the wording."""

FOUND = ("damaged", "picture", "pdf", "web_page", "document", "binary", "unknown")
"""The values of the fact `found` of not_a_table."""

MAX_SPANNED_CELLS = 20_000_000
MAX_UNPACKED_BYTES = 1 << 30

_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"})
_TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xls"})
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
_ODS_MANIFEST = "META-INF/manifest.xml"
_SIGNATURES = (
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"%PDF", "pdf"),
    (b"{\\rtf", "document"),
)
_WEB_PAGE = re.compile(rb"\s*<(!doctype|html|table|\?xml|head|meta)", re.IGNORECASE)
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = ",\t;"
_SEPARATOR_HINT = re.compile(r"\ufeff?sep=([,;\t|])", re.IGNORECASE)
_INVISIBLE = re.compile(r"^[\s\u200b-\u200d\u2060\ufeff]+|[\s\u200b-\u200d\u2060\ufeff]+$")
_CHUNK_BYTES = 1 << 16
_HEADER_CHARS = 1 << 16

# A text in GB18030 stops being valid UTF-8 at nearly its first Chinese word; one that was valid
# for this many characters is damaged UTF-8, and GB18030 would turn it into nonsense unnoticed.
_SURELY_UTF8_CHARS = 20


class TableRefused(Exception):
    """A file that cannot be read as a table: `code` is a key of REASONS, `facts` what it names."""

    def __init__(self, code: str, facts: Mapping[str, Any]) -> None:
        super().__init__(code, dict(facts))
        self.code = code
        self.facts = dict(facts)

    def __str__(self) -> str:
        return f"{self.code} {self.facts}"


@dataclass(frozen=True)
class TableRow:
    """A row; `number` counts as the file does (1-based line of a text, row of a tab).

    `cells` has every name of the header. `surplus` holds the cells of columns without a name,
    mostly there because a comma in a text was not quoted; an import must not drop them in silence.
    """

    number: int
    cells: dict[str, Cell]
    surplus: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class InputTable:
    """A table that was checked; `rows` can be iterated once and skips empty rows.

    `count` is the number of rows, `hidden` how many of them a filter or a hand has hidden in a
    workbook. `sheet` is the tab's name, None for a text file.
    """

    file: str
    sheet: str | None
    header: tuple[str, ...]
    rows: Iterator[TableRow]
    count: int
    hidden: int = 0


def read_table(
    path: str | Path,
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    header_rows: int = 1,
    max_rows: int = 200_000,
    max_cell_chars: int = 100_000,
) -> InputTable:
    """Return the table in a .csv, .tsv, .txt, .xlsx, .xlsm, .xls or .ods file.

    Without `sheet` it is the first visible tab of a workbook. Without `header_row` (1-based, as the
    file counts) the first row that is not empty is the header. Names in several rows
    (`header_rows`) become one: “group/name”, a merged group over each of its columns. Text is put
    into Unicode NFC and trimmed; an empty cell is None. Cells of a text file are text; a workbook
    gives dates, datetimes (without zone), Decimals and truth values; a time of day or a duration is
    text (H:MM:SS). A text file is never held in memory; a workbook is, by its reader.

    Raises TableRefused, and nothing else, for a file that is at fault.
    """
    path = Path(path)
    with _translated(path.name):
        source = _source(path, sheet)
        header, number = _header(source, header_row, rows=header_rows)
        count = _count_rows(
            source, header, number, max_rows=max_rows, max_cell_chars=max_cell_chars
        )
        hidden = hidden_rows(path, source.sheet) if source.sheet is not None else 0
    return InputTable(
        path.name,
        source.sheet,
        _column_names(header),
        _rows(source, header, number),
        count,
        hidden=hidden,
    )


@contextmanager
def _translated(file: str) -> Iterator[None]:
    """Turn every exception of a reader or of the system into TableRefused."""
    try:
        yield
    except TableRefused:
        raise
    except FileNotFoundError:
        raise TableRefused("missing_file", {"file": file}) from None
    except IsADirectoryError:
        raise TableRefused("not_a_file", {"file": file}) from None
    except PermissionError:
        raise TableRefused("not_permitted", {"file": file}) from None
    except PasswordError as error:
        raise TableRefused("encrypted", {"file": file}) from error
    except _DAMAGE as error:
        raise TableRefused("not_a_table", {"file": file, "found": "damaged"}) from error
    except BaseException as error:
        # The reader's own panics do not derive from Exception and have no importable name.
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise TableRefused("not_a_table", {"file": file, "found": "damaged"}) from error


# zipfile raises RuntimeError for a part under a password, NotImplementedError for a rare packing.
_DAMAGE = (
    CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
)


class _Source(Protocol):
    """A file as lines of cells, which can be read any number of times."""

    file: str
    sheet: str | None

    def lines(self) -> Iterator[tuple[int, list[Cell]]]: ...


def _source(path: Path, sheet: str | None) -> _Source:
    with path.open("rb") as stream:
        head = stream.read(512)
    if not head:
        raise TableRefused("empty", {"file": path.name})
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise TableRefused("not_a_table", {"file": path.name, "found": "unknown"})
    if head.startswith((_ZIP, _OLE)):
        return _workbook(path, sheet, head)
    _refuse_foreign(path, head)
    if suffix not in _TEXT_SUFFIXES:
        raise TableRefused("not_a_table", {"file": path.name, "found": "damaged"})
    if sheet is not None:
        raise TableRefused("missing_sheet", {"file": path.name, "sheet": sheet, "sheets": ()})
    encoding = _encoding(path, head)
    return _TextSource(path, encoding, _delimiter(path, encoding))


def _refuse_foreign(path: Path, head: bytes) -> None:
    found = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
    if found == "picture" and b"\0" not in head:
        found = None  # "BM" and "GIF8" can also begin a header of text.
    if found is None and _WEB_PAGE.match(head.removeprefix(codecs.BOM_UTF8)):
        found = "web_page"
    if found is not None:
        raise TableRefused("not_a_table", {"file": path.name, "found": found})


# --- text ---------------------------------------------------------------------------------------


class _TextSource:
    sheet: str | None = None

    def __init__(self, path: Path, encoding: str, delimiter: str) -> None:
        self.file = path.name
        self._path = path
        self._encoding = encoding
        self._delimiter = delimiter

    def lines(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield the number of a record's first line, and its cells."""
        with self._path.open(encoding=self._encoding, newline="") as stream:
            # Strict, because a quote that is never closed would swallow the rows after it.
            reader = csv.reader(stream, delimiter=self._delimiter, strict=True)
            started = 1
            try:
                for fields in reader:
                    # Excel's own hint at the separator, "sep=;", is no row of the table.
                    if started > 1 or not _SEPARATOR_HINT.fullmatch(self._delimiter.join(fields)):
                        yield started, [_text(field) for field in fields]
                    started = reader.line_num + 1
            except csv.Error as error:
                raise self._refusal(error, started) from None

    def _refusal(self, error: csv.Error, line: int) -> TableRefused:
        if "field limit" in str(error):
            limit = csv.field_size_limit()
            facts = {"file": self.file, "row": line, "column": None, "limit": limit}
            return TableRefused("cell_too_long", facts)
        return TableRefused("broken_quotes", {"file": self.file, "line": line})


def _encoding(path: Path, head: bytes) -> str:
    """Return the encoding in which the whole file can be read."""
    if head.startswith(_UTF16_BOMS):
        candidates = ["utf-16"]  # Excel's "Unicode text"
    elif head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif b"\0" in head:
        raise TableRefused("not_a_table", {"file": path.name, "found": "binary"})
    else:
        candidates = ["utf-8", "gb18030"]
    flaws = []
    for encoding in candidates:
        flaw = _flaw(path, encoding)
        if flaw is None:
            return encoding
        flaws.append(flaw)
        if flaw.foreign_chars_before >= _SURELY_UTF8_CHARS:
            break
    raise TableRefused("unreadable_encoding", {"file": path.name, "line": flaws[-1].line})


@dataclass(frozen=True)
class _Flaw:
    """The point where an encoding no longer fits: its line, and the characters beyond ASCII before
    it.
    """

    line: int
    foreign_chars_before: int


def _flaw(path: Path, encoding: str) -> _Flaw | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    line, foreign = 1, 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK_BYTES)
            try:
                text, flawed = decoder.decode(chunk, final=not chunk), False
            except UnicodeDecodeError as error:
                text, flawed = error.object[: error.start].decode(encoding, "ignore"), True
            if "\0" in text:
                raise TableRefused("not_a_table", {"file": path.name, "found": "binary"})
            line += text.count("\n")
            foreign += len(text) - len(text.encode("ascii", "ignore"))
            if flawed:
                return _Flaw(line, foreign)
            if not chunk:
                return None


def _delimiter(path: Path, encoding: str) -> str:
    """Return the separator that stands most often outside quotes in the first filled line."""
    with path.open(encoding=encoding, newline="") as stream:
        sample = stream.read(_HEADER_CHARS).lstrip("\ufeff \r\n")
    unquoted = re.sub(r'"[^"]*("|\Z)', "", sample)
    first_line = re.split(r"[\r\n]", unquoted, maxsplit=1)[0]
    if hint := _SEPARATOR_HINT.fullmatch(first_line):
        return hint[1]
    return max(_DELIMITERS, key=first_line.count)


# --- workbooks ----------------------------------------------------------------------------------


class _WorkbookSource:
    def __init__(self, file: str, sheet: CalamineSheet) -> None:
        self.file = file
        self.sheet: str | None = sheet.name
        self._sheet = sheet

    def lines(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield every row from row 1 with its number; the reader keeps the empty ones above."""
        for number, values in enumerate(self._sheet.iter_rows(), start=1):
            yield number, [_cell(value) for value in values]


def _workbook(path: Path, sheet: str | None, head: bytes) -> _WorkbookSource:
    if head.startswith(_ZIP):
        _guard_package(path)
    workbook = _open_workbook(path)
    with workbook:
        name = _sheet_name(workbook) if sheet is None else sheet
        if name is None or name not in workbook.sheet_names:
            facts = {"file": path.name, "sheet": name, "sheets": tuple(workbook.sheet_names)}
            raise TableRefused("missing_sheet", facts)
        return _WorkbookSource(path.name, workbook.get_sheet_by_name(name))


def _guard_package(path: Path) -> None:
    """Refuse a zip package that is no workbook, is locked, or would fill the memory."""
    if bytes_unpacked(path) > MAX_UNPACKED_BYTES:
        raise TableRefused("too_large", {"file": path.name, "limit": MAX_UNPACKED_BYTES})
    with zipfile.ZipFile(path) as package:
        names = frozenset(package.namelist())
        manifest = package.read(_ODS_MANIFEST) if _ODS_MANIFEST in names else b""
    if b"encryption-data" in manifest:
        raise TableRefused("encrypted", {"file": path.name})
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise TableRefused("not_a_table", {"file": path.name, "found": "document"})
    if "xl/workbook.bin" in names:  # XLSB, whose extent cannot be looked up beforehand
        raise TableRefused("not_a_table", {"file": path.name, "found": "unknown"})
    if cells_spanned(path) > MAX_SPANNED_CELLS:
        raise TableRefused("too_many_cells", {"file": path.name, "limit": MAX_SPANNED_CELLS})


def _open_workbook(path: Path) -> CalamineWorkbook:
    """Open by suffix, which tells a password from damage; then by content, for a renamed file."""
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError:
        raise
    except CalamineError:
        content = path.read_bytes()
        if _ENCRYPTED_PART in content:
            raise TableRefused("encrypted", {"file": path.name}) from None
        return CalamineWorkbook.from_filelike(io.BytesIO(content))


def _sheet_name(workbook: CalamineWorkbook) -> str | None:
    visible = (
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    )
    return next(visible, next(iter(workbook.sheet_names), None))


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | date):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, time):
        return f"{value.hour}:{value.minute:02}:{value.second:02}"
    return None


def _number(value: float) -> Cell:
    """Return the shortest decimal equal to the float: as a spreadsheet shows it, without an
    exponent.
    """
    number = Decimal(repr(value))
    if not number.is_finite():
        return str(value)
    plain = format(number, "f")
    return Decimal(plain.rstrip("0").rstrip(".") if "." in plain else plain)


def _text(value: str) -> str | None:
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", value)) or None


# --- header and rows ----------------------------------------------------------------------------


def _header(source: _Source, header_row: int | None, *, rows: int) -> tuple[list[str | None], int]:
    """Return the names by position (None where a column has none) and the header's last row."""
    lines = source.lines()
    for number, cells in lines:
        if header_row in (None, number) and _is_filled(cells):
            below = list(islice(lines, rows - 1))
            last = below[-1][0] if below else number
            return _names(source, number, rows=[cells, *(one for _, one in below)]), last
        if header_row is not None and number >= header_row:
            raise TableRefused("no_header", {"file": source.file, "row": header_row})
    if header_row is not None:
        raise TableRefused("no_header", {"file": source.file, "row": header_row})
    raise TableRefused("empty", {"file": source.file})


def _names(source: _Source, number: int, *, rows: Sequence[Sequence[Cell]]) -> list[str | None]:
    if not any(isinstance(cell, str) for row in rows for cell in row):
        raise TableRefused("no_header", {"file": source.file, "row": number})
    names = _joined_names(rows)
    for name in filter(None, names):
        columns = tuple(place for place, other in enumerate(names, start=1) if other == name)
        if len(columns) > 1:
            facts = {"file": source.file, "row": number, "name": name, "columns": columns}
            raise TableRefused("duplicate_header", facts)
    return names


def _joined_names(rows: Sequence[Sequence[Cell]]) -> list[str | None]:
    """Return one name a column from the rows of a header, groups over each of their columns.

    A merged cell has its text in its first column only, so a group reaches to the right as far as
    there are names below it and no other group.
    """
    width = max(map(len, rows))
    grid = [[*row, *[None] * (width - len(row))] for row in rows]
    for depth, row in enumerate(grid[:-1]):
        named = [
            any(under[place] is not None for under in grid[depth + 1 :]) for place in range(width)
        ]
        for place in range(1, width):
            if row[place] is None and named[place] and named[place - 1]:
                row[place] = row[place - 1]
    columns = (
        [str(row[place]) for row in grid if row[place] is not None] for place in range(width)
    )
    return ["/".join(dict.fromkeys(parts)) or None for parts in columns]


def _column_names(header: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(name for name in header if name is not None)


def _is_filled(cells: Iterable[Cell]) -> bool:
    return any(cell is not None for cell in cells)


def _filled_lines(source: _Source, header_number: int) -> Iterator[tuple[int, list[Cell]]]:
    for number, cells in source.lines():
        if number > header_number and _is_filled(cells):
            yield number, cells


def _count_rows(
    source: _Source,
    header: Sequence[str | None],
    header_number: int,
    *,
    max_rows: int,
    max_cell_chars: int,
) -> int:
    """Count the rows; refuse one that cannot be read or is beyond the limits."""
    count = 0
    for count, (number, cells) in enumerate(_filled_lines(source, header_number), start=1):
        if count > max_rows:
            raise TableRefused("too_many_rows", {"file": source.file, "limit": max_rows})
        for place, cell in enumerate(cells):
            if isinstance(cell, str) and len(cell) > max_cell_chars:
                name = header[place] if place < len(header) else None
                facts = {"file": source.file, "row": number, "column": name}
                raise TableRefused("cell_too_long", facts | {"limit": max_cell_chars})
    return count


def _rows(source: _Source, header: Sequence[str | None], header_number: int) -> Iterator[TableRow]:
    with _translated(source.file):
        for number, cells in _filled_lines(source, header_number):
            padded = cells + [None] * (len(header) - len(cells))
            named = {name: cell for name, cell in zip(header, padded, strict=False) if name}
            unnamed = (
                cell
                for place, cell in enumerate(cells)
                if cell is not None and (place >= len(header) or header[place] is None)
            )
            yield TableRow(number, named, tuple(unnamed))
