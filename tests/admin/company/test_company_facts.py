"""The facts of a company beside its regulations: departments, posts held, its own words.

Its departments have other keys than the regulation's, and it works by it all the same.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from config import Settings
from database import make_engine, reading, writing
from enums import Role
from models import Complaint, Department, DepartmentMeaning, Policy, User
from policy.pack.loading import read_toml, shipped_path
from services.company import actors, people
from services.regulation import drafts, policies
from tests import company
from tests.company import Office
from tests.regulations import apart

NOW = dt.datetime.now(dt.UTC)
TODAY = NOW.astimezone(company.ZONE).date()
MEANT = {"customer_service": "care", "operations": "after_sales", "support": "parts"}


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company is in it, and the road-rescue regulation with people in its posts."""
    settings = Settings(home=tmp_path_factory.mktemp("departments"))
    path = company.build(settings)
    engine = make_engine(settings)
    with writing(engine) as session:
        day = TODAY - dt.timedelta(days=30)
        policies.publish(
            session, apart(read_toml(shipped_path("road-rescue")), "R"), effective_from=day, now=NOW
        )
        office = Office(session)
        holders = {"front_desk": "specialist", "operations_head": "director"}
        for post, name in holders.items():
            people.hold_post(session, office.employee(name), post, from_on=day)
    engine.dispose()
    return path


@pytest.fixture
def post(client: FlaskClient, csrf: Any) -> Any:
    """`post(path, **fields)`: send a form; the page that comes back."""

    def post(path: str, /, **fields: Any) -> str:
        answer = client.post(path, data={"csrf_token": csrf(), **fields}, follow_redirects=True)
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    return post


def local_minute() -> str:
    """Two minutes ago by the company's clocks, as an input says it."""
    heard = (NOW - dt.timedelta(minutes=2)).astimezone(company.ZONE)
    return f"{heard:%Y-%m-%dT%H:%M}"


def send(post: Any, number: str, deed: str, **fields: str) -> str:
    """Send the form of a deed on a case; the page that comes back."""
    place = deed.replace(":", "-")
    typed = {f"{place}-{name}": value for name, value in fields.items()}
    page: str = post(f"/admin/complaint/{number}/deed/{deed}/", **typed)
    return page


def registration() -> dict[str, str]:
    return {
        "kind": "complaint",
        "channel": "hotline",
        "received_at": local_minute(),
        "customer": "王先生",
        "phone": "13800001111",
        "subject": "拖车迟到",
        "body": "清障车辆约定十点到达现场，实际十二点才到，现场人员态度生硬。",
        "category": "operation",
        "grade": "",
        "department": "",
        "extra_understood": "y",
        "do": "register",
    }


def map_departments(post: Any, engine: Engine) -> None:
    """Say on the page which departments of the company the regulation means."""
    with reading(engine) as session:
        policy_id = session.scalars(sa.select(Policy.id).filter_by(key="road-rescue")).one()
        ids = dict(session.execute(sa.select(Department.key, Department.id)).all())
    for theirs, ours in MEANT.items():
        typed = {"policy_department": f"{policy_id}/{theirs}", "department": ids[ours]}
        post("/admin/department_meaning/new/", **typed, from_on=TODAY.isoformat())


def test_a_case_is_registered_and_handed_over_once_departments_are_mapped(
    client: FlaskClient, as_person: Any, post: Any, log_in: Any, engine: Engine
) -> None:
    address = "/admin/complaint/register/?policy=road-rescue"
    as_person("specialist", Role.care)
    assert "客户服务部" in post(address, **registration())
    log_in(Role.administrator, username="administrator")
    map_departments(post, engine)
    as_person("specialist", Role.care)
    post(address, **registration())
    with reading(engine) as session:
        number, version = session.execute(sa.select(Complaint.number, Complaint.version)).one()
    ordered = {"first_reported": local_minute(), "complainant": "王先生", "contact": "13800001111"}
    ordered |= {"matter": "拖车迟到"}
    filled = {f"extra_{name}": said for name, said in ordered.items()}
    send(post, number, "filled:work_order", seen=str(version), **filled)
    send(post, number, "verified", finding="valid", text="属实", seen=str(version + 1))
    send(post, number, "dispatched", department="operations", seen=str(version + 2))
    with reading(engine) as session:
        case = session.scalars(sa.select(Complaint)).one()
        assert [duty.department_key for duty in case.assignments] == ["operations"]
        assert case.department is not None
        assert case.department.key == "after_sales"
    as_person("director", Role.director)
    assert number in client.get("/admin/complaint/").text
    assert client.get(f"/admin/complaint/{number}/").status_code == 200
    as_person("sales_director", Role.director)
    assert number not in client.get("/admin/complaint/").text


def test_the_regulation_s_page_names_the_departments_that_mean_nobody(
    client: FlaskClient, post: Any, log_in: Any, engine: Engine
) -> None:
    log_in(Role.administrator, username="administrator")
    with reading(engine) as session:
        version = policies.in_force(session, "road-rescue", on=TODAY)
        page, name = f"/admin/policy/{version.id}", f"{version.policy_id}/operations"
    for address in (page, "/admin/department_meaning/"):
        shown = client.get(address).text
        assert f"/admin/department_meaning/new/?policy_department={name}" in shown
        assert "清障作业部门" in shown
    form = client.get(f"/admin/department_meaning/new/?policy_department={name}").text
    assert f'<option selected value="{version.policy_id}/operations">' in form
    map_departments(post, engine)
    assert "/admin/department_meaning/new/?policy_department=" not in client.get(page).text
    assert "after_sales department" in client.get(page).text


def test_a_second_meaning_from_the_same_day_is_refused_in_words_and_keeps_what_was_typed(
    client: FlaskClient, post: Any, log_in: Any, engine: Engine
) -> None:
    log_in(Role.administrator, username="administrator")
    map_departments(post, engine)
    with reading(engine) as session:
        row = session.scalars(sa.select(DepartmentMeaning).filter_by(key="operations")).one()
        other = Office(session).department("sales").id
        typed = {"policy_department": f"{row.policy_id}/operations", "department": other}
    page = post("/admin/department_meaning/new/", **typed, from_on=TODAY.isoformat())
    assert "after_sales department" in page
    assert f'value="{TODAY.isoformat()}"' in page
    edit = f"/admin/department_meaning/edit/?id={row.id}"
    typed = {"department": other, "from_on": TODAY.isoformat(), "seen_version": "1"}
    post(edit, **typed)
    with reading(engine) as session:
        changed = session.get_one(DepartmentMeaning, row.id)
        assert changed.department.key == "sales"
    post(edit, **typed | {"department": row.department_id})
    with reading(engine) as session:
        assert session.get_one(DepartmentMeaning, row.id).department.key == "sales"


def test_a_post_to_deputise_for_is_found_and_named_in_the_words_of_the_regulation(
    client: FlaskClient, log_in: Any
) -> None:
    log_in(Role.administrator, username="administrator")
    for typed in ("director", "清障作业", company.PEOPLE["director"][0]):
        found: Any = client.get(f"/admin/lookup/post_holding?q={typed}").json
        assert "清障作业部门负责人 · director (2001)" in [words for _id, words in found], typed


def test_the_company_s_words_begin_with_what_is_said_today(
    client: FlaskClient, log_in: Any, post: Any, engine: Engine
) -> None:
    log_in(Role.administrator, username="administrator")
    with reading(engine) as session:
        version = policies.in_force(session, "road-rescue", on=TODAY)
        entry = policies.pack(session, version).script[0]
        what = f"{version.policy_id}/script/{entry.key}"
    page = client.get("/admin/company_text/").text
    for words in (entry.label, entry.text, "制度原文"):
        assert words in page
    assert entry.text in client.get(f"/admin/company_text/new/?what={what}").text
    typed = {"what": what, "from_on": TODAY.isoformat()}
    post("/admin/company_text/new/", **typed, text="您好，请慢慢说。")
    page = client.get("/admin/company_text/").text
    assert entry.text not in page
    assert page.count("您好，请慢慢说。") == 2
    assert "记录序号" not in page


def test_a_new_account_opens_no_more_than_an_employee_s_unless_somebody_says_so(
    client: FlaskClient, log_in: Any
) -> None:
    log_in(Role.administrator, username="administrator")
    assert '<option selected value="employee">' in client.get("/admin/user/new/").text


def test_a_draft_s_check_leads_to_the_page_on_which_the_department_is_said(
    client: FlaskClient, log_in: Any, post: Any, engine: Engine
) -> None:
    log_in(Role.administrator, username="administrator")
    with writing(engine) as session:
        version = policies.in_force(session, "road-rescue", on=TODAY)
        actor = actors.of_user(session.scalars(sa.select(User)).one())
        draft_id = drafts.begin_from(session, version, actor=actor, now=NOW).id
    check = f"/admin/draft/{draft_id}/check"
    page = client.get(check).text
    assert page.count("/admin/department_meaning/new/?") == len(MEANT)
    assert "/admin/post_holding/new/?" in page
    map_departments(post, engine)
    assert "/admin/department_meaning/new/?" not in client.get(check).text


def handed_over(engine: Engine) -> str:
    """The number of an open case that after-sales has."""
    with writing(engine) as session:
        return Office(session).dispatched().number


def department_of(engine: Engine, number: str) -> str:
    with reading(engine) as session:
        case = session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        assert case.department is not None
        return case.department.key


@pytest.mark.parametrize(("wish", "key"), [("stay", "after_sales"), ("pass_on", "workshop")])
def test_another_meaning_asks_what_becomes_of_open_cases(
    log_in: Any, post: Any, engine: Engine, wish: str, key: str
) -> None:
    number = handed_over(engine)
    log_in(Role.administrator, username="administrator")
    with reading(engine) as session:
        office = Office(session)
        typed = {
            "policy_department": f"{office.version.policy_id}/after_sales",
            "department": office.department("workshop").id,
            "from_on": TODAY.isoformat(),
        }
    page = post("/admin/department_meaning/new/", **typed)
    assert "after_sales department" in page
    assert '<option value="pass_on">' in page
    with reading(engine) as session:
        assert session.scalars(sa.select(DepartmentMeaning)).all() == []
    post("/admin/department_meaning/new/", **typed, open_cases=wish)
    assert department_of(engine, number) == key


def test_open_cases_are_not_passed_on_before_the_day_of_the_change(
    log_in: Any, post: Any, engine: Engine
) -> None:
    handed_over(engine)
    log_in(Role.administrator, username="administrator")
    tomorrow = TODAY + dt.timedelta(days=1)
    with reading(engine) as session:
        office = Office(session)
        typed = {
            "policy_department": f"{office.version.policy_id}/after_sales",
            "department": office.department("workshop").id,
            "from_on": tomorrow.isoformat(),
        }
    page = post("/admin/department_meaning/new/", **typed, open_cases="pass_on")
    assert tomorrow.isoformat() in page
    with reading(engine) as session:
        assert session.scalars(sa.select(DepartmentMeaning)).all() == []


def test_the_end_of_a_post_s_last_holder_says_how_many_cases_hang_on_it(
    log_in: Any, post: Any, engine: Engine
) -> None:
    number = handed_over(engine)
    log_in(Role.administrator, username="administrator")
    with reading(engine) as session:
        (row,) = Office(session).holdings("after_sales_director")
        edit = f"/admin/post_holding/edit/?id={row.id}"
    typed = {"until_on": (TODAY - dt.timedelta(days=1)).isoformat(), "seen_version": "1"}
    page = post(edit, **typed)
    assert "1 " in page
    assert 'name="understood"' in page
    with reading(engine) as session:
        assert Office(session).holdings("after_sales_director")[0].until_on is None
    post(edit, **typed, understood="y")
    with reading(engine) as session:
        assert Office(session).holdings("after_sales_director")[0].until_on is not None
    assert department_of(engine, number) == "after_sales"
