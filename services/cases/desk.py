"""The care desk's read side: the cases a user sees, those that wait for them, and a case's page.

Every list costs the same few statements whatever the number of cases; nothing here writes.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from enums import Role
from models import (
    Assignment,
    Callback,
    Complaint,
    Deadline,
    Department,
    Employee,
    Journal,
    Penalty,
    PolicyVersion,
    User,
)
from policy.engine.fact_changes import Effect
from policy.engine.permission import Deed, deeds_offered
from policy.pack.schema import Pack
from policy.vocabulary.errors import NotFound
from policy.vocabulary.events import EVENTS, By, Replied
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import employee_numbers_in, person_fields
from policy.vocabulary.status import ENDS, DeadlineState, PenaltyStatus, ReplyOutcome, Status
from services.cases import journal, pending, record
from services.company import actors, people, presence
from services.regulation import policies

SEES_ALL = frozenset({Role.administrator, Role.care, Role.general_manager, Role.auditor, Role.hr})


SEES_NONE = frozenset({Role.employee, Role.juror})
"""Roles that open no page of a case, whatever posts they hold; only a jury's vote waits for
them.
"""


# ---------------------------------------------------------------- whose cases


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases a user sees: all, or those of some departments and those the user handles.

    `beside` are conditions of further cases: those in which the user's departments take part, and
    those with an approval that waits for the user. `directed` are the departments of regulations
    that the user leads, each by the regulation's id and its key.
    """

    everything: bool
    departments: frozenset[int] = frozenset()
    employee_id: int | None = None
    beside: tuple[pending.Cases, ...] = ()
    directed: frozenset[tuple[int, str]] = frozenset()

    def narrowed(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Return a statement over complaints, narrowed to those the user sees."""
        if self.everything:
            return statement
        return statement.where(sa.or_(self._has(), *self.beside))

    def penalties(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Return a statement over penalties, joined with their cases, narrowed to those in cases
        the user's departments answer or answered for, and to those of their own people.
        """
        if self.everything:
            return statement
        own = sa.select(Employee.id).where(Employee.department_id.in_(self.departments))
        return statement.where(sa.or_(self._has(), Penalty.employee_id.in_(own)))

    def _has(self) -> pending.Cases:
        """Return the condition of cases the user's departments have, or had and answered."""
        # A user who is no employee handles no case; NULL would match cases without a handler.
        mine = sa.false() if self.employee_id is None else Assignment.handler_id == self.employee_id
        theirs = sa.exists().where(
            Assignment.complaint_id == Complaint.id,
            pending.not_given_away(),
            sa.or_(Assignment.department_id.in_(self.departments), mine),
        )
        return sa.or_(theirs, *(pending.handed_to(one, keys) for one, keys in self._led()))

    def _led(self) -> list[tuple[int, set[str]]]:
        """Return the departments the user leads, by their regulation."""
        found: dict[int, set[str]] = {}
        for policy_id, key in sorted(self.directed):
            found.setdefault(policy_id, set()).add(key)
        return list(found.items())

    def has(self, complaint: Complaint) -> bool:
        """Whether the user handles the case, belongs to the department that has it, or leads it."""
        if complaint.handler_id is not None and complaint.handler_id == self.employee_id:
            return True
        policy_id = complaint.policy_version.policy_id
        leads = any((policy_id, key) in self.directed for key in record.has_case(complaint))
        return leads or complaint.department_id in self.departments


def scope(session: Session, user: User, *, on: dt.date) -> Scope:
    """Return the cases a user sees: care, managers and auditors all, others by department.

    A department's user sees the cases of the departments they belong to, lead or join.
    """
    if not presence.is_open(user, on=on):
        return Scope(everything=False)
    if user.role in SEES_ALL:
        return Scope(everything=True)
    if user.employee is None:
        return Scope(everything=False)
    seats = _seats(session, user, on=on)
    directed = {(seat.version.policy_id, key) for seat in seats for key in seat.directed}
    joined = [pending.takes_part(seat.version.policy_id, seat.joins) for seat in seats]
    turn = [seat.of_version(one) for seat in seats for one in seat.to_endorse()]
    beside = (*joined, *turn, pending.endorsed_by(user.employee.id))
    mine = frozenset({user.employee.department_id})
    return Scope(False, mine, user.employee.id, beside, frozenset(directed))


OWN_PENALTIES = frozenset({Role.employee, Role.member})
"""Roles that see no penalty but their own."""


def penalties_seen(
    session: Session, user: User, statement: sa.Select[Any], *, on: dt.date
) -> sa.Select[Any]:
    """Return a statement over penalties, narrowed to those a user sees."""
    if not presence.is_open(user, on=on):
        return statement.where(sa.false())
    if user.role in OWN_PENALTIES:
        return statement.where(Penalty.employee_id == (user.employee_id or -1))
    if user.role is Role.director:
        return scope(session, user, on=on).penalties(statement.join(Penalty.complaint))
    return statement


def jury_scope(user: User, *, on: dt.date) -> Scope:
    """Return the scope of cases with an open vote on whose jury a user sits."""
    if user.employee is None or not presence.is_open(user, on=on):
        return Scope(everything=False)
    return Scope(everything=False, beside=(pending.sits_on_jury(user.employee.number),))


def jury_cases(session: Session, user: User, *, on: dt.date) -> list[tuple[Complaint, bool]]:
    """Return the cases of the jury scope, each with whether the user voted on all they are asked.

    The cases that wait for the user's vote come first.
    """
    if user.employee is None or not presence.is_open(user, on=on):
        return []
    number = user.employee.number
    waits = pending.to_vote(number, user.employee.id)
    cases = sa.select(Complaint, ~waits).where(pending.sits_on_jury(number))
    return [(case, voted) for case, voted in session.execute(cases.order_by(~waits, Complaint.id))]


@dataclass(frozen=True, slots=True)
class Seat:
    """An employee's place under a version: their departments and posts, and the company's
    departments these mean.
    """

    version: PolicyVersion
    pack: Pack
    by: By
    real: Mapping[str, int]
    employee: Employee

    @property
    def held(self) -> frozenset[str]:
        """Return the keys of the posts the employee holds."""
        return frozenset(post.post for post in self.by.posts)

    @property
    def directed(self) -> frozenset[str]:
        """Return the departments whose director's post the employee holds, as holder or deputy."""
        return frozenset(d.key for d in self.pack.department if d.director in self.held)

    @property
    def directed_ids(self) -> frozenset[int]:
        """Return the ids of the company's departments that the directed ones mean."""
        return frozenset(self.real[key] for key in self.directed if key in self.real)

    @property
    def joins(self) -> frozenset[str]:
        """Return the departments for which the employee takes part in cases."""
        return self.directed | set(self.by.departments)

    def of_version(self, condition: pending.Cases) -> pending.Cases:
        """Return the condition, narrowed to cases under this version."""
        # All cases may be under one version. A sum keeps SQLite from using the index of versions,
        # with which it would read all cases instead of the few of a status or a form entry.
        return sa.and_(Complaint.policy_version_id + 0 == self.version.id, condition)

    def to_endorse(self) -> list[pending.Cases]:
        """Return the conditions of the cases whose approval waits for this employee."""
        return pending.to_endorse(self.pack, self._approves)

    def _approves(self, post: str) -> pending.Cases | None:
        if post == "director":
            return pending.led_by(self.directed) if self.directed else None
        return sa.true() if post in self.held else None


def _seats(session: Session, user: User, *, on: dt.date) -> list[Seat]:
    """Return the seats of a user, one for each version that cases still go on under."""
    if user.employee is None or not presence.is_open(user, on=on):
        return []
    return [
        Seat(
            version=version,
            pack=policies.pack(session, version),
            by=actors.as_of(session, actors.of_user(user), policy_id=version.policy_id, on=on),
            real=actors.department_ids(session, policy_id=version.policy_id, on=on),
            employee=user.employee,
        )
        for version in policies.versions_in_use(session, on=on)
    ]


# ---------------------------------------------------------------- what waits


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case that waits for a user, and the deed it waits for (the name of its event)."""

    complaint: Complaint
    deed: str


NEXT_DEED = {
    Status.registered: "dispatched",
    Status.returned: "dispatched",
    Status.dispatched: "replied",
    Status.replied: "confirmed",
    Status.raised: "extension_granted",
    Status.intervened: "decided",
    Status.confirmed: "called_back",
    Status.disputed: "settled",
    Status.accepted: "signed",
    Status.closed: "factory_closed",
}
"""The deed each status waits for first; its conditions and posts are the regulation's."""


def waiting_cases(
    session: Session, user: User, *, now: dt.datetime, on: dt.date, limit: int = 50
) -> list[WaitingCase]:
    """Return the cases that wait for a user, under every version, most urgent first."""
    wanted = _waiting_for(session, user, now=now, on=on)
    if not wanted:
        return []
    deed = sa.case(*((condition, name) for name, condition in wanted)).label("deed")
    rows = session.execute(
        sa.select(Complaint, deed)
        .where(Complaint.history.is_(False), sa.or_(*(condition for _name, condition in wanted)))
        .options(joinedload(Complaint.department), joinedload(Complaint.customer))
        .order_by(Complaint.due_at.asc().nulls_last(), Complaint.id)
        .limit(limit)
    )
    return [WaitingCase(complaint, name) for complaint, name in rows]


def _waiting_for(
    session: Session, user: User, *, now: dt.datetime, on: dt.date
) -> list[tuple[str, pending.Cases]]:
    """Return the deeds a user may do, each with the condition of the cases that wait for it."""
    if user.employee is None or not presence.is_open(user, on=on):
        return []
    found = [("voted", pending.to_vote(user.employee.number, user.employee.id))]
    if user.role in SEES_NONE:
        return found
    for seat in _seats(session, user, on=on):
        found += [("endorsed", seat.of_version(one)) for one in seat.to_endorse()]
        for deed, waits in _waiting_conditions(now):
            reach = _reach(seat, deed)
            if reach is not None:
                found.append((deed, seat.of_version(sa.and_(waits, reach))))
        found += _waiting_to_take_part(seat)
    return found


def _waiting_to_take_part(seat: Seat) -> list[tuple[str, pending.Cases]]:
    """Return the cases that wait for a department that takes part, with the deed to record
    there.
    """
    departments = {seat.employee.department_id, *seat.directed_ids}
    waits = pending.asked_to_take_part(seat.version.policy_id, seat.joins, departments)
    writes = "filled" if any(not form.alone for form in seat.pack.form) else "progressed"
    return [(writes, seat.of_version(waits))]


def _waiting_conditions(now: dt.datetime) -> list[tuple[str, pending.Cases]]:
    """Return each deed with the condition of cases that wait for it, due reviews first."""
    by_status = [(deed, _in_status(status)) for status, deed in NEXT_DEED.items()]
    return [
        ("reviewed", _running(Deadline.review_at <= now)),
        *by_status,
        ("called_back", _call_is_open(now)),
        ("convened", pending.to_convene()),
    ]


def _running(condition: pending.Cases) -> pending.Cases:
    """Return the cases with a running deadline of which the condition holds, found by the
    deadlines.
    """
    running = sa.select(Deadline.complaint_id).where(Deadline.state == DeadlineState.running)
    return Complaint.id.in_(running.where(condition))


def _in_status(status: Status) -> pending.Cases:
    stands = Complaint.status == status
    if status is Status.closed:
        return sa.and_(stands, Complaint.level == "factory", Complaint.factory_closed_at.is_(None))
    return stands


def _call_is_open(now: dt.datetime) -> pending.Cases:
    return sa.and_(Complaint.status == Status.closed, _running(Deadline.opens_at <= now))


def _reach(seat: Seat, deed: str) -> pending.Cases | None:
    """Return the cases on which an employee may do a deed: all, some departments', their own, or
    None.
    """
    held, by = seat.held, seat.by
    members = {f"member:{key}" for key in by.departments}
    directs = own = member = False
    for entry in seat.pack.signoffs.get(deed, ()):
        for who in entry.by:
            if who in held or who in members:
                return sa.true()
            member = member or who == "lead_department"
            directs = directs or who == "director"
            own = own or who == "handler"
    conditions: list[pending.Cases] = []
    if member:
        conditions.append(Complaint.department_id == seat.employee.department_id)
    if directs and seat.directed:
        conditions.append(pending.led_by(seat.directed))
    if own:
        conditions.append(Complaint.handler_id == seat.employee.id)
    return sa.or_(*conditions) if conditions else None


@dataclass(frozen=True, slots=True)
class DepartmentAnswer:
    """The last reply of a department to a case, as it is after its corrections."""

    outcome: ReplyOutcome
    text: str
    until: dt.datetime | None
    by: str
    at: dt.datetime


def last_replies(session: Session, complaint_ids: Collection[int]) -> dict[int, DepartmentAnswer]:
    """Return the last reply to each of these cases, by the case's id; cases without one are left
    out.
    """
    told = journal.lines_of(session, complaint_ids, (Replied.name(),))
    return {case: _answer(said[-1].row, said[-1].data) for case, said in told.items() if said}


def _answer(row: Journal, data: Mapping[str, Any]) -> DepartmentAnswer:
    by = row.employee.name if row.employee else row.user.display_name if row.user else ""
    until = dt.datetime.fromisoformat(data["until"]) if data.get("until") else None
    return DepartmentAnswer(ReplyOutcome(data["outcome"]), data["text"], until, by, row.happened_at)


def may_call_customer(complaint: Complaint, user: User, *, seen: Scope) -> bool:
    """Whether a user may see the customer's telephone number.

    Only while the case is open, and only for care and the department that has the case.
    """
    if complaint.history or complaint.status in (*ENDS, Status.closed, Status.recorded):
        return False
    if user.role is Role.care:
        return True
    return seen.has(complaint)


class Standing(enum.Enum):
    """What an open case is counted as on the home page; the list of cases filters by the same."""

    open = "open"
    overdue = "overdue"
    today = "today"
    undispatched = "undispatched"
    mine = "mine"


def standing(
    session: Session, one: Standing, user: User, *, now: dt.datetime, zone: dt.tzinfo
) -> pending.Cases:
    """Return the condition of the open cases that stand so, for a user at an instant.

    A day ends at midnight of `zone`, the company's.
    """
    local = now.astimezone(zone)
    midnight = (local + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    match one:
        case Standing.overdue:
            found: pending.Cases = Complaint.due_at <= now
        case Standing.today:
            found = sa.and_(Complaint.due_at > now, Complaint.due_at < midnight)
        case Standing.undispatched:
            found = Complaint.status.in_((Status.registered, Status.returned))
        case Standing.mine:
            waits = _waiting_for(session, user, now=now, on=local.date())
            found = sa.or_(sa.false(), *(condition for _name, condition in waits))
        case Standing.open:
            return pending.is_open()
    return sa.and_(found, _worked_on() if one is Standing.mine else pending.is_open())


def _worked_on() -> pending.Cases:
    return Complaint.history.is_(False)


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """The numbers of cases by how they stand, and of penalties that wait."""

    cases: Mapping[Standing, int]
    proposed: int
    confirmed: int


def counts(
    session: Session, seen: Scope, user: User, *, now: dt.datetime, zone: dt.tzinfo
) -> DeskCounts:
    """Return the figures of the home page, of the cases the user sees; one statement each."""
    money = sa.select(sa.func.count(Penalty.id))

    def count(statement: sa.Select[Any]) -> int:
        return session.scalar(statement) or 0

    def count_cases(one: Standing) -> int:
        stands = standing(session, one, user, now=now, zone=zone)
        return count(seen.narrowed(sa.select(sa.func.count(Complaint.id)).where(stands)))

    return DeskCounts(
        cases={one: count_cases(one) for one in Standing},
        proposed=count(money.where(Penalty.status == PenaltyStatus.proposed)),
        confirmed=count(money.where(Penalty.status == PenaltyStatus.confirmed)),
    )


# ---------------------------------------------------------------- the page of a case


@dataclass(frozen=True, slots=True)
class CasePage:
    """The data of the page of a case."""

    complaint: Complaint
    facts: CaseFacts
    pack: Pack
    deeds: tuple[Deed, ...]
    history: list[Journal]
    people: Mapping[str, Employee]
    departments: Mapping[str, Department]
    by: By


def case_page(
    session: Session, number: str, user: User, *, seen: Scope, now: dt.datetime, on: dt.date
) -> CasePage:
    """Return the page of a case for a user. Raises NotFound for a case the user does not see."""
    complaint = find(session, number, seen=seen)
    pack, _ = journal.rules_of(session, complaint)
    facts = record.facts_of(session, complaint)
    policy_id = complaint.policy_version.policy_id
    by = journal.actor_on(session, complaint, actors.of_user(user), on=on)
    deeds = deeds_offered(facts, by, pack) if user.role is not Role.auditor else ()
    real = actors.department_ids(session, policy_id=policy_id, on=on)
    real |= {row.department_key: row.department_id for row in complaint.assignments}
    departments = {d.id: d for d in session.scalars(sa.select(Department))}
    history = journal_of(session, complaint)
    return CasePage(
        complaint=complaint,
        facts=facts,
        pack=pack,
        deeds=deeds,
        history=history,
        people=people.employees_by_number(session, _employee_numbers(facts, history, pack)),
        departments={key: departments[id_] for key, id_ in real.items()},
        by=by,
    )


def find(session: Session, number: str, *, seen: Scope) -> Complaint:
    """Return a case with its rows, if the user sees it. Raises NotFound."""
    statement = sa.select(Complaint).where(Complaint.number == number)
    found = session.scalars(
        seen.narrowed(statement).options(
            *record.WITH_ALL,
            selectinload(Complaint.penalties).joinedload(Penalty.employee),
            selectinload(Complaint.callbacks).joinedload(Callback.caller),
            joinedload(Complaint.customer),
            joinedload(Complaint.department),
            joinedload(Complaint.handler),
            joinedload(Complaint.responsible),
            joinedload(Complaint.policy_version).joinedload(PolicyVersion.policy),
        )
    ).unique()
    complaint: Complaint | None = found.first()
    if complaint is None:
        raise NotFound(what="complaint", key=number)
    return complaint


def journal_of(session: Session, complaint: Complaint) -> list[Journal]:
    """Return the journal rows of a case, newest first, with the user or employee of each."""
    return list(
        session.scalars(
            sa.select(Journal)
            .where(Journal.complaint_id == complaint.id)
            .options(joinedload(Journal.employee), joinedload(Journal.user))
            .order_by(Journal.seq.desc())
        )
    )


def employees_in(session: Session, effects: Iterable[Effect]) -> dict[str, Employee]:
    """Return the employees whose numbers the facts of some effects name, by number."""
    facts = {str(value) for effect in effects for value in effect.facts.values()}
    return people.employees_by_number(session, facts)


def _employee_numbers(facts: CaseFacts, history: list[Journal], pack: Pack) -> set[str | None]:
    """Return the number of every employee a case names."""
    named = {
        who
        for assignment in facts.assignments
        for who in (assignment.responsible, assignment.handler)
    }
    named |= {deadline.responsible for deadline in facts.deadlines}
    named |= {penalty.employee for penalty in facts.penalties}
    named |= {call.caller for call in facts.callbacks}
    named |= {name.employee for name in facts.signoffs}
    named |= {facts.first_asked, *facts.concerned}
    for row in history:
        named |= employee_numbers_in(person_fields(EVENTS[row.event]), row.data)
    for one in facts.entries:
        named |= one.people | set(_employees_in_fields(pack.find("form", one.key), one.data))
    named |= set(_employees_in_fields(pack, facts.extra))
    return {who for who in named if isinstance(who, str)}


def _employees_in_fields(declares: Any, data: Mapping[str, Any]) -> list[Any]:
    """Return the employees that fields of a form, or of the regulation itself, name."""
    fields = () if declares is None else getattr(declares, "fields", None) or declares.field
    return [data.get(one.key) for one in fields if one.shape == "employee"]
