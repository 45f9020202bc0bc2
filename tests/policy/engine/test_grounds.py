"""What hangs on a ground stands and falls with it, whatever persons and juries decide."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.engine.case import apply
from policy.engine.folding import JournalEntry, fold
from policy.engine.penalties import holds_up
from policy.engine.rules import rules_of
from policy.engine.sanctions import grounds
from policy.engine.sanctions.findings import shares_of
from policy.pack.loading import build_pack
from policy.pack.schema import Pack
from policy.vocabulary.errors import (
    AlreadyFound,
    DomainError,
    GroundExcluded,
    GroundNotForPost,
    NotTheBearer,
    RulingFinal,
)
from policy.vocabulary.events import load_event
from policy.vocabulary.facts import CaseFacts, PenaltyFacts
from policy.vocabulary.status import PenaltyStatus, Sign
from tests.regulations import official_calendar

CALENDAR = official_calendar()
BEGIN = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
BY = {"kind": "user", "employee": "clerk"}
HEADS = ["buyer/head", "seller/head"]


def entry(key: str, **said: Any) -> dict[str, Any]:
    return {"key": key, "label": key, "cite": "1", **said}


@pytest.fixture(scope="module")
def pack() -> Pack:
    return made_pack()


def made_pack(month_of: str = "decision") -> Pack:
    """Two grounds that cost the head the month's pay, one of them beside a lighter one."""
    named: dict[str, Any] = {"who": "named", "per": "complaint", "collective": "shared"}
    return build_pack(
        {
            "policy": entry(
                "small",
                title="Small",
                edition=2,
                wage_month_ends_on=31,
                appeal_term={"amount": 5, "unit": "working_day"},
            ),
            "clause": [{"key": "1", "label": "All"}],
            "post": [entry("leader")],
            "kind": [entry("complaint", number="all")],
            "channel": [entry("phone")],
            "number": [entry("all", template="S{serial:4}", resets="never")],
            "vote": [entry("appeal", about="appeal", rule="majority", members=["leader"])],
            "sanction": [entry("team_pay", element=True, month_of=month_of)],
            "penalty": [
                entry("quarrel", amount=500, excludes=["regrets"], **named),
                entry("words", amount=300, replaces=["cold"], **named),
                entry("cold", amount=100, **named),
                entry("regrets", amount=50, **named),
                entry("leading", amount=200, only_post=["leader"], **named),
                entry("answer", amount=20, who="first_asked", per="complaint"),
                entry("head", who="superior", sanctions=["team_pay"], adds_to=["quarrel", "words"]),
            ],
        }
    )


class Life:
    """A case, with the journal that made it; each event an hour after the last one."""

    def __init__(self, pack: Pack) -> None:
        self.pack, self.facts = pack, CaseFacts()
        self.entries: list[JournalEntry] = []
        self.now = BEGIN
        said: dict[str, Any] = {
            "number": "S0001",
            "kind": "complaint",
            "channel": "phone",
            "subject": "-",
        }
        self.do("registered", received_at=BEGIN, first_asked="buyer", **said)

    def do(self, name: str, *, hours: int = 1, **said: Any) -> None:
        at = self.now + dt.timedelta(hours=hours)
        event = load_event({"type": name, "at": at, "by": BY, **said})
        self.facts, _ = apply(self.facts, event, self.pack, calendar=CALENDAR, now=at)
        self.now = at
        self.entries.append(JournalEntry(len(self.entries) + 1, event, at))

    def judge(self, ground: str, employee: str | None = "buyer", **said: Any) -> None:
        who: dict[str, Any] = {"employee": employee} if employee else {}
        self.do("judged", ground=ground, text="-", superiors=HEADS, **who, **said)

    def step(self, name: str, c: PenaltyFacts, **said: Any) -> None:
        about: dict[str, Any] = {"rule": c.rule, "employee": c.employee, "occasion": c.occasion}
        self.do(f"penalty_{name}", sign=c.sign.value, **about, **said)

    def rows(self, rule: str) -> list[PenaltyStatus]:
        return [c.status for c in self.facts.penalties if c.rule == rule]


# ---------------------------------------------------------------- laws


@given(st.integers(1, 10_000_000), st.integers(2, 40))
def test_shares_of_a_sum_make_the_sum(fen: int, people: int) -> None:
    amount = Decimal(fen) / 100
    shares = shares_of(amount, people)
    assert sum(shares) == amount
    assert max(shares) - min(shares) <= Decimal("0.01")


STEPS = ("confirmed", "waived", "notified", "reversed")
DEEDS = st.one_of(
    st.tuples(
        st.just("judge"),
        st.sampled_from(["quarrel", "words", "cold", "regrets"]),
        st.sampled_from(["buyer", "seller"]),
    ),
    st.tuples(st.just("step"), st.sampled_from(STEPS), st.integers(0, 9)),
    st.tuples(st.just("appeal"), st.sampled_from(["buyer", "seller"]), st.booleans()),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 200)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(DEEDS, max_size=14))
def test_nothing_stands_or_counts_before_its_ground_does(deeds: list[tuple[Any, ...]]) -> None:
    life = Life(made_pack())
    for deed in deeds:
        try:
            _do(life, deed)
        except DomainError:
            continue
        _check(life)
    assert fold(life.entries, life.pack, CALENDAR) == life.facts


def _do(life: Life, deed: tuple[Any, ...]) -> None:
    match deed:
        case ("judge", ground, who):
            life.judge(ground, who)
        case ("step", name, place) if life.facts.penalties:
            found = life.facts.penalties[place % max(1, len(life.facts.penalties))]
            more = {"how": "-"} if name == "notified" else {"reason": "-"}
            life.step(name, found, **({} if name == "confirmed" else more))
        case ("appeal", who, agrees):
            life.do("appealed", vote="appeal", employee=who, text="-")
            life.do("convened", vote="appeal", members=["juror"], seated=["juror"])
            juror = {"kind": "user", "employee": "juror"}
            life.do("voted", vote="appeal", agrees=agrees, reason="-", by=juror)
            life.do("ruled", vote="appeal", minutes="-")
        case ("wait", _, hours):
            life.do("time_passed", hours=hours, by={"kind": "system"})


def _check(life: Life) -> None:
    standing = {c.identity[:3]: c for c in life.facts.penalties if holds_up(life.facts, c)}
    for c in standing.values():
        bases = [standing.get(tuple(base)) for base in c.because.get("bases", ())]
        if "bases" in c.because:
            assert any(bases), f"{c.rule} stands without its ground"
        if c.counts_at and "bases" in c.because:
            counting = [b.counts_at for b in bases if b and b.counts_at]
            assert counting
            assert c.counts_at >= min(counting)
    taken = [
        (c.employee, month, key)
        for c in standing.values()
        for key, month in c.because.get("elements", {}).items()
    ]
    proposed = [c for c in standing.values() if c.status is PenaltyStatus.proposed]
    assert len(taken) == len(set(taken)) or not proposed
    rules = rules_of(life.pack, CALENDAR, now=life.now)
    assert grounds.follow(life.facts, rules) == life.facts, "it is settled once"


# ---------------------------------------------------------------- one by one


def test_the_head_answers_in_person_and_is_freed_with_the_employee(pack: Pack) -> None:
    life = Life(pack)
    life.judge("quarrel")
    assert [(c.rule, c.employee) for c in life.facts.penalties] == [
        ("quarrel", "buyer"),
        ("head", "head"),
    ]
    life.step("waived", life.facts.penalties[0], reason="-")
    assert life.rows("head") == [PenaltyStatus.lapsed]


def test_the_second_ground_takes_the_pay_the_first_gives_up(pack: Pack) -> None:
    life = Life(pack)
    life.judge("quarrel")
    life.judge("words", "seller")
    assert life.rows("head") == [PenaltyStatus.proposed, PenaltyStatus.lapsed]
    life.step("waived", life.facts.penalties[0], reason="-")
    assert life.rows("head") == [PenaltyStatus.lapsed, PenaltyStatus.proposed]


def test_a_waived_ground_can_be_found_again(pack: Pack) -> None:
    life = Life(pack)
    life.judge("cold")
    with pytest.raises(AlreadyFound):
        life.judge("cold")
    life.step("waived", life.facts.penalties[0], reason="-")
    life.judge("cold")
    assert life.rows("cold") == [PenaltyStatus.waived, PenaltyStatus.proposed]


def test_what_an_employee_was_freed_of_is_not_found_again(pack: Pack) -> None:
    life = Life(pack)
    life.judge("quarrel")
    _do(life, ("appeal", "buyer", True))
    assert life.rows("quarrel") == life.rows("head") == [PenaltyStatus.lapsed]
    assert not [c for c in life.facts.penalties if c.sign is Sign.reversal]
    with pytest.raises(RulingFinal):
        life.judge("quarrel")


def test_a_ground_that_cannot_fall_on_somebody_is_refused(pack: Pack) -> None:
    life = Life(pack)
    with pytest.raises(NotTheBearer):
        life.judge("answer", "seller")
    with pytest.raises(GroundNotForPost):
        life.judge("leading", posts=["seller/leader"])
    life.judge("leading", posts=["buyer/leader"])
    life.judge("regrets")
    with pytest.raises(GroundExcluded):
        life.judge("quarrel")


def test_a_day_that_is_named_decides_the_month() -> None:
    life = Life(made_pack(month_of="event"))
    life.judge("quarrel", happened_on="2026-01-20")
    assert life.facts.penalties[-1].because["elements"] == {"team_pay": "2026-01"}
