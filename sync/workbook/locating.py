"""Finds our tabs and columns in a workbook in which people move, rename and copy things.

A tab of ours carries a mark in the header of its hidden first column,
`redress/<tab>/<stamp>/<owner>`; the owner is the installation and the workbook of its record. A
column is known by the text of its header. Where that is gone, a hidden defined name points at the
header cell and follows it wherever spreadsheet programs move it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.port import Computed, Read, TabLayout, TabPicture, TabRow, WorkbookChanged
from sync.workbook.cells import LAST_COLUMN, ElementReader, area
from sync.workbook.package import DefinedName, Package, PackageTab, WorkbookParts, normal
from sync.workbook.worksheet import Row, StopReading, scan

MARK = re.compile(r"redress/([^/\s]+)/(\d{1,18})(?:/([0-9a-z.]{1,60}))?\Z")
POINTS = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!\$?([A-Za-z]{1,3})\$?(\d+)")
ID_FIELD = "uid"
MOST_ROWS = 100_000
"""The rows of a tab that are read; a department has some hundred cases."""
FILLED_DOWN = 3
"""From so many rows on that have nothing but formulas, these were filled down for cases to come."""


def mark(key: str, stamp: int, owner: str = "") -> str:
    """The mark in the first cell of a tab of ours."""
    return f"redress/{key}/{stamp}/{owner}" if owner else f"redress/{key}/{stamp}"


def name_of_column(key: str, position: int, field: str) -> str:
    """The defined name that points at the header of a tab's column."""
    return f"_redress_{_plain(key)}_{position}_{_plain(field)}"


def _plain(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", word)


# ---------------------------------------------------------------- tabs


@dataclass(frozen=True, slots=True)
class LocatedTab:
    """A tab of ours in the package, the stamp of its mark and the column of the mark."""

    tab: PackageTab
    stamp: int | None
    marked: int | None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class _Top:
    """The first mark in the first row of a tab, and its column."""

    tab: PackageTab
    key: str | None
    stamp: int | None
    column: int | None
    owner: str = ""


def tabs_of(
    package: Package, workbook: WorkbookParts, tabs: Sequence[TabLayout]
) -> dict[str, LocatedTab]:
    """Find our tabs, by key; one that is gone is left out.

    A mark counts first. Where several tabs have the same one, people copied ours: the one that
    kept its title, or else has the latest stamp, is ours. Without a mark the title decides.
    """
    tops = [_top(package, workbook, tab) for tab in workbook.tabs if tab.part in package]
    found: dict[str, LocatedTab] = {}
    for tab in tabs:
        marked = [top for top in tops if top.key == tab.key]
        titled = [top for top in tops if top.key is None and _titled(top.tab, tab)]
        marked.sort(key=lambda top: (not _titled(top.tab, tab), -(top.stamp or 0)))
        for top in [*marked, *titled][:1]:
            found[tab.key] = LocatedTab(top.tab, top.stamp, top.column, top.owner)
    return found


def _titled(sheet: PackageTab, tab: TabLayout) -> bool:
    return normal(sheet.title) == normal(tab.title)


def _top(package: Package, workbook: WorkbookParts, tab: PackageTab) -> _Top:
    for column, value in first_row(package, workbook, tab):
        match = MARK.match(value.strip()) if isinstance(value, str) else None
        if match:
            return _Top(tab, match[1], int(match[2]), column, match[3] or "")
    return _Top(tab, None, None, None)


def first_row(package: Package, workbook: WorkbookParts, tab: PackageTab) -> Row:
    """The filled cells of the first row of a tab."""
    first: Row = []

    def take(number: int, row: Row) -> None:
        if number == 1:
            first.extend(row)
        raise StopReading

    with package.open(tab.part) as stream:
        scan(stream, ElementReader(workbook), take)
    return first


# ---------------------------------------------------------------- columns


def columns_of(
    tab: TabLayout, found: LocatedTab, headers: Mapping[int, str], *, names: Iterable[DefinedName]
) -> dict[str, int]:
    """The column of each field of a tab; a field that cannot be found is left out."""
    pointed = _pointed(tab, found.tab, names)
    columns: dict[str, int] = {}
    identity = _identity(tab, found, headers, pointed=pointed)
    if identity is not None:
        columns[ID_FIELD] = identity
    for column in tab.columns[1:]:
        same = [at for at, text in headers.items() if text == normal(column.header)]
        place = pointed.get(column.field)
        if same:
            columns[column.field] = place if place in same and place is not None else min(same)
    for column in tab.columns[1:]:
        place = pointed.get(column.field)
        if column.field not in columns and place and place not in columns.values():
            columns[column.field] = place
    return columns


def _identity(
    tab: TabLayout, found: LocatedTab, headers: Mapping[int, str], *, pointed: Mapping[str, int]
) -> int | None:
    """The column of the row ids: that of the mark, else of its name, else A if no field has it."""
    if found.marked is not None:
        return found.marked
    if ID_FIELD in pointed:
        return pointed[ID_FIELD]
    others = {normal(column.header) for column in tab.columns[1:]}
    return None if headers.get(1) in others else 1


def _pointed(tab: TabLayout, sheet: PackageTab, names: Iterable[DefinedName]) -> dict[str, int]:
    """The columns to which the defined names of a tab point in its first row, by field."""
    places: dict[str, int] = {}
    for name in names:
        match = POINTS.match(name.refers.strip().lstrip("$"))
        if match is None or not name.name.startswith("_redress_"):
            continue
        title = match[1].replace("''", "'") if match[1] else match[2]
        if title == sheet.title and match[4] == "1":
            places.setdefault(name.name, area(f"{match[3]}1")[1])
    named = {
        column.field: name_of_column(tab.key, position, column.field)
        for position, column in enumerate(tab.columns)
    }
    return {field: places[name] for field, name in named.items() if name in places}


# ---------------------------------------------------------------- rows


def picture_of(
    package: Package, workbook: WorkbookParts, tab: TabLayout, *, found: LocatedTab
) -> TabPicture:
    """Read one of our tabs."""
    filled = _TabRows(tab, found, workbook.names)
    with package.open(found.tab.part) as stream:
        merged = scan(stream, ElementReader(workbook), filled.take)
    filled.end()
    return TabPicture(
        title=found.tab.title,
        columns=filled.columns,
        headers={field: filled.headers.get(at, "") for field, at in filled.columns.items()},
        rows=filled.rows,
        merged=merged,
        last_column=max([filled.last, *(reach[3] for reach in merged if reach[3] < LAST_COLUMN)]),
    )


class _TabRows:
    """Gathers the rows of a tab as they come by; the header comes first."""

    def __init__(self, tab: TabLayout, found: LocatedTab, names: Sequence[DefinedName]) -> None:
        self.tab, self.found, self.names = tab, found, names
        self.headers: dict[int, str] = {}
        self.columns: dict[str, int] = {}
        self.rows: list[TabRow] = []
        self.last = 0
        self._filled_down: list[int] = []  # the last rows, that have nothing but formulas of others
        self._known = False
        self._fields: dict[int, str] = {}

    def take(self, number: int, row: Row) -> None:
        self.last = max(self.last, row[-1][0])
        if number == 1:
            self.set_headers({column: _header(value) for column, value in row})
            return
        self.set_headers({})
        fields = self._fields
        cells = {fields[column]: value for column, value in row if column in fields}
        if not cells and all(isinstance(value, Computed) for _, value in row):
            self._take_filled_down(number)
            return
        self._end_filled_down()
        self._add(TabRow(number, cells, foreign=len(cells) < len(row)))

    def _add(self, row: TabRow) -> None:
        if len(self.rows) >= MOST_ROWS:
            raise WorkbookChanged("too_big")
        self.rows.append(row)

    def _take_filled_down(self, number: int) -> None:
        """Take a row in which formulas of the department wait for a case, as filled down.

        One or two rows may be a sum below the table; from three on they are as good as empty.
        """
        before = self._filled_down
        if before and number != before[-1] + 1:
            self._end_filled_down()
            before = self._filled_down
        self._filled_down = [*before[-(FILLED_DOWN - 1) :], number]

    def _end_filled_down(self) -> None:
        if len(self._filled_down) < FILLED_DOWN:
            for number in self._filled_down:
                self._add(TabRow(number, {}, foreign=True))
        self._filled_down = []

    def end(self) -> None:
        """Take the end of the tab."""
        self.set_headers({})
        self._end_filled_down()

    def set_headers(self, headers: dict[int, str]) -> None:
        """Find the columns once, by the headers, or where none are by the defined names alone."""
        if self._known:
            return
        self._known = True
        self.headers = headers
        compared = {column: normal(text) for column, text in headers.items()}
        self.columns = columns_of(self.tab, self.found, compared, names=self.names)
        self._fields = {column: field for field, column in self.columns.items()}


def _header(value: Read) -> str:
    """The text of a header cell; a number or a formula in it counts as a text."""
    if isinstance(value, Computed):
        return "" if value.value is None else str(value.value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(getattr(value, "text", value))
