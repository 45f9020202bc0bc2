"""How long one event takes through `apply` under a regulation of 200 rules, and a case to fold.

Each step of a case, and time that breaches clocks, is measured on its own. Nothing is asserted,
because machines differ; the head of the run names this one.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.regulation import large
from policy.engine.case import apply
from policy.engine.folding import JournalEntry, fold
from policy.engine.permission import deeds_offered
from policy.pack.loading import load_pack, shipped_path
from policy.vocabulary.events import By, HeldPost, load_event
from policy.vocabulary.status import ActorKind
from services.calendar.working_calendar import OFFICIAL_YEARS, official_calendar

PACK = large()
CALENDAR = official_calendar(OFFICIAL_YEARS)
BEGIN = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
ANYBODY = By(
    kind=ActorKind.user,
    employee="1",
    departments=tuple(department.key for department in PACK.department),
    posts=tuple(HeldPost(post=post.key) for post in PACK.post),
)
REGISTERED: dict[str, Any] = {
    "type": "registered",
    "number": "1",
    "kind": "complaint",
    "channel": "visit",
    "category": "quality",
    "subject": "-",
    "received_at": BEGIN,
}
STEPS: tuple[dict[str, Any], ...] = (
    REGISTERED,
    {"type": "dispatched", "department": "after_sales", "holder": "2"},
    {"type": "assigned", "handler": "3"},
    {"type": "replied", "outcome": "solved", "text": "-"},
    {"type": "confirmed"},
    {
        "type": "called_back",
        "purpose": "verification",
        "outcome": "answered",
        "satisfaction": "satisfied",
    },
    {"type": "signed", "feedback": "-"},
)


def _journal() -> list[JournalEntry]:
    hour = dt.timedelta(hours=1)
    events = [load_event({"at": BEGIN + n * hour, "by": ANYBODY, **s}) for n, s in enumerate(STEPS)]
    return [JournalEntry(n, event, event.at) for n, event in enumerate(events, start=1)]


@pytest.mark.parametrize("step", range(len(STEPS)), ids=[str(s["type"]) for s in STEPS])
def bench_one_event_through_apply(benchmark: BenchmarkFixture, step: int) -> None:
    journal = _journal()
    facts, entry = fold(journal[:step], PACK, CALENDAR), journal[step]
    benchmark(apply, facts, entry.event, PACK, calendar=CALENDAR, now=entry.recorded_at)


def bench_time_that_breaches_every_clock(benchmark: BenchmarkFixture) -> None:
    facts = fold(_journal()[:3], PACK, CALENDAR)
    late = BEGIN + dt.timedelta(days=60)
    event = load_event({"type": "time_passed", "at": late})
    after, _ = apply(facts, event, PACK, calendar=CALENDAR, now=late)
    assert any(deadline.breached for deadline in after.deadlines)
    benchmark(apply, facts, event, PACK, calendar=CALENDAR, now=late)


def bench_what_a_person_may_do_now(benchmark: BenchmarkFixture) -> None:
    facts = fold(_journal()[:3], PACK, CALENDAR)
    benchmark(deeds_offered, facts, ANYBODY, PACK)


def bench_folding_a_case_of_seven_events(benchmark: BenchmarkFixture) -> None:
    journal = _journal()
    benchmark(fold, journal, PACK, CALENDAR)


def bench_loading_the_shipped_pack(benchmark: BenchmarkFixture) -> None:
    benchmark(load_pack, shipped_path("skoda-dealer"))
