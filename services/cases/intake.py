"""Intake of a case: registered, classified, dispatched, taken over; and imports of past cases."""

from __future__ import annotations

import datetime as dt
import logging
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import Complaint, Customer, Department, NumberCounter, PolicyVersion
from policy.engine.fact_changes import Effect
from policy.pack.numbering import is_wider_than_printed, render_number, serial_period
from policy.pack.schema import ChannelEntry, NumberEntry
from policy.vocabulary import time_bounds
from policy.vocabulary.errors import (
    ChoiceUnknown,
    FieldMissing,
    FieldTooLong,
    StatusForbids,
    ValueRefused,
)
from policy.vocabulary.events import (
    Classified,
    Dispatched,
    Event,
    HandedOver,
    Imported,
    Registered,
    TakenOver,
)
from policy.vocabulary.status import Responsibility, Status
from services.calendar import working_calendar
from services.cases import customers, journal, pending, record
from services.cases.journal import Deeds
from services.company import actors
from services.company.actors import Actor
from services.regulation import declared, policies

log = logging.getLogger(__name__)


def register(
    session: Session,
    version: PolicyVersion,
    *,
    kind: str,
    channel: str,
    subject: str,
    received_at: dt.datetime,
    actor: Actor,
    now: dt.datetime,
    customer: Customer | None = None,
    form_key: str | None = None,
    **said: Any,
) -> Complaint:
    """Register a new case under a version of a regulation, numbered in its kind's series.

    `received_at` is when the customer spoke, `form_key` tells the same form sent again; further
    keywords are the other fields of a registration: category, grade, body, demand, extra,
    first_asked, linked. Raises ValueRefused for cases of a field that do not exist.
    """
    fields = policies.pack(session, version).field
    declared.check_cases_exist(session, fields, said.get("extra") or {})
    said["earlier"] = count_earlier_cases(
        session, version, kind, customer=customer, received_at=received_at
    )
    return _open_case(
        session,
        version,
        Registered,
        kind=kind,
        customer=customer,
        on=now,
        actor=actor,
        now=now,
        channel=channel,
        subject=subject,
        received_at=received_at,
        form_key=form_key or None,
        **said,
    )


def registered_with(session: Session, form_key: str) -> Complaint | None:
    """Return the case that was registered with a form, or None."""
    return session.scalars(sa.select(Complaint).where(Complaint.form_key == form_key)).first()


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is asked before a registration is saved; `code` is long_ago, year_ago or same_again.

    `days` since it was received, or the `number` of the case that says the same.
    """

    code: str
    days: int = 0
    number: str = ""


SAME_WITHIN = dt.timedelta(minutes=10)
"""A second registration of one telephone and subject within this time is asked about."""
_A_YEAR = range(330, 400)


def doubts(
    session: Session,
    *,
    received_at: dt.datetime,
    subject: str,
    customer: Customer | None,
    now: dt.datetime,
) -> list[Doubt]:
    """Return what to ask before a registration is saved: long ago, or said a moment before."""
    found = []
    if (since := now - received_at) > time_bounds.LONG_AGO:
        code = "year_ago" if since.days in _A_YEAR else "long_ago"
        found.append(Doubt(code, days=since.days))
    if number := _same_a_moment_ago(session, customer, subject, now=now):
        found.append(Doubt("same_again", number=number))
    return found


def _same_a_moment_ago(
    session: Session, customer: Customer | None, subject: str, *, now: dt.datetime
) -> str | None:
    """Return the number of a case just registered for that telephone with the same subject."""
    if customer is None:
        return None
    same = Customer.name == customer.name
    if customer.phone_digits:
        same = Customer.phone_digits == customer.phone_digits
    recent = session.execute(
        sa.select(Complaint.number, Complaint.subject)
        .join(Complaint.customer)
        .where(same, Complaint.registered_at >= now - SAME_WITHIN)
        .where(Complaint.status != Status.withdrawn, Complaint.history.is_(False))
        .order_by(Complaint.id.desc())
        .limit(20)
    )
    said = _as_compared(subject)
    return next((number for number, other in recent if _as_compared(other) == said), None)


def _as_compared(subject: str) -> str:
    """Return a subject without what two hands type differently: width, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", subject).casefold().split())


def count_earlier_cases(
    session: Session,
    version: PolicyVersion,
    kind: str,
    *,
    customer: Customer | None,
    received_at: dt.datetime,
    apart_from: int | None = None,
) -> int:
    """Count the cases of a kind the customer had before; 0 where the regulation does not count
    them.

    Cases that an appeal struck, and cases withdrawn because they were registered by mistake, do not
    count; nor does the case `apart_from` itself.
    """
    if customer is None or not policies.pack(session, version).claim:
        return 0
    counted = (
        sa.select(sa.func.count(Complaint.id))
        .join(Complaint.policy_version)
        .where(Complaint.customer_id == customer.id, Complaint.kind == kind)
        .where(PolicyVersion.policy_id == version.policy_id)
        .where(Complaint.received_at <= received_at, Complaint.struck.is_(False))
        .where(Complaint.status != Status.withdrawn)
        .where(Complaint.id.is_distinct_from(apart_from))
    )
    return session.scalar(counted) or 0


LONGEST_SUBJECT = 60
"""Characters of the first line of a complaint that become the subject of its case."""


def register_in_workbook(
    session: Session,
    department: Department,
    *,
    customer: str,
    phone: str | None,
    body: str,
    demand: str | None = None,
    received_at: dt.datetime | None = None,
    extra: Mapping[str, Any] | None = None,
    actor: Actor,
    now: dt.datetime,
    at: dt.datetime,
) -> Complaint:
    """Register a case from a row a department wrote into its own workbook (SKD-3.2.1.1a).

    `at` is when the workbook was saved; the customer spoke then, unless `received_at` says earlier.
    Raises FieldMissing and the other errors of a registration, TimeInFuture for a customer who
    spoke later, and ValueRefused where no regulation lets that department register cases so.
    """
    version, channel = _by_workbook(session, department, at=at)
    subject = _first_line(body)
    declared.check_cases_exist(session, policies.pack(session, version).field, extra or {})
    return _open_case(
        session,
        version,
        Registered,
        kind=channel.sheet or "",
        customer=customers.find_or_add(session, customer, phone),
        on=at,
        actor=actor,
        now=now,
        at=at,
        channel=channel.key,
        subject=subject,
        body=body.strip(),
        demand=(demand or "").strip() or None,
        received_at=received_at or at,
        extra=dict(extra or {}),
    )


def _first_line(body: str) -> str:
    lines = body.strip().splitlines()
    if not lines:
        raise FieldMissing(field="body")
    return lines[0][:LONGEST_SUBJECT]


def _by_workbook(
    session: Session, department: Department, *, at: dt.datetime
) -> tuple[PolicyVersion, ChannelEntry]:
    """Return the first regulation in force, by key, that lets a department's workbook register
    cases.
    """
    on = working_calendar.work_calendar(session).local(at).date()
    in_force = policies.all_in_force(session, on=on)
    for version in sorted(in_force, key=lambda version: version.policy.key):
        pack = policies.pack(session, version)
        real = actors.department_ids(session, policy_id=version.policy_id, on=on)
        answers = any(d.answers and real.get(d.key) == department.id for d in pack.department)
        if answers and pack.sheet_channel:
            return version, pack.sheet_channel
    raise ValueRefused(field="department", value=str(department), why="answers_nothing")


def import_past(
    session: Session,
    version: PolicyVersion,
    *,
    source: str,
    source_id: str,
    kind: str,
    status: Status,
    subject: str,
    received_at: dt.datetime,
    actor: Actor,
    now: dt.datetime,
    customer: Customer | None = None,
    **said: Any,
) -> Complaint | None:
    """Record a case from before go-live as history: numbered, without deadline, penalty or notice.

    Returns None when this source's case is in already, so that a second import changes nothing.
    Raises FieldTooLong for a source or an id of its case that is too long to be a name.
    """
    if _is_known(session, source=source, source_id=source_id):
        return None
    return _open_case(
        session,
        version,
        Imported,
        kind=kind,
        customer=customer,
        on=received_at,
        origin=(source, source_id),
        actor=actor,
        now=now,
        status=status,
        subject=subject,
        received_at=received_at,
        **said,
    )


def _is_known(session: Session, *, source: str, source_id: str) -> bool:
    for field, name, limit in (("source", source, 64), ("source_id", source_id, 120)):
        if len(name) > limit:
            raise FieldTooLong(field=field, limit=limit)
    known = sa.select(Complaint.id).where(
        Complaint.source == source, Complaint.source_id == source_id
    )
    return session.scalars(known).first() is not None


def _open_case(
    session: Session,
    version: PolicyVersion,
    event: type[Event],
    *,
    kind: str,
    customer: Customer | None,
    on: dt.datetime,
    actor: Actor,
    now: dt.datetime,
    subject: str,
    origin: tuple[str, str] | tuple[None, None] = (None, None),
    form_key: str | None = None,
    **said: Any,
) -> Complaint:
    """Open a case with its first event; its number is used up only once the event was accepted."""
    complaint, counter, serial = _new_complaint(session, version, kind, customer=customer, on=on)
    complaint.source, complaint.source_id = origin
    complaint.form_key = form_key
    said |= {"number": complaint.number, "kind": kind, "subject": subject.strip()}
    journal.record_event(session, complaint, event, actor=actor, now=now, **said)
    _use_serial(session, counter, serial)
    return complaint


def _new_complaint(
    session: Session,
    version: PolicyVersion,
    kind: str,
    *,
    customer: Customer | None,
    on: dt.datetime,
) -> tuple[Complaint, NumberCounter, int]:
    """Return a case without facts under the next number of its series, the counter, and the
    serial.
    """
    pack = policies.pack(session, version)
    entry = pack.find("kind", kind)
    if entry is None:
        raise ChoiceUnknown(field="kind", value=kind)
    day = working_calendar.work_calendar(session).local(on).date()
    series = pack.find("number", entry.number)
    counter = _locked_counter(session, f"{pack.policy.key}/{series.key}", series, on=day)
    serial = _free_serial(session, series, day, last=counter.last)
    complaint = Complaint(
        number=render_number(series, day, serial),
        policy_version=version,
        customer=customer,
        version=0,
        assignments=[],
        deadlines=[],
        penalties=[],
        callbacks=[],
        signoffs=[],
        extensions=[],
        tallies=[],
        entries=[],
    )
    if is_wider_than_printed(series, serial):
        log.warning("%s is wider than its series is printed", complaint.number)
    return complaint, counter, serial


_SERIALS_AT_ONCE = 20


def _free_serial(session: Session, series: NumberEntry, on: dt.date, *, last: int) -> int:
    """Return the first serial after `last` whose number no case has.

    Another regulation, or an earlier version with another template, may have given a number
    already.
    """
    while True:
        serials = {
            render_number(series, on, n): n for n in range(last + 1, last + 1 + _SERIALS_AT_ONCE)
        }
        taken = session.scalars(sa.select(Complaint.number).where(Complaint.number.in_(serials)))
        if free := serials.keys() - set(taken):
            return min(serials[number] for number in free)
        last += _SERIALS_AT_ONCE


def _locked_counter(session: Session, series: str, entry: Any, *, on: dt.date) -> NumberCounter:
    """Return the counter of a series in the period of a day, locked until the commit.

    Two regulations in force at once may use one key; each counts for itself.
    """
    counter = session.scalars(
        sa.select(NumberCounter)
        .where(NumberCounter.series == series, NumberCounter.period == serial_period(entry, on))
        .with_for_update()
    ).first()
    return counter or NumberCounter(series=series, period=serial_period(entry, on), last=0)


def _use_serial(session: Session, counter: NumberCounter, serial: int) -> None:
    """Use up a serial, once its case is recorded: a refused registration leaves no gap."""
    counter.last = serial
    session.add(counter)
    session.flush()


def take_over(
    session: Session, complaint: Complaint, *, actor: Actor, now: dt.datetime, **said: Any
) -> tuple[Effect, ...]:
    """Take over an open case from before go-live; its deadlines count from today."""
    return journal.record_event(session, complaint, TakenOver, actor=actor, now=now, **said)


def classify(
    session: Session,
    complaint: Complaint,
    *,
    actor: Actor,
    now: dt.datetime,
    responsibility: Responsibility | None = None,
    reason: str | None = None,
    **said: Any,
) -> tuple[Effect, ...]:
    """Set the category and grade of a complaint, and whether the company is responsible
    (SKD-2.2).

    What the company owes the customer may be asked anew, with the count of their cases
    (FUE-C3.3a).
    """
    pack, _ = journal.rules_of(session, complaint)
    if pack.claims.get(Classified.name()):
        said["earlier"] = count_earlier_cases(
            session,
            complaint.policy_version,
            said.get("kind") or complaint.kind,
            customer=complaint.customer,
            received_at=complaint.received_at,
            apart_from=complaint.id,
        )
    return journal.record_event(
        session,
        complaint,
        Classified,
        actor=actor,
        now=now,
        responsibility=responsibility,
        reason=reason,
        **said,
    )


def dispatch(
    session: Session,
    complaint: Complaint,
    *,
    department: str,
    actor: Actor,
    now: dt.datetime,
    director_only: bool = False,
    text: str | None = None,
) -> tuple[Effect, ...]:
    """Dispatch the case to a department, for which its leader of that day answers."""
    pack, _ = journal.rules_of(session, complaint)
    entry = pack.find("department", department)
    if entry is None or not entry.answers:
        raise ChoiceUnknown(field="department", value=department)
    holder, deputy = leaders_of(session, complaint, department, now=now)
    return journal.record_event(
        session,
        complaint,
        Dispatched,
        actor=actor,
        now=now,
        department=department,
        holder=holder,
        deputy=deputy,
        director_only=director_only,
        text=text,
    )


def hand_over(
    session: Session,
    complaint: Complaint,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str | None = None,
) -> tuple[Effect, ...]:
    """Pass an open case on to the company's department that is meant today, and who leads it.

    Its deadlines run on. Who handled it goes on where the department stays the same. Raises
    FieldMissing without a reason and StatusForbids where no department has the case.
    """
    if not (reason or "").strip():
        raise FieldMissing(field="reason")
    has = record.has_case(complaint)
    if not has:
        raise StatusForbids(deed=HandedOver.name(), status=complaint.status)
    ((key, department_id),) = has.items()
    _, calendar = journal.rules_of(session, complaint)
    on = calendar.local(now).date()
    policy_id = complaint.policy_version.policy_id
    meant = actors.department_ids(session, policy_id=policy_id, on=on).get(key)
    holder, deputy = leaders_of(session, complaint, key, now=now)
    handler = complaint.handler if meant == department_id else None
    return journal.record_event(
        session,
        complaint,
        HandedOver,
        actor=actor,
        now=now,
        department=key,
        holder=holder,
        deputy=deputy,
        handler=handler.number if handler else None,
        reason=reason,
    )


def open_cases_of(session: Session, policy_id: int, key: str) -> Sequence[Complaint]:
    """Return the open cases that a regulation's department has now, the oldest first."""
    return session.scalars(
        sa.select(Complaint)
        .join(Complaint.policy_version)
        .where(PolicyVersion.policy_id == policy_id, pending.is_open(), pending.led_by((key,)))
        .options(joinedload(Complaint.department))
        .order_by(Complaint.id)
    ).all()


def count_hanging_on(session: Session, post: str, *, on: dt.date) -> int:
    """Count the open cases of departments that are led by a post, under every version in use."""
    count = 0
    for version in policies.versions_in_use(session, on=on):
        pack = policies.pack(session, version)
        keys = [entry.key for entry in pack.department if entry.director == post]
        if keys:
            cases = sa.select(sa.func.count(Complaint.id)).where(
                Complaint.policy_version_id == version.id, pending.is_open(), pending.led_by(keys)
            )
            count += session.scalar(cases) or 0
    return count


def leaders_of(
    session: Session, complaint: Complaint, department: str, *, now: dt.datetime
) -> tuple[str | None, str | None]:
    """Return who holds the post that answers for a department now, and the deputy of that day."""
    pack, calendar = journal.rules_of(session, complaint)
    post = pack.find("department", department).director
    return actors.leaders(session, post, on=calendar.local(now).date())


DEEDS: Deeds = {
    "taken_over": take_over,
    "classified": classify,
    "dispatched": dispatch,
    "handed_over": hand_over,
}
"""The service of each deed, by the name of its event."""
