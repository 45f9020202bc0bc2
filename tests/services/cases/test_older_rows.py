"""Rows of an older version that lack what the journal tells are filled in, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, Deadline, FormEntry
from services.cases import journal, record
from tests.company import Office, at


@pytest.fixture
def case(office: Office) -> Complaint:
    return office.restarted(first_asked="1002")


def written(session: Session, statement: Any) -> None:
    """Change rows behind the journal, as a version that knew less left them."""
    session.execute(statement)
    session.expire_all()


def test_what_an_older_version_did_not_write_is_filled_in(office: Office, case: Complaint) -> None:
    session = office.session
    for deadline in case.deadlines:
        deadline.because = dict(list(deadline.because.items())[:1])
    session.flush()
    written(session, sa.update(Complaint).values(first_asked=None))
    written(session, sa.delete(FormEntry))
    assert journal.fold_journal(session, case) != record.facts_of(session, case)
    seq = case.version
    assert journal.fill_in(session, case)
    assert journal.fold_journal(session, case) == record.facts_of(session, case)
    assert case.version == seq, "nothing happened to the case"
    assert case.first_asked == "1002"


def test_what_is_the_same_stays(office: Office, case: Complaint) -> None:
    before = record.facts_of(office.session, case)
    assert journal.fill_in(office.session, case)
    assert record.facts_of(office.session, case) == before


def test_a_term_that_says_otherwise_is_left_to_a_person(office: Office, case: Complaint) -> None:
    """A write that went past the journal is no older version; it is shown, not overwritten."""
    session, row = office.session, case.deadlines[0]
    which, due_at = sa.update(Deadline).filter_by(id=row.id), row.due_at
    written(session, which.values(due_at=at(12, 1, 9)))
    assert not journal.fill_in(session, case)
    assert row.due_at == at(12, 1, 9)
    written(session, which.values(due_at=due_at))


def test_a_text_that_says_otherwise_is_left_to_a_person(office: Office, case: Complaint) -> None:
    subject = case.subject
    written(office.session, sa.update(Complaint).values(subject="另一件事"))
    assert not journal.fill_in(office.session, case)
    assert case.subject == "另一件事"
    written(office.session, sa.update(Complaint).values(subject=subject))


@pytest.mark.parametrize(
    ("kept", "told", "less"),
    [
        (None, 1, True),
        ({}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 2}, {"a": 1}, False),
        ({"c": 1}, {"a": 1}, False),
        ((), (1, 2), True),
        ((2,), (1, 2), True),
        ((2, 1), (1, 2), False),
        ([{"a": 1}], [{"a": 1, "b": 2}], True),
        (1, None, False),
        ("", "x", False),
    ],
)
def test_less_is_missing_or_the_same(kept: Any, told: Any, less: bool) -> None:
    assert record.tells_less(kept, told) is less
