"""What the pages of a file say: how it stands, what is to be done, what a problem means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from flask import current_app
from flask_babel import format_timedelta, gettext, lazy_gettext
from markupsafe import Markup, escape

import wording
from admin.kit.display import now
from enums import ProblemKind, Resolution, WorkbookState
from models import WorkbookProblem
from services.cases import desk, journal
from services.workbooks import resolutions, states, undoing
from wording import reasons

COMPARED_AT_MOST = 250_000
"""The product of two lengths up to which their differing parts are looked for."""

ADVICE: dict[WorkbookState, Any] = {
    WorkbookState.working: lazy_gettext(
        "There is nothing to do. What people type is taken in, and news from Redress appears "
        "in the file, within seconds."
    ),
    WorkbookState.waiting: lazy_gettext(
        "%(who)s has the file open (since %(since)s). What is saved there is taken in; news from "
        "Redress comes once it is closed. If it takes long, ask for it to be saved and closed. If "
        "nobody has it open, a program that crashed left its lock behind, a hidden file whose name "
        "begins with ~$ or .~: it may be deleted, or removed here."
    ),
    WorkbookState.stopped: lazy_gettext(
        "Redress neither reads nor writes the file until somebody decides below. "
        "Clocks that the file could meet wait meanwhile."
    ),
    WorkbookState.unreachable: lazy_gettext(
        "Redress does not get at the file. Below it says what to mend; "
        "it is tried again by itself, nothing has to be pressed."
    ),
    WorkbookState.paused: lazy_gettext(
        "%(who)s paused the file (%(since)s): it is neither read nor written, and clocks run on. "
        "Resume it when people may work in it again."
    ),
    WorkbookState.new: lazy_gettext(
        "The file has not been read yet. It is made or read at the worker's next look."
    ),
}
"""What somebody has to do about a file, by its state."""

LATE = lazy_gettext(
    "The last complete look is too long ago. Look whether the worker runs and the shared folder "
    "can be reached."
)

CLOCKS_DIFFER = dt.timedelta(minutes=1)
SET_BACK = lazy_gettext(
    "The last complete look lies in the future: the clock of the server was set back. "
    "Files are looked at all the same; set the clock right, because deeds are dated by it."
)

OUTCOMES: dict[tuple[ProblemKind, Resolution], Any] = {
    (ProblemKind.conflict, Resolution.record): lazy_gettext(
        "The cell is written over with what Redress says now."
    ),
    (ProblemKind.conflict, Resolution.sheet): lazy_gettext(
        "What was typed is taken in, as if it had been typed just now."
    ),
    (ProblemKind.conflict, Resolution.seen): lazy_gettext(
        "Nothing changes on either side; the cell stays as it is."
    ),
    (ProblemKind.refused, Resolution.record): lazy_gettext(
        "The typed text is taken out of the cell; it stays readable in the passes."
    ),
    (ProblemKind.refused, Resolution.sheet): lazy_gettext(
        "It is tried once more, for example because the case was mended meanwhile."
    ),
    (ProblemKind.refused, Resolution.seen): lazy_gettext(
        "The text stays in its cell until the department types something else."
    ),
    (ProblemKind.repeated, Resolution.record): lazy_gettext(
        "What Redress says stands; nothing of the second row is taken in."
    ),
    (ProblemKind.repeated, Resolution.seen): lazy_gettext(
        "Nothing changes; the department deletes the second row itself."
    ),
    (ProblemKind.not_ours, Resolution.record): lazy_gettext(
        "The case stays as it is; what was typed stays readable in the passes."
    ),
    (ProblemKind.not_ours, Resolution.seen): lazy_gettext(
        "Somebody tells the department that now has the case."
    ),
    (ProblemKind.structure, Resolution.undo): lazy_gettext(
        "The file becomes again what it was after the last good pass, the present one is kept "
        "aside. What was typed since then has to be typed again."
    ),
    (ProblemKind.structure, Resolution.accept): lazy_gettext(
        "The file is right as it is: what differs is taken in like any other input."
    ),
    (ProblemKind.file, Resolution.seen): lazy_gettext(
        "Somebody takes care of it. It is tried again by itself in any case."
    ),
    (ProblemKind.copy, Resolution.sheet): lazy_gettext(
        "What was typed into the copy is taken in, cell by cell, like any other input."
    ),
    (ProblemKind.copy, Resolution.record): lazy_gettext(
        "The copy is left alone and nothing of it is taken in."
    ),
    (ProblemKind.copy, Resolution.seen): lazy_gettext("Nothing is done about the copy."),
    (ProblemKind.vanished, Resolution.sheet): lazy_gettext(
        "The text goes back into its cells, and is taken in once it is complete."
    ),
    (ProblemKind.vanished, Resolution.seen): lazy_gettext(
        "The text is not needed; it stays readable in the passes."
    ),
}
"""What will happen by each choice, in a sentence on its button."""

BUTTONS: dict[tuple[ProblemKind, Resolution], Any] = {
    (ProblemKind.refused, Resolution.sheet): lazy_gettext("Try again"),
    (ProblemKind.vanished, Resolution.sheet): lazy_gettext("Put it back"),
    (ProblemKind.vanished, Resolution.seen): lazy_gettext("Not needed"),
    (ProblemKind.copy, Resolution.sheet): lazy_gettext("Take the copy in"),
    (ProblemKind.copy, Resolution.record): lazy_gettext("Leave the copy"),
}
"""What a button says where the name of the choice would not be plain."""


def every() -> int:
    """The seconds between two looks at a file, as the settings say."""
    return int(current_app.config["REDRESS"].sheet_seconds)


def ago(at: dt.datetime | None) -> Markup:
    """How long ago an instant was, in words made now, with the instant itself beside it."""
    if at is None:
        return Markup('<span class="none">—</span>')
    passed = max(now() - at, dt.timedelta(seconds=1))
    words = format_timedelta(-passed, granularity="second", add_direction=True)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), wording.moment(at), words
    )


def marked(text: str | None, against: str | None) -> Markup:
    """A text in which the parts that another text does not have stand out."""
    if not text:
        return Markup('<span class="none">{}</span>').format(gettext("empty"))
    if against is None or text == against:
        return escape(text)
    head = _alike(text, against)
    tail = _alike(text[head:][::-1], against[head:][::-1])
    end = len(text) - tail
    middle = _parts(text[head:end], against[head : len(against) - tail])
    return escape(text[:head]) + middle + escape(text[end:])


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _parts(text: str, against: str) -> Markup:
    """The middle of two texts that begin and end alike; a long one stands out as a whole."""
    if len(text) * len(against) > COMPARED_AT_MOST:
        return Markup("<mark>{}</mark>").format(text)
    shown = Markup("")
    matcher = SequenceMatcher(None, against, text, autojunk=False)
    for what, _from, _to, begin, end in matcher.get_opcodes():
        part = text[begin:end]
        if part:
            shown += escape(part) if what == "equal" else Markup("<mark>{}</mark>").format(part)
    return shown


def why(because: str | None) -> str:
    """Why a pass did something: a code in words, anything else as it stands."""
    if because and re.fullmatch(r"[a-z_]+", because):
        return wording.workbook_problem(because, {})
    return because or ""


# ---------------------------------------------------------------- what a page shows


@dataclass(frozen=True)
class ResolutionOption:
    """A way a problem can end: the choice, its button and what will happen."""

    choice: Resolution
    words: str
    outcome: str
    kind: str


@dataclass(frozen=True)
class ProblemCard:
    """A problem as the page shows it. The three sides are empty where nothing is compared."""

    problem: WorkbookProblem
    title: str
    sentence: str
    sides: tuple[tuple[str, Markup], ...]
    options: tuple[ResolutionOption, ...]


def card(problem: WorkbookProblem, headers: Mapping[str, str]) -> ProblemCard:
    """The card of a problem; `headers` are the names of the file's columns."""
    return ProblemCard(
        problem,
        _title(problem, headers),
        wording.workbook_problem(problem.code, problem.facts),
        _sides(problem),
        tuple(_options(problem)),
    )


def _title(problem: WorkbookProblem, headers: Mapping[str, str]) -> str:
    """The column it is about, else what sort of problem it is; a copy by its name."""
    if problem.field:
        return headers.get(problem.field, problem.field)
    name = problem.facts.get("name") if problem.kind is ProblemKind.copy else None
    return f"{wording.label(problem.kind)} · {name}" if name else wording.label(problem.kind)


def _sides(problem: WorkbookProblem) -> tuple[tuple[str, Markup], ...]:
    base, ours, theirs = problem.base, problem.ours, problem.theirs
    if base is None and ours is None and theirs is None:
        return ()
    if problem.kind is ProblemKind.vanished:
        return ((gettext("Typed"), marked(theirs, None)),)
    return (
        (gettext("Last agreed"), marked(base, base)),
        (gettext("Redress now"), marked(ours, base if base is not None else theirs)),
        (gettext("In the file"), marked(theirs, base if base is not None else ours)),
    )


def _options(problem: WorkbookProblem) -> Iterator[ResolutionOption]:
    for place, choice in enumerate(resolutions.CHOICES[problem.kind]):
        if problem.code == "other_type" and choice is Resolution.sheet:
            continue  # Redress cannot read it
        key = (problem.kind, choice)
        kind = "danger" if choice is Resolution.undo else "secondary" if place else "primary"
        words = str(BUTTONS[key]) if key in BUTTONS else wording.label(choice)
        yield ResolutionOption(choice, words, str(OUTCOMES[key]), kind)


def todo(state: states.WorkbookStanding) -> str:
    """What somebody has to do about a file, in plain sentences."""
    workbook = state.workbook
    who, since = workbook.held_by, workbook.held_since
    if state.word is WorkbookState.paused:
        who = workbook.paused_by.display_name if workbook.paused_by else None
        since = workbook.paused_at
    said = str(ADVICE[state.word])
    if "%(" in said:
        said %= {
            "who": who or gettext("Somebody"),
            "since": wording.moment(since) if since else "—",
        }
    if workbook.complete_at is not None and workbook.complete_at > now() + CLOCKS_DIFFER:
        return f"{said} {SET_BACK}"
    return f"{said} {LATE}" if is_late(state) and state.word is WorkbookState.working else said


def is_late(state: states.WorkbookStanding) -> bool:
    """Whether the file was not read for too long."""
    return states.is_late(state, now=now(), seconds=every())


def effects_of(session: Any, undone: undoing.UndoneDeed) -> list[str]:
    """What taking a deed back changes, in sentences."""
    pack, _calendar = journal.rules_of(session, undone.complaint)
    known = desk.employees_in(session, undone.effects)
    return [reasons.effect_text(one, pack, known) for one in undone.effects]
