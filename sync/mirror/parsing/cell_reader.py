"""Reads the cells of a department's tab: the person, the result, the instant that is meant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy.pack.schema import FieldEntry
from services.regulation.declared import EXTRA
from sync.mirror.parsing import choices, people, texts, times
from sync.mirror.parsing.people import Person
from sync.mirror.parsing.texts import Unreadable
from sync.port import Broken, Computed, Read
from wording import workbook_text

END_OF_DAY = dt.time(17)
"""The clock time of a day until which more time is asked for."""

UNCOMPUTED = "="
"""The text of a formula without a value: its cell is not empty."""


def shown_text(read: Read | None) -> str | None:
    """The text that a cell shows, without parsing; None for an empty one. Never fails."""
    if isinstance(read, str):
        return read or None
    if isinstance(read, Computed):
        return shown_text(read.value) or UNCOMPUTED
    if isinstance(read, dt.datetime):
        return f"{read:%Y-%m-%d %H:%M}"
    if isinstance(read, float) and read.is_integer() and abs(read) < 1e15:
        return str(int(read))
    if isinstance(read, Broken):
        return read.text
    return None if read is None else str(read)


@dataclass(frozen=True, slots=True)
class ParsedInput:
    """A parsed input: the text its cell will show, and the value for a service."""

    shown: str | None
    value: object = None


@dataclass(frozen=True)
class CellReader:
    """Reads the cells of one department's workbook."""

    staff: Sequence[Person]
    zone: dt.tzinfo
    now: dt.datetime
    fields: Mapping[str, FieldEntry] = field(default_factory=dict)

    def parsed(self, name: str, read: Read | None) -> ParsedInput:
        """Parse a cell of a column that the department fills. Raises Unreadable."""
        if isinstance(read, Computed):
            raise Unreadable("formula")
        if name == "handler":
            person = people.person(read, self.staff)
            if person is None:
                return ParsedInput(None)
            return ParsedInput(f"{person.name} ({person.number})", person.number)
        if name == "outcome":
            labels = workbook_text.reply_outcomes()
            key = choices.choice(read, {key: (label,) for key, label in labels.items()})
            return ParsedInput(labels[key], key) if key else ParsedInput(None)
        if name == "contacted_at":
            return self._moment(read, latest=self.now)
        if name == "until":
            return self._moment(read, earliest=self.now, clock_for_day=END_OF_DAY)
        text = texts.text(read)
        return ParsedInput(text, text)

    def _moment(self, read: Read | None, **bounds: Any) -> ParsedInput:
        at = times.moment(read, now=self.now, zone=self.zone, **bounds)
        return ParsedInput(times.to_text(at, self.zone), at) if at else ParsedInput(None)

    def new_case(self, cells: Mapping[str, Read]) -> dict[str, Any]:
        """Parse a typed row as a new case for services.cases.intake. Raises Unreadable."""
        received = cells.get("received_at")
        return {
            "customer": texts.text(cells.get("customer"), limit=120) or "",
            "phone": texts.phone(cells.get("phone")),
            "body": texts.text(cells.get("body")) or "",
            "demand": texts.text(cells.get("demand")),
            "received_at": times.moment(
                received, now=self.now, zone=self.zone, latest=self.now, clock_for_day=dt.time(0)
            ),
            "extra": {
                name.removeprefix(EXTRA): value
                for name, read in cells.items()
                if name.startswith(EXTRA) and (value := self._extra(name, read)) is not None
            },
        }

    def _extra(self, name: str, read: Read) -> object:
        entry = self.fields.get(name.removeprefix(EXTRA))
        match entry.shape if entry else "text":
            case "choice":
                assert entry
                return choices.choice(read, {c.key: (c.label,) for c in entry.choices})
            case "flag":
                return choices.flag(read)
            case "date":
                day = times.day(read, now=self.now, zone=self.zone)
                return day and day.isoformat()
            case "number":
                number = choices.number(read)
                return number if number is None else str(number)
            case "phone":
                return texts.phone(read)
        return texts.text(read)
