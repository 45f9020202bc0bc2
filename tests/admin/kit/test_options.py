"""Flask-Admin's options on our lists: each works or is refused with what to do instead."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from flask_admin.actions import action
from flask_admin.contrib.sqla import ModelView
from flask_admin.contrib.sqla.filters import FilterEqual, FilterLike
from flask_admin.model.template import EndpointLinkRowAction, LinkRowAction
from sqlalchemy import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

import models
from admin.kit import rights
from admin.kit.lists import RedressView
from admin.kit.options import REFUSED
from enums import Role
from policy.vocabulary.errors import NotFound

ENGLISH = {"Accept-Language": "en", "Accept": "text/html"}
SCRIPT = {"Accept": "application/json"}


class Base(DeclarativeBase):
    """A base like that of the record, whose tables are not those of the other tests."""

    metadata = sa.MetaData(naming_convention=models.Base.metadata.naming_convention)
    type_annotation_map = models.Base.type_annotation_map


class Maker(Base):
    """Who builds models."""

    __tablename__ = "maker"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80))

    def __str__(self) -> str:
        return self.name


class Car(Base):
    """A model of a maker."""

    __tablename__ = "car"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    size: Mapped[str] = mapped_column(sa.String(1), default="m")
    doors: Mapped[int] = mapped_column(default=5)
    version: Mapped[int] = mapped_column()
    maker_id: Mapped[int] = mapped_column(sa.ForeignKey("maker.id"))
    maker: Mapped[Maker] = relationship()

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.name


@pytest.fixture
def add(app: Flask, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Any:
    """`add(view)`: two makers and three cars, listed by such a view."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        czech, german = Maker(name="Škoda"), Maker(name="Audi")
        cars = (("Octavia", czech), ("A4", german), ("Fabia", czech))
        session.add_all(Car(name=name, maker=maker) for name, maker in cars)
        session.commit()

    def add(view: type[RedressView], model: Any = Car) -> None:
        lines = rights.listed(model.__tablename__, read=rights.EVERYONE, write=rights.ADMINISTRATOR)
        for route, roles in lines.items():
            monkeypatch.setitem(rights.RIGHTS, route, roles)
        app.extensions["admin"][0].add_view(view(model, app.extensions["sqlalchemy"]))

    return add


@pytest.fixture
def admin(client: FlaskClient, log_in: Any) -> Any:
    """`admin()`: an administrator, once the views are there."""

    def admin() -> FlaskClient:
        log_in(Role.administrator)
        return client

    return admin


def page(client: FlaskClient, address: str) -> Any:
    answer = client.get(address, headers=ENGLISH)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def column(shown: Any, number: int = 0) -> list[str]:
    cells = [row.select("td")[number] for row in shown.select("tbody tr")]
    shown_in = [one.select_one(".row-link, summary > span:not(.unseen)") or one for one in cells]
    return [one.get_text(strip=True) for one in shown_in]


# ---------------------------------------------------------------- supported or refused

SUPPORTED = frozenset(
    {
        "action_disallowed_list",
        "can_create",
        "can_delete",
        "can_edit",
        "can_export",
        "can_set_page_size",
        "can_view_details",
        "column_auto_select_related",
        "column_choices",
        "column_default_sort",
        "column_descriptions",
        "column_details_exclude_list",
        "column_details_list",
        "column_display_actions",
        "column_display_pk",
        "column_editable_list",
        "column_exclude_list",
        "column_export_exclude_list",
        "column_export_list",
        "column_extra_row_actions",
        "column_filters",
        "column_formatters",
        "column_formatters_detail",
        "column_formatters_export",
        "column_labels",
        "column_list",
        "column_searchable_list",
        "column_select_related_list",
        "column_sortable_list",
        "create_template",
        "details_template",
        "edit_template",
        "export_types",
        "extra_css",
        "extra_js",
        "form",
        "form_ajax_refs",
        "form_args",
        "form_base_class",
        "form_choices",
        "form_columns",
        "form_excluded_columns",
        "form_extra_fields",
        "form_optional_types",
        "form_overrides",
        "form_widget_args",
        "ignore_hidden",
        "list_template",
        "model_form_converter",
        "page_size",
        "page_size_options",
    }
)


def _options() -> set[str]:
    """The public options of Flask-Admin's ModelView: what is said on a class and is no method."""
    return {
        name
        for name in dir(ModelView)
        if not name.startswith("_")
        and not inspect.isroutine(inspect.getattr_static(ModelView, name))
    }


def test_every_option_of_flask_admin_is_supported_or_refused() -> None:
    assert _options() == SUPPORTED | (_options() & set(REFUSED))
    assert not SUPPORTED & set(REFUSED)


def test_what_is_refused_is_there_to_be_said() -> None:
    assert [name for name in REFUSED if not hasattr(ModelView, name)] == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_option_is_refused_when_the_class_is_made(name: str) -> None:
    with pytest.raises(TypeError, match=rf"CarView\.{name} is not supported: \w+"):
        type("CarView", (RedressView,), {name: "said"})


def test_an_option_that_says_what_is_so_anyway_is_taken() -> None:
    type("CarView", (RedressView,), {"create_modal": False, "named_filter_urls": True})


def test_a_mixin_cannot_say_what_the_class_may_not() -> None:
    mixin = type("Mixin", (), {"edit_modal": True})
    with pytest.raises(TypeError, match="forms are pages"):
        type("CarView", (mixin, RedressView), {})


def test_a_switch_is_said_by_the_class_or_a_mixin_and_inherited() -> None:
    mixin = type("Mixin", (), {"can_edit": True})
    view: Any = type("CarView", (mixin, RedressView), {"can_export": False})
    later: Any = type("LaterView", (view,), {"can_create": True})
    assert (view.can_edit, view.can_create, view.can_export) == (True, False, False)
    assert (later.can_edit, later.can_create, later.can_export) == (True, True, False)
    assert (RedressView.can_edit, RedressView.can_export) == (False, True)


def test_a_switch_that_is_no_yes_or_no_is_refused() -> None:
    with pytest.raises(TypeError, match=r"can_edit is True or False.*admin\.kit\.rights"):
        type("CarView", (RedressView,), {"can_edit": property(lambda view: True)})


def test_options_that_need_each_other_are_refused_alone() -> None:
    with pytest.raises(TypeError, match="column_editable_list needs can_edit"):
        type("CarView", (RedressView,), {"column_editable_list": ("name",)})
    with pytest.raises(TypeError, match="knows csv and xlsx, not pdf"):
        type("CarView", (RedressView,), {"export_types": ["csv", "pdf"]})


def test_a_cell_the_edit_form_does_not_ask_for_is_refused(app: Flask) -> None:
    view = type(
        "CarView",
        (RedressView,),
        {"can_edit": True, "column_editable_list": ("size",), "form_columns": ("name",)},
    )
    with pytest.raises(TypeError, match="names size, which the edit form does not ask for"):
        view(Car, app.extensions["sqlalchemy"])


def test_a_filter_on_another_table_says_how_to_name_it(app: Flask) -> None:
    view = type("CarView", (RedressView,), {"column_filters": (FilterLike(Maker.name, "Maker"),)})
    with pytest.raises(TypeError, match="dotted name"):
        view(Car, app.extensions["sqlalchemy"])


# ---------------------------------------------------------------- reading


class CarView(RedressView):
    """Cars, with most of what Flask-Admin's lists know."""

    can_edit = can_view_details = True
    column_list = ("name", "maker", "maker.name", "size")
    column_searchable_list = ("name", "maker.name")
    column_sortable_list = ("name", ("maker", "maker.name"))
    column_default_sort = ("name", True)
    column_choices = {"size": [("m", "middle"), ("l", "large")]}
    column_filters = ("size", "maker.name", FilterEqual("maker.name", "Maker"))
    column_formatters_detail = {"name": lambda view, context, row, name: f"Model {row.name}"}
    column_details_exclude_list = ["version"]
    column_extra_row_actions = [
        LinkRowAction("search", "/admin/policy/?car={row_id}", "Look up"),
        EndpointLinkRowAction("link", ".index_view", "Same maker", id_arg="flt_maker_name_equal"),
    ]
    column_editable_list = ("name", "maker")
    form_columns = ("name", "maker", "size")
    form_choices = {"size": [("m", "middle"), ("l", "large")]}
    form_widget_args = {"name": {"maxlength": 40}}
    form_args = {"size": {"label": "How large"}}
    form_ajax_refs = {"maker": {"fields": ("name",)}}
    page_size = 2
    page_size_options = (2, 20)


def test_the_list_follows_relations(add: Any, admin: Any) -> None:
    add(CarView)
    client = admin()
    assert column(page(client, "/admin/car/?page_size=20")) == ["Octavia", "Fabia", "A4"]
    shown = page(client, "/admin/car/?sort=maker&page_size=20")
    assert column(shown, 2) == ["Audi", "Škoda", "Škoda"]
    assert column(shown, 3) == ["middle"] * 3
    assert column(page(client, "/admin/car/?search=Audi")) == ["A4"]
    for argument in ("flt_maker_name_contains=udi", "flt_maker_name_equal=Audi", "flt_size_is=l"):
        assert column(page(client, f"/admin/car/?{argument}")) == (
            [] if "size" in argument else ["A4"]
        )


def test_rows_show_what_can_be_done_with_them(add: Any, admin: Any) -> None:
    add(CarView)
    links = page(admin(), "/admin/car/").select("tbody tr")[0].select("a.row-action")
    assert [one.get_text(strip=True) for one in links] == [
        "View Record",
        "Edit Record",
        "Look up",
        "Same maker",
    ]
    assert links[2]["href"] == "/admin/policy/?car=1"


def test_the_size_of_a_page_is_chosen(add: Any, admin: Any) -> None:
    add(CarView)
    client = admin()
    shown = page(client, "/admin/car/")
    sizes = shown.select(".pager-sizes a")
    assert [one.get_text() for one in sizes] == ["2", "20"]
    assert len(column(shown)) == 2
    assert len(column(page(client, sizes[1]["href"]))) == 3


def test_the_page_of_a_row_has_its_own_formatters(add: Any, admin: Any) -> None:
    add(CarView)
    facts = page(admin(), "/admin/car/details/?id=1").select_one(".facts").get_text()
    assert "Model Octavia" in facts
    assert "version" not in facts.lower()


# ---------------------------------------------------------------- writing


def test_a_form_takes_the_options_of_its_fields(add: Any, admin: Any) -> None:
    add(CarView)
    form = page(admin(), "/admin/car/edit/?id=1").select_one("form.form")
    assert form.select_one("#name")["maxlength"] == "40"
    assert form.select_one("label[for=size]").get_text(strip=True).startswith("How large")
    assert [one.get_text() for one in form.select("#size option")] == ["middle", "large"]


def test_a_key_is_looked_up_by_a_loader_of_flask_admin(
    add: Any, admin: Any, engine: Engine
) -> None:
    add(CarView)
    client = admin()
    form = page(client, "/admin/car/edit/?id=2").select_one("form.form")
    box = form.select_one("input[data-lookup]")
    assert box["value"] == "Audi"
    assert client.get(f"{box['data-lookup']}&query=ko").get_json() == [[1, "Škoda"]]
    assert client.get("/admin/car/ajax/lookup/?name=other").status_code == 404
    sent = {one["name"]: one.get("value", "") for one in form.select("input[name]")}
    sent |= {"size": "l", "maker-words": "Škoda"}
    assert client.post("/admin/car/edit/?id=2", data=sent).status_code == 302
    with Session(engine) as session:
        assert session.get_one(Car, 2).maker.name == "Škoda"
    again = client.post("/admin/car/edit/?id=2", data=sent | {"maker-words": "Nobody"})
    assert again.status_code == 200


def _cell(client: FlaskClient, pk: int, name: str) -> dict[str, str]:
    row = page(client, "/admin/car/?page_size=20").select_one(f"tr[data-row-key='{pk}']")
    form = next(
        f for f in row.select(".cell-form") if f.select_one("[name=column]")["value"] == name
    )
    return {one["name"]: one.get("value", "") for one in form.select("input[name]")}


def test_a_cell_of_a_row_with_a_version_compares_the_version(
    add: Any, admin: Any, engine: Engine
) -> None:
    add(CarView)
    client = admin()
    sent = _cell(client, 1, "maker") | {"maker": "2", "maker-words": "Audi"}
    with Session(engine) as session:
        session.get_one(Car, 1).name = "Octavia RS"
        session.commit()
    answer = client.post("/admin/car/ajax/update/", data=sent, headers=SCRIPT)
    assert answer.status_code == 409
    sent |= {"seen_version": answer.get_json()["seen"]}
    answer = client.post("/admin/car/ajax/update/", data=sent, headers=SCRIPT)
    assert answer.status_code == 200
    with Session(engine) as session:
        car = session.get_one(Car, 1)
        assert (car.name, car.maker.name) == ("Octavia RS", "Audi")


def test_a_cell_that_is_not_offered_is_not_found(add: Any, admin: Any, csrf: Any) -> None:
    add(CarView)
    client = admin()
    token = {"csrf_token": csrf(), "list_form_pk": "1"}
    for said in ({"column": "size"}, {"size": "l"}, {"name": "X", "list_form_pk": "99"}):
        assert client.post("/admin/car/ajax/update/", data=token | said).status_code == 404


class MakerView(RedressView):
    """Makers, which are deleted while no car is theirs."""

    can_delete = True

    @action("rename", "Rename")
    def rename(self, ids: list[str]) -> None:
        for row in self.rows_of(ids):
            row.name = row.name.upper()
        if len(ids) > 1:
            raise NotFound(what="maker", key="all")


def _messages(text: str) -> str:
    shown: Any = BeautifulSoup(text, "html.parser").select_one(".messages")
    return str(shown.get_text(" ", strip=True))


def test_a_row_that_is_pointed_at_stays_with_a_sentence(
    add: Any, admin: Any, csrf: Any, engine: Engine
) -> None:
    with Session(engine) as session:
        session.add(Maker(id=9, name="Wanderer"))
        session.commit()
    add(MakerView, Maker)
    client = admin()
    sent = {"csrf_token": csrf()}
    answer = client.post(
        "/admin/maker/delete/", data=sent | {"id": "1"}, headers=ENGLISH, follow_redirects=True
    )
    assert "Škoda stays" in _messages(answer.text)
    sent |= {"action": "delete", "rowid": ["9", "1", "2"]}
    answer = client.post("/admin/maker/action/", data=sent, headers=ENGLISH, follow_redirects=True)
    assert "1 row was deleted." in answer.text
    with Session(engine) as session:
        assert set(session.scalars(sa.select(Maker.name))) == {"Škoda", "Audi"}


def test_a_view_that_can_withdraw_does_where_it_cannot_delete(
    add: Any, admin: Any, csrf: Any, engine: Engine
) -> None:
    def withdraw(self: Any, row: Maker) -> None:
        row.name = f"({row.name})"

    add(type("WithdrawingView", (MakerView,), {"withdraw": withdraw}), Maker)
    sent = {"csrf_token": csrf(), "id": "1"}
    answer = admin().post("/admin/maker/delete/", data=sent, headers=ENGLISH, follow_redirects=True)
    assert "was withdrawn" in answer.text
    with Session(engine) as session:
        assert session.get_one(Maker, 1).name == "(Škoda)"


def test_a_deed_on_many_rows_that_is_refused_leaves_all_as_they_were(
    add: Any, admin: Any, csrf: Any, engine: Engine
) -> None:
    add(MakerView, Maker)
    client = admin()
    sent = {"csrf_token": csrf(), "action": "rename", "rowid": ["1", "2"]}
    assert client.post("/admin/maker/action/", data=sent).status_code == 302
    with Session(engine) as session:
        assert set(session.scalars(sa.select(Maker.name))) == {"Škoda", "Audi"}
    client.post("/admin/maker/action/", data=sent | {"rowid": ["1"]})
    with Session(engine) as session:
        assert session.get_one(Maker, 1).name == "ŠKODA"


# ---------------------------------------------------------------- Flask-Admin's own view


class PlainView(ModelView):
    """A view of Flask-Admin itself."""

    column_filters = ("name",)
    column_searchable_list = ("name",)


def test_a_plain_view_of_flask_admin_shows_its_own_page_in_our_frame(
    app: Flask, add: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for route, roles in rights.listed("maker", read=rights.OFFICE, write=rights.OFFICE).items():
        monkeypatch.setitem(rights.RIGHTS, route, roles)
    app.extensions["admin"][0].add_view(PlainView(Maker, app.extensions["sqlalchemy"]))
    client = admin()
    shown = page(client, "/admin/maker/")
    assert shown.select_one("nav.menu") is not None
    assert [one.get_text(strip=True) for one in shown.select(".model-list td.col-name")] == [
        "Škoda",
        "Audi",
    ]
    found = page(client, "/admin/maker/?flt0_0=Audi")
    assert len(found.select(".model-list td.col-name")) == 1
    form = page(client, "/admin/maker/new/").select_one("form.admin-form")
    assert form.select_one("[name=csrf_token]") is not None
    for one in shown.select("script[src], link[rel=stylesheet]"):
        with client.get(one.get("src") or one["href"]) as answer:
            assert answer.status_code == 200
    assert not [one for one in shown.select("form, button") if one.has_attr("onclick")]


def test_a_plain_view_without_a_line_in_the_rights_opens_for_nobody(
    app: Flask, add: Any, admin: Any
) -> None:
    app.extensions["admin"][0].add_view(PlainView(Maker, app.extensions["sqlalchemy"]))
    assert admin().get("/admin/maker/").status_code == 403
