"""Departments, employees, posts and deputies: who holds what on which day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from enums import Role
from models import Department, Employee
from policy.vocabulary.errors import (
    Duplicate,
    FieldMissing,
    FieldTooLong,
    PeriodRefused,
    PhoneRefused,
    PostTaken,
    TimeOutOfBounds,
    ValueRefused,
)
from policy.vocabulary.events import HeldPost
from services.company import accounts, actors, people

MAY = dt.date(2026, 5, 1)
END_OF_MAY = dt.date(2026, 5, 31)
JUNE = dt.date(2026, 6, 1)


@pytest.fixture(scope="module")
def blank_database(empty_database: Path) -> Path:
    """Here the database is empty: no company is in it yet."""
    return empty_database


@pytest.fixture
def care(session: Session) -> Department:
    return people.add_department(session, key="care", name="客户关爱部")


@pytest.fixture
def wei(session: Session, care: Department) -> Employee:
    return people.add_employee(session, number="1001", name="张伟", department=care)


@pytest.fixture
def fang(session: Session, care: Department) -> Employee:
    return people.add_employee(session, number="1002", name="王芳", department=care)


def test_two_people_of_one_name_differ_by_number(session: Session, care: Department) -> None:
    for number in ("1", "2"):
        people.add_employee(session, number=number, name="张伟", department=care)
    with pytest.raises(Duplicate):
        people.add_employee(session, number="2", name="李娜", department=care)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"name": "  "}, FieldMissing),
        ({"name": "x" * 121}, FieldTooLong),
        ({"number": ""}, FieldMissing),
        ({"phone": "call me"}, PhoneRefused),
        ({"email": "nobody"}, ValueRefused),
    ],
)
def test_an_employee_with_wrong_facts_is_refused(
    wrong: dict[str, Any], refusal: type[Exception], session: Session, care: Department
) -> None:
    right: dict[str, Any] = {"number": "9", "name": "甲", "department": care}
    with pytest.raises(refusal):
        people.add_employee(session, **(right | wrong))


def test_nobody_leaves_before_he_joined(session: Session, wei: Employee) -> None:
    with pytest.raises(PeriodRefused):
        people.change_employee(
            session,
            wei,
            name=wei.name,
            department=wei.department,
            phone=None,
            email=None,
            joined_on=JUNE,
            left_on=MAY,
        )


def test_a_department_has_a_key_and_a_name_of_its_own(session: Session, care: Department) -> None:
    with pytest.raises(ValueRefused):
        people.add_department(session, key="客户", name="甲")
    with pytest.raises(Duplicate):
        people.add_department(session, key="care", name="甲")
    with pytest.raises(Duplicate):
        people.add_department(session, key="other", name="客户关爱部")
    people.rename_department(session, care, name="客户关爱部")


def test_a_post_has_one_holder_until_the_day_it_ends(
    session: Session, wei: Employee, fang: Employee
) -> None:
    people.hold_post(session, wei, "care_director", from_on=MAY, until_on=END_OF_MAY)
    with pytest.raises(PostTaken) as refused:
        people.hold_post(session, fang, "care_director", from_on=END_OF_MAY)
    assert refused.value.facts["employee"] == "张伟 (1001)"
    people.hold_post(session, fang, "care_director", from_on=JUNE)
    assert actors.leaders(session, "care_director", on=END_OF_MAY)[0] == wei.number
    assert actors.leaders(session, "care_director", on=JUNE)[0] == fang.number
    assert actors.leaders(session, "care_director", on=MAY - dt.timedelta(days=1))[0] is None


def test_a_post_is_shared_only_by_different_people(
    session: Session, wei: Employee, fang: Employee
) -> None:
    people.share_post(session, wei, "care_specialist", from_on=MAY)
    people.share_post(session, fang, "care_specialist", from_on=MAY)
    held = [actors.posts_of(session, one.id, on=JUNE) for one in (wei, fang)]
    assert held == [(HeldPost(post="care_specialist"),)] * 2
    with pytest.raises(PostTaken):
        people.share_post(session, wei, "care_specialist", from_on=JUNE)


def test_a_holding_ends_after_it_began_and_may_go_on(session: Session, wei: Employee) -> None:
    holding = people.hold_post(session, wei, "care_director", from_on=MAY)
    with pytest.raises(PeriodRefused):
        people.end_post(session, holding, until_on=MAY - dt.timedelta(days=1))
    people.end_post(session, holding, until_on=MAY)
    people.hold_post(session, wei, "care_director", from_on=JUNE)
    with pytest.raises(PostTaken):
        people.end_post(session, holding, until_on=None)


def test_a_deputy_stands_in_on_his_days_and_no_other(
    session: Session, wei: Employee, fang: Employee
) -> None:
    holding = people.hold_post(session, wei, "care_director", from_on=MAY, until_on=JUNE)
    people.appoint_deputy(session, holding, fang, from_on=MAY, until_on=END_OF_MAY)
    assert actors.leaders(session, "care_director", on=END_OF_MAY)[1] == fang.number
    assert actors.leaders(session, "care_director", on=JUNE)[1] is None
    with pytest.raises(Duplicate):
        people.appoint_deputy(session, holding, fang, from_on=END_OF_MAY, until_on=JUNE)
    with pytest.raises(ValueRefused):
        people.appoint_deputy(session, holding, wei, from_on=MAY, until_on=JUNE)
    after = JUNE + dt.timedelta(days=1)
    with pytest.raises(PeriodRefused):
        people.appoint_deputy(session, holding, fang, from_on=JUNE, until_on=after)


def test_the_last_administrator_cannot_become_something_else(session: Session) -> None:
    def add(name: str) -> Any:
        return accounts.add_user(
            session, name, password="long enough", display_name=name, role=Role.administrator
        )

    first = add("first")
    change: dict[str, Any] = {
        "display_name": "甲",
        "role": Role.care,
        "employee": None,
        "active": True,
    }
    with pytest.raises(ValueRefused):
        people.change_user(session, first, **change)
    add("second")
    people.change_user(session, first, **change)
    assert first.role is Role.care


def test_a_staff_number_is_one_in_every_width_and_no_formula(
    session: Session, care: Department, wei: Employee
) -> None:
    with pytest.raises(Duplicate):
        people.add_employee(session, number="１００１", name="李娜", department=care)
    assert (
        people.add_employee(session, number=" Ａ-7 ", name="李娜", department=care).number == "A-7"
    )
    for number in ("=1+1", "+1003", "@x", "1 2", "-5", "10\u200b03"):
        with pytest.raises(ValueRefused):
            people.add_employee(session, number=number, name="李娜", department=care)


@pytest.mark.parametrize("day", [dt.date(26, 5, 1), dt.date(1899, 12, 30), dt.date(9999, 12, 31)])
def test_a_day_nobody_can_mean_is_refused_for_staff_too(
    session: Session, care: Department, wei: Employee, day: dt.date
) -> None:
    with pytest.raises(TimeOutOfBounds):
        people.add_employee(session, number="7", name="李娜", department=care, joined_on=day)
    with pytest.raises(TimeOutOfBounds):
        people.hold_post(session, wei, "care_specialist", from_on=day)
