"""The loop: a ticker that notes which chores are due, and chores that run under a lease.

A note carries no data, it only says *look*. The worker that takes it works under a lease with a
fencing number, so a note that is doubled, lost or taken by two workers does no harm.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from config import Settings, close_file, make_home
from database import writing
from services.jobs import leases
from services.jobs.leases import LeaseLost
from worker import holders

logger = logging.getLogger(__name__)

TICK_S = 1.0
BEAT_EVERY_S = 5.0
TURN_TERM = dt.timedelta(minutes=2)
SHUTDOWN_S = 10


@dataclass(frozen=True)
class Turn:
    """One run of a chore under its lease."""

    engine: Engine
    name: str
    fence: int

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a writing session that commits only while the lease is ours; raises LeaseLost."""
        with writing(self.engine) as session:
            leases.renew(session, self.name, fence=self.fence, now=now(), term=TURN_TERM)
            yield session


@dataclass(frozen=True)
class Chore:
    """A job that gets its turn every so many seconds; `look` does it."""

    name: str
    every_s: float
    look: Callable[[Turn], None]


@dataclass
class Worker:
    """A queue, its chores and the ticker that wakes them."""

    engine: Engine
    huey: Huey
    chores: tuple[Chore, ...]
    holder: str = field(default_factory=holders.own)

    def __post_init__(self) -> None:
        self.notes = {chore.name: self._task(chore) for chore in self.chores}

    def _task(self, chore: Chore) -> Any:
        return self.huey.task(name=chore.name)(lambda: self.take_turn(chore))

    def take_turn(self, chore: Chore) -> bool:
        """Run a chore once unless another worker runs it; returns whether it ran."""
        with writing(self.engine) as session:
            fence = leases.acquire(
                session,
                chore.name,
                holder=self.holder,
                now=now(),
                term=TURN_TERM,
                is_dead=holders.is_dead,
            )
        if fence is None:
            return False
        try:
            chore.look(Turn(self.engine, chore.name, fence))
        except LeaseLost:
            logger.warning("%s took too long and was taken over", chore.name)
        finally:
            with writing(self.engine) as session:
                leases.release(session, chore.name, fence=fence, now=now())
        return True

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; what is being done is finished first."""
        ticker = Ticker(self)
        ticker.start()
        try:
            self.huey.create_consumer(
                # One for each chore: a mail server that is slow must not keep files waiting.
                workers=len(self.chores),
                periodic=False,
                initial_delay=0.1,
                max_delay=TICK_S,
                graceful_signal="TERM",
                shutdown_timeout=SHUTDOWN_S,
            ).run()
        finally:
            ticker.stop()


class Ticker(threading.Thread):
    """Looks every second which chores are due, and shows that the worker lives."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(name="ticker", daemon=True)
        self.worker = worker
        self.stopping = threading.Event()
        self.due_at = {chore.name: 0.0 for chore in worker.chores}
        self.beat_at = 0.0
        self.fence: int | None = None

    def run(self) -> None:
        """Tick every second until the ticker is stopped."""
        while True:
            try:
                self.tick(time.monotonic())
            except Exception:
                # A database that is away for a moment must not end the worker.
                logger.exception("the ticker could not look")
            if self.stopping.wait(TICK_S):
                return

    def tick(self, clock_s: float) -> None:
        """Enqueue what is due at `clock_s` seconds of a clock that never goes back."""
        if clock_s >= self.beat_at:
            self.beat_at = clock_s + BEAT_EVERY_S
            self.beat()
        waiting = {task.name for task in self.worker.huey.pending()}
        for chore in self.worker.chores:
            if clock_s >= self.due_at[chore.name]:
                self.due_at[chore.name] = clock_s + chore.every_s
                if chore.name not in waiting:
                    self.worker.notes[chore.name]()

    def beat(self) -> None:
        """Prolong the lease that says a worker lives; of several workers one does it."""
        name, term = leases.HEARTBEAT, leases.HEARTBEAT_TERM
        try:
            with writing(self.worker.engine) as session:
                if self.fence is None:
                    holder = self.worker.holder
                    self.fence = leases.acquire(
                        session,
                        name,
                        holder=holder,
                        now=now(),
                        term=term,
                        is_dead=holders.is_dead,
                    )
                else:
                    leases.renew(session, name, fence=self.fence, now=now(), term=term)
        except LeaseLost:
            self.fence = None

    def stop(self) -> None:
        """End the thread and say at once that no worker lives here any more."""
        self.stopping.set()
        self.join(timeout=SHUTDOWN_S)
        if self.fence is not None:
            with writing(self.worker.engine) as session:
                leases.release(session, leases.HEARTBEAT, fence=self.fence, now=now())


def make_queue(settings: Settings) -> Huey:
    """Return the queue of `settings`: SQLite in the home folder, PostgreSQL or Redis."""
    make_home(settings)
    url = make_url(settings.queue_url)
    if url.get_backend_name() == "sqlite":
        with suppress(OSError):  # a folder that is missing is said by the queue itself
            close_file(Path(str(url.database)))
        return SqliteHuey("redress", filename=url.database, results=False)
    if url.get_backend_name() == "postgresql":
        return PostgresHuey("redress", dsn=settings.queue_url, results=False)
    return RedisHuey("redress", url=settings.queue_url, results=False)


def now() -> dt.datetime:
    """Return the current instant, aware UTC."""
    return dt.datetime.now(dt.UTC)
