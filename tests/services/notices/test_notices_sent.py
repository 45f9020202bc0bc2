"""The worker sends notices: to a real mailbox and robot, again when they fail, and never twice."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import notify
from config import Settings
from database import reading, writing
from models import Notice, NoticeDelivery
from services.notices import channels, deliveries, outcomes, reminders
from tests.company import DISPATCHED, Office, at
from tests.far_ends import PASSWORD, Mailbox, Robot, free_port, mail_server, robot_server
from worker import jobs, loop
from worker.chores import make_worker
from worker.loop import Worker

MINUTE = dt.timedelta(minutes=1)


@dataclass
class Clock:
    """What time it is for the workers."""

    now: dt.datetime = DISPATCHED


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The workers' clock; it stands until a test moves it."""
    clock = Clock()
    monkeypatch.setattr(loop, "now", lambda: clock.now.astimezone(dt.UTC))
    return clock


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on this machine."""
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def robot() -> Iterator[Robot]:
    """A robot on this machine."""
    with robot_server() as robot:
        yield robot


@pytest.fixture
def worker_of(settings: Settings, clock: Clock) -> Iterator[Callable[..., Worker]]:
    """`worker_of(mail)`: a worker that sends mail by that address."""
    made: list[Worker] = []

    def worker_of(mail: str = "") -> Worker:
        said = {"mail": mail or None, "address": "https://redress.example", "home": settings.home}
        made.append(make_worker(Settings.model_validate(said)))
        return made[-1]

    yield worker_of
    for one in made:
        one.huey.storage.close()
        one.engine.dispose()


def _work(one: Worker) -> bool:
    (chore,) = (chore for chore in one.chores if chore.name == "notices")
    return one.take_turn(chore)


@pytest.fixture
def number(office: Office, session: Session) -> str:
    """The number of a case just handed over to after-sales, whose director has a mailbox."""
    office.employee("director").email = "director@r.example"
    number = office.dispatched().number
    session.commit()
    return number


def _add_channel(engine: Engine, address: str) -> None:
    with writing(engine) as session:
        channels.add_channel(session, name="售后群", address=address, department=None)


def _deliveries(engine: Engine) -> list[NoticeDelivery]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(NoticeDelivery).order_by(NoticeDelivery.id)))


def test_the_director_reads_in_chinese_what_to_do_until_when_and_where(
    number: str, mailbox: Mailbox, worker_of: Callable[..., Worker]
) -> None:
    assert _work(worker_of(mailbox.address))
    (message,) = mailbox.messages
    assert message["To"] == "director@r.example"
    title, text = message["Subject"], message.get_content()
    assert title.startswith("Redress · ")
    assert title.endswith(number)
    assert "2026-10-08 10:00" in text
    assert "after_sales department" in text
    assert f"https://redress.example/c/{number}" in text
    assert "发动机异响" not in title + text, "what the customer said stays in Redress"


def test_a_robot_is_told_at_the_same_time(
    number: str, robot: Robot, engine: Engine, worker_of: Callable[..., Worker]
) -> None:
    _add_channel(engine, robot.address)
    _work(worker_of())
    ((_path, post),) = robot.posts
    assert number in post["title"]
    assert "发动机异响" not in post["title"] + post["message"]


def test_a_mail_server_that_refuses_twice_gets_the_mail_at_the_third_try(
    number: str, mailbox: Mailbox, engine: Engine, clock: Clock, worker_of: Callable[..., Worker]
) -> None:
    mailbox.answers = ["451 Not now", "451 Not now"]
    one = worker_of(mailbox.address)
    for wait in (dt.timedelta(0), 1 * MINUTE, 5 * MINUTE):
        clock.now += wait
        assert mailbox.messages == []
        _work(one)
        _work(one)
    (delivery,) = _deliveries(engine)
    assert len(mailbox.messages) == 1
    assert (delivery.tries, delivery.failure, delivery.next_at) == (3, None, None)
    assert delivery.sent_at == clock.now


def test_a_failure_is_kept_and_carries_no_secret(
    number: str,
    engine: Engine,
    worker_of: Callable[..., Worker],
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = f"mailto://redress:{PASSWORD}@127.0.0.1:{free_port()}?from=a@r.example"
    with caplog.at_level(logging.INFO):
        _work(worker_of(away))
    (delivery,) = _deliveries(engine)
    assert delivery.failure is not None
    assert delivery.failure.startswith("unreachable: ")
    assert "was not delivered: unreachable" in caplog.text
    ours = " ".join(one.getMessage() for one in caplog.records if one.name == "worker.jobs")
    assert PASSWORD not in delivery.failure + ours
    assert "director@r.example" not in ours


def test_two_workers_send_once(
    number: str, mailbox: Mailbox, engine: Engine, worker_of: Callable[..., Worker]
) -> None:
    first, second = worker_of(mailbox.address), worker_of(mailbox.address)
    _work(first)
    _work(second)
    with writing(engine) as session:  # as if the second had looked before the first had sent
        (waiting,) = session.scalars(sa.select(NoticeDelivery.id))
        assert deliveries.begin_try(session, waiting, now=DISPATCHED, on=DISPATCHED.date()) is None
    assert len(mailbox.messages) == 1


def test_what_was_not_confirmed_before_a_crash_is_sent_once_more_and_then_never(
    number: str,
    mailbox: Mailbox,
    engine: Engine,
    clock: Clock,
    worker_of: Callable[..., Worker],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send_and_die(address: str, message: notify.Message, *, to: str) -> None:
        deliver(address, message, to=to)
        raise KeyboardInterrupt

    deliver = notify.send_mail
    monkeypatch.setattr(notify, "send_mail", send_and_die)
    with pytest.raises(KeyboardInterrupt):
        _work(worker_of(mailbox.address))
    monkeypatch.undo()
    monkeypatch.setattr(loop, "now", lambda: clock.now.astimezone(dt.UTC))
    (delivery,) = _deliveries(engine)
    assert (delivery.tries, delivery.sent_at, delivery.failure) == (1, None, "interrupted")
    heir = worker_of(mailbox.address)
    _work(heir)
    assert len(mailbox.messages) == 1, "not before its time"
    for _ in range(3):
        clock.now += 5 * MINUTE
        _work(heir)
    assert len(mailbox.messages) == 2


def test_one_that_hangs_does_not_keep_the_sweep_waiting(
    office: Office,
    session: Session,
    engine: Engine,
    worker_of: Callable[..., Worker],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SENDING_S", 0.0)
    monkeypatch.setattr(notify, "ANSWER_S", 0.1)
    office.employee("director").email = "director@r.example"
    for _ in range(3):
        office.dispatched()
    session.commit()
    began = time.monotonic()
    _work(worker_of(f"mailto://127.0.0.1:{free_port()}?from=a@r.example"))
    assert [one.tries for one in _deliveries(engine)] == [1, 0, 0]
    assert time.monotonic() - began < 5


def test_terms_that_end_soon_are_announced_by_the_worker(
    number: str, mailbox: Mailbox, clock: Clock, engine: Engine, worker_of: Callable[..., Worker]
) -> None:
    clock.now = at(10, 8, 9)
    one = worker_of(mailbox.address)
    _work(one)
    _work(one)
    (message,) = mailbox.messages
    assert number in message["Subject"]
    assert "2026-10-08 10:00" in message.get_content()
    with reading(engine) as session:
        kinds = {row.kind: outcomes.state_of(row) for row in session.scalars(sa.select(Notice))}
    assert kinds == {"dispatched": "nobody", "due_soon": "sent"}


def test_a_case_that_cannot_be_looked_at_keeps_no_other_notice_back(
    number: str,
    mailbox: Mailbox,
    worker_of: Callable[..., Worker],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_said: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(reminders, "remind_of_deadlines", fail)
    _work(worker_of(mailbox.address))
    assert "could not be announced" in caplog.text
    assert len(mailbox.messages) == 1
