"""The pages and somebody's last day: the session ends, look-ups and lists know, work is shown."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from database import reading, writing
from enums import Role
from models import Employee
from tests.company import PEOPLE, ZONE, Office

TODAY = dt.datetime.now(dt.UTC).astimezone(ZONE).date()
YESTERDAY = TODAY - dt.timedelta(days=1)


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """The company is in it."""
    return company_database


def finds(client: FlaskClient, path: str) -> list[Any]:
    """What a look-up answers: id and words of each find."""
    found: list[Any] = client.get(path).get_json()
    return found


@pytest.fixture
def leave(engine: Engine) -> Any:
    """`leave(name, day)`: somebody's last day; their id."""

    def leave(name: str, day: dt.date | None) -> int:
        with writing(engine) as session:
            one = Office(session).employee(name)
            one.left_on = day
            return one.id

    return leave


def test_a_session_ends_the_day_after(client: FlaskClient, as_person: Any, leave: Any) -> None:
    as_person("director", Role.director)
    leave("director", TODAY)
    assert client.get("/admin/complaint/").status_code == 200
    leave("director", YESTERDAY)
    for path in ("/admin/", "/admin/complaint/", "/admin/complaint/export/csv/", "/admin/jury/"):
        answer = client.get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/login")


def test_the_right_password_of_a_leaver_is_refused(
    client: FlaskClient, csrf: Any, make_user: Any, leave: Any
) -> None:
    make_user(Role.care, username="gone", employee_id=leave("clerk", YESTERDAY))
    form = {"csrf_token": csrf(), "username": "gone", "password": "correct horse battery"}
    assert client.post("/login", data=form).status_code == 401
    leave("clerk", TODAY)
    assert client.post("/login", data=form | {"csrf_token": csrf()}).status_code == 302


def test_look_ups_offer_who_is_with_us(client: FlaskClient, log_in: Any, leave: Any) -> None:
    log_in(Role.administrator)
    held = "/admin/lookup/post_holding?q=2001"
    assert len(finds(client, "/admin/lookup/employee?q=2001")) == len(finds(client, held)) == 1
    leave("director", YESTERDAY)
    assert finds(client, "/admin/lookup/employee?q=2001") == finds(client, held) == []


def test_lists_of_posts_and_accounts_say_it_is_over(
    client: FlaskClient, log_in: Any, make_user: Any, leave: Any
) -> None:
    log_in(Role.administrator)
    make_user(Role.member, username="gone", employee_id=leave("director", YESTERDAY))
    posts = client.get("/admin/post_holding/?search=2001&lang=zh").get_data(as_text=True)
    assert "已结束" in posts
    now_held = client.get("/admin/post_holding/?flt_standing_is=now").get_data(as_text=True)
    assert "(2001)" not in now_held
    assert "(2001)" in client.get("/admin/post_holding/?flt_standing_is=ended").text
    assert "(2001)" in client.get("/admin/deputy/?flt_standing_is=ended").text
    assert "已离职" in client.get("/admin/user/?search=gone").text


def test_saving_a_last_day_shows_what_remains(
    client: FlaskClient, log_in: Any, csrf: Any, engine: Engine, make_user: Any
) -> None:
    log_in(Role.administrator)
    with reading(engine) as session:
        one = session.scalars(sa.select(Employee).filter_by(number=PEOPLE["director"][0])).one()
        form = {
            "csrf_token": csrf(),
            "seen_version": str(one.version),
            "name": one.name,
            "department": str(one.department_id),
            "left_on": "2026-11-12",
        }
    make_user(Role.member, username="leaver", employee_id=one.id)
    page = client.post(f"/admin/employee/edit/?id={one.id}", data=form, follow_redirects=True).text
    assert "最后工作日之后仍未了结的事项" in page
    for link in ("/admin/post_holding/edit/", "/admin/deputy/edit/", "/admin/user/edit/"):
        assert link in page


def test_look_ups_show_what_lists_show(
    client: FlaskClient, as_person: Any, log_in: Any, engine: Engine
) -> None:
    """A case of another department is found by nobody who does not see it; nor are colleagues."""
    with writing(engine) as session:
        office = Office(session)
        office.dispatched()
        seen, hidden = office.dispatched(), office.registered()
        office.dispatch(hidden, department="sales")
        numbers, other = (seen.number, hidden.number), hidden.id
    as_person("mechanic", Role.member)
    found = [words for _, words in finds(client, "/admin/lookup/complaint")]
    assert numbers[0] in found
    assert numbers[1] not in found
    assert finds(client, f"/admin/lookup/complaint?q={numbers[1]}") == []
    assert other not in [one for one, _ in finds(client, "/admin/lookup/complaint")]
    staff = " ".join(words for _, words in finds(client, "/admin/lookup/employee"))
    assert "(2001)" in staff
    assert "(3002)" not in staff
    as_person("clerk", Role.hr)
    assert client.get("/admin/lookup/complaint").status_code == 403
    log_in(Role.care)
    found = [words for _, words in finds(client, "/admin/lookup/complaint")]
    assert set(numbers) <= set(found)


def test_a_filter_offers_only_names_of_rows_one_sees(
    client: FlaskClient, as_person: Any, log_in: Any
) -> None:
    as_person("salesman", Role.employee)
    page = client.get("/admin/penalty/").text
    assert "(2001)" not in page
    assert "(1001)" not in page
    log_in(Role.administrator)
    assert "(2001)" in client.get("/admin/penalty/").text
