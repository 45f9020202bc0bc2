"""Form entries: forms, reports, checks, approvals, findings and promises filed on a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Attachment, Complaint, Customer, FormEntry, PolicyVersion
from policy.engine.fact_changes import Effect
from policy.engine.forms import checked_form_data
from policy.engine.permission import refusal_outside_cases
from policy.engine.report_periods import ended_periods, period_of
from policy.engine.severity import EntryTimes
from policy.pack.forms_and_reports import ReportEntry
from policy.pack.schema import Pack
from policy.vocabulary import time_bounds
from policy.vocabulary.errors import ChoiceUnknown, NotFound
from policy.vocabulary.events import (
    Checked,
    Concluded,
    Endorsed,
    Escalated,
    Filled,
    Informed,
    Involved,
    Promised,
    Reported,
    Verified,
    make_event,
)
from policy.vocabulary.status import Status
from services.calendar import working_calendar
from services.cases import journal
from services.cases.journal import Deeds, plain_deed
from services.cases.sanctions import tallies
from services.company import actors, people
from services.company.actors import Actor
from services.regulation import declared, policies

Effects = tuple[Effect, ...]


def fill(
    session: Session,
    complaint: Complaint,
    *,
    form: str,
    data: Mapping[str, Any],
    actor: Actor,
    now: dt.datetime,
    at: dt.datetime | None = None,
) -> Effects:
    """File a form of the regulation; earlier fillings stay beside it.

    Raises ValueRefused for cases it lists that do not exist.
    """
    pack, _ = journal.rules_of(session, complaint)
    if entry := pack.find("form", form):
        declared.check_cases_exist(session, entry.fields, data)
    return journal.record_event(
        session, complaint, Filled, actor=actor, now=now, at=at, form=form, data=dict(data)
    )


def check_item(
    session: Session,
    complaint: Complaint,
    *,
    checklist: str,
    item: str,
    evidence: str,
    actor: Actor,
    now: dt.datetime,
    paper: str | None = None,
) -> Effects:
    """Check off an item of a checklist; `paper` is the checksum of its picture.

    Raises NotFound for a picture that the case does not have.
    """
    if paper is not None and not _has_paper(session, complaint, paper):
        raise NotFound(what="attachment", key=paper[:12])
    return journal.record_event(
        session,
        complaint,
        Checked,
        actor=actor,
        now=now,
        checklist=checklist,
        item=item,
        evidence=evidence,
        paper=paper,
    )


def _has_paper(session: Session, complaint: Complaint, checksum: str) -> bool:
    wanted = sa.select(Attachment.id).where(
        Attachment.complaint_id == complaint.id, Attachment.checksum == checksum
    )
    return session.scalars(wanted.limit(1)).first() is not None


def verify(
    session: Session,
    complaint: Complaint,
    *,
    finding: str,
    text: str,
    actor: Actor,
    now: dt.datetime,
    concerned: Sequence[str] = (),
) -> Effects:
    """Record the finding of a check of the case and the employees concerned, by number.

    The verified complaints they had earlier in the calendar year of receipt count with it.
    """
    for number in concerned:
        people.known_employee(session, number)
    pack, _ = journal.rules_of(session, complaint)
    earlier, by_rule = tallies.verified_before(session, complaint, concerned, pack=pack)
    return journal.record_event(
        session,
        complaint,
        Verified,
        actor=actor,
        now=now,
        finding=finding,
        concerned=tuple(concerned),
        text=text,
        earlier=earlier,
        earlier_by_rule=by_rule,
    )


report_out = plain_deed(Reported, "Note a report to an authority or to a superior, with its proof.")
endorse = plain_deed(Endorsed, "Approve or refuse as the next post of a chain of approvals.")
escalate = plain_deed(Escalated, "Escalate a matter one step up its ladder.")
involve = plain_deed(
    Involved, "Let another department take part; the leading department stays the leading one."
)
promise = plain_deed(Promised, "Note a promise to the customer: a time, a thing, or both.")
inform = plain_deed(Informed, "Note what the customer was informed of, and how.")
conclude = plain_deed(Concluded, "Conclude a case at the care desk, without a department's reply.")

DEEDS: Deeds = {
    "filled": fill,
    "reported": report_out,
    "checked": check_item,
    "endorsed": endorse,
    "escalated": escalate,
    "involved": involve,
    "informed": inform,
    "promised": promise,
    "verified": verify,
    "concluded": conclude,
}
"""The service of each deed, by the name of its event."""


# ---------------------------------------------------------------- without a case


def fill_alone(
    session: Session,
    version: PolicyVersion,
    *,
    form: str,
    data: Mapping[str, Any],
    actor: Actor,
    now: dt.datetime,
    customer: Customer | None = None,
) -> FormEntry:
    """File a form that belongs to no case: a duty log, a visit, a survey.

    Raises ChoiceUnknown for a form that belongs on a case, PostMissing for an employee who may not
    fill it in, and the errors of its fields.
    """
    entry = policies.pack(session, version).find("form", form)
    if entry is None or not entry.alone:
        raise ChoiceUnknown(field="form", value=form)
    _may_fill_alone(session, version, form, actor=actor, now=now)
    said = checked_alone(session, entry, data=data, now=now)
    declared.check_cases_exist(session, entry.fields, said)
    return store_entry(
        session,
        version,
        said,
        section="form",
        form=entry.key,
        customer=customer,
        actor=actor,
        now=now,
    )


def checked_alone(
    session: Session, form: Any, *, data: Mapping[str, Any], now: dt.datetime
) -> dict[str, Any]:
    """Return the fields of a form outside cases as JSON data. Raises the errors of its fields."""
    times = EntryTimes(now, now, working_calendar.work_calendar(session))
    said = checked_form_data(form, data, times)
    for field in form.fields:
        time_bounds.check_declared(field, said.get(field.key), now=now)
    return said


def _may_fill_alone(
    session: Session, version: PolicyVersion, form: str, *, actor: Actor, now: dt.datetime
) -> None:
    """Refuse an employee who does not hold a post the regulation names for the form that day."""
    on = working_calendar.work_calendar(session).local(now).date()
    by = actors.as_of(session, actor, policy_id=version.policy_id, on=on)
    event = make_event(Filled, form=form, at=now, by=by)
    if reason := refusal_outside_cases(by, policies.pack(session, version), event):
        raise reason


def store_entry(
    session: Session,
    version: PolicyVersion,
    data: Mapping[str, Any],
    *,
    section: str,
    form: str,
    actor: Actor,
    now: dt.datetime,
    customer: Customer | None = None,
    period: str | None = None,
) -> FormEntry:
    """Store an entry that belongs to no case: a form that stands alone, a report of a period."""
    row = FormEntry(
        policy_version_id=version.id,
        section=section,
        form=form,
        period=period,
        customer_id=customer.id if customer else None,
        data=dict(data),
        employee_id=actor.employee_id,
        filled_by_id=actor.user_id,
        filled_at=now,
    )
    session.add(row)
    session.flush()
    return row


def form_by_entry(pack: Pack, forms: Collection[str]) -> dict[tuple[str, str], str]:
    """Return which form is filled by the entries of a section and key: the form and its reports.

    A report that is written on a form is a filling of that form too.
    """
    reports = {("report", one.key): one.form for one in pack.report if one.form in forms}
    return {("form", key): key for key in forms} | {k: form for k, form in reports.items() if form}


def filled_forms(
    session: Session,
    version: PolicyVersion,
    forms: Collection[str],
    *,
    span: tuple[dt.datetime, dt.datetime],
) -> sa.Select[FormEntry]:
    """Return the fillings of some forms under any version of a regulation in a span, oldest first.

    A report on such a form is one of them; filed late it counts where its period ended.
    """
    pack = policies.pack(session, version)
    calendar = working_calendar.work_calendar(session)
    last = span[1] - dt.timedelta(microseconds=1)
    days = calendar.local(span[0]).date(), calendar.local(last).date()
    of_a_form = sa.and_(FormEntry.section == "form", FormEntry.form.in_(forms), _within(span))
    reports = [_is_report_of(one, span, days) for one in pack.report if one.form in forms]
    return (
        sa.select(FormEntry)
        .join(PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id)
        .where(PolicyVersion.policy_id == version.policy_id, sa.or_(of_a_form, *reports))
        .order_by(FormEntry.filled_at, FormEntry.id)
    )


def _within(span: tuple[dt.datetime, dt.datetime]) -> sa.ColumnElement[bool]:
    return sa.and_(FormEntry.filled_at >= span[0], FormEntry.filled_at < span[1])


def _is_report_of(
    report: ReportEntry,
    span: tuple[dt.datetime, dt.datetime],
    days: tuple[dt.date, dt.date],
) -> sa.ColumnElement[bool]:
    """Return the condition: an entry of that report whose period ended in the span or still
    runs.
    """
    over = FormEntry.period.in_(list(ended_periods(report, *days)))
    running = sa.and_(FormEntry.period == period_of(report, days[1]), _within(span))
    mine = sa.and_(FormEntry.section == "report", FormEntry.form == report.key)
    return sa.and_(mine, FormEntry.filled_at >= span[0], sa.or_(over, running))


def countable_forms(
    session: Session,
    version: PolicyVersion,
    forms: Collection[str],
    *,
    span: tuple[dt.datetime, dt.datetime],
) -> sa.Select[FormEntry]:
    """Return the fillings that figures count: without those on cases withdrawn as mistakes."""
    stands = sa.or_(Complaint.id.is_(None), Complaint.status != Status.withdrawn)
    return (
        filled_forms(session, version, forms, span=span)
        .outerjoin(FormEntry.complaint)
        .where(stands)
    )
