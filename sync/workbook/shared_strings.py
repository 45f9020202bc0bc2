"""Takes texts out of a workbook's table of strings once no cell shows them any more.

Spreadsheet programs keep the texts of all cells in one table, and a cell only points into it. The
text of a cell that we empty would stay in the table for whoever opens the file with other tools.
A text that any cell still shows stays, and so does one of which we are not sure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sync.workbook.package import Package, WorkbookParts

Parts = Mapping[str, bytes | None]

_POINTING = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\bt\s*=\s*["']s["']""")
_POINTERS = re.compile(
    rb"""<(?:\w+:)?c\s[^>]*?\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*(\d+)\s*</"""
)
_TEXT = re.compile(
    rb"<((?:\w+:)?)si(?:\s[^>]*)?(?:/>|>.*?</(?:\w+:)?si\s*>)",
    re.DOTALL,
)


def without_lost(package: Package, workbook: WorkbookParts, new: Parts) -> dict[str, bytes]:
    """The table of strings without the texts to which `new` worksheets no longer point.

    Empty where no text is to be taken out. The other texts keep their places.
    """
    table = workbook.related_part("sharedStrings")
    if table is None or table not in package:
        return {}
    patched = [name for name in new if new[name] is not None]
    before = _pointed(package.read(name) for name in patched)
    if not before:
        return {}
    tabs = {package.name(tab.part) for tab in workbook.tabs if tab.part in package}
    after = _pointed(new.get(name) or package.read(name) for name in sorted(tabs))
    if after is None or not (lost := before - after):
        return {}
    data = package.read(table)
    texts = list(_TEXT.finditer(data))
    if len(texts) != len(workbook.texts):
        return {}
    return {package.name(table): _emptied(data, texts, lost)}


def _pointed(parts: Iterable[bytes]) -> set[int] | None:
    """The places in the table to which the cells of worksheets point; None where one is unclear."""
    found: set[int] = set()
    for data in parts:
        pointers = _POINTERS.findall(data)
        if b"\0" in data or len(pointers) != len(_POINTING.findall(data)):
            return None
        found.update(map(int, pointers))
    return found


def _emptied(data: bytes, texts: list[re.Match[bytes]], lost: set[int]) -> bytes:
    pieces: list[bytes] = []
    end = 0
    for place, text in enumerate(texts):
        if place in lost:
            prefix = text[1]
            pieces += [data[end : text.start()], b"<%bsi><%bt/></%bsi>" % (prefix, prefix, prefix)]
            end = text.end()
    return b"".join([*pieces, data[end:]])
