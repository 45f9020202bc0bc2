"""The pages about spreadsheet files: who sees and does what, and what they say."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import wording
from admin.workbooks.problems import ADVICE as SENTENCES
from admin.workbooks.problems import OUTCOMES, marked
from database import reading, writing
from enums import Audience, CellDeed, ProblemKind, Resolution, Role, WorkbookState
from models import (
    Complaint,
    Workbook,
    WorkbookColumn,
    WorkbookLook,
    WorkbookProblem,
    WorkbookRow,
    WorkbookTab,
    WorkRequest,
)
from policy.vocabulary.errors import DomainError
from policy.vocabulary.status import Status
from services.workbooks import layout, resolutions
from tests import filed
from tests.company import Office
from tests.filed import Filed

FILES = "/admin/sheet/"
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


@pytest.fixture
def week(engine: Engine) -> None:
    """A week's files, committed."""
    with writing(engine) as session:
        filed.busy_week(Office(session))


@pytest.fixture
def visit(client: FlaskClient, log_in: Any) -> Callable[..., FlaskClient]:
    """`visit(role)`: such a visitor, who reads English."""

    def visit(role: Role = Role.administrator) -> FlaskClient:
        log_in(role, username=f"the_{role.value}")
        client.set_cookie("lang", "en")
        return client

    return visit


@pytest.fixture
def send(client: FlaskClient, csrf: Any) -> Callable[..., str]:
    """`send(address, **said)`: post a form and read the page it leads to."""

    def send(address: str, **said: Any) -> str:
        answer = client.post(address, data={"csrf_token": csrf(), **said}, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    return send


def read(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return unescape(answer.text)


def id_of(engine: Engine, name: str = "售后部投诉表") -> int:
    with reading(engine) as session:
        return session.scalars(sa.select(Workbook.id).where(Workbook.name == name)).one()


def page_of(engine: Engine, name: str = "售后部投诉表") -> str:
    return f"{FILES}{id_of(engine, name)}/"


def problem_of(engine: Engine, kind: ProblemKind) -> WorkbookProblem:
    with reading(engine) as session:
        found = sa.select(WorkbookProblem).where(WorkbookProblem.kind == kind)
        problem = session.scalars(found).one()
        session.expunge(problem)
        return problem


def choosing(problem: WorkbookProblem) -> str:
    return f"{FILES}{problem.sheet_id}/problem/{problem.id}/"


def looks(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(WorkRequest.key).where(WorkRequest.kind == "look")))


# ---------------------------------------------------------------- the files


def test_no_file_yet_is_a_sentence(visit: Any) -> None:
    assert "There is no file yet." in read(visit(), FILES)


def test_the_list_says_how_every_file_stands(visit: Any, week: None) -> None:
    page = read(visit(), FILES)
    for words in ("In step", "Stopped", "Open elsewhere", "Not read yet", "陈静", "too long ago"):
        assert words in page
    assert re.search(r'<time datetime="[^"]+" title="[^"]+">\d+ seconds? ago</time>', page)
    assert page.index("Only some columns were sorted") < page.index("Several people are called")


def test_the_list_costs_the_same_few_statements_for_many_files(
    visit: Any, week: None, engine: Engine
) -> None:
    client = visit()

    def statements() -> int:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        sa.event.listen(engine_of_app(client), "before_cursor_execute", note)
        read(client, FILES)
        sa.event.remove(engine_of_app(client), "before_cursor_execute", note)
        return len(seen)

    few = statements()
    with writing(engine) as session:
        for number in range(12):
            workbook = Filed(session).sheet(f"表 {number}")
            Filed(session).passed(workbook, 3, taken=1)
    assert statements() == few


def engine_of_app(client: FlaskClient) -> Engine:
    with client.application.app_context():
        found: Engine = client.application.extensions["sqlalchemy"].engine
        return found


ADVICE = {
    "售后部投诉表": "There is nothing to do.",
    "配件部投诉表": "neither reads nor writes the file until somebody decides",
    "销售部投诉表": "陈静 has the file open",
    "处罚 2026": "has not been read yet",
}


@pytest.mark.parametrize("name", sorted(ADVICE))
def test_a_file_s_page_says_what_to_do(visit: Any, week: None, engine: Engine, name: str) -> None:
    assert ADVICE[name] in read(visit(), page_of(engine, name))


def test_a_file_that_is_late_says_where_to_look(visit: Any, week: None, engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(
            sa.update(Workbook).values(complete_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
        )
    page = read(visit(), page_of(engine))
    assert "Look whether the worker runs" in page
    assert "2 hours ago" in page


def test_files_that_are_not_there_are_not_found(visit: Any, week: None, engine: Engine) -> None:
    client = visit()
    for address in ("4711/", f"{2**70}/", "4711/passes/", "4711/pass/1/", f"1/pass/{2**70}/"):
        read(client, FILES + address, 404)
    read(client, page_of(engine) + "pass/999/", 404)
    read(client, page_of(engine) + "deed/burn/", 404)


# ---------------------------------------------------------------- pausing and looking


def test_pausing_asks_and_resuming_goes_on(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    client, here = visit(), page_of(engine)
    assert "data-asks" in read(client, here)
    page = send(here + "deed/pause/")
    assert "The file is paused." in page
    assert "the_administrator paused the file" in page
    assert "Look now" not in page
    page = send(here + "deed/pause/")
    assert "Somebody changed" in page
    page = send(here + "deed/resume/")
    assert "The file goes on." in page
    assert looks(engine) == [str(id_of(engine))]


def test_a_look_is_asked_for_once(visit: Any, send: Any, week: None, engine: Engine) -> None:
    visit()
    for _ in range(2):
        page = send(page_of(engine) + "look/")
    assert "look asked for" in page
    assert looks(engine) == [str(id_of(engine))]


def test_opening_the_address_of_a_deed_does_nothing(visit: Any, week: None, engine: Engine) -> None:
    client, here = visit(), page_of(engine)
    problem = problem_of(engine, ProblemKind.conflict)
    for address in (here + "look/", here + "deed/pause/", choosing(problem)):
        answer = client.get(address)
        assert (answer.status_code, answer.location) == (302, here)
    assert looks(engine) == []


# ---------------------------------------------------------------- problems


def test_a_conflict_shows_three_sides_with_what_differs(
    visit: Any, week: None, engine: Engine
) -> None:
    answer = visit().get(page_of(engine)).text
    assert "更换前轮轴承<mark>，已试车，异响消除</mark>" in answer
    assert "更换<mark>后</mark>轮轴承<mark>，等待客户试车</mark>" in answer


def test_what_was_typed_is_shown_and_never_run(visit: Any, week: None, engine: Engine) -> None:
    with writing(engine) as session:
        problem = session.scalars(
            sa.select(WorkbookProblem).where(WorkbookProblem.kind == ProblemKind.conflict)
        ).one()
        problem.theirs = "<script>alert(1)</script>"
        problem.base = None
    answer = visit().get(page_of(engine)).text
    assert "<script>alert" not in answer
    assert "&gt;" in answer


@pytest.mark.parametrize("kind", list(ProblemKind))
def test_every_choice_has_a_button_with_what_it_does(
    visit: Any, week: None, engine: Engine, kind: ProblemKind
) -> None:
    with writing(engine) as session:
        workbook = Filed(session).sheet(f"表 {kind.value}")
        Filed(session).problem(workbook, kind)
    page = read(visit(), page_of(engine, f"表 {kind.value}"))
    offered = re.findall(r'name="choice" value="(\w+)"', page)
    assert offered == [choice.value for choice in resolutions.CHOICES[kind]]
    assert page.count('class="option"') == len(offered)


def test_choosing_says_that_the_worker_carries_it_out(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    visit()
    problem = problem_of(engine, ProblemKind.conflict)
    page = send(choosing(problem), choice="sheet")
    assert "Decided: The file stands." in page
    assert "the_administrator" in page
    chosen = problem_of(engine, ProblemKind.conflict)
    assert (chosen.choice, chosen.settled_at) == (Resolution.sheet, None)
    assert looks(engine) == [str(problem.sheet_id)]


def test_choosing_twice_is_refused_in_words(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    visit()
    problem = problem_of(engine, ProblemKind.refused)
    send(choosing(problem), choice="record")
    assert "Somebody changed" in send(choosing(problem), choice="sheet")
    assert problem_of(engine, ProblemKind.refused).choice is Resolution.record


@pytest.mark.parametrize("choice", ["", "undo", "over", "x" * 5000, "__class__"])
def test_a_choice_that_is_none_is_refused_in_words(
    visit: Any, send: Any, week: None, engine: Engine, choice: str
) -> None:
    visit()
    problem = problem_of(engine, ProblemKind.conflict)
    assert "is not a choice" in send(choosing(problem), choice=choice)
    assert problem_of(engine, ProblemKind.conflict).choice is None


def test_a_problem_of_another_file_is_not_chosen(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    visit()
    problem = problem_of(engine, ProblemKind.conflict)
    other = id_of(engine, "配件部投诉表")
    for problem_id in (problem.id, 2**70):
        page = send(f"{FILES}{other}/problem/{problem_id}/", choice="record")
        assert "does not exist" in page
    assert problem_of(engine, ProblemKind.conflict).choice is None


@pytest.mark.parametrize(
    ("text", "against", "shown"),
    [
        ("更换轴承", "更换", "更换<mark>轴承</mark>"),
        ("更换", "更换轴承", "更换"),
        ("a<b", "a", "a<mark>&lt;b</mark>"),
        ("一致", "一致", "一致"),
        ("aba", "aa", "a<mark>b</mark>a"),
        ("新", None, "新"),
        ("x" * 9000 + "甲", "x" * 9000 + "乙", "x" * 9000 + "<mark>甲</mark>"),
        ("甲乙" * 600, "丙丁" * 600, "<mark>" + "甲乙" * 600 + "</mark>"),
    ],
)
def test_what_a_text_has_more_stands_out(text: str, against: str | None, shown: str) -> None:
    assert str(marked(text, against)) == shown


# ---------------------------------------------------------------- passes


def test_the_passes_are_turned_over_page_by_page(visit: Any, week: None, engine: Engine) -> None:
    with writing(engine) as session:
        workbook = session.get_one(Workbook, id_of(engine))
        for number in range(42, 102):
            Filed(session).passed(workbook, number, taken=1)
    client, here = visit(), page_of(engine) + "passes/"
    first = read(client, here)
    assert re.findall(r"/pass/(\d+)/", first)[0] == "101"
    older = re.search(r'href="([^"]*before=\d+)"', first)
    assert older is not None
    second = read(client, older[1])
    assert re.findall(r"/pass/(\d+)/", second)[0] == "51"
    assert "Newest" in second
    for before in ("0", "-3", "x", str(2**70)):
        read(client, f"{here}?before={before}")


def test_a_pass_tells_every_cell_and_can_be_narrowed(
    visit: Any, week: None, engine: Engine
) -> None:
    client, here = visit(), page_of(engine) + "pass/41/"
    page = client.get(here).text
    assert "更换<mark>轴承</mark>" in page
    assert "这一列不由部门填写" in page
    narrowed = read(client, here + "?what=put_back")
    assert "2026-10-0" in narrowed
    assert "更换" not in narrowed
    assert "Show all" in narrowed
    read(client, here + "?what=nothing&after=x")
    assert "Nothing of this sort" in read(client, here + f"?after={2**62}")


def test_a_reason_that_is_a_code_is_said_in_words(visit: Any, week: None, engine: Engine) -> None:
    with writing(engine) as session:
        done = session.scalars(sa.select(WorkbookLook).where(WorkbookLook.number == 41)).one()
        Filed(session).change(done, CellDeed.refused, "answer", after="x", because="not_ours")
    page = read(visit(), page_of(engine) + "pass/41/")
    assert "has left the department meanwhile" in page
    assert "New row" in page


# ---------------------------------------------------------------- undoing


def test_undoing_is_previewed_explained_and_done(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    client, here = visit(), page_of(engine) + "pass/41/"
    assert "Undo what it took in" in read(client, here)
    preview = send(here + "undo/", do="preview")
    assert "Awaiting confirmation → In progress" in preview
    assert status(engine) is Status.replied
    missing = send(here + "undo/", do="undo", reason=" ")
    assert "field-wrong" in missing
    assert status(engine) is Status.replied
    done = send(here + "undo/", do="undo", reason="粘贴错行")
    assert "Undone: 1 inputs were taken back." in done
    assert "was undone by the_administrator" in done
    assert "Undo what it took in" not in done
    assert status(engine) is Status.dispatched
    with reading(engine) as session:
        refused = [row.refused for row in session.scalars(sa.select(WorkbookRow)) if row.refused]
    assert refused == [{"outcome": "已解决", "answer": "更换轴承"}]


def test_an_undo_that_a_later_step_forbids_names_the_case(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    visit()
    with writing(engine) as session:
        complaint = session.scalars(
            sa.select(Complaint).where(Complaint.status == Status.replied)
        ).one()
        Office(session).confirm(complaint)
        number = complaint.number
    page = send(page_of(engine) + "pass/41/undo/", do="preview")
    assert f"cannot be undone because of case {number}" in page
    assert "A later step, “Confirm the reply”" in page


def test_the_address_of_an_undo_leads_back_to_the_pass(
    visit: Any, week: None, engine: Engine
) -> None:
    here = page_of(engine) + "pass/41/"
    answer = visit().get(here + "undo/")
    assert (answer.status_code, answer.location) == (302, here)


def status(engine: Engine) -> Status:
    """How the case stands whose answer the last pass took in."""
    with reading(engine) as session:
        statement = sa.select(Complaint.status).order_by(Complaint.id)
        return session.scalars(statement).first() or Status.withdrawn


# ---------------------------------------------------------------- who does what


def test_care_chooses_and_looks_and_no_more(
    visit: Any, send: Any, week: None, engine: Engine, csrf: Any
) -> None:
    client, here = visit(Role.care), page_of(engine)
    page = read(client, here)
    assert ("Look now" in page, "Pause" in page) == (True, False)
    assert "Undo what it took in" not in read(client, here + "pass/41/")
    for address in ("deed/pause/", "pass/41/undo/"):
        assert client.post(here + address, data={"csrf_token": csrf()}).status_code == 403
    send(choosing(problem_of(engine, ProblemKind.copy)), choice="seen")
    assert problem_of(engine, ProblemKind.copy).choice is Resolution.seen


def test_the_auditor_reads_and_has_no_button(visit: Any, week: None, engine: Engine) -> None:
    client, here = visit(Role.auditor), page_of(engine)
    for address in (FILES, here, here + "passes/", here + "pass/41/", "/admin/sheet_tab/"):
        page = read(client, address)
        main = page[page.index("<main") : page.index("</main>")]
        assert 'method="post"' not in main, address
    assert "更换后轮轴承" not in page
    assert "/admin/sheet_column/new/" not in read(client, "/admin/sheet_column/")


@pytest.mark.parametrize(
    "role", [one for one in Role if one not in (Role.administrator, Role.care, Role.auditor)]
)
def test_nobody_else_sees_the_files(visit: Any, week: None, engine: Engine, role: Role) -> None:
    client = visit(role)
    for address in (FILES, page_of(engine), "/admin/sheet_tab/", "/admin/sheet_column/"):
        read(client, address, 403)


# ---------------------------------------------------------------- the layout


def tab_of(engine: Engine, key: str) -> WorkbookTab:
    with reading(engine) as session:
        tab = Filed(session).tab(key)
        session.expunge(tab)
        return tab


def column_of(engine: Engine, name: str, key: str = "open") -> WorkbookColumn:
    with reading(engine) as session:
        column = next(one for one in Filed(session).tab(key).columns if one.field == name)
        session.expunge(column)
        return column


def test_a_tab_is_renamed_and_gets_other_cases(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    client, tab = visit(), tab_of(engine, "closed")
    edit = f"/admin/sheet_tab/edit/?id={tab.id}"
    page = read(client, edit)
    ticked = re.findall(r'<input checked[^>]* value="(\w+)"', page)
    assert ticked == ["closed", "archived"]
    said = {"title": "已结案件", "position": "4", "days": "30", "statuses": ["closed"]}
    send(edit, seen_version=tab.version, **said)
    now = tab_of(engine, "closed")
    assert (now.title, now.position, now.days, now.statuses) == ("已结案件", 4, 30, ["closed"])


def test_a_refused_title_comes_back_with_the_reason(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    visit()
    tab = tab_of(engine, "closed")
    edit = f"/admin/sheet_tab/edit/?id={tab.id}"
    said = {"title": "已结/存档", "position": "2", "days": "90", "statuses": ["closed"]}
    page = send(edit, seen_version=tab.version, **said)
    assert "has no slash" in page
    assert "已结/存档" in page
    page = send(edit, seen_version=tab.version, **(said | {"title": "在办"}))
    assert "already used" in page
    assert tab_of(engine, "closed").title == "已结"


def test_a_tab_without_cases_asks_for_no_cases(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    client, tab = visit(), tab_of(engine, "guide")
    edit = f"/admin/sheet_tab/edit/?id={tab.id}"
    assert "statuses" not in read(client, edit)
    send(edit, seen_version=tab.version, title="填写说明", position="3")
    assert tab_of(engine, "guide").title == "填写说明"


def test_a_form_that_is_out_of_date_overwrites_nothing(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    visit()
    tab = tab_of(engine, "guide")
    edit = f"/admin/sheet_tab/edit/?id={tab.id}"
    send(edit, seen_version=tab.version, title="填写说明", position="3")
    page = send(edit, seen_version=tab.version, title="帮助", position="3")
    assert "Somebody changed" in page
    assert tab_of(engine, "guide").title == "填写说明"


def test_a_column_is_switched_off_unless_it_is_needed(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    visit()
    grade, outcome = column_of(engine, "grade"), column_of(engine, "outcome")
    said = {"header": "级别", "width": "9", "position": "50"}
    edit = "/admin/sheet_column/edit/?id="
    send(f"{edit}{grade.id}", seen_version=grade.version, **said)
    now = column_of(engine, "grade")
    assert (now.header, now.width, now.position, now.active) == ("级别", 9, 50, False)
    page = send(f"{edit}{outcome.id}", seen_version=outcome.version, **(said | {"header": "结果"}))
    assert "cannot do its work without this column" in page
    assert column_of(engine, "outcome").active


def test_a_column_is_added_from_the_fields_that_are_left(
    visit: Any, send: Any, week: None, engine: Engine
) -> None:
    client, tab = visit(), tab_of(engine, "open")
    new = "/admin/sheet_column/new/"
    offered = re.findall(r'<option value="([^"]+)"', read(client, new))
    assert f"{tab.id}:status" in offered
    assert f"{tab.id}:amount" not in offered
    send(new, field=f"{tab.id}:status", header="", width="14", position="60")
    assert column_of(engine, "status").header == "Status"
    assert f"{tab.id}:status" not in read(client, new)


@pytest.mark.parametrize("field", ["", "x", "4711:status", ":status", "1:amount", "²:status"])
def test_a_field_that_no_tab_can_show_is_refused(
    visit: Any, send: Any, week: None, engine: Engine, field: str
) -> None:
    visit()
    page = send("/admin/sheet_column/new/", field=field, header="x", width="9", position="9")
    assert "field-wrong" in page


def test_headers_are_unique_within_a_tab(visit: Any, send: Any, week: None, engine: Engine) -> None:
    visit()
    tab = tab_of(engine, "open")
    said = {"field": f"{tab.id}:status", "header": "处理结果", "width": "9", "position": "9"}
    assert "already used" in send("/admin/sheet_column/new/", **said)


# ---------------------------------------------------------------- sentences


CODES: dict[str, dict[str, Any]] = {
    "half_sorted": {"columns": ["handler", "进展"], "rows": 3},
    "rows_vanished": {"count": 12, "of": 40},
    "shifted_paste": {"columns": ["outcome"], "rows": 2},
    "cells_changed": {"count": 60, "of": 80},
    "id_gone": {"tab": "在办"},
    "mark_gone": {},
    "tab_gone": {"tab": "在办"},
    "too_old": {"stamp": 3},
    "from_future": {"stamp": 99},
    "half_written": {},
    "missing": {},
    "held": {"who": "陈静", "minutes": 25},
    "not_readable": {},
    "not_writable": {},
    "disk_full": {},
    "no_folder": {},
    "no_workbook": {},
    "busy": {},
    "changed": {},
    "copy_found": {"name": "表(2).xlsx"},
    "conflict": {},
    "refused": {},
    "repeated": {},
    "not_ours": {},
    "broken": {"text": "#REF!"},
    "too_long": {"limit": 20000, "length": 20001},
    "ambiguous": {"said": "3/4"},
    "time_missing": {},
    "no_time": {"said": "国庆"},
    "no_day": {"said": "国庆"},
    "year_unlikely": {"said": "2062-09-28", "year": 2062},
    "weekday_contradicts": {"said": "9月28日 周二"},
    "digits_lost": {"said": "1.38E+20"},
    "not_computed": {},
    "no_number": {"said": "x"},
    "no_flag": {"said": "x"},
    "no_choice": {"said": "x", "choices": ["是", "否"]},
    "name_shared": {"name": "张伟", "numbers": ["1", "2"]},
    "name_unknown": {"said": "x"},
    "name_contradicts": {"said": "x"},
    "row_incomplete": {"missing": ["customer"]},
    "formula": {},
    "cleared": {},
    "contact_stands": {},
    "not_yours": {},
    "merged": {"columns": ["手机号"]},
}


@pytest.mark.parametrize("code", sorted(CODES))
def test_what_is_wrong_with_a_file_is_a_sentence_in_every_language(code: str) -> None:
    said = []
    for language in wording.LANGUAGES:
        with wording.speaking(language, ZONE):
            said.append(wording.workbook_problem(code, CODES[code]))
    assert len(set(said)) == len(wording.LANGUAGES), "the sentence is not translated"
    for sentence in said:
        assert sentence.endswith((".", "。"))
        assert "%(" not in sentence
        assert "—" not in sentence, "a fact is missing"
    for value in CODES[code].values():
        if isinstance(value, int):
            assert str(value) in said[0]


REFUSALS = sorted(DomainError.leaves(), key=lambda one: one.code)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_kept_as_a_problem_is_said_like_the_refusal(
    refusal: type[DomainError],
) -> None:
    facts = {"field": "text", "limit": 5, "deed": "replied", "status": "closed"}
    with wording.speaking("en", ZONE):
        assert wording.workbook_problem(refusal.code, facts) == wording.error(refusal(**facts))


def test_an_instant_of_a_problem_is_said_in_the_reader_s_zone() -> None:
    facts = {"field": "until", "at": "2026-09-28T06:05:00+00:00"}
    with wording.speaking("en", ZONE):
        assert "2026-09-28 14:05" in wording.workbook_problem("time_in_future", facts)


def test_a_code_that_nobody_has_named_still_says_what_is_known() -> None:
    with wording.speaking("en", ZONE):
        said = wording.workbook_problem("gone_fishing", {"rows": 3, "tab": "在办"})
    assert said == "Something is wrong that has no name yet: gone_fishing (rows 3; tab 在办)."


def test_every_state_has_a_sentence_of_what_to_do() -> None:
    assert set(SENTENCES) == set(WorkbookState)
    assert set(OUTCOMES) == {
        (kind, choice) for kind, choices in resolutions.CHOICES.items() for choice in choices
    }


def test_the_fields_left_never_show_money_to_a_department(
    session: Session,
) -> None:
    Filed(session).layout()
    for tab in layout.tabs(session, Audience.department):
        left = layout.addable_fields(session, tab, on=dt.date(2026, 9, 28))
        assert not {"amount", "ground", "employee"} & set(left)
