"""Notifications that an event causes: one answer for notices of the record and for plays.

A notification goes to who is responsible for the case; of a case raised to the general manager, to
the holders of the post that decides; of an alert, to those the regulation names. By which channels
it reaches a person is not decided here.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from policy.engine.conditions import holds
from policy.engine.fact_changes import Effect
from policy.engine.forms import awaited_approver
from policy.engine.permission import post_of
from policy.engine.terms.deadlines import ended_by_time
from policy.pack.forms_and_reports import ChainEntry
from policy.pack.schema import Pack
from policy.vocabulary.events import Appealed, Convened, Event, Involved
from policy.vocabulary.facts import CaseFacts, DeadlineFacts
from policy.vocabulary.status import Status


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification to send once: its kind, its cause, and its addressee.

    `occasion` is equal for the same cause, so that no person is told twice. `employee` is an
    employee number, `department` a key of the pack; a notification to a `post` is for its holders
    alone. `rule` is the key of the alert, ladder, approval or jury's question it comes from.
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
    event: Event,
    effects: Sequence[Effect],
    before: CaseFacts,
    *,
    after: CaseFacts,
    pack: Pack,
    seq: int,
) -> Iterator[Notification]:
    """Yield the notifications of the `seq`-th event of a case; none for history."""
    if after.history:
        return
    who, where = after.responsible, after.department
    if event.type in _TELLS:
        yield Notification(_TELLS[event.type], str(seq), who, where)
    if event.type == "handed_over" and after.assignments != before.assignments:
        told = "to_confirm" if after.status is Status.replied else "dispatched"
        yield Notification(told, str(seq), who, where)
    for effect in effects:
        if effect.kind in ("breached", "breach_restored"):
            key = f"{effect.key}/{effect.facts['round']}/{effect.facts['breached_at'].isoformat()}"
            key += f"/{seq}" if effect.kind == "breach_restored" else ""
            yield Notification("breached", key, *_bound(effect, after, pack))
    if event.type == "confirmed" and after.status is Status.intervened:
        decides = next((entry.by[0] for entry in pack.signoffs.get("decided", ())), None)
        yield Notification("to_decide", str(seq), None, where, decides)
    if event.type == "retallied" and any(one.kind.startswith("charge") for one in effects):
        yield from _penalty_notifications(pack, seq=seq)
    yield from _approval_turns(before, after, pack, seq=seq)
    yield from _jury_notifications(event, after, pack, seq=seq)
    alerts = list(_alert_notifications(event, effects, after, pack=pack, seq=seq))
    yield from alerts
    if isinstance(event, Involved):
        yield _participant_notification(event, pack, {alert.post for alert in alerts}, seq=seq)


def _penalty_notifications(pack: Pack, *, seq: int) -> Iterator[Notification]:
    """Notify who confirms penalties that another case changed some of this one (SAL-12.10)."""
    confirm = (who for entry in pack.signoffs.get("penalty_confirmed", ()) for who in entry.by)
    for post in {who: None for who in confirm if pack.find("post", who)}:
        yield Notification("penalties_changed", f"{seq}/{post}", None, None, post)


def _approval_turns(
    before: CaseFacts, after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Notification]:
    """Yield those for posts that approve next; `director` is that of the case's department."""
    for chain in pack.chain:
        post = _approver(after, chain, pack)
        if post is not None and post != _approver(before, chain, pack):
            yield Notification("to_endorse", f"{chain.key}/{seq}", None, None, post, chain.key)


def _approver(facts: CaseFacts, chain: ChainEntry, pack: Pack) -> str | None:
    whose = awaited_approver(facts, chain, pack)
    return post_of(whose, facts, pack) if whose else None


def _jury_notifications(
    event: Event, after: CaseFacts, pack: Pack, *, seq: int
) -> Iterator[Notification]:
    """Yield those to who convenes the jury of an appeal, and to the members seated."""
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
    """Notify the director of a department that takes part, unless an alert does."""
    department = pack.find("department", event.department)
    post = department.director if department.director not in alerted else None
    return Notification("takes_part", f"{department.key}/{seq}", None, department.key, post)


def _alert_notifications(
    event: Event, effects: Sequence[Effect], after: CaseFacts, *, pack: Pack, seq: int
) -> Iterator[Notification]:
    """Yield the notifications of alerts, and to the next step of a ladder."""
    for alert in pack.alerts.get(event.type, ()):
        if holds(alert.applies, after, event):
            yield from _for_each_addressee(
                alert.key, alert.to, f"{alert.key}/{seq}", case=after, pack=pack
            )
    if event.type == "escalated":
        step = after.entries[-1]
        yield from _for_each_addressee(
            step.key, (step.data["post"],), f"{step.key}/{seq}", case=after, pack=pack
        )
    for effect in _expired_deadlines(effects, after, pack) if pack.alert else ():
        slot = pack.find("deadline", effect.key).slot
        for alert in pack.alert:
            named = alert.breach_of is not None and alert.breach_of in (effect.key, slot)
            if named and holds(alert.applies, after):
                occasion = f"{alert.key}/{effect.key}/{effect.facts['round']}/{seq}"
                bound = _bound(effect, after, pack)
                yield from _for_each_addressee(
                    alert.key, alert.to, occasion, case=after, pack=pack, bound=bound
                )


def _expired_deadlines(effects: Sequence[Effect], after: CaseFacts, pack: Pack) -> Iterator[Effect]:
    """Yield the deadlines that ended: breached, missed targets, and those that raise a case."""
    for effect in effects:
        if effect.kind == "breached" or _ended_by_time(effect, after, pack):
            yield effect


def _ended_by_time(effect: Effect, after: CaseFacts, pack: Pack) -> bool:
    """Whether a target or a deadline that raises the case ended by time and not by a deed."""
    if effect.kind not in _OVER or pack.find("deadline", effect.key).ends not in _WARNS:
        return False
    deadline = _deadline_of(effect, after)
    return deadline is not None and ended_by_time(deadline)


def _deadline_of(effect: Effect, after: CaseFacts) -> DeadlineFacts | None:
    """Return the deadline that an effect is about."""
    about = (effect.key, effect.facts["round"])
    return next((one for one in after.deadlines if (one.key, one.round) == about), None)


_OVER = ("clock_met", "clock_missed")
Addressee = tuple[str | None, str | None, str | None]
"""An employee, a department, a post: each of them or None."""


def _desk(case: CaseFacts, pack: Pack) -> Addressee:
    """Return who has a case that no department has: who was asked first, else who hands it over."""
    if case.first_asked:
        return case.first_asked, None, None
    hand_over = [who for entry in pack.signoffs.get("dispatched", ()) for who in entry.by]
    for who in hand_over:
        if who.startswith("member:"):
            return None, who.removeprefix("member:"), None
        if pack.find("post", who):
            return None, None, who
    return None, None, None


def _bound(effect: Effect, case: CaseFacts, pack: Pack) -> Addressee:
    """Return whom the deadline of an effect binds; of one that binds nobody, who has the case."""
    deadline, binds = _deadline_of(effect, case), pack.find("deadline", effect.key).binds or ""
    if binds.startswith("member:"):
        return None, binds.removeprefix("member:"), None
    if pack.find("post", binds):
        return None, None, binds
    if binds == "responsible" and case.department:
        return case.responsible, case.department, None
    if deadline and deadline.responsible:
        return deadline.responsible, None, None
    return _at_the_case(case, pack)


def _at_the_case(case: CaseFacts, pack: Pack) -> Addressee:
    """Return the department that has the case, with who is responsible; else the desk."""
    return (case.responsible, case.department, None) if case.department else _desk(case, pack)


def _part(who: str, case: CaseFacts, pack: Pack) -> Addressee | None:
    """Return who has a part in the case; of one that nobody has, who has the case instead."""
    match who:
        case "director":
            found = case.responsible
        case "handler":
            found = case.handler or case.responsible
        case "first_asked":
            found = case.first_asked
        case "lead_department" if case.department:
            return None, case.department, None
        case "lead_department":
            found = None
        case _:
            return None
    return (found, None, None) if found else _desk(case, pack)


_WARNS = ("warning", "upgrade")


def _for_each_addressee(
    rule: str,
    to: Sequence[str],
    occasion: str,
    *,
    case: CaseFacts,
    pack: Pack,
    bound: Addressee | None = None,
) -> Iterator[Notification]:
    """Yield a notification to each of those named, by their role on the case or their post."""
    told = set()
    for who in to:
        named = bound if who == "bound" else _part(who, case, pack)
        addressee = named or (None, None, who)
        if addressee not in told:
            told.add(addressee)
            yield Notification("alert", f"{occasion}/{who}", *addressee, rule=rule)
