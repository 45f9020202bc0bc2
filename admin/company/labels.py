"""Words that the pages of the organisation share, and the chip that says how something stands."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext
from markupsafe import Markup

LABELS = {
    "active": lazy_gettext("Active"),
    "department": lazy_gettext("Department"),
    "display_name": lazy_gettext("Name shown"),
    "email": lazy_gettext("Email"),
    "employee": lazy_gettext("Employee"),
    "employees": lazy_gettext("Employees"),
    "from_on": lazy_gettext("First day"),
    "holding": lazy_gettext("Post held"),
    "joined_on": lazy_gettext("Joined on"),
    "key": lazy_gettext("Key"),
    "left_on": lazy_gettext("Left on"),
    "name": lazy_gettext("Full name"),
    "number": lazy_gettext("Employee number"),
    "open_cases": lazy_gettext("Open cases"),
    "phone": lazy_gettext("Phone"),
    "policy_department": lazy_gettext("Department in the regulation"),
    "post": lazy_gettext("Post"),
    "reason": lazy_gettext("Reason"),
    "role": lazy_gettext("Role"),
    "standing": lazy_gettext("Standing"),
    "until_on": lazy_gettext("Last day"),
    "username": lazy_gettext("User name"),
}


def chip(tone: str, words: Any) -> Markup:
    """A small word in a colour: whether something is so today."""
    return Markup('<span class="chip chip-{}">{}</span>').format(tone, words)
