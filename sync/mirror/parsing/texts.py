"""Texts and telephone numbers in cells, and the values that all parsers start from.

Each parser takes a cell as it was read and returns the one canonical value that was meant, or
None for an empty cell, or raises Unreadable. No parser guesses: where two readings are possible,
the person is asked. A formula counts as its result.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from functools import lru_cache
from typing import Any

from sync.port import Broken, Computed, Read

LONGEST_TEXT = 20_000
LONGEST_WORDS = 80  # of a time, number or name; longer texts are stories
MOST_DIGITS = 15  # a spreadsheet keeps no more digits of a number
MIDNIGHT = dt.time(0)

CellValue = str | float | bool | dt.datetime

BLANKS = (
    " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
    "\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
"""Characters that are invisible at the end of a text: blanks of any width, and of none."""
LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
NOT_DAYS = {dt.date(1899, 12, 30), dt.date(1899, 12, 31), dt.date(1904, 1, 1)}
"""The days that a spreadsheet invents for a cell with a clock time alone."""


class Unreadable(Exception):
    """A cell that cannot be understood: its `code`, and the `facts` for the sentence about it.

    Codes: broken (text), not_computed, too_long (limit, length), digits_lost (said),
    no_time (said), no_day (said), time_missing (said), ambiguous (said), year_unlikely (said,
    year), weekday_contradicts (said), no_number (said), no_flag (said), no_choice (said, choices),
    name_unknown (said), name_shared (name, numbers), name_contradicts (said, name, number).
    """

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


def text(read: Read | None, *, limit: int = LONGEST_TEXT) -> str | None:
    """The canonical text of a cell; None where it shows nothing.

    Composed characters (NFC), lines ended by \\n, no blanks at the ends of lines or of the whole,
    no control characters. A number, flag or time gives the text that the person saw; times are
    local. Raises Unreadable: broken, not_computed, too_long (no text is ever cut), digits_lost.
    """
    value = value_of(read)
    if value is None:
        return None
    said = canonical(value) if isinstance(value, str) else as_shown(value)
    if len(said) > limit:
        raise Unreadable("too_long", limit=limit, length=len(said))
    return said or None


def phone(read: Read | None) -> str | None:
    """The telephone number as it was typed, with full-width characters made plain.

    Raises Unreadable digits_lost where the spreadsheet made a power of ten or a fraction of it,
    because the number that was typed is lost then.
    """
    value = value_of(read)
    said = text(read)
    if said is None:
        return None
    plain = canonical(unicodedata.normalize("NFKC", said))
    damaged = isinstance(value, float) and not (value >= 0 and value.is_integer())
    if damaged or re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", plain):
        raise Unreadable("digits_lost", said=shortened(plain))
    return plain


def value_of(read: Read | None) -> CellValue | None:
    """The value of a cell, typed or the result of a formula. Raises broken, not_computed."""
    if isinstance(read, Computed):
        if read.value is None:
            raise Unreadable("not_computed")
        read = read.value
    if isinstance(read, Broken):
        raise Unreadable("broken", text=shortened(read.text))
    if isinstance(read, int) and not isinstance(read, bool):
        return float(read) if abs(read) < 10**MOST_DIGITS else str(read)
    return read


def canonical(said: str) -> str:
    """A text as `text` returns it."""
    plain = CONTROLS.sub("", LINE_ENDS.sub("\n", said)).replace("\t", " ")
    lines = (line.rstrip(BLANKS) for line in unicodedata.normalize("NFC", plain).split("\n"))
    return "\n".join(lines).strip(BLANKS + "\n")


def as_shown(value: float | bool | dt.datetime) -> str:  # noqa: FBT001  # a cell may hold one
    """The text that a spreadsheet shows for a value that is no text. Raises digits_lost."""
    if isinstance(value, dt.datetime):
        return time_as_shown(to_the_second(value))
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    said = f"{value:.{MOST_DIGITS}g}"
    if not abs(value) < 10**MOST_DIGITS or "e+" in said:
        raise Unreadable("digits_lost", said=said)
    return "0" if value == 0 else said


def time_as_shown(at: dt.datetime) -> str:
    """A day, a clock time or both, as a spreadsheet shows them."""
    precision = "seconds" if at.second else "minutes"
    if at.date() in NOT_DAYS:
        return at.time().isoformat(precision)
    if at.time() == MIDNIGHT:
        return at.date().isoformat()
    return at.isoformat(" ", precision)


def to_the_second(at: dt.datetime) -> dt.datetime:
    """A time without the fractions that come from keeping it as a fraction of a day."""
    whole = at.replace(microsecond=0)
    try:
        return whole + dt.timedelta(seconds=1) if at.microsecond >= 500_000 else whole
    except OverflowError:
        return whole


def shortened(said: object) -> str:
    """A text cut to the length of a name, for the facts of an error."""
    words = str(said)
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"


def one_line(value: CellValue, code: str) -> str:
    """A short text on one line, with full-width characters made plain and blanks made single.

    Raises Unreadable with `code` for a text that is too long for a time, number or name.
    """
    said = canonical(value) if isinstance(value, str) else as_shown(value)
    if len(said) > LONGEST_WORDS:
        raise Unreadable(code, said=shortened(said))
    return " ".join(canonical(unicodedata.normalize("NFKC", said)).casefold().split())


@lru_cache(maxsize=8192)  # a look compares the same names and labels in every row
def folded(said: str) -> str:
    """A text for comparing spellings: without blanks, widths and capitals."""
    return "".join(canonical(unicodedata.normalize("NFKC", said)).casefold().split())
