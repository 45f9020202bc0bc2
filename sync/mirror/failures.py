"""Looks that failed: whatever went wrong becomes a state of the workbook that people see.

A failure may pass by itself, so people are told once it has lasted for a minute. What only a person
can mend is told at once.
"""

from __future__ import annotations

import datetime as dt
import traceback
from pathlib import Path

from sqlalchemy.orm import Session

from enums import ProblemKind
from models import Workbook
from sync.mirror import state, workbook_problems
from sync.mirror.merge.guard import Damage
from sync.port import WorkbookChanged, WorkbookError, WorkbookRefused, WorkbookUnavailable

PATIENCE = dt.timedelta(seconds=50)
"""So long a failure may last before people are told; with the next look it is a minute at most."""

UNEXPECTED = "look_failed"
"""The code of an exception that nobody foresaw."""

TOO_BIG = "too_big"
"""The code of a workbook that takes too long to read."""


def unexpected(error: Exception) -> WorkbookError:
    """The error of the port for an exception that nobody foresaw.

    It tells the kind and the place of the exception. Its text may name a customer, so that stays
    in the log.
    """
    places = [
        f"{Path(one.filename).name}:{one.lineno}"
        for one in traceback.extract_tb(error.__traceback__)
    ]
    return WorkbookRefused(
        UNEXPECTED, error=type(error).__name__, where=places[-1] if places else ""
    )


def report(
    session: Session,
    workbook: Workbook,
    error: WorkbookError,
    *,
    fingerprint: str | None,
    now: dt.datetime,
) -> None:
    """Report why a look failed: once, and only after a minute where it may pass by itself.

    A workbook that stays unreadable although nobody writes it any more is damaged.
    """
    workbook.looked_at = now
    standing = _standing(workbook, fingerprint, now=now)
    broken = error.code == "half_written" and now - standing >= PATIENCE
    if fingerprint is not None and (broken or error.code == TOO_BIG):
        # It is read again once somebody saved it or chose what becomes of it.
        damage = Damage("damaged" if broken else TOO_BIG, {})
        workbook_problems.report_damage(session, workbook, damage, fingerprint=fingerprint, now=now)
        return
    if _may_pass(error) and now - _failing_since(workbook, now=now) < PATIENCE:
        return
    structural = error.code == "mark_gone" or isinstance(error, WorkbookChanged)
    kind = ProblemKind.structure if structural else ProblemKind.file
    for known in state.open_problems(session, workbook):
        if known.kind is kind and known.code == error.code:
            return
    workbook_problems.report(session, workbook, kind, code=error.code, facts=error.facts, now=now)


def end(workbook: Workbook) -> None:
    """Note that a look ended well."""
    workbook.failing = None


def _may_pass(error: WorkbookError) -> bool:
    return isinstance(error, WorkbookUnavailable) or error.code in (UNEXPECTED, "hard_linked")


def _standing(workbook: Workbook, fingerprint: str | None, *, now: dt.datetime) -> dt.datetime:
    """Note a failure; since when the looks at this very file have failed.

    An instant that lies ahead is from before the clock was set back.
    """
    failing = workbook.failing or {"since": now.isoformat()}
    standing = _instant(failing.get("standing"), now=now)
    if standing is None or failing.get("file") != fingerprint:
        standing = now
    since = _instant(failing["since"], now=now) or now
    workbook.failing = {
        "since": since.isoformat(),
        "file": fingerprint,
        "standing": standing.isoformat(),
    }
    return standing


def _failing_since(workbook: Workbook, *, now: dt.datetime) -> dt.datetime:
    """Since when there was no good look; a workbook that never had one waits for nothing."""
    if workbook.complete_at is None:
        return now - PATIENCE
    since = _instant((workbook.failing or {}).get("since"), now=now) or now
    return min(since, workbook.complete_at)


def _instant(text: str | None, *, now: dt.datetime) -> dt.datetime | None:
    found = dt.datetime.fromisoformat(text) if text else None
    return None if found is None or found > now else found
