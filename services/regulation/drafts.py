"""Editing a regulation: a draft is begun, changed entry by entry, checked, approved and published.

A draft is stored as it was typed, right or wrong; the check says what is wrong with it and
nothing of it is lost. Every change is a row of its own and takes back an approval that was given.
Whoever wrote at a draft does not approve it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import PolicyChange, PolicyRule, PolicyVersion, PostHolding
from policy.pack.loading import (
    CASE_ROLES,
    build_pack,
    is_role,
    named_people,
    read_toml,
    references,
    shipped_path,
)
from policy.pack.schema import Pack
from policy.pack.starter import starter_pack
from policy.proof.checking import changed_cases, without_next_deed, written_findings
from policy.proof.contradictions import Finding
from policy.vocabulary.errors import (
    ApprovalMissing,
    ChangedMeanwhile,
    CheckFirst,
    Duplicate,
    FieldMissing,
    FindingsStand,
    NotFound,
    OwnDraft,
    PackRefused,
    PeriodRefused,
    RoleMissing,
    ValueRefused,
    VersionFixed,
)
from policy.vocabulary.worktime import WorkCalendar
from services.calendar import working_calendar
from services.company.actors import Actor
from services.jobs import requests
from services.regulation import departments, policies

CHECK = "policy_check"
"""The kind of request by which the slow part of a check is asked for."""

CASE_FILES = Path(__file__).resolve().parent.parent.parent / "tests" / "policy"
"""Where the case files of the shipped regulations stand, if the tests came with the product."""

MAY_APPROVE = frozenset({Role.administrator, Role.general_manager})
_HEAD = "policy"
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


# ---------------------------------------------------------------- beginning


def begin_from(
    session: Session, version: PolicyVersion, *, actor: Actor, now: dt.datetime
) -> PolicyVersion:
    """A draft that says what a version says, with the choices the company made for it."""
    data = policies.plain_data(session, version)
    return _begin(session, data, based_on=version, actor=actor, now=now)


def begin_shipped(session: Session, key: str, *, actor: Actor, now: dt.datetime) -> PolicyVersion:
    """A draft that says what a shipped regulation says. Raises NotFound."""
    path = shipped_path(key)
    if not path.is_file():
        raise NotFound(what="policy", key=key)
    return begin_with(session, read_toml(path), actor=actor, now=now)


def begin_empty(
    session: Session, *, key: str, label: str, actor: Actor, now: dt.datetime
) -> PolicyVersion:
    """A draft of a new regulation with the least that is one. Raises Duplicate for a used key."""
    if not label.strip():
        raise FieldMissing(field="title")
    data = starter_pack(key.strip(), label.strip())
    _check_key(data)
    used = sa.select(PolicyVersion.id).where(PolicyVersion.policy.has(key=key.strip()))
    if session.scalars(used.limit(1)).first() is not None:
        raise Duplicate(field="key", value=key)
    return begin_with(session, data, actor=actor, now=now)


def begin_with(
    session: Session, data: Mapping[str, Any], *, actor: Actor, now: dt.datetime
) -> PolicyVersion:
    """A draft of plain data from a file. The regulation is the one that the key in it names.

    Raises PackRefused where it cannot be kept as entries of sections at all.
    """
    _check_shape(data)
    _check_key(data)
    last = (
        sa.select(PolicyVersion)
        .where(PolicyVersion.policy.has(key=data[_HEAD]["key"]))
        .where(PolicyVersion.status == "published")
        .order_by(PolicyVersion.effective_from.desc(), PolicyVersion.number.desc())
    )
    return _begin(session, data, based_on=session.scalars(last).first(), actor=actor, now=now)


def _begin(
    session: Session,
    data: Mapping[str, Any],
    *,
    based_on: PolicyVersion | None,
    actor: Actor,
    now: dt.datetime,
) -> PolicyVersion:
    check_role(actor, "policy_draft")
    head = data[_HEAD]
    policy = policies.find_or_add_policy(
        session, head["key"], str(head.get("label") or head["key"])[:200]
    )
    draft = PolicyVersion(
        policy=policy,
        number=policies.next_number(policy),
        status="draft",
        checksum=policies.checksum_of(data),
        based_on=based_on,
        drafted_by_id=actor.user_id,
        drafted_at=now,
    )
    session.add(draft)
    session.flush()
    session.add_all(policies.rule_rows(draft.id, data))
    session.flush()
    return draft


def _check_shape(data: Mapping[str, Any]) -> None:
    """Refuse what is no head with sections of entries; anything else is kept as typed."""
    places = [] if isinstance(data.get(_HEAD), Mapping) else [_HEAD]
    for section, value in data.items():
        listed = isinstance(value, list | tuple) and all(isinstance(e, Mapping) for e in value)
        if section != _HEAD and not listed:
            places.append(section)
    if places:
        why = "is no list of entries"
        raise PackRefused(
            file="",
            problems=[{"place": p, "why": why, "code": "no_section", "facts": {}} for p in places],
        )


def _check_key(data: Mapping[str, Any]) -> None:
    key = data[_HEAD].get("key")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueRefused(field="key", value=str(key or ""), why="not_a_key")


# ---------------------------------------------------------------- changing


def lock_draft(session: Session, version_id: int, *, seen: int | None = None) -> PolicyVersion:
    """A version, locked until the commit. `seen` is the count of changes a form was made from.

    Raises NotFound, or ChangedMeanwhile when somebody changed it in between.
    """
    version = session.scalars(
        sa.select(PolicyVersion)
        .where(PolicyVersion.id == version_id)
        .with_for_update(of=PolicyVersion)
        .execution_options(populate_existing=True)
    ).first()
    if version is None:
        raise NotFound(what="policy_version", key=str(version_id))
    if seen is not None and seen != version.version:
        raise ChangedMeanwhile(what="policy_version", key=str(version))
    return version


def find_rule(session: Session, draft: PolicyVersion, rule_id: int) -> PolicyRule:
    """An entry of a version. Raises NotFound."""
    found = session.get(PolicyRule, rule_id)
    if found is None or found.policy_version_id != draft.id:
        raise NotFound(what="policy_rule", key=str(rule_id))
    return found


def add_entry(
    session: Session,
    draft: PolicyVersion,
    section: str,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: dt.datetime,
) -> PolicyRule:
    """A new entry at the end of a section, stored as typed."""
    check_editable(draft, actor)
    places = sa.select(sa.func.max(PolicyRule.position)).where(
        PolicyRule.policy_version_id == draft.id, PolicyRule.section == section
    )
    last = session.scalar(places)
    row = PolicyRule(
        policy_version_id=draft.id,
        section=section,
        key=policies.rule_key(data),
        position=0 if last is None else last + 1,
        data=policies.as_json(data),
    )
    session.add(row)
    _record_change(session, draft, "added", row, None, row.data, actor=actor, now=now)
    _reset_approval(session, draft)
    return row


def change_entries(
    session: Session,
    draft: PolicyVersion,
    changes: Mapping[int, Mapping[str, Any]],
    *,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Change entries, given by the ids of their rows and stored as typed; how many differ now."""
    check_editable(draft, actor)
    differ = 0
    for rule_id, data in changes.items():
        row = find_rule(session, draft, rule_id)
        before, after = row.data, policies.as_json(data)
        if before == after:
            continue
        differ += 1
        row.data, row.key = after, policies.rule_key(after)
        _record_change(session, draft, "changed", row, before, after, actor=actor, now=now)
    if differ:
        _reset_approval(session, draft)
    return differ


def remove_entry(
    session: Session, draft: PolicyVersion, row: PolicyRule, *, actor: Actor, now: dt.datetime
) -> None:
    """Take an entry out; what it said stays in the history of the draft."""
    check_editable(draft, actor)
    if row.section == _HEAD:
        raise VersionFixed(policy=draft.policy.name, number=draft.number)
    _record_change(session, draft, "removed", row, row.data, None, actor=actor, now=now)
    session.delete(row)
    _reset_approval(session, draft)


def move_entry(
    session: Session,
    draft: PolicyVersion,
    row: PolicyRule,
    *,
    by: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Let an entry change places with its neighbour: `by` is -1 (up) or 1 (down)."""
    check_editable(draft, actor)
    rows = _section(session, draft, row.section)
    place = rows.index(row)
    other = place + by
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for position, one in enumerate(rows):
        one.position = position
    _record_change(session, draft, "moved", row, row.data, row.data, actor=actor, now=now)
    _reset_approval(session, draft)


def _section(session: Session, draft: PolicyVersion, section: str) -> list[PolicyRule]:
    return list(
        session.scalars(
            sa.select(PolicyRule)
            .where(PolicyRule.policy_version_id == draft.id, PolicyRule.section == section)
            .order_by(PolicyRule.position, PolicyRule.id)
        )
    )


def check_editable(draft: PolicyVersion, actor: Actor) -> None:
    """Refuse whoever may not edit, and a version that is no draft."""
    check_role(actor, "policy_draft")
    if draft.status != "draft":
        raise VersionFixed(policy=draft.policy.name, number=draft.number)


def check_role(actor: Actor, deed: str, roles: Collection[Role] = (Role.administrator,)) -> None:
    if actor.role not in roles:
        raise RoleMissing(deed=deed)


def _record_change(
    session: Session,
    draft: PolicyVersion,
    deed: str,
    row: PolicyRule,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    session.add(
        PolicyChange(
            policy_version_id=draft.id,
            user_id=actor.user_id,
            at=now,
            deed=deed,
            section=row.section,
            key=row.key,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
    )


def _reset_approval(session: Session, draft: PolicyVersion) -> None:
    """The draft is another one now: nobody approved this."""
    session.flush()
    draft.checksum = policies.checksum_of(policies.plain_data(session, draft))
    draft.approved_by_id, draft.approved_at = None, None
    session.flush()
    session.expire(draft, ["rules", "approved_by"])


# ---------------------------------------------------------------- checking


@dataclass(frozen=True, slots=True)
class DraftCheck:
    """What is wrong with a version: what can be seen at once, and what the slow part found.

    `current` says that the slow part looked at the draft as it stands now.
    """

    quick: tuple[Finding, ...]
    slow: tuple[Finding, ...]
    current: bool

    @property
    def grave(self) -> list[Finding]:
        """What forbids to publish it."""
        return [one for one in (*self.quick, *self.slow) if one.grave]


def check(session: Session, version: PolicyVersion, *, on: dt.date) -> DraftCheck:
    """The findings about a version, its posts and departments looked at on a day."""
    data = policies.plain_data(session, version)
    quick = written_findings(data)
    if not any(one.grave for one in quick):
        pack = build_pack(data)
        quick += unheld_posts(session, pack, on=on)
        quick += unmapped_departments(session, pack, policy_id=version.policy_id)
        quick += _number_clashes(session, pack, on=on)
    current = version.checked_for == policies.checksum_of(data)
    slow = [Finding(**one) for one in version.findings or ()] if current else []
    return DraftCheck(tuple(quick), tuple(slow), current)


def unheld_posts(session: Session, pack: Pack, *, on: dt.date) -> list[Finding]:
    """The rules that need a post which nobody holds on that day or later."""
    held = set(
        session.scalars(
            sa.select(PostHolding.post).where(
                sa.or_(PostHolding.until_on.is_(None), PostHolding.until_on >= on)
            )
        )
    )
    found = []
    for section, entries in pack:
        for entry in entries if isinstance(entries, tuple) else ():
            posts = [key for target, key in references(entry) if target == "post"]
            if missing := [post for post in posts if post not in held]:
                facts = {"posts": missing}
                found.append(Finding("post_unheld", section, entry.key, facts=facts))
            for field, who in named_people(section, entry):
                if not any(_names_a_person(one, held) for one in who):
                    facts = {"posts": list(who)}
                    found.append(Finding("post_unheld", section, entry.key, field, facts))
    return found


def unmapped_departments(session: Session, pack: Pack, *, policy_id: int) -> list[Finding]:
    """The departments of a regulation the company has none for, now or from a day to come."""
    missing = departments.unmapped(session, pack, policy_id=policy_id, on=departments.IN_THE_END)
    return [Finding("department_unmapped", "department", entry.key) for entry in missing]


def _number_clashes(session: Session, pack: Pack, *, on: dt.date) -> list[Finding]:
    """The series whose numbers another regulation gives, in force on that day or later."""
    return [
        Finding(
            "number_taken",
            "number",
            mine.key,
            "template",
            {"policy": version.policy.name, "series": its.label},
        )
        for mine, its, version in policies.series_clashes(session, pack, on=on)
    ]


def _names_a_person(who: str, held: Collection[str]) -> bool:
    """Whether a name can be somebody: anybody, a part in the case, or a post that is held."""
    return who == "anybody" or who in held or who in CASE_ROLES or is_role(who)


def request_check(
    session: Session, draft: PolicyVersion, *, actor: Actor, now: dt.datetime
) -> None:
    """Ask the worker for the slow part of the check."""
    requests.request_work(session, kind=CHECK, key=str(draft.id), user_id=actor.user_id, now=now)


def is_check_requested(session: Session, version: PolicyVersion) -> bool:
    """Whether the slow part of the check is asked for and not done yet."""
    return str(version.id) in {row.key for row in requests.open_requests(session, kind=CHECK)}


def store_findings(
    session: Session,
    version_id: int,
    content: str,
    found: Iterable[Finding],
    *,
    now: dt.datetime,
) -> None:
    """Keep what the slow part found about a content, named by its checksum.

    Who edits meanwhile is not disturbed: the count of changes stays.
    """
    session.execute(
        sa.update(PolicyVersion)
        .where(PolicyVersion.id == version_id)
        .values(checked_for=content, checked_at=now, findings=[one.plain() for one in found])
        .execution_options(synchronize_session=False)
    )
    version = session.get_one(PolicyVersion, version_id)
    session.expire(version, ["checked_for", "checked_at", "findings"])


# ---------------------------------------------------------------- approving, publishing


def approve(
    session: Session, draft: PolicyVersion, *, actor: Actor, on: dt.date, now: dt.datetime
) -> None:
    """Stand behind a draft as it is now. Never by somebody who wrote at it."""
    check_role(actor, "policy_approve", MAY_APPROVE)
    facts: dict[str, Any] = {"policy": draft.policy.name, "number": draft.number}
    if draft.status != "draft":
        raise VersionFixed(**facts)
    if actor.user_id is None or actor.user_id in authors(session, draft):
        raise OwnDraft(**facts)
    _check_publishable(session, draft, on=on)
    draft.approved_by_id, draft.approved_at = actor.user_id, now
    session.flush()
    session.expire(draft, ["approved_by"])


def authors(session: Session, draft: PolicyVersion) -> set[int]:
    """The ids of the users who began a draft or changed it."""
    wrote = sa.select(PolicyChange.user_id).where(PolicyChange.policy_version_id == draft.id)
    found = {user_id for user_id in session.scalars(wrote.distinct()) if user_id is not None}
    return found | ({draft.drafted_by_id} if draft.drafted_by_id is not None else set())


def _check_publishable(session: Session, draft: PolicyVersion, *, on: dt.date) -> None:
    """Refuse a draft that was not checked as it stands, or in which something is wrong."""
    facts: dict[str, Any] = {"policy": draft.policy.name, "number": draft.number}
    found = check(session, draft, on=on)
    if found.grave:
        raise FindingsStand(**facts, count=len(found.grave))
    if not found.current:
        raise CheckFirst(**facts)


def publish(
    session: Session,
    draft: PolicyVersion,
    *,
    effective_from: dt.date,
    told_staff_on: dt.date | None,
    told_staff_proof: str,
    actor: Actor,
    on: dt.date,
    now: dt.datetime,
) -> None:
    """Put an approved draft in force from a day on; `on` is today.

    Staff must have been told by then, and there must be a proof of it. Nothing is published for
    the past.
    """
    check_editable(draft, actor)
    if draft.approved_at is None:
        raise ApprovalMissing(policy=draft.policy.name, number=draft.number)
    if told_staff_on is None:
        raise FieldMissing(field="told_staff_on")
    if not told_staff_proof.strip():
        raise FieldMissing(field="told_staff_proof")
    if effective_from < max(on, told_staff_on):
        earliest = max(on, told_staff_on)
        raise PeriodRefused(field="effective_from", from_on=earliest, until_on=None)
    if told_staff_on > on:
        raise PeriodRefused(field="told_staff_on", from_on=None, until_on=on)
    _check_publishable(session, draft, on=on)
    pack = build_pack(policies.plain_data(session, draft), file=str(draft))
    draft.status, draft.checksum = "published", pack.checksum
    draft.effective_from, draft.published_at = effective_from, now
    draft.published_by_id = actor.user_id
    draft.told_staff_on, draft.told_staff_proof = told_staff_on, told_staff_proof.strip()
    draft.policy.name = pack.policy.label
    session.flush()


def withdraw(
    session: Session, version: PolicyVersion, *, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Let no case be registered under a version any more; a draft is thrown away.

    Cases it has keep it. New ones fall under the version that was in force before, if there is
    one.
    """
    check_role(actor, "policy_withdraw")
    if version.status == "withdrawn":
        raise VersionFixed(policy=version.policy.name, number=version.number)
    if not reason.strip():
        raise FieldMissing(field="reason")
    version.status = "withdrawn"
    version.withdrawn_at, version.withdrawn_by_id = now, actor.user_id
    version.withdrawn_because = reason.strip()
    session.flush()


def changes_of(
    session: Session, version: PolicyVersion, *, limit: int = 50
) -> Sequence[PolicyChange]:
    """The last changes of a draft, newest first."""
    return session.scalars(
        sa.select(PolicyChange)
        .where(PolicyChange.policy_version_id == version.id)
        .order_by(PolicyChange.id.desc())
        .limit(limit)
    ).all()


# ---------------------------------------------------------------- the slow part of a check


@dataclass(frozen=True, slots=True)
class CheckInput:
    """What the slow part of a check looks at: values only, so that it needs no transaction."""

    content: str
    data: Mapping[str, Any]
    before: Mapping[str, Any] | None
    calendar: WorkCalendar


def check_input(session: Session, version_id: int) -> CheckInput | None:
    """What is to be looked at; None where there is no such version any more."""
    version = session.get(PolicyVersion, version_id)
    if version is None:
        return None
    data = policies.plain_data(session, version)
    calendar = working_calendar.work_calendar(session)
    return CheckInput(
        policies.checksum_of(data), data, _data_at_beginning(session, version), calendar
    )


def _data_at_beginning(session: Session, version: PolicyVersion) -> Mapping[str, Any] | None:
    """What a version said when it was begun: another version, or the shipped text of its key."""
    if version.based_on:
        return policies.plain_data(session, version.based_on)
    path = shipped_path(version.policy.key)
    return read_toml(path) if path.is_file() else None


def slow_findings(work: CheckInput) -> list[Finding]:
    """What a walk over all states and the case files of the regulation find. Slow and pure.

    A draft that does not load is not looked at: the quick findings come first.
    """
    if any(one.grave for one in written_findings(work.data)):
        return []
    found = without_next_deed(build_pack(work.data), work.calendar)
    if work.before is None:
        return found
    folder = CASE_FILES / str(work.data[_HEAD]["key"])
    for one in changed_cases(work.data, work.before, folder, work.calendar):
        facts = {name: getattr(one, name) for name in ("file", "case", "about", "wanted", "found")}
        clause = one.proves[0] if one.proves else ""
        found.append(Finding("case_differs", "clause", clause, facts=facts, grave=False))
    return found
