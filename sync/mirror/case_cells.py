"""What the record says of a case, as the texts of its row's cells.

A few statements for any number of cases. Times are local and to the minute; the language is the
one being spoken (`wording.speaking`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

import wording
from models import Complaint, PolicyVersion, Signoff
from policy.pack.schema import Pack
from policy.vocabulary.status import ReplyOutcome, Status
from services.cases import journal
from services.regulation import declared, policies
from wording import form_text, workbook_text

BATCH = 500
_TOLD = ("progressed", "replied", "restarted")
_ANSWERED = frozenset(Status) - {Status.registered, Status.returned, Status.dispatched}


def texts(session: Session, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The cells of cases by their id, by field; an empty cell is not there.

    Not among them: `uid` and `hint`, which belong to the file and not to the case.
    """
    found: dict[int, dict[str, str]] = {}
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        told = _told(session, some)
        rows = session.scalars(_with_people(some)).unique().all()
        packs = {one.id: policies.pack(session, one.policy_version) for one in rows}
        forms = {form.key for pack in packs.values() for form in pack.form if not form.alone}
        filled = declared.last_entries(session, some, forms)
        for complaint in rows:
            pack = packs[complaint.id]
            cells = _cells(complaint, pack, told.get(complaint.id, {}))
            found[complaint.id] = cells | _declared(complaint, pack, filled.get(complaint.id, {}))
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


Told = Mapping[str, Mapping[str, Any]]
"""The last progress and the last reply of a case's round, as their events say it."""


def _told(session: Session, ids: Sequence[int]) -> dict[int, Told]:
    """What was last told of each case in its present round."""
    return {case: _last(said) for case, said in journal.lines_of(session, ids, _TOLD).items()}


def _last(said: Iterable[journal.JournalLine]) -> Told:
    last: dict[str, Mapping[str, Any]] = {}
    for one in said:
        if one.row.event == "restarted":
            last = {}
        last[one.row.event] = one.data
    return last


def _cells(complaint: Complaint, pack: Pack, told: Told) -> dict[str, str]:
    """Every field a tab may show of a case, but what belongs to the file."""
    customer = complaint.customer
    said: dict[str, str | None] = {
        "number": complaint.number,
        "next_step": workbook_text.next_step(
            complaint.status, provisional=bool(complaint.due_at and complaint.due_provisional)
        ),
        "status": wording.label(complaint.status),
        "grade": complaint.grade,
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
        said[name] = wording.moment(at) if at else None
    said |= _answer(complaint, told)
    return {name: text for name, text in said.items() if text}


def _answer(complaint: Complaint, told: Told) -> dict[str, str | None]:
    """What the department answered in this round; after a refusal the result is empty again."""
    reply = told.get("replied", {})
    progress = told.get("progressed", {})
    answered = complaint.status in _ANSWERED and bool(reply)
    outcome = reply.get("outcome")
    wish = outcome == ReplyOutcome.extension.value
    until = complaint.extensions[-1].until if wish and complaint.extensions else None
    return {
        "progress": progress.get("text"),
        "outcome": wording.label(ReplyOutcome(outcome)) if answered and outcome else None,
        "answer": None if wish else reply.get("text"),
        "until": wording.moment(until) if until and answered else None,
        "until_reason": reply.get("text") if wish else None,
    }


def _confirmed(complaint: Complaint) -> str | None:
    """Who confirmed this round's answer, and when."""
    names = [s for s in complaint.signoffs if s.event == "confirmed" and s.round == complaint.round]
    return f"{names[-1].employee.name} {wording.moment(names[-1].at)}" if names else None


def _feedback(complaint: Complaint) -> str | None:
    """The customer's own words: at closing, else at the last call that brought any."""
    said = [call.text for call in complaint.callbacks if call.text]
    return complaint.feedback or (said[-1] if said else None)


def _declared(complaint: Complaint, pack: Pack, filled: declared.Filled) -> dict[str, str]:
    """What the case says in the fields its own regulation declares, of forms the last filling."""
    said = {
        name: _plain(one.field, one.of(complaint, filled))
        for name, one in declared.declared_fields(pack).items()
    }
    return {name: text for name, text in said.items() if text}


def _plain(field: Any, value: Any) -> str:
    """A value as a person types it: sums and days without a sign, choices by their labels."""
    if isinstance(value, bool):
        return workbook_text.yes_or_no(value)
    if field.shape in ("choice", "choices", "time"):
        return form_text.field_value_text(field, value)
    return "" if value in (None, "", []) else str(value)
