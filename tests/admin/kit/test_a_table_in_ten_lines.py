"""The table of CONTRIBUTING.md: its lines are added to an application, and everything is used."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enums import Role
from tests.admin.kit.recipe import add_table

ENGLISH = {"Accept-Language": "en", "Accept": "text/html"}
SCRIPT = {"Accept-Language": "en", "Accept": "application/json"}
BRANDS = (("Škoda", dt.date(2007, 6, 1)), ("Volkswagen", dt.date(1984, 10, 1)), ("Audi", None))


@pytest.fixture
def brand(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The model of the recipe, with three rows."""
    model = add_table(app, monkeypatch)
    with app.app_context(), Session(app.extensions["sqlalchemy"].engine) as session:
        session.add_all(model(name=name, since_on=day) for name, day in BRANDS)
        session.commit()
    return model


@pytest.fixture
def admin(brand: Any, client: FlaskClient, log_in: Any) -> FlaskClient:
    """An administrator."""
    log_in(Role.administrator)
    return client


def page(client: FlaskClient, address: str) -> Any:
    answer = client.get(address, headers=ENGLISH)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def names(shown: Any) -> list[str]:
    """The names the list shows; the name is a link to the form of its row."""
    return [one.get_text(strip=True) for one in shown.select("tbody .row-link")]


def fields(form: Any) -> dict[str, str]:
    """What a browser would send of a form."""
    return {
        one["name"]: one.get("value", "")
        for one in form.select("input[name]")
        if one.get("type") != "checkbox" or one.has_attr("checked")
    }


def cell(client: FlaskClient, name: str) -> dict[str, str]:
    """The form of the name's cell in the row of that brand."""
    for row in page(client, "/admin/brand/").select("tbody tr"):
        if row.select_one(".row-link").get_text(strip=True) == name:
            return fields(row.select_one("form.cell-form"))
    raise AssertionError(f"no row of {name}")


def stored(engine: Engine, brand: Any) -> dict[str, bool]:
    with Session(engine) as session:
        return {row.name: row.sold for row in session.scalars(sa.select(brand))}


def test_the_list_searches_sorts_and_filters(admin: FlaskClient) -> None:
    assert sorted(names(page(admin, "/admin/brand/"))) == ["Audi", "Volkswagen", "Škoda"]
    assert names(page(admin, "/admin/brand/?search=wagen")) == ["Volkswagen"]
    by_day = names(page(admin, "/admin/brand/?sort=since_on&desc=1"))
    assert by_day == ["Škoda", "Volkswagen", "Audi"]
    assert names(page(admin, "/admin/brand/?flt_since_on_from=2000-01-01")) == ["Škoda"]


def test_a_filter_of_flask_admin_has_a_name_and_a_chip(admin: FlaskClient) -> None:
    shown = page(admin, "/admin/brand/?flt_sold_boolean_equal=1")
    assert len(names(shown)) == 3
    assert "Sold" in shown.select_one(".applied-one").get_text()
    chosen = shown.select_one(".filter-card [name=flt_sold_boolean_equal] [selected]")
    assert chosen.get_text() == "Yes"


def test_rows_are_created_and_edited_and_a_double_is_refused(
    admin: FlaskClient, brand: Any, engine: Engine
) -> None:
    sent = fields(page(admin, "/admin/brand/new/").select_one("form.form"))
    address = "/admin/brand/new/"
    assert admin.post(address, data=sent | {"name": "Cupra"}).status_code == 302
    assert "Cupra" in stored(engine, brand)
    double = admin.post(address, data=sent | {"name": "Audi"}, headers=ENGLISH)
    assert "Already exists" in double.text
    address = "/admin/brand/edit/?id=1"
    sent = fields(page(admin, address).select_one("form.form"))
    assert admin.post(address, data=sent | {"name": "ŠKODA"}).status_code == 302
    assert "ŠKODA" in stored(engine, brand)


def test_a_cell_is_changed_in_its_place_with_and_without_a_script(
    admin: FlaskClient, brand: Any, engine: Engine
) -> None:
    sent = cell(admin, "Audi") | {"name": "AUDI"}
    answer = admin.post("/admin/brand/ajax/update/", data=sent, headers=SCRIPT)
    assert (answer.status_code, answer.get_json()) == (200, {})
    sent = cell(admin, "AUDI") | {"name": "Audi AG"}
    answer = admin.post("/admin/brand/ajax/update/", data=sent, headers=ENGLISH)
    assert answer.status_code == 302
    assert answer.location.startswith("/admin/brand/")
    assert "Audi AG" in stored(engine, brand)


def test_a_stale_cell_says_what_is_stored_meanwhile_and_can_be_meant(
    admin: FlaskClient, brand: Any, engine: Engine
) -> None:
    sent = cell(admin, "Audi") | {"name": "AUDI"}
    with Session(engine) as session:
        session.execute(sa.update(brand).where(brand.name == "Audi").values(name="Audi AG"))
        session.commit()
    answer = admin.post("/admin/brand/ajax/update/", data=sent, headers=SCRIPT)
    assert answer.status_code == 409
    assert "Stored meanwhile: Audi AG" in answer.get_json()["refused"]
    assert "AUDI" not in stored(engine, brand)
    sent |= {"seen_value": answer.get_json()["seen"]}
    assert admin.post("/admin/brand/ajax/update/", data=sent, headers=SCRIPT).status_code == 200
    assert "AUDI" in stored(engine, brand)


def test_a_refused_cell_comes_back_as_the_form_of_its_row(admin: FlaskClient) -> None:
    sent = cell(admin, "Audi") | {"name": "Škoda"}
    answer = admin.post("/admin/brand/ajax/update/", data=sent, headers=ENGLISH)
    form: Any = BeautifulSoup(answer.text, "html.parser").select_one("form.form")
    assert form["action"].startswith("/admin/brand/edit/?id=3")
    assert form.select_one("#name")["value"] == "Škoda"
    assert "Already exists" in form.get_text()
    answer = admin.post("/admin/brand/ajax/update/", data=sent, headers=SCRIPT)
    assert "Already exists" in answer.get_json()["refused"]


def test_a_deed_on_many_rows_is_done_and_deleting_asks(
    admin: FlaskClient, brand: Any, engine: Engine, csrf: Any
) -> None:
    shown = page(admin, "/admin/brand/")
    deeds = {one["value"]: one for one in shown.select(".batch-bar button")}
    assert set(deeds) == {"drop", "delete"}
    assert deeds["delete"]["data-asks"]
    sent = {"csrf_token": csrf(), "action": "drop", "rowid": ["1", "3", "99"]}
    assert admin.post("/admin/brand/action/", data=sent).status_code == 302
    assert stored(engine, brand) == {"Škoda": False, "Volkswagen": True, "Audi": False}
    form = shown.select_one(".row-deletion form")
    assert "Delete Škoda?" in form.get_text()
    assert admin.post(form["action"], data=fields(form)).status_code == 302
    assert "Škoda" not in stored(engine, brand)


def test_the_exports_have_the_rows_of_the_filtered_list(admin: FlaskClient) -> None:
    answer = admin.get("/admin/brand/export/csv/?sort=name&search=d", headers=ENGLISH)
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["Audi", "Škoda"]
    answer = admin.get("/admin/brand/export/xlsx/?sort=since_on", headers=ENGLISH)
    tab = load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert tab["B2"].value.date() == dt.date(1984, 10, 1)


def test_who_only_reads_sees_no_way_to_write_and_a_stranger_nothing(
    brand: Any, client: FlaskClient, log_in: Any, csrf: Any
) -> None:
    log_in(Role.auditor)
    shown = page(client, "/admin/brand/")
    assert shown.select("tbody tr")
    assert not shown.select(".cell, .batch, .row-deletion, .row-link")
    token = {"csrf_token": csrf(), "list_form_pk": "1", "name": "X"}
    for route in ("new/", "edit/?id=1", "ajax/update/", "action/", "delete/"):
        assert client.post(f"/admin/brand/{route}", data=token).status_code == 403
    log_in(Role.employee)
    assert client.get("/admin/brand/").status_code == 403
    assert 'href="/admin/brand/"' not in client.get("/admin/policy/").text


def test_the_table_stands_in_the_menu_of_who_may_open_it(admin: FlaskClient) -> None:
    assert 'href="/admin/brand/"' in admin.get("/admin/policy/").text
