"""Looks: the worker's passes over a workbook, asked for here and read back from the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from enums import CellDeed
from models import (
    Workbook,
    WorkbookChange,
    WorkbookLook,
)
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    NotFound,
)
from services.jobs import requests

LOOK = "look"
"""The kind of the request for a look at one workbook; its key is the workbook's id."""


UNLOCK = "unlock"
"""The kind of the request to remove the lock beside a workbook; its key is the workbook's id."""


def request_look(
    session: Session, workbook: Workbook, *, user_id: int | None, now: dt.datetime
) -> None:
    """Ask for a look at a workbook as soon as the worker can. Raises ChangedMeanwhile if paused."""
    if workbook.paused_at is not None:
        raise ChangedMeanwhile(what="sheet", key=workbook.name)
    requests.request_work(session, kind=LOOK, key=str(workbook.id), user_id=user_id, now=now)


def request_unlock(
    session: Session, workbook: Workbook, *, user_id: int | None, now: dt.datetime
) -> None:
    """Ask the worker to remove a lock that a crashed program left beside a workbook.

    Raises ChangedMeanwhile where nobody holds the workbook any more.
    """
    if workbook.held_since is None:
        raise ChangedMeanwhile(what="sheet", key=workbook.name)
    requests.request_work(session, kind=UNLOCK, key=str(workbook.id), user_id=user_id, now=now)


def looks_of(
    session: Session, workbook: Workbook, *, before: int | None = None, limit: int = 50
) -> Sequence[WorkbookLook]:
    """Return the looks at a workbook that did something, newest first, numbered below `before`."""
    statement = sa.select(WorkbookLook).where(WorkbookLook.sheet_id == workbook.id)
    if before is not None:
        statement = statement.where(WorkbookLook.number < before)
    return session.scalars(statement.order_by(WorkbookLook.number.desc()).limit(limit)).all()


def find_look(session: Session, workbook: Workbook, number: int) -> WorkbookLook:
    """Return the look of that number at a workbook. Raises NotFound."""
    found = session.scalars(
        sa.select(WorkbookLook).where(
            WorkbookLook.sheet_id == workbook.id, WorkbookLook.number == number
        )
    ).first()
    if found is None:
        raise NotFound(what="sheet_pass", key=str(number))
    return found


def changes_of(
    session: Session,
    look: WorkbookLook,
    *,
    what: CellDeed | None = None,
    after: int | None = None,
    limit: int = 200,
) -> Sequence[WorkbookChange]:
    """Return the changes of a look, with their cases, in order; only of one deed, only
    after an id.
    """
    statement = (
        sa.select(WorkbookChange)
        .where(*changes_in(look))
        .options(joinedload(WorkbookChange.complaint))
        .order_by(WorkbookChange.id)
        .limit(limit)
    )
    if what is not None:
        statement = statement.where(WorkbookChange.what == what)
    if after is not None:
        statement = statement.where(WorkbookChange.id > after)
    return session.scalars(statement).all()


def changes_in(look: WorkbookLook) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that select the changes of a look."""
    return (
        WorkbookChange.sheet_id == look.sheet_id,
        WorkbookChange.pass_number == look.number,
    )
