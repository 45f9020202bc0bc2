"""Spreadsheet files: how they stand, what waits for a choice, what each pass did."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms.validators import ValidationError

import wording
from admin.kit.display import now
from admin.kit.fields import long_text
from admin.kit.lookup import LARGEST_ID, by_id
from admin.kit.page import RedressPage, attempt, tell
from admin.kit.rights import visitor_may_open
from admin.workbooks.problems import ago, card, effects_of, is_late, marked, todo, why
from admin.workbooks.tabs_and_columns import ColumnView, TabView
from enums import CellDeed, Resolution
from models import User, Workbook, WorkbookColumn, WorkbookLook, WorkbookProblem, WorkbookTab
from policy.vocabulary.errors import ChoiceUnknown, DomainError, FieldMissing, NotFound
from services.company import actors
from services.workbooks import layout, looks, resolutions, states, undoing
from wording import workbook_text

PASSES_ON_PAGE = 50
PASSES_OF_LATE = 5
CHANGES_ON_PAGE = 200
PROBLEMS_ON_PAGE = 60


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
        """Pause or resume a file, or have a lock removed that a program left behind."""
        deeds = {
            "pause": states.pause,
            "resume": states.resume,
            "unlock": looks.request_unlock,
        }
        if deed not in deeds:
            abort(404)
        said = {
            "pause": gettext("The file is paused."),
            "resume": gettext("The file goes on."),
            "unlock": gettext("The worker removes the lock at its next look."),
        }
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


def views(db: Any) -> list[Any]:
    """The files, and the layout they share."""
    return [
        SheetPage(db, name=lazy_gettext("Spreadsheet files"), endpoint="sheet", url="/admin/sheet"),
        TabView(WorkbookTab, db, name=lazy_gettext("Tabs of the files")),
        ColumnView(WorkbookColumn, db, name=lazy_gettext("Columns of the files")),
    ]
