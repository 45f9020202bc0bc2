"""Indicators of a regulation over the cases of a span of days, and their targets.

Everything here reads.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import (
    Breach,
    Callback,
    Complaint,
    Deadline,
    Department,
    FormEntry,
    PolicyVersion,
    Tally,
)
from policy.engine.indicators import CaseSummary, Figure, indicator_figure
from policy.pack.forms_and_reports import FormField, IndicatorEntry
from policy.pack.forms_and_reports import FormTemplate as Form
from policy.pack.schema import Pack
from policy.vocabulary.facts import UNHAPPY
from policy.vocabulary.status import CallOutcome, DeadlineState, ReplyOutcome, Status
from services.calendar import working_calendar
from services.cases import customers, forms
from services.regulation import policies

Span = tuple[dt.datetime, dt.datetime]


def figures(
    session: Session, version: PolicyVersion, *, from_on: dt.date, until_on: dt.date
) -> list[tuple[IndicatorEntry, Figure]]:
    """Return every indicator of a regulation over the cases received in a span of days."""
    pack = policies.pack(session, version)
    calendar = working_calendar.work_calendar(session)
    span = calendar.span(from_on, until_on)
    cases = summaries(session, version, pack, span=span)
    return [
        (
            entry,
            indicator_figure(
                entry,
                cases,
                calendar,
                scores=_scores(session, version, entry, span=span),
                visited=_visited(session, version, entry, span=span),
            ),
        )
        for entry in pack.indicator
    ]


def by_department(
    session: Session, version: PolicyVersion, *, from_on: dt.date, until_on: dt.date
) -> dict[str, list[tuple[IndicatorEntry, Figure]]]:
    """Return the indicators over cases for each department that had some, by its name
    (MKT-6.2.1).
    """
    return _figures_by(session, version, "department", from_on=from_on, until_on=until_on)


def by_category(
    session: Session, version: PolicyVersion, *, from_on: dt.date, until_on: dt.date
) -> dict[str, list[tuple[IndicatorEntry, Figure]]]:
    """Return the indicators over cases for each category that had some, by its key (SAL-9)."""
    return _figures_by(session, version, "matter", from_on=from_on, until_on=until_on)


def _figures_by(
    session: Session,
    version: PolicyVersion,
    part: Literal["department", "matter"],
    *,
    from_on: dt.date,
    until_on: dt.date,
) -> dict[str, list[tuple[IndicatorEntry, Figure]]]:
    """Return the indicators over cases, once for each value of a field of their summaries."""
    pack = policies.pack(session, version)
    calendar = working_calendar.work_calendar(session)
    parts: dict[str, list[CaseSummary]] = defaultdict(list)
    for case in summaries(session, version, pack, span=calendar.span(from_on, until_on)):
        parts[getattr(case, part) or ""].append(case)
    of_cases = [e for e in pack.indicator if e.formula not in ("survey_score", "visit_rate")]
    return {
        name: [(entry, indicator_figure(entry, cases, calendar)) for entry in of_cases]
        for name, cases in sorted(parts.items())
        if name and not all(case.before for case in cases)
    }


def summaries(
    session: Session, version: PolicyVersion, pack: Pack, *, span: Span
) -> list[CaseSummary]:
    """Return summaries of a regulation's cases received in a span, and of earlier ones for repeats.

    One statement for all, and four for every 500 cases of the span.
    """
    begin, end = span
    flag = next((e.of for e in pack.indicator if e.formula == "repeat_rate" and e.of), None)
    rows = _received(session, version, begin - _longest_window(pack), end=end, flag=flag)
    now = [row.id for row in rows if row.received_at >= begin]
    aside = [entry.key for entry in pack.deadline if set(entry.met_by) == {"called_back"}]
    punctual = _handled_in_time(session, now, aside)
    calls, counts = _calls(session, now), _counts(session, now)
    never = (False, False)
    return [
        CaseSummary(
            kind=row.kind,
            received_at=row.received_at,
            in_time=punctual.get(row.id),
            answered=_is_answered(row),
            called=row.id in calls,
            reached=calls.get(row.id, never)[0],
            satisfied=calls.get(row.id, never)[1],
            customer=str(row.customer_id) if row.customer_id else None,
            matter=row.category,
            confirmed=bool(flag and row.extra.get(flag)),
            counts=tuple(counts.get(row.id, ())),
            struck=row.struck,
            department=row.department,
            before=row.received_at < begin,
        )
        for row in rows
    ]


def _received(
    session: Session,
    version: PolicyVersion,
    since: dt.datetime,
    *,
    end: dt.datetime,
    flag: str | None,
) -> Sequence[Any]:
    """Return the columns a summary needs of each case of a regulation received between two
    instants.

    A withdrawn case was registered by mistake and does not count. `extra` is read only where `flag`
    is one of its fields, because it is most of what a case stores.
    """
    wanted = ("id", "kind", "category", "received_at", "customer_id", "struck")
    answers = ("reply_outcome", "confirmed_at", "closed_at", "informed_at")
    columns = [getattr(Complaint, name) for name in (*wanted, *answers)]
    own = Complaint.extra if flag else sa.null().label("extra")
    return session.execute(
        sa.select(*columns, Department.name.label("department"), own)
        .join(Complaint.policy_version)
        .outerjoin(Complaint.department)
        .where(PolicyVersion.policy_id == version.policy_id)
        .where(Complaint.received_at >= since, Complaint.received_at < end)
        .where(Complaint.status != Status.withdrawn)
        .order_by(Complaint.id)
    ).all()


def _is_answered(row: Any) -> bool:
    """Whether a case was answered: a wish for more time and passing it up are none (SAL-11.1)."""
    solved = row.reply_outcome is ReplyOutcome.solved
    return bool(solved or row.confirmed_at or row.closed_at or row.informed_at)


_DAYS = {"calendar_day": 1, "week": 7, "month": 31, "year": 366}


def _longest_window(pack: Pack) -> dt.timedelta:
    """Return the longest time before a case in which an indicator looks for earlier ones."""
    windows = [entry.window for entry in pack.indicator if entry.window]
    return dt.timedelta(days=max((_days(w.amount, w.unit.value) for w in windows), default=0))


def _days(amount: int, unit: str) -> int:
    return amount * _DAYS.get(unit, 2)


_BATCH = 500


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


def _handled_in_time(session: Session, ids: Sequence[int], aside: Sequence[str]) -> dict[int, bool]:
    """Return whether cases were handled in time: no breach in force, no deadline still running.

    A case with neither a breach nor a met deadline is left out. Deadlines whose keys are in `aside`
    are left out too: the callback afterwards is no part of the handling (MKT-6.1.1).
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
                .where(Deadline.complaint_id.in_(batch), Deadline.key.not_in(aside), stands)
            )
        )
        states = sa.select(Deadline.complaint_id, Deadline.state).where(
            Deadline.complaint_id.in_(batch),
            Deadline.key.not_in(aside),
            Deadline.due_at.is_not(None),
        )
        for case, state in session.execute(states):
            # A deadline that another one superseded says nothing about the case.
            if state is not DeadlineState.superseded:
                (running if state is DeadlineState.running else met).add(case)
    return {case: case not in late for case in late | (met - running)}


def _calls(session: Session, ids: Sequence[int]) -> dict[int, tuple[bool, bool]]:
    """Return, of the cases called, whether the customer answered, and was satisfied in the end."""
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
    session: Session, version: PolicyVersion, entry: IndicatorEntry, *, span: Span
) -> list[Any]:
    """Return the values of an indicator's field in the forms filled in a span."""
    if entry.formula != "survey_score" or entry.form is None:
        return []
    name = (entry.of or "").rpartition(".")[2]
    filled = forms.countable_forms(session, version, [entry.form], span=span)
    return [data.get(name) for data in session.scalars(filled.with_only_columns(FormEntry.data))]


def _visited(
    session: Session, version: PolicyVersion, entry: IndicatorEntry, *, span: Span
) -> tuple[int, int]:
    """Return for how many key customers a form was filled in a span, and how many there are."""
    if entry.formula != "visit_rate" or entry.form is None:
        return 0, 0
    looked_after = {customer.id for customer in customers.key_customers(session)}
    filled = forms.countable_forms(session, version, [entry.form], span=span)
    visited = set(session.scalars(filled.with_only_columns(FormEntry.customer_id)))
    return len(looked_after & visited), len(looked_after)


# ---------------------------------------------------------------- what forms say


@dataclass(frozen=True, slots=True)
class ChoiceCounts:
    """The cases that chose each choice of a form's field: counts, the most frequent first."""

    form: Form
    field: FormField
    counts: Mapping[str, int]


def choice_counts(
    session: Session, version: PolicyVersion, *, from_on: dt.date, until_on: dt.date
) -> list[ChoiceCounts]:
    """Count the choices in the forms filled in a span of days, field by field (MKT-5.1.1).

    Of a case that filled a form again the last filling counts; where several choices may be made
    each of them does. Fields without an answer are left out.
    """
    pack = policies.pack(session, version)
    asked = [(form, field) for form in pack.form for field in form.fields if field.choices]
    declared = {form.key for form, _ in asked}
    span = working_calendar.work_calendar(session).span(from_on, until_on)
    filled = forms.countable_forms(session, version, declared, span=span)
    kept_as = forms.form_by_entry(pack, declared)
    columns = (FormEntry.section, FormEntry.form, FormEntry.complaint_id, FormEntry.id)
    last: dict[str, dict[int, Any]] = defaultdict(dict)
    for *where, case, id_, data in session.execute(
        filled.with_only_columns(*columns, FormEntry.data)
    ):
        last[kept_as[tuple(where)]][case or -id_] = data
    found = [
        ChoiceCounts(f, field, _count_choices(field, last[f.key].values())) for f, field in asked
    ]
    return [one for one in found if one.counts]


def _count_choices(field: FormField, filled: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    said: Counter[str] = Counter()
    for data in filled:
        value = data.get(field.key)
        said.update([value] if isinstance(value, str) else value or [])
    return dict(said.most_common())
