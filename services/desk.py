"""The read side: whose cases somebody sees, what waits for him, and the page of a case.

Every list costs the same few statements whatever the number of cases; nothing here writes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

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
from policy.deeds import Deed, offered
from policy.errors import NotFound
from policy.events import By, Replied
from policy.facts import CaseFacts
from policy.lifecycle import ENDS, ClockState, PenaltyStatus, ReplyOutcome, Role, Status
from policy.pack import Pack
from services import actors, journal, policies, record

SEES_ALL = frozenset({Role.administrator, Role.care, Role.general_manager, Role.auditor, Role.hr})


# ---------------------------------------------------------------- whose cases


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases somebody sees: all, or those of some departments and those in his own hands."""

    everything: bool
    departments: frozenset[int] = frozenset()
    employee_id: int | None = None

    def narrowed(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """A statement over complaints, narrowed to what he sees."""
        return statement if self.everything else statement.where(self._has())

    def _has(self) -> sa.ColumnElement[bool]:
        return sa.exists().where(
            Assignment.complaint_id == Complaint.id,
            sa.or_(
                Assignment.department_id.in_(self.departments),
                Assignment.handler_id == self.employee_id,
            ),
        )


def scope(session: Session, user: User, *, on: dt.date) -> Scope:
    """What a user sees: care, managers and auditors all; a department only its own cases."""
    if user.role in SEES_ALL:
        return Scope(everything=True)
    if user.employee is None:
        return Scope(everything=False)
    seen = {user.employee.department_id}
    for version in policies.all_in_force(session, on=on):
        seen |= _directed(session, user.employee, version, on=on)
    return Scope(False, frozenset(seen), user.employee.id)


def _directed(
    session: Session, employee: Employee, version: PolicyVersion, *, on: dt.date
) -> set[int]:
    """The real departments whose director's post somebody holds, himself or as deputy."""
    held = {held.post for held in actors.posts_of(session, employee.id, on=on)}
    real = actors.meanings(session, policy_id=version.policy_id, on=on)
    directed = (d.key for d in policies.pack(session, version).department if d.director in held)
    return {real[key] for key in directed if key in real}


# ---------------------------------------------------------------- what waits


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for somebody, and the deed it waits for (the name of its event)."""

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
"""The deed each status waits for first; its gates and posts are the regulation's."""


def waiting(
    session: Session, user: User, *, now: dt.datetime, on: dt.date, limit: int = 50
) -> list[Waiting]:
    """The cases that wait for this user under the regulations in force, the most urgent first."""
    wanted = _mine(session, user, now=now, on=on)
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
    return [Waiting(complaint, name) for complaint, name in rows]


def _mine(
    session: Session, user: User, *, now: dt.datetime, on: dt.date
) -> list[tuple[str, sa.ColumnElement[bool]]]:
    """The deeds this user may do, each with the condition of the cases that wait for it."""
    if user.employee_id is None:
        return []
    found: list[tuple[str, sa.ColumnElement[bool]]] = []
    for version in policies.all_in_force(session, on=on):
        by = actors.as_of(session, actors.of_user(user), policy_id=version.policy_id, on=on)
        pack = policies.pack(session, version)
        real = actors.meanings(session, policy_id=version.policy_id, on=on)
        for deed, waits in _waits(now):
            reach = _reach(pack, deed, by, real, user.employee_id)
            if reach is not None:
                found.append((deed, sa.and_(waits, reach)))
    return found


def _waits(now: dt.datetime) -> list[tuple[str, sa.ColumnElement[bool]]]:
    """Which cases wait for which deed: a review or call that is due, then by their status."""
    by_status = [(deed, _stands(status)) for status, deed in NEXT_DEED.items()]
    return [
        ("reviewed", _running(Deadline.review_at <= now)),
        *by_status,
        ("called_back", _call_is_open(now)),
    ]


def _running(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Cases with a running clock of which the condition holds."""
    return sa.exists().where(
        Deadline.complaint_id == Complaint.id, Deadline.state == ClockState.running, condition
    )


def _stands(status: Status) -> sa.ColumnElement[bool]:
    stands = Complaint.status == status
    if status is Status.closed:
        return sa.and_(stands, Complaint.level == "factory", Complaint.factory_closed_at.is_(None))
    return stands


def _call_is_open(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Complaint.status == Status.closed, _running(Deadline.opens_at <= now))


def _reach(
    pack: Pack, deed: str, by: By, real: Mapping[str, int], employee_id: int
) -> sa.ColumnElement[bool] | None:
    """Of which cases somebody may do a deed: all, some departments', his own, or none (None)."""
    held = {post.post for post in by.posts}
    members = {f"member:{key}" for key in by.departments}
    departments: set[str] = set()
    own = False
    for entry in pack.signoffs.get(deed, ()):
        for who in entry.by:
            if who in held or who in members:
                return sa.true()
            if who == "lead_department":
                departments |= set(by.departments)
            if who == "director":
                departments |= {d.key for d in pack.department if d.director in held}
            own = own or who == "handler"
    ids = [real[key] for key in departments if key in real]
    conditions: list[sa.ColumnElement[bool]] = []
    if ids:
        conditions.append(Complaint.department_id.in_(ids))
    if own:
        conditions.append(Complaint.handler_id == employee_id)
    return sa.or_(*conditions) if conditions else None


@dataclass(frozen=True, slots=True)
class Answer:
    """A department's last reply to a case, as it stands after its corrections."""

    outcome: ReplyOutcome
    text: str
    until: dt.datetime | None
    by: str
    at: dt.datetime


def answers(session: Session, complaint_ids: Collection[int]) -> dict[int, Answer]:
    """The last reply to each of these cases, by the case's id; one without a reply is left out."""
    told = journal.told(session, complaint_ids, (Replied.name(),))
    return {case: _answer(said[-1].row, said[-1].data) for case, said in told.items() if said}


def _answer(row: Journal, data: Mapping[str, Any]) -> Answer:
    by = row.employee.name if row.employee else row.user.display_name if row.user else ""
    until = dt.datetime.fromisoformat(data["until"]) if data.get("until") else None
    return Answer(ReplyOutcome(data["outcome"]), data["text"], until, by, row.happened_at)


def may_ring(complaint: Complaint, user: User, *, seen: Scope) -> bool:
    """Whether the customer's number is for this user: while the case is open, and only for care
    and the people of the department that has it.
    """
    if complaint.history or complaint.status in (*ENDS, Status.closed, Status.recorded):
        return False
    if user.role is Role.care:
        return True
    mine = complaint.handler_id is not None and complaint.handler_id == seen.employee_id
    return mine or complaint.department_id in seen.departments


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases are open, overdue and due today, and how many penalties wait."""

    open: int
    overdue: int
    today: int
    proposed: int
    confirmed: int


def counts(session: Session, seen: Scope, *, now: dt.datetime, midnight: dt.datetime) -> Counts:
    """The figures of the home page. `midnight` is the end of the local day, as an instant."""
    ended = (*ENDS, Status.closed, Status.recorded)
    open_ = sa.select(sa.func.count(Complaint.id)).where(
        Complaint.history.is_(False), Complaint.status.not_in(ended)
    )
    money = sa.select(sa.func.count(Penalty.id))

    def count(statement: sa.Select[Any]) -> int:
        return session.scalar(statement) or 0

    return Counts(
        open=count(seen.narrowed(open_)),
        overdue=count(seen.narrowed(open_.where(Complaint.due_at <= now))),
        today=count(seen.narrowed(open_.where(Complaint.due_at.between(now, midnight)))),
        proposed=count(money.where(Penalty.status == PenaltyStatus.proposed)),
        confirmed=count(money.where(Penalty.status == PenaltyStatus.confirmed)),
    )


# ---------------------------------------------------------------- the page of a case


@dataclass(frozen=True, slots=True)
class CasePage:
    """All that the page of a case shows."""

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
    """The page of a case for a user. Raises NotFound for a case he does not see."""
    complaint = find(session, number, seen=seen)
    pack, _ = journal.rules_of(session, complaint)
    facts = record.facts_of(session, complaint)
    policy_id = complaint.policy_version.policy_id
    by = actors.as_of(session, actors.of_user(user), policy_id=policy_id, on=on)
    deeds = offered(facts, by, pack) if user.role is not Role.auditor else ()
    real = actors.meanings(session, policy_id=policy_id, on=on)
    departments = {d.id: d for d in session.scalars(sa.select(Department))}
    history = journal_of(session, complaint)
    return CasePage(
        complaint=complaint,
        facts=facts,
        pack=pack,
        deeds=deeds,
        history=history,
        people=people_of(session, _named(facts, history, pack)),
        departments={key: departments[id_] for key, id_ in real.items()},
        by=by,
    )


def find(session: Session, number: str, *, seen: Scope) -> Complaint:
    """A case with its rows, when the user sees it. Raises NotFound."""
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
    """What happened to a case, newest first, with who did it."""
    return list(
        session.scalars(
            sa.select(Journal)
            .where(Journal.complaint_id == complaint.id)
            .options(joinedload(Journal.employee), joinedload(Journal.user))
            .order_by(Journal.seq.desc())
        )
    )


def people_of(session: Session, numbers: Iterable[str | None]) -> Mapping[str, Employee]:
    """The employees of some numbers, by number."""
    wanted = {number for number in numbers if number}
    rows = session.scalars(sa.select(Employee).where(Employee.number.in_(sorted(wanted))))
    return {row.number: row for row in rows}


def _named(facts: CaseFacts, history: list[Journal], pack: Pack) -> set[str | None]:
    """The number of everybody a case names."""
    named = {who for duty in facts.duties for who in (duty.responsible, duty.handler)}
    named |= {clock.responsible for clock in facts.clocks}
    named |= {charge.employee for charge in facts.charges}
    named |= {call.caller for call in facts.calls}
    named |= {name.employee for name in facts.signatures}
    named |= {facts.first_asked, *facts.concerned}
    for row in history:
        named |= {row.data.get(key) for key in ("handler", "employee", "first_asked")}
        for key in ("concerned", "members", "together"):
            named |= set(row.data.get(key, ()))
    for one in facts.filed:
        named |= {one.employee, one.data.get("employee")}
        for key in ("concerned", "members", "recused"):
            named |= set(one.data.get(key, ()))
        named |= set(_staff(pack.find("form", one.key), one.data))
    named |= set(_staff(pack, facts.extra))
    return {who for who in named if isinstance(who, str)}


def _staff(declares: Any, data: Mapping[str, Any]) -> list[Any]:
    """The employees that fields of a form, or of the regulation itself, name."""
    fields = () if declares is None else getattr(declares, "fields", None) or declares.field
    return [data.get(one.key) for one in fields if one.shape == "employee"]
