"""Somebody with a department's file open, who does with it what people do with spreadsheets.

Every random choice comes from the `Random` that is handed in, so the same day can be lived again.
What a program like Excel would carry along when columns move or a tab is renamed (the hidden
names that point at header cells) is carried along here too.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.sync.folder import header, outcome

MARK = re.compile(r"〔\d+〕")
OWN_TAB = "我们的统计"
REMARK = "备注 "
OUR_TAB = "redress/open/"
GROUP = ("outcome", "answer", "until", "until_reason")
FIELDS = (
    *("number", "next_step", "due_at", "hint", "handler", "contacted_at", "progress"),
    *("outcome", "answer", "until", "until_reason", "confirmed", "grade", "channel"),
    *("received_at", "customer", "phone", "body", "demand", "round", "feedback"),
)
OFFICE = ("next_step", "due_at", "grade", "channel", "customer", "phone", "body", "round", "hint")
OURS = ("handler", "contacted_at", "progress", *GROUP)
NONSENSE: dict[str, Sequence[Any]] = {
    "handler": ("王小二", "9999", "mechanic (2006)", "=A1", "😀"),
    "contacted_at": ("昨天吧", "13月40日", "2031-01-01 10:00", "28/9", "#N/A"),
    "progress": ("=A1&B1", "😀👍🏽", "长" * 20000, "＝不是公式", " \n ", "=SUM(A1:A3)", "<b>&amp;"),
    "outcome": ("搞定", "=1+1", "已解决 ", "不知道", "0"),
    "answer": ("=B2", "长" * 20000, "'", "😀"),
    "until": ("后天", "2020-01-01", "2026/13/13", "32"),
    "until_reason": ("=1/0", "等配件" * 3000),
}


@dataclass
class Seen:
    """What stands in a saved file, read by another program than ours."""

    columns: dict[str, int]  # field -> column, by header; `uid` is the column of the mark
    lines: dict[int, dict[int, str]]  # below the header: row -> column -> text
    own: list[list[str]]  # the tab that is not ours
    title: str

    @property
    def marks(self) -> set[str]:
        """Every text of its own that a person typed and that still stands in our tab."""
        return {m for line in self.lines.values() for t in line.values() for m in MARK.findall(t)}

    def cell(self, row: int, name: str) -> str:
        return self.lines[row].get(self.columns.get(name, 0), "")

    def foreign(self, ours: set[int]) -> dict[tuple[int, int], str]:
        """Every cell outside some columns."""
        return {
            (row, column): text
            for row, line in self.lines.items()
            for column, text in line.items()
            if column not in ours
        }


def seen(path: Path) -> Seen | None:
    """A file as it stands; None where there is none or it is half written."""
    try:
        content = io.BytesIO(path.read_bytes())
        book = openpyxl.load_workbook(content, read_only=True)
    except Exception:
        return None
    try:
        sheet = tab_of(book)
        if sheet is None:
            return None
        columns: dict[str, int] = {}
        lines: dict[int, dict[int, str]] = {}
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            texts = {at: as_read(v) for at, v in enumerate(row, start=1) if v is not None}
            if number == 1:
                columns = _columns(texts)
            elif texts:
                lines[number] = texts
        own = [book[name] for name in book.sheetnames if name == OWN_TAB]
        said = [[as_read(v) for v in r] for tab in own for r in tab.iter_rows(values_only=True)]
        return Seen(columns, lines, said, sheet.title)
    finally:
        book.close()


def tab_of(book: Workbook) -> Any:
    """The tab of open cases, by its mark, whatever it is called by now."""
    for sheet in book.worksheets:
        for cells in sheet.iter_rows(min_row=1, max_row=1, values_only=True):
            if any(str(value or "").startswith(OUR_TAB) for value in cells):
                return sheet
    return None


def as_read(value: Any) -> str:
    """A cell as somebody reads it; a link shows its text."""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    text = "" if value is None else str(value)
    if text.startswith("=HYPERLINK("):
        return text.rsplit(',"', 1)[-1].removesuffix('")').replace('""', '"')
    return text


def _columns(texts: dict[int, str]) -> dict[str, int]:
    heads = {header(name): name for name in FIELDS}
    found: dict[str, int] = {}
    for at, text in texts.items():
        if text.startswith(OUR_TAB):
            found["uid"] = at
        elif text.strip() in heads:
            found.setdefault(heads[text.strip()], at)
    return found


Rows = list[list[Any]]


@dataclass
class Desk:
    """A file that somebody has open. `broken`: its rows are mixed up, so nobody can say whose
    text is whose; `remark` gives every text he types a mark of its own."""

    path: Path
    mark: Callable[[str | None, bool], str]
    spread: Callable[[set[str], bool], None]
    broken: bool = False
    book: Workbook = field(init=False)

    def __post_init__(self) -> None:
        self.book = openpyxl.load_workbook(self.path)

    @property
    def sheet(self) -> Worksheet:
        found = tab_of(self.book)
        assert isinstance(found, Worksheet)
        return found

    def columns(self) -> dict[str, int]:
        top = {cell.column: as_read(cell.value) for cell in self.sheet[1] if cell.value is not None}
        return _columns(top)

    def cases(self) -> list[tuple[int, str]]:
        """The rows that have a case number, and that number."""
        at = self.columns().get("number")
        if at is None:
            return []
        rows = range(2, self.sheet.max_row + 1)
        said = [(row, as_read(self.sheet.cell(row, at).value)) for row in rows]
        return [(row, number) for row, number in said if number]

    def put(self, row: int, name: str, value: Any) -> bool:
        at = self.columns().get(name)
        if at is None:
            return False
        self.sheet.cell(row, at).value = value
        return True

    def text(self, row: int, name: str) -> str:
        at = self.columns().get(name)
        return as_read(self.sheet.cell(row, at).value) if at else ""

    def new(self, number: str | None) -> str:
        return self.mark(number, self.broken)

    def save(self, now: dt.datetime, rng: Random) -> None:
        """Save: over the file, or, as some programs do, as another file that takes its name."""
        for sheet in self.book:
            for row in sheet.iter_rows():
                for cell in row:
                    if str(cell.value).startswith("=HYPERLINK("):
                        cell.value = as_read(cell.value)
        beside = rng.random() < 0.5
        place = self.path.with_name(".saving.tmp") if beside else self.path
        self.book.save(place)
        os.utime(place, (now.timestamp(), now.timestamp()))
        if beside:
            os.replace(place, self.path)

    # ------------------------------------------------------------ what he types

    def _row(self, rng: Random) -> tuple[int, str] | None:
        rows = self.cases()
        return rng.choice(rows) if rows else None

    def progress(self, rng: Random, now: dt.datetime) -> bool:
        found = self._row(rng)
        return bool(found and self.put(found[0], "progress", f"进展 {self.new(found[1])}"))

    def handler(self, rng: Random, now: dt.datetime) -> bool:
        found = self._row(rng)
        who = rng.choice(("2005", "2006", "mechanic", "colleague (2006)", "2001"))
        return bool(found and self.put(found[0], "handler", who))

    def contact(self, rng: Random, now: dt.datetime) -> bool:
        found = self._row(rng)
        when = now.replace(tzinfo=None, second=0) - dt.timedelta(minutes=rng.choice((0, 5, 600)))
        said = when if rng.random() < 0.5 else f"{when:%Y-%m-%d %H:%M}"
        return bool(found and self.put(found[0], "contacted_at", said))

    def answer(self, rng: Random, now: dt.datetime) -> bool:
        """The answer in one sitting, or only a part of what belongs to it."""
        found = self._row(rng)
        if found is None:
            return False
        row, number = found
        self._standing_again(row)
        kind = rng.choice(("solved", "solved", "extension", "raise_to_gm", "returned"))
        when = (now + dt.timedelta(days=rng.randrange(1, 9))).strftime("%Y-%m-%d %H:%M")
        said = {
            "outcome": outcome(kind),
            "answer": f"答复 {self.new(number)}",
            "handler": rng.choice(("2005", "2006")),
        }
        if kind == "extension":
            said |= {"until": when, "until_reason": f"原因 {self.new(number)}"}
        for name, value in said.items():
            if rng.random() < 0.85:
                self.put(row, name, value)
        return True

    def _standing_again(self, row: int) -> None:
        """Whatever stands in the cells of the answer may be said again with a new result."""
        standing = "".join(self.text(row, name) for name in GROUP)
        self.spread(set(MARK.findall(standing)), self.broken)

    def new_row(self, rng: Random, now: dt.datetime) -> bool:
        """A complaint the department heard itself; in one sitting, or first a part of it."""
        row = self.sheet.max_row + 1
        said: dict[str, Any] = {"customer": f"顾客{rng.randrange(90)}"}
        if rng.random() < 0.7:
            said["body"] = f"异响 {self.new(None)}"
        if rng.random() < 0.4:
            said["phone"] = rng.choice(("13800138000", 13912345678, "abc"))
        if rng.random() < 0.3:
            said["demand"] = f"要求 {self.new(None)}"
        if rng.random() < 0.2:
            said["progress"] = f"已电话 {self.new(None)}"
        if rng.random() < 0.1:
            said["received_at"] = "2031-01-01 10:00"
        for name, value in said.items():
            self.put(row, name, value)
        return True

    def finish_row(self, rng: Random, now: dt.datetime) -> bool:
        """What a typed row still lacks."""
        columns = self.columns()
        if not {"customer", "body", "number"} <= columns.keys():
            return False
        for row in range(2, self.sheet.max_row + 1):
            if self.text(row, "customer") and not self.text(row, "number"):
                return self.put(row, "body", f"补写 {self.new(None)}")
        return False

    def nonsense(self, rng: Random, now: dt.datetime) -> bool:
        found = self._row(rng)
        name = rng.choice(OURS)
        if found is None:
            return False
        value = rng.choice(NONSENSE[name])
        if name in GROUP:
            self._standing_again(found[0])
        if name in ("progress", "answer") and value[:1] in "长😀":
            value += self.new(found[1])
        return self.put(found[0], name, value)

    def office_cell(self, rng: Random, now: dt.datetime) -> bool:
        found = self._row(rng)
        return bool(found and self.put(found[0], rng.choice(OFFICE), f"改动 {self.new(found[1])}"))

    def clear(self, rng: Random, now: dt.datetime) -> bool:
        found = self._row(rng)
        return bool(found and self.put(found[0], rng.choice((*OURS, "hint", "body")), None))

    # ------------------------------------------------------------ what he does to the rows

    def _rows(self) -> Rows:
        rows = self.sheet.iter_rows(min_row=2, values_only=True)
        return [list(row) for row in rows]

    def _lay(self, rows: Rows) -> None:
        wide = max([self.sheet.max_column, *(len(row) for row in rows)])
        for number in range(2, max(self.sheet.max_row, len(rows) + 1) + 1):
            values = rows[number - 2] if number - 2 < len(rows) else []
            for at in range(1, wide + 1):
                self.sheet.cell(number, at).value = values[at - 1] if at <= len(values) else None

    def sort(self, rng: Random, now: dt.datetime) -> bool:
        """Whole rows by one column, up or down."""
        rows = self._rows()
        at = rng.randrange(self.sheet.max_column)
        rows.sort(key=lambda row: (row[at] is None, as_read(row[at])), reverse=rng.random() < 0.5)
        self._lay(rows)
        return True

    def half_sort(self, rng: Random, now: dt.datetime) -> bool:
        """Some columns without the others."""
        rows = self._rows()
        columns = rng.sample(range(self.sheet.max_column), rng.choice((1, 2, 5)))
        for at in columns:
            values = sorted((row[at] for row in rows), key=as_read, reverse=True)
            for row, value in zip(rows, values, strict=True):
                row[at] = value
        self._mixed()
        self._lay(rows)
        return True

    def _mixed(self) -> None:
        """From now on nobody can say whose text is whose in this copy."""
        self.broken = True
        texts = [as_read(v) for row in self._rows() for v in row]
        self.spread({m for t in texts for m in MARK.findall(t)}, True)

    def blank_rows(self, rng: Random, now: dt.datetime) -> bool:
        self.sheet.insert_rows(rng.randrange(2, self.sheet.max_row + 2), rng.choice((1, 2)))
        return True

    def delete_row(self, rng: Random, now: dt.datetime) -> bool:
        if found := self._row(rng):
            self.sheet.delete_rows(found[0])
        return bool(found)

    def copy_row(self, rng: Random, now: dt.datetime) -> bool:
        """A row again below; sometimes as the beginning of a new one, without id and number."""
        found = self._row(rng)
        if found is None:
            return False
        target = self.sheet.max_row + 1
        template = rng.random() < 0.3
        columns = self.columns()
        without = {columns.get(name) for name in ("uid", "number")} if template else set()
        values = [as_read(cell.value) for cell in self.sheet[found[0]]]
        self.spread({m for t in values for m in MARK.findall(t)}, self.broken or template)
        for column, cell in enumerate(list(self.sheet[found[0]]), start=1):
            if column not in without:
                self.sheet.cell(target, column).value = cell.value
        return True

    def spoil_id(self, rng: Random, now: dt.datetime) -> bool:
        """A row's hidden id is overwritten or cleared, sometimes its number with it."""
        at = self.columns().get("uid")
        rows = self.cases()
        if at is None or not rows:
            return False
        row, other = rng.choice(rows)[0], rng.choice(rows)[0]
        self._mixed()
        value = rng.choice((None, "R1-A", 17, self.sheet.cell(other, at).value))
        self.sheet.cell(row, at).value = value
        if rng.random() < 0.3:
            self.put(row, "number", rng.choice((None, self.text(other, "number"))))
        return True

    # ------------------------------------------------------------ what he does to the columns

    def _columns_anew(self, order: Sequence[int | None]) -> None:
        """Lay the columns in another order (None: a new one), names of headers following."""
        sheet = self.sheet
        whole = [list(row) for row in sheet.iter_rows(values_only=True)]
        last = sheet.max_column
        wide = max(last, len(order))
        for number, values in enumerate(whole, start=1):
            new = [values[old - 1] if old else None for old in order]
            for at in range(1, wide + 1):
                sheet.cell(number, at).value = new[at - 1] if at <= len(new) else None
        place = {old: at for at, old in enumerate(order, start=1) if old}
        for name in self._names():
            match = re.search(r"\$([A-Z]+)\$1$", name.attr_text or "")
            if match:
                old = openpyxl.utils.column_index_from_string(match[1])
                new_at = place.get(old, 0 if old <= last else old)
                name.attr_text = (
                    name.attr_text[: match.start()]
                    + f"${openpyxl.utils.get_column_letter(new_at)}$1"
                    if new_at
                    else "#REF!"
                )

    def _names(self) -> list[Any]:
        """The hidden names that point at header cells of the tab."""
        return [n for n in self.book.defined_names.values() if n.name.startswith("_redress_open")]

    def move_column(self, rng: Random, now: dt.datetime) -> bool:
        order: list[int | None] = list(range(1, self.sheet.max_column + 1))
        moved = order.pop(rng.randrange(len(order)))
        order.insert(rng.randrange(len(order)), moved)
        self._columns_anew(order)
        return True

    def own_column(self, rng: Random, now: dt.datetime) -> bool:
        order: list[int | None] = list(range(1, self.sheet.max_column + 1))
        at = rng.randrange(1, len(order) + 1)
        order.insert(at, None)
        self._columns_anew(order)
        self.sheet.cell(1, at + 1).value = f"自己的列 {rng.randrange(999)}"
        return True

    def _own_columns(self) -> list[int]:
        ours = set(self.columns().values())
        heads = enumerate((str(c.value or "") for c in self.sheet[1]), start=1)
        return [at for at, head in heads if head.startswith("自己的列") and at not in ours]

    def own_cell(self, rng: Random, now: dt.datetime) -> bool:
        """A remark or a formula beside a case's row."""
        found, own = self._row(rng), self._own_columns()
        if found is None or not own:
            return False
        if rng.random() < 0.3:
            value = f"=LEN(A{found[0]})+{rng.randrange(99)}"
        else:
            value = f"{REMARK}{found[1]} {self.new(found[1])}"
        self.sheet.cell(found[0], rng.choice(own)).value = value
        return True

    def delete_column(self, rng: Random, now: dt.datetime) -> bool:
        """One of their own columns; rarely one of ours."""
        columns = self.columns()
        own = self._own_columns()
        if rng.random() < 0.2:
            own = [columns[n] for n in ("progress", "grade", "demand", "until") if n in columns]
        if not own:
            return False
        gone = rng.choice(own)
        self._columns_anew([at for at in range(1, self.sheet.max_column + 1) if at != gone])
        return True

    def rename_header(self, rng: Random, now: dt.datetime) -> bool:
        columns = {n: at for n, at in self.columns().items() if n != "uid"}
        if not columns:
            return False
        at = columns[rng.choice(sorted(columns))]
        self.sheet.cell(1, at).value = rng.choice((f"改名 {rng.randrange(999)}", None, "处理 人"))
        return True

    def rename_tab(self, rng: Random, now: dt.datetime) -> bool:
        old, new = self.sheet.title, f"在办{rng.choice(('', '(新)', '-9月', ' 2'))}"
        if old == new or new in self.book.sheetnames:
            return False
        names = self._names()
        self.sheet.title = new
        for name in names:
            name.attr_text = re.sub(r"^.*!", f"'{new}'!", name.attr_text or "")
        return True

    def hide(self, rng: Random, now: dt.datetime) -> bool:
        self.sheet.row_dimensions[rng.randrange(2, self.sheet.max_row + 2)].hidden = True
        letter = openpyxl.utils.get_column_letter(rng.randrange(1, self.sheet.max_column + 1))
        self.sheet.column_dimensions[letter].hidden = rng.random() < 0.7
        return True

    def own_tab(self, rng: Random, now: dt.datetime) -> bool:
        if OWN_TAB not in self.book.sheetnames:
            self.book.create_sheet(OWN_TAB)
        tab = self.book[OWN_TAB]
        value = rng.choice((f"件数 {rng.randrange(999)}", 3.5, "=COUNTA(在办!B:B)", "=1+2"))
        tab.cell(rng.randrange(1, 9), rng.randrange(1, 5)).value = value
        return True


TYPING = ("progress", "handler", "contact", "answer", "new_row", "finish_row")
WRONG = ("nonsense", "office_cell", "clear")
SHAPING = (
    *("sort", "half_sort", "blank_rows", "delete_row", "copy_row", "spoil_id", "move_column"),
    *("own_column", "own_cell", "delete_column", "rename_header", "rename_tab", "hide", "own_tab"),
)
