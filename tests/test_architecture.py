"""The referee of who may import whom; it reads the imports, it does not run them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import ROOT

FLASK = {
    "babel",
    "flask",
    "flask_admin",
    "flask_babel",
    "flask_login",
    "flask_sqlalchemy",
    "flask_wtf",
    "jinja2",
    "markupsafe",
    "sqlalchemy",
    "werkzeug",
    "wtforms",
}


@dataclass(frozen=True)
class Room:
    """What the files of a room may import: of ours, and of others."""

    ours: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


def room(ours: str = "", others: str | set[str] = "") -> Room:
    """A room from words; it may always import itself and the standard library."""
    packages = others.split() if isinstance(others, str) else others
    return Room(frozenset(ours.split()), frozenset(packages))


DOOR = "policy models services files wording config"
BEHIND_DOORS = "policy models services sync mirrors files notify wording config database"
ROOMS = {
    "policy": room(others="pydantic pydantic_core"),
    "models": room("policy", "sqlalchemy"),
    "services": room("policy models", "sqlalchemy"),
    "sync": room("policy models services wording", "sqlalchemy"),
    "files": room("policy", "python_calamine xlsxwriter docxtpl tomlkit"),
    "notify": room("policy", "apprise requests"),
    "wording": room("policy", "babel flask flask_babel"),
    "config": room(others="click pydantic sqlalchemy"),
    "database": room("config", "alembic flask flask_sqlalchemy sqlalchemy"),
    "admin": room(f"{DOOR} notify importing", FLASK),
    "api": room(DOOR, FLASK),
    "importing": room("policy models services files wording", "pydantic sqlalchemy"),
    "demo": room("policy models services config", "sqlalchemy"),
    "mirrors": room("policy models services sync wording config database", "sqlalchemy"),
    "worker": room(BEHIND_DOORS, "huey sqlalchemy"),
    "cli": room(
        f"{BEHIND_DOORS} worker importing demo terminal trial", "click flask rich sqlalchemy"
    ),
    "terminal": room(f"{BEHIND_DOORS} importing", "click sqlalchemy"),
    "trial": room(f"{BEHIND_DOORS} terminal", "click rich sqlalchemy"),
    "app": room(f"{BEHIND_DOORS} admin api cli", FLASK),
    "migrations": room("config database models", "alembic sqlalchemy"),
}
"""Every room of the house; a file elsewhere has not been given a home."""

ALONE = {
    "services.calendars": {"chinese_calendar"},
    "services.accounts": {"argon2"},
    "sync.google": {"google", "gspread"},
    "sync.making": {"openpyxl"},
    "sync.patching": {"openpyxl"},
}
"""The only module that may know a package which its room may not."""

NOT_ROOMS = {"tests", "benchmarks", "docs", "var", "build", "static", "templates", "translations"}
NAMELESS = {"util", "utils", "helper", "helpers", "common", "misc"}
CLOCKS = {("datetime", "now"), ("dt", "now"), ("datetime", "utcnow"), ("date", "today")}


def _files() -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        and path.relative_to(ROOT).parts[0] not in NOT_ROOMS
    )


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the dotted name of each import, the ones for type checking included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.lineno, node.module or ""


def _may(module: str, wanted: str) -> bool:
    own = module.split(".")[0]
    if wanted == own or wanted in sys.stdlib_module_names or wanted in ALONE.get(module, ()):
        return True
    return wanted in ROOMS[own].ours or wanted in ROOMS[own].others


FILES = _files()
NAMES = [_module(path) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_lives_in_a_room_and_imports_only_what_its_room_may(path: Path) -> None:
    module = _module(path)
    assert module.split(".")[0] in ROOMS, f"{module} lives in no room of the house"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in _imports(path)
        if not _may(module, name.split(".")[0])
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_module_has_a_name_of_its_own(path: Path) -> None:
    assert not NAMELESS & set(_module(path).split(".")), "what it does has not been named yet"


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if _module(path).split(".")[0] in {"policy", "models", "services"}],
    ids=_module,
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


def test_the_referee_sees_a_forbidden_import() -> None:
    assert not _may("policy.case", "sqlalchemy")
    assert not _may("services.intake", "admin")
    assert not _may("admin.complaint", "worker")
    assert not _may("services.desk", "chinese_calendar")
    assert _may("services.calendars", "chinese_calendar")


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
