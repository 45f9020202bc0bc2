"""The referee of who may import whom; it reads the imports, it does not run them."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from config import ROOT
from tools.house import ROOMS, files, imports, may, module_of, room_of

NAMELESS = {"util", "utils", "helper", "helpers", "common", "misc"}
CLOCKS = {("datetime", "now"), ("dt", "now"), ("datetime", "utcnow"), ("date", "today")}


FILES = files()
NAMES = [module_of(path) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_lives_in_a_room_and_imports_only_what_its_room_may(path: Path) -> None:
    module = module_of(path)
    if any(room.startswith(f"{module}.") for room in ROOMS) and module not in ROOMS:
        assert list(imports(path)) == [], "a folder of sub-rooms only says what they are"
        return
    assert room_of(module) in ROOMS, f"{module} lives in no room of the house"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in imports(path)
        if not may(module, name)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_module_has_a_name_of_its_own(path: Path) -> None:
    assert not NAMELESS & set(module_of(path).split(".")), "what it does has not been named yet"


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if module_of(path).split(".")[0] in {"policy", "models", "services"}],
    ids=module_of,
)
def test_rules_and_deeds_neither_commit_nor_look_at_a_clock(path: Path) -> None:
    wrong = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called, on = node.func.attr, _last_name(node.func.value)
        if called in {"commit", "rollback"}:
            wrong.append(f"line {node.lineno}: {on}.{called}() ends a transaction of the door")
        if (on, called) in CLOCKS:
            wrong.append(f"line {node.lineno}: {on}.{called}() should be the argument now")
    assert wrong == []


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


MOST_MODULES = 16


def test_no_folder_hides_what_it_knows() -> None:
    """A listing that is read in one breath: at most 16 modules side by side."""
    counts = Counter(path.parent for path in FILES if path.name != "__init__.py")
    crowded = {
        str(folder.relative_to(ROOT)): count
        for folder, count in counts.items()
        if count > MOST_MODULES and folder.name != "versions"
    }
    assert crowded == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = dict(zip(NAMES, FILES, strict=True))
    ours = {
        name: {
            found
            for _, wanted in imports(path)
            for found in (wanted, wanted.rpartition(".")[0])
            if found in known and found != name
        }
        for name, path in known.items()
    }
    while free := [name for name, wanted in ours.items() if not wanted & ours.keys()]:
        for name in free:
            del ours[name]
    assert sorted(ours) == [], "these wait for each other"


def test_the_referee_sees_a_forbidden_import() -> None:
    assert not may("policy.pack.loading", "policy.engine.case")
    assert not may("sync.mirror.look", "sync.workbook.adapter")
    assert not may("sync.workbook.adapter", "models")
    assert not may("admin.kit.lists", "admin.cases.complaints")
    assert not may("policy.engine.case", "sqlalchemy")
    assert not may("services.cases.intake", "admin")
    assert not may("admin.cases.complaints", "worker")
    assert not may("services.cases.desk", "chinese_calendar")
    assert may("services.calendar.working_calendar", "chinese_calendar")


def test_no_installed_environment_is_under_version_control() -> None:
    """A checkout of one would put it in the place of the environment that is there."""
    tracked = subprocess.run(
        ["git", "ls-files", ".venv"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert tracked.stdout == ""


@pytest.mark.parametrize("path", sorted((ROOT / "static").glob("*.css")), ids=lambda p: p.name)
def test_a_stylesheet_closes_what_it_opens_before_the_next_section(path: Path) -> None:
    """A brace that is lost hides every rule behind it and no browser says so."""
    for section in path.read_text(encoding="utf-8").split("/* -----"):
        assert section.count("{") == section.count("}"), section[:80]
