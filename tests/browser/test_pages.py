"""Every page of every role, in the demo company: whole, in the reader's language, and narrow."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from pydantic import SecretStr
from sqlalchemy import Engine

from config import Settings
from database import make_engine, reading, upgrade, writing
from enums import Role
from models import Complaint, Department, Penalty, Policy, User
from tests.serving import Live, made, served
from wording import LANGUAGES

# The demo company takes a while to tell, so one process asks everything of it.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages of the demo")]

PASSWORD = "correct horse battery"
ROLES = [role.value for role in Role if role is not Role.administrator] + ["admin"]
OF_ONE_KIND = {"complaint.case": 2, "complaint.index_view": 2, "penalty.one": 2}
"""How many pages of a route somebody opens; of any other, one."""
FILE = re.compile(r"/export/|/(csv|xlsx)(/|\?|$)|/policy/\d+/file")
NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 860}
LATIN = re.compile(
    r"Redress|SKODA|English|CSV|Excel|XLSX|CSC|DISS|RBO|SKD[-\w.]*|(TS|FX|BY|HF|YJ)(\d+|\{[^，]+\})|[Aa]dmin"
    r"|[一二三]\.[A-Z]{2}\.\d|Human Touch|ABC"  # numbers and words of the text itself
    r"|TOML|[a-z]+(-[a-z]+)+"  # the keys of the shipped regulations
    r"|(wecombot|dingtalk|feishu|json)://[a-z@/]+"
)
"""What stays in Latin letters on a Chinese page: names and codes."""
SHOWN = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (parent && !parent.closest('script, style, textarea')) {
      found.push(walk.currentNode.textContent.trim());
    }
  }
  for (const one of document.querySelectorAll('[placeholder], [title], [aria-label], [alt]')) {
    for (const name of ['placeholder', 'title', 'aria-label', 'alt']) {
      found.push((one.getAttribute(name) || '').trim());
    }
  }
  found.push(document.title);
  return [...new Set(found)].filter(Boolean);
}"""
"""Every text of a page, what stands in attributes included."""

TOO_WIDE = """() => {
  const page = document.scrollingElement;
  if (page.scrollWidth <= window.innerWidth) { return []; }
  const over = [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1);
  return over.slice(0, 4).map(one => `<${one.tagName.toLowerCase()} class="${one.className}">`);
}"""
"""What reaches over the right edge, when the page scrolls sideways."""


COVERED = """() => {
  const boxes = [...document.querySelectorAll('main .card')].filter(one => one.offsetParent);
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const found = [];
  boxes.forEach((one, i) => boxes.slice(i + 1).forEach(other => {
    if (one.contains(other) || other.contains(one)) { return; }
    if (over(one.getBoundingClientRect(), other.getBoundingClientRect())) {
      found.push(`${one.innerText.slice(0, 12)} / ${other.innerText.slice(0, 12)}`);
    }
  }));
  return found;
}"""
"""Cards that lie on one another."""


# ---------------------------------------------------------------- one demo company for all


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the demo company."""
    home = tmp_path_factory.mktemp("demo")
    return Settings(home=home, admin_password=SecretStr(PASSWORD))


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    """The demo company as `make run` finds it; everybody has the administrator's password."""
    upgrade(settings)
    with made(settings) as app:
        told = app.test_cli_runner().invoke(args=["demo"])
        assert told.exception is None, told.output
    engine = make_engine(settings)
    with writing(engine) as session:
        first = session.scalars(sa.select(User).where(User.username == "admin")).one()
        session.execute(sa.update(User).values(password_hash=first.password_hash))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def app(settings: Settings, engine: Engine) -> Iterator[Flask]:
    """The application on the demo company."""
    with made(settings) as app:
        yield app


@pytest.fixture(scope="module")
def live(app: Flask, engine: Engine) -> Iterator[Live]:
    """One server for every test here; they only read."""
    with served(app, engine) as live:
        yield live


# ---------------------------------------------------------------- walking through


class Walk:
    """From the home page along every link, a few pages of each kind."""

    def __init__(self, app: Flask) -> None:
        self.addresses = app.url_map.bind("localhost")
        self.visits: Counter[str] = Counter(["admin.index", "start"])
        self.ahead = ["/admin/"]
        self.seen: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        """The addresses to open; tell `note` what links each page has."""
        while self.ahead:
            yield self.ahead.pop(0)

    def note(self, links: Iterable[str]) -> None:
        """Go along those links that lead to something new."""
        for link in links:
            kind = self._kind(link)
            if link not in self.seen and self.visits[kind] < OF_ONE_KIND.get(kind, 1):
                self.seen.add(link)
                self.visits[kind] += 1
                self.ahead.append(link)

    def _kind(self, link: str) -> str:
        """The route a link leads to; each kind of file is one of its own."""
        endpoint, values = self.addresses.match(link.partition("?")[0], method="GET")
        return f"{endpoint} {values}" if "export" in endpoint else str(endpoint)


def links_at(page: Page) -> list[str]:
    """The links of an open page that lead to pages; files are opened without a browser."""
    hrefs = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    parts = [urlsplit(href) for href in hrefs if not FILE.search(href)]
    pages = [one for one in parts if one.scheme != "tel"]
    return [one.path + ("?" + one.query if one.query else "") for one in pages]


def links_in(html: str) -> list[str]:
    """The links of a page's text."""
    return [unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)"', html)]


@pytest.fixture(scope="module")
def keys(engine: Engine) -> set[str]:
    """Names of accounts and keys that the company itself chose."""
    with reading(engine) as session:
        columns = (User.username, Department.key, Policy.key)
        return {key for column in columns for key in session.scalars(sa.select(column))}


def _says_english(texts: list[str], keys: set[str]) -> list[str]:
    """The texts that hold a word of Latin letters that is no name and no code."""
    said = [text for text in texts if text.partition(" · ")[0] not in keys]
    return [text for text in said if re.search(r"[A-Za-z]{2,}", LATIN.sub(" ", text))]


@pytest.mark.parametrize("username", ROLES)
def test_every_page_of_a_role_is_whole_chinese_and_fits_a_phone(
    username: str, visit: Any, app: Flask, keys: set[str]
) -> None:
    page = visit(username)
    found: list[str] = []
    walk = Walk(app)
    for path in walk:
        page.goto(path)
        walk.note(links_at(page))
        found += [f"{path} says {text}" for text in _says_english(page.evaluate(SHOWN), keys)]
        found += [f"{path} has cards on cards: {two}" for two in page.evaluate(COVERED)]
        page.set_viewport_size(NARROW)
        found += [f"{path} is too wide: {part}" for part in page.evaluate(TOO_WIDE)]
        page.set_viewport_size(WIDE)
    assert not found, "\n".join(found)


# ---------------------------------------------------------------- without a browser


@pytest.mark.parametrize("username", ROLES)
def test_every_page_and_file_of_a_role_opens_in_english(
    username: str, client: FlaskClient, log_in: Any, app: Flask
) -> None:
    log_in(_role(username), username=username)
    client.set_cookie("lang", "en")
    walk = Walk(app)
    for path in walk:
        answer = client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        if answer.mimetype == "text/html":
            assert ('lang="en"' in answer.text, "%(" in answer.text) == (True, False), path
            walk.note(links_in(answer.text))
    assert walk.visits["policy.version"] == 1


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_case_and_every_penalty_opens_in_both_languages(
    language: str, client: FlaskClient, log_in: Any, engine: Engine
) -> None:
    log_in(Role.care, username="care_director")
    client.set_cookie("lang", language)
    with reading(engine) as session:
        cases = [f"complaint/{number}" for number in session.scalars(sa.select(Complaint.number))]
        penalties = [f"penalty/{id_}" for id_ in session.scalars(sa.select(Penalty.id))]
    assert len(cases) > 20
    for path in cases + penalties:
        answer = client.get(f"/admin/{path}/")
        assert (answer.status_code, "%(" in answer.text) == (200, False), path


def _role(username: str) -> Role:
    return Role.administrator if username == "admin" else Role(username)
