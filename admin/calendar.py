"""The working calendar of a year, to read: what each day is and how far the plan reaches."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from babel.dates import get_day_names, get_month_names
from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import get_locale, lazy_gettext

import wording
from admin.base import RedressPage
from models import Calendar
from policy.errors import CalendarRefused
from policy.worktime import DayKind
from services import calendars
from services.calendars import DayRow, MonthRow


class CalendarPage(RedressPage):
    """Twelve months, coloured by what a day is."""

    group, icon = "rules", "calendar"

    @expose("/")
    def index(self) -> Any:
        today = dt.datetime.now(wording.zone()).date()
        year = request.args.get("year", today.year, type=int)
        calendar = self._calendar()
        if calendar is None:
            return self.render("admin/calendar.html", calendar=None, year=year)
        try:
            months = calendars.year_view(self.records, calendar, year)
        except CalendarRefused as refusal:
            if year == today.year:
                raise
            flash(wording.error(refusal), "error")
            return redirect(self.get_url(".index"))
        return self.render(
            "admin/calendar.html",
            calendar=calendar,
            stands=calendars.standing(self.records, calendar),
            months=months,
            year=year,
            today=today,
            kinds=list(DayKind),
            weekday_names=_weekday_names(),
            month_name=_month_name,
            weeks=_weeks,
            special=[d for m in months for d in m.days if d.note],
            provisional=any(d.provisional for m in months for d in m.days),
        )

    def _calendar(self) -> Calendar | None:
        statement = sa.select(Calendar).where(Calendar.key == calendars.COMPANY)
        return self.records.scalar(statement)


def _weekday_names() -> list[str]:
    names = get_day_names("abbreviated", locale=get_locale())
    return [names[number].removeprefix("周") for number in range(7)]


def _month_name(first_on: dt.date) -> str:
    return str(get_month_names("wide", "stand-alone", locale=get_locale())[first_on.month])


def _weeks(month: MonthRow) -> list[list[DayRow | None]]:
    """The days of a month in rows of seven, Monday first, with None where no day is."""
    cells: list[DayRow | None] = [None] * month.leading + list(month.days)
    cells += [None] * (-len(cells) % 7)
    return [cells[begin : begin + 7] for begin in range(0, len(cells), 7)]


def views(db: Any) -> list[RedressPage]:
    """The calendar."""
    return [CalendarPage(db, name=lazy_gettext("Calendar"), endpoint="calendar")]
