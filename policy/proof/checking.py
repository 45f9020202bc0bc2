"""Check a draft: every problem of its plain data, with the entry it is about.

`written_findings` is quick and looks at the text, entry by entry, so that one broken entry hides no
other. `without_next_deed` walks the states a case can reach and takes its time. `changed_cases`
plays the case files of a regulation and names those that now end otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policy.engine.conditions import holds
from policy.engine.permission import deeds_offered
from policy.pack.loading import (
    build_pack,
    check_pack,
    fill_parameters,
    missing_parameters,
    parameter_values,
    wanted_parameters,
)
from policy.pack.schema import SECTIONS, Pack, PolicyHead
from policy.pack.shapes import Shape
from policy.proof import sample_events, statespace
from policy.proof.contradictions import Finding, contradictions
from policy.proof.mutations import holding_cases
from policy.proof.play import Case, Mismatch, Packs, Play, cases
from policy.vocabulary.errors import (
    DomainError,
    GateClosed,
    PackRefused,
    PostMissing,
    SelfForbidden,
)
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.refusals import dump_refusal
from policy.vocabulary.status import ALLOWED
from policy.vocabulary.worktime import WorkCalendar

MOST_STEPS = 800_000
"""The most events a walk tries for the check of a draft: twice what the largest shipped pack needs.

That takes a minute or two of the worker's time.
"""


def written_findings(
    data: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Return what is wrong with a draft's text; empty when it may be published."""
    values = parameter_values(data, parameters or {})
    pack, wrong = readable_pack(data, values)
    found = [*_parameter_findings(data, values), *wrong]
    broken = {(one.section, one.key) for one in wrong}
    found += [one for one in _structure_findings(pack) if _missing_target(one) not in broken]
    found += contradictions(pack)
    if not any(one.grave for one in found):
        found += _loader_findings(data, parameters)
    return _without_repetitions(found)


def _without_repetitions(found: list[Finding]) -> list[Finding]:
    """Return the findings once each, grave ones first, otherwise in their order."""
    kept = list({repr(one): one for one in found}.values())
    return [*(one for one in kept if one.grave), *(one for one in kept if not one.grave)]


# ---------------------------------------------------------------- parameters


def _parameter_findings(data: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield parameters without a value, unknown ones, and ones that no rule asks for."""
    for problem in missing_parameters(data, values):
        key = _place_parts(problem["place"])[1]
        yield Finding(problem["code"], "parameter", key, "value")
    asked = set(
        wanted_parameters({name: part for name, part in data.items() if name != "parameter"})
    )
    for entry in _plain_entries(data, "parameter"):
        key = str(entry.get("key") or "")
        if key not in asked:
            yield Finding("parameter_unused", "parameter", key, grave=False)


# ---------------------------------------------------------------- entry by entry


def readable_pack(data: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Pack, list[Finding]]:
    """Return a pack of the entries that fit the schema, and findings about the others.

    Its head is None when that does not fit. Such a pack is for looking things up, not for applying.
    """
    wrong: list[Finding] = []
    head = checked_entry(PolicyHead, data.get("policy") or {}, values, wrong=wrong)
    parts: dict[str, Any] = {}
    for section in data:
        if section != "policy" and section not in SECTIONS:
            wrong.append(Finding("section_unknown", str(section)))
    for section, shape in SECTIONS.items():
        entries = [
            checked_entry(shape, one, values, wrong=wrong) for one in _plain_entries(data, section)
        ]
        parts[section] = tuple(one for one in entries if one is not None)
    return Pack.model_construct(policy=head, **parts), wrong


def _plain_entries(data: Mapping[str, Any], section: str) -> list[Mapping[str, Any]]:
    entries = data.get(section)
    if not isinstance(entries, list | tuple):
        return []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def checked_entry(
    shape: type[Shape], data: Mapping[str, Any], values: Mapping[str, Any], *, wrong: list[Finding]
) -> Shape | None:
    """Return the entry, or None after adding findings to `wrong`; an empty parameter adds none."""
    section, key = getattr(shape, "section", ""), str(data.get("key") or "")
    empty = {name for name, value in data.items() if _is_empty_choice(value, values)}
    try:
        return shape.model_validate(fill_parameters(data, values))
    except ValidationError as error:
        for one in error.errors():
            if not (one["loc"] and one["loc"][0] in empty):
                wrong.append(_finding_of_error(one, section, key))
    return None


def _is_empty_choice(value: Any, values: Mapping[str, Any]) -> bool:
    return any(values.get(name) is None for name in wanted_parameters(value))


_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "less_than": "too_large",
    "less_than_equal": "too_large",
    "decimal_type": "no_number",
    "decimal_parsing": "no_number",
    "decimal_max_places": "no_number",
    "int_type": "no_number",
    "int_parsing": "no_number",
    "int_from_float": "no_whole_number",
    "bool_type": "no_flag",
    "bool_parsing": "no_flag",
    "string_type": "no_text",
    "string_too_short": "empty",
    "too_short": "empty",
    "string_too_long": "too_long",
    "literal_error": "no_choice",
    "enum": "no_choice",
    "value_error": "no_choice",
    "tuple_type": "no_list",
    "model_type": "no_table",
    "model_attributes_type": "no_table",
    "dict_type": "no_table",
    "time_type": "no_time",
    "time_parsing": "no_time",
    "decimal_max_digits": "too_many_digits",
    "decimal_whole_digits": "too_many_digits",
    "finite_number": "no_number",
    "int_parsing_size": "too_many_digits",
}
"""Our codes for pydantic's sorts of errors; those of our validators are codes already."""
_FORMS = {"template": "serial_missing", "key": "key_form", "field": "field_form"}


def _finding_of_error(error: Any, section: str, key: str) -> Finding:
    """Return a pydantic error as a finding, with the limit or value it names."""
    path = [str(step) for step in error["loc"]]
    context = error.get("ctx") or {}
    facts: dict[str, Any] = {"value": str(error.get("input"))[:80]}
    for name in ("gt", "ge", "lt", "le", "max_length", "expected", "limit"):
        if name in context:
            facts["limit"] = str(context[name])
    facts |= {name: str(said) for name, said in context.items() if name in ("op", "event", "part")}
    code = _CODES.get(error["type"], error["type"])
    if code == "string_pattern_mismatch":
        code = _FORMS.get(path[-1], "wrong_form")
    return Finding(code, section, key, ".".join(path), facts)


# ---------------------------------------------------------------- entries together


def _structure_findings(pack: Pack) -> Iterator[Finding]:
    for problem in check_pack(pack):
        section, key = _place_parts(problem["place"])
        code, facts = problem["code"], dict(problem["facts"])
        if not code:
            code, facts = "refused", {"why": problem["why"]}
        yield Finding(code, section, key, facts=facts)


def _missing_target(finding: Finding) -> tuple[str, str]:
    """Return the (section, key) a finding says is missing; the entry may exist and be broken."""
    if finding.code == "reference_gone":
        return str(finding.facts["section"]), str(finding.facts["key"])
    if finding.code == "field_gone":
        return "field", str(finding.facts["field"])
    if finding.code == "post_gone":
        return "post", str(finding.facts["post"])
    return "", ""


def _loader_findings(
    data: Mapping[str, Any], parameters: Mapping[str, Any] | None
) -> Iterator[Finding]:
    """Yield what the loader refuses beyond the other findings; the loader decides."""
    try:
        build_pack(data, parameters)
    except PackRefused as error:
        for problem in error.facts["problems"]:
            section, key = _place_parts(problem["place"])
            yield Finding("refused", section, key, facts={"why": problem["why"]})


def _place_parts(place: str) -> tuple[str, str]:
    """Return section and key of a place such as `deadline.[close_a].within`."""
    section, _, rest = place.partition(".")
    return section, rest.partition("]")[0].removeprefix("[") if rest.startswith("[") else ""


# ---------------------------------------------------------------- states without a next deed


def without_next_deed(pack: Pack, calendar: WorkCalendar) -> list[Finding]:
    """Return the statuses in which a case would be stuck, with the rules that stand in its way.

    Slow: every state of two rounds is walked, within MOST_STEPS events tried. A pack that needs
    more is refused, because it was not shown that its cases come to an end.
    """
    found = statespace.walk_states(pack, calendar, most_rounds=2, most_steps=MOST_STEPS)
    stuck = statespace.cases_without_deed(found, pack)
    if not found.complete:
        return [*_stuck_findings("no_next_deed", stuck, pack), Finding("walk_cut_short")]
    endless = [facts for facts in statespace.cases_without_end(found) if facts not in stuck]
    tried = {
        event.type
        for event in (*sample_events.every_event(pack), *sample_events.first_events(pack))
    }
    # These are tried once in each status, so the walk may not see where they happen.
    tried -= statespace.CHANGES_NO_STATE
    return [
        *_stuck_findings("no_next_deed", stuck, pack),
        *(() if stuck else _endless_findings(endless, pack)),
        *_never_findings(pack, tried - found.happened),
    ]


def _stuck_findings(code: str, cases: list[CaseFacts], pack: Pack) -> Iterator[Finding]:
    """Yield one finding for each status, kind and grade, with the first rule in the way."""
    seen = set()
    for facts in cases:
        place = (facts.status.value, facts.kind, facts.grade)
        if place in seen:
            continue
        seen.add(place)
        rules = _rules_in_the_way(facts, pack)
        section, key = rules[0] if rules else ("", "")
        said = {"status": place[0], "kind": place[1], "grade": place[2], "rules": rules}
        yield Finding(code, section, key, facts=said)


def _endless_findings(cases: list[CaseFacts], pack: Pack) -> Iterator[Finding]:
    """Yield one finding for all states from which no case ends, with the rules in the way.

    Those are the gates that are always closed; where there is none, any rule may be the reason.
    """
    if not cases:
        return
    some = {(facts.status, facts.kind, facts.grade): facts for facts in cases}.values()
    found = dict.fromkeys(rule for facts in some for rule in _rules_in_the_way(facts, pack))
    ways = sorted(found, key=lambda rule: rule[0] != "gate")
    rules = list(_always_closed(cases, pack)) or ways
    section, key = rules[0] if rules else ("", "")
    statuses = list(dict.fromkeys(facts.status.value for facts in cases))
    yield Finding("no_end", section, key, facts={"statuses": statuses, "rules": rules})


def _always_closed(cases: list[CaseFacts], pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield the gates that are closed to all cases whose status allows the deed behind them."""
    for gate in pack.gate:
        before = [
            facts
            for facts in cases
            if ALLOWED[facts.status] & set(gate.before) and holds(gate.applies, facts)
        ]
        if before and not any(holds(gate.requires, facts) for facts in before):
            yield "gate", gate.key


def _rules_in_the_way(facts: CaseFacts, pack: Pack) -> list[tuple[str, str]]:
    """Return the gates, then the signoffs, that refuse what the case's status allows."""
    found: dict[tuple[str, str], None] = {}
    for by in sample_events.cast_of_pack(pack):
        for deed in deeds_offered(facts, by, pack):
            if isinstance(deed.refusal, GateClosed):
                gates = pack.gates.get(deed.name, ())
                found.update(
                    {("gate", g.key): None for g in gates if _is_closed_gate(g, deed.refusal)}
                )
            elif isinstance(deed.refusal, PostMissing | SelfForbidden):
                found.update({("signoff", s.key): None for s in pack.signoffs.get(deed.name, ())})
    return sorted(found, key=lambda rule: rule[0] != "gate")


def _is_closed_gate(gate: Any, refusal: GateClosed) -> bool:
    return bool(gate.label == refusal.facts["gate"])


_EVENT_FIELDS = ("starts_on", "met_by", "before", "event")


def _never_findings(pack: Pack, events: set[str]) -> Iterator[Finding]:
    """Yield rules of which no event can happen under this pack."""
    for section in SECTIONS:
        for entry in getattr(pack, section):
            for name in _EVENT_FIELDS:
                value = getattr(entry, name, None)
                names = set(value if isinstance(value, tuple) else (value,) if value else ())
                if names and names <= events:
                    facts = {"events": sorted(names)}
                    yield Finding("event_never", section, entry.key, name, facts, grave=False)


# ---------------------------------------------------------------- cases that end otherwise


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A case of a case file that held before and does not hold under the draft.

    `deed` is the event of its first step that ends otherwise; `wanted` and `found` are plain data,
    `found` of a refusal what `dump_refusal` makes of it.
    """

    file: str
    case: str
    proves: tuple[str, ...]
    step: int
    deed: str
    about: str
    wanted: Any
    found: Any


def changed_cases(
    data: Mapping[str, Any], before: Mapping[str, Any], folder: Path, *, calendar: WorkCalendar
) -> list[ChangedCase]:
    """Return the cases of a folder that hold under `before` and end otherwise under `data`.

    A folder that does not exist has no cases.
    """
    if not folder.is_dir():
        return []
    packs = Packs(data)
    held = holding_cases(tuple(cases(folder)), before, calendar)
    found = (_changed_case(case, packs, calendar) for case in held)
    return [one for one in found if one is not None]


def _changed_case(case: Case, packs: Packs, calendar: WorkCalendar) -> ChangedCase | None:
    """Return where a case first ends otherwise under a draft; None where it holds."""
    try:
        play = Play(case, packs.of(case.parameters), calendar)
    except PackRefused:
        return ChangedCase(case.file, case.name, case.proves, 0, "", "pack", None, None)
    for number, step in enumerate(case.steps, start=1):
        refused = play.step(step).refused
        for one in play.unlike(step, number, refused):
            return _as_changed(case, one, str(step["do"]), refused=refused)
    for one in play.unlike_periods():
        return _as_changed(case, one, "", refused=None)
    return None


def _as_changed(
    case: Case, one: Mismatch, deed: str, *, refused: DomainError | None
) -> ChangedCase:
    found: Any = plain_value(one.found)
    if one.about == "refused":
        found = dump_refusal(refused) if refused else None
    wanted = plain_value(one.wanted)
    return ChangedCase(case.file, case.name, case.proves, one.step, deed, one.about, wanted, found)


def plain_value(value: Any) -> Any:
    """Return a value of a case file as JSON data; an instant as local text."""
    if isinstance(value, Mapping):
        return {str(key): plain_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(inner) for inner in value]
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date):
        return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, dt.datetime) else value.isoformat()
    return getattr(value, "value", value)
