"""Marks of a field beyond its type: what it refers to, who states it, how it is rendered.

Marks stand in the annotation, `handler: Annotated[str, Mark.person]`. They change neither a field's
values nor how they are stored. `marks_of` is their one reader: for events, for the facts of a case
and for the entries of a regulation. Forms, sentences and checks are made from them.
"""

from __future__ import annotations

import datetime as dt
import enum
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AwareDatetime

LONG = 1000
"""A text that may have more characters than this gets several lines in a form."""


class RefTo:
    """Marks a text as the key of an entry of a section of the regulation.

    `only` says which entries a person may choose from: those with these values.
    """

    def __init__(self, section: str, **only: Any) -> None:
        self.section, self.only = section, only

    def offers(self, entry: Any) -> bool:
        """Whether a person may choose the entry."""
        return all(getattr(entry, name) == value for name, value in self.only.items())


@dataclass(frozen=True, slots=True)
class MayName:
    """Marks a text that may be the key of an entry of a section, and may be something else."""

    section: str


@dataclass(frozen=True, slots=True)
class PartOf:
    """Marks a text as the key of a part of the entry that another field names: an item of a list.

    A table with this mark is filled with such parts: the fields of a form.
    """

    field: str
    parts: str


@dataclass(frozen=True, slots=True)
class ValueOf:
    """Marks a text as the value of a member of an enumeration."""

    members: type[enum.Enum]


class Mark(enum.Enum):
    """Marks that need no argument."""

    person = "person"  # an employee by number, in a case file by the name of the cast
    declared = "declared"  # the entry a deed is about; a regulation without one has no such deed
    by_system = "by_system"  # never asked of a person
    fixed = "fixed"  # never corrected: another value would be another event
    seldom = "seldom"  # asked below the rest, because it is seldom needed
    as_at = "as_at"  # when it happened, where nothing else is said
    ahead = "ahead"  # a time that lies ahead, as a promise; other times have happened
    by_rules = "by_rules"  # the regulation decides it where no person chooses
    silent = "silent"  # not rendered in the sentences of a journal
    nameless = "nameless"  # rendered without the field's name: what a person wrote
    changes = "changes"  # fields of an earlier event as they should have been


@dataclass(frozen=True, slots=True)
class FieldMarks:
    """One field, with the marks of its annotation.

    `type` is that of one value, without what makes it optional, one of several or marked; of a
    table it is the keys' type. `longest` is the most characters of a text.
    """

    name: str
    type: Any
    required: bool = False
    optional: bool = False
    several: bool = False
    table: bool = False
    longest: int | None = None
    refs: tuple[RefTo, ...] = ()
    named: str | None = None
    part: PartOf | None = None
    members: type[enum.Enum] | None = None
    words: tuple[str, ...] = ()
    marks: frozenset[Mark] = frozenset()

    def __contains__(self, mark: Mark) -> bool:
        return mark in self.marks

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections of the regulation whose keys it holds."""
        return tuple(ref.section for ref in self.refs) or ((self.named,) if self.named else ())

    @property
    def shape(self) -> str:
        """Its shape, as fields of a regulation name shapes; `table` for a table."""
        if self.table:
            return "table"
        if Mark.person in self:
            return "employee"
        if self.members or self.words or self.refs or self.part:
            return "choice"
        plain = {bool: "flag", int: "number", Decimal: "money", dt.date: "date"}
        if self.type is AwareDatetime or self.type is dt.datetime:
            return "time"
        long = (self.longest or 0) > LONG
        return plain.get(self.type) or ("long_text" if long else "text")

    @property
    def says_enough(self) -> bool:
        """Whether forms and sentences can be made from its marks; from a bare text they cannot."""
        marked = self.refs or self.part or self.marks & {Mark.person, Mark.by_system, Mark.changes}
        return bool(marked or self.longest or self.shape not in ("text", "table"))


def declared_field(kind: type) -> FieldMarks | None:
    """Return the field that names the regulation's entry an event is about, or None."""
    return next((one for one in marks_of(kind).values() if Mark.declared in one), None)


def entry_field(kind: type) -> FieldMarks | None:
    """Return that field where each entry is a deed of its own, or None."""
    about = declared_field(kind)
    return about if about and Mark.fixed in about else None


def whole_field(kind: type) -> FieldMarks | None:
    """Return the field that names the entry of which other fields are parts, or None."""
    fields = marks_of(kind)
    return next((fields[one.part.field] for one in fields.values() if one.part), None)


def person_fields(kind: type) -> tuple[FieldMarks, ...]:
    """Return the fields of an event, or of the facts of a case, that name employees."""
    return tuple(one for one in marks_of(kind).values() if Mark.person in one)


def employee_numbers_in(fields: Iterable[FieldMarks], said: Mapping[str, Any]) -> set[str]:
    """Return the employee numbers that plain data has in some fields."""
    found: set[str] = set()
    for one in fields:
        value = said.get(one.name) or ()
        found |= {value} if isinstance(value, str) else set(value)
    return found


# ---------------------------------------------------------------- reading them


@dataclass(slots=True)
class Unwrapped:
    """An annotation taken apart: its innermost `type` and the marks around it.

    `inner` are the marks of one value, `outer` those of a whole tuple or table.
    """

    type: Any
    inner: tuple[Any, ...] = ()
    outer: tuple[Any, ...] = ()
    optional: bool = False
    several: bool = False
    table: bool = False


def unwrap(annotation: Any, metadata: Iterable[Any] = ()) -> Unwrapped:
    """Take an annotation apart; `metadata` are marks that were taken off it before."""
    found = Unwrapped(annotation, inner=tuple(metadata))
    while _take_layer_off(found):
        pass
    return found


def _take_layer_off(found: Unwrapped) -> bool:
    """Take one layer off: marks, what makes it optional, what makes it several or a table."""
    origin, inner = get_origin(found.type), get_args(found.type)
    if origin is Annotated:
        found.type, found.inner = inner[0], (*found.inner, *inner[1:])
        return True
    if origin in (Union, types.UnionType):
        kinds = [one for one in inner if one is not type(None)]
        found.optional = found.optional or len(kinds) < len(inner)
        found.type = kinds[0] if len(kinds) == 1 else found.type
        return len(kinds) == 1
    if origin is tuple or _is_mapping(origin):
        found.several, found.table = origin is tuple, origin is not tuple
        found.type, found.outer, found.inner = inner[0], found.inner, ()
        return True
    return False


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


@cache
def marks_of(kind: type) -> Mapping[str, FieldMarks]:
    """Return the marks of each field of an event, of the facts of a case or of an entry, in order.

    Of facts also those of derived properties that are marked.
    """
    hints = get_type_hints(kind, include_extras=True)
    fields = getattr(kind, "model_fields", None)
    if fields is not None:
        return {
            name: _read(name, hints[name], required=one.is_required())
            for name, one in fields.items()
        }
    found = {name: _read(name, hints[name]) for name in kind.__dataclass_fields__}  # type: ignore[attr-defined]  # every dataclass has them
    return found | dict(_of_properties(kind))


def _of_properties(kind: type) -> Iterable[tuple[str, FieldMarks]]:
    for name, one in vars(kind).items():
        if isinstance(one, property):
            yield name, _read(name, get_type_hints(one.fget, include_extras=True)["return"])


def _read(name: str, annotation: Any, *, required: bool = False) -> FieldMarks:
    bare = unwrap(annotation)
    marks = _flattened((*bare.outer, *bare.inner))
    words = get_args(bare.type) if get_origin(bare.type) is Literal else ()
    # A field with one possible word is the event's name: there is nothing to ask or to say.
    alone = (Mark.by_system, Mark.silent) if len(words) == 1 else ()
    of_enum = isinstance(bare.type, type) and issubclass(bare.type, enum.Enum)
    valued = next((one.members for one in marks if isinstance(one, ValueOf)), None)
    return FieldMarks(
        name=name,
        type=bare.type,
        required=required,
        optional=bare.optional,
        several=bare.several,
        table=bare.table,
        longest=next((one.max_length for one in marks if hasattr(one, "max_length")), None),
        refs=tuple(one for one in marks if isinstance(one, RefTo)),
        named=next((one.section for one in marks if isinstance(one, MayName)), None),
        part=next((one for one in marks if isinstance(one, PartOf)), None),
        members=bare.type if of_enum else valued,
        words=words,
        marks=frozenset((*alone, *(one for one in marks if isinstance(one, Mark)))),
    )


def _flattened(marks: Iterable[Any]) -> list[Any]:
    """Return the marks, with those inside a pydantic Field taken out of it."""
    found: list[Any] = []
    for mark in marks:
        found += getattr(mark, "metadata", None) or [mark]
    return found
