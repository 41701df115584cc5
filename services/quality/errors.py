"""What quality refuses."""

from services.core.errors import DomainError


class AlreadyRated(DomainError):
    status = 409
    code = "already_rated"
    title_zh = "您已经评价过该订单"
    title_en = "This order has been rated already"


class NotRateable(DomainError):
    status = 409
    code = "not_rateable"
    title_zh = "服务完成后才能评价"
    title_en = "Only a completed order can be rated"
