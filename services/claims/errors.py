"""What claims refuse."""

from services.core.errors import DomainError, InvalidInput


class NothingToClaim(DomainError):
    status = 409
    code = "nothing_to_claim"
    title_zh = "该支付方本月没有可结算的费用"
    title_en = "There is nothing to claim from this payer for the month"


class ClaimStands(DomainError):
    """``current`` in ``extra``: only a draft can be changed."""

    status = 409
    code = "claim_stands"
    title_zh = "结算批次已提交，不能再修改"
    title_en = "The claim has been submitted; it cannot be changed"


class UnknownLine(InvalidInput):
    code = "unknown_line"
    title_zh = "回复中有不属于该批次的明细"
    title_en = "The answer names a line that is not part of the claim"


class CutTooLarge(InvalidInput):
    """More is approved than asked, or the sign differs; ``line_id`` in ``extra``."""

    code = "approved_beyond_asked"
    title_zh = "核定金额超出申报金额"
    title_en = "More is approved than was asked"


class CutNeedsReason(InvalidInput):
    code = "cut_needs_reason"
    title_zh = "核减需要写明原因"
    title_en = "A cut needs its reason"


class PaidDiffers(DomainError):
    """``approved_fen`` in ``extra``."""

    status = 409
    code = "paid_differs"
    title_zh = "到账金额与核定金额不一致"
    title_en = "The money is not what was approved"


class ClaimChanged(DomainError):
    """Bills were made or corrected since: make the draft anew and look again."""

    status = 409
    code = "claim_changed"
    title_zh = "账单有变动，请重新生成后再提交"
    title_en = "Bills have changed since; make the draft anew and look again"
