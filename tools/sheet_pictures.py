"""Pictures of the departments' files: a morning's work in one of them, and how a tab looks.

The work is done as people do it: the file is opened, cells are typed into, it is saved, and the
mirror looks. A tab is drawn by LibreOffice, from a copy that keeps only the columns to be shown.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import openpyxl
import sqlalchemy as sa
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy.orm import Session

import database
import wording
from config import Settings
from models import Complaint, Department, Workbook
from policy.vocabulary.status import ReplyOutcome, Status
from services.cases import handling
from services.company import actors
from sync.mirror.look import LookOutcome
from wording import workbook_text
from worker.workbooks import Mirrors

DEPARTMENT = "workshop"
A3, DPI, MARGIN, WHITE = 8, 112, 10, b"\xff\xff\xff"
LINE_PT, NARROWER = 15.5, 1.2
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <match target="pattern">
    <test name="family"><string>Microsoft YaHei</string></test>
    <edit name="family" mode="assign" binding="strong"><string>Noto Sans CJK SC</string></edit>
  </match>
</fontconfig>
"""
"""The font of the files is not everywhere; the nearest free one is drawn in its place."""


class Book:
    """A department's file, opened by somebody who types by case number and field."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = openpyxl.load_workbook(path)
        tab = self.book[workbook_text.tab_title("open")]
        assert isinstance(tab, Worksheet)
        self.tab = tab
        self.columns = {str(head.value): column for column, head in enumerate(tab[1], start=1)}

    def type(self, line: int, said: Mapping[str, str]) -> None:
        """Type texts into the cells of a line, by field."""
        for name, text in said.items():
            self.tab.cell(line, self.columns[workbook_text.column_header(name)]).value = text

    def line(self, number: str) -> int:
        """The line of a case."""
        place = self.columns[workbook_text.column_header("number")]
        for line in range(2, self.tab.max_row + 1):
            if number in str(self.tab.cell(line, place).value):
                return line
        raise LookupError(number)

    def save(self) -> None:
        """Save and close it."""
        self.book.save(self.path)


def a_morning(settings: Settings) -> Path:
    """Let a department work in its file until every input is answered; the file."""
    engine = database.make_engine(settings)
    mirrors = Mirrors(engine, settings, "pictures")
    with wording.speaking(settings.language, settings.zone):
        _rest(mirrors)
        with database.reading(engine) as session:
            named = sa.select(Workbook.name).where(Workbook.department.has(key=DEPARTMENT))
            path = mirrors.path(session.scalars(named).one())
        _type(Book(path), engine)
        _rest(mirrors)
    return path


def _rest(mirrors: Mirrors) -> None:
    """Look at the files until there is nothing left to do."""
    for _ in range(8):
        if set(mirrors.look().values()) == {LookOutcome.quiet}:
            return
    raise RuntimeError("the files never came to rest")


def _type(book: Book, engine: sa.Engine) -> None:
    """An answer, a name nobody has, a grey cell, a new complaint, and one cell typed twice."""
    with database.writing(engine) as session:
        first, second, third = _waiting(session)
        number = session.scalars(_cases().where(Complaint.status == Status.replied)).first()
        _tell(session, second)
    solved = workbook_text.reply_outcomes()[ReplyOutcome.solved.value]
    typed: dict[str, dict[str, str]] = {
        first: {"outcome": solved, "answer": "更换转向拉杆球头并路试，异响消除"},
        second: {"progress": "客户周四下午送车，当天完工"},
        third: {"handler": "刘师傅", "progress": "已订氧传感器，后天到货"},
    }
    if number is not None:
        typed[number] = {"due_at": "月底"}
    for case, said in typed.items():
        book.type(book.line(case), said)
    new = {"customer": "程女士", "phone": "13800000417", "body": "空调修后两天又不制冷"}
    book.type(book.tab.max_row + 1, new)
    book.save()


def _cases() -> sa.Select[Any]:
    at = sa.select(Complaint.number).join(Department, Department.id == Complaint.department_id)
    return at.where(Department.key == DEPARTMENT).order_by(Complaint.due_at, Complaint.id)


def _waiting(session: Session) -> list[str]:
    """Three cases that wait for the department; those somebody handles come first."""
    waits = _cases().where(Complaint.status == Status.dispatched)
    found = session.scalars(waits.order_by(None).order_by(Complaint.handler_id.is_(None))).all()
    return list(found)[:3]


def _tell(session: Session, number: str) -> None:
    """Let the handler write by telephone what another person types in the file meanwhile."""
    complaint = session.scalars(sa.select(Complaint).where(Complaint.number == number)).one()
    handler = complaint.handler
    assert handler is not None
    handling.progress(
        session,
        complaint,
        text="客户改约周五上午送车",
        actor=actors.of_employee(handler),
        now=dt.datetime.now(dt.UTC),
    )


# ---------------------------------------------------------------- how a tab looks


def draw(path: Path, key: str, until: str, *, picture: Path, zone: str) -> None:
    """Draw a tab of a file from its first visible column to the field `until`, as a PNG."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _only(path, key, until, copy=folder / "tab.xlsx")
        (folder / "fonts.conf").write_text(FONTS, encoding="utf-8")
        env = {**os.environ, "TZ": zone, "FONTCONFIG_FILE": str(folder / "fonts.conf")}
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        making = ["--headless", "--convert-to", "pdf", "--outdir", name, str(folder / "tab.xlsx")]
        _run([_program("soffice"), profile, *making], env)
        paper = [_program("pdftoppm"), "-r", str(DPI), "-f", "1", "-l", "1", "-singlefile"]
        _run([*paper, str(folder / "tab.pdf"), str(folder / "whole")], env)
        cut = _printed(folder / "whole.ppm")
        _run([*paper, "-png", *cut, str(folder / "tab.pdf"), str(picture.with_suffix(""))], env)


def _only(path: Path, key: str, until: str, *, copy: Path) -> None:
    """A copy that prints nothing but the columns to be shown, as wide as the paper."""
    book = openpyxl.load_workbook(path)
    tab = book[workbook_text.tab_title(key)]
    assert isinstance(tab, Worksheet)
    for other in book:
        other.sheet_state = "visible" if other is tab else "hidden"
    book.active = book.index(tab)
    heads = [head.value for head in tab[1]]
    shown = get_column_letter(heads.index(workbook_text.column_header(until)) + 1)
    rows = enumerate(tab.iter_rows(values_only=True), start=1)
    filled = [line for line, values in rows if any(values[1:])]
    for number in range(2, max(filled) + 1):
        tab.row_dimensions[number].height = LINE_PT * _lines(tab, number)
    tab.print_area = f"B1:{shown}{max(filled)}"
    tab.page_setup.paperSize = A3
    tab.HeaderFooter.oddFooter = HeaderFooterItem()
    book.save(copy)


def _lines(tab: Worksheet, number: int) -> int:
    """How many lines a row needs. Excel and WPS see to that themselves, this LibreOffice does not.

    A Chinese character is nearly as wide as two others.
    """
    needed = 1
    for column, cell in enumerate(tab[number], start=1):
        if cell.alignment.wrap_text and not str(cell.value).startswith("="):
            wide = sum(1 + (east_asian_width(sign) in "WF") for sign in str(cell.value or ""))
            holds = int(tab.column_dimensions[get_column_letter(column)].width * NARROWER)
            needed = max(needed, -(-wide // holds))
    return needed


def _printed(picture: Path) -> list[str]:
    """Where on a page something is printed, as the arguments that cut it out."""
    _format, size, _depth, pixels = picture.read_bytes().split(b"\n", 3)
    width = int(size.split()[0])
    lines = [pixels[at : at + 3 * width] for at in range(0, len(pixels), 3 * width)]
    inked = [(y, line) for y, line in enumerate(lines) if line.strip(WHITE)]
    left = min(len(line) - len(line.lstrip(WHITE)) for _y, line in inked) // 3
    right = max(len(line.rstrip(WHITE)) for _y, line in inked) // 3
    top, bottom = inked[0][0], inked[-1][0] + 1
    x, y = max(left - MARGIN, 0), max(top - MARGIN, 0)
    sizes = {"-x": x, "-y": y, "-W": right + MARGIN - x, "-H": bottom + MARGIN - y}
    return [part for name, count in sizes.items() for part in (name, str(count))]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        sys.exit(f"{name} is needed for pictures of spreadsheets and is not installed.")
    return found


def _run(command: list[str], env: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=dict(env), check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
