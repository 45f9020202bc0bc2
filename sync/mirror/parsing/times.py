"""Days and times in cells, in the spellings people use.

Words such as 今天 and days without a year count from `now`: give the instant at which the workbook
was saved, and keep the result, because the same words mean another day tomorrow.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from policy.vocabulary.time_bounds import ANY_DAY
from sync.mirror.parsing.texts import (
    MIDNIGHT,
    NOT_DAYS,
    CellValue,
    Unreadable,
    as_shown,
    canonical,
    one_line,
    shortened,
    time_as_shown,
    to_the_second,
    value_of,
)
from sync.port import Read

# A day outside is a number or a slip that became a date.
YEARS = range(ANY_DAY.earliest.year, ANY_DAY.latest.year + 1)

AMBIGUOUS = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4}|[0-9]{2})(?![0-9])")
"""28/9/2026 or 26-9-28: which of the numbers is the day depends on who reads it."""
DAYS = tuple(
    re.compile(spelling.replace("END", "(?:[日号]|(?![0-9]))"))
    for spelling in (
        r"(?P<year>[0-9]{4}) ?[-/.年] ?(?P<month>[0-9]{1,2}) ?[-/.月] ?(?P<day>[0-9]{1,2})END",
        r"(?P<short_year>[0-9]{2})年 ?(?P<month>[0-9]{1,2})月 ?(?P<day>[0-9]{1,2})END",
        r"(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
        r"(?![0-9]{1,3}$|[0-9]{5}$|[0-9]{7})",
        r"(?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})(?![-/.0-9])[日号]?",
        r"(?P<month>[0-9]{1,2})月 ?(?P<day>[0-9]{1,2})END",
        r"(?P<day>[0-9]{1,2})[日号]",
        r"(?P<word>大前|前|昨|今|明|后|大后)[天日]",
    )
)
"""The spellings of a day, at the beginning of what was typed."""
SHIFTS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2, "大后": 3}

HALVES = {
    "凌晨": (0, 5),
    "清晨": (4, 9),
    "早上": (4, 11),
    "早晨": (4, 11),
    "早": (4, 11),
    "上午": (0, 12),
    "中午": (11, 14),
    "下午": (12, 23),
    "傍晚": (16, 20),
    "晚上": (17, 23),
    "晚": (17, 23),
    "夜里": (18, 23),
    "夜": (18, 23),
    "am": (0, 11),
    "pm": (12, 23),
}
"""The hours a part of the day can mean. 上午12点 fits noon and midnight, so it is asked about."""
SMALL_HOURS = range(1, 6)  # "2点" without a part of the day is the night or the afternoon
CLOCKS = tuple(
    re.compile(
        rf"(?P<before>{'|'.join(HALVES)})? ?(?:{spelling}) ?(?P<after>am|pm)?".replace(
            "HH", r"(?P<hour>[0-9]{1,2})"
        )
    )
    for spelling in (
        r"HH ?: ?(?P<minute>[0-9]{1,2})(?: ?: ?(?P<second>[0-9]{1,2})(?:\.[0-9]+)?)?",
        r"HH(?P<mark>[点时]) ?(?:(?P<minute>[0-9]{1,2})分?(?: ?(?P<second>[0-9]{1,2})秒)?)?",
        r"HH(?P<mark>[点时]) ?(?P<quarter>半|一刻|三刻|整|钟)",
        r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?",
        r"HH",
    )
)
"""The spellings of a clock time, as the whole rest after the day."""
BARE = frozenset(CLOCKS[3:])  # plain digits are a time only after a day or with 上午, pm and so on
QUARTERS = {"半": 30, "一刻": 15, "三刻": 45, "整": 0, "钟": 0}

WEEKDAYS = {sign: day for day, sign in enumerate("一二三四五六")} | {"日": 6, "天": 6}
WEEKDAYS |= {
    name: day for day, name in enumerate(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
}
WEEKDAY = re.compile(
    r"\(?(?:(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])"
    r"|\b(?P<en>mon|tue|wed|thu|fri|sat|sun)(?:[a-z]*day)?\b)\)?"
)
NUMERAL = re.compile("[零〇一二两三四五六七八九十]+(?=[年月日号点时分])")
NUMERALS = {sign: str(digit) for digit, sign in enumerate("零一二三四五六七八九")}
NUMERALS |= {"〇": "0", "两": "2"}
SIGNS = str.maketrans("‐‑‒–—―−。點時號後", "-------.点时号后")
ZONED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(z|[-+].+)")


def to_text(at: dt.datetime, zone: dt.tzinfo) -> str:
    """The text by which the record keeps the time of a cell: local, to the minute.

    `from_text` reads it back; what is shown to people is nobody's to read back.
    """
    try:
        local = at.astimezone(zone)
    except OverflowError:
        local = at
    return local.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def from_text(text: str) -> dt.datetime | None:
    """The local time that `to_text` wrote; None for a text it did not write."""
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _TimeParts:
    """A time as typed: the parts of its day, its clock since midnight, its weekday."""

    words: str
    parts: Mapping[str, str]  # empty when no day was said
    clock: dt.timedelta | None
    weekday: int | None


def moment(
    read: Read | None,
    *,
    now: dt.datetime,
    zone: dt.tzinfo,
    earliest: dt.datetime | None = None,
    latest: dt.datetime | None = None,
    clock_for_day: dt.time | None = None,
) -> dt.datetime | None:
    """The instant (UTC) a cell means, in the spellings people use; its times are of `zone`.

    A clock alone is of today. A day without year or month is the one nearest to `now` between
    `earliest` and `latest`, or nearest at all where none lies between. Neither bound refuses an
    instant: that is for the services. A day without a clock gets `clock_for_day`; a date cell at
    midnight is such a day. Raises Unreadable: no_time, time_missing, ambiguous, year_unlikely,
    weekday_contradicts, broken, not_computed.
    """
    value = value_of(read)
    if value is None or (isinstance(value, str) and not canonical(value)):
        return None
    if (zoned := _zoned(value)) is not None:
        return zoned
    said = _time_parts(value, "no_time")
    clock = said.clock
    if clock is None and clock_for_day is not None:
        clock = dt.datetime.combine(dt.date.min, clock_for_day) - dt.datetime.min
    if clock is None:
        raise Unreadable("time_missing", said=said.words)
    days = _days(said, now.astimezone(zone).date(), code="no_time")
    instants = [_instant(day, clock, zone=zone) for day in days]
    return _nearest(instants, now, earliest=earliest, latest=latest)


def day(
    read: Read | None,
    *,
    now: dt.datetime,
    zone: dt.tzinfo,
    earliest: dt.date | None = None,
    latest: dt.date | None = None,
) -> dt.date | None:
    """The day a cell means; a clock time beside it is read and left out.

    Spellings and bounds as for `moment`. Raises Unreadable: no_day, ambiguous, year_unlikely,
    weekday_contradicts, broken, not_computed.
    """
    value = value_of(read)
    if value is None or (isinstance(value, str) and not canonical(value)):
        return None
    if (zoned := _zoned(value)) is not None:
        return zoned.astimezone(zone).date()
    said = _time_parts(value, "no_day")
    if not said.parts:
        raise Unreadable("no_day", said=said.words)
    today = now.astimezone(zone).date()
    return _nearest(_days(said, today, code="no_day"), today, earliest=earliest, latest=latest)


def _zoned(value: CellValue) -> dt.datetime | None:
    """The instant (UTC) of a time that names its zone, as programs write it; None for others."""
    if isinstance(value, str):
        words = canonical(value).casefold()
        try:
            value = dt.datetime.fromisoformat(words.upper()) if ZONED.fullmatch(words) else value
        except ValueError as error:
            raise Unreadable("no_time", said=shortened(words)) from error
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        return None
    _check_year(value.year, said=str(value))
    return to_the_second(value.astimezone(dt.UTC))


def _time_parts(value: CellValue, code: str) -> _TimeParts:
    """The parts of a time in a cell. Raises Unreadable with `code` where there is none."""
    if isinstance(value, bool):
        raise Unreadable(code, said=as_shown(value))
    if isinstance(value, float):
        value = _from_serial(value, code)
    if isinstance(value, dt.datetime):
        return _parts_of_time(to_the_second(value), code)
    words = _digits_for_numerals(one_line(value, code).translate(SIGNS))
    rest, weekday = _without_weekday(words)
    if AMBIGUOUS.match(rest):
        raise Unreadable("ambiguous", said=words)
    for spelling in DAYS:
        if found := spelling.match(rest):
            after = rest[found.end() :].lstrip(" ,t")
            return _TimeParts(
                words, _given(found), _clock(after, code, words, alone=False), weekday
            )
    if weekday is not None:
        raise Unreadable("ambiguous", said=words)
    return _TimeParts(words, {}, _clock(rest, code, words, alone=True), None)


def _parts_of_time(at: dt.datetime, code: str) -> _TimeParts:
    clock = at - dt.datetime.combine(at, MIDNIGHT)
    words = time_as_shown(at)
    if at.date() not in NOT_DAYS:
        parts = {"year": f"{at.year}", "month": f"{at.month}", "day": f"{at.day}"}
        return _TimeParts(words, parts, clock or None, None)
    if not clock:
        raise Unreadable(code, said=words)
    return _TimeParts(words, {}, clock, None)


def _from_serial(value: float, code: str) -> str | dt.datetime:
    """A number in a field for times: days since the end of 1899, or digits such as 20260928."""
    if 0 < value < 3_000_000:
        try:
            return dt.datetime(1899, 12, 30) + dt.timedelta(days=value)
        except OverflowError as error:
            raise Unreadable(code, said=as_shown(value)) from error
    return as_shown(value)


def _digits_for_numerals(words: str) -> str:
    """九月二十八日 as 9月28日."""

    def digits(found: re.Match[str]) -> str:
        tens, ten, ones = found[0].partition("十")
        plain = "".join(NUMERALS.get(sign, "?") for sign in tens)
        if not ten:
            return plain
        return (plain or "1") + ("".join(NUMERALS.get(sign, "?") for sign in ones) or "0")

    return NUMERAL.sub(digits, re.sub("([前昨今明后])(?=[早晚夜])", r"\1天", words))


def _without_weekday(words: str) -> tuple[str, int | None]:
    found = WEEKDAY.search(words)
    if found is None:
        return words, None
    rest = f"{words[: found.start()]} {words[found.end() :]}"
    return " ".join(rest.split()), WEEKDAYS[found["zh"] or found["en"]]


def _given(found: re.Match[str]) -> dict[str, str]:
    return {name: said for name, said in found.groupdict().items() if said}


def _clock(rest: str, code: str, words: str, *, alone: bool) -> dt.timedelta | None:
    """The time since midnight in the rest of the words; None where no words are left."""
    if not alone and (not rest or rest in HALVES):
        return None
    for spelling in CLOCKS:
        found = spelling.fullmatch(rest)
        part = found and (found["before"] or found["after"])
        if found and (part or spelling not in BARE or (spelling is CLOCKS[3] and not alone)):
            return _since_midnight(_given(found), code, words)
    raise Unreadable(code, said=words)


def _since_midnight(given: Mapping[str, str], code: str, words: str) -> dt.timedelta:
    hour, second = int(given["hour"]), int(given.get("second", "0"))
    minute = QUARTERS.get(given.get("quarter", ""), int(given.get("minute", "0")))
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second):
        raise Unreadable(code, said=words)
    part = given.get("before") or given.get("after")
    if {"before", "after"} <= given.keys() or (
        part is None and given.get("mark") == "点" and hour in SMALL_HOURS
    ):
        raise Unreadable("ambiguous", said=words)
    return dt.timedelta(hours=_hour(hour, part, words), minutes=minute, seconds=second)


def _hour(hour: int, part: str | None, words: str) -> int:
    """The hour from 0 to 24; 下午2 is 14. Raises Unreadable ambiguous unless exactly one fits."""
    if part is None:
        return hour
    first, last = HALVES[part]
    meant = {hour, (hour + 12) % 24} if 1 <= hour <= 12 else {hour}
    fitting = [one for one in meant if first <= one <= last]
    if len(fitting) != 1:
        raise Unreadable("ambiguous", said=words)
    return fitting[0]


def _days(said: _TimeParts, today: dt.date, *, code: str) -> list[dt.date]:
    """The days that fit the parts: one, or one for each year or month where that is missing."""
    days = [one for one in _spoken_days(said.parts, today) if one is not None]
    if not days:
        raise Unreadable(code, said=said.words)
    if len(days) == 1:
        _check_year(days[0].year, said=said.words)
    days = [one for one in days if said.weekday in (None, one.weekday())]
    if not days:
        raise Unreadable("weekday_contradicts", said=said.words)
    return days


def _spoken_days(parts: Mapping[str, str], today: dt.date) -> Iterable[dt.date | None]:
    if "day" not in parts:
        return [today + dt.timedelta(days=SHIFTS[parts["word"]])] if parts else [today]
    number, month = int(parts["day"]), int(parts.get("month", "0"))
    if "year" in parts:
        return [_date(int(parts["year"]), month, number)]
    if "short_year" in parts:
        return [_date(2000 + int(parts["short_year"]), month, number)]
    if "month" in parts:
        return [_date(today.year + shift, month, number) for shift in (-1, 0, 1)]
    months = (today.year * 12 + today.month - 1 + shift for shift in (-1, 0, 1))
    return [_date(count // 12, count % 12 + 1, number) for count in months]


def _date(year: int, month: int, number: int) -> dt.date | None:
    try:
        return dt.date(year, month, number)
    except ValueError:
        return None


def _check_year(year: int, *, said: str) -> None:
    if year not in YEARS:
        raise Unreadable("year_unlikely", said=shortened(said), year=year)


def _instant(day: dt.date, clock: dt.timedelta, *, zone: dt.tzinfo) -> dt.datetime:
    return (dt.datetime.combine(day, MIDNIGHT, zone) + clock).astimezone(dt.UTC)


Time = TypeVar("Time", dt.date, dt.datetime)


def _nearest(
    times: Sequence[Time], near: Time, *, earliest: Time | None, latest: Time | None
) -> Time:
    inside = [
        one
        for one in times
        if (earliest is None or one >= earliest) and (latest is None or one <= latest)
    ]

    def distance(one: Time) -> dt.timedelta:
        return abs(one - near)

    return min(inside or times, key=distance)
