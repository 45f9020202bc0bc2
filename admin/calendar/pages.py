"""The working calendar: a year to read, and the changes an administrator makes to it.

Every change is asked for on a page that first shows which due times would move; only then it can
be carried out, with a reason.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from babel.dates import get_day_names, get_month_names
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import get_locale, gettext, lazy_gettext
from flask_login import current_user

import wording
from admin.calendar.forms import DayForm, HoursForm, YearForm
from admin.calendar.preview import AT_ONCE, CalendarPreview, looked_at, sent
from admin.kit.display import now, today
from admin.kit.page import RedressPage, tell
from models import Calendar
from policy.vocabulary.errors import CalendarRefused, ChangedMeanwhile, DomainError, LinesRefused
from policy.vocabulary.worktime import DayKind
from services.calendar import changes, working_calendar
from services.calendar.working_calendar import DayRow, MonthRow
from services.cases import recounting
from services.company.actors import of_user
from services.jobs import requests
from wording import mark

VERSIONS_SHOWN = 12

LOOKS: dict[str, tuple[str, str]] = {
    "work": ("", mark("Working day")),
    "rest": ("·", mark("Rest day")),
    "holiday": ("H", mark("Public holiday")),
    "makeup": ("M", mark("Make-up day")),
    "off": ("C", mark("Company holiday")),
    "on": ("W", mark("Worked by order of the company")),
    "half": ("½", mark("Half day")),
}
"""How a day looks: the sign beside its number, and what it is called."""
SIGNS = {"H": mark("sign H"), "M": mark("sign M"), "C": mark("sign C"), "W": mark("sign W")}


def look(day: DayRow) -> str:
    """Which of LOOKS a day has: what the company itself set looks different from the plan."""
    if day.kind is DayKind.half:
        return "half"
    if not day.company:
        return str(day.kind.value)
    return "on" if day.kind.counts else "off"


def sign(name: str) -> str:
    """The sign of a look, in the language of the page."""
    drawn = LOOKS[name][0]
    return gettext(SIGNS[drawn]) if drawn in SIGNS else drawn


class CalendarPage(RedressPage):
    """Twelve months, told apart by colour and sign; each change on a page of its own."""

    group, icon = "rules", "calendar"

    @expose("/")
    def index(self) -> Any:
        day = today()
        year = request.args.get("year", day.year, type=int)
        calendar = working_calendar.find_calendar(self.session)
        if calendar is None:
            return self.render("calendar/calendar.html", calendar=None, year=year)
        try:
            months = working_calendar.year_view(self.session, calendar, year)
        except CalendarRefused as refusal:
            if year == day.year:
                raise
            flash(wording.error(refusal), "error")
            return redirect(self.get_url(".index"))
        return self.render(
            "calendar/calendar.html",
            calendar=calendar,
            months=months,
            year=year,
            today=day,
            special=[d for m in months for d in m.days if d.note],
            provisional=any(d.provisional for m in months for d in m.days),
            **self._around(calendar),
        )

    def _around(self, calendar: Calendar) -> dict[str, Any]:
        """What stands beside the twelve months: hours, coverage, history, and words."""
        stands = working_calendar.current_version(self.session, calendar)
        return {
            "stands": stands,
            "next_year": stands.coverage_until.year + 1,
            "hours": changes.slots_text(working_calendar.slots_of(stands.slots)),
            "half_hours": changes.slots_text(working_calendar.slots_of(stands.half_slots)),
            "versions": working_calendar.versions(self.session, calendar, at_most=VERSIONS_SHOWN),
            "recounting": bool(requests.open_requests(self.session, kind=recounting.REQUEST)),
            "looks": {name: gettext(words) for name, (_sign, words) in LOOKS.items()},
            "look": look,
            "sign": sign,
            "weekday_names": _weekday_names(),
            "month_name": _month_name,
            "weeks": _weeks,
        }

    @expose("/begin", methods=("POST",))
    def begin(self) -> Any:
        """The first calendar of a company: every official year that is installed."""
        working_calendar.seed_official(self.session)
        self.session.commit()
        flash(gettext("The official years were loaded."), "success")
        return redirect(self.get_url(".index"))

    # ------------------------------------------------------------ changes

    @expose("/day/<day>", methods=("GET", "POST"))
    def day(self, day: str) -> Any:
        """What the company says about a day."""
        calendar = self._calendar()
        on = _day(day)
        try:
            month = working_calendar.month_view(
                self.session, calendar, year=on.year, month=on.month
            )
        except CalendarRefused:
            abort(404)
        row = month.days[on.day - 1]
        title = gettext("%(day)s, %(weekday)s", day=on, weekday=_weekday(on))
        lead = LOOKS[look(row)][1]
        return self._change(
            DayForm.of(row, calendar), calendar, title, lead=gettext(lead), year=on.year
        )

    @expose("/hours", methods=("GET", "POST"))
    def hours(self) -> Any:
        """The office hours of full and of half days."""
        calendar = self._calendar()
        form = HoursForm.of(working_calendar.current_version(self.session, calendar), calendar)
        lead = gettext("Working hours are counted within them; working days end within them.")
        return self._change(form, calendar, gettext("Office hours"), lead=lead, year=None)

    @expose("/year/<int:year>", methods=("GET", "POST"))
    def year(self, year: int) -> Any:
        """The official plan of a year."""
        calendar = self._calendar()
        stands = working_calendar.current_version(self.session, calendar)
        if not stands.coverage_from.year - 1 <= year <= stands.coverage_until.year + 1:
            abort(404)
        plan = changes.official_plan(self.session, calendar, year)
        form = YearForm.of(year, calendar, plan)
        if request.method == "POST" and not form.took_file():
            return self._shown(form, calendar, form.title, lead=form.lead, year=year, preview=None)
        return self._change(form, calendar, form.title, lead=form.lead, year=year)

    def _change(self, form: Any, calendar: Calendar, title: str, *, lead: str, year: Any) -> Any:
        """A page that shows what a change moves, and carries it out once that was seen."""
        preview = None
        if request.method == "POST" and form.validate():
            try:
                preview = looked_at(self.session, calendar, form.change(), now=now())
                wanted = request.form.get("do")
                if wanted == "download":
                    return sent(preview)
                if wanted == "carry_out" and form.was_seen(preview):
                    return self._carried_out(form, calendar, preview, year=year)
                form.seen_now(preview)
            except DomainError as refusal:
                self.session.rollback()
                tell(refusal, form)
                if isinstance(refusal, LinesRefused):
                    form.lines.errors = wording.faulty_lines(refusal.facts["lines"])
                if isinstance(refusal, ChangedMeanwhile):
                    form.seen.data = str(self._calendar().version)
        return self._shown(form, calendar, title, lead=lead, year=year, preview=preview)

    def _shown(
        self, form: Any, calendar: Calendar, title: str, *, lead: str, year: Any, preview: Any
    ) -> Any:
        back = url_for(".index", year=year) if year else url_for(".index")
        return self.render(
            "calendar/change.html",
            form=form,
            title=title,
            lead=lead,
            back=back,
            preview=preview,
        )

    def _carried_out(
        self, form: Any, calendar: Calendar, preview: CalendarPreview, *, year: Any
    ) -> Any:
        """Change the calendar, then count anew what moves: some at once, the rest by the worker.

        The request is committed with the change, so whatever happens afterwards is made up for.
        """
        user, at = current_user.user, now()
        held = changes.lock_calendar(self.session, seen=form.seen_version())
        changes.apply_change(
            self.session,
            held,
            preview.change,
            reason=form.reason.data or "",
            actor=user.display_name,
            now=at,
        )
        requests.request_work(
            self.session, kind=recounting.REQUEST, key=held.key, user_id=user.id, now=at
        )
        self.session.commit()
        recounting.recount_each(
            self.session,
            preview.numbers[:AT_ONCE],
            reason=form.reason.data or "",
            actor=of_user(current_user.user),
            now=now(),
        )
        self.session.commit()
        flash(gettext("The calendar was changed."), "success")
        if len(preview.numbers) > AT_ONCE:
            flash(gettext("The due times of the other cases follow within minutes."))
        return redirect(url_for(".index", year=year) if year else url_for(".index"))

    def _calendar(self) -> Calendar:
        found = working_calendar.find_calendar(self.session)
        if found is None:
            abort(404)
        return found


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        abort(404)


def _weekday_names() -> list[str]:
    names = get_day_names("abbreviated", locale=get_locale())
    return [names[number].removeprefix("周") for number in range(7)]


def _weekday(on: dt.date) -> str:
    return str(get_day_names("wide", locale=get_locale())[on.weekday()])


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
