"""Own cause, rounds, calls and grades by hand: what an edition judges that older ones did not."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.engine.conditions import field_value
from policy.engine.folding import fold
from policy.engine.jury import vote_outcome
from policy.engine.severity import EntryTimes, checked_values
from policy.pack.forms_and_reports import FormField, VoteEntry
from policy.pack.loading import read_toml, shipped_path
from policy.proof.play import Packs, Play, cases_of
from policy.vocabulary.errors import NumberTooSmall, TimeBeforeCase, TimeInFuture
from policy.vocabulary.facts import FormEntryFacts
from policy.vocabulary.status import PenaltyStatus, Status
from tests.regulations import CASES, official_calendar


@cache
def packs(regulation: str, edition: int) -> Packs:
    """A shipped regulation as judged by an edition of the engine."""
    data = read_toml(shipped_path(regulation))
    # Whom the regulation itself keeps out would hide what the edition does.
    signoffs = [{k: v for k, v in one.items() if k != "never"} for one in data["signoff"]]
    head = {**data["policy"], "edition": edition}
    return Packs({**data, "policy": head, "signoff": signoffs})


def played(steps: str, *, begins: str, edition: int = 2, regulation: str = "skoda-dealer") -> Play:
    """The play of steps that begin where an opening of the regulation ends."""
    shared = read_toml(CASES / regulation / "cast.toml")
    text = f'[[case]]\nname = "x"\nbegins = "{begins}"\nstep = [{steps}]'
    case = next(cases_of(tomllib.loads(text), shared))
    play = Play(case, packs(regulation, edition).of(case.parameters), official_calendar())
    for step in case.steps:
        play.step(step)
    assert fold(play.entries, play.pack, play.calendar) == play.facts
    return play


def call(at: str, outcome: str) -> str:
    """One attempt to call the customer back."""
    said = f'purpose = "verification", outcome = "{outcome}"'
    return f'{{ do = "called_back", at = {at}, by = "care_specialist", {said} }},'


@pytest.mark.parametrize("outcome", ["refused", "wrong_number"])
def test_an_older_edition_ends_by_the_first_refused_call(outcome: str) -> None:
    steps = call("2026-03-04T10:00:00", outcome)
    assert played(steps, begins="confirmed").facts.status is Status.confirmed
    assert played(steps, begins="confirmed", edition=1).facts.status is Status.accepted


ATTEMPT = st.tuples(st.sampled_from(["unreachable", "refused", "wrong_number"]), st.integers(0, 2))


@given(st.lists(ATTEMPT, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_case_goes_on_without_the_customer_after_three_attempts_on_two_days(
    attempts: list[tuple[str, int]],
) -> None:
    """Whatever the outcomes and their order, as long as nobody answered (SKD-3.2.3.1)."""
    at, steps, days = dt.datetime(2026, 3, 4, 9), "", []
    for outcome, later in attempts:
        at += dt.timedelta(days=later, minutes=1)
        days.append(at.date())
        steps += call(at.isoformat(), outcome)
    over = any(n >= 3 and len(set(days[:n])) >= 2 for n in range(1, len(days) + 1))
    play = played(steps, begins="confirmed")
    assert (play.facts.status is Status.accepted) is over
    term = play.facts.deadline_of("verification")
    assert term is not None
    assert term.running is not over


WAIVE = """{ do = "judged", at = 2026-03-02T11:00:00, by = "general_manager", ground =
"hide_director", employee = "care_director", text = "未登记" }, { do = "penalty_waived", at =
2026-03-02T12:00:00, by = "care_director", rule = "hide_director", employee = "care_director",
reason = "情节轻微" },""".replace("\n", " ")


def test_an_older_edition_let_a_person_waive_their_own_penalty() -> None:
    status = {
        edition: played(WAIVE, begins="handed_over", edition=edition).facts.penalties[0].status
        for edition in (1, 2)
    }
    assert status == {1: PenaltyStatus.waived, 2: PenaltyStatus.proposed}


def test_who_found_and_who_confirmed_a_penalty_stands_in_its_reason() -> None:
    facts = played("", begins="blamed").facts
    because = facts.penalties[0].because
    assert (because["found_by"], because["confirmed_by"]) == ("1002", "1002")
    older = played("", begins="blamed", edition=1).facts.penalties[0].because
    assert not {"found_by", "confirmed_by"} & set(older)


def _ballots(votes: list[bool]) -> list[FormEntryFacts]:
    at = dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
    said: list[dict[str, Any]] = [{"agrees": agrees} for agrees in votes]
    return [FormEntryFacts("ballot", "q", 1, at, str(n), data) for n, data in enumerate(said)]


@given(
    st.lists(st.booleans(), max_size=9),
    st.integers(0, 9),
    st.sampled_from(["majority", "unanimous"]),
)
@settings(derandomize=True)
def test_silence_never_turns_a_no_into_a_yes(votes: list[bool], silent: int, rule: Any) -> None:
    """An outcome that stands before the term stays when the silent count as no (SKD-4.1.3)."""
    entry = VoteEntry(key="q", label="q", cite="1", about="appeal", rule=rule, members=("a",))
    members = max(len(votes) + silent, 1)
    before = vote_outcome(entry, members, _ballots(votes))
    after = vote_outcome(entry, members, _ballots([*votes, *[False] * (members - len(votes))]))
    assert after is not None
    assert before in (None, after)
    assert before is not None or after is False


CHAIN = {
    "key": "approved_cause",
    "label": "原因审批",
    "cite": "SKD-5.6.1",
    "of": ["form.cause_analysis"],
    "steps": ["general_manager"],
}


def approval_of(steps: str) -> tuple[Play, Any]:
    """The play of a serious case whose analysis the general manager approves, and its state."""
    data = read_toml(shipped_path("skoda-dealer"))
    data = {**data, "chain": [*data["chain"], CHAIN]}
    shared = read_toml(CASES / "skoda-dealer" / "cast.toml")
    text = f'[[case]]\nname = "x"\nbegins = "serious_handed_over"\nstep = [{steps}]'
    case = next(cases_of(tomllib.loads(text), shared))
    play = Play(case, Packs(data).of(case.parameters), official_calendar())
    for step in case.steps:
        play.step(step)
    return play, field_value("chain.approved_cause", play.facts, None)


FILLED = """{ do = "filled", at = 2026-03-02T1%s:00:00, by = "after_sales_manager", form =
"cause_analysis", data = { cause = "装配不良", measures = "培训" } },""".replace("\n", " ")
ENDORSED = """{ do = "endorsed", at = 2026-03-02T1%s:30:00, by = "general_manager", chain =
"approved_cause", agrees = true, opinion = "同意" },""".replace("\n", " ")


@given(st.lists(st.booleans(), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_an_approval_stands_only_for_the_paper_it_was_given_on(fills: list[bool]) -> None:
    """Whatever is filled in and approved in whatever order (SKD-5.6.1)."""
    steps = "".join((FILLED if fill else ENDORSED) % n for n, fill in enumerate(fills, start=1))
    _, state = approval_of(steps)
    approved = len(fills) > 1 and True in fills and fills[-1] is False
    assert state == ("approved" if approved else None)


DAYS = st.dates(dt.date(2026, 2, 20), dt.date(2026, 3, 20))


@given(
    DAYS, st.sampled_from([{"latest": "today"}, {"earliest": "received"}, {"earliest": "event"}])
)
@settings(derandomize=True)
def test_the_bounds_of_a_field_are_days_of_the_case(day: dt.date, bound: dict[str, Any]) -> None:
    """Received on 2 March, written down on 10 March (FUE-C3.9, MKT-3.2.3, TRI-7.2c)."""
    field = FormField(key="on", label="on", shape="date", **bound)
    received, entered = dt.date(2026, 3, 2), dt.date(2026, 3, 10)
    calendar = official_calendar()
    times = EntryTimes(
        calendar.instant(received, dt.time(9)), calendar.instant(entered, dt.time(9)), calendar
    )
    within = {
        "latest": day <= entered,
        "earliest": day >= (received if bound.get("earliest") == "received" else entered),
    }[next(iter(bound))]
    refused: Exception | None = None
    try:
        checked_values([field], {"on": day.isoformat()}, times)
    except (TimeInFuture, TimeBeforeCase) as error:
        refused = error
    assert (refused is None) is within


@given(st.integers(-5, 5), st.integers(0, 3))
@settings(derandomize=True)
def test_the_bounds_of_a_number_hold(said: int, least: int) -> None:
    """Hurt people are none or more (SUP-1.4)."""
    calendar = official_calendar()
    at = calendar.instant(dt.date(2026, 3, 2), dt.time(9))
    field = FormField(key="n", label="n", shape="number", at_least=least)
    if said >= least:
        assert checked_values([field], {"n": said}, EntryTimes(at, at, calendar)) == {"n": said}
    else:
        with pytest.raises(NumberTooSmall):
            checked_values([field], {"n": said}, EntryTimes(at, at, calendar))


def test_a_refusal_names_the_term_and_the_grade_by_their_labels() -> None:
    """Nobody on the spot yet (FUE-A3.2.1); no time to be asked for (FUE-B4.3)."""
    play = played("", begins="handed_over", regulation="fuel-supplier")
    answer = {"do": "replied", "by": "investigator", "text": "-"}
    at = dt.datetime(2026, 3, 2, 11)
    seen = play.step({**answer, "at": at, "outcome": "solved"}).refused
    wish = {**answer, "at": at, "outcome": "extension", "until": dt.datetime(2026, 3, 4, 11)}
    more = play.step(wish).refused
    assert seen is not None
    assert more is not None
    assert (seen.facts["field"], more.facts["grade"]) == ("现场初步调查", "一般")
