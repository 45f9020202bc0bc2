"""What the tests of the regulations share: the official calendar, people and events of every sort.

The calendar is made from `chinesecalendar` itself, so that nothing of the record is needed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar

from policy.conditions import holds
from policy.events import By, Happening, HeldPost, load
from policy.facts import CaseFacts
from policy.lifecycle import ActorKind, CallOutcome, CallPurpose, Status
from policy.pack import Pack
from policy.worktime import DayKind, WorkCalendar

CASES = Path(__file__).parent / "policy"
FIRST_ON = dt.date(2025, 1, 1)
LAST_ON = dt.date(2026, 12, 31)
BEGIN = dt.datetime(2026, 3, 2, 2, 0, tzinfo=dt.UTC)


@cache
def official_calendar() -> WorkCalendar:
    """2025 and 2026 as the State Council has them; office hours 08:30–12:00 and 13:00–17:30."""
    days = [FIRST_ON + dt.timedelta(days=n) for n in range((LAST_ON - FIRST_ON).days + 1)]
    kinds = {day: DayKind.holiday for day in days if day in chinese_calendar.holidays}
    kinds |= {day: DayKind.makeup for day in days if day in chinese_calendar.workdays}
    return WorkCalendar(
        zone="Asia/Shanghai",
        slots=((dt.time(8, 30), dt.time(12)), (dt.time(13), dt.time(17, 30))),
        days=kinds,
        coverage_from=FIRST_ON,
        coverage_until=LAST_ON,
    )


# ---------------------------------------------------------------- who


def cast(pack: Pack) -> list[By]:
    """One person for each post of a pack and one for each of its departments."""
    posts = {post.key: post.department for post in pack.post}
    return [
        *(_person(key, posts=(key,), departments=(of,) if of else ()) for key, of in posts.items()),
        *(_person(f"of {d.key}", departments=(d.key,)) for d in pack.department),
    ]


def everybody(pack: Pack, name: str) -> By:
    """A person who may do whatever somebody may."""
    posts, departments = (tuple(e.key for e in s) for s in (pack.post, pack.department))
    return _person(name, posts=posts, departments=departments)


def sheets(pack: Pack) -> list[By]:
    """The spreadsheet of each department of a pack."""
    return [By(kind=ActorKind.sheet, departments=(d.key,)) for d in pack.department]


def _person(name: str, *, posts: tuple[str, ...] = (), departments: tuple[str, ...] = ()) -> By:
    held = tuple(HeldPost(post=post) for post in posts)
    return By(kind=ActorKind.user, employee=name, posts=held, departments=departments)


# ---------------------------------------------------------------- what


def beginnings(pack: Pack) -> Iterator[Happening]:
    """Every kind, channel and grade with none and all of the pack's own fields; and history."""
    base = {"number": "1", "subject": "-", "received_at": BEGIN}
    choices = (
        {"kind": kind.key, "channel": channel.key, "grade": grade, "extra": extra}
        for kind in pack.kind
        for channel in pack.channel
        for grade in (None, *_grades(pack))
        for extra in ({}, _all_fields(pack))
    )
    for said in choices:
        yield _event(pack, {"type": "registered", **base, **said})
    for status in Status:
        yield _event(pack, {"type": "imported", **base, "kind": pack.kind[0].key, "status": status})


def _grades(pack: Pack) -> list[str]:
    return [step.key for step in pack.severity if step.scale == "grade" and not step.by_hand]


def _different(pack: Pack) -> list[str]:
    """One grade for each set of rules that hold for it."""
    rules = (*pack.deadline, *pack.extension, *pack.escalation)
    held = {
        grade: frozenset(rule.key for rule in rules if holds(rule.applies, CaseFacts(grade=grade)))
        for grade in _grades(pack)
    }
    return list({rules: grade for grade, rules in held.items()}.values())


def _all_fields(pack: Pack) -> dict[str, Any]:
    examples = {"flag": True, "number": 1, "date": "2026-03-01", "phone": "123456"}
    return {
        field.key: field.choices[0].key if field.choices else examples.get(field.shape, "x")
        for field in pack.field
    }


def _event(pack: Pack, said: dict[str, Any]) -> Happening:
    caller = said["type"] in ("called_back", "restarted")
    by = everybody(pack, "caller" if caller else "worker")
    return load({"at": BEGIN, "by": by, **said})


def everything(pack: Pack) -> list[Happening]:
    """An event of every sort, with every choice that may lead somewhere else."""
    return [_event(pack, said) for said in (*_at_the_desk(pack), *_at_work(), *_afterwards(pack))]


def _at_the_desk(pack: Pack) -> Iterator[dict[str, Any]]:
    yield from ({"type": "classified", "grade": grade} for grade in _different(pack))
    yield from ({"type": "classified", "kind": kind.key} for kind in pack.kind)
    yield {"type": "classified", "extra": _all_fields(pack)}
    for department in pack.department:
        yield {"type": "dispatched", "department": department.key, "holder": "worker"}
    yield {"type": "dispatched", "department": pack.department[-1].key}
    yield from ({"type": name} for name in ("taken_over", "archived", "time_passed"))
    yield {"type": "time_passed", "spared": [entry.key for entry in pack.deadline]}
    yield from ({"type": name, "text": "-"} for name in ("reviewed", "progressed"))
    yield {"type": "upgraded", "reason": "-"}


def _at_work() -> Iterator[dict[str, Any]]:
    yield from ({"type": name} for name in ("contacted", "arrived_on_site", "confirmed"))
    yield from ({"type": name, "reason": "-"} for name in ("returned", "declined"))
    yield from ({"type": "replied", "outcome": o, "text": "-"} for o in ("solved", "raise_to_gm"))
    yield from ({"type": "replied", "outcome": "extension", "text": "-"} | soon for soon in SOON)
    yield from ({"type": "extension_granted"} | soon for soon in SOON[:1])
    yield {"type": "extension_refused", "reason": "-"}
    yield {"type": "decided", "solved": True, "text": "-"}
    yield from ({"type": "decided", "solved": False, "text": "-"} | soon for soon in SOON)
    yield {"type": "assigned", "handler": "somebody"}
    yield {"type": "replied_in_writing", "proof": "-"}


SOON: tuple[dict[str, Any], ...] = ({"until": BEGIN}, {})


def _afterwards(pack: Pack) -> Iterator[dict[str, Any]]:
    answers: list[dict[str, Any]] = [
        {"outcome": "answered", "satisfaction": "satisfied"},
        {"outcome": "answered", "satisfaction": "dissatisfied"},
        {"outcome": "answered", "satisfaction": "dissatisfied", "asks_more": True},
        *({"outcome": outcome.value} for outcome in CallOutcome),
    ]
    for purpose in CallPurpose:
        yield from ({"type": "called_back", "purpose": purpose, **said} for said in answers)
    for ground in ("verification", "satisfaction", "repeat", "decision"):
        yield {"type": "restarted", "ground": ground, "text": "-", "holder": "worker"}
    yield {"type": "signed", "feedback": "-"}
    yield {"type": "settled", "reason": "-"}
    yield {"type": "factory_closed"}
    for penalty in pack.penalty:
        yield {"type": "judged", "ground": penalty.key, "employee": "worker", "text": "-"}
    charge = {"rule": pack.penalty[0].key, "employee": "worker", "occasion": "order"}
    yield {"type": "penalty_confirmed", **charge}
    yield {"type": "penalty_notified", **charge, "how": "-"}
    yield from ({"type": f"penalty_{d}", **charge, "reason": "-"} for d in ("waived", "reversed"))
