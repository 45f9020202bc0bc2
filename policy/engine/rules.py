"""The rules a case is judged by: the pack, the calendar, and the time of recording."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from policy.pack.schema import Pack
from policy.vocabulary.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class Rules:
    """Arguments of a handler beside case and event. `now` is when the event is recorded, UTC."""

    pack: Pack
    calendar: WorkCalendar
    now: dt.datetime
