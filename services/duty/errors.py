"""What duty refuses."""

from services.core.errors import DomainError, InvalidInput


class NotOnDuty(InvalidInput):
    """One can only give away duty that one has."""

    code = "not_on_duty"
    title_zh = "该时段并非本人值班"
    title_en = "That time is not the person's own duty"


class AlreadyOnDuty(InvalidInput):
    """Taking over from a colleague while being on duty oneself would leave one person for two places."""

    code = "already_on_duty"
    title_zh = "对方在该时段已有值班"
    title_en = "The other is on duty at that time already"


class NotYourSwap(DomainError):
    """Only the colleague who was asked answers a swap, and only who asked takes it back."""

    status = 409
    code = "not_your_swap"
    title_zh = "这条换班请求不由您处理"
    title_en = "This swap is not yours to answer"


class DutyIsPast(DomainError):
    status = 409
    code = "duty_is_past"
    title_zh = "该值班时段已经开始或结束"
    title_en = "That duty has begun or is over"


class OverrideCancelled(DomainError):
    status = 409
    code = "override_cancelled"
    title_zh = "该替班已取消"
    title_en = "That replacement is cancelled already"
