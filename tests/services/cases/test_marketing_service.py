"""The marketing-service regulation in the record: what it waits for, its files and its figures."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, Employee, PolicyVersion
from policy.pack.loading import read_toml, shipped_path
from policy.proof.coverage import chosen_parameters
from policy.vocabulary.errors import Duplicate, FieldMissing, PackRefused
from policy.vocabulary.status import ActorKind, ReplyOutcome
from services.cases import correcting, customers, forms, handling, intake, sweep
from services.company import people
from services.company.actors import Actor
from services.regulation import policies
from services.reports import indicators, ledgers, periodic_reports
from tests.company import Office, at
from tests.regulations import CASES, apart

OPEN = {"ordinary_limit", "complex_limit", "callback_limit"}
FIRST, LAST = dt.date(2026, 9, 1), dt.date(2026, 9, 30)


def filled_in(*names: str) -> dict[str, Any]:
    """The regulation with some of the terms that it prints as [X] filled in."""
    data = apart(read_toml(shipped_path("marketing-service")), "M")
    chosen = chosen_parameters(CASES / "marketing-service")
    data["parameter"] = [
        entry | {"value": chosen[entry["key"]]} if entry["key"] in names else entry
        for entry in data["parameter"]
    ]
    return data


def publish(session: Session, data: dict[str, Any]) -> PolicyVersion:
    return policies.publish(session, data, effective_from=FIRST, now=at(8, 31, 9))


def sorted_name(names: set[str]) -> str:
    """The same name of a test in every process."""
    return "+".join(sorted(names))


@pytest.mark.proves("MKT-3.3.1", "MKT-3.3.2", "MKT-4.2.1")
@pytest.mark.parametrize("missing", [OPEN, *({name} for name in sorted(OPEN))], ids=sorted_name)
def test_it_is_refused_by_name_until_the_company_fills_its_terms_in(
    session: Session, missing: set[str]
) -> None:
    with pytest.raises(PackRefused) as refused:
        publish(session, filled_in(*OPEN - missing))
    places = {problem["place"] for problem in refused.value.facts["problems"]}
    assert places == {f"parameter.[{name}]" for name in missing}


@pytest.fixture
def version(session: Session) -> PolicyVersion:
    """The regulation in force in September, with its terms filled in."""
    return publish(session, filled_in(*OPEN))


class Desk:
    """Customer service, production and marketing at work under the regulation."""

    def __init__(self, session: Session, version: PolicyVersion) -> None:
        self.session, self.version = session, version
        self.agent = self._hired("8001", "customer_service", "agent")
        self.head = self._hired("8002", "production", "production_head")
        self.clerk = self._hired("8003", "marketing", "marketing_clerk")

    def _hired(self, number: str, department: str, post: str) -> Actor:
        place = people.add_department(self.session, key=department, name=department)
        somebody: Employee = people.add_employee(
            self.session, number=number, name=post, department=place
        )
        people.hold_post(self.session, somebody, post, from_on=dt.date(2026, 1, 1))
        return Actor(ActorKind.user, None, somebody.id, Role.member)

    def heard(self, day: int, **said: Any) -> Complaint:
        usual: dict[str, Any] = {
            "kind": "complaint",
            "channel": "hotline",
            "category": "product_quality",
            "subject": f"異響 {day}",
            "body": "使用一週後有異響",
            "received_at": at(9, day, 9),
            "actor": self.agent,
            "now": at(9, day, 9, 30),
        }
        return intake.register(self.session, self.version, **(usual | said))

    def caused(self, complaint: Complaint, day: int, *causes: str) -> None:
        """The department names the causes, once it has the case."""
        if complaint.department is None:
            intake.dispatch(
                self.session,
                complaint,
                department="production",
                actor=self.agent,
                now=at(9, day, 10),
            )
        forms.fill(
            self.session,
            complaint,
            form="cause",
            data={"causes": list(causes)},
            actor=self.head,
            now=at(9, day, 11),
        )


@pytest.fixture
def desk(session: Session, version: PolicyVersion) -> Desk:
    return Desk(session, version)


@pytest.mark.proves("MKT-2.2.1")
def test_who_complained_of_what_and_when_is_kept_with_the_complaint(
    session: Session, desk: Desk
) -> None:
    somebody = customers.find_or_add(session, "陳小姐", "02083330000")
    heard = desk.heard(1, customer=somebody, body="使用一週後異響")
    assert heard.customer is somebody
    assert (heard.subject, heard.body, heard.received_at) == (
        "異響 1",
        "使用一週後異響",
        at(9, 1, 9),
    )


@pytest.mark.proves("MKT-2.2.3", "MKT-2.2.2")
def test_what_is_accepted_has_a_file_and_what_is_not_is_counted_apart(
    session: Session, version: PolicyVersion, desk: Desk
) -> None:
    desk.heard(1)
    desk.heard(2, kind="out_of_scope", extra={"guidance": "請向鐵路客服反映"})
    pack = policies.pack(session, version)
    listed = {
        key: [
            row.number if isinstance(row, Complaint) else row
            for row in ledgers.ledger_rows(
                session, version, pack.find("ledger", key), from_on=FIRST, until_on=LAST
            )
        ]
        for key in ("files", "not_accepted")
    }
    assert listed == {"files": ["MTS2026090001"], "not_accepted": ["MBS2026090001"]}
    counted = {e.key: str(f) for e, f in _figures(session, version)}
    assert (counted["complaints"], counted["not_accepted"]) == ("1", "1")


def _figures(session: Session, version: PolicyVersion) -> list[Any]:
    return indicators.figures(session, version, from_on=FIRST, until_on=LAST)


@pytest.mark.proves("MKT-5.1.1", "MKT-5.2.1")
def test_the_causes_of_a_month_are_counted_most_frequent_first(
    session: Session, version: PolicyVersion, desk: Desk
) -> None:
    for day, found in ((1, ["production"]), (2, ["production", "training"]), (3, ["design"])):
        desk.caused(desk.heard(day), day, *found)
    again = desk.heard(4)
    desk.caused(again, 4, "other")
    desk.caused(again, 5, "training", "production")

    def causes(from_on: dt.date, until_on: dt.date) -> dict[str, int]:
        found = indicators.choice_counts(session, version, from_on=from_on, until_on=until_on)
        return next((dict(one.counts) for one in found if one.field.key == "causes"), {})

    counted = causes(FIRST, LAST)
    assert list(counted.items()) == [("production", 3), ("training", 2), ("design", 1)]
    assert causes(FIRST, dt.date(2026, 9, 1)) == {"production": 1}
    assert causes(dt.date(2026, 8, 1), dt.date(2026, 8, 31)) == {}
    by_category = indicators.by_category(session, version, from_on=FIRST, until_on=LAST)
    assert list(by_category) == ["product_quality"]


@pytest.mark.proves("MKT-6.1.1")
def test_a_call_that_came_late_makes_no_department_late(
    session: Session, version: PolicyVersion, desk: Desk
) -> None:
    case = desk.heard(1)
    desk.caused(case, 1, "production")
    papers: dict[str, dict[str, Any]] = {
        "investigation": {"methods": ["talk"], "findings": "軸承鬆動"},
        "solution": {"measures": "換新機", "person": "8002", "completion_on": "2026-09-03"},
        "opinion": {"accepted": True},
    }
    said: dict[str, Any] = {"actor": desk.head, "now": at(9, 1, 14)}
    for form, data in papers.items():
        forms.fill(session, case, form=form, data=data, **said)
    handling.reply(session, case, outcome=ReplyOutcome.solved, text="已換新機", **said)
    handling.confirm(session, case, **said)
    told = {"about": "result", "channel": "電話", "text": "已換新機"}
    forms.inform(session, case, actor=desk.clerk, now=at(9, 1, 15), **told)
    sweep.pass_time(session, case.number, now=at(9, 8, 9))
    assert [deadline.key for deadline in case.deadlines if deadline.breaches] == ["callback"]
    shown = {entry.key: str(figure) for entry, figure in _figures(session, version)}
    assert (shown["timely_rate"], shown["timely_of_due"]) == ("100.0 %", "100.0 %")


@pytest.mark.proves("MKT-6.1.3")
def test_a_second_complaint_is_a_repeat_once_a_person_says_so(
    session: Session, version: PolicyVersion, desk: Desk
) -> None:
    somebody = customers.find_or_add(session, "陳小姐", "02083330000")
    desk.heard(1, customer=somebody)
    again = desk.heard(2, customer=somebody)

    def rate() -> str:
        return {entry.key: str(figure) for entry, figure in _figures(session, version)}[
            "repeat_rate"
        ]

    assert rate() == "0.0 %"
    intake.classify(session, again, extra={"repeat": True}, actor=desk.agent, now=at(9, 2, 10))
    assert rate() == "50.0 %"


@pytest.mark.proves("MKT-5.1.1")
def test_what_was_said_on_a_case_withdrawn_as_a_mistake_is_not_counted(
    session: Session, version: PolicyVersion, desk: Desk
) -> None:
    stands, mistake = desk.heard(1), desk.heard(2)
    desk.caused(stands, 1, "production")
    desk.caused(mistake, 2, "design")
    administrator = Office(session).administrator
    said: dict[str, Any] = {"actor": administrator, "now": at(9, 3, 9)}
    correcting.withdraw(session, mistake, target=1, reason="重复登记", **said)
    (found,) = indicators.choice_counts(session, version, from_on=FIRST, until_on=LAST)
    assert found.counts == {"production": 1}


@pytest.mark.proves("MKT-6.1.1", "MKT-6.2.1")
def test_the_board_of_a_month_shows_each_department_with_both_timely_rates(
    session: Session, version: PolicyVersion, desk: Desk
) -> None:
    for day in (1, 2):
        desk.caused(desk.heard(day), day, "production")
    board = indicators.by_department(session, version, from_on=FIRST, until_on=LAST)
    said = {entry.key: (str(figure), figure.of) for entry, figure in board["production"]}
    assert said["timely_rate"] == ("0.0 %", 2)
    assert said["timely_of_due"] == ("—", 0)
    assert list(said)[:2] == ["timely_rate", "timely_of_due"]


@pytest.mark.proves("MKT-5.1.2", "MKT-5.2.2")
def test_a_month_has_one_report_with_the_figures_and_the_measures_proposed(
    session: Session, version: PolicyVersion, desk: Desk
) -> None:
    desk.heard(1)
    said: dict[str, Any] = {"report": "monthly", "period": "2026-09", "actor": desk.clerk}
    words = {"patterns": "週末多", "concentration": "配送", "measures": "增設站點"}
    with pytest.raises(FieldMissing):
        periodic_reports.file_report(
            session, version, **said, data=words | {"measures": ""}, now=at(10, 8, 9)
        )
    filed = periodic_reports.file_report(session, version, **said, data=words, now=at(10, 8, 9))
    assert filed.data["measures"] == "增設站點"
    assert filed.data["figures"]["complaints"] == "1"
    with pytest.raises(Duplicate):
        periodic_reports.file_report(session, version, **said, data=words, now=at(10, 9, 9))
    owed = periodic_reports.due_reports(session, version, since=FIRST, on=dt.date(2026, 10, 31))
    monthly = [o for o in owed if (o.report.key, o.period) == ("monthly", "2026-09")]
    assert [(o.due_on, o.filed_at) for o in monthly] == [(dt.date(2026, 10, 10), at(10, 8, 9))]
    of_quarter = {o.report.key for o in owed if o.period == "2026-Q3"}
    prevention = {"quality_sampling", "service_inspection", "customer_talks"}
    assert of_quarter == {"quarterly", *prevention}
