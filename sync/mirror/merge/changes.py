"""The changes of a merge: what was taken in, refused, put back and written, cell by cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import CellDeed
from models import Complaint, Workbook, WorkbookChange
from services.notices import notices
from sync.mirror.state import RowState


@dataclass(frozen=True, slots=True)
class CellChange:
    """One change of a cell, or of a row as a whole where no field is named."""

    what: CellDeed
    uid: str | None
    case: int | None
    field: str | None
    before: str | None
    after: str | None
    because: str | None
    seq: int | None

    def columns(self, ids: Mapping[str, int | None]) -> dict[str, Any]:
        """The columns of the record; `ids` are those of the rows, by uid."""
        return {
            "row_id": ids.get(self.uid) if self.uid else None,
            "complaint_id": self.case,
            "field": self.field,
            "what": self.what,
            "before": self.before,
            "after": self.after,
            "because": self.because,
            "journal_seq": self.seq,
        }


class ChangeLog:
    """The changes of one merge, in order."""

    def __init__(self) -> None:
        self.changes: list[CellChange] = []

    def note(
        self,
        what: CellDeed,
        row: RowState | None,
        field: str | None = None,
        *,
        before: str | None = None,
        after: str | None = None,
        because: str | None = None,
        seq: int | None = None,
    ) -> None:
        """Note a change; `seq` is the number of the event it became."""
        uid, case = (row.uid, row.case) if row else (None, None)
        self.changes.append(CellChange(what, uid, case, field, before, after, because, seq))

    def store(
        self, session: Session, workbook: Workbook, *, number: int, ids: Mapping[str, int | None]
    ) -> None:
        """Store the changes under the number of the look."""
        common = {"sheet_id": workbook.id, "pass_number": number}
        full = [{**change.columns(ids), **common} for change in self.changes]
        if full:
            session.execute(sa.insert(WorkbookChange), full)

    def tell_refusals(
        self, session: Session, workbook: Workbook, *, number: int, now: dt.datetime
    ) -> None:
        """Tell the department once a look that inputs wait for it; the rows say why."""
        refused = {change.case for change in self.changes if change.what is CellDeed.refused}
        if not refused:
            return
        only = next(iter(refused)) if len(refused) == 1 else None
        notices.add_notice(
            session,
            kind="refused_input",
            occasion=f"{workbook.id}/{number}",
            now=now,
            workbook=workbook,
            complaint=session.get(Complaint, only) if only else None,
            facts={},
        )
