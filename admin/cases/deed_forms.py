"""The small forms of the deeds on the page of a case.

A form knows its fields and nothing else; whether its deed may be done is the engine's answer,
and what it brings is the service's.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, Field, HiddenField, SelectField
from wtforms.validators import InputRequired, Optional

from admin.kit.declared_inputs import (
    INPUTS,
    asked_fields,
    choices,
    departments,
    fill_in,
    grades,
    of_event,
    plain,
    with_extra,
    with_pack_fields,
)
from admin.kit.fields import (
    DayField,
    EnumField,
    InstantField,
    LookupField,
    MoneyField,
    PeopleField,
    SelectChoice,
    long_text,
    short_text,
)
from policy.engine.conditions import holds
from policy.engine.penalties import may_be_found
from policy.engine.severity import destination
from policy.pack.schema import Pack
from policy.vocabulary.events import CalledBack, Event
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import entry_field, marks_of
from policy.vocabulary.status import (
    CallOutcome,
    CallPurpose,
    ReplyOutcome,
    Responsibility,
    Satisfaction,
    Status,
)
from services.cases.desk import CasePage
from wording import form_text


class DeedForm(FlaskForm):
    """What the forms of all deeds share: the version of the case they were made from.

    A deed about one entry of the regulation has it in `entry`, of a list with `item`.
    """

    class Meta:
        csrf = False  # the token of the page covers every form on it

    seen = HiddenField()
    lead: Any = None
    entry: Any = None
    item: Any = None

    @classmethod
    def made_for(cls, pack: Pack, entry: Any) -> type[DeedForm]:
        """The form with the inputs that the regulation adds to it."""
        return cls

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        """Fill in what the regulation and the case offer to choose from."""

    def look_up(self, session: Session, page: CasePage) -> None:
        """Fill in what only the record knows, such as who holds a post today."""

    def said(self) -> dict[str, Any]:
        """The arguments of the service: what was typed, None where nothing was."""
        return {f.short_name: _said(f) for f in self if f.short_name != "seen"}


class MarkedForm(DeedForm):
    """The form of a deed without one of its own: an input for each field of its `event`."""

    event: ClassVar[type[Event]]

    @classmethod
    def made_for(cls, pack: Pack, entry: Any) -> type[DeedForm]:
        fields = {one.name: one for one in asked_fields(cls.event) if not one.table}
        if about := entry_field(cls.event):
            del fields[about.name]
        inputs = {
            name: INPUTS.made(of_event(one, pack, entry, needed=one.required))
            for name, one in fields.items()
        }
        return type(cls.__name__, (cls,), inputs)

    def said(self) -> dict[str, Any]:
        about = entry_field(self.event)
        return super().said() | ({about.name: self.entry.key} if about else {})


def _said(field: Field) -> Any:
    if isinstance(field, PeopleField):
        return field.numbers
    if isinstance(field, LookupField):
        return plain(field.data)
    if isinstance(field.data, str):
        return field.data.strip() or None
    return field.data


class NoteForm(DeedForm):
    text = long_text(lazy_gettext("What happened"))


class OptionalNoteForm(DeedForm):
    text = long_text(lazy_gettext("Note"), needed=False)


class DispatchForm(DeedForm):
    department = SelectField(lazy_gettext("Responsible department"))
    director_only = BooleanField(lazy_gettext("Only the director can handle it"))
    text = long_text(lazy_gettext("Note to the department"), needed=False)

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        self.department.choices = departments(pack)
        meant = destination(facts, pack)
        if meant is None:
            return
        if not self.is_submitted():
            self.department.data = meant[0]
        if meant[1]:
            post = form_text.post_label(meant[1], pack)
            self.lead = gettext("Such a case is received by: %(post)s", post=post)


class ContactForm(DeedForm):
    at = InstantField(
        lazy_gettext("Spoken to the customer at"),
        [Optional()],
        description=lazy_gettext("Empty: now."),
    )
    text = long_text(lazy_gettext("What was said"), needed=False)


class AssignForm(DeedForm):
    handler = LookupField(lazy_gettext("Handler"), what="employee")


class ReplyForm(DeedForm):
    outcome = EnumField(lazy_gettext("Outcome"), members=ReplyOutcome)
    text = long_text(lazy_gettext("What was done, or why not"))
    until = InstantField(
        lazy_gettext("Time asked for until"),
        [Optional()],
        description=lazy_gettext("Only for an extension."),
    )


class GrantForm(DeedForm):
    until = InstantField(lazy_gettext("Granted until"), [InputRequired()])

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        if self.until.data is None and facts.extensions:
            self.until.process_data(facts.extensions[-1].until)
            self.until.data = facts.extensions[-1].until


class DecideForm(DeedForm):
    solved = BooleanField(lazy_gettext("The matter is solved"))
    text = long_text(lazy_gettext("Decision"))
    until = InstantField(
        lazy_gettext("Term for the department"),
        [Optional()],
        description=lazy_gettext("Needed when the department is to go on."),
    )


class WritingForm(DeedForm):
    proof = short_text(lazy_gettext("Where the written answer can be found"))


class CallForm(DeedForm):
    purpose = EnumField(lazy_gettext("Purpose"), members=CallPurpose)
    method = SelectField(lazy_gettext("Way of the callback"), default="phone")
    outcome = EnumField(lazy_gettext("Outcome"), members=CallOutcome)
    satisfaction = EnumField(
        lazy_gettext("Satisfied with the result"), members=Satisfaction, allow_blank=True
    )
    process_score = EnumField(
        lazy_gettext("Satisfied with the handling"), members=Satisfaction, allow_blank=True
    )
    matches_form = SelectField(
        lazy_gettext("The customer's account"),
        choices=[
            SelectChoice("yes", lazy_gettext("agrees with the form")),
            SelectChoice("no", lazy_gettext("differs from the form")),
        ],
    )
    asks_more = BooleanField(lazy_gettext("The customer asks for more"))
    care_insists = BooleanField(lazy_gettext("Customer care thinks more must be done"))
    text = long_text(lazy_gettext("The customer's words"), needed=False)
    lead = lazy_gettext("An unhappy customer who asks for more restarts the case with this form.")

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        method = marks_of(CalledBack)["method"]
        self.method.choices = of_event(method, pack, needed=True).offered
        if not self.is_submitted() and facts.status is Status.closed:
            self.purpose.data = CallPurpose.satisfaction

    def said(self) -> dict[str, Any]:
        return super().said() | {"matches_form": self.matches_form.data != "no"}


class RestartForm(DeedForm):
    ground = SelectField(
        lazy_gettext("Ground"),
        choices=[
            SelectChoice("verification", lazy_gettext("Verification callback")),
            SelectChoice("decision", lazy_gettext("The care director's decision")),
            SelectChoice("satisfaction", lazy_gettext("Satisfaction callback")),
            SelectChoice("repeat", lazy_gettext("The customer complained again")),
        ],
    )
    text = long_text(lazy_gettext("The customer's view"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        fitting = {Status.disputed: "decision", Status.closed: "repeat"}
        fitting[Status.accepted] = "satisfaction"
        if not self.is_submitted():
            self.ground.data = fitting.get(facts.status, "verification")


class SignForm(DeedForm):
    feedback = long_text(lazy_gettext("The customer's own words"))


class JudgeForm(DeedForm):
    ground = SelectField(lazy_gettext("Ground"))
    employee = LookupField(
        lazy_gettext("Employee"),
        what="employee",
        allow_blank=True,
        description=lazy_gettext("Left empty where the ground names the responsible director."),
    )
    amount = MoneyField(
        lazy_gettext("Amount"),
        validators=[Optional()],
        description=lazy_gettext("Only where the ground leaves the sum to whoever decides."),
    )
    together = PeopleField(
        lazy_gettext("Together with"),
        description=lazy_gettext("Where it cannot be pinned on one person."),
    )
    happened_on = DayField(
        lazy_gettext("Day of the deed"),
        validators=[Optional()],
        description=lazy_gettext("Where it was not today: the pay of its month is meant."),
    )
    text = long_text(lazy_gettext("Finding"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        by_hand = [p for p in pack.penalty if p.by_hand and may_be_found(p, facts)]
        rewards = [r for r in pack.reward if holds(r.applies, facts)]
        self.ground.choices = [
            *(_ground(one, pack, lazy_gettext("Penalty")) for one in by_hand),
            *(_ground(one, pack, lazy_gettext("Reward")) for one in rewards),
        ]
        if not any(p.collective for p in by_hand):
            del self.together
        if not any(p.by_decision for p in by_hand) and not any(r.by_decision for r in rewards):
            del self.amount


def _ground(entry: Any, pack: Pack, group: Any) -> SelectChoice:
    """A ground to choose, with what it brings and its clause."""
    words = " · ".join([entry.label, form_text.price_text(entry, pack), entry.cite])
    return SelectChoice(entry.key, words, optgroup=str(group))


class ClassifyForm(DeedForm):
    kind = SelectField(lazy_gettext("Kind"))
    category = SelectField(lazy_gettext("Category"))
    grade = SelectField(lazy_gettext("Grade"))
    responsibility = EnumField(lazy_gettext("Responsibility"), members=Responsibility)
    reason = long_text(
        lazy_gettext("Reason"),
        needed=False,
        description=lazy_gettext(
            "Needed where the company is not responsible, where a grade or level falls, and where "
            "a penalty loses its ground."
        ),
    )

    @classmethod
    def made_for(cls, pack: Pack, entry: Any) -> type[DeedForm]:
        return with_pack_fields(cls, pack, intake="all")  # type: ignore[return-value]  # a subclass of this form

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        self.kind.choices = choices(pack, "kind")
        self.category.choices = choices(pack, "category", blank=True)
        self.grade.choices = grades(pack)
        if not self.is_submitted():
            self.kind.data, self.category.data = facts.kind, facts.category or ""
            self.responsibility.data = facts.responsibility
            self.grade.data = facts.grade if facts.grade_chosen else ""
            fill_in(self, pack, facts.extra)

    def said(self) -> dict[str, Any]:
        return with_extra(super().said())


class TakeOverForm(DeedForm):
    channel = SelectField(lazy_gettext("Source"))
    category = SelectField(lazy_gettext("Category"))
    grade = SelectField(lazy_gettext("Grade"))
    lead = lazy_gettext("The clocks of the regulation run from now on.")

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        self.channel.choices = choices(pack, "channel", blank=True)
        self.category.choices = choices(pack, "category", blank=True)
        self.grade.choices = grades(pack)


# ---------------------------------------------------------------- deed by deed

FORMS: dict[str, type[DeedForm]] = {
    "taken_over": TakeOverForm,
    "classified": ClassifyForm,
    "dispatched": DispatchForm,
    "assigned": AssignForm,
    "contacted": ContactForm,
    "progressed": NoteForm,
    "arrived_on_site": OptionalNoteForm,
    "replied_in_writing": WritingForm,
    "replied": ReplyForm,
    "extension_granted": GrantForm,
    "decided": DecideForm,
    "reviewed": NoteForm,
    "factory_closed": OptionalNoteForm,
    "called_back": CallForm,
    "restarted": RestartForm,
    "signed": SignForm,
    "judged": JudgeForm,
}
"""The deeds with a form of their own; any other has one made from the marks of its event."""
