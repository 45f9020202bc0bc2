"""Values of fields in words, by their marks: of an event, of a case, of a rule.

Journals, previews and the pages of a regulation all use `value_text`; the marks stand beside the
field in `policy.vocabulary`, so that no sentence knows a field by its name.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import wording
from policy.pack.schema import Pack
from policy.vocabulary.events import EVENTS
from policy.vocabulary.marks import FieldMarks, Mark, marks_of
from wording import _, mark

Literals = Mapping[str, Mapping[str, str]]
"""The words of fields with a few fixed values, by field and value."""

LITERALS: Literals = {
    "ground": {
        "verification": mark("the verification callback"),
        "satisfaction": mark("the satisfaction callback"),
        "repeat": mark("the customer complained again"),
        "decision": mark("the care director's decision"),
    },
    "about": {
        "receipt": mark("receipt of the complaint"),
        "plan": mark("the plan"),
        "progress": mark("the progress"),
        "answer": mark("the answer"),
        "result": mark("the result"),
        "delay": mark("a delay"),
    },
    "method": {
        "phone": mark("by telephone"),
        "questionnaire": mark("by questionnaire"),
        "visit": mark("by a visit"),
        "message": mark("by message"),
    },
}
IN_CONDITIONS: Literals = {
    "ground": {
        "verification": mark("verification callback"),
        "satisfaction": mark("satisfaction callback"),
        "repeat": mark("repeated complaint"),
        "decision": mark("decision"),
    },
    "about": {
        "receipt": mark("receipt"),
        "plan": mark("the plan"),
        "progress": mark("progress"),
        "answer": mark("the answer"),
        "result": mark("the result"),
        "delay": mark("a delay"),
    },
}
"""The shorter words where a rule names them."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of keys and numbers: entries of a regulation, employees, fixed values.

    `label` returns an entry's label by section and key; None for an unknown one.
    """

    label: Callable[[str, str], str | None]
    people: Mapping[str, Any] = field(default_factory=dict)
    literals: Literals = field(default_factory=lambda: LITERALS)


def names_of(pack: Pack, people: Mapping[str, Any]) -> Names:
    """Return the names of a regulation and of some employees by number."""

    def label(section: str, key: str) -> str | None:
        entry = pack.find(section, key)
        return entry.label if entry else None

    return Names(label, people)


def literal_text(name: str, word: str) -> str:
    """Return a fixed value of a field in words; the value itself where it has no words."""
    return _literal_text_or_none(name, word, LITERALS) or word


def _literal_text_or_none(name: str, word: str, literals: Literals) -> str | None:
    sentence = literals.get(name, {}).get(word)
    return _(sentence) if sentence else None


def value_text(fields: Iterable[FieldMarks], said: Any, names: Names) -> str:
    """Return a value in words, by the first of several fields of one name that it fits."""
    return marked_text(fields, said, names) or _text_without_marks(said, names)


def marked_text(fields: Iterable[FieldMarks], said: Any, names: Names) -> str | None:
    """Return a value in words, or None where no field's marks say how."""
    told = (_text_by_marks(one, said, names) for one in fields)
    return next((words for words in told if words is not None), None)


def _text_by_marks(one: FieldMarks, said: Any, names: Names) -> str | None:
    """Return a value in words by a field's marks; None where it does not fit them."""
    if isinstance(said, enum.Enum):
        return wording.label(said)
    if one.table or isinstance(said, list | tuple | Mapping):
        return None
    if one.members:
        members = {member.value: member for member in one.members}
        return wording.label(members[said]) if said in members else None
    if Mark.person in one:
        who = names.people.get(str(said))
        return None if who is None else str(who)
    if one.shape == "time":
        return _moment(said)
    labels = (names.label(section, str(said)) for section in one.sections)
    found = next((label for label in labels if label), None)
    return found or _literal_text_or_none(one.name, str(said), names.literals)


def _moment(said: Any) -> str | None:
    try:
        at = said if isinstance(said, dt.datetime) else dt.datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return wording.moment(at)


def _text_without_marks(said: Any, names: Names) -> str:
    """Return a value without marks: several are people, a table has the regulation's fields."""
    if isinstance(said, list | tuple):
        return "、".join(str(names.people.get(str(one), one)) for one in said)
    if isinstance(said, bool):
        return _("yes") if said else _("no")
    if isinstance(said, Mapping):
        return ", ".join(f"{names.label('field', key) or key} {part}" for key, part in said.items())
    return str(said)


def part_label(one: FieldMarks, data: Mapping[str, Any], pack: Pack) -> str | None:
    """Return the regulation's label of the part of an entry that an event names: an item of a list.

    `data` are all fields of the event. None where it is no such part, or an unknown one.
    """
    if one.part is None or one.table:
        return None
    whole = marks_of(EVENTS[data["type"]])[one.part.field]
    entry = pack.find(whole.sections[0], data.get(whole.name))
    parts = getattr(entry, one.part.parts, ())
    return next((each.label for each in parts if each.key == data[one.name]), None)
