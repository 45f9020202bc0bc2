"""What a regulation may say of ends and conditions beyond a plain term, played in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from policy.engine.conditions import field_value
from policy.pack.loading import build_pack, read_toml, shipped_path
from policy.proof.play import Case, Play
from policy.vocabulary.errors import PackRefused
from policy.vocabulary.facts import CaseFacts, FormEntryFacts
from policy.vocabulary.status import DeadlineState
from tests.regulations import official_calendar
from wording import reasons

CLOSED = {"refused": "gate_closed"}
ORDER = {
    "key": "order",
    "label": "工作单",
    "cite": "SKD-2.1",
    "fields": [{"key": "due_on", "label": "日期", "shape": "date"}],
}


def written(**more: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The Skoda regulation as plain data with further entries."""
    data = read_toml(shipped_path("skoda-dealer"))
    for section, entries in more.items():
        named = [{"label": "x", "cite": "SKD-2.1", **entry} for entry in entries]
        data[section] = [*data.get(section, ()), *named]
    return data


def played(data: Mapping[str, Any], *steps: Mapping[str, Any]) -> Play:
    """A case under the regulation, after its steps; each is refused as it `expect`s, or never."""
    cast = {
        "desk": {
            "number": "1",
            "department": "care",
            "posts": ["care_specialist", "care_director", "after_sales_director"],
        }
    }
    defaults = {"kind": "complaint", "channel": "visit", "category": "quality", "subject": "x"}
    case = Case("", "x", (), {}, tuple(steps), cast, defaults)
    play = Play(case, build_pack(data), official_calendar())
    for step in steps:
        outcome = play.step({"by": "desk", **step})
        code = outcome.refused.code if outcome.refused else None
        assert code == step.get("expect", {}).get("refused"), outcome.refused
    return play


def local(play: Play, key: str) -> dt.datetime | None:
    deadline = play.facts.deadline_of(key)
    assert deadline is not None
    return play.calendar.local(deadline.due_at).replace(tzinfo=None) if deadline.due_at else None


CALL = {
    "key": "call_today",
    "starts_on": ["registered"],
    "met_by": ["contacted"],
    "within": {"amount": 1, "unit": "same_day"},
    "after_closing": {"amount": 1, "unit": "clock_time", "at": dt.time(12)},
}


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (dt.datetime(2026, 3, 2, 17, 29, 59), dt.datetime(2026, 3, 2, 23, 59, 59)),
        (dt.datetime(2026, 3, 2, 17, 30), dt.datetime(2026, 3, 3, 12)),
        (dt.datetime(2026, 3, 7, 10), dt.datetime(2026, 3, 7, 23, 59, 59)),
        (dt.datetime(2026, 3, 7, 18), dt.datetime(2026, 3, 8, 12)),
    ],
    ids=["before closing", "at closing", "on a Saturday", "on a Saturday evening"],
)
def test_what_starts_after_closing_has_a_term_of_its_own(at: dt.datetime, due: dt.datetime) -> None:
    play = played(written(deadline=[CALL]), {"do": "registered", "at": at})
    assert local(play, "call_today") == due


def test_a_window_has_no_term_for_after_closing() -> None:
    day = {"amount": 3, "unit": "calendar_day"}
    with pytest.raises(PackRefused):
        build_pack(written(deadline=[CALL | {"window_from": day, "within": day}]))


def test_an_end_that_is_stated_anew_moves_and_keeps_the_old_one_in_sight() -> None:
    data = written(
        form=[ORDER],
        deadline=[{"key": "carry_out", "starts_on": ["filled"], "until": "form.order.due_on"}],
    )
    fill = {"do": "filled", "form": "order"}
    play = played(
        data,
        {"do": "registered", "at": dt.datetime(2026, 3, 2, 9)},
        {**fill, "at": dt.datetime(2026, 3, 2, 10), "data": {"due_on": "2026-03-05"}},
        {**fill, "at": dt.datetime(2026, 3, 3, 10), "data": {"due_on": "2026-03-09"}},
        {**fill, "at": dt.datetime(2026, 3, 3, 11), "data": {}},
    )
    assert local(play, "carry_out") == dt.datetime(2026, 3, 9, 23, 59, 59)
    deadline = play.facts.deadline_of("carry_out")
    assert deadline is not None
    assert [revision.reason for revision in deadline.revisions] == ["stated"]
    said = reasons.deadline_reasons(deadline, play.pack)
    assert said[0].startswith("It ends when it was stated to end")
    assert "another day was stated" in said[-1]


def test_a_condition_asks_whether_a_clock_ran_out() -> None:
    gate = {"key": "late_first"}
    late = [{"field": "late.handover", "is": True}]
    data = written(gate=[{**gate, "before": ["classified"], "requires": late}])
    registered = {"do": "registered", "at": dt.datetime(2026, 3, 2, 9)}
    early = {"do": "classified", "at": dt.datetime(2026, 3, 2, 11), "expect": CLOSED}
    assert played(data, registered, early).facts.classified_at is None
    after = {"do": "classified", "at": dt.datetime(2026, 3, 2, 11, 0, 1)}
    assert played(data, registered, after).facts.classified_at is not None


def test_a_condition_asks_what_was_filed_in_this_round_alone() -> None:
    def order(number: int, day: str) -> FormEntryFacts:
        at = dt.datetime(2026, 3, number, tzinfo=dt.UTC)
        return FormEntryFacts("form", "order", number, at, None, {"due_on": day})

    facts = CaseFacts(round=2, entries=(order(1, "2026-03-05"),))
    assert field_value("form.order", facts, None) == 1
    assert field_value("round.form.order", facts, None) is None
    assert field_value("round.form.order.due_on", facts, None) is None
    again = CaseFacts(round=2, entries=(*facts.entries, order(2, "2026-03-09")))
    assert field_value("round.form.order", again, None) == 1
    assert field_value("round.form.order.due_on", again, None) == "2026-03-09"


@pytest.mark.parametrize("field", ["round.form.nope", "round.grade", "round.event.form"])
def test_only_what_is_filed_belongs_to_a_round(field: str) -> None:
    gate = {"key": "again", "before": ["signed"], "requires": [{"field": field, "filled": True}]}
    with pytest.raises(PackRefused):
        build_pack(written(form=[ORDER], gate=[gate]))


def test_a_condition_asks_for_a_field_of_what_is_being_registered() -> None:
    needs = {
        "key": "plate_first",
        "before": ["registered"],
        "requires": [{"field": "event.extra.plate", "filled": True}],
    }
    step = {"do": "registered", "at": dt.datetime(2026, 3, 2, 9)}
    assert not played(written(gate=[needs]), {**step, "expect": CLOSED}).entries
    assert played(written(gate=[needs]), {**step, "extra": {"plate": "京A"}}).entries
    with pytest.raises(PackRefused):
        build_pack(
            written(gate=[needs | {"requires": [{"field": "event.extra.nope", "filled": True}]}])
        )


@pytest.mark.parametrize(("rate", "charged"), [("89.99", True), ("90", False), ("90.01", False)])
def test_below_a_target_is_neither_at_it_nor_above(rate: str, charged: bool) -> None:
    month = {"key": "month", "fields": [{"key": "rate", "label": "率", "shape": "percent"}]}
    below = {
        "key": "below",
        "applies": [{"field": "form.month.rate", "below": 90}],
        "who": "named",
        "amount": 10,
        "per": "time",
    }
    judged = {"do": "judged", "ground": "below", "employee": "1", "text": "x"}
    play = played(
        written(form=[month], penalty=[below]),
        {"do": "registered", "at": dt.datetime(2026, 3, 2, 9)},
        {
            "do": "filled",
            "at": dt.datetime(2026, 3, 2, 10),
            "form": "month",
            "data": {"rate": rate},
        },
        {**judged, "at": dt.datetime(2026, 3, 2, 11), "expect": {} if charged else CLOSED},
    )
    assert bool(play.facts.penalties) is charged


@pytest.mark.parametrize("rate", ["100.01", "-1", "9.999", "many"])
def test_what_is_no_percentage_is_refused_by_its_field(rate: str) -> None:
    month = {"key": "month", "fields": [{"key": "rate", "label": "率", "shape": "percent"}]}
    play = played(
        written(form=[month]),
        {"do": "registered", "at": dt.datetime(2026, 3, 2, 9)},
    )
    filled = {"do": "filled", "at": dt.datetime(2026, 3, 2, 10), "form": "month", "by": "desk"}
    refused = play.step({**filled, "data": {"rate": rate}}).refused
    assert refused is not None
    assert refused.facts["field"] == "rate"


def test_terms_that_clocks_show_are_said_in_words() -> None:
    assert reasons.term_text(1, "clock_time", "17:00:00") == "until the next 17:00"
    assert reasons.term_text(15, "day_of_month") == "until day 15 of the next month"


def test_what_ends_at_the_desk_is_judged_by_when_it_was_written_down() -> None:
    data = written()
    data["kind"] = [k | {"concludes": True} for k in data["kind"]]
    data["gate"] = []
    term = {"amount": 1, "unit": "hour"}
    data["deadline"] = [
        *data["deadline"],
        {"key": "answer", "label": "x", "cite": "SKD-2.1", "starts_on": ["registered"]}
        | {"met_by": ["confirmed"], "within": term},
    ]
    play = played(data, {"do": "registered", "at": dt.datetime(2026, 3, 2, 9)})
    concluded = {"do": "concluded", "at": dt.datetime(2026, 3, 2, 9, 30), "text": "x", "by": "desk"}
    assert play.step(concluded | {"recorded_at": dt.datetime(2026, 3, 2, 10, 30)}).refused is None
    deadline = play.facts.deadline_of("answer")
    assert deadline is not None
    assert deadline.breached


def test_a_target_that_was_missed_is_no_breach_however_late_that_comes_to_light() -> None:
    target = {
        "key": "target",
        "starts_on": ["registered"],
        "met_by": ["contacted"],
        "within": {"amount": 1, "unit": "hour"},
        "ends": "warning",
    }
    data = written(deadline=[target])
    data["signoff"] = [s for s in data["signoff"] if "contacted" not in s["event"]]
    play = played(data, {"do": "registered", "at": dt.datetime(2026, 3, 2, 9)})
    contacted = {"do": "contacted", "at": dt.datetime(2026, 3, 2, 9, 30), "by": "desk"}
    assert play.step(contacted | {"recorded_at": dt.datetime(2026, 3, 2, 10, 30)}).refused is None
    deadline = play.facts.deadline_of("target")
    assert deadline is not None
    assert (deadline.breached, deadline.state) == (False, DeadlineState.missed)
