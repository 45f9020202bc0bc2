"""What is measured can still be measured: a change of a shipped regulation must not spoil it."""

from __future__ import annotations

from benchmarks.regulation import RULES, SECTIONS, large


def test_the_regulation_of_the_benchmarks_loads_and_has_its_rules() -> None:
    pack = large()
    assert sum(len(getattr(pack, section)) for section in SECTIONS) >= RULES
