"""Drafts of regulations: the table of numbers, the choices, every entry, check and publication."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms.validators import InputRequired

from admin.kit.display import now, today
from admin.kit.fields import DayField, long_text, short_text
from admin.kit.lookup import by_id
from admin.kit.page import RedressPage, attempt, version_of
from admin.kit.rights import visitor_may_open
from admin.regulation.numbers import NumberRow, number_rows, value_slot
from admin.regulation.shape_fields import ShapeForm, form_of
from models import PolicyVersion
from policy.pack.loading import PACKS, parse_toml
from policy.pack.schema import SECTIONS
from policy.pack.slots import Slot, parameter_shapes, slots_of
from policy.vocabulary.errors import ChangedMeanwhile, NotFound
from services.company import actors
from services.company.actors import Actor
from services.regulation import draft_checks, drafts, policies, publishing
from wording import finding_text, whatif_text
from wording.law_text import LAWS
from wording.rule_choices import RuleChoices
from wording.rule_text import OPERATORS
from wording.rule_text import SECTIONS as ALL_SECTIONS

LARGEST_FILE = 2_000_000
"""How many bytes the file of a regulation may have."""
_FIXED = frozenset({"key"})


class _Form(FlaskForm):
    class Meta:
        csrf = False  # the page carries the token


class PublishForm(_Form):
    """From when on, and how staff was told."""

    effective_from = DayField(lazy_gettext("In force from"), [InputRequired()])
    told_staff_on = DayField(lazy_gettext("Staff was told on"), [InputRequired()])
    told_staff_proof = short_text(
        lazy_gettext("Proof of it"),
        description=lazy_gettext("Number of the notice, minutes, a list of signatures."),
    )


class WithdrawForm(_Form):
    reason = long_text(lazy_gettext("Reason"))


class DraftPage(RedressPage):
    """Everything that is done to a draft; its own page is that of the version."""

    within = "policy"

    def is_accessible(self) -> bool:
        """Each route by itself: who approves opens the check and not the forms."""
        return visitor_may_open(request.endpoint or "")

    # ------------------------------------------------------------ beginning

    @expose("/", methods=("GET", "POST"))
    def index(self) -> str | Response:
        typed = {name: request.form.get(name, "").strip() for name in ("way", "key", "label")}
        if request.method == "POST":
            with attempt(self.session) as tried:
                draft = self._begun(typed)
            if tried.done:
                flash(gettext("The draft is there. Change it, check it, then have it approved."))
                return redirect(self.get_url("policy.version", version_id=draft.id))
        in_force = policies.all_in_force(self.session, on=today())
        shipped = sorted(path.stem for path in PACKS.glob("*.toml"))
        titles = {key: _shipped_title(key) for key in shipped}
        return self.render(
            "regulation/draft_new.html", typed=typed, in_force=in_force, shipped=titles
        )

    def _begun(self, typed: Mapping[str, str]) -> PolicyVersion:
        said: dict[str, Any] = {"actor": self._actor, "now": now()}
        way, _, key = typed["way"].partition(":")
        if way == "version":
            version = self._version(int(key) if key.isdecimal() else 0)
            return drafts.begin_from(self.session, version, **said)
        if way == "shipped":
            return drafts.begin_shipped(self.session, key, **said)
        if way == "file":
            return drafts.begin_with(self.session, self._uploaded(), **said)
        return drafts.begin_empty(self.session, key=typed["key"], label=typed["label"], **said)

    def _uploaded(self) -> dict[str, Any]:
        file = request.files.get("file")
        content = file.read(LARGEST_FILE + 1) if file else b""
        if not content or len(content) > LARGEST_FILE:
            raise NotFound(what="file", key=file.filename or "" if file else "")
        return parse_toml(content, file=str(file.filename) if file else "")

    # ------------------------------------------------------------ the table of numbers

    @expose("/<int:version_id>/numbers", methods=("GET", "POST"))
    def numbers(self, version_id: int) -> str | Response:
        draft = self._draft(version_id)
        rule_choices = self._lexicon(draft)
        before = policies.plain_data(self.session, draft.based_on) if draft.based_on else None
        rows = number_rows(draft.rules, before, rule_choices)
        form = self._bound({row.name: row.slot for row in rows}, rule_choices, _values(rows))
        if request.method == "POST" and form.validate():
            touched = _touched(form)
            changes = _changes([row for row in rows if row.name in touched], form)
            if self._did(draft, lambda: self._change(draft, changes)):
                return redirect(self.get_url(".numbers", version_id=draft.id))
            rows = number_rows(draft.rules, before, rule_choices)
            _show_stored(form, _values(rows), touched)
        tables: dict[str, list[NumberRow]] = {}
        for row in rows:
            tables.setdefault(row.rule.section, []).append(row)
        return self._show(
            "draft_numbers", draft, rule_choices, form=form, tables=tables, rows=rows,
            was=_snapshot(_values(rows)),
        )  # fmt: skip

    # ------------------------------------------------------------ the choices of the company

    @expose("/<int:version_id>/choices", methods=("GET", "POST"))
    def choices(self, version_id: int) -> str | Response:
        draft = self._draft(version_id)
        rule_choices = self._lexicon(draft)
        asked = parameter_shapes(rule_choices.data)
        rules = [rule for rule in draft.rules if rule.section == "parameter"]
        rules.sort(key=lambda rule: (rule.data.get("value") is not None, not rule.data.get("ask")))
        slots = {f"n{rule.id}-value": value_slot(rule.data, asked) for rule in rules}
        values = {f"n{rule.id}-value": rule.data.get("value") for rule in rules}
        form = self._bound(slots, rule_choices, values)
        if request.method == "POST" and form.validate():
            touched = _touched(form)
            changes = {
                rule.id: _with(rule.data, "value", form[name].data)
                for rule in rules
                if (name := f"n{rule.id}-value") in touched
            }
            if self._did(draft, lambda: self._change(draft, changes)):
                return redirect(self.get_url(".choices", version_id=draft.id))
            values = {f"n{rule.id}-value": rule.data.get("value") for rule in rules}
            _show_stored(form, values, touched)
        return self._show(
            "draft_choices", draft, rule_choices, form=form, rules=rules, asked=asked,
            was=_snapshot(values),
        )  # fmt: skip

    # ------------------------------------------------------------ every entry

    @expose("/<int:version_id>/rules")
    def rules(self, version_id: int) -> str:
        draft = self._version(version_id)
        rule_choices = self._lexicon(draft)
        section = request.args.get("section", "deadline")
        if section != "policy" and section not in SECTIONS:
            abort(404)
        counts: dict[str, int] = {}
        for rule in draft.rules:
            counts[rule.section] = counts.get(rule.section, 0) + 1
        rows = [rule for rule in draft.rules if rule.section == section]
        return self._show(
            "draft_rules", draft, rule_choices, section=section, counts=counts, rules=rows
        )

    @expose("/<int:version_id>/rules/<int:rule_id>", methods=("GET", "POST"))
    def entry(self, version_id: int, rule_id: int) -> str | Response:
        draft = self._draft(version_id)
        rule_choices = self._lexicon(draft)
        rule = next((one for one in draft.rules if one.id == rule_id), None)
        if rule is None:
            abort(404)
        slots = {s.name: s for s in slots_of(rule.section) if s.name not in _FIXED}
        slots = _with_value(rule.section, rule.data, slots, rule_choices=rule_choices)
        form = self._bound(slots, rule_choices, rule.data)
        strange = [n for n in rule.data if n not in slots and n not in _FIXED]
        if request.method == "POST" and form.validate():
            gone = {name for name in strange if request.form.get(f"remove-{name}")}
            touched = _touched(form)
            data = _written(rule.data, form, gone, touched=touched)
            if self._did(draft, lambda: self._change(draft, {rule.id: data})):
                return self._back_to(draft, rule.section)
            _show_stored(form, {name: rule.data.get(name) for name in slots}, touched)
        return self._show(
            "draft_entry", draft, rule_choices, form=form, rule=rule, section=rule.section,
            strange=strange, was=_snapshot({name: rule.data.get(name) for name in slots}),
        )  # fmt: skip

    @expose("/<int:version_id>/add/<section>", methods=("GET", "POST"))
    def add(self, version_id: int, section: str) -> str | Response:
        draft = self._draft(version_id)
        if section not in SECTIONS:
            abort(404)
        rule_choices = self._lexicon(draft)
        slots = _with_value(
            section, {}, {s.name: s for s in slots_of(section)}, rule_choices=rule_choices
        )
        form = self._bound(slots, rule_choices, {})
        if request.method == "POST" and form.validate():
            data = _written({}, form, set(), touched={field.short_name for field in form})
            if self._did(draft, lambda: self._add(draft, section, data)):
                return self._back_to(draft, section)
        return self._show(
            "draft_entry", draft, rule_choices, form=form, rule=None, section=section, strange=[]
        )

    @expose("/<int:version_id>/arrange/<int:rule_id>", methods=("POST",))
    def arrange(self, version_id: int, rule_id: int) -> Response:
        draft = self._draft(version_id)
        deed = request.form.get("deed", "")
        section = next((one.section for one in draft.rules if one.id == rule_id), "deadline")
        self._did(draft, lambda: self._arrange(draft, rule_id, deed))
        return self._back_to(draft, section)

    def _arrange(self, draft: PolicyVersion, rule_id: int, deed: str) -> None:
        said: dict[str, Any] = {"actor": self._actor, "now": now()}
        rule = drafts.find_rule(self.session, draft, rule_id)
        if deed == "remove":
            drafts.remove_entry(self.session, draft, rule, **said)
        else:
            by = -1 if deed == "up" else 1
            drafts.move_entry(self.session, draft, rule, by=by, **said)

    def _change(self, draft: PolicyVersion, changes: Mapping[int, Mapping[str, Any]]) -> None:
        said: dict[str, Any] = {"actor": self._actor, "now": now()}
        differ = drafts.change_entries(self.session, draft, changes, **said)
        if differ:
            flash(gettext("Saved: %(count)s entries changed.", count=differ), "success")
        else:
            flash(gettext("Nothing was different."))

    def _add(self, draft: PolicyVersion, section: str, data: Mapping[str, Any]) -> None:
        said: dict[str, Any] = {"actor": self._actor, "now": now()}
        drafts.add_entry(self.session, draft, section, data=data, **said)
        flash(gettext("Saved."), "success")

    def _back_to(self, draft: PolicyVersion, section: str) -> Response:
        return redirect(self.get_url(".rules", version_id=draft.id, section=section))

    # ------------------------------------------------------------ check, approval, publication

    @expose("/<int:version_id>/check", methods=("GET", "POST"))
    def check(self, version_id: int) -> str | Response:
        draft = self._version(version_id)
        if request.method == "POST":
            draft_checks.request_check(self.session, draft, actor=self._actor, now=now())
            self.session.commit()
            return redirect(self.get_url(".check", version_id=draft.id))
        rule_choices = self._lexicon(draft)
        found = draft_checks.check(self.session, draft, on=today())
        return self._show(
            "draft_check", draft, rule_choices,
            check=found,
            waiting=draft_checks.is_check_requested(self.session, draft),
            sentence=lambda one: finding_text.finding_sentence(one, rule_choices),
            place=lambda one: finding_text.finding_place(one, rule_choices),
            law=lambda key: LAWS.get(key, key),
            law_place=lambda one: finding_text.law_place(one, rule_choices),
            remedies=finding_text.REMEDIES,
            changes=whatif_text.grouped_changes(
                (one for one in found.slow if one.code == "case_differs"), rule_choices.pack
            ),
            by_subject=finding_text.grouped,
            rule_ids={(rule.section, rule.key): rule.id for rule in draft.rules},
        )  # fmt: skip

    @expose("/<int:version_id>/approve", methods=("POST",))
    def approve(self, version_id: int) -> Response:
        draft = self._version(version_id)
        said: dict[str, Any] = {"actor": self._actor, "on": today(), "now": now()}
        if self._did(draft, lambda: publishing.approve(self.session, draft, **said)):
            flash(gettext("Approved. It can be published now."), "success")
        return redirect(self.get_url("policy.version", version_id=draft.id))

    @expose("/<int:version_id>/publish", methods=("GET", "POST"))
    def publish(self, version_id: int) -> str | Response:
        draft = self._draft(version_id)
        form = PublishForm(effective_from=today() + dt.timedelta(days=1))
        published = (
            request.method == "POST"
            and form.validate()
            and self._did(draft, lambda: self._publish(draft, form), form)
        )
        if published:
            flash(gettext("Published."), "success")
            return redirect(self.get_url("policy.version", version_id=draft.id))
        return self._show("draft_publish", draft, self._lexicon(draft), form=form)

    def _publish(self, draft: PolicyVersion, form: PublishForm) -> None:
        names = ("effective_from", "told_staff_on", "told_staff_proof")
        said: dict[str, Any] = {name: form[name].data for name in names}
        publishing.publish(self.session, draft, **said, actor=self._actor, on=today(), now=now())

    @expose("/<int:version_id>/withdraw", methods=("GET", "POST"))
    def withdraw(self, version_id: int) -> str | Response:
        version = self._version(version_id)
        form = WithdrawForm()
        if request.method == "POST" and form.validate():
            said: dict[str, Any] = {"reason": form.reason.data, "actor": self._actor, "now": now()}
            if self._did(version, lambda: publishing.withdraw(self.session, version, **said), form):
                flash(gettext("Withdrawn."), "success")
                return redirect(self.get_url("policy.version", version_id=version.id))
        return self._show(
            "draft_withdraw", version, self._lexicon(version), form=form, today=today()
        )

    # ------------------------------------------------------------ what they share

    @property
    def _actor(self) -> Actor:
        return actors.of_user(current_user.user)

    def _version(self, version_id: int) -> PolicyVersion:
        found = by_id(self.session, PolicyVersion, version_id)
        if found is None:
            abort(404)
        return found

    def _draft(self, version_id: int) -> PolicyVersion:
        """The draft; what was published is shown and not edited."""
        version = self._version(version_id)
        if version.status != "draft" and request.method == "GET":
            abort(404)
        return version

    def _lexicon(self, version: PolicyVersion) -> RuleChoices:
        return RuleChoices(policies.plain_data(self.session, version))

    def _bound(
        self, slots: Mapping[str, Slot], rule_choices: RuleChoices, values: Mapping[str, Any]
    ) -> ShapeForm:
        typed = request.form if request.method == "POST" else None
        return form_of(slots, rule_choices)(typed, data=dict(values))

    def _did(self, version: PolicyVersion, act: Callable[[], object], form: Any = None) -> bool:
        """Do something to the version as the form saw it, and commit; else say why not."""
        with attempt(self.session, form) as tried:
            # A form without a count of changes fits no version.
            drafts.lock_draft(self.session, version.id, seen=version_of(request.form.get("seen")))
            act()
        if isinstance(tried.refusal, ChangedMeanwhile):
            flash(gettext("What you typed stands below. Look at it and save again."))
        return tried.done

    def _show(
        self, page: str, version: PolicyVersion, rule_choices: RuleChoices, **more: Any
    ) -> str:
        words = {
            "version": version,
            "rule_choices": rule_choices,
            "seen": version.version,
            "operators": OPERATORS,
            "all_sections": ALL_SECTIONS,
            "schema": ("policy", *SECTIONS),
            "was": None,
        }
        return self.render(f"regulation/{page}.html", **(words | more))


def _shipped_title(key: str) -> str:
    head = parse_toml((PACKS / f"{key}.toml").read_bytes(), file=key).get("policy", {})
    return str(head.get("title") or head.get("label") or key)


def _values(rows: list[NumberRow]) -> dict[str, Any]:
    return {row.name: row.value for row in rows}


def _changes(rows: list[NumberRow], form: ShapeForm) -> dict[int, dict[str, Any]]:
    """The entries as the table says them, by the ids of their rows."""
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        data = found.setdefault(row.rule.id, dict(row.rule.data))
        found[row.rule.id] = _with(data, row.slot.name, form[row.name].data)
    return found


def _with(data: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The entry with a field that says something else; None takes it out."""
    if value is None:
        return {key: said for key, said in data.items() if key != name}
    if policies.as_json(data.get(name)) == policies.as_json(value):
        return dict(data)
    return {**data, name: value}


def _with_value(
    section: str, data: Mapping[str, Any], slots: Mapping[str, Slot], *, rule_choices: RuleChoices
) -> dict[str, Slot]:
    """A parameter's value is asked for in the shape that the rule which uses it has."""
    if section != "parameter":
        return dict(slots)
    return {**slots, "value": value_slot(data, parameter_shapes(rule_choices.data))}


def _written(
    data: Mapping[str, Any], form: ShapeForm, gone: set[str], *, touched: set[str]
) -> dict[str, Any]:
    """An entry with what was typed; what nobody touched or the schema does not know stays, unless
    it is taken out.
    """
    said = {key: value for key, value in data.items() if key not in gone}
    for field in form:
        if field.short_name in touched:
            said = _with(said, field.short_name, field.data)
    return said


def _snapshot(values: Mapping[str, Any]) -> str:
    """What a form was made from, to be sent back with it."""
    return json.dumps({name: policies.as_json(value) for name, value in values.items()})


def _touched(form: ShapeForm) -> set[str]:
    """The fields that say something else than what the form was made from: only they are meant.

    A form that does not say what it was made from means all of them.
    """
    try:
        was = json.loads(request.form.get("was", ""))
    except ValueError:
        was = None
    names = {field.short_name for field in form}
    if not isinstance(was, dict):
        return names
    return {name for name in names if policies.as_json(form[name].data) != was.get(name)}


def _show_stored(form: ShapeForm, stored: Mapping[str, Any], touched: set[str]) -> None:
    """Show what is stored now: in the fields nobody touched, and beside those somebody did."""
    for name, value in stored.items():
        if name not in form:
            continue
        if name not in touched:
            form[name].process(None, value)
        elif policies.as_json(form[name].data) != policies.as_json(value):
            said = "—" if value is None else json.dumps(policies.as_json(value), ensure_ascii=False)
            sentence = gettext("Stored meanwhile: %(value)s", value=said)
            form[name].errors = [*form[name].errors, sentence]


def views(db: Any) -> list[RedressPage]:
    """Drafts."""
    return [DraftPage(db, name=lazy_gettext("Draft"), endpoint="draft")]
