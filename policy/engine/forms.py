"""Entries made on a case: forms, reports, checklists, approvals, ladders, findings.

Each handler takes the case and an event and returns the case with one more entry. Its result (a
list complete, a chain approved) is stored in the entry, so that a condition needs no pack to ask
for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from policy.engine.conditions import field_value, holds
from policy.engine.rules import Rules
from policy.engine.severity import EntryTimes, checked_values
from policy.engine.terms import deadlines
from policy.pack.schema import Pack
from policy.pack.shapes import Entry
from policy.vocabulary.editions import Judging
from policy.vocabulary.errors import (
    AuthorityExceeded,
    ChoiceUnknown,
    ConsentMissing,
    FieldMissing,
    FormNotAsked,
    GateClosed,
    PromiseTooLate,
    StatusForbids,
    TimeBeforeCase,
)
from policy.vocabulary.events import (
    Checked,
    Endorsed,
    Escalated,
    Event,
    Filled,
    Informed,
    Involved,
    Promised,
    Reported,
    Verified,
    utc,
)
from policy.vocabulary.facts import APPOINTED, OVERTAKEN, CaseFacts, FormEntryFacts, replace
from policy.vocabulary.status import ALLOWED


def add_entry(
    facts: CaseFacts, event: Event, section: str, *, key: str, data: Mapping[str, Any]
) -> CaseFacts:
    """Return the case with one more entry, by the person and at the time of the event."""
    form_entry = FormEntryFacts(section, key, facts.round, event.at, event.by.employee, dict(data))
    return replace(facts, entries=(*facts.entries, form_entry))


def mark_person(facts: CaseFacts, event: Event, section: str, *, employee: str) -> CaseFacts:
    """Return the case with a mark about an employee who handles it."""
    mark = FormEntryFacts(section, "handler", facts.round, event.at, employee, {})
    return replace(facts, entries=(*facts.entries, mark))


def is_appointed(facts: CaseFacts) -> bool:
    """Whether the director appointed who handles the case, since the department has it."""
    since = facts.assignment.dispatched_at if facts.assignment else None
    return any(
        one.section == APPOINTED and one.employee == facts.handler and since and one.at >= since
        for one in facts.entries
    )


def entry_asked_for(facts: CaseFacts, section: str, key: str, *, pack: Pack, field: str) -> Any:
    """Return the pack's entry to file under. Raises ChoiceUnknown, FormNotAsked."""
    entry = pack.find(section, key)
    if entry is None:
        raise ChoiceUnknown(field=field, value=key)
    if not holds(entry.applies, facts):
        raise FormNotAsked(form=entry.label, cite=entry.cite)
    return entry


# ---------------------------------------------------------------- forms and reports


def fill(facts: CaseFacts, event: Filled, rules: Rules) -> CaseFacts:
    """Add a filled form; what was about an earlier filling of it counts no longer.

    Raises FieldMissing for a required field, ChoiceUnknown and others.
    """
    entry = entry_asked_for(facts, "form", event.form, pack=rules.pack, field="form")
    times = EntryTimes(facts.received_at or event.at, event.at, rules.calendar)
    data = checked_form_data(entry, event.data, times)
    facts = add_entry(facts, event, "form", key=entry.key, data=data)
    facts = _with_times_agreed(facts, event, entry, data=data, rules=rules)
    return _overtake(facts, event, f"form.{entry.key}", pack=rules.pack)


def _with_times_agreed(
    facts: CaseFacts, event: Filled, entry: Any, *, data: Mapping[str, Any], rules: Rules
) -> CaseFacts:
    """Return the case with the times of a form that were agreed with the customer as promises.

    The terms that follow a promise end then (RES-2.3.2c). Raises as `promise`.
    """
    for field in entry.fields:
        if not (field.agreed and field.key in data):
            continue
        until = utc(dt.datetime.fromisoformat(data[field.key]))
        if until == facts.promised_at:
            continue
        agreed = Promised(at=event.at, by=event.by, text=field.label, until=until)
        facts = promise(facts, agreed, rules)
        facts = deadlines.move_as_promised(facts, at=event.at, pack=rules.pack)
    return facts


def refusal_without_papers(facts: CaseFacts, event: Event, pack: Pack) -> GateClosed | None:
    """Return why nobody approves or fills in what is about a paper that is not there, or None."""
    section = {"endorsed": "chain", "filled": "form"}.get(event.type, "")
    entry: Any = pack.find(section, getattr(event, section, None)) if section else None
    of: Any = getattr(entry, "of", None) or ()
    for path in (of,) if isinstance(of, str) else of:
        kept, _, key = path.partition(".")
        paper = pack.find(kept, key)
        asked = paper is not None and holds(getattr(paper, "applies", ()), facts)
        if asked and not facts.times_entered(kept, key):
            return GateClosed(
                deed=event.type, gate=entry.label, cite=entry.cite, field=paper.label, wanted=True
            )
    return None


def _overtake(facts: CaseFacts, event: Event, path: str, *, pack: Pack) -> CaseFacts:
    """Mark the approvals and entries about a paper as overtaken by its new filling."""
    for chain in pack.chain:
        if path in chain.of and facts.times_entered("chain", chain.key):
            facts = add_entry(facts, event, OVERTAKEN + "chain", key=chain.key, data={"by": path})
    for form in pack.form:
        if form.of == path and facts.times_entered("form", form.key):
            facts = add_entry(facts, event, OVERTAKEN + "form", key=form.key, data={"by": path})
            facts = _overtake(facts, event, f"form.{form.key}", pack=pack)
    return facts


def checked_form_data(entry: Any, data: Mapping[str, Any], times: EntryTimes) -> dict[str, Any]:
    """Return the fields of a form as JSON data of their shapes. Raises FieldMissing."""
    fitting = checked_values(entry.fields, data, times)
    for field in entry.fields:
        if field.required and field.key not in fitting:
            raise FieldMissing(field=field.key, label=field.label)
    return fitting


def report(facts: CaseFacts, event: Reported, rules: Rules) -> CaseFacts:
    """Add a report that went out. Raises FieldMissing where a proof is required and missing."""
    entry = entry_asked_for(facts, "report_out", event.report, pack=rules.pack, field="report")
    if event.way not in {way.key for way in entry.ways}:
        raise ChoiceUnknown(field="way", value=event.way)
    if entry.proof and not event.proof:
        raise FieldMissing(field="proof")
    said = {"way": event.way, "addressee": event.addressee, "proof": event.proof}
    return add_entry(facts, event, "report_out", key=entry.key, data=said | {"text": event.text})


def tick_item(facts: CaseFacts, event: Checked, rules: Rules) -> CaseFacts:
    """Tick an item of a checklist; the entry says `complete` once no item is missing."""
    entry = entry_asked_for(facts, "checklist", event.checklist, pack=rules.pack, field="checklist")
    item = next((item for item in entry.items if item.key == event.item), None)
    if item is None:
        raise ChoiceUnknown(field="item", value=event.item)
    if item.photo and not event.paper:
        raise FieldMissing(field="paper", label=item.label)
    at_hand = {event.item} | {
        form_entry.data["item"]
        for form_entry in facts.entries
        if (form_entry.section, form_entry.key) == ("checklist", entry.key)
    }
    said = {"item": event.item, "evidence": event.evidence, "paper": event.paper}
    said["complete"] = str(all(item.key in at_hand for item in entry.items)).lower()
    return add_entry(facts, event, "checklist", key=entry.key, data=said)


# ---------------------------------------------------------------- approvals and ladders


def next_approver(facts: CaseFacts, entry: Any, pack: Pack) -> str | None:
    """Return the post that approves next in a chain; None once the chain is approved.

    After a refusal the chain begins anew, and so it does in a new round. A case from before go-live
    waits for nobody.
    """
    if facts.history:
        return None
    last = facts.last_entry("chain", entry.key)
    if last is None or last.data["standing"] == "refused":
        return str(entry.steps[0])
    if last.round != facts.round and pack.policy.judges(Judging.own_rounds):
        return str(entry.steps[0])
    done = int(last.data["step"])
    return str(entry.steps[done]) if done < len(entry.steps) else None


CLASSIFYING_FIELDS = ("kind", "channel", "category", "level", "grade", "finding")
"""The fields that say what sort of case it is."""


def awaited_approver(facts: CaseFacts, entry: Any, pack: Pack) -> str | None:
    """Return the post a chain of approvals waits for now, or None.

    A chain of papers, or whose condition names forms, waits once one of them is filled, and after a
    refusal or in a new round once one is filled anew. A chain for a sort of case
    (CLASSIFYING_FIELDS) waits from the beginning. Any other may begin at any time and waits only
    after its first approval.
    """
    if facts.history or "endorsed" not in ALLOWED[facts.status]:
        return None
    if not holds(entry.applies, facts):
        return None
    last = facts.last_entry("chain", entry.key)
    begins = last is None or last.data["standing"] == "refused"
    anew = last is not None and last.round != facts.round
    if (begins or (anew and pack.policy.judges(Judging.own_rounds))) and not _awaits_approval(
        facts, entry
    ):
        return None
    return next_approver(facts, entry, pack)


def _awaits_approval(facts: CaseFacts, entry: Any) -> bool:
    """Whether there is something to approve that was not refused yet."""
    forms = forms_in_condition(entry)
    entered = [(one.section, one.key) for one in facts.entries]
    if not forms:
        of_a_sort = bool(entry.applies) and all(
            row.field in CLASSIFYING_FIELDS for row in entry.applies
        )
        return of_a_sort or ("chain", entry.key) in entered
    approvals = [place for place, one in enumerate(entered) if one == ("chain", entry.key)]
    news = entered[approvals[-1] :] if approvals else entered
    return any(("form", form) in news for form in forms)


def forms_in_condition(entry: Any) -> frozenset[str]:
    """Return the keys of the forms that an approval is of, or that its condition asks for."""
    asked_for = (path.split(".") for path in (*(row.field for row in entry.applies), *entry.of))
    return frozenset(path[1] for path in asked_for if path[0] == "form")


def endorse(facts: CaseFacts, event: Endorsed, rules: Rules) -> CaseFacts:
    """Add an approval, or a refusal that ends the chain. Who may and when: see `permission`."""
    entry = entry_asked_for(facts, "chain", event.chain, pack=rules.pack, field="chain")
    post = next_approver(facts, entry, rules.pack)
    if post is None:
        raise StatusForbids(deed=event.type, status=facts.status)
    step = entry.steps.index(post) + 1
    through = step == len(entry.steps)
    standing = ("approved" if through else "open") if event.agrees else "refused"
    said = {"step": step, "post": post, "agrees": event.agrees, "opinion": event.opinion}
    return add_entry(facts, event, "chain", key=entry.key, data=said | {"standing": standing})


def escalate(facts: CaseFacts, event: Escalated, rules: Rules) -> CaseFacts:
    """Take one step up a ladder. Raises StatusForbids at its top."""
    entry = entry_asked_for(facts, "ladder", event.ladder, pack=rules.pack, field="ladder")
    level = facts.times_entered("ladder", entry.key) + 1
    if level > len(entry.steps):
        raise StatusForbids(deed=event.type, status=facts.status)
    said = {"level": level, "post": entry.steps[level - 1], "reason": event.reason}
    return add_entry(facts, event, "ladder", key=entry.key, data=said)


def involve(facts: CaseFacts, event: Involved, rules: Rules) -> CaseFacts:
    """Add a department that takes part beside the one that leads."""
    if rules.pack.find("department", event.department) is None:
        raise ChoiceUnknown(field="department", value=event.department)
    return add_entry(facts, event, "participant", key=event.department, data={"task": event.task})


# ---------------------------------------------------------------- the customer


def promise(facts: CaseFacts, event: Promised, rules: Rules) -> CaseFacts:
    """Add a promise to the customer. Raises AuthorityExceeded above what the person may give away.

    Raises ConsentMissing for a time after the usual end without the customer's consent, and
    PromiseTooLate for one after a deadline that a promise must keep.
    """
    if event.until is None and event.amount is None:
        raise FieldMissing(field="until")
    if event.amount is not None:
        _check_authority(facts, event, rules.pack)
    said = {"text": event.text, "consent": event.consent, "amount": _amount_text(event.amount)}
    if event.until is None:
        return add_entry(facts, event, "promise", key="promise", data=said)
    until = utc(event.until)
    if until <= event.at:
        raise TimeBeforeCase(field="until", at=until, earliest=event.at)
    _check_promise_deadline(facts, event, until, pack=rules.pack)
    if not event.consent and _is_later_than_due(facts, until, rules.pack):
        raise ConsentMissing(until=until)
    facts = replace(facts, promised_at=until)
    return add_entry(
        facts, event, "promise", key="promise", data=said | {"until": until.isoformat()}
    )


def _amount_text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _check_authority(facts: CaseFacts, event: Promised, pack: Pack) -> None:
    """Refuse an amount above the authority of the person's posts; a pack may set no limit.

    What was promised on the case before, by whomever, counts towards the limit.
    """
    held = {"anybody", *(post.post for post in event.by.posts)}
    limit = max((entry.up_to for entry in pack.authority if entry.by in held), default=Decimal(0))
    total = event.amount or Decimal(0)
    if pack.policy.judges(Judging.bounded_grants):
        promised = (one.data.get("amount") for one in facts.entries if one.section == "promise")
        total += sum((Decimal(amount) for amount in promised if amount), Decimal(0))
    if pack.authority and total > limit:
        raise AuthorityExceeded(limit=limit, cite=pack.authority[0].cite)


def _check_promise_deadline(
    facts: CaseFacts, event: Promised, until: dt.datetime, *, pack: Pack
) -> None:
    """Refuse a time after a deadline that promises must keep; a breached one binds no more."""
    for deadline in facts.deadlines:
        entry = pack.find("deadline", deadline.key)
        if not (deadline.running and deadline.due_at and entry.promise == "within"):
            continue
        if event.at <= deadline.due_at < until:
            raise PromiseTooLate(latest=deadline.due_at, cite=entry.cite)


def _is_later_than_due(facts: CaseFacts, until: dt.datetime, pack: Pack) -> bool:
    return any(
        deadline.running and deadline.due_at and deadline.due_at < until
        for deadline in facts.deadlines
        if pack.find("deadline", deadline.key).promise == "overrides"
    )


def inform(facts: CaseFacts, event: Informed, rules: Rules) -> CaseFacts:
    """Record that the customer was told; the first time of each subject counts."""
    said = {"channel": event.channel, "text": event.text}
    if event.about == "result":
        facts = replace(facts, informed_at=facts.informed_at or event.at)
    return add_entry(facts, event, "informed", key=event.about, data=said)


# ---------------------------------------------------------------- findings and claims


def verify(facts: CaseFacts, event: Verified, rules: Rules) -> CaseFacts:
    """Record the finding: its key, whether the complaint is valid, and the persons concerned."""
    entry = rules.pack.find("finding", event.finding)
    if entry is None:
        raise ChoiceUnknown(field="finding", value=event.finding)
    concerned = tuple(dict.fromkeys(event.concerned))
    facts = replace(facts, finding=entry.key, valid=entry.valid, concerned=concerned)
    said = {"concerned": list(concerned), "text": event.text, "valid": entry.valid}
    return add_entry(facts, event, "finding", key=entry.key, data=said)


def claim(facts: CaseFacts, event: Event, rules: Rules) -> CaseFacts:
    """Add what the company owes the customer for the event, from a number of cases on."""
    for entry in rules.pack.claims.get(event.type, ()):
        count = _count_of_claim(facts, event, entry.key)
        total = field_value(entry.of, facts, event)
        if not holds(entry.applies, facts, event) or count < entry.from_count or not total:
            continue
        amount = (Decimal(str(total)) * entry.percent / 100).quantize(Decimal("0.01"))
        said = {"amount": str(amount), "count": count}
        last = facts.last_entry("claim", entry.key)
        if len(entry.event) == 1 or last is None or dict(last.data) != said:
            facts = add_entry(facts, event, "claim", key=entry.key, data=said)
    return facts


def _count_of_claim(facts: CaseFacts, event: Event, key: str) -> int:
    """Return which case of the customer's year it is, as the event or the last claim says."""
    earlier = getattr(event, "earlier", None)
    last = facts.last_entry("claim", key)
    if not isinstance(earlier, int) and last is not None:
        return int(last.data["count"])
    return (earlier if isinstance(earlier, int) else 0) + 1


def record_grade_change(
    before: CaseFacts, after: CaseFacts, event: Event, *, because: str
) -> CaseFacts:
    """Add an entry for a changed grade: from what, when and why."""
    if after.grade == before.grade or after.grade is None:
        return after
    return add_entry(
        after, event, "severity", key=after.grade, data={"was": before.grade, "because": because}
    )


def applicable_entries(facts: CaseFacts, section: str, pack: Pack) -> list[Entry]:
    """Return the entries of a section whose condition the case meets, in the pack's order."""
    return [entry for entry in getattr(pack, section) if holds(entry.applies, facts)]
