"""A department's file on a day on which everything happens to it.

Six cases stand in it, each with a note in a column and a tab that belong to the people who work
there. LibreOffice does to the file what a test says; then the mirror looks, and `ends_right` asks
what has to be true after every bad day.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Engine

import wording
from config import Settings
from database import make_engine, reading, writing
from enums import Audience, CellDeed, ProblemKind, Resolution
from models import Complaint, Customer, Journal, Notice, WorkbookChange, WorkbookProblem
from services.workbooks import layout, resolutions
from sync.mirror import case_cells
from sync.mirror.look import LookOutcome
from sync.workbook.atomic_replace import fingerprint_at
from tests import company
from tests.company import at
from tests.sync.calc import Answer, Calc, OpenBook, Step, step
from tests.sync.folder import AFTER_SALES, LANGUAGE, ZONE, Files, header, outcome, title

OPEN = "在办"
ID = "id"
OWN_COLUMN, OWN_TAB = "我的备注", "我的统计"
STORIES = {
    "异响": "王先生",
    "漏油": "李女士",
    "漆面划伤": "赵先生",
    "等配件太久": "陈女士",
    "空调不制冷": "孙先生",
    "刹车偏软": "周女士",
}
"""What customers complain of, and who they are."""
FIELDS = [
    name
    for name in layout.TABS[Audience.department, "open"][2].split()
    if name not in ("uid", "hint", layout.EXTRAS)
]
"""What each row says of its case."""
FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH = range(6)


def on(do: str, **what: Any) -> Step:
    """A step on the tab of open cases; `row` is a case number, `field` one of our columns."""
    for name in ("field", "by_field", "before_field"):
        if name in what:
            place = name.removesuffix("_field")
            what["column" if place == "field" else place] = header(what.pop(name))
    return step(do, OPEN, **what)


# ---------------------------------------------------------------- the morning


@dataclass(frozen=True)
class Morning:
    """A company whose file came to rest, to be copied: the home and the numbers of the cases."""

    home: Path
    numbers: tuple[str, ...]


def begin(home: Path, calc: Calc) -> Morning:
    """Six cases in the file of after-sales, and what people added to it."""
    settings = Settings(home=home, demo=False)
    company.build(settings)
    engine = make_engine(settings)
    files = Files(engine, home)
    with files.office() as office:
        numbers = []
        for place, (story, who) in enumerate(STORIES.items()):
            customer = Customer(name=who, phone=f"1380013800{place}")
            office.session.add(customer)
            heard = at(9, 28, 9, place)
            said = {"subject": story, "body": story, "customer": customer, "received_at": heard}
            complaint = office.registered(**said)
            office.dispatch(complaint, at(9, 28, 10, place % 3))
            numbers.append(complaint.number)
    files.settle()
    calc.edit(files.path(), _own(numbers))
    files.settle()
    engine.dispose()
    return Morning(home, tuple(numbers))


def _own(numbers: Iterable[str]) -> list[Step]:
    """A column of notes, one for each case, and a tab that counts."""
    notes = [on("own_column", header=OWN_COLUMN, fill="x")]
    notes += [on("type", row=n, column=OWN_COLUMN, text=_note(n)) for n in numbers]
    cells = {"A1": f"=COUNTA({OPEN}!B2:B200)", "A2": "别动我"}
    return [*notes, step("add_tab", OPEN, title=OWN_TAB, cells=cells)]


def _note(number: str) -> str:
    return f"备注 {number}"


# ---------------------------------------------------------------- the day


@dataclass
class Day:
    """The file, LibreOffice, and what the record says."""

    files: Files
    calc: Calc
    numbers: tuple[str, ...]
    seen: list[LookOutcome] = field(default_factory=list)
    known: tuple[str | None, Workbook] | None = None

    @classmethod
    def after(cls, morning: Morning, folder: Path, settings: Settings, calc: Calc) -> Day:
        """A day of its own after a morning."""
        settings.home.mkdir(parents=True, exist_ok=True)
        for name in ("sheets", "kept"):
            shutil.copytree(morning.home / name, folder / name)
        source = Settings(home=morning.home, demo=False)
        target = Path(str(settings.url.database))
        shutil.copyfile(str(source.url.database), target)
        files = Files(make_engine(settings), folder, now=at(9, 28, 11))
        day = cls(files, calc, morning.numbers)
        day.rest()
        return day

    @property
    def path(self) -> Path:
        return self.files.path()

    @property
    def engine(self) -> Engine:
        return self.files.engine

    # ------------------------------------------------ what people do

    def edit(self, *steps: Step) -> list[Answer]:
        """Somebody opens the file in LibreOffice, does the steps and saves it a minute later."""
        answers = self.calc.edit(self.path, steps)
        refused = [one for one in answers if one["refused"]]
        assert refused == []
        self.saved()
        return answers

    def saved(self) -> dt.datetime:
        """The file was saved now, by the clock of the day."""
        self.files.tick(60)
        stamp = self.files.now.timestamp()
        for path in (self.path, *self.path.parent.glob(".~lock.*#")):
            os.utime(path, (stamp, stamp))
        return self.files.now

    @contextmanager
    def open(self) -> Iterator[OpenBook]:
        with self.calc.open(self.path) as book:
            yield book

    def answer(self, place: int, text: str = "已修好") -> list[Step]:
        """The steps that type an answer into a case's row."""
        row = self.numbers[place]
        return [
            on("type", row=row, field="handler", text="2005"),
            on("type", row=row, field="outcome", text=outcome("solved")),
            on("type", row=row, field="answer", text=text),
        ]

    def choose(self, choice: Resolution, code: str) -> None:
        """An administrator settles the open problem of that code."""
        with writing(self.engine) as session:
            problem = session.scalars(
                sa.select(WorkbookProblem).where(
                    WorkbookProblem.code == code, WorkbookProblem.settled_at.is_(None)
                )
            ).one()
            resolutions.choose(session, problem, choice, user_id=None, now=self.files.now)

    def confirm(self, place: int) -> None:
        """The director confirms an answer on his page."""
        with self.files.office() as office:
            complaint = office.session.scalars(_case(self.numbers[place])).one()
            office.confirm(complaint, self.files.now)

    # ------------------------------------------------ what the mirror does

    def look(self) -> LookOutcome:
        self.seen.append(self.files.look())
        return self.seen[-1]

    def rest(self) -> list[LookOutcome]:
        """Look until nothing happens any more; how each look ended."""
        self.seen = self.files.settle()
        return self.seen

    # ------------------------------------------------ what is true now

    def events(self, place: int) -> list[str]:
        """What happened to a case in the department's file, in order."""
        with reading(self.engine) as session:
            rows = (
                sa.select(Journal.event)
                .join(Complaint, Complaint.id == Journal.complaint_id)
                .where(Complaint.number == self.numbers[place])
                .where(Journal.event.not_in(("registered", "dispatched")))
                .order_by(Journal.seq)
            )
            return list(session.scalars(rows))

    def case(self, place: int) -> Complaint:
        with reading(self.engine) as session:
            return session.scalars(_case(self.numbers[place])).one()

    def lines(self) -> dict[int, dict[str, str]]:
        """What the rows of the file say, by their number and then by header."""
        sheet = self.sheet()
        heads = {cell.column: _head(cell.value) for cell in sheet[1] if cell.value is not None}
        found = {}
        for line, cells in enumerate(sheet.iter_rows(min_row=2), start=2):
            said = {heads[c.column]: text for c in cells if c.column in heads if (text := shown(c))}
            if said:
                found[line] = said
        return found

    def row(self, place: int) -> dict[str, str]:
        """What the file says of a case, by header."""
        return self.lines()[self.line(place)]

    def line(self, place: int) -> int:
        """The first row of a case."""
        number = self.numbers[place]
        return next(n for n, said in self.lines().items() if said.get(header("number")) == number)

    def letter(self, name: str) -> str:
        """The letters of a field's column, by its header."""
        (found,) = [c.column_letter for c in self.sheet()[1] if c.value == header(name)]
        return str(found)

    def said(self, place: int, *names: str) -> tuple[str, ...]:
        """Some fields of a case's row."""
        row = self.row(place)
        return tuple(row.get(header(name), "") for name in names)

    def hint(self, place: int) -> str:
        return self.said(place, "hint")[0]

    def hidden_rows(self) -> list[int]:
        """The rows of cases that a filter hides."""
        rows = self.sheet().row_dimensions
        return [number for number in self.lines() if rows[number].hidden]

    def column(self, name: str) -> list[str]:
        """What a field says, from above."""
        return [said.get(header(name), "") for said in self.lines().values()]

    def order(self) -> list[str]:
        """The customers from above."""
        return self.column("customer")

    def deeds(self, what: CellDeed) -> list[WorkbookChange]:
        """What passes did of a kind since the morning."""
        return [one for one in self.files.changes() if one.what is what]

    def problems(self, kind: ProblemKind | None = None) -> list[WorkbookProblem]:
        return [one for one in self.files.problems() if kind in (None, one.kind)]

    def notices(self, kind: str) -> list[Notice]:
        with reading(self.engine) as session:
            return list(session.scalars(sa.select(Notice).where(Notice.kind == kind)))

    def kept(self) -> list[Path]:
        """The copies of the file that we keep."""
        return sorted((self.files.folder / "kept" / AFTER_SALES).iterdir())

    @property
    def book(self) -> Workbook:
        """The file as it stands; read once while it stands so."""
        fingerprint = fingerprint_at(self.path)
        if self.known is None or self.known[0] != fingerprint:
            self.known = (fingerprint, openpyxl.load_workbook(self.path))
        return self.known[1]

    def sheet(self) -> Worksheet:
        found = self.book[title("open")]
        assert isinstance(found, Worksheet)
        return found

    # ------------------------------------------------ what must be true after every day

    def ends_right(
        self, *, untouched: Iterable[tuple[int, str]] = (), without_note: Iterable[int] = ()
    ) -> None:
        """The file says what the record says, people's own cells stand, and nothing more happens.

        `untouched` are cells of ours, by case and field, that are left as somebody typed them;
        `without_note` are cases whose row somebody deleted together with his note.
        """
        self.stays()
        lines = self.lines()
        self.says_the_record(lines, untouched)
        self.own_stands(lines, without_note)
        self.still_dressed()

    def stays(self) -> None:
        """Two further looks change nothing, neither the file nor the record."""
        before = self.path.read_bytes(), self._events()
        assert [self.look(), self.look()] == [LookOutcome.quiet, LookOutcome.quiet]
        assert (self.path.read_bytes(), self._events()) == before

    def _events(self) -> int:
        with reading(self.engine) as session:
            return int(session.scalar(sa.select(sa.func.count()).select_from(Journal)) or 0)

    def says_the_record(
        self, lines: dict[int, dict[str, str]], untouched: Iterable[tuple[int, str]] = ()
    ) -> None:
        """Each open case has one row, and every cell of ours says what the record says."""
        rows = [one for one in lines.values() if one.get(header("number")) in self.numbers]
        assert sorted(row[header("number")] for row in rows) == sorted(self.numbers)
        left = {(self.numbers[place], name) for place, name in untouched}
        record = self._record()
        for row in rows:
            number = row[header("number")]
            for name in FIELDS:
                if (number, name) not in left:
                    text = row.get(header(name))
                    assert (number, name, text) == (number, name, record[number].get(name))

    def _record(self) -> dict[str, dict[str, str]]:
        with reading(self.engine) as session, wording.speaking(LANGUAGE, ZONE):
            ids = session.scalars(
                sa.select(Complaint.id).where(Complaint.number.in_(self.numbers))
            ).all()
            return {said["number"]: said for said in case_cells.texts(session, ids).values()}

    def own_stands(
        self, lines: dict[int, dict[str, str]], without_note: Iterable[int] = ()
    ) -> None:
        """Notes stand beside their cases, and the tab that nobody of ours made still counts."""
        gone = {self.numbers[place] for place in without_note}
        notes = {one.get(header("number")): one.get(OWN_COLUMN) for one in lines.values()}
        for number in self.numbers:
            assert notes[number] == (None if number in gone else _note(number))
        own = self.book[OWN_TAB]
        assert own["A2"].value == "别动我"
        assert str(own["A1"].value).startswith("=COUNTA(")

    def still_dressed(self) -> None:
        """The ids are hidden, colours follow their rules, and the lists offer their choices."""
        sheet = self.sheet()
        heads = enumerate(sheet[1], start=1)
        (mark,) = [at for at, cell in heads if str(cell.value).startswith("redress/open/")]
        assert sheet.column_dimensions[get_column_letter(mark)].hidden
        assert len(sheet.conditional_formatting) > 0
        lists = [str(one.formula1) for one in sheet.data_validations.dataValidation]
        assert any(outcome("solved") in one for one in lists)


def _case(number: str) -> sa.Select[Complaint]:
    return sa.select(Complaint).where(Complaint.number == number)


def _head(said: object) -> str:
    """A header; that of the hidden column is another one after each pass."""
    return ID if str(said).startswith("redress/") else str(said)


def words(say: Callable[..., str], *what: Any, **more: Any) -> str:
    """What Redress says, in the language of the file."""
    with wording.speaking(LANGUAGE, ZONE):
        return say(*what, **more)


def shown(cell: Any) -> str:
    """A cell as somebody reads it; a link shows its text."""
    if isinstance(cell.value, dt.datetime):
        return f"{cell.value:%Y-%m-%d %H:%M}"
    text = "" if cell.value is None else str(cell.value)
    if text.startswith("=HYPERLINK("):
        return text.rsplit(',"', 1)[-1].removesuffix('")').replace('""', '"')
    return text
