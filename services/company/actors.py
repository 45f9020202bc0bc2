"""Actors: a user, a department's workbook, an API client or time; and the posts they hold
that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import Department, DepartmentMeaning, Deputy, Employee, PostHolding, User
from policy.vocabulary.errors import HasLeft
from policy.vocabulary.events import By, HeldPost
from policy.vocabulary.status import ActorKind
from services.company import presence

_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Actor:
    """The party that does a deed. A user who is no employee can look and correct, but holds no
    post.

    `department_id` is that of a department which acts through its workbook; the workbook does not
    say which of its employees typed.
    """

    kind: ActorKind
    user_id: int | None = None
    employee_id: int | None = None
    role: Role | None = None
    department_id: int | None = None


SYSTEM = Actor(ActorKind.system)


def of_user(user: User) -> Actor:
    """Return a logged-in user as an actor."""
    return Actor(ActorKind.user, user.id, user.employee_id, user.role)


def of_employee(employee: Employee) -> Actor:
    """Return an employee who acts without a login, as a command or a demo does."""
    return Actor(ActorKind.user, None, employee.id)


def of_department(department: Department) -> Actor:
    """Return a department as an actor through its workbook: no person, no post, no name."""
    return Actor(ActorKind.sheet, department_id=department.id)


def as_of(
    session: Session,
    actor: Actor,
    *,
    policy_id: int,
    on: dt.date,
    has_case: Mapping[str, int] = _NOTHING,
) -> By:
    """Return the actor with departments and posts as of a day, in the engine's terms.

    `has_case` is the department that has the case in question, with the company's department it was
    handed to: whatever the regulation's department means today, that one answers. Who has left by
    that day is nobody in them.
    """
    if actor.department_id is not None:
        meant = _keys_meaning(
            session, actor.department_id, policy_id=policy_id, on=on, has_case=has_case
        )
        return By(kind=actor.kind, departments=tuple(sorted(meant)))
    if actor.employee_id is None:
        return By(kind=actor.kind)
    employee = session.get_one(Employee, actor.employee_id)
    if not presence.is_with_us(employee, on=on):
        return By(kind=actor.kind)
    meant = _keys_meaning(
        session, employee.department_id, policy_id=policy_id, on=on, has_case=has_case
    )
    return By(
        kind=actor.kind,
        employee=employee.number,
        departments=tuple(sorted(meant)),
        posts=posts_of(session, employee.id, on=on),
    )


def check_present(session: Session, actor: Actor, *, on: dt.date) -> None:
    """Refuse an actor who is not with the company on a day. Raises HasLeft.

    The day is that on which the deed is done: nobody who left dates one back.
    """
    if actor.employee_id is None:
        return
    employee = session.get_one(Employee, actor.employee_id)
    if not presence.is_with_us(employee, on=on):
        raise HasLeft(employee=str(employee), left_on=employee.left_on)


def posts_of(session: Session, employee_id: int, *, on: dt.date) -> tuple[HeldPost, ...]:
    """Return the posts an employee holds on a day: first as holder, then as deputy."""
    own = sa.select(PostHolding.post, sa.literal(0)).where(
        PostHolding.employee_id == employee_id, presence.holds(on=on)
    )
    standing_in = (
        sa.select(PostHolding.post, sa.literal(1))
        .join(Deputy, Deputy.holding_id == PostHolding.id)
        .where(Deputy.employee_id == employee_id, presence.holds(on=on), presence.stands_in(on=on))
    )
    rows = session.execute(sa.union(own, standing_in)).all()
    return tuple(HeldPost(post=post, deputy=bool(deputy)) for post, deputy in sorted(rows))


def department_ids(session: Session, *, policy_id: int, on: dt.date) -> dict[str, int]:
    """Return the id of the company's department that each of a regulation's means on a day,
    by key.
    """
    found = dict(session.execute(sa.select(Department.key, Department.id)).all())
    rows = sa.select(DepartmentMeaning.key, DepartmentMeaning.department_id).where(
        DepartmentMeaning.policy_id == policy_id, DepartmentMeaning.from_on <= on
    )
    found.update(session.execute(rows.order_by(DepartmentMeaning.from_on)).all())
    return found


def departments_of(
    session: Session, employee: Employee, *, policy_id: int, on: dt.date
) -> set[str]:
    """Return the keys of the regulation's departments an employee belongs to."""
    return _keys_meaning(session, employee.department_id, policy_id=policy_id, on=on)


def _keys_meaning(
    session: Session,
    department_id: int,
    *,
    policy_id: int,
    on: dt.date,
    has_case: Mapping[str, int] = _NOTHING,
) -> set[str]:
    found = {**department_ids(session, policy_id=policy_id, on=on), **has_case}
    return {key for key, real in found.items() if real == department_id}


def leaders(session: Session, post: str, *, on: dt.date) -> tuple[str | None, str | None]:
    """Return the employee numbers of a post's holder on a day and of the deputy, if any.

    An employee who left the company holds no post, even where the holding was not ended, and
    stands in for nobody.
    """
    holding = session.scalars(
        sa.select(PostHolding)
        .where(PostHolding.post == post, presence.holds(on=on))
        .order_by(PostHolding.from_on.desc(), PostHolding.id.desc())
    ).first()
    if holding is None:
        return None, None
    deputy = session.scalars(
        sa.select(Deputy)
        .where(Deputy.holding_id == holding.id, presence.stands_in(on=on))
        .order_by(Deputy.from_on)
    ).first()
    return holding.employee.number, deputy.employee.number if deputy else None
