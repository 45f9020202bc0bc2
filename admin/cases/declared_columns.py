"""Fields that regulations declare as columns and filters of the list of cases, without code.

Which there are depends on the regulations in force at the moment, so they are asked for anew by
every request; what a list always has is made once.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import g, has_request_context, request
from flask_babel import lazy_gettext
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from admin.kit.display import today
from admin.kit.filters import (
    LONGEST_NUMBER,
    AtLeast,
    AtMost,
    Contains,
    EmployeeIs,
    Filter,
    FromDay,
    OneOf,
    UntilDay,
    YesOrNo,
    contains,
)
from admin.kit.lists import RedressView
from models import Complaint, Employee, FormEntry, UtcDateTime
from services.company import people
from services.regulation import declared, policies
from services.regulation.declared import Declared
from wording import form_text

COLUMNS = "columns"
Row = tuple[str, Any]


# ---------------------------------------------------------------- filters


class _OnDay:
    """A day kept as text compares as text, because it is written year first."""

    column: Any
    verb: ClassVar[str] = ""

    def condition(self, value: dt.date) -> sa.ColumnElement[bool]:
        kept: sa.ColumnElement[Any] = self.column
        return (kept >= value.isoformat()) if self.verb == "from" else (kept <= value.isoformat())


class DeclaredFrom(_OnDay, FromDay):
    """On this day or later."""

    verb = "from"


class DeclaredUntil(_OnDay, UntilDay):
    """On this day or earlier."""

    verb = "until"


class DeclaredFlag(YesOrNo):
    """A flag: what was never said counts as no."""

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        wanted = [
            self.column.is_(True)
            if one == "1"
            else sa.or_(self.column.is_(None), self.column.is_(False))
            for one in value
        ]
        return sa.or_(*wanted)


class _Decimal:
    """A sum or a share is kept as text, and compares as the number it says."""

    def clean(self, text: str) -> Any:
        if len(text.strip()) > LONGEST_NUMBER:
            raise ValueError(text)
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(text)
        return number


class DeclaredAtLeast(_Decimal, AtLeast):
    """This much or more."""


class DeclaredAtMost(_Decimal, AtMost):
    """This much or less."""


class DeclaredAmong(OneOf):
    """One of several things that may be said: it is among those a case says."""

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return sa.or_(*(contains(self.column, f'"{one}"') for one in value))


class DeclaredEmployee(EmployeeIs):
    """An employee is kept by number."""

    def condition(self, value: str) -> sa.ColumnElement[bool]:
        return self.column.in_(self.known(value, Employee.number))


class InstantOf(FunctionElement[dt.datetime]):
    """An instant that is kept as ISO text, in whatever zone, as the database keeps instants."""

    inherit_cache = True
    type = UtcDateTime()


@compiles(InstantOf)
def _of_postgresql(element: InstantOf, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"(CAST({text} AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE 'UTC')"


@compiles(InstantOf, "sqlite")
def _of_sqlite(element: InstantOf, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%d %H:%M:%f', {text}) || '000')"


class _LastFilling:
    """What is said in the last filling of a form of a case."""

    form: str

    def condition(self, value: Any) -> sa.ColumnElement[bool]:
        of_case = FormEntry.complaint_id.is_not(None)
        mine = sa.and_(FormEntry.section == "form", FormEntry.form == self.form, of_case)
        last = sa.select(sa.func.max(FormEntry.id)).where(mine).group_by(FormEntry.complaint_id)
        said: sa.ColumnElement[bool] = super().condition(value)  # type: ignore[misc]  # the other base has it
        # Another form may hold something else under the same key: only this one is looked into.
        says = sa.case((mine, said), else_=sa.false())
        found = sa.select(FormEntry.complaint_id).where(FormEntry.id.in_(last), says)
        return Complaint.id.in_(found)


def filters_of(one: Declared) -> list[Filter]:
    """The filters of a field of a case, or of a form as it was last filled, by its shape."""
    column, kinds = _compared(one)
    name = one.name
    if one.form is None:
        name = name.replace(".", "_")
    else:
        kinds = [type(kind.__name__, (_LastFilling, kind), {"form": one.form}) for kind in kinds]
    more: dict[str, Any] = {}
    if one.field.choices:
        found = [(choice.key, choice.label) for choice in one.field.choices]
        more["choices"] = lambda: found
    return [kind(column, one.label, key=name, **more) for kind in kinds]


def _compared(one: Declared) -> tuple[Any, Sequence[type[Filter]]]:
    """What is compared of a field that is kept as JSON, and by which filters."""
    kept = Complaint.extra if one.form is None else FormEntry.data
    said = kept[one.field.key]
    match one.field.shape:
        case "choice":
            return said.as_string(), (OneOf,)
        case "choices":
            return said.as_string(), (DeclaredAmong,)
        case "flag":
            return said.as_boolean(), (DeclaredFlag,)
        case "employee":
            return said.as_string(), (DeclaredEmployee,)
        case "date":
            return said.as_string(), (DeclaredFrom, DeclaredUntil)
        case "time":
            return InstantOf(said.as_string()), (FromDay, UntilDay)
        case "number":
            return said.as_integer(), (AtLeast, AtMost)
        case "money" | "percent":
            return said.as_float(), (DeclaredAtLeast, DeclaredAtMost)
    return said.as_string(), (Contains,)


class Keyed(OneOf):
    """A key of a section of the regulations in force: a kind, a finding, a source."""

    def __init__(
        self, column: Any, words: Any, section: str, *, session: Callable[[], Any]
    ) -> None:
        scale = column.key if section == "severity" else None
        super().__init__(
            column, words, key=column.key, choices=lambda: labels(session(), section, scale=scale)
        )


def labels(session: Any, section: str, *, scale: str | None = None) -> list[Row]:
    """The entries of a section of the regulations in force, as (key, label), each key once.

    `scale` is the one of the severities that are meant.
    """
    found: dict[str, list[str]] = {}
    for version in policies.all_in_force(session, on=today()):
        for entry in getattr(policies.pack(session, version), section):
            if scale is None or entry.scale == scale:
                words = found.setdefault(entry.key, [])
                words += [entry.label] if entry.label not in words else []
    return [(key, " / ".join(words)) for key, words in found.items()]


# ---------------------------------------------------------------- the list

LABELLED = {
    "kind": "kind",
    "channel": "channel",
    "category": "category",
    "finding": "finding",
    "level": "severity",
    "grade": "severity",
}
"""Columns that hold the key of an entry, and its section."""

OPTIONAL = ("kind", "channel", "category", "finding", "valid", "level", "round")
"""What every case has and only some want to see."""


class DeclaredColumns(RedressView):
    """A list of cases with the columns and filters of the regulations in force."""

    def declared(self) -> dict[str, Declared]:
        """The fields of the regulations in force, by name; asked once a request."""
        if "declared" not in g:
            g.declared = declared.in_force(self.session, on=today())
        found: dict[str, Declared] = g.declared
        return found

    def chosen(self) -> list[str]:
        """The further columns the address asks for, as far as there are such."""
        if not has_request_context():
            return []
        wanted = ",".join(request.args.getlist(COLUMNS)).split(",")
        known = {*OPTIONAL, *self.declared()}
        return [name for name in dict.fromkeys(wanted) if name in known]

    def choosable(self) -> list[tuple[str, Any, bool]]:
        """The further columns there are: name, words, and whether it is shown."""
        chosen = set(self.chosen())
        known = [*OPTIONAL, *self.declared()]
        return [(name, self.column_words(name), name in chosen) for name in known]

    def column_words(self, name: str) -> Any:
        """The header of a column."""
        one = self.declared().get(name)
        return one.label if one else self.column_labels.get(name, name)

    def get_list_columns(self) -> list[Any]:
        """The usual columns and those the address asks for."""
        more = [(name, self.column_words(name)) for name in self.chosen()]
        return [*super().get_list_columns(), *more]

    def get_export_columns(self) -> list[Any]:
        """The usual columns and all that a case may say; of the many of forms those shown."""
        usual: list[Any] = super().get_export_columns()
        if not has_request_context():
            return usual
        own = [name for name, one in self.declared().items() if one.form is None]
        more = dict.fromkeys([*OPTIONAL, *own, *self.chosen()])
        return [*usual, *((name, self.column_words(name)) for name in more)]

    def filters_now(self) -> list[Filter]:
        """The usual filters and those of the fields that regulations declare."""
        return [*super().filters_now(), *self._declared_filters()]

    def _declared_filters(self) -> Iterable[Filter]:
        if "declared_filters" not in g:
            asked = self._filterable()
            g.declared_filters = [flt for one in asked for flt in filters_of(one)]
        found: list[Filter] = g.declared_filters
        return found

    def _filterable(self) -> Iterator[Declared]:
        """The fields of cases; of the many fields of forms those shown, and those a link names."""
        chosen = self.chosen()
        for name, one in self.declared().items():
            named = any(argument.startswith(f"flt_{name}_") for argument in request.args)
            if one.form is None or name in chosen or named:
                yield one

    def kept_in_address(self) -> dict[str, str]:
        """The further columns stay in the links of the list."""
        chosen = self.chosen()
        return {COLUMNS: ",".join(chosen)} if chosen else {}

    # ------------------------------------------------------------ cells

    def rows_in_order(self, ids: Sequence[int]) -> list[Any]:
        """The rows of these ids, with what their forms say in the columns that are shown."""
        rows = super().rows_in_order(ids)
        names = [name for name, _words in self.get_list_columns()]
        g.filled = declared.last_filled(self.session, ids, names)
        g.staff = people.employees_by_number(self.session, self._named(rows))
        return rows

    def _named(self, rows: Sequence[Complaint]) -> Iterator[str]:
        for one in self.declared().values():
            if one.field.shape == "employee":
                said = (one.of(row, g.filled.get(row.id, {})) for row in rows)
                yield from (who for who in said if isinstance(who, str))

    def value(self, row: Complaint, name: str) -> Any:
        """A value of a case; only what a regulation says of it is asked of its regulation."""
        if name in LABELLED:
            pack = policies.pack(self.session, row.policy_version)
            return pack.label(LABELLED[name], getattr(row, name)) or None
        if name not in self.declared():
            return super().value(row, name)
        # What the case's own regulation calls a choice counts, not what another one does.
        one = declared.declared_fields(policies.pack(self.session, row.policy_version)).get(name)
        return one and self._said(one, one.of(row, g.filled.get(row.id, {})))

    def _said(self, one: Declared, said: Any) -> Any:
        match one.field.shape:
            case "number":
                return said
            case "money" if said is not None:
                return Decimal(str(said))
        return form_text.field_value_text(one.field, said, g.staff) or None


VALID = lazy_gettext("Valid complaint")


def keyed_filters(session: Callable[[], Any]) -> list[Filter]:
    """The filters by what the regulations in force call kinds, sources, matters and findings."""
    words = {
        "kind": lazy_gettext("Kind"),
        "channel": lazy_gettext("Source"),
        "category": lazy_gettext("Category"),
        "finding": lazy_gettext("Finding"),
        "level": lazy_gettext("Level"),
        "grade": lazy_gettext("Grade"),
    }
    found: list[Filter] = [
        Keyed(getattr(Complaint, name), words[name], section, session=session)
        for name, section in LABELLED.items()
    ]
    return [*found, YesOrNo(Complaint.valid, VALID, key="valid")]
