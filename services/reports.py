"""Reports, indicators and ledgers: what a regulation wants counted, drawn up and kept.

Everything here reads, but for `file_report`, which keeps what was drawn up for a period.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import (
    Breach,
    Callback,
    Complaint,
    Customer,
    Deadline,
    Department,
    FormEntry,
    NumberCounter,
    PolicyVersion,
    Tally,
)
from policy.duties import days_of, due_on, ended, uncovered
from policy.errors import ChoiceUnknown, Duplicate
from policy.facts import UNHAPPY
from policy.filing import checked_form
from policy.indicators import Figure, Summary, figure
from policy.lifecycle import CallOutcome, ClockState
from policy.numbering import period as series_period
from policy.numbering import render
from policy.pack import Pack
from policy.paperwork import IndicatorEntry, LedgerEntry, ReportEntry
from policy.worktime import WorkCalendar
from services import calendars, filing, policies
from services.actors import Actor

KEY_CUSTOMER = "key"
"""The tier of a customer whom the company looks after by itself."""
LONGEST_LEDGER = 5_000


# ---------------------------------------------------------------- indicators


def figures(
    session: Session, version: PolicyVersion, *, from_on: dt.date, until_on: dt.date
) -> list[tuple[IndicatorEntry, Figure]]:
    """Every indicator of a regulation over the cases received in a span of days."""
    pack = policies.pack(session, version)
    calendar = calendars.work_calendar(session)
    span = _span(calendar, from_on, until_on)
    cases = summaries(session, version, pack, calendar, span)
    return [
        (
            entry,
            figure(
                entry,
                cases,
                calendar,
                scores=_scores(session, version, entry, span),
                visited=_visited(session, version, entry, span),
            ),
        )
        for entry in pack.indicator
    ]


def by_department(
    session: Session, version: PolicyVersion, *, from_on: dt.date, until_on: dt.date
) -> dict[str, list[tuple[IndicatorEntry, Figure]]]:
    """The indicators over cases for each department that had some, by its name (MKT-6.2.1)."""
    return _parted(session, version, "department", from_on=from_on, until_on=until_on)


def by_category(
    session: Session, version: PolicyVersion, *, from_on: dt.date, until_on: dt.date
) -> dict[str, list[tuple[IndicatorEntry, Figure]]]:
    """The indicators over cases for each category that had some, by its key (SAL-9)."""
    return _parted(session, version, "matter", from_on=from_on, until_on=until_on)


def _parted(
    session: Session,
    version: PolicyVersion,
    part: Literal["department", "matter"],
    *,
    from_on: dt.date,
    until_on: dt.date,
) -> dict[str, list[tuple[IndicatorEntry, Figure]]]:
    """The indicators over cases, once for each value of a part of their sums."""
    pack = policies.pack(session, version)
    calendar = calendars.work_calendar(session)
    parts: dict[str, list[Summary]] = defaultdict(list)
    for case in summaries(session, version, pack, calendar, _span(calendar, from_on, until_on)):
        parts[getattr(case, part) or ""].append(case)
    of_cases = [e for e in pack.indicator if e.formula not in ("survey_score", "visit_rate")]
    return {
        name: [(entry, figure(entry, cases, calendar)) for entry in of_cases]
        for name, cases in sorted(parts.items())
        if name and not all(case.before for case in cases)
    }


def _span(
    calendar: WorkCalendar, from_on: dt.date, until_on: dt.date
) -> tuple[dt.datetime, dt.datetime]:
    """The instants a span of local days begins at and ends before, in UTC."""
    after = until_on + dt.timedelta(days=1)
    return calendar.instant(from_on, dt.time(0)), calendar.instant(after, dt.time(0))


def summaries(
    session: Session,
    version: PolicyVersion,
    pack: Pack,
    calendar: WorkCalendar,
    span: tuple[dt.datetime, dt.datetime],
) -> list[Summary]:
    """The cases of a regulation received in a span, summed up; earlier ones for repeats too.

    One statement for all, and four for every 500 cases of the span.
    """
    begin, end = span
    windows = [entry.window for entry in pack.indicator if entry.window]
    longest = max((_days(w.amount, w.unit.value) for w in windows), default=0)
    rows = _received(session, version, begin - dt.timedelta(days=longest), end)
    now = [row.id for row in rows if row.received_at >= begin]
    punctual, calls, counts = _punctual(session, now), _calls(session, now), _counts(session, now)
    never = (False, False)
    return [
        Summary(
            kind=row.kind,
            received_at=row.received_at,
            in_time=punctual.get(row.id),
            answered=bool(row.replied_at or row.closed_at or row.informed_at),
            called=row.id in calls,
            reached=calls.get(row.id, never)[0],
            satisfied=calls.get(row.id, never)[1],
            customer=str(row.customer_id) if row.customer_id else None,
            matter=row.category,
            counts=tuple(counts.get(row.id, ())),
            struck=row.struck,
            department=row.department,
            before=row.received_at < begin,
        )
        for row in rows
    ]


def _received(
    session: Session, version: PolicyVersion, since: dt.datetime, end: dt.datetime
) -> Sequence[Any]:
    """What a summary needs of each case of a regulation received between two instants."""
    wanted = ("id", "kind", "category", "received_at", "replied_at", "closed_at", "informed_at")
    columns = [getattr(Complaint, name) for name in (*wanted, "customer_id", "struck")]
    return session.execute(
        sa.select(*columns, Department.name.label("department"))
        .join(Complaint.policy_version)
        .outerjoin(Complaint.department)
        .where(PolicyVersion.policy_id == version.policy_id)
        .where(Complaint.received_at >= since, Complaint.received_at < end)
        .order_by(Complaint.id)
    ).all()


_DAYS = {"calendar_day": 1, "week": 7, "month": 31, "year": 366}


def _days(amount: int, unit: str) -> int:
    return amount * _DAYS.get(unit, 2)


_BATCH = 500


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


def _punctual(session: Session, ids: Sequence[int]) -> dict[int, bool]:
    """Whether cases were handled in time: no breach stands, and none of their clocks runs on.

    A case with neither a breach nor a clock that was met says nothing yet.
    """
    late: set[int] = set()
    met: set[int] = set()
    running: set[int] = set()
    for batch in _batches(ids):
        stands = Breach.lifted_at.is_(None)
        late.update(
            session.scalars(
                sa.select(Deadline.complaint_id)
                .join(Deadline.breaches)
                .where(Deadline.complaint_id.in_(batch), stands)
            )
        )
        states = sa.select(Deadline.complaint_id, Deadline.state).where(
            Deadline.complaint_id.in_(batch), Deadline.due_at.is_not(None)
        )
        for case, state in session.execute(states):
            # A clock that another one took the place of says nothing about the case.
            if state is not ClockState.superseded:
                (met if state is ClockState.met else running).add(case)
    return {case: case not in late for case in late | (met - running)}


def _calls(session: Session, ids: Sequence[int]) -> dict[int, tuple[bool, bool]]:
    """Of the cases that were called: whether somebody answered, and was satisfied in the end."""
    found: dict[int, tuple[bool, bool]] = {}
    for batch in _batches(ids):
        rows = session.execute(
            sa.select(
                Callback.complaint_id,
                Callback.outcome,
                Callback.satisfaction,
                Callback.process_score,
            )
            .where(Callback.complaint_id.in_(batch))
            .order_by(Callback.complaint_id, Callback.position)
        )
        for case, outcome, result, process in rows:
            answered = outcome is CallOutcome.answered
            happy = answered and result not in UNHAPPY and process not in UNHAPPY
            before = found.get(case, (False, False))
            found[case] = (before[0] or answered, happy if answered else before[1])
    return found


def _counts(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for batch in _batches(ids):
        rows = sa.select(Tally.complaint_id, Tally.counter).where(Tally.complaint_id.in_(batch))
        for case, counter in session.execute(rows):
            found[case].append(counter)
    return found


def _scores(
    session: Session,
    version: PolicyVersion,
    entry: IndicatorEntry,
    span: tuple[dt.datetime, dt.datetime],
) -> list[Any]:
    """The values of an indicator's field in the forms filled in a span."""
    if entry.formula != "survey_score" or entry.form is None:
        return []
    name = (entry.of or "").rpartition(".")[2]
    return [row.data.get(name) for row in _filled(session, version, entry.form, span)]


def _filled(
    session: Session, version: PolicyVersion, form: str, span: tuple[dt.datetime, dt.datetime]
) -> Sequence[FormEntry]:
    begin, end = span
    return session.scalars(
        sa.select(FormEntry)
        .join(PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id)
        .where(FormEntry.section == "form", FormEntry.form == form)
        .where(PolicyVersion.policy_id == version.policy_id)
        .where(FormEntry.filled_at >= begin, FormEntry.filled_at < end)
        .options(joinedload(FormEntry.complaint), joinedload(FormEntry.customer))
        .order_by(FormEntry.filled_at, FormEntry.id)
        .limit(LONGEST_LEDGER)
    ).all()


def tallied(
    session: Session,
    version: PolicyVersion,
    *,
    form: str,
    field: str,
    from_on: dt.date,
    until_on: dt.date,
) -> dict[str, int]:
    """How many cases say what in a field of a form, filled in a span of days (MKT-5.1.1, 5.2.1).

    Of a case that filled the form again its last word counts; where several things may be said
    each of them does. Most frequent first, by the keys of the choices.
    """
    span = _span(calendars.work_calendar(session), from_on, until_on)
    last = {row.complaint_id or -row.id: row for row in _filled(session, version, form, span)}
    said: Counter[str] = Counter()
    for row in last.values():
        value = row.data.get(field)
        said.update([value] if isinstance(value, str) else value or [])
    return dict(said.most_common())


def _visited(
    session: Session,
    version: PolicyVersion,
    entry: IndicatorEntry,
    span: tuple[dt.datetime, dt.datetime],
) -> tuple[int, int]:
    if entry.formula != "visit_rate" or entry.form is None:
        return 0, 0
    customers = set(session.scalars(sa.select(Customer.id).where(Customer.tier == KEY_CUSTOMER)))
    visited = {row.customer_id for row in _filled(session, version, entry.form, span)}
    return len(customers & visited), len(customers)


# ---------------------------------------------------------------- reports that are owed


@dataclass(frozen=True, slots=True)
class Owed:
    """A report of a period: by when it is due, and when it was filed, if it was.

    `customer` is the key customer it is about, where it is owed for each of them.
    """

    report: ReportEntry
    period: str
    due_on: dt.date
    filed_at: dt.datetime | None
    customer: Customer | None = None

    def late(self, on: dt.date) -> bool:
        """Whether it is still missing on a day after it was due."""
        return self.filed_at is None and on > self.due_on


def owed(session: Session, version: PolicyVersion, *, since: dt.date, on: dt.date) -> list[Owed]:
    """The reports of every period that ended since a day, filed or not, by when they are due."""
    pack = policies.pack(session, version)
    calendar = calendars.work_calendar(session)
    filed = {
        (form, period, customer): at
        for form, period, customer, at in session.execute(
            sa.select(FormEntry.form, FormEntry.period, FormEntry.customer_id, FormEntry.filled_at)
            .join(PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id)
            .where(FormEntry.section == "report", PolicyVersion.policy_id == version.policy_id)
        )
    }
    looked_after = session.scalars(
        sa.select(Customer).where(Customer.tier == KEY_CUSTOMER).order_by(Customer.name)
    ).all()
    found = []
    for report in pack.report:
        about: Sequence[Customer | None] = looked_after if report.per == "key_customer" else [None]
        for period in ended(report, since, on):
            day = due_on(report, period, calendar)
            for customer in about:
                at = filed.get((report.key, period, customer.id if customer else None))
                found.append(Owed(report, period, day, at, customer))
    return sorted(found, key=lambda one: (one.due_on, one.report.key))


def file_report(
    session: Session,
    version: PolicyVersion,
    *,
    report: str,
    period: str,
    data: Mapping[str, Any],
    actor: Actor,
    now: dt.datetime,
    customer: Customer | None = None,
) -> FormEntry:
    """Keep a report of a period as it was drawn up, with the indicators of that day beside it.

    Raises ChoiceUnknown for an unknown report or period, what is wrong with the fields of its
    form, and Duplicate where the period has one already: a report is not overwritten.
    """
    pack = policies.pack(session, version)
    entry: ReportEntry | None = pack.find("report", report)
    if entry is None:
        raise ChoiceUnknown(field="report", value=report)
    from_on, until_on = days_of(entry, period)
    form = pack.find("form", entry.form)
    said = checked_form(form, data) if form else dict(data)
    if _is_filed(session, version, report, period, customer):
        raise Duplicate(field="period", value=period)
    counted = figures(session, version, from_on=from_on, until_on=until_on)
    said |= {"figures": {indicator.key: str(value) for indicator, value in counted}}
    return filing.keep(
        session,
        version,
        said,
        section="report",
        form=report,
        period=period,
        customer=customer,
        actor=actor,
        now=now,
    )


def _is_filed(
    session: Session, version: PolicyVersion, report: str, period: str, customer: Customer | None
) -> bool:
    wanted = (
        sa.select(FormEntry.id)
        .join(PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id)
        .where(FormEntry.section == "report", FormEntry.form == report, FormEntry.period == period)
        .where(FormEntry.customer_id == (customer.id if customer else None))
        .where(PolicyVersion.policy_id == version.policy_id)
    )
    return session.scalars(wanted.limit(1)).first() is not None


def unvisited(session: Session, version: PolicyVersion, *, form: str, year: int) -> list[Customer]:
    """The key customers for whom a form was not filled in a year, by name (FUE-B3.5a)."""
    calendar = calendars.work_calendar(session)
    span = _span(calendar, dt.date(year, 1, 1), dt.date(year, 12, 31))
    visited = {row.customer_id for row in _filled(session, version, form, span)}
    looked_after = session.scalars(
        sa.select(Customer).where(Customer.tier == KEY_CUSTOMER).order_by(Customer.name)
    )
    return [customer for customer in looked_after if customer.id not in visited]


# ---------------------------------------------------------------- ledgers and series


def ledger(
    session: Session,
    version: PolicyVersion,
    entry: LedgerEntry,
    *,
    from_on: dt.date,
    until_on: dt.date,
) -> Sequence[Complaint] | Sequence[FormEntry]:
    """What stands in a ledger for a span of days: cases of its kinds, or fillings of its form."""
    span = _span(calendars.work_calendar(session), from_on, until_on)
    if entry.form is not None:
        return _filled(session, version, entry.form, span)
    begin, end = span
    return session.scalars(
        sa.select(Complaint)
        .join(Complaint.policy_version)
        .where(PolicyVersion.policy_id == version.policy_id, Complaint.kind.in_(entry.kinds))
        .where(Complaint.received_at >= begin, Complaint.received_at < end)
        .options(
            joinedload(Complaint.customer),
            joinedload(Complaint.department),
            joinedload(Complaint.handler),
            joinedload(Complaint.policy_version),
        )
        .order_by(Complaint.number)
        .limit(LONGEST_LEDGER)
    ).all()


_LATEST_TURN = dt.timedelta(days=31)
"""How long before or after a turn of duty its log may be written and still be found."""


def uncovered_hours(
    session: Session,
    version: PolicyVersion,
    *,
    from_on: dt.date,
    until_on: dt.date,
    now: dt.datetime,
) -> dict[str, list[tuple[dt.datetime, dt.datetime]]]:
    """For each log that must leave no hour open: the times nobody was there, in UTC (RES-2.1.2).

    From the first day to the last one, but not beyond `now`: what lies ahead is not open yet.
    """
    calendar = calendars.work_calendar(session)
    begin, end = _span(calendar, from_on, until_on)
    found = {}
    for form in policies.pack(session, version).form:
        if form.covers is None:
            continue
        written = begin - _LATEST_TURN, end + _LATEST_TURN
        turns = [
            (_instant(row.data[form.covers[0]]), _instant(row.data[form.covers[1]]))
            for row in _filled(session, version, form.key, written)
        ]
        found[form.key] = uncovered(turns, begin, min(end, now))
    return found


def _instant(said: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(str(said)).astimezone(dt.UTC)


def gaps(session: Session, version: PolicyVersion, *, on: dt.date) -> dict[str, list[str]]:
    """The numbers that are missing in each series of a regulation in the period of a day.

    A number is never given twice and a refused registration uses none up: what is missing was
    taken out of the record by hand.
    """
    pack = policies.pack(session, version)
    found = {}
    for series in pack.number:
        counter = session.scalars(
            sa.select(NumberCounter).where(
                NumberCounter.series == f"{pack.policy.key}/{series.key}",
                NumberCounter.period == series_period(series, on),
            )
        ).first()
        given = [render(series, on, n) for n in range(1, (counter.last if counter else 0) + 1)]
        found[series.key] = _missing(session, given)
    return found


def _missing(session: Session, numbers: Sequence[str]) -> list[str]:
    there: set[str] = set()
    for start in range(0, len(numbers), _BATCH):
        batch = numbers[start : start + _BATCH]
        there.update(
            session.scalars(sa.select(Complaint.number).where(Complaint.number.in_(batch)))
        )
    return [number for number in numbers if number not in there]
