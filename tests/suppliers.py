"""A second regulation beside the company's own: it declares one of everything a page can show."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from config import Settings
from database import make_engine, writing
from enums import Role
from models import Complaint, PolicyVersion, User
from policy.pack.loading import read_toml
from services.cases import customers, intake
from services.company import accounts
from services.regulation import policies
from tests import company
from tests.company import Office, at

KEY = "suppliers"
LOGINS = {
    "specialist": Role.care,
    "care_director": Role.care,
    "director": Role.director,
    "mechanic": Role.member,
    "sales_director": Role.director,
    "general_manager": Role.general_manager,
    "clerk": Role.hr,
}
"""Who of the company logs in, and which pages he opens; the user name is the name."""


def regulation() -> dict[str, Any]:
    """The regulation as plain data, a fresh copy."""
    return read_toml(Path(__file__).with_name("suppliers.toml"))


def build(settings: Settings) -> Path:
    """A database file with the company, both regulations and a login for everybody of LOGINS."""
    path = company.build(settings)
    engine = make_engine(settings)
    with writing(engine) as session:
        publish(session)
        give_logins(session)
    engine.dispose()
    return path


def publish(session: Session) -> PolicyVersion:
    """The regulation, in force since the beginning of the year."""
    return policies.publish(
        session, regulation(), effective_from=dt.date(2026, 1, 1), now=at(1, 1, 9)
    )


def give_logins(session: Session) -> None:
    """A login for everybody of LOGINS; hashing takes a while, so all have one password."""
    office = Office(session)
    first = accounts.find_user(session, "administrator")
    assert first is not None
    for name, role in LOGINS.items():
        user = User(username=name, display_name=name, role=role, version=1)
        user.password_hash, user.session_token = first.password_hash, f"token-of-{name}"
        user.employee_id = office.employee(name).id
        session.add(user)


def in_force(session: Session) -> PolicyVersion:
    """The published version."""
    return policies.in_force(session, KEY, on=dt.date(2026, 9, 28))


def case(session: Session, *, now: dt.datetime, **said: Any) -> Complaint:
    """A complaint about goods, heard ten minutes ago and handed over to after-sales.

    With `hand_over=False` it stays at the desk.
    """
    office = Office(session)
    usual: dict[str, Any] = {
        "kind": "goods",
        "channel": "phone",
        "subject": "轴承划伤",
        "received_at": now - dt.timedelta(minutes=10),
        "extra": {"batch": "B-7", "urgent": True, "defect": "scratch", "goods_value": "800.00"},
        "actor": office.by("specialist"),
        "now": now,
        "customer": customers.find_or_add(session, "江南机械", "13800001111"),
    }
    hand_over = said.pop("hand_over", True)
    complaint = intake.register(session, in_force(session), **(usual | said))
    if hand_over and complaint.kind == "goods":
        office.dispatch(complaint, now)
    return complaint


def registration(**said: str) -> dict[str, str]:
    """The fields of the register form for a complaint about goods, heard an hour ago."""
    local = dt.datetime.now(company.ZONE) - dt.timedelta(hours=1)
    usual = {
        "kind": "goods",
        "channel": "phone",
        "received_at": f"{local:%Y-%m-%dT%H:%M}",
        "customer": "江南机械",
        "subject": "轴承划伤",
        "category": "",
        "grade": "",
        "department": "",
        "extra_batch": "B-9",
        "extra_pieces": "40",
        "extra_goods_value": "1200",
        "extra_delivered_on": "2026-09-01",
        "extra_urgent": "y",
        "extra_defect": "crack",
        "do": "register",
    }
    return usual | said
