"""Logging in: the form, the brake on guessing, sessions that end, and the headers of a page."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from admin.kit.login import HOME, local_path
from database import reading, writing
from enums import Role
from models import LoginAttempt, User
from policy.vocabulary.errors import Duplicate, FieldMissing, FieldTooLong
from services.company import accounts
from services.company.accounts import FAILURES_PER_USER, WINDOW

NOW = dt.datetime(2026, 9, 28, 8, 0, tzinfo=dt.UTC)
RIGHT = "correct horse battery"
Maker = Callable[..., str]


@pytest.fixture
def attempt(client: FlaskClient, csrf: Callable[..., str]) -> Callable[..., TestResponse]:
    """Send the login form."""

    def attempt(username: str, password: str, *, path: str = "/login") -> TestResponse:
        form = {"csrf_token": csrf(), "username": username, "password": password}
        return client.post(path, data=form)

    return attempt


def test_the_right_password_opens_the_home_page(attempt: Any, make_user: Maker) -> None:
    make_user(Role.care, username="li.care")
    answer = attempt("li.care", RIGHT)
    assert (answer.status_code, answer.location) == (302, HOME)


def test_login_returns_to_the_page_that_was_wanted(attempt: Any, make_user: Maker) -> None:
    make_user(Role.care, username="li.care")
    answer = attempt("li.care", RIGHT, path="/login?next=/admin/complaint/?page=2")
    assert answer.location == "/admin/complaint/?page=2"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\tx",
        "",
        None,
        "admin",
        "/a\nb",
    ],
)
def test_login_never_leads_to_another_host(path: str | None) -> None:
    assert local_path(path) == HOME


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(
    attempt: Any, make_user: Maker
) -> None:
    make_user(Role.care, username="li.care")
    wrong, unknown = attempt("li.care", "no"), attempt("nobody", "no")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    said = [re.search(r'role="alert">(.*?)<', answer.text) for answer in (wrong, unknown)]
    assert said[0]
    assert said[1]
    assert said[0][1] == said[1][1]
    assert 'value="li.care"' in wrong.text


def test_a_user_who_was_switched_off_cannot_log_in(
    attempt: Any, make_user: Maker, engine: Engine
) -> None:
    make_user(Role.care, username="li.care")
    with writing(engine) as session:
        session.execute(sa.update(User).values(active=False))
    assert attempt("li.care", RIGHT).status_code == 401


def test_guessing_is_braked_and_the_right_password_has_to_wait_too(
    attempt: Any, make_user: Maker
) -> None:
    make_user(Role.care, username="li.care")
    for _ in range(FAILURES_PER_USER):
        assert attempt("li.care", "guess").status_code == 401
    answer = attempt("li.care", RIGHT)
    assert answer.status_code == 429
    assert "15" in answer.text


def test_a_right_password_clears_the_count(attempt: Any, make_user: Maker, engine: Engine) -> None:
    make_user(Role.care, username="li.care")
    attempt("li.care", "guess")
    attempt("li.care", RIGHT)
    with reading(engine) as session:
        assert session.scalars(sa.select(LoginAttempt)).all() == []


def test_the_brake_lets_go_after_its_window(session: Session) -> None:
    for _ in range(FAILURES_PER_USER):
        assert accounts.note_attempt(session, "li", address="10.0.0.1", now=NOW) == 0
    wait = accounts.note_attempt(session, "li", address="10.0.0.1", now=NOW)
    assert 0 < wait <= WINDOW.total_seconds() + 1
    assert accounts.note_attempt(session, "li", address="10.0.0.2", now=NOW) == 0
    later = NOW + dt.timedelta(seconds=wait)
    assert accounts.note_attempt(session, "li", address="10.0.0.1", now=later) == 0


def test_many_wrong_logins_lock_nobody_out_who_has_the_right_password(session: Session) -> None:
    """Behind a proxy a whole company has one address; one script must not shut the door."""
    for number in range(3 * accounts.FAILURES_PER_ADDRESS):
        accounts.note_attempt(session, f"name{number}", address="10.0.0.1", now=NOW)
    few = accounts.FAILURES_PER_USER_WHEN_MANY
    for _ in range(few):
        assert accounts.note_attempt(session, "another", address="10.0.0.1", now=NOW) == 0
    assert accounts.note_attempt(session, "another", address="10.0.0.1", now=NOW) > 0
    assert accounts.note_attempt(session, "a third", address="10.0.0.1", now=NOW) == 0


def test_the_right_password_opens_though_somebody_there_guesses(
    attempt: Any, make_user: Maker, engine: Engine
) -> None:
    make_user(Role.care, username="li.care")
    with writing(engine) as session:
        now = dt.datetime.now(dt.UTC)
        session.add_all(
            LoginAttempt(username=f"guess{number}", address="127.0.0.1", at=now)
            for number in range(2 * accounts.FAILURES_PER_ADDRESS)
        )
    assert attempt("li.care", RIGHT).status_code == 302


def test_logging_out_ends_the_session_also_of_a_copied_cookie(
    app: Flask, client: FlaskClient, attempt: Any, make_user: Maker, csrf: Callable[..., str]
) -> None:
    make_user(Role.care, username="li.care")
    phone = app.test_client()
    form = {"csrf_token": csrf(phone), "username": "li.care", "password": RIGHT}
    phone.post("/login", data=form)
    attempt("li.care", RIGHT)
    copied = client.get_cookie("redress")
    assert copied is not None
    client.post("/logout", data={"csrf_token": csrf()})
    thief = app.test_client()
    thief.set_cookie("redress", copied.value)
    assert thief.get("/admin/complaint/").status_code == 302
    assert phone.get("/admin/complaint/").status_code == 200, "other sessions go on"
    attempt("li.care", RIGHT)
    assert client.get("/admin/complaint/").status_code == 200


def test_logging_out_of_a_session_without_a_key_ends_all(
    app: Flask, client: FlaskClient, log_in: Any, csrf: Callable[..., str]
) -> None:
    log_in(Role.care)
    copied = client.get_cookie("redress")
    assert copied is not None
    client.post("/logout", data={"csrf_token": csrf()})
    thief = app.test_client()
    thief.set_cookie("redress", copied.value)
    assert thief.get("/admin/complaint/").status_code == 302


def test_a_user_needs_a_name_and_a_password_of_his_own(session: Session) -> None:
    def add(name: str, password: str = RIGHT) -> User:
        return accounts.add_user(session, name, password=password, display_name="", role=Role.care)

    assert add("li").display_name == "li"
    with pytest.raises(Duplicate):
        add("li")
    with pytest.raises(FieldMissing):
        add("  ")
    with pytest.raises(FieldMissing):
        add("wang", "")
    with pytest.raises(FieldTooLong):
        add("w" * 65)
    with pytest.raises(FieldTooLong):
        add("wang", "x" * 501)


def test_a_new_password_ends_every_open_session(
    client: FlaskClient, log_in: Any, engine: Engine
) -> None:
    log_in(Role.care, username="li.care")
    assert client.get("/login").status_code == 302
    with writing(engine) as session:
        user = accounts.find_user(session, "li.care")
        assert user is not None
        accounts.set_password(session, user, password="another password")
    assert client.get("/login").status_code == 200


@pytest.mark.parametrize("identity", ["", "x", "1", "1:", "999:token", "1:wrong", "²:x"])
def test_a_session_that_names_nobody_is_no_login(client: FlaskClient, identity: str) -> None:
    with client.session_transaction() as cookie:
        cookie["_user_id"] = identity
    assert client.get("/login").status_code == 200


def test_logging_out_takes_a_post_with_a_token(
    client: FlaskClient, log_in: Any, csrf: Callable[..., str]
) -> None:
    log_in(Role.care)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 400
    assert client.post("/logout", data={"csrf_token": csrf()}).location == "/login"
    assert client.get("/login").status_code == 200


def test_a_wrong_token_saves_nothing_and_hands_back_what_was_typed(client: FlaskClient) -> None:
    form = {"csrf_token": "stale", "story": "发动机异响<b>", "password": "s3cret"}
    answer = client.post("/login", data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert "发动机异响&lt;b&gt;" in answer.text
    assert "s3cret" not in answer.text
    assert "out of date" in answer.text


def test_a_text_of_five_megabytes_is_refused_with_a_sentence(
    client: FlaskClient, csrf: Callable[..., str]
) -> None:
    form = {"csrf_token": csrf(), "username": "x" * 5_000_000}
    answer = client.post("/login", data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 413
    assert "Nothing was saved" in answer.text
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.items()
    )
    multipart = client.post(
        "/login", data=f"{parts}--x--\r\n", content_type="multipart/form-data; boundary=x"
    )
    assert multipart.status_code == 413


def test_a_failure_shows_a_page_without_a_trace_and_saves_nothing(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise RuntimeError("secret detail")

    app.view_functions["login"] = broken
    answer = client.get("/login", headers={"Accept-Language": "en"})
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Something went wrong" in answer.text
    assert "secret detail" in caplog.text


def test_a_database_that_is_gone_is_said_not_shown(
    app: Flask, client: FlaskClient, log_in: Any, engine: Engine
) -> None:
    log_in(Role.care)
    with writing(engine) as session:
        session.execute(sa.text('DROP TABLE "user"'))
    assert client.get("/login").status_code == 500


@pytest.mark.parametrize("path", ["/login", "/nothing", "/healthz", "/static/login.css"])
def test_every_answer_carries_the_strict_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert re.search(r"script-src 'self' 'nonce-[\w-]{20,}';", policy)
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_each_request_has_a_nonce_of_its_own(client: FlaskClient) -> None:
    policies = {client.get("/login").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("accepts", "spoken"), [("zh-CN,zh;q=0.9", "zh-CN"), ("en-GB", "en"), ("fr", "zh-CN")]
)
def test_the_browser_chooses_the_language_else_the_setting(
    client: FlaskClient, accepts: str, spoken: str
) -> None:
    page = client.get("/login", headers={"Accept-Language": accepts}).text
    assert f'<html lang="{spoken}">' in page


def test_a_chosen_language_is_remembered_and_the_account_keeps_it(
    client: FlaskClient, log_in: Any, csrf: Callable[..., str], engine: Engine
) -> None:
    client.get("/login?lang=en")
    assert '<html lang="en">' in client.get("/nothing").text
    log_in(Role.care)
    form = {"csrf_token": csrf(), "lang": "zh_Hans_CN", "next": "/admin/x"}
    assert client.post("/language", data=form).location == "/admin/x"
    assert '<html lang="zh-CN">' in client.get("/nothing").text
    with reading(engine) as session:
        assert session.scalar(sa.select(User.language)) == "zh_Hans_CN"


def test_an_unknown_language_changes_nothing(client: FlaskClient) -> None:
    assert client.get("/login?lang=xx").status_code == 200
    assert client.get_cookie("lang") is None


def test_health_says_whether_a_worker_lives(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "worker": "absent", "worker_seconds_since_beat": None}


def test_health_is_bad_without_a_database(client: FlaskClient, engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(sa.text("DROP TABLE lease"))
    assert client.get("/healthz").status_code == 503


@pytest.mark.browser
def test_somebody_logs_in_and_reads_the_refusal_in_chinese(
    page: Any, live: Any, make_user: Maker, problems: list[str]
) -> None:
    make_user(Role.care, username="li.care")
    page.goto("/login")
    page.fill("#username", "li.care")
    page.fill("#password", "wrong")
    page.click("button[type=submit]")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#username") == "li.care"
    assert all("401" in problem for problem in problems)
    problems.clear()


@pytest.mark.browser
@pytest.mark.parametrize("role", [Role.administrator, Role.employee])
def test_somebody_who_logs_in_arrives_at_a_page_that_opens_cleanly(
    page: Any, enter: Any, role: Role
) -> None:
    enter(page, role)
    page.wait_for_url("**/admin/**")
    assert page.title().endswith("Redress")


@pytest.mark.browser
def test_a_text_that_is_too_large_reaches_the_browser_as_a_page(
    page: Any, problems: list[str]
) -> None:
    page.goto("/login?lang=en")
    page.evaluate(
        "document.querySelector('#username').removeAttribute('maxlength');"
        "document.querySelector('#username').value = 'x'.repeat(5000000);"
        "document.querySelector('#password').value = 'x'"
    )
    page.click("button[type=submit]")
    page.wait_for_selector(".door-status")
    assert page.text_content(".door-status") == "413"
    assert all("413" in problem for problem in problems)
    problems.clear()
