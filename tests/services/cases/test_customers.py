"""Customers: one row a person, found while the telephone rings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from enums import Role
from models import Customer, CustomerFlag, PolicyVersion
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.errors import (
    Duplicate,
    FieldMissing,
    FieldTooLong,
    NotFound,
    PeriodRefused,
    PhoneRefused,
    RoleMissing,
)
from policy.vocabulary.status import ActorKind
from services.cases import customers
from services.company.actors import Actor
from services.regulation import policies
from tests.company import Office, at


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("138 0013 8000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("(021) 6200-1234", "02162001234"),
        ("8613", "8613"),
        ("", None),
        (None, None),
        ("n/a", None),
    ],
)
def test_a_number_is_its_digits_however_it_is_typed(typed: str | None, digits: str | None) -> None:
    assert customers.digits(typed) == digits


def test_the_same_name_and_number_are_the_same_customer(office: Office) -> None:
    first = customers.find_or_add(office.session, " 陈女士 ", "138 0013 8000")
    assert (first.name, first.phone, first.phone_digits) == (
        "陈女士",
        "138 0013 8000",
        "13800138000",
    )
    assert customers.find_or_add(office.session, "陈女士", "+8613800138000") is first
    assert customers.find_or_add(office.session, "陈先生", "13800138000") is not first


def test_people_of_one_name_without_a_number_are_not_taken_for_one(office: Office) -> None:
    first = customers.find_or_add(office.session, "王先生")
    assert customers.find_or_add(office.session, "王先生") is not first


def test_a_customer_is_found_by_the_first_digits_with_his_cases(office: Office) -> None:
    caller = customers.find_or_add(office.session, "陈女士", "13800138000")
    customers.find_or_add(office.session, "另一位", "13900138000")
    for _ in range(2):
        office.registered(customer=caller)
    assert customers.by_phone(office.session, "138") == [(caller, 2)]
    assert customers.by_phone(office.session, "+86 138 0013 8000") == [(caller, 2)]
    assert customers.by_phone(office.session, "13") == []
    assert customers.by_phone(office.session, "%%%") == []
    assert customers.by_phone(office.session, "137") == []


def test_no_more_customers_are_listed_than_asked_for(office: Office) -> None:
    for number in range(8):
        customers.find_or_add(office.session, f"客户{number}", f"1380013800{number}")
    found = customers.by_phone(office.session, "138", limit=3)
    assert [customer.name for customer, _ in found] == ["客户0", "客户1", "客户2"]


def test_what_is_no_customer_is_refused(office: Office, refuses: Callable[..., Any]) -> None:
    with refuses(FieldMissing, field="customer"):
        customers.find_or_add(office.session, "  ", "13800138000")
    with refuses(FieldTooLong, field="customer", limit=120):
        customers.find_or_add(office.session, "陈" * 1_700_000)
    for phone in ("12", "n/a", "1" * 21):
        with refuses(PhoneRefused, field="phone"):
            customers.find_or_add(office.session, "陈女士", phone)
    with refuses(FieldTooLong, field="phone", limit=40):
        customers.find_or_add(office.session, "陈女士", "13800138000" + " -" * 2_500_000 + "1")


# ---------------------------------------------------------------- marked for special attention

NOW = at(9, 28, 10)
TODAY = NOW.date()


@pytest.fixture
def sales(office: Office) -> PolicyVersion:
    """A regulation that lets a customer be marked for at most a year."""
    data = read_toml(shipped_path("sales-company"))
    return policies.publish(
        office.session, data, effective_from=dt.date(2026, 1, 1), now=at(1, 1, 9)
    )


@pytest.fixture
def caller(office: Office) -> Customer:
    return customers.find_or_add(office.session, "陈女士", "13800138000")


def _marked(office: Office, caller: Customer, sales: PolicyVersion, **said: Any) -> CustomerFlag:
    usual: dict[str, Any] = {"reason": "多次谎报", "actor": office.administrator, "now": NOW}
    return customers.add_flag(office.session, caller, sales, **(usual | said))


def _stands(office: Office, caller: Customer, on: dt.date) -> bool:
    found = customers.flags_on(office.session, [caller.id], actor=office.administrator, on=on)
    return caller.id in found


@pytest.mark.proves("SAL-8.2")
def test_a_mark_on_a_customer_ends_by_itself_after_the_term_of_the_regulation(
    office: Office, caller: Customer, sales: PolicyVersion
) -> None:
    made = _marked(office, caller, sales)
    assert (made.cite, made.until_on) == ("SAL-8.2", dt.date(2027, 9, 28))
    assert (made.set_at, made.set_by_id) == (NOW, office.administrator.user_id)
    assert _stands(office, caller, TODAY)
    assert _stands(office, caller, dt.date(2027, 9, 28))
    assert not _stands(office, caller, dt.date(2027, 9, 29))


@pytest.mark.proves("SAL-8.2")
def test_a_mark_may_end_earlier_and_never_later_than_the_term(
    office: Office, caller: Customer, sales: PolicyVersion, refuses: Callable[..., Any]
) -> None:
    last = dt.date(2027, 9, 28)
    for day in (TODAY - dt.timedelta(days=1), last + dt.timedelta(days=1)):
        with refuses(PeriodRefused, field="until_on", from_on=TODAY, until_on=last):
            _marked(office, caller, sales, until_on=day)
    assert _marked(office, caller, sales, until_on=TODAY).until_on == TODAY
    assert not _stands(office, caller, TODAY + dt.timedelta(days=1))


def test_a_customer_has_one_standing_mark_at_most(
    office: Office, caller: Customer, sales: PolicyVersion, refuses: Callable[..., Any]
) -> None:
    _marked(office, caller, sales, until_on=TODAY)
    with refuses(Duplicate, field="customer"):
        _marked(office, caller, sales)
    again = _marked(office, caller, sales, now=at(9, 29, 9), reason="仍有谎报")
    assert again.until_on == dt.date(2027, 9, 29)


@pytest.mark.proves("SAL-8.2")
def test_a_mark_that_is_lifted_stays_written_down_with_the_reason(
    office: Office, caller: Customer, sales: PolicyVersion, refuses: Callable[..., Any]
) -> None:
    made = _marked(office, caller, sales)
    lifted_at = at(10, 12, 9)
    customers.lift_flag(
        office.session, made, reason=" 已澄清 ", actor=office.administrator, now=lifted_at
    )
    assert not _stands(office, caller, lifted_at.date())
    found = customers.flag_history(office.session, [caller.id], actor=office.administrator)
    (row,) = found[caller.id]
    assert (row.reason, row.lifted_because, row.lifted_at) == ("多次谎报", "已澄清", lifted_at)
    assert row.lifted_by_id == office.administrator.user_id
    with refuses(NotFound, what="customer_flag"):
        customers.lift_flag(
            office.session, made, reason="再次", actor=office.administrator, now=lifted_at
        )


def test_a_mark_that_ended_is_not_lifted_any_more(
    office: Office, caller: Customer, sales: PolicyVersion, refuses: Callable[..., Any]
) -> None:
    made = _marked(office, caller, sales, until_on=TODAY)
    with refuses(NotFound, what="customer_flag"):
        customers.lift_flag(
            office.session, made, reason="澄清", actor=office.administrator, now=at(9, 29, 9)
        )


@pytest.mark.proves("SAL-8.2")
@pytest.mark.parametrize("role", [role for role in Role if role not in customers.MAY_FLAG])
def test_nobody_else_marks_a_customer_or_learns_of_a_mark(
    office: Office,
    caller: Customer,
    sales: PolicyVersion,
    refuses: Callable[..., Any],
    role: Role,
) -> None:
    made = _marked(office, caller, sales)
    actor = Actor(ActorKind.user, role=role)
    assert customers.flags_on(office.session, [caller.id], actor=actor, on=TODAY) == {}
    with refuses(RoleMissing, deed="customer_flag"):
        customers.flag_history(office.session, [caller.id], actor=actor)
    with refuses(RoleMissing, deed="customer_flag"):
        _marked(office, caller, sales, actor=actor)
    with refuses(RoleMissing, deed="customer_flag"):
        customers.lift_flag(office.session, made, reason="澄清", actor=actor, now=NOW)


def test_a_mark_needs_a_reason_and_a_regulation_that_knows_marks(
    office: Office, caller: Customer, sales: PolicyVersion, refuses: Callable[..., Any]
) -> None:
    with refuses(FieldMissing, field="reason"):
        _marked(office, caller, sales, reason="  ")
    with refuses(FieldTooLong, field="reason", limit=2_000):
        _marked(office, caller, sales, reason="谎" * 2_001)
    with refuses(NotFound, what="customer_flag", key="skoda-dealer"):
        _marked(office, caller, office.version)


def test_the_marks_of_many_customers_take_one_statement(
    office: Office, sales: PolicyVersion, count: Callable[..., Any]
) -> None:
    many = [customers.find_or_add(office.session, f"客户{n}", f"1380013800{n}") for n in range(8)]
    for customer in many[:3]:
        _marked(office, customer, sales)
    ids = [customer.id for customer in many]
    actor = office.administrator
    with count() as statements:
        found = customers.flags_on(office.session, ids, actor=actor, on=TODAY)
    assert set(found) == {customer.id for customer in many[:3]}
    assert len(statements) == 1
