"""Which line is which case, and from which point on a file is too damaged to be taken in."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mirror.merge.guard import Damage, Pair, damage
from sync.mirror.merge.matching import (
    KnownRow,
    RowMatches,
    TextRow,
    match,
    similarity,
    uid_of,
)

A, B, C = uid_of(1), uid_of(2), uid_of(3)


def known(*ids: int, **cells: str) -> dict[str, KnownRow]:
    """Rows of cases with these ids: number SKD-1 and so on, and an answer of their own."""
    found = {}
    for one in ids:
        uid = uid_of(one)
        base = {"number": f"SKD-{one}", "body": f"异响 {one}", "answer": f"换件 {one}", **cells}
        found[uid] = KnownRow(uid, base)
    return found


def line(place: int, one: int, **cells: str) -> TextRow:
    """The untouched line of a case, but for `cells`; an empty text takes a cell away."""
    said = {"uid": uid_of(one), **known(one)[uid_of(one)].base, **cells}
    return TextRow(place, {name: text for name, text in said.items() if text})


def places(found: RowMatches) -> dict[str, int]:
    return {uid: row.number for uid, row in found.of.items()}


# ---------------------------------------------------------------- ids


def test_an_id_has_a_character_that_shows_a_slip() -> None:
    ids = [uid_of(number) for number in range(1, 2000)]
    assert len(set(ids)) == len(ids)
    right = set(ids)
    near = [f"R{number + 1}-{uid[-1]}" for number, uid in enumerate(ids, start=1)]
    assert sum(uid in right for uid in near) < len(near) / 16
    assert not set("01IO") & {uid[-1] for uid in ids}


def test_lines_are_known_by_their_id_wherever_they_stand() -> None:
    found = match([line(9, 2), line(2, 3), line(5, 1)], known(1, 2, 3))
    assert places(found) == {A: 5, B: 9, C: 2}
    assert not found.newborn
    assert not found.repeated


@pytest.mark.parametrize("wrong", ["", "R1-Z", "随便", uid_of(77)])
def test_a_line_without_its_id_is_known_by_its_number(wrong: str) -> None:
    found = match([line(2, 1, uid=wrong), line(3, 2)], known(1, 2))
    assert places(found) == {A: 2, B: 3}


def test_a_line_with_neither_is_newborn() -> None:
    typed = TextRow(4, {"customer": "林女士", "body": "漏油"})
    found = match([line(2, 1), typed], known(1, 2))
    assert found.newborn == [typed]
    assert places(found) == {A: 2}


def test_where_id_and_number_disagree_the_rest_of_the_line_decides() -> None:
    pasted_id = line(2, 1, uid=B)
    assert places(match([pasted_id], known(1, 2))) == {A: 2}
    pasted_number = line(2, 1, number="SKD-2")
    assert places(match([pasted_number], known(1, 2))) == {A: 2}


def test_of_two_lines_of_a_case_the_one_that_is_more_alike_is_the_row() -> None:
    copy = line(2, 1, answer="改过的")
    found = match([copy, line(7, 1)], known(1))
    assert places(found) == {A: 7}
    assert found.repeated == [(A, copy)]


def test_three_lines_of_a_case_make_two_repeated_ones() -> None:
    found = match([line(2, 1), line(3, 1), line(4, 1)], known(1))
    assert places(found) == {A: 2}
    assert [row.number for _uid, row in found.repeated] == [3, 4]


# ---------------------------------------------------------------- typed rows found again

TYPED = {"customer": "林女士", "phone": "13800000001", "body": "漏油", "demand": "赔偿"}


def reborn(uid: str, **cells: str) -> KnownRow:
    """A row that was taken in from what somebody typed; the file does not have its id yet."""
    return KnownRow(uid, {"number": f"SKD-{uid}"}, TYPED | cells)


def test_a_typed_row_that_was_taken_in_is_found_again_without_its_id() -> None:
    found = match([TextRow(9, TYPED)], {A: reborn(A)})
    assert places(found) == {A: 9}
    assert not found.newborn


def test_it_is_found_although_somebody_typed_on_in_it() -> None:
    changed = {**TYPED, "body": "漏油，已拖车", "answer": "换件"}
    assert places(match([TextRow(9, changed)], {A: reborn(A)})) == {A: 9}


@pytest.mark.parametrize(
    ("cells", "same"),
    [
        ({"customer": "林女士", "phone": "13800000001"}, True),  # half of what was typed
        ({"customer": "林女士"}, False),  # a quarter of it
    ],
)
def test_half_of_what_was_typed_is_enough_and_less_is_not(
    cells: dict[str, str], same: bool
) -> None:
    assert (similarity(cells, TYPED) >= 0.5) is same
    assert bool(match([TextRow(9, cells)], {A: reborn(A)}).of) is same


def test_two_rows_typed_the_same_are_two_cases_and_each_is_found_once() -> None:
    rows = {A: reborn(A), B: reborn(B)}
    found = match([TextRow(9, TYPED), TextRow(10, TYPED), TextRow(11, TYPED)], rows)
    assert sorted(places(found).values()) == [9, 10]
    assert [row.number for row in found.newborn] == [11]


def test_the_most_alike_line_is_the_row() -> None:
    rows = {A: reborn(A, body="漏油"), B: reborn(B, body="异响")}
    found = match([TextRow(9, TYPED | {"body": "异响"}), TextRow(10, TYPED)], rows)
    assert places(found) == {A: 10, B: 9}


def test_a_typed_row_that_has_its_id_needs_no_search() -> None:
    found = match([TextRow(3, {"uid": A, **TYPED}), TextRow(9, TYPED)], {A: reborn(A)})
    assert places(found) == {A: 3}
    assert [row.number for row in found.newborn] == [9]


# ---------------------------------------------------------------- damage

FIELDS = ("number", "body", "phone", "answer")
OFFICE = frozenset({"number", "body", "phone"})


def base(count: int) -> list[dict[str, str]]:
    """The cells of so many rows, all different."""
    return [
        {"number": f"SKD-{n}", "body": f"异响 {n}", "phone": f"1380000{n:04d}", "answer": f"换 {n}"}
        for n in range(count)
    ]


def looked(
    rows: Sequence[Mapping[str, str]], changed: Mapping[tuple[int, str], str | None]
) -> list[Pair]:
    """The rows with some cells changed, by place and field."""
    found: list[Pair] = []
    for place, row in enumerate(rows):
        now = dict(row)
        for (at, name), text in changed.items():
            if at == place:
                now.pop(name, None)
                if text is not None:
                    now[name] = text
        found.append((row, now))
    return found


def said(
    count: int, changed: Mapping[tuple[int, str], str | None] | None = None, *, vanished: int = 0
) -> str | None:
    """The code of the damage in a file of so many rows, or None."""
    pairs = looked(base(count), changed or {})
    found = damage(pairs, vanished=vanished, fields=FIELDS, office=OFFICE)
    return found.code if found else None


@pytest.mark.parametrize(
    ("there", "vanished", "wanted"),
    [
        (10, 0, None),
        (0, 1, None),  # the only case was deleted: it is put back
        (0, 2, "rows_vanished"),
        (1, 4, None),
        (15, 5, "rows_vanished"),  # a quarter
        (20, 5, None),  # exactly a fifth
        (19, 5, "rows_vanished"),
        (10_000, 2_500, None),
        (9_999, 2_500, "rows_vanished"),
    ],
)
def test_rows_that_vanished(there: int, vanished: int, wanted: str | None) -> None:
    pairs: list[Pair] = [({}, {})] * there
    found = damage(pairs, vanished=vanished, fields=(), office=frozenset())
    assert (found.code if found else None) == wanted
    if found:
        assert found.facts == {"count": vanished, "of": there + vanished}


def swapped(name: str, *places: int) -> dict[tuple[int, str], str | None]:
    """The cells of a column at these places, each moved to the next of them."""
    rows = base(max(places) + 1)
    return {
        (place, name): rows[source][name]
        for place, source in zip(places, (*places[1:], places[0]), strict=True)
    }


def test_two_answers_that_changed_places_were_put_right() -> None:
    assert said(8, swapped("answer", 1, 5)) is None


def test_two_cells_of_one_column_of_ours_are_only_put_back() -> None:
    assert said(8, swapped("phone", 1, 5)) is None


def test_two_rows_that_changed_places_in_part_are_half_sorted() -> None:
    assert said(8, swapped("phone", 1, 5) | swapped("answer", 1, 5)) == "half_sorted"


def test_three_cells_of_a_column_in_another_order_are_half_sorted() -> None:
    assert said(8, swapped("answer", 1, 4, 6)) == "half_sorted"
    assert said(8, swapped("phone", 0, 1, 2)) == "half_sorted"


def test_half_sorting_is_told_with_its_columns_and_rows() -> None:
    pairs = looked(base(8), swapped("phone", 1, 4, 6) | swapped("answer", 1, 4, 6))
    found = damage(pairs, vanished=0, fields=FIELDS, office=OFFICE)
    assert found == Damage("half_sorted", {"columns": ["phone", "answer"], "rows": 3})


def shifted(count: int, by: int, of: int = 9) -> dict[tuple[int, str], str | None]:
    """The first answers, each standing `by` lines lower than before; above them is new."""
    rows = base(of)
    moved: dict[tuple[int, str], str | None] = {
        (n + by, "answer"): rows[n]["answer"] for n in range(count)
    }
    return moved | {(n, "answer"): f"新 {n}" for n in range(by)}


def test_a_paste_that_slipped() -> None:
    assert said(9, shifted(2, 1)) is None  # two could be a coincidence
    assert said(9, shifted(3, 1)) == "shifted_paste"
    assert said(9, shifted(5, 2)) == "shifted_paste"
    assert said(9, shifted(8, 1)) == "shifted_paste"


def test_the_same_answer_filled_down_is_no_slip() -> None:
    rows = base(9)
    filled = {(n, "answer"): rows[0]["answer"] for n in range(1, 8)}
    assert said(9, filled) is None


def test_new_answers_everywhere_are_work() -> None:
    assert said(200, {(n, "answer"): f"新 {n}" for n in range(200)}) is None
    assert said(200, {(n, "answer"): None for n in range(200)}) is None


@pytest.mark.parametrize(
    ("rows", "cells", "wanted"),
    [
        (20, 11, None),  # fewer than twelve are put back, however few rows there are
        (20, 12, "cells_changed"),  # 12 of 60 cells of ours
        (80, 12, None),  # exactly 5 of 100
        (79, 12, "cells_changed"),
        (80, 13, "cells_changed"),
    ],
)
def test_many_changes_in_columns_of_ours(rows: int, cells: int, wanted: str | None) -> None:
    assert said(rows, {(n, "phone"): f"x{n}" for n in range(cells)}) == wanted


def test_an_untouched_file_is_fine() -> None:
    assert said(0) is None
    assert said(1) is None
    assert said(500) is None


# ---------------------------------------------------------------- laws


@given(order=st.permutations(range(8)))
def test_any_order_of_whole_rows_is_no_damage(order: list[int]) -> None:
    rows = known(*range(1, 9))
    lines = [line(place, one + 1) for place, one in enumerate(order, start=2)]
    found = match(lines, rows)
    assert len(found.of) == 8
    assert not found.newborn
    pairs = [
        (rows[uid].base, {n: t for n, t in row.cells.items() if n != "uid"})
        for uid, row in sorted(found.of.items(), key=lambda item: item[1].number)
    ]
    fields = ("number", "body", "answer")
    assert damage(pairs, vanished=0, fields=fields, office=frozenset({"number", "body"})) is None


@given(
    rows=st.integers(3, 12),
    columns=st.sets(st.sampled_from(FIELDS), min_size=1),
    seed=st.integers(0, 10_000),
)
def test_columns_in_another_order_than_their_rows_are_damage(
    rows: int, columns: set[str], seed: int
) -> None:
    order = list(range(rows))
    random.Random(seed).shuffle(order)
    moved = [place for place, source in enumerate(order) if place != source]
    whole = base(rows)
    changed = {
        (place, name): whole[source][name] for name in columns for place, source in enumerate(order)
    }
    if len(moved) >= 3:
        assert said(rows, changed) == "half_sorted"
