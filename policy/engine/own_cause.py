"""Nobody decides in their own cause: who is involved in a case, and what they may not do.

What a person is involved by stands in the case: a finding about them, a penalty they bear, an
appeal, or a penalty they found or confirmed. Older editions keep nobody out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import SelfForbidden
from policy.vocabulary.events import By, Event, Judged, OnPenalty
from policy.vocabulary.facts import CaseFacts, PenaltyFacts, replace
from policy.vocabulary.status import PenaltyStatus, Sign

FOUND_BY, CONFIRMED_BY = "found_by", "confirmed_by"
"""The keys of a penalty's reason for who found its ground and who confirmed it."""
_FINDS = frozenset({"judged", "verified", "classified"})
_OF_A_PENALTY = ("rule", "employee", "occasion")


def people_involved(facts: CaseFacts, ways: Iterable[str], event: Event | None = None) -> set[str]:
    """Return the employees who are involved in a case in one of these ways.

    For a deed about one penalty, its bearer and proposer are meant, not those of others.
    """
    out: set[str | None] = set()
    for way in ways:
        out |= _INVOLVED[way](facts, event)
    return {who for who in out if who}


def _charges(facts: CaseFacts, event: Event | None) -> list[PenaltyFacts]:
    """Return the penalties that stand; for a deed about one penalty, that one alone."""
    wanted = tuple(getattr(event, name, None) for name in _OF_A_PENALTY)
    return [
        c
        for c in facts.penalties
        if c.sign is Sign.charge and c.stands
        if None in wanted or (c.rule, c.employee, c.occasion) == wanted
    ]


def _appellants(facts: CaseFacts, event: Event | None) -> set[str | None]:
    """Return who appealed, for themselves or in the name of a department."""
    vote = getattr(event, "vote", None)
    appeals = [f for f in facts.entries if f.section == "appeal" and vote in (None, f.key)]
    return {one.data["employee"] or one.employee for one in appeals}


def _proposers(facts: CaseFacts, event: Event | None) -> set[str | None]:
    keys = (FOUND_BY, CONFIRMED_BY)
    return {c.because.get(key) for c in _charges(facts, event) for key in keys}


_INVOLVED: Mapping[str, Callable[[CaseFacts, Event | None], set[str | None]]] = {
    "handler": lambda facts, event: set(facts.handled_by()),
    "director": lambda facts, event: {one.responsible for one in facts.assignments},
    "concerned": lambda facts, event: set(facts.concerned),
    "bearer": lambda facts, event: {c.employee for c in _charges(facts, event)},
    "appellant": _appellants,
    "proposer": _proposers,
}


def refused_for_own_penalty(by: By, pack: Pack, *, event: Event | None) -> SelfForbidden | None:
    """Return a refusal of a step of a penalty or reward by the very person it is about."""
    if not isinstance(event, OnPenalty) or not by.employee:
        return None
    if event.employee != by.employee or not pack.policy.judges(Judging.own_cause):
        return None
    entry = pack.find("penalty", event.rule) or pack.policy
    return SelfForbidden(deed=event.type, cite=entry.cite)


def with_proposers(before: CaseFacts, after: CaseFacts, event: Event, *, pack: Pack) -> CaseFacts:
    """Return the case with who found or confirmed a penalty in the penalty's reason."""
    who = event.by.employee
    key = CONFIRMED_BY if event.type == "penalty_confirmed" else FOUND_BY
    deed = event.type in _FINDS or key == CONFIRMED_BY
    if not (who and deed and pack.policy.judges(Judging.own_cause)):
        return after
    known = {c.identity: c.status for c in before.penalties}
    changed = PenaltyStatus.proposed if key == FOUND_BY else PenaltyStatus.confirmed

    def signed(c: PenaltyFacts) -> PenaltyFacts:
        if c.status is not changed or known.get(c.identity) is changed:
            return c
        return replace(c, because={**c.because, key: who})

    return replace(after, penalties=tuple(signed(c) for c in after.penalties))


def refuse_own_relief(before: CaseFacts, after: CaseFacts, event: Event, *, pack: Pack) -> None:
    """Refuse a deed by which a person takes a penalty off, or gives a reward to, themselves.

    A breach that turns out to be none takes its penalty along by rule; correcting a step to that
    end does not.
    """
    who = event.by.employee
    if not who or not pack.policy.judges(Judging.own_cause):
        return
    amends = event.type in ("corrected", "withdrawn")
    for c in before.penalties:
        by_rule = "deadline" in c.because and not amends
        if c.employee == who and not by_rule and _is_lifted(c, before, after):
            raise SelfForbidden(deed=event.type, cite=c.because["clause"])
    if isinstance(event, Judged):
        known = {c.identity for c in before.penalties}
        for c in after.penalties:
            if c.sign is Sign.reward and c.employee == who and c.identity not in known:
                raise SelfForbidden(deed=event.type, cite=c.because["clause"])


def takes_penalties_away(before: CaseFacts, after: CaseFacts) -> bool:
    """Whether a penalty that stood in one picture stands no more, or is given back, in another."""
    return any(_is_lifted(c, before, after) for c in before.penalties)


def _is_lifted(c: PenaltyFacts, before: CaseFacts, after: CaseFacts) -> bool:
    """Whether a penalty that stood stands no more, or is given back, and no graver one stands."""
    if c.sign is not Sign.charge or not c.stands:
        return False
    now: Any = next((one for one in after.penalties if one.identity == c.identity), None)
    if now is None or (not now.stands and "replaced_by" not in now.because):
        return True
    given_back = (*c.identity[:3], Sign.reversal)
    reversals = [one for one in after.penalties if one.identity == given_back]
    known = {one.identity for one in before.penalties}
    return any("replaced_by" not in r.because for r in reversals) and given_back not in known
