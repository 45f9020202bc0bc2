"""The glossary tells the truth: every code name stands where it says, and no word twice."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import pytest

from config import ROOT
from tools.house import files, module_of

PAGE = ROOT / "docs" / "glossary.md"
MODULES = {module_of(path): path for path in files()}


@dataclass(frozen=True)
class Word:
    """A line of the table."""

    chinese: str
    english: str
    code: str
    where: str
    old: frozenset[str]


def _words() -> list[Word]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [_word([cell.strip(" |") for cell in row]) for row in rows[1:]]


def _word(cells: list[str]) -> Word:
    chinese, english, code, where, *old = cells
    gone = frozenset(name.strip() for name in ",".join(old).split(",") if name.strip())
    return Word(chinese, english.partition(":")[0], code.strip("`"), where.strip("`"), gone)


WORDS = _words()


def _defined(module: str) -> set[str]:
    """The classes, functions and constants at the top of a module."""
    found: set[str] = set()
    for node in ast.parse(MODULES[module].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def test_the_table_is_read() -> None:
    assert len(WORDS) >= 40


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.english)
def test_a_code_name_stands_where_the_glossary_says(word: Word) -> None:
    assert word.where in MODULES, f"there is no module {word.where}"
    assert word.code in _defined(word.where)


@pytest.mark.parametrize("column", ["chinese", "english", "code"])
def test_no_word_stands_twice(column: str) -> None:
    words = [getattr(word, column) for word in WORDS]
    assert sorted(words) == sorted(set(words))


def test_no_class_is_called_by_a_word_that_was_given_up() -> None:
    gone = {name for word in WORDS for name in word.old}
    assert gone
    classes = {
        f"{module}.{node.name}"
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name in gone
    }
    assert classes == set()
