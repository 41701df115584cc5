"""What visits refuse."""

from services.core.errors import DomainError, InvalidInput


class TeamIncomplete(DomainError):
    """A service for two must not begin with one: the second place is still open."""

    status = 409
    code = "team_incomplete"
    title_zh = "该服务需要的人员尚未到齐，请联系调度"
    title_en = "This service still lacks a caregiver; call the dispatcher"


class VisitCancelled(DomainError):
    status = 409
    code = "visit_cancelled"
    title_zh = "该次上门已取消"
    title_en = "This visit has been cancelled"


class UnknownTask(InvalidInput):
    code = "unknown_task"
    title_zh = "任务不在该服务的清单上"
    title_en = "A task is not on this service's list"


class NotUnderReview(DomainError):
    status = 409
    code = "not_under_review"
    title_zh = "该次上门没有需要复核的内容"
    title_en = "Nothing on this visit waits for a review"
