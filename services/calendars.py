"""Calendar days in and out: loading official years, company days, the calendar as a value.

The official plan (holidays and the weekends worked in their stead) comes from
`chinesecalendar`; this is the only module that knows it. What the company says about a day
stands above what the State Council says, and loading a year again does not change that.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final
from weakref import WeakKeyDictionary

import chinese_calendar
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import Pool

from models import Calendar, CalendarDay
from policy.errors import (
    CalendarRefused,
    ChangedMeanwhile,
    FieldMissing,
    FieldTooLong,
    NotFound,
)
from policy.worktime import DayKind, Slot, WorkCalendar

COMPANY: Final = "company"
ZONE: Final = "Asia/Shanghai"
SLOTS: Final = (("08:30", "12:00"), ("13:30", "17:30"))
HALF_SLOTS: Final = (("08:30", "12:00"),)
LONGEST_NOTE: Final = 200
LONGEST_SOURCE: Final = 64

OFFICIAL_SOURCE: Final = "chinesecalendar"
OFFICIAL_YEARS: Final = range(
    min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year + 1
)

_TOUCHED: Final = "calendar_touched_in"
_Fingerprint = tuple[Any, ...]
_cache: WeakKeyDictionary[Pool, dict[str, tuple[_Fingerprint, WorkCalendar]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day on a calendar page. `provisional` says that the official plan does not reach it."""

    on: dt.date
    kind: DayKind
    note: str
    source: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month on a calendar page; `leading` empty cells stand before its first, Monday first."""

    first_on: dt.date
    leading: int
    days: tuple[DayRow, ...]
    working_days: int


# ---------------------------------------------------------------- the official plan


def official_days(year: int) -> dict[dt.date, tuple[DayKind, str]]:
    """The holidays and make-up days of an official year, each with the festival's Chinese name.

    Weekend days inside a holiday are holidays too. Raises CalendarRefused for a year whose
    plan the library does not have.
    """
    if year not in OFFICIAL_YEARS:
        raise CalendarRefused(why="year_not_official", year=year)
    plans = (
        (DayKind.holiday, chinese_calendar.holidays),
        (DayKind.makeup, chinese_calendar.workdays),
    )
    return {
        day: (kind, chinese_calendar.Holiday(name).chinese)
        for kind, plan in plans
        for day, name in plan.items()
        if day.year == year
    }


def official_calendar(years: Collection[int] = OFFICIAL_YEARS) -> WorkCalendar:
    """The official calendar of `years` with the default hours, as a value without a record.

    For trying a regulation where there is no company. Raises CalendarRefused if a year is
    not official.
    """
    span = _span(years)
    return WorkCalendar(
        zone=ZONE,
        slots=_slots(SLOTS),
        half_slots=_slots(HALF_SLOTS),
        days={day: kind for year in span for day, (kind, _) in official_days(year).items()},
        coverage_from=dt.date(span[0], 1, 1),
        coverage_until=dt.date(span[-1], 12, 31),
    )


def seed_official(
    session: Session, *, key: str = COMPANY, years: Collection[int] = OFFICIAL_YEARS
) -> Calendar:
    """The calendar `key`, made if it is missing, with every official day of `years` in it.

    Years between the coverage it had and `years` are loaded too, so that the coverage has no
    hole. Days that somebody set by hand stay as they are. A second call changes nothing, the
    version included. Raises CalendarRefused if a year is not official.
    """
    calendar = session.scalar(sa.select(Calendar).where(Calendar.key == key))
    wanted = _without_hole(calendar, _span(years))
    official = {day: found for year in wanted for day, found in official_days(year).items()}
    if calendar is None:
        calendar = _new_calendar(session, key, wanted)
    changed = _load_official(session, calendar, official, wanted)
    coverage_from = min(calendar.coverage_from, dt.date(wanted[0], 1, 1))
    coverage_until = max(calendar.coverage_until, dt.date(wanted[-1], 12, 31))
    if changed or (coverage_from, coverage_until) != _coverage(calendar):
        calendar.coverage_from, calendar.coverage_until = coverage_from, coverage_until
        _touch(session, calendar)
    return calendar


def _span(years: Collection[int]) -> range:
    """The years from the first to the last of `years`, none left out."""
    if not years:
        raise CalendarRefused(why="year_not_official", year=None)
    return range(min(years), max(years) + 1)


def _coverage(calendar: Calendar) -> tuple[dt.date, dt.date]:
    return calendar.coverage_from, calendar.coverage_until


def _without_hole(calendar: Calendar | None, years: range) -> range:
    """`years`, stretched until they touch the coverage that is already there."""
    if calendar is None:
        return years
    first = min(years.start, calendar.coverage_until.year + 1)
    return range(first, max(years.stop, calendar.coverage_from.year))


def _new_calendar(session: Session, key: str, years: range) -> Calendar:
    calendar = Calendar(
        key=key,
        name="公司工作日历",
        zone=ZONE,
        slots=[list(slot) for slot in SLOTS],
        half_slots=[list(slot) for slot in HALF_SLOTS],
        coverage_from=dt.date(years[0], 1, 1),
        coverage_until=dt.date(years[-1], 12, 31),
        version=1,
    )
    session.add(calendar)
    session.flush()
    return calendar


def _load_official(
    session: Session,
    calendar: Calendar,
    official: Mapping[dt.date, tuple[DayKind, str]],
    years: range,
) -> bool:
    """Write the days of the plan that nobody set by hand; True if that changed anything."""
    source = f"{OFFICIAL_SOURCE} {version(OFFICIAL_SOURCE)}"
    rows = {row.on: row for row in _rows(session, calendar.id, years)}
    changed = False
    for day, stored in rows.items():
        # A plan can be amended: a day that is no longer in it becomes an ordinary day again.
        if stored.source.startswith(OFFICIAL_SOURCE) and day not in official:
            session.delete(stored)
            changed = True
    for day, (kind, note) in official.items():
        row = rows.get(day)
        if row is None:
            session.add(
                CalendarDay(calendar_id=calendar.id, on=day, kind=kind, note=note, source=source)
            )
        elif row.source.startswith(OFFICIAL_SOURCE) and (row.kind, row.note) != (kind, note):
            row.kind, row.note, row.source = kind, note, source
        else:
            continue
        changed = True
    session.flush()
    return changed


def _rows(session: Session, calendar_id: int, years: range) -> list[CalendarDay]:
    """The rows of the days that are not what their weekday says, in order."""
    first, last = dt.date(years[0], 1, 1), dt.date(years[-1], 12, 31)
    return list(
        session.scalars(
            sa.select(CalendarDay)
            .where(CalendarDay.calendar_id == calendar_id, CalendarDay.on.between(first, last))
            .order_by(CalendarDay.on)
        )
    )


# ---------------------------------------------------------------- company days


def set_day(
    session: Session,
    calendar: Calendar,
    on: dt.date,
    *,
    kind: DayKind,
    note: str,
    actor: str,
    now: dt.datetime,
) -> CalendarDay:
    """The row of `on`, which from now is of `kind` because `actor` (a name) says so.

    A day set by hand outlives the loading of official years. Due times already given do not
    move: recomputing them is an act of its own. Raises FieldMissing without a note,
    FieldTooLong, CalendarRefused if the calendar could not be used afterwards (a half day
    without half hours, a day out of reach), ChangedMeanwhile if somebody else changed it.
    """
    note = note.strip()
    if not note:
        raise FieldMissing(field="note")
    if len(note) > LONGEST_NOTE:
        raise FieldTooLong(field="note", limit=LONGEST_NOTE)
    days = _kinds(session, calendar.id) | {on: kind}
    today = _value(calendar, days).local(now).date()
    row = session.scalar(
        sa.select(CalendarDay).where(CalendarDay.calendar_id == calendar.id, CalendarDay.on == on)
    )
    if row is None:
        row = CalendarDay(calendar_id=calendar.id, on=on)
        session.add(row)
    row.kind, row.note = kind, note
    row.source = f"{today} {actor}"[:LONGEST_SOURCE]
    _touch(session, calendar)
    return row


def _touch(session: Session, calendar: Calendar) -> None:
    """Count a change of the calendar and of its days in its version."""
    key = calendar.key
    calendar.version += 1
    try:
        session.flush()
    except StaleDataError:
        raise ChangedMeanwhile(what="calendar", key=key) from None
    # Until the commit this version is ours alone and may yet be given to another change.
    session.info[_TOUCHED] = session.get_transaction()


# ---------------------------------------------------------------- the calendar as a value


def work_calendar(session: Session, key: str = COMPANY) -> WorkCalendar:
    """The calendar `key` as a value; one statement while its version stands still.

    Raises NotFound, and CalendarRefused if what is stored makes no calendar.
    """
    row = session.execute(
        sa.select(*_VALUE_COLUMNS, Calendar.version).where(Calendar.key == key)
    ).one_or_none()
    if row is None:
        raise NotFound(what="calendar", key=key)
    touched = session.info.get(_TOUCHED)
    if touched is not None and touched is session.get_transaction():
        return _value(row, _kinds(session, row.id))
    kept = _cache.setdefault(session.connection().engine.pool, {})
    fingerprint = _fingerprint(row)
    if key not in kept or kept[key][0] != fingerprint:
        kept[key] = fingerprint, _value(row, _kinds(session, row.id))
    return kept[key][1]


_VALUE_COLUMNS: Final = (
    Calendar.id,
    Calendar.zone,
    Calendar.slots,
    Calendar.half_slots,
    Calendar.coverage_from,
    Calendar.coverage_until,
)


def _fingerprint(row: sa.Row[Any]) -> _Fingerprint:
    # The columns are compared too: a version that was rolled back may come again.
    return tuple(repr(value) for value in row)


def _kinds(session: Session, calendar_id: int) -> dict[dt.date, DayKind]:
    rows = session.execute(
        sa.select(CalendarDay.on, CalendarDay.kind).where(CalendarDay.calendar_id == calendar_id)
    )
    return {row.on: row.kind for row in rows}


def _value(stored: Calendar | sa.Row[Any], days: Mapping[dt.date, DayKind]) -> WorkCalendar:
    return WorkCalendar(
        zone=stored.zone,
        slots=_slots(stored.slots),
        half_slots=_slots(stored.half_slots),
        days=days,
        coverage_from=stored.coverage_from,
        coverage_until=stored.coverage_until,
    )


def _slots(stored: Iterable[Any]) -> list[Slot]:
    """Office hours as they are stored, [["08:30", "12:00"], …], as pairs of clock times."""
    try:
        return [
            (dt.time.fromisoformat(opens), dt.time.fromisoformat(closes))
            for opens, closes in stored
        ]
    except (TypeError, ValueError):
        raise CalendarRefused(why="slot_not_in_minutes", slots=stored) from None


# ---------------------------------------------------------------- pages


def year_view(session: Session, calendar: Calendar, year: int) -> list[MonthRow]:
    """The twelve months of `year` for a page. Raises CalendarRefused for a year out of reach."""
    work = work_calendar(session, calendar.key)
    if not work.first_on.year <= year <= work.last_on.year:
        raise CalendarRefused(why="day_out_of_reach", year=year)
    rows = {row.on: row for row in _rows(session, calendar.id, range(year, year + 1))}
    return [_month(work, rows, dt.date(year, month, 1)) for month in range(1, 13)]


def month_view(session: Session, calendar: Calendar, *, year: int, month: int) -> MonthRow:
    """One month for a page. Raises CalendarRefused for a month that is none or out of reach."""
    if not 1 <= month <= 12:
        raise CalendarRefused(why="day_out_of_reach", year=year, month=month)
    return year_view(session, calendar, year)[month - 1]


def _month(work: WorkCalendar, rows: Mapping[dt.date, CalendarDay], first_on: dt.date) -> MonthRow:
    days = tuple(_day(work, rows.get(day), day) for day in _days_of_month(first_on))
    working = sum(day.kind.counts for day in days)
    return MonthRow(first_on, leading=first_on.weekday(), days=days, working_days=working)


def _day(work: WorkCalendar, row: CalendarDay | None, on: dt.date) -> DayRow:
    return DayRow(
        on=on,
        kind=work.kind(on),
        note=(row.note or "") if row else "",
        source=row.source if row else "",
        provisional=work.is_provisional(on, on),
    )


def _days_of_month(first_on: dt.date) -> Iterator[dt.date]:
    length = gregorian.monthrange(first_on.year, first_on.month)[1]
    return (first_on.replace(day=number) for number in range(1, length + 1))
