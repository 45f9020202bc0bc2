"""create_app: settings, database, languages, login and the doors, in this order; no rules."""

from __future__ import annotations

import logging

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import admin
import cli
from admin.kit import errors, headers, language, login
from api import health
from config import Settings, read_settings, secret_key
from database import RequestDatabase


def create_app(settings: Settings | None = None) -> Flask:
    """Return the Flask application for `settings`, or for those of the environment."""
    settings = settings or read_settings()
    logging.basicConfig(level=settings.log_level)
    for library in ("alembic", "huey"):  # their INFO lines help no operator
        logging.getLogger(library).setLevel(logging.WARNING)
    app = Flask(__name__)
    configure(app, settings)
    db = RequestDatabase(settings)
    db.init_app(app)
    errors.init_app(app, db)
    CSRFProtect(app)
    headers.init_app(app, settings)
    login.init_app(app, db, settings)
    language.init_app(app, db, settings)
    admin.init_app(app, db)
    health.init_app(app, db)
    cli.init_app(app, settings)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Set the configuration of Flask and its extensions from the settings."""
    # A Chinese character takes nine bytes in a form; ten long fields must fit into one page.
    form_bytes = settings.text_limit * 9 * 10
    app.config.update(
        REDRESS=settings,
        SECRET_KEY=secret_key(settings),
        SESSION_COOKIE_NAME="redress",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https,
        MAX_CONTENT_LENGTH=settings.upload_limit_mb * 1024 * 1024 + form_bytes,
        MAX_FORM_MEMORY_SIZE=form_bytes,
        # A form lives as long as its session: an hour at the telephone must not cost the text.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.wsgi_app = headers.HostCheck(app.wsgi_app)  # type: ignore[method-assign]  # the way Flask documents
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # the way Flask documents
