"""The jury of a regulation: appeals, the jury's members, their votes and the ruling."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import Complaint
from policy.engine.fact_changes import Effect
from policy.vocabulary.errors import ChoiceUnknown
from policy.vocabulary.events import Appealed, Convened, Ruled, Voted
from services.calendar import working_calendar
from services.cases import journal
from services.cases.journal import Deeds
from services.company import actors, people, presence
from services.company.actors import Actor

Effects = tuple[Effect, ...]


def appeal(
    session: Session,
    complaint: Complaint,
    *,
    vote: str,
    text: str,
    actor: Actor,
    now: dt.datetime,
    employee: str | None = None,
) -> Effects:
    """Appeal against a finding, for an employee, or for the department where none is named.

    A penalty under appeal is not counted until the jury has ruled.
    """
    people.known_employee(session, employee)
    said: dict[str, Any] = {"vote": vote, "text": text, "employee": employee}
    return journal.record_event(session, complaint, Appealed, actor=actor, now=now, **said)


def convene(
    session: Session,
    complaint: Complaint,
    *,
    vote: str,
    actor: Actor,
    now: dt.datetime,
    more: Sequence[str] = (),
    text: str | None = None,
) -> Effects:
    """Appoint the jury of a vote: the holders of its posts today, and further members by number.

    The engine recuses the members who are concerned by the case.
    """
    on = _today(session, now=now)
    for number in more:
        member = people.known_employee(session, number)
        presence.refuse_leaver(member, field="more", on=on)
    seated = roster(session, complaint, vote, now=now)
    said: dict[str, Any] = {"vote": vote, "members": (*seated, *more), "text": text}
    said["seated"] = seated
    return journal.record_event(session, complaint, Convened, actor=actor, now=now, **said)


def roster(
    session: Session, complaint: Complaint, vote: str, *, now: dt.datetime
) -> tuple[str, ...]:
    """Return the numbers of the employees who hold a jury's posts today; a deputy replaces the
    holder.
    """
    pack, _ = journal.rules_of(session, complaint)
    entry = pack.find("vote", vote)
    if entry is None:
        raise ChoiceUnknown(field="vote", value=vote)
    on = _today(session, now=now)
    seats = [actors.leaders(session, post, on=on) for post in entry.members]
    return tuple(dict.fromkeys(who for holder, deputy in seats if (who := deputy or holder)))


def _today(session: Session, *, now: dt.datetime) -> dt.date:
    return working_calendar.work_calendar(session).local(now).date()


def cast_vote(
    session: Session,
    complaint: Complaint,
    *,
    vote: str,
    agrees: bool,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> Effects:
    """Vote yes or no as a member of the jury, once, with a reason."""
    said: dict[str, Any] = {"vote": vote, "agrees": agrees, "reason": reason}
    return journal.record_event(session, complaint, Voted, actor=actor, now=now, **said)


def rule(
    session: Session,
    complaint: Complaint,
    *,
    vote: str,
    minutes: str,
    actor: Actor,
    now: dt.datetime,
) -> Effects:
    """Record the ruling the votes give, with the minutes."""
    said: dict[str, Any] = {"vote": vote, "minutes": minutes}
    return journal.record_event(session, complaint, Ruled, actor=actor, now=now, **said)


DEEDS: Deeds = {
    "appealed": appeal,
    "convened": convene,
    "voted": cast_vote,
    "ruled": rule,
}
"""The service of each deed, by the name of its event."""
