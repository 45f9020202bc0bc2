"""Whoever looks after the files, at the window: sees, decides, pauses and undoes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine

from database import reading
from enums import ProblemKind, Resolution
from models import WorkbookProblem, WorkbookRow
from tests import filed
from tests.browser.windows import PHONE, fill

pytestmark = pytest.mark.browser

TOO_WIDE = "() => document.scrollingElement.scrollWidth > window.innerWidth"


@pytest.fixture(autouse=True)
def week(at_work: Any) -> None:
    """A week's files, committed."""
    with at_work() as office:
        filed.busy_week(office)


def opened(page: Page, name: str) -> Page:
    """The page of a file, reached through the list as a person does."""
    page.goto("/admin/sheet/")
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    return page


def card(page: Page, words: str) -> Locator:
    """The card of a problem by words of its head."""
    return page.locator("article.problem").filter(has_text=words)


def choice_of(engine: Engine, kind: ProblemKind) -> Resolution | None:
    with reading(engine) as session:
        return session.scalars(
            sa.select(WorkbookProblem.choice).where(WorkbookProblem.kind == kind)
        ).one()


def test_a_conflict_is_decided_with_both_sides_before_one_s_eyes(
    visit: Any, engine: Engine
) -> None:
    page = opened(visit("care_director"), "售后部投诉表")
    conflict = card(page, "结果说明")
    expect(conflict.locator(".side")).to_have_text(
        [
            re.compile("上次一致.*更换前轮轴承", re.DOTALL),
            re.compile("系统现在.*已试车，异响消除", re.DOTALL),
            re.compile("表格中.*等待客户试车", re.DOTALL),
        ]
    )
    expect(conflict.locator("mark").nth(1)).to_have_text("后")
    conflict.get_by_role("button", name="以表格为准").click()
    expect(page.get_by_role("status")).to_contain_text("已决定")
    expect(card(page, "结果说明")).to_contain_text("关爱总监甲")
    expect(card(page, "结果说明").get_by_role("button")).to_have_count(0)
    assert choice_of(engine, ProblemKind.conflict) is Resolution.sheet


def test_the_list_leads_to_the_problem_itself(visit: Any) -> None:
    page = visit("administrator")
    page.goto("/admin/sheet/")
    page.locator(".waits a").filter(has_text="发现副本").click()
    expect(page).to_have_url(re.compile(r"/admin/sheet/\d+/#problem-\d+$"))
    expect(card(page, "售后部投诉表(2).xlsx")).to_be_in_viewport()


def test_restoring_a_file_asks_before_it_is_done(visit: Any, engine: Engine) -> None:
    page = opened(visit("administrator"), "配件部投诉表")
    restore = card(page, "只有部分列被排序").get_by_role("button", name="还原表格")
    restore.click()
    page.get_by_role("button", name="取消").click()
    assert choice_of(engine, ProblemKind.structure) is None
    restore.click()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("status")).to_contain_text("已决定")
    assert choice_of(engine, ProblemKind.structure) is Resolution.undo


def test_a_file_is_paused_and_goes_on(visit: Any) -> None:
    page = opened(visit("administrator"), "售后部投诉表")
    page.get_by_role("button", name="暂停").click()
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".sheet-state")).to_contain_text("管理员 暂停了这份表格")
    page.get_by_role("button", name="恢复").click()
    expect(page.locator(".sheet-state")).to_contain_text("同步正常")
    expect(page.locator(".sheet-state")).to_contain_text("已请求检查")


def test_a_pass_is_undone_after_a_preview(visit: Any, engine: Engine) -> None:
    page = opened(visit("administrator"), "售后部投诉表")
    page.get_by_role("link", name="第 41 次").click()
    page.get_by_role("button", name=re.compile("撤销本次")).click()
    preview = page.locator(".undone > li")
    expect(preview).to_contain_text("更换轴承")
    expect(preview).to_contain_text("待确认 → 处理中")
    page.get_by_role("button", name="撤销这次同步").click()
    expect(page.locator(".field-wrong")).to_be_visible()
    fill(page, {"撤销原因": "粘贴错行"})
    page.get_by_role("button", name="撤销这次同步").click()
    expect(page.get_by_role("status")).to_contain_text("已撤销")
    expect(page.locator("main")).to_contain_text("已由 管理员 于")
    with reading(engine) as session:
        refused = [row.refused for row in session.scalars(sa.select(WorkbookRow)) if row.refused]
    assert refused == [{"outcome": "已解决", "answer": "更换轴承"}]


def test_the_layout_is_changed_in_a_form(visit: Any) -> None:
    page = visit("administrator")
    page.goto("/admin/sheet_tab/")
    page.get_by_role("link", name="已结").click()
    page.get_by_label("已存档").uncheck()
    fill(page, {"关闭后保留天数": "30"})
    page.get_by_role("button", name="保存").click()
    row = page.get_by_role("row").filter(has_text="已结")
    expect(row).to_contain_text("30")
    expect(row).not_to_contain_text("已存档")


def test_every_page_about_the_files_fits_a_phone(visit: Any) -> None:
    page = visit("administrator", **PHONE)
    page.goto("/admin/sheet/")
    links = page.eval_on_selector_all("main a[href]", "all => all.map(one => one.href)")
    addresses = {re.sub("#.*", "", one) for one in links if "/sheet/" in one}
    assert len(addresses) == 6
    first = opened(page, "售后部投诉表").url
    layout = {"/admin/sheet_tab/", "/admin/sheet_column/", "/admin/sheet_column/new/"}
    for address in addresses | layout | {first + "passes/", first + "pass/41/"}:
        page.goto(address)
        assert not page.evaluate(TOO_WIDE), address
    page.goto(first + "pass/41/")
    page.get_by_role("button", name=re.compile("撤销本次")).click()
    expect(page.locator("form.undo")).to_be_visible()
    assert not page.evaluate(TOO_WIDE)
