"""The rules a case is judged by: the pack, the calendar, and the time of recording."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class Rules:
    """Arguments of a handler beside case and event. `now` is when the event is recorded, UTC."""

    pack: Pack
    calendar: WorkCalendar
    now: dt.datetime


def rules_of(pack: Pack, calendar: WorkCalendar, *, now: dt.datetime) -> Rules:
    """Return the rules of a pack with the calendar as its edition counts terms."""
    return Rules(pack, calendar_judged(pack, calendar), now)


def calendar_judged(pack: Pack, calendar: WorkCalendar) -> WorkCalendar:
    """Return a calendar as the edition of a pack counts terms by it."""
    judges = pack.policy.judges
    return calendar.judged(
        whole_days=judges(Judging.whole_days), fixed_holidays=judges(Judging.fixed_holidays)
    )
