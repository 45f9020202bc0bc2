"""A pack that is wrong is refused with the file, the place in it and the reason in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policy.pack.loading import PACKS, build_pack, load_pack, parse_toml, read_toml, shipped_path
from policy.pack.schema import Pack
from policy.proof.coverage import chosen_parameters
from policy.vocabulary.errors import PackRefused
from tests.regulations import CASES

SKODA = shipped_path("skoda-dealer").read_text(encoding="utf-8")


def refused(tmp_path: Path, text: str, **parameters: Any) -> dict[str, str]:
    """The problems of a pack file with this text, as places and reasons."""
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PackRefused) as refusal:
        load_pack(path, parameters or None)
    assert refusal.value.facts["file"] == "ours.toml"
    return {problem["place"]: problem["why"] for problem in refusal.value.facts["problems"]}


def syntax_error(text: str) -> tuple[str | None, str | None, str]:
    """The line, the column and the reason of the one problem of a text that is no TOML."""
    with pytest.raises(PackRefused) as refusal:
        parse_toml(text.encode(), file="ours.toml")
    assert refusal.value.facts["file"] == "ours.toml"
    (problem,) = refusal.value.facts["problems"]
    return problem.get("line"), problem.get("column"), problem["code"]


def changed(old: str, new: str) -> str:
    """The Skoda pack with one passage changed."""
    assert SKODA.count(old) == 1, old
    return SKODA.replace(old, new)


def test_sheets_bring_cases_by_one_channel_only(tmp_path: Path) -> None:
    named = 'label = "维修人员反映"\n'
    text = changed(named, named + 'sheet = "complaint"\n')
    why = "sheets bring cases by another channel already"
    assert refused(tmp_path, text) == {"channel.[workshop]": why}
    text = changed('sheet = "complaint"\n', 'sheet = "praise"\n')
    assert refused(tmp_path, text) == {"channel.[department]": "no such kind: praise"}


def test_a_sheet_is_one_of_those_who_may(tmp_path: Path) -> None:
    text = changed('by = ["lead_sheet"]', 'by = ["their_sheet"]')
    why = "no such post or role: their_sheet"
    assert refused(tmp_path, text) == {"signoff.[assign_by_sheet]": why}


@pytest.mark.parametrize("regulation", sorted(path.stem for path in PACKS.glob("*.toml")))
def test_a_shipped_pack_loads_and_is_named_like_its_file(regulation: str) -> None:
    pack = load_pack(shipped_path(regulation), chosen_parameters(CASES / regulation))
    assert pack.policy.key == regulation
    assert pack.clause


def test_broken_toml_is_refused_with_the_line() -> None:
    text = '[policy]\nkey = "x"\nlabel = "x\n'
    assert syntax_error(text) == ("3", "11", "toml_character")


def test_a_section_opened_and_never_closed_is_refused_at_the_end() -> None:
    text = '[policy]\nkey = "x"\nparts = ['
    assert syntax_error(text) == (None, None, "toml_value")


def test_a_key_said_twice_is_refused_with_the_line() -> None:
    text = '[policy]\nkey = "x"\nkey = "y"\n'
    assert syntax_error(text) == ("3", "10", "toml_twice")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PackRefused) as refusal:
        read_toml(path)
    assert refusal.value.facts["file"] == "ours.toml"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackRefused) as refusal:
        load_pack(tmp_path / "none.toml")
    assert refusal.value.facts["file"] == "none.toml"


@pytest.mark.parametrize(
    ("old", "new", "place", "why"),
    [
        pytest.param(
            '[[retention]]\nkey = "form"',
            '[[keeping]]\nkey = "form"',
            "keeping",
            "is not known here",
            id="an unknown section",
        ),
        pytest.param(
            'key = "neglect"\n',
            'key = "neglect"\ncolour = "red"\n',
            "penalty.[neglect].colour",
            "is not known here",
            id="an unknown field",
        ),
        pytest.param(
            'label = "不重视致无法关闭"\ncite = "SKD-3.2.2c"\napplies',
            'label = "不重视致无法关闭"\napplies',
            "penalty.[neglect].cite",
            "is missing",
            id="a rule without its clause",
        ),
        pytest.param(
            'window_from = { amount = 3, unit = "calendar_day" }',
            'window_from = { amount = 3, unit = "moon" }',
            "deadline.[satisfaction].window_from.unit",
            "Input should be 'minute', 'hour', 'working_hour', 'working_day', 'calendar_day', "
            "'week', 'month', 'year', 'same_day', 'clock_time' or 'day_of_month'",
            id="a bad unit",
        ),
        pytest.param(
            'window_from = { amount = 3, unit = "calendar_day" }',
            'window_from = { amount = 3, unit = "working_day" }',
            "deadline.[satisfaction]",
            "a window goes from one calendar day to another",
            id="a window that is not of days",
        ),
        pytest.param(
            'window_from = { amount = 3, unit = "calendar_day" }',
            'window_from = { amount = 6, unit = "calendar_day" }',
            "deadline.[satisfaction]",
            "a window opens before it ends",
            id="a window that never opens",
        ),
        pytest.param(
            'keep = { amount = 10, unit = "year" }',
            'keep = { amount = -10, unit = "year" }',
            "retention.[form].keep.amount",
            "Input should be greater than 0",
            id="a negative term",
        ),
        pytest.param(
            'amount = 50\nadds_to = ["cold"',
            'amount = -50\nadds_to = ["cold"',
            "penalty.[factory_surcharge].amount",
            "Input should be greater than 0",
            id="a negative sum",
        ),
        pytest.param(
            'amount = 50\nadds_to = ["cold"',
            'amount = 50.005\nadds_to = ["cold"',
            "penalty.[factory_surcharge].amount",
            "money is counted in whole fen",
            id="half a fen",
        ),
        pytest.param(
            'adds_to = ["cold"',
            'adds_to = ["chilly"',
            "penalty.[factory_surcharge]",
            "no such penalty: chilly",
            id="a reference to nothing",
        ),
        pytest.param(
            'key = "form"\nlabel = "处理单存档"\ncite = "SKD-3.2.3.1.2d"',
            'key = "form"\nlabel = "处理单存档"\ncite = "SKD-99"',
            "retention.[form]",
            "no such clause: SKD-99",
            id="a clause that is not there",
        ),
        pytest.param(
            'key = "hide_director"',
            'key = "hide_supervisor"',
            "penalty.[hide_supervisor]",
            "the key stands twice",
            id="two entries of one key",
        ),
        pytest.param(
            '{ field = "forwarded_by", is = "media" }',
            '{ field = "sent_by", is = "media" }',
            "deadline.[written_reply]",
            "no such field: sent_by",
            id="a condition on a field that is gone",
        ),
        pytest.param(
            'met_if = [{ field = "event.purpose", is = "satisfaction" }]',
            'met_if = [{ field = "event.aim", is = "satisfaction" }]',
            "deadline.[satisfaction]",
            "no such field: event.aim",
            id="a condition on something events do not say",
        ),
        pytest.param(
            '{ field = "forwarded_by", is = "media" }',
            '{ field = "forwarded_by", like = "media" }',
            "deadline.[written_reply].applies.0",
            "a condition has a field and one operator, not ['like']",
            id="an unknown operator",
        ),
        pytest.param(
            '{ field = "forwarded_by", is = "media" }',
            '{ field = "forwarded_by", in = "media" }',
            "deadline.[written_reply].applies.0",
            "in takes a list",
            id="a list that is none",
        ),
        pytest.param(
            '{ field = "forwarded_by", is = "media" }',
            '{ field = "forwarded_by", filled = "yes" }',
            "deadline.[written_reply].applies.0",
            "filled takes true or false",
            id="a flag that is none",
        ),
        pytest.param(
            'met_by = ["replied_in_writing"]',
            'met_by = ["answered_by_pigeon"]',
            "deadline.[written_reply].met_by.0",
            "no such event: answered_by_pigeon",
            id="an unknown event",
        ),
        pytest.param(
            'template = "FX{year}{month}{serial:4}"',
            'template = "FX{year}{month}"',
            "number.[rework].template",
            "a number needs its serial, such as {serial:4}",
            id="a number template without a serial",
        ),
        pytest.param(
            'by = ["care_specialist", "care_director"]\nnever = ["handler", "bearer"]',
            'by = ["care_specialist", "janitor"]\nnever = ["handler"]',
            "signoff.[call]",
            "no such post or role: janitor",
            id="a signature of a post that is not there",
        ),
        pytest.param(
            'by = ["care_specialist", "care_director"]\nnever = ["handler", "bearer"]',
            'by = []\nnever = ["handler"]',
            "signoff.[call].by",
            "Tuple should have at least 1 item after validation, not 0",
            id="a deed nobody may do",
        ),
        pytest.param(
            'breach_of = "close"\nwho = "responsible"',
            'breach_of = "opening"\nwho = "responsible"',
            "penalty.[late_close]",
            "no such deadline: opening",
            id="a fine for the breach of nothing",
        ),
        pytest.param(
            'breach_of = "close"\nwho = "responsible"',
            'breach_of = "close"\nwho = "named"',
            "penalty.[late_close]",
            "a penalty that comes by itself names nobody",
            id="a fine that comes by itself for a person to be named",
        ),
        pytest.param(
            'per = "$surcharge_per"',
            'per = "order"',
            "penalty.[factory_surcharge]",
            "a penalty says `who` and `per`; a surcharge follows its base",
            id="a surcharge with an occasion of its own",
        ),
        pytest.param(
            'review_every = "$review_unlimited_every"\n',
            "",
            "deadline.[close_c]",
            "a deadline has one of `within`, `until` and `review_every`",
            id="a deadline without an end",
        ),
        pytest.param(
            'grade = "C"\n\n[[escalation]]',
            'grade = "internal"\n\n[[escalation]]',
            "escalation.[b_to_c]",
            "not a grade: internal",
            id="an upgrade to what is no grade",
        ),
        pytest.param(
            'binds = "responsible"\n\n[[deadline]]\nkey = "close_b"',
            'binds = "janitor"\n\n[[deadline]]\nkey = "close_b"',
            "deadline.[close_a]",
            "no such post or role: janitor",
            id="a clock that binds nobody known",
        ),
        pytest.param(
            'binds = "responsible"\n\n[[deadline]]\nkey = "close_b"',
            'binds = "lead_department"\n\n[[deadline]]\nkey = "close_b"',
            "deadline.[close_a]",
            "no such post or role: lead_department",
            id="a clock that binds a part no term can bind",
        ),
        pytest.param(
            'binds = "responsible"\n\n[[deadline]]\nkey = "close_b"',
            'judged_within = { amount = 1, unit = "hour" }\n\n[[deadline]]\nkey = "close_b"',
            "deadline.[close_a]",
            "`judged_within` belongs to a term judged by a stated time",
            id="how soon a time nobody states must be recorded",
        ),
        pytest.param(
            'within = { amount = 24, unit = "hour" }',
            'within = { amount = 24, unit = "hour", ends_day = true }',
            "deadline.[verification].within",
            "`ends_day` belongs to a term of days, weeks, months or years",
            id="hours that end with the day",
        ),
        pytest.param(
            'met_by = ["confirmed"]\nwithin = { amount = 7',
            'counts_from = "received"\nmet_by = ["confirmed"]\nwithin = { amount = 7',
            "deadline.[close_b]",
            "only a term that the registration starts counts from the receipt",
            id="a receipt that starts nothing",
        ),
        pytest.param(
            'amount = 300\nper = "$hide_per"',
            'sanctions = ["criticism"]\ncollective = "shared"\nper = "$hide_per"',
            "penalty.[hide_director]",
            "only an amount can be shared",
            id="criticism that is shared",
        ),
    ],
)
def test_it_is_refused_in_its_place(
    tmp_path: Path, old: str, new: str, place: str, why: str
) -> None:
    assert refused(tmp_path, changed(old, new)) == {place: why}


def test_a_parameter_without_a_value_is_listed(tmp_path: Path) -> None:
    text = changed("value = 3\n", "").replace('value = { amount = 30, unit = "minute" }\n', "")
    assert refused(tmp_path, text) == {
        "parameter.[call_attempts]": "has no value",
        "parameter.[csc_contact_limit]": "has no value",
    }


def test_a_parameter_nobody_declared_is_listed(tmp_path: Path) -> None:
    text = changed('within = "$handover_limit"', 'within = "$handover_time"')
    assert refused(tmp_path, text) == {
        "parameter.[handover_time]": "is asked for by a rule and is not there"
    }


def test_a_parameter_of_the_wrong_shape_is_refused_where_it_is_used(tmp_path: Path) -> None:
    problems = refused(tmp_path, SKODA, call_attempts="many", handover_limit=2)
    assert sorted(problems) == [
        "callback.[satisfaction].attempts",
        "callback.[verification].attempts",
        "deadline.[handover].within",
    ]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = changed('adds_to = ["cold"', 'adds_to = ["chilly"').replace(
        'breach_of = "close"\nwho', 'breach_of = "opening"\nwho'
    )
    assert refused(tmp_path, text) == {
        "penalty.[factory_surcharge]": "no such penalty: chilly",
        "penalty.[late_close]": "no such deadline: opening",
    }


@pytest.mark.parametrize("data", [{}, {"policy": 3}, {"policy": {}, "parameter": "none"}])
def test_data_that_is_no_pack_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(PackRefused):
        build_pack(data, file="nothing")


def test_a_company_s_own_parameter_stands_above_the_pack_s() -> None:
    term = {"amount": 1, "unit": "hour"}
    pack = load_pack(shipped_path("skoda-dealer"), {"handover_limit": term})
    within = pack.find("deadline", "handover").within
    assert within.model_dump(mode="json", exclude_defaults=True) == term


def test_the_checksum_follows_the_rules_and_not_the_spacing(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text("# the same\n\n" + SKODA, encoding="utf-8")
    ours, theirs = load_pack(path), load_pack(shipped_path("skoda-dealer"))
    assert ours.checksum == theirs.checksum
    path.write_text(changed('amount = 300\nper = "order"', 'amount = 301\nper = "order"'))
    assert load_pack(path).checksum != theirs.checksum


def test_a_pack_is_the_same_after_a_round_trip_as_plain_data() -> None:
    pack = load_pack(shipped_path("skoda-dealer"))
    assert Pack.model_validate(pack.model_dump(mode="json")) == pack


def test_a_department_nobody_answers_for_takes_no_case() -> None:
    pack = load_pack(shipped_path("trial-three-severities"))
    assert "admin" in [d.key for d in pack.department if not d.answers]
