"""What the company says where the regulation names an authority or brings words for the phone.

Such a text holds from a day on and needs no new version; the pack's own words are the default.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import CompanyText

AUTHORITY, SCRIPT = "authority", "script"


def standing(session: Session, *, policy_id: int, section: str, on: dt.date) -> dict[str, str]:
    """The texts of a section that hold on a local day, by key: of a report outside, of a script."""
    rows = session.execute(
        sa.select(CompanyText.key, CompanyText.text)
        .where(CompanyText.policy_id == policy_id, CompanyText.section == section)
        .where(CompanyText.from_on <= on)
        .order_by(CompanyText.from_on, CompanyText.id)
    )
    # A later text takes the place of an earlier one of the same key.
    return dict(rows.all())
