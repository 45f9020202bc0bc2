"""What the tests of the mirror share: LibreOffice as the person at the other side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config import Settings
from tests.sync.bad_day import Day, Morning, begin
from tests.sync.calc import Calc
from tests.sync.folder import Files


@pytest.fixture(scope="session")
def _calc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calc]:
    if missing := Calc.missing():
        pytest.skip(missing)  # a machine that may install nothing; .ci/run takes it for a failure
    calc = Calc(tmp_path_factory.mktemp("calc"))
    yield calc
    calc.end()


@pytest.fixture
def calc(_calc: Calc) -> Calc:
    """A person with LibreOffice; one program for all tests, started anew if it ended."""
    _calc.ensure()
    return _calc


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


@pytest.fixture
def files(engine: Engine, tmp_path: Path) -> Files:
    """The company's files in a folder of the test."""
    return Files(engine, tmp_path)


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory, _calc: Calc) -> Morning:
    """A department's file with six cases that came to rest; days begin with a copy of it."""
    return begin(tmp_path_factory.mktemp("morning"), _calc)


@pytest.fixture
def day(morning: Morning, tmp_path: Path, settings: Settings, calc: Calc) -> Iterator[Day]:
    """A day after that morning, with LibreOffice at hand."""
    day = Day.after(morning, tmp_path, settings, calc)
    yield day
    day.engine.dispose()
