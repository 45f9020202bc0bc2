"""Moving cases to a corrected version: chosen, previewed, and only then moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

import wording
from admin.kit.display import now
from admin.kit.fields import long_text
from admin.kit.lookup import by_id
from admin.kit.page import RedressPage, attempt, version_of
from models import Complaint, PolicyVersion
from services.cases import desk, journal, moving
from services.company import actors
from services.regulation import policies
from wording import reasons


class MovingReasonForm(FlaskForm):
    """Why the cases are moved."""

    class Meta:
        csrf = False  # the page carries the token

    reason = long_text(lazy_gettext("Reason"))


@dataclass(frozen=True)
class CasePreview:
    """A case with what would change, in words; `refusal` where it cannot be moved."""

    complaint: Complaint
    effects: tuple[str, ...]
    refusal: str


class MovingPage(RedressPage):
    """The open cases of a regulation under its other versions."""

    within = "policy"

    @expose("/")
    def index(self) -> Response:
        return redirect(self.get_url("policy.index"))

    @expose("/<int:version_id>", methods=("GET", "POST"))
    def one(self, version_id: int) -> str | Response:
        to = by_id(self.session, PolicyVersion, version_id)
        if to is None or to.status != "published":
            abort(404)
        found = moving.candidates(self.session, to)
        chosen = self._chosen(found)
        form = MovingReasonForm()
        shown: list[CasePreview] = []
        if request.method == "POST" and not chosen:
            flash(gettext("Choose at least one case."), "error")
        elif request.method == "POST" and request.form.get("do") == "move" and form.validate():
            if self._moved(chosen, to, str(form.reason.data)):
                return redirect(self.get_url(".one", version_id=to.id))
            found = moving.candidates(self.session, to)
            chosen = self._chosen(found)
        if chosen:
            shown = self._previewed(chosen, to)
        return self.render(
            "regulation/moving.html", version=to, found=found, form=form, shown=shown,
            chosen={one.number for one in chosen}, most=moving.MOST_AT_ONCE,
        )  # fmt: skip

    def _chosen(self, found: Sequence[Complaint]) -> list[Complaint]:
        numbers = set(request.form.getlist("number"))
        return [one for one in found if one.number in numbers]

    def _previewed(self, chosen: Sequence[Complaint], to: PolicyVersion) -> list[CasePreview]:
        pack = policies.pack(self.session, to)
        previews = moving.preview(self.session, chosen, to, now=now())
        effects = [effect for one in previews for effect in one.effects]
        known = desk.employees_in(self.session, effects)
        return [
            CasePreview(
                one.complaint,
                tuple(reasons.effect_text(effect, pack, known) for effect in one.effects),
                wording.error(one.refusal) if one.refusal else "",
            )
            for one in previews
        ]

    def _moved(self, chosen: Sequence[Complaint], to: PolicyVersion, reason: str) -> bool:
        """Move the cases that fit, all or none; a case that changed since is looked at anew."""
        said: dict[str, Any] = {"reason": reason, "actor": actors.of_user(current_user.user)}
        with attempt(self.session) as tried:
            for one in chosen:
                seen = version_of(request.form.get(f"seen-{one.number}"))
                complaint = journal.lock_case(self.session, one.number, seen=seen)
                moving.move(self.session, complaint, to, **said, now=now())
        if tried.done:
            flash(gettext("%(count)s cases were moved.", count=len(chosen)), "success")
        return tried.done


def views(db: Any) -> list[RedressPage]:
    """The page of a move."""
    return [MovingPage(db, name=lazy_gettext("Move cases"), endpoint="moving")]
