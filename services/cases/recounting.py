"""Recounting the deadlines of open cases after the calendar changed: a preview, then the deed.

Each case is recounted by an event of its journal. The engine is asked again under the case's lock
whether that is needed, so two workers that start at once recount it once.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import Complaint, Deadline, PolicyVersion
from policy.engine.case import apply
from policy.engine.fact_changes import Effect, changes
from policy.engine.terms import recounting
from policy.pack.schema import Pack
from policy.vocabulary.errors import DomainError
from policy.vocabulary.events import SYSTEM, Recounted
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import DeadlineState
from policy.vocabulary.worktime import WorkCalendar
from services.calendar import working_calendar
from services.cases import journal, record
from services.company.actors import Actor
from services.regulation import policies

log = logging.getLogger(__name__)

BATCH = 200
REQUEST = "recount"
"""The kind of request by which a page asks the worker to recount every open case."""

Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True, slots=True)
class RecountedCase:
    """A case that another calendar counts otherwise: its facts before and after, and the
    effects.
    """

    number: str
    pack: Pack
    before: CaseFacts
    after: CaseFacts
    effects: tuple[Effect, ...]


def preview(
    session: Session, calendar: WorkCalendar, *, now: dt.datetime, span: Span | None = None
) -> Iterator[RecountedCase]:
    """Yield the open cases that `calendar` counts otherwise, by due time. Writes nothing.

    `span` are the instants between which that calendar differs; without it every case is looked at.
    A few statements for each BATCH of cases.
    """
    ids = _affected_ids(session, span)
    for start in range(0, len(ids), BATCH):
        cases = _cases(session, ids[start : start + BATCH])
        for complaint, facts in zip(cases, record.facts_of_many(session, cases), strict=True):
            pack = policies.pack(session, complaint.policy_version)
            if moving := _recounted(complaint.number, facts, pack, calendar=calendar, now=now):
                yield moving


def _affected_ids(session: Session, span: Span | None) -> Sequence[int]:
    """Return the ids of cases with a running deadline that may count a day between two instants."""
    running = sa.select(Deadline.complaint_id).where(Deadline.state == DeadlineState.running)
    if span is not None:
        first, last = span
        touches = sa.and_(
            Deadline.starts_at < last,
            sa.or_(Deadline.due_at.is_(None), Deadline.due_at >= first),
        )
        # A window that was moved to before rest days ends before the days that moved it.
        running = running.where(
            sa.or_(touches, Deadline.provisional, Deadline.opens_at.is_not(None))
        )
    return session.scalars(
        sa.select(Complaint.id)
        .where(Complaint.id.in_(running), Complaint.history.is_(False))
        .order_by(Complaint.due_at.asc().nulls_last(), Complaint.id)
    ).all()


def _cases(session: Session, ids: Sequence[int]) -> list[Complaint]:
    rows = session.scalars(
        sa.select(Complaint)
        .where(Complaint.id.in_(ids))
        .options(
            *record.WITH_ALL,
            joinedload(Complaint.policy_version).joinedload(PolicyVersion.policy),
        )
    ).unique()
    known = {row.id: row for row in rows}
    return [known[id_] for id_ in ids if id_ in known]


def _recounted(
    number: str, facts: CaseFacts, pack: Pack, *, calendar: WorkCalendar, now: dt.datetime
) -> RecountedCase | None:
    """Return what recounting a case would change, or None where it changes nothing."""
    if recounting.recount(facts, at=now, pack=pack, calendar=calendar) == facts:
        return None
    event = Recounted(at=now, by=SYSTEM, reason="-", restores=True)
    try:
        after, _ = apply(facts, event, pack, calendar=calendar, now=now)
    except DomainError as refusal:
        # The case stays as it is; recounting it for real would be refused alike.
        log.warning("%s cannot be counted anew: %s", number, refusal.code)
        return None
    return RecountedCase(number, pack, facts, after, changes(facts, after))


def recount(
    session: Session, number: str, *, reason: str, actor: Actor, now: dt.datetime
) -> tuple[Effect, ...]:
    """Recount a case under the current calendar and return what changed; nothing where it agrees.

    Raises a DomainError of the engine and changes nothing.
    """
    complaint = journal.lock_case(session, number)
    pack, calendar = journal.rules_of(session, complaint, as_of=now)
    facts = record.facts_of(session, complaint)
    if recounting.recount(facts, at=now, pack=pack, calendar=calendar) == facts:
        return ()
    said: dict[str, Any] = {"reason": reason, "restores": True}
    return journal.record_event(session, complaint, Recounted, actor=actor, now=now, **said)


def recount_each(
    session: Session, numbers: Iterable[str], *, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Recount these cases, each in a savepoint: one that is refused holds up no other."""
    for number in numbers:
        try:
            with session.begin_nested():
                recount(session, number, reason=reason, actor=actor, now=now)
        except DomainError as refusal:
            log.warning("%s could not be counted anew: %s", number, refusal.code)


def outdated_cases(session: Session, *, now: dt.datetime) -> list[str]:
    """Return the numbers of the open cases that the current calendar counts otherwise."""
    standing = working_calendar.work_calendar(session, as_of=now)
    return [moving.number for moving in preview(session, standing, now=now)]


def last_reason(session: Session) -> str:
    """Return the reason given for the last change of the calendar."""
    calendar = working_calendar.find_calendar(session)
    return working_calendar.current_version(session, calendar).reason if calendar else ""
