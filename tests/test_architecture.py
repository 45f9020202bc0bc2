"""The referee of who may import whom; it reads the imports, it does not run them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
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


PICTURE_OF_CASES = "policy.vocabulary policy.pack policy.engine"
DOOR = "policy enums models services files wording config"
BEHIND_DOORS = "policy enums models services sync files notify wording config database"
COMPANY = "services.company services.calendar services.jobs"
ROOMS = {
    "policy.vocabulary": room(others="pydantic pydantic_core"),
    "policy.pack": room("policy.vocabulary", "pydantic pydantic_core"),
    "policy.engine": room("policy.vocabulary policy.pack"),
    "policy.proof": room(PICTURE_OF_CASES, "pydantic pydantic_core"),
    "enums": room(),
    "models": room("policy.vocabulary enums", "sqlalchemy"),
    "services.jobs": room("policy.vocabulary enums models", "sqlalchemy"),
    "services.calendar": room("policy.vocabulary enums models", "sqlalchemy"),
    "services.company": room("policy.vocabulary enums models", "sqlalchemy"),
    "services.regulation": room(f"policy enums models {COMPANY}", "sqlalchemy"),
    "services.cases": room(
        f"{PICTURE_OF_CASES} enums models {COMPANY} services.regulation", "sqlalchemy"
    ),
    "services.notices": room(
        f"{PICTURE_OF_CASES} enums models {COMPANY} services.regulation", "sqlalchemy"
    ),
    "services.reports": room(
        f"policy enums models {COMPANY} services.regulation services.cases", "sqlalchemy"
    ),
    "services.workbooks": room(
        f"{PICTURE_OF_CASES} enums models {COMPANY} services.regulation services.cases",
        "sqlalchemy",
    ),
    "sync.port": room(),
    "sync.mirror": room("sync.port policy enums models services wording", "sqlalchemy"),
    "sync.workbook": room("sync.port"),
    "files": room("policy.pack", "python_calamine xlsxwriter tomlkit"),
    "notify": room("policy.vocabulary", "apprise requests"),
    "wording": room("policy enums files", "babel flask flask_babel"),
    "config": room(others="click pydantic sqlalchemy"),
    "database": room("config", "alembic flask flask_sqlalchemy sqlalchemy"),
    "admin": room("admin wording", "flask flask_admin flask_babel"),
    "admin.kit": room(DOOR, FLASK),
    "admin.cases": room(f"admin.kit {DOOR}", FLASK),
    "admin.customers": room(f"admin.kit {DOOR}", FLASK),
    "admin.penalties": room(f"admin.kit {DOOR}", FLASK),
    "admin.regulation": room(f"admin.kit {DOOR}", FLASK),
    "admin.calendar": room(f"admin.kit {DOOR}", FLASK),
    "admin.reports": room(f"admin.kit {DOOR}", FLASK),
    "admin.company": room(f"admin.kit {DOOR}", FLASK),
    "admin.workbooks": room(f"admin.kit {DOOR}", FLASK),
    "admin.notices": room(f"admin.kit {DOOR} notify", FLASK),
    "api": room(DOOR, FLASK),
    "importing": room("policy enums models services files wording", "pydantic sqlalchemy"),
    "demo": room("policy enums models services config", "sqlalchemy"),
    "worker": room(BEHIND_DOORS, "huey sqlalchemy"),
    "cli": room(f"{BEHIND_DOORS} worker importing demo", "click flask rich sqlalchemy"),
    "app": room(f"{BEHIND_DOORS} admin api cli", FLASK),
    "migrations": room("config database models", "alembic sqlalchemy"),
}
"""Every room of the house and its sub-rooms; a file elsewhere has not been given a home.

A room that is named whole (`policy`) may be imported with all its sub-rooms.
"""

ALONE = {
    "services.calendar.working_calendar": {"chinese_calendar"},
    "services.company.accounts": {"argon2"},
    "sync.workbook.new_book": {"openpyxl"},
    "sync.workbook.patching": {"openpyxl"},
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
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _room(module: str) -> str:
    """The sub-room of a module, or its room where the room has no floors."""
    parts = module.split(".")
    return next((r for r in (".".join(parts[:2]), parts[0]) if r in ROOMS), parts[0])


def _may(module: str, wanted: str) -> bool:
    own, top = _room(module), wanted.split(".")[0]
    if top in sys.stdlib_module_names or top in ALONE.get(module, ()):
        return True
    reached = {own, *ROOMS[own].ours}
    return bool(reached & {_room(wanted), top}) or top in ROOMS[own].others


FILES = _files()
NAMES = [_module(path) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_lives_in_a_room_and_imports_only_what_its_room_may(path: Path) -> None:
    module = _module(path)
    if any(room.startswith(f"{module}.") for room in ROOMS) and module not in ROOMS:
        assert list(_imports(path)) == [], "a folder of sub-rooms only says what they are"
        return
    assert _room(module) in ROOMS, f"{module} lives in no room of the house"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in _imports(path)
        if not _may(module, name)
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
            for _, wanted in _imports(path)
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
    assert not _may("policy.pack.loading", "policy.engine.case")
    assert not _may("sync.mirror.look", "sync.workbook.adapter")
    assert not _may("sync.workbook.adapter", "models")
    assert not _may("admin.kit.lists", "admin.cases.complaints")
    assert not _may("policy.engine.case", "sqlalchemy")
    assert not _may("services.cases.intake", "admin")
    assert not _may("admin.cases.complaints", "worker")
    assert not _may("services.cases.desk", "chinese_calendar")
    assert _may("services.calendar.working_calendar", "chinese_calendar")


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
