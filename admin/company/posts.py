"""The posts employees hold, and who stands in for them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask_admin.model.filters import BaseFilter
from flask_babel import lazy_gettext
from markupsafe import Markup
from wtforms import BooleanField, SelectField

from admin.company.labels import LABELS, chip
from admin.kit.display import today
from admin.kit.filters import EmployeeIs, OneOf
from admin.kit.lists import RedressView
from admin.kit.lookup import post_label, session
from models import Deputy, PostHolding
from policy.vocabulary.errors import PostWouldBeVacant
from services.cases import intake
from services.company import people, presence


def standing(row: PostHolding | Deputy) -> Markup:
    """A chip that says whether a post or deputyship is now, still to come or over.

    It is over, too, once somebody it hangs on has left.
    """
    from_on, until_on = row.from_on, _last_day(row)
    if until_on is not None and until_on < today():
        return chip("grey", lazy_gettext("Ended"))
    if from_on is not None and from_on > today():
        return chip("amber", lazy_gettext("To come"))
    return chip("green", lazy_gettext("Now"))


def _last_day(row: PostHolding | Deputy) -> dt.date | None:
    if isinstance(row, PostHolding):
        return presence.last_day(row.until_on, row.employee)
    return presence.last_day(row.until_on, row.employee, row.holding.employee)


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
