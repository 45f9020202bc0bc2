"""Accounts: users and their passwords, and a throttle on guessing them.

A failed attempt is a row, so the throttle works across processes and restarts. An attempt is noted
before the password is checked and removed when it was right; many guesses at the same moment
therefore cannot slip past the count.
"""

from __future__ import annotations

import datetime as dt
import secrets
from functools import cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from enums import Role
from models import LoginAttempt, User
from policy.vocabulary.errors import (
    Duplicate,
    FieldMissing,
    FieldTooLong,
    PasswordRefused,
    PasswordWrong,
)
from services.company import passwords, sessions

WINDOW = dt.timedelta(minutes=15)
FAILURES_PER_USER = 8
FAILURES_PER_ADDRESS = 60
FAILURES_PER_USER_WHEN_MANY = 3
"""The same for each user at an address from which many passwords are guessed."""
LONGEST_USERNAME = 64

_hasher = PasswordHasher()


def add_user(
    session: Session,
    username: str,
    *,
    password: str,
    display_name: str,
    role: Role,
    employee_id: int | None = None,
) -> User:
    """Add a user who can log in.

    Raises FieldMissing, FieldTooLong, Duplicate or PasswordRefused.
    """
    username = username.strip()
    if not username:
        raise FieldMissing(field="username")
    if len(username) > LONGEST_USERNAME:
        raise FieldTooLong(field="username", limit=LONGEST_USERNAME)
    if find_user(session, username) is not None:
        raise Duplicate(field="username", value=username)
    user = User(
        username=username, display_name=display_name.strip() or username, role=role, version=1
    )
    user.employee_id = employee_id
    set_password(session, user, password=password)
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, username: str) -> User | None:
    """Return the user of that name, upper and lower case told apart."""
    return session.scalar(sa.select(User).where(User.username == username))


def set_password(session: Session, user: User, *, password: str) -> None:
    """Set a user's password, as the rules of passwords allow; every session of theirs ends."""
    passwords.check(password, username=user.username)
    user.password_hash = _hasher.hash(password)
    user.must_change_password = False
    sessions.end_all(user)


def ask_for_own_password(user: User) -> None:
    """Let a user choose a password of their own first: somebody else knows the one they have."""
    user.must_change_password = True


def change_own_password(session: Session, user: User, *, old: str, new: str) -> None:
    """Change the password of a user who knows the old one; every session of theirs ends.

    Raises PasswordWrong for another old one, PasswordRefused where the new one is the old one or
    weak.
    """
    if not password_matches(user.password_hash, old):
        raise PasswordWrong(field="old")
    if old == new:
        raise PasswordRefused(field="password", why="same", least=passwords.SHORTEST)
    set_password(session, user, password=new)
    session.flush()


def note_weakness(user: User, *, password: str) -> None:
    """Let a user whose password would be refused today choose another one, now that it is typed."""
    if passwords.weakness(password, username=user.username):
        ask_for_own_password(user)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one behind the hash; None is the hash of a user who does not exist.

    Checking takes as long for an unknown name as for a known one, so that the time gives no name
    away. It takes a while on purpose, so no transaction that others wait for should be open
    meanwhile.
    """
    try:
        right = _hasher.verify(password_hash or _dummy_hash(), password[: passwords.LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return right and password_hash is not None


def note_attempt(session: Session, username: str, *, address: str, now: dt.datetime) -> int:
    """Note an attempt to log in; returns the seconds to wait before it may be made, 0 when at once.

    An attempt that has to wait is not counted, else waiting would never end. However many are
    made at an address, somebody there who did not mistype gets in at once: all that many
    attempts bring is that each user may mistype less often.
    """
    session.execute(sa.delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))
    username = username[:LONGEST_USERNAME]
    by_user = (LoginAttempt.username == username) & (LoginAttempt.address == address)
    many = _wait(session, LoginAttempt.address == address, FAILURES_PER_ADDRESS, now=now)
    allowed = FAILURES_PER_USER_WHEN_MANY if many else FAILURES_PER_USER
    wait = _wait(session, by_user, allowed, now=now)
    if not wait:
        session.add(LoginAttempt(username=username, address=address, at=now))
        session.flush()
    return wait


def forget_attempts(session: Session, username: str, *, address: str) -> None:
    """Remove the attempts of a user and address after a right password."""
    session.execute(
        sa.delete(LoginAttempt).where(
            LoginAttempt.username == username, LoginAttempt.address == address
        )
    )


def _wait(
    session: Session, which: sa.ColumnElement[bool], allowed: int, *, now: dt.datetime
) -> int:
    """Return the seconds until fewer than `allowed` of the attempts lie within the window."""
    newest = sa.select(LoginAttempt.at).where(which).order_by(LoginAttempt.at.desc())
    deciding = session.scalar(newest.offset(allowed - 1).limit(1))
    if deciding is None:
        return 0
    return max(0, int((deciding + WINDOW - now).total_seconds()) + 1)


@cache
def _dummy_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))
