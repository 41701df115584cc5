"""What the planner refuses."""

from services.core.errors import DomainError


class PlannerBusy(DomainError):
    """As many days are being planned as may be at the same time."""

    status = 503
    code = "planner_busy"
    title_zh = "正在计算其他排班，请稍后再试"
    title_en = "Other days are being planned; try again shortly"
