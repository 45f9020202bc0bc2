"""Notices: told once, spread over their ways, tried until they arrive, given up in the end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from database import writing
from enums import Audience
from models import Notice, NoticeChannel, NoticeDelivery, Workbook
from policy.vocabulary.errors import Duplicate, FieldMissing, FieldTooLong
from services.cases import handling
from services.notices import channels, deliveries, notices, outcomes, reminders
from tests.company import DISPATCHED, MORNING, REPLIED, Office, at

WITHIN = dt.timedelta(hours=4)
HOUR = dt.timedelta(hours=1)


def _soon(office: Office, now: dt.datetime) -> list[Notice]:
    return reminders.remind_of_deadlines(office.session, now=now, on=now.date(), within=WITHIN)


def _spread(office: Office, now: dt.datetime, *, mails: bool = True) -> int:
    return deliveries.make_deliveries(office.session, now=now, on=now.date(), mails=mails)


def _mailbox(office: Office, *names: str) -> None:
    for name in names:
        office.employee(name).email = f"{name}@redress.example"


def _channel(office: Office, name: str, department: str | None = None) -> NoticeChannel:
    real = None if department is None else office.department(department)
    return channels.add_channel(
        office.session, name=name, address=f"json://127.0.0.1/{name}", department=real
    )


def _ways(session: Session) -> list[str]:
    return sorted(session.scalars(sa.select(NoticeDelivery.way)))


def _file(office: Office) -> Workbook:
    workbook = Workbook(
        audience=Audience.department,
        department_id=office.department("after_sales").id,
        name="售后",
        newborn=[],
    )
    office.session.add(workbook)
    office.session.flush()
    return workbook


@pytest.fixture
def told(office: Office) -> Notice:
    """The notice of a case that was just handed over to after-sales; nobody has a mailbox."""
    office.dispatched()
    return office.session.scalars(sa.select(Notice).where(Notice.kind == "dispatched")).one()


# ---------------------------------------------------------------- telling


def test_the_same_occasion_is_told_once(office: Office) -> None:
    complaint = office.dispatched()
    said: dict[str, Any] = {
        "kind": "refused_input",
        "now": REPLIED,
        "complaint": complaint,
        "facts": {},
    }
    first = notices.add_notice(office.session, occasion="row/1", **said)
    assert first is not None
    assert first.facts == {"number": complaint.number}
    assert first.department_id == complaint.department_id
    assert notices.add_notice(office.session, occasion="row/1", **said) is None
    assert notices.add_notice(office.session, occasion="row/2", **said) is not None


def test_a_file_without_a_case_is_told_about_once_too(office: Office) -> None:
    workbook = _file(office)
    said: dict[str, Any] = {"kind": "file_held", "occasion": "held", "facts": {"who": "Wang"}}
    first = notices.add_notice(office.session, workbook=workbook, now=MORNING, **said)
    assert first is not None
    assert first.facts == {"sheet": "售后", "who": "Wang"}
    assert first.department_id == workbook.department_id
    assert notices.add_notice(office.session, workbook=workbook, now=REPLIED, **said) is None


def test_what_was_typed_into_a_file_is_answered_to_whose_file_it_is(office: Office) -> None:
    complaint = office.registered()
    office.dispatch(complaint, department="sales")
    workbook = _file(office)
    said: dict[str, Any] = {"kind": "refused_input", "now": REPLIED, "facts": {}}
    told = notices.add_notice(
        office.session, occasion="1", workbook=workbook, complaint=complaint, **said
    )
    assert told is not None
    assert told.department_id == workbook.department_id != complaint.department_id
    assert told.facts == {"number": complaint.number, "sheet": "售后"}


def test_what_concerns_neither_case_nor_file_is_told_once(office: Office) -> None:
    said: dict[str, Any] = {"kind": "file_problem", "occasion": "no_folder", "facts": {}}
    assert notices.add_notice(office.session, now=MORNING, **said) is not None
    assert notices.add_notice(office.session, now=MORNING, **said) is None


# ---------------------------------------------------------------- due soon


def test_a_term_is_announced_in_its_last_hours_and_once(office: Office) -> None:
    complaint = office.dispatched()
    due_at = at(10, 8, 10)
    assert _soon(office, due_at - WITHIN - dt.timedelta(minutes=1)) == []
    (notice,) = _soon(office, due_at - WITHIN)
    assert notice.complaint_id == complaint.id
    assert notice.employee_id == office.employee("director").id
    assert notice.department_id == office.department("after_sales").id
    assert notice.facts["number"] == complaint.number
    assert dt.datetime.fromisoformat(notice.facts["due_at"]) == due_at
    assert _soon(office, due_at - HOUR) == [], "once per due time"
    assert _soon(office, due_at) == [], "then it is not soon but over"


def test_a_short_term_is_announced_in_its_last_quarter(office: Office) -> None:
    complaint = office.registered()
    (clock,) = [one for one in complaint.deadlines if one.key == "handover"]
    assert clock.due_at is not None
    quarter = (clock.due_at - clock.starts_at) / 4
    assert quarter < WITHIN
    assert _soon(office, clock.due_at - quarter - dt.timedelta(seconds=1)) == []
    (notice,) = _soon(office, clock.due_at - quarter)
    assert notice.department_id == office.department("care").id, "handing over is care's duty"
    assert notice.employee_id is None


def test_a_due_time_that_moved_is_announced_anew(office: Office) -> None:
    complaint = office.dispatched()
    assert len(_soon(office, at(10, 8, 9))) == 1
    (clock,) = [one for one in complaint.deadlines if one.key == "close_a"]
    clock.due_at = at(10, 9, 10)
    assert _soon(office, at(10, 8, 9, 30)) == []
    assert len(_soon(office, at(10, 9, 9))) == 1
    clock.due_at = at(10, 8, 10)


def test_a_call_is_the_duty_of_a_post_and_not_of_the_department(office: Office) -> None:
    complaint = office.confirmed()
    (clock,) = [one for one in complaint.deadlines if one.key == "verification"]
    assert clock.due_at is not None
    (notice,) = [n for n in _soon(office, clock.due_at - HOUR) if "verification" in n.occasion]
    assert (notice.employee_id, notice.post) == (None, "care_specialist")
    assert notice.department_id == office.department("care").id
    _mailbox(office, "specialist", "director", "mechanic")
    _channel(office, "care", "care")
    _channel(office, "after_sales", "after_sales")
    for other in office.session.scalars(sa.select(Notice).where(Notice.id != notice.id)):
        other.spread_at = MORNING
    _spread(office, clock.due_at - HOUR)
    specialist = office.employee("specialist").id
    care = office.session.scalars(
        sa.select(NoticeChannel.id).where(NoticeChannel.name == "care")
    ).one()
    assert _ways(office.session) == [f"channel:{care}", f"mail:{specialist}"]


def test_the_end_of_an_observation_is_nobodys_duty(office: Office) -> None:
    complaint = office.closed()
    (clock,) = [one for one in complaint.deadlines if one.key == "observation"]
    assert clock.due_at is not None
    assert [n for n in _soon(office, clock.due_at - HOUR) if "observation" in n.occasion] == []


def test_many_terms_cost_few_statements(office: Office, count: Any) -> None:
    for _ in range(5):
        office.dispatched()
    assert len(_soon(office, at(10, 8, 9))) == 5
    office.session.expire_all()
    with count() as statements:
        assert _soon(office, at(10, 8, 9)) == []
    assert len(statements) <= 2


# ---------------------------------------------------------------- spreading


def test_a_notice_goes_to_who_answers_who_handles_and_the_robots_of_the_department(
    office: Office, told: Notice
) -> None:
    assert told.complaint is not None
    handling.assign(
        office.session,
        told.complaint,
        handler=office.employee("mechanic").number,
        actor=office.by("director"),
        now=DISPATCHED,
    )
    told.department_id = office.department("after_sales").id
    _mailbox(office, "director", "mechanic", "salesman")
    mine, every = _channel(office, "after-sales", "after_sales"), _channel(office, "everybody")
    _channel(office, "sales", "sales")
    off = _channel(office, "off")
    off.active = False
    assert _spread(office, DISPATCHED) == 1
    director, mechanic = office.employee("director").id, office.employee("mechanic").id
    assert _ways(office.session) == sorted(
        [f"channel:{mine.id}", f"channel:{every.id}", f"mail:{director}", f"mail:{mechanic}"]
    )
    assert _spread(office, DISPATCHED) == 0, "once"


def test_nobody_gets_mail_who_has_left_or_where_no_mail_server_is(
    office: Office, told: Notice
) -> None:
    _mailbox(office, "director")
    director = office.employee("director")
    director.left_on = DISPATCHED.date() - dt.timedelta(days=1)
    _spread(office, DISPATCHED)
    assert _ways(office.session) == []
    told.spread_at = director.left_on = None
    _spread(office, DISPATCHED, mails=False)
    assert _ways(office.session) == []
    assert (told.spread_at, outcomes.state_of(told)) == (DISPATCHED, "nobody")
    assert not outcomes.was_too_old(told)


def test_after_days_without_a_server_nobody_is_flooded(office: Office, told: Notice) -> None:
    _mailbox(office, "director")
    _spread(office, DISPATCHED + deliveries.STALE + dt.timedelta(seconds=1))
    assert _ways(office.session) == []
    assert outcomes.was_too_old(told)
    assert outcomes.state_of(told) == "nobody"


# ---------------------------------------------------------------- sending


@pytest.fixture
def delivery(office: Office, told: Notice) -> NoticeDelivery:
    """The mail to the director about that case, waiting to be sent."""
    _mailbox(office, "director")
    _spread(office, DISPATCHED)
    return office.session.scalars(sa.select(NoticeDelivery)).one()


def _begin(office: Office, delivery: NoticeDelivery, now: dt.datetime) -> Any:
    return deliveries.begin_try(office.session, delivery.id, now=now, on=now.date())


def test_a_try_says_what_to_send_to_whom_and_nothing_about_the_customer(
    office: Office, delivery: NoticeDelivery
) -> None:
    assert deliveries.due_deliveries(office.session, now=DISPATCHED) == [delivery.id]
    going = _begin(office, delivery, DISPATCHED)
    complaint = delivery.notice.complaint
    assert complaint is not None
    assert (going.kind, going.email) == ("dispatched", "director@redress.example")
    assert going.channel_address is None
    assert set(going.facts) == {"number", "department", "due_at"}
    assert (going.facts["number"], going.facts["due_at"]) == (complaint.number, complaint.due_at)


def test_what_was_begun_is_not_begun_again_until_its_time(
    office: Office, delivery: NoticeDelivery
) -> None:
    assert _begin(office, delivery, DISPATCHED) is not None
    assert _begin(office, delivery, DISPATCHED) is None
    assert deliveries.due_deliveries(office.session, now=DISPATCHED) == []
    later = DISPATCHED + deliveries.BACKOFF[0]
    assert deliveries.due_deliveries(office.session, now=later) == [delivery.id], (
        "a crash loses nothing"
    )
    assert outcomes.state_of(delivery.notice) == "waiting"


def test_what_was_sent_is_never_sent_again(office: Office, delivery: NoticeDelivery) -> None:
    _begin(office, delivery, DISPATCHED)
    deliveries.mark_sent(office.session, delivery.id, now=DISPATCHED)
    assert deliveries.due_deliveries(office.session, now=at(12, 31, 10)) == []
    assert (delivery.tries, delivery.failure) == (1, None)
    assert outcomes.state_of(delivery.notice) == "sent"


def test_a_failure_is_tried_again_ever_later_and_given_up_with_its_reason(
    office: Office, delivery: NoticeDelivery
) -> None:
    now, waits = DISPATCHED, []
    while _begin(office, delivery, now) is not None:
        deliveries.mark_failed(office.session, delivery.id, why="unreachable")
        if delivery.next_at is not None:
            waits.append(delivery.next_at - now)
            now = delivery.next_at
    assert tuple(waits) == deliveries.BACKOFF
    assert delivery.tries == deliveries.TRIES == 6
    assert (delivery.next_at, delivery.failure) == (None, "unreachable")
    assert outcomes.state_of(delivery.notice) == "failed"


def test_a_crash_at_the_last_try_leaves_a_failure_to_be_seen(
    office: Office, delivery: NoticeDelivery
) -> None:
    delivery.tries = deliveries.TRIES - 1
    _begin(office, delivery, DISPATCHED)
    assert (delivery.next_at, delivery.failure) == (None, "interrupted")
    assert outcomes.state_of(delivery.notice) == "failed"


def test_a_delivery_that_waited_for_a_day_is_given_up(
    office: Office, delivery: NoticeDelivery
) -> None:
    assert _begin(office, delivery, DISPATCHED + deliveries.STALE + HOUR) is None
    assert (delivery.tries, delivery.failure, delivery.next_at) == (0, "too_old", None)


def test_a_channel_switched_off_meanwhile_hears_nothing_but_a_test(
    office: Office, told: Notice
) -> None:
    channel = _channel(office, "everybody")
    _spread(office, DISPATCHED)
    channel.active = False
    (waiting,) = office.session.scalars(sa.select(NoticeDelivery))
    assert _begin(office, waiting, DISPATCHED) is None
    assert (waiting.failure, outcomes.state_of(told)) == ("channel_off", "nobody")
    trial = channels.send_test(office.session, channel, now=REPLIED)
    (delivery,) = trial.deliveries
    going = _begin(office, delivery, REPLIED)
    assert (going.kind, going.channel_address) == ("test", channel.address)
    assert going.facts["channel"] == "everybody"


def test_a_term_that_was_met_meanwhile_is_not_announced_any_more(office: Office) -> None:
    complaint = office.dispatched()
    _mailbox(office, "director")
    (notice,) = _soon(office, at(10, 8, 9))
    _spread(office, at(10, 8, 9))
    (delivery,) = notice.deliveries
    office.reply(complaint, at(10, 8, 9, 10))
    office.confirm(complaint, at(10, 8, 9, 20))
    assert _begin(office, delivery, at(10, 8, 9, 30)) is None
    assert (delivery.failure, outcomes.state_of(notice)) == ("over", "nobody")


def test_of_two_workers_one_sends(office: Office, engine: Engine) -> None:
    office.dispatched()
    _mailbox(office, "director")
    _spread(office, DISPATCHED)
    (waiting,) = deliveries.due_deliveries(office.session, now=DISPATCHED)
    office.session.commit()
    begun = []
    for _ in range(2):
        with writing(engine) as session:
            begun.append(
                deliveries.begin_try(session, waiting, now=DISPATCHED, on=DISPATCHED.date())
            )
    assert [one is not None for one in begun] == [True, False]


# ---------------------------------------------------------------- channels and states


def test_a_channel_needs_a_name_of_its_own_and_an_address(office: Office) -> None:
    first = _channel(office, "everybody")
    with pytest.raises(Duplicate):
        _channel(office, " everybody ")
    with pytest.raises(FieldMissing):
        channels.add_channel(office.session, name="other", address=" ", department=None)
    with pytest.raises(FieldTooLong):
        channels.add_channel(office.session, name="n" * 121, address="json://x", department=None)
    before = first.address
    channels.change_channel(
        office.session, first, name="everybody", address="", department=None, active=False
    )
    assert (first.address, first.active) == (before, False)
    channels.change_channel(
        office.session, first, name="all", address="json://y", department=None, active=True
    )
    assert (first.name, first.address) == ("all", "json://y")


def test_the_list_finds_what_the_state_of_each_notice_says(office: Office) -> None:
    complaint = office.dispatched()
    channel = _channel(office, "everybody")
    for number in range(8):
        notices.add_notice(
            office.session,
            kind="refused_input",
            occasion=str(number),
            now=DISPATCHED,
            complaint=complaint,
            facts={},
        )
    _spread(office, DISPATCHED)
    rows = list(office.session.scalars(sa.select(Notice).order_by(Notice.id)))
    fates: list[tuple[dt.datetime | None, dt.datetime | None, str | None]] = [
        (DISPATCHED, None, None),
        (None, DISPATCHED, None),
        (None, None, "unreachable"),
        (None, None, "over"),
        (DISPATCHED, None, "unreachable"),
    ]
    for row, (next_at, sent_at, failure) in zip(rows, fates, strict=False):
        (one,) = row.deliveries
        one.next_at, one.sent_at, one.failure = next_at, sent_at, failure
    rows[6].spread_at = None
    office.session.add(
        NoticeDelivery(notice_id=rows[1].id, way="channel:x", channel_id=channel.id, failure="no")
    )
    office.session.flush()
    office.session.expire_all()
    for state in outcomes.STATES:
        found = office.session.scalars(sa.select(Notice).where(outcomes.has_state(state)))
        assert set(found) == {row for row in rows if outcomes.state_of(row) == state}, state
    assert {outcomes.state_of(row) for row in rows[:4]} == {"waiting", "failed", "nobody"}


def test_history_is_not_announced(office: Office) -> None:
    complaint = office.dispatched()
    complaint.history = True
    office.session.flush()
    assert _soon(office, at(10, 8, 9)) == []
    complaint.history = False
    office.session.flush()
    assert len(_soon(office, at(10, 8, 9))) == 1


@pytest.mark.parametrize(
    ("post", "own", "mailed", "heard"),
    [
        (None, True, True, ["care", "everybody"]),
        ("care_specialist", True, True, ["care"]),
        ("care_specialist", False, True, []),
        ("care_specialist", False, False, ["everybody"]),
    ],
)
def test_what_is_late_for_a_post_is_told_to_everybody_only_where_nobody_else_hears(
    office: Office, post: str | None, own: bool, mailed: bool, heard: list[str]
) -> None:
    _channel(office, "everybody")
    _channel(office, "care", "care") if own else None
    if mailed:
        _mailbox(office, "specialist")
    said: dict[str, Any] = {"kind": "alert", "occasion": "late", "facts": {}, "post": post}
    said |= {"department_id": office.department("care").id}
    assert notices.add_notice(office.session, now=MORNING, **said) is not None
    _spread(office, MORNING)
    names = {
        f"channel:{one.id}": one.name for one in office.session.scalars(sa.select(NoticeChannel))
    }
    assert sorted(names[way] for way in _ways(office.session) if way in names) == heard
