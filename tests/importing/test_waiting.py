"""An import of thousands of rows keeps nobody waiting who works meanwhile."""

from __future__ import annotations

import csv
import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy import Engine

import cli
from config import Settings
from database import make_engine, reading, writing
from importing import portions
from models import Complaint, Customer
from services.company import accounts
from services.jobs import pauses
from tests import suppliers

ROWS = 2_000
PEOPLE = 8
MAP = """
source = "old"
go_live = 2026-01-01
[id]
column = "编号"
[received]
column = "日期"
[subject]
column = "内容"
[customer]
column = "客户"
[phone]
column = "电话"
[kind]
value = "complaint"
[category]
value = "quality"
[status]
value = "archived"
"""


@pytest.fixture(scope="session")
def blank_database(suppliers_database: Path) -> Path:
    """The company is in it, with a login for everybody."""
    return suppliers_database


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """An old register of ROWS rows, and its map beside it."""
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    path = tmp_path / "old.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("编号", "日期", "内容", "客户", "电话"))
        for n in range(ROWS):
            writer.writerow(
                (f"R{n}", "2024-03-05", f"异响{n}", f"客户{n % 700}", f"139{n % 700:08}")
            )
    return path


@dataclass
class Transactions:
    """How many rows of `complaint` each transaction of an engine wrote."""

    rows: list[int] = field(default_factory=list)
    open: dict[int, int] = field(default_factory=dict)

    def executed(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("INSERT INTO complaint "):
            key = id(connection)
            self.open[key] = self.open.get(key, 0) + 1

    def committed(self, connection: Any) -> None:
        self.rows.append(self.open.pop(id(connection), 0))


@contextmanager
def _listened() -> Iterator[Transactions]:
    found = Transactions()
    sa.event.listen(Engine, "after_cursor_execute", found.executed)
    sa.event.listen(Engine, "commit", found.committed)
    try:
        yield found
    finally:
        sa.event.remove(Engine, "after_cursor_execute", found.executed)
        sa.event.remove(Engine, "commit", found.committed)


def _import(settings: Settings, register: Path, *options: str) -> str:
    plan = str(register.with_name("map.toml"))
    arguments = [str(register), "--policy", "skoda-dealer", "--map", plan, *options]
    result = CliRunner().invoke(cli.importing.import_(settings), arguments)
    assert result.exit_code == 0, result.output
    return str(result.output)


@dataclass
class AtWork:
    """Somebody who registers cases and logs in until the import is over."""

    settings: Settings
    name: str
    over: threading.Event
    waits: list[float] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def work(self) -> None:
        engine = make_engine(self.settings)
        turn = 0
        while not self.over.is_set():
            turn += 1
            began = time.monotonic()
            try:
                self._log_in(engine) if turn % 2 else self._register(engine, turn)
            except Exception as error:  # every failure counts
                self.errors.append(error)
            self.waits.append(time.monotonic() - began)
            self.over.wait(0.5)
        engine.dispose()

    def _log_in(self, engine: Engine) -> None:
        with writing(engine) as session:
            accounts.note_attempt(
                session, self.name, address=self.name, now=dt.datetime.now(dt.UTC)
            )
            accounts.find_user(session, "specialist")

    def _register(self, engine: Engine, turn: int) -> None:
        with writing(engine) as session:
            now = dt.datetime.now(dt.UTC)
            subject = f"{self.name} {turn}"
            suppliers.case(session, now=now, hand_over=False, subject=subject)


@contextmanager
def _busy(settings: Settings) -> Iterator[list[AtWork]]:
    """PEOPLE who register and log in meanwhile, each with connections of their own."""
    over = threading.Event()
    people = [AtWork(settings, f"p{n}", over) for n in range(PEOPLE)]
    threads = [threading.Thread(target=one.work) for one in people]
    for thread in threads:
        thread.start()
    try:
        yield people
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _print(record_property: Any, what: str, *, people: list[AtWork], portions_: list[int]) -> None:
    waits = sorted(wait for one in people for wait in one.waits)
    record_property(
        "told",
        f"{what}: longest wait of {len(waits)} deeds {waits[-1]:.2f} s, median "
        f"{waits[len(waits) // 2]:.2f} s; at most {max(portions_, default=0)} rows a transaction",
    )


def test_eight_people_work_while_two_thousand_rows_come_in(
    settings: Settings, engine: Engine, register: Path, record_property: Any
) -> None:
    with _busy(settings) as people, _listened() as transactions:
        assert f"新增 {ROWS} 条" in _import(settings, register)
    assert [error for one in people for error in one.errors] == []
    assert all(len(one.waits) > 2 for one in people)
    assert max(transactions.rows) <= portions.PORTION_ROWS
    assert sum(count > 1 for count in transactions.rows) >= ROWS / portions.PORTION_ROWS
    with reading(engine) as session:
        history = sa.select(sa.func.count(Complaint.id)).where(Complaint.history)
        assert session.scalar(history) == ROWS
        assert session.scalar(sa.select(sa.func.count(Customer.id))) == 700 + 1
    _print(record_property, "import", people=people, portions_=transactions.rows)


def test_a_dry_run_never_asks_for_the_lock_of_who_writes(
    settings: Settings, engine: Engine, register: Path
) -> None:
    with writing(engine) as session:  # somebody writes all the time
        session.connection()
        before = sorted(path.name for path in settings.home.iterdir())
        assert f"新增 {ROWS} 条" in _import(settings, register, "--dry-run")
        assert session.scalar(sa.select(sa.func.count(Complaint.id))) == 0
        left = sorted(path.name for path in settings.home.iterdir())
    assert left == before, "the copy it was tried on is gone"


def test_many_short_transactions_pause_too(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr(time, "sleep", paused.append)
    monkeypatch.setattr(pauses, "PORTION_S", -1.0)
    assert list(pauses.with_pauses(range(4))) == [0, 1, 2, 3]
    assert paused == [pauses.PAUSE_S] * 4


def test_a_portion_ends_when_its_time_is_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "PORTION_S", -1.0)
    monkeypatch.setattr(pauses, "PAUSE_S", 0.0)
    written: list[int] = []
    with _listened() as transactions:
        portions.write_in_portions(engine, range(7), write=lambda _s, one: written.append(one))
    assert written == list(range(7))
    assert len(transactions.rows) == 7
