"""Enumerations of logins, workbooks and what-if runs: columns of the record that no rule asks.

Those a regulation speaks of stand in `policy.vocabulary.status`. Name and value are equal.
"""

from __future__ import annotations

import enum


class Role(enum.Enum):
    """Which pages a user sees; what he may do is answered by his posts."""

    administrator = "administrator"
    care = "care"
    director = "director"
    member = "member"
    general_manager = "general_manager"
    juror = "juror"
    hr = "hr"
    auditor = "auditor"
    employee = "employee"


class Audience(enum.Enum):
    """For whom a spreadsheet is: one department, or those who pay."""

    department = "department"
    payroll = "payroll"


class CellDeed(enum.Enum):
    """What a pass did about a cell or a row of a spreadsheet."""

    taken = "taken"  # a person's input became a deed or a fact
    written = "written"  # the record's news went into the sheet
    put_back = "put_back"  # an edit in a column that is not the department's
    refused = "refused"  # an input that could not be taken; it stays where it was typed
    conflict = "conflict"  # changed on both sides: frozen until somebody chooses
    outdated = "outdated"  # an old copy still showed what was taken long ago
    appended = "appended"  # a row that the sheet did not have
    blanked = "blanked"  # a row that does not belong into the sheet any more


class ProblemKind(enum.Enum):
    """What somebody has to look at."""

    conflict = "conflict"  # a cell changed on both sides
    refused = "refused"  # a service or a rule refused what was typed
    repeated = "repeated"  # a row that stands twice with different inputs
    not_ours = "not_ours"  # an input in a row whose case left the department
    structure = "structure"  # the guard stopped the pass: nothing was read or written
    file = "file"  # missing, unreadable, not writable, held for long
    copy = "copy"  # a copy of the file lies beside it


class WorkbookState(enum.Enum):
    """What a spreadsheet file does now, in one word."""

    working = "working"
    waiting = "waiting"  # somebody has it open, so news has to wait
    stopped = "stopped"  # the guard stopped it; somebody has to choose
    unreachable = "unreachable"  # missing, unreadable, not writable
    paused = "paused"
    new = "new"  # never read


class WhatIfState(enum.Enum):
    """How far the worker is with trying a version on past cases."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"


class Resolution(enum.Enum):
    """How a problem ends."""

    record = "record"  # what the record says stands
    sheet = "sheet"  # what was typed stands
    undo = "undo"  # the file becomes again what it was after the last good pass
    accept = "accept"  # the file is right as it is
    seen = "seen"  # somebody knows; nothing is to be done
    over = "over"  # it went away by itself
