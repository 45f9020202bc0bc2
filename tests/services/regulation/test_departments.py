"""Which department of the company a regulation's means, said from a day on."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from models import PolicyVersion
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.errors import ChoiceUnknown, MeaningTaken, ValueRefused
from services.company import actors
from services.regulation import departments, drafts, policies, publishing
from tests.company import Office, at
from tests.regulations import apart

DAY = dt.date(2026, 10, 12)
LATER = dt.date(2026, 11, 1)


@pytest.fixture
def rescue(office: Office) -> PolicyVersion:
    """The road-rescue regulation, none of whose departments the company has by their keys."""
    data = apart(read_toml(shipped_path("road-rescue")), "R")
    return policies.publish(office.session, data, effective_from=DAY, now=at(10, 12, 9))


def missing(office: Office, version: PolicyVersion, on: dt.date) -> list[str]:
    pack = policies.pack(office.session, version)
    said: dict[str, Any] = {"policy_id": version.policy_id, "on": on}
    return [one.key for one in departments.unmapped(office.session, pack, **said)]


def test_a_department_of_a_regulation_means_another_one_from_its_day_on(
    office: Office, rescue: PolicyVersion
) -> None:
    session, policy_id = office.session, rescue.policy_id
    what = departments.name_of(policy_id, "operations")
    for day, key in ((DAY, "workshop"), (LATER, "parts")):
        departments.add_meaning(session, what, office.department(key), from_on=day)
    for day, key in ((DAY, "workshop"), (LATER, "parts")):
        found = departments.departments_meant(session, policy_id=policy_id, on=day)
        assert found["operations"] is office.department(key)
        assert missing(office, rescue, day) == ["customer_service", "support"]
    early = actors.department_ids(session, policy_id=policy_id, on=DAY - dt.timedelta(days=1))
    assert "operations" not in early


def test_two_meanings_from_one_day_on_are_refused_and_one_is_changed(
    office: Office, rescue: PolicyVersion, refuses: Any
) -> None:
    session = office.session
    what = departments.name_of(rescue.policy_id, "operations")
    row = departments.add_meaning(session, what, office.department("parts"), from_on=DAY)
    later = departments.add_meaning(session, what, office.department("sales"), from_on=LATER)
    told = {
        "department": "parts department",
        "policy_department": "清障救援投诉处理方案 · 清障作业部门",
    }
    with refuses(MeaningTaken, field="from_on", **told):
        departments.add_meaning(session, what, office.department("sales"), from_on=DAY)
    with refuses(MeaningTaken, from_on=DAY):
        departments.change_meaning(session, later, office.department("sales"), from_on=DAY)
    departments.change_meaning(session, row, office.department("workshop"), from_on=DAY)
    found = departments.departments_meant(session, policy_id=rescue.policy_id, on=DAY)
    assert found["operations"] is office.department("workshop")


def test_only_an_active_department_is_meant_by_one_of_a_regulation(
    office: Office, rescue: PolicyVersion, refuses: Any
) -> None:
    session, parts = office.session, office.department("parts")
    what = departments.name_of(rescue.policy_id, "operations")
    with refuses(ChoiceUnknown, field="policy_department"):
        departments.add_meaning(session, f"{rescue.policy_id}/moon", parts, from_on=DAY)
    departments.add_meaning(session, what, parts, from_on=DAY)
    parts.active = False
    session.flush()
    assert "operations" in missing(office, rescue, DAY)
    with refuses(ValueRefused, field="department", why="inactive"):
        departments.add_meaning(session, what, parts, from_on=LATER)


def test_a_draft_s_department_is_known_before_it_is_published_and_gone_with_it(
    office: Office,
) -> None:
    said: dict[str, Any] = {"actor": office.administrator, "now": at(10, 12, 9)}
    draft = drafts.begin_empty(office.session, key="warranty", label="三包", **said)
    what = departments.name_of(draft.policy_id, "service")
    assert departments.policy_departments(office.session)[what] == "三包 · 服务部"
    publishing.withdraw(office.session, draft, reason="不需要", **said)
    assert what not in departments.policy_departments(office.session)
