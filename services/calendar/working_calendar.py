"""The working calendar: the official plan, the calendar as a value as of an instant, its pages.

The official plan (holidays and the weekends worked in their stead) comes from `chinesecalendar`;
this is the only module that imports it. A company day takes precedence over the plan. `changes`
changes a calendar, which makes a new version of it.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import chinese_calendar
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from models import Calendar, CalendarDay, CalendarVersion
from policy.vocabulary.errors import CalendarRefused, NotFound
from policy.vocabulary.worktime import DayKind, DayLayer, Slot, WorkCalendar, week_kind

COMPANY: Final = "company"
ZONE: Final = "Asia/Shanghai"
SLOTS: Final = (("08:30", "12:00"), ("13:30", "17:30"))
HALF_SLOTS: Final = (("08:30", "12:00"),)

OFFICIAL_SOURCE: Final = "chinesecalendar"
OFFICIAL_YEARS: Final = range(
    min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year + 1
)

VALUES_KEPT: Final = 16
"""The number of calendar versions kept in memory as values."""

_TOUCHED: Final = "calendar_touched_in"
_cache: WeakKeyDictionary[Pool, OrderedDict[tuple[str, ...], WorkCalendar]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day on a calendar page. `provisional` says that the official plan does not reach it.

    `company` says that the company set it; `usual` is its kind without the company's word.
    """

    on: dt.date
    kind: DayKind
    note: str
    source: str
    provisional: bool
    company: bool
    usual: DayKind


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month on a calendar page, with `leading` empty cells before its first day, Monday first."""

    first_on: dt.date
    leading: int
    days: tuple[DayRow, ...]
    working_days: int


# ---------------------------------------------------------------- the official plan


def official_days(year: int) -> dict[dt.date, tuple[DayKind, str]]:
    """Return the holidays and make-up days of an official year, each with the festival's Chinese
    name.

    Weekend days inside a holiday are holidays too. Raises CalendarRefused for a year whose plan the
    library does not have.
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
    """Return the official calendar of `years` with the default hours, as a value without a record.

    For trying a regulation where there is no company. Raises CalendarRefused if a year is not
    official.
    """
    span = _span(years)
    return WorkCalendar(
        zone=ZONE,
        slots=slots_of(SLOTS),
        half_slots=slots_of(HALF_SLOTS),
        days={day: kind for year in span for day, (kind, _) in official_days(year).items()},
        coverage_from=dt.date(span[0], 1, 1),
        coverage_until=dt.date(span[-1], 12, 31),
    )


def seed_official(
    session: Session, *, key: str = COMPANY, years: Collection[int] = OFFICIAL_YEARS
) -> Calendar:
    """Return the calendar `key`, made with the official `years` and the default hours if missing.

    An existing calendar is left as it is: later years are loaded by a change, because they move
    deadlines. Raises CalendarRefused if a year is not official.
    """
    calendar = find_calendar(session, key)
    if calendar is not None:
        return calendar
    span = _span(years)
    official = {day: found for year in span for day, found in official_days(year).items()}
    calendar = Calendar(key=key, name="公司工作日历", zone=ZONE, version=1)
    session.add(calendar)
    session.flush()
    session.add(_first_version(calendar, span))
    source = official_source()
    session.add_all(
        CalendarDay(
            calendar_id=calendar.id,
            on=day,
            layer=DayLayer.official,
            kind=kind,
            note=note,
            source=source,
            from_version=1,
        )
        for day, (kind, note) in official.items()
    )
    session.flush()
    hide_until_commit(session, 1)
    return calendar


def find_calendar(session: Session, key: str = COMPANY) -> Calendar | None:
    """Return the calendar of that key, if there is one."""
    return session.scalar(sa.select(Calendar).where(Calendar.key == key))


def official_source() -> str:
    """Return the source that the days of the installed official plan give."""
    return f"{OFFICIAL_SOURCE} {version(OFFICIAL_SOURCE)}"


def _span(years: Collection[int]) -> range:
    """Return the years from the first to the last of `years`, none left out."""
    if not years:
        raise CalendarRefused(why="year_not_official", year=None)
    return range(min(years), max(years) + 1)


def _first_version(calendar: Calendar, years: range) -> CalendarVersion:
    return CalendarVersion(
        calendar_id=calendar.id,
        number=1,
        slots=[list(slot) for slot in SLOTS],
        half_slots=[list(slot) for slot in HALF_SLOTS],
        coverage_from=dt.date(years[0], 1, 1),
        coverage_until=dt.date(years[-1], 12, 31),
        made_at=None,
        made_by="",
        reason="",
    )


# ---------------------------------------------------------------- the calendar as a value


def work_calendar(
    session: Session, key: str = COMPANY, *, as_of: dt.datetime | None = None
) -> WorkCalendar:
    """Return the calendar `key` as a value, as it is now or as it was `as_of` an instant.

    One statement, where that version was asked for before. Raises NotFound, and CalendarRefused if
    the stored data makes no calendar.
    """
    wanted = _versions(key)
    if as_of is None:
        wanted = wanted.where(CalendarVersion.number == Calendar.version)
    else:
        stood = sa.or_(CalendarVersion.made_at.is_(None), CalendarVersion.made_at <= as_of)
        wanted = wanted.where(stood).order_by(CalendarVersion.number.desc()).limit(1)
    row = session.execute(wanted).first()
    if row is None:
        raise NotFound(what="calendar", key=key)
    return _cached_value(session, row)


def history(session: Session, key: str = COMPANY) -> Callable[[dt.datetime], WorkCalendar]:
    """Return a function that gives the calendar as of any instant.

    One statement, and two for each version asked for. Raises NotFound.
    """
    rows = session.execute(_versions(key).order_by(CalendarVersion.number)).all()
    if not rows:
        raise NotFound(what="calendar", key=key)
    begins = [row.made_at or _ALWAYS for row in rows]
    return lambda at: _cached_value(session, rows[bisect_right(begins, at) - 1])


def current_version(session: Session, calendar: Calendar) -> CalendarVersion:
    """Return the current version of a calendar: its hours and coverage."""
    return session.scalars(
        sa.select(CalendarVersion).where(
            CalendarVersion.calendar_id == calendar.id,
            CalendarVersion.number == calendar.version,
        )
    ).one()


def versions(session: Session, calendar: Calendar, *, at_most: int) -> Sequence[CalendarVersion]:
    """Return the changes of a calendar, the newest first."""
    return session.scalars(
        sa.select(CalendarVersion)
        .where(CalendarVersion.calendar_id == calendar.id, CalendarVersion.made_at.is_not(None))
        .order_by(CalendarVersion.number.desc())
        .limit(at_most)
    ).all()


_ALWAYS: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


def _versions(key: str) -> sa.Select[Any]:
    return (
        sa.select(
            Calendar.id,
            Calendar.zone,
            CalendarVersion.number,
            CalendarVersion.slots,
            CalendarVersion.half_slots,
            CalendarVersion.coverage_from,
            CalendarVersion.coverage_until,
            CalendarVersion.made_at,
        )
        .join(CalendarVersion, CalendarVersion.calendar_id == Calendar.id)
        .where(Calendar.key == key)
    )


def hide_until_commit(session: Session, number: int) -> None:
    """Hide version `number`, made by this transaction, from the values other sessions share.

    Until the commit that version belongs to this transaction alone; rolled back, its number may
    still be given to another change.
    """
    session.info[_TOUCHED] = (session.get_transaction(), number, {})


def _cached_value(session: Session, row: sa.Row[Any]) -> WorkCalendar:
    """Return the value of a version: shared by all sessions once committed, else by this
    one alone.
    """
    transaction, first, ours = session.info.get(_TOUCHED, (None, 0, {}))
    if transaction is not None and transaction is session.get_transaction() and row.number >= first:
        if (row.id, row.number) not in ours:
            ours[row.id, row.number] = _value(row, days_of_version(session, row.id, row.number))
        return cast(WorkCalendar, ours[row.id, row.number])
    kept = _cache.setdefault(session.connection().engine.pool, OrderedDict())
    fingerprint = tuple(repr(value) for value in row)
    if fingerprint not in kept:
        kept[fingerprint] = _value(row, days_of_version(session, row.id, row.number))
        while len(kept) > VALUES_KEPT:
            kept.popitem(last=False)
    return kept[fingerprint]


def days_of_version(session: Session, calendar_id: int, number: int) -> dict[dt.date, DayKind]:
    """Return the days of a version that differ from what their weekday says."""
    rows = session.execute(
        sa.select(CalendarDay.on, CalendarDay.kind)
        .where(CalendarDay.calendar_id == calendar_id, *_in_version(number))
        # The company's days come last and take precedence.
        .order_by(CalendarDay.layer == DayLayer.company)
    )
    return {row.on: row.kind for row in rows}


def _in_version(number: int) -> tuple[sa.ColumnElement[bool], ...]:
    ended = CalendarDay.until_version
    return CalendarDay.from_version <= number, sa.or_(ended.is_(None), ended > number)


def _value(stored: sa.Row[Any], days: Mapping[dt.date, DayKind]) -> WorkCalendar:
    return WorkCalendar(
        zone=stored.zone,
        slots=slots_of(stored.slots),
        half_slots=slots_of(stored.half_slots),
        days=days,
        coverage_from=stored.coverage_from,
        coverage_until=stored.coverage_until,
    )


def slots_of(stored: Iterable[Any]) -> list[Slot]:
    """Return stored office hours, [["08:30", "12:00"], …], as pairs of clock times."""
    try:
        return [
            (dt.time.fromisoformat(opens), dt.time.fromisoformat(closes))
            for opens, closes in stored
        ]
    except (TypeError, ValueError):
        raise CalendarRefused(why="slot_not_in_minutes", slots=stored) from None


# ---------------------------------------------------------------- pages


def year_view(session: Session, calendar: Calendar, year: int) -> list[MonthRow]:
    """Return the twelve months of a year for a page. Raises CalendarRefused for a year out of
    reach.
    """
    work = work_calendar(session, calendar.key)
    if not work.first_on.year <= year <= work.last_on.year:
        raise CalendarRefused(why="day_out_of_reach", year=year)
    rows = _day_rows(session, calendar, year)
    return [_month(work, rows, dt.date(year, month, 1)) for month in range(1, 13)]


def month_view(session: Session, calendar: Calendar, *, year: int, month: int) -> MonthRow:
    """Return one month for a page. Raises CalendarRefused for a month that is none or out
    of reach.
    """
    if not 1 <= month <= 12:
        raise CalendarRefused(why="day_out_of_reach", year=year, month=month)
    return year_view(session, calendar, year)[month - 1]


_Layers = Mapping[dt.date, Mapping[DayLayer, CalendarDay]]


def _day_rows(session: Session, calendar: Calendar, year: int) -> _Layers:
    """Return the plan's and the company's rows of the days of a year, by day."""
    rows = session.scalars(
        sa.select(CalendarDay).where(
            CalendarDay.calendar_id == calendar.id,
            CalendarDay.on.between(dt.date(year, 1, 1), dt.date(year, 12, 31)),
            *_in_version(calendar.version),
        )
    )
    found: dict[dt.date, dict[DayLayer, CalendarDay]] = {}
    for row in rows:
        found.setdefault(row.on, {})[row.layer] = row
    return found


def _month(work: WorkCalendar, rows: _Layers, first_on: dt.date) -> MonthRow:
    days = tuple(_day(work, rows.get(day, {}), day) for day in _days_of_month(first_on))
    working = sum(day.kind.counts for day in days)
    return MonthRow(first_on, leading=first_on.weekday(), days=days, working_days=working)


def _day(work: WorkCalendar, said: Mapping[DayLayer, CalendarDay], on: dt.date) -> DayRow:
    row = said.get(DayLayer.company) or said.get(DayLayer.official)
    official = said.get(DayLayer.official)
    return DayRow(
        on=on,
        kind=work.kind(on),
        note=(row.note or "") if row else "",
        source=row.source if row else "",
        provisional=work.is_provisional(on, on),
        company=DayLayer.company in said,
        usual=official.kind if official else week_kind(on),
    )


def _days_of_month(first_on: dt.date) -> Iterator[dt.date]:
    length = gregorian.monthrange(first_on.year, first_on.month)[1]
    return (first_on.replace(day=number) for number in range(1, length + 1))
