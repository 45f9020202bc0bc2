"""What a case is judged by: the regulation, the working days, and what time it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from policy.pack.schema import Pack
from policy.vocabulary.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class Rules:
    """What a handler needs besides case and event. `now` is when the event is recorded, UTC."""

    pack: Pack
    calendar: WorkCalendar
    now: dt.datetime
