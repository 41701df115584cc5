"""What orders refuse."""

from services.core.errors import DomainError, Forbidden, InvalidInput


class MayNotOrder(Forbidden):
    code = "may_not_order"
    title_zh = "您没有为该长者下单的授权"
    title_en = "You are not authorised to order for this resident"


class WindowInvalid(InvalidInput):
    """``reason`` in ``extra``: in_the_past, too_short, too_far_ahead; ``window``: which one, from 1."""

    code = "window_invalid"
    title_zh = "预约时间段不合适"
    title_en = "The time window does not work"


class ItemsRefused(InvalidInput):
    """``items`` in ``extra``: every item that cannot be ordered, with all that stands in its way at once.

    Codes of the problems: not_on_the_menu, negative_list, not_offered_here, may_not_order_this, contraindication,
    institution_assessment, informed_consent.
    """

    code = "items_refused"
    title_zh = "有项目不能预订，请看每项的原因"
    title_en = "Some items cannot be ordered; see the reasons of each"


class CaregiverUnknown(InvalidInput):
    code = "caregiver_unknown"
    title_zh = "指定的护理员不是本中心人员，也未曾为该长者服务"
    title_en = "The named caregiver neither works for this centre nor has cared for this resident"


class GenderMissing(InvalidInput):
    code = "gender_missing"
    title_zh = "请写明必须是女性还是男性"
    title_en = "Say which gender it must be"


class CallerNotByPhone(InvalidInput):
    code = "caller_not_by_phone"
    title_zh = "只有电话下单才填写来电人"
    title_en = "A caller is recorded only where the desk orders on the phone"


class QuoteRefused(DomainError):
    """Base of what may be wrong with a named quote."""

    status = 409


class QuoteExpired(QuoteRefused):
    """``expires_at`` in ``extra``."""

    code = "quote_expired"
    title_zh = "报价已过期，请重新报价"
    title_en = "The quote has expired; ask for a new one"


class QuoteUsed(QuoteRefused):
    code = "quote_used"
    title_zh = "该报价已用于另一订单"
    title_en = "Another order has used this quote"


class QuoteForeign(QuoteRefused):
    code = "quote_foreign"
    title_zh = "该报价不是为这位长者作出的"
    title_en = "This quote was made for another resident"


class QuoteAltered(QuoteRefused):
    """``fields`` in ``extra``: what differs from the quote."""

    code = "quote_altered"
    title_zh = "订单内容与报价不一致，请重新报价"
    title_en = "The order differs from its quote; ask for a new one"


class NotCancellable(DomainError):
    status = 409
    code = "not_cancellable"
    title_zh = "服务已开始或已结束，不能取消"
    title_en = "The service has begun or ended; it cannot be cancelled"


class TakenAlready(DomainError):
    """``current`` in ``extra``. The dispatcher releases the caregivers first."""

    status = 409
    code = "taken_already"
    title_zh = "已有护理员接单，请先由调度员解除指派"
    title_en = "A caregiver has taken this order; the dispatcher must release it first"


class NotChangeable(DomainError):
    """``current`` in ``extra``."""

    status = 409
    code = "not_changeable"
    title_zh = "服务已开始或已结束，不能再修改"
    title_en = "The service has begun or ended; it cannot be changed"
