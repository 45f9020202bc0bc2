"""The layout of the files: which tabs there are, and their columns."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from wtforms import SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

import wording
from admin.kit.display import today
from admin.kit.lists import RedressView
from admin.kit.lookup import session
from models import WorkbookColumn, WorkbookTab
from policy.vocabulary.errors import ChoiceUnknown
from policy.vocabulary.status import Status
from services.workbooks import layout, layout_changes
from wording import workbook_text


class StatusesField(SelectMultipleField):
    """Several statuses, each with a box to tick; the data are members of Status."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        options.pop("filters", None)
        super().__init__(label, validators, choices=self._offered, coerce=self._status, **options)

    def _offered(self) -> list[tuple[str, str]]:
        return wording.labelled(Status)

    def _status(self, value: Any) -> Status:
        return value if isinstance(value, Status) else Status(value)


class TabView(RedressView):
    """The tabs every file of an audience has."""

    group, icon = "sheets", "tabs"
    can_edit = True
    can_export = False
    lead = lazy_gettext(
        "Which cases stand in which tab. The files take a change over at their next pass."
    )
    empty_text = lazy_gettext("The tabs are set up when the worker makes the first files.")
    column_list = ("title", "audience", "statuses", "days", "position")
    column_labels = {
        "title": lazy_gettext("Title"),
        "audience": lazy_gettext("Whose file"),
        "statuses": lazy_gettext("Cases that stand so"),
        "days": lazy_gettext("Days it stays after closing"),
        "position": lazy_gettext("Place"),
    }
    column_sortable_list = ("audience", "position", "title")
    column_default_sort = [("audience", False), ("position", False)]
    column_formatters = {
        "statuses": lambda view, context, row, name: _chips(row),
    }
    form_columns = ("title", "position", "days")
    column_descriptions = {
        "title": lazy_gettext("At most 31 characters, without a slash and without [ ] : * ?"),
        "days": lazy_gettext("Empty: as long as the case stands so."),
        "position": lazy_gettext("Tabs stand in the order of these numbers."),
    }

    def get_edit_form(self) -> Any:
        form = super().get_edit_form()
        words = self.column_labels["statuses"]
        return type("TabForm", (form,), {"statuses": StatusesField(words)})

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if not obj.statuses:
            del form.statuses
            del form.days
        elif request.method == "GET":
            form.statuses.data = layout.statuses(obj)
        return form

    def change(self, form: Any, row: WorkbookTab) -> None:
        lists_cases = "statuses" in form
        layout_changes.change_tab(
            self.session,
            row,
            title=form.title.data,
            statuses=form.statuses.data if lists_cases else (),
            days=form.days.data if lists_cases else row.days,
            position=form.position.data,
        )


def _chips(tab: WorkbookTab) -> Markup | None:
    chip = Markup('<span class="chip chip-{}">{}</span>')
    parts = [chip.format(wording.tone(s), wording.label(s)) for s in layout.statuses(tab)]
    return Markup('<span class="chips">{}</span>').format(Markup("").join(parts)) if parts else None


class ColumnView(RedressView):
    """The columns of the tabs; a field that no column shows can be added."""

    group, icon = "sheets", "columns"
    can_create = can_edit = True
    can_export = False
    lead = lazy_gettext(
        "What stands above each column, how wide it is and where. "
        "A column that is not wanted is switched off; what was taken from it stays."
    )
    empty_text = lazy_gettext("The columns are set up when the worker makes the first files.")
    column_list = ("header", "tab", "audience", "owner", "width", "position", "active")
    column_labels = {
        "header": lazy_gettext("Header"),
        "tab": lazy_gettext("Tab"),
        "audience": lazy_gettext("Whose file"),
        "owner": lazy_gettext("Who fills it"),
        "width": lazy_gettext("Width in characters"),
        "position": lazy_gettext("Place"),
        "active": lazy_gettext("Active"),
    }
    column_searchable_list = ("header",)
    column_filters = ("tab", "active")
    column_sortable_list = ("header", "width", "position")
    column_default_sort = [("tab_id", False), ("position", False)]
    column_formatters = {
        "audience": lambda view, context, row, name: row.tab.audience,
        "owner": lambda view, context, row, name: _owner(row.field),
    }
    form_columns = ("field", "header", "width", "position", "active")
    form_extra_fields = {
        "field": SelectField(lazy_gettext("Field"), choices=lambda: _left()),
    }
    column_descriptions = {
        "width": lazy_gettext("A Chinese character is two wide."),
        "position": lazy_gettext("Columns stand in the order of these numbers."),
        "active": lazy_gettext("Switched off, the file does not show it any more."),
    }

    def create_form(self, obj: Any = None) -> Any:
        form: Any = super().create_form(obj)
        del form.active
        form.header.description = gettext("Empty: the usual name of the field.")
        form.header.validators = [v for v in form.header.validators if not _asks(v)]
        form.header.flags.required = False
        if request.method == "GET":
            form.width.data, form.position.data = 14, 99
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.field
        if layout_changes.is_needed(obj):
            form.active.description = gettext("The tab cannot do its work without this column.")
        return form

    def called(self, row: WorkbookColumn) -> str:
        return f"{row.tab.title} · {row.header}"

    def add(self, form: Any) -> WorkbookColumn:
        tab_id, _, name = str(form.field.data).partition(":")
        tab = self.session.get(WorkbookTab, int(tab_id)) if tab_id.isdecimal() else None
        if tab is None:
            raise ChoiceUnknown(field="field", value=name)
        return layout_changes.add_column(
            self.session,
            tab,
            name,
            header=form.header.data or field_label(name),
            width=form.width.data,
            position=form.position.data,
            on=today(),
        )

    def change(self, form: Any, row: WorkbookColumn) -> None:
        names = ("header", "width", "position", "active")
        layout_changes.change_column(self.session, row, **{name: form[name].data for name in names})


def field_label(name: str) -> str:
    """What a field is usually called: by us, or by the regulation it is of."""
    return layout.field_labels(session(), on=today()).get(name) or workbook_text.column_header(name)


def _left() -> dict[str, list[tuple[str, str]]]:
    """The fields that can still be added, by audience and tab, as choices of a select."""
    own = layout.field_labels(session(), on=today())
    return {
        f"{wording.label(tab.audience)} · {tab.title}": [
            (f"{tab.id}:{name}", own.get(name) or workbook_text.column_header(name))
            for name in names
        ]
        for tab, names in layout_changes.tabs_with_addable_fields(session(), on=today())
    }


def _owner(name: str) -> Markup:
    fills = name != layout.EXTRAS and layout.field(name).open_
    words = gettext("The department") if fills else gettext("Redress")
    return Markup('<span class="chip chip-{}">{}</span>').format("teal" if fills else "grey", words)


def _asks(validator: Any) -> bool:
    return "required" in (getattr(validator, "field_flags", None) or {})
