"""The flows of a complaint, walked in the browser by the people who do them, in Chinese."""

from __future__ import annotations

import csv
import datetime as dt
import re
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from database import reading
from models import Complaint, Penalty
from policy.vocabulary.status import PenaltyStatus, Status
from services.cases import journal, penalties, record, sweep
from tests.browser.windows import PHONE, do, fill, input_of, local, open_waiting, stands
from tests.company import ZONE, Office

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def every_case_is_what_its_journal_makes(engine: Engine) -> Any:
    """After each walk every case's rows must say what its journal, folded anew, says."""
    yield
    with reading(engine) as session:
        for complaint in session.scalars(sa.select(Complaint)):
            assert journal.fold_journal(session, complaint) == record.facts_of(session, complaint)


# ---------------------------------------------------------------- cases that are there already


def days_ago(days: int, hour: int, minute: int = 0) -> dt.datetime:
    """An hour of a day that has passed, by the company's clocks."""
    day = dt.datetime.now(ZONE).date() - dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


def dispatched(office: Office, days: int = 40) -> Complaint:
    """A case of that many days ago, heard at nine and handed to after-sales at ten."""
    complaint = office.registered(received_at=days_ago(days, 9), now=days_ago(days, 9, 30))
    office.dispatch(complaint, days_ago(days, 10))
    return complaint


# ---------------------------------------------------------------- the flows


def test_five_people_lead_a_complaint_through_a_restart_to_its_end(
    visit: Any, engine: Engine
) -> None:
    specialist = visit("specialist")
    specialist.get_by_role("link", name="登记受理").click()
    fill(
        specialist,
        {
            "客户": "王建国",
            "电话": "13800000001",
            "来源": "上门反映",
            "类型": "投诉",
            "类别": "产品质量",
            "主题": "发动机异响",
            "内容": "冷车启动时有金属敲击声",
        },
    )
    specialist.get_by_role("button", name="登记受理").click()
    expect(specialist.get_by_role("status")).to_contain_text("已登记，编号")
    number = specialist.url.rstrip("/").rpartition("/")[2]
    stands(specialist, "已受理")
    do(specialist, "转办", 责任部门="售后服务部", 致部门的说明="请先联系客户")
    stands(specialist, "处理中")

    phone = visit("mechanic", **PHONE)
    open_waiting(phone, number, "回复")
    do(phone, "联系客户", 沟通内容="约好明天到店检查")
    do(phone, "回复", 结果="已解决", 处理情况或未处理原因="更换轴承，试车正常")
    stands(phone, "待确认")

    director = visit("director")
    open_waiting(director, number, "确认回复")
    do(director, "确认回复")
    stands(director, "待回访")

    open_waiting(specialist, number, "回访")
    do(
        specialist,
        "回访",
        目的="核实回访",
        结果="已接通",
        对处理结果的满意度="不满意",
        客户要求继续处理=True,
        客户原话="还是有异响",
    )
    stands(specialist, "第 2 轮")

    open_waiting(phone, number, "回复")
    do(phone, "回复", 结果="已解决", 处理情况或未处理原因="更换正时链条")
    open_waiting(director, number, "确认回复")
    do(director, "确认回复")
    open_waiting(specialist, number, "回访")
    do(specialist, "回访", 结果="已接通", 对处理结果的满意度="满意", 客户原话="好了")
    stands(specialist, "待签批")

    chief = visit("care_director")
    open_waiting(chief, number, "签批关闭")
    do(chief, "签批关闭", 客户原话="这次修好了，谢谢")
    stands(chief, "已关闭（观察期）")

    with reading(engine) as session:
        complaint = session.scalars(sa.select(Complaint)).one()
        assert (complaint.number, complaint.status, complaint.round) == (number, Status.closed, 2)
        events = [one.event.type for one in journal.entries(session, complaint)]
    again = ["replied", "confirmed", "called_back"]
    begun = ["registered", "dispatched", "contacted", *again, "restarted"]
    assert events == [*begun, *again, "signed"]


def test_a_late_case_ends_in_the_month_of_the_payroll(
    visit: Any, at_work: Any, swept: Any, engine: Engine
) -> None:
    with at_work() as office:
        number = dispatched(office).number
        _notified(office, dispatched(office, days=39))
    swept()
    with reading(engine) as session:
        late = session.scalars(sa.select(Penalty).join(Complaint).filter_by(number=number)).one()
        assert (late.rule, late.status) == ("late_close", PenaltyStatus.proposed)

    chief = visit("care_director")
    chief.goto(f"/admin/complaint/{number}/")
    stands(chief, "“A 类关闭”已到期")
    chief.get_by_role("row").filter(has_text="逾期未关闭或提报").get_by_role("link").click()
    do(chief, "确认扣罚")

    clerk = visit("clerk")
    row = clerk.get_by_role("row").filter(has_text=number)
    expect(row).to_contain_text("已确认")
    do(chief, "送达当事人", 送达方式="当面签收")
    with reading(engine) as session:
        month = session.get_one(Penalty, late.id).month
        assert month is not None
        wanted = sum(share.total for share in penalties.month_list(session, month))
        lines = sum(len(share.penalties) for share in penalties.month_list(session, month))
    clerk.get_by_role("link", name="工资月").first.click()
    clerk.get_by_label("月份").select_option(month)
    clerk.get_by_role("button", name="显示").click()
    expect(clerk.get_by_role("row").filter(has_text=number)).to_contain_text("SKD-3.2.2b")
    assert (lines, wanted) == (2, Decimal(400))
    # Both may still be appealed: nothing is final, and only what waits for that is a sum.
    assert _on_screen(clerk, "仍可申诉", "#running td.num") == _in_xlsx(clerk, "#running") == wanted
    assert _in_csv(clerk) == _in_xlsx(clerk, ".page-header-deeds") == 0


def _notified(office: Office, complaint: Complaint) -> None:
    """A second late case, whose penalty is on its way without a browser."""
    now = dt.datetime.now(dt.UTC)
    sweep.pass_time(office.session, complaint.number, now=now)
    penalty = office.penalty(complaint, "late_close")
    penalties.confirm(office.session, penalty, actor=office.by("care_director"), now=now)
    penalties.notify(office.session, penalty, how="当面", actor=office.by("specialist"), now=now)


def _on_screen(page: Page, name: str, amounts: str) -> Decimal:
    """The sum of the amounts of a part of the month; the tile of that name must say the same."""
    cells = page.locator(amounts).all_inner_texts()
    total = sum((_yuan(text) for text in cells), Decimal(0))
    tile = page.locator(".stats").get_by_text(name).locator("..")
    assert _yuan(tile.inner_text().removeprefix(name)) == total
    return total


def _yuan(text: str) -> Decimal:
    return Decimal(re.sub(r"[^0-9.−]", "", text).replace("−", "-"))


def _download(page: Page, name: str, within: str = ".page-header-deeds") -> bytes:
    with page.expect_download() as download:
        page.locator(within).get_by_role("link", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes()


def _in_csv(page: Page) -> Decimal:
    rows = list(csv.DictReader(StringIO(_download(page, "CSV").decode("utf-8-sig"))))
    return sum((Decimal(row["金额"]) for row in rows), Decimal(0))


def _in_xlsx(page: Page, within: str) -> Decimal:
    sheet = openpyxl.load_workbook(BytesIO(_download(page, "XLSX", within))).active
    assert sheet is not None
    header, *rows = sheet.iter_rows(values_only=True)
    return sum((Decimal(str(row[header.index("金额")])) for row in rows), Decimal(0))


def test_an_extension_is_asked_confirmed_and_granted(
    visit: Any, at_work: Any, engine: Engine
) -> None:
    with at_work() as office:
        complaint = dispatched_now(office)
        number, due = complaint.number, complaint.due_at
        assert due is not None
    wished = due + dt.timedelta(days=1)

    phone = visit("mechanic", **PHONE)
    open_waiting(phone, number, "回复")
    until = {"申请宽限至": local(wished)}
    do(phone, "回复", 结果="申请宽限", 处理情况或未处理原因="等待配件到货", **until)
    director = visit("director")
    open_waiting(director, number, "确认回复")
    do(director, "确认回复")
    specialist = visit("specialist")
    open_waiting(specialist, number, "同意宽限")
    do(specialist, "同意宽限")

    stands(specialist, "处理中")
    expect(specialist.locator("main")).to_contain_text(f"{wished.astimezone(ZONE):%Y-%m-%d %H:%M}")
    with reading(engine) as session:
        complaint = session.scalars(sa.select(Complaint)).one()
        assert complaint.status is Status.dispatched
        assert complaint.due_at == wished.replace(second=0, microsecond=0)


def dispatched_now(office: Office) -> Complaint:
    """A case of this minute, handed to after-sales."""
    now = dt.datetime.now(dt.UTC)
    complaint = office.registered(received_at=now - dt.timedelta(minutes=5), now=now)
    office.dispatch(complaint, now)
    return complaint


def test_the_general_manager_decides_what_was_raised_to_him(visit: Any, at_work: Any) -> None:
    with at_work() as office:
        number = dispatched_now(office).number
    phone = visit("mechanic", **PHONE)
    open_waiting(phone, number, "回复")
    do(phone, "回复", 结果="提报总经理", 处理情况或未处理原因="客户要求退车")
    director = visit("director")
    open_waiting(director, number, "确认回复")
    do(director, "确认回复")
    manager = visit("general_manager")
    open_waiting(manager, number, "总经理决定")
    do(manager, "总经理决定", 问题已解决=True, 决定="更换总成，延保一年")
    stands(manager, "待回访")


def test_a_correction_shows_what_it_changes_before_it_does(
    visit: Any, at_work: Any, engine: Engine
) -> None:
    with at_work() as office:
        complaint = dispatched(office, days=20)
        office.reply(complaint, days_ago(20, 14))
        number = complaint.number
    specialist = visit("specialist")
    specialist.goto(f"/admin/complaint/{number}/")
    entry = specialist.get_by_role("listitem").filter(has_text="登记受理")
    entry.get_by_role("link", name="更正或撤回").click()
    earlier = days_ago(20, 7, 30)
    received: dict[str, str | bool] = {
        "受理时间": local(earlier),
        "更改原因": "客户七点半已打过电话",
    }
    fill(specialist, received)
    specialist.get_by_role("button", name="预览更正").click()
    preview = specialist.locator("section.preview")
    expect(preview).to_contain_text("转办")
    with reading(engine) as session:
        assert session.scalars(sa.select(Complaint)).one().received_at == days_ago(20, 9)

    specialist.get_by_role("button", name="更正该登记").click()
    expect(specialist.get_by_role("status")).to_contain_text("登记内容已更改")
    stands(specialist, f"{days_ago(20, 9, 30):%Y-%m-%d %H:%M} 到期")
    with reading(engine) as session:
        complaint = session.scalars(sa.select(Complaint)).one()
        (handover,) = [one for one in complaint.deadlines if one.key == "handover"]
        assert (complaint.received_at, complaint.status) == (earlier, Status.replied)
        assert handover.due_at == days_ago(20, 9, 30)


def test_what_later_steps_stand_on_is_not_withdrawn(
    visit: Any, at_work: Any, unchanged: Any
) -> None:
    with at_work() as office:
        complaint = dispatched(office, days=20)
        office.reply(complaint, days_ago(20, 14))
        office.confirm(complaint, days_ago(20, 15))
        number = complaint.number
    specialist = visit("specialist")
    specialist.goto(f"/admin/complaint/{number}/")
    entry = specialist.get_by_role("listitem").filter(has_text="更换轴承")
    entry.get_by_role("link", name="更正或撤回").click()
    input_of(specialist, "更改原因").fill("写错案件了")
    with unchanged():
        specialist.get_by_role("button", name="预览撤回").click()
        expect(specialist.get_by_role("status")).to_contain_text("后面的步骤“确认回复”")
    assert input_of(specialist, "更改原因").input_value() == "写错案件了"
