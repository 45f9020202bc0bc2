"""Turns cells of a row into deeds: which cells form a group, which are missing, which service.

Cells are state, deeds are events. A group of cells becomes its deed once all needed cells are
filled and stood unchanged for one look. Afterwards a change of them is a correction, until the
next step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models import Complaint
from policy.vocabulary.errors import TimeInFuture
from policy.vocabulary.status import ReplyOutcome, Status
from services.cases import correcting, handling
from services.company.actors import Actor
from sync.mirror.parsing.cell_reader import ParsedInput
from sync.mirror.parsing.texts import Unreadable
from wording import workbook_text

Inputs = Mapping[str, ParsedInput]


@dataclass(frozen=True, slots=True)
class DeedContext:
    """The case of a row, the department as the actor, and the time of its inputs.

    They were typed between `since`, the look before, and `at`, when the workbook was saved.
    """

    session: Session
    complaint: Complaint
    actor: Actor
    since: dt.datetime
    at: dt.datetime
    now: dt.datetime
    ours: Mapping[str, str]


CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""So far the clock of a person who types may be ahead of ours."""

Deed = Callable[[DeedContext, Inputs], str]
"""Does a deed and returns its name. Raises a DomainError or Unreadable."""


@dataclass(frozen=True, slots=True)
class CellGroup:
    """The cells of one deed; `missing` names those for which it still waits.

    Frozen cells show another value than ours, so ours must not be taken for the one in the tab.
    `needs` are cells of other groups whose deed has to come first.
    """

    fields: tuple[str, ...]
    do: Deed
    missing: Callable[[Inputs, Mapping[str, str], Collection[str]], tuple[str, ...]]
    needs: tuple[str, ...] = ()


# ---------------------------------------------------------------- the deeds


def _assign(doing: DeedContext, inputs: Inputs) -> str:
    handling.assign(**_common(doing), at=doing.at, handler=str(inputs["handler"].value))
    return "assigned"


def _contact(doing: DeedContext, inputs: Inputs) -> str:
    """Note the first contact; a typed time before the last look is kept in the history only.

    A time that lies ahead is an appointment and no contact. Raises TimeInFuture.
    """
    if "contacted_at" in doing.ours:
        raise Unreadable("contact_stands")
    stated = inputs["contacted_at"].value
    assert isinstance(stated, dt.datetime)
    if stated > doing.now + CLOCKS_DIFFER:
        raise TimeInFuture(field="at", at=stated)
    counts = doing.since <= stated <= doing.now
    shown = inputs["contacted_at"].shown or ""
    handling.contact(
        **_common(doing),
        at=stated if counts else doing.at,
        text=None if counts else workbook_text.stated_contact(shown),
    )
    return "contacted"


def _progress(doing: DeedContext, inputs: Inputs) -> str:
    handling.progress(**_common(doing), at=doing.at, text=inputs["progress"].shown)
    return "progressed"


def _answer(doing: DeedContext, inputs: Inputs) -> str:
    """Reply or return the order; a reply that changes before the next step is corrected."""
    outcome = _outcome(inputs, doing.ours)
    text = _text(inputs, doing.ours, outcome)
    if outcome == workbook_text.RETURNED:
        handling.return_order(**_common(doing), at=doing.at, reason=text)
        return "returned"
    until = inputs["until"].value if "until" in inputs else None
    assert until is None or isinstance(until, dt.datetime)
    reply = {"outcome": outcome, "text": text, "until": until}
    before = correcting.last_own_deed(doing.session, doing.complaint, "replied", actor=doing.actor)
    if before is not None and doing.complaint.status is not Status.dispatched:
        _correct(doing, before.seq, reply)
        return "corrected"
    handling.reply(
        **_common(doing), at=doing.at, outcome=ReplyOutcome(outcome), text=text, until=until
    )
    return "replied"


def _correct(doing: DeedContext, target: int, reply: Mapping[str, object]) -> None:
    """Correct the reply to what its cells say now."""
    changes = {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in reply.items()
        if value is not None
    }
    reason = workbook_text.changed_in_workbook()
    correcting.correct(**_common(doing), target=target, changes=changes, reason=reason)


def _common(doing: DeedContext) -> dict[str, Any]:
    """The arguments that all services take."""
    return {
        "session": doing.session,
        "complaint": doing.complaint,
        "actor": doing.actor,
        "now": doing.now,
    }


def _outcome(inputs: Inputs, ours: Mapping[str, str]) -> str | None:
    """The key of the result, as typed or as it was."""
    if "outcome" in inputs:
        return str(inputs["outcome"].value)
    labels = {label: key for key, label in workbook_text.reply_outcomes().items()}
    return labels.get(ours.get("outcome", ""))


def _text(inputs: Inputs, ours: Mapping[str, str], outcome: str | None) -> str:
    """The text of the reply: for an extension its reason, followed by any explanation."""
    wish = outcome == ReplyOutcome.extension.value
    parts = [_current(name, inputs, ours) for name in (("until_reason",) if wish else ())]
    if not wish or "answer" in inputs:
        parts.append(_current("answer", inputs, ours))
    return "\n".join(part for part in parts if part)


def _current(name: str, inputs: Inputs, ours: Mapping[str, str]) -> str | None:
    return inputs[name].shown if name in inputs else ours.get(name)


# ---------------------------------------------------------------- missing cells


def _nothing(inputs: Inputs, ours: Mapping[str, str], frozen: Collection[str]) -> tuple[str, ...]:
    return ()


_NEEDED = {
    ReplyOutcome.solved.value: ("handler", "answer"),
    ReplyOutcome.extension.value: ("handler", "until", "until_reason"),
    ReplyOutcome.raise_to_gm.value: ("handler", "answer"),
    workbook_text.RETURNED: ("answer",),
}


def _for_answer(
    inputs: Inputs, ours: Mapping[str, str], frozen: Collection[str]
) -> tuple[str, ...]:
    outcome = _outcome(inputs, ours)
    if outcome is None or "outcome" in frozen:
        return ("outcome",)
    needed = _NEEDED[outcome]
    return tuple(n for n in needed if n in frozen or not _current(n, inputs, ours))


GROUPS = (
    CellGroup(("contacted_at",), _contact, _nothing),
    CellGroup(("handler",), _assign, _nothing),
    CellGroup(("progress",), _progress, _nothing),
    CellGroup(("outcome", "answer", "until", "until_reason"), _answer, _for_answer, ("handler",)),
)
"""The deeds a row can carry, in the order in which they are done."""
