"""The forms by which the calendar is changed; each says the change that was typed into it."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from flask import request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import FileField, HiddenField, SelectField, StringField, TextAreaField

import wording
from admin.calendar.preview import CalendarPreview
from files.tables_in import TableRefused, read_table
from models import Calendar, CalendarVersion
from policy.vocabulary.errors import HoursRefused, LinesRefused
from policy.vocabulary.worktime import DayKind, Slot
from services.calendar import changes, official_years, working_calendar
from services.calendar.changes import CalendarChange, KindAndNote
from services.calendar.working_calendar import DayRow
from wording.import_reasons import table_reason

USUAL = "usual"
LONGEST_PLAN = 60_000
MOST_LINES = 800

_CLOCK = "(\\d{1,2})[:\uff1a.](\\d{2})"
_SLOT = re.compile(rf"{_CLOCK}\s*(?:-|\u2013|\u2014|~|\uff5e|至|到)\s*{_CLOCK}")


class _ChangeForm(FlaskForm):
    """What every change asks: a reason, and two marks of what its sender saw.

    Each form has `change()`, the change that was typed; it raises a DomainError that names its
    field.
    """

    class Meta:
        csrf = False  # the page carries the token

    seen = HiddenField()
    shown = HiddenField()

    def seen_version(self) -> int:
        """The version of the calendar the form was made from."""
        text = str(self.seen.data or "")
        return int(text) if text.isdecimal() and len(text) < 10 else -1

    def was_seen(self, preview: CalendarPreview) -> bool:
        """Whether exactly this preview was looked at before."""
        return bool(preview.mark == self.shown.data)

    def seen_now(self, preview: CalendarPreview) -> None:
        """Remember what is being looked at."""
        self.shown.data = preview.mark
        self.shown.raw_data = None


def _reason() -> TextAreaField:
    return TextAreaField(
        lazy_gettext("Reason"),
        description=lazy_gettext("Asked for when the change is carried out; it stays on record."),
        render_kw={"rows": 2},
    )


class DayForm(_ChangeForm):
    """What the company says about a day."""

    kind = SelectField(lazy_gettext("This day is"))
    note = StringField(
        lazy_gettext("Note"),
        description=lazy_gettext("Shown on the calendar, such as: stocktaking."),
    )
    reason = _reason()
    on: dt.date

    @classmethod
    def of(cls, row: DayRow, calendar: Calendar) -> DayForm:
        """The form about a day as it stands."""
        standing = row.kind.value if row.company else USUAL
        note = row.note if row.company else ""
        form = cls(data={"kind": standing, "note": note, "seen": str(calendar.version)})
        usual = wording.label(row.usual)
        form.kind.choices = [
            (DayKind.rest.value, gettext("Company holiday")),
            (DayKind.half.value, wording.label(DayKind.half)),
            (DayKind.work.value, wording.label(DayKind.work)),
            (USUAL, gettext("The usual again: %(kind)s", kind=usual)),
        ]
        form.on = row.on
        return form

    def change(self) -> CalendarChange:
        kind = None if self.kind.data == USUAL else DayKind(self.kind.data)
        return changes.company_day(self.on, kind, self.note.data or "")


class HoursForm(_ChangeForm):
    """The office hours of full and of half days."""

    slots = StringField(
        lazy_gettext("Office hours of a full day"),
        description=lazy_gettext("Like 08:30-12:00, 13:30-17:30"),
    )
    half_slots = StringField(
        lazy_gettext("Office hours of a half day"),
        description=lazy_gettext("Empty where there are no half days."),
    )
    reason = _reason()

    @classmethod
    def of(cls, stands: CalendarVersion, calendar: Calendar) -> HoursForm:
        """The form with the hours as they stand."""
        spelled = {
            name: changes.slots_text(working_calendar.slots_of(getattr(stands, name)))
            for name in ("slots", "half_slots")
        }
        return cls(data={**spelled, "seen": str(calendar.version)})

    def change(self) -> CalendarChange:
        full = _slots(self.slots.data or "", "slots")
        half = _slots(self.half_slots.data or "", "half_slots")
        return changes.office_hours(full, half)


def _slots(text: str, field: str) -> list[Slot]:
    """Office hours as they were typed. Raises HoursRefused with what cannot be read."""
    parts = [part.strip() for part in re.split(r"[,，;；、\n]+", text)]
    return [_slot(part, field) for part in parts if part]


def _slot(part: str, field: str) -> Slot:
    match = _SLOT.fullmatch(part)
    try:
        begin_h, begin_min, end_h, end_min = (
            [int(one) for one in match.groups()] if match else [24, 0, 24, 0]
        )
        return dt.time(begin_h, begin_min), dt.time(end_h, end_min)
    except ValueError:
        raise HoursRefused(field=field, slot=part, why="not_hours") from None


class YearForm(_ChangeForm):
    """The official plan of a year: from what is installed, from a file, or typed."""

    file = FileField(
        lazy_gettext("A table of the year"),
        description=lazy_gettext(
            "CSV or XLSX with the columns date, kind and note. It replaces the lines below."
        ),
        render_kw={"accept": ".csv,.xlsx,.xls,.ods"},
    )
    lines = TextAreaField(
        lazy_gettext("Days off and make-up days"),
        description=lazy_gettext("One day a line: 2027-01-01, holiday, name of the festival"),
        render_kw={"rows": 14, "spellcheck": "false"},
    )
    source = HiddenField()
    reason = _reason()
    year: int
    title: str
    lead: str

    @classmethod
    def of(cls, year: int, calendar: Calendar, stands: Mapping[dt.date, KindAndNote]) -> YearForm:
        """The form of a year with its plan: the installed one, else what `stands` already."""
        plan = official_years.installed_plan(year)
        lines = official_years.plan_as_lines(plan or stands)
        form = cls(data={"lines": lines, "seen": str(calendar.version), "source": ""})
        form.year = year
        form.title = gettext("Official plan of %(year)s", year=year)
        if plan:
            form.lead = gettext("The installed plan knows this year; its days stand below.")
        else:
            form.lead = gettext(
                "The installed plan does not know this year yet. Load a table, or type the days "
                "as they were announced."
            )
        return form

    def took_file(self) -> bool:
        """Put the lines of a file that was chosen into the form; False where it is no table."""
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            return True
        name = Path(upload.filename).name
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"plan{Path(name).suffix}"
                upload.save(path)
                table = read_table(path, max_rows=MOST_LINES)
                text = official_years.table_as_lines(
                    table.header, (row.cells for row in table.rows)
                )
        except TableRefused as refused:
            refused.facts["file"] = name
            self.file.errors = [table_reason(refused)]
            return False
        except LinesRefused as refused:
            self.file.errors = [wording.error(refused)]
            return False
        self.lines.data, self.lines.raw_data = text, None
        self.source.data, self.source.raw_data = name, None
        return True

    def change(self) -> CalendarChange:
        text = (self.lines.data or "")[:LONGEST_PLAN]
        days = official_years.parse_lines(text, year=self.year)
        known = days == official_years.installed_plan(self.year)
        source = (
            working_calendar.official_source() if known else (self.source.data or gettext("typed"))
        )
        return changes.official_year(self.year, days, source=source)
