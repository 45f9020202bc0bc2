"""The one door: locks, versions, refusals, cost, and that rows and journal never part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from company import MORNING, PEOPLE, Office, at
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from database import writing
from models import Breach, Complaint, Journal, Penalty
from policy.errors import ChangedMeanwhile, DomainError, NotFound, PostMissing
from policy.lifecycle import CallOutcome, CallPurpose, ReplyOutcome, Responsibility, Satisfaction
from services import correcting, followup, handling, intake, journal, payroll, record, sweep


def test_a_form_made_from_an_older_version_is_refused(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered()
    seen = case.version
    assert journal.hold(office.session, case.number, seen=seen) is case
    office.dispatch(case)
    with refuses(ChangedMeanwhile, what="complaint", key=case.number):
        journal.hold(office.session, case.number, seen=seen)
    assert journal.hold(office.session, case.number, seen=case.version) is case


def test_a_number_nobody_gave_is_not_found(office: Office, refuses: Callable[..., Any]) -> None:
    with refuses(NotFound, what="complaint", key="TS0"):
        journal.hold(office.session, "TS0")


def test_holding_a_case_shows_what_another_session_wrote(office: Office, engine: Engine) -> None:
    case = office.dispatched()
    number = case.number
    office.session.commit()
    assert [duty.handler for duty in case.assignments] == [None]
    office.session.commit()
    with Session(engine) as other, other.begin():
        Office(other).reply(journal.hold(other, number))
    held = journal.hold(office.session, number)
    assert held is case
    assert (held.version, len(held.assignments)) == (3, 1)
    assert held.assignments[0].handler is not None
    assert held.assignments[0].handler.name == "mechanic"


def test_a_journal_row_says_who_did_what_when_and_when_it_was_recorded(
    office: Office, session: Session
) -> None:
    case = office.dispatched()
    handling.contact(
        session, case, actor=office.by("mechanic"), now=at(9, 28, 12), at=at(9, 28, 11)
    )
    rows = session.scalars(sa.select(Journal).order_by(Journal.seq)).all()
    assert [row.seq for row in rows] == [1, 2, 3]
    last = rows[-1]
    assert (last.event, last.happened_at, last.recorded_at) == (
        "contacted",
        at(9, 28, 11),
        at(9, 28, 12),
    )
    assert last.employee is not None
    assert last.employee.name == "mechanic"
    assert last.data["by"]["departments"] == ["after_sales"]


def test_who_is_no_employee_can_look_and_correct_but_not_act(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered()
    with refuses(PostMissing, deed="dispatched"):
        office.dispatch(case, actor=office.administrator)


# ---------------------------------------------------------------- what a deed costs


@pytest.fixture
def cost(engine: Engine, session: Session, count: Callable[..., Any]) -> Callable[[str], int]:
    """`cost(number)`: how many statements a door needs to hold a case and let a deed happen."""

    def cost(number: str) -> int:
        session.commit()
        with writing(engine) as door:
            mechanic = Office(door).by("mechanic")
            with count() as statements:
                case = journal.hold(door, number)
                handling.progress(door, case, text="等配件", actor=mechanic, now=at(9, 28, 12))
        return len(statements)

    return cost


def test_a_deed_costs_the_same_with_one_case_and_with_two_hundred(
    office: Office, cost: Callable[[str], int]
) -> None:
    number = office.dispatched().number
    assert (alone := cost(number)) <= 25
    for _ in range(200):
        office.registered()
    assert cost(number) == alone


def test_a_deed_costs_the_same_after_a_long_journal(
    office: Office, cost: Callable[[str], int]
) -> None:
    case = office.dispatched()
    number = case.number
    alone = cost(number)
    held = journal.hold(office.session, number)
    for _ in range(60):
        handling.progress(
            office.session, held, text="等配件", actor=office.by("mechanic"), now=at(9, 28, 12)
        )
    assert cost(number) == alone


def test_a_deed_costs_the_same_in_every_round(office: Office, cost: Callable[[str], int]) -> None:
    first, third = office.restarted(), office.restarted()
    office.reply(third, at(9, 29, 9))
    office.confirm(third, at(9, 29, 10))
    office.call(third, Satisfaction.dissatisfied, at(9, 29, 11), asks_more=True, text="仍有异响")
    assert cost(third.number) == cost(first.number)


# ---------------------------------------------------------------- any deeds in any order

PURPOSES, OUTCOMES = st.sampled_from(CallPurpose), st.sampled_from(CallOutcome)
NAMES = st.sampled_from([*PEOPLE])
MINUTES = st.one_of(st.integers(1, 90), st.integers(600, 3000), st.integers(6000, 20_000))
PLAIN = {
    "contacted": handling.contact,
    "confirmed": handling.confirm,
    "arrived_on_site": handling.arrive_on_site,
    "factory_closed": handling.close_at_factory,
}
WITH_REASON = {
    "returned": handling.return_order,
    "declined": handling.decline,
    "extension_refused": handling.refuse_extension,
    "upgraded": handling.upgrade,
    "settled": followup.settle,
}
LIKELY = {
    "registered": ["specialist"],
    "returned": ["specialist"],
    "dispatched": ["mechanic", "director"],
    "replied": ["director"],
    "raised": ["specialist"],
    "intervened": ["general_manager"],
    "confirmed": ["specialist"],
    "disputed": ["care_director", "specialist"],
    "accepted": ["care_director"],
    "closed": ["specialist", "mechanic"],
}
"""Who has most to do where; a person drawn at random is mostly refused."""


class Life(RuleBasedStateMachine):
    """Random people do random deeds on one case, a random time after one another.

    Each deed either happens, with its journal row, or is refused and changes nothing.
    """

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(self.engine)
        self.office = Office(self.session)
        self.now = MORNING
        self.journal: list[tuple[Any, ...]] = []
        self.breaches: set[tuple[Any, ...]] = set()
        self.charges: set[tuple[Any, ...]] = set()

    def teardown(self) -> None:
        self.session.rollback()
        self.session.close()

    @initialize(
        extra=st.sampled_from(
            [
                {},
                {"forwarded_by": "media"},
                {"factory_order_no": "F-1"},
                {"serious_fault": "airbag"},
            ]
        ),
        channel=st.sampled_from(["visit", "csc"]),
    )
    def begin(self, extra: dict[str, str], channel: str) -> None:
        self.case = self.office.registered(
            extra=extra, channel=channel, received_at=self.now, now=self.now
        )

    def do(self, deed: Callable[..., Any], who: str | None, minutes: int, **said: Any) -> None:
        """Let somebody try it, some minutes after the last deed."""
        self.now += dt.timedelta(minutes=minutes)
        before = record.facts_of(self.session, self.case), self.case.version
        actor = self.office.by(who or LIKELY.get(self.case.status.value, ["specialist"])[0])
        try:
            deed(self.session, self.case, actor=actor, now=self.now, **said)
        except DomainError:
            self.session.flush()
            self.session.expire_all()
            assert (record.facts_of(self.session, self.case), self.case.version) == before

    @rule(
        who=st.one_of(st.none(), NAMES),
        minutes=MINUTES,
        department=st.sampled_from(["after_sales", "sales", "parts"]),
    )
    def dispatched(self, who: str | None, minutes: int, department: str) -> None:
        self.do(intake.dispatch, who, minutes, department=department)

    @rule(
        who=st.one_of(st.none(), NAMES),
        minutes=MINUTES,
        outcome=st.sampled_from(ReplyOutcome),
        hours=st.integers(1, 200),
    )
    def replied(self, who: str | None, minutes: int, outcome: ReplyOutcome, hours: int) -> None:
        until = self.now + dt.timedelta(minutes=minutes, hours=hours)
        self.do(handling.reply, who, minutes, outcome=outcome, text="查过", until=until)

    @rule(who=st.one_of(st.none(), NAMES), minutes=MINUTES, name=st.sampled_from([*PLAIN]))
    def plain(self, who: str | None, minutes: int, name: str) -> None:
        self.do(PLAIN[name], who, minutes)

    @rule(who=st.one_of(st.none(), NAMES), minutes=MINUTES, name=st.sampled_from([*WITH_REASON]))
    def reasoned(self, who: str | None, minutes: int, name: str) -> None:
        self.do(WITH_REASON[name], who, minutes, reason="有原因")

    @rule(minutes=MINUTES, hours=st.integers(1, 100))
    def granted(self, minutes: int, hours: int) -> None:
        until = self.now + dt.timedelta(minutes=minutes, hours=hours)
        self.do(handling.grant_extension, None, minutes, until=until)

    @rule(minutes=MINUTES, solved=st.booleans())
    def decided(self, minutes: int, solved: bool) -> None:
        until = self.now + dt.timedelta(days=20)
        self.do(handling.decide, None, minutes, solved=solved, text="决定", until=until)

    @rule(
        minutes=MINUTES,
        purpose=PURPOSES,
        outcome=OUTCOMES,
        satisfaction=st.sampled_from(Satisfaction),
        asks_more=st.booleans(),
    )
    def called(
        self,
        minutes: int,
        purpose: CallPurpose,
        outcome: CallOutcome,
        satisfaction: Satisfaction,
        asks_more: bool,
    ) -> None:
        self.do(
            followup.call_back,
            "specialist",
            minutes,
            purpose=purpose,
            outcome=outcome,
            satisfaction=satisfaction,
            asks_more=asks_more,
            text="客户说",
        )

    @rule(minutes=MINUTES)
    def signed(self, minutes: int) -> None:
        self.do(followup.sign, "care_director", minutes, feedback="好")

    @rule(
        minutes=MINUTES,
        grade=st.sampled_from([None, "A1", "B2", "C"]),
        blame=st.one_of(st.none(), st.sampled_from(Responsibility)),
    )
    def classified(self, minutes: int, grade: str | None, blame: Responsibility | None) -> None:
        self.do(
            intake.classify, "specialist", minutes, grade=grade, responsibility=blame, reason="查明"
        )

    @rule(minutes=MINUTES, ground=st.sampled_from(["rude", "neglect", "fraud", "dishonest"]))
    def judged(self, minutes: int, ground: str) -> None:
        self.do(
            payroll.judge, "care_director", minutes, ground=ground, employee="2005", text="查明"
        )

    @precondition(lambda self: self.case.penalties)
    @rule(
        data=st.data(),
        minutes=MINUTES,
        step=st.sampled_from([payroll.confirm, payroll.notify, payroll.waive, payroll.reverse]),
    )
    def settled(self, data: st.DataObject, minutes: int, step: Callable[..., Any]) -> None:
        charge = data.draw(st.sampled_from(range(len(self.case.penalties))))
        said = {payroll.notify: {"how": "签字"}, payroll.confirm: {}}.get(step, {"reason": "查明"})

        def deed(session: Session, case: Complaint, **common: Any) -> None:
            step(session, case.penalties[charge], **common, **said)

        self.do(deed, "care_director", minutes)

    @rule(minutes=MINUTES)
    def time_passed(self, minutes: int) -> None:
        def deed(session: Session, case: Complaint, *, actor: Any, now: dt.datetime) -> None:
            for _ in range(2):
                sweep.pass_time(session, case.number, now=now)

        self.do(deed, None, minutes)

    @rule(
        data=st.data(),
        minutes=MINUTES,
        change=st.sampled_from(
            [
                None,
                {"extra": {}},
                {"extra": {"forwarded_by": "media"}},
                {"grade": "B1"},
                {"department": "sales"},
                {"satisfaction": "dissatisfied", "asks_more": False},
                {"ago": 30},
            ]
        ),
    )
    def amended(self, data: st.DataObject, minutes: int, change: dict[str, Any] | None) -> None:
        target = data.draw(st.integers(1, self.case.version))
        if change and "ago" in change:
            change = {"at": self.now - dt.timedelta(minutes=change["ago"])}

        def deed(session: Session, case: Complaint, *, actor: Any, now: dt.datetime) -> None:
            said = {"target": target, "actor": self.office.administrator, "now": now}
            foreseen = correcting.preview(session, case, target=target, changed=change, now=now)
            if change is None:
                assert foreseen == correcting.withdraw(session, case, reason="误", **said)
            else:
                assert foreseen == correcting.correct(
                    session, case, changes=change, reason="误", **said
                )

        self.do(deed, None, minutes)

    @invariant()
    def rows_and_journal_agree_and_only_grow(self) -> None:
        if not hasattr(self, "case"):
            return
        self.session.flush()
        self.session.expire_all()
        assert journal.folded(self.session, self.case) == record.facts_of(self.session, self.case)
        told = self._rows(Journal.__table__)
        assert told[: len(self.journal)] == self.journal
        assert [row.seq for row in told] == [*range(1, self.case.version + 1)]
        self.journal = told
        self._none_lost("breaches", Breach.deadline_id, Breach.breached_at, Breach.found_at)
        self._none_lost(
            "charges", Penalty.id, Penalty.rule, Penalty.employee_id, Penalty.occasion, Penalty.sign
        )

    def _none_lost(self, name: str, *columns: Any) -> None:
        found = {tuple(row) for row in self.session.execute(sa.select(*columns))}
        assert found >= getattr(self, name)
        setattr(self, name, found)

    def _rows(self, table: Any) -> list[Any]:
        return list(self.session.execute(table.select().order_by(table.c.id)))


@pytest.fixture
def life(engine: Engine) -> Iterator[type[Life]]:
    """The machine on the database of the test."""
    Life.engine = engine
    yield Life
    del Life.engine


def test_whatever_people_do_rows_and_journal_agree_and_nothing_is_lost(
    life: type[Life],
) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=200,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
