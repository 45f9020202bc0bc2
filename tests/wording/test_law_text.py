"""Every law is told in the sentence it has."""

from __future__ import annotations

from policy.proof import laws
from wording.law_text import LAWS


def test_every_law_is_told_in_its_own_sentence() -> None:
    sentences = {
        law.key: law.sentence for law in (*laws.STEP_LAWS.values(), *laws.PACK_LAWS.values())
    }
    assert {key: str(words) for key, words in LAWS.items()} == sentences
