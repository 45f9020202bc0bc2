"""Looks that are killed: at a step in the files, at a statement, at a call of the port, any time.

The look runs in a process of its own, with connections of its own, and SIGKILL ends it for real.
"""

from __future__ import annotations

import copy
import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import sqlalchemy as sa
import stepping
from folder import Files
from sqlalchemy import Engine


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
        self.usual = {"file": 260.0, "statement": 90.0, "port": 14.0, "any": 0.3}

    def kill(self, how: str, rng: Random) -> bool:
        """Look in a process of its own and kill it; False where it was done before."""
        self.files.tick()
        self.files.engine.dispose()  # SQLite's connections must not be carried into a child
        at = 1 + int(rng.random() * self.usual[how])
        if how == "file":
            ended = stepping.run(self._look, lambda step: step == at)
            assert ended.killed or ended.said == "done", ended.said
            if not ended.killed:
                self.usual[how] = ended.steps
            return ended.killed
        if how == "any":
            return self._forked(lambda: self._look(), rng.random() * self.usual[how])
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
                mirror.book = Port(mirror.book, step)
            else:
                sa.event.listen(Engine, "before_cursor_execute", lambda *said: step())
                sa.event.listen(Engine, "commit", lambda *said: step())

        self._look(touch)

    def _forked(self, deed: Callable[[], None], patience: float | None = None) -> bool:
        child = os.fork()
        if child == 0:
            try:
                deed()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        if patience is not None:
            time.sleep(patience)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, "a look raised an error; it is printed above"
        return False
