"""The state of each workbook: its last look, its open problems, paused or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from enums import ProblemKind, WorkbookState
from models import (
    Workbook,
    WorkbookLook,
    WorkbookProblem,
    WorkRequest,
)
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    NotFound,
)
from services.workbooks import looks

LATE_AFTER_LOOKS = 3


LATE_MARGIN = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class WorkbookStanding:
    """The state of a workbook: its last look, its open problems, and whether a look was asked for.

    `open` counts the unsettled problems by kind and code, `undecided` those among them that wait
    for a person's choice.
    """

    workbook: Workbook
    last_pass_at: dt.datetime | None = None
    asked_at: dt.datetime | None = None
    open: Mapping[tuple[ProblemKind, str], int] = field(default_factory=dict)
    undecided: int = 0

    def count(self, kind: ProblemKind) -> int:
        """Return how many problems of a kind are open."""
        return sum(number for (one, _code), number in self.open.items() if one is kind)

    @property
    def problems(self) -> int:
        """Return how many problems are open."""
        return sum(self.open.values())

    def by_kind(self) -> list[tuple[ProblemKind, int]]:
        """Return the kinds that have open problems, in the order of ProblemKind, and how many."""
        return [(kind, number) for kind in ProblemKind if (number := self.count(kind))]

    def lag(self, *, now: dt.datetime) -> dt.timedelta | None:
        """Return how long ago the last complete look began; None before the first."""
        return None if self.workbook.complete_at is None else now - self.workbook.complete_at

    @property
    def word(self) -> WorkbookState:
        """Return the state in one word; a problem a person must mend comes before the rest."""
        unreachable = any(kind is ProblemKind.file and code != "held" for kind, code in self.open)
        words = (
            (self.workbook.paused_at is not None, WorkbookState.paused),
            (self.count(ProblemKind.structure) > 0, WorkbookState.stopped),
            (unreachable, WorkbookState.unreachable),
            (self.workbook.held_by is not None, WorkbookState.waiting),
            (self.workbook.complete_at is None, WorkbookState.new),
        )
        return next((word for holds, word in words if holds), WorkbookState.working)


def is_late(state: WorkbookStanding, *, now: dt.datetime, seconds: int) -> bool:
    """Whether a workbook that is not paused was not read for much longer than the time between
    looks.

    `seconds` is that time; a workbook that was never read is new, not late.
    """
    lag = state.lag(now=now)
    if lag is None or state.workbook.paused_at is not None:
        return False
    return lag > LATE_AFTER_LOOKS * dt.timedelta(seconds=seconds) + LATE_MARGIN


def states(session: Session, *, sheet_id: int | None = None) -> list[WorkbookStanding]:
    """Return the state of every workbook (or of the one with that id), departments' first, by name.

    Two statements, whatever the number of workbooks.
    """
    asked = sa.and_(
        WorkRequest.kind == looks.LOOK,
        WorkRequest.key == sa.cast(Workbook.id, sa.String),
        WorkRequest.done_at.is_(None),
    )
    last = sa.and_(
        WorkbookLook.sheet_id == Workbook.id, WorkbookLook.number == Workbook.pass_number
    )
    statement = (
        sa.select(Workbook, WorkbookLook.began_at, WorkRequest.asked_at)
        .outerjoin(WorkbookLook, last)
        .outerjoin(WorkRequest, asked)
        .options(joinedload(Workbook.department), joinedload(Workbook.paused_by))
        .order_by(Workbook.audience, Workbook.name)
    )
    counted = _open_counts()
    if sheet_id is not None:
        statement = statement.where(Workbook.id == sheet_id)
        counted = counted.where(WorkbookProblem.sheet_id == sheet_id)
    counts: dict[int, dict[tuple[ProblemKind, str], int]] = {}
    undecided: dict[int, int] = {}
    for workbook, kind, code, number, waiting in session.execute(counted):
        counts.setdefault(workbook, {})[kind, code] = number
        undecided[workbook] = undecided.get(workbook, 0) + waiting
    return [
        WorkbookStanding(
            workbook, began_at, asked_at, counts.get(workbook.id, {}), undecided.get(workbook.id, 0)
        )
        for workbook, began_at, asked_at in session.execute(statement)
    ]


def _open_counts() -> sa.Select[int, ProblemKind, str, int, int]:
    waiting = sa.func.sum(sa.case((WorkbookProblem.choice.is_(None), 1), else_=0))
    return (
        sa.select(
            WorkbookProblem.sheet_id,
            WorkbookProblem.kind,
            WorkbookProblem.code,
            sa.func.count(),
            waiting,
        )
        .where(WorkbookProblem.settled_at.is_(None))
        .group_by(WorkbookProblem.sheet_id, WorkbookProblem.kind, WorkbookProblem.code)
    )


def state_of(session: Session, sheet_id: int) -> WorkbookStanding:
    """Return the state of the workbook with that id. Raises NotFound."""
    found = states(session, sheet_id=sheet_id)
    if not found:
        raise NotFound(what="sheet", key=str(sheet_id))
    return found[0]


def pause(session: Session, workbook: Workbook, *, user_id: int | None, now: dt.datetime) -> None:
    """Pause a workbook: from now on it is neither read nor written.

    Raises ChangedMeanwhile where it is paused already.
    """
    _lock(session, workbook)
    if workbook.paused_at is not None:
        raise ChangedMeanwhile(what="sheet", key=workbook.name)
    workbook.paused_at, workbook.paused_by_id = now, user_id
    session.flush()


def resume(session: Session, workbook: Workbook, *, user_id: int | None, now: dt.datetime) -> None:
    """Resume a paused workbook and ask for a look at once.

    Raises ChangedMeanwhile where it is not paused.
    """
    _lock(session, workbook)
    if workbook.paused_at is None:
        raise ChangedMeanwhile(what="sheet", key=workbook.name)
    workbook.paused_at = workbook.paused_by_id = None
    looks.request_look(session, workbook, user_id=user_id, now=now)


def _lock(session: Session, workbook: Workbook) -> None:
    """Lock the row of the workbook and reload it."""
    session.refresh(workbook, with_for_update={"of": Workbook})
