"""What one picture of a case differs in from another: for previews, notices and plays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from policy.vocabulary.facts import CaseFacts, DeadlineFacts


@dataclass(frozen=True, slots=True)
class Effect:
    """One change: its kind, the rule or field it is about, and the facts of a sentence."""

    kind: str
    key: str
    facts: dict[str, Any]


_PLAIN = (
    *("status", "kind", "level", "grade", "responsibility", "round", "department"),
    *("handler", "responsible", "retain_until", "received_at"),
)
_read = attrgetter(*_PLAIN)


def changes(before: CaseFacts, after: CaseFacts) -> tuple[Effect, ...]:
    """Every change a person would ask about, in the order of facts, clocks and money."""
    return (*_facts(before, after), *_clocks(before, after), *_money(before, after))


def _facts(before: CaseFacts, after: CaseFacts) -> Iterator[Effect]:
    for name, old, new in zip(_PLAIN, _read(before), _read(after), strict=True):
        if old != new:
            yield Effect("fact", name, {"before": old, "after": new})


def _clocks(before: CaseFacts, after: CaseFacts) -> Iterator[Effect]:
    old = {(c.key, c.round): c for c in before.clocks}
    for clock in after.clocks:
        was = old.get((clock.key, clock.round))
        if was is None:
            yield _about("clock_started", clock)
        elif was.state is not clock.state:
            yield _about(f"clock_{clock.state.value}", clock)
        if was is not None and was.due_at != clock.due_at:
            yield _about("clock_moved", clock, due_before=was.due_at)
        elif was is not None and was.provisional and not clock.provisional:
            yield _about("clock_final", clock)
        known = {x.breached_at: x for x in was.breaches} if was else {}
        for lapse in clock.breaches:
            seen = known.get(lapse.breached_at)
            if seen is None and lapse.lifted_at is None:
                yield _about("breached", clock, breached_at=lapse.breached_at)
            elif lapse.lifted_at and (seen is None or seen.lifted_at is None):
                yield _about("breach_lifted", clock, breached_at=lapse.breached_at)


def _about(kind: str, clock: DeadlineFacts, **more: dt.datetime | None) -> Effect:
    facts = {"round": clock.round, "due_at": clock.due_at, "responsible": clock.responsible}
    uncertain = {"provisional": True} if clock.provisional else {}
    return Effect(kind, clock.key, facts | more | uncertain)


def _money(before: CaseFacts, after: CaseFacts) -> Iterator[Effect]:
    old = {c.identity: c for c in before.charges}
    for charge in after.charges:
        was = old.get(charge.identity)
        facts = {
            "employee": charge.employee,
            "amount": charge.amount,
            "sign": charge.sign,
            "occasion": charge.occasion,
        }
        if was is None:
            yield Effect("charged", charge.rule, facts)
        elif was.status is not charge.status:
            yield Effect(f"charge_{charge.status.value}", charge.rule, facts)
        elif was.amount != charge.amount:
            yield Effect("charge_changed", charge.rule, facts | {"before": was.amount})
