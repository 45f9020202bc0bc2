"""What the fields of events refer to is said once, by marks that everybody reads."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from policy.engine.permission import DECLARED_IN
from policy.pack.schema import SECTIONS
from policy.vocabulary.events import EVENTS, Judged, Long, dump_event, fields_named, load_event
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import (
    FieldMarks,
    Mark,
    PartOf,
    RefTo,
    ValueOf,
    declared_field,
    employee_numbers_in,
    entry_field,
    marks_of,
    person_fields,
    whole_field,
)


class Colour(enum.Enum):
    """An enumeration of these tests."""

    red = "red"


class Sung(BaseModel):
    """What no regulation knows, marked in every way; `song` and `notes` are not."""

    song: str
    notes: Mapping[str, Any]
    book: Annotated[str, RefTo("form", alone=False)] | None = None
    pages: Annotated[tuple[Annotated[str, PartOf("book", "fields")], ...], Mark.fixed]
    singer: Annotated[str, Mark.person]
    paid: Annotated[Mapping[Annotated[str, Mark.person], int], Mark.silent]
    colour: Colour
    shade: Annotated[str, ValueOf(Colour)]
    voice: Literal["high", "low"]
    words: Long
    loud: bool = False


FIELDS = [(name, one) for name, kind in EVENTS.items() for one in marks_of(kind).values()]


@pytest.mark.parametrize(("name", "one"), FIELDS, ids=lambda said: getattr(said, "name", said))
def test_every_field_of_every_event_says_what_it_refers_to(name: str, one: FieldMarks) -> None:
    assert one.says_enough, f"mark {name}.{one.name}: a bare text could mean anything"
    assert all(section in SECTIONS for section in one.sections)
    if one.part:
        whole = marks_of(EVENTS[name])[one.part.field]
        assert all(one.part.parts in SECTIONS[s].model_fields for s in whole.sections)


def test_a_field_that_nobody_marked_is_found_out() -> None:
    silent = {name for name, one in marks_of(Sung).items() if not one.says_enough}
    assert silent == {"song", "notes"}


def test_marks_are_found_behind_what_makes_a_field_optional_several_or_a_table() -> None:
    found = marks_of(Sung)
    assert (found["book"].sections, found["book"].optional) == (("form",), True)
    assert (found["pages"].several, found["pages"].marks) == (True, {Mark.fixed})
    assert found["pages"].part == PartOf("book", "fields")
    assert (found["paid"].table, found["paid"].marks) == (True, {Mark.person, Mark.silent})
    assert found["colour"].members is found["shade"].members is Colour
    assert (found["voice"].words, found["words"].longest) == (("high", "low"), 20_000)
    assert {one.name for one in found.values() if not one.required} == {"book", "loud"}


def test_a_reference_says_which_entries_may_be_chosen() -> None:
    (book,) = marks_of(Sung)["book"].refs
    assert [book.offers(SimpleNamespace(alone=alone)) for alone in (False, True)] == [True, False]


def test_the_marks_of_an_event_say_what_forms_and_sentences_ask() -> None:
    judged = marks_of(Judged)
    assert judged["ground"].sections == ("penalty", "reward")
    assert (judged["employee"].shape, judged["employee"].optional) == ("employee", True)
    assert (judged["together"].shape, judged["together"].several) == ("employee", True)
    assert (judged["amount"].shape, judged["text"].shape) == ("money", "long_text")
    assert judged["type"].marks == {Mark.by_system, Mark.silent}
    assert marks_of(EVENTS["verified"])["earlier"].table
    assert marks_of(EVENTS["registered"])["earlier"].shape == "number"
    assert marks_of(EVENTS["informed"])["channel"].refs == ()
    assert {one.shape for one in fields_named("channel")} == {"choice", "text"}


def test_facts_that_are_found_out_from_a_case_are_marked_as_well() -> None:
    facts = marks_of(CaseFacts)
    assert facts["department"].sections == ("department",)
    assert {one.name for one in person_fields(CaseFacts)} == {
        *("first_asked", "concerned", "handler", "responsible")
    }


def test_a_deed_about_an_entry_says_about_which_and_what_is_a_part_of_it() -> None:
    assert DECLARED_IN["reported"] == "report_out"
    assert {name for name in DECLARED_IN if entry_field(EVENTS[name]) is None} == {"verified"}
    wholes = {name: whole.name for name, kind in EVENTS.items() if (whole := whole_field(kind))}
    assert wholes == {"filled": "form", "reported": "report", "checked": "checklist"}
    assert declared_field(EVENTS["dispatched"]) is None


def test_the_people_whom_an_event_names_are_found_by_its_marks() -> None:
    said = {"concerned": ["2001", "2002"], "earlier": {"2001": 1}, "text": "-"}
    assert employee_numbers_in(person_fields(EVENTS["verified"]), said) == {"2001", "2002"}
    assert employee_numbers_in(person_fields(EVENTS["assigned"]), {"handler": "2005"}) == {"2005"}


def test_marks_change_nothing_of_what_a_journal_keeps() -> None:
    kept = {
        "type": "verified",
        "at": "2026-03-02T01:00:00Z",
        "by": {"kind": "user", "employee": "1001"},
        "finding": "fault",
        "concerned": ["2001"],
        "text": "-",
        "earlier": {"2001": 1},
    }
    assert dump_event(load_event(kept)) == kept


@pytest.mark.parametrize("section", SECTIONS)
def test_the_entries_of_a_regulation_refer_to_sections_there_are(section: str) -> None:
    for one in marks_of(SECTIONS[section]).values():
        assert set(one.sections) <= set(SECTIONS), one.name
