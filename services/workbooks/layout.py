"""The layout of workbooks: their tabs and columns, and the fields a column can show.

A tab and its columns are rows of the record, so an administrator changes them; the meaning of a
field (its owner, the deed it carries) is here. Fields of a regulation are `extra.<key>`, those of
its forms `form.<form>.<key>`, which a workbook only shows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from enums import Audience
from models import Complaint, Department, Workbook, WorkbookColumn, WorkbookTab
from policy.vocabulary.status import ENDS, Status
from services.company import actors
from services.regulation import declared, policies
from services.regulation.declared import EXTRA, FORM

EXTRAS = "extra.*"
"""The placeholder of every field of the regulations in force that has no column of its own."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field a column can show: its owner, shape and width.

    `owner` is office or department; `asked` where a new row may fill it; `choices_from` is the tab
    that lists its values, and `chosen` says that people choose from few values.
    """

    owner: str = "office"
    shape: str = "text"
    width: int = 14
    asked: bool = False
    choices_from: str | None = None
    chosen: bool = False

    @property
    def open_(self) -> bool:
        """Whether the department fills it."""
        return self.owner == "department"


FIELDS: dict[str, Field] = {
    "uid": Field(width=4),
    "number": Field(shape="link", width=16),
    "next_step": Field(width=22),
    "due_at": Field(shape="datetime", width=17),
    "hint": Field(width=44),
    "handler": Field("department", width=16, choices_from="people", chosen=True),
    "contacted_at": Field("department", "datetime", 17),
    "progress": Field("department", width=30),
    "outcome": Field("department", width=18, chosen=True),
    "answer": Field("department", width=34),
    "until": Field("department", "datetime", 17),
    "until_reason": Field("department", width=24),
    "confirmed": Field(width=20),
    "grade": Field(width=8),
    "channel": Field(width=14),
    "received_at": Field(shape="datetime", width=17, asked=True),
    "customer": Field(width=12, asked=True),
    "phone": Field(width=16, asked=True),
    "body": Field(width=44, asked=True),
    "demand": Field(width=24, asked=True),
    "round": Field(width=6),
    "feedback": Field(width=30),
    "why": Field(width=16),
    "status": Field(width=14),
    "closed_at": Field(shape="datetime", width=17),
    "topic": Field(width=18),
    "text": Field(width=90),
    "value": Field(width=24),
    "employee_number": Field(width=12),
    "employee": Field(width=12),
    "department": Field(width=16),
    "ground": Field(width=26),
    "cite": Field(width=20),
    "amount": Field(shape="money", width=12),
    "confirmed_at": Field(shape="datetime", width=17),
    "notified_at": Field(shape="datetime", width=17),
    "counts_at": Field(shape="datetime", width=17),
}

_OPEN = [
    *("registered", "returned", "dispatched", "replied", "raised"),
    *("intervened", "confirmed", "disputed", "accepted"),
]
_CLOSED = ["closed", "archived"]

TABS: dict[tuple[Audience, str], tuple[list[str], int | None, str]] = {
    (Audience.department, "today"): (
        _OPEN,
        None,
        "uid why number next_step due_at hint handler customer body",
    ),
    (Audience.department, "open"): (
        _OPEN,
        None,
        "uid number next_step due_at hint handler contacted_at progress outcome answer until"
        " until_reason confirmed grade channel received_at customer phone extra.* body demand"
        " round feedback",
    ),
    (Audience.department, "closed"): (
        _CLOSED,
        90,
        "uid number status grade channel received_at closed_at customer handler outcome answer"
        " feedback round",
    ),
    (Audience.department, "guide"): ([], None, "uid topic text"),
    (Audience.department, "people"): ([], None, "uid value"),
    (Audience.payroll, "month"): (
        [],
        None,
        "uid employee_number employee department number ground cite amount confirmed_at"
        " notified_at counts_at",
    ),
    (Audience.payroll, "guide"): ([], None, "uid topic text"),
}
"""The tabs a company begins with: statuses of its cases, days after closing, fields in order."""

NEEDED_FIELDS: dict[str, frozenset[str]] = {
    "open": frozenset(
        {"uid", "number", "hint", "handler", "outcome", "answer", "until", "until_reason"}
        | {"customer", "body"}
    ),
    "people": frozenset({"uid", "value"}),
    "guide": frozenset({"uid", "topic", "text"}),
    "today": frozenset({"uid", "number"}),
    "closed": frozenset({"uid", "number"}),
    "month": frozenset({"uid", "employee_number", "amount"}),
}
"""The fields a tab cannot work without; their columns stay switched on."""


def field(name: str) -> Field:
    """Return a field by name; a regulation's belong to the office and may be filled in a
    new row.
    """
    if name.startswith(FORM):
        return Field(width=20)
    return Field(asked=True) if name.startswith(EXTRA) else FIELDS[name]


# ---------------------------------------------------------------- the first run


def add_missing_tabs(
    session: Session, *, title: Callable[[str], str], header: Callable[[str], str]
) -> None:
    """Add the tabs and columns of every audience that has none, named by `title` and `header`."""
    for position, ((audience, key), (statuses, days, fields)) in enumerate(TABS.items()):
        known = sa.select(WorkbookTab.id).where(
            WorkbookTab.audience == audience, WorkbookTab.key == key
        )
        if session.scalar(known) is not None:
            continue
        tab = WorkbookTab(
            audience=audience,
            key=key,
            title=title(key),
            position=position,
            statuses=list(statuses),
            days=days,
        )
        tab.columns = [
            WorkbookColumn(position=place, field=name, header=header(name), width=_width(name))
            for place, name in enumerate(fields.split())
        ]
        session.add(tab)
    session.flush()


def _width(name: str) -> int:
    return field(name).width


def add_missing_workbooks(
    session: Session, *, on: dt.date, years: Iterable[int], name: Callable[[Workbook], str]
) -> list[Workbook]:
    """Add a workbook for each department that answers cases, and one a year for the payroll.

    `name` returns the name of a new workbook. Departments to which no regulation in force
    dispatches cases get none. Returns the new ones.
    """
    new: list[Workbook] = []
    taken = set(session.scalars(sa.select(Workbook.department_id)))
    for department in answering_departments(session, on=on):
        if department.id not in taken:
            new.append(Workbook(audience=Audience.department, department=department, newborn=[]))
    paid = set(session.scalars(sa.select(Workbook.year)))
    new += [
        Workbook(audience=Audience.payroll, year=year, newborn=[])
        for year in years
        if year not in paid
    ]
    names = set(session.scalars(sa.select(Workbook.name)))
    for workbook in new:
        workbook.name = _free_name(name(workbook), names)
        names.add(workbook.name)
    session.add_all(new)
    session.flush()
    return new


def _free_name(wanted: str, taken: Collection[str]) -> str:
    """The name of a new workbook; two departments may be called alike but for their signs."""
    folded = {name.casefold() for name in taken}
    numbered = (f"{wanted} {number}" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name.casefold() not in folded)


def answering_departments(session: Session, *, on: dt.date) -> list[Department]:
    """Return the active departments to which a regulation in force dispatches cases, by key.

    One that a regulation means no longer is among them as long as it has an open case.
    """
    still = sa.select(Complaint.department_id).where(
        Complaint.department_id.is_not(None), Complaint.status.not_in((*ENDS, Status.closed))
    )
    ids: set[int] = set(session.scalars(still.distinct()))
    for version in policies.all_in_force(session, on=on):
        real = actors.department_ids(session, policy_id=version.policy_id, on=on)
        pack = policies.pack(session, version)
        ids |= {real[entry.key] for entry in pack.department if entry.answers and entry.key in real}
    rows = sa.select(Department).where(Department.id.in_(ids), Department.active)
    return list(session.scalars(rows.order_by(Department.key)))


# ---------------------------------------------------------------- reading the layout


def tabs(session: Session, audience: Audience) -> Sequence[WorkbookTab]:
    """Return the tabs of an audience in their order, with their columns."""
    return session.scalars(
        sa.select(WorkbookTab)
        .where(WorkbookTab.audience == audience)
        .options(selectinload(WorkbookTab.columns))
        .order_by(WorkbookTab.position, WorkbookTab.id)
    ).all()


def extra_fields(session: Session, *, on: dt.date) -> dict[str, str]:
    """Return the fields of the regulations in force: `extra.<key>` and label, in their order."""
    found: dict[str, str] = {}
    for version in policies.all_in_force(session, on=on):
        for entry in policies.pack(session, version).field:
            found.setdefault(EXTRA + entry.key, entry.label)
    return found


LONGEST_NAME = 80
"""The most characters of a column's field; a longer name cannot be chosen."""


def field_labels(session: Session, *, on: dt.date) -> dict[str, str]:
    """Return every field the regulations in force declare, with its label: of cases, then
    of forms.
    """
    found = declared.in_force(session, on=on)
    return {name: one.label for name, one in found.items() if len(name) <= LONGEST_NAME}


def columns(session: Session, tab: WorkbookTab, *, on: dt.date) -> list[tuple[str, str, int]]:
    """Return field, header and width of a tab's columns that are switched on, in order.

    `extra.*` is replaced by the regulations' fields that have no column of their own.
    """
    own = {column.field for column in tab.columns}
    spread = [
        (name, label) for name, label in extra_fields(session, on=on).items() if name not in own
    ]
    result: list[tuple[str, str, int]] = []
    for column in tab.columns:
        if not column.active:
            continue
        if column.field == EXTRAS:
            result += [(name, label, column.width) for name, label in spread]
        else:
            result.append((column.field, column.header, column.width))
    return result


def addable_fields(session: Session, tab: WorkbookTab, *, on: dt.date) -> list[str]:
    """Return the fields for which a column can be added to a tab."""
    taken = {column.field for column in tab.columns}
    fitting = _FIELDS_OF_TAB.get(tab.key, frozenset())
    possible = [name for name in FIELDS if name in fitting]
    if tab.key in ("open", "closed", "today"):
        possible += [EXTRAS, *field_labels(session, on=on)]
    return [name for name in possible if name not in taken]


def headers(session: Session, workbook: Workbook) -> dict[str, str]:
    """Return the headers of a workbook's columns, by field; the first tab that has one decides."""
    rows = session.execute(
        sa.select(WorkbookColumn.field, WorkbookColumn.header)
        .join(WorkbookColumn.tab)
        .where(WorkbookTab.audience == workbook.audience)
        .order_by(WorkbookTab.position, WorkbookColumn.position)
    )
    found: dict[str, str] = {}
    for name, header in rows:
        found.setdefault(name, header)
    return found


_SHOWN_ANYWHERE = frozenset(TABS[Audience.department, "open"][2].split()) - {"phone"} | {"status"}
_FIELDS_OF_TAB = {
    "today": _SHOWN_ANYWHERE | {"why"},
    "open": _SHOWN_ANYWHERE | {"phone"},
    "closed": _SHOWN_ANYWHERE - {"hint", "next_step", "due_at"} | {"closed_at"},
    "month": frozenset(TABS[Audience.payroll, "month"][2].split()),
}
"""The fields each tab may show: a closed case's telephone number never, money only to the
payroll.
"""


def statuses(tab: WorkbookTab) -> list[Status]:
    """Return the statuses of the cases a tab shows."""
    return [Status(name) for name in tab.statuses]
