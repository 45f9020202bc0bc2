"""The terminal's part of every command: the database it needs, and refusals in plain words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click
import sqlalchemy as sa

import database
import wording
from config import Settings
from files.tables_in import TableRefused
from importing.mapping import MapRefused
from models import User
from policy.vocabulary.errors import DomainError
from wording.import_reasons import table_reason


def engine_of(settings: Settings) -> sa.Engine:
    """Return an engine on a database that has its tables."""
    engine = database.make_engine(settings)
    # Looking asks for no lock, so that a command can be read while somebody writes.
    if not sa.inspect(database.read_engine(engine)).has_table(User.__tablename__):
        raise click.ClickException("There is no database yet. Run first: flask upgrade")
    return engine


@contextmanager
def plain_refusals(settings: Settings) -> Iterator[None]:
    """Refusals end the command with a sentence in the company's language, not a traceback."""
    with wording.speaking(settings.language, settings.zone):
        try:
            yield
        except DomainError as error:
            raise click.ClickException(wording.error(error)) from error
        except TableRefused as refused:
            raise click.ClickException(table_reason(refused)) from refused
        except MapRefused as refused:
            raise click.ClickException(str(refused)) from refused


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Thousands of cases at once are not a line of the log each."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
