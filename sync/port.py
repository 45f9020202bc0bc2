"""What the mirror needs of a spreadsheet, whatever program or service keeps it.

A spreadsheet is a book of tabs. Redress owns some tabs wholly (`locked` ones) and, in the others,
some columns; everything else belongs to the people who work there and is never touched. A book
carries the number of the pass that last wrote it, its *stamp*, and every one of its own tabs and
columns can be found again after people moved or renamed it.

Times in cells are naive and local, as people read them. Rows and columns count from 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

# ---------------------------------------------------------------- what a cell says


@dataclass(frozen=True, slots=True)
class Computed:
    """A formula in a cell, and the value it had when the book was saved (None where unknown)."""

    value: str | float | bool | dt.datetime | None


@dataclass(frozen=True, slots=True)
class Broken:
    """An error value such as #REF! or #N/A."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to an address; only ever written. It is read back as Computed(text)."""

    text: str
    address: str


Read = str | float | bool | dt.datetime | Computed | Broken
"""What is read: text, number, flag, date with time, or what a formula made. Never empty text."""

Written = str | float | dt.datetime | dt.date | Link | None
"""What is written: None empties a cell. A text is a text, even one that begins with `=`."""


# ---------------------------------------------------------------- what a book looks like


@dataclass(frozen=True, slots=True)
class TabRow:
    """A row that has something in it. `foreign` when a cell outside our columns has, too.

    A row that only has foreign cells is there with no cells of ours, so that nothing is put on it.
    """

    number: int
    cells: Mapping[str, Read]  # by field; an empty cell is not there
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class TabPicture:
    """One of our tabs as it stands."""

    title: str
    columns: Mapping[str, int]  # field -> column, of the fields that were found
    headers: Mapping[str, str]  # field -> what its header cell says
    lines: Sequence[TabRow]  # without the header, in the order of the tab
    merged: Sequence[
        tuple[int, int, int, int]
    ] = ()  # first row, first column, last row, last column
    last_column: int = 0  # of whatever anybody uses


@dataclass(frozen=True, slots=True)
class WorkbookPicture:
    """A whole book as it was read at one moment."""

    stamp: int | None  # None when the mark is gone
    saved_at: dt.datetime  # UTC: when it was last saved, by whomever
    fingerprint: str
    grids: Mapping[str, TabPicture]  # by the key of the tab; a tab that is gone is not there


# ---------------------------------------------------------------- what a book is to be


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """One of our columns.

    `shape` is text, date, datetime, money or link; `choices` names a list of the book or gives
    the values themselves. `open_` columns are for people to fill, the others are grey.
    """

    field: str
    header: str
    width: int = 14
    shape: str = "text"
    open_: bool = False
    hidden: bool = False
    choices: tuple[str, ...] = ()
    choices_from: str | None = None
    note: str = ""  # shown by the program when somebody enters the cell


@dataclass(frozen=True, slots=True)
class TabLayout:
    """One of our tabs. `due` is the field whose time colours a row; its first column is `uid`."""

    key: str
    title: str
    columns: tuple[ColumnLayout, ...]
    locked: bool = False
    hidden: bool = False
    due: str | None = None
    done: str | None = None  # a field that, filled, says that nothing is due any more
    frozen: int = 2  # visible columns that stay while one scrolls sideways


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a book open, as the lock file names him, and since when (UTC)."""

    name: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """A book that a sync folder or a person left beside ours."""

    name: str
    fingerprint: str
    saved_at: dt.datetime


# ---------------------------------------------------------------- who must act


class WorkbookError(Exception):
    """Something is wrong with a book. `code` names it, `facts` are for the sentence about it."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


class WorkbookUnavailable(WorkbookError):
    """Nobody has to act; it is tried again.

    Codes: missing, half_written, held (facts: who), changed (somebody saved meanwhile), busy.
    """


class WorkbookChanged(WorkbookError):
    """The department has to act. Codes: tab_gone (tab), id_gone (tab), mark_gone, no_workbook."""


class WorkbookRefused(WorkbookError):
    """The administrator has to act. Codes: not_readable, not_writable, disk_full, no_folder."""


# ---------------------------------------------------------------- the port


Cells = Mapping[tuple[int, str], Written]
"""What to write into a tab, by row and field. Row 1 is the header."""


@dataclass(frozen=True, slots=True)
class WorkbookWrite:
    """What a pass wants to write: its number, and cells by tab.

    `columns` are fields a tab lacks and that are put behind its last used column, with their
    header; cells may name them.
    """

    stamp: int
    cells: Mapping[str, Cells]
    columns: Mapping[str, Sequence[ColumnLayout]] = field(default_factory=dict)


class WorkbookPort(Protocol):
    """A spreadsheet on the other side.

    Every method may raise WorkbookUnavailable or WorkbookRefused.
    """

    def fingerprint(self) -> str | None:
        """What changes whenever the book is saved; None where there is no book. Cheap."""

    def holder(self) -> Holder | None:
        """Who has it open now, where that can be known."""

    def read(self, tabs: Sequence[TabLayout]) -> WorkbookPicture:
        """The book as it stands. Raises WorkbookChanged when it is no workbook of ours."""

    def make(self, tabs: Sequence[TabLayout]) -> str:
        """A new book with empty tabs and stamp 0, where there is none; its fingerprint."""

    def write(
        self, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
    ) -> str:
        """Write, verify and replace at once; the new fingerprint.

        Raises WorkbookUnavailable `changed` when the book is not the one of `seen` any more, `held`
        when somebody has it open; the book is untouched then.
        """

    def keep(self, folder: Path, name: str) -> None:
        """Put a copy of the book as it stands into a folder of ours."""

    def put(self, file: Path, seen: str | None) -> str:
        """Replace the book whose fingerprint is `seen` by a kept copy; the new fingerprint."""

    def copies(self) -> list[Copy]:
        """Books beside ours whose name says that they are copies of it."""

    def beside(self, name: str) -> WorkbookPort:
        """The book of that name beside ours, such as one of `copies`."""
