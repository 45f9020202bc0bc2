"""Penalties: the list, the page of one with its deeds, and the list of a wage month."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import HiddenField

import wording
from admin.kit import tables
from admin.kit.display import now, today
from admin.kit.fields import long_text, short_text
from admin.kit.lists import RedressView
from admin.kit.page import RedressPage, did
from admin.kit.rights import visitor_may_open
from files.tables_out import ColumnFormat
from models import Penalty
from policy.engine.conditions import holds
from policy.engine.permission import refusal
from policy.pack.schema import Pack
from policy.vocabulary.events import Appealed, By
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import PenaltyStatus, Sign
from services.cases import desk, journal, jury, penalties, record
from services.cases.journal import JournalLine
from services.cases.penalties import EmployeeMonth
from services.company import actors
from services.company.actors import Actor
from services.regulation import policies
from wording import form_text, reasons


class PenaltyForm(FlaskForm):
    """What the deeds on a penalty share: the version of its case the form was made from."""

    class Meta:
        csrf = False

    seen = HiddenField()

    def said(self) -> dict[str, Any]:
        return {f.short_name: f.data for f in self if f.short_name != "seen"}


class PenaltyReasonForm(PenaltyForm):
    reason = long_text(lazy_gettext("Reason"))


class HowForm(PenaltyForm):
    how = short_text(
        lazy_gettext("How the employee was told"),
        render_kw={"list": "ways"},
        description=lazy_gettext("Signed slip, in person, by mail… The appeal term begins now."),
    )


class AppealForm(PenaltyForm):
    text = long_text(lazy_gettext("Why"))


APPEAL = "appealed"
"""Deeds of an employee about their own penalty; the others are deeds of an office."""

TAKE_BACK = "notice_taken_back"
"""Not an event of its own: the entry by which the employee was told is withdrawn."""

DEEDS: dict[str, tuple[type[PenaltyForm], Callable[..., Any], PenaltyStatus]] = {
    "penalty_confirmed": (PenaltyForm, penalties.confirm, PenaltyStatus.proposed),
    "penalty_waived": (PenaltyReasonForm, penalties.waive, PenaltyStatus.proposed),
    "penalty_notified": (HowForm, penalties.notify, PenaltyStatus.confirmed),
    "penalty_reversed": (PenaltyReasonForm, penalties.reverse, PenaltyStatus.notified),
    TAKE_BACK: (PenaltyReasonForm, penalties.take_back_notice, PenaltyStatus.notified),
}
"""The form of each deed on a penalty, its service, and the status it belongs to."""


class PenaltyView(RedressView):
    """The penalties the visitor may see: their own, or everybody's."""

    group, icon = "money", "money"
    column_list = (
        "employee",
        "rule",
        "amount",
        "sanctions",
        "status",
        "sign",
        "cite",
        "complaint",
        "month",
        "proposed_at",
    )
    column_labels = {
        "employee": lazy_gettext("Employee"),
        "rule": lazy_gettext("Ground"),
        "amount": lazy_gettext("Amount"),
        "sanctions": lazy_gettext("Sanctions"),
        "status": lazy_gettext("Status"),
        "sign": lazy_gettext("Charge or reversal"),
        "cite": lazy_gettext("Clause"),
        "complaint": lazy_gettext("Case"),
        "month": lazy_gettext("Wage month"),
        "proposed_at": lazy_gettext("Proposed at"),
    }
    column_searchable_list = ("month", "cite")
    column_filters = ("status", "sign", "employee", "month", "amount", "proposed_at")
    column_sortable_list = ("amount", "status", "month", "proposed_at")
    column_default_sort = ("proposed_at", True)
    column_formatters = {
        "rule": lambda view, context, row, name: view.rule_label(row),
        "sanctions": lambda view, context, row, name: view.sanctions_of(row),
        "amount": lambda view, context, row, name: signed_sum(row),
        "cite": lambda view, context, row, name: Markup('<span class="cite">{}</span>').format(
            row.cite
        ),
    }
    column_formatters_export = {
        "rule": lambda view, context, row, name: view.rule_label(row),
        "sanctions": lambda view, context, row, name: view.sanctions_of(row),
        "amount": lambda view, context, row, name: penalties.signed_amount(row),
        "cite": lambda view, context, row, name: row.cite,
    }

    def visible(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        return desk.penalties_seen(self.session, current_user.user, statement, on=today())

    def row_url(self, row: Penalty) -> str:
        return str(url_for(".one", penalty_id=row.id))

    def rule_label(self, row: Penalty) -> str:
        """What the regulation of the case calls the ground."""
        return form_text.ground_label(row.rule, _pack(self.session, row))

    def sanctions_of(self, row: Penalty) -> str:
        """What comes beside the sum or instead of it, in words."""
        return form_text.sanctions_text(row.sanctions, _pack(self.session, row))

    @expose("/<int:penalty_id>/")
    def one(self, penalty_id: int) -> str:
        """The page of a penalty."""
        return self._page(self._penalty(penalty_id))

    def _penalty(self, penalty_id: int) -> Penalty:
        found: Penalty | None = self.get_one(penalty_id)
        if found is None:
            abort(404)
        return found

    def _page(self, found: Penalty, refused: PenaltyForm | None = None, deed: str = "") -> str:
        pack, _calendar = journal.rules_of(self.session, found.complaint)
        facts = record.facts_of(self.session, found.complaint)
        charge = next(c for c in facts.penalties if _is(c, found))
        forms: dict[str, Any] = {name: self._form(name, found) for name in self._possible(found)}
        if visitor_may_open("penalty.appeal") and self._appealable(found, facts, pack):
            forms[APPEAL] = self._appeal_form(found)
        if refused is not None:
            forms[deed] = refused
        return self.render(
            "penalties/penalty.html",
            row=found,
            label_=form_text.ground_label(found.rule, pack),
            sanctions=form_text.sanctions_text(found.sanctions, pack),
            why=reasons.penalty_reason(charge, pack),
            clause=pack.label("clause", found.cite),
            forms=forms,
            refused=deed if refused is not None else "",
            sum_=penalties.signed_amount(found),
            steps=self._steps(found),
        )

    def _steps(self, found: Penalty) -> dict[str, JournalLine]:
        return penalties.steps_of(self.session, found)

    def _possible(self, found: Penalty) -> list[str]:
        """The deeds this visitor may do on a penalty now: by page, by status and by post."""
        back: list[str] = []
        if not visitor_may_open("penalty.deed"):
            return []
        pack, _calendar = journal.rules_of(self.session, found.complaint)
        by = self._by(found)
        facts = record.facts_of(self.session, found.complaint)
        fitting = [name for name, (_f, _s, status) in DEEDS.items() if found.status is status]
        if TAKE_BACK in fitting:
            fitting.remove(TAKE_BACK)
            told, actor = self._steps(found).get("notified"), actors.of_user(current_user.user)
            if penalties.refusal_to_take_back(found, told, actor=actor, now=now()) is None:
                back = [TAKE_BACK]
        return back + [
            name
            for name in fitting
            if refusal(facts, name, by, pack=pack) is None
            and not (name == "penalty_reversed" and found.sign is Sign.reversal)
        ]

    def _form(self, deed: str, found: Penalty) -> PenaltyForm:
        form = DEEDS[deed][0](prefix=f"{deed}-")
        if not form.seen.data:
            form.seen.data = str(found.complaint.version)
        return form

    @expose("/<int:penalty_id>/deed/<deed>/", methods=("GET", "POST"))
    def deed(self, penalty_id: int, deed: str) -> str | Response:
        """Confirm, waive, notify or reverse. Refused, what was typed comes back."""
        if deed not in DEEDS:
            abort(404)
        here = url_for(".one", penalty_id=penalty_id)
        if request.method == "GET":
            return redirect(here)
        form = self._form(deed, self._penalty(penalty_id))
        if form.validate() and self._did(penalty_id, deed, form):
            return redirect(here)
        return self._page(self._penalty(penalty_id), form, deed)

    # ------------------------------------------------------------ appealing

    @expose("/<int:penalty_id>/appeal/", methods=("GET", "POST"))
    def appeal(self, penalty_id: int) -> str | Response:
        """Appeal against a penalty of one's own, or enter the appeal of somebody else.

        Refused, what was typed comes back.
        """
        found = self._penalty(penalty_id)
        pack, _calendar = journal.rules_of(self.session, found.complaint)
        vote = _question(record.facts_of(self.session, found.complaint), pack)
        if not _may_appeal(found) or vote is None:
            abort(404)
        here = url_for(".one", penalty_id=penalty_id)
        if request.method == "GET":
            return redirect(here)
        form = self._appeal_form(found)
        if form.validate() and self._appealed(found, vote, form):
            return redirect(here)
        return self._page(self._penalty(penalty_id), form, APPEAL)

    def _appeal_form(self, found: Penalty) -> AppealForm:
        form = AppealForm(prefix=f"{APPEAL}-")
        if not form.seen.data:
            form.seen.data = str(found.complaint.version)
        return form

    def _appealed(self, found: Penalty, vote: str, form: AppealForm) -> bool:
        number, employee = found.complaint.number, found.employee.number

        def act(seen: int) -> None:
            complaint = journal.lock_case(self.session, number, seen=seen)
            actor = actors.of_user(current_user.user)
            said = {"vote": vote, "employee": employee, **form.said()}
            jury.appeal(self.session, complaint, actor=actor, now=now(), **said)

        return did(
            self.session,
            APPEAL,
            form,
            act=act,
            version=lambda: self._penalty(found.id).complaint.version,
        )

    def _appealable(self, found: Penalty, facts: CaseFacts, pack: Pack) -> bool:
        """Whether this visitor may appeal now, for themselves or for somebody who told them, while
        the term of appeal runs.
        """
        ends = found.counts_at
        vote = _question(facts, pack)
        if not _may_appeal(found) or vote is None or ends is None or ends < now():
            return False
        by = self._by(found, actors.of_employee(found.employee))
        said: dict[str, Any] = {"vote": vote, "employee": by.employee, "text": ""}
        event = Appealed.model_construct(type=APPEAL, at=now(), by=by, **said)
        return refusal(facts, APPEAL, by, pack=pack, event=event) is None

    def _by(self, found: Penalty, actor: Actor | None = None) -> By:
        """The visitor, or another actor, with the posts of today under the case's regulation."""
        _pack, calendar = journal.rules_of(self.session, found.complaint)
        acts = actor or actors.of_user(current_user.user)
        on = calendar.local(now()).date()
        return journal.actor_on(self.session, found.complaint, acts, on=on)

    def _did(self, penalty_id: int, deed: str, form: PenaltyForm) -> bool:
        def act(seen: int) -> None:
            found = penalties.lock_penalty(self.session, penalty_id, seen=seen)
            actor = actors.of_user(current_user.user)
            DEEDS[deed][1](self.session, found, actor=actor, now=now(), **form.said())

        return did(
            self.session,
            deed,
            form,
            act=act,
            version=lambda: self._penalty(penalty_id).complaint.version,
        )


def _pack(session: Session, row: Penalty) -> Pack:
    """The regulation of the penalty's case."""
    return policies.pack(session, row.complaint.policy_version)


def _may_appeal(found: Penalty) -> bool:
    """Whether the visitor appeals against it: their own, or one whose bearer has no account."""
    mine = found.employee_id == current_user.employee_id
    enters = current_user.role in jury.ENTERS_FOR_OTHERS
    return found.sign is Sign.charge and (mine or enters)


def _question(facts: CaseFacts, pack: Pack) -> str | None:
    """The question by which the case's regulation decides an appeal; None where it knows none."""
    asked = (one for one in pack.vote if one.about == "appeal" and holds(one.applies, facts))
    return next((str(entry.key) for entry in asked), None)


def _is(charge: Any, found: Penalty) -> bool:
    mine = (found.rule, found.employee.number, found.occasion, found.sign)
    return bool(charge.identity == mine)


def signed_sum(row: Penalty) -> Markup:
    """The sum of a penalty; a reversal has a minus."""
    amount = penalties.signed_amount(row)
    sign = "−" if amount < 0 else ""
    return Markup('<span class="money">{}{}</span>').format(sign, wording.money(abs(amount)))


# ---------------------------------------------------------------- the month

HEADER = (
    lazy_gettext("Employee number"),
    lazy_gettext("Name"),
    lazy_gettext("Department"),
    lazy_gettext("Case"),
    lazy_gettext("Ground"),
    lazy_gettext("Clause"),
    lazy_gettext("Amount"),
    lazy_gettext("Sanctions"),
    lazy_gettext("Confirmed at"),
    lazy_gettext("Notified at"),
    lazy_gettext("Appeal term ended"),
)
_ENDS = lazy_gettext("Appeal term ends")
FORMATS: tuple[ColumnFormat, ...] = (
    *("text",) * 6,
    "money",
    "text",
    *("datetime",) * 3,
)


class MonthPage(RedressPage):
    """The penalties of a wage month by employee, and who is not in it and why."""

    group, icon = "money", "calendar"

    @expose("/")
    def index(self) -> str | Response:
        name, known = self._month()
        parts = penalties.month_parts(self.session, name, now=now())
        return self.render(
            "penalties/month.html",
            month=name,
            known=known,
            month_parts=parts,
            waiting=penalties.unsettled_penalties(self.session),
            label_of=self._label,
            sanctions_of=self._sanctions,
            signed=penalties.signed_amount,
        )

    def _month(self) -> tuple[str, list[str]]:
        """The month asked for, else the current one; and every month that has a penalty."""
        known = penalties.months(self.session)
        current = penalties.current_month(self.session, on=today())
        name = request.args.get("month", "")
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", name):
            if name:
                flash(gettext("“%(name)s” is no month; this is the current one.", name=name[:20]))
            name = current
        return name, sorted({*known, current, name}, reverse=True)

    def _label(self, row: Penalty) -> str:
        return form_text.ground_label(row.rule, _pack(self.session, row))

    def _sanctions(self, row: Penalty) -> str:
        return form_text.sanctions_text(row.sanctions, _pack(self.session, row))

    @expose("/<kind>/")
    def export(self, kind: str) -> Any:
        """What is final in the month as a table for the payroll, csv or xlsx; with `part=running`
        what may still be appealed, as a table of its own.
        """
        name, _known = self._month()
        parts = penalties.month_parts(self.session, name, now=now())
        running = request.args.get("part") == "running"
        header = [str(words) for words in HEADER]
        header[-1] = str(_ENDS) if running else header[-1]
        lines = list(self._lines(parts.running if running else parts.final))
        file = f"penalties-{name}-not-final" if running else f"penalties-{name}"
        return tables.send(kind, file, header, rows=lines, title=name, formats=FORMATS)

    def _lines(self, shares: Iterable[EmployeeMonth]) -> Iterator[list[Any]]:
        zone = wording.zone()
        for share in shares:
            for row in share.penalties:
                stamps = (row.confirmed_at, row.notified_at, row.counts_at)
                yield [
                    row.employee.number,
                    row.employee.name,
                    row.employee.department.name,
                    row.complaint.number,
                    self._label(row),
                    row.cite,
                    penalties.signed_amount(row),
                    self._sanctions(row),
                    *(at and at.astimezone(zone).replace(tzinfo=None) for at in stamps),
                ]


def views(db: Any) -> list[Any]:
    """The penalties and their months."""
    return [
        PenaltyView(Penalty, db, name=lazy_gettext("Penalties")),
        MonthPage(db, name=lazy_gettext("Wage month"), endpoint="month", url="/admin/month"),
    ]
