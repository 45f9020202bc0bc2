"""Copies of a workbook beside it: each is noticed once and taken in where a person says so."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import ProblemKind, Resolution
from models import Workbook, WorkbookProblem
from services.jobs.leases import LeaseLost
from sync.mirror import workbook_problems
from sync.mirror.merge.context import DisplayContext
from sync.mirror.merge.tab import LookStopped
from sync.mirror.plan import LookPlan
from sync.port import Copy, TabLayout, WorkbookError, WorkbookPicture, WorkbookPort

log = logging.getLogger(__name__)

PASSING = frozenset({"busy", "missing"})
"""Errors of a copy that is written at this moment; any other tells what it is for as long as it
stands as it does.
"""

Sessions = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class CopyReader:
    """Reads the copies of one workbook; `strangers` are those that turned out not to be ours."""

    reading: Sessions
    writing: Sessions
    port: WorkbookPort
    workbook_id: int
    strangers: set[str]
    display: DisplayContext

    def look(self, tabs: Sequence[TabLayout], *, now: dt.datetime) -> None:
        """Look at every copy that is new, and at those that a person wants to be taken in."""
        met = [copy for copy in self.port.copies() if copy.fingerprint not in self.strangers]
        if not met:
            return
        with self.reading() as session:
            others = sa.select(Workbook.name).where(Workbook.id != self.workbook_id)
            names = {name.casefold() for name in session.scalars(others)}
            known = {
                problem.facts.get("fingerprint"): (problem.id, _choice(problem))
                for problem in self._known(session)
            }
        for copy in met:
            if copy.readable and Path(copy.name).stem.casefold() in names:
                continue  # another workbook, whose name may begin like ours
            problem_id, choice = known.get(copy.fingerprint, (None, None))
            if problem_id is None or choice is Resolution.sheet:
                self._look_safely(copy, tabs, problem_id=problem_id, now=now)

    def _known(self, session: Session) -> Sequence[WorkbookProblem]:
        """The problems under which copies were noticed, be they settled or not."""
        return session.scalars(
            sa.select(WorkbookProblem).where(
                WorkbookProblem.sheet_id == self.workbook_id,
                WorkbookProblem.kind == ProblemKind.copy,
            )
        ).all()

    def _look_safely(
        self, copy: Copy, tabs: Sequence[TabLayout], *, problem_id: int | None, now: dt.datetime
    ) -> None:
        """Look at a copy; whatever goes wrong with it must not keep the workbook waiting."""
        try:
            self._look_at(copy, tabs, problem_id=problem_id, now=now)
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("a copy of workbook %s could not be taken in", self.workbook_id)
            facts = {"error": type(error).__name__}
            self._report(copy, "copy_failed", facts, problem_id=problem_id, now=now)

    def _report(
        self,
        copy: Copy,
        code: str,
        facts: Mapping[str, object],
        *,
        problem_id: int | None,
        now: dt.datetime,
    ) -> None:
        """Report a copy, or of a known one that what a person chose could not be done."""
        with self.writing() as session:
            if problem_id is not None:
                problem = session.get_one(WorkbookProblem, problem_id)
                problem.code, problem.choice = code, None
                problem.facts = {**problem.facts, **facts}
                return
            workbook = session.get_one(Workbook, self.workbook_id)
            facts = {"name": copy.name, "fingerprint": copy.fingerprint, **facts}
            workbook_problems.report(
                session, workbook, ProblemKind.copy, code=code, facts=facts, now=now
            )

    def _look_at(
        self, copy: Copy, tabs: Sequence[TabLayout], *, problem_id: int | None, now: dt.datetime
    ) -> None:
        if not copy.readable:
            self._report(copy, "other_type", {}, problem_id=problem_id, now=now)
            return
        try:
            picture = self.port.beside(copy.name).read(tabs)
        except WorkbookError as error:
            if problem_id is not None:
                facts = {"error": error.code}
                self._report(copy, "copy_failed", facts, problem_id=problem_id, now=now)
            elif error.code not in PASSING:
                self.strangers.add(copy.fingerprint)
            return
        if not self._is_ours(copy, picture):
            self.strangers.add(copy.fingerprint)
        elif problem_id is None:
            stamp = {"stamp": picture.stamp}
            self._report(copy, "copy_found", stamp, problem_id=None, now=now)
        else:
            with self.writing() as session:
                workbook = session.get_one(Workbook, self.workbook_id)
                problem = session.get_one(WorkbookProblem, problem_id)
                self._take_in(session, workbook, picture, problem=problem, now=now)

    def _is_ours(self, copy: Copy, picture: WorkbookPicture) -> bool:
        """Whether a workbook is a copy of ours: its mark says so, or in an older one its name."""
        if picture.stamp is None or "open" not in picture.tabs:
            return False
        if picture.owner and self.port.owner:
            return picture.owner == self.port.owner
        return copy.named

    def _take_in(
        self,
        session: Session,
        workbook: Workbook,
        picture: WorkbookPicture,
        *,
        problem: WorkbookProblem,
        now: dt.datetime,
    ) -> None:
        try:
            plan = LookPlan(session, workbook, (), picture, self.display, now)
            plan.take_copy()
            if not plan.portion.left_over:
                problem.settled_at = now
        except LookStopped as stop:
            problem.code, problem.choice = stop.damage.code, None


def _choice(problem: WorkbookProblem) -> Resolution | None:
    """What a person chose; of a settled problem, that they saw it."""
    return problem.choice if problem.settled_at is None else Resolution.seen
