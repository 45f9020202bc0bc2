"""The check of a draft: each thing that is wrong is found, and named by its entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from policy.pack.loading import PACKS, build_pack, read_toml, shipped_path
from policy.pack.schema import SECTIONS
from policy.pack.shapes import ConditionRow, Quantity
from policy.pack.starter import starter_pack
from policy.proof import checking, domains
from policy.proof.contradictions import Finding
from policy.proof.coverage import chosen_parameters
from policy.vocabulary.events import EVENTS
from policy.vocabulary.worktime import MOST_OF, Unit
from tests.regulations import CASES, LAST_ON, official_calendar
from wording.finding_text import SENTENCES

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))
Data = dict[str, Any]


def entry(data: Data, section: str, key: str) -> Data:
    found: Data = next(one for one in data[section] if one["key"] == key)
    return found


def found_in(data: Data, code: str) -> list[tuple[str, str, str]]:
    """Where a code was found: section, key and field."""
    return [(f.section, f.key, f.field) for f in checking.written_findings(data) if f.code == code]


@pytest.fixture
def data() -> Data:
    return read_toml(shipped_path("skoda-dealer"))


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_nothing_is_wrong_with_a_shipped_regulation(regulation: str) -> None:
    chosen = chosen_parameters(CASES / regulation)
    assert [
        f for f in checking.written_findings(read_toml(shipped_path(regulation)), chosen) if f.grave
    ] == []


def test_nothing_is_wrong_with_what_a_new_regulation_begins_with() -> None:
    data = starter_pack("new", "新制度")
    assert [one.code for one in checking.written_findings(data)] == ["open_to_all"]
    assert checking.without_next_deed(build_pack(data), official_calendar()) == []


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("event.extra.mileage", "number"),
        ("event.extra.factory_class", "choice"),
        ("late.close_a", "flag"),
        ("form.remedy", "number"),
        ("round.form.remedy", "number"),
    ],
)
def test_what_is_said_filed_and_late_has_values_of_its_own(field: str, kind: str) -> None:
    assert (
        domains.field_domain(build_pack(read_toml(shipped_path("skoda-dealer"))), field).kind
        == kind
    )


def test_nothing_is_below_a_number_and_at_least_it() -> None:
    pack = build_pack(read_toml(shipped_path("skoda-dealer")))
    rows = [
        ConditionRow.model_validate({"field": "mileage", "below": 90}),
        ConditionRow.model_validate({"field": "mileage", "at_least": 90}),
    ]
    assert not domains.satisfiable(pack, rows)
    assert domains.satisfiable(pack, rows[:1])


# ---------------------------------------------------------------- entry by entry


def negative(data: Data) -> None:
    entry(data, "penalty", "late_close")["amount"] = -5


def nothing(data: Data) -> None:
    entry(data, "penalty", "late_close")["amount"] = 0


def a_word(data: Data) -> None:
    entry(data, "penalty", "late_close")["amount"] = "two hundred"


def without_serial(data: Data) -> None:
    entry(data, "number", "complaint")["template"] = "TS{year}{month}"


def twice(data: Data) -> None:
    data["penalty"].append(dict(entry(data, "penalty", "late_close")))


def field_gone(data: Data) -> None:
    data["field"] = [one for one in data["field"] if one["key"] != "serious_fault"]


def clause_gone(data: Data) -> None:
    data["clause"] = [one for one in data["clause"] if one["key"] != "SKD-4.4"]


def nobody_knows(data: Data) -> None:
    entry(data, "deadline", "close_a")["wihtin"] = 3


def value_gone(data: Data) -> None:
    forwarded = entry(data, "field", "forwarded_by")
    forwarded["choices"] = [one for one in forwarded["choices"] if one["key"] != "media"]


def no_such_unit(data: Data) -> None:
    entry(data, "deadline", "close_a")["within"] = {"amount": 3, "unit": "moon"}


def choice_open(data: Data) -> None:
    del entry(data, "parameter", "appeal_term")["value"]


def choice_gone(data: Data) -> None:
    data["parameter"] = [one for one in data["parameter"] if one["key"] != "appeal_term"]


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (negative, "too_small", ("penalty", "late_close", "amount")),
        (nothing, "too_small", ("penalty", "late_close", "amount")),
        (a_word, "no_number", ("penalty", "late_close", "amount")),
        (without_serial, "serial_missing", ("number", "complaint", "template")),
        (twice, "key_twice", ("penalty", "late_close", "")),
        (field_gone, "field_gone", ("deadline", "on_site", "")),
        (clause_gone, "reference_gone", ("kind", "rework", "")),
        (nobody_knows, "unknown_field", ("deadline", "close_a", "wihtin")),
        (value_gone, "value_gone", ("deadline", "written_reply", "applies")),
        (no_such_unit, "no_choice", ("deadline", "close_a", "within.unit")),
        (choice_open, "parameter_empty", ("parameter", "appeal_term", "value")),
        (choice_gone, "parameter_gone", ("parameter", "appeal_term", "value")),
    ],
)
def test_a_mistake_is_found_and_named(
    data: Data, change: Callable[[Data], None], code: str, place: tuple[str, str, str]
) -> None:
    change(data)
    assert place in found_in(data, code)
    assert any(f.code == code and f.grave for f in checking.written_findings(data))


GHOST: Data = {"cite": "1", "label": "x", "key": "x"}
FIELDS = [{"key": "a", "label": "甲", "shape": "text"}]
STEPS = {"amount": 5, "unit": "working_day"}
SURCHARGE: Data = {"event": "restarted", "who": "handler", "amount": 10, "per": "time"}


@pytest.mark.parametrize(
    ("section", "said", "code"),
    [
        ("chain", {"steps": ["ghost_post"]}, "post_gone"),
        ("chain", {"steps": ["service_director", "lead_sheet"]}, "post_gone"),
        ("authority", {"by": "ghost_post", "up_to": 100}, "post_gone"),
        ("alert", {"event": "replied", "to": ["ghost_post"]}, "post_gone"),
        ("alert", {"event": "replied", "to": ["member:service"]}, "post_gone"),
        ("alert", {"breach_of": "ghost", "to": ["handler"]}, "reference_gone"),
        ("report", {"every": "month", "by": "ghost_post"}, "post_gone"),
        ("report", {"every": "month", "by": "service_director", "to": ["ghost"]}, "post_gone"),
        ("extension", {"slot": "ghost", "in_all": STEPS}, "reference_gone"),
        ("ledger", {"kinds": ["complaint"], "columns": ["number", "ghost"]}, "column_gone"),
        ("field", {"shape": "choice"}, "choices_missing"),
        ("field", {"shape": "text", "key": "status"}, "field_taken"),
        ("field", {"shape": "text", "key": "deadline_of"}, "field_taken"),
        ("field", {"shape": "text", "key": "my.field"}, "field_dotted"),
        ("form", {"fields": FIELDS * 2}, "part_twice"),
        ("form", {"fields": [FIELDS[0] | {"shape": "choices"}]}, "choices_missing"),
        ("checklist", {"items": [{"key": "a", "label": "甲"}] * 2}, "part_twice"),
        ("penalty", SURCHARGE | {"from_count": 3, "until_count": 2}, "count_backwards"),
        ("number", {"template": "A{serial:2}-{serial:3}", "resets": "never"}, "serial_twice"),
        ("number", {"template": "投诉" * 18 + "{serial:1}", "resets": "never"}, "number_long"),
        ("indicator", {"formula": "survey_score"}, "survey_without_form"),
        ("extension", {"slot": "s", "in_all": STEPS | {"amount": 501}}, "term_too_long"),
        ("retention", {"keep": {"amount": 101, "unit": "year"}}, "term_too_long"),
        ("indicator", {"formula": "count"} | {"window": STEPS | {"unit": "month"}}, ""),
    ],
)
def test_what_names_nothing_or_can_never_be_is_found(section: str, said: Data, code: str) -> None:
    found = checking.written_findings(small(**{section: [GHOST | said]}))
    grave = {one.code for one in found if one.grave and one.section == section}
    assert (code in grave and code in SENTENCES) if code else not grave


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        (90_000, "working_day"),
        (1_500, "working_day"),
        (9_000, "working_hour"),
        (9_000, "month"),
        (40, "day_of_month"),
    ],
)
def test_a_term_that_no_calendar_counts_is_refused(data: Data, amount: int, unit: str) -> None:
    entry(data, "deadline", "close_a")["within"] = {"amount": amount, "unit": unit}
    assert ("deadline", "close_a", "within") in found_in(data, "term_too_long")


UNITS = sorted(MOST_OF, key=lambda unit: unit.value)


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_terms_are_counted_whenever_they_begin(unit: Unit) -> None:
    last_day = dt.datetime.combine(LAST_ON, dt.time(1), tzinfo=dt.UTC)
    shown: dict[str, Any] = {"at": dt.time(17)} if unit is Unit.clock_time else {}
    term = Quantity(amount=MOST_OF[unit], unit=unit, **shown)
    assert term.end(last_day, official_calendar()).at > last_day


def test_addressees_outside_and_parts_in_the_case_may_be_named() -> None:
    data = small(
        report=[{"key": "r", "every": "month", "by": "director", "to": ["采购人"]}],
        alert=[{"key": "a", "breach_of": "close", "to": ["handler", "lead_department"]}],
        authority=[{"key": "u", "by": "anybody", "up_to": 100}],
        chain=[{"key": "c", "steps": ["director", "member:service"]}],
    )
    assert [one for one in checking.written_findings(data) if one.grave] == []


STRANGE: tuple[Any, ...] = (
    None,
    True,
    -7,
    1.5,
    "",
    "no such thing",
    "x" * 5_000,
    [],
    ["a", "b"],
    {"a": 1},
    [{}],
)


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_whatever_is_written_in_a_field_there_is_a_sentence_for_it(regulation: str) -> None:
    data, unsaid = read_toml(shipped_path(regulation)), set()
    for section, shape in SECTIONS.items():
        for plain in data.get(section, ())[:2]:
            for name in shape.model_fields:
                for strange in STRANGE:
                    wrong: list[Finding] = []
                    checking.checked_entry(shape, {**plain, name: strange}, {}, wrong=wrong)
                    unsaid |= {(section, name, f.code) for f in wrong if f.code not in SENTENCES}
    assert unsaid == set()


def test_one_broken_entry_hides_no_other_and_is_not_said_to_be_gone(data: Data) -> None:
    negative(data)
    without_serial(data)
    entry(data, "post", "care_director")["colour"] = "red"
    codes = {(f.code, f.key) for f in checking.written_findings(data)}
    assert {
        ("too_small", "late_close"),
        ("serial_missing", "complaint"),
        ("unknown_field", "care_director"),
    } == codes


def test_a_draft_without_a_head_or_with_a_strange_section_is_still_looked_at() -> None:
    found = checking.written_findings(
        {"policy": {"key": "x"}, "spell": [{"key": "a"}], "penalty": [{}]}
    )
    codes = {(f.code, f.section) for f in found}
    assert ("section_unknown", "spell") in codes
    assert {("missing", "policy"), ("missing", "penalty")} <= codes


# ---------------------------------------------------------------- against each other


def small(**sections: list[Data]) -> Data:
    """The starter with more entries; each gets a label and the clause there is."""
    data = starter_pack("new", "新制度")
    for section, entries in sections.items():
        named = [{"label": one["key"], "cite": "1", **one} for one in entries]
        data[section] = [*data.get(section, []), *named]
    return data


def added(data: Data) -> list[Finding]:
    """What is found in a draft beyond what the starter is told already."""
    known = checking.written_findings(starter_pack("new", "新制度"))
    return [one for one in checking.written_findings(data) if one not in known]


DAY = {"amount": 1, "unit": "working_day"}


def test_deadlines_that_start_only_on_each_other_are_a_circle() -> None:
    circle = small(
        deadline=[
            {"key": "a", "starts_on": ["arrived_on_site"], "met_by": ["replied_in_writing"]}
            | {"within": DAY},
            {"key": "b", "starts_on": ["replied_in_writing"], "met_by": ["arrived_on_site"]}
            | {"within": DAY},
        ]
    )
    places = found_in(circle, "deadline_circle")
    assert places == [("deadline", "a", "starts_on"), ("deadline", "b", "starts_on")]
    begun = small(
        deadline=[
            {"key": "a", "starts_on": ["dispatched"], "met_by": ["arrived_on_site"]}
            | {"within": DAY},
            {"key": "b", "starts_on": ["arrived_on_site"], "met_by": ["replied_in_writing"]}
            | {"within": DAY},
        ]
    )
    assert added(begun) == []


def test_a_deadline_that_waits_for_its_own_end_is_a_circle() -> None:
    data = small(
        deadline=[{"key": "w", "starts_on": ["archived"], "within": DAY, "ends": "archive"}]
    )
    assert found_in(data, "deadline_circle") == [("deadline", "w", "starts_on")]


def test_gates_that_wait_for_each_other_are_a_circle() -> None:
    def gate(key: str, before: str, field: str) -> Data:
        return {"key": key, "before": [before], "requires": [{"field": field, "filled": True}]}

    data = small(
        gate=[
            gate("contact_first", "replied", "contacted_at"),
            gate("reply_first", "contacted", "replied_at"),
        ]
    )
    assert {key for _, key, _ in found_in(data, "gate_circle")} == {"contact_first", "reply_first"}
    assert added(small(gate=[gate("g", "replied", "contacted_at")])) == []


LATE: Data = {"breach_of": "close", "who": "responsible", "amount": 100, "per": "time"}


def test_penalties_that_take_the_place_of_themselves_are_a_circle() -> None:
    itself = small(penalty=[{"key": "p", **LATE, "replaces": ["p"]}])
    assert found_in(itself, "circle") == [("penalty", "p", "")]
    over = small(
        penalty=[
            {"key": "p", **LATE, "replaces": ["q"]},
            {"key": "q", **LATE, "replaces": ["p"]},
        ]
    )
    assert {key for _, key, _ in found_in(over, "circle")} == {"p", "q"}


def test_two_penalties_for_one_thing_are_shown_and_forbid_nothing() -> None:
    events = ["penalty_confirmed", "penalty_waived", "penalty_reversed"]
    decided = {"key": "decided", "event": events, "by": ["director"]}
    data = small(penalty=[{"key": "p", **LATE}, {"key": "q", **LATE}], signoff=[decided])
    (found,) = added(data)
    assert (found.code, found.key, found.grave) == ("charged_twice", "q", False)


def test_two_deadlines_of_a_slot_for_the_same_cases_contradict_each_other() -> None:
    deadline = {"starts_on": ["dispatched"], "met_by": ["confirmed"], "within": DAY, "slot": "s"}
    data = small(deadline=[{"key": "a", **deadline}, {"key": "b", **deadline}])
    assert found_in(data, "slot_twice") == [("deadline", "b", "applies")]
    data["deadline"][-1]["applies"] = [{"field": "channel", "is": "phone"}]
    assert found_in(data, "slot_twice") == []


def test_a_stated_end_may_share_a_slot_since_the_earlier_one_counts() -> None:
    deadline = {"starts_on": ["dispatched"], "met_by": ["confirmed"], "slot": "s"}
    stated = {"key": "b", **deadline, "until": "promised_at"}
    data = small(deadline=[{"key": "a", **deadline, "within": DAY}, stated])
    assert found_in(data, "slot_twice") == []


def test_more_time_that_is_less_than_the_term_contradicts_it() -> None:
    def extended(amount: int, unit: str) -> Data:
        data = small(extension=[{"key": "x", "slot": "s"} | {"in_all": {"amount": amount}}])
        data["extension"][0]["in_all"]["unit"] = unit
        data["deadline"][0]["slot"] = "s"
        return data

    assert found_in(extended(4, "working_day"), "extension_short") == [("extension", "x", "in_all")]
    assert found_in(extended(6, "working_day"), "extension_short") == []
    assert found_in(extended(1, "calendar_day"), "extension_short") == []  # unlike units


def test_a_rule_whose_condition_can_never_hold_is_found() -> None:
    both = [{"field": "channel", "is": "phone"}, {"field": "channel", "is_not": "phone"}]
    data = small(deadline=[{"key": "d", "starts_on": ["dispatched"], "met_by": ["confirmed"]}])
    data["deadline"][-1] |= {"within": DAY, "applies": both}
    assert found_in(data, "never_holds") == [("deadline", "d", "applies")]


def test_a_step_behind_one_that_always_holds_is_out_of_reach() -> None:
    steps: list[dict[str, Any]] = [
        {"key": "usual", "scale": "grade"},
        {"key": "grave", "scale": "grade", "when": [{"field": "demand", "filled": True}]},
    ]
    assert found_in(small(severity=steps), "step_behind") == [("severity", "grave", "when")]
    assert found_in(small(severity=steps[::-1]), "step_behind") == []


def test_numbers_that_would_be_given_twice_are_found() -> None:
    data = small(number=[{"key": "n", "template": "A{year}{serial:3}", "resets": "month"}])
    assert found_in(data, "number_repeats") == [("number", "n", "template")]
    data["number"][-1] = {**data["number"][0], "key": "m"}
    assert found_in(data, "number_same") == [("number", "m", "template")]


def test_a_regulation_under_which_nothing_can_begin_says_so() -> None:
    data = starter_pack("new", "新制度")
    del data["channel"]
    del entry(data, "department", "service")["director"]
    codes = {(f.code, f.section) for f in checking.written_findings(data)}
    assert {("nothing_begins", "channel"), ("nobody_answers", "department")} <= codes


# ---------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("rows", "possible"),
    [
        ([("mileage", "at_least", 10), ("mileage", "at_most", 9)], False),
        ([("mileage", "at_least", 10), ("mileage", "at_most", 10)], True),
        ([("mileage", "at_least", 10), ("mileage", "filled", False)], False),
        ([("grade", "in", ("A1", "B1")), ("grade", "not_in", ("A1", "B1"))], False),
        ([("grade", "in", ("A1", "B1")), ("grade", "is_not", "A1")], True),
        ([("plate", "is", "x"), ("plate", "is", "y")], False),
        ([("plate", "is_not", "x"), ("plate", "filled", True)], True),
        ([("factory_on_site", "is", True), ("factory_on_site", "is", False)], False),
        ([("grade", "is", "A1"), ("channel", "is", "csc")], True),
    ],
)
def test_whether_rows_can_hold_together(
    data: Data, rows: list[tuple[str, str, Any]], possible: bool
) -> None:
    said = [ConditionRow.model_validate({"field": f, op: value}) for f, op, value in rows]
    assert domains.satisfiable(build_pack(data), said) is possible


def test_every_field_a_condition_may_ask_for_has_a_domain(data: Data) -> None:
    pack = build_pack(data)
    simple = [name for name in domains.condition_fields(pack) if "." not in name]
    assert {domains.field_domain(pack, name).kind for name in simple} <= {
        *("choice", "flag", "number", "date", "text")
    }
    assert domains.field_domain(pack, "grade").values[:2] == ("B2", "B1")
    assert domains.field_domain(pack, "event.purpose").values == ("verification", "satisfaction")


# ---------------------------------------------------------------- states and cases


def test_states_that_lead_nowhere_name_the_rule_in_the_way() -> None:
    never = {"field": "closed_at", "filled": True}
    data = small(gate=[{"key": "closed_first", "before": ["replied", "returned"]}])
    data["gate"][0]["requires"] = [never]
    data["signoff"] = [
        {"key": "assign", "label": "指派", "cite": "1", "event": ["assigned"], "by": ["handler"]}
    ]
    found = checking.without_next_deed(build_pack(data), official_calendar())
    (stuck,) = [f for f in found if f.grave]
    assert (stuck.section, stuck.key) == ("gate", "closed_first")
    assert "dispatched" in stuck.facts["statuses"]


def test_a_state_from_which_nothing_leads_to_an_end_is_found() -> None:
    data = small(gate=[{"key": "never_signed", "before": ["signed", "settled"]}])
    data["gate"][0]["requires"] = [{"field": "history", "is": True}]
    found = checking.without_next_deed(build_pack(data), official_calendar())
    (endless,) = [f for f in found if f.grave]
    assert (endless.code, endless.section, endless.key) == ("no_end", "gate", "never_signed")
    assert "registered" in endless.facts["statuses"]


def test_a_walk_that_was_cut_short_says_so(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_STEPS", 500)
    found = checking.without_next_deed(build_pack(data), official_calendar())
    assert [f.code for f in found if f.grave] == ["walk_cut_short"]


@pytest.mark.parametrize("graded", [True, False], ids=["of one grade", "of all"])
def test_a_gate_that_nothing_opens_is_found_though_a_case_might_get_another_grade(
    graded: bool,
) -> None:
    steps = [{"key": key, "scale": "grade"} for key in ("slight", "grave")]
    gate: Data = {"key": "never_signed", "before": ["signed", "settled"]}
    gate["requires"] = [{"field": "history", "is": True}]
    first: Data = {"key": "graded_first", "before": ["dispatched"]}
    first["requires"] = [{"field": "grade", "filled": True}]
    data = small(severity=steps, gate=[first, gate])
    gate = entry(data, "gate", "never_signed")
    gate["applies"] = [{"field": "grade", "is": "slight"}] if graded else []
    classify = {"key": "classify", "label": "定级", "cite": "1", "event": ["classified"]}
    data["signoff"] = [classify | {"by": ["service_director"]}]
    found = checking.without_next_deed(build_pack(data), official_calendar())
    (endless,) = [one for one in found if one.grave]
    assert (endless.code, endless.section, endless.key) == ("no_end", "gate", "never_signed")


def test_what_a_rule_counts_is_written_as_often_as_it_asks() -> None:
    visits = {"field": "form.visit", "at_least": 2}
    data = small(
        form=[{"key": "visit", "fields": FIELDS}],
        gate=[{"key": "visited_twice", "before": ["replied"], "requires": [visits]}],
    )
    assert checking.without_next_deed(build_pack(data), official_calendar()) == []


def test_the_cases_that_end_otherwise_under_a_draft_are_named(data: Data) -> None:
    before = read_toml(shipped_path("skoda-dealer"))
    folder = CASES / "skoda-dealer"
    assert checking.changed_cases(data, before, folder, calendar=official_calendar()) == []
    entry(data, "penalty", "late_close")["amount"] = 250
    found = checking.changed_cases(data, before, folder, calendar=official_calendar())
    assert found
    assert {one.about for one in found} == {"charges"}
    assert all("250" in str(one.found) and "200" in str(one.wanted) for one in found)
    nowhere = folder / "not_there"
    assert checking.changed_cases(data, before, nowhere, calendar=official_calendar()) == []


def test_a_finding_is_kept_as_data_and_read_again() -> None:
    one = Finding("value_gone", "deadline", "close_a", "applies", {"value": "x"})
    assert Finding(**one.plain()) == one


def test_a_case_nobody_may_do_anything_about_is_stuck() -> None:
    data = starter_pack("new", "新制度")
    everything = sorted(set(EVENTS) - {"registered", "imported", "corrected", "withdrawn", "moved"})
    nobody = [
        {"key": "nobody", "label": "无人", "cite": "1", "event": everything, "by": ["handler"]}
    ]
    found = checking.without_next_deed(build_pack({**data, "signoff": nobody}), official_calendar())
    stuck = [f for f in found if f.code == "no_next_deed"]
    assert "registered" in {f.facts["status"] for f in stuck}
    assert {(f.section, f.key) for f in stuck} == {("signoff", "nobody")}
