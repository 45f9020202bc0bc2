"""A played case as plain data with words, for the command line and for pages.

Each step has keys that stay (`do`, the `key` of the status, `clocks[].due_at`, …), which a program
reads, and words in the language spoken at the moment, which a person reads. Instants are ISO texts
in the calendar's zone, sums are yuan.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import wording
from policy.engine.fact_changes import Effect
from policy.engine.messages import Notification
from policy.pack.schema import Pack
from policy.proof.play import Case, Mismatch, Play, StepOutcome
from policy.vocabulary.errors import DomainError
from policy.vocabulary.events import Event, dump_event
from policy.vocabulary.facts import CaseFacts, DeadlineFacts, PenaltyFacts
from policy.vocabulary.status import Sign
from policy.vocabulary.worktime import WorkCalendar
from wording import _, form_text, reasons

Said = dict[str, Any]


def play_story(case: Case, pack: Pack, calendar: WorkCalendar) -> Said:
    """Play a case and return what each step brought, and how the case stands at the end."""
    return play_until_end(Play(case, pack, calendar))


def play_until_end(play: Play) -> Said:
    """Play a Play that has not begun and return the same; it stands at its last step then."""
    telling, case = PlayText(play), play.case
    steps = [telling.step(number, step) for number, step in enumerate(case.steps, start=1)]
    unlike = [_mismatch_data(one, None) for one in play.unlike_periods()]
    return {
        "name": case.name,
        "proves": list(case.proves),
        "steps": steps,
        "periods": [telling.period(*one) for one in play.periods()],
        "unlike_periods": unlike,
        "mismatches": sum(len(step["mismatches"]) for step in steps) + len(unlike),
        "stands": [
            {"case": name, **telling.standing(facts)} for name, facts in play.pictures.items()
        ],
    }


def cast_names(cast: Mapping[str, Any], pack: Pack) -> dict[str, str]:
    """Return the displayed name of everybody in a cast, by the name the file uses."""
    return {name: _cast_name(name, person, pack) for name, person in cast.items()}


def _cast_name(name: str, person: Mapping[str, Any], pack: Pack) -> str:
    """Return a post's or department's label for its stand-in; the file's own names stay."""
    if pack.find("post", name):
        return pack.label("post", name)
    where, _colon, key = name.partition(":")
    if where == "member" and pack.find("department", key):
        return _("Somebody of %(department)s", department=pack.label("department", key))
    if person.get("sheet"):
        department = pack.label("department", person["department"])
        return _("%(department)s spreadsheet", department=department)
    return name


class PlayText:
    """Plays a case step by step and puts into words what each step brought."""

    def __init__(self, play: Play) -> None:
        self.play, self.pack = play, play.pack
        self.names = cast_names(play.case.cast, play.pack)
        self.people = {
            str(person["number"]): self.names[name]
            for name, person in play.case.cast.items()
            if "number" in person
        }

    def step(self, number: int, step: Mapping[str, Any]) -> Said:
        """Play the next step and return what it brought."""
        outcome = self.play.step(step)
        unlike = self.play.unlike(step, number, outcome.refused)
        return {
            "step": number,
            "case": step.get("case", ""),
            "do": step["do"],
            "deed": wording.deed(step["do"]),
            "at": self._at(self.play.instant(step["at"])),
            "recorded_at": self._at(outcome.recorded_at),
            "by": step.get("by"),
            "who": self.names.get(step.get("by", ""), ""),
            "says": self._event_text(outcome.event),
            "refused": self._refused(outcome.refused),
            "changes": [] if outcome.refused else self._changes(outcome),
            "told": [self._notification(message) for message in outcome.told],
            "mismatches": [_mismatch_data(one, outcome.refused) for one in unlike],
            **self.standing(outcome.after),
        }

    def period(self, about: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Said:
        """Return a report that is owed of a period, or what an indicator comes to."""
        if about == "due":
            label = self.pack.label("report", wanted["report"])
            text = _("%(period)s, due on %(on)s", period=found["period"], on=found["on"])
            return {"kind": about, "key": wanted["report"], "label": label, "text": text}
        label = self.pack.label("indicator", wanted["indicator"])
        over = "" if found["over"] == "none" else _(" of %(count)s cases", count=found["over"])
        value = "—" if found["value"] == "none" else found["value"]
        text = f"{value}{over}"
        return {"kind": about, "key": wanted["indicator"], "label": label, "text": text}

    def standing(self, facts: CaseFacts) -> Said:
        """Return how a case stands: number, status, grade, its deadlines and penalties."""
        return {
            "number": facts.number,
            "status": _member_data(facts.status) if facts.number else None,
            "kind": self._labelled("kind", facts.kind),
            "grade": self._labelled("severity", facts.grade),
            "level": self._labelled("severity", facts.level),
            "round": facts.round,
            "department": self._labelled("department", facts.department),
            "clocks": [self._deadline(deadline) for deadline in facts.deadlines],
            "charges": [self._penalty(penalty) for penalty in facts.penalties],
            "counts": [self._labelled("counter", count.counter) for count in facts.tallies],
        }

    def _at(self, at: dt.datetime | None) -> str | None:
        return None if at is None else self.play.calendar.local(at).isoformat()

    def _event_text(self, event: Event | None) -> str:
        return reasons.event_text(dump_event(event), self.pack, self.people) if event else ""

    def _labelled(self, section: str, key: str | None) -> Said | None:
        return {"key": key, "label": self.pack.label(section, key)} if key else None

    def _who(self, number: str | None) -> str:
        return self.people.get(number or "", number or "")

    def _refused(self, refusal: DomainError | None) -> Said | None:
        if refusal is None:
            return None
        return {
            "code": refusal.code,
            "clause": refusal.facts.get("cite"),
            "field": refusal.facts.get("field"),
            "text": wording.error(refusal),
        }

    def _changes(self, outcome: StepOutcome) -> list[Said]:
        told = self._named(outcome)
        told += [self._change(one, outcome) for one in outcome.effects]
        for count in outcome.after.tallies[len(outcome.before.tallies) :]:
            text = _("Counted: %(name)s", name=self.pack.label("counter", count.counter))
            told.append(_change_without_reason("counted", count.counter, text))
        return told

    def _named(self, outcome: StepOutcome) -> list[Said]:
        """Return a new case's number and first status, which no earlier picture shows."""
        if outcome.before.number or not outcome.after.number:
            return []
        given = {"number": outcome.after.number, "status": wording.label(outcome.after.status)}
        said = {
            name: _("%(name)s: %(value)s", name=wording.field(name), value=value)
            for name, value in given.items()
        }
        return [_change_without_reason("fact", name, text) for name, text in said.items()]

    def _change(self, effect: Effect, outcome: StepOutcome) -> Said:
        """Return one change and, for a date or sum, why; `clause` is where the rule stands."""
        because, cite = self._why(effect, outcome.after)
        return {
            "kind": effect.kind,
            "key": effect.key,
            "text": reasons.effect_text(effect, self.pack, self.people),
            "clause": cite,
            "because": because,
        }

    def _why(self, effect: Effect, after: CaseFacts) -> tuple[list[str], str | None]:
        if effect.kind.startswith("charge"):
            penalty = _penalty_of(effect, after)
            if penalty is None:
                return [], None
            return [reasons.penalty_reason(penalty, self.pack)], penalty.because.get("clause")
        found = (
            c for c in after.deadlines if (c.key, c.round) == (effect.key, effect.facts["round"])
        )
        if effect.kind == "fact" or (deadline := next(found, None)) is None:
            return [], None
        explained = effect.kind in ("clock_started", "clock_running", "clock_moved")
        said = reasons.deadline_reasons(deadline, self.pack) if explained else []
        return said, deadline.because.get("clause")

    def _deadline(self, deadline: DeadlineFacts) -> Said:
        return {
            "key": deadline.key,
            "label": self.pack.label("deadline", deadline.key),
            "clause": deadline.because.get("clause"),
            "round": deadline.round,
            "state": _member_data(deadline.state),
            "starts_at": self._at(deadline.starts_at),
            "opens_at": self._at(deadline.opens_at),
            "due_at": self._at(deadline.due_at),
            "review_at": self._at(deadline.review_at),
            "met_at": self._at(deadline.met_at),
            "breached": deadline.breached,
            "breached_at": [self._at(x.breached_at) for x in deadline.breaches if not x.lifted_at],
            "provisional": deadline.provisional,
            "responsible": deadline.responsible,
            "who": self._who(deadline.responsible),
            "because": reasons.deadline_reasons(deadline, self.pack),
        }

    def _penalty(self, penalty: PenaltyFacts) -> Said:
        taken = penalty.amount if penalty.sign is Sign.charge else -penalty.amount
        return {
            "rule": penalty.rule,
            "label": form_text.ground_label(penalty.rule, self.pack),
            "clause": penalty.because.get("clause"),
            "employee": penalty.employee,
            "who": self._who(penalty.employee),
            "yuan": yuan_number(taken),
            "sign": penalty.sign.value,
            "status": _member_data(penalty.status),
            "stands": penalty.stands,
            "at": self._at(penalty.at),
            "because": reasons.penalty_reason(penalty, self.pack),
        }

    def _notification(self, message: Notification) -> Said:
        to = message.post or message.employee or message.department
        if message.post:
            who = self.pack.label("post", message.post)
        elif message.employee:
            who = self._who(message.employee)
        else:
            who = self.pack.label("department", message.department)
        return {
            "kind": message.kind,
            "to": to,
            "who": who or _("channels of the whole company"),
            "text": wording.notice_label(message.kind),
        }


def _change_without_reason(kind: str, key: str, text: str) -> Said:
    return {"kind": kind, "key": key, "text": text, "clause": None, "because": []}


def _penalty_of(effect: Effect, after: CaseFacts) -> PenaltyFacts | None:
    facts = effect.facts
    identity = (effect.key, facts["employee"], facts["occasion"], facts["sign"])
    return next((penalty for penalty in after.penalties if penalty.identity == identity), None)


def _member_data(member: enum.Enum) -> Said:
    return {"key": member.value, "label": wording.label(member), "tone": wording.tone(member)}


def _mismatch_data(one: Mismatch, refused: DomainError | None) -> Said:
    """Return an unmet expectation; of a refusal only its code, because the step has its text."""
    found = (refused and refused.code) if one.about == "refused" else json_value(one.found)
    return {"about": one.about, "wanted": json_value(one.wanted), "found": found}


def yuan_number(amount: Decimal) -> int | float:
    """Return a sum as a JSON number; whole yuan without a point."""
    return int(amount) if amount == int(amount) else float(amount)


def json_value(value: Any) -> Any:
    """Return a value of a case file as JSON data."""
    if isinstance(value, Mapping):
        return {str(key): json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(inner) for inner in value]
    if isinstance(value, Decimal):
        return yuan_number(value)
    if isinstance(value, enum.Enum):
        return value.value
    return value if isinstance(value, str | int | float | bool | None) else str(value)


# ---------------------------------------------------------------- lines of a terminal


def story_lines(story: Said) -> Iterator[str]:
    """Yield a story as lines to read: step by step, then how each case stands."""
    yield f"# {story['name']}"
    for step in story["steps"]:
        yield ""
        yield from _step_lines(step)
    if story["periods"]:
        yield ""
        yield from (f"  {one['label']}: {one['text']}" for one in story["periods"])
        yield from map(_mismatch_line, story["unlike_periods"])
    for stands in story["stands"]:
        yield ""
        yield from _standing_lines(stands)


def _mismatch_line(one: Said) -> str:
    return "     ! " + _(
        "%(about)s: wanted %(wanted)s, found %(found)s",
        about=one["about"],
        wanted=one["wanted"],
        found=one["found"],
    )


def _step_lines(step: Said) -> Iterator[str]:
    about = f"[{step['case']}] " if step["case"] else ""
    who = f" · {step['who']}" if step["who"] else ""
    yield f"{step['step']:>3}. {about}{clock_time(step['at'])} · {step['deed']}{who}"
    for line in step["says"].splitlines():
        yield f"     “{line}”" if line else ""
    if step["refused"]:
        yield f"     ✗ {step['refused']['text']}"
    for change in step["changes"]:
        cite = f" · {change['clause']}" if change.get("clause") else ""
        yield f"     {change['text']}{cite}"
        yield from (f"         {why}" for why in change["because"])
    for message in step["told"]:
        yield f"     → {message['who']}: {message['text']}"
    yield from map(_mismatch_line, step["mismatches"])


def _standing_lines(stands: Said) -> Iterator[str]:
    graded = [stands[scale]["label"] for scale in ("grade", "level") if stands[scale]]
    status = stands["status"]["label"] if stands["status"] else "—"
    yield "= " + " · ".join([stands["number"] or "—", status, *graded])
    for deadline in stands["clocks"]:
        if deadline["state"]["key"] == "running" or deadline["breached"]:
            due = clock_time(deadline["due_at"]) if deadline["due_at"] else _("no limit")
            late = f" · {_('breached')}" if deadline["breached"] else ""
            late += f" · {_('provisional')}" if deadline["provisional"] else ""
            state = deadline["state"]["label"]
            yield f"  {deadline['label']}: {due} · {state}{late} · {deadline['clause']}"
    for penalty in stands["charges"]:
        if penalty["stands"]:
            yield (
                f"  {signed_sum(penalty['yuan'])} {penalty['who']}: {penalty['label']} · "
                + " · ".join([penalty["status"]["label"], penalty["clause"] or ""])
            )


def signed_sum(sum_: float) -> str:
    """Return a penalty's sum as text, with a minus where it gives back."""
    return f"{'−' if sum_ < 0 else ''}{wording.money(Decimal(str(abs(sum_))))}"


def clock_time(iso: str) -> str:
    """Return local date and time, with seconds where there are any: an end is judged by them."""
    at = dt.datetime.fromisoformat(iso)
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.second else f"{at:%Y-%m-%d %H:%M}"
