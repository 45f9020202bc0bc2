"""Penalties and rewards for grounds that a person found, each against whom it is about."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from policy.engine.conditions import first_failing
from policy.engine.penalties import (
    Ground,
    add_penalty,
    bearers,
    holds_for,
    holds_up,
    occasion_of,
    of_own_form,
    was_ruled,
)
from policy.engine.rules import Rules
from policy.pack.money import PenaltyEntry, RewardEntry
from policy.pack.schema import Pack
from policy.pack.shapes import Condition
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    AlreadyFound,
    ChoiceUnknown,
    FieldMissing,
    GateClosed,
    GroundExcluded,
    GroundNotForPost,
    NotFound,
    NotTheBearer,
    PersonUnknown,
    RulingFinal,
    TimeInFuture,
)
from policy.vocabulary.events import Judged
from policy.vocabulary.facts import CaseFacts, PenaltyFacts, replace
from policy.vocabulary.status import Sign

Entry = PenaltyEntry | RewardEntry
FEN = Decimal("0.01")


def for_judgement(facts: CaseFacts, event: Judged, rules: Rules) -> CaseFacts:
    """Add the penalty or reward for a ground a person found.

    Raises NotFound, GateClosed where the ground's condition fails, FieldMissing for an employee or
    amount the ground leaves to the person, and refusals of whom it cannot fall on.
    """
    pack = rules.pack
    entry: Entry | None = pack.find("reward", event.ground) or pack.find("penalty", event.ground)
    if entry is None or (isinstance(entry, PenaltyEntry) and not entry.by_hand):
        raise NotFound(what="penalty", key=event.ground)
    _check_ground(entry, facts, event, rows=_common_rows(entry))
    ground = _ground(entry, facts, event, rules=rules)
    people = _people_judged(entry, facts, event, rules=rules)
    for who in people:
        _check_bearer(entry, facts, who, event=event, rules=rules)
    shares = _shares(_decided_amount(entry, event), entry, len(people), rules=rules)
    for who, amount in zip(people, shares, strict=True):
        one = dataclasses.replace(ground, amount=amount)
        if isinstance(entry, RewardEntry):
            found = _add_reward(facts, entry, who, ground=one, at=rules.now)
        else:
            found = add_penalty(facts, entry, who, ground=one, rules=rules)
        if found is facts and rules.pack.policy.judges(Judging.named_alone):
            raise AlreadyFound(ground=entry.label, employee=who, cite=entry.cite)
        facts = found
    return facts


def _common_rows(entry: Entry) -> Condition:
    """Return the conditions of a ground that do not ask for the bearer's own paper."""
    own = getattr(entry, "own_form", None)
    if own is None:
        return entry.applies
    form = f".{own.rpartition('.')[0]}."
    return tuple(row for row in entry.applies if form not in f".{row.field}.")


def _check_ground(entry: Entry, facts: CaseFacts, event: Judged, *, rows: Condition) -> None:
    if row := first_failing(rows, facts, event):
        raise GateClosed(
            deed=event.type, gate=entry.label, cite=entry.cite, field=row.field, wanted=row.value
        )


def _ground(entry: Entry, facts: CaseFacts, event: Judged, *, rules: Rules) -> Ground:
    """Return the finding as the ground of a penalty; `happened_on` is the day that was named."""
    because: dict[str, Any] = {"event": event.type, "finding": event.text}
    if event.happened_on is not None:
        because["happened_on"] = event.happened_on.isoformat()
    return Ground(
        occasion=occasion_of(entry, facts.round, event),
        because=because,
        taken=event.taken,
        superiors=dict(_pairs(event.superiors)),
        happened_at=_happened_at(event, rules),
    )


def _pairs(said: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Yield what stands before and after the stroke of each text."""
    for one in said:
        before, _, after = one.partition("/")
        yield before, after


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


# ---------------------------------------------------------------- whom it falls on


def _people_judged(entry: Entry, facts: CaseFacts, event: Judged, *, rules: Rules) -> list[str]:
    """Return the employees a finding is about.

    A person who is named is meant alone and has to have the part in the case that the ground names.
    Raises FieldMissing, ChoiceUnknown for too many, NotTheBearer, PersonUnknown for a head.
    """
    said = _distinct((event.employee, *event.together))
    if entry.who == "superior":
        return _heads_of(entry, said, event)
    alone = rules.pack.policy.judges(Judging.named_alone)
    if alone and said and entry.who != "named":
        in_part = _ever_in_part(entry, facts)
        for who in (who for who in said if who not in in_part):
            facts_of = {"ground": entry.label, "cite": entry.cite}
            raise NotTheBearer(field="employee", employee=who, **facts_of)
        found = said
    else:
        found = said if entry.who == "named" else _distinct(bearers(entry, facts))
    _check_number(entry, found, event, alone=alone)
    return found


def _distinct(people: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(who for who in people if who))


def _check_number(entry: Entry, found: list[str], event: Judged, *, alone: bool) -> None:
    """Refuse nobody, and several where the ground is one person's."""
    if not found:
        raise FieldMissing(field="employee")
    several = len(found) > 1 and not getattr(entry, "collective", None)
    if several and (entry.who == "named" or (alone and event.together)):
        raise ChoiceUnknown(field="together", value=", ".join(event.together))


def _heads_of(entry: Entry, said: list[str], event: Judged) -> list[str]:
    """Return the heads of the departments of the employees named (SAL-12.2)."""
    if not said:
        raise FieldMissing(field="employee")
    heads = dict(_pairs(event.superiors))
    if missing := next((who for who in said if not heads.get(who)), None):
        raise PersonUnknown(role=f"{entry.label} · {missing}", on=event.at.date())
    return _distinct(heads[who] for who in said)


def _ever_in_part(entry: Entry, facts: CaseFacts) -> set[str | None]:
    """Return who has, or in an earlier round had, the part in the case that a ground names."""
    match entry.who:
        case "responsible":
            return {assignment.responsible for assignment in facts.assignments} - {None}
        case "handler":
            return set(facts.handled_by())
        case _:
            return set(bearers(entry, facts))


def _check_bearer(entry: Entry, facts: CaseFacts, who: str, *, event: Judged, rules: Rules) -> None:
    """Refuse a ground that cannot fall on an employee: for their post, or for what stands.

    Raises GroundNotForPost, GateClosed for a paper of theirs, RulingFinal, GroundExcluded.
    """
    if not isinstance(entry, PenaltyEntry):
        return
    _check_posts(entry, who, event=event, rules=rules)
    _check_ground(entry, of_own_form(entry, facts, who), event, rows=entry.applies)
    said = {"ground": entry.label, "employee": who, "cite": entry.cite}
    if any(_is_freed(c, entry, who, facts=facts) for c in facts.penalties):
        raise RulingFinal(**said)
    alone = rules.pack.policy.judges(Judging.named_alone)
    if alone and any(_is_double(c, entry, who, at=rules.now) for c in facts.penalties):
        raise AlreadyFound(**said)
    other = _standing_against(entry, facts, who, event=event, rules=rules)
    if found := other.rule if other else _ground_on_paper(entry, facts, who, pack=rules.pack):
        raise GroundExcluded(other=rules.pack.label("penalty", found), **said)


def _check_posts(entry: PenaltyEntry, who: str, *, event: Judged, rules: Rules) -> None:
    held = {post for employee, post in _pairs(event.posts) if employee == who}
    fits = not entry.only_post or held & set(entry.only_post)
    if not fits or held & set(entry.not_post):
        wanted = [rules.pack.label("post", key) for key in entry.only_post]
        facts = {"ground": entry.label, "employee": who, "posts": wanted, "cite": entry.cite}
        raise GroundNotForPost(field="employee", **facts)


def _is_freed(c: PenaltyFacts, entry: PenaltyEntry, who: str, *, facts: CaseFacts) -> bool:
    """Whether a jury freed the employee of this ground in this round."""
    mine = (c.rule, c.employee) == (entry.key, who)
    return mine and was_ruled(c) and c.because.get("ruled_in") == facts.round


TWICE = dt.timedelta(minutes=1)
"""How soon after a finding the same finding is one entered twice."""


def _is_double(c: PenaltyFacts, entry: PenaltyEntry, who: str, *, at: dt.datetime) -> bool:
    """Whether a penalty stands that the same finding brought a moment ago.

    A clock behind another, or a finding with an earlier time, makes none of the same moment.
    """
    mine = (c.rule, c.employee, c.sign) == (entry.key, who, Sign.charge)
    return mine and c.stands and abs(at - c.at) < TWICE


def _standing_against(
    entry: PenaltyEntry, facts: CaseFacts, who: str, *, event: Judged, rules: Rules
) -> PenaltyFacts | None:
    """Return a penalty beside which the ground does not stand: a graver one, or one excluded."""
    pack = rules.pack
    excluded = pack.excluded_penalties.get(entry.key, frozenset())
    graver = pack.graver_penalties.get(entry.key, frozenset())
    graver = graver if pack.policy.judges(Judging.stands_or_falls) else frozenset()
    days = _ground(entry, facts, event, rules=rules).because.get("happened_on")
    for c in facts.penalties:
        if c.employee != who or not holds_up(facts, c):
            continue
        if c.rule in graver or (c.rule in excluded and _same_matter(entry, c, facts, day=days)):
            return c
    return None


def _ground_on_paper(entry: PenaltyEntry, facts: CaseFacts, who: str, *, pack: Pack) -> str | None:
    """Return an excluded ground that the employee's own paper bears out and nobody decided on yet.

    Whose admission is on file did not quarrel without regret, until that ground was found and
    waived or the paper is written anew (SAL-12.1, 12.3).
    """
    decided = {c.rule for c in facts.penalties if c.employee == who}
    for key in pack.excluded_penalties.get(entry.key, frozenset()) - decided:
        other = pack.find("penalty", key)
        if other.own_form and holds_for(other, facts, who):
            return str(key)
    return None


def _same_matter(
    entry: PenaltyEntry, c: PenaltyFacts, facts: CaseFacts, *, day: str | None
) -> bool:
    """Whether a finding is about the matter of a penalty: the same round, the same named day."""
    rounds = c.occasion.startswith("round/") and entry.per == "round"
    if rounds and c.occasion != f"round/{facts.round}":
        return False
    other = c.because.get("happened_on")
    return day is None or other is None or day == other


# ---------------------------------------------------------------- sums


def _decided_amount(entry: Entry, event: Judged) -> Decimal:
    if entry.by_decision and event.amount is None:
        raise FieldMissing(field="amount")
    if not entry.by_decision and event.amount is not None:
        raise ChoiceUnknown(field="amount", value=str(event.amount))
    return (event.amount if entry.by_decision else entry.amount) or Decimal(0)


def _shares(amount: Decimal, entry: Entry, people: int, *, rules: Rules) -> list[Decimal]:
    """Return what each of several bears: the full amount, or shares that make it to the fen."""
    if people < 2 or getattr(entry, "collective", None) != "shared":
        return [amount] * people
    if not rules.pack.policy.judges(Judging.named_alone):
        return [(amount / people).quantize(FEN)] * people
    return shares_of(amount, people)


def shares_of(amount: Decimal, people: int) -> list[Decimal]:
    """Return a sum in equal shares of whole fen; the last ones bear the fen that are left."""
    least = (amount / people).quantize(FEN, rounding=ROUND_FLOOR)
    left = int((amount - least * people) / FEN)
    return [least] * (people - left) + [least + FEN] * left


def _add_reward(
    facts: CaseFacts, entry: RewardEntry, who: str, *, ground: Ground, at: dt.datetime
) -> CaseFacts:
    made = PenaltyFacts(
        rule=entry.key,
        employee=who,
        occasion=ground.occasion,
        amount=ground.amount or Decimal(0),
        at=at,
        because={"clause": entry.cite, **ground.because},
        sign=Sign.reward,
    )
    if any(c.identity == made.identity for c in facts.penalties):
        return facts
    return replace(facts, penalties=(*facts.penalties, made))
