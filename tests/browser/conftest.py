"""The company behind a server: everybody's login, the company at work, rows compared."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from config import Settings
from database import make_engine, reading, writing
from models import Base, User
from services.cases import sweep
from services.company import accounts
from tests import company
from tests.browser.staff import CHINESE, PASSWORD, ROLES
from tests.company import Office

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Here no database is blank: the company is in it, and everybody has a login."""
    settings = Settings(home=tmp_path_factory.mktemp("company"))
    path = company.build(settings)
    engine = make_engine(settings)
    with writing(engine) as session:
        _name_in_chinese(Office(session))
        _give_logins(Office(session))
    engine.dispose()
    return path


def _name_in_chinese(office: Office) -> None:
    for name, words in CHINESE.items():
        office.employee(name).name = words
    labels = {one["key"]: one["label"] for one in company.regulation()["department"]}
    for key in company.DEPARTMENTS:
        office.department(key).name = labels.get(key, "人力资源部")


def _give_logins(office: Office) -> None:
    """Hashing a password takes a while on purpose, so all have the administrator's."""
    first = accounts.find_user(office.session, "administrator")
    assert first is not None
    first.display_name = "管理员"
    for name, role in list(ROLES.items())[1:]:
        user = User(username=name, display_name=CHINESE.get(name, name), role=role, version=1)
        user.password_hash, user.session_token = first.password_hash, secrets.token_hex(32)
        user.employee_id = office.employee(name).id if name in CHINESE else None
        office.session.add(user)


# ---------------------------------------------------------------- behind the pages


@pytest.fixture
def swept(engine: Engine) -> Callable[..., None]:
    """`swept()`: what the worker does about the time that has passed."""

    def swept() -> None:
        now = dt.datetime.now(dt.UTC)
        with writing(engine) as session:
            for number in sweep.due_cases(session, now=now):
                sweep.pass_time(session, number, now=now)

    return swept


def rows_of(engine: Engine) -> Rows:
    """Every row of every table but the attempts to log in."""
    tables = {
        name: table for name, table in Base.metadata.tables.items() if name != "login_attempt"
    }
    with reading(engine) as session:
        return {
            name: sorted((tuple(row) for row in session.execute(table.select())), key=repr)
            for name, table in tables.items()
        }


@pytest.fixture
def unchanged(engine: Engine) -> Callable[[], Any]:
    """`with unchanged():` no row of any table may differ afterwards."""

    @contextmanager
    def unchanged() -> Iterator[None]:
        before = rows_of(engine)
        yield
        assert rows_of(engine) == before

    return unchanged


# ---------------------------------------------------------------- at the windows


@pytest.fixture
def visit(open_window: Callable[..., Page]) -> Callable[..., Page]:
    """`visit(name, **options)`: a window of its own in which somebody has logged in."""

    def visit(name: str, **options: Any) -> Page:
        page = open_window(**options)
        page.goto("/login")
        page.get_by_label("用户名").fill(name)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url("**/admin/**")
        return page

    return visit
