"""The register form: impossible times, questions before saving, and a form that is sent twice."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from database import reading
from models import Complaint
from tests import company, suppliers

HOUR = dt.timedelta(hours=1)
ADDRESS = "/admin/complaint/register/?policy=suppliers"
Post = Callable[..., Any]


@pytest.fixture(scope="session")
def blank_database(suppliers_database: Path) -> Path:
    """The company is in it, with a second regulation and a login for everybody."""
    return suppliers_database


@pytest.fixture
def register(client: FlaskClient, log_in: Any, csrf: Any) -> Callable[..., str]:
    """`register(**fields)`: send the register form as the care desk; the page that comes back."""
    log_in(suppliers.LOGINS["specialist"], username="specialist")

    def register(**said: str) -> str:
        fields = suppliers.registration(**{"phone": "13800001111", **said})
        answer = client.post(ADDRESS, data={**fields, "csrf_token": csrf()}, follow_redirects=True)
        assert answer.status_code == 200
        return str(answer.text)

    return register


@pytest.fixture
def numbers(engine: Engine) -> Callable[[], list[str]]:
    """`numbers()`: the cases there are."""

    def numbers() -> list[str]:
        with reading(engine) as session:
            return list(session.scalars(sa.select(Complaint.number).order_by(Complaint.id)))

    return numbers


YEARS = ["0001", "0026", "0226", "1899", "1970", "9999"]


@pytest.mark.parametrize("year", YEARS)
def test_an_impossible_year_is_refused_and_the_text_kept(
    register: Any, numbers: Any, year: str
) -> None:
    typed = f"{year}-11-30T15:30"
    page = register(received_at=typed, subject="别丢了我", do="register")
    assert numbers() == []
    assert "field-wrong" in page
    assert "年份写四位" in page or "将来" in page
    assert typed in page
    assert "别丢了我" in page


@pytest.mark.parametrize("day", ["0019-05-01", "1899-12-30", "2206-01-01", "9999-12-31"])
def test_an_impossible_day_in_a_field_of_the_regulation_is_refused(
    register: Any, numbers: Any, day: str
) -> None:
    page = register(extra_delivered_on=day)
    assert numbers() == []
    assert "年份写四位" in page
    assert day in page


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-inf", "1e400"])
def test_what_is_no_finite_number_is_refused(register: Any, numbers: Any, number: str) -> None:
    assert "field-wrong" in register(extra_goods_value=number)
    assert "field-wrong" in register(extra_pieces=number)
    assert numbers() == []


@pytest.mark.parametrize(("back", "asked"), [(365, "约一年前"), (45, "45 天前"), (29, "")])
def test_a_complaint_received_long_ago_is_asked_about_first(
    register: Any, numbers: Any, back: int, asked: str
) -> None:
    local = (dt.datetime.now(dt.UTC) - dt.timedelta(days=back) - HOUR).astimezone(company.ZONE)
    typed = local.replace(tzinfo=None).isoformat(timespec="minutes")
    page = register(received_at=typed, form_key="one")
    if not asked:
        assert len(numbers()) == 1
        return
    assert numbers() == []
    assert asked in page
    assert typed in page
    shown = re.search('name="sure" value="([^"]+)"', page)
    assert shown is not None
    assert asked in register(received_at=typed, form_key="one", do="preview")
    register(received_at=typed, form_key="one", sure="same_again")
    assert numbers() == [], "another question was answered"
    register(received_at=typed, form_key="one", sure=shown[1])
    assert len(numbers()) == 1


def test_a_form_sent_twice_makes_one_case(register: Any, numbers: Any) -> None:
    first = register(form_key="0123456789abcdef")
    (number,) = numbers()
    again = register(form_key="0123456789abcdef")
    assert numbers() == [number]
    assert number in first
    assert number in again


def test_the_same_telephone_and_subject_within_minutes_asks(register: Any, numbers: Any) -> None:
    register(form_key="one")
    (number,) = numbers()
    page = register(form_key="two", phone="+86 138-0000-1111", subject="轴承 划伤", customer="江南")
    assert numbers() == [number]
    assert f"主题相同的 {number}" in page
    shown = re.search('name="sure" value="([^"]+)"', page)
    assert shown is not None
    register(form_key="two", phone="+86 138-0000-1111", subject="轴承 划伤", sure=shown[1])
    register(form_key="three", phone="13800001112")
    register(form_key="four", subject="轴承生锈")
    assert len(numbers()) == 4


def test_a_form_changed_after_it_was_sent_is_another_case(register: Any, numbers: Any) -> None:
    register(form_key="one")
    register(form_key="one", subject="漏油")
    assert len(numbers()) == 2, "what was typed into the old form again is not lost"


def test_each_form_that_is_opened_has_a_key_of_its_own(register: Any, client: FlaskClient) -> None:
    shown = [
        re.search('name="form_key"[^>]* value="([0-9a-f]{32})"', client.get(ADDRESS).text)
        for _ in range(2)
    ]
    assert shown[0]
    assert shown[1]
    assert shown[0][1] != shown[1][1]


NOT_NUMBERS = ["NaN", "sNaN", "Infinity", "1e99", "٣x"]


@pytest.mark.parametrize("number", NOT_NUMBERS)
def test_a_filter_for_no_finite_number_is_left_out(
    client: FlaskClient, log_in: Any, number: str
) -> None:
    log_in(suppliers.LOGINS["care_director"], username="care_director")
    for verb in ("at_least", "at_most"):
        answer = client.get(f"/admin/penalty/?flt_amount_{verb}={number}")
        assert answer.status_code == 200
    for day in ("0001-01-01", "9999-12-31", "1899-01-01"):
        answer = client.get(f"/admin/complaint/?flt_received_at_from={day}")
        assert answer.status_code == 200
