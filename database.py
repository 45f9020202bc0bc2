"""Engines and database sessions; the one module that says how a transaction begins.

The SQLite driver's own transaction handling is switched off, because it begins a transaction only
at the first change: two requests then read the same row, both write it, and one change is lost
without an error. Here a session that writes says so from its first statement (BEGIN IMMEDIATE), and
a session that reads cannot write at all.

  with writing(engine) as session: ...   # commits at the end, rolls back on an exception
  with reading(engine) as session: ...   # one consistent snapshot; a write is refused
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as RequestSession
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import ROOT, Settings, close_file, make_home

BUSY_TIMEOUT_MS = 20_000
READS = "redress_reads"
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def make_engine(settings: Settings) -> Engine:
    """Return a new engine on the database of `settings`; its transactions begin as writing ones."""
    make_home(settings)
    if settings.url.get_backend_name() == "sqlite":
        _close_database(settings)
    engine = create_engine(
        settings.url,
        pool_pre_ping=settings.url.get_backend_name() != "sqlite",
        hide_parameters=True,  # customers' data does not belong into a log
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _close_database(settings: Settings) -> None:
    """Close the files of the database to other users; SQLite gives its own the same mode."""
    path = Path(str(settings.url.database))
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if file == path or file.exists():
            with suppress(OSError):  # what cannot be opened is said at the first transaction
                close_file(file)


def read_engine(engine: Engine) -> Engine:
    """Return the same engine and pool, with transactions that only read."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{READS: True})
    return engine.execution_options(postgresql_readonly=True)


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Yield a session that holds the write lock from its first statement and commits at the end."""
    with Session(engine) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yield a session on one consistent snapshot of the database; it refuses to write."""
    with Session(read_engine(engine)) as session:
        yield session


@contextmanager
def scratch_copy(engine: Engine) -> Iterator[Engine | None]:
    """Yield an engine on a private copy of the database, gone at the end; None where it has none.

    Whatever is tried on the copy keeps nobody waiting. It stands beside the database, readable by
    its owner alone, because it holds the same secrets.
    """
    if engine.dialect.name != "sqlite":
        yield None
        return
    beside = Path(str(engine.url.database)).parent
    with TemporaryDirectory(prefix="trial-", dir=beside) as folder:
        copy = Path(folder) / "copy.db"
        with closing(sqlite3.connect(copy)) as target, read_engine(engine).connect() as source:
            driver: Any = source.connection.driver_connection
            driver.backup(target)
        scratch = create_engine(f"sqlite:///{copy}", hide_parameters=True)
        event.listen(scratch, "connect", _prepare_sqlite)
        event.listen(scratch, "begin", _begin_sqlite)
        try:
            yield scratch
        finally:
            scratch.dispose()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    # The timeout comes first: the change to WAL itself may have to wait for another process.
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(READS, False)
    # A pooled connection keeps the flag of its last user, so it is set every time.
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


class WriteGate:
    """Leave a thread for reading: at most `places` transactions of a process wait for the lock.

    Somebody else who holds the lock for long makes all who save wait in their threads, and then
    nobody reads either, not even the health check. Whoever finds no place waits `patience_s` for
    one, and is then told to send it again, as they would be told after the lock's own wait.
    """

    def __init__(self, engine: Engine, *, places: int, patience_s: float = 3.0) -> None:
        self._free = threading.BoundedSemaphore(places)
        self._patience_s = patience_s
        self._counting = threading.Lock()
        self.taken = 0
        # The lock is waited for where a transaction begins, so the place is taken just before.
        event.remove(engine, "begin", _begin_sqlite)
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._leave)
        event.listen(engine, "rollback", self._leave)
        # A transaction that could not begin ends by giving its connection back.
        event.listen(engine.pool, "checkin", lambda _connection, record: self._give_back(record))

    def _begin(self, connection: Connection) -> None:
        self._enter(connection)
        _begin_sqlite(connection)

    def _enter(self, connection: Connection) -> None:
        if connection.get_execution_options().get(READS, False):
            return
        if not self._free.acquire(timeout=self._patience_s):
            waits = sqlite3.OperationalError("database is locked, and many wait for it already")
            raise OperationalError("BEGIN IMMEDIATE", None, waits)
        connection.info[_HOLDS_PLACE] = True
        self._count(1)

    def _leave(self, connection: Connection) -> None:
        self._give_back(connection)

    def _give_back(self, holder: Any) -> None:
        if holder.info.pop(_HOLDS_PLACE, False):
            self._count(-1)
            self._free.release()

    def _count(self, change: int) -> None:
        with self._counting:
            self.taken += change


_HOLDS_PLACE = "redress_write_place"


class _Session(RequestSession):
    """The session of a request: GET and HEAD read, every other method writes."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        bind = super().get_bind(*args, **kwargs)
        if isinstance(bind, Engine) and has_request_context() and request.method in READ_METHODS:
            return cast(RequestDatabase, self._db).read_engine
        return bind


class RequestDatabase(SQLAlchemy):
    """Flask-SQLAlchemy over our own engine, so that pages, worker and command line agree."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__(session_options={"class_": _Session}, add_models_to_shell=False)

    def init_app(self, app: Flask) -> None:
        """Bind the extension to `app`; its engine is make_engine(settings)."""
        app.config["SQLALCHEMY_DATABASE_URI"] = self._settings.url
        super().init_app(app)
        with app.app_context():
            self.read_engine = read_engine(self.engine)

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        engine = make_engine(self._settings)
        if engine.dialect.name == "sqlite" and self._settings.web_threads > 1:
            self.write_gate = WriteGate(engine, places=self._settings.web_threads - 1)
        return engine


def alembic_config(settings: Settings) -> Config:
    """Return Alembic's configuration: pyproject.toml, and the database of `settings`."""
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.attributes["settings"] = settings
    return config


def upgrade(settings: Settings, revision: str = "head") -> frozenset[str]:
    """Bring the schema of the database to `revision` (the newest by default).

    Returns the revisions that a database which was there before has newly got.
    """
    make_home(settings)
    alembic = alembic_config(settings)
    before = _revision(settings)
    command.upgrade(alembic, revision)
    if before is None:
        return frozenset()
    steps = ScriptDirectory.from_config(alembic).iterate_revisions(_revision(settings), before)
    return frozenset(step.revision for step in steps)


def _revision(settings: Settings) -> str | None:
    """Return the revision of the database, None for an empty one."""
    engine = make_engine(settings)
    try:
        with read_engine(engine).connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
