"""The calls to customers: every attempt, by purpose and outcome."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import lazy_gettext

from admin.kit.lists import RedressView
from models import Callback


class CallbackView(RedressView):
    """Every attempt to call; a row leads to its case, where calls are made."""

    group, icon = "cases", "phone"
    lead = lazy_gettext("Calls are made on the page of a case; here they are looked up.")
    column_list = (
        "complaint",
        "at",
        "purpose",
        "attempt",
        "outcome",
        "satisfaction",
        "process_score",
        "caller",
        "text",
    )
    column_labels = {
        "complaint": lazy_gettext("Case"),
        "at": lazy_gettext("When"),
        "purpose": lazy_gettext("Purpose"),
        "attempt": lazy_gettext("Attempt"),
        "outcome": lazy_gettext("Outcome"),
        "satisfaction": lazy_gettext("Result"),
        "process_score": lazy_gettext("Handling"),
        "caller": lazy_gettext("Caller"),
        "text": lazy_gettext("The customer's words"),
    }
    column_searchable_list = ("text",)
    column_filters = ("purpose", "outcome", "satisfaction", "at", "caller")
    column_sortable_list = ("at", "purpose", "outcome")
    column_default_sort = ("at", True)

    def row_url(self, row: Callback) -> str:
        return str(url_for("complaint.case", number=row.complaint.number))


def views(db: Any) -> list[RedressView]:
    """The callbacks."""
    return [CallbackView(Callback, db, name=lazy_gettext("Callbacks"))]
