"""What the company says itself: to whom reports go by name, and what is said on the phone."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_babel import lazy_gettext
from wtforms import SelectField

import wording
from admin.base import RedressView
from admin.lookup import session
from admin.rulewords import SECTIONS
from admin.showing import now
from models import CompanyText
from services import company_texts

LABELS = {
    "what": lazy_gettext("Where it is said"),
    "policy": lazy_gettext("Policy"),
    "section": lazy_gettext("Section"),
    "key": lazy_gettext("Entry"),
    "from_on": lazy_gettext("From"),
    "text": lazy_gettext("What the company says"),
}


def _wordable() -> dict[str, str]:
    """What may be worded anew; read once a request."""
    if "wordable" not in g:
        day = now().astimezone(wording.zone()).date()
        g.wordable = company_texts.wordable(session(), on=day)
    return dict(g.wordable)


class WhatField(SelectField):
    """An entry of a regulation in force that the company may word anew."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options.pop("filters", None)
        super().__init__(label, validators, choices=self._offered, **options)

    def _offered(self) -> list[tuple[str, str]]:
        return [("", "—"), *_wordable().items()]


def _entry(row: CompanyText) -> str:
    name = f"{row.policy_id}/{row.section}/{row.key}"
    return _wordable().get(name, row.key).rpartition(" · ")[2]


class CompanyTextView(RedressView):
    """Dated rows: the newest that has begun is what is said."""

    group, icon = "rules", "bell"
    creates = edits = True
    exports = False
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
        "section": lambda view, context, row, name: SECTIONS[company_texts.KEPT_IN[row.section]],
        "key": lambda view, context, row, name: _entry(row),
    }
    form_columns = ("what", "from_on", "text")
    form_extra_fields = {"what": WhatField(LABELS["what"])}

    def called(self, row: CompanyText) -> str:
        return f"{_entry(row)} · {row.from_on}"

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        for name in ("what", "from_on"):
            if name in form:
                delattr(form, name)
        return form

    def add(self, form: Any) -> CompanyText:
        return company_texts.word(
            self.records,
            form.what.data or "",
            from_on=form.from_on.data,
            text=form.text.data or "",
            on=now().astimezone(wording.zone()).date(),
        )

    def change(self, form: Any, row: CompanyText) -> None:
        company_texts.reword(self.records, row, text=form.text.data or "")


def views(db: Any) -> list[RedressView]:
    """The words of the company."""
    return [CompanyTextView(CompanyText, db, name=lazy_gettext("Company's own words"))]
