"""Trying a regulation: a case step by step, and a version on the cases of a past period.

Nothing here is written to a case. What a visitor puts together travels in their form; a version
tried on past cases is asked of the worker, and what came of it is a page of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import SelectField
from wtforms.validators import InputRequired

import wording
from admin.kit import tables
from admin.kit.display import now, today
from admin.kit.fields import DayField
from admin.kit.lookup import LARGEST_ID, by_id
from admin.kit.page import RedressPage, attempt
from admin.regulation.event_form import (
    EventChoice,
    check_tables,
    deed_of,
    first_and_rest,
    form_for,
    said,
)
from admin.regulation.play_file import LONGEST_TEXT, NAME, PlayedFile
from admin.regulation.versions import VERSION_STATES
from enums import WhatIfState
from models import Complaint, Employee, Policy, PolicyVersion, WhatIf, WhatIfCase
from policy.pack import loading
from policy.proof.case_checks import step_problems
from policy.proof.case_text import decoded
from policy.proof.casefile import PlayBasis
from policy.proof.play import Packs
from policy.proof.whatif import Totals
from policy.vocabulary import refusals
from policy.vocabulary.errors import CaseFileRefused, DomainError
from services.calendar import working_calendar
from services.cases import desk
from services.regulation import policies
from services.reports import whatif
from wording import play_text, whatif_text

LISTED = 50
SHOWN_CASES = 100
EXPORT_BATCH = 500


@dataclass
class StepRequest:
    """What a click on the page asked for: which step's form is open, filled with what."""

    deed: EventChoice | None = None
    place: int | None = None
    form: Any = None
    step: Mapping[str, Any] = field(default_factory=dict)


class TrialPage(RedressPage):
    """Try a case, and try a version on past cases."""

    group, icon = "rules", "play"

    # ------------------------------------------------------------ a case, step by step

    @expose("/", methods=("GET", "POST"))
    def play(self) -> str | Response:
        """The form of a case that is tried; whatever was typed comes back with it."""
        version = self._version()
        if version is None:
            flash(gettext("There is no regulation yet that a case could be tried on."))
            return redirect(url_for("policy.index"))
        try:
            tryout = PlayedFile(_text(), self._ground(version))
        except DomainError as problem:
            return self._unplayable(version, problem)
        if request.form.get("do") == "download":
            return _download(tryout, version)
        tryout, asked = _carried_out(tryout, request.form.get("do", ""))
        return self._shown(version, tryout, asked)

    def _ground(self, version: PolicyVersion) -> PlayBasis:
        """The rules and the calendar; playing afterwards holds no transaction."""
        pack = policies.pack(self.session, version)
        data, chosen = policies.stored_data(self.session, version)
        calendar = working_calendar.work_calendar(self.session)
        # What is sent by POST holds the write lock; nobody has to wait while a case is played.
        self.session.rollback()

        packs = Packs(data, chosen, file=str(version))
        packs.keep(pack)
        return PlayBasis(packs, calendar)

    def _version(self) -> PolicyVersion | None:
        """The version asked for, else the one in force today, else the newest there is."""
        wanted = request.form.get("version") or request.args.get("version_id", "")
        if wanted.isdecimal() and int(wanted) <= LARGEST_ID:
            policy = joinedload(PolicyVersion.policy)
            found = by_id(self.session, PolicyVersion, int(wanted), options=[policy])
            if found is None:
                abort(404)
            return found
        day = today()
        in_force = policies.all_in_force(self.session, on=day)
        return in_force[0] if in_force else next(iter(self._versions()), None)

    def _versions(self) -> list[PolicyVersion]:
        """Every version, by regulation, the newest first."""
        statement = (
            sa.select(PolicyVersion)
            .join(PolicyVersion.policy)
            .options(joinedload(PolicyVersion.policy))
            .order_by(Policy.name, PolicyVersion.number.desc())
        )
        return list(self.session.scalars(statement))

    def _shown(self, version: PolicyVersion, tryout: PlayedFile, asked: StepRequest) -> str:
        return self.render(
            "regulation/play.html",
            version=version,
            versions=self._versions(),
            state=version_state,
            tryout=tryout,
            asked=asked,
            offers=tryout.offers(),
            main=_next(tryout),
            inputs=first_and_rest(asked.form) if asked.form else ([], []),
            stands=tryout.stories[-1]["stands"] if tryout.stories else [],
            why_not=wording.error,
            signed=play_text.signed_sum,
            clock_time=play_text.clock_time,
        )

    def _unplayable(self, version: PolicyVersion, problem: DomainError) -> str:
        """A draft that is no whole regulation yet: what is wrong with it, and the text as typed."""
        return self.render(
            "regulation/unplayable.html",
            version=version,
            versions=self._versions(),
            state=version_state,
            problem=wording.error(problem),
            text=_text(),
        )

    # ------------------------------------------------------------ a version on past cases

    @expose("/what-if/", methods=("GET", "POST"))
    def what_if(self) -> str | Response:
        """What was tried on past cases, and the form that asks for another."""
        form = PeriodForm()
        form.prepare(self._versions())
        if form.validate_on_submit() and (made := self._asked_for(form)):
            return redirect(url_for(".result", what_if_id=made))
        rows = self.session.scalars(
            sa.select(WhatIf)
            .options(
                joinedload(WhatIf.policy_version).joinedload(PolicyVersion.policy),
                joinedload(WhatIf.asked_by),
            )
            .order_by(WhatIf.asked_at.desc(), WhatIf.id.desc())
            .limit(LISTED)
        ).all()
        return self.render(
            "regulation/whatif_list.html",
            form=form,
            rows=[(row, Totals.load(row.result)) for row in rows],
            money=whatif_text.signed_money,
            busy=any(_is_open(row) for row in rows),
        )

    def _asked_for(self, form: Any) -> int | None:
        version = self.session.get(PolicyVersion, int(form.version.data))
        if version is None:
            abort(404)
        with attempt(self.session, form) as tried:
            row = whatif.request_whatif(
                self.session,
                version,
                from_on=form.from_on.data,
                until_on=form.until_on.data,
                user_id=current_user.user.id,
                now=now(),
            )
        return row.id if tried.done else None

    @expose("/what-if/<int:what_if_id>/")
    def result(self, what_if_id: int) -> str:
        """What came of it: totals on top, then the cases, those that do not fit first."""
        row = self._one(what_if_id)
        found = self._cases(row).limit(SHOWN_CASES + 1)
        cases = list(self.session.scalars(found))
        failure = refusals.load_refusal(row.failure) if row.failure else None
        return self.render(
            "regulation/whatif.html",
            row=row,
            totals=Totals.load(row.result),
            cases=cases[:SHOWN_CASES],
            more=len(cases) > SHOWN_CASES,
            people=self._people(cases),
            failure=wording.error(failure) if failure else None,
            busy=_is_open(row),
            words=whatif_text,
            field_name=wording.field,
            reach=self._reach(cases),
        )

    @expose("/what-if/<int:what_if_id>/csv/")
    def export(self, what_if_id: int) -> Response:
        """Every difference as a line of a table."""
        row = self._one(what_if_id)
        header = [str(words) for words in HEADER]
        return tables.send_csv(f"what-if-{row.id}", header, self._lines(row))

    def _one(self, what_if_id: int) -> WhatIf:
        found = by_id(self.session, WhatIf, what_if_id)
        if found is None:
            abort(404)
        return found

    def _cases(self, row: WhatIf) -> sa.Select[Any]:
        return (
            sa.select(WhatIfCase)
            .where(WhatIfCase.what_if_id == row.id)
            .options(joinedload(WhatIfCase.complaint))
            .order_by(WhatIfCase.refused.desc(), WhatIfCase.complaint_id)
        )

    def _people(self, cases: list[WhatIfCase]) -> dict[str, str]:
        """The names of everybody the cases charge, by employee number."""
        numbers = {
            sum_["employee"]
            for case in cases
            for sums in case.data.get("charges", {}).values()
            for sum_ in sums
        }
        rows = self.session.scalars(sa.select(Employee).where(Employee.number.in_(numbers)))
        return {one.number: str(one) for one in rows}

    def _reach(self, cases: list[WhatIfCase]) -> set[int]:
        """The cases whose page the visitor may open."""
        day = today()
        ids = [case.complaint_id for case in cases]
        statement = sa.select(Complaint.id).where(Complaint.id.in_(ids))
        seen = desk.scope(self.session, current_user.user, on=day).narrowed(statement)
        return set(self.session.scalars(seen))

    def _lines(self, row: WhatIf) -> Iterator[list[Any]]:
        """The rows of the export, read in batches so that memory does not grow with them."""
        last = 0
        while True:
            batch = self._cases(row).order_by(None).where(WhatIfCase.id > last)
            cases = list(self.session.scalars(batch.order_by(WhatIfCase.id).limit(EXPORT_BATCH)))
            if not cases:
                return
            people = self._people(cases)
            for case in cases:
                yield from _table_lines(case, people)
            last = cases[-1].id
            self.session.expunge_all()


class PeriodForm(FlaskForm):
    """Which version is to be tried on the cases of which days."""

    class Meta:
        csrf = False  # the page carries the token

    version = SelectField(lazy_gettext("Version"))
    from_on = DayField(lazy_gettext("Received from"), [InputRequired()])
    until_on = DayField(lazy_gettext("Received until"), [InputRequired()])

    def prepare(self, versions: list[PolicyVersion]) -> None:
        """Offer the versions; at first the one of the address and the last whole month."""
        self.version.choices = [(str(one.id), version_words(one)) for one in versions]
        if self.is_submitted():
            return
        self.version.data = request.args.get("version_id", self.version.data)
        first = today().replace(day=1)
        self.until_on.data = first - dt.timedelta(days=1)
        self.from_on.data = self.until_on.data.replace(day=1)


def version_state(version: PolicyVersion) -> tuple[str, Any]:
    """The colour and the word of a version's state."""
    return VERSION_STATES.get(version.status, ("grey", version.status))


def version_words(version: PolicyVersion) -> str:
    """A version in a list of choices: regulation, number, state."""
    _tone, state = version_state(version)
    number = gettext("Version %(number)s", number=version.number)
    return f"{version.policy.name} · {number} · {state}"


def _is_open(row: WhatIf) -> bool:
    return row.state in (WhatIfState.waiting, WhatIfState.running)


# ---------------------------------------------------------------- what a click asks for


def _text() -> str:
    """The text of the case: an uploaded file, else what travelled in the form."""
    upload = request.files.get("file")
    if upload and upload.filename and request.form.get("do") == "load":
        read = upload.stream.read(4 * LONGEST_TEXT)
        try:
            return decoded(read, upload.filename)
        except CaseFileRefused as refused:
            flash(wording.error(refused), "error")
    return request.form.get("text", "")


def _carried_out(tryout: PlayedFile, do: str) -> tuple[PlayedFile, StepRequest]:
    """Do what a button says: `add`, `choose:deed`, `edit:2`, `remove:2`, `run_out:time` …"""
    word, _colon, rest = do.partition(":")
    if word == "adopt" and tryout.flattens:
        return tryout.flattened(), StepRequest()
    if tryout.play is None:
        return tryout, StepRequest()
    if word == "clear":
        return tryout.with_steps([]), StepRequest()
    if word == "add":
        return _added(tryout)
    if word == "choose":
        return tryout, _opened(tryout, deed_of(rest, tryout.play.pack))
    if word == "run_out" and (step := _passing(rest)):
        return tryout.with_steps([*tryout.steps, step]), _half_typed(tryout)
    if word in ("edit", "remove") and rest.isdecimal() and int(rest) < len(tryout.steps):
        return _changed(tryout, word, int(rest))
    return tryout, _half_typed(tryout)


def _changed(tryout: PlayedFile, word: str, place: int) -> tuple[PlayedFile, StepRequest]:
    if word == "remove":
        steps = tryout.steps
        return tryout.with_steps(steps[:place] + steps[place + 1 :]), StepRequest()
    step = tryout.steps[place]
    assert tryout.play is not None
    deed = _deed_of_step(step, tryout)
    return tryout, _opened(tryout, deed, place, step=step)


def _deed_of_step(step: Mapping[str, Any], tryout: PlayedFile) -> EventChoice | None:
    assert tryout.play is not None
    keys = [str(step["do"]), *(f"{step['do']}:{value}" for value in step.values())]
    found = (deed_of(key, tryout.play.pack) for key in keys)
    return next((deed for deed in found if deed), None)


def _passing(iso: str) -> dict[str, Any] | None:
    """The step in which time passes a second beyond an end."""
    try:
        end = dt.datetime.fromisoformat(iso)
    except ValueError:
        return None
    return {"do": "time_passed", "at": end.replace(tzinfo=None) + dt.timedelta(seconds=1)}


def _opened(
    tryout: PlayedFile,
    deed: EventChoice | None,
    place: int | None = None,
    *,
    step: Mapping[str, Any] | None = None,
) -> StepRequest:
    """The form of a deed, empty or with the step that is to be changed."""
    if deed is None or tryout.play is None:
        return StepRequest()
    step = step or {"at": tryout.next_time(now())}
    doers = tryout.doers(deed, place)
    form = form_for(deed, tryout.play.pack, tryout.people(), doers=doers, step=step)
    return StepRequest(deed, place, form, step)


def _half_typed(tryout: PlayedFile) -> StepRequest:
    """The form that was open when another button was pressed, as it was typed so far."""
    if tryout.play is None or "deed" not in request.form:
        return StepRequest()
    place = request.form.get("place", "")
    at = int(place) if place.isdecimal() and int(place) < len(tryout.steps) else None
    return _opened(tryout, deed_of(request.form["deed"], tryout.play.pack), at)


def _added(tryout: PlayedFile) -> tuple[PlayedFile, StepRequest]:
    """The case with the step that was typed; what is wrong with it is said at its field."""
    asked = _half_typed(tryout)
    if asked.deed is None or not (asked.form.validate() & check_tables(asked.form)):
        return tryout, asked
    old = tryout.steps[asked.place] if asked.place is not None else {}
    kept: dict[str, Any] = {
        key: old[key] for key in ("case", "recorded_at", "expect") if key in old
    }
    step = {**said(asked.form, asked.deed), **kept}
    assert tryout.play is not None
    problems = list(step_problems(step, tryout.play))
    for name, problem in problems:
        _tell_at(asked.form, name, problem)
    if problems:
        return tryout, asked
    steps = tryout.steps
    place = len(steps) if asked.place is None else asked.place
    return tryout.with_steps([*steps[:place], step, *steps[place + 1 :]]), StepRequest()


def _tell_at(form: Any, name: str, problem: DomainError) -> None:
    if name in form:
        form[name].errors = [*form[name].errors, wording.error(problem)]
    else:
        flash(wording.error(problem), "error")


def _next(tryout: PlayedFile) -> str:
    if tryout.play is None or not tryout.play.facts.number:
        return "registered"
    return desk.NEXT_DEED.get(tryout.play.facts.status, "")


def _download(tryout: PlayedFile, version: PolicyVersion) -> Response:
    """The case as a file, which `flask policy play` takes too."""
    key = version.policy.key
    text = tryout.text
    named = text.lstrip().startswith("pack") or not loading.shipped_path(key).exists()
    if not named:
        text = f'pack = "{key}"\n{text}'
    answer = Response(text, content_type="application/toml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{NAME}"'
    return answer


# ---------------------------------------------------------------- the export

HEADER = (
    lazy_gettext("Case"),
    lazy_gettext("Subject"),
    lazy_gettext("Difference"),
    lazy_gettext("What"),
    lazy_gettext("Clause"),
    lazy_gettext("Employee number"),
    lazy_gettext("Employee"),
    lazy_gettext("As it was"),
    lazy_gettext("As tried"),
    lazy_gettext("Amount"),
)


def _table_lines(case: WhatIfCase, people: Mapping[str, str]) -> Iterator[list[Any]]:
    """A line for each difference of a case; sums are signed by what they change."""
    head = [case.complaint.number, case.complaint.subject]
    for line in whatif_text.difference_rows(case.data, people):
        yield [*head, *line]


def views(db: Any) -> list[RedressPage]:
    """Trying a regulation."""
    return [TrialPage(db, name=lazy_gettext("Try a case"), endpoint="trial", url="/admin/trial")]
