"""A what-if over past cases in words: for pages, tables and lines.

The result is kept as data with the labels of its day; sentences, states and sums are made here, in
the reader's language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import wording
from policy.proof.whatif import RuleCount, Totals
from policy.vocabulary import refusals
from policy.vocabulary.status import Status
from wording import _


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
