"""Errors as codes with facts; `wording` turns them into sentences.

DomainError
├── NotAllowed          the deed does not fit where the case stands
│   ├── StatusForbids       this status does not know the deed
│   ├── GateClosed          the regulation asks for something first
│   ├── HistoryForbids      the case is from before go-live and was not taken over
│   ├── WindowNotOpen       the call belongs to a later day
│   ├── FormNotAsked        the regulation does not ask this of such a case
│   ├── VoteOpen            votes are missing that could still change the result
│   ├── VotesGiven          a jury that voted, and its votes, are not changed
│   ├── AppealTooLate       the appeal term is over
│   ├── AlreadyFound        the ground was found against that employee before
│   ├── GroundExcluded      a ground that stands leaves no room beside it
│   ├── RulingFinal         a jury freed the employee of the ground
│   ├── FollowsGround       it stands and falls with its ground
│   ├── LaterStepsStand     a correction would take the ground of later steps
│   ├── RuleGone            a case cannot go on under a version without a rule it stands on
│   ├── VersionFixed        a version that was published or withdrawn is changed no more
│   ├── CheckFirst          a draft has to be checked as it stands now
│   ├── FindingsStand       the check of a draft found what forbids to publish it
│   ├── NumbersTaken        another regulation in force numbers its cases alike
│   ├── ApprovalMissing     the draft was not approved as it stands now
│   ├── StepRefused         a step of a journal does not fit other rules
│   └── UndoBlocked         what a workbook brought cannot be undone as a whole
├── NotEntitled         the person may not do it
│   ├── PostMissing         the regulation gives the deed to another post
│   ├── SelfForbidden       the handler may not do it for their own work
│   ├── NotAMember          only who was appointed to the jury votes
│   ├── AuthorityExceeded   more was promised than this post may give away
│   ├── HasLeft             somebody who left the company does nothing in it any more
│   ├── NameNeeded          no person is known who typed into a workbook
│   └── OwnDraft            the author of a draft may not approve it
├── FactsRefused        what was typed cannot be right
│   ├── FieldMissing / FieldTooLong / ChoiceUnknown / FieldUnknown
│   ├── TimeInFuture / TimeBeforeCase / TimeTooLate / TimeOutOfBounds / ZoneMissing
│   ├── NumberTooSmall / TooManyMembers / GradeBelowFacts / OtherDayThanReceipt
│   ├── ExtensionTooLong / ExtensionForbidden / AmountRefused / ConsentMissing
│   ├── PromiseTooLate
│   ├── PeriodRefused / PostTaken / MeaningTaken / DepartmentUnmapped
│   ├── HoursRefused / LinesRefused
│   ├── NotTheBearer / GroundNotForPost / NotTheAppellant
│   ├── PasswordRefused / PasswordWrong   easily guessed, or not the one that counts now
│   └── PaperEmpty / PaperRefused / PaperTooLarge / PapersTooMany
├── NotFound            there is no such thing
├── ChangedMeanwhile    another person wrote first
├── MonthClosed         the wage month was paid
├── PackRefused         the regulation's file is wrong; says file, place and why
├── CaseFileRefused     a case file is wrong; says file, case, step, field and why
├── NotInForce          no published version on that day
├── DraftChanged        a draft was changed during a what-if
├── TrialFailed         something unforeseen stopped a what-if; the log says what
└── CalendarRefused / CalendarExhausted
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal: `code` names it, `facts` are what a sentence about it needs."""

    code: ClassVar[str] = ""

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code, facts)
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}"

    @classmethod
    def leaves(cls) -> Iterator[type[DomainError]]:
        """Every error that can be raised, so that a test can render each in each language."""
        if cls.code:
            yield cls
        for below in cls.__subclasses__():
            yield from below.leaves()


class NotAllowed(DomainError):
    """The deed does not fit where the case stands."""


class StatusForbids(NotAllowed):
    """Facts: deed, status."""

    code = "status_forbids"


class GateClosed(NotAllowed):
    """Facts: deed, gate (its label), cite, field, wanted."""

    code = "gate_closed"


class HistoryForbids(NotAllowed):
    """Facts: deed."""

    code = "history_forbids"


class WindowNotOpen(NotAllowed):
    """Facts: deed, opens_at (UTC instant), cite."""

    code = "window_not_open"


class LaterStepsStand(NotAllowed):
    """Facts: deed (of the later step), seq, because (the code of its refusal)."""

    code = "later_steps_stand"


class FormNotAsked(NotAllowed):
    """Facts: form (the label of the entry), cite."""

    code = "form_not_asked"


class VoteOpen(NotAllowed):
    """Facts: missing (employee numbers), cite."""

    code = "vote_open"


class VotesGiven(NotAllowed):
    """Facts: cite."""

    code = "votes_given"


class AppealTooLate(NotAllowed):
    """Facts: ended_at (UTC instant), cite."""

    code = "appeal_too_late"


class AlreadyFound(NotAllowed):
    """Facts: ground (its label), employee, cite."""

    code = "already_found"


class GroundExcluded(NotAllowed):
    """Facts: ground and other (their labels), employee, cite."""

    code = "ground_excluded"


class RulingFinal(NotAllowed):
    """Facts: ground (its label), employee, cite."""

    code = "ruling_final"


class FollowsGround(NotAllowed):
    """Facts: ground (the label of what it hangs on), cite."""

    code = "follows_ground"


class StepRefused(NotAllowed):
    """Facts: deed (of the step), seq, refusal (the DomainError that says why)."""

    code = "step_refused"


class UndoBlocked(NotAllowed):
    """Facts: number (of the case in the way), refusal (the DomainError that says why)."""

    code = "undo_blocked"


class NotEntitled(DomainError):
    """The person may not do it."""


class PostMissing(NotEntitled):
    """Facts: deed, posts (labels or case roles that may), cite."""

    code = "post_missing"


class SelfForbidden(NotEntitled):
    """Facts: deed, cite."""

    code = "self_forbidden"


class NotAMember(NotEntitled):
    """Facts: deed."""

    code = "not_a_member"


class AuthorityExceeded(NotEntitled):
    """Facts: limit (yuan), cite."""

    code = "authority_exceeded"


class NameNeeded(NotEntitled):
    """Facts: deed."""

    code = "name_needed"


class HasLeft(NotEntitled):
    """Facts: employee, left_on (their last day)."""

    code = "has_left"


class RoleMissing(NotEntitled):
    """Facts: deed."""

    code = "role_missing"


class FactsRefused(DomainError):
    """Typed facts that cannot be right."""


class FieldMissing(FactsRefused):
    """Facts: field."""

    code = "field_missing"


class FieldTooLong(FactsRefused):
    """Facts: field, limit (characters)."""

    code = "field_too_long"


class FieldUnknown(FactsRefused):
    """Facts: field."""

    code = "field_unknown"


class ChoiceUnknown(FactsRefused):
    """Facts: field, value."""

    code = "choice_unknown"


class NumberTooSmall(FactsRefused):
    """Facts: field, value, least (the smallest number that can be)."""

    code = "number_too_small"


class TooManyMembers(FactsRefused):
    """Facts: most (further members that may sit), cite."""

    code = "too_many_members"


class GradeBelowFacts(FactsRefused):
    """Facts: grade (the label of the grade that the facts make), cite."""

    code = "grade_below_facts"


class TimeInFuture(FactsRefused):
    """Facts: field, at (UTC instant)."""

    code = "time_in_future"


class TimeBeforeCase(FactsRefused):
    """Facts: field, at, earliest (UTC instants)."""

    code = "time_before_case"


class TimeOutOfBounds(FactsRefused):
    """Facts: field, at (an instant or a day), earliest, latest (days)."""

    code = "time_out_of_bounds"


class TimeTooLate(FactsRefused):
    """Facts: field, at, latest (UTC instants)."""

    code = "time_too_late"


class OtherDayThanReceipt(FactsRefused):
    """Facts: field, at, received_at (UTC instants)."""

    code = "other_day_than_receipt"


class ZoneMissing(FactsRefused):
    """Facts: field."""

    code = "zone_missing"


class ExtensionForbidden(FactsRefused):
    """Facts: grade, cite."""

    code = "extension_forbidden"


class ExtensionTooLong(FactsRefused):
    """Facts: latest (UTC instant), cite."""

    code = "extension_too_long"


class PromiseTooLate(FactsRefused):
    """Facts: latest (UTC instant), cite."""

    code = "promise_too_late"


class ConsentMissing(FactsRefused):
    """Facts: until (UTC instant)."""

    code = "consent_missing"


class AmountRefused(FactsRefused):
    """Facts: amount."""

    code = "amount_refused"


class Duplicate(FactsRefused):
    """Facts: field, value."""

    code = "duplicate"


class PeriodRefused(FactsRefused):
    """Facts: field, from_on, until_on (days): the end lies before the beginning, or outside."""

    code = "period_refused"


class PostTaken(FactsRefused):
    """Facts: field, post (its label), employee, from_on, until_on of the holding in the way."""

    code = "post_taken"


class DepartmentUnmapped(FactsRefused):
    """Facts: field, department (the regulation's label of it)."""

    code = "department_unmapped"


class MeaningTaken(FactsRefused):
    """Facts: field, policy_department (its label), department and from_on of the row there is."""

    code = "meaning_taken"


class OpenCasesUndecided(FactsRefused):
    """Facts: field, count (of open cases), departments (which have them), from_on."""

    code = "open_cases_undecided"


class HandOverTooEarly(FactsRefused):
    """Facts: field, from_on: the day before which no open case can be passed on."""

    code = "hand_over_too_early"


class PostWouldBeVacant(FactsRefused):
    """Facts: field, post (its label), count (of open cases that hang on it), from_on."""

    code = "post_would_be_vacant"


class ValueRefused(FactsRefused):
    """Facts: field, value, why (own_deputy, last_administrator, no_such_case, not_a_key ...)."""

    code = "value_refused"


class PasswordRefused(FactsRefused):
    """Facts: field, why (too_short, too_common, like_the_name, same), least (characters).

    The password itself is no fact of it.
    """

    code = "password_refused"


class PasswordWrong(FactsRefused):
    """Facts: field."""

    code = "password_wrong"


class PhoneRefused(FactsRefused):
    """Facts: field, value."""

    code = "phone_refused"


class PhoneRounded(FactsRefused):
    """Facts: field, value (a number of which a spreadsheet kept the first digits only)."""

    code = "phone_rounded"


class PaperEmpty(FactsRefused):
    """Facts: file."""

    code = "paper_empty"


class PaperRefused(FactsRefused):
    """Facts: file."""

    code = "paper_refused"


class PaperTooLarge(FactsRefused):
    """Facts: file, limit (megabytes)."""

    code = "paper_too_large"


class PapersTooMany(FactsRefused):
    """Facts: count (of files that were sent), most (that are taken at once)."""

    code = "papers_too_many"


class RuleGone(NotAllowed):
    """Facts: section, key of the rule that the other version does not have."""

    code = "rule_gone"


class VersionNotBegun(NotAllowed):
    """Facts: policy, number of the version, from_on: its first day."""

    code = "version_not_begun"


class NoticeStands(NotAllowed):
    """Facts: why (notice_over: the time to appeal ended or an appeal is open, notice_of_others)."""

    code = "notice_stands"


class VersionFixed(NotAllowed):
    """Facts: policy, number of the version."""

    code = "version_fixed"


class CheckFirst(NotAllowed):
    """Facts: policy, number of the version."""

    code = "check_first"


class FindingsStand(NotAllowed):
    """Facts: policy, number of the version, count of findings that forbid to publish it."""

    code = "findings_stand"


class NumbersTaken(NotAllowed):
    """Facts: policy, series (a label), other (the regulation in force), its (that one's label)."""

    code = "numbers_taken"


class ApprovalMissing(NotAllowed):
    """Facts: policy, number of the version."""

    code = "approval_missing"


class OwnDraft(NotEntitled):
    """Facts: policy, number of the version."""

    code = "own_draft"


class NotTheBearer(FactsRefused):
    """Facts: ground (its label), employee, cite."""

    code = "not_the_bearer"


class GroundNotForPost(FactsRefused):
    """Facts: ground (its label), employee, posts (their labels), cite."""

    code = "ground_not_for_post"


class NotTheAppellant(FactsRefused):
    """Facts: field, employee, why (no_penalty, of_another)."""

    code = "not_the_appellant"


class HoursRefused(FactsRefused):
    """Facts: field, slot (the office hours at fault, as people write them), why."""

    code = "hours_refused"


class LinesRefused(FactsRefused):
    """Facts: field, lines: a list of {line, text, why} with every line that cannot be used."""

    code = "lines_refused"


class NotFound(DomainError):
    """Facts: what, key."""

    code = "not_found"


class ChangedMeanwhile(DomainError):
    """Facts: what, key."""

    code = "changed_meanwhile"


class MonthClosed(DomainError):
    """Facts: month."""

    code = "month_closed"


class PackRefused(DomainError):
    """Facts: file, problems: a list of {place, why}."""

    code = "pack_refused"


class CaseFileRefused(DomainError):
    """Facts: file, problems: a list of {case, step, field, why}; why is a DomainError or words.

    What a problem is not about is left out of it: a file that is no TOML has no step.
    """

    code = "case_file_refused"


class NotInForce(DomainError):
    """Facts: policy, on."""

    code = "not_in_force"


class DraftChanged(DomainError):
    """Facts: version (its name)."""

    code = "draft_changed"


class TrialFailed(DomainError):
    """Facts: kind (the name of the exception)."""

    code = "trial_failed"


class PersonUnknown(DomainError):
    """Facts: role (a post or a role on the case), on."""

    code = "person_unknown"


class CalendarRefused(DomainError):
    """Facts: why."""

    code = "calendar_refused"


class CalendarExhausted(DomainError):
    """Facts: from_on, days: the search for a working day left its bound."""

    code = "calendar_exhausted"
