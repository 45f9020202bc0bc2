"""Values of fields in words: every event of every regulation tells what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import wording
from policy.pack.loading import PACKS, load_pack, shipped_path
from policy.pack.schema import Pack
from policy.proof.coverage import chosen_parameters
from policy.vocabulary.events import EVENTS, dump_event, fields_named
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import FieldMarks, Mark, marks_of
from policy.vocabulary.status import Status
from tests import samples
from tests.regulations import CASES
from wording import field_text, reasons

ZONE = ZoneInfo("Asia/Shanghai")
PEOPLE = {samples.WHO: "mechanic"}


def regulation(stem: str = "skoda-dealer") -> Pack:
    return load_pack(shipped_path(stem), chosen_parameters(CASES / stem))


@pytest.mark.parametrize("stem", sorted(path.stem for path in PACKS.glob("*.toml")))
def test_every_event_tells_each_of_its_fields_that_is_not_silent(stem: str) -> None:
    pack = regulation(stem)
    for name, kind in EVENTS.items():
        if samples.lacking(name, pack):
            continue
        data = dump_event(samples.event(name, pack))
        with wording.speaking("zh_Hans_CN", ZONE):
            lines = reasons.event_text(data, pack, PEOPLE).splitlines()
            told = [one for one in marks_of(kind).values() if _is_told(one, data)]
            assert len(lines) == len(told), name
            told.sort(key=lambda one: list(data).index(one.name))
            for one, line in zip(told, lines, strict=True):
                named = Mark.nameless not in one
                assert line.startswith(f"{wording.field(one.name)}：") is named, (name, line)
                assert one.shape != "employee" or line.endswith("mechanic"), (name, line)


def _is_told(one: FieldMarks, data: Mapping[str, Any]) -> bool:
    return Mark.silent not in one and data.get(one.name) not in (None, "", {})


@pytest.mark.parametrize("name", EVENTS)
def test_no_word_or_member_of_an_event_is_told_by_its_code(name: str) -> None:
    pack = regulation()
    names = field_text.names_of(pack, PEOPLE)
    for one in marks_of(EVENTS[name]).values():
        codes = [*one.words, *(member.value for member in one.members or ())]
        for code in codes if Mark.by_system not in one else ():
            with wording.speaking("zh_Hans_CN", ZONE):
                assert field_text.value_text((one,), code, names) != code


def test_a_correction_tells_each_change_by_what_the_field_refers_to() -> None:
    pack = regulation()
    changes = {
        "department": pack.department[0].key,
        "handler": samples.WHO,
        "until": samples.AT,
        "outcome": "extension",
        "solved": True,
    }
    data = {"type": "corrected", "target": 1, "changes": changes, "reason": "-"}
    with wording.speaking("en", ZONE):
        assert reasons.event_text(data, pack, PEOPLE).splitlines() == [
            f"Department → {pack.department[0].label}",
            "Handler → mechanic",
            "Until → 2026-03-02 09:00",
            "Outcome → Asks for an extension",
            "Solved → yes",
            "-",
        ]


def test_fields_called_alike_are_told_as_the_one_that_fits() -> None:
    pack = regulation()
    names = field_text.names_of(pack, PEOPLE)
    with wording.speaking("en", ZONE):
        assert field_text.value_text(fields_named("outcome"), "unreachable", names) == "Not reached"
        assert field_text.value_text(fields_named("outcome"), "solved", names) == "Solved"
        assert field_text.value_text(fields_named("channel"), "by letter", names) == "by letter"
        status = marks_of(CaseFacts)["status"]
        assert field_text.value_text((status,), Status.closed, names) == "Closed, observed"
