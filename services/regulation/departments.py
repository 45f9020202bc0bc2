"""The company's department that each department of a regulation means.

A department means the company's one of the same key, unless a row says otherwise from a day on.
That is a fact of the company: it changes without a new version, and may be set for a draft.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Department, DepartmentMeaning, Policy, PolicyRule, PolicyVersion
from policy.pack.schema import DepartmentEntry, Pack
from policy.vocabulary.errors import ChoiceUnknown, FieldMissing, MeaningTaken, ValueRefused
from services.company import actors

IN_THE_END = dt.date.max
"""The day on which every meaning holds, also those that begin later."""


def policy_departments(session: Session) -> dict[str, str]:
    """Return the departments of all regulations, drafts included: `policy_id/key` and their names.

    A later version decides the name.
    """
    rows = session.execute(
        sa.select(Policy.id, Policy.name, PolicyRule.key, PolicyRule.data)
        .join(PolicyVersion, PolicyVersion.policy_id == Policy.id)
        .join(PolicyRule, PolicyRule.policy_version_id == PolicyVersion.id)
        .where(PolicyRule.section == "department", PolicyRule.key != "")
        .where(sa.or_(PolicyVersion.status != "withdrawn", PolicyVersion.published_at.is_not(None)))
        .order_by(Policy.name, PolicyVersion.number, PolicyRule.position)
    )
    return {
        name_of(policy_id, key): f"{policy} · {data.get('label') or key}"
        for policy_id, policy, key, data in rows
    }


def name_of(policy_id: int, key: str) -> str:
    """Return the name under which `policy_departments` lists a department of a regulation."""
    return f"{policy_id}/{key}"


def add_meaning(
    session: Session, policy_department: str, department: Department, *, from_on: dt.date
) -> DepartmentMeaning:
    """Let a regulation's department (of `policy_departments`) mean one of the company from a day
    on.

    Raises ChoiceUnknown for another name, and the errors of `change_meaning`.
    """
    if policy_department not in policy_departments(session):
        raise ChoiceUnknown(field="policy_department", value=policy_department)
    policy_id, _, key = policy_department.partition("/")
    row = DepartmentMeaning(policy=session.get_one(Policy, int(policy_id)), key=key)
    change_meaning(session, row, department, from_on=from_on)
    session.add(row)
    session.flush()
    return row


def change_meaning(
    session: Session, row: DepartmentMeaning, department: Department, *, from_on: dt.date
) -> None:
    """Change the department a row means, and since when; cases keep the department they have.

    Raises FieldMissing, ValueRefused for a department that is not active, and MeaningTaken for a
    day on which another row begins.
    """
    with session.no_autoflush:
        if department is None or from_on is None:
            raise FieldMissing(field="from_on" if department else "department")
        if not department.active:
            raise ValueRefused(field="department", value=department.name, why="inactive")
        _refuse_same_day(session, row, from_on)
        row.department, row.from_on = department, from_on
    session.flush()


def _refuse_same_day(session: Session, row: DepartmentMeaning, from_on: dt.date) -> None:
    same = sa.select(DepartmentMeaning).where(
        DepartmentMeaning.policy_id == row.policy.id,
        DepartmentMeaning.key == row.key,
        DepartmentMeaning.from_on == from_on,
    )
    other = session.scalars(same).first()
    if other is not None and other is not row:
        raise MeaningTaken(
            field="from_on",
            policy_department=policy_departments(session).get(
                name_of(row.policy.id, row.key), row.key
            ),
            department=other.department.name,
            from_on=from_on,
        )


def departments_meant(session: Session, *, policy_id: int, on: dt.date) -> dict[str, Department]:
    """Return the active department of the company each of a regulation's means on a day, by its
    key.
    """
    active = {
        department.id: department
        for department in session.scalars(sa.select(Department).where(Department.active))
    }
    real = actors.department_ids(session, policy_id=policy_id, on=on)
    return {key: active[id_] for key, id_ in real.items() if id_ in active}


def unmapped(session: Session, pack: Pack, *, policy_id: int, on: dt.date) -> list[DepartmentEntry]:
    """Return the departments of a regulation that mean no active one of the company on a day."""
    known = departments_meant(session, policy_id=policy_id, on=on)
    return [entry for entry in pack.department if entry.key not in known]
