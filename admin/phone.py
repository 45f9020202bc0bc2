"""The page behind every row of a department's workbook, made for a thumb: `/c/<number>`.

A file on a share cannot be opened on the move, so each row links here: one case, what the row
says, photos, and the deeds the visitor may do now. `/c/` lists what waits for him; answers that
wait for his confirmation are confirmed right there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, current_app, flash, redirect, request, send_file, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from markupsafe import Markup
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

import reasons
import wording
from admin.base import RedressPage
from admin.complaint import case_page, did_deed, local_day, timeline
from admin.deeds import DEEDS, DeedForm, form_of
from admin.rights import visitor_may_open
from admin.showing import now
from config import Settings
from policy.errors import DomainError, NotFound
from policy.facts import CaseFacts, Clock
from policy.lifecycle import Status
from services import desk, journal, papers
from services.desk import CasePage

WITH_PAPERS = frozenset(
    {"contacted", "progressed", "arrived_on_site", "replied_in_writing", "replied"}
)
"""The deeds whose form takes photos along."""

SELDOM = frozenset({"classified", "upgraded", "judged", "taken_over"})
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
        waiting = desk.waiting(self.records, current_user.user, now=now(), on=local_day())
        ids = [one.complaint.id for one in waiting]
        return self.render(
            "admin/phone_list.html",
            waiting=waiting,
            answers=desk.answers(self.records, ids),
            photos=papers.counts(self.records, ids),
            at_a_touch=AT_A_TOUCH if visitor_may_open("phone.deed") else (),
            left=left,
        )

    @expose("/<number>")
    def case(self, number: str) -> str:
        """One case."""
        return self._page(case_page(self.records, number))

    def _page(self, page: CasePage, refused: DeedForm | None = None, deed: str = "") -> str:
        complaint, facts = page.complaint, page.facts
        seen = desk.scope(self.records, current_user.user, on=local_day())
        forms = _forms(page, refused, deed)
        return self.render(
            "admin/phone.html",
            page=page,
            case=complaint,
            clock=next_clock(facts),
            answer=desk.answers(self.records, [complaint.id]).get(complaint.id),
            rings=desk.may_ring(complaint, current_user.user, seen=seen),
            again=_why_again(page),
            progress=_last_text(page, "progressed"),
            forms=forms,
            refused=deed,
            next_deed=_next(page),
            seldom=SELDOM,
            at_a_touch=AT_A_TOUCH,
            with_papers=WITH_PAPERS if papers.closed(complaint) is None else (),
            papers=papers.of_case(self.records, complaint),
            takes_papers=papers.closed(complaint) is None and visitor_may_open("phone.add"),
            steps=timeline(page, set())[:STEPS_SHOWN],
            limit=_settings().upload_limit_mb,
            left=left,
            reasons=reasons,
        )

    # ------------------------------------------------------------ doing

    @expose("/<number>/deed/<deed>", methods=("GET", "POST"))
    def deed(self, number: str, deed: str) -> str | Response:
        """Do a deed. Refused, it comes back with the reason and all that was typed.

        Photos sent with it are added first and stay, so that nobody takes them twice.
        """
        if deed not in DEEDS:
            abort(404)
        here = url_for(".case", number=number)
        if request.method == "GET":
            return redirect(here)
        page = case_page(self.records, number)
        whole = self._take_papers(number) if deed in WITH_PAPERS else True
        form = form_of(deed, page.pack, page.facts, version=page.complaint.version)
        if form.validate() and whole and did_deed(self.records, number, deed, form):
            return redirect(self._onward(number))
        return self._page(case_page(self.records, number), form, deed)

    def _onward(self, number: str) -> str:
        """Where to go after a deed: to the list as soon as the case waits for somebody else."""
        try:
            page = desk.case_page(
                self.records,
                number,
                current_user.user,
                seen=desk.scope(self.records, current_user.user, on=local_day()),
                now=now(),
                on=local_day(),
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
        case_page(self.records, number)
        if not _sent():
            flash(gettext("No photo or file was chosen."), "error")
        self._take_papers(number)
        return redirect(here)

    def _take_papers(self, number: str) -> bool:
        """Add what was sent, each file by itself; False when one of them was refused."""
        sent = _sent()
        # The bytes are written while nobody waits for the lock of the database.
        self.records.rollback()
        outcomes = [self._taken(number, one) for one in sent]
        for refusal in outcomes:
            if refusal is not None:
                flash(wording.error(refusal), "error")
        if added := outcomes.count(None):
            flash(gettext("Photos and files added: %(count)s.", count=added), "success")
        return added == len(sent)

    def _taken(self, number: str, one: FileStorage) -> DomainError | None:
        settings = _settings()
        try:
            kept = papers.keep(
                one.stream,  # type: ignore[arg-type]  # a spooled file, read in blocks
                name=one.filename or "",
                folder=settings.uploads,
                limit=settings.upload_limit_mb * papers.MEGABYTE,
            )
            complaint = journal.hold(self.records, number)
            papers.enter(self.records, complaint, kept, user=current_user.user, now=now())
            self.records.commit()
        except DomainError as refusal:
            self.records.rollback()
            return refusal
        return None

    @expose("/<number>/paper/<int:paper_id>")
    def paper(self, number: str, paper_id: int) -> Response:
        """A photo or file of a case. Only pictures open in the browser; the rest is saved."""
        page = case_page(self.records, number)
        try:
            found = papers.find(self.records, page.complaint, paper_id)
        except NotFound:
            abort(404)
        path = papers.place(_settings().uploads, found.checksum)
        if not path.is_file():
            current_app.logger.error("%s: the file of paper %s is gone", number, paper_id)
            abort(404)
        answer = send_file(
            path,
            mimetype=found.media_type,
            as_attachment=found.media_type not in papers.SHOWN,
            download_name=found.name,
            etag=found.checksum,
            last_modified=found.added_at,
        )
        answer.headers["Content-Security-Policy"] = SEALED
        return answer


def _sent() -> list[FileStorage]:
    """The files of this request; an input that was left empty sends one without a name."""
    return [one for one in request.files.getlist("papers") if one.filename]


def _settings() -> Settings:
    found: Settings = current_app.config["REDRESS"]
    return found


def _forms(page: CasePage, refused: DeedForm | None, deed: str) -> dict[str, DeedForm]:
    """The forms of the deeds the visitor may do now, the most wanted first, seldom ones last."""
    wanted = _next(page)
    names = [d.name for d in page.deeds if d.allowed and d.name in DEEDS]
    if deed and deed not in names:
        names.append(deed)
    version = page.complaint.version
    names.sort(key=lambda name: (name != wanted, name not in OFTEN, name in SELDOM))
    forms = {n: form_of(n, page.pack, page.facts, version=version) for n in names if n != deed}
    return {n: refused if n == deed and refused is not None else forms[n] for n in names}


def _next(page: CasePage) -> str:
    """The deed the case waits for; of a closed one only what the regulation still asks for."""
    wanted = desk.NEXT_DEED.get(page.complaint.status, "")
    if page.complaint.status is not Status.closed:
        return wanted
    possible = {one.name for one in page.deeds}
    needs_factory = page.facts.level == "factory" and page.facts.factory_closed_at is None
    if needs_factory:
        return wanted
    return "called_back" if "called_back" in possible and next_clock(page.facts) else ""


def next_clock(facts: CaseFacts) -> Clock | None:
    """The running clock that ends first; one without an end comes last."""
    running = [clock for clock in facts.clocks if clock.running]
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    return min(running, key=lambda clock: clock.due_at or latest, default=None)


def _why_again(page: CasePage) -> str | None:
    """What was said when the case was last begun anew; None in the first round."""
    if page.facts.round == 1:
        return None
    row = next((row for row in page.history if row.event == "restarted"), None)
    return reasons.happening(row.data, page.pack, page.people) if row else None


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
