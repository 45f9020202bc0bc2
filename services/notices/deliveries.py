"""Deliveries: a notice on its ways out, each tried until it arrived or was given up.

`make_deliveries` turns a notice into one delivery per way: mail to a person, or a message to a
group robot (a channel). A delivery is sent outside any transaction: `begin_try` counts the try
and sets the time of the next one, then the caller touches the network, then `mark_sent` or
`mark_failed` records the result. So two workers never send the same delivery, and one that is
killed in between sends it at most once more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import (
    Deadline,
    Department,
    Employee,
    Notice,
    NoticeChannel,
    NoticeDelivery,
)
from policy.vocabulary.status import DeadlineState
from services.notices import recipients, reminders

STALE = dt.timedelta(hours=24)
"""The age beyond which a notice is not sent, so that days without a server end in no flood."""


BACKOFF = tuple(dt.timedelta(minutes=m) for m in (1, 5, 15, 60, 240))
"""The wait after each try until the next one; after the last try the delivery is given up."""


TRIES = len(BACKOFF) + 1


BATCH = 200


LONGEST_FAILURE = 500


_ABOUT_LATENESS = frozenset({"alert", "breached"})
"""Notices that the holders of a post get alone, where they can be reached, and not everybody."""
_BY_MAIL_ALONE = frozenset({"to_convene", "to_vote", "penalties_changed"})
"""Notices only their recipients may read: appeals and votes are posted in no group."""


def make_deliveries(session: Session, *, now: dt.datetime, on: dt.date, mails: bool) -> int:
    """Make the deliveries of new notices and return how many notices were looked at.

    `mails` says whether there is a mail server. A notice older than STALE gets no delivery, only
    the time at which that was decided.
    """
    notices = session.scalars(
        sa.select(Notice)
        .where(Notice.spread_at.is_(None))
        .options(joinedload(Notice.complaint))
        .order_by(Notice.id)
        .limit(BATCH)
    ).all()
    channels = _active_channels(session) if notices else []
    for notice in notices:
        notice.spread_at = now
        if now - notice.made_at <= STALE:
            readers = recipients.mail_recipients(session, notice, on=on) if mails else []
            session.add_all(_deliveries_of(notice, readers, channels, now=now))
    session.flush()
    return len(notices)


def _active_channels(session: Session) -> list[NoticeChannel]:
    active = sa.select(NoticeChannel).where(NoticeChannel.active.is_(True))
    return list(session.scalars(active.order_by(NoticeChannel.id)))


def _deliveries_of(
    notice: Notice,
    readers: Iterable[Employee],
    channels: Iterable[NoticeChannel],
    *,
    now: dt.datetime,
) -> list[NoticeDelivery]:
    heard = () if notice.kind in _BY_MAIL_ALONE else channels
    hearing = [one for one in heard if one.department_id in {None, notice.department_id}]
    mails = [
        NoticeDelivery(notice_id=notice.id, way=f"mail:{one.id}", next_at=now) for one in readers
    ]
    if notice.post and notice.kind in _ABOUT_LATENESS:
        own = [one for one in hearing if one.department_id is not None]
        hearing = own if own or mails else hearing
    return mails + [to_channel(notice, one, now=now) for one in hearing]


def to_channel(notice: Notice, channel: NoticeChannel, *, now: dt.datetime) -> NoticeDelivery:
    """Return a delivery of a notice to a channel, due now."""
    return NoticeDelivery(
        notice_id=notice.id, way=f"channel:{channel.id}", channel_id=channel.id, next_at=now
    )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One try of a delivery: the notice's kind and facts, and the address of a robot or a
    mailbox.
    """

    delivery_id: int
    kind: str
    facts: dict[str, Any]
    channel_address: str | None
    email: str | None


def due_deliveries(session: Session, *, now: dt.datetime, limit: int = BATCH) -> list[int]:
    """Return the ids of the deliveries whose next try is due, the longest waiting first."""
    return list(
        session.scalars(
            sa.select(NoticeDelivery.id)
            .where(NoticeDelivery.next_at <= now)
            .order_by(NoticeDelivery.next_at, NoticeDelivery.id)
            .limit(limit)
        )
    )


def begin_try(
    session: Session, delivery_id: int, *, now: dt.datetime, on: dt.date
) -> Outgoing | None:
    """Count a try and return what to send, or None where nothing is to be sent any more.

    Commit it before the network is touched: another worker that asks for the same delivery
    meanwhile gets None, and after a crash the next try is made when its time has come.
    """
    waits = sa.select(NoticeDelivery).where(
        NoticeDelivery.id == delivery_id, NoticeDelivery.next_at <= now
    )
    delivery = session.scalar(waits.with_for_update())
    if delivery is None:
        return None
    idle = _reason_not_to_send(session, delivery, now=now, on=on)
    if idle is not None:
        _give_up(session, delivery, idle)
        return None
    delivery.tries += 1
    delivery.next_at = now + BACKOFF[delivery.tries - 1] if delivery.tries < TRIES else None
    delivery.failure = "interrupted"  # until `mark_sent` or `mark_failed`
    session.flush()
    return _outgoing(session, delivery)


def mark_sent(session: Session, delivery_id: int, *, now: dt.datetime) -> None:
    """Mark a delivery as accepted by the far end; it is never tried again."""
    delivery = session.get_one(NoticeDelivery, delivery_id)
    delivery.sent_at, delivery.next_at, delivery.failure = now, None, None
    session.flush()


def mark_failed(session: Session, delivery_id: int, *, why: str) -> None:
    """Note why a try failed; `begin_try` set the next one, or there is none any more.

    `why` is kept as it is shown: it must carry no secret.
    """
    delivery = session.get_one(NoticeDelivery, delivery_id)
    delivery.failure = why[:LONGEST_FAILURE]
    session.flush()


def _give_up(session: Session, delivery: NoticeDelivery, why: str) -> None:
    delivery.next_at, delivery.failure = None, why
    session.flush()


def _reason_not_to_send(
    session: Session, delivery: NoticeDelivery, *, now: dt.datetime, on: dt.date
) -> str | None:
    """Return why there is nothing to send any more, as a code; None where there is."""
    if now - delivery.notice.made_at > STALE:
        return "too_old"
    if _is_over(session, delivery.notice):
        return "over"
    if delivery.channel is not None:
        heard = delivery.channel.active or delivery.notice.kind == "test"
        return None if heard else "channel_off"
    reader = _reader(session, delivery)
    return None if reader is not None and recipients.is_reachable(reader, on=on) else "nobody"


def _reader(session: Session, delivery: NoticeDelivery) -> Employee | None:
    return session.get(Employee, int(delivery.way.removeprefix("mail:")))


def _is_over(session: Session, notice: Notice) -> bool:
    """Whether the deadline that was to end soon was met, moved or has run out."""
    if notice.kind != "due_soon" or notice.complaint_id is None:
        return False
    running = session.scalars(
        sa.select(Deadline).where(
            Deadline.complaint_id == notice.complaint_id, Deadline.state == DeadlineState.running
        )
    )
    return notice.occasion not in {
        reminders.occasion_of(one) for one in running if one.due_at is not None
    }


def _outgoing(session: Session, delivery: NoticeDelivery) -> Outgoing:
    notice, channel = delivery.notice, delivery.channel
    reader = None if channel is not None else _reader(session, delivery)
    return Outgoing(
        delivery_id=delivery.id,
        kind=notice.kind,
        facts=notice_facts(session, notice),
        channel_address=None if channel is None else channel.address,
        email=None if reader is None else reader.email,
    )


def notice_facts(session: Session, notice: Notice) -> dict[str, Any]:
    """Return the facts of a notice for its sentences; instants as instants, no customer's data."""
    found: dict[str, Any] = dict(notice.facts)
    department = session.get(Department, notice.department_id) if notice.department_id else None
    found["department"] = None if department is None else department.name
    if "due_at" in found:
        found["due_at"] = dt.datetime.fromisoformat(found["due_at"])
    elif notice.complaint is not None:
        found["due_at"] = notice.complaint.due_at
        if notice.complaint.due_provisional:
            found["provisional"] = True
    return found
