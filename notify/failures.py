"""Failures of a delivery: a code, with a detail that carries no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_DETAIL = 300
_REFUSAL = re.compile(r"error=\d{3}|\(\d{3}, b['\"]|SMTP\w*Refused|SMTPAuth")


class NotDelivered(Exception):
    """A delivery that failed; `why` is a code, or a code, a colon and the far end's words.

    Codes: unreachable, refused, scheme_unknown, parameter_unknown, address_incomplete.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    @classmethod
    def saying(cls, code: str, detail: str, *, hidden: Iterable[str]) -> NotDelivered:
        """Return a failure with the words of the far end, in which every hidden text is a ***."""
        for secret in hidden:
            detail = detail.replace(secret, "***")
        detail = " ".join(detail.split())[:LONGEST_DETAIL]
        return cls(f"{code}: {detail}" if detail else code)

    @classmethod
    def heard(cls, lines: Iterable[str], *, hidden: Iterable[str]) -> NotDelivered:
        """Return a failure from the lines Apprise logged while it failed; the last line explains
        most.
        """
        told = [line.removeprefix("Socket Exception: ") for line in lines]
        code = "refused" if any(_REFUSAL.search(line) for line in told) else "unreachable"
        return cls.saying(code, told[-1] if told else "", hidden=hidden)
