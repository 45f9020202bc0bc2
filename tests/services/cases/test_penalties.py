"""Penalties on their way to the payroll: what is proposed, by whom it is settled, which month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import Complaint, Penalty, WageMonth
from policy.vocabulary.errors import (
    AlreadyFound,
    ChangedMeanwhile,
    FieldMissing,
    FieldTooLong,
    GateClosed,
    NotFound,
    NoticeStands,
    PostMissing,
    SelfForbidden,
    StatusForbids,
)
from policy.vocabulary.status import PenaltyStatus, Responsibility, Sign
from services.cases import handling, intake, journal, jury, penalties, sweep
from tests.company import Office, at

CONFIRMED_ON = at(10, 12, 9)


def late(office: Office) -> tuple[Complaint, Penalty]:
    """A case that was not answered in time, and the charge that brings."""
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=at(10, 9, 9))
    return case, office.penalty(case, "late_close")


def settled(office: Office, penalty: Penalty, now: dt.datetime = CONFIRMED_ON) -> None:
    """Confirmed and brought to the employee."""
    penalties.confirm(office.session, penalty, actor=office.by("care_director"), now=now)
    penalties.notify(office.session, penalty, how="签字", actor=office.by("specialist"), now=now)


def test_a_late_answer_goes_from_proposal_to_the_months_list(office: Office) -> None:
    _, penalty = late(office)
    assert (penalty.employee.name, penalty.amount, penalty.cite) == (
        "director",
        Decimal(200),
        "SKD-3.2.2b",
    )
    assert penalty.status is PenaltyStatus.proposed
    assert penalties.unsettled_penalties(office.session) == [penalty]
    assert penalties.months(office.session) == []
    settled(office, penalty)
    assert (penalty.status, penalty.counts_at) == (PenaltyStatus.notified, at(10, 19, 9))
    assert penalties.unsettled_penalties(office.session) == []
    assert penalties.months(office.session) == ["2026-10"]
    (share,) = penalties.month_list(office.session, "2026-10")
    assert (share.employee.number, share.total, list(share.penalties)) == (
        "2001",
        Decimal(200),
        [penalty],
    )


def test_nothing_is_notified_before_it_was_confirmed_nor_twice(
    office: Office, refuses: Callable[..., Any]
) -> None:
    _, penalty = late(office)
    with refuses(StatusForbids, deed="penalty_notified", status=PenaltyStatus.proposed):
        penalties.notify(
            office.session,
            penalty,
            how="签字",
            actor=office.by("care_director"),
            now=at(10, 12, 9),
        )
    settled(office, penalty)
    with refuses(StatusForbids, deed="penalty_confirmed", status=PenaltyStatus.notified):
        penalties.confirm(
            office.session, penalty, actor=office.by("care_director"), now=at(10, 12, 10)
        )


@pytest.mark.parametrize("name", ["sales_director", "specialist", "clerk", "mechanic"])
def test_only_care_director_and_general_manager_settle_money(
    office: Office, refuses: Callable[..., Any], name: str
) -> None:
    _, penalty = late(office)
    said: dict[str, Any] = {"actor": office.by(name), "now": at(10, 12, 9)}
    with refuses(PostMissing, deed="penalty_confirmed", cite="SKD-4.1"):
        penalties.confirm(office.session, penalty, **said)
    with refuses(PostMissing, deed="penalty_waived"):
        penalties.waive(office.session, penalty, reason="不必", **said)


def test_nobody_settles_a_penalty_of_their_own(office: Office, refuses: Callable[..., Any]) -> None:
    _, penalty = late(office)
    said: dict[str, Any] = {"actor": office.by("director"), "now": at(10, 12, 9)}
    with refuses(SelfForbidden, deed="penalty_confirmed", cite="SKD-3.2.2b"):
        penalties.confirm(office.session, penalty, **said)
    with refuses(SelfForbidden, deed="penalty_waived"):
        penalties.waive(office.session, penalty, reason="不必", **said)


def test_a_waived_penalty_is_in_no_list(office: Office) -> None:
    _, penalty = late(office)
    penalties.waive(
        office.session,
        penalty,
        reason="配件停产",
        actor=office.by("general_manager"),
        now=at(10, 12, 9),
    )
    assert (penalty.status, penalty.month) == (PenaltyStatus.waived, None)
    assert penalties.unsettled_penalties(office.session) == []


def test_a_reversal_is_a_second_row_that_gives_back(office: Office) -> None:
    case, penalty = late(office)
    settled(office, penalty)
    penalties.reverse(
        office.session,
        penalty,
        reason="申诉成立",
        actor=office.by("general_manager"),
        now=at(10, 14, 9),
    )
    back = case.penalties[1]
    assert (back.sign, back.amount, back.status) == (
        Sign.reversal,
        Decimal(200),
        PenaltyStatus.proposed,
    )
    settled(office, back, at(10, 14, 10))
    (share,) = penalties.month_list(office.session, "2026-10")
    assert (share.total, len(share.penalties)) == (Decimal(0), 2)


def test_a_months_list_is_by_employee_number_and_adds_up(office: Office) -> None:
    first, second = office.restarted(), office.restarted()
    for case in (first, second):
        for penalty in case.penalties:
            settled(office, penalty, at(9, 29, 9))
    shares = penalties.month_list(office.session, "2026-10")
    assert [(share.employee.number, share.total) for share in shares] == [
        ("2001", Decimal(200)),
        ("2005", Decimal(100)),
    ]


@pytest.mark.parametrize(
    ("told", "month"),
    [
        (at(10, 16, 9), "2026-10"),  # the term ends on Friday 23 October
        (at(10, 19, 9), "2026-11"),  # on Monday 26 October, past the 25th
    ],
)
def test_the_month_is_that_of_the_end_of_the_appeal_term(
    office: Office, told: Any, month: str
) -> None:
    _, penalty = late(office)
    settled(office, penalty, told)
    assert penalty.month == month


def test_a_paid_month_passes_its_latecomers_to_the_first_open_one(
    office: Office, session: Session
) -> None:
    for month in ("2026-10", "2026-11", "2026-12"):
        session.add(WageMonth(month=month, closed_at=at(10, 12, 8)))
    session.flush()
    _, penalty = late(office)
    settled(office, penalty)
    assert penalty.month == "2027-01"
    assert penalties.month_list(session, "2026-10") == []


def test_an_appeal_takes_no_charge_out_of_a_month_that_was_paid(
    office: Office, session: Session
) -> None:
    case, paid = late(office)
    settled(office, paid)
    session.add(WageMonth(month="2026-10", closed_at=at(10, 26, 9)))
    intake.classify(
        session,
        case,
        responsibility=Responsibility.responsible,
        actor=office.by("specialist"),
        now=at(10, 27, 9),
    )
    judge(office, case, "cold", employee="2001", now=at(10, 27, 10))
    settled(office, office.penalty(case, "cold"), at(10, 27, 11))
    appeal_lost(office, case, "2001")
    assert (paid.month, office.penalty(case, "cold").month) == ("2026-10", "2026-11")
    (share,) = penalties.month_list(session, "2026-11")
    assert share.total == Decimal(100)


def appeal_lost(office: Office, case: Complaint, employee: str) -> None:
    """He appeals on 28 October, and the jury says no."""
    said: dict[str, Any] = {"vote": "appeal", "actor": office.by("care_director")}
    session, text = office.session, "当日已答复"
    own = said | {"actor": office.by("director")}
    jury.appeal(session, case, employee=employee, text=text, **own, now=at(10, 28, 9))
    jury.convene(session, case, **said, now=at(10, 28, 10))
    for member in ("general_manager", "care_director", "sales_director"):
        actor = office.by(member)
        jury.cast_vote(
            session,
            case,
            vote="appeal",
            agrees=False,
            reason="记录清楚",
            actor=actor,
            now=at(10, 28, 11),
        )
    jury.rule(session, case, minutes="申诉不成立", **said, now=at(10, 28, 12))


def test_the_first_open_month_goes_over_the_end_of_a_year(session: Session) -> None:
    assert journal.first_open_month(session, "2026-12") == "2026-12"
    session.add(WageMonth(month="2026-12", closed_at=at(10, 12, 8)))
    session.add(WageMonth(month="2027-02", closed_at=at(10, 12, 8)))
    session.flush()
    assert journal.first_open_month(session, "2026-12") == "2027-01"
    assert journal.first_open_month(session, "2027-02") == "2027-03"
    assert journal.first_open_month(session, "2026-11") == "2026-11"


# ---------------------------------------------------------------- grounds people find


def blamed(office: Office, **said: Any) -> Complaint:
    case = office.dispatched(**said)
    intake.classify(
        office.session,
        case,
        responsibility=Responsibility.responsible,
        actor=office.by("specialist"),
        now=at(9, 28, 11),
    )
    return case


def judge(office: Office, case: Complaint, ground: str, **said: Any) -> None:
    usual: dict[str, Any] = {
        "employee": "2005",
        "text": "对客户吼叫",
        "actor": office.by("care_director"),
        "now": at(9, 28, 12),
    }
    penalties.judge(office.session, case, ground=ground, **(usual | said))


def test_a_ground_is_found_by_a_person_and_charged_once_a_complaint(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = blamed(office)
    judge(office, case, "rude")
    with refuses(AlreadyFound, employee="2005"):
        judge(office, case, "rude", now=at(9, 28, 13))
    assert [(p.rule, p.employee.number, p.amount) for p in case.penalties] == [
        ("rude", "2005", Decimal(200)),
    ]


def test_a_factory_complaint_costs_its_surcharge(office: Office) -> None:
    case = blamed(office, extra={"factory_order_no": "F-1"})
    judge(office, case, "cold")
    assert [(p.rule, p.amount) for p in case.penalties] == [
        ("cold", Decimal(100)),
        ("factory_surcharge", Decimal(50)),
    ]


def test_a_graver_ground_takes_the_lighter_ones_place(office: Office) -> None:
    case, penalty = late(office)
    judge(office, case, "neglect", employee=None, now=at(10, 9, 10))
    assert penalty.status is PenaltyStatus.lapsed
    assert [(p.rule, p.amount) for p in case.penalties if p is not penalty] == [
        ("neglect", Decimal(300))
    ]


def test_a_wrong_finding_changes_nothing(office: Office, refuses: Callable[..., Any]) -> None:
    case = office.dispatched()
    with refuses(GateClosed, deed="judged", cite="SKD-4.1.1-2"):
        judge(office, case, "rude")
    case = blamed(office)
    with refuses(PostMissing, deed="judged"):
        judge(office, case, "rude", actor=office.by("director"))
    with refuses(NotFound, what="penalty"):
        judge(office, case, "late_close")
    with refuses(NotFound, what="employee", key="7777"):
        judge(office, case, "rude", employee="7777")
    with refuses(FieldMissing, field="employee"):
        judge(office, case, "rude", employee=None)
    with refuses(FieldTooLong, field="text"):
        judge(office, case, "rude", text="声" * 1_700_000)


def test_a_penalty_is_opened_with_the_version_its_form_was_made_from(
    office: Office, session: Session
) -> None:
    case, penalty = late(office)
    seen = case.version
    assert penalties.lock_penalty(session, penalty.id, seen=seen) is penalty
    handling.contact(session, case, actor=office.by("mechanic"), now=at(10, 9, 10))
    with pytest.raises(ChangedMeanwhile):
        penalties.lock_penalty(session, penalty.id, seen=seen)
    with pytest.raises(NotFound):
        penalties.lock_penalty(session, 10_000)


def told(office: Office, now: dt.datetime) -> tuple[Complaint, Penalty]:
    """A fine of which the director was told."""
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=at(10, 12, 9))
    fine = office.penalty(case, "late_close")
    penalties.confirm(office.session, fine, actor=office.by("care_director"), now=now)
    said: dict[str, Any] = {"how": "签字", "actor": office.by("specialist"), "now": now}
    penalties.notify(office.session, fine, **said)
    return case, fine


def test_what_may_still_be_appealed_stands_apart_from_what_is_final(office: Office) -> None:
    _case, fine = told(office, at(10, 12, 10))
    month, ends = fine.month or "", fine.counts_at
    assert ends is not None
    early = penalties.month_parts(office.session, month, now=ends - dt.timedelta(minutes=1))
    assert (early.total, early.running_total) == (Decimal(0), Decimal(200))
    late = penalties.month_parts(office.session, month, now=ends)
    assert (late.total, late.running_total) == (Decimal(200), Decimal(0))
    assert [one.employee for one in late.final] == [office.employee("director")]


def test_how_and_by_whom_an_employee_was_told_stays_known(office: Office) -> None:
    _case, fine = told(office, at(10, 12, 10))
    steps = penalties.steps_of(office.session, fine)
    assert steps["notified"].data["how"] == "签字"
    assert steps["notified"].row.employee is office.employee("specialist")
    assert steps["confirmed"].row.employee is office.employee("care_director")


def test_a_delivery_is_taken_back_until_something_hangs_on_it(office: Office, refuses: Any) -> None:
    _case, fine = told(office, at(10, 12, 10))
    assert fine.counts_at is not None
    back: dict[str, Any] = {"reason": "送错人", "actor": office.administrator}
    with refuses(NoticeStands, why="notice_over"):
        penalties.take_back_notice(office.session, fine, **back, now=fine.counts_at)
    now = at(10, 12, 11)
    with refuses(NoticeStands, why="notice_of_others"):
        penalties.take_back_notice(
            office.session, fine, reason="送错人", actor=office.by("clerk"), now=now
        )
    penalties.take_back_notice(office.session, fine, **back, now=now)
    assert (fine.status, fine.month, fine.notified_at) == (PenaltyStatus.confirmed, None, None)
    assert "notified" not in penalties.steps_of(office.session, fine)
    said: dict[str, Any] = {"how": "当面", "actor": office.by("specialist"), "now": at(10, 13, 9)}
    penalties.notify(office.session, fine, **said)
    assert penalties.steps_of(office.session, fine)["notified"].data["how"] == "当面"
