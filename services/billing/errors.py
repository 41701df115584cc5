"""What billing refuses."""

from services.core.errors import DomainError, Forbidden, InvalidInput, NotFound


class NotSettled(NotFound):
    """The order exists, its bill does not yet."""

    code = "not_settled"
    title_zh = "该订单尚未结算"
    title_en = "This order has not been settled yet"


class AlreadyBilled(DomainError):
    status = 409
    code = "already_billed"
    title_zh = "该订单已出账，请通过更正处理"
    title_en = "The bill has been made; correct it by an adjustment"


class BillHeld(DomainError):
    """A held bill is made anew when its visit has been reviewed; there is nothing to adjust yet."""

    status = 409
    code = "bill_held"
    title_zh = "账单待复核，尚未入账"
    title_en = "The bill is held for review and has not been booked"


class AdjustmentOpen(DomainError):
    status = 409
    code = "adjustment_open"
    title_zh = "该账单已有待审批的更正"
    title_en = "An adjustment of this bill waits for its decision"


class LineNotLower(InvalidInput):
    """A refund lowers lines; what makes a bill dearer comes from corrected facts only."""

    code = "line_not_lower"
    title_zh = "金额必须低于该项现在的金额，且该项必须存在"
    title_en = "The amount must be lower than the line's present one, and the line must exist"


class NothingToAdjust(DomainError):
    status = 409
    code = "nothing_to_adjust"
    title_zh = "重新计算后账单没有变化"
    title_en = "Made anew, the bill is the same"


class BillChanged(DomainError):
    status = 409
    code = "bill_changed"
    title_zh = "账单在提出更正后已变化，请重新提出"
    title_en = "The bill has changed since the proposal; propose again"


class SecondPersonNeeded(Forbidden):
    code = "second_person_needed"
    title_zh = "更正必须由另一人审批"
    title_en = "Somebody other than the proposer must decide"
