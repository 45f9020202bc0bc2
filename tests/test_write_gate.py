"""A lock that somebody holds: those who save wait, and a thread stays free for those who read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import Settings
from database import WriteGate, make_engine, read_engine, writing
from enums import Role

PLACES = 2


@pytest.fixture
def gated(settings: Settings, engine: Engine) -> Iterator[Engine]:
    """An engine of which two transactions at most wait for the lock."""
    gated = make_engine(settings)
    gated.gate = WriteGate(gated, places=PLACES, patience_s=0.05)  # type: ignore[attr-defined]  # for the tests
    yield gated
    gated.dispose()


@contextmanager
def all_wait(gate: WriteGate, writes: Engine, *, locked: Engine, places: int) -> Iterator[None]:
    """Meanwhile somebody else holds the lock, and every place is taken by one who waits for it."""
    other = hold(locked)
    waiting = [threading.Thread(target=write, args=(writes,)) for _ in range(places)]
    for one in waiting:
        one.start()
    while gate.taken < places:
        time.sleep(0.01)
    try:
        yield
    finally:
        other.close()
        for one in waiting:
            one.join()


def write(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(sa.text("UPDATE user SET active = active"))


def hold(engine: Engine) -> Session:
    """A session that holds a place, and the lock, until it is closed."""
    session = Session(engine)
    session.execute(sa.text("SELECT 1"))
    return session


def test_a_place_is_given_back_however_a_transaction_ends(gated: Engine) -> None:
    for _ in range(3 * PLACES):
        write(gated)
        with pytest.raises(OperationalError, match="no such table"), writing(gated) as session:
            session.execute(sa.text("SELECT 1 FROM nowhere"))
        hold(gated).close()
    write(gated)


def test_a_place_is_given_back_when_the_lock_was_not_got(gated: Engine, engine: Engine) -> None:
    other = hold(engine)
    sa.event.listen(gated, "connect", lambda one, _record: one.execute("PRAGMA busy_timeout = 50"))
    for _ in range(3 * PLACES):
        with pytest.raises(OperationalError, match="locked"):
            write(gated)
    other.close()
    write(gated)


def test_reading_needs_no_place(gated: Any, engine: Engine) -> None:
    with all_wait(gated.gate, gated, locked=engine, places=PLACES):
        with pytest.raises(OperationalError, match="many wait"):
            write(gated)
        with Session(read_engine(gated)) as session:
            assert session.scalar(sa.text("SELECT count(*) FROM user")) == 0
    write(gated)
    assert gated.gate.taken == 0


def test_a_page_says_that_it_is_busy_and_the_health_check_answers(
    app: Flask, engine: Engine, log_in: Any, csrf: Any
) -> None:
    """With all places taken a save is refused with its words, and reading goes on."""
    writer = app.test_client()
    log_in(Role.care, visitor=writer)
    with app.app_context():
        db = app.extensions["sqlalchemy"]
        pages, places = db.engine, app.config["REDRESS"].web_threads - 1
    with all_wait(db.write_gate, pages, locked=engine, places=places):
        answer = writer.post("/language", data={"csrf_token": csrf(writer), "lang": "en"})
        assert answer.status_code == 503
        assert app.test_client().get("/healthz").status_code == 200
        assert writer.get("/admin/").status_code == 200
    answer = writer.post("/language", data={"csrf_token": csrf(writer), "lang": "en"})
    assert answer.status_code == 302
