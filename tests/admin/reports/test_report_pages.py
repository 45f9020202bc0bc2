"""Forms that stand alone, ledgers, reports, customers, and the list of cases with own fields."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from database import reading
from models import CompanyText, Complaint, Customer, CustomerFlag, FormEntry
from policy.pack.loading import PACKS, load_pack
from policy.proof.coverage import chosen_parameters
from services.cases import customers, forms
from services.regulation import declared, publishing
from tests import company, suppliers
from tests.company import Office
from tests.regulations import CASES

HOUR = dt.timedelta(hours=1)
Post = Callable[..., str]


@pytest.fixture(scope="session")
def blank_database(suppliers_database: Path) -> Path:
    """The company is in it, with a second regulation and a login for everybody."""
    return suppliers_database


@pytest.fixture
def visit(log_in: Any) -> Callable[[str], None]:
    """`visit(name)`: the visitor is that person of the company from now on."""

    def visit(name: str) -> None:
        log_in(suppliers.LOGINS[name], username=name)

    return visit


@pytest.fixture
def post(client: FlaskClient, csrf: Any) -> Post:
    """`post(path, **fields)`: send a form; the page that comes back."""

    def post(path: str, /, **fields: Any) -> str:
        answer = client.post(path, data={"csrf_token": csrf(), **fields}, follow_redirects=True)
        assert answer.status_code == 200
        return str(answer.text)

    return post


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def of_the_last_hour(path: str) -> str:
    """The address of a page about the days an hour ago and now, which may be of two months."""
    day = dt.datetime.now(company.ZONE) - HOUR
    return f"{path}?from={day.date()}&until={dt.datetime.now(company.ZONE).date()}"


# ---------------------------------------------------------------- forms that stand alone

DUTY = "/admin/standalone/suppliers/duty/"


def test_a_form_that_stands_alone_is_filled_and_listed_and_exported(
    visit: Any, post: Post, client: FlaskClient, engine: Engine
) -> None:
    visit("mechanic")
    page = post(
        f"{DUTY}fill/", customer="", extra_shift="night", extra_uncovered="2", extra_note="停电"
    )
    assert "夜班" in page
    assert "停电" in page
    with reading(engine) as session:
        row = session.scalars(sa.select(FormEntry)).one()
        assert (row.data, row.complaint_id) == (
            {"shift": "night", "uncovered": 2, "note": "停电"},
            None,
        )
    table = client.get(f"{DUTY}csv").text
    assert "缺岗小时" in table
    assert "夜班,2,停电" in table
    assert client.get(f"{DUTY}xlsx").data[:2] == b"PK"


def test_a_refused_form_that_stands_alone_keeps_what_was_typed(
    visit: Any, post: Post, engine: Engine
) -> None:
    visit("mechanic")
    page = post(
        f"{DUTY}fill/", customer="", extra_shift="", extra_uncovered="两", extra_note="停电一次"
    )
    assert "field-wrong" in page
    assert "停电一次" in page
    assert "两" in page
    with reading(engine) as session:
        assert session.scalars(sa.select(FormEntry)).first() is None


def test_a_department_sees_what_its_own_people_filled_in(
    visit: Any, post: Post, client: FlaskClient
) -> None:
    visit("mechanic")
    post(f"{DUTY}fill/", customer="", extra_shift="night", extra_note="售后停电")
    visit("sales_director")
    assert "售后停电" not in client.get(DUTY).text
    visit("care_director")
    assert "售后停电" in client.get(DUTY).text


def test_a_form_of_a_case_is_not_filled_outside_one(visit: Any, client: FlaskClient) -> None:
    visit("mechanic")
    for path in ("suppliers/survey/fill/", "suppliers/none/", "nothing/duty/"):
        assert client.get(f"/admin/standalone/{path}").status_code == 404


def test_the_hours_a_log_leaves_open_are_shown_above_it(
    visit: Any, post: Post, client: FlaskClient
) -> None:
    watch = "/admin/standalone/suppliers/watch/"
    visit("mechanic")
    for since, until in (("00:00", "08:00"), ("09:15", "23:59")):
        turn = {"extra_since": f"2026-11-03T{since}", "extra_until": f"2026-11-03T{until}"}
        post(f"{watch}fill/", customer="", **turn)
    page = client.get(f"{watch}?from=2026-11-03&until=2026-11-03").text
    (told,) = re.findall(r'<ul class="book-list">(.*?)</ul>', page, re.DOTALL)
    found = re.findall(r"(\d\d:\d\d) – .*?(\d\d:\d\d)", re.sub(r"<[^>]+>", "", told))
    assert found == [("08:00", "09:15"), ("23:59", "00:00")]
    assert "无人值守" not in client.get(DUTY).text, "a log may leave hours open unless it says so"


def test_key_customers_nobody_visited_this_year_are_listed(
    visit: Any, post: Post, at_work: Any, client: FlaskClient
) -> None:
    with at_work() as office:
        for name in ("江南机械", "江北机械"):
            known = customers.find_or_add(office.session, name)
            customers.set_key_customer(office.session, known, key_customer=True)
    visit("care_director")
    calls = "/admin/standalone/suppliers/call_on/"
    about = {"customer": "", "customer-words": "江北机械"}
    post(f"{calls}fill/", **about, extra_visited_on="2026-11-03", extra_score="5")
    page = client.get(calls).text
    told = page[page.index("未走访") :]
    assert "江南机械" in told[: told.index("</ul>")]
    assert "江北机械" not in told[: told.index("</ul>")]


def test_the_fillings_are_narrowed_to_a_customer_and_a_period(
    visit: Any, at_work: Any, client: FlaskClient
) -> None:
    with at_work() as office:
        for name in ("江南机械", "北方机床"):
            forms.fill_alone(
                office.session,
                suppliers.in_force(office.session),
                form="call_on",
                data={"visited_on": "2026-09-28", "score": 9},
                actor=office.by("specialist"),
                now=now(),
                customer=customers.find_or_add(office.session, name),
            )
    visit("specialist")
    path = "/admin/standalone/suppliers/call_on/"
    assert "北方机床" in client.get(path).text
    page = client.get(f"{path}?customer=江南")
    assert "江南机械" in page.text
    assert "北方机床" not in page.text
    assert "北方机床" not in client.get(f"{path}?from=2020-01-01&until=2020-02-01").text


# ---------------------------------------------------------------- ledgers


def surveyed(office: Office, **data: Any) -> str:
    """A case with a survey filled in half an hour ago; its number."""
    complaint = suppliers.case(office.session, now=now() - HOUR)
    said = {"cause": "料架磨损", "pieces": 3, "stopped": True, "loss": "12.5"} | data
    forms.fill(
        office.session,
        complaint,
        form="survey",
        data=said,
        actor=office.by("mechanic"),
        now=now() - HOUR / 2,
    )
    return complaint.number


def test_a_ledger_shows_the_fields_and_the_form_fields_it_declares(
    visit: Any, at_work: Any, client: FlaskClient
) -> None:
    with at_work() as office:
        number = surveyed(office)
    visit("care_director")
    page = client.get(of_the_last_hour("/admin/ledger/suppliers/goods/")).text
    for words in (number, "江南机械", "B-7", "划伤", "料架磨损", "¥12.50", "批号"):
        assert words in page
    table = client.get(of_the_last_hour("/admin/ledger/suppliers/goods/csv")).text
    assert "查验记录 · 原因" in table
    assert f"{number}," in table
    assert client.get("/admin/ledger/suppliers/goods/xlsx").data[:2] == b"PK"
    assert number not in client.get("/admin/ledger/suppliers/goods/?until=2020-01-01").text


def test_a_ledger_tells_where_an_approval_stands(
    visit: Any, at_work: Any, client: FlaskClient
) -> None:
    with at_work() as office:
        complaint = suppliers.case(office.session, now=now() - HOUR)
        waiting = suppliers.case(office.session, now=now() - HOUR).number
        said = {"chain": "plan", "now": now() - HOUR / 2}
        for who in ("director", "general_manager"):
            by = {"agrees": True, "opinion": "同意", "actor": office.by(who)}
            forms.endorse(office.session, complaint, **said, **by)
        number = complaint.number
    visit("care_director")
    table = client.get(of_the_last_hour("/admin/ledger/suppliers/goods/csv")).text
    header, *lines = csv.reader(io.StringIO(table.removeprefix("\ufeff")))
    place = header.index("方案审批")
    told = {line[header.index("编号")]: line[place] for line in lines}
    assert told == {number: "已批准", waiting: ""}


def test_a_ledger_of_a_form_lists_its_fillings(visit: Any, post: Post, client: FlaskClient) -> None:
    visit("specialist")
    post(f"{DUTY}fill/", customer="", extra_shift="day", extra_uncovered="4", extra_note="无")
    page = client.get("/admin/ledger/suppliers/duty/").text
    assert "白班" in page
    assert "事项" not in page, "it declares two columns"


@pytest.mark.parametrize("path", sorted(PACKS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_column_of_a_shipped_ledger_has_something_to_say(path: Path) -> None:
    pack = load_pack(path, chosen_parameters(CASES / path.stem))
    of_cases = {
        *declared.declared_fields(pack),
        *(field.key for field in pack.field),
        *dir(Complaint),
    }
    for entry in pack.ledger:
        form = pack.find("form", entry.form)
        known = {field.key for field in form.fields} if form else of_cases
        assert [name for name in entry.columns if name not in known] == [], entry.key


def test_numbers_that_are_missing_are_told(visit: Any, at_work: Any, client: FlaskClient) -> None:
    with at_work() as office:
        suppliers.case(office.session, now=now() - HOUR)
        taken_out = suppliers.case(office.session, now=now() - HOUR)
        number, taken_out.number = taken_out.number, "ELSEWHERE"
        suppliers.case(office.session, now=now() - HOUR)
    visit("care_director")
    page = client.get("/admin/ledger/").text
    assert "供货投诉台账" in page
    assert "/admin/ledger/suppliers/missing/" in page
    path, day = "/admin/ledger/suppliers/missing/", (now() - HOUR).astimezone(company.ZONE).date()
    page = client.get(f"{path}?until={day}").text
    assert "供货投诉编号" in page
    assert number in page
    assert number not in client.get(f"{path}?until={day - dt.timedelta(days=366)}").text


# ---------------------------------------------------------------- reports


def test_a_report_that_is_owed_is_drawn_up_and_filed_once(
    visit: Any, post: Post, client: FlaskClient
) -> None:
    visit("care_director")
    page = client.get("/admin/report/").text
    assert "月度报告" in page
    (path,) = set(re.findall(r"/admin/report/suppliers/monthly/2026-02/", page))
    assert "及时率" in client.get(path).text
    page = post(path, extra_0="全部及时", extra_1="增设料架")
    assert "月度报告 2026-02" in page
    (filed,) = re.findall(r"/admin/report/filed/\d+/", page)
    page = client.get(filed).text
    for words in ("处理及时率", "全部及时", "增设料架", "及时率"):
        assert words in page
    page = post(path, extra_0="再报一次", extra_1="不行")
    assert "再报一次" in page, "what was typed comes back"
    assert "field-wrong" in page or "message-bad" in page


def test_a_report_calls_the_indicators_it_tells_by_their_names(
    visit: Any, post: Post, client: FlaskClient
) -> None:
    visit("care_director")
    path = "/admin/report/suppliers/figures/2026-Q1/"
    page = client.get(path).text
    assert re.findall(r'for="extra_\d">([^<]+)', page) == ["及时率", "走访评分"]
    post(
        "/admin/standalone/suppliers/call_on/fill/", extra_visited_on="2026-01-05", extra_score="9"
    )
    today = now().astimezone(company.ZONE)
    running = f"/admin/report/suppliers/figures/{today.year}-Q{(today.month + 2) // 3}/"
    begun = re.findall(r"<textarea[^>]*>\s*([^<]*)</textarea>", client.get(running).text)
    assert begun == ["—", "9.0"], "what it came to is written down already"
    page = post(path, extra_0="九成", extra_1="八分")
    (filed,) = re.findall(r"/admin/report/filed/\d+/", page)
    page = client.get(filed).text
    assert "<h3>走访评分</h3><p>八分</p>" in page


def test_a_report_is_owed_for_each_key_customer(
    visit: Any, at_work: Any, client: FlaskClient, post: Post, engine: Engine
) -> None:
    with at_work() as office:
        known = customers.find_or_add(office.session, "江南机械", "13800001111")
        identity = known.id
    visit("care_director")
    post(f"/admin/customer/{identity}/rank/", key="1")
    with reading(engine) as session:
        assert session.get_one(Customer, identity).tier == "key"
    assert "重点客户" in client.get("/admin/customer/").text
    assert client.get("/admin/report/suppliers/visit/2025/").status_code == 404
    page = client.get(f"/admin/report/suppliers/visit/2025/?customer={identity}").text
    assert "江南机械" in page
    assert "走访日期" in page


def test_a_visit_reported_stands_among_the_visits_and_the_running_year_is_owed(
    visit: Any, at_work: Any, client: FlaskClient, post: Post
) -> None:
    with at_work() as office:
        known = customers.find_or_add(office.session, "江南机械")
        customers.set_key_customer(office.session, known, key_customer=True)
        identity = known.id
    visit("care_director")
    year = now().astimezone(company.ZONE).year
    path = f"/admin/report/suppliers/visit/{year}/?customer={identity}"
    assert f'href="{path}"' in client.get("/admin/report/").text
    post(path, extra_visited_on=f"{year}-01-05", extra_score="8")
    assert f'href="{path}"' not in client.get("/admin/report/").text
    calls = client.get("/admin/standalone/suppliers/call_on/").text
    assert f"{year}-01-05" in calls
    assert "未走访" in calls
    assert (
        "江南机械"
        not in calls[calls.index("未走访") : calls.index("</section>", calls.index("未走访"))]
    )
    assert "已填 1 次" in client.get("/admin/standalone/").text


def test_indicators_show_what_they_were_divided_by(
    visit: Any, at_work: Any, client: FlaskClient
) -> None:
    with at_work() as office:
        suppliers.case(office.session, now=now() - HOUR, category="quality")
        customers.set_key_customer(
            office.session, customers.find_or_add(office.session, "江南机械"), key_customer=True
        )
    visit("general_manager")
    page = client.get(of_the_last_hour("/admin/report/indicators/suppliers/")).text
    assert "走访率" in page
    assert "0.0 %" in page
    assert "after_sales department" in page
    assert "类别：质量" in page


def test_a_limit_that_is_passed_is_missed(visit: Any, at_work: Any, client: FlaskClient) -> None:
    with at_work() as office:
        for minutes in (50, 40):
            at = now() - dt.timedelta(minutes=minutes)
            suppliers.case(office.session, now=at, category="quality")
    visit("general_manager")
    page = client.get("/admin/report/indicators/suppliers/?from=2026-01-01").text
    (row,) = re.findall(r"<b>重复率</b>.*?</tr>", page[: page.index("类别：")], re.DOTALL)[:1]
    assert "50.0 %" in row
    assert "&lt; 5 %" in row or "< 5 %" in row
    assert "未达标" in row


def test_what_forms_say_is_counted_beside_the_indicators(
    visit: Any, post: Post, client: FlaskClient
) -> None:
    visit("mechanic")
    for shift in ("night", "day", "night"):
        post(f"{DUTY}fill/", customer="", extra_shift=shift)
    visit("care_director")
    page = client.get(of_the_last_hour("/admin/report/indicators/suppliers/")).text
    counted = re.findall(r"<b>(白班|夜班)</b></td>\s*<td[^>]*>(\d+)<", page)
    assert counted == [("夜班", "2"), ("白班", "1")]


# ---------------------------------------------------------------- customers who are marked


def test_a_customer_is_marked_for_a_reason_and_the_mark_taken_off(
    visit: Any, at_work: Any, client: FlaskClient, post: Post, engine: Engine
) -> None:
    with at_work() as office:
        identity = customers.find_or_add(office.session, "江南机械", "13800001111").id
    visit("care_director")
    page = post(f"/admin/customer/{identity}/flag/", **{"flag-policy": "suppliers"})
    assert "field-wrong" in page
    fields = {"flag-policy": "suppliers", "flag-reason": "反复虚报", "flag-until_on": "2001-01-01"}
    page = post(f"/admin/customer/{identity}/flag/", **fields)
    assert "反复虚报" in page
    assert "field-wrong" in page
    page = post(f"/admin/customer/{identity}/flag/", **fields | {"flag-until_on": ""})
    assert "反复虚报" in page
    assert "G-1" in page
    with reading(engine) as session:
        flag = session.scalars(sa.select(CustomerFlag)).one().id
    page = post(f"/admin/customer/{identity}/lift/{flag}/", **{"lift-reason": "已澄清"})
    assert "已澄清" in page


def test_the_mark_is_shown_to_care_when_the_customer_calls_again(
    visit: Any, at_work: Any, client: FlaskClient, post: Post
) -> None:
    with at_work() as office:
        customers.add_flag(
            office.session,
            customers.find_or_add(office.session, "江南机械", "13800001111"),
            suppliers.in_force(office.session),
            reason="反复虚报",
            actor=office.administrator,
            now=now(),
        )
        number = suppliers.case(office.session, now=now() - HOUR).number
    visit("specialist")
    fields = suppliers.registration(phone="13800001111", do="preview")
    assert "反复虚报" in post("/admin/complaint/register/?policy=suppliers", **fields)
    for name in ("mechanic", "director"):
        visit(name)
        assert "反复虚报" not in client.get(f"/admin/complaint/{number}/").text
        assert "反复虚报" not in client.get(f"/c/{number}").text


# ---------------------------------------------------------------- registering, and the list


def test_a_case_is_registered_with_the_fields_its_regulation_asks_for(
    visit: Any, post: Post, engine: Engine, at_work: Any
) -> None:
    with at_work() as office:
        before = suppliers.case(office.session, now=now() - 2 * HOUR).number
    visit("specialist")
    fields = suppliers.registration(**{"first_asked-words": "2005", "linked-words": before})
    page = post("/admin/complaint/register/?policy=suppliers", **fields)
    assert "GH" in page
    with reading(engine) as session:
        newest = sa.select(Complaint).order_by(Complaint.id.desc()).limit(1)
        complaint = session.scalars(newest).one()
        assert complaint.extra == {
            "batch": "B-9",
            "pieces": 40,
            "goods_value": "1200",
            "delivered_on": "2026-09-01",
            "urgent": True,
            "defect": "crack",
        }
        assert (complaint.first_asked, complaint.linked) == ("2005", before)
        assert complaint.number.startswith("GH")


def test_the_words_for_the_phone_stand_beside_the_register_form(
    visit: Any, client: FlaskClient, at_work: Any
) -> None:
    visit("specialist")
    page = client.get("/admin/complaint/register/?policy=suppliers").text
    assert "请您先说说是哪一批货" in page
    assert "类型 为 供货投诉" in page, "which calls they are for"
    with at_work() as office:
        said = {"section": "script", "key": "hear", "text": "请问是哪一批货？"}
        policy_id = suppliers.in_force(office.session).policy_id
        office.session.add(CompanyText(policy_id=policy_id, from_on=dt.date(2026, 1, 1), **said))
    page = client.get("/admin/complaint/register/?policy=suppliers").text
    assert "请问是哪一批货？" in page
    assert "请您先说说是哪一批货" not in page


def test_choosing_another_regulation_keeps_what_was_typed(visit: Any, post: Post) -> None:
    visit("specialist")
    fields = suppliers.registration(subject="打了一半", do="switch")
    page = post("/admin/complaint/register/?policy=suppliers", **fields)
    assert "打了一半" in page
    assert "批号" in page
    assert "field-wrong" not in page
    page = post("/admin/complaint/register/?policy=skoda-dealer", **fields)
    assert "打了一半" in page
    assert "批号" not in page


def test_an_inspection_needs_no_customer_and_a_complaint_does(
    visit: Any, post: Post, engine: Engine
) -> None:
    visit("specialist")
    fields = suppliers.registration(customer="", kind="inspection", subject="月度查验")
    page = post("/admin/complaint/register/?policy=suppliers", **fields)
    assert "field-wrong" in page
    assert "月度查验" in page
    post("/admin/complaint/register/?policy=suppliers", **fields | {"without_customer": "y"})
    with reading(engine) as session:
        complaint = session.scalars(sa.select(Complaint)).one()
        assert (complaint.kind, complaint.customer_id) == ("inspection", None)
        assert complaint.number == f"CY{now().astimezone(company.ZONE):%Y}001"


def test_the_list_shows_and_filters_what_regulations_declare(
    visit: Any, at_work: Any, client: FlaskClient
) -> None:
    with at_work() as office:
        first = surveyed(office)
        extra = {"batch": "C-1", "pieces": 7, "delivered_on": "2026-08-01", "defect": "crack"}
        second = suppliers.case(office.session, now=now() - HOUR, extra=extra).number
        office.registered(received_at=now() - HOUR, now=now() - HOUR / 2)
    visit("care_director")
    page = client.get("/admin/complaint/?columns=extra.batch,form.survey.cause,kind,nonsense").text
    for words in ("B-7", "C-1", "料架磨损", "供货投诉"):
        assert words in page

    def found(query: str) -> set[str]:
        text = client.get(f"/admin/complaint/?{query}").text
        return set(re.findall(r"/admin/complaint/(GH\d+|TS\d+)/", text))

    assert found("flt_extra_batch_contains=B-") == {first}
    assert found("flt_extra_defect_is=crack") == {second}
    assert found("flt_extra_urgent_is=1") == {first}
    assert second in found("flt_extra_urgent_is=0")
    assert found("flt_extra_pieces_at_least=5") == {second}
    assert found("flt_extra_delivered_on_until=2026-08-31") == {second}
    assert found("flt_extra_delivered_on_from=2026-08-02") == set()
    assert found("flt_kind_is=goods") == {first, second}
    assert found("flt_extra_goods_value_at_least=99.5") == {first}
    assert found("flt_extra_goods_value_at_most=99.5") == set()
    table = client.get("/admin/complaint/export/csv/?columns=form.survey.cause").text
    assert "批号" in table
    assert "料架磨损" in table
    assert "裂纹" in table


def test_the_list_is_narrowed_by_what_forms_say_last(
    visit: Any, at_work: Any, client: FlaskClient
) -> None:
    said = {"loss": "9.90", "rate": "2.5", "tools": ["gauge", "scope"], "surveyor": "2005"}
    said |= {"arrived": "2026-09-01T00:30:00+08:00", "defect": "crack", "seen_on": "2026-09-01"}
    with at_work() as office:
        number, other = surveyed(office, **said), surveyed(office, loss="120")
        complaint = office.session.scalars(sa.select(Complaint).filter_by(number=other)).one()
        again = {"cause": "再查", "pieces": 4, "stopped": False, "loss": "130.5"}
        by = {"actor": office.by("mechanic"), "now": now() - HOUR / 3}
        forms.fill(office.session, complaint, form="survey", data=again, **by)
    visit("care_director")

    def found(query: str) -> set[str]:
        answer = client.get(f"/admin/complaint/?flt_form.survey.{query}")
        assert answer.status_code == 200
        return set(re.findall(r"/admin/complaint/(GH\d+)/", answer.text))

    assert found("loss_at_most=9.95") == {number}
    assert found("loss_at_least=130.5") == {other}
    assert found("loss_at_least=120&flt_form.survey.loss_at_most=125") == set(), "said before"
    assert found("rate_at_least=2.5") == found("rate_at_most=2.5") == {number}
    assert found("tools_is=scope") == {number}
    assert found("surveyor_is=2005") == {number}
    assert found("defect_is=crack") == found("seen_on_until=2026-09-01") == {number}
    assert found("arrived_from=2026-09-01") == found("arrived_until=2026-09-01") == {number}
    assert found("arrived_until=2026-08-31") == set(), "the day is the company's"
    assert found("stopped_is=0") == found("cause_contains=再") == {other}
    for wrong in ("loss_at_least=nan", "loss_at_least=多", "tools_is=hammer"):
        assert found(wrong) == {number, other}, "what means nothing narrows nothing"
    page = client.get("/admin/complaint/").text
    assert "flt_form.survey" not in page, "only what is shown is offered"
    page = client.get("/admin/complaint/?columns=form.survey.rate").text
    assert 'name="flt_form.survey.rate_at_least"' in page


def test_the_list_costs_the_same_few_statements_however_long_it_is(
    visit: Any, at_work: Any, client: FlaskClient
) -> None:
    def statements() -> int:
        counted: list[str] = []

        def listen(*said: Any) -> None:
            counted.append(said[2])

        sa.event.listen(sa.Engine, "before_cursor_execute", listen)
        try:
            client.get("/admin/complaint/?columns=extra.buyer,form.survey.surveyor")
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", listen)
        return len(counted)

    visit("care_director")
    with at_work() as office:
        surveyed(office, surveyor="2005")
    client.get("/admin/complaint/")
    few = statements()
    with at_work() as office:
        for _ in range(4):
            surveyed(office, surveyor="2006")
    assert statements() == few


# ---------------------------------------------------------------- a version that was withdrawn


def test_the_books_of_a_withdrawn_version_stay_readable_and_take_nothing_new(
    visit: Any, client: FlaskClient, at_work: Any
) -> None:
    with at_work() as office:
        version = suppliers.in_force(office.session)
        said: dict[str, Any] = {"reason": "停用", "now": now()}
        publishing.withdraw(office.session, version, actor=office.administrator, **said)
    visit("care_director")
    for path in ("ledger/suppliers/goods/", "report/indicators/suppliers/", DUTY[len("/admin/") :]):
        assert client.get(f"/admin/{path}").status_code == 200, path
    for path in ("/admin/ledger/", "/admin/report/", "/admin/standalone/"):
        assert "供货投诉办法" in client.get(path).text, path
    assert client.get(f"{DUTY}fill/").status_code == 404
