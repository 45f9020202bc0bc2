"""What hangs on a ground stands and falls with it.

A surcharge and the liability of a head hang on the penalty they were added to; a lighter or
excluded penalty waits while another one stands in its place; an element of pay is taken by one
penalty of a person and month and waited for by the others. `follow` puts all of them where their
grounds are now, after each event.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy.engine.conditions import holds
from policy.engine.penalties import (
    FELL,
    add_surcharges_due,
    holds_for,
    holds_up,
    propose_reversal,
    replace_penalty,
    reversal_of,
    was_ruled,
    without,
)
from policy.engine.rules import Rules
from policy.engine.sanctions.penalty_steps import ruled_away, term_end
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.facts import CaseFacts, PenaltyFacts, replace
from policy.vocabulary.status import PenaltyStatus, Sign

DECIDED = (PenaltyStatus.confirmed, PenaltyStatus.notified)


def follow(facts: CaseFacts, rules: Rules) -> CaseFacts:
    """Return the case with every penalty where its grounds and the others leave it."""
    if not facts.penalties or not rules.pack.policy.judges(Judging.stands_or_falls):
        return facts
    # Each round settles what the one before uncovered: a surcharge after its base, and so on.
    for _ in range(len(facts.penalties) + 2):
        after = add_surcharges_due(facts, rules)
        after = _with_elements(after, rules)
        after = _stand_or_fall(after, rules)
        after = _with_terms(after, rules)
        if after.penalties == facts.penalties:
            return facts
        facts = after
    return facts


# ---------------------------------------------------------------- standing and falling


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a penalty from standing: its base fell, another stands, its pay was taken."""

    why: str
    by: str | None = None
    ruled: bool = False

    @property
    def reason(self) -> dict[str, Any]:
        """The obstacle as parts of a reason."""
        return {FELL: self.why} | ({"replaced_by": self.by} if self.by else {})


def _stand_or_fall(facts: CaseFacts, rules: Rules) -> CaseFacts:
    for identity in [c.identity for c in facts.penalties if c.sign is Sign.charge]:
        c = next(one for one in facts.penalties if one.identity == identity)
        obstacle = _obstacle(facts, c, rules.pack)
        if obstacle is not None and c.stands:
            facts = _fall(facts, c, obstacle, at=rules.now)
        elif obstacle is None:
            facts = _rise(facts, c, rules.pack)
    return facts


def _obstacle(facts: CaseFacts, c: PenaltyFacts, pack: Pack) -> Obstacle | None:
    """Return what keeps a charge from standing now, or None."""
    bases = list(_bases(facts, c))
    if not _condition_stands(facts, c, pack):
        return Obstacle("ground")
    if "bases" in c.because and not any(holds_up(facts, base) for base in bases):
        return Obstacle("ground", ruled=any(was_ruled(base) for base in bases))
    if other := _outweighs(facts, c, pack):
        return Obstacle("outweighed", by=other)
    return Obstacle("taken") if _has_nothing_left(c) else None


OF_THE_FINDING = frozenset({"valid", "responsibility", "kind", "level"})
"""What is found out about a case and may be found otherwise later. The rest of a condition is about
the moment of the event: a status, an answer of the customer.
"""


def _condition_stands(facts: CaseFacts, c: PenaltyFacts, pack: Pack) -> bool:
    """Whether what was found out still is what the rule of a penalty asks for.

    It is asked of each that an event brought by itself, whoever bears it (SAL-12.9a), and of a
    surcharge (SKD-4.1.2). Of a ground that a person found, the finding itself is taken back; what a
    breach brought hangs on the breach.
    """
    entry = pack.find("penalty", c.rule)
    if _is_supplement(c) or (entry.event is None and not entry.adds_to):
        return True
    rows = tuple(row for row in entry.applies if row.field in OF_THE_FINDING)
    return holds(rows, facts)


def _bases(facts: CaseFacts, c: PenaltyFacts) -> Iterator[PenaltyFacts]:
    """Yield the penalties a surcharge was added to."""
    wanted = {tuple(base) for base in c.because.get("bases", ())}
    return (b for b in facts.penalties if b.sign is Sign.charge and b.identity[:3] in wanted)


def _outweighs(facts: CaseFacts, c: PenaltyFacts, pack: Pack) -> str | None:
    """Return the rule of a penalty that stands in place of this one, or None."""
    graver = pack.graver_penalties.get(c.rule, frozenset())
    for place, other in enumerate(facts.penalties):
        if other is c or other.employee != c.employee or not holds_up(facts, other):
            continue
        if other.rule in graver:
            return other.rule
        first = not c.stands or place < facts.penalties.index(c)
        if first and excludes(other, c, pack):
            return other.rule
    return None


def excludes(one: PenaltyFacts, other: PenaltyFacts, pack: Pack) -> bool:
    """Whether two penalties of one person do not stand beside each other.

    Those of two rounds, or of two days that were named, are about two matters.
    """
    if other.rule not in pack.excluded_penalties.get(one.rule, frozenset()):
        return False
    rounds = [c.occasion for c in (one, other) if c.occasion.startswith("round/")]
    days = [c.because["happened_on"] for c in (one, other) if "happened_on" in c.because]
    return len(set(rounds)) < 2 and len(set(days)) < 2


def _has_nothing_left(c: PenaltyFacts) -> bool:
    """Whether others took all that the penalty takes."""
    return bool(c.because.get("waits")) and not c.amount and not c.sanctions


def _fall(facts: CaseFacts, c: PenaltyFacts, obstacle: Obstacle, *, at: dt.datetime) -> CaseFacts:
    """Let a proposal lapse, and what was decided be given back; what a jury took away is gone."""
    if obstacle.ruled:
        return replace_penalty(facts, c, ruled_away(c, facts.round))
    if c.status is PenaltyStatus.proposed:
        because = {**c.because, **obstacle.reason}
        return replace_penalty(facts, c, replace(c, status=PenaltyStatus.lapsed, because=because))
    if obstacle.why == "taken" or reversal_of(facts, c):
        return facts
    return propose_reversal(facts, c, at=at, again=True, **obstacle.reason)


def _rise(facts: CaseFacts, c: PenaltyFacts, pack: Pack) -> CaseFacts:
    """Let a penalty stand again that nothing hinders any more."""
    if c.status is PenaltyStatus.lapsed and FELL in c.because and _is_founded(facts, c, pack):
        because = without(c.because, FELL, "replaced_by")
        return replace_penalty(facts, c, replace(c, status=PenaltyStatus.proposed, because=because))
    back = reversal_of(facts, c) if c.stands else None
    if back is not None and FELL in back.because and back.status is PenaltyStatus.proposed:
        return replace_penalty(facts, back, replace(back, status=PenaltyStatus.lapsed))
    return facts


def _is_founded(facts: CaseFacts, c: PenaltyFacts, pack: Pack) -> bool:
    """Whether what brought a penalty is still so: its condition, its breach, its finding."""
    entry = pack.find("penalty", c.rule)
    if entry.by_hand or "bases" in c.because:
        return holds_for(entry, facts, c.employee)
    if "deadline" in c.because:
        why = c.because
        return any(
            (d.key, d.round) == (why["deadline"], why["round"])
            and b.breached_at.isoformat() == why["due_at"]
            and b.lifted_at is None
            for d in facts.deadlines
            for b in d.breaches
        )
    return entry.who != "concerned" or (not facts.struck and c.employee in facts.concerned)


# ---------------------------------------------------------------- elements of pay


def _with_elements(facts: CaseFacts, rules: Rules) -> CaseFacts:
    """Give each element of pay to the first penalty of its person and month that may take it."""
    for employee, key, month in _elements_wanted(facts):
        rows = [
            c
            for c in facts.penalties
            if c.employee == employee
            and month in (_took(c).get(key), _waits(c).get(key))
            and _may_take(facts, c, rules.pack)
        ]
        facts = _give_element(facts, rows, key, month=month, rules=rules)
    return facts


def _elements_wanted(facts: CaseFacts) -> list[tuple[str, str, str]]:
    found = (
        (c.employee, key, month)
        for c in facts.penalties
        if c.sign is Sign.charge
        for key, month in (*_took(c).items(), *_waits(c).items())
    )
    return list(dict.fromkeys(found))


def _took(c: PenaltyFacts) -> Mapping[str, str]:
    return dict(c.because.get("elements", {}))


def _waits(c: PenaltyFacts) -> Mapping[str, str]:
    return dict(c.because.get("waits", {}))


def _may_take(facts: CaseFacts, c: PenaltyFacts, pack: Pack) -> bool:
    """Whether nothing but another's taking it keeps a charge from an element of pay."""
    if c.sign is not Sign.charge or reversal_of(facts, c) is not None:
        return False
    obstacle = _obstacle(facts, c, pack)
    lapsed = c.status is PenaltyStatus.lapsed and FELL in c.because
    waits = lapsed and _is_founded(facts, c, pack)
    return (c.stands or waits) and (obstacle is None or obstacle.why == "taken")


def _give_element(
    facts: CaseFacts, rows: list[PenaltyFacts], key: str, *, month: str, rules: Rules
) -> CaseFacts:
    first = next((c for c in rows if c.status in DECIDED and key in _took(c)), None)
    first = first or next((c for c in rows if _is_free_to_take(facts, c, key)), None)
    for c in rows:
        if c is first and c.status in DECIDED:
            facts = (
                facts if key in _took(c) else _supplement(facts, c, key, month=month, rules=rules)
            )
        elif c is first:
            facts = replace_penalty(facts, c, _taking(c, key, month, pack=rules.pack))
        elif c.status not in DECIDED:
            facts = replace_penalty(facts, c, _waiting(c, key, month, pack=rules.pack))
    return facts


def _is_free_to_take(facts: CaseFacts, c: PenaltyFacts, key: str) -> bool:
    """Whether no other case took the element, and nothing was added to take it already."""
    if key in c.because.get("others", ()):
        return False
    added = (*c.identity[:2], _supplement_occasion(c, key))
    return all(one.identity[:3] != added for one in facts.penalties)


def _supplement_occasion(c: PenaltyFacts, key: str) -> str:
    return f"{c.occasion}/{key}"[:120]


def _supplement(
    facts: CaseFacts, c: PenaltyFacts, key: str, *, month: str, rules: Rules
) -> CaseFacts:
    """Propose beside a decided penalty the element of pay that it had found taken."""
    said = without(c.because, "waits", "elements", "others")
    because = {**said, "on": c.rule, "bases": [list(c.identity[:3])], "elements": {key: month}}
    occasion = _supplement_occasion(c, key)
    made = PenaltyFacts(
        rule=c.rule,
        employee=c.employee,
        occasion=occasion,
        amount=c.amount - c.amount,
        at=rules.now,
        because=because,
        sanctions=(key,),
    )
    return replace(facts, penalties=(*facts.penalties, made))


def _taking(c: PenaltyFacts, key: str, month: str, *, pack: Pack) -> PenaltyFacts:
    return _with_parts(c, {**_took(c), key: month}, without(_waits(c), key), pack=pack)


def _waiting(c: PenaltyFacts, key: str, month: str, *, pack: Pack) -> PenaltyFacts:
    return _with_parts(c, without(_took(c), key), {**_waits(c), key: month}, pack=pack)


def _with_parts(
    c: PenaltyFacts, took: Mapping[str, str], waits: Mapping[str, str], *, pack: Pack
) -> PenaltyFacts:
    """Return a penalty with what it takes and what it waits for, in the rule's order."""
    because = without(c.because, "elements", "waits")
    because |= {"elements": dict(took)} if took else {}
    because |= {"waits": dict(waits)} if waits else {}
    whole = (*took, *waits) if _is_supplement(c) else pack.find("penalty", c.rule).sanctions
    sanctions = tuple(key for key in whole if key not in waits)
    return replace(c, because=because, sanctions=sanctions)


def _is_supplement(c: PenaltyFacts) -> bool:
    return any(base[0] == c.rule for base in c.because.get("bases", ()))


# ---------------------------------------------------------------- when they count


def _with_terms(facts: CaseFacts, rules: Rules) -> CaseFacts:
    """Let no penalty count into a wage month before the one it hangs on does."""
    for identity in [c.identity for c in facts.penalties if "bases" in c.because]:
        c = next(one for one in facts.penalties if one.identity == identity)
        if c.status is PenaltyStatus.notified and holds_up(facts, c):
            facts = replace_penalty(facts, c, _with_term(facts, c, rules))
    return facts


def _with_term(facts: CaseFacts, c: PenaltyFacts, rules: Rules) -> PenaltyFacts:
    counting = [b.counts_at for b in _bases(facts, c) if holds_up(facts, b) and b.counts_at]
    if not counting:
        held = {**c.because, "held": True}
        return replace(c, counts_at=None, because=held) if c.counts_at else c
    ends = min(counting)
    if c.counts_at:
        return replace(c, counts_at=max(c.counts_at, ends))
    if "held" not in c.because:
        return c  # An appeal of its own keeps it.
    own = term_end(c, rules.pack, rules.calendar)
    return replace(c, counts_at=max(own, ends), because=without(c.because, "held"))
