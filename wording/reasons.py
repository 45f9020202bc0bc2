"""Reasons and events in sentences: why a date is where it is, what happened, what would change.

The engine gives `because` as facts with a clause; these functions say it in the language spoken at
the moment. Labels of a regulation come from its pack.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import wording
from policy.engine.fact_changes import Effect
from policy.pack.schema import Pack
from policy.vocabulary.events import EVENTS, fields_named
from policy.vocabulary.facts import CaseFacts, DeadlineFacts, PenaltyFacts
from policy.vocabulary.marks import FieldMarks, Mark, marks_of
from policy.vocabulary.status import Sign
from wording import _, field_text, form_text, mark
from wording.field_text import Names

_UNITS = {
    "minute": mark("%(amount)s minutes"),
    "hour": mark("%(amount)s hours"),
    "working_hour": mark("%(amount)s working hours"),
    "working_day": mark("%(amount)s working days"),
    "calendar_day": mark("%(amount)s days"),
    "week": mark("%(amount)s weeks"),
    "month": mark("%(amount)s months"),
    "year": mark("%(amount)s years"),
    "same_day": mark("the same day"),
    "clock_time": mark("until the next %(at)s"),
    "day_of_month": mark("until day %(amount)s of the next month"),
}
_STARTS = {
    "registered": mark("receipt"),
    "dispatched": mark("hand-over"),
    "restarted": mark("restart"),
    "confirmed": mark("the confirmed reply"),
    "decided": mark("the general manager's decision"),
    "signed": mark("closing"),
    "settled": mark("closing"),
    "upgraded": mark("the upgrade"),
    "classified": mark("the reclassification"),
    "verified": mark("the finding"),
}
_REVISIONS = {
    "extension_granted": mark("extension granted"),
    "extension_refused": mark("extension refused, the time left runs on"),
    "decided": mark("set by the general manager"),
    "asked_again": mark("asked for once more"),
    "corrected": mark("an entry was corrected"),
    "calendar": mark("the calendar changed"),
    "promised": mark("promised to the customer"),
    "stated": mark("another day was stated"),
    "moved": mark("the case was moved to another version of the regulation"),
    "classified": mark("it applied again only now"),
    "verified": mark("it applied again only now"),
    "upgraded": mark("it applied again only now"),
    "dispatched": mark("the department got the case only now"),
}


def _lookup(words: Mapping[str, str], key: str, **facts: Any) -> str:
    """Return the sentence of a key in the language spoken; the key itself for an unknown one."""
    sentence = words.get(key)
    return _(sentence, **facts) if sentence else key


def term_text(amount: Any, unit: str, at: str = "") -> str:
    """Return a quantity of time in words: '3 working days', or until `at` ('17:00:00')."""
    return _lookup(_UNITS, unit, amount=amount, at=at[:5])


def deadline_reasons(one: DeadlineFacts, pack: Pack) -> list[str]:
    """Return why a deadline ends where it ends, sentence by sentence."""
    why = one.because
    start = _lookup(_STARTS, why.get("from_event", ""))
    since = wording.moment(dt.datetime.fromisoformat(why["from"]))
    said = [_span_text(why, start, since)]
    said += _day_texts(why)
    if why.get("moved_before_rest_days"):
        said.append(_("The window has only rest days: the last working day before it counts."))
    said += [_over_text(other, pack) for other in why.get("over", ())]
    said += [_revision_text(r) for r in one.revisions]
    if why.get("passed"):
        said.append(passed_text(why["passed"]))
    if one.provisional:
        said.append(_("Provisional: the official calendar of that year is not published yet."))
    return said


def passed_text(due: str) -> str:
    """Return why a deadline stays whose recounted end lies in the past."""
    return _(
        "Counted by the changed calendar it would have ended %(due)s, which was past "
        "already; so its end stays.",
        due=wording.moment(dt.datetime.fromisoformat(due)),
    )


def _span_text(why: Mapping[str, Any], start: str, since: str) -> str:
    if "amount" not in why:
        end = wording.moment(dt.datetime.fromisoformat(why["named"]))
        if why.get("kept"):
            return _(
                "From %(start)s %(since)s; no later than what ran before: %(end)s.",
                start=start,
                since=since,
                end=end,
            )
        return _("It ends when it was stated to end: %(end)s.", end=end)
    length = term_text(why["amount"], why["unit"], why.get("at", ""))
    if why.get("unlimited"):
        return _(
            "No limit; reviewed every %(length)s from %(start)s %(since)s.",
            length=length,
            start=start,
            since=since,
        )
    if "window_from" in why:
        return _(
            "From day %(first)s to day %(last)s after %(start)s (%(since)s).",
            first=why["window_from"],
            last=why["amount"],
            start=start,
            since=since,
        )
    return _("%(length)s from %(start)s %(since)s.", length=length, start=start, since=since)


def _day_texts(why: Mapping[str, Any]) -> list[str]:
    said = [_("The whole last day counts.")] if why.get("ends_day") else []
    if skipped := [dt.date.fromisoformat(day) for day, _kind in why.get("skipped", ())]:
        said.append(_("Not counted: %(days)s.", days=", ".join(_day_spans(skipped))))
    if makeup := [dt.date.fromisoformat(day) for day in why.get("makeup", ())]:
        said.append(_("Counted as make-up days: %(days)s.", days=", ".join(_day_spans(makeup))))
    return said


def _day_spans(days: Iterable[dt.date]) -> list[str]:
    """Return consecutive days as one span: 10-01…10-07."""
    runs: list[list[dt.date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == dt.timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        f"{run[0]:%m-%d}" if len(run) == 1 else f"{run[0]:%m-%d}…{run[-1]:%m-%d}" for run in runs
    ]


def _over_text(other: Mapping[str, Any], pack: Pack) -> str:
    rule = pack.label("deadline", other["rule"])
    if not other.get("due_at"):
        return _(
            "Earlier than %(rule)s (%(clause)s), which has no limit.",
            rule=rule,
            clause=other["clause"],
        )
    due = wording.moment(dt.datetime.fromisoformat(other["due_at"]))
    return _(
        "No later than %(rule)s (%(clause)s), which would end %(due)s.",
        rule=rule,
        clause=other["clause"],
        due=due,
    )


def _revision_text(revision: Any) -> str:
    before = wording.moment(revision.due_before) if revision.due_before else "—"
    return _(
        "Before %(at)s it ended %(before)s: %(why)s.",
        at=wording.moment(revision.at),
        before=before,
        why=_lookup(_REVISIONS, revision.reason),
    )


def penalty_reason(one: PenaltyFacts, pack: Pack) -> str:
    """Return why a penalty was proposed."""
    why = one.because
    if why.get("fell") == "taken":
        return _("Another penalty took this pay of the month already.")
    if "due_at" in why:
        return _(
            "%(clock)s ran out %(due)s, round %(round)s.",
            clock=pack.label("deadline", why["deadline"]),
            due=wording.moment(dt.datetime.fromisoformat(why["due_at"])),
            round=why["round"],
        )
    if "reverses" in why:
        return _(
            "Gives back what was charged %(at)s.",
            at=wording.moment(dt.datetime.fromisoformat(why["reverses"])),
        )
    if "on" in why:
        return _("Added to: %(rule)s.", rule=pack.label("penalty", why["on"]))
    if "finding" in why:
        return str(why["finding"])
    return _("%(deed)s, round %(round)s.", deed=wording.deed(why["event"]), round=why["round"])


# ---------------------------------------------------------------- what happened


def event_text(data: Mapping[str, Any], pack: Pack, people: Mapping[str, Any]) -> str:
    """Return what a journal row says beyond its deed: persons, departments, and typed words."""
    marks, names = marks_of(EVENTS[data["type"]]), field_text.names_of(pack, people)
    told = (_told(marks[name], data, names, pack=pack) for name in data)
    return "\n".join(words for words in told if words)


def _told(one: FieldMarks, data: Mapping[str, Any], names: Names, *, pack: Pack) -> str | None:
    value = data[one.name]
    if Mark.silent in one or value in (None, "", {}):
        return None
    if Mark.changes in one:
        return "\n".join(
            f"{wording.field(key)} → {field_text.value_text(fields_named(key), new, names)}"
            for key, new in value.items()
        )
    words = field_text.part_label(one, data, pack) or field_text.value_text((one,), value, names)
    if Mark.nameless in one:
        return words
    return _("%(name)s: %(value)s", name=wording.field(one.name), value=words)


# ---------------------------------------------------------------- what would change

_EFFECTS = {
    "clock_started": mark("%(name)s starts, due %(due)s"),
    "clock_running": mark("%(name)s runs again, due %(due)s"),
    "clock_met": mark("%(name)s is met"),
    "clock_missed": mark("%(name)s passed without being reached"),
    "clock_superseded": mark("%(name)s no longer runs"),
    "clock_moved": mark("%(name)s moves from %(before)s to %(due)s"),
    "clock_final": mark("%(name)s is no longer provisional, due %(due)s"),
    "breached": mark("%(name)s is overdue since %(breached)s"),
    "breach_restored": mark("%(name)s is overdue again, since %(breached)s"),
    "breach_lifted": mark("%(name)s is no longer overdue"),
    "charged": mark("Penalty proposed: %(name)s, %(who)s, %(sum)s"),
    "charged/reversal": mark("To be given back: %(name)s, %(who)s, %(sum)s"),
    "charged/reward": mark("Reward proposed: %(name)s, %(who)s, %(sum)s"),
    "charge_lapsed": mark("Penalty lapses: %(name)s, %(who)s, %(sum)s"),
    "charge_confirmed": mark("Penalty confirmed: %(name)s, %(who)s, %(sum)s"),
    "charge_notified": mark("Penalty notified: %(name)s, %(who)s, %(sum)s"),
    "charge_waived": mark("Penalty waived: %(name)s, %(who)s, %(sum)s"),
    "charge_changed": mark("Penalty changes: %(name)s, %(who)s, from %(before)s to %(sum)s"),
    "charge_proposed": mark("Penalty proposed again: %(name)s, %(who)s, %(sum)s"),
    "fact": mark("%(name)s: %(before)s → %(after)s"),
}


def effect_text(one: Effect, pack: Pack, people: Mapping[str, Any]) -> str:
    """Return one change in words, for a preview."""
    facts = one.facts
    if one.kind == "fact":
        return _lookup(
            _EFFECTS,
            "fact",
            name=wording.field(one.key),
            before=_fact_change_text(one.key, facts["before"], pack, people=people),
            after=_fact_change_text(one.key, facts["after"], pack, people=people),
        )
    if one.kind.startswith("charge"):
        amount = facts["amount"] if facts["sign"] is Sign.charge else -facts["amount"]
        kind = f"{one.kind}/{facts['sign'].value}"
        if kind in _EFFECTS:
            amount = facts["amount"]
        return _lookup(
            _EFFECTS,
            kind if kind in _EFFECTS else one.kind,
            name=form_text.ground_label(one.key, pack),
            who=people.get(facts["employee"], facts["employee"]),
            sum=wording.money(amount),
            before=wording.money(facts.get("before", amount)),
        )
    return _lookup(
        _EFFECTS,
        one.kind,
        name=pack.label("deadline", one.key),
        due=_due_text(facts),
        before=_moment_text(facts.get("due_before")),
        breached=_moment_text(facts.get("breached_at")),
    )


_FACTS = marks_of(CaseFacts)


def _due_text(facts: Mapping[str, Any]) -> str:
    """Return until when, and whether that is certain."""
    due = _moment_text(facts.get("due_at"))
    return _("%(due)s (provisional)", due=due) if facts.get("provisional") else due


def _moment_text(at: dt.datetime | None) -> str:
    return wording.moment(at) if at else _("no limit")


def _fact_change_text(name: str, value: Any, pack: Pack, *, people: Mapping[str, Any]) -> str:
    if value is None or value == "":
        return "—"
    return field_text.value_text((_FACTS[name],), value, field_text.names_of(pack, people))
