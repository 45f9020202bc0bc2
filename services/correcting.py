"""Mending what was written down wrongly: a fact corrected, a deed withdrawn, with a preview.

The journal keeps what was first written. The case is folded anew from the amended journal, so a
correction and a case that was right from the start come to the same end; breaches, moved due
times and money that was confirmed stay visible.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, Journal
from policy.changes import Effect, changes
from policy.errors import RoleMissing
from policy.events import EVENTS, Corrected, Dispatched, Withdrawn, load
from policy.lifecycle import Role
from services import intake, journal, record
from services.actors import Actor

MAY_CORRECT = frozenset({Role.administrator, Role.care})


def correct(
    session: Session,
    complaint: Complaint,
    *,
    target: int,
    changes: Mapping[str, Any],
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Let journal row `target` say what it should have said. Later steps must still fit."""
    _entitled(actor, "corrected")
    complete = _with_leaders(session, complaint, target, changes)
    said: dict[str, Any] = {"target": target, "changes": complete, "reason": reason}
    return journal.happen(session, complaint, Corrected, actor=actor, now=now, **said)


def withdraw(
    session: Session,
    complaint: Complaint,
    *,
    target: int,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Take journal row `target` back; taking the first back withdraws the whole case."""
    _entitled(actor, "withdrawn")
    return journal.happen(
        session, complaint, Withdrawn, actor=actor, now=now, target=target, reason=reason
    )


def preview(
    session: Session,
    complaint: Complaint,
    *,
    target: int,
    changed: Mapping[str, Any] | None,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """What a correction (`changed`) or a withdrawal (None) would change. Writes nothing."""
    amendment: Corrected | Withdrawn
    if changed is None:
        amendment = Withdrawn(at=now, target=target, reason="-")
    else:
        complete = _with_leaders(session, complaint, target, changed)
        amendment = Corrected(at=now, target=target, changes=complete, reason="-")
    after = journal.amended(session, complaint, amendment, now=now)
    return changes(record.facts_of(session, complaint), after)


def _with_leaders(
    session: Session, complaint: Complaint, target: int, changed: Mapping[str, Any]
) -> dict[str, Any]:
    """The changes; where a form went elsewhere or on another day, with who led there that day."""
    row = session.scalars(
        sa.select(Journal).where(Journal.complaint_id == complaint.id, Journal.seq == target)
    ).first()
    if row is None or not {"department", "at"} & set(changed) or "holder" in changed:
        return dict(changed)
    event = load({**row.data, **changed})
    pack, _ = journal.rules_of(session, complaint)
    if not isinstance(event, Dispatched) or pack.find("department", event.department) is None:
        return dict(changed)
    holder, deputy = intake.led(session, complaint, event.department, now=event.at)
    return {**changed, "holder": holder, "deputy": deputy}


def amendable(session: Session, complaint: Complaint) -> list[Journal]:
    """The journal rows that can still be corrected or withdrawn, newest first."""
    rows = session.scalars(
        sa.select(Journal).where(Journal.complaint_id == complaint.id).order_by(Journal.seq.desc())
    ).all()
    gone = {row.data["target"] for row in rows if row.event == Withdrawn.name()}
    return [row for row in rows if EVENTS[row.event].amendable and row.seq not in gone]


def _entitled(actor: Actor, deed: str) -> None:
    if actor.role not in MAY_CORRECT:
        raise RoleMissing(deed=deed)
