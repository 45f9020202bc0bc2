"""Reports that come again and the indicators of a period: owed, drawn up, filed, looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

import wording
from admin.kit import tables
from admin.kit.declared_inputs import EXTRA, own, with_inputs
from admin.kit.display import now, today
from admin.kit.fields import long_text
from admin.kit.lookup import by_id
from admin.kit.page import RedressPage, attempt
from models import Customer, FormEntry, PolicyVersion
from policy.engine.indicators import target_reached
from policy.engine.report_periods import days_of, due_on
from policy.pack.forms_and_reports import ReportEntry
from policy.pack.schema import Pack
from policy.vocabulary.errors import ChoiceUnknown
from services.calendar import working_calendar
from services.cases import customers
from services.company import actors
from services.regulation import policies
from services.reports import indicators, periodic_reports
from wording import form_text

LISTED_DAYS = 370
"""So far back reports are listed that are owed; a year and the days until one is due."""

RECENT_DAYS = 62
"""What fell due before that is folded away."""


class ReportForm(FlaskForm):
    """What a report asks for: the fields of its form, or a text for each of its contents."""

    class Meta:
        csrf = False  # the token of the page covers the form


def form_for(entry: ReportEntry, pack: Pack, told: Mapping[str, str]) -> Any:
    """The form of a report; a text about an indicator begins with what it came to, as `told`."""
    declared = pack.find("form", entry.form)
    if declared is not None:
        return with_inputs(ReportForm, declared.fields)()
    fields = {
        f"{EXTRA}{place}": long_text(pack.label("indicator", one), default=told.get(one))
        for place, one in enumerate(entry.contents or [gettext("Content")])
    }
    return type("ReportForm", (ReportForm,), fields)()


def said(entry: ReportEntry, form: Any) -> dict[str, Any]:
    """What was written, by field of its form or by the words of its contents."""
    typed = own({field.short_name: field.data for field in form})
    if entry.form:
        return {key: value for key, value in typed.items() if value not in (None, "", [])}
    return {str(form[EXTRA + key].label.text): value for key, value in typed.items()}


class ReportPage(RedressPage):
    """What is owed by when, what was filed, and the indicators of any period."""

    group, icon = "books", "chart"

    @expose("/")
    def index(self) -> str:
        versions = policies.readable(self.session, on=today())
        owed = [(one, self._owed(one)) for one in versions]
        return self.render(
            "reports/reports.html",
            owed=owed,
            filed=self._filed(),
            today=today(),
            since=today() - dt.timedelta(days=RECENT_DAYS),
            packs={one.id: policies.pack(self.session, one) for one in versions},
            words=form_text,
        )

    def _owed(self, version: PolicyVersion) -> list[periodic_reports.DueReport]:
        """What is owed under a version; nothing any more under one that was withdrawn."""
        if version.status != "published":
            return []
        on = today()
        begin = _begin(version, on - dt.timedelta(days=LISTED_DAYS))
        return list(periodic_reports.due_reports(self.session, version, since=begin, on=on))

    def _filed(self) -> list[tuple[FormEntry, Any]]:
        """The reports that were filed, the newest first, each with its entry."""
        rows = self.session.scalars(
            sa.select(FormEntry)
            .where(FormEntry.section == "report")
            .options(joinedload(FormEntry.customer), joinedload(FormEntry.employee))
            .order_by(FormEntry.filled_at.desc(), FormEntry.id.desc())
            .limit(200)
        )
        return [(row, self._pack_of(row).find("report", row.form)) for row in rows]

    def _pack_of(self, row: FormEntry) -> Pack:
        version = self.session.get(PolicyVersion, row.policy_version_id)
        assert version is not None
        return policies.pack(self.session, version)

    @expose("/filed/<int:entry_id>/")
    def filed(self, entry_id: int) -> str:
        """One report as it was filed, with the figures of that day."""
        row = by_id(self.session, FormEntry, entry_id)
        if row is None or row.section != "report":
            abort(404)
        pack = self._pack_of(row)
        entry = pack.find("report", row.form)
        figures = row.data.get("figures", {})
        data = {key: value for key, value in row.data.items() if key != "figures"}
        declared = pack.find("form", entry.form) if entry else None
        texts = [(pack.label("indicator", name), text) for name, text in data.items()]
        lines = form_text.form_lines(declared, data) if declared else texts
        named = [(pack.find("indicator", key), value) for key, value in figures.items()]
        return self.render(
            "reports/report_filed.html",
            row=row,
            entry=entry,
            lines=lines,
            figures=[(one, value) for one, value in named if one],
        )

    @expose("/<policy>/<key>/<period>/", methods=("GET", "POST"))
    def file(self, policy: str, key: str, period: str) -> str | Response:
        """Draw up a report of a period beside its indicators, and file it."""
        version = tables.in_force(self.session, policy)
        pack = policies.pack(self.session, version)
        entry: ReportEntry | None = pack.find("report", key)
        if entry is None:
            abort(404)
        try:
            from_on, until_on = days_of(entry, period)
        except ChoiceUnknown:
            abort(404)
        days = {"from_on": from_on, "until_on": until_on}
        form = form_for(entry, pack, tables.told(self.session, version, entry.contents, **days))
        customer = self._customer(entry)
        if form.validate_on_submit() and self._kept(
            version, entry, period, customer=customer, form=form
        ):
            return redirect(url_for(".index"))
        return self.render(
            "reports/report_file.html",
            entry=entry,
            policy=version.policy,
            period=period,
            form=form,
            customer=customer,
            **days,
            due=due_on(entry, period, working_calendar.work_calendar(self.session)),
            by=form_text.post_label(entry.by, pack),
            figures=indicators.figures(self.session, version, **days),
            reached=target_reached,
        )

    def _customer(self, entry: ReportEntry) -> Customer | None:
        if entry.per != "key_customer":
            return None
        wanted = request.args.get("customer", "")
        known = {str(one.id): one for one in customers.key_customers(self.session)}
        if wanted not in known:
            abort(404)
        return known[wanted]

    def _kept(
        self,
        version: PolicyVersion,
        entry: ReportEntry,
        period: str,
        *,
        customer: Customer | None,
        form: Any,
    ) -> bool:
        with attempt(self.session, form) as tried:
            periodic_reports.file_report(
                self.session,
                version,
                report=entry.key,
                period=period,
                data=said(entry, form),
                actor=actors.of_user(current_user.user),
                now=now(),
                customer=customer,
            )
        if tried.done:
            flash(gettext("Filed: %(report)s.", report=f"{entry.label} {period}"), "success")
        return tried.done

    @expose("/indicators/<policy>/")
    def indicators(self, policy: str) -> str:
        """Every indicator of a period with what it was divided by, and what forms say.

        In all, by department and by category.
        """
        version = tables.version_of(self.session, policy)
        pack = policies.pack(self.session, version)
        from_on, until_on = tables.span()
        span = {"from_on": from_on, "until_on": until_on}
        categories = indicators.by_category(self.session, version, **span)
        return self.render(
            "reports/indicators.html",
            policy=version.policy,
            figures=indicators.figures(self.session, version, **span),
            by_department=indicators.by_department(self.session, version, **span),
            by_category={pack.label("category", key): rows for key, rows in categories.items()},
            tallied=indicators.choice_counts(self.session, version, **span),
            reached=target_reached,
            words=form_text,
            **span,
        )


def _begin(version: PolicyVersion, since: dt.date) -> dt.date:
    """The first day whose reports are listed: nothing is owed from before the version was in force,
    nor from before it was published here, which is before anybody worked by it.
    """
    published = version.published_at and version.published_at.astimezone(wording.zone()).date()
    return max(day for day in (since, version.effective_from, published) if day is not None)


def views(db: Any) -> list[Any]:
    """The reports."""
    return [ReportPage(db, name=lazy_gettext("Reports"), endpoint="report", url="/admin/report")]
