"""Pauses in work that writes again and again, so that everybody else gets at the record meanwhile.

A database with one writer at a time belongs to whoever writes: who waits asks for the lock every
tenth of a second. One short transaction after the other starves them as a long one does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

One = TypeVar("One")

PORTION_S = 0.25
"""After this time of writing comes a pause."""
PAUSE_S = 0.12
"""Longer than the tenth of a second between two questions of who waits for the lock."""


def pause() -> None:
    """Let others in."""
    time.sleep(PAUSE_S)


def with_pauses(items: Iterable[One]) -> Iterator[One]:
    """Yield items, each handled in a transaction of its own, with a pause after each portion."""
    until = time.monotonic() + PORTION_S
    for one in items:
        yield one
        if time.monotonic() > until:
            pause()
            until = time.monotonic() + PORTION_S
