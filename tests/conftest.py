"""What the tests share: a private home, a database, the application, a browser.

Each test has a home folder and a database of its own. `page` and `phone` are windows of the
system's Chromium on a server that runs beside the test; at the end of the test they must have
seen no console error, no answer of 400 or more and no request to another host.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config import Settings, make_home
from database import make_engine, reading, writing
from enums import Role
from models import Base, User
from services.company import accounts
from tests import company, suppliers
from tests.company import Office
from tests.once import Once
from tests.serving import Live, made, served

PASSWORD = "correct horse battery"


DRIVES = {"browser": "browser", "_calc": "calc"}
"""The mark of each test that asks for such a program, directly or through another fixture."""
SLOW = frozenset({"browser", "calc", "soak", "walk"})
"""The marks of what `make test-fast` leaves out."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what drives another program, put what is slow first, and leave out what cannot run.

    Two processes end at the same time when the long tests are not the last. Without a register
    the tests that read it are left out, and it is said how many.
    """
    for item in items:
        for fixture in DRIVES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(DRIVES[fixture])
    items.sort(key=lambda item: SLOW.isdisjoint(mark.name for mark in item.iter_markers()))
    if not os.environ.get("REDRESS_REGISTER"):
        left_out = [item for item in items if item.get_closest_marker("register")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted: the property `told` of their reports, from every worker."""
    for report in terminalreporter.stats.get("passed", []):
        for name, said in report.user_properties:
            if name == "told" and report.when == "call":
                terminalreporter.write_line(str(said))


# ---------------------------------------------------------------- database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a Redress whose home is a private temporary folder."""
    return Settings(home=tmp_path / "home", demo=False)


@pytest.fixture(scope="session")
def blank_database(empty_database: Path) -> Path:
    """The database file each test gets a copy of; folders of tests put a company into it."""
    return empty_database


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What the processes of this run make once."""
    return Once.of_run(tmp_path_factory)


@pytest.fixture(scope="session")
def empty_database(once: Once) -> Path:
    """A database file that has every table and no row; tests copy it."""
    return once.database("empty", _create_tables)


def _create_tables(settings: Settings) -> None:
    engine = make_engine(settings)
    Base.metadata.create_all(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def company_database(once: Once) -> Path:
    """A database file with every table and the company in it; tests copy it."""
    return once.database("company", company.build)


@pytest.fixture(scope="session")
def suppliers_database(once: Once) -> Path:
    """A database file with the company, its second regulation and a login for everybody."""
    return once.database("suppliers", suppliers.build)


@pytest.fixture
def engine(settings: Settings, blank_database: Path) -> Iterator[Engine]:
    """An engine on a private database that has every table and no row."""
    make_home(settings)
    shutil.copyfile(blank_database, str(settings.url.database))
    engine = make_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def at_work(engine: Engine) -> Callable[[], Any]:
    """`with at_work() as office`: deeds done without a browser, committed at the end."""

    @contextmanager
    def at_work() -> Iterator[Office]:
        with writing(engine) as session:
            yield Office(session)

    return at_work


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session that writes; what a test does not commit is gone at its end.

    From its first statement to its commit it holds the write lock: commit before the
    application or another session is to write.
    """
    with Session(engine) as session:
        yield session


# ---------------------------------------------------------------- application


@pytest.fixture(scope="session")
def compiled_templates(once: Once) -> BytecodeCache:
    """Where each template is compiled once for all the applications of a run."""
    return FileSystemBytecodeCache(str(once.made("templates", lambda folder: None)))


@pytest.fixture
def app(settings: Settings, engine: Engine, compiled_templates: BytecodeCache) -> Iterator[Flask]:
    """The application on the private database."""
    with made(settings) as app:
        app.jinja_env.bytecode_cache = compiled_templates
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who has not logged in."""
    return app.test_client()


@pytest.fixture(scope="session")
def password_hash() -> str:
    """A hash of PASSWORD that is quick to check; what the record makes takes a while on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def make_user(engine: Engine, password_hash: str) -> Callable[..., str]:
    """`make_user(role, username=..., employee_id=...)`: a user with PASSWORD; the user name."""

    def make(role: Role, *, username: str = "", employee_id: int | None = None) -> str:
        name = username or role.value
        with writing(engine) as session:
            if accounts.find_user(session, name) is None:
                user = User(username=name, display_name=name, role=role, version=1)
                user.password_hash, user.session_token = password_hash, secrets.token_hex(32)
                user.employee_id = employee_id
                session.add(user)
        return name

    return make


@pytest.fixture
def log_in(app: Flask, client: FlaskClient, engine: Engine, make_user: Any) -> Callable[..., str]:
    """`log_in(role, username=..., visitor=...)`: the visitor (`client`) is such a user from now on.

    It goes past the login form, which tests/admin/kit/test_login.py proves.
    """

    def log_in(role: Role, *, visitor: FlaskClient = client, **options: Any) -> str:
        name: str = make_user(role, **options)
        with Session(engine) as session:
            user: User | None = accounts.find_user(session, name)
            assert user is not None
            identity = f"{user.id}:{user.session_token}"
        with visitor.session_transaction() as cookie:
            cookie["_user_id"] = identity
            cookie["_fresh"] = True
        return name

    return log_in


@pytest.fixture
def as_person(log_in: Any, engine: Engine) -> Callable[[str, Role], None]:
    """`as_person(name, role)`: the visitor is that person of the company from now on."""

    def as_person(name: str, role: Role) -> None:
        with reading(engine) as session:
            employee_id = Office(session).employee(name).id
        log_in(role, username=name, employee_id=employee_id)

    return as_person


@pytest.fixture
def csrf(app: Flask, client: FlaskClient) -> Callable[..., str]:
    """`csrf(visitor)`: a token that the forms of the visitor (`client`) are accepted with."""

    def token(visitor: FlaskClient = client) -> str:
        with visitor.session_transaction() as cookie:
            raw = cookie.setdefault("csrf_token", secrets.token_hex(20))
        serializer = URLSafeTimedSerializer(str(app.secret_key), salt="wtf-csrf-token")
        return str(serializer.dumps(raw))

    return token


# ---------------------------------------------------------------- browser


@pytest.fixture
def live(app: Flask, engine: Engine) -> Iterator[Live]:
    """The application, answering on a free port of this machine."""
    with served(app, engine) as live:
        yield live


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        # Only on a machine that may install nothing; .ci/run takes a skip for a failure.
        pytest.skip("Chromium is not installed")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """What the windows of a test saw go wrong; a test that means to provoke something clears it."""
    problems: list[str] = []
    yield problems
    assert problems == []


@pytest.fixture
def open_window(browser: Browser, live: Live, problems: list[str]) -> Iterator[Callable[..., Page]]:
    """`open_window(**options)`: a new visitor's window with options of Playwright's contexts."""
    contexts: list[BrowserContext] = []

    def open_window(**options: Any) -> Page:
        defaults: dict[str, Any] = {
            "base_url": live.url,
            "locale": "zh-CN",
            "timezone_id": "Asia/Shanghai",
            "viewport": {"width": 1280, "height": 860},
        }
        context = browser.new_context(**{**defaults, **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        _watch(page, urlsplit(live.url).netloc, problems)
        return page

    yield open_window
    for context in contexts:
        context.close()


def _watch(page: Page, host: str, problems: list[str]) -> None:
    page.on(
        "console",
        lambda said: problems.append(f"console: {said.text}") if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on(
        "response",
        lambda answer: (
            problems.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        ),
    )
    page.on(
        "request",
        lambda asked: (
            problems.append(f"other host: {asked.url}")
            if urlsplit(asked.url).scheme in {"http", "https", "ws", "wss"}
            and urlsplit(asked.url).netloc != host
            else None
        ),
    )


@pytest.fixture
def page(open_window: Callable[..., Page]) -> Page:
    """A window on a desk."""
    return open_window()


@pytest.fixture
def phone(open_window: Callable[..., Page]) -> Page:
    """A window on a phone."""
    return open_window(
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        device_scale_factor=2,
    )


@pytest.fixture
def enter(make_user: Callable[..., str]) -> Callable[..., None]:
    """`enter(page, role, username=...)`: log in through the form as such a user."""

    def enter(page: Page, role: Role, **options: Any) -> None:
        name = make_user(role, **options)
        page.goto("/login")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")

    return enter
