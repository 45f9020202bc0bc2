"""The browser door: pages, lists and forms. They translate, call a service and commit.

A page says on its class where it stands in the menu (`group`, `icon`); who opens it is said in
`admin.rights`. A new module of pages offers `views(db)` and is named in `MODULES` below.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_babel import lazy_gettext

from admin import (
    calendar,
    callback,
    companytext,
    complaint,
    customer,
    draft,
    juryroom,
    ledger,
    lookup,
    moving,
    navigation,
    notice,
    penalty,
    people,
    phone,
    policy,
    report,
    rights,
    sheet,
    showing,
    standalone,
    trial,
)
from admin.home import HomePage
from wording import CATALOGUES

MODULES = (
    phone,
    complaint,
    customer,
    callback,
    standalone,
    ledger,
    report,
    penalty,
    juryroom,
    sheet,
    policy,
    draft,
    moving,
    trial,
    companytext,
    calendar,
    people,
    notice,
)
"""Modules with pages, in the order of the menu."""


def init_app(app: Flask, db: Any) -> None:
    """Add the guard, the lists and the pages of the back office to `app`."""
    rights.init_app(app)
    showing.init_app(app)
    navigation.init_app(app)
    lookup.init_app(app)
    home = HomePage(db, name=lazy_gettext("Home"), endpoint="admin", url="/admin")
    admin = Admin(app, name="Redress", index_view=home, translations_path=str(CATALOGUES))
    for module in MODULES:
        for view in module.views(db):
            admin.add_view(view)
