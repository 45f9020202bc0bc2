"""The rows of a case and the engine's facts of it; the one module that knows both.

`facts_of` reads rows, `write` writes them, and folding the journal must give the facts that the
rows give. A correction also removes the rows of the steps it removed, because the journal keeps the
original entry; deadlines, breaches and penalties are never removed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
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
    {
        "assignments",
        "deadlines",
        "penalties",
        "callbacks",
        "signoffs",
        "extensions",
        "tallies",
        "entries",
    }
)
COLUMN_FACTS = tuple(f.name for f in fields(CaseFacts) if f.name not in _LISTS)

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
    """Return the facts of a case, from its rows."""
    return facts_of_many(session, [complaint])[0]


def facts_of_many(session: Session, complaints: Sequence[Complaint]) -> list[CaseFacts]:
    """Return the facts of several cases; one statement beyond those that loaded them."""
    numbers = _numbers(session, complaints)
    return [_facts(complaint, numbers) for complaint in complaints]


def _facts(complaint: Complaint, numbers: Mapping[int | None, str | None]) -> CaseFacts:
    return CaseFacts(
        **{name: _frozen(getattr(complaint, name)) for name in COLUMN_FACTS},
        assignments=tuple(_assignment(row, numbers) for row in complaint.assignments),
        deadlines=tuple(_deadline(row, numbers) for row in complaint.deadlines),
        penalties=tuple(_penalty(row, numbers) for row in complaint.penalties),
        callbacks=tuple(_callback(row, numbers) for row in complaint.callbacks),
        signoffs=tuple(_signoff(row, numbers) for row in complaint.signoffs),
        extensions=tuple(
            ExtensionFacts(w.round, w.asked_at, w.until, w.reason, w.granted, w.decided_at)
            for w in complaint.extensions
        ),
        tallies=tuple(TallyFacts(t.counter, t.department_key, t.at) for t in complaint.tallies),
        entries=tuple(_entry(row, numbers) for row in complaint.entries),
    )


def has_case(complaint: Complaint) -> dict[str, int]:
    """Return the department that has the case, with the company's one it was handed to; or
    nothing.
    """
    last = complaint.assignments[-1] if complaint.assignments else None
    if last is None or last.returned_at is not None:
        return {}
    return {last.department_key: last.department_id}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _entry(row: FormEntry, numbers: Mapping[int | None, str | None]) -> FormEntryFacts:
    assert row.round is not None
    who = numbers[row.employee_id]
    return FormEntryFacts(row.section, row.form, row.round, row.filled_at, who, row.data)


def _numbers(session: Session, complaints: Iterable[Complaint]) -> Mapping[int | None, str | None]:
    """Return the numbers, by id, of every employee the rows of these cases name."""
    ids: set[int | None] = set()
    for complaint in complaints:
        ids |= {assignment.responsible_id for assignment in complaint.assignments}
        ids |= {assignment.handler_id for assignment in complaint.assignments}
        ids |= {deadline.responsible_id for deadline in complaint.deadlines}
        ids |= {penalty.employee_id for penalty in complaint.penalties}
        ids |= {signoff.employee_id for signoff in complaint.signoffs}
        ids |= {call.caller_id for call in complaint.callbacks}
        ids |= {entry.employee_id for entry in complaint.entries}
    if not ids - {None}:
        return {None: None}
    rows = sa.select(Employee.id, Employee.number).where(Employee.id.in_(ids - {None}))
    return {None: None, **dict(session.execute(rows).all())}


def _assignment(row: Assignment, numbers: Mapping[int | None, str | None]) -> AssignmentFacts:
    return AssignmentFacts(
        row.department_key,
        row.round,
        row.dispatched_at,
        numbers[row.responsible_id],
        numbers[row.handler_id],
        row.returned_at,
    )


def _deadline(row: Deadline, numbers: Mapping[int | None, str | None]) -> DeadlineFacts:
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


def _penalty(row: Penalty, numbers: Mapping[int | None, str | None]) -> PenaltyFacts:
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


_CALLBACK = tuple(f.name for f in fields(CallbackFacts) if f.name != "caller")


def _callback(row: Callback, numbers: Mapping[int | None, str | None]) -> CallbackFacts:
    return CallbackFacts(
        caller=numbers[row.caller_id] or "", **{n: getattr(row, n) for n in _CALLBACK}
    )


def _signoff(row: Signoff, numbers: Mapping[int | None, str | None]) -> SignoffFacts:
    number = numbers[row.employee_id] or ""
    return SignoffFacts(row.event, row.round, row.post, number, row.at, row.as_deputy)


# ---------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class RowLookups:
    """Look-ups the rows need and the facts lack: department ids, labels, clauses, wage months."""

    departments: Mapping[str, int]
    label: Callable[[str], str]
    cite: Callable[[str], str]
    month: Callable[[dt.datetime], str]


def write(
    session: Session, complaint: Complaint, after: CaseFacts, *, seq: int, places: RowLookups
) -> None:
    """Write the facts of a case into its rows. Flushes nothing, commits nothing.

    Raises NotFound for an unknown employee number and DepartmentUnmapped for a department the
    company does not have; no row is touched then.
    """
    ids = _ids(session, after)
    _refuse_unmapped(complaint, after, places)
    for name in COLUMN_FACTS:
        setattr(complaint, name, _to_json(getattr(after, name)))
    complaint.due_at, complaint.due_provisional = after.due_at, after.due_provisional
    _set_reference(complaint, "handler_id", ids[after.handler])
    _set_reference(complaint, "responsible_id", ids[after.responsible])
    _assignments(complaint, after.assignments, ids, places=places)
    holds = complaint.assignments[-1].department_id if after.department else None
    _set_reference(complaint, "department_id", holds)
    _align_rows(complaint.callbacks, after.callbacks, Callback, columns=_of_callback, ids=ids)
    _align_rows(complaint.signoffs, after.signoffs, Signoff, columns=_of_signoff, ids=ids)
    _align_rows(complaint.extensions, after.extensions, Extension, columns=_of_extension, ids=ids)
    _tallies(complaint, after.tallies, places)
    _entries(complaint, after.entries, ids)
    _deadlines(complaint, after.deadlines, ids, seq=seq)
    _penalties(complaint, after.penalties, ids, places=places)


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _ids(session: Session, after: CaseFacts) -> Mapping[str | None, int | None]:
    """Return the ids, by number, of every employee the facts name. Raises NotFound for an unknown
    one.
    """
    named = {
        who
        for assignment in after.assignments
        for who in (assignment.responsible, assignment.handler)
    }
    named |= {deadline.responsible for deadline in after.deadlines}
    named |= {penalty.employee for penalty in after.penalties}
    named |= {name.employee for name in after.signoffs}
    named |= {call.caller for call in after.callbacks}
    named |= {filed.employee for filed in after.entries}
    rows = sa.select(Employee.number, Employee.id).where(Employee.number.in_(named - {None}))
    found: dict[str | None, int | None] = {None: None}
    if not named - {None}:
        return found
    found.update(session.execute(rows).all())
    for stranger in sorted(who for who in named if who not in found and who):
        raise NotFound(what="employee", key=stranger)
    return found


def _refuse_unmapped(complaint: Complaint, after: CaseFacts, places: RowLookups) -> None:
    """Refuse to hand a case to a department that means none of the company; one that has it
    keeps it.
    """
    placed = [row.department_key for row in complaint.assignments]
    for place, assignment in enumerate(after.assignments):
        if assignment.department in placed[place : place + 1]:
            continue
        if assignment.department not in places.departments:
            raise DepartmentUnmapped(
                field="department", department=places.label(assignment.department)
            )


def _set_reference(row: Any, name: str, to: int | None) -> None:
    """Set a foreign key and expire the related row that was loaded from the old one."""
    if getattr(row, name) == to:
        return
    setattr(row, name, to)
    state = sa.inspect(row)
    if state.session is not None and state.persistent:
        state.session.expire(row, [name.removesuffix("_id")])


def _align_rows(
    rows: list[Any],
    wanted: Iterable[Any],
    table: Callable[..., Any],
    *,
    columns: Callable[[Any, Mapping[str | None, int | None]], dict[str, Any]],
    ids: Mapping[str | None, int | None],
) -> None:
    """Make the rows equal to the facts one to one, in their order; surplus rows are deleted."""
    place = -1
    for place, one in enumerate(wanted):
        values = columns(one, ids)
        if place < len(rows):
            for name, value in values.items():
                say = _set_reference if name.endswith("_id") else setattr
                say(rows[place], name, value)
        else:
            rows.append(table(position=place, **values))
    del rows[place + 1 :]


def _of_callback(call: CallbackFacts, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
    return {n: getattr(call, n) for n in _CALLBACK} | {"caller_id": ids[call.caller]}


def _of_signoff(name: SignoffFacts, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
    return {
        "event": name.event,
        "round": name.round,
        "post": name.post,
        "as_deputy": name.as_deputy,
        "employee_id": ids[name.employee],
        "at": name.at,
    }


def _of_extension(
    extension: ExtensionFacts, ids: Mapping[str | None, int | None]
) -> dict[str, Any]:
    return {f.name: getattr(extension, f.name) for f in fields(ExtensionFacts)}


def _assignments(
    complaint: Complaint,
    assignments: Iterable[AssignmentFacts],
    ids: Mapping[str | None, int | None],
    *,
    places: RowLookups,
) -> None:
    def columns(
        assignment: AssignmentFacts, ids: Mapping[str | None, int | None]
    ) -> dict[str, Any]:
        return {
            "round": assignment.round,
            "responsible_id": ids[assignment.responsible],
            "handler_id": ids[assignment.handler],
            "dispatched_at": assignment.dispatched_at,
            "returned_at": assignment.returned_at,
        }

    assignments = tuple(assignments)
    _align_rows(complaint.assignments, assignments, Assignment, columns=columns, ids=ids)
    _set_departments(
        complaint.assignments, [assignment.department for assignment in assignments], places
    )


def _set_departments(rows: Iterable[Any], keys: Iterable[str | None], places: RowLookups) -> None:
    """Set the company's department of each row; one already set is as of its own time and stays."""
    for row, key in zip(rows, keys, strict=True):
        if row.department_key != key or row.department_id is None:
            row.department_key = key
            _set_reference(row, "department_id", places.departments.get(key or ""))


def _tallies(complaint: Complaint, counts: Iterable[TallyFacts], places: RowLookups) -> None:
    def columns(count: TallyFacts, _ids: object) -> dict[str, Any]:
        return {"counter": count.counter, "at": count.at}

    counts = tuple(counts)
    _align_rows(complaint.tallies, counts, Tally, columns=columns, ids={})
    _set_departments(complaint.tallies, [count.department for count in counts], places)


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

    _align_rows(complaint.entries, filed, FormEntry, columns=columns, ids=ids)
    for row in complaint.entries:
        # An entry keeps the version it was filed under when the case moves to another.
        row.policy_version_id = row.policy_version_id or complaint.policy_version.id


def _deadlines(
    complaint: Complaint,
    deadlines: Iterable[DeadlineFacts],
    ids: Mapping[str | None, int | None],
    *,
    seq: int,
) -> None:
    rows = {(row.key, row.round): row for row in complaint.deadlines}
    for deadline in deadlines:
        row = rows.get((deadline.key, deadline.round))
        if row is None:
            row = Deadline(key=deadline.key, round=deadline.round, revisions=[], breaches=[])
            complaint.deadlines.append(row)
        for name in ("state", "starts_at", "opens_at", "due_at", "review_at", "met_at"):
            setattr(row, name, getattr(deadline, name))
        row.provisional = deadline.provisional
        row.because = dict(deadline.because)
        _set_reference(row, "responsible_id", ids[deadline.responsible])
        _revisions(row, deadline, seq)
        _breaches(row, deadline)


def _revisions(row: Deadline, deadline: DeadlineFacts, seq: int) -> None:
    for revision in deadline.revisions[len(row.revisions) :]:
        row.revisions.append(
            DeadlineRevision(
                due_before=revision.due_before,
                due_after=revision.due_after,
                reason=revision.reason,
                journal_seq=seq,
                at=revision.at,
            )
        )


def _breaches(row: Deadline, deadline: DeadlineFacts) -> None:
    for place, breach in enumerate(deadline.breaches):
        if place == len(row.breaches):
            row.breaches.append(
                Breach(level=1, breached_at=breach.breached_at, found_at=breach.found_at)
            )
        row.breaches[place].lifted_at = breach.lifted_at
        row.breaches[place].lifted_because = breach.lifted_because


def _penalties(
    complaint: Complaint,
    penalties: Iterable[PenaltyFacts],
    ids: Mapping[str | None, int | None],
    *,
    places: RowLookups,
) -> None:
    rows = {(row.rule, row.employee_id, row.occasion, row.sign): row for row in complaint.penalties}
    for penalty in penalties:
        employee_id = ids[penalty.employee]
        assert employee_id is not None
        row = rows.get((penalty.rule, employee_id, penalty.occasion, penalty.sign))
        if row is None:
            row = Penalty(
                rule=penalty.rule,
                cite=places.cite(penalty.rule),
                occasion=penalty.occasion,
                sign=penalty.sign,
                employee_id=employee_id,
            )
            complaint.penalties.append(row)
        row.amount = penalty.amount
        row.sanctions = list(penalty.sanctions)
        row.because = dict(penalty.because)
        row.proposed_at = penalty.at
        row.status = penalty.status
        row.confirmed_at = penalty.confirmed_at
        row.notified_at = penalty.notified_at
        if penalty.counts_at != row.counts_at:
            row.month = places.month(penalty.counts_at) if penalty.counts_at else None
        row.counts_at = penalty.counts_at


# ---------------------------------------------------------------- rows of an older version


def tells_less(kept: Any, told: Any) -> bool:
    """Whether what is kept is what is told, but for what an older version did not write down.

    Nothing that is kept may say otherwise: it is missing, or it is the same.
    """
    if kept is None or kept == told:
        return True
    if isinstance(kept, Mapping) and isinstance(told, Mapping):
        return all(name in told and tells_less(kept[name], told[name]) for name in kept)
    if isinstance(kept, list | tuple) and isinstance(told, list | tuple):
        rest = iter(told)
        return all(any(tells_less(one, other) for other in rest) for one in kept)
    if is_dataclass(kept) and type(kept) is type(told):
        return all(
            tells_less(getattr(kept, one.name), getattr(told, one.name)) for one in fields(kept)
        )
    return False


def decided(facts: CaseFacts) -> tuple[Any, ...]:
    """Return what of a case people act and pay by: its status, its terms and its penalties."""
    terms = [(one.key, one.round, one.state, one.due_at, one.met_at) for one in facts.deadlines]
    sums = [
        (one.rule, one.employee, one.sign, one.amount, one.status, one.counts_at)
        for one in facts.penalties
    ]
    return facts.status, facts.department, facts.due_at, terms, sums
