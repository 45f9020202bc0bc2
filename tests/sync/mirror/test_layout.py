"""A layout changed in the record reaches a file that exists, and spares what is not ours."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Audience
from models import WorkbookColumn, WorkbookTab
from services.regulation import declared
from services.workbooks import layout
from sync.mirror.look import LookOutcome
from tests.company import regulation
from tests.sync.folder import AFTER_SALES, Files, cells, header, outcome, title

OWN = "我的备注"


def of(session: Session, key: str) -> WorkbookTab:
    """A tab of the departments' files."""
    return next(tab for tab in layout.tabs(session, Audience.department) if tab.key == key)


def column(session: Session, name: str, tab: str = "open") -> WorkbookColumn:
    return next(one for one in of(session, tab).columns if one.field == name)


def extra() -> tuple[str, str]:
    """A field of the regulation: its key, and its label."""
    entry = regulation()["field"][0]
    return declared.EXTRA + entry["key"], entry["label"]


@pytest.fixture
def number(files: Files) -> str:
    """A case in a file in which somebody has a column of his own."""
    with files.office() as office:
        found = office.dispatched().number
    files.settle()
    hands = files.hands()
    tab = hands.tab()
    place = tab.max_column + 1
    tab.cell(1, place).value, tab.cell(hands.line(found), place).value = OWN, "周三回电"
    hands.save()
    files.settle()
    return found


def heads(files: Files, tab: str = "open") -> list[Any]:
    """The headers of a tab from left to right."""
    return [cell.value for cell in files.hands().tab(tab)[1] if cell.value]


def changed(files: Files) -> None:
    """Let the next passes take the new layout over, however many they need."""
    files.tick(4000)
    outcomes = files.settle()
    assert LookOutcome.wrote in outcomes
    assert outcomes[-1] is LookOutcome.quiet


def own(files: Files, number: str) -> str:
    return files.rows()[number][OWN]


def test_a_new_header_is_written_over_the_old_one(files: Files, number: str) -> None:
    with files.office() as office:
        column(office.session, "answer").header = "处理说明"
    changed(files)
    assert "处理说明" in heads(files)
    assert header("answer") not in heads(files)
    assert own(files, number) == "周三回电"
    hands = files.hands()
    place = heads(files).index("处理说明") + 1
    shift = 1 if hands.tab()[1][0].value is None else 0
    hands.tab().cell(hands.line(number), place + shift).value = "换了轴承"
    hands.type(number, handler="2005", outcome=outcome("solved"))
    files.tick(60)
    hands.save()
    files.settle()
    assert files.rows()[number]["处理说明"] == "换了轴承"
    assert cells(files.rows()[number], "outcome") == ("已解决",)


def test_a_column_that_is_switched_off_is_left_where_it_is_and_not_read(
    files: Files, number: str
) -> None:
    with files.office() as office:
        column(office.session, "progress").active = False
    files.tick(4000)
    files.settle()
    assert header("progress") in heads(files), "people may have built upon it"
    hands = files.hands()
    hands.type(number, progress="没有人再看")
    files.tick(60)
    hands.save()
    files.settle()
    assert cells(files.rows()[number], "progress") == ("没有人再看",)
    assert files.changes()[-1].field != "progress"
    assert own(files, number) == "周三回电"


def test_a_new_column_is_put_behind_everything_anybody_uses(files: Files, number: str) -> None:
    with files.office() as office:
        office.session.add(
            WorkbookColumn(
                tab=of(office.session, "open"),
                position=90,
                field="status",
                header="状态",
                width=14,
            )
        )
    changed(files)
    assert heads(files).index("状态") > heads(files).index(OWN)
    assert files.rows()[number]["状态"] != ""
    assert own(files, number) == "周三回电"


def test_a_field_of_the_regulation_gets_a_column_of_its_own(files: Files, number: str) -> None:
    name, label = extra()
    with files.office() as office:
        assert label in heads(files), "every field is shown until somebody chooses"
        column(office.session, layout.EXTRAS).active = False
        tab = of(office.session, "open")
        assert name in layout.addable_fields(office.session, tab, on=files.now.date())
        office.session.add(
            WorkbookColumn(tab=tab, position=90, field=name, header="我们的叫法", width=14)
        )
    changed(files)
    assert "我们的叫法" in heads(files)
    with files.office() as office:
        tab = of(office.session, "open")
        assert name not in layout.addable_fields(office.session, tab, on=files.now.date())


def test_another_order_is_for_new_files_and_moves_nothing_in_an_old_one(
    files: Files, number: str
) -> None:
    before = heads(files)
    with files.office() as office:
        grade, answer = column(office.session, "grade"), column(office.session, "answer")
        grade.position, answer.position = answer.position, grade.position
    files.tick(4000)
    files.settle()
    assert heads(files) == before
    files.settle("sales")
    new = [cell.value for cell in files.hands("sales").tab()[1]]
    assert new.index(header("grade")) < new.index(header("until"))


def test_other_statuses_move_cases_to_another_tab(files: Files, number: str) -> None:
    with files.office() as office:
        confirmed = office.confirmed().number
    files.now = files.now.replace(hour=15, minute=30)
    files.settle()
    assert {number, confirmed} <= set(files.rows())
    with files.office() as office:
        tab = of(office.session, "open")
        tab.statuses = [name for name in tab.statuses if name != "confirmed"]
    changed(files)
    assert set(files.rows()) == {number}
    assert own(files, number) == "周三回电"


def test_a_new_title_is_for_new_files(files: Files, number: str) -> None:
    with files.office() as office:
        of(office.session, "open").title = "手头的案件"
    files.tick(4000)
    files.settle()
    assert title("open") in files.hands().book.sheetnames
    files.settle("sales")
    assert "手头的案件" in files.hands("sales").book.sheetnames


def test_every_field_of_a_tab_is_one_that_can_be_shown(files: Files) -> None:
    with files.office() as office:
        for audience in Audience:
            for tab in layout.tabs(office.session, audience):
                names = {one.field for one in tab.columns}
                assert layout.NEEDED_FIELDS[tab.key] <= names
                assert names - {layout.EXTRAS} <= set(layout.FIELDS)


@pytest.mark.parametrize("tab", ["today", "closed"])
def test_a_telephone_number_cannot_be_chosen_for_these_tabs(files: Files, tab: str) -> None:
    with files.office() as office:
        found = layout.addable_fields(office.session, of(office.session, tab), on=files.now.date())
        assert "phone" not in found
        assert "amount" not in found
        assert "ground" not in found


def test_the_first_run_is_repeated_without_effect(files: Files) -> None:
    with files.office() as office:
        count = sa.select(sa.func.count(WorkbookColumn.id))
        before = office.session.scalar(count)
        layout.add_missing_tabs(office.session, title=title, header=header)
        assert office.session.scalar(count) == before
        years = [files.now.year]
        made = layout.add_missing_workbooks(
            office.session, on=files.now.date(), years=years, name=lambda _: AFTER_SALES
        )
        assert made == []
