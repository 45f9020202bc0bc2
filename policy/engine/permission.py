"""Decide whether a deed may be done now and by whom, and if not, why not.

`refusal` is the one answer for deeds done and for buttons not yet pressed. Statuses come from
`status.ALLOWED`, posts and gates from the pack.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from policy.engine import forms
from policy.engine.conditions import first_failing, holds
from policy.engine.own_cause import people_involved, refused_for_own_penalty
from policy.engine.severity import step_fits
from policy.pack.forms_and_reports import OF_DEADLINES
from policy.pack.schema import SHEETS, GateEntry, Pack, SignoffEntry
from policy.pack.shapes import ConditionRow
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    DomainError,
    GateClosed,
    HistoryForbids,
    NameNeeded,
    PostMissing,
    SelfForbidden,
    StatusForbids,
    TimeBeforeCase,
    TimeInFuture,
    WindowNotOpen,
)
from policy.vocabulary.events import EVENTS, Appealed, By, Event
from policy.vocabulary.facts import CaseFacts, DeadlineFacts
from policy.vocabulary.marks import declared_field
from policy.vocabulary.status import (
    ALLOWED,
    ENDS,
    ActorKind,
    ClosingGround,
    Status,
)

FIRST = ("registered", "imported")
SHEET_DEEDS = frozenset(
    {"registered", "returned", "assigned", "contacted", "progressed", "replied", "corrected"}
)
"""The deeds a department's workbook may ever do: none on which money or a signoff depends."""

_RESTART_FROM = {
    "verification": (Status.confirmed, Status.disputed, Status.accepted),
    "decision": (Status.disputed,),
    "satisfaction": (Status.accepted, Status.disputed),
    "repeat": (Status.closed,),
}


@dataclass(frozen=True, slots=True)
class Deed:
    """A deed on the case page: allowed, or with the reason why not."""

    name: str
    refusal: DomainError | None

    @property
    def allowed(self) -> bool:
        """Whether nothing refuses it."""
        return self.refusal is None


def deeds_offered(facts: CaseFacts, by: By, pack: Pack) -> tuple[Deed, ...]:
    """Return the deeds for a case and person; those the status does not allow are left out."""
    deeds = []
    for name in EVENTS:
        if name in _NOT_BUTTONS:
            continue
        if name in ANSWERS_A_CLOCK and not _is_awaited(facts, name, pack):
            continue
        refused = refusal(facts, name, by, pack=pack)
        if not isinstance(refused, StatusForbids | HistoryForbids):
            deeds.append(Deed(name, refused))
    return tuple(deeds)


_NOT_BUTTONS = frozenset(
    {
        "registered",
        "imported",
        "time_passed",
        "recounted",
        "retallied",
        "archived",
        "corrected",
        "withdrawn",
    }
    | {"penalty_confirmed", "penalty_waived", "penalty_notified", "penalty_reversed"}
    | {"moved"}
)


ANSWERS_A_CLOCK = frozenset({"arrived_on_site", "replied_in_writing"})


def _is_awaited(facts: CaseFacts, name: str, pack: Pack) -> bool:
    """Whether a deadline waits for the event."""
    running = (c for c in facts.deadlines if c.running)
    return any(name in pack.find("deadline", c.key).met_by for c in running)


def refusal(
    facts: CaseFacts, name: str, by: By, *, pack: Pack, event: Event | None = None
) -> DomainError | None:
    """Return why the event may not happen now, or None. Without `event` only its name is judged."""
    for reason in (
        _refused_by_status(facts, name),
        _refused_by_facts(facts, name, pack, event=event),
        _refused_by_post(facts, name, by, pack=pack, event=event),
        _refused_by_gate(facts, name, pack, event=event),
        forms.refusal_without_papers(facts, event, pack) if event else None,
    ):
        if reason is not None:
            return reason
    return None


def refusal_outside_cases(by: By, pack: Pack, event: Event) -> DomainError | None:
    """Return why a person may not do what belongs to no case, or None: only posts decide."""
    return _refused_by_post(CaseFacts(), event.type, by, pack=pack, event=event)


def _refused_by_status(facts: CaseFacts, name: str) -> DomainError | None:
    begun = bool(facts.number)
    if name in FIRST:
        return StatusForbids(deed=name, status=facts.status) if begun else None
    if not begun:
        return StatusForbids(deed=name, status=None)
    if name == "taken_over":
        open_history = facts.history and facts.status not in (*ENDS, Status.closed)
        return None if open_history else StatusForbids(deed=name, status=facts.status)
    if facts.history:
        return HistoryForbids(deed=name)
    if name not in (*ALLOWED[facts.status], "archived"):
        return StatusForbids(deed=name, status=facts.status)
    return None


def _refused_by_facts(
    facts: CaseFacts, name: str, pack: Pack, *, event: Event | None
) -> DomainError | None:
    """Return a refusal from the case alone, without a rule: nothing to review, no one to ask."""
    forbidden = StatusForbids(deed=name, status=facts.status)
    if name == "reviewed" and not any(c.running and c.review_at for c in facts.deadlines):
        return forbidden
    if name == "archived" and not observation_is_over(facts, pack):
        return forbidden
    if name == "factory_closed" and facts.factory_closed_at:
        return forbidden
    if name == "handed_over" and facts.assignment is None:
        # Told again after a correction, one that the system recorded changes nothing.
        told = event is not None and event.by.kind is ActorKind.system
        return None if told else forbidden
    if name == "upgraded":
        return _refused_by_escalation(facts, name, pack)
    if name == "restarted":
        if not facts.assignments:
            return forbidden
        ground: Any = getattr(event, "ground", None)
        places = _RESTART_FROM.get(ground) if ground else None
        elsewhere = places and facts.status not in places
        return forbidden if elsewhere or _observation_ended(facts, pack) else None
    if name == "called_back":
        return _refused_by_callback(facts, event, pack)
    if name == "concluded":
        kind = pack.find("kind", facts.kind)
        return None if kind and kind.concludes else forbidden
    return _refused_without_entries(facts, name, pack)


DECLARED_IN = {
    name: about.sections[0] for name, kind in EVENTS.items() if (about := declared_field(kind))
}
"""Deeds that need an entry of a section of the pack, and the section."""


def _refused_without_entries(facts: CaseFacts, name: str, pack: Pack) -> DomainError | None:
    section = DECLARED_IN.get(name)
    entries = getattr(pack, section) if section else ()
    if section and not any(holds(getattr(e, "applies", ()), facts) for e in entries):
        return StatusForbids(deed=name, status=facts.status)
    return None


def observation_is_over(facts: CaseFacts, pack: Pack) -> bool:
    """Whether a closed case's observation is over."""
    return facts.status is Status.closed and not any(c.running for c in _is_observed(facts, pack))


def _observation_ended(facts: CaseFacts, pack: Pack) -> bool:
    """Whether a closed case was observed and is no more: what comes now is another case.

    So it is although missing documents keep it out of the archive.
    """
    watched = any(c.round == facts.round for c in _is_observed(facts, pack))
    return watched and observation_is_over(facts, pack)


def _is_observed(facts: CaseFacts, pack: Pack) -> list[DeadlineFacts]:
    return [c for c in facts.deadlines if pack.find("deadline", c.key).ends == "archive"]


def _refused_by_escalation(facts: CaseFacts, name: str, pack: Pack) -> DomainError | None:
    for entry in pack.escalation:
        if entry.event == name and holds(entry.applies, facts):
            fits = step_fits(facts, entry.grade, pack)
            if fits or not pack.policy.judges(Judging.facts_outweigh):
                return None
    return StatusForbids(deed=name, status=facts.status)


def _refused_by_callback(facts: CaseFacts, event: Event | None, pack: Pack) -> DomainError | None:
    """Return a refusal of a callback: verification comes before closing, a window must be open."""
    purpose = getattr(getattr(event, "purpose", None), "value", None)
    answered = facts.closing_ground in (ClosingGround.satisfied, ClosingGround.settled)
    if purpose == "verification" and (
        facts.status is Status.closed or (facts.status is Status.accepted and answered)
    ):
        return StatusForbids(deed="called_back", status=facts.status)
    for deadline in facts.deadlines:
        entry = pack.find("deadline", deadline.key)
        if event is None or not (deadline.running and deadline.opens_at):
            continue
        concerns = "called_back" in entry.met_by and holds(entry.met_if, facts, event)
        if concerns and event.at < deadline.opens_at:
            return WindowNotOpen(deed="called_back", opens_at=deadline.opens_at, cite=entry.cite)
    return None


def _refused_by_post(
    facts: CaseFacts, name: str, by: By, *, pack: Pack, event: Event | None
) -> DomainError | None:
    if by.kind is ActorKind.system:
        return None
    entries = _entries_of(facts, name, pack, event=event)
    if by.kind is ActorKind.sheet and (
        reason := _refused_to_workbook(facts, name, by, entries=entries)
    ):
        return reason
    involved = _refused_by_involvement(facts, name, by, event=event, entries=entries)
    if own := involved or refused_for_own_penalty(by, pack, event=event):
        return own
    if name == "endorsed" and event is not None:
        return _refused_by_turn(facts, by, pack, event=event)
    if not entries or any(_may(e, facts, by, event=event, pack=pack) for e in entries):
        return None
    # Who may only lower is asked once it is known whether the deed lowers anything.
    lowering = _entries_of(facts, name, pack, event=event, lowers=True)
    if any(post_entitled(e, facts, by, pack=pack) for e in lowering):
        return None
    return _missing_post(facts, name, entries, pack=pack)


_ASKED_LIKE = {"handed_over": "dispatched"}
"""Deeds that whoever may do another one may do; regulations name that other one."""


def _entries_of(
    facts: CaseFacts, name: str, pack: Pack, *, event: Event | None, lowers: bool = False
) -> list[SignoffEntry]:
    return [
        e
        for e in pack.signoffs.get(_ASKED_LIKE.get(name, name), ())
        if e.lowers is lowers and _concerns(e.applies, facts, event)
    ]


def refusal_to_raise(
    facts: CaseFacts, name: str, by: By, *, pack: Pack, event: Event
) -> PostMissing | None:
    """Return why a person who may only lower does not classify otherwise, or None."""
    entries = _entries_of(facts, name, pack, event=event)
    lowering = _entries_of(facts, name, pack, event=event, lowers=True)
    able = any(_may(e, facts, by, event=event, pack=pack) for e in entries)
    if able or not (entries and lowering) or by.kind is ActorKind.system:
        return None
    return _missing_post(facts, name, entries, pack=pack)


def refusal_to_lower(
    facts: CaseFacts, name: str, by: By, *, pack: Pack, event: Event
) -> DomainError | None:
    """Return why a person may not lower a grade or take away a penalty's ground, or None.

    A signoff that `lowers` is asked where the regulation has one. Nobody of whom a finding or a
    penalty is lowers anything.
    """
    if by.kind is ActorKind.system:
        return None
    if by.employee in people_involved(facts, ("concerned", "bearer")):
        return SelfForbidden(deed=name, cite=_cite_of(name, pack))
    entries = _entries_of(facts, name, pack, event=event, lowers=True)
    if reason := _refused_by_involvement(facts, name, by, event=event, entries=entries):
        return reason
    if not entries or any(post_entitled(e, facts, by, pack=pack) for e in entries):
        return None
    return _missing_post(facts, name, entries, pack=pack)


def _cite_of(name: str, pack: Pack) -> str:
    return next((e.cite for e in pack.signoffs.get(name, ())), pack.policy.cite)


def _refused_by_involvement(
    facts: CaseFacts, name: str, by: By, *, event: Event | None, entries: Sequence[SignoffEntry]
) -> SelfForbidden | None:
    for entry in entries:
        if by.employee and by.employee in people_involved(facts, entry.never, event):
            return SelfForbidden(deed=name, cite=entry.cite)
    return None


def _may(entry: SignoffEntry, facts: CaseFacts, by: By, *, event: Event | None, pack: Pack) -> bool:
    """Whether an actor is entitled; who appeals only as the one blamed appeals for themselves."""
    held = post_entitled(entry, facts, by, pack=pack)
    if held is None or not isinstance(event, Appealed) or held[0] not in _BLAMED:
        return held is not None
    return event.employee == by.employee or not pack.policy.judges(Judging.own_cause)


_BLAMED = ("concerned", "bearer")


def _missing_post(
    facts: CaseFacts, name: str, entries: Sequence[SignoffEntry], *, pack: Pack
) -> PostMissing:
    who_may = [who for e in entries for who in e.by]
    people = [who for who in who_may if who not in SHEETS]
    posts = [_role_label(who, facts, pack) for who in people or who_may]
    return PostMissing(deed=name, posts=posts, cite=entries[0].cite)


def _refused_by_turn(facts: CaseFacts, by: By, pack: Pack, *, event: Event) -> DomainError | None:
    """Return a refusal where it is another post's turn in a chain of approvals."""
    entry = pack.find("chain", getattr(event, "chain", ""))
    turn = forms.next_approver(facts, entry, pack) if entry else None
    if entry is None or turn is None:
        return None
    asks = SignoffEntry(key=entry.key, label=entry.label, cite=entry.cite, event=(), by=(turn,))
    if post_entitled(asks, facts, by, pack=pack):
        return None
    return PostMissing(deed="endorsed", posts=[_role_label(turn, facts, pack)], cite=entry.cite)


def refusal_without_name(name: str, by: By) -> NameNeeded | None:
    """Return why an event can never come from a workbook: no person is known there."""
    if by.kind is ActorKind.sheet and name not in SHEET_DEEDS:
        return NameNeeded(deed=name)
    return None


def _refused_to_workbook(
    facts: CaseFacts, name: str, by: By, *, entries: Sequence[SignoffEntry]
) -> NameNeeded | None:
    """Return what refuses a workbook in every regulation: signoffs, and other departments' cases.

    Where no signoff names the event any person may do it; of workbooks that of the case's
    department.
    """
    at_home = bool(entries) or facts.department in by.departments
    if any(entry.recorded for entry in entries) or not at_home:
        return NameNeeded(deed=name)
    return refusal_without_name(name, by)


def deadlines_in_reach(facts: CaseFacts, pack: Pack) -> frozenset[str]:
    """Return the keys of running deadlines the department's own workbook could meet now."""
    if facts.department is None:
        return frozenset()
    by = By(kind=ActorKind.sheet, departments=(facts.department,))
    able = {name for name in SHEET_DEEDS if refusal(facts, name, by, pack=pack) is None}
    running = (c.key for c in facts.deadlines if c.running)
    return frozenset(key for key in running if able & set(pack.find("deadline", key).met_by))


def _role_label(who: str, facts: CaseFacts, pack: Pack) -> str:
    """Return the regulation's label of a post or department; a role on the case stays a word."""
    if who.startswith("member:"):
        return pack.label("department", who.removeprefix("member:"))
    if who == "lead_department" and facts.department:
        return pack.label("department", facts.department)
    return pack.label("post", post_of(who, facts, pack)) or who


def _concerns(applies: Any, facts: CaseFacts, event: Event | None) -> bool:
    if event is None and any(row.field.startswith("event.") for row in applies):
        return False
    return holds(applies, facts, event)


def post_entitled(
    entry: SignoffEntry, facts: CaseFacts, by: By, *, pack: Pack
) -> tuple[str, bool] | None:
    """Return the post or role by which an actor may do it, and whether as a deputy; or None.

    A workbook is no person: it has only what is given to its department's role or to workbooks.
    """
    if by.kind is ActorKind.sheet:
        return _role_of_workbook(entry, facts, by, pack=pack)
    for who in entry.by:
        if who in _PARTS and by.employee and by.employee in _PARTS[who](facts):
            return who, False
        if who == "participants" and _takes_part(facts, by):
            return who, False
        if who == "anybody" and by.employee:
            return who, False
        if who == "lead_department" and facts.department in by.departments:
            return who, False
        if who.startswith("member:") and who.removeprefix("member:") in by.departments:
            return who, False
        held = _held_as_deputy(entry, post_of(who, facts, pack), facts, by=by)
        if held is not None:
            return post_of(who, facts, pack) or who, held
    return None


_PARTS: dict[str, Callable[[CaseFacts], Sequence[str | None]]] = {
    "handler": lambda facts: (facts.handler,),
    "first_asked": lambda facts: (facts.first_asked,),
    "concerned": lambda facts: facts.concerned,
    "bearer": lambda facts: sorted(people_involved(facts, ("bearer",))),
}
"""Roles on the case that employees have by name, and who has them."""


def _takes_part(facts: CaseFacts, by: By) -> bool:
    return any(f.section == "participant" and f.key in by.departments for f in facts.entries)


def _role_of_workbook(
    entry: SignoffEntry, facts: CaseFacts, by: By, *, pack: Pack
) -> tuple[str, bool] | None:
    own = facts.department is not None and facts.department in by.departments
    for who in entry.by:
        if who in ("lead_department", "lead_sheet") and own:
            return who, False
        if who == "any_sheet" and any(_answers(key, pack) for key in by.departments):
            return who, False
    return None


def _answers(key: str, pack: Pack) -> bool:
    department = pack.find("department", key)
    return department is not None and department.answers


def post_of(who: str, facts: CaseFacts, pack: Pack) -> str | None:
    """Return the post a name means: `director` is the post of the case's department."""
    if who != "director":
        return who
    department = pack.find("department", facts.department)
    return department.director if department else None


def _held_as_deputy(
    entry: SignoffEntry, post: str | None, facts: CaseFacts, *, by: By
) -> bool | None:
    """Whether the post is held as a deputy; None when it is not held in a way that counts."""
    ways = [h.deputy for h in by.posts if h.post == post]
    if False in ways:
        return False
    if True in ways and entry.deputy and not ("director" in entry.by and facts.director_only):
        return True
    return None


def _refused_by_gate(
    facts: CaseFacts, name: str, pack: Pack, *, event: Event | None
) -> DomainError | None:
    for gate in pack.gates.get(name, ()):
        if not _concerns(gate.applies, facts, event):
            continue
        if row := first_failing(gate.requires, facts, event):
            return _closed(gate, name, row, pack=pack)
    return None


def _closed(gate: GateEntry, name: str, row: ConditionRow, *, pack: Pack) -> GateClosed:
    field = _missing_label(row.field, pack)
    return GateClosed(deed=name, gate=gate.label, cite=gate.cite, field=field, wanted=row.value)


_LABELLED_AS = {
    "appeal": "vote",
    "participant": "department",
    **dict.fromkeys(OF_DEADLINES, "deadline"),
}
"""The section of the regulation with the label of what a condition names, where it is another."""


def _missing_label(path: str, pack: Pack) -> str:
    """Return the label of what is missing: a form, list, approval or term, or a deed's field."""
    path = path.removeprefix("round.")
    section, _, name = path.partition(".")
    if section == "event":
        return pack.label("field", name.rpartition(".")[2])
    section = _LABELLED_AS.get(section, section)
    return pack.label(section, name.partition(".")[0]) if name else path


def check_time(facts: CaseFacts, event: Event, now: dt.datetime) -> None:
    """Refuse an event stated to happen in the future or before the case."""
    if event.at > now:
        raise TimeInFuture(field="at", at=event.at)
    if facts.received_at and event.at < facts.received_at:
        raise TimeBeforeCase(field="at", at=event.at, earliest=facts.received_at)
