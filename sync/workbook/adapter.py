"""The port of sync/port.py to a workbook that is one .xlsx file in a shared folder.

Reading streams the parts of the package. A new workbook is made by openpyxl. Writing patches our
own cells in the parts of our own tabs and copies every other part as it is. The file is replaced
in one step for everyone who looks at the folder.
"""

from __future__ import annotations

import datetime as dt
import io
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
from sync.workbook.atomic_replace import (
    Snapshot,
    expect_single,
    fingerprint_at,
    look,
    put_file,
    put_new,
    replace,
    target_of,
)
from sync.workbook.cell_xml import CellContent, read_back
from sync.workbook.cells import BaredCells, ElementReader
from sync.workbook.dependent_parts import with_headers, without_formulas
from sync.workbook.locating import ID_FIELD, mark, picture_of, tabs_of
from sync.workbook.new_workbook import make_workbook
from sync.workbook.package import Package, PackageTab, WorkbookParts, repacked, translated
from sync.workbook.patching import patch
from sync.workbook.shared_strings import without_lost
from sync.workbook.worksheet import Row, scan

STAMPED = "open"  # the tab whose mark is the workbook's stamp


class WorkbookFile:
    """A workbook that is one .xlsx file; its methods are those of sync.port.WorkbookPort."""

    def __init__(
        self, path: Path, owner: str = "", *, check_folder: Callable[[], None] | None = None
    ) -> None:
        """A file; `owner` goes into its mark, and `check_folder` refuses a folder not ours."""
        self.path, self.owner = path, owner
        self._check_folder = check_folder or _accept_folder

    @property
    def target(self) -> Path:
        """The file itself, where its name is a link to it."""
        return target_of(self.path)

    def fingerprint(self) -> str | None:
        """A mark that changes whenever the file is saved; None where there is none."""
        self._check_folder()
        return fingerprint_at(self.target)

    def holder(self) -> Holder | None:
        """The person who has it open now, as the lock files beside it say.

        Where its name is a link, people open the file at either place.
        """
        here = locks_and_copies.holder(self.path)
        return here or (locks_and_copies.holder(self.target) if self.target != self.path else None)

    def remove_locks(self, until: dt.datetime) -> None:
        """Remove the locks that are not newer than an instant, beside both of its names."""
        for path in {self.path, self.target}:
            locks_and_copies.remove_locks(path, until)

    def copies(self) -> list[Copy]:
        """Files beside it whose names mark them as copies of it."""
        return locks_and_copies.copies(self.path)

    def beside(self, name: str) -> WorkbookFile:
        """The file of that name beside it, such as one of `copies`."""
        return WorkbookFile(self.path.with_name(name), self.owner)

    def make(self, tabs: Sequence[TabLayout]) -> str:
        """Make a workbook with empty tabs and stamp 0 where there is none; its fingerprint."""
        content = io.BytesIO()
        make_workbook(content, tabs, self.owner)
        self._check_folder()
        return put_new(self.target, content.getvalue(), _accept)

    def read(self, tabs: Sequence[TabLayout]) -> WorkbookPicture:
        """Read the workbook."""
        expect_single(self.target)
        snapshot = look(self.target)
        with translated():
            return _picture(Package(snapshot.content), snapshot, tabs)

    def write(
        self, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
    ) -> str:
        """Write, verify and replace at once; the new fingerprint.

        Raises RuntimeError when the patched file does not read back as it was meant. The file in
        the folder is untouched then.
        """
        self._check_folder()
        self._refuse_held()
        snapshot = look(self.target)
        if snapshot.fingerprint != seen.fingerprint:
            raise WorkbookUnavailable("changed")
        with translated():
            patched = _patched(
                Package(snapshot.content), seen, tabs, writing=writing, owner=self.owner
            )
        content = repacked(patched.package, patched.parts)

        def check(built: Path) -> None:
            _verify(patched, built.read_bytes())
            self._refuse_held()

        return replace(self.target, content, seen.fingerprint, check=check)

    def keep(self, folder: Path, name: str) -> None:
        """Put a copy of the workbook into a folder of ours."""
        put_file(folder / name, look(self.target).content)

    def put(self, file: Path, seen: str | None) -> str:
        """Replace the workbook whose fingerprint is `seen` by a kept copy; the new fingerprint."""
        content = look(file).content
        self._check_folder()
        if seen is None:
            return put_new(self.target, content, _accept)
        self._refuse_held()
        return replace(self.target, content, seen, check=_accept)

    def _refuse_held(self) -> None:
        if held := self.holder():
            raise WorkbookUnavailable("held", who=held.name)


def _accept_folder() -> None:
    """Accept every folder."""


def _accept(built: Path) -> None:
    """Accept a file that was made or kept as a whole."""


# ---------------------------------------------------------------- reading


def _picture(package: Package, snapshot: Snapshot, tabs: Sequence[TabLayout]) -> WorkbookPicture:
    workbook = WorkbookParts(package)
    found = tabs_of(package, workbook, tabs)
    if not found:
        raise WorkbookChanged("no_workbook")
    there = [tab for tab in tabs if tab.key in found]
    bearer = found.get(_bearer(tabs))
    return WorkbookPicture(
        stamp=bearer.stamp if bearer else None,
        owner=bearer.owner if bearer else "",
        saved_at=dt.datetime.fromtimestamp(snapshot.saved, dt.UTC),
        fingerprint=snapshot.fingerprint,
        tabs={tab.key: picture_of(package, workbook, tab, found=found[tab.key]) for tab in there},
    )


def _bearer(tabs: Sequence[TabLayout]) -> str:
    """The key of the tab whose mark is the workbook's stamp."""
    return STAMPED if any(tab.key == STAMPED for tab in tabs) else tabs[0].key


# ---------------------------------------------------------------- writing


@dataclass
class _Patched:
    """A package with new parts, and the contents of the cells that were written, by part."""

    package: Package
    workbook: WorkbookParts
    parts: dict[str, bytes | None] = field(default_factory=dict)
    contents: dict[str, Mapping[tuple[int, int], CellContent]] = field(default_factory=dict)


def _patched(
    package: Package,
    seen: WorkbookPicture,
    tabs: Sequence[TabLayout],
    *,
    writing: WorkbookWrite,
    owner: str,
) -> _Patched:
    workbook = WorkbookParts(package)
    made = _Patched(package, workbook)
    found = tabs_of(package, workbook, tabs)
    written = {*writing.cells, *writing.columns, _bearer(tabs)}
    for tab in tabs:
        if tab.key in written and tab.key in found:
            grid = seen.tabs[tab.key]
            _patch_tab(
                made, found[tab.key].tab, grid, edits=_edits(tab, grid, writing, owner=owner)
            )
    made.parts |= without_lost(package, workbook, made.parts)
    return made


def _edits(
    tab: TabLayout, grid: TabPicture, writing: WorkbookWrite, *, owner: str
) -> dict[tuple[int, int], Written]:
    """The values to write into a tab, by row and column: new headers, cells and the mark."""
    added = writing.columns.get(tab.key, ())
    places = {one.field: grid.last_column + at for at, one in enumerate(added, start=1)}
    edits: dict[tuple[int, int], Written] = {(1, places[one.field]): one.header for one in added}
    places = {**places, **grid.columns}
    for (row, of), value in writing.cells.get(tab.key, {}).items():
        if of not in places:
            raise RuntimeError(f"{tab.key} has no column {of}")
        edits[row, places[of]] = value
    if ID_FIELD in grid.columns:
        edits[1, grid.columns[ID_FIELD]] = mark(tab.key, writing.stamp, owner)
    return edits


def _patch_tab(
    made: _Patched, tab: PackageTab, grid: TabPicture, *, edits: Mapping[tuple[int, int], Written]
) -> None:
    """Patch the part of a tab and the parts that name its cells."""
    package = made.package
    part = package.name(tab.part)
    patched = patch(
        package.read(part),
        edits,
        ElementReader(made.workbook),
        ours=frozenset(grid.columns.values()),
    )
    made.parts[part] = patched.data
    made.contents[part] = patched.contents
    for kind, table in package.related(tab.part).values():
        if kind == "table" and table in package:
            old = package.read(table)
            new = with_headers(old, patched.contents)
            if new != old:
                made.parts[package.name(table)] = new
    if patched.bared:
        _shorten_chain(made, tab, patched.bared)


def _shorten_chain(made: _Patched, tab: PackageTab, bared: BaredCells) -> None:
    """Take cells that lost their formula out of the calculation chain; drop an empty chain."""
    chain = made.workbook.related_part("calcChain")
    if chain is None or chain not in made.package:
        return
    part = made.package.name(chain)
    old = made.parts[part] if part in made.parts else made.package.read(part)
    if old is None:
        return
    made.parts[part] = without_formulas(old, tab.number, bared)
    if made.parts[part] is None:
        for name, new in made.package.without_part(made.workbook.part, chain).items():
            made.parts[name] = new


# ---------------------------------------------------------------- verifying


def _verify(patched: _Patched, content: bytes) -> None:
    """Compare a finished file with what was meant. Raises RuntimeError, which is a bug of ours."""
    try:
        package = Package(content)
        _verify_parts(patched, package)
        workbook = WorkbookParts(package)
        for part, contents in patched.contents.items():
            _verify_cells(package, workbook, part, contents=contents)
    except (WorkbookChanged, WorkbookUnavailable) as error:
        raise RuntimeError("the patched workbook cannot be read") from error


def _verify_parts(patched: _Patched, package: Package) -> None:
    """Expect every part in its order, and the untouched ones with the same bytes."""
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
    package: Package,
    workbook: WorkbookParts,
    part: str,
    *,
    contents: Mapping[tuple[int, int], CellContent],
) -> None:
    """Expect every written cell to be read back as it was meant."""
    wanted = {place: read_back(value) for place, value in contents.items()}
    rows: dict[int, list[int]] = defaultdict(list)
    for row, column in wanted:
        rows[row].append(column)
    found: dict[tuple[int, int], Read] = {}

    def take(number: int, row: Row) -> None:
        if number in rows:
            there = dict(row)
            found.update({(number, at): there[at] for at in rows[number] if at in there})

    with translated(), package.open(part) as stream:
        scan(stream, ElementReader(workbook), take)
    for place, value in wanted.items():
        if found.get(place) != value:
            raise RuntimeError(f"{part} reads differently at {place}")
