"""The table of CONTRIBUTING.md in a browser: cells changed in place, rows picked and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.admin.kit.recipe import add_table

pytestmark = pytest.mark.browser


@pytest.fixture
def names(app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """`names()`: the brands that are stored; at first three."""
    brand = add_table(app, monkeypatch)
    with Session(engine) as session:
        session.add_all(brand(name=name) for name in ("Škoda", "Audi", "Seat"))
        session.commit()

    def names() -> set[str]:
        with Session(engine) as session:
            return set(session.scalars(sa.select(brand.name)))

    return names


def open_cell(page: Page, name: str) -> Locator:
    """Unfold the cell of a brand's name; the input in it."""
    page.goto("/admin/brand/")
    row = page.locator("tbody tr").filter(has=page.get_by_role("link", name=name, exact=True))
    row.locator("details.cell summary").click()
    return row.locator(".cell-form input.input")


def test_a_cell_is_saved_in_its_place(
    names: Callable[[], set[str]], visit: Callable[..., Page]
) -> None:
    page = visit("administrator")
    box = open_cell(page, "Audi")
    expect(box).to_be_focused()
    box.fill("AUDI")
    box.press("Enter")
    expect(page.get_by_role("link", name="AUDI", exact=True)).to_be_visible()
    expect(page.locator("details.cell[open]")).to_have_count(0)
    assert names() == {"Škoda", "AUDI", "Seat"}


def test_a_refused_cell_keeps_what_was_typed_and_says_why(
    names: Callable[[], set[str]], visit: Callable[..., Page], problems: list[str]
) -> None:
    page = visit("administrator")
    box = open_cell(page, "Audi")
    box.fill("Seat")
    box.press("Enter")
    expect(page.locator("[data-refusal]:visible")).not_to_be_empty()
    expect(box).to_have_value("Seat")
    assert [one for one in problems if "409" not in one] == []
    problems.clear()
    box.fill("Cupra")
    box.press("Enter")
    expect(page.get_by_role("link", name="Cupra", exact=True)).to_be_visible()
    assert names() == {"Škoda", "Cupra", "Seat"}


def test_a_cell_is_saved_without_scripts_too(
    names: Callable[[], set[str]], visit: Callable[..., Page]
) -> None:
    page = visit("administrator", java_script_enabled=False)
    box = open_cell(page, "Audi")
    box.fill("AUDI")
    box.press("Enter")
    expect(page.get_by_role("link", name="AUDI", exact=True)).to_be_visible()
    box = open_cell(page, "AUDI")
    box.fill("Seat")
    box.press("Enter")
    expect(page.locator("#name")).to_have_value("Seat")
    expect(page.locator("#name-error")).to_be_visible()
    page.locator("#name").fill("Cupra")
    page.locator("form.form .button-primary").click()
    expect(page.get_by_role("link", name="Cupra", exact=True)).to_be_visible()
    assert names() == {"Škoda", "Cupra", "Seat"}


def test_rows_are_picked_for_a_deed_that_asks_and_one_is_deleted(
    names: Callable[[], set[str]], visit: Callable[..., Page]
) -> None:
    page = visit("administrator")
    page.goto("/admin/brand/")
    bar: Any = page.locator("[data-batch-bar]")
    expect(bar).to_be_hidden()
    for number in (0, 1):
        page.locator("tbody input[name=rowid]").nth(number).check()
    expect(bar.locator("[data-picked]")).to_have_text("2")
    bar.locator("button[value=delete]").click()
    page.locator("dialog .button-danger").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert len(names()) == 1
    page.locator(".row-deletion summary").click()
    page.locator(".row-deletion .button-danger").click()
    expect(page.locator("tbody tr")).to_have_count(0)
    assert names() == set()
