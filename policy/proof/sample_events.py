"""Events of every sort under a pack, and actors to do them: what a walk over the states tries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from policy.engine.conditions import holds
from policy.engine.permission import FIRST
from policy.pack.schema import Pack
from policy.pack.shapes import OF_NUMBERS
from policy.proof.domains import asked_fields
from policy.vocabulary.events import EVENTS, By, Event, Filled, HeldPost, load_event
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import FieldMarks, marks_of
from policy.vocabulary.status import ActorKind, CallOutcome, CallPurpose, Status

BEGIN = dt.datetime(2026, 3, 2, 2, 0, tzinfo=dt.UTC)
"""The instant of every sample event, 10:00 in China; an open day of office hours."""
TEXT = "x"
"""What a sample says in words; rules may refuse a mere dash."""
OF_SECTIONS = {
    "filled": "form",
    "reported": "report_out",
    "checked": "checklist",
    "endorsed": "chain",
    "informed": "informed",
    "verified": "finding",
    "escalated": "ladder",
    "involved": "participant",
}
"""The deeds that write something down, and the section of what they write."""
ENTRY_EVENTS = frozenset(OF_SECTIONS)
JURY = ("convened", "voted", "ruled")


# ---------------------------------------------------------------- actors


def cast_of_pack(pack: Pack) -> list[By]:
    """Return one person for each post of a pack and one for each of its departments."""
    posts = {post.key: post.department for post in pack.post}
    return [
        *(_person(key, posts=(key,), departments=(of,) if of else ()) for key, of in posts.items()),
        *(_person(f"of {d.key}", departments=(d.key,)) for d in pack.department),
    ]


def person_with_every_post(pack: Pack, name: str) -> By:
    """Return a person who holds every post and belongs to every department."""
    posts, departments = (tuple(e.key for e in s) for s in (pack.post, pack.department))
    return _person(name, posts=posts, departments=departments)


def workbook_actors(pack: Pack) -> list[By]:
    """Return the workbook of each department of a pack as an actor."""
    return [By(kind=ActorKind.sheet, departments=(d.key,)) for d in pack.department]


def _person(name: str, *, posts: tuple[str, ...] = (), departments: tuple[str, ...] = ()) -> By:
    held = tuple(HeldPost(post=post) for post in posts)
    return By(kind=ActorKind.user, employee=name, posts=held, departments=departments)


# ---------------------------------------------------------------- events


def first_events(pack: Pack) -> Iterator[Event]:
    """Yield registrations of every kind and grade, with none and all of the pack's fields.

    Every channel is tried where a rule asks for it. Imported history comes last.
    """
    base = {"number": "1", "subject": TEXT, "body": "x" * 200, "received_at": BEGIN}
    channels = pack.channel if "channel" in asked_fields(pack) else pack.channel[:1]
    choices = (
        {"kind": kind.key, "channel": channel.key, "grade": grade, "extra": extra}
        for kind in pack.kind
        for channel in channels
        for grade in (None, *_grades(pack))
        for extra in ({}, *_extra_choices(pack))
    )
    for said in choices:
        yield load_sample(pack, {"type": "registered", **base, **said})
    for kind in pack.kind[:1]:
        imported = {"type": "imported", **base, "kind": kind.key}
        yield from (load_sample(pack, {**imported, "status": status}) for status in Status)


def _grades(pack: Pack) -> list[str]:
    return [step.key for step in pack.severity if step.scale == "grade" and not step.by_hand]


def _distinguishing_grades(pack: Pack) -> list[str]:
    """Return one grade for each set of rules that hold for it."""
    rules: tuple[Any, ...] = (*pack.deadline, *pack.extension, *pack.escalation, *pack.gate)
    held = {
        grade: frozenset(rule.key for rule in rules if holds(rule.applies, CaseFacts(grade=grade)))
        for grade in _grades(pack)
    }
    return list({rules: grade for grade, rules in held.items()}.values())


_EXAMPLES: dict[str, Any] = {
    "flag": True,
    "number": 1,
    "money": "1",
    "percent": "1",
    "date": "2026-03-02",
    "time": "2026-03-02T10:00:00+08:00",
    "phone": "123456",
}


def _extra_choices(pack: Pack) -> list[dict[str, Any]]:
    """Return the values of the pack's own fields to try, without repetitions.

    All fields; all but those whose example a gate refuses; and of those only what gates ask for.
    """
    every = {field.key: _example(field) for field in pack.field}
    rows = [row for gate in pack.gate for row in gate.requires if row.field in every]
    barred = {row.field for row in rows if not row.holds(every[row.field])}
    asked = {row.field for row in rows if not row.holds(None)} - barred
    passing = {key: value for key, value in every.items() if key not in barred}
    found = [every, passing, {key: every[key] for key in every if key in asked}]
    return [extra for n, extra in enumerate(found) if extra not in found[:n] and extra]


def _example(field: Any) -> Any:
    """Return a value that a field of this shape may have."""
    if field.choices:
        first = field.choices[0].key
        return [first] if field.shape == "choices" else first
    if field.at_least and field.shape in OF_NUMBERS:
        return str(field.at_least) if field.shape != "number" else field.at_least
    return _EXAMPLES.get(field.shape, TEXT)


def dated(event: Event, pack: Pack, at: dt.datetime) -> dict[str, Any]:
    """Return the fields of a sample that state days or times with bounds, as of a local instant."""
    found: dict[str, Any] = {}
    if isinstance(event, Filled):
        form = pack.find("form", event.form)
        found["data"] = _as_of(form.fields if form else (), event.data, at)
    elif extra := getattr(event, "extra", None):
        found["extra"] = _as_of(pack.field, extra, at)
    return found


def _as_of(fields: Iterable[Any], said: Mapping[str, Any], at: dt.datetime) -> dict[str, Any]:
    """Return what is said with each bounded day and time within its bounds, as of an instant."""
    bounded = {
        f.key: (f.shape, moment)
        for f in fields
        if f.key in said and (moment := _within_bounds(f, at)) is not None
    }
    return {**said, **{key: _stated(shape, when) for key, (shape, when) in bounded.items()}}


def _within_bounds(field: Any, at: dt.datetime) -> dt.datetime | None:
    """Return an instant that a field may state now: one agreed with the customer lies ahead."""
    if getattr(field, "agreed", False):
        return at + dt.timedelta(hours=1)
    if field.latest == "received":
        return BEGIN.astimezone(at.tzinfo)
    return at if field.latest or field.earliest else None


def _stated(shape: str, when: dt.datetime) -> str:
    return when.date().isoformat() if shape == "date" else when.isoformat()


def entry_events(pack: Pack) -> Iterator[dict[str, Any]]:
    """Yield every form entry that can be made on a case, each once, approvals step by step."""
    for form in pack.form:
        data = {field.key: _example(field) for field in form.fields}
        yield {"type": "filled", "form": form.key, "data": data}
    for out in pack.report_out:
        said = {"way": out.ways[0].key, "addressee": TEXT, "proof": TEXT}
        yield {"type": "reported", "report": out.key, **said}
    for listed in pack.checklist:
        at_hand = {"type": "checked", "checklist": listed.key, "evidence": TEXT, "paper": TEXT}
        yield from ({**at_hand, "item": item.key} for item in listed.items)
    for chain in pack.chain:
        approved = {"type": "endorsed", "chain": chain.key, "agrees": True, "opinion": TEXT}
        yield from (approved for _ in chain.steps)
    for about in ("plan", "progress", "answer", "result", "delay"):
        yield {"type": "informed", "about": about, "channel": TEXT, "text": TEXT}
    for finding in [f for f in pack.finding if f.valid][:1] or pack.finding[:1]:
        yield {"type": "verified", "finding": finding.key, "text": TEXT}


def jury_events(key: str) -> Iterator[dict[str, Any]]:
    """Yield the events of a question put to a jury of one, who votes yes."""
    yield {"type": "appealed", "vote": key, "text": TEXT, "employee": "somebody"}
    yield {"type": "convened", "vote": key, "members": ["worker"], "seated": ["worker"]}
    yield {"type": "voted", "vote": key, "agrees": True, "reason": TEXT}
    yield {"type": "ruled", "vote": key, "minutes": TEXT}


def load_sample(pack: Pack, said: dict[str, Any]) -> Event:
    """Return the event by a person with every post.

    Callbacks, restarts and what people involved may never do are another person's.
    """
    entries = pack.signoffs.get(said["type"], ())
    aloof = said["type"] in ("called_back", "restarted") or any(entry.never for entry in entries)
    by = person_with_every_post(pack, "caller" if aloof else "worker")
    return load_event({"at": BEGIN, "by": by, **said})


def every_event(pack: Pack) -> list[Event]:
    """Return an event of every sort, with every choice that may lead to another state."""
    chosen = [*_at_the_desk(pack), *_at_work(), *_afterwards(pack)]
    rest = _without_choices(pack, {said["type"] for said in chosen})
    return [load_sample(pack, said) for said in (*chosen, *rest)]


def _without_choices(pack: Pack, tried: Container[str]) -> Iterator[dict[str, Any]]:
    """Yield one event of each sort without choices that may lead to another state."""
    for name, kind in EVENTS.items():
        elsewhere = name in (*FIRST, *ENTRY_EVENTS, *JURY, "appealed") or not kind.amendable
        if name in tried or elsewhere:
            continue
        needed = [one for one in marks_of(kind).values() if one.required]
        said = {one.name: _some_value(one, pack) for one in needed if one.name != "at"}
        if None not in said.values():
            yield {"type": name, **said}


_SAMPLES: dict[str, Any] = {
    "employee": "somebody",
    "flag": True,
    "number": 1,
    "money": 1,
    "date": "2026-03-02",
    "time": BEGIN,
    "table": {},
}


def _some_value(one: FieldMarks, pack: Pack) -> Any:
    """Return a value for an event's field; None where the pack has none for it."""
    found: Any = _SAMPLES.get(one.shape, TEXT)
    if one.refs:
        entries = (e for ref in one.refs for e in getattr(pack, ref.section) if ref.offers(e))
        found = next((entry.key for entry in entries), None)
    elif one.members or one.words:
        found = one.words[0] if one.words else next(iter(one.members or ())).value
    elif one.part:
        return None
    return [found] if one.several and found is not None else found


def _at_the_desk(pack: Pack) -> Iterator[dict[str, Any]]:
    sorting = {"type": "classified", "reason": TEXT}
    yield from (sorting | {"grade": grade} for grade in _distinguishing_grades(pack))
    yield from (sorting | {"kind": kind.key} for kind in pack.kind)
    yield from (sorting | {"extra": extra} for extra in _extra_choices(pack))
    if any(row.field == "category" for gate in pack.gate for row in gate.requires):
        yield from (sorting | {"category": entry.key} for entry in pack.category)
    for department in pack.department:
        yield {"type": "dispatched", "department": department.key, "holder": "worker"}
    for department in pack.department[-1:]:
        yield {"type": "dispatched", "department": department.key}
    for department in pack.department[:1]:
        yield {"type": "handed_over", "department": department.key, "holder": "successor"}
        yield {"type": "handed_over", "department": department.key}
    yield from ({"type": name} for name in ("taken_over", "archived", "time_passed"))
    yield {"type": "time_passed", "spared": [entry.key for entry in pack.deadline]}
    yield from ({"type": name, "text": TEXT} for name in ("reviewed", "progressed"))
    yield from ({"type": name, "reason": TEXT} for name in ("upgraded", "recounted"))
    yield {"type": "retallied", "source": "2"}
    yield {"type": "concluded", "text": TEXT}
    yield {"type": "promised", "text": TEXT, "until": BEGIN, "consent": True}
    yield from ({"type": "escalated", "ladder": e.key, "reason": TEXT} for e in pack.ladder)
    for department in pack.department[:1]:
        yield {"type": "involved", "department": department.key, "task": TEXT}


def _at_work() -> Iterator[dict[str, Any]]:
    yield from ({"type": name} for name in ("contacted", "arrived_on_site", "confirmed"))
    yield from ({"type": name, "reason": TEXT} for name in ("returned", "declined"))
    yield from ({"type": "replied", "outcome": o, "text": TEXT} for o in ("solved", "raise_to_gm"))
    yield from ({"type": "replied", "outcome": "extension", "text": TEXT} | soon for soon in SOON)
    yield from ({"type": "extension_granted"} | soon for soon in SOON[:1])
    yield {"type": "extension_refused", "reason": TEXT}
    yield {"type": "decided", "solved": True, "text": TEXT}
    yield from ({"type": "decided", "solved": False, "text": TEXT} | soon for soon in SOON)
    yield {"type": "assigned", "handler": "somebody"}
    yield {"type": "replied_in_writing", "proof": TEXT}


SOON: tuple[dict[str, Any], ...] = ({"until": BEGIN}, {})


def _afterwards(pack: Pack) -> Iterator[dict[str, Any]]:
    answers: list[dict[str, Any]] = [
        {"outcome": "answered", "satisfaction": "satisfied"},
        {"outcome": "answered", "satisfaction": "dissatisfied"},
        {"outcome": "answered", "satisfaction": "dissatisfied", "asks_more": True},
        *({"outcome": one.value} for one in CallOutcome if one is not CallOutcome.answered),
    ]
    for purpose in CallPurpose:
        yield from ({"type": "called_back", "purpose": purpose, **said} for said in answers)
    for ground in ("verification", "satisfaction", "repeat", "decision"):
        yield {"type": "restarted", "ground": ground, "text": TEXT, "holder": "worker"}
    yield {"type": "signed", "feedback": TEXT}
    yield {"type": "settled", "reason": TEXT}
    yield {"type": "factory_closed"}
    grounds: tuple[Any, ...] = (*pack.penalty, *pack.reward)
    for found in grounds:
        decided = {"amount": 1} if found.by_decision else {}
        by_whom = {"employee": "worker", "text": TEXT}
        yield {"type": "judged", "ground": found.key, **by_whom, **decided}
    for penalty in pack.penalty[:1]:
        yield from _penalty_steps(penalty.key)


def _penalty_steps(rule: str) -> Iterator[dict[str, Any]]:
    penalty = {"rule": rule, "employee": "worker", "occasion": "order"}
    yield {"type": "penalty_confirmed", **penalty}
    yield {"type": "penalty_notified", **penalty, "how": TEXT}
    yield from ({"type": f"penalty_{d}", **penalty, "reason": TEXT} for d in ("waived", "reversed"))
