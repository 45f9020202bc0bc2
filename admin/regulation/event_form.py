"""A form for any event, made from its marks: for trying a case, where no deed needs a service.

The fields of an event, what they mean and which of them are needed come from
`policy.vocabulary.events`; what there is to choose from comes from the regulation and from who
takes part. So an event or a section that is new needs nothing here. A value no input knows is
typed as a case file would say it.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DecimalField,
    Field,
    IntegerField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms.validators import InputRequired

import wording
from admin.kit.declared_inputs import (
    AskedField,
    DeclaredInputs,
    asked_fields,
    of_event,
    of_regulation,
)
from admin.kit.display import needed
from admin.kit.fields import InstantField, SelectChoice, YesNoField, long_text, short_text
from policy.pack.schema import Pack
from policy.proof import casefile
from policy.vocabulary.events import EVENTS, Event
from policy.vocabulary.marks import FieldMarks, Mark, marks_of, whole_field

PREFIX = "step-"
OWN = "own_"
STANDS_IN = "deputises"
"""The input for who stands in for the director that day."""
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
    whole = whole_field(EVENTS[name])
    if whole is None:
        yield EventChoice(name)
        return
    for section in whole.sections:
        yield from (EventChoice(name, whole.name, entry) for entry in getattr(pack, section))


def deed_of(key: str, pack: Pack) -> EventChoice | None:
    """The deed of a key, or None where there is no such event or entry."""
    name = key.partition(":")[0]
    found = deeds_of(name, pack) if name in EVENTS else ()
    return next((deed for deed in found if deed.key == key), None)


# ---------------------------------------------------------------- the form


class StepForm(FlaskForm):
    """When something happens and who does it; the fields of the event are added to it."""

    class Meta:
        csrf = False  # the page carries the token

    seldom: ClassVar[Collection[str]] = ()
    """The names of inputs that are shown below the rest."""


class SecondsField(InstantField):
    """An instant to the second, because a second decides whether a term was kept."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, render_kw={"step": "1"}, **options)

    def _value(self) -> str:
        if self.raw_data or not self.data:
            return super()._value()
        return self._as_input("seconds")


class PlayInputs(DeclaredInputs):
    """The inputs of a play: people are those of the case file, instants have seconds.

    Whether a choice is one is what playing the step says.
    """

    def __init__(self, people: Choices) -> None:
        self._people = [SelectChoice(*one) for one in people]

    def made(self, one: AskedField) -> Any:
        """The input for a field; instants of a regulation's own are typed as a file says them."""
        match one.shape:
            case "time":
                if one.own:
                    return short_text(one.label, needed=one.needed)
                return SecondsField(one.label, one.asked)
            case "flag" if not one.own:
                return BooleanField(one.label)
            case "table":
                how = lazy_gettext("One a line, as in a case file: name = value")
                rows = {"rows": 3}
                return TextAreaField(one.label, one.asked, description=how, render_kw=rows)
            case _:
                return super().made(one)

    def choice(self, one: AskedField) -> Any:
        if one.own:
            made = super().choice(one)
            made.kwargs["validate_choice"] = one.shape == "choices"
            return made
        return _select(one.label, replace(one, blank=one.blank and "—").offered)

    def employee(self, one: AskedField) -> Any:
        if one.several:
            return SelectMultipleField(one.label, choices=self._people, validate_choice=False)
        blank = [] if one.needed and not one.own else [SelectChoice("", "—")]
        return _select(one.label, [*blank, *self._people])

    def number(self, one: AskedField) -> Any:
        if one.own:
            return super().number(one)
        if one.shape == "money":
            return DecimalField(one.label, one.asked, places=2)
        return IntegerField(one.label, one.asked)

    def text(self, one: AskedField) -> Any:
        if one.own or one.shape != "long_text":
            return super().text(one)
        return long_text(one.label, needed=one.needed, render_kw={"rows": 3})


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
    kind, inputs = EVENTS[deed.name], PlayInputs(people)
    for one in _asked(kind, deed):
        fields[one.name] = inputs.made(_as_asked(one, pack, deed))
    if "deputy" in kind.model_fields:
        stands_in = AskedField(wording.field(STANDS_IN), "employee", needed=False)
        fields[STANDS_IN] = inputs.made(stands_in)
    for field in _own_fields(kind, deed, pack):
        fields[OWN + field.key] = inputs.made(of_regulation(field))
    form: Any = type("StepForm", (StepForm,), fields)
    form.seldom = {STANDS_IN, *(one.name for one in _asked(kind, deed) if Mark.seldom in one)}
    return form(prefix=PREFIX, data=_shown(step, deed))


def _asked(kind: type[Event], deed: EventChoice) -> list[FieldMarks]:
    """The fields a step is asked for, but the entry it is about and what is asked one by one."""
    declared = {deed.field, "extra"} | ({"data"} if hasattr(deed.entry, "fields") else set())
    return [one for one in asked_fields(kind) if one.name not in declared]


def _own_fields(kind: type[Event], deed: EventChoice, pack: Pack) -> Sequence[Any]:
    if hasattr(deed.entry, "fields"):
        return list(deed.entry.fields)
    return list(pack.field) if "extra" in kind.model_fields else []


def _as_asked(one: FieldMarks, pack: Pack, deed: EventChoice) -> AskedField:
    must = one.required and Mark.as_at not in one
    found = of_event(one, pack, deed.entry, needed=must)
    if one.shape == "flag" and one.optional:
        yes_no = (("true", gettext("yes")), ("false", gettext("no")))
        return replace(found, shape="choice", choices=yes_no)
    return found


def _select(words: Any, offered: Sequence[SelectChoice]) -> SelectField:
    """A list to choose from; whether the choice is one is what playing the step says."""
    return SelectField(words, choices=list(offered), validate_choice=False)


def first_and_rest(form: Any) -> tuple[list[Field], list[Field]]:
    """The inputs to see at once (needed, chosen, filled or wrong), and those seldom needed."""
    first: list[Field] = []
    rest: list[Field] = []
    for one in form:
        chosen = isinstance(one, SelectField) and not one.short_name.startswith(OWN)
        text = one.short_name == "text"
        seen = needed(one) or one.errors or _plain_data(one) or chosen or text
        seldom = one.short_name in form.seldom and not (one.errors or _plain_data(one))
        (first if seen and not seldom else rest).append(one)
    return first, rest


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
    one = marks_of(EVENTS[deed.name]).get(name)
    return one is not None and one.required


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
        one = marks_of(EVENTS[deed.name]).get(name)
        return str(value).lower() if one and one.optional else value
    if isinstance(value, Mapping) and name not in ("extra", "data"):
        return "\n".join(casefile.table_lines(value))
    return value
