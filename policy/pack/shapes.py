"""The ten shapes that fields of a regulation have, and the fields every entry has.

Text, number, money, percent, flag, choice, choices, reference to a key, quantity of time and
condition. Nothing nests deeper, so forms, tables and sentences are generated from them.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from policy.vocabulary.events import EVENTS
from policy.vocabulary.marks import RefTo
from policy.vocabulary.worktime import MOST_OF, Due, Unit, WorkCalendar

SchemaError = PydanticCustomError
"""Raised by a validator with a code, for which pages have a sentence, and a reason."""


class Shape(BaseModel):
    """A part of a pack: frozen, and refusing fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ---------------------------------------------------------------- the ten shapes


def checked_event(name: str) -> str:
    """Return the name of an event of the vocabulary. Raises ValueError for another."""
    if name not in EVENTS:
        raise SchemaError("event_unknown", "no such event: {event}", {"event": name})
    return name


def checked_fen(amount: Decimal) -> Decimal:
    """Return an amount of whole fen. Raises ValueError for a finer one."""
    if amount * 100 != int(amount * 100):
        raise SchemaError("no_whole_fen", "money is counted in whole fen")
    return amount


Text = Annotated[str, Field(min_length=1, max_length=400)]
Number = Annotated[int, Field(ge=0, le=100_000)]
Money = Annotated[Decimal, Field(gt=0, le=1_000_000), AfterValidator(checked_fen)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
Flag = bool
EventName = Annotated[str, AfterValidator(checked_event)]
Events = tuple[EventName, ...]
FieldPath = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$", max_length=120)]
"""A field that a condition asks for: of the case, a form (`form.visit.day`), the event."""
Clause = Annotated[str, RefTo("clause")]


class Quantity(Shape):
    """An amount of time: 3 working days, 24 hours, 10 years; `at` is what clocks show (17:00).

    A term of days keeps the time of day it began at; one that `ends_day` has the whole last day.
    """

    amount: Annotated[int, Field(gt=0, le=100_000)]
    unit: Unit
    at: dt.time | None = None
    ends_day: Flag = False

    @model_validator(mode="after")
    def _can_be_counted(self) -> Quantity:
        most = MOST_OF.get(self.unit, self.amount)
        if self.amount > most:
            why = "a term of the unit {unit} is at most {limit}"
            raise SchemaError("term_too_long", why, {"unit": self.unit.value, "limit": most})
        return self

    @model_validator(mode="after")
    def _shows_a_time(self) -> Quantity:
        if (self.at is None) == (self.unit is Unit.clock_time):
            raise SchemaError(
                "clock_time_alone", "`at` belongs to the unit clock_time, and to no other"
            )
        if self.ends_day and self.unit not in OF_DAYS:
            raise SchemaError(
                "ends_day_of_days", "`ends_day` belongs to a term of days, weeks, months or years"
            )
        return self

    def end(self, since: dt.datetime, calendar: WorkCalendar) -> Due:
        """Return the UTC instant a term that begins at an aware instant ends, and why."""
        due = calendar.add(since, self.amount, self.unit, at=self.at)
        return calendar.to_end_of_day(due) if self.ends_day else due


OF_DAYS = frozenset({Unit.working_day, Unit.calendar_day, Unit.week, Unit.month, Unit.year})
"""The units whose terms keep their time of day, or have their whole last day."""


class Operator(enum.Enum):
    """A comparison of a field with its value."""

    equals = "is"
    differs = "is_not"
    among = "in"
    not_among = "not_in"
    filled = "filled"
    at_least = "at_least"
    at_most = "at_most"
    below = "below"


Scalar = str | bool | int | Decimal


class ConditionRow(Shape):
    """One row of a condition: field, operator, value. In TOML `{ field = "grade", in = [..] }`."""

    field: FieldPath
    op: Operator
    value: Scalar | tuple[Scalar, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_toml(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "op" in data:
            return data
        said = [key for key in data if key != "field"]
        if len(said) != 1 or said[0] not in [op.value for op in Operator]:
            why = "a condition has a field and one operator, not {said}"
            raise SchemaError("condition_not_one", why, {"said": said})
        return {"field": data.get("field"), "op": said[0], "value": data[said[0]]}

    @model_validator(mode="after")
    def _fits(self) -> ConditionRow:
        many = self.op in (Operator.among, Operator.not_among)
        if many and not isinstance(self.value, tuple):
            raise SchemaError("takes_list", "{op} takes a list", {"op": self.op.value})
        if not many and isinstance(self.value, tuple):
            raise SchemaError("takes_one", "{op} takes one value", {"op": self.op.value})
        if self.op is Operator.filled and not isinstance(self.value, bool):
            raise SchemaError("filled_takes_flag", "filled takes true or false")
        return self

    def holds(self, found: Any) -> bool:
        """Whether the value found for the field satisfies this row."""
        if isinstance(found, enum.Enum):
            found = found.value
        # What nearly every condition says comes first: an event asks hundreds of them.
        if self.op is Operator.equals:
            return bool(found == self.value)
        match self.op:
            case Operator.filled:
                return (found not in (None, "", (), [], {})) == self.value
            case Operator.differs:
                return bool(found != self.value)
            case Operator.among | Operator.not_among:
                assert isinstance(self.value, tuple)
                return (found in self.value) == (self.op is Operator.among)
            case Operator.at_least:
                return found is not None and Decimal(str(found)) >= Decimal(str(self.value))
            case Operator.at_most:
                return found is not None and Decimal(str(found)) <= Decimal(str(self.value))
            case Operator.below:
                return found is not None and Decimal(str(found)) < Decimal(str(self.value))


Condition = tuple[ConditionRow, ...]
Involvement = Literal["handler", "director", "concerned", "bearer", "appellant", "proposer"]
"""Ways in which a person is involved in a case: they handled or led it, a finding is about them, a
penalty of it is theirs to bear, they appealed, or they found or confirmed the penalty."""


# ---------------------------------------------------------------- entries


class Entry(Shape):
    """The fields of every entry of every section."""

    section: ClassVar[str]

    key: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=64)]
    label: Text
    cite: Clause
    note: Text | None = None


class Choice(Shape):
    """One value of a field with choices."""

    key: str
    label: Text


FieldShape = Literal[
    "text",
    "long_text",
    "number",
    "money",
    "percent",
    "date",
    "time",
    "flag",
    "choice",
    "choices",
    "phone",
    "employee",
    "cases",
]
"""The shapes of a field: `time` is an instant, `cases` are numbers of cases."""


class ValueBounds(Shape):
    """Bounds of what may be entered in a field: of days and instants, and the least of a number.

    `latest` is the day of the entry, or when the case was received; `earliest` is when the case was
    received (a day: that day), or the day of the entry. `within` is how far from its entry the day
    or instant may lie.
    """

    latest: Literal["today", "received"] | None = None
    earliest: Literal["received", "event"] | None = None
    within: Quantity | None = None
    at_least: Number | None = None


OF_INSTANTS = frozenset({"date", "time"})
OF_NUMBERS = frozenset({"number", "money", "percent"})


def check_bounds(shape: str, bounds: ValueBounds) -> None:
    """Refuse bounds that values of a shape cannot have. Raises SchemaError."""
    if (bounds.latest or bounds.earliest or bounds.within) and shape not in OF_INSTANTS:
        why = "`latest`, `earliest` and `within` bound days and instants"
        raise SchemaError("bounds_of_days", why)
    if bounds.at_least is not None and shape not in OF_NUMBERS:
        raise SchemaError("bounds_of_numbers", "`at_least` bounds a number")


def check_choices(shape: str, choices: tuple[Choice, ...]) -> None:
    """Refuse a field of choices that has none. Raises SchemaError."""
    if shape in ("choice", "choices") and not choices:
        raise SchemaError("choices_missing", "a field of choices needs some")


def check_unique_keys(parts: Iterable[Any]) -> None:
    """Refuse two parts of an entry with one key. Raises SchemaError."""
    keys = [part.key for part in parts]
    if twice := [key for n, key in enumerate(keys) if key in keys[:n]]:
        raise SchemaError("part_twice", "the key {part} stands twice", {"part": twice[0]})
