"""Rows that people type below the others: complete and settled ones become cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from enums import CellDeed, ProblemKind, Resolution
from policy.vocabulary.errors import DomainError
from services.cases import intake
from services.workbooks import layout
from sync.mirror import case_cells, state
from sync.mirror.merge import matching, undecided
from sync.mirror.merge.answers import because, with_hint
from sync.mirror.merge.context import MARKS, TabContext, instant
from sync.mirror.merge.matching import TextRow
from sync.mirror.merge.output import TabOutput
from sync.mirror.merge.pasted import PastedRows
from sync.mirror.parsing.texts import Unreadable
from sync.mirror.state import Cells, RowState
from wording import workbook_text

OF_ROWS = frozenset({"row_of_department", "row_of_care", "row_finished"})
"""Refusals whose reason stands in the cell of the case number."""

NEEDED = ("customer", "body")
"""Fields without which a typed row is no case yet."""


class TypedRows:
    """The typed rows of a tab.

    The workbook remembers each of them until it is a case, as an entry with its `cells`, the time
    `at` which it was saved, and the `look` before it was first seen. An entry is marked `missing`
    where cells are missing, `refused` where the service refused it, and `put` where we put it back
    into a `free` line.
    """

    def __init__(self, context: TabContext, output: TabOutput, free: Iterator[int]) -> None:
        self.context, self.output, self.free = context, output, free

    def take(self, lines: Sequence[TextRow]) -> None:
        """Make cases of complete rows that stood unchanged for a look, and remember the others."""
        context = self.context
        self.pasted = PastedRows(context.session, lines)
        before = list(context.workbook.newborn)
        after: list[Any] = []
        new: list[Any] = []
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
            kept = self._take_row(line, typed, entry)
            if kept is not None:
                after.append(kept)
                if entry is None:
                    new.append(kept)
        if context.source.at_once:
            self._report_of_copy(after)
            return
        after += self._still_lost(before, new) + self._chosen_back(after)
        context.workbook.newborn = after
        self._settle_gone([e["cells"] for e in after if e.get("refused")])

    # ------------------------------------------------------------ rows that vanished

    def _still_lost(self, before: Sequence[Any], new: Sequence[Any]) -> list[Any]:
        """Report remembered rows that an older copy lacks; those to put in once more are returned.

        A row that became a case, that a person goes on typing, or that a person deleted from a
        workbook that had it, is not lost.
        """
        typed = [row.typed for row in self.context.rows.values() if row.typed]
        open_ends = list(new)
        again = []
        for entry in before:
            if entry["cells"] in typed or self.context.source.stamp > entry.get("look", -1):
                continue
            heir = next((one for one in open_ends if _goes_on(entry["cells"], one["cells"])), None)
            if heir is not None:
                open_ends.remove(heir)
            elif entry.get("put"):
                again.append(self._put_row(entry["cells"], entry))
            else:
                self._report_lost(entry["cells"], code="vanished", times=entry)
        return again

    def _report_of_copy(self, entries: Sequence[Any]) -> None:
        """Report rows of a copy of which nothing became: the workbook itself has them not."""
        for entry in entries:
            self._report_lost(entry["cells"], code="copy_undecided", times=entry)

    def _report_lost(self, typed: Cells, *, code: str, times: Mapping[str, Any]) -> None:
        known = {key: times[key] for key in ("since", "at") if key in times}
        undecided.report_texts(self.context, None, typed, code=code, times=known)
        text = undecided.as_text(typed)
        self.context.changes.note(CellDeed.refused, None, after=text, because=code)

    def _chosen_back(self, there: Sequence[Any]) -> list[Any]:
        """Put rows back for which a person chose that; one that came back by itself is settled."""
        problems = self.context.problems
        cells_there = [entry["cells"] for entry in there]
        cells_there += [row.typed for row in self.context.rows.values() if row.typed]
        put = []
        for problem in problems.of_typed_rows(ProblemKind.vanished):
            typed = problem.facts.get("cells", {})
            if typed in cells_there:
                problems.settle(problem, Resolution.over)
            elif problem.choice is Resolution.sheet:
                put.append(self._put_row(typed, problem.facts))
                problems.settle(problem, problem.choice)
            elif problem.choice is not None:
                problems.settle(problem, problem.choice)
        return put

    def _put_row(self, typed: Cells, times: Mapping[str, Any]) -> Any:
        """Write a typed row into a free line, as it was typed; the entry to remember."""
        number = next(self.free)
        for name, text in typed.items():
            self.output.cells[number, name] = text
        known = {key: times[key] for key in ("since", "at") if key in times}
        lacks = {"missing": True} if _missing(typed) else {}
        return {**self._entry(typed), **known, **lacks, "put": True}

    # ------------------------------------------------------------ rows that stand there

    def _settle_gone(self, refused: Sequence[Cells]) -> None:
        """Settle refusals of typed rows that were changed or deleted."""
        texts = {undecided.as_text(typed) for typed in refused}
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
        seen = {key: entry[key] for key in ("at", "look", "put") if key in (entry or {})}
        if missing := _missing(typed):
            self._hint(line, workbook_text.cells_missing(missing))
            return {**self._entry(typed, missing=True), **seen}
        if entry is None and not source.at_once:
            return self._entry(typed, since=source.since.isoformat())
        refused = entry is not None and entry.get("refused")
        if refused and not self._is_retried(entry["cells"]):
            return entry
        if not refused and not self.context.portion.takes_deed():
            return entry
        try:
            self.pasted.refuse(line)
            with self.context.session.begin_nested():
                self._register(line, typed, entry or {})
        except (DomainError, Unreadable) as refusal:
            self._refuse(line, typed, refusal)
            return {**self._entry(typed, refused=True), **seen}
        return None

    def _refuse(self, line: TextRow, typed: Cells, refusal: DomainError | Unreadable) -> None:
        code, facts, why = because(refusal, "number" if refusal.code in OF_ROWS else "body")
        self._hint(line, workbook_text.input_refused(why))
        text = undecided.as_text(typed)
        if not self.context.source.at_once:
            self.context.problems.report(
                None, ProblemKind.refused, field=None, code=code, theirs=text, facts=facts
            )
        self.context.changes.note(CellDeed.refused, None, after=text, because=why)

    def _is_retried(self, typed: Cells) -> bool:
        """Whether a person chose that a refused row, as it was remembered, is tried again."""
        text = undecided.as_text(typed)
        for known in self.context.problems.of_typed_rows():
            if known.theirs == text and known.choice is not None:
                self.context.problems.settle(known, Resolution.over)
                return known.choice is Resolution.sheet
        return False

    def _entry(self, typed: Cells, **marks: Any) -> dict[str, Any]:
        return {
            "cells": dict(typed),
            "at": self.context.saved_at.isoformat(),
            "look": self.context.workbook.pass_number,
            **marks,
        }

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


def _missing(typed: Cells) -> list[str]:
    return [name for name in NEEDED if not typed.get(name)]


def _goes_on(before: Cells, now: Cells) -> bool:
    """Whether a typed row is what a person made of another by typing on or correcting it."""
    alike = sum(undecided.goes_on(text, now.get(name)) for name, text in before.items())
    return 2 * alike > len(before)
