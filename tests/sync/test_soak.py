"""Random days against the real file: nothing is lost or done twice, and both sides agree.

What happens is drawn: deeds in the record, people's edits, rows and columns moved about, old copies
saved late, and looks killed between any two steps. `make test` lives the same days every time, on
every machine; `make soak-sync` lives new ones for SOAK_MINUTES, and Hypothesis shrinks what fails.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.sync.soak_days import STEPS, Begun, Days

pytestmark = pytest.mark.soak

LONG = 120
DAYS = 6
SEEDS = (1, 2, 3, 4)
LEAST = 520
"""So many steps each seed must really have taken, not counting those that made no sense."""
LOGGED = 40
"""So many of its last steps a day that fails prints; it can be lived again."""

MINUTES = float(os.environ.get("SOAK_MINUTES", 0))


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory, blank_database: Path) -> Begun:
    return Begun.at(tmp_path_factory.mktemp("soak") / "morning", blank_database)


def _lived(begun: Begun, home: Path, counts: Counter[str], steps: list[tuple[str, int]]) -> None:
    """Live one list of steps from the morning to the evening."""
    days = Days.after(begun, home, counts)
    try:
        for name, number in steps:
            days.step(name, number)
        days.finish(Random(len(steps)))
    except BaseException as error:
        error.add_note("\n".join(days.log[-LOGGED:]))
        raise
    finally:
        days.end()
        shutil.rmtree(home)


def _drawn(number: int, day: int) -> list[tuple[str, int]]:
    """The steps of one of a seed's days.

    Hypothesis would not draw the same ones twice: it tries constants of whatever module of ours
    is loaded by then, so any new number anywhere in the code would change these days.
    """
    rng = Random(f"{number}/{day}")
    return [(rng.choice(STEPS), rng.randrange(10**4)) for _ in range(LONG)]


def _told(counts: Counter[str]) -> str:
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{_steps(counts)} steps ({kinds})"


def _steps(counts: Counter[str]) -> int:
    return sum(count for name, count in counts.items() if name in STEPS and name != "rest")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", SEEDS)
def test_days_of_all_kinds_lose_nothing_and_double_nothing(
    begun: Begun, tmp_path: Path, number: int, record_property: Callable[[str, object], None]
) -> None:
    counts: Counter[str] = Counter()
    for day in range(DAYS):
        _lived(begun, tmp_path / f"seed {number}, day {day}", counts, _drawn(number, day))
    record_property("told", f"soak {number}: {_told(counts)}")
    assert _steps(counts) >= LEAST
    assert counts["compared"] >= DAYS
    assert {"look wrote", "look quiet", "killed: file", "killed: statement"} <= counts.keys()


if MINUTES:

    @pytest.mark.timeout(0)
    def test_new_days_until_the_time_is_over(
        begun: Begun, tmp_path: Path, record_property: Callable[[str, object], None]
    ) -> None:
        until = time.monotonic() + 60 * MINUTES
        counts: Counter[str] = Counter()
        one = st.tuples(st.sampled_from(STEPS), st.integers(0, 9999))

        @settings(
            deadline=None,
            database=None,
            max_examples=DAYS,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(one, min_size=LONG, max_size=LONG))
        def live(steps: list[tuple[str, int]]) -> None:
            _lived(begun, tmp_path / "day", counts, steps)

        while time.monotonic() < until:
            seed(random.randrange(10**9))(live)()
        record_property("told", f"soak: {_told(counts)}")
