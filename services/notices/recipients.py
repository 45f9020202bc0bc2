"""Recipients: the employees who get a notice by mail."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import (
    Deputy,
    Employee,
    Notice,
    PostHolding,
)
from services.company import presence

_ALSO_TO_HANDLER = frozenset({"dispatched", "restarted", "due_soon", "breached"})
"""Notices that go to the handler as well as to the employee who answers for the case."""


def post_holders(session: Session, post: str, *, on: dt.date) -> list[Employee]:
    """Return the holders of a post on a day, and their deputies."""
    held = sa.and_(PostHolding.post == post, presence.holds(on=on))
    own = sa.select(PostHolding.employee_id).where(held)
    standing_in = (
        sa.select(Deputy.employee_id)
        .join(PostHolding, Deputy.holding_id == PostHolding.id)
        .where(held, presence.stands_in(on=on))
    )
    ids = sa.union(own, standing_in).subquery()
    people = sa.select(Employee).where(Employee.id.in_(sa.select(ids)))
    return list(session.scalars(people.order_by(Employee.id)))


def mail_recipients(session: Session, notice: Notice, *, on: dt.date) -> list[Employee]:
    """Return the employees a notice goes to by mail, each once: with an address and not
    departed.
    """
    ids = {notice.employee_id} | _handler(notice)
    ids |= {one.id for one in post_holders(session, notice.post, on=on)} if notice.post else set()
    people = session.scalars(
        sa.select(Employee).where(Employee.id.in_(ids - {None})).order_by(Employee.id)
    )
    return [one for one in people if is_reachable(one, on=on)]


def _handler(notice: Notice) -> set[int | None]:
    case = notice.complaint
    if (
        case is None
        or notice.kind not in _ALSO_TO_HANDLER
        or notice.department_id != case.department_id
    ):
        return set()
    return {case.handler_id}


def is_reachable(employee: Employee, *, on: dt.date) -> bool:
    """Whether an employee has a mail address and has not left by a day."""
    return bool(employee.email) and presence.is_with_us(employee, on=on)
