"""From saving in LibreOffice to the case, and from a deed in the browser to the saved file.

The application runs as `make run` starts it, with its own settings but for a private home and
port. The seconds are those somebody waits in front of a screen; they are printed.
"""

from __future__ import annotations

import datetime as dt
import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

import config
from config import ROOT, Settings
from database import reading, writing
from enums import Role
from models import Complaint
from policy.vocabulary.status import Status
from services.company import accounts
from tests.company import Office
from tests.sync.bad_day import on, shown
from tests.sync.calc import Calc
from tests.sync.folder import header, outcome, title

PROMISED_S = 30
PASSWORD = "correct horse battery"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of `make run`, but for a private home and a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(home=tmp_path / "home", demo=False, port=port)


@pytest.fixture
def case(engine: Engine) -> str:
    """A case at after-sales, whose director has a login."""
    now = dt.datetime.now(dt.UTC)
    with writing(engine) as session:
        office = Office(session)
        heard, written = now - dt.timedelta(hours=2), now - dt.timedelta(hours=1)
        complaint = office.registered(received_at=heard, now=written)
        office.dispatch(complaint, now)
        accounts.add_user(
            session,
            "director",
            password=PASSWORD,
            display_name="director",
            role=Role.director,
            employee_id=office.employee("director").id,
        )
        return complaint.number


@pytest.fixture
def running(settings: Settings, engine: Engine, case: str) -> Iterator[str]:
    """The address of the running application."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "serve"],
        cwd=ROOT,
        env={**os.environ, **config.environment(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Redress is ready"):
            break
    assert process.poll() is None, "".join(said)
    yield f"http://127.0.0.1:{settings.port}"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


class Visitor:
    """Somebody with a browser, as far as pages and forms go."""

    def __init__(self, address: str) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.address = address
        self.opener = urllib.request.build_opener(cookies)

    def get(self, path: str) -> str:
        with self.opener.open(self.address + path, timeout=30) as answer:
            return str(answer.read().decode())

    def send(self, path: str, at: str, **typed: str) -> str:
        """Fill in the form of the page at `at` that is sent to `path`, and send it."""
        page = self.get(at)
        form = next(
            one
            for one in re.findall(r"<form\b.*?</form>", page, re.DOTALL)
            if f'action="{path}"' in one or "action=" not in one
        )
        hidden = {}
        for one in re.findall(r'<input\b[^>]*type="hidden"[^>]*>', form):
            name, value = re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one)
            if name and value:
                hidden[name[1]] = value[1]
        data = urllib.parse.urlencode(hidden | typed).encode()
        with self.opener.open(self.address + path, data, timeout=30) as answer:
            return str(answer.read().decode())


def until(true: Callable[[], Any]) -> float:
    """Seconds until something is true; fails after twice the promised time."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < 2 * PROMISED_S
        time.sleep(0.1)
    return time.monotonic() - begun


def test_an_answer_and_a_deed_cross_in_less_than_half_a_minute(
    running: str, settings: Settings, engine: Engine, case: str, calc: Calc, capsys: Any
) -> None:
    until(lambda: _said(settings, case))
    path = _file(settings)
    calc.edit(
        path,
        [
            on("type", row=case, field="handler", text="2005"),
            on("type", row=case, field="outcome", text=outcome("solved")),
            on("type", row=case, field="answer", text="换了轴承"),
        ],
    )
    to_the_case = until(lambda: _status(engine, case) is Status.replied)
    to_the_answer = to_the_case + until(lambda: "已采用" in _said(settings, case)["hint"])

    director = Visitor(running)
    director.send("/login", "/login", username="director", password=PASSWORD)
    here = f"/admin/complaint/{case}/"
    director.send(f"{here}deed/confirmed/", here)
    assert _status(engine, case) is Status.confirmed
    to_the_file = until(lambda: "director" in _said(settings, case)["confirmed"])

    with capsys.disabled():
        print(
            f"\nfrom saving to the case {to_the_case:.1f} s, to the answer in the file "
            f"{to_the_answer:.1f} s; from the deed to the file {to_the_file:.1f} s"
        )
    assert max(to_the_case, to_the_answer, to_the_file) < PROMISED_S


def _status(engine: Engine, case: str) -> Status:
    with reading(engine) as session:
        found = sa.select(Complaint.status).where(Complaint.number == case)
        return session.scalars(found).one()


def _file(settings: Settings) -> Path:
    """The file of after-sales."""
    return next(one for one in settings.sheets.glob("*.xlsx") if "after_sales" in one.name)


def _said(settings: Settings, case: str) -> dict[str, str]:
    """What the file says of the case; empty while it is not there."""
    found = [one for one in settings.sheets.glob("*.xlsx") if "after_sales" in one.name]
    if not found:
        return {}
    sheet = openpyxl.load_workbook(found[0])[title("open")]
    heads = [cell.value for cell in sheet[1]]
    for line in sheet.iter_rows(min_row=2):
        row = dict(zip(heads, map(shown, line), strict=True))
        if row[header("number")] == case:
            return {name: row[header(name)] for name in ("hint", "confirmed")}
    return {}
