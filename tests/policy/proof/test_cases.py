"""Cases a lawyer can read, played against the shipped regulations."""

from __future__ import annotations

from functools import cache

import pytest

from policy.engine.folding import fold
from policy.pack.loading import PACKS, read_toml, shipped_path
from policy.proof.play import Case, Packs, Play, cases
from policy.vocabulary.worktime import WorkCalendar
from tests.regulations import CASES, official_calendar

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))
PLAYED = [(key, case) for key in REGULATIONS for case in cases(CASES / key)]


@pytest.fixture(scope="session")
def calendar() -> WorkCalendar:
    """The official days of 2025 and 2026, office hours from half past eight to half past five."""
    return official_calendar()


@cache
def _packs(regulation: str) -> Packs:
    return Packs(read_toml(shipped_path(regulation)))


@pytest.mark.parametrize(
    ("regulation", "case"), [pytest.param(key, case, id=case.name) for key, case in PLAYED]
)
def test_the_case_ends_as_it_says(regulation: str, case: Case, calendar: WorkCalendar) -> None:
    pack = _packs(regulation).of(case.parameters)
    play = Play(case, pack, calendar)
    assert [str(wrong) for wrong in play.mismatches()] == []
    assert fold(play.entries, pack, calendar) == play.facts


def test_every_regulation_has_cases_of_its_own() -> None:
    assert {key for key, _ in PLAYED} == set(REGULATIONS)


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for _, case in PLAYED]
    assert sorted(names) == sorted(set(names))
