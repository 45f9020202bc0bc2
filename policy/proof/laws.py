"""Laws of the law: what must hold under every regulation, whatever its rules say.

A regulation's own sentences are proven by its cases. These laws lie between them: they hold when
rules meet, facts change and people act in their own cause. A regulation that means otherwise says
so by a word of its schema (`extension.top`, `per = "time"` ...), and the law looks at that word.

Each law is a function with its sentence as docstring. One about a step of a case's life gets the
step and the pack, one about the pack alone gets the pack and a calendar; both yield what they are
about: the key of a rule or a person's number. Nothing is yielded where the law holds.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from policy.engine import jury, report_periods
from policy.engine.conditions import field_value, holds
from policy.engine.folding import JournalEntry
from policy.engine.rules import Rules, calendar_judged, rules_of
from policy.engine.sanctions import grounds, penalty_steps
from policy.engine.severity import classify, severity_rank
from policy.pack.schema import Pack
from policy.pack.shapes import Quantity
from policy.proof.contradictions import Finding
from policy.proof.random_play import RandomPlay, Step, replayed
from policy.proof.sample_events import cast_of_pack
from policy.proof.written_case import case_text
from policy.vocabulary.errors import DomainError, VoteOpen
from policy.vocabulary.events import CalledBack, Classified, Convened, Corrected, Judged, Ruled
from policy.vocabulary.facts import CaseFacts, DeadlineFacts, PenaltyFacts, replace
from policy.vocabulary.status import (
    CallOutcome,
    CallPurpose,
    ClosingGround,
    DeadlineState,
    PenaltyStatus,
    Sign,
    Status,
)
from policy.vocabulary.worktime import Unit, WorkCalendar

CHAPTERS = ("time", "sanctions", "own_cause", "rounds", "by_hand", "customer", "owed")
AMENDING = frozenset({"corrected", "withdrawn", "moved", "imported", "taken_over"})
"""Events after which the past is judged anew: they may find what nobody had known."""

OfStep = Callable[[Step, Pack], Iterator[str]]
OfPack = Callable[[Pack, WorkCalendar], Iterator[str]]


@dataclass(frozen=True)
class Law:
    """A law: its chapter, its sentence, and what finds where it does not hold."""

    key: str
    chapter: str
    sentence: str
    broken: Callable[..., Iterator[str]]


STEP_LAWS: dict[str, Law] = {}
PACK_LAWS: dict[str, Law] = {}


def _law(
    chapter: str, laws: dict[str, Law], broken: Callable[..., Iterator[str]]
) -> Callable[..., Iterator[str]]:
    sentence = (broken.__doc__ or "").partition("\n")[0].strip()
    key = broken.__name__.removeprefix("_")
    laws[key] = Law(key, chapter, sentence, broken)
    return broken


def _of_step(chapter: str) -> Callable[[OfStep], OfStep]:
    return partial(_law, chapter, STEP_LAWS)


def _of_pack(chapter: str) -> Callable[[OfPack], OfPack]:
    return partial(_law, chapter, PACK_LAWS)


# ---------------------------------------------------------------- time


def _starts(calendar: WorkCalendar) -> Iterator[dt.datetime]:
    """Yield instants of every sort of day in order: rest days, holidays, make-up days, evenings."""
    for first, days in (((2026, 2, 11), 20), ((2026, 4, 30), 12), ((2026, 9, 24), 20)):
        begin = calendar.instant(dt.date(*first), dt.time(1, 30))
        yield from (begin + n * dt.timedelta(hours=5, minutes=10) for n in range(days * 4))


def _terms(pack: Pack) -> Iterator[tuple[str, Quantity]]:
    for deadline in pack.deadline:
        if deadline.within:
            yield deadline.key, deadline.within
    yield from ((extension.key, extension.in_all) for extension in pack.extension)
    yield pack.policy.key, pack.policy.appeal_term


def _end(term: Quantity, start: dt.datetime, calendar: WorkCalendar) -> dt.datetime:
    return term.end(start, calendar).at


@_of_pack("time")
def a_later_start_ends_no_earlier(pack: Pack, calendar: WorkCalendar) -> Iterator[str]:
    """What begins later ends no earlier."""
    starts = list(_starts(calendar))
    for key, term in _terms(pack):
        ends = [_end(term, start, calendar) for start in starts]
        if any(one > other for one, other in itertools.pairwise(ends)):
            yield key


@_of_pack("time")
def working_days_are_whole(pack: Pack, calendar: WorkCalendar) -> Iterator[str]:
    """A term of working days leaves as many whole working days as it says."""
    for key, term in _terms(pack):
        if term.unit is not Unit.working_day:
            continue
        day = calendar.working_minutes_between(
            *calendar.span(dt.date(2026, 3, 2), dt.date(2026, 3, 2))
        )
        ends = ((start, _end(term, start, calendar)) for start in _starts(calendar))
        if any(calendar.working_minutes_between(*s) < term.amount * day for s in ends):
            yield key


@_of_step("time")
def nobody_is_late_unknowingly(step: Step, pack: Pack) -> Iterator[str]:
    """Nobody is late for a time in which they had another term or could not know of one.

    What was received is known to whoever received it, although they registered it later.
    """
    for deadline, breached_at in _new_breaches(step):
        was = _same(step.before, deadline)
        if was is not None and _known_since(deadline, was, breached_at) > breached_at:
            yield deadline.key
    for deadline in step.after.deadlines:
        begun_before = _same(step.before, deadline) is None and deadline.starts_at < step.seen_at
        begun_before = begun_before and step.event.type != "registered"
        if pack.find("deadline", deadline.key).ends != "breach":
            continue
        over = deadline.due_at is not None and deadline.due_at <= step.event.at
        if begun_before and over and (deadline.running or deadline.breached):
            yield deadline.key


def _known_since(deadline: DeadlineFacts, was: DeadlineFacts, end: dt.datetime) -> dt.datetime:
    """Return since when the deadline was known to end at `end`.

    One that was over before the hand-over begins anew with it, and was known as it `was`.
    """
    return next((r.at for r in deadline.revisions if r.due_after == end), was.starts_at)


def _new_breaches(step: Step) -> Iterator[tuple[DeadlineFacts, dt.datetime]]:
    for deadline in step.after.deadlines:
        was = _same(step.before, deadline)
        known = {breach.breached_at for breach in was.breaches} if was else set()
        for breach in deadline.breaches:
            if breach.breached_at not in known and breach.lifted_at is None:
                yield deadline, breach.breached_at


def _same(facts: CaseFacts, deadline: DeadlineFacts) -> DeadlineFacts | None:
    place = (deadline.key, deadline.round)
    return next((d for d in facts.deadlines if (d.key, d.round) == place), None)


def _newly_met(step: Step) -> Iterator[DeadlineFacts]:
    for deadline in step.after.deadlines:
        was = _same(step.before, deadline)
        if deadline.state is DeadlineState.met and (was is None or was.running):
            yield deadline


@_of_step("time")
def a_failed_call_meets_no_term(step: Step, pack: Pack) -> Iterator[str]:
    """A call that reached nobody meets no term until the attempts are used up."""
    call = step.event
    if not isinstance(call, CalledBack) or call.outcome is CallOutcome.answered:
        return
    if not _attempts_used_up(step.after, call.purpose, pack):
        met = (d for d in _newly_met(step) if d.met_at != d.due_at)  # not by time itself
        yield from (d.key for d in met if call.type in pack.find("deadline", d.key).met_by)


def _attempts_used_up(facts: CaseFacts, purpose: CallPurpose, pack: Pack) -> bool:
    failed = [
        call
        for call in facts.callbacks
        if (call.purpose, call.round) == (purpose, facts.round)
        and call.outcome is not CallOutcome.answered
    ]
    days = {call.at.date() for call in failed}
    entries = [entry for entry in pack.callback if entry.purpose == purpose.value]
    return all(len(failed) >= e.attempts and len(days) >= e.on_days - 1 for e in entries)


@_of_step("time")
def a_missed_target_is_not_met(step: Step, pack: Pack) -> Iterator[str]:
    """A target that passed is shown as passed."""
    for deadline in _newly_met(step):
        entry = pack.find("deadline", deadline.key)
        if entry.ends == "warning" and deadline.met_at == deadline.due_at != step.event.at:
            yield deadline.key


@_of_step("time")
def who_waits_for_a_decision_has_a_term(step: Step, pack: Pack) -> Iterator[str]:
    """A wish for time or passing a case up ends no term without another for who decides."""
    waiting = (Status.raised, Status.intervened)
    if step.after.status in waiting and step.before.status not in waiting:
        decisions = {"decided", "extension_granted", "extension_refused", "confirmed"}
        running = (d for d in step.after.deadlines if d.running and (d.due_at or d.review_at))
        if not any(decisions & set(pack.find("deadline", d.key).met_by) for d in running):
            yield step.after.status.value


@_of_step("time")
def no_term_goes_beyond_the_most(step: Step, pack: Pack) -> Iterator[str]:
    """No time is granted beyond what the text calls the most, by anybody."""
    if step.event.type not in ("extension_granted", "decided"):
        return
    for deadline in step.after.deadlines:
        was = _same(step.before, deadline)
        if was is None or deadline.due_at in (None, was.due_at):
            continue
        slot = pack.find("deadline", deadline.key).slot
        limits = [e for e in pack.extension if e.slot == slot and holds(e.applies, step.before)]
        if limits and not any(_reaches(e, deadline, step, pack=pack) for e in limits):
            yield deadline.key


def _reaches(entry: Any, deadline: DeadlineFacts, step: Step, *, pack: Pack) -> bool:
    calendar = calendar_judged(pack, step.calendar)
    latest = _end(entry.in_all, deadline.starts_at, calendar)
    if latest <= step.event.at:  # it is over: who decides so late gives it once more
        latest = _end(entry.in_all, step.event.at, calendar)
    return entry.top or (deadline.due_at or latest) <= latest


@_of_pack("time")
def a_report_is_due_after_its_period(pack: Pack, calendar: WorkCalendar) -> Iterator[str]:
    """A report is due after its period, never within it."""
    first, last = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
    for report in pack.report:
        for period in report_periods.begun_periods(report, first, last):
            ends = report_periods.days_of(report, period)[1]
            if report_periods.due_on(report, period, calendar) < ends:
                yield report.key
                break


# ---------------------------------------------------------------- sanctions


def _given_back(facts: CaseFacts) -> set[tuple[str, str, str]]:
    standing = (c for c in facts.penalties if c.sign is Sign.reversal and c.stands)
    return {c.identity[:3] for c in standing}


def effective_charges(facts: CaseFacts) -> list[PenaltyFacts]:
    """Return the charges that stand and are not given back."""
    back = _given_back(facts)
    charges = (c for c in facts.penalties if c.sign is Sign.charge and c.stands)
    return [c for c in charges if c.identity[:3] not in back]


@_of_step("sanctions")
def what_hangs_on_a_ground_falls_with_it(step: Step, pack: Pack) -> Iterator[str]:
    """A surcharge or joint liability stands only while its ground stands."""
    charges = effective_charges(step.after)
    for charge in charges:
        base = charge.because.get("on")
        if base and not any(_is_base(c, charge) for c in charges):
            yield charge.rule


def _is_base(charge: PenaltyFacts, dependant: PenaltyFacts) -> bool:
    if "bases" in dependant.because:
        return list(charge.identity[:3]) in dependant.because["bases"]
    return dependant.occasion == f"{charge.rule}/{charge.occasion}"


@_of_step("sanctions")
def what_hangs_on_an_appealed_ground_waits_with_it(step: Step, pack: Pack) -> Iterator[str]:
    """While a ground is appealed, what hangs on it belongs to no month either."""
    charges = effective_charges(step.after)
    for charge in charges:
        bases = [c for c in charges if _is_base(c, charge)]
        waiting = any(c.status is PenaltyStatus.notified and c.counts_at is None for c in bases)
        if waiting and charge.counts_at is not None:
            yield charge.rule


@_of_step("sanctions")
def grounds_that_exclude_each_other_do_not_stand_together(step: Step, pack: Pack) -> Iterator[str]:
    """Grounds of which one takes the other's place do not stand together."""
    charges = effective_charges(step.after)
    for one in charges:
        graver = pack.graver_penalties.get(one.rule, frozenset())
        for other in (c for c in charges if c.employee == one.employee):
            if other.rule in graver or grounds.excludes(one, other, pack):
                yield one.rule


@_of_step("sanctions")
def a_finding_says_whom_and_has_an_effect(step: Step, pack: Pack) -> Iterator[str]:
    """Who is named in a finding is meant, nobody else, and a finding without effect is refused."""
    if not isinstance(step.event, Judged):
        return
    found = [c for c in _new_rows(step) if c.rule == step.event.ground]
    named = {step.event.employee, *step.event.together} - {None}
    if not found or (named and not {c.employee for c in found} <= named):
        yield step.event.ground


def _new_rows(step: Step) -> list[PenaltyFacts]:
    stood = {c.identity for c in step.before.penalties if c.stands}
    return [c for c in step.after.penalties if c.stands and c.identity not in stood]


@_of_step("sanctions")
def shares_add_up(step: Step, pack: Pack) -> Iterator[str]:
    """The shares of a sum add up to it."""
    if not isinstance(step.event, Judged):
        return
    entry = pack.find("penalty", step.event.ground)
    if entry and entry.collective == "shared":
        found = [c for c in _new_rows(step) if c.rule == entry.key]
        whole = step.event.amount or entry.amount or Decimal(0)
        if found and sum(c.amount for c in found) != whole:
            yield entry.key


@_of_step("sanctions")
def nothing_is_paid_while_an_appeal_runs(step: Step, pack: Pack) -> Iterator[str]:
    """While an appeal runs, what it is about belongs to no month."""
    for vote in pack.vote:
        appeal = step.after.last_entry("appeal", vote.key)
        ruled = step.after.times_entered("ruling", vote.key)
        if appeal and step.after.times_entered("appeal", vote.key) > ruled:
            who = appeal.data["employee"]
            for charge in effective_charges(step.after):
                mine = charge.at <= appeal.at and penalty_steps.is_appealed(charge, who, appeal.at)
                if charge.counts_at and mine:
                    yield charge.rule


@_of_step("sanctions")
def a_ruling_is_final(step: Step, pack: Pack) -> Iterator[str]:
    """What a jury took away is taken out of every month and is not charged again by anybody."""
    before = {c.identity for c in effective_charges(step.before)}
    for penalty in step.after.penalties:
        voided = penalty.because.get("reason") == "appeal_won"
        if penalty.sign is not Sign.reversal or not voided:
            continue
        if penalty.status is PenaltyStatus.waived:
            yield penalty.rule
        charge = (*penalty.identity[:3], Sign.charge)
        standing = next((c for c in step.after.penalties if c.identity == charge), None)
        if charge in before and standing and standing.counts_at:
            yield penalty.rule


TWICE = dt.timedelta(minutes=1)


@_of_step("sanctions")
def one_finding_is_one_finding(step: Step, pack: Pack) -> Iterator[str]:
    """The same finding entered twice is one finding."""
    if not isinstance(step.event, Judged):
        return
    stood = {c.identity: c for c in effective_charges(step.before)}
    for row in _new_rows(step):
        for other in stood.values():
            same = (other.rule, other.employee) == (row.rule, row.employee)
            if same and row.at - other.at < TWICE and row.sign is other.sign:
                yield row.rule


# ---------------------------------------------------------------- own cause


IN_THE_MATTER = frozenset({"convened", "ruled", "verified", "called_back", "signed", "settled"})
ABOUT_A_PENALTY = frozenset({"penalty_confirmed", "penalty_waived", "penalty_reversed"})


def _blamed(facts: CaseFacts) -> set[str]:
    return set(facts.concerned)


def _bearers(facts: CaseFacts) -> set[str]:
    return {c.employee for c in effective_charges(facts)}


@_of_step("own_cause")
def nobody_acts_in_their_own_matter(step: Step, pack: Pack) -> Iterator[str]:
    """Nobody who is found at fault verifies, calls, signs, convenes or rules in that matter."""
    if step.event.type in IN_THE_MATTER and step.event.by.employee in _blamed(step.before):
        yield step.event.type


@_of_step("own_cause")
def nobody_decides_on_a_penalty_of_their_own(step: Step, pack: Pack) -> Iterator[str]:
    """Nobody confirms, waives or gives back what they bear, and nobody rewards themselves."""
    actor = step.event.by.employee
    if step.event.type in ABOUT_A_PENALTY and getattr(step.event, "employee", None) == actor:
        yield step.event.type
    rewarded = (c for c in _new_rows(step) if c.sign is Sign.reward)
    if isinstance(step.event, Judged) and any(c.employee == actor for c in rewarded):
        yield step.event.ground


@_of_step("own_cause")
def nobody_takes_a_penalty_of_their_own_away(step: Step, pack: Pack) -> Iterator[str]:
    """Nobody takes a penalty of their own away by finding or classifying anew."""
    if step.event.type not in ("classified", "verified", "upgraded"):
        return
    fallen = _bearers(step.before) - _bearers(step.after)
    if step.event.by.employee in fallen:
        yield step.event.type


@_of_step("own_cause")
def no_juror_has_a_part_in_the_matter(step: Step, pack: Pack) -> Iterator[str]:
    """Nobody votes who is found at fault, bears a penalty of the case or appeals."""
    if not isinstance(step.event, Convened):
        return
    entry = pack.find("vote", step.event.vote)
    jury_now = step.after.last_entry("vote", step.event.vote)
    out = _blamed(step.before) | _bearers(step.before)
    appeal = step.before.last_entry("appeal", step.event.vote)
    out |= {appeal.data["employee"]} - {None} if appeal else set()
    if entry.about == "appeal" and jury_now:
        yield from sorted(out & set(jury_now.data["members"]))


@_of_step("own_cause")
def further_members_are_fewer(step: Step, pack: Pack) -> Iterator[str]:
    """Members beyond the posts that a regulation names cannot outnumber these."""
    if isinstance(step.event, Convened):
        jury_now = step.after.last_entry("vote", step.event.vote)
        entry = pack.find("vote", step.event.vote)
        if jury_now and len(jury_now.data["members"]) >= 2 * len(entry.members):
            yield entry.key


@_of_step("own_cause")
def a_jury_stays_once_somebody_voted(step: Step, pack: Pack) -> Iterator[str]:
    """The members of a jury are not corrected once one of them voted."""
    if not isinstance(step.event, Corrected) or "members" not in step.event.changes:
        return
    target = next((e.event for e in step.journal if e.seq == step.event.target), None)
    if not isinstance(target, Convened):
        return
    seated = step.before.last_entry("vote", target.vote)
    if seated and seated.at == target.at and jury.ballots(step.before, target.vote):
        yield target.vote


@_of_step("own_cause")
def every_vote_ends(step: Step, pack: Pack) -> Iterator[str]:
    """A vote can be ruled once its term is over, whoever did not vote."""
    for entry in pack.vote:
        seated = step.after.last_entry("vote", entry.key)
        if seated is None or jury.vote_state(step.after, entry.key) != "open":
            continue
        rules = rules_of(pack, step.calendar, now=step.now)
        term = entry.within or pack.policy.appeal_term
        if step.now > term.end(seated.at, rules.calendar).at and _is_stuck(step, entry.key, rules):
            yield entry.key


def _is_stuck(step: Step, key: str, rules: Rules) -> bool:
    ruled = Ruled(at=step.now, by=step.event.by, vote=key, minutes="-")
    try:
        jury.rule(step.after, ruled, rules)
    except VoteOpen:
        return True
    except DomainError:
        return False
    return False


# ---------------------------------------------------------------- rounds


@_of_step("rounds")
def an_approval_is_of_the_paper_as_it_stands(step: Step, pack: Pack) -> Iterator[str]:
    """What is rewritten after an approval is approved anew."""
    for chain in pack.chain:
        if not chain.of or field_value(f"chain.{chain.key}", step.after, None) != "approved":
            continue
        entries = step.after.entries
        approved = max(n for n, e in enumerate(entries) if e.section == "chain")
        papers = {path.removeprefix("form.") for path in chain.of}
        later = entries[approved + 1 :]
        if any(e.section == "form" and e.key in papers for e in later):
            yield chain.key


# ---------------------------------------------------------------- by hand


@_of_step("by_hand")
def facts_outweigh_a_choice_by_hand(step: Step, pack: Pack) -> Iterator[str]:
    """A grade chosen by hand is never lighter than the facts make it."""
    after = step.after
    if after.grade_chosen and not after.history and after.status is not Status.recorded:
        facts_say = classify(replace(after, grade_chosen=False), pack).grade
        if facts_say and severity_rank(after.grade, pack) > severity_rank(facts_say, pack):
            yield str(after.grade)


@_of_step("by_hand")
def who_lowers_says_why(step: Step, pack: Pack) -> Iterator[str]:
    """A grade is lowered only with a reason."""
    if not isinstance(step.event, Classified) or not step.event.grade or step.event.reason:
        return
    before, after = step.before.grade, step.after.grade
    if before and severity_rank(after, pack) > severity_rank(before, pack):
        yield str(after)


# ---------------------------------------------------------------- the customer


_UNREACHED = frozenset(
    {ClosingGround.unreachable, ClosingGround.refused, ClosingGround.wrong_number}
)


@_of_step("customer")
def who_was_not_reached_is_called_again(step: Step, pack: Pack) -> Iterator[str]:
    """No case ends by a call that reached nobody before the attempts are used up."""
    if not isinstance(step.event, CalledBack) or step.after.closing_ground not in _UNREACHED:
        return
    if step.before.closing_ground is step.after.closing_ground:
        return  # it was so before this call
    if not _attempts_used_up(step.after, step.event.purpose, pack):
        yield step.event.outcome.value


@_of_step("customer")
def nobody_signs_over_a_dissatisfied_customer(step: Step, pack: Pack) -> Iterator[str]:
    """A case is not closed as satisfactory while the customer's last word says otherwise."""
    if step.event.type != "signed" or step.after.closing_ground is not ClosingGround.satisfied:
        return
    answered = [c for c in step.after.callbacks if c.outcome is CallOutcome.answered]
    this_round = [c for c in answered if c.round == step.after.round]
    if this_round and this_round[-1].unhappy:
        yield step.event.type


# ---------------------------------------------------------------- owed


@_of_step("owed")
def what_is_overdue_has_a_person(step: Step, pack: Pack) -> Iterator[str]:
    """What is overdue has a person or a post that is told of it."""
    for deadline, _ in _new_breaches(step):
        entry = pack.find("deadline", deadline.key)
        told = (a for a in pack.alert if a.breach_of and a.breach_of in (entry.key, entry.slot))
        posts = {post.key for post in pack.post}
        if not (entry.binds or any(posts & set(alert.to) for alert in told)):
            yield deadline.key


@_of_step("owed")
def who_gets_a_case_owes_an_answer(step: Step, pack: Pack) -> Iterator[str]:
    """Whoever a case is handed to has a term for the answer.

    Where they did what they owed before the hand-over, nothing runs.
    """
    status, history = step.after.status, step.after.history
    if status is not Status.dispatched or step.before.status is status or history:
        return
    mine = [d for d in step.after.deadlines if d.round == step.after.round]
    kept = any(d.met_at is not None and d.met_at < step.event.at for d in mine)
    running = (pack.find("deadline", d.key).ends for d in mine if d.running)
    if not kept and not {"breach", "warning"} & set(running):
        yield str(step.after.grade or step.after.kind)


# ---------------------------------------------------------------- asked of a pack


@dataclass(frozen=True)
class Violation:
    """A law that does not hold: what it is about, and the journal that shows it."""

    law: Law
    about: str
    journal: tuple[JournalEntry, ...] = ()


def broken_by(step: Step, pack: Pack, without: Collection[str] = ()) -> Iterator[tuple[Law, str]]:
    """Yield the laws a step breaks and what about; those named in `without` are not asked."""
    amends = step.event.type in AMENDING
    for law in STEP_LAWS.values():
        if law.key not in without and not (amends and law.chapter == "time"):
            yield from ((law, about) for about in law.broken(step, pack))


def violations(
    pack: Pack,
    calendar: WorkCalendar,
    *,
    seed: int,
    events: int,
    without: Collection[str] = (),
) -> Iterator[Violation]:
    """Yield one violation for each law and rule: of the pack, and of random lives under it."""
    judged = calendar_judged(pack, calendar)
    for law in PACK_LAWS.values():
        if law.key not in without:
            yield from (Violation(law, about) for about in law.broken(pack, judged))
    seen: set[tuple[str, str]] = set()
    for step in RandomPlay(pack, calendar, seed).steps(events):
        for law, about in broken_by(step, pack, without):
            if (law.key, about) not in seen:
                seen.add((law.key, about))
                yield Violation(law, about, step.journal)


LIVES_OF_A_DRAFT, SEED_OF_A_DRAFT = 4_000, 1
"""How many events of random lives a draft is asked by, and their seed."""


def law_findings(pack: Pack, calendar: WorkCalendar) -> Iterator[Finding]:
    """Yield what a draft does against the laws, each with the shortest case that shows it.

    It forbids nothing: a company may mean it.
    """
    people = cast_of_pack(pack)
    found = violations(pack, calendar, seed=SEED_OF_A_DRAFT, events=LIVES_OF_A_DRAFT)
    for one in found:
        short = shortest(one, pack, calendar) if one.journal else one
        name = f"{one.law.key}: {one.about}"
        text = case_text(short.journal, people, name=name, calendar=calendar)
        facts = {"law": one.law.key, "about": one.about, "case": text if one.journal else ""}
        section = next((s for s in ABOUT if pack.find(s, one.about)), "")
        yield Finding("law_broken", section, one.about if section else "", "", facts, grave=False)


ABOUT = (
    *("deadline", "extension", "penalty", "reward", "vote", "severity", "report", "chain"),
    "post",
)
"""The sections whose entries laws are about."""


def shortest(violation: Violation, pack: Pack, calendar: WorkCalendar) -> Violation:
    """Return the violation with a journal of which no event can be left out."""

    def still(journal: Sequence[JournalEntry]) -> bool:
        steps = replayed(journal, pack, calendar)
        return steps is not None and violation.about in violation.law.broken(steps[-1], pack)

    kept = list(violation.journal)
    for place in range(len(kept) - 2, 0, -1):
        without = kept[:place] + kept[place + 1 :]
        if still(without):
            kept = without
    return replace(violation, journal=tuple(kept))
