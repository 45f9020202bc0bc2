"""What a change of the calendar would move, in words, before anybody decides."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from flask import Response
from flask_babel import gettext
from sqlalchemy.orm import Session

import wording
from admin.kit import tables
from models import Calendar
from policy.vocabulary.facts import DeadlineFacts
from policy.vocabulary.worktime import WorkCalendar
from services.calendar import changes
from services.calendar.changes import CalendarChange, ChangedDay, slots_text
from services.cases import desk, recounting
from services.cases.recounting import RecountedCase, Span
from wording import reasons

AT_ONCE = 100
"""How many cases are counted anew while somebody waits for the page."""

ROWS_SHOWN = 300
REASONS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class MovedDeadline:
    """A term that moves or becomes final: of which case, by which rule, from when to when, why."""

    number: str
    rule: str
    cite: str
    before: dt.datetime | None
    after: dt.datetime | None
    provisional: bool
    why: tuple[str, ...]

    @property
    def moves(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class CalendarPreview:
    """What a change does: the days it turns, and the terms of open cases."""

    change: CalendarChange
    days: tuple[str, ...]
    rows: tuple[MovedDeadline, ...]
    numbers: tuple[str, ...]
    mark: str

    @property
    def moved(self) -> int:
        """How many due times move."""
        return sum(row.moves for row in self.rows)


def looked_at(
    session: Session, calendar: Calendar, change: CalendarChange, *, now: dt.datetime
) -> CalendarPreview:
    """What a change of the calendar would do. Raises CalendarRefused; writes nothing."""
    value = changes.calendar_after(session, calendar, change)
    turned = changes.changed_days(session, calendar, change)
    moving = list(recounting.preview(session, value, now=now, span=_span(value, change, turned)))
    known = desk.employees_in(session, [effect for one in moving for effect in one.effects])
    rows = tuple(
        row for one in moving for row in _rows(one, value, change, turned=turned, people=known)
    )
    return CalendarPreview(
        change=change,
        days=tuple(_day_words(turned)),
        rows=rows,
        numbers=tuple(one.number for one in moving),
        mark=_mark(value, calendar, change, rows=rows),
    )


def _span(value: WorkCalendar, change: CalendarChange, turned: Sequence[ChangedDay]) -> Span | None:
    """Between which instants the calendar differs; None for hours, which are those of every day."""
    if change.slots is not None:
        return None
    days = [one.on for one in turned]
    if change.year is not None:
        days += [dt.date(change.year, 1, 1), dt.date(change.year, 12, 31)]
    if not days:
        days = list(change.company)
    return value.span(min(days), max(days))


def _mark(
    value: WorkCalendar,
    calendar: Calendar,
    change: CalendarChange,
    *,
    rows: Sequence[MovedDeadline],
) -> str:
    """What tells this preview from another; whoever carries it out must have seen it."""
    content = (calendar.version, value.version, change, [(r.number, r.rule, r.after) for r in rows])
    return hashlib.sha256(repr(content).encode()).hexdigest()[:24]


# ---------------------------------------------------------------- terms


def _rows(
    moving: RecountedCase,
    value: WorkCalendar,
    change: CalendarChange,
    *,
    turned: Sequence[ChangedDay],
    people: Mapping[str, Any],
) -> Iterator[MovedDeadline]:
    """The terms of a case that a change touches; what else follows stands with the first."""
    follows = [
        reasons.effect_text(effect, moving.pack, people)
        for effect in moving.effects
        if effect.kind.startswith(("charge", "breach"))
    ]
    before = {(deadline.key, deadline.round): deadline for deadline in moving.before.deadlines}
    for deadline in moving.after.deadlines:
        was = before.get((deadline.key, deadline.round))
        if was == deadline or not (deadline.running or (was and was.running)):
            continue
        why = (*_why(deadline, was, value, change=change, turned=turned), *follows)
        follows = []
        yield MovedDeadline(
            number=moving.number,
            rule=moving.pack.label("deadline", deadline.key),
            cite=str(deadline.because["clause"]),
            before=was.due_at if was else None,
            after=deadline.due_at,
            provisional=deadline.provisional,
            why=why,
        )


def _why(
    deadline: DeadlineFacts,
    was: DeadlineFacts | None,
    value: WorkCalendar,
    *,
    change: CalendarChange,
    turned: Sequence[ChangedDay],
) -> tuple[str, ...]:
    if deadline.because.get("passed") and (was is None or was.due_at == deadline.due_at):
        return (reasons.passed_text(deadline.because["passed"]),)
    said = []
    if change.slots is not None:
        said.append(gettext("Office hours: %(hours)s", hours=slots_text(change.slots)))
    said += _day_words([one for one in turned if _lies_within(one.on, deadline, was, value=value)])
    if was and was.provisional and not deadline.provisional:
        said.append(gettext("No longer provisional."))
    return tuple(said)


def _lies_within(
    on: dt.date, deadline: DeadlineFacts, was: DeadlineFacts | None, *, value: WorkCalendar
) -> bool:
    ends = [one.due_at for one in (deadline, was) if one and one.due_at]
    last = value.local(max(ends)).date() if ends else on
    return value.local(deadline.starts_at).date() <= on <= last


# ---------------------------------------------------------------- days


def _day_words(turned: Sequence[ChangedDay]) -> list[str]:
    """Days in a row that turn alike as one sentence: "01-01…01-03 Public holiday (元旦)"."""
    said = []
    for (kind, note), days in groupby(
        _in_runs(turned), key=lambda run: (run[0].after, run[0].note)
    ):
        for run in days:
            first, last = run[0].on, run[-1].on
            span = f"{first:%m-%d}" if first == last else f"{first:%m-%d}…{last:%m-%d}"
            named = f" ({note})" if note else ""
            becomes = gettext("Company holiday") if _given_off(run[0]) else wording.label(kind)
            said.append(f"{span} {wording.label(run[0].before)} → {becomes}{named}")
    if len(said) > REASONS_SHOWN:
        return [*said[:REASONS_SHOWN], "…"]
    return said


def _given_off(one: ChangedDay) -> bool:
    """Whether the company itself gives the day off."""
    return one.company and not one.after.counts


def _in_runs(turned: Sequence[ChangedDay]) -> list[list[ChangedDay]]:
    """Days that follow each other and turn alike, together."""
    if not turned:
        return []
    runs = [[turned[0]]]
    for one, other in pairwise(turned):
        alike = (one.before, one.after, one.note) == (other.before, other.after, other.note)
        if alike and other.on - one.on == dt.timedelta(days=1):
            runs[-1].append(other)
        else:
            runs.append([other])
    return runs


# ---------------------------------------------------------------- as a table


def sent(preview: CalendarPreview) -> Response:
    """Every term of a preview as a table to keep or to show around."""
    header = [
        gettext("Case"),
        gettext("Term"),
        gettext("Clause"),
        gettext("Due before"),
        gettext("Due then"),
        gettext("Provisional"),
        gettext("Why"),
    ]
    lines = ([*_line(row)] for row in preview.rows)
    return tables.send_csv("due-times", header, lines)


def _line(row: MovedDeadline) -> Iterator[Any]:
    yield from (row.number, row.rule, row.cite)
    yield from (wording.moment(at) if at else "" for at in (row.before, row.after))
    yield gettext("provisional") if row.provisional else ""
    yield "; ".join(row.why)
