"""What a value of a field says, in words, as its marks tell: of an event, of a case, of a rule.

Journals, previews and the pages of a regulation all say a value by `value`; how a field is marked
stands beside it in `policy.vocabulary`, so that no sentence knows a field by its name.
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
"""What the words of a field that has a few of its own are called, by the field."""

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
"""The same where a rule names them, which is said shorter."""


@dataclass(frozen=True, slots=True)
class Names:
    """What keys and numbers are called: entries of a regulation, employees, words of a field.

    `label` says what an entry is called by its section and key; None for one it does not know.
    """

    label: Callable[[str, str], str | None]
    people: Mapping[str, Any] = field(default_factory=dict)
    literals: Literals = field(default_factory=lambda: LITERALS)


def names_of(pack: Pack, people: Mapping[str, Any]) -> Names:
    """The names of a regulation and of some employees by number."""

    def label(section: str, key: str) -> str | None:
        entry = pack.find(section, key)
        return entry.label if entry else None

    return Names(label, people)


def literal(name: str, word: str) -> str:
    """One of the few words a field may have, as it is called; the word itself where it is not."""
    return _literal(name, word, LITERALS) or word


def _literal(name: str, word: str, literals: Literals) -> str | None:
    sentence = literals.get(name, {}).get(word)
    return _(sentence) if sentence else None


def value(fields: Iterable[FieldMarks], said: Any, names: Names) -> str:
    """A value in words; where several fields are called alike, as the first of them that fits."""
    return known(fields, said, names) or _as_it_is(said, names)


def known(fields: Iterable[FieldMarks], said: Any, names: Names) -> str | None:
    """The same, or None where no field's marks say what the value is called."""
    told = (_as_marked(one, said, names) for one in fields)
    return next((words for words in told if words is not None), None)


def _as_marked(one: FieldMarks, said: Any, names: Names) -> str | None:
    """What the marks of a field make of a value; None where the value does not fit them."""
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
    return found or _literal(one.name, str(said), names.literals)


def _moment(said: Any) -> str | None:
    try:
        at = said if isinstance(said, dt.datetime) else dt.datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return wording.moment(at)


def _as_it_is(said: Any, names: Names) -> str:
    """A value without marks: several are people, a table has fields of the regulation."""
    if isinstance(said, list | tuple):
        return "、".join(str(names.people.get(str(one), one)) for one in said)
    if isinstance(said, bool):
        return _("yes") if said else _("no")
    if isinstance(said, Mapping):
        return ", ".join(f"{names.label('field', key) or key} {part}" for key, part in said.items())
    return str(said)


def part(one: FieldMarks, data: Mapping[str, Any], pack: Pack) -> str | None:
    """What the regulation calls the part of an entry that an event names: the item of a list.

    `data` are all fields of the event. None for what is no such part, or one it does not know.
    """
    if one.part is None or one.table:
        return None
    whole = marks_of(EVENTS[data["type"]])[one.part.field]
    entry = pack.find(whole.sections[0], data.get(whole.name))
    parts = getattr(entry, one.part.parts, ())
    return next((each.label for each in parts if each.key == data[one.name]), None)
