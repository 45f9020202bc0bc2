"""Nobody is late for a time in which they had another term or could know of none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policy.engine.conditions import field_value
from policy.pack.loading import build_pack, read_toml, shipped_path
from policy.pack.schema import Pack
from policy.proof.play import Case, Play
from policy.vocabulary.status import DeadlineState
from tests.regulations import official_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGUN = dt.datetime(2026, 3, 2, 9)
CAST = {
    "desk": {"number": "1", "department": "care", "posts": ["care_specialist", "care_director"]},
    "head": {"number": "2", "department": "after_sales", "posts": ["after_sales_director"]},
    "other": {"number": "3", "department": "sales", "posts": ["sales_director"]},
}
DEFAULTS = {"kind": "complaint", "channel": "visit", "category": "quality", "subject": "x"}


def plain_data() -> dict[str, Any]:
    """The Skoda regulation without its gates and signoffs, its grades set by hand alone."""
    data = read_toml(shipped_path("skoda-dealer"))
    data["gate"], data["signoff"] = [], []
    for entry in data["severity"]:
        if entry["scale"] == "grade" and entry["key"][0] in "BC":
            entry.pop("or_when", None)
            entry["when"] = [{"field": "subject", "is": "never"}]
    return data


@cache
def skoda(edition: int = 2) -> Pack:
    data = plain_data()
    data["policy"]["edition"] = edition
    return build_pack(data)


def played(pack: Pack, *steps: Mapping[str, Any]) -> Play:
    """A case after its steps, each done by the desk and taken."""
    play = Play(Case("", "x", (), {}, tuple(steps), CAST, DEFAULTS), pack, official_calendar())
    for step in steps:
        outcome = play.step({"by": "desk", **step})
        assert outcome.refused is None, outcome.refused
    return play


def step(do: str, hours: float, **more: Any) -> dict[str, Any]:
    return {"do": do, "at": BEGUN + dt.timedelta(hours=hours), **more}


def handed_over(hours: float = 1, department: str = "after_sales") -> dict[str, Any]:
    return step("dispatched", hours, department=department)


def local(play: Play, key: str) -> dt.datetime | None:
    deadline = play.facts.deadline_of(key)
    assert deadline is not None
    return play.calendar.local(deadline.due_at).replace(tzinfo=None) if deadline.due_at else None


# ---------------------------------------------------------------- facts that change


def test_a_shorter_term_counts_from_the_reclassification() -> None:
    play = played(
        skoda(),
        step("registered", 0, grade="B2"),
        handed_over(),
        step("classified", 7 * 24 + 1, grade="A2", reason="x"),
    )
    # Three working days from then would end later than the term that ran until then.
    assert local(play, "close_a") == dt.datetime(2026, 3, 11, 10)
    play.step(step("time_passed", 7 * 24 + 1.1))
    assert "close_a" not in {c.key for c in play.facts.deadlines if c.breached}


def test_an_older_edition_counts_from_the_hand_over() -> None:
    play = played(
        skoda(1),
        step("registered", 0, grade="B2"),
        handed_over(),
        step("classified", 7 * 24 + 1, grade="A2"),
    )
    assert local(play, "close_a") == dt.datetime(2026, 3, 5, 10)


GRADES = ("A1", "A2", "A3", "B1", "B2", "B3")


def late(play: Play) -> set[tuple[str, dt.datetime]]:
    return {(c.key, breach.breached_at) for c in play.facts.deadlines for breach in c.breaches}


@example([("A1", 1), ("B1", 16), ("A1", 80), ("B1", 40), ("A1", 80)])
@given(
    st.lists(st.tuples(st.sampled_from(GRADES), st.integers(1, 80)), min_size=1, max_size=5),
)
def test_no_reclassification_makes_late_at_once(changes: list[tuple[str, int]]) -> None:
    play = played(skoda(), step("registered", 0), handed_over())
    hours = 1.0
    for grade, later in changes:
        hours += later
        play.step(step("time_passed", hours, by="desk"))
        before = late(play)
        done = play.step(step("classified", hours, grade=grade, reason="x", by="desk"))
        assert done.refused is None
        play.step(step("time_passed", hours + 0.001, by="desk"))
        at = (BEGUN + dt.timedelta(hours=hours)).replace(tzinfo=SHANGHAI)
        assert {one for one in late(play) if one[1] < at} == before


@given(st.sampled_from(GRADES), st.sampled_from(GRADES), st.integers(1, 200))
def test_a_term_is_no_longer_than_both_the_old_one_and_its_own(
    first: str, second: str, later: int
) -> None:
    play = played(skoda(), step("registered", 0, grade=first), handed_over())
    had = play.facts.due_at
    play.step(step("classified", 1 + later, grade=second, reason="x", by="desk"))
    own = played(skoda(), step("registered", 0, grade=second), handed_over()).facts.due_at
    now = play.facts.due_at
    known = play.facts.classified_at
    assert had is not None
    assert own is not None
    assert now is not None
    assert known is not None
    # Who is late already has a term of their own from then.
    assert now <= max(had, own) or max(had, own) < known


# ---------------------------------------------------------------- who has the case


def test_the_desk_has_a_term_until_it_hands_the_case_over() -> None:
    csc = {
        "key": "close_csc",
        "starts_on": ["registered"],
        "counts_from": "received",
        "met_by": ["confirmed"],
        "within": {"amount": 3, "unit": "working_day"},
        "slot": "close",
        "binds": "responsible",
    }
    pack = with_entries(deadline=[csc])
    play = played(pack, step("registered", 0), step("time_passed", 97))
    late = play.facts.deadline_of("close_csc")
    assert late is not None
    assert (late.breached, late.responsible, play.facts.penalties) == (True, "1", ())
    play = played(pack, step("registered", 0), handed_over(97), step("time_passed", 97.5))
    moved = play.facts.deadline_of("close_csc")
    assert moved is not None
    assert (moved.responsible, [r.reason for r in moved.revisions]) == ("2", ["dispatched"])
    assert local(play, "close_csc") == dt.datetime(2026, 3, 11, 10)
    play.step(step("time_passed", 10 * 24, by="desk"))
    assert [(c.rule, c.employee, c.amount) for c in play.facts.penalties] == [
        ("late_close", "2", Decimal(200))
    ]


def test_a_department_that_gets_a_case_too_late_has_a_term_of_its_own() -> None:
    play = played(
        skoda(),
        step("registered", 0),
        handed_over(),
        step("returned", 80, by="head", reason="不是本部门"),
        handed_over(81, "sales"),
        step("time_passed", 82),
    )
    assert [(c.employee, c.amount) for c in play.facts.penalties] == [("2", Decimal(200))]
    assert local(play, "close_a") == dt.datetime(2026, 3, 10, 17, 30)
    play.step(step("time_passed", 20 * 24, by="desk"))
    assert [c.employee for c in play.facts.penalties] == ["2", "3"]


@given(
    st.integers(1, 120),
    st.integers(0, 200),
    st.integers(0, 48),
    st.sampled_from(["sales", "after_sales"]),
)
@example(70, 0, 1, "sales")
@example(70, 0, 30, "after_sales")
def test_an_earlier_receipt_is_never_worth_less_than_a_later_one(
    sent_back: int, lay: int, longer: int, department: str
) -> None:
    def end(hours: int) -> dt.datetime:
        play = played(
            skoda(),
            step("registered", 0),
            handed_over(),
            step("returned", 1 + sent_back, by="head", reason="不是本部门"),
            handed_over(1 + sent_back + hours, department),
        )
        due = play.facts.due_at
        assert due is not None
        return due

    assert end(lay) <= end(lay + longer)


def test_what_is_late_while_the_desk_has_it_again_is_nobodys_fine() -> None:
    play = played(
        skoda(),
        step("registered", 0),
        handed_over(),
        step("returned", 3, by="head", reason="不是本部门"),
        step("time_passed", 100),
    )
    late = play.facts.deadline_of("close_a")
    assert late is not None
    assert (late.breached, late.responsible, play.facts.penalties) == (True, "1", ())


# ---------------------------------------------------------------- receipt


def with_entries(**more: Any) -> Pack:
    data = plain_data()
    for section, entries in more.items():
        named = [{"label": "x", "cite": "SKD-2.1", **entry} for entry in entries]
        keys = {entry["key"] for entry in named}
        data[section] = [one for one in data.get(section, ()) if one["key"] not in keys] + named
    return build_pack(data)


TARGET: dict[str, Any] = {
    "key": "look",
    "starts_on": ["registered"],
    "counts_from": "received",
    "met_by": ["contacted"],
    "within": {"amount": 1, "unit": "hour"},
}


@pytest.mark.parametrize(
    ("entry", "channel", "due"),
    [
        ({}, {}, dt.datetime(2026, 3, 2, 8)),
        ({"binds": "responsible"}, {}, dt.datetime(2026, 3, 2, 10)),
        ({"binds": "first_asked"}, {}, dt.datetime(2026, 3, 2, 8)),
        ({}, {"unattended": True}, dt.datetime(2026, 3, 2, 10)),
    ],
    ids=["of nobody", "of a department", "of who was asked", "of a letter box"],
)
def test_a_term_from_the_receipt_that_was_over_when_registered(
    entry: dict[str, Any], channel: dict[str, Any], due: dt.datetime
) -> None:
    box = {"key": "visit", **channel}
    pack = with_entries(deadline=[TARGET | entry], channel=[box])
    received = BEGUN - dt.timedelta(hours=2)
    play = played(pack, step("registered", 0, received_at=received))
    assert local(play, "look") == due


# ---------------------------------------------------------------- ends that are stated

WANTED: dict[str, Any] = {
    "key": "wanted",
    "starts_on": ["registered"],
    "met_by": ["confirmed"],
    "until": "wanted_by",
    "slot": "close",
    "binds": "responsible",
}
WANTED_BY = {"key": "wanted_by", "shape": "date"}


def test_a_stated_end_put_right_takes_its_place_in_the_slot() -> None:
    pack = with_entries(deadline=[WANTED], field=[WANTED_BY])
    play = played(
        pack,
        step("registered", 0),
        handed_over(),
        step("classified", 2, extra={"wanted_by": "2026-03-03"}),
        step("classified", 3, extra={"wanted_by": "2026-03-10"}),
    )
    running = {c.key for c in play.facts.deadlines if c.running and c.due_at}
    assert running == {"close_a"}
    assert local(play, "close_a") == dt.datetime(2026, 3, 5, 10)
    play.step(step("classified", 4, extra={"wanted_by": "2026-03-04"}, by="desk"))
    assert {c.key for c in play.facts.deadlines if c.running and c.due_at} <= {"close_a", "wanted"}


def test_an_end_that_is_over_when_it_is_stated_is_refused() -> None:
    pack = with_entries(deadline=[WANTED], field=[WANTED_BY])
    play = played(pack, step("registered", 0))
    said = play.step(step("classified", 30, extra={"wanted_by": "2026-03-02"}, by="desk"))
    assert said.refused is not None
    assert said.refused.code == "time_before_case"
    first = Play(Case("", "x", (), {}, (), CAST, DEFAULTS), pack, official_calendar())
    early = first.step(step("registered", 0, extra={"wanted_by": "2026-02-20"}, by="desk"))
    assert early.refused is not None
    assert early.refused.code == "time_before_case"


def test_a_stated_time_counts_only_if_recorded_soon() -> None:
    soon = TARGET | {"judged_by": "stated", "judged_within": {"amount": 1, "unit": "hour"}}
    pack = with_entries(
        deadline=[soon], signoff=[{"key": "contact", "event": ["contacted"], "by": ["anybody"]}]
    )
    for recorded, breached in ((9.9, False), (11.5, True)):
        contacted = step("contacted", 0.5) | {
            "recorded_at": BEGUN + dt.timedelta(hours=recorded - 9)
        }
        play = played(pack, step("registered", 0), contacted)
        deadline = play.facts.deadline_of("look")
        assert deadline is not None
        assert deadline.breached is breached


# ---------------------------------------------------------------- closed cases, targets, alerts


@pytest.mark.parametrize("owed", [True, False])
def test_a_closed_case_owes_only_what_the_rule_says(owed: bool) -> None:
    late = TARGET | {
        "applies": [{"field": "serious", "is": True}],
        "met_by": ["reported"],
        "owed_when_closed": owed,
    }
    pack = with_entries(deadline=[late])
    play = played(
        pack,
        step("registered", 0),
        handed_over(),
        step("replied", 2, by="head", outcome="solved", text="x"),
        step("confirmed", 3, by="head"),
        step(
            "called_back", 4, purpose="verification", outcome="answered", satisfaction="satisfied"
        ),
        step("signed", 5, feedback="x"),
        step("classified", 30, extra={"serious": True}),
    )
    found = play.facts.deadline_of("look")
    assert (found is not None) is owed
    if owed:
        assert local(play, "look") == dt.datetime(2026, 3, 3, 16)


def test_a_target_that_passed_is_missed() -> None:
    target = {**TARGET, "counts_from": "event", "ends": "warning"}
    play = played(with_entries(deadline=[target]), step("registered", 0), step("time_passed", 1.1))
    found = play.facts.deadline_of("look")
    assert found is not None
    assert (found.state, found.met_at, found.breached) == (DeadlineState.missed, None, False)


@pytest.mark.parametrize(
    ("binds", "employee", "department", "post"),
    [
        ("responsible", "1", None, None),
        ("first_asked", "1", None, None),
        ("handler", "1", None, None),
        ("member:care", None, "care", None),
        ("after_sales_director", None, None, "after_sales_director"),
        (None, "1", None, None),
    ],
)
def test_an_alert_goes_to_whom_the_term_binds(
    binds: str | None, employee: str | None, department: str | None, post: str | None
) -> None:
    entry = {**TARGET, "counts_from": "event"} | ({"binds": binds} if binds else {})
    alert = {"key": "look_late", "breach_of": "look", "to": ["bound", "handler", "director"]}
    pack = with_entries(deadline=[entry], alert=[alert])
    play = played(pack, step("registered", 0), step("time_passed", 1.1))
    told = [(m.employee, m.department, m.post) for m in play.told if m.rule == "look_late"]
    assert told[0] == (employee, department, post)
    assert all(any(one) for one in told)
    builtin = [m for m in play.told if m.kind == "breached"]
    assert [(m.employee, m.department, m.post) for m in builtin] == [(employee, department, post)]


def test_a_decision_that_is_owed_has_a_term() -> None:
    decide = {
        "key": "decide",
        "starts_on": ["confirmed"],
        "starts_if": [{"field": "status", "is": "raised"}],
        "met_by": ["extension_granted", "extension_refused"],
        "within": {"amount": 4, "unit": "working_hour"},
        "binds": "care_director",
    }
    until = dt.datetime(2026, 3, 5, 16)
    play = played(
        with_entries(deadline=[decide]),
        step("registered", 0, extra={"forwarded_by": "media"}, grade="A2"),
        handed_over(),
        step("replied", 2, by="head", outcome="extension", text="x", until=until),
        step("confirmed", 3, by="head"),
        step("time_passed", 30),
    )
    found = play.facts.deadline_of("decide")
    assert found is not None
    assert found.breached


# ---------------------------------------------------------------- what meets a term, what is owed


def state_of(play: Play, key: str) -> DeadlineState:
    found = play.facts.deadline_of(key)
    assert found is not None
    return found.state


PROGRESS: dict[str, Any] = {
    "key": "progress",
    "starts_on": ["dispatched"],
    "met_by": ["progressed", "replied"],
    "met_if": [{"field": "event.text", "filled": True}, {"field": "status", "is": "dispatched"}],
    "met_from": {"amount": 12, "unit": "hour"},
    "or_met_if": [{"field": "status", "is": "replied"}],
    "within": {"amount": 24, "unit": "hour"},
}


def test_a_word_that_comes_too_early_meets_no_term_and_the_end_does() -> None:
    pack = with_entries(deadline=[PROGRESS])
    opened = [step("registered", 0), handed_over(), step("progressed", 2, text="收到")]
    assert state_of(played(pack, *opened), "progress") is DeadlineState.running
    later = step("progressed", 14, text="已拆检")
    assert state_of(played(pack, *opened, later), "progress") is DeadlineState.met
    solved = step("replied", 3, by="head", outcome="solved", text="已修")
    assert state_of(played(pack, *opened, solved), "progress") is DeadlineState.met


def test_of_what_was_not_owed_no_breach_stands() -> None:
    five = {
        "key": "look",
        "starts_on": ["registered"],
        "met_by": ["dispatched"],
        "within": {"amount": 5, "unit": "minute"},
        "unless": [{"field": "responsibility", "is": "not_responsible"}],
    }
    fine = {
        "key": "look_late",
        "breach_of": "look",
        "who": "first_asked",
        "per": "time",
        "amount": 10,
    }
    pack = with_entries(deadline=[five], penalty=[fine])
    play = played(pack, step("registered", 0), step("time_passed", 0.3))
    assert [c.rule for c in play.facts.penalties if c.stands] == ["look_late"]
    said = step("classified", 0.4, responsibility="not_responsible", reason="非我方", by="desk")
    assert play.step(said).refused is None
    found = play.facts.deadline_of("look")
    assert found is not None
    assert [breach.lifted_because for breach in found.breaches] == ["not_owed"]
    assert [c.rule for c in play.facts.penalties if c.stands] == []
    assert state_of(play, "look") is DeadlineState.superseded


def test_a_condition_asks_how_a_term_stands() -> None:
    pack = with_entries(deadline=[TARGET | {"counts_from": "event", "met_by": ["dispatched"]}])
    play = played(pack, step("registered", 0))
    asked = ("running.look", "overdue.look", "late.look", "met.look")

    def standing() -> list[str]:
        return [path for path in asked if field_value(path, play.facts, None)]

    assert standing() == ["running.look"]
    play.step(step("time_passed", 2, by="desk"))
    assert standing() == ["running.look", "overdue.look", "late.look"]
    play.step(handed_over(3) | {"by": "desk"})
    assert standing() == ["late.look", "met.look"]


def test_a_term_may_end_when_a_deed_says() -> None:
    longer = {
        "key": "longer",
        "starts_on": ["extension_granted"],
        "met_by": ["confirmed"],
        "until": "event.until",
    }
    ordinary = {
        "key": "ordinary",
        "applies": [{"field": "extension", "is_not": "granted"}],
        "starts_on": ["registered"],
        "met_by": ["confirmed"],
        "within": {"amount": 4, "unit": "calendar_day"},
    }
    until = dt.datetime(2026, 3, 5, 16)
    play = played(
        with_entries(deadline=[longer, ordinary]),
        step("registered", 0, grade="A2"),
        handed_over(),
        step("replied", 2, by="head", outcome="extension", text="x", until=until),
        step("confirmed", 3, by="head"),
        step("extension_granted", 4, until=until),
    )
    assert local(play, "longer") == until
    assert state_of(play, "ordinary") is not DeadlineState.running
