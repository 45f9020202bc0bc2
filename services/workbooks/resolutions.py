"""Resolutions: the problems a look could not decide, and the choices by which people settle them.

The next look carries the choice out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from enums import ProblemKind, Resolution
from models import (
    Workbook,
    WorkbookProblem,
)
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    ChoiceUnknown,
)
from services.jobs import requests
from services.workbooks import looks

_OF_A_ROW = (Resolution.record, Resolution.seen)


_OF_A_CELL = (Resolution.record, Resolution.sheet, Resolution.seen)


CHOICES: dict[ProblemKind, tuple[Resolution, ...]] = {
    ProblemKind.conflict: _OF_A_CELL,
    ProblemKind.refused: _OF_A_CELL,
    ProblemKind.repeated: _OF_A_ROW,
    ProblemKind.not_ours: _OF_A_ROW,
    ProblemKind.structure: (Resolution.undo, Resolution.accept),
    ProblemKind.file: (Resolution.seen,),
    ProblemKind.copy: (Resolution.sheet, Resolution.record, Resolution.seen),
    ProblemKind.vanished: (Resolution.sheet, Resolution.seen),
}
"""The resolutions a person may choose for a problem of each kind, the usual one first."""


def open_problems(
    session: Session, workbook: Workbook | None = None, *, limit: int | None = None
) -> Sequence[WorkbookProblem]:
    """Return the unsettled problems of one workbook or of all: those that stop it first, then by
    age.
    """
    stops = sa.case((WorkbookProblem.kind == ProblemKind.structure, 0), else_=1)
    statement = (
        sa.select(WorkbookProblem)
        .where(WorkbookProblem.settled_at.is_(None))
        .options(
            joinedload(WorkbookProblem.workbook).joinedload(Workbook.department),
            joinedload(WorkbookProblem.complaint),
            joinedload(WorkbookProblem.chosen_by),
        )
        .order_by(stops, WorkbookProblem.found_at, WorkbookProblem.id)
        .limit(limit)
    )
    if workbook is not None:
        statement = statement.where(WorkbookProblem.sheet_id == workbook.id)
    return session.scalars(statement).all()


def choose(
    session: Session,
    problem: WorkbookProblem,
    choice: Resolution,
    *,
    user_id: int | None,
    now: dt.datetime,
) -> None:
    """Choose the resolution of a problem; the next look, asked for at once, carries it out.

    Raises ChangedMeanwhile where a resolution was chosen already or the problem is settled,
    ChoiceUnknown where a problem of its kind cannot be resolved so.
    """
    session.refresh(problem, with_for_update={"of": WorkbookProblem})
    if problem.choice is not None or problem.settled_at is not None:
        raise ChangedMeanwhile(what="sheet_problem", key=str(problem.id))
    if choice not in CHOICES[problem.kind]:
        raise ChoiceUnknown(field="choice", value=choice)
    problem.choice, problem.chosen_at, problem.chosen_by_id = choice, now, user_id
    session.flush()
    requests.request_work(
        session, kind=looks.LOOK, key=str(problem.sheet_id), user_id=user_id, now=now
    )
