"""What things cost whom: the charges events and breaches bring, each with its reason.

A charge is a proposal. One rule charges one employee once per occasion; a graver ground takes
the lighter one's place; a surcharge follows what it adds to. Nothing here decides for a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from policy.conditions import holds
from policy.errors import FieldMissing, GateClosed, NotFound, StatusForbids
from policy.events import Happening, Judged, PenaltyNotified
from policy.facts import CaseFacts, Charge, Clock
from policy.lifecycle import PenaltyStatus, Sign
from policy.pack import Pack, PenaltyEntry
from policy.worktime import WorkCalendar


def for_event(
    facts: CaseFacts, before: CaseFacts, event: Happening, *, pack: Pack, now: dt.datetime
) -> CaseFacts:
    """The charges an event brings by itself, to who was responsible before it happened."""
    for entry in pack.charging.get(event.type, ()):
        if not holds(entry.applies, before, event):
            continue
        who = _on_the_case(entry, before)
        because = {"event": event.type, "round": before.round}
        occasion = _occasion(entry, before.round, event)
        facts = charge(facts, entry, who, occasion, because, pack=pack, at=now)
    return facts


def for_breaches(facts: CaseFacts, before: CaseFacts, *, pack: Pack, now: dt.datetime) -> CaseFacts:
    """The charges of the breaches that came to light since `before`, without those lifted since."""
    if facts.clocks is before.clocks:
        return facts
    facts = _without_lifted(facts, before, pack=pack, now=now)
    for clock in _newly_breached(facts, before):
        facts = _charged(facts, clock, pack=pack, now=now)
    return facts


def _charged(facts: CaseFacts, clock: Clock, *, pack: Pack, now: dt.datetime) -> CaseFacts:
    """What the last breach of a clock costs."""
    slot = pack.find("deadline", clock.key).slot
    for entry in pack.penalty:
        if entry.breach_of not in (clock.key, slot) or entry.breach_of is None:
            continue
        if not holds(entry.applies, facts):
            continue
        lapse = clock.breaches[-1]
        because = {
            "deadline": clock.key,
            "due_at": lapse.breached_at.isoformat(),
            "round": clock.round,
        }
        occasion = "order" if entry.per == "order" else f"{clock.key}/{clock.round}"
        who = clock.responsible if entry.who == "responsible" else facts.handler
        facts = charge(facts, entry, who, occasion, because, pack=pack, at=now)
    return facts


def _without_lifted(
    facts: CaseFacts, before: CaseFacts, *, pack: Pack, now: dt.datetime
) -> CaseFacts:
    """Take back the charges of breaches lifted since `before`: the deed came to light later.

    What one order costs once is owed all the same where another breach of it stands.
    """
    gone = _lifted(facts) - _lifted(before)
    if not gone:
        return facts
    facts = take_back(facts, lambda c: _ground(c) in gone, at=now)
    for clock in facts.clocks:
        if clock.breached:
            facts = _charged(facts, clock, pack=pack, now=now)
    return facts


def _lifted(facts: CaseFacts) -> set[tuple[Any, ...]]:
    return {
        (clock.key, clock.round, lapse.breached_at.isoformat())
        for clock in facts.clocks
        for lapse in clock.breaches
        if lapse.lifted_at
    }


def _ground(c: Charge) -> tuple[Any, ...]:
    return (c.because.get("deadline"), c.because.get("round"), c.because.get("due_at"))


def _newly_breached(facts: CaseFacts, before: CaseFacts) -> Iterable[Clock]:
    known = {(c.key, c.round): len(c.breaches) for c in before.clocks}
    return [c for c in facts.clocks if len(c.breaches) > known.get((c.key, c.round), 0)]


def by_hand(facts: CaseFacts, event: Judged, *, pack: Pack, now: dt.datetime) -> CaseFacts:
    """The charge for a ground a person found. Refused where the regulation's condition fails."""
    entry: PenaltyEntry | None = pack.find("penalty", event.ground)
    if entry is None or not entry.by_hand:
        raise NotFound(what="penalty", key=event.ground)
    if not holds(entry.applies, facts, event):
        row = entry.applies[0]
        raise GateClosed(
            deed=event.type, gate=entry.label, cite=entry.cite, field=row.field, wanted=row.value
        )
    who = event.employee if entry.who == "named" else _on_the_case(entry, facts)
    if not who:
        raise FieldMissing(field="employee")
    because = {"event": event.type, "finding": event.text}
    occasion = _occasion(entry, facts.round, event)
    return charge(facts, entry, who, occasion, because, pack=pack, at=now)


def _on_the_case(entry: PenaltyEntry, facts: CaseFacts) -> str | None:
    return facts.responsible if entry.who == "responsible" else facts.handler


def _occasion(entry: PenaltyEntry, round: int, event: Happening) -> str:
    match entry.per:
        case "order":
            return "order"
        case "round":
            return f"round/{round}"
        case _:
            return f"{event.type}/{event.at.isoformat()}"


def charge(
    facts: CaseFacts,
    entry: PenaltyEntry,
    who: str | None,
    occasion: str,
    because: dict[str, Any],
    *,
    pack: Pack,
    at: dt.datetime,
) -> CaseFacts:
    """Add a charge and its surcharges, once; a graver one that stands keeps it out."""
    if who is None or _replaced_by_graver(facts, entry, who, pack):
        return facts
    made = Charge(
        rule=entry.key,
        employee=who,
        occasion=occasion,
        amount=entry.amount,
        at=at,
        because={"clause": entry.cite, **because},
    )
    old = next((c for c in facts.charges if c.identity == made.identity), None)
    if old is not None and old.status is not PenaltyStatus.lapsed:
        return facts
    for lighter in entry.replaces:
        facts = take_back(
            facts,
            lambda c, k=lighter: k in (c.rule, c.because.get("on")) and c.employee == who,
            at=at,
            replaced_by=entry.key,
        )
    # What lapsed for want of a ground is owed again once there is one; it stays one row.
    charges = tuple(made if c is old else c for c in facts.charges)
    facts = replace(facts, charges=charges if old else (*charges, made))
    for more in pack.penalty:
        if entry.key in more.adds_to and holds(more.applies, facts):
            reason = {"on": entry.key, **because}
            facts = charge(facts, more, who, f"{entry.key}/{occasion}", reason, pack=pack, at=at)
    return facts


def _replaced_by_graver(facts: CaseFacts, entry: PenaltyEntry, who: str, pack: Pack) -> bool:
    graver = {p.key for p in pack.penalty if entry.key in p.replaces}
    return any(
        c.rule in graver and c.employee == who and c.stands and c.sign is Sign.charge
        for c in facts.charges
    )


def without_ground(facts: CaseFacts, *, pack: Pack, at: dt.datetime) -> CaseFacts:
    """Take back what persons found, and its surcharges, where its condition holds no longer."""
    fallen = {p.key for p in pack.penalty if p.by_hand and not holds(p.applies, facts)}
    if not fallen:
        return facts
    return take_back(facts, lambda c: fallen & {c.rule, c.because.get("on")}, at=at)


def take_back(facts: CaseFacts, chosen: Any, *, at: dt.datetime, **why: Any) -> CaseFacts:
    """Let proposals lapse; against what was already confirmed, propose a reversal."""
    charges: list[Charge] = []
    added: list[Charge] = []
    reversed_already = {c.identity[:3] for c in facts.charges if c.sign is Sign.reversal}
    for c in facts.charges:
        if c.sign is Sign.charge and c.stands and chosen(c):
            if c.status is PenaltyStatus.proposed:
                because = {**c.because, **why}
                c = replace(c, status=PenaltyStatus.lapsed, because=because)
            elif c.identity[:3] not in reversed_already:
                added.append(_reversal(c, at, **why))
        charges.append(c)
    return replace(facts, charges=(*charges, *added))


def _reversal(c: Charge, at: dt.datetime, **why: Any) -> Charge:
    return Charge(
        rule=c.rule,
        employee=c.employee,
        occasion=c.occasion,
        amount=c.amount,
        at=at,
        because={"clause": c.because["clause"], "reverses": c.at.isoformat(), **why},
        sign=Sign.reversal,
    )


STEPS = {
    "penalty_confirmed": (PenaltyStatus.proposed, PenaltyStatus.confirmed),
    "penalty_waived": (PenaltyStatus.proposed, PenaltyStatus.waived),
    "penalty_notified": (PenaltyStatus.confirmed, PenaltyStatus.notified),
    "penalty_reversed": (PenaltyStatus.notified, PenaltyStatus.notified),
}


def step(facts: CaseFacts, event: Any, *, pack: Pack, calendar: WorkCalendar) -> CaseFacts:
    """Move one charge on: confirmed, waived, notified or reversed."""
    identity = (event.rule, event.employee, event.occasion, event.sign)
    found = next((c for c in facts.charges if c.identity == identity), None)
    if found is None:
        raise NotFound(what="penalty", key=event.rule)
    if event.type == "penalty_reversed":
        return _reversed(facts, found, event)
    wanted, then = STEPS[event.type]
    if found.status is not wanted:
        raise StatusForbids(deed=event.type, status=found.status)
    moved = _stamped(replace(found, status=then), event, pack, calendar)
    facts = replace(facts, charges=tuple(moved if c is found else c for c in facts.charges))
    return _after_waiving(facts, found, at=event.at) if then is PenaltyStatus.waived else facts


def _after_waiving(facts: CaseFacts, waived: Charge, *, at: dt.datetime) -> CaseFacts:
    """A waived charge takes its surcharges along and gives its place back to a lighter one."""
    occasion = f"{waived.rule}/{waived.occasion}"
    facts = take_back(
        facts, lambda c: (c.occasion, c.employee) == (occasion, waived.employee), at=at
    )
    return _lighter_again(facts, waived)


def _lighter_again(facts: CaseFacts, waived: Charge) -> CaseFacts:
    """A graver ground that is waived gives its place back to the lighter one."""

    def again(c: Charge) -> Charge:
        gave_way = c.because.get("replaced_by") == waived.rule and c.employee == waived.employee
        if not (gave_way and c.status is PenaltyStatus.lapsed):
            return c
        because = {k: v for k, v in c.because.items() if k != "replaced_by"}
        return replace(c, status=PenaltyStatus.proposed, because=because)

    return replace(facts, charges=tuple(again(c) for c in facts.charges))


def _stamped(c: Charge, event: Any, pack: Pack, calendar: WorkCalendar) -> Charge:
    if event.type == "penalty_confirmed":
        return replace(c, confirmed_at=event.at)
    if isinstance(event, PenaltyNotified):
        term = pack.policy.appeal_term
        ends = calendar.add(event.at, term.amount, term.unit).at
        return replace(c, notified_at=event.at, counts_at=ends)
    return c


def _reversed(facts: CaseFacts, found: Charge, event: Any) -> CaseFacts:
    settled = (PenaltyStatus.confirmed, PenaltyStatus.notified)
    if found.sign is Sign.reversal or found.status not in settled:
        raise StatusForbids(deed=event.type, status=found.status)
    if any(c.identity == (*found.identity[:3], Sign.reversal) for c in facts.charges):
        raise StatusForbids(deed=event.type, status=found.status)
    made = _reversal(found, event.at, reason=event.reason)
    return replace(facts, charges=(*facts.charges, made))


def wage_month(day: dt.date, pack: Pack) -> str:
    """The wage month ("2026-10") a day belongs to: after the cut-off day it is the next one."""
    last_of_month = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(1)
    cut_off = min(pack.policy.wage_month_ends_on, last_of_month.day)
    counted = day if day.day <= cut_off else last_of_month + dt.timedelta(days=1)
    return f"{counted:%Y-%m}"
