"""What one case counts in others: the complaints of a person's year, the pay taken once a month."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, Penalty, PolicyVersion
from policy.vocabulary.status import ActorKind, PenaltyStatus, Sign
from services.cases import correcting, forms, intake, journal, jury, penalties
from services.company import people
from services.company.actors import Actor
from services.regulation import policies
from tests.company import Office, at

BEGINS = dt.date(2026, 1, 1)


def entry(key: str, **said: Any) -> dict[str, Any]:
    return {"key": key, "label": key, "cite": "1", **said}


def regulation() -> dict[str, Any]:
    """A small regulation: two and three complaints of a year cost, a quarrel costs the head too."""
    return {
        "policy": entry(
            "years",
            title="Years",
            edition=2,
            wage_month_ends_on=31,
            appeal_term={"amount": 5, "unit": "working_day"},
        ),
        "clause": [{"key": "1", "label": "All"}],
        "post": [entry("purchasing_head", department="purchasing"), entry("panel")],
        "department": [entry("purchasing", director="purchasing_head")],
        "kind": [entry("complaint", number="all"), entry("inspection", number="all")],
        "channel": [entry("phone")],
        "number": [entry("all", template="Y{year}{serial:4}", resets="year")],
        "finding": [entry("fault", valid=True), entry("misunderstanding", valid=False)],
        "vote": [entry("appeal", about="appeal", rule="majority", members=["panel"])],
        "sanction": [
            entry("dismissal"),
            entry("team_pay", element=True, month_of="event"),
        ],
        "penalty": [
            entry("twice", amount=500, from_count=2, until_count=2, **YEARLY),
            entry("thrice", sanctions=["dismissal"], from_count=3, **YEARLY),
            entry("quarrel", who="named", amount=500, per="time", applies=[VALID]),
            entry("quarrel_head", who="superior", sanctions=["team_pay"], adds_to=["quarrel"]),
        ],
    }


VALID = {"field": "valid", "is": True}
YEARLY: dict[str, Any] = {
    "event": "verified",
    "applies": [
        {"field": "event.finding", "is": "fault"},
        {"field": "kind", "is": "complaint"},
    ],
    "who": "concerned",
    "per": "time",
}


class Desk:
    """A desk that hears complaints about purchasing, and finds out whose fault they were."""

    def __init__(self, session: Session, version: PolicyVersion) -> None:
        self.session, self.version = session, version
        place = people.add_department(session, key="purchasing", name="采购部")
        self.numbers = {"buyer": "7001", "other": "7002", "head": "7003"}
        for name, number in self.numbers.items():
            people.add_employee(session, number=number, name=name, department=place)
        head = people.find_employee(session, "7003")
        assert head is not None
        people.hold_post(session, head, "purchasing_head", from_on=BEGINS)
        self.clerk = Office(session).by("specialist")
        self.panel = Office(session).by("general_manager")
        juror = Office(session).employee("general_manager")
        people.hold_post(session, juror, "panel", from_on=BEGINS)

    def heard(self, when: dt.datetime, kind: str = "complaint") -> Complaint:
        return intake.register(
            self.session,
            self.version,
            kind=kind,
            channel="phone",
            subject=f"{when:%m-%d}",
            received_at=when,
            actor=self.clerk,
            now=when,
        )

    def found(
        self, case: Complaint, when: dt.datetime, finding: str = "fault", about: str = "buyer"
    ) -> None:
        concerned = [self.numbers[about]] if finding == "fault" else []
        forms.verify(
            self.session,
            case,
            finding=finding,
            text="-",
            concerned=concerned,
            actor=self.clerk,
            now=when,
        )

    def year(self) -> list[Complaint]:
        """Four complaints about the buyer, each found a day after it was heard."""
        cases = []
        for month, day in ((3, 2), (6, 1), (11, 9), (12, 1)):
            case = self.heard(at(month, day, 9))
            self.found(case, at(month, day + 1, 9))
            cases.append(case)
        return cases

    def judge(self, case: Complaint, when: dt.datetime, **said: Any) -> None:
        usual: dict[str, Any] = {"ground": "quarrel", "employee": "7001", "text": "争吵"}
        penalties.judge(self.session, case, actor=self.clerk, now=when, **(usual | said))


@pytest.fixture
def desk(session: Session) -> Desk:
    version = policies.publish(session, regulation(), effective_from=BEGINS, now=at(1, 1, 9))
    return Desk(session, version)


def standing(case: Complaint) -> list[str]:
    """The charges of a case that stand and are not given back."""
    back = {
        (p.rule, p.employee_id, p.occasion)
        for p in case.penalties
        if p.sign is Sign.reversal and p.status is not PenaltyStatus.lapsed
    }
    gone = (PenaltyStatus.lapsed, PenaltyStatus.waived)
    return [
        p.rule
        for p in case.penalties
        if p.sign is Sign.charge and p.status not in gone
        if (p.rule, p.employee_id, p.occasion) not in back
    ]


def test_each_complaint_has_its_place_in_the_year(desk: Desk) -> None:
    assert [standing(case) for case in desk.year()] == [[], ["twice"], ["thrice"], ["thrice"]]


def test_an_earlier_complaint_that_falls_away_moves_the_later_ones(desk: Desk) -> None:
    cases = desk.year()
    desk.found(cases[0], at(12, 20, 9), "misunderstanding")
    assert [standing(case) for case in cases] == [[], [], ["twice"], ["thrice"]]
    rows = journal.entries(desk.session, cases[2])
    assert [row.event.type for row in rows][-1] == "retallied"


def test_a_complaint_withdrawn_as_a_mistake_moves_the_later_ones(desk: Desk) -> None:
    cases = desk.year()
    desk_head = Actor(ActorKind.user, desk.clerk.user_id, desk.clerk.employee_id, Role.care)
    correcting.withdraw(
        desk.session, cases[0], target=1, reason="误登记", actor=desk_head, now=at(12, 20, 9)
    )
    assert [standing(case) for case in cases] == [[], [], ["twice"], ["thrice"]]


def test_a_corrected_finding_counts_in_the_year_of_the_right_person(desk: Desk) -> None:
    cases = [desk.heard(at(3, day, 9)) for day in (2, 3, 4)]
    for case in cases[:2]:
        desk.found(case, at(3, 5, 9))
    desk.found(cases[2], at(3, 6, 9), about="other")
    assert standing(cases[2]) == []
    office = Actor(ActorKind.user, desk.clerk.user_id, desk.clerk.employee_id, Role.care)
    correcting.correct(
        desk.session,
        cases[2],
        target=2,
        changes={"concerned": ["7001"]},
        reason="写错人",
        actor=office,
        now=at(3, 9, 9),
    )
    assert standing(cases[2]) == ["thrice"]


def test_an_inspection_is_no_complaint_of_the_year(desk: Desk) -> None:
    for day in (2, 3):
        desk.found(desk.heard(at(3, day, 9), kind="inspection"), at(3, day, 10))
    first = desk.heard(at(3, 4, 9))
    desk.found(first, at(3, 4, 10))
    assert standing(first) == []


def test_a_finding_entered_again_keeps_its_place(desk: Desk) -> None:
    cases = desk.year()
    desk.found(cases[0], at(12, 20, 9))
    assert [standing(case) for case in cases] == [[], ["twice"], ["thrice"], ["thrice"]]


def test_a_fine_that_was_told_is_given_back_when_its_place_moves(desk: Desk) -> None:
    cases = desk.year()
    (fine,) = (p for p in cases[1].penalties if p.rule == "twice")
    penalties.confirm(desk.session, fine, actor=desk.clerk, now=at(12, 2, 9))
    penalties.notify(desk.session, fine, how="签收", actor=desk.clerk, now=at(12, 2, 10))
    desk.found(cases[0], at(12, 20, 9), "misunderstanding")
    (back,) = (p for p in cases[1].penalties if p.sign is Sign.reversal)
    assert (back.rule, back.status) == ("twice", PenaltyStatus.proposed)
    assert standing(cases[2]) == ["twice"]


# ---------------------------------------------------------------- pay


def heads(case: Complaint) -> list[Penalty]:
    return [p for p in case.penalties if p.rule == "quarrel_head"]


def test_a_second_case_takes_the_pay_when_the_first_takes_nothing(desk: Desk) -> None:
    cases = [desk.heard(at(3, day, 9)) for day in (2, 3)]
    for case in cases:
        desk.found(case, at(3, 4, 9))
        desk.judge(case, at(3, 5, 9) if case is cases[0] else at(3, 6, 9))
    assert [standing(case) for case in cases] == [["quarrel", "quarrel_head"], ["twice", "quarrel"]]
    (first,) = (p for p in cases[0].penalties if p.rule == "quarrel")
    penalties.waive(desk.session, first, reason="证据不足", actor=desk.clerk, now=at(3, 9, 9))
    assert [standing(case) for case in cases] == [[], ["twice", "quarrel", "quarrel_head"]]
    (taken,) = heads(cases[1])
    assert (taken.employee.number, taken.because["elements"]) == ("7003", {"team_pay": "2026-03"})


def test_the_month_of_the_deed_is_that_of_the_day_named(desk: Desk) -> None:
    case = desk.heard(at(5, 6, 9))
    desk.found(case, at(5, 6, 10))
    desk.judge(case, at(5, 6, 11), happened_on=dt.date(2026, 3, 2))
    (head,) = heads(case)
    assert head.because["elements"] == {"team_pay": "2026-03"}


def test_who_wins_an_appeal_is_in_no_month_and_neither_is_the_head(desk: Desk) -> None:
    case = desk.heard(at(3, 2, 9))
    desk.found(case, at(3, 3, 9))
    desk.judge(case, at(3, 4, 9))
    for penalty in list(case.penalties):
        penalties.confirm(desk.session, penalty, actor=desk.clerk, now=at(3, 4, 10))
        penalties.notify(desk.session, penalty, how="签收", actor=desk.clerk, now=at(3, 4, 11))
    assert len(penalties.month_list(desk.session, "2026-03")) == 2
    said: dict[str, Any] = {"vote": "appeal", "actor": desk.clerk}
    office = Actor(ActorKind.user, desk.clerk.user_id, desk.clerk.employee_id, Role.care)
    own = said | {"actor": office, "employee": "7001", "text": "不是我"}
    jury.appeal(desk.session, case, now=at(3, 5, 9), **own)
    assert penalties.month_list(desk.session, "2026-03") == []
    jury.convene(desk.session, case, now=at(3, 5, 10), **said)
    said = {"vote": "appeal", "actor": desk.panel}
    jury.cast_vote(desk.session, case, agrees=True, reason="-", now=at(3, 5, 11), **said)
    jury.rule(desk.session, case, minutes="-", now=at(3, 5, 12), **said)
    assert standing(case) == []
    assert penalties.month_list(desk.session, "2026-03") == []
    assert penalties.unsettled_penalties(desk.session) == []


def test_a_finding_corrected_to_another_employee_falls_on_their_head(desk: Desk) -> None:
    case = desk.heard(at(3, 2, 9))
    desk.found(case, at(3, 3, 9))
    desk.judge(case, at(3, 4, 9), employee="2001")
    assert heads(case) == []
    office = Actor(ActorKind.user, desk.clerk.user_id, desk.clerk.employee_id, Role.care)
    correcting.correct(
        desk.session,
        case,
        target=3,
        changes={"employee": "7001"},
        reason="写错人",
        actor=office,
        now=at(3, 9, 9),
    )
    assert [one.employee.number for one in heads(case)] == ["7003"]
