"""Pages of errors: what cannot be done, in the visitor's words and language, no trace of code.

What was typed into a refused form is handed back, so that nobody types it twice.
"""

from __future__ import annotations

import logging

from flask import Flask, g, render_template, request, session
from flask_babel import gettext, lazy_gettext
from flask_login import AnonymousUserMixin
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

import wording
from policy.vocabulary.errors import (
    ChangedMeanwhile,
    DomainError,
    NotAllowed,
    NotEntitled,
    NotFound,
)

logger = logging.getLogger(__name__)

SECRET_FIELDS = frozenset({"csrf_token", "old", "password", "password_again"})
UNTYPED_FIELDS = frozenset({"seen", "seen_version", "do", "next", "url", "lang"})
"""What forms carry that nobody typed."""
DRAINED_AT_MOST = 64 * 1024 * 1024
SEVERAL_FILES = frozenset({"phone.deed", "phone.add", "complaint.deed"})
FILES_AT_ONCE = 4
"""How many uploads of the largest size the pages with several photos take together."""

STATUSES: tuple[tuple[type[DomainError], int], ...] = (
    (NotEntitled, 403),
    (NotFound, 404),
    (ChangedMeanwhile, 409),
    (NotAllowed, 409),
)
TITLES = {
    400: lazy_gettext("That could not be read"),
    401: lazy_gettext("Please log in"),
    403: lazy_gettext("This page is not for you"),
    404: lazy_gettext("There is no such page"),
    405: lazy_gettext("That cannot be done here"),
    413: lazy_gettext("That is too much at once"),
    429: lazy_gettext("Too many attempts"),
    500: lazy_gettext("Something went wrong on our side"),
    503: lazy_gettext("Redress is busy"),
}
TEXTS = {
    400: lazy_gettext("The request was not complete. Please go back and try again."),
    401: lazy_gettext("Log in and open the page again."),
    403: lazy_gettext("Your role does not open this page. The administrator can change that."),
    404: lazy_gettext("The address is mistyped, or what it showed has another number."),
    405: lazy_gettext("Please go back and use the buttons of the page."),
    413: lazy_gettext("The text or the file is larger than Redress takes. Nothing was saved."),
    429: lazy_gettext("Please wait a few minutes and try again."),
    500: lazy_gettext("Nothing was saved. It was logged; please tell the administrator when."),
    503: lazy_gettext("Many people are saving at once. Nothing was saved; please send it again."),
}


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Answer every refusal and every failure with a page in the visitor's language."""
    app.before_request(_limit_text)
    _answer_refusals(app, db)
    _answer_failures(app, db)


def _answer_refusals(app: Flask, db: SQLAlchemy) -> None:
    @app.errorhandler(CSRFError)
    def stale_token(error: CSRFError) -> tuple[str, int]:
        text = gettext(
            "The page was open for too long, or you have logged in again since. "
            "Nothing was saved. Please open the page again and send it once more."
        )
        return _page(400, title=gettext("This page is out of date"), text=text)

    @app.errorhandler(StaleDataError)
    def stale_row(error: StaleDataError) -> tuple[str, int]:
        db.session.rollback()
        text = gettext("Somebody else saved this first. Please open it again and look.")
        return _page(409, title=gettext("Changed meanwhile"), text=text)

    @app.errorhandler(DomainError)
    def forbidden_by_rule(error: DomainError) -> tuple[str, int]:
        db.session.rollback()
        status = next((code for kind, code in STATUSES if isinstance(error, kind)), 400)
        return _page(status, title=gettext("That is not possible"), text=wording.error(error))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int] | HTTPException:
        if error.code is None or error.code < 400:
            return error
        if error.code == 413:
            _drain()
        return _page(error.code)


def _answer_failures(app: Flask, db: SQLAlchemy) -> None:
    @app.errorhandler(OperationalError)
    def busy(error: OperationalError) -> tuple[str, int]:
        logger.exception("the database refused at %s", request.path)
        return _after_failure(db, 503 if "locked" in str(error) else 500)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> tuple[str, int]:
        logger.exception("unexpected failure at %s %s", request.method, request.path)
        return _after_failure(db, 500)


def _limit_text() -> None:
    """Only a form with files may be as large as an upload.

    MAX_FORM_MEMORY_SIZE speaks of multipart forms alone, so a plain form needs its own limit.
    """
    if request.mimetype != "multipart/form-data":
        request.max_content_length = request.max_form_memory_size
    elif request.endpoint in SEVERAL_FILES and "_user_id" in session:
        # The signed cookie is asked, not the database: its lock must not wait for an upload.
        request.max_content_length = (request.max_content_length or 0) * FILES_AT_ONCE


def _after_failure(db: SQLAlchemy, status: int) -> tuple[str, int]:
    # The database itself may be what failed, so the page must not ask it who the visitor is.
    g._login_user = AnonymousUserMixin()  # noqa: SLF001  # Flask-Login's own key
    db.session.rollback()
    return _page(status)


def _page(status: int, *, title: str = "", text: str = "") -> tuple[str, int]:
    known = status if status in TITLES else 400
    return render_template(
        "kit/error.html",
        status=status,
        title=title or TITLES[known],
        text=text or TEXTS[known],
        typed=[] if status == 413 else _typed(),
    ), status


def _typed() -> list[tuple[str, str]]:
    """What the visitor typed into the refused form, without secrets."""
    if request.method != "POST":
        return []
    try:
        form = request.form
    except HTTPException:
        return []
    typed = [
        (_own_name(name), value)
        for name, value in form.items(multi=True)
        if value.strip() and name not in SECRET_FIELDS and "password" not in name
    ]
    return [(wording.field(name), value) for name, value in typed if name not in UNTYPED_FIELDS]


def _own_name(name: str) -> str:
    """The name of a field in its own form, which on a page of several has a prefix."""
    return name.partition("-")[2] or name


def _drain() -> None:
    """Read the rest of a body that is too large.

    A server that answers and closes while the browser still sends makes the browser show
    a broken connection instead of the answer.
    """
    stream = request.environ["wsgi.input"]
    left = min(request.content_length or 0, DRAINED_AT_MOST)
    while left > 0:
        block = stream.read(min(left, 65536))
        if not block:
            return
        left -= len(block)
