"""One pass over the tab of a department's open cases: what people typed in, what we write out.

Everything happens in the caller's transaction, a savepoint a deed. What the file will say
afterwards is remembered as the base of this pass before anything is written: the file itself
says which pass it comes from, so it does not matter when the program is killed.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import CellDeed, ProblemKind, Resolution
from models import Complaint, Employee, Workbook, WorkbookChange, WorkbookProblem, WorkbookTab
from policy.pack.schema import FieldEntry
from policy.vocabulary.errors import DomainError
from services.cases import intake
from services.company import actors
from services.notices import notices
from services.regulation import policies
from services.workbooks import layout
from sync.mirror import case_cells, row_matching, state
from sync.mirror.answers import RowAnswer, because
from sync.mirror.cell_reader import CellReader, plain
from sync.mirror.cell_values import written
from sync.mirror.merge import Agreed
from sync.mirror.parsing import Person, Unreadable
from sync.mirror.row_matching import Damage, KnownRow, RowMatches, TextRow
from sync.mirror.row_pass import RowPass
from sync.mirror.state import Cells, RowState
from sync.port import Computed, TabPicture, TabRow, Written
from wording import workbook_text

log = logging.getLogger(__name__)

MARKS = frozenset({"uid", "hint"})
"""Fields that belong to the file, not to a case."""
OF_A_CELL = frozenset({ProblemKind.conflict, ProblemKind.refused})
"""Problems of which a cell has one at a time; of the others a case may have many."""


class PassStopped(Exception):
    """The file is not fit to be taken in; nothing was read or written."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.code)
        self.damage = damage


@dataclass(frozen=True)
class InputSource:
    """Where the inputs of a pass come from.

    `stamp` is the pass the file comes from. `since` and `at` are the instants between which
    something new was typed. `live`: nobody can have saved an older copy. `at_once`: what is typed
    need not stand unchanged for a look, because nobody types there any more.
    """

    grid: TabPicture
    stamp: int
    since: dt.datetime
    at: dt.datetime
    live: bool = True
    at_once: bool = False
    trusted: bool = False  # somebody looked at what the guard stopped and accepted it


@dataclass(frozen=True)
class DisplayContext:
    """Where values are shown and linked: the zone of the clocks and the address of the pages."""

    zone: dt.tzinfo
    address: str


@dataclass
class TabPass:
    """One pass over the tab; `run` does it and leaves the cells to write in `cells`."""

    session: Session
    workbook: Workbook
    tab: WorkbookTab
    source: InputSource
    place: DisplayContext
    now: dt.datetime
    thorough: bool = False  # compare every row with the record, whatever its versions say
    cells: dict[tuple[int, str], Written] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[int, Cells] = field(default_factory=dict)  # by case: what the rows say now

    def __post_init__(self) -> None:
        session, workbook, source = self.session, self.workbook, self.source
        on = self.now.astimezone(self.place.zone).date()
        self.number = workbook.pass_number + 1
        self.titles = {name: said for name, said, _w in layout.columns(session, self.tab, on=on)}
        self.fields = list(self.titles)
        self.new_columns = frozenset(self.fields) - set(source.grid.columns)
        self.wanted = state.wanted(session, workbook, self.tab)
        self.lines = {line.number: line for line in source.grid.rows}
        texts = {
            n: {f: t for f, r in line.cells.items() if (t := plain(r)) is not None}
            for n, line in self.lines.items()
        }
        self.rows = [TextRow(n, cells) for n, cells in texts.items()]
        uids = [row.cells["uid"] for row in self.rows if "uid" in row.cells]
        self.mine = state.mine(session, workbook, self.wanted, uids)
        self.latest = state.bases(session, workbook)
        late = source.stamp < workbook.pass_number
        self.base = state.bases(session, workbook, at=source.stamp) if late else self.latest
        self.history = state.history(session, workbook, since=source.stamp) if late else {}
        self._compute()
        self.problems = state.problems(session, workbook)
        self.covered = _covered(source.grid)
        self.merged_lines = {number for number, _field in self.covered}
        self.actor = (
            actors.of_department(workbook.department) if workbook.department else actors.SYSTEM
        )
        self.reader = _reader(session, workbook, zone=self.place.zone, now=source.at, on=on)
        self.touched: dict[str, RowState] = {}
        self.agreed: dict[str, Cells | None] = {}
        self.free = _free(self.lines)

    def _compute(self) -> None:
        """Fill in the numbers a program did not compute: it kept our formula and not its value."""
        for row in self.rows:
            read = self.lines[row.number].cells.get("number")
            one = self.mine.get(row.cells.get("uid", ""))
            if isinstance(read, Computed) and read.value is None and one is not None:
                row.cells.update(number=self._last(one).get("number", ""))

    # ------------------------------------------------------------ the pass

    def run(self) -> None:
        """Take in, decide what to write, and remember it. Raises Stopped and changes nothing."""
        matched = row_matching.match(self.rows, self._known())
        self._guard(matched)
        slow = [one for uid, one in self.mine.items() if self._needs_look(one, matched.of.get(uid))]
        new = self._new_rows()
        said = case_cells.texts(self.session, [one.case for one in [*slow, *new]])
        for one in slow:
            line = matched.of.get(one.uid)
            if one.case not in self.wanted:
                self._leave(one, line)
            elif line is None:
                self._absent(one, said[one.case])
            else:
                self._row(one, line, said[one.case])
        for one in new:
            self._append(one, said[one.case], RowAnswer())
        for uid, line in matched.repeated:
            self._repeated(self.mine[uid], line)
        self._newborn(matched.newborn)
        self._headers()
        self._remember()

    def _known(self) -> dict[str, KnownRow]:
        """The rows a line can be: with the base, or, where an old copy has none, the latest."""
        found = {}
        for uid, one in self.mine.items():
            key = one.id or 0
            if one.typed is not None or key in self.base or key in self.latest:
                cells = self.base.get(key) or self.latest.get(key) or {}
                found[uid] = KnownRow(uid, cells, one.typed)
        return found

    def _guard(self, matched: RowMatches) -> None:
        if self.source.trusted:
            return
        expected = [one for one in self.mine.values() if one.shown and one.id in self.base]
        gone = [one for one in expected if one.uid not in matched.of]
        pairs = [
            ({**base, **self._told(self.mine[uid], line)}, line.cells)
            for uid, line in sorted(matched.of.items(), key=lambda item: item[1].number)
            if (base := self.base.get(self.mine[uid].id or 0)) is not None
        ]
        names = [f for f in self.fields if f in self.source.grid.columns and f not in MARKS]
        office = frozenset(f for f in names if not layout.field(f).open_)
        if found := row_matching.damage(pairs, vanished=len(gone), fields=names, office=office):
            raise PassStopped(found)

    def _told(self, one: RowState, line: TextRow) -> Cells:
        """Cells that are not as the base has them and about which somebody was told already."""
        told = {p.field: p.theirs for p in self.problems_of(one) if p.field} | one.refused
        return {name: text for name, text in told.items() if text and line.cells.get(name) == text}

    def _needs_look(self, one: RowState, line: TextRow | None) -> bool:
        """Whether anything about a row can have changed since both sides agreed."""
        if (one.case in self.wanted) != one.shown:
            return one.shown or line is not None or one.case in self.wanted
        if not one.shown:
            return line is not None
        if line is None or self.wanted[one.case] != one.seen or self.new_columns or self.thorough:
            return True
        base = self.latest.get(one.id or 0, {})
        same = all(line.cells.get(f) == base.get(f) for f in self.fields if f != "uid")
        busy = one.waiting or one.refused or line.cells.get("uid") != one.uid
        merged = line.number in self.merged_lines
        return not same or bool(busy) or merged or self._chosen(one)

    def _chosen(self, one: RowState) -> bool:
        return any(p.row_id == one.id and p.choice for p in self.problems)

    def _new_rows(self) -> list[RowState]:
        """Rows for cases that the file has never had."""
        known = {one.case for one in self.mine.values()}
        new = [
            RowState(None, row_matching.uid_of(case), case)
            for case in self.wanted
            if case not in known
        ]
        self.mine.update((one.uid, one) for one in new)
        return new

    # ------------------------------------------------------------ one row

    def _row(self, one: RowState, line: TextRow, said: Cells) -> None:
        """Merge a row, do its deeds, answer, and write what is not as it should be."""
        merged = RowPass(self, one, line, _hinted(said, one.hint))
        merged.run()
        ours = merged.after
        final: dict[str, str] = {}
        base = self.base.get(one.id or 0, {})
        for name in self.fields:
            if name == "uid":
                continue
            stays = name in merged.kept
            wanted = base.get(name) if stays else ours.get(name)
            if wanted is not None:
                final[name] = wanted
            if not stays and line.cells.get(name) != wanted:
                self._put(line.number, name, wanted, ours)
        if line.cells.get("uid") != one.uid and (line.number, "uid") not in self.covered:
            self.cells[line.number, "uid"] = one.uid
        one.shown, one.seen = True, merged.seen
        self.touched[one.uid] = one
        self.agreed[one.uid] = final
        self.shown[one.case] = ours

    def _put(self, number: int, name: str, text: str | None, ours: Cells) -> None:
        """Write a text into a cell, as the value its column shows."""
        self.cells[number, name] = written(name, text, link=self._link(ours))

    def _link(self, ours: Cells) -> str:
        return f"{self.place.address}/c/{ours.get('number', '')}"

    def _append(self, one: RowState, said: Cells, answer: RowAnswer) -> None:
        """Give a case that has no line the first free one."""
        number = next(self.free)
        one.hint = answer.text(now=self.now, status=None) or one.hint
        ours = _hinted(said, one.hint)
        for name in self.fields:
            if name != "uid" and name in ours:
                self._put(number, name, ours[name], ours)
        self.cells[number, "uid"] = one.uid
        one.shown, one.seen, one.waiting = True, self.wanted[one.case], {}
        self.touched[one.uid] = one
        self.agreed[one.uid] = {f: ours[f] for f in self.fields if f in ours}
        self.shown[one.case] = ours
        self.note(CellDeed.appended, one, after=said.get("number"))

    def _absent(self, one: RowState, said: Cells) -> None:
        """A row that is not in the file: somebody deleted it, or an old copy never had it.

        It is put back when it is still away at the next look: cutting and pasting takes a while.
        """
        here_before = one.shown and one.id in self.base
        if here_before and not one.waiting.get("gone") and not self.source.at_once:
            one.waiting = {"gone": True}
            self.touched[one.uid] = one
            self.shown[one.case] = said
            return
        if self.source.at_once:
            return
        notes = [workbook_text.row_put_back()] if here_before else []
        self._append(one, said, RowAnswer(notes=notes))

    def _leave(self, one: RowState, line: TextRow | None) -> None:
        """A case is not this department's any more: its row is emptied, nothing typed is lost."""
        if line is not None:
            self._empty(one, line, self._unknown(one, line))
        if one.shown:
            self.note(CellDeed.blanked, one, before=self._last(one).get("number"))
            self.agreed[one.uid] = None
        for known in self.problems_of(one):
            if known.kind in (ProblemKind.conflict, ProblemKind.refused):
                self.settle(known, Resolution.over)
        one.shown, one.waiting, one.refused, one.hint = False, {}, {}, ""
        self.touched[one.uid] = one

    def _empty(self, one: RowState, line: TextRow, typed: Cells) -> None:
        """Empty a line of a case that left, and tell what somebody typed into it."""
        for name, text in typed.items():
            if layout.field(name).open_:
                self.problem(one, ProblemKind.not_ours, name, "not_ours", {}, theirs=text)
                self.note(CellDeed.refused, one, name, after=text, because="not_ours")
            else:
                self.note(CellDeed.put_back, one, name, before=text)
        for name in self.fields:
            if name in line.cells:
                self.cells[line.number, name] = None

    def _unknown(self, one: RowState, line: TextRow) -> dict[str, str]:
        """The cells of a row that say what neither side ever agreed on: somebody typed it."""
        base = self.base.get(one.id or 0, {})
        return {
            name: line.cells[name]
            for name in self.fields
            if name != "uid" and name in line.cells
            if line.cells[name] not in (base.get(name), self._last(one).get(name))
            if not any(line.cells[name] == h.value for h in self._history(one, name))
        }

    def _last(self, one: RowState) -> Cells:
        return self.latest.get(one.id or 0, {})

    def _history(self, one: RowState, name: str) -> Sequence[Agreed]:
        return self.history.get((one.id or 0, name), ())

    def _repeated(self, one: RowState, line: TextRow) -> None:
        """A second line of a case: nothing of it is taken, and it says so.

        It goes with the case: a copy must not keep a telephone number in the file.
        """
        if one.case not in self.wanted:
            self._leave_copy(one, line)
            return
        number = self._last(one).get("number", "")
        hint = workbook_text.row_repeated(number)
        base = self.base.get(one.id or 0, {})
        typed = {f: t for f, t in line.cells.items() if layout.field(f).open_ and t != base.get(f)}
        if line.cells.get("hint") == hint:
            return
        for name, text in typed.items():
            self.problem(one, ProblemKind.repeated, name, "repeated", {}, theirs=text)
        self.note(CellDeed.refused, one, after=number, because="repeated")
        self._put(line.number, "hint", hint, {})

    def _leave_copy(self, one: RowState, line: TextRow) -> None:
        """Empty a copy of the row of a case that left; what was told of it is not told again."""
        told = {(p.field, p.theirs) for p in self.problems_of(one)}
        told.add(("hint", workbook_text.row_repeated(line.cells.get("number", ""))))
        typed = self._unknown(one, line)
        self._empty(one, line, {f: t for f, t in typed.items() if (f, t) not in told})

    # ------------------------------------------------------------ typed rows

    def _newborn(self, lines: Sequence[TextRow]) -> None:
        """Rows that somebody typed below the others: complete and settled they become cases."""
        before = list(self.workbook.newborn)
        after: list[Any] = []
        for line in lines:
            typed = {f: t for f, t in line.cells.items() if f not in MARKS and f in self.fields}
            if not typed:
                self._clean(line)
                continue
            entry = next((e for e in before if e["cells"] == typed), None)
            if entry is not None:
                before.remove(entry)
            entry = self._born(line, typed, entry)
            if entry is not None:
                after.append(entry)
        if not self.source.at_once:
            self.workbook.newborn = after
            self._forget_refused([e["cells"] for e in after if e.get("refused")])

    def _forget_refused(self, standing: Sequence[Cells]) -> None:
        """Settle refusals of typed rows that are not there any more as they were."""
        said = {_as_text(typed) for typed in standing}
        for known in self.problems:
            typed_row = known.kind is ProblemKind.refused and known.row_id is None
            if typed_row and known.theirs not in said:
                self.settle(known, Resolution.over)

    def _clean(self, line: TextRow) -> None:
        """Take our own words out of a line in which nothing else of ours stands."""
        for name in MARKS & set(line.cells):
            self.cells[line.number, name] = None

    def _born(self, line: TextRow, typed: Cells, entry: Any) -> Any:
        """Register a typed row, or say what it still lacks; what to remember of it until then."""
        missing = [name for name in ("customer", "body") if not typed.get(name)]
        if missing:
            self._hint(line, workbook_text.cells_missing(missing))
            return self._remembered(typed, missing=True)
        if entry is None and not self.source.at_once:
            return {
                "cells": dict(typed),
                "at": self._at().isoformat(),
                "since": self.source.since.isoformat(),
            }
        if entry is not None and entry.get("refused") and not self._again(entry["cells"]):
            return entry
        try:
            with self.session.begin_nested():
                self._register(line, typed, entry or {})
        except (DomainError, Unreadable) as refusal:
            code, facts, why = because(refusal, "body")
            self._hint(line, workbook_text.input_refused(why))
            said = _as_text(typed)
            self.problem(None, ProblemKind.refused, None, code, facts, theirs=said)
            self.note(CellDeed.refused, None, after=said, because=why)
            return self._remembered(typed, refused=True)
        return None

    def _again(self, typed: Cells) -> bool:
        """Whether somebody chose that a refused row, as it was remembered, is to be tried again."""
        said = _as_text(typed)
        for known in self.problems:
            if known.row_id is None and known.theirs == said and known.choice is not None:
                self.settle(known, Resolution.over)
                return known.choice is Resolution.sheet
        return False

    def _remembered(self, typed: Cells, **marks: bool) -> dict[str, Any]:
        """A typed row as the next look compares it, with when it was saved."""
        return {"cells": dict(typed), "at": self._at().isoformat(), **marks}

    def _register(self, line: TextRow, typed: Cells, entry: Mapping[str, Any]) -> None:
        asked = {f: r for f, r in self.lines[line.number].cells.items() if layout.field(f).asked}
        assert self.workbook.department is not None
        complaint = intake.register_in_workbook(
            self.session,
            self.workbook.department,
            **self.reader.newborn(asked),
            actor=self.actor,
            now=self.now,
            at=_instant(entry.get("at"), self._at()),
        )
        one = RowState(None, row_matching.uid_of(complaint.id), complaint.id, typed=dict(typed))
        one.hint = workbook_text.case_registered(complaint.number, at=self.now)
        self.mine[one.uid] = one
        self.wanted[one.case] = ""  # it stands on the tab of today, and is read again next time
        state.write_rows(self.session, self.workbook, [one])
        said = case_cells.texts(self.session, [complaint.id])[complaint.id]
        self._write_born(one, line, _hinted(said, one.hint))
        self.note(CellDeed.taken, one, after=complaint.number, seq=complaint.version)

    def _write_born(self, one: RowState, line: TextRow, ours: Cells) -> None:
        """The new case's row: our columns are filled, what else was typed is an input as any."""
        final: dict[str, str] = {}
        for name in self.fields:
            if name == "uid" or (layout.field(name).open_ and name in line.cells):
                continue
            if name in ours:
                final[name] = ours[name]
            if line.cells.get(name) != ours.get(name):
                self._put(line.number, name, ours.get(name), ours)
        self.cells[line.number, "uid"] = one.uid
        one.shown = True
        self.touched[one.uid] = one
        self.agreed[one.uid] = final
        self.shown[one.case] = ours

    def _hint(self, line: TextRow, hint: str) -> None:
        if line.cells.get("hint") != hint:
            self._put(line.number, "hint", hint, {})

    # ------------------------------------------------------------ the rest of the tab

    def _headers(self) -> None:
        """Put back what somebody renamed."""
        on = self.now.astimezone(self.place.zone).date()
        for name, header, _width in layout.columns(self.session, self.tab, on=on):
            said = self.source.grid.headers.get(name)
            if name != "uid" and said is not None and said.strip() != header:
                self.cells[1, name] = header
                self.note(CellDeed.put_back, None, name, before=said, after=header)

    def _remember(self) -> None:
        """Write down rows, bases, changes; a pass that did nothing leaves no number."""
        state.write_rows(self.session, self.workbook, list(self.touched.values()))
        for known in self.problems:
            if known.choice and known.kind in (ProblemKind.not_ours, ProblemKind.repeated):
                self.settle(known, known.choice)
        agreed = {
            one.id: cells
            for uid, cells in self.agreed.items()
            if (one := self.mine[uid]).id is not None and cells != self.latest.get(one.id)
        }
        self.agreed_by_id = agreed
        waits = any(
            one.waiting.get("cells") or one.waiting.get("gone") for one in self.mine.values()
        )
        self.workbook.settled = not waits and not any(
            not (entry.get("missing") or entry.get("refused")) for entry in self.workbook.newborn
        )

    def standing(self) -> Iterator[tuple[Cells, bool]]:
        """What every row of the tab says after this pass, and whether an input of it is refused."""
        for one in self.mine.values():
            if one.case in self.wanted:
                yield self.shown.get(one.case) or self._last(one), bool(one.refused)

    def finish(self) -> None:
        """Store bases and changes under the number of this pass, and tell what was refused."""
        self._tell()
        if self.agreed_by_id:
            state.agree(self.session, self.workbook, self.number, self.agreed_by_id)
        common = {"sheet_id": self.workbook.id, "pass_number": self.number}
        ids = {one.uid: one.id for one in self.mine.values()}
        full = [
            {**change, "row_id": ids.get(change.pop("uid")), **common} for change in self.changes
        ]
        if full:
            self.session.execute(sa.insert(WorkbookChange), full)

    # ------------------------------------------------------------ saying so

    def note(
        self,
        what: CellDeed,
        one: RowState | None,
        name: str | None = None,
        *,
        before: str | None = None,
        after: str | None = None,
        because: str | None = None,
        seq: int | None = None,
    ) -> None:
        self.changes.append(
            {
                "uid": one.uid if one else None,
                "complaint_id": one.case if one else None,
                "field": name,
                "what": what,
                "before": before,
                "after": after,
                "because": because,
                "journal_seq": seq,
            }
        )

    def problem(
        self,
        one: RowState | None,
        kind: ProblemKind,
        name: str | None,
        code: str,
        facts: Mapping[str, Any],
        *,
        theirs: str | None,
        base: str | None = None,
        ours: str | None = None,
    ) -> None:
        """Tell the administrator, once for the same thing.

        A cell says one thing at a time, so a new text takes the place of the one before. What
        stands in several lines of a case is told for each.
        """
        row_id = one.id if one else None
        for known in self.problems:
            if (known.row_id, known.kind, known.field) == (row_id, kind, name):
                if known.theirs == theirs:
                    known.ours = ours
                    return
                if kind in OF_A_CELL and row_id is not None and known.choice is None:
                    self.settle(known, Resolution.over)
        found = WorkbookProblem(
            sheet_id=self.workbook.id,
            row_id=row_id,
            complaint_id=one.case if one else None,
            kind=kind,
            field=name,
            code=code,
            facts=dict(facts),
            base=base,
            ours=ours,
            theirs=theirs,
            found_at=self.now,
        )
        self.session.add(found)
        self.problems.append(found)

    def _tell(self) -> None:
        """Let the department know that inputs wait for it, once a pass; the rows say why."""
        refused = {c["complaint_id"] for c in self.changes if c["what"] is CellDeed.refused}
        if not refused:
            return
        only = next(iter(refused)) if len(refused) == 1 else None
        notices.add_notice(
            self.session,
            kind="refused_input",
            occasion=f"{self.workbook.id}/{self.number}",
            now=self.now,
            workbook=self.workbook,
            complaint=self.session.get(Complaint, only) if only else None,
            facts={},
        )

    def settle(self, problem: WorkbookProblem, choice: Resolution) -> None:
        """A problem ends: as somebody chose, or because it went away."""
        problem.choice = problem.choice or choice
        problem.settled_at = self.now
        self.problems = [one for one in self.problems if one is not problem]

    def problems_of(self, one: RowState) -> list[WorkbookProblem]:
        """The open problems of a row."""
        return [p for p in self.problems if p.row_id is not None and p.row_id == one.id]

    def _at(self) -> dt.datetime:
        """When what is new in the file was typed, as far as that can be known."""
        return min(max(self.source.at, self.source.since), self.now)

    def typed_between(self, one: RowState) -> tuple[dt.datetime, dt.datetime]:
        """The look before a row's inputs were first seen, and when they were saved."""
        waits = one.waiting
        since = _instant(waits.get("since"), self.source.since)
        return since, _instant(waits.get("at"), self._at())

    def first_seen(
        self, one: RowState, inputs: Mapping[str, Any]
    ) -> tuple[dt.datetime, dt.datetime]:
        """The same for inputs that still wait: they keep the time at which they were first seen."""
        before = one.waiting.get("cells", {})
        if all(before.get(name) == text for name, text in inputs.items()) and before:
            return self.typed_between(one)
        return self.source.since, self._at()


def _as_text(typed: Cells) -> str:
    """A typed row as somebody reads it."""
    return "\n".join(f"{workbook_text.column_header(name)}: {text}" for name, text in typed.items())


def _hinted(said: Cells, hint: str) -> Cells:
    """A case's cells with the answer of its row, where there is one."""
    return {**said, "hint": hint} if hint else said


def _instant(text: Any, otherwise: dt.datetime) -> dt.datetime:
    return dt.datetime.fromisoformat(text) if text else otherwise


def _covered(grid: TabPicture) -> frozenset[tuple[int, str]]:
    """Cells of ours that a merged area hides; nothing is read from them or written into them."""
    at = {column: name for name, column in grid.columns.items()}
    return frozenset(
        (row, at[column])
        for top, left, bottom, right in grid.merged
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
        if column in at and (row, column) != (top, left)
    )


def _free(lines: Mapping[int, TabRow]) -> Iterator[int]:
    """The rows that nobody uses, from the first below the header on."""
    return (number for number in count(2) if number not in lines)


def _reader(
    session: Session, workbook: Workbook, *, zone: dt.tzinfo, now: dt.datetime, on: dt.date
) -> CellReader:
    """Who can be named in a file, and the fields of the regulations in force."""
    return CellReader(staff(session, workbook, on=on), zone, now, _fields(session, on=on))


def staff(session: Session, workbook: Workbook, *, on: dt.date) -> list[Person]:
    """The people of a file's department, by number."""
    here = sa.or_(Employee.left_on.is_(None), Employee.left_on >= on)
    found = session.execute(
        sa.select(Employee.number, Employee.name)
        .where(Employee.department_id == workbook.department_id, here)
        .order_by(Employee.number)
    )
    return [Person(number, name) for number, name in found]


def _fields(session: Session, *, on: dt.date) -> dict[str, FieldEntry]:
    found: dict[str, FieldEntry] = {}
    for version in policies.all_in_force(session, on=on):
        for entry in policies.pack(session, version).field:
            found.setdefault(entry.key, entry)
    return found
