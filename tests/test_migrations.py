"""Migrations: there and back again, and the record they make is the one models.py describes.

The comparison is our own: Alembic's does not see that a CHECK was dropped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from config import ROOT, Settings
from database import alembic_config, make_engine, upgrade, writing
from models import Base, Department

FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))
Record = dict[str, dict[str, Any]]


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    """An engine on a database that has nothing in it yet."""
    engine = make_engine(settings)
    yield engine
    engine.dispose()


def reflected(engine: Engine) -> Record:
    """Every table as the database itself describes it; the order of columns does not matter."""
    inspector = sa.inspect(engine)
    names = [name for name in inspector.get_table_names() if name != "alembic_version"]
    return {name: _table(inspector, name) for name in names}


def _table(inspector: sa.Inspector, name: str) -> dict[str, Any]:
    return {
        "columns": {
            column["name"]: (repr(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(name)
        },
        "primary key": inspector.get_pk_constraint(name)["constrained_columns"],
        "foreign keys": _sorted(
            (key["name"], key["constrained_columns"], key["referred_table"], key["options"])
            for key in inspector.get_foreign_keys(name)
        ),
        "uniques": _sorted(
            (unique["name"], unique["column_names"])
            for unique in inspector.get_unique_constraints(name)
        ),
        "checks": _sorted(
            (check["name"], _plain(check["sqltext"]))
            for check in inspector.get_check_constraints(name)
        ),
        "indexes": _sorted(
            (index["name"], index["column_names"], bool(index["unique"]), _where(index))
            for index in inspector.get_indexes(name)
        ),
    }


def _sorted(rows: Any) -> list[Any]:
    return sorted(rows, key=repr)


def _where(index: Any) -> str:
    """The condition of a partial index."""
    return _plain(str(index.get("dialect_options", {}).get("sqlite_where", "")))


def _plain(sql: str) -> str:
    return re.sub(r"[\s()\"]+", " ", sql).strip().lower()


def differences(ours: Record, theirs: Record) -> list[str]:
    """Where two records differ, as table: part: what only one of them has."""
    found = [f"{name}: only in one" for name in sorted(set(ours) ^ set(theirs))]
    for name in sorted(set(ours) & set(theirs)):
        found += [
            f"{name}: {part}: {ours[name][part]} / {theirs[name][part]}"
            for part in ours[name]
            if ours[name][part] != theirs[name][part]
        ]
    return found


def test_a_migrated_database_is_the_record_the_models_describe(
    settings: Settings, database: Engine, tmp_path: Path
) -> None:
    upgrade(settings)
    other = make_engine(Settings(home=tmp_path / "other"))
    Base.metadata.create_all(other)
    assert differences(reflected(database), reflected(other)) == []
    other.dispose()


def test_every_migration_goes_back_and_forth_again(settings: Settings, database: Engine) -> None:
    upgrade(settings)
    first = reflected(database)
    for _ in FILES:
        command.downgrade(alembic_config(settings), "-1")
        command.upgrade(alembic_config(settings), "+1")
        command.downgrade(alembic_config(settings), "-1")
    assert reflected(database) == {}
    upgrade(settings)
    assert reflected(database) == first


def test_an_upgrade_that_has_nothing_to_do_leaves_the_rows_alone(
    settings: Settings, database: Engine
) -> None:
    upgrade(settings)
    with writing(database) as session:
        session.add(Department(key="care", name="客户关爱部"))
    upgrade(settings)
    with writing(database) as session:
        assert [d.key for d in session.scalars(sa.select(Department))] == ["care"]


def test_there_is_one_newest_migration_and_one_line_of_them(settings: Settings) -> None:
    script = ScriptDirectory.from_config(alembic_config(settings))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    assert len(list(script.walk_revisions())) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_migration_has_a_dated_name_and_says_why(path: Path) -> None:
    assert re.fullmatch(r"\d{4}_\d{2}_\d{2}_[a-z0-9_]+\.py", path.name)
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title, _, why = said.partition("\n\n")
    assert title.endswith(".")
    assert why
    assert "Say here" not in said


# ---------------------------------------------------------------- the comparison itself


def _without_check(tables: Any) -> None:
    (check,) = [c for c in tables["penalty"].constraints if isinstance(c, sa.CheckConstraint)]
    tables["penalty"].constraints.remove(check)


def _other_check(tables: Any) -> None:
    (check,) = [c for c in tables["penalty"].constraints if isinstance(c, sa.CheckConstraint)]
    check.sqltext = sa.text("amount >= 1")


def _without_unique(tables: Any) -> None:
    (unique,) = [c for c in tables["journal"].constraints if isinstance(c, sa.UniqueConstraint)]
    tables["journal"].constraints.remove(unique)


def _without_index(tables: Any) -> None:
    index = next(iter(tables["complaint"].indexes))
    tables["complaint"].indexes.remove(index)


def _whole_index(tables: Any) -> None:
    (index,) = [i for i in tables["work_request"].indexes if i.unique]
    index.dialect_options["sqlite"]["where"] = None


def _plain_index(tables: Any) -> None:
    (index,) = [i for i in tables["work_request"].indexes if i.unique]
    index.unique = False


def _nullable(tables: Any) -> None:
    tables["complaint"].c.subject.nullable = True


def _other_type(tables: Any) -> None:
    tables["complaint"].c.subject.type = sa.String(200)


def _server_default(tables: Any) -> None:
    tables["complaint"].c.round.server_default = sa.DefaultClause("1")


def _without_column(tables: Any) -> None:
    tables["customer"]._columns.remove(tables["customer"].c.note)


def _without_reference(tables: Any) -> None:
    (key,) = tables["attachment"].c.complaint_id.foreign_keys
    tables["attachment"].constraints.remove(key.constraint)


def _without_table(tables: Any) -> None:
    tables["lease"].metadata.remove(tables["lease"])


CHANGES = [value for name, value in list(globals().items()) if name.startswith("_with")] + [
    _other_check,
    _whole_index,
    _plain_index,
    _nullable,
    _other_type,
    _server_default,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_the_comparison_sees_every_kind_of_difference(
    database: Engine, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    changed = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(changed)
    change(changed.tables)
    changed.create_all(database)
    other = make_engine(Settings(home=tmp_path / "other"))
    Base.metadata.create_all(other)
    assert len(differences(reflected(database), reflected(other))) == 1
    other.dispose()


def test_an_upgrade_tells_which_revisions_it_brought(settings: Settings) -> None:
    assert upgrade(settings, "calendar_versions") == frozenset(), "there was nothing before"
    brought = upgrade(settings)
    assert "what_is_written_down" in brought
    assert "calendar_versions" not in brought
    assert upgrade(settings) == frozenset()
