"""What must hold of every case whatever happens to it, tried with events nobody would think of."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.engine.case import apply
from policy.engine.folding import JournalEntry, fold
from policy.engine.permission import deeds_offered
from policy.pack.loading import PACKS, build_pack, load_pack, read_toml, shipped_path
from policy.pack.schema import Pack
from policy.proof.coverage import chosen_parameters
from policy.proof.laws import broken_by
from policy.proof.random_play import Step
from policy.proof.sample_events import BEGIN, cast_of_pack, every_event, first_events
from policy.vocabulary.errors import DomainError
from policy.vocabulary.events import (
    By,
    Corrected,
    Event,
    HeldPost,
    Registered,
    TimePassed,
    Withdrawn,
    dump_event,
    load_event,
)
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import ALLOWED, ActorKind
from tests.regulations import CASES, official_calendar

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))
DAY = 24 * 60
HOPS = st.one_of(st.integers(1, 120), st.integers(1, 12 * DAY))

ROAD = ("dispatched", "replied", "confirmed", "called_back", "signed", "restarted", "replied")
SELDOM = {"classified", "progressed", "judged", "time_passed", "contacted", "returned", "upgraded"}

# The same lives in every run, so that what failed fails again.
thorough = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)


@cache
def world(regulation: str) -> tuple[Pack, list[Event], list[Event]]:
    """A pack, the ways a case can begin and everything that can happen to it."""
    pack = load_pack(shipped_path(regulation), chosen_parameters(CASES / regulation))
    begin = [event for event in first_events(pack) if Life(pack).happen(event)]
    return pack, begin, every_event(pack)


class Life:
    """A case and its journal; `happen` keeps what is not refused."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.facts = CaseFacts()
        self.entries: list[JournalEntry] = []
        self.steps: list[Step] = []
        self.now = self.seen_at = BEGIN

    def happen(self, event: Event) -> tuple[CaseFacts, CaseFacts] | None:
        """The case before and after; None where the event was refused."""
        entry = JournalEntry(len(self.entries) + 1, event, self.now)
        before = self.facts
        with suppress(DomainError):
            if isinstance(event, Corrected | Withdrawn):
                self.facts = fold([*self.entries, entry], self.pack, official_calendar())
            else:
                self.facts, _ = apply(
                    before, event, self.pack, calendar=official_calendar(), now=self.now
                )
            self.entries.append(entry)
            self.steps.append(
                Step(before, event, self.facts, self.now, self.seen_at, official_calendar())
            )
            self.seen_at = self.now
            return before, self.facts
        return None


def _next_event(data: st.DataObject, life: Life, tried: list[Event]) -> Event:
    """Something the status knows, or an amendment of what happened, stated now or a bit before."""
    stated = life.now - dt.timedelta(minutes=data.draw(st.sampled_from([0, 0, 0, 45])))
    if data.draw(st.integers(0, 9)) == 0:
        return _amendment(data, life)
    if life.facts.penalties and data.draw(st.integers(0, 4)) == 0:
        return _about_money(data, life)
    update: dict[str, Any] = {"at": max(stated, life.facts.received_at or stated)}
    known = sorted(ALLOWED[life.facts.status] & {e.type for e in tried}) or ["taken_over"]
    leading = [name for name in known if name not in SELDOM] or known
    name = data.draw(st.sampled_from(leading if data.draw(st.integers(0, 3)) else known))
    event = data.draw(st.sampled_from([e for e in tried if e.type == name]))
    if getattr(event, "until", None):
        update["until"] = life.now + dt.timedelta(hours=data.draw(st.integers(1, 80)))
    return event.model_copy(update=update)


def _along_the_road(life: Life, tried: list[Event], far: int) -> None:
    """Take a case the usual way, so that what is tried then is not only the first desk."""
    for name in ROAD[:far]:
        life.now += dt.timedelta(minutes=50)
        for event in (e for e in tried if e.type == name):
            if life.happen(event.model_copy(update={"at": life.now})):
                break


def _about_money(data: st.DataObject, life: Life) -> Event:
    deed = data.draw(st.sampled_from(["confirmed", "confirmed", "waived", "notified", "reversed"]))
    c = data.draw(st.sampled_from(life.facts.penalties))
    said = {"rule": c.rule, "employee": c.employee, "occasion": c.occasion, "sign": c.sign}
    why = {"confirmed": {}, "notified": {"how": "-"}}.get(deed, {"reason": "-"})
    by = life.entries[0].event.by
    return load_event({"type": f"penalty_{deed}", "at": life.now, "by": by, **said, **why})


def _amendment(data: st.DataObject, life: Life) -> Event:
    target = data.draw(st.sampled_from(life.entries))
    said = {"at": life.now, "by": target.event.by, "target": target.seq, "reason": "-"}
    if data.draw(st.booleans()):
        return load_event({"type": "withdrawn", **said})
    moved = target.event.at - dt.timedelta(minutes=data.draw(st.integers(-600, 600)))
    changes: dict[str, Any] = {"at": moved}
    if isinstance(target.event, Registered) and data.draw(st.booleans()):
        changes = {"received_at": min(moved, target.event.at), "category": None}
    return load_event({"type": "corrected", **said, "changes": changes})


def _handled(event: Registered, pack: Pack) -> bool:
    return bool(pack.find("kind", event.kind).handled)


def _live(data: st.DataObject, regulation: str) -> tuple[Life, list[tuple[CaseFacts, CaseFacts]]]:
    pack, begin, tried = world(regulation)
    life = Life(pack)
    graded = any(step.scale == "grade" for step in pack.severity)
    handled = [e for e in begin if isinstance(e, Registered) and _handled(e, pack)]
    usual = [e for e in handled if e.grade or not graded]
    first = data.draw(st.sampled_from(usual if data.draw(st.integers(0, 7)) else begin))
    steps = [life.happen(first)]
    _along_the_road(life, tried, data.draw(st.integers(0, len(ROAD))))
    for hop in data.draw(st.lists(HOPS, min_size=8, max_size=25)):
        life.now += dt.timedelta(minutes=hop)
        steps.append(life.happen(_next_event(data, life, tried)))
    return life, [step for step in steps if step]


@pytest.mark.parametrize("regulation", REGULATIONS)
@thorough
@given(data=st.data())
def test_the_journal_folds_to_the_case(regulation: str, data: st.DataObject) -> None:
    life, _ = _live(data, regulation)
    assert fold(life.entries, life.pack, official_calendar()) == life.facts


@pytest.mark.parametrize("regulation", REGULATIONS)
@thorough
@given(data=st.data())
def test_a_journal_survives_as_json(regulation: str, data: st.DataObject) -> None:
    life, _ = _live(data, regulation)
    read = [
        JournalEntry(e.seq, load_event(json.loads(json.dumps(dump_event(e.event)))), e.recorded_at)
        for e in life.entries
    ]
    # What a correction says is read as what it is only when it is applied.
    said = [e for e in life.entries if not isinstance(e.event, Corrected)]
    assert [e for e in read if not isinstance(e.event, Corrected)] == said
    assert fold(read, life.pack, official_calendar()) == life.facts


@pytest.mark.parametrize("regulation", REGULATIONS)
@thorough
@given(data=st.data(), hop=HOPS)
def test_time_that_passes_twice_adds_nothing(
    regulation: str, data: st.DataObject, hop: int
) -> None:
    life, _ = _live(data, regulation)
    life.now += dt.timedelta(minutes=hop)
    passed = TimePassed(at=life.now)
    if life.happen(passed):
        once = life.facts
        twice, effects = apply(once, passed, life.pack, calendar=official_calendar(), now=life.now)
        assert (twice, effects) == (once, ())


def _breaches(facts: CaseFacts) -> set[tuple[str, int, dt.datetime]]:
    return {(c.key, c.round, x.breached_at) for c in facts.deadlines for x in c.breaches}


@pytest.mark.parametrize("regulation", REGULATIONS)
@thorough
@given(data=st.data())
def test_no_breach_and_no_charge_ever_vanishes(regulation: str, data: st.DataObject) -> None:
    _, steps = _live(data, regulation)
    for before, after in steps:
        assert _breaches(before) <= _breaches(after)
        assert {c.identity for c in before.penalties} <= {c.identity for c in after.penalties}
        assert len({c.identity for c in after.penalties}) == len(after.penalties)


@pytest.mark.parametrize("regulation", REGULATIONS)
@thorough
@given(data=st.data())
def test_no_law_is_broken(regulation: str, data: st.DataObject) -> None:
    life, _ = _live(data, regulation)
    for step in life.steps:
        assert [(law.key, about) for law, about in broken_by(step, life.pack)] == []


@pytest.mark.parametrize("regulation", REGULATIONS)
@thorough
@given(data=st.data())
def test_no_due_time_moves_without_a_revision(regulation: str, data: st.DataObject) -> None:
    _, steps = _live(data, regulation)
    for before, after in steps:
        known = {(c.key, c.round): c for c in before.deadlines}
        for deadline in after.deadlines:
            was = known.pop((deadline.key, deadline.round), None)
            if was is not None:
                assert was.revisions == deadline.revisions[: len(was.revisions)]
                if was.due_at != deadline.due_at:
                    assert deadline.revisions[len(was.revisions) :]
                    assert deadline.revisions[-1].due_after == deadline.due_at
        assert known == {}


@pytest.mark.parametrize("regulation", REGULATIONS)
@thorough
@given(data=st.data())
def test_a_refused_event_changes_nothing(regulation: str, data: st.DataObject) -> None:
    life, _ = _live(data, regulation)
    _, _, tried = world(regulation)
    event = data.draw(st.sampled_from(tried))
    person = data.draw(st.sampled_from(cast_of_pack(life.pack)))
    before, entries = life.facts, list(life.entries)
    if life.happen(event.model_copy(update={"at": life.now, "by": person})) is None:
        assert (life.facts, life.entries) == (before, entries)


def test_a_case_that_no_department_had_cannot_be_restarted() -> None:
    data = read_toml(shipped_path("skoda-dealer"))
    data["kind"] = [{**kind, "concludes": True} for kind in data["kind"]]
    data["gate"] = []
    pack = build_pack(data)
    by = By(
        kind=ActorKind.user,
        employee="1001",
        departments=("care",),
        posts=(HeldPost(post="care_director"),),
    )
    life = Life(pack)
    said = {"kind": "complaint", "channel": "visit", "subject": "-", "received_at": BEGIN}
    steps: list[dict[str, Any]] = [
        {"type": "registered", "number": "1", **said},
        {"type": "concluded", "text": "当场答复"},
        {"type": "restarted", "ground": "repeat", "text": "再次来电", "holder": "2001"},
    ]
    done = [life.happen(load_event({"at": life.now, "by": by, **step})) for step in steps]
    assert [each is not None for each in done] == [True, True, False]
    assert "restarted" not in {deed.name for deed in deeds_offered(life.facts, by, pack)}
