"""What a draft leaves open is found: two drafts, each with ten errors of as many kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from policy.pack.loading import build_pack, read_toml, shipped_path
from policy.pack.starter import starter_pack
from policy.proof import checking, domains
from policy.proof.contradictions import Finding
from policy.proof.coverage import chosen_parameters
from tests.regulations import CASES, official_calendar

Data = dict[str, Any]
Plant = Callable[[Data], None]


def draft() -> Data:
    """A regulation of one kind, two grades by a tick, an approval, a jury and a fine; all right."""
    data = starter_pack("water", "供水投诉处理办法")
    data["post"].append({"key": "head", "label": "分管领导", "cite": "1"})
    data["field"] = [{"key": "major", "label": "重大", "cite": "1", "shape": "flag"}]
    data["category"] = [{"key": "quality", "label": "质量", "cite": "1"}]
    data["severity"] = [
        {"key": "major", "label": "重大", "cite": "1", "scale": "grade"}
        | {"when": [{"field": "major", "is": True}]},
        {"key": "plain", "label": "一般", "cite": "1", "scale": "grade"},
    ]
    data["chain"] = [{"key": "v", "label": "审核", "cite": "1", "steps": ["head"]}]
    data["vote"] = [
        {"key": "jury", "label": "评议", "cite": "1", "about": "appeal", "rule": "majority"}
        | {"members": ["head", "service_director"]}
    ]
    data["penalty"] = [
        {"key": "fine", "label": "过错", "cite": "1", "who": "named"}
        | {"amount": 100, "per": "order"}
    ]
    data["callback"] = [
        {"key": "call", "label": "回访", "cite": "1", "purpose": "verification"}
        | {"attempts": 3, "on_days": 2, "ends_on": ["unreachable"]}
    ]
    data["signoff"] = [
        {"key": "money", "label": "处罚", "cite": "1", "by": ["head"]}
        | {"event": ["judged", "penalty_confirmed", "penalty_waived", "penalty_reversed"]},
        {
            "key": "held",
            "label": "评议",
            "cite": "1",
            "by": ["head"],
            "event": ["convened", "ruled"],
        },
    ]
    data["gate"] = [
        {"key": "g", "label": "先审", "cite": "1", "before": ["informed"]}
        | {"requires": [{"field": "chain.v", "is": "approved"}]}
    ]
    return data


def of(data: Data, section: str, key: str) -> Data:
    found: Data = next(one for one in data[section] if one["key"] == key)
    return found


def deadline(key: str, **said: Any) -> Data:
    term = {"amount": 3, "unit": "working_day"}
    return {"key": key, "label": key, "cite": "1", "within": term, **said}


def requires(**row: Any) -> Plant:
    def plant(data: Data) -> None:
        of(data, "gate", "g")["requires"] = [row]

    return plant


def without_signoff_of(*events: str) -> Plant:
    def plant(data: Data) -> None:
        for entry in data["signoff"]:
            entry["event"] = [name for name in entry["event"] if name not in events]
        data["signoff"] = [entry for entry in data["signoff"] if entry["event"]]

    return plant


def adding(section: str, entry: Data) -> Plant:
    def plant(data: Data) -> None:
        data.setdefault(section, []).append(entry)

    return plant


def only_for_plain(data: Data) -> None:
    of(data, "deadline", "close")["applies"] = [{"field": "grade", "is": "plain"}]


def two_days_of_one_try(data: Data) -> None:
    of(data, "callback", "call").update(attempts=1, on_days=2)


def a_label_in_place_of_a_key(data: Data) -> None:
    of(data, "severity", "major")["when"] = [{"field": "category", "is": "质量"}]


FIRST: dict[str, tuple[Plant, tuple[str, str, str]]] = {
    "an approval's state in the words of the screen": (
        requires(field="chain.v", **{"is": "已批准"}),
        ("value_gone", "gate", "g"),
    ),
    "an approval that a refusal fills": (
        adding(
            "gate",
            {"key": "filled", "label": "已审", "cite": "1", "before": ["replied"]}
            | {"requires": [{"field": "chain.v", "filled": True}]},
        ),
        ("filled_by_refusal", "gate", "filled"),
    ),
    "fines that anybody confirms": (
        without_signoff_of("penalty_confirmed"),
        ("money_open_to_all", "signoff", ""),
    ),
    "a term met only by what comes before it": (
        adding("deadline", deadline("back", starts_on=["dispatched"], met_by=["registered"])),
        ("met_before", "deadline", "back"),
    ),
    "two terms with one start and end": (
        adding(
            "deadline",
            deadline("again", starts_on=["dispatched"], met_by=["confirmed"])
            | {"binds": "responsible", "applies": [{"field": "grade", "is": "plain"}]},
        ),
        ("twin_term", "deadline", "again"),
    ),
    "a term nothing meets": (
        adding("deadline", deadline("never", starts_on=["dispatched"])),
        ("never_met", "deadline", "never"),
    ),
    "more days than attempts": (two_days_of_one_try, ("attempts_impossible", "callback", "call")),
    "a grade without a term": (only_for_plain, ("grade_unanswered", "kind", "complaint")),
    "a label typed before its entry": (
        a_label_in_place_of_a_key,
        ("value_is_label", "severity", "major"),
    ),
    "a post that does not exist": (
        adding("chain", {"key": "w", "label": "复核", "cite": "1", "steps": ["nobody"]}),
        ("post_gone", "chain", "w"),
    ),
}


def a_kind_without_a_term(data: Data) -> None:
    of(data, "deadline", "close")["applies"] = [{"field": "kind", "is": "complaint"}]
    data["kind"].append({"key": "request", "label": "诉求", "cite": "1", "number": "complaint"})


def waits_for_what_cannot_happen(data: Data) -> None:
    data["deadline"].append(deadline("file", starts_on=["dispatched"], met_by=["escalated"]))


def a_grade_behind(data: Data) -> None:
    data["severity"].reverse()


SECOND: dict[str, tuple[Plant, tuple[str, str, str]]] = {
    "a vote's state that no vote has": (
        requires(field="vote.jury", **{"is": "approved"}),
        ("value_gone", "gate", "g"),
    ),
    "a vote that a refusal fills": (
        adding(
            "alert",
            {"key": "told", "label": "告知", "cite": "1", "event": "ruled", "to": ["head"]}
            | {"applies": [{"field": "vote.jury", "filled": True}]},
        ),
        ("filled_by_refusal", "alert", "told"),
    ),
    "a jury that anybody convenes": (
        without_signoff_of("convened", "ruled"),
        ("money_open_to_all", "signoff", ""),
    ),
    "a kind without a term": (a_kind_without_a_term, ("kind_unanswered", "kind", "request")),
    "a choice a form does not offer": (
        adding(
            "form",
            {"key": "visit", "label": "上门", "cite": "1"}
            | {
                "fields": [
                    {"key": "result", "label": "结果", "shape": "choice"}
                    | {"choices": [{"key": "ok", "label": "解决"}]}
                ],
                "applies": [{"field": "form.visit.result", "is": "done"}],
            },
        ),
        ("value_gone", "form", "visit"),
    ),
    "one word of several that no approval stands at": (
        adding(
            "gate",
            {"key": "word", "label": "先填", "cite": "1", "before": ["replied"]}
            | {"requires": [{"field": "chain.v", "in": ["approved", "已同意"]}]},
        ),
        ("value_gone", "gate", "word"),
    ),
    "a term met by what cannot happen": (
        waits_for_what_cannot_happen,
        ("met_by_nothing", "deadline", "file"),
    ),
    "a grade that an earlier one hides": (a_grade_behind, ("step_behind", "severity", "major")),
    "rows that contradict each other": (
        adding(
            "alert",
            {"key": "both", "label": "提醒", "cite": "1", "event": "replied", "to": ["head"]}
            | {"applies": [{"field": "grade", "is": "major"}, {"field": "grade", "is": "plain"}]},
        ),
        ("never_holds", "alert", "both"),
    ),
    "deeds of the desk that anybody may do": (
        lambda data: None,
        ("open_to_all", "signoff", ""),
    ),
}


def found_in(data: Data) -> set[tuple[str, str, str]]:
    return {(one.code, one.section, one.key) for one in checking.written_findings(data)}


@pytest.mark.parametrize("planted", [FIRST, SECOND], ids=["first", "second"])
def test_ten_errors_of_ten_kinds_are_found_in_one_draft(
    planted: dict[str, tuple[Plant, tuple[str, str, str]]],
) -> None:
    data = draft()
    for plant, _ in planted.values():
        plant(data)
    found = found_in(data)
    assert {about: where for about, (_, where) in planted.items() if where not in found} == {}


def test_a_draft_without_an_error_is_let_through() -> None:
    assert [one for one in checking.written_findings(draft()) if one.grave] == []
    assert {one.code for one in checking.written_findings(draft())} == {"open_to_all"}


@pytest.mark.parametrize(
    ("about", "plant", "where"),
    [(about, *said) for of_draft in (FIRST, SECOND) for about, said in of_draft.items()],
)
def test_each_error_alone_is_found(about: str, plant: Plant, where: tuple[str, str, str]) -> None:
    data = draft()
    plant(data)
    assert where in found_in(data), about


# ---------------------------------------------------------------- values of conditions


def test_an_approval_and_a_vote_are_chosen_from_a_list() -> None:
    pack = build_pack(draft())
    assert domains.field_domain(pack, "chain.v").values == ("open", "approved", "refused")
    assert domains.field_domain(pack, "vote.jury").values == ("open", "agreed", "refused")
    assert domains.field_domain(pack, "round.chain.v").values == ("open", "approved", "refused")


@pytest.mark.parametrize("word", ["已批准", "nonsense"])
def test_a_word_no_approval_stands_at_is_grave_and_the_right_one_is_let_through(word: str) -> None:
    data = draft()
    assert ("value_gone", "gate", "g") not in found_in(data)
    requires(field="chain.v", **{"is": word})(data)
    (one,) = [f for f in checking.written_findings(data) if f.code == "value_gone"]
    assert one.grave
    assert one.facts == {"asked": "chain.v", "value": word}


def test_what_was_typed_by_its_label_becomes_a_key() -> None:
    data = draft()
    a_label_in_place_of_a_key(data)
    pack, _ = checking.readable_pack(data, {})
    healed = domains.with_keys_of_labels(pack, data["severity"])
    assert healed[0]["when"] == [{"field": "category", "is": "quality"}]
    assert domains.with_keys_of_labels(pack, healed) == healed


# ---------------------------------------------------------------- a beginner's first entries


def begun(**sections: list[Data]) -> Data:
    """What a new regulation begins with, and a few entries."""
    data = starter_pack("new", "新制度")
    for section, entries in sections.items():
        data[section] = [*data.get(section, []), *({"cite": "1", **one} for one in entries)]
    return data


def approved_first(word: str) -> Data:
    asked = [{"field": "chain.v", "is": word}]
    return begun(
        post=[{"key": "vice", "label": "分管"}],
        chain=[{"key": "v", "label": "审核", "steps": ["vice"]}],
        gate=[{"key": "g", "label": "先审", "before": ["informed"], "requires": asked}],
    )


def test_an_approval_asked_for_in_the_words_of_the_screen_is_no_way_to_publish() -> None:
    found = [one for one in checking.written_findings(approved_first("已批准")) if one.grave]
    assert [(one.code, one.key, one.field) for one in found] == [("value_gone", "g", "requires")]
    assert [one for one in checking.written_findings(approved_first("approved")) if one.grave] == []


def test_a_fine_that_anybody_may_bring_and_confirm_is_no_way_to_publish() -> None:
    fine = {"key": "p", "label": "罚", "who": "named", "amount": 1000, "per": "order"}
    (found,) = [one for one in checking.written_findings(begun(penalty=[fine])) if one.grave]
    assert found.code == "money_open_to_all"
    deeds = ["judged", "penalty_confirmed", "penalty_waived", "penalty_reversed"]
    assert found.facts["events"] == deeds
    who = {"key": "who", "label": "处罚", "by": ["service_director"], "event": deeds}
    named = begun(penalty=[fine], signoff=[who])
    assert [one for one in checking.written_findings(named) if one.grave] == []


# ---------------------------------------------------------------- papers that gates ask for


def reported_first() -> Data:
    """A grave case is reported above before it is handed over; it may become grave later."""
    data = draft()
    del data["chain"], data["vote"], data["signoff"], data["penalty"], data["callback"]
    data["report_out"] = [
        {"key": "boss", "label": "上报", "cite": "1", "to": "领导"}
        | {"ways": [{"key": "oral", "label": "当面"}]}
    ]
    data["gate"] = [
        {"key": "g", "label": "先上报", "cite": "1", "before": ["dispatched"]}
        | {"applies": [{"field": "grade", "is": "major"}]}
        | {"requires": [{"field": "report_out.boss", "filled": True}]}
    ]
    return data


def grave_findings(data: Data) -> list[Finding]:
    found = checking.without_next_deed(build_pack(data), official_calendar())
    return [one for one in found if one.grave]


def test_a_report_that_a_gate_asks_for_is_the_next_deed() -> None:
    assert grave_findings(reported_first()) == []


def test_a_gate_that_nothing_opens_is_still_found() -> None:
    data = reported_first()
    of(data, "gate", "g").update(requires=[{"field": "closed_at", "filled": True}], applies=[])
    assert grave_findings(data)


# ---------------------------------------------------------------- the shipped regulations


@pytest.mark.parametrize(
    "regulation", sorted(path.name for path in CASES.iterdir() if (path / "cast.toml").exists())
)
def test_no_money_and_no_jury_of_a_shipped_regulation_is_open_to_all(regulation: str) -> None:
    chosen = chosen_parameters(CASES / regulation)
    found = checking.written_findings(read_toml(shipped_path(regulation)), chosen)
    assert [one for one in found if one.grave] == []
    notes = {one.code for one in found}
    assert not notes & {"kind_unanswered", "grade_unanswered", "met_by_nothing", "met_before"}
