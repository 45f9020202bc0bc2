"""The first page: what waits for me, and how things stand."""

from __future__ import annotations

from flask import redirect
from flask_admin import expose
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response

import wording
from admin.kit import menu
from admin.kit.display import now
from admin.kit.page import RedressPage
from enums import Role
from services.cases import desk, penalties
from services.cases.desk import Standing

TILES = (
    (Standing.open, lazy_gettext("Open cases"), "blue"),
    (Standing.overdue, lazy_gettext("Overdue"), "red"),
    (Standing.today, lazy_gettext("Due today"), "amber"),
    (Standing.undispatched, lazy_gettext("Not dispatched"), "violet"),
)
"""The figures of cases, each with the tone it has where it is not none."""

MONEY = frozenset({Role.hr, Role.care, Role.administrator, Role.general_manager})


class HomePage(RedressPage):
    """Show what waits for the visitor; who has nothing waiting is led to their first page."""

    group, icon = "desk", "home"

    @expose("/")
    def index(self) -> str | Response:
        at = now()
        local = at.astimezone(wording.zone())
        waiting = desk.waiting_cases(self.session, current_user.user, now=at, on=local.date())
        if current_user.role is Role.employee and not waiting:
            return redirect(menu.first_url(self.admin, past=self))
        seen = desk.scope(self.session, current_user.user, on=local.date())
        return self.render(
            "cases/home.html",
            local=local,
            waiting=waiting,
            counts=desk.counts(self.session, seen, current_user.user, now=at, zone=wording.zone()),
            tiles=TILES,
            money=penalties.unsettled_penalties(self.session, limit=8)
            if current_user.role in MONEY
            else [],
            shows_money=current_user.role in MONEY,
        )
