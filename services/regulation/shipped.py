"""A company's regulation beside the text that comes with the product: its sentences, its mends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models import PolicyVersion
from policy.pack.comparing import EntryDifference, differences
from policy.pack.loading import read_toml, shipped_path
from policy.proof.play import cases
from policy.proof.sentences import (
    CarriedSentence,
    carried_sentences,
    read_sentences,
    sentences_path,
)
from services.regulation import policies

CASE_FILES = Path(__file__).resolve().parent.parent.parent / "tests" / "policy"
"""The folder of the case files of the shipped regulations, if the tests came with the product."""


def shipped_data(key: str) -> Mapping[str, Any] | None:
    """Return the plain data of the shipped regulation of that key, or None."""
    path = shipped_path(key)
    return read_toml(path) if path.is_file() else None


def with_choices(data: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain data with the company's choices in another text of the regulation kept."""
    said = {one.get("key"): one.get("value") for one in chosen.get("parameter", ())}
    kept = [
        {**entry, "value": said[entry["key"]]} if said.get(entry["key"]) is not None else entry
        for entry in data.get("parameter", ())
    ]
    return {**data, "parameter": kept} if kept else dict(data)


def mends(session: Session, version: PolicyVersion) -> list[EntryDifference]:
    """Return what the shipped text of a version's regulation says otherwise than the version.

    The company's choices are no difference. A regulation of the company's own has no shipped text.
    """
    shipped = shipped_data(version.policy.key)
    if shipped is None:
        return []
    data = policies.plain_data(session, version)
    return differences(data, with_choices(shipped, data))


def sentences(session: Session, version: PolicyVersion) -> list[CarriedSentence]:
    """Return the sentences of a version's text with what carries them, not carried out first.

    Empty for a regulation whose sentences do not come with the product.
    """
    key = version.policy.key
    said, data = read_sentences(sentences_path(key)), policies.plain_data(session, version)
    found = carried_sentences(said, data, _proving_cases(key))
    return sorted(found, key=lambda one: (one.carried_out, not one.sentence.left_out))


@cache
def _proving_cases(key: str) -> Mapping[str, Sequence[str]]:
    """Return the names of the cases about each clause, if the case files came with the product."""
    folder, found = CASE_FILES / key, dict[str, list[str]]()
    for case in cases(folder) if folder.is_dir() else ():
        for clause in case.proves:
            found.setdefault(clause, []).append(case.name)
    return found
