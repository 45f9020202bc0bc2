"""Handling of a case by a department: contact, assign, reply, confirm, ask for an extension."""

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
from services.calendar import working_calendar
from services.cases import journal
from services.cases.journal import Deeds, plain_deed
from services.company import people, presence
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
    """Assign the case to a handler, by employee number (SKD-3.2.2).

    Raises NotFound for an unknown number, ValueRefused where a department's workbook names an
    employee of another department.
    """
    calendar = working_calendar.work_calendar(session)
    check_handler(session, handler, actor=actor, on=calendar.local(now).date())
    return journal.record_event(
        session, complaint, Assigned, actor=actor, now=now, at=at, handler=handler
    )


def check_handler(session: Session, handler: str, *, actor: Actor, on: dt.date) -> None:
    """Refuse a handler the company does not employ, on that day no more, or, from a workbook,
    one of another department.
    """
    employee = people.known_employee(session, handler)
    presence.refuse_leaver(employee, field="handler", on=on)
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
    """Note that the handler spoke to the customer, at the time stated."""
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
    """Reply to the case: solved, an extension until `until`, or raised to the general manager."""
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


progress = plain_deed(Progressed, "Note the progress of the work before the reply.")
return_order = plain_deed(
    Returned, "Return the case to the care desk because it belongs to another department."
)
confirm = plain_deed(Confirmed, "Confirm the reply as director or deputy (SKD-3.2.2.1).")
decline = plain_deed(Declined, "Send the reply back to the handler, with a reason.")
grant_extension = plain_deed(
    ExtensionGranted, "Grant the extension asked for, or less (SKD-3.2.3.2.1)."
)
refuse_extension = plain_deed(
    ExtensionRefused, "Refuse the extension; the deadline stays as it is."
)
decide = plain_deed(
    Decided, "Decide as general manager: solved, or back to the department with a deadline."
)
upgrade = plain_deed(Upgraded, "Move a B case that cannot be closed to C (SKD-2.2.3.3).")
review = plain_deed(Reviewed, "Review a case without a deadline; the next review counts from here.")
arrive_on_site = plain_deed(ArrivedOnSite, "Note that the factory's staff arrived (SKD-4.2.2).")
reply_in_writing = plain_deed(RepliedInWriting, "Note the written reply and where its proof is.")
close_at_factory = plain_deed(
    FactoryClosed, "Note that the case was closed in the factory's system (SKD-3.1.3)."
)

DEEDS: Deeds = {
    "returned": return_order,
    "assigned": assign,
    "contacted": contact,
    "progressed": progress,
    "arrived_on_site": arrive_on_site,
    "replied_in_writing": reply_in_writing,
    "replied": reply,
    "confirmed": confirm,
    "declined": decline,
    "extension_granted": grant_extension,
    "extension_refused": refuse_extension,
    "decided": decide,
    "upgraded": upgrade,
    "reviewed": review,
    "factory_closed": close_at_factory,
}
"""The service of each deed, by the name of its event."""
