"""The result of a merge: the cells to write, the rows to store, and what both sides agree on."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.mirror.state import Cells, RowState
from sync.mirror.tab_layout import cell_value
from sync.port import Written


@dataclass
class TabOutput:
    """What a merge writes into the tab and into the record."""

    address: str  # of the pages to which rows are linked
    cells: dict[tuple[int, str], Written] = field(default_factory=dict)
    stored: dict[str, RowState] = field(default_factory=dict)
    agreed: dict[str, Cells | None] = field(
        default_factory=dict
    )  # by uid; None for a row that left
    shown: dict[int, Cells] = field(default_factory=dict)  # what the rows say now, by case

    def put(self, number: int, name: str, text: str | None, *, row: Cells) -> None:
        """Write a text into a cell, as the value of its column; `row` has the case's number."""
        link = f"{self.address}/c/{row.get('number', '')}"
        self.cells[number, name] = cell_value(name, text, link=link)

    def empty(self, number: int, name: str) -> None:
        """Empty a cell."""
        self.cells[number, name] = None

    def show(self, row: RowState, *, cells: Cells, agreed: Cells) -> None:
        """Store a row of the tab with its `cells`; both sides agree on `agreed`."""
        row.shown = True
        self.stored[row.uid] = row
        self.agreed[row.uid] = agreed
        self.shown[row.case] = cells
