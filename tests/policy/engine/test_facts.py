"""A picture with some fields changed is the same as if it had been made anew."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from policy.vocabulary.facts import CaseFacts, replace


def test_a_changed_picture_equals_one_made_with_those_fields() -> None:
    old = CaseFacts(number="1", subject="-", extra={"vin": "x"})
    new = replace(old, round=2, subject="?")
    assert new == CaseFacts(number="1", subject="?", round=2, extra={"vin": "x"})
    assert new == dataclasses.replace(old, round=2, subject="?")
    assert old == CaseFacts(number="1", subject="-", extra={"vin": "x"})


def test_a_field_the_picture_does_not_have_is_refused() -> None:
    strange: dict[str, Any] = {"colour": "red"}
    with pytest.raises(TypeError, match="colour"):
        replace(CaseFacts(), **strange)


def test_a_changed_picture_is_as_frozen_as_the_old_one() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(CaseFacts(), round=2).round = 3  # type: ignore[misc]  # that is what is tried
