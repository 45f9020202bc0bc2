"""Who heads the departments of employees, and which posts employees hold: who bears a penalty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, Employee
from policy.pack.schema import Pack
from services.cases.sanctions import tallies
from services.company import actors


def heads_and_posts(
    session: Session,
    complaint: Complaint,
    named: Collection[str | None],
    *,
    pack: Pack,
    on: dt.date,
) -> dict[str, tuple[str, ...]]:
    """Return `superiors` and `posts` of a finding, as of the day of the deed.

    The head is whoever holds the post that leads the department of the employee, in person
    (SAL-12.3b). The company is asked only what the regulation asks.
    """
    people = sorted({*named, *tallies.people_of(complaint)} - {None}, key=str)
    employees = session.scalars(sa.select(Employee).where(Employee.number.in_(people))).all()
    said: dict[str, tuple[str, ...]] = {}
    if any(entry.who == "superior" for entry in pack.penalty):
        heads = ((one, _head(session, complaint, one, pack=pack, on=on)) for one in employees)
        said["superiors"] = tuple(f"{one.number}/{head}" for one, head in heads if head)
    if any(entry.only_post or entry.not_post for entry in pack.penalty):
        said["posts"] = tuple(
            f"{one.number}/{held.post}"
            for one in employees
            for held in actors.posts_of(session, one.id, on=on)
            if not held.deputy
        )
    return said


def _head(
    session: Session, complaint: Complaint, employee: Employee, *, pack: Pack, on: dt.date
) -> str | None:
    """Return the number of the head of an employee's department, in person; None without one."""
    policy_id = complaint.policy_version.policy_id
    keys = actors.departments_of(session, employee, policy_id=policy_id, on=on)
    departments = (pack.find("department", key) for key in sorted(keys))
    posts = (one.director for one in departments if one and one.director)
    holders = (actors.leaders(session, post, on=on)[0] for post in posts)
    return next((holder for holder in holders if holder), None)
