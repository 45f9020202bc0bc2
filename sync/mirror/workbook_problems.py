"""Problems with a workbook as a whole: reported once, told to its people, settled when over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from enums import ProblemKind, Resolution
from models import Workbook, WorkbookProblem
from services.notices import notices
from sync.mirror import state
from sync.mirror.merge.matching import Damage
from sync.port import Holder, WorkbookChanged, WorkbookError, WorkbookUnavailable

PATIENCE = dt.timedelta(seconds=60)
"""So long a workbook may be half written or busy before people are told."""
OF_WRITING = frozenset({"not_writable", "disk_full"})
"""Problems that are over once the workbook was written, and not already when it can be read."""


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


def report_error(
    session: Session, workbook: Workbook, error: WorkbookError, *, now: dt.datetime
) -> None:
    """Report an error of the port once; one that may pass by itself only after a while."""
    workbook.looked_at = now
    structural = error.code == "mark_gone" or isinstance(error, WorkbookChanged)
    kind = ProblemKind.structure if structural else ProblemKind.file
    since = workbook.complete_at or now - PATIENCE
    if isinstance(error, WorkbookUnavailable) and now - since < PATIENCE:
        return
    for known in state.open_problems(session, workbook):
        if known.kind is kind and known.code == error.code:
            return
    report(session, workbook, kind, code=error.code, facts=error.facts, now=now)


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
    but: Collection[str] = (),
) -> None:
    """Settle the problems of a kind, all but some codes: the workbook is fine again."""
    for known in state.open_problems(session, workbook):
        if known.kind is kind and known.row_id is None and known.code not in but:
            known.choice = known.choice or Resolution.over
            known.settled_at = now


def settle_read(session: Session, workbook: Workbook, *, now: dt.datetime) -> None:
    """Settle problems that are over once the workbook was read, and copies that a person closed."""
    behind = workbook.file_pass != workbook.pass_number
    settle(session, workbook, ProblemKind.file, now=now, but=OF_WRITING if behind else ())
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
