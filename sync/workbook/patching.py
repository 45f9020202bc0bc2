"""Writes cells into a worksheet part by splicing bytes; everything else stays as it was.

A part that is read into objects and written again loses what the objects do not model. Here the
part is parsed once for the places of its rows, and the rows that change are parsed again for the
places of their cells. Everything between keeps its bytes.
"""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from openpyxl.formula.translate import Translator

from sync.port import Link, Written
from sync.workbook.cell_xml import CellContent, child, content_of, element_of
from sync.workbook.cells import Area, BaredCells, ElementReader, area, cell
from sync.workbook.worksheet_map import CellBytes, RowBytes, cells_of, mapped
from sync.workbook.xml_bytes import as_utf8, is_closed, tag_end

Edits = Mapping[tuple[int, int], Written]
"""The values to write, by row and column."""

Splice = tuple[int, int, bytes]
"""The bytes from a start to an end, and those that take their place."""


@dataclass(frozen=True, slots=True)
class PatchedPart:
    """A part with our cells in it, their contents, and the cells that lost a formula."""

    data: bytes
    contents: Mapping[tuple[int, int], CellContent]
    bared: BaredCells


def patch(
    data: bytes, edits: Edits, reader: ElementReader, *, ours: Collection[int] = ()
) -> PatchedPart:
    """Write cells into a worksheet part; a new header takes its style from the columns `ours`."""
    return _Patch(as_utf8(data), edits, reader, ours=ours).done()


class _Patch:
    """The patching of one part."""

    def __init__(
        self, data: bytes, edits: Edits, reader: ElementReader, *, ours: Collection[int]
    ) -> None:
        self.bytes = data
        self.ours = ours
        self.reader = reader
        self.map = mapped(data, {column for _, column in edits})
        self.contents: dict[tuple[int, int], CellContent] = {}
        self.bared: set[str] = set()
        self.bared_areas: list[Area] = []
        self.formulas = dict(self._orphans(edits))
        self.by_row: dict[int, dict[int, Written]] = defaultdict(dict)
        for (row, column), value in edits.items():
            self.by_row[row][column] = value
        for row, _ in self.formulas:
            self.by_row.setdefault(row, {})

    def _orphans(self, edits: Edits) -> Iterator[tuple[tuple[int, int], str]]:
        """A formula of its own for each cell that shared one which we overwrite."""
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
        bared = BaredCells(frozenset(self.bared), tuple(self.bared_areas))
        return PatchedPart(b"".join(pieces), self.contents, bared)

    def _splices(self) -> Iterator[Splice]:
        """Yield the splices; two with one start keep their order."""
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

    def _inserted(self, new: Mapping[int, bytes]) -> Iterator[Splice]:
        assert self.map.data is not None
        start, end = self.map.data
        opened = tag_end(self.bytes, start)
        if is_closed(self.bytes, opened):
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

    def _numbered(self) -> Iterator[Splice]:
        """Number the rows that had no number: an inserted row would shift them."""
        for row in self.map.rows:
            if not row.numbered and row.number not in self.by_row:
                at = row.start + len(f"<{self.map.prefix}row")
                yield at, at, f' r="{row.number}"'.encode()

    def _new_row(self, number: int) -> bytes:
        cells = [
            self._new_cell(number, column, value, own={})
            for column, value in sorted(self.by_row[number].items())
        ]
        inside = b"".join(cells)
        prefix = self.map.prefix
        return (
            f'<{prefix}row r="{number}">'.encode() + inside + f"</{prefix}row>".encode()
            if inside
            else b""
        )

    def _changed_row(self, place: RowBytes) -> bytes:
        row = self.bytes[place.start : place.end]
        own, cells = cells_of(row, self.map.prefix)
        there = {one.column: one for one in cells}
        wanted = self.by_row[place.number]
        new = {
            column: self._new_cell(place.number, column, value, own=own, cells=cells)
            for column, value in sorted(wanted.items())
            if column not in there
        }
        opened = tag_end(row, 0)
        tag = self._row_tag(
            row[:opened], own, place, added=[column for column, it in new.items() if it]
        )
        if is_closed(row, opened):
            if not any(new.values()):
                return row
            close = f"</{self.map.prefix}row>".encode()
            return tag[:-2].rstrip() + b">" + b"".join(new.values()) + close
        return tag + self._body(row, opened, cells, new=new, number=place.number)

    def _body(
        self, row: bytes, at: int, cells: list[CellBytes], *, new: Mapping[int, bytes], number: int
    ) -> bytes:
        """The content of a row with our cells in their places, and its end tag."""
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
        self, tag: bytes, own: Mapping[str, str], place: RowBytes, *, added: list[int]
    ) -> bytes:
        """The tag of a row, its span stretched over added cells and its number written.

        A row that gets a case is shown: a filter or a person may have hidden it while it was empty.
        """
        if any(isinstance(value, Link) for value in self.by_row[place.number].values()):
            tag = _shown(tag, own)
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
        *,
        own: Mapping[str, str],
        cells: list[CellBytes] | None = None,
    ) -> bytes:
        style = self._style(row, column, own, cells=cells or [])
        content = self._content(row, column, value, style=style)
        if content is None:
            return b""
        return self._xml(row, column, {"s": style} if style else {}, content=content)

    def _changed_cell(self, row: bytes, one: CellBytes, number: int) -> bytes:
        wanted = self.by_row[number]
        if one.column not in wanted:
            own_formula = self.formulas.get((number, one.column))
            if own_formula is None:
                return self._with_number(row[one.start : one.end], one, number)
            start, end = one.formula_at
            new = child(self.map.prefix, "f", own_formula).encode()
            return row[one.start : start] + new + row[end : one.end]
        style = one.attributes.get("s", "")
        content = self._content(number, one.column, wanted[one.column], style=style)
        if one.formula is not None and not isinstance(content, Link):
            self._bare(number, one)
        kept = {name: text for name, text in one.attributes.items() if name not in _GONE}
        return self._xml(number, one.column, kept, content=content, kept=one.kept)

    def _with_number(self, raw: bytes, one: CellBytes, number: int) -> bytes:
        if "r" in one.attributes:
            return raw
        at = len(f"<{self.map.prefix}c")
        return raw[:at] + f' r="{cell(number, one.column)}"'.encode() + raw[at:]

    def _content(self, row: int, column: int, value: Written, *, style: str) -> CellContent:
        content = content_of(
            value, dated=self.reader.is_date(style), from_1904=self.reader.from_1904
        )
        self.contents[row, column] = content
        return content

    def _bare(self, number: int, one: CellBytes) -> None:
        """Note the cells that lose their formula; that of an array belonged to many."""
        self.bared.add(cell(number, one.column))
        reach = (one.formula or {}).get("ref")
        if reach and (one.formula or {}).get("t") == "array":
            self.bared_areas.append(area(reach))

    def _style(
        self, row: int, column: int, own: Mapping[str, str], *, cells: list[CellBytes]
    ) -> str:
        """The style of a new cell: that of its row, else its column, else the cell above.

        The cell above comes last, or a row that a person coloured would colour all below it. A
        new header takes the style of our last one.
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
        self,
        row: int,
        column: int,
        attributes: Mapping[str, str],
        *,
        content: CellContent,
        kept: bytes = b"",
    ) -> bytes:
        prefix = self.map.prefix
        kind, inside = element_of(content, prefix, from_1904=self.reader.from_1904)
        own = {"r": cell(row, column), **attributes, **({"t": kind} if kind else {})}
        tag = f"<{prefix}c" + "".join(f" {name}={quoteattr(it)}" for name, it in own.items())
        if not inside and not kept:
            return f"{tag}/>".encode()
        return f"{tag}>{inside}".encode() + kept + f"</{prefix}c>".encode()

    def _dimension(self, start: int, reference: str) -> Iterator[Splice]:
        """The used area of the tab, stretched over our cells."""
        filled = [place for place, content in self.contents.items() if content is not None]
        if not filled or not reference:
            return
        stretched = _around(area(reference), filled)
        if stretched != area(reference):
            end = tag_end(self.bytes, start)
            top, left, bottom, right = stretched
            new = f'ref="{cell(top, left)}:{cell(bottom, right)}"'.encode()
            tag = self.bytes[start:end]
            yield start, end, re.sub(rb"""ref\s*=\s*("[^"]*"|'[^']*')""", new, tag, count=1)


def _shown(tag: bytes, own: Mapping[str, str]) -> bytes:
    """The tag of a row without what hides it."""
    hiding = [b"hidden"]
    if re.fullmatch(r"0*(\.\d*)?", own.get("ht", "15")):  # less than a point
        hiding += [b"ht", b"customHeight"]
    for name in hiding:
        tag = re.sub(rb"""\s""" + name + rb"""\s*=\s*("[^"]*"|'[^']*')""", b"", tag, count=1)
    return tag


_GONE = {"r", "t", "cm", "vm"}
"""Attributes of a cell that belong to its old value; the reference is written anew."""


def _around(old: Area, places: list[tuple[int, int]]) -> Area:
    rows = [row for row, _ in places]
    columns = [column for _, column in places]
    top, left, bottom, right = old
    return min(top, *rows), min(left, *columns), max(bottom, *rows), max(right, *columns)
