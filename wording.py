"""Codes and facts into sentences, in the reader's language.

The record and the rules hold codes: an enumeration, an event, a refusal with facts. What a
person reads of them is made here and nowhere else, at the moment it is read. Inside a request
the language and the zone are the visitor's; elsewhere (worker, command line) the caller says:

    with speaking("en", zone): wording.error(refusal)
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import flask_babel
from babel.support import NullTranslations, Translations
from flask import has_app_context

from policy.errors import DomainError
from policy.lifecycle import (
    ActorKind,
    Audience,
    CallOutcome,
    CallPurpose,
    CellDeed,
    Choice,
    ClockState,
    ClosingGround,
    PenaltyStatus,
    ProblemKind,
    ReplyOutcome,
    Responsibility,
    Role,
    Satisfaction,
    SheetState,
    Sign,
    Status,
    TrialState,
)
from policy.worktime import DayKind

LANGUAGES = {"zh_Hans_CN": "中文", "en": "English"}
CATALOGUES = Path(__file__).resolve().parent / "translations"

_spoken: ContextVar[tuple[str, ZoneInfo] | None] = ContextVar("spoken", default=None)


@contextmanager
def speaking(language: str, zone: ZoneInfo) -> Iterator[None]:
    """Say everything inside in `language` and with the clock times of `zone`."""
    token = _spoken.set((language, zone))
    try:
        yield
    finally:
        _spoken.reset(token)


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(CATALOGUES, [language])


def _(msgid: str, **facts: Any) -> str:
    spoken = _spoken.get()
    if spoken is not None:
        said = _catalogue(spoken[0]).ugettext(msgid)
    elif has_app_context():
        said = flask_babel.get_translations().ugettext(msgid)
    else:
        said = msgid
    return said % facts if facts else said


def mark(msgid: str) -> str:
    """The msgid itself; the name tells the extraction that it is one."""
    return msgid


def zone() -> dt.tzinfo:
    """The zone in which times are shown now."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken[1]
    # By name, because the zones Flask-Babel hands out may be of another kind.
    return ZoneInfo(str(flask_babel.get_timezone())) if has_app_context() else dt.UTC


def moment(at: dt.datetime) -> str:
    """An instant as a local date and time to the minute: 2026-10-13 16:20."""
    return at.astimezone(zone()).strftime("%Y-%m-%d %H:%M")


def money(amount: Decimal | int) -> str:
    """A sum of yuan: ¥1,200 or ¥0.50; fen are shown when there are any."""
    whole = amount == int(amount)
    return f"¥{amount:,.0f}" if whole else f"¥{amount:,.2f}"


# ---------------------------------------------------------------- labels

_LABELS: dict[enum.Enum, str] = {
    Status.registered: mark("Registered"),
    Status.returned: mark("Returned"),
    Status.dispatched: mark("In progress"),
    Status.replied: mark("Awaiting confirmation"),
    Status.raised: mark("Raised"),
    Status.intervened: mark("GM intervention"),
    Status.confirmed: mark("Awaiting callback"),
    Status.disputed: mark("Customer dissatisfied"),
    Status.accepted: mark("Awaiting signature"),
    Status.closed: mark("Closed, observed"),
    Status.archived: mark("Archived"),
    Status.recorded: mark("Recorded only"),
    Status.withdrawn: mark("Withdrawn"),
    Responsibility.undetermined: mark("Responsibility undetermined"),
    Responsibility.responsible: mark("Responsible"),
    Responsibility.not_responsible: mark("Not responsible"),
    ReplyOutcome.solved: mark("Solved"),
    ReplyOutcome.extension: mark("Asks for an extension"),
    ReplyOutcome.raise_to_gm: mark("Raise to the general manager"),
    CallPurpose.verification: mark("Verification callback"),
    CallPurpose.satisfaction: mark("Satisfaction callback"),
    CallOutcome.answered: mark("Answered"),
    CallOutcome.unreachable: mark("Not reached"),
    CallOutcome.refused: mark("Refused to talk"),
    CallOutcome.wrong_number: mark("Wrong number"),
    Satisfaction.very_satisfied: mark("Very satisfied"),
    Satisfaction.satisfied: mark("Satisfied"),
    Satisfaction.acceptable: mark("Acceptable"),
    Satisfaction.dissatisfied: mark("Dissatisfied"),
    Satisfaction.very_dissatisfied: mark("Very dissatisfied"),
    ClosingGround.satisfied: mark("Customer accepts"),
    ClosingGround.unreachable: mark("Customer not reached"),
    ClosingGround.refused: mark("Customer refused the call"),
    ClosingGround.wrong_number: mark("Number is wrong"),
    ClosingGround.settled: mark("Settled by the care director"),
    ClosingGround.concluded: mark("Concluded at the desk"),
    ClosingGround.unclosable: mark("Unclosable by decision of the jury"),
    ClockState.running: mark("Running"),
    ClockState.met: mark("Met"),
    ClockState.superseded: mark("Superseded"),
    PenaltyStatus.proposed: mark("Proposed"),
    PenaltyStatus.confirmed: mark("Confirmed"),
    PenaltyStatus.notified: mark("Notified"),
    PenaltyStatus.waived: mark("Waived"),
    PenaltyStatus.lapsed: mark("Lapsed"),
    Sign.charge: mark("Charge"),
    Sign.reversal: mark("Reversal"),
    Sign.reward: mark("Reward"),
    Role.administrator: mark("Administrator"),
    Role.care: mark("Customer care"),
    Role.director: mark("Department director"),
    Role.member: mark("Department member"),
    Role.general_manager: mark("General manager"),
    Role.juror: mark("Juror"),
    Role.hr: mark("Human resources"),
    Role.auditor: mark("Auditor"),
    Role.employee: mark("Employee"),
    ActorKind.user: mark("User"),
    ActorKind.sheet: mark("Spreadsheet"),
    ActorKind.client: mark("Program"),
    ActorKind.system: mark("System"),
    Audience.department: mark("A department's file"),
    Audience.payroll: mark("The payroll's file"),
    CellDeed.taken: mark("Taken in"),
    CellDeed.written: mark("Written into the file"),
    CellDeed.put_back: mark("Put back"),
    CellDeed.refused: mark("Not taken"),
    CellDeed.conflict: mark("Changed on both sides"),
    CellDeed.outdated: mark("Old copy passed over"),
    CellDeed.appended: mark("Row added"),
    CellDeed.blanked: mark("Row removed"),
    ProblemKind.conflict: mark("Changed on both sides"),
    ProblemKind.refused: mark("Input not taken"),
    ProblemKind.repeated: mark("Row stands twice"),
    ProblemKind.not_ours: mark("Case of another department"),
    ProblemKind.structure: mark("File stopped"),
    ProblemKind.file: mark("File not reachable"),
    ProblemKind.copy: mark("Copy found"),
    SheetState.working: mark("In step"),
    SheetState.waiting: mark("Open elsewhere"),
    SheetState.stopped: mark("Stopped"),
    SheetState.unreachable: mark("Not reachable"),
    SheetState.paused: mark("Paused"),
    SheetState.new: mark("Not read yet"),
    Choice.record: mark("The record stands"),
    Choice.sheet: mark("The file stands"),
    Choice.undo: mark("Restore the file"),
    Choice.accept: mark("Accept the file as it is"),
    Choice.seen: mark("Noted"),
    Choice.over: mark("Over by itself"),
    TrialState.waiting: mark("Waiting"),
    TrialState.running: mark("At work"),
    TrialState.done: mark("Finished"),
    TrialState.failed: mark("Failed"),
    DayKind.work: mark("Working day"),
    DayKind.rest: mark("Rest day"),
    DayKind.holiday: mark("Public holiday"),
    DayKind.makeup: mark("Make-up day"),
    DayKind.half: mark("Half day"),
}

_TONES: dict[enum.Enum, str] = {
    Status.registered: "blue",
    Status.returned: "amber",
    Status.dispatched: "blue",
    Status.replied: "violet",
    Status.raised: "amber",
    Status.intervened: "red",
    Status.confirmed: "teal",
    Status.disputed: "red",
    Status.accepted: "violet",
    Status.closed: "green",
    Status.archived: "grey",
    Status.recorded: "grey",
    Status.withdrawn: "grey",
    Responsibility.responsible: "red",
    Responsibility.not_responsible: "green",
    ReplyOutcome.solved: "green",
    ReplyOutcome.extension: "amber",
    ReplyOutcome.raise_to_gm: "red",
    CallPurpose.verification: "blue",
    CallPurpose.satisfaction: "teal",
    CallOutcome.answered: "green",
    CallOutcome.unreachable: "amber",
    CallOutcome.refused: "red",
    CallOutcome.wrong_number: "red",
    Satisfaction.very_satisfied: "green",
    Satisfaction.satisfied: "green",
    Satisfaction.acceptable: "blue",
    Satisfaction.dissatisfied: "red",
    Satisfaction.very_dissatisfied: "red",
    ClockState.running: "blue",
    ClockState.met: "green",
    PenaltyStatus.proposed: "amber",
    PenaltyStatus.confirmed: "blue",
    PenaltyStatus.notified: "violet",
    Sign.charge: "red",
    Sign.reversal: "green",
    Sign.reward: "green",
    Role.administrator: "violet",
    CellDeed.taken: "green",
    CellDeed.written: "blue",
    CellDeed.put_back: "amber",
    CellDeed.refused: "red",
    CellDeed.conflict: "red",
    CellDeed.appended: "teal",
    ProblemKind.conflict: "red",
    ProblemKind.refused: "amber",
    ProblemKind.repeated: "amber",
    ProblemKind.not_ours: "violet",
    ProblemKind.structure: "red",
    ProblemKind.file: "red",
    ProblemKind.copy: "amber",
    SheetState.working: "green",
    SheetState.waiting: "amber",
    SheetState.stopped: "red",
    SheetState.unreachable: "red",
    SheetState.new: "blue",
    TrialState.waiting: "amber",
    TrialState.running: "blue",
    TrialState.done: "green",
    TrialState.failed: "red",
    DayKind.holiday: "red",
    DayKind.makeup: "amber",
    DayKind.half: "teal",
    DayKind.work: "blue",
}


def label(member: enum.Enum) -> str:
    """What a member of one of our enumerations is called."""
    return _(_LABELS[member])


def tone(member: enum.Enum) -> str:
    """The colour of its chip: blue, teal, green, amber, red, violet or grey."""
    return _TONES.get(member, "grey")


def labelled(kind: type[enum.Enum]) -> list[tuple[str, str]]:
    """Every member of an enumeration as (value, label), for the choices of a form or filter."""
    return [(str(member.value), label(member)) for member in kind]


_DEEDS = {
    "registered": mark("Register"),
    "imported": mark("Import"),
    "taken_over": mark("Take over"),
    "classified": mark("Classify"),
    "upgraded": mark("Lift the limit"),
    "reviewed": mark("Review"),
    "dispatched": mark("Dispatch"),
    "returned": mark("Return"),
    "assigned": mark("Assign a handler"),
    "contacted": mark("Contact the customer"),
    "progressed": mark("Note progress"),
    "archived": mark("Archive"),
    "arrived_on_site": mark("Arrive on site"),
    "replied_in_writing": mark("Answer in writing"),
    "replied": mark("Reply"),
    "confirmed": mark("Confirm the reply"),
    "declined": mark("Decline the reply"),
    "extension_granted": mark("Grant the extension"),
    "extension_refused": mark("Refuse the extension"),
    "decided": mark("Decide as general manager"),
    "factory_closed": mark("Close in the factory's system"),
    "promised": mark("Promise the customer something"),
    "informed": mark("Tell the customer"),
    "filled": mark("Fill in a form"),
    "reported": mark("Report outside"),
    "checked": mark("Tick off evidence"),
    "endorsed": mark("Approve"),
    "escalated": mark("Pass it up"),
    "involved": mark("Involve a department"),
    "verified": mark("State the finding"),
    "concluded": mark("Conclude"),
    "appealed": mark("Appeal"),
    "convened": mark("Convene the jury"),
    "voted": mark("Vote"),
    "ruled": mark("Record the ruling"),
    "called_back": mark("Call back"),
    "restarted": mark("Restart"),
    "settled": mark("Settle"),
    "signed": mark("Sign and close"),
    "judged": mark("Find a ground for a penalty"),
    "penalty_confirmed": mark("Confirm the penalty"),
    "penalty_waived": mark("Waive the penalty"),
    "penalty_notified": mark("Notify the employee"),
    "penalty_reversed": mark("Reverse the penalty"),
    "time_passed": mark("Time passes"),
    "recounted": mark("Count the terms anew"),
    "corrected": mark("Correct"),
    "withdrawn": mark("Withdraw"),
    "moved": mark("Move to another version"),
    "policy_draft": mark("Edit a regulation"),
    "customer_flag": mark("Mark a customer for special attention"),
    "policy_approve": mark("Approve a regulation"),
    "policy_withdraw": mark("Withdraw a regulation"),
    "attached": mark("Add a photo or file"),
}

_FIELDS = {
    "active": mark("Active"),
    "about": mark("About"),
    "addressee": mark("Addressee"),
    "address": mark("Address"),
    "agrees": mark("Agrees"),
    "amount": mark("Amount"),
    "asks_more": mark("Asks for more"),
    "at": mark("When"),
    "begins": mark("Opening"),
    "body": mark("Content"),
    "by": mark("Who does it"),
    "care_insists": mark("Customer care insists"),
    "case": mark("Case"),
    "cast": mark("People"),
    "category": mark("Category"),
    "chain": mark("Approval"),
    "checklist": mark("Checklist"),
    "concerned": mark("Persons concerned"),
    "consent": mark("The customer agrees"),
    "data": mark("Fields of the form"),
    "earlier": mark("Earlier ones of the year"),
    "evidence": mark("Evidence"),
    "finding": mark("Finding"),
    "first_asked": mark("First-asked person"),
    "form": mark("Form"),
    "changes": mark("What is changed"),
    "channel": mark("Source"),
    "choice": mark("Decision"),
    "closed_at": mark("Closed at"),
    "contacted_at": mark("First contact"),
    "customer": mark("Customer"),
    "days": mark("Days it stays after closing"),
    "demand": mark("Demand"),
    "department": mark("Department"),
    "deputises": mark("Who stands in"),
    "deputy": mark("Deputy"),
    "deputy_for": mark("Stands in for"),
    "director_only": mark("Only the director can handle it"),
    "display_name": mark("Name shown"),
    "do": mark("What happens"),
    "email": mark("Email"),
    "employee": mark("Employee"),
    "expect": mark("What is expected"),
    "extra": mark("More about it"),
    "feedback": mark("Customer's own words"),
    "field": mark("Field"),
    "from_on": mark("First day"),
    "grade": mark("Grade"),
    "ground": mark("Ground"),
    "handler": mark("Handler"),
    "happened_at": mark("When"),
    "header": mark("Header"),
    "holder": mark("Director of that day"),
    "holding": mark("Post held"),
    "how": mark("How the employee was told"),
    "item": mark("Item"),
    "informed_at": mark("Customer told at"),
    "joined_on": mark("Joined on"),
    "key": mark("Key"),
    "kind": mark("Kind"),
    "left_on": mark("Left on"),
    "ladder": mark("Ladder"),
    "level": mark("Level"),
    "linked": mark("Came out of case"),
    "matches_form": mark("Agrees with the form"),
    "members": mark("Members of the jury"),
    "method": mark("Way of the callback"),
    "minutes": mark("Minutes"),
    "name": mark("Name"),
    "number": mark("Number"),
    "occasion": mark("Occasion"),
    "opinion": mark("Opinion"),
    "outcome": mark("Outcome"),
    "paper": mark("Photo"),
    "pack": mark("Regulation"),
    "password": mark("Password"),
    "phone": mark("Phone"),
    "policy_department": mark("Department in the regulation"),
    "position": mark("Place"),
    "post": mark("Post"),
    "posts": mark("Posts held"),
    "process_score": mark("Satisfied with the handling"),
    "promised_at": mark("Promised for"),
    "proof": mark("Proof"),
    "purpose": mark("Purpose"),
    "reason": mark("Reason"),
    "received_at": mark("Received at"),
    "recorded_at": mark("When it was recorded"),
    "report": mark("Report"),
    "responsibility": mark("Responsibility"),
    "responsible": mark("Answers for it"),
    "retain_until": mark("Kept until"),
    "role": mark("Role"),
    "round": mark("Round"),
    "rule": mark("Ground"),
    "satisfaction": mark("Satisfaction"),
    "sign": mark("Charge or reversal"),
    "solved": mark("Solved"),
    "status": mark("Status"),
    "statuses": mark("Cases that stand so"),
    "step": mark("Steps"),
    "subject": mark("Subject"),
    "target": mark("Entry"),
    "text": mark("Text"),
    "task": mark("Task"),
    "title": mark("Title"),
    "together": mark("Together with"),
    "told_staff_on": mark("Staff was told on"),
    "told_staff_proof": mark("Proof of it"),
    "effective_from": mark("In force from"),
    "until": mark("Until"),
    "what": mark("Where it is said"),
    "until_on": mark("Last day"),
    "username": mark("User name"),
    "valid": mark("Valid complaint"),
    "vote": mark("Question to the jury"),
    "way": mark("Way"),
    "width": mark("Width in characters"),
}


def deed(name: str) -> str:
    """What a deed is called on a button, by the name of its event."""
    return _(_DEEDS[name]) if name in _DEEDS else name


def field(name: str) -> str:
    """What a field is called; a field of a pack brings its own label and is said as it is."""
    return _(_FIELDS[name]) if name in _FIELDS else name


# ---------------------------------------------------------------- refusals

_ERRORS = {
    "status_forbids": mark(
        "“%(deed)s” is not possible while the case is “%(status)s”. "
        "The case page shows what can be done now."
    ),
    "gate_closed": mark(
        "“%(deed)s” has to wait: first “%(gate)s” must be fulfilled (%(cite)s). "
        "Fill in “%(field)s” and try again."
    ),
    "history_forbids": mark(
        "This case is from before Redress was introduced, so “%(deed)s” is not possible. "
        "Take the case over first."
    ),
    "window_not_open": mark(
        "It is too early for “%(deed)s”: it may be done from %(opens_at)s on (%(cite)s)."
    ),
    "later_steps_stand": mark(
        "A later step, “%(deed)s” (no. %(seq)s), would lose its ground. "
        "Correct or withdraw that step first."
    ),
    "rule_gone": mark(
        "The other version has no rule “%(key)s” any more, on which this case stands. "
        "Leave the case under its version."
    ),
    "version_fixed": mark(
        "Version %(number)s of %(policy)s is not a draft any more and stays as it is. "
        "Begin a new draft from it."
    ),
    "check_first": mark(
        "Version %(number)s of %(policy)s was changed since it was last checked. Check it first."
    ),
    "findings_stand": mark(
        "The check of version %(number)s of %(policy)s found what has to be mended first: "
        "%(count)s findings. They stand on the page of the check."
    ),
    "numbers_taken": mark(
        "“%(policy)s” would give the same numbers (“%(series)s”) as “%(other)s” (“%(its)s”). "
        "Begin the template of one of them with other letters."
    ),
    "approval_missing": mark(
        "Nobody has approved version %(number)s of %(policy)s as it stands now. "
        "Ask another administrator or the general manager."
    ),
    "own_draft": mark(
        "You wrote at version %(number)s of %(policy)s yourself, so somebody else has to approve "
        "it: another administrator or the general manager."
    ),
    "form_not_asked": mark(
        "“%(form)s” is not asked of such a case (%(cite)s). The case page lists what is."
    ),
    "vote_open": mark(
        "The votes of %(missing)s are missing and could still turn it (%(cite)s). "
        "Ask them to vote; silence is no consent."
    ),
    "appeal_too_late": mark(
        "The term for an appeal ended on %(ended_at)s (%(cite)s). "
        "A penalty found to be wrong can still be reversed."
    ),
    "not_a_member": mark(
        "“%(deed)s” belongs to the members of the jury, and you were not appointed. "
        "Ask whoever convened it."
    ),
    "authority_exceeded": mark(
        "You may promise up to %(limit)s (%(cite)s). Ask somebody with more authority to do it."
    ),
    "promise_too_late": mark(
        "What is promised has to be done by %(latest)s (%(cite)s). Promise an earlier time."
    ),
    "consent_missing": mark(
        "%(until)s is later than the term. Ask the customer, and tick that the customer agrees."
    ),
    "step_refused": mark("%(refusal)s So step %(seq)s, “%(deed)s”, does not fit these rules."),
    "undo_blocked": mark(
        "The pass cannot be undone because of case %(number)s: %(refusal)s Nothing was changed."
    ),
    "post_missing": mark(
        "“%(deed)s” belongs to: %(posts)s (%(cite)s). "
        "Ask one of them, or have a deputy appointed for the post."
    ),
    "self_forbidden": mark(
        "Whoever handled the case may not do “%(deed)s” (%(cite)s). Ask a colleague to do it."
    ),
    "name_needed": mark(
        "“%(deed)s” needs a name, and nobody knows who types into a spreadsheet. "
        "Log in and do it on the page of the case."
    ),
    "role_missing": mark(
        "Your role does not include “%(deed)s”. Ask an administrator if it should."
    ),
    "field_missing": mark("“%(field)s” is missing. Please fill it in."),
    "field_too_long": mark(
        "“%(field)s” is too long: at most %(limit)s characters. Shorten it or attach a file."
    ),
    "field_unknown": mark(
        "There is no field “%(field)s” here. Reload the page; the form may be an old one."
    ),
    "choice_unknown": mark("“%(value)s” is not a choice for “%(field)s”. Pick one from the list."),
    "time_in_future": mark("“%(field)s” lies in the future (%(at)s). Enter a time up to now."),
    "time_before_case": mark(
        "“%(field)s” (%(at)s) lies before it can have happened. Enter a time from %(earliest)s on."
    ),
    "zone_missing": mark(
        "“%(field)s” has no time zone, so it is not clear when it was. Enter date, time and zone."
    ),
    "extension_forbidden": mark(
        "Grade %(grade)s has no extension (%(cite)s). Reply, or raise the case."
    ),
    "extension_too_long": mark(
        "An extension ends on %(latest)s at the latest (%(cite)s). Choose an earlier time."
    ),
    "amount_refused": mark(
        "“%(amount)s” is not an amount that can be used here. Enter a plain positive number."
    ),
    "duplicate": mark("“%(value)s” is already used as “%(field)s”. Choose another one."),
    "value_refused": mark("“%(value)s” cannot be used as “%(field)s”: %(why)s."),
    "period_refused": mark(
        "“%(field)s” does not fit: the time goes from %(from_on)s to %(until_on)s. "
        "Choose a day within it."
    ),
    "post_taken": mark(
        "%(employee)s holds the post %(post)s from %(from_on)s to %(until_on)s. "
        "End that holding first, or say that several people hold the post."
    ),
    "department_unmapped": mark(
        "The company has no department for “%(department)s”. Ask an administrator to say which one "
        "is meant under “Departments in regulations”."
    ),
    "meaning_taken": mark(
        "From %(from_on)s on, “%(policy_department)s” means “%(department)s” already. "
        "Change that entry, or choose another day."
    ),
    "phone_refused": mark(
        "“%(value)s” is not a telephone number. Enter digits, with area code for a landline."
    ),
    "paper_empty": mark("“%(file)s” is empty. Take the photo again, or choose another file."),
    "paper_refused": mark(
        "“%(file)s” is neither a photo (JPEG, PNG, WebP, HEIC) nor a PDF nor a video (MP4). "
        "Choose another file."
    ),
    "paper_too_large": mark(
        "“%(file)s” is larger than %(limit)s MB. Take a smaller photo, or a shorter video."
    ),
    "not_found": mark(
        "%(what)s “%(key)s” does not exist, or is not yours to see. Check it and search again."
    ),
    "changed_meanwhile": mark(
        "Somebody changed %(what)s %(key)s meanwhile. "
        "What you typed is kept below; look at what changed and save again."
    ),
    "month_closed": mark(
        "The wage month %(month)s is closed and stays as it was paid. Use an open month."
    ),
    "pack_refused": mark("The policy file %(file)s is wrong: %(problems)s"),
    "case_file_refused": mark("The case file %(file)s cannot be played: %(problems)s"),
    "not_in_force": mark(
        "No published version of “%(policy)s” is in force on %(on)s. "
        "Publish one that begins on that day or earlier."
    ),
    "draft_changed": mark(
        "“%(version)s” was changed while it was being tried, so the result would mix two texts. "
        "Ask again."
    ),
    "trial_failed": mark(
        "Something unforeseen happened (%(kind)s). It was logged; please tell the administrator."
    ),
    "person_unknown": mark(
        "Nobody is known as %(role)s on %(on)s. Enter who holds the post that day, then try again."
    ),
    "hours_refused": mark(
        "The office hours %(slot)s cannot be used: %(why)s. Write them like 08:30-12:00, "
        "13:30-17:30."
    ),
    "lines_refused": mark("These lines cannot be used: %(lines)s."),
    "calendar_refused": mark("The calendar cannot be used: %(why)s."),
    "calendar_exhausted": mark(
        "No working day was found near %(from_on)s. Check the working days of the calendar."
    ),
}

_WHATS = {
    "calendar": mark("Calendar"),
    "file": mark("File"),
    "policy_rule": mark("Rule"),
    "complaint": mark("Case"),
    "customer": mark("Customer"),
    "customer_flag": mark("Mark on a customer"),
    "department": mark("Department"),
    "department_meaning": mark("Department in regulations"),
    "deputy": mark("Deputy"),
    "employee": mark("Employee"),
    "paper": mark("Photo or file"),
    "penalty": mark("Penalty"),
    "policy": mark("Policy"),
    "policy_version": mark("Policy version"),
    "post_holding": mark("Post held"),
    "intake": mark("What this pass took in"),
    "sheet": mark("Spreadsheet file"),
    "sheet_column": mark("Column"),
    "sheet_pass": mark("Pass"),
    "sheet_problem": mark("Problem"),
    "sheet_tab": mark("Tab"),
    "user": mark("Account"),
    "what_if": mark("What-if"),
}

_WHYS = {
    "own_deputy": mark("nobody stands in for himself; choose somebody else"),
    "last_administrator": mark(
        "nobody would be left who administers Redress; make somebody else administrator first"
    ),
    "no_such_case": mark("no case has this number"),
    "not_a_key": mark("use small letters, digits and _, and begin with a letter"),
    "not_an_address": mark("write it like name@company.com"),
    "scheme_unknown": mark(
        "it has to begin with mailto, mailtos, wecombot, dingtalk, feishu, lark, json or jsons, "
        "or be the address that WeCom, DingTalk or Feishu shows for a group robot"
    ),
    "parameter_unknown": mark("it has a parameter that may not be used here"),
    "address_incomplete": mark("something is missing in it, such as the key of the robot"),
    "other_department": mark("he belongs to another department; name one of your own people"),
    "inactive": mark("it is not active any more; choose another one"),
    "answers_nothing": mark("no regulation in force lets its spreadsheet register cases"),
    "not_a_title": mark(
        "a tab's name has no slash and none of [ ] : * ?, no ' at its ends, and is not History"
    ),
    "not_that_many_days": mark("use 1 to 3650 days, or leave it empty"),
    "out_of_range": mark("the number is too small or too large"),
    "column_needed": mark("the tab cannot do its work without this column"),
    "zone_unknown": mark("its time zone is unknown"),
    "slots_missing": mark("it has no office hours"),
    "not_hours": mark("they cannot be read"),
    "year_leaves_a_hole": mark("the year before or after it has to be loaded first"),
    "year_without_holiday": mark("the plan of a year has to name its days off"),
    "no_such_day": mark("this is no day; write it like 2027-01-01"),
    "of_another_year": mark("the day belongs to another year"),
    "no_such_kind": mark("the kind has to be holiday or make-up day"),
    "twice": mark("the day stands there twice"),
    "makeup_on_weekday": mark("a make-up day is a Saturday or Sunday"),
    "note_too_long": mark("the note is too long"),
    "columns_missing": mark("it needs the columns date, kind and note"),
    "half_slots_missing": mark("it has half days but no hours for them"),
    "slot_not_in_minutes": mark("office hours are given to the minute only"),
    "slot_empty": mark("office hours must open before they close"),
    "slots_out_of_order": mark("office hours overlap or are out of order"),
    "coverage_ends_before_it_begins": mark("its coverage ends before it begins"),
    "coverage_too_long": mark("its coverage is too long"),
    "day_out_of_reach": mark("one of its days lies outside the coverage"),
    "year_not_official": mark("the official plan of that year is not known yet"),
    "no_working_day": mark("it has no working day"),
    "clock_time_missing": mark("a term to a clock time has no clock time"),
    "clock_time_unused": mark("a clock time is given for a term that has none"),
}


_PARTS = {
    "director": mark("the director"),
    "handler": mark("the handler"),
    "lead_department": mark("the lead department"),
    "lead_sheet": mark("the department's own spreadsheet"),
    "any_sheet": mark("a department's spreadsheet"),
}


class _Facts(dict[str, str]):
    """The facts of a refusal in words; one that is not there is shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def error(refusal: DomainError) -> str:
    """What is wrong and what to do about it, as one or two sentences."""
    return _refused(_ERRORS[refusal.code], refusal.facts)


def _refused(sentence: str, facts: Mapping[str, Any]) -> str:
    return _(sentence) % _Facts({name: _said(name, value) for name, value in facts.items()})


def _said(name: str, value: Any) -> str:
    """One fact of a refusal in words, by the name it travels under."""
    tables = {"deed": _DEEDS, "field": _FIELDS, "what": _WHATS, "why": _WHYS}
    if name in tables and isinstance(value, str):
        return _(tables[name][value]) if value in tables[name] else value
    if name == "status" and (value is None or isinstance(value, str)):
        return label(Status(value)) if value else _("not registered yet")
    if name == "lines":
        return _("; ").join(faulty_lines(value or ()))
    if name == "problems":
        return _problems(value)
    if name in ("columns", "missing") and isinstance(value, list | tuple):
        return _("; ").join(field(str(one)) for one in value)
    if name == "posts" and value:
        return _("; ").join(_(_PARTS[one]) if one in _PARTS else str(one) for one in value)
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return _("further notice")
    if isinstance(value, DomainError):
        return error(value)
    if isinstance(value, enum.Enum):
        return label(value) if value in _LABELS else str(value.value)
    if isinstance(value, dt.datetime):
        return moment(value) if value.tzinfo else value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        return str(value)
    return _("; ").join(_plain(one) for one in value)


def faulty_lines(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a table that cannot be used, each with its number, its text and what is wrong."""
    return [
        _(
            "line %(line)s “%(text)s”: %(why)s",
            line=one["line"],
            text=one["text"],
            why=_said("why", one["why"]),
        )
        for one in lines
    ]


def _problems(problems: Sequence[Mapping[str, Any]]) -> str:
    """The places and reasons of a refused file, one after the other."""
    return _("; ").join(": ".join(word for word in _problem(one) if word) for one in problems)


def _problem(one: Mapping[str, Any]) -> Iterator[str]:
    """One problem: the place in a pack, or the case, step and field of a case file; and why."""
    yield str(one.get("place") or "")
    if one.get("case"):
        yield _("case “%(name)s”", name=one["case"])
    if one.get("step"):
        yield _("step %(number)s", number=one["step"])
    yield str(one.get("field") or "")
    yield _plain(one["why"]) if one.get("why") else ""


def counted_mismatches(count: int) -> str:
    """How many expectations of a case file did not hold."""
    return _("Expectations that do not hold: %(count)s", count=count)


# ---------------------------------------------------------------- spreadsheet files

_SHEETS = {
    "half_sorted": mark(
        "Only some columns were sorted (%(columns)s): %(rows)s rows would mix up different cases. "
        "Undo the sorting in the file, or restore the file."
    ),
    "rows_vanished": mark(
        "%(count)s of %(of)s rows are gone from the file. If they were deleted by mistake, "
        "restore the file; rows of open cases come back in any case."
    ),
    "shifted_paste": mark(
        "Something was pasted one place off: in %(rows)s rows %(columns)s now say what belongs "
        "to the row or column beside it. Undo the pasting, or restore the file."
    ),
    "cells_changed": mark(
        "%(count)s of %(of)s cells that people fill were changed at once, more than anybody "
        "types. If it was meant, accept the file as it is; if not, restore it."
    ),
    "id_gone": mark(
        "The hidden first column is gone, so nobody can tell which row is which case. "
        "Undo it in the file, or restore the file."
    ),
    "mark_gone": mark(
        "The file has lost the mark that says which pass it comes from; probably its contents "
        "were copied into a new file. Put the real file back, or restore it."
    ),
    "tab_gone": mark("The tab “%(tab)s” is gone from the file. Restore the file to bring it back."),
    "too_old": mark(
        "Somebody saved a copy that is older than what Redress remembers (pass %(stamp)s). "
        "Restore the file; what was typed into the old copy has to be typed again."
    ),
    "from_future": mark(
        "The file says it was written by pass %(stamp)s, which Redress has not made yet. The "
        "database was probably brought back from a backup. Restore the file, or accept it."
    ),
    "no_workbook": mark(
        "Under the file's name lies something that is no Excel workbook. "
        "Put the real file back, or restore it."
    ),
    "half_written": mark(
        "The file is not whole yet; a sync program is probably still writing it. "
        "It is looked at again by itself."
    ),
    "busy": mark("The file is in use at the moment. It is looked at again by itself."),
    "changed": mark(
        "Somebody saved the file while Redress was about to write it. Nothing was lost; "
        "it is done again by itself."
    ),
    "missing": mark(
        "The file is not where it should be. Put it back under its old name, "
        "or Redress makes a new one with everything it knows."
    ),
    "held": mark(
        "%(who)s has had the file open for %(minutes)s minutes. Ask for it to be saved and closed; "
        "until then nothing new can be written into it."
    ),
    "not_readable": mark(
        "Redress may not read the file. Give its account the right to read it in the folder."
    ),
    "not_writable": mark(
        "Redress may not write the file. Give its account the right to write in the folder."
    ),
    "disk_full": mark("The disk of the folder is full. Make room; it is tried again by itself."),
    "no_folder": mark(
        "The folder of the files is not there. Connect the shared folder, "
        "or correct REDRESS_SHEET_FOLDER."
    ),
    "copy_found": mark(
        "Beside the file lies a copy, “%(name)s”. Somebody may have typed into the copy instead."
    ),
    "conflict": mark("The cell was changed in the file and in Redress. Somebody has to choose."),
    "refused": mark("What was typed could not be taken."),
    "repeated": mark(
        "The row of this case stands in the file more than once, with different inputs."
    ),
    "from_copy": mark("It was typed into a copy of the file."),
    "not_ours": mark(
        "Something was typed into the row of a case that has left the department meanwhile."
    ),
    "broken": mark("The cell holds an error value, “%(text)s”. The text itself has to be typed."),
    "too_long": mark("The text has %(length)s characters; at most %(limit)s are possible."),
    "ambiguous": mark("The date “%(said)s” can be read in two ways."),
    "time_missing": mark("The clock time is missing."),
    "no_time": mark("“%(said)s” is no time."),
    "no_day": mark("“%(said)s” is no day."),
    "year_unlikely": mark("The year %(year)s of “%(said)s” cannot be meant."),
    "weekday_contradicts": mark("Day and weekday of “%(said)s” do not fit each other."),
    "digits_lost": mark(
        "“%(said)s” is a number whose last digits the program has lost. Type it as a text."
    ),
    "not_computed": mark("The formula has no value yet. The text itself has to be typed."),
    "no_number": mark("“%(said)s” is no number."),
    "no_flag": mark("“%(said)s” is neither yes nor no."),
    "no_choice": mark("“%(said)s” is not in the list: %(choices)s."),
    "name_shared": mark(
        "Several people are called %(name)s (%(numbers)s); the employee number is needed."
    ),
    "name_unknown": mark("“%(said)s” is nobody of this department."),
    "name_contradicts": mark("Name and employee number of “%(said)s” do not fit each other."),
    "row_incomplete": mark("The new row is not complete yet. Still needed: %(missing)s."),
    "formula": mark("A formula cannot be taken as an answer; the text itself has to be typed."),
    "cleared": mark("What was taken cannot be emptied."),
    "contact_stands": mark("The first contact was taken already."),
    "not_yours": mark("The case is not this department's any more."),
    "merged": mark(
        "Cells of this row are merged (%(columns)s), the answer of the system among them. "
        "They are neither read nor filled in until somebody splits them in the file."
    ),
}
"""What can be wrong in a file, by the code of the problem."""


def sheet_problem(code: str, facts: Mapping[str, Any]) -> str:
    """What is wrong with a file, a row or a cell, as sentences; also for a code nobody has named.

    `facts` are as the record keeps them: JSON, so an instant is a text.
    """
    known = {name: _instant(value) for name, value in facts.items()}
    sentence = _SHEETS.get(code) or _ERRORS.get(code)
    if sentence is not None:
        return _refused(sentence, known)
    return _("Something is wrong that has no name yet: %(code)s.", code=_with_facts(code, known))


def _instant(value: Any) -> Any:
    """The instant a text of the record stands for, else the value itself."""
    if not isinstance(value, str) or len(value) < len("2026-09-28T14:05"):
        return value
    try:
        at = dt.datetime.fromisoformat(value)
    except ValueError:
        return value
    return at if at.tzinfo else value


def _with_facts(code: str, facts: Mapping[str, Any]) -> str:
    said = _("; ").join(f"{field(name)} {_plain(value)}" for name, value in facts.items())
    return f"{code} ({said})" if said else code


# ---------------------------------------------------------------- notices

_NOTICES = {
    "dispatched": mark("Case handed over"),
    "restarted": mark("Case begun anew"),
    "to_confirm": mark("Answer to confirm"),
    "to_decide": mark("Case raised"),
    "to_endorse": mark("Approval wanted"),
    "to_convene": mark("Appeal lodged"),
    "to_vote": mark("Vote wanted"),
    "takes_part": mark("Department takes part"),
    "alert": mark("For your attention"),
    "due_soon": mark("Term ends soon"),
    "breached": mark("Term has run out"),
    "refused_input": mark("Input not taken"),
    "file_held": mark("Spreadsheet kept open"),
    "file_problem": mark("Spreadsheet stopped"),
    "test": mark("A test"),
}
"""What a notice is about, by its kind: its name in lists and the beginning of its title."""

_NOTICE_TEXTS = {
    "dispatched": mark("The case is yours now. Contact the customer and enter the answer."),
    "restarted": mark("The customer is not satisfied. Handle the case again and answer anew."),
    "to_confirm": mark("The department has answered. Look at the answer and confirm it."),
    "to_decide": mark("The case was raised to the general manager and waits for a decision."),
    "to_endorse": mark("It is your turn to approve: %(alert)s (%(cite)s)."),
    "to_convene": mark("An appeal waits for its jury: %(alert)s (%(cite)s)."),
    "to_vote": mark("You sit on the jury: %(alert)s (%(cite)s). Read the matter and vote."),
    "takes_part": mark("Your department takes part in the case. See what is asked of it."),
    "alert": mark("%(alert)s (%(cite)s). Please look at the case."),
    "due_soon": mark("There is little time left: %(clock)s (%(cite)s)."),
    "breached": mark("The case is overdue. What is still to be done remains to be done."),
    "refused_input": mark(
        "What was typed into “%(sheet)s” was not taken. The row itself says why and what to do."
    ),
    "file_held": mark(
        "“%(sheet)s” is kept open by %(who)s, so nothing can be written into it. "
        "Please save and close it."
    ),
    "file_problem": mark(
        "“%(sheet)s” is neither read nor written until somebody has looked at it. "
        "Its page says what is wrong and offers the choices."
    ),
    "test": mark("This is a test of the channel “%(channel)s”. Whoever reads it is reached."),
}
"""What is to be done, by the kind of the notice. Customers are never mentioned."""


def notice_label(kind: str) -> str:
    """What sort of notice it is, in a few words."""
    return _(_NOTICES[kind]) if kind in _NOTICES else kind


def notice_title(kind: str, facts: Mapping[str, Any]) -> str:
    """The title of a notice: Redress, what it is about, and the case or the file.

    It begins with the same word always, because group robots may ask for a keyword.
    """
    about = facts.get("number") or facts.get("sheet") or facts.get("channel")
    return " · ".join(["Redress", notice_label(kind), *([str(about)] if about else [])])


def notice_text(kind: str, facts: Mapping[str, Any], link_base: str) -> str:
    """What to do, for which department, until when, and where: a few lines without a customer.

    `link_base` is what the address of a page begins with.
    """
    said = _Facts({name: _plain(value) for name, value in facts.items() if value is not None})
    lines = [_(_NOTICE_TEXTS[kind]) % said] if kind in _NOTICE_TEXTS else []
    if kind == "file_problem" and facts.get("code"):
        lines.insert(0, sheet_problem(facts["code"], facts.get("facts") or {}))
    if facts.get("department"):
        lines.append(_("Department: %(department)s", department=facts["department"]))
    if facts.get("due_at"):
        until = moment(facts["due_at"])
        if facts.get("provisional"):
            until = _("%(due)s (provisional)", due=until)
        lines.append(_("Until: %(at)s", at=until))
    if facts.get("number"):
        page = "admin/jury" if kind == "to_vote" else "c"
        lines.append(f"{link_base}/{page}/{quote(str(facts['number']), safe='')}")
    return "\n".join(lines or [link_base])


_FAILURES = {
    "unreachable": mark("Nobody answered"),
    "refused": mark("Refused by the far end"),
    "scheme_unknown": mark("The address begins with something that may not be used"),
    "parameter_unknown": mark("The address has a parameter that may not be used"),
    "address_incomplete": mark("The address is incomplete"),
    "interrupted": mark("Broken off in the middle"),
    "too_old": mark("Too old to be told"),
    "over": mark("Not needed any more"),
    "nobody": mark("Nobody to tell"),
    "channel_off": mark("The channel is switched off"),
    "no_mail_server": mark("No mail server is set"),
}


def notice_failure(why: str) -> str:
    """Why a notice did not arrive: its code in words, and what the far end said about it."""
    code, found, detail = why.partition(": ")
    words = _(_FAILURES[code]) if code in _FAILURES else code
    return _("%(what)s: %(detail)s", what=words, detail=detail) if found else words
