"""One row of a department's file: every cell merged, its deeds done, its answer found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from enums import CellDeed, ProblemKind, Resolution
from models import WorkbookProblem
from policy.vocabulary.errors import DomainError
from policy.vocabulary.status import Status
from services.cases import journal
from services.workbooks import layout
from sync.mirror import case_cells, merge, parsing, state
from sync.mirror.answers import RowAnswer, because
from sync.mirror.deeds import GROUPS, CellGroup, DeedContext, ParsedInput
from sync.mirror.merge import Value, Verdict
from sync.mirror.parsing import Unreadable
from sync.mirror.row_matching import TextRow
from sync.mirror.state import Cells, RowState
from wording import workbook_text

if TYPE_CHECKING:
    from sync.mirror.tab_pass import TabPass


class RowPass:
    """A row while it is merged. Afterwards `after` are its cells and `kept` those left alone."""

    def __init__(self, whole: TabPass, one: RowState, line: TextRow, ours: Cells) -> None:
        self.whole, self.one, self.line, self.ours = whole, one, line, ours
        self.base: Cells = whole.base.get(one.id or 0, {})
        self.after: dict[str, str] = dict(ours)
        self.kept: set[str] = set()
        self.answer = RowAnswer()
        self.inputs: dict[str, ParsedInput] = {}
        self.hurried: set[str] = set()
        self.refused: dict[str, str | None] = {}
        self.waiting: dict[str, Value] = {}
        self.missing: list[str] = []
        self.merged: list[str] = []
        self.status: Status | None = None

    def run(self) -> None:
        """Merge every cell, do what is complete and settled, and find the answer."""
        for name in self.whole.fields:
            if name == "uid" or name in self.whole.new_columns:
                continue
            if (self.line.number, name) in self.whole.covered:
                self.merged.append(name)
            else:
                self._cell(name)
        self.kept.update(self.merged)
        for group in GROUPS:
            self._group(group)
        self._end()

    # ------------------------------------------------------------ cells

    def _cell(self, name: str) -> None:
        try:
            meant = self._meant(name)
        except Unreadable as error:
            self._unreadable(name, error, self._problem_of(name))
            return
        problem = self._problem_of(name)
        choice = problem.choice if problem else None
        if not choice and self._was_refused(name, meant.shown):
            self._seen(name, meant)
            return
        verdict = self._verdict(name, meant.shown, choice)
        if verdict is Verdict.take and meant.shown is not None and meant.value is None:
            try:
                meant = self._read(name)
            except Unreadable as error:
                self._unreadable(name, error, problem)
                return
        if problem is not None and (choice or verdict in (Verdict.same, Verdict.write)):
            self.whole.settle(problem, choice or Resolution.over)
        getattr(self, f"_{verdict.value}")(name, meant)

    def _was_refused(self, name: str, theirs: Value) -> bool:
        """Whether the same text was refused before and still stands there."""
        refused = self.one.refused
        return name in refused and refused[name] == theirs != self.ours.get(name)

    def _meant(self, name: str) -> ParsedInput:
        """What the cell says, as the text it would show if we had written it."""
        theirs = self.line.cells.get(name)
        if theirs in (self.base.get(name), self.ours.get(name)):
            return ParsedInput(theirs)
        if layout.field(name).open_:
            return self._read(name)
        try:
            return ParsedInput(parsing.text(self.whole.lines[self.line.number].cells.get(name)))
        except Unreadable:
            return ParsedInput(theirs)

    def _read(self, name: str) -> ParsedInput:
        """What the cell says, with the value a service is called with. Raises Unreadable."""
        read = self.whole.lines[self.line.number].cells.get(name)
        return self.whole.reader.meant(name, read)

    def _verdict(self, name: str, theirs: Value, choice: Resolution | None) -> Verdict:
        if choice is Resolution.record:
            return Verdict.write
        if choice is Resolution.sheet:
            self.hurried.add(name)
            return Verdict.take
        if choice is Resolution.seen:
            return Verdict.seen
        return merge.cell(
            base=self.base.get(name),
            theirs=theirs,
            ours=self.ours.get(name),
            history=self.whole.history.get((self.one.id or 0, name), ()),
            live=self.whole.source.live,
            office=not layout.field(name).open_,
        )

    def _same(self, name: str, meant: ParsedInput) -> None:
        pass

    def _seen(self, name: str, meant: ParsedInput) -> None:
        """Leave the cell as it is on both sides until somebody types something else."""
        self.kept.add(name)
        self.refused[name] = meant.shown

    def _write(self, name: str, meant: ParsedInput) -> None:
        if name != "hint":
            self._note(CellDeed.written, name, before=meant.shown, after=self.ours.get(name))

    def _put_back(self, name: str, meant: ParsedInput, because: str | None = None) -> None:
        ours = self.ours.get(name)
        self._note(CellDeed.put_back, name, before=meant.shown, after=ours, because=because)
        if name != "hint":
            self.answer.put_back.append(self.whole.titles[name])

    def _outdated(self, name: str, meant: ParsedInput) -> None:
        ours = self.ours.get(name)
        self._note(CellDeed.outdated, name, before=meant.shown, after=ours)
        self.answer.outdated.append(name)

    def _conflict(self, name: str, meant: ParsedInput) -> None:
        """Freeze the cell until somebody chooses between both sides."""
        self.kept.add(name)
        known = self._problem_of(name)
        if known is None or known.theirs != meant.shown:
            self._note(CellDeed.conflict, name, before=self.ours.get(name), after=meant.shown)
            self.answer.conflicts.append(name)
        self.whole.problem(
            self.one,
            ProblemKind.conflict,
            name,
            "conflict",
            {},
            base=self.base.get(name),
            ours=self.ours.get(name),
            theirs=meant.shown,
        )

    def _take(self, name: str, meant: ParsedInput) -> None:
        if meant.shown is None:
            self._put_back(name, ParsedInput(None), "cleared")
            return
        self.inputs[name] = meant

    def _problem_of(self, name: str) -> WorkbookProblem | None:
        """The open conflict or refusal of a cell."""
        kinds = (ProblemKind.conflict, ProblemKind.refused)
        mine = self.whole.problems_of(self.one)
        return next((one for one in mine if one.field == name and one.kind in kinds), None)

    # ------------------------------------------------------------ deeds

    def _group(self, group: CellGroup) -> None:
        """Do the deed of a group that is complete and stood unchanged for a look."""
        typed = [name for name in group.fields if name in self.inputs]
        if not typed:
            return
        frozen = self.kept & set(group.fields)
        if missing := group.missing(self.inputs, self.ours, frozen):
            self.kept.update(typed)
            self.missing += missing
            return
        if not self._settled(typed) or set(self.waiting) & set(group.needs):
            self.kept.update(typed)
            self.waiting |= {name: self.inputs[name].shown for name in typed}
            return
        try:
            with self.whole.session.begin_nested():
                self._do(group, typed)
        except (DomainError, Unreadable) as refusal:
            self._refuse(typed, refusal)

    def _settled(self, typed: Sequence[str]) -> bool:
        if self.whole.source.at_once or self.hurried & set(typed):
            return True
        before = self.one.waiting.get("cells", {})
        return all(before.get(name) == self.inputs[name].shown for name in typed)

    def _do(self, group: CellGroup, typed: Sequence[str]) -> None:
        since, at = self.whole.typed_between(self.one)
        complaint = journal.lock_case(self.whole.session, self.ours["number"])
        doing = DeedContext(
            session=self.whole.session,
            complaint=complaint,
            actor=self.whole.actor,
            since=since,
            at=at,
            now=self.whole.now,
            ours=self.ours,
        )
        done = group.do(doing, self.inputs)
        self.answer.done.append(done)
        self.status = complaint.status
        for name in typed:
            self._note(
                CellDeed.taken,
                name,
                before=self.base.get(name),
                after=self.inputs[name].shown,
                because=state.FROM_COPY if self.whole.source.at_once else None,
                seq=complaint.version,
            )

    def _refuse(self, typed: Sequence[str], refusal: DomainError | Unreadable) -> None:
        """Leave the input where it is, say why, and do not try the same again."""
        code, facts, why = because(refusal, typed[0])
        said = {name: self.inputs[name].shown for name in typed}
        for name in typed:
            del self.inputs[name]
        self._refused(said, code, facts, why)

    def _unreadable(self, name: str, error: Unreadable, problem: WorkbookProblem | None) -> None:
        raw = self.line.cells.get(name)
        choice = problem.choice if problem else None
        if problem is not None and choice:
            self.whole.settle(problem, choice)
        if choice is Resolution.record:
            self._write(name, ParsedInput(raw))
            return
        known = name in self.one.refused and self.one.refused[name] == raw
        if known and choice is not Resolution.sheet:
            self._seen(name, ParsedInput(raw))
            return
        code, facts, why = because(error, name)
        self._refused({name: raw}, code, facts, why)

    def _refused(self, said: dict[str, Value], code: str, facts: dict[str, Any], why: str) -> None:
        self.kept.update(said)
        self.refused |= said
        self.answer.refused.append(why)
        first = next(iter(said))
        for name, text in said.items():
            self._note(CellDeed.refused, name, after=text, because=why)
        self.whole.problem(
            self.one,
            ProblemKind.refused,
            first,
            code,
            {**facts, "why": why},
            base=self.base.get(first),
            ours=self.ours.get(first),
            theirs=said[first],
        )

    # ------------------------------------------------------------ the end

    def _end(self) -> None:
        """Read the case anew where deeds were done, and find what to answer."""
        one, whole = self.one, self.whole
        self.seen = whole.wanted[one.case]
        if self.answer.done:
            self.after = dict(case_cells.texts(whole.session, [one.case])[one.case])
            self.seen = state.versions(whole.session, one.case)
        busy_before = bool(one.waiting.get("missing") or one.refused)
        if self.missing != one.waiting.get("missing", []):
            self.answer.missing = self.missing
        if self.answer.text(now=whole.now, status=self.status):
            self._repeat()
        hint = self.answer.text(now=whole.now, status=self.status)
        if not hint and not (busy_before and not self.kept):
            hint = one.hint
        self.after.pop("hint", None)
        if hint or self.merged:
            names = [self.whole.titles[name] for name in self.merged]
            remark = [workbook_text.cells_merged(names)] if names else []
            self.after["hint"] = workbook_text.join_answers([one for one in (hint, *remark) if one])
        if "hint" in self.merged and "hint" not in one.waiting.get("merged", []):
            self._tell_merged()
        one.hint = hint
        one.refused = self.refused
        one.waiting = self._what_waits()
        for problem in whole.problems_of(one):
            gone = problem.field not in (*self.refused, *self.merged)
            if problem.kind is ProblemKind.refused and (gone or problem.choice):
                whole.settle(problem, problem.choice or Resolution.over)

    def _repeat(self) -> None:
        """Say with a new answer what still stands of older ones: the row has one cell for all."""
        answer = self.answer
        answer.missing = self.missing
        for known in self.whole.problems_of(self.one):
            why = known.facts.get("why")
            if known.kind is ProblemKind.conflict and known.field in self.kept:
                answer.conflicts.append(known.field)
            elif why and known.field in self.refused and why not in answer.refused:
                answer.refused.append(why)

    def _tell_merged(self) -> None:
        """Tell the administrator what the row cannot say: its own answer is covered."""
        facts = {"columns": [self.whole.titles[name] for name in self.merged]}
        kind = ProblemKind.refused
        self.whole.problem(self.one, kind, "hint", "merged", facts, theirs=None)

    def _what_waits(self) -> dict[str, object]:
        waits: dict[str, object] = {}
        if self.waiting:
            since, at = self.whole.first_seen(self.one, self.waiting)
            waits = {"cells": self.waiting, "since": since.isoformat(), "at": at.isoformat()}
        said = {"missing": self.missing, "merged": self.merged}
        return waits | {name: fields for name, fields in said.items() if fields}

    def _note(self, what: CellDeed, name: str, **said: Any) -> None:
        self.whole.note(what, self.one, name, **said)
