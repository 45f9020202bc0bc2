"""The forms of the jury: appealing, appointing it, voting, putting its ruling on record."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms.validators import InputRequired

from admin.cases.deed_forms import DeedForm
from admin.kit.display import now
from admin.kit.fields import LookupField, PeopleField, YesNoField, long_text
from policy.engine import jury as jury_rules
from policy.pack.schema import Pack
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import Status
from services.cases import jury
from services.cases.desk import CasePage
from services.company import people

_ENDED = frozenset({Status.closed, Status.archived, Status.withdrawn})


class _AboutAVote(DeedForm):
    def said(self) -> dict[str, Any]:
        return super().said() | {"vote": self.entry.key}


class AppealedForm(_AboutAVote):
    employee = LookupField(
        lazy_gettext("Who appeals"),
        what="employee",
        allow_blank=True,
        description=lazy_gettext("Left empty the department appeals."),
    )
    text = long_text(lazy_gettext("Why"))


class ConvenedForm(_AboutAVote):
    """Who holds the posts of the jury today sits on it; who is concerned is named as kept out."""

    more = PeopleField(lazy_gettext("Further members"))
    text = long_text(lazy_gettext("Note"), needed=False)

    def look_up(self, session: Session, page: CasePage) -> None:
        seats = jury.roster(session, page.complaint, self.entry.key, now=now())
        out = jury_rules.excluded_members(self.entry, page.facts, page.pack)
        sits = _names(session, [who for who in seats if who not in out])
        self.lead = gettext("Sits on it: %(names)s.", names=sits)
        if recused := [who for who in seats if who in out]:
            kept_out = _names(session, recused)
            self.lead += " " + gettext("Concerned, so kept out: %(names)s.", names=kept_out)


def _names(session: Session, numbers: list[str]) -> str:
    found = (people.find_employee(session, who) or who for who in numbers)
    return "、".join(str(who) for who in found) or "—"


class VotedForm(_AboutAVote):
    agrees = YesNoField(lazy_gettext("Vote"), [InputRequired()])
    reason = long_text(lazy_gettext("Reason"))


class RuledForm(_AboutAVote):
    minutes = long_text(lazy_gettext("Minutes"))

    def prepare(self, pack: Pack, facts: CaseFacts) -> None:
        seated = facts.last_entry("vote", self.entry.key)
        if seated is not None:
            cast = jury_rules.ballots(facts, self.entry.key)
            self.lead = gettext(
                "%(cast)s of %(members)s votes are given, %(yes)s for it.",
                cast=len(cast),
                members=len(seated.data["members"]),
                yes=sum(bool(one.data["agrees"]) for one in cast),
            )


FORMS: dict[str, type[DeedForm]] = {
    "appealed": AppealedForm,
    "convened": ConvenedForm,
    "voted": VotedForm,
    "ruled": RuledForm,
}
"""The forms of these deeds, by the names of their events."""


def fits(name: str, entry: Any, facts: CaseFacts, *, employee: str | None) -> bool:
    """Whether a deed of the jury makes sense for a question now, for this visitor."""
    open_ = jury_rules.vote_state(facts, entry.key) == "open"
    match name:
        case "appealed":
            return bool(entry.about == "appeal")
        case "convened":
            waits = facts.times_entered("appeal", entry.key) > facts.times_entered(
                "ruling", entry.key
            )
            asked = waits if entry.about == "appeal" else facts.status not in _ENDED
            return asked and not open_
        case "voted":
            return open_ and _may_vote(entry, facts, employee)
        case _:
            return open_


def _may_vote(entry: Any, facts: CaseFacts, employee: str | None) -> bool:
    seated = facts.last_entry("vote", entry.key)
    voted = {ballot.employee for ballot in jury_rules.ballots(facts, entry.key)}
    return seated is not None and employee in seated.data["members"] and employee not in voted
