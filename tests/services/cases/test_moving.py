"""Moving cases to a corrected version: what is counted anew, and what stays whatever happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, Journal, Notice, PolicyVersion, WageMonth
from policy.vocabulary.errors import (
    ChoiceUnknown,
    DomainError,
    LaterStepsStand,
    MonthClosed,
    RoleMissing,
    RuleGone,
    VersionNotBegun,
)
from policy.vocabulary.status import PenaltyStatus
from services.cases import correcting, journal, moving, penalties, record, sweep
from services.regulation import policies
from tests.company import REGULATION, Office, at, regulation

LATER = at(10, 20, 9)


def corrected(
    office: Office, change: Callable[[dict[str, Any]], None], *, day: int = 29
) -> PolicyVersion:
    """A version of the regulation with a change, in force from a day of September on."""
    data = regulation()
    change(data)
    first = dt.date(2026, 9, day)
    return policies.publish(office.session, data, effective_from=first, now=at(9, day, 9))


def entry(data: dict[str, Any], section: str, key: str) -> dict[str, Any]:
    return next(one for one in data[section] if one["key"] == key)


def longer(data: dict[str, Any]) -> None:
    entry(data, "deadline", "close_a")["within"] = {"amount": 9, "unit": "working_day"}


def dearer(data: dict[str, Any]) -> None:
    entry(data, "penalty", "late_close")["amount"] = 250


def move(office: Office, case: Complaint, to: PolicyVersion, now: dt.datetime = LATER) -> Any:
    said: dict[str, Any] = {"reason": "勘误", "actor": office.administrator, "now": now}
    return moving.move(office.session, case, to, **said)


def is_its_journal(session: Session, case: Complaint) -> bool:
    session.expire_all()
    return journal.fold_journal(session, case) == record.facts_of(session, case)


def test_a_moved_case_is_counted_anew_by_the_rules_of_the_other_version(office: Office) -> None:
    case = office.dispatched()
    assert case.due_at == at(10, 8, 10)
    move(office, case, corrected(office, longer), now=at(9, 30, 9))
    assert case.due_at == at(10, 15, 10)
    assert case.policy_version.number == 2
    (deadline,) = [row for row in case.deadlines if row.key == "close_a"]
    assert [(r.due_before, r.reason) for r in deadline.revisions] == [(at(10, 8, 10), "moved")]
    assert is_its_journal(office.session, case)


def test_a_breach_that_falls_is_lifted_and_never_erased(office: Office) -> None:
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=at(10, 12, 9))
    assert office.penalty(case, "late_close").status is PenaltyStatus.proposed
    move(office, case, corrected(office, longer), now=at(10, 12, 10))
    (deadline,) = [row for row in case.deadlines if row.key == "close_a"]
    assert [(b.breached_at, b.lifted_because) for b in deadline.breaches] == [
        (at(10, 8, 10), "moved")
    ]
    assert office.penalty(case, "late_close").status is PenaltyStatus.lapsed
    assert is_its_journal(office.session, case)


def test_a_proposal_takes_the_new_sum_and_what_was_confirmed_keeps_its_own(office: Office) -> None:
    proposed, confirmed = office.dispatched(), office.dispatched()
    for case in (proposed, confirmed):
        sweep.pass_time(office.session, case.number, now=LATER)
    confirm(office, confirmed)
    to = corrected(office, dearer)
    for case in (proposed, confirmed):
        move(office, case, to, now=at(10, 20, 12))
        assert is_its_journal(office.session, case)
    assert office.penalty(proposed, "late_close").amount == 250
    assert office.penalty(confirmed, "late_close").amount == 200
    assert office.penalty(confirmed, "late_close").status is PenaltyStatus.confirmed


def confirm(office: Office, case: Complaint) -> None:
    penalty = office.penalty(case, "late_close")
    said: dict[str, Any] = {"actor": office.by("care_director"), "now": at(10, 20, 10)}
    penalties.confirm(office.session, penalty, **said)


def test_a_month_that_was_paid_stays_as_it_is(office: Office, refuses: Any) -> None:
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=LATER)
    confirm(office, case)
    penalty = office.penalty(case, "late_close")
    said: dict[str, Any] = {"actor": office.by("care_director"), "now": at(10, 20, 11)}
    penalties.notify(office.session, penalty, how="面谈", **said)
    assert penalty.month is not None
    office.session.add(WageMonth(month=penalty.month, closed_at=at(12, 1, 9)))
    slower = corrected(
        office,
        lambda data: entry(data, "parameter", "appeal_term").update(
            value={"amount": 60, "unit": "working_day"}
        ),
    )
    with refuses(MonthClosed):
        move(office, case, slower, now=at(12, 2, 9))


def test_the_preview_says_all_that_moving_changes_and_writes_nothing(office: Office) -> None:
    case = office.dispatched()
    to = corrected(office, longer)
    before = office.session.scalar(sa.select(sa.func.count(Journal.id)))
    (shown,) = moving.preview(office.session, [case], to, now=at(9, 30, 9))
    assert not office.session.dirty
    assert office.session.scalar(sa.select(sa.func.count(Journal.id))) == before
    assert case.policy_version.number == 1
    assert shown.refusal is None
    assert [(e.kind, e.key) for e in shown.effects] == [("clock_moved", "close_a")]
    assert move(office, case, to, now=at(9, 30, 9)) == shown.effects


def no_clock(data: dict[str, Any]) -> None:
    data["deadline"] = [one for one in data["deadline"] if one["key"] != "handover"]


def contact_first(data: dict[str, Any]) -> None:
    data["gate"].append(
        {
            "key": "contact_first",
            "label": "先联系后回复",
            "cite": "SKD-3.2.2a",
            "before": ["replied"],
            "requires": [{"field": "contacted_at", "filled": True}],
        }
    )


@pytest.mark.parametrize(
    ("change", "error"), [(no_clock, RuleGone), (contact_first, LaterStepsStand)]
)
def test_a_case_that_does_not_fit_the_other_version_is_named_and_stays(
    office: Office, change: Any, error: type[DomainError], refuses: Any
) -> None:
    case = office.confirmed()
    to = corrected(office, change)
    (shown,) = moving.preview(office.session, [case], to, now=LATER)
    assert isinstance(shown.refusal, error)
    with refuses(error):
        move(office, case, to)
    assert case.policy_version.number == 1


def test_only_a_published_version_of_the_same_regulation_takes_a_case(
    office: Office, refuses: Any
) -> None:
    case = office.dispatched()
    to = corrected(office, longer)
    to.status = "draft"
    office.session.flush()
    for version in (to, case.policy_version):
        with refuses(ChoiceUnknown):
            move(office, case, version)


def test_only_an_administrator_moves_a_case(office: Office, refuses: Any) -> None:
    case = office.dispatched()
    to = corrected(office, longer)
    with refuses(RoleMissing):
        said: dict[str, Any] = {"reason": "勘误", "actor": office.by("care_director"), "now": LATER}
        moving.move(office.session, case, to, **said)


def test_a_moved_case_goes_on_is_corrected_and_is_moved_again(office: Office) -> None:
    case = office.dispatched()
    second, third = corrected(office, longer, day=28), corrected(office, dearer, day=29)
    move(office, case, second, now=at(9, 28, 11))
    office.reply(case)
    office.confirm(case)
    (reply,) = [row for row in correcting.amendable(office.session, case) if row.event == "replied"]
    correcting.correct(
        office.session,
        case,
        target=reply.seq,
        changes={"text": "更换正时链条"},
        reason="写错",
        actor=office.administrator,
        now=at(9, 29, 9),
    )
    assert is_its_journal(office.session, case)
    move(office, case, third, now=at(9, 29, 10))
    assert case.policy_version.number == 3
    assert is_its_journal(office.session, case)


def test_the_open_cases_of_other_versions_may_be_moved(office: Office) -> None:
    first = office.dispatched()
    withdrawn = office.registered()
    correcting.withdraw(
        office.session, withdrawn, target=1, reason="误录", actor=office.administrator, now=LATER
    )
    to = corrected(office, longer)
    assert [case.number for case in moving.candidates(office.session, to)] == [first.number]
    move(office, first, to)
    assert moving.candidates(office.session, to) == []
    assert policies.in_force(office.session, REGULATION, on=LATER.date()) is to


def test_no_case_is_moved_before_the_first_day_of_a_version(office: Office, refuses: Any) -> None:
    case, to = office.dispatched(), corrected(office, longer)
    early = at(9, 28, 23, 59)
    (shown,) = moving.preview(office.session, [case], to, now=early)
    assert isinstance(shown.refusal, VersionNotBegun)
    with refuses(VersionNotBegun, from_on=dt.date(2026, 9, 29), number=2):
        move(office, case, to, now=early)
    move(office, case, to, now=at(9, 29, 0, 1))


def test_a_breach_that_stands_again_is_said_and_told(office: Office) -> None:
    case = office.dispatched()
    first = case.policy_version
    sweep.pass_time(office.session, case.number, now=at(10, 12, 9))
    move(office, case, corrected(office, longer), now=at(10, 12, 10))
    (shown,) = moving.preview(office.session, [case], first, now=at(10, 12, 11))
    assert ("breach_restored", "close_a") in [(one.kind, one.key) for one in shown.effects]
    told = sa.select(sa.func.count(Notice.id)).where(Notice.kind == "breached")
    before = office.session.scalar(told)
    assert move(office, case, first, now=at(10, 12, 11)) == shown.effects
    assert office.session.scalar(told) == (before or 0) + 1
