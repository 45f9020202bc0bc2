"""In whose name an appeal is recorded, and what a department sees of a case it returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from enums import Role
from models import Complaint, Journal, Penalty, User
from policy.vocabulary.errors import NotFound, NotTheAppellant
from policy.vocabulary.status import Responsibility
from services.cases import desk, handling, intake, jury, penalties
from tests.company import DISPATCHED, MORNING, Office, at

ON = MORNING.date()


@pytest.fixture
def fined(office: Office) -> Complaint:
    """A case that after-sales handles, with a penalty of its mechanic that was told today."""
    session, complaint = office.session, office.dispatched()
    handling.assign(session, complaint, handler="2005", actor=office.by("director"), now=DISPATCHED)
    intake.classify(
        session,
        complaint,
        responsibility=Responsibility.responsible,
        actor=office.by("specialist"),
        now=DISPATCHED,
    )
    penalties.judge(
        session,
        complaint,
        ground="cold",
        employee="2005",
        text="态度生硬",
        actor=office.by("care_director"),
        now=at(9, 28, 11),
    )
    (found,) = complaint.penalties
    said: dict[str, Any] = {"actor": office.by("care_director"), "now": at(9, 28, 12)}
    penalties.confirm(session, found, **said)
    penalties.notify(session, found, how="签收", **said)
    return complaint


def appeal(office: Office, complaint: Complaint, by: str, employee: str, **changed: Any) -> None:
    jury.appeal(
        office.session,
        complaint,
        vote="appeal",
        text="当天休假",
        employee=employee,
        actor=replace(office.by(by), **changed),
        now=at(9, 28, 13),
    )


@pytest.mark.parametrize(("by", "employee"), [("director", "2006"), ("director", "3002")])
def test_nobody_appeals_in_the_name_of_who_has_no_penalty(
    office: Office, fined: Complaint, refuses: Callable[..., Any], by: str, employee: str
) -> None:
    with refuses(NotTheAppellant, why="no_penalty"):
        appeal(office, fined, by, employee)
    with refuses(NotTheAppellant, why="no_penalty"):
        appeal(office, fined, by, employee, role=Role.care)


@pytest.mark.parametrize("by", ["colleague", "salesman", "sales_director"])
def test_nobody_appeals_in_the_name_of_a_colleague(
    office: Office, fined: Complaint, refuses: Callable[..., Any], by: str
) -> None:
    with refuses(NotTheAppellant, why="of_another"):
        appeal(office, fined, by, "2005")


@pytest.mark.parametrize(
    ("by", "role"),
    [
        ("mechanic", Role.employee),
        ("director", Role.director),
        ("clerk", Role.hr),
        ("specialist", Role.care),
    ],
)
def test_an_appeal_is_entered_by_themselves_their_head_the_desk_or_hr(
    office: Office, fined: Complaint, by: str, role: Role
) -> None:
    appeal(office, fined, by, "2005", role=role)
    row = office.session.scalars(sa.select(Journal).filter_by(event="appealed")).one()
    assert row.data["employee"] == "2005"


# ---------------------------------------------------------------- what was returned


def sees(office: Office, user: User, complaint: Complaint) -> bool:
    seen = desk.scope(office.session, user, on=ON)
    listed = office.session.scalars(seen.narrowed(sa.select(Complaint))).all()
    try:
        desk.find(office.session, complaint.number, seen=seen)
    except NotFound:
        assert complaint not in listed, "the list and the page agree"
        return False
    assert complaint in listed
    return True


@pytest.mark.parametrize(("name", "role"), [("mechanic", Role.member), ("director", Role.director)])
def test_a_returned_case_is_not_seen_once_another_department_has_it(
    office: Office, name: str, role: Role
) -> None:
    session, complaint, user = office.session, office.dispatched(), office.account(name, role)
    handling.assign(session, complaint, handler="2005", actor=office.by("director"), now=DISPATCHED)
    assert sees(office, user, complaint)
    handling.return_order(
        session, complaint, actor=office.by("director"), now=at(9, 28, 11), reason="不属我部"
    )
    assert sees(office, user, complaint), "until it goes elsewhere they see what they returned"
    office.dispatch(complaint, at(9, 28, 12), department="sales")
    assert not sees(office, user, complaint)
    assert sees(office, office.account("sales_director", Role.director), complaint)
    said = {"actor": office.by("sales_director"), "now": at(9, 28, 13), "reason": "仍属售后"}
    handling.return_order(session, complaint, **said)
    office.dispatch(complaint, at(9, 28, 14))
    assert sees(office, user, complaint), "and again when it comes back to them"


def test_a_case_that_was_answered_stays_seen(office: Office) -> None:
    user = office.account("mechanic", Role.member)
    assert sees(office, user, office.restarted())


def test_a_director_sees_the_penalties_of_their_people_and_no_others(
    office: Office, fined: Complaint
) -> None:
    session = office.session
    (found,) = fined.penalties
    for name, expected in (("director", [found.id]), ("sales_director", [])):
        seen = desk.scope(session, office.account(name, Role.director), on=ON)
        listed = sa.select(Penalty.id).join(Penalty.complaint)
        assert list(session.scalars(seen.penalties(listed))) == expected
