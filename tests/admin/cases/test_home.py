"""The first page: every figure leads to exactly the rows it counts, for every role."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from config import Settings
from database import make_engine, reading, writing
from enums import Role
from models import Complaint, Penalty
from policy.vocabulary.status import PenaltyStatus, Status
from services.cases import desk, penalties, sweep
from services.cases.desk import Standing
from tests import company
from tests.company import Office

NOW = dt.datetime.now(dt.UTC)
PERSON = {Role.care: "specialist", Role.director: "director", Role.member: "mechanic"}
"""Who of the company the visitor is; of other roles the general manager."""


def lived(office: Office) -> None:
    """Cases that stand in every way: open, late, due today, not handed over, closed."""
    office.closed()
    for _ in range(2):
        office.registered()
    for index in range(4):
        case = office.dispatched()
        if index % 2:
            office.reply(case)
    soon = office.dispatched()
    for deadline in soon.deadlines:
        deadline.due_at = NOW + dt.timedelta(minutes=1)
    soon.due_at = NOW + dt.timedelta(minutes=1)
    sold = office.registered()
    office.dispatch(sold, department="sales")
    fined = office.dispatched()
    sweep.pass_time(office.session, fined.number, now=company.at(10, 12, 9))
    confirmed = office.dispatched()
    sweep.pass_time(office.session, confirmed.number, now=company.at(10, 12, 9))
    fine = confirmed.penalties[0]
    actor = office.by("care_director")
    penalties.confirm(office.session, fine, actor=actor, now=company.at(10, 12, 10))


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    path = company.build(settings)
    engine = make_engine(settings)
    with writing(engine) as session:
        lived(Office(session))
    engine.dispose()
    return path


@pytest.fixture(params=[role for role in Role if role not in desk.SEES_NONE])
def role(request: pytest.FixtureRequest, log_in: Any, engine: Engine) -> Role:
    found: Role = request.param
    name = PERSON.get(found, "general_manager")
    with reading(engine) as session:
        employee_id = Office(session).employee(name).id
    log_in(found, username=f"a-{name}", employee_id=employee_id)
    return found


TILE = re.compile(r'<a class="stat[^"]*" href="([^"#]+)".*?</a>', re.DOTALL)


def figures(page: str) -> dict[str, int]:
    """The tiles of a page: the address each leads to, and its figure."""
    found = {}
    for tile in TILE.finditer(page):
        words = re.sub(r"<[^>]+>", " ", tile.group(0))
        found[tile.group(1).replace("&amp;", "&")] = int(re.findall(r"\d+", words)[-1])
    return found


def rows_at(client: FlaskClient, address: str) -> int:
    """How many rows the list at an address has, all of its pages."""
    joint = "&" if "?" in address else "?"
    text = client.get(f"{address}{joint}page_size=200").text
    return text.count('class="row-link"')


def test_every_figure_of_the_first_page_leads_to_the_rows_it_counts(
    client: FlaskClient, role: Role
) -> None:
    shown = figures(client.get("/admin/").text)
    if role in (Role.care, Role.administrator, Role.director):
        assert len(shown) >= 4, shown
    for address, figure in shown.items():
        assert rows_at(client, address) == figure, (role, address)


def test_what_waits_for_me_is_a_filter_of_the_list(client: FlaskClient, role: Role) -> None:
    waiting = client.get("/admin/").text.count('class="row-link" href="/admin/complaint/')
    assert rows_at(client, "/admin/complaint/?flt_standing_is=mine") == waiting


def test_each_standing_has_cases_in_this_company(engine: Engine) -> None:
    with reading(engine) as session:
        user: Any = None
        for one in set(Standing) - {Standing.mine}:
            stands = desk.standing(session, one, user, now=NOW, zone=company.ZONE)
            found = session.scalars(sa.select(Complaint).where(stands)).all()
            assert found, one
            assert not {case.status for case in found} & {Status.closed, Status.archived}


def test_a_delivery_says_how_stands_apart_in_the_month_and_is_taken_back(
    client: FlaskClient, log_in: Any, csrf: Any, engine: Engine
) -> None:
    with reading(engine) as session:
        employee_id = Office(session).employee("specialist").id
        wanted = sa.select(Penalty).where(Penalty.status == PenaltyStatus.confirmed)
        fine = session.scalars(wanted).one()
        here, month = f"/admin/penalty/{fine.id}/", "/admin/month/"
        version = fine.complaint.version
    log_in(Role.care, username="specialist", employee_id=employee_id)

    def send(deed: str, seen: int, **typed: str) -> str:
        said = {f"{deed}-{name}": value for name, value in {"seen": str(seen), **typed}.items()}
        data = {"csrf_token": csrf(), **said}
        return client.post(f"{here}deed/{deed}/", data=data, follow_redirects=True).text

    page = send("penalty_notified", version, how="当面签收")
    assert "当面签收" in page
    assert "specialist" in page
    assert 'id="deed-notice_taken_back"' in page
    shown = client.get(month).text
    assert 'id="running"' in shown
    assert "未终局" in shown
    name = re.findall(r"<option selected>(\d{4}-\d\d)", shown)[0]
    assert client.get(f"{month}csv/?month={name}").text.count("\n") == 1
    assert client.get(f"{month}csv/?month={name}&part=running").text.count("\n") == 2
    page = send("notice_taken_back", version + 1, reason="送错人")
    assert "当面签收" not in page
    assert 'id="running"' not in client.get(month).text
