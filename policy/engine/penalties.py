"""Penalties and rewards, each with its reason: added, replaced, taken back, given back.

A penalty is a proposal until a person confirms it. One rule gives one employee one penalty per
occasion; a graver ground replaces the lighter one; a surcharge follows what it adds to.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from policy.engine.conditions import holds
from policy.engine.rules import Rules
from policy.pack.money import PenaltyEntry, RewardEntry
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.events import Event
from policy.vocabulary.facts import CaseFacts, PenaltyFacts, replace
from policy.vocabulary.status import PenaltyStatus, Sign


@dataclass(frozen=True, slots=True)
class Ground:
    """What a penalty is added for: its occasion, its reason, and what is known of it.

    `amount` is one that a person decided. `taken` are elements of pay that other cases took,
    `superiors` the heads of the departments of employees, `happened_at` when the deed was. `anew`:
    a penalty that was waived or given back on that occasion does not stand for it any more.
    """

    occasion: str
    because: Mapping[str, Any]
    amount: Decimal | None = None
    taken: Collection[str] = ()
    superiors: Mapping[str, str] = field(default_factory=dict)
    happened_at: dt.datetime | None = None
    anew: bool = False


def for_event(facts: CaseFacts, before: CaseFacts, event: Event, *, rules: Rules) -> CaseFacts:
    """Add the penalties an event brings by itself, to who was responsible before it."""
    for entry in rules.pack.penalties_by_event.get(event.type, ()):
        if not holds(entry.applies, before, event):
            continue
        because = {"event": event.type, "round": before.round}
        ground = Ground(occasion_of(entry, before.round, event), because)
        for who in bearers(entry, before if entry.who != "concerned" else facts):
            if entry.from_count is None:
                facts = add_penalty(facts, entry, who, ground=ground, rules=rules)
            else:
                facts = for_count(facts, entry, who, event=event, because=because, rules=rules)
    return facts


def for_count(
    facts: CaseFacts,
    entry: PenaltyEntry,
    who: str | None,
    *,
    event: Any,
    because: dict[str, Any],
    rules: Rules,
) -> CaseFacts:
    """Add the penalty of a certain complaint of the year; take back that of another place."""
    reason = _count_of_year(entry, who, event, facts=facts, pack=rules.pack)
    occasion = f"count/{reason['count']}" if reason else ""
    anew = rules.pack.policy.judges(Judging.of_its_kinds)
    if anew:

        def elsewhere(c: PenaltyFacts) -> bool:
            mine = (c.rule, c.employee) == (entry.key, who) and "count" in c.because
            return mine and f"count/{c.because['count']}" != occasion

        facts = take_back(facts, elsewhere, pack=rules.pack, at=rules.now)
    if not reason:
        return facts
    ground = Ground(occasion, because | reason, anew=anew and given_back(facts, entry.key, who))
    return add_penalty(facts, entry, who, ground=ground, rules=rules)


def given_back(facts: CaseFacts, rule: str, who: str | None) -> bool:
    """Whether a decided reversal of a penalty of a rule stands for an employee."""
    decided = (PenaltyStatus.confirmed, PenaltyStatus.notified)
    return any(
        c.sign is Sign.reversal and (c.rule, c.employee) == (rule, who) and c.status in decided
        for c in facts.penalties
    )


def _count_of_year(
    entry: PenaltyEntry, who: str | None, event: Any, *, facts: CaseFacts, pack: Pack
) -> dict[str, Any] | None:
    """Return the count of verified complaints as a reason, or None where it costs nothing."""
    assert entry.from_count is not None
    assert facts.received_at is not None
    if pack.policy.judges(Judging.of_its_kinds) and facts.kind not in kinds_counted(entry, pack):
        return None
    earlier = getattr(event, "earlier_by_rule", {}).get(entry.key, getattr(event, "earlier", {}))
    count = int(earlier.get(who, 0)) + 1
    if not entry.from_count <= count <= (entry.until_count or count):
        return None
    return {"count": count, "received_at": facts.received_at.isoformat()}


def kinds_counted(entry: PenaltyEntry, pack: Pack) -> frozenset[str]:
    """Return the kinds of cases that a yearly count counts.

    They are those it names, or those its own condition asks for, or all (SAL-12.10 counts
    complaints).
    """
    if entry.counts_kinds:
        return frozenset(entry.counts_kinds)
    about_kind = [row for row in entry.applies if row.field == "kind"]
    keys = (kind.key for kind in pack.kind)
    return frozenset(key for key in keys if all(row.holds(key) for row in about_kind))


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


def occasion_of(entry: PenaltyEntry | RewardEntry, round: int, event: Event) -> str:
    """Return what one occasion of a rule is: a complaint, a round, or the instant of the event."""
    match entry.per:
        case "order" | "complaint":
            return str(entry.per)
        case "round":
            return f"round/{round}"
        case _:
            return f"{event.type}/{event.at.isoformat()}"


def add_penalty(
    facts: CaseFacts, entry: PenaltyEntry, who: str | None, *, ground: Ground, rules: Rules
) -> CaseFacts:
    """Add a penalty and its surcharges, once; a graver one that stands keeps it out.

    Where what hangs on a ground follows it, `grounds.follow` says afterwards whether it stands.
    """
    follows = rules.pack.policy.judges(Judging.stands_or_falls)
    outweighed = not follows and _replaced_by_graver(facts, entry, who or "", pack=rules.pack)
    if who is None or outweighed:
        return facts
    if follows:
        wanted = _wanted(entry, who, ground=ground, rules=rules)
        made = _in_its_row(facts, wanted, ground)
    else:
        made = _made(facts, entry, who, ground=ground, rules=rules)
    if made is None:
        return facts
    put = _put(facts, made) if follows else _put_penalty(facts, entry, made, rules=rules)
    if put is facts:
        return facts
    return _add_surcharges(put, entry, made, ground=ground, rules=rules)


def _made(
    facts: CaseFacts, entry: PenaltyEntry, who: str, *, ground: Ground, rules: Rules
) -> PenaltyFacts | None:
    """Return a penalty without what was taken already; None where nothing is left of it."""
    months = _months(ground, rules)
    left = _sanctions_left(facts, entry, who, months=months, taken=ground.taken, pack=rules.pack)
    because = {**ground.because, **_element_months(left, months, rules.pack)}
    made = _penalty(entry, who, ground=ground, because=because, at=rules.now)
    return replace(made, sanctions=left) if left or made.amount or not entry.sanctions else None


def _wanted(entry: PenaltyEntry, who: str, *, ground: Ground, rules: Rules) -> PenaltyFacts:
    """Return a penalty whose elements of pay wait until they are found free.

    `waits` are the elements with their months, `others` those that other cases took.
    """
    waits = _element_months(entry.sanctions, _months(ground, rules), rules.pack).get("elements", {})
    others = [key for key, month in waits.items() if f"{who}/{month}/{key}" in ground.taken]
    because = {**ground.because} | ({"waits": waits} if waits else {})
    because |= {"others": others} if others else {}
    made = _penalty(entry, who, ground=ground, because=because, at=rules.now)
    return replace(made, sanctions=tuple(key for key in entry.sanctions if key not in waits))


def _months(ground: Ground, rules: Rules) -> tuple[dt.datetime, dt.datetime]:
    return (rules.calendar.local(ground.happened_at or rules.now), rules.calendar.local(rules.now))


def _penalty(
    entry: PenaltyEntry, who: str, *, ground: Ground, because: Mapping[str, Any], at: dt.datetime
) -> PenaltyFacts:
    return PenaltyFacts(
        rule=entry.key,
        employee=who,
        occasion=ground.occasion,
        amount=ground.amount if ground.amount is not None else (entry.amount or Decimal(0)),
        at=at,
        because={"clause": entry.cite, **because},
    )


def _add_surcharges(
    facts: CaseFacts, base: PenaltyEntry, made: PenaltyFacts, *, ground: Ground, rules: Rules
) -> CaseFacts:
    """Add the surcharges of a penalty, borne by its bearer unless they name another.

    The head of a department answers in person for an employee of it (SAL-12.3b).
    """
    reason: dict[str, Any] = {"on": base.key, **ground.because}
    if rules.pack.policy.judges(Judging.stands_or_falls):
        reason["bases"] = [list(made.identity[:3])]
    for surcharge in rules.pack.surcharges.get(base.key, ()):
        payers = _payers(surcharge, made, facts, superiors=ground.superiors)
        once = surcharge.per == "complaint"
        occasion = "complaint" if once else f"{base.key}/{made.occasion}"
        added = dataclasses.replace(ground, occasion=occasion, because=reason, amount=None)
        for payer in payers if holds(surcharge.applies, facts) else ():
            facts = add_penalty(facts, surcharge, payer, ground=added, rules=rules)
    return facts


def _payers(
    surcharge: PenaltyEntry,
    made: PenaltyFacts,
    facts: CaseFacts,
    *,
    superiors: Mapping[str, str],
) -> list[str | None]:
    """Return who pays a surcharge of a penalty; nobody for a head who is not known."""
    if surcharge.who == "superior":
        return [superiors.get(made.employee)]
    return bearers(surcharge, facts) if surcharge.who else [made.employee]


def add_surcharges_due(facts: CaseFacts, rules: Rules) -> CaseFacts:
    """Add what is owed on top of penalties that stand, since its condition came true later.

    The number of a factory order written a day after the fine makes it one of the factory
    (SKD-4.1.2). A base counts once, so what was waived or given back does not come again.
    """
    for c in facts.penalties:
        entry = rules.pack.find("penalty", c.rule)
        if not (holds_up(facts, c) and entry and "bases" not in c.because):
            continue
        if any(_is_due(one, c, facts) for one in rules.pack.surcharges.get(c.rule, ())):
            because = without(c.because, *_OWN_REASONS)
            ground = Ground(c.occasion, because, happened_at=_happened_at(c, rules))
            facts = _add_surcharges(facts, entry, c, ground=ground, rules=rules)
    return facts


def _is_due(surcharge: PenaltyEntry, base: PenaltyFacts, facts: CaseFacts) -> bool:
    """Whether a surcharge holds whose payer never bore it on a penalty."""
    mine = list(base.identity[:3])
    payers = _payers(surcharge, base, facts, superiors={})
    known = {
        c.employee
        for c in facts.penalties
        if c.rule == surcharge.key and mine in [list(one) for one in c.because.get("bases", ())]
        if c.status is not PenaltyStatus.lapsed or FELL in c.because or was_ruled(c)
    }
    owed = any(who and who not in known for who in payers)
    return owed and holds(surcharge.applies, facts)


_OWN_REASONS = ("clause", "waits", "elements", "others", "found_by", "confirmed_by")
"""The parts of a penalty's reason that are its own and none of its ground."""


def _happened_at(c: PenaltyFacts, rules: Rules) -> dt.datetime | None:
    """Return the beginning of the day that was named for a penalty, or None."""
    day = c.because.get("happened_on")
    return rules.calendar.instant(dt.date.fromisoformat(day), dt.time()) if day else None


def _put_penalty(
    facts: CaseFacts, entry: PenaltyEntry, made: PenaltyFacts, *, rules: Rules
) -> CaseFacts:
    """Return the case with a penalty in place of lighter ones; the same case where it stands."""
    old = next((c for c in facts.penalties if c.identity == made.identity), None)
    if old is not None and old.status is not PenaltyStatus.lapsed:
        return facts
    for lighter in entry.replaces:
        facts = take_back(
            facts,
            lambda c, k=lighter: k in (c.rule, c.because.get("on")) and c.employee == made.employee,
            pack=rules.pack,
            at=rules.now,
            replaced_by=entry.key,
        )
    # A penalty that lapsed without ground is proposed again in the same row once it has one.
    penalties = tuple(made if c is old else c for c in facts.penalties)
    return replace(facts, penalties=penalties if old else (*penalties, made))


def _in_its_row(facts: CaseFacts, made: PenaltyFacts, ground: Ground) -> PenaltyFacts | None:
    """Return the penalty with the occasion of the row it comes to; None where it stands already.

    One that lapsed comes again in its row. What a person waived or gave back stays as decided, and
    a new finding has a row of its own; what a jury decided binds.
    """
    old = next((c for c in facts.penalties if c.identity == made.identity), None)
    if old is None:
        return made
    if bases := old.because.get("bases"):
        more = [one for one in made.because["bases"] if one not in bases]
        made = replace(made, because={**made.because, "bases": [*bases, *more]})
    if old.status is PenaltyStatus.lapsed and not was_ruled(old):
        return made
    found_anew = ground.anew or ground.because.get("event") == "judged"
    if found_anew and not holds_up(facts, old):
        taken = {c.occasion for c in facts.penalties}
        free = (f"{made.occasion}/{n}" for n in itertools.count(2))
        return replace(made, occasion=next(name for name in free if name not in taken))
    if bases and made.because["bases"] != bases:
        return replace(old, because={**old.because, "bases": made.because["bases"]})
    return None


def _put(facts: CaseFacts, made: PenaltyFacts) -> CaseFacts:
    """Return the case with a penalty in the row of its identity, or in a new one."""
    old = next((c for c in facts.penalties if c.identity == made.identity), None)
    if old is None:
        return replace(facts, penalties=(*facts.penalties, made))
    return replace_penalty(facts, old, made)


def replace_penalty(facts: CaseFacts, old: PenaltyFacts, new: PenaltyFacts) -> CaseFacts:
    """Return the case with one penalty in place of another."""
    return replace(facts, penalties=tuple(new if c is old else c for c in facts.penalties))


def was_ruled(c: PenaltyFacts) -> bool:
    """Whether a jury freed the employee of the penalty."""
    return c.because.get("reason") == APPEAL_WON and c.status is PenaltyStatus.lapsed


def reversal_of(facts: CaseFacts, c: PenaltyFacts) -> PenaltyFacts | None:
    """Return the reversal of a charge that stands, or None."""
    wanted = (*c.identity[:3], Sign.reversal)
    return next((r for r in facts.penalties if r.identity == wanted and r.stands), None)


def holds_up(facts: CaseFacts, c: PenaltyFacts) -> bool:
    """Whether a charge stands and is not being given back."""
    return c.sign is Sign.charge and c.stands and reversal_of(facts, c) is None


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


APPEAL_WON = "appeal_won"
"""The reason of a penalty that a jury took away."""


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
    own = {p.key: p for p in pack.penalties_by_hand if p.own_form}
    asked = (p for p in pack.penalties_by_hand if not p.own_form)
    fallen = {p.key for p in asked if not holds(p.applies, facts)}
    alone = pack.policy.judges(Judging.named_alone)
    personal = {p.key for p in pack.penalties_by_hand if alone and p.who == "concerned"}
    if not fallen and not personal and not own:
        return facts

    def unfounded(c: PenaltyFacts) -> bool:
        freed = c.rule in personal and c.employee not in facts.concerned
        paper = c.rule in own and not holds_for(own[c.rule], facts, c.employee)
        return _has_own(c) and bool(freed or paper or fallen & _rules_of(c))

    return take_back(facts, unfounded, pack=pack, at=at)


def holds_for(entry: PenaltyEntry, facts: CaseFacts, who: str) -> bool:
    """Whether the conditions of a ground hold for an employee, by their own paper (SAL-12.1)."""
    return holds(entry.applies, of_own_form(entry, facts, who))


def may_be_found(entry: PenaltyEntry, facts: CaseFacts) -> bool:
    """Whether the conditions of a ground hold for anybody."""
    if not entry.own_form:
        return holds(entry.applies, facts)
    return any(holds_for(entry, facts, who) for who in _people_of_forms(entry, facts))


def of_own_form(entry: PenaltyEntry, facts: CaseFacts, who: str) -> CaseFacts:
    """Return the case as if only the employee's own fillings of the ground's form were there."""
    if not entry.own_form:
        return facts
    _, form, field = entry.own_form.split(".")
    kept = (
        one
        for one in facts.entries
        if (one.section, one.key) != ("form", form) or one.data.get(field) == who
    )
    return replace(facts, entries=tuple(kept))


def _people_of_forms(entry: PenaltyEntry, facts: CaseFacts) -> set[str]:
    """Return who is named in the fillings of the form that a ground asks for."""
    _, form, field = str(entry.own_form).split(".")
    of_form = (one for one in facts.entries if (one.section, one.key) == ("form", form))
    return {str(one.data[field]) for one in of_form if one.data.get(field)}


def _rules_of(c: PenaltyFacts) -> set[str]:
    """Return the keys of its rule and of the one it was added to."""
    return {c.rule, c.because.get("on", c.rule)}


def _has_own(c: PenaltyFacts) -> bool:
    """Whether its ground is taken back on its own; what follows a base goes with that."""
    return "bases" not in c.because


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
        if c.because.get("event") != event.type or not _has_own(c):
            return False
        base = c.because.get("on", c.rule)
        # A surcharge without a bearer of its own is borne by the bearer of its base.
        personal = base == c.rule or pack.find("penalty", c.rule).who is None
        return base not in rules or (rules[base] and personal and c.employee not in facts.concerned)

    return take_back(facts, fallen, pack=pack, at=at)


def take_back(
    facts: CaseFacts, chosen: Any, *, pack: Pack, at: dt.datetime, **why: Any
) -> CaseFacts:
    """Let chosen proposals lapse; propose reversals of those already confirmed.

    A penalty that gave way to another one, and whose own ground is gone now, comes no more.
    """
    again = pack.policy.judges(Judging.stands_or_falls)
    for c in facts.penalties:
        if c.sign is not Sign.charge or not (c.stands or FELL in c.because) or not chosen(c):
            continue
        if c.status is PenaltyStatus.proposed:
            lapsed = replace(c, status=PenaltyStatus.lapsed, because={**c.because, **why})
            facts = replace_penalty(facts, c, lapsed)
        elif c.status is PenaltyStatus.lapsed:
            facts = replace_penalty(facts, c, replace(c, because=without(c.because, FELL)))
        else:
            facts = propose_reversal(facts, c, at=at, again=again, **why)
    return facts


FELL = "fell"
"""The key of a reason that says why a penalty does not stand for now, though its ground does."""


def without(because: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return a reason without some of its parts."""
    return {key: value for key, value in because.items() if key not in keys}


def propose_reversal(
    facts: CaseFacts, c: PenaltyFacts, *, at: dt.datetime, again: bool, **why: Any
) -> CaseFacts:
    """Return the case with a reversal of a charge proposed; `again`: also after one was waived."""
    wanted = (*c.identity[:3], Sign.reversal)
    old = next((r for r in facts.penalties if r.identity == wanted), None)
    if old is None:
        return replace(facts, penalties=(*facts.penalties, reversal(c, at, **why)))
    if again and not old.stands:
        return replace_penalty(facts, old, reversal(c, at, **why))
    return facts


def reversal(c: PenaltyFacts, at: dt.datetime, **why: Any) -> PenaltyFacts:
    """Return the penalty that gives back a charge."""
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


def wage_month(day: dt.date, pack: Pack) -> str:
    """Return the wage month ("2026-10") of a day; after the cut-off day it is the next month."""
    last_of_month = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(1)
    cut_off = min(pack.policy.wage_month_ends_on, last_of_month.day)
    counted = day if day.day <= cut_off else last_of_month + dt.timedelta(days=1)
    return f"{counted:%Y-%m}"
