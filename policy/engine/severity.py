"""Classify a case by kind, level and grade, and check the values of the pack's own fields."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy.engine.conditions import holds
from policy.pack.forms_and_reports import FormField
from policy.pack.schema import FieldEntry, Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    ChoiceUnknown,
    FieldTooLong,
    FieldUnknown,
    NumberTooSmall,
    OtherDayThanReceipt,
    TimeBeforeCase,
    TimeInFuture,
    TimeTooLate,
)
from policy.vocabulary.facts import CaseFacts, replace
from policy.vocabulary.line_ends import one_line_end
from policy.vocabulary.worktime import WorkCalendar

LONGEST = {"text": 300, "long_text": 20_000, "phone": 40}
_PHONE = re.compile(r"[+0-9 ()-]{3,40}")
_MONEY = re.compile(r"\d{1,9}(\.\d{1,2})?")
_PERCENT = re.compile(r"100(\.0{1,2})?|\d{1,2}(\.\d{1,2})?")
_CASES = re.compile(r"[\w-]{1,40}([,，、\s]+[\w-]{1,40}){0,199}")


def classify(facts: CaseFacts, pack: Pack) -> CaseFacts:
    """Return the case with the kind, level and grade that follow from its facts (SKD-2.2).

    A grade that a person chose stays, unless the facts make a graver one; a level always follows
    from the facts.
    """
    for route in pack.route:
        if route.kind and holds(route.applies, facts):
            facts = replace(facts, kind=route.kind)
    facts = replace(facts, level=_scale_step(facts, "level", pack))
    if not facts.grade_chosen:
        return replace(facts, grade=_scale_step(facts, "grade", pack))
    if pack.policy.judges(Judging.facts_outweigh):
        found = _scale_step(facts, "grade", pack)
        if found and severity_rank(found, pack) < severity_rank(facts.grade, pack):
            facts = replace(facts, grade=found)
    return facts


def is_lighter(facts: CaseFacts, before: CaseFacts, pack: Pack) -> bool:
    """Whether the grade or level of a case is lighter than it was."""
    scales = ((before.grade, facts.grade), (before.level, facts.level))
    return any(was and severity_rank(now, pack) > severity_rank(was, pack) for was, now in scales)


def severity_rank(key: str | None, pack: Pack) -> int:
    """Return the place of a step, the gravest first; none outweighs one set by hand."""
    step = pack.find("severity", key)
    if step is None:
        return len(pack.severity)
    if step.by_hand:
        return -1
    return pack.severity.index(pack.find("severity", step.equal_to) or step)


def step_fits(facts: CaseFacts, key: str, pack: Pack) -> bool:
    """Whether a case may come to a step that a deed sets, by the conditions the step has."""
    step = pack.find("severity", key)
    if not step.by_hand or not (step.when or step.or_when):
        return True
    return holds(step.when, facts) or bool(step.or_when and holds(step.or_when, facts))


def _scale_step(facts: CaseFacts, scale: str, pack: Pack) -> str | None:
    for entry in pack.severity:
        if entry.scale != scale or entry.by_hand:
            continue
        if holds(entry.when, facts) or (entry.or_when and holds(entry.or_when, facts)):
            return entry.key
    return None


def destination(facts: CaseFacts, pack: Pack) -> tuple[str, str | None] | None:
    """Return the department and post a case is routed to, by the first route that fits."""
    for route in pack.route:
        if route.department and holds(route.applies, facts):
            return route.department, route.post
    return None


def checked_grade(grade: str | None, pack: Pack) -> str | None:
    """Return a grade that may be chosen. Raises ChoiceUnknown for one reached only by a deed."""
    entry = pack.find("severity", grade)
    if grade is not None and (entry is None or entry.scale != "grade" or entry.by_hand):
        raise ChoiceUnknown(field="grade", value=grade)
    return grade


def checked_key(section: str, key: str | None, pack: Pack) -> str | None:
    """Return the key if the pack has such an entry, or None for None. Raises ChoiceUnknown."""
    if key is not None and not pack.find(section, key):
        raise ChoiceUnknown(field=section, value=key)
    return key


@dataclass(frozen=True, slots=True)
class EntryTimes:
    """What bounds the days in a field: when the case was received, and when the entry is made."""

    received_at: dt.datetime
    at: dt.datetime
    calendar: WorkCalendar


def checked_extra(extra: Mapping[str, Any], pack: Pack, times: EntryTimes) -> dict[str, Any]:
    """Return the values of the pack's own fields as JSON data. Raises as `checked_values`."""
    return checked_values(pack.field, extra, times)


def checked_values(
    fields: Iterable[FieldEntry | FormField], said: Mapping[str, Any], times: EntryTimes
) -> dict[str, Any]:
    """Return the values as JSON data, each of its field's shape; empty ones are left out.

    Raises FieldUnknown, FieldTooLong or ChoiceUnknown with the field's key, and TimeInFuture,
    TimeBeforeCase, TimeTooLate, OtherDayThanReceipt or NumberTooSmall for one out of its bounds.
    """
    known = {field.key: field for field in fields}
    fitting = {}
    for key, value in said.items():
        if key not in known:
            raise FieldUnknown(field=key)
        if value not in (None, "", [], ()):
            fitting[key] = _checked_value(known[key], value)
            _check_bounds(known[key], fitting[key], times)
    return fitting


def _check_bounds(entry: FieldEntry | FormField, value: Any, times: EntryTimes) -> None:
    if entry.at_least is not None and Decimal(str(value)) < entry.at_least:
        raise NumberTooSmall(field=entry.key, value=str(value), least=entry.at_least)
    if not (entry.latest or entry.earliest or entry.within):
        return
    if entry.shape == "time":
        at = dt.datetime.fromisoformat(str(value)).astimezone(dt.UTC)
    else:
        at = times.calendar.instant(dt.date.fromisoformat(str(value)), dt.time(0))
    if entry.latest and at > times.at:
        raise TimeInFuture(field=entry.key, at=at)
    if entry.latest == entry.earliest == "received":
        _check_day_of_receipt(entry, at, times)
    _check_latest(entry, at, times)
    _check_earliest(entry, at, times)


def _check_day_of_receipt(
    entry: FieldEntry | FormField, at: dt.datetime, times: EntryTimes
) -> None:
    """Refuse another day than that of the receipt, from which terms count (MKT-2.1.4)."""
    local = times.calendar.local
    if local(at).date() != local(times.received_at).date():
        raise OtherDayThanReceipt(field=entry.key, at=at, received_at=times.received_at)


def _check_latest(entry: FieldEntry | FormField, at: dt.datetime, times: EntryTimes) -> None:
    """Refuse what lies after the receipt or too far from its entry. Raises TimeTooLate."""
    local = times.calendar.local
    ends = [times.received_at] if entry.latest == "received" else []
    if entry.within is not None:
        ends.append(entry.within.end(times.at, times.calendar).at)
    for end in ends:
        if at > end if entry.shape == "time" else local(at).date() > local(end).date():
            raise TimeTooLate(field=entry.key, at=at, latest=end)


def _check_earliest(entry: FieldEntry | FormField, at: dt.datetime, times: EntryTimes) -> None:
    local = times.calendar.local
    if entry.earliest == "received" and entry.shape == "time":
        # People state minutes: the seconds of the receipt do not make an instant too early.
        early, earliest = at < times.received_at.replace(second=0, microsecond=0), times.received_at
    else:
        earliest = times.received_at if entry.earliest == "received" else times.at
        early = local(at).date() < local(earliest).date()
    if entry.earliest and early:
        raise TimeBeforeCase(field=entry.key, at=at, earliest=earliest)


def _checked_value(entry: FieldEntry | FormField, value: Any) -> Any:
    match entry.shape:
        case "money" if _MONEY.fullmatch(str(value)):
            return str(value)
        case "percent" if _PERCENT.fullmatch(str(value)):
            return str(value)
        case "time" if _is_instant(str(value)):
            return str(value)
        case "choices" if isinstance(value, list | tuple) and set(value) <= _keys(entry):
            return list(value)
        case "cases" if _CASES.fullmatch(str(value)):
            return str(value)
        case "employee" if isinstance(value, str) and len(value) <= LONGEST["phone"]:
            return value
        case "flag" if isinstance(value, bool):
            return value
        case "number" if not isinstance(value, bool) and re.fullmatch(r"-?\d{1,15}", str(value)):
            return int(value)
        case "date" if _is_day(str(value)):
            return str(value)
        case "choice" if value in _keys(entry):
            return value
        case "phone" if _PHONE.fullmatch(str(value)):
            return value
        case "text" | "long_text" if isinstance(value, str):
            if len(value) > LONGEST[entry.shape]:
                raise FieldTooLong(field=entry.key, limit=LONGEST[entry.shape])
            return one_line_end(value)
    raise ChoiceUnknown(field=entry.key, value=value)


def _keys(entry: FieldEntry | FormField) -> set[str]:
    return {choice.key for choice in entry.choices}


def _is_instant(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
