"""What people do about the spreadsheet files: look at them, pause them, settle what is open.

A pass over a file (`sync`) writes down what it did and what it could not decide. Here somebody
decides, and asks for a look; the next pass carries it out. The layout of tabs and columns is
changed here too, and taken over by the files at their next pass.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from enums import Audience, CellDeed, ProblemKind, Resolution, WorkbookState
from models import (
    Complaint,
    Employee,
    Journal,
    Workbook,
    WorkbookChange,
    WorkbookColumn,
    WorkbookLook,
    WorkbookProblem,
    WorkbookRow,
    WorkbookTab,
    WorkRequest,
)
from policy.engine.fact_changes import Effect
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    ChoiceUnknown,
    DomainError,
    Duplicate,
    FieldMissing,
    FieldTooLong,
    LaterStepsStand,
    NotFound,
    UndoBlocked,
    ValueRefused,
)
from policy.vocabulary.events import Corrected, Happening, Withdrawn, dump, load
from policy.vocabulary.status import Status
from services.cases import correcting, journal
from services.company.actors import Actor
from services.jobs import requests
from services.workbooks import layout

log = logging.getLogger(__name__)

LOOK = "look"
"""The kind of the request that asks for a pass over one file; its key is the id of the sheet."""

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
}
"""How a problem of each kind may end by somebody's choice, the usual one first."""

LATE_AFTER_LOOKS = 3
LATE_MARGIN = dt.timedelta(seconds=30)
LONGEST_TITLE = 31
LONGEST_HEADER = 120
WIDEST = 120
MOST_DAYS = 3650
_NO_TITLE = re.compile(r"[\[\]:*?/\\]|^'|'$|^history$", re.IGNORECASE)
"""What Excel does not take as the name of a tab."""


# ---------------------------------------------------------------- how the files stand


@dataclass(frozen=True, slots=True)
class WorkbookStanding:
    """How a file stands: its last pass, what is open in it, and whether a look was asked for.

    `open` counts the problems that are not settled by kind and code, `undecided` those among
    them that wait for somebody's choice.
    """

    workbook: Workbook
    last_pass_at: dt.datetime | None = None
    asked_at: dt.datetime | None = None
    open: Mapping[tuple[ProblemKind, str], int] = field(default_factory=dict)
    undecided: int = 0

    def count(self, kind: ProblemKind) -> int:
        """How many problems of a kind are open."""
        return sum(number for (one, _code), number in self.open.items() if one is kind)

    @property
    def problems(self) -> int:
        """How many problems are open."""
        return sum(self.open.values())

    def by_kind(self) -> list[tuple[ProblemKind, int]]:
        """The kinds that have open problems, in the order of ProblemKind, and how many."""
        return [(kind, number) for kind in ProblemKind if (number := self.count(kind))]

    def lag(self, *, now: dt.datetime) -> dt.timedelta | None:
        """How long ago the last look that read everything began; None before the first."""
        return None if self.workbook.complete_at is None else now - self.workbook.complete_at

    @property
    def word(self) -> WorkbookState:
        """What the file does, in one word; what somebody has to mend comes before the rest."""
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
    """Whether a file that is not paused was not read for much longer than the time between looks.

    `seconds` is that time; a file that was never read is new, not late.
    """
    lag = state.lag(now=now)
    if lag is None or state.workbook.paused_at is not None:
        return False
    return lag > LATE_AFTER_LOOKS * dt.timedelta(seconds=seconds) + LATE_MARGIN


def states(session: Session, *, sheet_id: int | None = None) -> list[WorkbookStanding]:
    """How every file stands (or the one of that id), departments' files first, by name.

    Two statements, whatever the number of files.
    """
    asked = sa.and_(
        WorkRequest.kind == LOOK,
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
    """How the file of that id stands. Raises NotFound."""
    found = states(session, sheet_id=sheet_id)
    if not found:
        raise NotFound(what="sheet", key=str(sheet_id))
    return found[0]


# ---------------------------------------------------------------- pausing and looking


def pause(session: Session, workbook: Workbook, *, user_id: int | None, now: dt.datetime) -> None:
    """Leave a file alone from now on: it is neither read nor written.

    Raises ChangedMeanwhile where it is paused already.
    """
    _lock(session, workbook)
    if workbook.paused_at is not None:
        raise ChangedMeanwhile(what="sheet", key=workbook.name)
    workbook.paused_at, workbook.paused_by_id = now, user_id
    session.flush()


def resume(session: Session, workbook: Workbook, *, user_id: int | None, now: dt.datetime) -> None:
    """Read and write a paused file again, at once.

    Raises ChangedMeanwhile where it is not paused.
    """
    _lock(session, workbook)
    if workbook.paused_at is None:
        raise ChangedMeanwhile(what="sheet", key=workbook.name)
    workbook.paused_at = workbook.paused_by_id = None
    request_look(session, workbook, user_id=user_id, now=now)


def request_look(
    session: Session, workbook: Workbook, *, user_id: int | None, now: dt.datetime
) -> None:
    """Ask for a pass over the file as soon as the worker can. Raises ChangedMeanwhile if paused."""
    if workbook.paused_at is not None:
        raise ChangedMeanwhile(what="sheet", key=workbook.name)
    requests.request_work(session, kind=LOOK, key=str(workbook.id), user_id=user_id, now=now)


def _lock(session: Session, workbook: Workbook) -> None:
    """Lock the row of the file and see it as it stands now."""
    session.refresh(workbook, with_for_update={"of": Workbook})


# ---------------------------------------------------------------- problems


def open_problems(
    session: Session, workbook: Workbook | None = None, *, limit: int | None = None
) -> Sequence[WorkbookProblem]:
    """What is not settled yet, in one file or in all: what stops a file first, then by age."""
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
    """Say how a problem is to end; the next pass, asked for at once, carries it out.

    Raises ChangedMeanwhile where somebody chose already or it is settled, ChoiceUnknown where a
    problem of its kind cannot end so.
    """
    session.refresh(problem, with_for_update={"of": WorkbookProblem})
    if problem.choice is not None or problem.settled_at is not None:
        raise ChangedMeanwhile(what="sheet_problem", key=str(problem.id))
    if choice not in CHOICES[problem.kind]:
        raise ChoiceUnknown(field="choice", value=choice)
    problem.choice, problem.chosen_at, problem.chosen_by_id = choice, now, user_id
    session.flush()
    requests.request_work(session, kind=LOOK, key=str(problem.sheet_id), user_id=user_id, now=now)


# ---------------------------------------------------------------- passes


def looks_of(
    session: Session, workbook: Workbook, *, before: int | None = None, limit: int = 50
) -> Sequence[WorkbookLook]:
    """The passes over a file that did something, newest first, with a number below `before`."""
    statement = sa.select(WorkbookLook).where(WorkbookLook.sheet_id == workbook.id)
    if before is not None:
        statement = statement.where(WorkbookLook.number < before)
    return session.scalars(statement.order_by(WorkbookLook.number.desc()).limit(limit)).all()


def find_look(session: Session, workbook: Workbook, number: int) -> WorkbookLook:
    """The pass of that number over a file. Raises NotFound."""
    found = session.scalars(
        sa.select(WorkbookLook).where(
            WorkbookLook.sheet_id == workbook.id, WorkbookLook.number == number
        )
    ).first()
    if found is None:
        raise NotFound(what="sheet_pass", key=str(number))
    return found


def changes_of(
    session: Session,
    look: WorkbookLook,
    *,
    what: CellDeed | None = None,
    after: int | None = None,
    limit: int = 200,
) -> Sequence[WorkbookChange]:
    """What a pass did, with the cases, in the order it was done; of one deed, after an id."""
    statement = (
        sa.select(WorkbookChange)
        .where(*_of(look))
        .options(joinedload(WorkbookChange.complaint))
        .order_by(WorkbookChange.id)
        .limit(limit)
    )
    if what is not None:
        statement = statement.where(WorkbookChange.what == what)
    if after is not None:
        statement = statement.where(WorkbookChange.id > after)
    return session.scalars(statement).all()


def headers(session: Session, workbook: Workbook) -> dict[str, str]:
    """What the columns of a file are called, by field; the first tab that has one says it."""
    rows = session.execute(
        sa.select(WorkbookColumn.field, WorkbookColumn.header)
        .join(WorkbookColumn.tab)
        .where(WorkbookTab.audience == workbook.audience)
        .order_by(WorkbookTab.position, WorkbookColumn.position)
    )
    found: dict[str, str] = {}
    for name, header in rows:
        found.setdefault(name, header)
    return found


def _of(look: WorkbookLook) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        WorkbookChange.sheet_id == look.sheet_id,
        WorkbookChange.pass_number == look.number,
    )


# ---------------------------------------------------------------- undoing a pass


@dataclass(frozen=True, slots=True)
class UndoneDeed:
    """A deed that a pass took in and an undo takes back: its case, what it was, what changes."""

    complaint: Complaint
    deed: str
    typed: tuple[WorkbookChange, ...]
    effects: tuple[Effect, ...]


def can_undo(session: Session, look: WorkbookLook) -> bool:
    """Whether a pass took something in that was not taken back yet."""
    return look.undone_at is None and bool(_changes_taken(session, look))


class _PreviewDone(Exception):
    """Nothing is wrong: what was tried out is not to stay."""


def preview_undo(
    session: Session, look: WorkbookLook, *, reason: str, actor: Actor, now: dt.datetime
) -> list[UndoneDeed]:
    """What undoing a pass would take back and change; it is done and rolled back.

    Needs a session that may write. Raises what `undo_intake` raises.
    """
    try:
        with session.begin_nested():
            undone = _take_back_all(session, look, reason=reason, actor=actor, now=now)
            raise _PreviewDone  # the way out of a savepoint that leaves nothing behind
    except _PreviewDone:
        log.info("pass %s of sheet %s: only previewed", look.number, look.sheet_id)
        return undone


def undo_intake(
    session: Session, look: WorkbookLook, *, reason: str, actor: Actor, now: dt.datetime
) -> list[UndoneDeed]:
    """Take back what a pass took in: deeds are withdrawn, corrections corrected back.

    All or nothing. The typed texts count as refused from now on, so the next pass puts the
    record's state back into the file and does not take the same text again. Raises UndoBlocked
    with the case that stands in the way, ChangedMeanwhile where the pass is undone already, and
    NotFound where it took nothing in.
    """
    with session.begin_nested():
        session.refresh(look, with_for_update={"of": WorkbookLook})
        undone = _take_back_all(session, look, reason=reason, actor=actor, now=now)
        _count_as_refused(session, look)
        look.undone_at, look.undone_by_id = now, actor.user_id
        session.flush()
    key = str(look.sheet_id)
    requests.request_work(session, kind=LOOK, key=key, user_id=actor.user_id, now=now)
    return undone


def people_in(session: Session, effects: Iterable[Effect]) -> dict[str, Employee]:
    """The employees that effects speak of, by number, for sentences about them."""
    said = {str(value) for effect in effects for value in effect.facts.values()}
    rows = session.scalars(sa.select(Employee).where(Employee.number.in_(said)))
    return {row.number: row for row in rows}


def _changes_taken(session: Session, look: WorkbookLook) -> Sequence[WorkbookChange]:
    """What a pass took in as deeds, newest first within each case."""
    return session.scalars(
        sa.select(WorkbookChange)
        .where(
            *_of(look),
            WorkbookChange.what == CellDeed.taken,
            WorkbookChange.complaint_id.is_not(None),
            WorkbookChange.journal_seq.is_not(None),
        )
        .options(joinedload(WorkbookChange.complaint))
        .order_by(WorkbookChange.complaint_id, WorkbookChange.journal_seq.desc(), WorkbookChange.id)
    ).all()


def _take_back_all(
    session: Session, look: WorkbookLook, *, reason: str, actor: Actor, now: dt.datetime
) -> list[UndoneDeed]:
    """Take back every deed of a pass and say what that changed."""
    if look.undone_at is not None:
        raise ChangedMeanwhile(what="sheet_pass", key=str(look.number))
    deeds: dict[tuple[Complaint, int], list[WorkbookChange]] = {}
    for change in _changes_taken(session, look):
        assert change.complaint is not None
        assert change.journal_seq is not None
        deeds.setdefault((change.complaint, change.journal_seq), []).append(change)
    if not deeds:
        raise NotFound(what="intake", key=str(look.number))
    undone = []
    for (complaint, seq), typed in deeds.items():
        held = journal.lock_case(session, complaint.number)
        row = _entry(session, held, seq)
        try:
            effects = _take_back(session, held, row, reason=reason, actor=actor, now=now)
        except DomainError as refusal:
            raise UndoBlocked(number=held.number, refusal=refusal) from refusal
        undone.append(UndoneDeed(held, row.event, tuple(typed), effects))
    return undone


def _take_back(
    session: Session,
    complaint: Complaint,
    row: Journal,
    *,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Withdraw one deed, or correct a correction back; nothing where somebody did so already."""
    corrects = row.event == Corrected.name()
    target = int(row.data["target"]) if corrects else row.seq
    entries = _entries_about(session, complaint, target)
    if any(entry.event == Withdrawn.name() for entry in entries):
        return ()
    _refuse_corrected_since(entries, row)
    if not corrects:
        return correcting.withdraw(
            session, complaint, target=target, reason=reason, actor=actor, now=now
        )
    before = _event_fields(entry for entry in entries if entry.seq < row.seq)
    changed = {name: before[name] for name in row.data["changes"]}
    if changed == {name: _event_fields(entries)[name] for name in changed}:
        return ()
    return correcting.correct(
        session, complaint, target=target, changes=changed, reason=reason, actor=actor, now=now
    )


def _refuse_corrected_since(entries: Sequence[Journal], row: Journal) -> None:
    """Refuse to take back what somebody corrected later: his correction would lose its ground."""
    then = _event_fields(entry for entry in entries if entry.seq <= row.seq)
    names = row.data["changes"] if row.event == Corrected.name() else then
    said = _event_fields(entries)
    if any(said[name] != then[name] for name in names):
        last = entries[-1]
        raise LaterStepsStand(deed=last.event, seq=last.seq, because="corrected")


def _entry(session: Session, complaint: Complaint, seq: int) -> Journal:
    return session.scalars(
        sa.select(Journal).where(Journal.complaint_id == complaint.id, Journal.seq == seq)
    ).one()


def _entries_about(session: Session, complaint: Complaint, target: int) -> list[Journal]:
    """A journal row and the amendments of it, oldest first."""
    amendments = (Corrected.name(), Withdrawn.name())
    rows = session.scalars(
        sa.select(Journal)
        .where(
            Journal.complaint_id == complaint.id,
            sa.or_(Journal.seq == target, Journal.event.in_(amendments)),
        )
        .order_by(Journal.seq)
    )
    return [row for row in rows if row.seq == target or row.data.get("target") == target]


def _event_fields(entries: Iterable[Journal]) -> dict[str, Any]:
    """Every field of an event as JSON, with the corrections given."""
    data: dict[str, Any] = {}
    for entry in entries:
        data |= entry.data["changes"] if entry.event == Corrected.name() else entry.data
    event: Happening = load(data)
    return event.model_dump(mode="json") | dump(event)


def _count_as_refused(session: Session, look: WorkbookLook) -> None:
    """Let the undone texts count as seen and refused, cell by cell."""
    rows = session.execute(
        sa.select(WorkbookRow, WorkbookChange)
        .join(WorkbookChange, WorkbookChange.row_id == WorkbookRow.id)
        .where(
            *_of(look),
            WorkbookChange.what == CellDeed.taken,
            WorkbookChange.field.is_not(None),
        )
        .order_by(WorkbookChange.id)
    )
    for row, change in rows:
        row.refused = row.refused | {str(change.field): change.after}


# ---------------------------------------------------------------- the layout


def change_tab(
    session: Session,
    tab: WorkbookTab,
    *,
    title: str | None,
    statuses: Sequence[Status],
    days: int | None,
    position: int | None,
) -> None:
    """Call a tab otherwise and say which cases stand in it, for how many days after closing.

    Raises FieldMissing, FieldTooLong, ValueRefused or Duplicate by the field that is wrong.
    """
    tab.title = _title(session, tab, title)
    if tab.statuses and not statuses:
        raise FieldMissing(field="statuses")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise ValueRefused(field="days", value=days, why="not_that_many_days")
    if tab.statuses:
        tab.statuses = [status.value for status in Status if status in statuses]
    tab.days = days
    tab.position = _number(position, "position", 0, 999)
    session.flush()


def _title(session: Session, tab: WorkbookTab, title: str | None) -> str:
    text = _text(title, "title", LONGEST_TITLE)
    if _NO_TITLE.search(text):
        raise ValueRefused(field="title", value=text, why="not_a_title")
    others = session.scalars(
        sa.select(WorkbookTab.title).where(
            WorkbookTab.audience == tab.audience, WorkbookTab.id != tab.id
        )
    )
    if text.casefold() in {other.casefold() for other in others}:
        raise Duplicate(field="title", value=text)
    return text


def add_column(
    session: Session,
    tab: WorkbookTab,
    name: str,
    *,
    header: str | None,
    width: int | None,
    position: int | None,
    on: dt.date,
) -> WorkbookColumn:
    """A new column of a tab; `on` is the day whose regulations say which fields there are.

    Raises ChoiceUnknown for a field the tab cannot have or has already, and as change_column.
    """
    if name not in layout.addable_fields(session, tab, on=on):
        raise ChoiceUnknown(field="field", value=name)
    column = WorkbookColumn(
        tab=tab,
        field=name,
        header=_header(tab, None, header),
        width=_number(width, "width", 1, WIDEST),
        position=_number(position, "position", 0, 999),
        active=True,
    )
    session.add(column)
    session.flush()
    return column


def change_column(
    session: Session,
    column: WorkbookColumn,
    *,
    header: str | None,
    width: int | None,
    position: int | None,
    active: bool,
) -> None:
    """Call a column otherwise, move it, or switch it off and on; a needed one stays on.

    Raises FieldMissing, FieldTooLong, ValueRefused or Duplicate by the field that is wrong.
    """
    if not active and is_needed(column):
        raise ValueRefused(field="active", value=column.header, why="column_needed")
    column.header = _header(column.tab, column, header)
    column.width = _number(width, "width", 1, WIDEST)
    column.position = _number(position, "position", 0, 999)
    column.active = active
    session.flush()


def is_needed(column: WorkbookColumn) -> bool:
    """Whether its tab cannot do its work without the column."""
    return column.field in layout.NEEDED_FIELDS.get(column.tab.key, frozenset())


def tabs_with_addable_fields(
    session: Session, *, on: dt.date
) -> list[tuple[WorkbookTab, list[str]]]:
    """Every tab that can get another column, with the fields it could show."""
    tabs = [tab for audience in Audience for tab in layout.tabs(session, audience)]
    offered = [(tab, layout.addable_fields(session, tab, on=on)) for tab in tabs]
    return [(tab, names) for tab, names in offered if names]


def _header(tab: WorkbookTab, column: WorkbookColumn | None, header: str | None) -> str:
    text = _text(header, "header", LONGEST_HEADER)
    others = {one.header.casefold() for one in tab.columns if one is not column}
    if text.casefold() in others:
        raise Duplicate(field="header", value=text)
    return text


def _text(value: str | None, name: str, limit: int) -> str:
    """A text on one line without blanks around it, neither empty nor too long."""
    text = " ".join((value or "").split())
    if not text:
        raise FieldMissing(field=name)
    if len(text) > limit:
        raise FieldTooLong(field=name, limit=limit)
    return text


def _number(value: int | None, name: str, least: int, most: int) -> int:
    if value is None:
        raise FieldMissing(field=name)
    if not least <= value <= most:
        raise ValueRefused(field=name, value=value, why="out_of_range")
    return value
