"""The schema of a pack as slots: the fields of each section's entries, with their shapes.

Forms, the table of numbers and the sentences about a rule are made from slots, so that a new
section needs none of its own.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator

from policy.pack import shapes
from policy.pack.schema import SECTIONS, PolicyHead
from policy.pack.shapes import ConditionRow, FieldPath, Quantity, Shape
from policy.vocabulary.events import EVENTS
from policy.vocabulary.marks import RefTo, Unwrapped, ValueOf, unwrap

LONG_TEXT_FROM = 400
NUMERIC = frozenset({"number", "money", "percent", "quantity"})
"""The shapes that stand in the table of terms, amounts, counts and years."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a section's entries.

    `shape` is text, long_text, texts, number, money, percent, flag, any, choice, choices,
    reference, references, path, paths, quantity, condition or rows. `section` is the section of a
    reference, `words` are the values of a choice, `inner` the columns of rows, `members` the
    enumeration whose values a text says. A field that is not `required` may be left out and is
    then `default`.
    """

    name: str
    shape: str
    required: bool
    default: Any = None
    section: str | None = None
    words: tuple[str, ...] = ()
    events: bool = False
    members: type[enum.Enum] | None = None
    inner: tuple[Slot, ...] = ()


@cache
def slots_of(section: str) -> tuple[Slot, ...]:
    """Return the slots of a section's entries, in the schema's order; () for an unknown one."""
    shape = PolicyHead if section == PolicyHead.section else SECTIONS.get(section)
    return _slots(shape) if shape is not None else ()


def _slots(shape: type[Shape]) -> tuple[Slot, ...]:
    return tuple(_slot(name, info) for name, info in shape.model_fields.items())


def _slot(name: str, info: Any) -> Slot:
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    return _slot_of_annotation(
        name, info.annotation, tuple(info.metadata), required=info.is_required(), default=default
    )


def _slot_of_annotation(
    name: str, annotation: Any, marks: tuple[Any, ...], *, required: bool, default: Any
) -> Slot:
    """Return the slot of an annotation, without what makes it optional or only marks it."""
    bare = unwrap(annotation, marks)
    if get_origin(bare.type) in (Union, types.UnionType):
        return Slot(name, "any", required, default)
    if bare.several:
        return _slot_of_tuple(name, bare, required=required, default=default)
    return _slot_of_value(name, bare, required=required, default=default)


def _slot_of_tuple(name: str, bare: Unwrapped, *, required: bool, default: Any) -> Slot:
    if isinstance(bare.type, type) and issubclass(bare.type, ConditionRow):
        return Slot(name, "condition", required, default)
    if isinstance(bare.type, type) and issubclass(bare.type, Shape):
        return Slot(name, "rows", required, default, inner=_slots(bare.type))
    one = _slot_of_value(name, bare, required=required, default=default)
    several: dict[str, str] = {
        "choice": "choices",
        "reference": "references",
        "path": "paths",
    }
    return replace(one, shape=several.get(one.shape, "texts"))


def _slot_of_value(name: str, bare: Unwrapped, *, required: bool, default: Any) -> Slot:
    annotation, marks = bare.type, bare.inner
    if referred := [mark for mark in marks if isinstance(mark, RefTo)]:
        return Slot(name, "reference", required, default, section=referred[0].section)
    if any(getattr(mark, "func", None) is shapes.checked_event for mark in marks):
        return Slot(name, "choice", required, default, words=tuple(EVENTS), events=True)
    if get_origin(annotation) is Literal:
        return Slot(name, "choice", required, default, words=get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        words = tuple(str(member.value) for member in annotation)
        return Slot(name, "choice", required, default, words=words)
    if isinstance(annotation, type) and issubclass(annotation, Quantity):
        return Slot(name, "quantity", required, default)
    valued = next((mark.members for mark in marks if isinstance(mark, ValueOf)), None)
    return Slot(name, _plain_shape(annotation, marks), required, default, members=valued)


_PATH_MARKS = tuple(get_args(FieldPath)[1:])


def _plain_shape(annotation: Any, marks: tuple[Any, ...]) -> str:
    if annotation is bool:
        return "flag"
    if annotation is int:
        return "number"
    if annotation is Decimal:
        whole_fen = any(isinstance(mark, AfterValidator) for mark in marks)
        return "money" if whole_fen else "percent"
    if repr(marks) == repr(_flattened(_PATH_MARKS)) or repr(marks) == repr(_PATH_MARKS):
        return "path"
    longest = max((getattr(mark, "max_length", 0) or 0 for mark in _flattened(marks)), default=0)
    return "long_text" if longest > LONG_TEXT_FROM else "text"


def _flattened(marks: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the marks with those inside a Field taken out of it."""
    found: list[Any] = []
    for mark in marks:
        found += getattr(mark, "metadata", None) or [mark]
    return tuple(found)


# ---------------------------------------------------------------- the numbers of a version


@dataclass(frozen=True, slots=True)
class SlotPlace:
    """The place of a number: the entry's section, key and row, its field, and the value."""

    rule: int
    section: str
    key: str
    slot: Slot
    value: Any


def parameter_shapes(data: Mapping[str, Any]) -> dict[str, Slot]:
    """Return, by parameter, the slot of the first rule that asks for it."""
    found: dict[str, Slot] = {}
    for section in ("policy", *SECTIONS):
        value = data.get(section)
        entries = [value] if isinstance(value, Mapping) else value
        for entry in entries if isinstance(entries, list | tuple) else ():
            for slot in slots_of(section):
                said = entry.get(slot.name) if isinstance(entry, Mapping) else None
                if isinstance(said, str) and said.startswith("$"):
                    found.setdefault(said[1:], slot)
    return found


def numeric_values(section: str, entry: Mapping[str, Any]) -> Iterator[tuple[Slot, Any]]:
    """Yield (slot, value) of the terms, amounts, counts and years an entry states itself."""
    for slot in slots_of(section):
        said = entry.get(slot.name)
        given = said is not None and not (isinstance(said, str) and said.startswith("$"))
        if slot.shape in NUMERIC and given:
            yield slot, said
