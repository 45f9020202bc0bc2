"""What a department does with a case: contact, assign, answer, confirm, ask for time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from models import Complaint
from policy.changes import Effect
from policy.errors import ValueRefused
from policy.events import (
    ArrivedOnSite,
    Assigned,
    Confirmed,
    Contacted,
    Decided,
    Declined,
    ExtensionGranted,
    ExtensionRefused,
    FactoryClosed,
    Happening,
    Progressed,
    Replied,
    RepliedInWriting,
    Returned,
    Reviewed,
    Upgraded,
)
from policy.lifecycle import ActorKind, ReplyOutcome
from services import journal, people
from services.actors import Actor

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
    checked_handler(session, handler, actor=actor)
    return journal.happen(
        session, complaint, Assigned, actor=actor, now=now, at=at, handler=handler
    )


def checked_handler(session: Session, handler: str, *, actor: Actor) -> None:
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
    return journal.happen(session, complaint, Contacted, actor=actor, now=now, at=at, text=text)


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
    return journal.happen(
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


def _plain(kind: type[Happening], what: str) -> Any:
    """A deed whose form has nothing but the fields of its event."""

    def deed(
        session: Session, complaint: Complaint, *, actor: Actor, now: dt.datetime, **said: Any
    ) -> Effects:
        return journal.happen(session, complaint, kind, actor=actor, now=now, **said)

    deed.__doc__ = what
    return deed


progress = _plain(Progressed, "Note what was done in between.")
return_order = _plain(Returned, "Give the case back because it is another department's.")
confirm = _plain(Confirmed, "Stand behind the answer as director or deputy (SKD-3.2.2.1).")
decline = _plain(Declined, "Send the answer back to the handler, with a reason.")
grant_extension = _plain(ExtensionGranted, "Grant the time asked for, or less (SKD-3.2.3.2.1).")
refuse_extension = _plain(ExtensionRefused, "Refuse it; the time left runs on.")
decide = _plain(Decided, "Decide as general manager: solved, or back with a term.")
upgrade = _plain(Upgraded, "Move a B case that cannot be closed to C (SKD-2.2.3.3).")
review = _plain(Reviewed, "Look at a case without limit; the next review counts from here.")
arrive_on_site = _plain(ArrivedOnSite, "Note that the factory's people came (SKD-4.2.2).")
reply_in_writing = _plain(RepliedInWriting, "Note the written answer and where its proof is.")
close_at_factory = _plain(FactoryClosed, "Close it in the factory's system (SKD-3.1.3).")
