"""The cells of a worksheet part, row by row, without ever holding the sheet in memory."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import IO

from sync.port import Broken, Computed, Read
from sync.workbook.package import WorkbookParts, feed, parser, unescaped

DIGITS = "0123456789"
LAST_COLUMN = 16_384
LAST_ROW = 1_048_576
LAST_DAY = 2_958_466  # the first serial after the year 9999
MILLISECONDS = 86_400_000

Row = list[tuple[int, Read]]
Area = tuple[int, int, int, int]
"""First row, first column, last row, last column."""


class StopReading(Exception):
    """Whoever takes the rows has seen what he wanted."""


# ---------------------------------------------------------------- references


def column_number(letters: str) -> int:
    """The number of a column from its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(f"no column: {letters}")
        number = number * 26 + ord(letter) - 64
    if not 1 <= number <= LAST_COLUMN:
        raise ValueError(f"no column: {letters}")
    return number


def column_letters(number: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell(row: int, column: int) -> str:
    """The name of a cell, such as B12."""
    return f"{column_letters(column)}{row}"


def area(reference: str) -> Area:
    """The corners of a reference such as B2:D9 or B2; dollar signs do not matter."""
    first, _, last = reference.replace("$", "").partition(":")
    row, column = _corner(first)
    below, right = _corner(last) if last else (row, column)
    return min(row, below), min(column, right), max(row, below), max(column, right)


def _corner(reference: str) -> tuple[int, int]:
    letters = reference.rstrip(DIGITS)
    return int(reference[len(letters) :]), column_number(letters)


# ---------------------------------------------------------------- days and numbers


def moment_of(serial: float, *, from_1904: bool) -> dt.datetime | None:
    """The time a serial number stands for, to the millisecond; None where no calendar has it.

    Below 1 it is a time of day and stands on the day the program counts as day 0. Programs that
    count from 1900 believe in a 29 February of that year; days before it are one later.
    """
    if not 0 <= serial < LAST_DAY - (1462 if from_1904 else 0):
        return None
    start = dt.datetime(1904, 1, 1) if from_1904 else dt.datetime(1899, 12, 30)
    if not from_1904 and serial < 60:
        start = dt.datetime(1899, 12, 31)
    try:
        return start + dt.timedelta(milliseconds=round(serial * MILLISECONDS))
    except OverflowError:
        return None


def serial_of(moment: dt.datetime | dt.date, *, from_1904: bool) -> float:
    """The serial number of a time, in days; the inverse of `moment_of` from 1 March 1900 on."""
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time())
    start = dt.datetime(1904, 1, 1) if from_1904 else dt.datetime(1899, 12, 30)
    serial = (moment - start) / dt.timedelta(days=1)
    if not from_1904 and 0 < serial < 61:
        serial -= 1
    return int(serial) if serial == int(serial) else serial


# ---------------------------------------------------------------- cells


class ElementReader:
    """Turns what stands in a cell's element into what the port calls a value."""

    def __init__(self, book: WorkbookParts) -> None:
        self.texts = book.texts
        self.dates = book.dates
        self.from_1904 = book.from_1904

    def value(self, kind: str, style: str, raw: str, formula: bool) -> Read | None:
        """The value of a cell, None for an empty one. Raises ValueError for nonsense."""
        said = self._plain(kind, style, raw)
        if formula and not isinstance(said, Broken):
            return Computed(said)
        return said

    def _plain(
        self, kind: str, style: str, raw: str
    ) -> str | float | bool | dt.datetime | Broken | None:
        if kind == "s":
            return self.texts[int(raw)] if raw else None
        if kind in ("inlineStr", "str"):
            return unescaped(raw) if raw.strip() else None
        if not raw:
            return None
        if kind == "n":
            return self._number(style, raw)
        if kind == "b":
            return raw.strip() in ("1", "true")
        if kind == "d":
            return dt.datetime.fromisoformat(raw.strip()).replace(tzinfo=None)
        return Broken(raw)

    def _number(self, style: str, raw: str) -> float | dt.datetime | Broken:
        number = float(raw)
        if not math.isfinite(number):
            return Broken(raw)
        if style and self.is_date(style):
            return moment_of(number, from_1904=self.from_1904) or number
        return number

    def is_date(self, style: str) -> bool:
        """Whether cells of this style show a number as a date."""
        number = int(style or 0)
        return number < len(self.dates) and self.dates[number]


def scan(stream: IO[bytes], reader: ElementReader, take: Callable[[int, Row], None]) -> list[Area]:
    """Hand every row that has values to `take`, and return the merged areas.

    `take` gets the number of the row and its filled cells from left to right; it may raise
    Enough, and then no merged areas are known. This is the one place where a quarter of a
    million cells pass, so it is one long function with local variables instead of a class.
    """
    merged: list[Area] = []
    columns: dict[str, int] = {}
    row: Row = []
    number = column = 0
    kind = style = raw = ""
    reading = formula = False
    phonetic = 0
    prefix: int | None = None
    value, texts = reader.value, reader.texts

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal number, column, kind, style, raw, reading, formula, phonetic, prefix
        if prefix is None:
            prefix = name.find(":") + 1
        if prefix:
            name = name[prefix:]
        if name == "c":
            where = attributes.get("r")
            if where:
                letters = where.rstrip(DIGITS)
                column = columns.get(letters) or columns.setdefault(letters, column_number(letters))
            else:
                column += 1
            kind = attributes.get("t", "n")
            style = attributes.get("s", "")
            raw = ""
            formula = False
        elif name == "v" or name == "t":
            reading = not phonetic
        elif name == "f":
            formula = True
        elif name == "row":
            number = int(attributes.get("r") or number + 1)
            column = 0
        elif name == "rPh":
            phonetic += 1
        elif name == "mergeCell":
            merged.append(area(attributes["ref"]))

    def end(name: str) -> None:
        nonlocal reading, row, phonetic
        if prefix:
            name = name[prefix:]
        if name == "v" or name == "t":
            reading = False
        elif name == "c":
            if raw or formula:
                shared = kind == "s" and raw and not formula
                found = texts[int(raw)] if shared else value(kind, style, raw, formula)
                if found is not None:
                    row.append((column, found))
        elif name == "row":
            if row:
                take(number, row)
            row = []
        elif name == "rPh":
            phonetic -= 1

    def characters(said: str) -> None:
        nonlocal raw
        if reading:
            raw += said

    made = parser()
    made.StartElementHandler = begin
    made.EndElementHandler = end
    made.CharacterDataHandler = characters
    try:
        feed(made, stream)
    except StopReading:
        return []
    return merged
