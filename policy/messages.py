"""Whom an event makes tell what: one answer for notices of the record and for cases that are tried.

A message is for who answers for the case; what was raised to the general manager is for whoever
holds the post that decides; an alert is for whom the regulation names. Which ways a message takes
to somebody is no question of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from policy.changes import Effect
from policy.conditions import holds
from policy.events import Happening
from policy.facts import CaseFacts
from policy.lifecycle import Status
from policy.pack import Pack


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told once: its kind, what caused it, and to whom.

    `occasion` is the same for the same cause, so that nobody is told twice. `employee` and
    `department` are those of the case; a message to a `post` is for its holders alone. `rule` is
    the alert or the ladder it comes from.
    """

    kind: str
    occasion: str
    employee: str | None
    department: str | None
    post: str | None = None
    rule: str | None = None


_TELLS = {
    "dispatched": "dispatched",
    "restarted": "restarted",
    "replied": "to_confirm",
}


def messages(
    event: Happening, effects: Sequence[Effect], after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Message]:
    """What is to be told after the `seq`-th event of a case; nothing of a case that is history."""
    if after.history:
        return
    who, where = after.responsible, after.department
    if event.type in _TELLS:
        yield Message(_TELLS[event.type], str(seq), who, where)
    for effect in effects:
        if effect.kind == "breached":
            key = f"{effect.key}/{effect.facts['round']}/{effect.facts['breached_at'].isoformat()}"
            yield Message("breached", key, who, where)
    if event.type == "confirmed" and after.status is Status.intervened:
        decides = next((entry.by[0] for entry in pack.signoffs.get("decided", ())), None)
        yield Message("to_decide", str(seq), None, where, decides)
    yield from _alerts(event, effects, after, pack, seq=seq)


def _alerts(
    event: Happening, effects: Sequence[Effect], after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Message]:
    """What the regulation's alerts say, and who is next on a ladder."""
    for alert in pack.alerts.get(event.type, ()):
        if holds(alert.applies, after, event):
            yield from _each(alert.key, alert.to, f"{alert.key}/{seq}", after)
    if event.type == "escalated":
        step = after.filed[-1]
        yield from _each(step.key, (step.data["post"],), f"{step.key}/{seq}", after)
    for effect in _ran_out(effects, after, pack) if pack.alert else ():
        slot = pack.find("deadline", effect.key).slot
        for alert in pack.alert:
            named = alert.breach_of is not None and alert.breach_of in (effect.key, slot)
            if named and holds(alert.applies, after):
                occasion = f"{alert.key}/{effect.key}/{effect.facts['round']}/{seq}"
                yield from _each(alert.key, alert.to, occasion, after)


def _ran_out(effects: Sequence[Effect], after: CaseFacts, pack: Pack) -> Iterator[Effect]:
    """The clocks that ran out: with a breach, or as targets and terms that let a case rise."""
    for effect in effects:
        if effect.kind == "breached" or _passed(effect, after, pack):
            yield effect


def _passed(effect: Effect, after: CaseFacts, pack: Pack) -> bool:
    """Whether a target or a term to rise ended because its time was over, and not by a deed."""
    if effect.kind != "clock_met" or pack.find("deadline", effect.key).ends not in _WARNS:
        return False
    return any(
        clock.met_at == clock.due_at
        for clock in after.clocks
        if (clock.key, clock.round) == (effect.key, effect.facts["round"])
    )


_WARNS = ("warning", "upgrade")
_PARTS: dict[str, Callable[[CaseFacts], str | None]] = {
    "director": lambda case: case.responsible,
    "handler": lambda case: case.handler,
    "first_asked": lambda case: case.first_asked,
}


def _each(rule: str, to: Sequence[str], occasion: str, case: CaseFacts) -> Iterator[Message]:
    """A message to each of those named: by their part in the case, or by their post."""
    for who in to:
        part = _PARTS.get(who)
        place = f"{occasion}/{who}"
        if part is not None:
            yield Message("alert", place, part(case), None, rule=rule)
        elif who == "lead_department":
            yield Message("alert", place, None, case.department, rule=rule)
        else:
            yield Message("alert", place, None, None, who, rule=rule)
