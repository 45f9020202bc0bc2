"""Two regulations in force at once: each numbers, lists and times its own cases."""

from __future__ import annotations

import datetime as dt

import pytest
from company import MORNING, Office, at

from models import Complaint, DepartmentMeaning, PolicyVersion
from policy.loading import read, shipped
from services import intake, ledgers, policies


@pytest.fixture
def sales_rules(office: Office) -> PolicyVersion:
    """The sales company's regulation beside the dealer's; parts buys for both."""
    version = policies.publish(
        office.session,
        read(shipped("sales-company")),
        effective_from=dt.date(2026, 1, 1),
        now=at(1, 1, 9),
    )
    parts = office.department("parts")
    office.session.add(
        DepartmentMeaning(
            policy_id=version.policy_id,
            key="purchasing",
            department_id=parts.id,
            from_on=dt.date(2026, 1, 1),
        )
    )
    office.session.flush()
    return version


def registered(office: Office, version: PolicyVersion, kind: str, minute: int = 30) -> Complaint:
    return intake.register(
        office.session,
        version,
        kind=kind,
        channel="phone",
        subject="到货延迟",
        received_at=MORNING,
        actor=office.by("salesman"),
        now=at(9, 28, 9, minute),
    )


@pytest.mark.proves("SAL-4a", "SAL-4b", "SAL-4c")
def test_both_are_in_force_and_each_counts_its_own_numbers(
    office: Office, sales_rules: PolicyVersion
) -> None:
    on = MORNING.date()
    in_force = policies.all_in_force(office.session, on=on)
    assert {version.policy.key for version in in_force} == {"skoda-dealer", "sales-company"}
    numbers = [
        office.registered().number,
        registered(office, sales_rules, "complaint").number,
        registered(office, sales_rules, "suggestion").number,
        office.registered().number,
        registered(office, sales_rules, "complaint", 40).number,
        registered(office, sales_rules, "consultation").number,
    ]
    assert numbers == [
        "TS2026090001",
        "TS2609001",
        "JY2609001",
        "TS2026090002",
        "TS2609002",
        "ZX2609001",
    ]


def test_a_case_is_timed_by_its_own_regulation(office: Office, sales_rules: PolicyVersion) -> None:
    theirs = registered(office, sales_rules, "complaint")
    ours = office.registered()
    assert {clock.key for clock in ours.deadlines} & {
        clock.key for clock in theirs.deadlines
    } == set()
    assert ours.policy_version.policy.key != theirs.policy_version.policy.key


def test_a_ledger_lists_the_cases_of_its_own_regulation_only(
    office: Office, sales_rules: PolicyVersion
) -> None:
    theirs = registered(office, sales_rules, "complaint")
    ours = office.registered()
    days = {"from_on": dt.date(2026, 9, 1), "until_on": dt.date(2026, 9, 30)}
    for version, wanted in ((office.version, ours), (sales_rules, theirs)):
        pack = policies.pack(office.session, version)
        entry = next(e for e in pack.ledger if "complaint" in e.kinds)
        assert list(ledgers.ledger(office.session, version, entry, **days)) == [wanted]


def test_a_number_taken_out_by_hand_is_named_as_a_gap(
    office: Office, sales_rules: PolicyVersion
) -> None:
    first = registered(office, sales_rules, "suggestion")
    registered(office, sales_rules, "suggestion", 40)
    assert ledgers.gaps(office.session, sales_rules, on=MORNING.date())["suggestion"] == []
    first.number = "taken away"
    office.session.flush()
    found = ledgers.gaps(office.session, sales_rules, on=MORNING.date())
    assert found["suggestion"] == ["JY2609001"]
    first.number = "JY2609001"
    office.session.flush()
