"""The menu: pages by group, only those the visitor may open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, url_for
from flask_babel import lazy_gettext

GROUPS = {
    "desk": lazy_gettext("Desk"),
    "cases": lazy_gettext("Cases"),
    "books": lazy_gettext("Forms and ledgers"),
    "money": lazy_gettext("Penalties"),
    "sheets": lazy_gettext("Spreadsheets"),
    "rules": lazy_gettext("Rules"),
    "people": lazy_gettext("Organisation"),
}
ON_PHONE = 4


@dataclass(frozen=True)
class MenuItem:
    """One line of the menu."""

    name: Any
    url: str
    icon: str
    current: bool


@dataclass(frozen=True)
class MenuGroup:
    """Lines of the menu that belong together."""

    name: Any
    items: tuple[MenuItem, ...]


def menu(admin: Any, current_view: Any = None) -> list[MenuGroup]:
    """The groups with a page the visitor may open, in the order of GROUPS."""
    return [
        MenuGroup(name, items)
        for key, name in GROUPS.items()
        if (items := tuple(_items(admin, key, current_view)))
    ]


def _items(admin: Any, group: str, current_view: Any) -> Iterator[MenuItem]:
    for view in admin._views:  # noqa: SLF001  # no public list of pages
        if getattr(view, "group", "") != group or not view.is_visible():
            continue
        if view.is_accessible():
            url = url_for(f"{view.endpoint}.{view._default_view}")  # noqa: SLF001  # no public name
            current = view is current_view or view.endpoint == getattr(current_view, "within", None)
            yield MenuItem(view.name, url, view.icon, current)


def first_url(admin: Any, *, past: Any) -> str:
    """The address of the first page of the menu that is not `past`; all have the regulation."""
    items = (item for group in menu(admin, past) for item in group.items)
    return next(item.url for item in items if not item.current)


def init_app(app: Flask) -> None:
    """Offer the menu to the layout."""
    app.jinja_env.globals.update(menu=menu, on_phone=ON_PHONE)
