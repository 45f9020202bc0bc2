"""Three-way merge of one cell, pure: the base on which both sides agreed, theirs and ours.

The base is that of the look that last wrote the workbook, so a copy from this morning that is
saved this evening reverts nothing. The values of the cell after that look are its *history*,
which is empty unless the workbook is older than our last look.

Values are the texts that a cell shows; None is an empty cell.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

Value = str | None


class Verdict(enum.Enum):
    """What is done about a cell."""

    same = "same"  # both sides have the same value
    write = "write"  # the workbook shows an older value of ours
    take = "take"  # a person typed something new
    put_back = "put_back"  # a person typed into a column that is not theirs
    outdated = "outdated"  # an old copy shows an input that was taken long ago
    conflict = "conflict"  # changed on both sides; a person has to choose
    seen = "seen"  # a person saw that both sides differ and leaves it so


@dataclass(frozen=True, slots=True)
class Agreed:
    """A value the cell had after the base: typed by a person (`taken`) or written by us."""

    value: Value
    taken: bool


def verdict(
    *,
    base: Value,
    theirs: Value,
    ours: Value,
    history: Sequence[Agreed] = (),
    live: bool = True,
    office: bool = False,
) -> Verdict:
    """Decide what is done about a cell.

    `live`: no older copy can have been saved, because the workbook comes from the same look as
    last time. `office` columns belong to us; an edit in one of them is put back.
    """
    if theirs == ours:
        return Verdict.same
    known = theirs == base or any(theirs == one.value for one in history)
    if office:
        return Verdict.write if known else Verdict.put_back
    if not history:
        return _fresh(base, theirs, ours)
    return _late(base, theirs, ours, history=history, live=live)


def _fresh(base: Value, theirs: Value, ours: Value) -> Verdict:
    """Merge three ways: the workbook comes from our last look."""
    if theirs == base:
        return Verdict.write
    return Verdict.take if ours == base else Verdict.conflict


def _late(
    base: Value, theirs: Value, ours: Value, *, history: Sequence[Agreed], live: bool
) -> Verdict:
    """Merge with a workbook from an older look: it was held open for long, or is an old copy.

    The last input that was taken may still stand in it, and is not new. An older value comes from
    an old copy or from a person who changed their mind. Where it can be either, a person decides.
    """
    typed = [one.value for one in history if one.taken]
    if typed and theirs == typed[-1]:
        return Verdict.write
    if theirs == base:
        return Verdict.conflict if live and typed else Verdict.write
    if theirs in typed:
        return Verdict.conflict if live else Verdict.outdated
    if any(theirs == one.value for one in history):
        return Verdict.write
    ours_alone = ours != base and not (typed and ours == history[-1].value)
    moved_by_us = any(not one.taken and one.value != base for one in history) or ours_alone
    return Verdict.conflict if moved_by_us else Verdict.take
