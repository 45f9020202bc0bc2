"""A department's spreadsheet as the one who acts: what it may do, when it counts, what it mends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import Engine

from admin.cases.timeline import timeline
from database import writing
from enums import Audience
from models import Complaint, Customer, DepartmentMeaning, Journal, Notice, User, Workbook
from policy.vocabulary.errors import (
    FieldMissing,
    LaterStepsStand,
    NameNeeded,
    NotFound,
    PhoneRefused,
    PostMissing,
    TimeBeforeCase,
    TimeInFuture,
    ValueRefused,
)
from policy.vocabulary.status import (
    ActorKind,
    DeadlineState,
    PenaltyStatus,
    ReplyOutcome,
    Sign,
    Status,
)
from services.cases import correcting, desk, handling, intake, penalties, sweep
from services.company.actors import Actor
from services.jobs import leases
from services.regulation import policies
from tests.company import Office, at, regulation
from tests.regulations import apart
from worker import jobs, loop

CSC = {"channel": "csc"}
"""What makes the usual case one whose customer must be contacted by half past nine."""
HALF_PAST = at(9, 28, 9, 30)
HEARD = {
    "customer": "客户甲",
    "phone": "138 0000 0000",
    "body": "发动机异响\n冷车时更明显",
    "now": at(9, 28, 9, 2),
    "at": at(9, 28, 9, 1),
}


def heard(office: Office, key: str = "after_sales", **said: Any) -> Complaint:
    usual: dict[str, Any] = {**HEARD, "actor": office.sheet(key)}
    return intake.register_in_workbook(office.session, office.department(key), **(usual | said))


def hurried(office: Office) -> Complaint:
    """A CSC case at the department since five past nine; half past nine is the first contact."""
    case = office.registered(**CSC, now=at(9, 28, 9, 2))
    office.dispatch(case, at(9, 28, 9, 5))
    return case


def sheet(
    office: Office, read_at: dt.datetime | None, key: str = "after_sales", **more: Any
) -> Workbook:
    """The department's file, last read by a look that began then."""
    department = office.department(key)
    row = Workbook(
        audience=Audience.department,
        department=department,
        name=f"{department.name}的文件",
        newborn=[],
        complete_at=read_at,
        **more,
    )
    office.session.add(row)
    office.session.flush()
    return row


def clock(case: Complaint, key: str) -> Any:
    (found,) = [deadline for deadline in case.deadlines if deadline.key == key]
    return found


# ---------------------------------------------------------------- registering


def test_a_row_a_department_writes_becomes_a_case_for_the_care_desk(office: Office) -> None:
    case = heard(office, demand="修好 ", extra={"plate": "沪A00001"})
    assert (case.number, case.status, case.kind, case.channel) == (
        "TS2026090001",
        Status.registered,
        "complaint",
        "department",
    )
    assert (case.subject, case.body, case.demand) == (
        "发动机异响",
        "发动机异响\n冷车时更明显",
        "修好",
    )
    assert case.customer is not None
    assert (case.customer.name, case.customer.phone_digits) == ("客户甲", "13800000000")
    assert (case.received_at, case.registered_at) == (at(9, 28, 9, 1), at(9, 28, 9, 1))
    assert clock(case, "handover").due_at == at(9, 28, 11, 1)
    assert case.department is None
    row = office.session.scalars(sa.select(Journal)).one()
    assert (row.actor, row.user_id, row.employee_id) == (ActorKind.sheet, None, None)
    assert (row.happened_at, row.recorded_at) == (at(9, 28, 9, 1), at(9, 28, 9, 2))


def test_since_receipt_counts_from_when_the_customer_spoke(office: Office) -> None:
    case = heard(office, received_at=at(9, 28, 8, 40))
    assert clock(case, "handover").due_at == at(9, 28, 10, 40)


def test_the_subject_is_the_first_line_of_what_was_said_cut_to_sixty_characters(
    office: Office,
) -> None:
    assert heard(office, body="\n 响" + "声" * 80 + "\n第二行").subject == "响" + "声" * 59


@pytest.mark.parametrize(
    ("said", "kind", "facts"),
    [
        ({"body": " \n "}, FieldMissing, {"field": "body"}),
        ({"customer": " "}, FieldMissing, {"field": "customer"}),
        ({"phone": "x"}, PhoneRefused, {"field": "phone"}),
        ({"received_at": at(9, 28, 9, 1, year=2027)}, TimeInFuture, {"field": "received_at"}),
        ({"received_at": at(9, 28, 9, 2)}, TimeInFuture, {"field": "received_at"}),
        ({"at": at(9, 28, 9, 3)}, TimeInFuture, {"field": "at"}),
    ],
)
def test_a_row_that_cannot_be_right_becomes_no_case(
    office: Office, said: dict[str, Any], kind: type[Any], facts: dict[str, Any]
) -> None:
    with pytest.raises(kind) as refused, office.session.begin_nested():
        heard(office, **said)
    assert {name: refused.value.facts[name] for name in facts} == facts
    for table in (Complaint, Customer, Journal):
        assert office.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert heard(office).number == "TS2026090001"


def test_only_a_department_that_answers_for_cases_registers_them(
    office: Office, refuses: Callable[..., Any]
) -> None:
    with refuses(ValueRefused, field="department", why="answers_nothing"):
        heard(office, "hr")


def test_a_department_answers_for_what_the_regulation_means_by_it_that_day(
    office: Office, refuses: Callable[..., Any]
) -> None:
    meaning = DepartmentMeaning(
        policy_id=office.version.policy_id,
        key="workshop",
        department=office.department("hr"),
        from_on=dt.date(2026, 9, 28),
    )
    office.session.add(meaning)
    office.session.flush()
    assert heard(office, "hr").status is Status.registered
    with refuses(ValueRefused, why="answers_nothing"):
        heard(office, "workshop")
    with refuses(ValueRefused, why="answers_nothing"):
        heard(office, "hr", at=at(9, 27, 9), received_at=at(9, 27, 8))


def test_of_two_regulations_the_first_by_key_whose_sheets_register_takes_the_case(
    office: Office,
) -> None:
    for key, registers in (("a-silent", False), ("b-first", True), ("z-last", True)):
        data = apart(regulation(), key[0].upper())
        data["policy"] = {**data["policy"], "key": key, "label": f"制度 {key}"}
        if not registers:
            data["channel"] = [
                {name: value for name, value in entry.items() if name != "sheet"}
                for entry in data["channel"]
            ]
        policies.publish(office.session, data, effective_from=dt.date(2026, 1, 1), now=at(1, 1, 9))
    assert heard(office).policy_version.policy.key == "b-first"


def test_a_sheet_registers_nothing_that_came_another_way(
    office: Office, refuses: Callable[..., Any]
) -> None:
    with refuses(PostMissing, deed="registered", cite="SKD-3.2.1a"):
        office.registered(actor=office.sheet("after_sales"))


# ---------------------------------------------------------------- working


def test_a_department_works_in_its_sheet_until_a_name_is_needed(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case, by = office.dispatched(), office.sheet("after_sales")
    said: dict[str, Any] = {"actor": by, "now": at(9, 28, 11)}
    handling.assign(office.session, case, handler="2006", **said, at=at(9, 28, 10, 50))
    handling.contact(office.session, case, **said, at=at(9, 28, 10, 55))
    handling.progress(office.session, case, text="等配件", **said)
    office.reply(case, at(9, 28, 12), actor=by, at=at(9, 28, 11, 30))
    assert case.handler is not None
    assert (case.status, case.handler.number) == (Status.replied, "2006")
    assert (case.contacted_at, case.replied_at) == (at(9, 28, 10, 55), at(9, 28, 11, 30))
    deeds: tuple[tuple[Any, dict[str, Any]], ...] = (
        (handling.confirm, {}),
        (handling.decline, {"reason": "-"}),
        (intake.classify, {"category": "parts"}),
    )
    for deed, more in deeds:
        with refuses(NameNeeded):
            deed(office.session, case, actor=by, now=at(9, 28, 13), **more)
    assert case.signoffs == []


def test_an_answer_without_a_name_makes_nobody_the_handler(office: Office) -> None:
    case = office.dispatched()
    office.reply(case, actor=office.sheet("after_sales"))
    assert (case.status, case.handler) == (Status.replied, None)


def test_a_department_names_only_its_own_people(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    said: dict[str, Any] = {"actor": office.sheet("after_sales"), "now": at(9, 28, 11)}
    with refuses(ValueRefused, field="handler", value="3002", why="other_department"):
        handling.assign(office.session, case, handler="3002", **said)
    with refuses(NotFound, what="employee", key="9999"):
        handling.assign(office.session, case, handler="9999", **said)
    said["actor"] = office.by("director")
    handling.assign(office.session, case, handler="3002", **said)
    assert case.handler is not None
    assert case.handler.number == "3002"


def test_a_sheet_does_nothing_about_the_case_of_another_department(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    said: dict[str, Any] = {"actor": office.sheet("sales"), "now": at(9, 28, 11)}
    with refuses(PostMissing, deed="replied"):
        handling.reply(office.session, case, outcome=ReplyOutcome.solved, text="-", **said)
    with refuses(PostMissing, deed="returned"):
        handling.return_order(office.session, case, reason="-", **said)
    with refuses(PostMissing, deed="progressed"):
        handling.progress(office.session, case, text="-", **said)


def test_a_department_gives_back_what_is_not_its_own(office: Office) -> None:
    case = office.dispatched()
    handling.return_order(
        office.session,
        case,
        reason="属销售部",
        actor=office.sheet("after_sales"),
        now=at(9, 28, 11),
        at=at(9, 28, 10, 30),
    )
    assert (case.status, case.department) == (Status.returned, None)


# ---------------------------------------------------------------- time


def answering(office: Office, **said: Any) -> Complaint:
    """A case under rules by which any answer meets the term, judged by when it was recorded."""
    data = apart(regulation(), "R")
    data["policy"] = {**data["policy"], "key": "answered"}
    data["deadline"] = [
        {**entry, "met_by": ["replied"]} if entry["key"] == "close_a" else entry
        for entry in data["deadline"]
    ]
    version = policies.publish(
        office.session, data, effective_from=dt.date(2026, 1, 1), now=at(1, 1, 9)
    )
    return office.dispatched(version=version, **said)


DUE = at(10, 8, 10)


@pytest.mark.parametrize(
    ("who", "met_at", "breached"),
    [("sheet", at(10, 8, 9, 59), False), ("mechanic", at(10, 8, 10, 5), True)],
)
def test_a_sheet_is_judged_by_when_it_was_typed_and_a_person_by_when_it_was_recorded(
    office: Office, who: str, met_at: dt.datetime, breached: bool
) -> None:
    case = answering(office)
    by = office.sheet("after_sales") if who == "sheet" else office.by(who)
    office.reply(case, at(10, 8, 10, 5), actor=by, at=at(10, 8, 9, 59))
    met = clock(case, "close_a")
    assert (met.state, met.met_at, bool(met.breaches)) == (DeadlineState.met, met_at, breached)
    assert bool(case.penalties) is breached


def test_what_was_typed_too_late_is_late(office: Office) -> None:
    case = answering(office)
    office.reply(case, at(10, 8, 10, 5), actor=office.sheet("after_sales"), at=at(10, 8, 10, 1))
    assert [b.breached_at for b in clock(case, "close_a").breaches] == [DUE]
    assert office.penalty(case, "late_close").status is PenaltyStatus.proposed


def test_a_breach_found_before_the_file_was_read_is_lifted_with_its_proposed_penalty(
    office: Office,
) -> None:
    case = answering(office)
    sweep.pass_time(office.session, case.number, now=at(10, 8, 10, 1))
    assert office.penalty(case, "late_close").status is PenaltyStatus.proposed
    office.reply(case, at(10, 8, 10, 5), actor=office.sheet("after_sales"), at=at(10, 8, 9, 59))
    (breach,) = clock(case, "close_a").breaches
    assert (breach.lifted_at, breach.lifted_because) == (at(10, 8, 10, 5), "met_in_time")
    assert office.penalty(case, "late_close").status is PenaltyStatus.lapsed
    (told,) = office.session.scalars(sa.select(Notice).where(Notice.kind == "breached"))
    assert told.department == office.department("after_sales")


def test_a_penalty_confirmed_too_soon_is_to_be_given_back(office: Office) -> None:
    case = answering(office)
    sweep.pass_time(office.session, case.number, now=at(10, 8, 10, 1))
    penalty = office.penalty(case, "late_close")
    penalties.confirm(
        office.session, penalty, actor=office.by("care_director"), now=at(10, 8, 10, 2)
    )
    office.reply(case, at(10, 8, 10, 5), actor=office.sheet("after_sales"), at=at(10, 8, 9, 59))
    assert [(p.sign, p.status) for p in case.penalties] == [
        (Sign.charge, PenaltyStatus.confirmed),
        (Sign.reversal, PenaltyStatus.proposed),
    ]


# ---------------------------------------------------------------- what the sweep spares


def swept(office: Office, case: Complaint, now: dt.datetime) -> list[str]:
    """The standing breaches of a case after the sweep has looked at it."""
    if case.number in sweep.due_cases(office.session, now=now):
        sweep.pass_time(office.session, case.number, now=now)
    return [d.key for d in case.deadlines for b in d.breaches if b.lifted_at is None]


def test_a_clock_the_sheet_can_meet_runs_out_only_after_a_look_begun_after_its_end(
    office: Office, rows: Callable[[], Any]
) -> None:
    case = hurried(office)
    file = sheet(office, at(9, 28, 9, 29))
    before = rows()
    assert swept(office, case, at(9, 28, 9, 31)) == []
    assert rows() == before
    file.complete_at = at(9, 28, 9, 31)
    assert swept(office, case, at(9, 28, 9, 32)) == ["csc_contact"]
    (breach,) = clock(case, "csc_contact").breaches
    assert (breach.breached_at, breach.found_at) == (HALF_PAST, at(9, 28, 9, 32))


@pytest.mark.parametrize(
    "more", [{"paused_at": at(9, 28, 9, 20)}, {"key": "sales"}, {"read_at": None}], ids=str
)
def test_a_file_that_is_paused_or_elsewhere_or_was_never_read_spares_nothing(
    office: Office, more: dict[str, Any]
) -> None:
    case = hurried(office)
    sheet(office, **({"read_at": at(9, 28, 9, 29)} | more))
    assert swept(office, case, at(9, 28, 9, 31)) == ["csc_contact"]


def test_a_look_that_began_at_the_last_instant_is_not_after_it(office: Office) -> None:
    case = hurried(office)
    sheet(office, HALF_PAST)
    assert swept(office, case, at(9, 28, 9, 31)) == []


def test_what_no_sheet_can_meet_runs_out_and_what_one_can_is_spared_beside_it(
    office: Office,
) -> None:
    case = hurried(office)
    sheet(office, at(9, 28, 9, 29))
    later = at(10, 8, 10, 1)
    assert swept(office, case, later) == ["close_csc"]
    last = office.session.scalars(sa.select(Journal).order_by(Journal.id.desc())).first()
    assert last is not None
    assert (last.event, last.data["spared"]) == ("time_passed", ["csc_contact"])
    version = case.version
    assert swept(office, case, later + dt.timedelta(minutes=1)) == ["close_csc"]
    assert case.version == version


def test_a_clock_whose_deed_has_passed_by_is_not_spared(office: Office) -> None:
    case = hurried(office)
    office.reply(case, at(9, 28, 9, 20))
    office.confirm(case, at(9, 28, 9, 25))
    sheet(office, at(9, 28, 9, 29))
    assert swept(office, case, at(9, 28, 9, 31)) == ["csc_contact"]


def test_a_spared_case_in_time_after_all_has_no_breach(office: Office) -> None:
    case = hurried(office)
    file = sheet(office, at(9, 28, 9, 29))
    assert swept(office, case, at(9, 28, 9, 40)) == []
    by = office.sheet("after_sales")
    handling.contact(office.session, case, actor=by, now=at(9, 28, 9, 41), at=at(9, 28, 9, 29))
    file.complete_at = at(9, 28, 9, 41)
    assert swept(office, case, at(9, 28, 9, 42)) == []
    assert clock(case, "csc_contact").breaches == []


def test_spared_cases_do_not_keep_the_others_from_being_found(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 1)
    spared, late = hurried(office), office.registered()
    sheet(office, at(9, 28, 9, 29))
    now = at(9, 28, 11, 1)
    assert sweep.due_cases(office.session, now=now) == [spared.number]
    sweep.pass_time(office.session, spared.number, now=now)
    assert sweep.due_cases(office.session, now=now, tried=1) == [spared.number, late.number]


def test_a_turn_of_the_worker_ends_with_spared_cases_left_and_finds_them_in_a_later_one(
    office: Office, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, session = hurried(office), office.session
    file = sheet(office, at(9, 28, 9, 29))
    session.commit()

    def turn(now: dt.datetime) -> list[tuple[str, int]]:
        monkeypatch.setattr(loop, "now", lambda: now)
        with writing(engine) as writes:
            fence = leases.acquire(writes, "sweep", holder="-", now=now, term=loop.TURN_TERM)
        assert fence is not None
        jobs.sweep_cases(loop.Turn(engine, "sweep", fence))
        with writing(engine) as writes:
            leases.release(writes, "sweep", fence=fence, now=now)
        session.refresh(case)
        found = [(d.key, len(d.breaches)) for d in case.deadlines if d.breaches]
        session.commit()
        return found

    assert turn(at(9, 28, 9, 31)) == []
    file.complete_at = at(9, 28, 9, 32)
    session.commit()
    assert turn(at(9, 28, 9, 33)) == [("csc_contact", 1)]
    assert turn(at(9, 28, 9, 34)) == [("csc_contact", 1)]


# ---------------------------------------------------------------- mending


def mend(office: Office, case: Complaint, event: str, changes: dict[str, Any], **said: Any) -> None:
    by: Actor = said.pop("actor", office.sheet("after_sales"))
    row = correcting.last_own_deed(office.session, case, event, actor=by)
    assert row is not None
    correcting.correct(
        office.session,
        case,
        target=row.seq,
        changes=changes,
        reason="表格中修改",
        actor=by,
        now=said.pop("now", at(9, 28, 12)),
    )


def typed(office: Office) -> Complaint:
    """A case whose handler, progress and answer were typed into the department's sheet."""
    case, by = office.dispatched(), office.sheet("after_sales")
    handling.assign(office.session, case, handler="2005", actor=by, now=at(9, 28, 10, 30))
    handling.progress(office.session, case, text="等配件", actor=by, now=at(9, 28, 10, 40))
    office.reply(case, at(9, 28, 11), actor=by)
    return case


def test_a_sheet_mends_its_answer_until_somebody_goes_on(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case, by = typed(office), office.sheet("after_sales")
    handling.progress(office.session, case, text="已通知", actor=by, now=at(9, 28, 11, 30))
    mend(office, case, "replied", {"text": "更换轴承与皮带", "outcome": "raise_to_gm"})
    mend(office, case, "replied", {"text": "更换轴承与垫片"})
    assert case.reply_outcome is ReplyOutcome.raise_to_gm
    target = correcting.last_own_deed(office.session, case, "replied", actor=by)
    assert target is not None
    handling.confirm(office.session, case, actor=office.by("director"), now=at(9, 28, 13))
    assert correcting.last_own_deed(office.session, case, "replied", actor=by) is None
    with refuses(LaterStepsStand, deed="confirmed", seq=case.version):
        correcting.correct(
            office.session,
            case,
            target=target.seq,
            changes={"text": "改"},
            reason="-",
            actor=by,
            now=at(9, 28, 14),
        )


def test_a_sheet_mends_the_handler_only_until_the_answer_and_only_to_its_own_people(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case, by = office.dispatched(), office.sheet("after_sales")
    handling.assign(office.session, case, handler="2005", actor=by, now=at(9, 28, 10, 30))
    mend(office, case, "assigned", {"handler": "2006"}, now=at(9, 28, 10, 45))
    assert case.handler is not None
    assert case.handler.number == "2006"
    for stranger, kind in (("3002", ValueRefused), ("9999", NotFound)):
        with refuses(kind):
            mend(office, case, "assigned", {"handler": stranger})
    office.reply(case, at(9, 28, 11), actor=by)
    assert correcting.last_own_deed(office.session, case, "assigned", actor=by) is None


def test_a_sheet_never_makes_its_own_deed_earlier(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case, by = office.dispatched(), office.sheet("after_sales")
    handling.contact(office.session, case, actor=by, now=at(9, 28, 11), at=at(9, 28, 10, 50))
    with refuses(TimeBeforeCase, field="at", at=at(9, 28, 10, 49), earliest=at(9, 28, 10, 50)):
        mend(office, case, "contacted", {"at": at(9, 28, 10, 49)})
    mend(office, case, "contacted", {"at": at(9, 28, 10, 55)})
    assert case.contacted_at == at(9, 28, 10, 55)


def test_a_sheet_mends_only_what_its_own_department_typed(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    office.reply(case)
    for key in ("after_sales", "sales"):
        by = office.sheet(key)
        assert correcting.last_own_deed(office.session, case, "replied", actor=by) is None
        for target in (1, 2, 3):
            with refuses(NameNeeded, deed="corrected"):
                correcting.correct(
                    office.session,
                    case,
                    target=target,
                    changes={"text": "改"},
                    reason="-",
                    actor=by,
                    now=at(9, 28, 15),
                )
    with refuses(NotFound, what="journal", key="9"):
        correcting.correct(
            office.session,
            case,
            target=9,
            changes={},
            reason="-",
            actor=office.sheet("sales"),
            now=at(9, 28, 15),
        )


def test_another_departments_sheet_does_not_mend_what_this_one_typed(office: Office) -> None:
    case = typed(office)
    assert (
        correcting.last_own_deed(office.session, case, "replied", actor=office.sheet("sales"))
        is None
    )
    person = office.by("mechanic")
    assert correcting.last_own_deed(office.session, case, "replied", actor=person) is None


def test_of_two_notes_a_sheet_mends_the_last(office: Office, refuses: Callable[..., Any]) -> None:
    case, by = office.dispatched(), office.sheet("after_sales")
    for minute in (10, 20):
        handling.progress(office.session, case, text="等配件", actor=by, now=at(9, 28, 11, minute))
    row = correcting.last_own_deed(office.session, case, "progressed", actor=by)
    assert row is not None
    assert row.seq == 4
    with refuses(LaterStepsStand, deed="progressed", seq=4):
        correcting.correct(
            office.session,
            case,
            target=3,
            changes={"text": "改"},
            reason="-",
            actor=by,
            now=at(9, 28, 12),
        )


def test_a_deed_that_was_withdrawn_is_mended_by_nobody(office: Office) -> None:
    case, by = typed(office), office.sheet("after_sales")
    correcting.withdraw(
        office.session,
        case,
        target=case.version,
        reason="误填",
        actor=office.administrator,
        now=at(9, 28, 12),
    )
    assert correcting.last_own_deed(office.session, case, "replied", actor=by) is None
    found = correcting.last_own_deed(office.session, case, "progressed", actor=by)
    assert found is not None


def test_a_sheet_withdraws_nothing(office: Office, refuses: Callable[..., Any]) -> None:
    case = typed(office)
    by = office.sheet("after_sales")
    with pytest.raises(Exception, match="role_missing"):
        correcting.withdraw(
            office.session, case, target=case.version, reason="-", actor=by, now=at(9, 28, 12)
        )


# ---------------------------------------------------------------- telling


def test_notices_say_whose_department_is_to_hear_them(office: Office) -> None:
    case = office.dispatched()
    office.reply(case, actor=office.sheet("after_sales"))
    told = office.session.scalars(sa.select(Notice).order_by(Notice.id)).all()
    assert [(n.kind, n.department_id, n.employee_id) for n in told] == [
        (kind, office.department("after_sales").id, office.employee("director").id)
        for kind in ("dispatched", "to_confirm")
    ]


def test_the_timeline_says_whose_sheet_it_was(office: Office, app: Flask) -> None:
    case, session = typed(office), office.session
    handling.confirm(session, case, actor=office.by("director"), now=at(9, 28, 12))
    reader = session.scalars(sa.select(User)).one()
    seen = desk.scope(session, reader, on=dt.date(2026, 9, 28))
    page = desk.case_page(
        session, case.number, reader, seen=seen, now=at(9, 28, 13), on=dt.date(2026, 9, 28)
    )
    with app.test_request_context("/?lang=en"):
        said = [(line["title"], line["who"]) for line in timeline(page, set())]
    assert [who.split(" ")[0] for _, who in said] == [
        "director",
        *["售后服务部"] * 3,
        *["specialist"] * 2,
    ]
    assert {who for _, who in said[1:4]} == {"售后服务部 spreadsheet"}


def test_what_is_raised_to_the_general_manager_is_told_to_that_post(office: Office) -> None:
    complaint = office.dispatched()
    office.reply(complaint, outcome=ReplyOutcome.raise_to_gm, text="客户要求退车")
    office.confirm(complaint)
    told = office.session.scalars(sa.select(Notice).where(Notice.kind == "to_decide")).one()
    assert told.post == "general_manager"
    assert told.employee_id is None
