"""Who acts: a user, a department's sheet, an API client or time; and the posts held that day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import Department, DepartmentMeaning, Deputy, Employee, PostHolding, User
from policy.vocabulary.events import By, HeldPost
from policy.vocabulary.status import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does a deed. A user without an employee can look and correct, but holds no post.

    `department_id` is that of a department which acts through its spreadsheet: nobody knows who
    of its people typed.
    """

    kind: ActorKind
    user_id: int | None = None
    employee_id: int | None = None
    role: Role | None = None
    department_id: int | None = None


SYSTEM = Actor(ActorKind.system)


def of_user(user: User) -> Actor:
    """A logged-in user as an actor."""
    return Actor(ActorKind.user, user.id, user.employee_id, user.role)


def of_employee(employee: Employee) -> Actor:
    """An employee who acts without a login of his own, as a command or a demo does."""
    return Actor(ActorKind.user, None, employee.id)


def of_department(department: Department) -> Actor:
    """A department as its spreadsheet speaks for it: no person, no post, no name."""
    return Actor(ActorKind.sheet, department_id=department.id)


def as_of(session: Session, actor: Actor, *, policy_id: int, on: dt.date) -> By:
    """The actor with departments and posts as of a day, the way the engine judges him."""
    if actor.department_id is not None:
        meant = _keys_meaning(session, actor.department_id, policy_id=policy_id, on=on)
        return By(kind=actor.kind, departments=tuple(sorted(meant)))
    if actor.employee_id is None:
        return By(kind=actor.kind)
    employee = session.get_one(Employee, actor.employee_id)
    return By(
        kind=actor.kind,
        employee=employee.number,
        departments=tuple(sorted(departments_of(session, employee, policy_id=policy_id, on=on))),
        posts=posts_of(session, employee.id, on=on),
    )


def posts_of(session: Session, employee_id: int, *, on: dt.date) -> tuple[HeldPost, ...]:
    """The posts an employee holds on a day, himself first, then as somebody's deputy."""
    own = sa.select(PostHolding.post, sa.literal(0)).where(
        PostHolding.employee_id == employee_id, *_held_on(on)
    )
    standing_in = (
        sa.select(PostHolding.post, sa.literal(1))
        .join(Deputy, Deputy.holding_id == PostHolding.id)
        .where(Deputy.employee_id == employee_id, *_held_on(on))
        .where(Deputy.from_on <= on, Deputy.until_on >= on)
    )
    rows = session.execute(sa.union(own, standing_in)).all()
    return tuple(HeldPost(post=post, deputy=bool(deputy)) for post, deputy in sorted(rows))


def _held_on(on: dt.date) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        PostHolding.from_on <= on,
        sa.or_(PostHolding.until_on.is_(None), PostHolding.until_on >= on),
    )


def department_ids(session: Session, *, policy_id: int, on: dt.date) -> dict[str, int]:
    """Which real department (its id) each department of a regulation means on a day."""
    found = dict(session.execute(sa.select(Department.key, Department.id)).all())
    rows = sa.select(DepartmentMeaning.key, DepartmentMeaning.department_id).where(
        DepartmentMeaning.policy_id == policy_id, DepartmentMeaning.from_on <= on
    )
    found.update(session.execute(rows.order_by(DepartmentMeaning.from_on)).all())
    return found


def departments_of(
    session: Session, employee: Employee, *, policy_id: int, on: dt.date
) -> set[str]:
    """The regulation's departments an employee belongs to."""
    return _keys_meaning(session, employee.department_id, policy_id=policy_id, on=on)


def _keys_meaning(session: Session, department_id: int, *, policy_id: int, on: dt.date) -> set[str]:
    found = department_ids(session, policy_id=policy_id, on=on)
    return {key for key, real in found.items() if real == department_id}


def leaders(session: Session, post: str, *, on: dt.date) -> tuple[str | None, str | None]:
    """The employee numbers of a post's holder on a day and of who stands in for him, if any.

    Who left the company leads nobody, even where nobody ended his post.
    """
    holding = session.scalars(
        sa.select(PostHolding)
        .join(PostHolding.employee)
        .where(PostHolding.post == post, *_held_on(on))
        .where(sa.or_(Employee.left_on.is_(None), Employee.left_on >= on))
        .order_by(PostHolding.from_on.desc(), PostHolding.id.desc())
    ).first()
    if holding is None:
        return None, None
    away = (d for d in holding.deputies if d.from_on <= on <= d.until_on)
    deputy = next(away, None)
    return holding.employee.number, deputy.employee.number if deputy else None
