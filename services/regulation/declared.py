"""Fields that regulations declare beyond those of every case: their own, and those of their forms.

Lists, exports and workbooks name them alike: `extra.batch`, `form.survey.cause`. Of a form the last
filling counts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Complaint, FormEntry
from policy.pack.forms_and_reports import FormField
from policy.pack.schema import FieldEntry, Pack
from policy.vocabulary.errors import ValueRefused
from services.regulation import policies

EXTRA, FORM = "extra.", "form."
Filled = Mapping[str, Mapping[str, Any]]
"""The data of the last filling of each form of a case, by the form's key."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared field: its name in lists, its label, and its schema."""

    name: str
    label: str
    field: FieldEntry | FormField
    form: str | None = None

    def of(self, complaint: Complaint, filled: Filled) -> Any:
        """Return the value of a case in this field, as JSON data, or None."""
        if self.form is None:
            return complaint.extra.get(self.field.key)
        return filled.get(self.form, {}).get(self.field.key)


def declared_fields(pack: Pack) -> dict[str, Declared]:
    """Return every field a regulation declares for cases, by name: of the case, then of its
    forms.
    """
    found = {EXTRA + one.key: Declared(EXTRA + one.key, one.label, one) for one in pack.field}
    for form in pack.form:
        if form.alone:
            continue
        for one in form.fields:
            name = f"{FORM}{form.key}.{one.key}"
            found[name] = Declared(name, f"{form.label} · {one.label}", one, form.key)
    return found


_NUMBER = re.compile(r"[\w-]+")


def check_cases_exist(
    session: Session, asked: Iterable[FieldEntry | FormField], said: Mapping[str, Any]
) -> None:
    """Refuse data whose fields of shape `cases` name a case that does not exist.

    Raises ValueRefused with the field and the unknown numbers.
    """
    for one in asked:
        numbers = _NUMBER.findall(str(said.get(one.key) or "")) if one.shape == "cases" else ()
        known = sa.select(Complaint.number).where(Complaint.number.in_(numbers))
        there = set(session.scalars(known)) if numbers else set()
        if strange := [number for number in numbers if number not in there]:
            raise ValueRefused(field=one.label, value=", ".join(strange), why="no_such_case")


def in_force(session: Session, *, on: dt.date) -> dict[str, Declared]:
    """Return the fields of all regulations in force on a day; of one name the first
    regulation's.
    """
    found: dict[str, Declared] = {}
    for version in policies.all_in_force(session, on=on):
        for name, one in declared_fields(policies.pack(session, version)).items():
            found.setdefault(name, one)
    return found


def last_filled(
    session: Session, complaint_ids: Collection[int], names: Iterable[str]
) -> dict[int, dict[str, Mapping[str, Any]]]:
    """Return the last filling of the forms these field names need, by case and form; one
    statement.
    """
    return last_entries(
        session, complaint_ids, {n.split(".")[1] for n in names if n.startswith(FORM)}
    )


def last_entries(
    session: Session,
    complaint_ids: Collection[int],
    forms: Collection[str],
    *,
    section: str = "form",
) -> dict[int, dict[str, Mapping[str, Any]]]:
    """Return the last filling of some forms, by case and key; with `chain`, the last
    approval step.
    """
    found: dict[int, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    if not forms or not complaint_ids:
        return found
    rows = session.execute(
        sa.select(FormEntry.complaint_id, FormEntry.form, FormEntry.data)
        .where(FormEntry.section == section, FormEntry.form.in_(sorted(forms)))
        .where(FormEntry.complaint_id.in_(sorted(complaint_ids)))
        .order_by(FormEntry.id)
    )
    for case, form, data in rows:
        found[case][form] = data
    return found
