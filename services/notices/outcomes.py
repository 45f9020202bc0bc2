"""Outcomes: the state of a notice, from the states of its deliveries."""

from __future__ import annotations

import sqlalchemy as sa

from models import (
    Notice,
    NoticeDelivery,
)
from services.notices import deliveries

STATES = ("waiting", "sent", "failed", "nobody")


_UNNEEDED = ("over", "nobody", "channel_off")
"""Failures that are none, because there was nothing to send any more."""


def state_of(notice: Notice) -> str:
    """Return the state of a notice, a word of STATES; the worst of its deliveries counts."""
    deliveries = notice.deliveries
    if notice.spread_at is None or any(one.next_at is not None for one in deliveries):
        return "waiting"
    if any(one.sent_at is None and one.failure not in _UNNEEDED for one in deliveries):
        return "failed"
    return "sent" if any(one.sent_at is not None for one in deliveries) else "nobody"


def has_state(name: str) -> sa.ColumnElement[bool]:
    """Return the condition under which `state_of` returns that word."""
    waits = sa.or_(Notice.spread_at.is_(None), _has(NoticeDelivery.next_at.is_not(None)))
    lost = _has(
        NoticeDelivery.sent_at.is_(None),
        NoticeDelivery.next_at.is_(None),
        NoticeDelivery.failure.not_in(_UNNEEDED),
    )
    arrived = _has(NoticeDelivery.sent_at.is_not(None))
    conditions = {
        "waiting": waits,
        "failed": sa.and_(~waits, lost),
        "sent": sa.and_(~waits, ~lost, arrived),
        "nobody": sa.and_(~waits, ~lost, ~arrived),
    }
    return conditions[name]


def was_too_old(notice: Notice) -> bool:
    """Whether a notice was not sent because it was older than STALE when it was looked at."""
    late = notice.spread_at is not None and notice.spread_at - notice.made_at > deliveries.STALE
    return late and not notice.deliveries


def _has(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(NoticeDelivery.notice_id == Notice.id, *conditions)
