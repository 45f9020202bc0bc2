"""The company's files on a folder, looked at by the mirror and edited by people.

`Files` has a clock of its own: `tick` lets time pass, `look` is one look of the worker by a mirror
that remembers nothing, as after a restart. `Hands` are somebody who opens a file, types and saves.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import sqlalchemy as sa
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Engine

import wording
from database import reading, writing
from models import Workbook, WorkbookChange, WorkbookProblem
from services.workbooks import layout
from sync.mirror import tab_layout
from sync.mirror.look import LookOutcome, Mirror
from sync.port import TabLayout
from sync.workbook.adapter import WorkbookFile
from tests.company import Office, at
from wording import workbook_text

ZONE = ZoneInfo("Asia/Shanghai")
LANGUAGE = "zh_Hans_CN"
ADDRESS = "http://redress.test"
AFTER_SALES = "after_sales"


def header(name: str) -> str:
    """What stands above a field's column."""
    with wording.speaking(LANGUAGE, ZONE):
        return workbook_text.column_header(name)


def title(key: str) -> str:
    """What a tab is called."""
    with wording.speaking(LANGUAGE, ZONE):
        return workbook_text.tab_title(key)


def outcome(key: str) -> str:
    """The label of a result."""
    with wording.speaking(LANGUAGE, ZONE):
        return workbook_text.reply_outcomes()[key]


@dataclass
class Files:
    """Every file of the company, in a folder of the test."""

    engine: Engine
    folder: Path
    now: dt.datetime = field(default_factory=lambda: at(9, 28, 10, 5))
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "sheets").mkdir(parents=True, exist_ok=True)
        with self.office() as office, wording.speaking(LANGUAGE, ZONE):
            layout.add_missing_tabs(
                office.session, title=workbook_text.tab_title, header=workbook_text.column_header
            )
            layout.add_missing_workbooks(
                office.session,
                on=self.now.date(),
                years=[self.now.year],
                name=lambda one: one.department.key if one.department else "payroll",
            )
            rows = office.session.execute(sa.select(Workbook.name, Workbook.id))
            self.ids = dict(rows.all())

    @contextmanager
    def office(self) -> Iterator[Office]:
        """The company at work, committed at the end."""
        with writing(self.engine) as session:
            yield Office(session)

    def tick(self, seconds: float = 8) -> None:
        """Let time pass."""
        self.now += dt.timedelta(seconds=seconds)

    def path(self, name: str = AFTER_SALES) -> Path:
        return self.folder / "sheets" / f"{name}.xlsx"

    def mirror(self, name: str = AFTER_SALES) -> Mirror:
        """A mirror that has just been started."""
        kept = self.folder / "kept" / name
        kept.mkdir(parents=True, exist_ok=True)
        return Mirror(
            reading=partial(reading, self.engine),
            writing=partial(writing, self.engine),
            port=WorkbookFile(self.path(name)),
            workbook_id=self.ids[name],
            kept=kept,
            zone=ZONE,
            language=LANGUAGE,
            address=ADDRESS,
            clock=lambda: self.now,
        )

    def mirror_tabs(self, name: str = AFTER_SALES) -> Sequence[TabLayout]:
        """The tabs of a file as its mirror reads them."""
        with reading(self.engine) as session, wording.speaking(LANGUAGE, ZONE):
            workbook = session.get_one(Workbook, self.ids[name])
            return tab_layout.of(session, workbook, on=self.now.astimezone(ZONE).date())

    def look(self, name: str = AFTER_SALES) -> LookOutcome:
        """One look, eight seconds after whatever was before."""
        self.tick()
        return self.mirror(name).look()

    def settle(self, name: str = AFTER_SALES, *, most: int = 8) -> list[LookOutcome]:
        """Look until there is nothing to do; how each look ended."""
        seen: list[LookOutcome] = []
        for _ in range(most):
            seen.append(self.look(name))
            if seen[-1] in (LookOutcome.quiet, LookOutcome.stopped, LookOutcome.paused):
                return seen
        raise AssertionError(f"the file never came to rest: {seen}")

    def hands(self, name: str = AFTER_SALES) -> Hands:
        """Somebody who opens the file now."""
        return Hands(self, self.path(name))

    def rows(self, name: str = AFTER_SALES, tab: str = "open") -> dict[str, dict[str, str]]:
        """What the file says of each case, by its number: header and text."""
        return self.hands(name).rows(tab)

    def changes(self, name: str = AFTER_SALES) -> list[WorkbookChange]:
        with reading(self.engine) as session:
            rows = sa.select(WorkbookChange).where(WorkbookChange.sheet_id == self.ids[name])
            return list(session.scalars(rows.order_by(WorkbookChange.id)))

    def problems(self, name: str = AFTER_SALES) -> list[WorkbookProblem]:
        """What is not settled."""
        with reading(self.engine) as session:
            rows = sa.select(WorkbookProblem).where(
                WorkbookProblem.sheet_id == self.ids[name], WorkbookProblem.settled_at.is_(None)
            )
            return list(session.scalars(rows.order_by(WorkbookProblem.id)))


class Hands:
    """Somebody with a file open: what he sees is what stood in it when he opened it."""

    def __init__(self, files: Files, path: Path) -> None:
        self.files, self.path = files, path
        self.book = openpyxl.load_workbook(path)

    def tab(self, key: str = "open") -> Worksheet:
        found = self.book[title(key)]
        assert isinstance(found, Worksheet)
        return found

    def column(self, name: str, tab: str = "open") -> int:
        """The column of a field, by its header."""
        for cell in self.tab(tab)[1]:
            if cell.value == header(name):
                return int(cell.column or 0)
        raise LookupError(name)

    def line(self, number: str, tab: str = "open") -> int:
        """The line of a case, by its number."""
        place = self.column("number", tab)
        for row in range(2, self.tab(tab).max_row + 1):
            if _text(self.tab(tab).cell(row, place).value) == number:
                return row
        raise LookupError(number)

    def type(self, number: str, **said: Any) -> None:
        """Type into cells of a case's row, by field."""
        row = self.line(number)
        for name, value in said.items():
            self.tab().cell(row, self.column(name)).value = value

    def add_row(self, **said: Any) -> int:
        """Type a new row below the others; its line."""
        row = self.tab().max_row + 1
        for name, value in said.items():
            self.tab().cell(row, self.column(name)).value = value
        return row

    def save(self, *, at: dt.datetime | None = None, to: Path | None = None) -> None:
        """Save it, now by the clock of the files."""
        path = to or self.path
        self._compute()
        self.book.save(path)
        stamp = (at or self.files.now).timestamp()
        os.utime(path, (stamp, stamp))

    def _compute(self) -> None:
        """Keep what the links say: openpyxl saves a formula without the value it had."""
        for tab in self.book:
            for row in tab.iter_rows():
                for cell in row:
                    if str(cell.value).startswith("=HYPERLINK("):
                        cell.value = _text(cell.value)

    def rows(self, tab: str = "open") -> dict[str, dict[str, str]]:
        sheet = self.tab(tab)
        headers = [cell.value for cell in sheet[1]]
        found: dict[str, dict[str, str]] = {}
        for line in sheet.iter_rows(min_row=2, values_only=True):
            said = {str(h): _text(v) for h, v in zip(headers, line, strict=False) if v is not None}
            if header("number") in said:
                found[said[header("number")]] = said
        return found


def _text(value: Any) -> str:
    """A cell as somebody reads it; a link shows its text."""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    text = "" if value is None else str(value)
    if text.startswith("=HYPERLINK("):
        return text.rsplit(',"', 1)[-1].removesuffix('")').replace('""', '"')
    return text


def cells(row: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """Some fields of a row that `rows` gave."""
    return tuple(row.get(header(name), "") for name in names)
