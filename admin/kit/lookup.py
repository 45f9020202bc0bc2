"""Finding one row of a table that grows, while somebody types: by prefix, on an index.

What is found is what the lists show: cases the visitor sees, people who are with the company.
"""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask_login import current_user
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin.kit.display import today
from admin.kit.rights import visitor_may_open
from models import Complaint, Customer, Employee, PostHolding
from services.cases import desk
from services.company import people, presence

FOUND_AT_MOST = 12
LONGEST_QUERY = 80
LARGEST_ID = 2**63 - 1
"""The largest number a database takes for an id; an address may say any."""

Row = TypeVar("Row")


def by_id(session: Session, model: type[Row], row_id: int, **options: Any) -> Row | None:
    """The row of that id, or None; a number no row can have is not asked for."""
    return session.get(model, row_id, **options) if 0 <= row_id <= LARGEST_ID else None


class Lookup:
    """A table that can be looked up; `columns` are indexed and compared from their beginning."""

    def __init__(self, model: type[Any], *columns: InstrumentedAttribute[Any]) -> None:
        self.model = model
        self.columns = columns

    def statement(self) -> sa.Select[Any]:
        """Every row that may be named, in the order of the list."""
        return sa.select(self.model).order_by(self.columns[0])

    def offered(self, _session: Session) -> sa.Select[Any]:
        """Every row that is offered while somebody types; by default all that may be named."""
        return self.statement()

    def find(self, session: Session, typed: str) -> list[Any]:
        """At most FOUND_AT_MOST rows one of whose columns begins with what was typed."""
        statement = self.offered(session).limit(FOUND_AT_MOST)
        if typed:
            statement = statement.where(sa.or_(*(begins(c, typed) for c in self.columns)))
        return list(session.scalars(statement))

    def exact(self, session: Session, typed: str) -> Any | None:
        """The one row that has exactly this in one of its columns, or None."""
        statement = self.statement().where(sa.or_(*(c == typed for c in self.columns)))
        rows = list(session.scalars(statement.limit(2)))
        return rows[0] if len(rows) == 1 else None

    def with_id(self, session: Session, row_id: int) -> Any | None:
        """The row of that id, or None where there is none that may be named."""
        if not 0 <= row_id <= LARGEST_ID:
            return None
        return session.scalar(self.statement().where(self.model.id == row_id))

    def words(self, row: Any) -> str:
        """What the row is called in a list of finds."""
        return str(row)


class Employees(Lookup):
    """The staff. Offered are those who are with the company today, to who opens no list of
    employees those of their own departments; anybody else is named by the whole number.
    """

    def offered(self, session: Session) -> sa.Select[Any]:
        present = self.statement().where(presence.with_us(on=today()))
        if visitor_may_open("employee.index_view"):
            return present
        seen = desk.scope(session, current_user.user, on=today())
        return present.where(Employee.department_id.in_(seen.departments))


class Cases(Lookup):
    """The cases the visitor sees."""

    def statement(self) -> sa.Select[Any]:
        seen = desk.scope(session(), current_user.user, on=today())
        return seen.narrowed(super().statement())


class Customers(Lookup):
    """Customers, told apart by their telephone numbers."""

    def words(self, row: Customer) -> str:
        return f"{row.name} · {row.phone}" if row.phone else row.name


class PostHoldings(Lookup):
    """Posts held, found by who holds them or by what the post is called; ended ones are not
    offered.
    """

    def statement(self) -> sa.Select[Any]:
        return sa.select(PostHolding).join(Employee).order_by(PostHolding.post, Employee.number)

    def find(self, session: Session, typed: str) -> list[Any]:
        called = [key for key, label in people.posts(session).items() if typed in label]
        begun = sa.or_(*(begins(c, typed) for c in self.columns)) if typed else sa.true()
        found = self.statement().where(sa.or_(begun, PostHolding.post.in_(called)))
        found = found.where(presence.lasts(on=today()))
        return list(session.scalars(found.limit(FOUND_AT_MOST)))

    def words(self, row: PostHolding) -> str:
        return f"{post_label(row.post)} · {row.employee}"


LOOKUPS: dict[str, Lookup] = {
    "employee": Employees(Employee, Employee.number, Employee.name),
    "customer": Customers(Customer, Customer.phone_digits, Customer.name),
    "complaint": Cases(Complaint, Complaint.number),
    "post_holding": PostHoldings(PostHolding, Employee.name, Employee.number),
}


def begins(column: InstrumentedAttribute[Any], typed: str) -> sa.ColumnElement[bool]:
    """`column` begins with `typed`, as a range, because a range can use the index."""
    last = typed[-1]
    if ord(last) >= 0xD7FF:
        return column.startswith(typed, autoescape=True)
    return sa.and_(column >= typed, column < typed[:-1] + chr(ord(last) + 1))


def session() -> Session:
    """The session of this request."""
    found: Session = current_app.extensions["sqlalchemy"].session()
    return found


def post_label(post: str) -> str:
    """What a post is called by the newest policy that knows it; read once per request."""
    if "post_labels" not in g:
        g.post_labels = people.posts(session())
    return str(g.post_labels.get(post, post))


def init_app(app: Flask) -> None:
    """Add /admin/lookup/<what>: JSON [[id, words], …] for the search boxes of forms."""
    blueprint = Blueprint("lookup", __name__, url_prefix="/admin/lookup")
    for what in LOOKUPS:
        blueprint.add_url_rule(f"/{what}", what, _answer, defaults={"what": what})
    app.register_blueprint(blueprint)


def _answer(what: str) -> Response:
    typed = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_QUERY]
    lookup = LOOKUPS[what]
    return jsonify([[row.id, lookup.words(row)] for row in lookup.find(session(), typed)])
