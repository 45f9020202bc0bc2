"""The journal: the only way by which a case changes, and a history that only grows.

`record_event` locks the case, reads its facts, asks the engine, and writes the journal row with its
consequences. It flushes and never commits: an event and its consequences stand or fall together.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from enums import Role
from models import Complaint, Employee, Journal, Notice, PolicyVersion, WageMonth
from policy.engine.case import apply, archivable
from policy.engine.fact_changes import Effect, changes
from policy.engine.folding import JournalEntry, fold
from policy.engine.messages import Notification, notifications
from policy.engine.penalties import wage_month
from policy.engine.rules import Rules
from policy.engine.sanctions.tallies import settled
from policy.engine.terms import deadlines
from policy.pack.schema import Pack
from policy.vocabulary import time_bounds
from policy.vocabulary.errors import ChangedMeanwhile, DomainError, MonthClosed, NotFound
from policy.vocabulary.events import (
    SYSTEM,
    By,
    Corrected,
    Event,
    Filled,
    HandedOver,
    Moved,
    Recounted,
    Retallied,
    Withdrawn,
    dump_event,
    load_event,
    make_event,
    utc,
)
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import ENDS, ActorKind, Status
from policy.vocabulary.worktime import WorkCalendar
from services.calendar import working_calendar
from services.cases import record
from services.cases.sanctions import tallies
from services.company import actors, succession
from services.company.actors import Actor
from services.company.succession import Succession
from services.regulation import policies

log = logging.getLogger(__name__)


def lock_case(session: Session, number: str, *, seen: int | None = None) -> Complaint:
    """Return the case, locked until the commit; `seen` is the version a form was made from.

    Raises NotFound, and ChangedMeanwhile when another user recorded an event since `seen`.
    """
    complaint = session.scalars(
        sa.select(Complaint)
        .where(Complaint.number == number)
        .options(*record.WITH_ALL)
        .with_for_update(of=Complaint)
        .execution_options(populate_existing=True)
    ).first()
    if complaint is None:
        raise NotFound(what="complaint", key=number)
    if seen is not None and seen != complaint.version:
        raise ChangedMeanwhile(what="complaint", key=number)
    return complaint


def rules_of(
    session: Session, complaint: Complaint, *, as_of: dt.datetime | None = None
) -> tuple[Pack, WorkCalendar]:
    """Return the regulation a case is under and the company's calendar, as of an instant if
    given.
    """
    calendar = working_calendar.work_calendar(session, as_of=as_of)
    return policies.pack(session, complaint.policy_version), calendar


def record_event(
    session: Session,
    complaint: Complaint,
    kind: type[Event],
    /,
    *,
    actor: Actor,
    now: dt.datetime,
    at: dt.datetime | None = None,
    **said: Any,
) -> tuple[Effect, ...]:
    """Record an event on a case and return what it changed.

    `now` is when the event is recorded, `at` when it happened (`now`, unless stated otherwise);
    further keywords are the fields of the event. Raises a DomainError and changes nothing.
    """
    time_bounds.check_event(kind, said | {"at": at or now}, now=now)
    # A fold asks for the calendar of the same instant and must come to the same case.
    rules = rules_of(session, complaint, as_of=now)
    _check_declared_times(kind, said, rules[0], now=now)
    actors.check_present(session, actor, on=rules[1].local(now).date())
    passed = [] if kind in _LEAVE_WHO_LEADS else _passed_on(session, complaint, rules, now=now)
    said |= {"rules": rules, "actor": actor, "now": now, "at": at}
    if not passed:
        return _record(session, complaint, kind, **said)
    with session.begin_nested():  # refused, the deed leaves nothing behind
        _pass_on(session, complaint, rules, passed=passed, now=now)
        return _record(session, complaint, kind, **said)


def _record(
    session: Session,
    complaint: Complaint,
    kind: type[Event],
    /,
    *,
    rules: tuple[Pack, WorkCalendar],
    actor: Actor,
    now: dt.datetime,
    at: dt.datetime | None = None,
    **said: Any,
) -> tuple[Effect, ...]:
    """Record one event and nothing before it."""
    pack, calendar = rules
    by = actor_on(session, complaint, actor, on=calendar.local(at or now).date())
    if kind is HandedOver and actor.role is Role.administrator:
        by = by.model_copy(update={"kind": ActorKind.system})
    event = make_event(kind, **said, at=at or now, by=by)
    before = record.facts_of(session, complaint) if complaint.version else CaseFacts()
    if isinstance(event, Corrected | Withdrawn | Moved):
        after = facts_if_amended(session, complaint, event, now=now)
        effects = changes(before, after)
    else:
        after, effects = apply(before, event, pack, calendar=calendar, now=now)
    if isinstance(event, Moved):
        complaint.policy_version = session.get_one(PolicyVersion, event.to)
        pack, _ = rules_of(session, complaint)
    told = notifications(event, effects, before, after=after, pack=pack, seq=complaint.version + 1)
    rules = (pack, calendar)
    _write(session, complaint, event, after=after, told=told, rules=rules, actor=actor, now=now)
    log.info("%s: %s", complaint.number, event.type)
    if not isinstance(event, Retallied):
        _count_others_anew(session, complaint, before, after=after, pack=pack, now=now)
    return effects


_LEAVE_WHO_LEADS = (Corrected, Withdrawn, Moved, Recounted, HandedOver)
"""Events that are previewed or say themselves who leads: nothing else happens with them."""

_OVER = (*ENDS, Status.closed, Status.recorded)


def follow_post(session: Session, complaint: Complaint, *, now: dt.datetime) -> None:
    """Pass a case on to who leads its department since others did; nothing where they still do."""
    rules = rules_of(session, complaint, as_of=now)
    passed = _passed_on(session, complaint, rules, now=now)
    _pass_on(session, complaint, rules, passed=passed, now=now)


def _passed_on(
    session: Session, complaint: Complaint, rules: tuple[Pack, WorkCalendar], *, now: dt.datetime
) -> list[Succession]:
    """Return who led the case's department after who answers for it; nobody where they still do."""
    pack, calendar = rules
    if complaint.history or complaint.status in _OVER or not record.has_case(complaint):
        return []
    last, on = complaint.assignments[-1], calendar.local(now).date()
    entry = pack.find("department", last.department_key)
    post = entry.director if entry else None
    if not post or succession.leads_still(session, post, last.responsible_id, on=on):
        return []
    leading = last.responsible.number if last.responsible else None
    since = calendar.local(last.dispatched_at).date()
    return list(succession.successions(session, post, leading=leading, from_on=since, until_on=on))


def _pass_on(
    session: Session,
    complaint: Complaint,
    rules: tuple[Pack, WorkCalendar],
    *,
    passed: Iterable[Succession],
    now: dt.datetime,
) -> None:
    """Record who led the department from which day on.

    They answer for what ends from then on. The case stays in the company's department it was handed
    to, with who handles it.
    """
    last = complaint.assignments[-1] if complaint.assignments else None
    for then in passed:
        assert last is not None
        _record(
            session,
            complaint,
            HandedOver,
            rules=rules,
            actor=actors.SYSTEM,
            now=now,
            at=max(rules[1].instant(then.on, dt.time()), last.dispatched_at),
            department=last.department_key,
            holder=then.holder,
            deputy=then.deputy,
            handler=last.handler.number if last.handler else None,
            cause="post",
        )


def _check_declared_times(
    kind: type[Event], said: Mapping[str, Any], pack: Pack, *, now: dt.datetime
) -> None:
    """Refuse a day in a field of the regulation that nobody can mean (TimeOutOfBounds)."""
    whole = pack.find("form", said.get("form")) if kind is Filled else None
    fields = {one.key: one for one in (whole.fields if whole else pack.field)}
    for key, value in (said.get("data" if whole else "extra") or {}).items():
        if key in fields:
            time_bounds.check_declared(fields[key], value, now=now)


def check_amended_times(
    session: Session,
    complaint: Complaint,
    row: Journal,
    *,
    changes: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    """Refuse a correction that states a time nobody can mean (TimeOutOfBounds, TimeInFuture)."""
    try:
        event = load_event({**row.data, **changes})
    except DomainError:
        return  # the fold of the amended journal says what does not fit
    said = {name: getattr(event, name) for name in changes if name in type(event).model_fields}
    time_bounds.check_event(type(event), said, now=now)
    pack, _ = rules_of(session, complaint)
    about = {"form": event.form} if isinstance(event, Filled) else {}
    _check_declared_times(type(event), said | about, pack, now=now)


def _count_others_anew(
    session: Session,
    complaint: Complaint,
    before: CaseFacts,
    *,
    after: CaseFacts,
    pack: Pack,
    now: dt.datetime,
) -> None:
    """Record in other cases, and here, what this change makes them count otherwise (SAL-12.10)."""
    for other in tallies.affected(session, complaint, before=before, after=after, pack=pack):
        rules = rules_of(session, other, as_of=now)
        facts = record.facts_of(session, other)
        said = tallies.said_of(session, other, source=complaint, facts=facts, pack=rules[0])
        event = Retallied(at=now, by=SYSTEM, **said)
        if settled(facts, event, Rules(*rules, utc(now))).penalties == facts.penalties:
            continue
        locked = lock_case(session, other.number)
        record_event(session, locked, Retallied, actor=actors.SYSTEM, now=now, **said)


def actor_on(session: Session, complaint: Complaint, actor: Actor, *, on: dt.date) -> By:
    """Return the actor as the engine judges them on a day, on this case under its regulation."""
    return actors.as_of(
        session,
        actor,
        policy_id=complaint.policy_version.policy_id,
        on=on,
        has_case=record.has_case(complaint),
    )


Deeds = Mapping[str, Callable[..., tuple[Effect, ...]]]
"""The functions that do the deeds of a module, by the names of their events."""


def plain_deed(kind: type[Event], what: str) -> Any:
    """Return a function that records an event of this kind; `what` becomes its docstring.

    For events whose fields need no look-up before they are recorded.
    """

    def deed(
        session: Session, complaint: Complaint, *, actor: Actor, now: dt.datetime, **said: Any
    ) -> tuple[Effect, ...]:
        return record_event(session, complaint, kind, actor=actor, now=now, **said)

    deed.__doc__ = what
    return deed


def facts_if_amended(
    session: Session,
    complaint: Complaint,
    amendment: Corrected | Withdrawn | Moved,
    *,
    now: dt.datetime,
) -> CaseFacts:
    """Return the facts a correction, a withdrawal or a move would give. Writes nothing.

    Raises LaterStepsStand where later steps no longer fit, RuleGone where a version lacks a rule,
    MonthClosed where a list already paid would change, and the errors of the corrected fields.
    """
    entry = JournalEntry(complaint.version + 1, amendment, now)
    after = _fold(session, complaint, [*entries(session, complaint), entry])
    _refuse_paid_months(session, complaint, after)
    return after


def _fold(session: Session, complaint: Complaint, told: Sequence[JournalEntry]) -> CaseFacts:
    """Fold journal entries into facts, under the versions of the regulation the case went
    through.
    """
    pack, calendar = rules_of(session, complaint)
    past = working_calendar.history(session)
    moves = [entry.event for entry in told if isinstance(entry.event, Moved)]
    if not moves:
        return fold(told, pack, calendar, calendars=past)
    ids = {moves[0].was, *(move.to for move in moves)}
    versions = session.scalars(sa.select(PolicyVersion).where(PolicyVersion.id.in_(ids)))
    packs = {version.id: policies.pack(session, version) for version in versions}
    return fold(told, packs[moves[0].was], calendar, calendars=past, packs=packs)


def _refuse_paid_months(session: Session, complaint: Complaint, after: CaseFacts) -> None:
    """Refuse to take a penalty out of a list that was paid; it can be reversed instead."""
    counted = {(c.rule, c.employee, c.occasion, c.sign): c.counts_at for c in after.penalties}
    for row in complaint.penalties:
        identity = (row.rule, row.employee.number, row.occasion, row.sign)
        if row.month is None or counted.get(identity) == row.counts_at:
            continue
        if first_open_month(session, row.month) != row.month:
            raise MonthClosed(month=row.month)


def _write(
    session: Session,
    complaint: Complaint,
    event: Event,
    *,
    after: CaseFacts,
    told: Iterable[Notification],
    rules: tuple[Pack, WorkCalendar],
    actor: Actor,
    now: dt.datetime,
) -> None:
    pack, _ = rules
    seq = complaint.version + 1
    places = _row_lookups(session, complaint, event, after=after, rules=rules)
    record.write(session, complaint, after, seq=seq, places=places)
    complaint.version = seq
    complaint.time_at = now if archivable(after, pack) else deadlines.next_due_at(after)
    session.add(complaint)
    session.flush()
    session.add(
        Journal(
            complaint_id=complaint.id,
            seq=seq,
            event=event.type,
            data=dump_event(event),
            actor=actor.kind,
            user_id=actor.user_id,
            employee_id=actor.employee_id,
            happened_at=event.at,
            recorded_at=now,
        )
    )
    session.add_all(_notices(session, complaint, told, after=after, rules=rules, now=now))
    session.flush()


def _row_lookups(
    session: Session,
    complaint: Complaint,
    event: Event,
    *,
    after: CaseFacts,
    rules: tuple[Pack, WorkCalendar],
) -> record.RowLookups:
    pack, calendar = rules
    on = calendar.local(event.at).date()
    policy_id = complaint.policy_version.policy_id
    placed = bool(after.assignments or after.tallies)
    real = actors.department_ids(session, policy_id=policy_id, on=on) if placed else {}
    if isinstance(event, HandedOver) and event.cause == "post":
        real |= record.has_case(complaint)

    def month(counts_at: dt.datetime) -> str:
        return first_open_month(session, wage_month(calendar.local(counts_at).date(), pack))

    return record.RowLookups(
        departments=real,
        label=lambda key: pack.label("department", key),
        cite=lambda rule: str((pack.find("penalty", rule) or pack.find("reward", rule)).cite),
        month=month,
    )


def first_open_month(session: Session, month: str) -> str:
    """Return the month itself ("2026-10"), or the first after it whose list was not paid yet."""
    closed = set(session.scalars(sa.select(WageMonth.month).where(WageMonth.month >= month)))
    while month in closed:
        year, number = divmod(int(month[:4]) * 12 + int(month[5:]), 12)
        month = f"{year}-{number + 1:02d}"
    return month


def _notices(
    session: Session,
    complaint: Complaint,
    told: Iterable[Notification],
    *,
    after: CaseFacts,
    rules: tuple[Pack, WorkCalendar],
    now: dt.datetime,
) -> list[Notice]:
    """Build the notices of an event: to the employee who must act, to a department, to a post."""
    pack, calendar = rules
    on = calendar.local(now).date()
    return [
        Notice(
            complaint_id=complaint.id,
            kind=message.kind,
            occasion=message.occasion,
            employee_id=_employee_id_of(session, complaint, message, after=after),
            department_id=_department_id_of(session, complaint, message, after=after, on=on),
            post=message.post,
            facts={"number": complaint.number, **_rule_facts(message, pack)},
            made_at=now,
        )
        for message in told
    ]


def _department_id_of(
    session: Session, complaint: Complaint, message: Notification, *, after: CaseFacts, on: dt.date
) -> int | None:
    """Return the id of the department a message is for; mostly it is the one that has the case."""
    if message.department in (None, after.department):
        return complaint.department_id if message.department else None
    real = actors.department_ids(session, policy_id=complaint.policy_version.policy_id, on=on)
    return real.get(message.department)


def _employee_id_of(
    session: Session, complaint: Complaint, message: Notification, *, after: CaseFacts
) -> int | None:
    """Return the id of the employee a message is for; mostly the one who answers for the case."""
    if message.employee is None:
        return None
    if message.employee == after.responsible:
        return complaint.responsible_id
    wanted = sa.select(Employee.id).where(Employee.number == message.employee)
    return session.scalars(wanted).first()


_RULE_SECTIONS = {
    "alert": ("alert", "ladder"),
    "to_endorse": ("chain",),
    "to_convene": ("vote",),
    "to_vote": ("vote",),
}
"""The sections of a pack in which a message of that kind finds its rule."""


def _rule_facts(message: Notification, pack: Pack) -> dict[str, str]:
    """Return the label and clause of the alert, approval or vote a message is about; else
    nothing.
    """
    found = (pack.find(section, message.rule) for section in _RULE_SECTIONS.get(message.kind, ()))
    rule = next((one for one in found if one), None)
    return {"alert": rule.label, "cite": rule.cite} if rule else {}


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A row of a journal with the data it has after its corrections."""

    row: Journal
    data: Mapping[str, Any]


def lines_of(
    session: Session, complaint_ids: Collection[int], events: Collection[str]
) -> dict[int, list[JournalLine]]:
    """Return the journal lines of some cases about some events, in order, by the case's id.

    Withdrawn entries are left out; corrected ones carry their corrections.
    """
    amendments = (Corrected.name(), Withdrawn.name())
    rows = session.scalars(
        sa.select(Journal)
        .where(Journal.complaint_id.in_(complaint_ids))
        .where(Journal.event.in_([*events, *amendments]))
        .options(joinedload(Journal.employee), joinedload(Journal.user))
        .order_by(Journal.complaint_id, Journal.seq)
    )
    found: dict[int, dict[int, JournalLine]] = {}
    for row in rows:
        mine = found.setdefault(row.complaint_id, {})
        target = int(row.data.get("target", 0))
        if row.event not in amendments:
            mine[row.seq] = JournalLine(row, row.data)
        elif row.event == Withdrawn.name():
            mine.pop(target, None)
        elif target in mine:
            mine[target] = JournalLine(
                mine[target].row, {**mine[target].data, **row.data["changes"]}
            )
    return {case: list(mine.values()) for case, mine in found.items()}


def entries(session: Session, complaint: Complaint) -> list[JournalEntry]:
    """Return the journal of a case as the engine folds it."""
    rows = session.scalars(
        sa.select(Journal).where(Journal.complaint_id == complaint.id).order_by(Journal.seq)
    )
    return [JournalEntry(row.seq, load_event(row.data), row.recorded_at) for row in rows]


def fold_journal(session: Session, complaint: Complaint) -> CaseFacts:
    """Return the facts the journal gives; they equal the rows unless a write bypassed it."""
    return _fold(session, complaint, entries(session, complaint))


def fill_in(session: Session, complaint: Complaint) -> bool:
    """Fill into the rows of a case what its journal tells and an older version did not write.

    Returns whether rows and journal are the same now. Where they disagree about more than what is
    missing, or about a status, a term or a sum, nothing is changed: a person has to look.
    """
    kept, told = record.facts_of(session, complaint), fold_journal(session, complaint)
    if kept == told:
        return True
    if record.decided(kept) != record.decided(told) or not record.tells_less(kept, told):
        return False
    rules = rules_of(session, complaint)
    last = entries(session, complaint)[-1].event
    places = _row_lookups(session, complaint, last, after=told, rules=rules)
    record.write(session, complaint, told, seq=complaint.version, places=places)
    session.flush()
    return True
