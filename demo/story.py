"""Enacts the cases of cases.toml through the services that users' deeds go through.

A deed in the file is a short word; DEEDS maps it to the service, the actor and the fields.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from demo.company import Days, read_toml
from enums import Role
from models import Complaint, Employee, PolicyVersion
from policy.vocabulary.status import (
    CallOutcome,
    CallPurpose,
    PenaltyStatus,
    ReplyOutcome,
    Responsibility,
    Satisfaction,
    Status,
)
from policy.vocabulary.worktime import Unit
from services.cases import (
    correcting,
    customers,
    followup,
    forms,
    handling,
    intake,
    penalties,
    sweep,
)
from services.company import accounts, actors, people
from services.company.actors import Actor

SEED = 20_260_101
SURNAMES = "林何郭马罗梁宋谢唐韩曹许邓萧冯曾程蔡彭潘"
MODELS = ("明锐", "速派", "柯迪亚克", "柯珞克", "晶锐", "昕锐")
CARE_DIRECTOR = "1001"
DESK = ("1002", "1003", "1004")
GENERAL_MANAGER = "7001"
SERVICE_ADVISOR = "3004"
COMPLAINT_POST = "3003"
TO_WRITE_DOWN = dt.timedelta(minutes=5)


class Teller:
    """Enacts the cases of cases.toml, one after the other in the order they began."""

    def __init__(self, session: Session, version: PolicyVersion, days: Days) -> None:
        self.session = session
        self.version = version
        self.days = days
        self.chance = random.Random(SEED)
        self.handlers: Mapping[str, str] = read_toml("company")["handlers"]
        self.staff: dict[str, Employee] = {}

    def tell(self) -> None:
        """Enact every case, then let time pass for them."""
        data = read_toml("cases")
        for past in data["past"]:
            self._remember(past)
        for place, said in enumerate(sorted(data["case"], key=self._began)):
            CaseStory(self, said, desk=DESK[place % 3], caller=DESK[(place + 1) % 3]).tell()
        while numbers := sweep.due_cases(self.session, now=self.days.now):
            for number in numbers:
                sweep.pass_time(self.session, number, now=self.days.now)

    def _began(self, said: Mapping[str, Any]) -> dt.datetime:
        return self.when(said["began"])

    def when(self, said: str) -> dt.datetime:
        """Return the instant of "WORKING_DAYS_AGO HH:MM" or "-MINUTES_AGO"."""
        if said.startswith("-"):
            return self.days.ago(int(said[1:]))
        count, clock = said.split()
        return self.days.at(int(count), clock)

    def actor(self, number: str) -> Actor:
        """Return an employee, by number, as an actor."""
        if number not in self.staff:
            found = people.find_employee(self.session, number)
            assert found is not None, f"company.toml has no employee {number}"
            self.staff[number] = found
        return actors.of_employee(self.staff[number])

    def _remember(self, past: Mapping[str, Any]) -> None:
        """Import a case of the years before, as the old register had it."""
        intake.import_past(
            self.session,
            self.version,
            source="demo-register",
            source_id=past["id"],
            kind="complaint",
            channel="other",
            status=Status(past["status"]),
            category=past["category"],
            subject=past["subject"],
            received_at=self.days.now - dt.timedelta(days=past["days_ago"]),
            actor=actors.SYSTEM,
            now=self.days.now,
        )

    def describe(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Invent the customer and the car of a case; the telephone and plate numbers exist
        nowhere.
        """
        name = self.chance.choice(SURNAMES) + self.chance.choice(("先生", "女士"))
        phone = f"1380000{self.chance.randrange(10_000):04d}"
        extra = {
            "plate": f"示A·{self.chance.randrange(100_000):05d}",
            "car_model": self.chance.choice(MODELS),
            "mileage": self.chance.randrange(800, 90_000),
        }
        return {
            "customer": customers.find_or_add(self.session, name, phone),
            "extra": extra | said.get("extra", {}),
        }


class CaseStory:
    """One case: who handles it at the care desk, who calls back, and its steps in time."""

    def __init__(self, teller: Teller, said: Mapping[str, Any], *, desk: str, caller: str) -> None:
        self.teller = teller
        self.session = teller.session
        self.said = said
        self.desk = teller.actor(desk)
        self.caller = teller.actor(caller)
        self.director = teller.actor(CARE_DIRECTOR)
        self.service_desk = teller.actor(SERVICE_ADVISOR)
        self.complaint_desk = teller.actor(COMPLAINT_POST)
        self.now = teller.when(said["began"])
        self.detail = ""
        self.case = self._registered()

    def _registered(self) -> Complaint:
        received_at, self.now = self.now, self.now + TO_WRITE_DOWN
        said = self.said
        return intake.register(
            self.session,
            self.teller.version,
            kind=said.get("kind", "complaint"),
            channel=said["channel"],
            category=said.get("category"),
            subject=said["subject"],
            body=said.get("body"),
            demand=said.get("demand"),
            received_at=received_at,
            actor=self.desk,
            now=self.now,
            **self.teller.describe(said),
        )

    def tell(self) -> None:
        """Enact every step of the case."""
        for step in self.said["steps"]:
            when, deed, text, self.detail = (*step, "", "")[:4]
            self.now = self._when(when)
            DEEDS[deed](self, text)

    def _when(self, said: str) -> dt.datetime:
        if said == "window":
            opens = next(c.opens_at for c in self.case.deadlines if c.opens_at)
            return max(opens + dt.timedelta(hours=10), self.now + dt.timedelta(minutes=30))
        if said.startswith("-"):
            return self.teller.when(said)
        after, clock = said.split()
        return self.teller.days.at(int(self.said["began"].split()[0]) - int(after), clock)

    # ------------------------------------------------------------ who

    @property
    def handler(self) -> Actor:
        """Return the handler: the one the step names, the one assigned, or the department's usual
        one.
        """
        if self.detail.startswith("by:"):
            return self.teller.actor(self.detail.removeprefix("by:"))
        if self.case.handler is not None:
            return actors.of_employee(self.case.handler)
        return self.teller.actor(self.teller.handlers[self._department])

    @property
    def lead(self) -> Actor:
        """Return who leads the department that day: the director, or the deputy."""
        holder, deputy = intake.leaders_of(self.session, self.case, self._department, now=self.now)
        return self.teller.actor(deputy or holder or "")

    @property
    def _department(self) -> str:
        return self.case.assignments[-1].department_key

    # ------------------------------------------------------------ deeds with a shape of their own

    def dispatch(self, text: str) -> None:
        """Dispatch the case to the department the step names."""
        intake.dispatch(
            self.session, self.case, department=self.detail, actor=self.desk, now=self.now
        )

    def responsible(self, text: str) -> None:
        """Classify the company as responsible, for the reason given."""
        intake.classify(
            self.session,
            self.case,
            responsibility=Responsibility.responsible,
            reason=text,
            actor=self.desk,
            now=self.now,
        )

    def assign(self, text: str) -> None:
        """Assign the case to the employee the step names."""
        handling.assign(self.session, self.case, handler=self.detail, actor=self.lead, now=self.now)

    def rule(self, text: str) -> None:
        """File the department's corrective action against a repeat, before a workshop case is
        closed.
        """
        assert self.case.responsible is not None
        said = {"rule": text, "owner": self.case.responsible.number}
        self._fill("corrective_action", said, self.lead)

    def log_csc(self, text: str) -> None:
        """File the log that the factory's system asks for."""
        said = {"order_no": self.detail, "process": text, "result": text, "opinion": "认可"}
        self._fill("csc_log", said, self.complaint_desk)

    def _fill(self, form: str, data: dict[str, Any], actor: Actor) -> None:
        forms.fill(self.session, self.case, form=form, data=data, actor=actor, now=self.now)

    def contact(self, text: str) -> None:
        """Note that the handler spoke to the customer."""
        handling.contact(self.session, self.case, text=text, actor=self.handler, now=self.now)

    def reply(self, text: str, outcome: ReplyOutcome) -> None:
        """Reply for the department; an extension is asked for as many working days as the step
        says.
        """
        until = None
        if outcome is ReplyOutcome.extension:
            assert self.case.dispatched_at is not None
            until = self._later(self.case.dispatched_at)
        handling.reply(
            self.session,
            self.case,
            outcome=outcome,
            text=text,
            until=until,
            actor=self.handler,
            now=self.now,
        )

    def _later(self, start: dt.datetime) -> dt.datetime:
        """Return the instant as many working days later as the step says."""
        return self.teller.days.calendar.add(start, int(self.detail), Unit.working_day).at

    def grant(self, text: str) -> None:
        """Grant the extension asked for last, in full."""
        handling.grant_extension(
            self.session,
            self.case,
            until=self.case.extensions[-1].until,
            actor=self.desk,
            now=self.now,
        )

    def instruct(self, text: str) -> None:
        """Send the case back with the general manager's instruction and a new deadline."""
        handling.decide(
            self.session,
            self.case,
            solved=False,
            text=text,
            until=self._later(self.now),
            actor=self.teller.actor(GENERAL_MANAGER),
            now=self.now,
        )

    def call(
        self, text: str, outcome: CallOutcome, satisfaction: Satisfaction | None, **said: Any
    ) -> None:
        """Record a call to the customer, a verification unless `said` names another purpose."""
        followup.call_back(
            self.session,
            self.case,
            outcome=outcome,
            satisfaction=satisfaction,
            text=text or None,
            actor=self.caller,
            now=self.now,
            **{"purpose": CallPurpose.verification, **said},
        )

    def restart(self, text: str, ground: str) -> None:
        """Restart the case on a ground, after the call."""
        followup.restart(
            self.session, self.case, ground=ground, text=text, actor=self.caller, now=self.now
        )

    def judge(self, text: str) -> None:
        """Judge an employee: the step names the ground and the number ("ground:number")."""
        ground, number = self.detail.split(":")
        penalties.judge(
            self.session,
            self.case,
            ground=ground,
            employee=number,
            text=text,
            actor=self.director,
            now=self.now,
        )

    def settle_penalties(
        self, status: PenaltyStatus, step: Callable[..., object], **said: Any
    ) -> None:
        """Take one step (confirm, waive, notify) with every penalty of the case in a status."""
        for penalty in list(self.case.penalties):
            if penalty.status is status:
                step(self.session, penalty, actor=self.director, now=self.now, **said)

    def withdraw(self, text: str) -> None:
        """Withdraw the whole case, as the user of the care desk."""
        user = accounts.find_user(self.session, Role.care.value)
        assert user is not None
        correcting.withdraw(
            self.session,
            self.case,
            target=1,
            reason=text,
            actor=actors.of_user(user),
            now=self.now,
        )


Deed = Callable[[CaseStory, str], None]


def _deed_of(service: Callable[..., Any], who: str, field: str | None) -> Deed:
    """Return a deed with the text of the step in one field of the event, or in none."""

    def deed(telling: CaseStory, text: str) -> None:
        said = {field: text} if field else {}
        actor = getattr(telling, who)
        service(telling.session, telling.case, actor=actor, now=telling.now, **said)

    return deed


def _reply(outcome: ReplyOutcome) -> Deed:
    return lambda telling, text: telling.reply(text, outcome)


def _call(outcome: CallOutcome, satisfaction: Satisfaction | None = None, **said: Any) -> Deed:
    return lambda telling, text: telling.call(text, outcome, satisfaction, **said)


DEEDS: Mapping[str, Deed] = {
    "responsible": CaseStory.responsible,
    "dispatch": CaseStory.dispatch,
    "assign": CaseStory.assign,
    "contact": CaseStory.contact,
    "rule": CaseStory.rule,
    "log_csc": CaseStory.log_csc,
    "progress": _deed_of(handling.progress, "handler", "text"),
    "return": _deed_of(handling.return_order, "handler", "reason"),
    "arrive": _deed_of(handling.arrive_on_site, "handler", "text"),
    "write": _deed_of(handling.reply_in_writing, "handler", "proof"),
    "solved": _reply(ReplyOutcome.solved),
    "wish": _reply(ReplyOutcome.extension),
    "raise": _reply(ReplyOutcome.raise_to_gm),
    "confirm": _deed_of(handling.confirm, "lead", None),
    "decline": _deed_of(handling.decline, "lead", "reason"),
    "grant": CaseStory.grant,
    "instruct": CaseStory.instruct,
    "upgrade": _deed_of(handling.upgrade, "director", "reason"),
    "review": _deed_of(handling.review, "desk", "text"),
    "happy": _call(CallOutcome.answered, Satisfaction.satisfied),
    "content": _call(CallOutcome.answered, Satisfaction.acceptable),
    "unhappy": _call(CallOutcome.answered, Satisfaction.dissatisfied, asks_more=False),
    "unhappy_more": _call(CallOutcome.answered, Satisfaction.dissatisfied, asks_more=True),
    "unreachable": _call(CallOutcome.unreachable),
    "refused": _call(CallOutcome.refused),
    "wrong_number": _call(CallOutcome.wrong_number),
    "asked_happy": _call(
        CallOutcome.answered,
        Satisfaction.very_satisfied,
        purpose=CallPurpose.satisfaction,
        process_score=Satisfaction.satisfied,
    ),
    "asked_unhappy": _call(
        CallOutcome.answered,
        Satisfaction.dissatisfied,
        purpose=CallPurpose.satisfaction,
        process_score=Satisfaction.dissatisfied,
    ),
    "repeat": lambda telling, text: telling.restart(text, "repeat"),
    "settle": _deed_of(followup.settle, "director", "reason"),
    "sign": _deed_of(followup.sign, "director", "feedback"),
    "factory_close": _deed_of(handling.close_at_factory, "service_desk", "text"),
    "judge": CaseStory.judge,
    "fine": lambda telling, text: telling.settle_penalties(
        PenaltyStatus.proposed, penalties.confirm
    ),
    "waive": lambda telling, text: telling.settle_penalties(
        PenaltyStatus.proposed, penalties.waive, reason=text
    ),
    "tell": lambda telling, text: telling.settle_penalties(
        PenaltyStatus.confirmed, penalties.notify, how=text
    ),
    "withdraw": CaseStory.withdraw,
}
"""Every word a step of cases.toml may use."""


def enact(session: Session, version: PolicyVersion, days: Days) -> None:
    """Enact all that cases.toml says."""
    Teller(session, version, days).tell()
