"""Deadlines of a case: meet them, breach them, move their ends and record why.

Every function takes the facts of a case and returns new facts; none reads a clock. A breach is a
fact of its own: it may be lifted with a reason, it is never removed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from operator import is_
from typing import Any

from policy.engine.conditions import holds
from policy.engine.terms import ends
from policy.pack.schema import DeadlineEntry, Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.events import Event
from policy.vocabulary.facts import BreachFacts, CaseFacts, DeadlineFacts, Revision, replace
from policy.vocabulary.status import ActorKind, DeadlineState
from policy.vocabulary.worktime import Unit, WorkCalendar


def move_as_promised(facts: CaseFacts, *, at: dt.datetime, pack: Pack) -> CaseFacts:
    """Move the running deadlines whose rule follows a promise to the promised end."""

    def moved(deadline: DeadlineFacts) -> DeadlineFacts:
        entry = pack.find("deadline", deadline.key)
        if not deadline.running or deadline.round != facts.round:
            return deadline
        new = ends.end_as_promised(deadline, entry, facts)
        if new.due_at == deadline.due_at:
            return deadline
        revision = Revision(at, deadline.due_at, new.due_at, "promised")
        return replace(new, revisions=(*deadline.revisions, revision))

    return map_deadlines(facts, moved)


def person_bound(facts: CaseFacts, entry: DeadlineEntry, pack: Pack) -> str | None:
    """Return the employee a deadline binds by their part in the case; None for a post.

    What a department will be responsible for is the desk's until it is handed over.
    """
    match entry.binds:
        case "responsible":
            desk = facts.first_asked if pack.policy.judges(Judging.known_terms) else None
            return facts.responsible if facts.assignment else desk
        case "handler":
            return facts.handler
        case "first_asked":
            return facts.first_asked
        case _:
            return None


def observed_until(facts: CaseFacts, pack: Pack) -> dt.datetime | None:
    """Return when the last running observation ends; None where none runs."""
    watches = (c for c in facts.deadlines if c.running and _archives(c, pack))
    return max((c.due_at for c in watches if c.due_at), default=None)


def _archives(deadline: DeadlineFacts, pack: Pack) -> bool:
    return bool(pack.find("deadline", deadline.key).ends == "archive")


def slot_deadline(facts: CaseFacts, slot: str, pack: Pack) -> DeadlineFacts | None:
    """Return this round's deadline of a slot that no other has superseded."""
    for deadline in reversed(facts.deadlines):
        standing = deadline.round == facts.round and deadline.state is not DeadlineState.superseded
        if standing and pack.find("deadline", deadline.key).slot == slot:
            return deadline
    return None


def replace_deadline(facts: CaseFacts, changed: DeadlineFacts) -> CaseFacts:
    """Return the case with one deadline, found by key and round, replaced."""
    return map_deadlines(facts, lambda c: changed if _same_deadline(c, changed) else c)


def _same_deadline(one: DeadlineFacts, other: DeadlineFacts) -> bool:
    return (one.key, one.round) == (other.key, other.round)


def map_deadlines(facts: CaseFacts, change: Callable[[DeadlineFacts], DeadlineFacts]) -> CaseFacts:
    changed = tuple(map(change, facts.deadlines))
    same = all(map(is_, changed, facts.deadlines))
    return facts if same else replace(facts, deadlines=changed)


def meet(
    facts: CaseFacts, event: Event, *, pack: Pack, calendar: WorkCalendar, now: dt.datetime
) -> CaseFacts:
    """Meet the deadlines an event meets, late or in time; a breach found too early is lifted.

    The rule says which time of a person's deed counts. A deed from a workbook is always judged by
    when it happened: that instant was stated by no person, it lies between two looks at the file,
    and a look that came late makes no person late.
    """
    anonymous = event.by.kind is ActorKind.sheet

    def met(deadline: DeadlineFacts) -> DeadlineFacts:
        entry: DeadlineEntry = pack.find("deadline", deadline.key)
        if not deadline.running or event.type not in entry.met_by:
            return deadline
        if not _is_met_by(event, deadline, entry, facts=facts, calendar=calendar):
            return deadline
        stated = anonymous or _stated_counts(entry, event, now=now, calendar=calendar)
        at = event.at if stated else now
        if entry.ends == "warning" and deadline.due_at and at > deadline.due_at:
            # A missed target is no breach, however late the deed is recorded.
            return ended(deadline, entry, pack)
        return _met(deadline, at, now)

    return map_deadlines(facts, met)


def _is_met_by(
    event: Event,
    deadline: DeadlineFacts,
    entry: DeadlineEntry,
    *,
    facts: CaseFacts,
    calendar: WorkCalendar,
) -> bool:
    """Whether the event is what its sentence asks for, and not too early for that (RES-2.3.2b)."""
    if entry.or_met_if and holds(entry.or_met_if, facts, event):
        return True
    soon = entry.met_from and event.at < entry.met_from.end(deadline.starts_at, calendar).at
    return not soon and holds(entry.met_if, facts, event)


def withdraw_not_owed(facts: CaseFacts, *, at: dt.datetime, pack: Pack) -> CaseFacts:
    """Stop the deadlines of which it turns out that nothing was owed, and lift their breaches."""
    asked = {entry.key for entry in pack.deadline if entry.unless and holds(entry.unless, facts)}
    if not asked:
        return facts

    def withdrawn(deadline: DeadlineFacts) -> DeadlineFacts:
        if deadline.key not in asked or not (deadline.running or deadline.breached):
            return deadline
        state = DeadlineState.superseded if deadline.running else deadline.state
        lifted = tuple(
            breach if breach.lifted_at else replace(breach, lifted_at=at, lifted_because="not_owed")
            for breach in deadline.breaches
        )
        return replace(deadline, state=state, breaches=lifted)

    return map_deadlines(facts, withdrawn)


def _stated_counts(
    entry: DeadlineEntry, event: Event, *, now: dt.datetime, calendar: WorkCalendar
) -> bool:
    """Whether the time that a person states counts, and not that of the recording."""
    if entry.judged_by != "stated":
        return False
    soon = entry.judged_within
    return soon is None or now <= soon.end(event.at, calendar).at


def ended(deadline: DeadlineFacts, entry: DeadlineEntry, pack: Pack) -> DeadlineFacts:
    """Return a deadline that ended by time and without a breach: a target missed, a watch over."""
    if entry.ends == "archive" or not pack.policy.judges(Judging.missed_targets):
        return replace(deadline, state=DeadlineState.met, met_at=deadline.due_at)
    return replace(deadline, state=DeadlineState.missed)


def ended_by_time(deadline: DeadlineFacts) -> bool:
    """Whether a deadline that is over ended by time and not by a deed."""
    return deadline.state is DeadlineState.missed or (
        deadline.state is DeadlineState.met and deadline.met_at == deadline.due_at
    )


def _met(deadline: DeadlineFacts, at: dt.datetime, now: dt.datetime) -> DeadlineFacts:
    deadline = replace(deadline, state=DeadlineState.met, met_at=at)
    if deadline.due_at is None:
        return deadline
    if at > deadline.due_at:
        return deadline if breach_known(deadline) else _add_breach(deadline, now)
    kept = tuple(_lift_if_met_in_time(breach, at, now) for breach in deadline.breaches)
    return replace(deadline, breaches=kept)


def _lift_if_met_in_time(breach: BreachFacts, at: dt.datetime, now: dt.datetime) -> BreachFacts:
    """Lift a breach that lies after the deed; one before the deed stands.

    An extension granted after the end had passed moves the end and leaves the breach.
    """
    if breach.lifted_at or breach.breached_at < at:
        return breach
    return replace(breach, lifted_at=now, lifted_because="met_in_time")


def breach_known(deadline: DeadlineFacts) -> bool:
    """Whether the breach at its end was found."""
    return any(breach.breached_at == deadline.due_at for breach in deadline.breaches)


def _add_breach(deadline: DeadlineFacts, found_at: dt.datetime) -> DeadlineFacts:
    assert deadline.due_at is not None
    return replace(deadline, breaches=(*deadline.breaches, BreachFacts(deadline.due_at, found_at)))


def breach_overdue(
    facts: CaseFacts,
    *,
    at: dt.datetime,
    found_at: dt.datetime,
    pack: Pack,
    spared: Collection[str] = (),
) -> CaseFacts:
    """Breach the deadlines that ended before `at`; those that end otherwise are over. Idempotent.

    Deadlines whose keys are in `spared` are left alone this time.
    """

    def ran(deadline: DeadlineFacts) -> DeadlineFacts:
        if (
            not (deadline.running and deadline.due_at and deadline.due_at < at)
            or deadline.key in spared
        ):
            return deadline
        entry = pack.find("deadline", deadline.key)
        if entry.ends != "breach":
            return ended(deadline, entry, pack)
        return deadline if breach_known(deadline) else _add_breach(deadline, found_at)

    return map_deadlines(facts, ran)


def bind_responsible(
    facts: CaseFacts, *, at: dt.datetime, pack: Pack, calendar: WorkCalendar
) -> CaseFacts:
    """Name who is responsible for the running deadlines; a breach keeps the person it had.

    Who takes a case over has the time that is theirs: what was lost before is not (SKD-3.2.2).
    """

    def named(deadline: DeadlineFacts) -> DeadlineFacts:
        entry = pack.find("deadline", deadline.key)
        if not deadline.running or entry.binds != "responsible":
            return deadline
        bound = person_bound(facts, entry, pack)
        theirs = facts.responsible is not None and bound != deadline.responsible
        if theirs and pack.policy.judges(Judging.known_terms):
            deadline = _taken_over(facts, deadline, entry, at=at, calendar=calendar)
        return replace(deadline, responsible=bound)

    return map_deadlines(facts, named)


def pass_on(facts: CaseFacts, *, since: dt.datetime, pack: Pack) -> CaseFacts:
    """Name who is responsible now for the deadlines that end after an instant; none moves."""

    def named(deadline: DeadlineFacts) -> DeadlineFacts:
        entry = pack.find("deadline", deadline.key)
        ended = deadline.breaches[-1].breached_at if deadline.breaches else deadline.due_at
        over = not (deadline.running or deadline.breaches) or (ended is not None and ended <= since)
        if over or deadline.round != facts.round or entry.binds not in ("responsible", "handler"):
            return deadline
        return replace(deadline, responsible=person_bound(facts, entry, pack))

    return map_deadlines(facts, named)


def _taken_over(
    facts: CaseFacts,
    deadline: DeadlineFacts,
    entry: DeadlineEntry,
    *,
    at: dt.datetime,
    calendar: WorkCalendar,
) -> DeadlineFacts:
    """Return a deadline with the end of who gets the case now: no receipt is worth less for haste.

    A term from the hand-over is counted from their own. Who gets back what they sent back has the
    time that was left then: the desk's is not theirs. A term from the receipt of the complaint is
    the customer's and runs on; one that is over counts from the hand-over.
    """
    over = deadline.due_at is not None and deadline.due_at <= at
    if _is_of_the_receiver(entry) and "promised" not in deadline.because:
        if sent_back := _sent_back(facts):
            rest = _with_rest(deadline, sent_back, at=at, calendar=calendar)
            if rest or not over:
                return rest or deadline
        over = True
    handed_over = ends.Known(at, "dispatched", {})
    return ends.counted_anew(deadline, entry, handed_over, calendar=calendar) if over else deadline


def _is_of_the_receiver(entry: DeadlineEntry) -> bool:
    """Whether a term counts from when its bearer got the case."""
    handed = entry.counts_from == "event" and "dispatched" in entry.starts_on
    return handed and entry.binds == "responsible"


def received_at(facts: CaseFacts, entry: DeadlineEntry, pack: Pack) -> dt.datetime | None:
    """Return since when in this round the bearer of a term from the hand-over has the case."""
    if not (_is_of_the_receiver(entry) and pack.policy.judges(Judging.known_terms)):
        return None
    mine = (
        one.dispatched_at
        for one in facts.assignments
        if (one.round, one.responsible) == (facts.round, facts.responsible)
    )
    return next(mine, None)


def _sent_back(facts: CaseFacts) -> dt.datetime | None:
    """Return when who has the case now sent it back last in this round; None where they did not."""
    mine = (
        one.returned_at
        for one in reversed(facts.assignments)
        if (one.round, one.responsible) == (facts.round, facts.responsible) and one.returned_at
    )
    return next(mine, None)


def _with_rest(
    deadline: DeadlineFacts, sent_back: dt.datetime, *, at: dt.datetime, calendar: WorkCalendar
) -> DeadlineFacts | None:
    """Return a deadline with the time left when it was sent back; None where none was left."""
    later = (one.due_before for one in deadline.revisions if one.at > sent_back)
    end = next(later, deadline.due_at)
    if end is None or end <= sent_back:
        return None
    due_at: dt.datetime | None = at + (end - sent_back)
    provisional, pause = deadline.provisional, None
    if deadline.because.get("unit") in (Unit.working_day, Unit.working_hour):
        stood, pause = replace(deadline, due_at=end, met_at=sent_back), (sent_back, at)
        due_at, provisional = ends.end_after_pause(stood, at=at, calendar=calendar)
    if due_at is None or deadline.due_at is None or due_at <= deadline.due_at:
        return deadline
    moved = Revision(at, deadline.due_at, due_at, "dispatched")
    because = _end_reason(deadline, due_at, pause)
    revisions = (*deadline.revisions, moved)
    return replace(
        deadline, due_at=due_at, provisional=provisional, because=because, revisions=revisions
    )


def reopen(
    facts: CaseFacts,
    deadline: DeadlineFacts,
    *,
    due_at: dt.datetime | None,
    at: dt.datetime,
    reason: str,
    provisional: bool = False,
    stood: tuple[dt.datetime, dt.datetime] | None = None,
) -> CaseFacts:
    """Let a deadline run again to another end; the old end is kept as a revision.

    An end that a person named stays, whatever becomes of the calendar. `stood` says instead that
    the deadline stood still between two instants and runs on with the time it had left.
    """
    moved = Revision(at, deadline.due_at, due_at, reason)
    return replace_deadline(
        facts,
        replace(
            deadline,
            state=DeadlineState.running,
            met_at=None,
            due_at=due_at,
            provisional=provisional,
            because=_end_reason(deadline, due_at, stood),
            revisions=(*deadline.revisions, moved),
        ),
    )


def _end_reason(
    deadline: DeadlineFacts,
    due_at: dt.datetime | None,
    stood: tuple[dt.datetime, dt.datetime] | None,
) -> dict[str, Any]:
    """Return why a deadline runs on, with what counting its end anew needs."""
    if stood:
        pause = [moment.isoformat() for moment in stood]
        return {**deadline.because, "stood": [*deadline.because.get("stood", ()), pause]}
    kept = {key: why for key, why in deadline.because.items() if key != "stood"}
    return kept | {"named": due_at.isoformat() if due_at else None}


def meet_answered(facts: CaseFacts, *, at: dt.datetime, pack: Pack, now: dt.datetime) -> CaseFacts:
    """Meet every deadline that waits for the department's answer: none is owed any more."""

    def met(deadline: DeadlineFacts) -> DeadlineFacts:
        entry: DeadlineEntry = pack.find("deadline", deadline.key)
        waits = deadline.running and "confirmed" in entry.met_by
        return (
            _met(deadline, at if entry.judged_by == "stated" else now, now) if waits else deadline
        )

    return map_deadlines(facts, met)


def upgrades(
    before: CaseFacts, after: CaseFacts, pack: Pack
) -> list[tuple[DeadlineFacts, DeadlineEntry]]:
    """Return the deadlines that ended between two pictures and raise the case to a grade."""
    if after.deadlines is before.deadlines:
        return []
    was = {(c.key, c.round): c.state for c in before.deadlines}
    ended = []
    for deadline in after.deadlines:
        entry = pack.find("deadline", deadline.key)
        ran = (
            was.get((deadline.key, deadline.round)) is DeadlineState.running
            and not deadline.running
        )
        if ran and entry.ends == "upgrade" and ended_by_time(deadline):
            ended.append((deadline, entry))
    return ended


def supersede_round(facts: CaseFacts, pack: Pack) -> CaseFacts:
    """Supersede the deadlines of the round that ends, except those a new round leaves running."""

    def stopped(deadline: DeadlineFacts) -> DeadlineFacts:
        if deadline.running and not pack.find("deadline", deadline.key).carries_over:
            return replace(deadline, state=DeadlineState.superseded)
        return deadline

    return map_deadlines(facts, stopped)


def stop_all(facts: CaseFacts, pack: Pack) -> CaseFacts:
    """Stop every running deadline; breaches stay. One that is overdue was missed."""
    over = pack.policy.judges(Judging.missed_targets)

    def stopped(deadline: DeadlineFacts) -> DeadlineFacts:
        if not deadline.running:
            return deadline
        missed = over and deadline.breached
        state = DeadlineState.missed if missed else DeadlineState.superseded
        return replace(deadline, state=state)

    return map_deadlines(facts, stopped)


def next_due_at(facts: CaseFacts) -> dt.datetime | None:
    """Return when the next deadline ends whose end was not found yet."""
    ends = [c.due_at for c in facts.deadlines if c.running and c.due_at and not breach_known(c)]
    return min(ends, default=None)


def restart_review(
    facts: CaseFacts, *, at: dt.datetime, pack: Pack, calendar: WorkCalendar
) -> CaseFacts:
    """Count the next review of a deadline without limit from `at`."""

    def reviewed(deadline: DeadlineFacts) -> DeadlineFacts:
        every = pack.find("deadline", deadline.key).review_every
        if not deadline.running or every is None:
            return deadline
        because = {**deadline.because, "reviewed": at.isoformat()}
        return ends.count_end(
            replace(deadline, because=because), pack.find("deadline", deadline.key), calendar
        )

    return map_deadlines(facts, reviewed)
