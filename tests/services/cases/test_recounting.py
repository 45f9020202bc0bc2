"""Terms counted anew after the calendar changed: shown first, then done, and done once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from database import reading, writing
from models import Breach, Calendar, Complaint, Deadline, Journal, WorkRequest
from policy.engine.folding import fold
from policy.proof import whatif
from policy.vocabulary.errors import FieldMissing
from policy.vocabulary.status import ActorKind, PenaltyStatus, Sign
from policy.vocabulary.worktime import DayKind
from services.calendar import working_calendar
from services.calendar.changes import (
    CalendarChange,
    apply_change,
    calendar_after,
    company_day,
    office_hours,
    official_year,
)
from services.cases import journal, penalties, record, recounting, sweep
from services.jobs import leases, requests
from tests.company import REPLIED, Office, at
from worker.jobs import recount_cases
from worker.loop import Turn

OFF = dt.date(2026, 9, 29)
"""The second day of the case that `office.dispatched` tells of; it is due on 8 October at ten."""
NOW = at(9, 28, 12)
DUE, DUE_WITH_A_DAY_OFF = at(10, 8, 10), at(10, 9, 10)


def closing(complaint: Complaint) -> Deadline:
    (found,) = [d for d in complaint.deadlines if d.key.startswith("close")]
    return found


def change(session: Session, wanted: CalendarChange, now: dt.datetime = NOW) -> Calendar:
    calendar = working_calendar.find_calendar(session)
    assert calendar is not None
    apply_change(session, calendar, wanted, reason="厂休", actor="admin", now=now)
    return calendar


def day_off(session: Session, now: dt.datetime = NOW) -> None:
    change(session, company_day(OFF, DayKind.rest, "厂庆"), now)


def recount(office: Office, complaint: Complaint, now: dt.datetime = NOW) -> Any:
    return recounting.recount(
        office.session, complaint.number, reason="厂休", actor=office.administrator, now=now
    )


def test_a_preview_says_what_would_move_and_writes_nothing(
    office: Office, rows: Callable[[], Any]
) -> None:
    complaint = office.dispatched()
    calendar = working_calendar.find_calendar(office.session)
    assert calendar is not None
    before = rows()
    value = calendar_after(office.session, calendar, company_day(OFF, DayKind.rest, "厂庆"))
    (moving,) = recounting.preview(office.session, value, now=NOW)

    assert moving.number == complaint.number
    moved = {e.key: (e.facts["due_before"], e.facts["due_at"]) for e in moving.effects}
    assert moved["close_a"] == (DUE, DUE_WITH_A_DAY_OFF)
    assert rows() == before


def test_a_change_alone_moves_nothing_and_counting_anew_moves_what_the_preview_said(
    office: Office,
) -> None:
    complaint = office.dispatched()
    day_off(office.session)
    assert closing(complaint).due_at == DUE
    assert recounting.outdated_cases(office.session, now=NOW) == [complaint.number]

    recount(office, complaint)
    assert (closing(complaint).due_at, complaint.due_at) == (DUE_WITH_A_DAY_OFF,) * 2
    (revision,) = closing(complaint).revisions
    assert (revision.due_before, revision.due_after) == (DUE, DUE_WITH_A_DAY_OFF)
    assert (revision.reason, revision.journal_seq) == ("calendar", complaint.version)
    row = office.session.scalars(sa.select(Journal).where(Journal.event == "recounted")).one()
    assert (row.data["reason"], row.actor) == ("厂休", ActorKind.user)
    assert recounting.outdated_cases(office.session, now=NOW) == []


def test_counting_anew_twice_does_it_once(office: Office) -> None:
    complaint = office.dispatched()
    day_off(office.session)
    assert recount(office, complaint)
    version = complaint.version
    assert recount(office, complaint, NOW + dt.timedelta(minutes=1)) == ()
    assert complaint.version == version


def test_counting_anew_asks_for_a_reason(office: Office) -> None:
    complaint = office.dispatched()
    day_off(office.session)
    with pytest.raises(FieldMissing):
        recounting.recount(
            office.session, complaint.number, reason="", actor=office.administrator, now=NOW
        )


def test_a_case_that_lived_under_two_calendars_folds_to_its_rows(office: Office) -> None:
    complaint = office.dispatched()
    day_off(office.session)
    recount(office, complaint)
    office.reply(complaint)
    office.confirm(complaint)
    # Without the history of the calendar the same journal would make another case.
    fresh = journal.fold_journal(office.session, complaint)
    assert fresh == record.facts_of(office.session, complaint)
    now = working_calendar.work_calendar(office.session)
    pack, _ = journal.rules_of(office.session, complaint)
    assert fold(journal.entries(office.session, complaint), pack, now) != fresh


def test_a_case_registered_before_the_change_is_judged_by_the_calendar_of_each_deed(
    office: Office,
) -> None:
    """A deed recorded before the change folds under the calendar of then, whatever is asked now."""
    complaint = office.dispatched()
    day_off(office.session)
    later = office.registered(now=at(9, 28, 13))
    office.dispatch(later, at(9, 28, 14))
    assert closing(later).due_at == at(10, 9, 14)
    assert closing(complaint).due_at == DUE


def test_a_breach_whose_end_now_lies_ahead_is_lifted_and_its_penalty_lapses(
    office: Office,
) -> None:
    complaint = office.dispatched()
    sweep.pass_time(office.session, complaint.number, now=at(10, 8, 11))
    assert [p.status for p in complaint.penalties] == [PenaltyStatus.proposed]
    day_off(office.session, at(10, 8, 12))
    recount(office, complaint, at(10, 8, 12))

    (breach,) = office.session.scalars(
        sa.select(Breach).where(Breach.deadline == closing(complaint))
    )
    assert (breach.breached_at, breach.lifted_at) == (DUE, at(10, 8, 12))
    assert breach.lifted_because == "calendar"
    assert [p.status for p in complaint.penalties] == [PenaltyStatus.lapsed]


def test_only_cases_that_may_look_at_the_changed_days_are_looked_at(office: Office) -> None:
    complaint = office.dispatched()
    calendar = working_calendar.work_calendar(office.session)
    near = (at(9, 29, 0), at(9, 30, 0))
    far = (at(11, 29, 0), at(11, 30, 0))
    assert recounting._affected_ids(office.session, near) == [complaint.id]
    assert recounting._affected_ids(office.session, far) == []
    assert list(recounting.preview(office.session, calendar, now=NOW, span=near)) == []


def test_other_office_hours_move_what_is_clipped_to_them(office: Office) -> None:
    complaint = office.dispatched()
    noon = [(dt.time(13), dt.time(17))]
    change(office.session, office_hours(noon, []))
    recount(office, complaint)
    assert closing(complaint).due_at == at(10, 8, 13)


def test_loading_the_year_makes_ends_final(office: Office) -> None:
    late = at(12, 29, 9)
    complaint = office.registered(received_at=late, now=late + dt.timedelta(minutes=30))
    office.dispatch(complaint, late + dt.timedelta(hours=1))
    deadline = closing(complaint)
    assert deadline.provisional
    days = {dt.date(2027, 1, day): (DayKind.holiday, "元旦") for day in (1, 2, 3, 4)}
    change(office.session, official_year(2027, days, source="公文"), at(12, 29, 12))
    recount(office, complaint, at(12, 29, 12))
    assert not deadline.provisional
    assert "provisional" not in deadline.because
    assert [r.reason for r in deadline.revisions] == ["calendar"]


def test_a_preview_asks_the_database_the_same_for_ten_cases_as_for_one(
    office: Office, engine: Engine, count: Callable[..., Any]
) -> None:
    def statements(cases: int) -> int:
        for _ in range(cases):
            office.dispatched()
        office.session.commit()
        with reading(engine) as session, count() as seen:
            calendar = working_calendar.find_calendar(session)
            assert calendar is not None
            value = calendar_after(session, calendar, company_day(OFF, DayKind.rest, "厂庆"))
            list(recounting.preview(session, value, now=NOW))
        return len(seen)

    assert statements(1) == statements(9)


def test_a_case_tried_under_its_own_rules_differs_in_nothing_after_the_calendar_changed(
    office: Office,
) -> None:
    complaint = office.dispatched()
    day_off(office.session)
    recount(office, complaint)
    office.reply(complaint)
    pack, calendar = journal.rules_of(office.session, complaint)
    entries = journal.entries(office.session, complaint)
    past = working_calendar.history(office.session)
    after = whatif.replay_under(entries, pack, calendar, now=REPLIED, calendars=past)
    before = record.facts_of(office.session, complaint)
    assert not whatif.compare_pictures(before, after)
    assert after == before


# ---------------------------------------------------------------- the worker


def test_the_worker_counts_anew_what_somebody_asked_for(office: Office, engine: Engine) -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    begun = now - dt.timedelta(minutes=10)
    complaint = office.registered(received_at=begun, now=begun)
    office.dispatch(complaint, begun)
    before = closing(complaint).due_at
    assert before is not None
    calendar = working_calendar.work_calendar(office.session)
    tomorrow = calendar.add_days(calendar.local(now).date(), 1)
    change(office.session, company_day(tomorrow, DayKind.rest, "厂庆"), now)
    requests.request_work(
        office.session, kind=recounting.REQUEST, key="company", user_id=None, now=now
    )
    office.session.commit()

    recount_cases(_turn(engine, now))
    office.session.expire_all()
    assert closing(complaint).due_at != before
    assert closing(complaint).revisions[0].reason == "calendar"
    row = office.session.scalars(sa.select(Journal).where(Journal.event == "recounted")).one()
    assert (row.actor, row.data["reason"]) == (ActorKind.system, "厂休")
    assert office.session.scalars(sa.select(WorkRequest)).one().done_at is not None


def test_the_worker_touches_nothing_that_nobody_asked_for(office: Office, engine: Engine) -> None:
    now = dt.datetime.now(dt.UTC)
    complaint = office.dispatched()
    day_off(office.session)
    office.session.commit()
    recount_cases(_turn(engine, now))
    office.session.expire_all()
    assert closing(complaint).revisions == []


def _turn(engine: Engine, now: dt.datetime) -> Turn:
    with writing(engine) as session:
        fence = leases.acquire(
            session, "recount", holder="-", now=now, term=dt.timedelta(minutes=2)
        )
    assert fence is not None
    return Turn(engine, "recount", fence)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_mistaken_day_that_is_taken_back_leaves_nothing_pardoned(
    office: Office, confirmed: bool
) -> None:
    complaint = office.dispatched()
    now = at(10, 8, 12)
    sweep.pass_time(office.session, complaint.number, now=now)
    fine = office.penalty(complaint, "late_close")
    if confirmed:
        penalties.confirm(office.session, fine, actor=office.by("care_director"), now=now)
    stood = fine.status
    change(office.session, company_day(DUE.date(), DayKind.rest, "误设"), now)
    recount(office, complaint, now)
    assert closing(complaint).due_at == at(10, 9, 10)
    assert [breach.lifted_because for breach in closing(complaint).breaches] == ["calendar"]
    back = now + dt.timedelta(minutes=1)
    wanted = company_day(DUE.date(), None, "")
    calendar = working_calendar.find_calendar(office.session)
    assert calendar is not None
    value = calendar_after(office.session, calendar, wanted)
    (moving,) = recounting.preview(office.session, value, now=back)
    assert "breach_restored" in [effect.kind for effect in moving.effects]
    change(office.session, wanted, back)
    assert recount(office, complaint, back) == moving.effects
    assert closing(complaint).due_at == DUE
    assert [breach.lifted_at for breach in closing(complaint).breaches] == [None]
    assert fine.status is stood
    given_back = [row for row in complaint.penalties if row.sign is Sign.reversal]
    assert {row.status for row in given_back} <= {PenaltyStatus.lapsed}
    assert recount(office, complaint, back + dt.timedelta(minutes=1)) == ()
