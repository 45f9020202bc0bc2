"""What people and programs get wrong: a clear sentence, nothing half saved, nothing typed lost."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import expect
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from admin.kit.rights import RIGHTS
from database import reading
from models import Complaint, Journal
from services.cases import handling
from tests.browser.staff import ROLES
from tests.browser.windows import PHONE, input_of, send
from tests.company import ZONE, Office

TYPED = "客户说冷车启动时有金属敲击声，要求今天答复"
ODD = ("", "0", "-1", "9" * 30, "1e9", "x", "\0", "a\0b", "../..", "'\"<b>%", "一二三", "x" * 3000)
"""What somebody, or a program, may put into an address or a field."""


def words(answer: TestResponse) -> str:
    """What the page says, without its tags."""
    text = re.sub(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", " ", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", unescape(text))


@pytest.fixture
def case(at_work: Any) -> str:
    """The number of a case that after-sales works on."""
    with at_work() as office:
        return str(office.dispatched().number)


@pytest.fixture
def someone(log_in: Any, client: FlaskClient) -> Callable[[str], FlaskClient]:
    """`someone(name)`: the visitor is that person of the company."""

    def someone(name: str) -> FlaskClient:
        log_in(ROLES[name], username=name)
        return client

    return someone


@pytest.fixture
def send_deed(client: FlaskClient, csrf: Any, engine: Engine) -> Callable[..., TestResponse]:
    """`send_deed(number, deed, **typed)`: the form of a deed, sent as it was made a moment ago."""

    def send_deed(number: str, deed: str, **typed: str) -> TestResponse:
        said = {f"{deed}-{name}": value for name, value in typed.items()}
        seen = {f"{deed}-seen": typed.get("seen", str(_version(engine, number)))}
        data = {"csrf_token": csrf(), **seen, **said}
        return client.post(f"/admin/complaint/{number}/deed/{deed}/", data=data)

    return send_deed


def _version(engine: Engine, number: str) -> int:
    with reading(engine) as session:
        return session.scalars(sa.select(Complaint.version).where(Complaint.number == number)).one()


def _complaint(office: Office, number: str) -> Complaint:
    return office.session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()


# ---------------------------------------------------------------- a deed that cannot be


def test_a_step_the_status_does_not_know_is_refused_and_what_was_typed_stays(
    case: str, someone: Any, send_deed: Any, unchanged: Any
) -> None:
    someone("care_director")
    with unchanged():
        answer = send_deed(case, "signed", feedback=TYPED)
    assert "案件处于“处理中”时不能“签批关闭”" in words(answer)
    assert TYPED in answer.text


def test_who_lacks_the_post_is_told_who_has_it(
    case: str, at_work: Any, someone: Any, send_deed: Any, unchanged: Any
) -> None:
    with at_work() as office:
        office.reply(_complaint(office, case))
    someone("mechanic")
    with unchanged():
        answer = send_deed(case, "confirmed")
    assert "“确认回复”由以下岗位办理：售后服务总监（SKD-3.2.2.1a）" in words(answer)


def test_a_date_that_does_not_exist_is_named_at_its_field(
    case: str, someone: Any, send_deed: Any, unchanged: Any
) -> None:
    someone("mechanic")
    with unchanged():
        answer = send_deed(case, "contacted", at="2026-02-30T10:00", text=TYPED)
    assert "联系客户时间 留空即为现在。 不是有效的日期与时间值。" in words(answer)
    assert "尚未保存" in words(answer)
    assert TYPED in answer.text
    assert 'value="2026-02-30T10:00"' in answer.text


def test_a_case_is_not_registered_on_a_day_that_does_not_exist(
    someone: Any, csrf: Any, unchanged: Any
) -> None:
    visitor = someone("specialist")
    said = {"kind": "complaint", "channel": "visit", "customer": "王建国", "subject": TYPED}
    with unchanged():
        answer = visitor.post(
            "/admin/complaint/register/",
            data=said | {"received_at": "2026-02-30T10:00", "csrf_token": csrf()},
        )
    assert "受理时间 * 不是有效的日期与时间值。" in words(answer)
    assert TYPED in answer.text


def test_a_choice_that_is_not_offered_is_named_at_its_field(
    case: str, someone: Any, send_deed: Any, unchanged: Any
) -> None:
    someone("specialist")
    with unchanged():
        answer = send_deed(case, "classified", kind="x", responsibility="guilty", reason=TYPED)
    assert "预警 不是有效的选择。" in words(answer)
    assert TYPED in answer.text


def test_another_departments_case_does_not_exist(
    case: str, someone: Any, send_deed: Any, unchanged: Any, at_work: Any
) -> None:
    visitor = someone("sales_director")
    assert visitor.get(f"/admin/complaint/{case}/").status_code == 404
    with unchanged():
        answer = send_deed(case, "replied", outcome="solved", text=TYPED)
    assert (answer.status_code, "页面不存在" in words(answer)) == (404, True)
    assert case not in visitor.get("/admin/complaint/").text
    assert "没有符合条件的内容" in words(visitor.get(f"/admin/complaint/?search={case}"))


def test_a_case_number_nobody_has_is_said_in_words(someone: Any) -> None:
    answer = someone("specialist").get("/admin/complaint/TS2099010001/")
    assert answer.status_code == 404
    assert "页面不存在" in words(answer)
    assert "地址有误，或所查内容的编号已变。" in words(answer)


def test_the_auditor_reads_and_posts_nothing(
    case: str, someone: Any, send_deed: Any, unchanged: Any
) -> None:
    visitor = someone("auditor")
    page = visitor.get(f"/admin/complaint/{case}/")
    assert page.status_code == 200
    assert '<form method="post" action="/admin/complaint/' not in page.text
    with unchanged():
        answer = send_deed(case, "progressed", text=TYPED)
    assert answer.status_code == 403
    assert "您的角色不能打开此页" in words(answer)


# ---------------------------------------------------------------- forms out of date


def test_a_form_that_is_out_of_date_keeps_the_text_and_can_be_sent_again(
    case: str, at_work: Any, visit: Any
) -> None:
    phone = visit("mechanic", **PHONE)
    phone.goto(f"/admin/complaint/{case}/")
    with at_work() as office:
        said = {"text": "配件已到", "now": dt.datetime.now(dt.UTC)}
        handling.progress(
            office.session, _complaint(office, case), actor=office.by("colleague"), **said
        )
    send(phone, "回复", 结果="已解决", 处理情况或未处理原因=TYPED)
    dialog = phone.get_by_role("dialog", name="回复")
    expect(dialog).to_contain_text("已被他人修改")
    expect(input_of(dialog, "处理情况或未处理原因")).to_have_value(TYPED)
    dialog.get_by_role("button", name="回复", exact=True).click()
    expect(phone.get_by_role("status")).to_contain_text("已完成：回复")


def test_a_wrong_token_gives_the_text_back_under_its_label(
    case: str, someone: Any, unchanged: Any
) -> None:
    visitor = someone("mechanic")
    said = {"csrf_token": "wrong", "replied-seen": "2", "replied-text": TYPED}
    with unchanged():
        answer = visitor.post(f"/admin/complaint/{case}/deed/replied/", data=said)
    assert answer.status_code == 400
    assert f"您填写的内容 说明 {TYPED} 重新打开" in words(answer)
    assert "本次未保存" in words(answer)


# ---------------------------------------------------------------- texts without end


def test_a_text_that_is_too_long_is_refused_at_its_field_and_kept(
    case: str, someone: Any, send_deed: Any, unchanged: Any
) -> None:
    someone("mechanic")
    text = "长" * 20_001
    with unchanged():
        answer = send_deed(case, "replied", outcome="solved", text=text)
    assert answer.status_code == 200
    assert text in answer.text
    assert "20000" in words(answer).replace(text, "")
    # A browser would cut off the end of what is pasted, without a word.
    (box,) = re.findall(r'<textarea[^>]* id="replied-text"[^>]*>', answer.text)
    assert "maxlength" not in box


def test_five_megabytes_are_refused_and_going_back_brings_them_again(
    case: str, visit: Any, unchanged: Any, problems: list[str]
) -> None:
    page = visit("mechanic")
    page.goto(f"/admin/complaint/{case}/")
    page.get_by_role("button", name="回复", exact=True).click()
    text = "x" * 5_000_000
    box = input_of(page.get_by_role("dialog", name="回复"), "处理情况或未处理原因")
    box.evaluate("(one, text) => { one.value = text; }", text)
    with unchanged():
        page.get_by_role("dialog").get_by_role("button", name="回复", exact=True).click()
        expect(page.locator("main")).to_contain_text("内容过大")
        expect(page.locator("main")).to_contain_text("未保存")
    page.go_back()
    assert page.locator("#replied-text").evaluate("one => one.value.length") == len(text)
    problems.clear()


def test_a_text_with_a_nul_byte_is_saved_without_it(
    case: str, someone: Any, send_deed: Any, engine: Engine
) -> None:
    someone("mechanic")
    assert send_deed(case, "progressed", text="配件\0已到").status_code == 302
    with reading(engine) as session:
        last = session.scalars(sa.select(Journal).order_by(Journal.id.desc())).first()
        assert last is not None
        assert last.data["text"] == "配件已到"


def test_a_customer_with_a_nul_byte_is_registered_without_it(
    someone: Any, csrf: Any, engine: Engine
) -> None:
    said = {"kind": "complaint", "channel": "visit", "category": "quality", "subject": "异\0响"}
    said |= {"customer": "王\0建国", "phone": "138\x000000 0001", "csrf_token": csrf()}
    now = dt.datetime.now(ZONE).strftime("%Y-%m-%dT%H:%M")
    visitor, address = someone("specialist"), "/admin/complaint/register/"
    names = [names for action, names in _fields(visitor.get(address).text) if not action]
    blank = dict.fromkeys(names[0], "")
    answer = visitor.post(address, data=blank | said | {"received_at": now})
    assert answer.status_code == 302, words(answer)
    with reading(engine) as session:
        complaint = session.scalars(sa.select(Complaint)).one()
        assert complaint.customer is not None
        assert (complaint.subject, complaint.customer.name) == ("异响", "王建国")
        assert "\0" not in str(complaint.customer.phone)


def test_blanks_are_no_text(case: str, someone: Any, send_deed: Any, unchanged: Any) -> None:
    someone("mechanic")
    with unchanged():
        answer = send_deed(case, "progressed", text="   ")
    assert "“说明”未填写，请补充。" in words(answer)


# ---------------------------------------------------------------- addresses


def test_a_stale_link_of_a_list_is_answered_with_the_list(case: str, someone: Any) -> None:
    stale = "?flt_status_is=gone&flt_nothing_is=1&sort=colour&page=4000"
    answer = someone("specialist").get(f"/admin/complaint/{stale}")
    assert answer.status_code == 200
    for sentence in ("筛选条件已失效", "列表不能按该链接的方式排序", "现显示第一页"):
        assert sentence in words(answer)
    assert case in answer.text


def test_a_month_that_is_none_is_answered_with_the_current_one(someone: Any) -> None:
    answer = someone("clerk").get("/admin/month/?month=2026-13")
    assert answer.status_code == 200
    assert "“2026-13”" in words(answer)


def addresses(app: Flask, case: str) -> Iterator[str]:
    """Every page of the back office with odd things in its address."""
    known: dict[str, Any] = {"number": case, "seq": 1, "penalty_id": 1, "version_id": 1}
    known |= {"deed": "replied", "kind": "csv", "export_type": "csv", "paper_id": 1}
    known |= {"sheet_id": 1, "problem_id": 1, "customer_id": 1, "entry_id": 1, "flag_id": 1}
    known |= {"rule_id": 1, "other_id": 1, "what_if_id": 1, "section": "deadline", "day": "x"}
    known |= {"year": 2026, "vote": "closing", "filename": "none.css"}
    known |= {
        "policy": "skoda-dealer",
        "key": "complaints",
        "period": "2026-09",
        "id": 1,
        "vote": "closing",
    }
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint not in RIGHTS:
            continue
        for odd in ODD:
            for name in rule.arguments:
                values = known | {name: odd}
                yield _address(rule.rule, values)
            yield _address(rule.rule, known) + "?" + urlencode(dict.fromkeys(ASKED, odd))


ASKED = (
    *("page", "page_size", "sort", "desc", "search", "id", "url", "month", "year", "policy"),
    *("q", "lang", "next", "flt_status_is", "flt_department_is", "flt_amount_from"),
    *("flt_received_at_from", "flt_received_at_to", "flt_due_at_from", "flt_employee_is"),
    *("flt_month_is", "flt_history_is", "flt_handler_is", "flt0_0", "flt"),
    *("columns", "from", "until", "customer", "flt_kind_is", "flt_extra_vin_contains"),
)
"""What the pages look for behind the question mark."""


def _address(rule: str, values: dict[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        return quote(str(values[found[1]]), safe="")

    return re.sub(r"<(?:\w+:)?(\w+)>", value, rule)


@pytest.mark.walk
def test_no_address_brings_a_page_down(case: str, app: Flask, someone: Any, unchanged: Any) -> None:
    visitor = someone("administrator")
    broken = []
    with unchanged():
        for address in addresses(app, case):
            if visitor.get(address).status_code >= 500:
                broken.append(address[:120])
    assert not broken, "\n".join(broken)


# ---------------------------------------------------------------- every field of every form


def _fields(html: str) -> Iterator[tuple[str, list[str]]]:
    """The address of each form of a page that is sent, and the names of its fields."""
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", html, flags=re.S):
        action = re.search(r'action="([^"]*)"', form)
        names = re.findall(r'<(?:input|select|textarea|button)[^>]* name="([^"]+)"', form)
        yield unescape(action[1]) if action else "", sorted(set(names))


@pytest.mark.walk
@pytest.mark.parametrize("name", ["specialist", "director", "administrator", "clerk"])
def test_no_field_of_a_form_brings_a_page_down(
    name: str, at_work: Any, swept: Any, someone: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        cases = _cases(office)
    swept()
    visitor = someone(name)
    pages = [f"/admin/complaint/{number}/" for number in cases]
    pages += ["/admin/complaint/register/", f"/admin/complaint/{cases[0]}/amend/1/"]
    pages += ["/admin/penalty/1/", "/admin/employee/new/", "/admin/employee/edit/?id=1"]
    pages += ["/admin/user/new/", "/admin/post_holding/new/", "/admin/deputy/new/"]
    pages += ["/admin/department_meaning/new/", "/admin/company_text/new/"]
    broken = []
    for page in pages:
        for action, names in _fields(visitor.get(page).text):
            for odd in ODD[1:8] if action not in ("/logout", "/language") else ():
                said = dict.fromkeys(names, odd) | {"csrf_token": csrf()}
                if visitor.post(action or page, data=said).status_code >= 500:
                    broken.append(f"{action or page} {odd[:20]!r}")
    assert not broken, "\n".join(broken)


def _cases(office: Office) -> list[str]:
    """A case at the department, one that is answered, one confirmed and one closed."""
    answered = office.dispatched()
    office.reply(answered)
    found = (
        office.dispatched(),
        answered,
        office.confirmed(),
        office.closed(),
        office.registered(),
    )
    return [complaint.number for complaint in found]
