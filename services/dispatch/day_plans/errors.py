"""What day plans refuse."""

from services.core.errors import DomainError, InvalidInput


class DayInvalid(InvalidInput):
    """``reason`` in ``extra``: in_the_past, too_far_ahead."""

    code = "day_invalid"
    title_zh = "该日期不能排班派单"
    title_en = "This day cannot be planned"


class PlanNotReady(DomainError):
    """Still being computed, failed, superseded or dismissed; ``current`` in ``extra``."""

    status = 409
    code = "plan_not_ready"
    title_zh = "该方案尚未就绪或已失效"
    title_en = "The plan is not ready, or no longer in force"


class PlanStale(DomainError):
    """A strict commit found what has changed since the preview: ``left_out`` lists orders and reasons."""

    status = 409
    code = "plan_stale"
    title_zh = "预览之后情况已有变化，未提交任何安排"
    title_en = "Things have changed since the preview; nothing was committed"


class NotPinnable(DomainError):
    """Only a visit that is still to come can be pinned; ``current`` in ``extra``."""

    status = 409
    code = "not_pinnable"
    title_zh = "只有尚未开始的上门可以固定"
    title_en = "Only a visit that has not begun can be pinned"


class NothingToRepair(DomainError):
    """The order has somebody, or is over; ``current`` in ``extra``."""

    status = 409
    code = "nothing_to_repair"
    title_zh = "该订单不需要调整方案"
    title_en = "This order needs no repair"


class UnknownSelection(InvalidInput):
    """``unknown`` in ``extra``: ids that the plan does not have."""

    code = "unknown_selection"
    title_zh = "所选人员或订单不在该方案中"
    title_en = "A chosen caregiver or order is not part of the plan"
