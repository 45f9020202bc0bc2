"""No list, export or filter shows a code where a word exists; old cases wait for nobody."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

import wording
from admin.cases.declared_columns import LABELLED
from admin.kit.filters import OneOf
from admin.kit.lists import RedressView
from config import Settings
from database import make_engine, reading, writing
from enums import Role
from models import Complaint
from policy.pack.loading import read_toml, shipped_path
from policy.pack.schema import Pack
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import marks_of
from policy.vocabulary.status import Status
from services.cases import intake
from services.regulation import policies
from tests import company
from tests.company import Office
from tests.regulations import apart

NOW = dt.datetime.now(dt.UTC)
REGULATIONS = ("skoda-dealer", "fuel-supplier")
TODAY = NOW.astimezone(company.ZONE).date()


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of each grade and level of two regulations, and an imported one."""
    settings = Settings(home=tmp_path_factory.mktemp("words"))
    path = company.build(settings)
    engine = make_engine(settings)
    with writing(engine) as session:
        office = Office(session)
        first = TODAY - dt.timedelta(days=400)
        fuel = apart(read_toml(shipped_path("fuel-supplier")), "F")
        policies.publish(session, fuel, effective_from=first, now=NOW)
        data = apart(read_toml(shipped_path("supermarket-food")), "S")
        version = policies.publish(session, data, effective_from=first, now=NOW)
        for one in (office.version, version):
            pack = policies.pack(session, one)
            steps = [
                step.key for step in pack.severity if step.scale == "grade" and not step.by_hand
            ]
            for index, grade in enumerate([*steps, None]):
                intake.import_past(
                    session,
                    one,
                    source="old",
                    source_id=f"{one.id}-{index}",
                    kind=pack.kind[0].key,
                    status=Status.registered,
                    channel=pack.channel[0].key,
                    category=pack.category[0].key if pack.category else None,
                    grade=grade,
                    subject="旧案",
                    received_at=NOW - dt.timedelta(days=300),
                    actor=office.administrator,
                    now=NOW,
                )
    engine.dispose()
    return path


@pytest.fixture
def administrator(log_in: Any) -> None:
    log_in(Role.administrator, username="administrator")


def test_every_key_of_the_regulation_that_a_case_has_is_shown_by_its_label() -> None:
    columns = set(Complaint.__table__.columns.keys())
    keyed = {one.name: one.sections for one in marks_of(CaseFacts).values() if one.refs}
    assert {name: LABELLED.get(name) for name in keyed if name in columns} == {
        name: sections[0] for name, sections in keyed.items() if name in columns
    }


def test_every_member_of_every_list_has_words(app: Flask) -> None:
    views = [view for view in app.extensions["admin"][0]._views if isinstance(view, RedressView)]
    assert len(views) > 8
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        for view in views:
            for column in sa.inspect(view.model).columns:
                members = getattr(column.type, "enum_class", None)
                for member in members or ():
                    words = wording.label(member)
                    assert words != member.value, (view.endpoint, column.key, member)


def keys_and_labels(session: Any) -> list[tuple[str, str]]:
    packs: list[Pack] = [
        policies.pack(session, version) for version in policies.all_in_force(session, on=TODAY)
    ]
    return [
        (entry.key, entry.label)
        for pack in packs
        for section in ("severity", "kind", "channel", "category", "finding")
        for entry in getattr(pack, section)
        if entry.key != entry.label
    ]


def cells(text: str) -> set[str]:
    return {cell.strip('"') for line in text.splitlines() for cell in line.split(",")}


def test_no_key_stands_in_the_list_or_in_its_export(
    client: FlaskClient, administrator: None, engine: Engine
) -> None:
    page = client.get("/admin/complaint/?page_size=200&columns=kind,channel,category,level").text
    exported = cells(client.get("/admin/complaint/export/csv/").text)
    with reading(engine) as session:
        known = keys_and_labels(session)
        cases = session.scalars(sa.select(Complaint)).all()
        used = {getattr(case, name) for case in cases for name in LABELLED} - {None}
    assert len({key for key, _label in known} & used) > 5
    for key, label in known:
        assert key not in exported, key
        assert f">{key}<" not in page, key
        if key in used and label in ("内部", "有人受害", "重大"):
            assert label in exported


def test_no_filter_offers_a_key_for_a_word(
    client: FlaskClient, administrator: None, app: Flask, engine: Engine
) -> None:
    views = [view for view in app.extensions["admin"][0]._views if isinstance(view, RedressView)]
    with reading(engine) as session:
        known = dict(keys_and_labels(session))
    with client:
        client.get("/admin/complaint/")
        (view,) = [one for one in views if one.endpoint == "complaint"]
        offered = [
            pair for one in view.filters_now() if isinstance(one, OneOf) for pair in one.offered()
        ]
    assert any(key in known for key, _words in offered)
    for key, words in offered:
        assert str(words) != key or key not in known, key


def test_an_imported_case_waits_for_nobody(
    client: FlaskClient, administrator: None, engine: Engine
) -> None:
    with reading(engine) as session:
        numbers = session.scalars(sa.select(Complaint.number)).all()
    for number in numbers:
        page = client.get(f"/admin/complaint/{number}/").text
        for words in ("待签批", "尚未填写"):
            assert words not in page, (number, words)


def test_a_fresh_installation_owes_no_report_of_the_time_before_it(
    client: FlaskClient, administrator: None
) -> None:
    rows = client.get("/admin/report/").text.split("<tr>")
    of = {key: [row for row in rows if f"/admin/report/{key}/" in row] for key in REGULATIONS}
    assert any("逾期未交" in row for row in of["skoda-dealer"]), "it was published in January"
    assert of["fuel-supplier"], "it was published today, as in force for 400 days"
    assert not any("逾期未交" in row for row in of["fuel-supplier"])
