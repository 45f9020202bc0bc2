"""The lists and forms of the back office: what a link, a search and a stale form do."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from admin.kit import lists
from config import ROOT
from database import writing
from enums import Role
from models import Department, Employee, PostHolding, User
from services.company import accounts, people

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def company(engine: Engine) -> None:
    """Two departments and 120 employees, whose names repeat."""
    with writing(engine) as session:
        service = people.add_department(session, key="service", name="售后服务部")
        sales = people.add_department(session, key="sales", name="销售部")
        session.flush()
        session.add_all(
            Employee(
                number=f"{1000 + n}",
                name="张伟" if n % 2 else "50%_李",
                department_id=(service if n % 3 else sales).id,
                joined_on=dt.date(2020, 1, 1 + n % 28),
            )
            for n in range(120)
        )


@pytest.fixture
def admin(client: FlaskClient, log_in: Any, company: None) -> FlaskClient:
    """An administrator."""
    log_in(Role.administrator)
    return client


def _page(client: FlaskClient, address: str) -> BeautifulSoup:
    answer = client.get(address, headers=ENGLISH)
    assert answer.status_code == 200, answer.status_code
    return BeautifulSoup(answer.text, "html.parser")


def _numbers(page: BeautifulSoup) -> list[str]:
    return [row.select("td")[1].get_text(strip=True) for row in page.select(".table tbody tr")]


# ---------------------------------------------------------------- addresses


FALSE_QUERIES = [
    "flt_role_is=emperor",
    "flt_nothing_is=1",
    "flt0_3=1",
    "flt_department_is=99999",
    "flt_department_is=abc",
    "flt_joined_on_from=2026-02-30",
    "flt_joined_on_from=",
    "flt_joined_on_until=9999-12-31",
    "flt_joined_on_from=0001-01-01",
    "page=-3",
    "page=abc",
    "page=99999999999999999999999",
    "page=400",
    "sort=17",
    "sort=password_hash&desc=1",
    "desc=x",
    "page_size=-1",
    "page_size=100000",
    "endpoint=x&_scheme=javascript&_external=1&_anchor=y",
    "search=%00",
    "search=%25%27%22%5C",
    "search=" + "长" * 300,
]


def _text(page: BeautifulSoup, selector: str) -> str:
    found = page.select_one(selector)
    assert found is not None, selector
    return found.get_text()


@pytest.mark.parametrize("view", ["employee", "user", "post_holding"])
def test_a_link_that_is_not_true_any_more_gives_the_list(view: str, admin: FlaskClient) -> None:
    for query in FALSE_QUERIES:
        assert admin.get(f"/admin/{view}/?{query}").status_code == 200, query


def test_a_stale_filter_is_left_out_with_a_word(admin: FlaskClient) -> None:
    page = _page(admin, "/admin/user/?flt_role_is=emperor")
    assert "not known any more" in _text(page, ".messages")
    assert len(page.select(".table tbody tr")) == 1


def test_a_row_that_is_not_there_leads_back_to_the_list(admin: FlaskClient) -> None:
    for id_ in ("abc", "-1", "0", "999999", "9" * 30, "1,2", "", "²"):
        for route in ("details", "edit"):
            answer = admin.get(f"/admin/employee/{route}/?id={id_}")
            assert answer.status_code == 302, id_
            assert answer.location == "/admin/employee/"


def test_a_filter_link_speaks_names_whatever_the_language(admin: FlaskClient) -> None:
    for language in ("en", "zh-CN"):
        answer = admin.get(
            "/admin/user/?flt_role_is=administrator", headers={"Accept-Language": language}
        )
        assert BeautifulSoup(answer.text, "html.parser").select_one(".applied-one") is not None


def test_an_applied_filter_can_be_taken_away_alone(admin: FlaskClient) -> None:
    page = _page(admin, "/admin/employee/?flt_department_is=1&search=张伟&sort=name")
    without = page.select(".applied-one a")[1]["href"]
    assert "flt_department_is" not in without
    assert "search=" in without
    assert "sort=name" in without


# ---------------------------------------------------------------- reading


def test_no_row_is_on_two_pages_when_many_sort_alike(admin: FlaskClient) -> None:
    seen: list[str] = []
    for number in range(6):
        page = _page(admin, f"/admin/employee/?sort=name&page_size=20&page={number}")
        seen += _numbers(page)
    assert len(seen) == 120
    assert len(set(seen)) == 120


def test_percent_and_underscore_mean_themselves_in_a_search(admin: FlaskClient) -> None:
    assert len(_numbers(_page(admin, "/admin/employee/?search=50%25_&page_size=200"))) == 60
    assert _numbers(_page(admin, "/admin/employee/?search=5%25%25")) == []


def test_every_word_of_a_search_must_be_found(admin: FlaskClient) -> None:
    assert _numbers(_page(admin, "/admin/employee/?search=张伟+1001")) == ["1001"]


def test_a_list_takes_few_statements_however_many_rows(admin: FlaskClient, app: Flask) -> None:
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        _page(admin, "/admin/employee/?page_size=100")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    # The visitor, the count, the ids, the rows, the choices of the department filter.
    assert len(seen) <= 6, seen
    assert any("LIMIT" in statement and "count" in statement.lower() for statement in seen)


def test_a_count_stops_at_its_cap(admin: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "COUNTED_AT_MOST", 100)
    page = _page(admin, "/admin/employee/?page_size=20&page=5")
    assert "10,000+" in _text(page, ".tools-count")
    assert len(_numbers(page)) == 20


# ---------------------------------------------------------------- exports


def test_the_csv_has_every_row_of_the_filtered_list_in_its_order(admin: FlaskClient) -> None:
    answer = admin.get(
        "/admin/employee/export/csv/?flt_department_is=2&sort=number&desc=1", headers=ENGLISH
    )
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0][:2] == ["Full name", "Employee number"]
    assert len(rows) == 41
    assert [row[1] for row in rows[1:]] == sorted((row[1] for row in rows[1:]), reverse=True)


def test_the_csv_begins_before_it_ends(admin: FlaskClient) -> None:
    answer = admin.get("/admin/employee/export/csv/", buffered=False)
    assert answer.is_streamed


def test_the_workbook_opens_and_has_the_rows(admin: FlaskClient) -> None:
    from openpyxl import load_workbook

    answer = admin.get("/admin/employee/export/xlsx/?search=张伟", headers=ENGLISH)
    assert answer.status_code == 200
    sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert sheet.max_row == 61
    assert sheet["B2"].value == "1001"


def test_a_workbook_that_would_be_too_large_is_refused_with_a_sentence(
    admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "XLSX_ROWS_AT_MOST", 50)
    answer = admin.get("/admin/employee/export/xlsx/", headers=ENGLISH, follow_redirects=True)
    assert "take CSV" in answer.text


def test_an_unknown_kind_of_file_is_refused_with_a_sentence(admin: FlaskClient) -> None:
    answer = admin.get("/admin/employee/export/pdf/", headers=ENGLISH, follow_redirects=True)
    assert "no such kind of file" in answer.text


# ---------------------------------------------------------------- forms


def _fields(page: BeautifulSoup) -> dict[str, str]:
    """What a browser would send of the form of a page."""
    form = page.select_one("form.form")
    assert form is not None
    sent = {
        str(i["name"]): str(i.get("value", ""))
        for i in form.select("input[name]")
        if i.get("type") != "checkbox" or i.has_attr("checked")
    }
    for select in form.select("select[name]"):
        chosen = select.select_one("option[selected]")
        sent[str(select["name"])] = str(chosen["value"]) if chosen else ""
    return sent


def test_a_stale_form_is_refused_and_keeps_what_was_typed(
    admin: FlaskClient, engine: Engine
) -> None:
    address = "/admin/employee/edit/?id=1"
    typed = _fields(_page(admin, address)) | {"phone": "13800000001", "name": "王芳"}
    with writing(engine) as session:
        session.get_one(Employee, 1).name = "王丽"
    answer = admin.post(address, data=typed, headers=ENGLISH)
    assert "changed Employee" in answer.text
    page = BeautifulSoup(answer.text, "html.parser")
    assert _fields(page)["name"] == "王芳"
    assert _fields(page)["phone"] == "13800000001"
    assert "Stored meanwhile: 王丽" in answer.text
    with Session(engine) as session:
        assert session.get_one(Employee, 1).name == "王丽"
    # Whoever has seen the difference may mean it.
    assert admin.post(address, data=_fields(page), headers=ENGLISH).status_code == 302
    with Session(engine) as session:
        assert session.get_one(Employee, 1).name == "王芳"


def test_a_refusal_stands_at_its_field_and_saves_nothing(
    admin: FlaskClient, engine: Engine
) -> None:
    address = "/admin/employee/edit/?id=1"
    typed = _fields(_page(admin, address)) | {"phone": "no phone", "name": "改了"}
    page = BeautifulSoup(admin.post(address, data=typed, headers=ENGLISH).text, "html.parser")
    assert "not a telephone number" in _text(page, "#phone-error")
    with Session(engine) as session:
        assert session.get_one(Employee, 1).name != "改了"


def test_a_form_without_what_is_needed_says_so_in_chinese_too(admin: FlaskClient) -> None:
    address = "/admin/employee/new/"
    typed = _fields(_page(admin, address))
    answer = admin.post(address, data=typed, headers={"Accept-Language": "zh-CN"})
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.select(".field-wrong")
    assert not re.search(r"[A-Za-z]{4,}", " ".join(p.get_text() for p in page.select(".wrong")))
    assert not re.search(r"[A-Za-z]{4,}", _text(page, ".messages"))


def test_an_employee_number_is_used_once(admin: FlaskClient) -> None:
    address = "/admin/employee/new/"
    typed = _fields(_page(admin, address)) | {"number": "1001", "name": "甲", "department": "1"}
    answer = admin.post(address, data=typed, headers=ENGLISH)
    assert answer.status_code == 200
    assert "already" in answer.text.lower()


def test_a_post_is_taken_by_the_number_of_the_employee_alone(
    admin: FlaskClient, engine: Engine
) -> None:
    """Without a script the search box takes a whole employee number."""
    with writing(engine) as session:
        session.add(Department(key="unused", name="空"))
        _policy_with_post(session)
    address = "/admin/post_holding/new/"
    typed = _fields(_page(admin, address)) | {
        "post": "care_director",
        "employee-words": "1005",
        "from_on": "2026-01-01",
    }
    assert admin.post(address, data=typed).status_code == 302
    with Session(engine) as session:
        holding = session.scalars(sa.select(PostHolding)).one()
        assert holding.employee.number == "1005"
    answer = admin.post(address, data=typed | {"employee-words": "1006"}, headers=ENGLISH)
    assert "holds the post" in answer.text
    answer = admin.post(address, data=typed | {"employee-words": "张伟"}, headers=ENGLISH)
    assert "Pick one of the finds" in answer.text


def _policy_with_post(session: Session) -> None:
    from models import Policy, PolicyRule, PolicyVersion

    policy = Policy(key="p", name="制度")
    version = PolicyVersion(policy=policy, number=1, status="published", checksum="c")
    session.add(version)
    session.flush()
    data = {"key": "care_director", "label": "客户关爱总监", "cite": "X-1"}
    session.add(
        PolicyRule(
            policy_version_id=version.id, section="post", key="care_director", position=1, data=data
        )
    )


def test_a_new_password_counts_at_once_and_is_never_shown(
    admin: FlaskClient, engine: Engine
) -> None:
    address = "/admin/user/new/"
    typed = _fields(_page(admin, address)) | {
        "username": "li",
        "display_name": "李",
        "role": "care",
        "password": "a long secret",
        "active": "y",
    }
    assert admin.post(address, data=typed).status_code == 302
    with Session(engine) as session:
        user = accounts.find_user(session, "li")
        assert user is not None
        assert accounts.password_matches(user.password_hash, "a long secret")
        assert user.role is Role.care
    assert "a long secret" not in admin.get(f"/admin/user/edit/?id={user.id}").text


def test_the_last_administrator_stays(admin: FlaskClient, engine: Engine) -> None:
    with Session(engine) as session:
        me = session.scalars(sa.select(User)).one().id
    address = f"/admin/user/edit/?id={me}"
    typed = _fields(_page(admin, address)) | {"role": "care"}
    answer = admin.post(address, data=typed, headers=ENGLISH)
    assert "make somebody else administrator first" in answer.text


def test_routes_that_are_not_offered_do_not_exist(admin: FlaskClient, csrf: Any) -> None:
    token = {"csrf_token": csrf(), "id": "1"}
    for route in ("delete/", "ajax/update/", "action/"):
        assert admin.post(f"/admin/employee/{route}", data=token).status_code == 404
    assert admin.get("/admin/employee/ajax/lookup/?name=x").status_code == 404


# ---------------------------------------------------------------- looking up


def test_a_lookup_finds_the_beginning_of_a_number_or_name(admin: FlaskClient) -> None:
    found = admin.get("/admin/lookup/employee?q=100").get_json()
    assert [words for _id, words in found][:2] == ["50%_李 (1000)", "张伟 (1001)"]
    assert len(admin.get("/admin/lookup/employee?q=张").get_json()) == 12
    assert admin.get("/admin/lookup/employee?q=%25").get_json() == []
    assert admin.get("/admin/lookup/customer?q=" + "\ud7ff".encode().decode()).get_json() == []


# ---------------------------------------------------------------- what pages are made of

TEMPLATES = ROOT / "templates"
HANDLER = re.compile(r"<[^>]*\s(on[a-z]+|style)\s*=", re.I)


def _templates() -> Iterator[Path]:
    return TEMPLATES.rglob("*.html")


@pytest.mark.parametrize("path", sorted(_templates()), ids=lambda p: p.name)
def test_a_template_has_no_inline_handler_style_or_script(path: Path) -> None:
    text = re.sub(r"{[%{].*?[%}]}", "", path.read_text(encoding="utf-8"), flags=re.S)
    assert not HANDLER.search(text)
    assert "javascript:" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)


def test_the_style_sheet_loads_nothing_from_elsewhere() -> None:
    sheet = (TEMPLATES.parent / "static" / "redress.css").read_text(encoding="utf-8")
    assert "@import" not in sheet
    assert "url(" not in sheet


PAGES = (
    "/admin/employee/",
    "/admin/employee/new/",
    "/admin/employee/details/?id=1",
    "/admin/department/",
    "/admin/post_holding/",
    "/admin/post_holding/new/",
    "/admin/deputy/",
    "/admin/department_meaning/",
    "/admin/department_meaning/new/",
    "/admin/company_text/",
    "/admin/company_text/new/",
    "/admin/user/",
    "/admin/policy/",
    "/admin/calendar/",
)


def test_a_page_has_one_heading_and_a_label_for_every_field(admin: FlaskClient) -> None:
    for address in PAGES:
        _check_page(_page(admin, address))


def _check_page(page: BeautifulSoup) -> None:
    assert len(page.select("h1")) == 1
    labelled = {label["for"] for label in page.select("label[for]")}
    for field in page.select("main input:not([type=hidden]), main select, main textarea"):
        named = field.get("aria-label") or field.find_parent("label") or field.get("id") in labelled
        assert named, field
    ids = [one["id"] for one in page.select("[id]")]
    assert len(ids) == len(set(ids))
