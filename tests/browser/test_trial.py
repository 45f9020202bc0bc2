"""Trying a regulation in a real browser: a case from lists, at a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from config import ROOT
from enums import Role

EXAMPLE = ROOT / "docs" / "examples" / "unhappy-customer.toml"


def _begin(page: Page, enter: Callable[..., None]) -> None:
    """A case registered and handed over, by choosing from lists."""
    enter(page, Role.administrator, username="boss")
    page.goto("/admin/trial/")
    page.click('button[value="choose:registered"]')
    page.fill("[name=step-at]", "2026-03-02T09:00")
    page.select_option("[name=step-by]", "care_specialist")
    page.select_option("[name=step-category]", "quality")
    page.fill("[name=step-subject]", "发动机异响")
    page.click("footer button[value=add]")
    page.click('button[value="choose:dispatched"]')
    page.fill("[name=step-at]", "2026-03-02T10:00")
    page.select_option("[name=step-by]", "care_specialist")
    page.select_option("[name=step-department]", "after_sales")
    page.click("footer button[value=add]")


def test_a_case_is_played_until_a_term_runs_out(page: Page, enter: Callable[..., None]) -> None:
    _begin(page, enter)
    expect(page.locator(".trial-step")).to_have_count(2)
    page.click(".trial-run-out")
    expect(page.locator(".trial-standing")).to_contain_text("¥200")
    expect(page.locator("#trial-text")).to_have_value(re.compile("time_passed"))


def test_the_same_is_done_on_a_phone_and_nothing_reaches_over_its_edge(
    phone: Page, enter: Callable[..., None]
) -> None:
    _begin(phone, enter)
    expect(phone.locator(".trial-standing")).to_contain_text("2026-03-05 10:00")
    wide = phone.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def test_enter_adds_the_step_and_a_file_is_gone_on_with(
    page: Page, enter: Callable[..., None]
) -> None:
    enter(page, Role.administrator, username="boss")
    page.goto("/admin/trial/")
    page.click(".trial-file summary")
    page.set_input_files("[name=file]", EXAMPLE)
    page.click("button[value=load]")
    expect(page.locator(".trial-step")).to_have_count(8)
    page.click("button[value=adopt]")
    page.click('button[value="choose:contacted"]')
    page.select_option("[name=step-by]", "wang")
    page.press("[name=step-at]", "Enter")
    expect(page.locator(".trial-step")).to_have_count(9)
