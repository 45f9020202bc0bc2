"""A case as one frozen picture: `apply` takes one and returns another.

Employees are employee numbers, departments and rules are keys of the pack, instants are aware UTC.
Rows of the record and a folded journal give equal pictures, field by field.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from policy.vocabulary.marks import Mark, RefTo
from policy.vocabulary.status import (
    CallOutcome,
    CallPurpose,
    ClosingGround,
    DeadlineState,
    PenaltyStatus,
    ReplyOutcome,
    Responsibility,
    Satisfaction,
    Sign,
    Status,
)

Picture = TypeVar("Picture")

PICTURES = frozenset(
    {"entries", "assignments", "deadlines", "penalties", "callbacks", "signoffs", "extensions"}
    | {"tallies", "assignment"}
)
"""The parts of a case that are pictures: no condition compares one with a value, and a regulation
may give a field of its own such a name.
"""

OVERTAKEN = "overtaken_"
"""Before the name of a section: a mark that the entries before it count no longer, because the
paper that they were about was filled anew. They stay on record."""

APPOINTED, RELIEVED = "appointed", "relieved"
"""The sections of marks about who handles a case: that the director appointed them, and that
another answered in their place. The journal tells people of both.
"""
MARKS = frozenset({APPOINTED, RELIEVED})
UNHAPPY = frozenset({Satisfaction.dissatisfied, Satisfaction.very_dissatisfied})


@dataclass(frozen=True)
class Revision:
    """A deadline's end moved at `at`, for a reason, from one instant to another."""

    at: dt.datetime
    due_before: dt.datetime | None
    due_after: dt.datetime | None
    reason: str


@dataclass(frozen=True)
class BreachFacts:
    """A deadline ended at `breached_at`, found at `found_at`; the breach may be lifted."""

    breached_at: dt.datetime
    found_at: dt.datetime
    lifted_at: dt.datetime | None = None
    lifted_because: str | None = None


@dataclass(frozen=True)
class DeadlineFacts:
    """A deadline. `due_at` is None for one without limit, which has `review_at`."""

    key: str
    round: int
    state: DeadlineState
    starts_at: dt.datetime
    due_at: dt.datetime | None
    because: Mapping[str, Any]
    opens_at: dt.datetime | None = None
    review_at: dt.datetime | None = None
    provisional: bool = False
    met_at: dt.datetime | None = None
    responsible: str | None = None
    revisions: tuple[Revision, ...] = ()
    breaches: tuple[BreachFacts, ...] = ()

    @property
    def breached(self) -> bool:
        """Whether a breach of it stands."""
        return any(breach.lifted_at is None for breach in self.breaches)

    @property
    def running(self) -> bool:
        """Whether it was neither met nor superseded."""
        return self.state is DeadlineState.running


@dataclass(frozen=True)
class PenaltyFacts:
    """A sum for one rule, employee and occasion; `sign` says whether it takes or gives.

    `sanctions` come with it or instead of it; the amount is then 0 or more.
    """

    rule: str
    employee: str
    occasion: str
    amount: Decimal
    at: dt.datetime
    because: Mapping[str, Any]
    sanctions: tuple[str, ...] = ()
    sign: Sign = Sign.charge
    status: PenaltyStatus = PenaltyStatus.proposed
    confirmed_at: dt.datetime | None = None
    notified_at: dt.datetime | None = None
    counts_at: dt.datetime | None = None

    @property
    def identity(self) -> tuple[str, str, str, Sign]:
        """The rule, employee, occasion and sign: no two penalties of a case share them."""
        return (self.rule, self.employee, self.occasion, self.sign)

    @property
    def stands(self) -> bool:
        """Whether it was neither waived nor lapsed."""
        return self.status not in (PenaltyStatus.waived, PenaltyStatus.lapsed)


@dataclass(frozen=True)
class AssignmentFacts:
    """A department had the case in a round, with the responsible person and the handler."""

    department: str
    round: int
    dispatched_at: dt.datetime
    responsible: str | None
    handler: str | None = None
    returned_at: dt.datetime | None = None


@dataclass(frozen=True)
class CallbackFacts:
    """One attempt to call the customer."""

    purpose: CallPurpose
    round: int
    attempt: int
    at: dt.datetime
    outcome: CallOutcome
    caller: str
    satisfaction: Satisfaction | None = None
    process_score: Satisfaction | None = None
    matches_form: bool | None = None
    asks_more: bool | None = None
    care_insists: bool | None = None
    method: str = "phone"
    text: str | None = None

    @property
    def unhappy(self) -> bool:
        """The customer is not satisfied with result or process, or tells another story."""
        return (
            self.satisfaction in UNHAPPY
            or self.process_score in UNHAPPY
            or self.matches_form is False
        )

    @property
    def demands_more(self) -> bool:
        """The customer asks for more, or the care desk thinks there must be more."""
        return bool(self.asks_more or self.care_insists)


@dataclass(frozen=True)
class SignoffFacts:
    """An employee signed off a step, for a post."""

    event: str
    round: int
    post: str
    employee: str
    at: dt.datetime
    as_deputy: bool = False


@dataclass(frozen=True)
class ExtensionFacts:
    """A department asked for an extension, and the decision about it."""

    round: int
    asked_at: dt.datetime
    until: dt.datetime
    reason: str
    granted: bool | None = None
    decided_at: dt.datetime | None = None


@dataclass(frozen=True)
class TallyFacts:
    """An event that the regulation counts happened once."""

    counter: str
    department: str | None
    at: dt.datetime


@dataclass(frozen=True)
class FormEntryFacts:
    """An entry made on the case under an entry of the pack.

    `section` and `key` name the pack's entry (a form, a report, a checklist, a chain, a vote ...);
    `data` is what was entered, as JSON, with its result.
    """

    section: str
    key: str
    round: int
    at: dt.datetime
    employee: str | None
    data: Mapping[str, Any]

    @property
    def people(self) -> frozenset[str | None]:
        """The numbers of its author and of the employees it names, as far as its keys say so."""
        several = (self.data.get(name) or () for name in ("concerned", "members", "recused"))
        return frozenset({self.employee, self.data.get("employee")}.union(*several))


@dataclass(frozen=True)
class CaseFacts:
    """A case after its last event."""

    number: str = ""
    kind: Annotated[str, RefTo("kind")] = ""
    channel: Annotated[str, RefTo("channel")] | None = None
    category: Annotated[str, RefTo("category")] | None = None
    level: Annotated[str, RefTo("severity", scale="level")] | None = None
    grade: Annotated[str, RefTo("severity", scale="grade")] | None = None
    grade_chosen: bool = False
    responsibility: Responsibility = Responsibility.undetermined
    status: Status = Status.registered
    history: bool = False
    round: int = 1
    subject: str = ""
    body: str | None = None
    demand: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    director_only: bool = False
    reply_outcome: ReplyOutcome | None = None
    closing_ground: ClosingGround | None = None
    feedback: str | None = None
    received_at: dt.datetime | None = None
    registered_at: dt.datetime | None = None
    classified_at: dt.datetime | None = None
    dispatched_at: dt.datetime | None = None
    contacted_at: dt.datetime | None = None
    replied_at: dt.datetime | None = None
    raised_at: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    restarted_at: dt.datetime | None = None
    upgraded_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    observe_until: dt.datetime | None = None
    factory_closed_at: dt.datetime | None = None
    archived_at: dt.datetime | None = None
    retain_until: dt.date | None = None
    first_asked: Annotated[str, Mark.person] | None = None
    linked: str | None = None
    finding: Annotated[str, RefTo("finding")] | None = None
    valid: bool | None = None
    concerned: tuple[Annotated[str, Mark.person], ...] = ()
    promised_at: dt.datetime | None = None
    informed_at: dt.datetime | None = None
    struck: bool = False
    entries: tuple[FormEntryFacts, ...] = ()
    assignments: tuple[AssignmentFacts, ...] = ()
    deadlines: tuple[DeadlineFacts, ...] = ()
    penalties: tuple[PenaltyFacts, ...] = ()
    callbacks: tuple[CallbackFacts, ...] = ()
    signoffs: tuple[SignoffFacts, ...] = ()
    extensions: tuple[ExtensionFacts, ...] = ()
    tallies: tuple[TallyFacts, ...] = ()

    @property
    def assignment(self) -> AssignmentFacts | None:
        """The assignment that has the case now: the last one, unless it was returned."""
        last = self.assignments[-1] if self.assignments else None
        return last if last and last.returned_at is None else None

    @property
    def department(self) -> Annotated[str, RefTo("department")] | None:
        """The department that has the case now, or None."""
        return self.assignment.department if self.assignment else None

    @property
    def handler(self) -> Annotated[str, Mark.person] | None:
        """The employee who handles the case now, or None."""
        return self.assignment.handler if self.assignment else None

    @property
    def responsible(self) -> Annotated[str, Mark.person] | None:
        """The employee responsible for the case now, or None."""
        return self.assignment.responsible if self.assignment else None

    def last_entry(self, section: str, key: str) -> FormEntryFacts | None:
        """Return the last form entry under an entry of the pack that counts, or None."""
        for filed in reversed(self.entries):
            if filed.key != key:
                continue
            if filed.section == section:
                return filed
            if filed.section == OVERTAKEN + section:
                return None
        return None

    def handled_by(self) -> set[str]:
        """Return every employee who handles the case or handled it."""
        now = {one.handler for one in self.assignments}
        before = {one.employee for one in self.entries if one.section == RELIEVED}
        return {who for who in now | before if who}

    def times_entered(self, section: str, key: str) -> int:
        """Return the number of form entries under an entry of the pack that count."""
        count = 0
        for filed in self.entries:
            if filed.key == key and filed.section == section:
                count += 1
            elif filed.key == key and filed.section == OVERTAKEN + section:
                count = 0
        return count

    def last_callback(self, purpose: CallPurpose) -> CallbackFacts | None:
        """Return this round's last answered callback for a purpose, or None."""
        for call in reversed(self.callbacks):
            this = call.purpose is purpose and call.round == self.round
            if this and call.outcome is CallOutcome.answered:
                return call
        return None

    def deadline_of(self, key: str) -> DeadlineFacts | None:
        """Return this round's deadline of a rule, or None."""
        for deadline in reversed(self.deadlines):
            if deadline.key == key and deadline.round == self.round:
                return deadline
        return None

    @property
    def due_at(self) -> dt.datetime | None:
        """The earliest end of a running deadline, overdue ones included."""
        return min((c.due_at for c in self.deadlines if c.running and c.due_at), default=None)

    @property
    def due_provisional(self) -> bool:
        """Whether that end depends on a day beyond the official calendar."""
        due = self.due_at
        return any(
            c.provisional for c in self.deadlines if c.running and c.due_at and c.due_at == due
        )


def replace(picture: Picture, /, **changed: Any) -> Picture:
    """Return the frozen picture with some fields changed, made quickly: an event makes a dozen.

    `dataclasses.replace` inspects each of fifty fields and calls the constructor with names; that
    took half the time of an event. A picture checks nothing when it is made, so its dict is copied
    as a whole. That is why the pictures of this module have no slots.

    Raises TypeError for a field the picture does not have.
    """
    fresh = object.__new__(type(picture))
    said = fresh.__dict__
    said.update(picture.__dict__)
    said.update(changed)
    if len(said) != len(picture.__dict__):
        strange = sorted(changed.keys() - picture.__dict__.keys())
        raise TypeError(f"{type(picture).__name__} has no field {', '.join(strange)}")
    return fresh
