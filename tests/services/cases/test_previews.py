"""Every preview is the whole truth: over random cases, what is done is what was shown.

Whatever is previewed, all other cases stay as they are.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from models import Complaint, DepartmentMeaning
from policy.engine.fact_changes import Effect, changes
from policy.vocabulary.errors import DomainError
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.status import ReplyOutcome
from policy.vocabulary.worktime import DayKind
from services.calendar import working_calendar
from services.calendar.changes import apply_change, calendar_after, company_day
from services.cases import correcting, handling, journal, moving, record, recounting, sweep
from services.company import people
from services.regulation import departments
from tests.company import Office, at
from tests.services.cases.test_moving import corrected, dearer, longer

SEEDS = range(4)
CASES = 5
NOW = at(10, 13, 9)


@pytest.fixture(params=SEEDS)
def draw(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.param)


def lived(office: Office, draw: random.Random) -> Complaint:
    """A case that came as far as chance lets it."""
    case = office.registered()
    now = at(9, 28, 10)

    def later() -> dt.datetime:
        nonlocal now
        now = min(now + dt.timedelta(hours=draw.randint(1, 60)), NOW - dt.timedelta(minutes=1))
        return now

    def sold() -> bool:
        return case.department is office.department("sales")

    steps: list[Callable[[], Any]] = [
        lambda: office.dispatch(case, later(), department=draw.choice(("after_sales", "sales"))),
        lambda: office.reply(
            case,
            later(),
            outcome=draw.choice((ReplyOutcome.solved, ReplyOutcome.raise_to_gm)),
            actor=office.by("salesman" if sold() else "mechanic"),
        ),
        lambda: handling.progress(
            office.session, case, text="跟进", actor=office.by("specialist"), now=later()
        ),
        lambda: office.confirm(case, later(), "sales_director" if sold() else "director"),
    ]
    for step in steps[: draw.randint(0, len(steps))]:
        step()
    if draw.random() < 0.6:
        sweep.pass_time(office.session, case.number, now=later())
    return case


def pictures(office: Office) -> dict[str, CaseFacts]:
    office.session.flush()
    office.session.expire_all()
    cases = office.session.scalars(sa.select(Complaint).options(*record.WITH_ALL)).all()
    return {
        case.number: facts
        for case, facts in zip(cases, record.facts_of_many(office.session, cases), strict=True)
    }


def happened(
    office: Office, shown: dict[str, tuple[Effect, ...]], do: Callable[[], object]
) -> None:
    """What is done changes the cases shown as they were shown, and no other."""
    before = pictures(office)
    do()
    after = pictures(office)
    assert {n: found for n in before if (found := changes(before[n], after[n]))} == {
        number: effects for number, effects in shown.items() if effects
    }


def moved(office: Office, draw: random.Random, cases: list[Complaint]) -> None:
    change = draw.choice((longer, dearer))
    to = corrected(office, change)
    back = office.version
    for target in (to, back):
        previews = moving.preview(office.session, cases, target, now=NOW)
        fit = [one for one in previews if one.refusal is None]
        shown = {one.complaint.number: one.effects for one in fit}

        def do(target: Any = target, fit: Any = fit) -> None:
            for one in fit:
                said: dict[str, Any] = {"reason": "勘误", "actor": office.administrator}
                moving.move(office.session, one.complaint, target, **said, now=NOW)

        happened(office, shown, do)


def test_moving_there_and_back_does_what_was_shown(office: Office, draw: random.Random) -> None:
    moved(office, draw, [lived(office, draw) for _ in range(CASES)])


def test_another_calendar_does_what_was_shown(office: Office, draw: random.Random) -> None:
    for _ in range(CASES):
        lived(office, draw)
    calendar = working_calendar.find_calendar(office.session)
    assert calendar is not None
    day = dt.date(2026, 10, draw.choice((8, 9, 12, 13, 14)))
    for kind in (DayKind.rest, None):
        change = company_day(day, kind, "厂庆")
        value = calendar_after(office.session, calendar, change)
        previews = list(recounting.preview(office.session, value, now=NOW))
        shown = {one.number: one.effects for one in previews}

        def do(change: Any = change) -> None:
            said: dict[str, Any] = {"reason": "厂庆", "actor": "administrator", "now": NOW}
            apply_change(office.session, calendar, change, **said)
            for number in recounting.outdated_cases(office.session, now=NOW):
                by: dict[str, Any] = {"reason": "厂庆", "actor": office.administrator, "now": NOW}
                recounting.recount(office.session, number, **by)

        happened(office, shown, do)


CORRECTIONS: dict[str, dict[str, Any]] = {
    "registered": {"received_at": "2026-09-26T09:00:00+08:00"},
    "dispatched": {"department": "parts"},
    "replied": {"text": "已更换"},
    "confirmed": {},
    "progressed": {"text": "改"},
}


def test_a_correction_or_withdrawal_does_what_was_shown(
    office: Office, draw: random.Random
) -> None:
    for case in [lived(office, draw) for _ in range(CASES)]:
        row = draw.choice(correcting.amendable(office.session, case))
        changed = CORRECTIONS.get(row.event) if draw.random() < 0.6 else None
        said: dict[str, Any] = {"target": row.seq, "now": NOW}
        try:
            effects = correcting.preview(office.session, case, changed=changed, **said)
        except DomainError as refusal:
            with pytest.raises(type(refusal)), office.session.begin_nested():
                amend(office, case, changed, said)
            continue
        happened(office, {case.number: effects}, partial(amend, office, case, changed, said))


def amend(
    office: Office, case: Complaint, changed: dict[str, Any] | None, said: dict[str, Any]
) -> None:
    by: dict[str, Any] = {"reason": "写错", "actor": office.administrator, **said}
    if changed is None:
        correcting.withdraw(office.session, case, **by)
    else:
        correcting.correct(office.session, case, changes=changed, **by)


def test_another_meaning_of_a_department_changes_no_open_case(
    office: Office, draw: random.Random
) -> None:
    cases = [lived(office, draw) for _ in range(CASES)]
    had = {case.number: case.department for case in cases}
    what = departments.name_of(office.version.policy_id, "after_sales")

    def do() -> None:
        to = office.department(draw.choice(("workshop", "parts")))
        departments.add_meaning(office.session, what, to, from_on=NOW.date())
        for case in cases:
            if case.status.value not in ("confirmed", "closed"):
                said: dict[str, Any] = {"actor": office.by("specialist"), "now": NOW}
                with office.session.begin_nested():
                    handling.progress(office.session, case, text="跟进", **said)

    sweep_all(office)
    happened(office, {}, do)
    assert {case.number: case.department for case in cases} == had
    assert office.session.scalars(sa.select(DepartmentMeaning)).one().key == "after_sales"


def sweep_all(office: Office) -> None:
    """Let time pass once, so that only what is tried changes a case afterwards."""
    for number in sweep.due_cases(office.session, now=NOW):
        sweep.pass_time(office.session, number, now=NOW)


def test_a_change_in_a_post_passes_on_the_cases_that_were_shown(
    office: Office, draw: random.Random
) -> None:
    for _ in range(CASES):
        lived(office, draw)
    sweep_all(office)
    (leading,) = office.holdings("after_sales_director")
    last = dt.date(2026, 9, draw.randint(28, 30))
    people.end_post(office.session, leading, until_on=last)
    if draw.random() < 0.7:
        begins = last + dt.timedelta(days=draw.randint(1, 9))
        people.hold_post(office.session, office.employee("manager"), leading.post, from_on=begins)
    numbers = sweep.cases_to_pass_on(office.session, now=NOW)
    before = pictures(office)
    for number in numbers:
        sweep.pass_on(office.session, number, now=NOW)
    after = pictures(office)
    changed = [number for number in before if changes(before[number], after[number])]
    assert sorted(changed) == sorted(numbers)
    for number in numbers:
        ends = [one.due_at for one in after[number].deadlines]
        assert ends == [one.due_at for one in before[number].deadlines]
        (case,) = office.session.scalars(sa.select(Complaint).filter_by(number=number))
        assert journal.fold_journal(office.session, case) == after[number]
    assert sweep.cases_to_pass_on(office.session, now=NOW) == []
