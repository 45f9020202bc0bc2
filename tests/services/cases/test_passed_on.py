"""Who leads a department changes under its open cases: whose turn it is, and who pays."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from models import Complaint, Notice
from policy.vocabulary.errors import FieldMissing, PostMissing, StatusForbids
from policy.vocabulary.status import PenaltyStatus
from services.cases import handling, intake, sweep
from services.company import people
from tests.company import REPLIED, Office, at
from tests.services.cases.test_handed_to import remap

POST = "after_sales_director"
LAST = dt.date(2026, 9, 28)
NEXT = dt.date(2026, 9, 29)
LATER = at(10, 12, 9)
"""The answer was due on 8 October at ten."""


def ends(office: Office, last: dt.date = LAST) -> None:
    """The director's last day as a director."""
    (leading,) = office.holdings(POST)
    people.end_post(office.session, leading, until_on=last)


def follows(office: Office, name: str = "manager", *, on: dt.date = NEXT) -> None:
    people.hold_post(office.session, office.employee(name), POST, from_on=on)


def pass_time(office: Office, case: Complaint, now: dt.datetime = LATER) -> None:
    sweep.pass_time(office.session, case.number, now=now)


def fined(case: Complaint, status: PenaltyStatus = PenaltyStatus.proposed) -> list[str]:
    return sorted({one.employee.name for one in case.penalties if one.status is status})


def told(office: Office, case: Complaint, kind: str) -> list[int | None]:
    rows = sa.select(Notice.employee_id).where(Notice.complaint_id == case.id, Notice.kind == kind)
    return list(office.session.scalars(rows.order_by(Notice.id)))


def test_who_follows_in_the_post_answers_and_is_told(office: Office) -> None:
    case = office.dispatched()
    ends(office)
    follows(office)
    office.reply(case, at(9, 29, 9))
    assert case.responsible is office.employee("manager")
    assert told(office, case, "to_confirm") == [office.employee("manager").id]
    assert case.handler is office.employee("mechanic")
    with pytest.raises(PostMissing):
        office.confirm(case, at(9, 29, 10))
    office.confirm(case, at(9, 29, 10), by="manager")


def test_what_ends_after_a_director_left_costs_who_followed(office: Office) -> None:
    case = office.dispatched()
    ends(office)
    follows(office)
    due = case.due_at
    pass_time(office, case)
    assert fined(case) == ["manager"]
    assert case.due_at == due


def test_what_ended_before_a_director_left_costs_them(office: Office) -> None:
    case = office.dispatched()
    ends(office, dt.date(2026, 10, 9))
    follows(office, on=dt.date(2026, 10, 10))
    pass_time(office, case)
    assert fined(case) == ["director"]
    assert case.responsible is office.employee("manager")


def test_while_nobody_holds_the_post_nobody_pays(office: Office) -> None:
    case = office.dispatched()
    ends(office)
    pass_time(office, case)
    assert fined(case) == []
    assert case.responsible is None
    assert case.department is office.department("after_sales")
    follows(office, on=LATER.date())
    pass_time(office, case, LATER + dt.timedelta(hours=1))
    sweep.pass_on(office.session, case.number, now=LATER)
    assert case.responsible is office.employee("manager")
    assert fined(case) == []


def test_a_post_that_is_ended_late_moves_a_proposal_to_who_held_it(office: Office) -> None:
    case = office.dispatched()
    pass_time(office, case)
    assert fined(case) == ["director"]
    ends(office)
    follows(office)
    sweep.pass_on(office.session, case.number, now=at(10, 13, 9))
    assert fined(case) == ["manager"]
    assert fined(case, PenaltyStatus.lapsed) == ["director"]


def test_each_who_held_it_in_between_answers_for_their_time(office: Office) -> None:
    case = office.dispatched()
    ends(office)
    people.hold_post(
        office.session,
        office.employee("colleague"),
        POST,
        from_on=NEXT,
        until_on=dt.date(2026, 10, 9),
    )
    follows(office, on=dt.date(2026, 10, 11))
    pass_time(office, case)
    assert fined(case) == ["colleague"]
    names = [row.responsible and row.responsible.name for row in case.assignments]
    assert names == ["director", "colleague", None, "manager"]


def test_a_deputy_whose_time_is_over_hands_back(office: Office) -> None:
    case = office.registered(received_at=at(11, 12, 9), now=at(11, 12, 9))
    office.dispatch(case, at(11, 12, 10))
    assert case.responsible is office.employee("manager")
    handling.progress(
        office.session, case, text="等配件", actor=office.by("mechanic"), now=at(11, 16, 9)
    )
    assert case.responsible is office.employee("director")


def test_the_worker_finds_the_cases_that_others_lead_now(office: Office) -> None:
    case = office.dispatched()
    now = at(9, 29, 9)
    assert sweep.cases_to_pass_on(office.session, now=now) == []
    ends(office)
    assert sweep.cases_to_pass_on(office.session, now=now) == [case.number]
    sweep.pass_on(office.session, case.number, now=now)
    assert sweep.cases_to_pass_on(office.session, now=now) == []
    follows(office)
    assert sweep.cases_to_pass_on(office.session, now=now) == [case.number]
    sweep.pass_on(office.session, case.number, now=now)
    assert case.responsible is office.employee("manager")
    assert sweep.cases_to_pass_on(office.session, now=now) == []


def test_a_deed_passes_an_open_case_on_to_whom_is_meant_now(office: Office, refuses: Any) -> None:
    case = office.dispatched()
    due = case.due_at
    said: dict[str, Any] = {"actor": office.by("specialist"), "now": REPLIED}
    remap(office, "workshop")
    with refuses(FieldMissing, field="reason"):
        intake.hand_over(office.session, case, **said)
    with refuses(PostMissing):
        intake.hand_over(
            office.session, case, **said | {"actor": office.by("mechanic")}, reason="改"
        )
    intake.hand_over(office.session, case, reason="车间接手", **said)
    assert (case.department, case.due_at) == (office.department("workshop"), due)
    with pytest.raises(PostMissing):
        office.reply(case, actor=office.sheet("after_sales"))
    office.reply(case, actor=office.sheet("workshop"))


def test_the_administrator_passes_on_and_what_nobody_has_stays(office: Office) -> None:
    case = office.dispatched()
    remap(office, "workshop")
    said: dict[str, Any] = {"actor": office.administrator, "now": REPLIED, "reason": "合并部门"}
    intake.hand_over(office.session, case, **said)
    assert case.department is office.department("workshop")
    with pytest.raises(StatusForbids):
        intake.hand_over(office.session, office.registered(), **said)
