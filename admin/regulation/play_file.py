"""A case that is being tried: a case file that travels in the form, and what playing it brings.

The text of the file is all there is to remember between two clicks: nothing is kept on the
server and nothing is written to the record. Steps are added to it by forms, one at a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from admin.regulation.event_form import Choices, EventChoice, deeds_of
from policy.engine.case import archivable
from policy.engine.permission import FIRST, deeds_offered, refusal
from policy.proof import casefile
from policy.proof.casefile import PlayBasis
from policy.proof.play import Case, Play
from policy.vocabulary.errors import CaseFileRefused, DomainError
from policy.vocabulary.line_ends import one_line_end
from wording import play_text

LONGEST_TEXT = 200_000
MOST_STEPS = 500
NAME = "case.toml"
_OF_TIME = ("time_passed", "archived")
_OF_MONEY = ("penalty_confirmed", "penalty_notified", "penalty_waived", "penalty_reversed")
_AMENDING = ("corrected", "withdrawn")


@dataclass(frozen=True)
class NextDeed:
    """A deed that may come next, and why nobody may do it where nobody may."""

    deed: EventChoice
    refusal: DomainError | None = None


class PlayedFile:
    """A text and what it brings: `stories` of its cases, or the `problem` that forbids to play.

    `play` stands at the end of the one case of a file that steps can be added to, else it is None.
    """

    def __init__(self, text: str, ground: PlayBasis) -> None:
        self.text = one_line_end(text)
        self.ground = ground
        self.pack = ground.pack({})
        self.problem: DomainError | None = None
        self.stories: list[play_text.Said] = []
        self.play: Play | None = None
        try:
            self._run()
        except DomainError as problem:
            self.problem = problem

    def _run(self) -> None:
        if not self.text.strip():
            self.play = self._begun(Case(NAME, "", (), {}, (), self._people({}), {}))
            return
        for case in self._cases():
            play = self._begun(case)
            self.stories.append(play_text.play_until_end(play))
            if casefile.is_flattened(self.text, NAME):
                self.play = play

    def _cases(self) -> tuple[Case, ...]:
        if len(self.text) > LONGEST_TEXT:
            raise _too_much(gettext("at most %(count)s characters", count=LONGEST_TEXT))
        data = casefile.parse_case_file(self.text, NAME)
        cases = casefile.checked_cases(data, {}, self.ground, file=NAME)
        if sum(len(case.steps) for case in cases) > MOST_STEPS:
            raise _too_much(gettext("at most %(count)s steps", count=MOST_STEPS))
        return cases

    def _begun(self, case: Case) -> Play:
        pack = self.ground.pack(case.parameters) if case.parameters else self.pack
        return Play(case, pack, self.ground.calendar)

    def _people(self, cast: Mapping[str, Any]) -> dict[str, Any]:
        return casefile.cast_with_posts(cast, self.pack)

    # ------------------------------------------------------------ changing the text

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of the case that can be changed."""
        return [dict(step) for step in self.play.case.steps] if self.play else []

    def with_steps(self, steps: list[dict[str, Any]]) -> PlayedFile:
        """The same case with other steps."""
        if not steps:
            return PlayedFile("", self.ground)
        if self.text.strip():
            data = casefile.flattened(casefile.parse_case_file(self.text, NAME))
        else:
            data = {"name": gettext("A case to try")}
        return PlayedFile(casefile.case_file_text({**data, "step": steps}), self.ground)

    def flattened(self) -> PlayedFile:
        """The one case of a file in the form that steps can be added to."""
        return PlayedFile(
            casefile.case_file_text(casefile.flattened(casefile.parse_case_file(self.text, NAME))),
            self.ground,
        )

    @property
    def flattens(self) -> bool:
        """Whether the file is one case that could be gone on with step by step."""
        return self.play is None and len(self.stories) == 1

    # ------------------------------------------------------------ what may come next

    def offers(self) -> dict[str, list[NextDeed]]:
        """What may come next: what somebody may do, what nobody may, and what else there is."""
        if self.play is None:
            return {}
        if not self.play.facts.number:
            return {"now": [NextDeed(one) for name in FIRST for one in deeds_of(name, self.pack)]}
        now, never = self._offered()
        return {"now": [*now, *self._of_time()], "never": never, "more": self._more()}

    def _offered(self) -> tuple[list[NextDeed], list[NextDeed]]:
        assert self.play is not None
        may: dict[str, DomainError | None] = {}
        for name in self.play.case.cast:
            for deed in deeds_offered(self.play.facts, self.play.by(name), self.play.pack):
                if deed.allowed or deed.name not in may:
                    may[deed.name] = deed.refusal
        every = [
            NextDeed(one, why)
            for name, why in may.items()
            for one in deeds_of(name, self.play.pack)
        ]
        return [o for o in every if o.refusal is None], [o for o in every if o.refusal]

    def _of_time(self) -> list[NextDeed]:
        assert self.play is not None
        ready = archivable(self.play.facts, self.play.pack)
        return [NextDeed(EventChoice(name)) for name in _OF_TIME if name != "archived" or ready]

    def _more(self) -> list[NextDeed]:
        assert self.play is not None
        money = _OF_MONEY if self.play.facts.penalties else ()
        return [NextDeed(EventChoice(name)) for name in (*money, *_AMENDING)]

    def people(self) -> Choices:
        """Everybody who can be named, as (name, label); a spreadsheet is nobody."""
        assert self.play is not None
        named = play_text.cast_names(self.play.case.cast, self.pack)
        cast = self.play.case.cast
        return [(name, label) for name, label in named.items() if not cast[name].get("sheet")]

    def doers(self, deed: EventChoice, place: int | None = None) -> dict[str, Choices]:
        """Who may do a deed where the case stands, and who would be refused; time asks nobody."""
        assert self.play is not None
        if deed.name in _OF_TIME:
            return {}
        play = self.play if place is None else self.before(place)
        groups: dict[str, Choices] = {gettext("May do it"): [], gettext("Would be refused"): []}
        may, may_not = groups.values()
        for name, label in play_text.cast_names(play.case.cast, play.pack).items():
            refused = refusal(play.facts, deed.name, play.by(name), pack=play.pack)
            (may_not if refused else may).append((name, label))
        return {words: people for words, people in groups.items() if people}

    def before(self, place: int) -> Play:
        """The case as it stands before one of its steps, counted from 0."""
        assert self.play is not None
        play = Play(self.play.case, self.play.pack, self.ground.calendar)
        for step in self.play.case.steps[:place]:
            play.step(step)
        return play

    def next_time(self, now: dt.datetime) -> dt.datetime:
        """When the next step may happen: an hour after the last; local, without a zone."""
        if self.steps:
            last: dt.datetime = self.steps[-1]["at"]
            return self._local(last) + dt.timedelta(hours=1)
        return self._local(now).replace(minute=0, second=0, microsecond=0)

    def _local(self, at: dt.datetime) -> dt.datetime:
        return self.ground.calendar.local(at).replace(tzinfo=None) if at.tzinfo else at


def _too_much(why: str) -> CaseFileRefused:
    return CaseFileRefused(file=NAME, problems=[{"why": why}])
