"""A regulation of 200 rules for measuring: the shipped one, told again for each other category.

Every deadline, penalty, gate and signoff has a copy for each category the measured case does not
have, as a company writes it that treats service, technical matters and parts differently; the
engine has to find out each time that they do not concern this case.
"""

from __future__ import annotations

from typing import Any

from policy.pack.loading import build_pack, read_toml, shipped_path
from policy.pack.schema import Pack

SECTIONS = ("deadline", "penalty", "gate", "signoff")
OTHERS = ("service", "technical", "parts")
"""The categories the measured case does not have: it is about quality."""
RULES = 200


def large() -> Pack:
    """The pack; it has at least RULES entries that an event may have to look at."""
    data = read_toml(shipped_path("skoda-dealer"))
    copied = {section: list(data[section]) for section in SECTIONS}
    deadlines = {entry["key"] for entry in data["deadline"]}
    for category in OTHERS:
        for section in SECTIONS:
            data[section] += [_told_again(one, category, deadlines) for one in copied[section]]
    pack = build_pack(data, file="benchmark")
    assert sum(len(getattr(pack, section)) for section in SECTIONS) >= RULES
    return pack


def _told_again(entry: dict[str, Any], category: str, deadlines: set[str]) -> dict[str, Any]:
    only = {"field": "category", "is": category}

    def again(key: str) -> str:
        return f"{key}_for_{category}"

    copy = entry | {
        "key": again(entry["key"]),
        "applies": [*entry.get("applies", ()), only],
    }
    if entry.get("breach_of") in deadlines:
        copy["breach_of"] = again(entry["breach_of"])
    for name in ("adds_to", "replaces"):
        if name in entry:
            copy[name] = [again(key) for key in entry[name]]
    return copy
