"""The sales company's numbers, registers, reports and yearly counts, over many cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, FormEntry, NumberCounter, Penalty, PolicyVersion
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.errors import Duplicate, FieldMissing, NotInForce, ValueRefused
from policy.vocabulary.status import ActorKind, ReplyOutcome
from services.cases import correcting, forms, intake, penalties
from services.company import people
from services.company.actors import Actor
from services.regulation import policies
from services.reports import indicators, ledgers, periodic_reports
from tests.company import Office, at

TODAY = dt.date(2026, 9, 28)
SEPTEMBER = {"from_on": dt.date(2026, 9, 1), "until_on": dt.date(2026, 9, 30)}
ANSWERING = ("purchasing", "business", "repair", "logistics")
REPORTING = (*ANSWERING, "office")
ANALYSIS = {"expectations": "当日换货", "evaluation": "稳定", "proposals": "到货试机"}


class SalesCompany:
    """The company under the sales company's regulation: its office head and a purchasing head."""

    def __init__(self, office: Office) -> None:
        self.office, self.session = office, office.session
        data = read_toml(shipped_path("sales-company"))
        since = dt.date(2026, 1, 1)
        self.version: PolicyVersion = policies.publish(
            self.session, data, effective_from=since, now=at(1, 1, 9)
        )
        for key in ("office", *ANSWERING):
            people.add_department(self.session, key=key, name=key)
        holders = {
            "office_head": "care_director",
            "purchasing_manager": "director",
            "business_manager": "sales_director",
        }
        for post, name in holders.items():
            people.hold_post(self.session, office.employee(name), post, from_on=dt.date(2025, 1, 1))

    def registered(self, kind: str = "complaint", **said: Any) -> Complaint:
        usual: dict[str, Any] = {
            "channel": "phone",
            "category": "quality",
            "subject": "新机漏油",
            "received_at": at(9, 28, 9),
            "actor": self.office.by("specialist"),
            "now": at(9, 28, 9, 30),
        }
        return intake.register(self.session, self.version, kind=kind, **(usual | said))

    def verified(self, concerned: str, *, now: dt.datetime, **said: Any) -> Complaint:
        """A complaint whose check found a fault of somebody."""
        complaint = self.registered(**({"received_at": now, "now": now} | said))
        forms.verify(
            self.session,
            complaint,
            finding="fault",
            text="验收疏漏",
            concerned=[self.office.employee(concerned).number],
            actor=self.office.by("care_director"),
            now=now,
        )
        return complaint

    def withdrawn(self, complaint: Complaint) -> None:
        """It was registered by mistake."""
        correcting.withdraw(
            self.session,
            complaint,
            target=1,
            reason="重复登记",
            actor=self.office.administrator,
            now=at(9, 28, 12),
        )

    def rules_of(self, complaint: Complaint) -> list[str]:
        rows = self.session.scalars(
            sa.select(Penalty).where(Penalty.complaint_id == complaint.id).order_by(Penalty.id)
        )
        return [row.rule for row in rows]


@pytest.fixture
def sales(office: Office) -> SalesCompany:
    return SalesCompany(office)


@pytest.mark.proves("SAL-4a", "SAL-4b", "SAL-4c")
def test_each_kind_counts_its_own_numbers_and_begins_anew_every_month(sales: SalesCompany) -> None:
    kinds = ("complaint", "complaint", "suggestion", "consultation", "grievance")
    numbers = [sales.registered(kind).number for kind in kinds]
    assert numbers == ["TS2609001", "TS2609002", "JY2609001", "ZX2609001", "TS2609003"]
    october = sales.registered(received_at=at(10, 9, 9), now=at(10, 9, 9, 30))
    assert october.number == "TS2610001"


@pytest.mark.proves("SAL-4a")
def test_the_thousandth_complaint_of_a_month_widens_its_number_and_the_log_says_so(
    sales: SalesCompany, caplog: pytest.LogCaptureFixture
) -> None:
    sales.registered()
    counter = sales.session.scalars(
        sa.select(NumberCounter).where(NumberCounter.series == "sales-company/complaint")
    ).one()
    counter.last = 998
    assert [sales.registered().number for _ in range(2)] == ["TS2609999", "TS26091000"]
    warned = [one.getMessage() for one in caplog.records if one.name == "services.cases.intake"]
    assert warned == ["TS26091000 is wider than its series is printed"]
    entry = policies.pack(sales.session, sales.version).find("ledger", "complaints")
    rows: Sequence[Any] = ledgers.ledger_rows(sales.session, sales.version, entry, **SEPTEMBER)
    assert [row.number for row in rows] == ["TS2609001", "TS2609999", "TS26091000"]
    missing = ledgers.missing_numbers(sales.session, sales.version, on=TODAY)["complaint"]
    assert (missing[0], missing[-1], len(missing)) == ("TS2609002", "TS2609998", 997)


@pytest.mark.proves("SAL-6.1a", "SAL-6.2a", "SAL-6.3b", "SAL-10.3", "SAL-11.1")
def test_every_case_stands_in_its_register_and_in_the_reception_ledger(
    sales: SalesCompany, count: Callable[..., Any]
) -> None:
    for kind in ("complaint", "grievance", "suggestion", "consultation"):
        sales.registered(kind)
    pack = policies.pack(sales.session, sales.version)
    found = {}
    for entry in pack.ledger:
        with count() as statements:
            rows: Sequence[Any] = ledgers.ledger_rows(
                sales.session, sales.version, entry, **SEPTEMBER
            )
        assert len(statements) <= 2
        found[entry.key] = [row.number for row in rows if isinstance(row, Complaint)]
    assert found == {
        "complaints": ["TS2609001", "TS2609002"],
        "suggestions": ["JY2609001"],
        "consultations": ["ZX2609001"],
        "reception": ["TS2609001", "TS2609002", "JY2609001", "ZX2609001"],
        "inspections": [],
    }


@pytest.mark.proves("SAL-9")
def test_cases_are_counted_by_category_and_by_department(sales: SalesCompany) -> None:
    for category in ("quality", "quality", "delivery"):
        sales.registered(category=category)
    purchased = sales.registered("grievance")
    said: dict[str, Any] = {"actor": sales.office.by("specialist"), "now": at(9, 28, 10)}
    forms.promise(sales.session, purchased, until=at(9, 29, 9), text="明早", **said)
    intake.dispatch(sales.session, purchased, department="purchasing", **said)
    by_category = indicators.by_category(sales.session, sales.version, **SEPTEMBER)
    by_department = indicators.by_department(sales.session, sales.version, **SEPTEMBER)
    assert {name: _value(rows) for name, rows in by_category.items()} == {
        "delivery": "1",
        "quality": "3",
    }
    assert {name: _value(rows) for name, rows in by_department.items()} == {"purchasing": "1"}


@pytest.mark.proves("SAL-9")
def test_a_case_withdrawn_as_a_mistake_is_in_no_figure_and_stays_in_its_ledger(
    sales: SalesCompany,
) -> None:
    stands, mistake = sales.registered(), sales.registered()
    sales.withdrawn(mistake)
    by_category = indicators.by_category(sales.session, sales.version, **SEPTEMBER)
    assert {name: _value(rows) for name, rows in by_category.items()} == {"quality": "1"}
    entry = policies.pack(sales.session, sales.version).find("ledger", "complaints")
    rows: Sequence[Any] = ledgers.ledger_rows(sales.session, sales.version, entry, **SEPTEMBER)
    assert list(rows) == [stands, mistake]


@pytest.mark.proves("SAL-11.1")
@pytest.mark.parametrize(
    ("outcome", "share"),
    [
        (ReplyOutcome.extension, "0.0 %"),
        (ReplyOutcome.raise_to_gm, "0.0 %"),
        (None, "0.0 %"),
        (ReplyOutcome.solved, "100.0 %"),
    ],
)
def test_a_wish_for_more_time_is_no_answer(
    sales: SalesCompany, outcome: ReplyOutcome | None, share: str
) -> None:
    case = sales.registered()
    case.replied_at, case.reply_outcome = at(9, 28, 11), outcome
    sales.session.flush()
    rows = indicators.figures(sales.session, sales.version, **SEPTEMBER)
    case.replied_at, case.reply_outcome = None, None  # as its journal says
    assert {str(figure) for entry, figure in rows if entry.key == "replied"} == {share}


def _value(rows: list[tuple[Any, Any]]) -> str:
    """How many complaints a group of cases has."""
    return next(str(figure) for entry, figure in rows if entry.key == "complaints")


@pytest.mark.proves("SAL-11.3a", "SAL-9")
def test_each_department_owes_its_weekly_monthly_and_yearly_reports_until_it_filed_them(
    sales: SalesCompany, refuses: Callable[..., Any]
) -> None:
    sales.registered()
    said: dict[str, Any] = {"report": "monthly_purchasing", "period": "2026-09"}
    said |= {"actor": sales.office.by("director"), "now": at(10, 9, 9)}
    with refuses(FieldMissing, field="proposals"):
        few = {"expectations": "当日换货", "evaluation": "稳定"}
        periodic_reports.file_report(sales.session, sales.version, data=few, **said)
    row = periodic_reports.file_report(sales.session, sales.version, data=ANALYSIS, **said)
    assert row.data["figures"]["complaints"] == "1"
    assert row.data["figures"]["replied"] == "0.0 %"
    with refuses(Duplicate, field="period"):
        periodic_reports.file_report(sales.session, sales.version, data=ANALYSIS, **said)
    owed = periodic_reports.due_reports(
        sales.session, sales.version, since=dt.date(2026, 9, 27), on=dt.date(2026, 10, 4)
    )
    over = {
        *((f"weekly_{key}", "2026-W39", dt.date(2026, 9, 28)) for key in REPORTING),
        *((f"monthly_{key}", "2026-09", dt.date(2026, 10, 8)) for key in REPORTING[1:]),
        ("inspection", "2026-09", dt.date(2026, 10, 10)),
    }
    running = {
        *((f"weekly_{key}", "2026-W40", dt.date(2026, 10, 8)) for key in REPORTING),
        *((f"monthly_{key}", "2026-10", dt.date(2026, 11, 5)) for key in REPORTING),
        *((f"yearly_{key}", "2026", dt.date(2027, 1, 15)) for key in REPORTING),
        ("inspection", "2026-10", dt.date(2026, 11, 10)),
        ("awards", "2026", dt.date(2027, 1, 15)),
    }
    on = dt.date(2026, 10, 4)
    told = {(one.report.key, one.period, one.due_on): one.ripe(on) for one in owed}
    told.pop(("monthly_purchasing", "2026-09", dt.date(2026, 10, 8)))
    assert told == dict.fromkeys(over, True) | dict.fromkeys(running, False), "half is no month"
    assert sales.session.scalars(sa.select(FormEntry.form)).all() == ["monthly_purchasing"]


@pytest.mark.proves("SAL-11.3b")
def test_an_inspection_samples_cases_that_exist(
    sales: SalesCompany, refuses: Callable[..., Any]
) -> None:
    place = sales.office.department("office")
    hired = people.add_employee(sales.session, number="6001", name="文员", department=place)
    clerk = Actor(ActorKind.user, None, hired.id, Role.member)
    looked_at, inspection = sales.registered(), sales.registered("inspection", actor=clerk)
    said: dict[str, Any] = {"form": "inspection", "actor": clerk, "now": at(9, 28, 10)}
    data = {"sample": f"{looked_at.number}，TS9999、TS8888", "result": "conform"}
    data["found"] = "记录完整"
    with refuses(ValueRefused, field="抽查案件", value="TS9999, TS8888", why="no_such_case"):
        forms.fill(sales.session, inspection, data=data, **said)
    data["sample"] = f"{looked_at.number}, {inspection.number}"
    forms.fill(sales.session, inspection, data=data, **said)
    assert inspection.entries[-1].data["sample"] == "TS2609001, JC2609001"


@pytest.mark.proves("SAL-12.10a", "SAL-12.10b")
def test_the_second_verified_complaint_of_a_calendar_year_costs_and_the_third_proposes_more(
    sales: SalesCompany,
) -> None:
    days = (at(12, 30, 9, year=2025), at(3, 2, 9), at(6, 1, 9), at(9, 28, 9))
    found = [sales.rules_of(sales.verified("mechanic", now=day)) for day in days]
    assert found == [[], [], ["twice_a_year"], ["thrice_a_year"]]


@pytest.mark.proves("SAL-12.10a")
def test_a_complaint_counts_in_the_year_in_which_it_was_received(sales: SalesCompany) -> None:
    received = at(12, 30, 9, year=2025)
    found = [
        sales.rules_of(sales.verified("mechanic", received_at=received, now=at(1, 5, 9))),
        sales.rules_of(sales.verified("mechanic", now=at(3, 2, 9))),
        sales.rules_of(sales.verified("mechanic", received_at=received, now=at(3, 3, 9))),
    ]
    assert found == [[], [], ["twice_a_year"]]


@pytest.mark.proves("SAL-12.10a")
def test_the_complaints_of_a_colleague_do_not_count(sales: SalesCompany) -> None:
    sales.verified("colleague", now=at(9, 21, 9))
    assert sales.rules_of(sales.verified("mechanic", now=at(9, 28, 9))) == []


@pytest.mark.proves("SAL-12.10a")
def test_a_verified_complaint_withdrawn_as_a_mistake_does_not_count(sales: SalesCompany) -> None:
    sales.withdrawn(sales.verified("mechanic", now=at(9, 21, 9)))
    assert sales.rules_of(sales.verified("mechanic", now=at(9, 28, 9))) == []


@pytest.mark.proves("SAL-12.4a", "SAL-12.9b")
def test_the_performance_pay_of_a_month_is_taken_once_whatever_cases_ask_for_it(
    sales: SalesCompany,
) -> None:
    taken = []
    for day in (at(9, 21, 9), at(9, 28, 9), at(10, 9, 9)):
        complaint = sales.verified("mechanic", now=day)
        penalties.judge(
            sales.session,
            complaint,
            ground="extreme",
            text="辱骂客户",
            employee=sales.office.employee("mechanic").number,
            actor=sales.office.by("care_director"),
            now=day,
        )
        (row,) = [p for p in complaint.penalties if p.rule == "extreme"]
        taken.append("performance_pay" in row.sanctions)
    assert taken == [True, False, True]


@pytest.mark.proves("SAL-13a")
def test_the_text_is_in_force_from_its_date_without_an_end_and_its_trial_is_history(
    session: Session, refuses: Callable[..., Any]
) -> None:
    data, begins = read_toml(shipped_path("sales-company")), dt.date(2016, 5, 19)
    version = policies.publish(session, data, effective_from=begins, now=at(1, 1, 9))
    with refuses(NotInForce):
        policies.in_force(session, "sales-company", on=begins - dt.timedelta(days=1))
    for day in (begins, dt.date(2016, 8, 20), TODAY):
        assert policies.in_force(session, "sales-company", on=day) is version
    scope = policies.pack(session, version).policy.scope or ""
    assert scope.index("2011-05-20 起曾试行三个月") < scope.index("自 2016-05-19 起")
