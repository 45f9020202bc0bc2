"""Case files that a person wrote: read, checked, made ready to be played, and written down.

Beyond what `play` reads, a file may name its regulation at the head (`pack = "skoda-dealer"`), hold
the steps of one case without a `[[case]]` around them, and leave the cast out: each post of the
regulation, each department (`member:KEY`) and its workbook (`sheet:KEY`) is in the cast already.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from policy.pack.schema import Pack
from policy.proof.case_checks import (
    case_problems,
    cast_problems,
    parameter_problems,
    shape_problems,
)
from policy.proof.case_text import (
    CASE_SORTS,
    HEAD_SORTS,
    Problem,
    parse_toml_text,
    quoted,
    read_text,
)
from policy.proof.play import Case, Packs, Play, cases_of
from policy.vocabulary.errors import (
    CaseFileRefused,
    DomainError,
    FieldMissing,
    FieldUnknown,
    NotFound,
    ValueRefused,
)
from policy.vocabulary.worktime import WorkCalendar

CAST = "cast.toml"
_CASE = frozenset(CASE_SORTS)
_HEAD = frozenset(HEAD_SORTS)
_ONE_CASE = frozenset({"step", "due", "figures", "begins"})
"""The fields at the head of a file that make it one case without a `[[case]]`."""


@dataclass(frozen=True)
class PlayBasis:
    """A regulation to play cases on: its packs by a case's own parameters, and the calendar."""

    packs: Packs
    calendar: WorkCalendar
    title: str = ""

    def pack(self, parameters: Mapping[str, Any]) -> Pack:
        """Return the pack with a case's own parameters. Raises PackRefused."""
        return self.packs.of(parameters)


def parse_case_file(text: str, file: str) -> dict[str, Any]:
    """Return a case file as plain data; fields outside a `[[case]]` become its one case.

    Raises CaseFileRefused for a syntax error, with the line, and for an unknown field of the head.
    """
    data = parse_toml_text(text, file)
    alone = "case" not in data
    strange = set(data) - _HEAD - (_CASE if alone else frozenset())
    if problems := [_strange_at_head(name) for name in sorted(strange)]:
        raise CaseFileRefused(file=file, problems=problems)
    if alone and _ONE_CASE & set(data):
        only = {key: value for key, value in data.items() if key in _CASE}
        data = {key: value for key, value in data.items() if key not in _CASE}
        data["case"] = [{"name": Path(file).stem, **only}]
    return data


def _strange_at_head(name: str) -> Problem:
    if name in _CASE:
        why: DomainError = ValueRefused(field=name, value=name, why="outside_of_cases")
    else:
        why = FieldUnknown(field=quoted(name))
    return {"field": quoted(name), "why": why}


def read_case_file(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the plain data of a file and of the `cast.toml` beside it, if there is one."""
    shared = path.parent / CAST
    of_all = {}
    if shared.is_file() and path.name != CAST:
        of_all = parse_case_file(read_text(shared), CAST)
    if not path.exists():
        raise NotFound(what="file", key=path.name)
    return parse_case_file(read_text(path), path.name), of_all


def checked_cases(
    data: Mapping[str, Any], shared: Mapping[str, Any], basis: PlayBasis, *, file: str
) -> tuple[Case, ...]:
    """Return the cases of a file, ready to be played. Raises CaseFileRefused with every problem.

    A regulation with open parameters is played with those the case, the file or its `cast.toml`
    choose.
    """
    problems = [*shape_problems(data, shared)]
    if problems:
        raise CaseFileRefused(file=file, problems=problems)
    cases, problems = _with_packs(tuple(cases_of(data, shared, file=file)), basis)
    for place, (case, pack) in enumerate(cases):
        if place == 0:
            problems += cast_problems(data, pack)
        if not problems or place:
            problems += case_problems(case, Play(case, pack, basis.calendar))
    if problems:
        raise CaseFileRefused(file=file, problems=problems)
    return tuple(case for case, _ in cases)


def _with_packs(
    cases: tuple[Case, ...], basis: PlayBasis
) -> tuple[list[tuple[Case, Pack]], list[Problem]]:
    """Return each case with everybody in its cast and its pack, and what its parameters forbid."""
    found: list[tuple[Case, Pack]] = []
    problems: list[Problem] = []
    for case in cases:
        wrong = list(parameter_problems(case.parameters, basis.packs))
        if wrong:
            problems += [{"case": case.name, "field": field, "why": why} for field, why in wrong]
            continue
        pack = basis.pack(case.parameters)
        found.append((with_posts(case, pack), pack))
    return found, problems


def with_posts(case: Case, pack: Pack) -> Case:
    """Return a case whose cast has everybody the regulation brings."""
    return dataclasses.replace(case, cast=cast_with_posts(case.cast, pack))


def cast_with_posts(cast: Mapping[str, Any], pack: Pack) -> dict[str, Any]:
    """Return a cast with a person for each post without one, each department and each workbook.

    A person the regulation brings has the key of their post as name and as number.
    """
    people = {name: {"number": name, **person} for name, person in cast.items()}
    held = {post for person in cast.values() for post in person.get("posts", ())}
    for post in pack.post:
        if post.key not in held:
            at = {"department": post.department} if post.department else {}
            people.setdefault(post.key, {"number": post.key, "posts": [post.key], **at})
    for department in pack.department:
        name = f"member:{department.key}"
        people.setdefault(name, {"number": name, "department": department.key})
        sheet = {"department": department.key, "sheet": True}
        people.setdefault(f"sheet:{department.key}", sheet)
    return people


# ---------------------------------------------------------------- the regulation


def regulation_of(data: Mapping[str, Any], file: str) -> str:
    """Return the key of the shipped regulation a file names. Raises CaseFileRefused."""
    key = data.get("pack")
    try:
        if isinstance(key, str):
            return shipped_key(key)
        why: DomainError = FieldMissing(field="pack")
        if key is not None:
            why = ValueRefused(field="pack", value=quoted(key), why="text_wanted")
    except NotFound as unknown:
        why = unknown
    raise CaseFileRefused(file=file, problems=[{"field": "pack", "why": why}])


def shipped_key(key: str) -> str:
    """Return a key that can be the name of a shipped regulation. Raises NotFound."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,80}", key):
        raise NotFound(what="policy", key=quoted(key))
    return key


# ---------------------------------------------------------------- written down


def flattened(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's one case with its openings spelt out and nothing around it."""
    (case,) = cases_of(data, {})
    (said,) = data["case"]
    head = {key: data[key] for key in ("pack",) if key in data}
    own = {key: said[key] for key in ("name", "proves", "parameters") if key in said}
    people = {key: data[key] for key in ("cast", "defaults") if data.get(key)}
    return {**head, **own, **people, "step": [dict(step) for step in case.steps]}


def is_flattened(text: str, file: str) -> bool:
    """Whether `case_file_text` would write the text, so that a step can be added to it."""
    data = parse_case_file(text, file)
    return len(data.get("case", ())) == 1 and case_file_text(flattened(data)) == text


_BARE = re.compile(r"[A-Za-z0-9_-]+")


def case_file_text(data: Mapping[str, Any]) -> str:
    """Return the text of a case file: plain values first, then tables, then lists of tables."""
    plain = [f"{_key(key)} = {_value(value)}" for key, value in data.items() if _inline(value)]
    parts = ["\n".join(plain)] if plain else []
    for key, value in data.items():
        if isinstance(value, Mapping):
            parts.append("\n".join([f"[{_key(key)}]", *table_lines(value)]))
    for key, value in data.items():
        if not _inline(value) and not isinstance(value, Mapping):
            parts += ["\n".join([f"[[{_key(key)}]]", *table_lines(one)]) for one in value]
    return "\n\n".join(parts) + "\n"


def _inline(value: Any) -> bool:
    tables = isinstance(value, list | tuple) and value and isinstance(value[0], Mapping)
    return not isinstance(value, Mapping) and not tables


def table_lines(table: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table as the lines of a case file."""
    for key, value in table.items():
        yield f"{_key(key)} = {_value(value)}"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        inner = ", ".join(table_lines(value))
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
