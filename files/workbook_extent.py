"""The extent of a workbook in memory, found before anything is laid out.

The reader lays a tab out as one rectangle from its first to its last filled cell. One stray value
in the last corner of an XLSX of six kilobytes asks for half a terabyte, and the allocation that
fails ends the process instead of raising. So the corners are looked up first, by streaming.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.parsers import expat

_BOOK, _BOOK_RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_CHUNK_BYTES = 1 << 16
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})\Z")


def bytes_unpacked(path: Path) -> int:
    """Return how many bytes the parts of a zip file claim to unpack to.

    Raises zipfile.BadZipFile when the file is none.
    """
    with zipfile.ZipFile(path) as package:
        return sum(part.file_size for part in package.infolist())


def cells_spanned(path: Path) -> int:
    """Return the rows times columns of the widest worksheet of an XLSX; 0 without a worksheet.

    Empty cells that only carry a colour or a border do not count: a column painted to the end of
    the tab is common and harmless. Raises expat.ExpatError for a damaged worksheet and
    zipfile.BadZipFile for a damaged file.
    """
    with zipfile.ZipFile(path) as package:
        return max((_area(package, part) for part in package.infolist()), default=0)


def _area(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    corner = _Corner()
    with package.open(part) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            try:
                corner.feed(chunk)
            except expat.ExpatError:
                # Pictures and printer settings live in the same package and are no XML.
                if corner.is_worksheet or part.filename.endswith(".xml"):
                    raise
                return 0
            if not corner.is_worksheet:
                return 0
    return corner.area


def hidden_rows(path: Path, sheet: str) -> int:
    """Return how many filled rows of a sheet of an XLSX are hidden; 0 in files of other kinds."""
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as package:
        part = _part_of(package, sheet)
        if part is None:
            return 0
        hidden = _HiddenRows()
        with package.open(part) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                hidden.feed(chunk)
    return hidden.count


def _part_of(package: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the part that holds a sheet, as the workbook's own relations say."""
    names = set(package.namelist())
    if not {_BOOK, _BOOK_RELATIONS} <= names:
        return None
    relation = next(
        (
            found.get(next((key for key in found if key.endswith(":id")), ""))
            for element, found in _elements(package, _BOOK)
            if element == "sheet" and found.get("name") == sheet
        ),
        None,
    )
    for element, found in _elements(package, _BOOK_RELATIONS):
        if element == "Relationship" and found.get("Id") == relation:
            target = found.get("Target", "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return part if part in names else None
    return None


def _elements(package: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append(
        (name.rpartition(":")[2], attributes)
    )
    parser.Parse(package.read(part), True)
    return found


class _HiddenRows:
    """Counts the hidden rows of a worksheet that hold anything."""

    def __init__(self) -> None:
        self.count = 0
        self._hidden = False
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._element

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            self._hidden = attributes.get("hidden") in ("1", "true")
        elif local in ("v", "is") and self._hidden:
            self.count += 1
            self._hidden = False


class _Corner:
    """Follows the elements of a worksheet and remembers the outermost filled cell."""

    def __init__(self) -> None:
        self.is_worksheet = False
        self._root_seen = False
        self._row = self._column = 0
        self._last_row = self._last_column = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._element

    @property
    def area(self) -> int:
        return self._last_row * self._last_column

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if not self._root_seen:
            self._root_seen, self.is_worksheet = True, local == "worksheet"
        elif local == "c":
            self._cell(attributes.get("r", ""))
        elif local in ("v", "is"):
            self._last_row = max(self._last_row, self._row)
            self._last_column = max(self._last_column, self._column)
        elif local == "row":
            stated = attributes.get("r", "")
            self._row = int(stated) if stated.isdecimal() else self._row + 1
            self._column = 0

    def _cell(self, reference: str) -> None:
        found = _REFERENCE.match(reference)
        if found is None:
            self._column += 1
            return
        self._row, self._column = int(found[2]), 0
        for letter in found[1].upper():
            self._column = self._column * 26 + ord(letter) - 64
