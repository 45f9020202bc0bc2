"""No case is ever without a next deed: the whole state space of each shipped pack, walked.

A state is what decides what may happen next: status, round, verdicts, attempts, running clocks
and the rules that apply. From every state that is reached every sort of event is tried, and time
is let pass to every moment at which something changes by itself.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from policy.case import apply, archivable
from policy.conditions import holds, look
from policy.deeds import SHEET_DEEDS, offered, refusal
from policy.errors import DomainError
from policy.events import EVENTS, By, Happening
from policy.facts import CaseFacts
from policy.lifecycle import ALLOWED, CallOutcome, Status
from policy.loading import PACKS, shipped
from policy.loading import load as load_pack
from policy.pack import DeadlineEntry, Pack
from tests.regulations import BEGIN, beginnings, cast, everything, official_calendar, sheets

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))
MINUTE = dt.timedelta(minutes=1)
MOST_ROUNDS = 3
CHANGES_NO_STATE = frozenset(name for name in EVENTS if name.startswith("penalty_")) | {
    "judged",
    "progressed",
    "contacted",
}
LEADS_NOWHERE = CHANGES_NO_STATE | {"classified", "reviewed"}


@dataclass(frozen=True)
class Place:
    """A case as it was when its state was first reached, and when that was."""

    facts: CaseFacts
    at: dt.datetime


# ---------------------------------------------------------------- the walk


def state(facts: CaseFacts, pack: Pack) -> Hashable:
    """What decides what may happen next to a case; what its status does not ask is left out."""
    asked = facts.status in (Status.confirmed, Status.disputed, Status.accepted)
    verdicts = ("unhappy", "demands_more", "satisfaction_unhappy")
    rules = (*pack.extension, *pack.escalation, *pack.gate)
    running = {clock.key for clock in facts.clocks if clock.running and clock.round == facts.round}
    return (
        facts.status,
        facts.history,
        facts.round,
        facts.closing_ground is None,
        facts.status is Status.replied and facts.reply_outcome,
        facts.status is Status.registered and facts.grade is None,
        facts.factory_closed_at is None,
        tuple(bool(look(name, facts, None)) for name in verdicts) if asked else (),
        _missed(facts) if facts.status is Status.confirmed else (),
        frozenset(rule.key for rule in rules if rule.applies and holds(rule.applies, facts)),
        frozenset(_role(entry) for entry in pack.deadline if entry.key in running) - {""},
    )


def _missed(facts: CaseFacts) -> tuple[int, int]:
    """How often nobody answered in this round, and on how many days, as far as it is counted."""
    calls = [c for c in facts.calls if c.round == facts.round]
    days = [c.at.date() for c in calls if c.outcome is CallOutcome.unreachable]
    return min(len(days), 3), min(len(set(days)), 2)


def _role(entry: DeadlineEntry) -> str:
    """What a running clock decides; one that only tells who was late decides nothing."""
    if entry.ends != "breach" or entry.window_from:
        return entry.key
    return ("reviewed" if entry.review_every else "answering") if entry.slot else ""


def moments(place: Place) -> Iterator[dt.datetime]:
    """The next day, and just after each time a running clock waits for."""
    yield place.at + dt.timedelta(days=1)
    for clock in place.facts.clocks:
        for at in (clock.opens_at, clock.due_at):
            if clock.running and at and at > place.at:
                yield at + MINUTE


@dataclass
class Walk:
    """The states reached, each with where it was first seen, and what leads to what."""

    places: dict[Hashable, Place]
    leads_to: dict[Hashable, set[Hashable]]


@cache
def walk(regulation: str) -> tuple[Pack, Walk]:
    pack = load_pack(shipped(regulation))
    found = Walk({}, defaultdict(set))
    waiting: deque[Hashable] = deque()
    tried = everything(pack)
    nothing = Place(CaseFacts(), BEGIN)
    for event in beginnings(pack):
        _go(found, waiting, None, _after(nothing, event, BEGIN, pack), pack)
    seen: set[Status] = set()
    while waiting:
        here = waiting.popleft()
        place = found.places[here]
        status = place.facts.status
        known = ALLOWED[status] - CHANGES_NO_STATE | {"archived"}
        # What a status does not know and what leads to the same state are tried once each.
        sorts = [e for e in tried if e.type in known or status not in seen or place.facts.history]
        seen.add(status)
        for reached in _reached(place, sorts, pack):
            _go(found, waiting, here, reached, pack)
    return pack, found


def _reached(place: Place, tried: list[Happening], pack: Pack) -> Iterator[Place | None]:
    for event in tried:
        yield _after(place, event, place.at + MINUTE, pack)
        if event.type in ("time_passed", "archived", "called_back"):
            for at in moments(place):
                yield _after(place, event, at, pack)


def _after(place: Place, event: Happening, at: dt.datetime, pack: Pack) -> Place | None:
    """The place an event leads to, None where it is refused: nothing else may be raised."""
    update: dict[str, Any] = {"at": at}
    if getattr(event, "until", None):
        update["until"] = at + dt.timedelta(days=1)
    try:
        facts, _ = apply(
            place.facts, event.model_copy(update=update), pack, official_calendar(), at
        )
    except DomainError:
        return None
    return Place(facts, at)


def _go(
    found: Walk, waiting: deque[Hashable], here: Hashable, reached: Place | None, pack: Pack
) -> None:
    if reached is None or reached.facts.round > MOST_ROUNDS:
        return
    there = state(reached.facts, pack)
    found.leads_to[here].add(there)
    if there not in found.places:
        found.places[there] = reached
        waiting.append(there)


def _is_end(facts: CaseFacts) -> bool:
    """In the archive, withdrawn, only counted, or closed before there was Redress."""
    if facts.history:
        return facts.status in (Status.archived, Status.withdrawn, Status.closed)
    return facts.status in (Status.archived, Status.recorded)


def _leading_to_an_end(found: Walk) -> set[Hashable]:
    """Every state from which some path leads to an end."""
    comes_from: dict[Hashable, set[Hashable]] = defaultdict(set)
    for here, theres in found.leads_to.items():
        for there in theres:
            comes_from[there].add(here)
    good = {there for there, place in found.places.items() if _is_end(place.facts)}
    waiting = deque(good)
    while waiting:
        for before in comes_from[waiting.popleft()] - good:
            good.add(before)
            waiting.append(before)
    return good


# ---------------------------------------------------------------- what must hold


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_the_walk_reaches_every_status_and_tries_every_event(regulation: str) -> None:
    pack, found = walk(regulation)
    assert {place.facts.status for place in found.places.values()} == set(Status)
    assert {place.facts.round for place in found.places.values()} == {1, 2, 3}
    tried = {event.type for event in (*everything(pack), *beginnings(pack))}
    assert tried == set(EVENTS) - {"corrected", "withdrawn"}


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_from_every_state_some_path_leads_to_an_end(regulation: str) -> None:
    _, found = walk(regulation)
    good = _leading_to_an_end(found)
    assert [place.facts for there, place in found.places.items() if there not in good] == []


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_in_every_state_some_person_or_time_has_a_next_deed(regulation: str) -> None:
    pack, found = walk(regulation)
    people = cast(pack)
    stuck = [
        place.facts
        for place in found.places.values()
        if not (
            _is_end(place.facts)
            or any(_has_a_deed(place.facts, by, pack) for by in people)
            or _moves_by_itself(place.facts, pack)
        )
    ]
    assert stuck == []


def _has_a_deed(facts: CaseFacts, by: By, pack: Pack) -> bool:
    """Whether a person may do something that leads on; before the hand-over sorting it does."""
    idle = LEADS_NOWHERE - {"classified"} if facts.status is Status.registered else LEADS_NOWHERE
    return any(d.allowed and d.name not in idle for d in offered(facts, by, pack))


def _moves_by_itself(facts: CaseFacts, pack: Pack) -> bool:
    """Time puts it into the archive, now or when its observation ends."""
    watched = (c for c in facts.clocks if pack.find("deadline", c.key).ends == "archive")
    return archivable(facts, pack) or any(clock.running for clock in watched)


@pytest.mark.parametrize("regulation", REGULATIONS)
@pytest.mark.parametrize("lawless", [False, True], ids=["as it is", "without signoffs"])
def test_no_sheet_ever_does_what_needs_a_name(regulation: str, lawless: bool) -> None:
    pack, found = walk(regulation)
    if lawless:
        pack = pack.model_copy(update={"signoff": ()})
    done = set()
    for place in found.places.values():
        for by in sheets(pack):
            able = {name for name in EVENTS if refusal(place.facts, name, by, pack) is None}
            assert not able or place.facts.department in by.departments
            done |= able
    assert done == SHEET_DEEDS - {"registered", "corrected"}


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_a_case_only_counted_can_become_one_that_is_handled(regulation: str) -> None:
    _, found = walk(regulation)
    for here, place in found.places.items():
        if place.facts.status is Status.recorded and not place.facts.history:
            statuses = {found.places[there].facts.status for there in found.leads_to[here]}
            assert Status.registered in statuses


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_nothing_runs_on_in_the_archive(regulation: str) -> None:
    _, found = walk(regulation)
    archived = [p.facts for p in found.places.values() if p.facts.status is Status.archived]
    assert archived
    assert [facts for facts in archived if any(c.running for c in facts.clocks)] == []


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_no_clock_waits_for_an_answer_that_was_given(regulation: str) -> None:
    pack, found = walk(regulation)
    given = (Status.confirmed, Status.disputed, Status.accepted, Status.closed)
    for place in found.places.values():
        if place.facts.status in given:
            running = {clock.key for clock in place.facts.clocks if clock.running}
            assert not running & _answering(pack), place.facts


def _answering(pack: Pack) -> set[str]:
    return {entry.key for entry in pack.deadline if "confirmed" in entry.met_by}


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_a_case_at_the_department_always_has_a_clock_for_its_answer(regulation: str) -> None:
    pack, found = walk(regulation)
    for place in found.places.values():
        if place.facts.status is Status.dispatched and not place.facts.history:
            running = {clock.key for clock in place.facts.clocks if clock.running}
            assert running & _answering(pack), place.facts
