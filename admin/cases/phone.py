"""The page behind every row of a department's workbook, made for a thumb: `/c/<number>`.

A file on a share cannot be opened on the move, so each row links here: one case, what the row
says, photos, and the deeds the visitor may do now. `/c/` lists what waits for them; answers that
wait for their confirmation are confirmed right there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, current_app, flash, redirect, request, send_file, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from admin.cases import form_entries, uploads
from admin.cases.complaints import case_page, did_deed
from admin.cases.deed_forms import DeedForm
from admin.cases.deeds import PageDeed, form_of, offer, offers
from admin.cases.timeline import timeline
from admin.kit.display import now, today
from admin.kit.page import RedressPage
from admin.kit.rights import visitor_may_open
from config import Settings
from policy.vocabulary.errors import NotFound
from policy.vocabulary.facts import CaseFacts, DeadlineFacts
from policy.vocabulary.status import Status
from services.cases import attachments, desk
from services.cases.desk import CasePage
from wording import form_text, reasons

WITH_PAPERS = frozenset(
    {"contacted", "progressed", "arrived_on_site", "replied_in_writing", "replied"}
    | {"filled", "checked", "reported"}
)
"""The deeds whose form takes photos along."""

SELDOM = frozenset(
    {"classified", "upgraded", "judged", "taken_over", "verified", "involved", "escalated"}
    | {"appealed", "convened", "ruled", "concluded"}
)
"""Deeds for a desk: they are possible here, below the others."""

OFTEN = ("contacted", "progressed")
"""What a department notes between the hand-over and its answer."""

AT_A_TOUCH = frozenset({"confirmed"})
"""Deeds that ask nothing; their button is the form."""

SEALED = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
"""What an uploaded file may do when a browser opens it: nothing but be seen."""

STEPS_SHOWN = 5
TOP = "content"
"""The place of the page where it says what was done; else a browser keeps the form's place."""


class PhonePage(RedressPage):
    """What waits for the visitor, and one case, on a screen as narrow as a hand."""

    group, icon = "desk", "check"

    # ------------------------------------------------------------ looking

    @expose("/")
    def index(self) -> str:
        """The cases that wait for the visitor, the most urgent first."""
        waiting = desk.waiting_cases(self.session, current_user.user, now=now(), on=today())
        ids = [one.complaint.id for one in waiting]
        return self.render(
            "cases/phone_list.html",
            waiting=waiting,
            answers=desk.last_replies(self.session, ids),
            photos=attachments.counts(self.session, ids),
            at_a_touch=AT_A_TOUCH if visitor_may_open("phone.deed") else (),
            left=left,
        )

    @expose("/<number>")
    def case(self, number: str) -> str:
        """One case."""
        return self._page(case_page(self.session, number))

    def _page(self, page: CasePage, refused: DeedForm | None = None, deed: str = "") -> str:
        complaint, facts = page.complaint, page.facts
        seen = desk.scope(self.session, current_user.user, on=today())
        shown = {one.key: one for one in offers(page) if one.allowed}
        forms = self._forms(page, shown, refused, deed=deed)
        return self.render(
            "cases/phone.html",
            page=page,
            case=complaint,
            deadline=next_deadline(facts),
            answer=desk.last_replies(self.session, [complaint.id]).get(complaint.id),
            rings=desk.may_call_customer(complaint, current_user.user, seen=seen),
            again=_why_again(page),
            progress=_last_text(page, "progressed"),
            forms=forms,
            scripts=form_entries.scripts(self.session, page),
            offers=shown,
            refused=deed,
            next_deed=_next(page),
            seldom=SELDOM,
            at_a_touch=AT_A_TOUCH,
            with_papers=WITH_PAPERS if attachments.refusal_to_add(complaint) is None else (),
            papers=attachments.of_case(self.session, complaint),
            takes_papers=attachments.refusal_to_add(complaint) is None
            and visitor_may_open("phone.add"),
            steps=timeline(page, set())[:STEPS_SHOWN],
            limit=_settings().upload_limit_mb,
            left=left,
            reasons=reasons,
            words=form_text,
        )

    def _forms(
        self, page: CasePage, shown: dict[str, PageDeed], refused: DeedForm | None, *, deed: str
    ) -> dict[str, DeedForm]:
        """The forms of the deeds the visitor may do now, the most wanted first, seldom ones last.

        A deed that was refused keeps its form although it may not be done any more.
        """
        wanted = _next(page)
        again = offer(page, deed)
        if again is not None:
            shown.setdefault(deed, again)
        keys = sorted(shown, key=lambda k: (k != wanted, k not in OFTEN, shown[k].name in SELDOM))
        forms = {k: form_of(self.session, page, shown[k]) for k in keys if k != deed}
        return {k: refused if k == deed and refused is not None else forms[k] for k in keys}

    # ------------------------------------------------------------ doing

    @expose("/<number>/deed/<deed>", methods=("GET", "POST"))
    def deed(self, number: str, deed: str) -> str | Response:
        """Do a deed. Refused, it comes back with the reason and all that was typed.

        Photos sent with it are added first and stay, so that nobody takes them twice.
        """
        here = url_for(".case", number=number)
        page = case_page(self.session, number)
        wanted = offer(page, deed)
        if wanted is None:
            abort(404)
        if request.method == "GET":
            return redirect(here)
        taken = uploads.take(self.session, number)
        form = form_of(self.session, page, wanted)
        taken.put(form)
        if form.validate() and taken.whole and did_deed(self.session, number, deed, form=form):
            return redirect(self._onward(number))
        return self._page(case_page(self.session, number), form, deed)

    def _onward(self, number: str) -> str:
        """Where to go after a deed: to the list as soon as the case waits for somebody else."""
        try:
            page = desk.case_page(
                self.session,
                number,
                current_user.user,
                seen=desk.scope(self.session, current_user.user, on=today()),
                now=now(),
                on=today(),
            )
        except NotFound:
            return url_for(".index", _anchor=TOP)
        wanted = _next(page)
        waits = any(one.allowed and one.name == wanted for one in page.deeds)
        if waits:
            return url_for(".case", number=number, _anchor=TOP)
        return url_for(".index", _anchor=TOP)

    # ------------------------------------------------------------ photos and files

    @expose("/<number>/paper", methods=("GET", "POST"))
    def add(self, number: str) -> Response:
        """Add photos and files to a case."""
        here = url_for(".case", number=number)
        if request.method == "GET":
            return redirect(here)
        case_page(self.session, number)
        if not uploads.sent():
            flash(gettext("No photo or file was chosen."), "error")
        uploads.take(self.session, number)
        return redirect(here)

    @expose("/<number>/paper/<int:paper_id>")
    def paper(self, number: str, paper_id: int) -> Response:
        """A photo or file of a case. Only pictures open in the browser; the rest is saved."""
        page = case_page(self.session, number)
        try:
            found = attachments.find(self.session, page.complaint, paper_id)
        except NotFound:
            abort(404)
        path = attachments.stored_path(_settings().uploads, found.checksum)
        if not path.is_file():
            current_app.logger.error("%s: the file of paper %s is gone", number, paper_id)
            abort(404)
        answer = send_file(
            path,
            mimetype=found.media_type,
            as_attachment=found.media_type not in attachments.SHOWN,
            download_name=found.name,
            etag=found.checksum,
            last_modified=found.added_at,
        )
        answer.headers["Content-Security-Policy"] = SEALED
        return answer


def _settings() -> Settings:
    found: Settings = current_app.config["REDRESS"]
    return found


def _next(page: CasePage) -> str:
    """The deed the case waits for; of a closed one only what the regulation still asks for."""
    wanted = desk.NEXT_DEED.get(page.complaint.status, "")
    if page.complaint.status is not Status.closed:
        return wanted
    possible = {one.name for one in page.deeds}
    needs_factory = page.facts.level == "factory" and page.facts.factory_closed_at is None
    if needs_factory:
        return wanted
    return "called_back" if "called_back" in possible and next_deadline(page.facts) else ""


def next_deadline(facts: CaseFacts) -> DeadlineFacts | None:
    """The running deadline that ends first; one without an end comes last."""
    running = [deadline for deadline in facts.deadlines if deadline.running]
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    return min(running, key=lambda deadline: deadline.due_at or latest, default=None)


def _why_again(page: CasePage) -> str | None:
    """What was said when the case was last begun anew; None in the first round."""
    if page.facts.round == 1:
        return None
    row = next((row for row in page.history if row.event == "restarted"), None)
    return reasons.event_text(row.data, page.pack, page.people) if row else None


def _last_text(page: CasePage, event: str) -> str | None:
    row = next((row for row in page.history if row.event == event), None)
    return row.data.get("text") if row else None


def left(due_at: dt.datetime) -> Markup:
    """How much time is left until then, or has been over since, as a chip in round words."""
    span = due_at - now()
    tone = "red" if span < dt.timedelta() else "amber" if span < dt.timedelta(days=1) else "blue"
    minutes = int(abs(span).total_seconds()) // 60
    length = _length(minutes)
    words = (
        gettext("%(length)s over", length=length)
        if span < dt.timedelta()
        else gettext("%(length)s left", length=length)
    )
    return Markup('<span class="chip chip-{}">{}</span>').format(tone, words)


def _length(minutes: int) -> str:
    """A span in its two largest units, as a person says it."""
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days >= 3:
        return gettext("%(days)s days", days=days)
    if days:
        return gettext("%(days)s d %(hours)s h", days=days, hours=hours)
    if hours:
        return gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes % 60)
    return gettext("%(minutes)s minutes", minutes=minutes)


def views(db: Any) -> list[RedressPage]:
    """The pages for the move."""
    return [PhonePage(db, name=lazy_gettext("One by one"), endpoint="phone", url="/c")]
