"""Registering a case: the form, what it says, and the questions before it is saved."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from admin.kit.declared_inputs import (
    choices,
    departments,
    grades,
    plain,
    with_extra,
)
from admin.kit.display import now
from admin.kit.fields import InstantField, LookupField, SelectChoice, long_text, short_text, trimmed
from policy.pack.schema import Pack
from policy.vocabulary.time_bounds import SINCE_REGISTERS
from services.cases.intake import Doubt


class RegisterForm(FlaskForm):
    """What the care desk writes down while the customer speaks."""

    class Meta:
        csrf = False

    kind = SelectField(lazy_gettext("Kind"))
    channel = SelectField(lazy_gettext("Source"))
    received_at = InstantField(
        lazy_gettext("Received at"), [InputRequired()], bounds=SINCE_REGISTERS
    )
    customer = StringField(
        lazy_gettext("Customer"), [Optional(), Length(max=120)], filters=[trimmed]
    )
    without_customer = BooleanField(
        lazy_gettext("Without a customer"),
        description=lazy_gettext("An inspection, a visit, an incident of our own."),
    )
    phone = StringField(lazy_gettext("Phone"), [Optional(), Length(max=40)], filters=[trimmed])
    subject = short_text(lazy_gettext("Subject"))
    category = SelectField(lazy_gettext("Category"))
    grade = SelectField(lazy_gettext("Grade"))
    body = long_text(lazy_gettext("Content"), needed=False)
    demand = long_text(lazy_gettext("Demand"), needed=False)
    first_asked = LookupField(
        lazy_gettext("First-asked person"),
        what="employee",
        allow_blank=True,
        description=lazy_gettext("Whom the customer asked first. Empty: you."),
    )
    linked = LookupField(lazy_gettext("Came out of case"), what="complaint", allow_blank=True)
    department = SelectField(lazy_gettext("Dispatch at once to"))
    director_only = BooleanField(lazy_gettext("Only the director can handle it"))
    form_key = HiddenField(validators=[Optional(), Length(max=64)])

    def prepare(self, pack: Pack) -> None:
        self.kind.choices = choices(pack, "kind")
        self.channel.choices = choices(pack, "channel")
        self.category.choices = choices(pack, "category", blank=True)
        self.grade.choices = grades(pack)
        later = SelectChoice("", lazy_gettext("later"))
        self.department.choices = [later, *departments(pack)]
        if not self.is_submitted():
            self.received_at.process_data(now())
        if not self.form_key.data:
            self.form_key.data = secrets.token_hex(16)


def sent_key(form: Any) -> str:
    """The key of one form with what stands in it: sent again it is the same, changed another."""
    typed = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in ("csrf_token", "do", "sure", "form_key")
    ]
    said = json.dumps([form.form_key.data, typed], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def said_of(form: Any) -> dict[str, Any]:
    """What the register form says: employees and cases by number, own fields in `extra`."""
    said = with_extra({f.short_name: f.data or None for f in form})
    said["form_key"] = sent_key(form)
    return said | {name: plain(said[name]) for name in ("first_asked", "linked")}


def doubt_text(doubt: Doubt) -> str:
    """The question about a registration, in words."""
    match doubt.code:
        case "year_ago":
            return gettext(
                "It was received %(days)s days ago, about a year. Is the year right?",
                days=doubt.days,
            )
        case "long_ago":
            return gettext("It was received %(days)s days ago. Is that right?", days=doubt.days)
    return gettext(
        "%(number)s was registered minutes ago for the same customer with the same subject. "
        "Is this another one?",
        number=doubt.number,
    )


def codes(doubts: list[Doubt]) -> str:
    """The questions of a form in one field, so that an answer is known to be theirs."""
    return " ".join(sorted(one.code + one.number for one in doubts))


def is_sure(doubts: list[Doubt]) -> bool:
    """Whether every one of these questions was answered with yes."""
    answered = set(request.form.get("sure", "").split())
    return set(codes(doubts).split()) <= answered
