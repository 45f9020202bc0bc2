"""The identity of this installation, by which the folder and the workbooks tell whose they are."""

from __future__ import annotations

import datetime as dt
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Installation, Workbook


def identity(session: Session) -> str:
    """Return the identity of this installation; the first call makes it up."""
    return _row(session).identity


def has_marked_folder(session: Session) -> bool:
    """Whether this installation has marked a folder as its own before."""
    return _row(session).folder_marked_at is not None


def note_folder_marked(session: Session, *, now: dt.datetime) -> None:
    """Note that the folder carries the identity of this installation."""
    row = _row(session)
    row.folder_marked_at = row.folder_marked_at or now
    session.flush()


def written_names(session: Session) -> list[str]:
    """Return the names of the workbooks that were written before, so that their files exist."""
    rows = sa.select(Workbook.name).where(Workbook.pass_number > 0).order_by(Workbook.id)
    return list(session.scalars(rows))


def _row(session: Session) -> Installation:
    row = session.scalar(sa.select(Installation).order_by(Installation.id).limit(1))
    if row is None:
        row = Installation(identity=secrets.token_hex(8))
        session.add(row)
        session.flush()
    return row
