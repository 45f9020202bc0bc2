"""What a field means beyond its type: whom or what it refers to, who says it, how it is told.

Marks stand in the annotation, `handler: Annotated[str, Mark.person]`. They change neither what a
field may hold nor how it is stored. `marks_of` is their one reader: for events, for the facts of a
case and for the entries of a regulation. Forms, sentences and checks are made from what it says.
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
"""A text that may have more characters than this is asked for on several lines."""


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
    """Marks a text as the key of a part of the entry that another field names: the item of a list.

    A table marked so is filled with such parts: the fields of a form.
    """

    field: str
    parts: str


@dataclass(frozen=True, slots=True)
class ValueOf:
    """Marks a text as the value of a member of an enumeration."""

    members: type[enum.Enum]


class Mark(enum.Enum):
    """What else a field can be marked as."""

    person = "person"  # an employee by number, in a case file by the name of the cast
    declared = "declared"  # the entry a deed is about; a regulation without one has no such deed
    by_system = "by_system"  # nobody is asked for it, at first or later
    fixed = "fixed"  # never corrected: with another value it were another event
    seldom = "seldom"  # asked below the rest, because it is seldom needed
    as_at = "as_at"  # when it happened, where nothing else is said
    by_rules = "by_rules"  # the regulation decides it where nobody chooses
    silent = "silent"  # not told in the sentences of a journal
    nameless = "nameless"  # told without the name of the field: what somebody wrote
    changes = "changes"  # fields of an earlier event as they should have been


@dataclass(frozen=True, slots=True)
class FieldMarks:
    """One field as its annotation describes it.

    `type` is that of one value, without what makes it optional, one of several or marked; of a
    table it is that of the keys. `longest` is how many characters a text may have.
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
        """What it holds, in the words of the fields of a regulation; `table` is for itself."""
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
        """Whether forms and sentences know what to do with it: a bare text says nothing."""
        marked = self.refs or self.part or self.marks & {Mark.person, Mark.by_system, Mark.changes}
        return bool(marked or self.longest or self.shape not in ("text", "table"))


def declared(kind: type) -> FieldMarks | None:
    """The field that names the entry of the regulation an event is about, if it is about one."""
    return next((one for one in marks_of(kind).values() if Mark.declared in one), None)


def entry_field(kind: type) -> FieldMarks | None:
    """The same where each entry is a deed of its own: with another entry it were another event."""
    about = declared(kind)
    return about if about and Mark.fixed in about else None


def whole_of(kind: type) -> FieldMarks | None:
    """The field that names the entry of which other fields of an event are parts, if any are."""
    fields = marks_of(kind)
    return next((fields[one.part.field] for one in fields.values() if one.part), None)


def person_fields(kind: type) -> tuple[FieldMarks, ...]:
    """The fields of an event, or of the facts of a case, that name employees."""
    return tuple(one for one in marks_of(kind).values() if Mark.person in one)


def numbers_in(fields: Iterable[FieldMarks], said: Mapping[str, Any]) -> set[str]:
    """The numbers of employees that plain data names in some fields."""
    found: set[str] = set()
    for one in fields:
        value = said.get(one.name) or ()
        found |= {value} if isinstance(value, str) else set(value)
    return found


# ---------------------------------------------------------------- reading them


@dataclass(slots=True)
class Unwrapped:
    """An annotation taken apart: its innermost `type` and all that was said around it.

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
    while _taken_off(found):
        pass
    return found


def _taken_off(found: Unwrapped) -> bool:
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
    """What each field of an event, of the facts of a case or of an entry means, in its order.

    Of facts also what is found out from them, as far as its property is marked.
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
    marks = _flat((*bare.outer, *bare.inner))
    words = get_args(bare.type) if get_origin(bare.type) is Literal else ()
    # Of one word alone there is nothing to ask and nothing to tell: the name of the event.
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


def _flat(marks: Iterable[Any]) -> list[Any]:
    """Marks, with those that a Field of pydantic carries inside taken out of it."""
    found: list[Any] = []
    for mark in marks:
        found += getattr(mark, "metadata", None) or [mark]
    return found
