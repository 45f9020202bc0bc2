"""What a department's file must never hold, looked for in every part of every file.

Not only cells: a file is a package, and a text can stay behind in its table of strings, in a
list, a name or a comment although no cell shows it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import demo.company
import demo.story
from config import Settings
from database import make_engine, reading, writing
from enums import Audience
from models import Base, Complaint, Customer, Department, Journal, Penalty, Workbook
from policy.vocabulary.status import Status
from services.calendar import working_calendar
from services.cases import handling
from services.regulation import policies
from sync.mirror.look import LookOutcome
from sync.workbook.folder_marker import MARKER
from tests import company
from tests.sync.books import parts, rezip
from tests.sync.folder import AFTER_SALES, Files, header
from worker.workbooks import Mirrors

# The company takes a while to mirror, so one process asks everything of it.
pytestmark = pytest.mark.xdist_group("privacy")

ZONE = dt.timezone(dt.timedelta(hours=8))
MONEY = ("judged", "penalty_confirmed", "penalty_waived", "penalty_notified", "penalty_reversed")
WORDS = ("处罚", "扣罚", "罚款", "记过", "申诉", "投票", "表决", "评判", "penalt", "appeal")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
TYPE = 'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"'
FINISHED = (Status.closed, Status.archived, Status.withdrawn)


def said(path: Path) -> str:
    """Everything a file says anywhere: each part as text, with and without its tags."""
    found = []
    for name, content in parts(path).items():
        text = content.decode("utf-8", errors="replace")
        found += [name, unescape(text), unescape(re.sub(r"<[^>]*>", "", text))]
    return "\n".join(found)


@dataclass
class Share:
    """The folder of a company in full work, mirrored until nothing is left to do."""

    engine: Engine
    settings: Settings
    texts: dict[str, str] = field(default_factory=dict)

    def mirror(self) -> None:
        mirrors = Mirrors(self.engine, self.settings, "test")
        for _ in range(4):
            outcomes = set(mirrors.look().values())
            if outcomes == {LookOutcome.quiet}:
                break
        assert outcomes == {LookOutcome.quiet}
        self.texts = {path.stem: said(path) for path in self.settings.sheets.glob("*.xlsx")}

    def departments(self, session: Session) -> Iterator[tuple[Department, str]]:
        """Every department that has a file, and all that its file says."""
        rows = sa.select(Workbook).where(Workbook.audience == Audience.department)
        for workbook in session.scalars(rows):
            assert workbook.department is not None
            yield workbook.department, self.texts[workbook.name]


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Share]:
    """The demo dealer; every case has a customer, a number and words that no other has."""
    settings = Settings(home=tmp_path_factory.mktemp("dealer"))
    engine = make_engine(settings)
    Base.metadata.create_all(engine)
    now = dt.datetime.now(ZONE)
    with writing(engine) as session:
        working_calendar.seed_official(session)
    with writing(engine) as session:
        version = demo.company.publish_regulation(session, now=now, password="a password")
        days = demo.company.Days(working_calendar.work_calendar(session), now)
        demo.company.add_people(session, days)
        demo.company.give_logins(session, password="a password")
        demo.story.enact(session, version, days)
        _mark(session)
    share = Share(engine, settings)
    share.mirror()
    yield share
    engine.dispose()


def _mark(session: Session) -> None:
    for case in session.scalars(sa.select(Complaint)):
        phone = f"139{case.id:08d}"
        case.customer = Customer(name=f"客户{case.id:05d}号", phone=phone, phone_digits=phone)
        case.subject, case.body = f"事由{case.id:05d}号", f"内容{case.id:05d}号"
        case.demand, case.feedback = f"诉求{case.id:05d}号", f"意见{case.id:05d}号"


def _of(case: Complaint) -> tuple[str, ...]:
    """What tells of one case only."""
    mark = f"{case.id:05d}号"
    assert case.customer is not None
    return (case.number, str(case.customer.phone), mark, f"R{case.id}-")


def test_a_file_has_every_open_case_of_its_department(share: Share) -> None:
    """Without this the other tests would find nothing in an empty file."""
    with reading(share.engine) as session:
        open_cases = 0
        for department, text in share.departments(session):
            for case in session.scalars(sa.select(Complaint).filter_by(department=department)):
                if case.status not in FINISHED and not case.history:
                    open_cases += 1
                    assert all(mark in text for mark in _of(case)), case.number
    assert open_cases >= 10


def test_no_file_has_a_case_of_another_department(share: Share) -> None:
    with reading(share.engine) as session:
        looked_for = 0
        for department, text in share.departments(session):
            elsewhere = sa.select(Complaint).where(
                Complaint.department_id.is_distinct_from(department.id)
            )
            for case in session.scalars(elsewhere):
                looked_for += 1
                assert not [mark for mark in _of(case) if mark in text], department.key
    assert looked_for >= 80


def test_no_file_has_the_telephone_number_of_a_closed_case(share: Share) -> None:
    with reading(share.engine) as session:
        rows = sa.select(Complaint).where(Complaint.status.in_(FINISHED))
        finished = session.scalars(rows).all()
        shown = 0
        for _department, text in share.departments(session):
            for case in finished:
                shown += case.number in text
                assert case.customer is not None
                assert str(case.customer.phone) not in text, case.number
    assert shown >= 3, "no file shows a closed case, so nothing was proved"


def test_no_department_learns_of_a_penalty_a_vote_or_an_appeal(share: Share) -> None:
    with reading(share.engine) as session:
        grounds = {
            policies.pack(session, row.complaint.policy_version).label("penalty", row.rule)
            for row in session.scalars(sa.select(Penalty))
        }
        words = {
            str(text)
            for row in session.scalars(sa.select(Journal).where(Journal.event.in_(MONEY)))
            for name, text in row.data.items()
            if name in ("reason", "how", "rule", "ground") and text
        }
        assert len(grounds) >= 2
        assert len(words) >= 4
        for department, text in share.departments(session):
            plain = text.casefold()
            found = [word for word in (*grounds, *words, *WORDS) if word.casefold() in plain]
            assert not found, department.key


def test_those_who_pay_learn_no_customers_story(share: Share) -> None:
    with reading(share.engine) as session:
        rows = sa.select(Workbook).where(Workbook.audience == Audience.payroll)
        (workbook,) = session.scalars(rows)
        text = share.texts[workbook.name]
        cases = session.scalars(sa.select(Complaint)).all()
        assert any(case.number in text for case in cases), "no penalty is in any month"
        for case in cases:
            assert not [mark for mark in _of(case)[1:] if mark in text], case.number


def test_the_share_holds_nothing_but_the_files_and_the_marker(share: Share) -> None:
    found = [path for path in share.settings.sheets.rglob("*") if path.is_file()]
    assert {path.suffix for path in found if path.name != MARKER} == {".xlsx"}
    marker = json.loads((share.settings.sheets / MARKER).read_text("utf-8"))
    assert set(marker) == {"installation", "place", "about"}


# ---------------------------------------------------------------- what was there once


def _case(files: Files) -> tuple[str, tuple[str, ...]]:
    """A case in the file of after-sales, and what tells of it."""
    with files.office() as office:
        customer = Customer(name="客户甲", phone="13800000042", phone_digits="13800000042")
        office.session.add(customer)
        case = office.dispatched(customer=customer, body="底盘异响四二", demand="赔偿四二")
        # Two more: an emptied file would be a damaged one.
        office.dispatched()
        return case.number, (case.number, "13800000042", "底盘异响四二", "赔偿四二")


def _save_as_others_do(files: Files) -> None:
    """Save the file with every text in a table of strings, as Excel and LibreOffice do."""
    files.hands().save()
    told = parts(files.path())
    table: dict[str, int] = {}

    def share(found: re.Match[str]) -> str:
        place = table.setdefault(found[2], len(table))
        return f'{found[1]} t="s"><v>{place}</v></c>'

    for name in [name for name in told if name.startswith("xl/worksheets/sheet")]:
        inline = r'(<c [^>]*?) t="inlineStr"><is><t[^>]*>(.*?)</t></is></c>'
        told[name] = re.sub(inline, share, told[name].decode(), flags=re.DOTALL).encode()
    texts = "".join(f"<si><t>{text}</t></si>" for text in table)
    told["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{texts}</sst>'.encode()
    _add(told, "[Content_Types].xml", f'<Override PartName="/xl/sharedStrings.xml" {TYPE}/>')
    relation = f'<Relationship Id="shared" Type="{RELATION}" Target="/xl/sharedStrings.xml"/>'
    _add(told, "xl/_rels/workbook.xml.rels", relation)
    rezip(files.path(), told)


def _add(told: dict[str, bytes], name: str, element: str) -> None:
    """Put an element before the end of a part."""
    head, mark, tail = told[name].decode().rpartition("</")
    told[name] = f"{head}{element}{mark}{tail}".encode()


SAVED = pytest.mark.parametrize("saved", [False, True], ids=["as we wrote it", "as others save it"])
"""Other programs keep texts in a table of strings, apart from the cells that show them."""


@SAVED
def test_a_case_that_goes_to_another_department_leaves_no_trace(files: Files, saved: bool) -> None:
    number, marks = _case(files)
    files.settle()
    if saved:
        _save_as_others_do(files)
        files.settle()
    assert all(mark in said(files.path()) for mark in marks)
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        files.tick(60)
        by = office.by("director")
        handling.return_order(office.session, case, actor=by, now=files.now, reason="不属本部门")
        office.dispatch(case, files.now, department="sales")
    files.settle()
    assert [mark for mark in marks if mark in said(files.path())] == []
    files.settle("sales")
    assert all(mark in said(files.path("sales")) for mark in marks)


@SAVED
def test_a_closed_case_leaves_no_telephone_number_behind(files: Files, saved: bool) -> None:
    number, _marks = _case(files)
    files.settle()
    if saved:
        _save_as_others_do(files)
        files.settle()
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        office.reply(case)
        office.confirm(case)
        office.call(case)
        office.sign(case)
    files.now = company.at(9, 28, 18)
    files.settle()
    text = said(files.path())
    assert number in text
    assert number in files.rows(tab="closed")
    assert "13800000042" not in text


def test_what_somebody_noted_in_a_tab_of_his_own_stays(files: Files) -> None:
    number, _marks = _case(files)
    files.settle()
    hands = files.hands()
    own = hands.book.create_sheet("我的备忘")
    own["B2"], own["B3"] = "13800000042", "周三再打"
    hands.save()
    _save_as_others_do(files)
    files.settle()
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        by = office.by("director")
        handling.return_order(office.session, case, actor=by, now=files.now, reason="不属本部门")
        office.dispatch(case, files.now, department="sales")
    files.settle()
    assert "底盘异响四二" not in said(files.path())
    own = files.hands().book["我的备忘"]
    assert [own["B2"].value, own["B3"].value] == ["13800000042", "周三再打"]


def test_a_file_says_nothing_about_who_made_it_or_where(files: Files) -> None:
    _case(files)
    files.settle()
    with zipfile.ZipFile(files.path()) as package:
        assert not [name for name in package.namelist() if "custom" in name.casefold()]
    assert str(files.folder) not in said(files.path())
    assert header("phone") in said(files.path())
    assert AFTER_SALES not in files.rows()


def test_a_copied_row_goes_with_its_case(files: Files) -> None:
    number, _marks = _case(files)
    files.settle()
    hands = files.hands()
    row, tab = hands.line(number), hands.tab()
    for column in range(1, tab.max_column + 1):
        tab.cell(row + 3, column).value = tab.cell(row, column).value
    hands.save()
    files.settle()
    assert "13800000042" in said(files.path())
    with files.office() as office:
        case = office.session.scalars(sa.select(Complaint).filter_by(number=number)).one()
        by = office.by("director")
        handling.return_order(office.session, case, actor=by, now=files.now, reason="不属本部门")
    files.settle()
    assert "13800000042" not in said(files.path())
    assert number not in files.rows()
