"""What is done about one cell, for every way both sides can have moved; no edit is ever lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mirror.merge import cell
from sync.mirror.merge.cell import Agreed, Value, Verdict

OLD, NEW, OTHER, THIRD = "换轴承", "换轴承并试车", "退货", "改天再来"


def typed(*texts: Value) -> list[Agreed]:
    """A history in which people typed these, one after the other."""
    return [Agreed(text, True) for text in texts]


def wrote(*texts: Value) -> list[Agreed]:
    """A history in which we wrote these."""
    return [Agreed(text, False) for text in texts]


FRESH = [
    ("nothing anywhere", None, None, None, Verdict.same),
    ("nothing changed", OLD, OLD, OLD, Verdict.same),
    ("both came to the same", OLD, NEW, NEW, Verdict.same),
    ("both emptied it", OLD, None, None, Verdict.same),
    ("we have news", OLD, OLD, NEW, Verdict.write),
    ("we have something at last", None, None, NEW, Verdict.write),
    ("we have nothing any more", OLD, OLD, None, Verdict.write),
    ("somebody typed", None, NEW, None, Verdict.take),
    ("somebody changed it", OLD, NEW, OLD, Verdict.take),
    ("somebody emptied it", OLD, None, OLD, Verdict.take),
    ("both changed it", OLD, NEW, OTHER, Verdict.conflict),
    ("both filled it", None, NEW, OTHER, Verdict.conflict),
    ("one emptied, one changed it", OLD, None, OTHER, Verdict.conflict),
]


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "wanted"), [f[1:] for f in FRESH], ids=[f[0] for f in FRESH]
)
def test_a_cell_of_a_file_from_our_last_pass(
    base: Value, theirs: Value, ours: Value, wanted: Verdict
) -> None:
    assert cell.verdict(base=base, theirs=theirs, ours=ours) is wanted


LATE = [
    # what happened since, whether an older copy is ruled out, what the cell says, what we say
    ("still as it was typed", None, typed(NEW), True, NEW, OTHER, Verdict.write),
    ("as typed last, in an old copy", None, typed(OLD, NEW), False, NEW, OTHER, Verdict.write),
    ("back to the base while held", OLD, typed(NEW), True, OLD, NEW, Verdict.conflict),
    ("an old copy from before", OLD, typed(NEW), False, OLD, NEW, Verdict.write),
    ("the base, and only we wrote since", OLD, wrote(NEW), True, OLD, NEW, Verdict.write),
    ("an older input while held", None, typed(OLD, NEW), True, OLD, NEW, Verdict.conflict),
    ("an older input in an old copy", None, typed(OLD, NEW), False, OLD, NEW, Verdict.outdated),
    ("what we wrote in between", None, wrote(OLD, NEW), True, OLD, NEW, Verdict.write),
    ("what we wrote, in an old copy", None, wrote(OLD, NEW), False, OLD, NEW, Verdict.write),
    ("a new text after one taken", None, typed(OLD), True, NEW, OLD, Verdict.take),
    ("a new text in an old copy", None, typed(OLD), False, NEW, OLD, Verdict.take),
    ("emptied after one taken", None, typed(OLD, NEW), True, None, NEW, Verdict.conflict),
    ("new, but we wrote meanwhile", None, wrote(OLD), True, NEW, OLD, Verdict.conflict),
    ("new, but we have other news", OLD, typed(NEW), True, THIRD, OTHER, Verdict.conflict),
    ("new, but we moved on our own", OLD, typed(NEW, OLD), True, THIRD, OTHER, Verdict.conflict),
    ("new, and we only wrote the base", OLD, wrote(OLD), True, NEW, OLD, Verdict.take),
    ("the same as ours by now", OLD, typed(NEW), True, NEW, NEW, Verdict.same),
]


@pytest.mark.parametrize(
    ("base", "history", "live", "theirs", "ours", "wanted"),
    [one[1:] for one in LATE],
    ids=[one[0] for one in LATE],
)
def test_a_cell_of_a_file_from_an_older_pass(
    base: Value,
    history: Sequence[Agreed],
    live: bool,
    theirs: Value,
    ours: Value,
    wanted: Verdict,
) -> None:
    assert cell.verdict(base=base, theirs=theirs, ours=ours, history=history, live=live) is wanted


OFFICE = [
    ("the same", OLD, OLD, OLD, (), Verdict.same),
    ("news of ours", OLD, OLD, NEW, (), Verdict.write),
    ("an edit", OLD, OTHER, OLD, (), Verdict.put_back),
    ("emptied", OLD, None, OLD, (), Verdict.put_back),
    ("an edit while we have news", OLD, OTHER, NEW, (), Verdict.put_back),
    ("what we wrote in between", OLD, OTHER, NEW, wrote(OTHER), Verdict.write),
    ("an edit in an old copy", OLD, THIRD, NEW, wrote(OTHER), Verdict.put_back),
]


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "history", "wanted"),
    [one[1:] for one in OFFICE],
    ids=[one[0] for one in OFFICE],
)
def test_a_cell_that_is_ours(
    base: Value, theirs: Value, ours: Value, history: Sequence[Agreed], wanted: Verdict
) -> None:
    assert cell.verdict(base=base, theirs=theirs, ours=ours, history=history, office=True) is wanted


# ---------------------------------------------------------------- laws

values = st.sampled_from([None, "a", "b", "c", "d"])
histories = st.lists(st.builds(Agreed, values, st.booleans()), max_size=4)


@given(base=values, theirs=values, ours=values)
def test_without_a_history_the_law_of_three_ways_holds(
    base: Value, theirs: Value, ours: Value
) -> None:
    verdict = cell.verdict(base=base, theirs=theirs, ours=ours)
    moved = (theirs != base, ours != base)
    if theirs == ours:
        assert verdict is Verdict.same
    else:
        assert verdict is {
            (False, True): Verdict.write,
            (True, False): Verdict.take,
            (True, True): Verdict.conflict,
        }.get(moved)


@given(base=values, theirs=values, ours=values, history=histories, live=st.booleans())
def test_a_text_nobody_has_seen_is_never_written_over(
    base: Value, theirs: Value, ours: Value, history: list[Agreed], live: bool
) -> None:
    verdict = cell.verdict(base=base, theirs=theirs, ours=ours, history=history, live=live)
    seen = {base, ours, *(one.value for one in history)}
    if theirs not in seen:
        assert verdict in (Verdict.take, Verdict.conflict)
    if verdict is Verdict.outdated:
        assert not live
        assert any(one.taken and one.value == theirs for one in history)


@given(base=values, theirs=values, ours=values, history=histories, live=st.booleans())
def test_a_text_that_was_seen_is_never_taken_a_second_time(
    base: Value, theirs: Value, ours: Value, history: list[Agreed], live: bool
) -> None:
    verdict = cell.verdict(base=base, theirs=theirs, ours=ours, history=history, live=live)
    if verdict is Verdict.take:
        assert theirs not in {base, *(one.value for one in history)}


@given(base=values, theirs=values, ours=values, history=histories, live=st.booleans())
def test_a_cell_of_ours_is_never_taken_and_nobody_has_to_decide(
    base: Value, theirs: Value, ours: Value, history: list[Agreed], live: bool
) -> None:
    verdict = cell.verdict(
        base=base, theirs=theirs, ours=ours, history=history, live=live, office=True
    )
    assert verdict in (Verdict.same, Verdict.write, Verdict.put_back)


@given(base=values, theirs=values, ours=values, history=histories, live=st.booleans())
def test_what_both_sides_say_needs_nothing(
    base: Value, theirs: Value, ours: Value, history: list[Agreed], live: bool
) -> None:
    verdict = cell.verdict(base=base, theirs=theirs, ours=ours, history=history, live=live)
    assert (verdict is Verdict.same) == (theirs == ours)
