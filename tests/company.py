"""A small company for tests: departments, people, posts, the Skoda regulation, the calendar.

Everybody is a name of PEOPLE. `Office` does their deeds in one session, each at a stated time,
and knows the way of a case from the customer's word to the archive.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import Settings
from database import make_engine, writing
from enums import Role
from models import (
    Base,
    Complaint,
    Department,
    Employee,
    Penalty,
    PolicyRule,
    PolicyVersion,
    PostHolding,
    User,
)
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.status import ActorKind, CallOutcome, CallPurpose, ReplyOutcome, Satisfaction
from services.calendar import working_calendar
from services.cases import followup, handling, intake
from services.company import accounts, actors, people
from services.company.actors import Actor
from services.regulation import policies

ZONE = dt.timezone(dt.timedelta(hours=8))
REGULATION = "skoda-dealer"
DEPARTMENTS = ("care", "sales", "after_sales", "parts", "workshop", "hr")
PEOPLE = {
    "specialist": ("1001", "care", "care_specialist"),
    "care_director": ("1002", "care", "care_director"),
    "director": ("2001", "after_sales", "after_sales_director"),
    "manager": ("2002", "after_sales", "after_sales_manager"),
    "mechanic": ("2005", "after_sales", None),
    "colleague": ("2006", "after_sales", None),
    "sales_director": ("3001", "sales", "sales_director"),
    "salesman": ("3002", "sales", None),
    "general_manager": ("9001", "hr", "general_manager"),
    "clerk": ("9002", "hr", None),
}
"""Everybody's employee number, department and post."""


def at(month: int, day: int, hour: int, minute: int = 0, *, year: int = 2026) -> dt.datetime:
    """An instant by the company's clocks."""
    return dt.datetime(year, month, day, hour, minute, tzinfo=ZONE)


MORNING = at(9, 28, 9)
"""The Monday before the National Day week; customers of these tests speak at nine."""
DISPATCHED, REPLIED, CONFIRMED = at(9, 28, 10), at(9, 28, 14), at(9, 28, 15)
CALLED, SIGNED, WISHED = at(9, 28, 16), at(9, 28, 17), at(9, 29, 9)


def regulation() -> dict[str, Any]:
    """The shipped regulation as plain data, a fresh copy."""
    return read_toml(shipped_path(REGULATION))


def found(session: Session) -> None:
    """Write the company down; the director is on leave with a deputy on 12 and 13 November."""
    working_calendar.seed_official(session, years=range(2025, 2027))
    policies.publish(session, regulation(), effective_from=dt.date(2026, 1, 1), now=at(1, 1, 9))
    departments = {
        key: people.add_department(session, key=key, name=f"{key} department")
        for key in DEPARTMENTS
    }
    employees = {}
    for name, (number, department, post) in PEOPLE.items():
        employees[name] = people.add_employee(
            session, number=number, name=name, department=departments[department]
        )
        if post:
            people.hold_post(session, employees[name], post, from_on=dt.date(2020, 1, 1))
    (leading,) = Office(session).holdings("after_sales_director")
    people.appoint_deputy(
        session,
        leading,
        employees["manager"],
        from_on=dt.date(2026, 11, 12),
        until_on=dt.date(2026, 11, 13),
    )
    accounts.add_user(
        session,
        "administrator",
        password="correct horse battery",
        display_name="administrator",
        role=Role.administrator,
    )


def build(settings: Settings) -> Path:
    """A database file with every table and the company in it."""
    engine = make_engine(settings)
    Base.metadata.create_all(engine)
    with writing(engine) as session:
        found(session)
    engine.dispose()
    return Path(str(settings.url.database))


@dataclass
class Office:
    """The company at work in a session."""

    session: Session

    def employee(self, name: str) -> Employee:
        number = PEOPLE[name][0]
        return self.session.scalars(sa.select(Employee).where(Employee.number == number)).one()

    def by(self, name: str) -> Actor:
        """Somebody of the company as an actor, with a login that only lets him look."""
        return Actor(ActorKind.user, None, self.employee(name).id, Role.member)

    def account(self, name: str, role: Role) -> User:
        """A login for somebody of the company, with their key for a user name."""
        return accounts.add_user(
            self.session,
            name,
            password="correct horse battery",
            display_name=name,
            role=role,
            employee_id=self.employee(name).id,
        )

    def sheet(self, key: str) -> Actor:
        """A department as its spreadsheet speaks for it."""
        return actors.of_department(self.department(key))

    def department(self, key: str) -> Department:
        return self.session.scalars(sa.select(Department).where(Department.key == key)).one()

    def holdings(self, post: str) -> list[PostHolding]:
        found = sa.select(PostHolding).where(PostHolding.post == post).order_by(PostHolding.from_on)
        return list(self.session.scalars(found))

    @property
    def administrator(self) -> Actor:
        user = self.session.scalars(sa.select(User).where(User.username == "administrator")).one()
        return actors.of_user(user)

    @property
    def version(self) -> PolicyVersion:
        """The regulation in force on the first of the days these tests tell of."""
        return policies.in_force(self.session, REGULATION, on=MORNING.date())

    def drafted(self, section: str, key: str, **changed: Any) -> PolicyVersion:
        """A draft that differs from the version in force by fields of one rule.

        A field that is changed to None is left out.
        """
        old = self.version
        numbers = sa.select(sa.func.max(PolicyVersion.number)).filter_by(policy_id=old.policy_id)
        number = 1 + (self.session.scalar(numbers) or 0)
        draft = PolicyVersion(policy=old.policy, number=number, status="draft", checksum="")
        self.session.add(draft)
        self.session.flush()
        for rule in old.rules:
            data = dict(rule.data)
            if (rule.section, rule.key) == (section, key):
                data = {k: v for k, v in (data | changed).items() if v is not None}
            place = {"section": rule.section, "key": rule.key, "position": rule.position}
            self.session.add(PolicyRule(policy_version_id=draft.id, data=data, **place))
        self.session.flush()
        return draft

    # ------------------------------------------------ the way of a case

    def registered(self, **said: Any) -> Complaint:
        """A complaint about a noise, heard at nine and written down half an hour later."""
        usual: dict[str, Any] = {
            "kind": "complaint",
            "channel": "visit",
            "category": "quality",
            "subject": "发动机异响",
            "received_at": MORNING,
            "actor": self.by("specialist"),
            "now": at(9, 28, 9, 30),
        }
        version = said.pop("version", None) or self.version
        return intake.register(self.session, version, **(usual | said))

    def dispatched(self, **said: Any) -> Complaint:
        """… and handed over to after-sales at ten: due on Thursday 8 October at ten."""
        complaint = self.registered(**said)
        self.dispatch(complaint)
        return complaint

    def dispatch(self, complaint: Complaint, now: dt.datetime = DISPATCHED, **said: Any) -> None:
        usual: dict[str, Any] = {
            "department": "after_sales",
            "actor": self.by("specialist"),
            "now": now,
        }
        intake.dispatch(self.session, complaint, **(usual | said))

    def reply(self, complaint: Complaint, now: dt.datetime = REPLIED, **said: Any) -> None:
        usual: dict[str, Any] = {
            "outcome": ReplyOutcome.solved,
            "text": "更换轴承",
            "actor": self.by("mechanic"),
            "now": now,
        }
        handling.reply(self.session, complaint, **(usual | said))

    def confirm(
        self, complaint: Complaint, now: dt.datetime = CONFIRMED, by: str = "director"
    ) -> None:
        handling.confirm(self.session, complaint, actor=self.by(by), now=now)

    def confirmed(self, **said: Any) -> Complaint:
        """… and answered at two in the afternoon, confirmed at three."""
        complaint = self.dispatched(**said)
        self.reply(complaint)
        self.confirm(complaint)
        return complaint

    def wish(self, complaint: Complaint, now: dt.datetime = WISHED, *, until: dt.datetime) -> None:
        """The department asks for more time and its director stands behind it."""
        self.reply(complaint, now, outcome=ReplyOutcome.extension, text="等配件", until=until)
        self.confirm(complaint, now)

    def call(
        self,
        complaint: Complaint,
        satisfaction: Satisfaction = Satisfaction.satisfied,
        now: dt.datetime = CALLED,
        **said: Any,
    ) -> None:
        usual: dict[str, Any] = {
            "purpose": CallPurpose.verification,
            "outcome": CallOutcome.answered,
            "actor": self.by("specialist"),
            "now": now,
            "satisfaction": satisfaction,
        }
        followup.call_back(self.session, complaint, **(usual | said))

    def restarted(self, **said: Any) -> Complaint:
        """… and begun anew at four, because the customer still hears the noise."""
        complaint = self.confirmed(**said)
        self.call(complaint, Satisfaction.dissatisfied, asks_more=True, text="仍有异响")
        return complaint

    def sign(self, complaint: Complaint, now: dt.datetime = SIGNED) -> None:
        followup.sign(
            self.session,
            complaint,
            feedback="好了",
            actor=self.by("care_director"),
            now=now,
        )

    def closed(self, **said: Any) -> Complaint:
        """… and accepted by the customer, signed at five."""
        complaint = self.confirmed(**said)
        self.call(complaint)
        self.sign(complaint)
        return complaint

    # ------------------------------------------------ looking

    def penalty(self, complaint: Complaint, rule: str) -> Penalty:
        """The case's one charge by a rule."""
        (found,) = [p for p in complaint.penalties if p.rule == rule and p.sign.value == "charge"]
        return found
