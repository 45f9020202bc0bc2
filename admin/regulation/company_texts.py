"""What the company says itself: to whom reports go by name, and what is said on the phone."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_babel import lazy_gettext
from wtforms import SelectField
from wtforms.validators import InputRequired

from admin.kit.display import today
from admin.kit.lists import RedressView
from admin.kit.lookup import session
from models import CompanyText
from services.regulation import company_texts
from wording.rule_text import SECTIONS

LABELS = {
    "what": lazy_gettext("Where it is said"),
    "policy": lazy_gettext("Policy"),
    "section": lazy_gettext("Used for"),
    "key": lazy_gettext("Rule"),
    "from_on": lazy_gettext("First day"),
    "text": lazy_gettext("What the company says"),
}


def _today() -> list[company_texts.CompanyWording]:
    """What may be worded anew and what is said there today; read once a request."""
    if "said_today" not in g:
        day = today()
        g.said_today = company_texts.wordings_on(session(), on=day)
    return list(g.said_today)


class WhatField(SelectField):
    """An entry of a regulation in force that the company may word anew."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options.pop("filters", None)
        super().__init__(label, validators, choices=self._offered, **options)

    def _offered(self) -> list[tuple[str, str]]:
        return [("", "—"), *((one.what, f"{one.policy} · {one.label}") for one in _today())]


def _entry(row: CompanyText) -> str:
    name = f"{row.policy_id}/{row.section}/{row.key}"
    return next((one.label for one in _today() if one.what == name), row.key)


class CompanyTextView(RedressView):
    """Dated rows: the newest that has begun is what is said."""

    group, icon = "rules", "bell"
    can_create = can_edit = True
    can_export = False
    empty_text = lazy_gettext("The company says nothing of its own: the regulation's words stand.")
    lead = lazy_gettext(
        "Names of addressees and phone scripts change without a new version of the regulation. "
        "What is not said here, the regulation says itself."
    )
    column_list = ("policy", "section", "key", "from_on", "text")
    column_labels = LABELS
    column_sortable_list = ("from_on",)
    column_default_sort = ("from_on", True)
    column_searchable_list = ("text",)
    column_formatters = {
        "section": lambda view, context, row, name: SECTIONS[
            company_texts.PACK_SECTIONS[row.section]
        ],
        "key": lambda view, context, row, name: _entry(row),
    }
    form_columns = ("what", "from_on", "text")
    form_extra_fields = {"what": WhatField(LABELS["what"], validators=[InputRequired()])}
    list_template = "regulation/company_texts.html"

    def called(self, row: CompanyText) -> str:
        return f"{_entry(row)} · {row.from_on}"

    def said_today(self) -> list[tuple[company_texts.CompanyWording, Any]]:
        """What is said today at every entry that may be worded anew, and what it is used for."""
        return [(one, SECTIONS[one.section]) for one in _today()]

    def create_form(self, obj: Any = None) -> Any:
        """A form that begins with the entry of the address and what is said there today."""
        form: Any = super().create_form(obj)
        if request.method == "GET":
            chosen = next((o for o in _today() if o.what == request.args.get("what")), None)
            form.from_on.data = today()
            if chosen is not None:
                form.what.data, form.text.data = chosen.what, chosen.text
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        for name in ("what", "from_on"):
            if name in form:
                delattr(form, name)
        return form

    def add(self, form: Any) -> CompanyText:
        return company_texts.add_text(
            self.session,
            form.what.data or "",
            from_on=form.from_on.data,
            text=form.text.data or "",
            on=today(),
        )

    def change(self, form: Any, row: CompanyText) -> None:
        company_texts.change_text(self.session, row, text=form.text.data or "")


def views(db: Any) -> list[RedressView]:
    """The words of the company."""
    return [CompanyTextView(CompanyText, db, name=lazy_gettext("Company's own words"))]
