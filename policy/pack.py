"""A regulation as data: the schema of a pack in ten shapes, and its loader.

Every entry has a stable `key`, a `label` for the screen and a `cite`. A value written
`"$name"` stands for the parameter of that name, so a company's choice is made once.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from policy.errors import PackRefused
from policy.events import EVENTS
from policy.lifecycle import CallOutcome, CallPurpose
from policy.worktime import Unit

PACKS = Path(__file__).parent / "packs"
_PARAMETER = re.compile(r"\$[a-z][a-z0-9_]*")


class _Shape(BaseModel):
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


class Quantity(_Shape):
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


class Row(_Shape):
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


class Entry(_Shape):
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


class ClauseEntry(_Shape):
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
    """How a case reaches the company."""

    section = "channel"


class CategoryEntry(Entry):
    """What a case is about."""

    section = "category"


class Choice(_Shape):
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


class SignoffEntry(Entry):
    """Who may do a deed: posts, roles on the case, or `member:` of a department; who may not."""

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


SECTIONS: dict[str, type[_Shape]] = {
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


class Pack(_Shape):
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


# ---------------------------------------------------------------- loading and checking


def read(path: Path) -> dict[str, Any]:
    """A pack file as plain data. A file that is no TOML is refused with the place in it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise PackRefused(file=path.name, problems=[_problem("", str(error))]) from error
    except tomllib.TOMLDecodeError as error:
        raise PackRefused(file=path.name, problems=[_in_line(str(error))]) from error


def _in_line(message: str) -> dict[str, str]:
    """What the TOML reader says, with the line it stopped in as the place."""
    found = re.fullmatch(r"(.*) \(at (.*)\)", message, re.DOTALL)
    return _problem(found[2], found[1]) if found else _problem("", message)


def load(path: Path, parameters: Mapping[str, Any] | None = None) -> Pack:
    """The pack in a file, with the company's own parameters where it has chosen."""
    return build(read(path), parameters, file=path.name)


def shipped(key: str) -> Path:
    """Where a shipped regulation stands."""
    return PACKS / f"{key}.toml"


def build(
    data: Mapping[str, Any], parameters: Mapping[str, Any] | None = None, *, file: str = ""
) -> Pack:
    """A checked pack of plain data; all problems are reported at once, each with its place."""
    chosen = _chosen(data, parameters or {})
    if problems := list(_missing(data, chosen)):
        raise PackRefused(file=file, problems=problems)
    try:
        pack = Pack.model_validate(_filled(data, chosen))
    except ValidationError as error:
        problems = [_problem(_place(data, e["loc"]), _why(e)) for e in error.errors()]
        raise PackRefused(file=file, problems=problems) from error
    if problems := list(check(pack)):
        raise PackRefused(file=file, problems=problems)
    return pack


_PLAIN_WORDS = {
    "extra_forbidden": "is not known here",
    "missing": "is missing",
    "decimal_type": "is no number",
}


def _why(error: Mapping[str, Any]) -> str:
    """What is wrong, in words for somebody who never saw the schema."""
    if error["type"] == "string_pattern_mismatch" and "serial" in str(error.get("ctx")):
        return "a number needs its serial, such as {serial:4}"
    return _PLAIN_WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def _missing(data: Mapping[str, Any], chosen: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Every parameter that a rule needs and that has no value, or is not there at all."""
    for name in sorted(set(_wanted(data))):
        if chosen.get(name) is None:
            why = "has no value" if name in chosen else "is asked for by a rule and is not there"
            yield _problem(f"parameter.[{name}]", why)


def _wanted(value: Any) -> Iterator[str]:
    """The parameters that plain data asks for."""
    if isinstance(value, str):
        if _PARAMETER.fullmatch(value):
            yield value[1:]
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _wanted(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _wanted(inner)


def _chosen(data: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    entries = data.get("parameter", ())
    if not isinstance(entries, list | tuple):
        return {}
    chosen = {str(e.get("key")): e.get("value") for e in entries if isinstance(e, Mapping)}
    return chosen | dict(parameters)


def _filled(value: Any, chosen: Mapping[str, Any]) -> Any:
    """The same data with every `$name` replaced by the parameter's value."""
    if isinstance(value, str):
        return chosen[value[1:]] if _PARAMETER.fullmatch(value) else value
    if isinstance(value, Mapping):
        return {key: _filled(inner, chosen) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(inner, chosen) for inner in value]
    return value


def _problem(place: str, why: str) -> dict[str, str]:
    return {"place": place, "why": why}


def _place(data: Mapping[str, Any], loc: tuple[int | str, ...]) -> str:
    """A validation error's place, with the entry's own key instead of its position."""
    parts: list[str] = []
    here: Any = data
    for step in loc:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        named = isinstance(step, int) and isinstance(here, Mapping) and here.get("key")
        parts.append(f"[{here['key']}]" if named else str(step))
    return ".".join(parts)


KNOWN_FACTS = frozenset(
    {"kind", "channel", "category", "level", "grade", "responsibility", "status", "round"}
    | {"handler", "department", "reply_outcome", "closing_ground", "unhappy", "demands_more"}
    | {
        "satisfaction_unhappy",
        "subject",
        "body",
        "demand",
        "history",
        "contacted_at",
        "closed_at",
        "factory_closed_at",
    }
)
CASE_ROLES = frozenset({"director", "handler", "lead_department", "registrant"})


def is_role(who: str) -> bool:
    """Whether a name of a signoff means a role on the case and needs no post to be held."""
    return who in CASE_ROLES - {"director"} or who.startswith("member:")


def check(pack: Pack) -> Iterator[dict[str, str]]:
    """What the schema alone cannot see: keys, references, fields and roles that are not there."""
    yield from _twice(pack)
    for section in SECTIONS:
        for entry in getattr(pack, section):
            place = f"{section}.[{entry.key}]"
            for why in (*_dangling(pack, entry), *_strange_fields(pack, entry)):
                yield _problem(place, why)
    for entry in pack.signoff:
        for who in entry.by:
            section, _, name = who.rpartition(":")
            known = pack.find("department" if section == "member" else "post", name)
            if who not in CASE_ROLES and not known:
                yield _problem(f"signoff.[{entry.key}]", f"no such post or role: {who}")
    for entry in pack.escalation:
        if (step := pack.find("severity", entry.grade)) and step.scale != "grade":
            yield _problem(f"escalation.[{entry.key}]", f"not a grade: {entry.grade}")
    slots = {d.slot for d in pack.deadline} | {d.key for d in pack.deadline}
    for entry in pack.penalty:
        if entry.breach_of and entry.breach_of not in slots:
            yield _problem(f"penalty.[{entry.key}]", f"no such deadline: {entry.breach_of}")


def _twice(pack: Pack) -> Iterator[dict[str, str]]:
    for section in SECTIONS:
        seen: set[str] = set()
        for entry in getattr(pack, section):
            if entry.key in seen:
                yield _problem(f"{section}.[{entry.key}]", "the key stands twice")
            seen.add(entry.key)


def references(entry: _Shape) -> Iterator[tuple[str, str]]:
    """The (section, key) pairs an entry points to."""
    for name, section in _referring(type(entry)):
        value = getattr(entry, name)
        for key in value if isinstance(value, tuple) else (value,):
            if key is not None:
                yield section, key


@cache
def _referring(shape: type[_Shape]) -> tuple[tuple[str, str], ...]:
    fields = ((name, reference(info)) for name, info in shape.model_fields.items())
    return tuple((name, section) for name, section in fields if section)


def reference(info: Any) -> str | None:
    """The section whose keys a field of a shape holds, if it holds any."""
    marks = [m for m in info.metadata if isinstance(m, RefTo)] or _marks(info.annotation)
    return marks[0].section if marks else None


def _marks(annotation: Any) -> list[RefTo]:
    found = [m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, RefTo)]
    for inner in getattr(annotation, "__args__", ()):
        found += _marks(inner)
    return found


_EVENT_FIELDS = frozenset(
    f"event.{field}" for kind in EVENTS.values() for field in kind.model_fields
)


def _dangling(pack: Pack, entry: _Shape) -> Iterator[str]:
    for section, key in references(entry):
        if not pack.find(section, key):
            yield f"no such {section}: {key}"


def _strange_fields(pack: Pack, entry: _Shape) -> Iterator[str]:
    own = {f.key for f in pack.field}
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if not (isinstance(value, tuple) and value and isinstance(value[0], Row)):
            continue
        for row in value:
            if row.field not in KNOWN_FACTS | own | _EVENT_FIELDS:
                yield f"no such field: {row.field}"
