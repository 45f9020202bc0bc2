"""The start of a merge: the tab as it was read, and the record beside it."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Employee, Workbook, WorkbookTab
from policy.pack.schema import FieldEntry
from services.company import actors, presence
from services.company.actors import Actor
from services.regulation import policies
from services.workbooks import layout
from sync.mirror import state
from sync.mirror.merge.cell import Agreed
from sync.mirror.merge.changes import ChangeLog
from sync.mirror.merge.matching import TextRow
from sync.mirror.merge.portion import Portion
from sync.mirror.merge.problems import OpenProblems
from sync.mirror.parsing.cell_reader import CellReader, shown_text
from sync.mirror.parsing.people import Person
from sync.mirror.state import Cells, RowState
from sync.port import Computed, TabPicture, TabRow

ENDLESS = 1_000_000
"""A line below all that people use: what reaches it goes on to the end of the tab."""

MARKS = frozenset({"uid", "hint"})
"""Fields that belong to the workbook, not to a case."""


@dataclass(frozen=True)
class InputSource:
    """The source of the inputs of a merge.

    `stamp` is the look that last wrote the workbook. A new input was typed between `since` and
    `at`. `live`: no older copy can have been saved over it. `at_once`: an input need not stand
    unchanged for a look, because it comes from a copy in which nobody types any more. `trusted`:
    a person accepted what the guard had stopped.
    """

    grid: TabPicture
    stamp: int
    since: dt.datetime
    at: dt.datetime
    live: bool = True
    at_once: bool = False
    trusted: bool = False


@dataclass(frozen=True)
class DisplayContext:
    """The zone in which times are shown, and the address to which rows are linked."""

    zone: dt.tzinfo
    address: str


@dataclass(frozen=True)
class TabContext:
    """The tab of open cases as it was read, the record beside it, and where findings are noted.

    Rows of the record are known by their uid, lines of the tab by their number.
    """

    session: Session
    workbook: Workbook
    source: InputSource
    display: DisplayContext
    now: dt.datetime
    titles: Mapping[str, str]  # the headers, by field
    read: Mapping[int, TabRow]
    lines: Sequence[TextRow]
    covered: frozenset[tuple[int, str]]
    wanted: dict[int, str]  # the cases of the tab, with the versions of their cells
    rows: dict[str, RowState]
    base: Mapping[int, Cells]  # what both sides agreed on at the stamp, by id of the row
    latest: Mapping[int, Cells]  # what they agreed on last
    history: Mapping[tuple[int, str], Sequence[Agreed]]
    actor: Actor
    reader: CellReader
    problems: OpenProblems
    changes: ChangeLog
    portion: Portion = field(default_factory=Portion)

    @cached_property
    def fields(self) -> list[str]:
        """The fields of the tab, in order."""
        return list(self.titles)

    @cached_property
    def new_columns(self) -> frozenset[str]:
        """The fields that the tab lacks."""
        return frozenset(self.titles) - set(self.source.grid.columns)

    @property
    def saved_at(self) -> dt.datetime:
        """When the new inputs were typed, as far as that can be known."""
        return min(max(self.source.at, self.source.since), self.now)

    def base_of(self, row: RowState) -> Cells:
        """The cells on which both sides agreed at the stamp."""
        return self.base.get(row.id or 0, {})

    def latest_of(self, row: RowState) -> Cells:
        """The cells on which both sides agreed last."""
        return self.latest.get(row.id or 0, {})

    def history_of(self, row: RowState, name: str) -> Sequence[Agreed]:
        """The values of a cell after the stamp."""
        return self.history.get((row.id or 0, name), ())

    def typed_between(self, row: RowState) -> tuple[dt.datetime, dt.datetime]:
        """The look before the inputs of a row were first seen, and when they were saved."""
        waits = row.waiting
        since = instant(waits.get("since"), default=self.source.since)
        return since, instant(waits.get("at"), default=self.saved_at)

    def first_seen(
        self, row: RowState, inputs: Mapping[str, Any]
    ) -> tuple[dt.datetime, dt.datetime]:
        """The same for inputs that wait on: they keep the times at which they were first seen."""
        before = row.waiting.get("cells", {})
        if before and all(before.get(name) == text for name, text in inputs.items()):
            return self.typed_between(row)
        return self.source.since, self.saved_at


def instant(text: Any, *, default: dt.datetime) -> dt.datetime:
    """An instant that was remembered in a row, or the default where none was."""
    return dt.datetime.fromisoformat(text) if text else default


# ---------------------------------------------------------------- loading


def load(
    session: Session,
    workbook: Workbook,
    tab: WorkbookTab,
    *,
    source: InputSource,
    display: DisplayContext,
    now: dt.datetime,
    portion: Portion,
) -> TabContext:
    """Load the record of a tab that was read."""
    on = now.astimezone(display.zone).date()
    read = {row.number: row for row in source.grid.rows}
    lines = [TextRow(number, _texts(row)) for number, row in read.items()]
    wanted = state.cases_of_tab(session, workbook, tab)
    latest = state.bases(session, workbook)
    late = source.stamp < workbook.pass_number
    context = TabContext(
        session=session,
        workbook=workbook,
        source=source,
        display=display,
        now=now,
        titles={name: header for name, header, _w in layout.columns(session, tab, on=on)},
        read=read,
        lines=lines,
        covered=_covered(source.grid),
        wanted=wanted,
        rows=state.rows_of(session, workbook, wanted, uids=_uids(lines)),
        base=state.bases(session, workbook, at=source.stamp) if late else latest,
        latest=latest,
        history=state.history(session, workbook, since=source.stamp) if late else {},
        actor=_actor(workbook),
        reader=_reader(session, workbook, zone=display.zone, now=source.at, on=on),
        problems=OpenProblems(session, workbook, now=now),
        changes=ChangeLog(),
        portion=portion,
    )
    _fill_uncomputed(context)
    return context


def _uids(lines: Iterable[TextRow]) -> list[str]:
    return [line.cells["uid"] for line in lines if "uid" in line.cells]


def _actor(workbook: Workbook) -> Actor:
    department = workbook.department
    return actors.of_department(department) if department else actors.SYSTEM


def _texts(row: TabRow) -> dict[str, str]:
    """The cells of a row as the texts they show."""
    return {name: t for name, read in row.cells.items() if (t := shown_text(read)) is not None}


def _covered(grid: TabPicture) -> frozenset[tuple[int, str]]:
    """Our cells that a merged area hides; they are neither read nor written.

    Of an area only the rows that have cells count: it may be a million rows high.
    """
    numbers = sorted(row.number for row in grid.rows)
    return frozenset(
        (row, name)
        for top, left, bottom, right in set(grid.merged)
        for row in numbers[bisect_left(numbers, top) : bisect_right(numbers, bottom)]
        for name, column in grid.columns.items()
        if left <= column <= right and (row, column) != (top, left)
    )


def free_lines(context: TabContext) -> Iterator[int]:
    """The numbers of lines without anything in them that no merged area covers, in order.

    Below an area that goes on to the end of the tab there is no line, so it does not count.
    """
    ours = set(context.source.grid.columns.values())
    closed = sorted(
        (top, bottom)
        for top, left, bottom, right in context.source.grid.merged
        if bottom < ENDLESS and any(left <= column <= right for column in ours)
    )
    areas = deque(closed)
    for number in count(2):
        while areas and areas[0][1] < number:
            areas.popleft()
        if number not in context.read and not (areas and areas[0][0] <= number):
            yield number


def _fill_uncomputed(context: TabContext) -> None:
    """Fill in case numbers that a program did not compute: it kept our formula without a value."""
    for line in context.lines:
        read = context.read[line.number].cells.get("number")
        row = context.rows.get(line.cells.get("uid", ""))
        if isinstance(read, Computed) and read.value is None and row is not None:
            line.cells["number"] = context.latest_of(row).get("number", "")


def _reader(
    session: Session, workbook: Workbook, *, zone: dt.tzinfo, now: dt.datetime, on: dt.date
) -> CellReader:
    """A reader that knows the staff and the fields of the regulations in force."""
    return CellReader(staff(session, workbook, on=on), zone, now, _fields(session, on=on))


def staff(session: Session, workbook: Workbook, *, on: dt.date) -> list[Person]:
    """The people of the department of a workbook, by number."""
    found = session.execute(
        sa.select(Employee.number, Employee.name)
        .where(Employee.department_id == workbook.department_id, presence.with_us(on=on))
        .order_by(Employee.number)
    )
    return [Person(number, name) for number, name in found]


def _fields(session: Session, *, on: dt.date) -> dict[str, FieldEntry]:
    found: dict[str, FieldEntry] = {}
    for version in policies.all_in_force(session, on=on):
        for entry in policies.pack(session, version).field:
            found.setdefault(entry.key, entry)
    return found
