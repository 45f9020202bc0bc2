"""A workbook file on a shared folder, behind the port of sync/port.py.

Reading streams the parts of the package; making is openpyxl's; writing patches only our own cells
in the parts of our own tabs and copies every other part as it is. Replacing the file is one step
for everybody who looks at the folder.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path

from sync.finding import grid_of, tabs_of
from sync.making import make_book
from sync.package import Book, Package, translated
from sync.port import Picture, SheetChanged, Tab
from sync.replacing import Snapshot, fingerprint_at, look, put_new


class WorkbookFile:
    """A book that is one .xlsx file; see sync.port.Workbook."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fingerprint(self) -> str | None:
        """What changes whenever the file is saved; None where there is none."""
        return fingerprint_at(self.path)

    def make(self, tabs: Sequence[Tab]) -> str:
        """A new book with empty tabs and stamp 0, where there is none; its fingerprint."""
        content = io.BytesIO()
        make_book(content, tabs)
        return put_new(self.path, content.getvalue(), lambda built: None)

    def read(self, tabs: Sequence[Tab]) -> Picture:
        """The book as it stands."""
        snapshot = look(self.path)
        package = Package(snapshot.content)
        return _picture(package, snapshot, tabs)


def _picture(package: Package, snapshot: Snapshot, tabs: Sequence[Tab]) -> Picture:
    with translated():
        book = Book(package)
        found = tabs_of(package, book, tabs)
        if not found:
            raise SheetChanged("no_workbook")
        grids = {
            tab.key: grid_of(package, book, tab, found[tab.key]) for tab in tabs if tab.key in found
        }
    bearer = found.get("open" if any(tab.key == "open" for tab in tabs) else tabs[0].key)
    return Picture(
        stamp=bearer.stamp if bearer else None,
        saved_at=dt.datetime.fromtimestamp(snapshot.saved, dt.UTC),
        fingerprint=snapshot.fingerprint,
        grids=grids,
    )
