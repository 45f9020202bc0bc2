"""Copies of a workbook beside it: each is noticed once and taken in where a person says so."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
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
        for copy in self.port.copies():
            if copy.fingerprint in self.strangers:
                continue
            with self.reading() as session:
                if _is_workbook(session, Path(copy.name).stem):
                    continue  # another department's, whose name begins like ours
                known = self._known(session, copy.fingerprint)
                fresh = known is None or _choice(known) is Resolution.sheet
                problem_id = known.id if known else None
            if fresh:
                self._look_safely(copy, tabs, problem_id=problem_id, now=now)

    def _known(self, session: Session, fingerprint: str) -> WorkbookProblem | None:
        """The problem under which a copy was noticed, be it settled or not."""
        rows = session.scalars(
            sa.select(WorkbookProblem).where(
                WorkbookProblem.sheet_id == self.workbook_id,
                WorkbookProblem.kind == ProblemKind.copy,
            )
        )
        return next((row for row in rows if row.facts.get("fingerprint") == fingerprint), None)

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
            facts = {"name": copy.name, "fingerprint": copy.fingerprint}
            with self.writing() as session:
                workbook = session.get_one(Workbook, self.workbook_id)
                if problem_id is not None:
                    problem = session.get_one(WorkbookProblem, problem_id)
                    problem.code, problem.choice = "copy_failed", None
                    problem.facts = {**problem.facts, "error": type(error).__name__}
                    return
                facts["error"] = type(error).__name__
                workbook_problems.report(
                    session, workbook, ProblemKind.copy, code="copy_failed", facts=facts, now=now
                )

    def _look_at(
        self, copy: Copy, tabs: Sequence[TabLayout], *, problem_id: int | None, now: dt.datetime
    ) -> None:
        try:
            picture = self.port.beside(copy.name).read(tabs)
        except WorkbookError:
            return
        if picture.stamp is None or "open" not in picture.tabs:
            self.strangers.add(copy.fingerprint)
            return
        with self.writing() as session:
            workbook = session.get_one(Workbook, self.workbook_id)
            if problem_id is None:
                facts = {
                    "name": copy.name,
                    "fingerprint": copy.fingerprint,
                    "stamp": picture.stamp,
                }
                workbook_problems.report(
                    session, workbook, ProblemKind.copy, code="copy_found", facts=facts, now=now
                )
                return
            problem = session.get_one(WorkbookProblem, problem_id)
            self._take_in(session, workbook, picture, problem=problem, now=now)

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


def _is_workbook(session: Session, name: str) -> bool:
    return session.scalar(sa.select(Workbook.id).where(Workbook.name == name)) is not None


def _choice(problem: WorkbookProblem) -> Resolution | None:
    """What a person chose; of a settled problem, that they saw it."""
    return problem.choice if problem.settled_at is None else Resolution.seen
