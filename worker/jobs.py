"""The jobs: the work of each chore in its turn. Each commits in portions and lets others in."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import notify
import wording
from config import Settings
from database import reading, writing
from models import WorkRequest
from policy.vocabulary.errors import DomainError, TrialFailed
from services.cases import recounting, sweep
from services.company.actors import SYSTEM
from services.jobs import requests
from services.jobs.leases import LeaseLost
from services.jobs.pauses import with_pauses
from services.notices import deliveries, reminders
from services.regulation import draft_checks
from services.reports import whatif
from worker import holders, loop
from worker.loop import Turn
from worker.workbooks import Mirrors

logger = logging.getLogger(__name__)

SENDING_S = 5.0
TRYING_S = 5.0


def sweep_cases(turn: Turn) -> None:
    """Let time pass for every case it changes, each in a transaction of its own."""
    tried: set[str] = set()
    while fresh := [number for number in _due_numbers(turn, len(tried)) if number not in tried]:
        for number in with_pauses(fresh):
            _do(turn, sweep.pass_time, number, failed="time could not pass for case %s")
        tried.update(fresh)


def _due_numbers(turn: Turn, tried: int) -> list[str]:
    with reading(turn.engine) as session:
        return sweep.due_cases(session, now=loop.now(), tried=tried)


def pass_cases_on(turn: Turn) -> None:
    """Pass open cases on to who leads their departments today, each in its own transaction."""
    with reading(turn.engine) as session:
        numbers = sweep.cases_to_pass_on(session, now=loop.now())
    for number in with_pauses(numbers):
        _do(turn, sweep.pass_on, number, failed="case %s could not be passed on")


def _do(turn: Turn, deed: Callable[..., Any], number: str, *, failed: str) -> None:
    """Do something to a case in a transaction of its own; where it fails the others go on."""
    try:
        with turn.writing() as session:
            deed(session, number, now=loop.now())
    except LeaseLost:
        raise
    except Exception:
        logger.exception(failed, number)


def recount_cases(turn: Turn) -> None:
    """Recount open cases where a request asks for it, each in a transaction of its own."""
    with reading(turn.engine) as session:
        if not requests.open_requests(session, kind=recounting.REQUEST):
            return
    with turn.writing() as session:
        asked = [row.id for row in requests.claim(session, kind=recounting.REQUEST, now=loop.now())]
        why = recounting.last_reason(session)
    with reading(turn.engine) as session:
        numbers = recounting.outdated_cases(session, now=loop.now())
    recount = partial(recounting.recount, reason=why, actor=SYSTEM)
    for number in with_pauses(numbers):
        _do(turn, recount, number, failed="the terms of case %s could not be counted anew")
    with turn.writing() as session:
        for id_ in asked:
            requests.finish(session, session.get_one(WorkRequest, id_), now=loop.now())


@dataclass
class LookAtFiles:
    """Looks at every workbook; each look runs under a lease of its own."""

    settings: Settings
    mirrors: Mirrors | None = None

    def __call__(self, turn: Turn) -> None:
        if self.mirrors is None:
            self.mirrors = Mirrors(turn.engine, self.settings, holders.own())
        self.mirrors.look(patience_s=self.settings.sheet_seconds)


@dataclass(frozen=True)
class SendNotices:
    """Adds reminders, makes deliveries of new notices and sends those that are due.

    The network is touched outside any transaction, and for a few seconds a turn only: a mail server
    that is away must not hold up the sweep.
    """

    settings: Settings

    def __call__(self, turn: Turn) -> None:
        self._announce(turn)
        with turn.writing() as session:
            mails = self.settings.mail is not None
            deliveries.make_deliveries(session, now=loop.now(), on=self._today(), mails=mails)
        with reading(turn.engine) as session:
            waiting = deliveries.due_deliveries(session, now=loop.now())
        until = time.monotonic() + SENDING_S
        for delivery_id in waiting:
            self._send(turn, delivery_id)
            if time.monotonic() > until:
                return

    def _today(self) -> dt.date:
        return loop.now().astimezone(self.settings.zone).date()

    def _announce(self, turn: Turn) -> None:
        within = dt.timedelta(hours=self.settings.due_soon_hours)
        try:
            with turn.writing() as session:
                reminders.remind_of_deadlines(
                    session, now=loop.now(), on=self._today(), within=within
                )
        except LeaseLost:
            raise
        except Exception:
            # A deadline that cannot be read must not hold back the other notices.
            logger.exception("terms that end soon could not be announced")

    def _send(self, turn: Turn, delivery_id: int) -> None:
        with turn.writing() as session:
            going = deliveries.begin_try(session, delivery_id, now=loop.now(), on=self._today())
        if going is None:
            return
        why = self._try(going)
        # What happened is written down even when the lease was lost meanwhile: it did happen.
        with writing(turn.engine) as session:
            if why is None:
                deliveries.mark_sent(session, delivery_id, now=loop.now())
            else:
                deliveries.mark_failed(session, delivery_id, why=why)

    def _try(self, going: deliveries.Outgoing) -> str | None:
        """Return why the far end did not take a delivery, or None when it did."""
        try:
            self._deliver(going)
        except notify.NotDelivered as failure:
            why = failure.why
        except Exception as error:  # noqa: BLE001  # a far end may raise anything
            # Its text may carry an address, and an address is a secret.
            why = f"unreachable: {type(error).__name__}"
        else:
            return None
        logger.warning("notice %s was not delivered: %s", going.delivery_id, why.split(":")[0])
        return why

    def _deliver(self, going: deliveries.Outgoing) -> None:
        with wording.speaking(self.settings.language, self.settings.zone):
            message = notify.Message(
                wording.notice_title(going.kind, going.facts),
                wording.notice_text(going.kind, going.facts, self.settings.link_base),
            )
        if going.channel_address is not None:
            notify.deliver(going.channel_address, message)
        elif self.settings.mail is None or going.email is None:
            raise notify.NotDelivered("no_mail_server")
        else:
            notify.send_mail(self.settings.mail.get_secret_value(), message, to=going.email)


def try_versions(turn: Turn) -> None:
    """Judge past cases under the versions that requests name, a few seconds a turn.

    Judging holds no lock: a batch is read and judged first and then written down.
    """
    with turn.writing() as session:
        waiting = whatif.claim_waiting(session, now=loop.now())
    until = time.monotonic() + TRYING_S
    for what_if_id, request_id in waiting:
        _try_version(turn, what_if_id, request_id, until=until)


def _try_version(turn: Turn, what_if_id: int, request_id: int, *, until: float) -> None:
    more = True
    while more and time.monotonic() < until:
        try:
            with reading(turn.engine) as session:
                found = whatif.judge_next_batch(session, what_if_id, now=loop.now())
        except Exception as error:  # noqa: BLE001  # any failure is reported
            refusal = error if isinstance(error, DomainError) else _unforeseen(error)
            with turn.writing() as session:
                whatif.fail(session, what_if_id, request_id, refusal=refusal, now=loop.now())
            return
        with turn.writing() as session:
            more = whatif.store_batch(session, what_if_id, request_id, found=found, now=loop.now())
    if more:
        with turn.writing() as session:
            whatif.release(session, request_id)


def _unforeseen(error: Exception) -> TrialFailed:
    logger.error("a version could not be tried", exc_info=error)
    return TrialFailed(kind=type(error).__name__)


def check_drafts(turn: Turn) -> None:
    """Check the drafts that requests name; walking their states holds no transaction."""
    with reading(turn.engine) as session:
        if not requests.open_requests(session, kind=draft_checks.CHECK):
            return
    with turn.writing() as session:
        asked = [row.id for row in requests.claim(session, kind=draft_checks.CHECK, now=loop.now())]
    for request_id in asked:
        try:
            _check_draft(turn, request_id)
            failure = None
        except LeaseLost:
            raise
        except Exception as error:
            # One draft that cannot be looked at must not keep the others waiting.
            logger.exception("a draft could not be checked")
            failure = type(error).__name__
        with turn.writing() as session:
            row = session.get_one(WorkRequest, request_id)
            requests.finish(session, row, now=loop.now(), failure=failure)


def _check_draft(turn: Turn, request_id: int) -> None:
    with reading(turn.engine) as session:
        version_id = int(session.get_one(WorkRequest, request_id).key)
        work = draft_checks.check_input(session, version_id)
    if work is not None:
        found = draft_checks.slow_findings(work)
        with turn.writing() as session:
            draft_checks.store_findings(
                session, version_id, work.content, found=found, now=loop.now()
            )
