"""The workbooks of a company: makes those that are missing and looks at each under its own lease.

The worker looks every few seconds, `flask sync` once. Of several workers one looks at a workbook
at a time; once its lease is over, its commits are refused.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import wording
from config import Settings
from database import reading, writing
from enums import Audience
from models import Workbook
from services.jobs import leases, requests
from services.jobs.leases import LeaseLost
from services.workbooks import layout
from services.workbooks.looks import LOOK, UNLOCK
from sync.mirror import failures
from sync.mirror.look import LookOutcome, Mirror
from sync.port import WorkbookError, WorkbookRefused
from sync.workbook.adapter import WorkbookFile
from wording import workbook_text
from worker import holders
from worker.sheet_folder import SheetFolder

log = logging.getLogger(__name__)

TERM = dt.timedelta(minutes=2)
FOUND_EVERY = dt.timedelta(minutes=1)
PAUSE_S = 0.5
"""The pause between two portions of a big paste, in which others write."""
SIDE_BY_SIDE = 8
"""The most workbooks at which one worker looks at a time."""


@dataclass(frozen=True)
class RunningLook:
    """A look that runs; `began_s` is of a clock that never goes back."""

    workbook_id: int
    ended: Future[LookOutcome | None]
    began_s: float


@dataclass
class Mirrors:
    """The workbooks of `settings`; `holder` is the name of the worker in the leases."""

    engine: Engine
    settings: Settings
    holder: str
    found_at: dt.datetime | None = None
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="workbook")
    )
    running: dict[str, RunningLook] = field(default_factory=dict)
    refusal: WorkbookError | None = None
    strangers: dict[int, set[str]] = field(default_factory=dict)

    def look(self, *, patience_s: float | None = None) -> dict[str, LookOutcome]:
        """Look at every workbook at which nobody looks yet; how each look ended, by name.

        Looks run side by side. One that takes longer than `patience_s` seconds (None: however
        long) goes on, and keeps neither the others nor their next look waiting.
        """
        self._find_safely()
        self.refusal = self.folder.refusal()
        for workbook_id, name in self._files():
            if name not in self.running:
                ended = self.pool.submit(self._look_at, workbook_id, name)
                self.running[name] = RunningLook(workbook_id, ended, time.monotonic())
        wait([look.ended for look in self.running.values()], timeout=patience_s)
        over = {name: look for name, look in self.running.items() if look.ended.done()}
        self.running = {name: look for name, look in self.running.items() if name not in over}
        for name, look in self.running.items():
            self._report_slow(name, look)
        outcomes = {name: look.ended.result() for name, look in over.items()}
        return {name: outcome for name, outcome in outcomes.items() if outcome is not None}

    def _report_slow(self, name: str, look: RunningLook) -> None:
        """Report a look that does not end, such as one at a share that no longer answers."""
        if time.monotonic() - look.began_s > failures.PATIENCE.total_seconds():
            log.warning("the look at %s does not end", name)
            self._report(look.workbook_id, WorkbookRefused("look_endless"))

    def take_folder(self) -> None:
        """Take the folder for ours, whatever its marker says, and make anew what is gone from it.

        Raises WorkbookRefused where there is no folder.
        """
        self._find_safely()
        self.folder.take()
        for workbook_id, name in self._files():
            if not self.path(name).exists():
                self._look_at(workbook_id, name)  # a file that is gone waits for a second look
                self._look_at(workbook_id, name)

    @cached_property
    def folder(self) -> SheetFolder:
        """The folder in which the workbooks lie."""
        return SheetFolder(self.engine, self.settings)

    def path(self, name: str) -> Path:
        """The path of the workbook of that name."""
        return self.settings.sheets / f"{name}.xlsx"

    def _find_safely(self) -> None:
        """Find new workbooks; a failure must not keep the known ones waiting."""
        try:
            self._find()
        except Exception:
            log.exception("the workbooks of new departments could not be added")

    def _find(self) -> None:
        """Add the workbooks of new departments and of a new year to the record, once a minute."""
        now = _now()
        if self.found_at is not None and abs(now - self.found_at) < FOUND_EVERY:
            return
        on = now.astimezone(self.settings.zone).date()
        with self._speaking(), writing(self.engine) as session:
            layout.add_missing_tabs(
                session, title=workbook_text.tab_title, header=workbook_text.column_header
            )
            layout.add_missing_workbooks(session, on=on, years=(on.year,), name=_name)
        self.found_at = now

    def _files(self) -> list[tuple[int, str]]:
        """Every workbook that is not paused; a request for a look has it read anew."""
        with reading(self.engine) as session:
            asked = any(requests.open_requests(session, kind=kind) for kind in (LOOK, UNLOCK))
            files = session.execute(
                sa.select(Workbook.id, Workbook.name)
                .where(Workbook.paused_at.is_(None))
                .order_by(Workbook.id)
            )
            found = [(workbook_id, name) for workbook_id, name in files]
        if asked:
            self._answer_requests()
        return found

    def _answer_requests(self) -> None:
        with writing(self.engine) as session:
            for row in requests.claim(session, kind=LOOK, now=_now()):
                workbook = session.get(Workbook, int(row.key))
                if workbook is not None:
                    workbook.refreshed_at = None
                requests.finish(session, row, now=_now())
            for row in requests.claim(session, kind=UNLOCK, now=_now()):
                workbook = session.get(Workbook, int(row.key))
                if workbook is not None and workbook.held_since is not None:
                    WorkbookFile(self.path(workbook.name)).remove_locks(workbook.held_since)
                requests.finish(session, row, now=_now())

    def _look_at(self, workbook_id: int, name: str) -> LookOutcome | None:
        """Look at one workbook under its lease; None where another worker does.

        Nothing is raised: one workbook that cannot be looked at must not keep the others waiting.
        """
        try:
            return self._look_under_lease(workbook_id, name)
        except LeaseLost:
            log.warning("sheet:%s took too long and was taken over", workbook_id)
        except Exception as error:
            log.exception("the workbook %s could not be looked at", name)
            self._report(workbook_id, failures.unexpected(error))
        return LookOutcome.failed

    def _look_under_lease(self, workbook_id: int, name: str) -> LookOutcome | None:
        lease = f"sheet:{workbook_id}"
        with writing(self.engine) as session:
            fence = leases.acquire(
                session,
                lease,
                holder=self.holder,
                now=_now(),
                term=TERM,
                is_dead=holders.is_dead,
            )
        if fence is None:
            return None
        try:
            return self._look_in_portions(self._mirror(workbook_id, name, lease, fence=fence))
        finally:
            with writing(self.engine) as session:
                leases.release(session, lease, fence=fence, now=_now())

    def _look_in_portions(self, mirror: Mirror) -> LookOutcome:
        """Look until a big paste is taken in, with a pause for whoever waits for the record."""
        outcome = mirror.look()
        until = time.monotonic() + TERM.total_seconds() / 4
        while mirror.left_over and outcome is LookOutcome.wrote and time.monotonic() < until:
            time.sleep(PAUSE_S)
            outcome = mirror.look()
        return outcome

    def _report(self, workbook_id: int, error: WorkbookError) -> None:
        """Report a failure outside the look itself, such as a home folder that is full."""
        try:
            with self._speaking(), writing(self.engine) as session:
                workbook = session.get_one(Workbook, workbook_id)
                failures.report(session, workbook, error, fingerprint=None, now=_now())
        except Exception:
            log.exception("not even that could be noted")

    def _mirror(self, workbook_id: int, name: str, lease: str, *, fence: int) -> Mirror:
        kept = self.settings.home / "kept" / str(workbook_id)
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Mirror(
            reading=partial(reading, self.engine),
            writing=partial(self._writing, lease, fence),
            port=WorkbookFile(
                self.path(name),
                f"{self.folder.owner.identity}.{workbook_id}",
                check_folder=self.folder.check,
            ),
            refusal=self.refusal,
            workbook_id=workbook_id,
            kept=kept,
            zone=self.settings.zone,
            language=self.settings.language,
            address=self.settings.link_base,
            clock=_now,
            held_after=dt.timedelta(minutes=self.settings.sheet_held_minutes),
            strangers=self.strangers.setdefault(workbook_id, set()),
        )

    @contextmanager
    def _writing(self, lease: str, fence: int) -> Iterator[Session]:
        """A session that commits only while the lease is still ours; raises LeaseLost."""
        with writing(self.engine) as session:
            leases.renew(session, lease, fence=fence, now=_now(), term=TERM)
            yield session

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        with wording.speaking(self.settings.language, self.settings.zone):
            yield


def _name(workbook: Workbook) -> str:
    """The name of a new workbook; characters that a share refuses become blanks."""
    if workbook.audience is Audience.payroll:
        return workbook_text.payroll_workbook_name(workbook.year or 0)
    assert workbook.department is not None
    plain = "".join(" " if sign in '\\/:*?"<>|' else sign for sign in workbook.department.name)
    return workbook_text.workbook_name(plain.strip())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
