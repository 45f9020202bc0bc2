"""Periodic reports: those due and by when, and those that were filed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Customer, FormEntry, PolicyVersion
from policy.engine.report_periods import begun_periods, days_of, due_on, period_of
from policy.pack.forms_and_reports import ReportEntry
from policy.pack.schema import Pack
from policy.vocabulary.errors import ChoiceUnknown, Duplicate
from policy.vocabulary.worktime import WorkCalendar
from services.calendar import working_calendar
from services.cases import customers, forms
from services.company.actors import Actor
from services.regulation import policies
from services.reports import indicators


@dataclass(frozen=True, slots=True)
class DueReport:
    """A report of a period: the period's last day, its due day, and when it was filed, if it was.

    `customer` is the key customer it is about, where one is due for each of them.
    """

    report: ReportEntry
    period: str
    until_on: dt.date
    due_on: dt.date
    filed_at: dt.datetime | None
    customer: Customer | None = None

    def late(self, on: dt.date) -> bool:
        """Whether it is still missing on a day after it was due."""
        return self.filed_at is None and on > self.due_on

    def ripe(self, on: dt.date) -> bool:
        """Whether it can be filed on a day: its figures are complete, or it cannot wait for them.

        A report is filed once. One that is due before its period is over need not wait for the
        period's end, nor one about a customer.
        """
        whole = on > self.until_on or self.due_on <= self.until_on
        return self.filed_at is None and (whole or self.customer is not None)


def due_reports(
    session: Session, version: PolicyVersion, *, since: dt.date, on: dt.date
) -> list[DueReport]:
    """Return the reports of every period that ended since a day or still runs, by due day.

    A report on each key customer that is written on a form is filed by filling in that form about
    the customer in the period.
    """
    pack = policies.pack(session, version)
    calendar = working_calendar.work_calendar(session)
    filed = _filings_by_form(session, version, pack, calendar=calendar) | _filings_by_report(
        session, version
    )
    looked_after = customers.key_customers(session)
    found = []
    for report in pack.report:
        about: Sequence[Customer | None] = looked_after if report.per == "key_customer" else [None]
        for period in begun_periods(report, since, on):
            _, last = days_of(report, period)
            day = due_on(report, period, calendar)
            for customer in about:
                at = filed.get((report.key, period, customer.id if customer else None))
                found.append(DueReport(report, period, last, day, at, customer))
    return sorted(found, key=lambda one: (one.due_on, one.report.key))


Filings = dict[tuple[str, str | None, int | None], dt.datetime]
"""The instants at which reports were filed, by report, period and the id of a customer."""


def _filings_by_report(session: Session, version: PolicyVersion) -> Filings:
    rows = session.execute(
        sa.select(FormEntry.form, FormEntry.period, FormEntry.customer_id, FormEntry.filled_at)
        .join(PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id)
        .where(FormEntry.section == "report", PolicyVersion.policy_id == version.policy_id)
    )
    return {(form, period, customer): at for form, period, customer, at in rows}


def _filings_by_form(
    session: Session, version: PolicyVersion, pack: Pack, *, calendar: WorkCalendar
) -> Filings:
    """Return the first filling, in each period, of a form a report on each key customer is written
    on.
    """
    of_customers = [one for one in pack.report if one.per == "key_customer" and one.form]
    rows = session.execute(
        sa.select(FormEntry.form, FormEntry.customer_id, FormEntry.filled_at)
        .join(PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id)
        .where(FormEntry.section == "form", PolicyVersion.policy_id == version.policy_id)
        .where(FormEntry.form.in_({one.form for one in of_customers}))
        .where(FormEntry.customer_id.is_not(None))
        .order_by(FormEntry.filled_at)
    )
    found: Filings = {}
    for form, customer, at in rows:
        for report in of_customers:
            if report.form == form:
                period = period_of(report, calendar.local(at).date())
                found.setdefault((report.key, period, customer), at)
    return found


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
    """File a report of a period, with the indicators of that day beside it.

    Raises ChoiceUnknown for an unknown report or period, the errors of its form's fields, and
    Duplicate where the period has one already: a report is not overwritten.
    """
    pack = policies.pack(session, version)
    entry: ReportEntry | None = pack.find("report", report)
    if entry is None:
        raise ChoiceUnknown(field="report", value=report)
    from_on, until_on = days_of(entry, period)
    form = pack.find("form", entry.form)
    said = forms.checked_alone(session, form, data=data, now=now) if form else dict(data)
    if _is_filed(session, version, report, period=period, customer=customer):
        raise Duplicate(field="period", value=period)
    counted = indicators.figures(session, version, from_on=from_on, until_on=until_on)
    said |= {"figures": {indicator.key: str(value) for indicator, value in counted}}
    return forms.store_entry(
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
    session: Session, version: PolicyVersion, report: str, *, period: str, customer: Customer | None
) -> bool:
    wanted = (
        sa.select(FormEntry.id)
        .join(PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id)
        .where(FormEntry.section == "report", FormEntry.form == report, FormEntry.period == period)
        .where(FormEntry.customer_id == (customer.id if customer else None))
        .where(PolicyVersion.policy_id == version.policy_id)
    )
    return session.scalars(wanted.limit(1)).first() is not None


def unvisited_customers(
    session: Session, version: PolicyVersion, *, form: str, year: int
) -> list[Customer]:
    """Return the key customers for whom a form was not filled in a year, by name (FUE-B3.5a)."""
    days = dt.date(year, 1, 1), dt.date(year, 12, 31)
    span = working_calendar.work_calendar(session).span(*days)
    filled = forms.countable_forms(session, version, [form], span=span)
    visited = set(session.scalars(filled.with_only_columns(FormEntry.customer_id)))
    return [one for one in customers.key_customers(session) if one.id not in visited]
