"""Who has left does and sees nothing from the day after: login, deeds, posts and lists agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from enums import Role
from models import Employee
from policy.vocabulary.errors import HasLeft, ValueRefused
from services.cases import desk, handling
from services.company import accounts, actors, leaving, people, presence
from services.notices import recipients
from tests.company import CONFIRMED, DISPATCHED, MORNING, Office, at

DAY = dt.timedelta(days=1)
TODAY = MORNING.date()


def leaves(office: Office, name: str, on: dt.date | None) -> Employee:
    """Set somebody's last day."""
    one = office.employee(name)
    kept = {key: getattr(one, key) for key in ("name", "department", "phone", "email", "joined_on")}
    people.change_employee(office.session, one, **kept, left_on=on)
    return one


@pytest.mark.parametrize(("left_on", "here"), [(None, True), (TODAY, True), (TODAY - DAY, False)])
def test_every_question_gets_one_answer(office: Office, left_on: dt.date, here: bool) -> None:
    session, user = office.session, office.account("director", Role.care)
    office.dispatched()
    director = leaves(office, "director", left_on)
    post = "after_sales_director"
    assert presence.is_with_us(director, on=TODAY) is here
    assert presence.is_open(user, on=TODAY) is here
    assert bool(actors.posts_of(session, director.id, on=TODAY)) is here
    assert (actors.leaders(session, post, on=TODAY)[0] is not None) is here
    assert (director in recipients.post_holders(session, post, on=TODAY)) is here
    assert desk.scope(session, user, on=TODAY).everything is here
    policy_id = office.version.policy_id
    by = actors.as_of(session, office.by("director"), policy_id=policy_id, on=TODAY)
    assert bool(by.employee) is bool(by.posts) is bool(by.departments) is here


def test_a_leaver_does_no_deed_not_even_one_dated_back(
    office: Office, refuses: Callable[..., Any]
) -> None:
    complaint = office.dispatched()
    office.reply(complaint)
    leaves(office, "director", CONFIRMED.date())
    leaves(office, "mechanic", CONFIRMED.date())
    late = CONFIRMED + DAY
    with refuses(HasLeft, left_on=CONFIRMED.date()):
        office.confirm(complaint, late)
    with refuses(HasLeft):
        handling.contact(
            office.session, complaint, actor=office.by("mechanic"), now=late, at=CONFIRMED
        )
    office.confirm(complaint, CONFIRMED)


def test_a_deputy_who_left_stands_in_for_nobody(office: Office) -> None:
    away = dt.date(2026, 11, 13)
    leaves(office, "manager", away - DAY)
    post = "after_sales_director"
    assert actors.leaders(office.session, post, on=away - DAY) == ("2001", "2002")
    assert actors.leaders(office.session, post, on=away) == ("2001", None)
    assert not actors.posts_of(office.session, office.employee("manager").id, on=away)


def test_a_successor_may_be_appointed_from_the_day_after(office: Office) -> None:
    leaves(office, "sales_director", TODAY)
    salesman, post = office.employee("salesman"), "sales_director"
    people.hold_post(office.session, salesman, post, from_on=TODAY + DAY)
    assert actors.leaders(office.session, post, on=TODAY)[0] == "3001"
    assert actors.leaders(office.session, post, on=TODAY + DAY)[0] == "3002"


def test_nothing_new_is_given_to_who_has_left(office: Office, refuses: Callable[..., Any]) -> None:
    session, complaint = office.session, office.dispatched()
    gone = leaves(office, "salesman", TODAY - DAY)
    with refuses(ValueRefused, why="has_left"):
        people.hold_post(session, gone, "warranty_clerk", from_on=TODAY)
    with refuses(ValueRefused, why="has_left"):
        people.share_post(session, gone, "warranty_clerk", from_on=TODAY)
    (held,) = office.holdings("after_sales_director")
    with refuses(ValueRefused, why="has_left"):
        people.appoint_deputy(session, held, gone, from_on=TODAY, until_on=TODAY)
    with refuses(ValueRefused, why="has_left"):
        handling.assign(
            session,
            complaint,
            handler=gone.number,
            actor=office.by("director"),
            now=DISPATCHED,
        )


def test_a_last_day_says_what_remains_open(office: Office) -> None:
    session, complaint = office.session, office.dispatched()
    user = office.account("director", Role.director)
    assert leaving.remains(session, office.employee("director")) is None
    director = leaves(office, "director", dt.date(2026, 11, 12))
    remains = leaving.remains(session, director)
    assert remains is not None
    assert [one.post for one in remains.posts] == ["after_sales_director"]
    assert [one.until_on for one in remains.deputyships] == [dt.date(2026, 11, 13)]
    assert (remains.cases, remains.case_count) == ((complaint,), 1)
    assert remains.accounts == (user,)


def test_what_ended_does_not_remain_open(office: Office) -> None:
    office.closed()
    leaves(office, "clerk", TODAY)
    assert not leaving.remains(office.session, office.employee("clerk"))
    (held,) = office.holdings("sales_director")
    people.end_post(office.session, held, until_on=TODAY)
    assert not leaving.remains(office.session, leaves(office, "sales_director", TODAY))


def test_a_last_day_taken_away_brings_everything_back(office: Office) -> None:
    user = office.account("director", Role.director)
    leaves(office, "director", TODAY - DAY)
    leaves(office, "director", None)
    assert presence.is_open(user, on=TODAY)
    assert actors.leaders(office.session, "after_sales_director", on=TODAY)[0] == "2001"


def test_the_last_administrator_cannot_leave_without_a_successor(
    office: Office, refuses: Callable[..., Any]
) -> None:
    session = office.session
    only = accounts.find_user(session, "administrator")
    assert only is not None
    only.employee_id = office.employee("clerk").id
    with refuses(ValueRefused, field="left_on", why="last_administrator"):
        leaves(office, "clerk", TODAY)
    office.account("salesman", Role.administrator)
    leaves(office, "clerk", TODAY)
    with refuses(ValueRefused, field="left_on", why="last_administrator"):
        leaves(office, "salesman", at(12, 31, 9).date())
