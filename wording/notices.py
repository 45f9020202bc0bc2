"""Notices in words: title, text, and why one did not arrive. No customer is ever mentioned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from wording.errors import Facts, value_text
from wording.language import _, mark, moment
from wording.workbook_problems import workbook_problem

_NOTICES = {
    "dispatched": mark("Case handed over"),
    "restarted": mark("Case begun anew"),
    "to_confirm": mark("Answer to confirm"),
    "to_decide": mark("Case raised"),
    "to_endorse": mark("Approval wanted"),
    "to_convene": mark("Appeal lodged"),
    "to_vote": mark("Vote wanted"),
    "takes_part": mark("Department takes part"),
    "penalties_changed": mark("Penalties changed"),
    "alert": mark("For your attention"),
    "due_soon": mark("Term ends soon"),
    "breached": mark("Term has run out"),
    "refused_input": mark("Input not taken"),
    "file_held": mark("Spreadsheet kept open"),
    "file_problem": mark("Spreadsheet stopped"),
    "test": mark("A test"),
}
"""The name of each kind of notice, in lists and at the beginning of its title."""

_NOTICE_TEXTS = {
    "dispatched": mark("The case is yours now. Contact the customer and enter the answer."),
    "restarted": mark("The customer is not satisfied. Handle the case again and answer anew."),
    "to_confirm": mark("The department has answered. Look at the answer and confirm it."),
    "to_decide": mark("The case was raised to the general manager and waits for a decision."),
    "to_endorse": mark("It is your turn to approve: %(alert)s (%(cite)s)."),
    "to_convene": mark("An appeal waits for its jury: %(alert)s (%(cite)s)."),
    "to_vote": mark("You sit on the jury: %(alert)s (%(cite)s). Read the matter and vote."),
    "takes_part": mark("Your department takes part in the case. See what is asked of it."),
    "penalties_changed": mark(
        "Another case changed what is charged in this one. Look at its penalties."
    ),
    "alert": mark("%(alert)s (%(cite)s). Please look at the case."),
    "due_soon": mark("There is little time left: %(clock)s (%(cite)s)."),
    "breached": mark("The case is overdue. What is still to be done remains to be done."),
    "refused_input": mark(
        "What was typed into “%(sheet)s” was not taken. The row itself says why and what to do."
    ),
    "file_held": mark(
        "“%(sheet)s” is kept open by %(who)s, so nothing can be written into it. "
        "Please save and close it."
    ),
    "file_problem": mark(
        "“%(sheet)s” is neither read nor written until somebody has looked at it. "
        "Its page says what is wrong and offers the choices."
    ),
    "test": mark("This is a test of the channel “%(channel)s”. Whoever reads it is reached."),
}
"""The text of each kind of notice: what to do. No customer is ever mentioned."""


def notice_label(kind: str) -> str:
    """Return the kind of a notice in a few words."""
    return _(_NOTICES[kind]) if kind in _NOTICES else kind


def notice_title(kind: str, facts: Mapping[str, Any]) -> str:
    """Return the title of a notice: Redress, its kind, and the case or the file.

    It always begins with the same word, because group robots may require a keyword.
    """
    about = facts.get("number") or facts.get("sheet") or facts.get("channel")
    return " · ".join(["Redress", notice_label(kind), *([str(about)] if about else [])])


def notice_text(kind: str, facts: Mapping[str, Any], link_base: str) -> str:
    """Return what to do, for which department, until when, and where, without a customer.

    `link_base` is the beginning of a page's address.
    """
    said = Facts({name: value_text(value) for name, value in facts.items() if value is not None})
    lines = [_(_NOTICE_TEXTS[kind]) % said] if kind in _NOTICE_TEXTS else []
    if kind == "file_problem" and facts.get("code"):
        lines.insert(0, workbook_problem(facts["code"], facts.get("facts") or {}))
    if facts.get("department"):
        lines.append(_("Department: %(department)s", department=facts["department"]))
    if facts.get("due_at"):
        until = moment(facts["due_at"])
        if facts.get("provisional"):
            until = _("%(due)s (provisional)", due=until)
        lines.append(_("Until: %(at)s", at=until))
    if facts.get("number"):
        page = "admin/jury" if kind == "to_vote" else "c"
        lines.append(f"{link_base}/{page}/{quote(str(facts['number']), safe='')}")
    return "\n".join(lines or [link_base])


_FAILURES = {
    "unreachable": mark("Nobody answered"),
    "refused": mark("Refused by the far end"),
    "scheme_unknown": mark("The address begins with something that may not be used"),
    "parameter_unknown": mark("The address has a parameter that may not be used"),
    "address_incomplete": mark("The address is incomplete"),
    "interrupted": mark("Broken off in the middle"),
    "too_old": mark("Too old to be told"),
    "over": mark("Not needed any more"),
    "nobody": mark("Nobody to tell"),
    "channel_off": mark("The channel is switched off"),
    "no_mail_server": mark("No mail server is set"),
}


def notice_failure(why: str) -> str:
    """Return why a notice did not arrive: its code in words, and the far end's message."""
    code, found, detail = why.partition(": ")
    words = _(_FAILURES[code]) if code in _FAILURES else code
    return _("%(what)s: %(detail)s", what=words, detail=detail) if found else words
