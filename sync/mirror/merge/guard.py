"""The guard: from which point on a tab is too damaged to be taken in.

Pure. People assign cases anew, write the same phrase in many rows and put answers right; none of
that may stop a workbook. What stops it is evidence that cells went to other rows: texts that stood
once and stand elsewhere now, our own columns in another order, a whole list that moved along.

In a column of choices the same few values stand everywhere, so that a value equal to the one of a
neighbour says little. There a column must have come out sorted as a whole, or a run of cells must
have moved along that chance explains once in many thousand saves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log2

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Damage:
    """The reason why a look must stop: a code, and the facts for the sentence about it."""

    code: str
    facts: Mapping[str, object]


Pair = tuple[Cells, Cells]
"""The cells of a row in the base, and in the tab."""

LOST_AT_LEAST, LOST_SHARE = 5, 0.2
CHANGED_AT_LEAST, CHANGED_SHARE = 12, 0.05
MOVED_AT_LEAST = 3
"""Two rows whose cells changed places may be a person who put an answer right, three are not."""
EVIDENCE, CHOICE_EVIDENCE = 14.0, 18.0
"""Bits: a run of moved cells that chance brings once in 16,000 saves; choices vary by habit too."""
PHRASES_SHARE = 0.2
TEXT_BITS = 6.0
"""What a text that stood once only tells by standing elsewhere; nobody types it again by chance."""


def damage(
    pairs: Sequence[Pair],
    *,
    vanished: int,
    fields: Sequence[str],
    office: frozenset[str],
    chosen: frozenset[str] = frozenset(),
) -> Damage | None:
    """The damage that makes a tab unfit to be taken in, or None.

    `pairs` are the rows in the order of the tab; `vanished` rows of the base are not in it. Columns
    of the `office` are ours, in `chosen` ones people choose from a list.
    """
    whole = len(pairs) + vanished
    if vanished >= LOST_AT_LEAST and vanished > LOST_SHARE * whole:
        return Damage("rows_vanished", {"count": vanished, "of": whole})
    if vanished > 1 and not pairs:
        return Damage("rows_vanished", {"count": vanished, "of": whole})
    columns = [
        _Column(pairs, name, office=name in office, chosen=name in chosen) for name in fields
    ]
    if found := _half_sorted(columns) or _shifted(columns) or _moved(columns):
        return found
    count = sum(len(column.changed) for column in columns if column.office)
    if count >= CHANGED_AT_LEAST and count > CHANGED_SHARE * len(pairs) * max(len(office), 1):
        return Damage("cells_changed", {"count": count, "of": len(pairs) * len(office)})
    return None


class _Column:
    """A column before and now, and the places at which it changed."""

    def __init__(self, pairs: Sequence[Pair], name: str, *, office: bool, chosen: bool) -> None:
        self.name, self.office, self.chosen = name, office, chosen
        self.before = [base.get(name, "") for base, _now in pairs]
        self.now = [now.get(name, "") for _base, now in pairs]
        self.changed = [
            at for at, (b, n) in enumerate(zip(self.before, self.now, strict=True)) if b != n
        ]
        self.times = Counter(self.before)

    @property
    def permuted(self) -> bool:
        """Whether the changed cells are the old ones in another order."""
        before = sorted(self.before[at] for at in self.changed)
        return len(before) > 1 and before == sorted(self.now[at] for at in self.changed)

    @property
    def came_out_sorted(self) -> bool:
        """Whether equal values stand together now that did not before."""
        return _is_grouped(self.now) and not _is_grouped(self.before)

    @property
    def wandered(self) -> list[int]:
        """The places of texts that stood once and stand once, but in another row now."""
        now = Counter(self.now)
        once = {text for text, times in self.times.items() if text and times == 1 == now[text]}
        return [at for at in self.changed if self.now[at] in once]

    def is_evidence(self, places: Sequence[int], *, typed: Sequence[str] = ()) -> bool:
        """Whether the texts at these places cannot have been put there by chance.

        Where people write the same phrases in many rows, as also `typed` may show, one that stood
        once only tells little.
        """
        phrases = _has_phrases(self.before) or _has_phrases(typed)
        bits = sum(self._bits(self.now[at], phrases=phrases) for at in places)
        return bits >= (CHOICE_EVIDENCE if self.chosen else EVIDENCE)

    def _bits(self, value: str, *, phrases: bool) -> float:
        """How much a value tells that stands where another row had it."""
        if self.chosen or self.times[value] > 1:
            return log2(len(self.before) / self.times[value])
        return log2(len(self.times)) if phrases else TEXT_BITS

    def runs(self, by: int) -> Iterator[list[int]]:
        """Runs of lines that all have what stood `by` lines away; of each, the changed places."""
        lines = range(max(0, -by), min(len(self.now), len(self.now) - by))
        for alike, run in groupby(lines, lambda at: self.now[at] == self.before[at + by]):
            moved = [at for at in run if self.now[at] != self.before[at] and self.now[at]]
            if alike and len(moved) >= MOVED_AT_LEAST:
                yield moved

    @property
    def renamed(self) -> bool:
        """Whether each old value became one new value: cases of one person given to another."""
        became = {(self.before[at], self.now[at]) for at in self.changed}
        return len(became) == len({old for old, _new in became})


def _has_phrases(values: Sequence[str]) -> bool:
    """Whether many texts stand in several rows."""
    filled = [times for text, times in Counter(values).items() if text]
    return sum(times for times in filled if times > 1) > PHRASES_SHARE * sum(filled)


def _is_grouped(values: Sequence[str]) -> bool:
    """Whether equal values stand together, as after sorting, whatever the order of values."""
    return len(list(groupby(values))) == len(set(values))


def _half_sorted(columns: Sequence[_Column]) -> Damage | None:
    """Find columns that were sorted without the rest: they have the old cells in another order."""
    found = [column for column in columns if column.permuted]
    several = len(found) >= 2 and any(column.office for column in found)
    if several or any(_is_proof(column) for column in found):
        rows = {at for column in found for at in column.changed}
        return Damage("half_sorted", {"columns": [c.name for c in found], "rows": len(rows)})
    return None


def _is_proof(column: _Column) -> bool:
    """Whether the other order of one column alone cannot be a person's work."""
    if len(column.changed) < MOVED_AT_LEAST:
        return False
    if column.office or column.came_out_sorted:
        return True
    return _has_moved(column)


def _has_moved(column: _Column) -> bool:
    """Whether whole texts of a column went to other rows."""
    places = column.wandered
    if column.chosen or len(places) < MOVED_AT_LEAST:
        return False
    return column.office or column.is_evidence(places, typed=column.now)


def _shifted(columns: Sequence[_Column]) -> Damage | None:
    """Find columns into which a paste slipped: their cells stand where their neighbours stood."""
    names: list[str] = []
    rows: set[int] = set()
    for column in columns:
        if slipped := _slipped(column):
            names.append(column.name)
            rows.update(slipped)
    return Damage("shifted_paste", {"columns": names, "rows": len(rows)}) if names else None


def _slipped(column: _Column) -> list[int]:
    """The places to which the cells of neighbours moved along; none where chance explains it."""
    if column.chosen and column.renamed:
        return []
    for by in (-2, -1, 1, 2):
        for run in column.runs(by):
            values = [column.now[at] for at in run]
            if len(set(values)) >= 2 and (column.office or column.is_evidence(run)):
                return run
    return []


def _moved(columns: Sequence[_Column]) -> Damage | None:
    """Find texts that went to other rows while somebody also typed in the same column."""
    found = {
        c.name: at for c in columns if not c.chosen and len(at := c.wandered) >= MOVED_AT_LEAST
    }
    rows = {at for places in found.values() for at in places}
    return Damage("half_sorted", {"columns": list(found), "rows": len(rows)}) if found else None
