"""Flask-Admin's options on our lists: the switches it knows, and what is refused and why.

A view says `can_create = True` as in Flask-Admin: then the route exists, and who opens it stands
in admin.kit.rights. An option that we do not honour is refused when the class is made, so nobody
looks for the reason why nothing happens.
"""

from __future__ import annotations

import inspect
from typing import Any

from flask import has_request_context

from admin.kit.rights import visitor_may_open

EXPORTS = ("csv", "xlsx")


class Switch:
    """One of Flask-Admin's switches: what the class says, and who the visitor is, at one place.

    Asked of the class, and before there is a visitor, it is what the class says.
    """

    def __init__(self, route: str, *, said: bool = False) -> None:
        self.route = route
        self.said = said

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, view: Any, owner: type) -> bool:
        said: bool = owner.offered.get(self.route, self.said)  # type: ignore[attr-defined]  # set by `settle`
        if view is None or not said or not has_request_context():
            return said
        return visitor_may_open(f"{view.endpoint}.{self.route}")

    def __set__(self, view: Any, said: object) -> None:
        raise AttributeError(f"say {self.name} on the class: the routes are made from it")


PAGES = "forms are pages of their own, so that a refused one keeps its address and what was typed"
LOOKS_ALIKE = "a kind of value looks alike everywhere (admin.kit.display); say column_formatters"
OWN_FORM = "write a template with the block form_fields and name it in create_template and "
OWN_FORM += "edit_template"
SEEN = "say `visible`, which lists, searches, exports, pages and look-ups all ask"
ONE_BY_ONE = "rows are deleted one by one, so that each is asked whether something points to it"

REFUSED = {
    "column_display_all_relations": "it costs a statement a row; name the relations in column_list",
    "column_type_formatters": LOOKS_ALIKE,
    "column_type_formatters_detail": LOOKS_ALIKE,
    "column_type_formatters_export": LOOKS_ALIKE,
    "create_modal": PAGES,
    "create_modal_template": PAGES,
    "details_modal": PAGES,
    "details_modal_template": PAGES,
    "edit_modal": PAGES,
    "edit_modal_template": PAGES,
    "export_max_rows": "an export has every row of the list; a workbook that is too large says so",
    "fast_mass_delete": ONE_BY_ONE,
    "filter_converter": "admin.kit.filters makes the filters; column_filters takes filter objects",
    "form_create_rules": OWN_FORM,
    "form_edit_rules": OWN_FORM,
    "form_rules": OWN_FORM,
    "get_count_query": SEEN,
    "get_empty_list_message": "say `empty_text`",
    "get_export_name": "a file is called like the view's endpoint, whatever the language",
    "get_invalid_value_msg": "a filter that is not known any more is left out with a word",
    "get_query": SEEN,
    "inline_model_form_converter": "see inline_models",
    "inline_models": "a row of another table has a view of its own, whose service checks it",
    "named_filter_urls": "filters always have names, so that links stay true in every language",
    "scaffold_list_form": "a cell has the field of its edit form; override get_edit_form",
    "simple_list_pager": "a count stops at COUNTED_AT_MOST by itself",
}
"""Options and methods of Flask-Admin that we do not honour, and what to do instead."""


def settle(view: type, base: type) -> None:
    """Take the switches a new class says, and refuse what it says in vain. Raises TypeError."""
    for name, why in REFUSED.items():
        if _said(view, base, name):
            raise TypeError(f"{view.__name__}.{name} is not supported: {why}.")
    _take_switches(view, base)
    _check_together(view)


def _said(view: type, base: type, name: str) -> bool:
    """Whether the class, or a mixin of it, says something else than the base does."""
    said, usual = (inspect.getattr_static(one, name) for one in (view, base))
    return said is not usual and said != usual


def _take_switches(view: Any, base: type) -> None:
    """Remember what the class says of each switch, and put the switch in its place again."""
    offered = dict(view.offered)
    for name, switch in vars(base).items():
        if not isinstance(switch, Switch):
            continue
        said = inspect.getattr_static(view, name)
        if said is switch:
            continue
        if not isinstance(said, bool):
            raise TypeError(
                f"{view.__name__}.{name} is True or False: the route is made from it. Who may "
                "is said in admin.kit.rights."
            )
        offered[switch.route] = said
        setattr(view, name, switch)
    view.offered = offered


def _check_together(view: Any) -> None:
    """Options that need each other."""
    if view.column_editable_list and not view.can_edit:
        raise TypeError(
            f"{view.__name__}.column_editable_list needs can_edit = True: a cell is changed by "
            "the field, the service and the right of the edit form."
        )
    unknown = sorted({*view.export_types} - {*EXPORTS})
    if unknown:
        raise TypeError(
            f"{view.__name__}.export_types knows csv and xlsx, not {', '.join(unknown)}."
        )
