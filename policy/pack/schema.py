"""A regulation as data: the schema of a pack in ten shapes; `loading` reads one from a file.

Every entry has a stable `key`, a `label` for the screen and a `cite`. A value written
`"$name"` stands for the parameter of that name, so a company's choice is made once.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from policy.pack.forms_and_reports import (
    AlertEntry,
    AuthorityEntry,
    ChainEntry,
    ChecklistEntry,
    FindingEntry,
    FormTemplate,
    IndicatorEntry,
    LadderEntry,
    LedgerEntry,
    ReportEntry,
    ReportOutEntry,
    ScriptEntry,
    VoteEntry,
)
from policy.pack.money import ClaimEntry, PenaltyEntry, RewardEntry, SanctionEntry
from policy.pack.shapes import (
    Choice,
    Clause,
    Condition,
    Entry,
    EventName,
    Events,
    FieldPath,
    FieldShape,
    Flag,
    Involvement,
    Quantity,
    Scalar,
    SchemaError,
    Shape,
    Text,
    ValueBounds,
    check_bounds,
    check_choices,
)
from policy.vocabulary import editions
from policy.vocabulary.marks import RefTo, ValueOf
from policy.vocabulary.status import CallOutcome, CallPurpose
from policy.vocabulary.worktime import Unit


class PolicyHead(Entry):
    """The regulation itself, and the terms of appeal, wage month and customer flags.

    `edition` is that of the engine its cases are judged by.
    """

    section = "policy"

    title: Text
    scope: Text | None = None
    appeal_term: Quantity
    customer_flag_term: Quantity | None = None  # the longest time a customer stays marked
    customer_flag_cite: Clause | None = None  # the clause that says so
    wage_month_ends_on: Annotated[int, Field(ge=1, le=31)]
    edition: Annotated[int, Field(ge=editions.FIRST, le=editions.LATEST)] = editions.FIRST

    def judges(self, way: editions.Judging) -> bool:
        """Whether its cases are judged in a way that a later edition brought."""
        return self.edition >= way.since

    @model_validator(mode="after")
    def _marks_by_a_clause(self) -> PolicyHead:
        if (self.customer_flag_term is None) != (self.customer_flag_cite is None):
            raise SchemaError(
                "mark_without_clause", "how long a customer stays marked has a clause of its own"
            )
        return self


class ParameterEntry(Entry):
    """A choice the text leaves open. A pack with a parameter without `value` is not published."""

    section = "parameter"

    value: Scalar | dict[str, Scalar] | tuple[Scalar, ...] | None = None
    ask: Flag = False


class ClauseEntry(Shape):
    """A clause: its number in the text and a short label in the trade's words."""

    section: ClassVar[str] = "clause"

    key: Annotated[str, Field(max_length=64)]
    label: Text


class PostEntry(Entry):
    """A post of the regulation; who holds it is a fact of the company."""

    section = "post"

    department: Annotated[str, RefTo("department")] | None = None


class DepartmentEntry(Entry):
    """A department as the regulation names it, and the post that answers for its cases.

    No case is dispatched to a department without such a post.
    """

    section = "department"

    director: Annotated[str, RefTo("post")] | None = None

    @property
    def answers(self) -> bool:
        """Whether cases are dispatched to it."""
        return self.director is not None


class KindEntry(Entry):
    """A kind of case. One that is not `handled` is counted and gets no handling form.

    One that `concludes` may end at the desk, without a department's answer: a question answered on
    the spot, an incident with complete documents.
    """

    section = "kind"

    handled: Flag = True
    number: Annotated[str, RefTo("number")]
    concludes: Flag = False


class ChannelEntry(Entry):
    """A way by which cases reach the company.

    `sheet` marks the one channel of what a department types into its own workbook, and names the
    kind of such a case. What comes by an `unattended` one (a letter box, the post) nobody has read
    before it is registered: terms from the receipt count from then.
    """

    section = "channel"

    sheet: Annotated[str, RefTo("kind")] | None = None
    unattended: Flag = False


class CategoryEntry(Entry):
    """A matter that a case is about."""

    section = "category"


class FieldEntry(Entry, ValueBounds):
    """A field of a case beyond those every case has; kept in `extra`."""

    section = "field"

    shape: FieldShape
    choices: tuple[Choice, ...] = ()
    at_intake: Flag = True

    @model_validator(mode="after")
    def _offers_something(self) -> FieldEntry:
        check_choices(self.shape, self.choices)
        check_bounds(self.shape, self)
        return self


class SeverityEntry(Entry):
    """A step of a scale (grade or level) and its conditions; the first step that fits is taken.

    The steps of a scale stand from the gravest to the lightest; one that is `equal_to` another
    weighs as much as that one. A step that is set `by_hand` is reached by a deed, only where its
    conditions hold.
    """

    section = "severity"

    scale: Literal["grade", "level"]
    when: Condition = ()
    or_when: Condition = ()
    by_hand: Flag = False  # reached by a deed, never by conditions
    equal_to: Annotated[str, RefTo("severity")] | None = None


class RouteEntry(Entry):
    """A case's kind, or the department and post it is meant for, by its facts.

    The first route that fits with a department names the department to dispatch to and the post
    that receives the case there.
    """

    section = "route"

    applies: Condition
    kind: Annotated[str, RefTo("kind")] | None = None
    department: Annotated[str, RefTo("department")] | None = None
    post: Annotated[str, RefTo("post")] | None = None


class NumberEntry(Entry):
    """A series of case numbers, such as `TS{year}{month}{serial:3}`."""

    section = "number"

    template: Annotated[str, Field(pattern=r"\{serial:[1-9]\}")]
    resets: Literal["never", "year", "month"]

    @model_validator(mode="after")
    def _counts_once(self) -> NumberEntry:
        if self.template.count("{serial") > 1:
            raise SchemaError("serial_twice", "a number has one serial")
        return self


class DeadlineEntry(Entry):
    """A deadline: what starts it, what meets it, how long it runs, and whom it binds.

    `slot`: of two deadlines of one slot only the one that ends earlier runs. `window_from` opens
    the deadline later than it starts (day 3 of day 3–5); a window of rest days only moves to the
    last working day before it where `before_rest` says so. `ends` says what happens at the end when
    that is no breach: the observation is over and the case goes to the archive, the case rises to
    `grade`, or a target is missed and an alert warns. `until` names a field that states the end
    itself (a promised time, the day of an order). `counts_from` is the event, the receipt, or a
    field with a day or instant; a later start (a new round, a graver grade) does not count from the
    receipt. `promise`: a promise to the customer moves the end, moves it only earlier, or must lie
    within it. `after_closing` replaces `within` for a start after office hours.

    `binds` is a role on the case, a post, or `member:` of a department; it is told of the breach.
    What binds the `responsible` binds who was asked first until a department has the case.
    `judged_within` is how soon a time that a person states must be recorded to count. Once a case
    is closed its terms no longer come to apply, except those `owed_when_closed`.

    A deed that comes earlier than `met_from` after the start does not meet it, except one that
    `or_met_if` is about. Where `unless` holds nothing was owed: it stops, and its breach is lifted.
    """

    section = "deadline"

    applies: Condition = ()
    starts_on: Events
    starts_if: Condition = ()
    counts_from: FieldPath = "event"
    met_by: Events = ()
    met_if: Condition = ()
    met_from: Quantity | None = None
    or_met_if: Condition = ()
    unless: Condition = ()
    within: Quantity | None = None
    after_closing: Quantity | None = None
    until: FieldPath | None = None
    window_from: Quantity | None = None
    before_rest: Flag = True
    review_every: Quantity | None = None
    promise: Literal["overrides", "earlier", "within"] | None = None
    slot: Text | None = None
    binds: Text | None = None
    ends: Literal["breach", "archive", "upgrade", "warning"] = "breach"
    grade: Annotated[str, RefTo("severity")] | None = None
    carries_over: Flag = False  # whether a new round leaves it running
    judged_by: Literal["stated", "recorded"] = "recorded"  # which time of the event counts
    judged_within: Quantity | None = None
    owed_when_closed: Flag = False

    @model_validator(mode="after")
    def _has_an_end(self) -> DeadlineEntry:
        if sum(end is not None for end in (self.within, self.until, self.review_every)) != 1:
            raise SchemaError(
                "deadline_not_one", "a deadline has one of `within`, `until` and `review_every`"
            )
        if self.after_closing and not (self.within and self.window_from is None):
            raise SchemaError(
                "after_closing_alone", "`after_closing` is in place of `within`, and of no window"
            )
        if self.judged_within and self.judged_by != "stated":
            raise SchemaError(
                "judged_within_alone", "`judged_within` belongs to a term judged by a stated time"
            )
        if (self.ends == "upgrade") != (self.grade is not None):
            raise SchemaError(
                "upgrade_grade", "`grade` is where a case rises to when it `ends` in an upgrade"
            )
        if self.counts_from == "received" and not (
            "registered" in self.starts_on and not self.until
        ):
            raise SchemaError(
                "receipt_of_registration",
                "only a term that the registration starts counts from the receipt",
            )
        return self

    @model_validator(mode="after")
    def _window_is_of_days(self) -> DeadlineEntry:
        if self.window_from is None:
            return self
        if self.within is None or {self.window_from.unit, self.within.unit} != {Unit.calendar_day}:
            raise SchemaError("window_of_days", "a window goes from one calendar day to another")
        if self.window_from.amount > self.within.amount:
            raise SchemaError("window_backwards", "a window opens before it ends")
        return self


class ExtensionEntry(Entry):
    """Which cases may get an extension of a slot, and how much in all from its start.

    It also bounds the time that the top gives with a decision, unless `top` lets it go beyond. One
    of which `top_alone` is true nobody may ask for: it is the time that only the top may give.
    """

    section = "extension"

    applies: Condition = ()
    slot: Text
    in_all: Quantity
    counter: Annotated[str, RefTo("counter")] | None = None
    top: Flag = False
    top_alone: Flag = False


class GateEntry(Entry):
    """A condition, `requires`, that must hold before the events `before`, where `applies` holds."""

    section = "gate"

    before: Events
    applies: Condition = ()
    requires: Condition


SHEETS = ("lead_sheet", "any_sheet")


class SignoffEntry(Entry):
    """The posts, roles on the case, or `member:` of a department that may do a deed.

    `never` names who may not, by how they are involved. One that `lowers` is asked in place of the
    others where a classification lowers the grade or level, or takes away the ground of a penalty.
    `anybody` is every employee: it opens to all what another
    signoff of the event gives to few. A department's workbook is no person and holds no post. It
    may do what is given to the `lead_department` or to workbooks: `lead_sheet` is the workbook of
    the department the case is at, `any_sheet` that of any department that answers for cases.
    """

    section = "signoff"

    event: Events
    applies: Condition = ()
    by: Annotated[tuple[Text, ...], Field(min_length=1)]
    deputy: Flag = True
    recorded: Flag = False  # recorded as a signoff
    never: tuple[Involvement, ...] = ()
    lowers: Flag = False

    @model_validator(mode="after")
    def _lowers_by_classifying(self) -> SignoffEntry:
        if self.lowers and self.event != ("classified",):
            raise SchemaError("lowers_classified", "only what is classified is lowered")
        return self


Ending = Annotated[
    str, ValueOf(CallOutcome), AfterValidator(lambda value: CallOutcome(value).value)
]


class CallbackEntry(Entry):
    """A sort of callback: how often to try before the case may go on without the customer."""

    section = "callback"

    purpose: Annotated[
        str, ValueOf(CallPurpose), AfterValidator(lambda value: CallPurpose(value).value)
    ]
    attempts: Annotated[int, Field(gt=0)]
    on_days: Annotated[int, Field(gt=0)]
    ends_on: tuple[Ending, ...]


class EscalationEntry(Entry):
    """A deed that raises a case to a grade."""

    section = "escalation"

    event: EventName
    applies: Condition
    grade: Annotated[str, RefTo("severity")]


class CounterEntry(Entry):
    """A tally the regulation keeps without a penalty."""

    section = "counter"


class RetentionEntry(Entry):
    """A time for which a closed case is kept; without `keep` as long as its condition holds.

    Of several that apply the last one counts.
    """

    section = "retention"

    applies: Condition = ()
    keep: Quantity | None = None

    @model_validator(mode="after")
    def _ends_some_day(self) -> RetentionEntry:
        if self.keep is None and not self.applies:
            raise SchemaError(
                "kept_forever", "what is kept without an end needs a condition that can fall"
            )
        return self


SECTIONS: dict[str, type[Shape]] = {
    kind.section: kind
    for kind in (
        ParameterEntry,
        ClauseEntry,
        PostEntry,
        DepartmentEntry,
        KindEntry,
        ChannelEntry,
        CategoryEntry,
        FieldEntry,
        SeverityEntry,
        RouteEntry,
        NumberEntry,
        DeadlineEntry,
        ExtensionEntry,
        GateEntry,
        SignoffEntry,
        CallbackEntry,
        EscalationEntry,
        PenaltyEntry,
        CounterEntry,
        RetentionEntry,
        SanctionEntry,
        RewardEntry,
        ClaimEntry,
        FormTemplate,
        LedgerEntry,
        ChainEntry,
        ChecklistEntry,
        ReportOutEntry,
        LadderEntry,
        FindingEntry,
        VoteEntry,
        AuthorityEntry,
        AlertEntry,
        IndicatorEntry,
        ReportEntry,
        ScriptEntry,
    )
}


class Pack(Shape):
    """A whole regulation, checked and indexed. Immutable; safe to share between threads."""

    policy: PolicyHead
    parameter: tuple[ParameterEntry, ...] = ()
    clause: tuple[ClauseEntry, ...] = ()
    post: tuple[PostEntry, ...] = ()
    department: tuple[DepartmentEntry, ...] = ()
    kind: tuple[KindEntry, ...] = ()
    channel: tuple[ChannelEntry, ...] = ()
    category: tuple[CategoryEntry, ...] = ()
    field: tuple[FieldEntry, ...] = ()
    severity: tuple[SeverityEntry, ...] = ()
    route: tuple[RouteEntry, ...] = ()
    number: tuple[NumberEntry, ...] = ()
    deadline: tuple[DeadlineEntry, ...] = ()
    extension: tuple[ExtensionEntry, ...] = ()
    gate: tuple[GateEntry, ...] = ()
    signoff: tuple[SignoffEntry, ...] = ()
    callback: tuple[CallbackEntry, ...] = ()
    escalation: tuple[EscalationEntry, ...] = ()
    penalty: tuple[PenaltyEntry, ...] = ()
    counter: tuple[CounterEntry, ...] = ()
    retention: tuple[RetentionEntry, ...] = ()
    sanction: tuple[SanctionEntry, ...] = ()
    reward: tuple[RewardEntry, ...] = ()
    claim: tuple[ClaimEntry, ...] = ()
    form: tuple[FormTemplate, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()
    chain: tuple[ChainEntry, ...] = ()
    checklist: tuple[ChecklistEntry, ...] = ()
    report_out: tuple[ReportOutEntry, ...] = ()
    ladder: tuple[LadderEntry, ...] = ()
    finding: tuple[FindingEntry, ...] = ()
    vote: tuple[VoteEntry, ...] = ()
    authority: tuple[AuthorityEntry, ...] = ()
    alert: tuple[AlertEntry, ...] = ()
    indicator: tuple[IndicatorEntry, ...] = ()
    report: tuple[ReportEntry, ...] = ()
    script: tuple[ScriptEntry, ...] = ()

    @cached_property
    def by_key(self) -> dict[tuple[str, str], Any]:
        """Every entry by (section, key)."""
        return {(s, e.key): e for s in SECTIONS for e in getattr(self, s)}

    def find(self, section: str, key: str | None) -> Any:
        """Return the entry of a section with a key, or None."""
        return self.by_key.get((section, key or ""))

    def label(self, section: str, key: str | None) -> str:
        """Return an entry's label; the key itself where the pack does not know it."""
        entry = self.find(section, key)
        return entry.label if entry else (key or "")

    @cached_property
    def sheet_channel(self) -> ChannelEntry | None:
        """The channel by which departments' workbooks bring cases, or None."""
        return next((entry for entry in self.channel if entry.sheet), None)

    @cached_property
    def deadlines_by_start(self) -> dict[str, tuple[DeadlineEntry, ...]]:
        """The deadlines each event may start."""
        return _grouped((name, d) for d in self.deadline for name in d.starts_on)

    @cached_property
    def gates(self) -> dict[str, tuple[GateEntry, ...]]:
        """The gates before each event."""
        return _grouped((name, g) for g in self.gate for name in g.before)

    @cached_property
    def signoffs(self) -> dict[str, tuple[SignoffEntry, ...]]:
        """The signoffs of each event."""
        return _grouped((name, s) for s in self.signoff for name in s.event)

    @cached_property
    def penalties_by_event(self) -> dict[str, tuple[PenaltyEntry, ...]]:
        """The penalties each event brings by itself."""
        return _grouped((p.event, p) for p in self.penalty if p.event)

    @cached_property
    def surcharges(self) -> dict[str, tuple[PenaltyEntry, ...]]:
        """The surcharges of each penalty."""
        return _grouped((base, p) for p in self.penalty for base in p.adds_to)

    @cached_property
    def penalties_by_deadline(self) -> dict[str, tuple[PenaltyEntry, ...]]:
        """The penalties for the breach of each deadline, those for its slot included."""
        return {
            d.key: tuple(p for p in self.penalty if p.breach_of and p.breach_of in (d.key, d.slot))
            for d in self.deadline
        }

    @cached_property
    def graver_penalties(self) -> dict[str, frozenset[str]]:
        """The keys of the penalties that replace each penalty."""
        found = _grouped((key, p) for p in self.penalty for key in p.replaces)
        return {key: frozenset(p.key for p in entries) for key, entries in found.items()}

    @cached_property
    def excluded_penalties(self) -> dict[str, frozenset[str]]:
        """The keys of the penalties that do not stand beside each penalty, whoever says so."""
        pairs = [(p.key, key) for p in self.penalty for key in p.excludes]
        found = _grouped([*pairs, *((key, own) for own, key in pairs)])
        return {key: frozenset(keys) for key, keys in found.items()}

    @cached_property
    def penalties_by_hand(self) -> tuple[PenaltyEntry, ...]:
        """The penalties whose ground a person finds."""
        return tuple(p for p in self.penalty if p.by_hand)

    @cached_property
    def alerts(self) -> dict[str, tuple[AlertEntry, ...]]:
        """The alerts of each event."""
        return _grouped((a.event, a) for a in self.alert if a.event)

    @cached_property
    def claims(self) -> dict[str, tuple[ClaimEntry, ...]]:
        """The claims of each event."""
        return _grouped((name, c) for c in self.claim for name in c.event)

    @cached_property
    def checksum(self) -> str:
        """A SHA-256 of the rules, whatever the file's spacing and comments."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        data = json.dumps(said, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(data.encode()).hexdigest()


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for name, entry in pairs:
        groups[name].append(entry)
    return {name: tuple(entries) for name, entries in groups.items()}
