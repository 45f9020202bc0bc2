"""Customers: one row a person, found while the telephone rings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from company import Office

from policy.errors import FieldMissing, FieldTooLong, PhoneRefused
from services import customers


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
