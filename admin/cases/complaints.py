"""Cases: the list, registering, the page of one case with its deeds, corrections."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import abort, current_app, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response

import wording
from admin.cases import correction, form_entries, uploads
from admin.cases.declared_columns import DeclaredColumns, keyed_filters
from admin.cases.deed_forms import DeedForm
from admin.cases.deeds import form_of, offer, offers, service_of
from admin.cases.registering import (
    RegisterForm,
    codes,
    doubt_text,
    is_sure,
    said_of,
    sent_key,
)
from admin.cases.timeline import timeline
from admin.kit.declared_inputs import (
    with_pack_fields,
)
from admin.kit.display import now, today, urgency
from admin.kit.filters import OneOf, contains
from admin.kit.lists import RedressView
from admin.kit.lookup import session as current
from admin.kit.page import attempt, did, tell
from admin.kit.rights import visitor_may_open
from models import Complaint, Customer, Penalty, PolicyVersion
from policy.vocabulary.errors import DomainError, NotFound
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import Status
from services.cases import attachments, correcting, customers, desk, intake, journal, record
from services.cases.desk import CasePage, Standing
from services.cases.intake import Doubt
from services.company import actors
from services.regulation import policies
from wording import form_text, reasons

WITH_PAPERS = frozenset({"filled", "checked", "reported"})
"""The deeds whose form takes photos and files along."""

LABELS = {
    "number": lazy_gettext("Case"),
    "subject": lazy_gettext("Subject"),
    "status": lazy_gettext("Status"),
    "due_at": lazy_gettext("Due"),
    "due_provisional": lazy_gettext("Provisional"),
    "grade": lazy_gettext("Grade"),
    "level": lazy_gettext("Level"),
    "kind": lazy_gettext("Kind"),
    "channel": lazy_gettext("Source"),
    "department": lazy_gettext("Department"),
    "handler": lazy_gettext("Handler"),
    "customer": lazy_gettext("Customer"),
    "received_at": lazy_gettext("Received"),
    "round": lazy_gettext("Round"),
    "responsibility": lazy_gettext("Responsibility"),
    "history": lazy_gettext("Before go-live"),
    "category": lazy_gettext("Category"),
    "finding": lazy_gettext("Finding"),
    "valid": lazy_gettext("Valid complaint"),
}


STANDINGS = {
    Standing.open: lazy_gettext("Open"),
    Standing.overdue: lazy_gettext("Overdue"),
    Standing.today: lazy_gettext("Due today"),
    Standing.undispatched: lazy_gettext("Not dispatched"),
    Standing.mine: lazy_gettext("Waiting for me"),
}


class StandsSo(OneOf):
    """How a case stands for the visitor now, as the home page counts it."""

    def __init__(self) -> None:
        super().__init__(
            Complaint.id,
            lazy_gettext("How it stands now"),
            key="standing",
            choices=lambda: [(one.value, str(words)) for one, words in STANDINGS.items()],
        )

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        said: dict[str, Any] = {"now": now(), "zone": wording.zone()}
        return sa.or_(
            *(desk.standing(current(), Standing(one), current_user.user, **said) for one in value)
        )


class ComplaintView(DeclaredColumns):
    """The cases somebody may see."""

    group, icon = "cases", "case"
    lead = lazy_gettext("Every case with its next due time; overdue ones are red.")
    column_list = (
        "number",
        "subject",
        "status",
        "due_at",
        "grade",
        "department",
        "handler",
        "customer",
        "received_at",
    )
    column_labels = LABELS
    column_export_list = [*column_list, "due_provisional"]
    column_searchable_list = ("number", "subject")
    column_filters = (
        "status",
        "department",
        "handler",
        "due_at",
        "received_at",
        "responsibility",
        "history",
    )
    column_sortable_list = ("number", "due_at", "received_at", "status", "grade")
    column_default_sort = ("received_at", True)
    list_template = "cases/complaints.html"

    def get_filters(self) -> list[Any]:
        return [StandsSo(), *super().get_filters(), *keyed_filters(lambda: self.session)]

    def rows(self) -> sa.Select[Any]:
        return super().rows().options(joinedload(Complaint.policy_version))

    def visible(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        return desk.scope(self.session, current_user.user, on=today()).narrowed(statement)

    def matches(self, word: str) -> sa.ColumnElement[bool]:
        """A word of a search: in number or subject, or the customer's name or telephone."""
        plain = customers.digits(word)
        named = [contains(Customer.name, word)]
        if plain and len(plain) >= 3:
            named.append(Customer.phone_digits.startswith(plain))
        by_customer = sa.select(Customer.id).where(sa.or_(*named))
        return sa.or_(super().matches(word), Complaint.customer_id.in_(by_customer))

    def row_url(self, row: Any) -> str:
        return str(url_for(".case", number=row.number))

    column_formatters = {
        "due_at": lambda view, context, row, name: due_chip(row),
        "grade": lambda view, context, row, name: grade_tag(row.grade, view.value(row, name)),
    }
    column_formatters_export = {
        "due_at": lambda view, context, row, name: row.due_at,
        "due_provisional": lambda view, context, row, name: (
            gettext("provisional") if row.due_provisional else None
        ),
        "grade": lambda view, context, row, name: view.value(row, name),
    }

    # ------------------------------------------------------------ registering

    @expose("/register/", methods=("GET", "POST"))
    def register(self) -> str | Response:
        """The form of a new case; `policy` in the address chooses among those in force."""
        offered = policies.all_in_force(self.session, on=today())
        if not offered:
            flash(
                gettext("No regulation is in force today, so nothing can be registered."), "error"
            )
            return redirect(url_for(".index_view"))
        version = next((v for v in offered if v.policy.key == request.args.get("policy")), None)
        version = version or offered[0]
        pack = policies.pack(self.session, version)
        form: Any = with_pack_fields(RegisterForm, pack, intake="asked")()
        form.prepare(pack)
        tried: CaseFacts | None = None
        doubts: list[Doubt] = []
        # Another regulation was chosen: what was typed stays, and nothing is judged yet.
        switched = request.form.get("do") == "switch"
        if not switched and form.validate_on_submit():
            doubts = self._doubts(form)
            if request.form.get("do") == "preview":
                tried = self._tried(form, version)
            elif doubts and not is_sure(doubts):
                flash(gettext("Nothing was saved yet. Please answer the question below."), "error")
            elif number := self._registered(form, version):
                return redirect(url_for(".case", number=number))
        return self.render(
            "cases/register.html",
            form=form,
            version=version,
            offered=offered,
            tried=tried,
            doubts=[doubt_text(one) for one in doubts],
            sure=codes(doubts),
            pack=pack,
            scripts=form_entries.scripts_of_intake(self.session, version, pack),
            reasons=reasons,
            **self._known(form.phone.data if tried else None),
        )

    def _known(self, phone: str | None) -> dict[str, Any]:
        """The customers of a telephone number, and which of them are marked, for whom it may."""
        known = customers.by_phone(self.session, phone or "")
        marked = customers.flags_on(
            self.session,
            [customer.id for customer, _count in known],
            actor=actors.of_user(current_user.user),
            on=today(),
        )
        return {"known": known, "marked": marked}

    def _doubts(self, form: Any) -> list[Doubt]:
        """What to ask before it is saved; a form that was sent before is not asked again."""
        if intake.registered_with(self.session, sent_key(form)) is not None:
            return []
        plain, name = customers.identity_of(form.phone.data), form.customer.data or ""
        known = Customer(name=name, phone_digits=plain) if name or plain else None
        said = {"received_at": form.received_at.data, "subject": form.subject.data}
        return intake.doubts(self.session, customer=known, now=now(), **said)

    def _tried(self, form: Any, version: PolicyVersion) -> CaseFacts | None:
        """What registering would bring, so that the customer can be told; nothing is kept."""
        try:
            return record.facts_of(self.session, self._register(said_of(form), version))
        except DomainError as refusal:
            tell(refusal, form)
            return None
        finally:
            self.session.rollback()

    def _registered(self, form: Any, version: PolicyVersion) -> str | None:
        with attempt(self.session, form) as tried:
            complaint = self._register(said_of(form), version)
        if not tried.done:
            return None
        sentence = gettext("Registered as %(number)s.", number=complaint.number)
        if complaint.due_at:
            due = wording.moment(complaint.due_at)
            sentence += " " + gettext("Next due: %(due)s.", due=due)
        if complaint.due_provisional:
            sentence += " " + gettext("This is provisional until the official year is loaded.")
        flash(sentence, "success")
        warn_of_vacancy(complaint)
        return complaint.number

    def _register(self, said: dict[str, Any], version: PolicyVersion) -> Complaint:
        at = now()
        sent_before = intake.registered_with(self.session, said["form_key"])
        if sent_before is not None:
            return sent_before
        actor = actors.of_user(current_user.user)
        department = said.pop("department")
        director_only = bool(said.pop("director_only"))
        name, phone = said.pop("customer") or "", said.pop("phone")
        nobody = bool(said.pop("without_customer")) and not (name or phone)
        customer = None if nobody else customers.find_or_add(self.session, name, phone)
        complaint = intake.register(
            self.session, version, customer=customer, actor=actor, now=at, **said
        )
        if department and complaint.status is Status.registered:
            intake.dispatch(
                self.session,
                complaint,
                department=department,
                director_only=director_only,
                actor=actor,
                now=at,
            )
        return complaint

    # ------------------------------------------------------------ one case

    @expose("/<number>/")
    def case(self, number: str) -> str:
        """The page of a case."""
        return self._page(self._case(number))

    def _case(self, number: str) -> CasePage:
        return case_page(self.session, number)

    def _page(self, page: CasePage, refused: DeedForm | None = None, deed: str = "") -> str:
        possible = {one.key: one for one in offers(page)}
        again = offer(page, deed)
        if refused is not None and again is not None:
            possible[deed] = again
        forms = {
            key: refused if key == deed and refused else form_of(self.session, page, one)
            for key, one in possible.items()
            if one.allowed
        }
        return self.render(
            "cases/case.html",
            page=page,
            case=page.complaint,
            forms=forms,
            offers=possible,
            refused=deed if refused is not None else "",
            impossible=[one for one in possible.values() if not one.allowed],
            paperwork=form_entries.of_case(self.session, page, possible),
            scripts=form_entries.scripts(self.session, page),
            words=form_text,
            with_papers=WITH_PAPERS if attachments.refusal_to_add(page.complaint) is None else (),
            limit=current_app.config["REDRESS"].upload_limit_mb,
            why_not=wording.error,
            main=desk.NEXT_DEED.get(page.complaint.status, ""),
            timeline=timeline(page, self._amendable(page.complaint)),
            reasons=reasons,
            others=self._others(page.complaint),
            openable=self._openable_penalties(page.complaint),
            papers=attachments.of_case(self.session, page.complaint),
        )

    def _amendable(self, complaint: Complaint) -> set[int]:
        """The journal rows this visitor may amend."""
        if not visitor_may_open("complaint.amend"):
            return set()
        return {row.seq for row in correcting.amendable(self.session, complaint)}

    def _openable_penalties(self, complaint: Complaint) -> set[int]:
        """The penalties of a case whose pages this visitor opens."""
        if not complaint.penalties or not visitor_may_open("penalty.one"):
            return set()
        here = sa.select(Penalty.id).where(Penalty.complaint_id == complaint.id)
        seen = desk.penalties_seen(self.session, current_user.user, here, on=today())
        return set(self.session.scalars(seen))

    def _others(self, complaint: Complaint) -> list[Complaint]:
        """The customer's other cases, newest first, as far as the visitor sees them."""
        if complaint.customer_id is None:
            return []
        statement = self.visible(sa.select(Complaint)).where(
            Complaint.customer_id == complaint.customer_id, Complaint.id != complaint.id
        )
        return list(self.session.scalars(statement.order_by(Complaint.received_at.desc()).limit(5)))

    @expose("/<number>/deed/<deed>/", methods=("GET", "POST"))
    def deed(self, number: str, deed: str) -> str | Response:
        """Do a deed. Refused, it comes back with the reason and all that was typed."""
        here = url_for(".case", number=number)
        page = self._case(number)
        wanted = offer(page, deed)
        if wanted is None:
            abort(404)
        if request.method == "GET":
            return redirect(here)
        taken = uploads.take(self.session, number)
        form = form_of(self.session, page, wanted)
        taken.put(form)
        if form.validate() and taken.whole and did_deed(self.session, number, deed, form=form):
            return redirect(here)
        return self._page(self._case(number), form, deed)

    # ------------------------------------------------------------ amending

    @expose("/<number>/amend/<int:seq>/", methods=("GET", "POST"))
    def amend(self, number: str, seq: int) -> str | Response:
        """Correct or withdraw a journal row, after showing what would change."""
        page = self._case(number)
        standing = correcting.amendable(self.session, page.complaint)
        row = next((row for row in standing if row.seq == seq), None)
        if row is None:
            abort(404)
        asked = correction.Amendment(self.session, page, row)
        if request.method == "POST" and asked.form.validate():
            with attempt(self.session, asked.form) as tried:
                amended = asked.carried_out(current_user.user, now())
                if not amended:  # it was only looked at
                    self.session.rollback()
            if tried.done and amended:
                flash(gettext("The entry was amended."), "success")
                return redirect(url_for(".case", number=number))
        return self.render("cases/amend.html", asked=asked, number=number, reasons=reasons)


def case_page(session: Session, number: str) -> CasePage:
    """The case as the visitor sees it; a page that is not there when they may not see it."""
    seen = desk.scope(session, current_user.user, on=today())
    try:
        return desk.case_page(session, number, current_user.user, seen=seen, now=now(), on=today())
    except NotFound:
        abort(404)


def did_deed(session: Session, number: str, deed: str, *, form: DeedForm) -> bool:
    """Do the deed its form asks for and commit; refused, say why and keep what was typed."""

    def act(seen: int) -> None:
        complaint = journal.lock_case(session, number, seen=seen)
        actor = actors.of_user(current_user.user)
        service_of(deed)(session, complaint, actor=actor, now=now(), **form.said())

    name = deed.partition(":")[0]
    done = did(
        session, name, form, act=act, version=lambda: case_page(session, number).complaint.version
    )
    if done and name in _HANDS_OVER:
        warn_of_vacancy(case_page(session, number).complaint)
    return done


_HANDS_OVER = frozenset({"dispatched", "handed_over", "restarted"})


def warn_of_vacancy(complaint: Complaint) -> None:
    """Say that nobody answers for the case, where nobody holds the post that leads it."""
    if complaint.department is not None and complaint.responsible is None:
        flash(
            gettext(
                "Nobody holds the post that leads %(department)s, so nobody answers for "
                "%(number)s yet and nobody confirms the answer. Ask an administrator to enter who "
                "holds it.",
                department=complaint.department,
                number=complaint.number,
            ),
            "warning",
        )


def due_chip(row: Complaint) -> Any:
    """The next due time of a case, coloured by how near it is."""
    if row.due_at is None:
        return None
    near = urgency(row.due_at, now=now())
    marked = Markup(' <b class="due-provisional">{}</b>').format(gettext("provisional"))
    return Markup('<span class="due due-{}"><time datetime="{}">{}</time>{}</span>').format(
        near,
        row.due_at.isoformat(),
        wording.moment(row.due_at),
        marked if row.due_provisional else "",
    )


def grade_tag(grade: str | None, words: str | None) -> Any:
    """A grade as a chip, by its label; graver ones are warmer."""
    if grade is None:
        return None
    tone = {"A": "blue", "B": "amber", "C": "red"}.get(grade[:1], "grey")
    return Markup('<span class="chip chip-{}">{}</span>').format(tone, words)


def views(db: Any) -> list[RedressView]:
    """The cases."""
    return [ComplaintView(Complaint, db, name=lazy_gettext("Cases"))]
