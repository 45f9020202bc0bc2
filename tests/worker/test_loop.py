"""The worker: leases that end, chores that run once, and a ticker that outlives failures."""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from huey import SqliteHuey
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config import Settings
from database import reading, writing
from models import Lease
from services.jobs import leases
from services.jobs.leases import LeaseLost
from worker import holders
from worker.chores import make_worker
from worker.jobs import sweep_cases
from worker.loop import BEAT_EVERY_S, Chore, Ticker, Turn, Worker, make_queue

NOW = dt.datetime(2026, 9, 28, 8, 0, tzinfo=dt.UTC)
TERM = dt.timedelta(minutes=2)


def _take(session: Session, holder: str, now: dt.datetime = NOW) -> int | None:
    return leases.acquire(session, "sweep", holder=holder, now=now, term=TERM)


def test_a_lease_has_one_holder_at_a_time(session: Session) -> None:
    assert _take(session, "first") == 1
    assert _take(session, "second") is None
    assert _take(session, "first") is None


def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_number(session: Session) -> None:
    assert _take(session, "first") == 1
    assert _take(session, "second", NOW + TERM) == 2
    with pytest.raises(LeaseLost):
        leases.renew(session, "sweep", fence=1, now=NOW + TERM, term=TERM)
    leases.release(session, "sweep", fence=1, now=NOW + TERM)
    assert _take(session, "third", NOW + TERM) is None


def test_a_lease_given_back_is_free_at_once(session: Session) -> None:
    assert _take(session, "first") == 1
    leases.release(session, "sweep", fence=1, now=NOW)
    assert _take(session, "second") == 2


def test_a_lease_that_is_kept_lasts_longer(session: Session) -> None:
    assert _take(session, "first") == 1
    leases.renew(session, "sweep", fence=1, now=NOW + TERM, term=TERM)
    assert _take(session, "second", NOW + TERM) is None


def test_the_beat_tells_its_age(session: Session) -> None:
    assert leases.seconds_since_heartbeat(session, now=NOW) is None
    leases.acquire(session, leases.HEARTBEAT, holder="w", now=NOW, term=leases.HEARTBEAT_TERM)
    later = NOW + dt.timedelta(seconds=7)
    assert leases.seconds_since_heartbeat(session, now=later) == 7


# ---------------------------------------------------------------- worker


class Counting:
    """A chore that counts its turns and does what it is told meanwhile."""

    def __init__(self, meanwhile: Callable[[Turn], None] = lambda turn: None) -> None:
        self.turns = 0
        self.meanwhile = meanwhile

    def __call__(self, turn: Turn) -> None:
        self.turns += 1
        self.meanwhile(turn)


@pytest.fixture
def worker_of(settings: Settings, engine: Engine) -> Iterator[Callable[..., Worker]]:
    """`worker_of(look, every_s)`: a worker with one chore."""
    made: list[Worker] = []

    def worker_of(look: Callable[[Turn], None], every_s: float = 30) -> Worker:
        worker = Worker(engine, make_queue(settings), (Chore("count", every_s, look),))
        made.append(worker)
        return worker

    yield worker_of
    for worker in made:
        worker.huey.storage.close()


def test_a_chore_does_not_run_while_another_worker_runs_it(worker_of: Any) -> None:
    second = Counting()
    other = worker_of(second)
    first = Counting(lambda turn: other.take_turn(other.chores[0]))
    worker = worker_of(first)
    assert worker.take_turn(worker.chores[0])
    assert (first.turns, second.turns) == (1, 0)
    assert other.take_turn(other.chores[0])


def test_a_turn_that_was_taken_over_writes_nothing(
    worker_of: Any, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def be_overtaken(turn: Turn) -> None:
        with writing(engine) as session:
            session.execute(sa.update(Lease).values(fence=Lease.fence + 1))
        with turn.writing() as session:
            session.add(Lease(name="written", holder="late", fence=1, expires_at=NOW))

    worker = worker_of(Counting(be_overtaken))
    with caplog.at_level(logging.WARNING):
        worker.take_turn(worker.chores[0])
    assert "taken over" in caplog.text
    with reading(engine) as session:
        assert session.scalar(sa.select(Lease).where(Lease.name == "written")) is None


def test_a_chore_that_fails_gives_its_lease_back(worker_of: Any) -> None:
    def fail(turn: Turn) -> None:
        raise ZeroDivisionError

    failing = Counting(fail)
    worker = worker_of(failing)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            worker.take_turn(worker.chores[0])
    assert failing.turns == 2


def test_the_ticker_asks_for_a_chore_when_it_is_due_and_only_once(worker_of: Any) -> None:
    counting = Counting()
    worker = worker_of(counting, every_s=30)
    ticker = Ticker(worker)
    for clock_s in (0, 1, 2, 31, 32):
        ticker.tick(clock_s)
    assert worker.huey.pending_count() == 1, "a note that waits is not doubled"
    worker.huey.execute(worker.huey.dequeue())
    assert counting.turns == 1
    ticker.tick(40)
    assert worker.huey.pending_count() == 0
    ticker.tick(62)
    assert worker.huey.pending_count() == 1


def test_the_ticker_shows_that_the_worker_lives_until_it_stops(
    worker_of: Any, engine: Engine
) -> None:
    ticker = Ticker(worker_of(Counting()))
    ticker.tick(0)
    ticker.tick(BEAT_EVERY_S)
    with reading(engine) as session:
        assert leases.seconds_since_heartbeat(session, now=dt.datetime.now(dt.UTC)) in (0, 1)
    ticker.start()
    ticker.stop()
    with reading(engine) as session:
        age = leases.seconds_since_heartbeat(session, now=dt.datetime.now(dt.UTC))
    assert age is not None
    assert age >= leases.HEARTBEAT_TERM.total_seconds()


def test_of_two_tickers_one_beats_and_the_other_takes_over(worker_of: Any, engine: Engine) -> None:
    first, second = Ticker(worker_of(Counting())), Ticker(worker_of(Counting()))
    first.beat()
    second.beat()
    assert (first.fence, second.fence) == (1, None)
    with writing(engine) as session:
        session.execute(sa.update(Lease).values(expires_at=NOW))
    second.beat()
    first.beat()
    assert (first.fence, second.fence) == (None, 2)


def test_the_usual_worker_sweeps_as_often_as_the_settings_say(settings: Settings) -> None:
    worker = make_worker(settings.model_copy(update={"sweep_seconds": 7}))
    assert {chore.name: chore.every_s for chore in worker.chores}["sweep"] == 7
    assert isinstance(worker.huey, SqliteHuey)
    worker.huey.storage.close()
    worker.engine.dispose()


def test_a_sweep_over_an_empty_register_ends_at_once(worker_of: Any) -> None:
    worker = worker_of(sweep_cases)
    assert worker.take_turn(worker.chores[0])


# ---------------------------------------------------------------- clocks and dead holders

HOURS = dt.timedelta(hours=3)


def test_a_clock_that_was_set_back_keeps_no_turn_waiting(session: Session) -> None:
    assert _take(session, "first") == 1
    leases.release(session, "sweep", fence=1, now=NOW)
    assert _take(session, "first", NOW - HOURS) == 2, "it was given back"
    assert _take(session, "second", NOW - HOURS) is None
    assert _take(session, "second", NOW - 2 * HOURS) == 3, "no turn lasts for hours"
    with pytest.raises(LeaseLost):
        leases.renew(session, "sweep", fence=2, now=NOW - 2 * HOURS, term=TERM)


def test_a_beat_that_lies_ahead_is_no_sign_of_life(session: Session) -> None:
    leases.acquire(session, leases.HEARTBEAT, holder="w", now=NOW, term=leases.HEARTBEAT_TERM)
    assert leases.seconds_since_heartbeat(session, now=NOW - HOURS) is None
    assert leases.seconds_since_heartbeat(session, now=NOW - dt.timedelta(seconds=9)) == 0


def test_the_turn_of_a_killed_worker_is_taken_over_at_once(session: Session) -> None:
    code = "from worker import holders; print(holders.own(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        killed = worker.stdout.readline().strip()
        leases.acquire(session, "sweep", holder=killed, now=NOW, term=TERM)
        assert _of_the_living(session) is None, "it is alive"
        worker.kill()
        worker.wait()
        assert _of_the_living(session) == 2


def _of_the_living(session: Session) -> int | None:
    return leases.acquire(
        session, "sweep", holder=holders.own(), now=NOW, term=TERM, is_dead=holders.is_dead
    )


def test_of_processes_elsewhere_nothing_is_said() -> None:
    host, pid, began, space = holders.own().rsplit(":", 3)
    assert not holders.is_dead(holders.own())
    assert holders.is_dead(f"{host}:{pid}:1{began}:{space}"), "the number was given anew"
    for elsewhere in (f"other:{pid}:1:{space}", f"{host}:{pid}:1:1", "host:1", "-", ""):
        assert not holders.is_dead(elsewhere)
