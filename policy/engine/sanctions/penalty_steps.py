"""What persons and juries decide about penalties: confirmed, waived, told, given back, appealed.

A penalty counts into a wage month once it was told and its appeal term has ended; an open appeal
keeps it out, and a ruling that frees the employee takes it out for good (SKD-4.1.3).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from policy.engine.penalties import (
    APPEAL_WON,
    FELL,
    holds_up,
    propose_reversal,
    replace_penalty,
    take_back,
    without,
)
from policy.engine.rules import Rules
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import FollowsGround, NotFound, StatusForbids
from policy.vocabulary.events import PenaltyNotified
from policy.vocabulary.facts import CaseFacts, PenaltyFacts, replace
from policy.vocabulary.status import PenaltyStatus, Sign
from policy.vocabulary.worktime import WorkCalendar

# ---------------------------------------------------------------- appeals


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


def resume(
    facts: CaseFacts,
    employee: str | None,
    *,
    at: dt.datetime,
    rules: Rules,
    since: dt.datetime | None = None,
) -> CaseFacts:
    """Count the notified penalties of a refused appeal from the ruling on.

    One that was told after the appeal was made, at `since`, keeps its own term to appeal.
    """
    keeps_term = since is not None and rules.pack.policy.judges(Judging.stands_or_falls)

    def counting(c: PenaltyFacts) -> PenaltyFacts:
        told = c.status is PenaltyStatus.notified and c.counts_at is None
        mine = employee in (None, c.employee) and c.sign is Sign.charge
        if not (told and mine):
            return c
        assert c.notified_at is not None
        later = keeps_term and since is not None and c.notified_at > since
        ends = term_end(c, rules.pack, rules.calendar)
        return replace(c, counts_at=max(at, ends) if later else at)

    return replace(facts, penalties=tuple(counting(c) for c in facts.penalties))


def term_end(c: PenaltyFacts, pack: Pack, calendar: WorkCalendar) -> dt.datetime:
    """Return when the appeal term of a notified penalty ends."""
    assert c.notified_at is not None
    return pack.policy.appeal_term.end(c.notified_at, calendar).at


def void_appealed(
    facts: CaseFacts,
    employee: str | None,
    *,
    appealed_at: dt.datetime,
    at: dt.datetime,
    rules: Rules,
) -> CaseFacts:
    """Take away the penalties of a won appeal, for good.

    In the first edition, reversals of what was confirmed are proposed instead.
    """
    final = rules.pack.policy.judges(Judging.stands_or_falls)
    if not final:
        facts = resume(facts, employee, at=at, rules=rules)
        return take_back(
            facts,
            lambda c: is_appealed(c, employee, appealed_at),
            pack=rules.pack,
            at=at,
            reason=APPEAL_WON,
        )

    def freed(c: PenaltyFacts) -> PenaltyFacts:
        return ruled_away(c, facts.round) if is_appealed(c, employee, appealed_at) else c

    return replace(facts, penalties=tuple(freed(c) for c in facts.penalties))


def ruled_away(c: PenaltyFacts, round: int) -> PenaltyFacts:
    """Return the charge as a jury took it away: in no wage month, and for good."""
    because = {**without(c.because, FELL), "reason": APPEAL_WON, "ruled_in": round}
    return replace(c, status=PenaltyStatus.lapsed, counts_at=None, because=because)


def give_back_at_once(facts: CaseFacts, before: CaseFacts, *, at: dt.datetime) -> CaseFacts:
    """Settle the reversals that a ruling brought: nobody confirms or waives what a jury decided."""
    known = {id(c) for c in before.penalties}

    def settled(c: PenaltyFacts) -> PenaltyFacts:
        if id(c) in known or c.sign is not Sign.reversal or c.status is not PenaltyStatus.proposed:
            return c
        because = {**c.because, "reason": APPEAL_WON}
        done = {"confirmed_at": at, "notified_at": at, "counts_at": at}
        return replace(c, status=PenaltyStatus.notified, because=because, **done)

    return replace(facts, penalties=tuple(settled(c) for c in facts.penalties))


def under_appeal(facts: CaseFacts, employee: str, pack: Pack) -> bool:
    """Whether an appeal of an employee, or of their department, waits for its ruling."""
    for entry in pack.vote:
        last = facts.last_entry("appeal", entry.key)
        if last is None or last.data["employee"] not in (None, employee):
            continue
        if facts.times_entered("appeal", entry.key) > facts.times_entered("ruling", entry.key):
            return True
    return False


# ---------------------------------------------------------------- steps of one penalty

STEPS = {
    "penalty_confirmed": (PenaltyStatus.proposed, PenaltyStatus.confirmed),
    "penalty_waived": (PenaltyStatus.proposed, PenaltyStatus.waived),
    "penalty_notified": (PenaltyStatus.confirmed, PenaltyStatus.notified),
    "penalty_reversed": (PenaltyStatus.notified, PenaltyStatus.notified),
}


def apply_step(facts: CaseFacts, event: Any, *, pack: Pack, calendar: WorkCalendar) -> CaseFacts:
    """Confirm, waive, notify or reverse one penalty. Raises NotFound, StatusForbids.

    Raises FollowsGround for a reversal that comes with that of another penalty.
    """
    identity = (event.rule, event.employee, event.occasion, event.sign)
    found = next((c for c in facts.penalties if c.identity == identity), None)
    if found is None:
        raise NotFound(what="penalty", key=event.rule)
    if event.type == "penalty_reversed":
        return _reversed(facts, found, event, pack=pack)
    wanted, then = STEPS[event.type]
    if found.status is not wanted:
        raise StatusForbids(deed=event.type, status=found.status)
    waives = then is PenaltyStatus.waived
    if waives and found.sign is Sign.reversal and FELL in found.because:
        _refuse_to_keep(facts, found, pack)
    moved = _with_step_time(facts, replace(found, status=then), event, pack=pack, calendar=calendar)
    facts = replace_penalty(facts, found, moved)
    if not waives or pack.policy.judges(Judging.stands_or_falls):
        return facts
    return _after_waiving(facts, found, pack=pack, at=event.at)


def _refuse_to_keep(facts: CaseFacts, found: PenaltyFacts, pack: Pack) -> None:
    """Refuse to keep what hangs on a ground that is given back."""
    charge = next(c for c in facts.penalties if c.identity == (*found.identity[:3], Sign.charge))
    on = charge.because.get("on") or found.because.get("replaced_by") or charge.rule
    entry = pack.find("penalty", on)
    raise FollowsGround(ground=entry.label, cite=entry.cite)


def _after_waiving(
    facts: CaseFacts, waived: PenaltyFacts, *, pack: Pack, at: dt.datetime
) -> CaseFacts:
    """Take back a waived penalty's surcharges and restore the lighter one it had replaced."""
    occasion = f"{waived.rule}/{waived.occasion}"
    facts = take_back(
        facts, lambda c: (c.occasion, c.employee) == (occasion, waived.employee), pack=pack, at=at
    )
    return _restore_lighter(facts, waived)


def _restore_lighter(facts: CaseFacts, waived: PenaltyFacts) -> CaseFacts:
    """Propose again the lighter penalty that a waived one had replaced."""

    def again(c: PenaltyFacts) -> PenaltyFacts:
        gave_way = c.because.get("replaced_by") == waived.rule and c.employee == waived.employee
        if not (gave_way and c.status is PenaltyStatus.lapsed):
            return c
        because = without(c.because, "replaced_by")
        return replace(c, status=PenaltyStatus.proposed, because=because)

    return replace(facts, penalties=tuple(again(c) for c in facts.penalties))


def _with_step_time(
    facts: CaseFacts, c: PenaltyFacts, event: Any, *, pack: Pack, calendar: WorkCalendar
) -> PenaltyFacts:
    if event.type == "penalty_confirmed":
        return replace(c, confirmed_at=event.at)
    if isinstance(event, PenaltyNotified):
        told = replace(c, notified_at=event.at)
        waits = pack.policy.judges(Judging.stands_or_falls) and c.sign is Sign.charge
        if waits and under_appeal(facts, c.employee, pack):
            return told
        return replace(told, counts_at=term_end(told, pack, calendar))
    return c


def _reversed(facts: CaseFacts, found: PenaltyFacts, event: Any, *, pack: Pack) -> CaseFacts:
    """Propose the reversal a person asks for, of a charge that is settled and not given back."""
    settled = (PenaltyStatus.confirmed, PenaltyStatus.notified)
    if found.sign is not Sign.charge or found.status not in settled:
        raise StatusForbids(deed=event.type, status=found.status)
    again = pack.policy.judges(Judging.stands_or_falls)
    known = any(c.identity == (*found.identity[:3], Sign.reversal) for c in facts.penalties)
    if known and not (again and holds_up(facts, found)):
        raise StatusForbids(deed=event.type, status=found.status)
    return propose_reversal(facts, found, at=event.at, again=again, reason=event.reason)
