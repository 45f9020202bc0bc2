"""The choices of a rule's form and their labels: keys, deeds, fields and values in words.

Made once a page from the plain data of a version, however broken that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from flask_babel import gettext

import wording
from policy.pack.loading import BOUND, CASE_ROLES, parameter_values
from policy.pack.shapes import OF_DAYS
from policy.pack.slots import Slot, parameter_shapes
from policy.proof import domains
from policy.proof.checking import readable_pack
from policy.vocabulary.events import EVENTS
from policy.vocabulary.worktime import Unit
from wording.rule_text import FIELDS, SECTIONS, UNITS, WORDS, RuleText

Options = list[tuple[str, str]]

ENDS_DAY = ":ends_day"
"""Appended to a unit of days: the term has its whole last day."""

_PEOPLE = frozenset({"by", "to", "steps", "members"})
"""Fields whose texts name posts, roles on the case or departments."""
_SLOTS = frozenset({"breach_of", "slot"})
_NOT_DEEDS = frozenset(
    {"time_passed", "corrected", "withdrawn", "recounted", "retallied", "moved", "handed_over"}
)


class RuleChoices:
    """The choices and words of one version's rules."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.values = parameter_values(data, {})
        self.labels = labels_of(data)
        self.rule_text = RuleText(self.labels, chosen=self.values)

    @cached_property
    def pack(self) -> Any:
        """The entries that fit the schema, for looking things up."""
        pack, _ = readable_pack(self.data, self.values)
        return pack

    # ------------------------------------------------------------ names

    def section(self, section: str) -> str:
        """Return the label of a section."""
        return str(SECTIONS.get(section, section))

    def field(self, name: str) -> str:
        """Return the label of an entry's field."""
        return str(FIELDS.get(name, name))

    def label(self, section: str, key: str) -> str:
        """Return the label of an entry; its key where it has none."""
        return self.labels.get((section, key), key)

    def fact(self, path: str) -> str:
        """Return the label of a condition's field."""
        return self.rule_text.fact(path)

    def said(self, name: str, value: Any) -> str:
        """Return a value of a field in words; a dash for none."""
        if value in (None, "", [], ()):
            return "—"
        if value is False:
            return gettext("No")
        if isinstance(value, str) and value.startswith("$"):
            key = value[1:]
            inner = self.said(name, self.values.get(key))
            return gettext(
                "%(choice)s: %(value)s", choice=self.label("parameter", key), value=inner
            )
        return self.rule_text.value(name, value)

    # ------------------------------------------------------------ choices

    def options(self, slot: Slot) -> Options:
        """Return the (value, words) pairs of a slot."""
        if slot.section:
            return self.keys(slot.section)
        if slot.events:
            return [(name, wording.deed(name)) for name in EVENTS if name not in _NOT_DEEDS]
        if slot.words:
            return [(word, self.rule_text.value(slot.name, word)) for word in slot.words]
        if slot.shape in ("path", "paths"):
            return [*self._starts(slot), *self.facts]
        if slot.members:
            return wording.labelled(slot.members)
        if (slot.name, slot.shape) == ("to", "text"):
            return []  # the addressee of a report outside is no one of the company
        if slot.name == "binds":
            return self._bound
        if slot.name in _PEOPLE:
            return self.people
        return self._slots if slot.name in _SLOTS else []

    def keys(self, section: str) -> Options:
        """Return the entries of a section as (key, label)."""
        found = [(key, label) for (kept, key), label in self.labels.items() if kept == section]
        return [(key, f"{key} {label}") for key, label in found] if section == "clause" else found

    def _starts(self, slot: Slot) -> Options:
        if slot.name != "counts_from":
            return []
        return [("event", str(WORDS["event"])), ("received", str(WORDS["received"]))]

    @cached_property
    def people(self) -> Options:
        """Posts, the people of departments, and roles on the case."""
        roles = [(role, str(WORDS.get(role, role))) for role in sorted(CASE_ROLES | {"bound"})]
        return [*self.keys("post"), *self._members, *roles]

    @cached_property
    def _members(self) -> Options:
        return [
            (f"member:{key}", gettext("anybody of: %(what)s", what=label))
            for key, label in self.keys("department")
        ]

    @cached_property
    def _bound(self) -> Options:
        """The roles, posts and departments that a deadline may bind."""
        roles = [(role, str(WORDS.get(role, role))) for role in sorted(BOUND)]
        return [*roles, *self.keys("post"), *self._members]

    @cached_property
    def _slots(self) -> Options:
        slots = dict.fromkeys(
            str(entry["slot"])
            for entry in self.data.get("deadline", ())
            if isinstance(entry, Mapping) and entry.get("slot")
        )
        named = [(slot, self.rule_text.value("slot", slot)) for slot in slots]
        return [*named, *self.keys("deadline")]

    @cached_property
    def facts(self) -> Options:
        """The fields a condition may ask for: of the case first, then of the deed."""
        return [(path, self.fact(path)) for path in domains.condition_fields(self.pack)]

    @cached_property
    def units(self) -> Options:
        """The units of time a term may have; those of days also to the end of the last one."""
        plain = [(unit.value, str(UNITS[unit.value])) for unit in Unit]
        whole = gettext("%(term)s, to the end of the day", term="%s")
        return plain + [
            (unit.value + ENDS_DAY, whole % UNITS[unit.value]) for unit in Unit if unit in OF_DAYS
        ]

    def values_of(self, path: str) -> Options:
        """Return the values a field of a condition can have, where they can be listed."""
        known = domains.field_domain(self.pack, path)
        if known.kind == "flag":
            return [("true", gettext("Yes")), ("false", gettext("No"))]
        return [(value, self.value_word(path, value)) for value in known.values]

    def value_word(self, path: str, value: Any) -> str:
        """Return a value of a condition in words."""
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        known = domains.field_domain(self.pack, path)
        if known.section:
            return self.label(known.section, str(value))
        return self.rule_text.value(path, value) if value in known.values else str(value)

    def parameters(self, slot: Slot) -> Options:
        """Return the parameters that a slot may take its value from, as ("$key", label)."""
        asked = parameter_shapes(self.data)
        return [
            (f"${key}", label)
            for key, label in self.keys("parameter")
            if key in asked and _is_interchangeable(asked[key], slot)
        ]


def _is_interchangeable(one: Slot, other: Slot) -> bool:
    """Whether a value for one slot fits the other."""
    return (one.shape, one.words, one.section) == (other.shape, other.words, other.section)


def labels_of(data: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return the label of everything in plain data by (section, key); of choices by field."""
    found: dict[tuple[str, str], str] = {}
    for section, entry in _entries(data):
        key = str(entry.get("key") or "")
        found[section, key] = str(entry.get("label") or key)
        for choice in _inner_entries(entry, "choices"):
            found[f"choice of {key}", str(choice.get("key"))] = str(choice.get("label"))
        for field in _inner_entries(entry, "fields"):
            found[f"field of {key}", str(field.get("key"))] = str(field.get("label"))
        if section == "deadline" and entry.get("slot"):
            slot = "slot", str(entry["slot"])
            label = found[section, key]
            found[slot] = f"{found[slot]}、{label}" if slot in found else label
    return found


def _entries(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for section, value in data.items():
        for entry in [value] if isinstance(value, Mapping) else value:
            if isinstance(entry, Mapping):
                yield section, entry


def _inner_entries(entry: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    listed = entry.get(name)
    if not isinstance(listed, list | tuple):
        return []
    return [one for one in listed if isinstance(one, Mapping)]
