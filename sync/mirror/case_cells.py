"""The cells of a case's row: the texts that the record has for them.

Any number of cases takes a few statements. Times are local and to the minute, in the language of
`wording.speaking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

import wording
from models import Complaint, PolicyVersion, Signoff
from policy.pack.schema import Pack
from policy.vocabulary.line_ends import one_line_end
from policy.vocabulary.status import ReplyOutcome, Status
from services.cases import journal
from services.regulation import declared, policies
from sync.mirror.parsing import times
from wording import form_text, workbook_text

BATCH = 500
_EVENTS = ("progressed", "replied", "restarted")
_ANSWERED = frozenset(Status) - {Status.registered, Status.returned, Status.dispatched}


def texts(session: Session, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The filled cells of cases, by id of the case and by field.

    `uid` and `hint` are not among them: they belong to the workbook and not to the case. Lines end
    as a spreadsheet ends them, also in texts of old cases.
    """
    found: dict[int, dict[str, str]] = {}
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        events = _last_events(session, some)
        rows = session.scalars(_with_people(some)).unique().all()
        packs = {one.id: policies.pack(session, one.policy_version) for one in rows}
        forms = {form.key for pack in packs.values() for form in pack.form if not form.alone}
        filled = declared.last_entries(session, some, forms)
        for complaint in rows:
            pack = packs[complaint.id]
            cells = _cells(complaint, pack, events.get(complaint.id, {}))
            cells |= _declared(complaint, pack, filled.get(complaint.id, {}))
            found[complaint.id] = {name: one_line_end(text) for name, text in cells.items()}
    return found


def _with_people(ids: Sequence[int]) -> sa.Select[Complaint]:
    return (
        sa.select(Complaint)
        .where(Complaint.id.in_(ids))
        .options(
            joinedload(Complaint.customer),
            joinedload(Complaint.handler),
            joinedload(Complaint.policy_version).joinedload(PolicyVersion.policy),
            selectinload(Complaint.callbacks),
            selectinload(Complaint.extensions),
            selectinload(Complaint.signoffs).joinedload(Signoff.employee),
        )
        .execution_options(populate_existing=True)
    )


LastEvents = Mapping[str, Mapping[str, Any]]
"""The data of the last progress and the last reply in the present round of a case."""


def _last_events(session: Session, ids: Sequence[int]) -> dict[int, LastEvents]:
    """The last progress and reply of each case."""
    return {case: _last(lines) for case, lines in journal.lines_of(session, ids, _EVENTS).items()}


def _last(lines: Iterable[journal.JournalLine]) -> LastEvents:
    last: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if line.row.event == "restarted":
            last = {}
        last[line.row.event] = line.data
    return last


def _cells(complaint: Complaint, pack: Pack, events: LastEvents) -> dict[str, str]:
    """Every field of a case that a tab may show."""
    customer = complaint.customer
    cells: dict[str, str | None] = {
        "number": complaint.number,
        "next_step": workbook_text.next_step(
            complaint.status, provisional=bool(complaint.due_at and complaint.due_provisional)
        ),
        "status": wording.label(complaint.status),
        "grade": pack.label("severity", complaint.grade) if complaint.grade else None,
        "channel": pack.label("channel", complaint.channel) if complaint.channel else None,
        "customer": customer.name if customer else None,
        "phone": customer.phone if customer else None,
        "body": complaint.body or complaint.subject,
        "demand": complaint.demand,
        "handler": str(complaint.handler) if complaint.handler else None,
        "round": str(complaint.round),
        "feedback": _feedback(complaint),
        "confirmed": _confirmed(complaint),
    }
    for name in ("due_at", "received_at", "contacted_at", "closed_at"):
        at = getattr(complaint, name)
        cells[name] = times.to_text(at, wording.zone()) if at else None
    cells |= _answer(complaint, events)
    return {name: text for name, text in cells.items() if text}


def _answer(complaint: Complaint, events: LastEvents) -> dict[str, str | None]:
    """The answer of the department in this round; after a refusal its result is empty again."""
    reply = events.get("replied", {})
    progress = events.get("progressed", {})
    answered = complaint.status in _ANSWERED and bool(reply)
    outcome = reply.get("outcome")
    wish = outcome == ReplyOutcome.extension.value
    until = complaint.extensions[-1].until if wish and complaint.extensions else None
    return {
        "progress": progress.get("text"),
        "outcome": wording.label(ReplyOutcome(outcome)) if answered and outcome else None,
        "answer": None if wish else reply.get("text"),
        "until": times.to_text(until, wording.zone()) if until and answered else None,
        "until_reason": reply.get("text") if wish else None,
    }


def _confirmed(complaint: Complaint) -> str | None:
    """The person who confirmed the answer of this round, and the time."""
    names = [s for s in complaint.signoffs if s.event == "confirmed" and s.round == complaint.round]
    return f"{names[-1].employee.name} {wording.moment(names[-1].at)}" if names else None


def _feedback(complaint: Complaint) -> str | None:
    """The words of the customer: at closing, else at the last callback that has any."""
    words = [call.text for call in complaint.callbacks if call.text]
    return complaint.feedback or (words[-1] if words else None)


def _declared(complaint: Complaint, pack: Pack, filled: declared.Filled) -> dict[str, str]:
    """The fields that the case's own regulation declares; of a form, its last filling."""
    cells = {
        name: _plain(one.field, one.of(complaint, filled))
        for name, one in declared.declared_fields(pack).items()
    }
    return {name: text for name, text in cells.items() if text}


def _plain(field: Any, value: Any) -> str:
    """A value as a person would type it: no sign with sums and days, choices by their labels."""
    if isinstance(value, bool):
        return workbook_text.yes_or_no(value)
    if field.shape in ("choice", "choices", "time"):
        return form_text.field_value_text(field, value)
    return "" if value in (None, "", []) else str(value)
