"""Around a regulation: cases moved with a preview, the company's own words, the slow check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from config import Settings
from database import reading, writing
from enums import Role
from models import CompanyText, Complaint, PolicyVersion, User, WorkRequest
from services.company import actors
from services.regulation import draft_checks, drafts, policies
from tests import company
from tests.company import Office, at, regulation
from worker.chores import make_worker
from worker.jobs import check_drafts
from worker.loop import Chore


@pytest.fixture
def office_at(engine: Engine) -> Callable[[], Any]:
    """`with office_at() as office`: the small company in the database of the pages."""
    with writing(engine) as session:
        company.found(session)

    return lambda: writing(engine)


def longer() -> dict[str, Any]:
    data = regulation()
    for one in data["deadline"]:
        if one["key"] == "close_a":
            one["within"] = {"amount": 9, "unit": "working_day"}
    return data


def test_cases_are_moved_after_a_preview_and_not_before(
    office_at: Any, engine: Engine, client: FlaskClient, log_in: Any, csrf: Any
) -> None:
    with office_at() as session:
        number = Office(session).dispatched().number
        said: dict[str, Any] = {"effective_from": dt.date(2026, 10, 1), "now": at(9, 28, 12)}
        to = policies.publish(session, longer(), **said).id
    log_in(Role.administrator, username="administrator")
    address = f"/admin/moving/{to}"
    assert number in client.get(address).get_data(as_text=True)
    with reading(engine) as session:
        seen = session.scalars(sa.select(Complaint.version)).one()
    typed = {"number": number, f"seen-{number}": str(seen), "csrf_token": csrf()}
    preview = client.post(address, data=typed | {"do": "preview"}).get_data(as_text=True)
    assert "A 类关闭" in preview
    assert _version_of(engine) == 1
    client.post(address, data=typed | {"do": "move"})
    assert _version_of(engine) == 1
    stale = typed | {"do": "move", "reason": "勘误", f"seen-{number}": str(seen - 1)}
    client.post(address, data=stale)
    assert _version_of(engine) == 1
    assert client.post(address, data=typed | {"do": "move", "reason": "勘误"}).status_code == 302
    assert _version_of(engine) == 2
    page = client.get(f"/admin/complaint/{number}/").get_data(as_text=True)
    assert "改按另一版本办理" in page
    assert "勘误" in page


def _version_of(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalars(sa.select(Complaint)).one().policy_version.number


def test_the_company_words_an_addressee_anew_without_a_version(
    office_at: Any, engine: Engine, client: FlaskClient, log_in: Any, csrf: Any
) -> None:
    data = regulation()
    data["report_out"] = [
        *data.get("report_out", ()),
        {"key": "market", "label": "报市场监管", "cite": "SKD-2.1", "to": "市场监管部门"}
        | {"ways": [{"key": "phone", "label": "电话"}]},
    ]
    with office_at() as session:
        said: dict[str, Any] = {"effective_from": dt.date(2026, 2, 1), "now": at(2, 1, 9)}
        policy_id = policies.publish(session, data, **said).policy_id
    log_in(Role.administrator, username="administrator")
    assert "报市场监管" in client.get("/admin/company_text/new/").get_data(as_text=True)
    typed = {"what": f"{policy_id}/authority/market", "from_on": "2026-10-01", "text": ""}
    address = "/admin/company_text/new/"
    refused = client.post(address, data=typed | {"csrf_token": csrf()}).get_data(as_text=True)
    assert 'value="2026-10-01"' in refused
    saved = client.post(address, data=typed | {"text": "浦东局", "csrf_token": csrf()})
    assert saved.status_code == 302
    with reading(engine) as session:
        row = session.scalars(sa.select(CompanyText)).one()
        assert (row.section, row.key, row.text) == ("authority", "market", "浦东局")
    assert "浦东局" in client.get("/admin/company_text/").get_data(as_text=True)


def test_the_worker_looks_at_a_draft_whose_check_was_asked_for(
    office_at: Any, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policy.proof.checking.MOST_STEPS", 2_000)
    with office_at() as session:
        actor = actors.of_user(session.get_one(User, 1))
        version = Office(session).version
        draft = drafts.begin_from(session, version, actor=actor, now=at(10, 1, 9))
        draft_checks.request_check(session, draft, actor=actor, now=at(10, 1, 9))
        version_id, before = draft.id, draft.version
    chore = Chore("drafts", 1, check_drafts)
    worker = make_worker(settings, (chore,))
    assert worker.take_turn(chore)
    worker.engine.dispose()
    with reading(engine) as session:
        draft = session.get_one(PolicyVersion, version_id)
        assert draft_checks.check(session, draft, on=dt.date(2026, 10, 1)).current
        assert draft.version == before
        assert session.scalars(sa.select(WorkRequest)).one().done_at is not None
