"""Company texts: the company's wording of an authority or telephone script of the regulation.

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
"""The section of the pack that a kind of company text rewords: recipients of reports, scripts."""
LONGEST = 4000


def texts_on(session: Session, *, policy_id: int, section: str, on: dt.date) -> dict[str, str]:
    """Return the texts of a section in force on a local day, by the key of the report or script."""
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
    """The wording of an entry on a day, under its name `what`; `own` if the company reworded it."""

    what: str
    policy: str
    section: str
    label: str
    text: str
    own: bool


def wordings_on(session: Session, *, on: dt.date) -> list[CompanyWording]:
    """Return the wording on a local day of every entry of the regulations in force."""
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
    """Return the entries the company may reword: `policy/section/key` and their labels."""
    return {one.what: f"{one.policy} · {one.label}" for one in wordings_on(session, on=on)}


def add_text(
    session: Session, what: str, *, from_on: dt.date, text: str, on: dt.date
) -> CompanyText:
    """Add the company's text for an entry of `wordable_entries`, in force from a day on.

    Raises ChoiceUnknown for another entry, Duplicate for a day that has its text already.
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
    """Change the text of a row."""
    row.text = _checked(text)
    session.flush()


def _checked(text: str) -> str:
    if not text.strip():
        raise FieldMissing(field="text")
    if len(text) > LONGEST:
        raise FieldTooLong(field="text", limit=LONGEST)
    return text.strip()
