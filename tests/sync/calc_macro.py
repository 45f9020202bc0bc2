"""LibreOffice at work: does what people do to a workbook file. Runs on the system's python3.

It reads one request a line (JSON) from standard input and answers each with one line on standard
output. It starts a LibreOffice of its own, without a window and with a private profile, and ends
it when the input ends. `calc.py` is what tests talk to; every step is described there.

UNO belongs to the system's Python, so this file imports nothing of Redress.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import uno
from com.sun.star.awt import Rectangle
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sheet import TableFilterField3
from com.sun.star.table import CellAddress, CellRangeAddress, TableSortField
from com.sun.star.uno import Exception as UnoException

# Grammar 1: another tab is named as in Excel, `tab!A1`.
PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>zh-CN</value></prop></item>
<item oor:path="/org.openoffice.UserProfile/Data">
<prop oor:name="givenname" oor:op="fuse"><value>{person}</value></prop></item>
<item oor:path="/org.openoffice.Office.Recovery/AutoSave">
<prop oor:name="Enabled" oor:op="fuse"><value>false</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Syntax">
<prop oor:name="Grammar" oor:op="fuse"><value>1</value></prop></item>
</oor:items>
"""

CONTENT = 1 | 2 | 4 | 16  # values, dates, texts and formulas: com.sun.star.sheet.CellFlags
EQUAL = 2  # com.sun.star.sheet.FilterOperator2
TEXT = 1  # com.sun.star.sheet.FilterFieldType: STRING


class Mistake(Exception):
    """The request makes no sense: no such tab, row, column or step."""


class Refused(Exception):
    """LibreOffice does not let a person do that."""


# ---------------------------------------------------------------- the program


def start(folder: str, person: str) -> subprocess.Popen[bytes]:
    """A LibreOffice without a window that keeps its profile in the folder."""
    os.makedirs(f"{folder}/user", exist_ok=True)
    with open(f"{folder}/user/registrymodifications.xcu", "w", encoding="utf-8") as file:
        file.write(PROFILE.format(person=person))
    command = ["soffice", f"-env:UserInstallation={uno.systemPathToFileUrl(folder)}"]
    command += ["--headless", "--norestore", "--nologo", "--nodefault", "--nofirststartwizard"]
    command += [f"--accept=pipe,name={_pipe(folder)};urp"]
    with open(f"{folder}/soffice.log", "wb") as log:
        # It stays in this process's group, so that the tests can end both at once.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def connect(office: subprocess.Popen[bytes], folder: str) -> Any:
    """The component context of the started program, waited for up to a minute."""
    local = uno.getComponentContext()
    name = "com.sun.star.bridge.UnoUrlResolver"
    resolver = local.ServiceManager.createInstanceWithContext(name, local)
    end = time.monotonic() + 60
    while time.monotonic() < end and office.poll() is None:
        try:
            return resolver.resolve(
                f"uno:pipe,name={_pipe(folder)};urp;StarOffice.ComponentContext"
            )
        except NoConnectException:
            time.sleep(0.05)
    raise RuntimeError(f"LibreOffice did not start; see {folder}/soffice.log")


def _pipe(folder: str) -> str:
    # A socket's path has little room, and two runs must not meet.
    return "redress" + hashlib.sha256(folder.encode()).hexdigest()[:16]


def option(name: str, value: Any) -> PropertyValue:
    """A named argument as UNO wants it."""
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


# ---------------------------------------------------------------- an open book


class Book:
    """A workbook that somebody has open."""

    def __init__(self, context: Any, path: str, *, read_only: bool) -> None:
        # Not hidden: a hidden book loses its frozen panes and is saved without any question.
        make = context.ServiceManager.createInstanceWithContext
        desktop = make("com.sun.star.frame.Desktop", context)
        options = (option("ReadOnly", read_only),)
        self.dispatcher = make("com.sun.star.frame.DispatchHelper", context)
        self.path = path
        try:
            self.doc = desktop.loadComponentFromURL(
                uno.systemPathToFileUrl(path), "_blank", 0, options
            )
        except UnoException as error:
            raise Refused(f"not opened: {error.Message}") from None
        if self.doc is None:
            raise Refused("not opened")
        if self.doc.isReadonly() and not read_only:
            self.close()
            raise Refused("read only")

    def tab(self, title: str | None) -> Any:
        """The tab of that title, or the first."""
        sheets = self.doc.Sheets
        if title is None:
            return sheets.getByIndex(0)
        if not sheets.hasByName(title):
            raise Mistake(f"there is no tab {title!r} but {sheets.ElementNames}")
        return sheets.getByName(title)

    def save(self) -> None:
        """Store the book under its own name, as the kind of file it is."""
        try:
            self.doc.store()
        except UnoException as error:
            raise Refused(f"not saved: {error.Message or type(error).__name__}") from None

    def save_anyway(self) -> None:
        """Store it over whatever has that name, as a person who says yes to the question."""
        name = self.doc.getURL()
        kind = option("FilterName", "Calc MS Excel 2007 XML")
        self.doc.storeAsURL(name, (kind, option("Overwrite", True)))

    def close(self) -> None:
        """Close it without saving; its lock file goes."""
        self.doc.close(True)

    def enter(self, cell: Any, text: str) -> None:
        """Type a text into the input line over a cell and press Enter."""
        controller = self.doc.CurrentController
        controller.setActiveSheet(cell.Spreadsheet)
        controller.select(cell)
        typed = (option("StringName", text), option("DontCommit", False))
        self.dispatcher.executeDispatch(controller.Frame, ".uno:EnterString", "", 0, typed)


# ---------------------------------------------------------------- finding one's way


def used(tab: Any) -> tuple[int, int]:
    """The last row and the last column with anything in them, from 0; formats do not count."""
    areas = tab.queryContentCells(CONTENT).RangeAddresses
    return max([a.EndRow for a in areas] + [0]), max([a.EndColumn for a in areas] + [0])


def area(tab: Any, place: str | None = None) -> Any:
    """The named range of cells, or everything used from A1 on."""
    if place is not None:
        return tab.getCellRangeByName(place)
    row, column = used(tab)
    return tab.getCellRangeByPosition(0, 0, column, row)


def column_of(tab: Any, column: int | str) -> int:
    """A column, from 0, by its number from 1, its header's text or its letters."""
    if isinstance(column, int):
        return column - 1
    for index, header in enumerate(area(tab).getDataArray()[0]):
        if str(header).strip() == column:
            return index
    if re.fullmatch("[A-Z]{1,3}", column):
        return int(tab.getCellRangeByName(f"{column}1").RangeAddress.StartColumn)
    raise Mistake(f"{tab.Name} has no column {column!r}")


def row_of(tab: Any, row: int | str) -> int:
    """A row, from 0, by its number from 1 or by a text that stands in it, such as a case number."""
    if isinstance(row, int):
        return row - 1
    lines = area(tab).getDataArray()
    for column in range(len(lines[0])):
        for index, line in enumerate(lines):
            if line[column] == row:
                return index
    raise Mistake(f"nothing in {tab.Name} says {row!r}")


def cell_of(tab: Any, where: dict[str, Any]) -> Any:
    """The cell at `cell`, or in `row` and `column`."""
    if "cell" in where:
        return tab.getCellRangeByName(where["cell"]).getCellByPosition(0, 0)
    return tab.getCellByPosition(column_of(tab, where["column"]), row_of(tab, where["row"]))


def place_of(tab: Any, where: dict[str, Any]) -> Any:
    """The cells at `range`, of a whole `row` or `column`, or the one cell that is meant."""
    if "range" in where:
        return tab.getCellRangeByName(where["range"])
    if "cell" in where or ("row" in where and "column" in where):
        return cell_of(tab, where)
    if "row" in where:
        return tab.Rows.getByIndex(row_of(tab, where["row"]))
    return tab.Columns.getByIndex(column_of(tab, where["column"]))


def lines_at(tab: Any, row: int, count: int) -> CellRangeAddress:
    """The address of whole rows."""
    last = tab.RangeAddress.EndColumn
    return tab.getCellRangeByPosition(0, row, last, row + count - 1).RangeAddress


def columns_at(tab: Any, column: int, count: int) -> CellRangeAddress:
    """The address of whole columns."""
    last = tab.RangeAddress.EndRow
    return tab.getCellRangeByPosition(column, 0, column + count - 1, last).RangeAddress


def start_of(place: CellRangeAddress) -> CellAddress:
    """The first cell of a range."""
    first = CellAddress()
    first.Sheet, first.Column, first.Row = place.Sheet, place.StartColumn, place.StartRow
    return first


def needs_unlocked(place: Any) -> None:
    """Refuse as the program does when a person changes locked cells of a protected tab.

    Some calls of UNO go past the protection, which no person can.
    """
    protection = place.CellProtection
    if place.Spreadsheet.isProtected() and (protection is None or protection.IsLocked):
        raise Refused("protected")


# ---------------------------------------------------------------- steps

Step = Callable[..., dict[str, Any] | None]
STEPS: dict[str, Step] = {}


def step(function: Step) -> Step:
    """Name a step by its function; a trailing underscore keeps a word of Python's free."""
    STEPS[function.__name__.rstrip("_")] = function
    return function


@step
def type_(book: Book, tab: Any, *, text: str, **where: Any) -> dict[str, Any]:
    cell = cell_of(tab, where)
    needs_unlocked(cell)
    book.enter(cell, text)
    return {"shown": cell.String, "formula": cell.Formula}


@step
def overwrite(book: Book, tab: Any, *, value: Any, **where: Any) -> None:
    cell = cell_of(tab, where)
    needs_unlocked(cell)
    if value is None:
        cell.clearContents(CONTENT)
    elif isinstance(value, str):
        cell.setString(value)
    else:
        cell.setValue(value)


@step
def clear(book: Book, tab: Any, **where: Any) -> None:
    place = place_of(tab, where)
    needs_unlocked(place)
    place.clearContents(CONTENT)


@step
def sort(
    book: Book,
    tab: Any,
    *,
    by: int | str,
    descending: bool = False,
    range: str | None = None,
) -> None:
    # The whole tab has a header; a part that somebody selected has none.
    _sort(area(tab, range), column_of(tab, by), descending, header=range is None)


@step
def sort_by_arrow(book: Book, tab: Any, *, by: int | str, descending: bool = False) -> None:
    places = _filtered(book, tab).DataArea
    cells = tab.getCellRangeByPosition(
        places.StartColumn, places.StartRow, places.EndColumn, places.EndRow
    )
    _sort(cells, column_of(tab, by), descending, header=True)


def _sort(cells: Any, column: int, descending: bool, *, header: bool) -> None:
    needs_unlocked(cells)
    if cells.getIsMerged():
        # A person is told so in a box; called through UNO the program silently leaves all as it is.
        raise Refused("merged cells")
    field = TableSortField()
    field.Field = column - cells.RangeAddress.StartColumn
    field.IsAscending = not descending
    fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
    cells.sort((option("SortFields", fields), option("ContainsHeader", header)))


@step
def filter_(book: Book, tab: Any, *, column: int | str, keep: list[str]) -> dict[str, Any]:
    base = _filtered(book, tab)
    field = TableFilterField3()
    field.Field = column_of(tab, column) - base.DataArea.StartColumn
    field.Operator = EQUAL
    field.Values = tuple(_wanted(text) for text in keep)
    _refresh(base, [field])
    return {"hidden": _hidden_rows(tab)}


@step
def unfilter(book: Book, tab: Any) -> None:
    places = _filtered(book, tab).DataArea
    cells = tab.getCellRangeByPosition(
        places.StartColumn, places.StartRow, places.EndColumn, places.EndRow
    )
    cells.filter(tab.createFilterDescriptor(True))


def _filtered(book: Book, tab: Any) -> Any:
    """The range with the filter's arrows; a tab without gets them over everything used."""
    bases = book.doc.getPropertyValue("UnnamedDatabaseRanges")
    index = tab.RangeAddress.Sheet
    if not bases.hasByTable(index):
        bases.setByTable(area(tab).RangeAddress)
    base = bases.getByTable(index)
    if not base.AutoFilter:
        base.AutoFilter = True
    return base


def _wanted(text: str) -> Any:
    value = uno.createUnoStruct("com.sun.star.sheet.FilterFieldValue")
    value.StringValue, value.IsNumeric, value.FilterType = text, False, TEXT
    return value


def _refresh(base: Any, fields: list[Any]) -> None:
    description = base.getFilterDescriptor()
    description.ContainsHeader = True
    description.setFilterFields3(tuple(fields))
    base.refresh()


def _hidden_rows(tab: Any) -> int:
    return sum(not tab.Rows.getByIndex(row).IsVisible for row in range(used(tab)[0] + 1))


@step
def insert_rows(book: Book, tab: Any, *, row: int | str, count: int = 1) -> None:
    tab.Rows.insertByIndex(row_of(tab, row), count)


@step
def delete_rows(book: Book, tab: Any, *, row: int | str, count: int = 1) -> None:
    tab.Rows.removeByIndex(row_of(tab, row), count)


@step
def duplicate_row(
    book: Book, tab: Any, *, row: int | str, to: int | str, how: str = "insert"
) -> None:
    source, target = row_of(tab, row), row_of(tab, to)
    if how == "insert":
        tab.Rows.insertByIndex(target, 1)
        source += target <= source
    elif how != "over":
        raise Mistake("a row is duplicated by 'insert' or 'over'")
    tab.copyRange(start_of(lines_at(tab, target, 1)), lines_at(tab, source, 1))


@step
def move_row(book: Book, tab: Any, *, row: int | str, to: int | str) -> None:
    source, target = row_of(tab, row), row_of(tab, to)
    tab.Rows.insertByIndex(target, 1)
    source += target <= source
    tab.moveRange(start_of(lines_at(tab, target, 1)), lines_at(tab, source, 1))
    tab.Rows.removeByIndex(source, 1)


@step
def cut_paste(book: Book, tab: Any, *, to: str, **where: Any) -> None:
    target = tab.getCellRangeByName(to).RangeAddress
    tab.moveRange(start_of(target), place_of(tab, where).RangeAddress)


@step
def copy_paste(book: Book, tab: Any, *, to: str, **where: Any) -> None:
    target = tab.getCellRangeByName(to).RangeAddress
    tab.copyRange(start_of(target), place_of(tab, where).RangeAddress)


@step
def paste_block(book: Book, tab: Any, *, block: list[list[Any]], **where: Any) -> None:
    first = cell_of(tab, where).CellAddress
    last_row, last_column = first.Row + len(block) - 1, first.Column + len(block[0]) - 1
    cells = tab.getCellRangeByPosition(first.Column, first.Row, last_column, last_row)
    needs_unlocked(cells)
    for down, line in enumerate(block):
        for right, value in enumerate(line):
            _paste(cells.getCellByPosition(right, down), value)


def _paste(cell: Any, value: Any) -> None:
    if value is None:
        cell.clearContents(CONTENT)
    elif isinstance(value, str):
        cell.FormulaLocal = value
    else:
        cell.setValue(value)


@step
def insert_column(book: Book, tab: Any, *, before: int | str, count: int = 1) -> None:
    tab.Columns.insertByIndex(column_of(tab, before), count)


@step
def delete_column(book: Book, tab: Any, *, column: int | str, count: int = 1) -> None:
    tab.Columns.removeByIndex(column_of(tab, column), count)


@step
def move_column(book: Book, tab: Any, *, column: int | str, before: int | str) -> None:
    source, target = column_of(tab, column), column_of(tab, before)
    tab.Columns.insertByIndex(target, 1)
    source += target <= source
    tab.moveRange(start_of(columns_at(tab, target, 1)), columns_at(tab, source, 1))
    tab.Columns.removeByIndex(source, 1)


@step
def hide_column(book: Book, tab: Any, *, column: int | str) -> None:
    tab.Columns.getByIndex(column_of(tab, column)).IsVisible = False


@step
def show_column(book: Book, tab: Any, *, column: int | str) -> None:
    tab.Columns.getByIndex(column_of(tab, column)).IsVisible = True


@step
def rename_header(book: Book, tab: Any, *, column: int | str, text: str) -> None:
    cell = tab.getCellByPosition(column_of(tab, column), 0)
    needs_unlocked(cell)
    book.enter(cell, text)


@step
def merge(book: Book, tab: Any, *, range: str) -> None:
    area(tab, range).merge(True)


@step
def unmerge(book: Book, tab: Any, *, range: str) -> None:
    area(tab, range).merge(False)


@step
def rename_tab(book: Book, tab: Any, *, title: str) -> None:
    tab.Name = title


@step
def delete_tab(book: Book, tab: Any) -> None:
    book.doc.Sheets.removeByName(tab.Name)


@step
def move_tab(book: Book, tab: Any, *, to: int) -> None:
    book.doc.Sheets.moveByName(tab.Name, to - 1)


@step
def copy_tab(book: Book, tab: Any, *, title: str) -> None:
    book.doc.Sheets.copyByName(tab.Name, title, book.doc.Sheets.Count)


@step
def add_tab(book: Book, tab: Any, *, title: str, cells: dict[str, str]) -> dict[str, Any]:
    book.doc.Sheets.insertNewByName(title, book.doc.Sheets.Count)
    added = book.doc.Sheets.getByName(title)
    for place, text in cells.items():
        added.getCellRangeByName(place).getCellByPosition(0, 0).FormulaLocal = text
    return {"shown": {place: added.getCellRangeByName(place).String for place in cells}}


@step
def own_column(
    book: Book, tab: Any, *, header: str, fill: str, column: int | str | None = None
) -> dict[str, Any]:
    last, behind = used(tab)
    at = behind + 1 if column is None else column_of(tab, column)
    needs_unlocked(tab.Columns.getByIndex(at))
    tab.getCellByPosition(at, 0).setString(header)
    for row in range(1, last + 1):
        tab.getCellByPosition(at, row).FormulaLocal = fill.replace("{row}", str(row + 1))
    return {"column": at + 1}


@step
def colour(book: Book, tab: Any, *, rgb: str, **where: Any) -> None:
    place = place_of(tab, where)
    needs_unlocked(place)
    place.CellBackColor = int(rgb, 16)


@step
def comment(book: Book, tab: Any, *, text: str, **where: Any) -> None:
    tab.Annotations.insertNew(cell_of(tab, where).CellAddress, text)


@step
def chart(book: Book, tab: Any, *, range: str) -> None:
    needs_unlocked(area(tab, range))
    frame = Rectangle()
    frame.X, frame.Y, frame.Width, frame.Height = 20000, 2000, 8000, 6000
    tab.Charts.addNewByName(
        f"chart {tab.Charts.Count}", frame, (area(tab, range).RangeAddress,), True, True
    )


@step
def set_number_format(book: Book, tab: Any, *, format: str, **where: Any) -> None:
    place = place_of(tab, where)
    needs_unlocked(place)
    formats, locale = book.doc.NumberFormats, uno.createUnoStruct("com.sun.star.lang.Locale")
    key = formats.queryKey(format, locale, False)
    place.NumberFormat = formats.addNew(format, locale) if key == -1 else key


@step
def protect(book: Book, tab: Any) -> dict[str, Any]:
    tab.protect("")
    return {"protected": tab.isProtected()}


@step
def unprotect(book: Book, tab: Any) -> dict[str, Any]:
    tab.unprotect("")
    return {"protected": tab.isProtected()}


@step
def undo(book: Book, tab: Any) -> None:
    book.doc.UndoManager.undo()


# What may change the look or the protection of a tab and leave every cell as it was.
QUIET = {"protect", "unprotect", "hide_column", "show_column", "undo", "add_tab", "copy_tab"}
QUIET |= {"rename_tab", "delete_tab", "move_tab"}


def perform(book: Book, wanted: dict[str, Any]) -> dict[str, Any]:
    """Do one step and say what came of it; `refused` is what the program objected, or None."""
    facts = dict(wanted)
    name, tab = facts.pop("do"), book.tab(facts.pop("tab", None))
    if name not in STEPS:
        raise Mistake(f"there is no step {name!r}")
    watched = tab.isProtected() and name not in QUIET
    before = looks(tab) if watched else None
    try:
        found = STEPS[name](book, tab, **facts) or {}
        if watched and looks(tab) == before:
            raise Refused("protected")
    except Refused as refusal:
        return {"do": name, "refused": str(refusal)}
    except UnoException as error:
        why = "protected" if watched else error.Message
        return {"do": name, "refused": why or type(error).__name__}
    return {"do": name, "refused": None, **found}


def looks(tab: Any) -> Any:
    """Everything of a tab that a step could change, to be compared."""
    row, column = used(tab)
    hidden = [tab.Rows.getByIndex(index).IsVisible for index in range(row + 1)]
    notes = [(str(note.Position), note.String) for note in tab.Annotations]
    colours = [tab.Columns.getByIndex(index).CellBackColor for index in range(column + 1)]
    return area(tab).getFormulaArray(), hidden, notes, colours, tab.Charts.Count


# ---------------------------------------------------------------- reading


def values(book: Book) -> list[dict[str, Any]]:
    """All tabs as they are: what every used cell shows, is worth and was typed as."""
    return [_values(sheet) for sheet in book.doc.Sheets]


def _values(tab: Any) -> dict[str, Any]:
    cells = area(tab)
    worth, typed = cells.getDataArray(), cells.getFormulaArray()
    shown = [
        [
            value if isinstance(value, str) and not formula.startswith("=") else _shown(cells, r, c)
            for c, (value, formula) in enumerate(zip(line, formulas, strict=True))
        ]
        for r, (line, formulas) in enumerate(zip(worth, typed, strict=True))
    ]
    columns = [tab.Columns.getByIndex(c) for c in range(used(tab)[1] + 1)]
    return {
        "title": tab.Name,
        "hidden": not tab.IsVisible,
        "protected": tab.isProtected(),
        "hidden_columns": [c + 1 for c, one in enumerate(columns) if not one.IsVisible],
        "shown": shown,
        "values": worth,
        "formulas": typed,
    }


def _shown(cells: Any, row: int, column: int) -> str:
    text: str = cells.getCellByPosition(column, row).String
    return text


# ---------------------------------------------------------------- requests


class Desk:
    """The books that are open, and what is asked about them."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.books: dict[str, Book] = {}

    def open(self, path: str) -> None:
        if path in self.books:
            raise Mistake(f"{path} is open already")
        self.books[path] = Book(self.context, path, read_only=False)

    def steps(self, path: str, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [perform(self.books[path], one) for one in steps]

    def save(self, path: str) -> None:
        self.books[path].save()

    def save_anyway(self, path: str) -> None:
        self.books[path].save_anyway()

    def close(self, path: str) -> None:
        if path in self.books:  # after a restart nothing is open any more
            self.books.pop(path).close()

    def edit(self, path: str, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.open(path)
        try:
            done = self.steps(path, steps)
            self.save(path)
            return done
        finally:
            self.close(path)

    def values(self, path: str) -> list[dict[str, Any]]:
        book = Book(self.context, path, read_only=True)
        try:
            return values(book)
        finally:
            book.close()

    def leave(self) -> None:
        """Close every book unsaved and end the program."""
        for path in list(self.books):
            self.close(path)
        with contextlib.suppress(UnoException):  # the connection ends with the program
            make = self.context.ServiceManager.createInstanceWithContext
            make("com.sun.star.frame.Desktop", self.context).terminate()

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The result of a request, or what was wrong."""
        try:
            return {"result": getattr(self, asked.pop("ask"))(**asked)}
        except Mistake as mistake:
            return {"mistake": str(mistake)}
        except Refused as refusal:
            return {"refused": str(refusal)}
        except Exception:
            return {"mistake": traceback.format_exc()}


def main(folder: str, person: str) -> None:
    """Answer requests until there are no more."""
    office = start(folder, person)
    try:
        desk = Desk(connect(office, folder))
        print(json.dumps({"result": "ready"}), flush=True)
        for line in sys.stdin:
            print(json.dumps(desk.answer(json.loads(line))), flush=True)
        desk.leave()
        office.wait(10)
    finally:
        # Whatever has not ended by itself; the program is several processes of this one's group.
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
