"""What consents refuse."""

from services.core.errors import DomainError, InvalidInput


class GuardianNeeded(InvalidInput):
    """A relative who is no guardian consents to nothing in her place; she herself can."""

    code = "guardian_needed"
    title_zh = "只有长者本人或其监护人可以表示同意"
    title_en = "Only the resident herself or her guardian can consent"


class MethodNotYours(InvalidInput):
    """``method`` in ``extra``: in_app is for households, signature and spoken for staff who took them."""

    code = "consent_method_not_yours"
    title_zh = "您不能以这种方式记录同意"
    title_en = "You cannot record a consent given in this way"


class EvidenceMissing(InvalidInput):
    """``field`` in ``extra``."""

    code = "consent_evidence_missing"
    title_zh = "请写明签字件存放处或监护人姓名"
    title_en = "Say where the signed paper is kept, or the guardian's name"


class TextOutdated(InvalidInput):
    """``current`` in ``extra``: the version to show."""

    code = "consent_text_outdated"
    title_zh = "同意书版本已更新，请重新阅读"
    title_en = "There is a newer text; show that one"


class ScopeInvalid(InvalidInput):
    """``expected`` in ``extra``: none, account, recipient, item_or_category."""

    code = "consent_scope_invalid"
    title_zh = "同意的范围填写有误"
    title_en = "The scope does not fit the purpose"


class TermOver(InvalidInput):
    """The last day lies in the past."""

    code = "consent_term_over"
    title_zh = "截止日期已过"
    title_en = "The last day has passed already"


class AlreadyReplaced(DomainError):
    status = 409
    code = "consent_replaced"
    title_zh = "该同意已被新的同意替代"
    title_en = "This consent has been given anew since; revoke the newer one"
