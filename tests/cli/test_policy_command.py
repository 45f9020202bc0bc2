"""`flask policy publish`: a new version from a file, or what is wrong with it and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import cli
from config import Settings
from models import PolicyRule, PolicyVersion
from policy.pack.loading import shipped_path
from services.regulation import policies

PACK = shipped_path("skoda-dealer")
LINE = str(PACK.read_text(encoding="utf-8").split('label = "转办时限"')[0].count("\n") + 1)
"""The line on which the broken text begins."""


@pytest.fixture
def run(settings: Settings, engine: Engine) -> Callable[..., Result]:
    """`run("publish", file, ...)`: what `flask policy` says."""
    return lambda *words: CliRunner().invoke(
        cli.regulation.policy_group(settings), [str(w) for w in words]
    )


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """The shipped regulation with one text replaced."""
    text = PACK.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_a_second_version_comes_into_force_on_its_day(
    run: Callable[..., Result], tmp_path: Path, engine: Engine
) -> None:
    assert run("publish", PACK, "--from", "2026-01-01").exit_code == 0
    dearer = changed(tmp_path, "amount = 200\n", "amount = 250\n")
    said = run("publish", dearer, "--from", "2027-01-01")
    assert (said.exit_code, "version 2 is in force from 2027-01-01" in said.output) == (0, True)
    with Session(engine) as session:
        before = policies.in_force(session, "skoda-dealer", on=dt.date(2026, 12, 31))
        after = policies.in_force(session, "skoda-dealer", on=dt.date(2027, 1, 1))
        old, new = (
            policies.pack(session, v).find("penalty", "hide_supervisor") for v in (before, after)
        )
        assert (old.amount, new.amount) == (200, 250)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('unit = "hour"', 'unit = "moment"', ("changed.toml", "deadline.[handover].within.unit")),
        ("amount = 200\n", "amount = -200\n", ("changed.toml", "penalty.[hide_supervisor].amount")),
        ('label = "转办时限"', 'label = "转办时限', ("changed.toml", LINE)),
        ('director = "sales_director"', 'director = "nobody"', ("department.[sales]", "nobody")),
    ],
)
def test_a_malformed_file_is_refused_in_its_place_and_nothing_is_stored(
    old: str,
    new: str,
    said: tuple[str, ...],
    run: Callable[..., Result],
    tmp_path: Path,
    engine: Engine,
) -> None:
    answer = run("publish", changed(tmp_path, old, new), "--from", "2026-01-01")
    assert answer.exit_code == 1
    assert all(word in answer.output for word in said), answer.output
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count(PolicyVersion.id))) == 0
        assert session.scalar(sa.select(sa.func.count(PolicyRule.id))) == 0


def test_checking_a_file_stores_nothing(run: Callable[..., Result], engine: Engine) -> None:
    answer = run("publish", PACK, "--check")
    assert (answer.exit_code, "nothing is wrong" in answer.output) == (0, True)
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count(PolicyVersion.id))) == 0


def test_a_file_that_is_not_there_is_named(run: Callable[..., Result], tmp_path: Path) -> None:
    answer = run("publish", tmp_path / "gone.toml", "--check")
    assert (answer.exit_code, "gone.toml" in answer.output) == (1, True)


def test_a_version_needs_its_day(run: Callable[..., Result]) -> None:
    assert "--from is needed" in run("publish", PACK).output
