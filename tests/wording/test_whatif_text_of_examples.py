"""Examples that end otherwise: told in sentences, those of one cause together."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

import wording
from policy.pack.loading import load_pack, read_toml, shipped_path
from policy.proof import checking
from policy.proof.contradictions import Finding
from policy.vocabulary.errors import PostMissing
from policy.vocabulary.refusals import dump_refusal
from tests.regulations import CASES, official_calendar
from wording import whatif_text

PACK = load_pack(shipped_path("skoda-dealer"))


def differs(about: str, wanted: Any, found: Any, deed: str = "confirmed") -> Finding:
    facts = {"case": about, "about": about, "wanted": wanted, "found": found, "deed": deed}
    return Finding("case_differs", "clause", "SKD-4.2.1", facts=facts, grave=False)


def said(finding: Finding) -> list[str]:
    with wording.speaking("en", ZoneInfo("Asia/Shanghai")):
        return list(whatif_text.change_sentences(finding.facts, PACK))


LABEL = PACK.label("deadline", "close_a")


@pytest.mark.parametrize(
    ("about", "wanted", "found", "sentence"),
    [
        ("running", [], ["close_a"], f"“{LABEL}” runs now as well."),
        ("overdue", ["close_a/1"], [], f"“{LABEL}” does not run out any more."),
        (
            "due",
            {"close_a": "2026-03-05 10:00"},
            {"close_a": "2026-03-06 10:00"},
            f"“{LABEL}” ends at 2026-03-06 10:00 instead of 2026-03-05 10:00.",
        ),
        ("due", {"close_a": "2026-03-05 10:00"}, {"close_a": "none"},
         f"“{LABEL}” does not run any more."),
        ("status", "closed", "accepted", "Status: Awaiting signature instead of Closed, observed."),
        ("pack", None, None, "The example's own choices do not fit the draft."),
    ],
)  # fmt: skip
def test_what_changes_is_a_sentence(about: str, wanted: Any, found: Any, sentence: str) -> None:
    assert said(differs(about, wanted, found)) == [sentence]


def test_a_refusal_is_told_in_its_own_words() -> None:
    refusal = dump_refusal(PostMissing(deed="confirmed", posts=["director"], cite="SKD-4.4"))
    (sentence,) = said(differs("refused", None, refusal))
    assert "SKD-4.4" in sentence
    assert "post_missing" not in sentence


def test_a_charge_is_told_by_its_ground_and_sum() -> None:
    row = {"rule": "late_close", "who": "director", "yuan": 200}
    name = PACK.label("penalty", "late_close")
    assert said(differs("charges", [row], [row | {"yuan": 250}])) == [
        f"“{name}” brings ¥250 now.",
        f"“{name}” does not bring ¥200 any more.",
    ]


def test_examples_of_one_cause_stand_in_one_line() -> None:
    one, other = differs("running", [], ["close_a"]), differs("running", ["a"], ["a", "close_a"])
    third = differs("status", "closed", "accepted")
    with wording.speaking("en", ZoneInfo("Asia/Shanghai")):
        found = whatif_text.grouped_changes([third, one, other], PACK)
    assert [change.examples for change in found] == [[one, other], [third]]


def test_every_change_of_a_real_draft_is_told_without_code() -> None:
    """Each term of a regulation is made longer, one after the other: what differs has words."""
    before = read_toml(shipped_path("road-rescue"))
    data = read_toml(shipped_path("road-rescue"))
    for entry in data["deadline"]:
        if isinstance(entry.get("within"), dict):
            entry["within"] = {**entry["within"], "amount": entry["within"]["amount"] + 1}
    folder = CASES / "road-rescue"
    changed = checking.changed_cases(data, before, folder, calendar=official_calendar())
    names = ("case", "deed", "about", "wanted", "found")
    findings = [
        Finding("case_differs", facts={name: getattr(one, name) for name in names})
        for one in changed
    ]
    assert findings
    pack = load_pack(shipped_path("road-rescue"))
    with wording.speaking("zh_Hans_CN", ZoneInfo("Asia/Shanghai")):
        for change in whatif_text.grouped_changes(findings, pack):
            text = " ".join(change.sentences)
            assert not any(sign in text for sign in ("{", "datetime", "None", "['")), text
