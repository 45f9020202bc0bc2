"""Forms that belong to no case: who may fill one in is said by the regulation there as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from policy.vocabulary.errors import PostMissing
from services.cases import forms
from services.regulation import policies
from tests.company import MORNING, REGULATION, Office


@pytest.mark.proves("SKD-二.SV.3", "SKD-二.SM.3", "SKD-二.PM.2")
def test_a_form_that_stands_alone_is_filled_by_whom_the_regulation_names(
    office: Office, refuses: Callable[..., Any]
) -> None:
    version = policies.in_force(office.session, REGULATION, on=MORNING.date())
    heard = {"content": "希望延长营业"}

    def note(form: str, data: dict[str, Any], name: str) -> Any:
        who = office.by(name)
        return forms.fill_alone(
            office.session, version, form=form, data=data, actor=who, now=MORNING
        )

    with refuses(PostMissing, deed="filled", cite="SKD-二.SV.3"):
        note("service_opinion", heard, "mechanic")
    with refuses(PostMissing, deed="filled", cite="SKD-二.SM.3"):
        note("customer_opinion", heard, "manager")
    missing = {"vehicle": "明锐", "part": "水泵", "order": "urgent", "ordered_on": "2026-09-28"}
    with refuses(PostMissing, deed="filled", cite="SKD-二.PM.2"):
        note("parts_demand", missing, "manager")
    assert note("service_opinion", heard, "manager").data == heard
