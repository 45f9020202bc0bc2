"""What may be done on the page of a case, with a form for each: one offer for every deed, and of
a deed about an entry of the regulation (a form, a report, an approval) one for every entry.

The engine says what is allowed; here it is only spread out and given its form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

import wording
from admin.cases import deed_forms, form_filling, jury_forms
from admin.cases.deed_forms import DeedForm, MarkedForm
from admin.kit.display import now
from policy.engine.forms import applicable_entries, next_approver
from policy.engine.permission import refusal
from policy.vocabulary.errors import DomainError, GateClosed
from policy.vocabulary.events import EVENTS
from policy.vocabulary.facts import CaseFacts
from policy.vocabulary.marks import entry_field
from services.cases import followup, forms, handling, intake, jury, penalties
from services.cases.desk import CasePage
from services.cases.journal import Deeds

DEEDS: Deeds = {
    **intake.DEEDS,
    **handling.DEEDS,
    **followup.DEEDS,
    **penalties.DEEDS,
    **forms.DEEDS,
    **jury.DEEDS,
}
"""Every deed that can be done on the page of a case, and the service that does it."""

FORMS: dict[str, type[DeedForm]] = deed_forms.FORMS | form_filling.FORMS | jury_forms.FORMS
"""The deeds with a form of their own."""


@dataclass(frozen=True)
class PageDeed:
    """A deed with the entry it is about; `key` is its name in an address: `filled:visit`."""

    name: str
    entry: Any = None
    item: Any = None
    refusal: DomainError | None = None

    @property
    def key(self) -> str:
        parts = [one.key for one in (self.entry, self.item) if one is not None]
        return ":".join([self.name, *parts])

    @property
    def place(self) -> str:
        """Its name where a page wants an id."""
        return self.key.replace(":", "-").replace(".", "-")

    @property
    def label(self) -> str:
        said = wording.deed(self.name)
        named = self.item or self.entry
        return f"{said} · {named.label}" if named else said

    @property
    def allowed(self) -> bool:
        return self.refusal is None


def offers(page: CasePage) -> list[PageDeed]:
    """Every deed a person could think of on a case, allowed or with the reason why not."""
    return [
        one
        for deed in page.deeds
        if deed.name in DEEDS
        for one in _spread(deed.name, deed.refusal, page)
    ]


def offer(page: CasePage, key: str) -> PageDeed | None:
    """The deed of a key as an address says it; None where there is no such deed or entry."""
    name, *parts = key.split(":")
    if name not in DEEDS:
        return None
    about = entry_field(EVENTS[name])
    if about is None:
        return PageDeed(name) if not parts else None
    entry = page.pack.find(about.sections[0], parts[0]) if parts else None
    item = next((i for i in getattr(entry, "items", ()) if parts[1:] == [i.key]), None)
    if entry is None or (name == "checked") != (item is not None):
        return None
    return PageDeed(name, entry, item)


def _spread(name: str, refused: DomainError | None, page: CasePage) -> Iterator[PageDeed]:
    about = entry_field(EVENTS[name])
    if about is None:
        yield PageDeed(name, refusal=refused)
        return
    for entry in applicable_entries(page.facts, about.sections[0], page.pack):
        if not _fits(name, entry, page):
            continue
        why_not = refused or _refusal(name, {about.name: entry.key}, page)
        if name == "checked":
            yield from (PageDeed(name, entry, item, why_not) for item in missing(page.facts, entry))
        else:
            yield PageDeed(name, entry, refusal=why_not)


def _fits(name: str, entry: Any, page: CasePage) -> bool:
    """Whether there is something left to do about an entry."""
    match name:
        case "filled":
            return not entry.alone
        case "endorsed":
            return next_approver(page.facts, entry, page.pack) is not None
        case "escalated":
            return page.facts.times_entered("ladder", entry.key) < len(entry.steps)
        case "appealed" | "convened" | "voted" | "ruled":
            return jury_forms.fits(name, entry, page.facts, employee=page.by.employee)
    return True


def _refusal(name: str, about: Mapping[str, Any], page: CasePage) -> DomainError | None:
    """Why not for this entry: whose turn it is, which post it asks for.

    What a gate asks of the contents is left open until somebody has typed them.
    """
    event = EVENTS[name].model_construct(type=name, at=now(), by=page.by, **about)
    refused = refusal(page.facts, name, page.by, pack=page.pack, event=event)
    if isinstance(refused, GateClosed) and str(refused.facts["field"]).startswith("event."):
        return None
    return refused


def missing(facts: CaseFacts, checklist: Any) -> list[Any]:
    """The items of a checklist that are not at hand yet."""
    at_hand = {
        one.data["item"]
        for one in facts.entries
        if (one.section, one.key) == ("checklist", checklist.key)
    }
    return [item for item in checklist.items if item.key not in at_hand]


def form_class(name: str) -> type[DeedForm]:
    """The form of a deed: its own, or one from the marks of its event."""
    return FORMS.get(name) or type("MarkedForm", (MarkedForm,), {"event": EVENTS[name]})


def form_of(session: Session, page: CasePage, wanted: PageDeed) -> DeedForm:
    """The form of a deed on a case, bound to what was posted to it."""
    kind = form_class(wanted.name).made_for(page.pack, wanted.entry)
    kind = type(kind.__name__, (kind,), {"entry": wanted.entry, "item": wanted.item})
    form = kind(prefix=f"{wanted.place}-")
    form.prepare(page.pack, page.facts)
    form.look_up(session, page)
    if not form.seen.data:
        form.seen.data = str(page.complaint.version)
    return form


def service_of(key: str) -> Callable[..., Any]:
    """The service that does the deed of a key."""
    return DEEDS[key.partition(":")[0]]
