"""Problems with a workbook as a whole: reported once, told to its people, settled when over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from enums import ProblemKind, Resolution
from models import Workbook, WorkbookProblem
from services.notices import notices
from sync.mirror import state
from sync.mirror.merge.guard import Damage
from sync.port import Holder

WRITING = "writing"
"""The fact of a problem that came while the workbook was written, so reading does not end it."""


def report(
    session: Session,
    workbook: Workbook,
    kind: ProblemKind,
    *,
    code: str,
    facts: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    """Add a problem and tell the people of the workbook."""
    found = WorkbookProblem(
        sheet_id=workbook.id, kind=kind, code=code, facts=dict(facts), found_at=now
    )
    session.add(found)
    session.flush()
    notices.add_notice(
        session,
        kind="file_problem",
        occasion=str(found.id),
        now=now,
        workbook=workbook,
        facts={"code": code, "facts": dict(facts)},
    )


def report_damage(
    session: Session, workbook: Workbook, damage: Damage, *, fingerprint: str, now: dt.datetime
) -> None:
    """Report once why a look stopped; the workbook waits until a person decides."""
    workbook.looked_at = now
    workbook.fingerprint = fingerprint
    workbook.settled = False
    for known in state.open_problems(session, workbook):
        if known.kind is ProblemKind.structure and known.code == damage.code:
            # What a person chose could not be done: they have to choose something else.
            known.choice = known.chosen_at = known.chosen_by_id = None
            return
    settle(session, workbook, ProblemKind.structure, now=now)
    facts = {"fingerprint": fingerprint, **damage.facts}
    report(session, workbook, ProblemKind.structure, code=damage.code, facts=facts, now=now)


def settle(
    session: Session,
    workbook: Workbook,
    kind: ProblemKind,
    *,
    now: dt.datetime,
    but: str | None = None,
) -> None:
    """Settle the problems of a kind, all but those with a fact: the workbook is fine again."""
    for known in state.open_problems(session, workbook):
        if known.kind is kind and known.row_id is None and but not in known.facts:
            known.choice = known.choice or Resolution.over
            known.settled_at = now


def settle_read(session: Session, workbook: Workbook, *, now: dt.datetime) -> None:
    """Settle problems that are over once the workbook was read, and copies that a person closed."""
    behind = workbook.file_pass != workbook.pass_number
    settle(session, workbook, ProblemKind.file, now=now, but=WRITING if behind else None)
    for known in state.open_problems(session, workbook):
        if known.kind is ProblemKind.copy and known.choice not in (None, Resolution.sheet):
            known.settled_at = now


def structural(session: Session, workbook: Workbook) -> WorkbookProblem | None:
    """The open problem with the structure of a workbook, for which a person has to decide."""
    problems = state.open_problems(session, workbook)
    return state.workbook_problem(problems, ProblemKind.structure)


def is_trusted(session: Session, workbook: Workbook) -> bool:
    """Whether a person accepted what the guard stopped."""
    found = structural(session, workbook)
    return found is not None and found.choice is Resolution.accept


def tell_held(session: Session, workbook: Workbook, holder: Holder, *, now: dt.datetime) -> None:
    """Tell the people of a workbook that it is open somewhere, which delays our writing."""
    if workbook.file_pass == workbook.pass_number:
        return
    facts = {"who": holder.name, "minutes": int((now - holder.since).total_seconds() // 60)}
    notices.add_notice(
        session,
        kind="file_held",
        occasion=holder.since.isoformat(),
        now=now,
        workbook=workbook,
        facts=facts,
    )
