"""Regulations in the record: versions, the day they begin, and that the rows are the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import PolicyRule, PolicyVersion
from policy.pack.loading import build_pack
from policy.vocabulary.errors import NotInForce, PackRefused
from policy.vocabulary.status import Satisfaction
from services.cases import sweep
from services.regulation import policies
from tests.company import REGULATION, Office, at, regulation

NEW_DAY = dt.date(2026, 10, 12)


def shorter(data: dict[str, Any]) -> dict[str, Any]:
    """The regulation with two working days where it has three, and 250 yuan instead of 200."""
    for entry in data["deadline"]:
        if entry["key"] == "close_a":
            entry["within"] = {"amount": 2, "unit": "working_day"}
    for entry in data["penalty"]:
        if entry["key"] == "late_close":
            entry["amount"] = 250
    return data


def publish(office: Office, data: dict[str, Any], **said: Any) -> PolicyVersion:
    usual: dict[str, Any] = {"effective_from": NEW_DAY, "now": at(10, 9, 9)}
    return policies.publish(office.session, data, **(usual | said))


@pytest.mark.proves("SKD-一.2")
def test_a_case_keeps_the_version_it_was_registered_under_while_new_ones_take_the_new_one(
    office: Office,
) -> None:
    before = office.dispatched()
    publish(office, shorter(regulation()))
    version = policies.in_force(office.session, REGULATION, on=NEW_DAY)
    after = office.registered(version=version, received_at=at(10, 12, 9), now=at(10, 12, 9))
    office.dispatch(after, at(10, 12, 10))
    assert (before.policy_version.number, after.policy_version.number) == (1, 2)
    assert before.due_at == at(10, 8, 10)
    assert after.due_at == at(10, 14, 10)
    for case in (before, after):
        sweep.pass_time(office.session, case.number, now=at(10, 20, 9))
    assert [office.penalty(case, "late_close").amount for case in (before, after)] == [200, 250]
    office.reply(before, at(10, 20, 10))
    office.confirm(before, at(10, 20, 11))
    office.call(
        before,
        now=at(10, 20, 12),
        satisfaction=Satisfaction.dissatisfied,
        asks_more=True,
        text="仍有异响",
    )
    assert before.due_at == at(10, 23, 12)


def test_a_version_is_in_force_from_its_first_day(office: Office) -> None:
    publish(office, shorter(regulation()))
    on = [
        policies.in_force(office.session, REGULATION, on=day).number
        for day in (dt.date(2026, 1, 1), NEW_DAY - dt.timedelta(days=1), NEW_DAY)
    ]
    assert on == [1, 1, 2]
    with pytest.raises(NotInForce):
        policies.in_force(office.session, REGULATION, on=dt.date(2025, 12, 31))
    with pytest.raises(NotInForce):
        policies.in_force(office.session, "another", on=NEW_DAY)


def test_of_two_versions_from_one_day_the_later_one_is_in_force(office: Office) -> None:
    publish(office, regulation())
    publish(office, shorter(regulation()))
    assert policies.in_force(office.session, REGULATION, on=NEW_DAY).number == 3
    assert [v.number for v in policies.all_in_force(office.session, on=NEW_DAY)] == [3]


def test_a_draft_and_a_withdrawn_version_are_not_in_force(office: Office) -> None:
    for status in ("draft", "withdrawn"):
        publish(office, shorter(regulation())).status = status
    office.session.flush()
    assert policies.in_force(office.session, REGULATION, on=NEW_DAY).number == 1


def test_the_rows_of_a_version_are_the_file_it_came_from(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = office.version
    monkeypatch.setattr(policies, "_packs", {})
    read = policies.pack(office.session, version)
    wanted = build_pack(regulation())
    assert read == wanted
    assert read.checksum == wanted.checksum == version.checksum


def test_a_choice_of_the_company_makes_another_pack(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publish(office, regulation(), parameters={"restart_per": "round"})
    monkeypatch.setattr(policies, "_packs", {})
    read = policies.pack(office.session, version)
    assert read.find("penalty", "restart_director").per == "round"
    assert version.checksum != office.version.checksum


def test_a_regulation_that_is_wrong_is_refused_and_leaves_no_row(
    office: Office, refuses: Callable[..., Any]
) -> None:
    data = regulation()
    data["deadline"][0]["cite"] = "SKD-99"
    with refuses(PackRefused):
        publish(office, data)


def test_a_policy_has_one_row_whatever_its_versions(office: Office, session: Session) -> None:
    publish(office, regulation())
    assert len({v.policy_id for v in session.scalars(sa.select(PolicyVersion))}) == 1
    counted = sa.select(PolicyRule.policy_version_id, sa.func.count()).group_by(
        PolicyRule.policy_version_id
    )
    assert len({count for _, count in session.execute(counted)}) == 1
