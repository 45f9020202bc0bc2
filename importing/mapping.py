"""The map of an old register: the meaning of its columns, and of the words in them.

A map is a TOML file, so that an administrator can write and keep it. It is checked completely,
against the columns of the file and against the regulation, before a row is read.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from policy.pack.schema import Pack
from policy.vocabulary.status import Status
from wording import _

_SAMPLE = dt.datetime(2021, 12, 31, 13, 45, 58, tzinfo=dt.UTC)


class MapRefused(Exception):
    """A map that cannot be used: `file` names it, `problems` are pairs of a key and a reason."""

    def __init__(self, file: str, problems: list[tuple[str, str]]) -> None:
        super().__init__(file, problems)
        self.file = file
        self.problems = problems

    def __str__(self) -> str:
        lines = [f"- {key}: {why}" if key else f"- {why}" for key, why in self.problems]
        return "\n".join([_("The map %(file)s cannot be used:", file=self.file), *lines])


SERIAL = "serial"
"""The format of a day as spreadsheets count it: 45356 is 2024-03-05."""


def _format(text: str) -> str:
    """Accept a date format that can be read back to year, month and day; else raise ValueError.

    A literal Z at its end is a zone, and so is %z.
    """
    if text == SERIAL:
        return text
    if text.endswith("Z") and not text.endswith("%Z"):
        text = f"{text[:-1].rstrip()}%z"
    try:
        read = dt.datetime.strptime(_SAMPLE.strftime(text), text)
    except ValueError:
        raise ValueError(
            _("“%(text)s” is no date format; write it like %%Y-%%m-%%d", text=text)
        ) from None
    if read.date() != _SAMPLE.date():
        raise ValueError(
            _("“%(text)s” does not say year, month and day; write it like %%Y-%%m-%%d", text=text)
        )
    return text


def _zone(name: str) -> str:
    """Accept the name of a time zone, such as America/New_York."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            _("“%(name)s” is no time zone; write it like Asia/Shanghai", name=name)
        ) from None
    return name


def _local(time: dt.time) -> dt.time:
    if time.tzinfo is not None:
        raise ValueError(_("is a time of the company's zone and names none"))
    return time


Words = Annotated[str, StringConstraints(min_length=1)]
Formats = Annotated[tuple[Annotated[str, AfterValidator(_format)], ...], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Part):
    """A column that is taken as it is."""

    column: Words


class Phone(_Part):
    """The column of telephone numbers, and what becomes of a cell that holds none.

    `if_wrong` is `refuse` (the row), or `body`: the cell becomes a line of the content.
    """

    column: Words
    if_wrong: Literal["refuse", "body"] = "refuse"


class Labelled(_Part):
    """A column that becomes one line of the body, after its label."""

    column: Words
    label: Words | None = None


class Identity(_Part):
    """The column of a row's own id, and the replacement of an empty one.

    `if_empty` is `refuse`, `row` (a checksum of the whole row) or the columns to make one from.
    """

    column: Words | None = None
    if_empty: Literal["refuse", "row"] | Annotated[tuple[Words, ...], Field(min_length=1)] = (
        "refuse"
    )

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Identity:
        if self.column is None and self.if_empty == "refuse":
            raise ValueError(_("needs a `column`, or `if_empty`"))
        return self


class Moment(_Part):
    """A day or an instant in the company's zone; `at` is the time of a day that has none."""

    column: Words
    formats: Formats = ("%Y-%m-%d",)
    at: Annotated[dt.time, AfterValidator(_local)] = dt.time(0)


class Chosen(_Part):
    """A value of ours: always the same `value`, or one read from a column through a table.

    Without a table the cell must already hold our value. `other` is for words, and for an empty
    cell, that the table lacks; without it such a row is refused.
    """

    value: Words | None = None
    column: Words | None = None
    part: Literal["whole", "first_letter"] = "whole"
    table: Mapping[str, Words] = Field(default_factory=dict)
    other: Words | None = None

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Chosen:
        if (self.value is None) == (self.column is None):
            raise ValueError(_("needs either a `value` or a `column`"))
        if self.value is not None and (self.table or self.other):
            raise ValueError(_("has a `value`, so `table` and `other` would never be used"))
        return self

    def results(self) -> Iterator[tuple[str, str]]:
        """Yield every value of ours it can give, with the key that says so."""
        if self.value is not None:
            yield "value", self.value
        yield from ((f"table.{word}", ours) for word, ours in self.table.items())
        if self.other is not None:
            yield "other", self.other


class Extra(_Part):
    """A field of the regulation: its column, and for choices and dates how to read it.

    `other` is for words the table lacks. `if_wrong` is `refuse` (the row), or `body`: a cell that
    cannot be read becomes a line of the content and the field stays empty.
    """

    column: Words
    table: Mapping[str, Any] = Field(default_factory=dict)
    other: Any = None
    formats: Formats = ("%Y-%m-%d",)
    if_wrong: Literal["refuse", "body"] = "refuse"


class Map(_Part):
    """The map by which a row of an old register becomes a case; maps/ has one with all its reasons.

    `source` names the register: with a row's id it identifies a case that is in already. Rows
    received before `go_live` are history; later ones are refused. `zone` is that of its times where
    it is not the company's. `if_long` says what becomes of a text that is too long for its field:
    the row is refused, or it is `cut` and the whole of it becomes part of the content.
    """

    source: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    go_live: dt.date
    sheet: Words | None = None
    header_row: int | None = Field(default=None, ge=1)
    header_rows: int = Field(default=1, ge=1, le=3)
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    if_long: Literal["refuse", "cut"] = "refuse"
    id: Identity
    received: Moment
    subject: Text
    kind: Chosen
    status: Chosen
    channel: Chosen | None = None
    category: Chosen | None = None
    body: tuple[Labelled, ...] = ()
    demand: Text | None = None
    customer: Text | None = None
    phone: Phone | None = None
    closed: Moment | None = None
    extra: Mapping[str, Extra] = Field(default_factory=dict)


def load(path: Path) -> Map:
    """Return the map in a file. Raises MapRefused with every problem of its form."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MapRefused(path.name, [("", str(error.strerror))]) from error
    except UnicodeDecodeError as error:
        raise MapRefused(path.name, [("", _("is not a text in UTF-8"))]) from error
    except tomllib.TOMLDecodeError as error:
        raise MapRefused(path.name, [("", _("is not TOML: %(error)s", error=error))]) from error
    try:
        return Map.model_validate(data)
    except ValidationError as error:
        raise MapRefused(path.name, [_problem(one) for one in error.errors()]) from error


def _problem(error: Any) -> tuple[str, str]:
    place = [str(step) for step in error["loc"] if not str(step).startswith(("literal", "tuple"))]
    plain = {"missing": _("is missing"), "extra_forbidden": _("is not a key of a map")}
    return ".".join(place), plain.get(error["type"], error["msg"].removeprefix("Value error, "))


# ---------------------------------------------------------------- against file and regulation


def columns(mapping: Map) -> Iterator[tuple[str, str]]:
    """Yield every column the map names, with the key that names it."""
    for key in ("id", "received", "subject", "kind", "status", "channel", "category", "demand"):
        yield from _column(key, getattr(mapping, key))
    for key in ("customer", "phone", "closed"):
        yield from _column(key, getattr(mapping, key))
    for place, line in enumerate(mapping.body):
        yield f"body.{place}.column", line.column
    for field, extra in mapping.extra.items():
        yield f"extra.{field}.column", extra.column
    if isinstance(mapping.id.if_empty, tuple):
        yield from (("id.if_empty", name) for name in mapping.id.if_empty)


def _column(key: str, part: Any) -> Iterator[tuple[str, str]]:
    if part is not None and part.column is not None:
        yield f"{key}.column", part.column


def check(mapping: Map, header: tuple[str, ...], pack: Pack, *, file: str) -> None:
    """Refuse a map that asks for what the file or the regulation does not have (MapRefused)."""
    problems = [
        *_missing_columns(mapping, header),
        *_unknown_values(mapping, pack),
        *_unknown_fields(mapping, pack),
    ]
    if problems:
        raise MapRefused(file, problems)


def _missing_columns(mapping: Map, header: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    missing = [(key, name) for key, name in columns(mapping) if name not in header]
    for key, name in missing:
        yield (
            key,
            _(
                "the file has no column “%(name)s”; it has: %(known)s",
                name=name,
                known=", ".join(header),
            ),
        )
    if missing and mapping.header_row is None:
        yield (
            "header_row",
            _(
                "The first row that is not empty was read as the names of the columns. If a title "
                "stands above them, say their row: header_row = 2"
            ),
        )


def _unknown_values(mapping: Map, pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield the values of a table that neither the regulation nor the record knows."""
    known = {
        "kind": {entry.key for entry in pack.kind},
        "channel": {entry.key for entry in pack.channel},
        "category": {entry.key for entry in pack.category},
        "status": {status.value for status in Status},
    }
    for name, words in known.items():
        chosen: Chosen | None = getattr(mapping, name)
        for key, word in chosen.results() if chosen else ():
            if word not in words:
                yield f"{name}.{key}", _none_of(word, name, words)


def _none_of(word: str, name: str, words: set[str]) -> str:
    return _(
        "“%(word)s” is no %(name)s here; there are: %(known)s",
        word=word,
        name=name,
        known=", ".join(sorted(words)),
    )


def _unknown_fields(mapping: Map, pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield fields the regulation does not have, and results of tables that a field cannot hold."""
    known = {entry.key: entry for entry in pack.field}
    for name, extra in mapping.extra.items():
        if name not in known:
            yield f"extra.{name}", _none_of(name, "field", set(known))
            continue
        choices = {choice.key for choice in known[name].choices}
        results = dict(extra.table) | ({} if extra.other is None else {"other": extra.other})
        for word, ours in results.items():
            if choices and ours not in choices:
                yield f"extra.{name}.table.{word}", _none_of(str(ours), "choice", choices)
