"""Walk the states a case can reach under a pack, and find cases without a next deed.

A state is what decides what may happen next: status, round, verdicts, attempts, running deadlines
and the rules that apply. From every state that is reached every sort of event is tried, at every
moment at which time changes something. The walk is bounded.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from policy.engine.case import archivable, next_facts
from policy.engine.conditions import field_value, holds
from policy.engine.permission import deeds_offered
from policy.pack.schema import DeadlineEntry, GateEntry, Pack, SignoffEntry
from policy.pack.shapes import Condition, Operator
from policy.proof.domains import all_conditions, asked_fields
from policy.proof.random_play import Step
from policy.proof.sample_events import (
    BEGIN,
    ENTRY_EVENTS,
    OF_SECTIONS,
    cast_of_pack,
    dated,
    entry_events,
    every_event,
    first_events,
    jury_events,
    load_sample,
)
from policy.vocabulary.errors import DomainError
from policy.vocabulary.events import EVENTS, By, CalledBack, Event
from policy.vocabulary.facts import CaseFacts, replace
from policy.vocabulary.marks import declared_field
from policy.vocabulary.status import ALLOWED, CallOutcome, Status
from policy.vocabulary.worktime import WorkCalendar

MINUTE = dt.timedelta(minutes=1)
MOST_ROUNDS = 3
MOST_STEPS = 1_000_000
"""The most events a walk tries; the largest shipped pack needs a fraction of it."""
CHANGES_NO_STATE = frozenset(name for name in EVENTS if name.startswith("penalty_")) | {
    "judged",
    "progressed",
    "contacted",
}
LEADS_NOWHERE = CHANGES_NO_STATE | {"classified", "reviewed", "promised", "appealed", "voted"}
"""Entries lead on only where a gate still asks for one; see `_has_a_deed`."""


@dataclass(frozen=True)
class ReachedState:
    """A case as it was when its state was first reached, and when that was.

    `written` are its form entries, by their index among all, each with its round.
    """

    facts: CaseFacts
    at: dt.datetime
    written: frozenset[tuple[int, int]] = frozenset()


# ---------------------------------------------------------------- the walk


class States:
    """Tells the states of a pack's cases apart. What the pack alone decides is computed once."""

    def __init__(self, pack: Pack) -> None:
        self.asked = asked_fields(pack)
        self.gates = {status: _gates_of_status(pack, status) for status in Status}
        self.signoffs = {status: _signoffs_of_status(pack, status) for status in Status}
        rules: tuple[Any, ...] = (*pack.extension, *pack.escalation)
        self.rules = [rule for rule in rules if rule.applies]
        self.graded = _gates_by_grade(pack)
        self.roles = {entry.key: _deadline_role(entry) for entry in pack.deadline}

    def of(self, facts: CaseFacts) -> Hashable:
        """Return what decides what may happen next to a case, without what its status ignores."""
        status, asked = facts.status, self.asked
        judged = status in (Status.confirmed, Status.disputed, Status.accepted)
        deadlines = [c for c in facts.deadlines if c.running and c.round == facts.round]
        return (
            status,
            facts.history,
            facts.round if "round" in asked else min(facts.round, 2),
            facts.closing_ground is None,
            status is Status.replied and facts.reply_outcome,
            status is Status.registered and facts.grade is None,
            "factory_closed_at" in asked and facts.factory_closed_at is None,
            facts.kind if "kind" in asked else "",
            frozenset(
                gate.key
                for gate, asks in self.gates[status]
                if _gate_decides(gate, asks=asks, facts=facts)
            ),
            frozenset(s.key for s in self.signoffs[status] if holds(s.applies, facts)),
            tuple(bool(field_value(name, facts, None)) for name in VERDICTS) if judged else (),
            _unanswered_calls(facts) if status is Status.confirmed else (),
            frozenset(rule.key for rule in self.rules if holds(rule.applies, facts)),
            frozenset(key for key, rows in self.graded if holds(rows, facts)),
            frozenset(self.roles[deadline.key] for deadline in deadlines) - {""},
        )


VERDICTS = ("unhappy", "demands_more", "satisfaction_unhappy")


def known_events(status: Status) -> frozenset[str]:
    """Return the events a status allows; only closed cases are archived."""
    return ALLOWED[status] | ({"archived"} if status is Status.closed else set())


def _gates_of_status(pack: Pack, status: Status) -> list[tuple[GateEntry, bool]]:
    """Return the gates before deeds that a status allows, and whether each asks about the deed.

    A gate before a deed that the status does not allow decides nothing yet: entries can be added
    later. One before deeds that change no state decides nothing at all.
    """
    leading = known_events(status) - CHANGES_NO_STATE
    return [
        (gate, any(row.field.startswith("event.") for row in gate.requires))
        for gate in pack.gate
        if leading & set(gate.before)
    ]


def _gate_decides(gate: GateEntry, *, asks: bool, facts: CaseFacts) -> bool:
    """Whether a gate stands before the case now: it is closed, or asks about the deed."""
    return holds(gate.applies, facts) and (asks or not holds(gate.requires, facts))


def _gates_by_grade(pack: Pack) -> list[tuple[str, Condition]]:
    """Return the gates for some grades with their rows about grades, in every status."""
    asked = ((g.key, tuple(row for row in g.applies if row.field == "grade")) for g in pack.gate)
    return [(key, rows) for key, rows in asked if rows]


def _signoffs_of_status(pack: Pack, status: Status) -> list[SignoffEntry]:
    """Return the signoffs for some cases, of deeds for which only the case says who may."""
    split = {
        name
        for name in ALLOWED[status] & pack.signoffs.keys()
        if all(_depends_on_case(entry) for entry in pack.signoffs[name])
    }
    return [entry for entry in pack.signoff if split & set(entry.event)]


def _depends_on_case(entry: SignoffEntry) -> bool:
    """Whether a signoff applies to some cases only, whatever the deed says."""
    return any(not row.field.startswith("event.") for row in entry.applies)


def _unanswered_calls(facts: CaseFacts) -> tuple[int, int]:
    """Return this round's attempts without an answer and their days, as far as rules count them."""
    calls = [c for c in facts.callbacks if c.round == facts.round]
    days = [c.at.date() for c in calls if c.outcome is not CallOutcome.answered]
    return min(len(days), 3), min(len(set(days)), 2)


def _deadline_role(entry: DeadlineEntry) -> str:
    """Return what a running deadline decides; "" for one that only tells who was late."""
    if entry.ends in ("archive", "upgrade") or entry.window_from:
        return entry.key
    return ("reviewed" if entry.review_every else "answering") if entry.slot else ""


def moments_to_try(place: ReachedState, event: Event) -> list[dt.datetime]:
    """Return when an event is tried: at once, and where time decides, at every such moment.

    That is the next day and just after each time a running deadline waits for. What a deadline
    changes by ending is a state of its own, so a callback is tried only when a window opens.
    """
    soon, tomorrow = place.at + MINUTE, place.at + dt.timedelta(days=1)
    if event.type not in ("time_passed", "archived", "called_back"):
        return [soon]
    deadlines = [deadline for deadline in place.facts.deadlines if deadline.running]
    ends = [deadline.opens_at for deadline in deadlines]
    if not isinstance(event, CalledBack):
        ends += [deadline.due_at for deadline in deadlines]
    elif event.outcome is CallOutcome.answered:
        tomorrow = soon  # only unanswered callbacks are counted by days
    later = [at + MINUTE for at in ends if at and at > place.at]
    return list(dict.fromkeys((soon, tomorrow, *later)))


@dataclass(frozen=True)
class EntryNeed:
    """A form entry to make, for which cases, and how often a rule asks for it."""

    event: Event
    applies: Condition
    times: int


_COUNTING = (Operator.at_least, Operator.at_most, Operator.below)
MOST_ENTRIES = 9
"""The most times a walk makes an entry in one state, where a rule counts it."""


def _entry_needs(pack: Pack) -> Iterator[EntryNeed]:
    counted: dict[str, int] = {}
    for row in all_conditions(pack):
        if row.op in _COUNTING and isinstance(row.value, int):
            counted[row.field] = min(max(row.value, counted.get(row.field, 1)), MOST_ENTRIES)
    for said in entry_events(pack):
        entry = declared_field(EVENTS[said["type"]])
        section = entry.sections[0] if entry else said["type"]
        key = said[entry.name if entry else "about"]
        applies = getattr(pack.find(section, key), "applies", ())
        yield EntryNeed(load_sample(pack, said), applies, counted.get(f"{section}.{key}", 1))


_SORTING = frozenset({"classified", "upgraded"})
"""The deeds that make a case another: what is asked of it may begin anew."""


def _changes_sort(event: Event, status: Status) -> bool:
    """Whether an event gives a case at the department another kind or grade.

    It is tried, but is no way to an end: a case must come to an end as what it is.
    """
    if event.type == "upgraded":
        return True
    desk = status in (Status.registered, Status.recorded)
    return not desk and bool(getattr(event, "grade", None) or getattr(event, "kind", None))


@dataclass
class Walk:
    """The states reached, each with the case that reached it first, and the states each leads to.

    `happened` are the sorts of events that were possible somewhere. `complete` is False when the
    walk came to its bound first; then nothing follows from what was not reached. `steps` is how
    many events were tried.
    """

    places: dict[Hashable, ReachedState] = field(default_factory=dict)
    leads_to: dict[Hashable, set[Hashable]] = field(default_factory=lambda: defaultdict(set))
    happened: set[str] = field(default_factory=set)
    complete: bool = True
    steps: int = 0


def walk_states(
    pack: Pack,
    calendar: WorkCalendar,
    *,
    most_rounds: int = MOST_ROUNDS,
    most_steps: int = MOST_STEPS,
    watch: Callable[[Step], None] | None = None,
) -> Walk:
    """Return every state that a case under the pack can reach, up to a number of rounds.

    It ends after `most_steps` events tried. `watch` sees every step that happens. A pack without
    kinds or channels has no states.
    """
    walker = _Walker(pack, calendar, most_rounds, most_steps=most_steps)
    walker.watch = watch
    return walker.walked()


class _Walker:
    """One walk: the events it tries, the states it found, and those still to visit."""

    def __init__(
        self, pack: Pack, calendar: WorkCalendar, most_rounds: int, *, most_steps: int
    ) -> None:
        self.pack, self.calendar = pack, calendar
        self.most_rounds, self.most_steps = most_rounds, most_steps
        self.states = States(pack)
        self.papers = list(_entry_needs(pack))
        self.most_times = max((paper.times for paper in self.papers), default=1)
        self.questions = [
            [load_sample(pack, said) for said in jury_events(v.key)] for v in pack.vote
        ]
        self.found = Walk()
        self.waiting: deque[Hashable] = deque()
        self.watch: Callable[[Step], None] | None = None

    def walked(self) -> Walk:
        nothing = ReachedState(CaseFacts(), BEGIN)
        for event in first_events(self.pack):
            self._go(None, self._after(nothing, event, BEGIN))
        tried = every_event(self.pack)
        seen: set[Status] = set()
        while self.waiting and self.found.steps < self.most_steps:
            here = self.waiting.popleft()
            place = self.found.places[here]
            status = place.facts.status
            known = known_events(status) - CHANGES_NO_STATE
            # What a status does not know and what leads to the same state are tried once each.
            sorts = [
                e for e in tried if e.type in known or status not in seen or place.facts.history
            ]
            seen.add(status)
            self._visit(here, place, sorts)
        self.found.complete = not self.waiting
        return self.found

    def _visit(self, here: Hashable, place: ReachedState, tried: list[Event]) -> None:
        written: ReachedState | None = place
        for _ in range(self.most_times):
            written = self._with_papers(written) if written else None
            self._go(here, written)
        for question in self.questions:
            self._go(here, self._put(place, question))
        for event in tried:
            source = None if _changes_sort(event, place.facts.status) else here
            for at in moments_to_try(place, event):
                self._go(source, self._after(place, event, at))

    def _with_papers(self, place: ReachedState) -> ReachedState | None:
        """Return the state after every entry that can be made and was not yet made in this round.

        Entries only accumulate, so only none and all of them matter; an entry a rule counts is made
        again.
        """
        here = place
        for number, paper in enumerate(self.papers):
            mark, event = (number, here.facts.round), paper.event
            known = event.type in ALLOWED[here.facts.status] and holds(paper.applies, here.facts)
            if not known or mark in here.written:
                continue
            if after := self._after(here, event, here.at + MINUTE):
                marks = here.written if paper.times > 1 else here.written | {mark}
                here = replace(after, written=marks)
        return None if here is place else here

    def _put(self, place: ReachedState, question: list[Event]) -> ReachedState | None:
        """Return the state a question to a jury leads to, step by step as far as it goes."""
        here = place
        for event in question:
            here = self._after(here, event, here.at + MINUTE) or here
        return None if here is place else here

    def _after(self, place: ReachedState, event: Event, at: dt.datetime) -> ReachedState | None:
        """Return the state an event leads to, None where a DomainError refuses it."""
        self.found.steps += 1
        update: dict[str, Any] = {"at": at, **dated(event, self.pack, self.calendar.local(at))}
        if getattr(event, "until", None):
            update["until"] = at + dt.timedelta(days=1)
        try:
            said = event.model_copy(update=update)
            facts = next_facts(place.facts, said, self.pack, calendar=self.calendar, now=at)
        except DomainError:
            return None
        self.found.happened.add(event.type)
        if self.watch is not None:
            self.watch(Step(place.facts, said, facts, at, place.at, self.calendar))
        # What was written of a case is written again once the case is another.
        written = frozenset() if event.type in _SORTING else place.written
        return replace(place, facts=facts, at=at, written=written)

    def _go(self, here: Hashable, reached: ReachedState | None) -> None:
        if reached is None or reached.facts.round > self.most_rounds:
            return
        there = self.states.of(reached.facts)
        self.found.leads_to[here].add(there)
        if there not in self.found.places:
            self.found.places[there] = reached
            self.waiting.append(there)


# ---------------------------------------------------------------- what must hold


def is_end(facts: CaseFacts) -> bool:
    """Whether a case is archived, only counted, or withdrawn or closed history."""
    if facts.history:
        return facts.status in (Status.archived, Status.withdrawn, Status.closed)
    return facts.status in (Status.archived, Status.recorded)


def cases_without_end(found: Walk) -> list[CaseFacts]:
    """Return one case for each state from which no path leads to an end."""
    comes_from: dict[Hashable, set[Hashable]] = defaultdict(set)
    for here, theres in found.leads_to.items():
        for there in theres:
            comes_from[there].add(here)
    good = {there for there, place in found.places.items() if is_end(place.facts)}
    waiting = deque(good)
    while waiting:
        for before in comes_from[waiting.popleft()] - good:
            good.add(before)
            waiting.append(before)
    return [place.facts for there, place in found.places.items() if there not in good]


def cases_without_deed(found: Walk, pack: Pack) -> list[CaseFacts]:
    """Return one case for each state in which no person and no time has a next deed."""
    people, stuck = cast_of_pack(pack), []
    for place in found.places.values():
        if is_end(place.facts) or _moves_by_itself(place.facts, pack):
            continue
        able = next((by for by in people if _has_a_deed(place.facts, by, pack)), None)
        if able is None:
            stuck.append(place.facts)
        else:  # the person who could do something here is asked first in the next state
            people.remove(able)
            people.insert(0, able)
    return stuck


def _has_a_deed(facts: CaseFacts, by: By, pack: Pack) -> bool:
    """Whether a person may do something that leads on; before dispatch, classifying does."""
    idle = LEADS_NOWHERE - {"classified"} if facts.status is Status.registered else LEADS_NOWHERE
    if any(entry.section in _PAPERS for entry in facts.entries):
        idle = idle | (ENTRY_EVENTS - _asked_by_closed_gates(facts, pack))
    return any(d.allowed and d.name not in idle for d in deeds_offered(facts, by, pack))


_PAPERS = frozenset(OF_SECTIONS.values())
"""Sections of entries that somebody makes; a change of grade is kept as an entry too."""


def _asked_by_closed_gates(facts: CaseFacts, pack: Pack) -> frozenset[str]:
    """Return the deeds that write down what a closed gate still asks for."""
    found: set[str] = set()
    for gate in pack.gate:
        if not (known_events(facts.status) & set(gate.before) and holds(gate.applies, facts)):
            continue
        for row in gate.requires:
            section = row.field.removeprefix("round.").partition(".")[0]
            if row.holds(field_value(row.field, facts, None)):
                continue
            found |= {name for name, made in OF_SECTIONS.items() if made == section}
    return frozenset(found)


def _moves_by_itself(facts: CaseFacts, pack: Pack) -> bool:
    """Whether time archives the case, now or when its observation ends."""
    watched = (c for c in facts.deadlines if pack.find("deadline", c.key).ends == "archive")
    return archivable(facts, pack) or any(deadline.running for deadline in watched)
