"""How Alembic reaches the database: with the settings and the engine everything else uses."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy import Connection

from config import read_settings
from database import make_engine
from models import Base


def stored_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types into a migration as what the database stores.

    A migration has to run in ten years, when the Python type may be called something else.
    """
    if kind == "type" and isinstance(item, sa.types.TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def run(connection: Connection) -> None:
    """Run the wanted revisions in one transaction, so that a failed one leaves nothing behind."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=stored_type,
        transactional_ddl=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Connect and run.

    On SQLite a table is changed by building it anew, and dropping the old one would cascade
    into its children; foreign keys are therefore off meanwhile and checked at the end.
    """
    settings = context.config.attributes.get("settings") or read_settings()
    engine = make_engine(settings)
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        driver = connection.connection.driver_connection
        if sqlite and driver is not None:
            driver.execute("PRAGMA foreign_keys = OFF")
        run(connection)
        if sqlite and driver is not None:
            broken = driver.execute("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"The migration left rows that point to nothing: {broken[:5]}")
    engine.dispose()


main()
