"""A file costs what its rows cost, however far merges, formulas and texts reach in it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from enums import CellDeed, ProblemKind
from sync.mirror.look import LookOutcome
from sync.mirror.merge import context
from sync.port import WorkbookChanged, WorkbookWrite
from sync.workbook import package
from sync.workbook.adapter import WorkbookFile
from sync.workbook.cells import LAST_COLUMN, LAST_ROW, BaredCells, area
from sync.workbook.package import LONGEST_TEXT
from tests.sync.books import TABS, made, operate, parts, rezip, sheet_part
from tests.sync.folder import Files, outcome


@pytest.mark.parametrize(
    ("reference", "corners"),
    [
        ("30:32", (30, 1, 32, LAST_COLUMN)),
        ("F:F", (1, 6, LAST_ROW, 6)),
        ("$AP:$AR", (1, 42, LAST_ROW, 44)),
        ("B12:J20", (12, 2, 20, 10)),
        ("C3", (3, 3, 3, 3)),
        ("1:1", (1, 1, 1, LAST_COLUMN)),
    ],
)
def test_whole_rows_and_columns_are_areas(reference: str, corners: tuple[int, ...]) -> None:
    assert area(reference) == corners


@pytest.mark.parametrize("reference", ["", "F0", "#REF!", "F1048577", "ABCD:F"])
def test_what_names_no_cell_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="no c"):
        area(reference)


def _merge(path: Path, reference: str, title: str = "在办") -> None:
    part = sheet_part(path, title)
    operate(
        path,
        part,
        "</sheetData>",
        f'</sheetData><mergeCells count="1"><mergeCell ref="{reference}"/></mergeCells>',
    )


# ---------------------------------------------------------------- merges


@pytest.mark.parametrize(
    "reference", ["30:32", "F:F", "AP:AR", "F1:F1048576", "F2:M1048576", "A1:XFD1048576"]
)
def test_a_merge_costs_what_the_rows_in_it_cost(files: Files, reference: str) -> None:
    with files.office() as office:
        number = office.dispatched().number
    files.settle()
    _merge(files.path(), reference)
    picture = WorkbookFile(files.path()).read(files.mirror_tabs())
    grid = picture.tabs["open"]
    assert grid.merged
    assert grid.last_column < 100
    assert len(context._covered(grid)) <= len(grid.rows) * len(grid.columns)
    stamp = files.now.timestamp()
    os.utime(files.path(), (stamp, stamp))
    files.settle()
    assert [one.code for one in files.problems()] in ([], ["merged"])
    assert number


def test_an_answer_beside_whole_merged_rows_and_columns_is_taken(files: Files) -> None:
    with files.office() as office:
        number = office.dispatched().number
    files.settle()
    hands = files.hands()
    hands.type(number, handler="2005", outcome=outcome("solved"), answer="换了轴承")
    hands.save()
    part = sheet_part(files.path(), "在办")
    merges = '<mergeCells count="2"><mergeCell ref="30:32"/><mergeCell ref="BP:BR"/></mergeCells>'
    operate(files.path(), part, "</sheetData>", "</sheetData>" + merges)
    stamp = files.now.timestamp()
    os.utime(files.path(), (stamp, stamp))
    assert files.settle() == [LookOutcome.read, LookOutcome.wrote, LookOutcome.quiet]
    taken = {one.field for one in files.changes() if one.what is CellDeed.taken}
    assert {"handler", "outcome", "answer"} <= taken


def test_cells_of_an_array_formula_are_known_without_a_list_of_them() -> None:
    bared = BaredCells(frozenset({"B2"}), (area("F1:F1048576"),))
    assert "F999999" in bared
    assert "B2" in bared
    assert "G1" not in bared
    assert not BaredCells()


# ---------------------------------------------------------------- texts


def test_of_a_text_without_end_the_beginning_is_read(tmp_path: Path) -> None:
    book = made(tmp_path / "book.xlsx", 2)
    part = sheet_part(book.path, "在办")
    runs = "<r><t>车</t></r>" * 50_000 + f"<r><t>{'架' * 3_000_000}</t></r>"
    cell = f'<c r="I4" t="inlineStr"><is>{runs}</is></c>'
    operate(book.path, part, "</sheetData>", f'<row r="4">{cell}</row></sheetData>')
    (row,) = [row for row in book.read(TABS).tabs["open"].rows if row.number == 4]
    text = row.cells["text"]
    assert isinstance(text, str)
    assert len(text) == LONGEST_TEXT
    assert text.startswith("车车")


# ---------------------------------------------------------------- formulas filled down


def _fill_down(path: Path, first: int, last: int) -> None:
    """A formula of the department in a column of its own, filled down."""
    part = sheet_part(path, "在办")
    content = parts(path)
    rows = "".join(
        f'<row r="{n}"><c r="BA{n}"><f>LEN(B{n})</f><v>0</v></c></row>'
        for n in range(first, last + 1)
    )
    content[part] = content[part].replace(b"</sheetData>", rows.encode() + b"</sheetData>")
    rezip(path, content)


def test_a_formula_filled_down_leaves_its_rows_free(files: Files) -> None:
    with files.office() as office:
        office.dispatched()
    files.settle()
    _fill_down(files.path(), 10, 110_000)
    picture = WorkbookFile(files.path()).read(files.mirror_tabs())
    assert len(picture.tabs["open"].rows) < 10
    for _ in range(12):
        with files.office() as office:
            office.dispatched()
    files.settle()
    lines = [
        row.number
        for row in WorkbookFile(files.path()).read(files.mirror_tabs()).tabs["open"].rows
        if row.cells
    ]
    assert lines == list(range(2, 15))


def test_a_sum_below_the_table_keeps_its_row(files: Files) -> None:
    files.settle()
    _fill_down(files.path(), 2, 2)
    with files.office() as office:
        office.dispatched()
    files.settle()
    picture = WorkbookFile(files.path()).read(files.mirror_tabs())
    assert [row.number for row in picture.tabs["open"].rows if row.cells] == [3]


# ---------------------------------------------------------------- too big


def test_a_file_that_takes_too_long_is_said_and_not_read_again_and_again(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.settle()
    stamp = files.now.timestamp() - 1
    os.utime(files.path(), (stamp, stamp))
    with monkeypatch.context() as patched:
        patched.setattr(package, "LONGEST_READING", -1.0)
        assert files.look() is LookOutcome.failed
        (problem,) = files.problems()
        assert (problem.kind, problem.code) == (ProblemKind.structure, "too_big")
        assert files.look() is LookOutcome.quiet, "it stands as it stood"
    stamp += 1
    os.utime(files.path(), (stamp, stamp))
    files.settle()
    assert files.problems() == []


def test_rows_without_end_are_too_big(tmp_path: Path) -> None:
    book = made(tmp_path / "book.xlsx")
    part = sheet_part(book.path, "在办")
    rows = "".join(f'<row r="{n}"><c r="B{n}"><v>{n}</v></c></row>' for n in range(2, 100_010))
    content = parts(book.path)
    content[part] = content[part].replace(b"</sheetData>", rows.encode() + b"</sheetData>")
    rezip(book.path, content)
    with pytest.raises(WorkbookChanged) as refused:
        book.read(TABS)
    assert refused.value.code == "too_big"


def test_what_is_written_over_an_array_formula_costs_a_cell(tmp_path: Path) -> None:
    book = made(tmp_path / "book.xlsx", 3)
    part = sheet_part(book.path, "在办")
    content = parts(book.path)[part].decode()
    old = re.search(r'<c r="B3".*?</c>', content)
    assert old is not None
    new = '<c r="B3"><f t="array" ref="B3:B1048576">A3:A9</f><v>1</v></c>'
    operate(book.path, part, old[0], new)
    book.write(book.read(TABS), TABS, WorkbookWrite(2, {"open": {(3, "number"): "SKD-3"}}))
    rows = {row.number: row for row in book.read(TABS).tabs["open"].rows}
    assert rows[3].cells["number"] == "SKD-3"
