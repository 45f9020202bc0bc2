"""Departments of the company, and which of them a regulation's department means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, g, request
from flask_babel import gettext, lazy_gettext, ngettext
from flask_login import current_user
from wtforms import SelectField
from wtforms.validators import InputRequired

from admin.company.labels import LABELS
from admin.kit.display import now, today
from admin.kit.lists import RedressView
from admin.kit.lookup import session
from admin.kit.page import attempt
from models import Complaint, Department, DepartmentMeaning
from policy.vocabulary.errors import HandOverTooEarly, OpenCasesUndecided
from services.cases import intake, journal
from services.company import actors, people
from services.regulation import departments, policies


class DepartmentView(RedressView):
    """The real departments; which of them a policy means is said by DepartmentMeaningView."""

    group, icon = "people", "building"
    can_create = can_edit = True
    lead = lazy_gettext("The departments as the company calls them today.")
    column_list = ("name", "key", "active")
    column_labels = LABELS | {"name": lazy_gettext("Department name")}
    column_searchable_list = ("name", "key")
    column_filters = ("active",)
    column_sortable_list = ("name", "key")
    column_default_sort = "key"
    form_columns = ("key", "name", "active")
    column_descriptions = {
        "key": lazy_gettext(
            "Small letters, digits and _, beginning with a letter; it does not change later. A "
            "regulation may call the department otherwise: see “Departments in regulations”."
        ),
    }

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.key
        return form

    def add(self, form: Any) -> Department:
        department = people.add_department(self.session, key=form.key.data, name=form.name.data)
        department.active = form.active.data
        return department

    def change(self, form: Any, row: Department) -> None:
        people.rename_department(self.session, row, name=form.name.data)
        row.active = form.active.data
        self.session.flush()


class PolicyDepartmentField(SelectField):
    """A department as a regulation names it."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options.pop("filters", None)
        super().__init__(label, validators, choices=self._offered, **options)

    def _offered(self) -> list[tuple[str, str]]:
        return [("", "—"), *departments.policy_departments(session()).items()]


def _meaning(row: DepartmentMeaning) -> str:
    """The regulation and its department a row is about; read once per request."""
    if "policy_departments" not in g:
        g.policy_departments = departments.policy_departments(session())
    known: dict[str, str] = g.policy_departments
    return known.get(departments.name_of(row.policy_id, row.key), row.key)


class DepartmentMeaningView(RedressView):
    """Which department of the company a regulation's means; no new version is needed."""

    group, icon = "people", "link"
    can_create = can_edit = True
    empty_text = lazy_gettext("Nothing else is said: keys decide which department is meant.")
    lead = lazy_gettext(
        "A regulation's department means the company's one of the same key, unless something else "
        "is said here from a day on."
    )
    list_template = "regulation/department_meanings.html"
    column_list = ("policy_department", "department", "from_on")
    column_labels = LABELS | {"department": lazy_gettext("Department of the company")}
    column_filters = ("department",)
    column_sortable_list = ("from_on",)
    column_default_sort = ("from_on", True)
    column_formatters = {"policy_department": lambda view, context, row, name: _meaning(row)}
    column_formatters_export = column_formatters
    form_columns = ("policy_department", "department", "from_on", "open_cases")
    form_extra_fields = {
        "policy_department": PolicyDepartmentField(
            LABELS["policy_department"], validators=[InputRequired()]
        ),
        "open_cases": SelectField(
            LABELS["open_cases"],
            default="",
            choices=lambda: [
                ("", "—"),
                ("stay", lazy_gettext("They stay with whom they were handed to")),
                ("pass_on", lazy_gettext("They are passed on too")),
            ],
            description=lazy_gettext("Asked where a department has such cases."),
        ),
    }
    column_descriptions = {
        "from_on": lazy_gettext("Cases that a department has already stay where they are."),
    }

    def meant_today(self) -> list[dict[str, Any]]:
        """Every department of a regulation in force and the company's one it means today."""
        day, rows = today(), []
        for version in policies.all_in_force(self.session, on=day):
            meant = departments.departments_meant(self.session, policy_id=version.policy_id, on=day)
            rows += [
                {
                    "policy": version.policy.name,
                    "label": entry.label,
                    "name": departments.name_of(version.policy_id, entry.key),
                    "department": meant.get(entry.key),
                }
                for entry in policies.pack(self.session, version).department
            ]
        return rows

    def called(self, row: DepartmentMeaning) -> str:
        return _meaning(row)

    def create_form(self, obj: Any = None) -> Any:
        form: Any = super().create_form(obj)
        if request.method == "GET":
            form.policy_department.data = request.args.get("policy_department", "")
            form.from_on.data = today()
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.policy_department
        return form

    def add(self, form: Any) -> DepartmentMeaning:
        row = departments.add_meaning(
            self.session,
            form.policy_department.data,
            form.department.data,
            from_on=form.from_on.data,
        )
        self._ask_about_open_cases(form, row)
        return row

    def change(self, form: Any, row: DepartmentMeaning) -> None:
        departments.change_meaning(
            self.session, row, form.department.data, from_on=form.from_on.data
        )
        self._ask_about_open_cases(form, row)

    def _elsewhere(self, row: DepartmentMeaning) -> list[Complaint]:
        """The open cases of the regulation's department that another one of the company has."""
        found = intake.open_cases_of(self.session, row.policy.id, row.key)
        return [one for one in found if one.department_id != row.department.id]

    def _ask_about_open_cases(self, form: Any, row: DepartmentMeaning) -> None:
        """Ask whether open cases stay; the service never moves one by itself."""
        cases, wish, first = self._elsewhere(row), form.open_cases.data, row.from_on
        if cases and not wish:
            names = sorted({str(one.department) for one in cases})
            said = {"count": len(cases), "departments": names, "from_on": first}
            raise OpenCasesUndecided(field="open_cases", **said)
        if cases and wish == "pass_on" and first > today():
            raise HandOverTooEarly(field="open_cases", from_on=first)

    def after_model_change(
        self,
        form: Any,
        model: Any,
        is_created: bool,  # noqa: FBT001  # Flask-Admin calls it so.
    ) -> None:
        """Pass the open cases on where that was asked for, each in its own transaction."""
        numbers = [one.number for one in self._elsewhere(model)]
        if not numbers:
            return
        if form.open_cases.data != "pass_on":
            flash(
                ngettext(
                    "%(num)s open case stays with whom it was handed to.",
                    "%(num)s open cases stay with whom they were handed to.",
                    len(numbers),
                )
            )
            return
        reason = gettext("“%(name)s” means another department.", name=_meaning(model))
        done = self._passed_on(numbers, reason)
        flash(
            ngettext(
                "%(num)s open case was passed on.", "%(num)s open cases were passed on.", done
            ),
            "success",
        )

    def _passed_on(self, numbers: Sequence[str], reason: str) -> int:
        actor, done = actors.of_user(current_user.user), 0
        for number in numbers:
            with attempt(self.session) as tried:
                case = journal.lock_case(self.session, number)
                intake.hand_over(self.session, case, actor=actor, now=now(), reason=reason)
            done += tried.done
        return done
