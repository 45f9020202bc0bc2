"""Where a term ends and why: counted, stated, promised, or counted since a fact was known.

Each function takes a deadline and returns it with another end; none knows the other deadlines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy.engine.conditions import field_value, holds
from policy.pack.schema import DeadlineEntry, Pack
from policy.pack.shapes import Quantity
from policy.vocabulary.events import Event
from policy.vocabulary.facts import CaseFacts, DeadlineFacts, Revision, replace
from policy.vocabulary.status import Status
from policy.vocabulary.worktime import Due, Unit, WorkCalendar


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


_ANSWERED = frozenset(
    {Status.confirmed, Status.disputed, Status.accepted, Status.closed, Status.archived}
)


def owed_now(entry: DeadlineEntry, facts: CaseFacts) -> bool:
    """Whether a deadline that comes to apply by changed facts is owed where the case stands.

    Nobody owes an answer that was given, and of a closed case only what the rule says. While a case
    that was passed up lies with the general manager, only what a decision meets is owed.
    """
    if facts.closed_at is not None and not entry.owed_when_closed:
        return False
    if facts.status is Status.intervened:
        return "confirmed" not in entry.met_by or "decided" in entry.met_by
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


def stated_end(
    entry: DeadlineEntry, facts: CaseFacts, event: Event | None, *, calendar: WorkCalendar
) -> dt.datetime | None:
    """Return the end that the field of a deadline states, or None."""
    stated = field_value(entry.until, facts, event) if entry.until else None
    return None if stated is None else _stated_instant(stated, calendar, dt.time(23, 59, 59))


def count_from(
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


def end_as_promised(
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
