"""A year's plan as people bring it: lines and tables, and every line at fault named at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from policy.vocabulary.errors import LinesRefused
from policy.vocabulary.worktime import DayKind
from services.calendar.official_years import (
    installed_plan,
    parse_lines,
    plan_as_lines,
    table_as_lines,
)

NEW_YEAR = dt.date(2027, 1, 1)


def test_lines_are_read_however_people_part_and_spell_them() -> None:
    lines = [
        "2027-01-01, 放假, 元旦",
        "2027/1/2\t节假日\t元旦",
        "",
        "2027年1月3日，holiday",
        "2027.1.9;补班;元旦，补",
    ]
    assert parse_lines("\n".join(lines), year=2027) == {
        NEW_YEAR: (DayKind.holiday, "元旦"),
        dt.date(2027, 1, 2): (DayKind.holiday, "元旦"),
        dt.date(2027, 1, 3): (DayKind.holiday, ""),
        dt.date(2027, 1, 9): (DayKind.makeup, "元旦 补"),
    }


def test_every_line_at_fault_is_named_at_once() -> None:
    lines = [
        "2027-02-30, 放假, 春节",
        "2026-12-31, 放假, 元旦",
        "2027-01-01, 半天, 元旦",
        "2027-01-02, 放假, 元旦",
        "2027-01-02, 放假, 元旦",
        "2027-01-04, 补班, 元旦",
        f"2027-01-05, 放假, {'长' * 201}",
        "下周三",
    ]
    with pytest.raises(LinesRefused) as refused:
        parse_lines("\n".join(lines), year=2027)
    assert [(one["line"], one["why"]) for one in refused.value.facts["lines"]] == [
        (1, "no_such_day"),
        (2, "of_another_year"),
        (3, "no_such_kind"),
        (5, "twice"),
        (6, "makeup_on_weekday"),
        (7, "note_too_long"),
        (8, "no_such_day"),
    ]


def test_the_installed_plan_reads_back_as_itself() -> None:
    days = installed_plan(2026)
    assert days is not None
    assert parse_lines(plan_as_lines(days), year=2026) == days
    assert installed_plan(2099) is None


def test_a_table_becomes_lines_whatever_stands_in_it() -> None:
    rows: list[dict[str, Any]] = [
        {"日期": dt.datetime(2027, 1, 1), "类型": "放假", "说明": "元旦, 第一天"},
        {"日期": dt.date(2027, 1, 2), "类型": "放假", "说明": None},
        {"日期": "二月三十", "类型": None, "说明": "?"},
    ]
    text = table_as_lines(["日期", "类型", "说明", "其他"], rows)
    assert text == "2027-01-01, 放假, 元旦 第一天\n2027-01-02, 放假, \n二月三十, , ?"
    with pytest.raises(LinesRefused):
        parse_lines(text, year=2027)
    assert parse_lines("\n".join(text.splitlines()[:2]), year=2027)[NEW_YEAR][1] == "元旦 第一天"


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(LinesRefused) as refused:
        table_as_lines(["when", "what"], [])
    assert refused.value.facts["lines"][0]["why"] == "columns_missing"
