"""Trying a version on a period's cases: few statements, nothing written to a case, none dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import Settings
from enums import WhatIfState
from models import PolicyVersion, WhatIf, WhatIfCase, WorkRequest
from policy.proof.whatif import Totals
from policy.vocabulary import refusals
from policy.vocabulary.errors import (
    DraftChanged,
    NotFound,
    PackRefused,
    PeriodRefused,
    PostMissing,
    StepRefused,
)
from services.cases import correcting, penalties, record, sweep
from services.regulation import policies
from services.reports import whatif
from tests.company import Office, at
from worker.chores import make_worker
from worker.jobs import try_versions

FROM, UNTIL = dt.date(2026, 9, 1), dt.date(2026, 9, 30)
NOW = at(10, 20, 9)


@pytest.fixture
def shorter(office: Office) -> PolicyVersion:
    """A draft that gives a grade A one hour instead of three working days."""
    return office.drafted("deadline", "close_a", within={"amount": 1, "unit": "hour"})


def judged(office: Office, version: PolicyVersion, **period: Any) -> list[whatif.JudgedCase]:
    """The cases of September under a version, in batches of two."""
    pack = policies.pack(office.session, version)
    found: list[whatif.JudgedCase] = []
    said: dict[str, Any] = {"from_on": FROM, "until_on": UNTIL, "now": NOW, "size": 2} | period
    after_id: int | None = 0
    while after_id is not None:
        one = whatif.judge_batch(office.session, version, pack, after_id=after_id, **said)
        found += one.judged
        after_id = one.last_id
    return found


def numbers(found: list[whatif.JudgedCase]) -> list[str]:
    return [case.number for case in found]


# ---------------------------------------------------------------- judging


def test_each_case_is_judged_once_batch_by_batch(office: Office, shorter: PolicyVersion) -> None:
    made = [office.confirmed().number for _ in range(5)]
    found = judged(office, shorter)
    assert numbers(found) == made
    for case in found:
        assert case.difference is not None
        assert [late.key for late in case.difference.late_added] == ["close_a"]
        assert [sum_.yuan for sum_ in case.difference.sums_added] == [200]


def test_the_version_in_force_changes_nothing(office: Office) -> None:
    office.closed()
    office.restarted()
    office.dispatched()
    sweep_all(office)
    for case in judged(office, office.version):
        assert case.refusal is None
        assert not case.difference


def sweep_all(office: Office) -> None:
    for number in sweep.due_cases(office.session, now=NOW):
        sweep.pass_time(office.session, number, now=NOW)


def test_only_cases_of_the_period_and_of_the_regulation_are_judged(
    office: Office, shorter: PolicyVersion
) -> None:
    inside = office.confirmed().number
    office.registered(received_at=at(8, 31, 17), now=at(8, 31, 18))
    office.registered(received_at=at(10, 1, 9), now=at(10, 1, 10))
    gone = office.registered()
    correcting.withdraw(
        office.session, gone, target=1, reason="-", actor=office.administrator, now=NOW
    )
    assert numbers(judged(office, shorter)) == [inside]
    first_and_last = {"from_on": dt.date(2026, 9, 28), "until_on": dt.date(2026, 9, 28)}
    assert numbers(judged(office, shorter, **first_and_last)) == [inside]


def test_a_case_that_does_not_fit_is_listed_with_its_reason(office: Office) -> None:
    fits, does_not = office.dispatched().number, office.confirmed().number
    draft = office.drafted("signoff", "confirm", by=["general_manager"])
    one, other = judged(office, draft)
    assert (one.number, one.refusal, other.number) == (fits, None, does_not)
    assert isinstance(other.refusal, StepRefused)
    assert isinstance(other.refusal.facts["refusal"], PostMissing)
    kept = whatif.difference_as_json(other, policies.pack(office.session, draft))
    assert refusals.load_refusal(kept["refusal"]).code == "step_refused"


def test_what_a_person_decided_about_money_does_not_stand_in_the_way(office: Office) -> None:
    case = office.dispatched()
    office.reply(case, at(10, 9, 9))
    office.confirm(case, at(10, 9, 10))
    late = office.penalty(case, "late_close")
    penalties.confirm(office.session, late, actor=office.by("care_director"), now=at(10, 9, 11))
    draft = office.drafted("deadline", "close_a", within={"amount": 9, "unit": "working_day"})
    (one,) = judged(office, draft)
    assert one.difference is not None
    assert [sum_.rule for sum_ in one.difference.sums_removed] == ["late_close"]


def test_judging_writes_nothing(
    office: Office, shorter: PolicyVersion, rows: Callable[[], Any]
) -> None:
    office.restarted()
    before = rows()
    assert judged(office, shorter)
    assert rows() == before


def test_a_batch_takes_as_many_statements_for_many_cases_as_for_few(
    office: Office, shorter: PolicyVersion, count: Callable[..., Any]
) -> None:
    office.restarted()
    pack = policies.pack(office.session, shorter)

    def statements() -> int:
        office.session.expunge_all()
        version = office.session.get_one(PolicyVersion, shorter.id)
        with count() as seen:
            whatif.judge_batch(
                office.session, version, pack, from_on=FROM, until_on=UNTIL, now=NOW, size=50
            )
        return len(seen)

    office.session.flush()
    statements()  # the calendar and the pack in force are read once a process
    few = statements()
    office.session.expunge_all()
    for _ in range(6):
        office.restarted()
    office.session.flush()
    assert statements() == few
    assert few < 25


# ---------------------------------------------------------------- asking and the worker


def asked(office: Office, version: PolicyVersion) -> int:
    user_id = office.administrator.user_id
    row = whatif.request_whatif(
        office.session, version, from_on=FROM, until_on=UNTIL, user_id=user_id, now=NOW
    )
    office.session.commit()
    return row.id


def turn(settings: Settings) -> None:
    """One turn of the worker's chore."""
    worker = make_worker(settings)
    (chore,) = [chore for chore in worker.chores if chore.look is try_versions]
    assert worker.take_turn(chore)
    worker.engine.dispose()


def test_the_worker_tries_what_was_asked_for(
    office: Office, shorter: PolicyVersion, settings: Settings, session: Session
) -> None:
    late = office.confirmed().number
    office.registered(kind="grievance")
    run_id = asked(office, shorter)
    row = session.get_one(WhatIf, run_id)
    assert (row.state, row.cases, row.looked_at) == (WhatIfState.waiting, 2, 0)
    session.commit()
    turn(settings)
    session.expire_all()
    row = session.get_one(WhatIf, run_id)
    assert (row.state, row.looked_at, row.failure) == (WhatIfState.done, 2, None)
    totals = Totals.load(row.result)
    assert (totals.cases, totals.differ, totals.yuan_after - totals.yuan_before) == (2, 1, 200)
    (kept,) = session.scalars(sa.select(WhatIfCase))
    assert (kept.complaint.number, kept.refused) == (late, False)
    assert kept.data["late"]["added"][0]["key"] == "close_a"
    assert session.scalars(sa.select(WorkRequest)).one().done_at is not None


def test_a_draft_that_changed_meanwhile_is_not_mixed(
    office: Office, shorter: PolicyVersion, settings: Settings, session: Session
) -> None:
    office.confirmed()
    run_id = asked(office, shorter)
    rule = next(r for r in shorter.rules if (r.section, r.key) == ("penalty", "late_close"))
    rule.data = rule.data | {"amount": "500"}
    session.commit()
    turn(settings)
    session.expire_all()
    row = session.get_one(WhatIf, run_id)
    assert row.state is WhatIfState.failed
    assert row.failure is not None
    assert isinstance(refusals.load_refusal(row.failure), DraftChanged)
    assert session.scalars(sa.select(WorkRequest)).one().failure == "draft_changed"


def test_what_was_begun_goes_on_behind_the_last_batch(
    office: Office, shorter: PolicyVersion, session: Session
) -> None:
    made = [office.confirmed().id for _ in range(3)]
    run_id = asked(office, shorter)
    ((_, request_id),) = whatif.claim_waiting(session, now=NOW)
    pack = policies.pack(session, shorter)
    period: dict[str, Any] = {"from_on": FROM, "until_on": UNTIL, "now": NOW}
    first = whatif.judge_batch(session, shorter, pack, size=2, **period)
    assert whatif.store_batch(session, run_id, request_id, found=first, now=NOW)
    whatif.release(session, request_id)
    row = session.get_one(WhatIf, run_id)
    assert (row.state, row.looked_at, row.after_id) == (WhatIfState.running, 2, made[1])
    ((again, request_id),) = whatif.claim_waiting(session, now=NOW)
    rest = whatif.judge_next_batch(session, again, now=NOW)
    assert [case.complaint_id for case in rest.judged] == made[2:]
    assert not whatif.store_batch(session, run_id, request_id, found=rest, now=NOW)
    assert (row.state, row.looked_at) == (WhatIfState.done, 3)
    kept = session.scalars(sa.select(WhatIfCase.complaint_id)).all()
    assert sorted(kept) == made


def test_a_period_that_ends_before_it_begins_is_refused(
    office: Office, shorter: PolicyVersion, refuses: Callable[..., Any]
) -> None:
    with refuses(PeriodRefused, field="until_on"):
        whatif.request_whatif(
            office.session, shorter, from_on=UNTIL, until_on=FROM, user_id=None, now=NOW
        )


def test_a_draft_that_is_no_whole_regulation_is_refused(
    office: Office, refuses: Callable[..., Any]
) -> None:
    broken = office.drafted("deadline", "close_a", within=None)
    with refuses(PackRefused):
        whatif.request_whatif(
            office.session, broken, from_on=FROM, until_on=UNTIL, user_id=None, now=NOW
        )


def test_what_nobody_asked_for_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        whatif.judge_next_batch(session, 7, now=NOW)


def test_the_record_of_a_case_is_read_alike_alone_and_with_others(office: Office) -> None:
    cases = [office.restarted(), office.closed(), office.registered()]
    alone = [record.facts_of(office.session, case) for case in cases]
    assert record.facts_of_many(office.session, cases) == alone
    assert record.facts_of_many(office.session, []) == []
