"""One look at one workbook: read, guard, merge, deeds, commit, write, verify.

The base of a look is committed with the inputs that it took in, before the workbook is written,
because the workbook itself says which look it comes from: killed at any point, the next look goes
on from there.
"""

from __future__ import annotations

import datetime as dt
import enum
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

import wording
from enums import Audience, ProblemKind, Resolution
from models import Workbook, WorkbookLook
from services.jobs.leases import LeaseLost
from sync.mirror import failures, state, tab_layout, workbook_problems
from sync.mirror.copies import CopyReader, Sessions
from sync.mirror.merge.context import DisplayContext
from sync.mirror.merge.guard import Damage
from sync.mirror.merge.tab import LookStopped
from sync.mirror.plan import REFRESH, LookPlan, layout_mark, tab_of
from sync.port import Holder, TabLayout, WorkbookError, WorkbookPicture, WorkbookPort, WorkbookWrite

log = logging.getLogger(__name__)

LAST = "last.xlsx"


class LookOutcome(enum.Enum):
    """How a look ended."""

    quiet = "quiet"  # nothing to do
    read = "read"  # an input was taken in or waits, the workbook did not have to change
    wrote = "wrote"  # the workbook was written
    held = "held"  # it is open somewhere; it was read and will be written later
    stopped = "stopped"  # the guard stopped the look
    failed = "failed"  # the workbook could not be read or written
    paused = "paused"


@dataclass
class Mirror:
    """One workbook and its rows in the record.

    `reading` and `writing` open sessions, `writing` commits at its end. `kept` is a folder of
    ours for copies of the workbook. `clock` says what time it is (aware). `strangers` are copies
    that turned out not to be ours.
    """

    reading: Sessions
    writing: Sessions
    port: WorkbookPort
    workbook_id: int
    kept: Path
    zone: ZoneInfo
    language: str
    address: str
    clock: Callable[[], dt.datetime]
    held_after: dt.timedelta = dt.timedelta(minutes=15)
    strangers: set[str] = field(default_factory=set)
    refusal: WorkbookError | None = None  # why no workbook may be looked at now
    left_over: bool = field(default=False, init=False)  # something waits for the next look
    met: str | None = field(default=None, init=False)  # the fingerprint this look met

    def look(self) -> LookOutcome:
        """Look at the workbook once; whatever goes wrong is reported and not raised.

        Raises LeaseLost where another worker has taken over.
        """
        began, self.met, self.left_over = self.clock(), None, False
        with wording.speaking(self.language, self.zone):
            try:
                return self._look(began)
            except LeaseLost:
                raise
            except WorkbookError as error:
                log.info("workbook %s: %s", self.workbook_id, error)
                self._report(error, began=began)
            except Exception as error:
                # A fault of ours that nobody sees would stop a department for good.
                log.exception("workbook %s could not be looked at", self.workbook_id)
                self._report(failures.unexpected(error), began=began)
        return LookOutcome.failed

    def _report(self, error: WorkbookError, *, began: dt.datetime) -> None:
        with self.writing() as session:
            workbook = self._workbook(session)
            failures.report(session, workbook, error, fingerprint=self.met, now=began)

    def _look(self, began: dt.datetime) -> LookOutcome:
        if self.refusal is not None:
            raise self.refusal
        with self.reading() as session:
            workbook = self._workbook(session)
            if workbook.paused_at is not None:
                return LookOutcome.paused
            tabs = tab_layout.of(session, workbook, on=self._day(began))
            known, made = workbook.fingerprint, workbook.pass_number > 0
        fingerprint = self.met = self.port.fingerprint()
        if fingerprint is None and known is not None and made:
            return self._wait_for_save(began)
        fingerprint = fingerprint or self._make(tabs, made=made)
        if self._undo(fingerprint):
            return LookOutcome.wrote
        holder = self.port.holder()
        self._copies.look(tabs, now=began)
        with self.reading() as session:
            same = fingerprint == known
            busy = self._has_to_work(session, tabs, same=same, holder=holder, now=began)
        if not busy:
            with self.writing() as session:
                workbook = self._workbook(session)
                self._note_look(session, workbook, holder, began=began)
                failures.end(workbook)
            return LookOutcome.quiet
        return self._work(tabs, self.port.read(tabs), holder, began=began)

    def _work(
        self,
        tabs: Sequence[TabLayout],
        picture: WorkbookPicture,
        holder: Holder | None,
        *,
        began: dt.datetime,
    ) -> LookOutcome:
        """Take in what is new and write what differs."""
        with self.writing() as session:
            workbook = self._workbook(session)
            try:
                self._refuse_foreign(session, workbook, picture)
                look = LookPlan(session, workbook, tabs, picture, self._display, began)
                plan = look.make()
                self.left_over = look.portion.left_over
            except LookStopped as stop:
                workbook_problems.report_damage(
                    session, workbook, stop.damage, fingerprint=picture.fingerprint, now=began
                )
                failures.end(workbook)
                return LookOutcome.stopped
            self._note_look(session, workbook, holder, began=began, picture=picture)
            if plan is None or holder is not None:
                failures.end(workbook)
            if workbook.settled or not workbook_problems.is_trusted(session, workbook):
                # What a person accepted holds until every input in it was taken in.
                workbook_problems.settle(session, workbook, ProblemKind.structure, now=began)
        if plan is None:
            self._keep_last()
            return LookOutcome.read
        if holder is not None:
            return LookOutcome.held
        return self._write(tabs, picture, plan)

    def _refuse_foreign(
        self, session: Session, workbook: Workbook, picture: WorkbookPicture
    ) -> None:
        """Stop at a workbook of another installation or department under the name of this one."""
        found, ours = picture.owner, self.port.owner
        if not found or not ours or found == ours:
            return
        if not workbook_problems.is_trusted(session, workbook):
            same = found.partition(".")[0] == ours.partition(".")[0]
            raise LookStopped(Damage("other_workbook" if same else "other_installation", {}))

    def _write(
        self, tabs: Sequence[TabLayout], picture: WorkbookPicture, plan: WorkbookWrite
    ) -> LookOutcome:
        fingerprint = self._replaced(tabs, picture, plan)
        now = self.clock()
        with self.writing() as session:
            workbook = self._workbook(session)
            workbook.fingerprint, workbook.file_pass = fingerprint, plan.stamp
            workbook.written_at = now
            failures.end(workbook)
            workbook_problems.settle(session, workbook, ProblemKind.file, now=now)
            session.execute(
                sa.update(WorkbookLook)
                .where(WorkbookLook.sheet_id == workbook.id, WorkbookLook.number == plan.stamp)
                .values(written_at=now)
            )
        self._keep_last()
        return LookOutcome.wrote

    def _replaced(
        self, tabs: Sequence[TabLayout], picture: WorkbookPicture, plan: WorkbookWrite
    ) -> str:
        """Write the workbook; its fingerprint."""
        with self._writes():
            return self.port.write(picture, tabs, plan)

    def _keep_last(self) -> None:
        """Keep a copy of the workbook, from which it can be made again."""
        with self._writes():
            self.port.keep(self.kept, LAST)

    @contextmanager
    def _writes(self) -> Iterator[None]:
        """Let what goes wrong say that it came while writing, so that reading does not end it."""
        try:
            yield
        except WorkbookError as error:
            error.facts[workbook_problems.WRITING] = True
            raise
        except Exception as error:
            log.exception("workbook %s could not be written", self.workbook_id)
            failure = failures.unexpected(error)
            failure.facts[workbook_problems.WRITING] = True
            raise failure from error

    # ------------------------------------------------------------ is there anything to do

    def _has_to_work(
        self,
        session: Session,
        tabs: Sequence[TabLayout],
        *,
        same: bool,
        holder: Holder | None,
        now: dt.datetime,
    ) -> bool:
        """Whether the workbook, a person's choice or the record gives this look anything to do."""
        workbook = self._workbook(session)
        problems = state.open_problems(session, workbook)
        if any(problem.choice for problem in problems):
            return True
        if same and state.workbook_problem(problems, ProblemKind.structure):
            return False  # it was looked at already; a person has to decide
        behind = workbook.file_pass != workbook.pass_number and holder is None
        if not (same and workbook.settled) or behind:
            return True
        return self._has_news(session, workbook, tabs, now=now)

    def _has_news(
        self, session: Session, workbook: Workbook, tabs: Sequence[TabLayout], *, now: dt.datetime
    ) -> bool:
        """Whether the record has anything that the workbook does not show."""
        if workbook.refreshed_at is None or now - workbook.refreshed_at > REFRESH:
            return True
        if workbook.seen != layout_mark(session, workbook, tabs, now=now):
            return True
        if workbook.audience is Audience.payroll:
            return False
        tab = tab_of(session, workbook, "open")
        since = workbook.today_at or workbook.refreshed_at
        return (
            self._day(since) != self._day(now)
            or state.has_news(session, workbook, tab)
            or state.became_overdue(session, workbook, since=since, now=now)
        )

    def _note_look(
        self,
        session: Session,
        workbook: Workbook,
        holder: Holder | None,
        *,
        began: dt.datetime,
        picture: WorkbookPicture | None = None,
    ) -> None:
        """Note that the workbook was looked at, and by whom it is held."""
        workbook.looked_at = began
        if workbook.settled:
            workbook.complete_at = began
        if picture is not None:
            workbook.fingerprint, workbook.saved_at = picture.fingerprint, picture.saved_at
            workbook.file_pass = picture.stamp
        workbook.held_by = holder.name[:120] if holder else None
        workbook.held_since = holder.since if holder else None
        workbook_problems.settle_read(session, workbook, now=began)
        if holder is not None and began - holder.since > self.held_after:
            workbook_problems.tell_held(session, workbook, holder, now=began)

    # ------------------------------------------------------------ the file itself

    def _wait_for_save(self, began: dt.datetime) -> LookOutcome:
        """Wait for the next look: a program that saves takes the old file away first."""
        with self.writing() as session:
            workbook = self._workbook(session)
            workbook.fingerprint, workbook.looked_at = None, began
        return LookOutcome.read

    def _make(self, tabs: Sequence[TabLayout], *, made: bool) -> str:
        """Make a workbook; where there was one, from its last copy with all inputs."""
        last = self.kept / LAST
        if made and last.exists():
            return self.port.put(last, None)
        return self.port.make(tabs)

    def _undo(self, fingerprint: str) -> bool:
        """Put the last good workbook back where a person chose that; the other is kept aside."""
        with self.reading() as session:
            workbook = self._workbook(session)
            problem = workbook_problems.structural(session, workbook)
            name, chosen = workbook.name, problem and problem.choice is Resolution.undo
        last = self.kept / LAST
        if not chosen or not last.exists():
            return False
        now = self.clock()
        self.port.keep(self.kept, f"{name} {now.astimezone(self.zone):%Y-%m-%d %H%M%S}.xlsx")
        restored = self.port.put(last, fingerprint)
        with self.writing() as session:
            workbook = self._workbook(session)
            workbook.fingerprint, workbook.settled = restored, False
            workbook_problems.settle(session, workbook, ProblemKind.structure, now=now)
        return True

    # ------------------------------------------------------------ parts of a look

    @cached_property
    def _display(self) -> DisplayContext:
        return DisplayContext(self.zone, self.address)

    @property
    def _copies(self) -> CopyReader:
        return CopyReader(
            reading=self.reading,
            writing=self.writing,
            port=self.port,
            workbook_id=self.workbook_id,
            strangers=self.strangers,
            display=self._display,
        )

    def _workbook(self, session: Session) -> Workbook:
        return session.get_one(Workbook, self.workbook_id)

    def _day(self, at: dt.datetime) -> dt.date:
        return at.astimezone(self.zone).date()
