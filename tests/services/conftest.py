"""The company at work on a private database; no test leaves a case its journal does not make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models import Base, Complaint
from policy.vocabulary.errors import DomainError
from services.cases import journal, record
from tests.company import Office

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


@pytest.fixture
def office(session: Session) -> Office:
    """The company at work in the session of the test."""
    return Office(session)


@pytest.fixture(autouse=True)
def every_case_is_what_its_journal_makes(engine: Engine, session: Session) -> Iterator[None]:
    """After each test every case's rows must say what its journal, folded anew, says."""
    yield
    session.flush()
    session.expire_all()
    for complaint in session.scalars(sa.select(Complaint)):
        assert journal.fold_journal(session, complaint) == record.facts_of(session, complaint)


@pytest.fixture
def rows(session: Session) -> Callable[[], Rows]:
    """`rows()`: every row of every table, as the session's own transaction sees them."""

    def rows() -> Rows:
        session.flush()
        return {
            table.name: sorted((tuple(row) for row in session.execute(table.select())), key=repr)
            for table in Base.metadata.tables.values()
        }

    return rows


@pytest.fixture
def refuses(rows: Callable[[], Rows]) -> Callable[..., Any]:
    """`with refuses(Error, fact=…)`: it must be raised with those facts and no row changed."""

    @contextmanager
    def refuses(kind: type[DomainError], **facts: Any) -> Iterator[None]:
        before = rows()
        with pytest.raises(kind) as refused:
            yield
        assert {name: refused.value.facts.get(name) for name in facts} == facts
        assert rows() == before

    return refuses


@pytest.fixture
def count(engine: Engine) -> Callable[..., Any]:
    """`with count() as statements`: the SQL that ran meanwhile, without BEGIN and the like."""

    @contextmanager
    def count() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("PRAGMA", "BEGIN")):
                seen.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        yield seen
        sa.event.remove(engine, "before_cursor_execute", note)

    return count
