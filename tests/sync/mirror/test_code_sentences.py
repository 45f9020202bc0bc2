"""No code is ever shown: every reason that the mirror can give has a sentence in each language."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import wording
from enums import ProblemKind
from sync.mirror.merge.answers import because
from sync.mirror.parsing.texts import Unreadable
from tests.sync.folder import LANGUAGE, ZONE
from wording import workbook_problems, workbook_text

ROOT = Path(__file__).parents[3]
RAISED = {"Unreadable", "Damage", "WorkbookError"} | {
    f"Workbook{kind}" for kind in ("Unavailable", "Changed", "Refused")
}
FACTS: dict[str, Any] = {
    **{"said": "11.3", "text": "#N/A", "year": 1899, "limit": 20_000, "length": 20_001},
    **{"name": "王芳", "number": "TS2026090001", "numbers": "2005, 2006", "department": "车间"},
    **{"choices": "是, 否", "columns": ["电话"], "rows": 3, "count": 5, "of": 9, "tab": "在办"},
    **{"stamp": 7, "who": "王芳", "minutes": 16, "missing": ["电话"], "seconds": 30},
}


def codes(names: set[str]) -> set[str]:
    """The codes with which errors of these names are made anywhere in the mirror and the files."""
    found = set()
    for path in (ROOT / "sync").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


OF_CELLS = sorted(codes({"Unreadable"}))
OF_FILES = sorted(codes(RAISED) | {"conflict", "vanished", "copy_undecided", "copy_found"})


def is_code(text: str) -> bool:
    return re.search(r"[a-z]+_[a-z]+", text) is not None


@pytest.mark.parametrize("language", ["en", LANGUAGE])
@pytest.mark.parametrize("code", OF_CELLS)
def test_every_reason_of_a_cell_is_a_sentence(code: str, language: str) -> None:
    with wording.speaking(language, ZONE):
        said = workbook_text.cell_unreadable(code, "contacted_at", FACTS)
        bare = workbook_text.cell_unreadable(code, "contacted_at", {})
    assert not is_code(said), said
    assert not is_code(bare), bare
    assert "%(" not in said


@pytest.mark.parametrize("language", ["en", LANGUAGE])
@pytest.mark.parametrize("code", OF_FILES)
def test_every_reason_of_a_file_is_a_sentence(code: str, language: str) -> None:
    with wording.speaking(language, ZONE):
        said = workbook_problems.workbook_problem(code, FACTS)
    assert not re.search(rf"\b{code} \(|: {code}", said), said  # as what has no name is said
    assert not is_code(said), said


def test_the_codes_are_found_in_the_source() -> None:
    assert {"year_unlikely", "digits_lost", "not_computed", "row_example"} <= set(OF_CELLS)
    assert {"tab_gone", "rows_vanished", "half_sorted", "disk_full"} <= set(OF_FILES)


def test_a_code_without_a_sentence_of_the_cell_takes_the_one_of_the_problem() -> None:
    with wording.speaking(LANGUAGE, ZONE):
        _code, _facts, why = because(Unreadable("merged", columns=["电话"]), "answer")
    assert "merged" not in why


@pytest.mark.parametrize("kind", ProblemKind)
def test_every_kind_of_problem_has_a_name(kind: ProblemKind) -> None:
    with wording.speaking(LANGUAGE, ZONE):
        assert not is_code(wording.label(kind))
        assert wording.label(kind) != kind.value
