"""Form entries of a case in words: forms, reports, checklists, approvals, the jury.

The case page, lists, exports and workbooks use the same words. Labels come from the regulation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import wording
from policy.pack.schema import Pack
from policy.vocabulary.facts import FormEntryFacts
from wording import _, field_text, mark
from wording.labels import ROLES, role

People = Mapping[str, Any]
Line = tuple[str, str]


def field_value_text(entry: Any, said: Any, people: People | None = None) -> str:
    """Return the value of a regulation's field as a person reads it; empty for no value.

    `entry` is the field of the case or of the form, `people` are employees by number.
    """
    if said in (None, "", [], ()):
        return ""
    match entry.shape:
        case "flag":
            return _("yes") if said else _("no")
        case "choice" | "choices":
            labels = {one.key: one.label for one in entry.choices}
            keys = said if isinstance(said, list | tuple) else [said]
            return "、".join(labels.get(key, str(key)) for key in keys)
        case "money":
            return _money_text(said)
        case "percent":
            return f"{said} %"
        case "time":
            return _moment_text(said)
        case "employee":
            return str((people or {}).get(str(said), said))
    return str(said)


def _money_text(said: Any) -> str:
    try:
        return wording.money(Decimal(str(said)))
    except InvalidOperation:
        return str(said)


def _moment_text(said: Any) -> str:
    try:
        return wording.moment(dt.datetime.fromisoformat(str(said)))
    except ValueError:
        return str(said)


def form_lines(entry: Any, data: Mapping[str, Any], people: People | None = None) -> list[Line]:
    """Return the fields of a filled form with their labels, in the order of the form."""
    known = [(one.label, field_value_text(one, data.get(one.key), people)) for one in entry.fields]
    strange = [(key, str(said)) for key, said in data.items() if entry.field(key) is None]
    return [line for line in (*known, *strange) if line[1]]


# ---------------------------------------------------------------- penalties and rewards


def sanctions_text(keys: Iterable[str], pack: Pack) -> str:
    """Return the sanctions beside a sum or instead of one: a demerit, an element of pay."""
    return "、".join(pack.label("sanction", key) for key in keys)


def ground_label(rule: str, pack: Pack) -> str:
    """Return the regulation's label of the ground of a penalty or a reward."""
    return pack.label("penalty" if pack.find("penalty", rule) else "reward", rule)


def ground_and_sanctions(rule: str, keys: Sequence[str], pack: Pack) -> str:
    """Return the ground with its sanctions, where there is room for one text only."""
    label = ground_label(rule, pack)
    return f"{label}（{sanctions_text(keys, pack)}）" if keys else label


def price_text(entry: Any, pack: Pack) -> str:
    """Return what a penalty takes or a reward gives, in words."""
    said = [wording.money(entry.amount)] if entry.amount else []
    if entry.by_decision:
        said.append(_("sum by decision"))
    if keys := getattr(entry, "sanctions", ()):
        said.append(sanctions_text(keys, pack))
    return " + ".join(said)


# ---------------------------------------------------------------- one form entry


@dataclass(frozen=True, slots=True)
class EntryText:
    """One form entry in words: its sort, its title, its clause, and its lines."""

    sort: str
    title: str
    cite: str
    lines: Sequence[Line]


_SORTS = {
    "form": mark("Form"),
    "report_out": mark("Report outside"),
    "checklist": mark("Evidence"),
    "chain": mark("Approval"),
    "overtaken_chain": mark("Approval that counts no longer"),
    "overtaken_form": mark("Entry that counts no longer"),
    "ladder": mark("Passed up"),
    "participant": mark("Department involved"),
    "promise": mark("Promise"),
    "informed": mark("Customer told"),
    "finding": mark("Finding"),
    "claim": mark("Claim against the company"),
    "severity": mark("Grade changed"),
    "appeal": mark("Appeal"),
    "vote": mark("Jury appointed"),
    "ballot": mark("Vote"),
    "ruling": mark("Ruling"),
}
_SECTIONS = {
    "participant": "department",
    "overtaken_chain": "chain",
    "overtaken_form": "form",
    "appeal": "vote",
    "ballot": "vote",
    "ruling": "vote",
}


def entry_text(one: FormEntryFacts, pack: Pack, people: People) -> EntryText:
    """Return a form entry of a case in words."""
    section = _SECTIONS.get(one.section, one.section)
    entry = pack.find(section, one.key)
    if one.section == "form" and entry is not None:
        lines = form_lines(entry, one.data, people)
    else:
        lines = _entry_lines(one, entry, pack, people=people)
    sort = _(_SORTS[one.section]) if one.section in _SORTS else one.section
    title = field_text.literal_text("about", one.key) if one.section == "informed" else ""
    if one.section == "promise":
        title = ""
    elif not title:
        title = entry.label if entry else one.key
    return EntryText(sort, title, entry.cite if entry else "", [line for line in lines if line[1]])


def _entry_lines(one: FormEntryFacts, entry: Any, pack: Pack, *, people: People) -> list[Line]:
    match one.section:
        case "checklist":
            return _checklist_lines(one.data, entry)
        case "report_out":
            return _report_lines(one.data, entry)
        case "overtaken_chain" | "overtaken_form":
            kept, _dot, key = str(one.data.get("by", "")).partition(".")
            return [(_("Because of"), pack.label(kept, key))]
        case "severity":
            was = pack.label("severity", one.data.get("was")) or "—"
            because = wording.deed(str(one.data.get("because", "")))
            return [(_("Before"), was), (_("Because of"), because)]
    shown = [(name, said) for name, said in one.data.items() if name not in _HIDDEN]
    return [
        (_name_label(name), _value_text(name, said, pack, people=people)) for name, said in shown
    ]


_HIDDEN = frozenset({"complete", "step", "level", "valid"})
"""Keys kept for conditions; the page shows them in another way."""


def _checklist_lines(data: Mapping[str, Any], entry: Any) -> list[Line]:
    items = {item.key: item.label for item in entry.items} if entry else {}
    photo = _("attached") if data.get("paper") else ""
    item = items.get(str(data["item"]), str(data["item"]))
    return [(item, str(data.get("evidence") or "")), (wording.field("paper"), photo)]


def _report_lines(data: Mapping[str, Any], entry: Any) -> list[Line]:
    ways = {way.key: way.label for way in entry.ways} if entry else {}
    return [
        (wording.field("addressee"), str(data.get("addressee") or "")),
        (wording.field("way"), ways.get(str(data.get("way")), str(data.get("way") or ""))),
        (wording.field("proof"), str(data.get("proof") or "")),
        (wording.field("text"), str(data.get("text") or "")),
    ]


_NAMES = {
    "recused": mark("Kept out"),
    "standing": mark("Result"),
    "count": mark("How many in the year"),
    "yes": mark("Votes for it"),
    "of": mark("Members"),
}
_STANDINGS = {
    "open": mark("open"),
    "approved": mark("approved"),
    "refused": mark("refused"),
    "agreed": mark("agreed"),
}


def vote_state_label(key: str | None) -> str:
    """Return the state of an approval or a jury's question in words."""
    return _(_STANDINGS[key]) if key in _STANDINGS else ""


def post_label(key: str, pack: Pack) -> str:
    """Return the label of a step of an approval or ladder: a post, or a role on the case."""
    return role(key) if key in ROLES else pack.label("post", key)


def _name_label(name: str) -> str:
    return _(_NAMES[name]) if name in _NAMES else wording.field(name)


def _value_text(name: str, said: Any, pack: Pack, *, people: People) -> str:
    if said in (None, "", [], ()):
        return ""
    match name:
        case "standing":
            return vote_state_label(str(said))
        case "post":
            return post_label(str(said), pack)
        case "amount":
            return _money_text(said)
        case "until":
            return _moment_text(said)
    if isinstance(said, bool):
        return _("yes") if said else _("no")
    if isinstance(said, list | tuple):
        return "、".join(str(people.get(str(who), who)) for who in said)
    return str(people.get(said, said)) if name == "employee" else str(said)
