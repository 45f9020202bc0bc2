"""What a department does: contact, assign, answer, confirm, ask for time, and who may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from policy.vocabulary.errors import (
    ExtensionTooLong,
    FieldMissing,
    FieldTooLong,
    NotFound,
    PostMissing,
    StatusForbids,
    TimeBeforeCase,
    TimeInFuture,
)
from policy.vocabulary.status import DeadlineState, ReplyOutcome, Status
from services.cases import handling
from services.company import people
from tests.company import MORNING, Office, at


def clock(case: Any, key: str, round: int = 1) -> Any:
    """The case's clock of a rule in a round."""
    (found,) = [d for d in case.deadlines if (d.key, d.round) == (key, round)]
    return found


def test_a_contact_counts_at_the_time_stated_and_the_first_one_stays(office: Office) -> None:
    case = office.dispatched()
    mechanic = office.by("mechanic")
    handling.contact(office.session, case, actor=mechanic, now=at(9, 28, 12), at=at(9, 28, 10, 20))
    handling.contact(office.session, case, actor=mechanic, now=at(9, 28, 13))
    assert case.contacted_at == at(9, 28, 10, 20)


def test_a_deed_is_neither_of_the_future_nor_older_than_its_case(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    said: dict[str, Any] = {"actor": office.by("mechanic"), "now": at(9, 28, 12)}
    with refuses(TimeInFuture, field="at"):
        handling.contact(office.session, case, at=at(9, 28, 12, 1), **said)
    with refuses(TimeBeforeCase, field="at"):
        handling.contact(office.session, case, at=MORNING - dt.timedelta(minutes=1), **said)


def test_who_answers_first_handles_the_case(office: Office) -> None:
    case = office.dispatched()
    office.reply(case)
    assert case.handler is not None
    assert (case.handler.name, case.status) == ("mechanic", Status.replied)


def test_the_director_decides_who_handles_it(office: Office, refuses: Callable[..., Any]) -> None:
    case = office.dispatched()
    said = {"now": at(9, 28, 11)}
    with refuses(PostMissing, deed="assigned", cite="SKD-3.2.2a"):
        handling.assign(office.session, case, handler="2006", actor=office.by("mechanic"), **said)
    with refuses(NotFound, what="employee", key="7777"):
        handling.assign(office.session, case, handler="7777", actor=office.by("director"), **said)
    handling.assign(office.session, case, handler="2006", actor=office.by("director"), **said)
    office.reply(case)
    assert case.handler is not None
    assert case.handler.name == "colleague"


def test_another_department_neither_answers_nor_contacts(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    for name in ("salesman", "sales_director", "specialist", "clerk"):
        with refuses(PostMissing, deed="replied"):
            office.reply(case, actor=office.by(name))
    with refuses(PostMissing, deed="contacted", cite="SKD-3.2.2a"):
        handling.contact(office.session, case, actor=office.by("salesman"), now=at(9, 28, 11))


def test_who_moved_to_another_department_is_judged_by_where_he_is(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    mechanic = office.employee("mechanic")
    people.change_employee(
        office.session,
        mechanic,
        name=mechanic.name,
        department=office.department("sales"),
        phone=None,
        email=None,
        joined_on=None,
        left_on=None,
    )
    with refuses(PostMissing, deed="replied"):
        office.reply(case)


def test_what_he_did_before_he_moved_stays_when_the_journal_is_counted_anew(
    office: Office,
) -> None:
    case = office.dispatched()
    office.reply(case)
    office.employee("mechanic").department = office.department("sales")
    office.session.flush()
    office.confirm(case)
    assert case.status is Status.confirmed


def test_an_answer_waits_for_the_director_of_that_department(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    with refuses(StatusForbids, deed="confirmed", status=Status.dispatched):
        office.confirm(case)
    office.reply(case)
    for name in ("mechanic", "sales_director", "care_director", "manager"):
        with refuses(PostMissing, deed="confirmed", cite="SKD-3.2.2.1a"):
            office.confirm(case, by=name)
    office.confirm(case)
    assert case.status is Status.confirmed
    assert clock(case, "close_a").state is DeadlineState.met
    assert clock(case, "verification").due_at == at(9, 29, 15)
    (signoff,) = case.signoffs
    assert (signoff.event, signoff.post, signoff.as_deputy) == (
        "confirmed",
        "after_sales_director",
        False,
    )


def test_a_deputy_signs_on_the_days_of_his_deputyship_and_no_other(
    office: Office, refuses: Callable[..., Any]
) -> None:
    for day, may in ((11, False), (12, True), (13, True), (14, False)):
        case = office.registered(received_at=at(11, day, 9), now=at(11, day, 9))
        office.dispatch(case, at(11, day, 9, 30))
        assert case.responsible is not None
        assert case.responsible.name == ("manager" if may else "director")
        office.reply(case, at(11, day, 10))
        if may:
            office.confirm(case, at(11, day, 11), by="manager")
            assert [name.as_deputy for name in case.signoffs] == [True]
        else:
            with refuses(PostMissing, deed="confirmed"):
                office.confirm(case, at(11, day, 11), by="manager")


def test_a_case_only_the_director_can_handle_waits_for_him(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.registered(received_at=at(11, 12, 9), now=at(11, 12, 9))
    office.dispatch(case, at(11, 12, 9, 30), director_only=True)
    assert case.responsible is not None
    assert case.responsible.name == "director"
    office.reply(case, at(11, 12, 10))
    with refuses(PostMissing, deed="confirmed"):
        office.confirm(case, at(11, 12, 11), by="manager")
    office.confirm(case, at(11, 16, 9))


def test_a_new_director_signs_from_his_day_and_the_old_one_until_it(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    office.reply(case)
    (leading,) = office.holdings("after_sales_director")
    people.end_post(office.session, leading, until_on=dt.date(2026, 9, 28))
    people.hold_post(
        office.session,
        office.employee("colleague"),
        "after_sales_director",
        from_on=dt.date(2026, 9, 29),
    )
    with refuses(PostMissing):
        office.confirm(case, by="colleague")
    with refuses(PostMissing):
        office.confirm(case, at(9, 29, 9))
    office.confirm(case, at(9, 29, 9), by="colleague")
    assert case.responsible is not None
    assert case.responsible.name == "colleague"


def test_a_declined_answer_goes_back_to_the_handler(office: Office) -> None:
    case = office.dispatched()
    office.reply(case)
    handling.decline(
        office.session, case, reason="没有修好", actor=office.by("director"), now=at(9, 28, 15)
    )
    assert (case.status, case.reply_outcome) == (Status.dispatched, None)
    assert clock(case, "close_a").state is DeadlineState.running


def test_a_granted_extension_moves_the_due_time_and_keeps_the_old_one(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    with refuses(FieldMissing, field="until"):
        office.reply(case, outcome=ReplyOutcome.extension)
    with refuses(ExtensionTooLong, cite="SKD-3.2.3.2.1a"):
        office.reply(case, outcome=ReplyOutcome.extension, until=at(10, 14, 11))
    office.wish(case, until=at(10, 12, 17))
    assert case.status is Status.raised
    with refuses(PostMissing, deed="extension_granted"):
        handling.grant_extension(
            office.session,
            case,
            until=at(10, 12, 17),
            actor=office.by("director"),
            now=at(9, 29, 10),
        )
    handling.grant_extension(
        office.session,
        case,
        until=at(10, 12, 17),
        actor=office.by("specialist"),
        now=at(9, 29, 10),
    )
    closing = clock(case, "close_a")
    assert (case.status, closing.due_at) == (Status.dispatched, at(10, 12, 17))
    assert [(r.due_before, r.due_after, r.reason) for r in closing.revisions] == [
        (at(10, 8, 10), at(10, 12, 17), "extension_granted")
    ]
    assert [tally.counter for tally in case.tallies] == ["late_close"]
    assert [(extension.granted, extension.until) for extension in case.extensions] == [
        (True, at(10, 12, 17))
    ]


def test_the_general_manager_gives_a_case_back_with_a_term(
    office: Office, refuses: Callable[..., Any]
) -> None:
    case = office.dispatched()
    office.reply(case, outcome=ReplyOutcome.raise_to_gm, text="客户要求退车")
    office.confirm(case)
    assert case.status is Status.intervened
    said = {"solved": False, "text": "协商补偿", "now": at(9, 30, 9)}
    with refuses(PostMissing, deed="decided"):
        handling.decide(
            office.session, case, until=at(10, 9, 9), actor=office.by("director"), **said
        )
    handling.decide(
        office.session, case, until=at(10, 9, 9), actor=office.by("general_manager"), **said
    )
    assert (case.status, case.due_at) == (Status.dispatched, at(10, 9, 9))


@pytest.mark.parametrize(
    ("deed", "field"),
    [
        (lambda o, c, text: o.reply(c, text=text), "text"),
        (
            lambda o, c, text: handling.progress(
                o.session, c, text=text, actor=o.by("mechanic"), now=at(9, 28, 12)
            ),
            "text",
        ),
        (
            lambda o, c, text: handling.return_order(
                o.session, c, reason=text, actor=o.by("mechanic"), now=at(9, 28, 12)
            ),
            "reason",
        ),
    ],
    ids=["reply", "progress", "return"],
)
def test_five_megabytes_are_too_long_and_nothing_is_too_little(
    office: Office, refuses: Callable[..., Any], deed: Any, field: str
) -> None:
    case = office.dispatched()
    with refuses(FieldTooLong, field=field, limit=20_000):
        deed(office, case, "声" * 1_700_000)
    with refuses(FieldMissing, field=field):
        deed(office, case, "")
