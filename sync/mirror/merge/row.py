"""The merge of one row: every cell merged, its deeds done, its answer found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from enums import CellDeed, ProblemKind, Resolution
from models import WorkbookProblem
from policy.vocabulary.errors import DomainError
from policy.vocabulary.status import Status
from services.cases import journal
from services.workbooks import layout
from sync.mirror import case_cells, state
from sync.mirror.merge import cell, undecided
from sync.mirror.merge.answers import RowAnswer, because
from sync.mirror.merge.cell import Value, Verdict
from sync.mirror.merge.context import TabContext
from sync.mirror.merge.deeds import GROUPS, CellGroup, DeedContext
from sync.mirror.merge.matching import TextRow
from sync.mirror.parsing import texts
from sync.mirror.parsing.cell_reader import ParsedInput
from sync.mirror.parsing.texts import Unreadable
from sync.mirror.state import Cells, RowState
from sync.port import Read
from wording import workbook_text


class RowMerge:
    """The merge of a row with its line in the tab.

    Afterwards `after` are the cells of the row, `kept` the fields that stay as they are in the
    tab, `restored` the texts that are put back into it, and `seen` the versions from which the
    cells were made.
    """

    def __init__(self, context: TabContext, row: RowState, line: TextRow, *, ours: Cells) -> None:
        self.context, self.row, self.line, self.ours = context, row, line, ours
        self.base: Cells = context.base_of(row)
        self.after: dict[str, str] = dict(ours)
        self.seen = context.wanted[row.case]
        self.kept: set[str] = set()
        self.restored: dict[str, str] = {}
        self.decided = False  # whether a person decided about texts that had vanished
        self.answer = RowAnswer()
        self.inputs: dict[str, ParsedInput] = {}
        self.hurried: set[str] = set()
        self.refused: dict[str, str | None] = {}
        self.waiting: dict[str, Value] = {}
        self.missing: list[str] = []
        self.merged: list[str] = []
        self.status: Status | None = None

    def run(self) -> None:
        """Merge every cell, do the deeds that are complete and settled, and find the answer."""
        if not self.context.source.at_once:
            self._put_texts_back()
        for name in self.context.fields:
            if name == "uid" or name in self.context.new_columns:
                continue
            if (self.line.number, name) in self.context.covered:
                self.merged.append(name)
            else:
                self._merge_cell(name)
        self.kept.update(self.merged)
        for group in GROUPS:
            self._do_group(group)
        self._read_anew()
        self._find_vanished()
        self._answer()
        self._remember()

    # ------------------------------------------------------------ cells

    def _merge_cell(self, name: str) -> None:
        problem = self.context.problems.of_cell(self.row, name)
        choice = self._choice_of(problem)
        try:
            typed = self._typed(name)
            if not choice and self._was_refused(name, typed.shown):
                self._leave(name, typed)
                return
            verdict = self._verdict(name, typed.shown, choice=choice)
            if verdict is Verdict.take and typed.shown is not None and typed.value is None:
                typed = self._parsed(name)
        except Unreadable as error:
            self._unreadable(name, error, problem=problem)
            return
        if problem is not None:
            self._settle(problem, verdict, typed, choice=choice)
        self._follow(verdict, name, typed)

    def _choice_of(self, problem: WorkbookProblem | None) -> Resolution | None:
        """What a person chose for a cell of the workbook itself, not of a copy."""
        return problem.choice if problem and not self.context.source.at_once else None

    def _settle(
        self,
        problem: WorkbookProblem,
        verdict: Verdict,
        typed: ParsedInput,
        *,
        choice: Resolution | None,
    ) -> None:
        """Settle the problem of a cell that a person decided, or that is over by itself.

        An older copy settles no conflict: it never had the text that somebody has to decide about.
        """
        problems = self.context.problems
        if choice:
            problems.settle(problem, choice)
        elif verdict in (Verdict.same, Verdict.write):
            if self._outlasts(problem):
                undecided.mark_gone(problem)
            elif not self.context.source.at_once:
                problems.settle(problem, Resolution.over)
        elif verdict is Verdict.take and problem.facts.get("gone"):
            problems.settle(problem, Resolution.over)
            if problem.field and problem.theirs and problem.theirs != typed.shown:
                undecided.report(self.context, self.row, {problem.field: problem.theirs})

    def _outlasts(self, problem: WorkbookProblem) -> bool:
        """Whether the text of a conflict is gone from the cell without a person's doing."""
        if problem.kind is not ProblemKind.conflict or not problem.theirs:
            return False
        source, facts = self.context.source, problem.facts
        older = facts.get("gone") or source.stamp <= facts.get("look", -1)
        return (
            bool(older)
            and not source.at_once
            and problem.theirs != self.ours.get(problem.field or "")
        )

    def _text(self, name: str) -> Value:
        """The text in the cell, or the one that is put back into it."""
        return self.restored.get(name, self.line.cells.get(name))

    def _read(self, name: str) -> Read | None:
        if name in self.restored:
            return self.restored[name]
        return self.context.read[self.line.number].cells.get(name)

    def _typed(self, name: str) -> ParsedInput:
        """The text in the cell, as it would be shown if we had written it."""
        theirs = self._text(name)
        if theirs in (self.base.get(name), self.ours.get(name)):
            return ParsedInput(theirs)
        if layout.field(name).open_:
            return self._parsed(name)
        try:
            return ParsedInput(texts.text(self._read(name)))
        except Unreadable:
            return ParsedInput(theirs)

    def _parsed(self, name: str) -> ParsedInput:
        """The text in the cell, with the value for a service. Raises Unreadable."""
        return self.context.reader.parsed(name, self._read(name))

    def _was_refused(self, name: str, theirs: Value) -> bool:
        """Whether the same text was refused before and still stands there."""
        refused = self.row.refused
        return name in refused and refused[name] == theirs != self.ours.get(name)

    def _verdict(self, name: str, theirs: Value, *, choice: Resolution | None) -> Verdict:
        if choice is Resolution.record:
            return Verdict.write
        if choice is Resolution.sheet:
            self.hurried.add(name)
            return Verdict.take
        if choice is Resolution.seen:
            return Verdict.same if theirs == self.ours.get(name) else Verdict.seen
        return cell.verdict(
            base=self.base.get(name),
            theirs=theirs,
            ours=self.ours.get(name),
            history=self.context.history_of(self.row, name),
            live=self.context.source.live,
            office=not layout.field(name).open_,
        )

    def _follow(self, verdict: Verdict, name: str, typed: ParsedInput) -> None:
        """Do to a cell what its verdict says."""
        match verdict:
            case Verdict.same:
                pass
            case Verdict.write:
                self._write(name, typed)
            case Verdict.take:
                self._take(name, typed)
            case Verdict.put_back:
                self._put_back(name, typed)
            case Verdict.outdated:
                self._outdated(name, typed)
            case Verdict.conflict:
                self._conflict(name, typed)
            case Verdict.seen:
                self._leave(name, typed)

    def _leave(self, name: str, typed: ParsedInput) -> None:
        """Leave the cell as it is on both sides until a person types something else."""
        self.kept.add(name)
        self.refused[name] = typed.shown

    def _write(self, name: str, typed: ParsedInput) -> None:
        if name != "hint":
            self._note(CellDeed.written, name, before=typed.shown, after=self.ours.get(name))

    def _put_back(self, name: str, typed: ParsedInput, *, because: str | None = None) -> None:
        ours = self.ours.get(name)
        self._note(CellDeed.put_back, name, before=typed.shown, after=ours, because=because)
        if name != "hint":
            self.answer.put_back.append(self.context.titles[name])

    def _outdated(self, name: str, typed: ParsedInput) -> None:
        ours = self.ours.get(name)
        self._note(CellDeed.outdated, name, before=typed.shown, after=ours)
        self.answer.outdated.append(name)

    def _conflict(self, name: str, typed: ParsedInput) -> None:
        """Freeze the cell until a person chooses between both sides."""
        self.kept.add(name)
        known = self.context.problems.of_cell(self.row, name)
        if known is None or known.theirs != typed.shown:
            self._note(CellDeed.conflict, name, before=self.ours.get(name), after=typed.shown)
            self.answer.conflicts.append(name)
        self.context.problems.report(
            self.row,
            ProblemKind.conflict,
            field=name,
            code="conflict",
            theirs=typed.shown,
            base=self.base.get(name),
            ours=self.ours.get(name),
            facts={"look": self.context.workbook.pass_number},
        )
        if self.context.source.at_once and (
            problem := self.context.problems.of_cell(self.row, name)
        ):
            undecided.mark_gone(problem)

    def _take(self, name: str, typed: ParsedInput) -> None:
        if typed.shown is None:
            self._put_back(name, ParsedInput(None), because="cleared")
            return
        self.inputs[name] = typed

    # ------------------------------------------------------------ deeds

    def _do_group(self, group: CellGroup) -> None:
        """Do the deed of a group that is complete and stood unchanged for a look."""
        typed = [name for name in group.fields if name in self.inputs]
        if not typed:
            return
        frozen = self.kept & set(group.fields)
        if missing := group.missing(self.inputs, self.ours, frozen):
            self.kept.update(typed)
            self.missing += missing
            return
        waits = not self._is_settled(typed) or bool(set(self.waiting) & set(group.needs))
        if waits or not self._fits(typed):
            self.kept.update(typed)
            if not self.context.source.at_once:  # a copy is simply taken in once more
                self.waiting |= {name: self.inputs[name].shown for name in typed}
            return
        try:
            with self.context.session.begin_nested():
                self._do(group, typed)
        except (DomainError, Unreadable) as refusal:
            self._refuse_group(typed, refusal)

    def _fits(self, typed: Sequence[str]) -> bool:
        """Whether a deed fits into the portion of this look; what a person chose always does."""
        return self.context.portion.takes_deed() or bool(self.hurried & set(typed))

    def _is_settled(self, typed: Sequence[str]) -> bool:
        """Whether inputs stood unchanged for a look, or need not."""
        if self.context.source.at_once or self.hurried & set(typed):
            return True
        before = self.row.waiting.get("cells", {})
        return all(before.get(name) == self.inputs[name].shown for name in typed)

    def _do(self, group: CellGroup, typed: Sequence[str]) -> None:
        context = self.context
        since, at = context.typed_between(self.row)
        complaint = journal.lock_case(context.session, self.ours["number"])
        doing = DeedContext(
            session=context.session,
            complaint=complaint,
            actor=context.actor,
            since=since,
            at=at,
            now=context.now,
            ours=self.ours,
        )
        self.answer.done.append(group.do(doing, self.inputs))
        self.status = complaint.status
        for name in typed:
            self._note(
                CellDeed.taken,
                name,
                before=self.base.get(name),
                after=self.inputs[name].shown,
                because=state.FROM_COPY if context.source.at_once else None,
                seq=complaint.version,
            )

    def _refuse_group(self, typed: Sequence[str], refusal: DomainError | Unreadable) -> None:
        """Leave the inputs of a group where they are, say why, and do not try them again."""
        inputs = {name: self.inputs.pop(name).shown for name in typed}
        self._refuse(inputs, refusal)

    def _unreadable(self, name: str, error: Unreadable, *, problem: WorkbookProblem | None) -> None:
        raw = self._text(name)
        choice = self._choice_of(problem)
        if problem is not None and choice:
            self.context.problems.settle(problem, choice)
        if choice is Resolution.record:
            self._write(name, ParsedInput(raw))
            return
        known = name in self.row.refused and self.row.refused[name] == raw
        if known and choice is not Resolution.sheet:
            self._leave(name, ParsedInput(raw))
            return
        self._refuse({name: raw}, error)

    def _refuse(self, inputs: dict[str, Value], refusal: DomainError | Unreadable) -> None:
        """Refuse inputs that belong together; the problem is that of the first."""
        first = next(iter(inputs))
        code, facts, why = because(refusal, first)
        self.kept.update(inputs)
        self.refused |= inputs
        self.answer.refused.append(why)
        for name, text in inputs.items():
            self._note(CellDeed.refused, name, after=text, because=why)
        if self.context.source.at_once:
            return  # the text is in the copy alone, and reported with what else waits in it
        self.context.problems.report(
            self.row,
            ProblemKind.refused,
            field=first,
            code=code,
            theirs=inputs[first],
            base=self.base.get(first),
            ours=self.ours.get(first),
            facts={**facts, "why": why},
        )

    # ------------------------------------------------------------ undecided texts

    def _put_texts_back(self) -> None:
        """Put back the texts for which a person chose that, and again those that got lost again."""
        for problem in undecided.of_row(self.context, self.row):
            if problem.choice is None:
                continue
            self.decided = True
            if problem.choice is Resolution.sheet:
                self._put_back_problem(problem)
            else:
                self.context.problems.settle(problem, problem.choice)
        for problem in self.context.problems.of_row(self.row):
            gone = problem.facts.get("gone") and problem.kind is ProblemKind.conflict
            if gone and problem.choice is Resolution.sheet and problem.field and problem.theirs:
                self._restore(problem.field, problem.theirs)
        for name, entry in self.row.waiting.get("undecided", {}).items():
            if entry.get("put") and self.context.source.stamp <= entry["look"]:
                self._restore(name, entry["text"])

    def _put_back_problem(self, problem: WorkbookProblem) -> None:
        """Put the texts of a problem back; those whose cells cannot be written stay with it."""
        row, cells = self.row, problem.facts.get("cells", {})
        left = {name: text for name, text in cells.items() if not self._restore(name, text)}
        self.hurried |= set(cells) - set(left)
        if not row.waiting.get("cells") and "at" in problem.facts:
            times = {key: problem.facts[key] for key in ("since", "at")}
            row.waiting = {**row.waiting, **times}
        self.context.problems.settle(problem, Resolution.sheet)
        if left:
            undecided.report(self.context, row, left)

    def _restore(self, name: str, text: str) -> bool:
        """Put a text back into its cell, behind words that stand there; whether that was possible.

        Another choice that a person made meanwhile stands.
        """
        context, here = self.context, self._text(name)
        hidden = name in context.new_columns or (self.line.number, name) in context.covered
        if hidden or name not in context.fields:
            return False
        if here in (None, text, self.base.get(name), self.ours.get(name)):
            self.restored[name] = text
        elif name in undecided.WORDS and text not in here:
            self.restored[name] = f"{here}\n{text}"
        return True

    def _undecided(self) -> dict[str, str]:
        """The texts of the row of which nothing became in this look."""
        waits = {name: one.shown for name, one in self.inputs.items() if name in self.kept}
        return {name: text for name, text in {**waits, **self.refused}.items() if text is not None}

    def _find_vanished(self) -> None:
        """Report texts that an older copy was saved over, and those that only a copy has."""
        context, row, texts = self.context, self.row, self._undecided()
        if context.source.at_once:
            undecided.report(context, row, texts, code="copy_undecided")
            return
        now = {**self.line.cells, **self.restored, **texts}
        gone = undecided.vanished(
            context, row, number=self.line.number, now=now, decided=self.after
        )
        undecided.report(context, row, gone)
        self.answer.vanished += gone
        for problem in undecided.of_row(context, row):
            cells = problem.facts.get("cells", {})
            if all(text in (now.get(f), self.after.get(f)) for f, text in cells.items()):
                self.decided = True
                context.problems.settle(problem, Resolution.over)

    # ------------------------------------------------------------ the answer

    def _read_anew(self) -> None:
        """Read the case again where deeds were done."""
        if self.answer.done:
            session, case = self.context.session, self.row.case
            self.after = dict(case_cells.texts(session, [case])[case])
            self.seen = state.versions(session, case)

    def _answer(self) -> None:
        """Write the answer into the row; an older one stays until there is a new one."""
        row, now = self.row, self.context.now
        busy_before = bool(row.waiting.get("missing") or row.refused or self.decided)
        if self.missing != row.waiting.get("missing", []):
            self.answer.missing = self.missing
        if self.answer.text(now=now, status=self.status):
            self._repeat_standing()
        hint = self.answer.text(now=now, status=self.status)
        if not hint and not (busy_before and not self.kept):
            hint = row.hint
        self.after.pop("hint", None)
        if hint or self.merged:
            names = [self.context.titles[name] for name in self.merged]
            remark = [workbook_text.cells_merged(names)] if names else []
            self.after["hint"] = workbook_text.join_answers(
                [text for text in (hint, *remark) if text]
            )
        row.hint = hint

    def _repeat_standing(self) -> None:
        """Repeat with a new answer what still holds of older ones: a row has one cell for all."""
        answer = self.answer
        answer.missing = self.missing
        for known in self.context.problems.of_row(self.row):
            why = known.facts.get("why")
            gone = bool(known.facts.get("gone"))
            if known.kind is ProblemKind.conflict and (known.field in self.kept or gone):
                answer.conflicts.append(str(known.field))
            elif known.kind is ProblemKind.vanished:
                answer.vanished += known.facts.get("cells", {})
            elif why and known.field in self.refused and why not in answer.refused:
                answer.refused.append(why)

    def _remember(self) -> None:
        """Remember what waits and what is refused, and settle refusals that are over."""
        row, problems = self.row, self.context.problems
        if "hint" in self.merged and "hint" not in row.waiting.get("merged", []):
            self._report_merged()
        if self.context.source.at_once:
            return  # what waits and what is refused in the workbook itself stays as it was
        row.refused = self.refused
        row.waiting = self._still_waiting()
        for problem in problems.of_row(row):
            gone = problem.field not in (*self.refused, *self.merged)
            if problem.kind is ProblemKind.refused and (gone or problem.choice):
                problems.settle(problem, problem.choice or Resolution.over)

    def _report_merged(self) -> None:
        """Report to the administrator that a merged area covers the answer of the row."""
        facts = {"columns": [self.context.titles[name] for name in self.merged]}
        self.context.problems.report(
            self.row, ProblemKind.refused, field="hint", code="merged", theirs=None, facts=facts
        )

    def _still_waiting(self) -> dict[str, object]:
        waits: dict[str, object] = {}
        if self.waiting:
            since, at = self.context.first_seen(self.row, self.waiting)
            waits = {"cells": self.waiting, "since": since.isoformat(), "at": at.isoformat()}
        texts = undecided.remembered(self.context, self.row, self._undecided())
        for name in self.restored.keys() & texts.keys():
            texts[name] = {**texts[name], "look": self.context.workbook.pass_number, "put": True}
        more = {"missing": self.missing, "merged": self.merged, "undecided": texts}
        return waits | {name: fields for name, fields in more.items() if fields}

    def _note(self, what: CellDeed, name: str, **values: Any) -> None:
        self.context.changes.note(what, self.row, name, **values)
