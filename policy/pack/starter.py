"""The smallest regulation: a new one begins with it, to be changed line by line."""

from __future__ import annotations

from typing import Any

from policy.vocabulary.editions import LATEST

CLAUSE = "1"


def starter_pack(key: str, label: str) -> dict[str, Any]:
    """Return the plain data of a regulation with one kind of case, one channel and one department.

    It can be published as it is: a case comes in, is answered, and ends. Its words are Chinese, as
    those of every shipped regulation. Numbers begin with letters of the key, because the numbers of
    two regulations must differ.
    """
    return {
        "policy": {
            "key": key,
            "label": label,
            "title": label,
            "cite": CLAUSE,
            "appeal_term": {"amount": 5, "unit": "working_day"},
            "wage_month_ends_on": 25,
            "edition": LATEST,
        },
        "clause": [{"key": CLAUSE, "label": "总则"}],
        **_department(),
        **_cases(letters="".join(sign for sign in key if sign.isalnum())[:4].upper()),
    }


def _department() -> dict[str, Any]:
    return {
        "department": [
            {"key": "service", "label": "服务部", "cite": CLAUSE, "director": "service_director"}
        ],
        "post": [
            {"key": "service_director", "label": "服务部负责人", "cite": CLAUSE}
            | {"department": "service"}
        ],
    }


def _cases(letters: str) -> dict[str, Any]:
    return {
        "number": [
            {"key": "complaint", "label": "投诉编号", "cite": CLAUSE}
            | {"template": letters + "{year}{month}{serial:4}", "resets": "month"}
        ],
        "kind": [{"key": "complaint", "label": "投诉", "cite": CLAUSE, "number": "complaint"}],
        "channel": [{"key": "phone", "label": "电话", "cite": CLAUSE}],
        "deadline": [
            {"key": "close", "label": "办结", "cite": CLAUSE, "starts_on": ["dispatched"]}
            | {"met_by": ["confirmed"], "within": {"amount": 5, "unit": "working_day"}}
            | {"binds": "responsible"}
        ],
        "retention": [
            {"key": "file", "label": "存档", "cite": CLAUSE}
            | {"keep": {"amount": 3, "unit": "year"}}
        ],
    }
