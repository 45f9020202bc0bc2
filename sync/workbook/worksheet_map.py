"""The map of a worksheet part: which bytes are which row and cell, and which styles they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sync.workbook.cells import DIGITS, column_number
from sync.workbook.package import parser
from sync.workbook.worksheet import WorksheetWalk
from sync.workbook.xml_bytes import element_end


@dataclass(slots=True)
class RowBytes:
    """The number and the bytes of a row; `numbered` when the file itself says the number."""

    number: int
    start: int
    end: int = 0
    numbered: bool = True


@dataclass(slots=True)
class SharedFormula:
    """A formula that several cells share: the cell that has its text, and the others."""

    master: tuple[int, int] | None = None
    text: str = ""
    others: list[tuple[int, int]] = field(default_factory=list)

    def add(self, place: tuple[int, int], text: str) -> None:
        """Add a cell; the one with a text is the master."""
        if text:
            self.master, self.text = place, text
        else:
            self.others.append(place)


@dataclass
class WorksheetMap:
    """The places of a worksheet part that writing needs."""

    prefix: str = ""
    data: tuple[int, int] | None = None  # the sheetData element
    dimension: tuple[int, str] | None = None  # where it starts, its ref
    rows: list[RowBytes] = field(default_factory=list)
    defaults: list[tuple[int, int, str]] = field(default_factory=list)  # columns' styles
    styles: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    shared: dict[str, SharedFormula] = field(default_factory=lambda: defaultdict(SharedFormula))


def mapped(data: bytes, columns: Collection[int]) -> WorksheetMap:
    """Map the rows of a part, and the styles in `columns`, to which cells may be added."""
    walk = _MappingWalk(data, columns)
    walk.parser.Parse(data, True)
    walk.map.prefix = walk.prefix
    return walk.map


class _MappingWalk(WorksheetWalk):
    """A walk that notes the places of everything."""

    __slots__ = ("_columns_wanted", "_data", "_group", "_sheet_data", "_text", "map")

    def __init__(self, data: bytes, columns: Collection[int]) -> None:
        super().__init__()
        self.map = WorksheetMap()
        self._data, self._columns_wanted = data, columns
        self._sheet_data = 0
        self._group = ""
        self._text: list[str] = []  # of a shared formula
        self.begins |= {
            "f": self._begin_formula,
            "col": self._begin_column,
            "dimension": self._begin_dimension,
            "sheetData": self._begin_sheet_data,
        }
        self.ends |= {
            "row": self._end_row,
            "f": self._end_formula,
            "sheetData": self._end_sheet_data,
        }

    def begin_row(self, attributes: dict[str, str]) -> None:
        """Go to a row and note where it starts."""
        super().begin_row(attributes)
        start = self.parser.CurrentByteIndex
        self.map.rows.append(RowBytes(self.row, start, numbered="r" in attributes))

    def _end_row(self) -> None:
        row = self.map.rows[-1]
        row.end = self._element_end(row.start)

    def begin_cell(self, attributes: dict[str, str]) -> None:
        """Go to a cell and note its style, where its column is wanted."""
        super().begin_cell(attributes)
        if self.column in self._columns_wanted and self.row > 1:
            self.map.styles[self.column].append((self.row, attributes.get("s", "")))

    def _begin_formula(self, attributes: dict[str, str]) -> None:
        if attributes.get("t") == "shared":
            self._text, self._group = [], attributes.get("si", "")
            self.parser.CharacterDataHandler = self._text.append

    def _end_formula(self) -> None:
        if self.parser.CharacterDataHandler is not None:
            self.map.shared[self._group].add((self.row, self.column), "".join(self._text))
            self.parser.CharacterDataHandler = None

    def _begin_column(self, attributes: dict[str, str]) -> None:
        first, last = int(attributes["min"]), int(attributes["max"])
        self.map.defaults.append((first, last, attributes.get("style", "")))

    def _begin_dimension(self, attributes: dict[str, str]) -> None:
        self.map.dimension = (self.parser.CurrentByteIndex, attributes.get("ref", ""))

    def _begin_sheet_data(self, _: Any) -> None:
        self._sheet_data = self.parser.CurrentByteIndex

    def _end_sheet_data(self) -> None:
        self.map.data = self._sheet_data, self._element_end(self._sheet_data)

    def _element_end(self, start: int) -> int:
        return element_end(self._data, start, self.parser.CurrentByteIndex)


# ---------------------------------------------------------------- one row


@dataclass(slots=True)
class CellBytes:
    """A cell of a row that changes: its bytes, and what of it outlives a new value."""

    column: int
    start: int
    attributes: dict[str, str]
    end: int = 0
    formula: dict[str, str] | None = None
    formula_at: tuple[int, int] = (0, 0)
    kept: bytes = b""  # elements in it that we do not know


def cells_of(row: bytes, prefix: str) -> tuple[dict[str, str], list[CellBytes]]:
    """The attributes of a row's element and its cells."""
    made = parser()
    own: dict[str, str] = {}
    cells: list[CellBytes] = []
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
            cells.append(CellBytes(column, made.CurrentByteIndex, attributes))
        elif depth == 3:
            child = made.CurrentByteIndex
            if name == f"{prefix}f":
                cells[-1].formula = attributes

    def end(name: str) -> None:
        nonlocal depth
        at = made.CurrentByteIndex
        if depth == 2 and name == f"{prefix}c":
            cells[-1].end = element_end(row, cells[-1].start, at)
        elif depth == 3 and name == f"{prefix}f":
            cells[-1].formula_at = child, element_end(row, child, at)
        elif depth == 3 and name not in (f"{prefix}v", f"{prefix}is"):
            cells[-1].kept += row[child : element_end(row, child, at)]
        depth -= 1

    made.StartElementHandler = begin
    made.EndElementHandler = end
    made.Parse(row, True)
    return own, cells
