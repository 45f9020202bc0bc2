"""Whether a condition of a pack holds for a case, and for the event that is happening to it."""

from __future__ import annotations

import enum
from typing import Any

from policy.events import Happening
from policy.facts import CaseFacts
from policy.lifecycle import CallPurpose
from policy.pack import Condition, Row

_CALLS = {
    "unhappy": (CallPurpose.verification, "unhappy"),
    "demands_more": (CallPurpose.verification, "demands_more"),
    "satisfaction_unhappy": (CallPurpose.satisfaction, "unhappy"),
}


def holds(condition: Condition, facts: CaseFacts, event: Happening | None = None) -> bool:
    """Whether every row holds; an empty condition always does."""
    return first_failing(condition, facts, event) is None


def first_failing(
    condition: Condition, facts: CaseFacts, event: Happening | None = None
) -> Row | None:
    """The first row that does not hold. Rows about an event are left out where there is none."""
    for row in condition:
        if event is None and row.field.startswith("event."):
            continue
        if not row.holds(look(row.field, facts, event)):
            return row
    return None


def look(field: str, facts: CaseFacts, event: Happening | None) -> Any:
    """What a field of a condition says now: of the event, of the case, of the pack's own."""
    if field.startswith("event."):
        found = getattr(event, field.removeprefix("event."), None)
    elif field in _CALLS:
        purpose, name = _CALLS[field]
        call = facts.last_call(purpose)
        found = bool(call and getattr(call, name))
    elif hasattr(facts, field):
        found = getattr(facts, field)
    else:
        found = facts.extra.get(field)
    return found.value if isinstance(found, enum.Enum) else found
