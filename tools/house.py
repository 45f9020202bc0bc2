"""The house as it stands: its rooms, who may import whom, and what the files really import.

The referee in `tests/test_architecture.py` holds the table against the imports;
`tools/house_picture.py` draws the picture of docs/architecture.md from them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    "sync.workbook.new_workbook": {"openpyxl"},
    "sync.workbook.patching": {"openpyxl"},
}
"""The only module that may know a package which its room may not."""

NOT_ROOMS = {
    "tests",
    "benchmarks",
    "docs",
    "tools",
    "var",
    "build",
    "static",
    "templates",
    "translations",
}


def files() -> list[Path]:
    """Every source file that lives in a room, in the order of the paths."""
    return sorted(
        path
        for path in ROOT.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        and path.relative_to(ROOT).parts[0] not in NOT_ROOMS
    )


def module_of(path: Path) -> str:
    """The dotted name under which a file is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the dotted name of each import, the ones for type checking included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def room_of(module: str) -> str:
    """The sub-room of a module, or its room where the room has no floors."""
    parts = module.split(".")
    return next((r for r in (".".join(parts[:2]), parts[0]) if r in ROOMS), parts[0])


def may(module: str, wanted: str) -> bool:
    """Whether the table lets this module import that name."""
    own, top = room_of(module), wanted.split(".")[0]
    if top in sys.stdlib_module_names or top in ALONE.get(module, ()):
        return True
    reached = {own, *ROOMS[own].ours}
    return bool(reached & {room_of(wanted), top}) or top in ROOMS[own].others
