"""No case is ever without a next deed: the whole state space of each shipped pack, walked."""

from __future__ import annotations

from functools import cache

import pytest

from policy.engine.permission import DECLARED_IN, SHEET_DEEDS, refusal
from policy.pack.loading import PACKS, load_pack, shipped_path
from policy.pack.schema import Pack
from policy.proof import checking, laws, sample_events, statespace
from policy.proof.coverage import chosen_parameters
from policy.proof.random_play import Step
from policy.proof.statespace import Walk
from policy.vocabulary.events import EVENTS
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import Status
from tests.regulations import CASES, official_calendar

REGULATIONS = [
    # A walk is worth keeping: all that is asked of one regulation runs in one process.
    pytest.param(
        path.stem, marks=[pytest.mark.walk, pytest.mark.xdist_group(f"walk of {path.stem}")]
    )
    for path in sorted(PACKS.glob("*.toml"))
]


@cache
def walked(regulation: str) -> tuple[Pack, Walk]:
    pack, found, _ = watched(regulation)
    return pack, found


@cache
def watched(regulation: str) -> tuple[Pack, Walk, set[tuple[str, str]]]:
    """The walk of a regulation, and the laws that any of its steps broke."""
    pack = load_pack(shipped_path(regulation), chosen_parameters(CASES / regulation))
    broken: set[tuple[str, str]] = set()

    def watch(step: Step) -> None:
        broken.update((law.key, about) for law, about in laws.broken_by(step, pack))

    return pack, statespace.walk_states(pack, official_calendar(), watch=watch), broken


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_no_step_of_the_walk_breaks_a_law(regulation: str) -> None:
    assert watched(regulation)[2] == set()


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_the_walk_reaches_every_status_and_tries_every_event(regulation: str) -> None:
    pack, found = walked(regulation)
    assert {place.facts.status for place in found.places.values()} == set(Status)
    assert {place.facts.round for place in found.places.values()} >= {1, 2}
    tried = {
        event.type
        for event in (*sample_events.every_event(pack), *sample_events.first_events(pack))
    }
    together = {said["type"] for said in sample_events.entry_events(pack)}
    together |= {said["type"] for vote in pack.vote for said in sample_events.jury_events(vote.key)}
    assert tried | together == set(EVENTS) - {"corrected", "withdrawn", "moved"} - _not_in(pack)


def _not_in(pack: Pack) -> set[str]:
    """The events that are about a section the regulation does not have."""
    lacking = {name for name, section in DECLARED_IN.items() if not getattr(pack, section)}
    pays = pack.penalty or pack.reward
    about_pay = {name for name in EVENTS if name == "judged" or name.startswith("penalty_")}
    return lacking if pays else lacking | about_pay


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_from_every_state_some_path_leads_to_an_end(regulation: str) -> None:
    _, found = walked(regulation)
    assert found.complete
    assert found.steps < checking.MOST_STEPS
    assert statespace.cases_without_end(found) == []


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_in_every_state_some_person_or_time_has_a_next_deed(regulation: str) -> None:
    pack, found = walked(regulation)
    assert statespace.cases_without_deed(found, pack) == []


@pytest.mark.parametrize("regulation", REGULATIONS)
@pytest.mark.parametrize("lawless", [False, True], ids=["as it is", "without signoffs"])
def test_no_sheet_ever_does_what_needs_a_name(regulation: str, lawless: bool) -> None:
    pack, found = walked(regulation)
    if lawless:
        pack = Pack.model_validate(pack.model_dump() | {"signoff": ()})
    done = set()
    for place in found.places.values():
        for by in sample_events.workbook_actors(pack):
            able = {name for name in EVENTS if refusal(place.facts, name, by, pack=pack) is None}
            assert not able or place.facts.department in by.departments
            done |= able
    assert done == SHEET_DEEDS - {"registered", "corrected"}


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_a_case_only_counted_can_become_one_that_is_handled(regulation: str) -> None:
    _, found = walked(regulation)
    for here, place in found.places.items():
        if place.facts.status is Status.recorded and not place.facts.history:
            statuses = {found.places[there].facts.status for there in found.leads_to[here]}
            assert Status.registered in statuses


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_nothing_runs_on_in_the_archive(regulation: str) -> None:
    _, found = walked(regulation)
    archived = [p.facts for p in found.places.values() if p.facts.status is Status.archived]
    assert archived
    assert [facts for facts in archived if any(c.running for c in facts.deadlines)] == []


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_no_clock_waits_for_an_answer_that_was_given(regulation: str) -> None:
    pack, found = walked(regulation)
    given = (Status.confirmed, Status.disputed, Status.accepted, Status.closed)
    for place in found.places.values():
        if place.facts.status in given:
            running = {deadline.key for deadline in place.facts.deadlines if deadline.running}
            assert not running & _answering(pack), place.facts


def _answering(pack: Pack) -> set[str]:
    return {entry.key for entry in pack.deadline if "confirmed" in entry.met_by}


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_a_case_at_the_department_always_has_a_clock_for_its_answer(regulation: str) -> None:
    pack, found = walked(regulation)
    answering = _answering(pack)
    for place in found.places.values():
        if place.facts.status is Status.dispatched and not place.facts.history:
            running = {deadline.key for deadline in place.facts.deadlines if deadline.running}
            assert running & answering or _has_terms_of_its_own(place.facts, running, pack)


def _has_terms_of_its_own(facts: CaseFacts, running: set[str], pack: Pack) -> bool:
    """Whether a case of a kind that gets no department's answer has another term that runs.

    A warning is planned, told and followed within terms of its own (SKD-5.2).
    """
    kinds = [row for e in pack.deadline if e.key in _answering(pack) for row in e.applies]
    asked = [row for row in kinds if row.field == "kind"]
    return bool(running and asked) and not any(row.holds(facts.kind) for row in asked)


def test_a_walk_that_comes_to_its_bound_says_so() -> None:
    pack = load_pack(shipped_path("skoda-dealer"))
    found = statespace.walk_states(pack, official_calendar(), most_steps=1_000)
    assert not found.complete
    assert found.places
