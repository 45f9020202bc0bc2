"""Reports that come again and again: their periods, and by when each is due."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.engine.report_periods import (
    begun_periods,
    days_of,
    due_on,
    ended_periods,
    period_of,
    uncovered_times,
)
from policy.pack.forms_and_reports import ReportEntry
from policy.vocabulary.errors import ChoiceUnknown
from tests.regulations import official_calendar


def report(every: str, **more: Any) -> ReportEntry:
    said = {"key": "r", "label": "报表", "cite": "X-1", "every": every, "by": "office", **more}
    return ReportEntry.model_validate(said)


@pytest.mark.parametrize(
    ("every", "day", "period", "first", "last"),
    [
        ("week", "2027-01-03", "2026-W53", "2026-12-28", "2027-01-03"),
        ("month", "2026-02-28", "2026-02", "2026-02-01", "2026-02-28"),
        ("month", "2026-12-01", "2026-12", "2026-12-01", "2026-12-31"),
        ("quarter", "2026-10-01", "2026-Q4", "2026-10-01", "2026-12-31"),
        ("quarter", "2026-03-31", "2026-Q1", "2026-01-01", "2026-03-31"),
        ("year", "2026-07-01", "2026", "2026-01-01", "2026-12-31"),
    ],
)
def test_a_day_lies_in_a_period_with_a_first_and_a_last_day(
    every: str, day: str, period: str, first: str, last: str
) -> None:
    entry = report(every)
    assert period_of(entry, dt.date.fromisoformat(day)) == period
    assert [day.isoformat() for day in days_of(entry, period)] == [first, last]


@pytest.mark.parametrize(
    ("every", "name"), [("week", "2025-W53"), ("month", "2026-13"), ("quarter", "2026-10")]
)
def test_what_is_no_name_of_a_period_is_refused(every: str, name: str) -> None:
    with pytest.raises(ChoiceUnknown):
        days_of(report(every), name)


def test_a_day_of_rest_moves_to_the_working_day_before_it() -> None:
    calendar = official_calendar()
    entry = report("month", due_day=15)
    assert due_on(entry, "2026-09", calendar) == dt.date(2026, 10, 15)
    assert due_on(entry, "2026-10", calendar) == dt.date(2026, 11, 13)
    as_printed = report("month", due_day=15, before_rest=False)
    assert due_on(as_printed, "2026-10", calendar) == dt.date(2026, 11, 15)


def test_without_a_day_a_report_is_due_when_its_period_ends() -> None:
    assert due_on(report("quarter"), "2026-Q3", official_calendar()) == dt.date(2026, 9, 30)


@given(
    st.sampled_from(["week", "month", "quarter", "year"]),
    st.one_of(st.none(), st.integers(1, 31)),
    st.booleans(),
    st.dates(dt.date(2025, 1, 1), dt.date(2027, 6, 30)),
)
def test_no_report_is_due_before_its_period_is_over(
    every: str, due_day: int | None, before_rest: bool, day: dt.date
) -> None:
    entry = report(every, due_day=due_day, before_rest=before_rest)
    period = period_of(entry, day)
    last = days_of(entry, period)[1]
    due = due_on(entry, period, official_calendar())
    assert due > last or (due == last and due_day is None)


@pytest.mark.parametrize(
    ("every", "due_day", "period", "due"),
    [
        ("week", 1, "2026-W08", "2026-02-24"),  # the Monday after is still Spring Festival
        ("week", 1, "2026-W40", "2026-10-08"),
        ("month", 3, "2026-09", "2026-10-08"),
        ("month", None, "2026-05", "2026-06-01"),
        ("year", 1, "2026", "2027-01-04"),
    ],
)
def test_a_day_of_rest_never_moves_back_into_the_period(
    every: str, due_day: int | None, period: str, due: str
) -> None:
    found = due_on(report(every, due_day=due_day), period, official_calendar())
    assert found.isoformat() == due


def test_only_periods_that_ended_in_between_are_owed() -> None:
    entry = report("month")
    since, until = dt.date(2026, 8, 15), dt.date(2026, 10, 31)
    assert list(ended_periods(entry, since, until)) == ["2026-08", "2026-09", "2026-10"]
    assert list(ended_periods(entry, since, dt.date(2026, 10, 30))) == ["2026-08", "2026-09"]
    assert list(ended_periods(entry, until, since)) == []


def test_the_period_that_runs_has_begun_but_not_ended() -> None:
    entry = report("month")
    since = dt.date(2026, 8, 15)
    assert begun_periods(entry, since, dt.date(2026, 10, 30)) == ["2026-08", "2026-09", "2026-10"]
    assert begun_periods(entry, since, dt.date(2026, 10, 31)) == ["2026-08", "2026-09", "2026-10"]
    assert begun_periods(report("year"), since, dt.date(2026, 11, 26)) == ["2026"]


def hour(day: int, deadline: int) -> dt.datetime:
    return dt.datetime(2026, 3, day, deadline, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("turns", "open_hours"),
    [
        ([], [(0, 24)]),
        ([(0, 8), (8, 16), (16, 24)], []),
        ([(16, 24), (0, 8), (8, 16)], []),
        ([(0, 9), (8, 24)], []),
        ([(2, 8), (10, 22)], [(0, 2), (8, 10), (22, 24)]),
        ([(0, 20), (4, 6), (22, 24)], [(20, 22)]),
        ([(0, 12), (14, 13), (15, 24)], [(12, 15)]),
    ],
    ids=["none", "three", "in any order", "overlapping", "gaps", "one in another", "backwards"],
)
def test_the_hours_nobody_was_on_duty_are_found(
    turns: list[tuple[int, int]], open_hours: list[tuple[int, int]]
) -> None:
    def on(deadline: int) -> dt.datetime:
        return hour(2, 0) + dt.timedelta(hours=deadline)

    found = uncovered_times(((on(a), on(b)) for a, b in turns), on(0), on(24))
    assert found == [(on(a), on(b)) for a, b in open_hours]


def test_turns_before_and_after_the_asked_time_leave_nothing_open_beyond_it() -> None:
    turns = [(hour(1, 20), hour(2, 6)), (hour(3, 2), hour(3, 8))]
    assert uncovered_times(turns, hour(2, 0), hour(3, 0)) == [(hour(2, 6), hour(3, 0))]
