"""Customers: who is looked after one by one, and who is marked for special attention."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_admin.model.filters import BaseFilter
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import SelectField
from wtforms.validators import Optional

from admin.kit import tables
from admin.kit.display import now, today
from admin.kit.fields import DayField, SelectChoice, long_text
from admin.kit.filters import OneOf, contains
from admin.kit.lists import RedressView
from admin.kit.lookup import by_id
from admin.kit.page import attempt
from models import Complaint, Customer, CustomerFlag
from services.cases import customers
from services.company import actors
from services.regulation import policies


class IsKey(OneOf):
    """Whether the company looks after the customer one by one."""

    def __init__(self) -> None:
        words = (("key", lazy_gettext("Key customer")), ("none", lazy_gettext("Others")))
        super().__init__(
            Customer.tier,
            lazy_gettext("Tier"),
            key="tier",
            choices=lambda: [(value, str(word)) for value, word in words],
        )

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        wanted = [one if one == customers.KEY_TIER else None for one in value]
        return sa.or_(*(Customer.tier.is_not_distinct_from(one) for one in wanted))


class FlagForm(FlaskForm):
    """Why a customer is marked, under which regulation, and until when."""

    class Meta:
        csrf = False  # the token of the page covers the form

    policy = SelectField(lazy_gettext("Regulation"))
    reason = long_text(lazy_gettext("Reason"))
    until_on = DayField(
        lazy_gettext("Until"),
        [Optional()],
        description=lazy_gettext("Empty: as long as the regulation allows."),
    )


class LiftForm(FlaskForm):
    """Why the mark is taken off."""

    class Meta:
        csrf = False

    reason = long_text(lazy_gettext("Reason"))


class CustomerView(RedressView):
    """The customers, for the care desk alone."""

    group, icon = "cases", "people"
    lead = lazy_gettext("Key customers are visited and reported on by themselves.")
    empty_text = lazy_gettext("No customer is known yet.")
    column_list = ("name", "phone", "tier")
    column_labels = {
        "name": lazy_gettext("Name"),
        "phone": lazy_gettext("Phone"),
        "tier": lazy_gettext("Tier"),
    }
    column_searchable_list = ("name",)
    column_sortable_list = ("name",)
    column_default_sort = "name"
    column_formatters = {"tier": lambda view, context, row, name: tier(row)}
    column_formatters_export = {
        "tier": lambda view, context, row, name: tier(row).striptags() if row.tier else ""
    }

    def get_filters(self) -> list[BaseFilter]:
        return [IsKey()]

    def matches(self, word: str) -> sa.ColumnElement[bool]:
        plain = customers.digits(word)
        named = [contains(Customer.name, word)]
        if plain and len(plain) >= 3:
            named.append(Customer.phone_digits.startswith(plain))
        return sa.or_(*named)

    def row_url(self, row: Any) -> str:
        return str(url_for(".one", customer_id=row.id))

    @expose("/<int:customer_id>/")
    def one(self, customer_id: int) -> str:
        """Show a customer: their cases, their tier, the marks there were."""
        return self._page(self._customer(customer_id))

    def _customer(self, customer_id: int) -> Customer:
        found = by_id(self.session, Customer, customer_id)
        if found is None:
            abort(404)
        return found

    def _page(self, customer: Customer, flag: Any = None, lift: Any = None) -> str:
        actor = actors.of_user(current_user.user)
        history = customers.flag_history(self.session, [customer.id], actor=actor)
        standing = customers.flags_on(self.session, [customer.id], actor=actor, on=today()).get(
            customer.id
        )
        cases = sa.select(Complaint).where(Complaint.customer_id == customer.id)
        return self.render(
            "customers/customer.html",
            customer=customer,
            history=history.get(customer.id, []),
            standing=standing,
            cases=self.session.scalars(cases.order_by(Complaint.received_at.desc()).limit(50)),
            flag=flag or self._flag_form(),
            lift=lift or LiftForm(prefix="lift-"),
            refused="flag" if flag else "lift" if lift else "",
            is_key=customer.tier == customers.KEY_TIER,
        )

    def _flag_form(self) -> FlagForm:
        """The form of a mark; it offers the regulations that know one."""
        form = FlagForm(prefix="flag-")
        form.policy.choices = [
            SelectChoice(version.policy.key, version.policy.name)
            for version in policies.all_in_force(self.session, on=today())
            if policies.pack(self.session, version).policy.customer_flag_term
        ]
        return form

    @expose("/<int:customer_id>/rank/", methods=("POST",))
    def rank(self, customer_id: int) -> Response:
        """Say whether the company looks after the customer one by one."""
        customer = self._customer(customer_id)
        wanted = request.form.get("key") == "1"
        customers.set_key_customer(self.session, customer, key_customer=wanted)
        self.session.commit()
        flash(gettext("Saved."), "success")
        return redirect(url_for(".one", customer_id=customer_id))

    @expose("/<int:customer_id>/flag/", methods=("POST",))
    def flag(self, customer_id: int) -> str | Response:
        """Mark the customer; refused, what was typed comes back."""
        customer, form = self._customer(customer_id), self._flag_form()
        if form.validate():
            version = tables.version_of(self.session, form.policy.data)
            with attempt(self.session, form) as tried:
                customers.add_flag(
                    self.session,
                    customer,
                    version,
                    reason=form.reason.data or "",
                    until_on=form.until_on.data,
                    actor=actors.of_user(current_user.user),
                    now=now(),
                )
            if tried.done:
                flash(gettext("The customer is marked."), "success")
                return redirect(url_for(".one", customer_id=customer_id))
        return self._page(self._customer(customer_id), flag=form)

    @expose("/<int:customer_id>/lift/<int:flag_id>/", methods=("POST",))
    def lift(self, customer_id: int, flag_id: int) -> str | Response:
        """Take a mark off before its end."""
        form = LiftForm(prefix="lift-")
        found = by_id(self.session, CustomerFlag, flag_id)
        if found is None or found.customer_id != customer_id:
            abort(404)
        if form.validate():
            with attempt(self.session, form) as tried:
                actor = actors.of_user(current_user.user)
                customers.lift_flag(
                    self.session, found, reason=form.reason.data or "", actor=actor, now=now()
                )
            if tried.done:
                flash(gettext("The mark is taken off."), "success")
                return redirect(url_for(".one", customer_id=customer_id))
        return self._page(self._customer(customer_id), lift=form)


def tier(row: Customer) -> Markup:
    """The tier of a customer as a chip."""
    if row.tier != customers.KEY_TIER:
        return Markup("")
    return Markup('<span class="chip chip-violet">{}</span>').format(gettext("Key customer"))


def views(db: Any) -> list[RedressView]:
    """The customers."""
    return [CustomerView(Customer, db, name=lazy_gettext("Customers"))]
