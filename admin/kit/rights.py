"""Who opens which page: one table of every route × role, and the guard that asks it.

Roles decide pages; what somebody may do on a page is answered by the posts they hold, in the
rules. A route that is not in the table opens for nobody, so a forgotten one is noticed at once.
"""

from __future__ import annotations

from flask import Flask, abort, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from enums import Role

EVERYONE = frozenset(Role)
NOBODY: frozenset[Role] = frozenset()
ADMINISTRATOR = frozenset({Role.administrator})
CARE = frozenset({Role.administrator, Role.care})
OFFICE = frozenset(
    {
        Role.administrator,
        Role.care,
        Role.director,
        Role.general_manager,
        Role.hr,
        Role.auditor,
    }
)
CASEWORK = frozenset(
    {Role.administrator, Role.care, Role.director, Role.member, Role.general_manager}
)
DECIDERS = frozenset({Role.administrator, Role.general_manager})
CASEREADERS = CASEWORK | {Role.auditor}

LEDGERREADERS = CARE | {Role.general_manager, Role.auditor}
CUSTOMERREADERS = CARE | {Role.general_manager}

PAYROLL = CARE | {Role.general_manager, Role.hr, Role.auditor}
JURORS = EVERYONE - {Role.auditor}
"""Whoever may sit on a jury or appeal for themselves: all but those who change nothing."""

MONEYREADERS = PAYROLL | {Role.director, Role.member, Role.employee}

SHEETREADERS = CARE | {Role.auditor}

OPEN = frozenset({"start", "login", "log_in", "language", "healthz", "static"})
"""Routes that need nobody to be logged in."""


WITH_ANY_PASSWORD = frozenset({"logout", "password.index", "admin.static"})
"""What somebody opens who has to choose a password of their own first."""


READING = ("index_view", "details_view", "export")
WRITING = (
    "create_view",
    "edit_view",
    "delete_view",
    "action_view",
    "ajax_update",
    "ajax_lookup",
)
"""The routes of Flask-Admin's lists; a list has those that its class offers."""


def listed(
    view: str, *, read: frozenset[Role], write: frozenset[Role] = NOBODY
) -> dict[str, frozenset[Role]]:
    """The routes every list may have: who reads it, and who writes its rows in any way."""
    routes = dict.fromkeys(READING, read) | dict.fromkeys(WRITING, write)
    return {f"{view}.{route}": roles for route, roles in routes.items()}


RIGHTS: dict[str, frozenset[Role]] = {
    "logout": EVERYONE,
    "password.index": EVERYONE,
    "admin.index": EVERYONE,
    "admin.static": EVERYONE,
    # cases and money
    **listed("complaint", read=CASEREADERS),
    "complaint.register": frozenset({Role.care}),
    "complaint.case": CASEREADERS,
    "complaint.deed": CASEWORK,
    "complaint.amend": CARE,
    "phone.index": CASEREADERS,
    "phone.case": CASEREADERS,
    "phone.deed": CASEWORK,
    "phone.add": CASEWORK,
    "phone.paper": CASEREADERS,
    # what a regulation wants written down, listed and reported
    "standalone.index": CASEREADERS,
    "standalone.one": CASEREADERS,
    "standalone.export": CASEREADERS,
    "standalone.fill": CASEWORK,
    "ledger.index": LEDGERREADERS,
    "ledger.one": LEDGERREADERS,
    "ledger.export": LEDGERREADERS,
    "ledger.missing": LEDGERREADERS,
    "report.index": LEDGERREADERS,
    "report.filed": LEDGERREADERS,
    "report.indicators": LEDGERREADERS,
    "report.file": CARE | {Role.general_manager},
    # customers with their telephone numbers, and who is marked for special attention
    "customer.index_view": CUSTOMERREADERS,
    "customer.export": CUSTOMERREADERS,
    "customer.one": CUSTOMERREADERS,
    "customer.rank": CARE,
    "customer.flag": CUSTOMERREADERS,
    "customer.lift": CUSTOMERREADERS,
    **listed("callback", read=CARE | {Role.general_manager, Role.auditor}),
    **listed("penalty", read=MONEYREADERS),
    "penalty.one": MONEYREADERS,
    "penalty.deed": CARE | {Role.general_manager, Role.hr},
    "penalty.appeal": MONEYREADERS & JURORS,
    "jury.index": JURORS,
    "jury.one": JURORS,
    "jury.vote": JURORS,
    "month.index": PAYROLL,
    "month.export": PAYROLL,
    # the files of departments and payroll
    "sheet.index": SHEETREADERS,
    "sheet.one": SHEETREADERS,
    "sheet.passes": SHEETREADERS,
    "sheet.one_pass": SHEETREADERS,
    "sheet.choose": CARE,
    "sheet.look": CARE,
    "sheet.deed": ADMINISTRATOR,
    "sheet.undo": ADMINISTRATOR,
    **listed("sheet_tab", read=SHEETREADERS, write=ADMINISTRATOR),
    **listed("sheet_column", read=SHEETREADERS, write=ADMINISTRATOR),
    # the regulation and the calendar belong to everybody who is judged by them
    "policy.index": EVERYONE,
    "policy.version": EVERYONE,
    "policy.compare": EVERYONE,
    "policy.sentences": EVERYONE,
    "policy.file": EVERYONE,
    # whoever edits does not approve their own draft; the deed asks that
    "draft.index": ADMINISTRATOR,
    "draft.numbers": ADMINISTRATOR,
    "draft.choices": ADMINISTRATOR,
    "draft.rules": ADMINISTRATOR | {Role.general_manager, Role.auditor},
    "draft.entry": ADMINISTRATOR,
    "draft.add": ADMINISTRATOR,
    "draft.arrange": ADMINISTRATOR,
    "draft.check": ADMINISTRATOR | {Role.general_manager},
    "draft.approve": ADMINISTRATOR | {Role.general_manager},
    "draft.publish": ADMINISTRATOR,
    "draft.withdraw": ADMINISTRATOR,
    "moving.index": ADMINISTRATOR,
    "moving.one": ADMINISTRATOR,
    **listed("company_text", read=OFFICE, write=ADMINISTRATOR),
    "calendar.index": EVERYONE,
    "calendar.begin": ADMINISTRATOR,
    "calendar.day": ADMINISTRATOR,
    "calendar.hours": ADMINISTRATOR,
    "calendar.year": ADMINISTRATOR,
    # trying one writes nothing; what it would have cost whom is for those who decide on it
    "trial.play": CARE | {Role.general_manager},
    "trial.what_if": DECIDERS,
    "trial.result": DECIDERS,
    "trial.export": DECIDERS,
    # the organisation
    **listed("department", read=OFFICE, write=ADMINISTRATOR),
    **listed("department_meaning", read=OFFICE, write=ADMINISTRATOR),
    **listed("employee", read=OFFICE, write=ADMINISTRATOR),
    **listed("post_holding", read=OFFICE, write=ADMINISTRATOR),
    **listed("deputy", read=OFFICE, write=ADMINISTRATOR),
    **listed("user", read=ADMINISTRATOR | {Role.auditor}, write=ADMINISTRATOR),
    # who was told what, and on which ways
    **listed("notice", read=CARE | {Role.auditor}),
    **listed("notice_channel", read=CARE | {Role.auditor}, write=ADMINISTRATOR),
    "notice_channel.test": ADMINISTRATOR,
    # what forms look up while somebody types
    "lookup.employee": CASEWORK | {Role.hr},
    "lookup.customer": CARE,
    "lookup.complaint": CASEWORK,
    "lookup.post_holding": ADMINISTRATOR,
}


def may_open(role: Role, endpoint: str) -> bool:
    """Whether somebody of that role opens the route."""
    return endpoint in OPEN or role in RIGHTS.get(endpoint, NOBODY)


def visitor_may_open(endpoint: str) -> bool:
    """Whether the visitor of this request opens the route; templates ask before they link."""
    if endpoint in OPEN:
        return True
    return bool(current_user.is_authenticated) and may_open(current_user.role, endpoint)


def guard() -> Response | None:
    """Send a stranger to the login and refuse who has no right, before any view runs."""
    endpoint = request.endpoint
    if endpoint is None or endpoint in OPEN:
        return None
    if not current_user.is_authenticated:
        return redirect(url_for("login", next=_here()))
    if current_user.must_change_password and endpoint not in WITH_ANY_PASSWORD:
        return redirect(url_for("password.index", next=_here()))
    if not may_open(current_user.role, endpoint):
        abort(403)
    return None


def _here() -> str | None:
    """Where to go after logging in; a refused POST cannot be repeated, so it leads home."""
    if request.method != "GET":
        return None
    return request.full_path.rstrip("?")


def init_app(app: Flask) -> None:
    """Put the guard before every view of `app`."""
    app.before_request(guard)
    app.jinja_env.globals["may"] = visitor_may_open
