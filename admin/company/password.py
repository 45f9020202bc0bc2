"""Everybody's own password: the page that changes it, which whoever has a handed-out one meets."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired

from admin.kit.display import now
from admin.kit.login import begin_session, local_path, wait_sentence
from admin.kit.page import RedressPage, attempt
from files.first_logins import forget_first_login
from services.company import accounts, passwords


def _box(label: Any, validators: list[Any], autocomplete: str, **options: Any) -> PasswordField:
    kept = {"autocomplete": autocomplete, "maxlength": passwords.LONGEST}
    return PasswordField(label, [InputRequired(), *validators], render_kw=kept, **options)


class PasswordForm(FlaskForm):
    """The old password, and the new one twice."""

    old = _box(lazy_gettext("Present password"), [], "current-password")
    password = _box(
        lazy_gettext("New password"),
        [],
        "new-password",
        description=lazy_gettext(
            "At least %(least)s characters, not the user name and none of the common ones. Several "
            "words make a good one.",
            least=passwords.SHORTEST,
        ),
    )
    password_again = _box(
        lazy_gettext("New password once more"),
        [EqualTo("password", message=lazy_gettext("The two new passwords differ."))],
        "new-password",
    )


class PasswordPage(RedressPage):
    """Change one's own password."""

    @expose("/", methods=("GET", "POST"))
    def index(self) -> str | Response:
        """Change it. The other sessions end; this one goes on where the visitor wanted to be."""
        form = PasswordForm()
        if form.validate_on_submit() and self._changed(form):
            flash(
                gettext("The password is changed. Other sessions of yours have ended."), "success"
            )
            return redirect(local_path(request.args.get("next")))
        return self.render("company/password.html", form=form, heading=self.name)

    def _changed(self, form: PasswordForm) -> bool:
        user, address = current_user.user, request.remote_addr or ""
        username = user.username
        wait = accounts.note_attempt(self.session, username, address=address, now=now())
        self.session.commit()
        if wait:
            form.old.errors = [wait_sentence(wait)]
            return False
        with attempt(self.session, form) as tried:
            accounts.change_own_password(
                self.session, user, old=form.old.data or "", new=form.password.data or ""
            )
            accounts.forget_attempts(self.session, username, address=address)
        if tried.done:
            begin_session(user)
            forget_first_login(current_app.config["REDRESS"].home, username)
        elif not form.old.errors:
            self._forget(username, address)
        return tried.done

    def _forget(self, username: str, address: str) -> None:
        """A right old password is no guess, whatever was wrong with the new one."""
        accounts.forget_attempts(self.session, username, address=address)
        self.session.commit()


def views(db: Any) -> list[RedressPage]:
    """The page, which stands in the visitor's own menu."""
    name = lazy_gettext("Change password")
    return [PasswordPage(db, name=name, endpoint="password", url="/admin/password")]
