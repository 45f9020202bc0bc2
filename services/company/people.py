"""People: departments, employees, the posts they hold and their deputies.

Days are days of the company's zone, the first and the last included; a missing last day means
"until further notice". No row is deleted: people leave, posts end, departments become inactive,
because cases of ten years point to them.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import Department, Deputy, Employee, PolicyRule, PostHolding, User
from policy.vocabulary import time_bounds
from policy.vocabulary.errors import (
    Duplicate,
    FieldMissing,
    FieldTooLong,
    NotFound,
    PeriodRefused,
    PhoneRefused,
    PostTaken,
    ValueRefused,
)
from services.company import presence

LONGEST_KEY = 64
LONGEST_NAME = 120
LONGEST_NUMBER = 32
LONGEST_REASON = 200
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_STAFF_NUMBER = re.compile(r"\w+(?:[-./]\w+)*")
_PHONE = re.compile(r"[0-9+()（）/ .-]{3,40}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NO_END = dt.date.max


# ---------------------------------------------------------------- departments


def add_department(session: Session, *, key: str, name: str) -> Department:
    """Add a department. Raises FieldMissing, FieldTooLong, ValueRefused (key) or Duplicate."""
    key = _text(key, "key", LONGEST_KEY)
    if not _KEY.fullmatch(key):
        raise ValueRefused(field="key", value=key, why="not_a_key")
    if session.scalar(sa.select(Department.id).where(Department.key == key)):
        raise Duplicate(field="key", value=key)
    department = Department(key=key, name="", active=True)
    rename_department(session, department, name=name)
    session.add(department)
    session.flush()
    return department


def rename_department(session: Session, department: Department, *, name: str) -> None:
    """Rename a department; cases keep pointing to it. Errors as of add_department."""
    name = _text(name, "name", LONGEST_NAME)
    other = sa.select(Department.id).where(Department.name == name, Department.id != department.id)
    if department.id is None:
        other = sa.select(Department.id).where(Department.name == name)
    with session.no_autoflush:
        if session.scalar(other):
            raise Duplicate(field="name", value=name)
    department.name = name
    session.flush()


# ---------------------------------------------------------------- employees


def add_employee(
    session: Session,
    *,
    number: str,
    name: str,
    department: Department,
    phone: str | None = None,
    email: str | None = None,
    joined_on: dt.date | None = None,
) -> Employee:
    """Add an employee; the number tells people of one name apart, so it must be new.

    Raises FieldMissing, FieldTooLong, Duplicate, PhoneRefused or ValueRefused (email).
    """
    number = _staff_number(number)
    if find_employee(session, number) is not None:
        raise Duplicate(field="number", value=number)
    employee = Employee(number=number, name="", department=department)
    change_employee(
        session,
        employee,
        name=name,
        department=department,
        phone=phone,
        email=email,
        joined_on=joined_on,
        left_on=None,
    )
    session.add(employee)
    session.flush()
    return employee


def change_employee(
    session: Session,
    employee: Employee,
    *,
    name: str,
    department: Department,
    phone: str | None,
    email: str | None,
    joined_on: dt.date | None,
    left_on: dt.date | None,
) -> None:
    """Change an employee's data.

    Errors as of add_employee, and PeriodRefused; ValueRefused (left_on) when nobody who stays
    would administer Redress.
    """
    with session.no_autoflush:
        name = _text(name, "name", LONGEST_NAME)
        if phone and not _PHONE.fullmatch(phone):
            raise PhoneRefused(field="phone", value=phone)
        if email and not _EMAIL.fullmatch(email):
            raise ValueRefused(field="email", value=email, why="not_an_address")
        _check_period("left_on", joined_on, left_on)
        if left_on is not None and employee.id is not None:
            _refuse_last_administrator_leaving(session, employee, left_on)
        employee.name, employee.department = name, department
        employee.phone, employee.email = phone or None, email or None
        employee.joined_on, employee.left_on = joined_on, left_on
    session.flush()


def find_employee(session: Session, number: str) -> Employee | None:
    """Return the employee of that number, or None."""
    return session.scalar(sa.select(Employee).where(Employee.number == number))


def known_employee(session: Session, number: str | None) -> Employee | None:
    """Return the employee a form names, None where it names none. Raises NotFound for an unknown
    one.
    """
    if number is None:
        return None
    found = find_employee(session, number)
    if found is None:
        raise NotFound(what="employee", key=number)
    return found


def employees_by_number(session: Session, numbers: Iterable[str | None]) -> dict[str, Employee]:
    """Return the employees of some numbers, by number; unknown numbers are left out."""
    rows = session.scalars(sa.select(Employee).where(Employee.number.in_({*numbers} - {None})))
    return {row.number: row for row in rows}


# ---------------------------------------------------------------- posts


def posts(session: Session) -> dict[str, str]:
    """Return the posts that regulations declare, as key and label; a later version decides the
    label.
    """
    rules = session.execute(
        sa.select(PolicyRule.key, PolicyRule.data)
        .where(PolicyRule.section == "post")
        .order_by(PolicyRule.policy_version_id, PolicyRule.position)
    )
    return {key: str(data.get("label") or key) for key, data in rules}


def hold_post(
    session: Session,
    employee: Employee,
    post: str,
    *,
    from_on: dt.date,
    until_on: dt.date | None = None,
) -> PostHolding:
    """Let one employee hold a post alone in a period.

    Raises PostTaken when it is held then, ValueRefused for an employee who has left by then.
    """
    _check_period("until_on", from_on, until_on)
    presence.refuse_leaver(employee, field="employee", on=from_on)
    _refuse_overlap(session, _overlapping(post, from_on, until_on))
    return _add_holding(session, employee, post, from_on=from_on, until_on=until_on)


def share_post(
    session: Session,
    employee: Employee,
    post: str,
    *,
    from_on: dt.date,
    until_on: dt.date | None = None,
) -> PostHolding:
    """Let an employee hold a post beside others. Raises PostTaken when they already hold it
    then, ValueRefused when they have left by then.
    """
    _check_period("until_on", from_on, until_on)
    presence.refuse_leaver(employee, field="employee", on=from_on)
    mine = _overlapping(post, from_on, until_on).where(PostHolding.employee_id == employee.id)
    _refuse_overlap(session, mine)
    return _add_holding(session, employee, post, from_on=from_on, until_on=until_on)


def end_post(session: Session, holding: PostHolding, *, until_on: dt.date | None) -> None:
    """End a holding after that day (None: it goes on).

    Raises PeriodRefused before its first day, and PostTaken when it would then overlap with another
    holding of the same person.
    """
    with session.no_autoflush:
        _check_period("until_on", holding.from_on, until_on)
        mine = _overlapping(holding.post, holding.from_on, until_on).where(
            PostHolding.employee_id == holding.employee_id, PostHolding.id != holding.id
        )
        _refuse_overlap(session, mine)
        holding.until_on = until_on
    session.flush()


def is_held(session: Session, post: str, *, on: dt.date, apart_from: PostHolding) -> bool:
    """Whether somebody holds a post on a day, apart from one holding."""
    other = _overlapping(post, on, on).where(PostHolding.id != apart_from.id)
    return session.scalar(other.limit(1)) is not None


def appoint_deputy(
    session: Session,
    holding: PostHolding,
    employee: Employee,
    *,
    from_on: dt.date,
    until_on: dt.date,
    reason: str | None = None,
) -> Deputy:
    """Appoint an employee as deputy of a post's holder in a period.

    Raises PeriodRefused when the period is not within the holding, ValueRefused for the holder
    themselves and for who has left by then, Duplicate for an employee who is the deputy already,
    FieldTooLong.
    """
    deputy = Deputy(holding_id=holding.id, employee_id=employee.id)
    change_deputy(session, deputy, employee, from_on=from_on, until_on=until_on, reason=reason)
    session.add(deputy)
    session.flush()
    return deputy


def change_deputy(
    session: Session,
    deputy: Deputy,
    employee: Employee,
    *,
    from_on: dt.date,
    until_on: dt.date,
    reason: str | None,
) -> None:
    """Change the deputy and the period of a deputyship. Errors as of appoint_deputy."""
    with session.no_autoflush:
        holding = session.get_one(PostHolding, deputy.holding_id)
        _check_period("until_on", from_on, until_on)
        if from_on < holding.from_on or until_on > (holding.until_on or _NO_END):
            raise PeriodRefused(field="from_on", from_on=holding.from_on, until_on=holding.until_on)
        if employee.id == holding.employee_id:
            raise ValueRefused(field="employee", value=str(employee), why="own_deputy")
        presence.refuse_leaver(employee, field="employee", on=from_on)
        same = sa.select(Deputy.id).where(
            Deputy.holding_id == holding.id,
            Deputy.employee_id == employee.id,
            Deputy.from_on <= until_on,
            Deputy.until_on >= from_on,
        )
        if deputy.id is not None:
            same = same.where(Deputy.id != deputy.id)
        if session.scalar(same.limit(1)):
            raise Duplicate(field="employee", value=str(employee))
        if reason and len(reason) > LONGEST_REASON:
            raise FieldTooLong(field="reason", limit=LONGEST_REASON)
        deputy.employee_id = employee.id
        deputy.from_on, deputy.until_on, deputy.reason = from_on, until_on, reason or None
    session.flush()


# ---------------------------------------------------------------- users


def change_user(
    session: Session,
    user: User,
    *,
    display_name: str,
    role: Role,
    employee: Employee | None,
    active: bool,
) -> None:
    """Change a user's name, role, employee and whether they may log in.

    Raises FieldMissing and FieldTooLong, and ValueRefused (role) when no active administrator of
    Redress would be left.
    """
    with session.no_autoflush:
        display_name = _text(display_name, "display_name", LONGEST_NAME)
        stays = active and role is Role.administrator
        if user.role is Role.administrator and user.active and not stays:
            _refuse_without_administrator(session, user)
        user.display_name, user.role, user.active = display_name, role, active
        user.employee_id = employee.id if employee else None
    session.flush()


def _refuse_without_administrator(session: Session, user: User) -> None:
    if not _administers(session, User.id != user.id):
        raise ValueRefused(field="role", value=user.username, why="last_administrator")


def _refuse_last_administrator_leaving(
    session: Session, employee: Employee, left_on: dt.date
) -> None:
    """Refuse a last day after which nobody could log in to administer Redress."""
    theirs = User.employee_id == employee.id
    if _administers(session, theirs) and not _administers(
        session, ~sa.func.coalesce(theirs, False)
    ):
        raise ValueRefused(field="left_on", value=str(left_on), why="last_administrator")


def _administers(session: Session, which: sa.ColumnElement[bool]) -> bool:
    """Whether one of these accounts administers Redress and is nobody's whose last day is set."""
    stays = sa.select(User.id).outerjoin(Employee, Employee.id == User.employee_id)
    stays = stays.where(User.role == Role.administrator, User.active, Employee.left_on.is_(None))
    return session.scalar(stays.where(which).limit(1)) is not None


# ---------------------------------------------------------------- within


def _staff_number(text: str) -> str:
    """Return the number as wages go by it: full-width signs made plain, no blanks, no formula."""
    number = _text(unicodedata.normalize("NFKC", text or ""), "number", LONGEST_NUMBER)
    if not _STAFF_NUMBER.fullmatch(number):
        raise ValueRefused(field="number", value=number[:60], why="not_a_staff_number")
    return number


def _text(text: str | None, field: str, limit: int) -> str:
    text = (text or "").strip()
    if not text:
        raise FieldMissing(field=field)
    if len(text) > limit:
        raise FieldTooLong(field=field, limit=limit)
    return text


def _check_period(field: str, from_on: dt.date | None, until_on: dt.date | None) -> None:
    begins = "joined_on" if field == "left_on" else "from_on"
    for name, day in ((begins, from_on), (field, until_on)):
        if day is not None:
            time_bounds.check_day(name, day, time_bounds.Meaning.day, today=day)
    if from_on and until_on and until_on < from_on:
        raise PeriodRefused(field=field, from_on=from_on, until_on=None)


def _overlapping(post: str, from_on: dt.date, until_on: dt.date | None) -> sa.Select[PostHolding]:
    """Return the holdings of a post in a period; that of somebody who left ends when they do."""
    return sa.select(PostHolding).where(
        PostHolding.post == post,
        PostHolding.from_on <= (until_on or _NO_END),
        presence.lasts(on=from_on),
    )


def _refuse_overlap(session: Session, overlapping: sa.Select[PostHolding]) -> None:
    holding = session.scalar(overlapping.limit(1))
    if holding is not None:
        raise PostTaken(
            field="post",
            post=posts(session).get(holding.post, holding.post),
            employee=str(holding.employee),
            from_on=holding.from_on,
            until_on=holding.until_on,
        )


def _add_holding(
    session: Session, employee: Employee, post: str, *, from_on: dt.date, until_on: dt.date | None
) -> PostHolding:
    if not post:
        raise FieldMissing(field="post")
    holding = PostHolding(post=post, employee_id=employee.id, from_on=from_on, until_on=until_on)
    session.add(holding)
    session.flush()
    return holding
