"""A regulation as data: the schema of a pack in ten shapes; `loading` reads one from a file.

Every entry has a stable `key`, a `label` for the screen and a `cite`. A value written
`"$name"` stands for the parameter of that name, so a company's choice is made once.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from policy.events import EVENTS
from policy.lifecycle import CallOutcome, CallPurpose
from policy.worktime import Unit


class Shape(BaseModel):
    """What every part of a pack is: frozen, and strict about names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ---------------------------------------------------------------- the ten shapes


class RefTo:
    """Marks a text as the key of an entry of a section; `check` follows it."""

    def __init__(self, section: str) -> None:
        self.section = section


def _known_event(name: str) -> str:
    if name not in EVENTS:
        raise ValueError(f"no such event: {name}")
    return name


def _whole_fen(amount: Decimal) -> Decimal:
    if amount * 100 != int(amount * 100):
        raise ValueError("money is counted in whole fen")
    return amount


Text = Annotated[str, Field(min_length=1, max_length=400)]
Number = Annotated[int, Field(ge=0, le=100_000)]
Money = Annotated[Decimal, Field(gt=0, le=1_000_000), AfterValidator(_whole_fen)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
Flag = bool
EventName = Annotated[str, AfterValidator(_known_event)]
Events = tuple[EventName, ...]
Clause = Annotated[str, RefTo("clause")]


class Quantity(Shape):
    """An amount of time: 3 working days, 24 hours, 10 years."""

    amount: Annotated[int, Field(gt=0, le=100_000)]
    unit: Unit


class Operator(enum.Enum):
    """How a condition compares; its value on the right."""

    equals = "is"
    differs = "is_not"
    among = "in"
    not_among = "not_in"
    filled = "filled"
    at_least = "at_least"
    at_most = "at_most"


Scalar = str | bool | int | Decimal


class Row(Shape):
    """One line of a condition: field, operator, value. In TOML `{ field = "grade", in = [..] }`."""

    field: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$")]
    op: Operator
    value: Scalar | tuple[Scalar, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_toml(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "op" in data:
            return data
        said = [key for key in data if key != "field"]
        if len(said) != 1 or said[0] not in [op.value for op in Operator]:
            raise ValueError(f"a condition has a field and one operator, not {said}")
        return {"field": data.get("field"), "op": said[0], "value": data[said[0]]}

    @model_validator(mode="after")
    def _fits(self) -> Row:
        many = self.op in (Operator.among, Operator.not_among)
        if many != isinstance(self.value, tuple):
            raise ValueError(f"{self.op.value} takes {'a list' if many else 'one value'}")
        if self.op is Operator.filled and not isinstance(self.value, bool):
            raise ValueError("filled takes true or false")
        return self

    def holds(self, found: Any) -> bool:
        """Whether the value found for the field satisfies this row."""
        if isinstance(found, enum.Enum):
            found = found.value
        match self.op:
            case Operator.filled:
                return (found not in (None, "", (), [], {})) == self.value
            case Operator.equals:
                return bool(found == self.value)
            case Operator.differs:
                return bool(found != self.value)
            case Operator.among | Operator.not_among:
                assert isinstance(self.value, tuple)
                return (found in self.value) == (self.op is Operator.among)
            case Operator.at_least:
                return found is not None and Decimal(str(found)) >= Decimal(str(self.value))
            case Operator.at_most:
                return found is not None and Decimal(str(found)) <= Decimal(str(self.value))


Condition = tuple[Row, ...]


# ---------------------------------------------------------------- the sections


class Entry(Shape):
    """What every entry of every section has."""

    section: ClassVar[str]

    key: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=64)]
    label: Text
    cite: Clause
    note: Text | None = None


class PolicyHead(Entry):
    """The regulation itself, and what it says about paying."""

    section = "policy"

    title: Text
    scope: Text | None = None
    appeal_term: Quantity
    wage_month_ends_on: Annotated[int, Field(ge=1, le=31)]


class ParameterEntry(Entry):
    """A choice the text leaves open. Without `value` the pack cannot be published."""

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

    No case is handed over to a department without such a post.
    """

    section = "department"

    director: Annotated[str, RefTo("post")] | None = None

    @property
    def answers(self) -> bool:
        """Whether cases are handed over to it."""
        return self.director is not None


class KindEntry(Entry):
    """A kind of case. One that is not `handled` is counted and gets no handling form."""

    section = "kind"

    handled: Flag = True
    number: Annotated[str, RefTo("number")]


class ChannelEntry(Entry):
    """How a case reaches the company.

    `sheet` says that what a department writes into its own spreadsheet comes this way, and the
    kind of such a case. One channel of a regulation at most says so.
    """

    section = "channel"

    sheet: Annotated[str, RefTo("kind")] | None = None


class CategoryEntry(Entry):
    """What a case is about."""

    section = "category"


class Choice(Shape):
    """One value of a field with choices."""

    key: str
    label: Text


class FieldEntry(Entry):
    """A field of a case beyond those every case has; kept in `extra`."""

    section = "field"

    shape: Literal["text", "long_text", "number", "date", "flag", "choice", "phone"]
    choices: tuple[Choice, ...] = ()
    at_intake: Flag = True


class SeverityEntry(Entry):
    """A step of a scale (grade or level) and what puts a case there, in the order written."""

    section = "severity"

    scale: Literal["grade", "level"]
    when: Condition = ()
    or_when: Condition = ()
    by_hand: Flag = False  # reached by a deed, never by conditions


class RouteEntry(Entry):
    """What a case is turned into or handed to because of what it says."""

    section = "route"

    applies: Condition
    kind: Annotated[str, RefTo("kind")] | None = None
    department: Annotated[str, RefTo("department")] | None = None


class NumberEntry(Entry):
    """A series of case numbers, such as `TS{year}{month}{serial:3}`."""

    section = "number"

    template: Annotated[str, Field(pattern=r"\{serial:[1-9]\}")]
    resets: Literal["never", "year", "month"]


class DeadlineEntry(Entry):
    """A clock: what starts it, what meets it, how long it runs, and whom it binds.

    `slot`: of two clocks of one slot only the one that ends earlier runs. `window_from` opens
    the clock later than it starts (day 3 of day 3–5). `ends` says what its running out does
    when that is no breach: the observation is over and the case goes to the archive.
    """

    section = "deadline"

    applies: Condition = ()
    starts_on: Events
    starts_if: Condition = ()
    counts_from: Literal["event", "received"] = "event"
    met_by: Events = ()
    met_if: Condition = ()
    within: Quantity | None = None
    window_from: Quantity | None = None
    review_every: Quantity | None = None
    slot: Text | None = None
    binds: Literal["responsible", "handler"] | None = None
    ends: Literal["breach", "archive"] = "breach"
    carries_over: Flag = False  # whether a new round leaves it running
    judged_by: Literal["stated", "recorded"] = "recorded"  # which time of the event counts

    @model_validator(mode="after")
    def _has_an_end(self) -> DeadlineEntry:
        if (self.within is None) == (self.review_every is None):
            raise ValueError("a deadline has either `within` or, without limit, `review_every`")
        return self

    @model_validator(mode="after")
    def _window_is_of_days(self) -> DeadlineEntry:
        if self.window_from is None:
            return self
        if self.within is None or {self.window_from.unit, self.within.unit} != {Unit.calendar_day}:
            raise ValueError("a window goes from one calendar day to another")
        if self.window_from.amount > self.within.amount:
            raise ValueError("a window opens before it ends")
        return self


class ExtensionEntry(Entry):
    """Which cases may get more time for a slot, and how much in all from the clock's start."""

    section = "extension"

    applies: Condition = ()
    slot: Text
    in_all: Quantity
    counter: Annotated[str, RefTo("counter")] | None = None


class GateEntry(Entry):
    """Before `before`, where `applies` holds, `requires` must hold."""

    section = "gate"

    before: Events
    applies: Condition = ()
    requires: Condition


SHEETS = ("lead_sheet", "any_sheet")


class SignoffEntry(Entry):
    """Who may do a deed: posts, roles on the case, or `member:` of a department; who may not.

    A department's spreadsheet is nobody and holds no post. It may do what is given to the
    `lead_department` or to sheets: `lead_sheet` is that of the department the case is at,
    `any_sheet` that of any department that answers for cases.
    """

    section = "signoff"

    event: Events
    applies: Condition = ()
    by: Annotated[tuple[Text, ...], Field(min_length=1)]
    deputy: Flag = True
    recorded: Flag = False  # kept as a signature
    never: tuple[Literal["handler", "director"], ...] = ()


class CallbackEntry(Entry):
    """A sort of call: how often to try before the customer counts as unreachable."""

    section = "callback"

    purpose: Annotated[str, AfterValidator(lambda v: CallPurpose(v).value)]
    attempts: Annotated[int, Field(gt=0)]
    on_days: Annotated[int, Field(gt=0)]
    ends_on: tuple[Annotated[str, AfterValidator(lambda v: CallOutcome(v).value)], ...]


class EscalationEntry(Entry):
    """A grade that becomes another by a deed."""

    section = "escalation"

    event: EventName
    applies: Condition
    grade: Annotated[str, RefTo("severity")]


class PenaltyEntry(Entry):
    """What something costs whom.

    `event` brings it by itself; `breach_of` names the slot or deadline whose breach brings it;
    without either a person must find the ground. `per` says what one occasion is. `replaces`:
    the graver ground takes the place of the lighter one. `adds_to`: a surcharge, which is owed
    by the same person and for the same occasion as what it is added to.
    """

    section = "penalty"

    event: EventName | None = None
    breach_of: Text | None = None
    applies: Condition = ()
    who: Literal["responsible", "handler", "named"] | None = None
    amount: Money
    per: Literal["time", "order", "round"] | None = None
    replaces: tuple[Annotated[str, RefTo("penalty")], ...] = ()
    adds_to: tuple[Annotated[str, RefTo("penalty")], ...] = ()

    @property
    def by_hand(self) -> bool:
        """Whether only a person's finding brings it."""
        return self.event is None and self.breach_of is None and not self.adds_to

    @model_validator(mode="after")
    def _says_who_and_how_often(self) -> PenaltyEntry:
        stands_alone = self.who is not None and self.per is not None
        follows = self.who is None and self.per is None
        if not (follows if self.adds_to else stands_alone):
            raise ValueError("a penalty says `who` and `per`; a surcharge takes both from its base")
        if self.who == "named" and not self.by_hand:
            raise ValueError("a penalty that comes by itself names nobody")
        return self


class CounterEntry(Entry):
    """Something the regulation counts without a fine."""

    section = "counter"


class RetentionEntry(Entry):
    """How long a closed case is kept."""

    section = "retention"

    applies: Condition = ()
    keep: Quantity


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

    @cached_property
    def by_key(self) -> dict[tuple[str, str], Any]:
        """Every entry by section and key."""
        return {(s, e.key): e for s in SECTIONS for e in getattr(self, s)}

    def find(self, section: str, key: str | None) -> Any:
        """The entry of a section with a key, or None."""
        return self.by_key.get((section, key or ""))

    def label(self, section: str, key: str | None) -> str:
        """What the screen calls an entry; the key itself where the pack does not know it."""
        entry = self.find(section, key)
        return entry.label if entry else (key or "")

    @cached_property
    def sheet_channel(self) -> ChannelEntry | None:
        """The way by which a department's own spreadsheet brings cases, if there is one."""
        return next((entry for entry in self.channel if entry.sheet), None)

    @cached_property
    def starting(self) -> dict[str, tuple[DeadlineEntry, ...]]:
        """The deadlines an event may start."""
        return _grouped((name, d) for d in self.deadline for name in d.starts_on)

    @cached_property
    def gates(self) -> dict[str, tuple[GateEntry, ...]]:
        """The gates before an event."""
        return _grouped((name, g) for g in self.gate for name in g.before)

    @cached_property
    def signoffs(self) -> dict[str, tuple[SignoffEntry, ...]]:
        """Who may do an event."""
        return _grouped((name, s) for s in self.signoff for name in s.event)

    @cached_property
    def charging(self) -> dict[str, tuple[PenaltyEntry, ...]]:
        """The penalties an event brings by itself."""
        return _grouped((p.event, p) for p in self.penalty if p.event)

    @cached_property
    def checksum(self) -> str:
        """The same for the same rules, whatever the file's spacing and comments."""
        data = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(data.encode()).hexdigest()


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for name, entry in pairs:
        groups[name].append(entry)
    return {name: tuple(entries) for name, entries in groups.items()}
