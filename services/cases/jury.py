"""The jury of a regulation: appeals, the jury's members, their votes and the ruling."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, Employee
from policy.engine.fact_changes import Effect
from policy.vocabulary.errors import ChoiceUnknown, NotTheAppellant
from policy.vocabulary.events import Appealed, Convened, Ruled, Voted
from policy.vocabulary.status import PenaltyStatus, Sign
from services.calendar import working_calendar
from services.cases import journal
from services.cases.journal import Deeds
from services.company import actors, people, presence
from services.company.actors import Actor

Effects = tuple[Effect, ...]
_STANDS = frozenset({PenaltyStatus.proposed, PenaltyStatus.confirmed, PenaltyStatus.notified})


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

    A penalty under appeal is not counted until the jury has ruled. Raises NotTheAppellant where
    the employee has no penalty in the case, or somebody enters it who may not for them.
    """
    named = people.known_employee(session, employee)
    if named is not None:
        _check_appellant(session, complaint, named, actor=actor, on=_today(session, now=now))
        if named.id != actor.employee_id and actor.role in ENTERS_FOR_OTHERS:
            # The regulation asks who appeals; who typed it stands beside it, as the user.
            actor = replace(actor, employee_id=named.id)
    said: dict[str, Any] = {"vote": vote, "text": text, "employee": employee}
    return journal.record_event(session, complaint, Appealed, actor=actor, now=now, **said)


ENTERS_FOR_OTHERS = frozenset({Role.administrator, Role.care, Role.hr})
"""Whose accounts enter the appeal of somebody who has none."""


def _check_appellant(
    session: Session, complaint: Complaint, named: Employee, *, actor: Actor, on: dt.date
) -> None:
    charged = (p for p in complaint.penalties if p.sign is Sign.charge and p.status in _STANDS)
    if named.id not in {penalty.employee_id for penalty in charged}:
        raise NotTheAppellant(field="employee", employee=str(named), why="no_penalty")
    if named.id == actor.employee_id or actor.role in ENTERS_FOR_OTHERS:
        return
    if actor.employee_id is None or not _leads(session, complaint, named, actor=actor, on=on):
        raise NotTheAppellant(field="employee", employee=str(named), why="of_another")


def _leads(
    session: Session, complaint: Complaint, named: Employee, *, actor: Actor, on: dt.date
) -> bool:
    """Whether the actor holds the post that leads a department of the employee."""
    pack, _ = journal.rules_of(session, complaint)
    policy_id = complaint.policy_version.policy_id
    keys = actors.departments_of(session, named, policy_id=policy_id, on=on)
    posts = {one.director for key in keys if (one := pack.find("department", key))}
    held = {one.post for one in actors.posts_of(session, actor.employee_id or 0, on=on)}
    return bool(posts & held)


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
