"""Apply an event to a case: `apply(facts, event, pack, calendar, now) -> (facts, effects)`.

This is the only place where an event changes a case. Live work, playing a draft and folding an old
journal all come through here, so they cannot differ. Pure: no function here reads a clock or a
database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any

from policy.engine import followup, forms, jury, penalties
from policy.engine.conditions import holds
from policy.engine.fact_changes import Effect, changes
from policy.engine.own_cause import refuse_own_relief, takes_penalties_away, with_proposers
from policy.engine.permission import (
    check_time,
    observation_is_over,
    post_entitled,
    refusal,
    refusal_to_lower,
    refusal_to_raise,
)
from policy.engine.rules import Rules, rules_of
from policy.engine.sanctions import findings, grounds, lateness, penalty_steps, tallies
from policy.engine.severity import (
    EntryTimes,
    checked_extra,
    checked_grade,
    checked_key,
    classify,
    is_lighter,
)
from policy.engine.terms import deadlines, extensions, recounting, starting
from policy.engine.terms.recounting import check_stated_ends, reapply_rules
from policy.pack.schema import DeadlineEntry, Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    ChoiceUnknown,
    FieldMissing,
    GradeBelowFacts,
    StatusForbids,
    TimeInFuture,
)
from policy.vocabulary.events import (
    SYSTEM,
    Assigned,
    Classified,
    Concluded,
    Dispatched,
    Event,
    Imported,
    Judged,
    Promised,
    Recounted,
    Registered,
    Replied,
    TakenOver,
    TimePassed,
    utc,
)
from policy.vocabulary.facts import (
    APPOINTED,
    RELIEVED,
    AssignmentFacts,
    CaseFacts,
    DeadlineFacts,
    ExtensionFacts,
    SignoffFacts,
    replace,
)
from policy.vocabulary.status import (
    ClosingGround,
    ReplyOutcome,
    Responsibility,
    Status,
)
from policy.vocabulary.worktime import WorkCalendar


def apply(
    facts: CaseFacts, event: Event, pack: Pack, *, calendar: WorkCalendar, now: dt.datetime
) -> tuple[CaseFacts, tuple[Effect, ...]]:
    """Return the case after the event, and the changes the event made.

    `event.at` is when it happened, `now` when it is recorded. Raises a DomainError and changes
    nothing where the regulation, a post, a time or the contents forbid the event.
    """
    after = next_facts(facts, event, pack, calendar=calendar, now=now)
    return after, changes(facts, after)


def next_facts(
    facts: CaseFacts, event: Event, pack: Pack, *, calendar: WorkCalendar, now: dt.datetime
) -> CaseFacts:
    """Return the case after the event, as `apply` does, without its changes."""
    rules = rules_of(pack, calendar, now=utc(now))
    at = utc(event.at)
    event = event if at is event.at else event.model_copy(update={"at": at})
    check_time(facts, event, rules.now)
    spared = event.spared if isinstance(event, TimePassed) else ()
    after = pass_time(facts, event.at, rules, spared=spared)
    if reason := refusal(after, event.type, event.by, pack=pack, event=event):
        raise reason
    before = after
    after = HANDLERS[event.type](before, event, rules)
    check_stated_ends(before, after, event, rules=rules)
    if event.type != "registered":
        after = forms.record_grade_change(before, after, event, because=event.type)
    if not isinstance(event, TimePassed):
        after = _apply_rules(before, after, event, rules=rules)
        after = with_proposers(before, after, event, pack=pack)
        after = _risen_at_once(after, event.at, rules)
        refuse_own_relief(before, after, event, pack=pack)
    return after


def pass_time(
    facts: CaseFacts, at: dt.datetime, rules: Rules, *, spared: Collection[str] = ()
) -> CaseFacts:
    """Return the case at an instant: deadlines that ended before `at` are breached and penalised.

    Deadlines whose keys are in `spared` are left as they are.
    """
    late = deadlines.breach_overdue(
        facts, at=at, found_at=rules.now, pack=rules.pack, spared=spared
    )
    late = lateness.for_breaches(late, facts, rules)
    late = grounds.follow(late, rules) if late.penalties is not facts.penalties else late
    for deadline, entry in deadlines.upgrades(facts, late, rules.pack):
        late = _upgraded_by_time(late, deadline, entry, rules=rules)
    return late


def _risen_at_once(facts: CaseFacts, at: dt.datetime, rules: Rules) -> CaseFacts:
    """Raise a case whose time had run out before an event made it count: found true again."""
    for deadline in facts.deadlines:
        entry = rules.pack.find("deadline", deadline.key)
        over = deadline.running and deadline.due_at is not None and deadline.due_at < at
        if not (over and entry.ends == "upgrade" and "resumed" in deadline.because):
            continue
        facts = deadlines.replace_deadline(facts, deadlines.ended(deadline, entry, rules.pack))
        facts = _upgraded_by_time(facts, deadline, entry, rules=rules)
    return facts


def _upgraded_by_time(
    facts: CaseFacts, deadline: DeadlineFacts, entry: DeadlineEntry, *, rules: Rules
) -> CaseFacts:
    """Raise the case to the graver grade of an ended deadline, from that instant on.

    Of one that was over before it could be known, from when it was known.
    """
    assert deadline.due_at is not None
    steps = [step.key for step in rules.pack.severity if step.scale == "grade"]
    if facts.grade in steps and steps.index(facts.grade) <= steps.index(entry.grade or ""):
        return facts
    since = deadline.due_at
    if known := deadline.because.get("known"):
        since = max(since, dt.datetime.fromisoformat(known))
    after = replace(facts, grade=entry.grade, grade_chosen=True, upgraded_at=since)
    after = forms.record_grade_change(facts, after, TimePassed(at=since), because=entry.key)
    return reapply_rules(after, at=since, because="upgraded", rules=rules)


def _apply_rules(before: CaseFacts, after: CaseFacts, event: Event, *, rules: Rules) -> CaseFacts:
    """Apply what the rules add to an event: deadlines met and started, signoffs, penalties."""
    if not followup.tried_in_vain(after, event, rules):
        after = deadlines.meet(
            after, event, pack=rules.pack, calendar=rules.calendar, now=rules.now
        )
    after = deadlines.withdraw_not_owed(after, at=rules.now, pack=rules.pack)
    after = lateness.for_breaches(after, before, rules)
    after = starting.start(
        after,
        event.type,
        at=event.at,
        received_at=after.received_at,
        pack=rules.pack,
        calendar=rules.calendar,
        event=event,
    )
    after = _record_signoff(before, after, event, pack=rules.pack)
    after = forms.claim(after, event, rules)
    after = penalties.for_event(after, before, event, rules=rules)
    return grounds.follow(after, rules)


def _record_signoff(before: CaseFacts, after: CaseFacts, event: Event, *, pack: Pack) -> CaseFacts:
    """Record a signoff where the regulation wants one for this step."""
    for entry in pack.signoffs.get(event.type, ()):
        held = post_entitled(entry, before, event.by, pack=pack) if entry.recorded else None
        if held and event.by.employee and holds(entry.applies, before, event):
            name = SignoffFacts(
                event.type, before.round, held[0], event.by.employee, event.at, held[1]
            )
            return replace(after, signoffs=(*after.signoffs, name))
    return after


# ---------------------------------------------------------------- intake


def _registered(facts: CaseFacts, event: Registered, rules: Rules) -> CaseFacts:
    if event.received_at > event.at:
        raise TimeInFuture(field="received_at", at=event.received_at)
    _require_reason(event)
    # Responsibility is set before the case is classified, because a grade may ask for it.
    facts = replace(facts, responsibility=event.responsibility)
    facts = _with_register_entry(facts, event, rules)
    return replace(
        facts,
        status=_first_status(facts, rules.pack),
        first_asked=event.first_asked or event.by.employee,
        linked=event.linked,
    )


def _require_reason(event: Registered | Classified) -> None:
    """Require a reason from the person who finds the company not responsible (SKD-2.2.1.2)."""
    if event.responsibility is Responsibility.not_responsible and not event.reason:
        raise FieldMissing(field="reason")


def _with_register_entry(facts: CaseFacts, event: Registered | Imported, rules: Rules) -> CaseFacts:
    """Return the case with the facts of a register entry, sorted into kind, level and grade."""
    pack, received_at = rules.pack, utc(event.received_at)
    times = EntryTimes(received_at, event.at, rules.calendar)
    if not checked_key("kind", event.kind, pack):
        raise FieldMissing(field="kind")
    facts = replace(
        facts,
        number=event.number,
        kind=event.kind,
        channel=checked_key("channel", event.channel, pack),
        category=checked_key("category", event.category, pack),
        grade=checked_grade(event.grade, pack),
        grade_chosen=event.grade is not None,
        subject=event.subject,
        body=event.body,
        demand=event.demand,
        extra=checked_extra(event.extra, pack, times),
        received_at=received_at,
        registered_at=event.at,
    )
    return classify(facts, pack)


def _first_status(facts: CaseFacts, pack: Pack) -> Status:
    return Status.registered if pack.find("kind", facts.kind).handled else Status.recorded


def _imported(facts: CaseFacts, event: Imported, rules: Rules) -> CaseFacts:
    facts = _with_register_entry(facts, event, rules)
    closed_at = utc(event.closed_at) if event.closed_at else None
    return replace(facts, status=event.status, history=True, closed_at=closed_at)


def _taken_over(facts: CaseFacts, event: TakenOver, rules: Rules) -> CaseFacts:
    """Turn open history into a case of today: 'since receipt' means since today."""
    facts = _reclassify(facts, event, rules)
    facts = replace(facts, history=False, status=_first_status(facts, rules.pack))
    return starting.start(
        facts, "registered", at=event.at, pack=rules.pack, calendar=rules.calendar
    )


def _classified(facts: CaseFacts, event: Classified, rules: Rules) -> CaseFacts:
    pack = rules.pack
    _require_reason(event)
    found = event.responsibility or facts.responsibility
    after = _reclassify(replace(facts, responsibility=found), event, rules)
    after = replace(after, classified_at=event.at)
    if pack.find("kind", after.kind).handled != pack.find("kind", facts.kind).handled:
        after = _change_handling(facts, after, event, rules=rules)
    after = penalties.take_back_unfounded(after, pack=pack, at=rules.now)
    after = grounds.follow(after, rules)
    _check_lowering(facts, after, event, rules=rules)
    if after.closed_at is not None:
        after = followup.with_retention(after, rules)
    return reapply_rules(after, at=event.at, because=event.type, rules=rules)


def _check_lowering(facts: CaseFacts, after: CaseFacts, event: Classified, *, rules: Rules) -> None:
    """Ask a reason, and who may, where a grade or level falls or a penalty loses its ground.

    Raises FieldMissing, SelfForbidden, PostMissing.
    """
    pack = rules.pack
    fallen = is_lighter(after, facts, pack) or takes_penalties_away(facts, after)
    if not fallen or not pack.policy.judges(Judging.facts_outweigh):
        if only_lowers := refusal_to_raise(facts, event.type, event.by, pack=pack, event=event):
            raise only_lowers
        return
    if not event.reason:
        raise FieldMissing(field="reason")
    if reason := refusal_to_lower(facts, event.type, event.by, pack=pack, event=event):
        raise reason


def _change_handling(
    facts: CaseFacts, after: CaseFacts, event: Classified, *, rules: Rules
) -> CaseFacts:
    """Start or end the handling of a case whose new kind is handled otherwise than the old one.

    Possible only before a department has the case. A complaint demanded later counts 'since
    receipt' from when it was demanded.
    """
    if facts.status not in (Status.registered, Status.recorded):
        raise StatusForbids(deed="classified", status=facts.status)
    after = replace(after, status=_first_status(after, rules.pack))
    return starting.start(
        after, "registered", at=event.at, pack=rules.pack, calendar=rules.calendar
    )


def _reclassify(facts: CaseFacts, event: Classified | TakenOver, rules: Rules) -> CaseFacts:
    pack, was = rules.pack, facts.grade
    grade = checked_grade(event.grade, pack)
    facts = replace(
        facts,
        category=checked_key("category", event.category, pack) or facts.category,
        grade=grade or facts.grade,
        grade_chosen=facts.grade_chosen or grade is not None,
    )
    if isinstance(event, TakenOver):
        facts = replace(facts, channel=checked_key("channel", event.channel, pack) or facts.channel)
    else:
        times = EntryTimes(facts.received_at or event.at, event.at, rules.calendar)
        extra = {**facts.extra, **checked_extra(event.extra, pack, times)}
        kind = checked_key("kind", event.kind, pack) or facts.kind
        facts = replace(facts, extra=extra, kind=kind)
    facts = classify(facts, pack)
    if grade not in (None, was, facts.grade):
        step = pack.find("severity", facts.grade)
        raise GradeBelowFacts(grade=step.label, cite=step.cite)
    return facts


def _upgraded(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    entry = next(
        e for e in rules.pack.escalation if e.event == event.type and holds(e.applies, facts)
    )
    after = replace(facts, grade=entry.grade, grade_chosen=True, upgraded_at=event.at)
    return reapply_rules(after, at=event.at, because=event.type, rules=rules)


def _reviewed(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    return deadlines.restart_review(facts, at=event.at, pack=rules.pack, calendar=rules.calendar)


def _dispatched(facts: CaseFacts, event: Dispatched, rules: Rules) -> CaseFacts:
    entry = rules.pack.find("department", event.department)
    if entry is None or not entry.answers:
        raise ChoiceUnknown(field="department", value=event.department)
    facts = replace(
        facts,
        status=Status.dispatched,
        dispatched_at=facts.dispatched_at or event.at,
        director_only=event.director_only,
    )
    assignment = AssignmentFacts(
        event.department,
        facts.round,
        event.at,
        followup.responsible_person(event, facts),
    )
    return deadlines.bind_responsible(
        replace(facts, assignments=(*facts.assignments, assignment)),
        at=event.at,
        pack=rules.pack,
        calendar=rules.calendar,
    )


# ---------------------------------------------------------------- the department


def _change_assignment(facts: CaseFacts, **changed: Any) -> CaseFacts:
    if not facts.assignments:
        return facts
    return replace(
        facts, assignments=(*facts.assignments[:-1], replace(facts.assignments[-1], **changed))
    )


def _returned(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    facts = replace(_change_assignment(facts, returned_at=event.at), status=Status.returned)
    if not rules.pack.policy.judges(Judging.known_terms):
        return facts
    return deadlines.bind_responsible(facts, at=event.at, pack=rules.pack, calendar=rules.calendar)


def _assigned(facts: CaseFacts, event: Assigned, rules: Rules) -> CaseFacts:
    facts = _change_assignment(facts, handler=event.handler)
    if not rules.pack.policy.judges(Judging.own_rounds):
        return facts
    return forms.mark_person(facts, event, APPOINTED, employee=event.handler)


def _contacted(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    return replace(facts, contacted_at=facts.contacted_at or event.at)


def _unchanged(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    return facts


def _replied(facts: CaseFacts, event: Replied, rules: Rules) -> CaseFacts:
    """Record the department's answer, which waits for the director.

    The person who answers becomes the handler where the case has none. An answer from a
    department's workbook names no person and sets no handler.
    """
    facts = _with_answerer(facts, event, rules)
    facts = replace(facts, status=Status.replied, replied_at=event.at, reply_outcome=event.outcome)
    if event.outcome is not ReplyOutcome.extension:
        return facts
    if event.until is None:
        raise FieldMissing(field="until")
    extensions.checked_extension(facts, utc(event.until), event.at, rules=rules)
    extension = ExtensionFacts(facts.round, event.at, utc(event.until), event.text)
    return replace(facts, extensions=(*facts.extensions, extension))


def _with_answerer(facts: CaseFacts, event: Replied, rules: Rules) -> CaseFacts:
    """Return the case with the handler it has by an answer.

    Whom the director appointed stays; else who gave this answer handles the case, not whose answer
    was declined or is of an earlier round (SKD-3.2.3.1.1c).
    """
    who = event.by.employee
    if not rules.pack.policy.judges(Judging.own_rounds):
        keeps = facts.handler is not None or not who
        return facts if keeps else _change_assignment(facts, handler=who)
    if forms.is_appointed(facts) or facts.handler == who:
        return facts
    if facts.handler:
        facts = forms.mark_person(facts, event, RELIEVED, employee=facts.handler)
    return _change_assignment(facts, handler=who)


_AFTER_CONFIRMING = {
    ReplyOutcome.solved: Status.confirmed,
    ReplyOutcome.extension: Status.raised,
    ReplyOutcome.raise_to_gm: Status.intervened,
}


def _confirmed(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    assert facts.reply_outcome is not None
    status = _AFTER_CONFIRMING[facts.reply_outcome]
    if status is Status.confirmed:
        return replace(facts, status=status, confirmed_at=event.at)
    return replace(facts, status=status, raised_at=event.at)


def _declined(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    asked = facts.extensions
    if facts.reply_outcome is ReplyOutcome.extension:
        asked = (*asked[:-1], replace(asked[-1], granted=False, decided_at=event.at))
    return replace(facts, status=Status.dispatched, reply_outcome=None, extensions=asked)


def _concluded(facts: CaseFacts, event: Concluded, rules: Rules) -> CaseFacts:
    """End the case at the desk: a question answered, an incident with complete documents."""
    facts = deadlines.meet_answered(facts, at=event.at, pack=rules.pack, now=rules.now)
    facts = replace(facts, closing_ground=ClosingGround.concluded)
    return followup.close(facts, event.text, event, rules=rules)


def _promised(facts: CaseFacts, event: Promised, rules: Rules) -> CaseFacts:
    facts = forms.promise(facts, event, rules)
    if event.until is None:
        return facts
    return deadlines.move_as_promised(facts, at=event.at, pack=rules.pack)


def _factory_closed(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    return replace(facts, factory_closed_at=event.at)


# ---------------------------------------------------------------- money and time


def _judged(facts: CaseFacts, event: Judged, rules: Rules) -> CaseFacts:
    return findings.for_judgement(facts, event, rules)


def _penalty_step(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    return penalty_steps.apply_step(facts, event, pack=rules.pack, calendar=rules.calendar)


def _recounted(facts: CaseFacts, event: Recounted, rules: Rules) -> CaseFacts:
    said: dict[str, Any] = {"pack": rules.pack, "calendar": rules.calendar}
    return recounting.recount(facts, at=event.at, **said, restores=event.restores)


def archivable(facts: CaseFacts, pack: Pack) -> bool:
    """Whether the case may go to the archive now without anybody's deed."""
    return (
        observation_is_over(facts, pack) and refusal(facts, "archived", SYSTEM, pack=pack) is None
    )


HANDLERS: Mapping[str, Callable[[CaseFacts, Any, Rules], CaseFacts]] = {
    "registered": _registered,
    "imported": _imported,
    "taken_over": _taken_over,
    "classified": _classified,
    "upgraded": _upgraded,
    "reviewed": _reviewed,
    "dispatched": _dispatched,
    "returned": _returned,
    "assigned": _assigned,
    "contacted": _contacted,
    "progressed": _unchanged,
    "arrived_on_site": _unchanged,
    "replied_in_writing": _unchanged,
    "replied": _replied,
    "confirmed": _confirmed,
    "declined": _declined,
    "extension_granted": extensions.granted,
    "extension_refused": extensions.refused,
    "decided": extensions.decided,
    "factory_closed": _factory_closed,
    "promised": _promised,
    "informed": forms.inform,
    "filled": forms.fill,
    "reported": forms.report,
    "checked": forms.tick_item,
    "endorsed": forms.endorse,
    "escalated": forms.escalate,
    "involved": forms.involve,
    "verified": followup.verified,
    "concluded": _concluded,
    "appealed": jury.appeal,
    "convened": jury.convene,
    "voted": jury.vote,
    "ruled": jury.rule,
    "called_back": followup.called_back,
    "restarted": followup.restarted,
    "settled": followup.settled,
    "signed": followup.signed,
    "archived": followup.archived,
    "judged": _judged,
    "penalty_confirmed": _penalty_step,
    "penalty_waived": _penalty_step,
    "penalty_notified": _penalty_step,
    "penalty_reversed": _penalty_step,
    "handed_over": followup.handed_over,
    "time_passed": _unchanged,
    "recounted": _recounted,
    "retallied": tallies.retally,
}
