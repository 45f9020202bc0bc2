"""Compare two pictures of a case, for previews, notices and plays."""

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
    """Return every change a person would ask about: facts, then deadlines, then penalties."""
    return (
        *_field_changes(before, after),
        *_deadline_changes(before, after),
        *_penalty_changes(before, after),
    )


def _field_changes(before: CaseFacts, after: CaseFacts) -> Iterator[Effect]:
    for name, old, new in zip(_PLAIN, _read(before), _read(after), strict=True):
        if old != new:
            yield Effect("fact", name, {"before": old, "after": new})


def _deadline_changes(before: CaseFacts, after: CaseFacts) -> Iterator[Effect]:
    old = {(c.key, c.round): c for c in before.deadlines}
    for deadline in after.deadlines:
        was = old.get((deadline.key, deadline.round))
        if was is None:
            yield _about("clock_started", deadline)
        elif was.state is not deadline.state:
            yield _about(f"clock_{deadline.state.value}", deadline)
        if was is not None and was.due_at != deadline.due_at:
            yield _about("clock_moved", deadline, due_before=was.due_at)
        elif was is not None and was.provisional and not deadline.provisional:
            yield _about("clock_final", deadline)
        known = {x.breached_at: x for x in was.breaches} if was else {}
        for breach in deadline.breaches:
            seen = known.get(breach.breached_at)
            if seen is None and breach.lifted_at is None:
                yield _about("breached", deadline, breached_at=breach.breached_at)
            elif seen is not None and seen.lifted_at and breach.lifted_at is None:
                yield _about("breach_restored", deadline, breached_at=breach.breached_at)
            elif breach.lifted_at and (seen is None or seen.lifted_at is None):
                yield _about("breach_lifted", deadline, breached_at=breach.breached_at)


def _about(kind: str, deadline: DeadlineFacts, **more: dt.datetime | None) -> Effect:
    facts = {
        "round": deadline.round,
        "due_at": deadline.due_at,
        "responsible": deadline.responsible,
    }
    uncertain = {"provisional": True} if deadline.provisional else {}
    return Effect(kind, deadline.key, facts | more | uncertain)


def _penalty_changes(before: CaseFacts, after: CaseFacts) -> Iterator[Effect]:
    old = {c.identity: c for c in before.penalties}
    for penalty in after.penalties:
        was = old.get(penalty.identity)
        facts = {
            "employee": penalty.employee,
            "amount": penalty.amount,
            "sign": penalty.sign,
            "occasion": penalty.occasion,
        }
        if was is None and penalty.stands:
            yield Effect("charged", penalty.rule, facts)
        elif was is None:
            continue
        elif was.status is not penalty.status:
            yield Effect(f"charge_{penalty.status.value}", penalty.rule, facts)
        elif was.amount != penalty.amount:
            yield Effect("charge_changed", penalty.rule, facts | {"before": was.amount})
