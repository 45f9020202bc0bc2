"""Case files that a person wrote, checked before they are played: every problem with its place.

Beyond what `play` reads, a file may name its regulation at the head (`pack = "skoda-dealer"`), hold
the steps of one case without a `[[case]]` around them, and leave the cast out: each post of the
regulation, each department (`member:KEY`) and its workbook (`sheet:KEY`) is in the cast already.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from policy.pack.loading import toml_error_place
from policy.pack.schema import Pack
from policy.proof.play import STEP_FIELDS, Case, Play, cases_of, is_expectable, people_in
from policy.vocabulary.errors import (
    CaseFileRefused,
    ChoiceUnknown,
    DomainError,
    FieldMissing,
    FieldUnknown,
    NotFound,
)
from policy.vocabulary.events import EVENTS
from policy.vocabulary.worktime import WorkCalendar

CAST = "cast.toml"
_CASE = frozenset({"name", "proves", "parameters", "begins", "step", "due", "figures"})
_HEAD = frozenset({"pack", "case", "cast", "defaults", "opening"})
_PERSON = frozenset({"number", "department", "posts", "deputy_for", "sheet"})
Problem = dict[str, Any]


@dataclass(frozen=True)
class PlayBasis:
    """A regulation to play cases on: its pack with a case's own parameters, and the calendar."""

    pack: Callable[[Mapping[str, Any]], Pack]
    calendar: WorkCalendar
    title: str = ""


def parse_case_file(text: str, file: str) -> dict[str, Any]:
    """Return a case file as plain data; fields outside a `[[case]]` become its one case.

    Raises CaseFileRefused for a syntax error, with the line, and for an unknown field of the head.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        place = toml_error_place(str(error))
        words = ": ".join(word for word in (place["place"], place["why"]) if word)
        raise CaseFileRefused(file=file, problems=[{"why": words}]) from error
    if strange := set(data) - _HEAD - _CASE:
        problems = [{"field": name, "why": FieldUnknown(field=name)} for name in sorted(strange)]
        raise CaseFileRefused(file=file, problems=problems)
    if "step" in data and "case" not in data:
        only = {key: value for key, value in data.items() if key in _CASE}
        data = {key: value for key, value in data.items() if key not in _CASE}
        data["case"] = [{"name": Path(file).stem, **only}]
    return data


def read_case_file(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the plain data of a file and of the `cast.toml` beside it, if there is one."""
    shared = path.parent / CAST
    of_all = parse_case_file(_read_text(shared), CAST) if shared.exists() and shared != path else {}
    return parse_case_file(_read_text(path), path.name), of_all


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseFileRefused(file=path.name, problems=[{"why": str(error)}]) from error


def checked_cases(
    data: Mapping[str, Any],
    shared: Mapping[str, Any],
    pack: Pack,
    *,
    calendar: WorkCalendar,
    file: str,
) -> tuple[Case, ...]:
    """Return the cases of a file, ready to be played. Raises CaseFileRefused with every problem."""
    problems = [*_head_problems(data, shared, pack)]
    if not problems:
        said = {
            **shared,
            "cast": cast_with_posts(shared.get("cast", {}) | data.get("cast", {}), pack),
        }
        cases = tuple(cases_of(data, said, file=file))
        for case in cases:
            problems += _case_problems(case, Play(case, pack, calendar))
    if problems:
        raise CaseFileRefused(file=file, problems=problems)
    return cases


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


# ---------------------------------------------------------------- what is wrong with it


def _head_problems(
    data: Mapping[str, Any], shared: Mapping[str, Any], pack: Pack
) -> Iterator[Problem]:
    openings = shared.get("opening", {}) | data.get("opening", {})
    for name, person in data.get("cast", {}).items():
        for field, why in _person_problems(person, pack):
            yield {"case": f"cast.{name}", "field": field, "why": why}
    for name, opening in openings.items():
        yield from _steps_problems(opening, f"opening.{name}", openings)
    cases = data.get("case", ())
    if not cases:
        yield {"field": "case", "why": FieldMissing(field="case")}
    for place, case in enumerate(cases, start=1):
        if not isinstance(case, Mapping) or not isinstance(case.get("name"), str):
            yield {"case": str(place), "field": "name", "why": FieldMissing(field="name")}
            continue
        for field in sorted(set(case) - _CASE):
            yield {"case": case["name"], "field": field, "why": FieldUnknown(field=field)}
        yield from _steps_problems(case, case["name"], openings)


def _person_problems(person: Any, pack: Pack) -> Iterator[tuple[str, DomainError]]:
    if not isinstance(person, Mapping):
        yield "cast", ChoiceUnknown(field="cast", value=str(person))
        return
    for field in sorted(set(person) - _PERSON):
        yield field, FieldUnknown(field=field)
    for field in ("posts", "deputy_for"):
        for post in person.get(field, ()):
            if not pack.find("post", post):
                yield field, ChoiceUnknown(field=field, value=post)
    department = person.get("department")
    if department is not None and not pack.find("department", department):
        yield "department", ChoiceUnknown(field="department", value=department)
    if person.get("sheet") and department is None:
        yield "department", FieldMissing(field="department")


def _steps_problems(
    part: Mapping[str, Any], name: str, openings: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield missing or malformed steps, and openings that are unknown or go in a circle."""
    steps = part.get("step")
    if steps is None and (part.get("due") or part.get("figures")):
        return
    if not isinstance(steps, list) or not steps:
        yield {"case": name, "field": "step", "why": FieldMissing(field="step")}
        steps = []
    for place, step in enumerate(steps, start=1):
        if not isinstance(step, Mapping):
            why = ChoiceUnknown(field="step", value=str(step))
            yield {"case": name, "step": place, "field": "step", "why": why}
    seen: list[str] = []
    begins = part.get("begins")
    while begins is not None:
        if begins in seen or begins not in openings:
            why = ChoiceUnknown(field="begins", value=str(begins))
            yield {"case": name, "field": "begins", "why": why}
            return
        seen.append(begins)
        begins = openings[begins].get("begins")


def _case_problems(case: Case, play: Play) -> Iterator[Problem]:
    for number, step in enumerate(case.steps, start=1):
        for field, why in step_problems(step, play):
            yield {"case": case.name, "step": number, "field": field, "why": why}


def step_problems(step: Mapping[str, Any], play: Play) -> Iterator[tuple[str, DomainError]]:
    """Yield, by field, why a step makes no event; a refusal the file expects is no problem."""
    if found := list(_field_problems(step, play)):
        yield from found
        return
    expected = step.get("expect", {})
    for about, wanted in expected.items():
        if not is_expectable(about, wanted):
            yield "expect", ChoiceUnknown(field="expect", value=about)
    try:
        play.event(step)
    except DomainError as error:
        if expected.get("refused") != error.code:
            yield str(error.facts.get("field", "do")), error


def _field_problems(step: Mapping[str, Any], play: Play) -> Iterator[tuple[str, DomainError]]:
    kind = EVENTS.get(str(step.get("do", "")))
    if kind is None:
        yield "do", _missing_or_strange(step, "do")
    for field in ("at", "recorded_at"):
        if not isinstance(step.get(field), dt.datetime) and (field == "at" or field in step):
            yield field, _missing_or_strange(step, field)
    if not isinstance(step.get("expect", {}), Mapping):
        yield "expect", _missing_or_strange(step, "expect")
    if not isinstance(step.get("case", ""), str):
        yield "case", _missing_or_strange(step, "case")
    numbers = {person.get("number") for person in play.case.cast.values()}
    people = people_in(step)
    for field in ("by", "deputises", *sorted(people)):
        for who in _people_named(step.get(field)):
            if who in play.case.cast or (field in people and who in numbers):
                continue
            yield field, ChoiceUnknown(field=field, value=str(who))
    for field in set(step) - STEP_FIELDS - set(kind.model_fields if kind else step):
        yield field, FieldUnknown(field=field)


def _people_named(said: Any) -> list[Any]:
    """Return the people a field of a step names: one, several, or none."""
    if said in (None, ""):
        return []
    return list(said) if isinstance(said, list | tuple | Mapping) else [said]


def _missing_or_strange(step: Mapping[str, Any], field: str) -> DomainError:
    value = step.get(field)
    if value in (None, ""):
        return FieldMissing(field=field)
    return ChoiceUnknown(field=field, value=str(value))


def regulation_of(data: Mapping[str, Any], file: str) -> str:
    """Return the key of the shipped regulation a file names. Raises CaseFileRefused."""
    key = data.get("pack")
    if not isinstance(key, str):
        why: DomainError = FieldMissing(field="pack")
    elif re.fullmatch(r"[a-z][a-z0-9-]*", key):
        return key
    else:
        why = NotFound(what="policy", key=key)
    raise CaseFileRefused(file=file, problems=[{"field": "pack", "why": why}])


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
