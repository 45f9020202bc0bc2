"""People named in cells, by number, by name, or by both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sync.mirror.parsing.texts import Unreadable, folded, shortened, text
from sync.port import Read


@dataclass(frozen=True, slots=True)
class Person:
    """An employee whom a cell may name."""

    number: str
    name: str


NAMED = tuple(
    re.compile(spelling)
    for spelling in (
        r"(?P<name>.+?)[(\[【<](?:工号:?)?(?P<number>[^()\[\]]+)[)\]】>]",
        r"(?P<number>[a-z]*[0-9][0-9a-z-]*)[(\[【<](?P<name>.+)[)\]】>]",
        r"(?P<name>.*[^0-9a-z,/:_-])[,/:_-]?(?P<number>[a-z]*[0-9][0-9a-z-]*)",
        r"(?P<number>[a-z]*[0-9][0-9a-z]*)[,/:_-]?(?P<name>[^0-9a-z,/:_-].*)",
        r"(?P<name>[a-z.·]+)[,/:_-]?(?P<number>[0-9]+)",
    )
)
"""How a name and a number stand together, without blanks and in small letters."""


@dataclass(frozen=True, slots=True)
class _Known:
    """People by number, by number without leading zeros and by name, all folded."""

    numbers: dict[str, list[Person]]
    bare: dict[str, list[Person]]
    names: dict[str, list[Person]]

    def numbered(self, typed: str) -> Person | None:
        """The person of that number, or the only one whose number differs by leading zeros."""
        found = self.numbers.get(typed) or self.bare.get(typed.lstrip("0"), [])
        return found[0] if len(found) == 1 and typed else None


@lru_cache(maxsize=8)  # a look asks for the same people in every row
def _known(people: tuple[Person, ...]) -> _Known:
    known = _Known({}, {}, {})
    for one in people:
        number = folded(one.number)
        for index, key in (
            (known.numbers, number),
            (known.bare, number.lstrip("0")),
            (known.names, folded(one.name)),
        ):
            index.setdefault(key, []).append(one)
    return known


def person(read: Read | None, people: Sequence[Person]) -> Person | None:
    """The one of `people` whom a cell names by number, by name, or by both.

    A number typed as a number may have lost its leading zeros. Raises Unreadable: name_unknown,
    name_shared (the number is needed, too), name_contradicts (the number is that of another
    person or of none).
    """
    said = text(read)
    if said is None:
        return None
    typed, known = folded(shortened(said)), _known(tuple(people))
    if (found := known.numbered(typed)) is not None:
        return found
    same = known.names.get(typed, [])
    if len(same) > 1:
        raise Unreadable("name_shared", name=same[0].name, numbers=[one.number for one in same])
    return same[0] if same else _by_both(typed, known, said=shortened(said))


def _by_both(typed: str, known: _Known, *, said: str) -> Person:
    for spelling in NAMED:
        found = spelling.fullmatch(typed)
        if found is None:
            continue
        numbered = known.numbered(found["number"])
        named = known.names.get(found["name"], [])
        if numbered is not None and numbered in named:
            return numbered
        if numbered is not None or named:
            one = numbered or named[0]
            raise Unreadable("name_contradicts", said=said, name=one.name, number=one.number)
    raise Unreadable("name_unknown", said=said)
