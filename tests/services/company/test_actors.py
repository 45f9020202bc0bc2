"""Who acts, with the posts and departments of the day."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from models import DepartmentMeaning
from policy.vocabulary.events import By, HeldPost
from policy.vocabulary.status import ActorKind
from services.company import actors, people
from tests.company import Office

DAY = dt.timedelta(days=1)
FIRST, LAST = dt.date(2026, 11, 12), dt.date(2026, 11, 13)
"""The days on which the manager stands in for the director."""


def seen(office: Office, name: str, on: dt.date) -> By:
    policy_id = office.version.policy_id
    return actors.as_of(office.session, office.by(name), policy_id=policy_id, on=on)


@pytest.mark.parametrize(
    ("on", "deputises"),
    [(FIRST - DAY, False), (FIRST, True), (LAST, True), (LAST + DAY, False)],
)
def test_a_deputy_has_the_post_on_his_days_both_included(
    office: Office, on: dt.date, deputises: bool
) -> None:
    assert (
        HeldPost(post="after_sales_director", deputy=True) in seen(office, "manager", on).posts
    ) is (deputises)
    assert actors.leaders(office.session, "after_sales_director", on=on) == (
        "2001",
        "2002" if deputises else None,
    )


def test_a_post_is_held_from_its_first_day_to_its_last(office: Office) -> None:
    (holding,) = office.holdings("sales_director")
    people.end_post(office.session, holding, until_on=LAST)
    held = HeldPost(post="sales_director")
    assert seen(office, "sales_director", LAST).posts == (held,)
    assert seen(office, "sales_director", LAST + DAY).posts == ()
    assert seen(office, "sales_director", holding.from_on - DAY).posts == ()
    assert actors.leaders(office.session, "sales_director", on=LAST + DAY) == (None, None)


def test_a_deputy_of_a_holding_that_ended_deputises_for_nobody(office: Office) -> None:
    (holding,) = office.holdings("after_sales_director")
    people.end_post(office.session, holding, until_on=FIRST)
    assert actors.leaders(office.session, "after_sales_director", on=LAST) == (None, None)
    assert seen(office, "manager", LAST).posts == (HeldPost(post="after_sales_manager"),)


def test_an_actor_has_employee_number_department_and_own_posts(office: Office) -> None:
    assert seen(office, "director", FIRST) == By(
        kind=ActorKind.user,
        employee="2001",
        departments=("after_sales",),
        posts=(HeldPost(post="after_sales_director"),),
    )


def test_who_is_no_employee_has_no_post_and_no_department(office: Office) -> None:
    by = actors.as_of(
        office.session, office.administrator, policy_id=office.version.policy_id, on=FIRST
    )
    assert by == By(kind=ActorKind.user)


def test_a_department_of_the_regulation_is_another_one_from_its_day(
    office: Office, session: Session
) -> None:
    session.add(
        DepartmentMeaning(
            policy_id=office.version.policy_id,
            key="sales",
            department=office.department("after_sales"),
            from_on=FIRST,
        )
    )
    session.flush()
    assert seen(office, "salesman", FIRST - DAY).departments == ("sales",)
    assert seen(office, "salesman", FIRST).departments == ()
    assert seen(office, "mechanic", FIRST).departments == ("after_sales", "sales")


def test_a_departments_sheet_is_what_its_department_means_that_day_and_nobody(
    office: Office, session: Session
) -> None:
    session.add(
        DepartmentMeaning(
            policy_id=office.version.policy_id,
            key="sales",
            department=office.department("after_sales"),
            from_on=FIRST,
        )
    )
    session.flush()

    def by(key: str, on: dt.date) -> By:
        policy_id = office.version.policy_id
        return actors.as_of(session, office.sheet(key), policy_id=policy_id, on=on)

    assert by("after_sales", FIRST - DAY) == By(kind=ActorKind.sheet, departments=("after_sales",))
    assert by("after_sales", FIRST).departments == ("after_sales", "sales")
    assert by("sales", FIRST) == By(kind=ActorKind.sheet)


def test_of_two_who_hold_a_post_the_later_one_leads(office: Office) -> None:
    people.share_post(
        office.session, office.employee("colleague"), "after_sales_director", from_on=FIRST
    )
    assert actors.leaders(office.session, "after_sales_director", on=FIRST - DAY)[0] == "2001"
    assert actors.leaders(office.session, "after_sales_director", on=FIRST)[0] == "2006"


def test_who_left_the_company_leads_nobody_though_his_post_was_not_ended(office: Office) -> None:
    (holding,) = office.holdings("after_sales_director")
    holding.employee.left_on = FIRST
    office.session.flush()
    assert actors.leaders(office.session, "after_sales_director", on=FIRST)[0] == "2001"
    assert actors.leaders(office.session, "after_sales_director", on=LAST) == (None, None)
