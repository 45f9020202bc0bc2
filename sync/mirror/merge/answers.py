"""The answer to what a person typed in a row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import wording
from policy.vocabulary.errors import DomainError
from policy.vocabulary.status import Status
from sync.mirror.parsing.texts import Unreadable
from sync.mirror.state import Cells
from wording import workbook_text


@dataclass
class RowAnswer:
    """The parts of an answer: names of deeds, sentences of refusals and notes, else fields."""

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    put_back: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self, *, now: dt.datetime, status: Status | None) -> str:
        """The answer as one line; empty where all parts are."""
        deeds = [name for name in self.done if name != "corrected"]
        sentences = (
            [workbook_text.deeds_taken(deeds, at=now, status=status)] if deeds and status else []
        )
        if "corrected" in self.done:
            sentences.append(workbook_text.answer_corrected(at=now))
        sentences += [workbook_text.input_refused(why) for why in self.refused]
        for fields, say in (
            (self.missing, workbook_text.cells_missing),
            (self.conflicts, workbook_text.changed_on_both_sides),
            (self.put_back, workbook_text.edits_put_back),
            (self.outdated, workbook_text.old_copy),
            (self.vanished, workbook_text.texts_vanished),
        ):
            if fields:
                sentences.append(say(list(dict.fromkeys(fields))))
        return workbook_text.join_answers([*sentences, *self.notes])


def because(refusal: DomainError | Unreadable, name: str) -> tuple[str, dict[str, Any], str]:
    """The reason why an input was refused: code, plain facts, and the sentence."""
    facts = {key: _plain(value) for key, value in refusal.facts.items()}
    if isinstance(refusal, Unreadable):
        return refusal.code, facts, workbook_text.cell_unreadable(refusal.code, name, facts)
    return refusal.code, facts, wording.error(refusal)


def with_hint(cells: Cells, hint: str) -> Cells:
    """The cells of a case with the answer of its row, where there is one."""
    return {**cells, "hint": hint} if hint else cells


def _plain(value: Any) -> Any:
    """A fact as JSON can keep it."""
    if isinstance(value, dict | list | str | int | float | bool) or value is None:
        return value
    return getattr(value, "name", None) or str(value)
