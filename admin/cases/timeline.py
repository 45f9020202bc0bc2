"""The journal of a case in words, as its page and the phone show it."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext

import wording
from models import Journal
from policy.vocabulary.status import ActorKind
from services.cases.desk import CasePage
from wording import reasons

TONES = {
    "restarted": ("red", "restart"),
    "handed_over": ("amber", "restart"),
    "time_passed": ("amber", "clock"),
    "recounted": ("amber", "calendar"),
    "retallied": ("amber", "alert"),
    "signed": ("green", "check"),
    "settled": ("green", "check"),
    "archived": ("green", "check"),
    "confirmed": ("green", "check"),
    "called_back": ("teal", "phone"),
    "judged": ("red", "alert"),
    "corrected": ("amber", "edit"),
    "withdrawn": ("red", "close"),
}


def timeline(page: CasePage, amendable: set[int]) -> list[dict[str, Any]]:
    """The journal in words, newest first; each entry knows whether it may be amended."""
    return [
        {
            "at": row.happened_at,
            "title": wording.deed(row.event),
            "who": _who(row, page),
            "text": _text(row, page),
            "tone": TONES.get(row.event, ("blue", "dot"))[0],
            "icon": TONES.get(row.event, ("blue", "dot"))[1],
            "seq": row.seq if row.seq in amendable else None,
            "recorded_at": row.recorded_at,
        }
        for row in page.history
    ]


def _who(row: Journal, page: CasePage) -> str:
    """Who did it; of a spreadsheet, whose it is, because nobody knows who typed."""
    if row.actor is ActorKind.sheet:
        keys = row.data["by"].get("departments", ())
        names = gettext("; ").join(page.pack.label("department", key) for key in keys)
        return gettext("%(department)s spreadsheet", department=names)
    person = row.employee or (row.user.display_name if row.user else "")
    return str(person) or wording.label(row.actor)


def _text(row: Journal, page: CasePage) -> str:
    """What an entry says; of time itself, which clocks it found run out."""
    if row.event != "time_passed":
        return reasons.event_text(row.data, page.pack, page.people)
    ran_out = [
        gettext("%(clock)s ran out", clock=page.pack.label("deadline", deadline.key))
        for deadline in page.facts.deadlines
        for breach in deadline.breaches
        if breach.found_at == row.recorded_at
    ]
    return "\n".join(ran_out) or gettext("The observation is over.")
