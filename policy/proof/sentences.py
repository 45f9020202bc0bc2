"""A regulation sentence by sentence: carried out by which rules and cases, asked, or left out.

The sentences of a shipped regulation stand in a file of their own beside its pack, in the order of
the text, each with its number, what it demands in our words, and the clauses that carry it. What is
not carried out says there which choice the company is asked for, or why it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy.pack.loading import PACKS, read_toml

_NO_RULES = frozenset({"policy", "clause", "parameter"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a text; `clauses` are the keys of the clauses that carry it."""

    number: str
    text: str
    clauses: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class RuleName:
    """A rule that carries a sentence: its section, key and label."""

    section: str
    key: str
    label: str


@dataclass(frozen=True, slots=True)
class CarriedSentence:
    """A sentence with the rules and cases that carry it, and the choices that are really asked."""

    sentence: Sentence
    rules: tuple[RuleName, ...]
    cases: tuple[str, ...]
    asked: tuple[RuleName, ...]

    @property
    def carried_out(self) -> bool:
        """Whether a rule or a case carries it and no part of it is left out."""
        return bool(self.rules or self.cases) and not self.sentence.left_out

    @property
    def unexplained(self) -> bool:
        """Whether it is neither carried out nor asked nor left out with a reason."""
        return not (self.carried_out or self.asked or self.sentence.left_out)


def sentences_path(key: str) -> Path:
    """Return the path of the sentences of a shipped regulation; it may not exist."""
    return PACKS / "reasons" / f"{key}.toml"


def read_sentences(path: Path) -> tuple[Sentence, ...]:
    """Return the sentences of a file, in the order of the text; none where there is no file."""
    if not path.is_file():
        return ()
    return tuple(
        Sentence(
            number=str(said["number"]),
            text=said["text"],
            clauses=tuple(said.get("clauses", ())),
            asked=tuple(said.get("asked", ())),
            left_out=said.get("left_out", ""),
        )
        for said in read_toml(path).get("sentence", ())
    )


def carried_sentences(
    sentences: Iterable[Sentence],
    data: Mapping[str, Any],
    proofs: Mapping[str, Sequence[str]] | None = None,
) -> list[CarriedSentence]:
    """Return each sentence with what carries it under a regulation's plain data.

    `proofs` are the names of the cases that prove each clause, where they are at hand.
    """
    rules, asked = list(_rules(data)), _asked(data)
    return [
        CarriedSentence(
            sentence,
            tuple(name for cite, name in rules if cite in sentence.clauses),
            tuple(_distinct(sentence.clauses, proofs or {})),
            tuple(asked[key] for key in sentence.asked if key in asked),
        )
        for sentence in sentences
    ]


def _rules(data: Mapping[str, Any]) -> Iterator[tuple[str, RuleName]]:
    for section, entries in data.items():
        for entry in entries if section not in _NO_RULES else ():
            key = str(entry["key"])
            yield str(entry.get("cite", "")), RuleName(section, key, str(entry.get("label", key)))


def _asked(data: Mapping[str, Any]) -> dict[str, RuleName]:
    """Return the choices the company is asked for, by key."""
    asked = (entry for entry in data.get("parameter", ()) if entry.get("ask"))
    return {one["key"]: RuleName("parameter", one["key"], str(one["label"])) for one in asked}


def _distinct(clauses: Iterable[str], proofs: Mapping[str, Sequence[str]]) -> dict[str, None]:
    return dict.fromkeys(name for clause in clauses for name in proofs.get(clause, ()))


@dataclass(frozen=True, slots=True)
class SentenceCount:
    """How many sentences are carried out, only asked, left out with a reason, and none of these."""

    of: int = 0
    carried_out: int = 0
    asked: int = 0
    left_out: int = 0
    unexplained: int = 0

    def __add__(self, other: SentenceCount) -> SentenceCount:
        return SentenceCount(
            self.of + other.of,
            self.carried_out + other.carried_out,
            self.asked + other.asked,
            self.left_out + other.left_out,
            self.unexplained + other.unexplained,
        )

    def __str__(self) -> str:
        return (
            f"{self.of} sentences: {self.carried_out} carried out, {self.asked} only asked, "
            f"{self.left_out} not carried out with a reason, {self.unexplained} neither"
        )


def count_sentences(found: Iterable[CarriedSentence]) -> SentenceCount:
    """Return how the sentences of a regulation stand."""
    total = SentenceCount()
    for one in found:
        left = bool(one.sentence.left_out)
        asked = not (one.carried_out or left) and bool(one.asked)
        total += SentenceCount(1, one.carried_out, asked, left, one.unexplained)
    return total
