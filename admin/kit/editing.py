"""How rows are written: forms, cells of a list, deeds on many rows, and when a row may go.

Every way ends in `add` or `change`, which a view overrides to call its service, and every refusal
is a sentence at the field it is about. A form and a cell carry what they were made from; whoever
saves something older is told what is stored now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import (
    Response,
    abort,
    flash,
    get_flashed_messages,
    has_app_context,
    has_request_context,
    jsonify,
    redirect,
    request,
)
from flask_admin import expose
from flask_admin.actions import action
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import BaseForm
from flask_admin.helpers import get_redirect_target
from flask_babel import gettext, lazy_gettext, ngettext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from wtforms.utils import unset_value

from admin.kit import options
from admin.kit.display import plain
from admin.kit.fields import ChoiceField, Converter, SeenVersionField
from admin.kit.lookup import FOUND_AT_MOST, LONGEST_QUERY
from admin.kit.options import Switch
from admin.kit.page import attempt, tell
from admin.kit.rights import visitor_may_open
from policy.vocabulary.errors import ChangedMeanwhile, DomainError

SEEN_VERSION = "seen_version"
SEEN_VALUE = "seen_value"
ROW_REFUSALS = (DomainError, IntegrityError, StaleDataError)


class WritingView(ModelView):
    """A view of rows that may be created, changed, withdrawn or deleted, as its class says.

    Override `add` and `change` to call the service that does what the form asks, and `withdraw`
    to say what becomes of a row that is deleted while something still points to it.
    """

    can_create: Any = Switch("create_view")
    can_edit: Any = Switch("edit_view")
    can_delete: Any = Switch("delete_view")
    can_view_details: Any = Switch("details_view")
    can_export: Any = Switch("export", said=True)
    offered: ClassVar[dict[str, bool]] = {}

    model_form_converter = Converter
    create_template = "kit/create.html"
    edit_template = "kit/edit.html"
    form_excluded_columns = ("version",)
    export_types = list(options.EXPORTS)
    named_filter_urls = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        options.settle(cls, WritingView)

    @property
    def session(self) -> Any:
        """The database session of this request; before there is one, what Flask-Admin was given."""
        return self._db.session() if has_app_context() else self._db

    @session.setter
    def session(self, db: Any) -> None:
        self._db = db

    # ------------------------------------------------------------ rights and routes

    def create_blueprint(self, admin: Any) -> Any:
        """The routes this view has; one that the class does not offer does not exist."""
        offered: dict[Any, bool] = {
            "create_view": self.can_create,
            "edit_view": self.can_edit,
            "delete_view": self.can_delete,
            "details_view": self.can_view_details,
            "export": self.can_export,
            # private: the public list of deeds makes texts of their words, in no language yet.
            "action_view": any(self.is_action_allowed(name) for name, _words in self._actions),
            "ajax_lookup": bool(self.form_ajax_refs),
            "ajax_update": bool(self.column_editable_list),
        }
        exposed = type(self)._urls  # noqa: SLF001  # private: no public way to leave routes out
        self._urls = [one for one in exposed if offered.get(one[1], True)]
        return super().create_blueprint(admin)

    def is_action_allowed(self, name: str) -> bool:
        """Whether the visitor may do a deed on many rows; deleting is one more right."""
        if not super().is_action_allowed(name):
            return False
        if name == "delete":
            return bool(self.can_delete)
        return not has_request_context() or visitor_may_open(f"{self.endpoint}.action_view")

    def is_editable(self, name: str) -> bool:
        """Whether the visitor may change that column in the list."""
        return name in (self.column_editable_list or ()) and bool(self.can_edit)

    # ------------------------------------------------------------ forms

    def scaffold_form(self) -> Any:
        """The form made from the columns; form_choices makes fields of ours."""
        chosen: dict[str, Any] = {
            name: partial(ChoiceField, offered=words)
            for name, words in (self.form_choices or {}).items()
        }
        self.form_overrides = {**chosen, **(self.form_overrides or {})}
        return super().scaffold_form()

    def get_edit_form(self) -> Any:
        """The class of the edit form; it carries the version of the row where rows have one."""
        form: Any = super().get_edit_form()
        if self.model.__mapper__.version_id_col is None:
            return form
        return type("EditForm", (form,), {SEEN_VERSION: SeenVersionField()})

    def create_form(self, obj: Any = None) -> Any:
        """The form of a new row."""
        return self._dressed(super().create_form(obj))

    def edit_form(self, obj: Any = None) -> Any:
        """The form of a row."""
        form = self._dressed(super().edit_form(obj))
        if SEEN_VERSION in form and request.method == "GET":
            form[SEEN_VERSION].data = str(obj.version)
        return form

    def _dressed(self, form: Any) -> Any:
        """The form with the attributes of form_widget_args on its inputs."""
        for name, attributes in (self.form_widget_args or {}).items():
            if name in form:
                form[name].render_kw = {**(form[name].render_kw or {}), **attributes}
        return form

    def create_model(self, form: Any) -> Any:
        """The new row the form asks for, committed; False when it was refused."""
        row: Any = None
        with attempt(self.session, form, refusals=ROW_REFUSALS, say=self._tell) as tried:
            row = self.add(form)
            self.on_model_change(form, row, True)
        if not tried.done:
            return False
        self.after_model_change(form, row, True)
        return row

    def update_model(self, form: Any, model: Any) -> bool:
        """Do what the form asks and commit; False when it was refused or is out of date."""
        with attempt(self.session, form, refusals=ROW_REFUSALS, say=self._tell) as tried:
            self._check_seen(form, model)
            self.change(form, model)
            self.on_model_change(form, model, False)
        if isinstance(tried.refusal, ChangedMeanwhile | StaleDataError):
            self._show_differences(form, model)
        if tried.done:
            self.after_model_change(form, model, False)
        return tried.done

    def add(self, form: Any) -> Any:
        """The new row, flushed. Override it to call a service."""
        row = self.build_new_instance()
        form.populate_obj(row)
        self.session.add(row)
        self.session.flush()
        return row

    def change(self, form: Any, row: Any) -> None:
        """Change the row and flush. Override it to call a service."""
        form.populate_obj(row)
        self.session.flush()

    def _check_seen(self, form: Any, model: Any) -> None:
        if SEEN_VERSION in form and form[SEEN_VERSION].data != str(model.version):
            raise self._changed_meanwhile(model)

    def _changed_meanwhile(self, row: Any) -> ChangedMeanwhile:
        return ChangedMeanwhile(what=self.model.__tablename__, key=self.called(row))

    def _show_differences(self, form: Any, model: Any) -> None:
        """Put what is stored now beside what was typed; saving again then means it."""
        self.session.refresh(model)
        if SEEN_VERSION in form:
            form[SEEN_VERSION].data = str(model.version)
            form[SEEN_VERSION].raw_data = None
        for field in form:
            stored = getattr(model, field.short_name, field.data)
            if stored != field.data:
                said = plain(stored)
                sentence = gettext(
                    "Stored meanwhile: %(value)s", value="—" if said is None else said
                )
                field.errors = [*field.errors, sentence]

    def called(self, row: Any) -> str:
        """What a row is called in a title and in a sentence about it."""
        return str(row)

    def handle_view_exception(self, exc: Exception) -> bool:
        """Say in words what a service refused; everything else is a failure and goes on."""
        if isinstance(exc, ROW_REFUSALS):
            self._tell(exc, None)
            return True
        return False

    def _tell(self, refusal: Exception, form: Any) -> None:
        if isinstance(refusal, IntegrityError):
            flash(gettext("Such a row exists already, or something else still needs it."), "error")
            return
        if isinstance(refusal, StaleDataError):
            refusal = ChangedMeanwhile(what=self.model.__tablename__, key="")
        assert isinstance(refusal, DomainError)
        tell(refusal, form)

    # ------------------------------------------------------------ cells of the list

    def get_list_form(self) -> type[BaseForm]:
        """The form of the cells that may be changed: their fields of the edit form.

        Raises TypeError for a column the edit form does not ask for.
        """
        asked = self.get_edit_form()
        fields = {name: getattr(asked, name, None) for name in self.column_editable_list or ()}
        missing = [name for name, field in fields.items() if field is None]
        if missing:
            raise TypeError(
                f"{type(self).__name__}.column_editable_list names {', '.join(missing)}, which "
                "the edit form does not ask for; what a cell changes goes through that form."
            )
        return type("ListForm", (self.form_base_class,), fields)

    def seen(self, row: Any, name: str) -> tuple[str, str]:
        """What a cell was made from, as the name and the value of a hidden input."""
        if self.model.__mapper__.version_id_col is not None:
            return SEEN_VERSION, str(row.version)
        stored = repr(plain(getattr(row, name)))
        return SEEN_VALUE, hashlib.sha256(stored.encode()).hexdigest()[:16]

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        """Change one cell of the list, by the field and the service of the edit form.

        `list_form_pk` names the row, as in Flask-Admin. A script gets JSON; a plain form comes
        back to the list, or as the whole form of the row when it was refused.
        """
        if not self.can_edit:
            abort(403)
        row, name = self.get_one(request.form.get("list_form_pk", "")), self._cell()
        if row is None or name is None:
            abort(404)
        form = self._form_of_cell(row, name)
        if self._saved(form, row, name):
            if _by_script():
                return jsonify({})
            flash(gettext("Saved."), "success")
            return redirect(self._list_address())
        if _by_script():
            return self._refused_cell(form, row, name)
        page = {"form": form, "model": row, "return_url": self._list_address()}
        address = self.get_url(".edit_view", id=self.get_pk_value(row), url=page["return_url"])
        return self.render(self.edit_template, form_address=address, **page)

    def _cell(self) -> str | None:
        """The column a request is about; an empty tick is not sent, so the form may name it."""
        said = request.form.get("column")
        names = self.column_editable_list or ()
        if said is not None:
            return said if said in names else None
        return next((n for n in names if n in request.form or f"{n}-words" in request.form), None)

    def _form_of_cell(self, row: Any, name: str) -> Any:
        """The edit form of the row as it is stored, with what was typed into one of its fields."""
        form = self.edit_form(obj=row)
        if name not in form:
            abort(404)
        for field in form:
            if field.short_name not in (name, SEEN_VERSION):
                field.process(None, getattr(row, field.short_name, unset_value))
        self.on_form_prefill(form, self.get_pk_value(row))
        form[name].process(request.form, getattr(row, name, unset_value))
        return form

    def _saved(self, form: Any, row: Any, name: str) -> bool:
        inline = getattr(form, f"validate_{name}", None)
        if not form[name].validate(form, [inline] if inline else ()):
            return False
        seen = request.form.get(SEEN_VALUE)
        if seen is not None and seen != self.seen(row, name)[1]:
            self._tell(self._changed_meanwhile(row), form)
            self._show_differences(form, row)
            return False
        return self.update_model(form, row)

    def _refused_cell(self, form: Any, row: Any, name: str) -> tuple[Response, int]:
        """Why a cell was refused, and what is seen now, so that sending it again means it."""
        said = [*get_flashed_messages(), *form[name].errors]
        seen = self.seen(row, name)[1]
        return jsonify(refused=" ".join(str(one) for one in dict.fromkeys(said)), seen=seen), 409

    def _list_address(self) -> str:
        return str(get_redirect_target() or self.get_url(".index_view"))

    # ------------------------------------------------------------ many rows, and rows that go

    def rows_of(self, ids: Sequence[str]) -> list[Any]:
        """The rows of a deed on many, as far as there are such and the visitor sees them."""
        return [row for one in ids if (row := self.get_one(one)) is not None]

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        """Do a deed on many rows, and commit; one that is refused leaves all as they were."""
        answer: Any = None
        with attempt(self.session, refusals=ROW_REFUSALS, say=self._tell):
            answer = self.handle_action()
        return answer or redirect(self._list_address())

    @action("delete", lazy_gettext("Delete"), lazy_gettext("Delete the selected rows?"))
    def action_delete(self, ids: Sequence[str]) -> None:
        """Delete the rows nothing points to; of the others it is said why they stay."""
        gone = sum(self.delete_model(row) for row in self.rows_of(ids))
        if gone:
            flash(
                ngettext("%(num)s row was deleted.", "%(num)s rows were deleted.", gone), "success"
            )

    def delete_model(self, model: Any) -> bool:
        """Delete a row nothing points to; another one is withdrawn, where its view knows how."""
        name, deleted = self.called(model), False
        with attempt(self.session, refusals=ROW_REFUSALS, say=self._tell) as tried:
            if not self.is_pointed_at(model):
                self.on_model_delete(model)
                self.session.delete(model)
                self.session.flush()
                deleted = True
            elif (withdraw := getattr(self, "withdraw", None)) is not None:
                withdraw(model)
                said = gettext("%(row)s was withdrawn; it stays, as something needs it.", row=name)
                flash(said, "success")
            else:
                flash(gettext("%(row)s stays, as something still needs it.", row=name), "error")
        if not (deleted and tried.done):
            return False
        self.after_model_delete(model)
        return True

    def is_pointed_at(self, row: Any) -> bool:
        """Whether a row of any table points to it; override it for what no key says."""
        table: Any = self.model.__table__
        return any(
            self.session.scalar(sa.select(sa.exists().where(key.parent == _value(row, key.column))))
            for other in table.metadata.tables.values()
            for key in other.foreign_keys
            if key.column.table is table
        )

    # ------------------------------------------------------------ look-ups of its forms

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Response:
        """JSON [[id, words], …] of the rows a loader of form_ajax_refs finds."""
        # private: the loaders Flask-Admin made of form_ajax_refs are kept nowhere else.
        loader = self._form_ajax_refs.get(request.args.get("name", ""))
        if loader is None:
            abort(404)
        typed = request.args.get("query", "").replace("\0", "").strip()[:LONGEST_QUERY]
        rows = loader.get_list(typed, offset=0, limit=FOUND_AT_MOST)
        return jsonify([loader.format(row) for row in rows])


def _value(row: Any, column: Any) -> Any:
    """What a row has in a column of its table."""
    return getattr(row, row.__mapper__.get_property_by_column(column).key)


def _by_script() -> bool:
    """Whether a script asks, which takes JSON and no page."""
    return not request.accept_mimetypes.accept_html
