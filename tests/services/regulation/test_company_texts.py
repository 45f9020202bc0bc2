"""What the company says itself from a day on; the regulation's own words are the default."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from policy.vocabulary.errors import ChoiceUnknown, Duplicate, FieldMissing
from services.regulation import company_texts, policies
from tests.company import Office, at, regulation

DAY = dt.date(2026, 10, 12)


@pytest.fixture
def worded(office: Office) -> int:
    """The id of a policy with a script and a report outside."""
    data = regulation()
    data["script"] = [
        *data.get("script", ()),
        {
            "key": "hello",
            "label": "开场白",
            "cite": "SKD-2.1",
            "event": "contacted",
            "text": "您好",
        },
    ]
    data["report_out"] = [
        *data.get("report_out", ()),
        {"key": "market", "label": "报市场监管", "cite": "SKD-2.1", "to": "市场监管部门"}
        | {"ways": [{"key": "phone", "label": "电话"}]},
    ]
    day = dt.date(2026, 10, 1)
    version = policies.publish(office.session, data, effective_from=day, now=at(10, 1, 9))
    return version.policy_id


def said(session: Session, policy_id: int, section: str, on: dt.date) -> dict[str, str]:
    return company_texts.texts_on(session, policy_id=policy_id, section=section, on=on)


def test_the_company_s_words_stand_from_their_day_on(office: Office, worded: int) -> None:
    session, policy_id = office.session, worded
    for from_on, text in ((DAY, "浦东新区市场监督管理局"), (dt.date(2026, 11, 1), "徐汇分局")):
        what = f"{policy_id}/authority/market"
        company_texts.add_text(session, what, from_on=from_on, text=text, on=DAY)
    days = [DAY - dt.timedelta(days=1), DAY, dt.date(2026, 12, 1)]
    assert [said(session, policy_id, "authority", day) for day in days] == [
        {},
        {"market": "浦东新区市场监督管理局"},
        {"market": "徐汇分局"},
    ]


def test_words_are_changed_and_refused_where_there_is_nothing_to_say(
    office: Office, worded: int, refuses: Any
) -> None:
    session, policy_id = office.session, worded
    what = f"{policy_id}/script/hello"
    row = company_texts.add_text(session, what, from_on=DAY, text=" 早上好 ", on=DAY)
    company_texts.change_text(session, row, text="下午好")
    assert said(session, policy_id, "script", DAY) == {"hello": "下午好"}
    with refuses(Duplicate, field="from_on"):
        company_texts.add_text(session, what, from_on=DAY, text="x", on=DAY)
    with refuses(FieldMissing, field="text"):
        company_texts.change_text(session, row, text=" ")
    with refuses(ChoiceUnknown, field="what"):
        company_texts.add_text(session, f"{policy_id}/script/bye", from_on=DAY, text="x", on=DAY)
