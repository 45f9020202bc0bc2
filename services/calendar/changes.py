"""Changes of a calendar: company days, office hours, a new official year.

A change is a value first, so that a page can show what it would do. Applied, it makes a new version
of the calendar with a reason; days that no longer hold are ended, not written over. Running
deadlines do not move by that: `services.cases.recounting` counts them anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models import Calendar, CalendarDay, CalendarVersion
from policy.vocabulary.errors import (
    CalendarRefused,
    ChangedMeanwhile,
    FieldMissing,
    FieldTooLong,
    HoursRefused,
    NotFound,
)
from policy.vocabulary.worktime import DayKind, DayLayer, Slot, WorkCalendar, week_kind
from services.calendar import working_calendar

LONGEST_NOTE = 200
LONGEST_SOURCE = 64
LONGEST_REASON = 2_000

KindAndNote = tuple[DayKind, str]
"""The kind of a day, and the note that says why."""


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """A change of a calendar. A company day set to None is the usual day again.

    `year` is an official year whose plan is replaced as a whole by `official`.
    """

    company: Mapping[dt.date, KindAndNote | None] = field(default_factory=dict)
    official: Mapping[dt.date, KindAndNote] = field(default_factory=dict)
    source: str = ""
    year: int | None = None
    slots: tuple[Slot, ...] | None = None
    half_slots: tuple[Slot, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A day that becomes another kind, its note, and whether the company set it."""

    on: dt.date
    before: DayKind
    after: DayKind
    note: str
    company: bool = False


# ---------------------------------------------------------------- what is meant


def company_day(on: dt.date, kind: DayKind | None, note: str) -> CalendarChange:
    """Return the change that sets a company day; with None for `kind` it removes one.

    Raises FieldMissing without a note and FieldTooLong.
    """
    if kind is None:
        return CalendarChange(company={on: None})
    note = note.strip()
    if not note:
        raise FieldMissing(field="note")
    if len(note) > LONGEST_NOTE:
        raise FieldTooLong(field="note", limit=LONGEST_NOTE)
    return CalendarChange(company={on: (kind, note)})


def office_hours(slots: Sequence[Slot], half_slots: Sequence[Slot]) -> CalendarChange:
    """Return the change that sets the office hours of full and of half days.

    Raises HoursRefused with the slot that is empty, overlaps the one before or is not in order.
    """
    _checked(slots, "slots")
    if half_slots:
        _checked(half_slots, "half_slots")
    return CalendarChange(slots=tuple(slots), half_slots=tuple(half_slots))


def _checked(slots: Sequence[Slot], name: str) -> None:
    if not slots:
        raise HoursRefused(field=name, slot="", why="slots_missing")
    for opens, closes in slots:
        if opens >= closes:
            raise HoursRefused(field=name, slot=slots_text([(opens, closes)]), why="slot_empty")
    for place in range(1, len(slots)):
        if slots[place][0] < slots[place - 1][1]:
            both = slots_text(slots[place - 1 : place + 1])
            raise HoursRefused(field=name, slot=both, why="slots_out_of_order")


def slots_text(slots: Sequence[Slot]) -> str:
    """Return office hours as people write them: "08:30-12:00, 13:30-17:30"."""
    return ", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in slots)


def official_year(year: int, days: Mapping[dt.date, KindAndNote], *, source: str) -> CalendarChange:
    """Return the change that replaces the official plan of a year.

    Raises CalendarRefused for a plan without a day off or with a day of another year.
    """
    if not any(kind is DayKind.holiday for kind, _note in days.values()):
        raise CalendarRefused(why="year_without_holiday", year=year)
    for day in days:
        if day.year != year:
            raise CalendarRefused(why="day_out_of_reach", on=day)
    return CalendarChange(official=dict(days), year=year, source=source[:LONGEST_SOURCE])


# ---------------------------------------------------------------- what it would do


def calendar_after(session: Session, calendar: Calendar, change: CalendarChange) -> WorkCalendar:
    """Return the calendar as it would be after a change. Writes nothing.

    Raises CalendarRefused if it could not be used (a half day without half hours, a day out of
    reach), or if a year between the coverage and the new one is missing.
    """
    now = working_calendar.current_version(session, calendar)
    coverage_from, coverage_until = _coverage(now, change.year)
    half = now.half_slots if change.half_slots is None else change.half_slots
    return WorkCalendar(
        zone=calendar.zone,
        slots=change.slots or working_calendar.slots_of(now.slots),
        half_slots=half if change.half_slots is not None else working_calendar.slots_of(half),
        days=_days(session, calendar, change),
        coverage_from=coverage_from,
        coverage_until=coverage_until,
    )


def _coverage(now: CalendarVersion, year: int | None) -> tuple[dt.date, dt.date]:
    """Return from when to when official plans are known; a new year must leave no gap."""
    if year is None:
        return now.coverage_from, now.coverage_until
    if not now.coverage_from.year - 1 <= year <= now.coverage_until.year + 1:
        raise CalendarRefused(why="year_leaves_a_hole", year=year)
    return (
        min(now.coverage_from, dt.date(year, 1, 1)),
        max(now.coverage_until, dt.date(year, 12, 31)),
    )


def _days(session: Session, calendar: Calendar, change: CalendarChange) -> dict[dt.date, DayKind]:
    official, company = _layers(session, calendar)
    if change.year is not None:
        official = {day: said for day, said in official.items() if day.year != change.year}
        official |= change.official
    company |= {day: said for day, said in change.company.items() if said is not None}
    gone = {day for day, said in change.company.items() if said is None}
    kept = {day: said for day, said in company.items() if day not in gone}
    return {day: kind for day, (kind, _note) in (official | kept).items()}


def _layers(
    session: Session, calendar: Calendar
) -> tuple[dict[dt.date, KindAndNote], dict[dt.date, KindAndNote]]:
    """Return the days of the official plan and those of the company, by day."""
    said: dict[DayLayer, dict[dt.date, KindAndNote]] = {layer: {} for layer in DayLayer}
    rows = sa.select(CalendarDay.layer, CalendarDay.on, CalendarDay.kind, CalendarDay.note).where(
        CalendarDay.calendar_id == calendar.id, CalendarDay.until_version.is_(None)
    )
    for layer, on, kind, note in session.execute(rows):
        said[layer][on] = (kind, note or "")
    return said[DayLayer.official], said[DayLayer.company]


def official_plan(session: Session, calendar: Calendar, year: int) -> dict[dt.date, KindAndNote]:
    """Return the official plan of a year as the calendar has it."""
    official, _company = _layers(session, calendar)
    return {day: said for day, said in official.items() if day.year == year}


def changed_days(session: Session, calendar: Calendar, change: CalendarChange) -> list[ChangedDay]:
    """Return the days that would become another kind of day, in order."""
    official, company = _layers(session, calendar)
    after = _days(session, calendar, change)
    before = {day: kind for day, (kind, _note) in (official | company).items()}
    said = dict(change.official) | {d: s for d, s in change.company.items() if s is not None}
    found = []
    for day in sorted(before.keys() | after.keys()):
        was, becomes = (days.get(day, week_kind(day)) for days in (before, after))
        if was is not becomes:
            note = said[day][1] if day in said else (official | company).get(day, (was, ""))[1]
            found.append(ChangedDay(day, was, becomes, note, change.company.get(day) is not None))
    return found


# ---------------------------------------------------------------- carrying it out


def apply_change(
    session: Session,
    calendar: Calendar,
    change: CalendarChange,
    *,
    reason: str,
    actor: str,
    now: dt.datetime,
) -> CalendarVersion:
    """Apply a change from `now` on and return the new version of the calendar.

    `actor` is the name of the user or command. Raises FieldMissing without a reason, FieldTooLong,
    CalendarRefused as `calendar_after`, ChangedMeanwhile if another user changed it first.
    """
    reason = reason.strip()
    if not reason:
        raise FieldMissing(field="reason")
    if len(reason) > LONGEST_REASON:
        raise FieldTooLong(field="reason", limit=LONGEST_REASON)
    value = calendar_after(session, calendar, change)
    before = working_calendar.current_version(session, calendar)
    number = _next_version(session, calendar)
    source = f"{value.local(now).date()} {actor}"[:LONGEST_SOURCE]
    _write_days(session, calendar, change, number=number, source=source)
    version = CalendarVersion(
        calendar_id=calendar.id,
        number=number,
        slots=_stored(change.slots, before.slots),
        half_slots=_stored(change.half_slots, before.half_slots),
        coverage_from=value.coverage_from,
        coverage_until=value.coverage_until,
        # Versions stay in order even where the machine's clock was put back.
        made_at=max(now, before.made_at or now),
        made_by=actor[:120],
        reason=reason,
    )
    session.add(version)
    session.flush()
    return version


def _next_version(session: Session, calendar: Calendar) -> int:
    """Return the number of a new version, with the calendar locked until the commit."""
    key = calendar.key
    calendar.version += 1
    try:
        session.flush()
    except StaleDataError:
        raise ChangedMeanwhile(what="calendar", key=key) from None
    working_calendar.hide_until_commit(session, calendar.version)
    return calendar.version


def _stored(slots: Sequence[Slot] | None, before: list[list[str]]) -> list[list[str]]:
    if slots is None:
        return before
    return [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in slots]


def _write_days(
    session: Session, calendar: Calendar, change: CalendarChange, *, number: int, source: str
) -> None:
    """End the rows that no longer hold and add those that hold from now on."""
    rows = {
        (row.layer, row.on): row
        for row in session.scalars(
            sa.select(CalendarDay).where(
                CalendarDay.calendar_id == calendar.id, CalendarDay.until_version.is_(None)
            )
        )
    }
    fresh = []
    for (layer, on), said in _wanted_days(change, rows).items():
        row = rows.get((layer, on))
        if row is not None and said is not None and (row.kind, row.note or "") == said:
            continue
        if row is not None:
            row.until_version = number
        if said is not None:
            fresh.append(
                CalendarDay(
                    calendar_id=calendar.id,
                    on=on,
                    layer=layer,
                    kind=said[0],
                    note=said[1],
                    source=change.source if layer is DayLayer.official else source,
                    from_version=number,
                )
            )
    # The rows that end must have ended before others take their place.
    session.flush()
    session.add_all(fresh)


def _wanted_days(
    change: CalendarChange, standing: Iterable[tuple[DayLayer, dt.date]]
) -> dict[tuple[DayLayer, dt.date], KindAndNote | None]:
    """Return the new kind and note of each day a change touches; None where it becomes a
    usual one.
    """
    wanted: dict[tuple[DayLayer, dt.date], KindAndNote | None] = {
        (DayLayer.company, day): said for day, said in change.company.items()
    }
    if change.year is not None:
        gone = [d for (la, d) in standing if la is DayLayer.official and d.year == change.year]
        wanted |= {(DayLayer.official, day): None for day in gone}
        wanted |= {(DayLayer.official, day): said for day, said in change.official.items()}
    return wanted


def lock_calendar(
    session: Session, key: str = working_calendar.COMPANY, *, seen: int | None = None
) -> Calendar:
    """Return the calendar, locked until the commit; `seen` is the version a form was made from.

    Raises NotFound, and ChangedMeanwhile when another user changed it since `seen`.
    """
    calendar = session.scalar(
        sa.select(Calendar)
        .where(Calendar.key == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if calendar is None:
        raise NotFound(what="calendar", key=key)
    if seen is not None and seen != calendar.version:
        raise ChangedMeanwhile(what="calendar", key=key)
    return calendar
