"""The pictures of the documentation, taken anew from the demo company: `make screenshots`.

A Redress of its own is made in a temporary folder, served, looked at with the system's Chromium
as the people of the demo company, and thrown away; before that one department has worked in its
spreadsheet for a while. The pictures are named page.language.png, and page.phone.language.png for
those on a phone.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

import database
import wording
from app import create_app
from config import ROOT, Settings
from demo.company import POLICY
from files.first_logins import first_logins
from models import Complaint, Journal, Penalty, PolicyVersion, User, Workbook
from policy.vocabulary.status import Status
from services.company import actors
from services.regulation import drafts
from tools import sheet_pictures

PICTURES = ROOT / "docs" / "pictures"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
TALL = {"case": 1240, "sheet-file": 1240, "numbers": 1000, "indicators": 1000}
"""The height of pictures that show more than a screen does."""
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}


@contextmanager
def demo_company() -> Iterator[tuple[Settings, str]]:
    """The settings and the address of a running Redress with the demo company."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        database.upgrade(settings)
        app = create_app(settings)
        told = app.test_cli_runner().invoke(args=["demo"])
        if told.exception is not None:
            raise told.exception
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield settings, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        sys.exit("Chromium is needed for pictures and is not installed.")
    # A browser shows dates the way its own language writes them, whatever the page speaks.
    arguments = ["--lang=zh-CN", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=arguments, env={**os.environ, "LANGUAGE": "zh_CN"}
        )
        yield browser
        browser.close()


def a_draft(settings: Settings) -> int:
    """The id of a draft in which two fines were raised and a post was misspelt."""
    now = dt.datetime.now(dt.UTC)
    with database.writing(database.make_engine(settings)) as session:
        by = actors.of_user(session.scalars(sa.select(User).where(User.username == "admin")).one())
        in_force = session.scalars(sa.select(PolicyVersion).order_by(PolicyVersion.id)).first()
        assert in_force is not None
        draft = drafts.begin_from(session, in_force, actor=by, now=now)
        fines = [r for r in draft.rules if r.section == "penalty" and r.data.get("amount")][:2]
        said = {r.id: r.data | {"amount": str(2 * Decimal(r.data["amount"]))} for r in fines}
        step = next(r for r in draft.rules if r.section == "chain")
        said[step.id] = step.data | {"steps": [*step.data["steps"], "genral_manager"]}
        drafts.change_entries(session, draft, said, actor=by, now=now)
        return draft.id


def subjects(settings: Settings) -> dict[str, str]:
    """The addresses of the pages to show: the fullest open case, one to answer, a penalty."""
    draft, told = a_draft(settings), sa.func.count(Journal.id)
    by_story = sa.select(Complaint.number).join(Journal).group_by(Complaint.id)
    mine = Complaint.department.has(key="after_sales")
    with database.reading(database.make_engine(settings)) as session:
        waits = by_story.where(Complaint.status.in_([Status.confirmed, Status.disputed]))
        fullest = session.scalars(waits.order_by(told.desc(), Complaint.id)).first()
        open_ = by_story.where(Complaint.status == Status.dispatched, mine)
        to_answer = session.scalars(open_.order_by(told.desc(), Complaint.id)).first()
        month = session.scalars(sa.select(sa.func.max(Penalty.month))).first()
        penalty = session.scalars(sa.select(Penalty.id).order_by(Penalty.id)).first()
        answered = sa.select(Complaint.number).where(
            Complaint.status == Status.replied,
            Complaint.department.has(key=sheet_pictures.DEPARTMENT),
        )
        to_confirm = session.scalars(answered.order_by(Complaint.id)).first()
        in_file = sa.select(Workbook.id).where(
            Workbook.department.has(key=sheet_pictures.DEPARTMENT)
        )
        file = session.scalars(in_file).one()
    return {
        "home": "/admin/",
        "cases": "/admin/complaint/",
        "case": f"/admin/complaint/{fullest}/",
        "answer": f"/admin/complaint/{to_answer}/",
        "register": "/admin/complaint/register/",
        "callbacks": "/admin/callback/",
        "penalty": f"/admin/penalty/{penalty}/",
        "month": f"/admin/month/?month={month or ''}",
        "policy": "/admin/policy/1",
        "calendar": "/admin/calendar/",
        "people": "/admin/employee/",
        "numbers": f"/admin/draft/{draft}/numbers",
        "check": f"/admin/draft/{draft}/check",
        "indicators": f"/admin/report/indicators/{POLICY}/",
        "sheet-file": f"/admin/sheet/{file}/",
        "phone": f"/c/{to_confirm}",
        "sheet-list": "/c/",
    }


ON_DESK = {
    "care_director": ("home", "cases", "case", "register", "callbacks"),
    "hr": ("penalty", "month", "calendar", "people"),
    "director": ("policy",),
    "general_manager": ("indicators",),
    "admin": ("sheet-file", "numbers", "check"),
}
ON_PHONE = {"director": ("home", "phone", "sheet-list"), "member": ("cases", "answer")}
TABS = {"open": "answer", "today": "body"}
"""The tabs of a file to be drawn, each up to the column named."""
IN_ENGLISH = frozenset({"home", "case"})


class Photographer:
    """Takes pictures of the demo company's pages."""

    def __init__(self, browser: Browser, url: str, settings: Settings) -> None:
        self.browser, self.url = browser, url
        self.passwords = first_logins(settings.home)
        self.addresses = subjects(settings)

    def take(self, plan: dict[str, tuple[str, ...]], language: str, screen: dict[str, Any]) -> None:
        """Log in as each user of the plan and photograph the pages named beside them."""
        phone = ".phone" if screen is PHONE else ""
        for username, pages in plan.items():
            window = self._window(username, language, screen)
            for name in pages:
                if screen is DESK:
                    window.set_viewport_size({"width": 1280, "height": TALL.get(name, 800)})
                window.goto(self.addresses[name])
                if name == "answer":
                    window.locator('[data-opens="deed-replied"]').click()
                window.screenshot(path=PICTURES / f"{name}{phone}.{language}.png")
            window.context.close()

    def _window(self, username: str, language: str, screen: dict[str, Any]) -> Page:
        context = self.browser.new_context(
            base_url=self.url,
            locale=LANGUAGES[language],
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            **screen,
        )
        window = context.new_page()
        window.goto("/login")
        if username == next(iter(ON_DESK)) and screen is DESK:
            window.screenshot(path=PICTURES / f"login.{language}.png")
        window.fill("#username", username)
        window.fill("#password", self.passwords[username])
        window.click("button[type=submit]")
        return window


def draw_tabs(path: Path, settings: Settings) -> None:
    """Draw the tabs of a department's file that the documentation shows."""
    with wording.speaking(settings.language, settings.zone):
        for key, until in TABS.items():
            picture = PICTURES / f"sheet-{key}.zh.png"
            sheet_pictures.draw(path, key, until, picture=picture, zone=str(settings.zone))


def main() -> None:
    """Take every picture anew."""
    PICTURES.mkdir(exist_ok=True)
    some = {user: tuple(p for p in pages if p in IN_ENGLISH) for user, pages in ON_DESK.items()}
    with demo_company() as (settings, url), chromium() as browser:
        draw_tabs(sheet_pictures.a_morning(settings), settings)
        photographer = Photographer(browser, url, settings)
        photographer.take(ON_DESK, "zh", DESK)
        photographer.take(ON_PHONE, "zh", PHONE)
        photographer.take({user: pages for user, pages in some.items() if pages}, "en", DESK)
    print(f"{len(list(PICTURES.glob('*.png')))} pictures are in {PICTURES.name}/.")


if __name__ == "__main__":
    main()
