"""Penalties of events and breaches, each with its reason.

A penalty is a proposal until a person confirms it. One rule gives one employee one penalty per
occasion; a graver ground replaces the lighter one; a surcharge follows what it adds to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from policy.engine.conditions import first_failing, holds
from policy.engine.rules import Rules
from policy.pack.money import PenaltyEntry, RewardEntry
from policy.pack.schema import Pack
from policy.vocabulary.errors import (
    ChoiceUnknown,
    FieldMissing,
    GateClosed,
    NotFound,
    StatusForbids,
    TimeInFuture,
)
from policy.vocabulary.events import Event, Judged, PenaltyNotified
from policy.vocabulary.facts import CaseFacts, DeadlineFacts, PenaltyFacts, replace
from policy.vocabulary.status import PenaltyStatus, Sign
from policy.vocabulary.worktime import WorkCalendar


def for_event(facts: CaseFacts, before: CaseFacts, event: Event, *, rules: Rules) -> CaseFacts:
    """Add the penalties an event brings by itself, to who was responsible before it."""
    for entry in rules.pack.penalties_by_event.get(event.type, ()):
        if not holds(entry.applies, before, event):
            continue
        because = {"event": event.type, "round": before.round}
        occasion = _occasion(entry, before.round, event)
        for who in bearers(entry, before if entry.who != "concerned" else facts):
            if entry.from_count is None:
                facts = add_penalty(
                    facts, entry, who, occasion=occasion, because=because, rules=rules
                )
            elif reason := _count_of_year(entry, who, event, facts=facts):
                nth = f"count/{reason['count']}"
                facts = add_penalty(
                    facts, entry, who, occasion=nth, because=because | reason, rules=rules
                )
    return facts


def _count_of_year(
    entry: PenaltyEntry, who: str | None, event: Event, *, facts: CaseFacts
) -> dict[str, Any] | None:
    """Return the count of verified complaints as a reason, or None where it costs nothing."""
    assert entry.from_count is not None
    assert facts.received_at is not None
    count = int(getattr(event, "earlier", {}).get(who, 0)) + 1
    if not entry.from_count <= count <= (entry.until_count or count):
        return None
    return {"count": count, "received_at": facts.received_at.isoformat()}


def for_breaches(facts: CaseFacts, before: CaseFacts, rules: Rules) -> CaseFacts:
    """Add penalties for breaches found since `before`; take back those of breaches lifted since."""
    if facts.deadlines is before.deadlines:
        return facts
    facts = _take_back_lifted(facts, before, rules)
    for deadline in _newly_breached(facts, before):
        facts = _for_last_breach(facts, deadline, rules)
    return facts


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
        occasion = "order" if entry.per == "order" else f"{deadline.key}/{deadline.round}"
        bound = deadline.responsible if entry.who == "responsible" else None
        for who in (bound,) if bound else bearers(entry, facts):
            facts = add_penalty(facts, entry, who, occasion=occasion, because=because, rules=rules)
    return facts


def _take_back_lifted(facts: CaseFacts, before: CaseFacts, rules: Rules) -> CaseFacts:
    """Take back the penalties of breaches lifted since `before`.

    A penalty once per order stays where another breach of the order stands.
    """
    gone = _lifted(facts) - _lifted(before)
    if not gone:
        return facts
    facts = take_back(facts, lambda c: _ground(c) in gone, at=rules.now)
    for deadline in facts.deadlines:
        if deadline.breached:
            facts = _for_last_breach(facts, deadline, rules)
    return facts


def _lifted(facts: CaseFacts) -> set[tuple[Any, ...]]:
    return {
        (deadline.key, deadline.round, breach.breached_at.isoformat())
        for deadline in facts.deadlines
        for breach in deadline.breaches
        if breach.lifted_at
    }


def _ground(c: PenaltyFacts) -> tuple[Any, ...]:
    return (c.because.get("deadline"), c.because.get("round"), c.because.get("due_at"))


def _newly_breached(facts: CaseFacts, before: CaseFacts) -> Iterable[DeadlineFacts]:
    known = {(c.key, c.round): len(c.breaches) for c in before.deadlines}
    return [c for c in facts.deadlines if len(c.breaches) > known.get((c.key, c.round), 0)]


def for_judgement(facts: CaseFacts, event: Judged, rules: Rules) -> CaseFacts:
    """Add the penalty or reward for a ground a person found.

    Raises NotFound, GateClosed where the ground's condition fails, and FieldMissing for an employee
    or amount the ground leaves to the person.
    """
    pack = rules.pack
    entry: PenaltyEntry | RewardEntry | None = pack.find("reward", event.ground) or pack.find(
        "penalty", event.ground
    )
    if entry is None or (isinstance(entry, PenaltyEntry) and not entry.by_hand):
        raise NotFound(what="penalty", key=event.ground)
    _check_ground(entry, facts, event)
    because: dict[str, Any] = {"event": event.type, "finding": event.text}
    occasion = _occasion(entry, facts.round, event)
    people = _people_judged(entry, facts, event)
    amount = _share(_decided_amount(entry, event), entry, len(people))
    for who in people:
        if isinstance(entry, RewardEntry):
            facts = _add_reward(
                facts, entry, who, occasion=occasion, because=because, amount=amount, at=rules.now
            )
            continue
        facts = add_penalty(
            facts,
            entry,
            who,
            occasion=occasion,
            because=because,
            rules=rules,
            amount=amount,
            taken=event.taken,
            happened_at=_happened_at(event, rules),
        )
    return facts


def _happened_at(event: Judged, rules: Rules) -> dt.datetime:
    """Return when what is judged happened: on the day that is named, else now.

    Raises TimeInFuture for a day that has not come.
    """
    if event.happened_on is None:
        return event.at
    begins = rules.calendar.instant(event.happened_on, dt.time())
    if begins > event.at:
        raise TimeInFuture(field="happened_on", at=begins)
    return begins


def _check_ground(entry: PenaltyEntry | RewardEntry, facts: CaseFacts, event: Judged) -> None:
    if row := first_failing(entry.applies, facts, event):
        raise GateClosed(
            deed=event.type, gate=entry.label, cite=entry.cite, field=row.field, wanted=row.value
        )


def _people_judged(entry: PenaltyEntry | RewardEntry, facts: CaseFacts, event: Judged) -> list[str]:
    """Return the employees a finding is about. Raises ChoiceUnknown for too many."""
    named = entry.who == "named"
    people = [event.employee, *event.together] if named else bearers(entry, facts)
    found = list(dict.fromkeys(who for who in people if who))
    if not found:
        raise FieldMissing(field="employee")
    if len(found) > 1 and entry.who == "named" and not getattr(entry, "collective", None):
        raise ChoiceUnknown(field="together", value=", ".join(event.together))
    return found


def _decided_amount(entry: PenaltyEntry | RewardEntry, event: Judged) -> Decimal:
    if entry.by_decision and event.amount is None:
        raise FieldMissing(field="amount")
    if not entry.by_decision and event.amount is not None:
        raise ChoiceUnknown(field="amount", value=str(event.amount))
    return (event.amount if entry.by_decision else entry.amount) or Decimal(0)


def _share(amount: Decimal, entry: PenaltyEntry | RewardEntry, people: int) -> Decimal:
    """Return what each of several bears: the full amount, or an equal share in whole fen."""
    if people > 1 and getattr(entry, "collective", None) == "shared":
        return (amount / people).quantize(Decimal("0.01"))
    return amount


def _add_reward(
    facts: CaseFacts,
    entry: RewardEntry,
    who: str,
    *,
    occasion: str,
    because: dict[str, Any],
    amount: Decimal,
    at: dt.datetime,
) -> CaseFacts:
    made = PenaltyFacts(
        rule=entry.key,
        employee=who,
        occasion=occasion,
        amount=amount,
        at=at,
        because={"clause": entry.cite, **because},
        sign=Sign.reward,
    )
    if any(c.identity == made.identity for c in facts.penalties):
        return facts
    return replace(facts, penalties=(*facts.penalties, made))


def bearers(entry: PenaltyEntry | RewardEntry, facts: CaseFacts) -> list[str | None]:
    """Return the employees who bear a penalty, by role; None for a role without an employee."""
    match entry.who:
        case "responsible":
            return [facts.responsible]
        case "concerned":
            return list(facts.concerned)
        case "first_asked":
            return [facts.first_asked]
        case _:
            return [facts.handler]


def _occasion(entry: PenaltyEntry | RewardEntry, round: int, event: Event) -> str:
    match entry.per:
        case "order":
            return "order"
        case "round":
            return f"round/{round}"
        case _:
            return f"{event.type}/{event.at.isoformat()}"


def add_penalty(
    facts: CaseFacts,
    entry: PenaltyEntry,
    who: str | None,
    *,
    occasion: str,
    because: dict[str, Any],
    rules: Rules,
    amount: Decimal | None = None,
    taken: Collection[str] = (),
    happened_at: dt.datetime | None = None,
) -> CaseFacts:
    """Add a penalty and its surcharges, once; a graver one that stands keeps it out."""
    if who is None or _replaced_by_graver(facts, entry, who, pack=rules.pack):
        return facts
    months = (rules.calendar.local(happened_at or rules.now), rules.calendar.local(rules.now))
    left = _sanctions_left(facts, entry, who, months=months, taken=taken, pack=rules.pack)
    made = PenaltyFacts(
        rule=entry.key,
        employee=who,
        occasion=occasion,
        amount=amount if amount is not None else (entry.amount or Decimal(0)),
        at=rules.now,
        because={"clause": entry.cite, **because, **_element_months(left, months, rules.pack)},
        sanctions=left,
    )
    nothing_left = entry.sanctions and not left and not made.amount
    penalised = facts if nothing_left else _put_penalty(facts, entry, made, at=rules.now)
    if penalised is facts:
        return facts
    return _add_surcharges(
        penalised, entry, made, because=because, rules=rules, taken=taken, happened_at=happened_at
    )


def _add_surcharges(
    facts: CaseFacts,
    base: PenaltyEntry,
    made: PenaltyFacts,
    *,
    because: dict[str, Any],
    rules: Rules,
    taken: Collection[str],
    happened_at: dt.datetime | None,
) -> CaseFacts:
    """Add the surcharges of a penalty, borne by its bearer unless they name another."""
    reason = {"on": base.key, **because}
    for surcharge in rules.pack.surcharges.get(base.key, ()):
        payers = bearers(surcharge, facts) if surcharge.who else [made.employee]
        for payer in payers if holds(surcharge.applies, facts) else ():
            facts = add_penalty(
                facts,
                surcharge,
                payer,
                occasion=f"{base.key}/{made.occasion}",
                because=reason,
                rules=rules,
                taken=taken,
                happened_at=happened_at,
            )
    return facts


def _put_penalty(
    facts: CaseFacts, entry: PenaltyEntry, made: PenaltyFacts, *, at: dt.datetime
) -> CaseFacts:
    """Return the case with a penalty in place of lighter ones; the same case where it stands."""
    old = next((c for c in facts.penalties if c.identity == made.identity), None)
    if old is not None and old.status is not PenaltyStatus.lapsed:
        return facts
    for lighter in entry.replaces:
        facts = take_back(
            facts,
            lambda c, k=lighter: k in (c.rule, c.because.get("on")) and c.employee == made.employee,
            at=at,
            replaced_by=entry.key,
        )
    # A penalty that lapsed without ground is proposed again in the same row once it has one.
    penalties = tuple(made if c is old else c for c in facts.penalties)
    return replace(facts, penalties=penalties if old else (*penalties, made))


def _element_month(sanction: Any, months: tuple[dt.datetime, dt.datetime]) -> str:
    """Return the month ("2026-10") whose element of pay is taken: the event's or the decision's.

    `months` are (event, decision), both in the company's zone.
    """
    happened_at, decided_at = months
    return f"{(happened_at if sanction.month_of == 'event' else decided_at):%Y-%m}"


def _element_months(
    sanctions: Iterable[str], months: tuple[dt.datetime, dt.datetime], pack: Pack
) -> dict[str, Any]:
    found = {key: pack.find("sanction", key) for key in sanctions}
    taken = {
        key: _element_month(sanction, months) for key, sanction in found.items() if sanction.element
    }
    return {"elements": taken} if taken else {}


def _sanctions_left(
    facts: CaseFacts,
    entry: PenaltyEntry,
    who: str,
    *,
    months: tuple[dt.datetime, dt.datetime],
    taken: Collection[str],
    pack: Pack,
) -> tuple[str, ...]:
    """Return the sanctions of a rule without elements of pay already taken in that month."""
    left = []
    for key in entry.sanctions:
        sanction = pack.find("sanction", key)
        month = _element_month(sanction, months)
        here = any(
            c.employee == who and c.stands and c.because.get("elements", {}).get(key) == month
            for c in facts.penalties
        )
        if not sanction.element or not (here or f"{who}/{month}/{key}" in taken):
            left.append(key)
    return tuple(left)


def _replaced_by_graver(facts: CaseFacts, entry: PenaltyEntry, who: str, *, pack: Pack) -> bool:
    graver = pack.graver_penalties.get(entry.key)
    return graver is not None and any(
        c.rule in graver and c.employee == who and c.stands and c.sign is Sign.charge
        for c in facts.penalties
    )


def take_back_unfounded(facts: CaseFacts, *, pack: Pack, at: dt.datetime) -> CaseFacts:
    """Take back penalties found by a person, and surcharges, whose condition holds no longer."""
    fallen = {p.key for p in pack.penalties_by_hand if not holds(p.applies, facts)}
    if not fallen:
        return facts
    return take_back(facts, lambda c: fallen & {c.rule, c.because.get("on")}, at=at)


def take_back_earlier_finding(
    facts: CaseFacts, event: Event, *, pack: Pack, at: dt.datetime
) -> CaseFacts:
    """Take back the penalties of an earlier finding that the new one does not bring."""
    rules = {
        p.key: p.who == "concerned"
        for p in pack.penalties_by_event.get(event.type, ())
        if holds(p.applies, facts, event)
    }

    def fallen(c: PenaltyFacts) -> bool:
        if c.because.get("event") != event.type:
            return False
        base = c.because.get("on", c.rule)
        # A surcharge without a bearer of its own is borne by the bearer of its base.
        personal = base == c.rule or pack.find("penalty", c.rule).who is None
        return base not in rules or (rules[base] and personal and c.employee not in facts.concerned)

    return take_back(facts, fallen, at=at)


def take_back(facts: CaseFacts, chosen: Any, *, at: dt.datetime, **why: Any) -> CaseFacts:
    """Let chosen proposals lapse; propose reversals of those already confirmed."""
    penalties: list[PenaltyFacts] = []
    added: list[PenaltyFacts] = []
    reversed_already = {c.identity[:3] for c in facts.penalties if c.sign is Sign.reversal}
    for c in facts.penalties:
        if c.sign is Sign.charge and c.stands and chosen(c):
            if c.status is PenaltyStatus.proposed:
                because = {**c.because, **why}
                c = replace(c, status=PenaltyStatus.lapsed, because=because)
            elif c.identity[:3] not in reversed_already:
                added.append(_reversal(c, at, **why))
        penalties.append(c)
    return replace(facts, penalties=(*penalties, *added))


def _reversal(c: PenaltyFacts, at: dt.datetime, **why: Any) -> PenaltyFacts:
    return PenaltyFacts(
        rule=c.rule,
        employee=c.employee,
        occasion=c.occasion,
        amount=c.amount,
        at=at,
        because={"clause": c.because["clause"], "reverses": c.at.isoformat(), **why},
        sanctions=c.sanctions,
        sign=Sign.reversal,
    )


def is_appealed(c: PenaltyFacts, employee: str | None, at: dt.datetime) -> bool:
    """Whether an appeal made at an instant is about a penalty of the employee (None: of any).

    Once its appeal term has ended a penalty is paid and stays as paid.
    """
    mine = employee in (None, c.employee) and c.sign is Sign.charge and c.stands
    return mine and (c.counts_at is None or c.counts_at >= at)


def suspend(facts: CaseFacts, employee: str | None, *, at: dt.datetime) -> CaseFacts:
    """Count no penalty that an open appeal is about into a wage month."""

    def waiting(c: PenaltyFacts) -> PenaltyFacts:
        return replace(c, counts_at=None) if c.counts_at and is_appealed(c, employee, at) else c

    return replace(facts, penalties=tuple(waiting(c) for c in facts.penalties))


def resume(facts: CaseFacts, employee: str | None, *, at: dt.datetime) -> CaseFacts:
    """Count the notified penalties of a refused appeal from the ruling on."""

    def counting(c: PenaltyFacts) -> PenaltyFacts:
        told = c.status is PenaltyStatus.notified and c.counts_at is None
        mine = employee in (None, c.employee) and c.sign is Sign.charge
        return replace(c, counts_at=at) if told and mine else c

    return replace(facts, penalties=tuple(counting(c) for c in facts.penalties))


def void_appealed(
    facts: CaseFacts,
    employee: str | None,
    *,
    appealed_at: dt.datetime,
    at: dt.datetime,
    because: str,
) -> CaseFacts:
    """Let the proposals of a won appeal lapse, and propose reversals of what was confirmed."""
    facts = resume(facts, employee, at=at)
    return take_back(facts, lambda c: is_appealed(c, employee, appealed_at), at=at, reason=because)


STEPS = {
    "penalty_confirmed": (PenaltyStatus.proposed, PenaltyStatus.confirmed),
    "penalty_waived": (PenaltyStatus.proposed, PenaltyStatus.waived),
    "penalty_notified": (PenaltyStatus.confirmed, PenaltyStatus.notified),
    "penalty_reversed": (PenaltyStatus.notified, PenaltyStatus.notified),
}


def apply_step(facts: CaseFacts, event: Any, *, pack: Pack, calendar: WorkCalendar) -> CaseFacts:
    """Confirm, waive, notify or reverse one penalty. Raises NotFound, StatusForbids."""
    identity = (event.rule, event.employee, event.occasion, event.sign)
    found = next((c for c in facts.penalties if c.identity == identity), None)
    if found is None:
        raise NotFound(what="penalty", key=event.rule)
    if event.type == "penalty_reversed":
        return _propose_reversal(facts, found, event)
    wanted, then = STEPS[event.type]
    if found.status is not wanted:
        raise StatusForbids(deed=event.type, status=found.status)
    moved = _with_step_time(replace(found, status=then), event, pack, calendar=calendar)
    facts = replace(facts, penalties=tuple(moved if c is found else c for c in facts.penalties))
    return _after_waiving(facts, found, at=event.at) if then is PenaltyStatus.waived else facts


def _after_waiving(facts: CaseFacts, waived: PenaltyFacts, *, at: dt.datetime) -> CaseFacts:
    """Take back a waived penalty's surcharges and restore the lighter one it had replaced."""
    occasion = f"{waived.rule}/{waived.occasion}"
    facts = take_back(
        facts, lambda c: (c.occasion, c.employee) == (occasion, waived.employee), at=at
    )
    return _restore_lighter(facts, waived)


def _restore_lighter(facts: CaseFacts, waived: PenaltyFacts) -> CaseFacts:
    """Propose again the lighter penalty that a waived one had replaced."""

    def again(c: PenaltyFacts) -> PenaltyFacts:
        gave_way = c.because.get("replaced_by") == waived.rule and c.employee == waived.employee
        if not (gave_way and c.status is PenaltyStatus.lapsed):
            return c
        because = {k: v for k, v in c.because.items() if k != "replaced_by"}
        return replace(c, status=PenaltyStatus.proposed, because=because)

    return replace(facts, penalties=tuple(again(c) for c in facts.penalties))


def _with_step_time(
    c: PenaltyFacts, event: Any, pack: Pack, *, calendar: WorkCalendar
) -> PenaltyFacts:
    if event.type == "penalty_confirmed":
        return replace(c, confirmed_at=event.at)
    if isinstance(event, PenaltyNotified):
        ends = pack.policy.appeal_term.end(event.at, calendar).at
        return replace(c, notified_at=event.at, counts_at=ends)
    return c


def _propose_reversal(facts: CaseFacts, found: PenaltyFacts, event: Any) -> CaseFacts:
    settled = (PenaltyStatus.confirmed, PenaltyStatus.notified)
    if found.sign is not Sign.charge or found.status not in settled:
        raise StatusForbids(deed=event.type, status=found.status)
    if any(c.identity == (*found.identity[:3], Sign.reversal) for c in facts.penalties):
        raise StatusForbids(deed=event.type, status=found.status)
    made = _reversal(found, event.at, reason=event.reason)
    return replace(facts, penalties=(*facts.penalties, made))


def wage_month(day: dt.date, pack: Pack) -> str:
    """Return the wage month ("2026-10") of a day; after the cut-off day it is the next month."""
    last_of_month = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(1)
    cut_off = min(pack.policy.wage_month_ends_on, last_of_month.day)
    counted = day if day.day <= cut_off else last_of_month + dt.timedelta(days=1)
    return f"{counted:%Y-%m}"
