"""Calendars are tried on an empty database: no company is in it yet, and no case."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def blank_database(empty_database: Path) -> Path:
    """Here the database is empty."""
    return empty_database


@pytest.fixture
def every_case_is_what_its_journal_makes() -> None:
    """There is no case, and the tables are sometimes of long ago."""
