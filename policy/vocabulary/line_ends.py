"""The one end of a line: browsers send CR LF, spreadsheets LF, old files CR."""

from __future__ import annotations

import re

_ENDS = re.compile("\r\n?")


def one_line_end(text: str) -> str:
    """Return a text whose lines all end with LF."""
    return _ENDS.sub("\n", text) if "\r" in text else text
