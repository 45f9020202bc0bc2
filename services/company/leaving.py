"""Leaving: what remains open when an employee's last day is set.

Their posts, deputyships and account cease by themselves (`services.company.presence`); what needs
somebody else from then on is listed here, so that it is handed over in time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import Complaint, Deputy, Employee, PostHolding, User
from policy.vocabulary.status import ENDS, Status

SHOWN_CASES = 20
"""The open cases that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What is still an employee's after their last day."""

    last_day: dt.date
    posts: tuple[PostHolding, ...]
    deputyships: tuple[Deputy, ...]
    cases: tuple[Complaint, ...]
    case_count: int
    accounts: tuple[User, ...]

    def __bool__(self) -> bool:
        return bool(self.posts or self.deputyships or self.cases or self.accounts)


def remains(session: Session, employee: Employee) -> Remains | None:
    """Return what is still an employee's after their last day; None while none is set."""
    last_day = employee.left_on
    if last_day is None:
        return None
    open_ = _open_cases(employee)
    cases = sa.select(Complaint).where(open_).order_by(Complaint.due_at.nulls_last(), Complaint.id)
    return Remains(
        last_day=last_day,
        posts=tuple(session.scalars(_posts(employee, last_day))),
        deputyships=tuple(session.scalars(_deputyships(employee, last_day))),
        cases=tuple(session.scalars(cases.limit(SHOWN_CASES))),
        case_count=session.scalar(sa.select(sa.func.count(Complaint.id)).where(open_)) or 0,
        accounts=tuple(
            session.scalars(sa.select(User).where(User.employee_id == employee.id, User.active))
        ),
    )


def _posts(employee: Employee, last_day: dt.date) -> sa.Select[PostHolding]:
    goes_on = sa.or_(PostHolding.until_on.is_(None), PostHolding.until_on > last_day)
    return (
        sa.select(PostHolding)
        .where(PostHolding.employee_id == employee.id, goes_on)
        .order_by(PostHolding.post)
    )


def _deputyships(employee: Employee, last_day: dt.date) -> sa.Select[Deputy]:
    """Return where the employee stands in for somebody, and somebody for them, after that day."""
    theirs = sa.or_(Deputy.employee_id == employee.id, PostHolding.employee_id == employee.id)
    return (
        sa.select(Deputy)
        .join(Deputy.holding)
        .where(theirs, Deputy.until_on > last_day)
        .options(joinedload(Deputy.holding).joinedload(PostHolding.employee))
        .order_by(Deputy.from_on, Deputy.id)
    )


def _open_cases(employee: Employee) -> sa.ColumnElement[bool]:
    over = (*ENDS, Status.closed, Status.recorded)
    return sa.and_(
        sa.or_(Complaint.handler_id == employee.id, Complaint.responsible_id == employee.id),
        Complaint.history.is_(False),
        Complaint.status.in_([status for status in Status if status not in over]),
    )
