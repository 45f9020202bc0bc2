"""The laws between the rules hold for every regulation, and each finds the fault it is for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from policy.engine import report_periods
from policy.pack.loading import PACKS, build_pack, load_pack, read_toml, shipped_path
from policy.pack.schema import Pack
from policy.proof import casefile, laws
from policy.proof.casefile import PlayBasis
from policy.proof.coverage import chosen_parameters
from policy.proof.play import Packs, Play
from policy.proof.random_play import Step, replayed
from policy.proof.sample_events import BEGIN, cast_of_pack
from policy.proof.written_case import case_text
from policy.vocabulary.events import load_event
from policy.vocabulary.facts import CallbackFacts, CaseFacts, FormEntryFacts, PenaltyFacts
from policy.vocabulary.status import (
    CallOutcome,
    CallPurpose,
    ClosingGround,
    PenaltyStatus,
    Satisfaction,
)
from tests.regulations import CASES, official_calendar

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))
SEED = int(os.environ.get("LAWS_SEED", "20261130"))
EVENTS = 20_000


@cache
def pack_of(regulation: str) -> Pack:
    return load_pack(shipped_path(regulation), chosen_parameters(CASES / regulation))


def told(found: list[laws.Violation], pack: Pack) -> str:
    """What was found, with the shortest case that shows it, as a person could play it."""
    calendar, lines = official_calendar(), [f"LAWS_SEED={SEED}"]
    for one in found:
        lines.append(f"{one.law.sentence} ({one.law.key}: {one.about})")
        if one.journal:
            short = laws.shortest(one, pack, calendar)
            people = cast_of_pack(pack)
            name = one.law.sentence
            lines.append(case_text(short.journal, people, name=name, calendar=calendar))
    return "\n".join(lines)


@pytest.mark.walk
@pytest.mark.parametrize("regulation", REGULATIONS)
def test_the_laws_hold_in_random_lives(regulation: str) -> None:
    pack = pack_of(regulation)
    found = list(laws.violations(pack, official_calendar(), seed=SEED, events=EVENTS))
    assert not found, told(found, pack)


# ---------------------------------------------------------------- each law finds its fault


def first_edition(data: dict[str, Any]) -> None:
    """Judge as the first edition did, which broke most laws."""
    data["policy"]["edition"] = 1
    for entry in (*data["signoff"], *data.get("vote", ())):
        entry.pop("never", None)


def without_decisions(data: dict[str, Any]) -> None:
    """Let nobody owe a decision: no term waits for one."""
    decisions = {"decided", "extension_granted", "extension_refused"}
    for entry in data["deadline"]:
        if decisions & set(entry.get("met_by", ())):
            entry["applies"] = [{"field": "round", "at_least": 90}]


def binding_nobody(data: dict[str, Any]) -> None:
    """Bind nobody by any term, and tell nobody of a breach."""
    data["alert"] = [entry for entry in data.get("alert", ()) if "breach_of" not in entry]
    for entry in data["deadline"]:
        entry.pop("binds", None)


def owing_nothing(data: dict[str, Any]) -> None:
    """Leave cases of the first ninety rounds without a term for the answer."""
    for entry in data["deadline"]:
        if entry.get("slot") == "close":
            entry["applies"] = [{"field": "round", "at_least": 90}]


Plant = Callable[[dict[str, Any]], None]
PLANTED: Mapping[str, tuple[str, Plant]] = {
    "a_later_start_ends_no_earlier": ("skoda-dealer", first_edition),
    "working_days_are_whole": ("skoda-dealer", first_edition),
    "nobody_is_late_unknowingly": ("supermarket-food", first_edition),
    "a_failed_call_meets_no_term": ("skoda-dealer", first_edition),
    "a_missed_target_is_not_met": ("trial-three-severities", first_edition),
    "who_waits_for_a_decision_has_a_term": ("sales-company", without_decisions),
    "no_term_goes_beyond_the_most": ("trial-three-severities", first_edition),
    "a_finding_says_whom_and_has_an_effect": ("trial-three-severities", first_edition),
    "nothing_is_paid_while_an_appeal_runs": ("trial-three-severities", first_edition),
    "a_ruling_is_final": ("trial-three-severities", first_edition),
    "nobody_acts_in_their_own_matter": ("trial-three-severities", first_edition),
    "nobody_decides_on_a_penalty_of_their_own": ("sales-company", first_edition),
    "nobody_takes_a_penalty_of_their_own_away": ("sales-company", first_edition),
    "no_juror_has_a_part_in_the_matter": ("trial-three-severities", first_edition),
    "every_vote_ends": ("trial-three-severities", first_edition),
    "further_members_are_fewer": ("trial-three-severities", first_edition),
    "a_jury_stays_once_somebody_voted": ("trial-three-severities", first_edition),
    "facts_outweigh_a_choice_by_hand": ("skoda-dealer", first_edition),
    "who_lowers_says_why": ("skoda-dealer", first_edition),
    "who_was_not_reached_is_called_again": ("trial-three-severities", first_edition),
    "what_is_overdue_has_a_person": ("supermarket-food", binding_nobody),
    "who_gets_a_case_owes_an_answer": ("skoda-dealer", owing_nothing),
}
"""A fault planted in a regulation for each law, which random lives then come upon."""


@pytest.mark.parametrize("key", PLANTED)
def test_a_law_finds_what_was_planted_and_nothing_once_it_is_left_out(key: str) -> None:
    regulation, plant = PLANTED[key]
    data = read_toml(shipped_path(regulation))
    plant(data)
    pack = build_pack(data, chosen_parameters(CASES / regulation))
    found = laws.violations(pack, official_calendar(), seed=1, events=40_000)
    one = next((v for v in found if v.law.key == key), None)
    assert one is not None, f"{key} did not find what was planted"
    if not one.journal:
        return
    steps = replayed(one.journal, pack, official_calendar())
    assert steps is not None
    assert key in {law.key for law, _ in laws.broken_by(steps[-1], pack)}
    assert key not in {law.key for law, _ in laws.broken_by(steps[-1], pack, without={key})}


# ---------------------------------------------------------------- pictures no engine makes


def charge(rule: str, **said: Any) -> PenaltyFacts:
    """A charge of a man's, proposed at the beginning, with what is said of it."""
    usual = {"employee": "1", "occasion": "order", "amount": Decimal(100), "because": {}}
    return PenaltyFacts(**{"rule": rule, "at": BEGIN, **usual, **said})


def judged(ground: str, before: tuple[PenaltyFacts, ...], after: tuple[PenaltyFacts, ...]) -> Step:
    """A finding of a ground that made these charges of those."""
    event = load_event({"type": "judged", "at": BEGIN, "ground": ground, "text": "-"})
    facts = CaseFacts(number="1", penalties=before), CaseFacts(number="1", penalties=after)
    return Step(facts[0], event, facts[1], BEGIN, BEGIN, official_calendar())


def a_surcharge_whose_ground_was_waived(pack: Pack) -> Step:
    surcharge = {"occasion": "cold/order", "because": {"on": "cold"}}
    waived = charge("cold", status=PenaltyStatus.waived)
    return judged("cold", (), (waived, charge("factory", **surcharge)))


def an_appealed_ground_and_a_surcharge_that_is_paid(pack: Pack) -> Step:
    told = {"status": PenaltyStatus.notified, "notified_at": BEGIN}
    surcharge = {"occasion": "cold/order", "because": {"on": "cold"}, "counts_at": BEGIN}
    return judged("cold", (), (charge("cold", **told), charge("factory", **told, **surcharge)))


def a_ground_beside_the_one_that_takes_its_place(pack: Pack) -> Step:
    lighter, graver = next(iter(pack.graver_penalties.items()))
    return judged("cold", (), (charge(lighter), charge(min(graver))))


def shares_rounded_up(pack: Pack) -> Step:
    shared = next(entry for entry in pack.penalty if entry.collective == "shared")
    parts = (charge(shared.key, employee=who, amount=Decimal("16.67")) for who in "123")
    step = judged(shared.key, (), tuple(parts))
    return dataclasses.replace(step, event=step.event.model_copy(update={"amount": Decimal(50)}))


def a_paper_rewritten_after_its_approval(pack: Pack) -> Step:
    chain = next(entry for entry in pack.chain if entry.of)
    papers, approval = chain.of[0].removeprefix("form."), {"standing": "approved"}
    form = FormEntryFacts("form", papers, 1, BEGIN, "1", {})
    agreed = FormEntryFacts("chain", chain.key, 1, BEGIN, "1", approval)
    step = judged("-", (), ())
    return dataclasses.replace(step, after=CaseFacts(number="1", entries=(form, agreed, form)))


def a_signature_under_a_dissatisfied_last_word(pack: Pack) -> Step:
    said = CallbackFacts(
        CallPurpose.satisfaction,
        round=1,
        attempt=1,
        at=BEGIN,
        outcome=CallOutcome.answered,
        caller="1",
        satisfaction=Satisfaction.very_dissatisfied,
    )
    after = CaseFacts(number="1", callbacks=(said,), closing_ground=ClosingGround.satisfied)
    signed = load_event({"type": "signed", "at": BEGIN, "feedback": "-"})
    return dataclasses.replace(judged("-", (), ()), event=signed, after=after)


def one_finding_entered_twice(pack: Pack) -> Step:
    first = charge("cold", occasion="judged/1")
    second = charge("cold", occasion="judged/2", at=BEGIN + dt.timedelta(seconds=1))
    return judged("cold", (first,), (first, second))


PICTURED: Mapping[str, tuple[str, Mapping[str, Any], Callable[[Pack], Step]]] = {
    "what_hangs_on_a_ground_falls_with_it": (
        "skoda-dealer",
        {},
        a_surcharge_whose_ground_was_waived,
    ),
    "what_hangs_on_an_appealed_ground_waits_with_it": (
        "skoda-dealer",
        {},
        an_appealed_ground_and_a_surcharge_that_is_paid,
    ),
    "grounds_that_exclude_each_other_do_not_stand_together": (
        "skoda-dealer",
        {},
        a_ground_beside_the_one_that_takes_its_place,
    ),
    "shares_add_up": ("sales-company", {"collective": "shared"}, shares_rounded_up),
    "nobody_signs_over_a_dissatisfied_customer": (
        "supermarket-food",
        {},
        a_signature_under_a_dissatisfied_last_word,
    ),
    "one_finding_is_one_finding": ("skoda-dealer", {}, one_finding_entered_twice),
    "an_approval_is_of_the_paper_as_it_stands": (
        "road-rescue",
        {},
        a_paper_rewritten_after_its_approval,
    ),
}
"""Steps that no edition of the engine makes any more, by the law each breaks."""


@pytest.mark.parametrize("key", PICTURED)
def test_a_law_sees_a_step_that_breaks_it_and_nothing_once_it_is_left_out(key: str) -> None:
    regulation, parameters, make = PICTURED[key]
    pack = load_pack(shipped_path(regulation), parameters)
    step = make(pack)
    assert key in {law.key for law, _ in laws.broken_by(step, pack)}
    assert key not in {law.key for law, _ in laws.broken_by(step, pack, without={key})}


def test_a_report_due_before_its_period_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    key, pack = "a_report_is_due_after_its_period", pack_of("sales-company")
    first_day = lambda report, period, calendar: report_periods.days_of(report, period)[0]  # noqa: E731  # one line says it
    monkeypatch.setattr(report_periods, "due_on", first_day)
    found = {v.law.key for v in laws.violations(pack, official_calendar(), seed=1, events=0)}
    left_out = laws.violations(pack, official_calendar(), seed=1, events=0, without={key})
    assert key in found
    assert key not in {v.law.key for v in left_out}


def test_each_law_has_a_fault_to_find() -> None:
    every = set(laws.STEP_LAWS) | set(laws.PACK_LAWS)
    assert every == {*PLANTED, *PICTURED, "a_report_is_due_after_its_period"}


def test_every_law_stands_in_a_chapter_and_says_what_it_demands() -> None:
    for law in (*laws.STEP_LAWS.values(), *laws.PACK_LAWS.values()):
        assert law.chapter in laws.CHAPTERS
        assert law.sentence.endswith(".")


def test_what_breaks_a_law_is_a_short_case_that_anybody_can_play() -> None:
    regulation, plant = PLANTED["who_was_not_reached_is_called_again"]
    data = read_toml(shipped_path(regulation))
    plant(data)
    pack, calendar = build_pack(data, chosen_parameters(CASES / regulation)), official_calendar()
    found = laws.violations(pack, calendar, seed=1, events=40_000)
    one = next(v for v in found if v.law.chapter == "customer" and v.journal)
    short = laws.shortest(one, pack, calendar)
    assert len(short.journal) <= len(one.journal)
    text = case_text(short.journal, cast_of_pack(pack), name="shown", calendar=calendar)
    written = casefile.parse_case_file(text, "shown.toml")
    basis = PlayBasis(Packs(data, chosen_parameters(CASES / regulation)), calendar)
    (case,) = casefile.checked_cases(written, {}, basis, file="shown.toml")
    play = Play(case, pack, calendar)
    assert [outcome.refused for outcome in map(play.step, case.steps)] == [None] * len(case.steps)
    steps = replayed(short.journal, pack, calendar)
    assert steps is not None
    assert play.facts.closing_ground is steps[-1].after.closing_ground
