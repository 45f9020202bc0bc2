"""Follow-up by the care desk after the department: call back, restart, settle, close."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from models import Complaint
from policy.engine.fact_changes import Effect
from policy.vocabulary.errors import FieldMissing
from policy.vocabulary.events import CalledBack, Restarted, Settled, Signed
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import CallOutcome, CallPurpose, Status
from services.cases import intake, journal, record
from services.cases.journal import Deeds
from services.company.actors import Actor

Effects = tuple[Effect, ...]


def call_back(
    session: Session,
    complaint: Complaint,
    *,
    purpose: CallPurpose,
    outcome: CallOutcome,
    actor: Actor,
    now: dt.datetime,
    text: str | None = None,
    **said: Any,
) -> Effects:
    """Record one attempt to call the customer, and the customer's answers.

    An unhappy customer who asks for more, or for whom the care desk insists on more, restarts the
    case with the same deed (SKD-3.2.3.1.1); then `text` is the customer's view and needed. Both
    events are recorded or neither.
    """
    with session.begin_nested():
        effects = journal.record_event(
            session,
            complaint,
            CalledBack,
            actor=actor,
            now=now,
            purpose=purpose,
            outcome=outcome,
            text=text,
            **said,
        )
        if not _must_restart(record.facts_of(session, complaint)):
            return effects
        if not text:
            raise FieldMissing(field="text")
        return effects + restart(
            session, complaint, ground="verification", text=text, actor=actor, now=now
        )


def _must_restart(facts: CaseFacts) -> bool:
    last = facts.callbacks[-1]
    verified = last.purpose is CallPurpose.verification and last.outcome is CallOutcome.answered
    return verified and facts.status is Status.confirmed and last.unhappy and last.demands_more


def restart(
    session: Session,
    complaint: Complaint,
    *,
    ground: str,
    text: str,
    actor: Actor,
    now: dt.datetime,
) -> Effects:
    """Begin another round at the same department, for which its leader of today answers."""
    department = record.facts_of(session, complaint).department
    holder, deputy = (None, None)
    if department is not None:
        holder, deputy = intake.leaders_of(session, complaint, department, now=now)
    return journal.record_event(
        session,
        complaint,
        Restarted,
        actor=actor,
        now=now,
        ground=ground,
        text=text,
        holder=holder,
        deputy=deputy,
    )


def settle(
    session: Session, complaint: Complaint, *, reason: str, actor: Actor, now: dt.datetime
) -> Effects:
    """Accept, as care director, that an unhappy customer asks for nothing more."""
    return journal.record_event(session, complaint, Settled, actor=actor, now=now, reason=reason)


def sign(
    session: Session, complaint: Complaint, *, feedback: str, actor: Actor, now: dt.datetime
) -> Effects:
    """Close the case as care director, with the customer's own words (SKD-3.2.3.1.2)."""
    return journal.record_event(session, complaint, Signed, actor=actor, now=now, feedback=feedback)


DEEDS: Deeds = {
    "called_back": call_back,
    "restarted": restart,
    "settled": settle,
    "signed": sign,
}
"""The service of each deed, by the name of its event."""
