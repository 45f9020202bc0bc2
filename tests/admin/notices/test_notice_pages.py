"""The pages of notices and channels: what became of each, and addresses nobody reads again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from database import reading, writing
from enums import Role
from models import Department, Employee, Notice, NoticeChannel, NoticeDelivery
from services.company import people
from services.notices import channels, deliveries, notices, outcomes

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
NOW = dt.datetime(2026, 9, 28, 2, 0, tzinfo=dt.UTC)


@pytest.fixture
def administrator(log_in: Any) -> str:
    """The visitor is an administrator."""
    return str(log_in(Role.administrator))


@pytest.fixture
def channel_id(engine: Engine) -> int:
    """The robot of a department's group."""
    with writing(engine) as session:
        department = people.add_department(session, key="after_sales", name="售后部")
        made = channels.add_channel(
            session, name="售后群", address=f"wecombot://{KEY}", department=department
        )
        return made.id


def _channel(engine: Engine) -> NoticeChannel:
    with reading(engine) as session:
        return session.scalars(sa.select(NoticeChannel)).one()


@pytest.fixture
def save(client: FlaskClient, csrf: Any) -> Any:
    """`save(path, **fields)`: the page after the form was sent; its text."""

    def save(path: str, /, **fields: str) -> str:
        answer = client.post(path, data={"csrf_token": csrf(), **fields}, follow_redirects=True)
        assert answer.status_code == 200
        return answer.text

    return save


NEW = "/admin/notice_channel/new/"


def test_a_robot_is_added_with_what_its_group_shows(
    administrator: str, save: Any, engine: Engine, client: FlaskClient
) -> None:
    copied = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"
    page = save(NEW, name="关爱群", address=copied, active="y")
    channel = _channel(engine)
    assert (channel.name, channel.address) == ("关爱群", f"wecombot://{KEY}")
    assert (channel.department_id, channel.active) == (None, True)
    assert KEY not in page
    assert "wecombot://…" in client.get("/admin/notice_channel/").text


@pytest.mark.parametrize("address", ["file:///etc/passwd", "exec://rm", "wecombot://", ""])
def test_an_address_that_may_not_be_used_is_refused_and_nothing_typed_is_lost(
    address: str, administrator: str, save: Any, engine: Engine
) -> None:
    page = save(NEW, name="关爱群", address=address, active="y")
    assert "关爱群" in page
    assert "field-wrong" in page
    with reading(engine) as session:
        assert session.scalars(sa.select(NoticeChannel)).all() == []


def test_the_address_is_on_no_page_and_an_empty_field_keeps_it(
    administrator: str, save: Any, engine: Engine, client: FlaskClient, channel_id: int
) -> None:
    form = f"/admin/notice_channel/edit/?id={channel_id}"
    for page in (form, "/admin/notice_channel/"):
        assert KEY not in client.get(page).text
    save(form, name="售后大群", address="", active="y", seen_version="1")
    assert (_channel(engine).name, _channel(engine).address) == ("售后大群", f"wecombot://{KEY}")
    save(form, name="售后大群", address="dingtalk://abc123", active="", seen_version="2")
    assert (_channel(engine).address, _channel(engine).active) == ("dingtalk://abc123", False)


def test_a_form_out_of_date_shows_what_is_stored_but_not_the_address(
    administrator: str, save: Any, channel_id: int
) -> None:
    form = f"/admin/notice_channel/edit/?id={channel_id}"
    save(form, name="售后大群", address="", active="y", seen_version="1")
    page = save(form, name="售后小群", address="", active="y", seen_version="1")
    assert "售后大群" in page
    assert "售后小群" in page
    assert KEY not in page


def test_a_test_goes_by_a_row_that_the_worker_takes(
    administrator: str, save: Any, engine: Engine, channel_id: int
) -> None:
    page = save(f"/admin/notice_channel/try/{channel_id}/")
    assert "售后群" in page
    with reading(engine) as session:
        (delivery,) = session.scalars(sa.select(NoticeDelivery))
        assert (delivery.channel_id, delivery.tries) == (channel_id, 0)
        assert delivery.notice.kind == "test"
        assert delivery.next_at is not None
    assert save("/admin/notice_channel/try/999/")


# ---------------------------------------------------------------- notices


@pytest.fixture
def told(engine: Engine, channel_id: int) -> dict[str, int]:
    """A notice in each state, by the state: its id."""
    fates: dict[str, dict[str, Any]] = {
        "waiting": {"next_at": NOW},
        "sent": {"sent_at": NOW, "tries": 1},
        "failed": {"failure": "refused: 93000 invalid webhook url", "tries": 6},
    }
    with writing(engine) as session:
        department = session.scalars(sa.select(Department)).one()
        reader = people.add_employee(
            session, number="2001", name="张伟", department=department, email="zw@r.example"
        )
        found = {}
        for state in outcomes.STATES:
            notice = notices.add_notice(
                session,
                kind="file_problem",
                occasion=state,
                now=NOW,
                facts={"sheet": f"file of {state}"},
                employee_id=reader.id,
                department_id=department.id,
            )
            assert notice is not None
            notice.spread_at = NOW
            found[state] = notice.id
            if state in fates:
                way = {"way": f"mail:{reader.id}"}
                session.add(NoticeDelivery(notice_id=notice.id, **way, **fates[state]))
    return found


def test_the_list_is_narrowed_by_what_became_of_a_notice(
    administrator: str, client: FlaskClient, told: dict[str, int]
) -> None:
    for state in told:
        page = client.get(f"/admin/notice/?flt_state_is={state}").text
        assert [one for one in told if f"file of {one}" in page] == [state]
    page = client.get("/admin/notice/?search=张伟").text
    assert all(f"file of {one}" in page for one in told)


def test_a_notice_says_how_often_it_was_tried_and_why_it_failed(
    administrator: str, client: FlaskClient, told: dict[str, int]
) -> None:
    page = client.get(f"/admin/notice/details/?id={told['failed']}").text
    assert "93000 invalid webhook url" in page
    assert "zw@r.example" in page
    assert ">6<" in page
    assert client.get(f"/admin/notice/details/?id={told['nobody']}").status_code == 200


def test_an_old_notice_says_why_nobody_was_told(
    administrator: str, client: FlaskClient, engine: Engine
) -> None:
    with writing(engine) as session:
        notice = Notice(kind="test", occasion="x", facts={}, made_at=NOW)
        notice.spread_at = NOW + deliveries.STALE + dt.timedelta(minutes=1)
        session.add(notice)
        session.flush()
        address = f"/admin/notice/details/?id={notice.id}&lang=en"
    assert "a day old" in client.get(address).text


def test_the_auditor_looks_and_changes_nothing(
    log_in: Any, client: FlaskClient, csrf: Any, told: dict[str, int], channel_id: int
) -> None:
    log_in(Role.auditor)
    assert client.get("/admin/notice/").status_code == 200
    page = client.get("/admin/notice_channel/").text
    assert "wecombot://…" in page
    assert KEY not in page
    assert client.get(f"/admin/notice_channel/edit/?id={channel_id}").status_code == 403
    token = {"csrf_token": csrf()}
    assert client.post(f"/admin/notice_channel/try/{channel_id}/", data=token).status_code == 403


def test_the_export_says_the_states_in_words(
    administrator: str, client: FlaskClient, told: dict[str, int], engine: Engine
) -> None:
    table = client.get("/admin/notice/export/csv/?lang=en").get_data(as_text=True)
    assert "Not delivered" in table
    assert "<" not in table
    with reading(engine) as session:
        assert session.scalars(sa.select(Employee.name)).one() in table
