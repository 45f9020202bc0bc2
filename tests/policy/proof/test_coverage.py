"""Whether every clause is proven, and whether the cases would notice a wrong pack."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

import pytest

from policy.pack.loading import PACKS, read_toml, shipped_path
from policy.proof.coverage import (
    NOTHING,
    Clause,
    ClauseCount,
    chosen_parameters,
    clause_report,
    marked_tests,
    prove_clauses,
    read_clauses,
)
from policy.proof.mutations import mutations, unnoticed_mutations
from policy.proof.play import Case, cases
from tests.regulations import CASES, official_calendar

REGULATIONS = sorted(path.stem for path in PACKS.glob("*.toml"))


@cache
def _counted(regulation: str) -> ClauseCount:
    """What the cases of a regulation prove; each is played once for the tests that ask."""
    return clause_report(CASES / regulation, official_calendar())[1]


@pytest.mark.xdist_group("clauses")
@pytest.mark.parametrize("regulation", REGULATIONS)
def test_every_clause_is_proven_or_says_why_not(regulation: str) -> None:
    assert _counted(regulation).silent == ()


@pytest.mark.xdist_group("clauses")
def test_of_the_364_clauses_a_program_can_check_at_least_358_are_proven() -> None:
    total = sum(map(_counted, REGULATIONS), start=NOTHING)
    assert total.owed == 364
    assert total.proven >= 358


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_every_case_cites_clauses_of_its_regulation(regulation: str) -> None:
    known = {clause.key for clause in read_clauses(CASES / regulation / "clauses.toml")}
    cited = {clause for case in cases(CASES / regulation) for clause in case.proves}
    assert cited <= known


@pytest.mark.walk
@pytest.mark.parametrize("regulation", REGULATIONS)
@pytest.mark.parametrize("part", range(4))
def test_no_change_of_the_pack_goes_unnoticed(regulation: str, part: int) -> None:
    data = read_toml(shipped_path(regulation))
    changes = list(mutations(data, chosen_parameters(CASES / regulation)))[part::4]
    played = list(cases(CASES / regulation))
    missed = unnoticed_mutations(changes, played, data, calendar=official_calendar())
    assert [str(mutation) for mutation in missed] == []


def _case(name: str, **fields: object) -> Case:
    blank = {"file": "", "proves": (), "parameters": {}, "steps": (), "cast": {}, "defaults": {}}
    return Case(**{**blank, "name": name, **fields})  # type: ignore[arg-type]  # fields by name


def test_a_clause_is_proven_by_the_cases_and_the_marked_tests_that_cite_it() -> None:
    proofs = prove_clauses(
        [_case("One", proves=("X-1",)), _case("Two", proves=("X-1", "X-2"))],
        {"X-3": ["test_three"]},
        [Clause("X-1", "D"), Clause("X-3", "A"), Clause("X-4", "P"), Clause("X-5", "E", "later")],
    )
    assert [proof.by for proof in proofs] == [("One", "Two"), ("test_three",), (), ()]
    assert [str(proof).split()[2] for proof in proofs] == ["proven", "proven", "UNPROVEN", "left:"]


def test_marks_are_read_from_tests_without_running_them(tmp_path: Path) -> None:
    text = '@pytest.mark.proves("X-1", "X-2")\ndef test_it() -> None:\n    raise SystemExit\n'
    (tmp_path / "test_this.py").write_text(text, encoding="utf-8")
    assert marked_tests(tmp_path) == {"X-1": ["test_it"], "X-2": ["test_it"]}


def test_a_mark_on_what_is_no_test_proves_nothing(tmp_path: Path) -> None:
    text = '@pytest.mark.proves("X-1")\ndef helper() -> None:\n    raise SystemExit\n'
    (tmp_path / "test_this.py").write_text(text, encoding="utf-8")
    assert marked_tests(tmp_path) == {}


def test_without_cases_every_change_that_loads_goes_unnoticed() -> None:
    data = read_toml(shipped_path("skoda-dealer"))
    some = [m for m in mutations(data) if m.place == "deadline.[close_a].within"]
    assert [
        str(m) for m in unnoticed_mutations(some, [], data, calendar=official_calendar())
    ] == list(map(str, some))
    assert len(some) == 6


def test_a_case_that_does_not_hold_is_not_asked() -> None:
    data = read_toml(shipped_path("skoda-dealer"))
    some = [m for m in mutations(data) if m.place == "penalty.[neglect].amount"]
    broken = _case("Broken", steps=({"do": "archived", "at": dt.datetime(2026, 3, 2)},))
    assert (
        len(list(unnoticed_mutations(some, [broken], data, calendar=official_calendar())))
        == len(some)
        == 2
    )


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("policy.appeal_term", 6),
        ("penalty.[late_close].amount", 2),
        ("penalty.[restart_director].per", 3),
        ("deadline.[close_a].starts_on", 4),
        ("deadline.[csc_contact].judged_by", 1),
        ("deadline.[written_reply].carries_over", 1),
        ("signoff.[call].never", 2),
        ("signoff.[call].by", 2),
        ("signoff.[confirm].deputy", 1),
        ("signoff.[factory_close].deputy", 0),
        ("signoff.[factory_close_unclosable].deputy", 1),
        ("callback.[verification].attempts", 2),
        ("number.[complaint].template", 2),
        ("severity.[factory].scale", 1),
    ],
)
def test_every_sort_of_thing_is_changed(place: str, changes: int) -> None:
    found = [m for m in mutations(read_toml(shipped_path("skoda-dealer"))) if m.place == place]
    assert len(found) == changes
    assert all(mutation.was != mutation.now for mutation in found)


def test_the_parts_of_papers_and_the_times_clocks_show_are_changed() -> None:
    data = read_toml(shipped_path("skoda-dealer"))
    visit = {"key": "day", "label": "日期", "shape": "date", "required": True}
    how = {
        "key": "how",
        "label": "方式",
        "shape": "choice",
        "choices": [{"key": "call", "label": "电话"}, {"key": "mail", "label": "邮件"}],
    }
    papers = {"key": "visit", "label": "走访", "cite": "SKD-2.1", "fields": [visit, how]}
    five = {"amount": 1, "unit": "clock_time", "at": dt.time(17)}
    today = {"amount": 1, "unit": "same_day"}
    terms = [
        {"key": key, "label": key, "cite": "SKD-2.1", "starts_on": ["registered"], "within": term}
        for key, term in (("five", five), ("today", today))
    ]
    places = [m.place for m in mutations({**data, "form": [papers], "deadline": terms})]
    assert places.count("form.[visit].fields") == 5
    assert places.count("deadline.[five].within") == 7
    assert places.count("deadline.[today].within") == 4


def test_a_number_the_company_has_to_choose_is_changed_from_what_it_chose() -> None:
    data = read_toml(shipped_path("skoda-dealer"))
    data["parameter"] = [
        *data["parameter"],
        {"key": "open_limit", "label": "x", "cite": "SKD-2.1"},
    ]
    data["policy"] = {**data["policy"], "wage_month_ends_on": "$open_limit"}
    changed = mutations(data, {"open_limit": 5})
    assert [m.now for m in changed if m.place == "policy.wage_month_ends_on"] == [4, 6]
