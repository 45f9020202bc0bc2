"""Load a pack: read TOML, fill in parameters, check the schema and every reference.

A value written `"$name"` takes the value of that parameter. References, fields, events and roles
are followed here, because the schema alone cannot see whether they exist. All problems are reported
at once, each with its place.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policy.pack.forms_and_reports import (
    COUNTED,
    OF_A_ROUND,
    OF_DEADLINES,
    ROUND_FACTS,
    STANDING,
)
from policy.pack.numbering import render_number
from policy.pack.schema import SECTIONS, SHEETS, Pack
from policy.pack.shapes import ConditionRow, Shape
from policy.vocabulary.errors import PackRefused
from policy.vocabulary.events import EVENTS, Informed
from policy.vocabulary.facts import PICTURES, CaseFacts
from policy.vocabulary.marks import marks_of

PACKS = Path(__file__).parent.parent / "packs"
_PARAMETER = re.compile(r"\$[a-z][a-z0-9_]*")


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file as plain data. Raises PackRefused with the place of a syntax error."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PackRefused(file=path.name, problems=[_problem("", str(error))]) from error
    return parse_toml(content, file=path.name)


def parse_toml(content: bytes, *, file: str) -> dict[str, Any]:
    """Return TOML content as plain data. Raises PackRefused, which calls the file `file`."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PackRefused(file=file, problems=[toml_error_place(str(error))]) from error
    except UnicodeDecodeError as error:
        raise PackRefused(file=file, problems=[_problem("", str(error), "no_text")]) from error
    except RecursionError as error:
        raise PackRefused(file=file, problems=[_problem("", str(error), "too_deep")]) from error
    except (ValueError, ArithmeticError) as error:
        problems = [_problem("", str(error), "number_too_long")]
        raise PackRefused(file=file, problems=problems) from error


_SYNTAX = (
    (r"Unclosed array|Unclosed inline table", "toml_unclosed"),
    (r"Unterminated string|Expected ('\"'|\"'\")", "toml_quote"),
    (r"Cannot (overwrite|declare|mutate|redefine|redeclare)|Duplicate", "toml_twice"),
    (r"Expected '=' after a key", "toml_equals"),
    (r"Expected newline or end of document", "toml_line_end"),
    (r"Illegal character|Found invalid character", "toml_character"),
    (r"Invalid date or datetime", "toml_date"),
    (r"Invalid (initial character|statement|key)", "toml_key"),
    (r"Expected '\]", "toml_bracket"),
    (r"Unescaped '\\\\'|Invalid hex value|Escaped character", "toml_escape"),
    (r"Invalid value", "toml_value"),
)
"""What the reader of TOML says, in English, and our code for it."""


def toml_error_place(message: str) -> dict[str, Any]:
    """Return a message of the TOML reader as a problem: line, column, and the reason as a code."""
    code = next((code for words, code in _SYNTAX if re.match(words, message)), "toml_other")
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    at = {"line": found[1], "column": found[2]} if found else {}
    return _problem("", message, code) | at


def load_pack(path: Path, parameters: Mapping[str, Any] | None = None) -> Pack:
    """Return the pack in a file, with the company's own parameters where it has chosen."""
    return build_pack(read_toml(path), parameters, file=path.name)


def shipped_path(key: str) -> Path:
    """Return the path of a shipped regulation."""
    return PACKS / f"{key}.toml"


def build_pack(
    data: Mapping[str, Any], parameters: Mapping[str, Any] | None = None, *, file: str = ""
) -> Pack:
    """Return the checked pack of plain data. Raises PackRefused with every problem's place."""
    values = parameter_values(data, parameters or {})
    if problems := list(missing_parameters(data, values)):
        raise PackRefused(file=file, problems=problems)
    try:
        pack = Pack.model_validate(fill_parameters(data, values))
    except ValidationError as error:
        problems = [
            _problem(_entry_place(data, e["loc"]), _why_refused(e), e["type"])
            for e in error.errors()
        ]
        raise PackRefused(file=file, problems=problems) from error
    if problems := list(check_pack(pack)):
        raise PackRefused(file=file, problems=problems)
    return pack


_PLAIN_WORDS = {
    "extra_forbidden": "is not known here",
    "missing": "is missing",
    "decimal_type": "is no number",
}


def _why_refused(error: Mapping[str, Any]) -> str:
    """Return a validation error in words for a person who does not know the schema."""
    if error["type"] == "string_pattern_mismatch" and "serial" in str(error.get("ctx")):
        return "a number needs its serial, such as {serial:4}"
    return _PLAIN_WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def missing_parameters(
    data: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield every parameter that a rule needs and that has no value, or does not exist."""
    for name in sorted(set(wanted_parameters(data))):
        if values.get(name) is None:
            why = "has no value" if name in values else "is asked for by a rule and is not there"
            code = "parameter_empty" if name in values else "parameter_gone"
            yield _problem(f"parameter.[{name}]", why, code)


def wanted_parameters(value: Any) -> Iterator[str]:
    """Yield the names of the parameters that plain data asks for."""
    if isinstance(value, str):
        if _PARAMETER.fullmatch(value):
            yield value[1:]
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from wanted_parameters(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from wanted_parameters(inner)


def parameter_values(data: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every parameter, the company's own where it has chosen."""
    entries = data.get("parameter", ())
    if not isinstance(entries, list | tuple):
        return {}
    usual = {str(e.get("key")): e.get("value") for e in entries if isinstance(e, Mapping)}
    return usual | dict(parameters)


def fill_parameters(value: Any, values: Mapping[str, Any]) -> Any:
    """Return the data with every `$name` replaced by its value; None where it has none."""
    if isinstance(value, str):
        return values.get(value[1:]) if _PARAMETER.fullmatch(value) else value
    if isinstance(value, Mapping):
        return {key: fill_parameters(inner, values) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill_parameters(inner, values) for inner in value]
    return value


def _problem(place: str, why: str, code: str = "", **facts: Any) -> dict[str, Any]:
    """Return a problem in words for a reader of the file, and as code and facts for a page."""
    return {"place": place, "why": why, "code": code, "facts": facts}


def _entry_place(data: Mapping[str, Any], loc: tuple[int | str, ...]) -> str:
    """Return a validation error's place, with the entry's key instead of its position."""
    parts: list[str] = []
    here: Any = data
    for step in loc:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        named = isinstance(step, int) and isinstance(here, Mapping) and here.get("key")
        parts.append(f"[{here['key']}]" if named else str(step))
    return ".".join(parts)


KNOWN_FACTS = frozenset(
    {"kind", "channel", "category", "level", "grade", "responsibility", "status", "round"}
    | {"handler", "department", "reply_outcome", "closing_ground", "unhappy", "demands_more"}
    | {
        "satisfaction_unhappy",
        "subject",
        "body",
        "demand",
        "history",
        "contacted_at",
        "replied_at",
        "closed_at",
        "factory_closed_at",
    }
    | {"first_asked", "linked", "finding", "valid", "concerned", "struck"}
    | {"promised_at", "informed_at", "confirmed_at", "dispatched_at", "received_at", "upgraded_at"}
    | {"body_length", "last_answer", "extension"}
)
CASE_ROLES = frozenset(
    {"director", "handler", "lead_department", "first_asked", "concerned", "participants"}
    | {"anybody", "bearer", *SHEETS}
)


def is_role(who: str) -> bool:
    """Whether a name in a signoff is a role on the case, for which no post must be held."""
    return who in (CASE_ROLES | BOUND) - {"director"} or who.startswith("member:")


def check_pack(pack: Pack) -> Iterator[dict[str, Any]]:
    """Yield the problems the schema cannot see: keys, references, fields and roles unknown."""
    yield from _repeated_keys(pack)
    for section in SECTIONS:
        for entry in getattr(pack, section):
            place = f"{section}.[{entry.key}]"
            for target, key in references(entry):
                if not pack.find(target, key):
                    why = f"no such {target}: {key}"
                    yield _problem(place, why, "reference_gone", section=target, key=key)
            for name in _unknown_fields(pack, entry):
                yield _problem(place, f"no such field: {name}", "field_gone", field=name)
    for entry in [entry for entry in pack.channel if entry.sheet][1:]:
        why = "sheets bring cases by another channel already"
        yield _problem(f"channel.[{entry.key}]", why, "sheet_twice")
    for entry in pack.alert:
        if "bound" in entry.to and entry.breach_of is None:
            why = "only a deadline that ends binds somebody"
            yield _problem(f"alert.[{entry.key}]", why, "bound_of_nothing")
    for entry in pack.escalation:
        if (step := pack.find("severity", entry.grade)) and step.scale != "grade":
            why = f"not a grade: {entry.grade}"
            yield _problem(f"escalation.[{entry.key}]", why, "no_grade", key=entry.grade)
    yield from _unknown_people(pack)
    yield from _unknown_deadlines(pack)
    yield from _unknown_columns(pack)
    yield from _unusable_names(pack)


BOUND = frozenset({"responsible", "handler", "first_asked"})
"""The roles on the case that a deadline may bind, beside posts and members of a department."""
_TOLD = frozenset({"director", "handler", "first_asked", "lead_department", "bound"})
ROLES_BY_SECTION: Mapping[str, frozenset[str]] = {
    "deadline": BOUND,
    "signoff": CASE_ROLES,
    "chain": CASE_ROLES - frozenset(SHEETS),
    "authority": frozenset({"anybody"}),
    "alert": _TOLD,
    "report": frozenset({"director"}),
}
_OR_MEMBERS = frozenset({"deadline", "signoff", "chain"})
"""The sections that may name the members of a department as well."""
"""The sections whose entries name people as text, and the roles allowed beside posts."""
_POST = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*")


def named_people(section: str, entry: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (field, names) of an entry that names people as text; one of the names is enough.

    Each step of a chain is a name of its own. A report may go to a person outside the company: only
    a text written like a key means a post.
    """
    if section in ("signoff", "authority"):
        yield "by", (entry.by,) if isinstance(entry.by, str) else entry.by
    elif section == "chain":
        yield from (("steps", (who,)) for who in entry.steps)
    elif section == "alert":
        yield "to", entry.to
    elif section == "deadline" and entry.binds:
        yield "binds", (entry.binds,)
    elif section == "report":
        yield "by", (entry.by,)
        yield from (("to", (who,)) for who in entry.to if _POST.fullmatch(who))


def _unknown_people(pack: Pack) -> Iterator[dict[str, Any]]:
    for section, parts in ROLES_BY_SECTION.items():
        for entry in getattr(pack, section):
            for who in (who for _, names in named_people(section, entry) for who in names):
                member, _, key = who.rpartition(":")
                of_department = member == "member" and section in _OR_MEMBERS
                known = pack.find("department", key) if of_department else pack.find("post", who)
                if who not in parts and not known:
                    why = f"no such post or role: {who}"
                    yield _problem(f"{section}.[{entry.key}]", why, "post_gone", post=who)


def _unknown_deadlines(pack: Pack) -> Iterator[dict[str, Any]]:
    """Yield the names of deadlines and slots that no deadline has."""
    slots = {d.slot for d in pack.deadline}
    either = slots | {d.key for d in pack.deadline}
    named: list[tuple[str, str | None, Collection[str | None]]] = [
        *((f"extension.[{e.key}]", e.slot, slots) for e in pack.extension),
        *((f"penalty.[{e.key}]", e.breach_of, either) for e in pack.penalty),
        *((f"alert.[{e.key}]", e.breach_of, either) for e in pack.alert),
    ]
    for place, name, known in named:
        if name and name not in known:
            facts = {"section": "deadline", "key": name}
            yield _problem(place, f"no such deadline: {name}", "reference_gone", **facts)


def _unknown_columns(pack: Pack) -> Iterator[dict[str, Any]]:
    """Yield the columns of ledgers that neither a case nor the ledger's form has."""
    own = {f.key for f in pack.field} | KNOWN_FACTS | {"received", "closed", "customer"}
    for entry in pack.ledger:
        form = pack.find("form", entry.form)
        for name in entry.columns:
            if form:
                known = form.field(name.rpartition(".")[2])
            else:
                known = name in own or _is_case_fact(name) or _is_entry_path(pack, name)
            if not known:
                why = f"no such field: {name}"
                yield _problem(f"ledger.[{entry.key}]", why, "column_gone", column=name)


_NO_CASE = CaseFacts()


def _is_case_fact(name: str) -> bool:
    """Whether every case has the field, whatever the regulation."""
    return name not in PICTURES and hasattr(_NO_CASE, name)


def _unusable_names(pack: Pack) -> Iterator[dict[str, Any]]:
    """Yield fields of the pack that a condition cannot name, and numbers that are too long."""
    for field in pack.field:
        place = f"field.[{field.key}]"
        if "." in field.key:
            yield _problem(place, "the key of a field has no dot", "field_dotted")
        elif field.key in KNOWN_FACTS or _is_case_fact(field.key):
            yield _problem(place, f"every case has its own {field.key}", "field_taken")
    for entry in pack.number:
        example = render_number(entry, dt.date(2026, 12, 31), MANY_CASES)
        if len(example) > LONGEST_NUMBER:
            facts = {"limit": LONGEST_NUMBER, "example": example}
            why = f"longer than {LONGEST_NUMBER} characters: {example}"
            yield _problem(f"number.[{entry.key}]", why, "number_long", **facts)


LONGEST_NUMBER = 40
"""The most characters of a case number; the width of its column."""
MANY_CASES = 999_999
"""The serial of a period that must fit a case number: a serial grows past its width."""


def _repeated_keys(pack: Pack) -> Iterator[dict[str, Any]]:
    for section in SECTIONS:
        seen: set[str] = set()
        for entry in getattr(pack, section):
            if entry.key in seen:
                place = f"{section}.[{entry.key}]"
                yield _problem(place, "the key stands twice", "key_twice")
            seen.add(entry.key)


def references(entry: Shape) -> Iterator[tuple[str, str]]:
    """Yield the (section, key) pairs an entry points to."""
    for name, section in _reference_fields(type(entry)):
        value = getattr(entry, name)
        for key in value if isinstance(value, tuple) else (value,):
            if key is not None:
                yield section, key


@cache
def _reference_fields(shape: type[Shape]) -> tuple[tuple[str, str], ...]:
    return tuple((name, ref.section) for name, one in marks_of(shape).items() for ref in one.refs)


_EVENT_FIELDS = frozenset(
    f"event.{field}" for kind in EVENTS.values() for field in kind.model_fields
)


def _unknown_fields(pack: Pack, entry: Shape) -> Iterator[str]:
    own = {f.key for f in pack.field}
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if not (isinstance(value, tuple) and value and isinstance(value[0], ConditionRow)):
            continue
        yield from (row.field for row in value if not is_known_path(pack, row.field))
    for said in _named_fields(entry):
        known = said in ("event", "received", "event.until", "") or said in KNOWN_FACTS | own
        if not (known or _is_entry_path(pack, str(said))):
            yield str(said)


def _named_fields(entry: Shape) -> Iterator[Any]:
    """Yield the fields that an entry names outside its conditions."""
    for name in ("until", "counts_from", "of", "own_form"):
        said = getattr(entry, name, None)
        yield from said if isinstance(said, tuple) else () if said is None else (said,)


def is_known_path(pack: Pack, path: str) -> bool:
    """Whether a condition may ask for a path: a fact, a field of the pack, or an entry's."""
    own = pack.find("field", path) is not None
    return path in KNOWN_FACTS or own or path in _EVENT_FIELDS or _is_entry_path(pack, path)


def _is_entry_path(pack: Pack, path: str) -> bool:
    """Whether a path names a form entry, a late deadline or a field of the event.

    Such as `form.visit`, `form.visit.day`, `event.data.day`, `event.extra.plate`, `late.close`;
    after `round.`, an entry of this round, or one of ROUND_FACTS.
    """
    section, _, name = path.partition(".")
    key, _, field = name.partition(".")
    if section == "round":
        return name in ROUND_FACTS or (key in OF_A_ROUND and _is_entry_path(pack, name))
    if section == "event":
        if key == "extra":
            return pack.find("field", field) is not None
        return key == "data" and any(form.field(field) for form in pack.form)
    if section in OF_DEADLINES:
        return pack.find("deadline", key) is not None and not field
    if section == "informed":
        return key in _ABOUT
    found = pack.find({"participant": "department", "appeal": "vote"}.get(section, section), key)
    if section not in ENTRY_SECTIONS or found is None:
        return False
    return not field or (section == "form" and found.field(field) is not None)


ENTRY_SECTIONS = frozenset({*COUNTED, *STANDING, "checklist", "claim"}) - {"informed"}
_ABOUT = marks_of(Informed)["about"].words
