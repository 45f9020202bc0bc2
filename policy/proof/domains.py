"""The values a field of a condition can have, and whether its rows can hold together.

Forms use them for drop-downs, the check of a draft for rules that never apply. A field whose values
cannot be listed is decided by trying the values its own rows name and their neighbours: what none
of those satisfies, no value satisfies.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from policy.pack.forms_and_reports import OF_A_ROUND, OF_DEADLINES, ROUND_FACTS
from policy.pack.loading import ENTRY_SECTIONS, KNOWN_FACTS
from policy.pack.schema import SECTIONS, Pack
from policy.pack.shapes import ConditionRow, Operator
from policy.vocabulary.events import EVENTS, fields_named
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import FieldMarks, RefTo, marks_of
from policy.vocabulary.status import CallOutcome

Kind = Literal["choice", "flag", "number", "date", "text", "unknown"]


@dataclass(frozen=True, slots=True)
class Domain:
    """The kind of a field's values, and the values where they can be listed.

    `section` is set where they are keys of the pack, `enumeration` where they are members of one of
    our enumerations.
    """

    kind: Kind
    values: tuple[str, ...] = ()
    section: str | None = None
    enumeration: type[enum.Enum] | None = None


_KEPT_AS = {"participant": "department", "appeal": "vote"}
_STATES = {"chain": ("open", "approved", "refused"), "vote": ("open", "agreed", "refused")}
"""How an approval and a vote may stand; nothing there is said by `filled = false`."""
_FLAGS = frozenset({"unhappy", "demands_more", "satisfaction_unhappy"})
_SHAPES: dict[str, Kind] = {
    "flag": "flag",
    "number": "number",
    "money": "number",
    "percent": "number",
    "date": "date",
    "time": "date",
}


def condition_fields(pack: Pack) -> list[str]:
    """Return every field a condition of the pack may ask for: of the case, its own, the event."""
    events = {f"event.{name}" for kind in EVENTS.values() for name in kind.model_fields}
    hidden = {"event.type", "event.by", "event.extra", "event.number", "event.at"}
    own = [*(entry.key for entry in pack.field), *_entry_domains(pack)]
    rounds = (f"round.{name}" for name in sorted(ROUND_FACTS))
    return [*sorted(KNOWN_FACTS), *own, *rounds, *sorted(events - hidden)]


def _entry_domains(pack: Pack) -> dict[str, Domain]:
    """Return the domains of form entries: how often one was made, its fields, its state.

    Keys are the paths of conditions, such as `form.visit.day`; those of this round alone come
    after `round.`, as in `round.form.visit.day`.
    """
    found: dict[str, Domain] = {}
    for name in sorted(ENTRY_SECTIONS):
        section = _KEPT_AS.get(name, name)
        for entry in getattr(pack, section, ()):
            found[f"{name}.{entry.key}"] = _entry_domain(name)
            for field in entry.fields if name == "form" else ():
                found[f"{name}.{entry.key}.{field.key}"] = _field_entry_domain(field)
    of_a_round = {path: held for path, held in found.items() if path.split(".")[0] in OF_A_ROUND}
    return found | {f"round.{path}": held for path, held in of_a_round.items()}


def _entry_domain(section: str) -> Domain:
    if section in _STATES:
        return Domain("choice", _STATES[section])
    return Domain("flag" if section == "checklist" else "number")


def field_domain(pack: Pack, field: str) -> Domain:
    """Return the domain of a field under a pack; of kind "unknown" for an unknown field."""
    own = pack.find("field", field)
    if own is not None:
        return _field_entry_domain(own)
    if field.startswith("event.data."):
        return _filled_field_domain(pack, field.removeprefix("event.data."))
    if field.startswith("event.extra."):
        return field_domain(pack, field.removeprefix("event.extra."))
    if field == "extension":
        return Domain("choice", ("asked", "granted", "refused"))
    if field.startswith("round.") and field.removeprefix("round.") in ROUND_FACTS:
        return _round_fact_domain(pack, field.removeprefix("round."))
    if field.partition(".")[0] in OF_DEADLINES:
        return Domain("flag")
    if field.startswith("event."):
        return _event_field_domain(pack, field.removeprefix("event."))
    if field in _FLAGS:
        return Domain("flag")
    if field in KNOWN_FACTS:
        return _fact_domain(pack, field)
    return _entry_domains(pack).get(field, Domain("unknown")) if "." in field else Domain("unknown")


def _round_fact_domain(pack: Pack, name: str) -> Domain:
    """Return the domain of what is asked of a round: the last call's outcome, or a fact's own."""
    if name.startswith("call"):
        return Domain("choice", tuple(one.value for one in CallOutcome), enumeration=CallOutcome)
    return field_domain(pack, name)


def _field_entry_domain(entry: Any) -> Domain:
    if entry.shape == "choice":
        return Domain("choice", tuple(choice.key for choice in entry.choices))
    if entry.shape in ("choices", "cases"):
        # Several at once: no single value stands for them, and each must be one of the choices.
        return Domain("unknown", tuple(choice.key for choice in entry.choices))
    return Domain(_SHAPES.get(entry.shape, "text"))


def _filled_field_domain(pack: Pack, key: str) -> Domain:
    """Return the domain of a field of the form being filled in, whichever form that is."""
    fields = [form.field(key) for form in pack.form]
    found = [_field_entry_domain(one) for one in fields if one is not None]
    kinds = {one.kind for one in found}
    values = tuple(dict.fromkeys(value for one in found for value in one.values))
    return Domain(kinds.pop(), values) if len(kinds) == 1 else Domain("unknown", values)


def _fact_domain(pack: Pack, field: str) -> Domain:
    one = marks_of(CaseFacts).get(field)
    if one is None:
        return Domain("text")  # counted from the case, which keeps no such field
    if one.shape == "time":
        return Domain("date")
    return _section_domain(pack, one.refs[0]) if one.refs else _marked_domain(one)


def _section_domain(pack: Pack, ref: RefTo) -> Domain:
    keys = tuple(entry.key for entry in getattr(pack, ref.section) if ref.offers(entry))
    return Domain("choice", keys, section=ref.section)


_KINDS: dict[str, Kind] = {"flag": "flag", "number": "number", "money": "number"}
"""The kinds of fields of a case and of an event, by shape; the others are texts."""


def _marked_domain(one: FieldMarks) -> Domain:
    """Return the domain of a field whose values are no keys of the pack."""
    if one.members is not None:
        values = tuple(str(member.value) for member in one.members)
        return Domain("choice", values, enumeration=one.members)
    if one.words:
        return Domain("choice", one.words)
    return Domain("text" if one.several or one.table else _KINDS.get(one.shape, "text"))


def _event_field_domain(pack: Pack, name: str) -> Domain:
    """Return the domain of an event's field; where events differ, the union of their values."""
    fields = fields_named(name)
    fact = marks_of(CaseFacts).get(name)
    if fact and fact.refs and fields:
        return _section_domain(pack, fact.refs[0])
    found = [_marked_domain(one) for one in fields]
    values = tuple(dict.fromkeys(value for one in found for value in one.values))
    kinds = {one.kind for one in found}
    if len(kinds) != 1:
        return Domain("text", values) if found else Domain("unknown")
    enumeration = found[0].enumeration if len(found) == 1 else None
    return Domain(kinds.pop(), values, enumeration=enumeration)


def asked_fields(pack: Pack) -> frozenset[str]:
    """Return the fields that conditions of the pack ask for."""
    return frozenset(row.field for row in all_conditions(pack))


def all_conditions(pack: Pack) -> Iterator[ConditionRow]:
    """Yield the rows of every condition of the pack."""
    for section in SECTIONS:
        for entry in getattr(pack, section):
            yield from _condition_rows(entry)


def _condition_rows(entry: Any) -> Iterator[ConditionRow]:
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if isinstance(value, tuple):
            yield from (row for row in value if isinstance(row, ConditionRow))


def key_of_label(pack: Pack, path: str, text: str) -> str | None:
    """Return the key of the value that a text is the label of; None where it is no label.

    A person types what the screen shows, perhaps before there is such an entry.
    """
    known = field_domain(pack, path)
    if known.section:
        labels = {pack.label(known.section, key): key for key in known.values}
        return labels.get(text)
    return next((c.key for c in _choices_of(pack, path) if c.label == text), None)


def with_keys_of_labels(pack: Pack, value: Any) -> Any:
    """Return plain data whose conditions name the keys of values that were typed as labels."""
    if isinstance(value, list | tuple):
        return [with_keys_of_labels(pack, inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    path = value.get("field")
    if isinstance(path, str):
        return {name: _looked_up(pack, path, said) for name, said in value.items()}
    return {name: with_keys_of_labels(pack, inner) for name, inner in value.items()}


def _looked_up(pack: Pack, path: str, said: Any) -> Any:
    """Return a value of a condition, or several, with labels as keys; keys stay as they are."""
    if isinstance(said, list | tuple):
        return [_looked_up(pack, path, one) for one in said]
    if not isinstance(said, str) or said == path or said in field_domain(pack, path).values:
        return said
    return key_of_label(pack, path, said) or said


def _choices_of(pack: Pack, path: str) -> tuple[Any, ...]:
    """Return the choices of the field that a path is about; () where it offers none."""
    parts = path.removeprefix("round.").split(".")
    form = pack.find("form", parts[1]) if parts[0] == "form" and len(parts) > 2 else None
    if form is not None:
        fields = [form.field(parts[2])]
    elif path.startswith("event.data."):
        fields = [one.field(parts[-1]) for one in pack.form]
    else:
        fields = [pack.find("field", path.removeprefix("event.extra."))]
    return tuple(choice for one in fields if one is not None for choice in one.choices)


# ---------------------------------------------------------------- what can never hold


def impossible_values(pack: Pack, rows: Iterable[ConditionRow]) -> Iterator[tuple[str, str]]:
    """Yield the (field, value) pairs of rows that name a value their field cannot have."""
    for row in rows:
        known = field_domain(pack, row.field)
        if known.kind == "flag" and row.op is not Operator.filled:
            yield from ((row.field, str(v)) for v in _named_values(row) if not isinstance(v, bool))
        listed = known.kind == "choice" or (known.kind == "unknown" and known.values)
        if listed and row.op not in _COMPARING:
            yield from ((row.field, str(v)) for v in _named_values(row) if not _is_listed(v, known))
        if known.kind == "number" and row.op not in _COMPARING:
            yield from ((row.field, str(v)) for v in _named_values(row) if _number(v) is None)
        if row.op in _COMPARING and known.kind in ("number", "text", "unknown"):
            yield from ((row.field, str(v)) for v in _named_values(row) if _number(v) is None)


_COMPARING = (Operator.at_least, Operator.at_most, Operator.below)


def _named_values(row: ConditionRow) -> tuple[Any, ...]:
    if row.op is Operator.filled:
        return ()
    return row.value if isinstance(row.value, tuple) else (row.value,)


def _is_listed(value: Any, known: Domain) -> bool:
    return isinstance(value, str) and value in known.values


def satisfiable(pack: Pack, rows: Sequence[ConditionRow]) -> bool:
    """Whether some case could satisfy all rows; each field is decided by itself."""
    by_field: dict[str, list[ConditionRow]] = defaultdict(list)
    for row in rows:
        by_field[row.field].append(row)
    return all(_some_value(pack, field, said) for field, said in by_field.items())


def _some_value(pack: Pack, field: str, rows: list[ConditionRow]) -> bool:
    if any(row.op in _COMPARING and _number(row.value) is None for row in rows):
        return True  # that it compares with no number is said elsewhere
    return any(all(row.holds(value) for row in rows) for value in _values_to_try(pack, field, rows))


def _values_to_try(pack: Pack, field: str, rows: list[ConditionRow]) -> Iterator[Any]:
    """Yield values that represent all the field can have: none, each listed one, those named."""
    known = field_domain(pack, field)
    yield None
    if known.kind == "choice":
        yield from known.values
    elif known.kind == "flag":
        yield from (True, False)
    else:
        yield from _neighbouring_values(rows)


def _neighbouring_values(rows: list[ConditionRow]) -> Iterator[Any]:
    """Yield the values rows name, the neighbours of numbers, and one that no row names."""
    compared = any(row.op in _COMPARING for row in rows)
    named = [value for row in rows for value in _named_values(row)]
    numbers = [n for n in map(_number, named) if n is not None]
    for number in numbers:
        yield from (number, number - 1, number + 1)
    if not compared:
        yield from named
        yield "\0"


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
