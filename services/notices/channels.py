"""Channels: the group robots that get notices, and a test of one."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import (
    Department,
    Notice,
    NoticeChannel,
)
from policy.vocabulary.errors import Duplicate, FieldMissing, FieldTooLong
from services.notices import deliveries

LONGEST_NAME = 120


LONGEST_ADDRESS = 500


def add_channel(
    session: Session, *, name: str, address: str, department: Department | None
) -> NoticeChannel:
    """Add a channel. The caller has checked the address. Raises FieldMissing or Duplicate."""
    channel = NoticeChannel(name="", address="", active=True)
    _name_channel(session, channel, name)
    channel.address = _checked_text(address, "address", LONGEST_ADDRESS)
    channel.department_id = None if department is None else department.id
    session.add(channel)
    session.flush()
    return channel


def change_channel(
    session: Session,
    channel: NoticeChannel,
    *,
    name: str,
    address: str,
    department: Department | None,
    active: bool,
) -> None:
    """Change a channel; an empty `address` keeps the one it has."""
    _name_channel(session, channel, name)
    if address.strip():
        channel.address = _checked_text(address, "address", LONGEST_ADDRESS)
    channel.department_id = None if department is None else department.id
    channel.active = active
    session.flush()


def send_test(session: Session, channel: NoticeChannel, *, now: dt.datetime) -> Notice:
    """Add a notice that only says it is a test, with one delivery, to that channel."""
    notice = Notice(
        kind="test",
        occasion=f"channel/{channel.id}/{now.isoformat()}",
        department_id=channel.department_id,
        facts={"channel": channel.name},
        made_at=now,
        spread_at=now,
    )
    session.add(notice)
    session.flush()
    session.add(deliveries.to_channel(notice, channel, now=now))
    session.flush()
    return notice


def _name_channel(session: Session, channel: NoticeChannel, name: str) -> None:
    name = _checked_text(name, "name", LONGEST_NAME)
    same = sa.select(NoticeChannel.id).where(NoticeChannel.name == name)
    with session.no_autoflush:
        if session.scalar(same) not in {None, channel.id}:
            raise Duplicate(field="name", value=name)
    channel.name = name


def _checked_text(text: str, field: str, limit: int) -> str:
    text = text.strip()
    if not text:
        raise FieldMissing(field=field)
    if len(text) > limit:
        raise FieldTooLong(field=field, limit=limit)
    return text
