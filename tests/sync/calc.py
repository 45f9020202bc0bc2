"""LibreOffice as a person, for tests: opens a workbook file, does things to it, saves it.

`calc` is a fixture (sync/conftest.py). A whole visit is

    calc.edit(path, [step("type", "在办", row="T-003", column="处理结果", text="已解决")])

which opens the file, does the steps, saves it under its name and closes it; the answers say of each
step whether the program refused it. `calc.open(path)` is a book that stays open, with its lock file
beside it. `calc.values(path)` is what LibreOffice reads in a file: a second opinion on our own.

The program's locale is zh-CN and the person at it is called PERSON.

Hiding columns and filtering a protected tab go past its permissions, which UNO does not know.

Where a step happens: `tab` is a title (or else the first tab). `cell` is such as "F7". A `row` is
its number from 1 or a text that stands in it, such as a case number; a `column` is its header's
text, its letters or its number from 1. `range` is such as "A5:F12".

| step | what it does |
|---|---|
| type: cell or row and column, text | types into the input line: dates, numbers, `=` count |
| overwrite: cell or row and column, value | puts a text, number or nothing (None) there as it is |
| clear: cell, row, column or range | empties the cells; formats stay |
| sort: by, descending, range | sorts everything below the header, or only a range (all its rows) |
| sort_by_arrow: by, descending | sorts what the filter's arrows stand over, and nothing beside it |
| filter: column, keep; unfilter | hides the rows that do not say one of `keep`; shows all again |
| insert_rows, delete_rows: row, count | |
| duplicate_row: row, to, how | copies a row before the row `to`, or `how="over"` it |
| move_row: row, to | cuts a row and inserts it before the row `to` |
| cut_paste, copy_paste: what, to | moves or copies cells over those that begin at the cell `to` |
| paste_block: cell, block | pastes lines of cells; texts count as typed, None empties |
| insert_column: before, count; delete_column: column, count; move_column: column, before | |
| hide_column, show_column: column; rename_header: column, text | |
| merge, unmerge: range | the merged cells keep only the first one's content |
| rename_tab: title; delete_tab; move_tab: to; copy_tab: title; add_tab: title, cells | |
| own_column: header, fill, column | a column behind all others, `{row}` in `fill` is the row |
| colour: rgb; comment: text; chart: range; set_number_format: format | |
| protect, unprotect; undo | |
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

PERSON = "SALES"
"""Who LibreOffice says has a book open."""

PYTHON = "/usr/bin/python3"
MACRO = Path(__file__).with_name("calc_macro.py")
PATIENCE = 120.0  # seconds that LibreOffice may need for one request

Step = dict[str, Any]
Answer = dict[str, Any]


class CalcError(Exception):
    """A test asked for nonsense, or the program does not answer."""


class CalcRefused(Exception):
    """LibreOffice does not open or save a book."""


def step(do: str, tab: str | None = None, **what: Any) -> Step:
    """A step on a tab (the first where none is named); see the table above."""
    return {"do": do, "tab": tab, **what}


@dataclass(frozen=True, slots=True)
class Seen:
    """A tab as LibreOffice reads it, rows of cells from A1 to the last used cell.

    `shown` is what stands on the screen, `values` texts and numbers (None for an error), `formulas`
    what was typed, in English and with `;` between arguments.
    """

    title: str
    hidden: bool
    protected: bool
    hidden_columns: list[int]
    shown: list[list[str]]
    values: list[list[Any]]
    formulas: list[list[str]]


class Calc:
    """A person with a LibreOffice of his own; it is started anew when it has died."""

    def __init__(self, folder: Path, *, person: str = PERSON) -> None:
        self._folder = folder
        self._person = person
        self._starts = 0
        self._macro: subprocess.Popen[str] | None = None

    @staticmethod
    def missing() -> str:
        """What the system lacks, in words; empty where nothing is missing."""
        if shutil.which("soffice") is None:
            return "LibreOffice Calc is not installed"
        found = subprocess.run([PYTHON, "-c", "import uno"], capture_output=True, check=False)
        return "" if found.returncode == 0 else "UNO for Python (python3-uno) is not installed"

    # ------------------------------------------------------------ what people do

    def edit(self, path: Path, steps: Sequence[Step]) -> list[Answer]:
        """Open a book, do the steps, save and close it; an answer for each step.

        `refused` in an answer is None or what the program objected; what else an answer holds
        depends on the step. Raises CalcRefused when the book can not be opened or saved.
        """
        answers: list[Answer] = self.ask("edit", path=str(path.resolve()), steps=list(steps))
        return answers

    def open(self, path: Path) -> OpenBook:
        """A book that stays open until it is closed."""
        self.ask("open", path=str(path.resolve()))
        return OpenBook(self, path.resolve())

    def values(self, path: Path) -> dict[str, Seen]:
        """All tabs of a book, hidden ones as well, by title and in their order."""
        found = self.ask("values", path=str(path.resolve()))
        return {one["title"]: Seen(**one) for one in found}

    # ------------------------------------------------------------ the program

    @property
    def group(self) -> int | None:
        """The process group of everything it started; None while nothing runs."""
        return self._macro.pid if self._macro else None

    def ensure(self) -> None:
        """Start the program unless it runs."""
        if self._macro is None or self._macro.poll() is not None:
            self.end()
            self._start()

    def ask(self, what: str, **facts: Any) -> Any:
        """The result of a request. Raises CalcError or CalcRefused."""
        self.ensure()
        assert self._macro is not None
        assert self._macro.stdin is not None
        with suppress(BrokenPipeError):  # it has died, which reading the answer tells
            self._macro.stdin.write(json.dumps({"ask": what, **facts}) + "\n")
            self._macro.stdin.flush()
        return self._result()

    def end(self) -> None:
        """Stop the program and everything it started; no process is left behind."""
        if self._macro is None:
            return
        macro, self._macro = self._macro, None
        assert macro.stdin is not None
        assert macro.stdout is not None
        with suppress(BrokenPipeError):  # a request that nobody read any more
            macro.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            macro.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(macro.pid, signal.SIGKILL)
        macro.wait()
        macro.stdout.close()

    def _start(self) -> None:
        self._starts += 1
        home = self._folder / f"profile{self._starts}"
        home.mkdir(parents=True)
        self._macro = subprocess.Popen(
            [PYTHON, str(MACRO), str(home), self._person],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        self._result()

    def _result(self) -> Any:
        answer = json.loads(self._line())
        if "mistake" in answer:
            raise CalcError(answer["mistake"])
        if "refused" in answer:
            raise CalcRefused(answer["refused"])
        return answer["result"]

    def _line(self) -> str:
        assert self._macro is not None
        assert self._macro.stdout is not None
        ready, _, _ = select.select([self._macro.stdout], [], [], PATIENCE)
        line = self._macro.stdout.readline() if ready else ""
        if not line:
            self.end()
            raise CalcError("LibreOffice has died" if ready else "LibreOffice does not answer")
        return line


class OpenBook:
    """A book that somebody has open in LibreOffice; its lock file lies beside it.

    Leaving its `with` closes it; what was not saved is gone then.
    """

    def __init__(self, calc: Calc, path: Path) -> None:
        self.path = path
        self._calc = calc

    def do(self, *steps: Step) -> list[Answer]:
        """Do the steps; an answer for each, as `Calc.edit` gives them."""
        answers: list[Answer] = self._calc.ask("steps", path=str(self.path), steps=list(steps))
        return answers

    def save(self) -> None:
        """Save it under its name.

        Raises CalcRefused when LibreOffice does not: it asks first, and nobody says yes, when the
        file has been replaced since it was opened.
        """
        self._calc.ask("save", path=str(self.path))

    def save_anyway(self) -> None:
        """Save it over a file that somebody else has saved meanwhile."""
        self._calc.ask("save_anyway", path=str(self.path))

    def close(self) -> None:
        """Close it; the lock file goes."""
        self._calc.ask("close", path=str(self.path))

    def __enter__(self) -> OpenBook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
