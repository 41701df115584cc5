"""What this domain refuses."""

from services.core.errors import DomainError


class NothingRecorded(DomainError):
    """The resident is within reach, but this number was never given."""

    status = 404
    code = "nothing_recorded"
    title_zh = "未登记此项信息"
    title_en = "This was never recorded"
