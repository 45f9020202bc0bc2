"""The plan of a look at a workbook that was read: what is taken in, and what is written."""

from __future__ import annotations

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from enums import Audience, CellDeed
from models import Workbook, WorkbookLook, WorkbookTab
from services.workbooks import layout
from sync.mirror import case_cells, generated_tabs, state, tab_layout, workbook_problems
from sync.mirror.merge import context
from sync.mirror.merge.context import DisplayContext, InputSource
from sync.mirror.merge.guard import Damage
from sync.mirror.merge.portion import Portion
from sync.mirror.merge.tab import LookStopped, TabMerge
from sync.mirror.state import Cells
from sync.port import Cells as CellWrites
from sync.port import ColumnLayout, TabLayout, TabPicture, WorkbookPicture, WorkbookWrite
from wording import workbook_text

REFRESH = dt.timedelta(hours=1)
"""So often every row is compared with the record, whatever its versions say."""

TabWrites = dict[str, CellWrites]
"""The cells to write, by key of the tab."""


@dataclass(frozen=True)
class LookPlan:
    """A look at a workbook that was read, in a session that writes."""

    session: Session
    workbook: Workbook
    tabs: Sequence[TabLayout]
    picture: WorkbookPicture
    display: DisplayContext
    now: dt.datetime
    portion: Portion = field(default_factory=Portion)

    def make(self) -> WorkbookWrite | None:
        """Take in what is new and return what to write; None for nothing. Raises LookStopped."""
        workbook = self.workbook
        stamp = self._stamp()
        workbook.seen = layout_mark(self.session, workbook, self.tabs, now=self.now)
        if workbook.audience is Audience.payroll:
            return self._numbered(self._payroll_tabs(), None)
        source = InputSource(
            grid=self._tab("open"),
            stamp=stamp,
            since=workbook.complete_at or self.picture.saved_at,
            at=self.picture.saved_at,
            live=workbook.file_pass == stamp,
            trusted=workbook_problems.is_trusted(self.session, workbook),
        )
        merge = self._merged(source)
        cells = self._department_tabs(merge)
        workbook.today_at = self.now
        return self._numbered(cells, merge)

    def take_copy(self) -> None:
        """Take in a copy; the workbook itself is written by the next look. Raises LookStopped."""
        source = InputSource(
            grid=self._tab("open"),
            stamp=self._stamp(),
            since=self.workbook.complete_at or self.picture.saved_at,
            at=self.picture.saved_at,
            live=False,
            at_once=True,
            trusted=True,
        )
        merge = self._merged(source)
        self._numbered({"open": merge.output.cells}, merge)

    def _merged(self, source: InputSource) -> TabMerge:
        tab = tab_of(self.session, self.workbook, "open")
        refreshed = self.workbook.refreshed_at
        thorough = refreshed is None or self.now - refreshed > REFRESH
        loaded = context.load(
            self.session,
            self.workbook,
            tab,
            source=source,
            display=self.display,
            now=self.now,
            portion=self.portion,
        )
        merge = TabMerge(loaded, thorough=thorough)
        merge.run()
        if thorough:
            self.workbook.refreshed_at = self.now
        return merge

    # ------------------------------------------------------------ the look the workbook is from

    def _stamp(self) -> int:
        """The look from which the workbook comes. Raises LookStopped for one of no use."""
        workbook = self.workbook
        stamp = self.picture.stamp
        if stamp is None:
            stamp = self._accepted_stamp()
        if stamp > workbook.pass_number:
            raise LookStopped(Damage("from_future", {"stamp": stamp}))
        ours = any(row.cells.get("uid") for tab in self.picture.tabs.values() for row in tab.rows)
        of_department = workbook.audience is Audience.department and ours
        if of_department and state.is_forgotten(self.session, workbook, stamp, now=self.now):
            raise LookStopped(Damage("too_old", {"stamp": stamp}))
        return stamp

    def _accepted_stamp(self) -> int:
        """The last look, for a workbook without a mark that a person accepted."""
        workbook = self.workbook
        if workbook.audience is Audience.department:
            self._tab("open")  # where more is gone than the mark, that is reported
        if not workbook_problems.is_trusted(self.session, workbook):
            raise LookStopped(Damage("mark_gone", {}))
        return workbook.file_pass or workbook.pass_number

    def _tab(self, key: str) -> TabPicture:
        """One of our tabs. Raises LookStopped where it or its column of ids is gone."""
        tab = self.picture.tabs.get(key)
        if tab is None:
            raise LookStopped(Damage("tab_gone", {"tab": workbook_text.tab_title(key)}))
        if "uid" not in tab.columns:
            raise LookStopped(Damage("id_gone", {}))
        return tab

    # ------------------------------------------------------------ the number of the look

    def _numbered(self, cells: TabWrites, merge: TabMerge | None) -> WorkbookWrite | None:
        """Store the look under its number and return what it writes; None for nothing."""
        workbook = self.workbook
        columns = self._missing_columns()
        took_in = merge is not None and (merge.changes or merge.agreed)
        if not (any(cells.values()) or columns or took_in):
            if self.picture.stamp == workbook.pass_number:
                return None
            return WorkbookWrite(workbook.pass_number, {})
        number = workbook.pass_number + 1
        counts = Counter(change.what.value for change in merge.changes) if merge else {}
        if merge is not None:
            merge.finish(number)
        self.session.add(
            WorkbookLook(
                sheet_id=workbook.id,
                number=number,
                base=self.picture.stamp,
                began_at=self.now,
                saved_at=self.picture.saved_at,
                counts=dict(counts),
            )
        )
        workbook.pass_number = number
        return WorkbookWrite(number, {key: tab for key, tab in cells.items() if tab}, columns)

    def _missing_columns(self) -> dict[str, list[ColumnLayout]]:
        """Our columns that tabs lack, by key of the tab."""
        found = {
            tab.key: [c for c in tab.columns if c.field not in read.columns and c.field != "uid"]
            for tab in self.tabs
            if (read := self.picture.tabs.get(tab.key)) is not None
        }
        return {key: missing for key, missing in found.items() if missing}

    # ------------------------------------------------------------ the tabs we make wholly

    def _department_tabs(self, merge: TabMerge) -> TabWrites:
        """The cells to write into every tab of a department."""
        assert self.workbook.department is not None
        staff = context.staff(self.session, self.workbook, on=self._day(self.now))
        rows: dict[str, list[Cells]] = {
            "today": generated_tabs.today(merge.cells_of_rows(), now=self.now),
            "people": generated_tabs.people(f"{one.name} ({one.number})" for one in staff),
        }
        if self._is_closed_stale(merge):
            rows["closed"] = self._closed()
        found = self._filled(rows)
        found["open"] = merge.output.cells
        name, address = self.workbook.department.name, self.display.address
        guide = workbook_text.guide_lines(department=name, address=address, written_at=self.now)
        return found | self._guide(guide, found)

    def _is_closed_stale(self, merge: TabMerge) -> bool:
        """Whether the closed cases can have changed: a row left, a day passed, an older file."""
        workbook = self.workbook
        left = any(change.what is CellDeed.blanked for change in merge.changes)
        shown_at = workbook.today_at
        new_day = shown_at is None or self._day(shown_at) != self._day(self.now)
        behind = self.picture.stamp != workbook.pass_number
        return left or new_day or behind or workbook.refreshed_at == self.now

    def _closed(self) -> list[Cells]:
        tab = tab_of(self.session, self.workbook, "closed")
        since = self.now - dt.timedelta(days=tab.days or 90)
        ids = state.closed_cases(self.session, self.workbook, tab, since=since)
        cells = case_cells.texts(self.session, ids)
        return [cells[case] for case in ids]

    def _payroll_tabs(self) -> TabWrites:
        """The cells to write into every tab of a payroll workbook."""
        year = self.workbook.year
        assert year is not None
        rows: dict[str, list[Cells]] = {
            tab_layout.month_key(month): generated_tabs.month(
                self.session, f"{year}-{month:02d}", now=self.now
            )
            for month in range(1, 13)
        }
        self.workbook.refreshed_at = self.now
        found = self._filled(rows)
        return found | self._guide(
            workbook_text.payroll_guide_lines(year=year, written_at=self.now), found
        )

    def _filled(self, rows: Mapping[str, Sequence[Cells]]) -> TabWrites:
        return {
            tab.key: generated_tabs.filled(read, tab, rows[tab.key], address=self.display.address)
            for tab in self.tabs
            if tab.key in rows and (read := self.picture.tabs.get(tab.key)) is not None
        }

    def _guide(self, guide: Sequence[tuple[str, str]], found: TabWrites) -> TabWrites:
        """The cells of the guide; an old last line alone, its date, is no reason to write."""
        cells = self._filled({"guide": generated_tabs.guide(guide)}).get("guide", {})
        stale = {at for at in cells if at != (len(guide) + 1, "text")}
        return {"guide": cells} if stale or any(found.values()) else {}

    def _day(self, at: dt.datetime) -> dt.date:
        return at.astimezone(self.display.zone).date()


def layout_mark(
    session: Session, workbook: Workbook, tabs: Sequence[TabLayout], *, now: dt.datetime
) -> str:
    """A mark of what a workbook shows besides cases: its layout and the penalties of its year."""
    shape = f"{zlib.crc32(repr(tabs).encode()):08x}"
    if not workbook.year:
        return shape
    return f"{shape} {generated_tabs.paid(session, workbook.year, now=now)}"


def tab_of(session: Session, workbook: Workbook, key: str) -> WorkbookTab:
    """The record of one of our tabs."""
    return next(tab for tab in layout.tabs(session, workbook.audience) if tab.key == key)
