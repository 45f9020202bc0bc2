"""The record of a workbook: its cases, rows and problems, and the bases both sides agreed on.

Reads take a few statements whatever the number of rows; writes are in bulk.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from enums import CellDeed, ProblemKind
from models import (
    Complaint,
    Customer,
    Employee,
    Workbook,
    WorkbookBase,
    WorkbookChange,
    WorkbookLook,
    WorkbookProblem,
    WorkbookRow,
    WorkbookTab,
)
from policy.vocabulary.status import Status
from services.workbooks import layout
from sync.mirror.merge.cell import Agreed

KEPT_LOOKS = 50
KEPT_FOR = dt.timedelta(days=7)
"""An old copy of a workbook can be merged for this many looks, and for this long in any case."""

FROM_COPY = "from_copy"
"""The reason of a change that a person typed into a copy of the workbook."""

Cells = Mapping[str, str]


@dataclass(slots=True)
class RowState:
    """A row of the workbook in the record; `id` is None until it is stored."""

    id: int | None
    uid: str
    case: int
    shown: bool = False
    seen: str = ""
    hint: str = ""
    waiting: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, Any] | None = None


# ---------------------------------------------------------------- the cases of a tab


def cases_of_tab(session: Session, workbook: Workbook, tab: WorkbookTab) -> dict[int, str]:
    """The cases of a tab, by id, with the versions of the records that make their cells."""
    rows = session.execute(_cases(workbook, tab).with_only_columns(Complaint.id, _versions()))
    return dict(rows.all())


def versions(session: Session, case: int) -> str:
    """The versions of the records that make the cells of one case."""
    return session.execute(
        sa.select(_versions())
        .select_from(Complaint)
        .outerjoin(Customer, Customer.id == Complaint.customer_id)
        .outerjoin(Employee, Employee.id == Complaint.handler_id)
        .where(Complaint.id == case)
    ).scalar_one()


def _versions() -> sa.ColumnElement[str]:
    parts = (Complaint.version, Customer.version, Employee.version)
    texts = [sa.cast(sa.func.coalesce(part, 0), sa.String) for part in parts]
    return texts[0] + "." + texts[1] + "." + texts[2]


def _cases(workbook: Workbook, tab: WorkbookTab) -> sa.Select[Any]:
    """The cases of the department in a tab, and those it typed that are not dispatched yet."""
    born = aliased(WorkbookRow)
    own = sa.exists().where(
        born.complaint_id == Complaint.id,
        born.sheet_id == workbook.id,
        born.typed.is_not(sa.null()),
    )
    held = Complaint.department_id == workbook.department_id
    fresh = sa.and_(Complaint.department_id.is_(None), Complaint.status == Status.registered, own)
    return (
        sa.select(Complaint)
        .outerjoin(Customer, Customer.id == Complaint.customer_id)
        .outerjoin(Employee, Employee.id == Complaint.handler_id)
        .where(Complaint.history.is_(False), Complaint.status.in_(layout.statuses(tab)))
        .where(sa.or_(held, fresh))
        .order_by(Complaint.due_at.asc().nulls_last(), Complaint.id)
    )


def has_news(session: Session, workbook: Workbook, tab: WorkbookTab) -> bool:
    """Whether the cases of a tab changed since the last look."""
    ours = sa.and_(WorkbookRow.complaint_id == Complaint.id, WorkbookRow.sheet_id == workbook.id)
    stale = sa.or_(
        WorkbookRow.id.is_(None), WorkbookRow.shown.is_(False), WorkbookRow.seen != _versions()
    )
    fresh = _cases(workbook, tab).outerjoin(WorkbookRow, ours).where(stale)
    if session.scalar(fresh.with_only_columns(Complaint.id).order_by(None).limit(1)):
        return True
    still = _cases(workbook, tab).with_only_columns(Complaint.id).order_by(None)
    gone = sa.select(WorkbookRow.id).where(
        WorkbookRow.sheet_id == workbook.id,
        WorkbookRow.shown,
        WorkbookRow.complaint_id.not_in(still),
    )
    return session.scalar(gone.limit(1)) is not None


def became_overdue(
    session: Session, workbook: Workbook, *, since: dt.datetime, now: dt.datetime
) -> bool:
    """Whether a case of the department became overdue between two instants."""
    between = sa.select(Complaint.id).where(
        Complaint.department_id == workbook.department_id,
        Complaint.due_at > since,
        Complaint.due_at <= now,
    )
    return session.scalar(between.limit(1)) is not None


def closed_cases(
    session: Session, workbook: Workbook, tab: WorkbookTab, *, since: dt.datetime
) -> list[int]:
    """The cases of the department that were closed since an instant, the oldest first."""
    return list(
        session.scalars(
            sa.select(Complaint.id)
            .where(Complaint.department_id == workbook.department_id)
            .where(Complaint.status.in_(layout.statuses(tab)), Complaint.closed_at >= since)
            .where(Complaint.history.is_(False))
            .order_by(Complaint.closed_at, Complaint.id)
        )
    )


# ---------------------------------------------------------------- rows and bases


def rows_of(
    session: Session, workbook: Workbook, cases: Iterable[int], *, uids: Iterable[str]
) -> dict[str, RowState]:
    """The rows of a workbook by uid: those shown, those of `cases` and those of `uids`."""
    columns = (
        *(
            WorkbookRow.id,
            WorkbookRow.uid,
            WorkbookRow.complaint_id,
            WorkbookRow.shown,
            WorkbookRow.seen,
        ),
        *(WorkbookRow.hint, WorkbookRow.waiting, WorkbookRow.refused, WorkbookRow.typed),
    )
    of = sa.select(*columns).where(WorkbookRow.sheet_id == workbook.id)
    found = {row.uid: RowState(*row) for row in session.execute(of.where(WorkbookRow.shown))}
    known = {one.case for one in found.values()}
    for column, keys in (
        (WorkbookRow.complaint_id, [case for case in cases if case not in known]),
        (WorkbookRow.uid, [uid for uid in uids if uid not in found]),
    ):
        for some in _batches(keys):
            for row in session.execute(of.where(column.in_(some))):
                found[row.uid] = RowState(*row)
    return found


def _batches(keys: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def bases(session: Session, workbook: Workbook, *, at: int | None = None) -> dict[int, Cells]:
    """The cells both sides agreed on, by id of the row: after look `at`, or after the last."""
    query = sa.select(WorkbookBase.row_id, WorkbookBase.cells).where(
        WorkbookBase.sheet_id == workbook.id
    )
    if at is None:
        query = query.where(WorkbookBase.until_pass.is_(None))
    else:
        later = sa.or_(WorkbookBase.until_pass.is_(None), WorkbookBase.until_pass > at)
        query = query.where(WorkbookBase.from_pass <= at, later)
    return dict(session.execute(query).all())


def history(
    session: Session, workbook: Workbook, *, since: int
) -> dict[tuple[int, str], list[Agreed]]:
    """The values taken from and written into each cell after look `since`, in order.

    A value taken from a copy of the workbook counts as ours: it was not typed into this one.
    """
    found: dict[tuple[int, str], list[Agreed]] = defaultdict(list)
    here = sa.and_(
        WorkbookChange.what == CellDeed.taken, WorkbookChange.because.is_distinct_from(FROM_COPY)
    )
    rows = session.execute(
        sa.select(WorkbookChange.row_id, WorkbookChange.field, here, WorkbookChange.after)
        .where(WorkbookChange.sheet_id == workbook.id, WorkbookChange.pass_number > since)
        .where(WorkbookChange.row_id.is_not(None), WorkbookChange.field.is_not(None))
        .where(WorkbookChange.what.in_((CellDeed.taken, CellDeed.written)))
        .order_by(WorkbookChange.id)
    )
    for row_id, name, taken, after in rows:
        assert row_id is not None
        assert name is not None
        found[row_id, name].append(Agreed(after, bool(taken)))
    return found


def store_rows(session: Session, workbook: Workbook, changed: Sequence[RowState]) -> None:
    """Store rows; a new one gets its id."""
    new = [one for one in changed if one.id is None]
    if new:
        stored = session.execute(
            sa.insert(WorkbookRow).returning(WorkbookRow.uid, WorkbookRow.id),
            [{"sheet_id": workbook.id, "uid": one.uid, **_columns(one)} for one in new],
        )
        ids = dict(stored.all())
        for one in new:
            one.id = ids[one.uid]
    old = [{"id": one.id, **_columns(one)} for one in changed if one not in new]
    if old:
        session.execute(sa.update(WorkbookRow), old)


def _columns(one: RowState) -> dict[str, Any]:
    return {
        "complaint_id": one.case,
        "shown": one.shown,
        "seen": one.seen,
        "hint": one.hint,
        "waiting": one.waiting,
        "refused": one.refused,
        "typed": one.typed,
    }


def store_bases(
    session: Session,
    workbook: Workbook,
    number: int,
    *,
    agreed: Mapping[int, Cells | None],
    now: dt.datetime,
) -> None:
    """Store the cells of rows from look `number` on (None: gone); old bases go now and then."""
    for some in _batches(list(agreed)):
        session.execute(
            sa.update(WorkbookBase)
            .where(WorkbookBase.row_id.in_(some), WorkbookBase.until_pass.is_(None))
            .values(until_pass=number)
        )
    new = [
        {"sheet_id": workbook.id, "row_id": row, "from_pass": number, "cells": dict(cells)}
        for row, cells in agreed.items()
        if cells is not None
    ]
    if new:
        session.execute(sa.insert(WorkbookBase), new)
    if number % KEPT_LOOKS == 0:
        _forget_bases(session, workbook, number, now=now)


def _forget_bases(session: Session, workbook: Workbook, number: int, *, now: dt.datetime) -> None:
    """Delete the bases that were of use only for copies older than looks and days allow."""
    old = sa.select(sa.func.max(WorkbookLook.number)).where(
        WorkbookLook.sheet_id == workbook.id,
        WorkbookLook.number <= number - KEPT_LOOKS,
        WorkbookLook.began_at < now - KEPT_FOR,
    )
    if (oldest := session.scalar(old)) is not None:
        session.execute(
            sa.delete(WorkbookBase).where(
                WorkbookBase.sheet_id == workbook.id, WorkbookBase.until_pass <= oldest
            )
        )


def is_forgotten(session: Session, workbook: Workbook, stamp: int, *, now: dt.datetime) -> bool:
    """Whether a workbook written by look `stamp` is too old to be merged.

    It is not while the look after it is one of the last ones or began not long ago: a copy from
    this morning is understood in the evening, whatever happened in between.
    """
    if stamp >= workbook.pass_number - KEPT_LOOKS:
        return False
    began = session.scalar(
        sa.select(WorkbookLook.began_at).where(
            WorkbookLook.sheet_id == workbook.id, WorkbookLook.number == stamp + 1
        )
    )
    return began is None or began < now - KEPT_FOR


# ---------------------------------------------------------------- problems


def open_problems(session: Session, workbook: Workbook) -> list[WorkbookProblem]:
    """The problems that are not settled, the oldest first."""
    return list(
        session.scalars(
            sa.select(WorkbookProblem)
            .where(WorkbookProblem.sheet_id == workbook.id, WorkbookProblem.settled_at.is_(None))
            .order_by(WorkbookProblem.id)
        )
    )


def workbook_problem(
    found: Iterable[WorkbookProblem], kind: ProblemKind, *, code: str | None = None
) -> WorkbookProblem | None:
    """The open problem of a kind (and code) with the workbook as a whole."""
    for one in found:
        if one.kind is kind and one.row_id is None and code in (None, one.code):
            return one
    return None
