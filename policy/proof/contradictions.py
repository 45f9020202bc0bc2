"""Find rules of a regulation that contradict each other although each entry is right.

Each check is a function that yields findings from the text; none plays a case. What only a walk
over the states can see stands in `checking.without_next_deed`.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policy.engine.permission import ANSWERS_A_CLOCK
from policy.pack.loading import references
from policy.pack.schema import SECTIONS, DeadlineEntry, Pack
from policy.pack.shapes import ConditionRow, Operator, Quantity
from policy.proof.domains import impossible_values, key_of_label, satisfiable
from policy.vocabulary.events import EVENTS
from policy.vocabulary.worktime import Unit


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a draft: a code, the entry and field it is about, and facts.

    One that is not `grave` may be intended; it is shown and does not forbid to publish.
    """

    code: str
    section: str = ""
    key: str = ""
    field: str = ""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    grave: bool = True

    def plain(self) -> dict[str, Any]:
        """Return the finding as JSON data; `Finding(**data)` reads it."""
        return dataclasses.asdict(self)


def contradictions(pack: Pack) -> Iterator[Finding]:
    """Yield every contradiction, circle and unreachable rule visible in the text."""
    for look in _CHECKS:
        yield from look(pack)


def condition_fields(entry: Any) -> Iterator[tuple[str, tuple[ConditionRow, ...]]]:
    """Yield the fields of an entry that hold a condition, with its rows."""
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if isinstance(value, tuple) and value and isinstance(value[0], ConditionRow):
            yield name, value


def _entries(pack: Pack) -> Iterator[tuple[str, Any]]:
    for section in SECTIONS:
        for entry in getattr(pack, section):
            yield section, entry


# ---------------------------------------------------------------- conditions


def _condition_findings(pack: Pack) -> Iterator[Finding]:
    """Yield values a field cannot have, and rows that can never hold together."""
    for section, entry in _entries(pack):
        for name, rows in condition_fields(entry):
            strange = list(impossible_values(pack, rows))
            for asked, value in strange:
                facts = {"asked": asked, "value": value}
                known = key_of_label(pack, asked, value) is not None
                code = "value_is_label" if known else "value_gone"
                yield Finding(code, section, entry.key, name, facts)
            if not strange and not satisfiable(pack, rows):
                yield Finding("never_holds", section, entry.key, name)


def _scale_findings(pack: Pack) -> Iterator[Finding]:
    """Yield steps of a scale that are never reached: the first that holds is taken."""
    taken: dict[str, list[Any]] = defaultdict(list)
    for entry in pack.severity:
        if entry.by_hand:
            continue
        for earlier in taken[entry.scale]:
            same = not entry.or_when and entry.when == earlier.when
            if not earlier.when or same:
                facts = {"other": earlier.key}
                yield Finding("step_behind", "severity", entry.key, "when", facts)
                break
        taken[entry.scale].append(entry)


# ---------------------------------------------------------------- circles


def _circle_findings(pack: Pack) -> Iterator[Finding]:
    """Yield entries that point to themselves, directly or over others of their section."""
    for section in SECTIONS:
        entries = getattr(pack, section)
        points = {
            entry.key: {key for target, key in references(entry) if target == section}
            for entry in entries
        }
        for key in sorted(points):
            if circle := _way_back(points, key):
                yield Finding("circle", section, key, facts={"over": circle})


def _way_back(points: Mapping[str, set[str]], start: str) -> list[str] | None:
    """Return the keys on the way from an entry back to itself, or None."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for key in points.get(way[-1], ()):
            if key == start:
                return way
            if key not in seen:
                seen.add(key)
                ways.append([*way, key])
    return None


_SETTERS = {
    "contacted_at": {"contacted"},
    "replied_at": {"replied"},
    "closed_at": {"signed", "settled"},
    "factory_closed_at": {"factory_closed"},
}
"""The events that set a fact of the case."""


def _waiting_findings(pack: Pack) -> Iterator[Finding]:
    """Yield deadlines that start only on what they wait for, and gates that wait in a circle."""
    possible = possible_events(pack)
    for entry in pack.deadline:
        if not entry.starts_on:
            yield Finding("never_starts", "deadline", entry.key, "starts_on")
        elif not possible & set(entry.starts_on):
            others = [
                other.key
                for other in pack.deadline
                if other is not entry and set(_events_brought(other)) & set(entry.starts_on)
            ]
            itself = set(_events_brought(entry)) & set(entry.starts_on)
            code = "deadline_circle" if others or itself else "never_starts"
            yield Finding(code, "deadline", entry.key, "starts_on", {"others": others})
    for gate in pack.gate:
        if not gate.applies and not possible & set(gate.before):
            yield Finding("gate_circle", "gate", gate.key, "requires")


def _events_brought(entry: DeadlineEntry) -> tuple[str, ...]:
    """Return the events that exist only because a deadline waits for them or ends."""
    answers = tuple(name for name in entry.met_by if name in ANSWERS_A_CLOCK)
    return (*answers, "archived") if entry.ends == "archive" else answers


def possible_events(pack: Pack) -> set[str]:
    """Return the events that can happen at all, grown from those that wait for nothing."""
    archives = any(entry.ends == "archive" for entry in pack.deadline)
    answers = set(ANSWERS_A_CLOCK) | ({"archived"} if archives else set())
    possible: set[str] = set()
    while True:
        brought = {
            name
            for entry in pack.deadline
            if possible & set(entry.starts_on)
            for name in _events_brought(entry)
        }
        grown = {
            name
            for name in EVENTS
            if (name not in answers or name in brought) and _gates_open(pack, name, possible)
        }
        if grown == possible:
            return possible
        possible = grown


def _gates_open(pack: Pack, event: str, possible: set[str]) -> bool:
    """Whether no unconditional gate before the event asks for what cannot have happened."""
    for gate in pack.gates.get(event, ()):
        for row in gate.requires if not gate.applies else ():
            setters = _SETTERS.get(row.field, set())
            asks = bool(setters) and row.op is Operator.filled and row.value is True
            if asks and not (setters - {event}) & possible:
                return False
    return True


# ---------------------------------------------------------------- against each other


def _deadline_findings(pack: Pack) -> Iterator[Finding]:
    """Yield two deadlines of a slot for the same cases, and deadlines nothing can meet.

    An end that a field states may share a slot: the earlier of the two is meant.
    """
    for n, entry in enumerate(pack.deadline):
        if entry.ends == "breach" and not entry.met_by:
            yield Finding("never_met", "deadline", entry.key, "met_by")
        for other in pack.deadline[:n]:
            shared = entry.slot and other.slot == entry.slot and not (entry.until or other.until)
            if shared and _same_cases(entry, other):
                facts = {"other": other.key}
                yield Finding("slot_twice", "deadline", entry.key, "applies", facts)


def _same_cases(one: DeadlineEntry, other: DeadlineEntry) -> bool:
    same = (one.applies, one.starts_if) == (other.applies, other.starts_if)
    return same and bool(set(one.starts_on) & set(other.starts_on))


_LENGTHS = {
    Unit.minute: ("time", 1),
    Unit.hour: ("time", 60),
    Unit.working_hour: ("working time", 1),
    Unit.working_day: ("working days", 1),
    Unit.calendar_day: ("days", 1),
    Unit.week: ("days", 7),
    Unit.month: ("months", 1),
    Unit.year: ("months", 12),
}


def _extension_findings(pack: Pack) -> Iterator[Finding]:
    """Yield extensions that are shorter than the term they extend."""
    for entry in pack.extension:
        for deadline in pack.deadline:
            meets = deadline.slot == entry.slot and deadline.within is not None
            if not meets or not satisfiable(pack, (*entry.applies, *deadline.applies)):
                continue
            if _shorter(entry.in_all, deadline.within):
                facts = {"other": deadline.key}
                yield Finding("extension_short", "extension", entry.key, "in_all", facts)


def _shorter(one: Quantity, other: Quantity | None) -> bool:
    """Whether a quantity of time is less than another; unlike units do not compare."""
    if other is None or one.unit not in _LENGTHS or other.unit not in _LENGTHS:
        return False
    (kind, factor), (other_kind, other_factor) = _LENGTHS[one.unit], _LENGTHS[other.unit]
    return kind == other_kind and one.amount * factor < other.amount * other_factor


def _penalty_findings(pack: Pack) -> Iterator[Finding]:
    """Yield two penalties of one ground and bearer, neither replacing the other."""
    for n, entry in enumerate(pack.penalty):
        for other in pack.penalty[:n]:
            facts = {"other": other.key}
            if _penalty_ground(entry) == _penalty_ground(other) and not _related(entry, other):
                yield Finding("charged_twice", "penalty", entry.key, "applies", facts, grave=False)


def _penalty_ground(entry: Any) -> tuple[Any, ...]:
    """Return what brings a penalty by itself; a ground a person finds equals no other."""
    if entry.by_hand or entry.adds_to:
        return (entry.key,)
    counted = (getattr(entry, "from_count", None), getattr(entry, "until_count", None))
    return (entry.event, entry.breach_of, entry.applies, entry.who, *counted)


def _related(one: Any, other: Any) -> bool:
    return other.key in (*one.replaces, *one.adds_to) or one.key in (
        *other.replaces,
        *other.adds_to,
    )


_PERIODS = {"year": {"year"}, "month": {"year", "month"}}
_TOKEN = re.compile(r"\{(\w+)")


def _number_findings(pack: Pack) -> Iterator[Finding]:
    """Yield series of numbers that would give one number to two cases."""
    for n, entry in enumerate(pack.number):
        if needed := _PERIODS.get(entry.resets, set()) - set(_TOKEN.findall(entry.template)):
            lacks = {"needed": sorted(needed)}
            yield Finding("number_repeats", "number", entry.key, "template", lacks)
        for other in pack.number[:n]:
            if other.template == entry.template:
                facts = {"other": other.key}
                yield Finding("number_same", "number", entry.key, "template", facts)


def _intake_findings(pack: Pack) -> Iterator[Finding]:
    """Yield what is missing before any case can be registered and dispatched."""
    for section in ("kind", "channel", "number"):
        if not getattr(pack, section):
            yield Finding("nothing_begins", section)
    if not any(entry.answers for entry in pack.department):
        yield Finding("nobody_answers", "department")


_CHECKS: tuple[Callable[[Pack], Iterator[Finding]], ...] = (
    _intake_findings,
    _condition_findings,
    _scale_findings,
    _circle_findings,
    _waiting_findings,
    _deadline_findings,
    _extension_findings,
    _penalty_findings,
    _number_findings,
)
