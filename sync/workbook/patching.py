"""Writes cells into a worksheet part by splicing bytes: what is not ours stays as it was.

A part that is read into objects and written again loses what the objects do not know. Here the
part is parsed once for the places of its rows; the rows that change are parsed again for the
places of their cells, and everything between keeps its bytes.
"""

from __future__ import annotations

import bisect
import codecs
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from openpyxl.formula.translate import Translator

from sync.port import Computed, Link, Read, Written
from sync.workbook.cells import DIGITS, Area, ElementReader, area, cell, column_number, serial_of
from sync.workbook.package import parser

Edits = Mapping[tuple[int, int], Written]
"""What to write, by row and column."""

Said = str | float | bool | dt.datetime | Link | None
"""What a cell will really say: a text of the length programs allow, a time they can count."""

LONGEST, CUT = 32_767, 32_700  # characters a cell may hold, as Excel counts them; where we cut
LONGEST_IN_FORMULA = 255
FIRST_SURE_DAY = 61  # serial of 1 March 1900; programs disagree about the days before
TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
TAG_NAME = re.compile(rb"<[^\s/>]+")
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


# ---------------------------------------------------------------- what a cell says


def said(value: Written, *, dated: bool, from_1904: bool) -> Said:
    """What a cell says when this is written into it, `dated` when its style shows dates.

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
        raise RuntimeError(f"no cell can hold {value}")  # the pass's mistake, not the file's
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
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def _to_millisecond(moment: dt.datetime) -> dt.datetime:
    rest = moment.microsecond % 1000
    return moment + dt.timedelta(microseconds=1000 - rest if rest >= 500 else -rest)


def reads_as(value: Said) -> Read | None:
    """What is read back from a cell that says this."""
    if isinstance(value, Link):
        return Computed(value.text)
    return float(value) if type(value) is int else value


def escaped(text: str) -> str:
    """A text as workbooks write it: what XML forbids, and what looks like an escape, escaped."""
    text = LIKE_ESCAPE.sub("_x005F_", text)
    return escape(FORBIDDEN.sub(lambda match: f"_x{ord(match[0]):04X}_", text))


def _content(value: Said, prefix: str, from_1904: bool) -> tuple[str, str]:
    """The type of a cell and the XML inside it."""
    if isinstance(value, str):
        text = f'<{prefix}t xml:space="preserve">{escaped(value)}</{prefix}t>'
        return "inlineStr", f"<{prefix}is>{text}</{prefix}is>"
    if isinstance(value, Link):
        formula = f"HYPERLINK({_literal(value.address)},{_literal(value.text)})"
        return "str", _inside(prefix, "f", formula) + _inside(prefix, "v", value.text)
    if isinstance(value, bool):
        return "b", _inside(prefix, "v", str(int(value)))
    if isinstance(value, dt.datetime):
        return "", _inside(prefix, "v", repr(serial_of(value, from_1904=from_1904)))
    return "", "" if value is None else _inside(prefix, "v", repr(value))


def _literal(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"'


def _inside(prefix: str, name: str, text: str) -> str:
    return f"<{prefix}{name}>{escaped(text)}</{prefix}{name}>"


# ---------------------------------------------------------------- where things are


@dataclass(slots=True)
class _RowAt:
    """A row's number and its bytes; `numbered` when the file itself says the number."""

    number: int
    start: int
    end: int = 0
    numbered: bool = True


@dataclass(slots=True)
class _Shared:
    """A formula that several cells share: where its text stands, and where it is only meant."""

    master: tuple[int, int] | None = None
    text: str = ""
    others: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class _Map:
    """The places of a worksheet part that writing needs."""

    prefix: str = ""
    data: tuple[int, int] | None = None  # the sheetData element
    dimension: tuple[int, str] | None = None  # where it starts, its ref
    rows: list[_RowAt] = field(default_factory=list)
    defaults: list[tuple[int, int, str]] = field(default_factory=list)  # columns' styles
    styles: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    shared: dict[str, _Shared] = field(default_factory=lambda: defaultdict(_Shared))


def _tag_end(data: bytes, start: int) -> int:
    match = TAG.match(data, start)
    if match is None:
        raise ValueError("no tag here")
    return match.end()


def _is_closed(data: bytes, tag_end: int) -> bool:
    return data[tag_end - 2 : tag_end] == b"/>"


def _element_end(data: bytes, start: int, at: int) -> int:
    """Where an element ends that starts at `start` and whose end tag was reported at `at`."""
    opened = _tag_end(data, start)
    return opened if _is_closed(data, opened) else data.index(b">", at) + 1


def _mapped(data: bytes, columns: set[int]) -> _Map:
    """Parse a part for its rows, and for the styles of the columns we may have to add cells to."""
    found = _Map()
    made = parser()
    numbers: dict[str, int] = {}
    row = _RowAt(0, 0)
    column = 0
    sharing: list[str] | None = None
    sharer = ""
    prefix: int | None = None
    starts: list[int] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, sharing, sharer, prefix
        if prefix is None:
            prefix = name.find(":") + 1
            found.prefix = name[:prefix]
        if prefix:
            name = name[prefix:]
        if name == "c":
            where = attributes.get("r")
            if where:
                letters = where.rstrip(DIGITS)
                column = numbers.get(letters) or numbers.setdefault(letters, column_number(letters))
            else:
                column += 1
            if column in columns and row.number > 1:
                found.styles[column].append((row.number, attributes.get("s", "")))
        elif name == "f" and attributes.get("t") == "shared":
            sharing, sharer = [], attributes.get("si", "")
        elif name == "row":
            number = attributes.get("r")
            at = made.CurrentByteIndex
            row = _RowAt(int(number or row.number + 1), at, numbered=number is not None)
            found.rows.append(row)
            column = 0
        elif name == "col":
            found.defaults.append(
                (int(attributes["min"]), int(attributes["max"]), attributes.get("style", ""))
            )
        elif name == "dimension":
            found.dimension = (made.CurrentByteIndex, attributes.get("ref", ""))
        elif name == "sheetData":
            starts.append(made.CurrentByteIndex)

    def end(name: str) -> None:
        nonlocal sharing
        if prefix:
            name = name[prefix:]
        if name == "row":
            row.end = _element_end(data, row.start, made.CurrentByteIndex)
        elif name == "f" and sharing is not None:
            _share(found.shared[sharer], (row.number, column), "".join(sharing))
            sharing = None
        elif name == "sheetData":
            found.data = starts[0], _element_end(data, starts[0], made.CurrentByteIndex)

    def characters(text: str) -> None:
        if sharing is not None:
            sharing.append(text)

    made.StartElementHandler = begin
    made.EndElementHandler = end
    made.CharacterDataHandler = characters
    made.Parse(data, True)
    return found


def _share(group: _Shared, place: tuple[int, int], text: str) -> None:
    if text:
        group.master, group.text = place, text
    else:
        group.others.append(place)


@dataclass(slots=True)
class _CellAt:
    """A cell of a row that changes: its bytes, and what of it outlives a new value."""

    column: int
    start: int
    attributes: dict[str, str]
    end: int = 0
    formula: dict[str, str] | None = None
    formula_at: tuple[int, int] = (0, 0)
    kept: bytes = b""  # elements in it that we do not know


def _cells(row: bytes, prefix: str) -> tuple[dict[str, str], list[_CellAt]]:
    """The attributes of a row's element and its cells."""
    made = parser()
    own: dict[str, str] = {}
    cells: list[_CellAt] = []
    depth = 0
    child = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, child
        depth += 1
        if depth == 1:
            own.update(attributes)
        elif depth == 2 and name == f"{prefix}c":
            before = cells[-1].column if cells else 0
            where = attributes.get("r")
            column = column_number(where.rstrip(DIGITS)) if where else before + 1
            cells.append(_CellAt(column, made.CurrentByteIndex, attributes))
        elif depth == 3:
            child = made.CurrentByteIndex
            if name == f"{prefix}f":
                cells[-1].formula = attributes

    def end(name: str) -> None:
        nonlocal depth
        at = made.CurrentByteIndex
        if depth == 2 and name == f"{prefix}c":
            cells[-1].end = _element_end(row, cells[-1].start, at)
        elif depth == 3 and name == f"{prefix}f":
            cells[-1].formula_at = child, _element_end(row, child, at)
        elif depth == 3 and name not in (f"{prefix}v", f"{prefix}is"):
            cells[-1].kept += row[child : _element_end(row, child, at)]
        depth -= 1

    made.StartElementHandler = begin
    made.EndElementHandler = end
    made.Parse(row, True)
    return own, cells


# ---------------------------------------------------------------- a part


@dataclass(frozen=True, slots=True)
class PatchedPart:
    """A part with our cells in it, what each of them says, and the cells that lost a formula."""

    data: bytes
    says: Mapping[tuple[int, int], Said]
    bared: frozenset[str]


def patch(
    data: bytes, edits: Edits, reader: ElementReader, ours: Collection[int] = ()
) -> PatchedPart:
    """Write cells into a worksheet part; `ours` are columns whose headers a new one looks like."""
    return _Patch(as_utf8(data), edits, reader, ours).done()


def as_utf8(data: bytes) -> bytes:
    """A part in UTF-8, where it was written in UTF-16; any other comes as it is."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    text = data.decode("utf-16")
    return re.sub(r"^<\?xml[^>]*\?>", '<?xml version="1.0" encoding="UTF-8"?>', text).encode()


class _Patch:
    """One part while our cells are put into it."""

    def __init__(
        self, data: bytes, edits: Edits, reader: ElementReader, ours: Collection[int]
    ) -> None:
        self.bytes = data
        self.ours = ours
        self.reader = reader
        self.map = _mapped(data, {column for _, column in edits})
        self.says: dict[tuple[int, int], Said] = {}
        self.bared: set[str] = set()
        self.formulas = dict(self._orphans(edits))
        self.by_row: dict[int, dict[int, Written]] = defaultdict(dict)
        for (row, column), value in edits.items():
            self.by_row[row][column] = value
        for row, _ in self.formulas:
            self.by_row.setdefault(row, {})

    def _orphans(self, edits: Edits) -> Iterator[tuple[tuple[int, int], str]]:
        """Formulas of cells that shared one we overwrite: each gets a text of its own."""
        for group in self.map.shared.values():
            if group.master is None or group.master not in edits:
                continue
            origin = Translator(f"={group.text}", cell(*group.master))
            for place in group.others:
                if place not in edits:
                    yield place, origin.translate_formula(cell(*place))[1:]

    def done(self) -> PatchedPart:
        """The part with our cells in it."""
        if self.map.data is None:
            raise ValueError("a worksheet without sheetData")
        pieces: list[bytes] = []
        at = 0
        for start, end, new in sorted(self._splices(), key=lambda splice: splice[:2]):
            pieces += [self.bytes[at:start], new]
            at = end
        pieces.append(self.bytes[at:])
        return PatchedPart(b"".join(pieces), self.says, frozenset(self.bared))

    def _splices(self) -> Iterator[tuple[int, int, bytes]]:
        """Which bytes are replaced by which; two with one start keep their order."""
        places = {row.number: row for row in self.map.rows}
        new = {number: self._new_row(number) for number in self.by_row if number not in places}
        yield from self._inserted({number: row for number, row in new.items() if row})
        for number in self.by_row:
            if row := places.get(number):
                yield row.start, row.end, self._changed_row(row)
        if any(new.values()):
            yield from self._numbered()
        if self.map.dimension:
            yield from self._dimension(*self.map.dimension)

    # ------------------------------------------------------------ rows

    def _inserted(self, new: Mapping[int, bytes]) -> Iterator[tuple[int, int, bytes]]:
        assert self.map.data is not None
        start, end = self.map.data
        opened = _tag_end(self.bytes, start)
        if _is_closed(self.bytes, opened):
            if new:
                inside = b"".join(new[number] for number in sorted(new))
                tag = self.bytes[start : opened - 2].rstrip()
                yield start, end, tag + b">" + inside + f"</{self.map.prefix}sheetData>".encode()
            return
        close = self.bytes.rindex(b"<", start, end)
        numbers = [row.number for row in self.map.rows]
        before: dict[int, list[bytes]] = defaultdict(list)
        for number in sorted(new):
            place = bisect.bisect_right(numbers, number)
            at = self.map.rows[place].start if place < len(numbers) else close
            before[at].append(new[number])
        for at, rows in before.items():
            yield at, at, b"".join(rows)

    def _numbered(self) -> Iterator[tuple[int, int, bytes]]:
        """Numbers for rows that had none: a row put in between would make them count wrongly."""
        for row in self.map.rows:
            if not row.numbered and row.number not in self.by_row:
                at = row.start + len(f"<{self.map.prefix}row")
                yield at, at, f' r="{row.number}"'.encode()

    def _new_row(self, number: int) -> bytes:
        cells = [
            self._new_cell(number, column, value, {})
            for column, value in sorted(self.by_row[number].items())
        ]
        inside = b"".join(cells)
        prefix = self.map.prefix
        return (
            f'<{prefix}row r="{number}">'.encode() + inside + f"</{prefix}row>".encode()
            if inside
            else b""
        )

    def _changed_row(self, place: _RowAt) -> bytes:
        row = self.bytes[place.start : place.end]
        own, cells = _cells(row, self.map.prefix)
        there = {one.column: one for one in cells}
        wanted = self.by_row[place.number]
        new = {
            column: self._new_cell(place.number, column, value, own, cells)
            for column, value in sorted(wanted.items())
            if column not in there
        }
        opened = _tag_end(row, 0)
        tag = self._row_tag(row[:opened], own, place, [column for column, it in new.items() if it])
        if _is_closed(row, opened):
            if not any(new.values()):
                return row
            close = f"</{self.map.prefix}row>".encode()
            return tag[:-2].rstrip() + b">" + b"".join(new.values()) + close
        return tag + self._body(row, opened, cells, new, place.number)

    def _body(
        self, row: bytes, at: int, cells: list[_CellAt], new: Mapping[int, bytes], number: int
    ) -> bytes:
        """The inside of a row and its end, with our cells in their places."""
        pieces: list[bytes] = []
        left = dict(new)
        for one in cells:
            pieces.append(row[at : one.start])
            pieces += [left.pop(column) for column in list(left) if column < one.column]
            pieces.append(self._changed_cell(row, one, number))
            at = one.end
        pieces += left.values()
        pieces.append(row[at:])
        return b"".join(pieces)

    def _row_tag(
        self, tag: bytes, own: Mapping[str, str], place: _RowAt, added: list[int]
    ) -> bytes:
        """The tag of a row, its span stretched over added cells and its number said."""
        if added and "spans" in own:
            first, _, last = own["spans"].split()[0].partition(":")
            span = f'spans="{min(int(first), *added)}:{max(int(last), *added)}"'.encode()
            tag = re.sub(rb"""spans\s*=\s*("[^"]*"|'[^']*')""", span, tag, count=1)
        if not place.numbered:
            at = len(f"<{self.map.prefix}row")
            tag = tag[:at] + f' r="{place.number}"'.encode() + tag[at:]
        return tag

    # ------------------------------------------------------------ cells

    def _new_cell(
        self,
        row: int,
        column: int,
        value: Written,
        own: Mapping[str, str],
        cells: list[_CellAt] | None = None,
    ) -> bytes:
        style = self._style(row, column, own, cells or [])
        told = self._say(row, column, value, style)
        if told is None:
            return b""
        return self._xml(row, column, {"s": style} if style else {}, told)

    def _changed_cell(self, row: bytes, one: _CellAt, number: int) -> bytes:
        wanted = self.by_row[number]
        if one.column not in wanted:
            own_formula = self.formulas.get((number, one.column))
            if own_formula is None:
                return self._with_number(row[one.start : one.end], one, number)
            start, end = one.formula_at
            new = _inside(self.map.prefix, "f", own_formula).encode()
            return row[one.start : start] + new + row[end : one.end]
        told = self._say(number, one.column, wanted[one.column], one.attributes.get("s", ""))
        if one.formula is not None and not isinstance(told, Link):
            self._bare(number, one)
        kept = {name: said for name, said in one.attributes.items() if name not in _GONE}
        return self._xml(number, one.column, kept, told, one.kept)

    def _with_number(self, raw: bytes, one: _CellAt, number: int) -> bytes:
        if "r" in one.attributes:
            return raw
        at = len(f"<{self.map.prefix}c")
        return raw[:at] + f' r="{cell(number, one.column)}"'.encode() + raw[at:]

    def _say(self, row: int, column: int, value: Written, style: str) -> Said:
        told = said(value, dated=self.reader.is_date(style), from_1904=self.reader.from_1904)
        self.says[row, column] = told
        return told

    def _bare(self, number: int, one: _CellAt) -> None:
        """Remember which cells have no formula any more; an array's formula was that of many."""
        self.bared.add(cell(number, one.column))
        reach = (one.formula or {}).get("ref")
        if reach and (one.formula or {}).get("t") == "array":
            top, left, bottom, right = area(reach)
            self.bared.update(
                cell(row, column)
                for row in range(top, bottom + 1)
                for column in range(left, right + 1)
            )

    def _style(self, row: int, column: int, own: Mapping[str, str], cells: list[_CellAt]) -> str:
        """The style of a new cell: its row's, its column's, its neighbour's above.

        The neighbour comes last, or a row that somebody coloured would colour all below it. A
        new header looks like the last of ours.
        """
        if row == 1:
            heads = [one.attributes.get("s", "") for one in cells if one.column in self.ours]
            return heads[-1] if heads else ""
        if own.get("customFormat") in ("1", "true"):
            return own.get("s", "")
        whole = (style for low, high, style in self.map.defaults if low <= column <= high)
        if style := next(whole, ""):
            return style
        above = self.map.styles.get(column, [])
        place = bisect.bisect_left(above, (row, ""))
        return above[place - 1][1] if place else ""

    def _xml(
        self, row: int, column: int, attributes: Mapping[str, str], value: Said, kept: bytes = b""
    ) -> bytes:
        prefix = self.map.prefix
        kind, inside = _content(value, prefix, self.reader.from_1904)
        told = {"r": cell(row, column), **attributes, **({"t": kind} if kind else {})}
        tag = f"<{prefix}c" + "".join(f" {name}={quoteattr(it)}" for name, it in told.items())
        if not inside and not kept:
            return f"{tag}/>".encode()
        return f"{tag}>{inside}".encode() + kept + f"</{prefix}c>".encode()

    def _dimension(self, start: int, reference: str) -> Iterator[tuple[int, int, bytes]]:
        """The used area of the sheet, stretched over our cells."""
        filled = [place for place, told in self.says.items() if told is not None]
        if not filled or not reference:
            return
        stretched = _around(area(reference), filled)
        if stretched != area(reference):
            end = _tag_end(self.bytes, start)
            top, left, bottom, right = stretched
            new = f'ref="{cell(top, left)}:{cell(bottom, right)}"'.encode()
            tag = self.bytes[start:end]
            yield start, end, re.sub(rb"""ref\s*=\s*("[^"]*"|'[^']*')""", new, tag, count=1)


_GONE = {"r", "t", "cm", "vm"}
"""Attributes of a cell that belong to its old value; the reference is written anew."""


def _around(old: Area, places: list[tuple[int, int]]) -> Area:
    rows = [row for row, _ in places]
    columns = [column for _, column in places]
    top, left, bottom, right = old
    return min(top, *rows), min(left, *columns), max(bottom, *rows), max(right, *columns)


# ---------------------------------------------------------------- parts that name our cells


def without_formulas(data: bytes, tab: str, bared: frozenset[str]) -> bytes | None:
    """A calculation chain without cells that have no formula any more; None when none is left.

    Excel repairs a book whose chain names a cell without a formula. An entry that names no sheet
    means the one of the entry before it.
    """
    data = as_utf8(data)
    entries = _tags(data, "c")
    pieces: list[bytes] = []
    at, meant, written = 0, "", ""
    for start, attributes in entries:
        meant = attributes.get("i", meant)
        if meant == tab and attributes.get("r", "") in bared:
            pieces.append(data[at:start])
            at = _tag_end(data, start)
            if not _is_closed(data, at):
                at = data.index(b">", at) + 1
            continue
        if meant != written and "i" not in attributes:
            named = start + len(TAG_NAME.findall(data, start, start + 64)[0])
            pieces += [data[at:named], f" i={quoteattr(meant)}".encode()]
            at = named
        written = meant
    pieces.append(data[at:])
    new = b"".join(pieces)
    return new if _tags(new, "c") else None


def with_headers(data: bytes, headers: Mapping[tuple[int, int], Said]) -> bytes:
    """A table's part with the names of its columns as its header cells say them.

    Excel repairs a book in which the two differ.
    """
    data = as_utf8(data)
    own = _tags(data, "table")[0][1]
    top, left, _, right = area(own["ref"])
    if own.get("headerRowCount", "1") == "0":
        return data
    tags = _tags(data, "tableColumn")
    for place in range(right - left, -1, -1):  # from behind, so that places stay
        said_there = headers.get((top, left + place))
        if isinstance(said_there, str) and place < len(tags):
            start = tags[place][0]
            end = _tag_end(data, start)
            data = data[:start] + _named(data[start:end], said_there) + data[end:]
    return data


def _named(tag: bytes, name: str) -> bytes:
    quoted = b" name=" + quoteattr(escaped_name(name)).encode()
    return re.sub(rb"""\sname\s*=\s*("[^"]*"|'[^']*')""", lambda _: quoted, tag, count=1)


def escaped_name(text: str) -> str:
    """A header as tables write it: line breaks are escaped in an attribute."""
    return LIKE_ESCAPE.sub("_x005F_", text).replace("\n", "_x000a_").replace("\r", "_x000d_")


def _tags(data: bytes, wanted: str) -> list[tuple[int, dict[str, str]]]:
    """Where the elements of a name begin in a part, and their attributes."""
    found: list[tuple[int, dict[str, str]]] = []
    made = parser()

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == wanted:
            found.append((made.CurrentByteIndex, attributes))

    made.StartElementHandler = begin
    made.Parse(data, True)
    return found
