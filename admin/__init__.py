"""The browser door: pages, lists and forms. They translate, call a service and commit.

A page says on its class where it stands in the menu (`group`, `icon`); who opens it is said in
`admin.kit.rights`. A new module of pages offers `views(db)` and is named in `MODULES` below.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_babel import lazy_gettext

from admin.calendar import pages
from admin.cases import callbacks, complaints, jury_pages, phone
from admin.cases.home import HomePage
from admin.company import password, people
from admin.customers import customers
from admin.kit import display, headers, lookup, menu, rights
from admin.notices import notices
from admin.penalties import penalties
from admin.regulation import company_texts, drafts, moving, play, versions
from admin.reports import ledgers, reports, standalone
from admin.workbooks import workbooks
from wording import CATALOGUES

MODULES = (
    phone,
    complaints,
    customers,
    callbacks,
    standalone,
    ledgers,
    reports,
    penalties,
    jury_pages,
    workbooks,
    versions,
    drafts,
    moving,
    play,
    company_texts,
    pages,
    people,
    password,
    notices,
)
"""Modules with pages, in the order of the menu."""


def init_app(app: Flask, db: Any) -> None:
    """Add the guard, the lists and the pages of the back office to `app`."""
    rights.init_app(app)
    display.init_app(app)
    menu.init_app(app)
    lookup.init_app(app)
    # The folder is Flask-Admin's own, for the pages of plain ModelViews.
    home = HomePage(
        db, name=lazy_gettext("Home"), endpoint="admin", url="/admin", static_folder="static"
    )
    admin = Admin(
        app,
        name="Redress",
        index_view=home,
        translations_path=str(CATALOGUES),
        csp_nonce_generator=headers.csp_nonce,
    )
    for module in MODULES:
        for view in module.views(db):
            admin.add_view(view)
