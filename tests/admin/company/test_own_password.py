"""Everybody changes their own password; a handed-out one is changed before anything else."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from config import Settings
from database import reading, writing
from enums import Role
from files.first_logins import first_logins, keep_first_logins
from models import User
from services.company import accounts

OLD, NEW = "correct horse battery", "seven blue teapots"
PAGE = "/admin/password/"


@pytest.fixture
def enter(csrf: Any, client: FlaskClient) -> Any:
    """`enter(username, password, visitor=…)`: log in through the form."""

    def enter(username: str, password: str, visitor: FlaskClient = client) -> Any:
        form = {"csrf_token": csrf(visitor), "username": username, "password": password}
        return visitor.post("/login", data=form)

    return enter


@pytest.fixture
def change(csrf: Any, client: FlaskClient) -> Any:
    """`change(old, new, again)`: send the form of the own password."""

    def change(old: str, new: str, again: str | None = None) -> Any:
        form = {"old": old, "password": new, "password_again": new if again is None else again}
        return client.post(PAGE, data=form | {"csrf_token": csrf()})

    return change


def user_named(engine: Engine, name: str) -> User:
    with reading(engine) as session:
        return session.scalars(sa.select(User).where(User.username == name)).one()


@pytest.mark.parametrize("role", list(Role))
def test_everybody_changes_their_own_password(
    role: Role, client: FlaskClient, make_user: Any, enter: Any, change: Any
) -> None:
    name = make_user(role)
    enter(name, OLD)
    assert PAGE in client.get("/admin/policy/").text
    assert client.get(PAGE).status_code == 200
    assert change(OLD, NEW).status_code == 302
    assert client.get("/admin/policy/").status_code == 200, "this session goes on"
    assert enter(name, OLD, client.application.test_client()).status_code == 401
    assert enter(name, NEW, client.application.test_client()).status_code == 302


def test_the_other_sessions_end(
    app: Flask, client: FlaskClient, make_user: Any, enter: Any, change: Any
) -> None:
    make_user(Role.care, username="li.care")
    phone = app.test_client()
    enter("li.care", OLD)
    enter("li.care", OLD, phone)
    assert phone.get("/admin/").status_code == 200
    change(OLD, NEW)
    assert phone.get("/admin/").status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", NEW, None),
        (OLD, "12345678", None),
        (OLD, "li.care99", None),
        (OLD, "short", None),
        (OLD, " " * 12, None),
        (OLD, OLD, None),
        (OLD, NEW, "something else"),
        ("", NEW, None),
    ],
)
def test_what_is_refused_changes_nothing(
    old: str, new: str, again: str | None, make_user: Any, enter: Any, change: Any, engine: Engine
) -> None:
    make_user(Role.care, username="li.care")
    enter("li.care", OLD)
    before = user_named(engine, "li.care").password_hash
    answer = change(old, new, again)
    assert answer.status_code == 200
    assert 'class="wrong"' in answer.text
    assert not new.strip() or new not in answer.text
    assert user_named(engine, "li.care").password_hash == before


def test_guessing_the_old_password_is_braked(make_user: Any, enter: Any, change: Any) -> None:
    make_user(Role.care, username="li.care")
    enter("li.care", OLD)
    for _ in range(accounts.FAILURES_PER_USER):
        change("guess", NEW)
    assert "15" in change(OLD, NEW).text


def test_a_handed_out_password_leads_to_the_page_until_it_is_changed(
    client: FlaskClient, log_in: Any, csrf: Any, enter: Any, change: Any, engine: Engine
) -> None:
    log_in(Role.administrator)
    form = {"username": "wang.hr", "display_name": "王", "role": "hr", "active": "y"}
    refused = client.post(
        "/admin/user/new/", data=form | {"csrf_token": csrf(), "password": "wang.hr1"}
    )
    assert 'class="wrong"' in refused.text
    made = form | {"csrf_token": csrf(), "password": OLD}
    assert client.post("/admin/user/new/", data=made).status_code == 302
    assert user_named(engine, "wang.hr").must_change_password
    client.post("/logout", data={"csrf_token": csrf()})
    enter("wang.hr", OLD)
    for path in ("/admin/", "/admin/penalty/", "/admin/month/", "/admin/lookup/employee"):
        answer = client.get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, PAGE)
    answer = client.post("/admin/penalty/1/deed/penalty_notified/", data={"csrf_token": csrf()})
    assert answer.location.partition("?")[0] == PAGE
    assert change(OLD, NEW).status_code == 302
    assert client.get("/admin/penalty/").status_code == 200


def test_a_password_the_administrator_resets_is_changed_too_their_own_is_not(
    client: FlaskClient, log_in: Any, csrf: Any, make_user: Any, engine: Engine
) -> None:
    make_user(Role.care, username="li.care")
    log_in(Role.administrator, username="boss")
    for name, role, asked in (("li.care", "care", True), ("boss", "administrator", False)):
        row = user_named(engine, name)
        form = {"display_name": name, "role": role, "active": "y", "password": NEW}
        form |= {"csrf_token": csrf(), "seen_version": str(row.version)}
        assert client.post(f"/admin/user/edit/?id={row.id}", data=form).status_code == 302
        assert user_named(engine, name).must_change_password is asked
        assert accounts.password_matches(user_named(engine, name).password_hash, NEW)


def test_a_weak_password_of_the_past_is_noticed_at_the_login(
    client: FlaskClient, make_user: Any, enter: Any, engine: Engine
) -> None:
    make_user(Role.care, username="li.care")
    with writing(engine) as session:
        session.execute(sa.update(User).values(password_hash=accounts._hasher.hash("12345")))
    assert enter("li.care", "12345").status_code == 302
    assert client.get("/admin/").location.partition("?")[0] == PAGE


def test_a_first_password_changed_in_the_browser_is_kept_nowhere(
    client: FlaskClient,
    settings: Settings,
    make_user: Any,
    enter: Any,
    change: Any,
    log_in: Any,
    csrf: Any,
    engine: Any,
) -> None:
    keep_first_logins(settings.home, {"li.care": OLD, "juror": OLD, "admin": OLD})
    make_user(Role.care, username="li.care")
    juror = user_named(engine, make_user(Role.juror))
    enter("li.care", OLD)
    change(OLD, NEW)
    assert first_logins(settings.home).keys() == {"juror", "admin"}
    log_in(Role.administrator)
    form = {"display_name": "juror", "role": "juror", "active": "y", "password": NEW}
    form |= {"csrf_token": csrf(), "seen_version": str(juror.version)}
    client.post(f"/admin/user/edit/?id={juror.id}", data=form)
    assert first_logins(settings.home).keys() == {"admin"}
