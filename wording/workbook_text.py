"""Texts of a workbook: headers, next steps, answers to what was typed, the guide.

They are in the language spoken; a file is written in the company's language.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from policy.vocabulary.errors import DomainError
from policy.vocabulary.status import ReplyOutcome, Status
from wording.errors import error
from wording.labels import deed, label
from wording.language import _, mark, moment
from wording.workbook_problems import workbook_problem

RETURNED = "returned"
"""The outcome by which a department says that a case is not its own."""

_TITLES = {
    "today": mark("Today"),
    "open": mark("In hand"),
    "closed": mark("Finished"),
    "guide": mark("Guide"),
    "people": mark("People"),
    "month": mark("Month"),
}

_HEADERS = {
    "uid": mark("ID (do not change)"),
    "number": mark("Case no."),
    "next_step": mark("Next step"),
    "due_at": mark("Due"),
    "hint": mark("Answer of the system"),
    "handler": mark("Handled by"),
    "contacted_at": mark("First contact at"),
    "progress": mark("Progress"),
    "outcome": mark("Outcome of the handling"),
    "answer": mark("Explanation"),
    "until": mark("Extension until"),
    "until_reason": mark("Reason for the extension"),
    "confirmed": mark("Director's confirmation"),
    "grade": mark("Grade"),
    "channel": mark("Source"),
    "received_at": mark("Received at"),
    "customer": mark("Customer"),
    "phone": mark("Telephone"),
    "extra.*": mark("Fields of the regulation"),
    "body": mark("Contents"),
    "demand": mark("Demand"),
    "round": mark("Round"),
    "feedback": mark("What the customer said"),
    "why": mark("Why today"),
    "status": mark("Status"),
    "closed_at": mark("Closed at"),
    "topic": mark("Topic"),
    "text": mark("How it works"),
    "value": mark("Name and number"),
    "employee_number": mark("Employee number"),
    "employee": mark("Name"),
    "department": mark("Department"),
    "ground": mark("Ground"),
    "cite": mark("Clause"),
    "amount": mark("Amount"),
    "confirmed_at": mark("Confirmed at"),
    "notified_at": mark("Notified at"),
    "counts_at": mark("Appeal term ended"),
}

_NEXT = {
    Status.registered: mark("Customer care hands it over"),
    Status.returned: mark("Customer care hands it over"),
    Status.dispatched: mark("Handle it and fill in the result"),
    Status.replied: mark("The director confirms (open the case no.)"),
    Status.raised: mark("Customer care decides about the extension"),
    Status.intervened: mark("The general manager decides"),
    Status.confirmed: mark("Customer care calls the customer"),
    Status.disputed: mark("The care director decides"),
    Status.accepted: mark("The care director signs"),
    Status.closed: mark("Observed for a repeat"),
    Status.archived: mark("Nothing more"),
}

_WHY = {
    "overdue": mark("Overdue"),
    "restarted": mark("Restarted"),
    "today": mark("Due today"),
    "refused": mark("Not taken"),
}


def tab_title(key: str) -> str:
    """Return the title of a tab."""
    return _(_TITLES[key])


def column_header(field: str) -> str:
    """Return the header of a column."""
    return _(_HEADERS[field]) if field in _HEADERS else field


def next_step(status: Status, *, provisional: bool = False) -> str:
    """Return what happens to a case next and who does it, and whether its due time is provisional.

    The due time itself stands in a cell that is a time and can carry no word.
    """
    step = _(_NEXT[status]) if status in _NEXT else label(status)
    return _("%(step)s (due time provisional)", step=step) if provisional else step


def why_today(reason: str) -> str:
    """Return why a case stands on the tab of today."""
    return _(_WHY[reason])


def yes_or_no(value: bool) -> str:  # noqa: FBT001  # the flag itself is said
    """Return a flag as the text of a cell."""
    return _("yes") if value else _("no")


def reply_outcomes() -> dict[str, str]:
    """Return the outcomes a department can choose, by key."""
    found = {one.value: label(one) for one in ReplyOutcome}
    return found | {RETURNED: _("Not ours, returned")}


# ---------------------------------------------------------------- answers


def deeds_taken(deeds: Sequence[str], *, at: dt.datetime, status: Status) -> str:
    """Return the answer to inputs that became deeds, with what comes next."""
    return _(
        "%(at)s taken: %(deeds)s. Next: %(next)s",
        at=moment(at),
        deeds=_(", ").join(deed(name) for name in deeds),
        next=next_step(status),
    )


def answer_corrected(*, at: dt.datetime) -> str:
    """Return the answer to a correction of what was taken before."""
    return _("%(at)s corrected", at=moment(at))


def join_answers(answers: Sequence[str]) -> str:
    """Return several answers as one cell."""
    return _("; ").join(answers)


def case_registered(number: str, *, at: dt.datetime) -> str:
    """Return the answer to a new row that became a case."""
    return _("%(at)s registered as %(number)s", at=moment(at), number=number)


def input_refused(why: str) -> str:
    """Return the answer to an input that was not taken and stays in its cell."""
    return _("Not taken: %(why)s", why=why)


def cells_missing(fields: Sequence[str]) -> str:
    """Return the answer to a group of cells of which some are missing."""
    missing = _(", ").join(column_header(name) for name in fields)
    return _("Not sent yet. Still needed: %(fields)s", fields=missing)


def edits_put_back(fields: Sequence[str]) -> str:
    """Return the answer to edits in columns that are not the department's, or to a cleared cell."""
    names = _(", ").join(column_header(name) for name in fields)
    return _(
        "Put back: %(fields)s. To change it, open the case no. or call customer care", fields=names
    )


def old_copy(fields: Sequence[str]) -> str:
    """Return the answer to an old copy of the file."""
    names = _(", ").join(column_header(name) for name in fields)
    return _("The file was an old copy; the newer text was kept: %(fields)s", fields=names)


def texts_vanished(fields: Sequence[str]) -> str:
    """Return the answer to texts over which an older copy of the file was saved."""
    names = _(", ").join(column_header(name) for name in fields)
    return _(
        "An older copy was saved over what was typed; it is kept, customer care can put it back: "
        "%(fields)s",
        fields=names,
    )


def changed_on_both_sides(fields: Sequence[str]) -> str:
    """Return the answer to cells that were changed on both sides."""
    names = _(", ").join(column_header(name) for name in fields)
    return _("Changed on both sides, customer care decides: %(fields)s", fields=names)


def cells_merged(fields: Sequence[str]) -> str:
    """Return the answer to a row of which merged cells hide something."""
    names = _(", ").join(column_header(name) for name in fields)
    return _(
        "Merged cells are neither read nor filled in, please split them: %(fields)s", fields=names
    )


def row_put_back() -> str:
    """Return the answer to a row that was deleted although its case is open."""
    return _("This row had been deleted; the case is still open, so it was put back")


def row_repeated(number: str) -> str:
    """Return the answer to a second row of a case."""
    return _("A copy of %(number)s: nothing of this row is taken, it can be deleted", number=number)


def stated_contact(text: str) -> str:
    """Return the history's note of a typed time of contact that cannot count."""
    return _("Time of contact as typed in the sheet: %(text)s", text=text)


def changed_in_workbook() -> str:
    """Return the reason of a correction made in a workbook, for the case's history."""
    return _("Changed in the department's sheet")


_UNREADABLE = {
    "broken": mark("“%(text)s” is an error value"),
    "too_long": mark("the text has %(length)s characters, at most %(limit)s are possible"),
    "ambiguous": mark(
        "the date “%(said)s” can be read in two ways; write it like 2026-09-28 14:05"
    ),
    "time_missing": mark("the clock time is missing; write it like 2026-09-28 14:05"),
    "no_time": mark("“%(said)s” is no time; write it like 2026-09-28 14:05"),
    "no_number": mark("“%(said)s” is no number"),
    "no_flag": mark("“%(said)s” is neither yes nor no"),
    "no_choice": mark("“%(said)s” is not in the list"),
    "name_shared": mark("several people are called %(name)s; add the employee number"),
    "name_unknown": mark("“%(said)s” is nobody of this department"),
    "name_contradicts": mark("the name and the employee number “%(said)s” do not fit each other"),
    "formula": mark("a formula cannot be taken as an answer; type the text itself"),
    "cleared": mark("what was taken cannot be emptied"),
    "contact_stands": mark("the first contact was taken already"),
    "not_yours": mark("the case is not this department's any more"),
    "not_computed": mark("the formula has no value yet; type the text itself"),
    "no_day": mark("“%(said)s” is no day; write it like 2026-09-28"),
    "year_unlikely": mark(
        "“%(said)s” would be a time in the year %(year)s; write it like 2026-09-28 14:05"
    ),
    "weekday_contradicts": mark("day and weekday of “%(said)s” do not fit each other"),
    "digits_lost": mark(
        "“%(said)s” is a number whose last digits the program has lost; type it as a text"
    ),
    "row_incomplete": mark("the row is not complete yet"),
    "row_of_department": mark(
        "%(number)s is a case of %(department)s; for a new complaint leave the case no. empty"
    ),
    "row_of_care": mark(
        "%(number)s is with customer care; for a new complaint leave the case no. empty"
    ),
    "row_finished": mark("%(number)s is finished; for a new complaint leave the case no. empty"),
    "row_example": mark("this is an example row; it can be deleted"),
}
"""Why a cell or a row could not be understood, by the code of the parser."""


def cell_unreadable(code: str, field: str, facts: Mapping[str, Any]) -> str:
    """Return why a cell's text could not be understood, with its column's header."""
    said = _UNREADABLE.get(code)
    known = defaultdict(str, facts)
    why = _(said) % known if said else workbook_problem(code, facts)
    return _("%(header)s: %(why)s", header=column_header(field), why=why)


def refusal_text(refusal: DomainError) -> str:
    """Return why a service refused."""
    return error(refusal)


# ---------------------------------------------------------------- the guide


def guide_lines(*, department: str, address: str, written_at: dt.datetime) -> list[tuple[str, str]]:
    """Return the lines of the tab that says how the file is filled in."""
    return [
        (_("This file"), _("Cases of %(name)s. It is mirrored with Redress.", name=department)),
        (
            _("White columns"),
            _("Yours to fill in: who handles it, first contact, progress, result."),
        ),
        (
            _("Grey columns"),
            _("Only to read. What is typed there is put back and noted."),
        ),
        (
            _("Outcome of the handling"),
            _("Solved or raised: name the handler and explain. Extension: until when and why."),
        ),
        (_("Not ours"), _("Choose “Not ours, returned” and say why in the explanation.")),
        (
            _("New complaint"),
            _("Type it as a new row below, with customer and contents, without a case no."),
        ),
        (
            _("Answer of the system"),
            _("Says within half a minute what was taken, when, and what comes next; or why not."),
        ),
        (
            _("Confirmation"),
            _("Needs a name: open the case no., log in and confirm, on a telephone too."),
        ),
        (
            _("Own columns and tabs"),
            _("Add as many as you like, sort, filter and colour. They are never touched."),
        ),
        (_("First column"), _("The hidden first column tells the rows apart. Please leave it.")),
        (_("On the way"), address),
        (_("Last written"), moment(written_at)),
    ]


def payroll_guide_lines(*, year: int, written_at: dt.datetime) -> list[tuple[str, str]]:
    """Return the guide's lines for the workbook of payroll."""
    return [
        (
            _("This file"),
            _("Penalties by wage month of %(year)s. It is made by Redress.", year=year),
        ),
        (
            _("Tabs"),
            _("One for each wage month. They are locked; what is changed there is put back."),
        ),
        (_("Which rows"), _("Confirmed, told to the employee, and the appeal term has ended.")),
        (_("Last written"), moment(written_at)),
    ]


def workbook_name(department: str) -> str:
    """Return the file name of a department's workbook, without its ending."""
    return _("%(name)s complaints", name=department)


def payroll_workbook_name(year: int) -> str:
    """Return the file name of payroll's workbook, without its ending."""
    return _("Penalties %(year)s", year=year)


def column_note(field: str, *, open_: bool) -> str:
    """Return what a spreadsheet program shows when a person enters a cell of a column."""
    if not open_:
        return _("Only to read. A change here is put back.")
    return _(_NOTES.get(field, mark("Yours to fill in.")))


_NOTES = {
    "handler": mark("Choose from the list, or type the employee number."),
    "contacted_at": mark("Date and time, for example 2026-09-28 14:05. Empty: not yet."),
    "progress": mark("What was done. Every change is kept in the case's history."),
    "outcome": mark("Choose from the list. It is sent once the cells beside it are filled."),
    "answer": mark("What was done and why it is solved, or why not."),
    "until": mark("Until when more time is needed, for example 2026-10-12 17:00."),
    "until_reason": mark("Why more time is needed."),
}
