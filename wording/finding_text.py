"""Findings of a draft's check, in the words of the person who mends the draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext

import wording
from policy.proof.contradictions import Finding
from policy.vocabulary.status import CallOutcome, Status
from wording.rule_choices import RuleChoices

SENTENCES = {
    "missing": lazy_gettext("“%(field)s” is missing."),
    "unknown_field": lazy_gettext("“%(field)s” is not known here. Take it out."),
    "section_unknown": lazy_gettext("There is no such section: %(section)s."),
    "too_small": lazy_gettext("“%(field)s” says %(value)s; it must be more than %(limit)s."),
    "too_large": lazy_gettext("“%(field)s” says %(value)s; at most %(limit)s is possible."),
    "no_number": lazy_gettext("“%(field)s” says “%(value)s”, which is not a number."),
    "no_whole_number": lazy_gettext("“%(field)s” says %(value)s; enter a whole number."),
    "no_flag": lazy_gettext("“%(field)s” takes yes or no, not “%(value)s”."),
    "no_text": lazy_gettext("“%(field)s” takes a text, not “%(value)s”."),
    "empty": lazy_gettext("“%(field)s” is empty."),
    "too_long": lazy_gettext("“%(field)s” is too long: at most %(limit)s characters."),
    "no_choice": lazy_gettext("“%(field)s” cannot be “%(value)s”. Choose one of the list."),
    "no_list": lazy_gettext("“%(field)s” takes a list, not “%(value)s”."),
    "no_table": lazy_gettext("“%(field)s” cannot be “%(value)s”."),
    "serial_missing": lazy_gettext(
        "The number needs its serial, such as {serial:4}; without it all cases had one number."
    ),
    "key_form": lazy_gettext(
        "The key “%(value)s” is not possible: letters, digits, _ . and -, beginning with a letter."
    ),
    "field_form": lazy_gettext("“%(value)s” cannot be the name of a field."),
    "wrong_form": lazy_gettext("“%(field)s” cannot be written like “%(value)s”."),
    "refused": lazy_gettext("%(why)s"),
    "no_time": lazy_gettext("“%(field)s” takes a time of day such as 17:00, not “%(value)s”."),
    "too_many_digits": lazy_gettext("“%(field)s” says %(value)s, which has too many digits."),
    "no_whole_fen": lazy_gettext("“%(field)s” says %(value)s; money is counted in whole fen."),
    "event_unknown": lazy_gettext("There is no deed called “%(event)s”."),
    "clock_time_alone": lazy_gettext(
        "A time of day belongs to a term that ends when clocks show it, and to no other."
    ),
    "term_too_long": lazy_gettext(
        "“%(field)s” is more than can be counted: at most %(limit)s of this unit."
    ),
    "ends_day_of_days": lazy_gettext(
        "Only a term of days, weeks, months or years can have its whole last day."
    ),
    "condition_not_one": lazy_gettext("A row of a condition has one field and one comparison."),
    "takes_list": lazy_gettext("“one of” and “none of” compare with a list."),
    "takes_one": lazy_gettext("This comparison takes one value, not a list."),
    "filled_takes_flag": lazy_gettext("“filled in” takes yes or no."),
    "deadline_not_one": lazy_gettext(
        "Say one thing: how long it is, which field says its end, or how often it is reviewed."
    ),
    "after_closing_alone": lazy_gettext(
        "The term after closing stands in place of another term, which opens with no window."
    ),
    "upgrade_grade": lazy_gettext(
        "The grade to rise to belongs to a term that lets a case rise when it ends."
    ),
    "receipt_of_registration": lazy_gettext(
        "Only a term that begins with the registration can count from the receipt."
    ),
    "judged_within_alone": lazy_gettext(
        "How soon a stated time must be recorded is said of terms judged by a stated time."
    ),
    "window_of_days": lazy_gettext("A window goes from one calendar day to another."),
    "window_backwards": lazy_gettext("The window ends before it opens."),
    "kept_forever": lazy_gettext(
        "What is kept without an end needs a condition that can cease to hold."
    ),
    "mark_without_clause": lazy_gettext(
        "How long a customer stays marked and the clause for it belong together."
    ),
    "covers_no_times": lazy_gettext(
        "The hours that are covered lie between two required fields that are times."
    ),
    "ledger_not_one": lazy_gettext("A ledger lists cases of some kinds or fillings of one form."),
    "alert_never": lazy_gettext("A warning comes with a deed or with a missed term: choose one."),
    "penalty_incomplete": lazy_gettext(
        "Say who pays and for what each time; a surcharge follows what it is added to."
    ),
    "penalty_names_nobody": lazy_gettext(
        "A penalty that comes by itself cannot wait for somebody to be named."
    ),
    "superior_of_nobody": lazy_gettext(
        "The head of a department answers only for an employee against whom a person found "
        "something: choose another bearer."
    ),
    "post_of_nobody": lazy_gettext(
        "Posts of the bearer can be asked for only where a person finds the ground."
    ),
    "kinds_without_count": lazy_gettext("Say from which time on it is charged as well."),
    "count_without_begin": lazy_gettext("Say from which time on it is charged as well."),
    "count_backwards": lazy_gettext("It is charged until a time that comes before the first one."),
    "nothing_to_share": lazy_gettext("Only a sum can be shared."),
    "penalty_empty": lazy_gettext("It has neither a sum nor a sanction, nor is it left to decide."),
    "decision_needs_finding": lazy_gettext(
        "Only what a person finds, and without a fixed sum, can be left to a decision."
    ),
    "reward_empty": lazy_gettext("It has no sum and is not left to decide."),
    "choices_missing": lazy_gettext(
        "A field that offers choices needs some; nobody could fill it in."
    ),
    "paper_of_nobody": lazy_gettext(
        "Only a ground that a person finds can ask for the bearer's own paper."
    ),
    "agreed_no_time": lazy_gettext("Only a time can be agreed with the customer."),
    "bounds_of_days": lazy_gettext("Only a day or a time can be bounded by a day."),
    "bounds_of_numbers": lazy_gettext("Only a number, a sum or a rate can have a least value."),
    "lowers_classified": lazy_gettext(
        "Only what is classified can be lowered: name that deed and no other."
    ),
    "part_twice": lazy_gettext("Two parts of it have the key “%(part)s”."),
    "survey_without_form": lazy_gettext(
        "Say in which form and in which of its fields the scores stand."
    ),
    "serial_twice": lazy_gettext("A number has one serial; take the other one out."),
    "number_long": lazy_gettext(
        "The number becomes too long, such as %(example)s: at most %(limit)s characters."
    ),
    "field_dotted": lazy_gettext("The key of a field has no dot: no rule could ask for it."),
    "field_taken": lazy_gettext(
        "Every case has its own “%(key)s”, which rules would mean. Give the field another key."
    ),
    "column_gone": lazy_gettext("There is no field “%(column)s” to make a column of."),
    "parameter_empty": lazy_gettext(
        "The company has not chosen “%(label)s” yet. Without it nothing can be published."
    ),
    "parameter_gone": lazy_gettext("A rule takes its value from the choice “%(key)s”; it is gone."),
    "parameter_unused": lazy_gettext("No rule asks for this choice."),
    "key_twice": lazy_gettext("Two entries have the key “%(key)s”."),
    "reference_gone": lazy_gettext("It points to “%(other)s” (%(kind)s), which is not there."),
    "field_gone": lazy_gettext("A condition asks for the field “%(asked)s”, which is gone."),
    "post_gone": lazy_gettext("There is no post or part in a case called “%(post)s”."),
    "bound_of_nothing": lazy_gettext("Only a term that ends tells whom it binds."),
    "sheet_twice": lazy_gettext("Another source already takes what departments type into a file."),
    "no_grade": lazy_gettext("“%(other)s” is no grade."),
    "value_gone": lazy_gettext("“%(asked)s” can never be “%(value)s”: there is no such choice."),
    "never_holds": lazy_gettext(
        "The rows of “%(field)s” contradict each other; no case fulfils them, so the rule never "
        "applies."
    ),
    "step_behind": lazy_gettext(
        "“%(other)s” stands before it and takes all its cases; it is never reached. Move it up."
    ),
    "circle": lazy_gettext("It leads back to itself over: %(over)s."),
    "deadline_circle": lazy_gettext(
        "It starts only on what deadlines wait for that themselves wait for it (%(others)s): "
        "a circle in which none ever starts."
    ),
    "never_starts": lazy_gettext("What it starts on can never happen, so it never starts."),
    "gate_circle": lazy_gettext(
        "What it asks for can only happen after what it stands before: nobody gets through."
    ),
    "never_met": lazy_gettext("Nothing meets it, so every case would be late."),
    "slot_twice": lazy_gettext(
        "“%(other)s” is a term for the same thing and the same cases. Say when which of them "
        "applies."
    ),
    "extension_short": lazy_gettext(
        "The time in all is shorter than the term “%(other)s” that it extends."
    ),
    "charged_twice": lazy_gettext(
        "The same person pays for the same thing by “%(other)s” too. If it is meant, leave it."
    ),
    "number_repeats": lazy_gettext(
        "The serial begins anew, but the number does not say in which period: numbers would "
        "repeat. Add %(needed)s."
    ),
    "number_same": lazy_gettext("“%(other)s” gives the same numbers."),
    "number_taken": lazy_gettext(
        "“%(policy)s” gives the same numbers (“%(series)s”). Begin the template with other letters."
    ),
    "nothing_begins": lazy_gettext("Without an entry here no case can be registered."),
    "nobody_answers": lazy_gettext(
        "No department has a post that answers for its cases, so none can be handed over."
    ),
    "post_unheld": lazy_gettext(
        "Nobody holds it. It is needed by %(count)s rules: %(rules)s. Say who does under “Posts "
        "held”."
    ),
    "nobody_of_posts": lazy_gettext(
        "Nobody holds any of the posts that may do it: %(posts)s. Say who does under “Posts held”."
    ),
    "department_unmapped": lazy_gettext(
        "The company has no active department for it. Say which one is meant under “Departments "
        "in regulations”."
    ),
    "no_next_deed": lazy_gettext(
        "A case (%(place)s) would be stuck: nobody may do anything and no time helps. "
        "In its way: %(rules)s."
    ),
    "no_end": lazy_gettext("Cases would never come to an end. In their way: %(rules)s."),
    "walk_cut_short": lazy_gettext(
        "The regulation has so many states that not all could be looked at, and nobody knows "
        "whether every case comes to an end. Let fewer rules ask for kinds, grades and papers."
    ),
    "value_is_label": lazy_gettext(
        "“%(asked)s” says “%(value)s” as a text. It was typed before there was such a choice: "
        "choose it again."
    ),
    "filled_by_refusal": lazy_gettext(
        "“%(asked)s” is also filled in when it was refused. Ask whether it is approved or agreed "
        "instead."
    ),
    "money_open_to_all": lazy_gettext(
        "No rule says who may do it, so anybody may, for themselves too: %(events)s. Add under "
        "“Who may do what” which post does."
    ),
    "open_to_all": lazy_gettext(
        "No rule says who may do it, so anybody who opens the case may: %(events)s. If a post is "
        "meant, add it under “Who may do what”."
    ),
    "met_by_nothing": lazy_gettext(
        "It is met by %(events)s, which can never happen here, so every case would be late. "
        "Choose what meets it."
    ),
    "met_before": lazy_gettext(
        "It is met only by %(events)s, which comes before it begins, so every case would be late. "
        "Choose what meets it afterwards."
    ),
    "twin_term": lazy_gettext(
        "“%(other)s” begins and ends alike for the same cases and is of another length. If one of "
        "them is meant, take the other out, or give both the same slot."
    ),
    "attempts_impossible": lazy_gettext(
        "%(attempts)s attempts cannot be on %(days)s different days. Raise the attempts or lower "
        "the days."
    ),
    "kind_unanswered": lazy_gettext(
        "No term says until when such a case is answered. If it has to be, add one under “Terms”."
    ),
    "grade_unanswered": lazy_gettext(
        "No term says until when such a case is answered where its grade is %(grades)s. If it has "
        "to be, add one under “Terms”."
    ),
    "holder_without_account": lazy_gettext(
        "%(holder)s holds it and has no account that opens cases, so what is theirs to do waits: "
        "%(rules)s. Give them an account with a fitting role."
    ),
    "event_never": lazy_gettext("“%(events)s” never happens under this regulation."),
    "case_differs": lazy_gettext(
        "The example “%(case)s” ends otherwise: %(about)s was %(wanted)s and is now %(found)s."
    ),
}

REMEDIES = {
    "holder_without_account": ("user.create_view", lazy_gettext("Give them an account")),
    "nobody_of_posts": ("post_holding.create_view", lazy_gettext("Say who holds the post")),
    "post_unheld": ("post_holding.create_view", lazy_gettext("Say who holds the post")),
    "department_unmapped": (
        "department_meaning.create_view",
        lazy_gettext("Say which department is meant"),
    ),
}
"""The page on which the company's fact that a finding misses is entered."""


OF_PEOPLE = frozenset(
    {"post_unheld", "nobody_of_posts", "holder_without_account", "department_unmapped"}
    | {"money_open_to_all", "open_to_all", "nobody_answers", "post_gone"}
)
"""The findings about who may do something and who is there to do it."""


def grouped(
    findings: Sequence[Finding], rule_choices: RuleChoices
) -> list[tuple[str, list[Finding]]]:
    """Return findings under the name of what they are about, in the order they come."""
    found: dict[str, list[Finding]] = {}
    for one in findings:
        if one.code in OF_PEOPLE:
            name = gettext("People and posts")
        else:
            name = rule_choices.section(one.section) if one.section else gettext("As a whole")
        found.setdefault(name, []).append(one)
    return list(found.items())


def finding_sentence(finding: Finding, rule_choices: RuleChoices) -> str:
    """Return what is wrong and what to do about it."""
    words = SENTENCES.get(finding.code)
    return (
        str(words) % _sentence_facts(finding, rule_choices) if words is not None else finding.code
    )


def finding_place(finding: Finding, rule_choices: RuleChoices) -> str:
    """Return the entry a finding is about, by its label."""
    name = rule_choices.label(finding.section, finding.key) if finding.key else ""
    parts = [rule_choices.section(finding.section) if finding.section else "", name]
    return " · ".join(part for part in parts if part)


def law_place(finding: Finding, rule_choices: RuleChoices) -> str:
    """Return what a broken law is about: an entry, a deed, how a call ended, a status.

    "" stands for the regulation as a whole.
    """
    about = str(finding.facts["about"])
    if finding.key:
        return finding_place(finding, rule_choices)
    if (deed := wording.deed(about)) != about:
        return deed
    of_a_case = {str(member.value): member for kind in (CallOutcome, Status) for member in kind}
    return wording.label(of_a_case[about]) if about in of_a_case else ""


class _Facts(dict[str, str]):
    """Facts of a sentence; a missing one is shown as a dash and fails no page."""

    def __missing__(self, key: str) -> str:
        return "—"


def _sentence_facts(finding: Finding, rule_choices: RuleChoices) -> Mapping[str, str]:
    facts = {name: _fact_text(value) for name, value in finding.facts.items()}
    field, _, inner = finding.field.partition(".")
    named = rule_choices.field(inner) if inner and not inner[:1].isdigit() else ""
    facts["field"] = (
        f"{rule_choices.field(field)} · {named}" if named else rule_choices.field(field)
    )
    facts["key"], facts["section"] = finding.key, finding.section
    facts["label"] = rule_choices.label(finding.section, finding.key)
    return _Facts(facts | _facts_by_name(finding, rule_choices))


def _facts_by_name(finding: Finding, rule_choices: RuleChoices) -> dict[str, str]:
    """Return the facts that name other entries, fields, deeds or statuses, in words."""
    raw = finding.facts
    said: dict[str, str] = {}
    if finding.code == "reference_gone":
        said |= {"other": str(raw["key"]), "kind": rule_choices.section(str(raw["section"]))}
    elif "other" in raw or finding.code == "no_grade":
        said["other"] = rule_choices.label(
            finding.section, str(raw.get("other", raw.get("key", "")))
        )
        if finding.code == "extension_short":
            said["other"] = rule_choices.label("deadline", str(raw["other"]))
    if "why" in raw:
        said["why"] = gettext(str(raw["why"]))
    if finding.code == "field_gone":
        said["asked"] = rule_choices.fact(str(raw["field"]))
    elif "asked" in raw:
        said["asked"] = rule_choices.fact(str(raw["asked"]))
    if "events" in raw:
        said["events"] = _listed([wording.deed(str(name)) for name in raw["events"]])
    if "posts" in raw:
        said["posts"] = _listed(
            [rule_choices.rule_text.value("director", str(p)) for p in raw["posts"]]
        )
    if "grades" in raw:
        said["grades"] = _listed([rule_choices.label("severity", str(g)) for g in raw["grades"]])
    for name in ("over", "others"):
        if name in raw:
            labels = [rule_choices.label(finding.section, str(key)) for key in raw[name]]
            said[name] = _listed(labels) or gettext("itself")
    if "rules" in raw:
        rules = [f"{rule_choices.section(s)} · {rule_choices.label(s, k)}" for s, k in raw["rules"]]
        said["rules"] = _listed(rules) or "—"
    if "status" in raw:
        kind = rule_choices.label("kind", str(raw.get("kind") or ""))
        said["place"] = f"{kind} · {wording.label(Status(raw['status']))}"
    return said


def _fact_text(value: Any) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return str(value)
    return _listed([str(one) for one in value])


def _listed(words: Sequence[str]) -> str:
    return gettext(", ").join(words)
