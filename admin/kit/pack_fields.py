"""The inputs for what a regulation declares: one sort of input for each shape of a field.

A field of a case and a field of a form are asked for alike. What was typed becomes JSON data by
`plain`, and JSON data becomes what an input shows by `data_of`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    IntegerField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from admin.kit.fields import (
    InstantField,
    LookupField,
    MoneyField,
    TicksField,
    YesNoField,
    long_text,
    short_text,
    trimmed,
)
from admin.kit.lookup import session
from models import Complaint, Employee
from policy.pack.schema import Pack
from services.company import people

EXTRA = "extra_"
LONGEST_LIST = 4_000
LARGEST_COUNT = 10**15 - 1


def with_pack_fields(form: type[FlaskForm], pack: Pack, *, intake: str) -> type[FlaskForm]:
    """The form with the regulation's own fields: all of them, or those asked at intake."""
    wanted = [f for f in pack.field if intake == "all" or f.at_intake]
    return with_inputs(form, wanted)


def with_inputs(form: type[FlaskForm], fields: Iterable[Any]) -> type[FlaskForm]:
    """The form with an input for each of some fields of a regulation, after its own."""
    return type(form.__name__, (form,), {EXTRA + f.key: input_of(f) for f in fields})


def input_of(entry: Any) -> Any:
    """The input for a field of the regulation, by its shape."""
    must = bool(getattr(entry, "required", False))
    asked = [InputRequired()] if must else [Optional()]
    match entry.shape:
        case "flag":
            return YesNoField(entry.label, asked) if must else BooleanField(entry.label)
        case "date":
            return DateField(entry.label, asked)
        case "time":
            return InstantField(entry.label, asked)
        case "number":
            return IntegerField(entry.label, [*asked, NumberRange(-LARGEST_COUNT, LARGEST_COUNT)])
        case "money":
            return MoneyField(entry.label, validators=asked)
        case "percent":
            return DecimalField(entry.label, [*asked, NumberRange(0, 100)], places=2)
        case "choice":
            return SelectField(entry.label, asked, choices=_choices(entry, blank=True))
        case "choices":
            return TicksField(entry.label, asked, choices=_choices(entry, blank=False))
        case "employee":
            return LookupField(entry.label, what="employee", allow_blank=not must)
        case "long_text":
            return long_text(entry.label, needed=must)
        case _:
            return _line(entry, asked, needed=must)


def _line(entry: Any, asked: list[Any], *, needed: bool) -> Any:
    """The input for what is one line: a text, a telephone number, numbers of cases."""
    if entry.shape == "phone":
        return StringField(entry.label, [*asked, Length(max=40)], filters=[trimmed])
    if entry.shape == "cases":
        how = lazy_gettext("Numbers of cases, separated by commas")
        most = Length(max=LONGEST_LIST)
        return StringField(entry.label, [*asked, most], filters=[trimmed], description=how)
    return short_text(entry.label, needed=needed)


def _choices(entry: Any, *, blank: bool) -> list[SelectChoice]:
    found = [SelectChoice(one.key, one.label) for one in entry.choices]
    return [SelectChoice("", "—"), *found] if blank else found


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
