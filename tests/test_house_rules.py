"""The rules of the house that no linter knows, held by reading the source."""

from __future__ import annotations

import ast
import enum
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import enums
import models
from config import ROOT
from models import UtcDateTime
from policy.vocabulary import status
from tools.house import files

SOURCES = [*files(), *sorted((ROOT / "tests").rglob("*.py")), *sorted(ROOT.glob("stubs/**/*.pyi"))]
HAND_WRITTEN = [path for path in files() if path.parent.name != "versions"]
IGNORE = re.compile(r"#\s*(type:\s*ignore|noqa)")
WITH_REASON = re.compile(r"# (type: ignore\[[a-z,-]+\]|noqa: [A-Z0-9, ]+)  # \S.*")
LONGEST_FUNCTION = 40
REQUIREMENT = re.compile(r"[A-Za-z][\w.-]* +# \S.*")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_an_ignore_names_what_it_ignores_and_why(path: Path) -> None:
    with path.open("rb") as file:
        comments = [t for t in tokenize.tokenize(file.readline) if t.type == tokenize.COMMENT]
    wrong = [
        f"line {one.start[0]}: {one.string}"
        for one in comments
        if IGNORE.match(one.string) and not WITH_REASON.fullmatch(one.string)
    ]
    assert wrong == [], "write # type: ignore[code]  # reason"


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=_name)
def test_a_function_is_read_in_one_look(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = [
        f"{one.name}: {lines} lines"
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (one.end_lineno or one.lineno) - one.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == [], f"at most {LONGEST_FUNCTION}; a part of it has a name of its own"


JOURNAL = "services/cases/journal.py"
DELETES = {
    "admin/kit/editing.py": "rows nothing ever pointed to",
    "services/company/accounts.py": "attempts to log in, once they are old",
    "services/company/sessions.py": "sessions that ended, once no cookie of them can live",
    "services/regulation/drafts.py": "entries of a draft, which judges no case yet",
    "sync/mirror/state.py": "what a cell of a workbook last said",
}


def _calls(path: Path) -> Iterator[str]:
    """What a file calls, as it is written: `record.write`, `Journal`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=_name)
def test_a_case_changes_in_the_journal_alone(path: Path) -> None:
    found = {"record.write", "Journal", "models.Journal"} & set(_calls(path))
    assert not found or _name(path) == JOURNAL, f"journal.record_event does {found}"


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=_name)
def test_nothing_is_deleted_that_a_case_could_point_to(path: Path) -> None:
    deletes = {call for call in _calls(path) if call in {"sa.delete", "delete"}}
    deletes |= {call for call in _calls(path) if call.endswith("session.delete")}
    assert not deletes or _name(path) in DELETES


def _enumerations() -> Iterator[type[enum.Enum]]:
    for module in (enums, status):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, enum.Enum) and list(kind):
                yield kind


ENUMERATIONS = sorted(set(_enumerations()), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", ENUMERATIONS, ids=lambda kind: kind.__name__)
def test_a_member_of_an_enumeration_is_called_like_its_value(kind: type[enum.Enum]) -> None:
    assert [member.name for member in kind] == [member.value for member in kind]


@pytest.mark.parametrize("table", models.Base.metadata.sorted_tables, ids=lambda one: one.name)
def test_what_ends_in_on_is_a_day_and_what_ends_in_at_an_instant(table: sa.Table) -> None:
    kinds = {"_on": sa.Date, "_at": UtcDateTime}
    wrong = [
        column.name
        for column in table.columns
        if (kind := kinds.get(column.name[-3:])) and not isinstance(column.type, kind)
        if str(column) != "what_if.looked_at"  # the number of cases looked at
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.in")), ids=_name)
def test_a_dependency_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    needed = [line for line in lines if line and not line.startswith(("#", "-c "))]
    assert [line for line in needed if not REQUIREMENT.fullmatch(line)] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*")), ids=_name)
def test_no_address_of_an_index_is_kept(path: Path) -> None:
    assert not re.search(r"https?:|index-url|find-links|trusted-host", path.read_text())
