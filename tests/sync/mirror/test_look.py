"""A file from its making to an answer: what people type becomes deeds, and what is said back."""

from __future__ import annotations

import sqlalchemy as sa

from database import reading
from models import Complaint, Journal
from policy.vocabulary.status import ActorKind, Status
from sync.mirror.look import LookOutcome
from tests.sync.folder import Files, cells, header, outcome


def test_a_case_reaches_the_file_and_the_answer_reaches_the_case(files: Files) -> None:
    with files.office() as office:
        number = office.dispatched().number
    assert files.settle() == [LookOutcome.wrote, LookOutcome.quiet]
    hands = files.hands()
    hands.type(number, handler="2005", outcome=outcome("solved"), answer="换了轴承")
    files.tick(600)
    saved = files.now
    hands.save()
    assert files.settle() == [LookOutcome.read, LookOutcome.wrote, LookOutcome.quiet]
    with reading(files.engine) as session:
        case = session.scalars(sa.select(Complaint)).one()
        assert case.status is Status.replied
        assert case.replied_at == saved
        last = session.scalars(sa.select(Journal).order_by(Journal.id.desc())).first()
        assert last is not None
        assert last.actor is ActorKind.sheet
    assert cells(files.rows()[number], "handler", "outcome", "answer") == (
        "mechanic (2005)",
        "已解决",
        "换了轴承",
    )
    assert "已采用" in files.rows()[number][header("hint")]
