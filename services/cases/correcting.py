"""Correcting a case: a wrong entry is corrected or withdrawn, with a preview.

The journal keeps the original entry. The case is folded anew from the amended journal, so a
corrected case and one that was right from the start come to the same facts; breaches, moved due
times and confirmed penalties stay visible.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, Journal
from policy.engine.fact_changes import Effect, changes
from policy.vocabulary.errors import (
    LaterStepsStand,
    NameNeeded,
    NotFound,
    RoleMissing,
    TimeBeforeCase,
)
from policy.vocabulary.events import (
    EVENTS,
    Assigned,
    Corrected,
    Dispatched,
    Judged,
    Withdrawn,
    load_event,
)
from policy.vocabulary.status import ActorKind
from services.cases import handling, intake, journal, penalties, record
from services.company.actors import Actor

MAY_CORRECT = frozenset({Role.administrator, Role.care})
NO_OBSTACLE = frozenset(
    {
        "time_passed",
        "recounted",
        "retallied",
        "progressed",
        "contacted",
        "assigned",
        "corrected",
        "withdrawn",
    }
    | {"moved", "handed_over"}
)
"""Events that may have followed and do not hinder the correction of an entry from a workbook."""


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
    """Correct the fields of journal row `target`. Later steps must still fit.

    A department's workbook corrects only its own entries, while no later step depends on them.
    """
    if actor.kind is ActorKind.sheet:
        _check_may_correct(session, complaint, target, changes=changes, actor=actor)
    else:
        _check_role(actor, "corrected")
    complete = _completed(session, complaint, target, changed=changes, now=now)
    said: dict[str, Any] = {"target": target, "changes": complete, "reason": reason}
    return journal.record_event(session, complaint, Corrected, actor=actor, now=now, **said)


def last_own_deed(
    session: Session, complaint: Complaint, event: str, *, actor: Actor
) -> Journal | None:
    """Return the last entry of an event that the acting department's workbook can still correct.

    The workbook made that entry itself and no later step depends on it; None where there is none.
    """
    for row in _rows_not_withdrawn(session, complaint):
        if row.event == event and _is_own(session, complaint, row, actor=actor):
            return row
        if row.event not in NO_OBSTACLE:
            return None
    return None


def _is_own(session: Session, complaint: Complaint, row: Journal, *, actor: Actor) -> bool:
    """Whether a journal row came from the workbook of the department that acts now."""
    if row.actor is not ActorKind.sheet or actor.kind is not ActorKind.sheet:
        return False
    _, calendar = journal.rules_of(session, complaint)
    on = calendar.local(row.happened_at).date()
    by = journal.actor_on(session, complaint, actor, on=on)
    return bool(set(load_event(row.data).by.departments) & set(by.departments))


def _check_may_correct(
    session: Session, complaint: Complaint, target: int, *, changes: Mapping[str, Any], actor: Actor
) -> None:
    """Refuse a workbook entries of others, entries later steps depend on, and an earlier time.

    A workbook's time lies between two looks at the file; written anew, it would undo a breach
    without a person's name.
    """
    standing = _rows_not_withdrawn(session, complaint)
    row = next((row for row in standing if row.seq == target), None)
    if row is None:
        raise NotFound(what="journal", key=str(target))
    if not _is_own(session, complaint, row, actor=actor):
        raise NameNeeded(deed=Corrected.name())
    if last_own_deed(session, complaint, row.event, actor=actor) is not row:
        later = next(r for r in standing if r.event == row.event or r.event not in NO_OBSTACLE)
        raise LaterStepsStand(deed=later.event, seq=later.seq, because=LaterStepsStand.code)
    event = load_event({**row.data, **changes})
    if event.at < row.happened_at:
        raise TimeBeforeCase(field="at", at=event.at, earliest=row.happened_at)
    if isinstance(event, Assigned):
        _, calendar = journal.rules_of(session, complaint)
        on = calendar.local(event.at).date()
        handling.check_handler(session, event.handler, actor=actor, on=on)


def withdraw(
    session: Session,
    complaint: Complaint,
    *,
    target: int,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Withdraw journal row `target`; withdrawing the first row withdraws the whole case."""
    _check_role(actor, "withdrawn")
    return journal.record_event(
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
    """Return what a correction (`changed`) or a withdrawal (None) would change. Writes nothing."""
    amendment: Corrected | Withdrawn
    if changed is None:
        amendment = Withdrawn(at=now, target=target, reason="-")
    else:
        complete = _completed(session, complaint, target, changed=changed, now=now)
        amendment = Corrected(at=now, target=target, changes=complete, reason="-")
    after = journal.facts_if_amended(session, complaint, amendment, now=now)
    return changes(record.facts_of(session, complaint), after)


def _completed(
    session: Session,
    complaint: Complaint,
    target: int,
    *,
    changed: Mapping[str, Any],
    now: dt.datetime,
) -> dict[str, Any]:
    """Return the changes, completed with what the company's records say for them.

    Raises TimeOutOfBounds or TimeInFuture for a time among them that nobody can mean.
    """
    row = session.scalars(
        sa.select(Journal).where(Journal.complaint_id == complaint.id, Journal.seq == target)
    ).first()
    if row is not None:
        journal.check_amended_times(session, complaint, row, changes=changed, now=now)
    if row is not None and row.event == Judged.name():
        return _with_bearers(session, complaint, row, changed=changed)
    return _with_leaders(session, complaint, row, changed=changed)


def _with_bearers(
    session: Session, complaint: Complaint, row: Journal, *, changed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the changes, completed with heads, posts and pay taken of whom a finding names now."""
    if not {"employee", "together", "happened_on"} & set(changed):
        return dict(changed)
    event = load_event({**row.data, **changed})
    assert isinstance(event, Judged)
    about = penalties.known_of_finding(
        session,
        complaint,
        (event.employee, *event.together),
        happened_on=event.happened_on,
        now=event.at,
    )
    return {**changed, **{name: list(said) for name, said in about.items()}}


def _with_leaders(
    session: Session, complaint: Complaint, row: Journal | None, *, changed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the changes, completed with the leaders of the day where department or day change."""
    if row is None or not {"department", "at"} & set(changed) or "holder" in changed:
        return dict(changed)
    event = load_event({**row.data, **changed})
    pack, _ = journal.rules_of(session, complaint)
    if not isinstance(event, Dispatched) or pack.find("department", event.department) is None:
        return dict(changed)
    holder, deputy = intake.leaders_of(session, complaint, event.department, now=event.at)
    return {**changed, "holder": holder, "deputy": deputy}


def amendable(session: Session, complaint: Complaint) -> list[Journal]:
    """Return the journal rows that can still be corrected or withdrawn, newest first."""
    return [row for row in _rows_not_withdrawn(session, complaint) if EVENTS[row.event].amendable]


def _rows_not_withdrawn(session: Session, complaint: Complaint) -> list[Journal]:
    """Return the journal rows that were not withdrawn, newest first."""
    rows = session.scalars(
        sa.select(Journal).where(Journal.complaint_id == complaint.id).order_by(Journal.seq.desc())
    ).all()
    gone = {row.data["target"] for row in rows if row.event == Withdrawn.name()}
    return [row for row in rows if row.seq not in gone]


def _check_role(actor: Actor, deed: str) -> None:
    if actor.role not in MAY_CORRECT:
        raise RoleMissing(deed=deed)
