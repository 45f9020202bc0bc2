"""Whom an event makes tell what: one answer for notices of the record and for cases that are tried.

A message is for who answers for the case; what was raised to the general manager is for whoever
holds the post that decides; an alert is for whom the regulation names. Which ways a message takes
to somebody is no question of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

from policy.engine.conditions import holds
from policy.engine.fact_changes import Effect
from policy.engine.forms import awaited_approver
from policy.engine.permission import post_of
from policy.pack.forms_and_reports import ChainEntry
from policy.pack.schema import Pack
from policy.vocabulary.events import Appealed, Convened, Happening, Involved
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import Status


@dataclass(frozen=True, slots=True)
class Notification:
    """Something to be told once: its kind, what caused it, and to whom.

    `occasion` is the same for the same cause, so that nobody is told twice. `employee` is a number,
    `department` a key of the pack; a message to a `post` is for its holders alone. `rule` is the
    alert, ladder, approval or question of a jury it comes from.
    """

    kind: str
    occasion: str
    employee: str | None
    department: str | None
    post: str | None = None
    rule: str | None = None


_TELLS = {
    "dispatched": "dispatched",
    "restarted": "restarted",
    "replied": "to_confirm",
}


def notifications(
    event: Happening,
    effects: Sequence[Effect],
    before: CaseFacts,
    after: CaseFacts,
    pack: Pack,
    *,
    seq: int,
) -> Iterator[Notification]:
    """What is to be told after the `seq`-th event of a case; nothing of a case that is history."""
    if after.history:
        return
    who, where = after.responsible, after.department
    if event.type in _TELLS:
        yield Notification(_TELLS[event.type], str(seq), who, where)
    for effect in effects:
        if effect.kind == "breached":
            key = f"{effect.key}/{effect.facts['round']}/{effect.facts['breached_at'].isoformat()}"
            yield Notification("breached", key, who, where)
    if event.type == "confirmed" and after.status is Status.intervened:
        decides = next((entry.by[0] for entry in pack.signoffs.get("decided", ())), None)
        yield Notification("to_decide", str(seq), None, where, decides)
    yield from _approval_turns(before, after, pack, seq=seq)
    yield from _jury_notifications(event, after, pack, seq=seq)
    alerts = list(_alert_notifications(event, effects, after, pack, seq=seq))
    yield from alerts
    if isinstance(event, Involved):
        yield _participant_notification(event, pack, {alert.post for alert in alerts}, seq=seq)


def _approval_turns(
    before: CaseFacts, after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Notification]:
    """Whose turn it has become to approve; a director is that of the department that has it."""
    for chain in pack.chain:
        post = _approver(after, chain, pack)
        if post is not None and post != _approver(before, chain, pack):
            yield Notification("to_endorse", f"{chain.key}/{seq}", None, None, post, chain.key)


def _approver(facts: CaseFacts, chain: ChainEntry, pack: Pack) -> str | None:
    whose = awaited_approver(facts, chain)
    return post_of(whose, facts, pack) if whose else None


def _jury_notifications(
    event: Happening, after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Notification]:
    """An appeal is for who convenes its jury, else for its members; a vote for who was seated."""
    if isinstance(event, Appealed):
        convene = (who for entry in pack.signoffs.get("convened", ()) for who in entry.by)
        posts = {who: None for who in convene if pack.find("post", who)}
        for post in posts or pack.find("vote", event.vote).members:
            yield Notification(
                "to_convene", f"{event.vote}/{seq}/{post}", None, None, post, event.vote
            )
    if isinstance(event, Convened) and (jury := after.last_entry("vote", event.vote)):
        for who in jury.data["members"]:
            yield Notification("to_vote", f"{event.vote}/{seq}/{who}", who, None, rule=event.vote)


def _participant_notification(
    event: Involved, pack: Pack, alerted: Container[str | None], *, seq: int
) -> Notification:
    """A department takes part: its director, unless an alert of the regulation says it to him."""
    department = pack.find("department", event.department)
    post = department.director if department.director not in alerted else None
    return Notification("takes_part", f"{department.key}/{seq}", None, department.key, post)


def _alert_notifications(
    event: Happening, effects: Sequence[Effect], after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Notification]:
    """What the regulation's alerts say, and who is next on a ladder."""
    for alert in pack.alerts.get(event.type, ()):
        if holds(alert.applies, after, event):
            yield from _for_each_addressee(alert.key, alert.to, f"{alert.key}/{seq}", after)
    if event.type == "escalated":
        step = after.entries[-1]
        yield from _for_each_addressee(step.key, (step.data["post"],), f"{step.key}/{seq}", after)
    for effect in _expired_deadlines(effects, after, pack) if pack.alert else ():
        slot = pack.find("deadline", effect.key).slot
        for alert in pack.alert:
            named = alert.breach_of is not None and alert.breach_of in (effect.key, slot)
            if named and holds(alert.applies, after):
                occasion = f"{alert.key}/{effect.key}/{effect.facts['round']}/{seq}"
                yield from _for_each_addressee(alert.key, alert.to, occasion, after)


def _expired_deadlines(effects: Sequence[Effect], after: CaseFacts, pack: Pack) -> Iterator[Effect]:
    """The clocks that ran out: with a breach, or as targets and terms that let a case rise."""
    for effect in effects:
        if effect.kind == "breached" or _ended_by_time(effect, after, pack):
            yield effect


def _ended_by_time(effect: Effect, after: CaseFacts, pack: Pack) -> bool:
    """Whether a target or a term to rise ended because its time was over, and not by a deed."""
    if effect.kind != "clock_met" or pack.find("deadline", effect.key).ends not in _WARNS:
        return False
    return any(
        deadline.met_at == deadline.due_at
        for deadline in after.deadlines
        if (deadline.key, deadline.round) == (effect.key, effect.facts["round"])
    )


_WARNS = ("warning", "upgrade")
_PARTS: dict[str, Callable[[CaseFacts], str | None]] = {
    "director": lambda case: case.responsible,
    "handler": lambda case: case.handler,
    "first_asked": lambda case: case.first_asked,
}


def _for_each_addressee(
    rule: str, to: Sequence[str], occasion: str, case: CaseFacts
) -> Iterator[Notification]:
    """A message to each of those named: by their part in the case, or by their post."""
    for who in to:
        part = _PARTS.get(who)
        place = f"{occasion}/{who}"
        if part is not None:
            yield Notification("alert", place, part(case), None, rule=rule)
        elif who == "lead_department":
            yield Notification("alert", place, None, case.department, rule=rule)
        else:
            yield Notification("alert", place, None, None, who, rule=rule)
