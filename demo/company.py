"""The first content of an empty database: the regulation, logins, and an invented dealer's
people.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import (
    Base,
    Complaint,
    Department,
    Employee,
    Policy,
    PolicyVersion,
    PostHolding,
    User,
)
from policy.pack import loading
from policy.vocabulary.worktime import WorkCalendar
from services.company import accounts, people
from services.regulation import policies

HERE = Path(__file__).parent
POLICY = "skoda-dealer"
ADMIN = "admin"
REACHES_BACK = dt.timedelta(days=550)


def read_toml(name: str) -> dict[str, Any]:
    """Return the plain data of a file of this folder."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def is_empty(session: Session) -> bool:
    """Whether the database was never used. A calendar alone does not count as use."""
    tables: tuple[type[Base], ...] = (User, Policy, Department, Employee, Complaint)
    return not any(session.scalar(sa.select(sa.exists(sa.select(table)))) for table in tables)


def publish_regulation(session: Session, *, now: dt.datetime, password: str) -> PolicyVersion:
    """Publish the regulation and add the user admin, with which every company begins."""
    day_one = (now - REACHES_BACK).date().replace(month=1, day=1)
    version = policies.publish(
        session, loading.read_toml(loading.shipped_path(POLICY)), effective_from=day_one, now=now
    )
    accounts.add_user(
        session, ADMIN, password=password, display_name="管理员", role=Role.administrator
    )
    return version


def administrator(session: Session) -> User:
    """Return the user admin."""
    return session.scalars(sa.select(User).where(User.username == ADMIN)).one()


def add_people(session: Session, days: Days) -> None:
    """Add the dealer's departments and people, the posts they hold, and past deputies."""
    data = read_toml("company")
    departments = {
        key: people.add_department(session, key=key, name=name) for key, name in data["departments"]
    }
    since = (days.now - REACHES_BACK).date()
    for number, name, department, posts in data["employees"]:
        employee = people.add_employee(
            session, number=number, name=name, department=departments[department], joined_on=since
        )
        for post in posts:
            people.share_post(session, employee, post, from_on=since)
    for deputy in data["deputies"]:
        _appoint(session, deputy, days)


def _appoint(session: Session, deputy: Mapping[str, Any], days: Days) -> None:
    held = sa.select(PostHolding).where(PostHolding.post == deputy["post"])
    people.appoint_deputy(
        session,
        session.scalars(held).one(),
        _employee(session, deputy["number"]),
        from_on=days.before(deputy["from_days_ago"]),
        until_on=days.before(deputy["until_days_ago"]),
        reason=deputy["reason"],
    )


def give_logins(session: Session, *, password: str) -> list[str]:
    """Add one user for every role, all with one password, and return their user names."""
    users: Mapping[str, tuple[str, str]] = read_toml("company")["users"]
    for username, (role, number) in users.items():
        employee = _employee(session, number)
        accounts.add_user(
            session,
            username,
            password=password,
            display_name=employee.name,
            role=Role(role),
            employee_id=employee.id,
        )
    return list(users)


def _employee(session: Session, number: str) -> Employee:
    employee = people.find_employee(session, number)
    assert employee is not None, f"company.toml has no employee {number}"
    return employee


class Days:
    """The working days up to yesterday, so that the demo's events lie in office hours.

    Day 0 is the last working day before today; day 5 is five working days before that.
    """

    def __init__(self, calendar: WorkCalendar, now: dt.datetime) -> None:
        self.calendar = calendar
        self.now = now
        today = calendar.local(now).date()
        past = (today - dt.timedelta(days=n) for n in range(1, 240))
        self._days = [day for day in past if calendar.is_working(day)]

    def before(self, count: int) -> dt.date:
        """Return the working day that lies `count` working days before day 0."""
        return self._days[count]

    def at(self, count: int, clock: str) -> dt.datetime:
        """Return the instant of a clock time ("09:30") of that day."""
        return self.calendar.instant(self.before(count), dt.time.fromisoformat(clock))

    def ago(self, minutes: int) -> dt.datetime:
        """Return the instant so many minutes before now."""
        return self.now - dt.timedelta(minutes=minutes)
