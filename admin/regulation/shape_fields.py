"""One field of a form for each shape of a regulation, made from its slot.

A field shows plain data as it stands, reads what was typed, and says in the words of whoever
types what is wrong with it. What was typed comes back, right or wrong. `data` is plain data
again: whole numbers, texts, tables; None means that the entry does not say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from flask_babel import gettext
from wtforms import Field, Form
from wtforms.utils import unset_value

from policy.pack.shapes import Operator
from policy.pack.slots import Slot
from policy.proof import domains
from policy.vocabulary.line_ends import one_line_end
from wording.rule_choices import ENDS_DAY, Options, RuleChoices

OPERATORS_OF = {
    "choice": ("is", "is_not", "in", "not_in", "filled"),
    "flag": ("is", "filled"),
    "number": ("is", "is_not", "at_least", "at_most", "filled"),
    "date": ("filled", "is", "at_least", "at_most"),
}
SPARE_ROWS = 1
MOST_ROWS = 60
_SEPARATORS = re.compile(r"[、，,;；\n]")
_WORD = r"[^、，,;；\n]+"
_LINES = re.compile(r"[\n]")


class ShapeField(Field):
    """What all of them share: `raw` is what stands in the inputs, by the name of its part."""

    parts: ClassVar[tuple[str, ...]] = ("",)
    takes_parameter: ClassVar[bool] = False

    def __init__(
        self, label: Any = None, *, slot: Slot, rule_choices: RuleChoices, **options: Any
    ) -> None:
        self.slot, self.rule_choices = slot, rule_choices
        self.raw: dict[str, Any] = {}
        super().__init__(label, **options)

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        self.process_errors = []
        given = None if data is unset_value else data
        self.object_data = self.data = given
        self.raw = self.shown(given)
        if formdata is not None:
            self.raw = self.typed(formdata)
            try:
                self.data = self._read()
            except ValueError as error:
                self.process_errors.append(str(error))

    def _read(self) -> Any:
        if self.takes_parameter and self.raw.get("from"):
            return self.raw["from"]
        value = self.read(self.raw)
        if value is None and self.slot.required:
            raise ValueError(gettext("Please fill this in."))
        return value

    def shown(self, data: Any) -> dict[str, Any]:
        """The texts of the inputs for plain data."""
        if self.from_choice(data):
            return {**dict.fromkeys(self.parts, ""), "from": data}
        return {"": "" if data is None else str(data), "from": ""}

    def from_choice(self, data: Any) -> bool:
        """Whether plain data names a choice of the company instead of saying it itself."""
        return self.takes_parameter and isinstance(data, str) and data.startswith("$")

    def typed(self, formdata: Any) -> dict[str, Any]:
        """The texts that were typed into the inputs."""
        names = (*self.parts, "from") if self.takes_parameter else self.parts
        return {part: _clean(formdata.get(self.part(part), "")) for part in names}

    def read(self, raw: Mapping[str, Any]) -> Any:
        """The plain data of what was typed. Raises ValueError with a sentence."""
        return raw[""] or None

    def part(self, name: str) -> str:
        """The name of an input that is a part of the field."""
        return f"{self.name}-{name}" if name else str(self.name)

    @property
    def parameters(self) -> Options:
        """The choices of the company it may take its value from."""
        return self.rule_choices.parameters(self.slot) if self.takes_parameter else []

    @property
    def options(self) -> Options:
        """What it offers."""
        return self.rule_choices.options(self.slot)


def _clean(text: Any) -> str:
    return one_line_end(str(text).replace("\0", "")).strip()


def number_of(text: str) -> int | Decimal:
    """The number a person means: commas, a yen sign and full-width digits are no harm."""
    plain = text.translate(_HALF_WIDTH).replace(",", "").strip("¥￥元% ")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise ValueError(gettext("“%(text)s” is not a number.", text=text)) from None
    if not number.is_finite():
        raise ValueError(gettext("“%(text)s” is not a number.", text=text))
    return int(number) if number == number.to_integral_value() else number


def _as_stored(number: int | Decimal | None) -> int | str | None:
    """A number as a regulation keeps it: one with decimals is a text."""
    return f"{number:f}" if isinstance(number, Decimal) else number


_HALF_WIDTH = str.maketrans("０１２３４５６７８９．，－", "0123456789.,-")


class TextShape(ShapeField):
    """A text of one line, with suggestions where the entries give some."""

    shape = "text"

    def read(self, raw: Mapping[str, Any]) -> Any:
        text = raw[""]
        limit = 4000 if self.slot.shape == "long_text" else 400
        if len(text) > limit:
            raise ValueError(gettext("At most %(limit)s characters.", limit=limit))
        by_label = {label: value for value, label in self.options}
        return by_label.get(text, text) or None

    def shown(self, data: Any) -> dict[str, Any]:
        words = dict(self.options)
        return {"": "" if data is None else words.get(str(data), str(data))}


class LongTextShape(TextShape):
    """A text of several lines."""

    shape = "long_text"


class NumberShape(ShapeField):
    """A whole number: a count, a day."""

    shape, takes_parameter = "number", True

    def read(self, raw: Mapping[str, Any]) -> Any:
        if not raw[""]:
            return None
        number = number_of(raw[""])
        if not isinstance(number, int):
            raise ValueError(gettext("Enter a whole number."))
        if number < 0:
            raise ValueError(gettext("Enter a number that is not negative."))
        return number


class MoneyShape(ShapeField):
    """A sum of yuan, more than nothing, in whole fen."""

    shape, takes_parameter = "money", True

    def read(self, raw: Mapping[str, Any]) -> Any:
        if not raw[""]:
            return None
        amount = number_of(raw[""])
        if amount < 0 or (amount == 0 and self.slot.name == "amount"):
            raise ValueError(gettext("Enter a sum above zero."))
        if amount * 100 % 1:
            raise ValueError(gettext("A sum has at most two decimals."))
        return amount if isinstance(amount, int) else f"{amount:f}"


class PercentShape(ShapeField):
    """A percentage from 0 to 100."""

    shape, takes_parameter = "percent", True

    def read(self, raw: Mapping[str, Any]) -> Any:
        if not raw[""]:
            return None
        share = number_of(raw[""])
        if not 0 <= share <= 100:
            raise ValueError(gettext("Enter a percentage from 0 to 100."))
        return share if isinstance(share, int) else f"{share:f}"


class QuantityShape(ShapeField):
    """A quantity of time: an amount and its unit; the clock time where the unit is one.

    That a term has its whole last day is chosen with the unit.
    """

    shape, parts, takes_parameter = "quantity", ("amount", "unit", "at"), True

    def shown(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            kept = super().shown(data)
            typed = {} if kept.get("from") else {"amount": kept.get("", "")}
            return {"amount": "", "unit": "", "at": "", **kept, **typed}
        shown = {part: str(data.get(part, "")) for part in self.parts}
        ending = ENDS_DAY if data.get("ends_day") else ""
        return {**shown, "unit": shown["unit"] + ending, "at": shown["at"][:8]}

    def read(self, raw: Mapping[str, Any]) -> Any:
        if not raw["amount"]:
            return None
        amount = number_of(raw["amount"])
        if not isinstance(amount, int) or amount <= 0:
            raise ValueError(gettext("Enter a whole number above zero."))
        if not raw["unit"]:
            raise ValueError(gettext("Choose a unit of time."))
        if (raw["unit"] == "clock_time") != bool(raw["at"]):
            raise ValueError(gettext("A clock time goes with the unit “o'clock”, and only there."))
        at = {"at": f"{raw['at']}:00"[:8]} if raw["at"] else {}
        ending = {"ends_day": True} if raw["unit"].endswith(ENDS_DAY) else {}
        return {"amount": amount, "unit": raw["unit"].removesuffix(ENDS_DAY), **at, **ending}


class FlagShape(ShapeField):
    """Yes or no; what the schema takes for granted is not written down."""

    shape, takes_parameter = "flag", True

    def shown(self, data: Any) -> dict[str, Any]:
        if self.from_choice(data):
            return super().shown(data)
        said = self.slot.default if data is None else data
        return {"": "yes" if said is True else "", "from": ""}

    def read(self, raw: Mapping[str, Any]) -> Any:
        said = raw[""] == "yes"
        return None if said is self.slot.default and not self.slot.required else said


class ChoiceShape(ShapeField):
    """One of a list: a word, a deed, an entry of a section, a field."""

    shape, takes_parameter = "choice", True

    def shown(self, data: Any) -> dict[str, Any]:
        default = self.slot.default if not self.slot.required else None
        said = default if data is None else data
        return super().shown(said)

    def read(self, raw: Mapping[str, Any]) -> Any:
        said = raw[""]
        return (
            None if said == (self.slot.default or "") and not self.slot.required else said or None
        )

    @property
    def gone(self) -> str:
        """What is chosen and is not in the list any more; it stays until another is chosen."""
        said = self.raw.get("", "")
        return said if said and said not in dict(self.options) else ""


class ChoicesShape(ShapeField):
    """Some of a list, in the order of the list."""

    shape, takes_parameter = "choices", True

    def shown(self, data: Any) -> dict[str, Any]:
        if self.from_choice(data):
            return {"": [], "from": data}
        listed = data if isinstance(data, list | tuple) else [] if data is None else [data]
        return {"": [str(one) for one in listed], "from": ""}

    def typed(self, formdata: Any) -> dict[str, Any]:
        chosen = [_clean(one) for one in formdata.getlist(self.name) if _clean(one)]
        return {"": chosen, "from": _clean(formdata.get(self.part("from"), ""))}

    def read(self, raw: Mapping[str, Any]) -> Any:
        return list(raw[""]) or None

    @property
    def gone(self) -> list[str]:
        """What is chosen and is not in the list any more."""
        known = dict(self.options)
        return [one for one in self.raw.get("", ()) if one not in known]


class LinesShape(ShapeField):
    """Texts, fields or entries in an order of their own: one a line, by name or key."""

    shape, takes_parameter = "lines", True

    def shown(self, data: Any) -> dict[str, Any]:
        if self.from_choice(data):
            return super().shown(data)
        words = dict(self.options)
        listed = data if isinstance(data, list | tuple) else []
        return {"": "\n".join(words.get(str(one), str(one)) for one in listed), "from": ""}

    def read(self, raw: Mapping[str, Any]) -> Any:
        by_label = {label: value for value, label in self.options}
        lines = [line.strip() for line in _LINES.split(raw[""]) if line.strip()]
        return [by_label.get(line, line) for line in lines] or None


class AnyShape(ShapeField):
    """A choice of the company whose shape no rule says: a number, yes, no, or a text."""

    shape = "any"

    def shown(self, data: Any) -> dict[str, Any]:
        if isinstance(data, list | tuple):
            return {"": "、".join(map(str, data))}
        words = {True: gettext("Yes"), False: gettext("No")}
        return {"": words[data] if isinstance(data, bool) else "" if data is None else str(data)}

    def read(self, raw: Mapping[str, Any]) -> Any:
        words = {gettext("Yes"): True, gettext("No"): False}
        text = raw[""]
        if text in words:
            return words[text]
        try:
            number = number_of(text) if text else None
        except ValueError:
            return text
        return _as_stored(number)


# ---------------------------------------------------------------- rows


@dataclass(frozen=True)
class RowInput:
    """One row of a table of inputs: its number and what stands in it."""

    number: int
    raw: Mapping[str, str]


class RowsShape(ShapeField):
    """A table: a row for each choice of a field, item of a checklist, field of a form."""

    shape = "rows"

    @property
    def columns(self) -> tuple[Slot, ...]:
        """The columns of the table."""
        return self.slot.inner

    def shown(self, data: Any) -> dict[str, Any]:
        listed = data if isinstance(data, list | tuple) else []
        return {"rows": [self._cells(one) for one in listed if isinstance(one, Mapping)]}

    def _cells(self, row: Mapping[str, Any]) -> dict[str, str]:
        return {column.name: _cell(column, row.get(column.name)) for column in self.columns}

    def typed(self, formdata: Any) -> dict[str, Any]:
        rows = []
        for number in row_numbers(formdata, self.name):
            prefix = f"{self.name}-{number}-"
            names = [column.name for column in self.columns]
            row = {name: _clean(formdata.get(prefix + name, "")) for name in names}
            if any(text for name, text in row.items()):
                rows.append(row)
        return {"rows": rows}

    def read(self, raw: Mapping[str, Any]) -> Any:
        return [self._row(row) for row in raw["rows"]] or None

    def _row(self, row: Mapping[str, str]) -> dict[str, Any]:
        read = {column.name: _of_cell(column, row[column.name]) for column in self.columns}
        for column in self.columns:
            if column.required and read[column.name] is None:
                name = self.rule_choices.field(column.name)
                raise ValueError(gettext("A row lacks “%(name)s”.", name=name))
        return {name: value for name, value in read.items() if value is not None}

    @property
    def inputs(self) -> list[RowInput]:
        """The rows that stand and some to fill in."""
        blank = [{column.name: "" for column in self.columns}] * SPARE_ROWS
        return [RowInput(n, row) for n, row in enumerate([*self.raw["rows"], *blank])]

    def column_options(self, column: Slot) -> Options:
        """What a column offers."""
        return self.rule_choices.options(column)


def row_numbers(formdata: Any, name: str) -> list[int]:
    """The numbers of the rows that a form brings for a field, in order, MOST_ROWS at most."""
    found = {
        int(match[1])
        for key in formdata
        if (match := re.fullmatch(re.escape(name) + r"-(\d{1,4})-[a-z_]+", key))
    }
    return sorted(found)[:MOST_ROWS]


def _cell(column: Slot, value: Any) -> str:
    if column.shape == "flag":
        return "yes" if value is True else ""
    if column.shape == "rows":
        listed = value if isinstance(value, list | tuple) else []
        return "\n".join(f"{one.get('key')} = {one.get('label')}" for one in listed)
    return "" if value is None else str(value)


def _of_cell(column: Slot, text: str) -> Any:
    if column.shape == "flag":
        return True if text == "yes" else None
    if column.shape == "rows":
        lines = [line for line in _SEPARATORS.split(text) if line.strip()]
        return [_pair(line) for line in lines] or None
    if column.shape == "number" and text and not text.startswith("$"):
        return _as_stored(number_of(text))
    return text or None


def _pair(line: str) -> dict[str, str]:
    """A choice in a cell: `key = label`; a label alone is its own key."""
    key, sign, label = (part.strip() for part in line.replace("＝", "=").partition("="))
    return {"key": key, "label": label if sign else key}


class ConditionShape(ShapeField):
    """Rows of field, operator and value; all of them must hold."""

    shape = "condition"

    def shown(self, data: Any) -> dict[str, Any]:
        listed = data if isinstance(data, list | tuple) else []
        return {"rows": [self._cells(row) for row in listed if isinstance(row, Mapping)]}

    def _cells(self, row: Mapping[str, Any]) -> dict[str, str]:
        path = str(row.get("field", ""))
        known = [op.value for op in Operator if op.value in row]
        op = known[0] if known else str(row.get("op", ""))
        value = row.get(known[0]) if known else row.get("value")
        listed = value if isinstance(value, list | tuple) else [value]
        words = [self.rule_choices.value_word(path, one) for one in listed if one is not None]
        return {"field": path, "op": op, "value": "、".join(words)}

    def typed(self, formdata: Any) -> dict[str, Any]:
        rows = []
        for number in row_numbers(formdata, self.name):
            prefix = f"{self.name}-{number}-"
            row = {
                name: _clean(formdata.get(prefix + name, "")) for name in ("field", "op", "value")
            }
            if row["field"] or row["value"]:
                rows.append(row)
        return {"rows": rows}

    def read(self, raw: Mapping[str, Any]) -> Any:
        return [self._row(row) for row in raw["rows"]] or None

    def _row(self, row: Mapping[str, str]) -> dict[str, Any]:
        path, op = row["field"], row["op"] or "is"
        if not path:
            raise ValueError(gettext("A row of the condition names no field."))
        name = self.rule_choices.fact(path)
        many = op in ("in", "not_in")
        texts = self._texts(path, row["value"]) if many else [row["value"]]
        values = [self._value(path, op, text) for text in texts if text.strip()]
        if many:
            if not values:
                raise ValueError(gettext("“%(name)s” needs at least one value.", name=name))
            return {"field": path, op: values[0] if self._is_list_choice(values) else values}
        if op == "filled" and not values:
            return {"field": path, op: True}
        if len(values) != 1:
            raise ValueError(
                gettext("“%(name)s” needs one value; for several choose “is one of”.", name=name)
            )
        return {"field": path, op: values[0]}

    def _texts(self, path: str, text: str) -> list[str]:
        """The words between separators; a label that holds a separator itself stays whole."""
        labels = (label for _value, label in self.rule_choices.values_of(path))
        whole = sorted(filter(_SEPARATORS.search, labels), key=len, reverse=True)
        words = "|".join([*map(re.escape, whole), _WORD])
        return re.findall(rf"\s*(?:{words})", text)

    def _is_list_choice(self, values: list[Any]) -> bool:
        """Whether the values are one choice of the company that is a list itself."""
        only = values[0] if len(values) == 1 else None
        chosen = self.rule_choices.values.get(only[1:]) if isinstance(only, str) else None
        return str(only).startswith("$") and isinstance(chosen, list | tuple)

    def _value(self, path: str, op: str, text: str) -> Any:
        """What is meant by a word: a choice of the company, a label of a key, a flag, a number."""
        text = text.strip()
        if text.startswith("$") and text[1:] in dict(self.rule_choices.keys("parameter")):
            return text
        flags = {gettext("Yes"): True, gettext("No"): False, "true": True, "false": False}
        kind = domains.field_domain(self.rule_choices.pack, path).kind
        if op == "filled" or kind == "flag":
            if text not in flags:
                asked = self.rule_choices.fact(path)
                raise ValueError(gettext("“%(name)s” takes yes or no.", name=asked))
            return flags[text]
        if kind == "unknown" and text in flags:
            return flags[text]
        if op in ("at_least", "at_most") or kind == "number":
            return _as_stored(number_of(text))
        by_label = {label: value for value, label in self.rule_choices.values_of(path)}
        return by_label.get(text, text)

    @property
    def inputs(self) -> list[RowInput]:
        """The rows that stand and some to fill in."""
        blank = [{"field": "", "op": "", "value": ""}] * SPARE_ROWS
        return [RowInput(n, row) for n, row in enumerate([*self.raw["rows"], *blank])]


FIELDS_OF: dict[str, type[ShapeField]] = {
    "text": TextShape,
    "long_text": LongTextShape,
    "number": NumberShape,
    "money": MoneyShape,
    "percent": PercentShape,
    "quantity": QuantityShape,
    "flag": FlagShape,
    "choice": ChoiceShape,
    "reference": ChoiceShape,
    "path": ChoiceShape,
    "choices": ChoicesShape,
    "references": ChoicesShape,
    "texts": LinesShape,
    "paths": LinesShape,
    "rows": RowsShape,
    "condition": ConditionShape,
    "any": AnyShape,
}
ORDERED = frozenset({"steps"})
"""Lists whose order says something: one a line."""
LISTED = frozenset({"by", "ends_on"})
"""Lists of texts that are chosen from what is known."""
LONG_TEXTS = frozenset({"note", "scope"})


def field_of(slot: Slot, rule_choices: RuleChoices, label: Any, **options: Any) -> ShapeField:
    """The field that asks for a slot; it is not bound to a form yet."""
    kind = FIELDS_OF[slot.shape]
    if slot.name in ORDERED and slot.shape in ("references", "texts"):
        kind = LinesShape
    elif slot.name in LISTED and slot.shape == "texts":
        kind = ChoicesShape
    elif slot.name in LONG_TEXTS:
        kind = LongTextShape
    elif slot.name == "purpose":
        kind = ChoiceShape
    return kind(label, slot=slot, rule_choices=rule_choices, **options)


class ShapeForm(Form):
    """A form of shape fields."""


def form_of(slots: Mapping[str, Slot], rule_choices: RuleChoices) -> type[ShapeForm]:
    """A form with a field for each slot, by the name of its inputs."""
    fields = {
        name: field_of(slot, rule_choices, rule_choices.field(slot.name))
        for name, slot in slots.items()
    }
    return type("EntryForm", (ShapeForm,), dict(fields))
