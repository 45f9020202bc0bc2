"""How long a due time takes: the bare date, the explained term, the measure, the calendar itself.

A date to a date stays under a microsecond; nothing here is asserted, because machines differ.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from policy.vocabulary.worktime import Unit, WorkCalendar
from services.calendar.working_calendar import OFFICIAL_YEARS, official_calendar

START_ON = date(2026, 9, 28)
START = datetime(2026, 9, 28, 8, 20, tzinfo=UTC)
CALENDAR = official_calendar(OFFICIAL_YEARS)


@pytest.mark.parametrize("amount", [7, 60])
def bench_a_date_some_working_days_later(benchmark: BenchmarkFixture, amount: int) -> None:
    benchmark(CALENDAR.add_days, START_ON, amount)


@pytest.mark.parametrize("amount", [7, 60])
def bench_an_explained_term_in_working_days(benchmark: BenchmarkFixture, amount: int) -> None:
    benchmark(CALENDAR.add, START, amount, Unit.working_day)


def bench_an_explained_term_in_working_hours(benchmark: BenchmarkFixture) -> None:
    benchmark(CALENDAR.add, START, Decimal("20.5"), Unit.working_hour)


def bench_measuring_a_month(benchmark: BenchmarkFixture) -> None:
    benchmark(CALENDAR.working_minutes_between, START, START + timedelta(days=30))


def bench_making_the_calendar(benchmark: BenchmarkFixture) -> None:
    made = benchmark(official_calendar, OFFICIAL_YEARS)
    assert isinstance(made, WorkCalendar)
