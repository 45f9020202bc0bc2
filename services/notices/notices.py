"""Notices: messages to employees, posts and departments, each made once.

A notice is a row written with the deed that causes it; `deliveries` sends it. Nothing in this
sub-room knows a network or a language; `now` is an aware instant.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import (
    Complaint,
    Notice,
    Workbook,
)

KINDS = (
    "dispatched",
    "restarted",
    "to_confirm",
    "to_decide",
    "to_endorse",
    "to_convene",
    "penalties_changed",
    "to_vote",
    "takes_part",
    "alert",
    "due_soon",
    "breached",
    "refused_input",
    "file_held",
    "file_problem",
    "test",
)


def add_notice(
    session: Session,
    *,
    kind: str,
    occasion: str,
    now: dt.datetime,
    facts: dict[str, Any],
    complaint: Complaint | None = None,
    workbook: Workbook | None = None,
    employee_id: int | None = None,
    department_id: int | None = None,
    post: str | None = None,
) -> Notice | None:
    """Add a notice, flushed; returns None where that kind and occasion is known already.

    `department_id` says whose robots hear it; without one it is the department of the workbook, or
    of the case. `facts` is plain JSON; the case's number and the workbook's name are added.
    """
    if _is_known(session, kind, occasion, complaint=complaint, workbook=workbook):
        return None
    notice = Notice(
        complaint_id=None if complaint is None else complaint.id,
        sheet_id=None if workbook is None else workbook.id,
        kind=kind,
        occasion=occasion,
        employee_id=employee_id,
        department_id=department_id or _department_of(complaint, workbook),
        post=post,
        facts=_subject_facts(complaint, workbook) | facts,
        made_at=now,
    )
    return _insert_once(session, notice)


def _is_known(
    session: Session,
    kind: str,
    occasion: str,
    *,
    complaint: Complaint | None,
    workbook: Workbook | None,
) -> bool:
    same = sa.and_(Notice.kind == kind, Notice.occasion == occasion)
    about = []
    if complaint is not None:
        about.append(Notice.complaint_id == complaint.id)
    if workbook is not None:
        about.append(Notice.sheet_id == workbook.id)
    if not about:
        about.append(sa.and_(Notice.complaint_id.is_(None), Notice.sheet_id.is_(None)))
    return bool(session.scalar(sa.select(sa.exists().where(same, sa.or_(*about)))))


def _department_of(complaint: Complaint | None, workbook: Workbook | None) -> int | None:
    """Return the department a notice is for: a workbook's own, even after the case has left it."""
    if workbook is not None:
        return workbook.department_id
    return None if complaint is None else complaint.department_id


def _subject_facts(complaint: Complaint | None, workbook: Workbook | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if complaint is not None:
        found["number"] = complaint.number
    if workbook is not None:
        found["sheet"] = workbook.name
    return found


def _insert_once(session: Session, notice: Notice) -> Notice | None:
    """Insert the notice; returns None where another session inserted the same at this moment."""
    try:
        with session.begin_nested():
            session.add(notice)
    except IntegrityError:
        return None
    return notice
