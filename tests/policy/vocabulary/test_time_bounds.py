"""Which times anybody can mean: slips of the year, first days of programs, ends of the calendar."""

from __future__ import annotations

import datetime as dt

import pytest

from policy.vocabulary.errors import TimeInFuture, TimeOutOfBounds
from policy.vocabulary.events import EVENTS, ExtensionGranted, Imported, Promised, Registered
from policy.vocabulary.time_bounds import (
    ANY_DAY,
    Meaning,
    check_day,
    check_event,
    check_instant,
    stated_times,
    time_bounds,
)

NOW = dt.datetime(2026, 11, 30, 8, tzinfo=dt.UTC)
SLIPS = (1, 19, 26, 226, 1026, 1899, 1900, 1904, 1970, 2206, 9999)


def instant(year: int) -> dt.datetime:
    return dt.datetime(year, 6, 1, 4, tzinfo=dt.UTC)


@pytest.mark.parametrize("year", SLIPS)
@pytest.mark.parametrize("meaning", Meaning)
def test_no_meaning_has_a_year_that_is_a_slip(year: int, meaning: Meaning) -> None:
    if meaning is Meaning.day and year == 1970:
        return  # somebody was employed, and something bought, in 1970
    with pytest.raises(TimeOutOfBounds) as refused:
        check_instant("received_at", instant(year), meaning, now=NOW)
    assert refused.value.facts["earliest"] < refused.value.facts["latest"]
    with pytest.raises(TimeOutOfBounds):
        check_day("received_at", instant(year).date(), meaning, today=NOW.date())


@pytest.mark.parametrize("edge", [dt.datetime.min, dt.datetime.max])
def test_the_ends_of_the_calendar_are_refused_and_break_nothing(edge: dt.datetime) -> None:
    for meaning in Meaning:
        with pytest.raises(TimeOutOfBounds):
            check_instant("at", edge.replace(tzinfo=dt.UTC), meaning, now=NOW)


def test_what_happened_did_not_happen_tomorrow() -> None:
    tomorrow = NOW + dt.timedelta(days=1)
    with pytest.raises(TimeInFuture):
        check_event(Registered, {"received_at": tomorrow}, now=NOW)
    check_event(Promised, {"until": tomorrow, "at": NOW}, now=NOW)
    with pytest.raises(TimeOutOfBounds):
        check_event(ExtensionGranted, {"until": instant(2062)}, now=NOW)
    with pytest.raises(TimeOutOfBounds):
        check_event(Imported, {"closed_at": instant(1925)}, now=NOW)


def test_a_day_of_leeway_covers_every_zone() -> None:
    east = dt.timezone(dt.timedelta(hours=14))
    first = dt.datetime(1980, 1, 1, tzinfo=east)
    check_instant("received_at", first, Meaning.happened, now=NOW)
    check_event(EVENTS["judged"], {"happened_on": NOW.astimezone(east).date()}, now=NOW)


def test_every_time_of_an_event_has_happened_or_lies_ahead() -> None:
    ahead = {
        (kind.name(), name)
        for kind in EVENTS.values()
        for name, meaning in stated_times(kind)
        if meaning is Meaning.coming
    }
    assert ahead == {
        ("replied", "until"),
        ("extension_granted", "until"),
        ("decided", "until"),
        ("promised", "until"),
    }
    assert {"at", "received_at", "closed_at"} <= {name for name, _ in stated_times(Imported)}


@pytest.mark.parametrize("today", [dt.date(2026, 2, 28), dt.date(2028, 2, 29)])
def test_bounds_are_never_empty(today: dt.date) -> None:
    assert all(today in time_bounds(meaning, today) for meaning in Meaning)
    assert time_bounds(Meaning.day, today) == ANY_DAY
