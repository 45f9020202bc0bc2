"""Changes of the layout: tabs and columns an administrator renames, moves, adds or switches off.

The workbooks take them over at their next look.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Audience
from models import (
    WorkbookColumn,
    WorkbookTab,
)
from policy.vocabulary.errors import (
    ChoiceUnknown,
    Duplicate,
    FieldMissing,
    FieldTooLong,
    ValueRefused,
)
from policy.vocabulary.status import Status
from services.workbooks import layout

LONGEST_TITLE = 31


LONGEST_HEADER = 120


WIDEST = 120


MOST_DAYS = 3650


_NO_TITLE = re.compile(r"[\[\]:*?/\\]|^'|'$|^history$", re.IGNORECASE)
"""Titles Excel does not accept for a tab."""


def change_tab(
    session: Session,
    tab: WorkbookTab,
    *,
    title: str | None,
    statuses: Sequence[Status],
    days: int | None,
    position: int | None,
) -> None:
    """Change a tab's title and position, the statuses of its cases, and their days after closing.

    Raises FieldMissing, FieldTooLong, ValueRefused or Duplicate by the field that is wrong.
    """
    tab.title = _title(session, tab, title)
    if tab.statuses and not statuses:
        raise FieldMissing(field="statuses")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise ValueRefused(field="days", value=days, why="not_that_many_days")
    if tab.statuses:
        tab.statuses = [status.value for status in Status if status in statuses]
    tab.days = days
    tab.position = _number(position, "position", 0, most=999)
    session.flush()


def _title(session: Session, tab: WorkbookTab, title: str | None) -> str:
    text = _text(title, "title", LONGEST_TITLE)
    if _NO_TITLE.search(text):
        raise ValueRefused(field="title", value=text, why="not_a_title")
    others = session.scalars(
        sa.select(WorkbookTab.title).where(
            WorkbookTab.audience == tab.audience, WorkbookTab.id != tab.id
        )
    )
    if text.casefold() in {other.casefold() for other in others}:
        raise Duplicate(field="title", value=text)
    return text


def add_column(
    session: Session,
    tab: WorkbookTab,
    name: str,
    *,
    header: str | None,
    width: int | None,
    position: int | None,
    on: dt.date,
) -> WorkbookColumn:
    """Add a column to a tab; `on` is the day whose regulations declare the fields.

    Raises ChoiceUnknown for a field the tab cannot have or has already, and the errors of
    change_column.
    """
    if name not in layout.addable_fields(session, tab, on=on):
        raise ChoiceUnknown(field="field", value=name)
    column = WorkbookColumn(
        tab=tab,
        field=name,
        header=_header(tab, None, header),
        width=_number(width, "width", 1, most=WIDEST),
        position=_number(position, "position", 0, most=999),
        active=True,
    )
    session.add(column)
    session.flush()
    return column


def change_column(
    session: Session,
    column: WorkbookColumn,
    *,
    header: str | None,
    width: int | None,
    position: int | None,
    active: bool,
) -> None:
    """Change a column's header, width and position, or switch it off and on; a needed one stays on.

    Raises FieldMissing, FieldTooLong, ValueRefused or Duplicate by the field that is wrong.
    """
    if not active and is_needed(column):
        raise ValueRefused(field="active", value=column.header, why="column_needed")
    column.header = _header(column.tab, column, header)
    column.width = _number(width, "width", 1, most=WIDEST)
    column.position = _number(position, "position", 0, most=999)
    column.active = active
    session.flush()


def is_needed(column: WorkbookColumn) -> bool:
    """Whether its tab cannot do its work without the column."""
    return column.field in layout.NEEDED_FIELDS.get(column.tab.key, frozenset())


def tabs_with_addable_fields(
    session: Session, *, on: dt.date
) -> list[tuple[WorkbookTab, list[str]]]:
    """Return every tab that can get another column, with the fields it could show."""
    tabs = [tab for audience in Audience for tab in layout.tabs(session, audience)]
    offered = [(tab, layout.addable_fields(session, tab, on=on)) for tab in tabs]
    return [(tab, names) for tab, names in offered if names]


def _header(tab: WorkbookTab, column: WorkbookColumn | None, header: str | None) -> str:
    text = _text(header, "header", LONGEST_HEADER)
    others = {one.header.casefold() for one in tab.columns if one is not column}
    if text.casefold() in others:
        raise Duplicate(field="header", value=text)
    return text


def _text(value: str | None, name: str, limit: int) -> str:
    """Return a text on one line without blanks around it; refuse an empty or too long one."""
    text = " ".join((value or "").split())
    if not text:
        raise FieldMissing(field=name)
    if len(text) > limit:
        raise FieldTooLong(field=name, limit=limit)
    return text


def _number(value: int | None, name: str, least: int, *, most: int) -> int:
    if value is None:
        raise FieldMissing(field=name)
    if not least <= value <= most:
        raise ValueRefused(field=name, value=value, why="out_of_range")
    return value
