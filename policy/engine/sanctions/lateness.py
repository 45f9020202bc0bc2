"""Lateness: penalties of deadlines that were breached, and of breaches that were lifted again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from policy.engine.conditions import holds
from policy.engine.penalties import Ground, add_penalty, bearers, replace_penalty, take_back
from policy.engine.rules import Rules
from policy.pack.money import PenaltyEntry
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.facts import BreachFacts, CaseFacts, DeadlineFacts, PenaltyFacts, replace
from policy.vocabulary.status import PenaltyStatus, Sign


def for_breaches(facts: CaseFacts, before: CaseFacts, rules: Rules) -> CaseFacts:
    """Add penalties for breaches found since `before`; take back those of breaches lifted since."""
    if facts.deadlines is before.deadlines:
        return facts
    facts = _take_back_lifted(facts, before, rules)
    for deadline in _newly_breached(facts, before):
        facts = _for_last_breach(facts, deadline, rules)
    if again := _lifted(before) - _lifted(facts):
        facts = _without_giving_back(facts, again)
        for deadline in facts.deadlines:
            if any(_key_of(deadline, one) in again for one in deadline.breaches):
                facts = _for_last_breach(facts, deadline, rules)
    return facts


def _without_giving_back(facts: CaseFacts, again: Collection[tuple[Any, ...]]) -> CaseFacts:
    """Let lapse what was proposed to be given back for breaches that stand again."""
    charges = {c.identity[:3] for c in facts.penalties if _ground(c) in again}
    for c in facts.penalties:
        proposed = c.sign is Sign.reversal and c.status is PenaltyStatus.proposed
        if proposed and c.identity[:3] in charges:
            facts = replace_penalty(facts, c, replace(c, status=PenaltyStatus.lapsed))
    return facts


def charge_who_had_it(facts: CaseFacts, *, since: dt.datetime, rules: Rules) -> CaseFacts:
    """Propose the penalties of breaches after an instant to who had the case when they happened.

    A proposal to somebody else lapses; what was decided already stays.
    """
    for deadline in facts.deadlines:
        last = deadline.breaches[-1] if deadline.breaches else None
        if last is None or last.lifted_at or last.breached_at <= since:
            continue
        ground = (deadline.key, deadline.round, last.breached_at.isoformat())
        bear = {
            (entry.key, who)
            for entry in rules.pack.penalties_by_deadline[deadline.key]
            for who in _liable(entry, deadline, facts, pack=rules.pack)
        }
        anothers = partial(_is_anothers, ground=ground, bear=bear)
        facts = take_back(facts, anothers, pack=rules.pack, at=rules.now)
        facts = _for_last_breach(facts, deadline, rules)
    return facts


def _is_anothers(
    c: PenaltyFacts, *, ground: tuple[Any, ...], bear: Collection[tuple[str, str | None]]
) -> bool:
    """Whether a penalty of a breach is proposed to somebody who does not bear it."""
    proposed = c.status is PenaltyStatus.proposed and _ground(c) == ground
    return proposed and (c.rule, c.employee) not in bear


def _for_last_breach(facts: CaseFacts, deadline: DeadlineFacts, rules: Rules) -> CaseFacts:
    """Add the penalties of a deadline's last breach."""
    for entry in rules.pack.penalties_by_deadline[deadline.key]:
        if not holds(entry.applies, facts):
            continue
        breach = deadline.breaches[-1]
        because = {
            "deadline": deadline.key,
            "due_at": breach.breached_at.isoformat(),
            "round": deadline.round,
        }
        once = entry.per in ("order", "complaint")
        occasion = str(entry.per) if once else f"{deadline.key}/{deadline.round}"
        for who in _liable(entry, deadline, facts, pack=rules.pack):
            facts = add_penalty(facts, entry, who, ground=Ground(occasion, because), rules=rules)
    return facts


def _liable(
    entry: PenaltyEntry, deadline: DeadlineFacts, facts: CaseFacts, *, pack: Pack
) -> list[str | None]:
    """Return who bears the penalty for a deadline's last breach.

    What binds the responsible is charged to who had the case when it ran out: what was lost at the
    desk, or by the department before, is not charged to who got it afterwards (SKD-3.2.2).
    """
    if entry.who != "responsible":
        return bearers(entry, facts)
    binds = pack.find("deadline", deadline.key).binds
    if binds == "responsible" and pack.policy.judges(Judging.known_terms):
        return [_responsible_at(facts, deadline.breaches[-1].breached_at)]
    return [deadline.responsible] if deadline.responsible else bearers(entry, facts)


def _responsible_at(facts: CaseFacts, at: dt.datetime) -> str | None:
    """Return who was responsible for the case at an instant; None while the desk had it."""
    had = [one for one in facts.assignments if one.dispatched_at < at]
    last = had[-1] if had else None
    return (
        last.responsible if last and (last.returned_at is None or at < last.returned_at) else None
    )


def _take_back_lifted(facts: CaseFacts, before: CaseFacts, rules: Rules) -> CaseFacts:
    """Take back the penalties of breaches lifted since `before`.

    A penalty once per order stays where another breach of the order stands.
    """
    gone = _lifted(facts) - _lifted(before)
    if not gone:
        return facts
    facts = take_back(facts, lambda c: _ground(c) in gone, pack=rules.pack, at=rules.now)
    for deadline in facts.deadlines:
        if deadline.breached:
            facts = _for_last_breach(facts, deadline, rules)
    return facts


def _lifted(facts: CaseFacts) -> set[tuple[Any, ...]]:
    return {
        _key_of(deadline, breach)
        for deadline in facts.deadlines
        for breach in deadline.breaches
        if breach.lifted_at
    }


def _key_of(deadline: DeadlineFacts, breach: BreachFacts) -> tuple[Any, ...]:
    return (deadline.key, deadline.round, breach.breached_at.isoformat())


def _ground(c: PenaltyFacts) -> tuple[Any, ...]:
    return (c.because.get("deadline"), c.because.get("round"), c.because.get("due_at"))


def _newly_breached(facts: CaseFacts, before: CaseFacts) -> Iterable[DeadlineFacts]:
    known = {(c.key, c.round): len(c.breaches) for c in before.deadlines}
    return [c for c in facts.deadlines if len(c.breaches) > known.get((c.key, c.round), 0)]
