"""The worker: what happens without anybody clicking.

A ticker looks every second for what is due and puts a note into the queue; the note carries no
data, it only says *look*. Whoever takes it works under a lease with a fencing number, so a note
that is doubled, lost or taken by two workers does no harm.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

import notify
import wording
from config import Settings, make_home
from database import make_engine, reading, writing
from mirrors import Mirrors
from models import WorkRequest
from policy.errors import DomainError, TrialFailed
from services import drafts, leases, notices, recounting, requests, sweep, whatif
from services.actors import SYSTEM
from services.leases import LeaseLost

logger = logging.getLogger(__name__)

TICK_S = 1.0
BEAT_EVERY_S = 5.0
TURN_TERM = dt.timedelta(minutes=2)
SHUTDOWN_S = 10
SENDING_S = 5.0
RECOUNT_S = 5.0
TRYING_S = 5.0
DRAFTS_EVERY_S = 2.0
TRIALS_EVERY_S = 2.0


@dataclass(frozen=True)
class Turn:
    """One run of a chore under its lease."""

    engine: Engine
    name: str
    fence: int

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A writing session that commits only while the lease is still ours; raises LeaseLost."""
        with writing(self.engine) as session:
            leases.keep(session, self.name, fence=self.fence, now=_now(), term=TURN_TERM)
            yield session


@dataclass(frozen=True)
class Chore:
    """Something to look after: every so many seconds `look` gets its turn."""

    name: str
    every_s: float
    look: Callable[[Turn], None]


def sweep_cases(turn: Turn) -> None:
    """Let time pass for every case it changes, each in a transaction of its own."""
    tried: set[str] = set()
    while fresh := [number for number in _due(turn, len(tried)) if number not in tried]:
        for number in fresh:
            _pass_time(turn, number)
        tried.update(fresh)


def _due(turn: Turn, tried: int) -> list[str]:
    with reading(turn.engine) as session:
        return sweep.due_cases(session, now=_now(), tried=tried)


def _pass_time(turn: Turn, number: str) -> None:
    try:
        with turn.writing() as session:
            sweep.pass_time(session, number, now=_now())
    except LeaseLost:
        raise
    except Exception:
        # One case that cannot be swept must not keep the others waiting.
        logger.exception("time could not pass for case %s", number)


def recount_cases(turn: Turn) -> None:
    """Count open cases anew where somebody asked for it, each in a transaction of its own."""
    with reading(turn.engine) as session:
        if not requests.open_(session, kind=recounting.REQUEST):
            return
    with turn.writing() as session:
        asked = [row.id for row in requests.take(session, kind=recounting.REQUEST, now=_now())]
        why = recounting.reason(session)
    with reading(turn.engine) as session:
        numbers = recounting.outdated(session, now=_now())
    for number in numbers:
        _recount(turn, number, why)
    with turn.writing() as session:
        for id_ in asked:
            requests.done(session, session.get_one(WorkRequest, id_), now=_now())


def _recount(turn: Turn, number: str, why: str) -> None:
    try:
        with turn.writing() as session:
            recounting.recount(session, number, reason=why, actor=SYSTEM, now=_now())
    except LeaseLost:
        raise
    except Exception:
        # One case that cannot be counted must not keep the others waiting.
        logger.exception("the terms of case %s could not be counted anew", number)


@dataclass
class LookAtFiles:
    """Looks at every department's file; each look runs under a lease of its own."""

    settings: Settings
    mirrors: Mirrors | None = None

    def __call__(self, turn: Turn) -> None:
        if self.mirrors is None:
            holder = f"{socket.gethostname()}:{os.getpid()}"
            self.mirrors = Mirrors(turn.engine, self.settings, holder)
        self.mirrors.look()


@dataclass(frozen=True)
class SendNotices:
    """Announces what ends soon, spreads what is new and sends what waits.

    The network is touched outside any transaction, and for a few seconds a turn only: a mail
    server that is away must not keep the sweep waiting.
    """

    settings: Settings

    def __call__(self, turn: Turn) -> None:
        self._announce(turn)
        with turn.writing() as session:
            mails = self.settings.mail is not None
            notices.spread(session, now=_now(), on=self._today(), mails=mails)
        with reading(turn.engine) as session:
            waiting = notices.outgoing(session, now=_now())
        until = time.monotonic() + SENDING_S
        for delivery_id in waiting:
            self._send(turn, delivery_id)
            if time.monotonic() > until:
                return

    def _today(self) -> dt.date:
        return _now().astimezone(self.settings.zone).date()

    def _announce(self, turn: Turn) -> None:
        within = dt.timedelta(hours=self.settings.due_soon_hours)
        try:
            with turn.writing() as session:
                notices.due_soon(session, now=_now(), on=self._today(), within=within)
        except LeaseLost:
            raise
        except Exception:
            # A case whose term cannot be looked at must not keep everybody else's notices back.
            logger.exception("terms that end soon could not be announced")

    def _send(self, turn: Turn, delivery_id: int) -> None:
        with turn.writing() as session:
            going = notices.begin(session, delivery_id, now=_now(), on=self._today())
        if going is None:
            return
        why = self._try(going)
        # What happened is written down even when the lease was lost meanwhile: it did happen.
        with writing(turn.engine) as session:
            if why is None:
                notices.sent(session, delivery_id, now=_now())
            else:
                notices.failed(session, delivery_id, why=why)

    def _try(self, going: notices.Outgoing) -> str | None:
        """Why the far end did not take it, or None when it did."""
        try:
            self._deliver(going)
        except notify.NotDelivered as failure:
            why = failure.why
        except Exception as error:
            # Its text may carry an address, and an address is a secret.
            why = f"unreachable: {type(error).__name__}"
        else:
            return None
        logger.warning("notice %s was not delivered: %s", going.delivery_id, why.split(":")[0])
        return why

    def _deliver(self, going: notices.Outgoing) -> None:
        with wording.speaking(self.settings.language, self.settings.zone):
            message = notify.Message(
                wording.notice_title(going.kind, going.facts),
                wording.notice_text(going.kind, going.facts, self.settings.link_base),
            )
        if going.channel_address is not None:
            notify.deliver(going.channel_address, message)
        elif self.settings.mail is None or going.email is None:
            raise notify.NotDelivered("no_mail_server")
        else:
            notify.mail(self.settings.mail.get_secret_value(), message, to=going.email)


def try_versions(turn: Turn) -> None:
    """Try versions of regulations on past cases, a few seconds a turn, where somebody asked.

    Judging holds no lock: a batch is read and judged first and then written down.
    """
    with turn.writing() as session:
        waiting = whatif.take(session, now=_now())
    until = time.monotonic() + TRYING_S
    for what_if_id, request_id in waiting:
        _try_version(turn, what_if_id, request_id, until)


def _try_version(turn: Turn, what_if_id: int, request_id: int, until: float) -> None:
    more = True
    while more and time.monotonic() < until:
        try:
            with reading(turn.engine) as session:
                found = whatif.look(session, what_if_id, now=_now())
        except Exception as error:
            refusal = error if isinstance(error, DomainError) else _unforeseen(error)
            with turn.writing() as session:
                whatif.fail(session, what_if_id, request_id, refusal, now=_now())
            return
        with turn.writing() as session:
            more = whatif.keep(session, what_if_id, request_id, found, now=_now())
    if more:
        with turn.writing() as session:
            whatif.pause(session, request_id)


def _unforeseen(error: Exception) -> TrialFailed:
    logger.error("a version could not be tried", exc_info=error)
    return TrialFailed(kind=type(error).__name__)


def check_drafts(turn: Turn) -> None:
    """Walk the states of drafts whose check was asked for; the walk itself holds no transaction."""
    with reading(turn.engine) as session:
        if not requests.open_(session, kind=drafts.CHECK):
            return
    with turn.writing() as session:
        asked = [row.id for row in requests.take(session, kind=drafts.CHECK, now=_now())]
    for request_id in asked:
        try:
            _check_draft(turn, request_id)
            failure = None
        except LeaseLost:
            raise
        except Exception as error:
            # One draft that cannot be looked at must not keep the others waiting.
            logger.exception("a draft could not be checked")
            failure = type(error).__name__
        with turn.writing() as session:
            row = session.get_one(WorkRequest, request_id)
            requests.done(session, row, now=_now(), failure=failure)


def _check_draft(turn: Turn, request_id: int) -> None:
    with reading(turn.engine) as session:
        version_id = int(session.get_one(WorkRequest, request_id).key)
        work = drafts.to_examine(session, version_id)
    if work is not None:
        found = drafts.examine(work)
        with turn.writing() as session:
            drafts.checked(session, version_id, work.content, found, now=_now())


@dataclass
class Worker:
    """A queue, its chores and the ticker that wakes them."""

    engine: Engine
    huey: Huey
    chores: tuple[Chore, ...]
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")

    def __post_init__(self) -> None:
        self.notes = {chore.name: self._task(chore) for chore in self.chores}

    def _task(self, chore: Chore) -> Any:
        return self.huey.task(name=chore.name)(lambda: self.take_turn(chore))

    def take_turn(self, chore: Chore) -> bool:
        """Run `chore` once unless somebody else is at it; whether it ran."""
        with writing(self.engine) as session:
            fence = leases.take(session, chore.name, holder=self.holder, now=_now(), term=TURN_TERM)
        if fence is None:
            return False
        try:
            chore.look(Turn(self.engine, chore.name, fence))
        except LeaseLost:
            logger.warning("%s took too long and was taken over", chore.name)
        finally:
            with writing(self.engine) as session:
                leases.give_back(session, chore.name, fence=fence, now=_now())
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
        name, term = leases.BEAT, leases.BEAT_TERM
        try:
            with writing(self.worker.engine) as session:
                if self.fence is None:
                    holder = self.worker.holder
                    self.fence = leases.take(session, name, holder=holder, now=_now(), term=term)
                else:
                    leases.keep(session, name, fence=self.fence, now=_now(), term=term)
        except LeaseLost:
            self.fence = None

    def stop(self) -> None:
        """End the thread and say at once that no worker lives here any more."""
        self.stopping.set()
        self.join(timeout=SHUTDOWN_S)
        if self.fence is not None:
            with writing(self.worker.engine) as session:
                leases.give_back(session, leases.BEAT, fence=self.fence, now=_now())


def make_queue(settings: Settings) -> Huey:
    """The queue of `settings`: SQLite in the home folder, PostgreSQL or Redis."""
    make_home(settings)
    url = make_url(settings.queue_url)
    if url.get_backend_name() == "sqlite":
        return SqliteHuey("redress", filename=url.database, results=False)
    if url.get_backend_name() == "postgresql":
        return PostgresHuey("redress", dsn=settings.queue_url, results=False)
    return RedisHuey("redress", url=settings.queue_url, results=False)


def make_worker(settings: Settings, chores: tuple[Chore, ...] | None = None) -> Worker:
    """A worker for `settings` with the usual chores, or with those given."""
    if chores is None:
        chores = (
            Chore("sweep", settings.sweep_seconds, sweep_cases),
            Chore("recount", RECOUNT_S, recount_cases),
            Chore("sheets", settings.sheet_seconds, LookAtFiles(settings)),
            Chore("notices", settings.notice_seconds, SendNotices(settings)),
            Chore("trials", TRIALS_EVERY_S, try_versions),
            Chore("drafts", DRAFTS_EVERY_S, check_drafts),
        )
    return Worker(make_engine(settings), make_queue(settings), chores)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
