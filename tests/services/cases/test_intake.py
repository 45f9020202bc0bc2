"""Taking a case in: numbers, grades, dispatching, history and what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, DepartmentMeaning, Notice, NumberCounter
from policy.vocabulary.errors import (
    ChoiceUnknown,
    DepartmentUnmapped,
    FactsRefused,
    FieldMissing,
    FieldTooLong,
    GateClosed,
    HistoryForbids,
    PostMissing,
    StatusForbids,
    ZoneMissing,
)
from policy.vocabulary.status import Responsibility, Status
from services.cases import correcting, handling, intake
from tests.company import MORNING, Office, at

FIVE_MEGABYTES = "声" * 1_700_000


def test_a_registered_case_has_number_grade_clock_and_registering_time(office: Office) -> None:
    case = office.registered()
    assert (case.number, case.status, case.grade, case.level) == (
        "TS2026090001",
        Status.registered,
        "A2",
        "internal",
    )
    assert [(deadline.key, deadline.due_at) for deadline in case.deadlines] == [
        ("handover", at(9, 28, 11))
    ]
    assert (case.received_at, case.registered_at) == (MORNING, at(9, 28, 9, 30))
    assert case.version == 1


def test_numbers_count_by_month_and_kind(office: Office) -> None:
    october = at(10, 12, 9)
    numbers = [
        office.registered().number,
        office.registered().number,
        office.registered(kind="grievance").number,
        office.registered(received_at=october, now=october).number,
        office.registered(kind="rework").number,
        office.registered().number,
    ]
    assert numbers == [
        "TS2026090001",
        "TS2026090002",
        "BY2026090001",
        "TS2026100001",
        "FX2026090001",
        "TS2026090003",
    ]


def test_the_month_of_a_number_is_the_month_of_the_company_not_of_utc(office: Office) -> None:
    first_minutes = at(10, 1, 0, 5)
    assert office.registered(received_at=first_minutes, now=first_minutes).number[:8] == "TS202610"


def test_a_number_past_9999_gets_wider_and_none_is_used_twice(
    office: Office, session: Session
) -> None:
    office.registered()
    counter = session.scalars(sa.select(NumberCounter)).one()
    counter.last = 9998
    assert [office.registered().number for _ in range(3)] == [
        "TS2026099999",
        "TS20260910000",
        "TS20260910001",
    ]


def test_a_withdrawn_case_keeps_its_number(office: Office) -> None:
    case = office.registered()
    correcting.withdraw(
        office.session,
        case,
        target=1,
        reason="误登",
        actor=office.administrator,
        now=at(9, 28, 10),
    )
    assert office.registered().number == "TS2026090002"


def test_a_refused_registration_leaves_no_row_and_no_gap(
    office: Office, refuses: Callable[..., Any]
) -> None:
    office.registered()
    with refuses(PostMissing, deed="registered", cite="SKD-3.2.1a"):
        office.registered(actor=office.by("mechanic"))
    with refuses(ChoiceUnknown, field="channel"):
        office.registered(channel="pigeon")
    with refuses(ChoiceUnknown, field="kind"):
        office.registered(kind="praise")
    with refuses(FieldMissing, field="subject"):
        office.registered(subject="  ")
    with refuses(FactsRefused, field="received_at"):
        office.registered(received_at=at(9, 28, 9, 31))
    with refuses(ZoneMissing, field="received_at"):
        office.registered(received_at=dt.datetime(2026, 9, 28, 9))
    assert office.registered().number == "TS2026090002"


@pytest.mark.parametrize("field", ["subject", "body", "demand"])
def test_five_megabytes_of_text_are_too_long(
    office: Office, refuses: Callable[..., Any], field: str
) -> None:
    with refuses(FieldTooLong, field=field):
        office.registered(**{field: FIVE_MEGABYTES})


def test_five_megabytes_in_a_field_of_the_regulation_are_too_long(
    office: Office, refuses: Callable[..., Any]
) -> None:
    with refuses(FieldTooLong, field="plate", limit=300):
        office.registered(extra={"plate": FIVE_MEGABYTES})


def test_five_megabytes_as_a_source_id_are_too_long(
    office: Office, refuses: Callable[..., Any]
) -> None:
    with refuses(FieldTooLong, field="source_id", limit=120):
        past(office, source_id=FIVE_MEGABYTES)


# ---------------------------------------------------------------- dispatching


def test_a_dispatched_case_names_department_and_director_and_starts_its_clock(
    office: Office, session: Session
) -> None:
    case = office.dispatched()
    assert case.department is not None
    assert case.responsible is not None
    assert (case.department.key, case.responsible.name) == ("after_sales", "director")
    assert case.due_at == at(10, 8, 10)
    told = session.scalars(sa.select(Notice)).one()
    assert (told.kind, told.employee_id) == ("dispatched", office.employee("director").id)


def test_a_case_without_a_grade_is_not_dispatched(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered(category=None)
    with refuses(GateClosed, deed="dispatched", cite="SKD-3.2.1b"):
        office.dispatch(case)
    intake.classify(
        office.session,
        case,
        category="service",
        actor=office.by("specialist"),
        now=at(9, 28, 9, 45),
    )
    office.dispatch(case)
    assert (case.grade, case.status) == ("A1", Status.dispatched)


def test_only_the_care_desk_dispatches_and_only_to_a_department_that_answers(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered()
    with refuses(PostMissing, deed="dispatched"):
        office.dispatch(case, actor=office.by("director"))
    for department in ("hr", "moon", FIVE_MEGABYTES[:100]):
        with refuses(ChoiceUnknown, field="department", value=department):
            office.dispatch(case, department=department)


def test_a_department_whose_post_nobody_holds_gets_the_case(office: Office) -> None:
    case = office.registered()
    for holding in office.holdings("sales_director"):
        holding.until_on = dt.date(2026, 9, 27)
    office.dispatch(case, department="sales")
    assert (case.department, case.responsible) == (office.department("sales"), None)


def test_nothing_is_dispatched_to_a_department_the_company_does_not_have(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered()
    office.department("workshop").key = "garage"
    with refuses(DepartmentUnmapped, department="车间"):
        office.dispatch(case, department="workshop")


def test_a_department_can_mean_another_one_from_a_day_on_and_the_past_stays(
    office: Office, session: Session
) -> None:
    case = office.dispatched()
    office.dispatch(other := office.registered())
    session.add(
        DepartmentMeaning(
            policy_id=office.version.policy_id,
            key="after_sales",
            department=office.department("workshop"),
            from_on=dt.date(2026, 9, 29),
        )
    )
    session.flush()
    handling.return_order(
        session, case, reason="是配件问题", actor=office.by("director"), now=at(9, 29, 9)
    )
    office.dispatch(case, at(9, 29, 10))
    assert [assignment.department.key for assignment in case.assignments] == [
        "after_sales",
        "workshop",
    ]
    assert case.department is not None
    assert case.department.key == "workshop"
    assert other.department is not None
    assert other.department.key == "after_sales"


def test_two_departments_of_the_regulation_can_be_one_of_the_company(
    office: Office, session: Session
) -> None:
    session.add(
        DepartmentMeaning(
            policy_id=office.version.policy_id,
            key="parts",
            department=office.department("after_sales"),
            from_on=dt.date(2026, 1, 1),
        )
    )
    case = office.dispatched()
    office.wish(case, until=at(10, 12, 10))
    handling.grant_extension(
        session, case, until=at(10, 12, 10), actor=office.by("specialist"), now=at(9, 29, 10)
    )
    handling.return_order(
        session, case, reason="是配件问题", actor=office.by("director"), now=at(9, 30, 9)
    )
    office.dispatch(case, at(9, 30, 10), department="parts")
    assert [assignment.department_key for assignment in case.assignments] == [
        "after_sales",
        "parts",
    ]
    assert [(tally.counter, tally.department_key) for tally in case.tallies] == [
        ("late_close", "after_sales")
    ]


def test_a_returned_order_runs_on_and_goes_to_another_department(office: Office) -> None:
    case = office.dispatched()
    handling.return_order(
        office.session, case, reason="不是售后", actor=office.by("mechanic"), now=at(9, 28, 11)
    )
    assert (case.status, case.department, case.responsible) == (Status.returned, None, None)
    assert case.due_at == at(10, 8, 10)
    office.dispatch(case, at(9, 28, 12), department="sales")
    assert case.responsible is not None
    assert case.responsible.name == "sales_director"


def test_a_case_the_company_is_not_to_blame_for_needs_a_reason(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered()
    said: dict[str, Any] = {"actor": office.by("specialist"), "now": at(9, 28, 10)}
    with refuses(FieldMissing, field="reason"):
        intake.classify(office.session, case, responsibility=Responsibility.not_responsible, **said)
    intake.classify(
        office.session,
        case,
        responsibility=Responsibility.not_responsible,
        reason="产品质量",
        **said,
    )
    assert case.responsibility is Responsibility.not_responsible


def test_a_grievance_is_counted_and_not_handled(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered(kind="grievance")
    assert (case.status, case.deadlines) == (Status.recorded, [])
    with refuses(StatusForbids, deed="dispatched"):
        office.dispatch(case)


# ---------------------------------------------------------------- the past


def past(office: Office, **said: Any) -> Complaint | None:
    """A case of 2024, as the old register has it."""
    usual: dict[str, Any] = {
        "source": "old register",
        "source_id": "17",
        "kind": "complaint",
        "status": Status.dispatched,
        "subject": "漏油",
        "received_at": at(3, 4, 9, year=2024),
        "actor": office.administrator,
        "now": at(9, 28, 9),
    }
    return intake.import_past(office.session, office.version, **(usual | said))


def test_the_past_comes_in_without_clock_penalty_or_notice(
    office: Office, session: Session
) -> None:
    case = past(office, category="quality")
    assert case is not None
    assert (case.number, case.history, case.status) == (
        "TS2024030001",
        True,
        Status.dispatched,
    )
    assert (case.deadlines, case.penalties, case.due_at, case.time_at) == ([], [], None, None)
    assert session.scalars(sa.select(Notice)).all() == []


def test_importing_the_past_twice_changes_nothing(office: Office, rows: Callable[[], Any]) -> None:
    past(office)
    before = rows()
    assert past(office) is None
    assert rows() == before
    assert past(office, source_id="18") is not None
    assert past(office, source="another register") is not None


def test_history_is_left_alone_until_it_is_taken_over(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = past(office, category="quality", channel="visit")
    assert case is not None
    with refuses(HistoryForbids):
        office.dispatch(case)
    with refuses(PostMissing):
        intake.take_over(office.session, case, actor=office.by("mechanic"), now=at(9, 28, 10))
    intake.take_over(office.session, case, actor=office.by("specialist"), now=at(9, 28, 10))
    assert (case.history, case.status) == (False, Status.registered)
    assert [(deadline.key, deadline.due_at) for deadline in case.deadlines] == [
        ("handover", at(9, 28, 12))
    ]
    office.dispatch(case, at(9, 28, 11))
    assert case.due_at == at(10, 8, 11)


def test_closed_history_is_not_taken_over(office: Office, refuses: Callable[..., Any]) -> None:
    case = past(office, status=Status.closed, closed_at=at(3, 9, 9, year=2024))
    assert case is not None
    with refuses(StatusForbids, deed="taken_over"):
        intake.take_over(office.session, case, actor=office.by("specialist"), now=at(9, 28, 10))
