"""Transactions: what is written is not lost, and what only reads cannot write."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from config import ROOT, Settings
from database import make_engine, reading, writing

PROCESSES = 4
INCREMENTS = 60

INCREMENT = """
import sys
from sqlalchemy import text
from config import Settings
from database import make_engine, writing

engine = make_engine(Settings(home=sys.argv[1]))
for _ in range(int(sys.argv[2])):
    with writing(engine) as session:
        count = session.scalar(text("SELECT count FROM tally_sheet"))
        session.execute(text("UPDATE tally_sheet SET count = :count"), {"count": count + 1})
"""


@pytest.fixture
def empty(settings: Settings) -> Engine:
    """A database with one small table of its own and nothing else."""
    engine = make_engine(settings)
    with writing(engine) as session:
        session.execute(text("CREATE TABLE tally_sheet (count INTEGER NOT NULL)"))
        session.execute(text("INSERT INTO tally_sheet VALUES (0)"))
    return engine


def _count(engine: Engine) -> int:
    with reading(engine) as session:
        return int(session.execute(text("SELECT count FROM tally_sheet")).scalar_one())


def test_four_processes_that_read_then_write_one_row_lose_no_change(
    empty: Engine, settings: Settings
) -> None:
    command = [sys.executable, "-c", INCREMENT, str(settings.home), str(INCREMENTS)]
    children = [subprocess.Popen(command, cwd=ROOT) for _ in range(PROCESSES)]
    assert [child.wait(timeout=240) for child in children] == [0] * PROCESSES
    assert _count(empty) == PROCESSES * INCREMENTS


def test_a_reading_session_refuses_to_write(empty: Engine) -> None:
    with reading(empty) as session, pytest.raises(OperationalError, match="readonly"):
        session.execute(text("UPDATE tally_sheet SET count = 5"))
    with writing(empty) as session:
        session.execute(text("UPDATE tally_sheet SET count = 7"))
    assert _count(empty) == 7


def test_a_reading_session_sees_one_picture_while_another_writes(empty: Engine) -> None:
    with reading(empty) as session:
        before = session.execute(text("SELECT count FROM tally_sheet")).scalar_one()
        with writing(empty) as other:
            other.execute(text("UPDATE tally_sheet SET count = 9"))
        after = session.execute(text("SELECT count FROM tally_sheet")).scalar_one()
    assert (before, after) == (0, 0)
    assert _count(empty) == 9


def _write_and_fail(engine: Engine, *, in_savepoint: bool) -> None:
    with writing(engine) as session:
        with session.begin_nested() if in_savepoint else nullcontext():
            session.execute(text("UPDATE tally_sheet SET count = 3"))
        raise ZeroDivisionError


@pytest.mark.parametrize("in_savepoint", [False, True])
def test_an_exception_rolls_back_everything_written_savepoints_too(
    empty: Engine, in_savepoint: bool
) -> None:
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(empty, in_savepoint=in_savepoint)
    assert _count(empty) == 0


def test_foreign_keys_are_enforced(empty: Engine) -> None:
    with writing(empty) as session:
        session.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        session.execute(text("CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))"))
    with pytest.raises(IntegrityError), writing(empty) as session:
        session.execute(text("INSERT INTO child VALUES (42)"))


def test_the_database_keeps_a_write_ahead_log(empty: Engine) -> None:
    with reading(empty) as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
