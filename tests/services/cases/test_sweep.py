"""Time: clocks run out, cases go to the archive, and looking twice adds nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config import ROOT, Settings
from models import Breach, Complaint, Journal, Notice, Penalty
from policy.vocabulary.errors import NotFound
from policy.vocabulary.status import DeadlineState, Status
from services.cases import handling, sweep
from tests.company import Office, at

SWEEP = """
import datetime as dt, sys
from config import Settings
from database import make_engine, reading, writing
from services.cases import sweep

engine = make_engine(Settings(home=sys.argv[1]))
now = dt.datetime.fromisoformat(sys.argv[2])
with reading(engine) as session:
    numbers = sweep.due_cases(session, now=now)
for number in numbers:
    with writing(engine) as session:
        sweep.pass_time(session, number, now=now)
"""


def test_a_clock_runs_out_after_its_last_instant_and_not_on_it(office: Office) -> None:
    case = office.dispatched()
    assert sweep.due_cases(office.session, now=at(10, 8, 10)) == []
    assert sweep.due_cases(office.session, now=at(10, 8, 10, 1)) == [case.number]
    sweep.pass_time(office.session, case.number, now=at(10, 8, 10))
    assert case.version == 2


def test_a_breach_found_late_says_when_it_was_and_when_it_was_found(office: Office) -> None:
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=at(10, 20, 9))
    deadline = case.deadlines[1]
    assert deadline.state is DeadlineState.running
    assert [(b.breached_at, b.found_at) for b in deadline.breaches] == [
        (at(10, 8, 10), at(10, 20, 9))
    ]
    told = office.session.scalars(sa.select(Notice).where(Notice.kind == "breached")).one()
    assert told.employee_id == office.employee("director").id


def test_a_second_look_adds_nothing(office: Office, rows: Callable[[], Any]) -> None:
    late, closed = office.dispatched(), office.closed()
    for number in (late.number, closed.number):
        sweep.pass_time(office.session, number, now=at(10, 20, 9))
    before = rows()
    assert sweep.due_cases(office.session, now=at(10, 20, 9)) == []
    for number in (late.number, closed.number):
        sweep.pass_time(office.session, number, now=at(10, 20, 9))
    for number in (late.number, closed.number):
        sweep.pass_time(office.session, number, now=at(10, 21, 9))
    assert rows() == before
    assert closed.status is Status.archived


def test_an_answer_after_the_breach_meets_the_clock_and_leaves_the_breach(
    office: Office,
) -> None:
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=at(10, 8, 11))
    office.reply(case, at(10, 8, 12))
    office.confirm(case, at(10, 8, 13))
    deadline = case.deadlines[1]
    assert (deadline.state, deadline.met_at, len(deadline.breaches)) == (
        DeadlineState.met,
        at(10, 8, 13),
        1,
    )
    assert deadline.breaches[0].lifted_at is None


def test_a_factory_case_waits_for_the_factorys_system_before_it_is_archived(
    office: Office,
) -> None:
    case = office.closed(extra={"factory_order_no": "F-1"})
    sweep.pass_time(office.session, case.number, now=at(10, 20, 9))
    assert case.status is Status.closed
    handling.close_at_factory(office.session, case, actor=office.by("mechanic"), now=at(10, 20, 10))
    sweep.pass_time(office.session, case.number, now=at(10, 20, 10, 1))
    assert case.status is Status.archived


def test_time_passes_for_no_case_that_is_not_there(
    office: Office, refuses: Callable[..., Any]
) -> None:
    with refuses(NotFound, what="complaint", key="TS0"):
        sweep.pass_time(office.session, "TS0", now=at(10, 20, 9))


def test_two_processes_that_look_at_once_find_everything_once(
    office: Office, session: Session, engine: Engine, settings: Settings
) -> None:
    for _ in range(6):
        office.dispatched()
    session.commit()
    arguments = [sys.executable, "-c", SWEEP, str(settings.home), at(10, 20, 9).isoformat()]
    children = [subprocess.Popen(arguments, cwd=ROOT) for _ in range(2)]
    assert [child.wait(timeout=120) for child in children] == [0, 0]
    counted = {
        table: session.scalar(sa.select(sa.func.count()).select_from(table))
        for table in (Breach, Penalty, Journal)
    }
    assert counted == {Breach: 6, Penalty: 6, Journal: 18}
    assert {case.version for case in session.scalars(sa.select(Complaint))} == {3}
