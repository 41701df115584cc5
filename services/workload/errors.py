"""What the workload refuses."""

from services.core.errors import DomainError, InvalidInput


class RateInThePast(InvalidInput):
    code = "rate_in_the_past"
    title_zh = "标准不能从过去的日期起生效"
    title_en = "A rate takes effect today or later"


class RateExists(DomainError):
    status = 409
    code = "rate_exists"
    title_zh = "该日期已有标准，已设置的标准不能修改"
    title_en = "A rate is set for that day already; a rate is never changed"
