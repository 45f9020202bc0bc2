"""The laws between the rules hold for every regulation, and each finds the fault it is for."""

from __future__ import annotations

import os
from functools import cache

import pytest

from policy.pack.loading import PACKS, load_pack, shipped_path
from policy.pack.schema import Pack
from policy.proof import laws
from policy.proof.coverage import chosen_parameters
from policy.proof.sample_events import cast_of_pack
from policy.proof.written_case import case_text
from tests.regulations import CASES, official_calendar

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))
SEED = int(os.environ.get("LAWS_SEED", "20261130"))
EVENTS = 20_000


@cache
def pack_of(regulation: str) -> Pack:
    return load_pack(shipped_path(regulation), chosen_parameters(CASES / regulation))


def told(found: list[laws.Violation], pack: Pack) -> str:
    """What was found, with the shortest case that shows it, as a person could play it."""
    calendar, lines = official_calendar(), [f"LAWS_SEED={SEED}"]
    for one in found:
        lines.append(f"{one.law.sentence} ({one.law.key}: {one.about})")
        if one.journal:
            short = laws.shortest(one, pack, calendar)
            people = cast_of_pack(pack)
            name = one.law.sentence
            lines.append(case_text(short.journal, people, name=name, calendar=calendar))
    return "\n".join(lines)


@pytest.mark.walk
@pytest.mark.parametrize("regulation", REGULATIONS)
def test_the_laws_hold_in_random_lives(regulation: str) -> None:
    pack = pack_of(regulation)
    found = list(laws.violations(pack, official_calendar(), seed=SEED, events=EVENTS))
    assert not found, told(found, pack)
