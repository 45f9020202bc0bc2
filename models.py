"""The record: every table, typed. No Flask, no rules, no `save()`.

Instants are stored as UTC and handed out aware; money is whole fen in the database and a
Decimal of yuan in Python; enumerations are stored by name, which equals their value.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from enums import Audience, CellDeed, ProblemKind, Resolution, Role, WhatIfState
from policy.vocabulary.status import (
    ActorKind,
    CallOutcome,
    CallPurpose,
    ClosingGround,
    DeadlineState,
    PenaltyStatus,
    ReplyOutcome,
    Responsibility,
    Satisfaction,
    Sign,
    Status,
)
from policy.vocabulary.worktime import DayKind, DayLayer

# ---------------------------------------------------------------- column types


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """An instant: aware in Python, UTC without a zone in the database. A naive value is refused."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        """Return the instant in UTC without a zone. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        """Return the stored instant as aware UTC."""
        return None if value is None else value.replace(tzinfo=dt.UTC)


class Money(sa.types.TypeDecorator[Decimal]):
    """An amount of yuan, stored as whole fen so that sums are exact on every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:
        """Return the amount in fen. Raises ValueError for a fraction of a fen."""
        if value is None:
            return None
        fen = Decimal(value) * 100
        if fen != fen.to_integral_value():
            raise ValueError(f"{value} yuan is not a whole number of fen")
        return int(fen)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        """Return the stored fen as a Decimal of yuan."""
        return None if value is None else Decimal(value).scaleb(-2)


def _by_value(kind: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in kind]


class Base(DeclarativeBase):
    """The base of all tables: the names of constraints, and how Python types are stored."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        dt.datetime: UtcDateTime(),
        Decimal: Money(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        enum.Enum: sa.Enum(
            enum.Enum,
            values_callable=_by_value,
            native_enum=False,
            length=32,
            validate_strings=True,
        ),
    }


def _key(length: int = 64, **options: Any) -> Mapped[str]:
    """Return the column of a stable name chosen by people or packs, compared byte by byte."""
    return mapped_column(sa.String(length), **options)


def _to(target: str, *, index: bool = True, **options: Any) -> Any:
    """Return the column of a reference to another row, indexed because lists filter by most of
    them.
    """
    return mapped_column(sa.ForeignKey(target), index=index, **options)


# ---------------------------------------------------------------- people


class Department(Base):
    """A department of the company; packs, workbooks and files name it by `key`."""

    __tablename__ = "department"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = _key(unique=True)
    name: Mapped[str] = _key(120, unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.name


class Employee(Base):
    """A person on the payroll, known by the employee number because names repeat."""

    __tablename__ = "employee"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = _key(32, unique=True)
    name: Mapped[str] = _key(120, index=True)
    department_id: Mapped[int] = _to("department.id")
    phone: Mapped[str | None] = _key(40)
    email: Mapped[str | None] = _key(200)
    joined_on: Mapped[dt.date | None]
    left_on: Mapped[dt.date | None]
    version: Mapped[int] = mapped_column(default=1)

    department: Mapped[Department] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("left_on IS NULL OR left_on >= joined_on", "leaves_after_joining"),
    )

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class PostHolding(Base):
    """A post of the regulation that an employee holds from a day to a day, both included."""

    __tablename__ = "post_holding"

    id: Mapped[int] = mapped_column(primary_key=True)
    post: Mapped[str] = _key(index=True)
    employee_id: Mapped[int] = _to("employee.id")
    from_on: Mapped[dt.date]
    until_on: Mapped[dt.date | None]
    version: Mapped[int] = mapped_column(default=1)

    employee: Mapped[Employee] = relationship()
    deputies: Mapped[list[Deputy]] = relationship(
        back_populates="holding", order_by="Deputy.from_on"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("until_on IS NULL OR until_on >= from_on", "ends_after_it_begins"),
    )


class Deputy(Base):
    """A deputy of the holder of a post, from a day to a day, both included."""

    __tablename__ = "deputy"

    id: Mapped[int] = mapped_column(primary_key=True)
    holding_id: Mapped[int] = _to("post_holding.id")
    employee_id: Mapped[int] = _to("employee.id")
    from_on: Mapped[dt.date]
    until_on: Mapped[dt.date]
    reason: Mapped[str | None] = _key(200)
    version: Mapped[int] = mapped_column(default=1)

    holding: Mapped[PostHolding] = relationship(back_populates="deputies")
    employee: Mapped[Employee] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.CheckConstraint("until_on >= from_on", "ends_after_it_begins"),)


class User(Base):
    """A user who logs in. The role decides which pages they see, the employee's posts which
    deeds.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = _key(unique=True)
    password_hash: Mapped[str] = _key(200)
    display_name: Mapped[str] = _key(120)
    role: Mapped[Role]
    employee_id: Mapped[int | None] = _to("employee.id")
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str | None] = _key(16)
    session_token: Mapped[str] = _key(64)  # a new one ends every open session
    must_change_password: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)

    employee: Mapped[Employee | None] = relationship()

    __mapper_args__ = {"version_id_col": version}


class EndedSession(Base):
    """A session somebody logged out of: its cookie, copied before, opens nothing any more."""

    __tablename__ = "ended_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = _key(64, unique=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)


class LoginAttempt(Base):
    """One failed attempt to log in; the throttle counts recent ones."""

    __tablename__ = "login_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = _key()
    address: Mapped[str] = _key()
    at: Mapped[dt.datetime]

    __table_args__ = (sa.Index(None, "username", "at"), sa.Index(None, "address", "at"))


# ---------------------------------------------------------------- policies and calendars


class Policy(Base):
    """A regulation of the company, whatever its version."""

    __tablename__ = "policy"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = _key(unique=True)
    name: Mapped[str] = _key(200)

    versions: Mapped[list[PolicyVersion]] = relationship(back_populates="policy")

    def __str__(self) -> str:
        return self.name


class PolicyVersion(Base):
    """A version of a regulation, in force from a day; immutable once published.

    A draft is stored as it was typed, right or wrong. `checksum` is that of its content, and of the
    checked rules once it is published; `checked_for` is the checksum of the content the slow part
    of the check looked at, `findings` what it found.
    """

    __tablename__ = "policy_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[int] = _to("policy.id")
    number: Mapped[int]
    status: Mapped[str] = _key(16)
    effective_from: Mapped[dt.date | None]
    published_at: Mapped[dt.datetime | None]
    checksum: Mapped[str] = _key(64)
    note: Mapped[str | None] = mapped_column(sa.Text)
    based_on_id: Mapped[int | None] = _to("policy_version.id")
    drafted_by_id: Mapped[int | None] = _to("user.id")
    drafted_at: Mapped[dt.datetime | None]
    checked_for: Mapped[str | None] = _key(64)
    checked_at: Mapped[dt.datetime | None]
    findings: Mapped[list[Any] | None]
    approved_by_id: Mapped[int | None] = _to("user.id")
    approved_at: Mapped[dt.datetime | None]
    published_by_id: Mapped[int | None] = _to("user.id")
    told_staff_on: Mapped[dt.date | None]
    told_staff_proof: Mapped[str | None] = mapped_column(sa.Text)
    withdrawn_by_id: Mapped[int | None] = _to("user.id")
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_because: Mapped[str | None] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column(default=1)

    policy: Mapped[Policy] = relationship(back_populates="versions")
    rules: Mapped[list[PolicyRule]] = relationship(order_by="PolicyRule.position, PolicyRule.id")
    based_on: Mapped[PolicyVersion | None] = relationship(remote_side=[id])
    drafted_by: Mapped[User | None] = relationship(foreign_keys=[drafted_by_id])
    approved_by: Mapped[User | None] = relationship(foreign_keys=[approved_by_id])
    published_by: Mapped[User | None] = relationship(foreign_keys=[published_by_id])
    withdrawn_by: Mapped[User | None] = relationship(foreign_keys=[withdrawn_by_id])

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.UniqueConstraint("policy_id", "number"),
        sa.CheckConstraint("status IN ('draft', 'published', 'withdrawn')", "status_is_known"),
    )

    def __str__(self) -> str:
        return f"{self.policy.name} · {self.number}"


class PolicyRule(Base):
    """An entry of a section of a version. In a draft it is as typed, and keys may repeat."""

    __tablename__ = "policy_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_version_id: Mapped[int] = _to("policy_version.id")
    section: Mapped[str] = _key(32)
    key: Mapped[str] = _key()
    position: Mapped[int]
    data: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.Index("ix_policy_rule_entry", "policy_version_id", "section", "key"),)


class PolicyChange(Base):
    """A change of an entry of a draft by a user: its data before and after."""

    __tablename__ = "policy_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_version_id: Mapped[int] = _to("policy_version.id")
    user_id: Mapped[int | None] = _to("user.id")
    at: Mapped[dt.datetime]
    deed: Mapped[str] = _key(16)
    section: Mapped[str] = _key(32)
    key: Mapped[str] = _key()
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]

    user: Mapped[User | None] = relationship()


class Parameter(Base):
    """A choice the regulation leaves to the company, for one version."""

    __tablename__ = "parameter"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_version_id: Mapped[int] = _to("policy_version.id")
    key: Mapped[str] = _key()
    value: Mapped[str] = _key(200)

    __table_args__ = (sa.UniqueConstraint("policy_version_id", "key"),)


class DepartmentMeaning(Base):
    """The company's department that a pack's department means, from a day on; needs no new
    version.
    """

    __tablename__ = "department_meaning"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[int] = _to("policy.id")
    key: Mapped[str] = _key()
    department_id: Mapped[int] = _to("department.id")
    from_on: Mapped[dt.date]
    version: Mapped[int] = mapped_column(default=1)

    policy: Mapped[Policy] = relationship()
    department: Mapped[Department] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.UniqueConstraint("policy_id", "key", "from_on"),)


class CompanyText(Base):
    """The company's own text for an authority or a telephone script of the regulation, from a day
    on.

    The pack's own words are the default; no new version is needed.
    """

    __tablename__ = "company_text"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[int] = _to("policy.id")
    section: Mapped[str] = _key(32)
    key: Mapped[str] = _key()
    from_on: Mapped[dt.date]
    text: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column(default=1)

    policy: Mapped[Policy] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.UniqueConstraint("policy_id", "section", "key", "from_on"),
        sa.CheckConstraint("section IN ('authority', 'script')", "section_is_known"),
    )


class Calendar(Base):
    """A calendar of the company; `version` counts every change and is the number of the current
    one.
    """

    __tablename__ = "calendar"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = _key(unique=True)
    name: Mapped[str] = _key(120)
    zone: Mapped[str] = _key()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class CalendarVersion(Base):
    """Office hours and coverage of a calendar from `made_at` on; rows never change.

    The first version has no `made_at`: it holds for all time before the second.
    """

    __tablename__ = "calendar_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar_id: Mapped[int] = _to("calendar.id", index=False)
    number: Mapped[int]
    slots: Mapped[list[Any]]
    half_slots: Mapped[list[Any]]
    coverage_from: Mapped[dt.date]
    coverage_until: Mapped[dt.date]
    made_at: Mapped[dt.datetime | None]
    made_by: Mapped[str] = _key(120)
    reason: Mapped[str] = mapped_column(sa.Text)

    __table_args__ = (sa.UniqueConstraint("calendar_id", "number"),)


class CalendarDay(Base):
    """A day that differs from what its weekday says, from a version of its calendar to another.

    `until_version` is the first version in which it no longer does. Rows are ended, never written
    over, so that a deadline can be counted as it was counted then.
    """

    __tablename__ = "calendar_day"

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar_id: Mapped[int] = _to("calendar.id", index=False)
    on: Mapped[dt.date]
    layer: Mapped[DayLayer]
    kind: Mapped[DayKind]
    note: Mapped[str | None] = _key(200)
    source: Mapped[str] = _key(64)
    from_version: Mapped[int]
    until_version: Mapped[int | None]

    __table_args__ = (
        sa.Index(
            None,
            "calendar_id",
            "on",
            "layer",
            unique=True,
            sqlite_where=sa.text("until_version IS NULL"),
            postgresql_where=sa.text("until_version IS NULL"),
        ),
        sa.CheckConstraint("until_version > from_version", "ended_after_it_began"),
    )


class NumberCounter(Base):
    """The last serial given in a series and period; a number is never given twice."""

    __tablename__ = "number_counter"

    id: Mapped[int] = mapped_column(primary_key=True)
    series: Mapped[str] = _key()
    period: Mapped[str] = _key(16)
    last: Mapped[int]

    __table_args__ = (sa.UniqueConstraint("series", "period"),)


# ---------------------------------------------------------------- customers and cases


class Customer(Base):
    """A customer. `phone_digits` is what the care desk searches while the telephone rings."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = _key(120, index=True)
    phone: Mapped[str | None] = _key(40)
    phone_digits: Mapped[str | None] = _key(32, index=True)
    address: Mapped[str | None] = _key(300)
    note: Mapped[str | None] = mapped_column(sa.Text)
    tier: Mapped[str | None] = _key(16)  # "key" for one the company looks after by itself
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.name


class CustomerFlag(Base):
    """A mark that a customer acts in bad faith, set by a user: restricted, with an end, never
    erased.
    """

    __tablename__ = "customer_flag"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = _to("customer.id")
    reason: Mapped[str] = mapped_column(sa.Text)
    cite: Mapped[str] = _key()
    set_by_id: Mapped[int | None] = _to("user.id")
    set_at: Mapped[dt.datetime]
    until_on: Mapped[dt.date]
    lifted_by_id: Mapped[int | None] = _to("user.id")
    lifted_at: Mapped[dt.datetime | None]
    lifted_because: Mapped[str | None] = mapped_column(sa.Text)

    customer: Mapped[Customer] = relationship()
    set_by: Mapped[User | None] = relationship(foreign_keys=[set_by_id])
    lifted_by: Mapped[User | None] = relationship(foreign_keys=[lifted_by_id])


class Complaint(Base):
    """A case of any kind: its facts after the last event.

    Every column below `number` is written by `services.cases.journal` alone; `version` counts
    events.
    """

    __tablename__ = "complaint"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = _key(40, unique=True)
    policy_version_id: Mapped[int] = _to("policy_version.id")
    source: Mapped[str | None] = _key()
    source_id: Mapped[str | None] = _key(120)
    form_key: Mapped[str | None] = _key(64, unique=True)  # of the form it was registered with
    history: Mapped[bool] = mapped_column(default=False)

    kind: Mapped[str] = _key()
    channel: Mapped[str | None] = _key()
    category: Mapped[str | None] = _key()
    level: Mapped[str | None] = _key()
    grade: Mapped[str | None] = _key()
    grade_chosen: Mapped[bool] = mapped_column(default=False)
    responsibility: Mapped[Responsibility]
    status: Mapped[Status]
    round: Mapped[int] = mapped_column(default=1)
    subject: Mapped[str] = _key(300)
    body: Mapped[str | None] = mapped_column(sa.Text)
    demand: Mapped[str | None] = mapped_column(sa.Text)
    extra: Mapped[dict[str, Any]]
    customer_id: Mapped[int | None] = _to("customer.id")

    department_id: Mapped[int | None] = _to("department.id")
    handler_id: Mapped[int | None] = _to("employee.id")
    responsible_id: Mapped[int | None] = _to("employee.id")
    director_only: Mapped[bool] = mapped_column(default=False)
    first_asked: Mapped[str | None] = _key(32)  # an employee number; it never changes
    linked: Mapped[str | None] = _key(40)  # the number of the case this one came out of
    finding: Mapped[str | None] = _key()
    valid: Mapped[bool | None]
    concerned: Mapped[list[Any]]  # employee numbers
    struck: Mapped[bool] = mapped_column(default=False)  # an appeal took it out of every count

    reply_outcome: Mapped[ReplyOutcome | None]
    closing_ground: Mapped[ClosingGround | None]
    feedback: Mapped[str | None] = mapped_column(sa.Text)

    received_at: Mapped[dt.datetime]
    registered_at: Mapped[dt.datetime]
    classified_at: Mapped[dt.datetime | None]
    dispatched_at: Mapped[dt.datetime | None]
    contacted_at: Mapped[dt.datetime | None]
    promised_at: Mapped[dt.datetime | None]  # when a promise to the customer is due
    informed_at: Mapped[dt.datetime | None]
    replied_at: Mapped[dt.datetime | None]
    raised_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]
    restarted_at: Mapped[dt.datetime | None]
    upgraded_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    observe_until: Mapped[dt.datetime | None]
    factory_closed_at: Mapped[dt.datetime | None]
    archived_at: Mapped[dt.datetime | None]
    retain_until: Mapped[dt.date | None]
    due_at: Mapped[dt.datetime | None]  # the next due time; lists sort by it
    due_provisional: Mapped[bool] = mapped_column(default=False)  # beyond the official calendar
    time_at: Mapped[dt.datetime | None]  # when time alone changes the case; the sweep reads it
    version: Mapped[int] = mapped_column(default=0)

    customer: Mapped[Customer | None] = relationship()
    department: Mapped[Department | None] = relationship()
    handler: Mapped[Employee | None] = relationship(foreign_keys=[handler_id])
    responsible: Mapped[Employee | None] = relationship(foreign_keys=[responsible_id])
    policy_version: Mapped[PolicyVersion] = relationship()
    assignments: Mapped[list[Assignment]] = relationship(
        back_populates="complaint", order_by="Assignment.position", cascade="all, delete-orphan"
    )
    deadlines: Mapped[list[Deadline]] = relationship(
        back_populates="complaint", order_by="Deadline.id"
    )
    penalties: Mapped[list[Penalty]] = relationship(
        back_populates="complaint", order_by="Penalty.id"
    )
    callbacks: Mapped[list[Callback]] = relationship(
        back_populates="complaint", order_by="Callback.position", cascade="all, delete-orphan"
    )
    signoffs: Mapped[list[Signoff]] = relationship(
        back_populates="complaint", order_by="Signoff.position", cascade="all, delete-orphan"
    )
    extensions: Mapped[list[Extension]] = relationship(
        back_populates="complaint", order_by="Extension.position", cascade="all, delete-orphan"
    )
    tallies: Mapped[list[Tally]] = relationship(
        back_populates="complaint", order_by="Tally.position", cascade="all, delete-orphan"
    )
    entries: Mapped[list[FormEntry]] = relationship(
        back_populates="complaint", order_by="FormEntry.position", cascade="all, delete-orphan"
    )

    __table_args__ = (
        sa.UniqueConstraint("source", "source_id"),
        sa.Index(None, "status", "department_id", "due_at"),
        sa.Index(None, "received_at", "id"),
        sa.Index(None, "due_at", "id"),
        sa.Index(None, "time_at"),
        sa.CheckConstraint("round >= 1", "rounds_begin_at_one"),
    )

    def __str__(self) -> str:
        return self.number


class Assignment(Base):
    """The assignment of a case to a department in a round: who answers for it and who
    handles it.
    """

    __tablename__ = "assignment"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    position: Mapped[int]
    round: Mapped[int]
    department_key: Mapped[str] = _key()
    department_id: Mapped[int] = _to("department.id")
    responsible_id: Mapped[int | None] = _to("employee.id")
    handler_id: Mapped[int | None] = _to("employee.id")
    dispatched_at: Mapped[dt.datetime]
    returned_at: Mapped[dt.datetime | None]

    complaint: Mapped[Complaint] = relationship(back_populates="assignments")
    department: Mapped[Department] = relationship()
    responsible: Mapped[Employee | None] = relationship(foreign_keys=[responsible_id])
    handler: Mapped[Employee | None] = relationship(foreign_keys=[handler_id])

    __table_args__ = (sa.UniqueConstraint("complaint_id", "position"),)


class Deadline(Base):
    """A deadline of a case. `due_at` never moves without a revision; a breach stays a row."""

    __tablename__ = "deadline"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    key: Mapped[str] = _key()
    round: Mapped[int]
    state: Mapped[DeadlineState]
    starts_at: Mapped[dt.datetime]
    opens_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None]
    review_at: Mapped[dt.datetime | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    met_at: Mapped[dt.datetime | None]
    responsible_id: Mapped[int | None] = _to("employee.id")
    because: Mapped[dict[str, Any]]

    complaint: Mapped[Complaint] = relationship(back_populates="deadlines")
    responsible: Mapped[Employee | None] = relationship()
    revisions: Mapped[list[DeadlineRevision]] = relationship(
        back_populates="deadline", order_by="DeadlineRevision.id"
    )
    breaches: Mapped[list[Breach]] = relationship(back_populates="deadline", order_by="Breach.id")

    __table_args__ = (
        sa.UniqueConstraint("complaint_id", "key", "round"),
        sa.Index(None, "state", "due_at"),
    )


class DeadlineRevision(Base):
    """A revision of a deadline: its due time before and after, why, and through which event."""

    __tablename__ = "deadline_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    deadline_id: Mapped[int] = _to("deadline.id")
    due_before: Mapped[dt.datetime | None]
    due_after: Mapped[dt.datetime | None]
    reason: Mapped[str] = _key(32)
    journal_seq: Mapped[int]
    at: Mapped[dt.datetime]

    deadline: Mapped[Deadline] = relationship(back_populates="revisions")


class Breach(Base):
    """A breach: a deadline that ran out. Never erased: a correction that lifts it fills
    `lifted_at`.
    """

    __tablename__ = "breach"

    id: Mapped[int] = mapped_column(primary_key=True)
    deadline_id: Mapped[int] = _to("deadline.id")
    level: Mapped[int] = mapped_column(default=1)
    breached_at: Mapped[dt.datetime]
    found_at: Mapped[dt.datetime]
    lifted_at: Mapped[dt.datetime | None]
    lifted_because: Mapped[str | None] = _key(32)

    deadline: Mapped[Deadline] = relationship(back_populates="breaches")

    __table_args__ = (
        sa.UniqueConstraint("deadline_id", "level", "breached_at"),
        sa.CheckConstraint("breached_at <= found_at", "found_after_it_happened"),
    )


class Journal(Base):
    """An event of a case, in order. Rows are only ever added."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id", index=False)
    seq: Mapped[int]
    event: Mapped[str] = _key(32)
    data: Mapped[dict[str, Any]]
    actor: Mapped[ActorKind]
    user_id: Mapped[int | None] = _to("user.id")
    employee_id: Mapped[int | None] = _to("employee.id")
    happened_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime]

    user: Mapped[User | None] = relationship()
    employee: Mapped[Employee | None] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("complaint_id", "seq"),
        sa.Index(None, "recorded_at"),
        sa.CheckConstraint("happened_at <= recorded_at", "recorded_after_it_happened"),
    )


class Signoff(Base):
    """A person's name under a step: a director's confirmation, a signature."""

    __tablename__ = "signoff"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    position: Mapped[int]
    event: Mapped[str] = _key(32)
    round: Mapped[int]
    post: Mapped[str] = _key()
    as_deputy: Mapped[bool] = mapped_column(default=False)
    employee_id: Mapped[int] = _to("employee.id")
    at: Mapped[dt.datetime]

    complaint: Mapped[Complaint] = relationship(back_populates="signoffs")
    employee: Mapped[Employee] = relationship()

    __table_args__ = (sa.UniqueConstraint("complaint_id", "position"),)


class Extension(Base):
    """An extension a department asked for; the care desk granted or refused it."""

    __tablename__ = "extension"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    position: Mapped[int]
    round: Mapped[int]
    asked_at: Mapped[dt.datetime]
    until: Mapped[dt.datetime]
    reason: Mapped[str] = mapped_column(sa.Text)
    granted: Mapped[bool | None]
    decided_at: Mapped[dt.datetime | None]

    complaint: Mapped[Complaint] = relationship(back_populates="extensions")

    __table_args__ = (sa.UniqueConstraint("complaint_id", "position"),)


class Callback(Base):
    """One attempt to call the customer, and the customer's answers."""

    __tablename__ = "callback"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    position: Mapped[int]
    purpose: Mapped[CallPurpose]
    round: Mapped[int]
    attempt: Mapped[int]
    at: Mapped[dt.datetime] = mapped_column(index=True)
    outcome: Mapped[CallOutcome]
    satisfaction: Mapped[Satisfaction | None]
    process_score: Mapped[Satisfaction | None]
    matches_form: Mapped[bool | None]
    asks_more: Mapped[bool | None]
    care_insists: Mapped[bool | None]
    method: Mapped[str] = _key(16)
    text: Mapped[str | None] = mapped_column(sa.Text)
    caller_id: Mapped[int] = _to("employee.id")

    complaint: Mapped[Complaint] = relationship(back_populates="callbacks")
    caller: Mapped[Employee] = relationship()

    __table_args__ = (sa.UniqueConstraint("complaint_id", "position"),)


class Tally(Base):
    """One occurrence of something the regulation counts: a late closing, a returned case."""

    __tablename__ = "tally"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    position: Mapped[int]
    counter: Mapped[str] = _key()
    department_key: Mapped[str | None] = _key()
    department_id: Mapped[int | None] = _to("department.id")
    at: Mapped[dt.datetime] = mapped_column(index=True)

    complaint: Mapped[Complaint] = relationship(back_populates="tallies")
    department: Mapped[Department | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("complaint_id", "position"),)


# ---------------------------------------------------------------- money


class Penalty(Base):
    """A sum an employee pays, gets back or is rewarded with; append-only money history.

    One row per rule, employee, occasion and sign, so that nothing is paid twice.
    """

    __tablename__ = "penalty"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    rule: Mapped[str] = _key()
    cite: Mapped[str] = _key()
    occasion: Mapped[str] = _key(120)
    sign: Mapped[Sign]
    employee_id: Mapped[int] = _to("employee.id")
    amount: Mapped[Decimal]
    sanctions: Mapped[list[Any]]  # keys of the regulation: what comes with the sum, or instead
    status: Mapped[PenaltyStatus]
    because: Mapped[dict[str, Any]]
    proposed_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]
    notified_at: Mapped[dt.datetime | None]
    counts_at: Mapped[dt.datetime | None]  # when the time to appeal ends and it may be paid
    month: Mapped[str | None] = _key(7, index=True)  # the wage month, "2026-10"
    version: Mapped[int] = mapped_column(default=1)

    complaint: Mapped[Complaint] = relationship(back_populates="penalties")
    employee: Mapped[Employee] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.UniqueConstraint("complaint_id", "rule", "employee_id", "occasion", "sign"),
        sa.Index(None, "status", "month"),
        sa.CheckConstraint("amount >= 0", "amount_is_no_debt"),
    )


class WageMonth(Base):
    """A wage month whose list was paid; the list never changes afterwards."""

    __tablename__ = "wage_month"

    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[str] = _key(7, unique=True)
    closed_at: Mapped[dt.datetime]
    closed_by_id: Mapped[int | None] = _to("user.id")


# ---------------------------------------------------------------- spreadsheets


class Installation(Base):
    """This installation of Redress, one row; its identity stands in the folder of the workbooks."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    identity: Mapped[str] = _key(32, unique=True)
    folder_marked_at: Mapped[dt.datetime | None]  # when it first marked a folder as its own


class Workbook(Base):
    """A workbook (a spreadsheet file) for one audience, mirrored both ways."""

    __tablename__ = "sheet"

    id: Mapped[int] = mapped_column(primary_key=True)
    audience: Mapped[Audience]
    department_id: Mapped[int | None] = _to("department.id")
    year: Mapped[int | None]  # of the wage months of a payroll file
    name: Mapped[str] = _key(120, unique=True)  # the file's name without its ending
    pass_number: Mapped[int] = mapped_column(default=0)  # of the last pass that did something
    file_pass: Mapped[int | None]  # the pass the file said it came from when last read
    fingerprint: Mapped[str | None] = _key(200)  # of the file as it was last read or written
    settled: Mapped[bool] = mapped_column(default=True)  # no typed input waits for another look
    newborn: Mapped[list[Any]]  # typed rows without an id, as the last look saw them
    complete_at: Mapped[dt.datetime | None]  # when the last look that read everything began
    looked_at: Mapped[dt.datetime | None]
    saved_at: Mapped[dt.datetime | None]  # when a person's program last saved it
    written_at: Mapped[dt.datetime | None]
    refreshed_at: Mapped[dt.datetime | None]  # when every row was last compared with the record
    today_at: Mapped[dt.datetime | None]  # the instant its tab of today was made for
    seen: Mapped[str] = mapped_column(
        sa.String(80), default=""
    )  # checksums of its layout and of the sums paid
    failing: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """Since when looks fail (`since`), at which file, and since when at this very file."""
    held_by: Mapped[str | None] = _key(120)
    held_since: Mapped[dt.datetime | None]
    paused_at: Mapped[dt.datetime | None]
    paused_by_id: Mapped[int | None] = _to("user.id")

    department: Mapped[Department | None] = relationship()
    paused_by: Mapped[User | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("audience", "department_id", "year"),)

    def __str__(self) -> str:
        return self.name


class WorkbookTab(Base):
    """A tab that every workbook of an audience has, and the statuses of the cases in it."""

    __tablename__ = "sheet_tab"

    id: Mapped[int] = mapped_column(primary_key=True)
    audience: Mapped[Audience]
    key: Mapped[str] = _key()  # today, open, closed, guide; month for the payroll
    title: Mapped[str] = _key(31)
    position: Mapped[int]
    statuses: Mapped[list[Any]]  # names of Status: the cases in it
    days: Mapped[int | None]  # how long after closing a case stays
    version: Mapped[int] = mapped_column(default=1)

    columns: Mapped[list[WorkbookColumn]] = relationship(
        back_populates="tab", order_by="WorkbookColumn.position"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.UniqueConstraint("audience", "key"),)

    def __str__(self) -> str:
        return self.title


class WorkbookColumn(Base):
    """A column of a tab. Its owner and the deed it carries follow from its field."""

    __tablename__ = "sheet_column"

    id: Mapped[int] = mapped_column(primary_key=True)
    tab_id: Mapped[int] = _to("sheet_tab.id", index=False)
    position: Mapped[int]
    field: Mapped[str] = _key(80)
    header: Mapped[str] = _key(120)
    width: Mapped[int] = mapped_column(default=14)  # in characters
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    tab: Mapped[WorkbookTab] = relationship(back_populates="columns")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.UniqueConstraint("tab_id", "field"),)

    def __str__(self) -> str:
        return self.header


class WorkbookRow(Base):
    """A case's row in a workbook. `uid` is the value of the workbook's hidden column."""

    __tablename__ = "sheet_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = _to("sheet.id", index=False)
    uid: Mapped[str] = _key(40)
    complaint_id: Mapped[int] = _to("complaint.id")
    shown: Mapped[bool] = mapped_column(default=False)  # whether the file has it after the pass
    seen: Mapped[str] = _key(80)  # versions of the rows of the record its cells were made from
    hint: Mapped[str] = mapped_column(sa.Text)  # the answer to its last input
    waiting: Mapped[dict[str, Any]]  # inputs the last look saw, to be seen unchanged once more
    refused: Mapped[dict[str, Any]]  # inputs that were refused and are still in the file
    typed: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """The cells a person typed, where the row began in the workbook."""

    complaint: Mapped[Complaint] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("sheet_id", "uid"),
        sa.UniqueConstraint("sheet_id", "complaint_id"),
    )


class WorkbookBase(Base):
    """The cells both sides agreed on for a row, from one look until another."""

    __tablename__ = "sheet_base"

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = _to("sheet.id", index=False)
    row_id: Mapped[int] = _to("sheet_row.id")
    from_pass: Mapped[int]
    until_pass: Mapped[int | None]  # the first pass it is not true for any more
    cells: Mapped[dict[str, Any]]

    __table_args__ = (
        sa.UniqueConstraint("row_id", "from_pass"),
        sa.Index(None, "sheet_id", "until_pass"),
    )


class WorkbookLook(Base):
    """One look at a workbook that did something; the workbook is stamped with its `number`."""

    __tablename__ = "sheet_pass"

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = _to("sheet.id", index=False)
    number: Mapped[int]
    base: Mapped[int | None]  # the pass it was merged against, as the file said
    began_at: Mapped[dt.datetime]
    saved_at: Mapped[dt.datetime | None]
    written_at: Mapped[
        dt.datetime | None
    ]  # None where the file did not have to change, or could not
    counts: Mapped[dict[str, Any]]  # how many cells or rows, by CellDeed
    undone_at: Mapped[dt.datetime | None]
    undone_by_id: Mapped[int | None] = _to("user.id")

    workbook: Mapped[Workbook] = relationship()

    __table_args__ = (sa.UniqueConstraint("sheet_id", "number"),)


class WorkbookChange(Base):
    """A change a look made to one cell or row, and why."""

    __tablename__ = "sheet_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = _to("sheet.id", index=False)
    pass_number: Mapped[int]
    row_id: Mapped[int | None] = _to("sheet_row.id", index=False)
    complaint_id: Mapped[int | None] = _to("complaint.id")
    field: Mapped[str | None] = _key(80)
    what: Mapped[CellDeed]
    before: Mapped[str | None] = mapped_column(sa.Text)
    after: Mapped[str | None] = mapped_column(sa.Text)
    because: Mapped[str | None] = mapped_column(sa.Text)
    journal_seq: Mapped[int | None]

    complaint: Mapped[Complaint | None] = relationship()

    __table_args__ = (
        sa.Index(None, "sheet_id", "pass_number"),
        sa.Index(None, "row_id", "pass_number"),
    )


class WorkbookProblem(Base):
    """A problem in a workbook that a person has to decide, with both sides' values."""

    __tablename__ = "sheet_problem"

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = _to("sheet.id")
    row_id: Mapped[int | None] = _to("sheet_row.id")
    complaint_id: Mapped[int | None] = _to("complaint.id")
    kind: Mapped[ProblemKind]
    field: Mapped[str | None] = _key(80)
    code: Mapped[str] = _key(40)
    facts: Mapped[dict[str, Any]]
    base: Mapped[str | None] = mapped_column(sa.Text)
    ours: Mapped[str | None] = mapped_column(sa.Text)
    theirs: Mapped[str | None] = mapped_column(sa.Text)
    found_at: Mapped[dt.datetime]
    choice: Mapped[Resolution | None]
    chosen_at: Mapped[dt.datetime | None]
    chosen_by_id: Mapped[int | None] = _to("user.id")
    settled_at: Mapped[dt.datetime | None]  # the choice was carried out, or it went away

    workbook: Mapped[Workbook] = relationship()
    complaint: Mapped[Complaint | None] = relationship()
    chosen_by: Mapped[User | None] = relationship()

    __table_args__ = (sa.Index(None, "sheet_id", "settled_at"),)


# ---------------------------------------------------------------- papers, notices, jobs


class Attachment(Base):
    """A file a user added to a case; its bytes lie in REDRESS_HOME under their checksum."""

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = _to("complaint.id")
    name: Mapped[str] = _key(255)
    media_type: Mapped[str] = _key(120)
    size: Mapped[int]
    checksum: Mapped[str] = _key(64)
    added_by_id: Mapped[int | None] = _to("user.id")
    added_at: Mapped[dt.datetime]


class FormEntry(Base):
    """An entry filed under an entry of the pack: a form, a report, an approval, a vote.

    On a case it has a `position` and is written by `services.cases.journal` alone. One that stands
    alone (a visit, a duty log, a monthly report) may belong to a customer and to a `period`.
    """

    __tablename__ = "form_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_version_id: Mapped[int] = _to("policy_version.id")
    section: Mapped[str] = _key(32)
    form: Mapped[str] = _key()
    complaint_id: Mapped[int | None] = _to("complaint.id", index=False)
    position: Mapped[int | None]
    round: Mapped[int | None]
    customer_id: Mapped[int | None] = _to("customer.id")
    period: Mapped[str | None] = _key(16)  # "2026-10", "2026-Q4", "2026-W43", "2026"
    data: Mapped[dict[str, Any]]
    employee_id: Mapped[int | None] = _to("employee.id")
    filled_by_id: Mapped[int | None] = _to("user.id")
    filled_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)

    complaint: Mapped[Complaint | None] = relationship(back_populates="entries")
    customer: Mapped[Customer | None] = relationship()
    employee: Mapped[Employee | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.UniqueConstraint("complaint_id", "position"),
        sa.Index(None, "section", "form", "filled_at"),
        sa.CheckConstraint(
            "(complaint_id IS NULL) = (position IS NULL)", "on_a_case_it_has_its_place"
        ),
    )


class Notice(Base):
    """A notice to be delivered once to an employee, a post or a department.

    `sheet_id` is for a notice about a workbook and no case; `department_id` says whose robots get
    it.
    """

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int | None] = _to("complaint.id")
    sheet_id: Mapped[int | None] = _to("sheet.id")
    kind: Mapped[str] = _key(32)
    occasion: Mapped[str] = _key(120)
    employee_id: Mapped[int | None] = _to("employee.id")
    department_id: Mapped[int | None] = _to("department.id")
    post: Mapped[str | None] = _key()
    facts: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime]
    spread_at: Mapped[dt.datetime | None]  # when its deliveries were made; there may be none

    complaint: Mapped[Complaint | None] = relationship()
    employee: Mapped[Employee | None] = relationship()
    department: Mapped[Department | None] = relationship()
    deliveries: Mapped[list[NoticeDelivery]] = relationship(
        back_populates="notice", order_by="NoticeDelivery.id"
    )

    __table_args__ = (
        sa.UniqueConstraint("complaint_id", "kind", "occasion"),
        sa.UniqueConstraint("sheet_id", "kind", "occasion"),
        sa.Index(None, "spread_at", "id"),
    )


class NoticeChannel(Base):
    """A channel for notices besides mail: a group robot, as an Apprise address (a secret)."""

    __tablename__ = "notice_channel"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = _key(120, unique=True)
    address: Mapped[str] = _key(500)
    department_id: Mapped[int | None] = _to("department.id")  # None gets those of every department
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    department: Mapped[Department | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.name


class NoticeDelivery(Base):
    """A delivery of a notice on one way: by mail to an employee, or to a robot."""

    __tablename__ = "notice_delivery"

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = _to("notice.id", index=False)
    way: Mapped[str] = _key(40)  # "mail:" and the employee's id, or "channel:" and the channel's
    channel_id: Mapped[int | None] = _to("notice_channel.id")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[dt.datetime | None] = mapped_column(index=True)  # None: sent or given up
    sent_at: Mapped[dt.datetime | None]
    failure: Mapped[str | None] = mapped_column(sa.Text)

    notice: Mapped[Notice] = relationship(back_populates="deliveries")
    channel: Mapped[NoticeChannel | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("notice_id", "way"),)


class WorkRequest(Base):
    """A request for slow work, which the worker picks up. One open row per kind and key."""

    __tablename__ = "work_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = _key(32)
    key: Mapped[str] = _key(120)
    asked_by_id: Mapped[int | None] = _to("user.id")
    asked_at: Mapped[dt.datetime]
    taken_at: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]
    failure: Mapped[str | None] = mapped_column(sa.Text)

    __table_args__ = (
        sa.Index(
            "uq_work_request_open",
            "kind",
            "key",
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        ),
    )


class WhatIf(Base):
    """A version of a regulation tried on the cases of a period; it changes no case.

    `checksum` is that of the rules when it was asked for, so that a draft that changes meanwhile is
    not mixed with its former self. The worker goes on behind `after_id`, batch by batch.
    """

    __tablename__ = "what_if"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_version_id: Mapped[int] = _to("policy_version.id")
    checksum: Mapped[str] = _key(64)
    from_on: Mapped[dt.date]
    until_on: Mapped[dt.date]
    asked_by_id: Mapped[int | None] = _to("user.id")
    asked_at: Mapped[dt.datetime]
    state: Mapped[WhatIfState]
    cases: Mapped[int] = mapped_column(default=0)
    looked_at: Mapped[int] = mapped_column(default=0)
    after_id: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]]
    failure: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    made_at: Mapped[dt.datetime | None]

    policy_version: Mapped[PolicyVersion] = relationship()
    asked_by: Mapped[User | None] = relationship()

    __table_args__ = (
        sa.CheckConstraint("until_on >= from_on", "ends_after_it_begins"),
        sa.Index(None, "asked_at", "id"),
    )


class WhatIfCase(Base):
    """A case that would have come out otherwise, or that the tried version cannot judge."""

    __tablename__ = "what_if_case"

    id: Mapped[int] = mapped_column(primary_key=True)
    what_if_id: Mapped[int] = _to("what_if.id", index=False)
    complaint_id: Mapped[int] = _to("complaint.id")
    refused: Mapped[bool]
    data: Mapped[dict[str, Any]]

    complaint: Mapped[Complaint] = relationship()

    __table_args__ = (sa.UniqueConstraint("what_if_id", "complaint_id"),)


class Lease(Base):
    """A lease on a chore: its holder, until when, and the fencing number of this turn."""

    __tablename__ = "lease"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = _key(unique=True)
    holder: Mapped[str] = _key(120)
    fence: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[dt.datetime]
