"""The regulations, to read: every version, every rule in words, every number with its clause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import abort
from flask_admin import expose
from flask_babel import lazy_gettext
from sqlalchemy.orm import selectinload

from admin.base import RedressPage
from admin.rulewords import SECTIONS, Fact, Speaker
from models import Parameter, Policy, PolicyRule, PolicyVersion

VERSION_STATES = {
    "draft": ("amber", lazy_gettext("Draft")),
    "published": ("green", lazy_gettext("Published")),
    "withdrawn": ("grey", lazy_gettext("Withdrawn version")),
}


@dataclass(frozen=True)
class RuleRow:
    """One rule as the page shows it."""

    key: str
    label: str
    cite: str
    note: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class SectionRows:
    """The rules of one section."""

    key: str
    name: Any
    rules: tuple[RuleRow, ...]


class PolicyPage(RedressPage):
    """All regulations with their versions, and the page of one version."""

    group, icon = "rules", "book"

    @expose("/")
    def index(self) -> str:
        statement = sa.select(Policy).options(selectinload(Policy.versions)).order_by(Policy.name)
        counts = dict(
            self.records.execute(
                sa.select(PolicyRule.policy_version_id, sa.func.count()).group_by(
                    PolicyRule.policy_version_id
                )
            ).all()
        )
        policies = list(self.records.scalars(statement))
        return self.render(
            "admin/policies.html", policies=policies, counts=counts, states=VERSION_STATES
        )

    @expose("/<int:version_id>")
    def version(self, version_id: int) -> str:
        version = self.records.get(PolicyVersion, version_id) if version_id < 2**63 else None
        if version is None:
            abort(404)
        return self.render(
            "admin/policy.html",
            version=version,
            sections=_sections(version, self._parameters(version)),
            states=VERSION_STATES,
        )

    def _parameters(self, version: PolicyVersion) -> dict[str, str]:
        statement = sa.select(Parameter.key, Parameter.value).where(
            Parameter.policy_version_id == version.id
        )
        return dict(self.records.execute(statement).all())


def _sections(version: PolicyVersion, parameters: Mapping[str, str]) -> list[SectionRows]:
    """The rules by section, in the order of SECTIONS; a section nobody knows comes last."""
    labels = {(r.section, r.key): str(r.data.get("label", r.key)) for r in version.rules}
    for rule in version.rules:
        for choice in rule.data.get("choices") or ():
            labels[f"choice of {rule.key}", str(choice["key"])] = str(choice["label"])
        if rule.section == "deadline" and rule.data.get("slot"):
            slot = "slot", str(rule.data["slot"])
            label = str(rule.data.get("label", rule.key))
            labels[slot] = f"{labels[slot]}、{label}" if slot in labels else label
    usual = {r.key: r.data.get("value") for r in version.rules if r.section == "parameter"}
    speaker = Speaker(labels, chosen=usual | dict(parameters))
    found: dict[str, list[RuleRow]] = {key: [] for key in SECTIONS}
    for rule in version.rules:
        found.setdefault(rule.section, []).append(_row(rule, speaker, parameters))
    return [
        SectionRows(key, SECTIONS.get(key, key), tuple(rows)) for key, rows in found.items() if rows
    ]


def _row(rule: PolicyRule, speaker: Speaker, parameters: Mapping[str, str]) -> RuleRow:
    clause = rule.section == "clause"
    data = dict(rule.data)
    if rule.section == "parameter" and rule.key in parameters:
        data["value"] = parameters[rule.key]
    return RuleRow(
        key=rule.key,
        label=str(rule.data.get("label", rule.key)),
        cite=rule.key if clause else str(rule.data.get("cite") or ""),
        note=str(rule.data.get("note") or ""),
        facts=tuple(speaker.facts(data)),
    )


def views(db: Any) -> list[RedressPage]:
    """The regulations."""
    return [PolicyPage(db, name=lazy_gettext("Policies"), endpoint="policy")]
