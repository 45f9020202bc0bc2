"""Logging in and out, and who the visitor of a page is."""

from __future__ import annotations

import datetime as dt
import math
import re

from flask import Flask, redirect, render_template, request, session, url_for
from flask_babel import gettext, ngettext
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_sqlalchemy import SQLAlchemy
from werkzeug.wrappers import Response

from admin.kit.display import today
from config import Settings
from enums import Role
from models import User
from services.company import accounts, presence, sessions

HOME = "/admin/"
SESSION_KEY = "session"
# One slash and no backslash: browsers read `//host` and `/\host` as another host.
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


class Visitor(UserMixin):
    """The logged-in user as pages see them; `user` is their row."""

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        """What the session keeps: a new token of the user ends it."""
        return f"{self.user.id}:{self.user.session_token}"

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def username(self) -> str:
        return self.user.username

    @property
    def display_name(self) -> str:
        return self.user.display_name

    @property
    def role(self) -> Role:
        return self.user.role

    @property
    def employee_id(self) -> int | None:
        return self.user.employee_id

    @property
    def must_change_password(self) -> bool:
        return self.user.must_change_password

    @property
    def language(self) -> str | None:
        return self.user.language


def local_path(path: str | None) -> str:
    """`path` when it leads to a page of ours, else the home page."""
    return path if path and _LOCAL_PATH.fullmatch(path) else HOME


def init_app(app: Flask, db: SQLAlchemy, settings: Settings) -> None:
    """Add /login and /logout, and let Flask-Login find users in `db`."""
    manager = LoginManager(app)
    manager.login_view = "login"
    manager.login_message = None
    app.permanent_session_lifetime = dt.timedelta(hours=settings.session_hours)

    @manager.user_loader
    def load(identity: str) -> Visitor | None:
        return _visitor(db, identity)

    @app.get("/")
    def start() -> Response:
        return redirect(HOME)

    @app.get("/login")
    def login() -> Response | str:
        if current_user.is_authenticated:
            return redirect(local_path(request.args.get("next")))
        return render_template("kit/login.html", username="", refusal=None)

    @app.post("/login")
    def log_in() -> Response | tuple[str, int]:
        return _log_in(db)

    @app.post("/logout")
    def logout() -> Response:
        _log_out(db)
        return redirect(url_for("login"))


def _visitor(db: SQLAlchemy, identity: str) -> Visitor | None:
    number, _, token = identity.partition(":")
    if not number.isdecimal() or len(number) > 18:
        return None
    key = session.get(SESSION_KEY)
    user = sessions.user_of(db.session(), int(number), token=token, key=key, on=today())
    return Visitor(user) if user else None


def _log_in(db: SQLAlchemy) -> Response | tuple[str, int]:
    username = request.form.get("username", "").strip()
    address = request.remote_addr or ""
    wait = accounts.note_attempt(
        db.session(), username, address=address, now=dt.datetime.now(dt.UTC)
    )
    db.session.commit()
    if wait:
        return _refuse(username, wait_sentence(wait), 429)
    user = _user_who_knows(db, username, password=request.form.get("password", ""))
    if user is None:
        return _refuse(username, gettext("The user name or the password is wrong."), 401)
    accounts.forget_attempts(db.session(), username, address=address)
    accounts.note_weakness(user, password=request.form.get("password", ""))
    db.session.commit()
    begin_session(user)
    return redirect(local_path(request.args.get("next")))


def begin_session(user: User) -> None:
    """Make the visitor of this request that user, in a new session."""
    session.clear()
    session.permanent = True
    session[SESSION_KEY] = sessions.new_key()
    login_user(Visitor(user))


def _log_out(db: SQLAlchemy) -> None:
    user = current_user.user if current_user.is_authenticated else None
    key = session.get(SESSION_KEY)
    # The browser forgets it in any case, even where the database is busy.
    logout_user()
    session.clear()
    if user is not None:
        sessions.end(db.session(), user, key=key, now=dt.datetime.now(dt.UTC))
        db.session.commit()


def _user_who_knows(db: SQLAlchemy, username: str, *, password: str) -> User | None:
    user = accounts.find_user(db.session(), username)
    password_hash = user.password_hash if user else None
    # Looking at a password is slow on purpose; nobody else's change waits for it.
    db.session.rollback()
    right = accounts.password_matches(password_hash, password)
    return user if user and right and presence.is_open(user, on=today()) else None


def _refuse(username: str, refusal: str, status: int) -> tuple[str, int]:
    return render_template("kit/login.html", username=username, refusal=refusal), status


def wait_sentence(seconds: int) -> str:
    """Say how long to wait before the next attempt."""
    minutes = math.ceil(seconds / 60)
    return ngettext(
        "Too many attempts. Please wait %(num)s minute and try again.",
        "Too many attempts. Please wait %(num)s minutes and try again.",
        minutes,
    )
