"""What a referral refuses."""

from services.core.errors import DomainError


class NobodyToRefer(DomainError):
    status = 409
    code = "nobody_to_refer"
    title_zh = "该警报未绑定老人，无法转诊"
    title_en = "No resident belongs to this alert, so nobody can be referred"
