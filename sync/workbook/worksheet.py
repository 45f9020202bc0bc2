"""The walk over a worksheet part, and the cells of a tab row by row.

A part is never held in memory as a whole. A quarter of a million cells pass here at every look,
so an element costs one look-up by its name and one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from sync.port import Read
from sync.workbook.cells import DIGITS, Area, ElementReader, area, column_number
from sync.workbook.package import LONGEST_TEXT, feed, parser

Row = list[tuple[int, Read]]
"""The filled cells of a row from left to right: column and value."""


class StopReading(Exception):
    """Raised by a taker of rows that needs no more of them."""


class WorksheetWalk:
    """A walk over a worksheet part that knows at which row and column it is.

    A subclass names in `begins` and `ends` the elements it wants besides rows and cells, by their
    names without a prefix. `prefix` is the one that the part gives to its elements.
    """

    __slots__ = ("_columns", "begins", "cell", "column", "ends", "parser", "prefix", "row")

    def __init__(self) -> None:
        self.row = self.column = 0
        self.cell: dict[str, str] = {}
        self.prefix = ""
        self._columns: dict[str, int] = {}
        self.begins: dict[str, Callable[[dict[str, str]], None]] = {
            "row": self.begin_row,
            "c": self.begin_cell,
        }
        self.ends: dict[str, Callable[[], None]] = {}
        self.parser = parser()
        self.parser.StartElementHandler = self._begin_root

    def _begin_root(self, name: str, attributes: dict[str, str]) -> None:
        """Learn the prefix of the part from its first element and listen to the others."""
        self.prefix = prefix = name[: name.find(":") + 1]
        begins = {prefix + local: begin for local, begin in self.begins.items()}.get
        ends = {prefix + local: end for local, end in self.ends.items()}.get

        def begin_element(name: str, attributes: dict[str, str]) -> None:
            if (begin := begins(name)) is not None:
                begin(attributes)

        def end_element(name: str) -> None:
            if (end := ends(name)) is not None:
                end()

        self.parser.StartElementHandler = begin_element
        self.parser.EndElementHandler = end_element

    def begin_row(self, attributes: dict[str, str]) -> None:
        """Go to a row; one without a number follows the one before it."""
        self.row = int(attributes.get("r") or self.row + 1)
        self.column = 0

    def begin_cell(self, attributes: dict[str, str]) -> None:
        """Go to a cell, keep its attributes; one without a reference follows the one before it."""
        self.cell = attributes
        reference = attributes.get("r")
        if reference:
            letters = reference.rstrip(DIGITS)
            known = self._columns
            self.column = known.get(letters) or known.setdefault(letters, column_number(letters))
        else:
            self.column += 1


# ---------------------------------------------------------------- cells row by row


def scan(stream: IO[bytes], reader: ElementReader, take: Callable[[int, Row], None]) -> list[Area]:
    """Hand every row that has values to `take`, and return the merged areas.

    `take` gets the number of the row and its filled cells. It may raise StopReading, and then no
    merged areas are known.
    """
    walk = _CellScan(reader, take)
    try:
        feed(walk.parser, stream)
    except StopReading:
        return []
    return walk.merged


class _CellScan(WorksheetWalk):
    """A walk that gathers the values of each row and the merged areas."""

    __slots__ = (
        *(
            "_cells",
            "_formula",
            "_kept",
            "_length",
            "_phonetic",
            "_pieces",
            "_runs",
            "_take",
            "_texts",
        ),
        "_value",
        "merged",
    )

    def __init__(self, reader: ElementReader, take: Callable[[int, Row], None]) -> None:
        super().__init__()
        self._take, self._value, self._texts = take, reader.value, reader.texts
        self.merged: list[Area] = []
        self._cells: Row = []
        self._runs: list[str] = []  # the texts of the cell
        self._length = self._kept = 0  # the characters taken, and those of finished runs
        self._formula = False
        self._phonetic = 0
        self._pieces: list[str] = []  # of the text being read, and of blanks between elements
        self.begins |= {
            "v": self._begin_text,
            "t": self._begin_text,
            "f": self._begin_formula,
            "rPh": self._begin_phonetic,
            "mergeCell": self._begin_merged,
        }
        self.ends |= {
            "v": self._end_text,
            "t": self._end_text,
            "c": self._end_cell,
            "row": self._end_row,
            "rPh": self._end_phonetic,
        }
        self.parser.CharacterDataHandler = self._characters

    def _characters(self, text: str) -> None:
        """Take a piece of text; of a text that no program can keep, the beginning."""
        if self._length <= LONGEST_TEXT:
            self._pieces.append(text)
            self._length += len(text)

    def _begin_text(self, _: Any) -> None:
        self._pieces.clear()
        self._length = self._kept

    def _end_text(self) -> None:
        if not self._phonetic and self._kept <= LONGEST_TEXT:
            self._runs.append("".join(self._pieces))
            self._kept = self._length

    def _begin_formula(self, _: Any) -> None:
        self._formula = True

    def _begin_phonetic(self, _: Any) -> None:
        self._phonetic += 1

    def _end_phonetic(self) -> None:
        self._phonetic -= 1

    def _begin_merged(self, attributes: dict[str, str]) -> None:
        self.merged.append(area(attributes["ref"]))

    def _end_cell(self) -> None:
        formula = self._formula
        raw = "".join(self._runs)[:LONGEST_TEXT] if self._runs else ""
        if not raw and not formula:
            self._runs.clear()
            self._kept = 0
            return
        kind = self.cell.get("t", "n")
        value: Read | None
        if kind == "s" and raw and not formula:
            value = self._texts[int(raw)]
        else:
            value = self._value(kind, self.cell.get("s", ""), raw, formula=formula)
        if value is not None:
            self._cells.append((self.column, value))
        self._runs.clear()
        self._kept = 0
        self._formula = False

    def _end_row(self) -> None:
        if self._cells:
            self._take(self.row, self._cells)
            self._cells = []
