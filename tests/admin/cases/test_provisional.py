"""A due time beyond the official calendar is called provisional wherever it is shown."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

import wording
from database import reading, writing
from enums import Role
from models import Complaint, Notice
from policy.engine.fact_changes import changes
from policy.vocabulary.facts import CaseFacts
from services.cases import journal, record
from services.notices import deliveries
from sync.mirror.case_cells import texts
from tests.company import Office, at
from wording import reasons

WORD = "暂定"
LATE = at(12, 29, 9)
"""The last working days of the last year that the company's calendar covers."""


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


@pytest.fixture
def number(engine: Engine) -> str:
    """A case whose closing term runs into the year that nobody has published yet."""
    with writing(engine) as session:
        office = Office(session)
        complaint = office.registered(received_at=LATE, now=LATE)
        office.dispatch(complaint, LATE)
        assert complaint.due_provisional
        return complaint.number


def test_lists_pages_and_exports_say_it(number: str, as_person: Any, client: FlaskClient) -> None:
    as_person("director", Role.director)
    for address in (
        "/admin/",
        "/admin/complaint/",
        f"/admin/complaint/{number}/",
        "/c/",
        f"/c/{number}",
    ):
        answer = client.get(address, follow_redirects=True)
        assert answer.status_code == 200
        assert WORD in answer.text, address
    table = client.get("/admin/complaint/export/csv/").text
    (row,) = csv.DictReader(io.StringIO(table.removeprefix("\ufeff")))
    assert row[WORD] == WORD


def test_what_is_certain_is_not_called_provisional(
    engine: Engine, as_person: Any, client: FlaskClient
) -> None:
    with writing(engine) as session:
        office = Office(session)
        number = office.dispatched().number
    as_person("director", Role.director)
    for address in (
        "/admin/",
        "/admin/complaint/",
        f"/admin/complaint/{number}/",
        "/c/",
        f"/c/{number}",
    ):
        assert WORD not in client.get(address, follow_redirects=True).text, address


def test_the_cells_of_a_department_say_it_beside_a_due_time_that_stays_a_time(
    number: str, engine: Engine
) -> None:
    with reading(engine) as session, wording.speaking("zh_Hans_CN", ZoneInfo("Asia/Shanghai")):
        complaint = session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()
        cells = texts(session, [complaint.id])[complaint.id]
        assert complaint.due_at is not None
        assert cells["due_at"] == wording.moment(complaint.due_at)
        assert cells["next_step"].endswith("（期限暂定）")


def test_a_preview_and_a_notice_say_it(number: str, engine: Engine) -> None:
    with writing(engine) as session, wording.speaking("zh_Hans_CN", ZoneInfo("Asia/Shanghai")):
        complaint = session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()
        pack, _ = journal.rules_of(session, complaint)
        facts = record.facts_of(session, complaint)
        effects = changes(CaseFacts(), facts)
        said = [reasons.effect_text(one, pack, {}) for one in effects if one.key == "close_a"]
        assert any(WORD in words for words in said)
        notice = session.scalars(sa.select(Notice).where(Notice.kind == "dispatched")).one()
        text = wording.notice_text(
            "dispatched", deliveries.notice_facts(session, notice), "https://x"
        )
        assert WORD in text
