"""What ends otherwise, in words: past cases of a what-if, and the examples of a draft.

The result is kept as data with the labels of its day; sentences, states and sums are made here, in
the reader's language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import wording
from policy.pack.schema import Pack
from policy.proof.contradictions import Finding
from policy.proof.whatif import RuleCount, Totals
from policy.vocabulary import refusals
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import marks_of
from policy.vocabulary.status import Status
from wording import _, field_text, mark


def difference_lines(
    difference: Mapping[str, Any], people: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield what differs in one case, a line each; `people` are names by employee number."""
    if "refusal" in difference:
        yield wording.error(refusals.load_refusal(difference["refusal"]))
        return
    for fact in difference["facts"]:
        yield _(
            "%(name)s: %(before)s → %(after)s",
            name=wording.field(fact["name"]),
            before=fact_words(fact["name"], fact["before"]),
            after=fact_words(fact["name"], fact["after"]),
        )
    for late in difference["late"]["added"]:
        yield _("Late: %(what)s", what=late_words(late))
    for late in difference["late"]["removed"]:
        yield _("No longer late: %(what)s", what=late_words(late))
    for penalty in difference["charges"]["added"]:
        yield _("Penalty: %(what)s", what=sum_words(penalty, people or {}))
    for penalty in difference["charges"]["removed"]:
        yield _("No penalty: %(what)s", what=sum_words(penalty, people or {}))


def fact_words(name: str, value: Mapping[str, str] | None) -> str:
    """Return a kept fact in words; a status in the reader's language."""
    if value is None:
        return "—"
    return wording.label(Status(value["key"])) if name == "status" else value["label"]


def late_words(late: Mapping[str, Any]) -> str:
    """Return a breached deadline in words: which, when, by which clause."""
    at = wording.moment(dt.datetime.fromisoformat(late["breached_at"]))
    return " · ".join(word for word in (late["label"], at, late["clause"]) if word)


def sum_words(penalty: Mapping[str, Any], people: Mapping[str, str]) -> str:
    """Return a penalty in words: its ground, employee, sum and clause."""
    who = people.get(penalty["employee"], penalty["employee"])
    words = (penalty["label"], who, signed_money(Decimal(penalty["yuan"])), penalty["clause"])
    return " · ".join(word for word in words if word)


def signed_money(amount: Decimal) -> str:
    """Return a sum of yuan, with a minus where it gives back."""
    return f"{'−' if amount < 0 else ''}{wording.money(abs(amount))}"


def difference_rows(
    difference: Mapping[str, Any], people: Mapping[str, str]
) -> Iterator[list[Any]]:
    """Yield what differs in one case as cells of a table.

    Kind, what, clause, employee number, name, before, after, and the sum by which it changes.
    """
    if "refusal" in difference:
        why = wording.error(refusals.load_refusal(difference["refusal"]))
        yield [_("Does not fit"), why, "", "", "", "", "", None]
        return
    for fact in difference["facts"]:
        sides = [fact_words(fact["name"], fact[side]) for side in ("before", "after")]
        yield [_("Other fact"), wording.field(fact["name"]), "", "", "", *sides, None]
    for side, kind in (("added", _("Late")), ("removed", _("No longer late"))):
        for late in difference["late"][side]:
            at = wording.moment(dt.datetime.fromisoformat(late["breached_at"]))
            sides = ["", at] if side == "added" else [at, ""]
            yield [kind, late["label"], late["clause"], "", "", *sides, None]
    for side, kind in (("added", _("Penalty")), ("removed", _("No penalty"))):
        for penalty in difference["charges"][side]:
            who = people.get(penalty["employee"], "")
            yuan = Decimal(penalty["yuan"]) * (1 if side == "added" else -1)
            head = [kind, penalty["label"], penalty["clause"], penalty["employee"], who]
            yield [*head, "", "", yuan]


def total_lines(found: Totals) -> Iterator[str]:
    """Yield the totals as lines: cases, lateness, penalties, and each rule that differs."""
    judged = found.cases - found.refused
    yield _("Cases looked at: %(count)s", count=found.cases)
    yield _("Cases that would have come out otherwise: %(count)s", count=found.differ)
    if found.refused:
        yield _("Cases that do not fit this version: %(count)s", count=found.refused)
    rows = (
        (_("Late cases"), found.late_before, found.late_after),
        (_("Cases with penalties"), found.fined_before, found.fined_after),
        (_("Sum of penalties"), signed_money(found.yuan_before), signed_money(found.yuan_after)),
    )
    for name, before, after in rows if judged else ():
        yield f"{name}: {before} → {after}"
    for count in (*found.terms.values(), *found.rules.values()):
        if said := count_change(count):
            yield f"  {count.label}: {said}"


def count_change(count: RuleCount) -> str:
    """Return how often a rule applied before and after, with penalty sums; empty if alike."""
    before, after = str(count.before), str(count.after)
    if count.yuan_before or count.yuan_after:
        before = f"{before} · {signed_money(count.yuan_before)}"
        after = f"{after} · {signed_money(count.yuan_after)}"
    return "" if before == after else f"{before} → {after}"


def difference_data(difference: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs in one case for a program: a refusal also in words."""
    if "refusal" not in difference:
        return dict(difference)
    refusal = refusals.load_refusal(difference["refusal"])
    return {"refusal": {"code": refusal.code, "text": wording.error(refusal)}}


# ---------------------------------------------------------------- examples of a draft


_MOMENTS = {
    "due": mark("“%(name)s” ends at %(found)s instead of %(wanted)s."),
    "opens": mark("“%(name)s” opens at %(found)s instead of %(wanted)s."),
    "review": mark("“%(name)s” is looked at again at %(found)s instead of %(wanted)s."),
    "met": mark("“%(name)s” is met at %(found)s instead of %(wanted)s."),
    "started": mark("“%(name)s” begins at %(found)s instead of %(wanted)s."),
}
_MORE = {
    "running": mark("“%(name)s” runs now as well."),
    "breached": mark("“%(name)s” runs out now."),
    "overdue": mark("“%(name)s” runs out now."),
    "lifted": mark("A breach of “%(name)s” is lifted now."),
    "superseded": mark("“%(name)s” gives way now."),
}
_LESS = {
    "running": mark("“%(name)s” does not run any more."),
    "breached": mark("“%(name)s” does not run out any more."),
    "overdue": mark("“%(name)s” does not run out any more."),
    "lifted": mark("A breach of “%(name)s” is not lifted any more."),
    "superseded": mark("“%(name)s” does not give way any more."),
}
_NONE = ("none", "None", "", None)
_FACTS = marks_of(CaseFacts)


@dataclass(frozen=True, slots=True)
class Change:
    """What a draft changes, as sentences, and the examples in which it does."""

    sentences: tuple[str, ...]
    examples: list[Finding] = field(default_factory=list)


def grouped_changes(findings: Iterable[Finding], pack: Pack) -> list[Change]:
    """Return changed examples by their cause, what changes the most of them first."""
    found: dict[tuple[str, ...], Change] = {}
    for one in findings:
        said = tuple(dict.fromkeys(change_sentences(one.facts, pack)))
        found.setdefault(said, Change(said)).examples.append(one)
    return sorted(found.values(), key=lambda change: -len(change.examples))


def change_sentences(facts: Mapping[str, Any], pack: Pack) -> Iterator[str]:
    """Yield what ends otherwise in one example, in the words of the page on which it is played."""
    about, wanted, found = str(facts["about"]), facts["wanted"], facts["found"]
    if about == "pack":
        yield _("The example's own choices do not fit the draft.")
    elif about == "refused":
        yield _refusal_sentence(facts)
    elif about in _MOMENTS and _both(wanted, found, Mapping):
        yield from _moments(about, wanted, found, pack=pack)
    elif about in _MORE and _both(wanted, found, list):
        yield from _lists(about, wanted, found, pack=pack)
    elif about == "charges" and _both(wanted, found, list):
        yield from _charges(wanted, found, pack)
    else:
        yield _("%(name)s: %(found)s instead of %(wanted)s.", **_other(facts, pack))


def _both(one: Any, other: Any, kind: type) -> bool:
    return isinstance(one, kind) and isinstance(other, kind)


def _refusal_sentence(facts: Mapping[str, Any]) -> str:
    deed = wording.deed(str(facts.get("deed") or ""))
    found = facts["found"]
    if isinstance(found, Mapping):
        why = wording.error(refusals.load_refusal(found))
        return _("“%(deed)s” is refused now: %(why)s", deed=deed, why=why)
    return _("“%(deed)s” was refused and is possible now.", deed=deed)


def _moments(
    about: str, wanted: Mapping[str, Any], found: Mapping[str, Any], *, pack: Pack
) -> Iterator[str]:
    for key, before in wanted.items():
        now, name = found.get(key), pack.label("deadline", key)
        if now == before:
            continue
        if now in _NONE:
            yield _("“%(name)s” does not run any more.", name=name)
        elif before in _NONE:
            yield _("“%(name)s” runs now as well.", name=name)
        else:
            yield _(_MOMENTS[about], name=name, found=now, wanted=before)


def _lists(about: str, wanted: list[Any], found: list[Any], *, pack: Pack) -> Iterator[str]:
    for sentences, keys in ((_MORE, _beyond(found, wanted)), (_LESS, _beyond(wanted, found))):
        for key in keys:
            name = pack.label("deadline", str(key).partition("/")[0])
            yield _(sentences[about], name=name)


def _beyond(one: list[Any], other: list[Any]) -> list[Any]:
    """Return what stands in a list beyond another, each as often as it stands there more."""
    left, beyond = list(other), []
    for item in one:
        if item in left:
            left.remove(item)
        else:
            beyond.append(item)
    return beyond


def _charges(wanted: list[Any], found: list[Any], pack: Pack) -> Iterator[str]:
    for row in _beyond(found, wanted):
        yield _("“%(name)s” brings %(sum)s now.", **_charge(row, pack))
    for row in _beyond(wanted, found):
        yield _("“%(name)s” does not bring %(sum)s any more.", **_charge(row, pack))


def _charge(row: Mapping[str, Any], pack: Pack) -> dict[str, str]:
    rule = str(row.get("rule"))
    section = "penalty" if pack.find("penalty", rule) else "reward"
    amount = Decimal(str(row.get("yuan") or 0))
    return {"name": pack.label(section, rule), "sum": wording.money(amount)}


_ABOUT = {
    "charge_status": mark("State of the penalties"),
    "months": mark("Wage month"),
    "counts": mark("Counted"),
    "signatures": mark("Signatures"),
    "offered": mark("Deeds offered"),
    "calls": mark("Calls"),
    "filed": mark("Written down"),
    "says": mark("What conditions see"),
    "told": mark("Who is told"),
    "juries": mark("Juries"),
    "meant_for": mark("Department it is meant for"),
    "state": mark("State of the deadlines"),
    "binds": mark("Who answers for the deadlines"),
    "revisions": mark("Why ends were moved"),
    "over": mark("Deadlines that gave way"),
    "provisional": mark("Provisional ends"),
    "clause": mark("Clause of the refusal"),
    "extra": mark("Fields of the regulation"),
    "period": mark("Period of the number"),
}


def _other(facts: Mapping[str, Any], pack: Pack) -> dict[str, str]:
    """Return the name of what was expected, and both values in words; of tables what differs."""
    about, wanted, found = str(facts["about"]), facts["wanted"], facts["found"]
    name = _(_ABOUT[about]) if about in _ABOUT else wording.field(about)
    if about not in _ABOUT and about not in _FACTS and " " in about:
        name = _period_name(about, pack)
    if _both(wanted, found, Mapping):
        differ = [key for key in wanted if wanted[key] != found.get(key)]
        wanted = {key: wanted[key] for key in differ}
        found = {key: found.get(key) for key in differ}
    words = {"wanted": wanted, "found": found}
    return {"name": name} | {key: _value(about, said, pack) for key, said in words.items()}


def _period_name(about: str, pack: Pack) -> str:
    """Return the name of a report or an indicator from `due weekly on`, `figure timely value`."""
    sort, key, *_field = about.split(" ")
    return pack.label("report" if sort == "due" else "indicator", key)


def _value(about: str, value: Any, pack: Pack) -> str:
    if value in _NONE or value in ([], {}):
        return "—"
    if isinstance(value, Mapping):
        said = (f"{_key_label(key, pack)}: {_value('', one, pack)}" for key, one in value.items())
        return _("; ").join(said)
    if isinstance(value, list):
        return _(", ").join(_value(about, one, pack) for one in value)
    if about in _FACTS and isinstance(value, str):
        return field_text.value_text((_FACTS[about],), value, field_text.names_of(pack, {}))
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return _key_label(str(value), pack)


_SECTIONS = ("deadline", "penalty", "reward", "counter", "post", "form", "field", "alert")


def _key_label(key: str, pack: Pack) -> str:
    """Return the label of whatever entry a key may mean; a deed's where it is one."""
    entry = next((one for s in _SECTIONS if (one := pack.find(s, key))), None)
    return entry.label if entry is not None else wording.deed(key)
