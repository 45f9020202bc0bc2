"""Notices out: who is told what, on which ways, once each, and what became of it.

A notice is a row written with the deed that causes it. `spread` turns it into one delivery per
way: mail to a person, or a message to a group robot (a channel). A delivery is sent outside any
transaction: `begin` counts the try and says when the next one would be, then the door touches
the network, then `sent` or `failed` says what became of it. So two workers never send the same
delivery, and one that is killed in between sends it at most once more.

Nothing here knows a network, a language or a clock; `now` is an aware instant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from models import (
    Complaint,
    Deadline,
    Department,
    Deputy,
    Employee,
    Notice,
    NoticeChannel,
    NoticeDelivery,
    PostHolding,
    Workbook,
)
from policy.pack.schema import DeadlineEntry, Pack
from policy.vocabulary.errors import Duplicate, FieldMissing, FieldTooLong
from policy.vocabulary.status import ENDS, DeadlineState
from services.company import actors
from services.regulation import policies

KINDS = (
    "dispatched",
    "restarted",
    "to_confirm",
    "to_decide",
    "to_endorse",
    "to_convene",
    "to_vote",
    "takes_part",
    "alert",
    "due_soon",
    "breached",
    "refused_input",
    "file_held",
    "file_problem",
    "test",
)
STALE = dt.timedelta(hours=24)
"""A notice older than this is told to nobody: after days without a server nobody is flooded."""

BACKOFF = tuple(dt.timedelta(minutes=m) for m in (1, 5, 15, 60, 240))
"""How long after each try the next one is made; after the last try the delivery is given up."""

TRIES = len(BACKOFF) + 1
BATCH = 200
LONGEST_NAME, LONGEST_ADDRESS, LONGEST_FAILURE = 120, 500, 500

_ALSO_TO_HANDLER = frozenset({"dispatched", "restarted", "due_soon", "breached"})
"""What is told not only to who answers for the case, but to who handles it as well."""

_BY_MAIL_ALONE = frozenset({"to_convene", "to_vote"})
"""What is nobody's business but the readers': appeals and votes enter no group."""


# ---------------------------------------------------------------- making notices


def add_notice(
    session: Session,
    *,
    kind: str,
    occasion: str,
    now: dt.datetime,
    facts: dict[str, Any],
    complaint: Complaint | None = None,
    workbook: Workbook | None = None,
    employee_id: int | None = None,
    department_id: int | None = None,
    post: str | None = None,
) -> Notice | None:
    """The new notice, flushed, or None when that kind and occasion of it was told before.

    `department_id` says whose robots hear it; without one it is the department of the file, or of
    the case. `facts` is plain JSON; the number of the case and the name of the file are added.
    """
    if _is_known(session, kind, occasion, complaint=complaint, workbook=workbook):
        return None
    notice = Notice(
        complaint_id=None if complaint is None else complaint.id,
        sheet_id=None if workbook is None else workbook.id,
        kind=kind,
        occasion=occasion,
        employee_id=employee_id,
        department_id=department_id or _department_of(complaint, workbook),
        post=post,
        facts=_subject_facts(complaint, workbook) | facts,
        made_at=now,
    )
    return _insert_once(session, notice)


def _is_known(
    session: Session,
    kind: str,
    occasion: str,
    *,
    complaint: Complaint | None,
    workbook: Workbook | None,
) -> bool:
    same = sa.and_(Notice.kind == kind, Notice.occasion == occasion)
    about = []
    if complaint is not None:
        about.append(Notice.complaint_id == complaint.id)
    if workbook is not None:
        about.append(Notice.sheet_id == workbook.id)
    if not about:
        about.append(sa.and_(Notice.complaint_id.is_(None), Notice.sheet_id.is_(None)))
    return bool(session.scalar(sa.select(sa.exists().where(same, sa.or_(*about)))))


def _department_of(complaint: Complaint | None, workbook: Workbook | None) -> int | None:
    """Whose business it is: a file's is its own department's, also after the case has left it."""
    if workbook is not None:
        return workbook.department_id
    return None if complaint is None else complaint.department_id


def _subject_facts(complaint: Complaint | None, workbook: Workbook | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if complaint is not None:
        found["number"] = complaint.number
    if workbook is not None:
        found["sheet"] = workbook.name
    return found


def _insert_once(session: Session, notice: Notice) -> Notice | None:
    """The notice added, or None where another session told the same at this moment."""
    try:
        with session.begin_nested():
            session.add(notice)
    except IntegrityError:
        return None
    return notice


# ---------------------------------------------------------------- due soon


def remind_of_deadlines(
    session: Session, *, now: dt.datetime, on: dt.date, within: dt.timedelta
) -> list[Notice]:
    """Tell once per due time that a term ends soon: within `within`, or in its last quarter.

    The shorter of the two counts, so a term of two hours is announced half an hour before. Terms
    that end a case's observation are nobody's duty and are left out. `on` is the company's day.
    """
    ending = session.scalars(
        sa.select(Deadline)
        .join(Deadline.complaint)
        .where(Deadline.state == DeadlineState.running)
        .where(Deadline.due_at > now, Deadline.due_at <= now + within)
        .where(Complaint.history.is_(False), Complaint.status.not_in(ENDS))
        .options(joinedload(Deadline.complaint).joinedload(Complaint.policy_version))
        .order_by(Deadline.due_at, Deadline.id)
    ).all()
    fresh = _without_reminder(session, [one for one in ending if _in_last_quarter(one, now)])
    made = (_add_reminder(session, one, now=now, on=on) for one in fresh)
    return [notice for notice in made if notice is not None]


def _in_last_quarter(deadline: Deadline, now: dt.datetime) -> bool:
    assert deadline.due_at is not None
    return deadline.due_at - now <= (deadline.due_at - deadline.starts_at) / 4


def occasion_of(deadline: Deadline) -> str:
    assert deadline.due_at is not None
    return f"{deadline.key}/{deadline.round}/{_utc(deadline.due_at)}"


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _without_reminder(session: Session, deadlines: Sequence[Deadline]) -> list[Deadline]:
    if not deadlines:
        return []
    told = sa.select(Notice.complaint_id, Notice.occasion).where(
        Notice.kind == "due_soon",
        Notice.complaint_id.in_({deadline.complaint_id for deadline in deadlines}),
    )
    known = {(row.complaint_id, row.occasion) for row in session.execute(told)}
    return [
        deadline
        for deadline in deadlines
        if (deadline.complaint_id, occasion_of(deadline)) not in known
    ]


def _add_reminder(
    session: Session, deadline: Deadline, *, now: dt.datetime, on: dt.date
) -> Notice | None:
    complaint = deadline.complaint
    pack = policies.pack(session, complaint.policy_version)
    entry: DeadlineEntry | None = pack.find("deadline", deadline.key)
    if entry is None or entry.ends in ("archive", "warning"):
        return None
    employee_id, department_id, post = _recipient_of(session, deadline, entry, pack, on=on)
    assert deadline.due_at is not None
    return add_notice(
        session,
        kind="due_soon",
        occasion=occasion_of(deadline),
        now=now,
        complaint=complaint,
        employee_id=employee_id,
        department_id=department_id,
        post=post,
        facts={
            "clock": entry.label,
            "cite": str(entry.cite),
            "due_at": _utc(deadline.due_at),
            **({"provisional": True} if deadline.provisional else {}),
        },
    )


def _recipient_of(
    session: Session, deadline: Deadline, entry: DeadlineEntry, pack: Pack, *, on: dt.date
) -> tuple[int | None, int | None, str | None]:
    """Whose duty a clock is: an employee, a department and a post, by who may meet it.

    A clock that binds somebody is his. Else it is the department's where its people may meet it,
    and the business of the named department or post where they may not.
    """
    complaint = deadline.complaint
    doers = [who for name in entry.met_by for one in pack.signoffs.get(name, ()) for who in one.by]
    on_the_case = {"director", "handler", "lead_department"} & set(doers)
    if deadline.responsible_id is not None or (on_the_case and complaint.department_id is not None):
        employee_id = deadline.responsible_id or complaint.responsible_id
        return employee_id, complaint.department_id, None
    real = actors.department_ids(session, policy_id=complaint.policy_version.policy_id, on=on)
    for who in doers:
        key = who.removeprefix("member:")
        if key != who and key in real:
            return None, real[key], None
    post = next((who for who in doers if ":" not in who and who not in on_the_case), None)
    return None, _department_of_post(session, post, on=on), post


def _department_of_post(session: Session, post: str | None, *, on: dt.date) -> int | None:
    found = {one.department_id for one in post_holders(session, post, on=on)} if post else set()
    return found.pop() if len(found) == 1 else None


def post_holders(session: Session, post: str, *, on: dt.date) -> list[Employee]:
    """Who holds a post on a day, and who stands in for them."""
    held = sa.and_(
        PostHolding.post == post,
        PostHolding.from_on <= on,
        sa.or_(PostHolding.until_on.is_(None), PostHolding.until_on >= on),
    )
    own = sa.select(PostHolding.employee_id).where(held)
    standing_in = (
        sa.select(Deputy.employee_id)
        .join(PostHolding, Deputy.holding_id == PostHolding.id)
        .where(held, Deputy.from_on <= on, Deputy.until_on >= on)
    )
    ids = sa.union(own, standing_in).subquery()
    people = sa.select(Employee).where(Employee.id.in_(sa.select(ids)))
    return list(session.scalars(people.order_by(Employee.id)))


# ---------------------------------------------------------------- spreading


def make_deliveries(session: Session, *, now: dt.datetime, on: dt.date, mails: bool) -> int:
    """Make the deliveries of notices that have none yet; how many notices were looked at.

    `mails` says whether there is a mail server. A notice older than STALE gets no delivery, only
    the time at which that was decided.
    """
    notices = session.scalars(
        sa.select(Notice)
        .where(Notice.spread_at.is_(None))
        .options(joinedload(Notice.complaint))
        .order_by(Notice.id)
        .limit(BATCH)
    ).all()
    channels = _active_channels(session) if notices else []
    for notice in notices:
        notice.spread_at = now
        if now - notice.made_at <= STALE:
            readers = readers_of(session, notice, on=on) if mails else []
            session.add_all(_deliveries_of(notice, readers, channels, now=now))
    session.flush()
    return len(notices)


def _active_channels(session: Session) -> list[NoticeChannel]:
    active = sa.select(NoticeChannel).where(NoticeChannel.active.is_(True))
    return list(session.scalars(active.order_by(NoticeChannel.id)))


def readers_of(session: Session, notice: Notice, *, on: dt.date) -> list[Employee]:
    """Whom a notice goes to by mail, each once: who has an address and has not left."""
    ids = {notice.employee_id} | _handler(notice)
    ids |= {one.id for one in post_holders(session, notice.post, on=on)} if notice.post else set()
    people = session.scalars(
        sa.select(Employee).where(Employee.id.in_(ids - {None})).order_by(Employee.id)
    )
    return [one for one in people if is_reachable(one, on=on)]


def _handler(notice: Notice) -> set[int | None]:
    case = notice.complaint
    if (
        case is None
        or notice.kind not in _ALSO_TO_HANDLER
        or notice.department_id != case.department_id
    ):
        return set()
    return {case.handler_id}


def is_reachable(employee: Employee, *, on: dt.date) -> bool:
    return bool(employee.email) and (employee.left_on is None or employee.left_on >= on)


def _deliveries_of(
    notice: Notice,
    readers: Iterable[Employee],
    channels: Iterable[NoticeChannel],
    *,
    now: dt.datetime,
) -> list[NoticeDelivery]:
    heard = () if notice.kind in _BY_MAIL_ALONE else channels
    hearing = [one for one in heard if one.department_id in {None, notice.department_id}]
    mails = [
        NoticeDelivery(notice_id=notice.id, way=f"mail:{one.id}", next_at=now) for one in readers
    ]
    return mails + [to_channel(notice, one, now=now) for one in hearing]


def to_channel(notice: Notice, channel: NoticeChannel, *, now: dt.datetime) -> NoticeDelivery:
    return NoticeDelivery(
        notice_id=notice.id, way=f"channel:{channel.id}", channel_id=channel.id, next_at=now
    )


# ---------------------------------------------------------------- sending


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One try of a delivery: what to say, and the address of a robot or of a person."""

    delivery_id: int
    kind: str
    facts: dict[str, Any]
    channel_address: str | None
    email: str | None


def due_deliveries(session: Session, *, now: dt.datetime, limit: int = BATCH) -> list[int]:
    """The ids of the deliveries whose next try is due, the longest waiting first."""
    return list(
        session.scalars(
            sa.select(NoticeDelivery.id)
            .where(NoticeDelivery.next_at <= now)
            .order_by(NoticeDelivery.next_at, NoticeDelivery.id)
            .limit(limit)
        )
    )


def begin_try(
    session: Session, delivery_id: int, *, now: dt.datetime, on: dt.date
) -> Outgoing | None:
    """Count a try and say what to send, or None where nothing is to be sent any more.

    Commit it before the network is touched: whoever asks for the same delivery meanwhile gets
    None, and after a crash the next try is made when its time has come.
    """
    waits = sa.select(NoticeDelivery).where(
        NoticeDelivery.id == delivery_id, NoticeDelivery.next_at <= now
    )
    delivery = session.scalar(waits.with_for_update())
    if delivery is None:
        return None
    idle = _reason_not_to_send(session, delivery, now=now, on=on)
    if idle is not None:
        _give_up(session, delivery, idle)
        return None
    delivery.tries += 1
    delivery.next_at = now + BACKOFF[delivery.tries - 1] if delivery.tries < TRIES else None
    delivery.failure = "interrupted"  # unless `sent` or `failed` says otherwise
    session.flush()
    return _outgoing(session, delivery)


def mark_sent(session: Session, delivery_id: int, *, now: dt.datetime) -> None:
    """Note that the far end took the delivery; it is never tried again."""
    delivery = session.get_one(NoticeDelivery, delivery_id)
    delivery.sent_at, delivery.next_at, delivery.failure = now, None, None
    session.flush()


def mark_failed(session: Session, delivery_id: int, *, why: str) -> None:
    """Note why a try failed; the next one was set by `begin`, or there is none any more.

    `why` is kept as it is shown: it must carry no secret.
    """
    delivery = session.get_one(NoticeDelivery, delivery_id)
    delivery.failure = why[:LONGEST_FAILURE]
    session.flush()


def _give_up(session: Session, delivery: NoticeDelivery, why: str) -> None:
    delivery.next_at, delivery.failure = None, why
    session.flush()


def _reason_not_to_send(
    session: Session, delivery: NoticeDelivery, *, now: dt.datetime, on: dt.date
) -> str | None:
    """Why there is nothing to send any more, as a code; None when there is."""
    if now - delivery.notice.made_at > STALE:
        return "too_old"
    if _is_over(session, delivery.notice):
        return "over"
    if delivery.channel is not None:
        heard = delivery.channel.active or delivery.notice.kind == "test"
        return None if heard else "channel_off"
    reader = _reader(session, delivery)
    return None if reader is not None and is_reachable(reader, on=on) else "nobody"


def _reader(session: Session, delivery: NoticeDelivery) -> Employee | None:
    return session.get(Employee, int(delivery.way.removeprefix("mail:")))


def _is_over(session: Session, notice: Notice) -> bool:
    """Whether the term that was to end soon was met, moved or has run out."""
    if notice.kind != "due_soon" or notice.complaint_id is None:
        return False
    running = session.scalars(
        sa.select(Deadline).where(
            Deadline.complaint_id == notice.complaint_id, Deadline.state == DeadlineState.running
        )
    )
    return notice.occasion not in {occasion_of(one) for one in running if one.due_at is not None}


def _outgoing(session: Session, delivery: NoticeDelivery) -> Outgoing:
    notice, channel = delivery.notice, delivery.channel
    reader = None if channel is not None else _reader(session, delivery)
    return Outgoing(
        delivery_id=delivery.id,
        kind=notice.kind,
        facts=notice_facts(session, notice),
        channel_address=None if channel is None else channel.address,
        email=None if reader is None else reader.email,
    )


def notice_facts(session: Session, notice: Notice) -> dict[str, Any]:
    """The facts of a notice for its sentences; instants as instants, never a customer's data."""
    found: dict[str, Any] = dict(notice.facts)
    department = session.get(Department, notice.department_id) if notice.department_id else None
    found["department"] = None if department is None else department.name
    if "due_at" in found:
        found["due_at"] = dt.datetime.fromisoformat(found["due_at"])
    elif notice.complaint is not None:
        found["due_at"] = notice.complaint.due_at
        if notice.complaint.due_provisional:
            found["provisional"] = True
    return found


# ---------------------------------------------------------------- channels


def add_channel(
    session: Session, *, name: str, address: str, department: Department | None
) -> NoticeChannel:
    """A new channel. The door has looked at the address. Raises FieldMissing or Duplicate."""
    channel = NoticeChannel(name="", address="", active=True)
    _name_channel(session, channel, name)
    channel.address = _checked_text(address, "address", LONGEST_ADDRESS)
    channel.department_id = None if department is None else department.id
    session.add(channel)
    session.flush()
    return channel


def change_channel(
    session: Session,
    channel: NoticeChannel,
    *,
    name: str,
    address: str,
    department: Department | None,
    active: bool,
) -> None:
    """Change a channel; an empty `address` keeps the one it has."""
    _name_channel(session, channel, name)
    if address.strip():
        channel.address = _checked_text(address, "address", LONGEST_ADDRESS)
    channel.department_id = None if department is None else department.id
    channel.active = active
    session.flush()


def send_test(session: Session, channel: NoticeChannel, *, now: dt.datetime) -> Notice:
    """A notice that only says it is a test, on the way to that channel and to no other."""
    notice = Notice(
        kind="test",
        occasion=f"channel/{channel.id}/{now.isoformat()}",
        department_id=channel.department_id,
        facts={"channel": channel.name},
        made_at=now,
        spread_at=now,
    )
    session.add(notice)
    session.flush()
    session.add(to_channel(notice, channel, now=now))
    session.flush()
    return notice


def _name_channel(session: Session, channel: NoticeChannel, name: str) -> None:
    name = _checked_text(name, "name", LONGEST_NAME)
    same = sa.select(NoticeChannel.id).where(NoticeChannel.name == name)
    with session.no_autoflush:
        if session.scalar(same) not in {None, channel.id}:
            raise Duplicate(field="name", value=name)
    channel.name = name


def _checked_text(text: str, field: str, limit: int) -> str:
    text = text.strip()
    if not text:
        raise FieldMissing(field=field)
    if len(text) > limit:
        raise FieldTooLong(field=field, limit=limit)
    return text


# ---------------------------------------------------------------- what became of it

STATES = ("waiting", "sent", "failed", "nobody")
_UNNEEDED = ("over", "nobody", "channel_off")
"""Failures that are none: there was nothing to send any more."""


def state_of(notice: Notice) -> str:
    """What became of a notice, one word of STATES; the worst of its deliveries counts."""
    deliveries = notice.deliveries
    if notice.spread_at is None or any(one.next_at is not None for one in deliveries):
        return "waiting"
    if any(one.sent_at is None and one.failure not in _UNNEEDED for one in deliveries):
        return "failed"
    return "sent" if any(one.sent_at is not None for one in deliveries) else "nobody"


def has_state(name: str) -> sa.ColumnElement[bool]:
    """The condition under which `state` says that word."""
    waits = sa.or_(Notice.spread_at.is_(None), _has(NoticeDelivery.next_at.is_not(None)))
    lost = _has(
        NoticeDelivery.sent_at.is_(None),
        NoticeDelivery.next_at.is_(None),
        NoticeDelivery.failure.not_in(_UNNEEDED),
    )
    arrived = _has(NoticeDelivery.sent_at.is_not(None))
    conditions = {
        "waiting": waits,
        "failed": sa.and_(~waits, lost),
        "sent": sa.and_(~waits, ~lost, arrived),
        "nobody": sa.and_(~waits, ~lost, ~arrived),
    }
    return conditions[name]


def was_too_old(notice: Notice) -> bool:
    """Whether a notice went to nobody because it was older than STALE when it was looked at."""
    late = notice.spread_at is not None and notice.spread_at - notice.made_at > STALE
    return late and not notice.deliveries


def _has(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(NoticeDelivery.notice_id == Notice.id, *conditions)
