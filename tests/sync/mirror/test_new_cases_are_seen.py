"""A new case stands in a line that people see: none that is hidden, none under a merged area."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database import reading
from models import WorkbookRow
from tests.sync.books import operate, sheet_part
from tests.sync.folder import Files, Hands, header, title


@pytest.fixture
def begun(files: Files) -> Files:
    with files.office() as office:
        office.dispatched(body="旧的一件")
    files.settle()
    return files


def more(files: Files, count: int) -> list[str]:
    """New cases, handed over to the department."""
    with files.office() as office:
        numbers = [office.dispatched(body=f"新的第{n}件").number for n in range(count)]
    files.settle()
    return numbers


def save(files: Files, hands: Hands) -> None:
    files.tick(60)
    hands.save()


def is_seen(hands: Hands, number: str) -> bool:
    row = hands.tab().row_dimensions[hands.line(number)]
    return not row.hidden and (row.height is None or row.height >= 1)


@pytest.mark.parametrize("how", ["hidden", "height"])
def test_a_filter_hides_no_new_case(begun: Files, how: str) -> None:
    hands = begun.hands()
    for row in range(2, 200):
        if how == "hidden":
            hands.tab().row_dimensions[row].hidden = True
        else:
            hands.tab().row_dimensions[row].height = 0.4
    save(begun, hands)
    numbers = more(begun, 3)
    hands = begun.hands()
    assert [is_seen(hands, number) for number in numbers] == [True] * 3
    old = [n for n in begun.rows() if n not in numbers]
    assert not is_seen(hands, old[0])


@pytest.mark.parametrize(
    "areas", [["B4:J12"], ["D3:F3", "H5:I8"], ["A3:A4", "B3:B9"], ["B3:BZ5", "C7:D7"]]
)
def test_no_new_case_goes_under_a_merged_area(begun: Files, areas: list[str]) -> None:
    hands = begun.hands()
    for area in areas:
        hands.tab().merge_cells(area)
    hands.tab()[areas[0].split(":")[0]].value = "部门备注"
    save(begun, hands)
    numbers = more(begun, 4)
    hands = begun.hands()
    lines = [hands.line(number) for number in numbers]
    assert len(set(lines)) == 4
    for one in hands.tab().merged_cells.ranges:
        assert not [line for line in lines if one.min_row <= line <= one.max_row]
    assert all(begun.rows()[number][header("body")].startswith("新的") for number in numbers)


def test_an_area_down_to_the_end_of_the_tab_keeps_no_case_away(begun: Files) -> None:
    path = begun.path()
    area = '</sheetData><mergeCells count="1"><mergeCell ref="H2:H1048576"/></mergeCells>'
    operate(path, sheet_part(path, title("open")), "</sheetData>", area)
    begun.tick(60)
    with begun.office() as office:
        office.dispatched(body="新的一件")
    begun.settle()
    with reading(begun.engine) as session:
        shown = session.scalars(sa.select(WorkbookRow.shown)).all()
    assert shown == [True, True]
