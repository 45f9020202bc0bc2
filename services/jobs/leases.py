"""Leases: each lets one worker run a chore until an end, with a number that grows with every turn.

A worker that was stopped in the middle loses its lease by time, or at once where its process is
known to be dead, and its later writes are refused by its old number. A lease given back has no
holder, so that a clock that was set back keeps nobody waiting. `now` is an aware instant.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Lease

HEARTBEAT = "worker"
HEARTBEAT_TERM = dt.timedelta(seconds=20)
CLOCKS_DIFFER = dt.timedelta(minutes=1)
"""So far the clocks of two hosts may be apart."""
FREE = ""
"""The holder of a lease that was given back."""

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another holder has taken over; the work in progress must not be committed."""


def acquire(
    session: Session,
    name: str,
    *,
    holder: str,
    now: dt.datetime,
    term: dt.timedelta,
    is_dead: Callable[[str], bool] = lambda holder: False,
) -> int | None:
    """Return the number of a new turn, or None while another turn lasts.

    `is_dead` says of a holder whether its process has ended for certain.
    """
    lease = _locked(session, name)
    if lease is None:
        return _first(session, name, holder=holder, until=now + term)
    if _lasts(lease, now=now, term=term) and not is_dead(lease.holder):
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
        lease.holder, lease.expires_at = FREE, now
        session.flush()


def seconds_since_heartbeat(session: Session, *, now: dt.datetime) -> int | None:
    """Return the seconds since a worker last showed that it lives; None when none ever did."""
    expires_at = session.scalar(sa.select(Lease.expires_at).where(Lease.name == HEARTBEAT))
    if expires_at is None or expires_at > now + HEARTBEAT_TERM + CLOCKS_DIFFER:
        return None  # a beat that lies ahead is from before the clock was set back
    return max(0, int((now - (expires_at - HEARTBEAT_TERM)).total_seconds()))


def _lasts(lease: Lease, *, now: dt.datetime, term: dt.timedelta) -> bool:
    """Whether a turn lasts; no turn ends later than its term from now, unless a clock was wrong."""
    if lease.holder == FREE or lease.expires_at <= now:
        return False
    if lease.expires_at > now + term + CLOCKS_DIFFER:
        log.warning("%s was taken by a clock that is ahead of now; it is taken over", lease.name)
        return False
    return True


def _locked(session: Session, name: str) -> Lease | None:
    return session.scalar(sa.select(Lease).where(Lease.name == name).with_for_update())


def _first(session: Session, name: str, *, holder: str, until: dt.datetime) -> int | None:
    try:
        with session.begin_nested():
            session.add(Lease(name=name, holder=holder, fence=1, expires_at=until))
    except IntegrityError:
        return None
    return 1
