"""What the passing of time does: clocks run out, observations end. Doing it twice adds nothing."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint
from policy.case import archivable
from policy.events import Archived, TimePassed
from services import journal, record
from services.actors import SYSTEM

BATCH = 500


def due_cases(session: Session, *, now: dt.datetime) -> list[str]:
    """The numbers of the cases that time changes now, the longest waiting first."""
    return list(
        session.scalars(
            sa.select(Complaint.number)
            .where(Complaint.time_at < now)
            .order_by(Complaint.time_at, Complaint.id)
            .limit(BATCH)
        )
    )


def pass_time(session: Session, number: str, *, now: dt.datetime) -> None:
    """Let time pass for one case: breaches with their charges, then the archive."""
    complaint = journal.hold(session, number)
    if complaint.time_at is None or complaint.time_at >= now:
        return
    journal.happen(session, complaint, TimePassed, actor=SYSTEM, now=now)
    pack, _ = journal.rules_of(session, complaint)
    if archivable(record.facts_of(session, complaint), pack):
        journal.happen(session, complaint, Archived, actor=SYSTEM, now=now)
