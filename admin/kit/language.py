"""Which language and which clock a page speaks."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, has_request_context, redirect, request
from flask_babel import Babel
from flask_login import current_user
from flask_sqlalchemy import SQLAlchemy
from werkzeug.wrappers import Response as AnyResponse

from admin.kit.login import local_path
from config import Settings
from wording import LANGUAGES

COOKIE = "lang"
A_YEAR_S = 365 * 24 * 3600
_ASKED_FOR = {"zh-CN": "zh_Hans_CN", "zh-Hans": "zh_Hans_CN", "zh": "zh_Hans_CN", "en": "en"}


def init_app(app: Flask, db: SQLAlchemy, settings: Settings) -> None:
    """Choose by `?lang=`, else the account, the cookie, the browser, the default; in this order."""

    def select() -> str:
        return _chosen() or _preferred() or settings.language

    Babel(
        app,
        default_locale=settings.language,
        default_timezone=settings.zone.key,
        locale_selector=select,
    )
    app.jinja_env.globals["languages"] = LANGUAGES
    app.jinja_env.globals["language"] = select
    app.after_request(_remember_choice)
    app.add_url_rule("/language", "language", _change(db), methods=["POST"])


def _chosen() -> str | None:
    """The language the visitor chose: in the address, in their account, in the cookie."""
    if not has_request_context():
        return None
    own = getattr(current_user, "language", None)
    for said in (request.args.get(COOKIE), own, request.cookies.get(COOKIE)):
        if said in LANGUAGES:
            return said
    return None


def _preferred() -> str | None:
    """What the browser asks for."""
    if not has_request_context():
        return None
    return _ASKED_FOR.get(request.accept_languages.best_match(list(_ASKED_FOR)) or "")


def _remember_choice(response: Response) -> Response:
    said = request.args.get(COOKIE)
    if said in LANGUAGES:
        response.set_cookie(COOKIE, str(said), max_age=A_YEAR_S, httponly=True, samesite="Lax")
    return response


def _change(db: SQLAlchemy) -> Callable[[], AnyResponse]:
    def change() -> AnyResponse:
        """Keep the language a person chose, in the account and on this device."""
        said = request.form.get(COOKIE, "")
        answer = redirect(local_path(request.form.get("next")))
        if said in LANGUAGES:
            answer.set_cookie(COOKIE, said, max_age=A_YEAR_S, httponly=True, samesite="Lax")
            if current_user.is_authenticated:
                current_user.user.language = said
                db.session.commit()
        return answer

    return change
