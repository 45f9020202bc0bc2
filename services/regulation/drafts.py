"""Drafts: a regulation being edited, begun from a version or a file and changed entry by entry.

A draft is stored as it was typed, right or wrong; `draft_checks` says what is wrong with it and
nothing of it is lost. Every change is a row of its own and takes back an approval that was given.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import PolicyChange, PolicyRule, PolicyVersion
from policy.pack.loading import parameter_values
from policy.pack.starter import starter_pack
from policy.proof.checking import readable_pack
from policy.proof.domains import with_keys_of_labels
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    Duplicate,
    FieldMissing,
    NotFound,
    PackRefused,
    RoleMissing,
    ValueRefused,
    VersionFixed,
)
from services.company.actors import Actor
from services.regulation import policies, shipped

HEAD = "policy"


_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def begin_from(
    session: Session, version: PolicyVersion, *, actor: Actor, now: dt.datetime
) -> PolicyVersion:
    """Begin a draft that says what a version says, with the choices the company made for it."""
    data = policies.plain_data(session, version)
    return _begin(session, data, based_on=version, actor=actor, now=now)


def begin_shipped(session: Session, key: str, *, actor: Actor, now: dt.datetime) -> PolicyVersion:
    """Begin a draft that says what a shipped regulation says. Raises NotFound.

    Where the regulation was published before, the choices the company made for it are kept.
    """
    data = shipped.shipped_data(key)
    if data is None:
        raise NotFound(what="policy", key=key)
    if (last := _last_published(session, key)) is not None:
        data = shipped.with_choices(data, policies.plain_data(session, last))
    return begin_with(session, data, actor=actor, now=now)


def begin_empty(
    session: Session, *, key: str, label: str, actor: Actor, now: dt.datetime
) -> PolicyVersion:
    """Begin a draft of a new regulation, with the least it must have. Raises Duplicate for a used
    key.
    """
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
    """Begin a draft from plain data of a file. Its regulation is the one the key in it names.

    Raises PackRefused where the data cannot be stored as entries of sections at all.
    """
    _check_shape(data)
    _check_key(data)
    last = _last_published(session, data[HEAD]["key"])
    return _begin(session, data, based_on=last, actor=actor, now=now)


def _last_published(session: Session, key: str) -> PolicyVersion | None:
    """Return the published version of a regulation that came or comes into force last, or None."""
    statement = (
        sa.select(PolicyVersion)
        .where(PolicyVersion.policy.has(key=key))
        .where(PolicyVersion.status == "published")
        .order_by(PolicyVersion.effective_from.desc(), PolicyVersion.number.desc())
    )
    return session.scalars(statement).first()


def _begin(
    session: Session,
    data: Mapping[str, Any],
    *,
    based_on: PolicyVersion | None,
    actor: Actor,
    now: dt.datetime,
) -> PolicyVersion:
    check_role(actor, "policy_draft")
    head = data[HEAD]
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
    """Refuse data without a head, and sections that are no list of entries; the rest is kept as
    typed.
    """
    places = [] if isinstance(data.get(HEAD), Mapping) else [HEAD]
    for section, value in data.items():
        listed = isinstance(value, list | tuple) and all(isinstance(e, Mapping) for e in value)
        if section != HEAD and not listed:
            places.append(section)
    if places:
        why = "is no list of entries"
        raise PackRefused(
            file="",
            problems=[{"place": p, "why": why, "code": "no_section", "facts": {}} for p in places],
        )


def _check_key(data: Mapping[str, Any]) -> None:
    key = data[HEAD].get("key")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueRefused(field="key", value=str(key or ""), why="not_a_key")


def lock_draft(session: Session, version_id: int, *, seen: int | None = None) -> PolicyVersion:
    """Return a version, locked until the commit; `seen` is the count of changes a form was made
    from.

    Raises NotFound, and ChangedMeanwhile when another user changed it since `seen`.
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
    """Return an entry of a version. Raises NotFound."""
    found = session.get(PolicyRule, rule_id)
    if found is None or found.policy_version_id != draft.id:
        raise NotFound(what="policy_rule", key=str(rule_id))
    return found


def add_entry(
    session: Session,
    draft: PolicyVersion,
    section: str,
    *,
    data: Mapping[str, Any],
    actor: Actor,
    now: dt.datetime,
) -> PolicyRule:
    """Add an entry at the end of a section, stored as typed."""
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
    _record_change(
        session, draft, "added", row=row, before=None, after=row.data, actor=actor, now=now
    )
    _look_up_labels(session, draft, actor=actor, now=now)
    _reset_approval(session, draft)
    return row


def _look_up_labels(
    session: Session, draft: PolicyVersion, *, actor: Actor, now: dt.datetime
) -> None:
    """Let conditions name the keys of what was typed by its label before there was such an entry.

    A person writes the rules in any order: “category is Quality” may come before the category.
    """
    session.flush()
    session.expire(draft, ["rules"])
    data = policies.plain_data(session, draft)
    pack, _ = readable_pack(data, parameter_values(data, {}))
    for row in draft.rules:
        before, after = row.data, policies.as_json(with_keys_of_labels(pack, row.data))
        if before == after:
            continue
        row.data = after
        _record_change(
            session, draft, "changed", row=row, before=before, after=after, actor=actor, now=now
        )


def change_entries(
    session: Session,
    draft: PolicyVersion,
    changes: Mapping[int, Mapping[str, Any]],
    *,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Change the data of entries, by the ids of their rows; returns how many differ now."""
    check_editable(draft, actor)
    differ = 0
    for rule_id, data in changes.items():
        row = find_rule(session, draft, rule_id)
        before, after = row.data, policies.as_json(data)
        if before == after:
            continue
        differ += 1
        row.data, row.key = after, policies.rule_key(after)
        _record_change(
            session, draft, "changed", row=row, before=before, after=after, actor=actor, now=now
        )
    if differ:
        _look_up_labels(session, draft, actor=actor, now=now)
        _reset_approval(session, draft)
    return differ


def remove_entry(
    session: Session, draft: PolicyVersion, row: PolicyRule, *, actor: Actor, now: dt.datetime
) -> None:
    """Remove an entry; its data stays in the history of the draft."""
    check_editable(draft, actor)
    if row.section == HEAD:
        raise VersionFixed(policy=draft.policy.name, number=draft.number)
    _record_change(
        session, draft, "removed", row=row, before=row.data, after=None, actor=actor, now=now
    )
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
    """Move an entry past its neighbour: `by` is -1 (up) or 1 (down)."""
    check_editable(draft, actor)
    rows = _section(session, draft, row.section)
    place = rows.index(row)
    other = place + by
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for position, one in enumerate(rows):
        one.position = position
    _record_change(
        session, draft, "moved", row=row, before=row.data, after=row.data, actor=actor, now=now
    )
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
    """Refuse an actor who may not edit, and a version that is no draft."""
    check_role(actor, "policy_draft")
    if draft.status != "draft":
        raise VersionFixed(policy=draft.policy.name, number=draft.number)


def check_role(actor: Actor, deed: str, roles: Collection[Role] = (Role.administrator,)) -> None:
    """Refuse an actor whose role may not do the deed. Raises RoleMissing."""
    if actor.role not in roles:
        raise RoleMissing(deed=deed)


def _record_change(
    session: Session,
    draft: PolicyVersion,
    deed: str,
    *,
    row: PolicyRule,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
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
    """Store the checksum of the changed draft, whose approval no longer holds."""
    session.flush()
    draft.checksum = policies.checksum_of(policies.plain_data(session, draft))
    draft.approved_by_id, draft.approved_at = None, None
    session.flush()
    session.expire(draft, ["rules", "approved_by"])


def changes_of(
    session: Session, version: PolicyVersion, *, limit: int = 50
) -> Sequence[PolicyChange]:
    """Return the last changes of a draft, newest first."""
    return session.scalars(
        sa.select(PolicyChange)
        .where(PolicyChange.policy_version_id == version.id)
        .order_by(PolicyChange.id.desc())
        .limit(limit)
    ).all()
