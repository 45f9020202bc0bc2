"""Two regulations in force at once: each numbers, lists and times its own cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from models import Complaint, DepartmentMeaning, PolicyVersion
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.errors import NumbersTaken
from services.cases import intake
from services.regulation import draft_checks, drafts, policies
from services.reports import ledgers
from tests.company import MORNING, Office, at, regulation
from tests.regulations import apart


@pytest.fixture
def sales_rules(office: Office) -> PolicyVersion:
    """The sales company's regulation beside the dealer's; parts buys for both."""
    version = policies.publish(
        office.session,
        read_toml(shipped_path("sales-company")),
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


def registered(
    office: Office, version: PolicyVersion, kind: str, minute: int = 30, *, days: int = 0
) -> Complaint:
    return intake.register(
        office.session,
        version,
        kind=kind,
        channel="phone",
        subject="到货延迟",
        received_at=MORNING,
        actor=office.by("salesman"),
        now=at(9, 28, 9, minute) + dt.timedelta(days=days),
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


@pytest.fixture
def branch() -> dict[str, Any]:
    """The regulation of a branch, which numbers its cases as the dealer does."""
    data = regulation()
    data["policy"] |= {"key": "branch", "label": "分店投诉处理制度"}
    return data


def test_a_regulation_that_gives_the_numbers_of_another_is_not_published(
    office: Office, branch: dict[str, Any], refuses: Callable[..., Any]
) -> None:
    said: dict[str, Any] = {
        "policy": "分店投诉处理制度",
        "series": "投诉编号",
        "other": office.version.policy.name,
        "its": "投诉编号",
    }
    days: dict[str, Any] = {"effective_from": dt.date(2026, 10, 1), "now": at(9, 30, 9)}
    with refuses(NumbersTaken, **said):
        policies.publish(office.session, branch, **days)
    assert policies.publish(office.session, apart(branch, "F"), **days).number == 1


def test_numbers_of_a_regulation_not_yet_in_force_are_taken_too(
    office: Office, sales_rules: PolicyVersion, refuses: Callable[..., Any]
) -> None:
    sales_rules.effective_from = dt.date(2027, 1, 1)
    theirs = read_toml(shipped_path("sales-company"))
    theirs["policy"] = {**theirs["policy"], "key": "another", "label": "另一制度"}
    with refuses(NumbersTaken, policy="另一制度", other=sales_rules.policy.name):
        policies.publish(
            office.session, theirs, effective_from=dt.date(2026, 10, 1), now=at(9, 30, 9)
        )


def test_the_check_of_a_draft_names_the_series_another_regulation_has(
    office: Office, branch: dict[str, Any]
) -> None:
    said: dict[str, Any] = {"actor": office.administrator, "now": at(9, 30, 9)}
    draft = drafts.begin_with(office.session, branch, **said)
    found = draft_checks.check(office.session, draft, on=dt.date(2026, 10, 1)).grave
    taken = next(one for one in found if (one.code, one.key) == ("number_taken", "complaint"))
    assert (taken.section, taken.field) == ("number", "template")
    assert taken.facts == {"policy": office.version.policy.name, "series": "投诉编号"}


def test_where_two_regulations_give_the_same_numbers_none_is_given_twice(
    office: Office, branch: dict[str, Any]
) -> None:
    # As it was published before anybody looked whether another one gives the same numbers.
    templates = {one["key"]: one for one in branch["number"]}
    days: dict[str, Any] = {"effective_from": dt.date(2026, 1, 1), "now": at(1, 1, 9)}
    version = policies.publish(office.session, apart(branch, "F"), **days)
    for row in version.rules:
        if row.section == "number":
            row.data = templates[row.key]
    version.checksum = "as it was before"
    ours = [office.registered().number for _ in range(25)]
    theirs = [office.registered(version=version).number for _ in range(2)]
    assert ours[-1] == "TS2026090025"
    assert theirs == ["TS2026090026", "TS2026090027"]
    assert office.registered().number == "TS2026090028"
    assert not any(ledgers.missing_numbers(office.session, version, on=MORNING.date()).values())


def test_a_case_is_timed_by_its_own_regulation(office: Office, sales_rules: PolicyVersion) -> None:
    theirs = registered(office, sales_rules, "complaint")
    ours = office.registered()
    assert {deadline.key for deadline in ours.deadlines} & {
        deadline.key for deadline in theirs.deadlines
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
        assert list(ledgers.ledger_rows(office.session, version, entry, **days)) == [wanted]


def test_a_number_taken_out_by_hand_is_named_as_a_gap(
    office: Office, sales_rules: PolicyVersion
) -> None:
    first = registered(office, sales_rules, "suggestion")
    registered(office, sales_rules, "suggestion", 40)
    assert (
        ledgers.missing_numbers(office.session, sales_rules, on=MORNING.date())["suggestion"] == []
    )
    first.number = "taken away"
    office.session.flush()
    found = ledgers.missing_numbers(office.session, sales_rules, on=MORNING.date())
    assert found["suggestion"] == ["JY2609001"]
    first.number = "JY2609001"
    office.session.flush()


def test_a_number_that_prints_the_month_while_it_counts_through_the_year_is_no_gap(
    office: Office, sales_rules: PolicyVersion
) -> None:
    for row in sales_rules.rules:
        if (row.section, row.key) == ("number", "suggestion"):
            row.data = row.data | {"resets": "year"}
    sales_rules.checksum = "counts through the year"
    office.session.flush()
    numbered = [registered(office, sales_rules, "suggestion", days=days) for days in (0, 20, 40)]
    on = (MORNING + dt.timedelta(days=40)).date()
    assert ledgers.missing_numbers(office.session, sales_rules, on=on)["suggestion"] == []
    given, numbered[1].number = numbered[1].number, "taken away"
    office.session.flush()
    found = ledgers.missing_numbers(office.session, sales_rules, on=on)
    assert found["suggestion"] == ["JY2609002"]
    numbered[1].number = given
    office.session.flush()
