"""Regulations in the record: publishing a version, the one in force on a day, its pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Parameter, Policy, PolicyRule, PolicyVersion
from policy.errors import NotInForce
from policy.loading import build
from policy.pack import SECTIONS, Pack


def publish(
    session: Session,
    data: Mapping[str, Any],
    *,
    effective_from: dt.date,
    now: dt.datetime,
    parameters: Mapping[str, str] | None = None,
    approved_by_id: int | None = None,
    file: str = "",
) -> PolicyVersion:
    """A new version of a regulation from plain data, in force from a day on.

    Raises PackRefused with every problem; nothing is stored then.
    """
    pack = build(data, parameters, file=file)
    policy = _policy(session, pack)
    version = PolicyVersion(
        policy=policy,
        number=1 + len(policy.versions),
        status="published",
        effective_from=effective_from,
        published_at=now,
        approved_by_id=approved_by_id,
        checksum=pack.checksum,
    )
    session.add(version)
    session.flush()
    for key, value in (parameters or {}).items():
        session.add(Parameter(policy_version_id=version.id, key=key, value=value))
    session.add_all(_rules(version.id, data))
    session.flush()
    return version


def _policy(session: Session, pack: Pack) -> Policy:
    found = session.scalars(sa.select(Policy).where(Policy.key == pack.policy.key)).first()
    if found is None:
        found = Policy(key=pack.policy.key, name=pack.policy.label, versions=[])
        session.add(found)
    return found


def _rules(version_id: int, data: Mapping[str, Any]) -> list[PolicyRule]:
    head = [("policy", 0, data["policy"])]
    entries = [
        (section, position, entry)
        for section in SECTIONS
        for position, entry in enumerate(data.get(section, ()))
    ]
    return [
        PolicyRule(
            policy_version_id=version_id,
            section=section,
            key=entry["key"],
            position=position,
            data=_json(entry),
        )
        for section, position, entry in head + entries
    ]


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _json(inner) for key, inner in value.items()}
    return [_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def in_force(session: Session, key: str, *, on: dt.date) -> PolicyVersion:
    """The version of a regulation that is in force on a day. Raises NotInForce."""
    found = session.scalars(_published(on).join(Policy).where(Policy.key == key).limit(1)).first()
    if found is None:
        raise NotInForce(policy=key, on=on)
    return found


def all_in_force(session: Session, *, on: dt.date) -> list[PolicyVersion]:
    """For every regulation the version in force on a day, by name."""
    newest: dict[int, PolicyVersion] = {}
    for version in session.scalars(_published(on)):
        newest.setdefault(version.policy_id, version)
    return sorted(newest.values(), key=lambda version: version.policy.name)


def _published(on: dt.date) -> sa.Select[PolicyVersion]:
    return (
        sa.select(PolicyVersion)
        .where(PolicyVersion.status == "published", PolicyVersion.effective_from <= on)
        .order_by(PolicyVersion.effective_from.desc(), PolicyVersion.number.desc())
    )


def pack(session: Session, version: PolicyVersion) -> Pack:
    """The checked pack of a version. Raises PackRefused with every problem of a draft.

    What was published does not change, so it is made once a process; a draft is made anew.
    """
    if version.status == "draft":
        return build(*data(session, version), file=str(version))
    cached = _packs.get(version.checksum)
    if cached is None:
        cached = _packs[version.checksum] = build(*data(session, version))
    return cached


_packs: dict[str, Pack] = {}


def data(session: Session, version: PolicyVersion) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rules of a version as plain data, and the parameters the company chose for it."""
    rules = session.scalars(
        sa.select(PolicyRule)
        .where(PolicyRule.policy_version_id == version.id)
        .order_by(PolicyRule.section, PolicyRule.position)
    )
    found: dict[str, Any] = {}
    for rule in rules:
        if rule.section == "policy":
            found["policy"] = rule.data
        else:
            found.setdefault(rule.section, []).append(rule.data)
    chosen = sa.select(Parameter.key, Parameter.value).where(
        Parameter.policy_version_id == version.id
    )
    return found, dict(session.execute(chosen).all())
