"""An administrator who writes no code changes a regulation; somebody else stands behind it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from config import Settings
from database import reading
from services.company import people
from services.regulation import policies
from tests.browser.windows import PHONE, fill, input_of
from tests.company import REGULATION, Office
from worker.chores import make_worker
from worker.jobs import check_drafts
from worker.loop import Chore

pytestmark = pytest.mark.browser


def hold_every_post(office: Office) -> None:
    """Let the care specialist hold the posts of the regulation that nobody holds."""
    for post in people.posts(office.session):
        if not office.holdings(post):
            person = office.employee("specialist")
            people.hold_post(office.session, person, post, from_on=dt.date(2020, 1, 1))


def look(settings: Settings) -> None:
    """What the worker does about the checks that were asked for."""
    chore = Chore("drafts", 1, check_drafts)
    worker = make_worker(settings, (chore,))
    assert worker.take_turn(chore)
    worker.engine.dispose()


def number(page: Page, words: str) -> Any:
    """The row of a number in the table."""
    return page.locator("tr.number-row").filter(has_text=words)


def test_an_amount_is_changed_in_the_table_approved_by_another_and_published(
    visit: Any, at_work: Any, engine: Engine, settings: Settings
) -> None:
    with at_work() as office:
        hold_every_post(office)
    page = visit("administrator")
    page.get_by_role("link", name="制度", exact=True).first.click()
    page.get_by_role("link", name="第 1 版").click()
    page.get_by_role("button", name="以此新建草稿").click()
    page.get_by_role("link", name="编辑草稿").click()
    page.get_by_role("searchbox").fill("SKD-3.2.2b")
    late = number(page, "逾期未关闭或提报")
    expect(late).to_contain_text("¥200")
    late.get_by_role("textbox").fill("250")
    expect(page.locator(".save-bar")).to_contain_text("本页已改： 1")
    page.get_by_role("button", name="保存草稿").click()
    expect(number(page, "逾期未关闭或提报")).to_contain_text("已改")

    page.get_by_role("link", name="检查").click()
    page.get_by_role("button", name="推演全部状态和示例").click()
    expect(page.locator("main")).to_contain_text("页面会自动刷新")
    look(settings)
    page.reload()
    expect(page.locator("main")).to_contain_text("检查通过")
    expect(page.locator("main")).to_contain_text("结果有变的示例")
    page.get_by_role("link", name="返回").click()
    expect(page.locator(".steps")).to_contain_text("您参与了起草")

    manager = visit("general_manager", **PHONE)
    manager.goto(page.url)
    manager.get_by_role("button", name="批准草稿").click()
    manager.locator("dialog .button-danger").click()
    expect(manager.get_by_role("status")).to_contain_text("已批准")

    page.reload()
    page.locator(".steps").get_by_role("link", name="发布").click()
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    fill(
        page,
        {
            "生效日期": today.isoformat(),
            "向员工公示日期": today.isoformat(),
            "公示凭证": "公告 2026-15",
        },
    )
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_role("status")).to_contain_text("已发布")
    page.get_by_role("link", name="与第 1 版对比").click()
    expect(page.locator("ins")).to_have_text("¥250")
    with reading(engine) as session:
        version = policies.in_force(session, REGULATION, on=today)
        assert version.number == 2
        assert policies.pack(session, version).find("penalty", "late_close").amount == 250


def test_a_rule_is_written_with_conditions_chosen_from_lists(visit: Any) -> None:
    page = visit("administrator")
    page.goto("/admin/draft/")
    page.get_by_label(re.compile("从最简模板开始")).check()
    fill(page, {"制度名称": "三包处理制度", "代码": "warranty"})
    page.get_by_role("button", name="开始起草").click()
    page.get_by_role("link", name="全部规则").click()
    page.get_by_role("link", name="新增一条").click()
    fill(page, {"代码": "phone_reply", "名称": "电话投诉答复", "条款": "1 总则"})
    for name in ("开始于", "完成标志"):
        picks = page.locator(".field").filter(has_text=name).filter(has=page.locator(".picks"))
        picks.get_by_text("选择其他").click()
        deed = "转办" if name == "开始于" else "确认回复"
        picks.get_by_label(deed, exact=True).check()
    page.locator('input[name="within-amount"]').fill("2")
    page.locator('select[name="within-unit"]').select_option(label="个工作日")
    page.locator('select[name="applies-0-field"]').select_option(label="来源")
    value = page.locator('input[name="applies-0-value"]')
    expect(value).to_have_attribute("list", "values-channel")
    value.fill("电话")
    applies = page.locator(".field").filter(has_text="适用条件")
    applies.get_by_role("button", name="增加一行").click()
    page.locator('select[name="applies-1-field"]').select_option(label="轮次")
    page.locator('select[name="applies-1-op"]').select_option(label="不少于")
    page.locator('input[name="applies-1-value"]').fill("两")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.locator(".field-wrong")).to_contain_text("“两”不是数字")
    expect(input_of(page, "名称")).to_have_value("电话投诉答复")
    page.locator('input[name="applies-1-value"]').fill("2")
    page.get_by_role("button", name="保存草稿").click()
    rule = page.locator(".rule").filter(has_text="电话投诉答复")
    expect(rule).to_contain_text("来源 为 电话 且 轮次")
    expect(rule).to_contain_text("2 个工作日")
