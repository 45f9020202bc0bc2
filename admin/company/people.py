"""Employees, and the pages of the organisation in the order of the menu."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from admin.company.accounts import UserView
from admin.company.departments import DepartmentMeaningView, DepartmentView
from admin.company.labels import LABELS
from admin.company.posts import DeputyView, PostHoldingView, standing
from admin.kit.lists import RedressView
from admin.kit.lookup import post_label
from models import Department, DepartmentMeaning, Deputy, Employee, PostHolding, User
from services.company import leaving, people


class EmployeeView(RedressView):
    """Everybody on the payroll, by employee number."""

    group, icon = "people", "people"
    can_create = can_edit = can_view_details = True
    lead = lazy_gettext("Names repeat, so people are known by their employee number.")
    column_list = ("name", "number", "department", "phone", "email", "joined_on", "left_on")
    column_details_list = [
        "number",
        "name",
        "department",
        "phone",
        "email",
        "joined_on",
        "left_on",
    ]
    column_labels = LABELS
    column_searchable_list = ("name", "number", "phone")
    column_filters = ("department", "joined_on", "left_on")
    column_sortable_list = ("name", "number", "joined_on", "left_on")
    column_default_sort = "number"
    form_columns = ("number", "name", "department", "phone", "email", "joined_on", "left_on")
    details_template = "company/employee.html"

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.number
        return form

    def create_form(self, obj: Any = None) -> Any:
        form: Any = super().create_form(obj)
        del form.left_on
        return form

    def add(self, form: Any) -> Employee:
        names = ("number", "name", "department", "phone", "email", "joined_on")
        return people.add_employee(self.session, **{name: form[name].data for name in names})

    def change(self, form: Any, row: Employee) -> None:
        names = ("name", "department", "phone", "email", "joined_on", "left_on")
        people.change_employee(self.session, row, **{name: form[name].data for name in names})

    def holdings(self, employee: Employee) -> list[PostHolding]:
        """The posts the employee holds or held, the newest first, for their page."""
        statement = sa.select(PostHolding).where(PostHolding.employee_id == employee.id)
        return list(self.session.scalars(statement.order_by(PostHolding.from_on.desc())))

    def standing(self, holding: PostHolding) -> Markup:
        """Whether the employee holds the post now."""
        return standing(holding)

    def remains(self, employee: Employee) -> leaving.Remains | None:
        """What is still theirs after their last day, for their page."""
        return leaving.remains(self.session, employee)

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:  # noqa: FBT001, FBT002  # Flask-Admin's
        """After a last day was saved, their page: it shows what remains open."""
        found = leaving.remains(self.session, model)
        if not found:
            return str(super().get_save_return_url(model, is_created))
        flash(gettext("Please look at what remains open after the last day."))
        return str(self.get_url(".details_view", id=model.id))

    def post_label(self, holding: PostHolding) -> str:
        """What the post is called."""
        return post_label(holding.post)


def views(db: Any) -> list[RedressView]:
    """The pages of the organisation, in the order of the menu."""
    return [
        EmployeeView(Employee, db, name=lazy_gettext("Employees")),
        DepartmentView(Department, db, name=lazy_gettext("Departments")),
        DepartmentMeaningView(
            DepartmentMeaning, db, name=lazy_gettext("Departments in regulations")
        ),
        PostHoldingView(PostHolding, db, name=lazy_gettext("Posts held")),
        DeputyView(Deputy, db, name=lazy_gettext("Deputies")),
        UserView(User, db, name=lazy_gettext("Accounts")),
    ]
