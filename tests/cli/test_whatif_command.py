"""`flask policy what-if`: what a draft would have made of past cases, said and written nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import cli
from config import Settings
from models import WhatIf
from tests.company import Office

PERIOD = ("--from", "2026-09-01", "--until", "2026-09-30")


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


@pytest.fixture
def run(settings: Settings, engine: Engine) -> Callable[..., Result]:
    """`run(version, ...)`: what `flask policy what-if` says."""

    def run(version: int, *words: str) -> Result:
        said = ["what-if", "--version", str(version), *(words or PERIOD)]
        return CliRunner().invoke(cli.regulation.policy_group(settings), said)

    return run


@pytest.fixture
def draft(session: Session) -> int:
    """A draft of one hour for a grade A, and a case of September that took five."""
    office = Office(session)
    office.confirmed()
    made = office.drafted("deadline", "close_a", within={"amount": 1, "unit": "hour"}).id
    session.commit()
    return made


def test_totals_and_cases_are_said_in_words(run: Callable[..., Result], draft: int) -> None:
    said = run(draft)
    assert said.exit_code == 0, said.output
    assert "¥200" in said.output
    assert "TS2026090001" in said.output
    assert "SKD-3.2.2b" in said.output


def test_the_same_is_said_to_a_program(
    run: Callable[..., Result], draft: int, session: Session
) -> None:
    answer = json.loads(run(draft, *PERIOD, "--json").output)
    assert answer["totals"]["cases"] == 1
    (case,) = answer["cases"]
    assert case["number"] == "TS2026090001"
    (charge,) = case["charges"]["added"]
    assert (charge["rule"], charge["employee"], charge["yuan"]) == ("late_close", "2001", "200")
    assert session.scalar(sa.select(sa.func.count(WhatIf.id))) == 0


def test_a_case_that_does_not_fit_is_said_with_its_reason(
    run: Callable[..., Result], session: Session
) -> None:
    office = Office(session)
    office.confirmed()
    version = office.drafted("signoff", "confirm", by=["general_manager"]).id
    session.commit()
    (case,) = json.loads(run(version, *PERIOD, "--json").output)["cases"]
    assert case["refusal"]["code"] == "step_refused"
    assert "总经理" in case["refusal"]["text"]


@pytest.mark.parametrize(
    ("version", "words", "said"),
    [
        (999, PERIOD, "999"),
        (1, ("--from", "2026-09-30", "--until", "2026-09-01"), "2026-09-30"),
        (1, ("--from", "yesterday", "--until", "2026-09-01"), "yesterday"),
    ],
)
def test_what_cannot_be_tried_is_refused(
    version: int, words: tuple[str, ...], said: str, run: Callable[..., Result]
) -> None:
    answer = run(version, *words)
    assert answer.exit_code != 0
    assert said in answer.output
    assert "Traceback" not in answer.output
