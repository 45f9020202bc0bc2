"""Regulations in the record: publishing a version, the one in force on a day, its pack.

Module `drafts` edits a regulation, `publishing` puts the draft in force.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, Parameter, Policy, PolicyRule, PolicyVersion
from policy.pack.loading import build_pack
from policy.pack.numbering import prints_same_numbers
from policy.pack.schema import NumberEntry, Pack
from policy.vocabulary.errors import NotInForce, NumbersTaken
from policy.vocabulary.status import ENDS, Status


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
    """Publish a new version of a regulation from plain data, in force from a day on.

    Raises PackRefused with every problem, and NumbersTaken where another regulation gives the same
    numbers; nothing is stored then.
    """
    pack = build_pack(data, parameters, file=file)
    for mine, its, other in series_clashes(session, pack, on=effective_from):
        facts = {"policy": pack.policy.label, "series": mine.label}
        raise NumbersTaken(**facts, other=other.policy.name, its=its.label)
    policy = find_or_add_policy(session, pack.policy.key, pack.policy.label)
    version = PolicyVersion(
        policy=policy,
        number=next_number(policy),
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
    session.add_all(rule_rows(version.id, data))
    session.flush()
    return version


def find_or_add_policy(session: Session, key: str, name: str) -> Policy:
    """Return the regulation of that key, added now where it is new."""
    found = session.scalars(sa.select(Policy).where(Policy.key == key)).first()
    if found is None:
        found = Policy(key=key, name=name, versions=[])
        session.add(found)
    return found


def next_number(policy: Policy) -> int:
    """Return the number of the regulation's next version."""
    return 1 + max((version.number for version in policy.versions), default=0)


def rule_rows(version_id: int, data: Mapping[str, Any]) -> list[PolicyRule]:
    """Return the rows of plain data, as it was typed; a section of any name keeps its entries."""
    return [
        PolicyRule(
            policy_version_id=version_id,
            section=section[:32],
            key=rule_key(entry),
            position=position,
            data=as_json(entry),
        )
        for section, position, entry in _entries_in_order(data)
    ]


def _entries_in_order(data: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    for section, value in data.items():
        entries = [value] if section == "policy" else value
        for position, entry in enumerate(entries):
            yield section, position, entry


def rule_key(entry: Mapping[str, Any]) -> str:
    """Return the key by which a row is found; its data keeps what was typed."""
    return str(entry.get("key") or "")[:64]


def as_json(value: Any) -> Any:
    """Return plain data as the record stores it: fractions and clock times become their own
    text.
    """
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else f"{value:f}"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def checksum_of(data: Mapping[str, Any]) -> str:
    """Return a checksum of plain data as it is typed, right or wrong."""
    text = json.dumps(as_json(data), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def in_force(session: Session, key: str, *, on: dt.date) -> PolicyVersion:
    """Return the version of a regulation in force on a day. Raises NotInForce."""
    found = session.scalars(_published(on).join(Policy).where(Policy.key == key).limit(1)).first()
    if found is None:
        raise NotInForce(policy=key, on=on)
    return found


def all_in_force(session: Session, *, on: dt.date) -> list[PolicyVersion]:
    """Return the version of every regulation in force on a day, by name."""
    newest: dict[int, PolicyVersion] = {}
    for version in session.scalars(_published(on)):
        newest.setdefault(version.policy_id, version)
    return sorted(newest.values(), key=lambda version: version.policy.name)


def readable(session: Session, *, on: dt.date) -> list[PolicyVersion]:
    """Return of every regulation the version in force on a day, else its last one, by name.

    A withdrawn version decides about no new case, but its ledgers and cases outlive it.
    """
    known = {version.policy_id: version for version in session.scalars(_withdrawn(on))}
    known |= {version.policy_id: version for version in all_in_force(session, on=on)}
    return sorted(known.values(), key=lambda version: version.policy.name)


def versions_in_use(session: Session, *, on: dt.date) -> list[PolicyVersion]:
    """Return the readable versions, and every other one with an open case under it, by name."""
    going_on = [status for status in Status if status not in (*ENDS, Status.recorded)]
    open_ = sa.select(Complaint.policy_version_id).where(Complaint.status.in_(going_on))
    found = {version.id: version for version in readable(session, on=on)}
    rest = sa.select(PolicyVersion).where(PolicyVersion.id.in_(open_))
    found |= {version.id: version for version in session.scalars(rest)}
    return sorted(found.values(), key=lambda version: (version.policy.name, version.number))


def series_clashes(
    session: Session, own: Pack, *, on: dt.date
) -> list[tuple[NumberEntry, NumberEntry, PolicyVersion]]:
    """Return the series of a pack that give another regulation's numbers: own, other, its version.

    Compared are the versions in force on a day and those that come into force after it.
    """
    later = sa.select(PolicyVersion).where(
        PolicyVersion.status == "published", PolicyVersion.effective_from > on
    )
    return [
        (mine, its, version)
        for version in (*all_in_force(session, on=on), *session.scalars(later))
        if version.policy.key != own.policy.key
        for its in pack(session, version).number
        for mine in own.number
        if prints_same_numbers(mine, its)
    ]


def _published(on: dt.date) -> sa.Select[PolicyVersion]:
    return (
        sa.select(PolicyVersion)
        .where(PolicyVersion.status == "published", PolicyVersion.effective_from <= on)
        .order_by(PolicyVersion.effective_from.desc(), PolicyVersion.number.desc())
    )


def _withdrawn(on: dt.date) -> sa.Select[PolicyVersion]:
    """Return the withdrawn versions that had begun by a day, the last of each regulation at the
    end.
    """
    return (
        sa.select(PolicyVersion)
        .where(PolicyVersion.status == "withdrawn", PolicyVersion.effective_from <= on)
        .order_by(PolicyVersion.effective_from, PolicyVersion.number)
    )


def pack(session: Session, version: PolicyVersion) -> Pack:
    """Return the checked pack of a version. Raises PackRefused with every problem of a draft.

    A published version does not change, so its pack is built once a process; a draft's is built
    anew.
    """
    if version.status == "draft":
        return build_pack(*stored_data(session, version), file=str(version))
    cached = _packs.get(version.checksum)
    if cached is None:
        cached = _packs[version.checksum] = build_pack(*stored_data(session, version))
    return cached


_packs: dict[str, Pack] = {}


def stored_data(session: Session, version: PolicyVersion) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rules of a version as plain data, and the parameters the company chose for it."""
    rules = session.scalars(
        sa.select(PolicyRule)
        .where(PolicyRule.policy_version_id == version.id)
        .order_by(PolicyRule.section, PolicyRule.position, PolicyRule.id)
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


def plain_data(session: Session, version: PolicyVersion) -> dict[str, Any]:
    """Return a version as plain data, the company's own choices written into its parameters."""
    found, own = stored_data(session, version)
    if "parameter" in found:
        found["parameter"] = [
            {**entry, "value": own[entry["key"]]} if entry.get("key") in own else entry
            for entry in found["parameter"]
        ]
    return found
