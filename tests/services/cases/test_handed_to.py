"""An open case stays with the department it was handed to, whatever is meant today."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from enums import Role
from models import Complaint, User
from policy.vocabulary.errors import PostMissing
from services.cases import desk, handling, journal
from services.company import actors
from services.regulation import departments
from tests.company import DISPATCHED, REPLIED, Office, at

TODAY = DISPATCHED.date()


def remap(office: Office, to: str, *, on: dt.date = TODAY) -> None:
    """Let what the regulation calls after-sales mean another department from a day on."""
    what = departments.name_of(office.version.policy_id, "after_sales")
    departments.add_meaning(office.session, what, office.department(to), from_on=on)


def login(office: Office, name: str) -> User:
    who = office.employee(name)
    user = User(
        username=name,
        password_hash="",
        display_name=name,
        session_token=name,
        role=Role.member,
        employee=who,
    )
    office.session.add(user)
    office.session.flush()
    return user


def waits_for(office: Office, name: str) -> list[tuple[str, str]]:
    found = desk.waiting_cases(office.session, login(office, name), now=REPLIED, on=TODAY)
    return [(waiting.complaint.number, waiting.deed) for waiting in found]


def sees(office: Office, name: str, case: Complaint) -> bool:
    seen = desk.scope(office.session, login(office, name), on=TODAY)
    return case in office.session.scalars(seen.narrowed(sa.select(Complaint))).all()


def test_who_was_handed_a_case_answers_it_in_the_workbook_too(office: Office) -> None:
    case = office.dispatched()
    remap(office, "workshop")
    with pytest.raises(PostMissing):
        office.reply(case, actor=office.sheet("workshop"))
    number = office.employee("mechanic").number
    handling.assign(
        office.session, case, handler=number, actor=office.sheet("after_sales"), now=REPLIED
    )
    office.reply(case, actor=office.sheet("after_sales"))
    assert case.department is office.department("after_sales")


def test_who_was_handed_a_case_answers_it_on_the_page(office: Office) -> None:
    case = office.dispatched()
    remap(office, "workshop")
    assert waits_for(office, "mechanic") == [(case.number, "replied")]
    assert sees(office, "director", case)
    assert not sees(office, "salesman", case)
    office.reply(case)
    office.confirm(case)
    assert case.department is office.department("after_sales")


def test_no_other_deed_moves_a_case(office: Office) -> None:
    case = office.dispatched()
    remap(office, "workshop")
    handling.progress(
        office.session, case, text="客户来电", actor=office.by("specialist"), now=REPLIED
    )
    assert case.department is office.department("after_sales")
    assert [row.department for row in case.assignments] == [office.department("after_sales")]


def test_a_case_handed_over_after_the_change_goes_where_it_goes_now(office: Office) -> None:
    remap(office, "workshop")
    case = office.dispatched()
    assert case.department is office.department("workshop")
    by = journal.actor_on(office.session, case, office.sheet("workshop"), on=TODAY)
    assert "after_sales" in by.departments
    with pytest.raises(PostMissing):
        office.reply(case)


def test_the_director_of_the_regulations_department_has_its_cases(office: Office) -> None:
    case = office.dispatched()
    office.reply(case)
    remap(office, "workshop")
    assert waits_for(office, "director") == [(case.number, "confirmed")]
    assert (
        actors.as_of(
            office.session,
            office.by("mechanic"),
            policy_id=office.version.policy_id,
            on=at(9, 28, 12).date(),
        ).departments
        == ()
    )
