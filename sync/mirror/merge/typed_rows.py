"""Rows that people type below the others: complete and settled ones become cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enums import CellDeed, ProblemKind, Resolution
from policy.vocabulary.errors import DomainError
from services.cases import intake
from services.workbooks import layout
from sync.mirror import case_cells, state
from sync.mirror.merge import matching
from sync.mirror.merge.answers import because, with_hint
from sync.mirror.merge.context import MARKS, TabContext, instant
from sync.mirror.merge.matching import TextRow
from sync.mirror.merge.output import TabOutput
from sync.mirror.parsing.texts import Unreadable
from sync.mirror.state import Cells, RowState
from wording import workbook_text

NEEDED = ("customer", "body")
"""Fields without which a typed row is no case yet."""


class TypedRows:
    """The typed rows of a tab.

    The workbook remembers each of them until it is a case, as an entry with its `cells` and `at`,
    the time at which it was saved. An entry is marked `missing` where cells are missing, and
    `refused` where the service refused it.
    """

    def __init__(self, context: TabContext, output: TabOutput) -> None:
        self.context, self.output = context, output

    def take(self, lines: Sequence[TextRow]) -> None:
        """Make cases of complete rows that stood unchanged for a look, and remember the others."""
        context = self.context
        before = list(context.workbook.newborn)
        after: list[Any] = []
        for line in lines:
            typed = {
                f: text for f, text in line.cells.items() if f not in MARKS and f in context.fields
            }
            if not typed:
                self._clean(line)
                continue
            entry = next((e for e in before if e["cells"] == typed), None)
            if entry is not None:
                before.remove(entry)
            entry = self._take_row(line, typed, entry)
            if entry is not None:
                after.append(entry)
        if not context.source.at_once:
            context.workbook.newborn = after
            self._settle_gone([e["cells"] for e in after if e.get("refused")])

    def _settle_gone(self, refused: Sequence[Cells]) -> None:
        """Settle refusals of typed rows that were changed or deleted."""
        texts = {_as_text(typed) for typed in refused}
        for problem in self.context.problems.of_typed_rows():
            if problem.theirs not in texts:
                self.context.problems.settle(problem, Resolution.over)

    def _clean(self, line: TextRow) -> None:
        """Take our own marks out of a line without any other cell of ours."""
        for name in MARKS & set(line.cells):
            self.output.empty(line.number, name)

    def _take_row(self, line: TextRow, typed: Cells, entry: Any) -> Any:
        """Register a typed row, or answer why not; the entry to remember until it is a case."""
        source = self.context.source
        if missing := [name for name in NEEDED if not typed.get(name)]:
            self._hint(line, workbook_text.cells_missing(missing))
            return self._entry(typed, missing=True)
        if entry is None and not source.at_once:
            return self._entry(typed, since=source.since.isoformat())
        if entry is not None and entry.get("refused") and not self._is_retried(entry["cells"]):
            return entry
        try:
            with self.context.session.begin_nested():
                self._register(line, typed, entry or {})
        except (DomainError, Unreadable) as refusal:
            self._refuse(line, typed, refusal)
            return self._entry(typed, refused=True)
        return None

    def _refuse(self, line: TextRow, typed: Cells, refusal: DomainError | Unreadable) -> None:
        code, facts, why = because(refusal, "body")
        self._hint(line, workbook_text.input_refused(why))
        text = _as_text(typed)
        self.context.problems.report(
            None, ProblemKind.refused, field=None, code=code, theirs=text, facts=facts
        )
        self.context.changes.note(CellDeed.refused, None, after=text, because=why)

    def _is_retried(self, typed: Cells) -> bool:
        """Whether a person chose that a refused row, as it was remembered, is tried again."""
        text = _as_text(typed)
        for known in self.context.problems:
            if known.row_id is None and known.theirs == text and known.choice is not None:
                self.context.problems.settle(known, Resolution.over)
                return known.choice is Resolution.sheet
        return False

    def _entry(self, typed: Cells, **marks: Any) -> dict[str, Any]:
        return {"cells": dict(typed), "at": self.context.saved_at.isoformat(), **marks}

    def _register(self, line: TextRow, typed: Cells, entry: Mapping[str, Any]) -> None:
        """Register a typed row as a case, which belongs to the tab from now on."""
        context, department = self.context, self.context.workbook.department
        assert department is not None
        cells = context.read[line.number].cells
        asked = {name: read for name, read in cells.items() if layout.field(name).asked}
        complaint = intake.register_in_workbook(
            context.session,
            department,
            **context.reader.new_case(asked),
            actor=context.actor,
            now=context.now,
            at=instant(entry.get("at"), default=context.saved_at),
        )
        row = RowState(None, matching.uid_of(complaint.id), complaint.id, typed=dict(typed))
        row.hint = workbook_text.case_registered(complaint.number, at=context.now)
        context.rows[row.uid] = row
        context.wanted[row.case] = ""  # no version: it is read again next time
        state.store_rows(context.session, context.workbook, [row])
        ours = case_cells.texts(context.session, [complaint.id])[complaint.id]
        self._fill(line, row, with_hint(ours, row.hint))
        context.changes.note(CellDeed.taken, row, after=complaint.number, seq=complaint.version)

    def _fill(self, line: TextRow, row: RowState, ours: Cells) -> None:
        """Fill our columns of the new case's line; whatever else was typed is an input as any."""
        agreed: dict[str, str] = {}
        for name in self.context.fields:
            if name == "uid" or (layout.field(name).open_ and name in line.cells):
                continue
            if name in ours:
                agreed[name] = ours[name]
            if line.cells.get(name) != ours.get(name):
                self.output.put(line.number, name, ours.get(name), row=ours)
        self.output.cells[line.number, "uid"] = row.uid
        self.output.show(row, cells=ours, agreed=agreed)

    def _hint(self, line: TextRow, hint: str) -> None:
        if line.cells.get("hint") != hint:
            self.output.put(line.number, "hint", hint, row={})


def _as_text(typed: Cells) -> str:
    """A typed row as a person reads it."""
    return "\n".join(f"{workbook_text.column_header(name)}: {text}" for name, text in typed.items())
