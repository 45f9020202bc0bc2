"""Deadlines of a case: start them, meet them, move their ends and record why.

Every function takes the facts of a case and returns new facts; none reads a clock. A breach is a
fact of its own: it may be lifted with a reason, it is never removed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import is_
from typing import Any

from policy.engine.conditions import field_value, holds
from policy.pack.schema import DeadlineEntry, Pack
from policy.pack.shapes import Quantity
from policy.vocabulary.editions import Judging
from policy.vocabulary.events import Event
from policy.vocabulary.facts import BreachFacts, CaseFacts, DeadlineFacts, Revision, replace
from policy.vocabulary.status import ActorKind, DeadlineState, Status
from policy.vocabulary.worktime import Due, Unit, WorkCalendar


def start(
    facts: CaseFacts,
    name: str,
    *,
    at: dt.datetime,
    received_at: dt.datetime | None = None,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None = None,
    known: Known | None = None,
) -> CaseFacts:
    """Start the deadlines of an event; 'since receipt' counts from `received_at`.

    `known` is given where the event lies behind and changed facts make a deadline apply now.
    """
    # Deadlines without a slot compete with no other: they are added together.
    alone: list[DeadlineFacts] = []
    for entry in pack.deadlines_by_start.get(name, ()):
        if not (holds(entry.applies, facts) and holds(entry.starts_if, facts, event)):
            continue
        said: dict[str, Any] = {"at": at, "pack": pack, "calendar": calendar, "event": event}
        old = facts.deadline_of(entry.key)
        again = old if old and not known and _asked_again(old, entry, pack) else None
        if (old or _carries_over(facts, entry)) and not again:
            facts = _going_on(facts, old or _carried_over(facts, entry, pack), entry, said=said)
            continue
        owed = _is_owed(entry, facts, known)
        deadline = owed and _begun(facts, entry, name, received_at=received_at, **said)
        if not deadline:
            continue
        if known:
            deadline = end_since_known(deadline, entry, known, calendar=calendar)
        if again:
            facts = replace_deadline(facts, _begun_again(deadline, again, at))
        elif entry.slot is None:
            alone.append(deadline)
        else:
            facts = _put_in_slot(_append(facts, alone), deadline, pack, known=known is not None)
            alone = []
    return _append(facts, alone)


def _going_on(
    facts: CaseFacts, old: DeadlineFacts | None, entry: DeadlineEntry, *, said: dict[str, Any]
) -> CaseFacts:
    """Return the case whose deadline runs already; one with a stated end is told it anew."""
    told = old is not None and old.running and entry.until
    return _restate_end(facts, old, entry, **said) if old and told else facts


def _is_owed(entry: DeadlineEntry, facts: CaseFacts, known: Known | None) -> bool:
    """Whether a deadline that would start is owed: not where something else stands for it."""
    if known and not owed_now(entry, facts):
        return False
    return not (entry.unless and holds(entry.unless, facts))


DECISIONS = frozenset({"decided", "ruled", "extension_granted", "extension_refused"})
"""The events by which who was asked decides."""


def _asked_again(old: DeadlineFacts, entry: DeadlineEntry, pack: Pack) -> bool:
    """Whether a decision that was given is asked for once more in the round."""
    given = old.state is DeadlineState.met and bool(entry.met_by)
    return given and set(entry.met_by) <= DECISIONS and pack.policy.judges(Judging.own_rounds)


def _begun_again(fresh: DeadlineFacts, old: DeadlineFacts, at: dt.datetime) -> DeadlineFacts:
    """Return a deadline that began once more in its round, with what it was before."""
    revision = Revision(at, old.due_at, fresh.due_at, "asked_again")
    return replace(fresh, revisions=(*old.revisions, revision), breaches=old.breaches)


def _begun(
    facts: CaseFacts,
    entry: DeadlineEntry,
    name: str,
    *,
    at: dt.datetime,
    received_at: dt.datetime | None,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None,
) -> DeadlineFacts | None:
    """Return the deadline an event begins; None where the end its field states is not there.

    A term from the receipt that was over before the registration binds no department, which could
    not know of it: it counts from the registration. So does one of a letter that lay unread.
    """
    if entry.until and field_value(entry.until, facts, event) is None:
        return None
    since = _count_from(
        entry, name, at, received_at=received_at, calendar=calendar, facts=facts, event=event
    )
    judged = pack.policy.judges(Judging.known_terms)
    channel = pack.find("channel", facts.channel)
    if judged and name == "registered" and entry.counts_from == "received":
        since = max(since, at) if channel and channel.unattended else since
    deadline = _new_deadline(
        facts, entry, name, since=since, pack=pack, calendar=calendar, event=event
    )
    if not judged or deadline.due_at is None or deadline.due_at > at:
        return _end_as_promised(deadline, entry, facts)
    if entry.until and name == "registered":
        return None
    if name == "registered" and entry.binds in ("responsible", "handler"):
        deadline = _new_deadline(
            facts, entry, name, since=at, pack=pack, calendar=calendar, event=event
        )
        return _end_as_promised(deadline, entry, facts)
    because = {**deadline.because, "known": at.isoformat()}
    return _end_as_promised(replace(deadline, because=because), entry, facts)


@dataclass(frozen=True, slots=True)
class Known:
    """An event that changed the facts: when, its name, and the end that each duty had until then.

    A duty is a slot, or what meets a deadline without one.
    """

    at: dt.datetime
    name: str
    had: Mapping[Hashable, dt.datetime]


def duty_of(entry: DeadlineEntry) -> Hashable:
    """Return what two deadlines share of which one takes the place of the other."""
    return entry.slot or (entry.met_by, entry.met_if)


def ends_by_duty(facts: CaseFacts, pack: Pack) -> dict[Hashable, dt.datetime]:
    """Return the end of the running deadline of each slot, and of those that no longer apply."""
    found = {}
    for deadline in facts.deadlines:
        entry: DeadlineEntry = pack.find("deadline", deadline.key)
        if not deadline.running or deadline.round != facts.round or deadline.due_at is None:
            continue
        if entry.slot or not holds(entry.applies, facts):
            found[duty_of(entry)] = deadline.due_at
    return found


_ANSWERED = frozenset({Status.confirmed, Status.accepted, Status.closed, Status.archived})


def owed_now(entry: DeadlineEntry, facts: CaseFacts) -> bool:
    """Whether a deadline that comes to apply by changed facts is owed where the case stands.

    Nobody owes an answer that was given, and of a closed case only what the rule says.
    """
    if facts.closed_at is not None and not entry.owed_when_closed:
        return False
    return not (facts.status in _ANSWERED and "confirmed" in entry.met_by)


def end_since_known(
    deadline: DeadlineFacts, entry: DeadlineEntry, known: Known, *, calendar: WorkCalendar
) -> DeadlineFacts:
    """Return a deadline with its end counted from when the facts were known that make it apply.

    It ends no later than the one that ran in its slot, and no earlier than from its old start. A
    term from a day or instant in a field counts from there, and so does one without a limit.
    """
    if entry.counts_from not in ("event", "received") or entry.within is None:
        return deadline
    if deadline.because.get("promised") and deadline.due_at and deadline.due_at <= known.at:
        deadline = _without_promise(deadline, entry, calendar)
    if deadline.due_at is None or known.at <= deadline.starts_at or "named" in deadline.because:
        return deadline
    begun = {"from": known.at.isoformat(), "from_event": known.name}
    because = {key: why for key, why in deadline.because.items() if key != "known"} | begun
    fresh = count_end(replace(deadline, starts_at=known.at, because=because), entry, calendar)
    kept = known.had.get(duty_of(entry))
    if kept is None or fresh.due_at is None or fresh.due_at <= kept:
        return max(deadline, fresh, key=_end)
    if max(kept, deadline.due_at) < known.at:
        return fresh  # Who was late already is so; what they owe now has a term of its own.
    if deadline.due_at >= kept:
        return deadline
    why = {key: why for key, why in because.items() if key not in COUNTED_REASONS}
    return replace(fresh, due_at=kept, because=why | {"named": kept.isoformat(), "kept": True})


def _without_promise(
    deadline: DeadlineFacts, entry: DeadlineEntry, calendar: WorkCalendar
) -> DeadlineFacts:
    """Return a deadline with its usual end: a promise that is over rules no new term."""
    because = {k: why for k, why in deadline.because.items() if k not in _OF_A_PROMISE}
    return count_end(replace(deadline, because=because), entry, calendar)


_OF_A_PROMISE = frozenset({"promised", "usual", "named"})


def _end(deadline: DeadlineFacts) -> dt.datetime:
    assert deadline.due_at
    return deadline.due_at


def _append(facts: CaseFacts, deadlines: Collection[DeadlineFacts]) -> CaseFacts:
    return replace(facts, deadlines=(*facts.deadlines, *deadlines)) if deadlines else facts


def _restate_end(
    facts: CaseFacts,
    deadline: DeadlineFacts,
    entry: DeadlineEntry,
    *,
    at: dt.datetime,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None,
) -> CaseFacts:
    """Move a running deadline to the end its field states now; the old end becomes a revision.

    Where another of its slot now ends earlier, that one runs.
    """
    end = stated_end(entry, facts, event, calendar=calendar)
    if end is None or end == deadline.due_at:
        return facts
    facts = reopen(facts, deadline, due_at=end, at=at, reason="stated")
    alone = entry.slot is None or deadline.round != facts.round
    if alone or not pack.policy.judges(Judging.known_terms):
        return facts
    return _seat_anew(facts, entry.key, pack)


def stated_end(
    entry: DeadlineEntry, facts: CaseFacts, event: Event | None, *, calendar: WorkCalendar
) -> dt.datetime | None:
    """Return the end that the field of a deadline states, or None."""
    stated = field_value(entry.until, facts, event) if entry.until else None
    return None if stated is None else _stated_instant(stated, calendar, dt.time(23, 59, 59))


def _seat_anew(facts: CaseFacts, key: str, pack: Pack) -> CaseFacts:
    """Let the deadline of a slot run that ends first, after the end of one of them moved."""
    moved = facts.deadline_of(key)
    assert moved
    assert moved.due_at
    slot = pack.find("deadline", key).slot
    rivals = [
        rival
        for rival in facts.deadlines
        if rival.state is DeadlineState.superseded
        and (rival.round, pack.find("deadline", rival.key).slot) == (facts.round, slot)
        and rival.due_at
        and rival.due_at < moved.due_at
        and holds(pack.find("deadline", rival.key).applies, facts)
    ]
    if not rivals:
        return facts
    first = min(rivals, key=lambda rival: rival.due_at or moved.starts_at)
    first = replace(first, state=DeadlineState.running, responsible=moved.responsible)
    facts = replace_deadline(facts, replace(moved, state=DeadlineState.superseded))
    return replace_deadline(facts, replace(first, because=because_won(first, moved)))


def _count_from(
    entry: DeadlineEntry,
    name: str,
    at: dt.datetime,
    *,
    received_at: dt.datetime | None,
    calendar: WorkCalendar,
    facts: CaseFacts,
    event: Event | None,
) -> dt.datetime:
    """Return the instant a term counts from: event, receipt, or the day or instant in a field.

    Only a deadline that the registration starts counts from the receipt: in a new round or a graver
    grade it counts from the event.
    """
    if entry.counts_from == "event" or (entry.counts_from == "received" and name != "registered"):
        return at
    if entry.counts_from == "received":
        return received_at or at
    stated = field_value(entry.counts_from, facts, event)
    return at if stated is None else _stated_instant(stated, calendar, dt.time(0))


def _stated_instant(stated: Any, calendar: WorkCalendar, clock: dt.time) -> dt.datetime:
    """Return the instant a field states; of a day, when clocks show `clock` on it."""
    if isinstance(stated, dt.datetime):
        return stated
    if "T" in str(stated):
        return dt.datetime.fromisoformat(str(stated)).astimezone(dt.UTC)
    return calendar.instant(dt.date.fromisoformat(str(stated)), clock)


def _end_as_promised(
    deadline: DeadlineFacts, entry: DeadlineEntry, facts: CaseFacts
) -> DeadlineFacts:
    """End a new deadline where the customer was promised, if its rule lets a promise count."""
    until = facts.promised_at
    if entry.promise in (None, "within") or until is None or until <= deadline.starts_at:
        return deadline
    if entry.promise == "earlier" and deadline.due_at and deadline.due_at <= until:
        return deadline
    usual = deadline.due_at.isoformat() if deadline.due_at else None
    because = {**deadline.because, "promised": True, "usual": usual, "named": until.isoformat()}
    return replace(deadline, due_at=until, provisional=False, because=because)


def move_as_promised(facts: CaseFacts, *, at: dt.datetime, pack: Pack) -> CaseFacts:
    """Move the running deadlines whose rule follows a promise to the promised end."""

    def moved(deadline: DeadlineFacts) -> DeadlineFacts:
        entry = pack.find("deadline", deadline.key)
        if not deadline.running or deadline.round != facts.round:
            return deadline
        new = _end_as_promised(deadline, entry, facts)
        if new.due_at == deadline.due_at:
            return deadline
        revision = Revision(at, deadline.due_at, new.due_at, "promised")
        return replace(new, revisions=(*deadline.revisions, revision))

    return map_deadlines(facts, moved)


def _carries_over(facts: CaseFacts, entry: DeadlineEntry) -> bool:
    return entry.carries_over and any(deadline.key == entry.key for deadline in facts.deadlines)


def _carried_over(facts: CaseFacts, entry: DeadlineEntry, pack: Pack) -> DeadlineFacts | None:
    """Return the deadline that runs on from an earlier round: a new day stated moves it too."""
    if not pack.policy.judges(Judging.known_terms):
        return None
    return next((one for one in reversed(facts.deadlines) if one.key == entry.key), None)


def _new_deadline(
    facts: CaseFacts,
    entry: DeadlineEntry,
    name: str,
    *,
    since: dt.datetime,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None,
) -> DeadlineFacts:
    because: dict[str, Any] = {
        "rule": entry.key,
        "clause": entry.cite,
        "from": since.isoformat(),
        "from_event": name,
    }
    deadline = DeadlineFacts(
        key=entry.key,
        round=facts.round,
        state=DeadlineState.running,
        starts_at=since,
        due_at=None,
        because=because,
        responsible=person_bound(facts, entry, pack),
    )
    if entry.until is not None:
        end = _stated_instant(field_value(entry.until, facts, event), calendar, dt.time(23, 59, 59))
        stated = {"stated": entry.until, "named": end.isoformat()}
        return replace(deadline, due_at=end, because={**because, **stated})
    return count_end(deadline, entry, calendar)


COUNTED_REASONS = frozenset(
    {"amount", "unit", "at", "ends_day", "skipped", "makeup", "provisional", "unlimited"}
    | {"window_from", "moved_before_rest_days"}
)
"""The keys of `because` that come from counting the term; they go when it is counted anew."""


def count_end(
    deadline: DeadlineFacts, entry: DeadlineEntry, calendar: WorkCalendar
) -> DeadlineFacts:
    """Return the deadline with its end counted from its start by the rule, and why."""
    because = {key: why for key, why in deadline.because.items() if key not in COUNTED_REASONS}
    if entry.within is None:
        assert entry.review_every is not None
        since = dt.datetime.fromisoformat(because.get("reviewed", deadline.starts_at.isoformat()))
        review = entry.review_every.end(since, calendar)
        because |= _reason(entry.review_every, review) | {"unlimited": True}
        return replace(
            deadline, because=because, review_at=review.at, provisional=review.provisional
        )
    if entry.window_from is not None:
        return _count_window(deadline, entry, because, calendar=calendar)
    late = entry.after_closing and calendar.after_closing(deadline.starts_at)
    term = entry.after_closing if entry.after_closing and late else entry.within
    due = term.end(deadline.starts_at, calendar)
    because |= _reason(term, due)
    return replace(deadline, because=because, due_at=due.at, provisional=due.provisional)


def _count_window(
    deadline: DeadlineFacts,
    entry: DeadlineEntry,
    because: dict[str, Any],
    *,
    calendar: WorkCalendar,
) -> DeadlineFacts:
    """Open at midnight of the first day and end with the last one (day 3 to day 5).

    A window of rest days only moves to the last working day before it, where the rule says so.
    """
    assert entry.window_from
    assert entry.within
    zero = calendar.local(deadline.starts_at).date()
    first = zero + dt.timedelta(days=entry.window_from.amount)
    last = zero + dt.timedelta(days=entry.within.amount)
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    if entry.before_rest and not any(map(calendar.is_working, days)):
        first = last = calendar.last_working_day_on_or_before(first)
        because["moved_before_rest_days"] = True
    because |= {
        "amount": entry.within.amount,
        "unit": entry.within.unit.value,
        "window_from": entry.window_from.amount,
    }
    return replace(
        deadline,
        because=because,
        opens_at=calendar.instant(first, dt.time(0)),
        due_at=calendar.instant(last, dt.time(23, 59, 59)),
        provisional=calendar.is_provisional(first, last),
    )


def _reason(term: Quantity, due: Due) -> dict[str, Any]:
    """Return the facts that a sentence about the end of a term needs."""
    reason: dict[str, Any] = {"amount": term.amount, "unit": term.unit.value}
    if term.unit is Unit.working_day:
        reason["skipped"] = [[day.isoformat(), kind] for day, kind in due.skipped]
        reason["makeup"] = [day.isoformat() for day in due.makeup]
    if term.at is not None:
        reason["at"] = term.at.isoformat()
    if term.ends_day:
        reason["ends_day"] = True
    if due.provisional:
        reason["provisional"] = True
    return reason


def person_bound(facts: CaseFacts, entry: DeadlineEntry, pack: Pack) -> str | None:
    """Return the employee a deadline binds by their part in the case; None for a post.

    What a department will be responsible for is the desk's until it is handed over.
    """
    match entry.binds:
        case "responsible":
            desk = facts.first_asked if pack.policy.judges(Judging.known_terms) else None
            return facts.responsible or desk
        case "handler":
            return facts.handler
        case "first_asked":
            return facts.first_asked
        case _:
            return None


def _put_in_slot(
    facts: CaseFacts, deadline: DeadlineFacts, pack: Pack, *, known: bool = False
) -> CaseFacts:
    """Put a new deadline in its slot: of two, the earlier end runs; both ends are explained.

    Where the slot's deadline was met already the new one is not needed, unless what met it was no
    answer and facts that were `known` only afterwards ask for it anew: a report of less.
    """
    entry: DeadlineEntry = pack.find("deadline", deadline.key)
    rival = slot_deadline(facts, entry.slot, pack) if entry.slot else None
    asked_anew = known and "confirmed" not in entry.met_by
    over = rival and not rival.running
    if rival is None or (over and (asked_anew or rival.state is DeadlineState.missed)):
        return replace(facts, deadlines=(*facts.deadlines, deadline))
    if not rival.running:
        return facts
    if _ends_later(deadline, rival):
        return replace_deadline(facts, replace(rival, because=because_won(rival, deadline)))
    facts = replace_deadline(facts, replace(rival, state=DeadlineState.superseded))
    return replace(
        facts, deadlines=(*facts.deadlines, replace(deadline, because=because_won(deadline, rival)))
    )


def _ends_later(one: DeadlineFacts, other: DeadlineFacts) -> bool:
    return one.due_at is None or (other.due_at is not None and one.due_at >= other.due_at)


def because_won(winner: DeadlineFacts, loser: DeadlineFacts) -> Mapping[str, Any]:
    """Return the winner's `because` with the deadline that it superseded."""
    beaten = {
        "rule": loser.key,
        "clause": loser.because["clause"],
        "due_at": loser.due_at.isoformat() if loser.due_at else None,
        "from": loser.starts_at.isoformat(),
        "from_event": loser.because["from_event"],
    }
    return {**winner.because, "over": [*winner.because.get("over", ()), beaten]}


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
            return _ended(deadline, entry, pack)
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


def _ended(deadline: DeadlineFacts, entry: DeadlineEntry, pack: Pack) -> DeadlineFacts:
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
            return _ended(deadline, entry, pack)
        return deadline if breach_known(deadline) else _add_breach(deadline, found_at)

    return map_deadlines(facts, ran)


def bind_responsible(
    facts: CaseFacts, *, at: dt.datetime, pack: Pack, calendar: WorkCalendar
) -> CaseFacts:
    """Name who is responsible for the running deadlines; a breach keeps the person it had.

    Who gets a case whose term is over has the term from the hand-over: what was lost before is not
    theirs (SKD-3.2.2).
    """

    def named(deadline: DeadlineFacts) -> DeadlineFacts:
        entry = pack.find("deadline", deadline.key)
        if not deadline.running or entry.binds != "responsible":
            return deadline
        bound = person_bound(facts, entry, pack)
        over = deadline.due_at is not None and deadline.due_at <= at
        theirs = facts.responsible is not None and bound != deadline.responsible
        if over and theirs and pack.policy.judges(Judging.known_terms):
            deadline = _handed_over(deadline, entry, at=at, calendar=calendar)
        return replace(deadline, responsible=bound)

    return map_deadlines(facts, named)


def _handed_over(
    deadline: DeadlineFacts, entry: DeadlineEntry, *, at: dt.datetime, calendar: WorkCalendar
) -> DeadlineFacts:
    """Return a deadline that is over with its term counted anew from the hand-over."""
    return counted_anew(deadline, entry, Known(at, "dispatched", {}), calendar=calendar)


def counted_anew(
    deadline: DeadlineFacts, entry: DeadlineEntry, known: Known, *, calendar: WorkCalendar
) -> DeadlineFacts:
    """Return a deadline with its term counted from `known`, and the end it had as a revision.

    An end that was named or kept before is over with it.
    """
    counted = {key: why for key, why in deadline.because.items() if key not in ("named", "kept")}
    if entry.within is None:
        counted = dict(deadline.because)
    fresh = end_since_known(replace(deadline, because=counted), entry, known, calendar=calendar)
    if fresh.due_at == deadline.due_at:
        return deadline
    moved = Revision(known.at, deadline.due_at, fresh.due_at, known.name)
    return replace(fresh, revisions=(*deadline.revisions, moved))


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


def end_after_pause(
    deadline: DeadlineFacts, *, at: dt.datetime, calendar: WorkCalendar
) -> tuple[dt.datetime | None, bool]:
    """Return the end of a deadline that stood still since it was met and runs on from `at`.

    The second value says whether that end is provisional. A deadline without limit has no end.
    """
    assert deadline.met_at is not None
    if deadline.due_at is None or deadline.met_at >= deadline.due_at:
        return deadline.due_at, deadline.provisional
    minutes = calendar.working_minutes_between(deadline.met_at, deadline.due_at)
    if minutes == 0:
        return max(deadline.due_at, at), deadline.provisional
    due = calendar.add(at, Decimal(minutes) / 60, Unit.working_hour)
    end = (due.at + dt.timedelta(milliseconds=500)).replace(microsecond=0)
    return end, due.provisional or deadline.provisional


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
        return count_end(
            replace(deadline, because=because), pack.find("deadline", deadline.key), calendar
        )

    return map_deadlines(facts, reviewed)
