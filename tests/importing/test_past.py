"""An old register comes in: history without clocks, twice the same, and every refusal plain."""

from __future__ import annotations

import csv
import datetime as dt
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter
from click.testing import CliRunner, Result
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import cli
import wording
from config import ROOT, Settings
from database import writing
from files.tables_in import FOUND, REASONS
from models import Complaint, Customer, Deadline, Journal, Notice, NumberCounter, Penalty
from policy.pack.loading import read_toml, shipped_path
from policy.vocabulary.status import Status
from services.calendar import working_calendar
from services.cases import journal, record
from services.company import people
from services.regulation import policies
from wording import import_reasons
from wording.import_reasons import ROW_REASONS, TABLE_REASONS, RowRefused, row_reason

MAP = ROOT / "maps" / "car-complaints.toml"
COLUMNS = ("id", "brand", "car_model", "type", "desc", "problem", "datetime", "status")
STEPS = ("信息审核", "厂家受理", "处理反馈", "用户评分")
ROW = {
    "id": "1",
    "brand": "甲牌",
    "car_model": "一型",
    "type": "2020款",
    "desc": "车门异响",
    "problem": "H15,",
    "datetime": "2020-06-08",
    "status": "信息审核",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A private home whose command line speaks English."""
    return Settings(home=tmp_path / "home", demo=False, language="en")


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A company with a calendar, the Skoda regulation and two people."""
    with writing(engine) as session:
        working_calendar.seed_official(session)
        policies.publish(
            session,
            read_toml(shipped_path("skoda-dealer")),
            effective_from=dt.date(2026, 1, 1),
            now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        )
        for number, key in (("1001", "care"), ("1002", "sales")):
            department = people.add_department(session, key=key, name=key)
            people.add_employee(session, number=number, name="某人", department=department)
    return engine


@pytest.fixture
def run(settings: Settings, engine: Engine) -> Callable[..., Result]:
    """`run(file, *options, plan=...)`: what `flask import` says."""

    def run(file: Path, *options: str, plan: Path = MAP) -> Result:
        arguments = [str(file), "--policy", "skoda-dealer", "--map", str(plan), *options]
        return CliRunner().invoke(cli.importing.import_(settings), arguments)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write(*rows)`: a CSV of rows that differ from ROW in what is said."""

    def write(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
        path = tmp_path / "register.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**ROW, **row} for row in rows)
        return path

    return write


@pytest.fixture
def change_map(tmp_path: Path) -> Callable[[str, str], Path]:
    """`change_map(old, new)`: the shipped map with one text replaced."""

    def change(old: str, new: str) -> Path:
        text = MAP.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "map.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return change


def _counts(engine: Engine) -> dict[str, int]:
    tables = (Complaint, Journal, Deadline, Penalty, Notice, Customer)
    with Session(engine) as session:
        return {
            table.__tablename__: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in tables
        }


def _cases(engine: Engine) -> list[Complaint]:
    with Session(engine) as session:
        return list(session.scalars(sa.select(Complaint).order_by(Complaint.id)))


# ---------------------------------------------------------------- the whole register


def _made_up(path: Path) -> Path:
    """1,201 rows like those of a real register: one without an id, one fault or several."""
    chance = random.Random(1201)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(1201):
            letters = chance.choices("ABCDEFGHIJKLMNOQ", k=chance.randint(1, 4))
            writer.writerow(
                [
                    "" if number == 700 else 480_000 + number,
                    f"牌{number % 30}",
                    f"型{number % 90}",
                    "" if number == 700 else "2020款 1.5T",
                    f"第{number}辆车异响希望处理",
                    "".join(f"{letter}{chance.randint(1, 300)}," for letter in letters),
                    dt.date(2020, 6, 5) + dt.timedelta(days=number % 86),
                    chance.choice(STEPS),
                ]
            )
    return path


@pytest.fixture(params=["made_up", pytest.param("real", marks=pytest.mark.register)])
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A register of 1,201 rows: made up, and the real one that REDRESS_REGISTER names."""
    if request.param == "made_up":
        yield _made_up(tmp_path / "register.csv")
    else:
        yield Path(os.environ["REDRESS_REGISTER"])


def test_a_register_comes_in_as_history_and_a_second_run_changes_nothing(
    register: Path, run: Any, engine: Engine
) -> None:
    first = run(register)
    assert first.output == "1201 new, 0 known, 0 refused; 0 taken over.\n"
    counts = _counts(engine)
    assert counts == {
        "complaint": 1201,
        "journal": 1201,
        "deadline": 0,
        "penalty": 0,
        "notice": 0,
        "customer": 0,
    }
    second = run(register)
    assert second.output == "0 new, 1201 known, 0 refused; 0 taken over.\n"
    assert _counts(engine) == counts
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.sum(NumberCounter.last))) == 1201
        for case in session.scalars(sa.select(Complaint).limit(50)):
            assert case.history
            assert case.time_at is None
            assert journal.fold_journal(session, case) == record.facts_of(session, case)


# ---------------------------------------------------------------- what becomes of a row


def test_a_row_says_in_the_case_what_it_said_in_the_register(
    run: Any, write: Any, engine: Engine
) -> None:
    assert run(write({"status": "处理反馈", "problem": "N318,A1,"})).exit_code == 0
    (case,) = _cases(engine)
    assert case.number == "TS2020060001"
    assert (case.source, case.source_id) == ("car-complaints", "1")
    assert (case.kind, case.channel, case.category) == ("complaint", "other", "parts")
    assert (case.status, case.subject) == (Status.confirmed, "车门异响")
    assert case.received_at == dt.datetime(2020, 6, 7, 16, tzinfo=dt.UTC)
    assert case.body == "品牌：甲牌\n款型：2020款\n典型问题：N318,A1,"
    assert case.extra == {"car_model": "一型"}


def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    run: Any, write: Any, engine: Engine
) -> None:
    file = write({}, {"id": "2"}, {"id": "3", "datetime": "2020-02-30"})
    before = _counts(engine)
    said = run(file, "--dry-run")
    assert "It would be: 2 new, 0 known, 1 refused" in said.output
    assert _counts(engine) == before
    assert run(file).output.endswith("2 new, 0 known, 1 refused; 0 taken over.\n")


def test_a_row_that_stands_twice_in_the_file_comes_in_once(
    run: Any, write: Any, engine: Engine
) -> None:
    said = run(write({}, {}, {"desc": "别的事"}))
    assert said.output.endswith("1 new, 1 known, 1 refused; 0 taken over.\n")
    assert "row 4, column id (1): Row 2 has the same id and says something else." in said.output
    assert len(_cases(engine)) == 1


def test_a_row_without_an_id_is_known_by_its_own_words(
    run: Any, write: Any, engine: Engine
) -> None:
    file = write({"id": ""}, {"id": "", "desc": "别的事"})
    assert "2 new" in run(file).output
    assert "0 new, 2 known" in run(file).output
    assert len({case.source_id for case in _cases(engine)}) == 2


def test_open_cases_are_taken_over_with_clocks_from_that_day(
    run: Any, write: Any, engine: Engine
) -> None:
    file = write({}, {"id": "2", "status": "用户评分"})
    tried = run(file, "--dry-run", "--take-over-open", "--by", "1001")
    assert "2 new, 0 known, 0 refused; 1 taken over." in tried.output
    done = run(file, "--take-over-open", "--by", "1001")
    assert done.output == "2 new, 0 known, 0 refused; 1 taken over.\n"
    taken, left = _cases(engine)
    assert (taken.history, taken.status) == (False, Status.registered)
    assert (left.history, left.status) == (True, Status.closed)
    with Session(engine) as session:
        (clock,) = session.scalars(sa.select(Deadline))
        assert clock.due_at is not None
        assert clock.due_at > dt.datetime.now(dt.UTC)
        (who,) = session.scalars(sa.select(Journal).where(Journal.event == "taken_over"))
        assert who.employee_id is not None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--take-over-open",), "needs --by: whoever takes them over"),
        (("--take-over-open", "--by", "1002"), "“Take over” belongs to: 客户关爱部"),
        (("--take-over-open", "--by", "9"), "Employee “9” does not exist"),
    ],
)
def test_who_may_not_take_over_is_told_before_a_row_is_read(
    options: tuple[str, ...], sentence: str, run: Any, write: Any, engine: Engine
) -> None:
    said = run(write({}), *options)
    assert said.exit_code == 1
    assert sentence in said.output
    assert _cases(engine) == []


def test_customers_and_dates_of_a_workbook_come_in(
    run: Any, tmp_path: Path, engine: Engine
) -> None:
    path, plan = tmp_path / "old.xlsx", tmp_path / "old.toml"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, ["编号", "日期", "事由", "姓名", "电话", "结案", "里程"])
        for row, name in ((1, "钱一一"), (2, None), (3, "钱一一")):
            sheet.write_row(row, 0, [row, None, "=异响", name, 13800000001, None, 12000])
            sheet.write_datetime(row, 1, dt.datetime(2025, 3, 4, 15, 30), day)
            sheet.write(row, 5, "2025/3/4")
    plan.write_text(
        """
        source = "old"
        go_live = 2026-01-01
        id.column = "编号"
        received.column = "日期"
        closed = { column = "结案", formats = ["%Y/%m/%d"] }
        subject.column = "事由"
        kind.value = "complaint"
        status.value = "archived"
        customer.column = "姓名"
        phone.column = "电话"
        extra.mileage.column = "里程"
        """,
        encoding="utf-8",
    )
    assert run(path, plan=plan).output == "3 new, 0 known, 0 refused; 0 taken over.\n"
    with Session(engine) as session:
        cases = session.scalars(sa.select(Complaint).order_by(Complaint.id)).all()
        assert [case.customer.name for case in cases if case.customer] == [
            "钱一一",
            "13800000001",
            "钱一一",
        ]
        assert cases[0].customer is cases[2].customer
        assert cases[0].extra == {"mileage": 12000}
        assert cases[0].received_at == dt.datetime(2025, 3, 4, 7, 30, tzinfo=dt.UTC)
        assert cases[0].closed_at == cases[0].received_at


# ---------------------------------------------------------------- rows that are refused


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ({"datetime": "2020-02-30"}, "datetime", "This is no date that exists"),
        ({"datetime": "8.6.2020"}, "datetime", "it is not written like %Y-%m-%d"),
        ({"datetime": ""}, "datetime", "The cell is empty."),
        ({"datetime": "1020-06-08"}, "datetime", "outside 1980-01-01 to today"),
        ({"datetime": "2026-01-01"}, "datetime", "Register this case."),
        ({"status": "在途"}, "status", "no entry for this word under “status.table”"),
        ({"status": ""}, "status", "no entry for this word under “status.table”"),
        ({"desc": ""}, "desc", "“Subject” is missing. Please fill it in."),
        ({"desc": "长" * 301}, "desc", "“Subject” is too long: at most 300 characters."),
        ({"type": "长" * 20_001}, "", "“Content” is too long: at most 20000 characters."),
        ({"car_model": "长" * 301}, "car_model", "is too long: at most 300 characters."),
        ({"id": "9" * 121}, "id", "The id is longer than 120 characters."),
    ],
)
def test_a_refused_row_is_named_with_its_cell_and_the_others_come_in(
    row: dict[str, str],
    column: str,
    sentence: str,
    run: Any,
    write: Any,
    tmp_path: Path,
    engine: Engine,
) -> None:
    report = tmp_path / "refused.csv"
    said = run(write({"id": "a"}, {"id": "b", **row}, {"id": "c"}), "--report", str(report))
    assert said.exit_code == 0
    assert said.output.endswith("2 new, 0 known, 1 refused; 0 taken over.\n")
    with report.open(encoding="utf-8-sig", newline="") as file:
        (refused,) = csv.DictReader(file)
    assert (refused["Row in the file"], refused["Column"]) == ("3", column)
    assert sentence in refused["Why it was refused"]
    assert [case.source_id for case in _cases(engine)] == ["a", "c"]
    # The number a refused row would have had is given to the next one.
    assert [case.number[-4:] for case in _cases(engine)] == ["0001", "0002"]


def test_a_row_with_more_cells_than_the_header_is_refused(
    run: Any, write: Any, engine: Engine
) -> None:
    file = write({})
    file.write_text(
        file.read_text(encoding="utf-8") + "2,甲牌,一型,款,异响,H1,2020-06-08,信息审核,多\n",
        encoding="utf-8",
    )
    said = run(file)
    assert "row 3 (多): The row has more cells than the header." in said.output
    assert "1 new, 0 known, 1 refused" in said.output


def test_a_refused_row_leaves_no_customer_behind(
    run: Any, write: Any, change_map: Any, engine: Engine
) -> None:
    plan = change_map("[kind]", '[customer]\ncolumn = "brand"\n\n[kind]')
    run(write({"desc": "长" * 301, "brand": "甲"}), plan=plan)
    assert _counts(engine)["customer"] == 0


# ---------------------------------------------------------------- files and maps that are refused


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "a.csv is empty."),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(40), "(it is a picture)"),
        ("a.xlsx", b"PK\x03\x04 nothing more", "(it is damaged)"),
        ("a.pdf", b"%PDF-1.7", "Save it as CSV or XLSX."),
        ("a.csv", b'id,brand\n1,"x\n', "a quote is opened near line 2"),
        ("a.csv", b"id,desc\n1," + b"x" * 5_000_000 + b"\n", "A cell in row 2"),
        ("a.csv", b"id,id\n1,2\n", "names several columns “id”"),
        ("none.csv", None, "none.csv does not exist."),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(
    name: str, content: bytes | None, sentence: str, run: Any, tmp_path: Path, engine: Engine
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said = run(path)
    assert said.exit_code == 1
    assert sentence in said.output
    assert _cases(engine) == []


def test_a_missing_column_is_named_before_a_row_is_read(
    run: Any, write: Any, engine: Engine
) -> None:
    said = run(write({}, columns=tuple(c for c in COLUMNS if c != "datetime")))
    assert said.exit_code == 1
    assert "received.column: the file has no column “datetime”; it has: id, brand" in said.output
    assert _cases(engine) == []


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ('"信息审核" = "registered"', '"信息审核" = "open"', ("status.table.信息审核: “open”",)),
        ("[extra.car_model]", "[extra.colour]", ("extra.colour: “colour” is no field here",)),
        ('formats = ["%Y-%m-%d"]', 'formats = ["%Y-%Q"]', ("received.formats", "no date format")),
        ('formats = ["%Y-%m-%d"]', 'formats = ["%d.%m."]', ("does not say year, month and day",)),
        ("go_live = 2026-01-01", "", ("go_live: is missing",)),
        ("go_live = 2026-01-01", 'go_live = "soon"', ("go_live: ",)),
        ('[subject]\ncolumn = "desc"', "", ("subject: is missing",)),
        ("[id]", "[id]\ncolour = 1", ("id.colour: is not a key of a map",)),
        ('value = "complaint"', 'value = "applause"', ("kind.value: “applause” is no kind here",)),
        ('value = "complaint"', "", ("kind: needs either a `value` or a `column`",)),
        ('value = "other"', 'value = "fax"', ("channel.value: “fax” is no channel here",)),
        ('other = "quality"', 'other = "luck"', ("category.other: “luck” is no category here",)),
        ("[id]", "[id", ("is not TOML", "line")),
        ("[id]", 'source = "twice"\n[id]', ("is not TOML",)),
    ],
)
def test_a_bad_map_is_refused_with_the_key_and_why(
    old: str,
    new: str,
    sentences: tuple[str, ...],
    run: Any,
    write: Any,
    change_map: Any,
    engine: Engine,
) -> None:
    said = run(write({}), plan=change_map(old, new))
    assert said.exit_code == 1
    assert "The map map.toml cannot be used:" in said.output
    for sentence in sentences:
        assert sentence in said.output
    assert _cases(engine) == []


def test_every_problem_of_a_map_is_named_at_once(run: Any, write: Any, tmp_path: Path) -> None:
    plan = tmp_path / "empty.toml"
    plan.write_text("", encoding="utf-8")
    said = run(write({}), plan=plan)
    for key in ("source", "go_live", "id", "received", "subject", "kind", "status"):
        assert f"- {key}: is missing" in said.output


def test_a_regulation_that_is_not_in_force_is_named(
    settings: Settings, engine: Engine, write: Any
) -> None:
    arguments = [str(write({})), "--policy", "unheard", "--map", str(MAP)]
    said = CliRunner().invoke(cli.importing.import_(settings), arguments)
    assert "No published version of “unheard” is in force" in said.output


def test_without_a_database_the_command_says_what_to_run(tmp_path: Path, write: Any) -> None:
    settings = Settings(home=tmp_path / "elsewhere", demo=False)
    arguments = [str(write({})), "--policy", "skoda-dealer", "--map", str(MAP)]
    said = CliRunner().invoke(cli.importing.import_(settings), arguments)
    assert "Run first: flask upgrade" in said.output


# ---------------------------------------------------------------- words


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_reason_can_be_said(language: str, settings: Settings) -> None:
    day = dt.date(2026, 1, 1)
    facts = {"limit": 1, "row": 1, "formats": "%Y", "go_live": day, "earliest": day, "key": "k"}
    with wording.speaking(language, settings.zone):
        for code in ROW_REASONS:
            assert "%(" not in row_reason(RowRefused(code, "c", **facts))
    assert TABLE_REASONS.keys() == REASONS.keys()
    for code, names in REASONS.items():
        assert TABLE_REASONS[code] % dict.fromkeys(names, "x")
    assert set(FOUND) == import_reasons.FOUND.keys()
