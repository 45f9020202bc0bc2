"""The forms of what is written down on a case: forms of the regulation, reports, evidence,
approvals, findings, promises. Each is about one entry of the pack and generated from it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms import BooleanField, SelectField
from wtforms.validators import InputRequired, Optional

import wording
from admin.cases.deed_forms import DeedForm
from admin.kit import tables
from admin.kit.declared_inputs import EXTRA, choices, of_event, own, with_inputs
from admin.kit.display import now
from admin.kit.fields import (
    InstantField,
    MoneyField,
    PeopleField,
    SelectChoice,
    YesNoField,
    long_text,
    short_text,
)
from policy.engine.forms import next_approver
from policy.pack.schema import Pack
from policy.vocabulary.events import Informed
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import marks_of
from services.calendar import working_calendar
from services.cases import attachments
from services.cases.desk import CasePage
from services.regulation import company_texts
from wording import form_text


def when() -> InstantField:
    """The input for when something happened that is written down afterwards."""
    return InstantField(lazy_gettext("When"), [Optional()], description=lazy_gettext("Empty: now."))


class FilledForm(DeedForm):
    """A form of the regulation: its inputs are the fields it declares."""

    @classmethod
    def made_for(cls, pack: Pack, entry: Any) -> type[DeedForm]:
        form: Any = type(cls.__name__, (with_inputs(cls, entry.fields),), {"at": when()})
        return form  # type: ignore[no-any-return]  # made from a class we know

    def look_up(self, session: Session, page: CasePage) -> None:
        """Beside a field that is called like an indicator stands what that came to in the month
        before the case was received: in all, and by department (MKT-6.2.1).
        """
        received = working_calendar.work_calendar(session).local(page.complaint.received_at)
        last = received.date().replace(day=1) - dt.timedelta(days=1)
        found = tables.told(
            session,
            page.complaint.policy_version,
            [field.key for field in self.entry.fields],
            from_on=last.replace(day=1),
            until_on=last,
        )
        for key, value in found.items():
            month = gettext("%(name)s: %(value)s", name=f"{last:%Y-%m}", value=value)
            self[EXTRA + key].description = month

    def said(self) -> dict[str, Any]:
        typed = own({f.short_name: f.data for f in self})
        data = {key: value for key, value in typed.items() if value not in (None, "", [])}
        return {"form": self.entry.key, "data": data, "at": self._fields["at"].data}


class ReportedForm(DeedForm):
    way = SelectField(lazy_gettext("Way"))
    addressee = short_text(lazy_gettext("Addressee"))
    proof = short_text(lazy_gettext("Proof"), needed=False)
    text = long_text(lazy_gettext("Content"), needed=False)
    at = when()

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        self.way.choices = [SelectChoice(way.key, way.label) for way in self.entry.ways]
        if self.entry.proof:
            self.proof.validators = [InputRequired(), *self.proof.validators[1:]]
            self.proof.flags.required = True

    def look_up(self, session: Session, page: CasePage) -> None:
        """The addressee is the authority of the day, else whom the regulation names."""
        if self.addressee.raw_data:
            return
        named = company_texts.texts_on(
            session,
            policy_id=page.complaint.policy_version.policy_id,
            section=company_texts.AUTHORITY,
            on=working_calendar.work_calendar(session).local(now()).date(),
        )
        self.addressee.data = named.get(self.entry.key, self.entry.to)

    def said(self) -> dict[str, Any]:
        return super().said() | {"report": self.entry.key}


class CheckedForm(DeedForm):
    """An item of a checklist; its picture is one of the case's or comes with the form."""

    evidence = long_text(lazy_gettext("Evidence"))
    paper = SelectField(lazy_gettext("Photo"), validators=[Optional()], validate_choice=False)

    def look_up(self, session: Session, page: CasePage) -> None:
        found = attachments.of_case(session, page.complaint)
        blank = SelectChoice("", lazy_gettext("the one sent with this form, or none"))
        self.paper.choices = [blank, *(SelectChoice(one.checksum, one.name) for one in found)]
        if self.item.photo:
            self.lead = lazy_gettext("This item needs a photo: choose one or send one along.")

    def said(self) -> dict[str, Any]:
        return super().said() | {"checklist": self.entry.key, "item": self.item.key}


class EndorsedForm(DeedForm):
    agrees = YesNoField(lazy_gettext("Agrees"), [InputRequired()])
    opinion = long_text(lazy_gettext("Opinion"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        post = next_approver(facts, self.entry, pack)
        if post:
            self.lead = gettext(
                "It is the turn of: %(post)s", post=form_text.post_label(post, pack)
            )

    def said(self) -> dict[str, Any]:
        return super().said() | {"chain": self.entry.key}


class EscalatedForm(DeedForm):
    reason = long_text(lazy_gettext("Reason"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        level = facts.times_entered("ladder", self.entry.key)
        if level < len(self.entry.steps):
            post = form_text.post_label(self.entry.steps[level], pack)
            self.lead = gettext("It goes to: %(post)s", post=post)

    def said(self) -> dict[str, Any]:
        return super().said() | {"ladder": self.entry.key}


class InvolvedForm(DeedForm):
    department = SelectField(lazy_gettext("Department"))
    task = long_text(lazy_gettext("Task"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        self.department.choices = choices(pack, "department")


class InformedForm(DeedForm):
    about = SelectField(lazy_gettext("About"))
    channel = short_text(lazy_gettext("How the customer was told"))
    text = long_text(lazy_gettext("What was said"))
    at = when()

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        self.about.choices = of_event(marks_of(Informed)["about"], pack, needed=True).offered


class PromisedForm(DeedForm):
    text = long_text(lazy_gettext("What was promised"))
    until = InstantField(lazy_gettext("Promised for"), [Optional()])
    amount = MoneyField(lazy_gettext("Worth (yuan)"), validators=[Optional()])
    consent = BooleanField(lazy_gettext("The customer agrees to a later time than usual"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        limits = [
            gettext("%(post)s up to %(sum)s", post=one.label, sum=wording.money(one.up_to))
            for one in pack.authority
        ]
        if limits:
            self.lead = gettext("Who may promise what: %(limits)s", limits="；".join(limits))


class VerifiedForm(DeedForm):
    finding = SelectField(lazy_gettext("Finding"))
    concerned = PeopleField(lazy_gettext("Persons concerned"))
    text = long_text(lazy_gettext("What was found"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        valid, invalid = gettext("valid complaint"), gettext("not valid")
        self.finding.choices = [
            SelectChoice(
                one.key, f"{one.label} · {one.cite}", optgroup=valid if one.valid else invalid
            )
            for one in pack.finding
        ]


class ConcludedForm(DeedForm):
    text = long_text(lazy_gettext("How it ended"))


FORMS: dict[str, type[DeedForm]] = {
    "filled": FilledForm,
    "reported": ReportedForm,
    "checked": CheckedForm,
    "endorsed": EndorsedForm,
    "escalated": EscalatedForm,
    "involved": InvolvedForm,
    "informed": InformedForm,
    "promised": PromisedForm,
    "verified": VerifiedForm,
    "concluded": ConcludedForm,
}
"""The forms of these deeds, by the names of their events."""
