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


class NotReassignable(DomainError):
    """Somebody has set out already, or the order has ended; ``current`` in ``extra``."""

    status = 409
    code = "not_reassignable"
    title_zh = "服务已开始或已结束，不能改派"
    title_en = "The service has begun or ended; it cannot be given to somebody else"


class RoundRunning(DomainError):
    """A round of offers runs for this order already."""

    status = 409
    code = "round_running"
    title_zh = "该订单正在自动派单"
    title_en = "The order is being dispatched already"


class NoRound(DomainError):
    """Nothing runs that could be stopped."""

    status = 409
    code = "no_round"
    title_zh = "该订单没有进行中的自动派单"
    title_en = "No round of offers runs for this order"


class NoNeighbour(DomainError):
    """No other centre can be asked: none is there, or all have been."""

    status = 409
    code = "no_neighbour"
    title_zh = "没有可求助的相邻中心"
    title_en = "There is no neighbouring centre left to ask"


class NeighbourInvalid(InvalidInput):
    """``reason`` in ``extra``: itself, unknown, another_county."""

    code = "neighbour_invalid"
    title_zh = "相邻中心不正确"
    title_en = "This is no neighbouring centre"
