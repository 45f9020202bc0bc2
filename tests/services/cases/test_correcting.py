"""Mending what was written down wrongly: what changes, what stays, what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, Journal, WageMonth
from policy.engine.fact_changes import Effect
from policy.vocabulary.errors import (
    ChoiceUnknown,
    FieldMissing,
    FieldTooLong,
    LaterStepsStand,
    MonthClosed,
    NotFound,
    RoleMissing,
    ValueRefused,
    ZoneMissing,
)
from policy.vocabulary.status import DeadlineState, PenaltyStatus, Sign, Status
from services.cases import correcting, handling, penalties, sweep
from tests.company import Office, at

LATE = at(10, 9, 9)
"""A day after the usual case was due."""
MEDIA = {"extra": {"forwarded_by": "media"}}
"""What makes the usual case one of grade B, with seven working days."""


def correct(
    office: Office, case: Complaint, target: int, changes: Mapping[str, Any], **said: Any
) -> tuple[Effect, ...]:
    usual: dict[str, Any] = {"reason": "登记有误", "actor": office.administrator, "now": LATE}
    return correcting.correct(
        office.session, case, target=target, changes=changes, **(usual | said)
    )


def withdraw(office: Office, case: Complaint, target: int, **said: Any) -> tuple[Effect, ...]:
    usual: dict[str, Any] = {"reason": "登记有误", "actor": office.administrator, "now": LATE}
    return correcting.withdraw(office.session, case, target=target, **(usual | said))


def late(office: Office) -> Complaint:
    """A case whose department did not answer in time."""
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=at(10, 8, 10, 1))
    return case


def closing(case: Complaint, key: str = "close_a") -> Any:
    (found,) = [d for d in case.deadlines if d.key == key]
    return found


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        (1, MEDIA),
        (1, {"subject": "变速箱异响"}),
        (2, {"at": at(9, 28, 9, 45)}),
        (2, {"at": at(9, 28, 9, 45).isoformat()}),
        (2, {"department": "sales"}),
        (2, None),
        (1, None),
    ],
)
def test_a_preview_shows_what_then_happens_and_writes_nothing(
    office: Office, rows: Callable[[], Any], target: int, changes: dict[str, Any] | None
) -> None:
    case = late(office)
    before = rows()
    foreseen = correcting.preview(office.session, case, target=target, changed=changes, now=LATE)
    assert rows() == before
    if changes is None:
        assert withdraw(office, case, target) == foreseen
    else:
        assert correct(office, case, target, changes) == foreseen


def test_a_breach_that_was_none_is_lifted_and_stays_a_row(office: Office) -> None:
    case = late(office)
    correct(office, case, 1, MEDIA)
    old = closing(case)
    assert old.state is DeadlineState.superseded
    assert [(b.breached_at, b.lifted_at, b.lifted_because) for b in old.breaches] == [
        (at(10, 8, 10), LATE, "corrected")
    ]
    assert closing(case, "close_b").due_at == at(10, 13, 10)
    assert office.penalty(case, "late_close").status is PenaltyStatus.lapsed


def test_a_corrected_time_moves_the_clock_with_a_revision(office: Office, session: Session) -> None:
    case = office.dispatched()
    correct(office, case, 2, {"at": at(9, 28, 9, 45)}, now=at(9, 28, 11))
    moved = closing(case)
    assert moved.due_at == at(10, 8, 9, 45)
    assert [(r.due_before, r.due_after, r.reason, r.journal_seq) for r in moved.revisions] == [
        (at(10, 8, 10), at(10, 8, 9, 45), "corrected", 3)
    ]
    first = session.scalars(sa.select(Journal).where(Journal.seq == 2)).one()
    assert first.happened_at == at(9, 28, 10)


def test_a_charge_says_the_corrected_reason(office: Office) -> None:
    case = late(office)
    correct(office, case, 2, {"at": at(9, 28, 9, 45)})
    penalty = office.penalty(case, "late_close")
    assert penalty.because["due_at"] == at(10, 8, 9, 45).astimezone(dt.UTC).isoformat()
    assert (penalty.status, penalty.amount) == (PenaltyStatus.proposed, 200)


def test_a_form_that_went_to_the_wrong_department_is_answered_for_by_the_right_director(
    office: Office,
) -> None:
    case = office.dispatched()
    correct(office, case, 2, {"department": "sales"}, now=at(9, 28, 11))
    assert case.responsible is not None
    assert case.department is not None
    assert (case.department.key, case.responsible.name) == ("sales", "sales_director")
    assert [assignment.department.key for assignment in case.assignments] == ["sales"]
    assert closing(case).responsible.name == "sales_director"


def test_a_form_handed_over_on_another_day_is_answered_for_by_that_days_deputy(
    office: Office,
) -> None:
    case = office.registered(received_at=at(11, 11, 9), now=at(11, 11, 9))
    office.dispatch(case, at(11, 16, 9))
    assert case.responsible is not None
    assert case.responsible.name == "director"
    correct(office, case, 2, {"at": at(11, 12, 9)}, now=at(11, 16, 10))
    assert case.responsible.name == "manager"


def test_a_form_is_moved_to_a_department_nobody_leads(office: Office) -> None:
    case = office.dispatched()
    (leading,) = office.holdings("sales_director")
    leading.until_on = dt.date(2026, 9, 27)
    correct(office, case, 2, {"department": "sales"})
    assert (case.department, case.responsible) == (office.department("sales"), None)


def test_later_steps_that_no_longer_fit_are_named(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.confirmed()
    with refuses(LaterStepsStand, seq=3, deed="replied", because="post_missing"):
        correct(office, case, 2, {"department": "sales"})
    with refuses(LaterStepsStand, seq=3, deed="replied", because="status_forbids"):
        withdraw(office, case, 2)


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"at": dt.datetime(2026, 9, 28, 9)}, ZoneMissing, "at"),
        ({"at": None}, FieldMissing, "at"),
        ({"at": "yesterday"}, ValueRefused, "at"),
        ({"text": "声" * 1_700_000}, FieldTooLong, "text"),
        ({"text": ""}, FieldMissing, "text"),
        ({"department": "moon"}, ChoiceUnknown, "department"),
        ({"department": 5}, ValueRefused, "department"),
        ({"number": "TS1"}, ChoiceUnknown, "changes"),
        ({"by": {"kind": "system"}}, ChoiceUnknown, "changes"),
        ({"shoe_size": 43}, ChoiceUnknown, "changes"),
    ],
)
def test_wrong_changes_are_refused_in_preview_and_deed_alike(
    office: Office,
    refuses: Callable[..., Any],
    changes: dict[str, Any],
    kind: type[Any],
    field: str,
) -> None:
    case = office.dispatched()
    with refuses(kind, field=field):
        correct(office, case, 2, changes)
    with refuses(kind, field=field):
        correcting.preview(office.session, case, target=2, changed=changes, now=LATE)


def test_only_administrators_and_the_care_desk_correct(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    for name in ("director", "care_director", "general_manager"):
        with refuses(RoleMissing, deed="corrected"):
            correct(office, case, 2, {"text": "x"}, actor=office.by(name))
        with refuses(RoleMissing, deed="withdrawn"):
            withdraw(office, case, 2, actor=office.by(name))


def test_what_time_did_and_what_is_not_there_cannot_be_corrected(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = late(office)
    for target in (3, 99, 0, -1):
        with refuses(NotFound, what="journal", key=str(target)):
            withdraw(office, case, target)
    assert [row.seq for row in correcting.amendable(office.session, case)] == [2, 1]


def test_a_withdrawn_answer_lets_the_clock_run_again(office: Office) -> None:
    case = office.dispatched()
    office.reply(case)
    office.confirm(case)
    withdraw(office, case, 4, now=at(9, 28, 16))
    assert (case.status, closing(case).state) == (Status.replied, DeadlineState.running)
    assert case.signoffs == []
    with pytest.raises(NotFound):
        withdraw(office, case, 4)
    office.confirm(case, at(9, 28, 17))
    assert case.status is Status.confirmed


def test_withdrawing_a_restart_lets_its_proposed_charges_lapse(office: Office) -> None:
    case = office.restarted()
    withdraw(office, case, 6, now=at(9, 28, 17))
    withdraw(office, case, 5, now=at(9, 28, 17))
    assert (case.status, case.round) == (Status.confirmed, 1)
    assert [p.status for p in case.penalties] == [PenaltyStatus.lapsed] * 2
    assert case.callbacks == []


def test_what_was_confirmed_stays_and_is_proposed_to_be_given_back(office: Office) -> None:
    case = late(office)
    penalties.confirm(
        office.session,
        office.penalty(case, "late_close"),
        actor=office.by("care_director"),
        now=at(10, 8, 11),
    )
    correct(office, case, 1, MEDIA)
    assert [(p.sign, p.status, p.amount) for p in case.penalties] == [
        (Sign.charge, PenaltyStatus.confirmed, 200),
        (Sign.reversal, PenaltyStatus.proposed, 200),
    ]


def test_a_whole_case_can_be_withdrawn_and_nothing_of_it_is_deleted(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = late(office)
    penalties.confirm(
        office.session,
        office.penalty(case, "late_close"),
        actor=office.by("care_director"),
        now=at(10, 8, 11),
    )
    withdraw(office, case, 1)
    assert (case.status, case.due_at, case.time_at) == (Status.withdrawn, None, None)
    assert [(d.key, d.state) for d in case.deadlines] == [
        ("handover", DeadlineState.met),
        ("close_a", DeadlineState.superseded),
    ]
    assert [b.lifted_because for b in closing(case).breaches] == ["corrected"]
    assert [(p.sign, p.status) for p in case.penalties] == [
        (Sign.charge, PenaltyStatus.confirmed),
        (Sign.reversal, PenaltyStatus.proposed),
    ]
    assert [row.subject for row in office.session.scalars(sa.select(Complaint))] == ["发动机异响"]
    with refuses(NotFound):
        withdraw(office, case, 1)
    with pytest.raises(Exception, match="status_forbids"):
        office.reply(case, LATE)


def test_a_notification_that_never_was_leaves_its_month(office: Office) -> None:
    case, penalty = notified(office)
    assert penalty.month == "2026-10"
    withdraw(office, case, case.version, now=at(10, 9, 9))
    assert (penalty.status, penalty.month) == (PenaltyStatus.confirmed, None)
    penalties.notify(
        office.session,
        penalty,
        how="签字",
        actor=office.by("specialist"),
        now=at(10, 26, 9),
    )
    assert penalty.month == "2026-11"


def test_a_list_that_was_paid_does_not_change_by_a_correction(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case, penalty = notified(office)
    office.reply(case, at(10, 8, 13))
    office.confirm(case, at(10, 8, 14))
    office.session.add(WageMonth(month="2026-10", closed_at=at(10, 26, 9)))
    office.session.flush()
    told, later = 5, at(10, 27, 9)
    with refuses(MonthClosed, month="2026-10"):
        withdraw(office, case, told, now=later)
    with refuses(MonthClosed, month="2026-10"):
        correct(office, case, told, {"at": at(10, 8, 11, 30)}, now=later)
    with refuses(MonthClosed, month="2026-10"):
        correcting.preview(office.session, case, target=told, changed=None, now=later)
    correct(office, case, 1, MEDIA, now=later)
    assert [p.month for p in case.penalties] == ["2026-10", None]
    assert [share.total for share in penalties.month_list(office.session, "2026-10")] == [200]
    assert penalty.status is PenaltyStatus.notified


def notified(office: Office) -> tuple[Complaint, Any]:
    """A late case whose charge was confirmed and brought to the director on 9 October."""
    case = late(office)
    penalty = office.penalty(case, "late_close")
    said = {"actor": office.by("care_director")}
    penalties.confirm(office.session, penalty, now=at(10, 8, 11), **said)
    penalties.notify(office.session, penalty, how="签字", now=at(10, 8, 12), **said)
    return case, penalty


def test_two_corrections_one_after_the_other_are_both_kept(office: Office) -> None:
    case = late(office)
    handling.contact(office.session, case, actor=office.by("mechanic"), now=at(10, 8, 11))
    correct(office, case, 1, MEDIA)
    correct(office, case, 1, {"subject": "异响"}, now=at(10, 9, 10))
    assert (case.grade, case.subject) == ("B2", "异响")
    assert len(closing(case).breaches) == 1
