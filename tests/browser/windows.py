"""What people do at a window: find an input by its label, fill a form, press a button."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.company import ZONE

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
"""A window on a phone, as options of `visit`."""


def input_of(place: Page | Locator, label: str) -> Locator:
    """The input of that label; the star of a needed field belongs to no name."""
    return place.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$"))


def fill(place: Page | Locator, said: dict[str, str | bool]) -> None:
    """Type, choose or tick: whatever the input of each label is for."""
    for label, value in said.items():
        field = input_of(place, label)
        if isinstance(value, bool):
            field.set_checked(value)
        elif field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)


def do(page: Page, deed: str, **said: str | bool) -> None:
    """Press the deed's button, fill its form, send it, and read that it is done."""
    send(page, deed, **said)
    expect(page.get_by_role("status")).to_contain_text(f"已完成：{deed}")


def send(page: Page, deed: str, **said: str | bool) -> None:
    """Press the deed's button, fill its form and send it."""
    page.get_by_role("button", name=deed, exact=True).click()
    dialog = page.get_by_role("dialog", name=deed)
    fill(dialog, said)
    dialog.get_by_role("button", name=deed, exact=True).click()


def open_waiting(page: Page, number: str, deed: str) -> None:
    """Go home, see that the case waits there for that deed, and open it."""
    page.goto("/admin/")
    row = page.get_by_role("row").filter(has_text=number).filter(has_text=deed)
    row.get_by_role("link", name=number).click()
    expect(page).to_have_title(re.compile(number))


def stands(page: Page, status: str) -> None:
    """The head of the case's page says so."""
    expect(page.locator("main")).to_contain_text(status)


def local(at: dt.datetime) -> str:
    """What somebody types into an input of date and time."""
    return at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
