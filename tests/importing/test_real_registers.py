"""What real registers hold: spoiled telephones, dates of every style, headings, hidden rows."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter
from click.testing import CliRunner
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import cli
from config import Settings
from database import reading
from models import Complaint

HEADER = ("编号", "日期", "客户", "电话", "内容", "状态", "里程")
MAP = """
source = "old"
go_live = 2026-01-01
{top}
[id]
column = "编号"
[received]
column = "日期"
{received}
[subject]
column = "内容"
[customer]
column = "客户"
[phone]
column = "电话"
{phone}
[kind]
value = "complaint"
[category]
value = "quality"
[status]
column = "状态"
{status}
[status.table]
"已结案" = "archived"
{more}
"""


@pytest.fixture(scope="session")
def blank_database(suppliers_database: Path) -> Path:
    """The company is in it."""
    return suppliers_database


@pytest.fixture
def bring_in(settings: Settings, engine: Engine, tmp_path: Path) -> Callable[..., str]:
    """`bring_in(rows, **parts of the map)`: what `flask import` says, in Chinese."""

    def bring_in(rows: Any, **parts: str) -> str:
        path = rows
        if not isinstance(rows, Path):
            path = tmp_path / "old.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([HEADER, *rows])
        plan = tmp_path / "map.toml"
        usual = dict.fromkeys(("top", "received", "phone", "status", "more"), "")
        plan.write_text(MAP.format(**usual | parts), encoding="utf-8")
        arguments = [str(path), "--policy", "skoda-dealer", "--map", str(plan)]
        return str(CliRunner().invoke(cli.importing.import_(settings), arguments).output)

    return bring_in


def row(n: int, **said: str) -> tuple[str, ...]:
    """One row of a register, with what it says otherwise."""
    usual = dict(
        zip(HEADER, (f"R{n}", "2024-03-05", "张某", "", "异响", "已结案", ""), strict=True)
    )
    return tuple((usual | said).values())


def cases(engine: Engine) -> list[Complaint]:
    with reading(engine) as session:
        found = sa.select(Complaint).order_by(Complaint.source_id)
        rows = list(session.scalars(found.options(sa.orm.joinedload(Complaint.customer))))
        session.expunge_all()
        return rows


SPOILED = ("139****0001", "00000000000", "无", "微信", "-")


def test_spoiled_telephones_never_join_two_people(bring_in: Any, engine: Engine) -> None:
    rows = [row(n * 10 + twice, 电话=said) for n, said in enumerate(SPOILED) for twice in (0, 1)]
    said = bring_in(rows, phone='if_wrong = "body"')
    assert "新增 10 条" in said
    found = cases(engine)
    assert len({case.customer_id for case in found}) == len(found)
    assert {case.customer.phone for case in found if case.customer} == {
        "139****0001",
        "00000000000",
        None,
    }
    assert sorted(case.body for case in found if case.body) == sorted(
        f"电话：{said}" for said in ("无", "微信", "-") * 2
    )


def test_one_number_in_many_spellings_is_one_customer(bring_in: Any, engine: Engine) -> None:
    spellings = ("13900000001", "+86 139-0000-0001", "13900000001.0", "１３９０００００００１",
                 "1.3900000001E+10", "13900000001/13900000002", "13900000001（本人）")  # fmt: skip
    assert "新增 7 条" in bring_in([row(n, 电话=said) for n, said in enumerate(spellings)])
    assert len({case.customer_id for case in cases(engine)}) == 1


def test_a_rounded_number_is_refused_with_its_own_reason_and_grouped(
    bring_in: Any, engine: Engine
) -> None:
    said = bring_in([row(n, 电话="1.39E+10") for n in range(3)] + [row(9)])
    assert "取了近似值" in said
    assert "从第 2 行起共 3 行，“电话”列" in said
    assert "1.39E+10 × 3" in said
    assert "row " not in said, "one language a line"
    assert [case.source_id for case in cases(engine)] == ["R9"]


def test_unknown_words_are_counted(bring_in: Any) -> None:
    words = ["New"] * 4 + ["Pending"] * 2 + ["再议"]
    said = bring_in([row(n, 状态=word) for n, word in enumerate(words)])
    assert "(New × 4, Pending × 2, 再议)" in said
    assert "新增 7 条" in bring_in(
        [row(n, 状态=word) for n, word in enumerate(words)], status='other = "archived"'
    )


def test_a_text_too_long_is_cut_and_kept_whole_in_the_content(
    bring_in: Any, engine: Engine
) -> None:
    long = "长" * 500
    assert "新增 0 条" in bring_in([row(1, 内容=long)])
    assert "新增 1 条" in bring_in([row(1, 内容=long, 客户="名" * 150)], top='if_long = "cut"')
    (case,) = cases(engine)
    assert (len(case.subject), case.subject[-1]) == (300, "…")
    assert case.body == f"内容：{long}\n客户：{'名' * 150}"
    assert "新增 1 条" in bring_in([row(2, 内容="长" * 90_000)], top='if_long = "cut"')


def test_a_field_that_cannot_be_read_becomes_a_line(bring_in: Any, engine: Engine) -> None:
    more = '[extra.bought_on]\ncolumn = "里程"\nif_wrong = "body"\n'
    assert "新增 2 条" in bring_in([row(1, 里程="去年"), row(2, 里程="2023-01-02")], more=more)
    assert [(case.body, case.extra) for case in cases(engine)] == [
        ("里程：去年", {}),
        (None, {"bought_on": "2023-01-02"}),
    ]


def utc(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2024, 3, day, hour, minute, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("said", "form", "at"),
    [
        ("2024-03-05T14:05:00Z", "%Y-%m-%dT%H:%M:%SZ", utc(5, 14, 5)),
        ("2024-03-05T14:05:00Z", "%Y-%m-%dT%H:%M:%S%z", utc(5, 14, 5)),
        ("2024-03-05T14:05:00+08:00", "%Y-%m-%dT%H:%M:%S%z", utc(5, 6, 5)),
        ("2024-03-05 14:05 -0500", "%Y-%m-%d %H:%M %z", utc(5, 19, 5)),
        ("2024/3/5 下午 2:05", "%Y/%m/%d %p %I:%M", utc(5, 6, 5)),
        ("2024/3/5 上午 12:05", "%Y/%m/%d %p %I:%M", utc(4, 16, 5)),
        ("2024/3/5 02:05 PM", "%Y/%m/%d %I:%M %p", utc(5, 6, 5)),
        ("２０２４－０３－０５", "%Y-%m-%d", utc(4, 16)),
        ("45356", "serial", utc(4, 16)),
        ("45356.5", "serial", utc(5, 4)),
        ("45356.5868055556", "serial", utc(5, 6, 5)),
    ],
)
def test_a_date_is_read_as_it_was_meant(
    bring_in: Any, engine: Engine, said: str, form: str, at: dt.datetime
) -> None:
    assert "新增 1 条" in bring_in([row(1, 日期=said)], received=f'formats = ["{form}"]')
    (case,) = cases(engine)
    assert case.received_at == at


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("45356", "日期序号"),
        ("1970-01-01", "1980-01-01"),
        ("0024-03-05", "1980-01-01"),
        ("9999-12-31", "1980-01-01"),
        ("2024-02-30", "该日期不存在"),
    ],
)
def test_a_date_that_cannot_be_meant_says_why(bring_in: Any, said: str, why: str) -> None:
    output = bring_in([row(1, 日期=said)])
    assert why in output
    assert said in output


def test_times_of_another_zone_are_of_that_zone(bring_in: Any, engine: Engine) -> None:
    parts = {"top": 'zone = "America/New_York"', "received": 'formats = ["%Y-%m-%d %H:%M"]'}
    assert "新增 1 条" in bring_in([row(1, 日期="2024-03-05 09:00")], **parts)
    assert cases(engine)[0].received_at == utc(5, 14)
    assert "不是时区" in bring_in([row(2)], top='zone = "Mars/Olympus"')


def test_two_rows_of_names_and_a_title_above_them(
    bring_in: Any, engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "old.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 6, "2024年度投诉台账")
        for column, name in ((0, "编号"), (1, "日期"), (4, "内容"), (5, "状态"), (6, "里程")):
            sheet.merge_range(1, column, 2, column, name)
        sheet.merge_range(1, 2, 1, 3, "客户信息")
        sheet.write_row(2, 2, ["客户", "电话"])
        sheet.write_row(3, 0, row(1, 电话="13900000001"))
        sheet.write_row(4, 0, row(2))
        sheet.write_row(5, 0, row(3))
        sheet.set_row(4, None, None, {"hidden": True})
        sheet.set_row(5, None, None, {"hidden": True})
    assert "header_row = 2" in bring_in(path)
    plain = MAP.replace('column = "客户"', 'column = "客户信息/客户"')
    plain = plain.replace('column = "电话"', 'column = "客户信息/电话"')
    (tmp_path / "two.toml").write_text(
        plain.format(
            top="header_row = 2\nheader_rows = 2", received="", phone="", status="", more=""
        ),
        encoding="utf-8",
    )
    settings = Settings(home=Path(str(engine.url.database)).parent, demo=False)
    arguments = [str(path), "--policy", "skoda-dealer", "--map", str(tmp_path / "two.toml")]
    said = CliRunner().invoke(cli.importing.import_(settings), arguments).output
    assert "新增 3 条" in said
    assert "2 行被筛选或手工隐藏" in said
    assert cases(engine)[0].customer.phone == "13900000001"  # type: ignore[union-attr]  # it has one


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_hint_at_the_separator_is_no_heading(
    bring_in: Any, engine: Engine, tmp_path: Path, separator: str
) -> None:
    path = tmp_path / "hint.csv"
    lines = [f"sep={separator}", separator.join(HEADER), separator.join(row(1))]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert "新增 1 条" in bring_in(path)


def test_what_nobody_sees_around_a_word_is_no_part_of_it(bring_in: Any, engine: Engine) -> None:
    assert "新增 1 条" in bring_in([row(1, 状态="\u200b已结案\u200b\ufeff")])
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count(Complaint.id))) == 1
