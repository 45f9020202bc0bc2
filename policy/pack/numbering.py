"""Case numbers: a template with a serial, and the period within which the serial counts up."""

from __future__ import annotations

import datetime as dt
import re

from policy.pack.schema import NumberEntry

_TOKEN = re.compile(r"\{(year|month|day|serial):?(\d)?\}")


def serial_period(entry: NumberEntry, on: dt.date) -> str:
    """Return the period in which serials count up: "2026", "2026-10" or "" for ever."""
    return {"never": "", "year": f"{on:%Y}", "month": f"{on:%Y-%m}"}[entry.resets]


def is_wider_than_printed(entry: NumberEntry, serial: int) -> bool:
    """Whether a serial is wider than the template prints it."""
    width = next(int(w) for name, w in _TOKEN.findall(entry.template) if name == "serial")
    return len(str(serial)) > width


def render_number(entry: NumberEntry, on: dt.date, serial: int) -> str:
    """Return the number of the `serial`-th case. A serial past the printed width widens it.

    `{year:2}` prints the last two digits of the year.
    """
    parts = {"year": f"{on:%Y}", "month": f"{on:%m}", "day": f"{on:%d}"}

    def token(match: re.Match[str]) -> str:
        name, width = match.groups()
        if name == "serial":
            return f"{serial:0{width}d}"
        return parts[name][-int(width) :] if width else parts[name]

    return _TOKEN.sub(token, entry.template)


_NO_PART_LIKE_ANOTHER = dt.date(1998, 12, 31)
_WIDER_THAN_PRINTED = 10**9


def prints_same_numbers(one: NumberEntry, other: NumberEntry) -> bool:
    """Whether two series print equal numbers, past the narrower one's width too."""
    on, serial = _NO_PART_LIKE_ANOTHER, _WIDER_THAN_PRINTED
    return render_number(one, on, serial) == render_number(other, on, serial)
