"""Refusals as JSON data and back, so that they can be kept and rendered later in any language."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from policy.vocabulary import status
from policy.vocabulary.errors import DomainError, TrialFailed


def dump_refusal(refusal: DomainError) -> dict[str, Any]:
    """Return a refusal's code and facts as JSON, each fact with its type where JSON lacks it."""
    return {
        "code": refusal.code,
        "facts": {name: _to_json(value) for name, value in refusal.facts.items()},
    }


def load_refusal(data: Mapping[str, Any]) -> DomainError:
    """Return the refusal of `dump_refusal`; TrialFailed where this version has no such code."""
    kinds = {kind.code: kind for kind in DomainError.leaves()}
    facts = {name: _from_json(value) for name, value in data["facts"].items()}
    kind = kinds.get(data["code"])
    return kind(**facts) if kind else TrialFailed(kind=data["code"])


def _to_json(value: Any) -> Any:
    match value:
        case DomainError():
            return {"refusal": dump_refusal(value)}
        case dt.datetime():
            return {"instant": value.isoformat()}
        case dt.date():
            return {"day": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case enum.Enum():
            return {"member": [type(value).__name__, value.value]}
        case Mapping():
            return {"table": {str(key): _to_json(inner) for key, inner in value.items()}}
        case list() | tuple() | set() | frozenset():
            return [_to_json(inner) for inner in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def _from_json(value: Any) -> Any:
    match value:
        case {"refusal": inner}:
            return load_refusal(inner)
        case {"instant": text}:
            return dt.datetime.fromisoformat(text)
        case {"day": text}:
            return dt.date.fromisoformat(text)
        case {"decimal": text}:
            return Decimal(text)
        case {"member": [name, member]}:
            kind = getattr(status, name, None)
            return kind(member) if kind else member
        case {"table": table}:
            return {key: _from_json(inner) for key, inner in table.items()}
        case list():
            return [_from_json(inner) for inner in value]
    return value
