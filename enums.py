"""Enumerations of logins, workbooks and what-if runs: columns of the record that no rule reads.

Those a regulation uses are in `policy.vocabulary.status`. Name and value are equal.
"""

from __future__ import annotations

import enum


class Role(enum.Enum):
    """The role of a user: which pages they see; their posts decide which deeds they may do."""

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
    """The audience of a workbook: one department, or the payroll."""

    department = "department"
    payroll = "payroll"


class CellDeed(enum.Enum):
    """The deed of a look on a cell or a row of a workbook."""

    taken = "taken"  # a person's input became a deed or a fact
    written = "written"  # news of the record was written into the workbook
    put_back = "put_back"  # an edit in a column that is not the department's
    refused = "refused"  # an input that could not be taken; it stays where it was typed
    conflict = "conflict"  # changed on both sides: frozen until a person chooses
    outdated = "outdated"  # an old copy still showed an input taken in long ago
    appended = "appended"  # a row that the workbook lacked
    blanked = "blanked"  # a row that no longer belongs into the workbook


class ProblemKind(enum.Enum):
    """A kind of problem that a person has to look at."""

    conflict = "conflict"  # a cell changed on both sides
    refused = "refused"  # a service or a rule refused what was typed
    repeated = "repeated"  # a row that is there twice with different inputs
    not_ours = "not_ours"  # an input in a row whose case left the department
    structure = "structure"  # the guard stopped the pass: nothing was read or written
    file = "file"  # missing, unreadable, not writable, held for long
    copy = "copy"  # a copy of the file lies beside it
    vanished = "vanished"  # a typed text that nothing became of is in no cell any more


class WorkbookState(enum.Enum):
    """The state of a workbook, in one word."""

    working = "working"
    waiting = "waiting"  # a person has it open, so news has to wait
    stopped = "stopped"  # the guard stopped it; a person has to choose
    unreachable = "unreachable"  # missing, unreadable, not writable
    paused = "paused"
    new = "new"  # never read


class WhatIfState(enum.Enum):
    """The progress of the worker with a what-if run."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"


class Resolution(enum.Enum):
    """The resolution of a problem: how it ends."""

    record = "record"  # the record's value is kept
    sheet = "sheet"  # the typed value is kept
    undo = "undo"  # the file is restored as it was after the last good look
    accept = "accept"  # the file is right as it is
    seen = "seen"  # a person has seen it; nothing is to be done
    over = "over"  # it went away by itself
