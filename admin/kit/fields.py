"""The fields of forms: how a column of the record is asked for, and how a text becomes a value.

Only what a browser brings is used: no date picker and no select box of another library, so that
a form works on a phone, under a strict policy of the page and without the internet.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import g, has_request_context, request, url_for
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.model.form import converts
from flask_babel import gettext
from markupsafe import Markup
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    Field,
    FieldList,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms import SelectChoice as SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget, html_params

import wording
from admin.kit.lookup import FOUND_AT_MOST, LOOKUPS, session
from policy.vocabulary.errors import TimeOutOfBounds
from policy.vocabulary.line_ends import one_line_end
from policy.vocabulary.time_bounds import ANY_DAY, TimeBounds, refuse_outside

LARGEST_SUM = Decimal("99999999.99")
LONG = 20_000
SHORT = 300
NO_CHOICE = ""


_MARGIN = dt.timedelta(minutes=1)


def _refuse_impossible(field: Any, local: dt.date) -> None:
    """Refuse a day nobody can mean, in the words of the field. Raises ValueError."""
    try:
        refuse_outside(str(field.label.text), local, field.bounds)
    except TimeOutOfBounds as refusal:
        field.data = None
        raise ValueError(wording.error(refusal)) from refusal


class DayField(DateField):
    """A day within `bounds`; what stood there already may stay."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.bounds: TimeBounds = options.pop("bounds", ANY_DAY)
        options["render_kw"] = {
            "min": self.bounds.earliest.isoformat(),
            "max": self.bounds.latest.isoformat(),
        } | (options.get("render_kw") or {})
        super().__init__(*args, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and self.data != self.object_data:
            _refuse_impossible(self, self.data)


class InstantField(DateTimeLocalField):
    """An instant, shown and typed as local date and time to the minute; the data is UTC.

    It lies within `bounds`; what stood there already may stay.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("format", ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])
        self.bounds: TimeBounds = options.pop("bounds", ANY_DAY)
        options["render_kw"] = {
            "min": f"{self.bounds.earliest}T00:00",
            "max": f"{self.bounds.latest}T23:59",
        } | (options.get("render_kw") or {})
        super().__init__(*args, **options)

    def process_data(self, value: dt.datetime | None) -> None:
        super().process_data(value.astimezone(wording.zone()) if value else None)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data:
            local = self.data.replace(tzinfo=wording.zone())
            try:
                self.data = local.astimezone(dt.UTC)
            except OverflowError as error:
                self.data = None
                raise ValueError(gettext("That day does not exist in our calendar.")) from error
            stood = self.object_data
            if stood is None or abs(self.data - stood) >= _MARGIN:
                _refuse_impossible(self, local.date())

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else self._as_input("minutes")

    def _as_input(self, precision: str) -> str:
        """The instant as a browser's own input takes it: a year of four digits."""
        if not self.data:
            return ""
        local = self.data.astimezone(wording.zone()).replace(tzinfo=None)
        return str(local.isoformat(timespec=precision))


class NumberField(DecimalField):
    """A number with decimals; NaN and the infinite ones are none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and not self.data.is_finite():
            self.data = None
            raise ValueError(gettext("Not a valid decimal value."))


class MoneyField(DecimalField):
    """A sum of yuan with at most two decimals."""

    def __init__(self, label: Any = None, validators: Any = (), **options: Any) -> None:
        bounded = [*validators, NumberRange(0, LARGEST_SUM)]
        super().__init__(label, bounded, places=2, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata([value.replace(",", "").lstrip("¥") for value in valuelist])
        if self.data is not None and _is_no_sum(self.data):
            self.data = None
            raise ValueError(gettext("A sum has at most two decimals."))


def _is_no_sum(number: Decimal) -> bool:
    """Whether it has parts of a fen; how large a sum may be is asked after that."""
    return not number.is_finite() or (abs(number) <= LARGEST_SUM and number * 100 % 1 != 0)


class EnumField(SelectField):
    """A member of an enumeration; `allow_blank` adds an empty choice, whose data is None."""

    choices: list[tuple[str, str]]

    def __init__(
        self, label: Any = None, validators: Any = None, *, members: type[enum.Enum], **options: Any
    ) -> None:
        self.members = members
        self.allow_blank = options.pop("allow_blank", False)
        super().__init__(label, validators, choices=self._offered, coerce=self._member, **options)

    def _offered(self) -> list[tuple[str, str]]:
        blank = [(NO_CHOICE, "—")] if self.allow_blank else []
        return blank + wording.labelled(self.members)

    def _member(self, value: Any) -> enum.Enum | None:
        if value is None or value == NO_CHOICE:
            return None
        return value if isinstance(value, enum.Enum) else self.members(value)

    def iter_choices(self) -> Any:
        chosen = self.data.value if isinstance(self.data, enum.Enum) else NO_CHOICE
        return ((value, words, value == chosen, {}) for value, words in self.choices)

    def pre_validate(self, form: Any) -> None:
        if self.data is None and not self.allow_blank:
            raise ValidationError(gettext("Please choose one."))


class ChoiceField(SelectField):
    """One of the choices of form_choices; what need not be said has an empty one, which is None."""

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        offered: Sequence[tuple[str, Any]],
        **options: Any,
    ) -> None:
        may_be_empty = any(isinstance(one, Optional) for one in validators or ())
        choices = [SelectChoice(value, words) for value, words in offered]
        if may_be_empty:
            choices.insert(0, SelectChoice(NO_CHOICE, "—"))
        super().__init__(label, validators, choices=choices, coerce=self._meant, **options)

    @staticmethod
    def _meant(value: Any) -> str | None:
        return None if value is None or value == NO_CHOICE else str(value)


class RowSelectField(SelectField):
    """A row of a small table, such as the departments; the data is the row."""

    choices: list[tuple[str, str]]

    def __init__(
        self, label: Any = None, validators: Any = None, *, model: type[Any], **options: Any
    ) -> None:
        self.model = model
        self.allow_blank = options.pop("allow_blank", False)
        super().__init__(label, validators, choices=self._offered, coerce=self._row, **options)

    def _offered(self) -> list[tuple[str, str]]:
        # A list whose cells can be changed asks this for every row; while it is read nothing
        # changes, so the rows are read once.
        known: dict[Any, Any] = {}
        if has_request_context() and request.method == "GET":
            known = g.setdefault("row_choices", {})
        if self.model not in known:
            rows = session().scalars(sa.select(self.model))
            known[self.model] = sorted((str(row), str(row.id)) for row in rows)
        return [(NO_CHOICE, "—"), *((id_, name) for name, id_ in known[self.model])]

    def _row(self, value: Any) -> Any:
        if value is None or isinstance(value, self.model):
            return value
        text = str(value)
        return session().get(self.model, int(text)) if _may_be_id(text) else None

    def iter_choices(self) -> Any:
        chosen = str(self.data.id) if self.data is not None else NO_CHOICE
        return ((value, words, value == chosen, {}) for value, words in self.choices)

    def pre_validate(self, form: Any) -> None:
        if self.data is None and not self.allow_blank:
            raise ValidationError(gettext("Please choose one."))


class LookupWidget:
    """A search box with a hidden id beside it; the finds are put below it by redress.js."""

    input_type = "text"

    def __call__(self, field: LookupField, **attributes: Any) -> Markup:
        attributes.setdefault("id", field.id)
        hidden = html_params(
            type="hidden", name=field.name, value=field.row_id, data_lookup_id=True
        )
        shown = html_params(
            type="text",
            name=f"{field.name}-words",
            value=field.words,
            role="combobox",
            autocomplete="off",
            aria_expanded="false",
            aria_autocomplete="list",
            data_lookup=field.finds_at(),
            placeholder=gettext("Type the beginning of a name or number"),
            **attributes,
        )
        return Markup(
            f'<div class="lookup"><input {hidden}><input {shown}>'
            '<ul class="lookup-finds" role="listbox" hidden></ul></div>'
        )


class LookupField(Field):
    """A row of a table that grows, looked up while typing; the data is the row or None.

    Without a script a whole number (or name, when only one has it) in the search box does.
    """

    widget = LookupWidget()

    def __init__(
        self, label: Any = None, validators: Any = None, *, what: str, **options: Any
    ) -> None:
        self.what = what
        self.allow_blank = options.pop("allow_blank", False)
        self.typed = ""
        super().__init__(label, validators, **options)

    @property
    def row_id(self) -> str:
        return "" if self.data is None else str(self.data.id)

    @property
    def words(self) -> str:
        return self.typed if self.data is None else self.words_of(self.data)

    def finds_at(self) -> str:
        """The address that finds rows while somebody types."""
        return url_for(f"lookup.{self.what}")

    def words_of(self, row: Any) -> str:
        """What a row is called in the search box."""
        return LOOKUPS[self.what].words(row)

    def with_id(self, row_id: int) -> Any | None:
        """The row of that id, or None."""
        return LOOKUPS[self.what].with_id(session(), row_id)

    def exactly(self, typed: str) -> Any | None:
        """The one row that is called exactly so, or None."""
        return LOOKUPS[self.what].exact(session(), typed)

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        super().process(formdata, data, extra_filters)
        if formdata is not None and f"{self.name}-words" in formdata:
            self._take(formdata.get(self.name, ""), formdata[f"{self.name}-words"])

    def _take(self, row_id: str, typed: str) -> None:
        self.typed = typed.replace("\0", "").strip()
        self.data = None
        if _may_be_id(row_id):
            self.data = self.with_id(int(row_id))
        if self.typed and (self.data is None or self.words_of(self.data) != self.typed):
            self.data = self.exactly(self.typed)
        if not self.typed:
            self.data = None

    def process_formdata(self, valuelist: list[str]) -> None:
        """The id and the words are taken together by `process`."""

    def pre_validate(self, form: Any) -> None:
        if self.data is None and self.typed:
            raise ValidationError(gettext("Pick one of the finds, or type a whole number."))
        if self.data is None and not self.allow_blank:
            raise ValidationError(gettext("This field is required."))


class AjaxField(LookupField):
    """A key of form_ajax_refs: a row that is looked up by a loader of Flask-Admin."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        self.loader = options.pop("loader")
        self.view = options.pop("view")
        super().__init__(label, validators, what=self.loader.name, **options)

    @property
    def row_id(self) -> str:
        return "" if self.data is None else str(self.loader.format(self.data)[0])

    def finds_at(self) -> str:
        return str(url_for(f"{self.view.endpoint}.ajax_lookup", name=self.loader.name))

    def words_of(self, row: Any) -> str:
        return str(self.loader.format(row)[1])

    def with_id(self, row_id: int) -> Any | None:
        return self.loader.get_one(row_id)

    def exactly(self, typed: str) -> Any | None:
        found = self.loader.get_list(typed, offset=0, limit=FOUND_AT_MOST)
        named = [row for row in found if self.words_of(row) == typed]
        return named[0] if len(named) == 1 else None


class SeenVersionField(HiddenField):
    """The version of the row the form was made from; it is compared and never stored."""

    def populate_obj(self, obj: Any, name: str) -> None:
        """Nothing: the version of a row counts itself."""


class Converter(AdminModelConverter):
    """Which field asks for which column."""

    # private: the public `convert` has no part of its own for relations.
    def _model_select_field(
        self, prop: Any, multiple: Any, remote_model: type[Any], **kwargs: Any
    ) -> Any:
        # A lookup knows itself that it must be filled; InputRequired would look at its id alone.
        kwargs["validators"] = [v for v in kwargs["validators"] if isinstance(v, Optional)]
        name = remote_model.__tablename__
        loaders = self.view._form_ajax_refs  # noqa: SLF001  # private: the loaders are nowhere else
        loader = loaders.get(prop.key)
        if loader is not None:
            kwargs["validators"] = []
            return AjaxField(loader=loader, view=self.view, **kwargs)
        if name in LOOKUPS:
            kwargs["validators"] = []
            return LookupField(what=name, **kwargs)
        return RowSelectField(model=remote_model, **kwargs)

    @converts("models.UtcDateTime")
    def instant(self, field_args: Any, **extra: Any) -> Any:
        return InstantField(**field_args)

    @converts("Date")
    def convert_date(self, field_args: Any, **extra: Any) -> Any:
        return DayField(**field_args)

    @converts("models.Money")
    def money(self, field_args: Any, **extra: Any) -> Any:
        return MoneyField(**field_args)

    @converts("sqlalchemy.sql.sqltypes.Enum")
    def convert_enum(self, column: Any, field_args: Any, **extra: Any) -> Any:
        return EnumField(members=column.type.enum_class, allow_blank=column.nullable, **field_args)

    @converts("Boolean")
    def conv_Boolean(self, field_args: Any, **extra: Any) -> Any:
        field_args["validators"] = []
        return BooleanField(**field_args)

    @converts("Integer")
    def handle_integer_types(self, field_args: Any, **extra: Any) -> Any:
        return IntegerField(**field_args)

    @converts("String")
    def conv_String(self, column: Any, field_args: Any, **extra: Any) -> Any:
        self._string_common(column=column, field_args=field_args, **extra)
        field_args["filters"] = [trimmed, *field_args.get("filters", ())]
        return StringField(**field_args)

    @converts("Text")
    def conv_Text(self, column: Any, field_args: Any, **extra: Any) -> Any:
        self._string_common(column=column, field_args=field_args, **extra)
        field_args["filters"] = [trimmed, *field_args.get("filters", ())]
        return TextAreaField(**field_args)


def _may_be_id(text: str) -> bool:
    """Whether the text can be the id of a row; the database knows no longer ones."""
    return text.isascii() and text.isdecimal() and len(text) < 18


def trimmed(text: str | None) -> str | None:
    """What was typed without blanks around it and without NUL, which no database keeps.

    Browsers end lines with CR LF, spreadsheets with LF: here a line has one end.
    """
    return one_line_end(text.replace("\0", "")).strip() if isinstance(text, str) else text


def long_text(label: Any, *, needed: bool = True, **options: Any) -> TextAreaField:
    """A text of several lines, at most LONG characters."""
    asked = InputRequired() if needed else Optional()
    return TextAreaField(label, [asked, Length(max=LONG)], filters=[trimmed], **options)


def short_text(label: Any, *, needed: bool = True, **options: Any) -> StringField:
    """A text of one line, at most SHORT characters."""
    asked = InputRequired() if needed else Optional()
    return StringField(label, [asked, Length(max=SHORT)], filters=[trimmed], **options)


class YesNoField(SelectField):
    """Yes, no, or not said yet: True, False or None. A tick alone could not say no."""

    choices: list[tuple[str, str]]

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options.setdefault("choices", self._offered)
        super().__init__(label, validators, coerce=self._meant, **options)

    @staticmethod
    def _offered() -> list[tuple[str, str]]:
        return [(NO_CHOICE, "—"), ("yes", gettext("Yes")), ("no", gettext("No"))]

    @staticmethod
    def _meant(value: Any) -> bool | None:
        return {"yes": True, "no": False, True: True, False: False}.get(value)

    def iter_choices(self) -> Any:
        chosen = {True: "yes", False: "no"}.get(self.data, NO_CHOICE)
        return ((value, words, value == chosen, {}) for value, words in self.choices)

    def pre_validate(self, form: Any) -> None:
        """Whatever was sent is one of the three."""


class TicksField(SelectMultipleField):
    """Several of a few choices, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class _StackedWidget:
    """Search boxes one below the other; the label belongs to the first."""

    input_type = "people"

    def __call__(self, field: FieldList[LookupField], **attributes: Any) -> Markup:
        boxes = [
            one(**attributes | ({"id": field.id} if place == 0 else {}))
            for place, one in enumerate(field)
        ]
        return Markup('<div class="people">{}</div>').format(Markup("").join(boxes))


class PeopleField(FieldList):  # type: ignore[type-arg]  # at run time it has no parameters
    """Several employees; the data are those that were found, each once."""

    widget = _StackedWidget()
    BOXES = 4

    def __init__(self, label: Any = None, **options: Any) -> None:
        box = LookupField(what="employee", allow_blank=True)
        super().__init__(box, label, min_entries=self.BOXES, max_entries=60, **options)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of the employees that were named."""
        return tuple(dict.fromkeys(one.data.number for one in self if one.data is not None))

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        good = super().validate(form, extra_validators)
        self.errors = list(dict.fromkeys(word for one in self for word in one.errors))
        return bool(good)
