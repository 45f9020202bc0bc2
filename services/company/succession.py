"""Succession: who leads a department after somebody, from which day on.

Days are those of the company's zone. Somebody leads who holds the post or stands in for who holds
it, and has not left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from models import Deputy, Employee, PostHolding
from services.company import presence

_A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Succession:
    """From a day on others lead: the number of the holder and of the deputy, if any."""

    on: dt.date
    holder: str | None
    deputy: str | None


def leading_ids(session: Session, *, on: dt.date) -> dict[str, set[int]]:
    """Return the ids of the employees who lead by each post on a day, holders and deputies."""
    own = sa.select(PostHolding.post, PostHolding.employee_id).where(presence.holds(on=on))
    standing_in = (
        sa.select(PostHolding.post, Deputy.employee_id)
        .join(Deputy, Deputy.holding_id == PostHolding.id)
        .where(presence.holds(on=on), presence.stands_in(on=on))
    )
    found: dict[str, set[int]] = {}
    for post, employee_id in session.execute(sa.union(own, standing_in)):
        found.setdefault(post, set()).add(employee_id)
    return found


def leads_still(session: Session, post: str, employee_id: int | None, *, on: dt.date) -> bool:
    """Whether an employee leads by a post on a day; for None, whether nobody does."""
    here = leading_ids(session, on=on).get(post, set())
    return not here if employee_id is None else employee_id in here


def successions(
    session: Session, post: str, *, leading: str | None, from_on: dt.date, until_on: dt.date
) -> Iterator[Succession]:
    """Yield who led after `leading`, in order: each time who led last no longer may.

    Looks at the days from `from_on`, on which `leading` had the case, until `until_on`.
    """
    held = session.scalars(
        sa.select(PostHolding)
        .where(PostHolding.post == post)
        .options(
            joinedload(PostHolding.employee),
            selectinload(PostHolding.deputies).joinedload(Deputy.employee),
        )
        .order_by(PostHolding.from_on.desc(), PostHolding.id.desc())
    ).all()
    for day in _days_of_change(held, from_on, until_on):
        leads = _leading(held, day)
        numbers = {one.number for pair in leads for one in pair if one is not None}
        if leading in numbers or (leading is None and not numbers):
            continue
        holder, deputy = leads[0] if leads else (None, None)
        found = Succession(
            day, holder.number if holder else None, deputy.number if deputy else None
        )
        leading = found.deputy or found.holder
        yield found


def _days_of_change(
    held: Sequence[PostHolding], from_on: dt.date, until_on: dt.date
) -> list[dt.date]:
    """Return the days on which somebody begins to lead or leads no longer."""
    days = {from_on}
    for holding in held:
        periods: list[PostHolding | Deputy] = [holding, *holding.deputies]
        for period in periods:
            ends = [one for one in (period.until_on, period.employee.left_on) if one is not None]
            days |= {period.from_on, *(one + _A_DAY for one in ends if one < until_on)}
    return sorted(day for day in days if from_on <= day <= until_on)


def _leading(held: Sequence[PostHolding], on: dt.date) -> list[tuple[Employee, Employee | None]]:
    """Return the holders of a day who are with us, each with the deputy, the newest first."""
    found: list[tuple[Employee, Employee | None]] = []
    for holding in held:
        lasts = holding.from_on <= on <= (holding.until_on or dt.date.max)
        if not (lasts and presence.is_with_us(holding.employee, on=on)):
            continue
        away = (d.employee for d in holding.deputies if d.from_on <= on <= d.until_on)
        deputy = next((one for one in away if presence.is_with_us(one, on=on)), None)
        found.append((holding.employee, deputy))
    return found
