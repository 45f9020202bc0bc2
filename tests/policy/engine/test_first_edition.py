"""What was judged under a text of the first edition is judged the same today.

`first_edition/` keeps a regulation as it was published before there were editions, with cases of
its terms, sums, juries, restarts, upgrades and corrections. They are history: none is edited.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from policy.pack.loading import build_pack, read_toml
from policy.proof.play import Case, Packs, cases, play_case
from policy.vocabulary.editions import FIRST
from tests.regulations import official_calendar

STORED = Path(__file__).parent / "first_edition"
PACK = read_toml(STORED / "pack.toml")


def _cases() -> list[Case]:
    return list(cases(STORED))


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_a_case_judged_before_is_judged_the_same_today(case: Case) -> None:
    assert play_case(case, Packs(PACK), official_calendar()) == []


def test_a_text_from_before_there_were_editions_is_of_the_first() -> None:
    assert build_pack(PACK).policy.edition == FIRST
