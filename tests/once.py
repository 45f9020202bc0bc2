"""What a run of the tests makes once, whichever of its processes needs it first."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import Settings


@dataclass(frozen=True)
class Once:
    """A folder that all processes of a run share; pytest removes it some runs later."""

    folder: Path

    @classmethod
    def of_run(cls, factory: pytest.TempPathFactory) -> Once:
        """The folder of the run; pytest-xdist gives each of its processes one below it."""
        own = factory.getbasetemp()
        return cls(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)

    def made(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder `name`, filled by `make`; who comes meanwhile waits until it is whole."""
        whole, draft = self.folder / f"once-{name}", self.folder / f"once-{name}-draft"
        with (self.folder / f"once-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                shutil.rmtree(draft, ignore_errors=True)
                draft.mkdir()
                make(draft)
                draft.rename(whole)
        return whole

    def database(self, name: str, build: Callable[[Settings], object]) -> Path:
        """The database file of the home `name`, which `build` filled."""
        home = self.made(name, lambda home: build(Settings(home=home)))
        return Path(str(Settings(home=home).url.database))
