"""Requests for slow work: one open row, taken once, taken again when its worker died."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from database import writing
from models import WorkRequest
from services.jobs import requests
from tests.company import at

NOW = at(11, 3, 9)


def later(seconds: int) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def asked(session: Session, *, key: str = "1", now: dt.datetime = NOW) -> WorkRequest:
    return requests.request_work(session, kind="look", key=key, user_id=None, now=now)


def keys(session: Session, now: dt.datetime) -> list[str]:
    return [row.key for row in requests.claim(session, kind="look", now=now)]


def count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(WorkRequest)) or 0


def test_asking_twice_is_one_request(session: Session) -> None:
    first = asked(session)
    assert asked(session, now=later(3)) is first
    assert (count(session), first.asked_at) == (1, NOW)


def test_another_key_or_kind_is_another_request(session: Session) -> None:
    asked(session)
    asked(session, key="2")
    requests.request_work(session, kind="export", key="1", user_id=None, now=NOW)
    assert count(session) == 3
    assert [row.key for row in requests.open_requests(session, kind="look")] == ["1", "2"]


def test_what_was_taken_is_not_taken_by_a_second_worker(session: Session) -> None:
    asked(session)
    assert keys(session, later(1)) == ["1"]
    assert keys(session, later(2)) == []


def test_requests_are_taken_oldest_first_and_by_kind(session: Session) -> None:
    asked(session, key="young", now=later(5))
    asked(session, key="old")
    requests.request_work(session, kind="export", key="x", user_id=None, now=NOW)
    assert keys(session, later(6)) == ["old", "young"]


def test_what_a_dead_worker_took_is_taken_again_after_five_minutes(session: Session) -> None:
    asked(session)
    requests.claim(session, kind="look", now=NOW)
    assert keys(session, later(299)) == []
    assert keys(session, later(300)) == ["1"]
    assert keys(session, later(301)) == []


def test_a_request_that_is_done_is_closed_and_can_be_asked_anew(session: Session) -> None:
    row = asked(session)
    (taken,) = requests.claim(session, kind="look", now=later(1))
    requests.finish(session, taken, now=later(2))
    assert (row.done_at, row.failure) == (later(2), None)
    assert requests.open_requests(session, kind="look") == []
    assert asked(session, now=later(3)) is not row
    assert keys(session, later(4)) == ["1"]


def test_a_failure_is_kept_with_the_request(session: Session) -> None:
    asked(session)
    (taken,) = requests.claim(session, kind="look", now=later(1))
    requests.finish(session, taken, now=later(2), failure="not_writable")
    assert (taken.done_at, taken.failure) == (later(2), "not_writable")


def test_what_is_asked_again_while_it_is_done_is_done_once_more(session: Session) -> None:
    row = asked(session)
    (taken,) = requests.claim(session, kind="look", now=later(1))
    assert asked(session, now=later(2)) is row
    assert keys(session, later(3)) == []  # somebody is still at it
    requests.finish(session, taken, now=later(4))
    assert row.done_at is None
    (again,) = requests.claim(session, kind="look", now=later(5))
    requests.finish(session, again, now=later(6))
    assert row.done_at == later(6)


def test_done_twice_keeps_the_first_end(session: Session) -> None:
    asked(session)
    (taken,) = requests.claim(session, kind="look", now=later(1))
    requests.finish(session, taken, now=later(2))
    requests.finish(session, taken, now=later(9), failure="late")
    assert (taken.done_at, taken.failure) == (later(2), None)


def test_requests_survive_the_session_that_made_them(engine: Engine) -> None:
    for number in range(3):
        with writing(engine) as session:
            asked(session, now=later(number * 10))
        with writing(engine) as session:
            (row,) = requests.claim(session, kind="look", now=later(number * 10 + 1))
            requests.finish(session, row, now=later(number * 10 + 2))
    with writing(engine) as session:
        assert count(session) == 3


def test_a_request_of_before_the_clock_was_set_back_is_done_once(session: Session) -> None:
    row = asked(session)
    requests.claim(session, kind="look", now=NOW)
    assert keys(session, later(-3600)) == ["1"], "its worker is of another time"
    requests.finish(session, row, now=later(-3599))
    assert row.done_at == later(-3599)
