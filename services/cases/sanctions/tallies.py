"""What one case counts in others: complaints of a person's year, pay taken once a month.

The places of a year are those in which complaints were found valid about a person, each since it
has been so without a break. What changes in one case is counted anew in the others by an event of
their own journals, in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from models import Complaint, Employee, FormEntry, Penalty, PolicyVersion
from policy.engine.penalties import kinds_counted
from policy.engine.sanctions.tallies import counts_over_years, takes_pay
from policy.pack.schema import Pack
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import PenaltyStatus, Sign, Status
from services.calendar import working_calendar

Element = tuple[str, str, str]
"""An employee number, a month ("2026-10") and the key of an element of pay."""
Said = dict[str, Any]
"""The fields of an event that counts a case anew."""
DECIDED = (PenaltyStatus.confirmed, PenaltyStatus.notified)
_COUNTED = ("valid", "struck", "concerned", "kind", "received_at", "finding")


# ---------------------------------------------------------------- complaints of a year


def verified_before(
    session: Session, complaint: Complaint, concerned: Collection[str], *, pack: Pack
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return how many valid complaints of the year each employee had before this one.

    The second part says it for each rule that counts other kinds of cases than all.
    """
    if not concerned:
        return {}, {}
    if not counts_over_years(pack):
        return _all_others(session, complaint, concerned), {}
    return _places(session, complaint, concerned, pack=pack)


def _all_others(
    session: Session, complaint: Complaint, concerned: Collection[str]
) -> dict[str, int]:
    rows = _valid_of_year(session, complaint, complaint.received_at)
    counted = [number for row in rows if row.id != complaint.id for number in row.concerned]
    return {who: counted.count(who) for who in concerned}


def _valid_of_year(
    session: Session, complaint: Complaint, received_at: dt.datetime
) -> list[Complaint]:
    """Return the valid complaints of a regulation received in the calendar year of an instant.

    The year is that of the company's zone. Cases struck by an appeal, and cases withdrawn because
    they were registered by mistake, do not count.
    """
    calendar = working_calendar.work_calendar(session)
    year = calendar.local(received_at).year
    first, after = calendar.span(dt.date(year, 1, 1), dt.date(year, 12, 31))
    rows = session.scalars(
        sa.select(Complaint)
        .join(Complaint.policy_version)
        .where(Complaint.valid.is_(True), Complaint.struck.is_(False))
        .where(Complaint.status != Status.withdrawn)
        .where(Complaint.received_at >= first, Complaint.received_at < after)
        .where(PolicyVersion.policy_id == complaint.policy_version.policy_id)
    )
    return list(rows)


def _places(
    session: Session, complaint: Complaint, people: Collection[str], *, pack: Pack
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return, for each employee, the counted complaints that were found before this one."""
    rows = [
        row
        for row in _valid_of_year(session, complaint, complaint.received_at)
        if set(people) & set(row.concerned)
    ]
    since = _found_since(session, rows)
    before = {
        who: [row.kind for row in rows if _is_before(row, complaint, who, since=since)]
        for who in people
    }
    by_rule = {
        entry.key: {
            who: sum(kind in kinds_counted(entry, pack) for kind in kinds)
            for who, kinds in before.items()
        }
        for entry in pack.penalties_by_event.get("verified", ())
        if entry.from_count
    }
    first = next(iter(by_rule.values()))
    return first, {rule: counts for rule, counts in by_rule.items() if counts != first}


Since = Mapping[tuple[int, str], dt.datetime]
"""Since when each case has been valid about each employee, by the case's id."""


def _found_since(session: Session, rows: Iterable[Complaint]) -> Since:
    """Return since when, without a break, each case was found valid about each employee."""
    entries = session.execute(
        sa.select(FormEntry.complaint_id, FormEntry.filled_at, FormEntry.data)
        .where(FormEntry.section == "finding")
        .where(FormEntry.complaint_id.in_([row.id for row in rows]))
        .order_by(FormEntry.complaint_id, FormEntry.position)
    )
    found: dict[tuple[int, str], dt.datetime] = {}
    for case, at, data in entries:
        about = set(data["concerned"]) if data.get("valid") else set()
        for key in [key for key in found if key[0] == case and key[1] not in about]:
            del found[key]
        for who in about:
            found.setdefault((case, who), at)
    return found


def _is_before(row: Complaint, complaint: Complaint, who: str, *, since: Since) -> bool:
    """Whether a case was found valid about an employee before another one."""
    theirs, ours = since.get((row.id, who)), since.get((complaint.id, who))
    if row.id == complaint.id or theirs is None or who not in row.concerned:
        return False
    return ours is None or (theirs, row.id) < (ours, complaint.id)


# ---------------------------------------------------------------- elements of pay


def elements_taken(
    session: Session,
    complaint: Complaint,
    named: Iterable[str | None],
    *,
    pack: Pack,
    since: dt.datetime,
) -> tuple[str, ...]:
    """Return the elements of pay that other cases took: "1001/2026-10/key".

    An element is taken once per employee and month, that of the event or of the decision. The
    record is read only where the regulation has such elements, and only for employees the case
    involves.
    """
    if not any(sanction.element for sanction in pack.sanction):
        return ()
    people = {*named, *people_of(complaint)} - {None}
    rows = _charges_of(session, people, since=since - dt.timedelta(days=31))
    kept = takes_pay(pack)
    return tuple(
        f"{row.employee.number}/{month}/{key}"
        for row in rows
        if row.complaint_id != complaint.id and not (kept and _is_given_back(row, rows))
        for key, month in _took(row).items()
    )


def people_of(complaint: Complaint) -> set[str | None]:
    """Return the numbers of the employees who have a part in a case."""
    parts = [who for one in complaint.assignments for who in (one.responsible, one.handler) if who]
    return {complaint.first_asked, *complaint.concerned, *(who.number for who in parts)}


def _charges_of(
    session: Session, people: Collection[str | None], *, since: dt.datetime
) -> list[Penalty]:
    """Return the penalties and reversals of some employees that stand, since an instant."""
    gone = (PenaltyStatus.waived, PenaltyStatus.lapsed)
    rows = session.scalars(
        sa.select(Penalty)
        .join(Penalty.employee)
        .options(contains_eager(Penalty.employee))
        .where(Penalty.proposed_at >= since, Employee.number.in_(people))
        .where(sa.or_(Penalty.status.not_in(gone), Penalty.sign == Sign.charge))
        .order_by(Penalty.id)
    )
    return list(rows)


def _took(row: Penalty) -> Mapping[str, str]:
    """Return the elements a charge takes while it stands."""
    gone = row.sign is not Sign.charge or row.status in (PenaltyStatus.waived, PenaltyStatus.lapsed)
    return {} if gone else dict(row.because.get("elements", {}))


def _is_given_back(row: Penalty, rows: Iterable[Penalty]) -> bool:
    identity = (row.complaint_id, row.rule, row.employee_id, row.occasion)
    return any(
        (r.complaint_id, r.rule, r.employee_id, r.occasion) == identity
        and r.sign is Sign.reversal
        and r.status not in (PenaltyStatus.waived, PenaltyStatus.lapsed)
        for r in rows
    )


# ---------------------------------------------------------------- other cases, counted anew


def affected(
    session: Session, complaint: Complaint, *, before: CaseFacts, after: CaseFacts, pack: Pack
) -> list[Complaint]:
    """Return the cases whose counts or pay a change of this one may change, this one first."""
    people = _people_recounted(before, after) if counts_over_years(pack) else set()
    elements = _moved_elements(before, after) if takes_pay(pack) else set()
    found: dict[int, Complaint] = {}
    days = (at for at in {before.received_at, after.received_at} if at and people)
    for received_at in days:
        for row in _valid_of_year(session, complaint, received_at):
            if people & set(row.concerned):
                found[row.id] = row
    if elements:
        found |= {row.complaint_id: row.complaint for row in _rows_wanting(session, elements)}
    mine = [found.pop(complaint.id)] if complaint.id in found else []
    return [*mine, *(found[id_] for id_ in sorted(found))]


def _people_recounted(before: CaseFacts, after: CaseFacts) -> set[str]:
    """Return the employees whose year a change may count otherwise."""
    gone = [facts.status is Status.withdrawn for facts in (before, after)]
    same = all(getattr(before, name) == getattr(after, name) for name in _COUNTED)
    return set() if same and gone[0] == gone[1] else {*before.concerned, *after.concerned}


def _moved_elements(before: CaseFacts, after: CaseFacts) -> set[Element]:
    return _elements_held(before) ^ _elements_held(after)


def _elements_held(facts: CaseFacts) -> set[Element]:
    back = {c.identity[:3] for c in facts.penalties if c.sign is Sign.reversal and c.stands}
    return {
        (c.employee, month, key)
        for c in facts.penalties
        if c.sign is Sign.charge and c.stands and c.identity[:3] not in back
        for key, month in c.because.get("elements", {}).items()
    }


def _rows_wanting(session: Session, elements: Collection[Element]) -> Iterator[Penalty]:
    """Yield the charges that take one of these elements of pay, or wait for it."""
    first = dt.datetime.fromisoformat(f"{min(month for _, month, _ in elements)}-01")
    since = first.replace(tzinfo=dt.UTC) - dt.timedelta(days=31)
    for row in _charges_of(session, {who for who, _, _ in elements}, since=since):
        said = {**row.because.get("elements", {}), **row.because.get("waits", {})}
        if {(row.employee.number, month, key) for key, month in said.items()} & set(elements):
            yield row


def said_of(
    session: Session, complaint: Complaint, *, source: Complaint, facts: CaseFacts, pack: Pack
) -> Said:
    """Return what an event says that counts a case anew after a change in `source`."""
    said: Said = {"source": source.number}
    if counts_over_years(pack) and facts.valid and facts.concerned:
        said["earlier"], said["earlier_by_rule"] = _places(
            session, complaint, facts.concerned, pack=pack
        )
    if takes_pay(pack):
        said["taken"] = _taken_from(session, complaint, source=source, facts=facts)
    return said


def _taken_from(
    session: Session, complaint: Complaint, *, source: Complaint, facts: CaseFacts
) -> tuple[str, ...]:
    """Return the elements of pay that others take before this case.

    What is decided goes before what is proposed, and the case that changed before the others.
    """
    wanted: dict[str, set[Element]] = defaultdict(set)
    for c in facts.penalties:
        for name in ("elements", "waits"):
            wanted[name] |= {(c.employee, m, k) for k, m in c.because.get(name, {}).items()}
    everything = wanted["elements"] | wanted["waits"]
    if not everything:
        return ()
    held = _elements_held(facts)
    rows = list(_rows_wanting(session, everything))
    theirs = [r for r in rows if r.complaint_id != complaint.id and not _is_given_back(r, rows)]
    found = {
        (row.employee.number, month, key)
        for row in theirs
        for key, month in _took(row).items()
        if row.status in DECIDED
        or row.complaint_id == source.id
        or (row.employee.number, month, key) not in held
    }
    return tuple(sorted("/".join(one) for one in found))
