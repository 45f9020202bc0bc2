"""What every page and every list of the back office has in common.

`RedressView` is Flask-Admin's ModelView without what makes it slow or wrong on a table that
grows: ids are found first and only one page of rows is read, counts stop at COUNTED_AT_MOST, a
sort always ends with the primary key, a search runs once, an export streams, a link that is not
true any more is answered with a sentence, and a form that is out of date is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import (
    flash,
    has_app_context,
    redirect,
    request,
)
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import BaseForm
from flask_admin.model.base import ViewArgs
from flask_babel import gettext
from jinja2 import pass_context
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, joinedload
from sqlalchemy.orm.exc import StaleDataError

from admin.kit import tables
from admin.kit.display import plain, shown
from admin.kit.fields import Converter, SeenVersionField
from admin.kit.filters import Filter, RowIs, contains, filters_of
from admin.kit.lookup import LARGEST_ID
from admin.kit.page import MenuPlace, attempt, tell
from admin.kit.rights import visitor_may_open
from files.tables_out import ColumnFormat, OutputTab
from models import Money, UtcDateTime
from policy.vocabulary.errors import ChangedMeanwhile, DomainError

COUNTED_AT_MOST = 10_000
XLSX_ROWS_AT_MOST = 20_000
EXPORT_BATCH = 1_000
LAST_PAGE = 1_000_000
LONGEST_SEARCH = 100
SEEN_VERSION = "seen_version"
ROW_REFUSALS = (DomainError, IntegrityError, StaleDataError)


class RedressView(MenuPlace, ModelView):
    """A list of rows of one table, with forms for those who may write.

    Say `creates`, `edits`, `details` or `exports` on the class for the routes there are;
    admin/kit/rights.py says for whom. Override `visible` to show somebody only his own rows, and
    `add` and `change` to call the service that does what the form asks.
    """

    creates: ClassVar[bool] = False
    edits: ClassVar[bool] = False
    details: ClassVar[bool] = False
    exports: ClassVar[bool] = True
    lead: ClassVar[Any] = None
    empty_text: ClassVar[Any] = None

    can_delete = False
    can_set_page_size = True
    page_size = 50
    page_size_options = (20, 50, 100, 200)
    export_types = ["csv", "xlsx"]
    named_filter_urls = True
    column_display_pk = False
    column_display_actions = False
    model_form_converter = Converter
    list_template = "kit/list.html"
    create_template = "kit/create.html"
    edit_template = "kit/edit.html"
    details_template = "kit/details.html"
    form_excluded_columns = ("version",)

    def __init__(self, model: type[Any], db: Any, **options: Any) -> None:
        options.setdefault("endpoint", model.__tablename__)
        super().__init__(model, db, **options)

    @property
    def session(self) -> Any:
        """The database session of this request; before there is one, what Flask-Admin was given."""
        return self._db.session() if has_app_context() else self._db

    @session.setter
    def session(self, db: Any) -> None:
        self._db = db

    # ------------------------------------------------------------ rights and routes

    @property
    def can_create(self) -> bool:  # type: ignore[override]  # asked anew for every visitor
        return self.creates and visitor_may_open(f"{self.endpoint}.create_view")

    @property
    def can_edit(self) -> bool:  # type: ignore[override]
        return self.edits and visitor_may_open(f"{self.endpoint}.edit_view")

    @property
    def can_view_details(self) -> bool:  # type: ignore[override]
        return self.details

    @property
    def can_export(self) -> bool:  # type: ignore[override]
        return self.exports and visitor_may_open(f"{self.endpoint}.export")

    def is_accessible(self) -> bool:
        return visitor_may_open(f"{self.endpoint}.index_view")

    def create_blueprint(self, admin: Any) -> Any:
        """The routes this view has; one that it does not offer does not exist."""
        offered = {
            "create_view": self.creates,
            "edit_view": self.edits,
            "details_view": self.details,
            "export": self.exports,
            "action_view": bool(self._offered_actions()),
            "delete_view": False,
            "ajax_lookup": False,
            "ajax_update": False,
        }
        self._urls = [one for one in type(self)._urls if offered.get(one[1], True)]  # noqa: SLF001  # no public way to leave routes out
        return super().create_blueprint(admin)

    def _offered_actions(self) -> list[str]:
        return [name for name, _words in self._actions if name != "delete"]

    def is_action_allowed(self, name: str) -> bool:
        """Rows are never deleted in bulk; other deeds ask the rights of the route."""
        return name != "delete" and visitor_may_open(f"{self.endpoint}.action_view")

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin calls a view a second time when it raises TypeError, which hides the error.
        return fn(self, *args, **kwargs)

    # ------------------------------------------------------------ what the address says

    def get_filter_arg(self, index: int, flt: Any) -> str:
        return str(flt.argument)

    def scaffold_filters(self, name: Any) -> list[Filter]:
        column = self.model.__mapper__.columns.get(name)
        words = self.column_labels.get(name, name)
        if column is None:
            return [self._row_filter(name, words)]
        return filters_of(getattr(self.model, name), words, key=name)

    def _row_filter(self, name: str, words: Any) -> Filter:
        """A filter by a row of a small table the model points to, such as the department."""
        relation = self.model.__mapper__.relationships[name]
        (local,) = relation.local_columns
        target = relation.mapper.class_

        def choices() -> list[tuple[str, str]]:
            rows = self.session.scalars(sa.select(target))
            return sorted(((str(row.id), str(row)) for row in rows), key=lambda one: one[1])

        return RowIs(getattr(self.model, local.key), words, key=name, choices=choices)

    def _refresh_filters_cache(self) -> None:
        self._filters = self.get_filters() or []
        self._filter_groups = None
        self._filter_args = {flt.argument: (i, flt) for i, flt in enumerate(self._filters)}

    def _get_list_filter_args(self) -> list[tuple[int, str, str]]:
        """The filters of the address; one that is not known any more is left out with a word."""
        found = []
        for argument, text in request.args.items():
            if not argument.startswith("flt") or not text.strip():
                continue
            known = self._filter_args.get(argument.partition("_")[2])
            if known is None or not known[1].validate(text):
                flash(gettext("A filter of this link is not known any more and was left out."))
                continue
            found.append((known[0], str(known[1].name), text))
        return found

    def _get_filters(self, filters: Any) -> dict[str, str]:
        return {f"flt_{self._filters[i].argument}": text for i, _name, text in filters or ()}

    def _get_list_extra_args(self) -> ViewArgs:
        """Page, sort, search and filters of the address, whatever somebody made of it."""
        page = request.args.get("page", 0, type=int)
        return ViewArgs(
            page=min(max(page, 0), LAST_PAGE),
            page_size=request.args.get("page_size", 0, type=int),
            sort=self._sort_of_address(),  # type: ignore[arg-type]  # a column's name
            sort_desc=1 if request.args.get("desc") == "1" else 0,
            search=request.args.get("search", "").replace("\0", "").strip()[:LONGEST_SEARCH],
            filters=self._get_list_filter_args(),
        )

    def _sort_of_address(self) -> str | None:
        name = request.args.get("sort")
        if name and name not in self._sortable_columns:
            flash(gettext("The list cannot be sorted by what this link says."))
            return None
        return name or None

    def _get_column_by_idx(self, idx: Any) -> tuple[Any, str] | None:
        return None if idx is None else (idx, "")

    # ------------------------------------------------------------ reading

    def visible(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """`statement` narrowed to the rows the visitor may see; by default all of them."""
        return statement

    def get_one(self, id: Any) -> Any | None:
        """The row of that id, when there is one and the visitor may see it."""
        text = str(id)
        if not (text.isascii() and text.isdecimal()) or int(text) > LARGEST_ID:
            return None
        return self.session.scalar(self.visible(self._rows()).where(self._pk == int(text)))

    def get_list(  # type: ignore[override]  # noqa: PLR0917  # the arguments of Flask-Admin
        self,
        page: int | None,
        sort_column: Any,
        sort_desc: bool,  # noqa: FBT001  # Flask-Admin's
        search: str | None,
        filters: Any,
        execute: bool = True,  # noqa: FBT001, FBT002  # Flask-Admin's
        page_size: int | None = None,
    ) -> tuple[int, list[Any]]:
        """The count, at most COUNTED_AT_MOST + 1, and the rows of one page."""
        found = self._found(search, filters)
        capped = found.limit(COUNTED_AT_MOST + 1).subquery()
        count = self.session.scalar(sa.select(sa.func.count()).select_from(capped)) or 0
        size = page_size or self.page_size
        page = page or 0
        if page and count <= COUNTED_AT_MOST and page * size >= count:
            flash(gettext("The list has become shorter; this is its first page."))
            page = 0
        ordered = found.order_by(*self._order(sort_column, sort_desc=sort_desc))
        ids = list(self.session.scalars(ordered.limit(size + 1).offset(page * size)))
        self._template_args.update(page=page, more=len(ids) > size, capped=count > COUNTED_AT_MOST)
        return count, self._in_order(ids[:size])

    @property
    def _pk(self) -> InstrumentedAttribute[int]:
        return getattr(self.model, self._primary_key)  # type: ignore[no-any-return]

    def _rows(self) -> sa.Select[Any]:
        return sa.select(self.model).options(*(joinedload(path) for path in self._auto_joins))

    def _in_order(self, ids: Sequence[int]) -> list[Any]:
        rows = self.session.scalars(self._rows().where(self._pk.in_(ids))).unique()
        known = {getattr(row, self._primary_key): row for row in rows}
        return [known[id_] for id_ in ids if id_ in known]

    def _found(self, search: str | None, filters: Any) -> sa.Select[Any]:
        """The ids that search and filters leave, in no order."""
        statement = self.visible(sa.select(self._pk))
        for word in (search or "").split() if self._search_supported else ():
            statement = statement.where(self.matches(word))
        for index, _name, text in filters or ():
            wanted = self._filters[index]
            statement = wanted.apply(statement, wanted.clean(text))
        return statement

    def matches(self, word: str) -> sa.ColumnElement[bool]:
        """The condition of a word of a search, on the columns named in column_searchable_list."""
        return sa.or_(*(contains(field, word) for field, _path in self._search_fields))

    def _order(self, sort_column: Any, *, sort_desc: bool) -> list[Any]:
        """The columns to sort by; the primary key comes last, so no row is on two pages."""
        wanted = [(sort_column, sort_desc)] if sort_column else self._get_default_sort()
        columns = [(self._sortable_column(name), desc) for name, desc in wanted]
        order = [
            column.desc().nulls_last() if desc else column.asc().nulls_last()
            for column, desc in columns
        ]
        descends = bool(wanted) and wanted[0][1]
        return [*order, self._pk.desc() if descends else self._pk.asc()]

    def _get_default_sort(self) -> list[tuple[Any, bool]]:
        said = self.column_default_sort or []
        if isinstance(said, str):
            return [(said, False)]
        return [said] if isinstance(said, tuple) else list(said)

    def _sortable_column(self, name: str) -> Any:
        return self._sortable_columns.get(name, getattr(self.model, name, self._pk))

    # ------------------------------------------------------------ showing

    @pass_context
    def get_list_value(self, context: Any, model: Any, name: str) -> Markup:
        """A cell: the formatter of its column, else what suits the value."""
        formatter = self.column_formatters.get(name)
        if formatter is not None:
            return shown(formatter(self, context, model, name))
        return shown(self._get_field_value(model, name))

    get_detail_value = get_list_value

    def called(self, row: Any) -> str:
        """What a row is called in a title and in a sentence about it."""
        return str(row)

    def row_url(self, row: Any) -> str | None:
        """Where a click on a row leads: its page, else its form, else nowhere."""
        if self.details:
            return str(self.get_url(".details_view", id=self.get_pk_value(row)))
        if self.can_edit:
            return str(self.get_url(".edit_view", id=self.get_pk_value(row), url=request.full_path))
        return None

    def align(self, name: str) -> str:
        """`num` for a column whose digits stand below each other, else nothing."""
        column = self.model.__mapper__.columns.get(name)
        return "num" if column is not None and isinstance(column.type, Money | sa.Integer) else ""

    def filter_bar(self) -> list[dict[str, Any]]:
        """The filters by column, for the form: label, and each filter with what is set now."""
        set_now = self._get_filters(self._get_list_filter_args_quietly())
        bar: dict[str, dict[str, Any]] = {}
        for flt in self._filters:
            column = bar.setdefault(flt.key, {"label": flt.name, "filters": []})
            name = f"flt_{flt.argument}"
            column["filters"].append({"filter": flt, "name": name, "value": set_now.get(name, "")})
        return list(bar.values())

    def _get_list_filter_args_quietly(self) -> list[tuple[int, str, str]]:
        known = (
            (self._filter_args.get(argument.partition("_")[2]), text)
            for argument, text in request.args.items()
            if argument.startswith("flt") and text.strip()
        )
        return [(one[0], "", text) for one, text in known if one and one[1].validate(text)]

    def applied_filters(self, active: Any) -> list[dict[str, str]]:
        """Each filter that is set, in words, with the address of the list without it."""
        chips = []
        for index, _name, text in active or ():
            flt = self._filters[index]
            rest = request.args.to_dict()
            rest = {k: v for k, v in rest.items() if k.partition("_")[2] != flt.argument}
            rest.pop("page", None)
            chips.append(
                {
                    "words": f"{flt.name} {flt.operation()} {flt.said(text)}",
                    "url": self.get_url(".index_view", **_addressable(rest)),
                }
            )
        return chips

    # ------------------------------------------------------------ exporting

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        """The rows of the list as it is filtered and sorted: CSV streams, XLSX comes whole."""
        arguments = self._get_list_extra_args()
        order = self._order(arguments.sort, sort_desc=arguments.sort_desc)
        statement = self._found(arguments.search, arguments.filters).order_by(*order)
        header = [str(words) for _name, words in self._export_columns]
        if export_type == "csv":
            return tables.send_csv(self.endpoint, header, self._exported(statement))
        if export_type == "xlsx":
            return self._send_xlsx(header, statement, arguments)
        flash(gettext("There is no such kind of file."), "error")
        return redirect(self.get_url(".index_view"))

    def _send_xlsx(self, header: list[str], statement: sa.Select[Any], arguments: ViewArgs) -> Any:
        probe = statement.order_by(None).limit(XLSX_ROWS_AT_MOST + 1).subquery()
        count = self.session.scalar(sa.select(sa.func.count()).select_from(probe)) or 0
        if count > XLSX_ROWS_AT_MOST:
            sentence = gettext(
                "A workbook takes at most %(rows)s rows. Filter the list, or take CSV.",
                rows=XLSX_ROWS_AT_MOST,
            )
            flash(sentence, "error")
            return redirect(self._get_list_url(arguments))
        formats = [self._column_format(name) for name, _words in self._export_columns]
        tab = OutputTab(str(self.name), header, self._exported(statement), formats=formats)
        return tables.send_xlsx(self.endpoint, tab)

    def _column_format(self, name: str) -> ColumnFormat:
        column = self.model.__mapper__.columns.get(name)
        kind = None if column is None else column.type
        kinds: tuple[tuple[Any, ColumnFormat], ...] = (
            (UtcDateTime, "datetime"),
            (Money, "money"),
            (sa.Date, "date"),
            (sa.Integer, "int"),
        )
        return next((word for one, word in kinds if isinstance(kind, one)), "text")

    def _exported(self, statement: sa.Select[Any]) -> Iterator[list[Any]]:
        """The rows of the export in batches, so that memory does not grow with the table."""
        ids = list(self.session.scalars(statement))
        for begin in range(0, len(ids), EXPORT_BATCH):
            for row in self._in_order(ids[begin : begin + EXPORT_BATCH]):
                yield [self.get_export_value(row, name) for name, _words in self._export_columns]
            self.session.expunge_all()

    def get_export_value(self, model: Any, name: Any) -> Any:
        formatter = (self.column_formatters_export or {}).get(name)
        if formatter is not None:
            return plain(formatter(self, None, model, name))
        return plain(self._get_field_value(model, name))

    # ------------------------------------------------------------ writing

    def get_edit_form(self) -> type[BaseForm]:
        form: type[BaseForm] = super().get_edit_form()
        if self.model.__mapper__.version_id_col is None:
            return form
        return type("EditForm", (form,), {SEEN_VERSION: SeenVersionField()})

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if SEEN_VERSION in form and request.method == "GET":
            form[SEEN_VERSION].data = str(obj.version)
        return form

    def create_model(self, form: Any) -> Any:
        """The new row the form asks for, committed; False when it was refused."""
        row: Any = None
        with attempt(self.session, form, refusals=ROW_REFUSALS, say=self._tell) as tried:
            row = self.add(form)
        return row if tried.done else False

    def update_model(self, form: Any, model: Any) -> bool:
        """Do what the form asks and commit; False when it was refused or is out of date."""
        with attempt(self.session, form, refusals=ROW_REFUSALS, say=self._tell) as tried:
            self._check_seen(form, model)
            self.change(form, model)
        if isinstance(tried.refusal, ChangedMeanwhile | StaleDataError):
            self._show_differences(form, model)
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
            raise ChangedMeanwhile(what=self.model.__tablename__, key=self.called(model))

    def _show_differences(self, form: Any, model: Any) -> None:
        """Put what is stored now beside what was typed; saving again then means it."""
        self.session.refresh(model)
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


def _addressable(arguments: Mapping[str, str]) -> dict[str, str]:
    """Arguments of an address that mean nothing to the maker of addresses."""
    known = ("sort", "desc", "search", "page_size", "columns")
    return {k: v for k, v in arguments.items() if k in known or k.startswith("flt")}
