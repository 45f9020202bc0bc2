"""Sections of a pack about forms, approvals, reports, indicators and alerts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from policy.pack.shapes import (
    Choice,
    Condition,
    Entry,
    EventName,
    FieldPath,
    FieldShape,
    Flag,
    Involvement,
    Number,
    Percent,
    Quantity,
    SchemaError,
    Shape,
    Text,
    ValueBounds,
    check_bounds,
    check_choices,
    check_unique_keys,
    checked_fen,
)
from policy.vocabulary.marks import MayName, RefTo

COUNTED = frozenset({"form", "report_out", "informed", "ladder", "participant", "appeal"})
"""Sections whose entries a condition counts; of a form also by its fields."""
OF_DEADLINES = ("late", "running", "met", "overdue")
"""What a condition may ask of a deadline: `late.KEY` once a breach of it stands and `met.KEY` once
a deed met it, in whichever round; `running.KEY` and `overdue.KEY` of this round's.
"""
STANDING = {"chain": "chain", "vote": "ruling"}
"""Sections whose state a condition asks for, and the section of the entry that says it."""
OF_A_ROUND = COUNTED | frozenset(STANDING)
"""Sections whose entries of this round alone a condition may ask for."""
ROUND_FACTS = frozenset(
    {"finding", "valid", "promised_at"} | {"call", "call.verification", "call.satisfaction"}
)
"""What else a condition may ask of this round alone: its last finding, promise and call."""


class FormField(ValueBounds):
    """One field of a form.

    A time that is `agreed` with the customer is promised to them once the form is filled.
    """

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    label: Text
    shape: FieldShape
    choices: tuple[Choice, ...] = ()
    required: Flag = False
    agreed: Flag = False

    @model_validator(mode="after")
    def _offers_something(self) -> FormField:
        if self.agreed and self.shape != "time":
            raise SchemaError("agreed_no_time", "only a field of the shape time is `agreed`")
        check_choices(self.shape, self.choices)
        check_bounds(self.shape, self)
        return self


class FormTemplate(Entry):
    """A form that may be filled any number of times: on a case, or by itself (`alone`).

    `of` is the paper that a filling is about: it comes after that one, and counts no longer once
    that one is filled anew. `covers` names the two instants of a turn of duty, for a log that must
    leave no hour of day or night uncovered.
    """

    section = "form"

    applies: Condition = ()
    of: FieldPath | None = None
    alone: Flag = False
    covers: tuple[Text, Text] | None = None
    fields: Annotated[tuple[FormField, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fields_stand_once(self) -> FormTemplate:
        check_unique_keys(self.fields)
        return self

    @model_validator(mode="after")
    def _covers_between_instants(self) -> FormTemplate:
        for key in self.covers or ():
            field = self.field(key)
            if field is None or field.shape != "time" or not field.required:
                raise SchemaError(
                    "covers_no_times", "`covers` names two required fields of the shape time"
                )
        return self

    def field(self, key: str) -> FormField | None:
        """Return the field with a key, or None."""
        return next((field for field in self.fields if field.key == key), None)


class LedgerEntry(Entry):
    """A register that lists cases of some kinds, or the fillings of a form."""

    section = "ledger"

    kinds: tuple[Annotated[str, RefTo("kind")], ...] = ()
    form: Annotated[str, RefTo("form")] | None = None
    columns: tuple[FieldPath, ...] = ()

    @model_validator(mode="after")
    def _lists_something(self) -> LedgerEntry:
        if bool(self.kinds) == bool(self.form):
            raise SchemaError(
                "ledger_not_one", "a ledger lists cases of kinds or fillings of a form"
            )
        return self


class ChainEntry(Entry):
    """Approvals by posts, one after another; a refusal ends the chain.

    `of` are the papers that are approved: no post approves before they are there, and one that is
    filled anew needs every approval anew.
    """

    section = "chain"

    applies: Condition = ()
    of: tuple[FieldPath, ...] = ()
    steps: Annotated[tuple[Text, ...], Field(min_length=1)]


class ChecklistItem(Shape):
    """One item of a checklist; one that is a `photo` needs a picture added to the case."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    label: Text
    photo: Flag = False


class ChecklistEntry(Entry):
    """A checklist, item by item, each with its evidence."""

    section = "checklist"

    applies: Condition = ()
    items: Annotated[tuple[ChecklistItem, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _items_stand_once(self) -> ChecklistEntry:
        check_unique_keys(self.items)
        return self


class ReportOutEntry(Entry):
    """A report to an addressee outside or above: by which ways, with proof or without.

    Who stands behind an addressee (the authority of the day) is a fact of the company.
    """

    section = "report_out"

    applies: Condition = ()
    to: Text
    ways: Annotated[tuple[Choice, ...], Field(min_length=1)]
    proof: Flag = True


class LadderEntry(Entry):
    """The posts a matter is passed up to, step by step."""

    section = "ladder"

    applies: Condition = ()
    steps: Annotated[tuple[Annotated[str, RefTo("post")], ...], Field(min_length=1)]


class FindingEntry(Entry):
    """A finding of the check of a case: a violation, a fault, a misunderstanding."""

    section = "finding"

    valid: Flag


class VoteEntry(Entry):
    """A question a jury decides: its members, its majority, who is excluded.

    Silence is not consent: the count is of the members appointed. Once `within` is over since they
    were appointed, the silence of a member is a no. `further` is the most members that may be
    appointed beside the holders of the posts.
    """

    section = "vote"

    about: Literal["unclosable", "appeal"]
    applies: Condition = ()
    rule: Literal["unanimous", "majority"]
    members: Annotated[tuple[Annotated[str, RefTo("post")], ...], Field(min_length=1)]
    never: tuple[Involvement, ...] = ()
    within: Quantity | None = None
    further: Number | None = None


class AuthorityEntry(Entry):
    """The sum up to which a post, or `anybody`, may promise a customer something."""

    section = "authority"

    by: Text
    up_to: Annotated[Decimal, Field(ge=0, le=100_000_000), AfterValidator(checked_fen)]


class AlertEntry(Entry):
    """A notification when an event happens or a deadline ends; nothing has to be done."""

    section = "alert"

    event: EventName | None = None
    breach_of: Annotated[Text, MayName("deadline")] | None = None
    applies: Condition = ()
    to: Annotated[tuple[Text, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_an_occasion(self) -> AlertEntry:
        if (self.event is None) == (self.breach_of is None):
            raise SchemaError("alert_never", "an alert comes with an event or with a breach")
        return self


Formula = Literal[
    "timely_rate",
    "satisfaction_rate",
    "reach_rate",
    "repeat_rate",
    "answered_rate",
    "count",
    "late_count",
    "survey_score",
    "visit_rate",
]


class IndicatorEntry(Entry):
    """A rate or a count over the cases of a period; the formulas stand in `indicators`.

    `counter` is what a `late_count` counts; `of` is the field of a `survey_score`, or the one in
    which a person confirms a repeat; `over` is the denominator of a timely rate: all cases
    received, or those that fell due.
    """

    section = "indicator"

    formula: Formula
    kinds: tuple[Annotated[str, RefTo("kind")], ...] = ()
    form: Annotated[str, RefTo("form")] | None = None
    of: FieldPath | None = None
    counter: Annotated[str, RefTo("counter")] | None = None
    over: Literal["received", "due"] = "received"
    window: Quantity | None = None
    target: Percent | None = None

    @property
    def limited(self) -> bool:
        """Whether its target is a limit: there should be little of what it counts."""
        return self.formula in ("repeat_rate", "late_count", "count")

    @model_validator(mode="after")
    def _knows_where_scores_stand(self) -> IndicatorEntry:
        if self.formula == "survey_score" and not (self.form and self.of):
            raise SchemaError("survey_without_form", "a survey's score stands in a field of a form")
        return self


class ReportEntry(Entry):
    """A report that is drawn up regularly: its period, its due day, its author, its addressees.

    `due_day` is the day of the following month, week or quarter by which it is due; without one it
    is due when its period ends. `per` key customer it is owed once for each of them.
    """

    section = "report"

    every: Literal["week", "month", "quarter", "year"]
    due_day: Annotated[int, Field(gt=0, le=31)] | None = None
    before_rest: Flag = True
    per: Literal["company", "key_customer"] = "company"
    by: Text
    to: tuple[Text, ...] = ()
    form: Annotated[str, RefTo("form")] | None = None
    contents: tuple[Annotated[Text, MayName("indicator")], ...] = ()


class ScriptEntry(Entry):
    """A text to say on the phone at a step; the company may word it anew without a new version."""

    section = "script"

    event: EventName
    applies: Condition = ()
    text: Annotated[str, Field(min_length=1, max_length=4000)]
