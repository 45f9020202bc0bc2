"""What-if: a version of a regulation tried on the cases of a period, for the breaches and penalties
it would have given.

Cases are judged in batches of BATCH with the same few statements each, and nothing is written to a
case or a penalty. A user asks, a request wakes the worker, and it goes on behind the last case of
the last batch, so being stopped costs one batch at most. Cases count that were received in the
period under any version of the regulation; history and withdrawn cases do not.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload

from enums import WhatIfState
from models import Complaint, Journal, PolicyVersion, WhatIf, WhatIfCase, WorkRequest
from policy.engine.folding import Calendars, JournalEntry
from policy.pack.schema import Pack
from policy.proof import whatif
from policy.proof.whatif import CaseDifference, Totals
from policy.vocabulary import refusals
from policy.vocabulary.errors import DomainError, DraftChanged, NotFound, PeriodRefused, TrialFailed
from policy.vocabulary.events import load_event
from policy.vocabulary.status import Status
from policy.vocabulary.worktime import WorkCalendar
from services.calendar import working_calendar
from services.cases import record
from services.jobs import requests
from services.regulation import policies

KIND = "what_if"
BATCH = 200
EARLIEST_ON, LATEST_ON = dt.date(2000, 1, 1), dt.date(2200, 1, 1)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """A case as judged under the tried version: the difference, or the refusal to judge it."""

    complaint_id: int
    number: str
    was: Pack
    difference: CaseDifference | None
    refusal: DomainError | None = None


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """Some judged cases of a period; the next batch begins after `last_id`, None at the end."""

    judged: tuple[JudgedCase, ...]
    pack: Pack
    last_id: int | None


# ---------------------------------------------------------------- asking


def request_whatif(
    session: Session,
    version: PolicyVersion,
    *,
    from_on: dt.date,
    until_on: dt.date,
    user_id: int | None,
    now: dt.datetime,
) -> WhatIf:
    """Ask the worker to try a version on the cases received from a day to a day, both included.

    Raises PeriodRefused, and PackRefused for a draft that is no whole regulation yet.
    """
    check_period(from_on, until_on)
    pack = policies.pack(session, version)
    calendar = working_calendar.work_calendar(session)
    wanted = _cases_of_period(version, from_on, until_on, calendar=calendar).with_only_columns(
        sa.func.count()
    )
    row = WhatIf(
        policy_version=version,
        checksum=pack.checksum,
        from_on=from_on,
        until_on=until_on,
        asked_by_id=user_id,
        asked_at=now,
        state=WhatIfState.waiting,
        cases=session.scalar(wanted) or 0,
        result=Totals().dump(),
    )
    session.add(row)
    session.flush()
    requests.request_work(session, kind=KIND, key=str(row.id), user_id=user_id, now=now)
    return row


def check_period(from_on: dt.date, until_on: dt.date) -> None:
    """Refuse a period that ends before it begins or lies outside any record."""
    if not EARLIEST_ON <= from_on <= until_on <= LATEST_ON:
        field = "from_on" if from_on < EARLIEST_ON else "until_on"
        raise PeriodRefused(field=field, from_on=from_on, until_on=until_on)


def _cases_of_period(
    version: PolicyVersion, from_on: dt.date, until_on: dt.date, *, calendar: WorkCalendar
) -> sa.Select[Any]:
    """Return the cases of a period, oldest row first."""
    begin, end = calendar.span(from_on, until_on)
    return (
        sa.select(Complaint)
        .join(Complaint.policy_version)
        .where(PolicyVersion.policy_id == version.policy_id)
        .where(Complaint.received_at >= begin, Complaint.received_at < end)
        .where(sa.not_(Complaint.history), Complaint.status != Status.withdrawn)
    )


# ---------------------------------------------------------------- judging


def judge_batch(
    session: Session,
    version: PolicyVersion,
    pack: Pack,
    *,
    from_on: dt.date,
    until_on: dt.date,
    after_id: int = 0,
    now: dt.datetime,
    size: int = BATCH,
) -> JudgedBatch:
    """Judge the next `size` cases of a period behind `after_id` under a version's pack."""
    calendar = working_calendar.work_calendar(session)
    statement = (
        _cases_of_period(version, from_on, until_on, calendar=calendar)
        .where(Complaint.id > after_id)
        .options(contains_eager(Complaint.policy_version), *record.WITH_ALL)
        .order_by(Complaint.id)
        .limit(size)
    )
    complaints = list(session.scalars(statement))
    pictures = record.facts_of_many(session, complaints)
    journals = _journals(session, [complaint.id for complaint in complaints])
    past = working_calendar.history(session)
    judged = []
    for complaint, facts in zip(complaints, pictures, strict=True):
        was = policies.pack(session, complaint.policy_version)
        entries = journals.get(complaint.id, [])
        found, refusal = _difference(facts, entries, was, pack=pack, past=past, now=now)
        judged.append(JudgedCase(complaint.id, complaint.number, was, found, refusal))
    last = complaints[-1].id if len(complaints) == size else None
    return JudgedBatch(tuple(judged), pack, last)


def _journals(session: Session, ids: Sequence[int]) -> dict[int, list[JournalEntry]]:
    rows = session.execute(
        sa.select(Journal.complaint_id, Journal.seq, Journal.data, Journal.recorded_at)
        .where(Journal.complaint_id.in_(ids))
        .order_by(Journal.complaint_id, Journal.seq)
    )
    found: dict[int, list[JournalEntry]] = {}
    for complaint_id, seq, data, recorded_at in rows:
        found.setdefault(complaint_id, []).append(JournalEntry(seq, load_event(data), recorded_at))
    return found


def _difference(
    facts: Any,
    entries: Sequence[JournalEntry],
    was: Pack,
    *,
    pack: Pack,
    past: Calendars,
    now: dt.datetime,
) -> tuple[CaseDifference | None, DomainError | None]:
    """Return the difference, or why the case cannot be judged. A fault of ours stops no
    other case.
    """
    try:
        calendar = past(now)
        before = whatif.settle_until(facts, was, calendar, now=now)
        after = whatif.replay_under(entries, pack, calendar, now=now, calendars=past)
    except DomainError as refusal:
        return None, refusal
    except Exception as fault:
        log.exception("case %s could not be judged under another version", facts.number)
        return None, TrialFailed(kind=type(fault).__name__)
    return whatif.compare_pictures(before, after), None


# ---------------------------------------------------------------- the worker's turn


def claim_waiting(session: Session, *, now: dt.datetime) -> list[tuple[int, int]]:
    """Claim the what-if runs that no worker works on: pairs of a run's id and its request's."""
    return [(int(row.key), row.id) for row in requests.claim(session, kind=KIND, now=now)]


def judge_next_batch(session: Session, what_if_id: int, *, now: dt.datetime) -> JudgedBatch:
    """Judge the next batch of a run. Raises DraftChanged and every error that stops the
    whole run.
    """
    row = find(session, what_if_id)
    version = row.policy_version
    pack = policies.pack(session, version)
    if pack.checksum != row.checksum:
        raise DraftChanged(version=str(version))
    return judge_batch(
        session,
        version,
        pack,
        from_on=row.from_on,
        until_on=row.until_on,
        after_id=row.after_id,
        now=now,
    )


def find(session: Session, what_if_id: int) -> WhatIf:
    """Return a what-if run. Raises NotFound."""
    found = session.get(WhatIf, what_if_id, options=[joinedload(WhatIf.policy_version)])
    if found is None:
        raise NotFound(what="what_if", key=str(what_if_id))
    return found


def store_batch(
    session: Session, what_if_id: int, request_id: int, *, found: JudgedBatch, now: dt.datetime
) -> bool:
    """Store a judged batch and return whether there is more. After the last one the run is done."""
    row = session.get_one(WhatIf, what_if_id, with_for_update=True)
    totals = Totals.load(row.result)
    session.add_all(
        WhatIfCase(
            what_if_id=row.id, complaint_id=case.complaint_id, refused="refusal" in said, data=said
        )
        for case, said in add_to_totals(found, totals)
    )
    row.result = totals.dump()
    row.looked_at += len(found.judged)
    row.state = WhatIfState.running
    if found.last_id is not None:
        row.after_id = found.last_id
        session.flush()
        return True
    row.state, row.made_at = WhatIfState.done, now
    requests.finish(session, session.get_one(WorkRequest, request_id), now=now)
    return False


def release(session: Session, request_id: int) -> None:
    """Release the run's request, so that the next turn of a worker goes on."""
    requests.release(session, session.get_one(WorkRequest, request_id))


def fail(
    session: Session, what_if_id: int, request_id: int, *, refusal: DomainError, now: dt.datetime
) -> None:
    """Record the refusal that keeps a run from being finished."""
    row = session.get(WhatIf, what_if_id)
    if row is not None:
        row.state, row.made_at = WhatIfState.failed, now
        row.failure = refusals.dump_refusal(refusal)
    request = session.get_one(WorkRequest, request_id)
    requests.finish(session, request, now=now, failure=refusal.code)


# ---------------------------------------------------------------- what is kept of a case


def add_to_totals(
    found: JudgedBatch, totals: Totals
) -> Iterator[tuple[JudgedCase, dict[str, Any]]]:
    """Add a batch to the totals; yields each case that differs or cannot be judged, with
    its data.
    """
    for case in found.judged:
        if case.difference is None:
            totals.refuse()
        else:
            totals.add(case.difference, case.was, found.pack)
        if case.difference is None or case.difference:
            yield case, difference_as_json(case, found.pack)


def difference_as_json(case: JudgedCase, pack: Pack) -> dict[str, Any]:
    """Return the difference of a case as JSON data, with the labels of the versions it comes from.

    `before` are those of the version the case was under, `pack` the one that was tried.
    """
    if case.difference is None:
        assert case.refusal is not None
        return {"refusal": refusals.dump_refusal(case.refusal)}
    one, was = case.difference, case.was
    return {
        "late": {
            "added": [_late(late, pack) for late in one.late_added],
            "removed": [_late(late, was) for late in one.late_removed],
        },
        "charges": {
            "added": [_sum(sum_, pack) for sum_ in one.sums_added],
            "removed": [_sum(sum_, was) for sum_ in one.sums_removed],
        },
        "facts": [
            {"name": name, "before": _fact(name, a, was), "after": _fact(name, b, pack)}
            for name, (a, b) in one.facts.items()
        ],
        "yuan": {"before": str(one.before.yuan), "after": str(one.after.yuan)},
    }


def _late(late: whatif.Lateness, pack: Pack) -> dict[str, Any]:
    entry = pack.find("deadline", late.key)
    return {
        "key": late.key,
        "label": pack.label("deadline", late.key),
        "clause": entry.cite if entry else "",
        "round": late.round,
        "breached_at": late.breached_at.isoformat(),
    }


def _sum(sum_: whatif.PenaltySum, pack: Pack) -> dict[str, Any]:
    entry = pack.find("penalty", sum_.rule)
    return {
        "rule": sum_.rule,
        "label": pack.label("penalty", sum_.rule),
        "clause": entry.cite if entry else "",
        "employee": sum_.employee,
        "yuan": str(sum_.yuan),
    }


def _fact(name: str, key: str | None, pack: Pack) -> Mapping[str, str] | None:
    """Return a fact with its label; a status is an enumeration, which the page that shows it
    labels.
    """
    section = whatif.COMPARED_FACTS[name]
    if key is None:
        return None
    return {"key": key, "label": pack.label(section, key) if section else key}
