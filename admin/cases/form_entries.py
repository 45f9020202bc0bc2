"""What the page of a case shows of its papers: what is asked for, how far it is, what was filed.

Everything is read from the regulation and the case; a section the regulation does not have, or
that does not apply to the case, is not there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from admin.cases.deeds import PageDeed
from admin.kit.display import now
from models import PolicyVersion
from policy.engine import jury
from policy.engine.conditions import holds
from policy.engine.forms import applicable_entries, next_approver
from policy.pack.schema import Pack
from policy.vocabulary.facts import MARKS, CaseFacts, FormEntryFacts
from services.calendar import working_calendar
from services.cases import attachments
from services.cases.desk import CasePage
from services.regulation import company_texts
from wording import form_text
from wording.rule_choices import labels_of
from wording.rule_text import RuleText

Offers = Mapping[str, PageDeed]


@dataclass(frozen=True)
class ApprovalStep:
    """A step of an approval or a ladder: done, refused, whose turn it is, or still to come."""

    post: str
    state: str
    filed: FormEntryFacts | None = None


@dataclass(frozen=True)
class AppliedEntry:
    """An entry of the regulation that applies to the case, and what was filed under it."""

    entry: Any
    filed: tuple[FormEntryFacts, ...] = ()
    steps: tuple[ApprovalStep, ...] = ()
    standing: str = ""
    offers: tuple[PageDeed, ...] = ()
    items: tuple[Any, ...] = ()

    @property
    def last(self) -> FormEntryFacts | None:
        return self.filed[-1] if self.filed else None


@dataclass(frozen=True)
class EntryLine:
    """One thing filed, for the list of all of them; `paper` is the id of its picture."""

    at: dt.datetime
    who: Any
    said: form_text.EntryText
    paper: int | None


@dataclass(frozen=True)
class CaseEntries:
    """All papers of a case, section by section, and everything filed in its order."""

    forms: tuple[AppliedEntry, ...]
    checklists: tuple[AppliedEntry, ...]
    chains: tuple[AppliedEntry, ...]
    reports: tuple[AppliedEntry, ...]
    ladders: tuple[AppliedEntry, ...]
    juries: tuple[AppliedEntry, ...]
    filed: tuple[EntryLine, ...]

    @property
    def any(self) -> bool:
        """Whether the regulation asks this case for any paper."""
        sections = (self.forms, self.checklists, self.chains, self.reports, self.ladders)
        return any(sections) or bool(self.juries)


def of_case(session: Session, page: CasePage, possible: Offers) -> CaseEntries:
    """The papers of a case, each with the deed that may be done about it now."""
    facts, pack = page.facts, page.pack

    def asked(section: str) -> Iterator[AppliedEntry]:
        for entry in applicable_entries(facts, section, pack):
            found = _asked(section, entry, page, possible=possible)
            if not getattr(entry, "alone", False) and (found.filed or not facts.history):
                yield found

    return CaseEntries(
        forms=tuple(asked("form")),
        checklists=tuple(asked("checklist")),
        chains=tuple(asked("chain")),
        reports=tuple(asked("report_out")),
        ladders=tuple(asked("ladder")),
        juries=tuple(asked("vote")),
        filed=tuple(_lines(session, page)),
    )


_DEEDS = {
    "form": ("filled",),
    "checklist": ("checked",),
    "chain": ("endorsed",),
    "report_out": ("reported",),
    "ladder": ("escalated",),
    "vote": ("appealed", "convened", "voted", "ruled"),
}


def _asked(section: str, entry: Any, page: CasePage, *, possible: Offers) -> AppliedEntry:
    facts = page.facts
    found = tuple(f for f in facts.entries if (f.section, f.key) == (section, entry.key))
    mine = tuple(
        one for one in possible.values() if one.name in _DEEDS[section] and one.entry is entry
    )
    steps: tuple[ApprovalStep, ...] = ()
    standing = ""
    if section == "chain":
        steps, standing = _chain(facts, entry, page), _standing_of_chain(facts, entry)
    if section == "ladder":
        steps = _ladder(found, entry, page)
    if section == "vote":
        steps, standing = _jury(facts, entry, page), jury.vote_state(facts, entry.key) or ""
    return AppliedEntry(entry, found, steps, standing, mine, getattr(entry, "items", ()))


def _standing_of_chain(facts: CaseFacts, entry: Any) -> str:
    last = facts.last_entry("chain", entry.key)
    return str(last.data["standing"]) if last else ""


def _chain(facts: CaseFacts, entry: Any, page: CasePage) -> tuple[ApprovalStep, ...]:
    """The posts of an approval in their order; after a refusal it begins anew."""
    turn = next_approver(facts, entry, page.pack)
    given = _approvals_that_count(facts, entry.key)
    refused = next((i for i, f in reversed(list(enumerate(given))) if not f.data["agrees"]), -1)
    standing = {f.data["post"]: f for f in given[refused + 1 :]}
    if refused >= 0 and not standing:
        standing = {given[refused].data["post"]: given[refused]}
    return tuple(
        ApprovalStep(
            form_text.post_label(post, page.pack), _state(post, turn, standing), standing.get(post)
        )
        for post in entry.steps
    )


def _approvals_that_count(facts: CaseFacts, key: str) -> list[FormEntryFacts]:
    """The steps of an approval since a paper that it is of was last filled anew."""
    of_chain = [f for f in facts.entries if f.key == key and f.section.endswith("chain")]
    marks = [place for place, f in enumerate(of_chain) if f.section != "chain"]
    return of_chain[marks[-1] + 1 :] if marks else of_chain


def _state(post: str, turn: str | None, given: Mapping[str, FormEntryFacts]) -> str:
    if post in given and not given[post].data["agrees"]:
        return "refused"
    if post in given:
        return "done"
    return "turn" if post == turn else "later"


def _ladder(
    found: tuple[FormEntryFacts, ...], entry: Any, page: CasePage
) -> tuple[ApprovalStep, ...]:
    return tuple(
        ApprovalStep(
            form_text.post_label(post, page.pack),
            "done" if place < len(found) else "later",
            found[place] if place < len(found) else None,
        )
        for place, post in enumerate(entry.steps)
    )


def _jury(facts: CaseFacts, entry: Any, page: CasePage) -> tuple[ApprovalStep, ...]:
    """The members of the last jury, with their votes; who was kept out is among them."""
    seated = facts.last_entry("vote", entry.key)
    if seated is None:
        return ()
    cast = {ballot.employee: ballot for ballot in jury.ballots(facts, entry.key)}
    people = page.people
    sits = [
        ApprovalStep(str(people.get(who, who)), _vote(cast.get(who)), cast.get(who))
        for who in seated.data["members"]
    ]
    out = [ApprovalStep(str(people.get(who, who)), "recused") for who in seated.data["recused"]]
    return (*sits, *out)


def _vote(ballot: FormEntryFacts | None) -> str:
    if ballot is None:
        return "turn"
    return "done" if ballot.data["agrees"] else "refused"


def _lines(session: Session, page: CasePage) -> Iterator[EntryLine]:
    pictures = {one.checksum: one.id for one in attachments.of_case(session, page.complaint)}
    for one in (one for one in page.facts.entries if one.section not in MARKS):
        who = page.people.get(one.employee or "")
        said = form_text.entry_text(one, page.pack, page.people)
        yield EntryLine(one.at, who, said, pictures.get(str(one.data.get("paper"))))


@dataclass(frozen=True)
class Script:
    """What to say on the phone; `when` are the words of its condition, where nobody knows yet
    whether it holds.
    """

    label: str
    cite: str
    text: str
    when: str = ""


def scripts(session: Session, page: CasePage) -> dict[str, list[Script]]:
    """What to say on the phone about a case, by the event it belongs to."""
    found: dict[str, list[Script]] = {}
    own = _own_words(session, page.complaint.policy_version, page.pack)
    for entry in page.pack.script:
        if holds(entry.applies, page.facts):
            one = Script(entry.label, entry.cite, own.get(entry.key, entry.text))
            found.setdefault(entry.event, []).append(one)
    return found


def scripts_of_intake(session: Session, version: PolicyVersion, pack: Pack) -> list[Script]:
    """What to say to a customer who calls, while there is no case yet."""
    meant = [entry for entry in pack.script if entry.event == "registered"]
    own = _own_words(session, version, pack)
    labels = labels_of(pack.model_dump()) if any(entry.applies for entry in meant) else {}
    rule_text = RuleText(labels)
    return [
        Script(
            entry.label,
            entry.cite,
            own.get(entry.key, entry.text),
            rule_text.value("applies", [row.model_dump(mode="json") for row in entry.applies]),
        )
        for entry in meant
    ]


def _own_words(session: Session, version: PolicyVersion, pack: Pack) -> Mapping[str, str]:
    """The company's own words of the day, by script; they come before the regulation's."""
    if not pack.script:
        return {}
    return company_texts.texts_on(
        session,
        policy_id=version.policy_id,
        section=company_texts.SCRIPT,
        on=working_calendar.work_calendar(session).local(now()).date(),
    )
