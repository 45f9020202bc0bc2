"""The page behind every row of the workbook, on a phone, by the people who walk about with it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from config import Settings
from database import reading
from enums import Role
from models import Attachment, Complaint
from policy.vocabulary.status import Satisfaction, Status
from services.cases import correcting, customers, handling, journal, record
from services.company import people
from tests.browser.staff import PASSWORD, ROLES
from tests.browser.windows import PHONE, fill, stands
from tests.company import ZONE, Office

pytestmark = pytest.mark.browser

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"photo" * 400
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x03\x00\x08\xfc\x02\xfe\xa7\x9a\xa0"
    b"\xa0\x00\x00\x00\x00IEND\xaeB`\x82"
)
PDF = b"%PDF-1.7\n" + b"quotation " * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
TYPED = "更换正时链条，试车正常"
WIDTH = "document.scrollingElement.scrollWidth"
LOW = """() => [...document.querySelectorAll('main a, main button, main summary, .phone-bar *')]
  .filter(one => one.matches('a, button, summary') && one.checkVisibility())
  .filter(one => one.getBoundingClientRect().height < 44)
  .map(one => one.textContent.trim())"""
"""What a thumb is to hit and is lower than 44 pixels."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A Redress that takes photos of one megabyte."""
    return Settings(home=tmp_path / "home", demo=False, upload_limit_mb=1)


@pytest.fixture(autouse=True)
def every_case_is_what_its_journal_makes(engine: Engine) -> Any:
    """After each walk every case's rows must say what its journal, folded anew, says."""
    yield
    with reading(engine) as session:
        for complaint in session.scalars(sa.select(Complaint)):
            assert journal.fold_journal(session, complaint) == record.facts_of(session, complaint)


def yesterday(hour: int) -> dt.datetime:
    day = dt.datetime.now(ZONE).date() - dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(hour), ZONE)


def begun(office: Office, **said: Any) -> Complaint:
    """A case of yesterday that after-sales has, with a customer who can be rung up."""
    usual = {
        "received_at": yesterday(9),
        "now": yesterday(10),
        "customer": customers.find_or_add(office.session, "王建国", "13800000001"),
        "demand": "今天给答复",
    }
    complaint = office.registered(**(usual | said))
    office.dispatch(complaint, yesterday(11))
    return complaint


@pytest.fixture
def case(at_work: Any) -> str:
    """The number of a case that after-sales has."""
    with at_work() as office:
        return str(begun(office).number)


@pytest.fixture
def answered(at_work: Any) -> str:
    """The number of a case whose answer waits for the director."""
    with at_work() as office:
        complaint = begun(office)
        office.reply(complaint, yesterday(14), text=TYPED)
        return str(complaint.number)


@pytest.fixture
def someone(log_in: Any, client: FlaskClient) -> Callable[[str], FlaskClient]:
    """`someone(name)`: the visitor is that person of the company."""

    def someone(name: str) -> FlaskClient:
        log_in(ROLES[name], username=name)
        return client

    return someone


def photo(name: str = "IMG_1.jpg", content: bytes = JPEG) -> dict[str, Any]:
    """What a camera hands to the input."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def found(engine: Engine, number: str) -> tuple[Status, int, list[str]]:
    """Status and version of a case, and the names of its files."""
    with reading(engine) as session:
        case = session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()
        names = session.scalars(
            sa.select(Attachment.name).where(Attachment.complaint_id == case.id)
        )
        return case.status, case.version, list(names)


def open_form(page: Page, deed: str) -> Any:
    """The form of a deed, unfolded by its own line."""
    page.locator("summary", has_text=re.compile(rf"^{deed}$")).click()
    return page.locator("details[open].phone-deed")


# ---------------------------------------------------------------- the flows


def test_a_member_answers_on_the_phone_with_a_photo(visit: Any, case: str, engine: Engine) -> None:
    page = visit("mechanic", **PHONE)
    page.goto(f"/c/{case}")
    stands(page, "处理中")
    expect(page.get_by_role("link", name="13800000001")).to_have_attribute(
        "href", "tel:13800000001"
    )
    expect(page.locator("main")).to_contain_text("个工作日")
    assert page.evaluate(LOW) == []

    form = open_form(page, "联系客户")
    fill(form, {"沟通内容": "约好明天到店检查"})
    form.get_by_role("button", name="联系客户").click()
    expect(page.get_by_role("status").first).to_contain_text("已完成：联系客户")
    assert urlsplit(page.url).path == f"/c/{case}", "the case still waits for him"

    page.locator(".phone-bar").get_by_role("link", name="回复").click()
    form = page.locator("details[open].phone-deed")
    fill(form, {"处理情况或未处理原因": TYPED})
    form.locator("input[capture]").set_input_files([photo(), photo("IMG_2.png", PNG)])
    expect(form.locator("[data-chosen]")).to_have_text("IMG_1.jpg, IMG_2.png")
    form.get_by_role("button", name="回复").click()
    expect(page.get_by_role("status").first).to_contain_text("已完成：回复")
    assert urlsplit(page.url).path == "/c/", "the case waits for the director now"
    status, _version, names = found(engine, case)
    assert (status, names) == (Status.replied, ["IMG_1.jpg", "IMG_2.png"])

    page.goto(f"/c/{case}")
    page.locator("img").last.scroll_into_view_if_needed()
    assert page.evaluate(WIDTH) == PHONE["viewport"]["width"]
    expect(page.locator(".papers")).to_contain_text("技师甲")
    loaded = (
        "() => [...document.images].some(one => one.src.includes('/paper/') && one.naturalWidth)"
    )
    page.wait_for_function(loaded)


def test_the_director_confirms_from_the_list_and_knows_what(
    visit: Any, case: str, answered: str, at_work: Any, engine: Engine
) -> None:
    with at_work() as office:
        other = begun(office)
        office.reply(other, yesterday(15), text="已安排上门")
        other_number = other.number
    page = visit("director", **PHONE)
    page.goto("/c/")
    cards = page.locator("article")
    expect(cards).to_have_count(3)
    mine = cards.filter(has_text=answered)
    for words in (TYPED, "技师甲", "已解决", "今天给答复"):
        expect(mine).to_contain_text(words)
    assert cards.filter(has_text=case).get_by_role("button").count() == 0
    assert page.evaluate(LOW) == []
    assert page.evaluate(WIDTH) == PHONE["viewport"]["width"]

    mine.get_by_role("button", name="确认回复").click()
    expect(page.get_by_role("status")).to_contain_text("已完成：确认回复")
    expect(cards).to_have_count(2)
    assert urlsplit(page.url).path == "/c/"
    assert found(engine, answered)[0] is Status.confirmed
    assert found(engine, other_number)[0] is Status.replied


def test_the_director_reads_the_answer_as_it_was_corrected(
    someone: Any, answered: str, at_work: Any
) -> None:
    with at_work() as office:
        complaint = office.session.scalars(sa.select(Complaint).filter_by(number=answered)).one()
        correcting.correct(
            office.session,
            complaint,
            target=complaint.version,
            changes={"text": "更换机脚胶"},
            reason="写错了",
            actor=office.administrator,
            now=dt.datetime.now(dt.UTC),
        )
    for address in ("/c/", f"/c/{answered}"):
        page = someone("director").get(address).text
        assert "更换机脚胶" in page
        assert TYPED not in page.partition('class="card phone-steps"')[0]


def test_the_director_declines_from_the_bar_below(
    visit: Any, answered: str, engine: Engine
) -> None:
    page = visit("director", **PHONE)
    page.goto(f"/c/{answered}")
    page.locator(".phone-bar").get_by_role("link", name="驳回回复").click()
    form = page.locator("details[open].phone-deed")
    fill(form, {"原因": "没有写检查结果"})
    form.get_by_role("button", name="驳回回复").click()
    expect(page.get_by_role("status").first).to_contain_text("已完成：驳回回复")
    assert found(engine, answered)[0] is Status.dispatched


def test_the_deputy_confirms_only_in_his_days(
    visit: Any, answered: str, at_work: Any, engine: Engine, make_user: Any
) -> None:
    with at_work() as office:
        manager = office.employee("manager").id
    make_user(Role.director, username="manager", employee_id=manager)
    page = visit("manager", **PHONE)
    page.goto("/c/")
    assert page.locator("article", has_text=answered).count() == 0
    page.goto(f"/c/{answered}")
    assert page.get_by_role("button", name="确认回复").count() == 0

    today = dt.datetime.now(ZONE).date()
    with at_work() as office:
        (holding,) = office.holdings("after_sales_director")
        people.appoint_deputy(
            office.session,
            holding,
            office.employee("manager"),
            from_on=today,
            until_on=today + dt.timedelta(days=1),
        )
    page.goto("/c/")
    page.locator("article", has_text=answered).get_by_role("button", name="确认回复").click()
    expect(page.get_by_role("status")).to_contain_text("已完成：确认回复")
    with reading(engine) as session:
        case = session.scalars(sa.select(Complaint).where(Complaint.number == answered)).one()
        (signed,) = record.facts_of(session, case).signoffs
        assert (signed.employee, signed.as_deputy) == ("2002", True)


# ---------------------------------------------------------------- what goes wrong


def test_a_file_that_is_not_taken_costs_neither_the_text_nor_the_good_photo(
    visit: Any, case: str, engine: Engine
) -> None:
    page = visit("mechanic", **PHONE)
    page.goto(f"/c/{case}")
    form = open_form(page, "回复")
    fill(form, {"处理情况或未处理原因": TYPED})
    form.locator("input[type=file]").last.set_input_files([photo(), photo("图.jpg", SVG)])
    form.get_by_role("button", name="回复").click()
    form = page.locator("details[open].phone-deed")
    expect(form.get_by_role("alert")).to_contain_text("“图.jpg”不是照片")
    expect(form.get_by_label("处理情况或未处理原因")).to_have_value(TYPED)
    status, _version, names = found(engine, case)
    assert (status, names) == (Status.dispatched, ["IMG_1.jpg"])

    form.get_by_role("button", name="回复").click()
    expect(page.get_by_role("status").first).to_contain_text("已完成：回复")
    assert found(engine, case)[0] is Status.replied


def test_a_photo_that_is_too_large_is_named_before_it_is_sent(
    visit: Any, case: str, engine: Engine
) -> None:
    page = visit("mechanic", **PHONE)
    page.goto(f"/c/{case}")
    form = open_form(page, "回复")
    fill(form, {"处理情况或未处理原因": TYPED})
    large = photo("大.jpg", JPEG.ljust(2**20 + 1, b"\0"))
    form.locator("input[capture]").set_input_files([photo(), large])
    expect(form.locator("[data-chosen]")).to_contain_text("大.jpg 超过 1 MB，未选入。")
    form.get_by_role("button", name="回复").click()
    expect(page.get_by_role("status").first).to_contain_text("已完成：回复")
    assert found(engine, case)[2] == ["IMG_1.jpg"]


def test_without_scripts_the_server_says_that_it_is_too_large_and_keeps_the_text(
    visit: Any, case: str, engine: Engine
) -> None:
    page = visit("mechanic", **PHONE, java_script_enabled=False)
    page.goto(f"/c/{case}")
    form = open_form(page, "回复")
    fill(form, {"处理情况或未处理原因": TYPED})
    large = photo("大.jpg", JPEG.ljust(2**20 + 1, b"\0"))
    form.locator("input[capture]").set_input_files([large])
    form.get_by_role("button", name="回复").click()
    form = page.locator("details[open].phone-deed")
    expect(form.get_by_role("alert")).to_contain_text("“大.jpg”超过 1 MB")
    expect(form.get_by_label("处理情况或未处理原因")).to_have_value(TYPED)
    assert found(engine, case)[0] is Status.dispatched


def test_who_comes_second_reads_so_and_keeps_what_he_typed(
    visit: Any, case: str, at_work: Any, engine: Engine
) -> None:
    page = visit("mechanic", **PHONE)
    page.goto(f"/c/{case}")
    form = open_form(page, "回复")
    fill(form, {"处理情况或未处理原因": TYPED})
    with at_work() as office:
        complaint = office.session.scalars(sa.select(Complaint).filter_by(number=case)).one()
        office.reply(complaint, dt.datetime.now(dt.UTC), text="另一人的回复")
        office.confirm(complaint, dt.datetime.now(dt.UTC))
        version = complaint.version
    form.get_by_role("button", name="回复").click()
    form = page.locator("details[open].phone-deed")
    expect(form.get_by_role("alert")).to_contain_text("已被他人修改")
    expect(form.get_by_label("处理情况或未处理原因")).to_have_value(TYPED)
    assert found(engine, case)[:2] == (Status.confirmed, version)


def test_a_confirmation_of_an_answer_that_was_changed_meanwhile_is_refused(
    visit: Any, answered: str, at_work: Any, engine: Engine
) -> None:
    page = visit("director", **PHONE)
    page.goto("/c/")
    with at_work() as office:
        complaint = office.session.scalars(sa.select(Complaint).filter_by(number=answered)).one()
        handling.progress(
            office.session,
            complaint,
            text="客户又来电",
            actor=office.by("director"),
            now=dt.datetime.now(dt.UTC),
        )
    page.get_by_role("button", name="确认回复").click()
    expect(page.get_by_role("alert")).to_contain_text("已被他人修改")
    assert found(engine, answered)[0] is Status.replied
    page.locator(".phone-bar").get_by_role("button", name="确认回复").click()
    expect(page.get_by_role("status")).to_contain_text("已完成：确认回复")


# ---------------------------------------------------------------- whose it is


def test_the_link_of_a_row_leads_through_the_login_and_back(open_window: Any, case: str) -> None:
    page = open_window(**PHONE)
    page.goto(f"/c/{case}")
    page.get_by_label("用户名").fill("mechanic")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(f"**/c/{case}")
    stands(page, "处理中")


@pytest.fixture
def paper(someone: Any, case: str, csrf: Any, engine: Engine) -> Callable[..., str]:
    """`paper(content)`: the mechanic adds a file to the case; its address."""

    def paper(content: bytes, name: str = "a.bin") -> str:
        sent = {"csrf_token": csrf(), "papers": (BytesIO(content), name)}
        assert someone("mechanic").post(f"/c/{case}/paper", data=sent).status_code == 302
        with reading(engine) as session:
            last = session.scalars(sa.select(sa.func.max(Attachment.id))).one()
        return f"/c/{case}/paper/{last}"

    return paper


def test_another_department_finds_neither_the_case_nor_its_photo(
    someone: Any, case: str, paper: Any, csrf: Any, engine: Engine
) -> None:
    address = paper(PNG)
    visitor = someone("sales_director")
    assert visitor.get(f"/c/{case}").status_code == 404
    assert visitor.get(address).status_code == 404
    for target in ("paper", "deed/progressed"):
        sent = {"csrf_token": csrf(), "progressed-text": "x", "progressed-seen": "2"}
        assert visitor.post(f"/c/{case}/{target}", data=sent).status_code == 404
    assert case not in visitor.get("/c/").text
    assert found(engine, case)[2] == ["a.bin.png"]


def test_a_picture_opens_and_anything_else_is_saved_and_neither_may_do_anything(
    someone: Any, paper: Any
) -> None:
    for content, media_type, way in ((PNG, "image/png", "inline"), (PDF, "application/pdf", "att")):
        with someone("mechanic").get(paper(content, "现场.html")) as answer:
            assert (answer.data, answer.mimetype) == (content, media_type)
        assert answer.headers["Content-Disposition"].startswith(way)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].endswith("; sandbox")
        assert "script" not in answer.headers["Content-Security-Policy"]
        assert "private" in answer.headers["Cache-Control"]


def test_the_photo_of_one_case_is_not_found_below_another(
    someone: Any, case: str, paper: Any, at_work: Any
) -> None:
    address = paper(PNG)
    with at_work() as office:
        other = begun(office).number
    assert someone("mechanic").get(address.replace(case, other)).status_code == 404


def test_the_auditor_reads_and_adds_nothing(someone: Any, case: str, paper: Any, csrf: Any) -> None:
    address = paper(PNG)
    visitor = someone("auditor")
    page = visitor.get(f"/c/{case}")
    assert page.status_code == 200
    with visitor.get(address) as picture:
        assert picture.data == PNG
    assert "添加到案件" not in page.text
    assert "13800000001" not in page.text
    assert visitor.post(f"/c/{case}/paper", data={"csrf_token": csrf()}).status_code == 403


def test_the_number_to_ring_goes_with_the_case_and_goes_away_when_it_is_closed(
    someone: Any, at_work: Any
) -> None:
    with at_work() as office:
        number = begun(office).number
    for name, rings in (("mechanic", True), ("specialist", True), ("general_manager", False)):
        assert ("tel:13800000001" in someone(name).get(f"/c/{number}").text) is rings, name
    with at_work() as office:
        complaint = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        office.reply(complaint, yesterday(14))
        office.confirm(complaint, yesterday(15))
        office.call(complaint, now=yesterday(16))
        office.sign(complaint, yesterday(17))
    for name in ("mechanic", "specialist"):
        page = someone(name).get(f"/c/{number}")
        assert page.status_code == 200
        assert "13800000001" not in page.text


def test_a_restarted_case_says_what_the_customer_said(someone: Any, at_work: Any) -> None:
    with at_work() as office:
        complaint = begun(office)
        office.reply(complaint, yesterday(14))
        office.confirm(complaint, yesterday(15))
        office.call(
            complaint,
            Satisfaction.dissatisfied,
            now=yesterday(16),
            asks_more=True,
            text="还是有异响",
        )
        number = complaint.number
    page = someone("mechanic").get(f"/c/{number}").text
    assert "第 2 轮" in page
    assert "还是有异响" in page


def test_the_page_shows_no_way_to_add_to_a_withdrawn_case(
    someone: Any, at_work: Any, csrf: Any, engine: Engine
) -> None:
    with at_work() as office:
        complaint = office.registered(received_at=yesterday(9), now=yesterday(10))
        correcting.withdraw(
            office.session,
            complaint,
            target=1,
            reason="试录",
            actor=office.administrator,
            now=yesterday(11),
        )
        number = complaint.number
    visitor = someone("specialist")
    assert "添加到案件" not in visitor.get(f"/c/{number}").text
    sent = {"csrf_token": csrf(), "papers": (BytesIO(PNG), "a.png")}
    answer = visitor.post(f"/c/{number}/paper", data=sent, follow_redirects=True)
    assert "不能“添加照片或文件”" in answer.text
    assert found(engine, number)[2] == []
