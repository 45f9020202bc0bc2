"""Extensions: more time that is asked for, granted or refused, and a term the top decides on."""

from __future__ import annotations

import datetime as dt

from policy.engine.conditions import holds
from policy.engine.rules import Rules
from policy.engine.terms import deadlines, ends
from policy.engine.terms.recounting import reapply_rules
from policy.pack.schema import ExtensionEntry
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    ExtensionForbidden,
    ExtensionTooLong,
    FieldMissing,
    TimeBeforeCase,
)
from policy.vocabulary.events import Decided, Event, ExtensionGranted, utc
from policy.vocabulary.facts import CaseFacts, DeadlineFacts, TallyFacts, replace
from policy.vocabulary.status import DeadlineState, Status


def checked_extension(
    facts: CaseFacts, until: dt.datetime, at: dt.datetime, *, rules: Rules
) -> ExtensionEntry:
    """Return the rule that allows an extension until then.

    The time is counted in all from the first start. Raises ExtensionForbidden, ExtensionTooLong,
    TimeBeforeCase.
    """
    entries = rules.pack.extension
    entry = next((e for e in entries if not e.top_alone and holds(e.applies, facts)), None)
    deadline = deadlines.slot_deadline(facts, entry.slot, rules.pack) if entry else None
    if entry is None or deadline is None:
        cite = entries[0].cite if entries else ""
        raise ExtensionForbidden(grade=rules.pack.label("severity", facts.grade), cite=cite)
    latest = entry.in_all.end(deadline.starts_at, rules.calendar).at
    if until > latest:
        raise ExtensionTooLong(latest=latest, cite=entry.cite)
    if until <= at:
        raise TimeBeforeCase(field="until", at=until, earliest=at)
    return entry


def granted(facts: CaseFacts, event: ExtensionGranted, rules: Rules) -> CaseFacts:
    """Let the deadline run on until the day that is granted, counted where the rule counts it."""
    entry = checked_extension(facts, utc(event.until), event.at, rules=rules)
    deadline = deadlines.slot_deadline(facts, entry.slot, rules.pack)
    assert deadline is not None
    facts = deadlines.reopen(
        facts, deadline, due_at=utc(event.until), at=event.at, reason="extension_granted"
    )
    if entry.counter:
        count = TallyFacts(entry.counter, facts.department, event.at)
        facts = replace(facts, tallies=(*facts.tallies, count))
    return _decided_extension(facts, event, granted=True, rules=rules)


def _decided_extension(facts: CaseFacts, event: Event, *, granted: bool, rules: Rules) -> CaseFacts:
    last = replace(facts.extensions[-1], granted=granted, decided_at=event.at)
    facts = replace(
        facts,
        status=Status.dispatched,
        reply_outcome=None,
        extensions=(*facts.extensions[:-1], last),
    )
    if not rules.pack.policy.judges(Judging.known_terms):
        return facts
    return reapply_rules(facts, at=event.at, because=event.type, rules=rules)


def refused(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    """Let the deadline run on with the time it had left when the extension was asked for."""
    for slot in dict.fromkeys(entry.slot for entry in rules.pack.extension):
        deadline = deadlines.slot_deadline(facts, slot, rules.pack)
        if deadline is None or deadline.state is not DeadlineState.met:
            continue
        due_at, provisional = ends.end_after_pause(deadline, at=event.at, calendar=rules.calendar)
        facts = deadlines.reopen(
            facts,
            deadline,
            due_at=due_at,
            provisional=provisional,
            at=event.at,
            reason="extension_refused",
            stood=(deadline.met_at or event.at, event.at),
        )
    return _decided_extension(facts, event, granted=False, rules=rules)


def decided(facts: CaseFacts, event: Decided, rules: Rules) -> CaseFacts:
    """Record that the general manager solved the case, or gives it back with a term."""
    if event.solved:
        return replace(facts, status=Status.confirmed, confirmed_at=event.at)
    if event.until is None:
        raise FieldMissing(field="until")
    until = utc(event.until)
    if until <= event.at:
        raise TimeBeforeCase(field="until", at=until, earliest=event.at)
    answering = [e.slot for e in rules.pack.deadline if e.slot and "confirmed" in e.met_by]
    for slot in dict.fromkeys(answering):
        if deadline := deadlines.slot_deadline(facts, slot, rules.pack):
            _check_most(facts, deadline, until, at=event.at, rules=rules)
            facts = deadlines.reopen(facts, deadline, due_at=until, at=event.at, reason="decided")
    return replace(facts, status=Status.dispatched, reply_outcome=None)


def _check_most(
    facts: CaseFacts, deadline: DeadlineFacts, until: dt.datetime, *, at: dt.datetime, rules: Rules
) -> None:
    """Refuse a term beyond the most that the regulation gives from the deadline's start.

    That is what an extension gives in all, or else the deadline's own term. Once the most is over
    the decision gives it anew, and the breach stays. Raises ExtensionTooLong.
    """
    rule = rules.pack.find("deadline", deadline.key)
    entry = next(
        (e for e in rules.pack.extension if e.slot == rule.slot and holds(e.applies, facts)), None
    )
    most = entry.in_all if entry else rule.within
    beyond = entry is not None and entry.top
    if most is None or beyond or not rules.pack.policy.judges(Judging.bounded_grants):
        return
    latest = most.end(deadline.starts_at, rules.calendar).at
    if latest <= at:
        latest = most.end(at, rules.calendar).at
    if until > latest:
        raise ExtensionTooLong(latest=latest, cite=(entry or rule).cite)
