"""Who complained: found by telephone number while the telephone rings, or written down anew."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, Customer
from policy.errors import FieldMissing, FieldTooLong, PhoneRefused

LONGEST_NAME, LONGEST_PHONE = 120, 40


def digits(phone: str | None) -> str | None:
    """The digits of a telephone number, full-width ones included, without +86 before a mobile."""
    plain = re.sub(r"\D", "", unicodedata.normalize("NFKC", phone or ""))
    return re.sub(r"^(?:00)?86(?=1\d{10}$)", "", plain) or None


def find_or_add(session: Session, name: str, phone: str | None = None) -> Customer:
    """The customer of that name and number; a new row where there is none.

    Raises FieldMissing, FieldTooLong, or PhoneRefused for a number without enough digits.
    """
    name = name.strip()
    if not name:
        raise FieldMissing(field="customer")
    if len(name) > LONGEST_NAME:
        raise FieldTooLong(field="customer", limit=LONGEST_NAME)
    phone = (phone or "").strip()
    plain = digits(phone)
    if phone and not (plain and 3 <= len(plain) <= 20):
        raise PhoneRefused(field="phone", value=phone[:60])
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
    """Customers whose number begins with the digits typed, each with how many cases he has."""
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
