"""Play case files: steps with times, deeds and people, and what must be true after each.

A case file is TOML. `[cast.NAME]` gives people an employee number, a department and posts, or says
with `sheet` that it is a department's workbook; `[[case]]` has a name, the clauses it `proves`,
perhaps `parameters`, and steps:

    [[case.step]]
    do = "confirmed"
    at = 2026-10-13T16:20:00        # local time of the calendar; `recorded_at` if it differs
    by = "after_sales_director"     # a name of the cast; left out: time itself
    expect = { status = "confirmed", due = { verification = 2026-10-14T16:20:00 } }

The other keys of a step are fields of the event; an empty one is a field left out. `expect.refused`
names the code of the refusal that must come instead, `expect.clause` the clause it must cite,
`expect.deed` the deed it is about. `begins = "NAME"` lets a case go on where the steps of
`[opening.NAME]` end; an opening may itself begin with another. `case = "NAME"` on a step says which
of several cases it is about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policy.engine.case import apply
from policy.engine.conditions import field_value
from policy.engine.fact_changes import Effect, changes
from policy.engine.folding import JournalEntry, fold
from policy.engine.indicators import CaseSummary, indicator_figure, target_reached
from policy.engine.messages import Notification, notifications
from policy.engine.penalties import wage_month
from policy.engine.permission import FIRST, deeds_offered
from policy.engine.report_periods import due_on, period_of
from policy.engine.severity import destination
from policy.pack.loading import (
    BOUND,
    build_pack,
    parameter_values,
    read_toml,
    wanted_parameters,
)
from policy.pack.numbering import render_number, serial_period
from policy.pack.schema import Pack
from policy.vocabulary.errors import DomainError, PackRefused
from policy.vocabulary.events import EVENTS, SYSTEM, By, Event, HeldPost, event_refusals, load_event
from policy.vocabulary.facts import MARKS, CaseFacts, DeadlineFacts, PenaltyFacts
from policy.vocabulary.marks import FieldMarks, Mark, marks_of
from policy.vocabulary.status import ActorKind, DeadlineState, Sign
from policy.vocabulary.worktime import WorkCalendar

SHARED = "cast.toml"
"""The file of a folder whose people, parameters, defaults and openings every case shares."""
STEP_FIELDS = frozenset({"do", "at", "recorded_at", "by", "expect", "deputises", "case"})
"""The keys of a step that are no fields of its event."""


def people_in(step: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields of a step's event that name people."""
    return frozenset(name for name, one in _marks(step).items() if Mark.person in one)


def moments_in(step: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields of a step's event that are instants."""
    return frozenset(name for name, one in _marks(step).items() if one.shape == "time")


def _marks(step: Mapping[str, Any]) -> Mapping[str, FieldMarks]:
    kind = EVENTS.get(str(step.get("do", "")))
    return marks_of(kind) if kind else {}


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a file, with its people and the fields every registration shares.

    `due` are reports of periods: by when, by and for whom they are owed; `figures` are indicators
    over a few summarised cases. Neither needs a step.
    """

    file: str
    name: str
    proves: tuple[str, ...]
    parameters: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    due: tuple[Mapping[str, Any], ...] = field(default=(), kw_only=True)
    figures: tuple[Mapping[str, Any], ...] = field(default=(), kw_only=True)
    cast: Mapping[str, Mapping[str, Any]]
    defaults: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An expectation of a step that did not hold, with the value found."""

    case: str
    step: int
    about: str
    wanted: Any
    found: Any

    def __str__(self) -> str:
        return (
            f"{self.case}, step {self.step}: {self.about}: wanted {self.wanted}, found {self.found}"
        )


def cases(folder: Path) -> Iterator[Case]:
    """Yield every case of a folder of files; its `cast.toml` is shared by all."""
    shared = read_toml(folder / SHARED) if (folder / SHARED).exists() else {}
    for path in sorted(folder.glob("*.toml")):
        yield from cases_of(read_toml(path), shared, file=path.name)


def cases_of(
    data: Mapping[str, Any], shared: Mapping[str, Any], *, file: str = ""
) -> Iterator[Case]:
    """Yield the cases in the plain data of a file, whose own people add to the shared ones."""
    openings = shared.get("opening", {}) | data.get("opening", {})
    for case in data.get("case", ()):
        yield Case(
            file=file,
            name=case["name"],
            proves=tuple(case.get("proves", ())),
            parameters=(
                shared.get("parameters", {})
                | data.get("parameters", {})
                | case.get("parameters", {})
            ),
            steps=tuple(_steps(case, openings)),
            due=tuple(case.get("due", ())),
            figures=tuple(case.get("figures", ())),
            cast=shared.get("cast", {}) | data.get("cast", {}),
            defaults=shared.get("defaults", {}) | data.get("defaults", {}),
        )


def _steps(part: Mapping[str, Any], openings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "begins" in part:
        yield from _steps(openings[part["begins"]], openings)
    yield from part.get("step", ())


class Packs:
    """The packs of a regulation's plain data, built once for each choice of parameters.

    `chosen` are the parameters the company chose already; a case's own come before them.
    """

    def __init__(
        self, data: Mapping[str, Any], chosen: Mapping[str, Any] | None = None, *, file: str = ""
    ) -> None:
        self.data, self.chosen, self.file = data, chosen or {}, file
        self.built: dict[str, Pack] = {}

    def of(self, parameters: Mapping[str, Any]) -> Pack:
        """The pack with the company's own parameters; raises as `loading.build_pack`."""
        written = repr(sorted(parameters.items()))
        if written not in self.built:
            own = {**self.chosen, **parameters}
            self.built[written] = build_pack(self.data, own, file=self.file)
        return self.built[written]

    def keep(self, pack: Pack) -> None:
        """Keep a pack built elsewhere as the one of no parameters of its own."""
        self.built[repr([])] = pack

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter of the regulation with its value, None where it is open."""
        return parameter_values(self.data, self.chosen)

    @property
    def open_parameters(self) -> set[str]:
        """The parameters that rules ask for and that have no value yet."""
        asked = set(wanted_parameters(self.data))
        return {name for name, value in self.parameters.items() if value is None and name in asked}


def play_case(case: Case, packs: Packs, calendar: WorkCalendar) -> list[Mismatch]:
    """Return the expectations of a case that do not hold under a regulation's plain data."""
    try:
        pack = packs.of(case.parameters)
    except PackRefused as error:
        return [Mismatch(case.name, 0, "pack", "accepted", error.facts["problems"])]
    return list(Play(case, pack, calendar).mismatches())


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The outcome of one step: the case before and after it, or the refusal.

    `event` is None where the step makes no event at all.
    """

    event: Event | None
    recorded_at: dt.datetime
    before: CaseFacts
    after: CaseFacts
    effects: tuple[Effect, ...] = ()
    told: tuple[Notification, ...] = ()
    refused: DomainError | None = None


class Play:
    """One run of one case: the `facts` so far and the journal `entries` that led to them.

    Where the steps are about several cases, both are those of the case of the last step, and
    `journals` and `pictures` hold them by the names the steps use ("" without one).
    """

    def __init__(self, case: Case, pack: Pack, calendar: WorkCalendar) -> None:
        self.case, self.pack, self.calendar = case, pack, calendar
        self.about = ""
        self.journals: dict[str, list[JournalEntry]] = {}
        self.pictures: dict[str, CaseFacts] = {}
        self._serials: dict[tuple[str, str], int] = {}
        self._given: tuple[tuple[str, str], int] | None = None

    @property
    def facts(self) -> CaseFacts:
        """The facts of the case the last step was about."""
        return self.pictures.get(self.about) or CaseFacts()

    @property
    def entries(self) -> list[JournalEntry]:
        """The journal of the case the last step was about."""
        return self.journals.setdefault(self.about, [])

    def mismatches(self) -> Iterator[Mismatch]:
        """Play step by step and yield each expectation that does not hold, as soon as known."""
        for number, step in enumerate(self.case.steps, start=1):
            refused = self.step(step).refused
            yield from self.unlike(step, number, refused)
        yield from self.unlike_periods()

    def periods(self) -> Iterator[tuple[str, Mapping[str, Any], dict[str, Any]]]:
        """Yield the reports of periods and the indicators a case asks for: sort, asked, found."""
        for wanted in self.case.due:
            yield "due", wanted, _report_owed(self, wanted)
        for wanted in self.case.figures:
            yield "figure", wanted, _indicator_values(self, wanted)

    def unlike_periods(self) -> Iterator[Mismatch]:
        """Yield the expectations about reports of periods and indicators that do not hold."""
        for about, wanted, found in self.periods():
            for name, value in found.items():
                if name in wanted and wanted[name] != value:
                    place = f"{about} {wanted.get('report') or wanted.get('indicator')} {name}"
                    yield Mismatch(self.case.name, 0, place, wanted[name], value)

    def unlike(
        self, step: Mapping[str, Any], number: int, refused: DomainError | None
    ) -> Iterator[Mismatch]:
        """Yield the expectations of a step just played that do not hold."""
        for about, wanted, found in _unmet_expectations(self, step.get("expect", {}), refused):
            yield Mismatch(self.case.name, number, about, wanted, found)

    def step(self, step: Mapping[str, Any]) -> StepOutcome:
        """Play one step. A refused one changes nothing and the play goes on."""
        self.about = step.get("case", "")
        now = self.instant(step.get("recorded_at", step["at"]))
        self.told: tuple[Notification, ...] = ()
        before, event = self.facts, None
        try:
            event = self.event(step)
            after, effects = self._happen(event, now)
        except DomainError as error:
            return StepOutcome(event, now, before, before, refused=error)
        if self._given:
            self._serials[self._given[0]] = self._given[1]
        self.entries.append(JournalEntry(len(self.entries) + 1, event, now))
        self.pictures[self.about] = after
        seq = len(self.entries)
        self.told = tuple(
            notifications(event, effects, before, after=after, pack=self.pack, seq=seq)
        )
        return StepOutcome(event, now, before, after, effects, self.told)

    def event(self, step: Mapping[str, Any]) -> Event:
        """Return the event of a step. Raises as `events.load_event`."""
        return load_event(self._data(step) | {"at": self.instant(step["at"])})

    def refusals(self, step: Mapping[str, Any]) -> list[DomainError]:
        """Return every field of a step that makes no event as a refusal."""
        return event_refusals(self._data(step) | {"at": self.instant(step["at"])})

    def _happen(self, event: Event, now: dt.datetime) -> tuple[CaseFacts, tuple[Effect, ...]]:
        if event.type in ("corrected", "withdrawn"):
            entry = JournalEntry(len(self.entries) + 1, event, now)
            after = fold([*self.entries, entry], self.pack, self.calendar)
            return after, changes(self.facts, after)
        return apply(self.facts, event, self.pack, calendar=self.calendar, now=now)

    def _data(self, step: Mapping[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = {"type": step["do"], "by": self.by(step.get("by"))}
        data |= {name: step["at"] for name, one in _marks(step).items() if Mark.as_at in one}
        if step["do"] in FIRST:
            data |= self.case.defaults
        self._given = None
        named = people_in(step)
        for key in (key for key in step if key not in STEP_FIELDS):
            data[key] = self._numbered(step[key]) if key in named else step[key]
        if step["do"] in FIRST and "number" not in data:
            data["number"] = self._number(data, step)
        if step["do"] in ("dispatched", "restarted"):
            data = self._led(data, step) | data
        if step["do"] == "convened":
            data.setdefault("members", self._jury(step))
            data.setdefault("seated", self._seats(step, data["members"]))
        if step["do"] == "judged":
            data = {"superiors": self._superiors(), "posts": self._posts(), **data}
        if step["do"].startswith("penalty_"):
            data = self._of_charge(data)
        return {key: self._utc(value) for key, value in data.items() if value != ""}

    def _numbered(self, value: Any) -> Any:
        """People as the record knows them, by their numbers; a file names them by the cast."""
        if isinstance(value, Mapping):
            return {self._employee(name): said for name, said in value.items()}
        if isinstance(value, list | tuple):
            return [self._employee(name) for name in value]
        return self._employee(value) if isinstance(value, str) else value

    def _employee(self, name: str) -> str:
        return str(self.case.cast.get(name, {}).get("number", name))

    def _utc(self, value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return self.instant(value)
        if isinstance(value, Mapping):
            return {key: self._utc(inner) for key, inner in value.items()}
        return value

    def instant(self, local: dt.datetime) -> dt.datetime:
        """Return the UTC instant of a file's time; without a zone it is local to the calendar."""
        if local.tzinfo is not None:
            return local.astimezone(dt.UTC)
        return self.calendar.instant(local.date(), local.time())

    def by(self, name: str | None) -> By:
        """Return the actor of a name of the cast, with their posts; time itself for None."""
        if not name:
            return SYSTEM
        person = self.case.cast[name]
        held = [HeldPost(post=post) for post in person.get("posts", ())]
        held += [HeldPost(post=post, deputy=True) for post in person.get("deputy_for", ())]
        if person.get("sheet"):
            return By(kind=ActorKind.sheet, departments=(person["department"],))
        return By(
            kind=ActorKind.user,
            employee=person["number"],
            departments=(person["department"],) if "department" in person else (),
            posts=tuple(held),
        )

    def _number(self, data: Mapping[str, Any], step: Mapping[str, Any]) -> str:
        """Return the next free number of the kind's series in the period it is written down in.

        It is used up only once the case is there: a refused registration leaves no gap.
        """
        kind = self._entry("kind", data.get("kind"))
        series = self.pack.find("number", kind.number) if kind else None
        if series is None:
            return "1"
        when = data.get("received_at") if step["do"] == "imported" else step.get("recorded_at")
        at = when if isinstance(when, dt.datetime) else step["at"]
        on = self.calendar.local(self.instant(at)).date()
        counted = (series.key, serial_period(series, on))
        serial = self._serials.get(counted, 0) + 1
        taken = {facts.number for facts in self.pictures.values()}
        while render_number(series, on, serial) in taken:
            serial += 1
        self._given = counted, serial
        return render_number(series, on, serial)

    def _entry(self, section: str, key: Any) -> Any:
        """Return an entry of the pack by what a step says, which may be no key at all."""
        return self.pack.find(section, key) if isinstance(key, str) else None

    def _jury(self, step: Mapping[str, Any]) -> list[str]:
        """Return the employees of the cast who hold the posts of a question's jury, in order."""
        people = self.case.cast.values()
        posts = self._posts_of_jury(step)
        seats = [[p["number"] for p in people if post in p.get("posts", ())] for post in posts]
        return [holders[0] for holders in seats if holders]

    def _posts_of_jury(self, step: Mapping[str, Any]) -> tuple[str, ...]:
        vote = self._entry("vote", step.get("vote"))
        return vote.members if vote else ()

    def _seats(self, step: Mapping[str, Any], members: Any) -> list[str]:
        """Return who sits for each post of a jury: a member who holds it or stands in for it."""
        found: list[str] = []
        if not isinstance(members, list | tuple):
            return found
        for post in self._posts_of_jury(step):
            able = [
                p["number"]
                for p in self.case.cast.values()
                if post in (*p.get("posts", ()), *p.get("deputy_for", ()))
            ]
            found += [who for who in able if who in members][:1]
        return list(dict.fromkeys(found))

    def _led(self, data: Mapping[str, Any], step: Mapping[str, Any]) -> dict[str, Any]:
        """Return the department's director from the cast, and the deputy `deputises` names."""
        key = data.get("department") or self.facts.department
        department = self._entry("department", key)
        post = department.director if department else ""
        holders = [p["number"] for p in self.case.cast.values() if post in p.get("posts", ())]
        led = {"holder": holders[0]} if holders else {}
        if "deputises" in step:
            led["deputy"] = self._employee(step["deputises"])
        return led

    def _superiors(self) -> list[str]:
        """Return who heads the department of each of the cast: "1001/2001"."""
        people = self.case.cast.values()
        found = []
        for person in people:
            department = self.pack.find("department", person.get("department"))
            post = department.director if department else None
            heads = [p["number"] for p in people if post and post in p.get("posts", ())]
            found += [f"{person['number']}/{heads[0]}"] if heads and "number" in person else []
        return found

    def _posts(self) -> list[str]:
        """Return the posts that each of the cast holds in person: "1001/post"."""
        people = (p for p in self.case.cast.values() if "number" in p)
        return [f"{p['number']}/{post}" for p in people for post in p.get("posts", ())]

    def _of_charge(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data with the occasion of the penalty, found by rule and employee."""
        sign = data.get("sign", Sign.charge.value)
        for penalty in self.facts.penalties:
            found = (penalty.rule, penalty.employee, penalty.sign.value)
            if found == (data.get("rule"), data.get("employee"), sign):
                data.setdefault("occasion", penalty.occasion)
        data.setdefault("occasion", "none")
        return data


# ---------------------------------------------------------------- expectations


def is_expectable(about: str, wanted: Any) -> bool:
    """Whether a case file may expect this of a step, in this shape."""
    if about in _TABLES or about in _KEYED:
        return isinstance(wanted, Mapping)
    return about in ({"refused", *_OF_REFUSALS, *_LISTS, *_OTHER} | _FACTS)


def _unmet_expectations(
    play: Play, expect: Mapping[str, Any], refused: DomainError | None
) -> Iterator[tuple[str, Any, Any]]:
    code = refused.code if refused else None
    if expect.get("refused") != code:
        yield "refused", expect.get("refused"), str(refused)
    for about, wanted in expect.items():
        if about == "refused":
            continue
        found = _value_found(play, about, wanted, refused=refused)
        if found != wanted:
            yield about, wanted, found


def _value_found(play: Play, about: str, wanted: Any, *, refused: DomainError | None) -> Any:
    """Return what a play brought, in the terms of a case file."""
    if about in _OF_REFUSALS:
        return refused.facts.get(_OF_REFUSALS[about]) if refused else None
    if about in _TABLES:
        return {key: _deadline_value(play, about, key) for key in wanted}
    if about in _LISTS:
        return sorted(c.key for c in play.facts.deadlines if _LISTS[about](c, play.facts))
    if about in _OTHER:
        return _OTHER[about](play, wanted)
    return _case_file_value(play, getattr(play.facts, about))


def _post_bound(play: Play, key: str) -> str:
    """Return the post or `member:` of a department that a deadline binds, or nobody."""
    binds = play.pack.find("deadline", key).binds
    return "nobody" if binds is None or binds in BOUND else str(binds)


def _case_file_value(play: Play, value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return play.calendar.local(value).replace(tzinfo=None)
    return "none" if value is None else getattr(value, "value", value)


_FACTS = frozenset(CaseFacts.__dataclass_fields__) | {
    name for name, kept in vars(CaseFacts).items() if isinstance(kept, property)
}
"""The facts of a case, those derived from its pictures too: `status`, `department`."""
_OF_REFUSALS = {"clause": "cite", "deed": "deed"}
_TABLES = {
    "due": "due_at",
    "opens": "opens_at",
    "review": "review_at",
    "met": "met_at",
    "started": "starts_at",
    "provisional": "provisional",
    "state": "state",
    "binds": "responsible",
    "revisions": "revisions",
    "over": "because",
}


def _deadline_value(play: Play, about: str, key: str) -> Any:
    deadline = play.facts.deadline_of(key)
    if deadline is None:
        return "none"
    value = getattr(deadline, _TABLES[about])
    if about == "revisions":
        return [revision.reason for revision in value]
    if about == "over":
        return [beaten["rule"] for beaten in value.get("over", ())]
    if about == "binds":
        return _cast_name(play, value) if value else _post_bound(play, key)
    return _case_file_value(play, value)


_LISTS: dict[str, Any] = {
    "running": lambda deadline, facts: deadline.running,
    "breached": lambda deadline, facts: deadline.breached,
    "lifted": lambda deadline, facts: any(breach.lifted_at for breach in deadline.breaches),
    "superseded": lambda deadline, facts: deadline.state is DeadlineState.superseded,
}


def _penalties(play: Play, wanted: Any) -> list[dict[str, Any]]:
    """Return the penalties that stand: rule, employee, yuan, sanctions; given sums are negative."""
    return [
        {"rule": c.rule, "who": _cast_name(play, c.employee), "yuan": _signed_yuan(c)}
        | ({"sanctions": list(c.sanctions)} if c.sanctions else {})
        for c in play.facts.penalties
        if c.stands
    ]


def _signed_yuan(penalty: PenaltyFacts) -> Any:
    amount = penalty.amount if penalty.sign is Sign.charge else -penalty.amount
    return int(amount) if amount == int(amount) else amount


def _cast_name(play: Play, employee: str) -> str:
    people = play.case.cast.items()
    return next((name for name, p in people if p.get("number") == employee), employee)


def _wage_months(play: Play, wanted: Mapping[str, Any]) -> dict[str, str]:
    """Return the wage month of each rule's first penalty; of its reversal after a minus."""
    found: dict[str, str] = {}
    for rule in wanted:
        penalty = next((c for c in play.facts.penalties if _signed_rule(c) == rule), None)
        day = (
            play.calendar.local(penalty.counts_at).date() if penalty and penalty.counts_at else None
        )
        found[rule] = wage_month(day, play.pack) if day else "none"
    return found


def _signed_rule(penalty: PenaltyFacts) -> str:
    return f"-{penalty.rule}" if penalty.sign is Sign.reversal else penalty.rule


def _penalty_statuses(play: Play, wanted: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the statuses of every penalty of each rule, in the order they were made."""
    rows = play.facts.penalties
    return {rule: [c.status.value for c in rows if _signed_rule(c) == rule] for rule in wanted}


def _number_period(play: Play, wanted: str) -> str:
    """Return the period in which the serial of the case's number counts up."""
    if play.facts.registered_at is None:
        return "none"
    day = play.calendar.local(play.facts.registered_at).date()
    return serial_period(
        play.pack.find("number", play.pack.find("kind", play.facts.kind).number), day
    )


_OTHER: dict[str, Any] = {
    "charges": _penalties,
    "charge_status": _penalty_statuses,
    "period": _number_period,
    "months": _wage_months,
    "counts": lambda play, wanted: [c.counter for c in play.facts.tallies],
    "signatures": lambda play, wanted: [
        f"{s.event}:{_cast_name(play, s.employee)}{':deputy' if s.as_deputy else ''}"
        for s in play.facts.signoffs
    ],
    "handler": lambda play, wanted: _cast_name(play, play.facts.handler or ""),
    "responsible": lambda play, wanted: _cast_name(play, play.facts.responsible or ""),
    "calls": lambda play, wanted: len(play.facts.callbacks),
    "extra": lambda play, wanted: {k: play.facts.extra.get(k) for k in wanted},
    "filed": lambda play, wanted: [
        f"{f.section}:{f.key}" for f in play.facts.entries if f.section not in MARKS
    ],
    "says": lambda play, wanted: {path: _value_at_path(play, path) for path in wanted},
    "told": lambda play, wanted: [
        _alert_addressee(play, m) for m in play.told if m.kind == "alert"
    ],
    "concerned": lambda play, wanted: [_cast_name(play, who) for who in play.facts.concerned],
    "first_asked": lambda play, wanted: _cast_name(play, play.facts.first_asked or ""),
    "juries": lambda play, wanted: {key: _jury_members(play, key) for key in wanted},
    "meant_for": lambda play, wanted: list(destination(play.facts, play.pack) or ()),
    "overdue": lambda play, wanted: [_overdue_key(c) for c in play.facts.deadlines if c.breached],
    "offered": lambda play, wanted: _deeds_allowed(play, wanted),
}


_KEYED = frozenset({"charge_status", "months", "extra", "offered", "says", "juries"})


def _value_at_path(play: Play, path: str) -> Any:
    """Return the value of a condition's field for the case: `form.visit.day`, `chain.plan`."""
    return _case_file_value(play, field_value(path, play.facts, None))


def _alert_addressee(play: Play, message: Notification) -> str:
    """Return an alert and its addressee: a post, a person of the cast, a department."""
    who = message.post or message.department or _cast_name(play, message.employee or "nobody")
    return f"{message.rule}:{who}"


def _jury_members(play: Play, key: str) -> list[str]:
    """Return the members of a question's jury; those excluded have a minus before them."""
    jury = play.facts.last_entry("vote", key)
    if jury is None:
        return []
    sits = [_cast_name(play, who) for who in jury.data["members"]]
    return [*sits, *(f"-{_cast_name(play, who)}" for who in jury.data["recused"])]


def _report_owed(play: Play, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report of a period: the day it is due, its author, its addressees."""
    report = play.pack.find("report", wanted["report"])
    if report is None:
        return {"report": "none"}
    period = period_of(report, wanted["day"]) if "day" in wanted else wanted["period"]
    return {
        "period": period,
        "on": due_on(report, period, play.calendar),
        "by": report.by,
        "to": list(report.to),
        "per": report.per,
        "form": report.form or "none",
    }


def _indicator_values(play: Play, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return an indicator's value over the cases of a file, its denominator and fields."""
    entry = play.pack.find("indicator", wanted["indicator"])
    if entry is None:
        return {"indicator": "none"}
    summed = [
        CaseSummary(**{k: _summary_value(play, v) for k, v in c.items()}) for c in wanted["cases"]
    ]
    visited = tuple(wanted.get("visited", (0, 0)))
    found = indicator_figure(
        entry, summed, play.calendar, scores=wanted.get("scores", ()), visited=visited
    )
    return {
        "value": str(found.value) if found.value is not None else "none",
        "over": "none" if found.of is None else found.of,
        "reached": bool(target_reached(entry, found)),
        "form": entry.form or "none",
        "field": entry.of or "none",
    }


def _summary_value(play: Play, value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return play.instant(value)
    return tuple(value) if isinstance(value, list) else value


def _overdue_key(deadline: DeadlineFacts) -> str:
    return f"{deadline.key}/{deadline.round}"


def _deeds_allowed(play: Play, wanted: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return, of the deeds asked about, those a person of the cast may do now."""
    found = {}
    for name, deeds in wanted.items():
        allowed = {d.name for d in deeds_offered(play.facts, play.by(name), play.pack) if d.allowed}
        found[name] = [deed for deed in deeds if deed in allowed]
    return found
