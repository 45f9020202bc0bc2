"""Sessions: whose a cookie is, and which were ended before their time.

A cookie is signed and lives in the browser; what ends a session is therefore written down here: a
new token of the user ends all of theirs, logging out ends the one.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from models import EndedSession, User
from services.company import presence

KEPT = dt.timedelta(days=31)
"""An ended session is remembered for longer than the settings let a cookie live."""


def user_of(
    session: Session, user_id: int, *, token: str, key: str | None, on: dt.date
) -> User | None:
    """Return the user of a session, with their employee; None when it ended or they may not log
    in on that day.
    """
    known = sa.select(User).outerjoin(User.employee).options(contains_eager(User.employee))
    known = known.where(User.id == user_id)
    if key is not None:
        known = known.where(~sa.exists().where(EndedSession.key == key))
    user = session.scalars(known).first()
    if user is None or not hmac.compare_digest(user.session_token, token):
        return None
    return user if presence.is_open(user, on=on) else None


def new_key() -> str:
    """Return the key of a new session."""
    return secrets.token_hex(16)


def end(session: Session, user: User, *, key: str | None, now: dt.datetime) -> None:
    """End a session; one from before sessions had keys ends with all others of the user."""
    session.execute(sa.delete(EndedSession).where(EndedSession.at < now - KEPT))
    if key is None:
        end_all(user)
    elif session.scalar(sa.select(EndedSession.id).where(EndedSession.key == key)) is None:
        session.add(EndedSession(key=key, at=now))
    session.flush()


def end_all(user: User) -> None:
    """End every session of a user."""
    user.session_token = secrets.token_hex(32)
