"""The regulations: every version and rule in words, what two versions differ in, the file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import abort, current_app, send_file
from flask_admin import expose
from flask_babel import lazy_gettext
from flask_login import current_user
from sqlalchemy.orm import selectinload

from admin.kit.display import today
from admin.kit.lookup import by_id
from admin.kit.page import RedressPage
from enums import Role
from files.regulation_toml import toml_of
from models import Policy, PolicyRule, PolicyVersion
from policy.pack.comparing import EntryDifference, differences
from policy.proof.sentences import count_sentences
from services.regulation import departments, drafts, policies, publishing, shipped
from wording.rule_choices import RuleChoices
from wording.rule_text import SECTIONS, RuleFact

VERSION_STATES = {
    "draft": ("amber", lazy_gettext("Draft")),
    "published": ("green", lazy_gettext("Published")),
    "withdrawn": ("grey", lazy_gettext("Withdrawn version")),
}
DRAFTREADERS = frozenset({Role.administrator, Role.general_manager, Role.auditor})
CHANGE_DEEDS = {
    "added": lazy_gettext("added"),
    "changed": lazy_gettext("changed"),
    "removed": lazy_gettext("taken out"),
    "moved": lazy_gettext("moved"),
}
TRIALS = (
    ("trial.play", lazy_gettext("Try a case on it")),
    ("trial.what_if", lazy_gettext("What it would have changed")),
)
"""Pages that try a version, where they are installed."""


@dataclass(frozen=True)
class RuleRow:
    """One rule as the page shows it."""

    key: str
    label: str
    cite: str
    note: str
    facts: tuple[RuleFact, ...]


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
            self.session.execute(
                sa.select(PolicyRule.policy_version_id, sa.func.count()).group_by(
                    PolicyRule.policy_version_id
                )
            ).all()
        )
        shown = {
            policy: [one for one in policy.versions if _may_see(one)]
            for policy in self.session.scalars(statement)
        }
        return self.render(
            "regulation/versions.html",
            policies={policy: versions for policy, versions in shown.items() if versions},
            counts=counts,
            state=version_state,
        )

    @expose("/<int:version_id>")
    def version(self, version_id: int) -> str:
        version = self._version(version_id)
        others = [one for one in version.policy.versions if one is not version and _may_see(one)]
        return self.render(
            "regulation/version.html",
            version=version,
            sections=_sections(policies.plain_data(self.session, version)),
            **self._departments(version),
            state=version_state,
            others=sorted(others, key=lambda one: -one.number),
            in_force=version in policies.all_in_force(self.session, on=today()),
            changes=drafts.changes_of(self.session, version) if version.status == "draft" else (),
            deeds=CHANGE_DEEDS,
            section_name=lambda section: SECTIONS.get(section, section),
            authors=publishing.authors(self.session, version)
            if version.status == "draft"
            else set(),
            mends=self._mends(version),
            trials=[(name, words) for name, words in TRIALS if name in current_app.view_functions],
        )

    @expose("/<int:version_id>/sentences")
    def sentences(self, version_id: int) -> str:
        """The text sentence by sentence; what is not carried out stands first."""
        version = self._version(version_id)
        found = shipped.sentences(self.session, version)
        return self.render(
            "regulation/sentences.html",
            version=version,
            sentences=found,
            count=count_sentences(found),
            section_name=lambda section: SECTIONS.get(section, section),
        )

    @expose("/<int:version_id>/compare/<int:other_id>")
    def compare(self, version_id: int, other_id: int) -> str:
        version, other = self._version(version_id), self._version(other_id)
        if version.policy_id != other.policy_id:
            abort(404)
        before = policies.plain_data(self.session, other)
        after = policies.plain_data(self.session, version)
        old, new = RuleChoices(before), RuleChoices(after)
        return self.render(
            "regulation/compare.html",
            version=version,
            other=other,
            differences=differences(before, after),
            old=old,
            new=new,
            state=version_state,
        )

    @expose("/<int:version_id>/file")
    def file(self, version_id: int) -> Any:
        version = self._version(version_id)
        text = toml_of(policies.plain_data(self.session, version))
        name = f"{version.policy.key}-{version.number}.toml"
        return send_file(
            io.BytesIO(text.encode()),
            mimetype="application/toml",
            as_attachment=True,
            download_name=name,
        )

    def _mends(self, version: PolicyVersion) -> list[EntryDifference]:
        """What the product's own text corrects in the version that is in force."""
        in_force = version in policies.all_in_force(self.session, on=today())
        return shipped.mends(self.session, version) if in_force else []

    def _departments(self, version: PolicyVersion) -> dict[str, Any]:
        """The company's departments the regulation's mean, and those that mean none, by name.

        A version to come is looked at on its first day; of a draft its check says it.
        """
        if version.status != "published" or version.effective_from is None:
            return {"meant": {}, "unmapped": {}}
        day = max(today(), version.effective_from)
        said: dict[str, Any] = {"policy_id": version.policy_id, "on": day}
        missing = departments.unmapped(self.session, policies.pack(self.session, version), **said)
        names = {departments.name_of(version.policy_id, one.key): one.label for one in missing}
        return {"meant": departments.departments_meant(self.session, **said), "unmapped": names}

    def _version(self, version_id: int) -> PolicyVersion:
        found = by_id(self.session, PolicyVersion, version_id)
        if found is None or not _may_see(found):
            abort(404)
        return found


def _may_see(version: PolicyVersion) -> bool:
    """A draft is shown to those who edit, approve or audit; what was published, to everybody."""
    return version.published_at is not None or current_user.role in DRAFTREADERS


def version_state(version: PolicyVersion) -> tuple[str, Any]:
    """The colour and the words of where a version stands in its life."""
    if version.status == "draft":
        if version.approved_at is not None:
            return "teal", lazy_gettext("Approved draft")
        return VERSION_STATES["draft"]
    if version.status == "withdrawn" and version.published_at is None:
        return "grey", lazy_gettext("Draft thrown away")
    coming = version.effective_from is not None and version.effective_from > today()
    if version.status == "published" and coming:
        return "blue", lazy_gettext("Published, to come")
    return VERSION_STATES[version.status]


def _sections(data: Mapping[str, Any]) -> list[SectionRows]:
    """The rules by section, in the order of SECTIONS; a section nobody knows comes last."""
    rule_choices = RuleChoices(data)
    found: dict[str, list[RuleRow]] = {key: [] for key in SECTIONS}
    for section, value in data.items():
        entries = [value] if section == "policy" else value
        found[section] = [_row(section, entry, rule_choices) for entry in entries]
    return [
        SectionRows(key, SECTIONS.get(key, key), tuple(rows)) for key, rows in found.items() if rows
    ]


def _row(section: str, entry: Mapping[str, Any], rule_choices: RuleChoices) -> RuleRow:
    key = str(entry.get("key") or "")
    return RuleRow(
        key=key,
        label=str(entry.get("label") or key),
        cite=key if section == "clause" else str(entry.get("cite") or ""),
        note=str(entry.get("note") or ""),
        facts=tuple(rule_choices.rule_text.facts(entry)),
    )


def views(db: Any) -> list[RedressPage]:
    """The regulations."""
    return [PolicyPage(db, name=lazy_gettext("Policies"), endpoint="policy")]
