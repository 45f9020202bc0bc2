"""Makes a new workbook: empty tabs that help people to fill them, in any spreadsheet program.

Columns are never locked, because people could no longer sort, insert and delete rows. A column
that is not theirs is grey and says so when they enter it. Only tabs that are generated as a whole
are locked, without a password.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import openpyxl
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.filters import FilterColumn
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from sync.port import ColumnLayout, TabLayout
from sync.workbook.locating import mark, name_of_column

LAST_LINE = 20_000  # how far validations and colours reach
WRAPPED_FROM = 24  # columns at least this wide wrap their text
CHOICES_TEXT = 255  # what a list in a validation may hold; a longer one is left to the list's tab
PROMPT = 255  # what an input message may hold
TITLE = 32  # and its title
HEADER_HEIGHT = 30
SPARE = 12  # columns behind ours that people may fill; a sort takes them along

FACE = "Microsoft YaHei"
FORMATS = {
    "text": "@",
    "link": "General",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
    "money": "#,##0.00",
}
INK, PAPER, HEAD, HEAD_GREY, GREY = "1F2937", "FFFFFF", "1F4E5F", "5B6770", "F1F3F4"
LINE = Side(style="thin", color="D5DADD")
BORDER = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
COLOURS = {
    "overdue": ("FDE2E1", "9B1C1C"),
    "soon": ("FFE8CC", "8A4B08"),
    "today": ("FFF7C2", "6B5900"),
}


def make_workbook(file: BinaryIO, tabs: Sequence[TabLayout], owner: str = "") -> None:
    """Write a new workbook with empty tabs, stamp 0 and the owner in its marks into a file."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    titles = {tab.key: tab.title for tab in tabs}
    for tab in tabs:
        sheet = workbook.create_sheet(tab.title)
        _fill(sheet, tab, titles, owner=owner)
        for position, column in enumerate(tab.columns):
            name = name_of_column(tab.key, position, column.field)
            target = f"{quote_sheetname(tab.title)}!${get_column_letter(position + 1)}$1"
            workbook.defined_names[name] = DefinedName(name, attr_text=target, hidden=True)
    workbook.active = next((at for at, tab in enumerate(tabs) if not tab.hidden), 0)
    workbook.save(file)


def _fill(sheet: Worksheet, tab: TabLayout, titles: dict[str, str], *, owner: str) -> None:
    """Lay out one tab."""
    for position, column in enumerate(tab.columns, start=1):
        _style_column(sheet, tab, position, column=column)
        _advise(sheet, position, column, titles=titles)
    head = sheet.cell(1, 1)
    head.value, head.data_type = mark(tab.key, 0, owner), "s"
    sheet.row_dimensions[1].height = HEADER_HEIGHT
    sheet.freeze_panes = _corner(tab)
    sheet.sheet_state = "hidden" if tab.hidden else "visible"
    sheet.sheet_view.zoomScale = 100
    sheet.sheet_view.showGridLines = False
    _colour_dues(sheet, tab)
    _set_up_print(sheet, tab)
    if tab.locked:
        _lock(sheet)
    _filter(sheet, tab)


def _filter(sheet: Worksheet, tab: TabLayout) -> None:
    """Put filter buttons on our columns; a sort takes along the columns that people add."""
    ours = len(tab.columns)
    spare = 0 if tab.locked else SPARE
    sheet.auto_filter.ref = f"A1:{get_column_letter(ours + spare)}{LAST_LINE}"
    for column in range(ours, ours + spare):
        sheet.auto_filter.filterColumn.append(FilterColumn(colId=column, hiddenButton=True))


def _corner(tab: TabLayout) -> str:
    """The first cell that scrolls, behind the given number of visible columns and the header."""
    visible = [at for at, column in enumerate(tab.columns, 1) if at > 1 and not column.hidden]
    kept = visible[: tab.frozen]
    return f"{get_column_letter(kept[-1] + 1 if kept else 1)}2"


# ---------------------------------------------------------------- columns


def _style_column(sheet: Worksheet, tab: TabLayout, position: int, *, column: ColumnLayout) -> None:
    """The width, the header and the style that new cells of a column inherit."""
    letter = get_column_letter(position)
    whole = sheet.column_dimensions[letter]
    whole.width = column.width
    whole.hidden = column.hidden or position == 1
    theirs = column.open_ and not tab.locked
    whole.font = Font(name=FACE, size=10, color="0563C1" if column.shape == "link" else INK)
    whole.number_format = FORMATS[column.shape]
    whole.fill = PatternFill("solid", fgColor=PAPER if theirs or tab.locked else GREY)
    whole.border = BORDER
    whole.alignment = _alignment(column)
    whole.protection = Protection(locked=tab.locked)
    _style_header(sheet, position, column, colour=HEAD if theirs or tab.locked else HEAD_GREY)


def _style_header(tab: Worksheet, position: int, column: ColumnLayout, *, colour: str) -> None:
    head = tab.cell(1, position)
    head.value = column.header
    head.data_type = "s"  # a header that begins with = is a text
    head.font = Font(name=FACE, size=10, bold=True, color=PAPER)
    head.fill = PatternFill("solid", fgColor=colour)
    head.border = BORDER
    head.alignment = Alignment(vertical="center", wrap_text=True)


def _alignment(column: ColumnLayout) -> Alignment:
    across = {"money": "right", "date": "center", "datetime": "center"}.get(column.shape)
    return Alignment(horizontal=across, vertical="top", wrap_text=column.width >= WRAPPED_FROM)


# ---------------------------------------------------------------- advice on entering


def _advise(tab: Worksheet, position: int, column: ColumnLayout, *, titles: dict[str, str]) -> None:
    """Give a column its list, and the note that is shown to whoever enters it."""
    formula = _list_of(column, titles)
    if formula is None and not column.note:
        return
    advice = DataValidation(
        type="list" if formula else None,
        formula1=formula,
        allow_blank=True,
        showErrorMessage=formula is not None,
        showInputMessage=bool(column.note),
        errorStyle="warning",
    )
    if column.note:
        advice.promptTitle, advice.prompt = column.header[:TITLE], column.note[:PROMPT]
    letter = get_column_letter(position)
    advice.add(f"{letter}2:{letter}{LAST_LINE}")
    tab.add_data_validation(advice)


def _list_of(column: ColumnLayout, titles: dict[str, str]) -> str | None:
    """The formula of a column's list: a range of another tab, or the values themselves."""
    if column.choices_from is not None and column.choices_from in titles:
        title = quote_sheetname(titles[column.choices_from])
        # The list ends with its last filled cell, so that it offers no blanks.
        return f"OFFSET({title}!$B$2,0,0,MAX(1,COUNTA({title}!$B$2:$B${LAST_LINE})),1)"
    joined = ",".join(column.choices)
    if not column.choices or len(joined) > CHOICES_TEXT or any("," in it for it in column.choices):
        return None
    quoted = joined.replace('"', '""')
    return f'"{quoted}"'


# ---------------------------------------------------------------- colours


def _colour_dues(sheet: Worksheet, tab: TabLayout) -> None:
    """Colour whole rows by their due time: over, within four hours, today."""
    if tab.due is None:
        return
    span = f"A2:{get_column_letter(len(tab.columns))}{LAST_LINE}"
    for formula, colour in _dues(tab):
        fill, ink = COLOURS[colour]
        look = DifferentialStyle(
            font=Font(color=ink), fill=PatternFill("solid", bgColor=fill, fgColor=fill)
        )
        rule = Rule(type="expression", formula=[formula], stopIfTrue=True, dxf=look)
        sheet.conditional_formatting.add(span, rule)


def _dues(tab: TabLayout) -> Iterator[tuple[str, str]]:
    """The formulas that tell a row is due, in the order in which they count."""
    letters = {column.field: get_column_letter(at) for at, column in enumerate(tab.columns, 1)}
    due = f"${letters[str(tab.due)]}2"
    waits = f"ISNUMBER({due})"
    if tab.done is not None:
        waits += f",LEN(${letters[tab.done]}2)=0"
    yield f"AND({waits},{due}<NOW())", "overdue"
    yield f"AND({waits},{due}<NOW()+4/24)", "soon"
    yield f"AND({waits},INT({due})=TODAY())", "today"


# ---------------------------------------------------------------- paper and locks


def _set_up_print(sheet: Worksheet, tab: TabLayout) -> None:
    """Landscape, as wide as the paper, the header on every page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    sheet.HeaderFooter.oddFooter = HeaderFooterItem(center=_HeaderFooterPart("&A · &P / &N"))


def _lock(tab: Worksheet) -> None:
    """Lock a generated tab without a password; it can be filtered, sorted and made wider."""
    lock = tab.protection
    lock.enable()
    lock.autoFilter = lock.sort = False  # in the file these say what is forbidden
    lock.formatColumns = lock.formatRows = False
