"""A regulation goes out as a file and comes in again, and nothing of it is lost on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from files.regulation_toml import toml_of
from policy.pack.loading import PACKS, build_pack, parse_toml, read_toml, shipped_path
from policy.pack.starter import starter_pack
from policy.proof.coverage import chosen_parameters
from policy.vocabulary.errors import PackRefused
from tests.regulations import CASES

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_what_goes_out_comes_in_as_the_same_rules(regulation: str) -> None:
    data = read_toml(shipped_path(regulation))
    again = parse_toml(toml_of(data).encode(), file="again.toml")
    assert again == data
    chosen = chosen_parameters(CASES / regulation)
    assert build_pack(again, chosen).checksum == build_pack(data, chosen).checksum


def test_a_draft_full_of_mistakes_comes_in_as_it_went_out() -> None:
    data = {
        "policy": {"key": "x", "label": 'Say "hello"\nand \\ more', "cite": None},
        "penalty": [{"key": "p", "amount": "-5", "more": [1, True, "x"]}, {"key": "p"}],
        "unheard_of": [{"a": {"b": [{"c": 1}]}}],
    }
    again = parse_toml(toml_of(data).encode(), file="again.toml")
    assert again["policy"] == {"key": "x", "label": 'Say "hello"\nand \\ more'}
    assert again["penalty"] == data["penalty"]
    assert again["unheard_of"] == data["unheard_of"]


def test_a_file_reads_as_one_that_a_person_wrote() -> None:
    data = starter_pack("new", "新制度")
    data["penalty"] = [{"key": "late", "amount": Decimal("12.50")}]
    text = toml_of(data)
    assert text.startswith('[policy]\nkey = "new"\n')
    assert '\n[[deadline]]\nkey = "close"\n' in text
    assert 'within = {amount = 5, unit = "working_day"}' in text
    assert "amount = 12.50" in text


def test_a_file_with_the_mark_of_another_editor_is_read_and_a_broken_one_named() -> None:
    assert parse_toml("\ufeff[policy]\n".encode(), file="x.toml") == {"policy": {}}
    with pytest.raises(PackRefused) as refused:
        parse_toml(b"[policy\n", file="x.toml")
    assert refused.value.facts["file"] == "x.toml"
    with pytest.raises(PackRefused):
        parse_toml("[policy]\nlabel='制度'".encode("gbk"), file="x.toml")
