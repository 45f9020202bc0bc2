"""Forms that stand by themselves: a duty log, a visit, a survey. Filled, listed, never edited."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import SelectField

from admin.kit import tables
from admin.kit.declared_inputs import own, with_inputs
from admin.kit.display import now, plain, today
from admin.kit.fields import LookupField, SelectChoice
from admin.kit.page import RedressPage, attempt
from admin.kit.rights import visitor_may_open
from admin.reports import ledgers as ledger_pages
from enums import Role
from models import Customer, Employee, FormEntry, PolicyVersion
from policy.pack.forms_and_reports import FormTemplate as Form
from services.calendar import working_calendar
from services.cases import customers, forms
from services.company import actors
from services.regulation import policies
from services.reports import ledgers, periodic_reports

SEES_ALL = frozenset({Role.administrator, Role.care, Role.general_manager, Role.auditor})


class StandaloneForm(FlaskForm):
    """What every form that stands alone asks first: which customer it is about, if any."""

    class Meta:
        csrf = False  # the token of the page covers the form


def form_for(session: Any, entry: Form) -> Any:
    """The form of an entry; who may look customers up finds any, others choose a key customer."""
    words = lazy_gettext("Customer")
    if visitor_may_open("lookup.customer"):
        customer: Any = LookupField(words, what="customer", allow_blank=True)
    else:
        known = [SelectChoice(str(c.id), c.name) for c in customers.key_customers(session)]
        customer = SelectField(words, choices=[SelectChoice("", "—"), *known])
    first = type("StandaloneForm", (StandaloneForm,), {"customer": customer})
    return with_inputs(first, entry.fields)()


class StandalonePage(RedressPage):
    """The forms of the regulations in force that are filled outside cases."""

    group, icon = "books", "edit"

    @expose("/")
    def index(self) -> str:
        versions = policies.readable(self.session, on=today())
        found = [
            (version, [form for form in policies.pack(self.session, version).form if form.alone])
            for version in versions
        ]
        return self.render("reports/standalone.html", found=found, counts=self._counts(found))

    def _counts(
        self, found: list[tuple[PolicyVersion, list[Form]]]
    ) -> dict[tuple[int, str], tuple[int, dt.datetime]]:
        """How often each form was filled and when last, by policy and form; one statement."""
        kept_as = (PolicyVersion.policy_id, FormEntry.section, FormEntry.form)
        told = (sa.func.count(FormEntry.id), sa.func.max(FormEntry.filled_at))
        statement = sa.select(*kept_as, *told).join(
            PolicyVersion, PolicyVersion.id == FormEntry.policy_version_id
        )
        rows = self.session.execute(self._mine(statement).group_by(*kept_as))
        said = {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}
        counts: dict[tuple[int, str], tuple[int, dt.datetime]] = {}
        for version, declared in found:
            pack = policies.pack(self.session, version)
            for where, form in forms.form_by_entry(pack, [one.key for one in declared]).items():
                policy = version.policy_id
                if (policy, *where) in said:
                    times, last = said[(policy, *where)]
                    before, until = counts.get((policy, form), (0, last))
                    counts[(policy, form)] = before + times, max(until, last)
        return counts

    @expose("/<policy>/<key>/")
    def one(self, policy: str, key: str) -> str:
        """The fillings of a form in a period, narrowed to a customer if asked, and what lacks."""
        version, entry = self._entry(policy, key)
        from_on, until_on = tables.span()
        return self.render(
            "reports/standalone_one.html",
            entry=entry,
            policy=version.policy,
            is_in_force=version.status == "published",
            table=ledger_pages.fillings(
                self.session, entry, (), found=self._fillings(version, entry)
            ),
            from_on=from_on,
            until_on=until_on,
            customer=request.args.get("customer", ""),
            open_hours=ledgers.uncovered_hours(
                self.session, version, entry, from_on=from_on, until_on=until_on, now=now()
            ),
            unvisited=self._unvisited(version, entry, until_on.year),
            year=until_on.year,
        )

    def _unvisited(self, version: PolicyVersion, entry: Form, year: int) -> list[Customer] | None:
        """The key customers not visited in a year; None for a form that no visits are told in."""
        told = policies.pack(self.session, version).indicator
        if not any(one.formula == "visit_rate" and one.form == entry.key for one in told):
            return None
        return periodic_reports.unvisited_customers(
            self.session, version, form=entry.key, year=year
        )

    @expose("/<policy>/<key>/<kind>")
    def export(self, policy: str, key: str, kind: str) -> Any:
        """The same as a file: csv or xlsx."""
        version, entry = self._entry(policy, key)
        table = ledger_pages.fillings(self.session, entry, (), found=self._fillings(version, entry))
        rows = [[plain(value) for value in values] for _number, values in table.rows]
        from_on, until_on = tables.span()
        return tables.send(kind, f"{key}-{from_on}-{until_on}", table.header, rows=rows)

    @expose("/<policy>/<key>/fill/", methods=("GET", "POST"))
    def fill(self, policy: str, key: str) -> str | Response:
        """Fill in a form once more; refused, it comes back with all that was typed."""
        tables.in_force(self.session, policy)
        version, entry = self._entry(policy, key)
        form = form_for(self.session, entry)
        if form.validate_on_submit() and self._filled(version, entry, form):
            return redirect(url_for(".one", policy=policy, key=key))
        return self.render(
            "reports/standalone_fill.html", entry=entry, policy=version.policy, form=form
        )

    def _filled(self, version: PolicyVersion, entry: Form, form: Any) -> bool:
        typed = own({field.short_name: field.data for field in form})
        data = {name: value for name, value in typed.items() if value not in (None, "", [])}
        customer = form.customer.data
        if isinstance(customer, str):
            customer = self.session.get(Customer, int(customer)) if customer else None
        with attempt(self.session, form) as tried:
            forms.fill_alone(
                self.session,
                version,
                form=entry.key,
                data=data,
                actor=actors.of_user(current_user.user),
                now=now(),
                customer=customer,
            )
        if tried.done:
            flash(gettext("Filled in: %(form)s.", form=entry.label), "success")
        return tried.done

    def _entry(self, policy: str, key: str) -> tuple[PolicyVersion, Form]:
        version = tables.version_of(self.session, policy)
        entry = policies.pack(self.session, version).find("form", key)
        if entry is None or not entry.alone:
            abort(404)
        return version, entry

    def _fillings(self, version: PolicyVersion, entry: Form) -> Any:
        from_on, until_on = tables.span()
        calendar = working_calendar.work_calendar(self.session)
        span = calendar.span(from_on, until_on)
        statement = self._mine(forms.filled_forms(self.session, version, [entry.key], span=span))
        if wanted := request.args.get("customer", "").replace("\0", "").strip()[:120]:
            named = sa.select(Customer.id).where(Customer.name.startswith(wanted, autoescape=True))
            statement = statement.where(FormEntry.customer_id.in_(named))
        about = (joinedload(FormEntry.customer), joinedload(FormEntry.employee))
        newest = statement.order_by(None).order_by(FormEntry.filled_at.desc(), FormEntry.id.desc())
        return self.session.scalars(newest.options(*about).limit(5_000)).all()

    def _mine(self, statement: Any) -> Any:
        """A statement over fillings outside cases, narrowed to what the visitor sees.

        A department sees what its own people filled in.
        """
        found = statement.where(FormEntry.complaint_id.is_(None))
        if current_user.role in SEES_ALL:
            return found
        own_ = current_user.user.employee
        colleagues = sa.select(Employee.id).where(
            Employee.department_id == (own_.department_id if own_ else -1)
        )
        return found.where(FormEntry.employee_id.in_(colleagues))


def views(db: Any) -> list[Any]:
    """The forms that stand alone."""
    page = StandalonePage(
        db, name=lazy_gettext("Forms"), endpoint="standalone", url="/admin/standalone"
    )
    return [page]
