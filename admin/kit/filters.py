"""Filters of a list: how a column is narrowed, what the filter bar shows, what a link may say.

A filter has a stable name in the address (`flt_status_is=closed`), whatever the language of the
page, so that links in notices and bookmarks keep working. What a stale link says that is not
known any more is refused by `clean`, never by the database.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import aliased

import wording
from models import Employee, Money, UtcDateTime
from policy.vocabulary.time_bounds import ANY_DAY

Choices = Callable[[], Sequence[tuple[str, str]]]
LONGEST_NUMBER = 9


class Filter(BaseSQLAFilter):
    """One way to narrow one column; `control` says which field of a form asks for it."""

    control: ClassVar[str] = "text"
    verb: ClassVar[str] = "is"
    words: ClassVar[Any] = lazy_gettext("is")
    column: sa.ColumnElement[Any]  # type: ignore[assignment]  # never a name

    def __init__(
        self,
        column: Any,
        label: Any,
        *,
        key: str,
        choices: Choices | None = None,
        path: Sequence[Any] = (),
    ) -> None:
        # Flask-Admin makes a text of the name before there is a language, so it gets the key.
        super().__init__(column, key)
        self.key = key
        self.label = label
        self.choices = choices
        self.path = path

    @property
    def argument(self) -> str:
        """Its name in an address, after `flt_`."""
        return f"{self.key}_{self.verb}"

    def operation(self) -> Any:
        return self.words

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        return query.where(through(self.path, self.condition(value)))

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

    def __init__(self, column: Any, label: Any, *, key: str, path: Sequence[Any] = ()) -> None:
        self.members: type[enum.Enum] = column.type.enum_class
        super().__init__(column, label, key=key, choices=self._members, path=path)

    def _members(self) -> list[tuple[str, str]]:
        return wording.labelled(self.members)

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return self.column.in_([self.members(one) for one in value])


class RowIs(OneOf):
    """A row of a small table, by its id; the choices are read when the page is made."""

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return self.column.in_([int(one) for one in value])


class YesOrNo(OneOf):
    """A flag."""

    def __init__(self, column: Any, label: Any, *, key: str, path: Sequence[Any] = ()) -> None:
        super().__init__(column, label, key=key, choices=self._yes_or_no, path=path)

    @staticmethod
    def _yes_or_no() -> list[tuple[str, str]]:
        return [("1", gettext("Yes")), ("0", gettext("No"))]

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
        day = dt.date.fromisoformat(text.strip())
        if day not in ANY_DAY:
            raise ValueError(text)
        return day


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
        return self.column < _begin(value + dt.timedelta(days=1), self.column.type)


class _Amount(Filter):
    control = "number"

    def clean(self, text: str) -> Decimal | int:
        text = text.strip()
        if len(text) > LONGEST_NUMBER:
            raise ValueError(text)
        try:
            if not isinstance(self.column.type, Money):
                return int(text)
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(text)
            return round(number, 2)
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


class FlaskAdminFilter(Filter):
    """One of Flask-Admin's own filters, with a name for the address and a field of our form."""

    CONTROLS: ClassVar[dict[str | None, str]] = {
        "datepicker": "date",
        "datetimepicker": "datetime-local",
        "timepicker": "time",
    }

    def __init__(self, own: BaseSQLAFilter, view: Any) -> None:
        # The relations that lead to a column said as a dotted name. Flask-Admin joins along them;
        # we ask whether there is such a row.
        path = own._joins or ()  # noqa: SLF001  # private: no public name
        column: Any = own.column
        if not path and getattr(column, "table", view.model.__table__) is not view.model.__table__:
            raise TypeError(
                f"{type(own).__name__} of {column}: say the column as a dotted name, such as "
                "'department.name', so that the relation that leads there is known"
            )
        key = str(own.key_name or column.key).replace(".", "_")
        super().__init__(column, own.name, key=key, path=path)
        self.own, self.view = own, view

    @property
    def argument(self) -> str:
        """Its name in an address: the column and what kind of filter it is."""
        kind = type(self.own).__name__.removeprefix("Filter").removesuffix("Filter")
        return f"{self.key}_{re.sub(r'(?<=.)(?=[A-Z])', '_', kind).lower()}"

    @property
    def control(self) -> str:  # type: ignore[override]  # it depends on the filter that is wrapped
        """Which field of a form asks for it."""
        return "choice" if self.offered() else self.CONTROLS.get(self.own.data_type, "text")

    def offered(self) -> list[tuple[str, str]]:
        """The choices, as (value in the address, words)."""
        return [(str(v), str(words)) for v, words in self.own.get_options(self.view) or ()]

    def operation(self) -> Any:
        return self.own.operation()

    def said(self, text: str) -> str:
        return dict(self.offered()).get(text, text)

    def validate(self, value: str) -> bool:
        """Whether the filter takes the value; an enumeration of Flask-Admin raises KeyError."""
        known = {choice for choice, _words in self.offered()}
        try:
            return (not known or value in known) and bool(self.own.validate(value))
        except KeyError:
            return False

    def clean(self, text: str) -> Any:
        return self.own.clean(text)

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        if not self.path:
            return self.own.apply(query, value)
        asked: Any = sa.select(sa.literal(1))
        return query.where(through(self.path, self.own.apply(asked, value).whereclause))


ActiveFilter = tuple[Filter, str]


@dataclass(frozen=True)
class ListAddress:
    """What the address of a list asks for, as far as it makes sense."""

    page: int = 0
    page_size: int = 0
    sort: str | None = None
    descending: bool = False
    search: str | None = None
    filters: tuple[ActiveFilter, ...] = ()
    more: dict[str, str] = field(default_factory=dict)
    """What a view of its own keeps in its address, such as further columns."""

    def arguments(self, **changed: Any) -> dict[str, Any]:
        """The arguments of an address that asks for the same, but for what is changed."""
        kept = {
            "page": self.page or None,
            "page_size": self.page_size or None,
            "sort": self.sort,
            "desc": 1 if self.descending else None,
            "search": self.search,
            **self.more,
            **self.filter_arguments,
        }
        return {name: value for name, value in (kept | changed).items() if value is not None}

    @property
    def filter_arguments(self) -> dict[str, str]:
        """The filters that are set, by their names in an address."""
        return {f"flt_{flt.argument}": text for flt, text in self.filters}


def through(path: Sequence[Any], condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition on what relations lead to, as one on the row they begin at."""
    for relation in reversed(path):
        reaches = relation.any if relation.property.uselist else relation.has
        condition = reaches(condition)
    return condition


def along(
    statement: sa.Select[Any], model: Any, *, column: Any, path: Sequence[Any]
) -> tuple[sa.Select[Any], Any]:
    """The statement joined along relations, and the column as it is called at their end.

    Only relations to one row: along others a row would be listed as often as it has them.
    """
    last = model
    for relation in path:
        if not hasattr(relation, "property") or relation.property.uselist:
            raise TypeError(f"a list cannot be sorted along {relation}: it leads to many rows")
        target = aliased(relation.property.mapper.class_)
        statement = statement.outerjoin(target, getattr(last, relation.key).of_type(target))
        last = target
    return statement, getattr(last, column.key) if path else column


def contains(column: Any, text: str) -> sa.ColumnElement[bool]:
    """`column` has `text` in it; plain LIKE, because folding case costs and Chinese has none."""
    plain = isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum)
    words = column if plain else sa.cast(column, sa.String)
    found: sa.ColumnElement[bool] = words.like(f"%{_escaped(text)}%", escape="\\")
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _begin(day: dt.date, kind: Any) -> dt.date | dt.datetime:
    if not isinstance(kind, UtcDateTime):
        return day
    day = min(max(day, dt.date(1, 1, 3)), dt.date(9999, 12, 29))  # room for every zone
    return dt.datetime.combine(day, dt.time(), tzinfo=wording.zone())


def filters_of(column: Any, label: Any, *, key: str, path: Sequence[Any] = ()) -> list[Filter]:
    """The filters that suit the type of a column. Raises LookupError for a type without one."""
    kinds = next((kinds for types, kinds in BY_TYPE if isinstance(column.type, types)), ())
    if not kinds:
        raise LookupError(f"no filter for {key}, a {type(column.type).__name__}")
    return [kind(column, label, key=key, path=path) for kind in kinds]


BY_TYPE: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (sa.Enum, (EnumIs,)),
    (sa.Boolean, (YesOrNo,)),
    (UtcDateTime, (FromDay, UntilDay)),
    (sa.Date, (FromDay, UntilDay)),
    (Money, (AtLeast, AtMost)),
    (sa.Integer, (AtLeast, AtMost)),
    (sa.String, (Contains,)),
)
"""The filters of a column by its type; the first type that fits counts."""
