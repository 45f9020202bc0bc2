"""Publishing a draft: approved by a person who did not write it, put in force, withdrawn."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import PolicyChange, PolicyVersion
from policy.pack.loading import (
    build_pack,
)
from policy.vocabulary.errors import (
    ApprovalMissing,
    CheckFirst,
    FieldMissing,
    FindingsStand,
    OwnDraft,
    PeriodRefused,
    VersionFixed,
)
from services.company.actors import Actor
from services.regulation import draft_checks, drafts, policies

MAY_APPROVE = frozenset({Role.administrator, Role.general_manager})


def approve(
    session: Session, draft: PolicyVersion, *, actor: Actor, on: dt.date, now: dt.datetime
) -> None:
    """Approve a draft as it is now. Raises OwnDraft for a user who wrote it."""
    drafts.check_role(actor, "policy_approve", MAY_APPROVE)
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
    """Return the ids of the users who began a draft or changed it."""
    wrote = sa.select(PolicyChange.user_id).where(PolicyChange.policy_version_id == draft.id)
    found = {user_id for user_id in session.scalars(wrote.distinct()) if user_id is not None}
    return found | ({draft.drafted_by_id} if draft.drafted_by_id is not None else set())


def _check_publishable(session: Session, draft: PolicyVersion, *, on: dt.date) -> None:
    """Refuse a draft that was not checked as it is now, or that has grave findings."""
    facts: dict[str, Any] = {"policy": draft.policy.name, "number": draft.number}
    found = draft_checks.check(session, draft, on=on)
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
    """Publish an approved draft, in force from a day on; `on` is today.

    Staff must have been told by then, and there must be a proof of it. Nothing is published for the
    past.
    """
    drafts.check_editable(draft, actor)
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
    """Withdraw a version: no case is registered under it any more; a draft is thrown away.

    Its cases keep it. New ones fall under the version that was in force before, if there is one.
    """
    drafts.check_role(actor, "policy_withdraw")
    if version.status == "withdrawn":
        raise VersionFixed(policy=version.policy.name, number=version.number)
    if not reason.strip():
        raise FieldMissing(field="reason")
    version.status = "withdrawn"
    version.withdrawn_at, version.withdrawn_by_id = now, actor.user_id
    version.withdrawn_because = reason.strip()
    session.flush()
