"""What the fault desk refuses."""

from services.core.errors import DomainError


class FaultEnded(DomainError):
    status = 409
    code = "fault_ended"
    title_zh = "该故障已解除"
    title_en = "This fault has ended"
