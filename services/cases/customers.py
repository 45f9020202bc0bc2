"""Customers: found by telephone number while the telephone rings, or added; and their flags.

A flag marks a customer for special attention because they act in bad faith: by whom, why and until
when. Flags are restricted, have an end and are never erased.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from enums import Role
from models import Complaint, Customer, CustomerFlag, PolicyVersion
from policy.vocabulary.errors import (
    Duplicate,
    FieldMissing,
    FieldTooLong,
    NotFound,
    PeriodRefused,
    PhoneRefused,
    PhoneRounded,
    RoleMissing,
)
from policy.vocabulary.telephones import canonical_digits, telephone
from services.calendar import working_calendar
from services.company.actors import Actor
from services.regulation import policies

LONGEST_NAME, LONGEST_PHONE, LONGEST_REASON = 120, 40, 2_000
MAY_FLAG = frozenset({Role.administrator, Role.care, Role.general_manager})
"""Roles that may flag a customer and see flags; no other role learns that there is one."""


def digits(phone: str | None) -> str | None:
    """Return the digits somebody typed of a telephone number, to look it up by its beginning."""
    return canonical_digits(phone or "") or None


def identity_of(phone: str | None) -> str | None:
    """Return the digits that tell one customer from another; None where nothing does."""
    if not (phone or "").strip():
        return None
    try:
        return telephone(phone or "").digits
    except (PhoneRefused, PhoneRounded):
        return None


def find_or_add(session: Session, name: str, phone: str | None = None) -> Customer:
    """Return the customer of that name and number, added now where there is none.

    A number that is masked or made up is kept to be read and finds nobody. Raises FieldMissing,
    FieldTooLong, PhoneRefused for what is no number, and PhoneRounded for one whose end is lost.
    """
    name = name.strip()
    if not name:
        raise FieldMissing(field="customer")
    if len(name) > LONGEST_NAME:
        raise FieldTooLong(field="customer", limit=LONGEST_NAME)
    phone = (phone or "").strip()
    plain = telephone(phone).digits if phone else None
    if len(phone) > LONGEST_PHONE:
        raise FieldTooLong(field="phone", limit=LONGEST_PHONE)
    known = sa.select(Customer).where(Customer.name == name, Customer.phone_digits == plain)
    found = session.scalars(known.limit(1)).first() if plain else None
    if found is None:
        found = Customer(name=name, phone=phone or None, phone_digits=plain)
        session.add(found)
        session.flush()
    return found


def by_phone(session: Session, phone: str, *, limit: int = 5) -> list[tuple[Customer, int]]:
    """Return the customers whose number begins with the digits typed, each with their count of
    cases.
    """
    plain = digits(phone)
    if plain is None or len(plain) < 3:
        return []
    cases = sa.func.count(Complaint.id)
    rows = session.execute(
        sa.select(Customer, cases)
        .outerjoin(Complaint, Complaint.customer_id == Customer.id)
        .where(Customer.phone_digits >= plain, Customer.phone_digits < plain + ":")
        .group_by(Customer.id)
        .order_by(Customer.phone_digits, Customer.id)
        .limit(limit)
    )
    return [(customer, count) for customer, count in rows]


# ---------------------------------------------------------------- looked after by themselves

KEY_TIER = "key"
"""The tier of a key customer, whom the company looks after individually."""


def key_customers(session: Session) -> list[Customer]:
    """Return the key customers, by name."""
    wanted = sa.select(Customer).where(Customer.tier == KEY_TIER)
    return list(session.scalars(wanted.order_by(Customer.name, Customer.id)))


def set_key_customer(session: Session, customer: Customer, *, key_customer: bool) -> None:
    """Make a customer a key customer, or no longer one."""
    customer.tier = KEY_TIER if key_customer else None
    session.flush()


# ---------------------------------------------------------------- marked for special attention


def add_flag(
    session: Session,
    customer: Customer,
    version: PolicyVersion,
    *,
    reason: str,
    actor: Actor,
    now: dt.datetime,
    until_on: dt.date | None = None,
) -> CustomerFlag:
    """Flag a customer for special attention up to and including a local day (SAL-8.2).

    Without a day it is the last one the regulation of `version` allows. Raises RoleMissing,
    NotFound where the regulation has no flags, FieldMissing and FieldTooLong for the reason,
    PeriodRefused for a day in the past or beyond the last one, and Duplicate while another flag is
    in force.
    """
    _check_may_flag(actor)
    today, last, cite = _flag_bounds(session, version, now=now)
    if until_on is not None and not today <= until_on <= last:
        raise PeriodRefused(field="until_on", from_on=today, until_on=last)
    # Two users who flag one customer at once come one after the other.
    session.execute(sa.select(Customer.id).where(Customer.id == customer.id).with_for_update())
    if flags_on(session, [customer.id], actor=actor, on=today):
        raise Duplicate(field="customer", value=customer.name)
    made = CustomerFlag(
        customer=customer,
        reason=_checked_reason(reason),
        cite=cite,
        set_by_id=actor.user_id,
        set_at=now,
        until_on=until_on or last,
    )
    session.add(made)
    session.flush()
    return made


def _flag_bounds(
    session: Session, version: PolicyVersion, *, now: dt.datetime
) -> tuple[dt.date, dt.date, str]:
    """Return the first and the last day a flag may end on, and the clause that allows it."""
    head = policies.pack(session, version).policy
    if head.customer_flag_term is None or head.customer_flag_cite is None:
        raise NotFound(what="customer_flag", key=head.key)
    calendar = working_calendar.work_calendar(session)
    last = calendar.local(head.customer_flag_term.end(now, calendar).at).date()
    return calendar.local(now).date(), last, head.customer_flag_cite


def lift_flag(
    session: Session, found: CustomerFlag, *, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Lift a flag before its end, for a reason; the row stays.

    Raises RoleMissing, FieldMissing, FieldTooLong, and NotFound for a flag no longer in force.
    """
    _check_may_flag(actor)
    today = working_calendar.work_calendar(session).local(now).date()
    if found.lifted_at is not None or found.until_on < today:
        raise NotFound(what="customer_flag", key=found.customer.name)
    found.lifted_because = _checked_reason(reason)
    found.lifted_by_id = actor.user_id
    found.lifted_at = now
    session.flush()


def flags_on(
    session: Session, customer_ids: Iterable[int], *, actor: Actor, on: dt.date
) -> dict[int, CustomerFlag]:
    """Return the flags in force on a local day, by the customer's id; one statement for all of
    them.

    Empty for a role that may not see flags.
    """
    wanted = sorted(set(customer_ids))
    if actor.role not in MAY_FLAG or not wanted:
        return {}
    rows = session.scalars(
        sa.select(CustomerFlag)
        .where(CustomerFlag.customer_id.in_(wanted), CustomerFlag.lifted_at.is_(None))
        .where(CustomerFlag.until_on >= on)
        .options(joinedload(CustomerFlag.set_by))
    )
    return {row.customer_id: row for row in rows}


def flag_history(
    session: Session, customer_ids: Iterable[int], *, actor: Actor
) -> dict[int, list[CustomerFlag]]:
    """Return every flag of some customers, lifted and ended ones included, newest first.

    Raises RoleMissing for a role that may not see flags.
    """
    _check_may_flag(actor)
    found: dict[int, list[CustomerFlag]] = defaultdict(list)
    rows = session.scalars(
        sa.select(CustomerFlag)
        .where(CustomerFlag.customer_id.in_(sorted(set(customer_ids))))
        .options(joinedload(CustomerFlag.set_by), joinedload(CustomerFlag.lifted_by))
        .order_by(CustomerFlag.set_at.desc(), CustomerFlag.id.desc())
    )
    for row in rows:
        found[row.customer_id].append(row)
    return dict(found)


def _check_may_flag(actor: Actor) -> None:
    if actor.role not in MAY_FLAG:
        raise RoleMissing(deed="customer_flag")


def _checked_reason(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise FieldMissing(field="reason")
    if len(said) > LONGEST_REASON:
        raise FieldTooLong(field="reason", limit=LONGEST_REASON)
    return said
