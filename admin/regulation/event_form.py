"""A form for any event, made from its model: for trying a case, where no deed needs a service.

The fields of an event, their types and which of them are needed come from
`policy.vocabulary.events`; what there is to choose from comes from the regulation and from who
takes part. So an event or a section
that is new needs nothing here. A value no input knows is typed as a case file would say it.
"""

from __future__ import annotations

import datetime as dt
import enum
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DecimalField,
    Field,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional

import wording
from admin.kit.display import needed
from admin.kit.fields import InstantField, YesNoField, long_text, short_text
from admin.kit.pack_fields import input_of
from policy.pack.schema import SECTIONS, Pack
from policy.proof import casefile
from policy.proof.play import PEOPLE
from policy.vocabulary.events import EVENTS, Happening
from wording import reasons

PREFIX = "step-"
OWN = "own_"
_BY_ITSELF = frozenset({"type", "at", "by", "number", "holder", "deputy", "occasion", "spared"})
"""What a play fills in: nobody is asked for it."""
_TAKEN_FROM_WHEN = frozenset({"received_at"})
"""What is the time of the step itself where nothing else is said."""
_ELSEWHERE = {"rule": "penalty", "ground": "penalty", "report": "report_out", "grade": "severity"}
_PARTS = {"data": "fields", "item": "items", "way": "ways"}
"""Fields that depend on an entry of the regulation: what of the entry they choose from or fill."""
_INSTANT = Happening.model_fields["at"].annotation
Choices = list[tuple[str, str]]


@dataclass(frozen=True)
class EventChoice:
    """What may happen next: an event, and where it is about one entry of the pack, which."""

    name: str
    field: str = ""
    entry: Any = None

    @property
    def key(self) -> str:
        return f"{self.name}:{self.entry.key}" if self.entry else self.name

    @property
    def label(self) -> str:
        said = wording.deed(self.name)
        return f"{said} · {self.entry.label}" if self.entry else said


def deeds_of(name: str, pack: Pack) -> Iterator[EventChoice]:
    """An event as something to choose; of a form, a report or a checklist, each one of the pack."""
    fields = EVENTS[name].model_fields
    about = next((f for f in fields if _PARTS.keys() & set(fields) and section_of(f)), None)
    if about is None:
        yield EventChoice(name)
        return
    for entry in getattr(pack, section_of(about) or ""):
        yield EventChoice(name, about, entry)


def deed_of(key: str, pack: Pack) -> EventChoice | None:
    """The deed of a key, or None where there is no such event or entry."""
    name = key.partition(":")[0]
    found = deeds_of(name, pack) if name in EVENTS else ()
    return next((deed for deed in found if deed.key == key), None)


def section_of(field: str) -> str | None:
    """The section of a pack a field of an event chooses from."""
    section = _ELSEWHERE.get(field, field)
    return section if section in SECTIONS else None


# ---------------------------------------------------------------- the form


class StepForm(FlaskForm):
    """When something happens and who does it; the fields of the event are added to it."""

    class Meta:
        csrf = False  # the page carries the token


class SecondsField(InstantField):
    """An instant to the second, because a second decides whether a term was kept."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, render_kw={"step": "1"}, **options)

    def _value(self) -> str:
        if self.raw_data or not self.data:
            return super()._value()
        return str(self.data.astimezone(wording.zone()).strftime("%Y-%m-%dT%H:%M:%S"))


def form_for(
    deed: EventChoice,
    pack: Pack,
    people: Choices,
    *,
    doers: Mapping[str, Choices],
    step: Mapping[str, Any],
) -> Any:
    """The form of a step, filled with what the step says; `doers` are people in groups."""
    fields: dict[str, Any] = {"at": SecondsField(lazy_gettext("When"), [InputRequired()])}
    if doers:
        found = [
            SelectChoice(name, label, optgroup=words)
            for words, group in doers.items()
            for name, label in group
        ]
        fields["by"] = _select(lazy_gettext("Who does it"), found)
    kind = EVENTS[deed.name]
    for name in _asked(kind, deed):
        fields[name] = _input(name, kind, deed, pack=pack, people=people)
    if "deputy" in kind.model_fields:
        stands_in = [SelectChoice("", "—"), *(SelectChoice(*one) for one in people)]
        fields["deputises"] = _select(wording.field("deputises"), stands_in)
    for field in _own_fields(kind, deed, pack):
        fields[OWN + field.key] = _own_input(field, people)
    form: Any = type("StepForm", (StepForm,), fields)
    return form(prefix=PREFIX, data=_shown(step, deed))


def _asked(kind: type[Happening], deed: EventChoice) -> list[str]:
    names = [name for name in kind.model_fields if name not in _BY_ITSELF]
    return [n for n in names if n not in (deed.field, "extra") and not _filled_by(n, deed)]


def _filled_by(name: str, deed: EventChoice) -> bool:
    """Whether a table is asked for field by field, because the entry declares its fields."""
    return name == "data" and hasattr(deed.entry, "fields")


def _own_fields(kind: type[Happening], deed: EventChoice, pack: Pack) -> Sequence[Any]:
    if hasattr(deed.entry, "fields"):
        return list(deed.entry.fields)
    return list(pack.field) if "extra" in kind.model_fields else []


def _input(
    name: str, kind: type[Happening], deed: EventChoice, *, pack: Pack, people: Choices
) -> Any:
    """The input for a field of an event, by what it chooses from, else by its type."""
    info = kind.model_fields[name]
    words = wording.field(name)
    must = info.is_required() and name not in _TAKEN_FROM_WHEN
    types = _types(info.annotation)
    offered = _offered(name, deed, pack, people=people, types=types)
    if any(get_origin(one) is tuple for one in types) and offered is not None:
        return SelectMultipleField(words, choices=_bare(offered), validate_choice=False)
    if offered is not None:
        blank = [] if must else [SelectChoice("", "—")]
        return _select(words, [*blank, *_bare(offered)])
    return _plain_input(words, types, info, must=must)


def _select(words: Any, offered: Sequence[SelectChoice]) -> SelectField:
    """A list to choose from; whether the choice is one is what playing the step says."""
    return SelectField(words, choices=list(offered), validate_choice=False)


def _own_input(field: Any, people: Choices) -> Any:
    """An input of the regulation's own; like ours it leaves what is a choice to the play.

    People are those of the case file, and instants are typed as the file says them.
    """
    if field.shape == "employee":
        return _select(field.label, [SelectChoice("", "—"), *_bare(people)])
    if field.shape == "time":
        return short_text(field.label, needed=getattr(field, "required", False))
    made = input_of(field)
    if made.field_class is SelectField:
        made.kwargs["validate_choice"] = False
    return made


def _plain_input(words: str, types: Sequence[Any], info: Any, *, must: bool) -> Any:
    asked = [InputRequired()] if must else [Optional()]
    if bool in types:
        return BooleanField(words)
    if _INSTANT in types:
        return SecondsField(words, asked)
    if int in types:
        return IntegerField(words, asked)
    if Decimal in types:
        return DecimalField(words, asked, places=2)
    if str in types:
        long = _longest(info) > 1000
        if long:
            return long_text(words, needed=must, render_kw={"rows": 3})
        return short_text(words, needed=must)
    how = lazy_gettext("One a line, as in a case file: name = value")
    return TextAreaField(words, asked, description=how, render_kw={"rows": 3})


def _offered(
    name: str, deed: EventChoice, pack: Pack, *, people: Choices, types: Sequence[Any]
) -> Choices | None:
    """What a field chooses from, as (value, label); None where it is typed."""
    if bool in types and type(None) in types:
        return [("true", gettext("yes")), ("false", gettext("no"))]
    if members := _members(types):
        return [(str(m.value), wording.label(m)) for m in members]
    if literal := [value for one in types if get_origin(one) is Literal for value in get_args(one)]:
        return [(value, reasons.literal(name, value)) for value in literal]
    if name in PEOPLE and Mapping not in types:
        return people
    part = _PARTS.get(name)
    if part and deed.entry is not None:
        return [(one.key, one.label) for one in getattr(deed.entry, part)]
    section = section_of(name)
    return _entries(name, section, deed, pack=pack) if section else None


def _entries(name: str, section: str, deed: EventChoice, *, pack: Pack) -> Choices:
    entries = list(getattr(pack, section))
    if name == "grade":
        entries = [one for one in entries if one.scale == "grade" and not one.by_hand]
    if name == "ground":
        entries = [*(one for one in entries if one.by_hand), *pack.reward]
    if name == "department":
        entries = [one for one in entries if one.answers]
    return [(one.key, one.label) for one in entries]


def _types(annotation: Any) -> list[Any]:
    """The types an annotation is made of, with what only constrains them taken off."""
    origin = get_origin(annotation)
    if origin in (Literal, tuple) or annotation is None or isinstance(annotation, type):
        return [annotation]
    if origin is Mapping or getattr(origin, "__name__", "") == "Mapping":
        return [Mapping]
    inner = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        inner = inner[:1]
    return [one for part in inner for one in _types(part)] or [annotation]


def _members(types: Sequence[Any]) -> list[enum.Enum]:
    kinds = [one for one in types if isinstance(one, type) and issubclass(one, enum.Enum)]
    return [member for kind in kinds for member in kind]


def _longest(info: Any) -> int:
    """The characters a text may have; what constrains it may stand inside an optional type."""
    marks = list(info.metadata)
    for part in get_args(info.annotation):
        for mark in getattr(part, "__metadata__", ()):
            marks += getattr(mark, "metadata", [mark])
    return max((m.max_length for m in marks if hasattr(m, "max_length")), default=300)


def _bare(offered: Choices) -> list[SelectChoice]:
    return [SelectChoice(*one) for one in offered]


def first_and_rest(form: Any) -> tuple[list[Field], list[Field]]:
    """The inputs to see at once (needed, chosen, filled or wrong), and those seldom needed."""
    first, rest = [], []
    for one in form:
        chosen = isinstance(one, SelectField) and not one.short_name.startswith(OWN)
        text = one.short_name == "text"
        seen = needed(one) or one.errors or _plain_data(one) or chosen or text
        seldom = one.short_name in _SELDOM and not (one.errors or _plain_data(one))
        (first if seen and not seldom else rest).append(one)
    return first, rest


_SELDOM = frozenset({"deputises", "responsibility", "first_asked", "together", "taken", "earlier"})


def _plain_data(one: Field) -> bool:
    return one.data not in (None, "", [], False)


# ---------------------------------------------------------------- what was typed


def said(form: Any, deed: EventChoice) -> dict[str, Any]:
    """The step a form describes, as a case file says it; what is empty is left out."""
    step: dict[str, Any] = {"do": deed.name}
    own: dict[str, Any] = {}
    for field in form:
        name = field.short_name
        value = _plain(field)
        if value in (None, "", [], {}, False) and not (value is False and _must(field, deed)):
            continue
        if name.startswith(OWN):
            own[name.removeprefix(OWN)] = value
        else:
            step[name] = value
    if deed.entry:
        step[deed.field] = deed.entry.key
    if own:
        step["data" if deed.entry else "extra"] = own
    return step


def _must(field: Field, deed: EventChoice) -> bool:
    """Whether no is an answer: a flag the event, or the form of the regulation, wants said."""
    name = field.short_name
    if name.startswith(OWN):
        return isinstance(field, YesNoField)
    info = EVENTS[deed.name].model_fields.get(name)
    return info is not None and info.is_required()


def _plain(field: Field) -> Any:
    """What stands in an input as TOML knows it: instants are local times without a zone."""
    value = field.data
    if isinstance(field, InstantField):
        return value and value.astimezone(wording.zone()).replace(tzinfo=None)
    if isinstance(field, SelectField) and value in ("true", "false"):
        return value == "true"
    if isinstance(field, TextAreaField) and field.description:
        return table(value or "")
    return value.strip() if isinstance(value, str) else value


def table(text: str) -> dict[str, Any]:
    """What a person typed as lines of a case file. Raises CaseFileRefused where it is none."""
    return tomllib.loads(text, parse_float=Decimal) if text.strip() else {}


def check_tables(form: Any) -> bool:
    """Whether every table that was typed can be read; the field says where not."""
    good = True
    for field in form:
        if isinstance(field, TextAreaField) and field.description:
            try:
                table(field.data or "")
            except tomllib.TOMLDecodeError as error:
                field.errors = [*field.errors, str(error)]
                good = False
    return good


def _shown(step: Mapping[str, Any], deed: EventChoice) -> dict[str, Any]:
    """What the inputs show at first: the step as it is, its tables field by field or as lines."""
    data = {name: _typed(name, value, deed) for name, value in step.items() if name != "do"}
    own = data.pop("data" if deed.entry else "extra", None)
    if isinstance(own, Mapping):
        data |= {OWN + key: value for key, value in own.items()}
    return data


def _typed(name: str, value: Any, deed: EventChoice) -> Any:
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=wording.zone())
    if isinstance(value, bool):
        info = EVENTS[deed.name].model_fields.get(name)
        yes_or_no = info is not None and type(None) in _types(info.annotation)
        return str(value).lower() if yes_or_no else value
    if isinstance(value, Mapping) and name not in ("extra", "data"):
        return "\n".join(casefile.table_lines(value))
    return value
