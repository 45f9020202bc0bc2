"""Every refusal as one or two sentences: what is wrong and what to do about it."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy.vocabulary.errors import DomainError, FieldUnknown, ValueRefused
from policy.vocabulary.status import Status
from wording.labels import DEEDS, FIELDS, LABELS, field, label, role
from wording.language import _, clock_text, mark, moment

ERRORS = {
    "status_forbids": mark(
        "“%(deed)s” is not possible while the case is “%(status)s”. "
        "The case page shows what can be done now."
    ),
    "gate_closed": mark(
        "“%(deed)s” has to wait: first “%(gate)s” must be fulfilled (%(cite)s). "
        "Fill in “%(field)s” and try again."
    ),
    "history_forbids": mark(
        "This case is from before Redress was introduced, so “%(deed)s” is not possible. "
        "Take the case over first."
    ),
    "window_not_open": mark(
        "It is too early for “%(deed)s”: it may be done from %(opens_at)s on (%(cite)s)."
    ),
    "later_steps_stand": mark(
        "A later step, “%(deed)s” (no. %(seq)s), would lose its ground. "
        "Correct or withdraw that step first."
    ),
    "rule_gone": mark(
        "The other version has no rule “%(key)s” any more, on which this case stands. "
        "Leave the case under its version."
    ),
    "version_fixed": mark(
        "Version %(number)s of %(policy)s is not a draft any more and stays as it is. "
        "Begin a new draft from it."
    ),
    "check_first": mark(
        "Version %(number)s of %(policy)s was changed since it was last checked. Check it first."
    ),
    "findings_stand": mark(
        "The check of version %(number)s of %(policy)s found what has to be mended first: "
        "%(count)s findings. They stand on the page of the check."
    ),
    "numbers_taken": mark(
        "“%(policy)s” would give the same numbers (“%(series)s”) as “%(other)s” (“%(its)s”). "
        "Begin the template of one of them with other letters."
    ),
    "approval_missing": mark(
        "Nobody has approved version %(number)s of %(policy)s as it stands now. "
        "Ask another administrator or the general manager."
    ),
    "own_draft": mark(
        "You wrote at version %(number)s of %(policy)s yourself, so somebody else has to approve "
        "it: another administrator or the general manager."
    ),
    "form_not_asked": mark(
        "“%(form)s” is not asked of such a case (%(cite)s). The case page lists what is."
    ),
    "vote_open": mark(
        "The votes of %(missing)s are missing and could still turn it (%(cite)s). "
        "Ask them to vote; silence is no consent."
    ),
    "votes_given": mark(
        "Members of the jury have voted already, so neither the jury nor a vote is changed now "
        "(%(cite)s). Wait for the ruling; a member who keeps silent counts as a no in the end."
    ),
    "too_many_members": mark(
        "At most %(most)s further members may sit beside the holders of the posts (%(cite)s). "
        "Appoint fewer."
    ),
    "grade_below_facts": mark(
        "What is known of the case makes it “%(grade)s” (%(cite)s), and no lighter grade can be "
        "chosen. Where a fact is wrong, put the fact right."
    ),
    "appeal_too_late": mark(
        "The term for an appeal ended on %(ended_at)s (%(cite)s). "
        "A penalty found to be wrong can still be reversed."
    ),
    "already_found": mark(
        "“%(ground)s” was found against %(employee)s before and stands (%(cite)s). "
        "It is charged once; what is wrong with it can be waived or reversed."
    ),
    "ground_excluded": mark(
        "“%(ground)s” does not stand beside “%(other)s” against %(employee)s (%(cite)s). "
        "Waive or reverse the other one first, if it is the wrong one."
    ),
    "ruling_final": mark(
        "The jury freed %(employee)s of “%(ground)s” in this round (%(cite)s). The ruling is final."
    ),
    "follows_ground": mark(
        "This hangs on “%(ground)s” (%(cite)s) and stands or falls with it. Decide about that."
    ),
    "not_the_bearer": mark(
        "“%(ground)s” does not fall on %(employee)s in this case (%(cite)s). "
        "Name somebody whom the case shows in that part, or have the finding mended first."
    ),
    "ground_not_for_post": mark(
        "“%(ground)s” does not fit the post of %(employee)s (%(cite)s); it asks for: %(posts)s."
    ),
    "papers_too_many": mark(
        "%(count)s files at once are too many; at most %(most)s are taken. None was added: "
        "send them in several portions."
    ),
    "not_the_appellant": mark("Nobody appeals so in the name of %(employee)s: %(why)s."),
    "not_a_member": mark(
        "“%(deed)s” belongs to the members of the jury, and you were not appointed. "
        "Ask whoever convened it."
    ),
    "authority_exceeded": mark(
        "You may promise up to %(limit)s (%(cite)s). Ask somebody with more authority to do it."
    ),
    "promise_too_late": mark(
        "What is promised has to be done by %(latest)s (%(cite)s). Promise an earlier time."
    ),
    "consent_missing": mark(
        "%(until)s is later than the term. Ask the customer, and tick that the customer agrees."
    ),
    "step_refused": mark("%(refusal)s So step %(seq)s, “%(deed)s”, does not fit these rules."),
    "undo_blocked": mark(
        "The pass cannot be undone because of case %(number)s: %(refusal)s Nothing was changed."
    ),
    "post_missing": mark(
        "“%(deed)s” belongs to: %(posts)s (%(cite)s). "
        "Ask one of them, or have a deputy appointed for the post."
    ),
    "self_forbidden": mark(
        "“%(deed)s” is not for whoever has a part in the matter: by handling it, by a finding or a "
        "penalty about them, or by an appeal (%(cite)s). Ask a colleague to do it."
    ),
    "name_needed": mark(
        "“%(deed)s” needs a name, and nobody knows who types into a spreadsheet. "
        "Log in and do it on the page of the case."
    ),
    "has_left": mark(
        "%(employee)s left the company; the last day was %(left_on)s. "
        "Have somebody do it who is with the company."
    ),
    "role_missing": mark(
        "Your role does not include “%(deed)s”. Ask an administrator if it should."
    ),
    "password_wrong": mark("The present password is wrong. Please type it again."),
    "password_refused": mark("Choose another password: %(why)s."),
    "field_missing": mark("“%(field)s” is missing. Please fill it in."),
    "field_too_long": mark(
        "“%(field)s” is too long: at most %(limit)s characters. Shorten it or attach a file."
    ),
    "field_unknown": mark(
        "There is no field “%(field)s” here. Reload the page; the form may be an old one."
    ),
    "choice_unknown": mark("“%(value)s” is not a choice for “%(field)s”. Pick one from the list."),
    "number_too_small": mark("“%(field)s” says %(value)s; it is at least %(least)s."),
    "time_in_future": mark("“%(field)s” lies in the future (%(at)s). Enter a time up to now."),
    "time_before_case": mark(
        "“%(field)s” (%(at)s) lies before it can have happened. Enter a time from %(earliest)s on."
    ),
    "time_out_of_bounds": mark(
        "“%(field)s” says %(at)s, which cannot be meant. Enter a day from %(earliest)s to "
        "%(latest)s, the year with four digits."
    ),
    "time_too_late": mark(
        "“%(field)s” (%(at)s) lies later than it can be. Enter a time up to %(latest)s."
    ),
    "other_day_than_receipt": mark(
        "“%(field)s” says %(at)s, but the case was received at %(received_at)s. The two are of one "
        "day, from which terms count: correct whichever is wrong."
    ),
    "zone_missing": mark(
        "“%(field)s” has no time zone, so it is not clear when it was. Enter date, time and zone."
    ),
    "extension_forbidden": mark(
        "Grade %(grade)s has no extension (%(cite)s). Reply, or raise the case."
    ),
    "extension_too_long": mark(
        "An extension ends on %(latest)s at the latest (%(cite)s). Choose an earlier time."
    ),
    "amount_refused": mark(
        "“%(amount)s” is not an amount that can be used here. Enter a plain positive number."
    ),
    "duplicate": mark("“%(value)s” is already used as “%(field)s”. Choose another one."),
    "value_refused": mark("“%(value)s” cannot be used as “%(field)s”: %(why)s."),
    "period_refused": mark(
        "“%(field)s” does not fit: the time goes from %(from_on)s to %(until_on)s. "
        "Choose a day within it."
    ),
    "post_taken": mark(
        "%(employee)s holds the post %(post)s from %(from_on)s to %(until_on)s. "
        "End that holding first, or say that several people hold the post."
    ),
    "department_unmapped": mark(
        "The company has no department for “%(department)s”. Ask an administrator to say which one "
        "is meant under “Departments in regulations”."
    ),
    "meaning_taken": mark(
        "From %(from_on)s on, “%(policy_department)s” means “%(department)s” already. "
        "Change that entry, or choose another day."
    ),
    "version_not_begun": mark(
        "Version %(number)s of “%(policy)s” is in force from %(from_on)s on. Cases can be moved "
        "to it from that day on, not before."
    ),
    "notice_stands": mark("That the employee was told cannot be taken back: %(why)s."),
    "open_cases_undecided": mark(
        "%(count)s open cases were handed to %(departments)s and stay there, answerable by them. "
        "What is handed over from %(from_on)s on goes to the department chosen here. Say whether "
        "the open cases stay or are passed on too."
    ),
    "hand_over_too_early": mark(
        "Open cases can be passed on from %(from_on)s on, not before. Let them stay for now."
    ),
    "post_would_be_vacant": mark(
        "From %(from_on)s on nobody holds the post %(post)s, and %(count)s open cases hang on it: "
        "nobody confirms them, answers for them or pays for them until somebody holds it. "
        "Enter who follows first, or say that you know."
    ),
    "phone_rounded": mark(
        "“%(value)s” is a number that a spreadsheet rounded: its last digits are lost. Show the "
        "column as text there and enter the whole number."
    ),
    "phone_refused": mark(
        "“%(value)s” is not a telephone number. Enter digits, with area code for a landline."
    ),
    "paper_empty": mark("“%(file)s” is empty. Take the photo again, or choose another file."),
    "paper_refused": mark(
        "“%(file)s” is neither a photo (JPEG, PNG, WebP, HEIC) nor a PDF nor a video (MP4). "
        "Choose another file."
    ),
    "paper_too_large": mark(
        "“%(file)s” is larger than %(limit)s MB. Take a smaller photo, or a shorter video."
    ),
    "not_found": mark(
        "%(what)s “%(key)s” does not exist, or is not yours to see. Check it and search again."
    ),
    "changed_meanwhile": mark(
        "Somebody changed %(what)s %(key)s meanwhile. "
        "What you typed is kept below; look at what changed and save again."
    ),
    "month_closed": mark(
        "The wage month %(month)s is closed and stays as it was paid. Use an open month."
    ),
    "pack_refused": mark("The policy file %(file)s is wrong: %(problems)s"),
    "case_file_refused": mark("The case file %(file)s cannot be played: %(problems)s"),
    "not_in_force": mark(
        "No published version of “%(policy)s” is in force on %(on)s. "
        "Publish one that begins on that day or earlier."
    ),
    "draft_changed": mark(
        "“%(version)s” was changed while it was being tried, so the result would mix two texts. "
        "Ask again."
    ),
    "trial_failed": mark(
        "Something unforeseen happened (%(kind)s). It was logged; please tell the administrator."
    ),
    "person_unknown": mark(
        "Nobody is known as %(role)s on %(on)s. Enter who holds the post that day, then try again."
    ),
    "hours_refused": mark(
        "The office hours %(slot)s cannot be used: %(why)s. Write them like 08:30-12:00, "
        "13:30-17:30."
    ),
    "lines_refused": mark("These lines cannot be used: %(lines)s."),
    "calendar_refused": mark("The calendar cannot be used: %(why)s."),
    "calendar_exhausted": mark(
        "No working day was found near %(from_on)s. Check the working days of the calendar."
    ),
}

_WHATS = {
    "calendar": mark("Calendar"),
    "file": mark("File"),
    "policy_rule": mark("Rule"),
    "complaint": mark("Case"),
    "customer": mark("Customer"),
    "customer_flag": mark("Mark on a customer"),
    "department": mark("Department"),
    "department_meaning": mark("Department in regulations"),
    "deputy": mark("Deputy"),
    "employee": mark("Employee"),
    "paper": mark("Photo or file"),
    "penalty": mark("Penalty"),
    "policy": mark("Policy"),
    "policy_version": mark("Policy version"),
    "post_holding": mark("Post held"),
    "intake": mark("What this pass took in"),
    "sheet": mark("Spreadsheet file"),
    "sheet_column": mark("Column"),
    "sheet_pass": mark("Pass"),
    "sheet_problem": mark("Problem"),
    "sheet_tab": mark("Tab"),
    "user": mark("Account"),
    "what_if": mark("What-if"),
}

_WHYS = {
    "notice_over": mark("the time to appeal has ended, or an appeal hangs on it"),
    "notice_of_others": mark("whoever told them, or an administrator, can do that"),
    "own_deputy": mark("nobody stands in for himself; choose somebody else"),
    "no_penalty": mark("this person has no penalty in the case that stands"),
    "of_another": mark(
        "only they, the head of their department, the care desk or human resources may enter it"
    ),
    "too_short": mark("it has to have at least 8 characters beside blanks around it"),
    "too_common": mark(
        "it is one of those that are guessed first; take several words, for example"
    ),
    "like_the_name": mark("it is the user name"),
    "same": mark("the new one is the same as the old one"),
    "has_left": mark("this person has left the company; choose somebody who is with it"),
    "last_administrator": mark(
        "nobody would be left who administers Redress; make somebody else administrator first"
    ),
    "no_such_case": mark("no case has this number"),
    "not_a_key": mark("use small letters, digits and _, and begin with a letter"),
    "not_a_staff_number": mark("use letters and digits, with - and _ between them"),
    "not_an_address": mark("write it like name@company.com"),
    "scheme_unknown": mark(
        "it has to begin with mailto, mailtos, wecombot, dingtalk, feishu, lark, json or jsons, "
        "or be the address that WeCom, DingTalk or Feishu shows for a group robot"
    ),
    "parameter_unknown": mark("it has a parameter that may not be used here"),
    "address_incomplete": mark("something is missing in it, such as the key of the robot"),
    "other_department": mark("he belongs to another department; name one of your own people"),
    "inactive": mark("it is not active any more; choose another one"),
    "answers_nothing": mark("no regulation in force lets its spreadsheet register cases"),
    "not_a_title": mark(
        "a tab's name has no slash and none of [ ] : * ?, no ' at its ends, and is not History"
    ),
    "not_that_many_days": mark("use 1 to 3650 days, or leave it empty"),
    "out_of_range": mark("the number is too small or too large"),
    "column_needed": mark("the tab cannot do its work without this column"),
    "zone_unknown": mark("its time zone is unknown"),
    "slots_missing": mark("it has no office hours"),
    "not_hours": mark("they cannot be read"),
    "year_leaves_a_hole": mark("the year before or after it has to be loaded first"),
    "year_without_holiday": mark("the plan of a year has to name its days off"),
    "no_such_day": mark("this is no day; write it like 2027-01-01"),
    "of_another_year": mark("the day belongs to another year"),
    "no_such_kind": mark("the kind has to be holiday or make-up day"),
    "twice": mark("the day stands there twice"),
    "makeup_on_weekday": mark("a make-up day is a Saturday or Sunday"),
    "note_too_long": mark("the note is too long"),
    "columns_missing": mark("it needs the columns date, kind and note"),
    "half_slots_missing": mark("it has half days but no hours for them"),
    "slot_not_in_minutes": mark("office hours are given to the minute only"),
    "slot_empty": mark("office hours must open before they close"),
    "slots_out_of_order": mark("office hours overlap or are out of order"),
    "coverage_ends_before_it_begins": mark("its coverage ends before it begins"),
    "coverage_too_long": mark("its coverage is too long"),
    "day_out_of_reach": mark("one of its days lies outside the coverage"),
    "year_not_official": mark("the official plan of that year is not known yet"),
    "no_working_day": mark("it has no working day"),
    "clock_time_missing": mark("a term to a clock time has no clock time"),
    "not_readable": mark("the file cannot be read"),
    "too_large": mark("the file is too large"),
    "no_text": mark("the file is no text; save it as UTF-8"),
    "too_deep": mark("lists and tables stand too deep in each other"),
    "number_too_long": mark("it has a number or a time that nothing can be"),
    "year_out_of_range": mark("the year has to lie between 1970 and 2199"),
    "text_wanted": mark("a text is wanted, in quotation marks"),
    "texts_wanted": mark("a list of texts is wanted, in [ ]"),
    "list_wanted": mark("a list is wanted, in [ ]"),
    "table_wanted": mark("a table is wanted, in { } or under [ ]"),
    "tables_wanted": mark("a list of tables is wanted, such as [[step]]"),
    "moment_wanted": mark("a day with a time is wanted, such as 2026-03-02T09:00:00"),
    "day_wanted": mark("a day is wanted, such as 2026-03-02"),
    "flag_wanted": mark("true or false is wanted, without quotation marks"),
    "number_wanted": mark("a number is wanted, without quotation marks"),
    "no_rule_takes_it": mark("the rules cannot use this value; write it like the regulation's own"),
    "outside_of_cases": mark(
        "it stands outside of the cases; write [[case.step]] below [[case]], or no [[case]] at all"
    ),
    "under_cast": mark(
        "it stands under [cast] and would be a person; write it before [cast], or steps as [[step]]"
    ),
    "toml_unclosed": mark("a list or table is opened and not closed"),
    "toml_quote": mark("a text has no closing quotation mark"),
    "toml_twice": mark("this stands in the file twice"),
    "toml_equals": mark("an = is missing after the name"),
    "toml_line_end": mark("something stands behind the value; begin a new line"),
    "toml_character": mark("this character may not stand here"),
    "toml_date": mark("this is no day or time"),
    "toml_key": mark('a name and a value are wanted, such as do = "confirmed"'),
    "toml_bracket": mark("a bracket ] is missing"),
    "toml_escape": mark("a \\ in a text has to be written twice"),
    "toml_value": mark("this is no value; a text stands in quotation marks"),
    "toml_other": mark("this is no TOML"),
    "clock_time_unused": mark("a clock time is given for a term that has none"),
}


_PACK_REASONS = {
    "parameter_empty": mark("the company has not chosen it yet"),
    "parameter_gone": mark("a rule asks for it and it is not there"),
    "reference_gone": mark("there is no “%(key)s” in the section %(section)s"),
    "field_gone": mark("there is no field “%(field)s”"),
    "post_gone": mark("there is no post or part in a case called “%(post)s”"),
    "key_twice": mark("the key stands twice"),
    "missing": mark("it is missing"),
    "extra_forbidden": mark("it is not known here"),
    "decimal_type": mark("a number is wanted"),
    "int_type": mark("a number is wanted"),
    "bool_type": mark("true or false is wanted"),
    "string_type": mark("a text is wanted, in quotation marks"),
    "tuple_type": mark("a list is wanted, in [ ]"),
    "literal_error": mark("it is none of the words that may stand here"),
    "enum": mark("it is none of the words that may stand here"),
    "string_pattern_mismatch": mark("it is not written as it must be"),
}
"""Why a regulation's file is refused, by the code of the problem."""


class Facts(dict[str, str]):
    """The facts of a refusal in words; a missing one is shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def error(refusal: DomainError) -> str:
    """Return what is wrong and what to do about it, as one or two sentences."""
    return render_refusal(ERRORS[refusal.code], refusal.facts)


def render_refusal(sentence: str, facts: Mapping[str, Any]) -> str:
    """Return the sentence in the reader's language with the facts in words."""
    return _(sentence) % Facts({name: _fact_text(name, value) for name, value in facts.items()})


def _fact_text(name: str, value: Any) -> str:
    """Return one fact of a refusal in words, by its name."""
    tables = {"deed": DEEDS, "field": FIELDS, "what": _WHATS, "why": _WHYS}
    if name in tables and isinstance(value, str):
        return _(tables[name][value]) if value in tables[name] else value
    if name == "status" and (value is None or isinstance(value, str)):
        return label(Status(value)) if value else _("not registered yet")
    if name == "lines":
        return _("; ").join(faulty_lines(value or ()))
    if name == "problems":
        return _problems(value)
    if name in ("columns", "missing") and isinstance(value, list | tuple):
        return _("; ").join(field(str(one)) for one in value)
    if name == "posts" and value:
        return _("; ").join(role(str(one)) for one in value)
    return value_text(value)


def value_text(value: Any) -> str:
    """Return a value in words: a label, a moment, a refusal's sentence, or the text itself."""
    if value is None:
        return _("further notice")
    if isinstance(value, DomainError):
        return error(value)
    if isinstance(value, enum.Enum):
        return label(value) if value in LABELS else str(value.value)
    if isinstance(value, dt.datetime):
        return moment(value) if value.tzinfo else clock_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        return str(value)
    return _("; ").join(value_text(one) for one in value)


def faulty_lines(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the unusable lines of a table, each with its number, text and what is wrong."""
    return [
        _(
            "line %(line)s “%(text)s”: %(why)s",
            line=one["line"],
            text=one["text"],
            why=_fact_text("why", one["why"]),
        )
        for one in lines
    ]


MOST_PROBLEMS = 12
"""The most problems of a file that one refusal lists; the others are counted."""
_LONGEST_NAME = 60


def _problems(problems: Sequence[Mapping[str, Any]]) -> str:
    """Return the places and reasons of a refused file, one after the other."""
    said = [": ".join(word for word in _problem(one) if word) for one in problems[:MOST_PROBLEMS]]
    if (more := len(problems) - MOST_PROBLEMS) > 0:
        said.append(_("and %(count)s more", count=more))
    return _("; ").join(said)


def _problem(one: Mapping[str, Any]) -> Iterator[str]:
    """Yield the place of a problem in a pack, or its case, step and field, and why."""
    yield str(one.get("place") or "")
    if one.get("line"):
        yield _("line %(line)s, column %(column)s", line=one["line"], column=one["column"])
    if one.get("case"):
        name = " ".join(str(one["case"]).split())
        name = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        yield _("case “%(name)s”", name=name)
    if one.get("step"):
        yield _("step %(number)s", number=one["step"])
    yield str(one.get("field") or "")
    why = one.get("why")
    yield _reason_text(one) if why else ""


def _reason_text(problem: Mapping[str, Any]) -> str:
    """Return why a part of a file is refused; a problem with a code is said in our words."""
    code = str(problem.get("code") or "")
    if code in _WHYS:
        return _(_WHYS[code])
    if code in _PACK_REASONS:
        return _(_PACK_REASONS[code]) % Facts({k: str(v) for k, v in problem["facts"].items()})
    why = problem["why"]
    if isinstance(why, FieldUnknown):  # a file is no form that could be an old one
        return _("there is no field “%(field)s” here", field=why.facts["field"])
    if isinstance(why, ValueRefused) and why.facts["field"] in ("", "file"):
        return _fact_text("why", why.facts["why"])
    return value_text(why)


def counted_mismatches(count: int) -> str:
    """Return how many expectations of a case file did not hold."""
    return _("Expectations that do not hold: %(count)s", count=count)
