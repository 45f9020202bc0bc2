"""One look at one file: read, guard, merge, do, commit, write, verify, remember.

The base of a pass is committed with what it took in, before the file is written, because the file
itself says which pass it comes from: killed at any point, the next look goes on from there.
"""

from __future__ import annotations

import datetime as dt
import enum
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

import wording
from enums import Audience, CellDeed, ProblemKind, Resolution
from models import Workbook, WorkbookLook, WorkbookProblem, WorkbookTab
from services.notices import notices
from services.workbooks import layout
from sync.mirror import case_cells, generated_tabs, state, tab_layout
from sync.mirror.row_matching import Damage
from sync.mirror.state import KEPT_PASSES, Cells
from sync.mirror.tab_pass import DisplayContext, InputSource, PassStopped, TabPass, staff
from sync.port import (
    Holder,
    TabLayout,
    WorkbookChanged,
    WorkbookError,
    WorkbookPicture,
    WorkbookPort,
    WorkbookUnavailable,
    WorkbookWrite,
)
from wording import workbook_text

log = logging.getLogger(__name__)

PATIENCE = dt.timedelta(seconds=60)
"""So long a file may be half written or busy before somebody is told."""
REFRESH = dt.timedelta(hours=1)
"""So often every row is compared with the record, whatever the versions say."""
LAST = "last.xlsx"
OF_WRITING = frozenset({"not_writable", "disk_full"})
"""Problems that are over when the file was written, and not already when it can be read."""


class LookOutcome(enum.Enum):
    """How a look ended."""

    quiet = "quiet"  # nothing to do
    read = "read"  # something was taken in or waits, the file did not have to change
    wrote = "wrote"  # the file was written
    held = "held"  # it is open somewhere; it was read and will be written later
    stopped = "stopped"  # the guard stopped the pass
    failed = "failed"  # the file could not be read or written
    paused = "paused"


Sessions = Callable[[], AbstractContextManager[Session]]


@dataclass
class Mirror:
    """One file and its rows in the record.

    `reading` and `writing` open sessions, `writing` commits at its end. `kept` is a folder of
    ours for copies of the file. `clock` says what time it is (aware).
    """

    reading: Sessions
    writing: Sessions
    book: WorkbookPort
    sheet_id: int
    kept: Path
    zone: ZoneInfo
    language: str
    address: str
    clock: Callable[[], dt.datetime]
    held_after: dt.timedelta = dt.timedelta(minutes=15)
    strangers: set[str] = field(default_factory=set)  # copies that turned out not to be ours

    def look(self) -> LookOutcome:
        """Look at the file once; whatever is wrong with it is written down, nothing is raised."""
        began = self.clock()
        with wording.speaking(self.language, self.zone):
            try:
                return self._look(began)
            except WorkbookError as error:
                log.info("sheet %s: %s", self.sheet_id, error)
                with self.writing() as session:
                    self._trouble(session, self._sheet(session), error, began)
                return LookOutcome.failed

    def _look(self, began: dt.datetime) -> LookOutcome:
        with self.reading() as session:
            workbook = self._sheet(session)
            if workbook.paused_at is not None:
                return LookOutcome.paused
            spec = tab_layout.of(session, workbook, on=self._day(began))
            known, made = workbook.fingerprint, workbook.pass_number > 0
        fingerprint = self.book.fingerprint()
        if fingerprint is None and known is not None and made:
            return self._missed(began)
        fingerprint = fingerprint or self._found_anew(spec, made=made)
        if self._undo(fingerprint):
            return LookOutcome.wrote
        holder = self.book.holder()
        self._copies(spec, began)
        with self.reading() as session:
            busy = self._has_to_work(session, spec, fingerprint == known, holder, began)
        if not busy:
            with self.writing() as session:
                self._looked(session, self._sheet(session), holder, began)
            return LookOutcome.quiet
        return self._work(spec, self.book.read(spec), holder, began)

    def _work(
        self,
        spec: Sequence[TabLayout],
        picture: WorkbookPicture,
        holder: Holder | None,
        began: dt.datetime,
    ) -> LookOutcome:
        """Take in what is new and write what is not as it should be."""
        with self.writing() as session:
            workbook = self._sheet(session)
            try:
                plan = self._planned(session, workbook, spec, picture, began)
            except PassStopped as stop:
                self._stop(session, workbook, stop.damage, picture, began)
                return LookOutcome.stopped
            self._looked(session, workbook, holder, began, picture=picture)
            if workbook.settled or not self._trusted(session, workbook):
                # What somebody accepted holds until everything in it was taken in.
                self._over(session, workbook, ProblemKind.structure, began)
        if plan is None:
            self.book.keep(self.kept, LAST)
            return LookOutcome.read
        if holder is not None:
            return LookOutcome.held
        return self._write(spec, picture, plan)

    def _write(
        self, spec: Sequence[TabLayout], picture: WorkbookPicture, plan: WorkbookWrite
    ) -> LookOutcome:
        fingerprint = self.book.write(picture, spec, plan)
        now = self.clock()
        with self.writing() as session:
            workbook = self._sheet(session)
            workbook.fingerprint, workbook.file_pass = fingerprint, plan.stamp
            workbook.written_at = now
            self._over(session, workbook, ProblemKind.file, now)
            session.execute(
                sa.update(WorkbookLook)
                .where(WorkbookLook.sheet_id == workbook.id, WorkbookLook.number == plan.stamp)
                .values(written_at=now)
            )
        self.book.keep(self.kept, LAST)
        return LookOutcome.wrote

    # ------------------------------------------------------------ what there is to do

    def _has_to_work(
        self,
        session: Session,
        spec: Sequence[TabLayout],
        same: bool,
        holder: Holder | None,
        now: dt.datetime,
    ) -> bool:
        workbook = self._sheet(session)
        behind = workbook.file_pass != workbook.pass_number and holder is None
        problems = state.problems(session, workbook)
        if any(problem.choice for problem in problems):
            return True
        if same and state.problem_of(problems, ProblemKind.structure):
            return False  # it was looked at already; somebody has to decide
        if not (same and workbook.settled) or behind:
            return True
        if workbook.refreshed_at is None or now - workbook.refreshed_at > REFRESH:
            return True
        if workbook.seen != _seen(session, workbook, spec):
            return True
        if workbook.audience is Audience.payroll:
            return False
        tab = _tab_of(session, workbook, "open")
        since = workbook.today_at or workbook.refreshed_at
        return (
            self._day(since) != self._day(now)
            or state.news(session, workbook, tab)
            or state.crossed(session, workbook, since=since, now=now)
        )

    # ------------------------------------------------------------ planning

    def _planned(
        self,
        session: Session,
        workbook: Workbook,
        spec: Sequence[TabLayout],
        picture: WorkbookPicture,
        now: dt.datetime,
    ) -> WorkbookWrite | None:
        """What to write; None where the file says all it should. Raises Stopped."""
        stamp = self._stamp(session, workbook, picture)
        workbook.seen = _seen(session, workbook, spec)
        if workbook.audience is Audience.payroll:
            cells = self._months(session, workbook, spec, picture, now)
            return self._numbered(session, workbook, spec, picture, cells, None, now)
        source = InputSource(
            grid=_grid(picture, "open"),
            stamp=stamp,
            since=workbook.complete_at or picture.saved_at,
            at=picture.saved_at,
            live=workbook.file_pass == stamp,
            trusted=self._trusted(session, workbook),
        )
        taken = self._pass(session, workbook, source, now)
        cells = self._tabs(session, workbook, spec, picture, taken, now)
        workbook.today_at = now
        return self._numbered(session, workbook, spec, picture, cells, taken, now)

    def _pass(
        self, session: Session, workbook: Workbook, source: InputSource, now: dt.datetime
    ) -> TabPass:
        tab = _tab_of(session, workbook, "open")
        thorough = workbook.refreshed_at is None or now - workbook.refreshed_at > REFRESH
        taken = TabPass(
            session, workbook, tab, source, DisplayContext(self.zone, self.address), now, thorough
        )
        taken.run()
        if thorough:
            workbook.refreshed_at = now
        return taken

    def _stamp(self, session: Session, workbook: Workbook, picture: WorkbookPicture) -> int:
        """The pass the file comes from. Raises Stopped where that cannot be merged."""
        stamp = picture.stamp
        if stamp is None:
            stamp = self._unmarked(session, workbook, picture)
        if stamp > workbook.pass_number:
            raise PassStopped(Damage("from_future", {"stamp": stamp}))
        ours = any(line.cells.get("uid") for grid in picture.tabs.values() for line in grid.rows)
        forgotten = stamp < workbook.pass_number - KEPT_PASSES
        if workbook.audience is Audience.department and ours and forgotten:
            raise PassStopped(Damage("too_old", {"stamp": stamp}))
        return stamp

    def _unmarked(self, session: Session, workbook: Workbook, picture: WorkbookPicture) -> int:
        """The pass of a file without a mark, where somebody accepted it: that of the last look."""
        if workbook.audience is Audience.department:
            _grid(picture, "open")  # where more is gone than the mark, that is said
        if not self._trusted(session, workbook):
            raise PassStopped(Damage("mark_gone", {}))
        return workbook.file_pass or workbook.pass_number

    def _numbered(
        self,
        session: Session,
        workbook: Workbook,
        spec: Sequence[TabLayout],
        picture: WorkbookPicture,
        cells: dict[str, Any],
        taken: TabPass | None,
        now: dt.datetime,
    ) -> WorkbookWrite | None:
        """The writing under this pass's number, written down; None where nothing is to be done."""
        columns = {
            tab.key: [c for c in tab.columns if c.field not in grid.columns and c.field != "uid"]
            for tab in spec
            if (grid := picture.tabs.get(tab.key)) is not None
        }
        columns = {key: missing for key, missing in columns.items() if missing}
        changes = taken.changes if taken else []
        agreed = bool(taken and taken.agreed_by_id)
        if not (any(cells.values()) or columns or changes or agreed):
            if picture.stamp == workbook.pass_number:
                return None
            return WorkbookWrite(workbook.pass_number, {})
        number = workbook.pass_number + 1
        counts = Counter(change["what"].value for change in changes)
        if taken is not None:
            taken.finish()
        session.add(
            WorkbookLook(
                sheet_id=workbook.id,
                number=number,
                base=picture.stamp,
                began_at=now,
                saved_at=picture.saved_at,
                counts=dict(counts),
            )
        )
        workbook.pass_number = number
        return WorkbookWrite(number, {k: c for k, c in cells.items() if c}, columns)

    # ------------------------------------------------------------ the tabs we make wholly

    def _tabs(
        self,
        session: Session,
        workbook: Workbook,
        spec: Sequence[TabLayout],
        picture: WorkbookPicture,
        taken: TabPass,
        now: dt.datetime,
    ) -> dict[str, Any]:
        assert workbook.department is not None
        name = workbook.department.name
        lines: dict[str, list[Cells]] = {
            "today": generated_tabs.today(taken.standing(), now=now),
            "people": generated_tabs.people(
                f"{one.name} ({one.number})" for one in staff(session, workbook, on=self._day(now))
            ),
        }
        if self._closed_is_stale(session, workbook, taken, picture, now):
            lines["closed"] = self._closed(session, workbook, now)
        guide = workbook_text.guide_lines(department=name, address=self.address, written_at=now)
        found = self._filled(spec, picture, lines)
        found["open"] = taken.cells
        return found | self._guide(spec, picture, guide, found)

    def _closed_is_stale(
        self,
        session: Session,
        workbook: Workbook,
        taken: TabPass,
        picture: WorkbookPicture,
        now: dt.datetime,
    ) -> bool:
        """Whether the finished cases can have changed: a row left, a day passed, an older file."""
        left = any(change["what"] is CellDeed.blanked for change in taken.changes)
        new_day = workbook.today_at is None or self._day(workbook.today_at) != self._day(now)
        return (
            left or new_day or picture.stamp != workbook.pass_number or workbook.refreshed_at == now
        )

    def _closed(self, session: Session, workbook: Workbook, now: dt.datetime) -> list[Cells]:
        tab = _tab_of(session, workbook, "closed")
        ids = state.finished(session, workbook, tab, since=now - dt.timedelta(days=tab.days or 90))
        said = case_cells.texts(session, ids)
        return [said[case] for case in ids]

    def _months(
        self,
        session: Session,
        workbook: Workbook,
        spec: Sequence[TabLayout],
        picture: WorkbookPicture,
        now: dt.datetime,
    ) -> dict[str, Any]:
        assert workbook.year is not None
        lines: dict[str, list[Cells]] = {
            tab_layout.month_key(number): generated_tabs.month(
                session, f"{workbook.year}-{number:02d}"
            )
            for number in range(1, 13)
        }
        workbook.refreshed_at = now
        found = self._filled(spec, picture, lines)
        guide = workbook_text.payroll_guide_lines(year=workbook.year, written_at=now)
        return found | self._guide(spec, picture, guide, found)

    def _filled(
        self,
        spec: Sequence[TabLayout],
        picture: WorkbookPicture,
        lines: Mapping[str, Sequence[Cells]],
    ) -> dict[str, Any]:
        return {
            tab.key: generated_tabs.filled(grid, tab, lines[tab.key], address=self.address)
            for tab in spec
            if tab.key in lines and (grid := picture.tabs.get(tab.key)) is not None
        }

    def _guide(
        self,
        spec: Sequence[TabLayout],
        picture: WorkbookPicture,
        guide: Sequence[tuple[str, str]],
        found: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The guide; that its last line, when it was written, is old is no reason to write."""
        cells = self._filled(spec, picture, {"guide": generated_tabs.guide(guide)}).get("guide", {})
        stale = {at for at in cells if at != (len(guide) + 1, "text")}
        return {"guide": cells} if stale or any(found.values()) else {}

    # ------------------------------------------------------------ noting what was seen

    def _looked(
        self,
        session: Session,
        workbook: Workbook,
        holder: Holder | None,
        began: dt.datetime,
        *,
        picture: WorkbookPicture | None = None,
    ) -> None:
        """Write down that the file was looked at, and by whom it is held."""
        workbook.looked_at = began
        if workbook.settled:
            workbook.complete_at = began
        if picture is not None:
            workbook.fingerprint, workbook.saved_at = picture.fingerprint, picture.saved_at
            workbook.file_pass = picture.stamp
        workbook.held_by = holder.name[:120] if holder else None
        workbook.held_since = holder.since if holder else None
        behind = workbook.file_pass != workbook.pass_number
        self._over(session, workbook, ProblemKind.file, began, but=OF_WRITING if behind else ())
        for known in state.problems(session, workbook):
            if known.kind is ProblemKind.copy and known.choice not in (None, Resolution.sheet):
                known.settled_at = began
        if holder is not None and began - holder.since > self.held_after:
            self._held_for_long(session, workbook, holder, began)

    def _held_for_long(
        self, session: Session, workbook: Workbook, holder: Holder, now: dt.datetime
    ) -> None:
        """Tell people whose open file keeps news from being written."""
        facts = {"who": holder.name, "minutes": int((now - holder.since).total_seconds() // 60)}
        occasion = holder.since.isoformat()
        if workbook.file_pass != workbook.pass_number:
            notices.add_notice(
                session,
                kind="file_held",
                occasion=occasion,
                now=now,
                workbook=workbook,
                facts=facts,
            )

    def _stop(
        self,
        session: Session,
        workbook: Workbook,
        damage: Damage,
        picture: WorkbookPicture,
        now: dt.datetime,
    ) -> None:
        """Write down why the pass stopped, once, and tell people."""
        workbook.looked_at = now
        workbook.fingerprint = picture.fingerprint
        workbook.settled = False
        for known in state.problems(session, workbook):
            if known.kind is ProblemKind.structure and known.code == damage.code:
                # What somebody chose could not be done: he has to choose something else.
                known.choice = known.chosen_at = known.chosen_by_id = None
                return
        self._over(session, workbook, ProblemKind.structure, now)
        facts = {"fingerprint": picture.fingerprint, **damage.facts}
        self._problem(session, workbook, ProblemKind.structure, damage.code, facts, now)

    def _undo(self, fingerprint: str) -> bool:
        """Put the last good file back, where somebody chose that; the other one is kept aside."""
        with self.reading() as session:
            workbook = self._sheet(session)
            found = state.problem_of(state.problems(session, workbook), ProblemKind.structure)
            name, chosen = workbook.name, found is not None and found.choice is Resolution.undo
        last = self.kept / LAST
        if not chosen or not last.exists():
            return False
        now = self.clock()
        self.book.keep(self.kept, f"{name} {now.astimezone(self.zone):%Y-%m-%d %H%M%S}.xlsx")
        restored = self.book.put(last, fingerprint)
        with self.writing() as session:
            workbook = self._sheet(session)
            workbook.fingerprint, workbook.settled = restored, False
            self._over(session, workbook, ProblemKind.structure, now)
        return True

    def _trusted(self, session: Session, workbook: Workbook) -> bool:
        found = state.problem_of(state.problems(session, workbook), ProblemKind.structure)
        return found is not None and found.choice is Resolution.accept

    def _trouble(
        self, session: Session, workbook: Workbook, error: WorkbookError, now: dt.datetime
    ) -> None:
        """Write down what is wrong with the file, once; what may pass by itself after a while."""
        workbook.looked_at = now
        if error.code == "mark_gone" or isinstance(error, WorkbookChanged):
            kind = ProblemKind.structure
        else:
            kind = ProblemKind.file
        since = workbook.complete_at or now - PATIENCE
        if isinstance(error, WorkbookUnavailable) and now - since < PATIENCE:
            return
        for known in state.problems(session, workbook):
            if known.kind is kind and known.code == error.code:
                return
        self._problem(session, workbook, kind, error.code, dict(error.facts), now)

    def _problem(
        self,
        session: Session,
        workbook: Workbook,
        kind: ProblemKind,
        code: str,
        facts: dict[str, Any],
        now: dt.datetime,
    ) -> None:
        found = WorkbookProblem(
            sheet_id=workbook.id, kind=kind, code=code, facts=facts, found_at=now
        )
        session.add(found)
        session.flush()
        notices.add_notice(
            session,
            kind="file_problem",
            occasion=str(found.id),
            now=now,
            workbook=workbook,
            facts={"code": code, "facts": facts},
        )

    def _over(
        self,
        session: Session,
        workbook: Workbook,
        kind: ProblemKind,
        now: dt.datetime,
        *,
        but: Collection[str] = (),
    ) -> None:
        """Settle problems of a kind, all but some codes: the file is fine again."""
        for known in state.problems(session, workbook):
            if known.kind is kind and known.row_id is None and known.code not in but:
                known.choice = known.choice or Resolution.over
                known.settled_at = now

    # ------------------------------------------------------------ the file itself

    def _missed(self, began: dt.datetime) -> LookOutcome:
        """Wait for the next look: a program that saves takes the old file away first."""
        with self.writing() as session:
            workbook = self._sheet(session)
            workbook.fingerprint, workbook.looked_at = None, began
        return LookOutcome.read

    def _found_anew(self, spec: Sequence[TabLayout], *, made: bool) -> str:
        """A new file; where there was one, its last copy with everything people had in it."""
        last = self.kept / LAST
        if made and last.exists():
            return self.book.put(last, None)
        return self.book.make(spec)

    # ------------------------------------------------------------ copies beside it

    def _copies(self, spec: Sequence[TabLayout], now: dt.datetime) -> None:
        """Notice copies of the file, and take in what was typed into one where somebody says so."""
        for copy in self.book.copies():
            if copy.fingerprint in self.strangers:
                continue
            with self.reading() as session:
                if session.scalar(
                    sa.select(Workbook.id).where(Workbook.name == Path(copy.name).stem)
                ):
                    continue  # another department's file, whose name begins like ours
                known = self._copy_problem(session, copy.fingerprint)
            if known is None or known[1] is Resolution.sheet:
                self._copy(spec, copy.name, copy.fingerprint, known, now)

    def _copy_problem(
        self, session: Session, fingerprint: str
    ) -> tuple[int, Resolution | None] | None:
        rows = session.scalars(
            sa.select(WorkbookProblem).where(
                WorkbookProblem.sheet_id == self.sheet_id, WorkbookProblem.kind == ProblemKind.copy
            )
        )
        for row in rows:
            if row.facts.get("fingerprint") == fingerprint:
                return row.id, row.choice if row.settled_at is None else Resolution.seen
        return None

    def _copy(
        self,
        spec: Sequence[TabLayout],
        name: str,
        fingerprint: str,
        known: tuple[int, Resolution | None] | None,
        now: dt.datetime,
    ) -> None:
        try:
            picture = self.book.beside(name).read(spec)
        except WorkbookError:
            return
        if picture.stamp is None or not picture.tabs.keys() & {"open"}:
            self.strangers.add(fingerprint)
            return
        with self.writing() as session:
            workbook = self._sheet(session)
            if known is None:
                facts = {"name": name, "fingerprint": fingerprint, "stamp": picture.stamp}
                self._problem(session, workbook, ProblemKind.copy, "copy_found", facts, now)
                return
            problem = session.get_one(WorkbookProblem, known[0])
            try:
                self._take_copy(session, workbook, picture, now)
                problem.settled_at = now
            except PassStopped as stop:
                problem.code, problem.choice = stop.damage.code, None

    def _take_copy(
        self, session: Session, workbook: Workbook, picture: WorkbookPicture, now: dt.datetime
    ) -> None:
        """What was typed into a copy becomes deeds; the file itself is written by the next look."""
        source = InputSource(
            grid=_grid(picture, "open"),
            stamp=self._stamp(session, workbook, picture),
            since=workbook.complete_at or picture.saved_at,
            at=picture.saved_at,
            live=False,
            at_once=True,
            trusted=True,
        )
        taken = self._pass(session, workbook, source, now)
        self._numbered(session, workbook, (), picture, {"open": taken.cells}, taken, now)

    # ------------------------------------------------------------ small things

    def _sheet(self, session: Session) -> Workbook:
        return session.get_one(Workbook, self.sheet_id)

    def _day(self, at: dt.datetime) -> dt.date:
        return at.astimezone(self.zone).date()


def _seen(session: Session, workbook: Workbook, spec: Sequence[TabLayout]) -> str:
    """A mark of what the file shows besides cases: its layout, and what was paid in its year."""
    shape = f"{zlib.crc32(repr(spec).encode()):08x}"
    return f"{shape} {generated_tabs.paid(session, workbook.year)}" if workbook.year else shape


def _tab_of(session: Session, workbook: Workbook, key: str) -> WorkbookTab:
    return next(tab for tab in layout.tabs(session, workbook.audience) if tab.key == key)


def _grid(picture: WorkbookPicture, key: str) -> Any:
    """One of our tabs. Raises Stopped where it or its column of ids is gone."""
    grid = picture.tabs.get(key)
    if grid is None:
        raise PassStopped(Damage("tab_gone", {"tab": workbook_text.tab_title(key)}))
    if "uid" not in grid.columns:
        raise PassStopped(Damage("id_gone", {}))
    return grid
