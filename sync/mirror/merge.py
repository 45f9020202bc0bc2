"""Three-way merge of one cell, pure: what both sides agreed on, what the sheet says, what we say.

The base of a merge is the one of the pass the file says it comes from, so a copy from this
morning that is saved this evening reverts nothing. What happened to the cell after that pass is
its *history*, empty unless the file is older than our last pass.

Values are the texts a cell shows; None is an empty cell.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

Value = str | None


class Verdict(enum.Enum):
    """What to do about a cell."""

    same = "same"  # both sides say the same
    write = "write"  # the sheet shows an older value of ours
    take = "take"  # a person typed something new
    put_back = "put_back"  # somebody typed into a column that is not his
    outdated = "outdated"  # an old copy still shows what was taken long ago
    conflict = "conflict"  # changed on both sides; somebody has to choose
    seen = "seen"  # somebody knows that both sides differ and leaves it so


@dataclass(frozen=True, slots=True)
class Agreed:
    """A value the cell had after the base: typed by a person (`taken`) or written by us."""

    value: Value
    taken: bool


def cell(
    *,
    base: Value,
    theirs: Value,
    ours: Value,
    history: Sequence[Agreed] = (),
    live: bool = True,
    office: bool = False,
) -> Verdict:
    """What to do about one cell.

    `live` says that nobody can have saved an older copy: the file comes from the same pass as at
    the last look. `office` columns belong to us; an edit in one of them is put back.
    """
    if theirs == ours:
        return Verdict.same
    known = theirs == base or any(theirs == one.value for one in history)
    if office:
        return Verdict.write if known else Verdict.put_back
    if not history:
        return _fresh(base, theirs, ours)
    return _late(base, theirs, ours, history, live=live)


def _fresh(base: Value, theirs: Value, ours: Value) -> Verdict:
    """The plain three-way merge: the file comes from our last pass."""
    if theirs == base:
        return Verdict.write
    return Verdict.take if ours == base else Verdict.conflict


def _late(
    base: Value, theirs: Value, ours: Value, history: Sequence[Agreed], *, live: bool
) -> Verdict:
    """The file comes from an older pass: held open for long, or an old copy.

    The last input that was taken may still stand in it; that is no news. An older value can be an
    old copy or somebody who changed his mind: where the file can be either, a person decides.
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
