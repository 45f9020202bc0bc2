"""The jury: its members, who is excluded, and the result of the votes.

unanimous: every appointed member votes yes. majority: more than half of the appointed members vote
yes. A member who did not vote did not agree.
"""

from __future__ import annotations

from policy.engine import penalties
from policy.engine.forms import add_entry, entry_asked_for
from policy.engine.own_cause import people_involved
from policy.engine.rules import Rules
from policy.engine.sanctions import penalty_steps
from policy.engine.terms import deadlines
from policy.pack.forms_and_reports import VoteEntry
from policy.pack.schema import Pack
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    AppealTooLate,
    ChoiceUnknown,
    FieldMissing,
    NotAMember,
    SelfForbidden,
    StatusForbids,
    TooManyMembers,
    VoteOpen,
)
from policy.vocabulary.events import Appealed, Convened, Event, Ruled, Voted
from policy.vocabulary.facts import CaseFacts, FormEntryFacts, replace
from policy.vocabulary.status import ClosingGround, Responsibility, Sign, Status

_BEFORE_CLOSING = frozenset(
    {Status.dispatched, Status.returned, Status.replied, Status.raised, Status.intervened}
    | {Status.confirmed, Status.disputed, Status.accepted}
)


def appeal(facts: CaseFacts, event: Appealed, rules: Rules) -> CaseFacts:
    """Open an appeal; penalties it is about are not paid meanwhile.

    It is about the penalties whose appeal term still runs. Raises AppealTooLate once the term of
    every penalty of the appellant has ended.
    """
    entry = _question(facts, event.vote, rules.pack, about="appeal")
    if vote_state(facts, entry.key) == "open":
        raise StatusForbids(deed=event.type, status=facts.status)
    _in_time(facts, event, entry)
    facts = penalty_steps.suspend(facts, event.employee, at=event.at)
    said = {"employee": event.employee, "text": event.text}
    return add_entry(facts, event, "appeal", key=entry.key, data=said)


def _in_time(facts: CaseFacts, event: Appealed, entry: VoteEntry) -> None:
    mine = [
        c
        for c in facts.penalties
        if event.employee in (None, c.employee) and c.sign is Sign.charge and c.stands
    ]
    if mine and not any(penalty_steps.is_appealed(c, event.employee, event.at) for c in mine):
        raise AppealTooLate(ended_at=max(c.counts_at for c in mine if c.counts_at), cite=entry.cite)


def convene(facts: CaseFacts, event: Convened, rules: Rules) -> CaseFacts:
    """Appoint a jury; members concerned by the question are excluded and recorded as such."""
    entry = _question(facts, event.vote, rules.pack)
    if entry.about == "appeal" and not _appeal_is_open(facts, entry.key):
        raise StatusForbids(deed=event.type, status=facts.status)
    if entry.about == "unclosable" and facts.status not in _BEFORE_CLOSING:
        raise StatusForbids(deed=event.type, status=facts.status)
    if vote_state(facts, entry.key) == "open":
        raise StatusForbids(deed=event.type, status=facts.status)
    out = excluded_members(entry, facts, rules.pack)
    members = [who for who in dict.fromkeys(event.members) if who not in out]
    recused = [who for who in dict.fromkeys(event.members) if who in out]
    if not members:
        raise FieldMissing(field="members")
    _check_seats(entry, event, members, pack=rules.pack)
    return add_entry(
        facts, event, "vote", key=entry.key, data={"members": members, "recused": recused}
    )


def _check_seats(entry: VoteEntry, event: Convened, members: list[str], *, pack: Pack) -> None:
    """Refuse too many further members beside the holders of the posts.

    Where the regulation says no number, they are fewer than the holders who sit.
    """
    if not event.seated or not pack.policy.judges(Judging.own_cause):
        return
    sits = [who for who in members if who in event.seated]
    most = entry.further if entry.further is not None else max(len(sits) - 1, 0)
    if len(members) - len(sits) > most:
        raise TooManyMembers(most=most, cite=entry.cite)


def excluded_members(entry: VoteEntry, facts: CaseFacts, pack: Pack) -> set[str]:
    """Return the employees excluded from a question: no person judges their own case.

    Of whom a penalty is, a finding is too.
    """
    if pack.policy.judges(Judging.own_cause):
        ways = {*entry.never, *(["bearer"] if "concerned" in entry.never else [])}
        return people_involved(facts, ways, Convened.model_construct(vote=entry.key))
    out: set[str | None] = set(people_involved(facts, set(entry.never) - {"appellant"}))
    if "concerned" in entry.never:
        out |= {c.employee for c in facts.penalties if c.because.get("event") == "judged"}
    if "appellant" in entry.never and (last := facts.last_entry("appeal", entry.key)):
        out.add(last.data["employee"])
    return {who for who in out if who}


def vote(facts: CaseFacts, event: Voted, rules: Rules) -> CaseFacts:
    """Record a member's vote. Raises NotAMember, SelfForbidden; a second vote is refused."""
    jury = _open_jury(facts, event.vote, event, pack=rules.pack)
    who = event.by.employee or ""
    if who in jury.data["recused"]:
        raise SelfForbidden(deed=event.type, cite=rules.pack.find("vote", event.vote).cite)
    if who not in jury.data["members"]:
        raise NotAMember(deed=event.type)
    if any(ballot.employee == who for ballot in ballots(facts, event.vote)):
        raise StatusForbids(deed=event.type, status=facts.status)
    said = {"agrees": event.agrees, "reason": event.reason}
    return add_entry(facts, event, "ballot", key=event.vote, data=said)


def rule(facts: CaseFacts, event: Ruled, rules: Rules) -> CaseFacts:
    """Record the result of the votes.

    Raises VoteOpen while a missing vote could change it; once the term for voting is over, silence
    is a no.
    """
    jury = _open_jury(facts, event.vote, event, pack=rules.pack)
    entry: VoteEntry = rules.pack.find("vote", event.vote)
    cast = ballots(facts, event.vote)
    agreed = vote_outcome(entry, len(jury.data["members"]), cast)
    if agreed is None and _voting_is_over(entry, jury, event, rules=rules):
        agreed = False
    if agreed is None:
        voted = {ballot.employee for ballot in cast}
        missing = [who for who in jury.data["members"] if who not in voted]
        raise VoteOpen(missing=missing, cite=entry.cite)
    said = {
        "standing": "agreed" if agreed else "refused",
        "yes": sum(bool(ballot.data["agrees"]) for ballot in cast),
        "of": len(jury.data["members"]),
        "minutes": event.minutes,
    }
    facts = add_entry(facts, event, "ruling", key=entry.key, data=said)
    if entry.about == "appeal":
        return _apply_appeal_ruling(facts, event, agreed=agreed, rules=rules)
    return _make_unclosable(facts, event, rules) if agreed else facts


def vote_outcome(entry: VoteEntry, members: int, cast: list[FormEntryFacts]) -> bool | None:
    """Return True for yes, False for no, None while missing votes could change the result."""
    yes = sum(bool(ballot.data["agrees"]) for ballot in cast)
    no = len(cast) - yes
    if entry.rule == "unanimous":
        return False if no else (True if yes == members else None)
    if 2 * yes > members:
        return True
    return False if 2 * (members - no) <= members else None


def _voting_is_over(entry: VoteEntry, jury: FormEntryFacts, event: Ruled, *, rules: Rules) -> bool:
    """Whether the term for voting is over: that of the question, or else that for an appeal."""
    term = entry.within
    if term is None and rules.pack.policy.judges(Judging.own_cause):
        term = rules.pack.policy.appeal_term
    return term is not None and event.at > term.end(jury.at, rules.calendar).at


def ballots(facts: CaseFacts, key: str) -> list[FormEntryFacts]:
    """Return the votes given since the jury of a question was last appointed."""
    since = 0
    for place, form_entry in enumerate(facts.entries):
        if (form_entry.section, form_entry.key) == ("vote", key):
            since = place
    return [f for f in facts.entries[since:] if (f.section, f.key) == ("ballot", key)]


def vote_state(facts: CaseFacts, key: str) -> str | None:
    """Return open, agreed or refused; None if no jury was appointed."""
    for form_entry in reversed(facts.entries):
        if form_entry.key == key and form_entry.section == "ruling":
            return str(form_entry.data["standing"])
        if form_entry.key == key and form_entry.section == "vote":
            return "open"
    return None


def _question(facts: CaseFacts, key: str, pack: Pack, *, about: str | None = None) -> VoteEntry:
    entry: VoteEntry = entry_asked_for(facts, "vote", key, pack=pack, field="vote")
    if about and entry.about != about:
        raise ChoiceUnknown(field="vote", value=key)
    return entry


def _open_jury(facts: CaseFacts, key: str, event: Event, *, pack: Pack) -> FormEntryFacts:
    _question(facts, key, pack)
    jury = facts.last_entry("vote", key)
    if jury is None or vote_state(facts, key) != "open":
        raise StatusForbids(deed=event.type, status=facts.status)
    return jury


def _appeal_is_open(facts: CaseFacts, key: str) -> bool:
    """Whether an appeal waits for its ruling."""
    appeals = facts.times_entered("appeal", key)
    return appeals > facts.times_entered("ruling", key)


def _make_unclosable(facts: CaseFacts, event: Ruled, rules: Rules) -> CaseFacts:
    """Let a case whose demand cannot be met be signed off; no answer is owed any more."""
    facts = deadlines.meet_answered(facts, at=event.at, pack=rules.pack, now=rules.now)
    return replace(facts, status=Status.accepted, closing_ground=ClosingGround.unclosable)


def _apply_appeal_ruling(
    facts: CaseFacts, event: Ruled, *, agreed: bool, rules: Rules
) -> CaseFacts:
    """Void the penalties of a won appeal, and its finding once that is about no one else."""
    last = facts.last_entry("appeal", event.vote)
    assert last is not None
    appellant: str | None = last.data["employee"]
    if not agreed:
        return penalty_steps.resume(facts, appellant, at=event.at, rules=rules, since=last.at)
    strikes = _frees_everybody(facts, appellant)
    left = tuple(who for who in facts.concerned if appellant not in (None, who))
    facts = penalty_steps.void_appealed(
        replace(facts, concerned=left), appellant, appealed_at=last.at, at=event.at, rules=rules
    )
    return _strike_finding(facts, event, rules) if strikes else facts


def _frees_everybody(facts: CaseFacts, appellant: str | None) -> bool:
    """Whether a won appeal leaves no person whom the finding is about (SKD-4.1.3).

    A department always appeals against the finding. An employee does who bears it, or who has
    nothing else to appeal against. Where the check named no employee, a penalty found by a person
    says whom the finding is about; a penalty for a breach does not.
    """
    if appellant is None:
        return True
    charged = [c for c in facts.penalties if c.sign is Sign.charge and c.stands]
    to_blame = set(facts.concerned or _people_found_against(facts))
    if to_blame:
        return to_blame == {appellant}
    return all(c.employee != appellant for c in charged)


def _people_found_against(facts: CaseFacts) -> list[str]:
    """Return the employees with a penalty found by a person that stands; surcharges left out."""
    standing = [c for c in facts.penalties if c.stands]
    given_back = {c.identity[:3] for c in standing if c.sign is Sign.reversal}
    return [
        c.employee
        for c in standing
        if c.sign is Sign.charge and c.because.get("event") == "judged"
        if "on" not in c.because and c.identity[:3] not in given_back
    ]


def _strike_finding(facts: CaseFacts, event: Ruled, rules: Rules) -> CaseFacts:
    """Take the case out of every count, and take back the penalties of its finding for good."""
    found = Responsibility.not_responsible
    facts = replace(facts, responsibility=found, valid=False, struck=True)
    fallen = penalties.take_back_unfounded(facts, pack=rules.pack, at=event.at)
    if not rules.pack.policy.judges(Judging.stands_or_falls):
        return fallen
    return penalty_steps.give_back_at_once(fallen, facts, at=event.at)
