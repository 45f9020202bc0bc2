"""What other cases change in this one: its place among the complaints of a year, pay taken."""

from __future__ import annotations

from policy.engine.conditions import holds
from policy.engine.penalties import for_count, replace_penalty
from policy.engine.rules import Rules
from policy.engine.sanctions import grounds
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.events import Retallied, Verified
from policy.vocabulary.facts import CaseFacts, FormEntryFacts, replace
from policy.vocabulary.status import Sign


def counts_over_years(pack: Pack) -> bool:
    """Whether a penalty of a regulation is for a certain complaint of the year (SAL-12.10)."""
    counted = any(entry.from_count for entry in pack.penalties_by_event.get("verified", ()))
    return counted and pack.policy.judges(Judging.of_its_kinds)


def takes_pay(pack: Pack) -> bool:
    """Whether a regulation takes elements of pay once a month (SAL-12.4)."""
    element = any(sanction.element for sanction in pack.sanction)
    return element and pack.policy.judges(Judging.stands_or_falls)


def retally(facts: CaseFacts, event: Retallied, rules: Rules) -> CaseFacts:
    """Return the case with its penalties as the counts and the pay of other cases leave them."""
    facts = _with_others(facts, event)
    last = _last_finding(facts)
    if last is None or facts.struck or not rules.pack.policy.judges(Judging.of_its_kinds):
        return facts
    found = Verified(
        at=last.at,
        finding=last.key,
        concerned=facts.concerned,
        text="-",
        earlier=event.earlier,
        earlier_by_rule=event.earlier_by_rule,
    )
    because = {"event": found.type, "round": last.round}
    for entry in rules.pack.penalties_by_event.get(found.type, ()):
        if not entry.from_count or not holds(entry.applies, facts, found):
            continue
        for who in (who for who in facts.concerned if who in event.earlier):
            facts = for_count(facts, entry, who, event=found, because=because, rules=rules)
    return facts


def settled(facts: CaseFacts, event: Retallied, rules: Rules) -> CaseFacts:
    """Return what the event would leave of the penalties, those that follow others included."""
    return grounds.follow(retally(facts, event, rules), rules)


def _last_finding(facts: CaseFacts) -> FormEntryFacts | None:
    return next((one for one in reversed(facts.entries) if one.section == "finding"), None)


def _with_others(facts: CaseFacts, event: Retallied) -> CaseFacts:
    """Note on each penalty which of its elements of pay other cases take."""
    for c in facts.penalties:
        wanted = {**c.because.get("elements", {}), **c.because.get("waits", {})}
        if c.sign is not Sign.charge or not wanted:
            continue
        others = [k for k, month in wanted.items() if f"{c.employee}/{month}/{k}" in event.taken]
        rest = {key: value for key, value in c.because.items() if key != "others"}
        because = rest | ({"others": others} if others else {})
        if because != c.because:
            facts = replace_penalty(facts, c, replace(c, because=because))
    return facts
