"""What orders refuse."""

from services.core.errors import DomainError, Forbidden, InvalidInput


class MayNotOrder(Forbidden):
    code = "may_not_order"
    title_zh = "您没有为该长者下单的授权"
    title_en = "You are not authorised to order for this resident"


class WindowInvalid(InvalidInput):
    """``reason`` in ``extra``: in_the_past, too_short, too_far_ahead."""

    code = "window_invalid"
    title_zh = "预约时间段不合适"
    title_en = "The time window does not work"


class NotCancellable(DomainError):
    status = 409
    code = "not_cancellable"
    title_zh = "服务已开始或已结束，不能取消"
    title_en = "The service has begun or ended; it cannot be cancelled"
