"""Reasons why a file or a row of it is not imported: codes with facts, and sentences."""

from __future__ import annotations

from typing import Any

from files.tables_in import TableRefused
from wording import _, mark


class RowRefused(Exception):
    """A row that cannot be imported: a code of ROW_REASONS, the column at fault, its facts."""

    def __init__(self, code: str, column: str | None = None, **facts: Any) -> None:
        super().__init__(code, column, facts)
        self.code = code
        self.column = column
        self.facts = facts


ROW_REASONS = {
    "id_missing": mark("The row has no id. Let the map say how to make one with “if_empty”."),
    "id_too_long": mark("The id is longer than %(limit)s characters."),
    "id_twice": mark("Row %(row)s has the same id and says something else."),
    "surplus": mark(
        "The row has more cells than the header. A comma in a text may stand without quotes."
    ),
    "unnamed_column": mark(
        "The cell stands in a column without a name. If the names stand in several rows, say so: "
        "header_row and header_rows = 2"
    ),
    "cell_empty": mark("The cell is empty."),
    "not_a_date": mark("This is no date that exists, or it is not written like %(formats)s."),
    "serial_day": mark(
        "This number may be a day as spreadsheets count them. If so, add “serial” to the formats."
    ),
    "out_of_reach": mark("The date lies outside %(earliest)s to today."),
    "closed_before": mark("The case would be closed before it was received."),
    "after_go_live": mark(
        "Received on the day Redress was introduced (%(go_live)s) or later. Register this case."
    ),
    "not_in_table": mark("The map has no entry for this word under “%(key)s”."),
    "not_yes_or_no": mark("This is neither yes nor no. Give the map a table for it."),
}

TABLE_REASONS = {
    "missing_file": mark("%(file)s does not exist."),
    "not_a_file": mark("%(file)s is a folder, not a file."),
    "not_permitted": mark("%(file)s may not be read by the user who runs Redress."),
    "empty": mark("%(file)s is empty."),
    "not_a_table": mark(
        "%(file)s is no table that can be read (%(found)s). Save it as CSV or XLSX."
    ),
    "encrypted": mark("%(file)s is protected by a password. Save it without one."),
    "unreadable_encoding": mark(
        "The text of %(file)s cannot be read from line %(line)s on. Save it as CSV UTF-8."
    ),
    "broken_quotes": mark("In %(file)s a quote is opened near line %(line)s and never closed."),
    "missing_sheet": mark("%(file)s has no sheet “%(sheet)s”. It has: %(sheets)s."),
    "no_header": mark("Row %(row)s of %(file)s has no names of columns."),
    "duplicate_header": mark(
        "Row %(row)s of %(file)s names several columns “%(name)s” (%(columns)s). Rename one."
    ),
    "too_many_rows": mark("%(file)s has more than %(limit)s rows. Split it."),
    "cell_too_long": mark(
        "A cell in row %(row)s, column “%(column)s”, of %(file)s has more than %(limit)s "
        "characters. Shorten it."
    ),
    "too_large": mark("%(file)s would need too much memory (more than %(limit)s bytes). Split it."),
    "too_many_cells": mark("%(file)s spans more than %(limit)s cells. Delete the empty ones."),
}

FOUND = {
    "damaged": mark("it is damaged"),
    "picture": mark("it is a picture"),
    "pdf": mark("it is a PDF"),
    "web_page": mark("it is a web page"),
    "document": mark("it is a text document"),
    "binary": mark("it is not a text"),
    "unknown": mark("its kind is not known"),
}


def row_reason(refused: RowRefused) -> str:
    """Return why a row is refused, as a sentence."""
    return _(ROW_REASONS[refused.code]) % refused.facts


def table_reason(refused: TableRefused) -> str:
    """Return why a file is refused, as a sentence."""
    facts = {name: _fact_text(name, value) for name, value in refused.facts.items()}
    return _(TABLE_REASONS[refused.code]) % facts


def _fact_text(name: str, value: Any) -> str:
    if name == "found":
        return _(FOUND[value])
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value) or "—"
    return "—" if value is None else str(value)
