"""What the cells of a department's file mean: who is meant, which result, which instant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import wording
from policy.pack.schema import FieldEntry
from services.regulation.declared import EXTRA
from sync.mirror import parsing
from sync.mirror.deeds import ParsedInput
from sync.mirror.parsing import Person, Unreadable
from sync.port import Broken, Computed, Read
from wording import workbook_text

END_OF_DAY = dt.time(17)
"""What a day without a clock time means where more time is asked for."""

UNCOMPUTED = "="
"""What a formula without a value shows: something stands there, so it is not an empty cell."""


def plain(read: Read | None) -> str | None:
    """A cell as the text it shows, quickly; None for an empty one. Never fails."""
    if isinstance(read, str):
        return read or None
    if isinstance(read, Computed):
        return plain(read.value) or UNCOMPUTED
    if isinstance(read, dt.datetime):
        return f"{read:%Y-%m-%d %H:%M}"
    if isinstance(read, float) and read.is_integer() and abs(read) < 1e15:
        return str(int(read))
    if isinstance(read, Broken):
        return read.text
    return None if read is None else str(read)


@dataclass(frozen=True)
class CellReader:
    """Understands the cells of one department's file."""

    people: Sequence[Person]
    zone: dt.tzinfo
    now: dt.datetime
    fields: Mapping[str, FieldEntry] = field(default_factory=dict)

    def meant(self, name: str, read: Read | None) -> ParsedInput:
        """What somebody typed into a column of the department. Raises Unreadable."""
        if isinstance(read, Computed):
            raise Unreadable("formula")
        if name == "handler":
            person = parsing.person(read, self.people)
            if person is None:
                return ParsedInput(None)
            return ParsedInput(f"{person.name} ({person.number})", person.number)
        if name == "outcome":
            labels = workbook_text.reply_outcomes()
            key = parsing.choice(read, {key: (label,) for key, label in labels.items()})
            return ParsedInput(labels[key], key) if key else ParsedInput(None)
        if name == "contacted_at":
            return self._moment(read, latest=self.now)
        if name == "until":
            return self._moment(read, earliest=self.now, clock_for_day=END_OF_DAY)
        text = parsing.text(read)
        return ParsedInput(text, text)

    def _moment(self, read: Read | None, **bounds: Any) -> ParsedInput:
        at = parsing.moment(read, now=self.now, zone=self.zone, **bounds)
        return ParsedInput(wording.moment(at), at) if at else ParsedInput(None)

    def newborn(self, cells: Mapping[str, Read]) -> dict[str, Any]:
        """A new case as a typed row says it, for services.cases.intake. Raises Unreadable."""
        received = cells.get("received_at")
        return {
            "customer": parsing.text(cells.get("customer"), limit=120) or "",
            "phone": parsing.phone(cells.get("phone")),
            "body": parsing.text(cells.get("body")) or "",
            "demand": parsing.text(cells.get("demand")),
            "received_at": parsing.moment(
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
                return parsing.choice(read, {c.key: (c.label,) for c in entry.choices})
            case "flag":
                return parsing.flag(read)
            case "date":
                day = parsing.day(read, now=self.now, zone=self.zone)
                return day and day.isoformat()
            case "number":
                number = parsing.number(read)
                return number if number is None else str(number)
            case "phone":
                return parsing.phone(read)
        return parsing.text(read)
