"""How a value of the record looks in a cell, on a page and in an exported table."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

from flask import Flask
from flask_babel import gettext
from markupsafe import Markup, escape
from wtforms.validators import InputRequired

import wording

Plain = str | int | Decimal | dt.date | dt.datetime | None


def shown(value: Any) -> Markup:
    """A value as safe HTML: chips for enumerations, local times, yuan, a dash for nothing."""
    if value is None or value == "":
        return Markup('<span class="none">—</span>')
    if isinstance(value, bool):
        return _yes() if value else _no()
    if isinstance(value, enum.Enum):
        return chip(value)
    if isinstance(value, dt.datetime):
        return time_element(value)
    if isinstance(value, dt.date):
        return Markup('<time datetime="{0}">{0}</time>').format(value.isoformat())
    if isinstance(value, Decimal):
        return Markup('<span class="money">{}</span>').format(wording.money(value))
    return value if isinstance(value, Markup) else escape(str(value))


def chip(member: enum.Enum) -> Markup:
    """The chip of a member of one of our enumerations: colour and word."""
    return Markup('<span class="chip chip-{}">{}</span>').format(
        wording.tone(member), wording.label(member)
    )


def time_element(at: dt.datetime) -> Markup:
    """An instant as local date and time, machine readable beside it."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), wording.moment(at))


def plain(value: Any) -> Plain:
    """A value for an exported table: numbers stay numbers, times are local and without a zone."""
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, enum.Enum):
        return wording.label(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(wording.zone()).replace(tzinfo=None)
    if isinstance(value, int | dt.date):
        return value
    return str(value)


def urgency(at: dt.datetime, *, now: dt.datetime) -> str:
    """How near a due time is: overdue, today (the local day), or later."""
    if at <= now:
        return "overdue"
    local = wording.zone()
    same_day = at.astimezone(local).date() == now.astimezone(local).date()
    return "today" if same_day else "later"


def now() -> dt.datetime:
    """This instant; templates compare due times with it."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """The day it is in the company's zone."""
    return now().astimezone(wording.zone()).date()


def needed(field: Any) -> bool:
    """Whether a field of a form must be filled; its label then carries a star."""
    if field.flags.required or any(isinstance(v, InputRequired) for v in field.validators):
        return True
    return getattr(field, "allow_blank", True) is False


def _yes() -> Markup:
    return Markup('<span class="chip chip-green">{}</span>').format(gettext("Yes"))


def _no() -> Markup:
    return Markup('<span class="chip chip-grey">{}</span>').format(gettext("No"))


def init_app(app: Flask) -> None:
    """Offer these words to every template."""
    app.jinja_env.filters["shown"] = shown
    app.jinja_env.filters["moment"] = wording.moment
    app.jinja_env.filters["money"] = wording.money
    app.jinja_env.globals.update(
        deed=wording.deed,
        label=wording.label,
        needed=needed,
        now=now,
        tone=wording.tone,
        urgency=urgency,
    )
