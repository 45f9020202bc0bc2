"""The layout of a workbook for the port, from the layout in the record."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from enums import Audience
from models import Workbook, WorkbookTab
from services.workbooks import layout
from sync.mirror.parsing import choices, times
from sync.port import ColumnLayout, Link, TabLayout, Written
from wording import workbook_text

LOCKED = frozenset({"today", "closed", "guide", "people"})
"""Tabs that Redress makes wholly; people neither sort nor fill them."""


def of(session: Session, workbook: Workbook, *, on: dt.date) -> tuple[TabLayout, ...]:
    """The tabs of a workbook, in order; a payroll workbook has one a wage month."""
    found: list[TabLayout] = []
    for tab in layout.tabs(session, workbook.audience):
        if tab.key == "month":
            found += [
                _month(session, tab, workbook, number=number, on=on) for number in range(1, 13)
            ]
        else:
            found.append(_tab(session, tab, key=tab.key, title=tab.title, on=on))
    return tuple(found)


def month_key(number: int) -> str:
    """The key of the tab of a wage month, January is 1."""
    return f"month-{number:02d}"


def _month(
    session: Session, tab: WorkbookTab, workbook: Workbook, *, number: int, on: dt.date
) -> TabLayout:
    title = f"{workbook.year}-{number:02d}"
    return _tab(session, tab, key=month_key(number), title=title, on=on)


def _tab(session: Session, tab: WorkbookTab, *, key: str, title: str, on: dt.date) -> TabLayout:
    locked = tab.key in LOCKED or tab.audience is Audience.payroll
    columns = layout.columns(session, tab, on=on)
    fields = {name for name, _header, _width in columns}
    return TabLayout(
        key=key,
        title=title,
        columns=tuple(_column(*column, locked=locked) for column in columns),
        locked=locked,
        hidden=tab.key == "people",
        due="due_at" if "due_at" in fields else None,
        done="confirmed" if "confirmed" in fields else None,
    )


def _column(name: str, header: str, width: int, *, locked: bool) -> ColumnLayout:
    field = layout.field(name)
    open_ = field.open_ and not locked
    return ColumnLayout(
        field=name,
        header=header,
        width=width,
        shape=field.shape,
        open_=open_,
        hidden=name == "uid",
        choices=tuple(workbook_text.reply_outcomes().values())
        if name == "outcome" and open_
        else (),
        choices_from=field.choices_from if open_ else None,
        note="" if locked else workbook_text.column_note(name, open_=open_),
    )


def cell_value(name: str, text: str | None, *, link: str = "") -> Written:
    """The value of a text in its column: a time where times stand, a link for a case."""
    if text is None:
        return None
    shape = layout.field(name).shape
    if shape == "datetime":
        # A text of an earlier version that is no time stands in its cell as it is.
        return times.from_text(text) or text
    if shape == "money":
        return choices.finite(text)
    return Link(text, link) if shape == "link" and link else text
