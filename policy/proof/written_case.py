"""A journal as the text of a case file, so that what was found can be played by anybody."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy.engine.folding import JournalEntry
from policy.proof.casefile import case_file_text
from policy.proof.play import people_in
from policy.vocabulary.events import By, Event
from policy.vocabulary.worktime import WorkCalendar

_NOT_SAID = frozenset({"type", "at", "by", "number"})


def case_text(
    journal: Sequence[JournalEntry], people: Iterable[By], *, name: str, calendar: WorkCalendar
) -> str:
    """Return the case file of a journal whose actors and named employees are among `people`."""
    cast = dict(_cast(people))
    names = {str(person["number"]): key for key, person in cast.items()}
    steps = [_step(entry, names, calendar) for entry in journal]
    said = repr(steps)
    used = {key: person for key, person in cast.items() if repr(key) in said}
    return case_file_text({"name": name, "cast": used, "step": steps})


def _cast(people: Iterable[By]) -> Iterator[tuple[str, dict[str, Any]]]:
    for by in people:
        posts = [held.post for held in by.posts]
        name = posts[0] if posts else f"member:{by.departments[0]}"
        person = {"number": by.employee, "posts": posts}
        yield name, person | ({"department": by.departments[0]} if by.departments else {})


def _step(entry: JournalEntry, names: Mapping[str, str], calendar: WorkCalendar) -> dict[str, Any]:
    event = entry.event
    step = {"do": event.type, "at": _local(event.at, calendar)}
    if event.by.employee:
        step["by"] = names.get(event.by.employee, event.by.employee)
    if entry.recorded_at != event.at:
        step["recorded_at"] = _local(entry.recorded_at, calendar)
    people = people_in(step)
    for key, value in _said(event).items():
        step[key] = _named(value, names) if key in people else _plain(value, calendar)
    return step


def _said(event: Event) -> dict[str, Any]:
    """Return the fields an event states, without those a case file finds by itself."""
    said = event.model_dump(exclude_defaults=True, exclude=set(_NOT_SAID))
    return {key: value for key, value in said.items() if value not in (None, (), {}, [])}


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(who, who): said for who, said in value.items()}
    if isinstance(value, tuple | list):
        return [names.get(who, who) for who in value]
    return names.get(value, value)


def _plain(value: Any, calendar: WorkCalendar) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return _local(value, calendar) if isinstance(value, dt.datetime) else value


def _local(instant: dt.datetime, calendar: WorkCalendar) -> dt.datetime:
    return calendar.local(instant).replace(tzinfo=None)
