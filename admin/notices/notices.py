"""Notices: who was told what and whether it arrived; and the group robots they go to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, url_for
from flask_admin import expose
from flask_admin.model.filters import BaseFilter
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

import notify
import wording
from admin.kit.display import now, shown
from admin.kit.filters import OneOf, contains, filters_of
from admin.kit.lists import RedressView
from models import Complaint, Employee, Notice, NoticeChannel, NoticeDelivery
from services.notices import channels, notices, outcomes

STATES = {
    "waiting": ("amber", lazy_gettext("Waiting")),
    "sent": ("green", lazy_gettext("Sent")),
    "failed": ("red", lazy_gettext("Not delivered")),
    "nobody": ("grey", lazy_gettext("Nobody to tell")),
}
LABELS = {
    "about": lazy_gettext("Case or file"),
    "department": lazy_gettext("Department"),
    "employee": lazy_gettext("To"),
    "kind": lazy_gettext("About"),
    "made_at": lazy_gettext("When"),
    "spread_at": lazy_gettext("Looked at"),
    "state": lazy_gettext("State"),
}


def chip(tone: str, words: Any) -> Markup:
    """A word on a coloured ground."""
    return Markup('<span class="chip chip-{}">{}</span>').format(tone, words)


class InState(OneOf):
    """What became of a notice."""

    def __init__(self) -> None:
        super().__init__(
            Notice.spread_at,
            LABELS["state"],
            key="state",
            choices=lambda: [(name, str(words)) for name, (_tone, words) in STATES.items()],
        )

    def condition(self, value: list[str]) -> sa.ColumnElement[bool]:
        return sa.or_(*(outcomes.has_state(name) for name in value))


class NoticeView(RedressView):
    """Every notice with what became of it; a row leads to its deliveries."""

    group, icon = "people", "bell"
    can_view_details = True
    lead = lazy_gettext("Who was told what, on which ways, and whether it arrived.")
    empty_text = lazy_gettext("Nobody had to be told anything yet.")
    column_list = ("kind", "about", "department", "employee", "made_at", "state")
    column_labels = LABELS
    column_details_list = ["kind", "about", "department", "employee", "made_at", "state"]
    column_sortable_list = ("made_at",)
    column_default_sort = ("made_at", True)
    column_searchable_list = ("kind",)
    details_template = "notices/notice.html"
    column_formatters = {
        "kind": lambda view, context, row, name: wording.notice_label(row.kind),
        "about": lambda view, context, row, name: _about(row),
        "state": lambda view, context, row, name: _state(row),
    }
    column_formatters_export = {
        "kind": lambda view, context, row, name: wording.notice_label(row.kind),
        "about": lambda view, context, row, name: _about_words(row),
        "state": lambda view, context, row, name: _state(row).striptags(),
    }

    def get_filters(self) -> list[BaseFilter]:
        return [
            InState(),
            OneOf(
                Notice.kind,
                LABELS["kind"],
                key="kind",
                choices=lambda: [(k, _kind(k)) for k in notices.KINDS],
            ),
            self._row_filter("department", LABELS["department"]),
            *filters_of(Notice.made_at, LABELS["made_at"], key="made_at"),
        ]

    def matches(self, word: str) -> sa.ColumnElement[bool]:
        """The number of a case, or the name of somebody who is told."""
        cases = sa.select(Complaint.id).where(contains(Complaint.number, word))
        people = sa.select(Employee.id).where(contains(Employee.name, word))
        return sa.or_(Notice.complaint_id.in_(cases), Notice.employee_id.in_(people))

    def search_placeholder(self) -> str:
        return ", ".join(str(LABELS[name]) for name in ("about", "employee"))

    def called(self, row: Notice) -> str:
        return " · ".join([wording.notice_label(row.kind), _about_words(row)])

    def rows(self) -> sa.Select[Any]:
        return super().rows().options(selectinload(Notice.deliveries))

    def deliveries(self, notice: Notice) -> list[dict[str, Any]]:
        """Each way of a notice in words, for its page."""
        return [_delivery(self.session, one) for one in notice.deliveries]

    def explanation(self, notice: Notice) -> str:
        """Why nobody was told, where that is so."""
        if outcomes.was_too_old(notice):
            return gettext("It was a day old before anybody could be told, so it was left out.")
        return gettext(
            "Nobody concerned has an email address, or no mail server is set; "
            "and no channel hears of this department."
        )


def _kind(kind: str) -> str:
    return wording.notice_label(kind)


def _about_words(notice: Notice) -> str:
    facts = notice.facts
    return str(facts.get("number") or facts.get("sheet") or facts.get("channel") or "—")


def _about(notice: Notice) -> Markup | str:
    words = _about_words(notice)
    if notice.complaint_id is None:
        return words
    return Markup('<a href="{}">{}</a>').format(url_for("complaint.case", number=words), words)


def _state(notice: Notice) -> Markup:
    tone, words = STATES[outcomes.state_of(notice)]
    return chip(tone, gettext("Too old to be told") if outcomes.was_too_old(notice) else words)


def _delivery(session: Any, one: NoticeDelivery) -> dict[str, Any]:
    if one.channel is not None:
        to = str(one.channel)
    else:
        employee = session.get(Employee, int(one.way.removeprefix("mail:")))
        to = f"{employee} · {employee.email or '—'}"
    return {
        "to": to,
        "tries": one.tries,
        "sent_at": one.sent_at,
        "next_at": one.next_at,
        "failure": wording.notice_failure(one.failure) if one.failure else None,
        "state": _fate(one),
    }


def _fate(one: NoticeDelivery) -> Markup:
    if one.sent_at is not None:
        return chip(*STATES["sent"])
    return chip(*STATES["waiting" if one.next_at is not None else "failed"])


# ---------------------------------------------------------------- channels


class AddressField(StringField):
    """An address that is typed and never shown: what stands in the record stays there."""

    def process_data(self, value: Any) -> None:
        self.data = ""


class ChannelView(RedressView):
    """The group robots and other ways notices go besides mail."""

    group, icon = "people", "robot"
    can_create = can_edit = True
    can_export = False
    lead = lazy_gettext(
        "Group robots of WeCom, DingTalk and Feishu that hear of the cases of a department. "
        "Mail goes to employees with an email address, once a mail server is set."
    )
    empty_text = lazy_gettext("No group hears of anything yet.")
    edit_template = "notices/channel.html"
    column_list = ("name", "address", "department", "active")
    column_labels = {
        "name": lazy_gettext("Name"),
        "address": lazy_gettext("Address"),
        "department": lazy_gettext("Department"),
        "active": lazy_gettext("Active"),
    }
    column_searchable_list = ("name",)
    column_filters = ("department", "active")
    column_sortable_list = ("name",)
    column_default_sort = "name"
    column_formatters = {
        "address": lambda view, context, row, name: notify.masked(row.address),
        "department": lambda view, context, row, name: (
            shown(row.department) if row.department else gettext("all departments")
        ),
    }
    form_columns = ("name", "address", "department", "active")
    column_descriptions = {
        "department": lazy_gettext("Empty hears of every department."),
        "active": lazy_gettext("Switched off, it hears nothing but tests."),
    }

    form_extra_fields = {
        "address": AddressField(
            lazy_gettext("Address"),
            validators=[Length(max=channels.LONGEST_ADDRESS)],
            description=lazy_gettext(
                "What the group shows when a robot is added to it, or an address such as "
                "wecombot://key, dingtalk://secret@token, feishu://token or json://host/path. "
                "It is not shown again."
            ),
            render_kw={"autocomplete": "off", "spellcheck": "false"},
        )
    }

    def create_form(self, obj: Any = None) -> Any:
        form: Any = super().create_form(obj)
        form.address.validators = [InputRequired(), *form.address.validators]
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        form.address.description = lazy_gettext("Empty keeps the address, which is not shown.")
        return form

    def _show_differences(self, form: Any, model: Any) -> None:
        """As for every form, but what is stored of the address is not shown beside it."""
        address = form._fields.pop("address")
        super()._show_differences(form, model)
        form._fields["address"] = address

    def add(self, form: Any) -> NoticeChannel:
        channel = channels.add_channel(
            self.session,
            name=form.name.data or "",
            address=_checked(form.address.data),
            department=form.department.data,
        )
        channel.active = form.active.data
        self.session.flush()
        return channel

    def change(self, form: Any, row: NoticeChannel) -> None:
        channels.change_channel(
            self.session,
            row,
            name=form.name.data or "",
            address=_checked(form.address.data),
            department=form.department.data,
            active=form.active.data,
        )

    @expose("/try/<id>/", methods=("POST",))
    def test(self, id: str) -> Response:
        """Have the worker send a test to the channel, and show what becomes of it."""
        channel = self.get_one(id)
        if channel is None:
            flash(gettext("There is no such channel."), "error")
            return redirect(self.get_url(".index_view"))
        notice = channels.send_test(self.session, channel, now=now())
        self.session.commit()
        flash(gettext("The test is on its way. Reload this page to see what became of it."))
        return redirect(url_for("notice.details_view", id=notice.id))


def _checked(text: str | None) -> str:
    """The address in what was typed, empty when nothing was. Raises ValueRefused."""
    address = notify.address_of(text or "")
    if address:
        notify.check(address)
    return address


def views(db: Any) -> list[RedressView]:
    """The notices and the channels."""
    return [
        NoticeView(Notice, db, name=lazy_gettext("Notices")),
        ChannelView(NoticeChannel, db, name=lazy_gettext("Group robots")),
    ]
