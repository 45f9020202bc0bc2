"""The bounds of stated times: what a person, a sheet or an old register can mean by one.

A year typed with two digits, the first day of a spreadsheet or 9999 exists in a calendar and never
was meant. The doors of the record ask here before anything is kept; a journal that is read again is
not judged by it, so that an old entry can always be shown and corrected.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy.vocabulary.errors import TimeInFuture, TimeOutOfBounds
from policy.vocabulary.marks import Mark, marks_of


class Meaning(enum.Enum):
    """What is said by a time: what happened, what is to come, or a day of any kind."""

    happened = "happened"
    coming = "coming"
    day = "day"


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """The first and the last day a time may lie on."""

    earliest: dt.date
    latest: dt.date

    def __contains__(self, day: dt.date) -> bool:
        return self.earliest <= day <= self.latest


ANY_DAY = TimeBounds(dt.date(1950, 1, 1), dt.date(2099, 12, 31))
FIRST_HAPPENED = dt.date(1980, 1, 1)
"""No register of complaints in a computer is older; programs write 1970 where they know nothing."""
SINCE_REGISTERS = TimeBounds(FIRST_HAPPENED, ANY_DAY.latest)
"""What a form takes for a time that has happened; that it lies ahead is said by the record."""
YEARS_TO_COME = 10
LONG_AGO = dt.timedelta(days=30)
"""A complaint received longer ago than this is asked about before it is registered."""


def time_bounds(meaning: Meaning, today: dt.date) -> TimeBounds:
    """Return the bounds of a time of some meaning, as of a day."""
    match meaning:
        case Meaning.happened:
            return TimeBounds(FIRST_HAPPENED, today)
        case Meaning.coming:
            return TimeBounds(FIRST_HAPPENED, today + dt.timedelta(days=366 * YEARS_TO_COME))
    return ANY_DAY


def check_day(field: str, day: dt.date, meaning: Meaning, *, today: dt.date) -> None:
    """Refuse a day outside its bounds (TimeOutOfBounds)."""
    refuse_outside(field, day, time_bounds(meaning, today))


def refuse_outside(field: str, day: dt.date, bounds: TimeBounds) -> None:
    """Refuse a day outside some bounds (TimeOutOfBounds)."""
    if day not in bounds:
        raise TimeOutOfBounds(field=field, at=day, earliest=bounds.earliest, latest=bounds.latest)


def check_instant(field: str, at: dt.datetime, meaning: Meaning, *, now: dt.datetime) -> None:
    """Refuse an instant outside its bounds (TimeOutOfBounds), and what happened in the future."""
    if meaning is Meaning.happened and at > now:
        if at.year <= ANY_DAY.latest.year:
            raise TimeInFuture(field=field, at=at)
        check_day(field, at.date(), meaning, today=now.date())
    # A day of leeway: its zone may have another date.
    bounds = time_bounds(meaning, now.date())
    slack = dt.timedelta(days=1)
    if not bounds.earliest - slack <= at.date() <= bounds.latest + slack:
        check_day(field, at.date(), meaning, today=now.date())


def check_event(kind: type, said: Mapping[str, Any], *, now: dt.datetime) -> None:
    """Check every time among the fields of an event that are given as values of their types."""
    for name, meaning in stated_times(kind):
        value = said.get(name)
        if isinstance(value, dt.datetime):
            if value.tzinfo is None:
                continue  # the event itself refuses it
            check_instant(name, value, meaning, now=now)
        elif isinstance(value, dt.date):
            # A day ahead in another zone is for the engine to judge, which knows the calendar.
            check_day(name, value, meaning, today=(now + dt.timedelta(days=1)).date())


def stated_times(kind: type) -> Iterator[tuple[str, Meaning]]:
    """Yield the times and days among the fields of an event, with what each means."""
    for name, one in marks_of(kind).items():
        if one.shape in ("time", "date"):
            yield name, Meaning.coming if Mark.ahead in one else Meaning.happened


def check_declared(field: Any, value: Any, *, now: dt.datetime) -> None:
    """Check a value of a field that a regulation declares; other shapes and nonsense pass."""
    if field.shape not in ("date", "time") or not value:
        return
    try:
        day = dt.datetime.fromisoformat(str(value)).date()
    except ValueError:
        return  # the engine refuses it as none of its shape
    check_day(field.key, day, Meaning.day, today=now.date())
