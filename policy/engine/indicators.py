"""Formulas of the indicators over the cases of a period, each with its denominator.

timely_rate: handled in time ÷ all received, or ÷ those that fell due (`over`). satisfaction_rate:
satisfied ÷ reached. reach_rate: reached ÷ called. repeat_rate: cases of the same customer and
matter within `window` before ÷ all; where `of` names a field, only those a person confirmed there.
answered_rate: answered ÷ all; a wish for more time is no answer. count: number of cases.
late_count: how often a case was counted late. survey_score: the mean of a form's field. visit_rate:
key customers visited ÷ key customers. A case struck out by an appeal is in none of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from policy.pack.forms_and_reports import IndicatorEntry
from policy.pack.shapes import Quantity
from policy.vocabulary.worktime import WorkCalendar


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """The facts of one case that indicators use. `in_time` is None while neither met nor late."""

    kind: str = "complaint"
    received_at: dt.datetime | None = None
    in_time: bool | None = None
    answered: bool = False
    called: bool = False
    reached: bool = False
    satisfied: bool = False
    customer: str | None = None
    matter: str | None = None
    confirmed: bool = False  # a person confirmed that it is a repeat
    counts: tuple[str, ...] = ()
    struck: bool = False
    department: str | None = None
    before: bool = False  # received before the period; compared for repeats only


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and its denominator; a count has no denominator, an empty rate has no value."""

    value: Decimal | None
    part: int
    of: int | None

    def __str__(self) -> str:
        if self.value is None:
            return "—"
        return f"{self.value} %" if self.of is not None else f"{self.value}"


def indicator_figure(
    entry: IndicatorEntry,
    cases: Iterable[CaseSummary],
    calendar: WorkCalendar,
    *,
    scores: Sequence[Any] = (),
    visited: tuple[int, int] = (0, 0),
) -> Figure:
    """Return the value of an indicator over the cases of a period.

    `scores` are the values of the indicator's field; `visited` is (key customers visited, key
    customers).
    """
    if entry.formula == "survey_score":
        return _mean(scores)
    if entry.formula == "visit_rate":
        return _rate(*visited)
    asked = [c for c in cases if not c.struck and (not entry.kinds or c.kind in entry.kinds)]
    now = [case for case in asked if not case.before]
    match entry.formula:
        case "timely_rate":
            due = [c for c in now if entry.over == "received" or c.in_time is not None]
            return _rate(sum(c.in_time is True for c in due), len(due))
        case "satisfaction_rate":
            return _rate(sum(c.satisfied for c in now), sum(c.reached for c in now))
        case "reach_rate":
            return _rate(sum(c.reached for c in now), sum(c.called for c in now))
        case "answered_rate":
            return _rate(sum(c.answered for c in now), len(now))
        case "repeat_rate":
            said = [c for c in now if c.confirmed or entry.of is None]
            return _rate(
                sum(_is_repeat(c, asked, entry.window, calendar=calendar) for c in said), len(now)
            )
        case "late_count":
            return _count(sum(c.counts.count(entry.counter or "") for c in now))
        case _:
            return _count(len(now))


def target_reached(entry: IndicatorEntry, found: Figure) -> bool | None:
    """Whether a target is reached or a limit kept; None without a target or a value.

    A limit is kept below it, not at it (MKT-6.2.2); a value of 0 always keeps it.
    """
    if entry.target is None or found.value is None:
        return None
    if entry.limited:
        return found.value < entry.target or found.value == 0
    return found.value >= entry.target


def _is_repeat(
    case: CaseSummary,
    cases: Sequence[CaseSummary],
    window: Quantity | None,
    *,
    calendar: WorkCalendar,
) -> bool:
    """Whether the customer came with the same matter within the window before."""
    if case.customer is None or case.received_at is None:
        return False
    return any(
        other.received_at is not None
        and (other.customer, other.matter) == (case.customer, case.matter)
        and other.received_at < case.received_at
        and (
            window is None
            or case.received_at <= calendar.add(other.received_at, window.amount, window.unit).at
        )
        for other in cases
    )


def _rate(part: int, of: int) -> Figure:
    if of == 0:
        return Figure(None, part, 0)
    return Figure(_rounded(Decimal(100 * part) / of), part, of)


def _count(number: int) -> Figure:
    return Figure(Decimal(number), number, None)


def _mean(scores: Sequence[Any]) -> Figure:
    known = [Decimal(str(score)) for score in scores if score is not None]
    if not known:
        return Figure(None, 0, None)
    return Figure(_rounded(sum(known, Decimal(0)) / len(known)), len(known), None)


def _rounded(value: Decimal) -> Decimal:
    """Round to a tenth, half up."""
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)
