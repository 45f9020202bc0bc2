"""Writes many rows in short transactions, with a pause after each that lets others in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.jobs import pauses

One = TypeVar("One")

PORTION_ROWS = 25

COMMIT = Session.commit
DRY_RUN = Session.rollback


def write_in_portions(
    engine: sa.Engine,
    items: Iterable[One],
    *,
    write: Callable[[Session, One], object],
    finish: Callable[[Session], None] = COMMIT,
) -> None:
    """Write every item, in as many transactions as it takes; `finish` ends each of them.

    Items are made between the transactions, so reading them holds no lock.
    """
    waiting: list[One] = []
    remaining = iter(items)
    while waiting or (waiting := _taken(remaining)):
        done = _write_portion(engine, waiting, write=write, finish=finish)
        waiting = waiting[done:]
        pauses.pause()


def _taken(remaining: Iterator[One]) -> list[One]:
    return list(islice(remaining, PORTION_ROWS))


def _write_portion(
    engine: sa.Engine,
    waiting: list[One],
    *,
    write: Callable[[Session, One], object],
    finish: Callable[[Session], None],
) -> int:
    """Write items until the time of a portion is over; return how many."""
    done = 0
    with Session(engine) as session:
        session.connection()  # the clock starts with the lock: waiting for it is no holding
        until = time.monotonic() + pauses.PORTION_S
        for one in waiting:
            write(session, one)
            done += 1
            if time.monotonic() > until:
                break
        finish(session)
    return done
