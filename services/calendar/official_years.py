"""The official plan of a year as people enter it: lines of day, kind and name of the festival.

The State Council publishes the plan late in the year before; the installed library has it some
weeks later. Until then a user types it or loads a table. Every line that cannot be used is reported
at once, and nothing that was typed is lost.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from policy.vocabulary.errors import LinesRefused
from policy.vocabulary.worktime import DayKind
from services.calendar import working_calendar
from services.calendar.changes import LONGEST_NOTE, KindAndNote

KINDS: Final[Mapping[str, DayKind]] = {
    **dict.fromkeys(
        ("holiday", "public holiday", "放假", "节假日", "法定节假日", "节日", "休息", "休", "假"),
        DayKind.holiday,
    ),
    **dict.fromkeys(
        (
            "makeup",
            "make-up",
            "make-up day",
            "调休上班",
            "调休上班日",
            "补班",
            "上班",
            "班",
            "调休",
        ),
        DayKind.makeup,
    ),
}
"""The words for a day off and for a weekend day that is worked in its stead."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("日期", "date", "day", "日子"),
    "kind": ("类型", "类别", "种类", "kind", "type"),
    "note": ("说明", "名称", "节日", "备注", "note", "name"),
}
"""The headers of the columns of such a table."""

_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]0{1,2}:00(?::00)?)?")
LONGEST_LINE: Final = 60


def installed_plan(year: int) -> dict[dt.date, KindAndNote] | None:
    """Return the plan of the installed library, or None where it does not have that year."""
    return working_calendar.official_days(year) if year in working_calendar.OFFICIAL_YEARS else None


def plan_as_lines(days: Mapping[dt.date, KindAndNote]) -> str:
    """Return a plan as lines a person can read and change."""
    words = {DayKind.holiday: "放假", DayKind.makeup: "调休上班"}
    return "\n".join(
        f"{day}, {words.get(kind, kind.value)}, {note}"
        for day, (kind, note) in sorted(days.items())
    )


def table_as_lines(header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the lines of a table with the columns of COLUMNS, whatever their cells hold.

    Raises LinesRefused where a column is missing; only the note may be.
    """
    places = {name: _column(header, called) for name, called in COLUMNS.items()}
    if places["date"] is None or places["kind"] is None:
        raise LinesRefused(field="lines", lines=[_fault(1, ", ".join(header), "columns_missing")])
    return "\n".join(
        ", ".join(_cell(row.get(name)) if name else "" for name in places.values()) for row in rows
    )


def _column(header: Sequence[str], called: Sequence[str]) -> str | None:
    return next((name for name in header if name.strip().lower() in called), None)


def _cell(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    text = "" if value is None else str(value)
    return " ".join(re.split(r"[,，\s]+", text)).strip()


def parse_lines(text: str, *, year: int) -> dict[dt.date, KindAndNote]:
    """Return the plan of a year from its lines. Raises LinesRefused with every line at fault."""
    found: dict[dt.date, KindAndNote] = {}
    faults = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        cells = _cells(line)
        day = _day(cells[0])
        why = _fault_code(day, cells, year, found=found)
        if why is not None:
            faults.append(_fault(number, line, why))
        elif day is not None:
            found[day] = (KINDS[cells[1].lower()], cells[2])
    if faults:
        raise LinesRefused(field="lines", lines=faults)
    return found


def _cells(line: str) -> tuple[str, str, str]:
    """Return day, kind and note of a line; commas of both scripts, tabs and semicolons part
    them.
    """
    plain = re.sub(r"[\t;；，、]", ",", line)
    cells = [cell.strip() for cell in next(csv.reader([plain]), [])]
    cells += [""] * (3 - len(cells))
    return cells[0], cells[1], " ".join(cell for cell in cells[2:] if cell)


def _day(text: str) -> dt.date | None:
    match = _DATE.fullmatch(text.strip())
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _fault_code(
    day: dt.date | None,
    cells: tuple[str, str, str],
    year: int,
    *,
    found: Mapping[dt.date, KindAndNote],
) -> str | None:
    """Return why a line cannot be used, as a code, or None."""
    kind = KINDS.get(cells[1].lower())
    if day is None:
        return "no_such_day"
    if day.year != year:
        return "of_another_year"
    if kind is None:
        return "no_such_kind"
    if day in found:
        return "twice"
    if kind is DayKind.makeup and day.weekday() < 5:
        return "makeup_on_weekday"
    return "note_too_long" if len(cells[2]) > LONGEST_NOTE else None


def _fault(number: int, line: str, why: str) -> dict[str, Any]:
    short = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
    return {"line": number, "text": short.strip(), "why": why}
