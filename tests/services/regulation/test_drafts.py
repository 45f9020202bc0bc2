"""Drafts of regulations: begun, changed as typed, checked, approved by another, published."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from files.regulation_toml import toml_of
from models import Department, PolicyChange, PolicyRule, PolicyVersion, User
from policy.pack.comparing import differences
from policy.pack.loading import parse_toml, read_toml, shipped_path
from policy.proof import checking
from policy.vocabulary.errors import (
    ApprovalMissing,
    ChangedMeanwhile,
    CheckFirst,
    Duplicate,
    FieldMissing,
    FindingsStand,
    NotFound,
    NotInForce,
    OwnDraft,
    PackRefused,
    PeriodRefused,
    RoleMissing,
    ValueRefused,
    VersionFixed,
)
from policy.vocabulary.status import ActorKind
from services.calendar import working_calendar
from services.cases import sweep
from services.company import people
from services.company.actors import Actor
from services.regulation import departments, draft_checks, drafts, policies, publishing
from tests.company import MORNING, REGULATION, Office, at, regulation

NOW = at(10, 9, 9)
TODAY = NOW.date()
TOLD: dict[str, Any] = {"told_staff_on": TODAY, "told_staff_proof": "公告 2026-15"}


def user(session: Session, name: str, role: Role) -> Actor:
    """Somebody who logs in with a role."""
    row = User(username=name, display_name=name, role=role, password_hash="-", session_token="-")
    session.add(row)
    session.flush()
    return Actor(ActorKind.user, row.id, None, role)


@pytest.fixture
def second(session: Session, office: Office) -> Actor:
    """Another administrator."""
    return user(session, "second", Role.administrator)


@pytest.fixture
def draft(office: Office) -> PolicyVersion:
    """A draft of the regulation in force, begun by the administrator."""
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    return drafts.begin_from(office.session, office.version, **said)


def row(session: Session, version: PolicyVersion, section: str, key: str) -> PolicyRule:
    return session.scalars(
        sa.select(PolicyRule).where(
            PolicyRule.policy_version_id == version.id,
            PolicyRule.section == section,
            PolicyRule.key == key,
        )
    ).one()


def change(office: Office, draft: PolicyVersion, section: str, key: str, **said: Any) -> None:
    """Let an entry of a draft say other things, by the administrator."""
    found = row(office.session, draft, section, key)
    data = {**found.data, **said}
    drafts.change_entries(
        office.session, draft, {found.id: data}, actor=office.administrator, now=NOW
    )


def hold_posts(office: Office) -> None:
    """Let the care specialist hold every post that nobody holds."""
    held = {key for key, *_ in office.session.execute(sa.text("SELECT post FROM post_holding"))}
    for post in people.posts(office.session):
        if post not in held:
            person = office.employee("specialist")
            people.hold_post(office.session, person, post, from_on=dt.date(2020, 1, 1))


def have_departments(office: Office, data: dict[str, Any]) -> None:
    """Let the company have every department that a regulation names."""
    known = set(office.session.scalars(sa.select(Department.key)))
    for entry in data["department"]:
        if entry["key"] not in known:
            people.add_department(office.session, key=entry["key"], name=entry["label"])


def check_all(session: Session, draft: PolicyVersion) -> None:
    """What the worker writes down when the slow check found nothing."""
    work = draft_checks.check_input(session, draft.id)
    assert work is not None
    draft_checks.store_findings(session, draft.id, work.content, found=[], now=NOW)


def approved(office: Office, draft: PolicyVersion, by: Actor) -> None:
    hold_posts(office)
    check_all(office.session, draft)
    publishing.approve(office.session, draft, actor=by, on=TODAY, now=NOW)


def publish(office: Office, draft: PolicyVersion, **said: Any) -> None:
    usual: dict[str, Any] = {"effective_from": TODAY, "actor": office.administrator, **TOLD}
    publishing.publish(office.session, draft, **(usual | said), on=TODAY, now=NOW)


# ---------------------------------------------------------------- beginning


def test_a_draft_says_what_the_version_says_it_was_begun_from(
    office: Office, draft: PolicyVersion
) -> None:
    assert (draft.number, draft.status, draft.based_on) == (2, "draft", office.version)
    assert policies.pack(office.session, draft).checksum == office.version.checksum
    assert policies.in_force(office.session, REGULATION, on=TODAY).number == 1


def test_a_draft_takes_over_the_choices_the_company_made(office: Office) -> None:
    own = policies.publish(
        office.session,
        regulation(),
        effective_from=TODAY,
        now=NOW,
        parameters={"restart_per": "round"},
    )
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    begun = drafts.begin_from(office.session, own, **said)
    assert row(office.session, begun, "parameter", "restart_per").data["value"] == "round"
    pack = policies.pack(office.session, begun)
    assert pack.find("penalty", "restart_director").per == "round"


def test_a_draft_begins_with_a_shipped_regulation_a_file_or_nothing(office: Office) -> None:
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    shipped = drafts.begin_shipped(office.session, REGULATION, **said)
    assert shipped.based_on == office.version
    data = parse_toml(toml_of(policies.plain_data(office.session, shipped)).encode(), file="x.toml")
    again = drafts.begin_with(office.session, data, **said)
    assert again.checksum == shipped.checksum
    new = drafts.begin_empty(office.session, key="warranty", label="三包处理制度", **said)
    assert (new.policy.name, new.number, new.based_on) == ("三包处理制度", 1, None)
    assert draft_checks.check(office.session, new, on=TODAY).quick[0].code == "post_unheld"


def test_a_draft_that_cannot_be_kept_is_refused_with_its_place(
    office: Office, refuses: Any
) -> None:
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    with refuses(PackRefused):
        drafts.begin_with(office.session, {"policy": {"key": "x"}, "penalty": 3}, **said)
    with refuses(PackRefused):
        drafts.begin_with(office.session, {}, **said)
    with refuses(ValueRefused, field="key"):
        drafts.begin_with(office.session, {"policy": {"key": "a b"}}, **said)
    with refuses(NotFound):
        drafts.begin_shipped(office.session, "no-such", **said)
    with refuses(Duplicate, field="key"):
        drafts.begin_empty(office.session, key=REGULATION, label="另一制度", **said)
    with refuses(FieldMissing, field="title"):
        drafts.begin_empty(office.session, key="new", label=" ", **said)


def test_a_draft_full_of_mistakes_is_kept_as_it_was_typed(office: Office) -> None:
    data: dict[str, Any] = {
        "policy": {"key": "odd", "label": "怪"},
        "penalty": [{"key": "p", "amount": "二百"}, {"key": "p", "amount": -5}, {}],
        "spell": [{"key": "x", "words": [1, {"a": 2}]}],
    }
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    kept = drafts.begin_with(office.session, data, **said)
    office.session.expire_all()
    assert policies.plain_data(office.session, kept) == data
    codes = {one.code for one in draft_checks.check(office.session, kept, on=TODAY).grave}
    assert {"missing", "section_unknown", "no_number", "too_small"} <= codes


# ---------------------------------------------------------------- changing


def test_entries_are_changed_added_moved_and_removed_and_each_change_is_a_row(
    office: Office, draft: PolicyVersion
) -> None:
    session = office.session
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    change(office, draft, "penalty", "late_close", amount="250")
    new = drafts.add_entry(
        session,
        draft,
        "category",
        data={"key": "price", "label": "价格", "cite": "SKD-2.1"},
        **said,
    )
    drafts.move_entry(session, draft, new, by=-1, **said)
    drafts.remove_entry(session, draft, row(session, draft, "category", "parts"), **said)
    found = differences(
        policies.plain_data(session, office.version), policies.plain_data(session, draft)
    )
    assert [(d.section, d.key, d.kind) for d in found] == [
        ("category", "parts", "removed"),
        ("category", "price", "added"),
        ("penalty", "late_close", "changed"),
    ]
    assert [(c.field, c.before, c.after) for c in found[-1].changes] == [("amount", 200, "250")]
    noted = session.scalars(sa.select(PolicyChange).order_by(PolicyChange.id)).all()
    assert [one.deed for one in noted] == ["changed", "added", "moved", "removed"]
    assert noted[0].before is not None
    assert noted[0].before["amount"] == 200
    assert policies.pack(session, draft).find("penalty", "late_close").amount == 250


def test_a_change_that_changes_nothing_leaves_the_draft_as_it_is(
    office: Office, draft: PolicyVersion
) -> None:
    before = draft.version
    change(office, draft, "penalty", "late_close", amount=200)
    assert draft.version == before
    change(office, draft, "penalty", "late_close", amount=201)
    assert draft.version > before


def test_of_two_who_change_a_draft_the_second_is_told(
    office: Office, draft: PolicyVersion, refuses: Any
) -> None:
    seen = draft.version
    change(office, draft, "penalty", "late_close", amount=250)
    with refuses(ChangedMeanwhile):
        drafts.lock_draft(office.session, draft.id, seen=seen)
    assert drafts.lock_draft(office.session, draft.id, seen=draft.version) is draft


def test_a_published_version_stays_as_it_is(office: Office, refuses: Any) -> None:
    with refuses(VersionFixed):
        change(office, office.version, "penalty", "late_close", amount=250)
    session = office.session
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    found = row(session, office.version, "penalty", "late_close")
    for act in (
        lambda: drafts.remove_entry(session, office.version, found, **said),
        lambda: drafts.move_entry(session, office.version, found, by=1, **said),
        lambda: drafts.add_entry(session, office.version, "category", data={}, **said),
    ):
        with refuses(VersionFixed):
            act()


def test_only_administrators_edit(office: Office, draft: PolicyVersion, refuses: Any) -> None:
    found = row(office.session, draft, "penalty", "late_close")
    for role in set(Role) - {Role.administrator}:
        actor = Actor(ActorKind.user, None, None, role)
        with refuses(RoleMissing):
            drafts.change_entries(office.session, draft, {found.id: {}}, actor=actor, now=NOW)
        with refuses(RoleMissing):
            drafts.begin_from(office.session, office.version, actor=actor, now=NOW)


# ---------------------------------------------------------------- checking and approving


def test_a_post_that_nobody_holds_is_named_with_the_rule_that_needs_it(
    office: Office, draft: PolicyVersion
) -> None:
    hold_posts(office)
    assert draft_checks.check(office.session, draft, on=TODAY).grave == []
    (leading,) = office.holdings("care_director")
    people.end_post(office.session, leading, until_on=TODAY - dt.timedelta(days=1))
    found = draft_checks.check(office.session, draft, on=TODAY).grave
    assert {one.code for one in found} == {"post_unheld"}
    assert all("care_director" in one.facts["posts"] for one in found)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("chain", {"steps": ["director", "lonely"]}),
        ("alert", {"event": "replied", "to": ["lonely"]}),
        ("authority", {"by": "lonely", "up_to": 500}),
        ("report", {"every": "month", "by": "lonely"}),
        ("report", {"every": "month", "by": "director", "to": ["lonely", "采购人"]}),
    ],
)
def test_whoever_approves_promises_reports_or_is_told_must_be_somebody(
    office: Office, draft: PolicyVersion, section: str, said: dict[str, Any]
) -> None:
    hold_posts(office)
    for where, more in (("post", {}), (section, said)):
        data = {"key": "lonely", "label": "无人岗位", "cite": "SKD-4.4", **more}
        drafts.add_entry(
            office.session, draft, where, data=data, actor=office.administrator, now=NOW
        )
    (found,) = draft_checks.check(office.session, draft, on=TODAY).grave
    assert (found.code, found.section, found.key) == ("post_unheld", "post", "lonely")
    assert found.facts["rules"] == [(section, "lonely")]


def test_all_is_found_at_once_and_a_vacant_post_is_one_line(
    office: Office, draft: PolicyVersion
) -> None:
    hold_posts(office)
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    entries: list[tuple[str, dict[str, Any]]] = [
        ("post", {"key": "lonely", "label": "无人岗位"}),
        ("chain", {"key": "one", "label": "一审", "steps": ["lonely"]}),
        ("chain", {"key": "two", "label": "二审", "steps": ["director", "lonely"]}),
        ("alert", {"key": "told", "label": "告知", "event": "replied", "to": ["nobody_known"]}),
    ]
    for section, data in entries:
        drafts.add_entry(office.session, draft, section, data={"cite": "SKD-4.4", **data}, **said)
    found = draft_checks.check(office.session, draft, on=TODAY).grave
    assert {one.code for one in found} == {"post_unheld", "post_gone"}
    (vacant,) = [one for one in found if one.code == "post_unheld"]
    assert vacant.facts["rules"] == [("chain", "one"), ("chain", "two")]
    assert vacant.facts["count"] == 2


def test_a_holder_whose_account_opens_no_case_is_named(
    office: Office, draft: PolicyVersion
) -> None:
    hold_posts(office)
    (leading,) = office.holdings("care_director")

    def missing() -> list[str]:
        found = draft_checks.check(office.session, draft, on=TODAY).quick
        return [
            one.facts["holder"]
            for one in found
            if (one.code, one.key) == ("holder_without_account", "care_director")
        ]

    for account in office.session.scalars(
        sa.select(User).where(User.employee_id == leading.employee_id)
    ):
        account.active = False
    office.session.flush()
    assert missing() == [leading.employee.name]
    other = office.session.scalars(sa.select(User)).first()
    assert other is not None
    other.employee, other.active, other.role = leading.employee, True, Role.hr
    office.session.flush()
    assert missing() == [leading.employee.name], "an account of payroll opens no case"
    other.role = Role.care
    office.session.flush()
    assert missing() == []


def test_what_was_typed_before_its_entry_existed_is_looked_up_when_it_does(
    office: Office, draft: PolicyVersion
) -> None:
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    early: dict[str, Any] = {
        "key": "early",
        "label": "早",
        "cite": "SKD-4.4",
        "event": "replied",
        "to": ["handler"],
    }
    early["applies"] = [{"field": "category", "is": "水质"}]
    drafts.add_entry(office.session, draft, "alert", data=early, **said)
    codes = {one.code for one in draft_checks.check(office.session, draft, on=TODAY).grave}
    assert "value_gone" in codes
    water = {"key": "water", "label": "水质", "cite": "SKD-4.4"}
    drafts.add_entry(office.session, draft, "category", data=water, **said)
    stored = row(office.session, draft, "alert", "early").data
    assert stored["applies"] == [{"field": "category", "is": "water"}]
    assert stored["label"] == "早"


def test_a_department_the_company_does_not_have_is_named(
    office: Office, draft: PolicyVersion
) -> None:
    hold_posts(office)
    parts = office.department("parts")
    parts.active = False
    (found,) = draft_checks.check(office.session, draft, on=TODAY).grave
    assert (found.code, found.section, found.key) == ("department_unmapped", "department", "parts")
    what = departments.name_of(draft.policy_id, "parts")
    coming = TODAY + dt.timedelta(days=9)
    departments.add_meaning(office.session, what, office.department("workshop"), from_on=coming)
    assert draft_checks.check(office.session, draft, on=TODAY).grave == []


def test_a_draft_is_approved_by_another_and_only_as_it_was_checked(
    office: Office, draft: PolicyVersion, second: Actor, refuses: Any
) -> None:
    session = office.session
    hold_posts(office)
    said: dict[str, Any] = {"on": TODAY, "now": NOW}
    with refuses(CheckFirst):
        publishing.approve(session, draft, actor=second, **said)
    check_all(session, draft)
    with refuses(OwnDraft):
        publishing.approve(session, draft, actor=office.administrator, **said)
    carer = user(session, "c", Role.care)
    with refuses(RoleMissing):
        publishing.approve(session, draft, actor=carer, **said)
    publishing.approve(session, draft, actor=second, **said)
    assert draft.approved_by_id == second.user_id
    change(office, draft, "penalty", "late_close", amount=250)
    assert (draft.approved_by_id, draft.approved_at) == (None, None)
    with refuses(CheckFirst):
        publishing.approve(session, draft, actor=second, **said)


def test_whoever_changed_a_draft_may_not_approve_it_although_another_began_it(
    office: Office, draft: PolicyVersion, second: Actor, refuses: Any
) -> None:
    session = office.session
    found = row(session, draft, "penalty", "late_close")
    data = {**found.data, "amount": 250}
    drafts.change_entries(session, draft, {found.id: data}, actor=second, now=NOW)
    hold_posts(office)
    check_all(session, draft)
    with refuses(OwnDraft):
        publishing.approve(session, draft, actor=second, on=TODAY, now=NOW)
    manager = user(session, "gm", Role.general_manager)
    publishing.approve(session, draft, actor=manager, on=TODAY, now=NOW)
    assert draft.approved_by_id == manager.user_id


def test_a_draft_in_which_something_is_wrong_is_not_approved(
    office: Office, draft: PolicyVersion, second: Actor, refuses: Any
) -> None:
    hold_posts(office)
    change(office, draft, "penalty", "late_close", amount=-5)
    with refuses(FindingsStand, count=1):
        publishing.approve(office.session, draft, actor=second, on=TODAY, now=NOW)


def test_what_the_slow_check_finds_stands_until_the_draft_is_changed(
    office: Office, draft: PolicyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_STEPS", 1_000)
    change(office, draft, "penalty", "late_close", amount=250)
    work = draft_checks.check_input(office.session, draft.id)
    assert work is not None
    found_slowly = draft_checks.slow_findings(work)
    draft_checks.store_findings(office.session, draft.id, work.content, found=found_slowly, now=NOW)
    found = draft_checks.check(office.session, draft, on=TODAY)
    assert found.current
    assert {one.code for one in found.slow} == {"case_differs", "walk_cut_short"}
    change(office, draft, "penalty", "late_close", amount=260)
    again = draft_checks.check(office.session, draft, on=TODAY)
    assert (again.current, again.slow) == (False, ())


def test_a_shipped_regulation_begun_first_is_played_against_its_own_cases(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_STEPS", 1)
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    first = drafts.begin_shipped(office.session, "road-rescue", **said)
    assert first.based_on is None
    change(office, first, "deadline", "finish", within={"amount": 9, "unit": "working_day"})
    work = draft_checks.check_input(office.session, first.id)
    assert work is not None
    assert "case_differs" in {one.code for one in draft_checks.slow_findings(work)}


def test_a_draft_that_does_not_load_needs_no_slow_check(
    office: Office, draft: PolicyVersion
) -> None:
    change(office, draft, "penalty", "late_close", amount=-5)
    work = draft_checks.check_input(office.session, draft.id)
    assert work is not None
    assert draft_checks.slow_findings(work) == []


# ---------------------------------------------------------------- publishing and after


def test_an_approved_draft_is_in_force_from_its_day_on(
    office: Office, draft: PolicyVersion, second: Actor
) -> None:
    change(office, draft, "penalty", "late_close", amount=250)
    approved(office, draft, second)
    day = TODAY + dt.timedelta(days=7)
    publish(office, draft, effective_from=day)
    assert policies.in_force(office.session, REGULATION, on=TODAY).number == 1
    assert policies.in_force(office.session, REGULATION, on=day) is draft
    pack = policies.pack(office.session, draft)
    assert pack.find("penalty", "late_close").amount == 250
    assert draft.checksum == pack.checksum
    assert (draft.told_staff_on, draft.told_staff_proof) == (TODAY, "公告 2026-15")


def test_nothing_is_published_unapproved_untold_or_for_the_past(
    office: Office, draft: PolicyVersion, second: Actor, refuses: Any
) -> None:
    with refuses(ApprovalMissing):
        publish(office, draft)
    approved(office, draft, second)
    yesterday, tomorrow = TODAY - dt.timedelta(days=1), TODAY + dt.timedelta(days=1)
    with refuses(FieldMissing, field="told_staff_on"):
        publish(office, draft, told_staff_on=None)
    with refuses(FieldMissing, field="told_staff_proof"):
        publish(office, draft, told_staff_proof=" ")
    with refuses(PeriodRefused, field="effective_from"):
        publish(office, draft, effective_from=yesterday)
    with refuses(PeriodRefused, field="told_staff_on"):
        publish(office, draft, told_staff_on=tomorrow, effective_from=tomorrow)
    publish(office, draft)
    with refuses(VersionFixed):
        publish(office, draft)


@pytest.mark.proves("SAL-13b")
def test_a_change_of_the_sales_company_is_in_force_only_once_another_approved_it(
    office: Office, second: Actor, refuses: Any
) -> None:
    session = office.session
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    data = read_toml(shipped_path("sales-company"))
    version = policies.publish(session, data, effective_from=dt.date(2026, 1, 1), now=NOW)
    draft = drafts.begin_from(session, version, **said)
    change(office, draft, "deadline", "answer", within={"amount": 2, "unit": "working_day"})
    with refuses(ApprovalMissing):
        publish(office, draft)
    hold_posts(office)
    have_departments(office, data)
    check_all(session, draft)
    with refuses(OwnDraft):
        publishing.approve(session, draft, on=TODAY, **said)
    assert policies.in_force(session, "sales-company", on=TODAY) is version
    publishing.approve(session, draft, on=TODAY, actor=second, now=NOW)
    publish(office, draft)
    assert policies.in_force(session, "sales-company", on=TODAY) is draft
    assert draft.approved_by_id == second.user_id


def test_a_version_to_come_is_withdrawn_and_the_one_before_goes_on(
    office: Office, draft: PolicyVersion, second: Actor, refuses: Any
) -> None:
    approved(office, draft, second)
    day = TODAY + dt.timedelta(days=7)
    publish(office, draft, effective_from=day)
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    with refuses(FieldMissing, field="reason"):
        publishing.withdraw(office.session, draft, reason=" ", **said)
    publishing.withdraw(office.session, draft, reason="金额有误", **said)
    assert policies.in_force(office.session, REGULATION, on=day).number == 1
    with refuses(VersionFixed):
        publishing.withdraw(office.session, draft, reason="again", **said)


def test_a_case_whose_policy_was_withdrawn_keeps_working(office: Office) -> None:
    case = office.dispatched()
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    publishing.withdraw(office.session, office.version, reason="停用", **said)
    with pytest.raises(NotInForce):
        policies.in_force(office.session, REGULATION, on=MORNING.date())
    sweep.pass_time(office.session, case.number, now=at(10, 9, 10))
    office.reply(case, at(10, 9, 11))
    office.confirm(case, at(10, 9, 12))
    office.call(case, now=at(10, 9, 13))
    office.sign(case, at(10, 9, 14))
    assert office.penalty(case, "late_close").amount == 200
    assert case.closed_at == at(10, 9, 14)


def test_two_regulations_in_force_work_side_by_side(office: Office, second: Actor) -> None:
    said: dict[str, Any] = {"actor": office.administrator, "now": NOW}
    new = drafts.begin_empty(office.session, key="warranty", label="三包处理制度", **said)
    people.add_department(office.session, key="service", name="服务部")
    approved(office, new, second)
    publish(office, new)
    names = [v.policy.key for v in policies.all_in_force(office.session, on=TODAY)]
    assert sorted(names) == [REGULATION, "warranty"]


def test_the_slow_check_sees_the_calendar_of_the_company_or_the_official_one(
    office: Office, draft: PolicyVersion
) -> None:
    work = draft_checks.check_input(office.session, draft.id)
    assert work is not None
    assert work.calendar == working_calendar.work_calendar(office.session)
    assert draft_checks.check_input(office.session, 10**9) is None
    assert checking.written_findings(work.data) == [
        one for one in checking.written_findings(work.data) if not one.grave
    ]
