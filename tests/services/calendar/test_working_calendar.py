"""Calendars in the record: official years, company days, the value kept by version, the pages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import holidays
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from config import Settings
from database import alembic_config, make_engine, reading, upgrade, writing
from models import Base, Calendar, CalendarDay, CalendarVersion
from policy.vocabulary.errors import (
    CalendarRefused,
    ChangedMeanwhile,
    FieldMissing,
    FieldTooLong,
    HoursRefused,
    NotFound,
)
from policy.vocabulary.worktime import DayKind, DayLayer, Slot, Unit, WorkCalendar
from services.calendar import changes, working_calendar
from services.calendar.changes import (
    CalendarChange,
    apply_change,
    calendar_after,
    changed_days,
    company_day,
    office_hours,
    official_year,
)
from services.calendar.working_calendar import (
    OFFICIAL_YEARS,
    current_version,
    history,
    month_view,
    official_calendar,
    official_days,
    seed_official,
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


def do(
    session: Session, calendar: Calendar, change: CalendarChange, now: dt.datetime = NOW
) -> CalendarVersion:
    return apply_change(session, calendar, change, reason="公告", actor="care", now=now)


def rest(session: Session, calendar: Calendar, on: dt.date, note: str = "公司运动会") -> None:
    do(session, calendar, company_day(on, DayKind.rest, note))


def load(session: Session, calendar: Calendar, year: int) -> CalendarVersion:
    days = official_days(year)
    return do(
        session, calendar, official_year(year, days, source=working_calendar.official_source())
    )


def day_rows(session: Session, on: dt.date) -> list[CalendarDay]:
    """Every row about a day, the ended ones included, in the order they were made."""
    rows = sa.select(CalendarDay).where(CalendarDay.on == on).order_by(CalendarDay.id)
    return list(session.scalars(rows))


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
    now = current_version(session, calendar)
    assert now.coverage_from == dt.date(OFFICIAL_YEARS[0], 1, 1)
    assert now.coverage_until == dt.date(OFFICIAL_YEARS[-1], 12, 31)
    stored = work_calendar(session)
    assert stored == official_calendar()
    assert not stored.is_working(dt.date(2026, 10, 1))
    assert stored.is_working(dt.date(2026, 10, 10))
    (row,) = day_rows(session, dt.date(2026, 10, 10))
    assert row.source.startswith("chinesecalendar ")


def test_seeding_twice_changes_nothing(session: Session, calendar: Calendar) -> None:
    before = calendar.version, session.scalar(sa.select(sa.func.count(CalendarDay.id)))
    seed_official(session)
    session.commit()
    assert (calendar.version, session.scalar(sa.select(sa.func.count(CalendarDay.id)))) == before


def test_a_later_year_is_added_and_makes_its_terms_final(session: Session) -> None:
    calendar = seed_official(session, years=[2025])
    start = dt.datetime(2026, 9, 28, 8, 20, tzinfo=dt.UTC)
    guess = work_calendar(session).add(start, 7, Unit.working_day)
    load(session, calendar, 2026)
    final = work_calendar(session).add(start, 7, Unit.working_day)

    assert (guess.at.date(), guess.provisional) == (dt.date(2026, 10, 7), True)
    assert (final.at.date(), final.provisional) == (dt.date(2026, 10, 13), False)
    assert current_version(session, calendar).coverage_until == dt.date(2026, 12, 31)


def test_an_earlier_year_is_added_as_well(session: Session) -> None:
    calendar = seed_official(session, years=[2026])
    load(session, calendar, 2025)
    now = current_version(session, calendar)
    assert (now.coverage_from.year, now.coverage_until.year) == (2025, 2026)
    assert not work_calendar(session).is_working(dt.date(2025, 10, 1))


def test_a_year_that_would_leave_one_out_is_refused(session: Session) -> None:
    calendar = seed_official(session, years=[2024])
    with pytest.raises(CalendarRefused, match="year_leaves_a_hole"):
        load(session, calendar, 2026)
    assert calendar.version == 1


def test_a_plan_without_a_day_off_or_with_days_of_another_year_is_refused() -> None:
    with pytest.raises(CalendarRefused, match="year_without_holiday"):
        official_year(2027, {dt.date(2027, 1, 2): (DayKind.makeup, "元旦")}, source="-")
    with pytest.raises(CalendarRefused, match="day_out_of_reach"):
        official_year(2027, official_days(2026), source="-")


def test_a_day_of_the_company_outlives_loading_the_year_again(
    session: Session, calendar: Calendar
) -> None:
    golden = dt.date(2026, 10, 6)
    do(session, calendar, company_day(golden, DayKind.work, "值班"))
    load(session, calendar, 2026)
    assert work_calendar(session).is_working(golden)


def test_loading_a_year_again_replaces_its_plan_as_a_whole(
    session: Session, calendar: Calendar
) -> None:
    stray, golden = dt.date(2026, 3, 4), dt.date(2026, 10, 1)
    days = dict(official_days(2026)) | {stray: (DayKind.holiday, "春游")}
    del days[golden]
    do(session, calendar, official_year(2026, days, source="公文"))
    assert not work_calendar(session).is_working(stray)
    assert work_calendar(session).is_working(golden)
    load(session, calendar, 2026)
    assert work_calendar(session).is_working(stray)
    assert not work_calendar(session).is_working(golden)


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
    (row,) = day_rows(session, SPORTS_DAY)
    assert (row.note, row.source) == ("公司运动会", "2026-11-21 care")


def test_a_day_set_again_ends_what_was_said_before_and_keeps_it(
    session: Session, calendar: Calendar
) -> None:
    rest(session, calendar, SPORTS_DAY)
    do(session, calendar, company_day(SPORTS_DAY, DayKind.half, "半天"))
    assert work_calendar(session).office_hours(SPORTS_DAY) == ((dt.time(8, 30), dt.time(12)),)
    rows = [(row.kind, row.until_version) for row in day_rows(session, SPORTS_DAY)]
    assert rows == [(DayKind.rest, calendar.version), (DayKind.half, None)]


def test_the_usual_comes_back_when_the_company_says_nothing_any_more(
    session: Session, calendar: Calendar
) -> None:
    golden = dt.date(2026, 10, 1)
    for day, kind in ((SPORTS_DAY, DayKind.rest), (golden, DayKind.work)):
        do(session, calendar, company_day(day, kind, "公告"))
    for day in (SPORTS_DAY, golden):
        do(session, calendar, company_day(day, None, ""))
    stored = work_calendar(session)
    assert (stored.is_working(SPORTS_DAY), stored.is_working(golden)) == (True, False)
    assert stored == official_calendar()


def test_a_day_without_a_note_and_a_change_without_a_reason_are_refused(
    session: Session, calendar: Calendar
) -> None:
    with pytest.raises(FieldMissing):
        company_day(SPORTS_DAY, DayKind.rest, "  ")
    with pytest.raises(FieldTooLong):
        company_day(SPORTS_DAY, DayKind.rest, "长" * 201)
    for reason, refusal in ((" ", FieldMissing), ("长" * 2001, FieldTooLong)):
        with pytest.raises(refusal):
            apply_change(
                session,
                calendar,
                company_day(SPORTS_DAY, DayKind.rest, "公告"),
                reason=reason,
                actor="care",
                now=NOW,
            )
    assert calendar.version == 1


def test_a_day_that_would_break_the_calendar_is_refused_before_it_is_written(
    session: Session, calendar: Calendar
) -> None:
    with pytest.raises(CalendarRefused, match="day_out_of_reach"):
        rest(session, calendar, dt.date(2062, 6, 3))
    do(session, calendar, office_hours(FULL, []))
    with pytest.raises(CalendarRefused, match="half_slots_missing"):
        do(session, calendar, company_day(SPORTS_DAY, DayKind.half, "半"))
    assert day_rows(session, SPORTS_DAY) == []


FULL: list[Slot] = [(dt.time(9), dt.time(12)), (dt.time(13), dt.time(18))]


@pytest.mark.parametrize(
    ("slots", "half", "facts"),
    [
        ([], [], ("slots", "", "slots_missing")),
        ([(dt.time(9), dt.time(9))], [], ("slots", "09:00-09:00", "slot_empty")),
        (FULL, [(dt.time(12), dt.time(8))], ("half_slots", "12:00-08:00", "slot_empty")),
        (
            [(dt.time(9), dt.time(13)), (dt.time(12), dt.time(18))],
            [],
            ("slots", "09:00-13:00, 12:00-18:00", "slots_out_of_order"),
        ),
    ],
)
def test_hours_that_are_no_hours_are_refused_by_name(
    slots: list[Slot], half: list[Slot], facts: tuple[str, str, str]
) -> None:
    with pytest.raises(HoursRefused) as refused:
        office_hours(slots, half)
    assert tuple(refused.value.facts[name] for name in ("field", "slot", "why")) == facts


def test_other_hours_are_a_version_and_the_old_ones_stay_known(
    session: Session, calendar: Calendar
) -> None:
    do(session, calendar, office_hours(FULL, FULL[:1]))
    day = dt.date(2026, 6, 3)
    assert work_calendar(session).office_hours(day) == tuple(FULL)
    before = work_calendar(session, as_of=NOW - dt.timedelta(seconds=1))
    assert before.office_hours(day)[0] == (dt.time(8, 30), dt.time(12))


def test_hours_stored_as_nonsense_are_refused(session: Session, calendar: Calendar) -> None:
    for slots in (["08:30"], [["half past eight", "12:00"]], [[8, 12]], [["08:30", "12:00", ""]]):
        current_version(session, calendar).slots = slots
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


def test_a_form_made_from_an_older_calendar_is_refused(
    session: Session, calendar: Calendar
) -> None:
    assert changes.lock_calendar(session, seen=1) is calendar
    rest(session, calendar, SPORTS_DAY)
    with pytest.raises(ChangedMeanwhile):
        changes.lock_calendar(session, seen=1)
    with pytest.raises(NotFound):
        changes.lock_calendar(session, "warehouse")


# ---------------------------------------------------------------- before it is decided


def test_what_a_change_would_do_is_known_before_it_is_done(
    session: Session, calendar: Calendar
) -> None:
    golden = dt.date(2026, 10, 1)
    change = CalendarChange(
        company={SPORTS_DAY: (DayKind.rest, "运动会"), golden: (DayKind.work, "值班")}
    )
    assert not calendar_after(session, calendar, change).is_working(SPORTS_DAY)
    assert [
        (one.on, one.before, one.after, one.note) for one in changed_days(session, calendar, change)
    ] == [
        (SPORTS_DAY, DayKind.work, DayKind.rest, "运动会"),
        (golden, DayKind.holiday, DayKind.work, "值班"),
    ]
    assert work_calendar(session).is_working(SPORTS_DAY)
    do(session, calendar, change)
    back = changed_days(session, calendar, company_day(golden, None, ""))
    assert [(one.on, one.after, one.note) for one in back] == [(golden, DayKind.holiday, "值班")]


# ---------------------------------------------------------------- as it stood


def test_the_calendar_is_known_as_it_stood_at_any_instant(
    session: Session, calendar: Calendar
) -> None:
    hour = dt.timedelta(hours=1)
    rest(session, calendar, SPORTS_DAY)
    do(session, calendar, company_day(SPORTS_DAY, None, ""), NOW + hour)
    past = history(session)
    instants = [NOW - 1000 * hour, NOW - hour, NOW, NOW + hour / 2, NOW + hour, NOW + 9 * hour]
    expected = [True, True, False, False, True, True]
    assert [past(at).is_working(SPORTS_DAY) for at in instants] == expected
    as_of = [work_calendar(session, as_of=at).is_working(SPORTS_DAY) for at in instants]
    assert as_of == expected


def test_versions_follow_each_other_even_where_a_clock_was_put_back(
    session: Session, calendar: Calendar
) -> None:
    rest(session, calendar, SPORTS_DAY)
    earlier = do(session, calendar, company_day(SPORTS_DAY, None, ""), NOW - dt.timedelta(hours=1))
    assert earlier.made_at == NOW
    assert work_calendar(session, as_of=NOW).is_working(SPORTS_DAY)


def test_every_version_says_why_and_by_whom(session: Session, calendar: Calendar) -> None:
    version = do(session, calendar, company_day(SPORTS_DAY, DayKind.rest, "运动会"))
    assert (version.number, version.made_at, version.made_by) == (2, NOW, "care")
    assert version.reason == "公告"


def test_of_old_versions_only_some_are_kept_in_memory(engine: Engine, session: Session) -> None:
    calendar = seed_official(session, years=[2026])
    for number in range(working_calendar.VALUES_KEPT + 4):
        now = NOW + dt.timedelta(hours=number)
        kind = DayKind.rest if number % 2 else DayKind.half
        do(session, calendar, company_day(SPORTS_DAY, kind, f"{number}"), now)
    session.commit()
    with reading(engine) as reader:
        past = history(reader)
        for number in range(working_calendar.VALUES_KEPT + 4):
            stood = past(NOW + dt.timedelta(hours=number))
            assert stood.kind(SPORTS_DAY) is (DayKind.rest if number % 2 else DayKind.half)
        assert len(working_calendar._cache[engine.pool]) == working_calendar.VALUES_KEPT


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
    assert day_rows(session, SPORTS_DAY)[0].layer is DayLayer.company
    october = month_view(session, calendar, year=2026, month=10)
    assert (october.first_on, october.leading) == (dt.date(2026, 10, 1), 3)
    assert [day.kind.name for day in october.days[6:11]] == [
        "holiday", "work", "work", "makeup", "rest",
    ]  # fmt: skip
    assert october.days[9].note == "国庆节"
    june = month_view(session, calendar, year=2026, month=6)
    assert (june.days[2].note, june.days[2].source) == ("公司运动会", "2026-11-21 care")
    assert (june.days[2].company, june.days[2].usual) == (True, DayKind.work)
    assert (october.days[9].company, october.days[9].usual) == (False, DayKind.makeup)


def test_days_the_plan_does_not_reach_say_so(session: Session, calendar: Calendar) -> None:
    assert not year_view(session, calendar, 2026)[11].days[30].provisional
    assert year_view(session, calendar, 2027)[0].days[0].provisional


@pytest.mark.parametrize(("year", "month"), [(9999, 1), (0, 1), (2026, 0), (2026, 13), (-5, 2)])
def test_a_month_that_cannot_be_shown_is_refused(
    session: Session, calendar: Calendar, year: int, month: int
) -> None:
    with pytest.raises(CalendarRefused, match="day_out_of_reach"):
        month_view(session, calendar, year=year, month=month)


# ---------------------------------------------------------------- where a calendar stands already


def test_a_calendar_from_before_versions_goes_on_as_its_first(settings: Settings) -> None:
    upgrade(settings, "sheets_and_notices")
    engine = make_engine(settings)
    with writing(engine) as session:
        session.execute(
            sa.text(
                "INSERT INTO calendar (id, key, name, zone, slots, half_slots, coverage_from,"
                " coverage_until, version) VALUES (1, 'company', '-', 'Asia/Shanghai',"
                """ '[["09:00", "17:00"]]', '[]', '2026-01-01', '2026-12-31', 7)"""
            )
        )
        for day, source in (("2026-06-03", "2026-05-01 care"), ("2026-10-01", "chinesecalendar 1")):
            session.execute(
                sa.text(
                    'INSERT INTO calendar_day (calendar_id, "on", kind, source)'
                    " VALUES (1, :day, 'rest', :source)"
                ),
                {"day": day, "source": source},
            )
    upgrade(settings)
    with reading(engine) as session:
        stored = work_calendar(session, as_of=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        assert stored == work_calendar(session)
        assert [stored.is_working(day) for day in (SPORTS_DAY, dt.date(2026, 10, 1))] == [False] * 2
        assert stored.office_hours(dt.date(2026, 6, 4)) == ((dt.time(9), dt.time(17)),)
        layers = sa.select(CalendarDay.layer).order_by(CalendarDay.on)
        assert list(session.scalars(layers)) == [DayLayer.company, DayLayer.official]
    with writing(engine) as session:
        calendar = changes.lock_calendar(session, seen=7)
        do(session, calendar, company_day(dt.date(2026, 10, 1), DayKind.work, "值班"))
    command.downgrade(alembic_config(settings), "sheets_and_notices")
    with reading(engine) as session:
        days = session.execute(sa.text('SELECT "on", kind FROM calendar_day ORDER BY "on"')).all()
        assert [tuple(row) for row in days] == [("2026-06-03", "rest"), ("2026-10-01", "work")]
        assert session.scalar(sa.text("SELECT slots FROM calendar")) == '[["09:00", "17:00"]]'
    engine.dispose()
