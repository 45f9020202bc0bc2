"""A regulation as a TOML file that a person can read, change and load again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import tomlkit
from tomlkit.items import AoT, Array, Float, InlineTable, Item, Table, Trivia

from policy.pack.schema import SECTIONS

LONGEST_LINE = 90


def toml_of(data: Mapping[str, Any]) -> str:
    """Return plain data of a regulation as TOML: the head first, then the sections in the schema's
    order, an entry a table and nothing nested deeper than one line.
    """
    document = tomlkit.document()
    sections = dict.fromkeys(("policy", *SECTIONS, *data))
    for section in sections:
        value = data.get(section)
        if isinstance(value, Mapping):
            document.append(section, _table(value))
        elif value:
            document.append(section, _tables(value))
    return tomlkit.dumps(document)


def _tables(entries: Iterable[Mapping[str, Any]]) -> AoT:
    tables = tomlkit.aot()
    for entry in entries:
        tables.append(_table(entry))
    return tables


def _table(entry: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    for key, value in entry.items():
        if value is not None:  # TOML has no null; a key left out means the same
            table.append(key, _value(value))
    return table


def _value(value: Any) -> Item:
    if isinstance(value, Mapping):
        return _inline(value)
    if isinstance(value, list | tuple):
        return _array(value)
    if isinstance(value, Decimal):
        return Float(float(value), Trivia(), f"{value:f}")
    if isinstance(value, dt.date | dt.time):
        return tomlkit.item(value.isoformat())
    item: Item = tomlkit.item(value)
    return item


def _inline(value: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    for key, inner in value.items():
        if inner is not None:
            table.append(key, _value(inner))
    return table


def _array(values: Iterable[Any]) -> Array:
    array = tomlkit.array()
    for value in values:
        array.append(_value(value))
    if len(array.as_string()) > LONGEST_LINE:
        array.multiline(True)
    return array
