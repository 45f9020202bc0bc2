"""Compare two texts of a regulation, entry by entry and field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from policy.pack.schema import SECTIONS


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs; None is a field that is not there."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class EntryDifference:
    """An entry that is added, removed, changed, or moved among its neighbours."""

    section: str
    key: str
    label: str
    kind: Literal["added", "removed", "changed", "moved"]
    changes: tuple[FieldChange, ...] = ()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[EntryDifference]:
    """Return what differs between the plain data of two versions, in the order of sections."""
    sections = dict.fromkeys(("policy", *SECTIONS, *before, *after))
    return [
        difference
        for section in sections
        for difference in _section_differences(
            section, _entries_by_key(before.get(section)), _entries_by_key(after.get(section))
        )
    ]


def _entries_by_key(value: Any) -> dict[str, Mapping[str, Any]]:
    """Return the entries of a section by key; a repeated key gets a number appended."""
    found: dict[str, Mapping[str, Any]] = {}
    listed = [value] if isinstance(value, Mapping) else value
    for entry in listed if isinstance(listed, list | tuple) else ():
        if isinstance(entry, Mapping):
            key = str(entry.get("key") or "")
            found[key if key not in found else f"{key} ({len(found)})"] = entry
    return found


def _section_differences(
    section: str, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[EntryDifference]:
    moved = _moved_keys(
        [key for key in before if key in after], [key for key in after if key in before]
    )
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        label = str((new or old or {}).get("label") or key)
        if new is None:
            yield EntryDifference(
                section, key, label, "removed", tuple(_field_changes(old or {}, {}))
            )
        elif old is None:
            yield EntryDifference(section, key, label, "added", tuple(_field_changes({}, new)))
        elif changes := tuple(_field_changes(old, new)):
            yield EntryDifference(section, key, label, "changed", changes)
        elif key in moved:
            yield EntryDifference(section, key, label, "moved")


def _field_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for field in dict.fromkeys((*old, *new)):
        if field != "key" and _comparable(old.get(field)) != _comparable(new.get(field)):
            yield FieldChange(field, old.get(field), new.get(field))


def _comparable(value: Any) -> Any:
    """Return a value whose equal spellings are equal: 200 and "200", a list and a tuple."""
    if isinstance(value, Mapping):
        return {key: _comparable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(inner) for inner in value]
    return value if value is None or isinstance(value, bool) else str(value)


def _moved_keys(old: Iterable[str], new: Iterable[str]) -> set[str]:
    """Return the fewest keys that must move to turn the old order into the new one."""
    places = {key: n for n, key in enumerate(old)}
    order = [(places[key], key) for key in new]
    best: list[list[tuple[int, str]]] = []
    for n, (place, _key) in enumerate(order):
        before = [best[m] for m in range(n) if order[m][0] < place]
        best.append([*max(before, key=len, default=[]), order[n]])
    stay = {key for _, key in max(best, key=len, default=[])}
    return set(places) - stay
