"""Fields of regulations and of their forms as columns of a department's file, two side by side."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from enums import Audience
from models import Complaint, WorkbookTab
from policy.vocabulary.errors import ChoiceUnknown
from services.cases import forms
from services.workbooks import layout, layout_changes
from tests import suppliers
from tests.company import Office, at
from tests.sync.folder import Files, outcome

CAUSE = "form.survey.cause"
NOW = at(9, 28, 10)


@pytest.fixture
def both(files: Files) -> Files:
    """The files of a company under two regulations."""
    with files.office() as office:
        suppliers.publish(office.session)
    return files


def tab_of(session: Session, key: str = "open") -> WorkbookTab:
    return next(tab for tab in layout.tabs(session, Audience.department) if tab.key == key)


def choose(office: Office, name: str, header: str) -> None:
    """Let the departments' files show a field of a regulation."""
    layout_changes.add_column(
        office.session,
        tab_of(office.session),
        name,
        header=header,
        width=20,
        position=99,
        on=NOW.date(),
    )


def surveyed(office: Office, **data: Any) -> Complaint:
    complaint = suppliers.case(office.session, now=NOW)
    said = {"cause": "料架磨损", "pieces": 3, "stopped": True, "defect": "crack"} | data
    forms.fill(
        office.session,
        complaint,
        form="survey",
        data=said,
        actor=office.by("mechanic"),
        now=NOW,
    )
    return complaint


def test_every_declared_field_can_be_chosen_and_nothing_else(both: Files) -> None:
    with both.office() as office:
        left = layout.addable_fields(office.session, tab_of(office.session), on=NOW.date())
        assert {"extra.batch", CAUSE, "form.survey.tools"} <= set(left)
        assert not any(name.startswith("form.duty.") for name in left)
        with pytest.raises(ChoiceUnknown):
            choose(office, "form.none.cause", "原因")


def test_a_field_of_a_form_shows_its_last_filling_in_the_file(both: Files) -> None:
    with both.office() as office:
        choose(office, CAUSE, "查验原因")
        choose(office, "form.survey.defect", "查验缺陷")
        complaint = surveyed(office)
        number, identity = complaint.number, complaint.id
    both.settle()
    row = both.rows()[number]
    assert (row["查验原因"], row["查验缺陷"]) == ("料架磨损", "裂纹")
    assert (row["批号"], row["停线"], row["货值"]) == ("B-7", "是", "800.00")
    with both.office() as office:
        forms.fill(
            office.session,
            office.session.get_one(Complaint, identity),
            form="survey",
            data={"cause": "吊具磨损", "pieces": 1, "stopped": False},
            actor=office.by("mechanic"),
            now=both.now - dt.timedelta(seconds=1),
        )
    both.settle()
    row = both.rows()[number]
    assert row["查验原因"] == "吊具磨损"
    assert not row.get("查验缺陷")


def test_an_edit_in_a_field_of_a_form_is_put_back(both: Files) -> None:
    with both.office() as office:
        choose(office, CAUSE, "查验原因")
        number = surveyed(office).number
    both.settle()
    hands = both.hands()
    tab = hands.tab()
    place = next(cell.column for cell in tab[1] if cell.value == "查验原因")
    tab.cell(hands.line(number), place).value = "没有原因"
    hands.save()
    both.settle()
    assert both.rows()[number]["查验原因"] == "料架磨损"


def test_two_regulations_stand_in_one_file_each_with_its_own_numbers_and_fields(
    both: Files,
) -> None:
    with both.office() as office:
        goods = suppliers.case(office.session, now=NOW).number
        car = office.dispatched().number
    both.settle()
    rows = both.rows()
    assert {goods[:2], car[:2]} == {"GH", "TS"}
    assert {goods, car} <= set(rows)
    assert rows[goods]["批号"] == "B-7"
    assert not rows[car].get("批号")


def test_a_department_sees_no_case_of_another_whatever_the_regulation(both: Files) -> None:
    with both.office() as office:
        goods = suppliers.case(office.session, now=NOW).number
    both.settle("sales")
    assert goods not in both.rows("sales")


def test_a_department_answers_a_case_of_the_second_regulation_in_its_file(both: Files) -> None:
    with both.office() as office:
        complaint = suppliers.case(office.session, now=NOW)
        number, identity = complaint.number, complaint.id
    both.settle()
    hands = both.hands()
    hands.type(number, handler="mechanic (2005)", outcome=outcome("solved"), answer="已换料架")
    hands.save()
    both.settle()
    with both.office() as office:
        found = office.session.get_one(Complaint, identity)
        assert found.status.value == "replied"
