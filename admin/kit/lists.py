"""What every list of the back office shares, in Flask-Admin's own options.

`RedressView` is Flask-Admin's ModelView without what makes it slow or wrong on a table that
grows: ids are found first and only one page of rows is read, counts stop at COUNTED_AT_MOST, a
sort always ends with the primary key, a search runs once, an export streams, and a link that is
not true any more is answered with a sentence. How rows are written stands in admin.kit.editing,
which options are refused in admin.kit.options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.contrib.sqla import tools as paths
from flask_admin.tools import rec_getattr
from flask_babel import gettext
from jinja2 import pass_context
from markupsafe import Markup
from sqlalchemy.orm import aliased, joinedload

from admin.kit import tables
from admin.kit.display import plain, shown
from admin.kit.editing import WritingView
from admin.kit.filters import (
    ActiveFilter,
    Filter,
    FlaskAdminFilter,
    ListAddress,
    OneOf,
    RowIs,
    along,
    contains,
    filters_of,
    through,
)
from admin.kit.lookup import LARGEST_ID
from admin.kit.page import MenuPlace
from admin.kit.rights import visitor_may_open
from files.tables_out import ColumnFormat, OutputTab
from models import Money

COUNTED_AT_MOST = 10_000
XLSX_ROWS_AT_MOST = 20_000
EXPORT_BATCH = 1_000
LAST_PAGE = 1_000_000
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class RowsPage:
    """One page of a list: its rows, and how many there are, at most COUNTED_AT_MOST + 1."""

    rows: list[Any]
    number: int
    count: int
    more: bool

    @property
    def capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self.count > COUNTED_AT_MOST


class RedressView(MenuPlace, WritingView):
    """A list of rows of one table, with forms for those who may write.

    Say what is offered with Flask-Admin's own options; at first that is reading and exporting.
    admin.kit.rights says for whom. Override `visible` to show somebody only rows of their own.
    """

    lead: ClassVar[Any] = None
    empty_text: ClassVar[Any] = None

    can_set_page_size = True
    page_size = 50
    page_size_options: tuple[int, ...] = (20, 50, 100, 200)
    column_display_pk = False
    column_formatters: Any = {}
    column_formatters_export: Any = None
    column_display_actions: Any = None
    """Whether rows show their deeds; None shows them where a click on the row does not do."""
    list_template = "kit/list.html"
    details_template = "kit/details.html"

    def __init__(self, model: type[Any], db: Any, **options: Any) -> None:
        options.setdefault("endpoint", model.__tablename__)
        keys = model.__mapper__.primary_key
        if len(keys) != 1 or not isinstance(keys[0].type, sa.Integer):
            raise TypeError(f"{model.__name__} needs one whole number as its key to be listed")
        super().__init__(model, db, **options)

    def is_accessible(self) -> bool:
        """Whether the visitor opens the list; its other routes are guarded by themselves."""
        return visitor_may_open(f"{self.endpoint}.index_view")

    # ------------------------------------------------------------ the page of the list

    @expose("/")
    def index_view(self) -> Any:
        """One page of the list, as its address asks for it."""
        asked = self.address()
        found = self.find_page(asked)
        return self.render(
            self.list_template,
            **self._of_rows(found.rows),
            **self._of_pages(asked, found),
            **self._of_address(asked),
        )

    def _of_rows(self, rows: list[Any]) -> dict[str, Any]:
        """What the template needs to show the rows and what may be done with them."""
        deeds, questions = self.get_actions_list()
        editable = [name for name in self.column_editable_list or () if self.is_editable(name)]
        return {
            "data": rows,
            "list_columns": self.get_list_columns(),
            "get_pk_value": self.get_pk_value,
            "get_value": self.get_list_value,
            "editable_columns": editable,
            "list_forms": {self.get_pk_value(r): self.list_form(obj=r) for r in rows if editable},
            "list_row_actions": self.get_list_row_actions() if self.shows_row_actions else (),
            "delete_form": self.delete_form() if self.can_delete else None,
            "actions": deeds,
            "actions_confirmation": questions,
        }

    def _of_pages(self, asked: ListAddress, found: RowsPage) -> dict[str, Any]:
        """What the template needs to lead to other pages."""
        size = self.get_safe_page_size(asked.page_size)
        return {
            "page": found.number,
            "page_size": size,
            "count": found.count,
            "capped": found.capped,
            "more": found.more,
            "num_pages": ceil(found.count / size),
            "pager_url": lambda number: self._url(asked, page=number or None),
            "page_size_url": lambda size: self._url(asked, page=None, page_size=size),
        }

    def _of_address(self, asked: ListAddress) -> dict[str, Any]:
        """What the template needs to change what is asked for."""

        def sort_url(column: str, invert: bool = False) -> str:  # noqa: FBT001, FBT002  # Flask-Admin's
            descends = invert and not asked.descending
            return self._url(asked, sort=column, desc=1 if descends else None)

        kept = {"page": None, "search": None, **dict.fromkeys(asked.filter_arguments)}
        return {
            "sort_column": asked.sort,
            "sort_desc": asked.descending,
            "sort_url": sort_url,
            "search": asked.search,
            "search_supported": bool(self.column_searchable_list),
            "search_placeholder": self.search_placeholder(),
            "filter_bar": self.filter_bar(asked.filters),
            "applied": self._applied(asked),
            "active_filters": asked.filters,
            "filter_args": asked.filter_arguments,
            "clear_search_url": self._url(asked, **kept),
            "return_url": self._url(asked),
        }

    def _url(self, asked: ListAddress, **changed: Any) -> str:
        return str(self.get_url(".index_view", **asked.arguments(**changed)))

    @property
    def shows_row_actions(self) -> bool:
        """Whether the rows show their deeds."""
        if self.column_display_actions is None:
            return bool(self.column_extra_row_actions or self.can_delete)
        return bool(self.column_display_actions)

    # ------------------------------------------------------------ what the address says

    def address(self) -> ListAddress:
        """Page, sort, search and filters of the address, whatever somebody made of it."""
        page = request.args.get("page", 0, type=int)
        size = request.args.get("page_size", 0, type=int)
        return ListAddress(
            page=min(max(page, 0), LAST_PAGE),
            page_size=size if size in self.page_size_options else 0,
            sort=self._sort_of_address(),
            descending=request.args.get("desc") == "1",
            search=request.args.get("search", "").replace("\0", "").strip()[:LONGEST_SEARCH]
            or None,
            filters=tuple(self._filters_of_address()),
            more=self.kept_in_address(),
        )

    def kept_in_address(self) -> dict[str, str]:
        """What else of the address stays in the links of the list; by default nothing."""
        return {}

    def _sort_of_address(self) -> str | None:
        name = request.args.get("sort")
        if name and name not in self.sorts:
            flash(gettext("The list cannot be sorted by what this link says."))
            return None
        return name or None

    def _filters_of_address(self) -> Iterator[ActiveFilter]:
        """The filters of the address; one that is not known any more is left out with a word."""
        known = {flt.argument: flt for flt in self.filters_now()}
        for argument, text in request.args.items():
            if not argument.startswith("flt") or not text.strip():
                continue
            flt = known.get(argument.partition("_")[2])
            if flt is None or not flt.validate(text):
                flash(gettext("A filter of this link is not known any more and was left out."))
                continue
            yield flt, text

    # ------------------------------------------------------------ filters

    def get_filter_arg(self, index: int, flt: Any) -> str:
        """The name of a filter in an address."""
        return str(flt.argument)

    def get_filters(self) -> list[Any]:
        """The filters of column_filters; override it to add some."""
        return list(super().get_filters() or ())

    def filters_now(self) -> list[Filter]:
        """The filters of this request; a view may add what is known only now."""
        return self._filters_of_class

    @cached_property
    def _filters_of_class(self) -> list[Filter]:
        return [self.handle_filter(flt) for flt in self.get_filters()]

    def handle_filter(self, filter: Any) -> Filter:
        """A filter as our lists know it; one of Flask-Admin gets a name for the address."""
        if isinstance(filter, Filter):
            return filter
        return FlaskAdminFilter(super().handle_filter(filter), self)

    def scaffold_filters(self, name: Any) -> list[Any]:
        """The filters that suit a column, or a relation, or a column behind relations."""
        attribute, path = paths.get_field_with_path(self.model, name)
        key = name if isinstance(name, str) else attribute.key
        words = self.column_labels.get(key, key)
        if choices := (self.column_choices or {}).get(key):
            return [OneOf(attribute, words, key=key, choices=lambda: list(choices))]
        if paths.is_relationship(attribute):
            return [self._row_filter(key, words)]
        return filters_of(attribute, words, key=key.replace(".", "_"), path=path)

    def _row_filter(self, name: str, words: Any) -> Filter:
        """A filter by a row of a small table the model points to, such as the department."""
        relation = self.model.__mapper__.relationships[name]
        (local,) = relation.local_columns
        target = relation.mapper.class_

        column = getattr(self.model, str(local.key))

        def choices() -> list[tuple[str, str]]:
            rows = self.session.scalars(self._pointed_at(aliased(target), column))
            return sorted(((str(row.id), str(row)) for row in rows), key=lambda one: one[1])

        return RowIs(column, words, key=name, choices=choices)

    def _pointed_at(self, target: Any, column: Any) -> sa.Select[Any]:
        """The rows of a small table that a filter offers.

        Who sees a part of a list is offered what that part points to: names tell, too.
        """
        every = sa.select(self.model)
        seen = self.visible(every)
        if seen is every:
            return sa.select(target)
        return sa.select(target).where(seen.where(column == target.id).correlate(target).exists())

    def filter_bar(self, active: Sequence[ActiveFilter]) -> list[dict[str, Any]]:
        """The filters by column, for the form: label, and each filter with what is set now."""
        set_now = {flt.argument: text for flt, text in active}
        bar: dict[str, dict[str, Any]] = {}
        for flt in self.filters_now():
            column = bar.setdefault(flt.key, {"label": flt.label, "filters": []})
            value = set_now.get(flt.argument, "")
            column["filters"].append({"filter": flt, "name": f"flt_{flt.argument}", "value": value})
        return list(bar.values())

    def _applied(self, asked: ListAddress) -> list[dict[str, str]]:
        """Each filter that is set, in words, with the address of the list without it."""
        return [
            {
                "words": f"{flt.label} {flt.operation()} {flt.said(text)}",
                "url": self._url(asked, page=None, **{f"flt_{flt.argument}": None}),
            }
            for flt, text in asked.filters
        ]

    # ------------------------------------------------------------ reading

    def visible(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """`statement` narrowed to the rows the visitor may see; by default all of them."""
        return statement

    def get_one(self, id: Any) -> Any | None:
        """The row of that id, when there is one and the visitor may see it."""
        text = str(id)
        if not (text.isascii() and text.isdecimal()) or int(text) > LARGEST_ID:
            return None
        return self.session.scalar(self.visible(self.rows()).where(self._key == int(text)))

    def find_page(self, asked: ListAddress) -> RowsPage:
        """The rows of one page; a page that is not there any more is the first one."""
        found = self._found(asked)
        capped = found.limit(COUNTED_AT_MOST + 1).subquery()
        count = self.session.scalar(sa.select(sa.func.count()).select_from(capped)) or 0
        size, page = self.get_safe_page_size(asked.page_size), asked.page
        if page and count <= COUNTED_AT_MOST and page * size >= count:
            flash(gettext("The list has become shorter; this is its first page."))
            page = 0
        ordered = self._ordered(found, asked)
        ids = list(self.session.scalars(ordered.limit(size + 1).offset(page * size)))
        return RowsPage(self.rows_in_order(ids[:size]), page, count, len(ids) > size)

    def get_list(  # type: ignore[override]  # noqa: PLR0917  # the arguments of Flask-Admin
        self,
        page: int | None,
        sort_column: Any,
        sort_desc: bool,  # noqa: FBT001  # Flask-Admin's
        search: str | None,
        filters: Sequence[ActiveFilter] | None,
        *,
        page_size: int | None = None,
    ) -> tuple[int, list[Any]]:
        """The count and the rows of one page, as Flask-Admin calls them."""
        asked = (page or 0, page_size or 0, sort_column, sort_desc, search, tuple(filters or ()))
        found = self.find_page(ListAddress(*asked))
        return found.count, found.rows

    @cached_property
    def _key(self) -> Any:
        (column,) = self.model.__mapper__.primary_key
        return getattr(self.model, self.model.__mapper__.get_property_by_column(column).key)

    @cached_property
    def _joined(self) -> list[Any]:
        """The relations the list shows, which are read with its rows."""
        wanted = self.column_select_related_list or self.scaffold_auto_joins()
        return [getattr(self.model, one) if isinstance(one, str) else one for one in wanted]

    def rows(self) -> sa.Select[Any]:
        """The rows with all that the list shows of them."""
        return sa.select(self.model).options(*(joinedload(path) for path in self._joined))

    def rows_in_order(self, ids: Sequence[int]) -> list[Any]:
        """The rows of these ids, in this order."""
        rows = self.session.scalars(self.rows().where(self._key.in_(ids))).unique()
        known = {getattr(row, self._key.key): row for row in rows}
        return [known[id_] for id_ in ids if id_ in known]

    def _found(self, asked: ListAddress) -> sa.Select[Any]:
        """The ids that search and filters leave, in no order."""
        statement = self.visible(sa.select(self._key))
        for word in (asked.search or "").split() if self.column_searchable_list else ():
            statement = statement.where(self.matches(word))
        for flt, text in asked.filters:
            statement = flt.apply(statement, flt.clean(text))
        return statement

    def matches(self, word: str) -> sa.ColumnElement[bool]:
        """The condition of a word of a search, on the columns named in column_searchable_list."""
        names = self.column_searchable_list or ()
        found = (paths.get_field_with_path(self.model, name) for name in names)
        return sa.or_(*(through(path, contains(column, word)) for column, path in found))

    # ------------------------------------------------------------ sorting

    @cached_property
    def sorts(self) -> dict[str, list[tuple[Any, list[Any]]]]:
        """What can be sorted by: the columns of each, with the relations that lead there."""
        if self.column_sortable_list is None:
            usual = self.get_sortable_columns()
            return {str(name): [(column, [])] for name, column in usual.items()}
        found = {}
        for one in self.column_sortable_list:
            name, wanted = one if isinstance(one, tuple) else (one, one)
            columns = wanted if isinstance(wanted, tuple) else (wanted,)
            key = name if isinstance(name, str) else name.key
            found[key] = [paths.get_field_with_path(self.model, column) for column in columns]
        return found

    def is_sortable(self, name: str) -> bool:
        """Whether the list can be sorted by a column."""
        return name in self.sorts

    def _ordered(self, statement: sa.Select[Any], asked: ListAddress) -> sa.Select[Any]:
        """The statement sorted; the primary key comes last, so no row is on two pages."""
        wanted = [(asked.sort, asked.descending)] if asked.sort else self._default_sort()
        for name, descends in wanted:
            for column, path in self.sorts.get(name) or [
                paths.get_field_with_path(self.model, name)
            ]:
                statement, reached = along(statement, self.model, column=column, path=path)
                order = reached.desc() if descends else reached.asc()
                statement = statement.order_by(order.nulls_last())
        last = self._key.desc() if wanted and wanted[0][1] else self._key.asc()
        return statement.order_by(last)

    def _default_sort(self) -> list[tuple[Any, bool]]:
        said = self.column_default_sort or []
        if isinstance(said, str):
            return [(said, False)]
        return [said] if isinstance(said, tuple) else list(said)

    # ------------------------------------------------------------ showing

    def value(self, row: Any, name: str) -> Any:
        """What a row has in a column of the list; a dotted name leads along relations."""
        return rec_getattr(row, name)

    @pass_context
    def get_list_value(self, context: Any, model: Any, name: str) -> Markup:
        """A cell: the formatter of its column, else what suits the value."""
        return shown(self._formatted(model, name, by=self.column_formatters, context=context))

    @pass_context
    def get_detail_value(self, context: Any, model: Any, name: str) -> Markup:
        """A value of the page of one row."""
        formatters = self.column_formatters_detail or self.column_formatters
        return shown(self._formatted(model, name, by=formatters, context=context))

    def get_export_value(self, model: Any, name: Any) -> Any:
        """A value of the exported table: numbers and dates as such."""
        return plain(self._formatted(model, name, by=self.column_formatters_export or {}))

    def _formatted(self, row: Any, name: str, *, by: Any, context: Any = None) -> Any:
        formatter = by.get(name)
        if formatter is not None:
            return formatter(self, context, row, name)
        value = self.value(row, name)
        choices = (self.column_choices or {}).get(name)
        return dict(choices).get(value, value) if choices else value

    def row_url(self, row: Any) -> str | None:
        """Where a click on a row leads: its page, else its form, else nowhere."""
        if self.can_view_details:
            return str(self.get_url(".details_view", id=self.get_pk_value(row)))
        if self.can_edit:
            return str(self.get_url(".edit_view", id=self.get_pk_value(row), url=request.full_path))
        return None

    def align(self, name: str) -> str:
        """`num` for a column whose digits stand below each other, else nothing."""
        column = self.model.__mapper__.columns.get(name)
        return "num" if column is not None and isinstance(column.type, Money | sa.Integer) else ""

    # ------------------------------------------------------------ exporting

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        """The rows of the list as it is filtered and sorted: CSV streams, XLSX comes whole."""
        asked = self.address()
        statement = self._ordered(self._found(asked), asked)
        columns = self.get_export_columns()
        header = [str(words) for _name, words in columns]
        if export_type not in self.export_types:
            flash(gettext("There is no such kind of file."), "error")
            return redirect(self.get_url(".index_view"))
        if export_type == "csv":
            return tables.send_csv(self.endpoint, header, self._exported(statement, columns))
        if self._too_long(statement):
            return redirect(self._url(asked))
        formats = [self._column_format(str(name)) for name, _words in columns]
        lines = self._exported(statement, columns)
        return tables.send_xlsx(
            self.endpoint, OutputTab(str(self.name), header, lines, formats=formats)
        )

    def _too_long(self, statement: sa.Select[Any]) -> bool:
        """Whether there are more rows than a workbook takes, which is then said."""
        probe = statement.order_by(None).limit(XLSX_ROWS_AT_MOST + 1).subquery()
        count = self.session.scalar(sa.select(sa.func.count()).select_from(probe)) or 0
        if count > XLSX_ROWS_AT_MOST:
            sentence = gettext(
                "A workbook takes at most %(rows)s rows. Filter the list, or take CSV.",
                rows=XLSX_ROWS_AT_MOST,
            )
            flash(sentence, "error")
        return count > XLSX_ROWS_AT_MOST

    def _column_format(self, name: str) -> ColumnFormat:
        column = self.model.__mapper__.columns.get(name)
        return "text" if column is None else tables.format_of(column.type)

    def _exported(self, statement: sa.Select[Any], columns: Any) -> Iterator[list[Any]]:
        """The rows of the export in batches, so that memory does not grow with the table."""
        ids = list(self.session.scalars(statement))
        for begin in range(0, len(ids), EXPORT_BATCH):
            for row in self.rows_in_order(ids[begin : begin + EXPORT_BATCH]):
                yield [self.get_export_value(row, name) for name, _words in columns]
            self.session.expunge_all()
