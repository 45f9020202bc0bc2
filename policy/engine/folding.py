"""Fold a journal into the case its entries make, corrections and withdrawals included.

A correction or withdrawal changes an earlier entry; a move changes the version whose rules judge
them all. The entries are then applied anew. Breaches, moved due times and decided penalties are
kept from the case as it was: they must never vanish.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from policy.engine import penalties
from policy.engine.case import apply, pass_time
from policy.engine.own_cause import refuse_own_relief
from policy.engine.permission import refusal_without_name
from policy.engine.rules import Rules, rules_of
from policy.engine.sanctions import grounds, penalty_steps
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    ChoiceUnknown,
    DomainError,
    LaterStepsStand,
    NotFound,
    RuleGone,
    TimeInFuture,
    VotesGiven,
)
from policy.vocabulary.events import (
    Convened,
    Corrected,
    Event,
    Moved,
    Recounted,
    Voted,
    Withdrawn,
    dump_event,
    load_event,
    utc,
)
from policy.vocabulary.facts import (
    BreachFacts,
    CaseFacts,
    DeadlineFacts,
    PenaltyFacts,
    Revision,
    replace,
)
from policy.vocabulary.status import ActorKind, DeadlineState, PenaltyStatus, Status
from policy.vocabulary.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One journal row: its place, its event, and when it was recorded."""

    seq: int
    event: Event
    recorded_at: dt.datetime


Calendars = Callable[[dt.datetime], WorkCalendar]
"""Returns the calendar as it stood at an instant."""


def fold(
    entries: Iterable[JournalEntry],
    pack: Pack,
    calendar: WorkCalendar,
    *,
    calendars: Calendars | None = None,
    packs: Mapping[int, Pack] | None = None,
) -> CaseFacts:
    """Return the case a journal makes, equal to the rows of the record.

    `calendars` gives the calendar under which each entry was recorded; without it `calendar` has
    always stood. `packs` are those of the versions the case was moved to, by the id of the version.
    """
    standing: Calendars = calendars or (lambda _at: calendar)
    facts = CaseFacts()
    standing_entries: list[JournalEntry] = []
    for entry in entries:
        if isinstance(entry.event, Corrected | Withdrawn | Moved):
            if reason := refusal_without_name(entry.event.type, entry.event.by):
                raise reason
            because = "corrected"
            if isinstance(entry.event, Moved):
                pack, because = _pack_moved_to(facts, entry.event, packs or {}), "moved"
            else:
                _refuse_amended_votes(standing_entries, entry.event, pack=pack)
                standing_entries = amended_entries(standing_entries, entry.event)
            fresh = _replay(standing_entries, entry, pack, standing=standing)
            before = facts
            rules = rules_of(pack, standing(entry.recorded_at), now=utc(entry.recorded_at))
            facts = reconcile(facts, fresh, rules=rules, because=because)
            facts = grounds.follow(facts, rules)
            refuse_own_relief(before, facts, entry.event, pack=pack)
        else:
            known = standing(entry.recorded_at)
            facts, _ = apply(facts, entry.event, pack, calendar=known, now=entry.recorded_at)
            standing_entries.append(entry)
    return facts


def _refuse_amended_votes(
    entries: list[JournalEntry], amendment: Corrected | Withdrawn, *, pack: Pack
) -> None:
    """Refuse to change a jury that voted, and the votes that were given."""
    target = next((e.event for e in entries if e.seq == amendment.target), None)
    if not pack.policy.judges(Judging.own_cause):
        return
    given = any(
        isinstance(e.event, Voted) and e.seq >= amendment.target
        for e in entries
        if isinstance(target, Convened | Voted) and getattr(e.event, "vote", "") == target.vote
    )
    if given:
        assert isinstance(target, Convened | Voted)
        entry = pack.find("vote", target.vote)
        raise VotesGiven(cite=entry.cite if entry else pack.policy.cite)


def _pack_moved_to(facts: CaseFacts, moved: Moved, packs: Mapping[int, Pack]) -> Pack:
    """Return the pack a case is moved to.

    Raises NotFound for an unknown version, RuleGone where the pack has no rule of one of the case's
    deadlines or penalties.
    """
    if moved.to not in packs:
        raise NotFound(what="policy_version", key=str(moved.to))
    pack = packs[moved.to]
    rules = [("deadline", deadline.key) for deadline in facts.deadlines]
    rules += [("penalty", penalty.rule) for penalty in facts.penalties]
    for section, key in rules:
        if pack.find(section, key) is None:
            raise RuleGone(section=section, key=key)
    return pack


def amended_entries(
    entries: list[JournalEntry], amendment: Corrected | Withdrawn
) -> list[JournalEntry]:
    """Return the entries as amended. Raises NotFound for a target that cannot be amended."""
    place = next((n for n, e in enumerate(entries) if e.seq == amendment.target), None)
    if place is None or not entries[place].event.amendable:
        raise NotFound(what="journal", key=str(amendment.target))
    if isinstance(amendment, Withdrawn):
        return [] if place == 0 else entries[:place] + entries[place + 1 :]
    old = entries[place]
    frozen = {"type", "by", "number"}
    if strange := (set(amendment.changes) & frozen) | (
        set(amendment.changes) - set(type(old.event).model_fields)
    ):
        raise ChoiceUnknown(field="changes", value=", ".join(sorted(strange)))
    event = load_event(dump_event(old.event) | dict(amendment.changes))
    if event.at > amendment.at:
        raise TimeInFuture(field="at", at=event.at)
    # An event corrected to a later time cannot have been recorded before it happened.
    entry = JournalEntry(old.seq, event, max(old.recorded_at, event.at))
    return [*entries[:place], entry, *entries[place + 1 :]]


def _replay(
    entries: list[JournalEntry], amendment: JournalEntry, pack: Pack, *, standing: Calendars
) -> CaseFacts:
    """Apply the amended entries anew. LaterStepsStand names a later step that no longer fits."""
    facts = CaseFacts()
    steps: list[JournalEntry] = []
    for entry in entries:
        try:
            known = standing(entry.recorded_at)
            facts, _ = apply(facts, entry.event, pack, calendar=known, now=entry.recorded_at)
        except DomainError as error:
            if is_derived(entry.event):
                steps.append(entry)
                continue
            if entry.seq == getattr(amendment.event, "target", None):
                raise
            raise LaterStepsStand(
                deed=entry.event.type, seq=entry.seq, because=error.code, facts=error.facts
            ) from error
    known = standing(amendment.recorded_at)
    rules = rules_of(pack, known, now=utc(amendment.recorded_at))
    return _replay_penalty_steps(pass_time(facts, rules.now, rules), steps, rules)


def _replay_penalty_steps(facts: CaseFacts, steps: list[JournalEntry], rules: Rules) -> CaseFacts:
    """Apply the steps of penalties whose ground only this replay brings back; drop the others."""
    for entry in steps:
        if entry.event.type in penalty_steps.STEPS:
            with contextlib.suppress(DomainError):
                facts = penalty_steps.apply_step(
                    facts, entry.event, pack=rules.pack, calendar=rules.calendar
                )
    return grounds.follow(facts, rules)


def is_derived(event: Event) -> bool:
    """Whether the rules bring the event by themselves, so that it binds no correction."""
    counted_anew = event.by.kind is ActorKind.system or isinstance(event, Recounted)
    return counted_anew or event.type in penalty_steps.STEPS


def reconcile(
    before: CaseFacts, fresh: CaseFacts, *, rules: Rules, because: str = "corrected"
) -> CaseFacts:
    """Return the case applied anew, with the breaches, moved due times and penalties it had.

    `because` is the reason that a revised due time and a lifted breach give.
    """
    at = rules.now
    if not fresh.number:
        fresh = replace(before, status=Status.withdrawn, deadlines=(), penalties=())
    kept = tuple(_reconciled_deadline(fresh, old, at, because=because) for old in before.deadlines)
    old_keys = {(c.key, c.round) for c in before.deadlines}
    added = tuple(c for c in fresh.deadlines if (c.key, c.round) not in old_keys)
    return _reconcile_penalties(before, replace(fresh, deadlines=(*kept, *added)), rules)


def _reconciled_deadline(
    fresh: CaseFacts, old: DeadlineFacts, at: dt.datetime, *, because: str
) -> DeadlineFacts:
    new = next((c for c in fresh.deadlines if (c.key, c.round) == (old.key, old.round)), None)
    state = old if new is None else new
    if new is None and old.running:
        state = replace(old, state=DeadlineState.superseded)
    fresh_breaches = {breach.breached_at: breach for breach in state.breaches} if new else {}
    breaches = tuple(
        _reconciled_breach(breach, fresh_breaches, at, because=because) for breach in old.breaches
    )
    known = {breach.breached_at for breach in old.breaches}
    more = tuple(
        replace(breach, found_at=at)
        for breach in state.breaches
        if new and breach.breached_at not in known
    )
    revisions = old.revisions
    if state.due_at != old.due_at:
        moved = Revision(at, old.due_at, state.due_at, because)
        revisions = (*revisions, moved)
    return replace(state, breaches=(*breaches, *more), revisions=revisions)


def _reconciled_breach(
    old: BreachFacts, fresh: Mapping[dt.datetime, BreachFacts], at: dt.datetime, *, because: str
) -> BreachFacts:
    """Keep a breach with its first `found_at`, or lift it where the new case has none."""
    again = fresh.get(old.breached_at)
    if again is not None:
        return replace(again, found_at=old.found_at)
    return old if old.lifted_at else replace(old, lifted_at=at, lifted_because=because)


def _reconcile_penalties(before: CaseFacts, fresh: CaseFacts, rules: Rules) -> CaseFacts:
    """Let proposals without ground lapse; propose reversals of those already confirmed."""
    wanted = {c.identity: c for c in fresh.penalties}
    old = {c.identity for c in before.penalties}
    gone = {i for i in old if i not in wanted}
    added = tuple(replace(c, at=rules.now) for c in fresh.penalties if c.identity not in old)
    kept = tuple(_reconciled_penalty(wanted.get(c.identity, c), c) for c in before.penalties)
    facts = replace(fresh, penalties=(*kept, *added))
    return penalties.take_back(facts, lambda c: c.identity in gone, pack=rules.pack, at=rules.now)


def _reconciled_penalty(fresh: PenaltyFacts, old: PenaltyFacts) -> PenaltyFacts:
    """Return the penalty as it is now; a sum that a person confirmed stays as confirmed."""
    if old.status in (PenaltyStatus.confirmed, PenaltyStatus.notified):
        fresh = replace(fresh, amount=old.amount, because=old.because)
    return replace(fresh, at=old.at)
