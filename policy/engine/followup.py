"""Events after an answer: callbacks, restart, settling, closing, the archive.

Handlers of `policy.engine.case`, from the first callback to the archive.
"""

from __future__ import annotations

from policy.engine import forms, penalties
from policy.engine.conditions import holds
from policy.engine.rules import Rules
from policy.engine.sanctions import lateness
from policy.engine.terms import deadlines, starting
from policy.engine.terms.recounting import reapply_rules
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import FieldMissing, PersonUnknown
from policy.vocabulary.events import (
    CalledBack,
    Dispatched,
    Event,
    HandedOver,
    Restarted,
    Settled,
    Signed,
    Verified,
)
from policy.vocabulary.facts import AssignmentFacts, CallbackFacts, CaseFacts, replace
from policy.vocabulary.status import CallOutcome, CallPurpose, ClosingGround, Status
from policy.vocabulary.worktime import WorkCalendar


def responsible_person(event: Dispatched | HandedOver | Restarted, facts: CaseFacts) -> str | None:
    """Return who is first responsible: the director, or their deputy of that day (SKD-3.2.2.1).

    None while nobody holds the post: a vacancy keeps no case from the department.
    """
    away = event.deputy is not None and not facts.director_only
    return event.deputy if away else event.holder


def handed_over(facts: CaseFacts, event: HandedOver, rules: Rules) -> CaseFacts:
    """Pass the case on from an instant; deadlines run on, and what ended before stays whose it was.

    Told again after a correction, it changes nothing where another department has the case.
    """
    if event.department not in (None, facts.department):
        return facts
    last = facts.assignments[-1]
    after = AssignmentFacts(
        last.department, last.round, event.at, responsible_person(event, facts), event.handler
    )
    facts = replace(facts, assignments=(*facts.assignments, after))
    facts = deadlines.pass_on(facts, since=event.at, pack=rules.pack)
    return lateness.charge_who_had_it(facts, since=event.at, rules=rules)


def called_back(facts: CaseFacts, event: CalledBack, rules: Rules) -> CaseFacts:
    """Record one attempt to call back; an answered one decides how the case goes on."""
    answered = event.outcome is CallOutcome.answered
    if answered and event.satisfaction is None:
        raise FieldMissing(field="satisfaction")
    if event.by.employee is None:
        raise PersonUnknown(role="caller", on=event.at.date())
    facts = replace(facts, callbacks=(*facts.callbacks, _callback_facts(facts, event)))
    if event.purpose is CallPurpose.satisfaction:
        return _apply_satisfaction(facts, rules)
    return _apply_verification(facts, rules)


def _apply_satisfaction(facts: CaseFacts, rules: Rules) -> CaseFacts:
    """Apply the last satisfaction callback: an unhappy answer disputes what was to be the end."""
    call = facts.callbacks[-1]
    if call.outcome is not CallOutcome.answered or not call.unhappy:
        return facts
    if facts.status is Status.closed:
        return replace(facts, status=Status.disputed)
    if facts.status is Status.accepted and rules.pack.policy.judges(Judging.own_rounds):
        return replace(facts, status=Status.disputed, closing_ground=None)
    return facts


def _callback_facts(facts: CaseFacts, event: CalledBack) -> CallbackFacts:
    tried = [c for c in facts.callbacks if (c.purpose, c.round) == (event.purpose, facts.round)]
    assert event.by.employee is not None
    answered = event.outcome is CallOutcome.answered
    return CallbackFacts(
        purpose=event.purpose,
        round=facts.round,
        attempt=len(tried) + 1,
        at=event.at,
        outcome=event.outcome,
        caller=event.by.employee,
        satisfaction=event.satisfaction if answered else None,
        process_score=event.process_score if answered else None,
        matches_form=event.matches_form if answered else None,
        asks_more=event.asks_more if answered else None,
        care_insists=event.care_insists if answered else None,
        method=event.method,
        text=event.text,
    )


def _apply_verification(facts: CaseFacts, rules: Rules) -> CaseFacts:
    """Apply the last verification callback: accepted, confirmed for more work, or disputed."""
    call = facts.callbacks[-1]
    if call.outcome is CallOutcome.answered:
        if not call.unhappy:
            return replace(facts, status=Status.accepted, closing_ground=ClosingGround.satisfied)
        if call.demands_more:
            return replace(facts, status=Status.confirmed, closing_ground=None)
        return replace(facts, status=Status.disputed, closing_ground=None)
    if calling_is_over(facts, pack=rules.pack, calendar=rules.calendar):
        ground = ClosingGround(call.outcome.value)
        return replace(facts, status=Status.accepted, closing_ground=ground)
    return facts


def tried_in_vain(facts: CaseFacts, event: Event, rules: Rules) -> bool:
    """Whether an event is a call without an answer that leaves more attempts to be made."""
    if not (isinstance(event, CalledBack) and rules.pack.policy.judges(Judging.patient_calls)):
        return False
    answered = event.outcome is CallOutcome.answered
    return not (answered or calling_is_over(facts, pack=rules.pack, calendar=rules.calendar))


def calling_is_over(facts: CaseFacts, *, pack: Pack, calendar: WorkCalendar) -> bool:
    """Whether the regulation lets the case go on without an answer to its last sort of call."""
    last = facts.callbacks[-1]
    patient = pack.policy.judges(Judging.patient_calls)
    for entry in pack.callback:
        if entry.purpose != last.purpose.value or last.outcome.value not in entry.ends_on:
            continue
        if last.outcome is not CallOutcome.unreachable and not patient:
            return True
        tries = [
            c
            for c in facts.callbacks
            if (c.purpose, c.round) == (last.purpose, last.round)
            and (c.outcome is last.outcome or (patient and c.outcome is not CallOutcome.answered))
        ]
        days = {calendar.local(c.at).date() for c in tries}
        return len(tries) >= entry.attempts and len(days) >= entry.on_days
    return False


def verified(facts: CaseFacts, event: Verified, rules: Rules) -> CaseFacts:
    """Record a finding, then reapply the deadlines and penalties that may depend on it.

    A complaint found invalid does not rise, and its penalties are taken back.
    """
    found = forms.verify(facts, event, rules)
    found = penalties.take_back_unfounded(found, pack=rules.pack, at=rules.now)
    found = penalties.take_back_earlier_finding(found, event, pack=rules.pack, at=rules.now)
    return reapply_rules(found, at=event.at, because=event.type, rules=rules)


def restarted(facts: CaseFacts, event: Restarted, rules: Rules) -> CaseFacts:
    """Begin another round: deadlines of the last one stop, breaches and penalties stay."""
    last = facts.assignments[-1]
    facts = deadlines.supersede_round(facts, rules.pack)
    assignment = AssignmentFacts(
        last.department,
        facts.round + 1,
        event.at,
        responsible_person(event, facts),
        last.handler,
    )
    return replace(
        facts,
        status=Status.dispatched,
        round=facts.round + 1,
        assignments=(*facts.assignments, assignment),
        restarted_at=event.at,
        reply_outcome=None,
        closing_ground=None,
        feedback=None,
        replied_at=None,
        confirmed_at=None,
        raised_at=None,
        closed_at=None,
        observe_until=None,
        factory_closed_at=None,
        retain_until=None,
    )


def settled(facts: CaseFacts, event: Settled, rules: Rules) -> CaseFacts:
    """Accept a dissatisfied customer's silence, which is the care director's signoff too."""
    if facts.closed_at is not None:
        return replace(facts, status=Status.closed)
    facts = replace(facts, closing_ground=ClosingGround.settled)
    return close(facts, event.reason, event, rules=rules)


def signed(facts: CaseFacts, event: Signed, rules: Rules) -> CaseFacts:
    """Close the case with the customer's own words."""
    return close(facts, event.feedback, event, rules=rules)


def close(facts: CaseFacts, feedback: str, event: Event, *, rules: Rules) -> CaseFacts:
    """Close the case, start its observation and set until when it is kept."""
    facts = replace(facts, status=Status.closed, closed_at=event.at, feedback=feedback)
    facts = with_retention(facts, rules)
    watched = starting.start(
        facts,
        event.type,
        at=event.at,
        received_at=facts.received_at,
        pack=rules.pack,
        calendar=rules.calendar,
    )
    return replace(watched, observe_until=deadlines.observed_until(watched, rules.pack))


def with_retention(facts: CaseFacts, rules: Rules) -> CaseFacts:
    """Set the day until which a closed case is kept; None where it is kept without an end."""
    assert facts.closed_at is not None
    until = None
    for entry in rules.pack.retention:
        if holds(entry.applies, facts):
            end = entry.keep.end(facts.closed_at, rules.calendar).at if entry.keep else None
            until = rules.calendar.local(end).date() if end else None
    return replace(facts, retain_until=until)


def archived(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    """Archive the case; a callback that was not made is owed no longer."""
    facts = deadlines.stop_all(facts, rules.pack)
    return replace(facts, status=Status.archived, archived_at=event.at)
