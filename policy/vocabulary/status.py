"""The statuses of a case, the events each allows, and the other enumerations of the rules.

The vocabulary is fixed; numbers, posts and conditions come from the pack. `permission.refusal` uses
ALLOWED for deeds done and for buttons alike.
"""

from __future__ import annotations

import enum


class Status(enum.Enum):
    """The status of a case. Each has a next deed, or time ends it, or it is an end."""

    registered = "registered"  # the care desk has it; the department does not
    returned = "returned"  # the department says it is not its own; deadlines run on
    dispatched = "dispatched"  # the department works on it
    replied = "replied"  # an answer waits for the director's confirmation
    raised = "raised"  # a confirmed request for an extension waits for the care desk
    intervened = "intervened"  # the general manager decides
    confirmed = "confirmed"  # confirmed as solved; waits for the verification callback
    disputed = "disputed"  # unhappy without a further demand; the care director decides
    accepted = "accepted"  # may be closed; waits for the care director's signoff
    closed = "closed"  # signed; observed for a repeat
    archived = "archived"  # an end
    recorded = "recorded"  # counted only: no handling form
    withdrawn = "withdrawn"  # an end: registered by mistake


class Responsibility(enum.Enum):
    """Whether the company is responsible (SKD-2.2.1)."""

    undetermined = "undetermined"
    responsible = "responsible"
    not_responsible = "not_responsible"


class ReplyOutcome(enum.Enum):
    """The result that a department's answer states."""

    solved = "solved"
    extension = "extension"
    raise_to_gm = "raise_to_gm"


class CallPurpose(enum.Enum):
    """The purpose of a callback: to verify (decides closing), or to ask for satisfaction."""

    verification = "verification"
    satisfaction = "satisfaction"


class CallOutcome(enum.Enum):
    """The outcome of one attempt to call."""

    answered = "answered"
    unreachable = "unreachable"
    refused = "refused"
    wrong_number = "wrong_number"


class Satisfaction(enum.Enum):
    """The customer's own words on the printed scale."""

    very_satisfied = "very_satisfied"
    satisfied = "satisfied"
    acceptable = "acceptable"
    dissatisfied = "dissatisfied"
    very_dissatisfied = "very_dissatisfied"


class ClosingGround(enum.Enum):
    """The ground on which a case may be closed."""

    satisfied = "satisfied"
    unreachable = "unreachable"
    refused = "refused"
    wrong_number = "wrong_number"
    settled = "settled"  # the care director accepted a dissatisfied customer's silence
    concluded = "concluded"  # done at the desk, without a department's answer
    unclosable = "unclosable"  # the jury decided that the demand cannot be met


class DeadlineState(enum.Enum):
    """The state of a deadline; a breach is a fact of its own and survives every state."""

    running = "running"
    met = "met"
    missed = "missed"  # a target passed, which is no breach
    superseded = "superseded"  # another rule, grade or round took its place


class PenaltyStatus(enum.Enum):
    """The steps from the engine's proposal to the employee's pay; no penalty is ever deleted."""

    proposed = "proposed"
    confirmed = "confirmed"
    notified = "notified"
    waived = "waived"  # a person decided against it
    lapsed = "lapsed"  # a correction took its ground


class Sign(enum.Enum):
    """Whether a penalty row takes, gives back, or rewards."""

    charge = "charge"
    reversal = "reversal"
    reward = "reward"


class ActorKind(enum.Enum):
    """The kind of actor: a user, a department through its workbook, an API client, time."""

    user = "user"
    sheet = "sheet"
    client = "client"
    system = "system"


ENDS = frozenset({Status.archived, Status.withdrawn})

_JURY = frozenset({"appealed", "convened", "voted", "ruled"})
_WRITTEN = frozenset({"filled", "reported", "checked", "endorsed", "informed", "verified"})
_MONEY = _JURY | frozenset(
    {"judged", "penalty_confirmed", "penalty_waived", "penalty_notified", "penalty_reversed"}
    | {"time_passed", "retallied"}
)
_ANYWHERE = (
    _MONEY
    | _WRITTEN
    | {"classified", "progressed", "promised", "escalated", "involved", "recounted"}
    | {"handed_over"}
)
_AT_THE_DEPARTMENT = frozenset(
    {"arrived_on_site", "replied_in_writing", "upgraded", "reviewed", "contacted"}
)
_AFTERWARDS = frozenset({"arrived_on_site", "replied_in_writing", "called_back", "restarted"})

ALLOWED: dict[Status, frozenset[str]] = {
    Status.registered: _ANYWHERE | {"dispatched", "contacted", "concluded"},
    Status.returned: _ANYWHERE | _AT_THE_DEPARTMENT | {"dispatched", "concluded"},
    Status.dispatched: (
        _ANYWHERE | _AT_THE_DEPARTMENT | {"assigned", "replied", "returned", "concluded"}
    ),
    Status.replied: _ANYWHERE | _AT_THE_DEPARTMENT | {"confirmed", "declined"},
    Status.raised: _ANYWHERE | _AT_THE_DEPARTMENT | {"extension_granted", "extension_refused"},
    Status.intervened: _ANYWHERE | _AT_THE_DEPARTMENT | {"decided"},
    Status.confirmed: _ANYWHERE | _AFTERWARDS | {"signed"},
    Status.disputed: _ANYWHERE | {"settled", "restarted"},
    Status.accepted: _ANYWHERE | _AFTERWARDS | {"signed"},
    Status.closed: _ANYWHERE | _AFTERWARDS | {"factory_closed"},
    Status.recorded: _WRITTEN | {"classified", "progressed", "escalated", "time_passed"},
    Status.archived: _MONEY,
    Status.withdrawn: _MONEY - {"judged"},
}
"""The events each status allows. Further conditions are the pack's: gates and signoffs."""
