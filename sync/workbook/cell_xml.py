"""The content of a cell into which a value is written, and its XML."""

from __future__ import annotations

import datetime as dt
import re
from xml.sax.saxutils import escape

from sync.port import Computed, Link, Read, Written
from sync.workbook.cells import serial_of

CellContent = str | float | bool | dt.datetime | Link | None
"""The content of a cell: a text of the length programs allow, a time they can count."""

LONGEST, CUT = 32_767, 32_700  # characters a cell may hold, as Excel counts them; where we cut
LONGEST_IN_FORMULA = 255
FIRST_SURE_DAY = 61  # serial of 1 March 1900; programs disagree about the days before
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def content_of(value: Written, *, dated: bool, from_1904: bool) -> CellContent:
    """The content of a cell into which `value` is written; `dated` when its style shows dates.

    A time in a cell that shows numbers would be a number to people, so it becomes a text there.
    A text of blanks is nothing, and one longer than programs allow is cut.
    """
    if isinstance(value, Link):
        return value if _fits(value.text) and _fits(value.address) else _text(value.text)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dt.date):
        return _moment(value, dated=dated, from_1904=from_1904)
    if value is None or isinstance(value, bool):
        return value
    if value != value or value in (float("inf"), float("-inf")):
        raise RuntimeError(f"no cell can hold {value}")  # a mistake of the writer, not of the file
    return value


def _fits(text: str) -> bool:
    return bool(text.strip()) and _length(text) <= LONGEST_IN_FORMULA


def _length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _text(text: str) -> str | None:
    if not text.strip():
        return None
    if len(text) <= LONGEST // 2 or _length(text) <= LONGEST:
        return text
    kept = text[:CUT]
    while _length(kept) > CUT:
        kept = kept[: -max(1, (_length(kept) - CUT) // 2)]
    return f"{kept}…"


def _moment(value: dt.date, *, dated: bool, from_1904: bool) -> dt.datetime | str:
    whole = isinstance(value, dt.datetime)
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    if dated and serial_of(moment, from_1904=from_1904) >= (0 if from_1904 else FIRST_SURE_DAY):
        return _to_millisecond(moment)
    if not whole:
        return moment.date().isoformat()
    return moment.isoformat(sep=" ", timespec="seconds" if moment.second else "minutes")


def _to_millisecond(moment: dt.datetime) -> dt.datetime:
    rest = moment.microsecond % 1000
    return moment + dt.timedelta(microseconds=1000 - rest if rest >= 500 else -rest)


def read_back(content: CellContent) -> Read | None:
    """The value that is read from a cell with this content."""
    if isinstance(content, Link):
        return Computed(content.text)
    return float(content) if type(content) is int else content


def escaped(text: str) -> str:
    """A text as workbooks write it: what XML forbids and what looks like an escape are escaped."""
    text = LIKE_ESCAPE.sub("_x005F_", text)
    return escape(FORBIDDEN.sub(lambda match: f"_x{ord(match[0]):04X}_", text))


def element_of(content: CellContent, prefix: str, *, from_1904: bool) -> tuple[str, str]:
    """The type of a cell with this content, and the XML inside it."""
    if isinstance(content, str):
        text = f'<{prefix}t xml:space="preserve">{escaped(content)}</{prefix}t>'
        return "inlineStr", f"<{prefix}is>{text}</{prefix}is>"
    if isinstance(content, Link):
        formula = f"HYPERLINK({_literal(content.address)},{_literal(content.text)})"
        return "str", child(prefix, "f", formula) + child(prefix, "v", content.text)
    if isinstance(content, bool):
        return "b", child(prefix, "v", str(int(content)))
    if isinstance(content, dt.datetime):
        return "", child(prefix, "v", repr(serial_of(content, from_1904=from_1904)))
    return "", "" if content is None else child(prefix, "v", repr(content))


def _literal(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"'


def child(prefix: str, name: str, text: str) -> str:
    """An element of a cell: its formula `f` or its value `v`."""
    return f"<{prefix}{name}>{escaped(text)}</{prefix}{name}>"
