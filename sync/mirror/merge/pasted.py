"""Lines pasted from elsewhere: rows of other cases, and examples, which are no new complaints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models import Complaint
from policy.vocabulary.status import Status
from sync.mirror.merge import matching
from sync.mirror.merge.matching import TextRow
from sync.mirror.parsing.texts import Unreadable

BATCH = 500
_FINISHED = frozenset({Status.closed, Status.archived})
_ID = re.compile(r"R(\d{1,15})-.")
_EXAMPLE = re.compile(
    r"[填写表此本行为是]{2,}(示例|样例|范例|举例)|^\W*(示例|样例|范例|example)\W*(行|row)?\W*$"
    r"|^\W*(示例|样例|范例|example)\s*[:：)）\]】]",
    re.IGNORECASE,
)


class PastedRows:
    """The cases whose rows were pasted among lines that are no rows of the tab."""

    def __init__(self, session: Session, lines: Sequence[TextRow]) -> None:
        numbers = {line.cells["number"].strip() for line in lines if "number" in line.cells}
        ids = {case for line in lines if (case := _case_of(line)) is not None}
        self._by_number: dict[str, Complaint] = {}
        self._by_id: dict[int, Complaint] = {}
        for keys, column in ((sorted(numbers), Complaint.number), (sorted(ids), Complaint.id)):
            self._load(session, keys, column)

    def _load(self, session: Session, keys: Sequence[Any], column: Any) -> None:
        for start in range(0, len(keys), BATCH):
            found = sa.select(Complaint).where(column.in_(keys[start : start + BATCH]))
            for case in session.scalars(found.options(joinedload(Complaint.department))):
                self._by_number[case.number] = self._by_id[case.id] = case

    def refuse(self, line: TextRow) -> None:
        """Raise Unreadable for a line of another case, with its number, and for an example.

        With an empty case number a line is a new complaint, whatever its hidden id.
        """
        number = line.cells.get("number", "").strip()
        case = self._by_number.get(number) or self._by_id.get(_case_of(line) or 0)
        if number and case is not None:
            _refuse_case(case)
        if is_example(line.cells):
            raise Unreadable("row_example")


def _case_of(line: TextRow) -> int | None:
    """The case whose hidden id a line carries."""
    uid = line.cells.get("uid", "")
    found = _ID.fullmatch(uid)
    if found is None or matching.uid_of(int(found[1])) != uid:
        return None
    return int(found[1])


def _refuse_case(case: Complaint) -> None:
    if case.status in _FINISHED:
        raise Unreadable("row_finished", number=case.number)
    if case.department is None:
        raise Unreadable("row_of_care", number=case.number)
    raise Unreadable("row_of_department", number=case.number, department=case.department.name)


def is_example(cells: Mapping[str, str]) -> bool:
    """Whether a line says of itself that it is an example of how to fill the tab in."""
    return any(_EXAMPLE.search(text) for text in _words(cells))


def _words(cells: Mapping[str, str]) -> Iterable[str]:
    return (cells[name] for name in ("number", "customer", "body", "demand") if name in cells)
