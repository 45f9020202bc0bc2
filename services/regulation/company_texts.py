"""What the company says where the regulation names an authority or brings words for the phone.

Such a text holds from a day on and needs no new version; the pack's own words are the default.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import CompanyText, Policy
from policy.vocabulary.errors import ChoiceUnknown, Duplicate, FieldMissing, FieldTooLong
from services.regulation import policies

AUTHORITY, SCRIPT = "authority", "script"
PACK_SECTIONS = {AUTHORITY: "report_out", SCRIPT: "script"}
"""The section of the pack whose entries a company words anew: to whom a report goes, a script."""
LONGEST = 4000


def texts_on(session: Session, *, policy_id: int, section: str, on: dt.date) -> dict[str, str]:
    """The texts of a section that hold on a local day, by key: of a report outside, of a script."""
    rows = session.execute(
        sa.select(CompanyText.key, CompanyText.text)
        .where(CompanyText.policy_id == policy_id, CompanyText.section == section)
        .where(CompanyText.from_on <= on)
        .order_by(CompanyText.from_on, CompanyText.id)
    )
    # A later text takes the place of an earlier one of the same key.
    return dict(rows.all())


@dataclass(frozen=True, slots=True)
class CompanyWording:
    """What is said on a day about one of `wordable_entries`; `own` if the company said it."""

    what: str
    policy: str
    section: str
    label: str
    text: str
    own: bool


def wordings_on(session: Session, *, on: dt.date) -> list[CompanyWording]:
    """What is said on a local day at every entry of the regulations in force."""
    found: list[CompanyWording] = []
    for version in policies.all_in_force(session, on=on):
        pack = policies.pack(session, version)
        for section, kept in PACK_SECTIONS.items():
            own = texts_on(session, policy_id=version.policy_id, section=section, on=on)
            for entry in getattr(pack, kept):
                what = f"{version.policy_id}/{section}/{entry.key}"
                theirs = entry.to if section == AUTHORITY else entry.text
                text = own.get(entry.key, theirs)
                is_own = entry.key in own
                found.append(
                    CompanyWording(what, version.policy.name, kept, entry.label, text, is_own)
                )
    return found


def wordable_entries(session: Session, *, on: dt.date) -> dict[str, str]:
    """The entries of the regulations in force that may be worded anew: `policy/section/key`
    and what they are called.
    """
    return {one.what: f"{one.policy} · {one.label}" for one in wordings_on(session, on=on)}


def add_text(
    session: Session, what: str, *, from_on: dt.date, text: str, on: dt.date
) -> CompanyText:
    """Let the company say something from a day on where `wordable_entries` names an entry.

    Raises ChoiceUnknown for another one, Duplicate for a day that has its words already.
    """
    if what not in wordable_entries(session, on=on):
        raise ChoiceUnknown(field="what", value=what)
    policy_id, section, key = what.split("/")
    row = CompanyText(
        policy_id=int(policy_id), section=section, key=key, from_on=from_on, text=_checked(text)
    )
    same = sa.select(CompanyText.id).where(
        CompanyText.policy_id == row.policy_id,
        CompanyText.section == section,
        CompanyText.key == key,
        CompanyText.from_on == from_on,
    )
    if session.scalars(same).first() is not None:
        raise Duplicate(field="from_on", value=from_on.isoformat())
    row.policy = session.get_one(Policy, row.policy_id)
    session.add(row)
    session.flush()
    return row


def change_text(session: Session, row: CompanyText, *, text: str) -> None:
    """Let a row say something else from its day on."""
    row.text = _checked(text)
    session.flush()


def _checked(text: str) -> str:
    if not text.strip():
        raise FieldMissing(field="text")
    if len(text) > LONGEST:
        raise FieldTooLong(field="text", limit=LONGEST)
    return text.strip()
