"""The form that amends a journal row: its fields as they were, and what would change."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

from flask import request
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import HiddenField

import wording
from admin.kit.declared_inputs import (
    EXTRA,
    INPUTS,
    data_of,
    of_event,
    own,
    with_extra,
    with_inputs,
    with_pack_fields,
)
from admin.kit.fields import long_text
from admin.kit.page import seen_version
from models import Employee, Journal, User
from policy.engine.fact_changes import Effect
from policy.pack.schema import Pack
from policy.vocabulary.errors import FieldMissing
from policy.vocabulary.events import Event, dump_event, load_event
from policy.vocabulary.marks import FieldMarks, Mark, marks_of
from services.cases import correcting, desk, journal
from services.cases.desk import CasePage
from services.company import actors, people


class Amendment:
    """One visit to the form: what was typed, and once asked for, what it would change."""

    def __init__(self, session: Session, page: CasePage, row: Journal) -> None:
        self.session, self.page, self.row = session, page, row
        self.title = wording.deed(row.event)
        self.event = self._as_it_stands()
        self.form = _form(self.event, page, session)
        self.preview: tuple[Effect, ...] | None = None
        self.people = page.people
        self.wanted = request.form.get("do", "")

    def _as_it_stands(self) -> Event:
        """The event with the corrections it has had so far."""
        data = dict(self.row.data)
        for later in reversed(self.page.history):
            if later.event == "corrected" and later.data.get("target") == self.row.seq:
                data |= later.data["changes"]
        return load_event(data)

    def carried_out(self, user: User, now: dt.datetime) -> bool:
        """Do what was confirmed, or fill `preview` and say False."""
        withdraws = "withdraw" in self.wanted
        changed = None if withdraws else self._changes()
        if changed == {}:
            raise FieldMissing(field="changes")
        complaint = self.page.complaint
        if self.wanted.startswith("preview"):
            self.preview = correcting.preview(
                self.session, complaint, target=self.row.seq, changed=changed, now=now
            )
            self.people = {**self.people, **desk.employees_in(self.session, self.preview)}
            return False
        return self._amended(changed, user, now)

    def _amended(self, changed: dict[str, Any] | None, user: User, now: dt.datetime) -> bool:
        number = self.page.complaint.number
        complaint = journal.lock_case(self.session, number, seen=seen_version(self.form))
        said: dict[str, Any] = {
            "target": self.row.seq,
            "reason": self.form.why.data,
            "actor": actors.of_user(user),
            "now": now,
        }
        if changed is None:
            correcting.withdraw(self.session, complaint, **said)
        else:
            correcting.correct(self.session, complaint, changes=changed, **said)
        return True

    def _changes(self) -> dict[str, Any]:
        """The fields that were typed differently from how they stand, as JSON data."""
        typed = {f.short_name: f.numbers if f.type == "PeopleField" else f.data for f in self.form}
        said = with_extra(typed)
        old = self.event.model_dump(mode="json")
        if "data" in old:
            said["data"] = {k: v for k, v in own(typed).items() if v not in (None, "", [])}
        if "extra" not in old:
            said.pop("extra")
        fresh = {key: _json(value) for key, value in said.items() if key in old}
        return {key: value for key, value in fresh.items() if _differs(value, old[key])}


def _json(value: Any) -> Any:
    if isinstance(value, Employee):
        return value.number
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple):
        return list(value)
    return value.strip() or None if isinstance(value, str) else value


def _differs(typed: Any, stored: Any) -> bool:
    """Whether something was changed; a form knows minutes, so seconds alone are no change."""
    try:
        one, other = dt.datetime.fromisoformat(typed), dt.datetime.fromisoformat(stored)
    except (TypeError, ValueError):
        return bool((typed or None) != (stored or None))
    return one.replace(second=0, microsecond=0) != other.replace(second=0, microsecond=0)


class _AmendForm(FlaskForm):
    class Meta:
        csrf = False  # the page carries the token

    seen = HiddenField()


def _form(event: Event, page: CasePage, session: Session) -> Any:
    """A form with the fields of an event as they stand, and why they are amended."""
    pack = page.pack
    fields = {name: _input(one, pack) for name, one in _amended(event).items() if not one.table}
    form = type("AmendForm", (_AmendForm,), fields)
    if "extra" in type(event).model_fields:
        form = with_pack_fields(form, pack, intake="all")
    if "data" in type(event).model_fields:
        form = with_inputs(form, _entry(event, pack).fields)
    form = type("AmendForm", (form,), {"why": long_text(lazy_gettext("Why it is amended"))})
    data = _data(event, pack, session) | {"seen": str(page.complaint.version)}
    return form(data=data)


def _amended(event: Event) -> dict[str, FieldMarks]:
    """The fields that may have been written down wrongly; another form is another event."""
    fields = marks_of(type(event))
    never = frozenset({Mark.by_system, Mark.fixed})
    return {name: one for name, one in fields.items() if not never & one.marks}


def _input(one: FieldMarks, pack: Pack) -> Any:
    """The input for a field; what it may be emptied of is the service's to say."""
    return INPUTS.made(of_event(one, pack, needed=False))


def _entry(event: Event, pack: Pack) -> Any:
    return pack.find("form", getattr(event, "form", ""))


def _data(event: Event, pack: Pack, session: Session) -> dict[str, Any]:
    """What the inputs show at first: the event's fields, with people as rows."""
    data = {name: getattr(event, name) for name in type(event).model_fields}
    for name, one in _amended(event).items():
        if Mark.person not in one:
            continue
        if one.several:
            data[name] = [people.find_employee(session, who) for who in data[name]]
        else:
            data[name] = people.known_employee(session, data[name])
    for key, value in dump_event(event).get("extra", {}).items():
        data[EXTRA + key] = data_of(pack.find("field", key), value)
    for key, value in dump_event(event).get("data", {}).items():
        data[EXTRA + key] = data_of(_entry(event, pack).field(key), value)
    return data
