"""What-if of one case: its facts under other rules, and the difference.

`replay_under` applies a journal anew as it stands after its corrections. A person's step that does
not fit the other rules is named, and the case is not judged. Events of time follow the other rules,
and decisions about a penalty are dropped where there is no such penalty. `compare_pictures`
compares breaches, sums and facts of two pictures of one case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from policy.engine.case import apply, archivable, pass_time
from policy.engine.folding import Calendars, JournalEntry, amended_entries, is_derived
from policy.engine.rules import rules_of
from policy.pack.schema import Pack
from policy.vocabulary.errors import DomainError, StepRefused
from policy.vocabulary.events import (
    SYSTEM,
    Archived,
    Corrected,
    Withdrawn,
    utc,
)
from policy.vocabulary.facts import CaseFacts, PenaltyFacts
from policy.vocabulary.status import Sign
from policy.vocabulary.worktime import WorkCalendar

COMPARED_FACTS = {"status": None, "kind": "kind", "level": "severity", "grade": "severity"}
"""The facts that are compared, and the section whose labels they carry."""

_RECORD_EVENTS = frozenset({"moved"})
"""Events that say under which rules a case goes on; a what-if has its own rules."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """A deadline whose breach stands."""

    key: str
    round: int
    breached_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PenaltySum:
    """A penalty that stands, in yuan; a reversal or reward is negative."""

    rule: str
    employee: str
    occasion: str
    sign: Sign
    yuan: Decimal


@dataclass(frozen=True, slots=True)
class CasePicture:
    """The part of a case that is compared."""

    late: tuple[Lateness, ...]
    sums: tuple[PenaltySum, ...]
    facts: Mapping[str, str | None]

    @property
    def yuan(self) -> Decimal:
        """The sum of the penalties, in yuan."""
        return sum((one.yuan for one in self.sums), Decimal(0))


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """The parts of one of two pictures of a case that the other lacks."""

    before: CasePicture
    after: CasePicture
    late_added: tuple[Lateness, ...] = ()
    late_removed: tuple[Lateness, ...] = ()
    sums_added: tuple[PenaltySum, ...] = ()
    sums_removed: tuple[PenaltySum, ...] = ()
    facts: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        late, sums = (*self.late_added, *self.late_removed), (*self.sums_added, *self.sums_removed)
        return bool(late or sums or self.facts)


def replay_under(
    entries: Iterable[JournalEntry],
    pack: Pack,
    calendar: WorkCalendar,
    *,
    now: dt.datetime,
    calendars: Calendars | None = None,
) -> CaseFacts:
    """Return the case its journal makes under a pack, up to `now`.

    Raises StepRefused for a step that does not fit; corrections and withdrawals count as corrected.
    `calendars` gives the calendar of each entry, as in `fold`, so that only the rules differ.
    """
    stood: Calendars = calendars or (lambda _at: calendar)
    facts = CaseFacts()
    for entry in standing_entries(entries):
        try:
            known = stood(entry.recorded_at)
            facts, _ = apply(facts, entry.event, pack, calendar=known, now=entry.recorded_at)
        except DomainError as error:
            if not is_derived(entry.event):
                raise StepRefused(deed=entry.event.type, seq=entry.seq, refusal=error) from error
    return settle_until(facts, pack, calendar, now=now)


def settle_until(
    facts: CaseFacts, pack: Pack, calendar: WorkCalendar, *, now: dt.datetime
) -> CaseFacts:
    """Return the case after time has done its part: deadlines end, cases are archived."""
    if not facts.number or facts.history:
        return facts
    facts = pass_time(facts, utc(now), rules_of(pack, calendar, now=utc(now)))
    if archivable(facts, pack):
        facts, _ = apply(facts, Archived(at=now, by=SYSTEM), pack, calendar=calendar, now=now)
    return facts


def standing_entries(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """Return a journal's entries after its corrections and withdrawals, in order."""
    kept: list[JournalEntry] = []
    for entry in entries:
        if isinstance(entry.event, Corrected | Withdrawn):
            kept = amended_entries(kept, entry.event)
        elif entry.event.type not in _RECORD_EVENTS:
            kept.append(entry)
    return kept


def compare_pictures(before: CaseFacts, after: CaseFacts) -> CaseDifference:
    """Return what differs between a case as it is and as it would be."""
    was, now = case_picture(before), case_picture(after)
    known = {(one.key, one.round) for one in was.late}
    would = {(one.key, one.round) for one in now.late}
    return CaseDifference(
        before=was,
        after=now,
        late_added=tuple(one for one in now.late if (one.key, one.round) not in known),
        late_removed=tuple(one for one in was.late if (one.key, one.round) not in would),
        sums_added=tuple(one for one in now.sums if one not in was.sums),
        sums_removed=tuple(one for one in was.sums if one not in now.sums),
        facts={
            name: (was.facts[name], now.facts[name])
            for name in COMPARED_FACTS
            if was.facts[name] != now.facts[name]
        },
    )


def case_picture(facts: CaseFacts) -> CasePicture:
    """Return the breaches and penalties that stand, and the COMPARED_FACTS, of a case."""
    late = [
        Lateness(deadline.key, deadline.round, breach.breached_at)
        for deadline in facts.deadlines
        for breach in deadline.breaches
        if breach.lifted_at is None
    ]
    return CasePicture(
        late=tuple({(one.key, one.round): one for one in late}.values()),
        sums=tuple(_penalty_sum(penalty) for penalty in facts.penalties if penalty.stands),
        facts={name: _key_text(getattr(facts, name)) for name in COMPARED_FACTS},
    )


def _penalty_sum(penalty: PenaltyFacts) -> PenaltySum:
    taken = penalty.amount if penalty.sign is Sign.charge else -penalty.amount
    return PenaltySum(penalty.rule, penalty.employee, penalty.occasion, penalty.sign, taken)


def _key_text(value: Any) -> str | None:
    return None if value is None else str(getattr(value, "value", value))


# ---------------------------------------------------------------- sums over many cases


@dataclass(slots=True)
class RuleCount:
    """The number of times a rule applied and its sums, as it was and as it would be."""

    label: str
    before: int = 0
    after: int = 0
    yuan_before: Decimal = Decimal(0)
    yuan_after: Decimal = Decimal(0)


@dataclass(slots=True)
class Totals:
    """Counts and sums over cases. Cases that could not be judged count in `refused` alone."""

    cases: int = 0
    differ: int = 0
    refused: int = 0
    late_before: int = 0
    late_after: int = 0
    fined_before: int = 0
    fined_after: int = 0
    yuan_before: Decimal = Decimal(0)
    yuan_after: Decimal = Decimal(0)
    regraded: int = 0
    terms: dict[str, RuleCount] = field(default_factory=dict)
    rules: dict[str, RuleCount] = field(default_factory=dict)

    def add(self, one: CaseDifference, was: Pack, other: Pack) -> None:
        """Count a case judged under the pack it was under, `was`, and under the `other` pack."""
        self.cases += 1
        self.differ += bool(one)
        self.late_before += bool(one.before.late)
        self.late_after += bool(one.after.late)
        self.fined_before += bool(one.before.sums)
        self.fined_after += bool(one.after.sums)
        self.yuan_before += one.before.yuan
        self.yuan_after += one.after.yuan
        self.regraded += bool(one.facts.keys() & {"level", "grade"})
        for late in one.before.late:
            _rule_count(self.terms, "deadline", late.key, pack=was).before += 1
        for late in one.after.late:
            _rule_count(self.terms, "deadline", late.key, pack=other).after += 1
        self._add_sums(one, was, other)

    def _add_sums(self, one: CaseDifference, was: Pack, other: Pack) -> None:
        for sum_ in one.before.sums:
            count = _rule_count(self.rules, "penalty", sum_.rule, pack=was)
            count.before += 1
            count.yuan_before += sum_.yuan
        for sum_ in one.after.sums:
            count = _rule_count(self.rules, "penalty", sum_.rule, pack=other)
            count.after += 1
            count.yuan_after += sum_.yuan

    def dump(self) -> dict[str, Any]:
        """Return the totals as JSON data; sums are texts, so that none is rounded."""
        told: dict[str, Any] = _json_data(asdict(self))
        return told

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Totals:
        """Return the totals of `dump`; empty data gives empty totals."""
        plain = {name: _typed(name, value) for name, value in data.items()}
        for name in ("terms", "rules"):
            counts = data.get(name, {}).items()
            plain[name] = {
                key: RuleCount(**{n: _typed(n, v) for n, v in count.items()})
                for key, count in counts
            }
        return cls(**plain)

    def refuse(self) -> None:
        """Count a case that could not be judged."""
        self.cases += 1
        self.refused += 1


def _rule_count(counts: dict[str, RuleCount], section: str, key: str, *, pack: Pack) -> RuleCount:
    return counts.setdefault(key, RuleCount(pack.label(section, key)))


def _json_data(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _json_data(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, Decimal) else value


def _typed(name: str, value: Any) -> Any:
    return Decimal(value) if name.startswith("yuan") else value
