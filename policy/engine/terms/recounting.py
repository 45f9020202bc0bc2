"""Apply the conditions of deadlines anew after facts changed, and recount them after the calendar.

What falls stops, what applies starts. Nobody is late at once: a term that only now comes to apply
counts from when that was known, and never longer than who bears it had before. A recount is an
event of its own, never a side effect. An end moves only to one that still lies ahead: no calendar
makes a person late, and who is late either way stays late since the same instant. A breach whose
new end lies ahead is lifted; it stands again where the day that lifted it is taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy.engine.conditions import holds
from policy.engine.rules import Rules, calendar_judged
from policy.engine.terms import deadlines, ends, starting
from policy.engine.terms.ends import Known
from policy.pack.schema import DeadlineEntry, Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import TimeBeforeCase
from policy.vocabulary.events import Event
from policy.vocabulary.facts import BreachFacts, CaseFacts, DeadlineFacts, Revision, replace
from policy.vocabulary.status import DeadlineState
from policy.vocabulary.worktime import WorkCalendar

# ---------------------------------------------------------------- facts that changed


def reapply_rules(facts: CaseFacts, *, at: dt.datetime, because: str, rules: Rules) -> CaseFacts:
    """Drop deadlines whose condition fell and start those that now apply, after facts changed.

    `because` is the name of the event that changed them at `at`. One that applies again goes on as
    it was, so time used stays used. In older editions a new deadline counts from when the event
    happened that starts it.
    """
    pack, known = rules.pack, None
    if pack.policy.judges(Judging.known_terms):
        known = Known(at, because, ends.ends_by_duty(facts, pack))

    def fitting(deadline: DeadlineFacts) -> DeadlineFacts:
        entry = pack.find("deadline", deadline.key)
        if deadline.running and deadline.round == facts.round and not holds(entry.applies, facts):
            return replace(deadline, state=DeadlineState.superseded)
        return deadline

    fit = deadlines.map_deadlines(facts, fitting)
    facts = _resume_superseded(fit, pack, known, calendar=rules.calendar)
    since = _counts_as_received(facts, pack)
    for name, begun in past_starts(facts):
        facts = starting.start(
            facts,
            name,
            at=begun,
            received_at=since,
            pack=pack,
            calendar=rules.calendar,
            known=known,
        )
    return facts


def _resume_superseded(
    facts: CaseFacts, pack: Pack, known: Known | None, *, calendar: WorkCalendar
) -> CaseFacts:
    """Let superseded deadlines of this round that apply again run on, where their slot is free.

    One that was over meanwhile counts anew: while it stood still nobody had it. What rises by time
    is nobody's term: it rises when it is known that it would have (TRI-5.3.3).
    """
    for deadline in facts.deadlines:
        entry = pack.find("deadline", deadline.key)
        stopped = deadline.state is DeadlineState.superseded and deadline.round == facts.round
        free = entry.slot is None or deadlines.slot_deadline(facts, entry.slot, pack) is None
        if not (stopped and free and holds(entry.applies, facts)):
            continue
        if entry.unless and holds(entry.unless, facts):
            continue
        if known and not ends.owed_now(entry, facts):
            continue
        bound = deadlines.person_bound(facts, entry, pack) or deadline.responsible
        again = replace(deadline, state=DeadlineState.running, responsible=bound)
        over = known and again.due_at and again.due_at <= known.at
        if known and over and entry.ends == "upgrade":
            again = replace(
                again, because={**again.because, "known": known.at.isoformat(), "resumed": True}
            )
        elif known and over and not deadlines.breach_known(again):
            again = ends.counted_anew(again, entry, known, calendar=calendar)
        facts = deadlines.replace_deadline(facts, again)
    return facts


def _counts_as_received(facts: CaseFacts, pack: Pack) -> dt.datetime | None:
    """Return the start of 'since receipt': of a case taken over or demanded later, that instant."""
    counted = [
        deadline.starts_at
        for deadline in facts.deadlines
        if pack.find("deadline", deadline.key).counts_from == "received"
    ]
    return min(counted, default=facts.received_at)


def past_starts(facts: CaseFacts) -> Iterable[tuple[str, dt.datetime]]:
    """Yield the starts that lie behind a case in this round, the latest first.

    A deadline that several of them start counts from the latest.
    """
    begun = facts.restarted_at if facts.round > 1 else None
    marks = (
        ("upgraded", facts.upgraded_at),
        ("restarted", begun),
        ("dispatched", facts.dispatched_at if not begun else None),
        ("registered", facts.registered_at if not begun else None),
    )
    return [(name, at) for name, at in marks if at and (begun is None or at >= begun)]


def check_stated_ends(before: CaseFacts, after: CaseFacts, event: Event, *, rules: Rules) -> None:
    """Refuse an end that is over when it is stated. Raises TimeBeforeCase.

    What is registered later than it was received may state one that passed meanwhile.
    """
    if not rules.pack.policy.judges(Judging.known_terms):
        return
    earliest = after.received_at if event.type == "registered" else event.at
    for entry in rules.pack.deadline:
        if entry.until is None or earliest is None:
            continue
        if entry.until.startswith("event.") and event.type not in entry.starts_on:
            continue
        end = ends.stated_end(entry, after, event, calendar=rules.calendar)
        was = ends.stated_end(entry, before, None, calendar=rules.calendar)
        stated = end != was or _is_stated_anew(entry, before, event)
        if end is not None and stated and end < earliest:
            raise TimeBeforeCase(field=entry.until.rpartition(".")[2], at=end, earliest=earliest)


def _is_stated_anew(entry: DeadlineEntry, before: CaseFacts, event: Event) -> bool:
    """Whether an event fills in the form that states an end, for the first time in this round."""
    begun = any(one.key == entry.key and one.round == before.round for one in before.deadlines)
    form = getattr(event, "form", None)
    return not begun and form is not None and (entry.until or "").startswith(f"form.{form}.")


# ---------------------------------------------------------------- another calendar

REASON = "calendar"


def recount(
    facts: CaseFacts,
    *,
    at: dt.datetime,
    pack: Pack,
    calendar: WorkCalendar,
    restores: bool = True,
) -> CaseFacts:
    """Return the case with every running deadline counted from its start under `calendar`.

    `at` is the instant of the recount. Ends that a person named (an extension, a term set by the
    general manager) stay. A breach that a calendar alone had lifted stands again where the deadline
    ends when it had ended then (`restores`): what a mistaken day brought goes with it.
    """
    calendar = calendar_judged(pack, calendar)
    for deadline in facts.deadlines:
        if deadline.running and not _end_is_named(deadline):
            facts = _recount_deadline(facts, deadline, at=at, pack=pack, calendar=calendar)
            if restores and (late := _breach_to_restore(deadline, pack, calendar, at=at)):
                facts = deadlines.replace_deadline(facts, _late_again(deadline, late, at))
    if facts.observe_until and (until := deadlines.observed_until(facts, pack)):
        facts = replace(facts, observe_until=until)
    return facts


def _breach_to_restore(
    deadline: DeadlineFacts, pack: Pack, calendar: WorkCalendar, *, at: dt.datetime
) -> BreachFacts | None:
    """Return the breach that only a calendar lifted and that this one makes stand again."""
    fresh = _recounted_end(deadline, pack.find("deadline", deadline.key), calendar)
    if deadline.breached or fresh.due_at is None or fresh.due_at > at:
        return None
    return next(
        (
            breach
            for breach in deadline.breaches
            if breach.lifted_because == REASON and breach.breached_at == fresh.due_at
        ),
        None,
    )


def _late_again(deadline: DeadlineFacts, late: BreachFacts, at: dt.datetime) -> DeadlineFacts:
    """Return the deadline at the end it had when it was found late."""
    stands = replace(late, lifted_at=None, lifted_because=None)
    return replace(
        deadline,
        due_at=late.breached_at,
        provisional=False,
        because={k: why for k, why in deadline.because.items() if k != "passed"},
        revisions=(*deadline.revisions, Revision(at, deadline.due_at, late.breached_at, REASON)),
        breaches=tuple(stands if one is late else one for one in deadline.breaches),
    )


def _end_is_named(deadline: DeadlineFacts) -> bool:
    """Whether a person named the end and nothing was counted since."""
    return "named" in deadline.because and not deadline.because.get("stood")


def _recount_deadline(
    facts: CaseFacts,
    deadline: DeadlineFacts,
    *,
    at: dt.datetime,
    pack: Pack,
    calendar: WorkCalendar,
) -> CaseFacts:
    fresh = _recounted_end(deadline, pack.find("deadline", deadline.key), calendar)
    rivals = list(_rivals(facts, deadline, pack, calendar=calendar))
    if first := _earliest_rival(facts, fresh, rivals, at=at, pack=pack):
        return _let_rival_run(
            facts,
            deadline,
            replace(fresh, because=_without_rival(fresh, first)),
            first=first,
            at=at,
        )
    over = [_updated_rival(one, rivals) for one in fresh.because.get("over", ())]
    because = {**fresh.because, "over": over} if over else fresh.because
    return deadlines.replace_deadline(
        facts, _with_recounted_end(deadline, replace(fresh, because=because), at)
    )


def _recounted_end(
    deadline: DeadlineFacts, entry: DeadlineEntry, calendar: WorkCalendar
) -> DeadlineFacts:
    """Return the deadline with the end it would have had under this calendar from its start."""
    if named := deadline.because.get("named"):
        fresh = replace(deadline, due_at=dt.datetime.fromisoformat(named), provisional=False)
    elif entry.until is not None:
        fresh = deadline  # a stated end asks no calendar
    else:
        fresh = ends.count_end(deadline, entry, calendar)
    for pause in deadline.because.get("stood", ()):
        since, until = map(dt.datetime.fromisoformat, pause)
        standing = replace(fresh, met_at=since)
        due_at, provisional = ends.end_after_pause(standing, at=until, calendar=calendar)
        fresh = replace(fresh, due_at=due_at, provisional=provisional)
    return fresh


def _with_recounted_end(
    deadline: DeadlineFacts, fresh: DeadlineFacts, at: dt.datetime
) -> DeadlineFacts:
    """Return the deadline at its new end with a revision, or unchanged where that has passed."""
    if fresh.due_at == deadline.due_at:
        because = {k: why for k, why in fresh.because.items() if k != "passed"}
        return replace(fresh, because=because)
    assert fresh.due_at is not None
    if fresh.due_at <= at:
        because = {**deadline.because, "passed": fresh.due_at.isoformat()}
        return replace(deadline, because=because, provisional=fresh.provisional)
    revision = Revision(at, deadline.due_at, fresh.due_at, REASON)
    because = {k: why for k, why in fresh.because.items() if k != "passed"}
    return replace(
        fresh,
        because=because,
        revisions=(*deadline.revisions, revision),
        breaches=tuple(_lift(breach, at) for breach in deadline.breaches),
    )


def _lift(breach: BreachFacts, at: dt.datetime) -> BreachFacts:
    return breach if breach.lifted_at else replace(breach, lifted_at=at, lifted_because=REASON)


# ---------------------------------------------------------------- deadlines of one slot


def _rivals(
    facts: CaseFacts, deadline: DeadlineFacts, pack: Pack, *, calendar: WorkCalendar
) -> Iterator[DeadlineFacts]:
    """Yield the deadlines of other rules that this one ended before, counted anew."""
    for beaten in deadline.because.get("over", ()):
        stored = next(
            (c for c in facts.deadlines if (c.key, c.round) == (beaten["rule"], deadline.round)),
            None,
        )
        if stored is None and "from" not in beaten:
            continue  # An older entry does not say where such a deadline began.
        rival = stored or _never_ran(deadline, beaten)
        yield _recounted_end(rival, pack.find("deadline", rival.key), calendar)


def _earliest_rival(
    facts: CaseFacts,
    deadline: DeadlineFacts,
    rivals: Iterable[DeadlineFacts],
    *,
    at: dt.datetime,
    pack: Pack,
) -> DeadlineFacts | None:
    """Return the rival that now ends first, before this deadline and after `at`, and applies."""
    ends = [
        (rival.due_at, place, rival)
        for place, rival in enumerate(rivals)
        if rival.due_at
        and deadline.due_at
        and at < rival.due_at < deadline.due_at
        and rival.state is DeadlineState.superseded
        and holds(pack.find("deadline", rival.key).applies, facts)
    ]
    return min(ends)[2] if ends else None


def _never_ran(deadline: DeadlineFacts, beaten: Mapping[str, Any]) -> DeadlineFacts:
    """Return a deadline that ended later than the running one from the beginning."""
    begun = {key: beaten[key] for key in ("rule", "clause", "from", "from_event")}
    return DeadlineFacts(
        key=beaten["rule"],
        round=deadline.round,
        state=DeadlineState.superseded,
        starts_at=dt.datetime.fromisoformat(beaten["from"]),
        due_at=None,
        because=begun,
        responsible=deadline.responsible,
    )


def _updated_rival(one: Mapping[str, Any], rivals: list[DeadlineFacts]) -> Mapping[str, Any]:
    """Return the note on a rival that still ends later, with its new end."""
    rival = next((r for r in rivals if r.key == one["rule"]), None)
    if rival is None:
        return one
    return {**one, "due_at": rival.due_at.isoformat() if rival.due_at else None}


def _without_rival(deadline: DeadlineFacts, rival: DeadlineFacts) -> Mapping[str, Any]:
    over = [one for one in deadline.because.get("over", ()) if one["rule"] != rival.key]
    because = {k: why for k, why in deadline.because.items() if k != "over"}
    return {**because, "over": over} if over else because


def _let_rival_run(
    facts: CaseFacts,
    deadline: DeadlineFacts,
    fresh: DeadlineFacts,
    *,
    first: DeadlineFacts,
    at: dt.datetime,
) -> CaseFacts:
    """Let the rival run that ends earlier now, and supersede the deadline that ran."""
    old = _with_recounted_end(deadline, fresh, at)
    known = next((c for c in facts.deadlines if (c.key, c.round) == (first.key, first.round)), None)
    winner = replace(
        _with_recounted_end(known, first, at) if known else first,
        state=DeadlineState.running,
        responsible=deadline.responsible,
    )
    winner = replace(winner, because=starting.because_won(winner, old))
    facts = deadlines.replace_deadline(facts, replace(old, state=DeadlineState.superseded))
    if known:
        return deadlines.replace_deadline(facts, winner)
    return replace(facts, deadlines=(*facts.deadlines, winner))
