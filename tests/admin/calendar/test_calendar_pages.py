"""The pages of the calendar: a change is shown first and carried out with a reason."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from database import reading, writing
from enums import Role
from files.tables_out import OutputTab, write_xlsx
from models import Calendar, CalendarVersion, Complaint, Deadline, Journal, WorkRequest
from policy.vocabulary.worktime import DayKind
from services.calendar import changes, working_calendar
from services.cases import journal, record, recounting
from tests.company import Office

Save = Callable[..., str]


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


@pytest.fixture
def administrator(log_in: Any) -> str:
    """The visitor is an administrator."""
    return str(log_in(Role.administrator, username="administrator"))


@pytest.fixture
def save(client: FlaskClient, csrf: Any) -> Save:
    """`save(path, **fields)`: the page after the form was sent; its text."""

    def save(path: str, /, **fields: Any) -> str:
        answer = client.post(path, data={"csrf_token": csrf(), **fields}, follow_redirects=True)
        assert answer.status_code == 200
        return answer.text

    return save


@pytest.fixture
def due(engine: Engine) -> Callable[[], tuple[dt.datetime, dt.date]]:
    """`due()`: when the case that begins now is due, and the working day after today."""
    now = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    with writing(engine) as session:
        office = Office(session)
        complaint = office.registered(received_at=now, now=now)
        office.dispatch(complaint, now)

    def due() -> tuple[dt.datetime, dt.date]:
        with reading(engine) as session:
            clock = session.scalars(sa.select(Deadline).where(Deadline.key == "close_a")).one()
            calendar = working_calendar.work_calendar(session)
            assert clock.due_at is not None
            return clock.due_at, calendar.add_days(calendar.local(now).date(), 1)

    return due


def marks(page: str) -> dict[str, str]:
    """What a form remembers of what its sender saw."""
    found = {}
    for name in ("seen", "shown", "source"):
        match = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
        found[name] = match.group(1) if match else ""
    return found


def standing(engine: Engine) -> CalendarVersion:
    with reading(engine) as session:
        calendar = session.scalars(sa.select(Calendar)).one()
        return working_calendar.current_version(session, calendar)


# ---------------------------------------------------------------- a day


def test_a_day_is_previewed_and_then_carried_out(
    administrator: str, save: Save, engine: Engine, due: Any
) -> None:
    before, tomorrow = due()
    path = f"/admin/calendar/day/{tomorrow}"
    page = save(path, kind="rest", note="盘点", do="preview")
    assert "项期限变动" in page
    assert "盘点" in page
    assert due()[0] == before
    assert standing(engine).number == 1

    page = save(path, kind="rest", note="盘点", reason="年终盘点", do="carry_out", **marks(page))
    assert "日历已变更" in page
    assert due()[0] > before
    with reading(engine) as session:
        complaint = session.scalars(sa.select(Complaint)).one()
        row = session.scalars(sa.select(Journal).where(Journal.event == "recounted")).one()
        assert row.data["reason"] == "年终盘点"
        assert journal.fold_journal(session, complaint) == record.facts_of(session, complaint)
        asked = session.scalars(sa.select(WorkRequest)).one()
        assert (asked.kind, asked.done_at) == (recounting.REQUEST, None)
    assert (standing(engine).reason, standing(engine).made_by) == ("年终盘点", "administrator")
    assert "年终盘点" in page


def test_what_was_not_looked_at_is_not_carried_out(
    administrator: str, save: Save, engine: Engine, due: Any
) -> None:
    _before, tomorrow = due()
    path = f"/admin/calendar/day/{tomorrow}"
    page = save(path, kind="rest", note="盘点", do="preview")
    # Somebody changes his mind after the preview and presses the other button.
    page = save(path, kind="half", note="盘点", reason="-", do="carry_out", **marks(page))
    assert "将产生以下变化" in page
    assert standing(engine).number == 1
    save(path, kind="half", note="盘点", reason="-", do="carry_out", **marks(page))
    with reading(engine) as session:
        assert working_calendar.work_calendar(session).kind(tomorrow) is DayKind.half


def test_a_change_without_a_reason_is_refused_and_keeps_what_was_typed(
    administrator: str, save: Save, engine: Engine, due: Any
) -> None:
    _before, tomorrow = due()
    path = f"/admin/calendar/day/{tomorrow}"
    page = save(path, kind="rest", note="盘点", do="preview")
    page = save(path, kind="rest", note="盘点", do="carry_out", **marks(page))
    assert "field-wrong" in page
    assert 'value="盘点"' in page
    assert "项期限变动" in page
    assert standing(engine).number == 1


def test_a_day_without_a_note_is_refused_at_its_field(
    administrator: str, save: Save, due: Any
) -> None:
    _before, tomorrow = due()
    page = save(f"/admin/calendar/day/{tomorrow}", kind="rest", note=" ", do="preview")
    assert "field-wrong" in page


def test_the_usual_comes_back(administrator: str, save: Save, engine: Engine, due: Any) -> None:
    before, tomorrow = due()
    path = f"/admin/calendar/day/{tomorrow}"
    for said in ({"kind": "rest", "note": "盘点"}, {"kind": "usual", "note": ""}):
        page = save(path, **said, do="preview")
        save(path, **said, reason="-", do="carry_out", **marks(page))
    assert due()[0] == before
    with reading(engine) as session:
        clock = session.scalars(sa.select(Deadline).where(Deadline.key == "close_a")).one()
        assert [r.reason for r in clock.revisions] == ["calendar", "calendar"]


def test_a_form_that_is_out_of_date_says_so_and_is_looked_at_again(
    administrator: str, save: Save, engine: Engine, due: Any
) -> None:
    _before, tomorrow = due()
    path = f"/admin/calendar/day/{tomorrow}"
    page = save(path, kind="rest", note="盘点", do="preview")
    seen = marks(page)
    save("/admin/calendar/hours", slots="09:00-17:00", half_slots="09:00-12:00", do="preview")
    with writing(engine) as session:
        changes.apply_change(
            session,
            changes.lock_calendar(session),
            changes.company_day(dt.date(2026, 3, 4), DayKind.rest, "-"),
            reason="-",
            actor="-",
            now=dt.datetime.now(dt.UTC),
        )
    page = save(path, kind="rest", note="盘点", reason="-", do="carry_out", **seen)
    assert "将产生以下变化" in page
    assert standing(engine).number == 2


def test_the_list_of_what_moves_can_be_downloaded(
    administrator: str, client: FlaskClient, csrf: Any, due: Any
) -> None:
    _before, tomorrow = due()
    answer = client.post(
        f"/admin/calendar/day/{tomorrow}",
        data={"csrf_token": csrf(), "kind": "rest", "note": "盘点", "do": "download"},
    )
    assert answer.mimetype == "text/csv"
    assert "SKD-" in answer.text
    assert "盘点" in answer.text


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "9999-01-01"])
def test_a_day_that_is_none_is_no_page(day: str, administrator: str, client: FlaskClient) -> None:
    assert client.get(f"/admin/calendar/day/{day}").status_code == 404


# ---------------------------------------------------------------- hours


@pytest.mark.parametrize(
    ("slots", "named"),
    [
        ("08:30-08:30", "08:30-08:30"),
        ("08:30-12:00, 11:00-17:30", "08:30-12:00, 11:00-17:30"),
        ("half past eight", "half past eight"),
        ("25:00-26:00", "25:00-26:00"),
    ],
)
def test_hours_that_are_no_hours_are_refused_by_name_and_kept(
    slots: str, named: str, administrator: str, save: Save, engine: Engine
) -> None:
    page = save("/admin/calendar/hours", slots=slots, half_slots="08:30-12:00", do="preview")
    assert f"办公时间 {named} 不能使用" in page
    assert f'value="{slots}"' in page
    assert standing(engine).number == 1


def test_hours_are_typed_as_people_write_them(
    administrator: str, save: Save, engine: Engine
) -> None:
    typed = {"slots": "9:00—12:00；13：00至18:00", "half_slots": ""}
    page = save("/admin/calendar/hours", **typed, do="preview")
    save("/admin/calendar/hours", **typed, reason="夏令时", do="carry_out", **marks(page))
    assert standing(engine).slots == [["09:00", "12:00"], ["13:00", "18:00"]]
    assert standing(engine).half_slots == []


# ---------------------------------------------------------------- a year


LINES = "2027-01-01, 放假, 元旦\n2027-01-02, 放假, 元旦\n2027-01-09, 调休上班, 元旦"


def test_a_year_is_typed_previewed_and_loaded(
    administrator: str, save: Save, engine: Engine
) -> None:
    page = save("/admin/calendar/year/2027", lines=LINES, do="preview")
    assert "01-09" in page
    save("/admin/calendar/year/2027", lines=LINES, reason="公告", do="carry_out", **marks(page))
    with reading(engine) as session:
        stored = working_calendar.work_calendar(session)
        assert stored.coverage_until == dt.date(2027, 12, 31)
        assert stored.kind(dt.date(2027, 1, 9)) is DayKind.makeup


def test_every_bad_line_is_told_at_once_and_no_line_is_lost(
    administrator: str, save: Save, engine: Engine
) -> None:
    text = "2027-01-01, 放假, 元旦\n2027-02-30, 放假, 春节\n2027-01-04, 上班, 元旦"
    page = save("/admin/calendar/year/2027", lines=text, do="preview")
    assert "第 2 行" in page
    assert "第 3 行" in page
    assert text in page
    assert standing(engine).number == 1


def test_a_workbook_fills_the_lines_and_its_name_is_the_source(
    administrator: str, save: Save, engine: Engine, tmp_path: Path
) -> None:
    book = tmp_path / "放假安排.xlsx"
    rows: list[list[Any]] = [
        [dt.date(2027, 1, 1), "放假", "元旦"],
        [dt.date(2027, 1, 9), "调休上班", "元旦"],
    ]
    write_xlsx(book, [OutputTab("2027", ["日期", "类型", "说明"], rows)])
    upload = (io.BytesIO(book.read_bytes()), book.name)
    page = save("/admin/calendar/year/2027", file=upload, lines="", do="preview")
    assert "2027-01-09, 调休上班, 元旦" in page
    kept = marks(page)
    assert kept["source"] == book.name
    text = "2027-01-01, 放假, 元旦\n2027-01-09, 调休上班, 元旦"
    save("/admin/calendar/year/2027", lines=text, reason="-", do="carry_out", **kept)
    with Session(engine) as session:
        months = working_calendar.year_view(
            session, session.scalars(sa.select(Calendar)).one(), 2027
        )
        assert months[0].days[8].source == book.name


def test_a_table_with_bad_lines_stands_in_the_form_whole(administrator: str, save: Save) -> None:
    table = "日期,类型,说明\n2027-01-01,放假,元旦\n元月二号,放假,元旦\n2027-01-03,半天,\n"
    upload = (io.BytesIO(table.encode("gb18030")), "2027.csv")
    page = save("/admin/calendar/year/2027", file=upload, lines="", do="preview")
    assert "元月二号, 放假, 元旦" in page
    assert "第 2 行" in page
    assert "第 3 行" in page


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\x89PNG....", "2027.csv"), (b"", "2027.xlsx"), (b"a,b\n1,2\n", "2027.csv")],
)
def test_a_file_that_is_no_such_table_is_refused_and_the_lines_stay(
    content: bytes, name: str, administrator: str, save: Save
) -> None:
    upload = (io.BytesIO(content), name)
    page = save("/admin/calendar/year/2027", file=upload, lines=LINES, do="preview")
    assert "field-wrong" in page
    assert "2027-01-09, 调休上班, 元旦" in page


def test_a_year_that_leaves_another_out_is_no_page(administrator: str, client: FlaskClient) -> None:
    assert client.get("/admin/calendar/year/2029").status_code == 404
    assert client.get("/admin/calendar/year/2027").status_code == 200


def test_a_year_that_stands_already_shows_its_plan(administrator: str, client: FlaskClient) -> None:
    assert "2026-10-10, 调休上班, 国庆节" in client.get("/admin/calendar/year/2026").text


# ---------------------------------------------------------------- the year


def test_a_year_shows_what_each_day_is_by_sign_and_word(
    administrator: str, client: FlaskClient
) -> None:
    page = client.get("/admin/calendar/?year=2026").text
    assert 'title="2026-10-01 · 法定节假日 · 国庆节"' in page
    assert ">1<b>休</b></a>" in page
    assert ">10<b>班</b></a>" in page
    assert "/admin/calendar/day/2026-10-01" in page
    assert "day-provisional" not in page
    assert "day-provisional" in client.get("/admin/calendar/?year=2027").text


def test_who_may_not_change_the_calendar_sees_it_without_links(
    log_in: Any, client: FlaskClient
) -> None:
    log_in(Role.hr)
    page = client.get("/admin/calendar/?year=2026").text
    assert ">1<b>休</b></span>" in page
    assert "/calendar/day/" not in page
    assert client.get("/admin/calendar/day/2026-10-01").status_code == 403


def test_a_company_without_a_calendar_loads_its_first(
    administrator: str, client: FlaskClient, save: Save, engine: Engine
) -> None:
    with writing(engine) as session:
        for table in ("calendar_day", "calendar_version", "calendar"):
            session.execute(sa.text(f"DELETE FROM {table}"))
    assert "载入官方年度安排" in client.get("/admin/calendar/").text
    assert client.get("/admin/calendar/hours").status_code == 404
    save("/admin/calendar/begin")
    assert standing(engine).coverage_until.year >= 2026
