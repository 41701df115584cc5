"""What payments refuse."""

from services.core.errors import DomainError, ServiceUnavailable


class NothingToPay(DomainError):
    """``outstanding_fen`` in ``extra``."""

    status = 409
    code = "nothing_to_pay"
    title_zh = "没有需要支付的金额"
    title_en = "There is nothing to pay"


class BillHeld(DomainError):
    status = 409
    code = "bill_held"
    title_zh = "账单正在复核，暂时不用付款"
    title_en = "The bill is under review; nothing is to be paid yet"


class AmountDiffers(DomainError):
    """``outstanding_fen`` in ``extra``."""

    status = 409
    code = "amount_differs"
    title_zh = "金额与应付金额不一致"
    title_en = "The amount is not what is owed"


class NoProvider(ServiceUnavailable):
    code = "no_payment_provider"
    title_zh = "尚未开通线上支付，请联系服务中心"
    title_en = "Paying online is not set up; ask the centre"


class NoticeNotSigned(DomainError):
    status = 401
    code = "notice_not_signed"
    title_zh = "签名无效"
    title_en = "The signature is not valid"


class RefundNotOpen(DomainError):
    """``current`` in ``extra``."""

    status = 409
    code = "refund_not_open"
    title_zh = "该退款不能进行此操作"
    title_en = "The refund does not allow this now"
