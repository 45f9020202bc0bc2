"""The port to a spreadsheet: all that the mirror needs, whatever program or service keeps it.

A workbook has tabs, a tab has rows, a row has cells. Redress owns some tabs wholly (`locked`
ones) and some columns of the others; everything else belongs to the people who work there and is
never touched. A workbook carries the number of the look that last wrote it, its *stamp*. Each of
our tabs and columns is found again after people moved or renamed it.

Times in cells are naive and local, as people read them. Rows and columns count from 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

# ---------------------------------------------------------------- the value of a cell


@dataclass(frozen=True, slots=True)
class Computed:
    """A formula in a cell, and its value when the workbook was saved (None where unknown)."""

    value: str | float | bool | dt.datetime | None


@dataclass(frozen=True, slots=True)
class Broken:
    """An error value such as #REF! or #N/A."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to an address. It is written only, and read back as Computed(text)."""

    text: str
    address: str


Read = str | float | bool | dt.datetime | Computed | Broken
"""A value that is read: text, number, flag, time, or the result of a formula. No empty text."""

Written = str | float | dt.datetime | dt.date | Link | None
"""A value that is written: None empties a cell. A text stays one, even if it begins with `=`."""


# ---------------------------------------------------------------- a workbook as it was read


@dataclass(frozen=True, slots=True)
class TabRow:
    """A row with filled cells; `foreign` when some of them stand outside our columns.

    A row that has foreign cells only is listed without cells, so that nothing is put on it.
    """

    number: int
    cells: Mapping[str, Read]  # by field, filled cells only
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class TabPicture:
    """One of our tabs as it was read."""

    title: str
    columns: Mapping[str, int]  # field -> column, of the fields that were found
    headers: Mapping[str, str]  # field -> text of its header cell
    rows: Sequence[TabRow]  # without the header, in the order of the tab
    merged: Sequence[tuple[int, int, int, int]] = ()  # first row and column, last row and column
    last_column: int = 0  # of all columns in use


@dataclass(frozen=True, slots=True)
class WorkbookPicture:
    """A workbook as it was read at one moment."""

    stamp: int | None  # None when the mark is gone
    saved_at: dt.datetime  # UTC: when it was last saved
    fingerprint: str
    tabs: Mapping[str, TabPicture]  # by key, the tabs that were found
    owner: str = ""  # the installation and workbook its mark names; empty in an older one


# ---------------------------------------------------------------- the layout of a workbook


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """One of our columns.

    `shape` is text, date, datetime, money or link. `choices` are the values of its list, and
    `choices_from` is the tab that has them. People fill `open_` columns; the others are grey.
    """

    field: str
    header: str
    width: int = 14
    shape: str = "text"
    open_: bool = False
    hidden: bool = False
    choices: tuple[str, ...] = ()
    choices_from: str | None = None
    note: str = ""  # shown by the program to whoever enters the cell


@dataclass(frozen=True, slots=True)
class TabLayout:
    """One of our tabs; its first column is `uid`. The time in the field `due` colours a row."""

    key: str
    title: str
    columns: tuple[ColumnLayout, ...]
    locked: bool = False
    hidden: bool = False
    due: str | None = None
    done: str | None = None  # the field that, once filled, ends the colouring
    frozen: int = 2  # visible columns that do not scroll sideways


@dataclass(frozen=True, slots=True)
class Holder:
    """The person who has a workbook open, as its lock file says, and since when (UTC)."""

    name: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """A file beside a workbook that may be a copy, left by a sync folder or a person.

    `named` when its name says so; else the owner in its mark decides. Not `readable` where somebody
    saved the workbook as another type of file.
    """

    name: str
    fingerprint: str
    saved_at: dt.datetime
    named: bool = True
    readable: bool = True


# ---------------------------------------------------------------- errors, by who must act


class WorkbookError(Exception):
    """A problem with a workbook: its code, and the facts for the sentence about it."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


class WorkbookUnavailable(WorkbookError):
    """A problem that passes by itself; the look is tried again.

    Codes: missing, half_written, held (facts: who), changed (saved by a person meanwhile), busy.
    """


class WorkbookChanged(WorkbookError):
    """A problem for the department.

    Codes: tab_gone (tab), id_gone (tab), mark_gone, no_workbook, too_big.
    """


class WorkbookRefused(WorkbookError):
    """A problem for the administrator.

    Codes: not_readable, not_writable, disk_full, no_folder (folder), folder_unmarked (folder),
    folder_of_other (folder), folder_of_copy (folder), all_gone (count), hard_linked,
    mounted_alone.
    """


# ---------------------------------------------------------------- the port


Cells = Mapping[tuple[int, str], Written]
"""The cells to write into a tab, by row and field. Row 1 is the header."""


@dataclass(frozen=True, slots=True)
class WorkbookWrite:
    """All that a look writes: its number as the stamp, and cells by tab.

    `columns` are the columns that a tab lacks. They are put behind its last used column, with
    their headers; cells may name them.
    """

    stamp: int
    cells: Mapping[str, Cells]
    columns: Mapping[str, Sequence[ColumnLayout]] = field(default_factory=dict)


class WorkbookPort(Protocol):
    """A workbook, wherever it is kept.

    `owner` is written into its mark. Every method may raise WorkbookUnavailable or WorkbookRefused.
    """

    owner: str

    def fingerprint(self) -> str | None:
        """A mark that changes whenever the workbook is saved; None where there is none. Cheap."""

    def holder(self) -> Holder | None:
        """The person who has it open now, where that can be known."""

    def read(self, tabs: Sequence[TabLayout]) -> WorkbookPicture:
        """Read the workbook. Raises WorkbookChanged when it is none of ours."""

    def make(self, tabs: Sequence[TabLayout]) -> str:
        """Make a workbook with empty tabs and stamp 0 where there is none; its fingerprint."""

    def write(
        self, seen: WorkbookPicture, tabs: Sequence[TabLayout], writing: WorkbookWrite
    ) -> str:
        """Write, verify and replace at once; the new fingerprint.

        Raises WorkbookUnavailable `changed` when the workbook is no longer that of `seen`, `held`
        when a person has it open. It is untouched then.
        """

    def keep(self, folder: Path, name: str) -> None:
        """Put a copy of the workbook into a folder of ours."""

    def put(self, file: Path, seen: str | None) -> str:
        """Replace the workbook whose fingerprint is `seen` by a kept copy; the new fingerprint."""

    def copies(self) -> list[Copy]:
        """Files beside it that may be copies of it."""

    def beside(self, name: str) -> WorkbookPort:
        """The workbook of that name beside it, such as one of `copies`."""
