"""The laws that hold between the rules of any regulation, in words, by their keys."""

from __future__ import annotations

from flask_babel import lazy_gettext

LAWS = {
    "nobody_is_late_unknowingly": lazy_gettext(
        "Nobody is late for a time in which they had another term or could not know of one."
    ),
    "a_failed_call_meets_no_term": lazy_gettext(
        "A call that reached nobody meets no term until the attempts are used up."
    ),
    "a_missed_target_is_not_met": lazy_gettext("A target that passed is shown as passed."),
    "who_waits_for_a_decision_has_a_term": lazy_gettext(
        "A wish for time or passing a case up ends no term without another for who decides."
    ),
    "no_term_goes_beyond_the_most": lazy_gettext(
        "No time is granted beyond what the text calls the most, by anybody."
    ),
    "what_hangs_on_a_ground_falls_with_it": lazy_gettext(
        "A surcharge or joint liability stands only while its ground stands."
    ),
    "what_hangs_on_an_appealed_ground_waits_with_it": lazy_gettext(
        "While a ground is appealed, what hangs on it belongs to no month either."
    ),
    "grounds_that_exclude_each_other_do_not_stand_together": lazy_gettext(
        "Grounds of which one takes the other's place do not stand together."
    ),
    "a_finding_says_whom_and_has_an_effect": lazy_gettext(
        "Who is named in a finding is meant, nobody else, and a finding without effect is refused."
    ),
    "shares_add_up": lazy_gettext("The shares of a sum add up to it."),
    "nothing_is_paid_while_an_appeal_runs": lazy_gettext(
        "While an appeal runs, what it is about belongs to no month."
    ),
    "a_ruling_is_final": lazy_gettext(
        "What a jury took away is taken out of every month and is not charged again by anybody."
    ),
    "one_finding_is_one_finding": lazy_gettext("The same finding entered twice is one finding."),
    "nobody_acts_in_their_own_matter": lazy_gettext(
        "Nobody who is found at fault verifies, calls, signs, convenes or rules in that matter."
    ),
    "nobody_decides_on_a_penalty_of_their_own": lazy_gettext(
        "Nobody confirms, waives or gives back what they bear, and nobody rewards themselves."
    ),
    "nobody_takes_a_penalty_of_their_own_away": lazy_gettext(
        "Nobody takes a penalty of their own away by finding or classifying anew."
    ),
    "no_juror_has_a_part_in_the_matter": lazy_gettext(
        "Nobody votes who is found at fault, bears a penalty of the case or appeals."
    ),
    "further_members_are_fewer": lazy_gettext(
        "Members beyond the posts that a regulation names cannot outnumber these."
    ),
    "a_jury_stays_once_somebody_voted": lazy_gettext(
        "The members of a jury are not corrected once one of them voted."
    ),
    "every_vote_ends": lazy_gettext(
        "A vote can be ruled once its term is over, whoever did not vote."
    ),
    "an_approval_is_of_the_paper_as_it_stands": lazy_gettext(
        "What is rewritten after an approval is approved anew."
    ),
    "facts_outweigh_a_choice_by_hand": lazy_gettext(
        "A grade chosen by hand is never lighter than the facts make it."
    ),
    "who_lowers_says_why": lazy_gettext("A grade is lowered only with a reason."),
    "who_was_not_reached_is_called_again": lazy_gettext(
        "No case ends by a call that reached nobody before the attempts are used up."
    ),
    "nobody_signs_over_a_dissatisfied_customer": lazy_gettext(
        "A case is not closed as satisfactory while the customer's last word says otherwise."
    ),
    "what_is_overdue_has_a_person": lazy_gettext(
        "What is overdue has a person or a post that is told of it."
    ),
    "who_gets_a_case_owes_an_answer": lazy_gettext(
        "Whoever a case is handed to has a term for the answer."
    ),
    "a_later_start_ends_no_earlier": lazy_gettext("What begins later ends no earlier."),
    "working_days_are_whole": lazy_gettext(
        "A term of working days leaves as many whole working days as it says."
    ),
    "a_report_is_due_after_its_period": lazy_gettext(
        "A report is due after its period, never within it."
    ),
}
