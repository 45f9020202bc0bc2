"""What the care desk does afterwards: call, restart, settle, close; and the whole way once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Journal
from policy.vocabulary.errors import (
    FieldMissing,
    GateClosed,
    NotAllowed,
    PostMissing,
    SelfForbidden,
    WindowNotOpen,
)
from policy.vocabulary.status import (
    CallOutcome,
    CallPurpose,
    ClosingGround,
    DeadlineState,
    Satisfaction,
    Status,
)
from services.cases import followup, handling, sweep
from tests.company import Office, at


def test_a_case_goes_from_the_customer_to_the_archive(office: Office, session: Session) -> None:
    case = office.dispatched()
    handling.contact(session, case, actor=office.by("mechanic"), now=at(9, 28, 11))
    office.reply(case)
    office.confirm(case)
    office.call(case)
    assert (case.status, case.closing_ground) == (Status.accepted, ClosingGround.satisfied)
    office.sign(case)
    assert (case.status, case.retain_until) == (Status.closed, dt.date(2036, 9, 28))
    assert case.observe_until == at(10, 5, 17)
    sweep.pass_time(session, case.number, now=at(10, 5, 17))
    assert case.status is Status.closed
    sweep.pass_time(session, case.number, now=at(10, 5, 17, 1))
    assert (case.status, case.archived_at) == (Status.archived, at(10, 5, 17, 1))
    assert case.time_at is None
    told = session.scalars(sa.select(Journal.event).order_by(Journal.seq)).all()
    assert [*told] == [
        "registered",
        "dispatched",
        "contacted",
        "replied",
        "confirmed",
        "called_back",
        "signed",
        "time_passed",  # the satisfaction call nobody made
        "time_passed",
        "archived",
    ]


def test_an_unhappy_customer_restarts_the_case_and_costs_director_and_handler(
    office: Office,
) -> None:
    case = office.restarted()
    assert (case.status, case.round) == (Status.dispatched, 2)
    assert [(p.rule, p.employee.name, p.amount) for p in case.penalties] == [
        ("restart_director", "director", 100),
        ("restart_handler", "mechanic", 50),
    ]
    running = [
        (d.key, d.round, d.due_at) for d in case.deadlines if d.state is DeadlineState.running
    ]
    assert running == [("close_a", 2, at(10, 8, 16))]


def test_a_second_round_goes_to_whoever_leads_the_department_then(office: Office) -> None:
    case = office.registered(received_at=at(11, 11, 9), now=at(11, 11, 9))
    office.dispatch(case, at(11, 11, 10))
    office.reply(case, at(11, 11, 11))
    office.confirm(case, at(11, 11, 12))
    assert case.responsible is not None
    assert case.responsible.name == "director"
    office.call(case, Satisfaction.dissatisfied, at(11, 12, 9), asks_more=True, text="仍有异响")
    assert [(d.round, d.responsible.name) for d in case.assignments if d.responsible] == [
        (1, "director"),
        (2, "manager"),
    ]
    assert [p.employee.name for p in case.penalties] == ["director", "mechanic"]


def test_a_restart_without_the_customers_view_leaves_no_call_behind(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.confirmed()
    with refuses(FieldMissing, field="text"):
        office.call(case, Satisfaction.dissatisfied, asks_more=True)
    assert (case.status, case.callbacks, case.version) == (Status.confirmed, [], 4)
    office.call(case, Satisfaction.dissatisfied, asks_more=True, text="仍有异响")


def test_a_case_is_begun_anew_though_nobody_leads_the_department(office: Office) -> None:
    case = office.confirmed()
    (leading,) = office.holdings("after_sales_director")
    leading.until_on = dt.date(2026, 9, 27)
    office.call(case, Satisfaction.dissatisfied, asks_more=True, text="仍有异响")
    assert (case.round, case.responsible) == (2, None)
    assert case.department is office.department("after_sales")


def test_an_unhappy_customer_who_asks_for_nothing_is_the_care_directors_decision(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.confirmed()
    office.call(case, Satisfaction.dissatisfied, asks_more=False)
    assert case.status is Status.disputed
    with refuses(NotAllowed, deed="signed"):
        office.sign(case)
    with refuses(PostMissing, deed="settled"):
        followup.settle(
            office.session, case, reason="算了", actor=office.by("specialist"), now=at(9, 28, 17)
        )
    followup.settle(
        office.session,
        case,
        reason="客户不再追究",
        actor=office.by("care_director"),
        now=at(9, 28, 17),
    )
    assert (case.status, case.closing_ground) == (Status.closed, ClosingGround.settled)


def test_only_who_holds_a_calling_post_calls_and_never_the_handler(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.confirmed()
    with refuses(PostMissing, deed="called_back", cite="SKD-5.5.1"):
        office.call(case, actor=office.by("clerk"))
    with refuses(SelfForbidden, deed="called_back", cite="SKD-5.5.1"):
        office.call(case, actor=office.by("mechanic"))
    with refuses(FieldMissing, field="satisfaction"):
        office.call(case, None)  # type: ignore[arg-type]  # nobody was reached


def test_nobody_signs_what_the_customer_did_not_accept(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.confirmed()
    with refuses(NotAllowed, deed="signed"):
        office.sign(case)
    office.call(case)
    with refuses(PostMissing, deed="signed", cite="SKD-3.2.3.1.2c"):
        followup.sign(
            office.session, case, feedback="好", actor=office.by("director"), now=at(9, 28, 17)
        )


def test_a_customer_nobody_reaches_three_times_on_two_days_lets_the_case_end(
    office: Office,
) -> None:
    case = office.confirmed()
    for day, hour in ((28, 16), (28, 17), (29, 9)):
        assert case.status is Status.confirmed
        office.call(case, None, at(9, day, hour), outcome=CallOutcome.unreachable)  # type: ignore[arg-type]  # nobody was reached
    assert (case.status, case.closing_ground) == (Status.accepted, ClosingGround.unreachable)
    assert [call.attempt for call in case.callbacks] == [1, 2, 3]


def test_the_satisfaction_call_waits_for_its_window(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.closed()
    with refuses(WindowNotOpen, cite="SKD-5.5.2"):
        office.call(case, now=at(9, 29, 9), purpose=CallPurpose.satisfaction)


@pytest.mark.parametrize("ground", ["verification", "satisfaction"])
def test_a_restart_needs_its_ground(
    office: Office, refuses: Callable[..., Any], ground: str
) -> None:
    case = office.confirmed()
    if ground == "satisfaction":
        office.call(case)
    with refuses(GateClosed, deed="restarted"):
        followup.restart(
            office.session,
            case,
            ground=ground,
            text="再来一次",
            actor=office.by("specialist"),
            now=at(9, 28, 17),
        )


def test_a_satisfaction_call_without_its_second_score_is_told_what_to_fill_in(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.closed()
    asked: dict[str, Any] = {"purpose": CallPurpose.satisfaction, "now": at(10, 1, 10)}
    with refuses(GateClosed, cite="SKD-5.5.2", field="process_score"):
        office.call(case, **asked)
    office.call(case, process_score=Satisfaction.acceptable, **asked)
    assert case.callbacks[-1].process_score is Satisfaction.acceptable
