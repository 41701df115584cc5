"""What notifications refuse."""

from services.core.errors import DomainError


class ReportNotSigned(DomainError):
    """A delivery report without a good signature, or for a channel that has no gateway."""

    status = 403
    code = "report_not_signed"
    title_zh = "回执签名无效"
    title_en = "The delivery report is not signed by the channel's gateway"
