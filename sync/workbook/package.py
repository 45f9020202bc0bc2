"""The zip package of a workbook and its XML parts, read with care.

A file on a shared folder may be cut off, may be no workbook at all, or may have been made to
exhaust memory. Every problem is raised as one of the errors of the port.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, cast
from xml.parsers import expat

from sync.port import WorkbookChanged, WorkbookUnavailable

LARGEST = 512 * 1024 * 1024  # bytes of all parts together, unpacked
MOST_PARTS = 20_000
LONGEST_READING = 30.0
"""The most seconds in which all parts of a file have to be read."""
LONGEST_TEXT = 100_000
"""The characters of a cell that are read; three times what any program can keep in one."""
MOST_TEXT = 64 * 1024 * 1024
"""The characters of all shared texts together."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an .xls, or an encrypted workbook
ZIP = b"PK\x03\x04"
SPREADSHEET_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 59)]) - {
    46,
    48,
    49,
}  # number formats every program brings: 46 is a duration, 48 scientific, 49 text
QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hmsHMS]+\])[^\]]*\]|General|AM/PM|A/P')
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class ForeignXml(Exception):
    """XML that no spreadsheet program writes: it has a document type, and so maybe entities."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn every error of reading a package into one of the port."""
    try:
        yield
    except ForeignXml:
        raise WorkbookChanged("no_workbook") from None
    except NotImplementedError as error:  # a compression that no workbook uses
        raise WorkbookChanged("no_workbook") from error
    except (
        expat.ExpatError,
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        LookupError,
        OverflowError,
        ValueError,
    ) as error:
        raise WorkbookUnavailable("half_written") from error


# ---------------------------------------------------------------- XML


def parser(namespaces: str | None = None) -> expat.XMLParserType:
    """A streaming parser that knows no entities but XML's own five."""
    made = expat.ParserCreate(namespace_separator=namespaces)
    made.buffer_text = True
    made.StartDoctypeDeclHandler = _refuse
    return made


def _refuse(*_: Any) -> None:
    raise ForeignXml


def feed(made: expat.XMLParserType, stream: IO[bytes]) -> None:
    """Parse a stream to its end, a piece at a time."""
    while piece := stream.read(1 << 16):
        made.Parse(piece, False)
    made.Parse(b"", True)


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a small part, without namespaces, and the text directly in it."""

    parent: str
    name: str
    attributes: Mapping[str, str]
    text: str


def elements(stream: IO[bytes]) -> list[Element]:
    """Every element of a small part, in the order in which they end."""
    found: list[Element] = []
    open_: list[tuple[str, Mapping[str, str], list[str]]] = [("", {}, [])]

    def start(name: str, attributes: dict[str, str]) -> None:
        local = {key.rpartition("}")[2]: value for key, value in attributes.items()}
        open_.append((name.rpartition("}")[2], local, []))

    def end(_: str) -> None:
        name, attributes, text = open_.pop()
        found.append(Element(open_[-1][0], name, attributes, "".join(text)))

    made = parser("}")
    made.StartElementHandler = start
    made.EndElementHandler = end
    made.CharacterDataHandler = lambda text: open_[-1][2].append(text)
    feed(made, stream)
    return found


def unescaped(text: str) -> str:
    """A text with the characters that workbooks write as `_xHHHH_`."""
    if "_x" not in text:
        return text
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def normal(text: str) -> str:
    """A title or header as it is compared: composed, without blanks at its ends."""
    return unicodedata.normalize("NFC", text).strip()


# ---------------------------------------------------------------- the package


class TimedStream(io.BufferedIOBase):
    """A stream of a part that ends the reading of a file which takes too long.

    Raises WorkbookChanged `too_big` at the first piece that is asked for after `until`.
    """

    def __init__(self, stream: IO[bytes], until: float) -> None:
        self.stream, self.until = stream, until

    def read(self, size: int | None = -1, /) -> bytes:
        if time.monotonic() > self.until:
            raise WorkbookChanged("too_big")
        return self.stream.read(-1 if size is None else size)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.stream.close()
        super().close()


class Package:
    """The parts of a workbook's file, by name; upper and lower case are the same to a name."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.until = time.monotonic() + LONGEST_READING
        _look(content)
        with translated():
            self.zip = zipfile.ZipFile(io.BytesIO(content))
            self.entries = self.zip.infolist()
            self._by_name = {entry.filename.casefold(): entry for entry in self.entries}
        total = sum(entry.file_size for entry in self.entries)
        locked = any(entry.flag_bits & 0x1 for entry in self.entries)
        if locked or total > LARGEST or len(self.entries) > MOST_PARTS:
            raise WorkbookChanged("no_workbook", bytes=total)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._by_name

    def name(self, part: str) -> str:
        """The name of a part as the file spells it."""
        return self._by_name[part.casefold()].filename

    def open(self, name: str) -> IO[bytes]:
        """A stream of a part. A part that is not there makes the file no workbook."""
        entry = self._by_name.get(name.casefold())
        if entry is None:
            raise WorkbookChanged("no_workbook", part=name)
        return cast(IO[bytes], TimedStream(self.zip.open(entry), self.until))

    def read(self, name: str) -> bytes:
        """A part as a whole."""
        with self.open(name) as stream:
            return stream.read()

    def elements(self, name: str) -> list[Element]:
        """The elements of a small part; none where there is no such part."""
        if name not in self:
            return []
        with self.open(name) as stream:
            return elements(stream)

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """The relations of a part: by id, the last word of its type and the part it leads to."""
        folder, _, name = part.rpartition("/")
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        return {
            item.attributes["Id"]: (
                item.attributes["Type"].rpartition("/")[2],
                _target(folder, item.attributes["Target"]),
            )
            for item in self.elements(rels)
            if item.name == "Relationship" and item.attributes.get("TargetMode") != "External"
        }

    def without_part(self, owner: str, part: str) -> dict[str, bytes]:
        """The lists of a package that name a part, without its name."""
        folder, _, name = owner.rpartition("/")
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        lists = {"[Content_Types].xml": "PartName", rels: "Target"}
        new: dict[str, bytes] = {}
        for listing, attribute in lists.items():
            ending = re.escape(part.rpartition("/")[2].encode())
            entry = rb"""<[^<>]*\s%s\s*=\s*["'][^"'<>]*%s["'][^<>]*/>"""
            data = self.read(listing)
            new[self.name(listing)] = re.sub(entry % (attribute.encode(), ending), b"", data)
        return new

    def raw(self, entry: zipfile.ZipInfo) -> bytes:
        """The bytes of a part as they stand in the file, packed."""
        at = entry.header_offset
        if self.content[at : at + 4] != ZIP:
            raise zipfile.BadZipFile(f"no entry at {at}")
        name, extra = struct.unpack_from("<HH", self.content, at + 26)
        start = at + 30 + name + extra
        return self.content[start : start + entry.compress_size]


def _look(content: bytes) -> None:
    """Refuse a file that is half written, and one that is no workbook."""
    head = content[: len(OLE)]
    if not head.strip(b"\0") or (len(head) < len(ZIP) and ZIP.startswith(head)):
        raise WorkbookUnavailable("half_written")
    if not head.startswith(ZIP):
        raise WorkbookChanged("no_workbook")


def _target(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")


# ---------------------------------------------------------------- the workbook


@dataclass(frozen=True, slots=True)
class PackageTab:
    """A tab of the workbook: its title, its number in the calculation chain, its part."""

    title: str
    number: str
    part: str


@dataclass(frozen=True, slots=True)
class DefinedName:
    """A defined name and the reference it stands for."""

    name: str
    refers: str


class WorkbookParts:
    """The parts that a workbook shares: tabs, names, texts, formats and the way days count."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.part = _workbook_part(package)
        found = package.elements(self.part)
        if not found or found[-1].name != "workbook":
            raise WorkbookChanged("no_workbook")
        self.related = package.related(self.part)
        self.tabs = [_package_tab(item, self.related) for item in found if item.name == "sheet"]
        self.names = [
            DefinedName(item.attributes.get("name", ""), item.text)
            for item in found
            if item.name == "definedName"
        ]
        self.from_1904 = any(
            item.attributes.get("date1904") in {"1", "true"}
            for item in found
            if item.name == "workbookPr"
        )

    def related_part(self, kind: str) -> str | None:
        """The part of a kind that the workbook leads to, such as `styles`."""
        return next((part for of, part in self.related.values() if of == kind), None)

    @cached_property
    def dates(self) -> list[bool]:
        """Of every cell style, whether it shows a number as a date or a time of day."""
        part = self.related_part("styles")
        found = self.package.elements(part) if part else []
        own = {
            item.attributes["numFmtId"]: is_date_format(item.attributes.get("formatCode", ""))
            for item in found
            if item.name == "numFmt" and item.parent == "numFmts"
        }
        used = (
            item.attributes.get("numFmtId", "0")
            for item in found
            if item.name == "xf" and item.parent == "cellXfs"
        )
        return [own.get(number, int(number) in SPREADSHEET_DATES) for number in used]

    @cached_property
    def texts(self) -> list[str | None]:
        """The shared texts; None for one that is nothing but blanks."""
        part = self.related_part("sharedStrings")
        if part is None or part not in self.package:
            return []
        with self.package.open(part) as stream:
            return _shared(stream)


def _workbook_part(package: Package) -> str:
    parts = [part for kind, part in package.related("").values() if kind == "officeDocument"]
    if not parts or not parts[0].endswith(".xml"):
        raise WorkbookChanged("no_workbook")
    return parts[0]


def _package_tab(item: Element, related: Mapping[str, tuple[str, str]]) -> PackageTab:
    _, part = related[item.attributes["id"]]
    return PackageTab(item.attributes["name"], item.attributes["sheetId"], part)


def is_date_format(code: str) -> bool:
    """Whether a number format shows a date or a time of day; a duration ([h]:mm) is a number."""
    bare = QUOTED.sub("", code)
    return "[" not in bare and any(letter in "ymdhsYMDHS" for letter in bare)


def _shared(stream: IO[bytes]) -> list[str | None]:
    texts: list[str | None] = []
    runs: list[str] = []
    reading = phonetic = False
    length = total = 0

    def start(name: str, _: object) -> None:
        nonlocal reading, phonetic, length
        local = name.rpartition(":")[2]
        if local == "si":
            runs.clear()
            length = 0
        elif local == "rPh":
            phonetic = True
        elif local == "t":
            reading = not phonetic

    def end(name: str) -> None:
        nonlocal reading, phonetic, total
        reading = False
        local = name.rpartition(":")[2]
        if local == "rPh":
            phonetic = False
        elif local == "si":
            text = unescaped("".join(runs))[:LONGEST_TEXT]
            texts.append(text if text.strip() else None)
            total += len(text)
            if total > MOST_TEXT:
                raise WorkbookChanged("too_big")

    def characters(text: str) -> None:
        nonlocal length
        if reading and length <= LONGEST_TEXT:
            runs.append(text)
            length += len(text)

    _parse(stream, start, end, characters=characters)
    return texts


def _parse(
    stream: IO[bytes],
    start: Callable[[str, Any], None],
    end: Callable[[str], None],
    *,
    characters: Callable[[str], None],
) -> None:
    made = parser()
    made.StartElementHandler = start
    made.EndElementHandler = end
    made.CharacterDataHandler = characters
    feed(made, stream)


# ---------------------------------------------------------------- packing again


def repacked(package: Package, new: Mapping[str, bytes | None]) -> bytes:
    """The file of a package with some parts replaced, or left out where None.

    The others keep their packed bytes; all keep their order, names, times and ways of packing.
    """
    pieces: list[bytes] = []
    directory: list[bytes] = []
    at = 0
    for entry in package.entries:
        if entry.filename in new:
            content = new[entry.filename]
            if content is None:
                continue
            packed, checksum, size = _pack(entry, content)
        else:
            packed, checksum, size = package.raw(entry), entry.CRC, entry.file_size
        local, central = _headers(entry, checksum, len(packed), size=size, at=at)
        pieces += [local, packed]
        directory.append(central)
        at += len(local) + len(packed)
    listed = b"".join(directory)
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, len(directory), len(directory), len(listed), at, 0
    )
    return b"".join([*pieces, listed, end])


def _pack(entry: zipfile.ZipInfo, content: bytes) -> tuple[bytes, int, int]:
    packed = content
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(content) + packer.flush()
    elif entry.compress_type != zipfile.ZIP_STORED:
        # No office program compresses so, and a part must be written as it was read.
        raise WorkbookChanged("no_workbook")
    return packed, zlib.crc32(content), len(content)


def _headers(
    entry: zipfile.ZipInfo, checksum: int, packed: int, *, size: int, at: int
) -> tuple[bytes, bytes]:
    """The header before a part, and its entry in the directory.

    The header has the sizes, so the flag that puts them behind the part is cleared. Extra fields,
    which only repeat sizes and pad, are left out.
    """
    flags = entry.flag_bits & ~0x08
    name = entry.orig_filename.encode("utf-8" if flags & 0x800 else "cp437")
    year, month, day, hour, minute, second = entry.date_time
    date = (year - 1980) << 9 | month << 5 | day
    clock = hour << 11 | minute << 5 | second // 2
    numbers = (flags, entry.compress_type, clock, date, checksum, packed, size, len(name))
    local = struct.pack("<4s5H3L2H", ZIP, 20, *numbers, 0)
    made_by = entry.create_system << 8 | entry.create_version
    central = struct.pack(
        "<4sHH4H3L5H2L",
        b"PK\x01\x02",
        made_by,
        20,
        *numbers,
        0,
        len(entry.comment),
        0,
        entry.internal_attr,
        entry.external_attr,
        at,
    )
    return local + name, central + name + entry.comment
