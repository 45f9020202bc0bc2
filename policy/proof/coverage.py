"""Prove a regulation's clauses by its cases, and find the changes no case would notice.

The clauses of a regulation are set against the cases (and the tests marked `@pytest.mark.proves`)
that cite them, and the changes of its pack against the cases that notice them.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy.pack.loading import (
    read_toml,
    shipped_path,
)
from policy.proof.mutations import holding_cases, mutations, unnoticed_mutations
from policy.proof.play import SHARED, Case, cases
from policy.proof.sentences import (
    CarriedSentence,
    carried_sentences,
    read_sentences,
    sentences_path,
)
from policy.vocabulary.worktime import WorkCalendar

CLAUSES = "clauses.toml"
_MARK = "pytest.mark.proves"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a regulation: its kind of check, and the reason if it is left for later."""

    key: str
    type: str
    left: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A clause and the names of the cases and tests that prove it."""

    clause: Clause
    by: tuple[str, ...]

    def __str__(self) -> str:
        left = f"left: {self.clause.left}" if self.clause.left else "UNPROVEN"
        said = f"proven by {len(self.by)}" if self.by else left
        first = f"{self.clause.key:<16} {self.clause.type}  {said}"
        return "\n".join([first, *(f"{'':<21}{name}" for name in self.by)])


# ---------------------------------------------------------------- clauses proven


def read_clauses(path: Path) -> tuple[Clause, ...]:
    """Return the clauses of a file: `[[clause]]` with `key`, `type` and perhaps `left`."""
    return tuple(
        Clause(entry["key"], entry["type"], entry.get("left"))
        for entry in read_toml(path).get("clause", ())
    )


def prove_clauses(
    cases: Iterable[Case], marked: Mapping[str, Sequence[str]], clauses: Iterable[Clause]
) -> tuple[Proof, ...]:
    """Return each clause with what proves it; `marked` are tests by the clause they prove."""
    by: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        for clause in case.proves:
            by[clause].append(case.name)
    for clause, names in marked.items():
        by[clause].extend(names)
    return tuple(Proof(clause, tuple(by[clause.key])) for clause in clauses)


def marked_tests(folder: Path) -> dict[str, list[str]]:
    """Return the tests of a folder marked `@pytest.mark.proves("CLAUSE", ...)`, by clause.

    A mark on a function that is no test proves nothing, because it never runs.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if _MARK not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for clause in _clauses_marked(node):
                    found[clause].append(node.name)
    return dict(found)


def _clauses_marked(test: ast.FunctionDef) -> Iterator[str]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == _MARK:
            yield from (str(a.value) for a in mark.args if isinstance(a, ast.Constant))


NOT_CHECKED = frozenset({"B", "X", "—"})
"""Types no program can check: behaviour, promises outside the desk, headings without a text."""


@dataclass(frozen=True, slots=True)
class ClauseCount:
    """Proven clauses, of those a program can check, and the ones without proof or reason."""

    proven: int
    owed: int
    silent: tuple[str, ...]

    def __add__(self, other: ClauseCount) -> ClauseCount:
        return ClauseCount(
            self.proven + other.proven, self.owed + other.owed, self.silent + other.silent
        )

    def __str__(self) -> str:
        return f"{self.proven} of {self.owed} proven"


NOTHING = ClauseCount(0, 0, ())


def clause_report(folder: Path, calendar: WorkCalendar) -> tuple[list[str], ClauseCount]:
    """Return a line per clause of the cases' folder with a sum, and that sum.

    A case that does not hold proves nothing. `folder` is that of one regulation; the tests marked
    in Python stand two folders above.
    """
    proofs = clause_proofs(folder, calendar)
    tally = count_proofs(proofs)
    return [*map(str, proofs), f"{folder.name}: {tally}"], tally


def clause_proofs(folder: Path, calendar: WorkCalendar) -> tuple[Proof, ...]:
    """Return each clause of a regulation with the cases that hold and the tests that prove it."""
    sound = holding_cases(tuple(cases(folder)), read_toml(shipped_path(folder.name)), calendar)
    return prove_clauses(sound, marked_tests(folder.parent.parent), read_clauses(folder / CLAUSES))


def sentence_table(folder: Path, calendar: WorkCalendar) -> list[CarriedSentence]:
    """Return the sentences of a shipped regulation with the rules and cases that carry them."""
    proofs = {proof.clause.key: proof.by for proof in clause_proofs(folder, calendar)}
    said = read_sentences(sentences_path(folder.name))
    return carried_sentences(said, read_toml(shipped_path(folder.name)), proofs)


def count_proofs(proofs: Iterable[Proof]) -> ClauseCount:
    """Return how many clauses are proven, of those a program can check."""
    owed = [proof for proof in proofs if proof.clause.type not in NOT_CHECKED]
    silent = [p.clause.key for p in owed if not p.by and p.clause.left is None]
    return ClauseCount(sum(bool(proof.by) for proof in owed), len(owed), tuple(silent))


def mutation_report(folder: Path, calendar: WorkCalendar) -> tuple[list[str], bool]:
    """Return a line per change that no case notices, and whether there is none."""
    data = read_toml(shipped_path(folder.name))
    changes = mutations(data, chosen_parameters(folder))
    found = unnoticed_mutations(changes, tuple(cases(folder)), data, calendar=calendar)
    missed = [str(mutation) for mutation in found]
    return [*missed, f"{len(missed)} changes that no case notices"], not missed


def chosen_parameters(folder: Path) -> dict[str, Any]:
    """Return the company's values of a case folder for parameters the regulation leaves open."""
    shared = folder / SHARED
    return dict(read_toml(shared).get("parameters", {})) if shared.exists() else {}
