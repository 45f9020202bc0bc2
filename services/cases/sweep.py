"""The sweep: deadlines run out and observations end. Running it twice adds nothing."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Audience
from models import Complaint, Workbook
from policy.engine.case import archivable
from policy.engine.permission import deadlines_in_reach
from policy.engine.terms import deadlines
from policy.pack.schema import Pack
from policy.vocabulary.events import Archived, TimePassed
from policy.vocabulary.facts import CaseFacts
from services.calendar import working_calendar
from services.cases import journal, pending, record
from services.company import succession
from services.company.actors import SYSTEM
from services.regulation import policies

BATCH = 500


def due_cases(session: Session, *, now: dt.datetime, tried: int = 0) -> list[str]:
    """Return the numbers of the cases that the passing of time may change now, longest waiting
    first.

    A case whose only due deadline is spared stays among them. `tried` says how many cases this
    round looked at already, so that those which stay never hide the others.
    """
    return list(
        session.scalars(
            sa.select(Complaint.number)
            .where(Complaint.time_at < now)
            .order_by(Complaint.time_at, Complaint.id)
            .limit(BATCH + tried)
        )
    )


def cases_to_pass_on(session: Session, *, now: dt.datetime) -> list[str]:
    """Return the numbers of the open cases for which somebody answers who no longer leads.

    Today's holders and deputies are read once; one statement more for each version in use.
    """
    on = working_calendar.work_calendar(session, as_of=now).local(now).date()
    leads = succession.leading_ids(session, on=on)
    found: list[str] = []
    for version in policies.versions_in_use(session, on=on):
        pack = policies.pack(session, version)
        led = [entry for entry in pack.department if entry.answers and entry.director]
        others = [
            sa.and_(pending.led_by((entry.key,)), _answers_not(leads.get(entry.director or "")))
            for entry in led
        ]
        cases = sa.select(Complaint.number).where(
            Complaint.policy_version_id == version.id, pending.is_open(), sa.or_(*others)
        )
        found += session.scalars(cases.order_by(Complaint.id)) if others else ()
    return found


def _answers_not(leading: set[int] | None) -> pending.Cases:
    """Return the cases for which none of these answers, though somebody did or could."""
    if not leading:
        return Complaint.responsible_id.is_not(None)
    return sa.or_(
        Complaint.responsible_id.is_(None), Complaint.responsible_id.not_in(sorted(leading))
    )


def pass_on(session: Session, number: str, *, now: dt.datetime) -> None:
    """Pass a case on to who leads its department since others did."""
    journal.follow_post(session, journal.lock_case(session, number), now=now)


def pass_time(session: Session, number: str, *, now: dt.datetime) -> None:
    """Record the passing of time on a case: breaches with their penalties, then the archive.

    Deadlines that a department may have met in a workbook not read since are spared until it was
    read. Where nothing else ran out, nothing happens.
    """
    complaint = journal.lock_case(session, number)
    if complaint.time_at is None or complaint.time_at >= now:
        return
    pack, _ = journal.rules_of(session, complaint)
    facts = record.facts_of(session, complaint)
    spared = _spared(session, complaint, facts, pack=pack, now=now)
    if spared and not _moves(facts, pack, spared, now=now):
        return
    journal.record_event(session, complaint, TimePassed, actor=SYSTEM, now=now, spared=spared)
    if archivable(record.facts_of(session, complaint), pack):
        journal.record_event(session, complaint, Archived, actor=SYSTEM, now=now)


def _spared(
    session: Session, complaint: Complaint, facts: CaseFacts, *, pack: Pack, now: dt.datetime
) -> tuple[str, ...]:
    """Return the keys of deadlines that ran out since the workbook was read and can be met in it.

    A workbook that is paused or was never read spares nothing: the sweep does not wait for it.
    """
    read_at = session.scalar(
        sa.select(Workbook.complete_at).where(
            Workbook.audience == Audience.department,
            Workbook.department_id == complaint.department_id,
            Workbook.paused_at.is_(None),
        )
    )
    if read_at is None:
        return ()
    ran_out = {
        c.key for c in facts.deadlines if c.running and c.due_at and read_at <= c.due_at < now
    }
    return tuple(sorted(ran_out & deadlines_in_reach(facts, pack)))


def _moves(facts: CaseFacts, pack: Pack, spared: tuple[str, ...], *, now: dt.datetime) -> bool:
    """Whether time changes the case although some deadlines are spared."""
    after = deadlines.breach_overdue(facts, at=now, found_at=now, pack=pack, spared=spared)
    return after is not facts or archivable(facts, pack)
