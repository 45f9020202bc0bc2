"""A journal judged by other rules: what differs, what follows by itself, what does not fit."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import wording
from policy.engine.folding import JournalEntry
from policy.pack.loading import build_pack, read_toml, shipped_path
from policy.pack.schema import Pack
from policy.proof import casefile, whatif
from policy.proof.casefile import PlayBasis
from policy.proof.play import Packs, Play
from policy.proof.whatif import CaseDifference, Totals
from policy.vocabulary import refusals
from policy.vocabulary.errors import (
    DomainError,
    PostMissing,
    StatusForbids,
    StepRefused,
    TimeInFuture,
    TrialFailed,
    UndoBlocked,
)
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import PenaltyStatus
from tests.regulations import official_calendar
from wording import whatif_text

DATA = read_toml(shipped_path("skoda-dealer"))
PACK = build_pack(DATA)
CALENDAR = official_calendar()
BASIS = PlayBasis(Packs(DATA), CALENDAR)
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
ANSWERED = """
[[step]]
do = "registered"
at = 2026-03-02T09:00:00
by = "care_specialist"
kind = "complaint"
channel = "visit"
category = "quality"
subject = "-"
[[step]]
do = "dispatched"
at = 2026-03-02T10:00:00
by = "care_specialist"
department = "after_sales"
[[step]]
do = "replied"
at = 2026-03-04T09:00:00
by = "member:after_sales"
outcome = "solved"
text = "-"
[[step]]
do = "confirmed"
at = 2026-03-04T10:00:00
by = "after_sales_director"
"""
LATE = ANSWERED.replace("2026-03-04T", "2026-03-06T")
CLOSED = (
    ANSWERED
    + """
[[step]]
do = "called_back"
at = 2026-03-04T15:00:00
by = "care_specialist"
purpose = "verification"
outcome = "answered"
satisfaction = "satisfied"
matches_form = true
[[step]]
do = "signed"
at = 2026-03-04T16:00:00
by = "care_director"
feedback = "-"
"""
)


def lived(text: str) -> tuple[list[JournalEntry], CaseFacts]:
    """A case as it was under the shipped regulation: its journal and what it became."""
    data = casefile.parse_case_file(text, "x")
    (case,) = casefile.checked_cases(data, {}, BASIS, file="x")
    play = Play(case, PACK, CALENDAR)
    assert list(play.mismatches()) == []
    return play.entries, play.facts


def other(section: str, key: str, **changed: Any) -> Pack:
    """The shipped regulation with fields of one entry changed; None takes the entry out."""
    entries = [e | changed if e["key"] == key else e for e in DATA[section]]
    assert entries != DATA[section]
    return build_pack({**DATA, section: entries})


def tried(text: str, pack: Pack, now: dt.datetime = NOW) -> CaseDifference:
    entries, facts = lived(text)
    before = whatif.settle_until(facts, PACK, CALENDAR, now=now)
    return whatif.compare_pictures(before, whatif.replay_under(entries, pack, CALENDAR, now=now))


def at_once(text: str, pack: Pack) -> CaseDifference:
    """The case tried as soon as its last step was done, when nothing else is due."""
    return tried(text, pack, now=lived(text)[0][-1].recorded_at)


def days(amount: int) -> Mapping[str, Any]:
    return {"within": {"amount": amount, "unit": "working_day"}}


def test_under_its_own_rules_nothing_differs() -> None:
    for text in (ANSWERED, LATE, CLOSED):
        assert not tried(text, PACK)


def test_a_shorter_term_makes_a_case_late_and_costs_its_director() -> None:
    one = tried(ANSWERED, other("deadline", "close_a", **days(1)))
    assert [late.key for late in one.late_added] == ["close_a"]
    assert [(s.rule, s.employee, s.yuan) for s in one.sums_added] == [
        ("late_close", "after_sales_director", 200)
    ]
    assert (one.late_removed, one.sums_removed, dict(one.facts)) == ((), (), {})
    at = CALENDAR.local(one.late_added[0].breached_at)
    assert f"{at:%m-%d %H:%M}" == "03-03 10:00"


def test_a_longer_term_takes_breach_and_penalty_away() -> None:
    one = tried(LATE, other("deadline", "close_a", **days(5)))
    assert [late.key for late in one.late_removed] == ["close_a"]
    assert [s.yuan for s in one.sums_removed] == [200]
    assert (one.before.yuan, one.after.yuan) == (200, 0)


def test_another_amount_is_another_sum() -> None:
    one = tried(LATE, other("penalty", "late_close", amount=Decimal(300)))
    assert ([s.yuan for s in one.sums_removed], [s.yuan for s in one.sums_added]) == ([200], [300])
    assert (one.late_added, one.late_removed) == ((), ())


def test_another_condition_grades_the_case_otherwise() -> None:
    service = [{"field": "category", "in": ["service", "technical", "quality"]}]
    one = tried(ANSWERED, other("severity", "A1", when=service))
    assert dict(one.facts) == {"grade": ("A2", "A1")}


def test_what_was_decided_about_a_charge_that_would_not_be_is_dropped() -> None:
    confirmed = (
        '[[step]]\ndo = "penalty_confirmed"\nat = 2026-03-09T09:00:00\nby = "care_director"\n'
        'rule = "late_close"\nemployee = "after_sales_director"\n'
    )
    _entries, facts = lived(LATE + confirmed)
    assert [c.status for c in facts.penalties] == [PenaltyStatus.confirmed]
    one = tried(LATE + confirmed, other("deadline", "close_a", **days(5)))
    assert [s.rule for s in one.sums_removed] == ["late_close"]


def test_time_archives_by_the_other_rules_and_is_no_reason_against_them() -> None:
    entries, facts = lived(CLOSED)
    archived = whatif.settle_until(facts, PACK, CALENDAR, now=NOW)
    assert archived.status.value == "archived"
    longer = other("deadline", "observation", within={"amount": 300, "unit": "calendar_day"})
    after = whatif.replay_under(entries, longer, CALENDAR, now=NOW)
    assert whatif.compare_pictures(archived, after).facts["status"] == ("archived", "closed")
    archiving = '[[step]]\ndo = "archived"\nat = 2026-03-12T09:00:00\n'
    entries, _facts = lived(CLOSED + archiving)
    assert whatif.replay_under(entries, longer, CALENDAR, now=NOW).status.value == "closed"


def test_a_case_is_judged_as_it_was_put_right() -> None:
    moved = (
        '[[step]]\ndo = "corrected"\nat = 2026-03-06T11:00:00\nby = "care_director"\n'
        'target = 2\nchanges = { at = 2026-03-02T11:00:00 }\nreason = "-"\n'
    )
    one = tried(ANSWERED + moved, other("deadline", "close_a", **days(1)))
    at = CALENDAR.local(one.late_added[0].breached_at)
    assert f"{at:%m-%d %H:%M}" == "03-03 11:00"


def test_a_case_that_was_withdrawn_is_nothing_under_any_rules() -> None:
    gone = (
        '[[step]]\ndo = "withdrawn"\nat = 2026-03-06T11:00:00\nby = "care_director"\n'
        'target = 1\nreason = "-"\n'
    )
    entries, _facts = lived(ANSWERED + gone)
    assert whatif.replay_under(entries, PACK, CALENDAR, now=NOW) == CaseFacts()


def test_a_step_that_does_not_fit_is_named_with_its_reason() -> None:
    entries, _facts = lived(ANSWERED)
    pack = other("signoff", "confirm", by=["general_manager"])
    with pytest.raises(StepRefused) as refused:
        whatif.replay_under(entries, pack, CALENDAR, now=NOW)
    assert (refused.value.facts["deed"], refused.value.facts["seq"]) == ("confirmed", 4)
    assert isinstance(refused.value.facts["refusal"], PostMissing)


# ---------------------------------------------------------------- sums and what is kept


def test_totals_count_cases_terms_and_sums_before_and_after() -> None:
    totals, shorter = Totals(), other("deadline", "close_a", **days(1))
    for text in (ANSWERED, LATE):
        totals.add(at_once(text, shorter), PACK, shorter)
    totals.refuse()
    assert (totals.cases, totals.differ, totals.refused) == (3, 1, 1)
    assert (totals.late_before, totals.late_after) == (1, 2)
    assert (totals.yuan_before, totals.yuan_after) == (200, 400)
    count = totals.rules["late_close"]
    assert (count.before, count.after, count.yuan_after) == (1, 2, 400)
    assert totals.terms["close_a"].label == PACK.label("deadline", "close_a")


def test_totals_come_back_from_json_as_they_were() -> None:
    totals, dearer = Totals(), other("penalty", "late_close", amount=Decimal("300.50"))
    totals.add(tried(LATE, dearer), PACK, dearer)
    again = Totals.load(json.loads(json.dumps(totals.dump())))
    assert again == totals
    assert (again.yuan_after, Totals.load({})) == (Decimal("300.50"), Totals())


def test_totals_say_what_changes_in_words() -> None:
    totals, shorter = Totals(), other("deadline", "close_a", **days(1))
    totals.add(at_once(ANSWERED, shorter), PACK, shorter)
    with wording.speaking("en", ZoneInfo("Asia/Shanghai")):
        said = list(whatif_text.total_lines(totals))
    assert "Late cases: 0 → 1" in said
    assert "Sum of penalties: ¥0 → ¥200" in said


@pytest.mark.parametrize(
    "refusal",
    [
        StepRefused(deed="confirmed", seq=4, refusal=PostMissing(deed="x", posts=["a"], cite="c")),
        TimeInFuture(field="at", at=NOW),
        StatusForbids(deed="confirmed", status=PenaltyStatus.proposed),
        UndoBlocked(number="1", refusal=TimeInFuture(field="at", at=NOW)),
    ],
    ids=lambda refusal: refusal.code,
)
def test_a_refusal_that_was_kept_says_the_same(refusal: DomainError) -> None:
    kept = refusals.load_refusal(json.loads(json.dumps(refusals.dump_refusal(refusal))))
    with wording.speaking("zh_Hans_CN", ZoneInfo("Asia/Shanghai")):
        assert wording.error(kept) == wording.error(refusal)


def test_a_refusal_of_another_day_whose_code_is_gone_is_still_said() -> None:
    assert isinstance(refusals.load_refusal({"code": "long_gone", "facts": {}}), TrialFailed)
