"""Calendars in the record: official years, company days, the value kept by version, the pages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import holidays
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from config import Settings
from database import make_engine, reading, writing
from models import Base, Calendar, CalendarDay
from policy.errors import (
    CalendarRefused,
    ChangedMeanwhile,
    FieldMissing,
    FieldTooLong,
    NotFound,
)
from policy.worktime import DayKind, Unit, WorkCalendar
from services.calendars import (
    OFFICIAL_YEARS,
    month_view,
    official_calendar,
    official_days,
    seed_official,
    set_day,
    work_calendar,
    year_view,
)

NOW = dt.datetime(2026, 11, 21, 2, tzinfo=dt.UTC)
SPORTS_DAY = dt.date(2026, 6, 3)


@pytest.fixture
def calendar(session: Session) -> Calendar:
    """The company's calendar with every official year, committed."""
    calendar = seed_official(session)
    session.commit()
    return calendar


def rest(session: Session, calendar: Calendar, on: dt.date, note: str = "公司运动会") -> None:
    set_day(session, calendar, on, kind=DayKind.rest, note=note, actor="care", now=NOW)


def day_row(session: Session, on: dt.date) -> CalendarDay | None:
    return session.scalar(sa.select(CalendarDay).where(CalendarDay.on == on))


# ---------------------------------------------------------------- the official plan


def test_two_libraries_agree_on_every_day_since_2015() -> None:
    official = official_calendar(range(2015, 2027))
    second = holidays.country_holidays("CN", years=range(2015, 2027))
    day = dt.date(2015, 1, 1)
    differing = []
    while day.year < 2027:
        if official.is_working(day) is not second.is_working_day(day):
            differing.append(day)
        day += dt.timedelta(1)
    assert differing == []


def test_the_make_up_days_of_2026_are_known() -> None:
    makeup = [day for day, (kind, _) in official_days(2026).items() if kind is DayKind.makeup]
    assert sorted(f"{day:%m-%d}" for day in makeup) == [
        "01-04", "02-14", "02-28", "05-09", "09-20", "10-10",
    ]  # fmt: skip


def test_an_official_day_carries_its_festival() -> None:
    days = official_days(2026)
    assert days[dt.date(2026, 10, 3)] == (DayKind.holiday, "国庆节")
    assert days[dt.date(2026, 2, 14)] == (DayKind.makeup, "春节")


@pytest.mark.parametrize("year", [2003, 2027, 0])
def test_a_year_without_an_official_plan_is_refused(year: int, session: Session) -> None:
    with pytest.raises(CalendarRefused, match="year_not_official"):
        official_days(year)
    with pytest.raises(CalendarRefused, match="year_not_official"):
        seed_official(session, years=[year])
    assert session.scalar(sa.select(Calendar)) is None


def test_no_year_at_all_is_refused(session: Session) -> None:
    with pytest.raises(CalendarRefused, match="year_not_official"):
        seed_official(session, years=[])


def test_seeding_covers_the_official_years(session: Session, calendar: Calendar) -> None:
    assert calendar.coverage_from == dt.date(OFFICIAL_YEARS[0], 1, 1)
    assert calendar.coverage_until == dt.date(OFFICIAL_YEARS[-1], 12, 31)
    stored = work_calendar(session)
    assert stored == official_calendar()
    assert not stored.is_working(dt.date(2026, 10, 1))
    assert stored.is_working(dt.date(2026, 10, 10))
    row = day_row(session, dt.date(2026, 10, 10))
    assert row is not None
    assert row.source.startswith("chinesecalendar ")


def test_seeding_twice_changes_nothing(session: Session, calendar: Calendar) -> None:
    before = calendar.version, session.scalar(sa.select(sa.func.count(CalendarDay.id)))
    seed_official(session)
    session.commit()
    assert (calendar.version, session.scalar(sa.select(sa.func.count(CalendarDay.id)))) == before


def test_a_later_year_is_added_and_makes_its_terms_final(session: Session) -> None:
    seed_official(session, years=[2024])
    start = dt.datetime(2026, 9, 28, 8, 20, tzinfo=dt.UTC)
    guess = work_calendar(session).add(start, 7, Unit.working_day)
    seed_official(session, years=[2026])
    final = work_calendar(session).add(start, 7, Unit.working_day)

    assert (guess.at.date(), guess.provisional) == (dt.date(2026, 10, 7), True)
    assert (final.at.date(), final.provisional) == (dt.date(2026, 10, 13), False)
    # The year between is loaded too, else it would pass for covered without its holidays.
    assert not work_calendar(session).is_working(dt.date(2025, 10, 1))


def test_an_earlier_year_is_added_without_a_hole(session: Session) -> None:
    seed_official(session, years=[2026])
    calendar = seed_official(session, years=[2024])
    assert calendar.coverage_from == dt.date(2024, 1, 1)
    assert calendar.coverage_until == dt.date(2026, 12, 31)
    assert not work_calendar(session).is_working(dt.date(2025, 10, 1))


def test_a_day_set_by_hand_outlives_loading_the_year_again(
    session: Session, calendar: Calendar
) -> None:
    golden = dt.date(2026, 10, 6)
    set_day(session, calendar, golden, kind=DayKind.work, note="值班", actor="care", now=NOW)
    version = calendar.version
    seed_official(session)
    assert work_calendar(session).is_working(golden)
    assert calendar.version == version


def test_a_day_the_plan_no_longer_has_becomes_ordinary(
    session: Session, calendar: Calendar
) -> None:
    stray = dt.date(2026, 3, 4)
    session.add(
        CalendarDay(
            calendar_id=calendar.id,
            on=stray,
            kind=DayKind.holiday,
            note="",
            source="chinesecalendar 1",
        )
    )
    row = day_row(session, dt.date(2026, 10, 1))
    assert row is not None
    row.kind = DayKind.work
    session.flush()
    seed_official(session)
    assert day_row(session, stray) is None
    assert work_calendar(session).is_working(stray)
    assert not work_calendar(session).is_working(dt.date(2026, 10, 1))


# ---------------------------------------------------------------- company days


def test_a_company_day_moves_due_times_and_says_who_set_it(
    session: Session, calendar: Calendar
) -> None:
    version = calendar.version
    rest(session, calendar, SPORTS_DAY, "  公司运动会 ")
    due = work_calendar(session).add(dt.datetime(2026, 6, 2, 2, tzinfo=dt.UTC), 1, Unit.working_day)
    assert due.at == dt.datetime(2026, 6, 4, 2, tzinfo=dt.UTC)
    assert due.skipped == ((SPORTS_DAY, "rest"),)
    assert calendar.version == version + 1
    row = day_row(session, SPORTS_DAY)
    assert row is not None
    assert (row.note, row.source) == ("公司运动会", "2026-11-21 care")


def test_setting_a_day_twice_keeps_one_row(session: Session, calendar: Calendar) -> None:
    rest(session, calendar, SPORTS_DAY)
    set_day(session, calendar, SPORTS_DAY, kind=DayKind.half, note="半天", actor="care", now=NOW)
    assert work_calendar(session).office_hours(SPORTS_DAY) == ((dt.time(8, 30), dt.time(12)),)
    assert session.scalars(
        sa.select(CalendarDay.kind).where(CalendarDay.on == SPORTS_DAY)
    ).all() == [DayKind.half]


def test_a_day_without_a_reason_is_refused(session: Session, calendar: Calendar) -> None:
    with pytest.raises(FieldMissing):
        rest(session, calendar, SPORTS_DAY, "  ")
    with pytest.raises(FieldTooLong):
        rest(session, calendar, SPORTS_DAY, "长" * 201)


def test_a_day_that_would_break_the_calendar_is_refused_before_it_is_written(
    session: Session, calendar: Calendar
) -> None:
    with pytest.raises(CalendarRefused, match="day_out_of_reach"):
        rest(session, calendar, dt.date(2062, 6, 3))
    calendar.half_slots = []
    session.flush()
    with pytest.raises(CalendarRefused, match="half_slots_missing"):
        set_day(session, calendar, SPORTS_DAY, kind=DayKind.half, note="半", actor="care", now=NOW)
    assert day_row(session, SPORTS_DAY) is None


def test_hours_that_are_no_hours_are_refused(session: Session, calendar: Calendar) -> None:
    for slots in (["08:30"], [["half past eight", "12:00"]], [[8, 12]], [["08:30", "12:00", ""]]):
        calendar.slots = slots
        session.flush()
        with pytest.raises(CalendarRefused, match="slot_not_in_minutes"):
            work_calendar(session)


def test_a_stale_calendar_is_not_written_over(engine: Engine) -> None:
    with writing(engine) as session:
        seed_official(session, years=[2026])
    with Session(engine, expire_on_commit=False) as session:
        calendar = session.scalars(sa.select(Calendar)).one()
        session.commit()
        with writing(engine) as other:
            rest(other, other.scalars(sa.select(Calendar)).one(), SPORTS_DAY)
        with pytest.raises(ChangedMeanwhile):
            rest(session, calendar, dt.date(2026, 6, 4))


# ---------------------------------------------------------------- the value


def test_an_unknown_calendar_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        work_calendar(session, "warehouse")


def test_the_value_is_kept_while_the_version_stands_still(
    engine: Engine, calendar: Calendar
) -> None:
    statements: list[str] = []
    with reading(engine) as session:
        kept = work_calendar(session)
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with reading(engine) as session:
        assert work_calendar(session) is kept
    assert len([one for one in statements if one.startswith("SELECT")]) == 1


def test_a_change_is_seen_by_its_author_at_once_and_by_others_after_the_commit(
    engine: Engine, calendar: Calendar
) -> None:
    def sports_day_works() -> bool:
        with reading(engine) as reader:
            return work_calendar(reader).is_working(SPORTS_DAY)

    with Session(engine) as session:
        rest(session, session.scalars(sa.select(Calendar)).one(), SPORTS_DAY)
        assert not work_calendar(session).is_working(SPORTS_DAY)
        assert sports_day_works()
        session.commit()
        assert not work_calendar(session).is_working(SPORTS_DAY)
    assert not sports_day_works()


def test_a_change_rolled_back_leaves_nothing_in_the_kept_value(
    engine: Engine, calendar: Calendar
) -> None:
    with Session(engine) as session:
        rest(session, session.scalars(sa.select(Calendar)).one(), SPORTS_DAY)
        work_calendar(session)
        session.rollback()
        # This change gets the version number the first one would have had.
        other_day = dt.date(2026, 6, 4)
        rest(session, session.scalars(sa.select(Calendar)).one(), other_day)
        session.commit()
        assert work_calendar(session).is_working(SPORTS_DAY)
        assert not work_calendar(session).is_working(other_day)


def test_two_databases_do_not_share_a_value(
    engine: Engine, calendar: Calendar, tmp_path: Path
) -> None:
    other = make_engine(Settings(home=tmp_path / "other", demo=False))
    Base.metadata.create_all(other)
    with writing(other) as session:
        seed_official(session, years=[2026])

    def value(of: Engine) -> WorkCalendar:
        with reading(of) as session:
            return work_calendar(session)

    assert value(engine).coverage_from == dt.date(2004, 1, 1)
    assert value(other).coverage_from == dt.date(2026, 1, 1)
    other.dispose()


# ---------------------------------------------------------------- pages


def test_a_year_is_twelve_months_of_days(session: Session, calendar: Calendar) -> None:
    months = year_view(session, calendar, 2026)
    assert [month.first_on.month for month in months] == list(range(1, 13))
    assert sum(len(month.days) for month in months) == 365
    # 365 days, 104 of them weekend days; 19 holidays fall on weekdays, 6 weekends are worked.
    assert sum(month.working_days for month in months) == 365 - 104 - 19 + 6


def test_a_month_shows_each_day_as_the_company_has_it(session: Session, calendar: Calendar) -> None:
    rest(session, calendar, SPORTS_DAY)
    october = month_view(session, calendar, year=2026, month=10)
    assert (october.first_on, october.leading) == (dt.date(2026, 10, 1), 3)
    assert [day.kind.name for day in october.days[6:11]] == [
        "holiday", "work", "work", "makeup", "rest",
    ]  # fmt: skip
    assert october.days[9].note == "国庆节"
    june = month_view(session, calendar, year=2026, month=6)
    assert (june.days[2].note, june.days[2].source) == ("公司运动会", "2026-11-21 care")


def test_days_the_plan_does_not_reach_say_so(session: Session, calendar: Calendar) -> None:
    assert not year_view(session, calendar, 2026)[11].days[30].provisional
    assert year_view(session, calendar, 2027)[0].days[0].provisional


@pytest.mark.parametrize(("year", "month"), [(9999, 1), (0, 1), (2026, 0), (2026, 13), (-5, 2)])
def test_a_month_that_cannot_be_shown_is_refused(
    session: Session, calendar: Calendar, year: int, month: int
) -> None:
    with pytest.raises(CalendarRefused, match="day_out_of_reach"):
        month_view(session, calendar, year=year, month=month)
