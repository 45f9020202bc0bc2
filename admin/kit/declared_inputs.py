"""The inputs for what is declared elsewhere: by a regulation, or by the events of the vocabulary.

A field of a case, a field of a form and a field of an event are asked for alike, by the shape of
what they hold. What was typed becomes JSON data by `plain`, and JSON data becomes what an input
shows by `data_of`.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

import wording
from admin.kit.fields import (
    DayField,
    EnumField,
    InstantField,
    LookupField,
    MoneyField,
    NumberField,
    PeopleField,
    SelectChoice,
    TicksField,
    YesNoField,
    long_text,
    short_text,
    trimmed,
)
from admin.kit.lookup import session
from models import Complaint, Employee
from policy.pack.schema import Pack
from policy.vocabulary.events import Classified, Dispatched, Event
from policy.vocabulary.marks import FieldMarks, Mark, marks_of
from services.company import people
from wording import field_text

EXTRA = "extra_"
LONGEST_LIST = 4_000
LARGEST_COUNT = 10**15 - 1


# ---------------------------------------------------------------- what is asked for


@dataclass(frozen=True)
class AskedField:
    """A declared field as something to ask a person for.

    `shape` says what it holds, in the words of the fields of a regulation. `choices` are what is
    offered as (value, words), `blank` the words of the empty choice before them, None for none.
    `own` are the fields that a regulation declares.
    """

    label: Any
    shape: str
    needed: bool
    choices: tuple[tuple[str, Any], ...] = ()
    blank: Any = "—"
    several: bool = False
    members: type[enum.Enum] | None = None
    own: bool = False

    @property
    def asked(self) -> list[Any]:
        """The validator that says whether it may stay empty."""
        return [InputRequired()] if self.needed else [Optional()]

    @property
    def offered(self) -> list[SelectChoice]:
        """The choices, after the empty one where there is one."""
        blank = [] if self.blank is None else [SelectChoice("", self.blank)]
        return [*blank, *(SelectChoice(*one) for one in self.choices)]


def of_regulation(entry: Any) -> AskedField:
    """A field that a regulation declares, of a case or of a form."""
    choices = tuple((one.key, one.label) for one in entry.choices)
    blank = None if entry.shape == "choices" else "—"
    must = bool(getattr(entry, "required", False))
    return AskedField(entry.label, entry.shape, must, choices, blank=blank, own=True)


def of_event(one: FieldMarks, pack: Pack, whole: Any = None, *, needed: bool) -> AskedField:
    """A field of an event; `whole` is the entry of the regulation that the event is about."""
    blank = lazy_gettext("as the regulation says") if Mark.by_rules in one else "—"
    return AskedField(
        wording.field(one.name),
        one.shape,
        needed,
        tuple(_choices(one, pack, whole)),
        blank=None if needed else blank,
        several=one.several,
        members=one.members,
    )


def _choices(one: FieldMarks, pack: Pack, whole: Any) -> list[tuple[str, Any]]:
    """What a field of an event chooses from: members, words, entries, parts of an entry."""
    if one.members:
        return wording.labelled(one.members)
    if one.words:
        return [(word, field_text.literal_text(one.name, word)) for word in one.words]
    if one.part:
        return [(part.key, part.label) for part in getattr(whole, one.part.parts, ())]
    found = [e for ref in one.refs for e in getattr(pack, ref.section) if ref.offers(e)]
    if Mark.by_rules in one:
        found.sort(key=lambda entry: str(entry.key))
    return [(entry.key, entry.label) for entry in found]


def asked_fields(kind: type[Event]) -> list[FieldMarks]:
    """The fields of an event that a person is asked for, beyond when it happened."""
    fields = [one for one in marks_of(kind).values() if one.name not in Event.model_fields]
    return [one for one in fields if Mark.by_system not in one]


# ---------------------------------------------------------------- the input for it


class DeclaredInputs:
    """Makes the input for a field by its shape, as the pages of the record ask: people by look-up.

    Whoever asks in another way, as a play does, overrides the shapes it is about.
    """

    def made(self, one: AskedField) -> Any:
        """The input for a field."""
        match one.shape:
            case "choice" | "choices":
                return self.choice(one)
            case "employee":
                return self.employee(one)
            case "flag":
                return YesNoField(one.label, one.asked) if one.needed else BooleanField(one.label)
            case "date":
                return DayField(one.label, one.asked)
            case "time":
                return InstantField(one.label, one.asked)
            case "number" | "money" | "percent":
                return self.number(one)
            case _:
                return self.text(one)

    def choice(self, one: AskedField) -> Any:
        """One or several of a few choices."""
        if one.members:
            blank = one.blank is not None
            return EnumField(one.label, members=one.members, allow_blank=blank)
        kind = TicksField if one.shape == "choices" else SelectField
        return kind(one.label, one.asked, choices=one.offered)

    def employee(self, one: AskedField) -> Any:
        """One or several employees."""
        if one.several:
            return PeopleField(one.label)
        return LookupField(one.label, what="employee", allow_blank=not one.needed)

    def number(self, one: AskedField) -> Any:
        """A count, a sum of yuan or a share."""
        if one.shape == "money":
            return MoneyField(one.label, validators=one.asked)
        if one.shape == "percent":
            return NumberField(one.label, [*one.asked, NumberRange(0, 100)], places=2)
        return IntegerField(one.label, [*one.asked, NumberRange(-LARGEST_COUNT, LARGEST_COUNT)])

    def text(self, one: AskedField) -> Any:
        """A text of several lines or of one: words, a telephone number, numbers of cases."""
        match one.shape:
            case "long_text":
                return long_text(one.label, needed=one.needed)
            case "phone":
                return StringField(one.label, [*one.asked, Length(max=40)], filters=[trimmed])
            case "cases":
                how = lazy_gettext("Numbers of cases, separated by commas")
                checks = [*one.asked, Length(max=LONGEST_LIST)]
                return StringField(one.label, checks, filters=[trimmed], description=how)
            case _:
                return short_text(one.label, needed=one.needed)


INPUTS = DeclaredInputs()


def with_pack_fields(form: type[FlaskForm], pack: Pack, *, intake: str) -> type[FlaskForm]:
    """The form with the regulation's own fields: all of them, or those asked at intake."""
    wanted = [f for f in pack.field if intake == "all" or f.at_intake]
    return with_inputs(form, wanted)


def with_inputs(form: type[FlaskForm], fields: Iterable[Any]) -> type[FlaskForm]:
    """The form with an input for each of some fields of a regulation, after its own."""
    inputs = {EXTRA + f.key: INPUTS.made(of_regulation(f)) for f in fields}
    return type(form.__name__, (form,), inputs)


# ---------------------------------------------------------------- choices for forms of their own


def choices(pack: Pack, section: str, *, blank: bool = False) -> list[SelectChoice]:
    """The entries of a section as choices of a form."""
    found = [SelectChoice(entry.key, entry.label) for entry in getattr(pack, section)]
    return [SelectChoice("", "—"), *found] if blank else found


def grades(pack: Pack) -> list[SelectChoice]:
    """The grades somebody may choose; blank lets the regulation decide by the facts."""
    return of_event(marks_of(Classified)["grade"], pack, needed=False).offered


def departments(pack: Pack) -> list[SelectChoice]:
    """The departments of the regulation that answer cases."""
    return of_event(marks_of(Dispatched)["department"], pack, needed=True).offered


# ---------------------------------------------------------------- what was typed, and back


def plain(value: Any) -> Any:
    """What an input holds as JSON data: employees and cases by number, sums as text."""
    match value:
        case Employee() | Complaint():
            return value.number
        case dt.date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case str():
            return value.strip()
        case _:
            return value


def with_extra(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with the regulation's own fields gathered into `extra` as JSON data."""
    rest = {key: value for key, value in said.items() if not key.startswith(EXTRA)}
    filled = {key: v for key, v in own(said).items() if v not in (None, "", False, [])}
    return rest | {"extra": filled}


def own(said: Mapping[str, Any]) -> dict[str, Any]:
    """The regulation's own fields of what was typed, as JSON data by their keys."""
    return {k.removeprefix(EXTRA): plain(v) for k, v in said.items() if k.startswith(EXTRA)}


def fill_in(form: FlaskForm, pack: Pack, extra: Mapping[str, Any]) -> None:
    """Show in the form what a case holds of the regulation's own fields."""
    for field in form:
        key = field.short_name.removeprefix(EXTRA)
        entry = pack.find("field", key) if field.short_name.startswith(EXTRA) else None
        if entry is not None:
            field.process(None, data_of(entry, extra.get(key)))


def data_of(entry: Any, value: Any) -> Any:
    """JSON data as its input holds it; what does not fit its shape any more shows nothing."""
    if value in (None, ""):
        return None
    try:
        match entry.shape:
            case "date":
                return dt.date.fromisoformat(str(value))
            case "time":
                return dt.datetime.fromisoformat(str(value))
            case "money" | "percent":
                return Decimal(str(value))
            case "employee":
                return people.find_employee(session(), str(value))
    except (ValueError, ArithmeticError):
        return None
    return value
