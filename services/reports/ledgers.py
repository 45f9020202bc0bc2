"""Ledgers: their lines, the hours a log leaves uncovered, the numbers a series lacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import Complaint, FormEntry, NumberCounter, PolicyVersion
from policy.engine.report_periods import uncovered_times
from policy.pack.forms_and_reports import FormTemplate as Form
from policy.pack.forms_and_reports import LedgerEntry
from policy.pack.numbering import render_number
from policy.pack.numbering import serial_period as series_period
from policy.pack.schema import NumberEntry
from services.calendar import working_calendar
from services.cases import forms
from services.regulation import policies

LONGEST = 5_000
"""The most lines of a ledger that are shown; a shorter period shows the others."""


def ledger_rows(
    session: Session,
    version: PolicyVersion,
    entry: LedgerEntry,
    *,
    from_on: dt.date,
    until_on: dt.date,
) -> Sequence[Complaint] | Sequence[FormEntry]:
    """Return the rows of a ledger for a span of days: cases of its kinds, or fillings of its form.

    Cases are in the order of their receipt: as texts, the thousandth number of a month would come
    before the 999th.
    """
    span = working_calendar.work_calendar(session).span(from_on, until_on)
    if entry.form is not None:
        about = (joinedload(FormEntry.complaint), joinedload(FormEntry.customer))
        filled = forms.filled_forms(session, version, [entry.form], span=span).options(*about)
        return session.scalars(filled.limit(LONGEST)).all()
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
        .order_by(Complaint.received_at, Complaint.id)
        .limit(LONGEST)
    ).all()


_LATEST_TURN = dt.timedelta(days=31)
"""The time before or after a turn of duty within which its log may be written and still be
found.
"""


def uncovered_hours(
    session: Session,
    version: PolicyVersion,
    log: Form,
    *,
    from_on: dt.date,
    until_on: dt.date,
    now: dt.datetime,
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the times not covered by a log that must leave no hour open, in UTC (RES-2.1.2).

    From the first day to the last one, but neither before the regulation was in force nor beyond
    `now`: the future is not uncovered yet.
    """
    if log.covers is None:
        return []
    since, until = log.covers
    calendar = working_calendar.work_calendar(session)
    begin, end = calendar.span(max(from_on, version.effective_from or from_on), until_on)
    written = begin - _LATEST_TURN, end + _LATEST_TURN
    filled = forms.filled_forms(session, version, [log.key], span=written).with_only_columns(
        FormEntry.data
    )
    turns = [(_instant(said[since]), _instant(said[until])) for said in session.scalars(filled)]
    return uncovered_times(turns, begin, min(end, now))


def _instant(said: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(str(said)).astimezone(dt.UTC)


def missing_numbers(
    session: Session, version: PolicyVersion, *, on: dt.date
) -> dict[str, list[str]]:
    """Return the numbers that are missing in each series of a regulation in the period of a day.

    A number is never given twice and a refused registration uses none up: a missing one was taken
    out of the record by hand. The time is proportional to the numbers given in the period.
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
        days = _days_printed(session, series, on)
        found[series.key] = _missing(session, series, days, last=counter.last if counter else 0)
    return found


def _days_printed(session: Session, series: NumberEntry, on: dt.date) -> list[dt.date]:
    """Return the days of a series' period up to a day, one of those that print alike.

    A number may print the month, or the day, while its serials count up through the year.
    """
    first = session.scalar(sa.select(sa.func.min(Complaint.registered_at)))
    begin = min(first.date(), on) if first else on
    begin = {"never": begin, "year": on.replace(month=1, day=1), "month": on.replace(day=1)}[
        series.resets
    ]
    every = (begin + dt.timedelta(days=n) for n in range((on - begin).days + 1))
    return list({render_number(series, day, 0): day for day in every}.values())


_BATCH = 500


def _missing(
    session: Session, series: NumberEntry, days: Sequence[dt.date], *, last: int
) -> list[str]:
    """Return the numbers up to a last serial that no case has, as of the day of the one before."""
    found, day = [], days[0]
    size = max(1, _BATCH // len(days))
    for start in range(1, last + 1, size):
        serials = range(start, min(start + size, last + 1))
        printed = {(n, at): render_number(series, at, n) for n in serials for at in days}
        wanted = sa.select(Complaint.number).where(Complaint.number.in_(printed.values()))
        there = set(session.scalars(wanted))
        for n in serials:
            given = [at for at in days if printed[n, at] in there]
            day = given[0] if given else day
            found += [] if given else [printed[n, day]]
    return found
