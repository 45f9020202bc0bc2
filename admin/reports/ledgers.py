"""The ledgers a regulation declares: cases of kinds or fillings of a form, with its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort
from flask_admin import expose
from flask_babel import gettext, lazy_gettext

import wording
from admin.kit import tables
from admin.kit.display import plain, today
from admin.kit.page import RedressPage
from models import Complaint, FormEntry, PolicyVersion
from policy.pack.forms_and_reports import LedgerEntry
from policy.pack.schema import Pack
from services.company import people
from services.regulation import declared, policies
from services.reports import ledgers
from wording import form_text

ALWAYS = ("number", "received_at", "customer", "subject", "department", "status")
"""What every ledger of cases shows before the columns it declares."""

CHAIN = "chain."
"""The columns that tell where an approval stands."""

_LABELED = {"kind": "kind", "channel": "channel", "category": "category", "finding": "finding"}
_LABELED |= {"grade": "severity", "level": "severity"}
_NAMES = {"received": "received_at", "closed": "closed_at"}


@dataclass(frozen=True)
class LedgerTable:
    """A ledger of a period: headers, and rows of values; a row leads to its case."""

    header: list[str]
    rows: list[tuple[str | None, list[Any]]]


class LedgerPage(RedressPage):
    """A page for each ledger of the regulations, and the numbers that are missing."""

    group, icon = "books", "book"

    @expose("/")
    def index(self) -> str:
        versions = policies.readable(self.session, on=today())
        packs = [(one, policies.pack(self.session, one)) for one in versions]
        return self.render("reports/ledgers.html", packs=packs)

    @expose("/<policy>/missing/")
    def missing(self, policy: str) -> str:
        """The numbers that are missing in the series of a regulation in the period of a day."""
        version = tables.version_of(self.session, policy)
        _, on = tables.span()
        return self.render(
            "reports/ledger_missing.html",
            policy=version.policy,
            pack=policies.pack(self.session, version),
            missing=ledgers.missing_numbers(self.session, version, on=on),
            on=on,
        )

    @expose("/<policy>/<key>/")
    def one(self, policy: str, key: str) -> str:
        """The ledger of a period."""
        version, pack, entry = self._entry(policy, key)
        from_on, until_on = tables.span()
        return self.render(
            "reports/ledger.html",
            entry=entry,
            policy=version.policy,
            table=self._table(version, pack, entry),
            from_on=from_on,
            until_on=until_on,
            most=ledgers.LONGEST,
        )

    @expose("/<policy>/<key>/<kind>")
    def export(self, policy: str, key: str, kind: str) -> Any:
        """The same as a file: csv or xlsx."""
        version, pack, entry = self._entry(policy, key)
        table = self._table(version, pack, entry)
        from_on, until_on = tables.span()
        rows = [[plain(value) for value in values] for _number, values in table.rows]
        return tables.send(kind, f"{key}-{from_on}-{until_on}", table.header, rows=rows)

    def _entry(self, policy: str, key: str) -> tuple[PolicyVersion, Pack, LedgerEntry]:
        version = tables.version_of(self.session, policy)
        pack = policies.pack(self.session, version)
        entry = pack.find("ledger", key)
        if entry is None:
            abort(404)
        return version, pack, entry

    def _table(self, version: PolicyVersion, pack: Pack, entry: LedgerEntry) -> LedgerTable:
        from_on, until_on = tables.span()
        found: Any = ledgers.ledger_rows(
            self.session, version, entry, from_on=from_on, until_on=until_on
        )
        if entry.form:
            return self._fillings(pack, entry, found)
        return self._cases(pack, entry, found)

    def _cases(self, pack: Pack, entry: LedgerEntry, found: Sequence[Complaint]) -> LedgerTable:
        several = ["kind"] if len(entry.kinds) > 1 else []
        asked = [_NAMES.get(one, one) for one in entry.columns]
        names = list(dict.fromkeys([*ALWAYS[:2], *several, *ALWAYS[2:], *asked]))
        fields = declared.declared_fields(pack)
        filled = _papers(self.session, [one.id for one in found], names)
        staff = people.employees_by_number(
            self.session,
            (
                value
                for case in found
                for one in fields.values()
                if one.field.shape == "employee"
                and isinstance(value := one.of(case, filled.get(case.id, {})), str)
            ),
        )
        rows: list[tuple[str | None, list[Any]]] = [
            (
                case.number,
                [
                    _cell(n, case, pack, fields=fields, filled=filled.get(case.id, {}), staff=staff)
                    for n in names
                ],
            )
            for case in found
        ]
        return LedgerTable([_header(name, pack, fields) for name in names], rows)

    def _fillings(self, pack: Pack, entry: LedgerEntry, found: Sequence[FormEntry]) -> LedgerTable:
        return fillings(self.session, pack.find("form", entry.form), entry.columns, found=found)


def fillings(
    session: Any, form: Any, asked: Sequence[str], *, found: Sequence[FormEntry]
) -> LedgerTable:
    """Fillings of a form as a table: when, by whom, about whom, and the fields asked for."""
    keys = [one.rpartition(".")[2] for one in asked]
    fields = [one for one in form.fields if not keys or one.key in keys]
    header = [gettext("Filled at"), gettext("By"), gettext("Case"), gettext("Customer")]
    named = (row.data.get(f.key) for row in found for f in fields if f.shape == "employee")
    staff = people.employees_by_number(session, (one for one in named if isinstance(one, str)))
    rows = []
    for row in found:
        number = row.complaint.number if row.complaint else None
        about = [row.filled_at, row.employee and str(row.employee), number]
        customer = row.customer or (row.complaint.customer if row.complaint else None)
        said = [_value(one, row.data.get(one.key), staff) for one in fields]
        rows.append((number, [*about, customer and customer.name, *said]))
    return LedgerTable([*header, *(one.label for one in fields)], rows)


def _papers(session: Any, ids: list[int], names: list[str]) -> dict[int, dict[str, Any]]:
    """What some columns need of each case: its forms as they were last filled, by their keys, and
    its approvals, by the names of their columns.
    """
    found: dict[int, dict[str, Any]] = dict(declared.last_filled(session, ids, names))
    chains = {name.removeprefix(CHAIN) for name in names if name.startswith(CHAIN)}
    for case, given in declared.last_entries(session, ids, chains, section="chain").items():
        found[case] = found.get(case, {}) | {CHAIN + key: said for key, said in given.items()}
    return found


def _header(name: str, pack: Pack, fields: dict[str, declared.Declared]) -> str:
    if name.startswith(CHAIN):
        return pack.label("chain", name.removeprefix(CHAIN))
    found = fields.get(name) or fields.get(declared.EXTRA + name)
    return found.label if found else wording.field(name)


def _cell(
    name: str,
    case: Complaint,
    pack: Pack,
    *,
    fields: dict[str, declared.Declared],
    filled: declared.Filled,
    staff: Any,
) -> Any:
    """What a case says in a column: a field of the record, of the regulation, of its forms."""
    found = fields.get(name) or fields.get(declared.EXTRA + name)
    if found is not None:
        return _value(found.field, found.of(case, filled), staff)
    if name.startswith(declared.FORM):
        return None
    if name.startswith(CHAIN):
        return form_text.vote_state_label(filled.get(name, {}).get("standing")) or None
    value = getattr(case, name, None)
    if name in _LABELED:
        return pack.label(_LABELED[name], value) or None
    return str(value) if name in ("department", "handler", "customer") and value else value


def _value(field: Any, said: Any, staff: Any) -> Any:
    """Numbers and sums stay what they are, so that a table can add them up."""
    if said is None or field.shape == "number":
        return said
    return form_text.field_value_text(field, said, staff) or None


def views(db: Any) -> list[Any]:
    """The ledgers."""
    return [LedgerPage(db, name=lazy_gettext("Ledgers"), endpoint="ledger", url="/admin/ledger")]
