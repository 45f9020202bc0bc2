"""The merge of the tab of a department's open cases: take in what people typed, find what to write.

Everything happens in the transaction of the caller, with a savepoint for each deed. The cells that
the tab will have afterwards are stored as the base of this look before anything is written. The
workbook itself says which look it comes from, so the program may be killed at any moment.
"""

from __future__ import annotations

from collections.abc import Iterator

from enums import CellDeed, ProblemKind, Resolution
from services.workbooks import layout
from sync.mirror import case_cells, state
from sync.mirror.merge import guard, matching, undecided
from sync.mirror.merge.answers import RowAnswer, with_hint
from sync.mirror.merge.context import MARKS, TabContext, free_lines
from sync.mirror.merge.guard import Damage
from sync.mirror.merge.matching import KnownRow, RowMatches, TextRow
from sync.mirror.merge.output import TabOutput
from sync.mirror.merge.row import RowMerge
from sync.mirror.merge.typed_rows import TypedRows
from sync.mirror.state import Cells, RowState
from wording import workbook_text


class LookStopped(Exception):
    """Raised where a workbook is not fit to be taken in; nothing was read or written."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.code)
        self.damage = damage


class TabMerge:
    """One merge of the tab: `run` does it, `output` has the cells to write, `finish` stores it.

    `thorough` compares every row with the record, whatever its versions say.
    """

    def __init__(self, context: TabContext, *, thorough: bool = False) -> None:
        self.context, self.thorough = context, thorough
        self.output = TabOutput(context.display.address)
        self.changes = context.changes.changes
        self.agreed: dict[int, Cells | None] = {}
        self.merged_lines = {number for number, _field in context.covered}
        self.free = free_lines(context)

    def run(self) -> None:
        """Take in, decide what to write, and remember it. Raises LookStopped, changing nothing."""
        context = self.context
        matched = matching.match(context.lines, self._known_rows())
        self._guard(matched)
        self._merge_rows(matched)
        for uid, line in matched.repeated:
            self._refuse_repeated(context.rows[uid], line)
        TypedRows(context, self.output, self.free).take(matched.newborn)
        self._put_back_headers()
        self._remember()

    def _merge_rows(self, matched: RowMatches) -> None:
        context = self.context
        busy = [
            row for row in context.rows.values() if self._needs_look(row, matched.of.get(row.uid))
        ]
        new = self._new_rows()
        ours = case_cells.texts(context.session, [row.case for row in [*busy, *new]])
        for row in busy:
            line = matched.of.get(row.uid)
            if row.case not in context.wanted:
                self._leave(row, line)
            elif line is None:
                self._restore(row, ours[row.case])
            else:
                self._merge_row(row, line, ours[row.case])
        for row in new:
            self._append(row, ours[row.case], RowAnswer())

    # ------------------------------------------------------------ matching and guarding

    def _known_rows(self) -> dict[str, KnownRow]:
        """The rows that a line can be, with the base, or else with the latest cells."""
        context = self.context
        found = {}
        for uid, row in context.rows.items():
            key = row.id or 0
            if row.typed is not None or key in context.base or key in context.latest:
                cells = context.base_of(row) or context.latest_of(row)
                found[uid] = KnownRow(uid, cells, row.typed)
        return found

    def _guard(self, matched: RowMatches) -> None:
        """Stop where rows vanished, or where cells were sorted or pasted into the wrong rows."""
        context = self.context
        if context.source.trusted:
            return
        expected = [row for row in context.rows.values() if row.shown and row.id in context.base]
        gone = [row for row in expected if row.uid not in matched.of]
        pairs = [
            ({**base, **self._reported(context.rows[uid], line)}, line.cells)
            for uid, line in sorted(matched.of.items(), key=lambda item: item[1].number)
            if (base := context.base.get(context.rows[uid].id or 0)) is not None
        ]
        names = [f for f in context.fields if f in context.source.grid.columns and f not in MARKS]
        office = frozenset(f for f in names if not layout.field(f).open_)
        chosen = frozenset(f for f in names if layout.field(f).chosen)
        if found := guard.damage(
            pairs, vanished=len(gone), fields=names, office=office, chosen=chosen
        ):
            raise LookStopped(found)

    def _reported(self, row: RowState, line: TextRow) -> Cells:
        """The cells that differ from the base, and were reported as a problem or refused before."""
        reported = {p.field: p.theirs for p in self.context.problems.of_row(row) if p.field}
        reported |= row.refused
        return {
            name: text for name, text in reported.items() if text and line.cells.get(name) == text
        }

    def _needs_look(self, row: RowState, line: TextRow | None) -> bool:
        """Whether anything about a row can have changed since both sides agreed."""
        context = self.context
        wanted = row.case in context.wanted
        if wanted != row.shown:
            return row.shown or line is not None or wanted
        if not row.shown:
            return line is not None
        stale = context.wanted[row.case] != row.seen or context.new_columns or self.thorough
        if line is None or stale:
            return True
        base = context.latest_of(row)
        same = all(line.cells.get(f) == base.get(f) for f in context.fields if f != "uid")
        busy = row.waiting or row.refused or line.cells.get("uid") != row.uid
        merged = line.number in self.merged_lines
        return not same or bool(busy) or merged or self._has_choice(row)

    def _has_choice(self, row: RowState) -> bool:
        """Whether a person chose what becomes of a problem of the row."""
        return any(p.row_id == row.id and p.choice for p in self.context.problems)

    def _new_rows(self) -> list[RowState]:
        """Rows for cases that the tab has never had, as many as fit into this look."""
        context = self.context
        known = {row.case for row in context.rows.values()}
        new = [
            RowState(None, matching.uid_of(case), case)
            for case in context.wanted
            if case not in known and context.portion.takes_row()
        ]
        context.rows.update((row.uid, row) for row in new)
        return new

    # ------------------------------------------------------------ one row

    def _merge_row(self, row: RowState, line: TextRow, cells: Cells) -> None:
        """Merge a row, do its deeds, answer, and write the cells that differ."""
        merge = RowMerge(self.context, row, line, ours=with_hint(cells, row.hint))
        merge.run()
        base, ours = self.context.base_of(row), merge.after
        agreed: dict[str, str] = {}
        for name in self.context.fields:
            if name == "uid":
                continue
            kept = name in merge.kept
            text = base.get(name) if kept else ours.get(name)
            if text is not None:
                agreed[name] = text
            if not kept and line.cells.get(name) != text:
                self.output.put(line.number, name, text, row=ours)
            elif kept and name in merge.restored:
                self.output.cells[line.number, name] = merge.restored[name]
        covered = (line.number, "uid") in self.context.covered
        if line.cells.get("uid") != row.uid and not covered:
            self.output.cells[line.number, "uid"] = row.uid
        row.seen = merge.seen
        self.output.show(row, cells=ours, agreed=agreed)

    def _append(self, row: RowState, cells: Cells, answer: RowAnswer) -> None:
        """Give a case that has no line the first free one."""
        number = next(self.free)
        undecided.report_gone_row(self.context, row)
        row.hint = answer.text(now=self.context.now, status=None) or row.hint
        ours = with_hint(cells, row.hint)
        agreed = {name: ours[name] for name in self.context.fields if name in ours}
        for name, text in agreed.items():
            if name != "uid":
                self.output.put(number, name, text, row=ours)
        self.output.cells[number, "uid"] = row.uid
        row.seen, row.waiting = self.context.wanted[row.case], {}
        self.output.show(row, cells=ours, agreed=agreed)
        self.context.changes.note(CellDeed.appended, row, after=cells.get("number"))

    def _restore(self, row: RowState, cells: Cells) -> None:
        """Put a row back that a person deleted or an old copy never had.

        A row waits for a second look, because cutting and pasting takes a while.
        """
        if self.context.source.at_once:
            return
        here_before = row.shown and row.id in self.context.base
        if here_before and not row.waiting.get("gone"):
            row.waiting = {**row.waiting, "gone": True}
            self.output.stored[row.uid] = row
            self.output.shown[row.case] = cells
            return
        notes = [workbook_text.row_put_back()] if here_before else []
        self._append(row, cells, RowAnswer(notes=notes))

    # ------------------------------------------------------------ a case that left

    def _leave(self, row: RowState, line: TextRow | None) -> None:
        """Empty the row of a case that is no longer the department's; report what was typed."""
        context = self.context
        typed = self._unknown(row, line) if line is not None else {}
        for name, text in undecided.waiting_in(context, row).items():
            if typed.get(name) != text:
                self._report(row, ProblemKind.not_ours, name, text=text)
        if line is not None:
            self._empty(row, line, typed)
        if row.shown:
            number = context.latest_of(row).get("number")
            context.changes.note(CellDeed.blanked, row, before=number)
            self.output.agreed[row.uid] = None
        for known in context.problems.of_row(row):
            if known.kind in (ProblemKind.conflict, ProblemKind.refused, ProblemKind.vanished):
                context.problems.settle(known, Resolution.over)
        row.shown, row.waiting, row.refused, row.hint = False, {}, {}, ""
        self.output.stored[row.uid] = row

    def _empty(self, row: RowState, line: TextRow, typed: Cells) -> None:
        """Empty a line of a case that left, and report the inputs in it."""
        for name, text in typed.items():
            if layout.field(name).open_:
                self._report(row, ProblemKind.not_ours, name, text=text)
                self.context.changes.note(
                    CellDeed.refused, row, name, after=text, because="not_ours"
                )
            else:
                self.context.changes.note(CellDeed.put_back, row, name, before=text)
        for name in self.context.fields:
            if name in line.cells:
                self.output.empty(line.number, name)

    def _report(self, row: RowState, kind: ProblemKind, name: str, *, text: str) -> None:
        self.context.problems.report(row, kind, field=name, code=kind.value, theirs=text)

    def _unknown(self, row: RowState, line: TextRow) -> dict[str, str]:
        """The cells of a row on which both sides never agreed, because a person typed them."""
        base, latest = self.context.base_of(row), self.context.latest_of(row)
        return {
            name: text
            for name in self.context.fields
            if name != "uid" and (text := line.cells.get(name)) is not None
            if text not in (base.get(name), latest.get(name))
            if not any(text == known.value for known in self.context.history_of(row, name))
        }

    # ------------------------------------------------------------ second lines of a case

    def _refuse_repeated(self, row: RowState, line: TextRow) -> None:
        """Take nothing from a second line of a case, and say so in it.

        It is emptied with the case: a copy must not keep a telephone number in the workbook.
        """
        context = self.context
        if row.case not in context.wanted:
            self._leave_copy(row, line)
            return
        number = context.latest_of(row).get("number", "")
        hint = workbook_text.row_repeated(number)
        if line.cells.get("hint") == hint:
            return
        base = context.base_of(row)
        for name, text in line.cells.items():
            if layout.field(name).open_ and text != base.get(name):
                self._report(row, ProblemKind.repeated, name, text=text)
        context.changes.note(CellDeed.refused, row, after=number, because="repeated")
        self.output.put(line.number, "hint", hint, row={})

    def _leave_copy(self, row: RowState, line: TextRow) -> None:
        """Empty a second line of a case that left; an input is reported once only."""
        reported = {(p.field, p.theirs) for p in self.context.problems.of_row(row)}
        reported.add(("hint", workbook_text.row_repeated(line.cells.get("number", ""))))
        typed = self._unknown(row, line)
        self._empty(row, line, {f: t for f, t in typed.items() if (f, t) not in reported})

    # ------------------------------------------------------------ the rest of the tab

    def _put_back_headers(self) -> None:
        """Put back headers that people renamed."""
        for name, header in self.context.titles.items():
            found = self.context.source.grid.headers.get(name)
            if name != "uid" and found is not None and found.strip() != header:
                self.output.cells[1, name] = header
                self.context.changes.note(CellDeed.put_back, None, name, before=found, after=header)

    def _remember(self) -> None:
        """Store the rows, and settle problems of which a person took note."""
        context = self.context
        state.store_rows(context.session, context.workbook, list(self.output.stored.values()))
        for known in context.problems:
            if known.choice and known.kind in (ProblemKind.not_ours, ProblemKind.repeated):
                context.problems.settle(known, known.choice)
        self.agreed = self._newly_agreed()
        waits = any(
            row.waiting.get("cells") or row.waiting.get("gone") for row in context.rows.values()
        )
        context.workbook.settled = not waits and not any(
            not (entry.get("missing") or entry.get("refused")) for entry in context.workbook.newborn
        )

    def _newly_agreed(self) -> dict[int, Cells | None]:
        """The cells on which both sides agree now and did not before, by id of the row."""
        context = self.context
        return {
            row.id: cells
            for uid, cells in self.output.agreed.items()
            if (row := context.rows[uid]).id is not None and cells != context.latest.get(row.id)
        }

    def cells_of_rows(self) -> Iterator[tuple[Cells, bool]]:
        """The cells of every row after this merge, and whether an input of the row is refused."""
        context = self.context
        for row in context.rows.values():
            if row.case in context.wanted:
                cells = self.output.shown.get(row.case) or context.latest_of(row)
                yield cells, bool(row.refused)

    def finish(self, number: int) -> None:
        """Store bases and changes under the number of the look, and tell what was refused."""
        context = self.context
        session, workbook = context.session, context.workbook
        context.changes.tell_refusals(session, workbook, number=number, now=context.now)
        if self.agreed:
            state.store_bases(session, workbook, number, agreed=self.agreed, now=context.now)
        ids = {row.uid: row.id for row in context.rows.values()}
        context.changes.store(session, workbook, number=number, ids=ids)
