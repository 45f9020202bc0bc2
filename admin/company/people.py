"""Departments, employees, the posts they hold, their deputies, and who logs in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import current_app, flash, g, request
from flask_admin.model.filters import BaseFilter
from flask_babel import gettext, lazy_gettext, ngettext
from flask_login import current_user
from markupsafe import Markup
from wtforms import BooleanField, PasswordField, SelectField
from wtforms.validators import InputRequired

from admin.kit.display import now, today
from admin.kit.filters import EmployeeIs, OneOf
from admin.kit.lists import RedressView
from admin.kit.lookup import post_label, session
from admin.kit.page import attempt
from enums import Role
from files.first_logins import forget_first_login
from models import Complaint, Department, DepartmentMeaning, Deputy, Employee, PostHolding, User
from policy.vocabulary.errors import HandOverTooEarly, OpenCasesUndecided, PostWouldBeVacant
from services.cases import intake, journal
from services.company import accounts, actors, leaving, passwords, people, presence
from services.regulation import departments, policies

LABELS = {
    "active": lazy_gettext("Active"),
    "department": lazy_gettext("Department"),
    "display_name": lazy_gettext("Name shown"),
    "email": lazy_gettext("Email"),
    "employee": lazy_gettext("Employee"),
    "employees": lazy_gettext("Employees"),
    "from_on": lazy_gettext("First day"),
    "holding": lazy_gettext("Post held"),
    "joined_on": lazy_gettext("Joined on"),
    "key": lazy_gettext("Key"),
    "left_on": lazy_gettext("Left on"),
    "name": lazy_gettext("Full name"),
    "number": lazy_gettext("Employee number"),
    "open_cases": lazy_gettext("Open cases"),
    "phone": lazy_gettext("Phone"),
    "policy_department": lazy_gettext("Department in the regulation"),
    "post": lazy_gettext("Post"),
    "reason": lazy_gettext("Reason"),
    "role": lazy_gettext("Role"),
    "standing": lazy_gettext("Standing"),
    "until_on": lazy_gettext("Last day"),
    "username": lazy_gettext("User name"),
}


def standing(row: PostHolding | Deputy) -> Markup:
    """A chip that says whether a post or deputyship is now, still to come or over.

    It is over, too, once somebody it hangs on has left.
    """
    from_on, until_on = row.from_on, _last_day(row)
    if until_on is not None and until_on < today():
        return _chip("grey", lazy_gettext("Ended"))
    if from_on is not None and from_on > today():
        return _chip("amber", lazy_gettext("To come"))
    return _chip("green", lazy_gettext("Now"))


def _last_day(row: PostHolding | Deputy) -> dt.date | None:
    if isinstance(row, PostHolding):
        return presence.last_day(row.until_on, row.employee)
    return presence.last_day(row.until_on, row.employee, row.holding.employee)


def _chip(tone: str, words: Any) -> Markup:
    return Markup('<span class="chip chip-{}">{}</span>').format(tone, words)


class Standing(OneOf):
    """Whether a time is now, still to come or over; asks columns from_on and until_on."""

    def __init__(self, model: Any) -> None:
        self.model = model
        words = {
            "now": lazy_gettext("Now"),
            "coming": lazy_gettext("To come"),
            "ended": lazy_gettext("Ended"),
        }
        super().__init__(
            model.from_on,
            LABELS["standing"],
            key="standing",
            choices=lambda: [(value, str(word)) for value, word in words.items()],
        )

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        day = today()
        goes_on = self._goes_on(day)
        conditions = {
            "now": sa.and_(self.model.from_on <= day, goes_on),
            "coming": sa.and_(self.model.from_on > day, goes_on),
            "ended": ~goes_on,
        }
        return sa.or_(*(conditions[one] for one in value))

    def _goes_on(self, day: dt.date) -> sa.ColumnElement[bool]:
        if self.model is PostHolding:
            return presence.lasts(on=day)
        held = sa.select(PostHolding.id).where(presence.lasts(on=day))
        return sa.and_(presence.will_stand_in(on=day), Deputy.holding_id.in_(held))


class PostField(SelectField):
    """A post of the policies."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options.pop("filters", None)
        super().__init__(label, validators, choices=self._offered, **options)

    def _offered(self) -> list[tuple[str, str]]:
        known = people.posts(session())
        if self.data and self.data not in known:
            known[self.data] = self.data
        return [("", "—"), *known.items()]


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


class PostHoldingView(RedressView):
    """Who holds which post, from when to when; a change of people is no change of the rules."""

    group, icon = "people", "badge"
    can_create = can_edit = True
    lead = lazy_gettext("Who may do a deed is decided by the post held on that day.")
    column_list = ("post", "employee", "department", "from_on", "until_on", "standing")
    column_labels = LABELS
    column_sortable_list = ("post", "from_on", "until_on")
    column_searchable_list = ("post",)
    column_default_sort = "post"
    column_formatters = {
        "post": lambda view, context, row, name: post_label(row.post),
        "department": lambda view, context, row, name: row.employee.department,
        "standing": lambda view, context, row, name: standing(row),
    }
    column_formatters_export = {
        "post": lambda view, context, row, name: post_label(row.post),
        "department": lambda view, context, row, name: row.employee.department,
        "standing": lambda view, context, row, name: str(standing(row).striptags()),
    }
    form_columns = ("post", "employee", "from_on", "until_on", "shared", "understood")
    form_overrides = {"post": PostField}
    form_extra_fields = {
        "shared": BooleanField(
            lazy_gettext("Several people hold this post at the same time"),
            description=lazy_gettext("Without it, a post that somebody holds already is refused."),
        ),
        "understood": BooleanField(
            lazy_gettext("I know that open cases wait while nobody holds the post"),
            description=lazy_gettext("Asked where the last holder of a post ends."),
        ),
    }
    column_descriptions = {"until_on": lazy_gettext("Empty means until further notice.")}

    def get_filters(self) -> list[BaseFilter]:
        return [
            OneOf(
                PostHolding.post,
                LABELS["post"],
                key="post",
                choices=lambda: list(people.posts(session()).items()),
            ),
            EmployeeIs(PostHolding.employee_id, LABELS["employee"], key="employee"),
            Standing(PostHolding),
        ]

    def matches(self, word: str) -> sa.ColumnElement[bool]:
        """Post labels are words of a policy, so they are matched before the statement is made."""
        posts = [key for key, label in people.posts(session()).items() if word in label]
        return sa.or_(
            PostHolding.post.in_(posts),
            EmployeeIs(PostHolding.employee_id, "", key="employee").condition(word),
        )

    def search_placeholder(self) -> str:
        return ", ".join(str(LABELS[name]) for name in ("post", "employee"))

    def called(self, row: PostHolding) -> str:
        return f"{post_label(row.post)} · {row.employee}"

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        for name in ("post", "employee", "from_on", "shared"):
            delattr(form, name)
        return form

    def create_form(self, obj: Any = None) -> Any:
        form: Any = super().create_form(obj)
        del form.understood
        return form

    def add(self, form: Any) -> PostHolding:
        hold = people.share_post if form.shared.data else people.hold_post
        return hold(
            self.session,
            form.employee.data,
            form.post.data,
            from_on=form.from_on.data,
            until_on=form.until_on.data,
        )

    def change(self, form: Any, row: PostHolding) -> None:
        people.end_post(self.session, row, until_on=form.until_on.data)
        if form.until_on.data and not form.understood.data:
            self._refuse_vacancy(row, form.until_on.data + dt.timedelta(days=1))

    def _refuse_vacancy(self, row: PostHolding, first: dt.date) -> None:
        """Ask before the last holder of a post ends on which open cases hang."""
        if people.is_held(self.session, row.post, on=first, apart_from=row):
            return
        if count := intake.count_hanging_on(self.session, row.post, on=today()):
            said = {"post": str(post_label(row.post)), "count": count, "from_on": first}
            raise PostWouldBeVacant(field="understood", **said)


class DeputyView(RedressView):
    """Who stands in for the holder of a post, from when to when."""

    group, icon = "people", "swap"
    can_create = can_edit = True
    lead = lazy_gettext("A deputy may do what the holder may, on the days named here and no other.")
    column_list = ("employee", "holding", "from_on", "until_on", "standing", "reason")
    column_labels = LABELS | {
        "employee": lazy_gettext("Deputy"),
        "holding": lazy_gettext("Stands in for"),
    }
    column_sortable_list = ("from_on", "until_on")
    column_default_sort = ("from_on", True)
    column_formatters = {
        "holding": lambda view, context, row, name: _held(row),
        "standing": lambda view, context, row, name: standing(row),
    }
    column_formatters_export = {
        "holding": lambda view, context, row, name: _held(row),
        "standing": lambda view, context, row, name: str(standing(row).striptags()),
    }
    form_columns = ("holding", "employee", "from_on", "until_on", "reason")

    def get_filters(self) -> list[BaseFilter]:
        return [
            EmployeeIs(Deputy.employee_id, lazy_gettext("Deputy"), key="employee"),
            Standing(Deputy),
        ]

    def called(self, row: Deputy) -> str:
        return f"{row.employee} → {_held(row)}"

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.holding
        return form

    def add(self, form: Any) -> Deputy:
        return people.appoint_deputy(
            self.session, form.holding.data, form.employee.data, **_deputy_facts(form)
        )

    def change(self, form: Any, row: Deputy) -> None:
        people.change_deputy(self.session, row, form.employee.data, **_deputy_facts(form))


def _deputy_facts(form: Any) -> dict[str, Any]:
    return {name: form[name].data for name in ("from_on", "until_on", "reason")}


def _held(deputy: Deputy) -> str:
    return f"{post_label(deputy.holding.post)} · {deputy.holding.employee}"


def account_standing(user: User) -> Markup:
    """A chip that says whether an account may log in today, and if not, why not."""
    if presence.is_open(user, on=today()):
        return _chip("green", lazy_gettext("May log in"))
    if user.active:
        return _chip("grey", lazy_gettext("Has left"))
    return _chip("grey", lazy_gettext("Switched off"))


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
