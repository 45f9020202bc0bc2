"""Mutations of a pack: one thing changed at a time, and which changes no case notices.

A number, unit, event, person or condition is changed; a change that no case notices is a rule
without proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from policy.pack.loading import (
    check_pack,
    fill_parameters,
    is_role,
    parameter_values,
)
from policy.pack.schema import SECTIONS, Pack, PolicyHead
from policy.pack.shapes import ConditionRow, Quantity
from policy.proof.play import Case, Packs, Play
from policy.vocabulary.events import EVENTS
from policy.vocabulary.marks import FieldMarks, marks_of
from policy.vocabulary.worktime import Unit, WorkCalendar


@dataclass(frozen=True, slots=True)
class Mutation:
    """A pack with one thing changed: `data` is the changed pack, `entry` the changed entry.

    `index` is the entry's position in its section; for the head of the pack it is 0.
    """

    place: str
    cite: str
    was: Any
    now: Any
    data: Mapping[str, Any]
    section: str
    index: int
    entry: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.place}: {_text(self.was)} -> {_text(self.now)} · {self.cite}"


def _text(value: Any) -> str:
    return "nothing" if value is None else str(getattr(value, "value", value))


# ---------------------------------------------------------------- changes to a pack

_DESCRIBES = frozenset(
    {"key", "label", "cite", "note", "title", "scope", "text", "columns", "contents"}
)
_NOT_RULES = frozenset(
    {"parameter", "clause", "post", "channel", "category", "field", "ledger", "script"}
)
"""Sections that decide nothing about a case; their texts are proven by tests."""
_ABOUT_PAY = frozenset({"appeal_term", "wage_month_ends_on"})
"""Fields of the head about pay; a regulation without penalties and rewards skips them."""
_NOT_OF_CASES = frozenset({"alone", "customer_flag_term", "customer_flag_cite"})
"""Fields about forms outside cases and about customers, which no case can notice."""
_ONE_AFTER_ANOTHER = frozenset({"steps", "to", "members"})
_EVENT_FIELDS = frozenset({"starts_on", "met_by", "event", "before"})
_ASSUMED = frozenset({"deputy", "recorded", "judged_by", "counts_from"})
_FAMILIES = (
    (Unit.minute, Unit.hour),
    (Unit.working_hour, Unit.working_day),
    (Unit.calendar_day, Unit.week),
    (Unit.month, Unit.year),
)


def mutations(
    data: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
) -> Iterator[Mutation]:
    """Yield every change of one thing in the plain data of a pack, entry by entry.

    A field that reads `"$name"` is changed where it is used, so that each use is proven;
    `parameters` are a company's values for parameters the pack leaves open.
    """
    chosen = {entry["key"]: entry.get("value") for entry in data.get("parameter", ())}
    chosen |= parameters or {}
    head = data["policy"]
    pays = bool(data.get("penalty") or data.get("reward"))
    for field, was, now in _changed_values(PolicyHead, head, chosen, data=data):
        if field in _ABOUT_PAY and not pays:
            continue
        changed = _with_field(head, field, now)
        whole = {**data, "policy": changed}
        yield Mutation(f"policy.{field}", head["cite"], was, now, whole, "policy", 0, changed)
    for section in (name for name in SECTIONS if name not in _NOT_RULES):
        entries = data.get(section, ())
        for n, entry in enumerate(entries):
            for field, was, now in _changed_values(SECTIONS[section], entry, chosen, data=data):
                other = _with_field(entry, field, now)
                whole = {**data, section: [*entries[:n], other, *entries[n + 1 :]]}
                place = f"{section}.[{entry['key']}].{field}"
                yield Mutation(place, entry["cite"], was, now, whole, section, n, other)


def _with_field(entry: Mapping[str, Any], field: str, value: Any) -> dict[str, Any]:
    changed = {**entry, field: value}
    return changed if value is not None else {k: v for k, v in entry.items() if k != field}


def _changed_values(
    shape: Any, entry: Mapping[str, Any], chosen: Mapping[str, Any], *, data: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (field, value, other value) of one entry.

    A field left out is changed too where its default decides something: what a deadline counts
    from, whether a deputy may.
    """
    marks = marks_of(shape)
    for field, info in shape.model_fields.items():
        said = field in entry or (field in _ASSUMED and _matters(field, entry, chosen))
        if field in _DESCRIBES | _NOT_OF_CASES or not said:
            continue
        value = entry.get(field, info.default)
        value = _resolved(value, chosen)
        for other in _other_values(marks[field], value, data):
            if not _same_occasion(field, entry, value, other=other):
                yield field, value, other


def _same_occasion(field: str, entry: Mapping[str, Any], value: Any, *, other: Any) -> bool:
    """Whether another `per` means the same: a deadline breaks, and a case restarts, once a round.

    A penalty for a certain complaint of a year has that complaint as its occasion, and only a
    surcharge tells an order, of each of its bases, from the complaint.
    """
    if field != "per" or other is None:
        return False
    once = "breach_of" in entry or entry.get("event") == "restarted"
    whole = "adds_to" not in entry and {value, other} == {"order", "complaint"}
    return "from_count" in entry or whole or (once and {value, other} == {"time", "round"})


def _resolved(value: Any, chosen: Mapping[str, Any]) -> Any:
    """Return a value with its parameters filled in, in the rows of a condition too."""
    if isinstance(value, str) and value.startswith("$"):
        return chosen[value[1:]]
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [{k: _resolved(v, chosen) for k, v in row.items()} for row in value]
    return value


def _matters(field: str, entry: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    """Whether the default of a left-out field decides something.

    A deputy needs a post that is held; only a deadline the registration starts can count from the
    receipt.
    """
    if field == "deputy":
        return not all(is_role(who) for who in _resolved(entry["by"], chosen))
    if field == "counts_from":
        return "registered" in _resolved(entry["starts_on"], chosen)
    return field != "judged_by" or bool(entry.get("met_by"))


def _other_values(one: FieldMarks, value: Any, data: Mapping[str, Any]) -> Iterator[Any]:
    field = one.name
    if field in _EVENT_FIELDS:
        yield from _other_events(value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, Mapping):
        yield from _other_terms(Quantity.model_validate(value))
    elif isinstance(value, int | Decimal):
        yield from (value - 1, value + 1)
    elif field in _ONE_AFTER_ANOTHER:
        yield from _other_order(field, list(value), data)
    elif isinstance(value, list | tuple) and value and "field" in value[0]:
        yield from _other_conditions(list(value))
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        yield from _other_parts(list(value))
    elif isinstance(value, list | tuple):
        yield from _without_each(list(value))
        if field in ("by", "steps", "to") and len(value) == 1:
            yield from ([other] for other in _other_posts(value[0], data))
    else:
        yield from _other_words(one, value, data)


def _other_events(value: Any) -> Iterator[Any]:
    """Yield the events with each replaced by the next of the vocabulary, and with each left out."""
    names = list(EVENTS)
    if isinstance(value, str):
        yield from (names[(names.index(value) + 1) % len(names)], None)
        return
    for n, name in enumerate(value):
        following = names[names.index(name) + 1 :] + names
        other = next(candidate for candidate in following if candidate not in value)
        yield [*value[:n], other, *value[n + 1 :]]
    yield from _without_each(list(value))


def _other_order(field: str, posts: list[str], data: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the posts with each left out, and with each replaced by another."""
    if len(posts) > 1:
        yield from _without_each(posts)
    for n, post in enumerate(posts):
        for other in _other_posts(post, data):
            yield [*posts[:n], other, *posts[n + 1 :]]
    if field == "steps" and len(posts) > 1:
        yield [*posts[1:], posts[0]]


def _other_terms(term: Quantity) -> Iterator[dict[str, Any]]:
    """Yield a unit more, a unit less, another unit of the family and one of each other family.

    A term to a time of day ends an hour later; one that has its whole last day loses that;
    `same_day` has no amount.
    """
    shown: dict[str, Any] = {"at": term.at} if term.at is not None else {}
    if term.ends_day:
        yield {"amount": term.amount, "unit": term.unit.value}
        shown = {"ends_day": True}
    if term.unit is not Unit.same_day:
        for amount in (term.amount - 1, term.amount + 1):
            yield {"amount": amount, "unit": term.unit.value} | shown
    if term.at is not None:
        later = term.at.replace(hour=(term.at.hour + 1) % 24)
        yield {"amount": term.amount, "unit": term.unit.value, "at": later}
    home = next((n for n, units in enumerate(_FAMILIES) if term.unit in units), None)
    kin = [unit for unit in _FAMILIES[home] if unit is not term.unit] if home is not None else []
    for unit in (*kin, *(units[0] for n, units in enumerate(_FAMILIES) if n != home)):
        yield {"amount": term.amount, "unit": unit.value}


def _other_parts(parts: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the parts of a form, list or report with each dropped, and each flag turned."""
    yield from _without_each(parts)
    for n, part in enumerate(parts):
        for other in _other_part(part):
            yield [*parts[:n], other, *parts[n + 1 :]]


def _other_part(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for flag in ("required", "photo", "agreed"):
        if flag in part:
            yield part | {flag: not part[flag]}
    for fewer in _without_each(part.get("choices", [])):
        yield part | {"choices": fewer}
    if isinstance(part.get("within"), Mapping):
        for other in _other_terms(Quantity.model_validate(part["within"])):
            yield part | {"within": other}
    for bound in ("latest", "earliest", "within"):
        if bound in part:
            yield {name: value for name, value in part.items() if name != bound}
    if "at_least" in part:
        yield from (part | {"at_least": part["at_least"] + more} for more in (-1, 1))


def _other_conditions(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows with each dropped, each negated, and each value of a list dropped."""
    yield from _without_each(rows)
    for n, row in enumerate(rows):
        for other in _other_rows(row):
            yield [*rows[:n], other, *rows[n + 1 :]]


_BOUNDS = frozenset({"at_least", "at_most", "below"})
_OPPOSITES = {"is": "is_not", "is_not": "is", "in": "not_in", "not_in": "in"}


def _other_rows(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    said = ConditionRow.model_validate(row)
    if opposite := _OPPOSITES.get(said.op.value):
        yield {"field": said.field, opposite: row[said.op.value]}
    elif isinstance(said.value, bool):
        yield {"field": said.field, said.op.value: not said.value}
    if said.op.value in _BOUNDS:
        bound = Decimal(str(said.value))
        yield from ({"field": said.field, said.op.value: bound + n} for n in (-1, 1))
    if isinstance(said.value, tuple) and len(said.value) > 1:
        for fewer in _without_each(list(said.value)):
            yield {"field": said.field, said.op.value: fewer}


def _other_words(one: FieldMarks, value: str, data: Mapping[str, Any]) -> Iterator[Any]:
    """Yield another word of a fixed list, another key of a section, another width of a number."""
    yield from (word for word in one.words if word != value)
    for ref in one.refs:
        yield from _next_key([entry["key"] for entry in data.get(ref.section, ())], value)
    if one.name == "counts_from":
        yield from (word for word in ("event", "received") if word != value)
    if one.name == "binds":
        yield from (word for word in ("responsible", "handler") if word != value)
    if one.name == "template":
        yield from _other_widths(value)
    if one.optional and not one.required:
        yield None


def _other_widths(template: str) -> Iterator[str]:
    width = int(re.findall(r"\{serial:(\d)\}", template)[0])
    for other in (width - 1, width + 1):
        yield template.replace(f"serial:{width}", f"serial:{other}")


def _other_posts(who: str, data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the next post; of `member:`, the next department."""
    member, _, name = who.rpartition(":")
    keys = [entry["key"] for entry in data.get("department" if member else "post", ())]
    for other in _next_key(keys, name):
        yield f"member:{other}" if member else other


def _next_key(keys: list[str], key: str) -> list[str]:
    place = keys.index(key) if key in keys else -1
    return [other for other in [keys[(place + 1) % len(keys)]] if other != key]


def _without_each(values: list[Any]) -> Iterator[list[Any]]:
    for n in range(len(values)):
        yield [*values[:n], *values[n + 1 :]]


# ---------------------------------------------------------------- changes that no case notices


def unnoticed_mutations(
    mutations: Iterable[Mutation],
    cases: Sequence[Case],
    data: Mapping[str, Any],
    *,
    calendar: WorkCalendar,
) -> Iterator[Mutation]:
    """Yield the mutations of `data` under which every case still ends as it says.

    A change the loader refuses counts as noticed. Cases that cite the changed entry's clause are
    played first; a case that does not hold as the pack stands is left out.
    """
    packs = Packs(data)
    sound = [case for case in cases if _case_holds(case, packs.of(case.parameters), calendar)]
    for mutation in mutations:
        citing = [case for case in sound if mutation.cite in case.proves]
        others = [case for case in sound if mutation.cite not in case.proves]
        if not _noticed([*citing, *others], mutation, packs, calendar=calendar):
            yield mutation


def holding_cases(
    cases: Iterable[Case], data: Mapping[str, Any], calendar: WorkCalendar
) -> list[Case]:
    """Return the cases whose every expectation holds under a regulation's plain data."""
    packs = Packs(data)
    return [case for case in cases if _case_holds(case, packs.of(case.parameters), calendar)]


def _noticed(
    cases: Iterable[Case], mutation: Mutation, packs: Packs, *, calendar: WorkCalendar
) -> bool:
    """Whether some case ends otherwise, or the loader refuses the changed pack."""
    changed: dict[str, Pack] = {}
    try:
        for case in cases:
            chosen = repr(sorted(case.parameters.items()))
            if chosen not in changed:
                changed[chosen] = _with_one_changed(packs, mutation, case.parameters)
            if not _case_holds(case, changed[chosen], calendar):
                return True
    except ValidationError:
        return True
    return any(any(True for _ in check_pack(pack)) for pack in changed.values())


def _case_holds(case: Case, pack: Pack, calendar: WorkCalendar) -> bool:
    return not any(True for _ in Play(case, pack, calendar).mismatches())


def _with_one_changed(packs: Packs, mutation: Mutation, parameters: Mapping[str, Any]) -> Pack:
    """The pack of some parameters with one entry changed, and no other entry read again.

    Raises ValidationError where the entry cannot be as it was changed.
    """
    pack = packs.of(parameters)
    parts = {name: getattr(pack, name) for name in Pack.model_fields}
    plain = fill_parameters(mutation.entry, parameter_values(packs.data, parameters))
    if mutation.section == "policy":
        return Pack.model_construct(**parts | {"policy": PolicyHead.model_validate(plain)})
    entry = SECTIONS[mutation.section].model_validate(plain)
    old = parts[mutation.section]
    new = (*old[: mutation.index], entry, *old[mutation.index + 1 :])
    return Pack.model_construct(**parts | {mutation.section: new})
