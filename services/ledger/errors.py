"""What the ledger refuses."""

from services.core.errors import DomainError


class LedgerKeyReused(DomainError):
    """Another entry stands under this key already."""

    status = 409
    code = "ledger_key_reused"
    title_zh = "该分录编号已用于其他分录"
    title_en = "This entry's key stands for another entry"


class AlreadyReversed(DomainError):
    status = 409
    code = "already_reversed"
    title_zh = "该分录已冲销"
    title_en = "This entry has been reversed already"


class NotEnough(DomainError):
    """A guarded account would fall below zero."""

    status = 409
    code = "voucher_not_enough"
    title_zh = "券的余额不足"
    title_en = "There is not enough left on the voucher"
