"""What the cells of a department's file mean: who is meant, which result, which instant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import wording
from policy.pack import FieldEntry
from services.declared import EXTRA
from sync import spelling
from sync.deeds import Meant
from sync.port import Broken, Computed, Read
from sync.spelling import Person, Unreadable
from wording import sheetwords

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
class Reader:
    """Understands the cells of one department's file."""

    people: Sequence[Person]
    zone: dt.tzinfo
    now: dt.datetime
    fields: Mapping[str, FieldEntry] = field(default_factory=dict)

    def meant(self, name: str, read: Read | None) -> Meant:
        """What somebody typed into a column of the department. Raises Unreadable."""
        if isinstance(read, Computed):
            raise Unreadable("formula")
        if name == "handler":
            person = spelling.person(read, self.people)
            if person is None:
                return Meant(None)
            return Meant(f"{person.name} ({person.number})", person.number)
        if name == "outcome":
            labels = sheetwords.outcomes()
            key = spelling.choice(read, {key: (label,) for key, label in labels.items()})
            return Meant(labels[key], key) if key else Meant(None)
        if name == "contacted_at":
            return self._moment(read, latest=self.now)
        if name == "until":
            return self._moment(read, earliest=self.now, clock_for_day=END_OF_DAY)
        text = spelling.text(read)
        return Meant(text, text)

    def _moment(self, read: Read | None, **bounds: Any) -> Meant:
        at = spelling.moment(read, now=self.now, zone=self.zone, **bounds)
        return Meant(wording.moment(at), at) if at else Meant(None)

    def newborn(self, cells: Mapping[str, Read]) -> dict[str, Any]:
        """What a typed row says of a new case, as services.intake wants it. Raises Unreadable."""
        received = cells.get("received_at")
        return {
            "customer": spelling.text(cells.get("customer"), limit=120) or "",
            "phone": spelling.phone(cells.get("phone")),
            "body": spelling.text(cells.get("body")) or "",
            "demand": spelling.text(cells.get("demand")),
            "received_at": spelling.moment(
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
                return spelling.choice(read, {c.key: (c.label,) for c in entry.choices})
            case "flag":
                return spelling.flag(read)
            case "date":
                day = spelling.day(read, now=self.now, zone=self.zone)
                return day and day.isoformat()
            case "number":
                number = spelling.number(read)
                return number if number is None else str(number)
            case "phone":
                return spelling.phone(read)
        return spelling.text(read)
