"""The one door: locks, versions, refusals, cost, and that rows and journal never part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
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
from policy.vocabulary.errors import ChangedMeanwhile, DomainError, NotFound, PostMissing
from policy.vocabulary.status import (
    ALLOWED,
    CallOutcome,
    CallPurpose,
    ReplyOutcome,
    Responsibility,
    Satisfaction,
)
from services.cases import correcting, followup, handling, intake, journal, penalties, record, sweep
from services.company.actors import SYSTEM, Actor
from tests.company import MORNING, PEOPLE, Office, at


def test_a_form_made_from_an_older_version_is_refused(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered()
    seen = case.version
    assert journal.lock_case(office.session, case.number, seen=seen) is case
    office.dispatch(case)
    with refuses(ChangedMeanwhile, what="complaint", key=case.number):
        journal.lock_case(office.session, case.number, seen=seen)
    assert journal.lock_case(office.session, case.number, seen=case.version) is case


def test_a_number_nobody_gave_is_not_found(office: Office, refuses: Callable[..., Any]) -> None:
    with refuses(NotFound, what="complaint", key="TS0"):
        journal.lock_case(office.session, "TS0")


def test_holding_a_case_shows_what_another_session_wrote(office: Office, engine: Engine) -> None:
    case = office.dispatched()
    number = case.number
    office.session.commit()
    assert [assignment.handler for assignment in case.assignments] == [None]
    office.session.commit()
    with Session(engine) as other, other.begin():
        Office(other).reply(journal.lock_case(other, number))
    held = journal.lock_case(office.session, number)
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
                case = journal.lock_case(door, number)
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
    held = journal.lock_case(office.session, number)
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

CALLS = st.fixed_dictionaries(
    {
        "purpose": st.sampled_from([CallPurpose.verification, *CallPurpose]),
        "outcome": st.sampled_from([CallOutcome.answered, *CallOutcome]),
        "satisfaction": st.sampled_from(Satisfaction),
        "asks_more": st.booleans(),
    }
)
NAMES = st.one_of(st.none(), st.none(), st.sampled_from([*PEOPLE]))
MINUTES = st.one_of(st.integers(1, 90), st.integers(600, 3000), st.integers(6000, 20_000))
WHO = {
    "dispatched": "specialist",
    "confirmed": "director",
    "declined": "director",
    "decided": "general_manager",
    "extension_granted": "specialist",
    "extension_refused": "specialist",
    "called_back": "specialist",
    "restarted": "specialist",
    "classified": "specialist",
    "settled": "care_director",
    "signed": "care_director",
    "upgraded": "care_director",
    "judged": "care_director",
}
"""Whose deed it is; a mechanic's where nothing else is said."""
ONWARD = {
    "registered": "dispatched",
    "returned": "dispatched",
    "dispatched": "replied",
    "replied": "confirmed",
    "raised": "extension_granted",
    "intervened": "decided",
    "confirmed": "called_back",
    "disputed": "restarted",
    "accepted": "signed",
    "closed": "factory_closed",
}
"""What comes next where a case stands."""
REASONED = {
    "returned": handling.return_order,
    "declined": handling.decline,
    "extension_refused": handling.refuse_extension,
    "upgraded": handling.upgrade,
    "settled": followup.settle,
}
PLAIN = {
    "contacted": handling.contact,
    "confirmed": handling.confirm,
    "arrived_on_site": handling.arrive_on_site,
    "factory_closed": handling.close_at_factory,
}
MENDINGS: tuple[dict[str, Any], ...] = (
    {"extra": {}},
    {"extra": {"forwarded_by": "media"}},
    {"grade": "B1"},
    {"department": "sales"},
    {"satisfaction": "dissatisfied", "asks_more": False},
    {"outcome": "solved"},
    {"minutes_ago": 30},
)


class Life(RuleBasedStateMachine):
    """People do deeds on one case, a random time after one another; some are not theirs to do.

    Each deed either happens, with its journal row, or is refused and changes nothing.
    """

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(self.engine)
        self.office = Office(self.session)
        self.now = MORNING
        self.journal: list[Any] = []
        self.breaches: set[Any] = set()
        self.penalties: set[Any] = set()

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
        data=st.data(),
        steps=st.integers(0, 12),
    )
    def begin(self, extra: dict[str, str], channel: str, data: st.DataObject, steps: int) -> None:
        self.case = self.office.registered(
            extra=extra, channel=channel, received_at=self.now, now=self.now
        )
        for _ in range(steps):
            self.goes_on(data, minutes=45)

    # ------------------------------------------------ a deed

    def do(self, deed: Callable[..., Any], actor: Actor, minutes: int, **said: Any) -> None:
        """Let somebody try it, some minutes after the last deed."""
        self.now += dt.timedelta(minutes=minutes)
        before = record.facts_of(self.session, self.case), self.case.version
        try:
            deed(self.session, self.case, actor=actor, now=self.now, **said)
        except DomainError:
            self.session.flush()
            self.session.expire_all()
            assert (record.facts_of(self.session, self.case), self.case.version) == before

    def try_out(self, name: str, data: st.DataObject, minutes: int, who: str | None = None) -> None:
        """One deed by its name in the journal, with words drawn at random."""
        actor = self.office.by(who or WHO.get(name, "mechanic"))
        until = self.now + dt.timedelta(minutes=minutes, hours=data.draw(st.integers(1, 150)))
        draw = data.draw
        if name in PLAIN:
            self.do(PLAIN[name], actor, minutes)
        elif name in REASONED:
            self.do(REASONED[name], actor, minutes, reason="有原因")
        elif name == "dispatched":
            department = draw(st.sampled_from(["after_sales", "after_sales", "sales", "parts"]))
            self.do(intake.dispatch, actor, minutes, department=department)
        elif name == "replied":
            outcome = draw(st.sampled_from([ReplyOutcome.solved, *ReplyOutcome]))
            self.do(handling.reply, actor, minutes, outcome=outcome, text="查过", until=until)
        elif name == "extension_granted":
            self.do(handling.grant_extension, actor, minutes, until=until)
        elif name == "decided":
            solved = draw(st.booleans())
            self.do(handling.decide, actor, minutes, solved=solved, text="决定", until=until)
        elif name == "called_back":
            self.do(followup.call_back, actor, minutes, text="客户说", **draw(CALLS))
        elif name == "restarted":
            ground = draw(st.sampled_from(["verification", "satisfaction", "repeat", "decision"]))
            self.do(followup.restart, actor, minutes, ground=ground, text="再来")
        elif name == "signed":
            self.do(followup.sign, actor, minutes, feedback="好")

    @rule(data=st.data(), minutes=MINUTES)
    def goes_on(self, data: st.DataObject, minutes: int) -> None:
        if name := ONWARD.get(self.case.status.value):
            self.try_out(name, data, minutes)

    @rule(data=st.data(), minutes=MINUTES, who=NAMES)
    def could_happen(self, data: st.DataObject, minutes: int, who: str | None) -> None:
        names = sorted(ALLOWED[self.case.status])
        self.try_out(data.draw(st.sampled_from(names)), data, minutes, who)

    @rule(data=st.data(), minutes=MINUTES, who=NAMES, name=st.sampled_from([*WHO]))
    def anything(self, data: st.DataObject, minutes: int, who: str | None, name: str) -> None:
        self.try_out(name, data, minutes, who)

    @rule(
        minutes=MINUTES,
        grade=st.sampled_from([None, "A1", "B2", "C"]),
        blame=st.one_of(st.none(), st.sampled_from(Responsibility)),
    )
    def classified(self, minutes: int, grade: str | None, blame: Responsibility | None) -> None:
        said = {"grade": grade, "responsibility": blame, "reason": "查明"}
        self.do(intake.classify, self.office.by("specialist"), minutes, **said)

    @rule(minutes=MINUTES, ground=st.sampled_from(["rude", "neglect", "fraud", "dishonest"]))
    def judged(self, minutes: int, ground: str) -> None:
        said = {"ground": ground, "employee": "2005", "text": "查明"}
        self.do(penalties.judge, self.office.by("care_director"), minutes, **said)

    @precondition(lambda self: self.case.penalties)
    @rule(
        data=st.data(),
        minutes=MINUTES,
        step=st.sampled_from(
            [penalties.confirm, penalties.notify, penalties.waive, penalties.reverse]
        ),
    )
    def settled(self, data: st.DataObject, minutes: int, step: Callable[..., Any]) -> None:
        penalty = data.draw(st.sampled_from(range(len(self.case.penalties))))
        said = {penalties.notify: {"how": "签字"}, penalties.confirm: {}}.get(
            step, {"reason": "查明"}
        )

        def deed(session: Session, case: Complaint, **common: Any) -> None:
            step(session, case.penalties[penalty], **common, **said)

        self.do(deed, self.office.by("care_director"), minutes)

    @rule(minutes=MINUTES)
    def time_passed(self, minutes: int) -> None:
        def deed(session: Session, case: Complaint, *, actor: Any, now: dt.datetime) -> None:
            for _ in range(2):
                sweep.pass_time(session, case.number, now=now)

        self.do(deed, SYSTEM, minutes)

    # ------------------------------------------------ mending

    def mend(self, target: int, changed: dict[str, Any] | None, minutes: int) -> None:
        def deed(session: Session, case: Complaint, *, actor: Actor, now: dt.datetime) -> None:
            foreseen = correcting.preview(session, case, target=target, changed=changed, now=now)
            said: dict[str, Any] = {"target": target, "reason": "误", "actor": actor, "now": now}
            if changed is None:
                assert foreseen == correcting.withdraw(session, case, **said)
            else:
                assert foreseen == correcting.correct(session, case, changes=changed, **said)

        self.do(deed, self.office.administrator, minutes)

    @rule(data=st.data(), minutes=MINUTES, changed=st.sampled_from(MENDINGS))
    def corrected(self, data: st.DataObject, minutes: int, changed: dict[str, Any]) -> None:
        rows = correcting.amendable(self.session, self.case)
        if not rows:
            return
        row = data.draw(st.sampled_from(rows))
        if "minutes_ago" in changed:
            changed = {"at": row.happened_at - dt.timedelta(minutes=changed["minutes_ago"])}
        self.mend(row.seq, changed, minutes)

    @rule(data=st.data(), minutes=MINUTES)
    def withdrawn(self, data: st.DataObject, minutes: int) -> None:
        last = [row.seq for row in correcting.amendable(self.session, self.case) if row.seq > 1]
        if last:
            self.mend(data.draw(st.sampled_from(last[:4])), None, minutes)

    @precondition(lambda self: self.case.version > 14)
    @rule(minutes=MINUTES)
    def withdrawn_wholly(self, minutes: int) -> None:
        self.mend(1, None, minutes)

    # ------------------------------------------------ what always holds

    @invariant()
    def rows_and_journal_agree_and_only_grow(self) -> None:
        if not hasattr(self, "case"):
            return
        self.session.flush()
        self.session.expire_all()
        assert journal.fold_journal(self.session, self.case) == record.facts_of(
            self.session, self.case
        )
        table = Journal.__table__
        told = list(self.session.execute(table.select().order_by(table.c.id)))
        assert told[: len(self.journal)] == self.journal
        assert [row.seq for row in told] == [*range(1, self.case.version + 1)]
        self.journal = told
        self._none_lost("breaches", Breach.deadline_id, Breach.breached_at, Breach.found_at)
        self._none_lost(
            "penalties",
            Penalty.id,
            Penalty.rule,
            Penalty.employee_id,
            Penalty.occasion,
            Penalty.sign,
        )

    def _none_lost(self, name: str, *columns: Any) -> None:
        found = {tuple(row) for row in self.session.execute(sa.select(*columns))}
        assert found >= getattr(self, name)
        setattr(self, name, found)


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
            max_examples=9,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
