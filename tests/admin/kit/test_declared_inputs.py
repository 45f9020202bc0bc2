"""Forms made from declarations: every deed has one, and asks for what its event needs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from wtforms import BooleanField, StringField, TextAreaField

from admin.cases import correction
from admin.cases.deed_forms import MarkedForm
from admin.cases.deeds import DEEDS, FORMS, form_class
from admin.kit.declared_inputs import INPUTS, asked_fields, grades, of_event
from admin.kit.fields import EnumField, InstantField, LookupField, MoneyField, PeopleField
from admin.kit.lookup import session as current
from config import Settings
from policy.pack.loading import PACKS, load_pack, shipped_path
from policy.pack.schema import Pack
from policy.proof.coverage import chosen_parameters
from policy.vocabulary.events import EVENTS, dump_event
from policy.vocabulary.marks import Mark, entry_field, marks_of
from tests import company, samples
from tests.regulations import CASES

NOT_ON_THE_PAGE = {
    *("registered", "imported", "time_passed", "recounted", "retallied", "archived", "corrected"),
    *("withdrawn", "moved", "penalty_confirmed", "penalty_waived", "penalty_notified"),
    "penalty_reversed",
}


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Here no database is blank: the company is in it."""
    return company.build(Settings(home=tmp_path_factory.mktemp("company")))


def regulation(stem: str = "skoda-dealer") -> Pack:
    return load_pack(shipped_path(stem), chosen_parameters(CASES / stem))


def test_every_deed_of_the_page_of_a_case_has_a_service() -> None:
    assert set(DEEDS) == set(EVENTS) - NOT_ON_THE_PAGE
    assert set(FORMS) < set(DEEDS)


@pytest.mark.parametrize("stem", sorted(path.stem for path in PACKS.glob("*.toml")))
def test_every_deed_has_a_form_that_asks_for_what_its_event_needs(app: Flask, stem: str) -> None:
    pack = regulation(stem)
    with app.test_request_context():
        for name in DEEDS:
            entry = samples.about(name, pack)
            if samples.lacking(name, pack):
                continue
            kind: Any = form_class(name)
            made: Any = type(kind.__name__, (kind.made_for(pack, entry),), {"entry": entry})
            form = made()
            needed = {one.name for one in asked_fields(EVENTS[name]) if one.required}
            given = entry_field(EVENTS[name])
            by_service = {"item", "members", "more"} | ({given.name} if given else set())
            assert needed - by_service <= {one.short_name for one in form}, name


def test_a_deed_without_a_form_of_its_own_gets_one_from_its_marks(app: Flask) -> None:
    pack = regulation()
    with app.test_request_context():
        marked: Any = type("Form", (MarkedForm,), {"event": EVENTS["judged"]})
        form = marked.made_for(pack, None)()
        kinds = {one.short_name: type(one) for one in form if one.short_name != "seen"}
        offered = [value for value, _ in (choice[:2] for choice in form.ground.iter_choices())]
    assert kinds["employee"] is LookupField
    assert kinds["together"] is PeopleField
    assert kinds["amount"] is MoneyField
    assert kinds["text"] is TextAreaField
    assert "taken" not in kinds, "the system finds it out"
    by_hand = [one.key for one in pack.penalty if one.by_hand]
    assert offered == [*by_hand, *(one.key for one in pack.reward)]


def test_the_shape_of_a_field_decides_its_input(app: Flask) -> None:
    pack = regulation()
    replied, dispatched = marks_of(EVENTS["replied"]), marks_of(EVENTS["dispatched"])
    wanted = {
        EnumField: replied["outcome"],
        InstantField: replied["until"],
        BooleanField: dispatched["director_only"],
        StringField: marks_of(EVENTS["informed"])["channel"],
    }
    for kind, one in wanted.items():
        assert INPUTS.made(of_event(one, pack, needed=False)).field_class is kind


def test_grades_are_offered_in_the_order_of_their_keys(app: Flask) -> None:
    with app.test_request_context():
        keys = [choice.value for choice in grades(regulation())]
    assert keys == ["", *sorted(keys[1:])]
    assert len(keys) > 1


@pytest.mark.parametrize("stem", sorted(path.stem for path in PACKS.glob("*.toml")))
def test_every_entry_that_may_be_amended_has_a_form_of_what_may_be_wrong(
    app: Flask, stem: str
) -> None:
    pack = regulation(stem)
    with app.test_request_context():
        for name, kind in EVENTS.items():
            if not kind.amendable or samples.lacking(name, pack):
                continue
            event = samples.event(name, pack)
            row: Any = SimpleNamespace(event=name, seq=1, data=dump_event(event))
            page: Any = SimpleNamespace(
                pack=pack, complaint=SimpleNamespace(version=1), history=[], people={}
            )
            form = correction.Amendment(current(), page, row).form
            for one in marks_of(kind).values():
                asked = not ({Mark.by_system, Mark.fixed} & one.marks or one.table)
                assert (one.name in form) is asked, (name, one.name)


def test_how_the_customer_was_told_is_amended_as_it_was_written(app: Flask) -> None:
    pack = regulation()
    with app.test_request_context():
        event = samples.event("informed", pack)
        row: Any = SimpleNamespace(event="informed", seq=1, data=dump_event(event))
        page: Any = SimpleNamespace(
            pack=pack, complaint=SimpleNamespace(version=1), history=[], people={}
        )
        asked = correction.Amendment(current(), page, row)
        assert asked.form.channel.data == "words of channel"
        assert asked._changes() == {}
