"""Keeps the parts that name cells of a worksheet true to it: the calculation chain and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from sync.workbook.cell_xml import LIKE_ESCAPE, CellContent
from sync.workbook.cells import BaredCells, area
from sync.workbook.xml_bytes import as_utf8, is_closed, tag_end, tags

TAG_NAME = re.compile(rb"<[^\s/>]+")


def without_formulas(data: bytes, tab: str, bared: BaredCells) -> bytes | None:
    """A calculation chain without cells that lost their formula; None when no cell is left.

    Excel repairs a workbook whose chain names a cell without a formula. An entry that names no
    tab means that of the entry before it.
    """
    data = as_utf8(data)
    entries = tags(data, "c")
    pieces: list[bytes] = []
    at, meant, written = 0, "", ""
    for start, attributes in entries:
        meant = attributes.get("i", meant)
        if meant == tab and attributes.get("r", "") in bared:
            pieces.append(data[at:start])
            at = tag_end(data, start)
            if not is_closed(data, at):
                at = data.index(b">", at) + 1
            continue
        if meant != written and "i" not in attributes:
            named = start + len(TAG_NAME.findall(data, start, start + 64)[0])
            pieces += [data[at:named], f" i={quoteattr(meant)}".encode()]
            at = named
        written = meant
    pieces.append(data[at:])
    new = b"".join(pieces)
    return new if tags(new, "c") else None


def with_headers(data: bytes, headers: Mapping[tuple[int, int], CellContent]) -> bytes:
    """The part of a table with its columns named as their header cells.

    Excel repairs a workbook in which the two differ.
    """
    data = as_utf8(data)
    own = tags(data, "table")[0][1]
    top, left, _, right = area(own["ref"])
    if own.get("headerRowCount", "1") == "0":
        return data
    columns = tags(data, "tableColumn")
    for place in range(right - left, -1, -1):  # backwards, so that earlier places stay
        said_there = headers.get((top, left + place))
        if isinstance(said_there, str) and place < len(columns):
            start = columns[place][0]
            end = tag_end(data, start)
            data = data[:start] + _named(data[start:end], said_there) + data[end:]
    return data


def _named(tag: bytes, name: str) -> bytes:
    quoted = b" name=" + quoteattr(escaped_name(name)).encode()
    return re.sub(rb"""\sname\s*=\s*("[^"]*"|'[^']*')""", lambda _: quoted, tag, count=1)


def escaped_name(text: str) -> str:
    """A header as tables write it: line breaks are escaped in an attribute."""
    return LIKE_ESCAPE.sub("_x005F_", text).replace("\n", "_x000a_").replace("\r", "_x000d_")
