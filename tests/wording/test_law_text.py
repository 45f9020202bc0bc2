"""Every law is told in the sentence it has, with a word for what it is about."""

from __future__ import annotations

import pytest
from flask import Flask

from policy.proof import laws
from policy.proof.contradictions import Finding
from policy.vocabulary.status import CallOutcome
from wording.finding_text import law_place
from wording.law_text import LAWS
from wording.rule_choices import RuleChoices


def test_every_law_is_told_in_its_own_sentence() -> None:
    sentences = {
        law.key: law.sentence for law in (*laws.STEP_LAWS.values(), *laws.PACK_LAWS.values())
    }
    assert {key: str(words) for key, words in LAWS.items()} == sentences


@pytest.mark.parametrize(
    "about", ["penalty_confirmed", "signed", "intervened", *(str(one.value) for one in CallOutcome)]
)
def test_what_a_law_is_about_is_named_and_a_whole_regulation_is_not(app: Flask, about: str) -> None:
    facts = {"law": "x", "about": about, "case": ""}
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        said = law_place(Finding("law_broken", "", "", "", facts, grave=False), RuleChoices({}))
        facts["about"] = "skoda-dealer"
        whole = law_place(Finding("law_broken", "", "", "", facts, grave=False), RuleChoices({}))
    assert said
    assert not said.isascii()
    assert not whole
