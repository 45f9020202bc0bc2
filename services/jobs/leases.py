"""Leases: each lets one worker run a chore until an end, with a number that grows with every turn.

A worker that was stopped in the middle loses its lease by time alone, and its later writes are
refused by its old number. `now` is an aware instant, as everywhere.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Lease

HEARTBEAT = "worker"
HEARTBEAT_TERM = dt.timedelta(seconds=20)


class LeaseLost(Exception):
    """Another holder has taken over; the work in progress must not be committed."""


def acquire(
    session: Session, name: str, *, holder: str, now: dt.datetime, term: dt.timedelta
) -> int | None:
    """Return the number of a new turn, or None while another turn lasts."""
    lease = _locked(session, name)
    if lease is None:
        return _first(session, name, holder=holder, until=now + term)
    if lease.expires_at > now:
        return None
    lease.holder, lease.expires_at = holder, now + term
    lease.fence += 1
    session.flush()
    return lease.fence


def renew(session: Session, name: str, *, fence: int, now: dt.datetime, term: dt.timedelta) -> None:
    """Prolong the turn `fence`. Raises LeaseLost when another turn has begun."""
    lease = _locked(session, name)
    if lease is None or lease.fence != fence:
        raise LeaseLost(name)
    lease.expires_at = now + term
    session.flush()


def release(session: Session, name: str, *, fence: int, now: dt.datetime) -> None:
    """End the turn `fence` now; nothing happens when it already ended."""
    lease = _locked(session, name)
    if lease is not None and lease.fence == fence:
        lease.expires_at = now
        session.flush()


def seconds_since_heartbeat(session: Session, *, now: dt.datetime) -> int | None:
    """Return the seconds since a worker last showed that it lives; None when none ever did."""
    expires_at = session.scalar(sa.select(Lease.expires_at).where(Lease.name == HEARTBEAT))
    return (
        None if expires_at is None else int((now - (expires_at - HEARTBEAT_TERM)).total_seconds())
    )


def _locked(session: Session, name: str) -> Lease | None:
    return session.scalar(sa.select(Lease).where(Lease.name == name).with_for_update())


def _first(session: Session, name: str, *, holder: str, until: dt.datetime) -> int | None:
    try:
        with session.begin_nested():
            session.add(Lease(name=name, holder=holder, fence=1, expires_at=until))
    except IntegrityError:
        return None
    return 1
