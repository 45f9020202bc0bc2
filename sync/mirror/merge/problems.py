"""The open problems of a workbook while one of its tabs is merged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from enums import ProblemKind, Resolution
from models import Workbook, WorkbookProblem
from sync.mirror import state
from sync.mirror.state import RowState

OF_A_CELL = frozenset({ProblemKind.conflict, ProblemKind.refused})
"""Problems of which a cell has one at a time; of the others a case may have many."""


class OpenProblems:
    """The problems of a workbook that are not settled, the oldest first."""

    def __init__(self, session: Session, workbook: Workbook, *, now: dt.datetime) -> None:
        self._session, self._workbook, self._now = session, workbook, now
        self._open = state.open_problems(session, workbook)

    def __iter__(self) -> Iterator[WorkbookProblem]:
        """Go over the problems as they are now; settling one meanwhile does no harm."""
        return iter(self._open)

    def of_row(self, row: RowState) -> list[WorkbookProblem]:
        """The problems of a row."""
        return [p for p in self._open if p.row_id is not None and p.row_id == row.id]

    def of_cell(self, row: RowState, name: str) -> WorkbookProblem | None:
        """The conflict or refusal of a cell."""
        found = (p for p in self.of_row(row) if p.field == name and p.kind in OF_A_CELL)
        return next(found, None)

    def of_typed_rows(self, kind: ProblemKind = ProblemKind.refused) -> list[WorkbookProblem]:
        """The problems of a kind, refusals if not told, with typed rows that are no case yet."""
        return [p for p in self._open if p.kind is kind and p.row_id is None]

    def settle(self, problem: WorkbookProblem, choice: Resolution) -> None:
        """End a problem as a person chose, or else as `choice` says."""
        problem.choice = problem.choice or choice
        problem.settled_at = self._now
        self._open = [p for p in self._open if p is not problem]

    def report(
        self,
        row: RowState | None,
        kind: ProblemKind,
        *,
        field: str | None,
        code: str,
        theirs: str | None,
        base: str | None = None,
        ours: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Report a problem to the administrator, once for the same text.

        A cell has one problem at a time, so a new text takes the place of the one before. Texts
        in several lines of one case are reported one by one.
        """
        row_id = row.id if row else None
        if self._is_known(row_id, kind, field=field, theirs=theirs, ours=ours):
            return
        found = WorkbookProblem(
            sheet_id=self._workbook.id,
            row_id=row_id,
            complaint_id=row.case if row else None,
            kind=kind,
            field=field,
            code=code,
            facts=dict(facts or {}),
            base=base,
            ours=ours,
            theirs=theirs,
            found_at=self._now,
        )
        self._session.add(found)
        self._open.append(found)

    def _is_known(
        self,
        row_id: int | None,
        kind: ProblemKind,
        *,
        field: str | None,
        theirs: str | None,
        ours: str | None,
    ) -> bool:
        """Whether the text was reported before; a problem that it replaces is settled."""
        for known in self._open:
            if (known.row_id, known.kind, known.field) != (row_id, kind, field):
                continue
            if known.theirs == theirs:
                known.ours = ours
                return True
            if kind in OF_A_CELL and row_id is not None and known.choice is None:
                self.settle(known, Resolution.over)
        return False
