"""What a person means by what stands in a cell.

Each reader takes a cell as it was read and returns the one canonical value of what was meant,
None for an empty cell, or raises Unreadable with a code and facts. Nothing is guessed: where two
readings are possible the person is asked. A formula counts as the value it made.

Words such as 今天 and days without a year count from `now`: give the instant at which the workbook
was saved, and keep what was understood, because the same words mean another day tomorrow.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from sync.port import Broken, Computed, Read

LONGEST_TEXT = 20_000
LONGEST_WORDS = 80  # of a time, number or name; longer texts are stories
MOST_DIGITS = 15  # a spreadsheet keeps no more digits of a number
YEARS = range(1950, 2100)  # a day outside is a number or a slip that became a date
MIDNIGHT = dt.time(0)

Plain = str | float | bool | dt.datetime


class Unreadable(Exception):
    """A cell that cannot be understood: a `code`, and `facts` for the sentence about it.

    Codes: broken (text), not_computed, too_long (limit, length), digits_lost (said),
    no_time (said), no_day (said), time_missing (said), ambiguous (said), year_unlikely (said,
    year), weekday_contradicts (said), no_number (said), no_flag (said), no_choice (said, choices),
    name_unknown (said), name_shared (name, numbers), name_contradicts (said, name, number).
    """

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Person:
    """An employee whom a cell may name."""

    number: str
    name: str


# ---------------------------------------------------------------- text

BLANKS = (
    " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
    "\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
"""What is invisible at the end of a text: blanks of any width and characters without one."""
LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
NOT_DAYS = {dt.date(1899, 12, 30), dt.date(1899, 12, 31), dt.date(1904, 1, 1)}
"""The days a spreadsheet invents for a cell in which somebody typed only a clock time."""


def text(read: Read | None, *, limit: int = LONGEST_TEXT) -> str | None:
    """The canonical text of a cell, or None when nothing visible stands in it.

    Composed characters (NFC), lines ended by \\n, no blanks at the ends of lines or of the whole,
    no control characters. A number, flag or time gives what the person saw; times are local. Raises
    Unreadable: broken, not_computed, too_long (nothing is ever cut), digits_lost.
    """
    value = _plain(read)
    if value is None:
        return None
    said = _canonical(value) if isinstance(value, str) else _as_seen(value)
    if len(said) > limit:
        raise Unreadable("too_long", limit=limit, length=len(said))
    return said or None


def phone(read: Read | None) -> str | None:
    """The telephone number as it was typed, with full-width characters made plain.

    Raises Unreadable digits_lost where the spreadsheet made a power of ten or a fraction of it,
    because then the number that was typed is not known any more.
    """
    value = _plain(read)
    said = text(read)
    if said is None:
        return None
    plain = _canonical(unicodedata.normalize("NFKC", said))
    damaged = isinstance(value, float) and not (value >= 0 and value.is_integer())
    if damaged or re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", plain):
        raise Unreadable("digits_lost", said=_short(plain))
    return plain


def _plain(read: Read | None) -> Plain | None:
    """What a cell says, whoever wrote it: a person or a formula."""
    if isinstance(read, Computed):
        if read.value is None:
            raise Unreadable("not_computed")
        read = read.value
    if isinstance(read, Broken):
        raise Unreadable("broken", text=_short(read.text))
    if isinstance(read, int) and not isinstance(read, bool):
        return float(read) if abs(read) < 10**MOST_DIGITS else str(read)
    return read


def _canonical(said: str) -> str:
    plain = CONTROLS.sub("", LINE_ENDS.sub("\n", said)).replace("\t", " ")
    lines = (line.rstrip(BLANKS) for line in unicodedata.normalize("NFC", plain).split("\n"))
    return "\n".join(lines).strip(BLANKS + "\n")


def _as_seen(value: float | bool | dt.datetime) -> str:
    """What a spreadsheet shows of a value that is no text."""
    if isinstance(value, dt.datetime):
        return _time_as_seen(_to_the_second(value))
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    said = f"{value:.{MOST_DIGITS}g}"
    if not abs(value) < 10**MOST_DIGITS or "e+" in said:
        raise Unreadable("digits_lost", said=said)
    return "0" if value == 0 else said


def _time_as_seen(at: dt.datetime) -> str:
    precision = "seconds" if at.second else "minutes"
    if at.date() in NOT_DAYS:
        return at.time().isoformat(precision)
    if at.time() == MIDNIGHT:
        return at.date().isoformat()
    return at.isoformat(" ", precision)


def _to_the_second(at: dt.datetime) -> dt.datetime:
    """A time without the fractions that come from keeping it as a fraction of a day."""
    whole = at.replace(microsecond=0)
    try:
        return whole + dt.timedelta(seconds=1) if at.microsecond >= 500_000 else whole
    except OverflowError:
        return whole


def _short(said: object) -> str:
    words = str(said)
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"


def _words(value: Plain, code: str) -> str:
    """A short text on one line, with full-width characters made plain and blanks made single.

    Raises Unreadable with `code` for a text too long to be what is looked for.
    """
    said = _canonical(value) if isinstance(value, str) else _as_seen(value)
    if len(said) > LONGEST_WORDS:
        raise Unreadable(code, said=_short(said))
    return " ".join(_canonical(unicodedata.normalize("NFKC", said)).casefold().split())


@lru_cache(maxsize=8192)  # a pass compares the same names and labels in every row
def _fold(said: str) -> str:
    """A text by which two spellings are compared: no blanks, no widths, no capitals."""
    return "".join(_canonical(unicodedata.normalize("NFKC", said)).casefold().split())


# ---------------------------------------------------------------- days and times

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


@dataclass(frozen=True, slots=True)
class _Said:
    """What a cell says of a time: the parts of its day, its clock since midnight, its weekday."""

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
    `earliest` and `latest`, or nearest at all where none lies between; neither bound refuses
    anything, that is for the services. A day without a clock gets `clock_for_day`; a date cell at
    midnight is such a day. Raises Unreadable: no_time, time_missing, ambiguous, year_unlikely,
    weekday_contradicts, broken, not_computed.
    """
    value = _plain(read)
    if value is None or (isinstance(value, str) and not _canonical(value)):
        return None
    if (zoned := _zoned(value)) is not None:
        return zoned
    said = _said(value, "no_time")
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
    value = _plain(read)
    if value is None or (isinstance(value, str) and not _canonical(value)):
        return None
    if (zoned := _zoned(value)) is not None:
        return zoned.astimezone(zone).date()
    said = _said(value, "no_day")
    if not said.parts:
        raise Unreadable("no_day", said=said.words)
    today = now.astimezone(zone).date()
    return _nearest(_days(said, today, code="no_day"), today, earliest=earliest, latest=latest)


def _zoned(value: Plain) -> dt.datetime | None:
    """The instant (UTC) of a time that names its zone, as programs write it; None for others."""
    if isinstance(value, str):
        words = _canonical(value).casefold()
        try:
            value = dt.datetime.fromisoformat(words.upper()) if ZONED.fullmatch(words) else value
        except ValueError as error:
            raise Unreadable("no_time", said=_short(words)) from error
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        return None
    _check_year(value.year, said=str(value))
    return _to_the_second(value.astimezone(dt.UTC))


def _said(value: Plain, code: str) -> _Said:
    """What a cell says of a time, in parts. Raises Unreadable with `code` when it says none."""
    if isinstance(value, bool):
        raise Unreadable(code, said=_as_seen(value))
    if isinstance(value, float):
        value = _from_serial(value, code)
    if isinstance(value, dt.datetime):
        return _said_by_cell(_to_the_second(value), code)
    words = _digits_for_numerals(_words(value, code).translate(SIGNS))
    rest, weekday = _without_weekday(words)
    if AMBIGUOUS.match(rest):
        raise Unreadable("ambiguous", said=words)
    for spelling in DAYS:
        if found := spelling.match(rest):
            after = rest[found.end() :].lstrip(" ,t")
            return _Said(words, _given(found), _clock(after, code, words, alone=False), weekday)
    if weekday is not None:
        raise Unreadable("ambiguous", said=words)
    return _Said(words, {}, _clock(rest, code, words, alone=True), None)


def _said_by_cell(at: dt.datetime, code: str) -> _Said:
    clock = at - dt.datetime.combine(at, MIDNIGHT)
    words = _time_as_seen(at)
    if at.date() not in NOT_DAYS:
        parts = {"year": f"{at.year}", "month": f"{at.month}", "day": f"{at.day}"}
        return _Said(words, parts, clock or None, None)
    if not clock:
        raise Unreadable(code, said=words)
    return _Said(words, {}, clock, None)


def _from_serial(value: float, code: str) -> str | dt.datetime:
    """A number in a field for times: days since the end of 1899, or digits such as 20260928."""
    if 0 < value < 3_000_000:
        try:
            return dt.datetime(1899, 12, 30) + dt.timedelta(days=value)
        except OverflowError as error:
            raise Unreadable(code, said=_as_seen(value)) from error
    return _as_seen(value)


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
    """The time since midnight that the rest of the words says; None when nothing is left."""
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


def _days(said: _Said, today: dt.date, *, code: str) -> list[dt.date]:
    """The days that fit what was said: one, or one for each year or month that was not said."""
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
        raise Unreadable("year_unlikely", said=_short(said), year=year)


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


# ---------------------------------------------------------------- numbers, flags, choices

UNITS = "元整|元|块钱|块|圆|公里|千米|km|小时|分钟|个月|个|次|台|辆|件|人|天|日|岁|年"
NUMBER = re.compile(
    r"(?:人民币|rmb|cny|[¥￥])? ?(?P<sign>[-+−]?) ?"
    r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    rf" ?(?P<scale>[千万亿kw])? ?(?:{UNITS})?"
)
SCALES = {"千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000, "亿": 100_000_000}

YES = frozenset(["是", "对", "有", "真", "√", "✓", "✔", "☑", "✅", "y", "yes", "true", "1"])
NO = frozenset(
    ["否", "不是", "不", "没有", "无", "假", "×", "✗", "✘", "☒", "❌", "n", "no", "false", "0"]
)


def number(read: Read | None) -> Decimal | None:
    """The number a cell means: 3,500元 is 3500 and 1.2万 is 12000.

    Raises Unreadable: no_number, digits_lost (more digits than a spreadsheet keeps).
    """
    value = _plain(read)
    if value is None or (isinstance(value, str) and not _canonical(value)):
        return None
    if isinstance(value, bool | dt.datetime):
        raise Unreadable("no_number", said=_as_seen(value))
    if isinstance(value, float):
        return Decimal(_as_seen(value))
    words = _words(value, "no_number")
    found = NUMBER.fullmatch(words)
    if found is None:
        raise Unreadable("no_number", said=_short(words))
    amount = Decimal(found["digits"].replace(",", "")) * SCALES.get(found["scale"], 1)
    if amount >= 10**MOST_DIGITS:
        raise Unreadable("digits_lost", said=_short(words))
    return -amount if found["sign"] in {"-", "−"} and amount else amount


def flag(read: Read | None) -> bool | None:
    """Whether a cell says yes: 是, 有, √, Y, 1, TRUE and their opposites. Raises no_flag."""
    value = _plain(read)
    if isinstance(value, bool):
        return value
    said = text(read)
    if said is None:
        return None
    folded = _fold(_short(said))
    if folded not in YES | NO:
        raise Unreadable("no_flag", said=_short(said))
    return folded in YES


def choice(read: Read | None, options: Mapping[str, Sequence[str]]) -> str | None:
    """The key of the option a cell names by key, by one of its labels, or by how only one begins.

    `options` gives the labels of each key, the one people see first. Raises Unreadable no_choice,
    with the first labels of the options that come into question.
    """
    said = text(read)
    if said is None:
        return None
    folded = _fold(_short(said))
    spelt = {key: [_fold(label) for label in labels] for key, labels in options.items()}
    named = [key for key, labels in spelt.items() if folded in [_fold(key), *labels]]
    begun = [key for key, labels in spelt.items() if any(one.startswith(folded) for one in labels)]
    fitting = named or begun
    if len(fitting) == 1:
        return fitting[0]
    choices = [next(iter(options[key]), key) for key in fitting or options]
    raise Unreadable("no_choice", said=_short(said), choices=choices)


# ---------------------------------------------------------------- people

NAMED = tuple(
    re.compile(spelling)
    for spelling in (
        r"(?P<name>.+?)[(\[【<](?:工号:?)?(?P<number>[^()\[\]]+)[)\]】>]",
        r"(?P<number>[a-z]*[0-9][0-9a-z-]*)[(\[【<](?P<name>.+)[)\]】>]",
        r"(?P<name>.*[^0-9a-z,/:_-])[,/:_-]?(?P<number>[a-z]*[0-9][0-9a-z-]*)",
        r"(?P<number>[a-z]*[0-9][0-9a-z]*)[,/:_-]?(?P<name>[^0-9a-z,/:_-].*)",
        r"(?P<name>[a-z.·]+)[,/:_-]?(?P<number>[0-9]+)",
    )
)
"""How a name and a number stand together, without blanks and in small letters."""


@dataclass(frozen=True, slots=True)
class _Known:
    """People by what may stand in a cell, folded: number, number without zeros ahead, name."""

    numbers: dict[str, list[Person]]
    bare: dict[str, list[Person]]
    names: dict[str, list[Person]]

    def numbered(self, folded: str) -> Person | None:
        """The person of that number, or the only one whose number differs by zeros ahead."""
        found = self.numbers.get(folded) or self.bare.get(folded.lstrip("0"), [])
        return found[0] if len(found) == 1 and folded else None


@lru_cache(maxsize=8)  # a pass asks for the same people in every row
def _known(people: tuple[Person, ...]) -> _Known:
    known = _Known({}, {}, {})
    for one in people:
        number = _fold(one.number)
        for index, key in (
            (known.numbers, number),
            (known.bare, number.lstrip("0")),
            (known.names, _fold(one.name)),
        ):
            index.setdefault(key, []).append(one)
    return known


def person(read: Read | None, people: Sequence[Person]) -> Person | None:
    """The one of `people` whom a cell names by number, by name, or by both.

    A number typed as a number may have lost its leading zeros. Raises Unreadable: name_unknown,
    name_shared (say the number, too), name_contradicts (the number is somebody else's or nobody's).
    """
    said = text(read)
    if said is None:
        return None
    folded, known = _fold(_short(said)), _known(tuple(people))
    if (found := known.numbered(folded)) is not None:
        return found
    same = known.names.get(folded, [])
    if len(same) > 1:
        raise Unreadable("name_shared", name=same[0].name, numbers=[one.number for one in same])
    return same[0] if same else _by_both(folded, known, said=_short(said))


def _by_both(folded: str, known: _Known, *, said: str) -> Person:
    for spelling in NAMED:
        found = spelling.fullmatch(folded)
        if found is None:
            continue
        numbered = known.numbered(found["number"])
        named = known.names.get(found["name"], [])
        if numbered is not None and numbered in named:
            return numbered
        if numbered is not None or named:
            one = numbered or named[0]
            raise Unreadable("name_contradicts", said=said, name=one.name, number=one.number)
    raise Unreadable("name_unknown", said=said)
