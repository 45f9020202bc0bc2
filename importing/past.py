"""Imports the rows of an old register as history, a savepoint a row, a commit a batch.

A refused row leaves nothing behind and does not hold up the others. A second run finds every case
in and changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

import wording
from files.tables_in import InputTable, TableRow
from files.tables_out import write_csv
from importing import mapping as maps
from importing.mapping import Map
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

One = TypeVar("One")

COMMIT = Session.commit
DRY_RUN = Session.rollback
BATCH = 200
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
class Import:
    """One run: a map and a regulation, the actor who imports, and when.

    `finish` ends the transaction of a batch: COMMIT, or DRY_RUN to see what would happen. `advance`
    is called after every row.
    """

    engine: sa.Engine
    mapping: Map
    policy: str
    zone: ZoneInfo
    now: dt.datetime
    actor: Actor = actors.SYSTEM
    finish: Callable[[Session], None] = COMMIT
    advance: Callable[[], object] = lambda: None

    def check(self, header: tuple[str, ...], *, file: str) -> None:
        """Refuse a map that fits neither file nor regulation (MapRefused, NotInForce)."""
        with Session(self.engine) as session:
            version = self._version(session)
            maps.check(self.mapping, header, policies.pack(session, version), file=file)

    def check_take_over(self) -> None:
        """Refuse an actor who may not take cases over (NotEntitled), before a row is read."""
        with Session(self.engine) as session:
            version = self._version(session)
            on = working_calendar.work_calendar(session).local(self.now).date()
            by = actors.as_of(session, self.actor, policy_id=version.policy_id, on=on)
            case = CaseFacts(number="-", history=True)
            refused = refusal(case, "taken_over", by, pack=policies.pack(session, version))
            if refused is not None:
                raise refused

    def run(self, table: InputTable) -> ImportOutcome:
        """Import every row that can be imported."""
        desk = _RowImporter(self, known=self._known())
        for batch in _batches(table.rows):
            with Session(self.engine) as session:
                version = self._version(session)
                pack = policies.pack(session, version)
                reader = RegisterReader(self.mapping, pack, self.zone, self.now)
                for row in batch:
                    desk.take(session, version, reader, row=row)
                    self.advance()
                self.finish(session)
        return desk.outcome

    def take_over_open(self, outcome: ImportOutcome) -> None:
        """Take over every open case of the source, with deadlines from now.

        The rows of a dry run are not in the record any more, so there they are only counted.
        """
        outcome.taken_over = outcome.new_open if self.finish is DRY_RUN else 0
        with Session(self.engine) as session:
            waiting = session.scalars(
                sa.select(Complaint.number)
                .where(Complaint.source == self.mapping.source, Complaint.history)
                .where(Complaint.status.in_(OPEN))
                .order_by(Complaint.received_at, Complaint.id)
            ).all()
        for numbers in _batches(waiting):
            with Session(self.engine) as session:
                for number in numbers:
                    complaint = journal.lock_case(session, number)
                    intake.take_over(session, complaint, actor=self.actor, now=self.now)
                    outcome.taken_over += 1
                self.finish(session)

    def _version(self, session: Session) -> PolicyVersion:
        on = self.now.astimezone(self.zone).date()
        return policies.in_force(session, self.policy, on=on)

    def _known(self) -> set[str]:
        """Return the ids of this source that are in: asked once, not once a row."""
        rows = sa.select(Complaint.source_id).where(Complaint.source == self.mapping.source)
        with Session(self.engine) as session:
            return {one for one in session.scalars(rows) if one is not None}


@dataclass(slots=True)
class _RowImporter:
    """The import of row after row, with its counts; `seen` has the content of each id in
    the file.
    """

    job: Import
    known: set[str]
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    outcome: ImportOutcome = field(default_factory=ImportOutcome)

    def take(
        self, session: Session, version: PolicyVersion, reader: RegisterReader, *, row: TableRow
    ) -> None:
        """Import a row, or note why it is refused."""
        try:
            source_id = reader.identity(row)
            if self._is_known(row, source_id):
                self.outcome.known += 1
            else:
                self._let_in(session, version, reader.read(row, source_id))
        except RowRefused as refused:
            value = refused.facts.get("value")
            reason = row_reason(refused)
            self.outcome.refusals.append(RowRefusal(row.number, refused.column, value, reason))
        except DomainError as error:
            self.outcome.refusals.append(_refusal(row, error, reader))
        else:
            self.seen.setdefault(source_id, (row.number, _content_of(row)))

    def _is_known(self, row: TableRow, source_id: str) -> bool:
        """Whether record or file had the row already; an id with two contents is refused."""
        before = self.seen.get(source_id)
        if before is not None and before[1] != _content_of(row):
            column = self.job.mapping.id.column
            raise RowRefused("id_twice", column, value=source_id, row=before[0])
        return before is not None or source_id in self.known

    def _let_in(self, session: Session, version: PolicyVersion, past: PastCase) -> None:
        """Record one row as one case, or nothing of it."""
        with session.begin_nested():
            customer = None
            if past.customer is not None:
                customer = customers.find_or_add(session, past.customer, past.phone)
            made = intake.import_past(
                session,
                version,
                source=self.job.mapping.source,
                source_id=past.source_id,
                actor=self.job.actor,
                now=self.job.now,
                customer=customer,
                **past.said,
            )
        self.outcome.new += made is not None
        self.outcome.known += made is None
        self.outcome.new_open += made is not None and past.said["status"] in OPEN


def _content_of(row: TableRow) -> str:
    return row_checksum(row, sorted(row.cells))


def _refusal(row: TableRow, error: DomainError, reader: RegisterReader) -> RowRefusal:
    column = reader.column_of(str(error.facts.get("field", "")))
    value = None
    if column is not None:
        with suppress(KeyError):
            value = (cell_text(row.cells[column]) or "")[:80] or None
    return RowRefusal(row.number, column, value, wording.error(error))


def _batches(items: Iterable[One]) -> Iterator[list[One]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch


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
