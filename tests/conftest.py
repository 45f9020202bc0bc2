"""What the tests share: a private home, a database, the application, a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config import Settings
from database import make_engine
from models import Base


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a Redress whose home is a private temporary folder."""
    return Settings(home=tmp_path / "home", demo=False)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An engine on a private database that has every table and no row."""
    engine = make_engine(settings)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session that writes; what a test does not commit is gone at its end."""
    with Session(engine) as session:
        yield session
