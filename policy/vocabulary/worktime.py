"""Working time: which days count, when a term ends, how much working time has passed.

A `WorkCalendar` is a company's calendar as a value: office hours, make-up days, holidays, half
days. It answers from sorted arrays made once, so that a term costs a bisection and not a walk over
days. Days outside its coverage count Monday to Friday, and a result that depends on one of them is
*provisional*.

Instants are aware and come back in UTC; days and times of day are those of the calendar's zone.
"""

from __future__ import annotations

import calendar as gregorian
import enum
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from policy.vocabulary.errors import AmountRefused, CalendarExhausted, CalendarRefused, ZoneMissing

Slot = tuple[time, time]

REACH_YEARS: Final = 3
"""The whole years beyond its coverage that a calendar still counts, provisionally."""

MOST_YEARS: Final = 200
"""The longest reach a calendar accepts; a longer one is a typing mistake."""

MOST_AMOUNT: Final = 100_000_000
"""The largest amount of a term, in any unit; 190 years of minutes."""

COUNTED_KEPT: Final = 40
SKIPPED_KEPT: Final = 60

FIXED_HOLIDAYS: Final = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
"""The holidays whose day of the year the law fixes, as (month, day): New Year, Labour Day and the
National Day. The yearly plan only moves the days around them.
"""

END_OF_DAY: Final = time(23, 59, 59)
MINUTE: Final = 60_000_000  # microseconds, the grain in which working time is added


class DayKind(enum.Enum):
    """The kind of a day. Work, make-up and half days count; rest days and holidays do not."""

    work = "work"
    rest = "rest"
    holiday = "holiday"
    makeup = "makeup"
    half = "half"

    @property
    def counts(self) -> bool:
        """Whether the company works on such a day."""
        return self not in (DayKind.rest, DayKind.holiday)


class DayLayer(enum.Enum):
    """The source of a day's kind; the company's own days override the official plan."""

    official = "official"
    company = "company"


class Unit(enum.Enum):
    """The units of a regulation's terms."""

    minute = "minute"
    hour = "hour"
    working_hour = "working_hour"
    working_day = "working_day"
    calendar_day = "calendar_day"
    week = "week"
    month = "month"
    year = "year"
    same_day = "same_day"
    clock_time = "clock_time"
    day_of_month = "day_of_month"


MOST_OF: Final = {
    Unit.working_day: 500,
    Unit.working_hour: 2_000,
    Unit.calendar_day: 36_525,
    Unit.clock_time: 36_525,
    Unit.week: 5_200,
    Unit.month: 1_200,
    Unit.year: 100,
    Unit.day_of_month: 31,
}
"""The longest terms a regulation may give, where a unit has its own limit.

Of working time two years, which a calendar counts on every day it is covered for, with office
hours of half a day as well; of other time a century.
"""


@dataclass(frozen=True, slots=True)
class Due:
    """The end of a term, and the days that explain it.

    `counted` are the working days counted, in order, the first 40 of them; `makeup` are all counted
    days that are make-up days; `skipped` are the first 60 rest days and holidays passed over, each
    with the name of its kind. Units that do not count working days leave all three empty.
    `provisional` says that the end depends on a day beyond the coverage of the calendar.
    """

    at: datetime
    counted: tuple[date, ...] = ()
    skipped: tuple[tuple[date, str], ...] = ()
    makeup: tuple[date, ...] = ()
    provisional: bool = False


class WorkCalendar:
    """A calendar of working days and office hours; never changes once made.

    `slots` are the office hours of a full day in order, `half_slots` those of a half day. `days`
    names the days that differ from the week. Calendars of one `version` are equal; without a
    version a checksum of the content stands in. With `whole_days` a term leaves all its working
    days whole and a later start never ends earlier; with `fixed_holidays` those holidays are known
    after the coverage as well. `judged` gives a calendar these.

    Raises CalendarRefused (fact `why`) for an unknown zone, hours that are missing, out of order,
    empty, finer than a minute or with a zone of their own, a half day without half hours, a
    coverage that ends before it begins or is absurdly long, and a day out of reach.
    """

    def __init__(
        self,
        *,
        zone: str,
        slots: Sequence[Slot],
        days: Mapping[date, DayKind],
        coverage_from: date,
        coverage_until: date,
        half_slots: Sequence[Slot] | None = None,
        version: str = "",
        whole_days: bool = False,
        fixed_holidays: bool = False,
    ) -> None:
        self._zone: Final = _zone(zone)
        self._slots: Final = _checked_slots(slots)
        self._half_slots: Final = _checked_slots(half_slots) if half_slots else None
        self.first_on, self.last_on = _reach(coverage_from, coverage_until)
        self.coverage_from: Final = coverage_from
        self.coverage_until: Final = coverage_until
        self.whole_days: Final = whole_days
        self.fixed_holidays: Final = fixed_holidays
        self._kinds: Final = _checked_days(days, self.first_on, self.last_on)
        if self._half_slots is None and DayKind.half in self._kinds.values():
            raise CalendarRefused(why="half_slots_missing")
        self.version: Final = version or self._checksum(zone)
        self._lay_out()

    def _lay_out(self) -> None:
        """Sort every day within reach into the arrays that are bisected."""
        reach = range(self.first_on.toordinal(), self.last_on.toordinal() + 1)
        days = [date.fromordinal(ordinal) for ordinal in reach]
        self._working = [day for day in days if self._kind(day).counts]
        if not self._working:
            raise CalendarRefused(why="no_working_day")
        self._idle = [(day, self._kind(day).value) for day in days if not self._kind(day).counts]
        self._makeup = [day for day in self._working if self._kind(day) is DayKind.makeup]
        # Comparing integers is several times faster than comparing dates.
        self._working_ordinals = [day.toordinal() for day in self._working]
        self._idle_ordinals = [day.toordinal() for day, _kind in self._idle]
        worked = (_length(self.office_hours(day)) for day in self._working)
        self._worked_before = list(accumulate(worked, initial=0))

    def _checksum(self, zone: str) -> str:
        odd = sorted((day, kind.value) for day, kind in self._kinds.items())
        content = (zone, self._slots, self._half_slots, odd, self.coverage_from, self.last_on)
        return hashlib.sha256(repr((content, self.coverage_until)).encode()).hexdigest()

    def judged(self, *, whole_days: bool, fixed_holidays: bool) -> WorkCalendar:
        """Return this calendar as terms are counted by; itself where it counts so already."""
        if (whole_days, fixed_holidays) == (self.whole_days, self.fixed_holidays):
            return self
        return self._judged(whole_days=whole_days, fixed_holidays=fixed_holidays)

    @lru_cache(maxsize=64)  # noqa: B019  # by version, so that each calendar is laid out once
    def _judged(self, *, whole_days: bool, fixed_holidays: bool) -> WorkCalendar:
        return WorkCalendar(
            zone=self._zone.key,
            slots=self._slots,
            half_slots=self._half_slots,
            days=self._kinds,
            coverage_from=self.coverage_from,
            coverage_until=self.coverage_until,
            version=f"{self.version}/{whole_days:d}{fixed_holidays:d}",
            whole_days=whole_days,
            fixed_holidays=fixed_holidays,
        )

    def __hash__(self) -> int:
        return hash(self.version)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WorkCalendar):
            return NotImplemented
        return self.version == other.version

    def __repr__(self) -> str:
        return f"<WorkCalendar {self.version} {self.coverage_from}…{self.coverage_until}>"

    # Days

    def kind(self, day: date) -> DayKind:
        """Return the kind of `day`; beyond the coverage that of the weekday.

        Raises CalendarExhausted more than three whole years beyond the coverage.
        """
        if not self.first_on <= day <= self.last_on:
            raise CalendarExhausted(from_on=day, days=0)
        return self._kind(day)

    def _kind(self, day: date) -> DayKind:
        named = self._kinds.get(day)
        if named is not None:
            return named
        if self.fixed_holidays and day > self.coverage_until and _is_fixed_holiday(day):
            return DayKind.holiday
        return week_kind(day)

    def is_working(self, day: date) -> bool:
        """Whether the company works on `day`, be it only half of it."""
        return self.kind(day).counts

    def is_provisional(self, first: date, last: date) -> bool:
        """Whether any day from `first` to `last` lies beyond the coverage."""
        return first < self.coverage_from or last > self.coverage_until

    def office_hours(self, day: date) -> tuple[Slot, ...]:
        """Return the office hours of `day` in order; none on a rest day or holiday."""
        kind = self._kind(day)
        if kind is DayKind.half:
            return self._half_slots or ()
        return self._slots if kind.counts else ()

    def add_days(self, day: date, amount: int) -> date:
        """Return the `amount`-th working day after `day`.

        `day` itself never counts, so from a rest day the next working day is day 1. Raises
        AmountRefused below 1, CalendarExhausted beyond reach.
        """
        if amount < 1:
            raise AmountRefused(amount=amount)
        if day.toordinal() < self._working_ordinals[0]:
            self.kind(day)  # Outside of reach a bisection would answer, wrongly.
        try:
            return self._working[bisect_right(self._working_ordinals, day.toordinal()) + amount - 1]
        except IndexError:
            raise CalendarExhausted(from_on=day, days=amount) from None

    def last_working_day_on_or_before(self, day: date) -> date:
        """Return `day` if it is a working day, else the one before."""
        self.kind(day)
        at = bisect_right(self._working_ordinals, day.toordinal())
        if not at:
            raise CalendarExhausted(from_on=day, days=-1)
        return self._working[at - 1]

    # Instants

    def local(self, instant: datetime) -> datetime:
        """Return `instant` in the zone of the calendar. Raises ZoneMissing for a naive one."""
        if instant.tzinfo is None:
            raise ZoneMissing(field="instant")
        return instant.astimezone(self._zone)

    def instant(self, day: date, at: time) -> datetime:
        """Return the UTC instant at which clocks of the calendar's zone show `at` on `day`."""
        try:
            return datetime.combine(day, at, self._zone).astimezone(UTC)
        except OverflowError:
            raise CalendarExhausted(from_on=day, days=0) from None

    def span(self, from_on: date, until_on: date) -> tuple[datetime, datetime]:
        """Return the UTC instants at which the first day begins and the last one is over."""
        return self.instant(from_on, time(0)), self.instant(until_on + timedelta(days=1), time(0))

    def add(
        self,
        start: datetime,
        amount: int | Decimal,
        unit: Unit,
        *,
        at: time | None = None,
    ) -> Due:
        """The end of a term of `amount` `unit` that begins at the aware instant `start`.

        minute, hour: time elapses day and night. working_hour: only office hours count,
        and a term that is used up at closing ends at closing. These three take a Decimal.

        working_day: the day of `start` never counts; the clock time of `start` is kept,
        clipped to the office hours of the due day (a lunch break is left as it is). Counted in
        whole days a term that begins when the office is closed for the day ends at closing.
        calendar_day, week, month, year: the clock time is kept, and a day the month does
        not have becomes its last. same_day: 23:59:59 on the day of `start`, whatever the
        amount. clock_time: the `amount`-th time after `start` that clocks show `at`.
        day_of_month: 23:59:59 on the `amount`-th of the month after that of `start`, or on
        its last day.

        Raises AmountRefused for an amount that is not positive, not whole where the unit
        asks for it, or a 32nd of a month; CalendarRefused when `at` is missing with
        clock_time or given with another unit; CalendarExhausted beyond reach; ZoneMissing.
        """
        if (at is None) is (unit is Unit.clock_time):
            raise CalendarRefused(why="clock_time_missing" if at is None else "clock_time_unused")
        begun = self.local(start)
        if unit is Unit.same_day:
            return Due(self.instant(begun.date(), END_OF_DAY))
        if unit in (Unit.minute, Unit.hour, Unit.working_hour):
            return self._add_time(start, _microseconds(amount, unit), unit)
        whole = _whole(amount)
        if unit is Unit.working_day:
            return self._add_working_days(begun, whole)
        if at is not None:
            return Due(self.instant(_later(begun.date(), whole - (begun.time() < at)), at))
        return self._add_dates(begun, whole, unit)

    def _add_dates(self, begun: datetime, whole: int, unit: Unit) -> Due:
        """The end of a term of days, weeks, months or years of the calendar."""
        day, clock = _MOVES[unit](begun, whole)
        if self.whole_days and unit in (Unit.month, Unit.year):
            clock = END_OF_DAY if day.day != begun.day else min(clock, END_OF_DAY)
        return Due(self.instant(day, clock))

    def to_end_of_day(self, due: Due) -> Due:
        """Return the same end of a term, put off to 23:59:59 of its day."""
        return replace(due, at=self.instant(self.local(due.at).date(), END_OF_DAY))

    def _add_time(self, start: datetime, microseconds: int, unit: Unit) -> Due:
        if unit is Unit.working_hour:
            return self._add_working_time(self.local(start), microseconds)
        try:
            return Due(start.astimezone(UTC) + timedelta(microseconds=microseconds))
        except OverflowError:
            raise _exhausted(start, microseconds) from None

    def _add_working_days(self, begun: datetime, amount: int) -> Due:
        start_on = begun.date()
        due_on = self.add_days(start_on, amount)
        due = self.instant(due_on, self._clock_due(begun, due_on))
        first = bisect_right(self._working_ordinals, start_on.toordinal())
        return self._explained(due, start_on, due_on, first=first)

    def _add_working_time(self, begun: datetime, microseconds: int) -> Due:
        start_on = begun.date()
        target = self._worked_until(begun) + microseconds
        # The first day at whose closing the term is used up; closing itself still counts.
        at = bisect_left(self._worked_before, target) - 1
        if at >= len(self._working):
            raise _exhausted(begun, microseconds)
        due_on = self._working[at]
        clock = _clock_after(self.office_hours(due_on), target - self._worked_before[at])
        first = bisect_right(self._worked_before, target - microseconds) - 1
        return self._explained(self.instant(due_on, clock), start_on, due_on, first=first)

    def _explained(self, due: datetime, start_on: date, due_on: date, *, first: int) -> Due:
        """Return `due` with the days that led to it; `first` indexes the first day counted."""
        last = bisect_right(self._working_ordinals, due_on.toordinal())
        idle = bisect_left(self._idle_ordinals, start_on.toordinal())
        until = bisect_left(self._idle_ordinals, due_on.toordinal(), lo=idle)
        makeup = bisect_left(self._makeup, self._working[first])
        return Due(
            at=due,
            counted=tuple(self._working[first : min(last, first + COUNTED_KEPT)]),
            skipped=tuple(self._idle[idle : min(until, idle + SKIPPED_KEPT)]),
            makeup=tuple(self._makeup[makeup : bisect_right(self._makeup, due_on, lo=makeup)]),
            provisional=self.is_provisional(start_on, due_on),
        )

    def _clock_due(self, begun: datetime, due_on: date) -> time:
        """Return the time of day at which a term of working days ends on its due day."""
        hours = self.office_hours(begun.date())
        if self.whole_days and (not hours or begun.time() >= hours[-1][1]):
            return self.office_hours(due_on)[-1][1]
        return self._clipped(due_on, begun.time())

    def _clipped(self, day: date, clock: time) -> time:
        """Return `clock`, but not before the opening of `day` nor after its closing."""
        hours = self.office_hours(day)
        return max(hours[0][0], min(clock, hours[-1][1]))

    # Measures

    def after_closing(self, instant: datetime) -> bool:
        """Whether the office has closed on the day of the aware `instant`.

        On a rest day or holiday the ordinary closing hour counts, because an employee may be there.
        """
        moment = self.local(instant)
        hours = self.office_hours(moment.date()) or self._slots
        return moment.time() >= hours[-1][1]

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """Return whole minutes of office hours between two instants; negative if out of order."""
        used = self._worked_until(self.local(end)) - self._worked_until(self.local(start))
        return used // MINUTE if used >= 0 else -(-used // MINUTE)

    def _worked_until(self, moment: datetime) -> int:
        """Return the microseconds of office hours from the first day in reach to local `moment`."""
        day = moment.date()
        self.kind(day)
        before = bisect_left(self._working_ordinals, day.toordinal())
        now = _since_midnight(moment.time())
        today = sum(
            max(0, min(now, _since_midnight(closes)) - _since_midnight(opens))
            for opens, closes in self.office_hours(day)
        )
        return self._worked_before[before] + today


def _is_fixed_holiday(day: date) -> bool:
    return (day.month, day.day) in FIXED_HOLIDAYS


def week_kind(day: date) -> DayKind:
    """Return the kind of a day that no calendar names."""
    return DayKind.work if day.weekday() < 5 else DayKind.rest


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise CalendarRefused(why="zone_unknown", zone=name) from None


def _checked_slots(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Return `slots` as a tuple. Raises CalendarRefused: none, unordered, empty or too fine."""
    if not slots:
        raise CalendarRefused(why="slots_missing")
    for opens, closes in slots:
        for clock in (opens, closes):
            if clock.second or clock.microsecond or clock.tzinfo:
                raise CalendarRefused(why="slot_not_in_minutes", clock=clock)
        if opens >= closes:
            raise CalendarRefused(why="slot_empty", opens=opens, closes=closes)
    for (_, closes), (opens, _) in pairwise(slots):
        if opens < closes:
            raise CalendarRefused(why="slots_out_of_order", closes=closes, opens=opens)
    return tuple((opens, closes) for opens, closes in slots)


def _reach(coverage_from: date, coverage_until: date) -> tuple[date, date]:
    """Return the first and last day about which the calendar answers."""
    coverage = {"coverage_from": coverage_from, "coverage_until": coverage_until}
    if coverage_until < coverage_from:
        raise CalendarRefused(why="coverage_ends_before_it_begins", **coverage)
    first, last = coverage_from.year - REACH_YEARS, coverage_until.year + REACH_YEARS
    if last - first > MOST_YEARS or first < date.min.year or last >= date.max.year:
        raise CalendarRefused(why="coverage_too_long", **coverage)
    return date(first, 1, 1), date(last, 12, 31)


def _checked_days(
    days: Mapping[date, DayKind], first_on: date, last_on: date
) -> dict[date, DayKind]:
    for day in days:
        if not first_on <= day <= last_on:
            raise CalendarRefused(why="day_out_of_reach", on=day)
    return dict(days)


def _since_midnight(clock: time) -> int:
    """Return the microseconds from midnight to `clock`."""
    minutes = clock.hour * 60 + clock.minute
    return minutes * MINUTE + clock.second * 1_000_000 + clock.microsecond


def _length(slots: Sequence[Slot]) -> int:
    """Return the microseconds of office hours in `slots`."""
    return sum(_since_midnight(closes) - _since_midnight(opens) for opens, closes in slots)


def _clock_after(slots: Sequence[Slot], worked: int) -> time:
    """Return the time of day at which `worked` microseconds (at least one) of `slots` passed."""
    for opens, closes in slots:
        length = _since_midnight(closes) - _since_midnight(opens)
        if worked <= length:
            start = datetime.combine(date.min, opens)
            return (start + timedelta(microseconds=worked)).time()
        worked -= length
    raise AssertionError("The day was chosen so that it holds the rest of the term.")


def _positive(amount: int | Decimal) -> int | Decimal:
    """Return `amount`. Raises AmountRefused for a flag, a float, zero or less, or too much."""
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
        raise AmountRefused(amount=amount)
    # A Decimal that is no number refuses to be compared, so it is asked first.
    finite = isinstance(amount, int) or amount.is_finite()
    if not finite or not 0 < amount <= MOST_AMOUNT:
        raise AmountRefused(amount=amount)
    return amount


def _whole(amount: int | Decimal) -> int:
    """Return `amount` as an int. Raises AmountRefused for half a day."""
    if _positive(amount) != amount // 1:
        raise AmountRefused(amount=amount)
    return int(amount)


def _microseconds(amount: int | Decimal, unit: Unit) -> int:
    minutes = _positive(amount) * (1 if unit is Unit.minute else 60)
    # Rounded, so that a third of an hour is twenty minutes and not a microsecond less.
    return max(1, round(minutes * MINUTE))


def _exhausted(start: datetime, microseconds: int) -> CalendarExhausted:
    return CalendarExhausted(from_on=start.date(), days=microseconds // (24 * 60 * MINUTE))


def _later(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise CalendarExhausted(from_on=day, days=days) from None


def _months_later(day: date, months: int, day_of_month: int) -> date:
    """Return `day_of_month` of the month `months` later, at most the month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        raise CalendarExhausted(from_on=day, days=months * 30)
    last = gregorian.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day_of_month, last))


def _day_of_next_month(begun: datetime, amount: int) -> tuple[date, time]:
    if amount > 31:
        raise AmountRefused(amount=amount)
    return _months_later(begun.date(), 1, amount), END_OF_DAY


_MOVES: Final[Mapping[Unit, Callable[[datetime, int], tuple[date, time]]]] = {
    Unit.calendar_day: lambda begun, n: (_later(begun.date(), n), begun.time()),
    Unit.week: lambda begun, n: (_later(begun.date(), 7 * n), begun.time()),
    Unit.month: lambda begun, n: (_months_later(begun.date(), n, begun.day), begun.time()),
    Unit.year: lambda begun, n: (_months_later(begun.date(), 12 * n, begun.day), begun.time()),
    Unit.day_of_month: _day_of_next_month,
}
