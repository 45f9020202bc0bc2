"""Matches the lines of a tab with cases: by the hidden id, or by the number where that is lost.

Pure. A line is never known by its place. Cells are the texts they show.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LIKE = 0.5
"""The share of equal cells from which a typed row counts as one that was taken in before."""

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TextRow:
    """A line of the tab as text: its number, and its filled cells by field."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class KnownRow:
    """The row of a case in the base; `typed` are its cells as typed, where it began so."""

    uid: str
    base: Cells
    typed: Cells | None = None

    @property
    def case(self) -> str | None:
        """The number of the case."""
        return self.base.get("number")


@dataclass(slots=True)
class RowMatches:
    """The lines by the uid of their row, second lines of a row, and lines of no row."""

    of: dict[str, TextRow] = field(default_factory=dict)
    repeated: list[tuple[str, TextRow]] = field(default_factory=list)
    newborn: list[TextRow] = field(default_factory=list)


def uid_of(complaint_id: int) -> str:
    """The id of a case's row, with a character that shows a typing error: `R123-K`."""
    body = f"R{complaint_id}"
    return f"{body}-{_LETTERS[zlib.crc32(body.encode()) % 32]}"


def match(lines: Iterable[TextRow], known: Mapping[str, KnownRow]) -> RowMatches:
    """Match every line; one of no row is newborn, a second one of a row is repeated."""
    numbers = {row.case: uid for uid, row in known.items() if row.case}
    claims: dict[str, list[TextRow]] = defaultdict(list)
    found = RowMatches()
    for line in lines:
        uid = _claimed(line, known, numbers)
        if uid is None:
            found.newborn.append(line)
        else:
            claims[uid].append(line)
    for uid, rivals in claims.items():
        if len(rivals) > 1:
            rivals.sort(key=lambda line: -_equal(line.cells, known[uid].base))
        found.of[uid] = rivals[0]
        found.repeated += [(uid, line) for line in rivals[1:]]
    _reborn(found, known)
    return found


def _claimed(
    line: TextRow, known: Mapping[str, KnownRow], numbers: Mapping[str, str]
) -> str | None:
    """The row that a line claims. Where id and number disagree, the one it resembles more."""
    by_id = line.cells.get("uid", "")
    by_number = numbers.get(line.cells.get("number", ""))
    if by_id not in known:
        return by_number
    if by_number is None or by_number == by_id:
        return by_id
    nearer = _equal(line.cells, known[by_number].base) > _equal(line.cells, known[by_id].base)
    return by_number if nearer else by_id


def _equal(one: Cells, other: Cells) -> int:
    return sum(1 for name, value in one.items() if name != "uid" and other.get(name) == value)


def _reborn(found: RowMatches, known: Mapping[str, KnownRow]) -> None:
    """Recognise typed rows that became cases although the tab does not have their id yet.

    The workbook was held open, is an old copy, or the program was killed before it could write.
    Each such row is looked for among the lines without an id, the most alike first.
    """
    absent = {uid: row.typed for uid, row in known.items() if row.typed and uid not in found.of}
    pairs = sorted(
        (
            (-alike, abs(place), uid, place)
            for uid, typed in absent.items()
            for place, line in enumerate(found.newborn)
            if (alike := similarity(line.cells, typed)) >= LIKE
        ),
    )
    taken: set[int] = set()
    for _alike, _distance, uid, place in pairs:
        if uid not in found.of and place not in taken:
            found.of[uid] = found.newborn[place]
            taken.add(place)
    found.newborn = [line for place, line in enumerate(found.newborn) if place not in taken]


def similarity(one: Cells, typed: Cells) -> float:
    """The share of a typed row's cells that a line still has, 0 to 1."""
    return sum(1 for name, value in typed.items() if one.get(name) == value) / max(len(typed), 1)
