"""Working time: the days of 2026 written down by hand, and the same sums counted slowly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.vocabulary.errors import AmountRefused, CalendarExhausted, CalendarRefused, ZoneMissing
from policy.vocabulary.worktime import DayKind, Due, Slot, Unit, WorkCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
SLOTS: Sequence[Slot] = ((time(8, 30), time(12)), (time(13, 30), time(17, 30)))
HALF: Sequence[Slot] = ((time(8, 30), time(12)),)


def days_of(*spans: str) -> list[date]:
    """The days of spans like 10-01…10-07, in 2026."""
    days: list[date] = []
    for span in spans:
        first, _, last = span.partition("…")
        day, end = (date.fromisoformat(f"2026-{edge}") for edge in (first, last or first))
        days += [day + timedelta(n) for n in range((end - day).days + 1)]
    return days


HOLIDAYS = days_of(
    "01-01…01-03", "02-15…02-23", "04-04…04-06", "05-01…05-05", "06-19…06-21",
    "09-25…09-27", "10-01…10-07",
)  # fmt: skip
MAKEUP = days_of("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")
PLAN = dict.fromkeys(HOLIDAYS, DayKind.holiday) | dict.fromkeys(MAKEUP, DayKind.makeup)


def make_calendar(
    *,
    zone: str = "Asia/Shanghai",
    slots: Sequence[Slot] = SLOTS,
    half_slots: Sequence[Slot] | None = HALF,
    days: dict[date, DayKind] | None = None,
    coverage_from: date = date(2026, 1, 1),
    coverage_until: date = date(2026, 12, 31),
    version: str = "",
) -> WorkCalendar:
    return WorkCalendar(
        zone=zone,
        slots=slots,
        half_slots=half_slots,
        days=PLAN if days is None else days,
        coverage_from=coverage_from,
        coverage_until=coverage_until,
        version=version,
    )


CALENDAR = make_calendar()
HALF_ON = date(2026, 2, 13)
WITH_HALF = make_calendar(days=PLAN | {HALF_ON: DayKind.half})


def at(text: str) -> datetime:
    """The instant at which Shanghai's clocks show `text`."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def shown(due: Due, calendar: WorkCalendar = CALENDAR) -> str:
    return calendar.local(due.at).strftime("%a %Y-%m-%d %H:%M:%S").removesuffix(":00")


# ---------------------------------------------------------------- working days


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-09-28 16:20", 7, "Tue 2026-10-13 16:20"),
        ("2026-02-12 10:00", 3, "Tue 2026-02-24 10:00"),
        ("2026-09-18 10:00", 1, "Sun 2026-09-20 10:00"),
        ("2026-05-07 10:00", 2, "Sat 2026-05-09 10:00"),
        ("2026-01-02 10:00", 1, "Sun 2026-01-04 10:00"),
        ("2026-11-21 10:00", 7, "Tue 2026-12-01 10:00"),
        ("2026-12-22 10:00", 7, "Thu 2026-12-31 10:00"),
        ("2026-12-23 10:00", 7, "Fri 2027-01-01 10:00"),
        ("2026-06-01 06:00", 1, "Tue 2026-06-02 08:30"),
        ("2026-06-01 23:10", 1, "Tue 2026-06-02 17:30"),
        ("2026-06-01 12:40", 1, "Tue 2026-06-02 12:40"),
        ("2026-06-01 09:15:33", 1, "Tue 2026-06-02 09:15:33"),
    ],
)
def test_working_days_end_on_the_day_a_person_counts_to(start: str, amount: int, due: str) -> None:
    assert shown(CALENDAR.add(at(start), amount, Unit.working_day)) == due


def test_a_due_time_names_every_day_counted_and_passed_over() -> None:
    due = CALENDAR.add(at("2026-09-28 16:20"), 7, Unit.working_day)

    assert due.at == datetime(2026, 10, 13, 8, 20, tzinfo=UTC)
    assert due.at.tzinfo is UTC
    assert due.counted == tuple(
        days_of("09-29", "09-30", "10-08", "10-09", "10-10", "10-12", "10-13")
    )
    holidays = tuple((day, "holiday") for day in days_of("10-01…10-07"))
    assert due.skipped == (*holidays, (date(2026, 10, 11), "rest"))
    assert due.makeup == (date(2026, 10, 10),)
    assert not due.provisional


def test_a_start_on_a_rest_day_is_itself_passed_over() -> None:
    due = CALENDAR.add(at("2026-11-21 10:00"), 1, Unit.working_day)

    assert due.skipped == ((date(2026, 11, 21), "rest"), (date(2026, 11, 22), "rest"))
    assert due.counted == (date(2026, 11, 23),)


def test_a_term_into_a_year_without_a_plan_is_provisional() -> None:
    assert not CALENDAR.add(at("2026-12-22 10:00"), 7, Unit.working_day).provisional
    assert CALENDAR.add(at("2026-12-23 10:00"), 7, Unit.working_day).provisional
    assert CALENDAR.add(at("2026-12-31 17:00"), 1, Unit.working_hour).provisional
    assert CALENDAR.add(at("2025-12-31 10:00"), 1, Unit.working_day).provisional


def test_a_company_day_beyond_the_coverage_counts_and_stays_provisional() -> None:
    calendar = make_calendar(days=PLAN | {date(2027, 1, 1): DayKind.holiday})
    due = calendar.add(at("2026-12-31 10:00"), 1, Unit.working_day)

    assert shown(due) == "Mon 2027-01-04 10:00"
    assert due.provisional


def test_a_long_term_keeps_a_readable_part_of_its_explanation() -> None:
    due = CALENDAR.add(at("2026-01-05 10:00"), 240, Unit.working_day)

    assert len(due.counted) == 40
    assert len(due.skipped) == 60
    assert due.makeup == tuple(MAKEUP[1:])


def test_a_half_day_is_a_working_day_with_its_own_closing() -> None:
    assert shown(WITH_HALF.add(at("2026-02-12 16:00"), 1, Unit.working_day)) == (
        "Fri 2026-02-13 12:00"
    )
    assert WITH_HALF.kind(HALF_ON) is DayKind.half
    assert WITH_HALF.is_working(HALF_ON)


# ---------------------------------------------------------------- the other units


@pytest.mark.parametrize(
    ("start", "amount", "unit", "due"),
    [
        ("2026-10-01 23:50", 30, Unit.minute, "Fri 2026-10-02 00:20"),
        ("2026-10-01 23:00", 24, Unit.hour, "Fri 2026-10-02 23:00"),
        ("2026-10-01 23:00", Decimal("0.5"), Unit.hour, "Thu 2026-10-01 23:30"),
        ("2026-09-30 16:20", 1, Unit.calendar_day, "Thu 2026-10-01 16:20"),
        ("2026-09-30 16:20", 2, Unit.week, "Wed 2026-10-14 16:20"),
        ("2026-01-31 16:20", 1, Unit.month, "Sat 2026-02-28 16:20"),
        ("2026-12-15 16:20", 1, Unit.month, "Fri 2027-01-15 16:20"),
        ("2024-02-29 16:20", 1, Unit.year, "Fri 2025-02-28 16:20"),
        ("2026-02-12 16:20", 10, Unit.year, "Tue 2036-02-12 16:20"),
        ("2026-10-03 16:20", 1, Unit.same_day, "Sat 2026-10-03 23:59:59"),
        ("2026-10-03 16:20", 0, Unit.same_day, "Sat 2026-10-03 23:59:59"),
        ("2026-10-03 16:20", 15, Unit.day_of_month, "Sun 2026-11-15 23:59:59"),
        ("2026-01-03 16:20", 31, Unit.day_of_month, "Sat 2026-02-28 23:59:59"),
    ],
)
def test_units_of_the_plain_calendar_pass_over_nothing(
    start: str, amount: int | Decimal, unit: Unit, due: str
) -> None:
    found = CALENDAR.add(at(start), amount, unit)

    assert shown(found) == due
    assert (found.counted, found.skipped, found.provisional) == ((), (), False)


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-06-01 16:59:59", 1, "Mon 2026-06-01 17:00"),
        ("2026-06-01 17:00", 1, "Tue 2026-06-02 17:00"),
        ("2026-06-01 18:00", 2, "Wed 2026-06-03 17:00"),
    ],
)
def test_a_clock_time_is_the_next_one_after_the_start(start: str, amount: int, due: str) -> None:
    assert shown(CALENDAR.add(at(start), amount, Unit.clock_time, at=time(17))) == due


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-06-01 09:00", 2, "Mon 2026-06-01 11:00"),
        ("2026-06-01 11:00", 2, "Mon 2026-06-01 14:30"),
        ("2026-06-01 10:00", 2, "Mon 2026-06-01 12:00"),
        ("2026-06-01 12:45", 1, "Mon 2026-06-01 14:30"),
        ("2026-06-01 08:30", Decimal("7.5"), "Mon 2026-06-01 17:30"),
        ("2026-06-01 17:00", 1, "Tue 2026-06-02 09:00"),
        ("2026-09-30 17:00", 1, "Thu 2026-10-08 09:00"),
        ("2026-10-03 22:00", 1, "Thu 2026-10-08 09:30"),
        ("2026-10-09 17:00", Decimal("0.75"), "Sat 2026-10-10 08:45"),
        ("2026-06-01 09:00:30", Decimal("0.25"), "Mon 2026-06-01 09:15:30"),
    ],
)
def test_working_hours_run_only_while_the_office_is_open(
    start: str, amount: int | Decimal, due: str
) -> None:
    assert shown(CALENDAR.add(at(start), amount, Unit.working_hour)) == due


def test_working_hours_name_the_days_they_ran_on() -> None:
    due = CALENDAR.add(at("2026-10-09 17:00"), 8, Unit.working_hour)

    assert due.counted == tuple(days_of("10-09", "10-10"))
    assert due.makeup == (date(2026, 10, 10),)
    after_closing = CALENDAR.add(at("2026-10-09 20:00"), 1, Unit.working_hour)
    assert after_closing.counted == (date(2026, 10, 10),)


def test_elapsed_hours_are_true_hours_when_clocks_change() -> None:
    calendar = make_calendar(zone="Europe/Berlin")
    start = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))

    assert calendar.local(calendar.add(start, 24, Unit.hour).at).hour == 13
    assert calendar.local(calendar.add(start, 1, Unit.calendar_day).at).hour == 12


# ---------------------------------------------------------------- measures and neighbours


def test_working_minutes_between_count_office_hours_only() -> None:
    def minutes(start: str, end: str, calendar: WorkCalendar = CALENDAR) -> int:
        return calendar.working_minutes_between(at(start), at(end))

    assert minutes("2026-06-01 08:00", "2026-06-01 18:00") == 450
    assert minutes("2026-06-01 11:50", "2026-06-01 13:40") == 20
    assert minutes("2026-09-30 17:00", "2026-10-08 09:00") == 60
    assert minutes("2026-10-08 09:00", "2026-09-30 17:00") == -60
    assert minutes("2026-06-01 09:00:00", "2026-06-01 09:00:59") == 0
    assert minutes("2026-02-13 08:00", "2026-02-13 18:00", WITH_HALF) == 210


def test_working_days_are_counted_over_a_holiday() -> None:
    assert CALENDAR.add_days(date(2026, 9, 28), 7) == date(2026, 10, 13)


def test_the_nearest_working_day_is_the_day_itself_when_it_is_one() -> None:
    assert CALENDAR.add_days(date(2026, 10, 1), 1) == date(2026, 10, 8)
    assert CALENDAR.last_working_day_on_or_before(date(2026, 10, 7)) == date(2026, 9, 30)
    assert CALENDAR.is_working(date(2026, 10, 10))
    assert CALENDAR.last_working_day_on_or_before(date(2026, 10, 10)) == date(2026, 10, 10)


def test_a_day_has_a_kind() -> None:
    kinds = [CALENDAR.kind(day).name for day in days_of("10-07…10-11")]
    assert kinds == ["holiday", "work", "work", "makeup", "rest"]
    assert [kind.name for kind in DayKind] == [kind.value for kind in DayKind]
    assert [unit.name for unit in Unit] == [unit.value for unit in Unit]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("amount", [0, -1, Decimal("-0.5"), Decimal("NaN"), Decimal("Infinity"),
                                    10**12, Decimal("1E+999999"), True, 1.5])  # fmt: skip
@pytest.mark.parametrize("unit", [Unit.minute, Unit.working_hour, Unit.working_day, Unit.month])
def test_an_amount_that_makes_no_term_is_refused(amount: int | Decimal, unit: Unit) -> None:
    with pytest.raises(AmountRefused):
        CALENDAR.add(at("2026-06-01 10:00"), amount, unit)


@pytest.mark.parametrize(
    ("amount", "unit"),
    [(Decimal("1.5"), Unit.working_day), (Decimal("0.5"), Unit.month), (32, Unit.day_of_month)],
)
def test_an_amount_the_unit_cannot_have_is_refused(amount: int | Decimal, unit: Unit) -> None:
    with pytest.raises(AmountRefused):
        CALENDAR.add(at("2026-06-01 10:00"), amount, unit)


def test_a_whole_decimal_counts_days() -> None:
    assert CALENDAR.add(at("2026-06-01 10:00"), Decimal("1.0"), Unit.working_day).counted == (
        date(2026, 6, 2),
    )


def test_a_clock_time_belongs_to_its_unit_alone() -> None:
    with pytest.raises(CalendarRefused, match="clock_time_missing"):
        CALENDAR.add(at("2026-06-01 10:00"), 1, Unit.clock_time)
    with pytest.raises(CalendarRefused, match="clock_time_unused"):
        CALENDAR.add(at("2026-06-01 10:00"), 1, Unit.working_day, at=time(17))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ZoneMissing):
        CALENDAR.add(datetime(2026, 6, 1, 10), 1, Unit.working_day)


@pytest.mark.parametrize(
    ("start", "amount", "unit"),
    [
        ("2026-06-01 10:00", 1000, Unit.working_day),
        ("2026-06-01 10:00", 9000, Unit.working_hour),
        ("2026-06-01 10:00", 8000, Unit.year),
        ("2026-06-01 10:00", 100_000_000, Unit.calendar_day),
        ("2026-06-01 10:00", 100_000_000, Unit.hour),
        ("2022-12-30 10:00", 1, Unit.working_day),
        ("2030-01-01 10:00", 1, Unit.working_day),
        ("2022-12-30 10:00", 1, Unit.working_hour),
    ],
)
def test_a_term_out_of_reach_is_refused_and_not_guessed(
    start: str, amount: int, unit: Unit
) -> None:
    with pytest.raises(CalendarExhausted):
        CALENDAR.add(at(start), amount, unit)


@pytest.mark.parametrize("day", [date(2022, 12, 31), date(2030, 1, 1)])
def test_a_day_out_of_reach_has_no_kind(day: date) -> None:
    with pytest.raises(CalendarExhausted):
        CALENDAR.kind(day)
    with pytest.raises(CalendarExhausted):
        CALENDAR.last_working_day_on_or_before(day)


def test_no_working_day_before_the_first_is_said() -> None:
    assert CALENDAR.kind(date(2023, 1, 1)) is DayKind.rest
    with pytest.raises(CalendarExhausted):
        CALENDAR.last_working_day_on_or_before(date(2023, 1, 1))
    assert CALENDAR.add_days(date(2023, 1, 1), 1) == date(2023, 1, 2)


@pytest.mark.parametrize(
    ("why", "wrong"),
    [
        ("zone_unknown", {"zone": "Asia/Atlantis"}),
        ("zone_unknown", {"zone": "../etc/passwd"}),
        ("slots_missing", {"slots": ()}),
        ("slot_empty", {"slots": ((time(9), time(9)),)}),
        ("slot_empty", {"slots": ((time(9), time(0)),)}),
        ("slots_out_of_order", {"slots": ((time(13), time(17)), (time(8), time(12)))}),
        ("slots_out_of_order", {"slots": ((time(8), time(12)), (time(11), time(17)))}),
        ("slot_not_in_minutes", {"slots": ((time(8, 30, 1), time(12)),)}),
        ("slot_not_in_minutes", {"slots": ((time(8, tzinfo=UTC), time(12, tzinfo=UTC)),)}),
        ("half_slots_missing", {"half_slots": None, "days": {HALF_ON: DayKind.half}}),
        ("coverage_ends_before_it_begins", {"coverage_until": date(2025, 12, 31)}),
        ("coverage_too_long", {"coverage_until": date(2300, 12, 31)}),
        ("coverage_too_long", {"coverage_until": date(9999, 12, 31)}),
        ("day_out_of_reach", {"days": {date(2031, 1, 1): DayKind.holiday}}),
        (
            "no_working_day",
            {"days": {date(2023, 1, 1) + timedelta(n): DayKind.rest for n in range(2557)}},
        ),
    ],
)
def test_a_calendar_that_cannot_be_one_is_refused(why: str, wrong: dict[str, object]) -> None:
    with pytest.raises(CalendarRefused) as refusal:
        make_calendar(**wrong)  # type: ignore[arg-type]  # the wrong values are the point
    assert refusal.value.facts["why"] == why


def test_calendars_are_equal_by_version_and_else_by_content() -> None:
    assert make_calendar() == CALENDAR
    assert hash(make_calendar()) == hash(CALENDAR)
    assert WITH_HALF != CALENDAR
    assert make_calendar(version="7") == make_calendar(version="7", days={})
    assert CALENDAR != "7"


# ---------------------------------------------------------------- counted slowly

days = st.dates(date(2025, 6, 1), date(2027, 6, 30))
clocks = st.times().map(lambda clock: clock.replace(microsecond=0))
starts = st.builds(datetime.combine, days, clocks, st.just(SHANGHAI))
amounts = st.integers(1, 80)


def counted_slowly(day: date, amount: int) -> date:
    while amount:
        day += timedelta(1)
        amount -= WITH_HALF.is_working(day)
    return day


@given(day=days, amount=amounts)
def test_adding_days_equals_walking_over_them(day: date, amount: int) -> None:
    assert WITH_HALF.add_days(day, amount) == counted_slowly(day, amount)


@given(start=starts, amount=amounts)
def test_the_explanation_accounts_for_every_day(start: datetime, amount: int) -> None:
    due = WITH_HALF.add(start, amount, Unit.working_day)
    due_on = WITH_HALF.local(due.at).date()
    first = start.date() + timedelta(WITH_HALF.is_working(start.date()))
    passed = [first + timedelta(n) for n in range((due_on - first).days + 1)]

    working = [day for day in passed if WITH_HALF.is_working(day)]
    idle = [(day, WITH_HALF.kind(day).value) for day in passed if not WITH_HALF.is_working(day)]
    assert due.counted == tuple(working[:40])
    assert due.skipped == tuple(idle[:60])
    assert due.makeup == tuple(day for day in working if WITH_HALF.kind(day) is DayKind.makeup)
    assert due.provisional is any(day.year != 2026 for day in (start.date(), due_on))


@given(start=starts, amount=amounts)
def test_a_term_has_its_working_days_after_its_first_day(start: datetime, amount: int) -> None:
    due = WITH_HALF.add(start, amount, Unit.working_day)
    first, last = (WITH_HALF.local(instant).date() for instant in (start, due.at))
    after = [first + timedelta(n) for n in range(1, (last - first).days + 1)]
    assert sum(WITH_HALF.is_working(day) for day in after) == amount


@given(start=starts, minutes=st.integers(1, 20_000))
def test_measuring_working_time_undoes_adding_it(start: datetime, minutes: int) -> None:
    due = WITH_HALF.add(start, Decimal(minutes) / 60, Unit.working_hour)
    assert WITH_HALF.working_minutes_between(start, due.at) == minutes
    assert WITH_HALF.working_minutes_between(due.at, start) == -minutes


@given(start=starts, minutes=st.integers(1, 3_000))
def test_working_hours_equal_walking_from_slot_to_slot(start: datetime, minutes: int) -> None:
    due = WITH_HALF.add(start, Decimal(minutes) / 60, Unit.working_hour)
    assert due.at == walked(start, minutes)


def walked(moment: datetime, minutes: int) -> datetime:
    """The end of `minutes` of office hours, one slot after the other, found by walking."""
    left = timedelta(minutes=minutes)
    day = moment.date()
    while True:
        for opens, closes in WITH_HALF.office_hours(day):
            begins = max(moment, datetime.combine(day, opens, SHANGHAI))
            length = datetime.combine(day, closes, SHANGHAI) - begins
            if left <= length:
                return begins + left
            left -= max(length, timedelta(0))
        day += timedelta(1)


@given(start=starts, amount=amounts, unit=st.sampled_from(list(Unit)))
def test_more_is_never_earlier(start: datetime, amount: int, unit: Unit) -> None:
    amount = min(amount, 30)
    clock = time(17) if unit is Unit.clock_time else None
    less = WITH_HALF.add(start, amount, unit, at=clock).at
    assert less <= WITH_HALF.add(start, amount + 1, unit, at=clock).at


@given(first=starts, second=starts, amount=amounts)
def test_a_later_day_is_never_due_on_an_earlier_day(
    first: datetime, second: datetime, amount: int
) -> None:
    dues = [WITH_HALF.add(start, amount, Unit.working_day).at for start in sorted((first, second))]
    assert WITH_HALF.local(dues[0]).date() <= WITH_HALF.local(dues[1]).date()


@given(
    first=starts,
    second=starts,
    amount=amounts,
    unit=st.sampled_from([unit for unit in Unit if unit is not Unit.day_of_month]),
)
def test_a_later_start_on_a_working_day_is_never_due_earlier(
    first: datetime, second: datetime, amount: int, unit: Unit
) -> None:
    first, second = sorted((first, second))
    clock = time(17) if unit is Unit.clock_time else None
    # From a rest day the clock time is kept too, so Saturday morning may come before Friday night.
    if WITH_HALF.is_working(second.date()) or unit is not Unit.working_day:
        earlier = WITH_HALF.add(first, amount, unit, at=clock).at
        assert earlier <= WITH_HALF.add(second, amount, unit, at=clock).at


@given(start=starts, amount=amounts, unit=st.sampled_from(list(Unit)))
def test_nothing_is_due_before_it_began(start: datetime, amount: int, unit: Unit) -> None:
    clock = time(17) if unit is Unit.clock_time else None
    assert WITH_HALF.add(start, min(amount, 31), unit, at=clock).at > start - timedelta(seconds=1)


# ---------------------------------------------------------------- whole days

WHOLE = CALENDAR.judged(whole_days=True, fixed_holidays=True)
WHOLE_HALF = WITH_HALF.judged(whole_days=True, fixed_holidays=True)


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-03-06 20:00", 3, "Wed 2026-03-11 17:30"),  # a Friday after closing
        ("2026-03-08 10:00", 3, "Wed 2026-03-11 17:30"),  # a Sunday
        ("2026-03-08 02:00", 3, "Wed 2026-03-11 17:30"),
        ("2026-03-09 02:00", 3, "Thu 2026-03-12 08:30"),  # a Monday before opening
        ("2026-05-01 09:00", 3, "Fri 2026-05-08 17:30"),  # Labour Day
        ("2026-03-07 09:00", 2, "Tue 2026-03-10 17:30"),  # a Saturday
        ("2026-03-04 10:00", 3, "Mon 2026-03-09 10:00"),  # what begins at work keeps its time
        ("2026-02-13 13:00", 1, "Sat 2026-02-14 17:30"),  # after the closing of a half day
    ],
)
def test_working_days_from_a_rest_day_are_whole(start: str, amount: int, due: str) -> None:
    calendar = WHOLE_HALF if start.startswith("2026-02-13") else WHOLE
    assert shown(calendar.add(at(start), amount, Unit.working_day), calendar) == due


MOMENTS = st.integers(0, 400 * 24 * 3600).map(lambda n: at("2026-01-01 00:00") + timedelta(0, n))
TERMS = st.sampled_from(
    [(unit, n) for unit in Unit for n in (1, 2, 3, 7, 31) if unit is not Unit.clock_time]
    + [(Unit.clock_time, 1), (Unit.clock_time, 4), (Unit.year, 4), (Unit.minute, 30)]
)


@given(MOMENTS, st.integers(0, 5 * 24 * 3600), TERMS, st.sampled_from([WHOLE, WHOLE_HALF]))
def test_a_later_start_never_gets_an_earlier_end(
    first: datetime, later: int, term: tuple[Unit, int], calendar: WorkCalendar
) -> None:
    unit, amount = term
    clock = time(17) if unit is Unit.clock_time else None
    starts = (first, first + timedelta(0, later))
    early, late = (calendar.add(start, amount, unit, at=clock).at for start in starts)
    assert early <= late


@given(MOMENTS, st.integers(1, 30))
def test_working_days_leave_that_many_whole_ones(start: datetime, amount: int) -> None:
    due = WHOLE.add(start, amount, Unit.working_day)
    full_day = 8 * 60 - 30
    assert WHOLE.working_minutes_between(start, due.at) >= amount * full_day


@pytest.mark.parametrize(
    ("start", "unit", "due"),
    [
        ("2026-01-31 10:00", Unit.month, "Sat 2026-02-28 23:59:59"),
        ("2026-01-28 10:00", Unit.month, "Sat 2026-02-28 10:00"),
        ("2028-02-29 10:00", Unit.year, "Wed 2029-02-28 23:59:59"),
    ],
)
def test_a_month_without_that_day_ends_with_its_last(start: str, unit: Unit, due: str) -> None:
    assert shown(WHOLE.add(at(start), 1, unit)) == due


def test_holidays_fixed_by_law_are_known_beyond_the_plan() -> None:
    due = WHOLE.add(at("2026-12-30 10:00"), 3, Unit.working_day)
    assert shown(due) == "Tue 2027-01-05 10:00"
    assert due.provisional
    assert [day for day, kind in due.skipped if kind == "holiday"] == [date(2027, 1, 1)]
    assert shown(CALENDAR.add(at("2026-12-30 10:00"), 3, Unit.working_day)) == (
        "Mon 2027-01-04 10:00"
    )
    assert WHOLE.kind(date(2027, 10, 2)) is DayKind.holiday
    assert not WHOLE.is_working(date(2027, 5, 1))


def test_a_calendar_is_judged_once() -> None:
    assert WHOLE.judged(whole_days=True, fixed_holidays=True) is WHOLE
    assert CALENDAR.judged(whole_days=True, fixed_holidays=True) is WHOLE
    assert WHOLE != CALENDAR
    assert CALENDAR.judged(whole_days=False, fixed_holidays=False) is CALENDAR
