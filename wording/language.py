"""The language and zone spoken now, and moments and sums in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import flask_babel
from babel.support import NullTranslations, Translations
from flask import has_app_context

LANGUAGES = {"zh_Hans_CN": "中文", "en": "English"}
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"

_spoken: ContextVar[tuple[str, ZoneInfo] | None] = ContextVar("spoken", default=None)


@contextmanager
def speaking(language: str, zone: ZoneInfo) -> Iterator[None]:
    """Speak `language` inside, with the clock times of `zone`."""
    token = _spoken.set((language, zone))
    try:
        yield
    finally:
        _spoken.reset(token)


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(CATALOGUES, [language])


def _(msgid: str, **facts: Any) -> str:
    """Return the message in the language spoken now, with the facts filled in."""
    spoken = _spoken.get()
    if spoken is not None:
        said = _catalogue(spoken[0]).ugettext(msgid)
    elif has_app_context():
        said = flask_babel.get_translations().ugettext(msgid)
    else:
        said = msgid
    return said % facts if facts else said


def mark(msgid: str) -> str:
    """Return the msgid itself; the function's name tells the extraction that it is one."""
    return msgid


def zone() -> dt.tzinfo:
    """Return the zone in which times are shown now."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken[1]
    # By name, because Flask-Babel's zones may be of another class than ZoneInfo.
    return ZoneInfo(str(flask_babel.get_timezone())) if has_app_context() else dt.UTC


def moment(at: dt.datetime) -> str:
    """Return an instant as local date and time to the minute: 2026-10-13 16:20."""
    try:
        return clock_text(at.astimezone(zone()))
    except OverflowError:  # the first and the last day of the calendar have no other zone
        return clock_text(at)


def clock_text(at: dt.datetime) -> str:
    """Return a date and time as it stands, to the minute; every year has four digits.

    What people read is never read back by a program: a machine's own text has its own functions.
    """
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def money(amount: Decimal | int) -> str:
    """Return a sum of yuan: ¥1,200 or ¥0.50; fen are shown when there are any."""
    whole = amount == int(amount)
    return f"¥{amount:,.0f}" if whole else f"¥{amount:,.2f}"
