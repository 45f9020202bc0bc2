"""An administrator who writes no code brings in a new regulation, and a department works by it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from config import Settings, make_home
from database import reading
from enums import Role
from models import Complaint, Department, PolicyVersion, User, Workbook
from policy.vocabulary.status import Status
from services.company import actors, people
from services.regulation import drafts, policies
from tests.browser.test_regulation_editing import look as check_drafts
from tests.browser.windows import fill, input_of, stands
from tests.company import ZONE, Office
from worker.workbooks import Mirrors

pytestmark = pytest.mark.browser

CLAUSE = "1"
ANSWER = "已更换电机，客户认可"


def staff(office: Office) -> None:
    """The department of the new regulation, its head, and who answers its cases."""
    service = people.add_department(office.session, key="service", name="服务部")
    for name in ("director", "mechanic"):
        office.employee(name).department = service
    head = office.employee("director")
    people.hold_post(office.session, head, "service_director", from_on=dt.date(2020, 1, 1))


def add(page: Page, section: str, key: str, label: str, **said: Any) -> None:
    """Add an entry to the draft: what its inputs are called, and what goes into them."""
    page.goto(re.sub(r"/admin/.*", f"/admin/draft/{_id(page)}/add/{section}", page.url))
    for name, value in {"key": key, "label": label, "cite": CLAUSE, **said}.items():
        _put(page, name.replace("__", "-"), value)
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")


def _id(page: Page) -> str:
    """The draft that is being written, by the address of the page."""
    found = re.search(r"/draft/(\d+)/", page.url)
    assert found, page.url
    return found.group(1)


def _put(page: Page, name: str, value: Any) -> None:
    """Choose, tick or type into the input of that name."""
    inputs = page.locator(f'[name="{name}"]')
    if isinstance(value, list):
        for one in value:
            inputs.and_(page.locator(f'[value="{one}"]')).evaluate(_UNFOLD)
            inputs.and_(page.locator(f'[value="{one}"]')).check()
    elif isinstance(value, bool):
        inputs.set_checked(value)
    elif inputs.evaluate("one => one.tagName") == "SELECT":
        inputs.select_option(value)
    else:
        inputs.fill(str(value))


_UNFOLD = (
    "one => { for (let e = one; e; e = e.parentElement) { if (e.open === false) e.open = true } }"
)


def draft(page: Page) -> None:
    """The regulation: a second kind, a field, a form, two more deadlines, two penalties."""
    page.goto("/admin/draft/")
    page.get_by_label(re.compile("从最简模板开始")).check()
    fill(page, {"制度名称": "三包处理制度", "代码": "warranty"})
    page.get_by_role("button", name="开始起草").click()
    page.get_by_role("link", name="全部规则").click()
    add(page, "number", "repair", "返修编号", template="FX{year}{serial:3}", resets="year")
    add(page, "kind", "repair", "返修", number="repair")
    add(page, "field", "motor", "电机型号", shape="text")
    rows: dict[str, Any] = {"fields__0__key": "cause", "fields__0__label": "故障原因"}
    rows |= {"fields__0__shape": "text", "fields__0__required": True}
    add(page, "form", "diagnosis", "故障诊断单", **rows)
    add(
        page,
        "deadline",
        "handover",
        "转办",
        starts_on=["registered"],
        met_by=["dispatched"],
        within__amount="2",
        within__unit="hour",
    )
    form = {"met_if__0__field": "event.form", "met_if__0__op": "is"}
    add(
        page,
        "deadline",
        "diagnose",
        "诊断",
        starts_on=["dispatched"],
        met_by=["filled"],
        within__amount="1",
        within__unit="working_day",
        met_if__0__value="diagnosis",
        **form,
    )
    late = {"who": "responsible", "per": "order"}
    add(page, "penalty", "late", "逾期办结", breach_of="close", amount="100", **late)
    hand = {"who": "named", "per": "time"}
    add(page, "penalty", "rude", "态度恶劣", amount="50", **hand)


def say_who_fines(office: Office, draft_id: int) -> None:
    """Give what is done about fines to a post: a draft that leaves it to anybody is refused."""
    user = office.session.scalars(sa.select(User).where(User.role == Role.administrator)).first()
    assert user is not None
    deeds = ["judged", *(f"penalty_{deed}" for deed in ("confirmed", "waived", "notified"))]
    said = {"key": "fines", "label": "处罚", "cite": "1", "by": ["service_director"]}
    drafts.add_entry(
        office.session,
        office.session.get_one(PolicyVersion, draft_id),
        "signoff",
        data={**said, "event": [*deeds, "penalty_reversed"]},
        actor=actors.of_user(user),
        now=dt.datetime.now(dt.UTC),
    )


def try_case(page: Page, draft_id: str) -> None:
    """Play a case under the draft before it is published."""
    page.goto(f"/admin/trial/?version_id={draft_id}")
    page.click('button[value="choose:registered"]')
    page.fill("[name=step-at]", "2026-03-02T09:00")
    page.select_option("[name=step-kind]", "repair")
    page.fill("[name=step-subject]", "电机不转")
    page.click("footer button[value=add]")
    expect(page.locator(".trial-standing")).to_contain_text("2026-03-02 11:00")


def publish(page: Page, visit: Any, settings: Settings, draft_id: str) -> None:
    """Have it checked, approved by somebody else, and put in force from today."""
    page.goto(f"/admin/draft/{draft_id}/check")
    page.get_by_role("button", name="推演全部状态和示例").click()
    check_drafts(settings)
    page.reload()
    expect(page.locator("main")).to_contain_text("检查通过")
    manager = visit("general_manager")
    manager.goto(f"/admin/policy/{draft_id}")
    manager.get_by_role("button", name="批准草稿").click()
    manager.locator("dialog .button-danger").click()
    expect(manager.get_by_role("status")).to_contain_text("已批准")
    page.goto(f"/admin/draft/{draft_id}/publish")
    today = dt.datetime.now(ZONE).date().isoformat()
    fill(page, {"生效日期": today, "向员工公示日期": today, "公示凭证": "公告 2026-16"})
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_role("status")).to_contain_text("已发布")


def register(page: Page) -> str:
    """Register a case of the new kind with the new field and hand it over; its number."""
    page.goto("/admin/complaint/register/")
    fill(page, {"客户": "赵先生", "电话": "13900002222", "主题": "电机不转"})
    page.get_by_role("button", name="三包处理制度").click()
    expect(input_of(page, "主题")).to_have_value("电机不转")
    fill(
        page, {"类型": "返修", "内容": "用了三天就不转", "电机型号": "YX-3", "立即转办至": "服务部"}
    )
    page.get_by_role("button", name="登记受理", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("FX")
    found = re.search(r"FX\d+", page.title())
    assert found
    return found.group()


def answer_in_file(path: Path, number: str) -> None:
    """Somebody of the department opens its workbook, types the answer, and saves it."""
    book = openpyxl.load_workbook(path)
    tab = book["在办"]
    heads = {str(cell.value): cell.column for cell in tab[1] if cell.value}
    line = next(
        row
        for row in range(2, tab.max_row + 1)
        if number in str(tab.cell(row, heads["案号"]).value)
    )
    assert tab.cell(line, heads["电机型号"]).value == "YX-3"
    assert tab.cell(line, heads["故障诊断单 · 故障原因"]).value == "轴承卡死"
    typed = {"处理人": "2005", "处理结果": "已解决", "结果说明": ANSWER}
    for name, text in typed.items():
        tab.cell(line, heads[name]).value = text
    book.save(path)


def show_cause_in_files(page: Page) -> None:
    """Let the departments' files show what the form asks for: a column chosen from a list."""
    page.goto("/admin/sheet_column/new/")
    tabs = page.locator("select[name=field] optgroup").filter(has_text="故障诊断单")
    (label,) = [
        text for text in tabs.evaluate_all("all => all.map(one => one.label)") if "在办" in text
    ]
    option = page.locator(f'optgroup[label="{label}"] option', has_text="故障诊断单 · 故障原因")
    page.locator("select[name=field]").select_option(option.first.get_attribute("value"))
    page.locator("form .button-primary").last.click()
    expect(page.locator("main")).to_contain_text("故障诊断单 · 故障原因")


def test_a_new_regulation_is_written_tried_published_and_worked_by(
    visit: Any, at_work: Any, engine: Engine, settings: Settings
) -> None:
    make_home(settings)
    with at_work() as office:
        staff(office)
    page = visit("administrator")
    draft(page)
    draft_id = _id(page)
    with at_work() as office:
        say_who_fines(office, int(draft_id))
    try_case(page, draft_id)
    publish(page, visit, settings, draft_id)
    with reading(engine) as session:
        on = dt.datetime.now(ZONE).date()
        pack = policies.pack(session, policies.in_force(session, "warranty", on=on))
        assert (len(pack.kind), len(pack.deadline), len(pack.penalty)) == (2, 3, 2)

    mirrors = Mirrors(engine, settings, "test")
    mirrors.look()
    show_cause_in_files(page)
    desk = visit("specialist")
    number = register(desk)
    stands(desk, "返修")

    mechanic = visit("mechanic")
    mechanic.goto(f"/admin/complaint/{number}/")
    mechanic.get_by_role("button", name="填写表单").click()
    dialog = mechanic.get_by_role("dialog", name=re.compile("故障诊断单"))
    fill(dialog, {"故障原因": "轴承卡死"})
    dialog.get_by_role("button", name="填写表单", exact=True).click()
    expect(mechanic.locator("main")).to_contain_text("已填 1 次")

    mirrors.look()
    with reading(engine) as session:
        own = sa.select(Workbook.name).join(Workbook.department).where(Department.key == "service")
        name = session.scalars(own).one()
    answer_in_file(mirrors.path(name), number)
    for _ in range(3):  # a group of cells becomes a deed once a second look sees it unchanged
        mirrors.look()
    with reading(engine) as session:
        complaint = session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()
        assert complaint.status is Status.replied
    desk.reload()
    expect(desk.locator("main")).to_contain_text(ANSWER)
