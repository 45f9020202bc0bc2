"""No sentence of a regulation is missing, and each is carried out, asked or left out with why."""

from __future__ import annotations

from functools import cache

import pytest

from policy.pack.loading import PACKS, read_toml, shipped_path
from policy.proof import coverage
from policy.proof.sentences import (
    CarriedSentence,
    count_sentences,
    read_sentences,
    sentences_path,
)
from tests.regulations import CASES, official_calendar
from tools.sentence_tables import table_path, table_text

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))


@cache
def table(regulation: str) -> list[CarriedSentence]:
    return coverage.sentence_table(CASES / regulation, official_calendar())


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_every_clause_stands_in_a_sentence_and_no_sentence_names_another(regulation: str) -> None:
    clauses = {one.key for one in coverage.read_clauses(CASES / regulation / coverage.CLAUSES)}
    known = clauses | {one["key"] for one in read_toml(shipped_path(regulation))["clause"]}
    named = {key for one in read_sentences(sentences_path(regulation)) for key in one.clauses}
    assert (clauses - named, named - known) == (set(), set())


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_each_sentence_is_carried_out_or_asked_or_reasoned(regulation: str) -> None:
    assert [one.sentence.number for one in table(regulation) if one.unexplained] == []
    assert count_sentences(table(regulation)).unexplained == 0


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_what_a_sentence_calls_asked_is_asked(regulation: str) -> None:
    asked = {p["key"] for p in read_toml(shipped_path(regulation))["parameter"] if p.get("ask")}
    said = {key for one in read_sentences(sentences_path(regulation)) for key in one.asked}
    assert said - asked == set()


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_the_table_says_what_the_pack_says(regulation: str) -> None:
    assert table_path(regulation).read_text(encoding="utf-8") == table_text(regulation)
