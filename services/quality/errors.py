"""What quality refuses."""

from services.core.errors import DomainError, InvalidInput


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


class UnknownWord(InvalidInput):
    """``unknown`` in ``extra``: the codes that are not on the list."""

    code = "unknown_word"
    title_zh = "评价用语不在清单中"
    title_en = "A ready word is not on the list"


class CallbackEnded(DomainError):
    status = 409
    code = "callback_ended"
    title_zh = "该次回访已结束"
    title_en = "This call back has ended"
