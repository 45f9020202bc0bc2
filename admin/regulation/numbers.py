"""Every term, amount, count and year of a draft: where it stands, what it was, what it is now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models import PolicyRule
from policy.pack.slots import NUMERIC, Slot, numeric_values, parameter_shapes
from wording.rule_choices import RuleChoices

_COUNT = Slot("value", "number", required=False)
_TERM = Slot("value", "quantity", required=False)


@dataclass(frozen=True)
class NumberRow:
    """One number: the row of its rule, its slot, its clause, and what it said before."""

    rule: PolicyRule
    slot: Slot
    label: str
    cite: str
    note: str
    value: Any
    old: Any
    known: bool
    used_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its input."""
        return f"n{self.rule.id}-{self.slot.name}"

    @property
    def changed(self) -> bool:
        """Whether it differs from the version the draft was begun from."""
        return self.known and not _same(self.value, self.old)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {k: str(v) for k, v in one.items()} == {k: str(v) for k, v in other.items()}
    return str(one) == str(other)


def number_rows(
    rules: Iterable[PolicyRule], before: Mapping[str, Any] | None, rule_choices: RuleChoices
) -> list[NumberRow]:
    """The numbers of a version, its parameters first; `before` is what it was begun from."""
    old = _by_key(before or {})
    asked = parameter_shapes(rule_choices.data)
    users = _users(rule_choices)
    return [
        NumberRow(
            rule=rule,
            slot=slot,
            label=str(rule.data.get("label") or rule.key),
            cite=str(rule.data.get("cite") or ""),
            note=str(rule.data.get("note") or ""),
            value=value,
            old=old.get((rule.section, rule.key), {}).get(slot.name),
            known=before is not None,
            used_by=tuple(users.get(rule.key, ())) if rule.section == "parameter" else (),
        )
        for rule in rules
        for slot, value in _numbers(rule, asked)
    ]


def _numbers(rule: PolicyRule, asked: Mapping[str, Slot]) -> Iterator[tuple[Slot, Any]]:
    if rule.section != "parameter":
        yield from numeric_values(rule.section, rule.data)
    elif (slot := value_slot(rule.data, asked)) and slot.shape in NUMERIC:
        yield slot, rule.data.get("value")


def value_slot(parameter: Mapping[str, Any], asked: Mapping[str, Slot]) -> Slot:
    """The slot of a parameter's value: that of the rule which asks for it, else by what it says."""
    user = asked.get(str(parameter.get("key")))
    if user is not None:
        return Slot("value", user.shape, False, None, user.section, user.words, user.events)
    value = parameter.get("value")
    if isinstance(value, Mapping):
        return _TERM
    if isinstance(value, int) and not isinstance(value, bool):
        return _COUNT
    return Slot("value", "any", required=False)


def _by_key(data: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for section, value in data.items():
        for entry in [value] if isinstance(value, Mapping) else value:
            if isinstance(entry, Mapping):
                found[section, str(entry.get("key") or "")] = entry
    return found


def _users(rule_choices: RuleChoices) -> dict[str, list[str]]:
    """The labels of the rules that ask for each parameter."""
    found: dict[str, list[str]] = {}
    for (section, key), entry in _by_key(rule_choices.data).items():
        for value in entry.values():
            if isinstance(value, str) and value.startswith("$"):
                found.setdefault(value[1:], []).append(rule_choices.label(section, key))
    return found
