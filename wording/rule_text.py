"""Rules of a regulation in words, field by field, for the page of a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from flask_babel import gettext, lazy_gettext

import wording
from policy.pack.schema import SECTIONS as ENTRIES
from policy.pack.schema import PolicyHead
from policy.vocabulary.events import EVENTS, fields_named
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import FieldMarks, marks_of
from policy.vocabulary.status import ClosingGround
from wording import field_text
from wording.field_text import Names
from wording.labels import ROLES

SECTIONS = {
    "parameter": lazy_gettext("Choices of the company"),
    "deadline": lazy_gettext("Terms"),
    "extension": lazy_gettext("Extensions"),
    "penalty": lazy_gettext("Penalties"),
    "severity": lazy_gettext("Grades and levels"),
    "route": lazy_gettext("Routes"),
    "gate": lazy_gettext("What must be there first"),
    "signoff": lazy_gettext("Who may do what"),
    "vote": lazy_gettext("Votes"),
    "callback": lazy_gettext("Callbacks"),
    "escalation": lazy_gettext("Escalations"),
    "report_out": lazy_gettext("Reports to the outside"),
    "post": lazy_gettext("Posts"),
    "department": lazy_gettext("Departments"),
    "kind": lazy_gettext("Kinds of cases"),
    "channel": lazy_gettext("Sources"),
    "category": lazy_gettext("Categories"),
    "field": lazy_gettext("Fields"),
    "form": lazy_gettext("Forms"),
    "ledger": lazy_gettext("Ledgers"),
    "number": lazy_gettext("Numbers"),
    "checklist": lazy_gettext("Checklists"),
    "reward": lazy_gettext("Rewards"),
    "counter": lazy_gettext("What is counted"),
    "inspection": lazy_gettext("Inspections"),
    "retention": lazy_gettext("Retention"),
    "indicator": lazy_gettext("Indicators"),
    "report": lazy_gettext("Reports"),
    "script": lazy_gettext("Scripts"),
    "sanction": lazy_gettext("Other sanctions than sums"),
    "claim": lazy_gettext("What is owed to customers"),
    "chain": lazy_gettext("Approvals one after another"),
    "ladder": lazy_gettext("Whom a matter is passed up to"),
    "finding": lazy_gettext("What a check may find"),
    "authority": lazy_gettext("What may be promised by whom"),
    "alert": lazy_gettext("Who is told what"),
    "clause": lazy_gettext("Clauses"),
    "policy": lazy_gettext("The regulation"),
}
"""Every section in the order of the page: the most wanted first."""

FIELDS = {
    "over": lazy_gettext("Divided by"),
    "post": lazy_gettext("Post"),
    "about": lazy_gettext("About"),
    "adds_to": lazy_gettext("Added to"),
    "alone": lazy_gettext("Filled without a case too"),
    "amount": lazy_gettext("Amount"),
    "after_closing": lazy_gettext("Within, when it starts after closing"),
    "answers": lazy_gettext("Handles cases"),
    "appeal_term": lazy_gettext("Term for an appeal"),
    "applies": lazy_gettext("Applies when"),
    "at_intake": lazy_gettext("Asked at intake"),
    "attempts": lazy_gettext("Attempts"),
    "ask": lazy_gettext("The company should confirm it"),
    "before": lazy_gettext("Before"),
    "before_rest": lazy_gettext("Earlier when that day is a rest day"),
    "by_decision": lazy_gettext("Amount is decided case by case"),
    "cite": lazy_gettext("Clause"),
    "collective": lazy_gettext("Against several people"),
    "columns": lazy_gettext("Columns"),
    "concludes": lazy_gettext("May be ended at the desk"),
    "contents": lazy_gettext("Contents"),
    "customer_flag_term": lazy_gettext("How long a customer stays marked"),
    "due_day": lazy_gettext("Due on day"),
    "element": lazy_gettext("An element of pay"),
    "every": lazy_gettext("Every"),
    "excludes": lazy_gettext("Does not stand beside"),
    "fields": lazy_gettext("Fields of the form"),
    "form": lazy_gettext("Form"),
    "formula": lazy_gettext("Formula"),
    "from_count": lazy_gettext("From the how-manieth on"),
    "items": lazy_gettext("Items"),
    "key": lazy_gettext("Key"),
    "kinds": lazy_gettext("Kinds"),
    "label": lazy_gettext("Label"),
    "members": lazy_gettext("Members"),
    "month_of": lazy_gettext("Month of"),
    "note": lazy_gettext("Note"),
    "of": lazy_gettext("Of what"),
    "percent": lazy_gettext("Percent"),
    "photo": lazy_gettext("With a photo"),
    "promise": lazy_gettext("What is promised to the customer"),
    "proof": lazy_gettext("Proof is needed"),
    "required": lazy_gettext("Must be filled in"),
    "rule": lazy_gettext("Decided by"),
    "sanctions": lazy_gettext("Other sanctions"),
    "steps": lazy_gettext("Steps, one after another"),
    "target": lazy_gettext("Target"),
    "text": lazy_gettext("Text"),
    "to": lazy_gettext("To whom"),
    "top": lazy_gettext("The top may go beyond"),
    "top_alone": lazy_gettext("Given by the top alone"),
    "until": lazy_gettext("Until the time in the field"),
    "until_count": lazy_gettext("Up to the how-manieth"),
    "up_to": lazy_gettext("Up to"),
    "valid": lazy_gettext("The complaint was justified"),
    "ways": lazy_gettext("Ways"),
    "window": lazy_gettext("Within how long"),
    "binds": lazy_gettext("Binds"),
    "met_from": lazy_gettext("Not met before"),
    "or_met_if": lazy_gettext("Or met when"),
    "unless": lazy_gettext("Not owed when"),
    "judged_within": lazy_gettext("A stated time must be recorded within"),
    "owed_when_closed": lazy_gettext("Owed on a closed case too"),
    "unattended": lazy_gettext("Unread until it is registered"),
    "breach_of": lazy_gettext("When late"),
    "by": lazy_gettext("By"),
    "by_hand": lazy_gettext("Set by a person"),
    "carries_over": lazy_gettext("Runs on in a new round"),
    "choices": lazy_gettext("Choices"),
    "counter": lazy_gettext("Counted as"),
    "counts_from": lazy_gettext("Counts from"),
    "department": lazy_gettext("Department"),
    "counts_kinds": lazy_gettext("Kinds of cases that count"),
    "covers": lazy_gettext("Leaves no hour open between"),
    "deputy": lazy_gettext("Deputy may"),
    "director": lazy_gettext("Answers for it"),
    "ends": lazy_gettext("At its end"),
    "earliest": lazy_gettext("Not before the day of"),
    "ends_on": lazy_gettext("Ends with"),
    "equal_to": lazy_gettext("Weighs as much as"),
    "further": lazy_gettext("Further members at most"),
    "latest": lazy_gettext("Not after"),
    "agreed": lazy_gettext("Agreed with the customer"),
    "at_least": lazy_gettext("At least"),
    "lowers": lazy_gettext("Asked to lower a grade"),
    "event": lazy_gettext("Deed"),
    "grade": lazy_gettext("Grade"),
    "handled": lazy_gettext("Has a handling form"),
    "in_all": lazy_gettext("In all"),
    "judged_by": lazy_gettext("Judged by"),
    "keep": lazy_gettext("Kept for"),
    "kind": lazy_gettext("Kind"),
    "met_by": lazy_gettext("Met by"),
    "met_if": lazy_gettext("Met when"),
    "never": lazy_gettext("Never by"),
    "number": lazy_gettext("Number series"),
    "not_post": lazy_gettext("Not for holders of the posts"),
    "own_form": lazy_gettext("By the bearer's own paper"),
    "only_post": lazy_gettext("Only for holders of the posts"),
    "on_days": lazy_gettext("On so many days"),
    "or_when": lazy_gettext("Or when"),
    "per": lazy_gettext("Per"),
    "purpose": lazy_gettext("Purpose"),
    "recorded": lazy_gettext("Kept as a signature"),
    "replaces": lazy_gettext("Takes the place of"),
    "requires": lazy_gettext("Requires"),
    "resets": lazy_gettext("Begins anew"),
    "review_every": lazy_gettext("Reviewed every"),
    "scale": lazy_gettext("Scale"),
    "scope": lazy_gettext("Scope"),
    "shape": lazy_gettext("Asked as"),
    "sheet": lazy_gettext("Kind of what a department types into its file"),
    "slot": lazy_gettext("Slot"),
    "starts_if": lazy_gettext("Starts when"),
    "starts_on": lazy_gettext("Starts on"),
    "template": lazy_gettext("Form of the number"),
    "title": lazy_gettext("Title"),
    "value": lazy_gettext("Value"),
    "wage_month_ends_on": lazy_gettext("The wage month ends on day"),
    "edition": lazy_gettext("Edition of the judging"),
    "when": lazy_gettext("When"),
    "who": lazy_gettext("Who pays"),
    "window_from": lazy_gettext("Not before"),
    "within": lazy_gettext("Within"),
}

UNITS = {
    "minute": lazy_gettext("minutes"),
    "hour": lazy_gettext("hours"),
    "working_hour": lazy_gettext("working hours"),
    "working_day": lazy_gettext("working days"),
    "calendar_day": lazy_gettext("calendar days"),
    "week": lazy_gettext("weeks"),
    "month": lazy_gettext("months"),
    "year": lazy_gettext("years"),
    "same_day": lazy_gettext("days, by the end of the day"),
    "clock_time": lazy_gettext("o'clock"),
    "day_of_month": lazy_gettext("th of the month"),
}

OPERATORS = {
    "is": lazy_gettext("is"),
    "is_not": lazy_gettext("is not"),
    "in": lazy_gettext("is one of"),
    "not_in": lazy_gettext("is none of"),
    "filled": lazy_gettext("filled in:"),
    "at_least": lazy_gettext("at least"),
    "at_most": lazy_gettext("at most"),
    "below": lazy_gettext("below"),
}

WORDS = {
    "due": lazy_gettext("what fell due"),
    "answered_rate": lazy_gettext("share answered"),
    "appeal": lazy_gettext("an appeal"),
    "asked": lazy_gettext("asked for"),
    "granted": lazy_gettext("granted"),
    "refused": lazy_gettext("refused"),
    "today": lazy_gettext("today"),
    "cases": lazy_gettext("case numbers"),
    "choices": lazy_gettext("several choices"),
    "company": lazy_gettext("the company"),
    "complaint": lazy_gettext("complaint, once for each person"),
    "count": lazy_gettext("number of cases"),
    "decision": lazy_gettext("the decision"),
    "each": lazy_gettext("each in full"),
    "earlier": lazy_gettext("moves the end only earlier"),
    "employee": lazy_gettext("employee"),
    "key_customer": lazy_gettext("each key customer"),
    "late_count": lazy_gettext("number of late cases"),
    "majority": lazy_gettext("more than half"),
    "money": lazy_gettext("sum"),
    "overrides": lazy_gettext("moves the end"),
    "quarter": lazy_gettext("every quarter"),
    "reach_rate": lazy_gettext("share reached"),
    "repeat_rate": lazy_gettext("share repeated"),
    "satisfaction_rate": lazy_gettext("share satisfied"),
    "shared": lazy_gettext("shared among them"),
    "survey_score": lazy_gettext("score of the survey"),
    "timely_rate": lazy_gettext("share in time"),
    "unanimous": lazy_gettext("all of them"),
    "unclosable": lazy_gettext("a case that cannot be closed"),
    "upgrade": lazy_gettext("the case rises"),
    "visit_rate": lazy_gettext("share visited"),
    "week": lazy_gettext("every week"),
    "archive": lazy_gettext("goes to the archive"),
    "breach": lazy_gettext("counts as late"),
    "choice": lazy_gettext("choice"),
    "date": lazy_gettext("date"),
    "event": lazy_gettext("the deed"),
    "flag": lazy_gettext("yes or no"),
    "grade": lazy_gettext("grade"),
    "level": lazy_gettext("level"),
    "long_text": lazy_gettext("long text"),
    "month": lazy_gettext("every month"),
    "named": lazy_gettext("whom a person names"),
    "never": lazy_gettext("never"),
    "number": lazy_gettext("number"),
    "order": lazy_gettext("order"),
    "percent": lazy_gettext("percent"),
    "phone": lazy_gettext("phone"),
    "received": lazy_gettext("receipt"),
    "recorded": lazy_gettext("the time of recording"),
    "round": lazy_gettext("round"),
    "stated": lazy_gettext("the stated time"),
    "superior": lazy_gettext("the head of the employee's department"),
    "text": lazy_gettext("text"),
    "time": lazy_gettext("time"),
    "year": lazy_gettext("every year"),
} | {role: lazy_gettext(words) for role, words in ROLES.items()}

FACT_LABELS = {
    "body_length": lazy_gettext("Length of the content"),
    "confirmed_at": lazy_gettext("Reply confirmed at"),
    "dispatched_at": lazy_gettext("Dispatched at"),
    "last_answer": lazy_gettext("Last answer of the customer"),
    "struck": lazy_gettext("Finding struck out after an appeal"),
    "contacted_at": lazy_gettext("First contact"),
    "closed_at": lazy_gettext("Closed at"),
    "closing_ground": lazy_gettext("Closing ground"),
    "demands_more": lazy_gettext("Customer demands more"),
    "extension": lazy_gettext("Extension of this round"),
    "call": lazy_gettext("Last call"),
    "call.verification": lazy_gettext("Last verification call"),
    "call.satisfaction": lazy_gettext("Last satisfaction call"),
    "event.channel": lazy_gettext("Channel"),
    "event.ground": lazy_gettext("Ground"),
    "event.outcome": lazy_gettext("Outcome"),
    "event.purpose": lazy_gettext("Purpose"),
    "event.solved": lazy_gettext("Solved"),
    "factory_closed_at": lazy_gettext("Closed in the factory's system"),
    "history": lazy_gettext("From before go-live"),
    "replied_at": lazy_gettext("Replied at"),
    "reply_outcome": lazy_gettext("What the reply says"),
    "round": lazy_gettext("Round"),
    "satisfaction_unhappy": lazy_gettext("Unhappy at the satisfaction callback"),
    "status": lazy_gettext("Status"),
    "unhappy": lazy_gettext("Customer unhappy"),
}
"""Labels of what conditions ask for beyond the fields of a case."""

GROUNDS = frozenset(ground.value for ground in ClosingGround)
DEEDS = frozenset({"starts_on", "met_by", "before", "event"})
STANDINGS = {
    "approved": lazy_gettext("approved"),
    "refused": lazy_gettext("refused"),
    "agreed": lazy_gettext("agreed"),
    "open": lazy_gettext("open"),
}
"""The states of an approval or a question, and the subjects a customer is told about."""
STATES = {
    "late": lazy_gettext("late"),
    "met": lazy_gettext("met by a deed"),
    "running": lazy_gettext("runs"),
    "overdue": lazy_gettext("overdue now"),
}
"""The states of a term that a condition may ask for."""
NUMBERS = frozenset(
    {
        "within",
        "judged_within",
        "met_from",
        "window_from",
        "review_every",
        "in_all",
        "keep",
        "amount",
        "attempts",
        "on_days",
    }
    | {"appeal_term", "wage_month_ends_on"}
)
_HIDDEN_FIELDS = frozenset({"key", "label", "cite", "note", "ask"})


@dataclass(frozen=True)
class RuleFact:
    """One field of a rule in words; `number` marks those people look for."""

    name: str
    value: str
    number: bool


class RuleText:
    """Puts the rules of one version into words.

    `labels` are those of its entries by (section, key), `chosen` the values of its parameters,
    which a rule names as "$key".
    """

    def __init__(
        self, labels: Mapping[tuple[str, str], str], chosen: Mapping[str, Any] | None = None
    ) -> None:
        self._labels = labels
        self._chosen = chosen or {}
        self._names = Names(self._label, literals=field_text.IN_CONDITIONS)

    def facts(self, data: Mapping[str, Any]) -> Iterator[RuleFact]:
        """Yield the fields of a rule that say something, in the order written."""
        for name, value in data.items():
            if name in _HIDDEN_FIELDS or value in (None, "", [], {}, False):
                continue
            if isinstance(value, str) and value.startswith("$"):
                value = self._chosen.get(value[1:], value)
            number = name in NUMBERS or (name == "value" and not isinstance(value, str))
            yield RuleFact(str(FIELDS.get(name, name)), self.value(name, value), number)

    def value(self, name: str, value: Any) -> str:
        """Return one value in words; of a paper of this round as of the paper."""
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        if isinstance(value, str) and value[:1] == "$" and value[1:] in self._chosen:
            value = self._chosen[value[1:]]
        name = name.removeprefix("round.")
        if name == "value" and isinstance(value, str) and value in GROUNDS:
            name = "closing_ground"
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return self._sequence(name, value)
        if name == "amount":
            return _money_text(value)
        if name in ("columns", "of", "counts_from") and ("." in value or self._is_field(value)):
            return self.fact(str(value))
        if name in DEEDS or (name == "value" and value in EVENTS):
            return wording.deed(str(value))
        return self._word(name, str(value))

    def _label(self, section: str, key: str) -> str | None:
        """Return an entry's label; None for a clause, which is called by its key."""
        return None if section == "clause" else self._labels.get((section, key))

    def _is_field(self, value: Any) -> bool:
        return ("field", str(value)) in self._labels or value in FACT_LABELS

    def _mapping(self, value: Mapping[str, Any]) -> str:
        if value.get("at"):
            return gettext("%(amount)s × %(at)s", amount=value.get("amount"), at=value["at"][:5])
        if {"amount", "unit"} <= set(value):
            unit = UNITS.get(str(value["unit"]), value["unit"])
            said = gettext("%(amount)s %(unit)s", amount=value["amount"], unit=unit)
            whole = gettext("%(term)s, to the end of the day", term=said)
            return whole if value.get("ends_day") else said
        if "field" in value:
            return self._condition(value)
        if "label" in value:
            return str(value["label"])
        return "; ".join(f"{k}: {self.value(k, v)}" for k, v in value.items())

    def _condition(self, row: Mapping[str, Any]) -> str:
        field = str(row["field"])
        said = [(op, row[op]) for op in OPERATORS if op in row]
        op, right = said[0] if said else (str(row.get("op", "is")), row.get("value"))
        words = self.value(field, right) if right is not False else gettext("No")
        return f"{self.fact(field)} {OPERATORS.get(op, op)} {words}"

    def fact(self, path: str) -> str:
        """Return the label of a condition's field, also of a deed's or a form's."""
        known = self._labels.get(("field", path)) or FACT_LABELS.get(path)
        if known:
            return str(known)
        if path.startswith("event."):
            return gettext("this deed: %(field)s", field=self._of_deed(path[6:]))
        if path.startswith("round."):
            return gettext("in this round: %(paper)s", paper=self.fact(path[6:]))
        return self._of_deadline(path) or self._of_paper(path) or wording.field(path)

    def _of_deadline(self, path: str) -> str | None:
        """Return the label of what a condition asks of a deadline, such as `late.close`."""
        state, _, key = path.partition(".")
        if state not in STATES or ("deadline", key) not in self._labels:
            return None
        return f"{self._labels[('deadline', key)]} · {STATES[state]}"

    def _of_deed(self, name: str) -> str:
        """Return the label of a deed's field; of a filled form, the form's field."""
        inner = name.partition(".")[2]
        if name.startswith("extra."):
            return self.fact(inner)
        fields = (
            label
            for (section, key), label in self._labels.items()
            if key == inner and section.startswith("field of ")
        )
        return next(fields, inner) if inner else wording.field(name)

    def _of_paper(self, path: str) -> str | None:
        """Return the label of a form entry that a condition asks for, such as `form.visit.day`."""
        section, _, rest = path.partition(".")
        key, _, inner = rest.partition(".")
        kept = {"participant": "department", "appeal": "vote"}.get(section, section)
        if section == "informed":
            about = field_text.value_text(fields_named("about"), key, self._names)
            return f"{wording.deed('informed')} · {about}"
        if (kept, key) not in self._labels:
            return None
        name = f"{SECTIONS.get(section, section)} · {self._labels[(kept, key)]}"
        return f"{name} · {self._labels.get((f'field of {key}', inner), inner)}" if inner else name

    def _sequence(self, name: str, values: Sequence[Any]) -> str:
        conditions = bool(values) and isinstance(values[0], Mapping) and "field" in values[0]
        join = gettext(" and ") if conditions else gettext(", ")
        return join.join(self.value(name, one) for one in values)

    def _word(self, name: str, word: str) -> str:
        if said := field_text.marked_text(_fields(name), word, self._names):
            return said
        if name.startswith(("chain.", "vote.")) and word in STANDINGS:
            return str(STANDINGS[word])
        for known in (f"choice of {name}", "slot", "post", "department", "kind", "severity"):
            if (known, word) in self._labels:
                return self._labels[(known, word)]
        if word.startswith("member:"):
            return gettext("anybody of: %(what)s", what=self._word("department", word[7:]))
        if word.startswith(("post:", "role:")):
            return self._word("director", word[5:])
        return str(WORDS.get(word, word))


@cache
def _fields(path: str) -> tuple[FieldMarks, ...]:
    """Return the fields of that name, of a condition or of any entry, with their marks."""
    if path.startswith("event."):
        return fields_named(path.removeprefix("event."))
    kinds = (CaseFacts, PolicyHead, *ENTRIES.values())
    fields = (marks_of(kind).get(path) for kind in kinds)
    return tuple(one for one in fields if one is not None)


def _money_text(value: Any) -> str:
    try:
        return wording.money(Decimal(str(value)))
    except InvalidOperation:
        return str(value)
