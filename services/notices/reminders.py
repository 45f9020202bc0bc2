"""Reminders: notices that a deadline ends soon, one per due time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import (
    Complaint,
    Deadline,
    Notice,
)
from policy.pack.loading import BOUND
from policy.pack.schema import DeadlineEntry, Pack
from policy.vocabulary.status import ENDS, DeadlineState
from services.company import actors
from services.notices import notices, recipients
from services.regulation import policies


def remind_of_deadlines(
    session: Session, *, now: dt.datetime, on: dt.date, within: dt.timedelta
) -> list[Notice]:
    """Add a notice, once per due time, for each deadline that ends within `within`.

    A short deadline is announced in its last quarter, one of two hours half an hour before it ends.
    Deadlines that end a case's observation bind no employee and are left out. `on` is the company's
    day.
    """
    ending = session.scalars(
        sa.select(Deadline)
        .join(Deadline.complaint)
        .where(Deadline.state == DeadlineState.running)
        .where(Deadline.due_at > now, Deadline.due_at <= now + within)
        .where(Complaint.history.is_(False), Complaint.status.not_in(ENDS))
        .options(joinedload(Deadline.complaint).joinedload(Complaint.policy_version))
        .order_by(Deadline.due_at, Deadline.id)
    ).all()
    fresh = _without_reminder(session, [one for one in ending if _in_last_quarter(one, now)])
    made = (_add_reminder(session, one, now=now, on=on) for one in fresh)
    return [notice for notice in made if notice is not None]


def _in_last_quarter(deadline: Deadline, now: dt.datetime) -> bool:
    assert deadline.due_at is not None
    return deadline.due_at - now <= (deadline.due_at - deadline.starts_at) / 4


def occasion_of(deadline: Deadline) -> str:
    """Return the occasion of a deadline's reminder: its key, its round and its due time in UTC."""
    assert deadline.due_at is not None
    return f"{deadline.key}/{deadline.round}/{_utc(deadline.due_at)}"


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _without_reminder(session: Session, deadlines: Sequence[Deadline]) -> list[Deadline]:
    if not deadlines:
        return []
    told = sa.select(Notice.complaint_id, Notice.occasion).where(
        Notice.kind == "due_soon",
        Notice.complaint_id.in_({deadline.complaint_id for deadline in deadlines}),
    )
    known = {(row.complaint_id, row.occasion) for row in session.execute(told)}
    return [
        deadline
        for deadline in deadlines
        if (deadline.complaint_id, occasion_of(deadline)) not in known
    ]


def _add_reminder(
    session: Session, deadline: Deadline, *, now: dt.datetime, on: dt.date
) -> Notice | None:
    complaint = deadline.complaint
    pack = policies.pack(session, complaint.policy_version)
    entry: DeadlineEntry | None = pack.find("deadline", deadline.key)
    if entry is None or entry.ends in ("archive", "warning"):
        return None
    employee_id, department_id, post = _recipient_of(session, deadline, entry, pack=pack, on=on)
    assert deadline.due_at is not None
    return notices.add_notice(
        session,
        kind="due_soon",
        occasion=occasion_of(deadline),
        now=now,
        complaint=complaint,
        employee_id=employee_id,
        department_id=department_id,
        post=post,
        facts={
            "clock": entry.label,
            "cite": str(entry.cite),
            "due_at": _utc(deadline.due_at),
            **({"provisional": True} if deadline.provisional else {}),
        },
    )


def _recipient_of(
    session: Session, deadline: Deadline, entry: DeadlineEntry, *, pack: Pack, on: dt.date
) -> tuple[int | None, int | None, str | None]:
    """Return whose deadline it is: an employee, a department and a post.

    A deadline with a responsible employee is theirs, one that binds a post or a department is
    theirs. Of others it is the department's where its employees may meet it, and else that of the
    named department or post who may.
    """
    complaint = deadline.complaint
    doers = [who for name in entry.met_by for one in pack.signoffs.get(name, ()) for who in one.by]
    if entry.binds and entry.binds not in BOUND:
        doers = [entry.binds]
    on_the_case = {"director", "handler", "lead_department"} & set(doers)
    if deadline.responsible_id is not None or (on_the_case and complaint.department_id is not None):
        employee_id = deadline.responsible_id or complaint.responsible_id
        return employee_id, complaint.department_id, None
    real = actors.department_ids(session, policy_id=complaint.policy_version.policy_id, on=on)
    for who in doers:
        key = who.removeprefix("member:")
        if key != who and key in real:
            return None, real[key], None
    post = next((who for who in doers if ":" not in who and who not in on_the_case), None)
    return None, _department_of_post(session, post, on=on), post


def _department_of_post(session: Session, post: str | None, *, on: dt.date) -> int | None:
    found = (
        {one.department_id for one in recipients.post_holders(session, post, on=on)}
        if post
        else set()
    )
    return found.pop() if len(found) == 1 else None
