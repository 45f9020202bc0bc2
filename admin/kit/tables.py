"""What pages of tables share: the regulation, the period, and sending a table as a file."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Response, abort, request, send_file, stream_with_context
from flask_babel import gettext
from sqlalchemy.orm import Session

from admin.kit.display import today
from files.tables_out import ColumnFormat, OutputTab, csv_chunks, write_xlsx
from models import Money, PolicyVersion, UtcDateTime
from policy.vocabulary.time_bounds import ANY_DAY
from services.regulation import policies
from services.reports import indicators

KINDS = ("csv", "xlsx")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def version_of(session: Session, key: str) -> PolicyVersion:
    """The version of a regulation in force today, else the last that was, so that its books stay.

    A page that is not there for a regulation that never came into force.
    """
    found = {one.policy.key: one for one in policies.readable(session, on=today())}
    if key not in found:
        abort(404)
    return found[key]


def in_force(session: Session, key: str) -> PolicyVersion:
    """The version of a regulation in force today, for what is written down anew; else no page."""
    version = version_of(session, key)
    if version not in policies.all_in_force(session, on=today()):
        abort(404)
    return version


def span() -> tuple[dt.date, dt.date]:
    """The days the address asks for, else the month up to its last day, which is today."""
    until_on = _day("until") or today()
    from_on = _day("from") or until_on.replace(day=1)
    return (from_on, until_on) if from_on <= until_on else (until_on, from_on)


def _day(name: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if day in ANY_DAY else None


def told(
    session: Session,
    version: PolicyVersion,
    names: Iterable[str],
    *,
    from_on: dt.date,
    until_on: dt.date,
) -> dict[str, str]:
    """What the indicators among some names came to, in all and by department, in words."""
    pack = policies.pack(session, version)
    if not any(pack.find("indicator", name) for name in names):
        return {}
    days = {"from_on": from_on, "until_on": until_on}
    words = {e.key: [str(f)] for e, f in indicators.figures(session, version, **days)}
    for department, rows in indicators.by_department(session, version, **days).items():
        for entry, figure in rows:
            said = gettext("%(name)s: %(value)s", name=department, value=str(figure))
            words[entry.key].append(said)
    return {name: gettext("; ").join(words[name]) for name in names if name in words}


FORMATS: tuple[tuple[Any, ColumnFormat], ...] = (
    (UtcDateTime, "datetime"),
    (Money, "money"),
    (sa.Date, "date"),
    (sa.Integer, "int"),
)


def format_of(kind: Any) -> ColumnFormat:
    """How a column of a workbook looks, by the type of its column of the record."""
    return next((name for one, name in FORMATS if isinstance(kind, one)), "text")


def send(
    kind: str,
    name: str,
    header: Sequence[str],
    *,
    rows: Iterable[Sequence[Any]],
    title: str = "",
    formats: Sequence[ColumnFormat] = (),
) -> Response:
    """A table as a file called `name`: csv or xlsx, whose tab has the title and the formats."""
    if kind not in KINDS:
        abort(404)
    if kind == "csv":
        return send_csv(name, header, rows)
    return send_xlsx(name, OutputTab(title or name, header, rows, formats=formats))


def send_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A table as CSV; it is sent while it is written, so no length of it fills the memory."""
    encoded = (chunk.encode("utf-8") for chunk in csv_chunks(header, rows))
    answer = Response(stream_with_context(encoded), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def send_xlsx(name: str, tab: OutputTab) -> Response:
    """A workbook of one tab; the format is written at its end, so it comes whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        write_xlsx(path, [tab])
        book = io.BytesIO(path.read_bytes())
    return send_file(book, mimetype=XLSX, as_attachment=True, download_name=f"{name}.xlsx")
