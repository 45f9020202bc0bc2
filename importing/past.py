"""Imports the rows of an old register as history, a savepoint a row, a commit a portion.

A refused row leaves nothing behind and does not hold up the others. A second run finds every case
in and changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

import wording
from files.tables_in import InputTable, TableRow
from files.tables_out import write_csv
from importing import mapping as maps
from importing.mapping import Map
from importing.portions import COMMIT, DRY_RUN, write_in_portions
from importing.rows import PastCase, RegisterReader, cell_text, row_checksum
from models import Complaint, PolicyVersion
from policy.engine.permission import refusal
from policy.vocabulary.errors import DomainError
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import Status
from services.calendar import working_calendar
from services.cases import customers, intake, journal
from services.company import actors
from services.company.actors import Actor
from services.regulation import policies
from wording import _, mark
from wording.import_reasons import RowRefused, row_reason

OPEN = (
    Status.registered,
    Status.returned,
    Status.dispatched,
    Status.replied,
    Status.raised,
    Status.intervened,
    Status.confirmed,
    Status.disputed,
    Status.accepted,
)


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """A row that was refused: its number in the file, the column and cell at fault, and the
    reason.
    """

    row: int
    column: str | None
    value: str | None
    reason: str


@dataclass(slots=True)
class ImportOutcome:
    """The numbers of rows imported, of open ones among them, already in and taken over; the
    refusals.
    """

    new: int = 0
    new_open: int = 0
    known: int = 0
    taken_over: int = 0
    refusals: list[RowRefusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RefusalKind:
    """The rows refused for one reason in one column, and how often each cell stands there."""

    refusals: tuple[RowRefusal, ...]
    values: Counter[str]


def grouped(refusals: Iterable[RowRefusal]) -> list[RefusalKind]:
    """Return refusals by column and reason, the commonest first."""
    found: dict[tuple[str | None, str], list[RowRefusal]] = {}
    for one in refusals:
        found.setdefault((one.column, one.reason), []).append(one)
    kinds = (
        RefusalKind(tuple(rows), Counter(one.value for one in rows if one.value))
        for rows in found.values()
    )
    return sorted(kinds, key=lambda kind: -len(kind.refusals))


@dataclass(frozen=True, slots=True)
class Import:
    """One run: a map and a regulation, the actor who imports, and when.

    `reading` opens a session that only reads, without the lock of who writes. `finish` ends each of
    the transactions: COMMIT, or DRY_RUN to see what would happen. `advance` is called after every
    row.
    """

    engine: sa.Engine
    mapping: Map
    policy: str
    zone: ZoneInfo
    now: dt.datetime
    actor: Actor = actors.SYSTEM
    reading: Callable[[sa.Engine], AbstractContextManager[Session]] = Session
    finish: Callable[[Session], None] = COMMIT
    advance: Callable[[], object] = lambda: None

    def check(self, header: tuple[str, ...], *, file: str) -> None:
        """Refuse a map that fits neither file nor regulation (MapRefused, NotInForce)."""
        with self.reading(self.engine) as session:
            version = self._version(session)
            maps.check(self.mapping, header, policies.pack(session, version), file=file)

    def check_take_over(self) -> None:
        """Refuse an actor who may not take cases over (NotEntitled), before a row is read."""
        with self.reading(self.engine) as session:
            version = self._version(session)
            on = working_calendar.work_calendar(session).local(self.now).date()
            by = actors.as_of(session, self.actor, policy_id=version.policy_id, on=on)
            case = CaseFacts(number="-", history=True)
            refused = refusal(case, "taken_over", by, pack=policies.pack(session, version))
            if refused is not None:
                raise refused

    def run(self, table: InputTable) -> ImportOutcome:
        """Import every row that can be imported, in short transactions."""
        with self.reading(self.engine) as session:
            version = self._version(session)
            pack = policies.pack(session, version)
            known = self._known(session)
        reader = RegisterReader(
            self.mapping, pack, self.zone, self.now, of_workbook=table.sheet is not None
        )
        desk = _RowImporter(self, reader, version.id, known=known)
        past = (case for row in table.rows if (case := desk.read(row)) is not None)
        write_in_portions(self.engine, past, write=desk.let_in, finish=self.finish)
        desk.outcome.refusals.sort(key=lambda one: one.row)
        return desk.outcome

    def take_over_open(self, outcome: ImportOutcome) -> None:
        """Take over every open case of the source, with deadlines from now.

        The rows of a dry run are not in the record any more, so there they are only counted.
        """
        outcome.taken_over = outcome.new_open if self.finish is DRY_RUN else 0
        with self.reading(self.engine) as session:
            waiting = session.scalars(
                sa.select(Complaint.number)
                .where(Complaint.source == self.mapping.source, Complaint.history)
                .where(Complaint.status.in_(OPEN))
                .order_by(Complaint.received_at, Complaint.id)
            ).all()

        def take_over(session: Session, number: str) -> None:
            complaint = journal.lock_case(session, number)
            intake.take_over(session, complaint, actor=self.actor, now=self.now)
            outcome.taken_over += 1

        write_in_portions(self.engine, waiting, write=take_over, finish=self.finish)

    def _version(self, session: Session) -> PolicyVersion:
        on = self.now.astimezone(self.zone).date()
        return policies.in_force(session, self.policy, on=on)

    def _known(self, session: Session) -> set[str]:
        """Return the ids of this source that are in: asked once, not once a row."""
        rows = sa.select(Complaint.source_id).where(Complaint.source == self.mapping.source)
        return {one for one in session.scalars(rows) if one is not None}


@dataclass(slots=True)
class _RowImporter:
    """The import of row after row, with its counts; `seen` has the content of each id in
    the file.

    A row is read and judged as far as it can be without the record; then it is let in.
    """

    job: Import
    reader: RegisterReader
    version_id: int
    known: set[str]
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    outcome: ImportOutcome = field(default_factory=ImportOutcome)

    def read(self, row: TableRow) -> tuple[TableRow, PastCase] | None:
        """Return the case of a row; None for one that is known or refused."""
        try:
            source_id = self.reader.identity(row)
            known = self._is_known(row, source_id)
            past = None if known else self.reader.read(row, source_id)
        except RowRefused as refused:
            value = refused.facts.get("value")
            reason = row_reason(refused)
            self.outcome.refusals.append(RowRefusal(row.number, refused.column, value, reason))
            past = None
        else:
            self.seen.setdefault(source_id, (row.number, _content_of(row)))
            self.outcome.known += known
        if past is None:
            self.job.advance()
            return None
        return row, past

    def _is_known(self, row: TableRow, source_id: str) -> bool:
        """Whether record or file had the row already; an id with two contents is refused."""
        before = self.seen.get(source_id)
        if before is not None and before[1] != _content_of(row):
            column = self.job.mapping.id.column
            raise RowRefused("id_twice", column, value=source_id, row=before[0])
        return before is not None or source_id in self.known

    def let_in(self, session: Session, found: tuple[TableRow, PastCase]) -> None:
        """Record the case of a row, or note why it is refused."""
        row, past = found
        self.job.advance()
        try:
            made = self._record(session, past)
        except DomainError as error:
            self.seen.pop(past.source_id, None)
            self.outcome.refusals.append(_refusal(row, error, self.reader))
            return
        self.outcome.new += made
        self.outcome.known += not made
        self.outcome.new_open += made and past.said["status"] in OPEN

    def _record(self, session: Session, past: PastCase) -> bool:
        """Record one row as one case, or nothing of it; whether it is a new one."""
        with session.begin_nested():
            customer = None
            if past.customer is not None:
                customer = customers.find_or_add(session, past.customer, past.phone)
            made = intake.import_past(
                session,
                session.get_one(PolicyVersion, self.version_id),
                source=self.job.mapping.source,
                source_id=past.source_id,
                actor=self.job.actor,
                now=self.job.now,
                customer=customer,
                **past.said,
            )
        return made is not None


def _content_of(row: TableRow) -> str:
    return row_checksum(row, sorted(row.cells))


def _refusal(row: TableRow, error: DomainError, reader: RegisterReader) -> RowRefusal:
    column = reader.column_of(str(error.facts.get("field", "")))
    value = None
    if column is not None:
        with suppress(KeyError):
            value = (cell_text(row.cells[column]) or "")[:80] or None
    return RowRefusal(row.number, column, value, wording.error(error))


def write_report(path: Path, refusals: Iterable[RowRefusal]) -> None:
    """Write a CSV of the refused rows: number in the file, column, cell and reason."""
    header = [_(name) for name in HEADER]
    write_csv(path, header, ((one.row, one.column, one.value, one.reason) for one in refusals))


HEADER = (
    mark("Row in the file"),
    mark("Column"),
    mark("Cell"),
    mark("Why it was refused"),
)
