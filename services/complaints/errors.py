"""What complaints refuse."""

from services.core.errors import DomainError, Forbidden, InvalidInput


class NotTheirOrder(InvalidInput):
    code = "not_their_order"
    title_zh = "该订单不属于这位长者"
    title_en = "The order is not this resident's"


class ComplaintClosed(DomainError):
    """``current`` in ``extra``."""

    status = 409
    code = "complaint_closed"
    title_zh = "该投诉当前不能进行此操作"
    title_en = "The case does not allow this now"


class AppealTooLate(DomainError):
    status = 409
    code = "appeal_too_late"
    title_zh = "申诉期限已过"
    title_en = "The time for an appeal has passed"


class NotAParty(Forbidden):
    code = "not_a_party"
    title_zh = "您不是该投诉的当事人"
    title_en = "You are not a party to this case"


class SameJudge(Forbidden):
    """Whoever decided first does not decide the appeal."""

    code = "same_judge"
    title_zh = "申诉须由另一人处理"
    title_en = "An appeal is decided by somebody else"
