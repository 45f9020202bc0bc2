"""Find what a regulation leaves open: deeds for everybody, terms nobody meets, cases without one.

None of this contradicts itself, and each of it lets a case, a yuan or a customer fall through. What
may be intended is shown and forbids nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy.pack.forms_and_reports import STANDING
from policy.pack.schema import SECTIONS, DeadlineEntry, Pack
from policy.pack.shapes import ConditionRow, Operator
from policy.proof.contradictions import Finding, condition_fields, possible_events
from policy.proof.domains import impossible_values, satisfiable
from policy.proof.sample_events import OF_SECTIONS

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
