"""The text a cell shows as the value that is written into it."""

from __future__ import annotations

import datetime as dt

from services.workbooks import layout
from sync.port import Link, Written


def written(name: str, text: str | None, *, link: str = "") -> Written:
    """A text as the value its column holds: a time where times stand, a link for a case."""
    if text is None:
        return None
    shape = layout.field(name).shape
    if shape == "datetime":
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M")
    if shape == "money":
        return float(text)
    return Link(text, link) if shape == "link" and link else text
