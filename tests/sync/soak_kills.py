"""Looks that are killed: at a step in the files, a statement, a call of the port, any system call.

The look runs in a process of its own, with connections of its own, and SIGKILL ends it for real.
When it does is counted and never waited for, so a day goes the same way on every machine. Between
two system calls nothing outlives a process but the index of SQLite's log, which is made anew.
"""

from __future__ import annotations

import copy
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from tests.sync import stepping
from tests.sync.folder import Files

TRACED: dict[str, stepping.Counted] = {"file": stepping.in_files, "any": lambda call: True}
"""Which system calls of a look are its steps."""

LONGEST = {"file": 260.0, "statement": 90.0, "port": 14.0, "any": 1500.0}
"""How many steps of each sort a look that does a lot has, roughly."""


@dataclass(eq=False)
class Counted:
    """Kills this process when it is asked for the n-th time."""

    left: int

    def __call__(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Port:
    """A book whose every call is a step, before and after."""

    def __init__(self, book: Any, step: Callable[[], None]) -> None:
        self.book, self.step = book, step

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.book, name)

        def call(*args: Any, **named: Any) -> Any:
            self.step()
            result = method(*args, **named)
            self.step()
            return result

        return call


@dataclass
class Kills:
    """Kills looks at the company's files. `usual` is how long each sort of look was so far."""

    files: Files
    fresh: Callable[[], Engine]

    def __post_init__(self) -> None:
        self.usual = dict(LONGEST)

    def kill(self, how: str, rng: Random) -> bool:
        """Look in a process of its own and kill it; False where it was done before."""
        self.files.tick()
        self.files.engine.dispose()  # SQLite's connections must not be carried into a child
        at = 1 + int(rng.random() * self.usual[how])
        if how in TRACED:
            ended = stepping.run(self._look, lambda step: step == at, counted=TRACED[how])
            assert ended.killed or ended.said == "done", ended.said
            # A quiet look is short; after a killed one nobody knows how long it would have been.
            longer = min(LONGEST[how], 2 * self.usual[how])
            self.usual[how] = longer if ended.killed else ended.steps
            return ended.killed
        return self._forked(lambda: self._counting(how, at))

    def _look(self, touch: Callable[[Any], None] = lambda mirror: None) -> None:
        files = copy.copy(self.files)
        files.engine = self.fresh()
        mirror = files.mirror()
        touch(mirror)
        mirror.look()

    def _counting(self, how: str, at: int) -> None:
        step = Counted(at)

        def touch(mirror: Any) -> None:
            if how == "port":
                mirror.port = Port(mirror.port, step)
            else:
                sa.event.listen(Engine, "before_cursor_execute", lambda *said: step())
                sa.event.listen(Engine, "commit", lambda *said: step())

        self._look(touch)

    def _forked(self, deed: Callable[[], None]) -> bool:
        child = os.fork()
        if child == 0:
            try:
                deed()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, "a look raised an error; it is printed above"
        return False
