"""Read a case file: bytes in any usual encoding, TOML, and plain data of a bearable size.

Whatever a person hands over is refused with a place and a reason, never with a traceback: a file
in another encoding or none, TOML that is cut off, a list a thousand deep, a number of a million
digits, a year in which no calendar counts.
"""

from __future__ import annotations

import codecs
import datetime as dt
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from policy.pack.loading import toml_error_place
from policy.vocabulary.errors import CaseFileRefused, DomainError, ValueRefused

LARGEST_FILE = 5_000_000
"""The most bytes of a case file: some twenty thousand steps."""
DEEPEST = 24
"""The deepest nesting of lists and tables; the format itself needs eight."""
LARGEST_NUMBER = Decimal(10) ** 15
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""The years in which an instant of a case can lie: terms and years of keeping still fit behind."""
LONGEST_QUOTE = 60
"""The most characters of a wrong value that a refusal repeats."""
Problem = dict[str, Any]


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, UTF-16 or the older encoding of Chinese Windows.

    Raises CaseFileRefused for a file that cannot be read, is too large or is no text.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise _refused(path.name, "not_readable") from error
    if len(content) > LARGEST_FILE:
        raise _refused(path.name, "too_large")
    return decoded(content, path.name)


def decoded(content: bytes, file: str) -> str:
    """Return bytes as text. Raises CaseFileRefused where they are in no encoding people use."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _refused(file, "no_text")


def _refused(file: str, why: str) -> CaseFileRefused:
    problem = ValueRefused(field="file", value=file, why=why)
    return CaseFileRefused(file=file, problems=[{"why": problem}])


def parse_toml_text(text: str, file: str) -> dict[str, Any]:
    """Return TOML as plain data; line and reason stand in the refusal of what is none.

    Raises CaseFileRefused for a syntax error too, for too deep a nesting, and for numbers and
    instants no case can have.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise CaseFileRefused(file=file, problems=[toml_error_place(str(error))]) from error
    except RecursionError as error:
        raise _refused(file, "too_deep") from error
    except (ValueError, ArithmeticError) as error:
        raise _refused(file, "number_too_long") from error
    if problems := list(_unbearable(data)):
        raise CaseFileRefused(file=file, problems=problems)
    return data


def _unbearable(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield each value that no case can have; without recursion, because depth is one of them."""
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), data)]
    while waiting:
        way, value = waiting.pop()
        if len(way) > DEEPEST:
            yield {**_place(data, way[:8]), "why": ValueRefused(field="", value="", why="too_deep")}
            return
        if isinstance(value, Mapping):
            waiting += [((*way, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*way, number), inner) for number, inner in enumerate(value)]
        elif why := _why_no_value(value):
            place = _place(data, way)
            refused = ValueRefused(field=place["field"], value=quoted(value), why=why)
            yield {**place, "why": refused}


def _place(data: Mapping[str, Any], way: tuple[Any, ...]) -> Problem:
    """Return the case, the step and the field of a place in a file."""
    named = [key for key in way if isinstance(key, str)]
    found: Problem = {"field": quoted(named[-1]) if named else ""}
    for key, number in pairwise(way):
        if key == "step" and isinstance(number, int):
            found["step"] = number + 1
        if key == "case" and isinstance(number, int):
            case = data["case"][number]
            name = case.get("name") if isinstance(case, Mapping) else None
            found["case"] = name if isinstance(name, str) else str(number + 1)
    return found


def _why_no_value(value: Any) -> str:
    """Return why a value is none a case can have; "" where it may stand."""
    if isinstance(value, dt.date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        return "year_out_of_range"
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return ""
    return "" if _is_bearable(value) else "out_of_range"


def _is_bearable(number: int | Decimal) -> bool:
    if isinstance(number, Decimal) and not number.is_finite():
        return False
    return bool(-LARGEST_NUMBER < number < LARGEST_NUMBER)


def quoted(value: Any) -> str:
    """Return a wrong value as a refusal repeats it: on one line, and not the whole file."""
    if isinstance(value, int | Decimal) and not _is_bearable(value):
        return "…" if isinstance(value, int) else str(value)[:LONGEST_QUOTE]
    if isinstance(value, list | tuple):
        return "[…]"
    if isinstance(value, Mapping):
        return "{…}"
    words = " ".join(str(value).split())
    return words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + "…"


# ---------------------------------------------------------------- sorts of values


def why_not(value: Any, sort: str) -> str:
    """Return the code of what is wanted instead of a value; "" where it is of that sort."""
    return "" if _FITS[sort](value) else f"{sort}_wanted"


def _is_list_of(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, kind) for one in value)


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "texts": lambda value: _is_list_of(value, str),
    "list": lambda value: isinstance(value, list | tuple),
    "table": lambda value: isinstance(value, Mapping),
    "tables": lambda value: _is_list_of(value, Mapping),
    "moment": lambda value: isinstance(value, dt.datetime),
    "day": lambda value: isinstance(value, dt.date) and not isinstance(value, dt.datetime),
    "anything": lambda value: True,
}

HEAD_SORTS = {
    "pack": "text",
    "case": "tables",
    "cast": "table",
    "defaults": "table",
    "parameters": "table",
    "opening": "table",
}
CASE_SORTS = {
    "name": "text",
    "proves": "texts",
    "parameters": "table",
    "begins": "text",
    "step": "tables",
    "due": "tables",
    "figures": "tables",
}
PERSON_SORTS = {
    "number": "text",
    "department": "text",
    "posts": "texts",
    "deputy_for": "texts",
    "sheet": "flag",
}
OPENING_SORTS = {"begins": "text", "step": "tables"}
DUE_SORTS = {
    "report": "text",
    "day": "day",
    "period": "text",
    "on": "day",
    "by": "text",
    "to": "texts",
    "per": "text",
    "form": "text",
}
FIGURE_SORTS = {
    "indicator": "text",
    "cases": "tables",
    "scores": "list",
    "visited": "list",
    "value": "text",
    "over": "anything",
    "reached": "flag",
    "form": "text",
    "field": "text",
}
STEP_SORTS = {
    "do": "text",
    "at": "moment",
    "recorded_at": "moment",
    "by": "text",
    "case": "text",
    "deputises": "text",
    "expect": "table",
}


def sort_problems(
    table: Mapping[str, Any], sorts: Mapping[str, str]
) -> Iterator[tuple[str, DomainError]]:
    """Yield (field, why) for each field of a table that is of another sort than it must be."""
    for field, sort in sorts.items():
        if field in table and (why := why_not(table[field], sort)):
            yield field, ValueRefused(field=field, value=quoted(table[field]), why=why)
