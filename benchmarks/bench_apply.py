"""How long one event takes through `apply` under the Skoda regulation, and a whole case to fold.

Nothing is asserted, because machines differ; the head of the run names this one.
"""

from __future__ import annotations

import datetime as dt

from pytest_benchmark.fixture import BenchmarkFixture

from policy.case import apply
from policy.events import By, HeldPost, load
from policy.facts import CaseFacts
from policy.folding import Entry, fold
from policy.lifecycle import ActorKind
from policy.loading import load as load_pack
from policy.loading import shipped
from services.calendars import OFFICIAL_YEARS, official_calendar

PACK = load_pack(shipped("skoda-dealer"))
CALENDAR = official_calendar(OFFICIAL_YEARS)
BEGIN = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
ANYBODY = By(
    kind=ActorKind.user,
    employee="1",
    departments=tuple(department.key for department in PACK.department),
    posts=tuple(HeldPost(post=post.key) for post in PACK.post),
)
REGISTERED = {
    "type": "registered",
    "number": "1",
    "kind": "complaint",
    "channel": "visit",
    "category": "quality",
    "subject": "-",
    "received_at": BEGIN,
}
STEPS = (
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


def _journal() -> list[Entry]:
    hour = dt.timedelta(hours=1)
    events = [load({"at": BEGIN + n * hour, "by": ANYBODY, **s}) for n, s in enumerate(STEPS)]
    return [Entry(n, event, event.at) for n, event in enumerate(events, start=1)]


def bench_one_event_through_apply(benchmark: BenchmarkFixture) -> None:
    *before, last = _journal()
    facts = fold(before, PACK, CALENDAR)
    benchmark(apply, facts, last.event, PACK, CALENDAR, last.recorded_at)


def bench_the_first_event_through_apply(benchmark: BenchmarkFixture) -> None:
    first = _journal()[0]
    benchmark(apply, CaseFacts(), first.event, PACK, CALENDAR, first.recorded_at)


def bench_folding_a_case_of_seven_events(benchmark: BenchmarkFixture) -> None:
    journal = _journal()
    benchmark(fold, journal, PACK, CALENDAR)


def bench_loading_the_pack(benchmark: BenchmarkFixture) -> None:
    benchmark(load_pack, shipped("skoda-dealer"))
