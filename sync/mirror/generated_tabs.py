"""The tabs that Redress makes wholly: today, closed cases, the guide, the people, wage months.

Each is a list of rows. Only cells that differ from those in the workbook are written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

import wording
from models import Penalty
from policy.vocabulary.status import Status
from services.cases import penalties
from services.regulation import policies
from sync.mirror.parsing import times
from sync.mirror.parsing.cell_reader import shown_text
from sync.mirror.state import Cells
from sync.mirror.tab_layout import cell_value
from sync.port import TabLayout, TabPicture, Written
from wording import form_text, workbook_text


def filled(
    grid: TabPicture, tab: TabLayout, rows: Sequence[Cells], *, address: str
) -> dict[tuple[int, str], Written]:
    """The cells to write so that a tab has `rows` below its header, and no others."""
    found: dict[tuple[int, str], Written] = {}
    there = {row.number: row.cells for row in grid.rows if row.number > 1}
    fields = [column.field for column in tab.columns if column.field in grid.columns]
    for number in sorted({*there, *range(2, len(rows) + 2)}):
        cells: Cells = rows[number - 2] if number - 2 < len(rows) else {}
        shown = there.get(number, {})
        for name in fields:
            if shown_text(shown.get(name)) != cells.get(name):
                link = f"{address}/c/{cells['number']}" if "number" in cells else ""
                found[number, name] = cell_value(name, cells.get(name), link=link)
    for column in tab.columns:
        header = grid.headers.get(column.field)
        if column.field != "uid" and header is not None and header.strip() != column.header:
            found[1, column.field] = column.header
    return found


def today(cases: Iterable[tuple[Cells, bool]], *, now: dt.datetime) -> list[Cells]:
    """The cases that need work today, the most urgent first; the flag marks a refused input.

    A case whose answer the director confirmed waits for others and is left out.
    """
    lines = []
    at, tonight = wording.moment(now), f"{now.astimezone(wording.zone()):%Y-%m-%d} 24:00"
    ours = {workbook_text.next_step(Status.dispatched, provisional=p) for p in (False, True)}
    for cells, refused in cases:
        reason = _why(cells, refused=refused, at=at, tonight=tonight, ours=ours)
        if reason is not None:
            lines.append({**cells, "why": workbook_text.why_today(reason)})
    return sorted(lines, key=lambda cells: (cells.get("due_at", "9999"), cells.get("number", "")))


def _why(
    cells: Cells, *, refused: bool, at: str, tonight: str, ours: Collection[str]
) -> str | None:
    due = cells.get("due_at")
    if due is not None and "confirmed" not in cells:
        if due < at:
            return "overdue"
        if due <= tonight:
            return "today"
    if refused:
        return "refused"
    again = cells.get("round", "1") != "1" and cells.get("next_step", "") in ours
    return "restarted" if again else None


def guide(paragraphs: Sequence[tuple[str, str]]) -> list[Cells]:
    """The guide as rows of its tab."""
    return [{"topic": topic, "text": text} for topic, text in paragraphs]


def people(names: Iterable[str]) -> list[Cells]:
    """The names from which a handler is chosen."""
    return [{"value": name} for name in names]


def month(session: Session, name: str, *, now: dt.datetime) -> list[Cells]:
    """The penalties of a wage month that are final, by employee number."""
    return [
        _penalty(session, row)
        for share in penalties.month_parts(session, name, now=now).final
        for row in share.penalties
    ]


def paid(session: Session, year: int, *, now: dt.datetime) -> str:
    """A mark that changes with every penalty of the wage months of a year, and as one is final."""
    final = sa.func.sum(sa.case((Penalty.counts_at <= now, 1), else_=0))
    rows = sa.select(sa.func.count(), sa.func.sum(Penalty.version), sa.func.max(Penalty.id), final)
    of_year = rows.where(Penalty.month.between(f"{year}-01", f"{year}-12"))
    return ".".join(str(part) for part in session.execute(of_year).one())


def _penalty(session: Session, row: Penalty) -> Mapping[str, str]:
    pack = policies.pack(session, row.complaint.policy_version)
    cells = {
        "employee_number": row.employee.number,
        "employee": row.employee.name,
        "department": row.employee.department.name,
        "number": row.complaint.number,
        "ground": form_text.ground_and_sanctions(row.rule, row.sanctions, pack),
        "cite": row.cite,
        "amount": shown_text(float(penalties.signed_amount(row))) or "",
    }
    for name in ("confirmed_at", "notified_at", "counts_at"):
        at = getattr(row, name)
        if at is not None:
            cells[name] = times.to_text(at, wording.zone())
    return cells
