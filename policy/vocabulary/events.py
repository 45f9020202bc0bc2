"""What can happen to a case: one fixed vocabulary for every regulation.

An event carries all that `policy.engine.case.apply` must know of the world outside the case: who
did it with which posts, and who held the director's post that day. So a journal can be folded years
later, when the people have long moved. `at` is when it happened, as stated, in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
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
    ZoneMissing,
)
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

Short = Annotated[str, Field(min_length=1, max_length=300)]
Long = Annotated[str, Field(min_length=1, max_length=20_000)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeldPost(_Frozen):
    """A post somebody holds on the day, himself or as deputy."""

    post: str
    deputy: bool = False


class By(_Frozen):
    """Who did it: an employee with his posts as of the event, or time itself."""

    kind: ActorKind
    employee: str | None = None
    departments: tuple[str, ...] = ()
    posts: tuple[HeldPost, ...] = ()


SYSTEM = By(kind=ActorKind.system)


class Happening(_Frozen):
    """What every event has. `type` is its name in journals, packs and case files."""

    type: str
    at: AwareDatetime
    by: By = SYSTEM

    amendable: ClassVar[bool] = True

    @classmethod
    def name(cls) -> str:
        return str(cls.model_fields["type"].default)


# ---------------------------------------------------------------- the care desk takes it in


class Registered(Happening):
    """A complaint was heard and written down; `received_at` is when the customer spoke.

    `reason` says why the company is not to blame, where that is already stated. `first_asked` is
    the employee whom the customer asked first; he stays so. `linked` is the number of the case
    it came out of, `earlier` how many cases of this kind the customer had before in the year.
    """

    type: Literal["registered"] = "registered"
    number: Short
    kind: str
    channel: str
    category: str | None = None
    grade: str | None = None
    responsibility: Responsibility = Responsibility.undetermined
    reason: Long | None = None
    subject: Short
    body: Long | None = None
    demand: Long | None = None
    received_at: AwareDatetime
    extra: Mapping[str, Any] = Field(default_factory=dict)
    first_asked: str | None = None
    linked: Short | None = None
    earlier: int = Field(default=0, ge=0)


class Imported(Happening):
    """A case from before go-live, as the old register had it: no clock, penalty or notice."""

    type: Literal["imported"] = "imported"
    number: Short
    kind: str
    status: Status
    channel: str | None = None
    category: str | None = None
    grade: str | None = None
    subject: Short
    body: Long | None = None
    demand: Long | None = None
    received_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)


class TakenOver(Happening):
    """An open case from before go-live is worked on under the regulation from now on."""

    type: Literal["taken_over"] = "taken_over"
    channel: str | None = None
    category: str | None = None
    grade: str | None = None


class Classified(Happening):
    """What sort of complaint it is, and whether the company is to blame, with the reason."""

    type: Literal["classified"] = "classified"
    kind: str | None = None
    category: str | None = None
    grade: str | None = None
    responsibility: Responsibility | None = None
    reason: Long | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)


class Upgraded(Happening):
    """A grade without a limit, because there is a specific reason; breaches so far stay."""

    type: Literal["upgraded"] = "upgraded"
    reason: Long


class Reviewed(Happening):
    """Somebody looked at a case that has no limit; the next review is counted from here."""

    type: Literal["reviewed"] = "reviewed"
    text: Long


class Dispatched(Happening):
    """The form went to a department. `holder` and `deputy` are who led it that day."""

    type: Literal["dispatched"] = "dispatched"
    department: str
    holder: str | None = None
    deputy: str | None = None
    director_only: bool = False
    text: Long | None = None


# ---------------------------------------------------------------- the department works


class Returned(Happening):
    """The department says the case is not its own; its clocks run on."""

    type: Literal["returned"] = "returned"
    reason: Long


class Assigned(Happening):
    """The director decides who handles it."""

    type: Literal["assigned"] = "assigned"
    handler: str


class Contacted(Happening):
    """The customer was spoken to for the first time."""

    type: Literal["contacted"] = "contacted"
    text: Long | None = None


class Progressed(Happening):
    """Something was done that changes no status."""

    type: Literal["progressed"] = "progressed"
    text: Long


class ArrivedOnSite(Happening):
    """The factory's people came to see a serious fault."""

    type: Literal["arrived_on_site"] = "arrived_on_site"
    text: Long | None = None


class RepliedInWriting(Happening):
    """A written answer went out; `proof` says where it can be found."""

    type: Literal["replied_in_writing"] = "replied_in_writing"
    proof: Short


class Replied(Happening):
    """The department's answer; it counts once the director confirmed it."""

    type: Literal["replied"] = "replied"
    outcome: ReplyOutcome
    text: Long
    until: AwareDatetime | None = None


class Confirmed(Happening):
    """The director stands behind the answer."""

    type: Literal["confirmed"] = "confirmed"


class Declined(Happening):
    """The director does not stand behind the answer; the handler goes on."""

    type: Literal["declined"] = "declined"
    reason: Long


class ExtensionGranted(Happening):
    """The care desk grants the time asked for, or less."""

    type: Literal["extension_granted"] = "extension_granted"
    until: AwareDatetime


class ExtensionRefused(Happening):
    """The care desk refuses; the time left runs on from here."""

    type: Literal["extension_refused"] = "extension_refused"
    reason: Long


class Decided(Happening):
    """The general manager intervened: solved, or back with an instruction and a term."""

    type: Literal["decided"] = "decided"
    solved: bool
    text: Long
    until: AwareDatetime | None = None


class FactoryClosed(Happening):
    """The service department closed the case in the factory's system."""

    type: Literal["factory_closed"] = "factory_closed"
    text: Long | None = None


# ---------------------------------------------------------------- what is written down


class Promised(Happening):
    """Something was promised to the customer: a time, a thing worth `amount` yuan, or both.

    `consent` says that the customer agreed, which a time later than the usual one needs.
    """

    type: Literal["promised"] = "promised"
    text: Long
    until: AwareDatetime | None = None
    amount: Annotated[Decimal, Field(ge=0, le=100_000_000)] | None = None
    consent: bool = False


class Informed(Happening):
    """The customer was told something: where it stands, what is planned, how it ended."""

    type: Literal["informed"] = "informed"
    about: Literal["receipt", "plan", "progress", "answer", "result", "delay"]
    channel: Short
    text: Long


class Filled(Happening):
    """A form of the regulation was filled in; what was filled before stays beside it."""

    type: Literal["filled"] = "filled"
    form: str
    data: Mapping[str, Any] = Field(default_factory=dict)


class Reported(Happening):
    """A report went outside or above: to whom it went in truth, on which way, proven by what."""

    type: Literal["reported"] = "reported"
    report: str
    way: str
    addressee: Short
    proof: Short | None = None
    text: Long | None = None


class Checked(Happening):
    """An item of a checklist is at hand; `paper` is the checksum of the picture that shows it."""

    type: Literal["checked"] = "checked"
    checklist: str
    item: str
    evidence: Long
    paper: Short | None = None


class Endorsed(Happening):
    """The next of a chain of approvals: with it or against it, with an opinion."""

    type: Literal["endorsed"] = "endorsed"
    chain: str
    agrees: bool
    opinion: Long


class Escalated(Happening):
    """A matter that cannot be handled here goes one step up its ladder."""

    type: Literal["escalated"] = "escalated"
    ladder: str
    reason: Long


class Involved(Happening):
    """Another department takes part; the one that leads goes on leading."""

    type: Literal["involved"] = "involved"
    department: str
    task: Long


class Verified(Happening):
    """What the check of the case found, and who was concerned.

    `earlier` says for each of them how many verified complaints he had before, of those received
    in the same calendar year.
    """

    type: Literal["verified"] = "verified"
    finding: str
    concerned: tuple[str, ...] = ()
    text: Long
    earlier: Mapping[str, int] = Field(default_factory=dict)


class Concluded(Happening):
    """The desk ends the case itself, without a department's answer."""

    type: Literal["concluded"] = "concluded"
    text: Long


# ---------------------------------------------------------------- the jury


class Appealed(Happening):
    """Somebody disagrees with what was found. Without `employee` his department disagrees."""

    type: Literal["appealed"] = "appealed"
    vote: str
    text: Long
    employee: str | None = None


class Convened(Happening):
    """A jury was appointed for a question, by the employee numbers of its members."""

    type: Literal["convened"] = "convened"
    vote: str
    members: tuple[str, ...]
    text: Long | None = None


class Voted(Happening):
    """A member of the jury says yes or no to the question, with a reason."""

    type: Literal["voted"] = "voted"
    vote: str
    agrees: bool
    reason: Long


class Ruled(Happening):
    """What the votes come to is put on record, with the minutes."""

    type: Literal["ruled"] = "ruled"
    vote: str
    minutes: Long


# ---------------------------------------------------------------- the care desk follows up


class CalledBack(Happening):
    """One attempt to call the customer and how it ended."""

    type: Literal["called_back"] = "called_back"
    purpose: CallPurpose
    outcome: CallOutcome
    satisfaction: Satisfaction | None = None
    process_score: Satisfaction | None = None
    matches_form: bool | None = None
    asks_more: bool | None = None
    care_insists: bool | None = None
    method: Literal["phone", "questionnaire", "visit", "message"] = "phone"
    text: Long | None = None


class Restarted(Happening):
    """Another round begins; who leads the department now answers for it."""

    type: Literal["restarted"] = "restarted"
    ground: Literal["verification", "satisfaction", "repeat", "decision"]
    text: Long
    holder: str | None = None
    deputy: str | None = None


class Settled(Happening):
    """A dissatisfied customer asks nothing more: the care director accepts that, with a reason."""

    type: Literal["settled"] = "settled"
    reason: Long


class Signed(Happening):
    """The care director closes the case with the customer's own words."""

    type: Literal["signed"] = "signed"
    feedback: Long


class Archived(Happening):
    """Nobody complained again: the case goes to the archive for its years."""

    type: Literal["archived"] = "archived"

    amendable = False


# ---------------------------------------------------------------- money


class Judged(Happening):
    """A person found a ground for a penalty or a reward: never the engine, never by itself.

    `together`: further employees, where it cannot be pinned on one. `amount` where the ground
    leaves it open. `taken` are the elements of pay that other cases took: "1001/2026-10/key".
    """

    type: Literal["judged"] = "judged"
    ground: str
    employee: str | None = None
    together: tuple[str, ...] = ()
    amount: Annotated[Decimal, Field(gt=0, le=1_000_000)] | None = None
    taken: tuple[str, ...] = ()
    text: Long


class _OnPenalty(Happening):
    rule: str
    employee: str
    occasion: str
    sign: Sign = Sign.charge


class PenaltyConfirmed(_OnPenalty):
    """Somebody entitled stands behind the proposal."""

    type: Literal["penalty_confirmed"] = "penalty_confirmed"


class PenaltyWaived(_OnPenalty):
    """Somebody entitled decided against the proposal, with a reason."""

    type: Literal["penalty_waived"] = "penalty_waived"
    reason: Long


class PenaltyNotified(_OnPenalty):
    """The employee was told; the term for an appeal begins."""

    type: Literal["penalty_notified"] = "penalty_notified"
    how: Short


class PenaltyReversed(_OnPenalty):
    """A confirmed penalty is to be given back: a second row is proposed, none is changed."""

    type: Literal["penalty_reversed"] = "penalty_reversed"
    reason: Long


# ---------------------------------------------------------------- time and amendments


class TimePassed(Happening):
    """Time itself: clocks run out, observation ends, reviews fall due.

    `spared` are the keys of clocks that time does not run out on this time, because the file in
    which a department may have met them was not read since.
    """

    type: Literal["time_passed"] = "time_passed"
    spared: tuple[str, ...] = ()
    amendable = False


class Recounted(Happening):
    """The calendar changed: running clocks are counted anew from their starts, for a reason."""

    type: Literal["recounted"] = "recounted"
    reason: Long
    amendable = False


class Corrected(Happening):
    """An earlier event was written down wrongly: `changes` are its fields as they should be."""

    type: Literal["corrected"] = "corrected"
    target: int
    changes: Mapping[str, Any]
    reason: Long
    amendable = False


class Withdrawn(Happening):
    """An earlier event never should have been; withdrawing the first ends the case."""

    type: Literal["withdrawn"] = "withdrawn"
    target: int
    reason: Long
    amendable = False


class Moved(Happening):
    """The case goes on under another version of its regulation: ids of the versions of the record.

    What happened before is counted anew by that version's rules; what was found late, decided
    about money or paid stays.
    """

    type: Literal["moved"] = "moved"
    was: int
    to: int
    reason: Long
    amendable = False


Event = Annotated[
    Registered
    | Imported
    | TakenOver
    | Classified
    | Upgraded
    | Reviewed
    | Dispatched
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
    | Recounted
    | Corrected
    | Withdrawn
    | Moved,
    Field(discriminator="type"),
]
EVENTS: dict[str, type[Happening]] = {kind.name(): kind for kind in get_args(get_args(Event)[0])}
_ADAPTER: TypeAdapter[Happening] = TypeAdapter(Event)


def load(data: Mapping[str, Any]) -> Happening:
    """The event a journal row or a case file describes.

    Raises FieldMissing, FieldTooLong, ZoneMissing or ChoiceUnknown for its first bad field.
    """
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        raise _refused(error) from error


def make(kind: type[Happening], /, **said: Any) -> Happening:
    """An event of a kind from what was said; None counts as not said. Raises as `load`."""
    try:
        return kind(**{name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        raise _refused(error) from error


def _refused(error: ValidationError) -> DomainError:
    """What is wrong with the first bad field, in the words of the trade."""
    first = error.errors()[0]
    # A field of a journalled event comes after the event's own name.
    field = next((name for name in reversed(first["loc"]) if isinstance(name, str)), "")
    match first["type"]:
        case "missing" | "string_too_short":
            return FieldMissing(field=field)
        case _ if "input" in first and first["input"] is None:
            return FieldMissing(field=field)
        case "timezone_aware":
            return ZoneMissing(field=field)
        case "string_too_long":
            return FieldTooLong(field=field, limit=first["ctx"]["max_length"])
        case _:
            return ChoiceUnknown(field=field, value=str(first.get("input"))[:80])


def dump(event: Happening) -> dict[str, Any]:
    """An event as JSON data, without what it does not say."""
    return event.model_dump(mode="json", exclude_defaults=True) | {"type": event.type}


def utc(instant: dt.datetime) -> dt.datetime:
    """The same instant in UTC, so that two spellings of one instant are equal and alike."""
    return instant.astimezone(dt.UTC)
