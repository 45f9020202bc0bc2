"""Periods of reports that a regulation wants regularly, and the day each is due.

A period is written as people write it: "2026-W43", "2026-10", "2026-Q4", "2026". Days are local.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from policy.pack.forms_and_reports import ReportEntry
from policy.vocabulary.errors import ChoiceUnknown
from policy.vocabulary.worktime import WorkCalendar

MOST_PERIODS = 400
"""The most periods that are listed; a year has 53 weeks."""


def period_of(report: ReportEntry, day: dt.date) -> str:
    """Return the name of the report's period that a day lies in."""
    match report.every:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case "year":
            return f"{day.year}"


_NAMES = {
    "week": re.compile(r"(\d{4})-W(\d\d)"),
    "month": re.compile(r"(\d{4})-(\d\d)"),
    "quarter": re.compile(r"(\d{4})-Q([1-4])"),
    "year": re.compile(r"(\d{4})()"),
}


def days_of(report: ReportEntry, period: str) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a period. Raises ChoiceUnknown for a name of no period."""
    found = _NAMES[report.every].fullmatch(period)
    try:
        if found is None:
            raise ValueError(period)
        return _first_and_last(report.every, int(found[1]), int(found[2] or 0))
    except ValueError as error:
        raise ChoiceUnknown(field="period", value=period) from error


def _first_and_last(every: str, year: int, number: int) -> tuple[dt.date, dt.date]:
    match every:
        case "week":
            first = dt.date.fromisocalendar(year, number, 1)
            return first, first + dt.timedelta(days=6)
        case "month":
            return dt.date(year, number, 1), _day_before(year, number + 1)
        case "quarter":
            return dt.date(year, 3 * number - 2, 1), _day_before(year, 3 * number + 1)
        case _:
            return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _day_before(year: int, month: int) -> dt.date:
    """Return the day before the first of a month; month 13 is the next January."""
    return dt.date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1) - dt.timedelta(days=1)


def due_on(report: ReportEntry, period: str, calendar: WorkCalendar) -> dt.date:
    """Return the day a report is due: `due_day` of the period after, or its own last day.

    A rest day moves to the last working day before it, if the rule says so. Nobody can report of a
    period that is not over: where that would lie in it, the first working day after it counts.
    """
    calendar = calendar.judged(whole_days=True, fixed_holidays=True)
    _, last = days_of(report, period)
    day = last + dt.timedelta(days=report.due_day or 0)
    if not report.before_rest or calendar.is_working(day):
        return day
    before = calendar.last_working_day_on_or_before(day)
    return before if before > last else calendar.add_days(last, 1)


def ended_periods(report: ReportEntry, since: dt.date, until: dt.date) -> Iterator[str]:
    """Yield the periods that ended from one day to another, in order, at most MOST_PERIODS."""
    period = period_of(report, since)
    for _ in range(MOST_PERIODS):
        _, last = days_of(report, period)
        if last > until:
            return
        if last >= since:
            yield period
        period = period_of(report, last + dt.timedelta(days=1))


def begun_periods(report: ReportEntry, since: dt.date, until: dt.date) -> list[str]:
    """Return the periods that ended between two days, and the one running on the last."""
    found = list(ended_periods(report, since, until))
    running = period_of(report, until)
    return found if running in found else [*found, running]


def uncovered_times(
    turns: Iterable[tuple[dt.datetime, dt.datetime]], begin: dt.datetime, end: dt.datetime
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the times between two instants that no turn of duty covers, in order (RES-2.1.2).

    Turns may come in any order and overlap; one that ends before it begins covers nothing.
    """
    open_from, found = begin, []
    for since, until in sorted(turn for turn in turns if turn[0] < turn[1]):
        if since > open_from and open_from < end:
            found.append((open_from, min(since, end)))
        open_from = max(open_from, until)
    return [*found, (open_from, end)] if open_from < end else found
