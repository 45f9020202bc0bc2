"""Finds tags and elements in the bytes of an XML part, so that the rest keeps its bytes."""

from __future__ import annotations

import codecs
import re

from sync.workbook.package import parser

TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")


def as_utf8(data: bytes) -> bytes:
    """A part in UTF-8, where it was written in UTF-16; any other comes as it is."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    text = data.decode("utf-16")
    return re.sub(r"^<\?xml[^>]*\?>", '<?xml version="1.0" encoding="UTF-8"?>', text).encode()


def tag_end(data: bytes, start: int) -> int:
    """Where the tag ends that starts at `start`. Raises ValueError where none does."""
    match = TAG.match(data, start)
    if match is None:
        raise ValueError("no tag here")
    return match.end()


def is_closed(data: bytes, end: int) -> bool:
    """Whether the tag that ends at `end` is an element without content."""
    return data[end - 2 : end] == b"/>"


def element_end(data: bytes, start: int, closing: int) -> int:
    """Where an element ends that starts at `start` and whose end was reported at `closing`."""
    opened = tag_end(data, start)
    return opened if is_closed(data, opened) else data.index(b">", closing) + 1


def tags(data: bytes, wanted: str) -> list[tuple[int, dict[str, str]]]:
    """Where the elements of a name begin in a part, and their attributes."""
    found: list[tuple[int, dict[str, str]]] = []
    made = parser()

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == wanted:
            found.append((made.CurrentByteIndex, attributes))

    made.StartElementHandler = begin
    made.Parse(data, True)
    return found
