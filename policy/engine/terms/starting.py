"""Deadlines that an event starts, and which of two in one slot runs.

Of two deadlines of a slot the one that ends first runs; both say why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from policy.engine.conditions import field_value, holds
from policy.engine.terms import deadlines, ends
from policy.pack.schema import DeadlineEntry, Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.events import Event
from policy.vocabulary.facts import CaseFacts, DeadlineFacts, Revision, replace
from policy.vocabulary.status import DeadlineState
from policy.vocabulary.worktime import WorkCalendar


def start(
    facts: CaseFacts,
    name: str,
    *,
    at: dt.datetime,
    received_at: dt.datetime | None = None,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None = None,
    known: ends.Known | None = None,
) -> CaseFacts:
    """Start the deadlines of an event; 'since receipt' counts from `received_at`.

    `known` is given where the event lies behind and changed facts make a deadline apply now.
    """
    # Deadlines without a slot compete with no other: they are added together.
    alone: list[DeadlineFacts] = []
    for entry in pack.deadlines_by_start.get(name, ()):
        if not (holds(entry.applies, facts) and holds(entry.starts_if, facts, event)):
            continue
        said: dict[str, Any] = {"pack": pack, "calendar": calendar, "event": event}
        said["at"] = _begins(facts, entry, pack, at=at) if known else at
        old = facts.deadline_of(entry.key)
        again = old if old and not known and _asked_again(old, entry, pack) else None
        if (old or _carries_over(facts, entry)) and not again:
            facts = _going_on(facts, old or _carried_over(facts, entry, pack), entry, said=said)
            continue
        owed = _is_owed(entry, facts, known)
        if not (owed and (deadline := _begun(facts, entry, name, received_at=received_at, **said))):
            continue
        if known:
            deadline = ends.end_since_known(deadline, entry, known, calendar=calendar)
        if again:
            facts = deadlines.replace_deadline(facts, _begun_again(deadline, again, at))
        elif entry.slot is None:
            alone.append(deadline)
        else:
            facts = _put_in_slot(_append(facts, alone), deadline, pack, known=known is not None)
            alone = []
    return _append(facts, alone)


def _begins(facts: CaseFacts, entry: DeadlineEntry, pack: Pack, *, at: dt.datetime) -> dt.datetime:
    """Return when a deadline that came to apply later begins: once its bearer has the case."""
    own = deadlines.received_at(facts, entry, pack)
    return max(at, own) if own else at


def _going_on(
    facts: CaseFacts, old: DeadlineFacts | None, entry: DeadlineEntry, *, said: dict[str, Any]
) -> CaseFacts:
    """Return the case whose deadline runs already; one with a stated end is told it anew."""
    told = old is not None and old.running and entry.until
    return _restate_end(facts, old, entry, **said) if old and told else facts


def _is_owed(entry: DeadlineEntry, facts: CaseFacts, known: ends.Known | None) -> bool:
    """Whether a deadline that would start is owed: not where something else stands for it."""
    if known and not ends.owed_now(entry, facts):
        return False
    return not (entry.unless and holds(entry.unless, facts))


DECISIONS = frozenset({"decided", "ruled", "extension_granted", "extension_refused"})
"""The events by which who was asked decides."""


def _asked_again(old: DeadlineFacts, entry: DeadlineEntry, pack: Pack) -> bool:
    """Whether a decision that was given is asked for once more in the round."""
    given = old.state is DeadlineState.met and bool(entry.met_by)
    return given and set(entry.met_by) <= DECISIONS and pack.policy.judges(Judging.own_rounds)


def _begun_again(fresh: DeadlineFacts, old: DeadlineFacts, at: dt.datetime) -> DeadlineFacts:
    """Return a deadline that began once more in its round, with what it was before."""
    revision = Revision(at, old.due_at, fresh.due_at, "asked_again")
    return replace(fresh, revisions=(*old.revisions, revision), breaches=old.breaches)


def _begun(
    facts: CaseFacts,
    entry: DeadlineEntry,
    name: str,
    *,
    at: dt.datetime,
    received_at: dt.datetime | None,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None,
) -> DeadlineFacts | None:
    """Return the deadline an event begins; None where the end its field states is not there.

    A term from the receipt that was over before the registration binds no department, which could
    not know of it: it counts from the registration. So does one of a letter that lay unread.
    """
    if entry.until and field_value(entry.until, facts, event) is None:
        return None
    since = ends.count_from(
        entry, name, at, received_at=received_at, calendar=calendar, facts=facts, event=event
    )
    judged = pack.policy.judges(Judging.known_terms)
    channel = pack.find("channel", facts.channel)
    if judged and name == "registered" and entry.counts_from == "received":
        since = max(since, at) if channel and channel.unattended else since
    deadline = _new_deadline(
        facts, entry, name, since=since, pack=pack, calendar=calendar, event=event
    )
    if not judged or deadline.due_at is None or deadline.due_at > at:
        return ends.end_as_promised(deadline, entry, facts)
    if entry.until and name == "registered":
        return None
    if name == "registered" and entry.binds in ("responsible", "handler"):
        deadline = _new_deadline(
            facts, entry, name, since=at, pack=pack, calendar=calendar, event=event
        )
        return ends.end_as_promised(deadline, entry, facts)
    because = {**deadline.because, "known": at.isoformat()}
    return ends.end_as_promised(replace(deadline, because=because), entry, facts)


def _append(facts: CaseFacts, deadlines: Collection[DeadlineFacts]) -> CaseFacts:
    return replace(facts, deadlines=(*facts.deadlines, *deadlines)) if deadlines else facts


def _restate_end(
    facts: CaseFacts,
    deadline: DeadlineFacts,
    entry: DeadlineEntry,
    *,
    at: dt.datetime,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None,
) -> CaseFacts:
    """Move a running deadline to the end its field states now; the old end becomes a revision.

    Where another of its slot now ends earlier, that one runs.
    """
    end = ends.stated_end(entry, facts, event, calendar=calendar)
    if end is None or end == deadline.due_at:
        return facts
    facts = deadlines.reopen(facts, deadline, due_at=end, at=at, reason="stated")
    alone = entry.slot is None or deadline.round != facts.round
    if alone or not pack.policy.judges(Judging.known_terms):
        return facts
    return _seat_anew(facts, entry.key, pack)


def _seat_anew(facts: CaseFacts, key: str, pack: Pack) -> CaseFacts:
    """Let the deadline of a slot run that ends first, after the end of one of them moved."""
    moved = facts.deadline_of(key)
    assert moved
    assert moved.due_at
    slot = pack.find("deadline", key).slot
    rivals = [
        rival
        for rival in facts.deadlines
        if rival.state is DeadlineState.superseded
        and (rival.round, pack.find("deadline", rival.key).slot) == (facts.round, slot)
        and rival.due_at
        and rival.due_at < moved.due_at
        and holds(pack.find("deadline", rival.key).applies, facts)
    ]
    if not rivals:
        return facts
    first = min(rivals, key=lambda rival: rival.due_at or moved.starts_at)
    first = replace(first, state=DeadlineState.running, responsible=moved.responsible)
    facts = deadlines.replace_deadline(facts, replace(moved, state=DeadlineState.superseded))
    return deadlines.replace_deadline(facts, replace(first, because=because_won(first, moved)))


def _carries_over(facts: CaseFacts, entry: DeadlineEntry) -> bool:
    return entry.carries_over and any(deadline.key == entry.key for deadline in facts.deadlines)


def _carried_over(facts: CaseFacts, entry: DeadlineEntry, pack: Pack) -> DeadlineFacts | None:
    """Return the deadline that runs on from an earlier round: a new day stated moves it too."""
    if not pack.policy.judges(Judging.known_terms):
        return None
    return next((one for one in reversed(facts.deadlines) if one.key == entry.key), None)


def _new_deadline(
    facts: CaseFacts,
    entry: DeadlineEntry,
    name: str,
    *,
    since: dt.datetime,
    pack: Pack,
    calendar: WorkCalendar,
    event: Event | None,
) -> DeadlineFacts:
    because: dict[str, Any] = {
        "rule": entry.key,
        "clause": entry.cite,
        "from": since.isoformat(),
        "from_event": name,
    }
    deadline = DeadlineFacts(
        key=entry.key,
        round=facts.round,
        state=DeadlineState.running,
        starts_at=since,
        due_at=None,
        because=because,
        responsible=deadlines.person_bound(facts, entry, pack),
    )
    if entry.until is not None:
        end = ends.stated_end(entry, facts, event, calendar=calendar)
        assert end is not None, "a deadline begins only once the end its field states is there"
        stated = {"stated": entry.until, "named": end.isoformat()}
        return replace(deadline, due_at=end, because={**because, **stated})
    return ends.count_end(deadline, entry, calendar)


def _put_in_slot(
    facts: CaseFacts, deadline: DeadlineFacts, pack: Pack, *, known: bool = False
) -> CaseFacts:
    """Put a new deadline in its slot: of two, the earlier end runs; both ends are explained.

    Where the slot's deadline was met already the new one is not needed, unless what met it was no
    answer and facts that were `known` only afterwards ask for it anew: a report of less.
    """
    entry: DeadlineEntry = pack.find("deadline", deadline.key)
    rival = deadlines.slot_deadline(facts, entry.slot, pack) if entry.slot else None
    asked_anew = known and "confirmed" not in entry.met_by
    over = rival and not rival.running
    if rival is None or (over and (asked_anew or rival.state is DeadlineState.missed)):
        return replace(facts, deadlines=(*facts.deadlines, deadline))
    if not rival.running:
        return facts
    if _ends_later(deadline, rival):
        return deadlines.replace_deadline(
            facts, replace(rival, because=because_won(rival, deadline))
        )
    facts = deadlines.replace_deadline(facts, replace(rival, state=DeadlineState.superseded))
    return replace(
        facts, deadlines=(*facts.deadlines, replace(deadline, because=because_won(deadline, rival)))
    )


def _ends_later(one: DeadlineFacts, other: DeadlineFacts) -> bool:
    return one.due_at is None or (other.due_at is not None and one.due_at >= other.due_at)


def because_won(winner: DeadlineFacts, loser: DeadlineFacts) -> Mapping[str, Any]:
    """Return the winner's `because` with the deadline that it superseded."""
    beaten = {
        "rule": loser.key,
        "clause": loser.because["clause"],
        "due_at": loser.due_at.isoformat() if loser.due_at else None,
        "from": loser.starts_at.isoformat(),
        "from_event": loser.because["from_event"],
    }
    return {**winner.because, "over": [*winner.because.get("over", ()), beaten]}
