"""What is wrong with a case file: every problem with its case, its step and its field.

First the shapes, because nothing can be looked up in a text that should be a table; then the
company's parameters; then the names and values, which the regulation has to know.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from policy.engine.indicators import CaseSummary
from policy.engine.report_periods import days_of
from policy.pack.loading import is_known_path
from policy.pack.schema import Pack
from policy.proof.case_text import (
    CASE_SORTS,
    DUE_SORTS,
    FIGURE_SORTS,
    HEAD_SORTS,
    OPENING_SORTS,
    PERSON_SORTS,
    STEP_SORTS,
    Problem,
    quoted,
    sort_problems,
)
from policy.proof.play import (
    STEP_FIELDS,
    Case,
    Packs,
    Play,
    is_expectable,
    moments_in,
    people_in,
)
from policy.vocabulary.errors import (
    ChoiceUnknown,
    DomainError,
    FieldMissing,
    FieldUnknown,
    PackRefused,
    ValueRefused,
)
from policy.vocabulary.events import EVENTS

_SUMMARY = TypeAdapter(CaseSummary)


# ---------------------------------------------------------------- shapes


def shape_problems(data: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield every field that is of another sort than it must be: nothing is played before."""
    for part in (shared, data):
        wrong = list(sort_problems(part, HEAD_SORTS))
        yield from ({"field": field, "why": why} for field, why in wrong)
        if not wrong:
            yield from _cast_shapes(part.get("cast", {}))
            for name, opening in part.get("opening", {}).items():
                yield from _part_shapes(opening, f"opening.{name}", OPENING_SORTS)
    if any(part_wrong for part in (shared, data) for part_wrong in sort_problems(part, HEAD_SORTS)):
        return
    openings = shared.get("opening", {}) | data.get("opening", {})
    yield from _opening_circles(openings)
    if not data.get("case"):
        yield {"field": "case", "why": FieldMissing(field="case")}
    for place, case in enumerate(data.get("case", ()), start=1):
        if not isinstance(case.get("name"), str):
            yield {"case": str(place), "field": "name", "why": FieldMissing(field="name")}
            continue
        yield from _part_shapes(case, case["name"], CASE_SORTS)
        yield from _begin_problems(case, case["name"], openings)


def _cast_shapes(cast: Mapping[str, Any]) -> Iterator[Problem]:
    for name, person in cast.items():
        if name in CASE_SORTS and not isinstance(person, Mapping):
            why: DomainError = ValueRefused(field=name, value=name, why="under_cast")
            yield {"case": "cast", "field": name, "why": why}
        elif not isinstance(person, Mapping):
            why = ValueRefused(field="cast", value=quoted(person), why="table_wanted")
            yield {"case": f"cast.{quoted(name)}", "field": "cast", "why": why}
        else:
            for field, wrong in _table_problems(person, PERSON_SORTS):
                yield {"case": f"cast.{quoted(name)}", "field": field, "why": wrong}


def _table_problems(
    table: Mapping[str, Any], sorts: Mapping[str, str]
) -> Iterator[tuple[str, DomainError]]:
    for field in sorted(set(table) - set(sorts)):
        yield quoted(field), FieldUnknown(field=quoted(field))
    yield from sort_problems(table, sorts)


def _part_shapes(part: Any, name: str, sorts: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the shape of a case or an opening, and of its steps."""
    if not isinstance(part, Mapping):
        strange = ValueRefused(field="opening", value=quoted(part), why="table_wanted")
        yield {"case": name, "field": "opening", "why": strange}
        return
    wrong = list(_table_problems(part, sorts))
    yield from ({"case": name, "field": field, "why": why} for field, why in wrong)
    if any(field in ("step", "due", "figures") for field, _ in wrong):
        return
    for place, step in enumerate(part.get("step", ()), start=1):
        for field, why in _step_shapes(step):
            yield {"case": name, "step": place, "field": field, "why": why}
    for field, entry_sorts in (("due", DUE_SORTS), ("figures", FIGURE_SORTS)):
        for place, entry in enumerate(part.get(field, ()), start=1):
            for inner, why in _table_problems(entry, entry_sorts):
                yield {"case": name, "field": f"{field} {place}: {inner}", "why": why}
    if not any(part.get(field) for field in ("step", "due", "figures", "begins")):
        yield {"case": name, "field": "step", "why": FieldMissing(field="step")}


def _step_shapes(step: Mapping[str, Any]) -> Iterator[tuple[str, DomainError]]:
    for field in ("do", "at"):
        if step.get(field) in (None, ""):
            yield field, FieldMissing(field=field)
    said = {field: value for field, value in step.items() if field != "do" or value != ""}
    yield from sort_problems(said, STEP_SORTS)


def _opening_circles(openings: Mapping[str, Any]) -> Iterator[Problem]:
    for name, opening in openings.items():
        if isinstance(opening, Mapping):
            yield from _begin_problems(opening, f"opening.{name}", openings)


def _begin_problems(
    part: Mapping[str, Any], name: str, openings: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield openings that are unknown or go in a circle."""
    seen: list[str] = []
    begins = part.get("begins")
    while isinstance(begins, str):
        if begins in seen or not isinstance(openings.get(begins), Mapping):
            why = ChoiceUnknown(field="begins", value=quoted(begins))
            yield {"case": name, "field": "begins", "why": why}
            return
        seen.append(begins)
        begins = openings[begins].get("begins")


# ---------------------------------------------------------------- names and values


def cast_problems(data: Mapping[str, Any], pack: Pack) -> Iterator[Problem]:
    """Yield posts and departments of a file's people that the regulation does not know."""
    for name, person in data.get("cast", {}).items():
        for field, why in _person_problems(person, pack):
            yield {"case": f"cast.{quoted(name)}", "field": field, "why": why}


def _person_problems(person: Mapping[str, Any], pack: Pack) -> Iterator[tuple[str, DomainError]]:
    for field in ("posts", "deputy_for"):
        for post in person.get(field, ()):
            if not pack.find("post", post):
                yield field, ChoiceUnknown(field=field, value=quoted(post))
    department = person.get("department")
    if department is not None and not pack.find("department", department):
        yield "department", ChoiceUnknown(field="department", value=quoted(department))
    if person.get("sheet") and department is None:
        yield "department", FieldMissing(field="department")


def case_problems(case: Case, play: Play) -> Iterator[Problem]:
    """Yield, by step and field, what forbids to play a case."""
    for number, step in enumerate(case.steps, start=1):
        for field, why in step_problems(step, play):
            yield {"case": case.name, "step": number, "field": field, "why": why}
    for place, wanted in enumerate(case.due, start=1):
        for field, why in _due_problems(wanted, play.pack):
            yield {"case": case.name, "field": f"due {place}: {field}", "why": why}
    for place, wanted in enumerate(case.figures, start=1):
        for field, why in _figure_problems(wanted, play.pack):
            yield {"case": case.name, "field": f"figures {place}: {field}", "why": why}


def _due_problems(wanted: Mapping[str, Any], pack: Pack) -> Iterator[tuple[str, DomainError]]:
    report = pack.find("report", wanted.get("report"))
    if report is None:
        yield "report", _missing_or_strange(wanted, "report")
    elif not {"day", "period"} & set(wanted):
        yield "day", FieldMissing(field="day")
    elif "period" in wanted and "day" not in wanted:
        try:
            days_of(report, wanted["period"])
        except ChoiceUnknown as why:
            yield "period", why


def _figure_problems(wanted: Mapping[str, Any], pack: Pack) -> Iterator[tuple[str, DomainError]]:
    if pack.find("indicator", wanted.get("indicator")) is None:
        yield "indicator", _missing_or_strange(wanted, "indicator")
    for case in wanted.get("cases", ()):
        for field in sorted(set(case) - set(CaseSummary.__dataclass_fields__)):
            yield "cases", FieldUnknown(field=quoted(field))
        try:
            _SUMMARY.validate_python(dict(case))
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            yield "cases", ChoiceUnknown(field=field, value=quoted(case.get(field)))
    for name in ("scores", "visited"):
        for number in wanted.get(name, ()):
            if not isinstance(number, int | Decimal):
                yield name, ValueRefused(field=name, value=quoted(number), why="number_wanted")
    if "visited" in wanted and len(wanted["visited"]) != 2:
        yield "visited", FieldMissing(field="visited")


def step_problems(step: Mapping[str, Any], play: Play) -> Iterator[tuple[str, DomainError]]:
    """Yield, by field, why a step makes no event; a refusal the file expects is no problem."""
    if found := list(_field_problems(step, play)):
        yield from found
        return
    expected = step.get("expect", {})
    yield from _expectation_problems(expected, play)
    refusals = play.refusals(step)
    if refusals and expected.get("refused") != refusals[0].code:
        for why in refusals:
            yield str(why.facts.get("field") or "do"), why
    if "refused" not in expected:
        yield from _unknown_parts(step, play.pack)


def _unknown_parts(step: Mapping[str, Any], pack: Pack) -> Iterator[tuple[str, DomainError]]:
    """Yield the regulation's own fields that it does not have."""
    extra = step.get("extra")
    for name in sorted(extra) if isinstance(extra, Mapping) else ():
        if not pack.find("field", name):
            yield f"extra.{quoted(name)}", FieldUnknown(field=quoted(name))


def _expectation_problems(
    expected: Mapping[str, Any], play: Play
) -> Iterator[tuple[str, DomainError]]:
    for about, wanted in expected.items():
        if not is_expectable(about, wanted):
            yield "expect", ChoiceUnknown(field="expect", value=quoted(about))
    says = expected.get("says")
    for path in says if isinstance(says, Mapping) else ():
        if not (is_known_path(play.pack, path) or _is_of_an_entry(play.pack, path)):
            yield "expect.says", FieldUnknown(field=quoted(path))
    offered = expected.get("offered")
    for name, deeds in offered.items() if isinstance(offered, Mapping) else ():
        if name not in play.case.cast:
            yield "expect.offered", ChoiceUnknown(field="by", value=quoted(name))
        if not isinstance(deeds, list | tuple):
            why = ValueRefused(field="offered", value=quoted(deeds), why="texts_wanted")
            yield "expect.offered", why


def _is_of_an_entry(pack: Pack, path: str) -> bool:
    """Whether a path is about what an entry of the pack keeps: `claim.breach.amount`."""
    entry, _, kept = path.rpartition(".")
    return (
        not path.startswith(("form.", "round.form.")) and bool(kept) and is_known_path(pack, entry)
    )


def _field_problems(step: Mapping[str, Any], play: Play) -> Iterator[tuple[str, DomainError]]:
    if wrong := list(_step_shapes(step)):
        yield from wrong
        return
    kind = EVENTS.get(step["do"])
    if kind is None:
        yield "do", ChoiceUnknown(field="do", value=quoted(step["do"]))
    yield from _people_problems(step, play)
    for field in sorted(set(step) - STEP_FIELDS - set(kind.model_fields if kind else step)):
        yield quoted(field), FieldUnknown(field=quoted(field))
    for field in sorted(moments_in(step)):
        if field in step and step[field] != "" and not isinstance(step[field], dt.datetime):
            why = ValueRefused(field=field, value=quoted(step[field]), why="moment_wanted")
            yield field, why


def _people_problems(step: Mapping[str, Any], play: Play) -> Iterator[tuple[str, DomainError]]:
    numbers = {person.get("number") for person in play.case.cast.values()}
    people = people_in(step)
    for field in ("by", "deputises", *sorted(people)):
        for who in _people_named(step.get(field)):
            if not isinstance(who, str):
                why: DomainError = ValueRefused(field=field, value=quoted(who), why="text_wanted")
                yield field, why
            elif not (who in play.case.cast or (field in people and who in numbers)):
                yield field, ChoiceUnknown(field=field, value=quoted(who))


def _people_named(said: Any) -> list[Any]:
    """Return the people a field of a step names: one, several, or none."""
    if said in (None, ""):
        return []
    return list(said) if isinstance(said, list | tuple | Mapping) else [said]


def _missing_or_strange(step: Mapping[str, Any], field: str) -> DomainError:
    value = step.get(field)
    if value in (None, ""):
        return FieldMissing(field=field)
    return ChoiceUnknown(field=field, value=quoted(value))


# ---------------------------------------------------------------- parameters


def parameter_problems(own: Mapping[str, Any], packs: Packs) -> Iterator[tuple[str, DomainError]]:
    """Yield (field, why) for parameters no rule knows, open ones, and values no rule can take.

    Raises PackRefused where the regulation is broken whatever the parameters say.
    """
    usual = packs.parameters
    if strange := sorted(set(own) - set(usual)):
        for name in strange:
            yield f"parameters.{quoted(name)}", FieldUnknown(field=quoted(name))
        return
    for name in sorted(packs.open_parameters - set(own)):
        yield f"parameters.{name}", FieldMissing(field=name)
    if packs.open_parameters - set(own):
        return
    try:
        packs.of(own)
    except PackRefused:
        blamed = [name for name in sorted(own) if _is_blamed(name, own, packs)] or sorted(own)
        if not blamed:
            raise
        for name in blamed:
            value = quoted(own[name])
            why = ValueRefused(field=name, value=value, why="no_rule_takes_it")
            yield f"parameters.{name}", why


def _is_blamed(name: str, own: Mapping[str, Any], packs: Packs) -> bool:
    """Whether the regulation can be read once this parameter has its usual value again."""
    if name in packs.open_parameters:
        return False
    try:
        packs.of({key: value for key, value in own.items() if key != name})
    except PackRefused:
        return False
    return True
