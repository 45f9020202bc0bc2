"""Undoing a look: every deed it took in from the workbook is taken back, or none."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from enums import CellDeed
from models import (
    Complaint,
    Journal,
    WorkbookChange,
    WorkbookLook,
    WorkbookRow,
)
from policy.engine.fact_changes import Effect
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    DomainError,
    LaterStepsStand,
    NotFound,
    UndoBlocked,
)
from policy.vocabulary.events import Corrected, Event, Withdrawn, dump_event, load_event
from services.cases import correcting, journal
from services.company.actors import Actor
from services.jobs import requests
from services.workbooks import looks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UndoneDeed:
    """A deed that a look took in and an undo takes back: its case, its event, its cells, its
    effects.
    """

    complaint: Complaint
    deed: str
    typed: tuple[WorkbookChange, ...]
    effects: tuple[Effect, ...]


def can_undo(session: Session, look: WorkbookLook) -> bool:
    """Whether a look took in something that was not taken back yet."""
    return look.undone_at is None and bool(_changes_taken(session, look))


class _PreviewDone(Exception):
    """Raised to leave the savepoint of a preview, so that nothing of it stays."""


def preview_undo(
    session: Session, look: WorkbookLook, *, reason: str, actor: Actor, now: dt.datetime
) -> list[UndoneDeed]:
    """Return what undoing a look would take back and change; it is done and rolled back.

    Needs a session that may write. Raises the errors of `undo_intake`.
    """
    try:
        with session.begin_nested():
            undone = _take_back_all(session, look, reason=reason, actor=actor, now=now)
            raise _PreviewDone  # the way out of a savepoint that leaves nothing behind
    except _PreviewDone:
        log.info("pass %s of sheet %s: only previewed", look.number, look.sheet_id)
        return undone


def undo_intake(
    session: Session, look: WorkbookLook, *, reason: str, actor: Actor, now: dt.datetime
) -> list[UndoneDeed]:
    """Take back what a look took in: deeds are withdrawn, corrections corrected back.

    All or nothing. The typed texts count as refused from now on, so the next look puts the record's
    state back into the workbook and does not take in the same text again. Raises UndoBlocked with
    the case that stands in the way, ChangedMeanwhile where the look is undone already, and NotFound
    where it took in nothing.
    """
    with session.begin_nested():
        session.refresh(look, with_for_update={"of": WorkbookLook})
        undone = _take_back_all(session, look, reason=reason, actor=actor, now=now)
        _count_as_refused(session, look)
        look.undone_at, look.undone_by_id = now, actor.user_id
        session.flush()
    key = str(look.sheet_id)
    requests.request_work(session, kind=looks.LOOK, key=key, user_id=actor.user_id, now=now)
    return undone


def _changes_taken(session: Session, look: WorkbookLook) -> Sequence[WorkbookChange]:
    """Return the changes of a look that became deeds, newest first within each case."""
    return session.scalars(
        sa.select(WorkbookChange)
        .where(
            *looks.changes_in(look),
            WorkbookChange.what == CellDeed.taken,
            WorkbookChange.complaint_id.is_not(None),
            WorkbookChange.journal_seq.is_not(None),
        )
        .options(joinedload(WorkbookChange.complaint))
        .order_by(WorkbookChange.complaint_id, WorkbookChange.journal_seq.desc(), WorkbookChange.id)
    ).all()


def _take_back_all(
    session: Session, look: WorkbookLook, *, reason: str, actor: Actor, now: dt.datetime
) -> list[UndoneDeed]:
    """Take back every deed of a look and return what that changed."""
    if look.undone_at is not None:
        raise ChangedMeanwhile(what="sheet_pass", key=str(look.number))
    deeds: dict[tuple[Complaint, int], list[WorkbookChange]] = {}
    for change in _changes_taken(session, look):
        assert change.complaint is not None
        assert change.journal_seq is not None
        deeds.setdefault((change.complaint, change.journal_seq), []).append(change)
    if not deeds:
        raise NotFound(what="intake", key=str(look.number))
    undone = []
    for (complaint, seq), typed in deeds.items():
        held = journal.lock_case(session, complaint.number)
        row = _entry(session, held, seq)
        try:
            effects = _take_back(session, held, row, reason=reason, actor=actor, now=now)
        except DomainError as refusal:
            raise UndoBlocked(number=held.number, refusal=refusal) from refusal
        undone.append(UndoneDeed(held, row.event, tuple(typed), effects))
    return undone


def _take_back(
    session: Session,
    complaint: Complaint,
    row: Journal,
    *,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Withdraw one deed, or correct a correction back; nothing where that was done already."""
    corrects = row.event == Corrected.name()
    target = int(row.data["target"]) if corrects else row.seq
    entries = _entries_about(session, complaint, target)
    if any(entry.event == Withdrawn.name() for entry in entries):
        return ()
    _refuse_corrected_since(entries, row)
    if not corrects:
        return correcting.withdraw(
            session, complaint, target=target, reason=reason, actor=actor, now=now
        )
    before = _event_fields(entry for entry in entries if entry.seq < row.seq)
    changed = {name: before[name] for name in row.data["changes"]}
    if changed == {name: _event_fields(entries)[name] for name in changed}:
        return ()
    return correcting.correct(
        session, complaint, target=target, changes=changed, reason=reason, actor=actor, now=now
    )


def _refuse_corrected_since(entries: Sequence[Journal], row: Journal) -> None:
    """Refuse to take back an entry corrected later: the later correction would lose its ground."""
    then = _event_fields(entry for entry in entries if entry.seq <= row.seq)
    names = row.data["changes"] if row.event == Corrected.name() else then
    said = _event_fields(entries)
    if any(said[name] != then[name] for name in names):
        last = entries[-1]
        raise LaterStepsStand(deed=last.event, seq=last.seq, because="corrected")


def _entry(session: Session, complaint: Complaint, seq: int) -> Journal:
    return session.scalars(
        sa.select(Journal).where(Journal.complaint_id == complaint.id, Journal.seq == seq)
    ).one()


def _entries_about(session: Session, complaint: Complaint, target: int) -> list[Journal]:
    """Return a journal row and its amendments, oldest first."""
    amendments = (Corrected.name(), Withdrawn.name())
    rows = session.scalars(
        sa.select(Journal)
        .where(
            Journal.complaint_id == complaint.id,
            sa.or_(Journal.seq == target, Journal.event.in_(amendments)),
        )
        .order_by(Journal.seq)
    )
    return [row for row in rows if row.seq == target or row.data.get("target") == target]


def _event_fields(entries: Iterable[Journal]) -> dict[str, Any]:
    """Return every field of an event as JSON, with its corrections applied."""
    data: dict[str, Any] = {}
    for entry in entries:
        data |= entry.data["changes"] if entry.event == Corrected.name() else entry.data
    event: Event = load_event(data)
    return event.model_dump(mode="json") | dump_event(event)


def _count_as_refused(session: Session, look: WorkbookLook) -> None:
    """Mark the undone texts as seen and refused, cell by cell."""
    rows = session.execute(
        sa.select(WorkbookRow, WorkbookChange)
        .join(WorkbookChange, WorkbookChange.row_id == WorkbookRow.id)
        .where(
            *looks.changes_in(look),
            WorkbookChange.what == CellDeed.taken,
            WorkbookChange.field.is_not(None),
        )
        .order_by(WorkbookChange.id)
    )
    for row, change in rows:
        row.refused = row.refused | {str(change.field): change.after}
