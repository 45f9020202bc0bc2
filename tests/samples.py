"""An event of every sort with all its fields filled, made from their marks, for the tests."""

from __future__ import annotations

from typing import Any

from policy.pack.schema import Pack
from policy.vocabulary.events import EVENTS, Event, load_event
from policy.vocabulary.marks import FieldMarks, Mark, declared_field, marks_of, whole_field

AT = "2026-03-02T09:00:00+08:00"
WHO = "2005"


def lacking(name: str, pack: Pack) -> bool:
    """Whether a regulation has nothing that an event of that name could be about."""
    needed = [one for one in marks_of(EVENTS[name]).values() if one.required and one.refs]
    return any(_entry(one, pack) is None for one in needed)


def event(name: str, pack: Pack) -> Event:
    """An event of that name, in which every field says something."""
    kind = EVENTS[name]
    by = {"kind": "user", "employee": "1001"}
    fields = {one.name: one for one in marks_of(kind).values() if one.name not in ("type", "by")}
    said = {name: _several(one, kind, pack) for name, one in fields.items()}
    return load_event({"type": name, "by": by, **{k: v for k, v in said.items() if v is not None}})


def _several(one: FieldMarks, kind: type[Event], pack: Pack) -> Any:
    if one.table:
        return {WHO: 1} if Mark.person in one else {}
    value = _value(one, kind, pack)
    return [value] if one.several and value is not None else value


def _value(one: FieldMarks, kind: type[Event], pack: Pack) -> Any:
    if one.members:
        return next(iter(one.members)).value
    if one.words:
        return one.words[0]
    if one.part:
        whole = whole_field(kind)
        assert whole is not None
        return next(iter(getattr(_entry(whole, pack), one.part.parts))).key
    if one.refs:
        entry = _entry(one, pack)
        return entry and entry.key
    plain = {"employee": WHO, "flag": True, "number": 1, "money": "12.50", "time": AT}
    plain |= {"date": "2026-03-02"}
    return plain.get(one.shape, f"words of {one.name}")


def _entry(one: FieldMarks, pack: Pack) -> Any:
    """The first entry of the regulation that a field may name."""
    found = (e for ref in one.refs for e in getattr(pack, ref.section) if ref.offers(e))
    return next(found, None)


def about(name: str, pack: Pack) -> Any:
    """The first entry of the regulation that a deed of that name is about, if it is about one."""
    field = declared_field(EVENTS[name])
    return field and _entry(field, pack)
