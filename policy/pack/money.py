"""Sections of a pack about penalties, sanctions, rewards and claims."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from policy.pack.shapes import (
    Condition,
    Entry,
    EventName,
    Events,
    FieldPath,
    Flag,
    Money,
    Percent,
    SchemaError,
    Text,
)
from policy.vocabulary.marks import MayName, RefTo

Bearer = Literal["responsible", "handler", "named", "concerned", "first_asked"]
"""The bearer of a reward: a role on the case, the person named, or all concerned."""
PenaltyBearer = Literal["responsible", "handler", "named", "concerned", "first_asked", "superior"]
"""The bearer of a penalty: also the head of the department of the employee it is about, in person.
"""


def _several(said: Any) -> Any:
    """Return one name of an event as a list of one, as a file may write it."""
    return (said,) if isinstance(said, str) else said


def _alone(said: tuple[str, ...]) -> Any:
    """Return a list of one event as that event, so that one rule has one checksum."""
    return said[0] if len(said) == 1 else list(said)


OneOrMoreEvents = Annotated[Events, BeforeValidator(_several), PlainSerializer(_alone)]


class SanctionEntry(Entry):
    """A sanction that is no sum: criticism, a demerit, an element of pay, an award lost.

    An `element` of pay is taken once per person and month; the month is the event's or the
    decision's.
    """

    section = "sanction"

    element: Flag = False
    month_of: Literal["event", "decision"] = "decision"


class PenaltyEntry(Entry):
    """A penalty: its ground, its amount or sanctions, and who bears it.

    `event` brings it by itself; `breach_of` names the slot or deadline whose breach brings it;
    without either a person must find the ground. `per` says what one occasion is. `replaces`: the
    graver ground takes the place of the lighter one. `adds_to`: a surcharge for the same occasion
    as its base, borne by the same person unless `who` says otherwise (joint liability). It is an
    amount, sanctions, or both; `by_decision` leaves the amount to the person who finds the ground.
    `from_count`, `until_count`: which verified complaint of the calendar year it is for, counted by
    the day of receipt; `counts_kinds`: the kinds of cases that count. `collective`: may be found
    against several people at once, each in full or shared. `only_post`, `not_post`: posts of which
    the bearer holds one, or none. `excludes`: grounds beside which it does not stand against one
    person in one matter. `own_form` names the field of a form that says whose paper it is: what the
    conditions ask of that form is asked of the bearer's own.
    """

    section = "penalty"

    event: EventName | None = None
    breach_of: Annotated[Text, MayName("deadline")] | None = None
    applies: Condition = ()
    who: PenaltyBearer | None = None
    only_post: tuple[Annotated[str, RefTo("post")], ...] = ()
    not_post: tuple[Annotated[str, RefTo("post")], ...] = ()
    amount: Money | None = None
    by_decision: Flag = False
    sanctions: tuple[Annotated[str, RefTo("sanction")], ...] = ()
    per: Literal["time", "order", "round", "complaint"] | None = None
    from_count: Annotated[int, Field(gt=0, le=100)] | None = None
    until_count: Annotated[int, Field(gt=0, le=100)] | None = None
    counts_kinds: tuple[Annotated[str, RefTo("kind")], ...] = ()
    collective: Literal["each", "shared"] | None = None
    replaces: tuple[Annotated[str, RefTo("penalty")], ...] = ()
    excludes: tuple[Annotated[str, RefTo("penalty")], ...] = ()
    own_form: FieldPath | None = None
    adds_to: tuple[Annotated[str, RefTo("penalty")], ...] = ()

    @property
    def by_hand(self) -> bool:
        """Whether only a person's finding brings it."""
        return self.event is None and self.breach_of is None and not self.adds_to

    @model_validator(mode="after")
    def _says_who_and_how_often(self) -> PenaltyEntry:
        stands_alone = self.who is not None and self.per is not None
        if not (self.per in (None, "complaint") if self.adds_to else stands_alone):
            raise SchemaError(
                "penalty_incomplete", "a penalty says `who` and `per`; a surcharge follows its base"
            )
        if self.who == "superior" and not (self.by_hand or self.adds_to):
            raise SchemaError("superior_of_nobody", "a head answers for whom a person found")
        if (self.only_post or self.not_post) and not self.by_hand:
            raise SchemaError("post_of_nobody", "only of whom a person finds are posts asked")
        if self.own_form and not self.by_hand:
            raise SchemaError("paper_of_nobody", "only whom a person finds has an own paper")
        if self.who == "named" and not self.by_hand:
            raise SchemaError("penalty_names_nobody", "a penalty that comes by itself names nobody")
        if self.until_count and not self.from_count:
            raise SchemaError("count_without_begin", "`until_count` needs `from_count`")
        if self.counts_kinds and not self.from_count:
            raise SchemaError("kinds_without_count", "`counts_kinds` needs `from_count`")
        if self.until_count and self.from_count and self.until_count < self.from_count:
            raise SchemaError("count_backwards", "`until_count` is at least `from_count`")
        return self

    @model_validator(mode="after")
    def _costs_something(self) -> PenaltyEntry:
        if self.collective == "shared" and not (self.amount or self.by_decision):
            raise SchemaError("nothing_to_share", "only an amount can be shared")
        if not (self.amount or self.by_decision or self.sanctions):
            raise SchemaError(
                "penalty_empty", "a penalty has an amount, sanctions, or is left to a decision"
            )
        if self.by_decision and (self.amount or not self.by_hand):
            raise SchemaError(
                "decision_needs_finding", "only what a person finds has its amount from a decision"
            )
        return self


class RewardEntry(Entry):
    """A reward for good work; a person finds it and may decide the amount."""

    section = "reward"

    applies: Condition = ()
    who: Bearer
    amount: Money | None = None
    by_decision: Flag = False
    per: Literal["time", "order", "round"]

    @model_validator(mode="after")
    def _gives_something(self) -> RewardEntry:
        if (self.amount is None) != self.by_decision:
            raise SchemaError("reward_empty", "a reward has an amount or leaves it to a decision")
        return self


class ClaimEntry(Entry):
    """A sum the company owes a customer: a percentage, from a number of cases on.

    `of` is the field with the sum. The count is of the customer's cases of the same kind, this one
    included. Each of its events asks anew, so that facts which become known later bring it too.
    """

    section = "claim"

    event: OneOrMoreEvents
    applies: Condition = ()
    percent: Percent
    of: FieldPath
    from_count: Annotated[int, Field(gt=0, le=1000)] = 1
