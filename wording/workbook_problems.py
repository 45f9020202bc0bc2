"""Problems of a workbook file, in sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from wording.errors import ERRORS, render_refusal, value_text
from wording.labels import field
from wording.language import _, mark

_PROBLEMS = {
    "half_sorted": mark(
        "Only some columns were sorted (%(columns)s): %(rows)s rows would mix up different cases. "
        "Undo the sorting in the file, or restore the file."
    ),
    "rows_vanished": mark(
        "%(count)s of %(of)s rows are gone from the file. If they were deleted by mistake, "
        "restore the file; rows of open cases come back in any case."
    ),
    "shifted_paste": mark(
        "Something was pasted one place off: in %(rows)s rows %(columns)s now say what belongs "
        "to the row or column beside it. Undo the pasting, or restore the file."
    ),
    "cells_changed": mark(
        "%(count)s of %(of)s cells that people fill were changed at once, more than anybody "
        "types. If it was meant, accept the file as it is; if not, restore it."
    ),
    "id_gone": mark(
        "The hidden first column is gone, so nobody can tell which row is which case. "
        "Undo it in the file, or restore the file."
    ),
    "mark_gone": mark(
        "The file has lost the mark that says which pass it comes from; probably its contents "
        "were copied into a new file. Put the real file back, or restore it."
    ),
    "tab_gone": mark("The tab “%(tab)s” is gone from the file. Restore the file to bring it back."),
    "too_old": mark(
        "Somebody saved a copy that is older than what Redress remembers (pass %(stamp)s). "
        "Restore the file; what was typed into the old copy has to be typed again."
    ),
    "from_future": mark(
        "The file says it was written by pass %(stamp)s, which Redress has not made yet. The "
        "database was probably brought back from a backup. Restore the file, or accept it."
    ),
    "no_workbook": mark(
        "Under the file's name lies something that is no Excel workbook. "
        "Put the real file back, or restore it."
    ),
    "half_written": mark(
        "The file is not whole yet; a sync program is probably still writing it. "
        "It is looked at again by itself."
    ),
    "damaged": mark(
        "The file cannot be read as it stands, although no program writes it any more. Open it and "
        "save it again, or restore it as it was after the last good pass."
    ),
    "too_big": mark(
        "The file is too big to be read in half a minute: mostly filled rows without end, or huge "
        "texts in cells. Delete what is not needed and save it, or restore the file."
    ),
    "look_failed": mark(
        "Redress failed at this file by a fault of its own (%(error)s at %(where)s). Nothing of it "
        "is lost, clocks that the file could meet wait, and it is tried again by itself. Tell "
        "whoever looks after Redress; the worker's log has the rest."
    ),
    "look_endless": mark(
        "A look at the file does not end; probably the shared folder no longer answers. "
        "Connect it again; if that does not help, start Redress anew."
    ),
    "other_type": mark(
        "Beside the file lies “%(name)s”: somebody saved it as another type, which Redress does "
        "not read. Save it as .xlsx, or type what stands there into the file."
    ),
    "copy_failed": mark(
        "Beside the file lies a copy, “%(name)s”, that could not be taken in (%(error)s). "
        "Look into it yourself, or have it tried again."
    ),
    "busy": mark("The file is in use at the moment. It is looked at again by itself."),
    "changed": mark(
        "Somebody saved the file while Redress was about to write it. Nothing was lost; "
        "it is done again by itself."
    ),
    "missing": mark(
        "The file is not where it should be. Put it back under its old name, "
        "or Redress makes a new one with everything it knows."
    ),
    "held": mark(
        "%(who)s has had the file open for %(minutes)s minutes. Ask for it to be saved and closed; "
        "until then nothing new can be written into it."
    ),
    "hard_linked": mark(
        "The file has two names (a hard link). Writing would cut one from the other, and what is "
        "typed there would never be read. Remove the other name; use a symbolic link to the file "
        "or a folder for each department instead."
    ),
    "mounted_alone": mark(
        "The file is mounted by itself, so that it cannot be replaced as a whole. "
        "Mount its folder instead, or use a symbolic link to the file."
    ),
    "not_readable": mark(
        "Redress may not read the file. Give its account the right to read it in the folder."
    ),
    "not_writable": mark(
        "Redress may not write the file. Give its account the right to write in the folder."
    ),
    "disk_full": mark("The disk of the folder is full. Make room; it is tried again by itself."),
    "no_folder": mark(
        "The folder of the files is not there. Connect the shared folder, "
        "or correct REDRESS_SHEET_FOLDER."
    ),
    "folder_unmarked": mark(
        "The folder of the files, %(folder)s, does not say that it is Redress's: its marker file "
        "is missing. Probably the shared folder is not connected. Connect it again; if this is "
        "really the new folder, run flask sync --take-folder."
    ),
    "folder_of_other": mark(
        "The folder of the files, %(folder)s, belongs to another installation of Redress. Correct "
        "REDRESS_SHEET_FOLDER; if the folder is to be this one's now, run flask sync --take-folder."
    ),
    "folder_of_copy": mark(
        "The folder of the files, %(folder)s, is used by the original of which this Redress is a "
        "copy or a backup. Give the copy a folder of its own; if the original is gone for good, "
        "run flask sync --take-folder."
    ),
    "all_gone": mark(
        "All %(count)s files are gone from the folder at once. Probably the shared folder is not "
        "connected or somebody moved them. Put them back; to have them made anew with everything "
        "Redress knows, run flask sync --take-folder."
    ),
    "other_workbook": mark(
        "Under the file's name lies the file of another department or year. "
        "Put the real file back, or restore it."
    ),
    "other_installation": mark(
        "Under the file's name lies a file that another installation of Redress wrote. "
        "Put the real file back, or restore it."
    ),
    "copy_found": mark(
        "Beside the file lies a copy, “%(name)s”. Somebody may have typed into the copy instead."
    ),
    "conflict": mark("The cell was changed in the file and in Redress. Somebody has to choose."),
    "refused": mark("What was typed could not be taken."),
    "repeated": mark(
        "The row of this case stands in the file more than once, with different inputs."
    ),
    "from_copy": mark("It was typed into a copy of the file."),
    "vanished": mark(
        "What was typed here is not in the file any more: an older copy of the file was saved "
        "over it before it was taken. The text is kept here and can be put back."
    ),
    "copy_undecided": mark(
        "This was typed into a copy of the file and could not be taken as it is. "
        "The text is kept here and can be put into the file."
    ),
    "not_ours": mark(
        "Something was typed into the row of a case that has left the department meanwhile."
    ),
    "broken": mark("The cell holds an error value, “%(text)s”. The text itself has to be typed."),
    "too_long": mark("The text has %(length)s characters; at most %(limit)s are possible."),
    "ambiguous": mark("The date “%(said)s” can be read in two ways."),
    "time_missing": mark("The clock time is missing."),
    "no_time": mark("“%(said)s” is no time."),
    "no_day": mark("“%(said)s” is no day."),
    "year_unlikely": mark("The year %(year)s of “%(said)s” cannot be meant."),
    "weekday_contradicts": mark("Day and weekday of “%(said)s” do not fit each other."),
    "digits_lost": mark(
        "“%(said)s” is a number whose last digits the program has lost. Type it as a text."
    ),
    "not_computed": mark("The formula has no value yet. The text itself has to be typed."),
    "no_number": mark("“%(said)s” is no number."),
    "no_flag": mark("“%(said)s” is neither yes nor no."),
    "no_choice": mark("“%(said)s” is not in the list: %(choices)s."),
    "name_shared": mark(
        "Several people are called %(name)s (%(numbers)s); the employee number is needed."
    ),
    "name_unknown": mark("“%(said)s” is nobody of this department."),
    "name_contradicts": mark("Name and employee number of “%(said)s” do not fit each other."),
    "row_incomplete": mark("The new row is not complete yet. Still needed: %(missing)s."),
    "row_of_department": mark(
        "The row of %(number)s, a case of %(department)s, was pasted as if it were a new complaint."
    ),
    "row_of_care": mark(
        "The row of %(number)s, which is with customer care, was pasted as if it were a new "
        "complaint."
    ),
    "row_finished": mark(
        "The row of %(number)s, which is finished, was pasted as if it were a new complaint."
    ),
    "row_example": mark("An example row was left in the file; it is no complaint."),
    "formula": mark("A formula cannot be taken as an answer; the text itself has to be typed."),
    "cleared": mark("What was taken cannot be emptied."),
    "contact_stands": mark("The first contact was taken already."),
    "not_yours": mark("The case is not this department's any more."),
    "merged": mark(
        "Cells of this row are merged (%(columns)s), the answer of the system among them. "
        "They are neither read nor filled in until somebody splits them in the file."
    ),
}
"""The sentence of each code of a problem in a workbook."""


def workbook_problem(code: str, facts: Mapping[str, Any]) -> str:
    """Return what is wrong with a file, row or cell as sentences; unknown codes included.

    `facts` are as the record keeps them: JSON, so an instant is a text.
    """
    known = {name: _parse_instant(value) for name, value in facts.items()}
    sentence = _PROBLEMS.get(code) or ERRORS.get(code)
    if sentence is not None:
        return render_refusal(sentence, known)
    return _("Something is wrong that has no name yet: %(code)s.", code=_with_facts(code, known))


def _parse_instant(value: Any) -> Any:
    """Return the instant that a text of the record stands for, else the value itself."""
    if not isinstance(value, str) or len(value) < len("2026-09-28T14:05"):
        return value
    try:
        at = dt.datetime.fromisoformat(value)
    except ValueError:
        return value
    return at if at.tzinfo else value


def _with_facts(code: str, facts: Mapping[str, Any]) -> str:
    said = _("; ").join(f"{field(name)} {value_text(value)}" for name, value in facts.items())
    return f"{code} ({said})" if said else code
