"""A workbook file on a shared folder, behind the port of sync/port.py.

Reading streams the parts of the package; making is openpyxl's; writing patches only our own cells
in the parts of our own tabs and copies every other part as it is. Replacing the file is one step
for everybody who looks at the folder.
"""

from __future__ import annotations

import datetime as dt
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sync.port import (
    Copy,
    Holder,
    Read,
    TabLayout,
    TabPicture,
    WorkbookChanged,
    WorkbookPicture,
    WorkbookUnavailable,
    WorkbookWrite,
    Written,
)
from sync.workbook import locks_and_copies
from sync.workbook.atomic_replace import Snapshot, fingerprint_at, look, put_file, put_new, replace
from sync.workbook.cells import ElementReader, Row, scan
from sync.workbook.locating import ID_FIELD, grid_of, mark, tabs_of
from sync.workbook.new_book import make_book
from sync.workbook.package import Package, PackageTab, WorkbookParts, repacked, translated
from sync.workbook.patching import Said, patch, reads_as, with_headers, without_formulas
from sync.workbook.shared_strings import without_lost

STAMPED = "open"  # the tab whose mark is the book's stamp


class WorkbookFile:
    """A book that is one .xlsx file; see sync.port.Workbook."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fingerprint(self) -> str | None:
        """What changes whenever the file is saved; None where there is none."""
        return fingerprint_at(self.path)

    def holder(self) -> Holder | None:
        """Who has it open now, as the lock files beside it say."""
        return locks_and_copies.holder(self.path)

    def copies(self) -> list[Copy]:
        """Files beside it whose name says that they are copies of it."""
        return locks_and_copies.copies(self.path)

    def beside(self, name: str) -> WorkbookFile:
        """The file of that name beside it, such as one of `copies`."""
        return WorkbookFile(self.path.with_name(name))

    def make(self, tabs: Sequence[TabLayout]) -> str:
        """A new book with empty tabs and stamp 0, where there is none; its fingerprint."""
        content = io.BytesIO()
        make_book(content, tabs)
        return put_new(self.path, content.getvalue(), _nothing)

    def read(self, tabs: Sequence[TabLayout]) -> WorkbookPicture:
        """The book as it stands."""
        snapshot = look(self.path)
        with translated():
            return _picture(Package(snapshot.content), snapshot, tabs)

    def write(
        self, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
    ) -> str:
        """Write, verify and replace at once; the new fingerprint.

        Raises RuntimeError when what would be put in place is not what was meant; the file is
        untouched then.
        """
        self._refuse_held()
        snapshot = look(self.path)
        if snapshot.fingerprint != seen.fingerprint:
            raise WorkbookUnavailable("changed")
        with translated():
            patched = _patched(Package(snapshot.content), seen, tabs, writing)
        content = repacked(patched.package, patched.parts)

        def check(built: Path) -> None:
            _verify(patched, built.read_bytes())
            self._refuse_held()

        return replace(self.path, content, seen.fingerprint, check)

    def keep(self, folder: Path, name: str) -> None:
        """Put a copy of the book as it stands into a folder of ours."""
        put_file(folder / name, look(self.path).content)

    def put(self, file: Path, seen: str | None) -> str:
        """Replace the book whose fingerprint is `seen` by a kept copy; the new fingerprint."""
        content = look(file).content
        if seen is None:
            return put_new(self.path, content, _nothing)
        self._refuse_held()
        return replace(self.path, content, seen, _nothing)

    def _refuse_held(self) -> None:
        if held := self.holder():
            raise WorkbookUnavailable("held", who=held.name)


def _nothing(built: Path) -> None:
    """What was made or kept as a whole needs no further look."""


# ---------------------------------------------------------------- reading


def _picture(package: Package, snapshot: Snapshot, tabs: Sequence[TabLayout]) -> WorkbookPicture:
    book = WorkbookParts(package)
    found = tabs_of(package, book, tabs)
    if not found:
        raise WorkbookChanged("no_workbook")
    there = [tab for tab in tabs if tab.key in found]
    bearer = found.get(_bearer(tabs))
    return WorkbookPicture(
        stamp=bearer.stamp if bearer else None,
        saved_at=dt.datetime.fromtimestamp(snapshot.saved, dt.UTC),
        fingerprint=snapshot.fingerprint,
        grids={tab.key: grid_of(package, book, tab, found[tab.key]) for tab in there},
    )


def _bearer(tabs: Sequence[TabLayout]) -> str:
    """The key of the tab whose mark is the book's stamp."""
    return STAMPED if any(tab.key == STAMPED for tab in tabs) else tabs[0].key


# ---------------------------------------------------------------- writing


@dataclass
class _Patched:
    """A package with new parts, and what the cells of each sheet's part say in them."""

    package: Package
    book: WorkbookParts
    parts: dict[str, bytes | None] = field(default_factory=dict)
    says: dict[str, Mapping[tuple[int, int], Said]] = field(default_factory=dict)


def _patched(
    package: Package, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
) -> _Patched:
    book = WorkbookParts(package)
    made = _Patched(package, book)
    found = tabs_of(package, book, tabs)
    written = {*writing.cells, *writing.columns, _bearer(tabs)}
    for tab in tabs:
        if tab.key in written and tab.key in found:
            grid = seen.grids[tab.key]
            _patch_sheet(made, found[tab.key].tab, grid, _edits(tab, grid, writing))
    made.parts |= without_lost(package, book, made.parts)
    return made


def _edits(
    tab: TabLayout, grid: TabPicture, writing: WorkbookWrite
) -> dict[tuple[int, int], Written]:
    """What to write into a tab, by row and column: new columns, the pass's cells and the mark."""
    added = writing.columns.get(tab.key, ())
    places = {one.field: grid.last_column + at for at, one in enumerate(added, start=1)}
    edits: dict[tuple[int, int], Written] = {(1, places[one.field]): one.header for one in added}
    places = {**places, **grid.columns}
    for (row, of), value in writing.cells.get(tab.key, {}).items():
        if of not in places:
            raise RuntimeError(f"{tab.key} has no column {of}")
        edits[row, places[of]] = value
    if ID_FIELD in grid.columns:
        edits[1, grid.columns[ID_FIELD]] = mark(tab.key, writing.stamp)
    return edits


def _patch_sheet(
    made: _Patched, tab: PackageTab, grid: TabPicture, edits: Mapping[tuple[int, int], Written]
) -> None:
    """Put cells into a sheet's part, and what they change into the parts that name them."""
    package = made.package
    part = package.name(tab.part)
    patched = patch(
        package.read(part), edits, ElementReader(made.book), frozenset(grid.columns.values())
    )
    made.parts[part] = patched.data
    made.says[part] = patched.says
    for kind, table in package.related(tab.part).values():
        if kind == "table" and table in package:
            old = package.read(table)
            new = with_headers(old, patched.says)
            if new != old:
                made.parts[package.name(table)] = new
    if patched.bared:
        _shorten_chain(made, tab, patched.bared)


def _shorten_chain(made: _Patched, tab: PackageTab, bared: frozenset[str]) -> None:
    """Take cells that lost their formula out of the calculation chain, and an empty chain out."""
    chain = made.book.related_part("calcChain")
    if chain is None or chain not in made.package:
        return
    part = made.package.name(chain)
    old = made.parts[part] if part in made.parts else made.package.read(part)
    if old is None:
        return
    made.parts[part] = without_formulas(old, tab.number, bared)
    if made.parts[part] is None:
        for name, new in made.package.without_part(made.book.part, chain).items():
            made.parts[name] = new


# ---------------------------------------------------------------- verifying


def _verify(patched: _Patched, content: bytes) -> None:
    """Compare a finished file with what was meant. Raises RuntimeError: then it is our mistake."""
    try:
        package = Package(content)
        _verify_parts(patched, package)
        book = WorkbookParts(package)
        for part, says in patched.says.items():
            _verify_cells(package, book, part, says)
    except (WorkbookChanged, WorkbookUnavailable) as error:
        raise RuntimeError("the patched workbook cannot be read") from error


def _verify_parts(patched: _Patched, package: Package) -> None:
    """Every part must be there in its order, and untouched ones with the same bytes."""
    old = [
        one for one in patched.package.entries if patched.parts.get(one.filename, b"") is not None
    ]
    if [one.filename for one in old] != [one.filename for one in package.entries]:
        raise RuntimeError("the patched workbook has other parts")
    for before, after in zip(old, package.entries, strict=True):
        same = patched.package.raw(before) == package.raw(after) and before.CRC == after.CRC
        if before.filename not in patched.parts and not same:
            raise RuntimeError(f"{before.filename} is not the same any more")


def _verify_cells(
    package: Package, book: WorkbookParts, part: str, says: Mapping[tuple[int, int], Said]
) -> None:
    """Every written cell must be read back as it was meant."""
    wanted = {place: reads_as(value) for place, value in says.items()}
    rows: dict[int, list[int]] = defaultdict(list)
    for row, column in wanted:
        rows[row].append(column)
    found: dict[tuple[int, int], Read] = {}

    def take(number: int, row: Row) -> None:
        if number in rows:
            there = dict(row)
            found.update({(number, at): there[at] for at in rows[number] if at in there})

    with translated(), package.open(part) as stream:
        scan(stream, ElementReader(book), take)
    for place, value in wanted.items():
        if found.get(place) != value:
            raise RuntimeError(f"{part} says something else at {place}")
