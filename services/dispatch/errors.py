"""What dispatch refuses."""

from services.core.errors import DomainError, InvalidInput


class OrderNotOpen(DomainError):
    """Assigned, under way, completed or cancelled: nobody is looked for any more."""

    status = 409
    code = "order_not_open"
    title_zh = "该订单已不需要派人"
    title_en = "Nobody is looked for on this order any more"


class NotAssignable(DomainError):
    """``caregivers`` in ``extra``: each with the reasons that rule it out."""

    status = 409
    code = "not_assignable"
    title_zh = "所选人员不能承担该服务"
    title_en = "A chosen caregiver cannot take this order"


class DoubleBooked(DomainError):
    status = 409
    code = "double_booked"
    title_zh = "该时间段已有其他服务，不能重复预约"
    title_en = "This time is already given to another visit"


class OfferExpired(DomainError):
    status = 409
    code = "offer_expired"
    title_zh = "邀约已过期"
    title_en = "The offer has expired"


class OfferClosed(DomainError):
    """Answered otherwise, superseded by a colleague, or withdrawn; ``current`` in ``extra``."""

    status = 409
    code = "offer_closed"
    title_zh = "邀约已结束"
    title_en = "The offer is closed"


class TooManyCaregivers(InvalidInput):
    code = "too_many_caregivers"
    title_zh = "所选人数超过需要"
    title_en = "More caregivers than the order needs"


class NotReleasable(DomainError):
    """Somebody is on the way or there already, or the order has ended; ``current`` in ``extra``."""

    status = 409
    code = "not_releasable"
    title_zh = "服务已开始或已结束，不能撤下人员"
    title_en = "The service has begun or ended; nobody can be taken off it"


class StartInvalid(InvalidInput):
    """``reason`` in ``extra``: in_the_past, outside_window, differs_from_team."""

    code = "start_invalid"
    title_zh = "开始时间不合适"
    title_en = "The start does not work"
