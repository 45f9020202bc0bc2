"""Moving cases to a corrected version of their regulation, with a preview of what changes.

A case keeps the version it was registered under until an administrator moves it. Its journal is
then folded anew by the other version's rules: breaches stay visible, confirmed penalties and months
already paid stay as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, PolicyVersion
from policy.engine.fact_changes import Effect, changes
from policy.vocabulary.errors import ChoiceUnknown, DomainError, RoleMissing, VersionNotBegun
from policy.vocabulary.events import Moved
from policy.vocabulary.status import ENDS
from services.calendar import working_calendar
from services.cases import journal, record
from services.company.actors import Actor

MOST_AT_ONCE = 200
"""The number of cases previewed or moved at once."""


@dataclass(frozen=True, slots=True)
class MovingPreview:
    """The effects of moving a case, or the refusal where it cannot be moved."""

    complaint: Complaint
    effects: tuple[Effect, ...]
    refusal: DomainError | None = None


def candidates(session: Session, to: PolicyVersion) -> Sequence[Complaint]:
    """Return the open cases under other versions of the regulation, oldest first, MOST_AT_ONCE of
    them.
    """
    others = sa.select(PolicyVersion.id).where(
        PolicyVersion.policy_id == to.policy_id, PolicyVersion.id != to.id
    )
    return session.scalars(
        sa.select(Complaint)
        .where(Complaint.policy_version_id.in_(others), Complaint.status.not_in(ENDS))
        .options(*record.WITH_ALL)
        .order_by(Complaint.received_at, Complaint.id)
        .limit(MOST_AT_ONCE)
    ).all()


def preview(
    session: Session, complaints: Collection[Complaint], to: PolicyVersion, *, now: dt.datetime
) -> list[MovingPreview]:
    """Return what moving each of these cases would change. Writes nothing."""
    return [_preview(session, complaint, to, now=now) for complaint in complaints]


def _preview(
    session: Session, complaint: Complaint, to: PolicyVersion, *, now: dt.datetime
) -> MovingPreview:
    try:
        _check_target(session, complaint, to, now=now)
        event = Moved(at=now, was=complaint.policy_version_id, to=to.id, reason="-")
        after = journal.facts_if_amended(session, complaint, event, now=now)
    except DomainError as refusal:
        return MovingPreview(complaint, (), refusal)
    return MovingPreview(complaint, changes(record.facts_of(session, complaint), after))


def move(
    session: Session,
    complaint: Complaint,
    to: PolicyVersion,
    *,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Move a case to another version of its regulation and return what changed.

    Raises the refusal `preview` would show, and RoleMissing for any role but administrator.
    """
    if actor.role is not Role.administrator:
        raise RoleMissing(deed=Moved.name())
    _check_target(session, complaint, to, now=now)
    said: dict[str, Any] = {"was": complaint.policy_version_id, "to": to.id, "reason": reason}
    return journal.record_event(session, complaint, Moved, actor=actor, now=now, **said)


def _check_target(
    session: Session, complaint: Complaint, to: PolicyVersion, *, now: dt.datetime
) -> None:
    """Refuse the case's own version, one of another regulation, and one that was not published.

    Raises ChoiceUnknown, and VersionNotBegun before the first day of the version.
    """
    same = to.policy_id == complaint.policy_version.policy_id
    if not same or to.id == complaint.policy_version_id or to.status != "published":
        raise ChoiceUnknown(field="policy_version", value=str(to))
    today = working_calendar.work_calendar(session, as_of=now).local(now).date()
    if to.effective_from is not None and to.effective_from > today:
        said = {"policy": to.policy.name, "number": to.number, "from_on": to.effective_from}
        raise VersionNotBegun(**said)
