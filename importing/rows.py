"""Rows of an old register, read by a map into the fields of a case.

Nothing here touches the record. The regulation judges the fields later; here a row is refused only
where it cannot be understood.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from files.tables_in import Cell, TableRow
from importing.mapping import SERIAL, Chosen, Extra, Map, Moment
from policy.engine.severity import LONGEST
from policy.pack.schema import FieldEntry, Pack
from policy.vocabulary.errors import PhoneRefused, PhoneRounded
from policy.vocabulary.status import Status
from policy.vocabulary.telephones import telephone
from policy.vocabulary.time_bounds import Meaning, time_bounds
from services.cases import customers
from wording.import_reasons import RowRefused

LONGEST_ID = 120
_TIMES = ("%H", "%I", "%X", "%c", "%T", "%R")
_HALVES = {"上午": "AM", "下午": "PM", "凌晨": "AM"}
_EPOCH = dt.datetime(1899, 12, 30)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_LONGEST = {"subject": 300, "demand": 20_000, "customer": 120}
_LONGEST_BODY = 20_000


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case as a row describes it: its own id, the customer, and the fields of an import."""

    source_id: str
    customer: str | None
    phone: str | None
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RegisterReader:
    """Reads rows by a map under a regulation; `now` is the import's instant, `zone` the
    company's.
    """

    mapping: Map
    pack: Pack
    zone: ZoneInfo
    now: dt.datetime
    of_workbook: bool = False

    def identity(self, row: TableRow) -> str:
        """Return the row's own id, or the one the map makes for it."""
        if row.surplus:
            code = "unnamed_column" if self.of_workbook else "surplus"
            raise RowRefused(code, None, value=cell_text(row.surplus[0]))
        part = self.mapping.id
        own = cell_text(row.cells[part.column]) if part.column else None
        if own is not None:
            if len(own) > LONGEST_ID:
                raise RowRefused("id_too_long", part.column, value=own[:40], limit=LONGEST_ID)
            return own
        if part.if_empty == "refuse":
            raise RowRefused("id_missing", part.column)
        names = sorted(row.cells) if part.if_empty == "row" else part.if_empty
        return f"row-{row_checksum(row, names)[:24]}"

    def read(self, row: TableRow, source_id: str) -> PastCase:
        """Return the case the row describes. Raises RowRefused with the column at fault."""
        received_at = self._received(row)
        moved: list[str] = []
        extra = self._extra(row, moved)
        phone = self._phone(row, moved)
        said = {
            "received_at": received_at,
            "closed_at": self._closed(row, received_at),
            "subject": self._short(row, "subject", moved) or "",
            "demand": self._short(row, "demand", moved),
            "extra": extra,
            **{name: self._chosen(row, name) for name in ("kind", "channel", "category")},
            "status": Status(self._chosen(row, "status")),
        }
        customer = self._short(row, "customer", moved) or phone
        said["body"] = self._body(row, moved)
        return PastCase(source_id, customer, phone, said)

    def column_of(self, field: str) -> str | None:
        """Return the column a refused field came from, as far as the map can say."""
        part = self.mapping.extra.get(field) or getattr(
            self.mapping, {"received_at": "received", "closed_at": "closed"}.get(field, field), None
        )
        return getattr(part, "column", None)

    def _plain(self, row: TableRow, name: str) -> str | None:
        part = getattr(self.mapping, name)
        return None if part is None else cell_text(row.cells[part.column])

    def _short(self, row: TableRow, name: str, moved: list[str]) -> str | None:
        """Return a text of a field; one too long is cut where the map says so, and moved whole."""
        text = self._plain(row, name)
        if text is None or self.mapping.if_long == "refuse":
            return text
        return _cut(text, _LONGEST[name], getattr(self.mapping, name).column, moved=moved)

    def _phone(self, row: TableRow, moved: list[str]) -> str | None:
        """Return the telephone number; what is none becomes a line where the map says so."""
        said, part = self._plain(row, "phone"), self.mapping.phone
        if said is None or part is None or part.if_wrong == "refuse":
            return said
        try:
            telephone(said)
        except (PhoneRefused, PhoneRounded):
            wrong = True
        else:
            wrong = len(said) > customers.LONGEST_PHONE
        if wrong:
            moved.append(f"{part.column}：{said}")
        return None if wrong else said

    def _body(self, row: TableRow, moved: list[str]) -> str | None:
        lines = []
        for line in self.mapping.body:
            said = cell_text(row.cells[line.column])
            if said is not None:
                lines.append(f"{line.label}：{said}" if line.label else said)
        body = "\n".join([*lines, *moved])
        if self.mapping.if_long == "cut" and len(body) > _LONGEST_BODY:
            body = f"{body[: _LONGEST_BODY - 1]}…"
        return body or None

    # ------------------------------------------------------------ time

    def _received(self, row: TableRow) -> dt.datetime:
        part = self.mapping.received
        at = self._moment(row, part)
        if at is None:
            raise RowRefused("cell_empty", part.column)
        if at.astimezone(self.zone).date() >= self.mapping.go_live:
            raise RowRefused(
                "after_go_live",
                part.column,
                value=cell_text(row.cells[part.column]),
                go_live=self.mapping.go_live,
            )
        return at

    def _closed(self, row: TableRow, received_at: dt.datetime) -> dt.datetime | None:
        part = self.mapping.closed
        at = self._moment(row, part) if part else None
        if part and at and at < received_at:
            # A closing day without a time may be the day of the complaint itself.
            if at.astimezone(self.zone).date() < received_at.astimezone(self.zone).date():
                raise RowRefused(
                    "closed_before", part.column, value=cell_text(row.cells[part.column])
                )
            return received_at
        return at

    def _moment(self, row: TableRow, part: Moment) -> dt.datetime | None:
        cell = row.cells[part.column]
        local = _instant(cell, part)
        if local is None:
            return None
        zone = ZoneInfo(self.mapping.zone) if self.mapping.zone else self.zone
        bounds = time_bounds(Meaning.happened, self.now.date() + dt.timedelta(days=1))
        at = None
        if local.date() in bounds:
            at = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(dt.UTC)
        if at is None or at > self.now:
            raise RowRefused(
                "out_of_reach", part.column, value=cell_text(cell), earliest=bounds.earliest
            )
        return at

    # ------------------------------------------------------------ words and fields

    def _chosen(self, row: TableRow, name: str) -> str | None:
        part: Chosen | None = getattr(self.mapping, name)
        if part is None or part.column is None:
            return part.value if part else None
        word = cell_text(row.cells[part.column])
        if word is not None and part.part == "first_letter":
            word = word[0]
        ours = part.table.get(word or "") or (None if part.table else word) or part.other
        if ours is None and (word is not None or name in ("kind", "status")):
            raise RowRefused("not_in_table", part.column, value=word, key=f"{name}.table")
        if name == "status" and ours not in Status.__members__:
            raise RowRefused("not_in_table", part.column, value=word, key=f"{name}.table")
        return ours

    def _extra(self, row: TableRow, moved: list[str]) -> dict[str, Any]:
        read = {
            name: self._own(row, self.pack.find("field", name), part, moved=moved)
            for name, part in self.mapping.extra.items()
        }
        return {name: value for name, value in read.items() if value is not None}

    def _own(self, row: TableRow, entry: FieldEntry, part: Extra, *, moved: list[str]) -> Any:
        """Return a field of the regulation; a wrong cell becomes a line where the map says so."""
        try:
            value = self._field(row, entry, part)
        except RowRefused:
            if part.if_wrong == "refuse":
                raise
            moved.append(f"{part.column}：{cell_text(row.cells[part.column])}")
            return None
        longest = LONGEST.get(entry.shape)
        if self.mapping.if_long == "cut" and longest and isinstance(value, str):
            return _cut(value, longest, part.column, moved=moved)
        return value

    def _field(self, row: TableRow, entry: FieldEntry, part: Extra) -> Any:
        cell = row.cells[part.column]
        word = cell_text(cell)
        if word is None:
            return None
        if part.table:
            if word not in part.table and part.other is not None:
                return part.other
            if word not in part.table:
                raise RowRefused(
                    "not_in_table", part.column, value=word, key=f"extra.{entry.key}.table"
                )
            return part.table[word]
        if entry.shape == "date":
            day = _instant(cell, Moment(column=part.column, formats=part.formats))
            return day.date().isoformat() if day else None
        if entry.shape == "flag" and not isinstance(cell, bool):
            raise RowRefused("not_yes_or_no", part.column, value=word)
        return cell if entry.shape == "flag" else word


def cell_text(cell: Cell) -> str | None:
    """Return a cell as a person would read it aloud; None for an empty one."""
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return None if cell is None else str(cell)


def row_checksum(row: TableRow, names: Any) -> str:
    """Return a checksum of some cells of a row: equal cells give the same, whatever the row."""
    said = json.dumps([[name, cell_text(row.cells[name])] for name in names], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def _instant(cell: Cell, part: Moment) -> dt.datetime | None:
    """Return the local date and time of a cell, with the default time where it has only a day."""
    if cell is None or isinstance(cell, dt.datetime):
        return cell
    if isinstance(cell, dt.date):
        return dt.datetime.combine(cell, part.at)
    said = unicodedata.normalize("NFKC", cell_text(cell) or "")
    for form in part.formats:
        read = _serial(said) if form == SERIAL else _by_format(said, form)
        if read is None:
            continue
        timed = form == SERIAL and read.time() != dt.time(0)
        timed = timed or any(directive in form for directive in _TIMES)
        return read if timed else dt.datetime.combine(read.date(), part.at)
    code = "serial_day" if _SERIAL.fullmatch(said) else "not_a_date"
    raise RowRefused(code, part.column, value=said[:80], formats=" / ".join(part.formats))


def _by_format(said: str, form: str) -> dt.datetime | None:
    """Return the time a text says in a format; Chinese halves of the day are those of %p."""
    if "%p" in form:
        for half, sign in _HALVES.items():
            said = said.replace(half, sign)
    try:
        return dt.datetime.strptime(said, form)
    except ValueError:
        return None


def _serial(said: str) -> dt.datetime | None:
    """Return the time of a serial number of a spreadsheet, to the minute."""
    if not _SERIAL.fullmatch(said):
        return None
    minutes = round(float(said) * 24 * 60)
    return _EPOCH + dt.timedelta(minutes=minutes)


def _cut(text: str, longest: int, column: str, *, moved: list[str]) -> str:
    """Return a text that fits; the whole of one too long is moved, nothing of it is lost."""
    if len(text) <= longest:
        return text
    moved.append(f"{column}：{text}")
    return f"{text[: longest - 1]}…"
