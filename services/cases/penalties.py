"""Penalties on their way to the payroll: proposed, confirmed, notified, listed by month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload

from enums import Role
from models import Complaint, Employee, Penalty
from policy.engine.fact_changes import Effect
from policy.engine.penalties import wage_month
from policy.vocabulary.errors import NotFound, NoticeStands
from policy.vocabulary.events import (
    Event,
    Judged,
    PenaltyConfirmed,
    PenaltyNotified,
    PenaltyReversed,
    PenaltyWaived,
    Withdrawn,
)
from policy.vocabulary.status import PenaltyStatus, Sign
from services.cases import journal
from services.cases.journal import Deeds, JournalLine
from services.cases.sanctions import tallies
from services.cases.sanctions.bearers import heads_and_posts
from services.company import people
from services.company.actors import Actor
from services.regulation import policies


def judge(
    session: Session,
    complaint: Complaint,
    *,
    ground: str,
    text: str,
    actor: Actor,
    now: dt.datetime,
    employee: str | None = None,
    together: Sequence[str] = (),
    amount: Decimal | None = None,
    happened_on: dt.date | None = None,
) -> tuple[Effect, ...]:
    """Record a person's judgement that there is a ground for a penalty or reward; it is proposed.

    `together` are further employees where the fault is not one person's alone (SAL-12.11); `amount`
    is needed where the regulation leaves the sum to the person who decides; `happened_on` is the
    day of the deed, whose month's pay may be meant (SAL-12.4).
    """
    named = (employee, *together)
    for number in named:
        people.known_employee(session, number)
    return journal.record_event(
        session,
        complaint,
        Judged,
        actor=actor,
        now=now,
        ground=ground,
        employee=employee,
        together=tuple(together),
        amount=amount,
        happened_on=happened_on,
        **known_of_finding(session, complaint, named, happened_on=happened_on, now=now),
        text=text,
    )


def known_of_finding(
    session: Session,
    complaint: Complaint,
    named: Sequence[str | None],
    *,
    happened_on: dt.date | None,
    now: dt.datetime,
) -> dict[str, Any]:
    """Return what the records say for a finding: heads, posts, and the pay other cases took."""
    pack, calendar = journal.rules_of(session, complaint)
    today = calendar.local(now).date()
    on = happened_on or today
    said: dict[str, Any] = dict(heads_and_posts(session, complaint, named, pack=pack, on=on))
    heads = [one.rpartition("/")[2] for one in said.get("superiors", ())]
    since = min(complaint.received_at, now, calendar.instant(on, dt.time()))
    said["taken"] = tallies.elements_taken(
        session, complaint, [*named, *heads], pack=pack, since=since
    )
    return said


def lock_penalty(session: Session, penalty_id: int, *, seen: int | None = None) -> Penalty:
    """Return a penalty with its case locked. `seen` is the case's version a form was made from."""
    found = session.get(Penalty, penalty_id)
    if found is None:
        raise NotFound(what="penalty", key=str(penalty_id))
    journal.lock_case(session, found.complaint.number, seen=seen)
    return found


def confirm(
    session: Session, found: Penalty, *, actor: Actor, now: dt.datetime
) -> tuple[Effect, ...]:
    """Confirm a proposed penalty."""
    return _record_step(session, found, PenaltyConfirmed, actor=actor, now=now)


def waive(
    session: Session, found: Penalty, *, reason: str, actor: Actor, now: dt.datetime
) -> tuple[Effect, ...]:
    """Waive a proposed penalty, with a reason."""
    return _record_step(session, found, PenaltyWaived, actor=actor, now=now, reason=reason)


def notify(
    session: Session, found: Penalty, *, how: str, actor: Actor, now: dt.datetime
) -> tuple[Effect, ...]:
    """Note that the employee was notified and how; the time to appeal begins."""
    return _record_step(session, found, PenaltyNotified, actor=actor, now=now, how=how)


STEPS = {"confirmed": PenaltyConfirmed.name(), "notified": PenaltyNotified.name()}


def steps_of(session: Session, found: Penalty) -> dict[str, JournalLine]:
    """Return who confirmed a penalty and who told the employee, and how: the entries that stand."""
    told = journal.lines_of(session, [found.complaint_id], tuple(STEPS.values()))
    identity = (found.rule, found.employee.number, found.occasion, found.sign.value)
    names = {event: name for name, event in STEPS.items()}
    return {
        names[line.row.event]: line
        for line in told.get(found.complaint_id, ())
        if _about(line.data) == identity
    }


def _about(data: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return which penalty an entry is about; what it leaves out is a charge."""
    sign = data.get("sign", Sign.charge.value)
    return (data["rule"], data["employee"], data["occasion"], sign)


def refusal_to_take_back(
    found: Penalty, told: JournalLine | None, *, actor: Actor, now: dt.datetime
) -> NoticeStands | None:
    """Return why the notice of a penalty stands: something hangs on it, or others gave it."""
    if told is None or found.counts_at is None or found.counts_at <= now:
        return NoticeStands(why="notice_over")
    mine = actor.user_id is not None and told.row.user_id == actor.user_id
    if not (mine or actor.role is Role.administrator):
        return NoticeStands(why="notice_of_others")
    return None


def take_back_notice(
    session: Session, found: Penalty, *, reason: str, actor: Actor, now: dt.datetime
) -> tuple[Effect, ...]:
    """Take back that the employee was told, while nothing hangs on it; it stays on record.

    Whoever told them may, or an administrator. Raises NoticeStands.
    """
    told = steps_of(session, found).get("notified")
    if refused := refusal_to_take_back(found, told, actor=actor, now=now):
        raise refused
    assert told is not None
    said: dict[str, Any] = {"target": told.row.seq, "reason": reason}
    return journal.record_event(session, found.complaint, Withdrawn, actor=actor, now=now, **said)


def reverse(
    session: Session, found: Penalty, *, reason: str, actor: Actor, now: dt.datetime
) -> tuple[Effect, ...]:
    """Propose to reverse a confirmed penalty: a second row gives it back, the first stays."""
    return _record_step(session, found, PenaltyReversed, actor=actor, now=now, reason=reason)


def _record_step(
    session: Session,
    found: Penalty,
    kind: type[Event],
    *,
    actor: Actor,
    now: dt.datetime,
    **said: Any,
) -> tuple[Effect, ...]:
    return journal.record_event(
        session,
        found.complaint,
        kind,
        actor=actor,
        now=now,
        rule=found.rule,
        employee=found.employee.number,
        occasion=found.occasion,
        sign=found.sign,
        **said,
    )


DEEDS: Deeds = {
    "judged": judge,
}
"""The service of each deed, by the name of its event."""


# ---------------------------------------------------------------- the month


@dataclass(frozen=True, slots=True)
class EmployeeMonth:
    """One employee's part of a wage month: their penalties and the sum in yuan."""

    employee: Employee
    penalties: Sequence[Penalty]

    @property
    def total(self) -> Decimal:
        """Return the sum in yuan; negative where more is given back than taken."""
        return sum((signed_amount(p) for p in self.penalties), Decimal(0))


def signed_amount(found: Penalty) -> Decimal:
    """Return what a penalty takes from the pay, in yuan; negative for a reversal and a reward."""
    return found.amount if found.sign is Sign.charge else -found.amount


def month_list(session: Session, name: str) -> list[EmployeeMonth]:
    """Return a wage month ("2026-10") by employee, in the order of employee numbers.

    It holds the penalties that were confirmed and notified and whose time to appeal ends in it;
    `month_parts` tells those whose time is over from the others.
    """
    rows = session.scalars(
        _with_people()
        .where(Penalty.month == name, Penalty.status == PenaltyStatus.notified)
        .order_by(Employee.number, Penalty.proposed_at, Penalty.id)
    )
    return _by_employee(rows)


def _by_employee(rows: Iterable[Penalty]) -> list[EmployeeMonth]:
    shares: dict[int, list[Penalty]] = {}
    for row in rows:
        shares.setdefault(row.employee_id, []).append(row)
    return [EmployeeMonth(found[0].employee, found) for found in shares.values()]


@dataclass(frozen=True, slots=True)
class MonthParts:
    """A wage month in two: what is final, and what may still be appealed; nobody pays that yet."""

    final: Sequence[EmployeeMonth]
    running: Sequence[EmployeeMonth]

    @property
    def total(self) -> Decimal:
        """Return the sum of what is final, in yuan."""
        return sum((share.total for share in self.final), Decimal(0))

    @property
    def running_total(self) -> Decimal:
        """Return the sum of what may still be appealed, in yuan."""
        return sum((share.total for share in self.running), Decimal(0))


def is_final(found: Penalty, *, now: dt.datetime) -> bool:
    """Whether the time to appeal has ended without an appeal that is still open."""
    return found.counts_at is not None and found.counts_at <= now


def month_parts(session: Session, name: str, *, now: dt.datetime) -> MonthParts:
    """Return a wage month by employee, what is final apart from what may still be appealed."""
    rows = [row for share in month_list(session, name) for row in share.penalties]
    return MonthParts(
        final=_by_employee(row for row in rows if is_final(row, now=now)),
        running=_by_employee(row for row in rows if not is_final(row, now=now)),
    )


def unsettled_penalties(session: Session, *, limit: int = 200) -> list[Penalty]:
    """Return the penalties in no month yet, because they wait to be confirmed or notified."""
    unsettled = (PenaltyStatus.proposed, PenaltyStatus.confirmed)
    return list(
        session.scalars(
            _with_people()
            .where(Penalty.status.in_(unsettled))
            .order_by(Penalty.proposed_at, Penalty.id)
            .limit(limit)
        )
    )


def months(session: Session) -> list[str]:
    """Return the wage months that have a penalty, newest first."""
    rows = sa.select(Penalty.month).where(Penalty.month.is_not(None)).distinct()
    return sorted((m for m in session.scalars(rows) if m), reverse=True)


def _with_people() -> sa.Select[Penalty]:
    return (
        sa.select(Penalty)
        .join(Penalty.employee)
        .options(
            contains_eager(Penalty.employee).joinedload(Employee.department),
            joinedload(Penalty.complaint).joinedload(Complaint.policy_version),
        )
    )


def current_month(session: Session, *, on: dt.date) -> str:
    """Return the wage month of a day under the regulations in force; without one, the calendar
    month.
    """
    versions = policies.all_in_force(session, on=on)
    if not versions:
        return f"{on:%Y-%m}"
    return wage_month(on, policies.pack(session, versions[0]))
