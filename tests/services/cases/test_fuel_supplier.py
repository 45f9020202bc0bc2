"""The fuel supplier's counts across cases: breaches of supply, key customers, reports that come."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, Customer, FormEntry, PolicyVersion
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.status import ActorKind
from services.cases import correcting, customers, forms, intake, journal, record
from services.company import people
from services.company.actors import Actor
from services.regulation import policies
from services.reports import indicators, periodic_reports
from tests.company import Office, at
from tests.regulations import apart

REGULATION = "fuel-supplier"


@dataclass
class Supplier:
    """The supplier's marketing department at work in a session."""

    session: Session
    version: PolicyVersion
    clerk: Actor

    def purchaser(self, name: str, **said: Any) -> Customer:
        customer = customers.find_or_add(self.session, name, "02083330000")
        for field, value in said.items():
            setattr(customer, field, value)
        self.session.flush()
        return customer

    def breach(self, customer: Customer, day: int, amount: str = "20000", **said: Any) -> Complaint:
        """A late delivery to a purchaser, written down half an hour after he complained."""
        usual: dict[str, Any] = {
            "kind": "breach",
            "channel": "letter",
            "subject": "供货延误",
            "received_at": at(3, day, 9),
            "actor": self.clerk,
            "now": at(3, day, 9, 30),
            "customer": customer,
            "extra": {"order_amount": amount, "breach_ground": "late"},
        }
        return intake.register(self.session, self.version, **(usual | said))

    def claimed(self, case: Complaint) -> tuple[str, int] | None:
        """The sum a purchaser may claim for a case and which breach it was; None for nothing."""
        facts = record.facts_of(self.session, case)
        found = facts.last_entry("claim", "supply_breach")
        return (found.data["amount"], found.data["count"]) if found else None

    def visit(self, customer: Customer, now: dt.datetime) -> FormEntry:
        data = {
            "customer": customer.name,
            "visited_on": now.date().isoformat(),
            "opinions": "送货准时",
            "analysis": "需求稳定",
        }
        return forms.fill_alone(
            self.session,
            self.version,
            form="visit_report",
            data=data,
            actor=self.clerk,
            now=now,
            customer=customer,
        )


@pytest.fixture
def supplier(session: Session) -> Supplier:
    """The regulation published beside the company's own, and a clerk of its marketing."""
    data = apart(read_toml(shipped_path(REGULATION)), "F")
    version = policies.publish(session, data, effective_from=dt.date(2026, 1, 1), now=at(1, 1, 9))
    marketing = people.add_department(session, key="marketing", name="营销部")
    clerk = people.add_employee(session, number="7001", name="营销员", department=marketing)
    session.flush()
    return Supplier(session, version, Actor(ActorKind.user, None, clerk.id, Role.member))


@pytest.mark.proves("FUE-C3.3a")
def test_the_fourth_breach_toward_a_purchaser_may_cost_a_tenth_of_the_order(
    supplier: Supplier,
) -> None:
    school, port = supplier.purchaser("市一中"), supplier.purchaser("港务公司")
    first = [supplier.breach(school, day) for day in (2, 3, 4)]
    assert [supplier.claimed(case) for case in first] == [None, None, None]
    assert supplier.claimed(supplier.breach(port, 5)) is None
    fourth = supplier.breach(school, 6, amount="12345.60")
    assert supplier.claimed(fourth) == ("1234.56", 4)
    assert supplier.claimed(supplier.breach(school, 9)) == ("2000.00", 5)


@pytest.mark.proves("FUE-C3.3a")
def test_only_breaches_count_and_only_those_that_came_before(supplier: Supplier) -> None:
    school = supplier.purchaser("市一中")
    for day in (2, 3, 4):
        supplier.breach(school, day, kind="complaint", category="supply", extra={})
    assert supplier.claimed(supplier.breach(school, 5)) is None
    for day in (9, 10):
        supplier.breach(school, day)
    late = supplier.breach(school, 4, now=at(3, 11, 9))
    assert supplier.claimed(late) is None
    assert supplier.claimed(supplier.breach(school, 12)) == ("2000.00", 5)


@pytest.mark.proves("FUE-C3.3a")
def test_a_complaint_about_supply_with_a_ground_counts_as_the_breach_it_is(
    supplier: Supplier,
) -> None:
    school = supplier.purchaser("市一中")
    for day in (2, 3, 4):
        supplier.breach(school, day, kind="complaint", category="supply")
    assert supplier.claimed(supplier.breach(school, 5)) == ("2000.00", 4)


@pytest.mark.proves("FUE-C3.3a")
def test_breaches_withdrawn_as_mistakes_count_toward_no_claim(supplier: Supplier) -> None:
    school = supplier.purchaser("市一中")
    for day in (2, 3, 4):
        by_mistake = supplier.breach(school, day)
        correcting.withdraw(
            supplier.session,
            by_mistake,
            target=1,
            reason="重复登记",
            actor=Office(supplier.session).administrator,
            now=at(3, 5, 9),
        )
    assert supplier.claimed(supplier.breach(school, 6)) is None


@pytest.mark.proves("FUE-C3.3a")
def test_the_claim_stands_in_the_journal_of_the_case(supplier: Supplier) -> None:
    school = supplier.purchaser("市一中")
    cases = [supplier.breach(school, day) for day in (2, 3, 4, 6)]
    folded = journal.fold_journal(supplier.session, cases[-1])
    claim = folded.last_entry("claim", "supply_breach")
    assert claim is not None
    assert Decimal(claim.data["amount"]) == Decimal("2000.00")


@pytest.mark.proves("FUE-B3.5a", "FUE-B2b")
def test_a_key_customer_nobody_visited_in_the_year_is_on_the_list(supplier: Supplier) -> None:
    port = supplier.purchaser("港务公司", tier="key")
    mine = supplier.purchaser("矿业公司", tier="key")
    supplier.purchaser("路边客户")
    supplier.visit(port, at(5, 6, 10))
    supplier.visit(mine, at(12, 31, 23, year=2025))
    missed = periodic_reports.unvisited_customers(
        supplier.session, supplier.version, form="visit_report", year=2026
    )
    assert [customer.name for customer in missed] == ["矿业公司"]
    rates = indicators.figures(
        supplier.session,
        supplier.version,
        from_on=dt.date(2026, 1, 1),
        until_on=dt.date(2026, 12, 31),
    )
    assert {entry.key: str(figure) for entry, figure in rates}["key_visits"] == "50.0 %"


@pytest.mark.proves("FUE-B3.5a", "FUE-B2b")
def test_the_report_on_each_key_customer_is_owed_until_it_is_filed(supplier: Supplier) -> None:
    port = supplier.purchaser("港务公司", tier="key")
    mine = supplier.purchaser("矿业公司", tier="key")
    periodic_reports.file_report(
        supplier.session,
        supplier.version,
        report="key_customer_visit",
        period="2026",
        data=VISITED,
        actor=supplier.clerk,
        now=at(12, 20, 9),
        customer=port,
    )
    since, on = dt.date(2026, 1, 1), dt.date(2027, 1, 4)
    owed = [
        one
        for one in periodic_reports.due_reports(
            supplier.session, supplier.version, since=since, on=on
        )
        if (one.report.key, one.period) == ("key_customer_visit", "2026")
    ]
    assert {one.customer: one.late(on) for one in owed} == {port: False, mine: True}


VISITED = {
    "customer": "港务公司",
    "visited_on": "2026-05-06",
    "opinions": "送货准时",
    "analysis": "需求稳定",
}


def _visits_owed(supplier: Supplier, on: dt.date) -> dict[Customer | None, bool]:
    """Whether the report on each key customer is still to be filed on a day."""
    owed = periodic_reports.due_reports(
        supplier.session, supplier.version, since=dt.date(2026, 1, 1), on=on
    )
    mine = [one for one in owed if (one.report.key, one.period) == ("key_customer_visit", "2026")]
    assert not any(one.late(on) for one in mine)
    return {one.customer: one.filed_at is None for one in mine}


def _visit_rate(supplier: Supplier, from_on: dt.date, until_on: dt.date) -> str:
    rates = indicators.figures(
        supplier.session, supplier.version, from_on=from_on, until_on=until_on
    )
    return {entry.key: str(figure) for entry, figure in rates}["key_visits"]


@pytest.mark.proves("FUE-B3.5a", "FUE-B2b")
def test_the_report_of_the_year_that_runs_is_due_and_a_visit_written_down_meets_it(
    supplier: Supplier,
) -> None:
    port = supplier.purchaser("港务公司", tier="key")
    mine = supplier.purchaser("矿业公司", tier="key")
    assert _visits_owed(supplier, dt.date(2026, 11, 26)) == {port: True, mine: True}
    supplier.visit(port, at(5, 6, 10))
    assert _visits_owed(supplier, dt.date(2026, 11, 26)) == {port: False, mine: True}


@pytest.mark.proves("FUE-B3.5a", "FUE-B2b")
@pytest.mark.parametrize("filed", [at(5, 20, 9), at(1, 4, 9, year=2027)], ids=["in it", "late"])
def test_a_visit_that_was_reported_counts_as_a_visit_of_its_year(
    supplier: Supplier, filed: dt.datetime
) -> None:
    port = supplier.purchaser("港务公司", tier="key")
    periodic_reports.file_report(
        supplier.session,
        supplier.version,
        report="key_customer_visit",
        period="2026",
        data=VISITED,
        actor=supplier.clerk,
        now=filed,
        customer=port,
    )
    version = supplier.version
    for year, missed in ((2025, [port]), (2026, []), (2027, [port])):
        found = periodic_reports.unvisited_customers(
            supplier.session, version, form="visit_report", year=year
        )
        assert found == missed
    assert _visit_rate(supplier, dt.date(2026, 1, 1), dt.date(2026, 12, 31)) == "100.0 %"
    in_may = _visit_rate(supplier, dt.date(2026, 5, 1), dt.date(2026, 5, 31))
    assert in_may == ("100.0 %" if filed.month == 5 else "0.0 %")
    assert _visit_rate(supplier, dt.date(2026, 4, 1), dt.date(2026, 4, 30)) == "0.0 %"


@pytest.mark.proves("FUE-B2e")
def test_satisfaction_and_loyalty_are_the_means_of_the_surveys_of_a_year(
    supplier: Supplier,
) -> None:
    for satisfaction, loyalty in ((9, 7), (8, 10)):
        forms.fill_alone(
            supplier.session,
            supplier.version,
            form="survey",
            data={"way": "phone", "satisfaction": satisfaction, "loyalty": loyalty},
            actor=supplier.clerk,
            now=at(6, 1, 9),
        )
    found = indicators.figures(
        supplier.session,
        supplier.version,
        from_on=dt.date(2026, 1, 1),
        until_on=dt.date(2026, 12, 31),
    )
    said = {entry.key: figure.value for entry, figure in found}
    assert (said["satisfaction"], said["loyalty"]) == (Decimal("8.5"), Decimal("8.5"))
