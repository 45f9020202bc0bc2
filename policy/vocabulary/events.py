"""Events of a case: one fixed vocabulary for every regulation.

An event carries all that `policy.engine.case.apply` needs from outside the case: its actor with
their posts, and the director of that day. So a journal can be folded years later, when the people
have long moved. `at` is when it happened, as stated, in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from policy.vocabulary.errors import (
    ChoiceUnknown,
    DomainError,
    FieldMissing,
    FieldTooLong,
    FieldUnknown,
    ValueRefused,
    ZoneMissing,
)
from policy.vocabulary.line_ends import one_line_end
from policy.vocabulary.marks import FieldMarks, Mark, PartOf, RefTo, marks_of
from policy.vocabulary.status import (
    ActorKind,
    CallOutcome,
    CallPurpose,
    ReplyOutcome,
    Responsibility,
    Satisfaction,
    Sign,
    Status,
)


def _one_line_end(value: Any) -> Any:
    return one_line_end(value) if isinstance(value, str) else value


# The limits stand before the line ends, or a text too long would be refused as no choice.
Short = Annotated[str, Field(min_length=1, max_length=300), BeforeValidator(_one_line_end)]
Long = Annotated[str, Field(min_length=1, max_length=20_000), BeforeValidator(_one_line_end)]

OwnLine = Annotated[Short, Mark.nameless]
OwnWords = Annotated[Long, Mark.nameless]
SilentText = Annotated[Long, Mark.silent]
EmployeeNumber = Annotated[str, Mark.person]
LeaderNumber = Annotated[str, Mark.person, Mark.by_system, Mark.silent]
CaseNumber = Annotated[Short, Mark.by_system, Mark.silent]
KindKey = Annotated[str, RefTo("kind")]
ChannelKey = Annotated[str, RefTo("channel")]
CategoryKey = Annotated[str, RefTo("category")]
GradeKey = Annotated[str, RefTo("severity", scale="grade", by_hand=False), Mark.by_rules]
DepartmentKey = Annotated[str, RefTo("department", answers=True)]
FormKey = Annotated[str, RefTo("form"), Mark.declared, Mark.fixed]
ReportKey = Annotated[str, RefTo("report_out"), Mark.declared, Mark.fixed]
ChecklistKey = Annotated[str, RefTo("checklist"), Mark.declared, Mark.fixed]
ChainKey = Annotated[str, RefTo("chain"), Mark.declared, Mark.fixed]
LadderKey = Annotated[str, RefTo("ladder"), Mark.declared, Mark.fixed]
VoteKey = Annotated[str, RefTo("vote"), Mark.declared, Mark.fixed]
FindingKey = Annotated[str, RefTo("finding"), Mark.declared]
PenaltyKey = Annotated[str, RefTo("penalty"), Mark.fixed]
GroundKey = Annotated[
    str, RefTo("penalty", by_hand=True), RefTo("reward"), Mark.fixed, Mark.nameless
]
Extra = Annotated[Mapping[Annotated[str, RefTo("field")], Any], Mark.silent]
"""Values of the regulation's own fields, by key."""
CountsByRule = Annotated[Mapping[str, Mapping[str, int]], Mark.by_system, Mark.silent]
"""Counts of employees, by the rule that counts."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeldPost(_Frozen):
    """A post an employee holds on the day, themselves or as deputy."""

    post: str
    deputy: bool = False


class By(_Frozen):
    """The actor of an event: an employee with their posts of that day, a workbook, or time."""

    kind: ActorKind
    employee: str | None = None
    departments: tuple[str, ...] = ()
    posts: tuple[HeldPost, ...] = ()


SYSTEM = By(kind=ActorKind.system)


class Event(_Frozen):
    """The fields of every event. `type` is its name in journals, packs and case files."""

    type: Annotated[str, Mark.by_system, Mark.silent]
    at: Annotated[AwareDatetime, Mark.silent]
    by: Annotated[By, Mark.by_system, Mark.silent] = SYSTEM

    amendable: ClassVar[bool] = True

    @classmethod
    def name(cls) -> str:
        """The event's name: the value of its `type`."""
        return str(cls.model_fields["type"].default)


# ---------------------------------------------------------------- the care desk takes it in


class Registered(Event):
    """A complaint was registered; `received_at` is when the customer spoke.

    `reason` says why the company is not responsible, where that is already stated. `first_asked` is
    the employee the customer asked first, for good. `linked` is the number of the case it came out
    of, `earlier` how many cases of this kind the customer had before in the year.
    """

    type: Literal["registered"] = "registered"
    number: CaseNumber
    kind: KindKey
    channel: ChannelKey
    category: CategoryKey | None = None
    grade: GradeKey | None = None
    responsibility: Annotated[Responsibility, Mark.seldom] = Responsibility.undetermined
    reason: OwnWords | None = None
    subject: OwnLine
    body: SilentText | None = None
    demand: SilentText | None = None
    received_at: Annotated[AwareDatetime, Mark.as_at, Mark.silent]
    extra: Extra = Field(default_factory=dict)
    first_asked: Annotated[EmployeeNumber, Mark.seldom] | None = None
    linked: Short | None = None
    earlier: Annotated[int, Field(ge=0), Mark.seldom, Mark.fixed, Mark.silent] = 0


class Imported(Event):
    """A case from before go-live, as the old register had it: no deadline, penalty or notice."""

    type: Literal["imported"] = "imported"
    number: CaseNumber
    kind: KindKey
    status: Annotated[Status, Mark.fixed]
    channel: ChannelKey | None = None
    category: CategoryKey | None = None
    grade: GradeKey | None = None
    subject: OwnLine
    body: SilentText | None = None
    demand: SilentText | None = None
    received_at: Annotated[AwareDatetime, Mark.as_at, Mark.silent]
    closed_at: AwareDatetime | None = None
    extra: Extra = Field(default_factory=dict)


class TakenOver(Event):
    """An open case from before go-live is worked on under the regulation from now on."""

    type: Literal["taken_over"] = "taken_over"
    channel: ChannelKey | None = None
    category: CategoryKey | None = None
    grade: GradeKey | None = None


class Classified(Event):
    """The case was classified: its sort, and the company's responsibility, with the reason.

    `earlier` is how many cases of its kind the customer had before in the year.
    """

    type: Literal["classified"] = "classified"
    kind: KindKey | None = None
    category: CategoryKey | None = None
    grade: GradeKey | None = None
    responsibility: Annotated[Responsibility, Mark.seldom] | None = None
    reason: OwnWords | None = None
    extra: Extra = Field(default_factory=dict)
    earlier: Annotated[int, Field(ge=0), Mark.by_system, Mark.fixed, Mark.silent] | None = None


class Upgraded(Event):
    """The case rises to a grade without a limit, for a specific reason; breaches so far stay."""

    type: Literal["upgraded"] = "upgraded"
    reason: OwnWords


class Reviewed(Event):
    """A case without a limit was reviewed; the next review counts from here."""

    type: Literal["reviewed"] = "reviewed"
    text: OwnWords


class Dispatched(Event):
    """The case went to a department. `holder` and `deputy` are who led it that day."""

    type: Literal["dispatched"] = "dispatched"
    department: DepartmentKey
    holder: LeaderNumber | None = None
    deputy: LeaderNumber | None = None
    director_only: bool = False
    text: OwnWords | None = None


class HandedOver(Event):
    """A case that a department has was passed on, and its deadlines run on.

    With `post` for its cause, who leads the department changed: whoever leads it from then on
    answers for what ends from then on. With `deed` a person passed it on, to whom the regulation's
    department means now. `handler` is the employee who goes on handling it, if any; `department`
    the one that has it, where it says none.
    """

    type: Literal["handed_over"] = "handed_over"
    department: Annotated[str, RefTo("department"), Mark.by_system, Mark.silent] | None = None
    holder: LeaderNumber | None = None
    deputy: LeaderNumber | None = None
    handler: LeaderNumber | None = None
    cause: Annotated[Literal["post", "deed"], Mark.by_system, Mark.silent] = "deed"
    reason: OwnWords | None = None
    amendable = False


# ---------------------------------------------------------------- the department works


class Returned(Event):
    """The department says the case is not its own; its deadlines run on."""

    type: Literal["returned"] = "returned"
    reason: OwnWords


class Assigned(Event):
    """The director assigns the handler."""

    type: Literal["assigned"] = "assigned"
    handler: EmployeeNumber


class Contacted(Event):
    """The customer was contacted for the first time."""

    type: Literal["contacted"] = "contacted"
    text: OwnWords | None = None


class Progressed(Event):
    """Progress that changes no status was noted."""

    type: Literal["progressed"] = "progressed"
    text: OwnWords


class ArrivedOnSite(Event):
    """The factory's people came to see a serious fault."""

    type: Literal["arrived_on_site"] = "arrived_on_site"
    text: OwnWords | None = None


class RepliedInWriting(Event):
    """A written answer went out; `proof` says where it can be found."""

    type: Literal["replied_in_writing"] = "replied_in_writing"
    proof: OwnLine


class Replied(Event):
    """The department answered; the answer counts once the director confirmed it."""

    type: Literal["replied"] = "replied"
    outcome: ReplyOutcome
    text: OwnWords
    until: Annotated[AwareDatetime, Mark.ahead] | None = None


class Confirmed(Event):
    """The director confirms the answer."""

    type: Literal["confirmed"] = "confirmed"


class Declined(Event):
    """The director declines the answer; the handler goes on."""

    type: Literal["declined"] = "declined"
    reason: OwnWords


class ExtensionGranted(Event):
    """The care desk grants the extension asked for, or a shorter one."""

    type: Literal["extension_granted"] = "extension_granted"
    until: Annotated[AwareDatetime, Mark.ahead]


class ExtensionRefused(Event):
    """The care desk refuses the extension; the time left runs on from here."""

    type: Literal["extension_refused"] = "extension_refused"
    reason: OwnWords


class Decided(Event):
    """The general manager intervened: solved, or back with an instruction and a term."""

    type: Literal["decided"] = "decided"
    solved: bool
    text: OwnWords
    until: Annotated[AwareDatetime, Mark.ahead] | None = None


class FactoryClosed(Event):
    """The service department closed the case in the factory's system."""

    type: Literal["factory_closed"] = "factory_closed"
    text: OwnWords | None = None


# ---------------------------------------------------------------- what is written down


class Promised(Event):
    """The customer was promised a time, a thing worth `amount` yuan, or both.

    `consent` says that the customer agreed, which a time later than the usual one needs.
    """

    type: Literal["promised"] = "promised"
    text: OwnWords
    until: Annotated[AwareDatetime, Mark.ahead] | None = None
    amount: Annotated[Decimal, Field(ge=0, le=100_000_000)] | None = None
    consent: bool = False


class Informed(Event):
    """The customer was informed: of the receipt, the plan, the progress, the result."""

    type: Literal["informed"] = "informed"
    about: Annotated[
        Literal["receipt", "plan", "progress", "answer", "result", "delay"], Mark.fixed
    ]
    channel: Short
    text: OwnWords


class Filled(Event):
    """A form of the regulation was filled in; earlier fillings stay."""

    type: Literal["filled"] = "filled"
    form: FormKey
    data: Annotated[Mapping[str, Any], PartOf("form", "fields"), Mark.silent] = Field(
        default_factory=dict
    )


class Reported(Event):
    """A report went outside or above: its real addressee, its way, its proof."""

    type: Literal["reported"] = "reported"
    report: ReportKey
    way: Annotated[str, PartOf("report", "ways"), Mark.fixed]
    addressee: Short
    proof: OwnLine | None = None
    text: OwnWords | None = None


class Checked(Event):
    """An item of a checklist is at hand; `paper` is the checksum of its picture."""

    type: Literal["checked"] = "checked"
    checklist: ChecklistKey
    item: Annotated[str, PartOf("checklist", "items"), Mark.fixed]
    evidence: Long
    paper: Annotated[Short, Mark.fixed, Mark.silent] | None = None


class Endorsed(Event):
    """The next post of a chain approves or refuses, with an opinion."""

    type: Literal["endorsed"] = "endorsed"
    chain: ChainKey
    agrees: bool
    opinion: Long


class Escalated(Event):
    """A matter that cannot be handled here goes one step up its ladder."""

    type: Literal["escalated"] = "escalated"
    ladder: LadderKey
    reason: OwnWords


class Involved(Event):
    """Another department takes part; the one that leads goes on leading."""

    type: Literal["involved"] = "involved"
    department: DepartmentKey
    task: Long


class Verified(Event):
    """The check of the case found something, about the employees concerned.

    `earlier` says for each of them how many verified complaints they had before, of those received
    in the same calendar year; `earlier_by_rule` says it of rules that count otherwise.
    """

    type: Literal["verified"] = "verified"
    finding: FindingKey
    concerned: tuple[EmployeeNumber, ...] = ()
    text: OwnWords
    earlier: Annotated[Mapping[EmployeeNumber, int], Mark.seldom, Mark.fixed, Mark.silent] = Field(
        default_factory=dict
    )
    earlier_by_rule: CountsByRule = Field(default_factory=dict)


class Concluded(Event):
    """The desk ends the case itself, without a department's answer."""

    type: Literal["concluded"] = "concluded"
    text: OwnWords


# ---------------------------------------------------------------- the jury


class Appealed(Event):
    """An appeal against a finding: the employee's, or without `employee` the department's."""

    type: Literal["appealed"] = "appealed"
    vote: VoteKey
    text: OwnWords
    employee: EmployeeNumber | None = None


class Convened(Event):
    """A jury was appointed for a question, by the employee numbers of its members.

    `seated` are those of them who hold its posts that day, or stand in for a holder.
    """

    type: Literal["convened"] = "convened"
    vote: VoteKey
    members: tuple[EmployeeNumber, ...]
    seated: tuple[LeaderNumber, ...] = ()
    text: OwnWords | None = None


class Voted(Event):
    """A member of the jury votes yes or no, with a reason."""

    type: Literal["voted"] = "voted"
    vote: VoteKey
    agrees: bool
    reason: OwnWords


class Ruled(Event):
    """The result of the votes is recorded, with the minutes."""

    type: Literal["ruled"] = "ruled"
    vote: VoteKey
    minutes: Long


# ---------------------------------------------------------------- the care desk follows up


class CalledBack(Event):
    """One attempt to call the customer back, and its outcome."""

    type: Literal["called_back"] = "called_back"
    purpose: CallPurpose
    outcome: CallOutcome
    satisfaction: Satisfaction | None = None
    process_score: Satisfaction | None = None
    matches_form: bool | None = None
    asks_more: bool | None = None
    care_insists: bool | None = None
    method: Annotated[Literal["phone", "questionnaire", "visit", "message"], Mark.fixed] = "phone"
    text: OwnWords | None = None


class Restarted(Event):
    """Another round begins; the department's director of the day is responsible for it."""

    type: Literal["restarted"] = "restarted"
    ground: Annotated[
        Literal["verification", "satisfaction", "repeat", "decision"], Mark.fixed, Mark.nameless
    ]
    text: OwnWords
    holder: LeaderNumber | None = None
    deputy: LeaderNumber | None = None


class Settled(Event):
    """A dissatisfied customer asks nothing more: the care director accepts that, with a reason."""

    type: Literal["settled"] = "settled"
    reason: OwnWords


class Signed(Event):
    """The care director closes the case with the customer's own words."""

    type: Literal["signed"] = "signed"
    feedback: OwnWords


class Archived(Event):
    """The customer did not complain again: the case goes to the archive for its years."""

    type: Literal["archived"] = "archived"

    amendable = False


# ---------------------------------------------------------------- money


class Judged(Event):
    """A person found a ground for a penalty or a reward; the engine never does.

    `together`: further employees, where it cannot be pinned on one. `amount` where the ground
    leaves it open. `happened_on` is the day of the deed, where that is not today. `taken` are the
    elements of pay that other cases took: "1001/2026-10/key". `superiors` say who heads the
    department of an employee it may be about, "1001/2001", and `posts` which posts such an employee
    holds in person, "1001/key".
    """

    type: Literal["judged"] = "judged"
    ground: GroundKey
    employee: EmployeeNumber | None = None
    together: Annotated[tuple[EmployeeNumber, ...], Mark.seldom] = ()
    amount: Annotated[Decimal, Field(gt=0, le=1_000_000)] | None = None
    happened_on: dt.date | None = None
    superiors: Annotated[tuple[str, ...], Mark.by_system, Mark.silent] = ()
    posts: Annotated[tuple[str, ...], Mark.by_system, Mark.silent] = ()
    taken: Annotated[tuple[str, ...], Mark.by_system, Mark.silent] = ()
    text: OwnWords


class OnPenalty(Event):
    """The fields of a step of one penalty, which the first three name."""

    rule: PenaltyKey
    employee: EmployeeNumber
    occasion: Annotated[str, Mark.by_system, Mark.silent]
    sign: Annotated[Sign, Mark.fixed, Mark.silent] = Sign.charge


class PenaltyConfirmed(OnPenalty):
    """An entitled person confirms the proposed penalty."""

    type: Literal["penalty_confirmed"] = "penalty_confirmed"


class PenaltyWaived(OnPenalty):
    """An entitled person waives the proposed penalty, with a reason."""

    type: Literal["penalty_waived"] = "penalty_waived"
    reason: OwnWords


class PenaltyNotified(OnPenalty):
    """The employee was notified; the appeal term begins."""

    type: Literal["penalty_notified"] = "penalty_notified"
    how: OwnLine


class PenaltyReversed(OnPenalty):
    """A confirmed penalty is to be given back: a reversal is proposed, no row is changed."""

    type: Literal["penalty_reversed"] = "penalty_reversed"
    reason: OwnWords


# ---------------------------------------------------------------- time and amendments


class TimePassed(Event):
    """Time passed: deadlines end, observation ends, reviews fall due.

    `spared` are the keys of deadlines that are not breached this time, because the file in which a
    department may have met them was not read since.
    """

    type: Literal["time_passed"] = "time_passed"
    spared: Annotated[tuple[str, ...], Mark.by_system] = ()
    amendable = False


class Retallied(Event):
    """Another case changed what counts here: verified complaints of a year, pay that was taken.

    `source` is that case. `earlier` are the counts as of a finding, for the employees whose count
    it may have changed; `taken` the elements of pay that other cases take now.
    """

    type: Literal["retallied"] = "retallied"
    source: Short
    earlier: Annotated[Mapping[EmployeeNumber, int], Mark.by_system, Mark.silent] = Field(
        default_factory=dict
    )
    earlier_by_rule: CountsByRule = Field(default_factory=dict)
    taken: Annotated[tuple[str, ...], Mark.by_system, Mark.silent] = ()
    amendable = False


class Recounted(Event):
    """The calendar changed: running deadlines are counted anew from their starts, with a reason.

    With `restores`, breaches that a calendar alone had lifted stand again where it is taken back.
    """

    type: Literal["recounted"] = "recounted"
    reason: OwnWords
    restores: Annotated[bool, Mark.by_system, Mark.silent] = False
    amendable = False


class Corrected(Event):
    """An earlier event was recorded wrongly: `changes` are its fields as they should be."""

    type: Literal["corrected"] = "corrected"
    target: Annotated[int, Mark.silent]
    changes: Annotated[Mapping[str, Any], Mark.changes]
    reason: OwnWords
    amendable = False


class Withdrawn(Event):
    """An earlier event never should have been; withdrawing the first ends the case."""

    type: Literal["withdrawn"] = "withdrawn"
    target: Annotated[int, Mark.silent]
    reason: OwnWords
    amendable = False


class Moved(Event):
    """The case goes on under another version of its regulation: ids of the record's versions.

    Earlier events are judged anew by that version's rules; breaches found late, decisions about
    penalties and payments stay.
    """

    type: Literal["moved"] = "moved"
    was: Annotated[int, Mark.silent]
    to: Annotated[int, Mark.silent]
    reason: OwnWords
    amendable = False


AnyEvent = Annotated[
    Registered
    | Imported
    | TakenOver
    | Classified
    | Upgraded
    | Reviewed
    | Dispatched
    | HandedOver
    | Returned
    | Assigned
    | Contacted
    | Progressed
    | ArrivedOnSite
    | RepliedInWriting
    | Replied
    | Confirmed
    | Declined
    | ExtensionGranted
    | ExtensionRefused
    | Decided
    | FactoryClosed
    | Promised
    | Informed
    | Filled
    | Reported
    | Checked
    | Endorsed
    | Escalated
    | Involved
    | Verified
    | Concluded
    | Appealed
    | Convened
    | Voted
    | Ruled
    | CalledBack
    | Restarted
    | Settled
    | Signed
    | Archived
    | Judged
    | PenaltyConfirmed
    | PenaltyWaived
    | PenaltyNotified
    | PenaltyReversed
    | TimePassed
    | Retallied
    | Recounted
    | Corrected
    | Withdrawn
    | Moved,
    Field(discriminator="type"),
]
EVENTS: dict[str, type[Event]] = {kind.name(): kind for kind in get_args(get_args(AnyEvent)[0])}
_ADAPTER: TypeAdapter[Event] = TypeAdapter(AnyEvent)


@cache
def fields_named(name: str) -> tuple[FieldMarks, ...]:
    """Return the fields of that name of every event, in the order of the vocabulary."""
    fields = (marks_of(kind).get(name) for kind in EVENTS.values())
    return tuple(one for one in fields if one is not None)


def load_event(data: Mapping[str, Any]) -> Event:
    """Return the event a journal row or a case file describes.

    Raises FieldMissing, FieldTooLong, FieldUnknown, ValueRefused, ZoneMissing or ChoiceUnknown for
    its first bad field.
    """
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        raise _refusal_of_error(error) from error


def make_event(kind: type[Event], /, **said: Any) -> Event:
    """Return an event of a kind; None counts as a field left out. Raises as `load_event`."""
    try:
        return kind(**{name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        raise _refusal_of_error(error) from error


def event_refusals(data: Mapping[str, Any]) -> list[DomainError]:
    """Return every bad field of an event as a refusal; the first is what `load_event` raises."""
    try:
        _ADAPTER.validate_python(data)
    except ValidationError as error:
        return [_refusal_of_field(one) for one in error.errors()]
    return []


def _refusal_of_error(error: ValidationError) -> DomainError:
    """Return the first bad field as a refusal."""
    return _refusal_of_field(error.errors()[0])


_WANTED = {
    "string_type": "text_wanted",
    "bool_type": "flag_wanted",
    "bool_parsing": "flag_wanted",
    "int_type": "number_wanted",
    "int_parsing": "number_wanted",
    "int_from_float": "number_wanted",
    "decimal_type": "number_wanted",
    "decimal_parsing": "number_wanted",
    "datetime_type": "moment_wanted",
    "datetime_parsing": "moment_wanted",
    "datetime_from_date_parsing": "moment_wanted",
    "date_type": "day_wanted",
    "date_parsing": "day_wanted",
    "tuple_type": "list_wanted",
    "list_type": "list_wanted",
    "mapping_type": "table_wanted",
    "dict_type": "table_wanted",
}
"""Our codes for the sort of value a field wants, by pydantic's sorts of errors."""


def _refusal_of_field(error: Mapping[str, Any]) -> DomainError:
    """Return one of pydantic's errors as a refusal of its field."""
    # A field of a journalled event comes after the event's own name.
    field = next((name for name in reversed(error["loc"]) if isinstance(name, str)), "")
    said = str(error.get("input"))[:80]
    match error["type"]:
        case "missing" | "string_too_short":
            return FieldMissing(field=field)
        case _ if "input" in error and error["input"] is None:
            return FieldMissing(field=field)
        case "timezone_aware":
            return ZoneMissing(field=field)
        case "string_too_long":
            return FieldTooLong(field=field, limit=error["ctx"]["max_length"])
        case "extra_forbidden":
            return FieldUnknown(field=field)
        case sort if sort in _WANTED:
            return ValueRefused(field=field, value=said, why=_WANTED[sort])
        case _:
            return ChoiceUnknown(field=field, value=said)


def dump_event(event: Event) -> dict[str, Any]:
    """Return an event as JSON data, without fields left out."""
    return event.model_dump(mode="json", exclude_defaults=True) | {"type": event.type}


def utc(instant: dt.datetime) -> dt.datetime:
    """Return the same instant in UTC, so that two spellings of one instant are equal."""
    return instant.astimezone(dt.UTC)
