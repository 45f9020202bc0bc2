"""Spreadsheet files as passes leave them: rows of the record, written without a workbook."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Audience, CellDeed, ProblemKind
from models import (
    Complaint,
    Workbook,
    WorkbookChange,
    WorkbookLook,
    WorkbookProblem,
    WorkbookRow,
    WorkbookTab,
)
from services.workbooks import layout
from tests.company import Office

R = TypeVar("R")

TITLES = {
    "today": "今日",
    "open": "在办",
    "closed": "已结",
    "guide": "说明",
    "people": "人员",
    "month": "月份",
}
HEADERS = {
    "number": "案号",
    "next_step": "下一步",
    "due_at": "期限",
    "hint": "同步提示",
    "handler": "处理人",
    "contacted_at": "首次联系时间",
    "progress": "进展",
    "outcome": "处理结果",
    "answer": "结果说明",
    "until": "宽限至",
    "until_reason": "宽限原因",
}


def now() -> dt.datetime:
    """This instant to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def ago(seconds: int) -> dt.datetime:
    """An instant that many seconds before now."""
    return now() - dt.timedelta(seconds=seconds)


@dataclass
class Filed:
    """Files in a session; everything is flushed, nothing committed."""

    session: Session

    def layout(self) -> None:
        """The tabs and columns a company begins with."""
        layout.add_missing_tabs(
            self.session,
            title=lambda key: TITLES[key],
            header=lambda name: HEADERS.get(name, f"列 {name}"),
        )

    def sheet(self, name: str, department: Any = None, **said: Any) -> Workbook:
        """A department's file that was read completely a few seconds ago."""
        usual: dict[str, Any] = {
            "audience": Audience.department,
            "department": department,
            "newborn": [],
            "complete_at": ago(4),
            "saved_at": ago(360),
            "written_at": ago(190),
        }
        return self._added(Workbook(name=name, **(usual | said)))

    def problem(self, workbook: Workbook, kind: ProblemKind, **said: Any) -> WorkbookProblem:
        """Something somebody has to look at, found a quarter of an hour ago."""
        usual: dict[str, Any] = {"code": kind.value, "facts": {}, "found_at": ago(900)}
        return self._added(WorkbookProblem(workbook=workbook, kind=kind, **(usual | said)))

    def passed(self, workbook: Workbook, number: int, **counts: int) -> WorkbookLook:
        """A pass; the numbers grow and the last one was three minutes ago."""
        row = WorkbookLook(
            workbook=workbook,
            number=number,
            base=number - 1,
            began_at=ago(180),
            saved_at=ago(360),
            written_at=ago(178),
            counts=counts,
        )
        workbook.pass_number = max(workbook.pass_number or 0, number)
        return self._added(row)

    def row(self, workbook: Workbook, complaint: Complaint) -> WorkbookRow:
        """The row of a case in a file."""
        found = self.session.scalars(
            sa.select(WorkbookRow).where(
                WorkbookRow.sheet_id == workbook.id, WorkbookRow.complaint_id == complaint.id
            )
        ).first()
        fresh = {"seen": "", "hint": "", "waiting": {}, "refused": {}}
        return found or self._added(
            WorkbookRow(sheet_id=workbook.id, uid=f"R{complaint.id}", complaint=complaint, **fresh)
        )

    def change(
        self,
        done: WorkbookLook,
        what: CellDeed,
        field: str | None,
        complaint: Complaint | None = None,
        **said: Any,
    ) -> WorkbookChange:
        """What the pass did about a cell."""
        row = self.row(done.workbook, complaint) if complaint else None
        return self._added(
            WorkbookChange(
                sheet_id=done.sheet_id,
                pass_number=done.number,
                what=what,
                field=field,
                complaint=complaint,
                row_id=row.id if row else None,
                **said,
            )
        )

    def tab(self, key: str, audience: Audience = Audience.department) -> WorkbookTab:
        """The tab of that key."""
        found = sa.select(WorkbookTab).where(
            WorkbookTab.key == key, WorkbookTab.audience == audience
        )
        return self.session.scalars(found).one()

    def _added(self, row: R) -> R:
        self.session.add(row)
        self.session.flush()
        return row


def busy_week(office: Office) -> Filed:
    """Four files: one with much that waits for a choice, one stopped, one held, the payroll's."""
    filed = Filed(office.session)
    filed.layout()
    complaint = office.dispatched()
    office.reply(complaint)
    other = office.dispatched(subject="空调不制冷，客户要求更换压缩机")
    filed.sheet("销售部投诉表", office.department("sales"), held_by="陈静", held_since=ago(1500))
    stopped = filed.sheet("配件部投诉表", office.department("parts"), complete_at=ago(420))
    columns = ["案号", "处理人", "处理结果"]
    filed.problem(
        stopped,
        ProblemKind.structure,
        code="half_sorted",
        facts={"columns": columns, "rows": 14},
        found_at=ago(300),
    )
    filed.sheet("处罚 2026", audience=Audience.payroll, year=2026, complete_at=None, saved_at=None)
    workbook = filed.sheet("售后部投诉表", office.department("after_sales"))
    _problems(filed, workbook, complaint, other)
    _passes(filed, workbook, complaint, other)
    return filed


def _problems(filed: Filed, workbook: Workbook, complaint: Complaint, other: Complaint) -> None:
    """A conflict, a refusal and a copy."""
    filed.problem(
        workbook,
        ProblemKind.conflict,
        complaint=complaint,
        field="answer",
        base="更换前轮轴承",
        ours="更换前轮轴承，已试车，异响消除",
        theirs="更换后轮轴承，等待客户试车",
    )
    filed.problem(
        workbook,
        ProblemKind.refused,
        complaint=other,
        field="handler",
        code="name_shared",
        facts={"name": "张伟", "numbers": ["2005", "2006"]},
        theirs="张伟",
    )
    filed.problem(
        workbook, ProblemKind.copy, code="copy_found", facts={"name": "售后部投诉表(2).xlsx"}
    )


def _passes(filed: Filed, workbook: Workbook, complaint: Complaint, other: Complaint) -> None:
    """Forty quiet passes, and one that took an answer in."""
    for number in range(1, 41):
        filed.passed(workbook, number, written=number % 5 + 1)
    done = filed.passed(workbook, 41, taken=2, written=3, put_back=1, refused=1)
    seq = complaint.version
    taken: dict[str, Any] = {"complaint": complaint, "journal_seq": seq}
    filed.change(done, CellDeed.taken, "outcome", before=None, after="已解决", **taken)
    filed.change(done, CellDeed.taken, "answer", before="更换", after="更换轴承", **taken)
    filed.change(
        done,
        CellDeed.put_back,
        "due_at",
        other,
        before="2026-10-08 10:00",
        after="2026-10-09 10:00",
        because="这一列不由部门填写",
    )
    filed.change(
        done, CellDeed.refused, "handler", other, after="张伟", because="有两位张伟，请写工号"
    )
    filed.change(done, CellDeed.written, "next_step", other, before=None, after="联系客户")
