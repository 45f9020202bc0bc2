"""Who logs in: accounts, their roles and handed-out passwords."""

from __future__ import annotations

from typing import Any

from flask import current_app, request
from flask_babel import lazy_gettext
from flask_login import current_user
from markupsafe import Markup
from wtforms import PasswordField
from wtforms.validators import InputRequired

from admin.company.labels import LABELS, chip
from admin.kit.display import today
from admin.kit.lists import RedressView
from enums import Role
from files.first_logins import forget_first_login
from models import User
from services.company import accounts, passwords, people, presence


def account_standing(user: User) -> Markup:
    """A chip that says whether an account may log in today, and if not, why not."""
    if presence.is_open(user, on=today()):
        return chip("green", lazy_gettext("May log in"))
    if user.active:
        return chip("grey", lazy_gettext("Has left"))
    return chip("grey", lazy_gettext("Switched off"))


FIRST_PASSWORD = lazy_gettext(
    "At least %(least)s characters, not the user name and none of the common ones. "
    "It is changed at the first login.",
    least=passwords.SHORTEST,
)


class UserView(RedressView):
    """Accounts: who logs in and which pages they open."""

    group, icon = "people", "key"
    can_create = can_edit = True
    can_export = False
    lead = lazy_gettext("The role decides which pages open; the posts decide what may be done.")
    column_list = ("username", "display_name", "role", "employee", "active", "standing")
    column_formatters = {
        "standing": lambda view, context, row, name: account_standing(row),
    }
    column_labels = LABELS
    column_searchable_list = ("username", "display_name")
    column_filters = ("role", "active")
    column_sortable_list = ("username", "display_name", "role")
    column_default_sort = "username"
    form_columns = ("username", "display_name", "role", "employee", "password", "active")
    form_extra_fields = {
        "password": PasswordField(
            lazy_gettext("Password"),
            description=FIRST_PASSWORD,
            render_kw={"autocomplete": "new-password", "maxlength": passwords.LONGEST},
        )
    }

    def called(self, row: User) -> str:
        return f"{row.display_name} ({row.username})"

    def create_form(self, obj: Any = None) -> Any:
        form: Any = super().create_form(obj)
        form.password.validators = [InputRequired()]
        if request.method == "GET":
            # The list begins with the administrator, and an account is to open no more than meant.
            form.role.data = Role.employee
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.username
        form.password.description = lazy_gettext(
            "Empty keeps the password. A new one logs out, and is changed at the next login."
        )
        return form

    def add(self, form: Any) -> User:
        employee = form.employee.data
        user = accounts.add_user(
            self.session,
            form.username.data,
            password=form.password.data,
            display_name=form.display_name.data or "",
            role=form.role.data,
            employee_id=employee.id if employee else None,
        )
        user.active = form.active.data
        accounts.ask_for_own_password(user)
        return user

    def change(self, form: Any, row: User) -> None:
        names = ("display_name", "role", "employee", "active")
        people.change_user(self.session, row, **{name: form[name].data for name in names})
        if form.password.data:
            accounts.set_password(self.session, row, password=form.password.data)
            if row.id != current_user.id:
                accounts.ask_for_own_password(row)
            self.session.flush()

    def after_model_change(self, form: Any, model: Any, is_created: bool) -> None:  # noqa: FBT001  # Flask-Admin's
        if form.password.data:
            forget_first_login(current_app.config["REDRESS"].home, model.username)
