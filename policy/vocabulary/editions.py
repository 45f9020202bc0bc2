"""Editions of the engine: how a regulation is judged that says nothing else.

A regulation names its edition, so a case that was judged under an older text is folded as it was
judged, whatever the engine learned since. A way of judging that changes what an old journal makes
is a member here and asked for with `judges`; what only a new word of the schema brings
needs none.
"""

from __future__ import annotations

from enum import Enum

FIRST, SECOND = 1, 2
LATEST = SECOND


class Judging(Enum):
    """A way of judging and the edition since which it is in force."""

    def __init__(self, since: int, sentence: str) -> None:
        self.since = since
        self.sentence = sentence

    own_rounds = SECOND, "A new round has its own approvals, and an unhappy answer its own effect."
    patient_calls = SECOND, "A call without an answer ends nothing before the attempts are used up."
    bounded_grants = SECOND, "Nobody gives more time or money than the text calls the most."
    own_cause = SECOND, "Nobody decides in their own cause; a jury is bounded, and its vote ends."
    facts_outweigh = SECOND, "Facts outweigh a grade chosen by hand; lowering it has a reason."
    named_alone = (
        SECOND,
        "Who is named for a penalty bears it alone, shares of a sum make the sum to the fen, and a "
        "finding without effect is refused.",
    )
    stands_or_falls = (
        SECOND,
        "What hangs on a ground is suspended, waived, given back and voided with it, and comes "
        "again with it; a ruling that frees an employee is final.",
    )
    of_its_kinds = (
        SECOND,
        "A count over a year is of the kinds of cases it is about, and has one place for each.",
    )
    whole_days = SECOND, "A term that begins on a day that does not count leaves whole days."
    fixed_holidays = SECOND, "A holiday on a day fixed by law is known beyond the yearly plans."
    known_terms = SECOND, "Nobody is late for a time in which they could know of no such term."
    missed_targets = SECOND, "A target that passed is missed; it was not met."
