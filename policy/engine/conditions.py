"""Decide whether a condition of a pack holds for a case, and for the event that happens to it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from policy.pack.forms_and_reports import OF_DEADLINES, ROUND_FACTS, STANDING
from policy.pack.shapes import Condition, ConditionRow
from policy.vocabulary.events import Event
from policy.vocabulary.facts import (
    OVERTAKEN,
    PICTURES,
    CaseFacts,
    DeadlineFacts,
    FormEntryFacts,
    replace,
)
from policy.vocabulary.status import CallPurpose, DeadlineState

_CALLS = {
    "unhappy": (CallPurpose.verification, "unhappy"),
    "demands_more": (CallPurpose.verification, "demands_more"),
    "satisfaction_unhappy": (CallPurpose.satisfaction, "unhappy"),
}


_NOT_OURS = object()


def holds(condition: Condition, facts: CaseFacts, event: Event | None = None) -> bool:
    """Whether every row of the condition holds; an empty condition always does."""
    return not condition or first_failing(condition, facts, event) is None


def first_failing(
    condition: Condition, facts: CaseFacts, event: Event | None = None
) -> ConditionRow | None:
    """Return the first row that does not hold; without an event, rows about events are skipped."""
    # An event asks hundreds of rows, so the value of a row is looked up without a further call.
    for row in condition:
        path = row.field
        if "." not in path:
            found = _NOT_OURS if path in PICTURES else getattr(facts, path, _NOT_OURS)
            if found is _NOT_OURS:
                found = _derived_value(path, facts)
        elif event is None and path.startswith("event."):
            continue
        else:
            found = _path_value(path, facts, event)
        if not row.holds(found):
            return row
    return None


def field_value(field: str, facts: CaseFacts, event: Event | None) -> Any:
    """Return the value of a condition's field: of the event, the case or the pack's own."""
    if "." in field:
        found = _path_value(field, facts, event)
    else:
        found = _NOT_OURS if field in PICTURES else getattr(facts, field, _NOT_OURS)
        found = _derived_value(field, facts) if found is _NOT_OURS else found
    return found.value if isinstance(found, enum.Enum) else found


def _derived_value(field: str, facts: CaseFacts) -> Any:
    """Return a value that is no attribute of the case: derived from it, or the pack's own."""
    if field in _CALLS:
        purpose, name = _CALLS[field]
        call = facts.last_callback(purpose)
        return bool(call and getattr(call, name))
    if field == "body_length":
        return len(facts.body or "")
    if field == "last_answer":
        return facts.callbacks[-1].outcome if facts.callbacks else None
    if field == "extension":
        return _extension_state(facts)
    return facts.extra.get(field)


def _extension_state(facts: CaseFacts) -> str | None:
    """Return what became of this round's last extension: asked, granted or refused."""
    asked = [one for one in facts.extensions if one.round == facts.round]
    if not asked:
        return None
    return {None: "asked", True: "granted", False: "refused"}[asked[-1].granted]


def _path_value(path: str, facts: CaseFacts, event: Event | None) -> Any:
    """Return the value of a path such as `event.x`, `event.data.x`, `form.visit.day`, `chain.x`.

    What may be asked of a deadline, as in `late.DEADLINE`, stands in OF_DEADLINES.
    `round.form.visit` counts only what was entered in this round; what else may be asked of a round
    stands in ROUND_FACTS.
    """
    section, _, name = path.partition(".")
    key, _, field = name.partition(".")
    if section == "round":
        if name in ROUND_FACTS:
            return _round_fact(name, facts)
        this = tuple(form_entry for form_entry in facts.entries if form_entry.round == facts.round)
        return _path_value(name, replace(facts, entries=this), event)
    if section == "event":
        found = getattr(event, key, None)
        return found.get(field) if field and isinstance(found, Mapping) else found
    if section in OF_DEADLINES:
        return (
            any(_deadline_is(section, one, facts) for one in facts.deadlines if one.key == key)
            or None
        )
    if section == "checklist":
        last = facts.last_entry(section, key)
        return True if last and last.data["complete"] == "true" else None
    if section in STANDING:
        return _decision_state(section, key, facts)
    if field:
        last = facts.last_entry(section, key)
        return last.data.get(field) if last else None
    return facts.times_entered(section, key) or None


def _deadline_is(state: str, deadline: DeadlineFacts, facts: CaseFacts) -> bool:
    """Whether a deadline is as a condition asks: late, met, running or overdue now."""
    if state == "late":
        return deadline.breached
    if state == "met":
        return deadline.state is DeadlineState.met
    runs = deadline.running and deadline.round == facts.round
    if state == "running":
        return runs
    return runs and any(breach.breached_at == deadline.due_at for breach in deadline.breaches)


def _round_fact(name: str, facts: CaseFacts) -> Any:
    """Return the last finding, promise or call of this round; None where it has none."""
    section, _, purpose = name.partition(".")
    if section == "call":
        calls = [
            call
            for call in facts.callbacks
            if call.round == facts.round and purpose in ("", call.purpose.value)
        ]
        return calls[-1].outcome.value if calls else None
    kept = "promise" if name == "promised_at" else "finding"
    last = next((one for one in reversed(facts.entries) if _is_kept(one, kept, name)), None)
    if last is None or last.round != facts.round:
        return None
    return last.key if name == "finding" else last.data["until" if kept == "promise" else "valid"]


def _is_kept(one: FormEntryFacts, section: str, name: str) -> bool:
    timed = name != "promised_at" or one.data.get("until")
    return one.section == section and bool(timed)


def _decision_state(section: str, key: str, facts: CaseFacts) -> str | None:
    """Return the state of a chain of approvals or a jury's question: open, or how it ended."""
    for form_entry in reversed(facts.entries):
        if form_entry.key == key and form_entry.section == OVERTAKEN + section:
            return None
        if form_entry.key == key and form_entry.section == STANDING[section]:
            return str(form_entry.data["standing"])
        if form_entry.key == key and form_entry.section == section:
            return "open"
    return None
