"""Whatever is handed to the player, it plays or refuses: no traceback, the right exit code.

Real case files are taken and hurt: fields of another sort, deep lists, enormous numbers and years,
names nobody has, steps out of order, bytes that are no text. A refusal names the file and the case.
"""

from __future__ import annotations

import copy
import datetime as dt
import os
import random
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

import cli
from config import ROOT, Settings
from policy.pack.loading import read_toml
from policy.proof import casefile

CASES = ROOT / "tests" / "policy"
FOLDERS = sorted(path.parent for path in CASES.glob("*/cast.toml"))
FILES = {
    folder.name: [
        path
        for path in sorted(folder.glob("*.toml"))
        if path.name not in ("cast.toml", "clauses.toml")
    ]
    for folder in FOLDERS
}
SEED = int(os.environ.get("PLAY_SEED", "20261130"))
TIMES = int(os.environ.get("PLAY_TIMES", "150"))


def deep(levels: int) -> list[Any]:
    """A list that many levels deep."""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


ODD_VALUES: tuple[Any, ...] = (
    *("", "x", "\u0000", "“%(field)s”", "{}", "a" * 400, "严重", "care_specialist", "$limit"),
    *(0, -1, 3, 10**14, 10**30, True, False),
    *(Decimal("0.5"), Decimal("1e14"), Decimal("1e999999"), Decimal("-0.001")),
    *(dt.datetime(2026, 3, 2, 9), dt.datetime(9999, 12, 31, 23, 59, 59), dt.datetime(1, 1, 1)),
    dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC),
    dt.datetime(2150, 3, 2, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
    *(dt.date(2026, 3, 2), dt.time(9, 0)),
    *([], [1], ["x"], [[]], [{}], deep(8), deep(60)),
    *({}, {"x": 1}, {"a": {"b": {"c": {}}}}, {"due": {"x": 1}}),
)
ODD_NAMES = (
    "x",
    "step",
    "expect",
    "parameters",
    "due",
    "figures",
    "extra",
    "by",
    "at",
    "严 重",
    "",
)


def places_of(data: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of plain data, as the way to it."""
    found = [place] if place else []
    if isinstance(data, dict):
        for key, inner in data.items():
            found += places_of(inner, (*place, key))
    elif isinstance(data, list):
        for number, inner in enumerate(data):
            found += places_of(inner, (*place, number))
    return found


def at_place(data: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        data = data[step]
    return data


def hurt(data: dict[str, Any], chance: random.Random) -> None:
    """Change one place of the data: another value, gone, twice, under another name, elsewhere."""
    places = places_of(data)
    if not places:
        return
    place = chance.choice(places)
    around, last = at_place(data, place[:-1]), place[-1]
    way = chance.randrange(6)
    if way == 0:
        del around[last]
    elif way == 1 and isinstance(around, list):
        around.insert(last, copy.deepcopy(around[last]))
    elif way == 2 and isinstance(around, dict):
        around[chance.choice(ODD_NAMES)] = around.pop(last)
    elif way == 3 and isinstance(around, dict):
        around[chance.choice(ODD_NAMES)] = copy.deepcopy(chance.choice(ODD_VALUES))
    elif way == 4:
        around[last] = copy.deepcopy(at_place(data, chance.choice(places)))
    else:
        around[last] = copy.deepcopy(chance.choice(ODD_VALUES))


def some_file(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """A regulation, and one case of its files with the shared people, hurt a few times."""
    regulation = chance.choice(sorted(FILES))
    path = chance.choice(FILES[regulation])
    data = copy.deepcopy(read(path))
    shared = copy.deepcopy(read(path.parent / "cast.toml"))
    data["case"] = [chance.choice(data["case"])]
    for name in ("cast", "defaults", "opening", "parameters"):
        if name in shared or name in data:
            data[name] = {**shared.get(name, {}), **data.get(name, {})}
    data["pack"] = regulation
    for _ in range(chance.randint(1, 3)):
        hurt(data, chance)
    return regulation, data


_READ: dict[Path, dict[str, Any]] = {}


def read(path: Path) -> dict[str, Any]:
    if path not in _READ:
        _READ[path] = read_toml(path)
    return _READ[path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hurt")


def played(content: bytes, folder: Path, *words: str) -> Result:
    path = folder / "mine.toml"
    path.write_bytes(content)
    group = cli.regulation.policy_group(Settings(home=folder / "home", demo=False))
    return CliRunner().invoke(group, ["play", str(path), *words])


def assert_played_or_refused(said: Result) -> None:
    """No traceback; 0 where all holds, else 1 with a sentence that names the file or the case."""
    unforeseen = said.exception is not None and not isinstance(said.exception, SystemExit)
    assert not unforeseen, said.exception
    assert said.exit_code in (0, 1), said.output
    assert "Traceback" not in said.output
    assert "发生了意外" not in said.output, said.output[-800:]
    if said.exit_code == 1 and "Error:" in said.output:
        error = said.output[said.output.index("Error:") :]
        assert "mine.toml" in error or "制度" in error, error[:800]
        assert len(error) < 6000, error


@seed(SEED)
@settings(
    max_examples=TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(number=st.integers(0, 10**9))
def test_a_hurt_case_file_is_played_or_refused_in_its_place(folder: Path, number: int) -> None:
    regulation, data = some_file(random.Random(number))
    try:
        text = casefile.case_file_text(data)
    except RecursionError:
        return
    said = played(text.encode(), folder, "--pack", regulation)
    assert_played_or_refused(said)


@seed(SEED)
@settings(max_examples=TIMES, deadline=None)
@given(number=st.integers(0, 10**9))
@example(number=0)
def test_a_file_whose_bytes_are_hurt_is_played_or_refused(folder: Path, number: int) -> None:
    chance = random.Random(number)
    content = bytearray(chance.choice(FILES["skoda-dealer"]).read_bytes()[:4000])
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(content))
        many = chance.randrange(1, 40)
        content[place : place + many * chance.randrange(2)] = chance.randbytes(chance.randrange(4))
    assert_played_or_refused(played(bytes(content), folder, "--pack", "skoda-dealer"))
