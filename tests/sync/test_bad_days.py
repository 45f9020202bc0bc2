"""What people do to a workbook, done by LibreOffice: the case and the file end right.

Sorting, rows, columns, merged cells and what is typed into cells. What makes a pass stop, and
files that are held, locked, lost or old, are in test_worse_days.py.
"""

from __future__ import annotations

import datetime as dt

import pytest

from database import writing
from enums import CellDeed, ProblemKind
from models import Complaint, Department
from policy.vocabulary.status import Status
from services.company import people
from sync.mirror.look import LookOutcome
from tests.company import at
from tests.sync.bad_day import FIFTH, FIRST, FOURTH, OPEN, SECOND, SIXTH, THIRD, Day, on, words
from tests.sync.calc import step
from tests.sync.folder import header, outcome
from wording import workbook_text

TAKEN = [LookOutcome.read, LookOutcome.wrote, LookOutcome.quiet]
"""Inputs wait for a look, then they are taken and answered, then all is quiet."""
REPLIED = ["assigned", "replied"]
STORED = 32_767  # characters of a cell that a workbook can keep


# ---------------------------------------------------------------- sorting and filtering


def test_sorted_and_answered_in_one_save(day: Day) -> None:
    before = day.order()
    day.edit(on("sort", by_field="customer", descending=True), *day.answer(THIRD))
    sorted_ = day.order()
    assert sorted_ != before
    assert day.rest() == TAKEN
    assert day.order() == sorted_
    assert [day.events(place) for place in range(6)] == [[], [], REPLIED, [], [], []]
    assert day.said(THIRD, "handler", "outcome") == ("mechanic (2005)", outcome("solved"))
    assert "已采用" in day.hint(THIRD)
    assert day.problems() == []
    day.ends_right()


def test_sorted_twice_between_two_looks_nothing_is_written(day: Day) -> None:
    day.edit(on("sort", by_field="body"), on("sort", by_field="number", descending=True))
    order, content = day.order(), day.path.read_bytes()
    assert day.rest() == [LookOutcome.read, LookOutcome.quiet]
    assert (day.order(), day.path.read_bytes()) == (order, content)
    day.ends_right()


def test_filtered_sorted_by_the_arrow_and_answered(day: Day) -> None:
    day.edit(
        on("filter", field="customer", keep=["王先生", "周女士", "赵先生"]),
        on("sort_by_arrow", by_field="customer"),
        *day.answer(SIXTH),
    )
    hidden = day.hidden_rows()
    assert len(hidden) == 3
    assert day.rest() == TAKEN
    assert day.events(SIXTH) == REPLIED
    assert day.hidden_rows() == hidden
    day.ends_right()


# ---------------------------------------------------------------- rows


def test_rows_inserted_and_a_new_complaint_typed_into_one(day: Day) -> None:
    line = day.line(THIRD)
    day.edit(
        on("insert_rows", row=line, count=2),
        on("type", row=line + 1, field="customer", text="吴先生"),
        on("type", row=line + 1, field="body", text="天窗漏水"),
        *day.answer(THIRD),
    )
    day.rest()
    assert day.events(THIRD) == REPLIED
    born = day.lines()[line + 1]
    assert born[header("number")] not in day.numbers
    assert "已登记" in born[header("hint")]
    assert line not in day.lines()
    with writing(day.engine) as session:
        new = session.query(Complaint).filter(Complaint.number.not_in(day.numbers)).one()
        assert (new.number, new.body) == (born[header("number")], "天窗漏水")
    day.ends_right()


def test_a_deleted_row_comes_back_and_an_answer_beside_it_is_taken(day: Day) -> None:
    day.edit(on("delete_rows", row=day.numbers[SECOND]), *day.answer(FIFTH))
    day.rest()
    assert day.events(FIFTH) == REPLIED
    assert day.hint(SECOND) == words(workbook_text.row_put_back)
    assert [one.what for one in day.deeds(CellDeed.appended)][-1] is CellDeed.appended
    day.ends_right(without_note=[SECOND])


def test_a_row_cut_and_pasted_elsewhere_is_the_same_row(day: Day) -> None:
    day.edit(on("move_row", row=day.numbers[FIRST], to=day.line(FIFTH)), *day.answer(FIRST))
    assert day.rest() == TAKEN
    assert day.events(FIRST) == REPLIED
    assert day.problems() == []
    day.ends_right()


def test_the_copy_of_a_row_takes_nothing_and_says_so(day: Day) -> None:
    last = max(day.lines()) + 1
    day.edit(
        on("duplicate_row", row=day.numbers[SECOND], to=last),
        on("type", row=last, field="handler", text="2005"),
        on("type", row=last, field="outcome", text=outcome("solved")),
        on("type", row=last, field="answer", text="写在副本里"),
    )
    day.rest()
    assert day.events(SECOND) == []
    assert day.lines()[last][header("hint")] == words(
        workbook_text.row_repeated, day.numbers[SECOND]
    )
    assert day.lines()[last][header("answer")] == "写在副本里"
    kept = {one.field: one.theirs for one in day.problems(ProblemKind.repeated)}
    assert kept["answer"] == "写在副本里"
    day.stays()
    day.edit(on("delete_rows", row=day.line(SECOND)))
    day.rest()
    assert day.events(SECOND) == REPLIED
    assert day.said(SECOND, "answer") == ("写在副本里",)
    day.ends_right()


def test_a_row_copied_over_another_one(day: Day) -> None:
    day.edit(
        on("duplicate_row", row=day.numbers[FIRST], to=day.line(FOURTH), how="over"),
        *day.answer(SIXTH),
    )
    day.rest()
    assert day.events(SIXTH) == REPLIED
    assert day.events(FIRST) == day.events(FOURTH) == []
    rows = [said for said in day.lines().values() if said[header("number")] == day.numbers[FIRST]]
    assert len(rows) == 2
    told = words(workbook_text.row_repeated, day.numbers[FIRST])
    (copy,) = [n for n, said in day.lines().items() if said.get(header("hint")) == told]
    day.edit(on("delete_rows", row=copy))
    day.rest()
    day.ends_right(without_note=[FOURTH])


# ---------------------------------------------------------------- columns


def test_a_renamed_header_is_put_back_and_the_answer_below_it_taken(day: Day) -> None:
    day.edit(
        *day.answer(THIRD),
        on("rename_header", field="outcome", text="结果"),
        on("rename_header", field="answer", text="为什么"),
    )
    day.rest()
    assert day.events(THIRD) == REPLIED
    put_back = [one for one in day.deeds(CellDeed.put_back) if one.row_id is None]
    assert {(one.field, one.before) for one in put_back} == {
        ("outcome", "结果"),
        ("answer", "为什么"),
    }
    day.ends_right()


def test_headers_that_changed_places_do_not_change_what_is_below(day: Day) -> None:
    day.edit(
        on("rename_header", field="progress", text="x"),
        on("rename_header", field="answer", text=header("progress")),
        on("rename_header", column="x", text=header("answer")),
    )
    day.rest()
    assert all(day.events(place) == [] for place in range(6))
    day.ends_right()


@pytest.mark.parametrize("before", ["handler", "answer"])
def test_a_column_inserted_among_ours(day: Day, before: str) -> None:
    day.edit(
        on("insert_column", before_field=before),
        on("type", cell=f"{day.letter(before)}1", text="电话回访人"),
        on("type", cell=f"{day.letter(before)}3", text="小刘"),
        *day.answer(THIRD),
    )
    assert day.rest() == TAKEN
    assert day.events(THIRD) == REPLIED
    assert day.lines()[3]["电话回访人"] == "小刘"
    day.ends_right()


def test_a_column_inserted_before_the_hidden_one(day: Day) -> None:
    day.edit(
        step("insert_column", OPEN, before="A"),
        step("type", OPEN, cell="A1", text="序号"),
        *day.answer(SECOND),
    )
    assert day.rest() == TAKEN
    assert day.events(SECOND) == REPLIED
    assert day.sheet()["A1"].value == "序号"
    day.ends_right()


def test_columns_moved_about(day: Day) -> None:
    day.edit(
        on("move_column", field="answer", before_field="handler"),
        on("move_column", field="customer", before_field="number"),
        *day.answer(FOURTH),
    )
    headers = [cell.value for cell in day.sheet()[1]]
    assert day.rest() == TAKEN
    assert day.events(FOURTH) == REPLIED
    assert [cell.value for cell in day.sheet()[1]][1:] == headers[1:]
    day.ends_right()


def test_a_hidden_column_stays_hidden_and_is_written(day: Day) -> None:
    day.edit(on("hide_column", field="next_step"), *day.answer(FIRST))
    assert day.rest() == TAKEN
    assert day.sheet().column_dimensions[day.letter("next_step")].hidden
    assert day.said(FIRST, "next_step") != ("",)
    day.ends_right()


def test_deleted_columns_come_back_behind_the_others(day: Day) -> None:
    day.edit(*day.answer(FIRST, "第一次说明"))
    day.rest()
    day.edit(
        on("delete_column", field="answer"),
        on("delete_column", field="due_at"),
        on("type", row=day.numbers[SECOND], field="progress", text="在查"),
    )
    day.rest()
    headers = [str(cell.value) for cell in day.sheet()[1] if cell.value]
    assert set(headers[-2:]) == {header("answer"), header("due_at")}
    assert day.said(FIRST, "answer") == ("第一次说明",)
    assert day.events(FIRST) == REPLIED
    assert day.events(SECOND) == ["progressed"]
    day.ends_right()
    day.edit(*day.answer(THIRD))
    assert day.rest() == TAKEN
    assert day.events(THIRD) == REPLIED
    day.ends_right()


# ---------------------------------------------------------------- merged cells


def test_merged_cells_are_left_alone_and_the_row_says_so(day: Day) -> None:
    line = day.line(SECOND)
    first, last = day.letter("customer"), day.letter("phone")
    day.edit(on("merge", range=f"{first}{line}:{last}{line}"), *day.answer(SECOND))
    content = {cell.coordinate: cell.value for cell in day.sheet()[line]}
    day.rest()
    assert day.events(SECOND) == REPLIED
    assert words(workbook_text.cells_merged, ["phone"]) in day.hint(SECOND)
    assert content[f"{last}{line}"] is None
    assert day.said(SECOND, "phone") == ("",)
    day.ends_right(untouched=[(SECOND, "phone")])
    day.edit(on("unmerge", range=f"{first}{line}:{last}{line}"))
    day.rest()
    assert words(workbook_text.cells_merged, []) not in day.hint(SECOND)
    day.ends_right()


def test_answers_merged_over_two_cases_count_for_the_first_only(day: Day) -> None:
    place, _ = sorted((FIRST, SECOND), key=day.line)
    rows = day.line(place), day.line(place) + 1
    below = next(p for p in range(6) if day.line(p) == rows[1])
    columns = [day.letter(name) for name in ("handler", "outcome", "answer")]
    day.edit(
        *day.answer(place),
        *[on("merge", range=f"{letters}{rows[0]}:{letters}{rows[1]}") for letters in columns],
    )
    day.rest()
    assert day.events(place) == REPLIED
    assert day.events(below) == []
    assert words(workbook_text.cells_merged, ["handler", "outcome", "answer"]) in day.hint(below)
    assert words(workbook_text.cells_merged, []) not in day.hint(place)
    day.ends_right()


def test_a_merged_answer_of_the_system_is_told_to_the_administrator(day: Day) -> None:
    line = day.line(THIRD)
    before, hint = day.letter("due_at"), day.letter("hint")
    day.edit(on("merge", range=f"{before}{line}:{hint}{line}"), *day.answer(THIRD))
    day.rest()
    assert day.events(THIRD) == REPLIED
    (problem,) = day.problems()
    assert (problem.code, problem.field) == ("merged", "hint")
    day.ends_right()
    day.edit(on("unmerge", range=f"{before}{line}:{hint}{line}"))
    day.rest()
    assert day.problems() == []
    assert "已采用" in day.hint(THIRD)
    day.ends_right()


# ---------------------------------------------------------------- ids


def test_an_overwritten_id_is_put_back(day: Day) -> None:
    other = day.lines()[day.line(FOURTH)]
    day.edit(
        step("overwrite", OPEN, cell=f"A{day.line(FIRST)}", value="12345"),
        step("overwrite", OPEN, cell=f"A{day.line(SECOND)}", value=None),
        step("overwrite", OPEN, cell=f"A{day.line(THIRD)}", value=_id(day, FOURTH)),
        *day.answer(FIRST),
        *day.answer(THIRD),
    )
    before = {place: _id(day, place) for place in range(6)}
    assert before[FIRST] == "12345"
    day.rest()
    assert day.events(FIRST) == day.events(THIRD) == REPLIED
    assert day.events(FOURTH) == []
    assert day.lines()[day.line(FOURTH)] == other
    ids = [_id(day, place) for place in range(6)]
    assert len(set(ids)) == 6
    assert all(one.startswith("R") for one in ids)
    day.ends_right()


def _id(day: Day, place: int) -> str:
    return str(day.sheet()[f"A{day.line(place)}"].value)


# ---------------------------------------------------------------- what is typed


def test_formulas_and_errors_are_refused_and_stay_where_they_are(day: Day) -> None:
    rows = [day.numbers[place] for place in (FIRST, SECOND, THIRD)]
    day.edit(
        *[on("set_number_format", row=row, field="progress", format="General") for row in rows],
        on("type", row=day.numbers[FIRST], field="progress", text="=1/0"),
        on("type", row=day.numbers[SECOND], field="progress", text="=1+1"),
        on("type", row=day.numbers[THIRD], field="progress", text="=A900*2"),
        on("type", row=day.numbers[THIRD], field="customer", text="=1/0"),
        on("delete_rows", row=900),
        *day.answer(FOURTH),
    )
    day.rest()
    assert [day.events(place) for place in (FIRST, SECOND, THIRD)] == [[], [], []]
    assert day.events(FOURTH) == REPLIED
    said = {one.complaint_id: one.code for one in day.problems(ProblemKind.refused)}
    assert sorted(said.values()) == ["broken", "broken", "formula"]
    assert "#DIV/0!" in day.hint(FIRST)
    assert "公式" in day.hint(SECOND)
    assert words(workbook_text.edits_put_back, ["customer"]) in day.hint(THIRD)
    assert day.said(FIRST, "progress") == ("=1/0",)
    assert "#REF!" in day.said(THIRD, "progress")[0]
    left = [(place, "progress") for place in (FIRST, SECOND, THIRD)]
    day.ends_right(untouched=left)
    day.edit(on("type", row=day.numbers[FIRST], field="progress", text="在拆检"))
    day.rest()
    assert day.events(FIRST) == ["progressed"]
    assert len(day.problems(ProblemKind.refused)) == 2
    day.ends_right(untouched=left[1:])


def test_a_text_that_begins_like_a_formula_stays_a_text(day: Day) -> None:
    day.edit(on("type", row=day.numbers[FIRST], field="progress", text="=1/0"))
    day.rest()
    assert day.events(FIRST) == ["progressed"]
    cell = day.sheet()[f"{day.letter('progress')}{day.line(FIRST)}"]
    assert (cell.value, cell.data_type) == ("=1/0", "s")
    day.ends_right()


def test_a_text_of_60000_characters_is_refused_and_kept(day: Day) -> None:
    day.edit(
        on("type", row=day.numbers[FIRST], field="answer", text="长" * 60_000),
        *day.answer(SECOND, "短" * 5_000),
    )
    day.rest()
    (problem,) = day.problems(ProblemKind.refused)
    assert (problem.code, problem.facts["limit"]) == ("too_long", 20_000)
    assert str(STORED) in day.hint(FIRST)
    assert day.said(FIRST, "answer") == ("长" * STORED,)
    assert day.events(SECOND) == REPLIED
    assert day.said(SECOND, "answer") == ("短" * 5_000,)
    day.ends_right(untouched=[(FIRST, "answer")])


WIDE = "２０２６－０９－２８　１０：３０"


def test_emoji_and_full_width_digits(day: Day) -> None:
    day.edit(
        on("type", row=day.numbers[FIRST], field="handler", text="２００５"),
        on("type", row=day.numbers[FIRST], field="progress", text="客户很生气😡👨‍👩‍👧，已道歉🙏"),
        on("type", row=day.numbers[SECOND], field="handler", text="mechanic（２００５）"),
        on(
            "type",
            row=day.numbers[SECOND],
            field="contacted_at",
            text="２０２６－０９－２８　１０：３０",
        ),
    )
    day.rest()
    assert day.events(FIRST) == ["assigned", "progressed"]
    assert day.said(FIRST, "handler") == ("mechanic (2005)",)
    assert day.said(FIRST, "progress") == ("客户很生气😡👨‍👩‍👧，已道歉🙏",)
    assert sorted(day.events(SECOND)) == ["assigned", "contacted"]
    assert day.problems() == []
    day.ends_right()


SPELLINGS = (
    "2026-09-28 11:00:30",
    "2026/9/28 11:00:30",
    "9月28日 11:00:30",
    "2026年9月28日11点00分30秒",
    "今天上午11:00:30",
)


def test_a_date_in_five_spellings_means_one_time(day: Day) -> None:
    day.files.now = at(9, 28, 11) + dt.timedelta(seconds=40)
    typed = [
        on("type", row=day.numbers[place], field="contacted_at", text=text)
        for place, text in enumerate(SPELLINGS)
    ]
    day.edit(*typed)
    day.rest()
    times = [day.case(place).contacted_at for place in range(5)]
    print([day.hint(p) for p in range(5)], times)
    assert len(set(times)) == 1
    assert [day.events(place) for place in range(5)] == [["contacted"]] * 5
    assert day.problems() == []
    day.ends_right()


def test_a_name_that_two_share_and_one_that_nobody_has(day: Day) -> None:
    with writing(day.engine) as session:
        department = session.query(Department).filter_by(key="after_sales").one()
        for number in ("2101", "2102"):
            people.add_employee(session, number=number, name="张伟", department=department)
    day.rest()
    day.edit(
        *day.answer(FIRST),
        on("type", row=day.numbers[FIRST], field="handler", text="张伟"),
        *day.answer(SECOND),
        on("type", row=day.numbers[SECOND], field="handler", text="李逵"),
        *day.answer(THIRD),
        on("type", row=day.numbers[THIRD], field="handler", text="张伟 2102"),
    )
    day.rest()
    codes = {one.complaint_id: one.code for one in day.problems(ProblemKind.refused)}
    assert codes == {day.case(FIRST).id: "name_shared", day.case(SECOND).id: "name_unknown"}
    assert "张伟" in day.hint(FIRST)
    assert "李逵" in day.hint(SECOND)
    assert day.events(THIRD) == REPLIED
    assert day.said(THIRD, "handler") == ("张伟 (2102)",)
    typed = [(p, f) for p in (FIRST, SECOND) for f in ("handler", "outcome", "answer")]
    day.ends_right(untouched=typed)
    day.edit(on("type", row=day.numbers[FIRST], field="handler", text="2101"))
    day.rest()
    assert day.events(FIRST) == REPLIED
    day.ends_right(untouched=typed[3:])


def test_edits_in_grey_columns_are_put_back(day: Day) -> None:
    day.edit(
        on("type", row=day.numbers[FIRST], field="due_at", text="2027-01-01 10:00"),
        on("type", row=day.numbers[FIRST], field="number", text="T-1"),
        on("clear", row=day.numbers[SECOND], field="body"),
        on("type", row=day.numbers[THIRD], field="confirmed", text="director 2026-09-28 10:00"),
    )
    day.rest()
    assert {one.field for one in day.deeds(CellDeed.put_back)} == {
        *("due_at", "number", "body", "confirmed"),
    }
    assert header("due_at") in day.hint(FIRST)
    assert day.case(THIRD).status is Status.dispatched
    day.ends_right()
