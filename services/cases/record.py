"""A case between its rows and the engine's picture of it; the one place that knows both.

`facts_of` reads, `write` writes, and a folded journal must give the same picture as the rows.
Steps a correction took out leave their rows too: the journal keeps what was first written.
Clocks, breaches and penalties are never taken out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from models import (
    Assignment,
    Breach,
    Callback,
    Complaint,
    Deadline,
    DeadlineRevision,
    Employee,
    Extension,
    FormEntry,
    Penalty,
    Signoff,
    Tally,
)
from policy.vocabulary.errors import DepartmentUnmapped, NotFound
from policy.vocabulary.facts import (
    AssignmentFacts,
    BreachFacts,
    CallbackFacts,
    CaseFacts,
    DeadlineFacts,
    ExtensionFacts,
    FormEntryFacts,
    PenaltyFacts,
    Revision,
    SignoffFacts,
    TallyFacts,
)

_LISTS = frozenset(
    {"duties", "clocks", "charges", "calls", "signatures", "wishes", "counts", "filed"}
)
PLAIN = tuple(f.name for f in fields(CaseFacts) if f.name not in _LISTS)

WITH_ALL = (
    selectinload(Complaint.assignments),
    selectinload(Complaint.deadlines).selectinload(Deadline.revisions),
    selectinload(Complaint.deadlines).selectinload(Deadline.breaches),
    selectinload(Complaint.penalties),
    selectinload(Complaint.callbacks),
    selectinload(Complaint.signoffs),
    selectinload(Complaint.extensions),
    selectinload(Complaint.tallies),
    selectinload(Complaint.entries),
)


# ---------------------------------------------------------------- reading


def facts_of(session: Session, complaint: Complaint) -> CaseFacts:
    """The engine's picture of a case, from its rows."""
    return pictures(session, [complaint])[0]


def pictures(session: Session, complaints: Sequence[Complaint]) -> list[CaseFacts]:
    """The pictures of several cases; one statement beyond what was loaded with them."""
    numbers = _numbers(session, complaints)
    return [_picture(complaint, numbers) for complaint in complaints]


def _picture(complaint: Complaint, numbers: Mapping[int | None, str | None]) -> CaseFacts:
    return CaseFacts(
        **{name: _frozen(getattr(complaint, name)) for name in PLAIN},
        duties=tuple(_duty(row, numbers) for row in complaint.assignments),
        clocks=tuple(_clock(row, numbers) for row in complaint.deadlines),
        charges=tuple(_charge(row, numbers) for row in complaint.penalties),
        calls=tuple(_call(row, numbers) for row in complaint.callbacks),
        signatures=tuple(_signature(row, numbers) for row in complaint.signoffs),
        wishes=tuple(
            ExtensionFacts(w.round, w.asked_at, w.until, w.reason, w.granted, w.decided_at)
            for w in complaint.extensions
        ),
        counts=tuple(TallyFacts(t.counter, t.department_key, t.at) for t in complaint.tallies),
        filed=tuple(_filed(row, numbers) for row in complaint.entries),
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _filed(row: FormEntry, numbers: Mapping[int | None, str | None]) -> FormEntryFacts:
    assert row.round is not None
    who = numbers[row.employee_id]
    return FormEntryFacts(row.section, row.form, row.round, row.filled_at, who, row.data)


def _numbers(session: Session, complaints: Iterable[Complaint]) -> Mapping[int | None, str | None]:
    """Employee numbers by id, of everybody the rows of these cases name."""
    ids: set[int | None] = set()
    for complaint in complaints:
        ids |= {duty.responsible_id for duty in complaint.assignments}
        ids |= {duty.handler_id for duty in complaint.assignments}
        ids |= {deadline.responsible_id for deadline in complaint.deadlines}
        ids |= {penalty.employee_id for penalty in complaint.penalties}
        ids |= {signoff.employee_id for signoff in complaint.signoffs}
        ids |= {call.caller_id for call in complaint.callbacks}
        ids |= {entry.employee_id for entry in complaint.entries}
    if not ids - {None}:
        return {None: None}
    rows = sa.select(Employee.id, Employee.number).where(Employee.id.in_(ids - {None}))
    return {None: None, **dict(session.execute(rows).all())}


def _duty(row: Assignment, numbers: Mapping[int | None, str | None]) -> AssignmentFacts:
    return AssignmentFacts(
        row.department_key,
        row.round,
        row.dispatched_at,
        numbers[row.responsible_id],
        numbers[row.handler_id],
        row.returned_at,
    )


def _clock(row: Deadline, numbers: Mapping[int | None, str | None]) -> DeadlineFacts:
    return DeadlineFacts(
        key=row.key,
        round=row.round,
        state=row.state,
        starts_at=row.starts_at,
        due_at=row.due_at,
        because=row.because,
        opens_at=row.opens_at,
        review_at=row.review_at,
        provisional=row.provisional,
        met_at=row.met_at,
        responsible=numbers[row.responsible_id],
        revisions=tuple(Revision(r.at, r.due_before, r.due_after, r.reason) for r in row.revisions),
        breaches=tuple(
            BreachFacts(b.breached_at, b.found_at, b.lifted_at, b.lifted_because)
            for b in row.breaches
        ),
    )


def _charge(row: Penalty, numbers: Mapping[int | None, str | None]) -> PenaltyFacts:
    return PenaltyFacts(
        rule=row.rule,
        employee=numbers[row.employee_id] or "",
        occasion=row.occasion,
        amount=row.amount,
        at=row.proposed_at,
        because=row.because,
        sanctions=tuple(row.sanctions),
        sign=row.sign,
        status=row.status,
        confirmed_at=row.confirmed_at,
        notified_at=row.notified_at,
        counts_at=row.counts_at,
    )


_CALL = tuple(f.name for f in fields(CallbackFacts) if f.name != "caller")


def _call(row: Callback, numbers: Mapping[int | None, str | None]) -> CallbackFacts:
    return CallbackFacts(caller=numbers[row.caller_id] or "", **{n: getattr(row, n) for n in _CALL})


def _signature(row: Signoff, numbers: Mapping[int | None, str | None]) -> SignoffFacts:
    number = numbers[row.employee_id] or ""
    return SignoffFacts(row.event, row.round, row.post, number, row.at, row.as_deputy)


# ---------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class Places:
    """What the rows need and the picture does not say: ids, labels, clauses, wage months."""

    departments: Mapping[str, int]
    label: Callable[[str], str]
    cite: Callable[[str], str]
    month: Callable[[dt.datetime], str]


def write(
    session: Session, complaint: Complaint, after: CaseFacts, *, seq: int, places: Places
) -> None:
    """Make the rows say what the picture says. Flushes nothing, commits nothing.

    Raises NotFound for an employee and DepartmentUnmapped for a department the company does not
    have; no row is touched then.
    """
    ids = _ids(session, after)
    _known(after, places)
    for name in PLAIN:
        setattr(complaint, name, _thawed(getattr(after, name)))
    complaint.due_at, complaint.due_provisional = after.due_at, after.due_provisional
    _point(complaint, "handler_id", ids[after.handler])
    _point(complaint, "responsible_id", ids[after.responsible])
    _point(complaint, "department_id", places.departments.get(after.department or ""))
    _assignments(complaint, after.duties, ids, places)
    _positioned(complaint.callbacks, after.calls, Callback, _of_call, ids)
    _positioned(complaint.signoffs, after.signatures, Signoff, _of_signature, ids)
    _positioned(complaint.extensions, after.wishes, Extension, _of_wish, ids)
    _tallies(complaint, after.counts, places)
    _entries(complaint, after.filed, ids)
    _deadlines(complaint, after.clocks, ids, seq)
    _penalties(complaint, after.charges, ids, places)


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _ids(session: Session, after: CaseFacts) -> Mapping[str | None, int | None]:
    """Ids by employee number, of everybody the picture names. Raises NotFound for a stranger."""
    named = {who for duty in after.duties for who in (duty.responsible, duty.handler)}
    named |= {clock.responsible for clock in after.clocks}
    named |= {charge.employee for charge in after.charges}
    named |= {name.employee for name in after.signatures}
    named |= {call.caller for call in after.calls}
    named |= {filed.employee for filed in after.filed}
    rows = sa.select(Employee.number, Employee.id).where(Employee.number.in_(named - {None}))
    found: dict[str | None, int | None] = {None: None}
    if not named - {None}:
        return found
    found.update(session.execute(rows).all())
    for stranger in sorted(who for who in named if who not in found and who):
        raise NotFound(what="employee", key=stranger)
    return found


def _known(after: CaseFacts, places: Places) -> None:
    for duty in after.duties:
        if duty.department not in places.departments:
            raise DepartmentUnmapped(field="department", department=places.label(duty.department))


def _point(row: Any, name: str, to: int | None) -> None:
    """Let a row point to another one; what was loaded from where it pointed is forgotten."""
    if getattr(row, name) == to:
        return
    setattr(row, name, to)
    state = sa.inspect(row)
    if state.session is not None and state.persistent:
        state.session.expire(row, [name.removesuffix("_id")])


def _positioned(
    rows: list[Any],
    wanted: Iterable[Any],
    table: Callable[..., Any],
    columns: Callable[[Any, Mapping[str | None, int | None]], dict[str, Any]],
    ids: Mapping[str | None, int | None],
) -> None:
    """Rows one to one with the picture's list, in its order."""
    place = -1
    for place, one in enumerate(wanted):
        values = columns(one, ids)
        if place < len(rows):
            for name, value in values.items():
                say = _point if name.endswith("_id") else setattr
                say(rows[place], name, value)
        else:
            rows.append(table(position=place, **values))
    del rows[place + 1 :]


def _of_call(call: CallbackFacts, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
    return {n: getattr(call, n) for n in _CALL} | {"caller_id": ids[call.caller]}


def _of_signature(name: SignoffFacts, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
    return {
        "event": name.event,
        "round": name.round,
        "post": name.post,
        "as_deputy": name.as_deputy,
        "employee_id": ids[name.employee],
        "at": name.at,
    }


def _of_wish(wish: ExtensionFacts, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
    return {f.name: getattr(wish, f.name) for f in fields(ExtensionFacts)}


def _assignments(
    complaint: Complaint,
    duties: Iterable[AssignmentFacts],
    ids: Mapping[str | None, int | None],
    places: Places,
) -> None:
    def columns(duty: AssignmentFacts, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
        return {
            "round": duty.round,
            "responsible_id": ids[duty.responsible],
            "handler_id": ids[duty.handler],
            "dispatched_at": duty.dispatched_at,
            "returned_at": duty.returned_at,
        }

    duties = tuple(duties)
    _positioned(complaint.assignments, duties, Assignment, columns, ids)
    _settle(complaint.assignments, [duty.department for duty in duties], places)


def _settle(rows: Iterable[Any], keys: Iterable[str | None], places: Places) -> None:
    """Say which real department is meant. Where it stands already it is as of then, and stays."""
    for row, key in zip(rows, keys, strict=True):
        if row.department_key != key or row.department_id is None:
            row.department_key = key
            _point(row, "department_id", places.departments.get(key or ""))


def _tallies(complaint: Complaint, counts: Iterable[TallyFacts], places: Places) -> None:
    def columns(count: TallyFacts, _ids: object) -> dict[str, Any]:
        return {"counter": count.counter, "at": count.at}

    counts = tuple(counts)
    _positioned(complaint.tallies, counts, Tally, columns, {})
    _settle(complaint.tallies, [count.department for count in counts], places)


def _entries(
    complaint: Complaint, filed: Iterable[FormEntryFacts], ids: Mapping[str | None, int | None]
) -> None:
    def columns(one: FormEntryFacts, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
        return {
            "section": one.section,
            "form": one.key,
            "round": one.round,
            "filled_at": one.at,
            "employee_id": ids[one.employee],
            "data": dict(one.data),
        }

    _positioned(complaint.entries, filed, FormEntry, columns, ids)
    for row in complaint.entries:
        # What was filed under one version of the regulation stays so when the case moves on.
        row.policy_version_id = row.policy_version_id or complaint.policy_version.id


def _deadlines(
    complaint: Complaint,
    clocks: Iterable[DeadlineFacts],
    ids: Mapping[str | None, int | None],
    seq: int,
) -> None:
    rows = {(row.key, row.round): row for row in complaint.deadlines}
    for clock in clocks:
        row = rows.get((clock.key, clock.round))
        if row is None:
            row = Deadline(key=clock.key, round=clock.round, revisions=[], breaches=[])
            complaint.deadlines.append(row)
        for name in ("state", "starts_at", "opens_at", "due_at", "review_at", "met_at"):
            setattr(row, name, getattr(clock, name))
        row.provisional = clock.provisional
        row.because = dict(clock.because)
        _point(row, "responsible_id", ids[clock.responsible])
        _revisions(row, clock, seq)
        _breaches(row, clock)


def _revisions(row: Deadline, clock: DeadlineFacts, seq: int) -> None:
    for revision in clock.revisions[len(row.revisions) :]:
        row.revisions.append(
            DeadlineRevision(
                due_before=revision.due_before,
                due_after=revision.due_after,
                reason=revision.reason,
                journal_seq=seq,
                at=revision.at,
            )
        )


def _breaches(row: Deadline, clock: DeadlineFacts) -> None:
    for place, lapse in enumerate(clock.breaches):
        if place == len(row.breaches):
            row.breaches.append(
                Breach(level=1, breached_at=lapse.breached_at, found_at=lapse.found_at)
            )
        row.breaches[place].lifted_at = lapse.lifted_at
        row.breaches[place].lifted_because = lapse.lifted_because


def _penalties(
    complaint: Complaint,
    charges: Iterable[PenaltyFacts],
    ids: Mapping[str | None, int | None],
    places: Places,
) -> None:
    rows = {(row.rule, row.employee_id, row.occasion, row.sign): row for row in complaint.penalties}
    for charge in charges:
        employee_id = ids[charge.employee]
        assert employee_id is not None
        row = rows.get((charge.rule, employee_id, charge.occasion, charge.sign))
        if row is None:
            row = Penalty(
                rule=charge.rule,
                cite=places.cite(charge.rule),
                occasion=charge.occasion,
                sign=charge.sign,
                employee_id=employee_id,
            )
            complaint.penalties.append(row)
        row.amount = charge.amount
        row.sanctions = list(charge.sanctions)
        row.because = dict(charge.because)
        row.proposed_at = charge.at
        row.status = charge.status
        row.confirmed_at = charge.confirmed_at
        row.notified_at = charge.notified_at
        if charge.counts_at != row.counts_at:
            row.month = places.month(charge.counts_at) if charge.counts_at else None
        row.counts_at = charge.counts_at
