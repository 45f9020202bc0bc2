"""Terms counted anew after the calendar changed: what moves, what stays, what is lifted, why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from policy.engine.case import apply
from policy.engine.fact_changes import changes
from policy.engine.folding import JournalEntry, fold
from policy.pack.loading import build_pack, load_pack, read_toml, shipped_path
from policy.pack.schema import Pack
from policy.vocabulary.errors import StatusForbids
from policy.vocabulary.events import By, HeldPost, load_event
from policy.vocabulary.facts import CaseFacts, DeadlineFacts
from policy.vocabulary.status import ActorKind, DeadlineState, PenaltyStatus
from policy.vocabulary.worktime import DayKind, WorkCalendar
from services.calendar.working_calendar import HALF_SLOTS, SLOTS, ZONE, official_days

PACK = load_pack(shipped_path("skoda-dealer"))
LOCAL = dt.timezone(dt.timedelta(hours=8))
BEGIN = dt.datetime(2026, 6, 1, 9, 0, tzinfo=LOCAL)
"""A Monday; the week has no festival."""
WEDNESDAY = dt.date(2026, 6, 3)
ANYBODY = By(
    kind=ActorKind.user,
    employee="1",
    departments=tuple(department.key for department in PACK.department),
    posts=tuple(HeldPost(post=post.key) for post in PACK.post),
)
CARE = By(
    kind=ActorKind.user,
    employee="9",
    departments=("care",),
    posts=tuple(HeldPost(post=post.key) for post in PACK.post),
)


REGISTERED: dict[str, Any] = {
    "number": "1",
    "kind": "complaint",
    "channel": "visit",
    "category": "quality",
    "subject": "-",
}


def calendar(days: Mapping[dt.date, DayKind] | None = None, until: int = 2026) -> WorkCalendar:
    """The official years 2025 to `until` with some days of the company."""
    official = {
        day: kind
        for year in range(2025, until + 1)
        for day, (kind, _) in official_days(year).items()
    }
    return WorkCalendar(
        zone=ZONE,
        slots=_slots(SLOTS),
        half_slots=_slots(HALF_SLOTS),
        days=official | dict(days or {}),
        coverage_from=dt.date(2025, 1, 1),
        coverage_until=dt.date(until, 12, 31),
    )


def _slots(said: Any) -> list[tuple[dt.time, dt.time]]:
    return [(dt.time.fromisoformat(a), dt.time.fromisoformat(b)) for a, b in said]


USUAL = calendar()
WEDNESDAY_OFF = calendar({WEDNESDAY: DayKind.rest})


def at(day: int, hour: int = 9, minute: int = 0, month: int = 6) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=LOCAL)


class Life:
    """A case under a calendar that may change; keeps its journal and the calendars' history."""

    def __init__(
        self, pack: Pack = PACK, begun: dt.datetime = BEGIN, usual: WorkCalendar = USUAL
    ) -> None:
        self.pack = pack
        self.facts = CaseFacts()
        self.entries: list[JournalEntry] = []
        self.stood: list[tuple[dt.datetime, WorkCalendar]] = [(begun, usual)]
        self.do("registered", begun, **REGISTERED, received_at=begun)

    def do(self, name: str, when: dt.datetime, by: By = ANYBODY, **said: Any) -> Life:
        event = load_event({"type": name, "at": when, "by": by, **said})
        self.facts, _ = apply(self.facts, event, self.pack, calendar=self.calendar(when), now=when)
        self.entries.append(JournalEntry(len(self.entries) + 1, event, when))
        return self

    def calendar(self, when: dt.datetime) -> WorkCalendar:
        return [value for since, value in self.stood if since <= when][-1]

    def recount(self, changed: WorkCalendar, when: dt.datetime) -> Life:
        self.stood.append((when, changed))
        return self.do("recounted", when, by=By(kind=ActorKind.system), reason="厂休")

    def dispatched(self) -> Life:
        return self.do(
            "dispatched",
            self.entries[0].recorded_at + dt.timedelta(hours=1),
            department="after_sales",
            holder="2",
        )

    def clock(self, key: str) -> DeadlineFacts:
        found = self.facts.deadline_of(key)
        assert found is not None
        return found

    def folded(self) -> CaseFacts:
        return fold(self.entries, self.pack, self.stood[-1][1], calendars=self.calendar)


def closing(life: Life) -> DeadlineFacts:
    """The running clock that the department's answer meets."""
    (found,) = [c for c in life.facts.deadlines if c.running and c.key.startswith("close")]
    return found


def test_a_company_holiday_moves_what_runs_over_it_and_says_so() -> None:
    life = Life().dispatched()
    before = closing(life)
    life.recount(WEDNESDAY_OFF, at(2))
    after = closing(life)

    assert before.due_at is not None
    assert after.due_at == before.due_at + dt.timedelta(days=1)
    (revision,) = after.revisions
    assert (revision.due_before, revision.due_after) == (before.due_at, after.due_at)
    assert (revision.at, revision.reason) == (at(2), "calendar")
    assert ["2026-06-03", "rest"] in after.because["skipped"]


def test_a_case_that_lived_under_two_calendars_folds_to_what_it_is() -> None:
    life = Life().dispatched().recount(WEDNESDAY_OFF, at(2))
    life.do("replied", at(4), outcome="solved", text="-")
    assert life.folded() == life.facts
    # Under the calendar of today alone it would be another case: it moved nothing.
    assert fold(life.entries, PACK, WEDNESDAY_OFF) != life.facts


def test_a_correction_replays_each_step_under_the_calendar_of_its_day() -> None:
    life = Life().dispatched().recount(WEDNESDAY_OFF, at(2))
    moved = closing(life).due_at
    corrected = load_event(
        {
            "type": "corrected",
            "at": at(4),
            "by": ANYBODY,
            "target": 1,
            "changes": {"subject": "发动机异响"},
            "reason": "-",
        }
    )
    life.entries.append(JournalEntry(len(life.entries) + 1, corrected, at(4)))
    life.facts = life.folded()
    assert closing(life).due_at == moved
    assert [r.reason for r in closing(life).revisions] == ["calendar"]


def test_a_calendar_that_changed_nothing_for_a_case_changes_nothing_in_it() -> None:
    life = Life().dispatched()
    before = life.facts
    life.recount(calendar({dt.date(2026, 12, 1): DayKind.rest}), at(2))
    assert life.facts == before


def test_a_breach_whose_end_now_lies_ahead_is_lifted_with_its_charge() -> None:
    life = Life().dispatched()
    due = closing(life).due_at
    assert due is not None
    found = due + dt.timedelta(hours=1)
    life.do("time_passed", found, by=By(kind=ActorKind.system))
    assert closing(life).breached
    (penalty,) = life.facts.penalties
    life.recount(WEDNESDAY_OFF, found + dt.timedelta(hours=1))

    (breach,) = closing(life).breaches
    assert (breach.breached_at, breach.lifted_because) == (due, "calendar")
    assert breach.lifted_at == found + dt.timedelta(hours=1)
    assert [c.status for c in life.facts.penalties] == [PenaltyStatus.lapsed]
    assert life.facts.penalties[0].identity == penalty.identity
    assert life.folded() == life.facts


def test_who_is_late_either_way_stays_late_since_when_he_was() -> None:
    life = Life().dispatched()
    due = closing(life).due_at
    assert due is not None
    much_later = due + dt.timedelta(days=5)
    life.do("time_passed", much_later, by=By(kind=ActorKind.system))
    life.recount(WEDNESDAY_OFF, much_later + dt.timedelta(hours=1))

    deadline = closing(life)
    assert deadline.due_at == due
    assert [breach.lifted_at for breach in deadline.breaches] == [None]
    assert [c.status for c in life.facts.penalties] == [PenaltyStatus.proposed]
    assert deadline.because["passed"] == (due + dt.timedelta(days=1)).astimezone(dt.UTC).isoformat()


def test_nobody_is_made_late_by_a_calendar() -> None:
    saturday, sunday = dt.date(2026, 6, 6), dt.date(2026, 6, 7)
    life = Life(begun=at(4)).dispatched()
    due = closing(life).due_at
    assert due is not None
    worked = calendar({saturday: DayKind.work, sunday: DayKind.work})
    life.recount(worked, due - dt.timedelta(hours=1))

    deadline = closing(life)
    assert (deadline.due_at, deadline.breached) == (due, False)
    assert deadline.because["passed"]
    assert life.folded() == life.facts


def test_a_day_that_becomes_a_working_day_brings_the_end_nearer() -> None:
    life = Life(begun=at(4)).dispatched()
    due = closing(life).due_at
    assert due == at(9, 10)
    life.recount(calendar({dt.date(2026, 6, 6): DayKind.work}), at(5))
    assert closing(life).due_at == at(8, 10)


def test_time_that_was_granted_stays_where_it_was_granted_to() -> None:
    until = at(9, 10)
    life = Life().dispatched()
    life.do("replied", at(2), outcome="extension", text="-", until=until).do("confirmed", at(2, 10))
    life.do("extension_granted", at(2, 11), by=CARE, until=until)
    life.recount(WEDNESDAY_OFF, at(2, 12))
    assert closing(life).due_at == until
    assert [r.reason for r in closing(life).revisions] == ["extension_granted"]
    assert life.folded() == life.facts


def test_a_term_the_general_manager_set_stays() -> None:
    until = at(10)
    life = Life().dispatched()
    life.do("replied", at(2), outcome="raise_to_gm", text="-").do("confirmed", at(2, 10))
    life.do("decided", at(2, 11), solved=False, text="-", until=until)
    life.recount(WEDNESDAY_OFF, at(2, 12))
    assert closing(life).due_at == until


def test_the_time_left_after_a_refusal_is_counted_under_the_new_calendar() -> None:
    life = Life().dispatched()
    life.do("replied", at(2), outcome="extension", text="-", until=at(9, 10))
    life.do("confirmed", at(2, 10))
    life.do("extension_refused", at(2, 15), by=CARE, reason="-")
    refused_to = closing(life).due_at
    assert refused_to is not None
    life.recount(WEDNESDAY_OFF, at(2, 16))
    # It had the working time left that the refusal gave it, and one working day lies between.
    assert closing(life).due_at == refused_to + dt.timedelta(days=1)
    assert [r.reason for r in closing(life).revisions] == ["extension_refused", "calendar"]
    assert life.folded() == life.facts


def test_a_provisional_end_becomes_final_when_the_year_is_loaded() -> None:
    begun = dt.datetime(2025, 12, 30, 9, tzinfo=LOCAL)
    life = Life(begun=begun, usual=calendar(until=2025)).dispatched()
    guess = closing(life)
    assert guess.provisional
    life.recount(calendar(until=2026), begun + dt.timedelta(days=1))
    final = closing(life)
    assert (final.provisional, "provisional" in final.because) == (False, False)
    # The plan has a long New Year and works the Sunday after it.
    assert final.because["makeup"] == ["2026-01-04"]
    assert life.folded() == life.facts


def test_an_end_that_becomes_final_without_moving_is_told_as_that() -> None:
    begun = dt.datetime(2025, 12, 30, 9, tzinfo=LOCAL)
    life = Life(begun=begun, usual=calendar(until=2025)).dispatched()
    facts = life.facts
    # The same days, known for certain: of 2026 only what the law fixes is known before.
    fixed = {dt.date(2026, 1, 1): DayKind.holiday}
    plain = WorkCalendar(
        zone=ZONE,
        slots=_slots(SLOTS),
        half_slots=_slots(HALF_SLOTS),
        days={day: kind for day, (kind, _) in official_days(2025).items()} | fixed,
        coverage_from=dt.date(2025, 1, 1),
        coverage_until=dt.date(2026, 12, 31),
    )
    after = life.recount(plain, begun + dt.timedelta(hours=2)).facts
    moved = {effect.kind for effect in changes(facts, after)}
    provisional = {c.key for c in facts.deadlines if c.running and c.provisional}
    final = {e.key for e in changes(facts, after) if e.kind == "clock_final"}
    assert provisional
    assert provisional == final
    assert "clock_moved" not in moved


def test_of_two_clocks_of_a_slot_the_one_that_now_ends_earlier_runs() -> None:
    data = read_toml(shipped_path("skoda-dealer"))
    rival = {
        "key": "close_by_calendar",
        "label": "自然日关闭",
        "cite": "SKD-4.2.1",
        "starts_on": ["dispatched"],
        "met_by": ["confirmed"],
        "within": {"amount": 5, "unit": "calendar_day"},
        "slot": "close",
        "binds": "responsible",
    }
    data["deadline"].append(rival)
    life = Life(build_pack(data, file="-")).dispatched()
    by_working_days = closing(life)
    assert by_working_days.key != "close_by_calendar"
    assert "close_by_calendar" in [o["rule"] for o in by_working_days.because["over"]]

    week_off = {WEDNESDAY + dt.timedelta(days=n): DayKind.rest for n in range(3)}
    life.recount(calendar(week_off), at(2))
    winner = closing(life)
    assert winner.key == "close_by_calendar"
    assert winner.because["over"][-1]["rule"] == by_working_days.key
    loser = life.clock(by_working_days.key)
    assert loser.state is DeadlineState.superseded
    assert life.folded() == life.facts

    life.recount(USUAL, at(2, 12))
    assert closing(life).key == by_working_days.key
    assert life.folded() == life.facts


def test_what_has_no_running_clock_is_not_counted_anew() -> None:
    life = Life()
    life.facts = CaseFacts()
    with pytest.raises(StatusForbids):
        life.recount(WEDNESDAY_OFF, at(2))
