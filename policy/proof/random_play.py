"""Random lives of cases under a pack: people of every post do what they may, at any moment.

Unlike the walk over the states, which tries each sort of event once by a person who may do
everything, a random life has a cast: the holder of each post and a member of each department, who
are blamed, named, appealed for and appointed at random. So rules meet that no example brings
together. The same seed gives the same lives.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy.engine.case import next_facts
from policy.engine.folding import JournalEntry, fold
from policy.engine.permission import refusal
from policy.engine.sanctions.penalty_steps import STEPS
from policy.pack.schema import Pack
from policy.proof.sample_events import (
    BEGIN,
    cast_of_pack,
    dated,
    entry_events,
    every_event,
    first_events,
    jury_events,
    load_sample,
)
from policy.vocabulary.errors import DomainError
from policy.vocabulary.events import (
    SYSTEM,
    By,
    Corrected,
    Event,
    Registered,
    TimePassed,
    load_event,
)
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import declared_field
from policy.vocabulary.status import ALLOWED, ENDS, Status
from policy.vocabulary.worktime import WorkCalendar

LONGEST_LIFE = 80
"""The most events tried in one life; most lives end earlier."""
MOST_DRAWS = 6
"""How many events are drawn at most until one is found that somebody may do."""
_HOURS = dt.timedelta(hours=1)
_LEADING = frozenset(
    {"dispatched", "replied", "confirmed", "decided", "called_back", "signed", "restarted"}
    | {"extension_granted", "extension_refused", "settled", "convened", "voted", "ruled"}
)
"""Events that lead on; they are drawn more often than the others, so that lives get somewhere."""


@dataclass(frozen=True)
class Step:
    """One event of a case's life: the case before and after it, and the journal up to it.

    `seen_at` is when the case was last looked at before; whatever happened since was not known.
    """

    before: CaseFacts
    event: Event
    after: CaseFacts
    now: dt.datetime
    seen_at: dt.datetime
    calendar: WorkCalendar
    journal: tuple[JournalEntry, ...] = ()


class RandomPlay:
    """Plays random lives under a pack, each from its registration on."""

    def __init__(self, pack: Pack, calendar: WorkCalendar, seed: int) -> None:
        self.pack, self.calendar = pack, calendar
        self.draw = random.Random(seed)
        self.people = cast_of_pack(pack)
        self.holders = {held.post: by for by in self.people for held in by.posts}
        self.papers = _papers(pack)
        self.samples = _samples_by_type(pack)
        self.first = [event for event in first_events(pack) if isinstance(event, Registered)]

    def steps(self, events: int) -> Iterator[Step]:
        """Yield so many steps, of as many lives as it takes."""
        lives = (step for _ in itertools.count() for step in _Life(self).steps())
        yield from itertools.islice(lives, events)


class _Life:
    """One case from its registration on."""

    def __init__(self, play: RandomPlay) -> None:
        self.play, self.draw, self.pack = play, play.draw, play.pack
        self.facts = CaseFacts()
        self.journal: tuple[JournalEntry, ...] = ()
        self.now = self.seen_at = BEGIN + self.draw.randrange(24 * 60) * dt.timedelta(minutes=1)
        self.tried = 0

    def steps(self) -> Iterator[Step]:
        while self.tried < LONGEST_LIFE and self.facts.status not in ENDS:
            event = self._next_event() if self.journal else self._registration()
            if event is None and self.draw.random() < 0.6:
                yield from self._papers()
            yield from self._happened(event) if event else ()
            self.now += self._hop()

    def _papers(self) -> Iterator[Step]:
        """Make the entries that this round lacks and somebody may make: gates ask for them."""
        made = {
            (f.section, f.key, f.data.get("item", ""))
            for f in self.facts.entries
            if f.round == self.facts.round
        }
        for sample in self.play.papers:
            known = sample.type in ALLOWED[self.facts.status]
            if known and _entry_of(sample) not in made and self.draw.random() < 0.9:
                self.now += dt.timedelta(minutes=1)
                event = self._by_somebody(self._drawn(sample))
                yield from self._happened(event) if event else ()

    def _happened(self, event: Event) -> Iterator[Step]:
        """Yield the step an event makes; none where it is refused."""
        self.tried += 1
        entry = JournalEntry(len(self.journal) + 1, event, self.now)
        before, journal, calendar = self.facts, (*self.journal, entry), self.play.calendar
        try:
            after = after_entry(before, journal, self.pack, calendar=calendar)
        except DomainError:
            return
        self.facts, self.journal = after, journal
        yield Step(before, event, after, self.now, self.seen_at, calendar, journal)
        self.seen_at = self.now

    def _hop(self) -> dt.timedelta:
        """Return the time until the next event: minutes, days, or just before or after an end."""
        ends = [c.due_at for c in self.facts.deadlines if c.running and c.due_at]
        ahead = [end for end in ends if self.now < end < self.now + dt.timedelta(days=40)]
        sort = self.draw.random()
        if ahead and sort < 0.2:
            edge = self.draw.choice(ahead) + self.draw.choice((-1, 1)) * dt.timedelta(seconds=1)
            return max(edge - self.now, dt.timedelta(minutes=1))
        if sort < 0.75:
            return self.draw.randint(1, 180) * dt.timedelta(minutes=1)
        return self.draw.randint(1, 9 * 24) * _HOURS

    # ------------------------------------------------------------ what happens next

    def _registration(self) -> Event:
        sample = self.draw.choice(self.play.first)
        late = self.draw.choice((0, 0, 0, 1, 20)) * _HOURS
        extra = {k: v for k, v in sample.extra.items() if self.draw.random() < 0.5}
        changes: dict[str, Any] = {"received_at": self.now - late, "extra": extra}
        changes["first_asked"] = self._somebody()
        changes["category"] = self.draw.choice([None, *(e.key for e in self.pack.category)])
        if sample.grade and self.draw.random() < 0.5:
            changes["grade"] = None
        event = sample.model_copy(update={"at": self.now, **changes})
        return self._by_somebody(event) or _by(event, self.play.people[0])

    def _next_event(self) -> Event | None:
        if self.draw.random() < 0.02:
            return self._correction()
        if self.facts.penalties and self.draw.random() < 0.2:
            return self._penalty_step()
        known = sorted(ALLOWED[self.facts.status] & self.play.samples.keys())
        if self.facts.status is Status.closed:
            known.append("archived")
        leading = [name for name in known if name in _LEADING]
        names = leading if leading and self.draw.random() < 0.6 else known
        for name in self.draw.sample(names, min(len(names), MOST_DRAWS)):
            for sample in self.draw.sample(self.play.samples[name], len(self.play.samples[name]))[
                :4
            ]:
                event = self._by_somebody(self._drawn(sample))
                if event:
                    return event
        return None

    def _drawn(self, sample: Event) -> Event:
        changes = {name: value for name, value in self._details(sample).items() if value != ()}
        local = self.play.calendar.local(self.now)
        changes |= dated(sample.model_copy(update=changes), self.pack, local)
        return sample.model_copy(update={"at": self.now, **changes})

    def _details(self, sample: Event) -> Mapping[str, Any]:
        """Return the people, times and values of an event, drawn anew."""
        found: dict[str, Any] = {}
        for name in type(sample).model_fields:
            if name in _PERSON:
                found[name] = self._somebody()
            elif name in ("concerned", "together"):
                found[name] = self._some_people(name)
            elif name == "until" and getattr(sample, "until", None):
                found[name] = self.now + self.draw.randint(1, 24 * 20) * _HOURS
        if sample.type == "verified":
            found["earlier"] = {who: self.draw.randint(0, 3) for who in found["concerned"]}
        if sample.type == "convened":
            found["members"] = self._members(getattr(sample, "vote", ""))
            found["seated"] = self._holders(getattr(sample, "vote", ""))
        if sample.type in ("dispatched", "restarted"):
            found |= self._leaders(sample)
        if sample.type == "handed_over":
            here = self.facts.department or getattr(sample, "department", "")
            found |= {"department": here, "holder": self._somebody()}
        if sample.type == "filled":
            found["data"] = self._form_data(sample)
        if sample.type == "classified" and getattr(sample, "grade", None):
            found["reason"] = self.draw.choice((None, "-"))
        return found

    def _somebody(self) -> str:
        blamed = [*self.facts.concerned, *(c.employee for c in self.facts.penalties)]
        if blamed and self.draw.random() < 0.5:
            return self.draw.choice(blamed)
        return str(self.draw.choice(self.play.people).employee)

    def _some_people(self, name: str) -> tuple[str, ...]:
        if name == "together" and self.draw.random() < 0.8:
            return ()
        number = self.draw.randint(0 if name == "together" else 1, 3)
        return tuple(dict.fromkeys(self._somebody() for _ in range(number)))

    def _members(self, key: str) -> tuple[str, ...]:
        further = [self._somebody() for _ in range(self.draw.choice((0, 0, 1, 2, 5)))]
        return tuple(dict.fromkeys(str(who) for who in (*self._holders(key), *further)))

    def _holders(self, key: str) -> tuple[str, ...]:
        """Return who holds the posts of a jury."""
        posts = self.pack.find("vote", key).members
        held = [self.play.holders[post].employee for post in posts if post in self.play.holders]
        return tuple(dict.fromkeys(str(who) for who in held))

    def _leaders(self, sample: Event) -> dict[str, Any]:
        """Return who leads the department a case goes to: the head, sometimes with a deputy."""
        key = getattr(sample, "department", None) or self.facts.department
        entry = self.pack.find("department", key)
        head = self.play.holders.get(entry.director or "") if entry else None
        deputy = self._somebody() if self.draw.random() < 0.2 else None
        return {"holder": head.employee if head else None, "deputy": deputy}

    def _form_data(self, sample: Any) -> dict[str, Any]:
        entry, data = self.pack.find("form", sample.form), dict(sample.data)
        for field in entry.fields:
            if field.shape == "flag":
                data[field.key] = self.draw.random() < 0.5
            elif field.shape == "choice":
                data[field.key] = self.draw.choice(field.choices).key
            elif field.shape == "date":
                day = self.play.calendar.local(self.now).date()
                data[field.key] = f"{day - dt.timedelta(days=self.draw.randint(0, 3))}"
        return data

    def _penalty_step(self) -> Event | None:
        penalty = self.draw.choice(self.facts.penalties)
        name = self.draw.choice(sorted(STEPS))
        said = {"rule": penalty.rule, "employee": penalty.employee, "occasion": penalty.occasion}
        why = {"penalty_confirmed": {}, "penalty_notified": {"how": "-"}}
        details = why.get(name, {"reason": "-"})
        event = load_event({"type": name, "at": self.now, "sign": penalty.sign, **said, **details})
        return self._by_somebody(event)

    def _correction(self) -> Event | None:
        """Return a correction of a jury's members or of an earlier time, or None."""
        juries = [entry for entry in self.journal if entry.event.type == "convened"]
        entry = self.draw.choice(juries if juries and self.draw.random() < 0.7 else self.journal)
        if not entry.event.amendable:
            return None
        changes: dict[str, Any] = {"at": (entry.event.at - _HOURS / 6).isoformat()}
        if entry.event.type == "convened":
            changes = {"members": [self._somebody()]}
        said = {"type": "corrected", "at": self.now, "target": entry.seq, "reason": "-"}
        return _by(load_event({**said, "changes": changes}), self.draw.choice(self.play.people))

    def _by_somebody(self, event: Event) -> Event | None:
        """Return the event by somebody who may do it, or None where nobody asked may."""
        if event.type in _BY_TIME:
            return _by(event, SYSTEM)
        for person in self.draw.sample(self.play.people, len(self.play.people)):
            said = _by(event, person)
            if refusal(self.facts, event.type, person, pack=self.pack, event=said) is None:
                return said
        return None


_PERSON = frozenset({"employee", "handler", "first_asked"})
_BY_TIME = frozenset({"time_passed", "archived", "recounted"})


def _by(event: Event, person: By) -> Event:
    return event.model_copy(update={"by": person})


def _entry_of(event: Event) -> tuple[str, str, str]:
    """Return the section and key of the entry an event makes, and the item of a checklist."""
    about = declared_field(type(event))
    section, name = (about.sections[0], about.name) if about else (event.type, "about")
    return section, getattr(event, name), getattr(event, "item", "")


def _papers(pack: Pack) -> list[Event]:
    return [load_sample(pack, said) for said in entry_events(pack)]


def _samples_by_type(pack: Pack) -> Mapping[str, Sequence[Event]]:
    """Return the sample events of a pack by type, those of forms and juries included."""
    questions = (said for vote in pack.vote for said in jury_events(vote.key))
    asked = [load_sample(pack, said) for said in questions]
    found: dict[str, list[Event]] = defaultdict(list)
    for event in (*every_event(pack), *_papers(pack), *asked):
        # The files of departments, which spare a deadline, are no part of a life.
        spares = isinstance(event, TimePassed) and bool(event.spared)
        if not (event.type.startswith("penalty_") or spares):
            found[event.type].append(event)
    return found


def replayed(
    journal: Sequence[JournalEntry], pack: Pack, calendar: WorkCalendar
) -> list[Step] | None:
    """Return the steps of a journal anew; None where one of its events is refused."""
    steps: list[Step] = []
    facts, kept, seen_at = CaseFacts(), [], journal[0].recorded_at
    for number, entry in enumerate(journal, start=1):
        kept.append(JournalEntry(number, entry.event, entry.recorded_at))
        try:
            after = after_entry(facts, kept, pack, calendar=calendar)
        except DomainError:
            return None
        at = entry.recorded_at
        steps.append(Step(facts, entry.event, after, at, seen_at, calendar, tuple(kept)))
        facts, seen_at = after, at
    return steps


def after_entry(
    before: CaseFacts, journal: Sequence[JournalEntry], pack: Pack, *, calendar: WorkCalendar
) -> CaseFacts:
    """Return the case after the last entry of its journal. Raises as `apply`."""
    event, now = journal[-1].event, journal[-1].recorded_at
    if isinstance(event, Corrected):
        return fold(journal, pack, calendar)
    return next_facts(before, event, pack, calendar=calendar, now=now)
