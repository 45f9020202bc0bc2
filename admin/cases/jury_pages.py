"""The pages of whoever sits on a jury: the matters it is to decide, and the vote.

A juror need not see any other page of the case. Neither the customer's name nor their telephone is
here, nor how the others voted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from admin.cases import jury_forms as forms
from admin.cases.deed_forms import DeedForm
from admin.cases.deeds import form_of, offer
from admin.kit.display import now, today
from admin.kit.page import RedressPage, did
from policy.engine import jury as jury_rules
from policy.engine.forms import applicable_entries
from policy.vocabulary.errors import NotFound
from policy.vocabulary.facts import FormEntryFacts, PenaltyFacts
from services.cases import desk, journal, jury
from services.cases.desk import CasePage
from services.company import actors
from wording import form_text, reasons

SHOWN = frozenset({"form", "finding"})
"""What is filed on a case and told to its jury; the appeal stands with its question."""


class JuryPage(RedressPage):
    """The matters on whose jury the visitor sits, and each with what it is about."""

    group, icon = "money", "people"

    @expose("/")
    def index(self) -> str:
        """The cases with an open question on whose jury the visitor sits."""
        cases = desk.jury_cases(self.session, current_user.user, on=today())
        return self.render("cases/jury.html", cases=cases)

    @expose("/<number>/")
    def one(self, number: str) -> str:
        """What a jury needs to know of a case, and the vote on each open question."""
        return self._page(self._case(number))

    @expose("/<number>/<vote>/", methods=("GET", "POST"))
    def vote(self, number: str, vote: str) -> str | Response:
        """Vote. Refused, it comes back with the reason and all that was typed."""
        page = self._case(number)
        if vote not in {entry.key for entry in _questions(page)}:
            abort(404)
        if request.method == "GET":
            return redirect(url_for(".one", number=number))
        form = self._form(page, vote)
        if form.validate() and self._voted(number, form):
            return redirect(url_for(".index"))
        return self._page(self._case(number), form, vote)

    def _case(self, number: str) -> CasePage:
        user, on = current_user.user, today()
        seen = desk.jury_scope(user, on=on)
        try:
            return desk.case_page(self.session, number, user, seen=seen, now=now(), on=on)
        except NotFound:
            abort(404)

    def _page(self, page: CasePage, refused: DeedForm | None = None, vote: str = "") -> str:
        questions = _questions(page)
        mine = page.by.employee
        waits = [
            one.key for one in questions if forms.fits("voted", one, page.facts, employee=mine)
        ]
        ballots = {key: self._form(page, key) for key in waits if key != vote}
        if refused is not None:
            ballots[vote] = refused
        case = page.complaint
        return self.render(
            "cases/jury_case.html",
            page=page,
            case=case,
            answer=desk.last_replies(self.session, [case.id]).get(case.id),
            questions=questions,
            ballots=ballots,
            refused=vote,
            appeals={one.key: page.facts.last_entry("appeal", one.key) for one in questions},
            charges={one.key: _charges(page, one.key) for one in questions},
            told=[_told(one, page) for one in page.facts.entries if one.section in SHOWN],
            fields=[one for one in page.pack.field if one.shape != "phone"],
            reasons=reasons,
            words=form_text,
        )

    def _form(self, page: CasePage, vote: str) -> DeedForm:
        wanted = offer(page, f"voted:{vote}")
        assert wanted is not None
        return form_of(self.session, page, wanted)

    def _voted(self, number: str, form: DeedForm) -> bool:
        def act(seen: int) -> None:
            complaint = journal.lock_case(self.session, number, seen=seen)
            actor = actors.of_user(current_user.user)
            jury.cast_vote(self.session, complaint, actor=actor, now=now(), **form.said())

        return did(
            self.session,
            "voted",
            form,
            act=act,
            version=lambda: self._case(number).complaint.version,
        )


def _questions(page: CasePage) -> list[Any]:
    """The open questions of a case on whose jury the visitor sits."""
    found = []
    for entry in applicable_entries(page.facts, "vote", page.pack):
        seated = page.facts.last_entry("vote", entry.key)
        open_ = jury_rules.vote_state(page.facts, entry.key) == "open"
        if seated and open_ and page.by.employee in seated.data["members"]:
            found.append(entry)
    return found


def _charges(page: CasePage, vote: str) -> list[PenaltyFacts]:
    """What an appeal is about: the charges of whoever appeals, all where a department does."""
    appeal = page.facts.last_entry("appeal", vote)
    if appeal is None:
        return []
    who = appeal.data["employee"]
    return [one for one in page.facts.penalties if one.stands and who in (None, one.employee)]


def _told(one: FormEntryFacts, page: CasePage) -> form_text.EntryText:
    """A thing filed, in words, without a telephone."""
    declared = (
        getattr(page.pack.find("form", one.key), "fields", ()) if one.section == "form" else ()
    )
    phones = {field.key for field in declared if field.shape == "phone"}
    data = {name: said for name, said in one.data.items() if name not in phones}
    return form_text.entry_text(replace(one, data=data), page.pack, page.people)


def views(db: Any) -> list[RedressPage]:
    """The jury's pages."""
    return [JuryPage(db, name=lazy_gettext("My votes"), endpoint="jury", url="/admin/jury")]
