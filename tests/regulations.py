"""What the tests of the regulations share: the folder of cases and the official calendar.

The calendar is made from `chinesecalendar` itself, so that nothing of the record is needed.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar

from policy.vocabulary.worktime import DayKind, WorkCalendar

CASES = Path(__file__).parent / "policy"
FIRST_ON = dt.date(2025, 1, 1)
LAST_ON = dt.date(2026, 12, 31)


def apart(data: dict[str, Any], letters: str) -> dict[str, Any]:
    """A regulation whose numbers begin with letters of their own, to stand beside another."""
    data["number"] = [one | {"template": letters + one["template"]} for one in data["number"]]
    return data


@cache
def official_calendar() -> WorkCalendar:
    """2025 and 2026 as the State Council has them; office hours 08:30–12:00 and 13:00–17:30."""
    days = [FIRST_ON + dt.timedelta(days=n) for n in range((LAST_ON - FIRST_ON).days + 1)]
    kinds = {day: DayKind.holiday for day in days if day in chinese_calendar.holidays}
    kinds |= {day: DayKind.makeup for day in days if day in chinese_calendar.workdays}
    return WorkCalendar(
        zone="Asia/Shanghai",
        slots=((dt.time(8, 30), dt.time(12)), (dt.time(13), dt.time(17, 30))),
        days=kinds,
        coverage_from=FIRST_ON,
        coverage_until=LAST_ON,
    )
