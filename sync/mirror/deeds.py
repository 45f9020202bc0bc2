"""Cells of a row into deeds: which cells belong together, what is still missing, which service.

Cells are state, deeds are events. A group of cells becomes its deed once all it needs is there
and stood unchanged for one look; afterwards a change of them is a correction, until the next step.
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
from sync.mirror.merge import Value
from sync.mirror.parsing import Unreadable
from wording import workbook_text


@dataclass(frozen=True, slots=True)
class ParsedInput:
    """What an input means: the text its cell will show, and the value a service is called with."""

    shown: Value
    value: object = None


Inputs = Mapping[str, ParsedInput]


@dataclass(frozen=True, slots=True)
class DeedContext:
    """A row that deeds are done for: its case, the department's sheet, and when it was typed.

    `at` is when the file was saved; `since` is the last look before, so it was typed in between.
    """

    session: Session
    complaint: Complaint
    actor: Actor
    since: dt.datetime
    at: dt.datetime
    now: dt.datetime
    ours: Mapping[str, str]


CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""So much the clock of who types may be ahead of ours."""

Deed = Callable[[DeedContext, Inputs], str]
"""Does it and says the name of what was done; raises a DomainError or Unreadable."""


@dataclass(frozen=True, slots=True)
class CellGroup:
    """Cells that belong to one deed. `missing` names those it still waits for.

    It is told which of them are frozen: they show something else than what we say, so what we say
    must not be taken for what stands there. `needs` are cells of other groups whose deed has to
    come first.
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
    """A typed time counts only since the last look; an earlier one is kept in the history.

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
    """The department's answer; changed before the next step, it is corrected."""
    outcome = _outcome(inputs, doing.ours)
    text = _text(inputs, doing.ours, outcome)
    if outcome == workbook_text.RETURNED:
        handling.return_order(**_common(doing), at=doing.at, reason=text)
        return "returned"
    until = inputs["until"].value if "until" in inputs else None
    assert until is None or isinstance(until, dt.datetime)
    said = {"outcome": outcome, "text": text, "until": until}
    before = correcting.last_own_deed(doing.session, doing.complaint, "replied", actor=doing.actor)
    if before is not None and doing.complaint.status is not Status.dispatched:
        _correct(doing, before.seq, said)
        return "corrected"
    handling.reply(
        **_common(doing), at=doing.at, outcome=ReplyOutcome(outcome), text=text, until=until
    )
    return "replied"


def _correct(doing: DeedContext, target: int, said: Mapping[str, object]) -> None:
    """Let the answer say what its cells say now."""
    changes = {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in said.items()
        if value is not None
    }
    reason = workbook_text.changed_in_workbook()
    correcting.correct(**_common(doing), target=target, changes=changes, reason=reason)


def _common(doing: DeedContext) -> dict[str, Any]:
    """What every service wants to know."""
    return {
        "session": doing.session,
        "complaint": doing.complaint,
        "actor": doing.actor,
        "now": doing.now,
    }


def _outcome(inputs: Inputs, ours: Mapping[str, str]) -> str | None:
    """The result's key, as typed or as it stood."""
    if "outcome" in inputs:
        return str(inputs["outcome"].value)
    labels = {label: key for key, label in workbook_text.reply_outcomes().items()}
    return labels.get(ours.get("outcome", ""))


def _text(inputs: Inputs, ours: Mapping[str, str], outcome: str | None) -> str:
    """What the answer says: of an extension why, and after it whatever else was explained."""
    wish = outcome == ReplyOutcome.extension.value
    parts = [_now(name, inputs, ours) for name in (("until_reason",) if wish else ())]
    if not wish or "answer" in inputs:
        parts.append(_now("answer", inputs, ours))
    return "\n".join(part for part in parts if part)


def _now(name: str, inputs: Inputs, ours: Mapping[str, str]) -> str | None:
    return inputs[name].shown if name in inputs else ours.get(name)


# ---------------------------------------------------------------- what is missing


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
    return tuple(n for n in needed if n in frozen or not _now(n, inputs, ours))


GROUPS = (
    CellGroup(("contacted_at",), _contact, _nothing),
    CellGroup(("handler",), _assign, _nothing),
    CellGroup(("progress",), _progress, _nothing),
    CellGroup(("outcome", "answer", "until", "until_reason"), _answer, _for_answer, ("handler",)),
)
"""The deeds a row can carry, in the order in which they are done."""
