"""Filters of a list: how a column is narrowed, what the filter bar shows, what a link may say.

A filter has a stable name in the address (`flt_status_is=closed`), whatever the language of the
page, so that links in notices and bookmarks keep working. What a stale link says that is not
known any more is refused by `clean`, never by the database.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from flask_babel import lazy_gettext

import wording
from models import Employee, Money, UtcDateTime

Choices = Callable[[], Sequence[tuple[str, str]]]
LONGEST_NUMBER = 9


class Filter(BaseSQLAFilter):
    """One way to narrow one column; `control` says which field of a form asks for it."""

    control: ClassVar[str] = "text"
    verb: ClassVar[str] = "is"
    words: ClassVar[Any] = lazy_gettext("is")
    column: sa.ColumnElement[Any]  # type: ignore[assignment]  # never a name

    def __init__(self, column: Any, name: Any, *, key: str, choices: Choices | None = None) -> None:
        super().__init__(column, name)
        self.key = key
        self.choices = choices

    @property
    def argument(self) -> str:
        """Its name in an address, after `flt_`."""
        return f"{self.key}_{self.verb}"

    def operation(self) -> Any:
        return self.words

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        return query.where(self.condition(value))

    def condition(self, value: Any) -> sa.ColumnElement[bool]:
        """The SQL condition for a cleaned value."""
        found: sa.ColumnElement[bool] = self.column == value
        return found

    def said(self, text: str) -> str:
        """The value in words, for the chip of an applied filter."""
        return text


class Contains(Filter):
    """A text has these characters somewhere; % and _ mean themselves."""

    verb = "contains"
    words = lazy_gettext("contains")

    def clean(self, text: str) -> str:
        return text.replace("\0", "").strip()

    def condition(self, value: str) -> sa.ColumnElement[bool]:
        return contains(self.column, value)


class OneOf(Filter):
    """A choice; several are separated by commas."""

    control = "choice"

    def clean(self, text: str) -> list[str]:
        known = {value for value, _ in self.offered()}
        values = [one for one in text.split(",") if one]
        if not values or not known.issuperset(values):
            raise ValueError(text)
        return values

    def offered(self) -> Sequence[tuple[str, str]]:
        """The choices, as (value in the address, words)."""
        return self.choices() if self.choices else ()

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return self.column.in_(value)

    def said(self, text: str) -> str:
        words = dict(self.offered())
        return "、".join(words.get(one, one) for one in text.split(","))


class EnumIs(OneOf):
    """A member of an enumeration, by its name."""

    def __init__(self, column: Any, name: Any, *, key: str) -> None:
        self.members: type[enum.Enum] = column.type.enum_class
        super().__init__(column, name, key=key, choices=lambda: wording.labelled(self.members))

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return self.column.in_([self.members(one) for one in value])


class RowIs(OneOf):
    """A row of a small table, by its id; the choices are read when the page is made."""

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return self.column.in_([int(one) for one in value])


class YesOrNo(OneOf):
    """A flag."""

    def __init__(self, column: Any, name: Any, *, key: str) -> None:
        yes_no = (("1", lazy_gettext("Yes")), ("0", lazy_gettext("No")))
        super().__init__(column, name, key=key, choices=lambda: [(v, str(w)) for v, w in yes_no])

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return self.column.in_([one == "1" for one in value])


class EmployeeIs(Filter):
    """An employee, by number or the beginning of the name."""

    words = lazy_gettext("name or number")

    def clean(self, text: str) -> str:
        return text.replace("\0", "").strip()

    def condition(self, value: str) -> sa.ColumnElement[bool]:
        return self.column.in_(self.known(value, Employee.id))

    def known(self, value: str, told: Any) -> sa.Select[Any]:
        """A column of the employees somebody means."""
        named = sa.or_(Employee.number == value, Employee.name.startswith(value, autoescape=True))
        return sa.select(told).where(named)


class _Day(Filter):
    control = "date"

    def clean(self, text: str) -> dt.date:
        return dt.date.fromisoformat(text.strip())


class FromDay(_Day):
    """On this day or later; for an instant the day begins at local midnight."""

    verb = "from"
    words = lazy_gettext("from")

    def condition(self, value: dt.date) -> sa.ColumnElement[bool]:
        return self.column >= _begin(value, self.column.type)


class UntilDay(_Day):
    """On this day or earlier, the whole day included."""

    verb = "until"
    words = lazy_gettext("until")

    def condition(self, value: dt.date) -> sa.ColumnElement[bool]:
        if value >= dt.date.max - dt.timedelta(days=2):
            return sa.true()
        return self.column < _begin(value + dt.timedelta(days=1), self.column.type)


class _Amount(Filter):
    control = "number"

    def clean(self, text: str) -> Decimal | int:
        text = text.strip()
        if len(text) > LONGEST_NUMBER:
            raise ValueError(text)
        try:
            return round(Decimal(text), 2) if isinstance(self.column.type, Money) else int(text)
        except InvalidOperation as error:
            raise ValueError(text) from error


class AtLeast(_Amount):
    """This much or more."""

    verb = "at_least"
    words = lazy_gettext("at least")

    def condition(self, value: Decimal | int) -> sa.ColumnElement[bool]:
        return self.column >= value


class AtMost(_Amount):
    """This much or less."""

    verb = "at_most"
    words = lazy_gettext("at most")

    def condition(self, value: Decimal | int) -> sa.ColumnElement[bool]:
        return self.column <= value


def contains(column: Any, text: str) -> sa.ColumnElement[bool]:
    """`column` has `text` in it; plain LIKE, because folding case costs and Chinese has none."""
    found: sa.ColumnElement[bool] = column.like(f"%{_escaped(text)}%", escape="\\")
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _begin(day: dt.date, kind: Any) -> dt.date | dt.datetime:
    if not isinstance(kind, UtcDateTime):
        return day
    day = min(max(day, dt.date(1, 1, 3)), dt.date(9999, 12, 29))  # room for every zone
    return dt.datetime.combine(day, dt.time(), tzinfo=wording.zone())


def filters_of(column: Any, name: Any, *, key: str) -> list[Filter]:
    """The filters that suit the type of a column. Raises LookupError for a type without one."""
    kind = column.type
    if isinstance(kind, sa.Enum):
        return [EnumIs(column, name, key=key)]
    if isinstance(kind, sa.Boolean):
        return [YesOrNo(column, name, key=key)]
    if isinstance(kind, UtcDateTime | sa.Date):
        return [FromDay(column, name, key=key), UntilDay(column, name, key=key)]
    if isinstance(kind, Money | sa.Integer):
        return [AtLeast(column, name, key=key), AtMost(column, name, key=key)]
    if isinstance(kind, sa.String):
        return [Contains(column, name, key=key)]
    raise LookupError(f"no filter for {key}, a {type(kind).__name__}")
