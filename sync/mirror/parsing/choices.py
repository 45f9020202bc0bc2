"""Numbers, flags and choices from a list in cells."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sync.mirror.parsing.texts import (
    MOST_DIGITS,
    Unreadable,
    as_shown,
    canonical,
    folded,
    one_line,
    shortened,
    text,
    value_of,
)
from sync.port import Read

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
    value = value_of(read)
    if value is None or (isinstance(value, str) and not canonical(value)):
        return None
    if isinstance(value, bool | dt.datetime):
        raise Unreadable("no_number", said=as_shown(value))
    if isinstance(value, float):
        return Decimal(as_shown(value))
    words = one_line(value, "no_number")
    found = NUMBER.fullmatch(words)
    if found is None:
        raise Unreadable("no_number", said=shortened(words))
    amount = Decimal(found["digits"].replace(",", "")) * SCALES.get(found["scale"], 1)
    if amount >= 10**MOST_DIGITS:
        raise Unreadable("digits_lost", said=shortened(words))
    return -amount if found["sign"] in {"-", "−"} and amount else amount


def finite(text: str) -> float | str:
    """The sum of a text of the record; one that no cell can hold as a number stays a text."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def flag(read: Read | None) -> bool | None:
    """Whether a cell says yes: 是, 有, √, Y, 1, TRUE and their opposites. Raises no_flag."""
    value = value_of(read)
    if isinstance(value, bool):
        return value
    said = text(read)
    if said is None:
        return None
    typed = folded(shortened(said))
    if typed not in YES | NO:
        raise Unreadable("no_flag", said=shortened(said))
    return typed in YES


def choice(read: Read | None, options: Mapping[str, Sequence[str]]) -> str | None:
    """The key of the option that a cell names by key, by a label, or by the beginning of only one.

    `options` gives the labels of each key, the one people see first. Raises Unreadable no_choice,
    with the first labels of the options in question.
    """
    said = text(read)
    if said is None:
        return None
    typed = folded(shortened(said))
    spelt = {key: [folded(label) for label in labels] for key, labels in options.items()}
    named = [key for key, labels in spelt.items() if typed in [folded(key), *labels]]
    begun = [key for key, labels in spelt.items() if any(one.startswith(typed) for one in labels)]
    fitting = named or begun
    if len(fitting) == 1:
        return fitting[0]
    choices = [next(iter(options[key]), key) for key in fitting or options]
    raise Unreadable("no_choice", said=shortened(said), choices=choices)
