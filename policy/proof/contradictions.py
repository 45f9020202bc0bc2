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
from policy.pack.forms_and_reports import STANDING
from policy.pack.loading import references
from policy.pack.schema import SECTIONS, DeadlineEntry, Pack
from policy.pack.shapes import ConditionRow, Operator, Quantity
from policy.proof.domains import impossible_values, key_of_label, satisfiable
from policy.proof.sample_events import OF_SECTIONS
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


# ---------------------------------------------------------------- what is left open


OF_MONEY = ("judged", "penalty_confirmed", "penalty_waived", "penalty_reversed")
"""The deeds that bring or take a sum or a sanction."""
OF_A_JURY = ("convened", "ruled")
_FIRST = frozenset({"registered", "imported", "taken_over"})
ANSWERS = frozenset(
    {"replied", "confirmed", "informed", "concluded", "called_back", "replied_in_writing"}
    | {"signed", "settled", "decided", "factory_closed", "verified"}
)
"""The deeds by which a customer is answered or a matter ends."""


def gaps(pack: Pack) -> Iterator[Finding]:
    """Yield everything a regulation leaves open."""
    yield from _refusals_that_fill(pack)
    yield from _open_deeds(pack)
    for entry in pack.deadline:
        yield from _never_met(entry, pack)
    yield from _twin_terms(pack)
    yield from _impossible_attempts(pack)
    yield from _unanswered_cases(pack)


# ---------------------------------------------------------------- approvals


def _refusals_that_fill(pack: Pack) -> Iterator[Finding]:
    """Yield conditions that a refused approval or vote fulfils as well as a granted one."""
    for section in SECTIONS:
        for entry in getattr(pack, section):
            for name, rows in condition_fields(entry):
                asked = {row.field for row in rows if _is_filled_by_refusal(row)}
                narrowed = {row.field for row in rows if row.op is not Operator.filled}
                for path in sorted(asked - narrowed):
                    facts = {"asked": path}
                    yield Finding("filled_by_refusal", section, entry.key, name, facts)


def _is_filled_by_refusal(row: ConditionRow) -> bool:
    section = row.field.removeprefix("round.").partition(".")[0]
    return section in STANDING and row.op is Operator.filled and row.value is True


# ---------------------------------------------------------------- who may


def _open_deeds(pack: Pack) -> Iterator[Finding]:
    """Yield the deeds that anybody may do because no signoff names who: of money and juries first.

    A person may bring themselves a reward or free a colleague of a fine where nobody is named.
    """
    grave = [name for name in OF_MONEY if _has_money(pack, name)]
    grave += [name for name in OF_A_JURY if pack.vote]
    if unnamed := [name for name in grave if not pack.signoffs.get(name)]:
        yield Finding("money_open_to_all", "signoff", facts={"events": unnamed})
    others = [
        name
        for name in _DEEDS_OF_A_DESK
        if name not in grave and name not in pack.signoffs and _has_entry(pack, name)
    ]
    if others:
        yield Finding("open_to_all", "signoff", facts={"events": others}, grave=False)


_DEEDS_OF_A_DESK = (
    *("registered", "classified", "dispatched", "assigned", "replied", "confirmed", "declined"),
    *("extension_granted", "extension_refused", "decided", "called_back", "restarted", "settled"),
    *("signed", "verified", "concluded", "reported", "appealed"),
)
_NEEDS = {
    "extension_granted": "extension",
    "extension_refused": "extension",
    **OF_SECTIONS,
    **dict.fromkeys(("appealed", "convened", "voted", "ruled"), "vote"),
}
"""The section without an entry of which a deed is never done."""


def _has_entry(pack: Pack, event: str) -> bool:
    if event == "concluded":
        return any(kind.concludes for kind in pack.kind)
    section = _NEEDS.get(event, "")
    return bool(getattr(pack, section)) if section in SECTIONS else True


def _has_money(pack: Pack, event: str) -> bool:
    if event == "judged":
        return bool(pack.reward) or any(entry.by_hand for entry in pack.penalty)
    return bool(pack.penalty or pack.reward)


# ---------------------------------------------------------------- terms


def _never_met(entry: DeadlineEntry, pack: Pack) -> Iterator[Finding]:
    """Yield a term whose deeds can never happen, or only before it begins."""
    if entry.ends != "breach" or not entry.met_by:
        return
    possible = {name for name in entry.met_by if _has_entry(pack, name)} & possible_events(pack)
    if not possible:
        facts = {"events": list(entry.met_by)}
        yield Finding("met_by_nothing", "deadline", entry.key, "met_by", facts)
    elif possible <= _FIRST and not set(entry.starts_on) & _FIRST:
        facts = {"events": sorted(possible)}
        yield Finding("met_before", "deadline", entry.key, "met_by", facts)


def _twin_terms(pack: Pack) -> Iterator[Finding]:
    """Yield two terms with one start and one end for the same cases: one of them says nothing."""
    terms = [one for one in pack.deadline if one.ends == "breach" and one.within]
    for place, entry in enumerate(terms):
        for other in terms[:place]:
            if _is_twin(entry, other) and _can_meet(pack, entry, other):
                facts = {"other": other.key}
                yield Finding("twin_term", "deadline", entry.key, "within", facts, grave=False)


def _is_twin(one: DeadlineEntry, other: DeadlineEntry) -> bool:
    if one.slot and one.slot == other.slot:
        return False  # of one slot only one runs, and two for the same cases are found already
    mine, its = (
        (set(e.starts_on), e.starts_if, set(e.met_by), e.met_if, e.counts_from, e.binds)
        for e in (one, other)
    )
    differ = one.within != other.within and not (one.window_from or other.window_from)
    return differ and mine == its and bool(one.met_by)


def _can_meet(pack: Pack, one: DeadlineEntry, other: DeadlineEntry) -> bool:
    return satisfiable(pack, (*one.applies, *other.applies))


def _impossible_attempts(pack: Pack) -> Iterator[Finding]:
    for entry in pack.callback:
        if entry.on_days > entry.attempts:
            facts = {"attempts": str(entry.attempts), "days": str(entry.on_days)}
            yield Finding("attempts_impossible", "callback", entry.key, "on_days", facts)


# ---------------------------------------------------------------- holes


def _unanswered_cases(pack: Pack) -> Iterator[Finding]:
    """Yield the kinds and grades for which no term says until when somebody answers."""
    terms = [
        one
        for one in pack.deadline
        if set(one.met_by) & ANSWERS and one.ends in ("breach", "warning", "upgrade")
    ]
    grades = [one.key for one in pack.severity if one.scale == "grade"]
    for kind in pack.kind:
        if not kind.handled:
            continue
        asked = grades or [""]
        missing = [
            grade for grade in asked if not _is_answered(pack, terms, kind=kind.key, grade=grade)
        ]
        if len(missing) == len(asked):
            yield Finding("kind_unanswered", "kind", kind.key, grave=False)
        elif missing:
            facts = {"grades": missing}
            yield Finding("grade_unanswered", "kind", kind.key, facts=facts, grave=False)


def _is_answered(pack: Pack, terms: list[DeadlineEntry], *, kind: str, grade: str) -> bool:
    """Whether some term of an answer applies to cases of the kind and grade."""
    if grade and not _has_grade(pack, kind, grade):
        return True
    case = [_row("kind", kind), *([_row("grade", grade)] if grade else [])]
    return any(satisfiable(pack, (*case, *term.applies, *term.starts_if)) for term in terms)


def _has_grade(pack: Pack, kind: str, grade: str) -> bool:
    """Whether a case of the kind can be of the grade: by hand, or by facts that allow the kind."""
    entry = pack.find("severity", grade)
    when = entry.when
    if any(impossible_values(pack, when)):
        return True  # that it names an unknown value is said elsewhere
    return not when or satisfiable(pack, (_row("kind", kind), *when))


def _row(field: str, value: str) -> ConditionRow:
    return ConditionRow(field=field, op=Operator.equals, value=value)


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
    gaps,
)
