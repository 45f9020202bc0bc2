"""Several processes at work on the same cases: nothing is lost, nothing is numbered twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config import ROOT, Settings
from database import reading, writing
from models import Complaint, Journal, NumberCounter, Penalty
from policy.vocabulary.errors import ChangedMeanwhile
from services.cases import journal, record
from tests.company import Office

PROCESSES = 4
CASES = 5
ROUNDS = 3

BEGIN = """
import sys
from contextlib import suppress
from tests.company import Office, at
from config import Settings
from database import make_engine, writing
from policy.vocabulary.errors import AlreadyFound
from services.cases import handling, journal, penalties

engine = make_engine(Settings(home=sys.argv[1]))
worker, times = int(sys.argv[2]), int(sys.argv[3])
"""

WORK = f"""{BEGIN}
numbers = sys.argv[4:]
for turn in range(times):
    for number in numbers[worker:] + numbers[:worker]:
        with writing(engine) as session:
            office, case = Office(session), journal.lock_case(session, number)
            mechanic = office.by("mechanic")
            now = at(9, 28, 12, turn)
            text = f"{{worker}}/{{turn}}"
            handling.progress(session, case, text=text, actor=mechanic, now=now)
        with writing(engine) as session:
            office, case = Office(session), journal.lock_case(session, number)
            handling.contact(session, case, actor=office.by("mechanic"), now=now, text=text)
        with suppress(AlreadyFound), writing(engine) as session:
            office, case = Office(session), journal.lock_case(session, number)
            penalties.judge(
                session, case, ground="hide_supervisor", employee="2002", text=text,
                actor=office.by("care_director"), now=at(9, 28, 12 + worker, turn),
            )
"""

REGISTER = f"""{BEGIN}
for turn in range(times):
    with writing(engine) as session:
        Office(session).registered(kind=("complaint", "grievance")[turn % 2])
"""


@pytest.fixture(scope="module")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


def at_once(program: str, settings: Settings, *arguments: str) -> None:
    """Run the program in several processes at once, each with its number; all must end well."""
    command = [sys.executable, "-c", program, str(settings.home)]
    children = [
        subprocess.Popen([*command, str(worker), *arguments], cwd=ROOT)
        for worker in range(PROCESSES)
    ]
    assert [child.wait(timeout=240) for child in children] == [0] * PROCESSES


def assert_whole(session: Session) -> None:
    """Every case is what its journal makes, and every journal counts up without a gap."""
    for case in session.scalars(sa.select(Complaint)):
        seqs = session.scalars(
            sa.select(Journal.seq).where(Journal.complaint_id == case.id).order_by(Journal.id)
        )
        assert [*seqs] == [*range(1, case.version + 1)]
        assert journal.fold_journal(session, case) == record.facts_of(session, case)


def test_four_processes_at_work_on_the_same_cases_lose_no_deed(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        numbers = [Office(session).dispatched().number for _ in range(CASES)]
    at_once(WORK, settings, str(ROUNDS), *numbers)
    with reading(engine) as session:
        assert_whole(session)
        done = Counter(session.scalars(sa.select(Journal.event)))
        each = PROCESSES * ROUNDS * CASES
        assert done == {
            "registered": CASES,
            "dispatched": CASES,
            "progressed": each,
            "contacted": each,
            "judged": CASES,  # the ground is found once a complaint, whoever finds it first
        }
        texts = Counter(
            data["text"]
            for data in session.scalars(
                sa.select(Journal.data).where(Journal.event == "progressed")
            )
        )
        assert set(texts.values()) == {CASES}
        assert len(texts) == PROCESSES * ROUNDS
        assert session.scalar(sa.select(sa.func.count(Penalty.id))) == CASES


def test_four_processes_that_register_give_no_number_twice_and_leave_no_gap(
    engine: Engine, settings: Settings
) -> None:
    at_once(REGISTER, settings, "10")
    with reading(engine) as session:
        assert_whole(session)
        numbers = session.scalars(sa.select(Complaint.number).order_by(Complaint.number)).all()
        each = PROCESSES * 5
        assert [*numbers] == [
            f"{series}202609{serial:04d}"
            for series in ("BY", "TS")
            for serial in range(1, each + 1)
        ]
        assert {*session.scalars(sa.select(NumberCounter.last))} == {each}


def test_of_two_forms_made_from_one_version_the_second_is_told(engine: Engine) -> None:
    with writing(engine) as session:
        number = Office(session).dispatched().number
    with writing(engine) as session:
        Office(session).reply(journal.lock_case(session, number, seen=2))
    with pytest.raises(ChangedMeanwhile), writing(engine) as session:
        Office(session).reply(journal.lock_case(session, number, seen=2))
