"""The formulas of the indicators, each with its denominator."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from policy.engine.indicators import CaseSummary, Figure, indicator_figure, target_reached
from policy.pack.forms_and_reports import IndicatorEntry
from tests.regulations import official_calendar


def indicator(formula: str, **more: Any) -> IndicatorEntry:
    said = {"key": "i", "label": "指标", "cite": "X-1", "formula": formula, **more}
    return IndicatorEntry.model_validate(said)


def value(formula: str, *cases: CaseSummary, **more: Any) -> Figure:
    return indicator_figure(indicator(formula, **more), cases, official_calendar())


IN_TIME, LATE, OPEN = CaseSummary(in_time=True), CaseSummary(in_time=False), CaseSummary()


def test_the_timely_rate_is_over_all_or_over_what_fell_due() -> None:
    assert value("timely_rate", IN_TIME, LATE, OPEN) == Figure(Decimal("33.3"), 1, 3)
    assert value("timely_rate", IN_TIME, LATE, OPEN, over="due") == Figure(Decimal("50.0"), 1, 2)


def test_a_target_is_reached_from_below_and_a_limit_is_kept_below_it() -> None:
    def judged(formula: str, value: str | None, target: int | None = 5) -> bool | None:
        known = None if value is None else Decimal(value)
        return target_reached(indicator(formula, target=target), Figure(known, 1, 20))

    assert [judged("timely_rate", one) for one in ("4.9", "5.0", "12.0")] == [False, True, True]
    for formula in ("repeat_rate", "late_count", "count"):
        assert [judged(formula, one) for one in ("4.9", "5.0", "12.0")] == [True, False, False]
        assert judged(formula, "0", target=0), "none at all keeps every limit"
    assert judged("timely_rate", None) is judged("repeat_rate", "3", target=None) is None


def test_satisfaction_is_over_the_customers_reached_and_reach_over_those_called() -> None:
    cases = (
        CaseSummary(called=True, reached=True, satisfied=True),
        CaseSummary(called=True, reached=True),
        CaseSummary(called=True),
        CaseSummary(),
    )
    assert value("satisfaction_rate", *cases) == Figure(Decimal("50.0"), 1, 2)
    assert value("reach_rate", *cases) == Figure(Decimal("66.7"), 2, 3)


def test_a_case_repeats_an_earlier_one_of_the_same_customer_and_matter_within_the_window() -> None:
    def case(month: int, matter: str, customer: str | None = "1", **more: Any) -> CaseSummary:
        at = dt.datetime(2026, month, 1, tzinfo=dt.UTC)
        return CaseSummary(received_at=at, customer=customer, matter=matter, **more)

    year = {"amount": 12, "unit": "month"}
    cases = (case(1, "a", before=True), case(3, "a"), case(4, "b"), case(5, "a", customer=None))
    assert value("repeat_rate", *cases, window=year) == Figure(Decimal("33.3"), 1, 3)
    month = {"amount": 1, "unit": "month"}
    assert value("repeat_rate", *cases, window=month) == Figure(Decimal("0.0"), 0, 3)


def test_where_a_field_confirms_repeats_only_those_count_that_a_person_confirmed() -> None:
    def case(day: int, **more: Any) -> CaseSummary:
        at = dt.datetime(2026, 3, day, tzinfo=dt.UTC)
        return CaseSummary(received_at=at, customer="1", matter="a", **more)

    cases = (case(1, confirmed=True), case(2), case(3, confirmed=True))
    assert value("repeat_rate", *cases, of="repeat") == Figure(Decimal("33.3"), 1, 3)
    assert value("repeat_rate", *cases) == Figure(Decimal("66.7"), 2, 3)


def test_what_was_struck_or_is_of_another_kind_counts_nowhere() -> None:
    cases = (IN_TIME, CaseSummary(in_time=True, struck=True), CaseSummary(kind="rework"))
    assert value("count", *cases, kinds=["complaint"]) == Figure(Decimal(1), 1, None)
    assert value("count", *cases) == Figure(Decimal(2), 2, None)


def test_counts_add_up_what_was_noted() -> None:
    cases = (CaseSummary(counts=("late", "late")), CaseSummary(counts=("other",)))
    assert value("late_count", *cases, counter="late").value == 2


def test_a_rate_over_nothing_has_no_value() -> None:
    nothing = value("answered_rate")
    assert (nothing.value, nothing.of, str(nothing)) == (None, 0, "—")


@pytest.mark.parametrize(
    ("scores", "wanted"), [([8, 9, None], Decimal("8.5")), (["7", "7", "8"], Decimal("7.3"))]
)
def test_a_score_is_the_mean_of_what_was_said(scores: list[Any], wanted: Decimal) -> None:
    entry = indicator("survey_score", form="survey", of="form.survey.satisfaction")
    assert indicator_figure(entry, (), official_calendar(), scores=scores).value == wanted


def test_visits_are_over_the_customers_looked_after() -> None:
    entry = indicator("visit_rate")
    assert indicator_figure(entry, (), official_calendar(), visited=(3, 4)) == Figure(
        Decimal("75.0"), 3, 4
    )
