"""The tabs Redress makes wholly: today, finished cases, the guide, people, the wage months."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from database import reading
from models import Complaint
from services.cases import penalties, sweep
from services.company import people
from sync.mirror.look import LookOutcome
from tests.company import Office, at
from tests.sync.folder import Files, _text, header, title

PAYROLL = "payroll"


def lines(files: Files, tab: str, name: str = "after_sales") -> list[dict[str, str]]:
    """A tab's lines as somebody reads them: header and text."""
    return list(files.rows(name, tab).values())


def months(files: Files) -> dict[str, list[list[str]]]:
    """The rows below the header of every wage month that has any."""
    found = {
        tab.title: [[_text(cell.value) for cell in row] for row in tab.iter_rows(min_row=2)]
        for tab in files.hands(PAYROLL).book
        if tab.title.startswith("2026-")
    }
    filled = {name: [row for row in rows if any(row)] for name, rows in found.items()}
    return {name: rows for name, rows in filled.items() if rows}


# ---------------------------------------------------------------- today


def test_today_shows_what_needs_somebody_the_most_urgent_first(files: Files) -> None:
    with files.office() as office:
        overdue = office.dispatched(subject="逾期").number
        again = office.restarted(subject="重启").number
        today = office.registered(channel="csc", now=at(10, 8, 9), received_at=at(10, 8, 9))
        office.dispatch(today, at(10, 8, 9, 5))
        today_number = today.number
        later = office.registered(now=at(10, 8, 9), received_at=at(10, 8, 9))
        office.dispatch(later, at(10, 8, 9, 5))
        refused = office.registered(now=at(10, 8, 9), received_at=at(10, 8, 9))
        office.dispatch(refused, at(10, 8, 9, 5))
        answered = office.confirmed(subject="已确认").number
        numbers = {"later": later.number, "refused": refused.number}
    files.now = at(10, 8, 10, 30)
    files.settle()
    hands = files.hands()
    hands.type(numbers["refused"], handler="没有这个人")
    files.tick(8)
    hands.save()
    files.settle()
    shown = {line[header("number")]: line[header("why")] for line in lines(files, "today")}
    assert shown[overdue] == "已逾期"
    assert shown[numbers["refused"]] == "未采用"
    assert again in shown
    assert today_number in shown
    assert numbers["later"] not in shown
    assert answered not in shown
    due = [line[header("due_at")] for line in lines(files, "today")]
    assert due == sorted(due)


def test_a_case_moves_to_the_tab_of_today_when_its_time_runs_out(files: Files) -> None:
    with files.office() as office:
        number = office.dispatched().number  # due on 8 October at ten
    files.now = at(10, 7, 9)
    files.settle()
    assert lines(files, "today") == []
    files.now = at(10, 8, 9)
    files.settle()
    assert [line[header("why")] for line in lines(files, "today")] == ["今天到期"]
    files.now = at(10, 8, 10, 1)
    files.settle()
    (line,) = lines(files, "today")
    assert (line[header("number")], line[header("why")]) == (number, "已逾期")


def test_what_somebody_types_into_a_generated_tab_is_put_back(files: Files) -> None:
    with files.office() as office:
        office.dispatched()
        number = office.closed().number
    files.now = at(10, 8, 10, 1)
    files.settle()
    before = {tab: lines(files, tab) for tab in ("today", "closed")}
    hands = files.hands()
    for tab in ("today", "closed", "guide", "people"):
        workbook = hands.tab(tab)
        workbook.cell(2, 2).value = "乱写"
        if tab != "people":  # there the third column is nobody's, so what stands in it stays
            workbook.cell(2, 3).value = "乱写"
        workbook.cell(workbook.max_row + 3, 2).value = "多余的一行"
    files.tick(60)
    hands.save()
    files.settle()
    assert lines(files, "today") == before["today"]
    files.tick(3700)  # finished cases are many; they are compared every hour
    files.settle()
    assert {tab: lines(files, tab) for tab in before} == before
    after = files.hands()
    said = [cell for tab in after.book for row in tab.iter_rows(values_only=True) for cell in row]
    assert "乱写" not in said
    assert "多余的一行" not in said
    assert number in files.rows(tab="closed")
    assert files.look() is LookOutcome.quiet


# ---------------------------------------------------------------- closed, guide, people


def test_a_closed_case_moves_to_its_tab_without_the_telephone_number(files: Files) -> None:
    with files.office() as office:
        open_number, closed = office.dispatched().number, office.closed().number
    files.now = at(9, 28, 18)
    files.settle()
    assert list(files.rows()) == [open_number]
    (line,) = lines(files, "closed")
    assert line[header("number")] == closed
    assert line[header("feedback")] == "好了"
    assert header("phone") not in [cell.value for cell in files.hands().tab("closed")[1]]


def test_a_closed_case_leaves_after_ninety_days(files: Files) -> None:
    with files.office() as office:
        number = office.closed().number
    for days, there in ((1, True), (89, True), (92, False)):
        files.now = at(9, 28, 18) + dt.timedelta(days=days)
        files.settle()
        assert (number in files.rows(tab="closed")) is there


def test_the_guide_says_whose_file_it_is_and_when_it_was_written(files: Files) -> None:
    with files.office() as office:
        office.dispatched()
    files.settle()
    rows = list(files.hands().tab("guide").iter_rows(min_row=2, values_only=True))
    text = "\n".join(str(cell) for row in rows for cell in row)
    assert "after_sales department" in text
    assert "http://redress.test" in text
    assert "2026-09-28 10:05" in text
    files.tick(600)
    assert files.look() is LookOutcome.quiet, "an old time of writing is no reason to write"


def test_the_list_of_people_has_the_department_only_and_follows_who_comes(files: Files) -> None:
    files.settle()
    listed = [row[1].value for row in files.hands().tab("people").iter_rows(min_row=2)]
    assert listed == ["director (2001)", "manager (2002)", "mechanic (2005)", "colleague (2006)"]
    with files.office() as office:
        people.add_employee(
            office.session, number="2003", name="新人", department=office.department("after_sales")
        )
        office.dispatched()
    files.settle()
    listed = [row[1].value for row in files.hands().tab("people").iter_rows(min_row=2)]
    assert listed[2] == "新人 (2003)"
    assert len(listed) == 5


# ---------------------------------------------------------------- the wage months


def charged(office: Office, *, day: int = 12) -> Complaint:
    """A case that was answered too late, and whose director was told what that costs."""
    case = office.dispatched()
    sweep.pass_time(office.session, case.number, now=at(10, 9, 9))
    charge = office.penalty(case, "late_close")
    penalties.confirm(office.session, charge, actor=office.by("care_director"), now=at(10, day, 9))
    penalties.notify(
        office.session, charge, how="签字", actor=office.by("specialist"), now=at(10, day, 9)
    )
    return case


def test_the_wage_months_list_what_the_payroll_lists(files: Files) -> None:
    files.now = at(11, 2, 9)
    assert files.settle(PAYROLL)[-1] is LookOutcome.quiet
    assert months(files) == {}
    with files.office() as office:
        numbers = [charged(office).number, charged(office, day=23).number]
    assert files.look(PAYROLL) is LookOutcome.wrote, "a new penalty is news"
    with reading(files.engine) as session:
        expected = {
            name: {
                share.employee.number: share.total for share in penalties.month_list(session, name)
            }
            for name in penalties.months(session)
        }
    assert sum(sum(of.values()) for of in expected.values()) == Decimal(400)
    hands = files.hands(PAYROLL)
    found: dict[str, dict[str, Decimal]] = {}
    for name, rows in months(files).items():
        tab = hands.book[name]
        heads = [cell.value for cell in tab[1]]
        who, sum_at = heads.index(header("employee_number")), heads.index(header("amount"))
        for row in rows:
            of = found.setdefault(name, {})
            of[row[who]] = of.get(row[who], Decimal(0)) + Decimal(row[sum_at])
    assert found == expected
    said = str(months(files))
    assert all(number in said for number in numbers)
    assert files.look(PAYROLL) is LookOutcome.quiet


def test_the_wage_months_are_locked_and_an_edit_is_put_back(files: Files) -> None:
    files.now = at(11, 2, 9)
    with files.office() as office:
        charged(office)
    files.settle(PAYROLL)
    before = months(files)
    hands = files.hands(PAYROLL)
    (name,) = before
    tab = hands.book[name]
    assert isinstance(tab, Worksheet)
    assert tab.protection.sheet
    amount = [cell.value for cell in tab[1]].index(header("amount")) + 1
    tab.cell(2, amount).value = 1
    tab.cell(3, amount).value = 999
    files.tick(60)
    hands.save()
    files.settle(PAYROLL)
    assert months(files) == before


def test_a_reversal_gives_the_sum_back_in_a_line_of_its_own(files: Files) -> None:
    files.now = at(11, 2, 9)
    with files.office() as office:
        case = charged(office)
        charge = office.penalty(case, "late_close")
        penalties.reverse(
            office.session, charge, reason="计错", actor=office.by("care_director"), now=files.now
        )
    files.settle(PAYROLL)
    assert sum(len(rows) for rows in months(files).values()) == 1, "proposed is not in the list"


def test_the_hr_file_has_a_tab_for_each_month_of_its_year(files: Files) -> None:
    files.settle(PAYROLL)
    titles = files.hands(PAYROLL).book.sheetnames
    assert titles == [*(f"2026-{month:02d}" for month in range(1, 13)), title("guide")]


@pytest.mark.parametrize("name", ["sales", "parts", "workshop"])
def test_a_department_without_cases_has_an_empty_file(files: Files, name: str) -> None:
    with files.office() as office:
        office.dispatched()
    files.settle(name)
    assert files.rows(name) == {}
    assert lines(files, "today", name) == []
