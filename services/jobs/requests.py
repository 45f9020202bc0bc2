"""Requests for slow work: one open row per kind and key, picked up by the worker.

A request carries no data, it only says *look*: asked twice it is one row, done twice it does no
harm.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import WorkRequest

CLAIM_TERM = dt.timedelta(minutes=5)
"""How long a worker may keep a claimed request before another worker may claim it."""


def request_work(
    session: Session, *, kind: str, key: str, user_id: int | None, now: dt.datetime
) -> WorkRequest:
    """Return the open request of that kind and key, made now where there was none.

    Asked again while a worker has claimed it, the work is done once more afterwards, because the
    worker may have read data that is out of date by now.
    """
    row = _open(session, kind, key) or _insert(session, kind, key, user_id=user_id, now=now)
    if row.taken_at is not None:
        row.asked_at = now
    session.flush()
    return row


def claim(session: Session, *, kind: str, now: dt.datetime) -> Sequence[WorkRequest]:
    """Claim and return the open requests of a kind that no worker works on, oldest first.

    A claim made more than CLAIM_TERM ago is passed to the caller.
    """
    free = sa.or_(
        WorkRequest.taken_at.is_(None),
        WorkRequest.taken_at <= now - CLAIM_TERM,
        WorkRequest.taken_at > now + CLAIM_TERM,  # before the clock was set back
    )
    rows = session.scalars(
        sa.select(WorkRequest)
        .where(WorkRequest.kind == kind, WorkRequest.done_at.is_(None), free)
        .order_by(WorkRequest.asked_at, WorkRequest.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.taken_at = now
        row.asked_at = min(row.asked_at, now)  # else it would count as asked for again
    session.flush()
    return rows


def finish(
    session: Session, row: WorkRequest, *, now: dt.datetime, failure: str | None = None
) -> None:
    """Close a claimed request, with its failure if there was one.

    A request that was asked for again meanwhile stays open and is free to claim.
    """
    session.refresh(row, with_for_update=True)
    if row.taken_at is not None and row.asked_at > row.taken_at:
        row.taken_at = None
    elif row.done_at is None:
        row.done_at = now
        row.failure = failure
    session.flush()


def release(session: Session, row: WorkRequest) -> None:
    """Give back a request that is not finished, so that the next worker that looks goes on."""
    row.taken_at = None
    session.flush()


def open_requests(session: Session, *, kind: str) -> Sequence[WorkRequest]:
    """Return the requests of a kind that are not done yet, oldest first."""
    return session.scalars(
        sa.select(WorkRequest)
        .where(WorkRequest.kind == kind, WorkRequest.done_at.is_(None))
        .order_by(WorkRequest.asked_at, WorkRequest.id)
    ).all()


def _open(session: Session, kind: str, key: str) -> WorkRequest | None:
    return session.scalars(
        sa.select(WorkRequest)
        .where(WorkRequest.kind == kind, WorkRequest.key == key, WorkRequest.done_at.is_(None))
        .with_for_update()
    ).first()


def _insert(
    session: Session, kind: str, key: str, *, user_id: int | None, now: dt.datetime
) -> WorkRequest:
    """Return a new request, or the one another session made in the same moment."""
    row = WorkRequest(kind=kind, key=key, asked_by_id=user_id, asked_at=now)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        found = _open(session, kind, key)
        if found is None:
            raise
        return found
    return row
