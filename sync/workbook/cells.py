"""Cells of a worksheet: their references, the days and times of numbers, and their values."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from sync.port import Broken, Computed, Read
from sync.workbook.package import WorkbookParts, unescaped

DIGITS = "0123456789"
LAST_COLUMN = 16_384
LAST_ROW = 1_048_576
LAST_DAY = 2_958_466  # the first serial after the year 9999
MILLISECONDS = 86_400_000

Area = tuple[int, int, int, int]
"""First row, first column, last row, last column."""


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
    """The corners of a reference such as B2:D9, B2, F:F or 30:32; dollar signs do not matter."""
    first, _, last = reference.replace("$", "").partition(":")
    row, column = _corner(first, open_row=1, open_column=1)
    below, right = _corner(last or first, open_row=LAST_ROW, open_column=LAST_COLUMN)
    return min(row, below), min(column, right), max(row, below), max(column, right)


def _corner(reference: str, *, open_row: int, open_column: int) -> tuple[int, int]:
    """The row and column of a corner; what whole rows and columns leave open is given."""
    letters = reference.rstrip(DIGITS)
    digits = reference[len(letters) :]
    if not reference or (digits and not 1 <= int(digits) <= LAST_ROW):
        raise ValueError(f"no cell: {reference}")
    return (
        int(digits) if digits else open_row,
        column_number(letters) if letters else open_column,
    )


def is_within(row: int, column: int, reach: Area) -> bool:
    """Whether a cell lies in an area."""
    top, left, bottom, right = reach
    return top <= row <= bottom and left <= column <= right


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


@dataclass(frozen=True, slots=True)
class BaredCells:
    """Cells that lost their formula: single ones, and areas of which no list is made."""

    cells: frozenset[str] = frozenset()
    areas: tuple[Area, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cells or self.areas)

    def __contains__(self, reference: str) -> bool:
        if reference in self.cells or not self.areas:
            return reference in self.cells
        row, column, _below, _right = area(reference)
        return any(is_within(row, column, reach) for reach in self.areas)


# ---------------------------------------------------------------- cells


class ElementReader:
    """Turns the text of a cell's element into a value of the port."""

    def __init__(self, workbook: WorkbookParts) -> None:
        self.texts = workbook.texts
        self.dates = workbook.dates
        self.from_1904 = workbook.from_1904

    def value(self, kind: str, style: str, raw: str, *, formula: bool) -> Read | None:
        """The value of a cell, None for an empty one. Raises ValueError for nonsense."""
        value = self._plain(kind, style, raw)
        if formula and not isinstance(value, Broken):
            return Computed(value)
        return value

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
