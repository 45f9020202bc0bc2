"""Conditions over complaints of who must act beside the status of a case: one for each question.

The entries filed on a case say which departments take part in it, which approval waits for which
post, and whose vote a jury waits for. `policy.engine.forms.awaited_approver` answers the same for
the facts of one case.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from models import Assignment, Complaint, Employee, FormEntry, Journal, PolicyVersion
from policy.engine.forms import CLASSIFYING_FIELDS, forms_in_condition
from policy.pack.forms_and_reports import ChainEntry
from policy.pack.schema import Pack
from policy.pack.shapes import ConditionRow, Operator
from policy.vocabulary.editions import Judging
from policy.vocabulary.facts import OVERTAKEN
from policy.vocabulary.status import ALLOWED, ENDS, Status

Cases = sa.ColumnElement[bool]
"""A condition that selects cases."""

_OVER = (*ENDS, Status.closed, Status.recorded)
_ENDORSABLE = [status for status, deeds in ALLOWED.items() if "endorsed" in deeds]

_COMPARED: dict[Operator, Callable[[Any, Any], Cases]] = {
    Operator.equals: lambda column, value: column == value,
    Operator.differs: lambda column, value: column.is_distinct_from(value),
    Operator.among: lambda column, value: column.in_(value),
    Operator.filled: lambda column, value: column.is_not(None) if value else column.is_(None),
}
"""The operators an approval may apply to a case to be waited for from its first step on."""


def is_open() -> Cases:
    """Return the cases that are worked on: no history, not closed, ended or only recorded."""
    return sa.and_(Complaint.history.is_(False), Complaint.status.not_in(_OVER))


# ---------------------------------------------------------------- the leading department


def led_by(keys: Collection[str]) -> Cases:
    """Return the cases that departments of a regulation have now, by their keys.

    Not by the company's department they mean today: a case stays with whom it was handed to, and
    whoever leads that department of the regulation leads its cases.
    """
    last = (
        sa.select(Assignment.department_key)
        .where(Assignment.complaint_id == Complaint.id)
        .order_by(Assignment.position.desc())
        .limit(1)
        .correlate(Complaint)
        .scalar_subquery()
    )
    return sa.and_(Complaint.department_id.is_not(None), last.in_(sorted(keys)))


def handed_to(policy_id: int, keys: Collection[str]) -> Cases:
    """Return the cases that departments of a regulation answer or answered for, by their keys."""
    versions = sa.select(PolicyVersion.id).where(PolicyVersion.policy_id == policy_id)
    under = Complaint.policy_version_id.in_(versions)
    return sa.and_(
        under,
        sa.exists().where(
            Assignment.complaint_id == Complaint.id,
            Assignment.department_key.in_(sorted(keys)),
            not_given_away(),
        ),
    )


def not_given_away() -> Cases:
    """Return the condition of assignments whose department still has to do with the case.

    One that returned it has not, once it was dispatched elsewhere: neither what is done there nor
    the customer is for them.
    """
    later = aliased(Assignment)
    elsewhere = sa.exists().where(
        later.complaint_id == Assignment.complaint_id, later.position > Assignment.position
    )
    return sa.or_(Assignment.returned_at.is_(None), ~elsewhere)


# ---------------------------------------------------------------- departments beside the leading


def _cases_with(row: Any, *conditions: Cases) -> Cases:
    """Return the cases with such an entry, found from the few entries and not case by case."""
    return Complaint.id.in_(sa.select(row.complaint_id).where(*conditions))


def takes_part(policy_id: int, keys: Collection[str], *more: Cases, row: Any = FormEntry) -> Cases:
    """Return the cases of a regulation in which one of its departments takes part.

    `more` are further conditions on `row`, the entry that invited the department.
    """
    versions = sa.select(PolicyVersion.id).where(PolicyVersion.policy_id == policy_id)
    return _cases_with(
        row,
        row.section == "participant",
        row.form.in_(sorted(keys)),
        row.policy_version_id.in_(versions),
        *more,
    )


def asked_to_take_part(
    policy_id: int, keys: Collection[str], departments: Collection[int]
) -> Cases:
    """Return the same cases, as long as no employee of these departments did anything on them
    since.

    `departments` are ids of the company's departments.
    """
    invited = aliased(FormEntry)
    done = (
        sa.exists()
        .where(Journal.complaint_id == invited.complaint_id)
        .where(Journal.happened_at > invited.filled_at)
        .where(Journal.employee_id == Employee.id, Employee.department_id.in_(departments))
    )
    return sa.and_(
        Complaint.status.not_in(_OVER),
        sa.or_(Complaint.department_id.is_(None), Complaint.department_id.not_in(departments)),
        takes_part(policy_id, keys, ~done, row=invited),
    )


# ---------------------------------------------------------------- approvals


def to_endorse(pack: Pack, may: Callable[[str], Cases | None]) -> list[Cases]:
    """Return the conditions of cases whose approvals wait for an employee.

    `may` returns, for a post, the condition of the cases in which the employee acts for it, or
    None.
    """
    found = []
    for chain in pack.chain:
        for place, post in enumerate(chain.steps):
            reach = may(post)
            if reach is not None:
                waits = _waits_at(chain, place, anew=pack.policy.judges(Judging.own_rounds))
                lives = sa.and_(Complaint.history.is_(False), Complaint.status.in_(_ENDORSABLE))
                found.append(sa.and_(lives, waits, reach))
    return found


def _waits_at(chain: ChainEntry, place: int, *, anew: bool) -> Cases:
    """Return the cases whose approval waits at a step; `anew`: a new round approves anew."""
    earlier = _last_step_in_earlier_round(chain.key) if anew else sa.false()
    if place:
        return sa.and_(_last_step(chain.key, standing="open", step=place), ~earlier)
    forms = forms_in_condition(chain)
    rows = [_case_condition(row) for row in chain.applies if not _wants_form(row)]
    refused = _last_step(chain.key, standing="refused")
    if not (chain.applies or chain.of) or any(row is None for row in rows):
        return refused
    begins = _filled_since(forms, chain.key) if forms else sa.true()
    row = aliased(FormEntry)
    begun = _cases_with(row, row.section == "chain", row.form == chain.key)
    overtaken = _latest(_OVERTAKEN, _CHAIN, lambda mark: mark.form == chain.key)
    fresh = sa.or_(~begun, refused, overtaken, earlier)
    return sa.and_(fresh, begins, *(row for row in rows if row is not None))


def _wants_form(row: ConditionRow) -> bool:
    return row.field.startswith("form.") and row.field.count(".") == 1 and row.value is True


def _case_condition(row: ConditionRow) -> Cases | None:
    compared = _COMPARED.get(row.op)
    if compared is None or row.field not in CLASSIFYING_FIELDS:
        return None
    return compared(getattr(Complaint, row.field), row.value)


def _filled_since(forms: Collection[str], chain: str) -> Cases:
    """Return the cases with one of these forms filled after the last step of an approval,
    if any.
    """
    form, step = aliased(FormEntry), aliased(FormEntry)
    later = sa.exists().where(
        step.complaint_id == form.complaint_id,
        step.section == "chain",
        step.form == chain,
        step.position > form.position,
    )
    return _cases_with(form, form.section == "form", form.form.in_(sorted(forms)), ~later)


def _last_step(chain: str, *, standing: str, step: int | None = None) -> Cases:
    """Return the cases whose last step of an approval has this standing."""

    def stands(row: Any) -> Cases:
        at_step = sa.true() if step is None else row.data["step"].as_integer() == step
        so = row.data["standing"].as_string() == standing
        return sa.and_(row.form == chain, so, at_step)

    return _latest("chain", _CHAIN, stands)


_OVERTAKEN = OVERTAKEN + "chain"
_CHAIN = ("chain", _OVERTAKEN)


def _last_step_in_earlier_round(chain: str) -> Cases:
    """Return the cases whose last step of an approval is of a round before the present one."""
    return _latest(
        "chain", _CHAIN, lambda row: sa.and_(row.form == chain, row.round < Complaint.round)
    )


def endorsed_by(employee_id: int) -> Cases:
    """Return the cases on which an employee gave or refused an approval."""
    row = aliased(FormEntry)
    return _cases_with(row, row.section == "chain", row.employee_id == employee_id)


# ---------------------------------------------------------------- the jury


def sits_on_jury(number: str) -> Cases:
    """Return the cases with an open vote on whose jury the employee of that number sits."""
    return _latest("vote", ("vote", "ruling"), lambda seated: _seated(seated, number))


def to_vote(number: str, employee_id: int) -> Cases:
    """Return the same cases, as long as the employee has not voted."""

    def waits(seated: Any) -> Cases:
        ballot = aliased(FormEntry)
        voted = sa.exists().where(
            ballot.complaint_id == seated.complaint_id,
            ballot.section == "ballot",
            ballot.form == seated.form,
            ballot.position > seated.position,
            ballot.employee_id == employee_id,
        )
        return sa.and_(_seated(seated, number), ~voted)

    return _latest("vote", ("vote", "ruling"), waits)


def to_convene() -> Cases:
    """Return the cases with an appeal that waits for its jury."""
    return _latest("appeal", ("appeal", "vote", "ruling"), lambda appeal: sa.true())


def _seated(seated: Any, number: str) -> Cases:
    members = seated.data["members"].as_string()
    found: Cases = members.contains(json.dumps(number), autoescape=True)
    return found


def _latest(section: str, stages: Collection[str], asked: Callable[[Any], Cases]) -> Cases:
    """Return the cases on which the newest entry of a section fits and no later stage
    followed it.
    """
    row, later = aliased(FormEntry), aliased(FormEntry)
    newer = sa.exists().where(
        later.complaint_id == row.complaint_id,
        later.section.in_(stages),
        later.form == row.form,
        later.position > row.position,
    )
    return _cases_with(row, row.section == section, asked(row), ~newer)
