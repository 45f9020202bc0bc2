"""The pages that try a regulation: a case put together by forms, a version on past cases."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import cli
from admin.regulation.event_form import deeds_of, first_and_rest, form_for, said
from config import ROOT, Settings
from enums import Role, WhatIfState
from models import Complaint, Journal, WhatIf, WhatIfCase
from policy.pack.loading import PACKS, build_pack, read_toml
from policy.proof import casefile
from policy.proof.coverage import chosen_parameters
from policy.vocabulary.events import EVENTS
from policy.vocabulary.marks import marks_of, whole_field
from tests.company import Office, at
from tests.regulations import CASES
from worker.chores import make_worker
from worker.jobs import try_versions

EXAMPLE = (ROOT / "docs" / "examples" / "late-answer.toml").read_text(encoding="utf-8")
REGISTERED = {
    "deed": "registered",
    "step-at": "2026-03-02T09:00",
    "step-by": "care_specialist",
    "step-kind": "complaint",
    "step-channel": "visit",
    "step-category": "quality",
    "step-subject": "发动机异响",
}
DISPATCHED = {
    "deed": "dispatched",
    "step-at": "2026-03-02T10:00",
    "step-by": "care_specialist",
    "step-department": "after_sales",
}


@pytest.fixture(scope="session")
def blank_database(company_database: Path) -> Path:
    """Here no database is blank: the company is in it."""
    return company_database


@pytest.fixture
def press(client: FlaskClient, log_in: Any, csrf: Any) -> Callable[..., Any]:
    """`press(do, text=…, **fields)`: the page after a button of it was pressed."""
    log_in(Role.administrator, username="boss")

    def press(do: str, text: str = "", **fields: Any) -> Any:
        data = {"csrf_token": csrf(), "do": do, "text": text, **fields}
        answer = client.post("/admin/trial/", data=data)
        assert answer.status_code == 200, answer.text
        return answer

    return press


def text_of(answer: Any) -> str:
    """The case file that travels in the page."""
    found = re.search(r'<textarea[^>]*name="text"[^>]*>(.*?)</textarea>', answer.text, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def begun(press: Callable[..., Any]) -> str:
    """The text of a case that was registered and handed over through the forms."""
    text = text_of(press("add", **REGISTERED))
    return text_of(press("add", text, **DISPATCHED))


def deeds_on(answer: Any) -> set[str]:
    return set(re.findall(r'value="choose:([a-z_]+)', answer.text))


# ---------------------------------------------------------------- a case by forms


def test_a_case_is_put_together_step_by_step(press: Callable[..., Any]) -> None:
    first = press("")
    assert deeds_on(first) == {"registered", "imported"}
    form = press("choose:registered")
    assert all(f'name="{name}"' in form.text for name in REGISTERED if name.startswith("step-"))
    registered = press("add", **REGISTERED)
    assert "TS2026030001" in registered.text
    assert "“转办”开始计时，期限 2026-03-02 11:00" in registered.text
    assert "dispatched" in deeds_on(registered)
    dispatched = press("add", text_of(registered), **DISPATCHED)
    assert "自转办 2026-03-02 10:00 起 3 个工作日。" in dispatched.text


def test_nothing_is_written_to_the_record(press: Callable[..., Any], session: Session) -> None:
    begun(press)
    for table in (Complaint, Journal, WhatIf):
        assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_a_term_is_let_run_out_with_one_touch(press: Callable[..., Any]) -> None:
    text = begun(press)
    late = press("run_out:2026-03-05T10:00:00+08:00", text)
    assert "“A 类关闭”自 2026-03-05 10:00 起逾期" in late.text
    assert "¥200" in late.text
    assert "at = 2026-03-05T10:00:01" in text_of(late)


def test_a_refused_step_says_why_and_the_case_goes_on(press: Callable[..., Any]) -> None:
    text = text_of(press("add", **REGISTERED))
    wrong = DISPATCHED | {"step-by": "member:parts"}
    answer = press("add", text, **wrong)
    assert "由以下岗位办理" in answer.text
    assert 'by = "member:parts"' in text_of(answer)
    assert "dispatched" in deeds_on(answer)


def test_what_is_missing_is_said_at_its_field_and_nothing_typed_is_lost(
    press: Callable[..., Any],
) -> None:
    fields = REGISTERED | {"step-subject": "", "step-body": "客户来电 <b>两次</b>"}
    answer = press("add", **fields)
    assert "field-wrong" in answer.text
    assert "客户来电 &lt;b&gt;两次&lt;/b&gt;" in answer.text
    assert 'value="2026-03-02T09:00"' in answer.text
    assert text_of(answer) == ""


def test_a_half_typed_step_outlives_another_button(press: Callable[..., Any]) -> None:
    text = begun(press)
    replied = {"deed": "replied", "step-at": "2026-03-02T11:00", "step-text": "更换轴承"}
    answer = press("play", text, **replied)
    assert "更换轴承" in answer.text
    assert text_of(answer) == text


def test_a_step_is_changed_and_taken_out(press: Callable[..., Any]) -> None:
    text = begun(press)
    form = press("edit:1", text)
    assert 'value="2026-03-02T10:00:00"' in form.text
    changed = press("add", text, place="1", **(DISPATCHED | {"step-at": "2026-03-02T10:30"}))
    assert "2026-03-05 10:30" in changed.text
    alone = press("remove:1", text_of(changed))
    assert "dispatched" not in text_of(alone)
    assert text_of(press("remove:0", text_of(alone))) == ""
    assert text_of(press("clear", text)) == ""


def test_fields_of_the_regulation_are_asked_for_and_graded_by(press: Callable[..., Any]) -> None:
    factory = REGISTERED | {"step-own_factory_order_no": "F-1"}
    answer = press("add", **factory)
    assert 'extra = { factory_order_no = "F-1" }' in text_of(answer)
    assert "工厂" in answer.text


def test_a_penalty_is_confirmed_and_an_entry_corrected(press: Callable[..., Any]) -> None:
    text = text_of(press("run_out:2026-03-05T10:00:00", begun(press)))
    confirmed = {
        "deed": "penalty_confirmed",
        "step-at": "2026-03-06T09:00",
        "step-by": "care_director",
        "step-rule": "late_close",
        "step-employee": "after_sales_director",
    }
    answer = press("add", text, **confirmed)
    assert "已确认" in answer.text
    corrected = {
        "deed": "corrected",
        "step-at": "2026-03-06T10:00",
        "step-by": "care_director",
        "step-target": "2",
        "step-changes": "at = 2026-03-02T09:30:00",
        "step-reason": "-",
    }
    answer = press("add", text, **corrected)
    assert "由 2026-03-05 10:00 改为 2026-03-05 09:30" in answer.text
    nonsense = press("add", text, **(corrected | {"step-changes": "at is wrong"}))
    assert "at is wrong" in nonsense.text
    assert text_of(nonsense) == text


@pytest.mark.parametrize("do", ["choose:sung", "edit:99", "remove:x", "run_out:never", "add", "x"])
def test_a_button_that_means_nothing_changes_nothing(do: str, press: Callable[..., Any]) -> None:
    text = begun(press)
    assert text_of(press(do, text)) == text


# ---------------------------------------------------------------- a case as a file


def test_a_pasted_file_is_played_as_it_is_and_gone_on_with(press: Callable[..., Any]) -> None:
    pasted = press("play", EXAMPLE)
    assert text_of(pasted) == EXAMPLE
    assert "¥200" in pasted.text
    assert deeds_on(pasted) == set()
    taken_over = press("adopt", EXAMPLE)
    assert "#" not in text_of(taken_over)
    assert "confirmed" in deeds_on(taken_over)


def test_a_file_is_loaded(press: Callable[..., Any]) -> None:
    upload = (io.BytesIO(b"\xef\xbb\xbf" + EXAMPLE.encode()), "mine.toml")
    assert text_of(press("load", "", file=upload)) == EXAMPLE
    picture = (io.BytesIO(b"\x89PNG\xff\xfe"), "photo.png")
    answer = press("load", EXAMPLE, file=picture)
    assert "photo.png" in answer.text
    assert text_of(answer) == EXAMPLE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[step]\n", "第 1 行"),
        (EXAMPLE.replace("care_specialist", "nobody"), "nobody"),
        (EXAMPLE.replace('department = "after_sales"', ""), "第 2 步"),
        ("x" * 200_001, "200000"),
        ("[[step]]\ndo = 'confirmed'\nat = 2026-03-02T09:00:00\n" * 501, "500"),
    ],
)
def test_a_text_that_cannot_be_played_says_why_and_stays(
    text: str, said: str, press: Callable[..., Any]
) -> None:
    answer = press("play", text)
    assert said in unescape(answer.text)
    assert text_of(answer) == text


def test_a_file_of_several_cases_tells_each(press: Callable[..., Any]) -> None:
    text = (ROOT / "docs" / "examples" / "two-cases.toml").read_text(encoding="utf-8")
    answer = press("play", text)
    assert answer.text.count("trial-story-body") == 2
    wrong = press("play", text.replace("TS2026090002", "TS9"))
    assert "TS9" in wrong.text
    assert "1 处与预期不符" in wrong.text


def test_what_was_put_together_is_saved_as_a_file_that_plays(
    press: Callable[..., Any], settings: Settings, tmp_path: Path
) -> None:
    answer = press("download", begun(press))
    assert "attachment" in answer.headers["Content-Disposition"]
    path = tmp_path / "saved.toml"
    path.write_bytes(answer.data)
    played = CliRunner().invoke(cli.regulation.policy_group(settings), ["play", str(path)])
    assert played.exit_code == 0, played.output
    assert "A 类关闭" in played.output


# ---------------------------------------------------------------- versions


def test_a_draft_is_tried_as_it_stands(press: Callable[..., Any], session: Session) -> None:
    draft = Office(session).drafted("penalty", "late_close", amount="321").id
    broken = Office(session).drafted("deadline", "close_a", within=None).id
    session.commit()
    text = begun(press)
    late = press("run_out:2026-03-05T10:00:00", text, version=str(draft))
    assert "¥321" in late.text
    answer = press("play", text, version=str(broken))
    assert "within" in answer.text
    assert unescape(answer.text).count(text.splitlines()[0]) == 1, "the text stays in the page"


def test_a_version_that_is_not_there_is_no_page(client: FlaskClient, log_in: Any) -> None:
    log_in(Role.administrator, username="boss")
    assert client.get("/admin/trial/?version_id=999").status_code == 404
    assert client.get(f"/admin/trial/?version_id={10**30}").status_code in (200, 404)


@pytest.mark.parametrize("pack_file", sorted(PACKS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_event_has_a_form_that_asks_for_all_it_needs(app: Flask, pack_file: Path) -> None:
    pack = build_pack(read_toml(pack_file), chosen_parameters(CASES / pack_file.stem))
    people = [(name, name) for name in casefile.cast_with_posts({}, pack)]
    at_ = {"at": dt.datetime(2026, 3, 2, 9)}
    with app.test_request_context():
        for name, kind in EVENTS.items():
            for deed in deeds_of(name, pack):
                form = form_for(deed, pack, people, doers={"": people}, step=at_)
                asked = {one.short_name for one in form}
                needed = {n for n, info in kind.model_fields.items() if info.is_required()}
                by_itself = {"type", "at", "number", "received_at", "occasion", "data", deed.field}
                assert needed - by_itself <= asked, name
                first, rest = first_and_rest(form)
                assert len(first) + len(rest) == len(asked)
                assert said(form, deed)["do"] == name


def test_a_form_of_the_regulation_is_filled_field_by_field(app: Flask) -> None:
    data = read_toml(PACKS / "skoda-dealer.toml")
    asked: dict[str, Any] = {"key": "opinion", "label": "意见书", "cite": "SKD-2.1"}
    asked["fields"] = [
        {"key": "cause", "label": "原因", "shape": "long_text", "required": True},
        {"key": "checked", "label": "已核实", "shape": "flag"},
    ]
    pack = build_pack({**data, "form": [*data.get("form", ()), asked]})
    deed = next(one for one in deeds_of("filled", pack) if one.key == "filled:opinion")
    assert whole_field(EVENTS["filled"]) == marks_of(EVENTS["filled"])["form"]
    typed = {"step-at": "2026-03-02T09:00", "step-by": "x", "step-own_cause": "螺丝松动"}
    with app.test_request_context("/", method="POST", data=typed):
        form = form_for(deed, pack, [("x", "x")], doers={"": [("x", "x")]}, step={})
        step = said(form, deed)
    assert step == {
        "do": "filled",
        "at": dt.datetime(2026, 3, 2, 9),
        "by": "x",
        "form": "opinion",
        "data": {"cause": "螺丝松动"},
    }


def test_the_page_of_a_version_leads_to_trying_it(
    client: FlaskClient, log_in: Any, session: Session
) -> None:
    draft = Office(session).drafted("penalty", "late_close", amount="321").id
    session.commit()
    log_in(Role.administrator, username="boss")
    for address in ("/admin/trial/", "/admin/trial/what-if/"):
        page = client.get(f"{address}?version_id={draft}").text
        assert re.search(rf'<option[^>]*value="{draft}"[^>]*>', page)
        assert re.search(
            rf'<option[^>]*(selected[^>]*value="{draft}"|value="{draft}"[^>]*selected)', page
        )


# ---------------------------------------------------------------- past cases


@pytest.fixture
def draft(session: Session) -> int:
    """A draft of one hour for a grade A, and a case of September that took five."""
    office = Office(session)
    office.confirmed(subject="=1+1")
    made = office.drafted("deadline", "close_a", within={"amount": 1, "unit": "hour"}).id
    session.commit()
    return made


@pytest.fixture
def ask(client: FlaskClient, log_in: Any, csrf: Any) -> Callable[..., Any]:
    """`ask(version, ...)`: the answer to who asks for a version to be tried on September."""
    log_in(Role.general_manager)

    def ask(draft: int, **changed: str) -> Any:
        days = {"from_on": "2026-09-01", "until_on": "2026-09-30"}
        data = {"csrf_token": csrf(), "version": str(draft), **days, **changed}
        return client.post("/admin/trial/what-if/", data=data)

    return ask


def work(settings: Settings) -> None:
    """One turn of the worker's chore."""
    worker = make_worker(settings)
    (chore,) = [chore for chore in worker.chores if chore.look is try_versions]
    assert worker.take_turn(chore)
    worker.engine.dispose()


def test_a_version_is_tried_on_past_cases_and_shown(
    ask: Callable[..., Any], draft: int, settings: Settings, client: FlaskClient
) -> None:
    answer = ask(draft)
    assert answer.status_code == 302
    waiting = client.get(answer.location).text
    assert "等待中" in waiting
    assert 'http-equiv="refresh"' in waiting
    work(settings)
    page = client.get(answer.location).text
    assert 'http-equiv="refresh"' not in page
    assert "TS2026090001" in page
    assert "¥200" in page
    assert "SKD-3.2.2b" in page
    assert "/admin/complaint/TS2026090001/" in page
    listed = client.get("/admin/trial/what-if/").text
    assert "¥0 → ¥200" in listed


def test_the_differences_are_a_table_without_formulas(
    ask: Callable[..., Any], draft: int, settings: Settings, client: FlaskClient
) -> None:
    answer = ask(draft)
    work(settings)
    sent = client.get(f"{answer.location}csv/")
    lines = list(csv.reader(io.StringIO(sent.text.lstrip("\ufeff"))))
    assert [line[2] for line in lines[1:]] == ["将逾期", "扣罚"]
    late, penalty = lines[1:]
    assert (late[0], late[1], late[4]) == ("TS2026090001", "'=1+1", "SKD-4.2.1")
    assert (penalty[5], penalty[-1]) == ("2001", "200")


def test_what_does_not_fit_is_shown_with_its_reason(
    ask: Callable[..., Any], draft: int, settings: Settings, client: FlaskClient, engine: Engine
) -> None:
    with Session(engine) as session:
        version = Office(session).drafted("signoff", "confirm", by=["general_manager"]).id
        session.commit()
    answer = ask(version)
    work(settings)
    page = client.get(answer.location).text
    assert "不适用" in page
    assert "不符合这些规则" in page


def test_a_draft_that_changed_meanwhile_is_told_to_whoever_asked(
    ask: Callable[..., Any], draft: int, settings: Settings, client: FlaskClient, engine: Engine
) -> None:
    answer = ask(draft)
    with Session(engine) as session:
        row = session.scalars(sa.select(WhatIf)).one()
        row.checksum = "another"
        session.commit()
    work(settings)
    page = client.get(answer.location).text
    assert "在试算期间被修改" in page
    with Session(engine) as session:
        assert session.scalars(sa.select(WhatIf.state)).one() is WhatIfState.failed
        assert session.scalar(sa.select(sa.func.count(WhatIfCase.id))) == 0


def test_a_period_that_ends_before_it_begins_comes_back_as_it_was_typed(
    ask: Callable[..., Any], draft: int, session: Session
) -> None:
    answer = ask(draft, until_on="2026-08-31")
    assert answer.status_code == 200
    assert "field-wrong" in answer.text
    assert 'value="2026-08-31"' in answer.text
    assert session.scalar(sa.select(sa.func.count(WhatIf.id))) == 0


@pytest.mark.parametrize("changed", [{"version": "999"}, {"from_on": "soon"}, {"version": "x"}])
def test_what_cannot_be_asked_for_is_refused(
    changed: dict[str, str], ask: Callable[..., Any], draft: int, session: Session
) -> None:
    assert ask(draft, **changed).status_code == 200
    assert session.scalar(sa.select(sa.func.count(WhatIf.id))) == 0


def test_a_result_that_is_not_there_is_no_page(client: FlaskClient, log_in: Any) -> None:
    log_in(Role.general_manager)
    for address in ("/admin/trial/what-if/7/", f"/admin/trial/what-if/{10**30}/csv/"):
        assert client.get(address).status_code == 404


def test_late_and_no_longer_late_are_told_apart(
    ask: Callable[..., Any], settings: Settings, client: FlaskClient, engine: Engine
) -> None:
    with Session(engine) as session:
        office = Office(session)
        case = office.dispatched()
        office.reply(case, at(10, 9, 9))
        office.confirm(case, at(10, 9, 10))
        long = {"amount": 9, "unit": "working_day"}
        version = office.drafted("deadline", "close_a", within=long).id
        session.commit()
    answer = ask(version)
    work(settings)
    page = client.get(answer.location).text
    assert "不再逾期" in page
    assert "不再扣罚" in page
