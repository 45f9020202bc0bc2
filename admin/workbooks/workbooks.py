"""Spreadsheet files: how they stand, what waits for a choice, what each pass did, their layout."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import format_timedelta, gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from werkzeug.wrappers import Response
from wtforms import SelectField, SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

import wording
from admin.kit.display import now, today
from admin.kit.fields import long_text
from admin.kit.lists import RedressView
from admin.kit.lookup import LARGEST_ID, by_id, session
from admin.kit.page import RedressPage, attempt, tell
from admin.kit.rights import visitor_may_open
from enums import CellDeed, ProblemKind, Resolution, WorkbookState
from models import User, Workbook, WorkbookColumn, WorkbookLook, WorkbookProblem, WorkbookTab
from policy.vocabulary.errors import ChoiceUnknown, DomainError, FieldMissing, NotFound
from policy.vocabulary.status import Status
from services.cases import desk, journal
from services.company import actors
from services.workbooks import layout, layout_changes, looks, resolutions, states, undoing
from wording import reasons, workbook_text

PASSES_ON_PAGE = 50
PASSES_OF_LATE = 5
CHANGES_ON_PAGE = 200
PROBLEMS_ON_PAGE = 60
COMPARED_AT_MOST = 250_000
"""The product of two lengths up to which their differing parts are looked for."""

ADVICE: dict[WorkbookState, Any] = {
    WorkbookState.working: lazy_gettext(
        "There is nothing to do. What people type is taken in, and news from Redress appears "
        "in the file, within seconds."
    ),
    WorkbookState.waiting: lazy_gettext(
        "%(who)s has the file open (since %(since)s). What is saved there is taken in; news from "
        "Redress comes once it is closed. If it takes long, ask for it to be saved and closed."
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
}
"""What will happen by each choice, in a sentence on its button."""

BUTTONS: dict[tuple[ProblemKind, Resolution], Any] = {
    (ProblemKind.refused, Resolution.sheet): lazy_gettext("Try again"),
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
    return (
        (gettext("Last agreed"), marked(base, base)),
        (gettext("Redress now"), marked(ours, base if base is not None else theirs)),
        (gettext("In the file"), marked(theirs, base if base is not None else ours)),
    )


def _options(problem: WorkbookProblem) -> Iterator[ResolutionOption]:
    for place, choice in enumerate(resolutions.CHOICES[problem.kind]):
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
    return f"{said} {LATE}" if is_late(state) and state.word is WorkbookState.working else said


def is_late(state: states.WorkbookStanding) -> bool:
    """Whether the file was not read for too long."""
    return states.is_late(state, now=now(), seconds=every())


def effects_of(session: Any, undone: undoing.UndoneDeed) -> list[str]:
    """What taking a deed back changes, in sentences."""
    pack, _calendar = journal.rules_of(session, undone.complaint)
    known = desk.employees_in(session, undone.effects)
    return [reasons.effect_text(one, pack, known) for one in undone.effects]


class UndoForm(FlaskForm):
    """Why a pass is undone; it becomes the reason in the history of every case."""

    class Meta:
        csrf = False  # the page carries the token

    reason = long_text(lazy_gettext("Why it is undone"))

    def validate_reason(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(wording.error(FieldMissing(field="reason")))


# ---------------------------------------------------------------- files and passes


class SheetPage(RedressPage):
    """The files of departments and payroll: their states, problems and passes."""

    group, icon = "sheets", "sheet"

    @expose("/")
    def index(self) -> str:
        """Every file with its state, and what waits for a choice in any of them."""
        problems = resolutions.open_problems(self.session, limit=PROBLEMS_ON_PAGE)
        return self.render(
            "workbooks/workbooks.html",
            states=states.states(self.session),
            problems=[card(one, {}) for one in problems if one.choice is None],
            header=workbook_text.column_header,
            ago=ago,
            is_late=is_late,
        )

    @expose("/<int:sheet_id>/")
    def one(self, sheet_id: int) -> str:
        """The page of a file."""
        state = self._state(sheet_id)
        headers = layout.headers(self.session, state.workbook)
        problems = resolutions.open_problems(self.session, state.workbook, limit=PROBLEMS_ON_PAGE)
        return self.render(
            "workbooks/workbook.html",
            state=state,
            workbook=state.workbook,
            late=is_late(state),
            todo=todo(state),
            cards=[card(one, headers) for one in problems],
            passes=looks.looks_of(self.session, state.workbook, limit=PASSES_OF_LATE),
            counted=counted,
            ago=ago,
        )

    @expose("/<int:sheet_id>/deed/<deed>/", methods=("GET", "POST"))
    def deed(self, sheet_id: int, deed: str) -> Response:
        """Pause or resume a file."""
        deeds = {"pause": states.pause, "resume": states.resume}
        if deed not in deeds:
            abort(404)
        said = {"pause": gettext("The file is paused."), "resume": gettext("The file goes on.")}
        return self._did(sheet_id, deeds[deed], said[deed])

    @expose("/<int:sheet_id>/look/", methods=("GET", "POST"))
    def look(self, sheet_id: int) -> Response:
        """Ask for a look at a file at once."""
        return self._did(sheet_id, looks.request_look, gettext("The worker looks at the file now."))

    @expose("/<int:sheet_id>/problem/<int:problem_id>/", methods=("GET", "POST"))
    def choose(self, sheet_id: int, problem_id: int) -> Response:
        """Say how a problem ends."""

        def act(session: Any, workbook: Workbook, *, user_id: int, now: dt.datetime) -> None:
            problem = by_id(session, WorkbookProblem, problem_id)
            if problem is None or problem.sheet_id != workbook.id:
                raise NotFound(what="sheet_problem", key=str(problem_id))
            resolutions.choose(session, problem, _choice(), user_id=user_id, now=now)

        return self._did(sheet_id, act, gettext("Decided. The worker carries it out now."))

    def _did(self, sheet_id: int, act: Any, said: str) -> Response:
        """Do something about a file and go back to its page; refused, the page says why."""
        state = self._state(sheet_id)
        if request.method == "POST":
            with attempt(self.session) as tried:
                act(self.session, state.workbook, user_id=current_user.user.id, now=now())
            if tried.done:
                flash(said, "success")
        return redirect(url_for(".one", sheet_id=sheet_id))

    @expose("/<int:sheet_id>/passes/")
    def passes(self, sheet_id: int) -> str:
        """The passes over a file that did something, newest first."""
        workbook = self._state(sheet_id).workbook
        before = request.args.get("before", type=int)
        if before is not None and not 0 <= before <= LARGEST_ID:
            before = None
        found = looks.looks_of(self.session, workbook, before=before, limit=PASSES_ON_PAGE + 1)
        return self.render(
            "workbooks/looks.html",
            workbook=workbook,
            passes=found[:PASSES_ON_PAGE],
            more=len(found) > PASSES_ON_PAGE,
            first=before is None,
            counted=counted,
        )

    @expose("/<int:sheet_id>/pass/<int:number>/")
    def one_pass(self, sheet_id: int, number: int) -> str:
        """What one pass did, cell by cell."""
        done = self._pass(sheet_id, number)
        what, after = _deed_asked_for(), request.args.get("after", type=int)
        if after is not None and not 0 <= after <= LARGEST_ID:
            after = None
        found = looks.changes_of(
            self.session, done, what=what, after=after, limit=CHANGES_ON_PAGE + 1
        )
        return self.render(
            "workbooks/look.html",
            done=done,
            workbook=done.workbook,
            what=what,
            changes=found[:CHANGES_ON_PAGE],
            more=len(found) > CHANGES_ON_PAGE,
            first=after is None,
            columns=layout.headers(self.session, done.workbook),
            counted=counted,
            marked=marked,
            why=why,
            undoable=visitor_may_open("sheet.undo") and undoing.can_undo(self.session, done),
            by=self.session.get(User, done.undone_by_id or 0),
        )

    @expose("/<int:sheet_id>/pass/<int:number>/undo/", methods=("GET", "POST"))
    def undo(self, sheet_id: int, number: int) -> str | Response:
        """First what undoing a pass would change, then, with a reason, undo it."""
        done = self._pass(sheet_id, number)
        here = url_for(".one_pass", sheet_id=sheet_id, number=number)
        if request.method == "GET":
            return redirect(here)
        form = UndoForm()
        wanted = request.form.get("do") == "undo"
        try:
            if wanted and form.validate():
                self._undo(done, str(form.reason.data))
                return redirect(here)
            return self._preview(done, form)
        except DomainError as refusal:
            self.session.rollback()
            tell(refusal, None)
            return redirect(here)

    def _undo(self, done: WorkbookLook, reason: str) -> None:
        actor = actors.of_user(current_user.user)
        undone = undoing.undo_intake(self.session, done, reason=reason, actor=actor, now=now())
        self.session.commit()
        flash(gettext("Undone: %(count)s inputs were taken back.", count=len(undone)), "success")

    def _preview(self, done: WorkbookLook, form: UndoForm) -> str:
        actor = actors.of_user(current_user.user)
        undone = undoing.preview_undo(self.session, done, reason="-", actor=actor, now=now())
        return self.render(
            "workbooks/undo.html",
            done=done,
            workbook=done.workbook,
            undone=[(one, effects_of(self.session, one)) for one in undone],
            columns=layout.headers(self.session, done.workbook),
            form=form,
        )

    def _state(self, sheet_id: int) -> states.WorkbookStanding:
        if sheet_id > LARGEST_ID:
            abort(404)
        try:
            return states.state_of(self.session, sheet_id)
        except NotFound:
            abort(404)

    def _pass(self, sheet_id: int, number: int) -> WorkbookLook:
        if number > LARGEST_ID:
            abort(404)
        try:
            return looks.find_look(self.session, self._state(sheet_id).workbook, number)
        except NotFound:
            abort(404)


def counted(done: WorkbookLook) -> list[tuple[CellDeed, int]]:
    """How many cells or rows a pass changed, by what it did, in the order of CellDeed."""
    return [
        (deed, int(done.counts[deed.value])) for deed in CellDeed if done.counts.get(deed.value)
    ]


def _choice() -> Resolution:
    said = request.form.get("choice", "")
    if said not in Resolution.__members__:
        raise ChoiceUnknown(field="choice", value=said[:40])
    return Resolution[said]


def _deed_asked_for() -> CellDeed | None:
    """The deed of the address, when there is such a deed."""
    said = request.args.get("what", "")
    return CellDeed[said] if said in CellDeed.__members__ else None


# ---------------------------------------------------------------- the layout


class StatusesField(SelectMultipleField):
    """Several statuses, each with a box to tick; the data are members of Status."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options.pop("filters", None)
        super().__init__(label, validators, choices=self._offered, coerce=self._status, **options)

    def _offered(self) -> list[tuple[str, str]]:
        return wording.labelled(Status)

    def _status(self, value: Any) -> Status:
        return value if isinstance(value, Status) else Status(value)


class TabView(RedressView):
    """The tabs every file of an audience has."""

    group, icon = "sheets", "tabs"
    can_edit = True
    can_export = False
    lead = lazy_gettext(
        "Which cases stand in which tab. The files take a change over at their next pass."
    )
    empty_text = lazy_gettext("The tabs are set up when the worker makes the first files.")
    column_list = ("title", "audience", "statuses", "days", "position")
    column_labels = {
        "title": lazy_gettext("Title"),
        "audience": lazy_gettext("Whose file"),
        "statuses": lazy_gettext("Cases that stand so"),
        "days": lazy_gettext("Days it stays after closing"),
        "position": lazy_gettext("Place"),
    }
    column_sortable_list = ("audience", "position", "title")
    column_default_sort = [("audience", False), ("position", False)]
    column_formatters = {
        "statuses": lambda view, context, row, name: _chips(row),
    }
    form_columns = ("title", "position", "days")
    column_descriptions = {
        "title": lazy_gettext("At most 31 characters, without a slash and without [ ] : * ?"),
        "days": lazy_gettext("Empty: as long as the case stands so."),
        "position": lazy_gettext("Tabs stand in the order of these numbers."),
    }

    def get_edit_form(self) -> Any:
        form = super().get_edit_form()
        words = self.column_labels["statuses"]
        return type("TabForm", (form,), {"statuses": StatusesField(words)})

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if not obj.statuses:
            del form.statuses
            del form.days
        elif request.method == "GET":
            form.statuses.data = layout.statuses(obj)
        return form

    def change(self, form: Any, row: WorkbookTab) -> None:
        lists_cases = "statuses" in form
        layout_changes.change_tab(
            self.session,
            row,
            title=form.title.data,
            statuses=form.statuses.data if lists_cases else (),
            days=form.days.data if lists_cases else row.days,
            position=form.position.data,
        )


def _chips(tab: WorkbookTab) -> Markup | None:
    chip = Markup('<span class="chip chip-{}">{}</span>')
    parts = [chip.format(wording.tone(s), wording.label(s)) for s in layout.statuses(tab)]
    return Markup('<span class="chips">{}</span>').format(Markup("").join(parts)) if parts else None


class ColumnView(RedressView):
    """The columns of the tabs; a field that no column shows can be added."""

    group, icon = "sheets", "columns"
    can_create = can_edit = True
    can_export = False
    lead = lazy_gettext(
        "What stands above each column, how wide it is and where. "
        "A column that is not wanted is switched off; what was taken from it stays."
    )
    empty_text = lazy_gettext("The columns are set up when the worker makes the first files.")
    column_list = ("header", "tab", "audience", "owner", "width", "position", "active")
    column_labels = {
        "header": lazy_gettext("Header"),
        "tab": lazy_gettext("Tab"),
        "audience": lazy_gettext("Whose file"),
        "owner": lazy_gettext("Who fills it"),
        "width": lazy_gettext("Width in characters"),
        "position": lazy_gettext("Place"),
        "active": lazy_gettext("Active"),
    }
    column_searchable_list = ("header",)
    column_filters = ("tab", "active")
    column_sortable_list = ("header", "width", "position")
    column_default_sort = [("tab_id", False), ("position", False)]
    column_formatters = {
        "audience": lambda view, context, row, name: row.tab.audience,
        "owner": lambda view, context, row, name: _owner(row.field),
    }
    form_columns = ("field", "header", "width", "position", "active")
    form_extra_fields = {
        "field": SelectField(lazy_gettext("Field"), choices=lambda: _left()),
    }
    column_descriptions = {
        "width": lazy_gettext("A Chinese character is two wide."),
        "position": lazy_gettext("Columns stand in the order of these numbers."),
        "active": lazy_gettext("Switched off, the file does not show it any more."),
    }

    def create_form(self, obj: Any = None) -> Any:
        form: Any = super().create_form(obj)
        del form.active
        form.header.description = gettext("Empty: the usual name of the field.")
        form.header.validators = [v for v in form.header.validators if not _asks(v)]
        form.header.flags.required = False
        if request.method == "GET":
            form.width.data, form.position.data = 14, 99
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.field
        if layout_changes.is_needed(obj):
            form.active.description = gettext("The tab cannot do its work without this column.")
        return form

    def called(self, row: WorkbookColumn) -> str:
        return f"{row.tab.title} · {row.header}"

    def add(self, form: Any) -> WorkbookColumn:
        tab_id, _, name = str(form.field.data).partition(":")
        tab = self.session.get(WorkbookTab, int(tab_id)) if tab_id.isdecimal() else None
        if tab is None:
            raise ChoiceUnknown(field="field", value=name)
        return layout_changes.add_column(
            self.session,
            tab,
            name,
            header=form.header.data or field_label(name),
            width=form.width.data,
            position=form.position.data,
            on=today(),
        )

    def change(self, form: Any, row: WorkbookColumn) -> None:
        names = ("header", "width", "position", "active")
        layout_changes.change_column(self.session, row, **{name: form[name].data for name in names})


def field_label(name: str) -> str:
    """What a field is usually called: by us, or by the regulation it is of."""
    return layout.field_labels(session(), on=today()).get(name) or workbook_text.column_header(name)


def _left() -> dict[str, list[tuple[str, str]]]:
    """The fields that can still be added, by audience and tab, as choices of a select."""
    own = layout.field_labels(session(), on=today())
    return {
        f"{wording.label(tab.audience)} · {tab.title}": [
            (f"{tab.id}:{name}", own.get(name) or workbook_text.column_header(name))
            for name in names
        ]
        for tab, names in layout_changes.tabs_with_addable_fields(session(), on=today())
    }


def _owner(name: str) -> Markup:
    fills = name != layout.EXTRAS and layout.field(name).open_
    words = gettext("The department") if fills else gettext("Redress")
    return Markup('<span class="chip chip-{}">{}</span>').format("teal" if fills else "grey", words)


def _asks(validator: Any) -> bool:
    return "required" in (getattr(validator, "field_flags", None) or {})


def views(db: Any) -> list[Any]:
    """The files, and the layout they share."""
    return [
        SheetPage(db, name=lazy_gettext("Spreadsheet files"), endpoint="sheet", url="/admin/sheet"),
        TabView(WorkbookTab, db, name=lazy_gettext("Tabs of the files")),
        ColumnView(WorkbookColumn, db, name=lazy_gettext("Columns of the files")),
    ]
