"""What a department does with a case: contact, assign, answer, confirm, ask for time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from models import Complaint
from policy.engine.fact_changes import Effect
from policy.vocabulary.errors import ValueRefused
from policy.vocabulary.events import (
    ArrivedOnSite,
    Assigned,
    Confirmed,
    Contacted,
    Decided,
    Declined,
    ExtensionGranted,
    ExtensionRefused,
    FactoryClosed,
    Progressed,
    Replied,
    RepliedInWriting,
    Returned,
    Reviewed,
    Upgraded,
)
from policy.vocabulary.status import ActorKind, ReplyOutcome
from services.cases import journal
from services.cases.journal import plain_deed
from services.company import people
from services.company.actors import Actor

Effects = tuple[Effect, ...]


def assign(
    session: Session,
    complaint: Complaint,
    *,
    handler: str,
    actor: Actor,
    now: dt.datetime,
    at: dt.datetime | None = None,
) -> Effects:
    """Decide who handles it, by employee number (SKD-3.2.2).

    Raises NotFound for a stranger, ValueRefused where a department's sheet names somebody of
    another department.
    """
    check_handler(session, handler, actor=actor)
    return journal.record_event(
        session, complaint, Assigned, actor=actor, now=now, at=at, handler=handler
    )


def check_handler(session: Session, handler: str, *, actor: Actor) -> None:
    """Refuse who is not of the company, or, from a sheet, not of the sheet's department."""
    employee = people.known_employee(session, handler)
    away = employee is not None and employee.department_id != actor.department_id
    if actor.kind is ActorKind.sheet and away:
        raise ValueRefused(field="handler", value=handler, why="other_department")


def contact(
    session: Session,
    complaint: Complaint,
    *,
    actor: Actor,
    now: dt.datetime,
    at: dt.datetime | None = None,
    text: str | None = None,
) -> Effects:
    """Note that the customer was spoken to, at the time stated."""
    return journal.record_event(
        session, complaint, Contacted, actor=actor, now=now, at=at, text=text
    )


def reply(
    session: Session,
    complaint: Complaint,
    *,
    outcome: ReplyOutcome,
    text: str,
    actor: Actor,
    now: dt.datetime,
    until: dt.datetime | None = None,
    at: dt.datetime | None = None,
) -> Effects:
    """Answer the form: solved, more time wished until then, or raised to the general manager."""
    return journal.record_event(
        session,
        complaint,
        Replied,
        actor=actor,
        now=now,
        at=at,
        outcome=outcome,
        text=text,
        until=until,
    )


progress = plain_deed(Progressed, "Note what was done in between.")
return_order = plain_deed(Returned, "Give the case back because it is another department's.")
confirm = plain_deed(Confirmed, "Stand behind the answer as director or deputy (SKD-3.2.2.1).")
decline = plain_deed(Declined, "Send the answer back to the handler, with a reason.")
grant_extension = plain_deed(ExtensionGranted, "Grant the time asked for, or less (SKD-3.2.3.2.1).")
refuse_extension = plain_deed(ExtensionRefused, "Refuse it; the time left runs on.")
decide = plain_deed(Decided, "Decide as general manager: solved, or back with a term.")
upgrade = plain_deed(Upgraded, "Move a B case that cannot be closed to C (SKD-2.2.3.3).")
review = plain_deed(Reviewed, "Look at a case without limit; the next review counts from here.")
arrive_on_site = plain_deed(ArrivedOnSite, "Note that the factory's people came (SKD-4.2.2).")
reply_in_writing = plain_deed(RepliedInWriting, "Note the written answer and where its proof is.")
close_at_factory = plain_deed(FactoryClosed, "Close it in the factory's system (SKD-3.1.3).")
