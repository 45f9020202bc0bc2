"""Texts that people typed and that are no deed yet, and what becomes of them when they vanish.

A text waits because its group is not complete, because it was seen once only, or because it was
refused. It is in the record from the look that first saw it. When an older copy of the workbook is
saved over it, it becomes a problem with its text, and a person can have it put back.

A workbook written by a later look than the one that first saw a text has had that text: where it
is gone from there, a person took it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from enums import CellDeed, ProblemKind
from models import WorkbookProblem
from sync.mirror.merge.context import TabContext
from sync.mirror.state import Cells, RowState
from wording import workbook_text

WORDS = frozenset({"progress", "answer", "until_reason"})
"""Fields of free words; another value in one of the others is a choice that was made anew."""

VERSIONS = 5
"""So many earlier states of a text that is still being typed are remembered."""

SHORT = 8
"""Texts of fewer characters are alike by chance: most names end like others."""

Waiting = Mapping[str, Any]
"""A text that waits: `text`, the `look` before it was first seen, its times `since` and `at`, what
it `was` before, and `put` where we put it back."""


def remembered(context: TabContext, row: RowState, texts: Mapping[str, str]) -> dict[str, Any]:
    """The undecided texts of a row to remember; those known already keep when they were seen."""
    before = row.waiting.get("undecided", {})
    return {name: _entry(context, before.get(name), text) for name, text in texts.items()}


def _entry(context: TabContext, before: Waiting | None, text: str) -> Waiting:
    if before is not None and before["text"] == text:
        return before
    was = [*before.get("was", ()), before["text"]][-VERSIONS:] if before else []
    return {
        "text": text,
        "look": context.workbook.pass_number,
        "since": context.source.since.isoformat(),
        "at": context.saved_at.isoformat(),
        "was": was,
    }


def goes_on(before: str, now: str | None) -> bool:
    """Whether a text is what a person made of another by typing on or by correcting it."""
    if now is None:
        return False
    if before in now or len(before) < SHORT:
        return before in now
    head = _alike(before, now)
    tail = _alike(before[head:][::-1], now[head:][::-1])
    return 2 * (head + tail) >= len(before)


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], pairs))


def vanished(
    context: TabContext, row: RowState, *, number: int, now: Cells, decided: Cells
) -> dict[str, str]:
    """The remembered texts of a row that are gone, although nobody took them out.

    `now` are the cells of its line, `decided` those of the case: a text that stands there is safe.
    """
    base = context.base_of(row)
    gone: dict[str, str] = {}
    lost = False
    for name, entry in row.waiting.get("undecided", {}).items():
        text, here = entry["text"], now.get(name)
        if text in (here, decided.get(name)) or not _is_older(context, entry, at=(number, name)):
            continue
        if here in (None, base.get(name), decided.get(name), *entry.get("was", ())):
            lost = True
        elif name in WORDS:
            if goes_on(text, here):
                continue
            lost = True
        gone[name] = text
    return gone if lost else {}


def _is_older(context: TabContext, entry: Waiting, *, at: tuple[int, str]) -> bool:
    """Whether the workbook may never have had a text, or cannot show it any more."""
    hidden = at[1] in context.new_columns or at in context.covered
    return hidden or context.source.stamp <= entry["look"]


def report(
    context: TabContext, row: RowState, texts: Mapping[str, str], *, code: str = "vanished"
) -> None:
    """Report texts of a row that are in no cell any more, to be put back by a person."""
    if not texts:
        return
    waits = row.waiting.get("undecided", {})
    first: Waiting = next((waits[name] for name in texts if name in waits), {})
    times = {key: first[key] for key in ("since", "at") if key in first}
    report_texts(context, row, texts, code=code, times=times)
    for name, text in texts.items():
        context.changes.note(CellDeed.refused, row, name, after=text, because=code)


def report_texts(
    context: TabContext,
    row: RowState | None,
    texts: Cells,
    *,
    code: str,
    times: Mapping[str, Any],
) -> None:
    """Report typed cells that are nowhere in the file, with their text and when it was typed."""
    context.problems.report(
        row,
        ProblemKind.vanished,
        field=None,
        code=code,
        theirs=as_text(texts),
        facts={**times, "cells": dict(texts)},
    )


def report_gone_row(context: TabContext, row: RowState) -> None:
    """Report all that waited in a row whose line is gone; its conflicts stay open."""
    texts = {name: entry["text"] for name, entry in row.waiting.get("undecided", {}).items()}
    report(context, row, texts)
    for problem in context.problems.of_row(row):
        if problem.kind is ProblemKind.conflict:
            mark_gone(problem)


def mark_gone(problem: WorkbookProblem) -> None:
    """Mark a problem whose text is not in the file any more, so that no look settles it."""
    if not problem.facts.get("gone"):
        problem.facts = {**problem.facts, "gone": True}


def waiting_in(context: TabContext, row: RowState) -> dict[str, str]:
    """Every text of a row of which nothing became: waiting, vanished, or in conflict."""
    texts = {name: entry["text"] for name, entry in row.waiting.get("undecided", {}).items()}
    for problem in context.problems.of_row(row):
        if problem.kind is ProblemKind.vanished:
            texts |= problem.facts.get("cells", {})
        elif problem.kind is ProblemKind.conflict and problem.field and problem.theirs:
            texts[problem.field] = problem.theirs
    return texts


def of_row(context: TabContext, row: RowState) -> Iterable[WorkbookProblem]:
    """The problems of a row about texts that vanished."""
    return [one for one in context.problems.of_row(row) if one.kind is ProblemKind.vanished]


def as_text(typed: Cells) -> str:
    """Typed cells as a person reads them."""
    return "\n".join(f"{workbook_text.column_header(name)}: {text}" for name, text in typed.items())
