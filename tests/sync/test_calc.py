"""LibreOffice does to a workbook what a step says, and what it keeps of ours is known."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sync.port import ColumnLayout, TabLayout
from sync.workbook.locating import mark
from sync.workbook.new_workbook import make_workbook
from tests.sync.calc import MACRO, PERSON, PYTHON, Answer, Calc, CalcError, CalcRefused, Step, step

OPEN, TODAY = "在办", "今日"
HEADERS = ["案号", "期限", "处理结果", "结果说明", "电话"]
FIELDS = ["uid", "number", "due", "outcome", "words", "phone"]
CASES = [f"T-{number:03d}" for number in range(20)]


Edit = Callable[..., list[Answer]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A book as departments have it: a header and 20 cases, and a generated tab."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = OPEN
    sheet.append(["redress/open/3", *HEADERS])
    for number, case in enumerate(CASES):
        sheet.append(_case(number, case))
        sheet.cell(number + 2, 3).number_format = "yyyy-mm-dd hh:mm"
        sheet.cell(number + 2, 6).number_format = "@"
    _furnish(book, sheet)
    _add_today(book)
    book.save(tmp_path / "sales.xlsx")
    return tmp_path / "sales.xlsx"


def _case(number: int, case: str) -> list[Any]:
    link = f'=HYPERLINK("http://127.0.0.1/c/{number}","{case}")'
    due = dt.datetime(2026, 9, 28, 14, number)
    return [
        f"CMP-{number:06d}-k",
        link,
        due,
        "已解决" if number % 2 else None,
        f"说明{number:02d}",
        "0138",
    ]


def _furnish(book: Workbook, sheet: Worksheet) -> None:
    sheet.column_dimensions["A"].hidden = True
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = "A1:F21"
    for position, field in enumerate(FIELDS):
        name, letter = f"_redress_open_{position}_{field}", "ABCDEF"[position]
        target = f"'{OPEN}'!${letter}$1"
        book.defined_names[name] = DefinedName(name, attr_text=target, hidden=True)
    choice = DataValidation(
        type="list",
        formula1='"已解决,未解决"',
        allow_blank=True,
        errorStyle="warning",
        promptTitle="处理结果",
        prompt="从列表中选",
        showInputMessage=True,
    )
    choice.add("D2:D20000")
    sheet.add_data_validation(choice)
    late = FormulaRule(  # type: ignore[no-untyped-call]  # openpyxl says no types here
        formula=['AND($C2<>"",$C2<NOW())'], fill=PatternFill("solid", bgColor="FFC7CE")
    )
    sheet.conditional_formatting.add("A2:F20000", late)


def _add_today(book: Workbook) -> None:
    sheet = book.create_sheet(TODAY)
    for line in [["redress/today/3", "案号"], ["b", "T-002"], ["a", "T-001"]]:
        sheet.append(line)
    sheet.auto_filter.ref = "A1:B3"
    sheet.protection.sheet = True
    sheet.protection.autoFilter = sheet.protection.sort = False  # False says allowed


@pytest.fixture
def edit(calc: Calc, path: Path) -> Edit:
    """`edit(step, ...)`: a whole visit to the book in which nothing is refused."""

    def edit(*steps: Step) -> list[Answer]:
        answers = calc.edit(path, steps)
        assert [answer for answer in answers if answer["refused"]] == []
        return answers

    return edit


def told(path: Path, title: str = OPEN) -> Worksheet:
    """A tab as another program reads it."""
    sheet: Worksheet = load_workbook(path)[title]
    return sheet


def column(path: Path, letter: str) -> list[Any]:
    """The column of the open cases without its header, formulas as their last value."""
    last = filled(path)
    cells = load_workbook(path, data_only=True)[OPEN][letter][1:last]
    return [cell.value for cell in cells]


def filled(path: Path) -> int:
    """The last row in which anything stands; LibreOffice stores empty cells far below it."""
    rows = enumerate(told(path).iter_rows(values_only=True), start=1)
    return max(line for line, values in rows if any(value is not None for value in values))


def named(path: Path) -> dict[str, str]:
    """Where our names point, by field."""
    names = load_workbook(path).defined_names
    return {key.split("_", 4)[4]: name.attr_text.replace("'", "") for key, name in names.items()}


# ---------------------------------------------------------------- typing


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-9-28 14:30", dt.datetime(2026, 9, 28, 14, 30)),
        ("2026年9月28日", dt.datetime(2026, 9, 28)),
        ("1,234.5", 1234.5),
        ("50%", 0.5),
        ("0123", 123),
        ("'0123", "0123"),
        ("下午3点", "下午3点"),
        ("两行\n字", "两行\n字"),
        ("好了😀", "好了😀"),
        ("=1/0", "=1/0"),
    ],
)
def test_what_is_typed_is_understood_as_in_the_input_line(
    edit: Edit, path: Path, text: str, value: object
) -> None:
    edit(step("type", OPEN, row="T-003", column="结果说明", text=text))
    assert told(path)["E5"].value == value


def test_a_text_column_keeps_zeros(edit: Edit, path: Path) -> None:
    edit(step("type", OPEN, row="T-003", column="电话", text="0571"))
    assert told(path)["F5"].value == "0571"


def test_overwriting_puts_a_value_as_it_is(edit: Edit, path: Path) -> None:
    edit(
        step("overwrite", cell="A5", value="=1+1"),
        step("overwrite", cell="E6", value=7),
        step("overwrite", cell="E7", value=None),
    )
    sheet = told(path)
    assert [sheet[name].value for name in ("A5", "E6", "E7")] == ["=1+1", 7, None]
    assert sheet["A5"].data_type == "s"


def test_a_text_longer_than_excel_allows_is_cut_by_libreoffice(edit: Edit, path: Path) -> None:
    (answer,) = edit(step("type", row="T-003", column="结果说明", text="长" * 60_000))
    assert len(answer["shown"]) == 60_000
    assert len(told(path)["E5"].value) == 32_767


def test_clearing_empties_cells_a_row_or_a_column(edit: Edit, path: Path) -> None:
    edit(
        step("clear", cell="E5"),
        step("clear", range="E6:F7"),
        step("clear", row="T-010"),
        step("clear", column="处理结果"),
    )
    sheet = told(path)
    empty = ["E5", "E6", "F7", "A12", "B12", "F12", "D1", "D3"]
    assert [sheet[name].value for name in empty] == [None] * len(empty)
    assert sheet["F6"].number_format == "@"


# ---------------------------------------------------------------- rows


def test_sorting_takes_whole_rows_along(edit: Edit, path: Path) -> None:
    edit(step("sort", OPEN, by="案号", descending=True))
    assert column(path, "B") == CASES[::-1]
    assert column(path, "A") == [f"CMP-{number:06d}-k" for number in range(19, -1, -1)]
    assert told(path)["B2"].value == '=HYPERLINK("http://127.0.0.1/c/19","T-019")'


def test_sorting_a_part_tears_rows_apart(edit: Edit, path: Path) -> None:
    edit(step("sort", OPEN, by="案号", descending=True, range="B5:D12"))
    assert column(path, "B") == CASES[:3] + CASES[10:2:-1] + CASES[11:]
    assert column(path, "A")[3] == "CMP-000003-k"
    assert column(path, "E")[3] == "说明03"


def test_the_arrow_sorts_no_column_beside_the_filter(edit: Edit, path: Path) -> None:
    edit(step("own_column", header="我的", fill="note {row}"))
    edit(step("sort_by_arrow", by="案号", descending=True))
    assert column(path, "B") == CASES[::-1]
    assert column(path, "G")[0] == "note 2"


def test_a_filter_hides_rows_and_showing_all_brings_them_back(edit: Edit, path: Path) -> None:
    (answer,) = edit(step("filter", OPEN, column="处理结果", keep=["已解决"]))
    assert answer["hidden"] == 10
    sheet = told(path)
    assert [row for row in range(1, 22) if sheet.row_dimensions[row].hidden] == [*range(2, 22, 2)]
    assert sheet.auto_filter.filterColumn[0].colId == 3
    edit(step("unfilter", OPEN))
    assert not any(told(path).row_dimensions[row].hidden for row in range(1, 22))


def test_a_filtered_tab_is_sorted_with_its_hidden_rows(edit: Edit, path: Path) -> None:
    edit(
        step("filter", OPEN, column="处理结果", keep=["已解决"]),
        step("sort", OPEN, by="案号", descending=True),
    )
    assert column(path, "B") == CASES[::-1]


def test_rows_are_inserted_and_deleted(edit: Edit, path: Path) -> None:
    edit(
        step("insert_rows", row="T-003", count=2),
        step("type", cell="E5", text="新的"),
        step("delete_rows", row="T-010"),
        step("delete_rows", row=2, count=2),
    )
    assert column(path, "B") == [CASES[2], None, None, *CASES[3:10], *CASES[11:]]
    assert column(path, "E")[1] == "新的"


def test_a_row_is_copied_between_or_over_others(edit: Edit, path: Path) -> None:
    edit(
        step("duplicate_row", row="T-003", to=2),
        step("duplicate_row", row="T-005", to="T-019", how="over"),
    )
    assert column(path, "B") == ["T-003", *CASES[:19], "T-005"]
    assert column(path, "A")[0] == column(path, "A")[4] == "CMP-000003-k"


@pytest.mark.parametrize(("to", "order"), [("T-001", 1), ("T-019", 18)])
def test_a_row_is_moved_up_or_down(edit: Edit, path: Path, to: str, order: int) -> None:
    edit(step("move_row", row="T-010", to=to))
    expected = [case for case in CASES if case != "T-010"]
    expected.insert(order, "T-010")
    assert column(path, "B") == expected


def test_cutting_leaves_a_hole_and_copying_does_not(edit: Edit, path: Path) -> None:
    edit(step("cut_paste", row="T-003", to="A30"), step("copy_paste", range="E2:E3", to="E9"))
    sheet = told(path)
    assert [cell.value for cell in sheet[5]] == [None] * 6
    assert sheet["A30"].value == "CMP-000003-k"
    assert [sheet[name].value for name in ("E2", "E9", "E10")] == ["说明00", "说明00", "说明01"]


def test_a_block_is_pasted_over_cells(edit: Edit, path: Path) -> None:
    block = [["已解决", "一", None], ["未解决", "=1+1", "0571"], [None, 3, "x"]]
    edit(step("paste_block", row="T-003", column="处理结果", block=block))
    rows = told(path)["D5:F7"]
    expected = [["已解决", "一", None], ["未解决", "=1+1", "0571"], [None, 3, "x"]]
    assert [[cell.value for cell in row] for row in rows] == expected


def test_undoing_takes_the_last_step_back(edit: Edit, path: Path) -> None:
    edit(step("delete_rows", row="T-003"), step("undo"))
    assert column(path, "B") == CASES


# ---------------------------------------------------------------- columns


def test_our_names_follow_columns_that_people_move(edit: Edit, path: Path) -> None:
    edit(
        step("insert_column", before="处理结果"),
        step("move_column", column="电话", before="案号"),
        step("rename_header", column="结果说明", text="说明"),
    )
    headers = [cell.value for cell in told(path)[1]]
    assert headers == ["redress/open/3", "电话", "案号", "期限", None, "处理结果", "说明"]
    places = {"uid": "A", "phone": "B", "number": "C", "due": "D", "outcome": "F", "words": "G"}
    assert named(path) == {field: f"{OPEN}!${place}$1" for field, place in places.items()}


def test_the_name_of_a_deleted_column_points_nowhere(edit: Edit, path: Path) -> None:
    edit(step("delete_column", column="处理结果"))
    assert [cell.value for cell in told(path)[1]][3] == "结果说明"
    assert "#REF!" in named(path)["outcome"]
    assert named(path)["words"] == f"{OPEN}!$D$1"


def test_columns_are_hidden_and_shown(edit: Edit, calc: Calc, path: Path) -> None:
    edit(step("hide_column", column="电话"), step("show_column", column="A"))
    assert calc.values(path)[OPEN].hidden_columns == [6]
    assert told(path).column_dimensions["F"].hidden


def test_people_add_a_column_with_formulas_of_their_own(edit: Edit, path: Path) -> None:
    (answer,) = edit(step("own_column", header="字数", fill="=LEN(E{row})"))
    assert answer["column"] == 7
    assert told(path)["G5"].value == "=LEN(E5)"
    assert column(path, "G") == [4] * 20


def test_cells_are_merged_and_split(edit: Edit, path: Path) -> None:
    edit(
        step("merge", range="E3:E5"),
        step("merge", range="E7:E8"),
        step("unmerge", range="E7:E8"),
    )
    assert [str(one) for one in told(path).merged_cells.ranges] == ["E3:E5"]


def test_merged_cells_are_not_sorted(calc: Calc, path: Path) -> None:
    answers = calc.edit(
        path, [step("merge", range="E3:E5"), step("sort", by="案号", descending=True)]
    )
    assert [answer["refused"] for answer in answers] == [None, "merged cells"]
    assert column(path, "B") == CASES


# ---------------------------------------------------------------- tabs and looks


def test_tabs_are_renamed_added_copied_moved_and_deleted(edit: Edit, path: Path) -> None:
    edit(
        step("rename_tab", OPEN, title="进行中"),
        step("add_tab", title="统计", cells={"A1": "=COUNTA(进行中!D2:D21)", "A2": "合计"}),
        step("copy_tab", "进行中", title="副本"),
        step("delete_tab", TODAY),
        step("move_tab", "统计", to=1),
    )
    book = load_workbook(path, data_only=True)
    assert book.sheetnames == ["统计", "进行中", "副本"]
    assert [book["统计"]["A1"].value, book["统计"]["A2"].value] == [10, "合计"]
    assert book["副本"]["A1"].value == "redress/open/3"
    assert named(path)["due"] == "进行中!$C$1"


def test_a_formula_over_a_deleted_row_breaks(edit: Edit, calc: Calc, path: Path) -> None:
    edit(
        step("add_tab", title="统计", cells={"A1": f"={OPEN}!E5"}),
        step("delete_rows", OPEN, row="T-003"),
    )
    seen = calc.values(path)["统计"]
    assert (seen.shown, seen.values) == ([["#REF!"]], [[None]])
    assert load_workbook(path, data_only=True)["统计"]["A1"].value == "#REF!"


def test_looks_comments_and_charts_are_stored(edit: Edit, path: Path) -> None:
    edit(
        step("colour", row="T-003", column="结果说明", rgb="00ff00"),
        step("comment", row="T-003", column="处理结果", text="问过客户"),
        step("chart", range="B1:C5"),
        step("set_number_format", cell="C5", format='yyyy"年"m"月"d"日"'),
    )
    sheet = told(path)
    assert sheet["E5"].fill.fgColor.rgb == "FF00FF00"
    assert "问过客户" in sheet["D5"].comment.text
    assert len(sheet._charts) == 1  # type: ignore[attr-defined]  # its types leave charts out
    assert sheet["C5"].number_format == r"yyyy\年m\月d\日"


# ---------------------------------------------------------------- a locked tab


@pytest.mark.parametrize(
    "refused",
    [
        step("type", TODAY, cell="B2", text="x"),
        step("overwrite", TODAY, cell="B2", value="x"),
        step("clear", TODAY, cell="B2"),
        step("sort", TODAY, by="案号"),
        step("insert_rows", TODAY, row=2),
        step("delete_rows", TODAY, row=2),
        step("duplicate_row", TODAY, row=2, to=3),
        step("move_row", TODAY, row=2, to=3),
        step("cut_paste", TODAY, range="A2:B2", to="A9"),
        step("copy_paste", TODAY, range="A2:B2", to="A9"),
        step("paste_block", TODAY, cell="A2", block=[["x"]]),
        step("insert_column", TODAY, before="案号"),
        step("delete_column", TODAY, column="案号"),
        step("move_column", TODAY, column="案号", before=1),
        step("rename_header", TODAY, column="案号", text="x"),
        step("merge", TODAY, range="A2:A3"),
        step("own_column", TODAY, header="x", fill="x"),
        step("colour", TODAY, cell="B2", rgb="ff0000"),
        step("comment", TODAY, cell="B2", text="x"),
        step("chart", TODAY, range="A1:B3"),
        step("set_number_format", TODAY, cell="B2", format="0.00"),
    ],
    ids=lambda refused: refused["do"],
)
def test_a_locked_tab_refuses(calc: Calc, path: Path, refused: Step) -> None:
    before = calc.values(path)[TODAY]
    (answer,) = calc.edit(path, [refused])
    assert answer["refused"] == "protected"
    assert calc.values(path)[TODAY] == before


def test_a_locked_tab_can_be_filtered_and_unlocked(edit: Edit, path: Path) -> None:
    filtered, *_ = edit(
        step("filter", TODAY, column="案号", keep=["T-001"]),
        step("unprotect", TODAY),
        step("sort", TODAY, by=1),
        step("protect", OPEN),
    )
    assert filtered["hidden"] == 1
    assert told(path, TODAY)["A2"].value == "a"
    assert [told(path, title).protection.sheet for title in (TODAY, OPEN)] == [False, True]


# ---------------------------------------------------------------- what LibreOffice keeps


def test_what_a_visit_keeps_of_ours(edit: Edit, path: Path) -> None:
    edit(step("type", row="T-003", column="结果说明", text="好"))
    sheet = told(path)
    assert sheet.column_dimensions["A"].hidden
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:F21"
    assert sheet["B5"].value == '=HYPERLINK("http://127.0.0.1/c/3","T-003")'
    assert sheet["C5"].number_format == "yyyy\\-mm\\-dd\\ hh:mm"
    assert named(path) == {f: f"{OPEN}!${'ABCDEF'[at]}$1" for at, f in enumerate(FIELDS)}
    (ranges,) = sheet.conditional_formatting
    assert str(ranges.sqref) == "A2:F20000"
    assert ranges.rules[0].formula == ['AND($C2<>"",$C2<NOW())']


def test_a_visit_brings_hidden_names_to_light(edit: Edit, path: Path) -> None:
    assert all(name.hidden for name in load_workbook(path).defined_names.values())
    edit(step("type", row="T-003", column="结果说明", text="好"))
    assert not any(name.hidden for name in load_workbook(path).defined_names.values())


def test_what_a_visit_keeps_of_a_list(edit: Edit, path: Path) -> None:
    edit(step("type", row="T-003", column="结果说明", text="好"))
    (choice,) = told(path).data_validations.dataValidation
    assert (str(choice.sqref), choice.formula1) == ("D2:D1021", '"已解决,未解决"')
    assert (choice.errorStyle, choice.prompt) == ("warning", "从列表中选")


def test_what_a_visit_keeps_of_a_lock(edit: Edit, path: Path) -> None:
    edit(step("type", row="T-003", column="结果说明", text="好"))
    lock = told(path, TODAY).protection
    assert lock.sheet
    assert (lock.autoFilter, lock.sort) == (False, False)


# ---------------------------------------------------------------- a book of ours

SHEET = TabLayout(
    key="open",
    title=OPEN,
    due="due",
    columns=(
        ColumnLayout("uid", "redress", hidden=True),
        ColumnLayout("number", "案号", shape="link"),
        ColumnLayout("due", "期限", shape="datetime"),
        ColumnLayout("outcome", "处理结果", open_=True, choices=("已解决", "未解决")),
        ColumnLayout("words", "结果说明", width=40, open_=True),
        ColumnLayout("phone", "电话"),
    ),
)
LOCKED = TabLayout(
    key="today",
    title=TODAY,
    locked=True,
    columns=(
        ColumnLayout("uid", "redress", hidden=True),
        ColumnLayout("number", "案号", shape="link"),
    ),
)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A book as Redress makes it, without a case."""
    path = tmp_path / "ours.xlsx"
    with path.open("wb") as file:
        make_workbook(file, [SHEET, LOCKED])
    return path


def test_a_book_of_ours_is_filled_in_by_hand(calc: Calc, ours: Path) -> None:
    steps = [
        step("type", OPEN, row=2, column="结果说明", text="0571"),
        step("type", OPEN, row=2, column="电话", text="0138"),
        step("type", OPEN, row=3, column="期限", text="2026-9-28 9:00"),
        step("sort_by_arrow", OPEN, by="期限"),
    ]
    assert [answer["refused"] for answer in calc.edit(ours, steps)] == [None] * 4
    sheet = told(ours)
    assert sheet["A1"].value == mark("open", 0)
    assert sheet["C2"].value == dt.datetime(2026, 9, 28, 9)
    assert (sheet["E3"].value, sheet["F3"].value) == ("0571", "0138")


def test_a_locked_tab_of_ours_refuses(calc: Calc, ours: Path) -> None:
    answers = calc.edit(ours, [step("type", TODAY, row=2, column="案号", text="x")])
    assert answers[0]["refused"] == "protected"


# ---------------------------------------------------------------- files and locks


def test_an_open_book_has_a_lock_file_that_names_the_person(calc: Calc, path: Path) -> None:
    lock = path.with_name(f".~lock.{path.name}#")
    with calc.open(path) as book:
        book.do(step("type", cell="E5", text="x"))
        assert lock.read_text().split(",")[0].strip() == PERSON
        before = path.read_bytes()
        book.save()
        assert lock.exists()
        assert path.read_bytes() != before
    assert not lock.exists()


def test_closing_without_saving_changes_nothing(calc: Calc, path: Path) -> None:
    before = path.read_bytes()
    with calc.open(path) as book:
        book.do(step("clear", column="E"))
    assert path.read_bytes() == before


def test_a_book_that_another_person_holds_is_not_edited(calc: Calc, path: Path) -> None:
    path.with_name(f".~lock.{path.name}#").write_text(",OTHER,pc,22.11.2026 09:00,file:///pc;")
    before = path.read_bytes()
    with pytest.raises(CalcRefused, match="read only"):
        calc.edit(path, [step("clear", cell="E5")])
    assert path.read_bytes() == before
    assert calc.values(path)[OPEN].values[4][4] == "说明03"


def test_libreoffice_asks_before_it_saves_over_another_save(calc: Calc, path: Path) -> None:
    other = Path(shutil.copy(path, path.with_name("other.xlsx")))
    calc.edit(other, [step("type", cell="E6", text="meanwhile")])
    with calc.open(path) as book:
        book.do(step("type", cell="E5", text="mine"))
        later = time.time() + 5  # LibreOffice compares whole seconds
        os.utime(other, (later, later))
        os.replace(other, path)
        with pytest.raises(CalcRefused, match="not saved"):
            book.save()
        assert told(path)["E6"].value == "meanwhile"
        book.save_anyway()
    assert [told(path)[name].value for name in ("E5", "E6")] == ["mine", "说明04"]


def test_a_file_that_is_no_workbook_is_refused(calc: Calc, tmp_path: Path) -> None:
    with pytest.raises(CalcRefused):
        calc.edit(tmp_path / "missing.xlsx", [])


# ---------------------------------------------------------------- the driver itself


@pytest.mark.parametrize(
    "nonsense",
    [
        step("juggle"),
        step("clear", "没有", cell="A1"),
        step("clear", row="T-999"),
        step("clear", column="没有"),
        step("sort", sideways=True),
    ],
    ids=lambda nonsense: nonsense["do"],
)
def test_a_step_that_makes_no_sense_fails_the_test(calc: Calc, path: Path, nonsense: Step) -> None:
    before = path.read_bytes()
    with pytest.raises(CalcError):
        calc.edit(path, [nonsense])
    assert path.read_bytes() == before


def test_values_are_a_second_opinion(calc: Calc, path: Path) -> None:
    seen = calc.values(path)
    assert list(seen) == [OPEN, TODAY]
    assert (seen[OPEN].protected, seen[TODAY].protected) == (False, True)
    assert seen[OPEN].hidden_columns == [1]
    line = ["CMP-000003-k", "T-003", "2026-09-28 14:03", "已解决", "说明03", "0138"]
    assert seen[OPEN].shown[4] == line
    assert seen[OPEN].values[4][2] == pytest.approx(46293 + (14 * 60 + 3) / 1440)
    assert seen[OPEN].formulas[4][1] == '=HYPERLINK("http://127.0.0.1/c/3";"T-003")'


@pytest.fixture
def own(tmp_path: Path, calc: Calc) -> Iterator[Calc]:
    """A second person with a LibreOffice of his own, whom a test may harm."""
    own = Calc(tmp_path / "own", person="SECOND")
    yield own
    own.end()


def processes(group: int | None) -> list[str]:
    """The living processes of a driver's group."""
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    lines = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [line[2] for line in lines if line[0] == str(group) and not line[1].startswith("Z")]


def test_two_people_do_not_meet(own: Calc, calc: Calc, path: Path) -> None:
    with own.open(path), pytest.raises(CalcRefused, match="not opened"):
        calc.edit(path, [])
    assert calc.edit(path, []) == []


def test_a_program_that_died_is_started_anew(own: Calc, path: Path) -> None:
    own.edit(path, [])
    assert own.group is not None
    os.killpg(own.group, signal.SIGKILL)
    # Whoever asks before the system has noticed is told; afterwards it is simply started anew.
    with suppress(CalcError):
        own.ask("values", path=str(path))
    assert own.edit(path, [step("type", cell="E5", text="again")])[0]["refused"] is None
    assert told(path)["E5"].value == "again"


def test_the_end_leaves_no_process(own: Calc, path: Path) -> None:
    own.open(path)
    group = own.group
    assert any("soffice" in line for line in processes(group))
    own.end()
    assert processes(group) == []
    assert not path.with_name(f".~lock.{path.name}#").exists()


def test_a_driver_whose_tests_were_killed_ends_by_itself(tmp_path: Path) -> None:
    command = [PYTHON, str(MACRO), str(tmp_path / "profile"), PERSON]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as macro:
        assert macro.stdin is not None
        assert macro.stdout is not None
        assert b"ready" in macro.stdout.readline()
        macro.stdin.close()
        macro.wait(20)
        time.sleep(0.2)  # the last of the group is ended after it
    assert processes(macro.pid) == []
