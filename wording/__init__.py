"""Codes and facts as sentences, in the reader's language.

The record and the rules hold codes: an enumeration, an event, a refusal with facts. The sentence a
person reads is made here and nowhere else, at the moment it is read. Inside a request language and
zone are the visitor's; elsewhere (worker, command line) the caller says:

    with speaking("en", zone): wording.error(refusal)
"""

from wording.errors import counted_mismatches, error, faulty_lines
from wording.labels import deed, field, label, labelled, tone
from wording.language import CATALOGUES, LANGUAGES, _, mark, moment, money, speaking, zone
from wording.notices import notice_failure, notice_label, notice_text, notice_title
from wording.workbook_problems import workbook_problem

__all__ = [
    "CATALOGUES",
    "LANGUAGES",
    "_",
    "counted_mismatches",
    "deed",
    "error",
    "faulty_lines",
    "field",
    "label",
    "labelled",
    "mark",
    "moment",
    "money",
    "notice_failure",
    "notice_label",
    "notice_text",
    "notice_title",
    "speaking",
    "tone",
    "workbook_problem",
    "zone",
]
