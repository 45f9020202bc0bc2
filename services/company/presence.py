"""Presence: who is with the company on a day. Login, deeds, votes, posts, look-ups and lists all
ask here, so that they cannot disagree about somebody who leaves.

Somebody who leaves is with us on their last day, the whole day, and from the day after does and
sees nothing. Nothing is written for that: their account, posts and deputyships cease by the day,
and come back where a last day was a mistake and is taken away.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from models import Deputy, Employee, PostHolding, User
from policy.vocabulary.errors import ValueRefused

Condition = sa.ColumnElement[bool]


def is_with_us(employee: Employee, *, on: dt.date) -> bool:
    """Whether an employee has not left by a day; on the last day they have not."""
    return employee.left_on is None or employee.left_on >= on


def with_us(*, on: dt.date, employee: Any = Employee) -> Condition:
    """Return the same as a condition over employees."""
    return sa.or_(employee.left_on.is_(None), employee.left_on >= on)


def is_open(user: User, *, on: dt.date) -> bool:
    """Whether an account may log in and be used on a day: it is active and nobody's who left."""
    return user.active and (user.employee is None or is_with_us(user.employee, on=on))


def holds(*, on: dt.date) -> Condition:
    """Return the condition of holdings that last on a day and whose holder is with us."""
    return sa.and_(PostHolding.from_on <= on, lasts(on=on))


def lasts(*, on: dt.date) -> Condition:
    """Return the condition of holdings that last on a day or begin later, by whoever is with us."""
    goes_on = sa.or_(PostHolding.until_on.is_(None), PostHolding.until_on >= on)
    return sa.and_(goes_on, PostHolding.employee_id.in_(_present(on)))


def stands_in(*, on: dt.date) -> Condition:
    """Return the condition of deputyships that last on a day and whose deputy is with us.

    Whether the holding lasts is asked beside it.
    """
    return sa.and_(Deputy.from_on <= on, will_stand_in(on=on))


def will_stand_in(*, on: dt.date) -> Condition:
    """Return the same for deputyships that last on a day or begin later."""
    return sa.and_(Deputy.until_on >= on, Deputy.employee_id.in_(_present(on)))


def _present(on: dt.date) -> sa.Select[int]:
    present = aliased(Employee)
    return sa.select(present.id).where(with_us(on=on, employee=present))


def last_day(until_on: dt.date | None, *employees: Employee) -> dt.date | None:
    """Return the last day of a post or a deputyship: the one written down, or the day on which
    one of the people it hangs on leaves, where that is earlier; None until further notice.
    """
    ends = [until_on, *(one.left_on for one in employees)]
    return min((day for day in ends if day is not None), default=None)


def refuse_leaver(employee: Employee | None, *, field: str, on: dt.date) -> None:
    """Refuse to give something to do to somebody who has left by a day. Raises ValueRefused."""
    if employee is not None and not is_with_us(employee, on=on):
        raise ValueRefused(field=field, value=str(employee), why="has_left")
