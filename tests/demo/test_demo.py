"""The invented dealer: whole, in every state, made through the services, and made once."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import cli
from config import Settings, make_home
from database import make_engine, writing
from demo import company, story
from enums import Role
from files.first_logins import first_logins
from models import (
    Assignment,
    Base,
    Breach,
    CalendarDay,
    Complaint,
    Customer,
    Deadline,
    Deputy,
    Employee,
    Journal,
    Penalty,
    User,
)
from policy.vocabulary.status import DeadlineState, PenaltyStatus, Status
from services.calendar import working_calendar
from services.cases import journal, penalties, record
from services.company import accounts
from services.regulation import policies

# The story takes a while to tell, so one process asks everything of it.
pytestmark = pytest.mark.xdist_group("demo")

ZONE = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, blank_database: Path) -> Settings:
    """The settings of a home that `flask demo` has filled."""
    settings = Settings(home=tmp_path_factory.mktemp("demo"), language="en")
    make_home(settings)
    shutil.copyfile(blank_database, str(settings.url.database))
    assert _demo(settings) == "The database is ready.\n"
    return settings


@pytest.fixture
def dealer(told: Settings) -> Any:
    """A session on the dealer's database; what it changes is not kept."""
    engine = make_engine(told)
    with Session(engine) as session:
        yield session
    engine.dispose()


def _demo(settings: Settings) -> str:
    result = CliRunner().invoke(cli.company.demo(settings), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def _counts(session: Session) -> dict[str, int]:
    tables = Base.metadata.sorted_tables
    return {t.name: session.scalar(sa.select(sa.func.count()).select_from(t)) or 0 for t in tables}


def test_there_are_cases_in_every_state(dealer: Session) -> None:
    found = Counter(dealer.scalars(sa.select(Complaint.status)))
    assert set(found) == set(Status)
    assert sum(found.values()) >= 40


def test_every_journal_folds_to_what_the_rows_say(dealer: Session) -> None:
    for case in dealer.scalars(sa.select(Complaint)):
        assert journal.fold_journal(dealer, case) == record.facts_of(dealer, case), case.number


def test_cases_of_every_sort_are_there(dealer: Session) -> None:
    cases = dealer.scalars(sa.select(Complaint)).all()
    assert {"A1", "A2", "A3", "B1", "B2", "C"} <= {case.grade for case in cases}
    assert {"factory", "internal"} == {case.level for case in cases}
    assert {"complaint", "grievance", "callback_grievance", "rework"} == {c.kind for c in cases}
    assert any(case.round > 1 and case.status is Status.dispatched for case in cases)
    assert any(case.history for case in cases)
    events = set(dealer.scalars(sa.select(Journal.event)))
    assert {"restarted", "extension_granted", "decided", "upgraded", "declined"} <= events


def test_the_sweep_has_found_what_is_overdue(dealer: Session) -> None:
    overdue = (
        sa.select(sa.func.count(Breach.id.distinct()))
        .join(Deadline)
        .where(Deadline.state == DeadlineState.running)
    )
    assert (dealer.scalar(overdue) or 0) >= 3


def test_penalties_stand_in_every_step_and_in_months_that_are_over(dealer: Session) -> None:
    found = Counter(dealer.scalars(sa.select(Penalty.status)))
    assert set(found) >= {
        PenaltyStatus.proposed,
        PenaltyStatus.confirmed,
        PenaltyStatus.notified,
        PenaltyStatus.waived,
    }
    this_month = f"{dt.datetime.now(ZONE):%Y-%m}"
    past = [name for name in penalties.months(dealer) if name < this_month]
    assert past
    assert all(share.total > 0 for share in penalties.month_list(dealer, past[0]))


def test_two_people_share_a_name_and_somebody_stood_in_for_the_director(dealer: Session) -> None:
    names = Counter(dealer.scalars(sa.select(Employee.name)))
    assert sorted(names.values())[-2:] == [1, 2]
    assert sum(names.values()) == 24
    assert dealer.scalar(sa.select(sa.func.count(Deputy.id))) == 1
    assert dealer.scalar(
        sa.select(Assignment.id).join(Deputy, Deputy.employee_id == Assignment.responsible_id)
    ), "no case went to the deputy"


def test_nobody_can_be_rung_up(dealer: Session) -> None:
    phones = dealer.scalars(sa.select(Customer.phone))
    assert all(phone and phone.startswith("1380000") for phone in phones)


def test_every_role_has_a_login_that_is_told(told: Settings, dealer: Session) -> None:
    users = {user.username: user for user in dealer.scalars(sa.select(User))}
    assert {user.role for user in users.values()} == set(Role)
    logins = first_logins(told.home)
    assert logins.keys() == users.keys()
    for name in ("admin", "care", "hr"):
        assert accounts.password_matches(users[name].password_hash, logins[name])
    assert len({password for name, password in logins.items() if name != "admin"}) == 1
    assert all(user.employee_id for name, user in users.items() if name != "admin")


def test_a_second_run_changes_nothing(told: Settings, dealer: Session) -> None:
    before, logins = _counts(dealer), first_logins(told.home)
    dealer.rollback()
    assert _demo(told) == "The database is in use; nothing to do.\n"
    assert _counts(dealer) == before
    assert first_logins(told.home) == logins


def test_without_a_demo_there_are_admin_calendar_and_regulation(
    settings: Settings, engine: Engine
) -> None:
    chosen = settings.model_copy(update={"admin_password": SecretStr("chosen by us")})
    assert _demo(chosen) == "The database is ready.\n"
    with Session(engine) as session:
        (admin,) = session.scalars(sa.select(User))
        assert (admin.username, admin.role) == ("admin", Role.administrator)
        assert accounts.password_matches(admin.password_hash, "chosen by us")
        assert session.scalar(sa.select(sa.func.count(CalendarDay.id)))
        today = dt.datetime.now(ZONE).date()
        assert policies.in_force(session, "skoda-dealer", on=today)
        for table in (Complaint, Employee):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    # A password somebody chose is not written down anywhere.
    assert first_logins(chosen.home) == {}
    assert _demo(chosen) == "The database is in use; nothing to do.\n"


def test_made_up_passwords_are_readable_by_their_owner_only(
    settings: Settings, engine: Engine
) -> None:
    _demo(settings)
    path = settings.home / "first_logins.json"
    assert path.stat().st_mode & 0o077 == 0
    assert len(json.loads(path.read_text(encoding="utf-8"))["admin"]) >= 12


# After a long holiday, in the night of a new month, and beyond the last official calendar.
@pytest.mark.parametrize("today", ["2026-10-08 10:00", "2026-03-01 00:20", "2027-02-01 09:00"])
def test_the_same_story_can_be_told_on_any_day(today: str, engine: Engine) -> None:
    now = dt.datetime.fromisoformat(today).replace(tzinfo=ZONE)
    with writing(engine) as session:
        working_calendar.seed_official(session)
    with writing(engine) as session:
        version = company.publish_regulation(session, now=now, password="a password")
        days = company.Days(working_calendar.work_calendar(session), now)
        company.add_people(session, days)
        company.give_logins(session, password="a password")
        story.enact(session, version, days)
        assert set(session.scalars(sa.select(Complaint.status))) == set(Status)
        latest = session.scalar(sa.select(sa.func.max(Journal.recorded_at)))
        assert latest is not None
        assert latest <= now
