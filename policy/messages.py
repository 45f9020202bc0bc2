"""Whom an event makes tell what: one answer for notices of the record and for cases that are tried.

A message is for who answers for the case; what was raised to the general manager is for whoever
holds the post that decides. Which ways a message takes to somebody is no question of the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy.changes import Effect
from policy.events import Happening
from policy.facts import CaseFacts
from policy.lifecycle import Status
from policy.pack import Pack


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told once: its kind, what caused it, and to whom.

    `occasion` is the same for the same cause, so that nobody is told twice. `employee` and
    `department` are those of the case; a message to a `post` is for its holders alone.
    """

    kind: str
    occasion: str
    employee: str | None
    department: str | None
    post: str | None = None


_TELLS = {
    "dispatched": "dispatched",
    "restarted": "restarted",
    "replied": "to_confirm",
}


def messages(
    event: Happening, effects: Sequence[Effect], after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Message]:
    """What is to be told after the `seq`-th event of a case; nothing of a case that is history."""
    if after.history:
        return
    who, where = after.responsible, after.department
    if event.type in _TELLS:
        yield Message(_TELLS[event.type], str(seq), who, where)
    for effect in effects:
        if effect.kind == "breached":
            key = f"{effect.key}/{effect.facts['round']}/{effect.facts['breached_at'].isoformat()}"
            yield Message("breached", key, who, where)
    if event.type == "confirmed" and after.status is Status.intervened:
        decides = next((entry.by[0] for entry in pack.signoffs.get("decided", ())), None)
        yield Message("to_decide", str(seq), None, where, decides)
