"""Checks of a draft: findings seen at once, and those of the slow part the worker does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from enums import Role
from models import PolicyVersion, PostHolding, User
from policy.pack.loading import (
    CASE_ROLES,
    build_pack,
    is_role,
    named_people,
    parameter_values,
    references,
)
from policy.pack.schema import SECTIONS, Pack
from policy.proof.checking import (
    changed_cases,
    readable_pack,
    without_next_deed,
    written_findings,
)
from policy.proof.contradictions import Finding
from policy.proof.laws import law_findings
from policy.vocabulary.worktime import WorkCalendar
from services.calendar import working_calendar
from services.company import presence
from services.company.actors import Actor
from services.jobs import requests
from services.regulation import departments, drafts, policies, shipped

CHECK = "policy_check"
"""The kind of the request for the slow part of a check."""


@dataclass(frozen=True, slots=True)
class DraftCheck:
    """The findings about a version: those seen at once, and those of the slow part.

    `current` says that the slow part looked at the draft as it is now.
    """

    quick: tuple[Finding, ...]
    slow: tuple[Finding, ...]
    current: bool

    @property
    def grave(self) -> list[Finding]:
        """Return the findings that forbid to publish it."""
        return [one for one in (*self.quick, *self.slow) if one.grave]


def check(session: Session, version: PolicyVersion, *, on: dt.date) -> DraftCheck:
    """Return the findings about a version; its posts and departments are looked up on a day."""
    data = policies.plain_data(session, version)
    quick = written_findings(data)
    # Whatever is broken in the text, the people are looked at too: all findings come at once.
    pack, _ = readable_pack(data, parameter_values(data, {}))
    quick += unheld_posts(session, pack, on=on)
    quick += holders_without_account(session, pack, on=on)
    quick += unmapped_departments(session, pack, policy_id=version.policy_id)
    if pack.policy is not None:
        quick += _number_clashes(session, pack, on=on)
    current = version.checked_for == policies.checksum_of(data)
    slow = [Finding(**one) for one in version.findings or ()] if current else []
    return DraftCheck(tuple(sorted(quick, key=lambda one: not one.grave)), tuple(slow), current)


def unheld_posts(session: Session, pack: Pack, *, on: dt.date) -> list[Finding]:
    """Return a finding for each post that rules need and no employee holds on that day or later.

    Where several posts may do something and none is held, the finding is about that rule.
    """
    held = {one.post for one in _holdings(session, on=on)}
    needed: dict[str, list[tuple[str, str]]] = {}
    found = []
    for section, entry in _entries(pack):
        wanted = [(key,) for target, key in references(entry) if target == "post"]
        for posts in (*wanted, *(who for _, who in named_people(section, entry))):
            if any(_names_a_person(one, held) for one in posts):
                continue
            known = [post for post in posts if pack.find("post", post)]
            if len(known) > 1:
                facts = {"posts": known}
                found.append(Finding("nobody_of_posts", section, entry.key, facts=facts))
            for post in known if len(known) == 1 else ():
                needed.setdefault(post, []).append((section, entry.key))
    return [*_vacancies(needed), *found]


def _vacancies(needed: Mapping[str, list[tuple[str, str]]]) -> Iterator[Finding]:
    """Yield one finding for each vacant post, with the rules that need it."""
    for post, rules in needed.items():
        by = list(dict.fromkeys(rules))
        facts = {"posts": [post], "rules": by, "count": len(by)}
        yield Finding("post_unheld", "post", post, facts=facts)


def _entries(pack: Pack) -> Iterator[tuple[str, Any]]:
    for section in SECTIONS:
        yield from ((section, entry) for entry in getattr(pack, section))


def _holdings(session: Session, *, on: dt.date) -> Sequence[PostHolding]:
    """Return who holds a post on a day or later."""
    return session.scalars(sa.select(PostHolding).where(presence.lasts(on=on))).all()


CASEWORKERS = frozenset(
    {Role.administrator, Role.care, Role.director, Role.member, Role.general_manager}
)
"""The roles whose accounts open a case and do something in it."""


def holders_without_account(session: Session, pack: Pack, *, on: dt.date) -> list[Finding]:
    """Return a finding for each holder of a post with deeds whose account opens no case.

    What is theirs to do on a case waits until somebody notices that roles and posts are two things.
    """
    deeds: dict[str, list[tuple[str, str]]] = {}
    for section, entry in _entries(pack):
        if section in ("signoff", "chain"):
            for _, who in named_people(section, entry):
                for post in who:
                    deeds.setdefault(post, []).append((section, entry.key))
    able = set(
        session.scalars(sa.select(User.employee_id).where(User.active, User.role.in_(CASEWORKERS)))
    )
    return [
        Finding(
            "holder_without_account",
            "post",
            one.post,
            facts={"holder": one.employee.name, "rules": list(dict.fromkeys(deeds[one.post]))},
            grave=False,
        )
        for one in _holdings(session, on=on)
        if one.post in deeds and pack.find("post", one.post) and one.employee_id not in able
    ]


def unmapped_departments(session: Session, pack: Pack, *, policy_id: int) -> list[Finding]:
    """Return a finding for each department of a regulation the company has none for, now or
    later.
    """
    missing = departments.unmapped(session, pack, policy_id=policy_id, on=departments.IN_THE_END)
    return [Finding("department_unmapped", "department", entry.key) for entry in missing]


def _number_clashes(session: Session, pack: Pack, *, on: dt.date) -> list[Finding]:
    """Return a finding for each series whose numbers another regulation gives, that day or
    later.
    """
    return [
        Finding(
            "number_taken",
            "number",
            mine.key,
            "template",
            {"policy": version.policy.name, "series": its.label},
        )
        for mine, its, version in policies.series_clashes(session, pack, on=on)
    ]


def _names_a_person(who: str, held: Collection[str]) -> bool:
    """Whether a name stands for a person: anybody, a part in the case, or a post that is held."""
    return who == "anybody" or who in held or who in CASE_ROLES or is_role(who)


def request_check(
    session: Session, draft: PolicyVersion, *, actor: Actor, now: dt.datetime
) -> None:
    """Ask the worker for the slow part of the check."""
    requests.request_work(session, kind=CHECK, key=str(draft.id), user_id=actor.user_id, now=now)


def is_check_requested(session: Session, version: PolicyVersion) -> bool:
    """Whether the slow part of the check is asked for and not done yet."""
    return str(version.id) in {row.key for row in requests.open_requests(session, kind=CHECK)}


def store_findings(
    session: Session,
    version_id: int,
    content: str,
    *,
    found: Iterable[Finding],
    now: dt.datetime,
) -> None:
    """Store the findings of the slow part about a content, named by its checksum.

    A user who edits meanwhile is not disturbed: the count of changes stays.
    """
    session.execute(
        sa.update(PolicyVersion)
        .where(PolicyVersion.id == version_id)
        .values(checked_for=content, checked_at=now, findings=[one.plain() for one in found])
        .execution_options(synchronize_session=False)
    )
    version = session.get_one(PolicyVersion, version_id)
    session.expire(version, ["checked_for", "checked_at", "findings"])


@dataclass(frozen=True, slots=True)
class CheckInput:
    """The data the slow part of a check reads: values only, so that it needs no transaction."""

    content: str
    data: Mapping[str, Any]
    before: Mapping[str, Any] | None
    calendar: WorkCalendar


def check_input(session: Session, version_id: int) -> CheckInput | None:
    """Return the data to check; None where that version is gone."""
    version = session.get(PolicyVersion, version_id)
    if version is None:
        return None
    data = policies.plain_data(session, version)
    calendar = working_calendar.work_calendar(session)
    return CheckInput(
        policies.checksum_of(data), data, _data_at_beginning(session, version), calendar
    )


def _data_at_beginning(session: Session, version: PolicyVersion) -> Mapping[str, Any] | None:
    """Return the data the draft was begun from: another version, or the shipped text of its key."""
    if version.based_on:
        return policies.plain_data(session, version.based_on)
    return shipped.shipped_data(version.policy.key)


_OF_A_CHANGE = ("file", "case", "step", "deed", "about", "wanted", "found")


def slow_findings(work: CheckInput) -> list[Finding]:
    """Return the findings of a walk over all states and of the regulation's case files. Slow and
    pure.

    A draft that does not load is not looked at: the quick findings come first.
    """
    if any(one.grave for one in written_findings(work.data)):
        return []
    pack = build_pack(work.data)
    found = [*without_next_deed(pack, work.calendar), *law_findings(pack, work.calendar)]
    if work.before is None:
        return found
    folder = shipped.CASE_FILES / str(work.data[drafts.HEAD]["key"])
    for one in changed_cases(work.data, work.before, folder, calendar=work.calendar):
        facts = {name: getattr(one, name) for name in _OF_A_CHANGE}
        clause = one.proves[0] if one.proves else ""
        found.append(Finding("case_differs", "clause", clause, facts=facts, grave=False))
    return found
