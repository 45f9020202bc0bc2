"""What the road-rescue regulation wants kept beside the cases: the ledger and the duty log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import Complaint, PolicyVersion
from policy.pack.loading import build_pack, read_toml, shipped_path
from policy.vocabulary.errors import ChoiceUnknown, FieldMissing, PackRefused
from policy.vocabulary.status import ActorKind
from services.cases import forms, intake
from services.company import people
from services.company.actors import Actor
from services.regulation import policies
from services.reports import ledgers
from tests.company import ZONE, Office, at
from tests.regulations import apart

FIRST, SECOND = dt.date(2026, 10, 1), dt.date(2026, 10, 2)


@pytest.fixture
def version(session: Session) -> PolicyVersion:
    """The road-rescue regulation in force beside the company's own."""
    data = apart(read_toml(shipped_path("road-rescue")), "R")
    return policies.publish(session, data, effective_from=FIRST, now=at(9, 30, 9))


@pytest.fixture
def desk(session: Session) -> Actor:
    """Somebody of customer service, who keeps the log and the files."""
    service = people.add_department(session, key="customer_service", name="客户服务部")
    clerk = people.add_employee(session, number="7001", name="李", department=service)
    return Actor(ActorKind.user, None, clerk.id, Role.member)


def stand_watch(
    session: Session, version: PolicyVersion, desk: Actor, since: dt.datetime, until: dt.datetime
) -> None:
    forms.fill_alone(
        session,
        version,
        form="duty_log",
        data={"from": since.isoformat(), "until": until.isoformat(), "duty_person": "1001"},
        actor=desk,
        now=until,
    )


@pytest.mark.proves("RES-2.1.2", "RES-2.1.1")
def test_the_hours_in_which_nobody_stood_watch_at_the_hotline_are_reported(
    session: Session, version: PolicyVersion, desk: Actor
) -> None:
    stand_watch(session, version, desk, at(9, 30, 20), at(10, 1, 8))
    stand_watch(session, version, desk, at(10, 1, 9), at(10, 1, 20))
    stand_watch(session, version, desk, at(10, 1, 20), at(10, 2, 8))
    log = policies.pack(session, version).find("form", "duty_log")
    found = ledgers.uncovered_hours(
        session, version, log, from_on=FIRST, until_on=SECOND, now=at(10, 2, 12)
    )
    local = [tuple(moment.astimezone(ZONE) for moment in gap) for gap in found]
    assert local == [(at(10, 1, 8), at(10, 1, 9)), (at(10, 2, 8), at(10, 2, 12))]
    assert [row.data["duty_person"] for row in _watches(session, version)] == ["1001"] * 3


def _watches(session: Session, version: PolicyVersion) -> list[Any]:
    entry = policies.pack(session, version).find("ledger", "duty")
    return list(
        ledgers.ledger_rows(session, version, entry, from_on=dt.date(2026, 9, 30), until_on=SECOND)
    )


def test_a_log_without_an_hour_of_going_off_watch_is_refused(
    session: Session, version: PolicyVersion, desk: Actor
) -> None:
    with pytest.raises(FieldMissing) as refused:
        forms.fill_alone(
            session,
            version,
            form="duty_log",
            data={"from": at(10, 1, 8).isoformat(), "duty_person": "1001"},
            actor=desk,
            now=at(10, 1, 9),
        )
    assert refused.value.facts["field"] == "until"


def test_the_handling_file_is_never_filled_without_its_case(
    session: Session, version: PolicyVersion
) -> None:
    with pytest.raises(ChoiceUnknown):
        forms.fill_alone(
            session,
            version,
            form="handling_file",
            data={"reason": "x"},
            actor=Office(session).by("specialist"),
            now=at(10, 1, 9),
        )


@pytest.mark.parametrize("covers", [["from", "nowhere"], ["from", "duty_person"]])
def test_a_log_covers_the_time_between_two_instants_it_asks_for(covers: list[str]) -> None:
    data = read_toml(shipped_path("road-rescue"))
    data["form"] = [f | {"covers": covers} if "covers" in f else f for f in data["form"]]
    with pytest.raises(PackRefused):
        build_pack(data)


@pytest.mark.proves("RES-2.3.3c")
def test_every_handling_file_stands_in_the_complaint_ledger_to_be_found_again(
    session: Session, version: PolicyVersion, desk: Actor
) -> None:
    complaints = [_heard(session, version, desk, hour) for hour in (9, 10, 11)]
    for complaint in complaints[:2]:
        forms.fill(
            session,
            complaint,
            form="handling_file",
            data={"reason": complaint.subject, "told_supervisor_at": at(10, 1, 12).isoformat()},
            actor=desk,
            now=at(10, 1, 13),
        )
    entry = policies.pack(session, version).find("ledger", "complaints")
    rows: Sequence[Any] = ledgers.ledger_rows(
        session, version, entry, from_on=FIRST, until_on=FIRST
    )
    assert [row.complaint.number for row in rows] == ["RTS2026100001", "RTS2026100002"]
    assert [row.data["reason"] for row in rows] == ["拖车 9", "拖车 10"]
    assert session.scalar(sa.select(sa.func.count(Complaint.id))) == 3


def _heard(session: Session, version: PolicyVersion, desk: Actor, hour: int) -> Complaint:
    return intake.register(
        session,
        version,
        kind="complaint",
        channel="hotline",
        category="operation",
        subject=f"拖车 {hour}",
        received_at=at(10, 1, hour),
        actor=desk,
        now=at(10, 1, hour, 1),
    )
