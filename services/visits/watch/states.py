"""What the worker sees of a visit that goes wrong is open until it is put right or somebody has looked."""

from enum import StrEnum

from services.core.transitions import Transitions


class IssueStatus(StrEnum):
    OPEN = "open"
    CLEARED = "cleared"


ISSUE = Transitions[IssueStatus]("visit_issue", {IssueStatus.OPEN: frozenset({IssueStatus.CLEARED})})
